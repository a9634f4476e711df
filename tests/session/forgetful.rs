//! Random stories with two kinds of Servers that are in the field, which lose the Session now and then: one passes a QoS 2
//! message on when it gets PUBREL and throws it away with the Session (as Mosquitto does), the other passes it on with the
//! PUBLISH, and calls its Packet Identifier in use when it comes again (as EMQX does). There are two of a kind, which know
//! nothing of each other's Sessions. What a program is told must be true with both, and stay true if its Session is durable
//! and its process is killed.

use crate::trace::{self, Disk, connack};
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::{self, Decoded, Packet};
use mt5mqtt::session::Amount;
use mt5mqtt::session::Session;
use mt5mqtt::session::event::{Event, Stage, Token};
use mt5mqtt::session::options::{PublishOptions, SessionOptions};
use mt5mqtt::session::record::Key;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{ProtocolVersion, QoS};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const VERSION: ProtocolVersion = ProtocolVersion::V5;

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(QoS),
    /// With a conflation key.
    Value(QoS),
    /// That expires soon.
    Short(QoS),
    Cancel(Token),
    Pass(u64),
    Store,
    /// The process is killed, and another one takes over what was stored.
    Crash,
    /// The Server refuses what it gets, or not.
    Refuse(bool),
    /// It comes back with a Maximum QoS of 1.
    Narrow,
    /// So many packets reach the Server, which answers.
    Up(usize),
    /// So many answers reach the Session.
    Down(usize),
    Cut,
    /// Everything arrives.
    Rest,
    /// With the Session lost or not.
    Reconnect(bool),
    /// To the other Server, with its Session lost or not.
    Move(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)].prop_map(Step::Publish),
        2 => prop_oneof![Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)].prop_map(Step::Value),
        1 => prop_oneof![Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)].prop_map(Step::Short),
        1 => (0..5i64).prop_map(Step::Cancel),
        1 => (0..400u64).prop_map(Step::Pass),
        8 => Just(Step::Store),
        1 => Just(Step::Crash),
        1 => any::<bool>().prop_map(Step::Refuse),
        1 => Just(Step::Narrow),
        6 => (1..4usize).prop_map(Step::Up),
        5 => (1..4usize).prop_map(Step::Down),
        1 => Just(Step::Cut),
        1 => Just(Step::Rest),
        3 => prop_oneof![3 => Just(false), 1 => Just(true)].prop_map(Step::Reconnect),
        2 => prop_oneof![3 => Just(false), 1 => Just(true)].prop_map(Step::Move),
    ]
}

/// The payload of a message is its token.
#[derive(Default)]
struct Server {
    delivers_at_publish: bool,
    refuses: bool,
    /// QoS 2 messages between PUBREC and PUBREL.
    held: BTreeMap<u16, Token>,
    has_session: bool,
    answers: Vec<Vec<u8>>,
}

impl Server {
    fn answer(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        codec::encode(packet, VERSION, 1 << 20, &mut bytes).unwrap();
        self.answers.push(bytes);
    }

    fn takes(&mut self, packet: &Packet<'_>, delivered: &mut Vec<Token>, given_up: &mut BTreeSet<Token>) {
        match packet {
            Packet::Publish(publish) => {
                let token = Token::from_be_bytes(publish.payload.try_into().unwrap());
                let packet_id = publish.packet_id.unwrap();
                if self.refuses && !self.held.contains_key(&packet_id.get()) {
                    let refused = Ack::new(packet_id, ReasonCode::QUOTA_EXCEEDED);
                    given_up.insert(token);
                    return self.answer(&match publish.qos {
                        QoS::AtLeastOnce => Packet::Puback(refused),
                        _ => Packet::Pubrec(refused),
                    });
                }
                if publish.qos == QoS::AtLeastOnce {
                    delivered.push(token);
                    return self.answer(&Packet::Puback(Ack::new(packet_id, ReasonCode::SUCCESS)));
                }
                let known = self.held.insert(packet_id.get(), token);
                assert!(known.is_none() || known == Some(token), "another message under an identifier in use");
                if self.delivers_at_publish && known.is_none() {
                    delivered.push(token);
                }
                let reason = match known {
                    Some(_) if self.delivers_at_publish => ReasonCode::PACKET_IDENTIFIER_IN_USE,
                    _ => ReasonCode::SUCCESS,
                };
                self.answer(&Packet::Pubrec(Ack::new(packet_id, reason)));
            }
            Packet::Pubrel(ack) => {
                let released = self.held.remove(&ack.packet_id.get());
                delivered.extend(released.filter(|_| !self.delivers_at_publish));
                self.answer(&Packet::Pubcomp(Ack::new(ack.packet_id, ReasonCode::SUCCESS)));
            }
            other => panic!("{other:?}"),
        }
    }
}

