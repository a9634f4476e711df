//! Random stories with a Server that keeps the standard, over lines that are cut at any byte: QoS 1 loses nothing, QoS 2
//! neither loses nor doubles, first deliveries keep their order, and every token ends once.

use crate::trace::{self, Disk, id};
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::property::{Properties, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::{self, Decoded, Packet};
use mt5mqtt::session::Amount;
use mt5mqtt::session::Session;
use mt5mqtt::session::event::{self, Delivery, Event, Token};
use mt5mqtt::session::options::{PublishOptions, SessionOptions};
use mt5mqtt::session::record::Key;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{ProtocolVersion, QoS};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const VERSION: ProtocolVersion = ProtocolVersion::V5;
/// What the Server announces: small, so that it is reached all the time.
const SERVER_RECEIVE_MAXIMUM: u16 = 3;
const OUR_RECEIVE_MAXIMUM: u16 = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(QoS),
    ServerPublish(QoS),
    /// So many bytes reach the Server, which answers.
    Up(usize),
    /// So many bytes reach the Session.
    Down(usize),
    /// The program acknowledges one of the messages that it holds.
    Acknowledge(usize),
    Cut,
    Connect,
    Pass(u64),
    /// The program withdraws the publish before the last so many.
    Cancel(i64),
    /// What is to be stored is durable.
    Store,
    /// The process is killed, perhaps before it has taken its last events, and another one takes over what was stored.
    Crash {
        unheard: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let qos = prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)];
    prop_oneof![
        6 => qos.clone().prop_map(Step::Publish),
        6 => qos.prop_map(Step::ServerPublish),
        8 => (0..60usize).prop_map(Step::Up),
        8 => (0..60usize).prop_map(Step::Down),
        6 => (0..8usize).prop_map(Step::Acknowledge),
        1 => Just(Step::Cut),
        3 => Just(Step::Connect),
        2 => (0..20u64).prop_map(Step::Pass),
        2 => (0..6i64).prop_map(Step::Cancel),
    ]
}

/// The same, of a durable Session whose process is killed now and then.
fn step_of_a_durable_session() -> impl Strategy<Value = Step> {
    prop_oneof![40 => step(), 10 => Just(Step::Store), 1 => any::<bool>().prop_map(|unheard| Step::Crash { unheard })]
}

/// A message of the Server's that is not finished.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Queued,
    Sent,
    Released,
}

/// The Server's half of the Session, and what it took ownership of.
#[derive(Default)]
struct Server {
    has_session: bool,
    online: bool,
    /// QoS 2 Packet Identifiers between PUBREC and PUBREL.
    received: BTreeSet<u16>,
    /// Unanswered QoS 1 and 2 messages of this connection.
    unanswered: BTreeSet<u16>,
    owned: Vec<(u32, QoS, bool)>,
    /// Number, QoS, stage; by order of publication.
    outgoing: BTreeMap<u32, (QoS, Stage, u16)>,
    next_id: u16,
    quota: u16,
}

struct World {
    session: Session,
    now: Instant,
    server: Server,
    open: bool,
    /// Once connected, it has subscribed: only then has the Server anything for it. A Session of which the Session here
    /// never heard, its CONNACK being lost, is started anew.
    subscribed: bool,
    up: Vec<u8>,
    down: Vec<u8>,
    waiting: Vec<u8>,
    next_token: Token,
    published: BTreeMap<Token, (u32, QoS)>,
    ended: BTreeMap<Token, Option<Status>>,
    withdrawn: BTreeSet<Token>,
    server_published: Vec<(u32, QoS)>,
    held: Vec<Delivery>,
    got: Vec<(u32, QoS)>,
    /// What is stored; `None` when nothing ever is.
    disk: Option<Disk>,
    connected: bool,
    durable: BTreeSet<Token>,
    /// The token whose end the program got last. It has dealt with it when it comes back.
    hears: Option<Token>,
    heard: BTreeSet<Token>,
    /// Tokens of which it is not stored yet that the program has heard of their end.
    not_stored: BTreeSet<Token>,
    /// Tokens that may end once more: the process was killed before that was stored.
    may_end_again: BTreeSet<Token>,
    /// How often the program may see a message again, since it had it when it was killed.
    seen_before: BTreeMap<u32, usize>,
}