struct World {
    session: Session,
    lasts: bool,
    now: Instant,
    servers: [Server; 2],
    here: usize,
    /// By either, in the order of time.
    delivered: Vec<Token>,
    published: Vec<(Token, QoS)>,
    /// Those of QoS 1: the standard orders messages within one QoS.
    values: Vec<Token>,
    ends: BTreeMap<Token, Vec<Option<Status>>>,
    /// `None` when nothing is ever stored.
    disk: Option<Disk>,
    options: SessionOptions,
    /// That may have been superseded, expired, withdrawn or refused: sent before, these are in doubt.
    given_up: BTreeSet<Token>,
    /// Told to be durable.
    stored: BTreeSet<Token>,
    /// Killed with their process, before they were stored.
    vanished: BTreeSet<Token>,
    /// The last token before the last crash.
    crashed: Token,
    /// The token whose end the program got last. It has dealt with it when it comes back.
    hears: Option<Token>,
}

impl World {
    /// A Session that outlives its connections, or doesn't.
    fn new(delivers_at_publish: bool, lasts: bool, durable: bool) -> Self {
        let session_expiry_interval = if lasts { 3600 } else { 0 };
        let options =
            SessionOptions { session_expiry_interval, in_flight_maximum: 3, progress: true, ..trace::options() };
        let mut session = Session::new(options.clone());
        let disk = durable.then(Disk::default);
        if durable {
            session.restore(Vec::new()).expect("nothing is wrong with nothing");
        }
        let servers = [(); 2].map(|()| Server { delivers_at_publish, ..Server::default() });
        let mut world = World {
            session,
            lasts,
            now: Instant::now(),
            servers,
            here: 0,
            delivered: Vec::new(),
            published: Vec::new(),
            values: Vec::new(),
            ends: BTreeMap::new(),
            disk,
            options,
            given_up: BTreeSet::new(),
            stored: BTreeSet::new(),
            vanished: BTreeSet::new(),
            crashed: 0,
            hears: None,
        };
        world.connect(true, false);
        world
    }

    fn cut(&mut self) {
        self.session.handle_closed(Status::Network, "cut");
        self.servers[self.here].answers.clear();
    }

    fn connect(&mut self, loses_session: bool, narrow: bool) {
        self.cut();
        self.session.set_server(["a", "b"][self.here]);
        self.session.handle_opened(self.now, self.now + Duration::from_secs(10));
        let size = self.session.output().len();
        let clean = match codec::decode(self.session.output(), VERSION, 1 << 20).unwrap() {
            Decoded::Packet { packet: Packet::Connect(connect), .. } => connect.clean_start,
            other => panic!("{other:?}"),
        };
        self.session.handle_sent(self.now, size);
        let server = &mut self.servers[self.here];
        let is_present = server.has_session && !loses_session && !clean && self.lasts;
        server.has_session = true;
        if !is_present {
            server.held.clear();
        }
        let properties =
            if narrow { trace::set(&[(PropertyId::MaximumQoS, Value::Int(1))]) } else { PropertiesBuf::new() };
        self.servers[self.here].answer(&connack(is_present, ReasonCode::SUCCESS, &properties));
        self.down();
        if !is_present {
            // A process that is killed before that is stored is like one that has never had this CONNACK.
            self.store();
        }
    }

    fn publish(&mut self, qos: QoS, how: PublishOptions) -> Token {
        let token = self.published.len() as Token + 1;
        self.published.push((token, qos));
        let payload = token.to_be_bytes();
        let topic = TopicName::new("t").unwrap();
        let properties = Properties::EMPTY;
        let message = Message::new(topic, &payload, qos, false, properties);
        self.session.publish(self.now, token, message, how);
        token
    }

    /// One packet reaches the Server.
    fn up(&mut self) -> bool {
        let used = match codec::decode(self.session.output(), VERSION, 1 << 20).unwrap() {
            Decoded::Packet { packet, used } => {
                self.servers[self.here].takes(&packet, &mut self.delivered, &mut self.given_up);
                used
            }
            Decoded::NeedMore { .. } => return false,
        };
        self.session.handle_sent(self.now, used);
        true
    }

    /// One answer reaches the Session.
    fn down(&mut self) -> bool {
        let answers = &mut self.servers[self.here].answers;
        if answers.is_empty() {
            return false;
        }
        let answer = answers.remove(0);
        self.session.handle_input(self.now, &answer);
        assert!(self.session.is_online());
        self.look();
        true
    }