fn number(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload.try_into().expect("four bytes"))
}

fn session() -> Session {
    Session::new(SessionOptions { receive_maximum: OUR_RECEIVE_MAXIMUM, progress: true, ..trace::options() })
}

impl World {
    fn new() -> Self {
        World {
            session: session(),
            now: Instant::now(),
            server: Server { next_id: 1, ..Server::default() },
            open: false,
            subscribed: false,
            up: Vec::new(),
            down: Vec::new(),
            waiting: Vec::new(),
            next_token: 1,
            published: BTreeMap::new(),
            ended: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            server_published: Vec::new(),
            held: Vec::new(),
            got: Vec::new(),
            disk: None,
            connected: false,
            durable: BTreeSet::new(),
            hears: None,
            heard: BTreeSet::new(),
            not_stored: BTreeSet::new(),
            may_end_again: BTreeSet::new(),
            seen_before: BTreeMap::new(),
        }
    }

    fn durable() -> Self {
        let mut world = World { disk: Some(Disk::default()), ..World::new() };
        world.session.restore(Vec::new()).expect("nothing is wrong with nothing");
        world
    }

    fn store(&mut self) {
        let Some(disk) = &mut self.disk else { return };
        if !disk.store_batch(&mut self.session, self.now) {
            return;
        }
        self.subscribed |= self.connected;
        self.not_stored.retain(|token| !self.heard.contains(token));
        self.heard.clear();
    }

    fn crash(&mut self, unheard: bool) {
        let Some(disk) = self.disk.clone() else { return };
        if !unheard {
            self.look();
        }
        // The line is cut too; the dead Session would tell of it.
        self.open = false;
        self.server.online = false;
        for pipe in [&mut self.up, &mut self.down, &mut self.waiting] {
            pipe.clear();
        }
        self.session = disk.restored(session());
        self.held.clear();
        self.connected = false;
        let (durable, ended) = (&self.durable, &self.ended);
        self.published.retain(|token, _| durable.contains(token) || ended.contains_key(token));
        for (number, (qos, stage, _)) in &self.server.outgoing {
            if *qos == QoS::ExactlyOnce && *stage == Stage::Sent && self.got.iter().any(|(got, _)| got == number) {
                *self.seen_before.entry(*number).or_default() += 1;
            }
        }
        self.may_end_again.append(&mut self.not_stored);
        self.heard.clear();
        self.hears = None;
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                let token = self.next_token;
                self.next_token += 1;
                self.published.insert(token, (token as u32, qos));
                let payload = (token as u32).to_be_bytes();
                let topic = TopicName::new("t").unwrap();
                let message = codec::message::Message::new(topic, &payload, qos, false, Properties::EMPTY);
                self.session.publish(self.now, token, message, PublishOptions::default());
            }
            Step::ServerPublish(qos) => {
                let number = self.server_published.len() as u32 + 1;
                // To nobody who is away, and nothing is kept for him.
                if qos == QoS::AtMostOnce {
                    if self.server.online && self.subscribed {
                        self.server_published.push((number, qos));
                        self.say(&server_publish(&number.to_be_bytes(), qos, 0, false));
                    }
                } else if self.subscribed {
                    self.server_published.push((number, qos));
                    self.server.outgoing.insert(number, (qos, Stage::Queued, 0));
                    self.pump_server();
                }
            }
            Step::Up(count) => {
                let count = count.min(self.session.output().len());
                self.up.extend_from_slice(&self.session.output()[..count]);
                self.session.handle_sent(self.now, count);
                self.serve();
            }
            Step::Down(count) => {
                let count = count.min(self.down.len());
                self.waiting.extend(self.down.drain(..count));
                let used = self.session.handle_input(self.now, &self.waiting);
                self.waiting.drain(..used);
            }
            Step::Acknowledge(which) => {
                if !self.held.is_empty() {
                    let delivery = self.held.remove(which % self.held.len());
                    // False if its Session is gone.
                    self.session.acknowledge(delivery, ReasonCode::SUCCESS);
                }
            }
            Step::Cut => self.cut(),
            Step::Connect => {
                if !self.open {
                    self.open = true;
                    self.session.handle_opened(self.now, self.now + Duration::from_secs(10));
                }
            }
            Step::Pass(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.session.handle_timeout(self.now);
            }
            Step::Cancel(later) => {
                self.withdrawn.insert(self.next_token - 1 - later);
                self.session.cancel(self.next_token - 1 - later);
            }
            Step::Store => self.store(),
            Step::Crash { unheard } => self.crash(unheard),
        }
        if self.session.wants_close() {
            self.cut();
        }
        self.look();
    }

    fn cut(&mut self) {
        if self.open {
            self.open = false;
            self.server.online = false;
            self.session.handle_closed(Status::ConnectionClosed, "cut");
            for pipe in [&mut self.up, &mut self.down, &mut self.waiting] {
                pipe.clear();
            }
        }
    }

    /// Takes the events.
    fn look(&mut self) {
        loop {
            if let Some(token) = self.hears.take() {
                self.session.heard(token);
                self.heard.insert(token);
            }
            let Some(event) = self.session.poll_event() else { return };
            match event {
                Event::Message { message, delivery, .. } => {
                    self.got.push((number(message.payload()), message.qos));
                    self.held.extend(delivery);
                }
                Event::Published { token, outcome } => {
                    self.not_stored.insert(token);
                    self.hears = Some(token);
                    let previous = self.ended.insert(token, outcome.failure);
                    // Withdrawn now, it is one of which this process doesn't know whether it was sent.
                    let in_doubt = self.withdrawn.contains(&token) && outcome.failure == Some(Status::SessionLost);
                    let again = self.may_end_again.remove(&token) && (in_doubt || previous == Some(outcome.failure));
                    assert!(previous.is_none() || again, "the second end of token {token}");
                }
                Event::Disconnected(end) => {
                    let expected =
                        [Some(Status::ConnectionClosed), Some(Status::KeepAliveTimeout), Some(Status::ConnectTimeout)];
                    assert!(expected.contains(&end.failure), "{end:?}");
                }
                Event::Connected { .. } => {
                    self.connected = true;
                    self.subscribed |= self.disk.is_none();
                }
                Event::Progress { token, stage } => {
                    if stage == event::Stage::Durable {
                        self.durable.insert(token);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn say(&mut self, packet: &Packet<'_>) {
        codec::encode(packet, VERSION, usize::MAX, &mut self.down).expect("a packet");
    }

    /// The Server reads what has arrived, and answers.
    fn serve(&mut self) {
        let bytes = std::mem::take(&mut self.up);
        let mut used = 0;
        while let Ok(Decoded::Packet { packet, used: size }) = codec::decode(&bytes[used..], VERSION, usize::MAX) {
            used += size;
            self.serve_packet(&packet);
        }
        self.up = bytes[used..].to_vec();
        self.pump_server();
    }

    fn serve_packet(&mut self, packet: &Packet<'_>) {
        assert_eq!(self.server.online, !matches!(packet, Packet::Connect(_)), "MQTT-3.1.0-1: {packet:?}");
        match packet {
            Packet::Connect(connect) => self.serve_connect(connect.clean_start),
            Packet::Publish(publish) => self.serve_publish(publish),
            Packet::Pubrel(ack) => {
                let packet_id = ack.packet_id.get();
                self.server.received.remove(&packet_id);
                self.server.unanswered.remove(&packet_id);
                self.say(&trace::pubcomp(packet_id));
            }
            Packet::Puback(ack) => self.finish(ack, QoS::AtLeastOnce, Stage::Sent),
            Packet::Pubcomp(ack) => self.finish(ack, QoS::ExactlyOnce, Stage::Released),
            Packet::Pubrec(ack) => {
                let packet_id = ack.packet_id.get();
                let entry = self.server.outgoing.values_mut().find(|entry| entry.2 == packet_id);
                let entry = entry.expect("PUBREC belongs to a message");
                assert!(entry.0 == QoS::ExactlyOnce && entry.1 != Stage::Queued);
                entry.1 = Stage::Released;
                self.say(&trace::pubrel(packet_id));
            }
            Packet::Pingreq => self.say(&Packet::Pingresp),
            other => panic!("{other:?}"),
        }
    }

    fn serve_connect(&mut self, clean_start: bool) {
        let session_present = self.server.has_session && !clean_start;
        self.server.has_session = true;
        self.server.online = true;
        self.server.quota = OUR_RECEIVE_MAXIMUM;
        self.server.unanswered.clear();
        let properties = trace::set(&[(PropertyId::ReceiveMaximum, Value::Int(SERVER_RECEIVE_MAXIMUM.into()))]);
        let connack = Connack { session_present, reason: ReasonCode::SUCCESS, properties: properties.as_properties() };
        self.say(&Packet::Connack(connack));
        if !session_present {
            self.server.received.clear();
            self.server.outgoing.clear();
        }
        let received = self.server.received.clone();
        self.server.unanswered.extend(received);
        for (number, (qos, stage, packet_id)) in self.server.outgoing.clone() {
            match stage {
                Stage::Queued => continue,
                Stage::Sent => self.say(&server_publish(&number.to_be_bytes(), qos, packet_id, true)),
                Stage::Released => self.say(&trace::pubrel(packet_id)),
            }
            self.server.quota -= 1;
        }
    }

    fn serve_publish(&mut self, publish: &Publish<'_>) {
        let number = number(publish.payload);
        let Some(packet_id) = publish.packet_id.map(|id| id.get()) else {
            return self.server.owned.push((number, publish.qos, false));
        };
        let known = self.server.received.contains(&packet_id);
        if self.server.unanswered.insert(packet_id) {
            assert!(self.server.unanswered.len() <= SERVER_RECEIVE_MAXIMUM.into(), "MQTT-4.9.0-2");
        }
        if publish.qos == QoS::AtLeastOnce {
            self.server.owned.push((number, publish.qos, publish.dup));
            self.server.unanswered.remove(&packet_id);
            self.say(&trace::puback(packet_id));
        } else {
            if self.server.received.insert(packet_id) {
                self.server.owned.push((number, publish.qos, publish.dup));
            } else {
                assert!(known && publish.dup, "MQTT-2.2.1-3: {packet_id} is in use");
            }
            self.say(&trace::pubrec(packet_id));
        }
    }

    fn finish(&mut self, ack: &Ack<'_>, qos: QoS, stage: Stage) {
        let packet_id = ack.packet_id.get();
        let found = self.server.outgoing.iter().find(|(_, entry)| entry.2 == packet_id).map(|(number, _)| *number);
        let number = found.unwrap_or_else(|| panic!("{packet_id} belongs to no message"));
        let entry = self.server.outgoing.remove(&number).unwrap();
        assert_eq!((entry.0, entry.1), (qos, stage), "MQTT-2.2.1-5");
        self.server.quota += 1;
    }

    fn pump_server(&mut self) {
        if !self.server.online {
            return;
        }
        let queued: Vec<u32> =
            self.server.outgoing.iter().filter(|(_, entry)| entry.1 == Stage::Queued).map(|(n, _)| *n).collect();
        for number in queued {
            if self.server.quota == 0 {
                return;
            }
            self.server.quota -= 1;
            let packet_id = self.server.next_id;
            self.server.next_id = self.server.next_id % 200 + 1;
            let entry = self.server.outgoing.get_mut(&number).unwrap();
            entry.1 = Stage::Sent;
            entry.2 = packet_id;
            let qos = entry.0;
            self.say(&server_publish(&number.to_be_bytes(), qos, packet_id, false));
        }
    }

    /// Everything gets through now, and the program acknowledges all that it has.
    fn comes_to_rest(&mut self) {
        for _ in 0..10_000 {
            let before = (self.got.len(), self.ended.len(), self.server.owned.len());
            for step in [Step::Store, Step::Connect, Step::Up(usize::MAX), Step::Down(usize::MAX), Step::Acknowledge(0)]
            {
                self.take(step);
            }
            let quiet = self.session.output().is_empty()
                && !self.session.has_records()
                && self.down.is_empty()
                && self.held.is_empty()
                && self.open;
            if quiet && self.server.online && before == (self.got.len(), self.ended.len(), self.server.owned.len()) {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn check(&self) {
        for (token, (number, qos)) in &self.published {
            let copies = self.server.owned.iter().filter(|(owned, ..)| owned == number).count();
            let end = self.ended.get(token);
            match qos {
                // Withdrawn by a process that can't know whether the one before has sent it.
                QoS::AtLeastOnce if end == Some(&Some(Status::SessionLost)) && self.disk.is_some() => {}
                _ if end == Some(&Some(Status::Cancelled)) => assert_eq!(copies, 0, "{token} was withdrawn"),
                QoS::AtMostOnce => assert!(copies <= 1 && end.is_none()),
                QoS::AtLeastOnce => assert!(copies >= 1 && end == Some(&None), "{token}"),
                QoS::ExactlyOnce => assert!(copies == 1 && end == Some(&None), "{token}: {copies}"),
            }
        }
        // What was withdrawn is sent all the same if the process is killed before that is stored, and later ones have left by then.
        let kept = self.server.owned.iter().filter(|(number, ..)| !self.withdrawn.contains(&Token::from(*number)));
        in_order(kept.map(|(number, qos, _)| (*number, *qos)));
        for (number, qos) in &self.server_published {
            let copies = self.got.iter().filter(|(got, _)| got == number).count();
            match qos {
                QoS::AtMostOnce => assert!(copies <= 1),
                QoS::AtLeastOnce => assert!(copies >= 1, "{number} is lost"),
                QoS::ExactlyOnce => {
                    let again = self.seen_before.get(number).copied().unwrap_or(0);
                    assert!(copies >= 1 && copies <= 1 + again, "{number}: {copies}");
                }
            }
        }
        in_order(self.got.iter().copied());
        assert_eq!(self.session.outstanding(), Amount::default());
        assert_eq!(self.session.in_flight(), 0);
    }
}

/// Section 4.6: for each QoS, first arrivals come in the order of publication.
fn in_order(arrivals: impl Iterator<Item = (u32, QoS)>) {
    let mut seen = BTreeSet::new();
    let mut last = [0; 3];
    for (number, qos) in arrivals {
        if seen.insert(number) {
            assert!(number > last[qos as usize], "{number} after {} ({qos:?})", last[qos as usize]);
            last[qos as usize] = number;
        }
    }
}

fn server_publish(payload: &[u8], qos: QoS, packet_id: u16, dup: bool) -> Packet<'_> {
    Packet::Publish(Publish {
        dup,
        qos,
        retain: false,
        topic: Some(TopicName::new("t").unwrap()),
        packet_id: (packet_id != 0).then(|| id(packet_id)),
        properties: Properties::EMPTY,
        payload,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("failed_once"))), ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_doubled(steps in prop::collection::vec(step(), 0..250)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        world.comes_to_rest();
        world.check();
    }

    /// What was told to be durable survives any crash, and QoS 2 is still not doubled.
    #[test]
    fn a_durable_session_survives_the_death_of_its_process(
        steps in prop::collection::vec(step_of_a_durable_session(), 0..250),
    ) {
        let mut world = World::durable();
        for step in steps {
            world.take(step);
        }
        world.comes_to_rest();
        world.check();
        let left = world.disk.unwrap().records;
        prop_assert!(left.keys().all(|key| matches!(key, Key::Session)), "{:?}", left);
    }

    /// The Session survives whatever a Server sends, at any time of its life.
    #[test]
    fn no_bytes_of_a_server_do_harm(
        online in any::<bool>(),
        pieces in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), 0..8u8, Just(0x40), Just(0x50), Just(0x62), Just(0x70)], 0..40), 0..20),
    ) {
        let mut session = Session::new(trace::options());
        let now = Instant::now();
        for (number, piece) in pieces.iter().enumerate() {
            if session.output().is_empty() && session.next_timeout().is_none() {
                session.handle_opened(now, now + Duration::from_secs(10));
                if online {
                    session.handle_input(now, &[0x20, 3, 0, 0, 0]);
                }
            }
            let topic = TopicName::new("t").unwrap();
            let qos = QoS::from_u8((number % 3) as u8).unwrap();
            let message = codec::message::Message::new(topic, b"x", qos, false, Properties::EMPTY);
            session.publish(now, number as Token + 1, message, PublishOptions::default());
            let used = session.handle_input(now, piece);
            prop_assert!(used <= piece.len());
            session.handle_sent(now, session.output().len());
            while session.poll_event().is_some() {}
            if session.wants_close() {
                session.handle_closed(Status::Network, "closed");
            }
        }
    }
}