    fn look(&mut self) {
        loop {
            if let Some(token) = self.hears.take() {
                self.session.heard(token);
            }
            let Some(event) = self.session.poll_event() else { return };
            match event {
                Event::Published { token, outcome } => {
                    self.ends.entry(token).or_default().push(outcome.failure);
                    self.hears = Some(token);
                }
                Event::Progress { token, stage: Stage::Durable } => {
                    self.stored.insert(token);
                }
                Event::Connected { .. } | Event::Disconnected(_) | Event::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn store(&mut self) {
        let Some(disk) = &mut self.disk else { return };
        while disk.store_batch(&mut self.session, self.now) {}
        self.look();
    }

    fn crash(&mut self) {
        let Some(disk) = &self.disk else { return };
        self.servers[self.here].answers.clear();
        self.session = disk.restored(Session::new(self.options.clone()));
        self.hears = None;
        let gone = self.published.iter().map(|one| one.0).filter(|token| !self.stored.contains(token));
        self.vanished.extend(gone.filter(|token| !self.ends.contains_key(token)));
        self.crashed = self.published.len() as Token;
        self.connect(false, false);
    }

    fn does(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                self.publish(qos, PublishOptions::default());
            }
            Step::Value(qos) => {
                let token = self.publish(qos, trace::key("value"));
                self.given_up.insert(token);
                if qos == QoS::AtLeastOnce {
                    self.values.push(token);
                }
            }
            Step::Short(qos) => {
                let token = self.publish(qos, trace::lives(300));
                self.given_up.insert(token);
            }
            Step::Cancel(back) => {
                let token = self.published.len() as Token - back;
                self.given_up.insert(token);
                self.session.cancel(token);
            }
            Step::Pass(milliseconds) => {
                self.now += Duration::from_millis(milliseconds);
                self.session.handle_timeout(self.now);
            }
            Step::Store => self.store(),
            Step::Crash => self.crash(),
            Step::Refuse(refuses) => self.servers[self.here].refuses = refuses,
            Step::Narrow => self.connect(false, true),
            Step::Up(mut count) => {
                while count > 0 && self.up() {
                    count -= 1;
                }
            }
            Step::Down(mut count) => {
                while count > 0 && self.down() {
                    count -= 1;
                }
            }
            Step::Cut => self.cut(),
            Step::Rest => self.comes_to_rest(),
            Step::Reconnect(loses_session) => self.connect(loses_session, false),
            Step::Move(loses_session) => {
                self.cut();
                self.here = 1 - self.here;
                self.connect(loses_session, false);
                // A process that is killed before that is stored doesn't know that it was there.
                self.store();
            }
        }
    }

    fn comes_to_rest(&mut self) {
        self.servers.iter_mut().for_each(|server| server.refuses = false);
        self.connect(false, false);
        loop {
            let mut moved = false;
            while self.up() || self.down() {
                moved = true;
            }
            let stores = self.session.has_records();
            self.store();
            if !moved && !stores {
                break;
            }
        }
        // Whoever gets the values is left with the last one.
        let last = self.values.last().filter(|last| **last > self.crashed && self.ends.get(last) == Some(&vec![None]));
        if last.is_some() {
            assert_eq!(self.delivered.iter().rfind(|token| self.values.contains(token)), last);
        }
        assert_eq!((self.session.in_flight(), self.session.outstanding()), (0, Amount::default()));
    }

    fn ends_well(mut self) {
        self.comes_to_rest();
        for (token, qos) in &self.published {
            let delivered = self.delivered.iter().filter(|other| *other == token).count();
            let ends = self.ends.get(token).cloned().unwrap_or_default();
            assert!(!ends.is_empty() || self.vanished.contains(token), "{token} never ends");
            assert!(ends.len() <= 1 || self.crashed >= *token, "two ends of {token}: {ends:?}");
            for end in &ends {
                match end {
                    None => assert!(delivered >= 1, "{token} is told to have arrived: {ends:?}"),
                    Some(Status::SessionLost) => {
                        assert!(*qos == QoS::ExactlyOnce || self.given_up.contains(token), "{token} is sent again");
                    }
                    Some(_) => assert_eq!(delivered, 0, "{token} is told not to have been sent: {ends:?}"),
                }
            }
            assert!(*qos == QoS::AtLeastOnce || delivered <= 1, "{token} is doubled: {ends:?}");
        }
        if let Some(Disk { records }) = self.disk {
            assert!(records.keys().all(|key| matches!(key, Key::Session | Key::Server(_))), "{records:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_true_though_sessions_are_lost(
        delivers_at_publish: bool,
        lasts: bool,
        durable: bool,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        // MQTT-4.4.0-1
        let mut world = World::new(delivers_at_publish, lasts, durable);
        for step in steps {
            world.does(step);
        }
        world.ends_well();
    }
}
