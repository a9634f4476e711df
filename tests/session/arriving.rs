//! Random stories of received messages, with two Servers that know nothing of each other's Sessions and lose them now and then:
//! what a Server has kept comes, QoS 2 comes once, and nothing waits for an answer for ever. Of a durable Session, which has one
//! Server, the process is killed now and then: what it has said that it is done with doesn't come again.

use crate::trace::{self, Disk, connack};
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::{self, Decoded, Packet, PacketId};
use mt5mqtt::session::Session;
use mt5mqtt::session::event::{Delivery, Event};
use mt5mqtt::session::options::{Acknowledge, Deduplicate, MessageKey, SessionOptions};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{ProtocolVersion, QoS};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

const VERSION: ProtocolVersion = ProtocolVersion::V5;
/// Messages that a Server has under way at once.
const WINDOW: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody publishes at this Server.
    Send(usize, QoS),
    /// So many packets reach the Session, or the Server.
    Down(usize),
    Up(usize),
    /// The program is done with so many messages.
    Take(usize),
    /// To this Server, which has lost its Session or not.
    Connect(usize, bool),
    Store,
    /// The process is killed, and another one takes over what was stored.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let lost = || prop_oneof![4 => Just(false), 1 => Just(true)];
    prop_oneof![
        5 => (0..2usize, prop_oneof![Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)])
            .prop_map(|(server, qos)| Step::Send(server, qos)),
        6 => (1..4usize).prop_map(Step::Down),
        6 => (1..4usize).prop_map(Step::Up),
        4 => (1..3usize).prop_map(Step::Take),
        3 => (0..2usize, lost()).prop_map(|(server, lost)| Step::Connect(server, lost)),
        5 => Just(Step::Store),
        1 => Just(Step::Crash),
    ]
}

struct Flow {
    id: u16,
    number: u32,
    qos: QoS,
    sent: bool,
    released: bool,
}

/// The payload of a message is its number.
#[derive(Default)]
struct Server {
    has_session: bool,
    last_id: u16,
    queue: VecDeque<(u32, QoS)>,
    flows: Vec<Flow>,
    down: VecDeque<Vec<u8>>,
}

impl Server {
    fn say(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        codec::encode(packet, VERSION, 1 << 20, &mut bytes).unwrap();
        self.down.push_back(bytes);
    }

    fn say_flow(&mut self, place: usize) {
        let flow = &mut self.flows[place];
        let (id, number, qos, dup) = (PacketId::new(flow.id).unwrap(), flow.number, flow.qos, flow.sent);
        flow.sent = true;
        if flow.released {
            return self.say(&Packet::Pubrel(Ack::new(id, ReasonCode::SUCCESS)));
        }
        let topic = TopicName::new("t").unwrap();
        let payload = number.to_be_bytes();
        let key = trace::set(&[(PropertyId::CorrelationData, Value::Binary(&payload))]);
        let message = Message::new(topic, &payload, qos, false, key.as_properties());
        self.say(&Packet::Publish(message.publish(Some(id), dup)));
    }

    fn pump(&mut self) {
        while self.flows.len() < WINDOW
            && let Some((number, qos)) = self.queue.pop_front()
        {
            // Low ones again and again, so that the two Servers use the same.
            self.last_id = self.last_id % 7 + 1;
            while self.flows.iter().any(|flow| flow.id == self.last_id) {
                self.last_id = self.last_id % 7 + 1;
            }
            self.flows.push(Flow { id: self.last_id, number, qos, sent: false, released: false });
            self.say_flow(self.flows.len() - 1);
        }
    }

    /// Returns the message of which this is the first answer.
    fn hears(&mut self, packet: &Packet<'_>) -> Option<u32> {
        let (Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack)) = packet else { panic!("{packet:?}") };
        let id = ack.packet_id.get();
        let place = self.flows.iter().position(|flow| flow.id == id)?;
        let answered = Some(self.flows[place].number).filter(|_| !self.flows[place].released);
        if matches!(packet, Packet::Pubrec(_)) {
            assert_eq!(self.flows[place].qos, QoS::ExactlyOnce);
            self.flows[place].released = true;
            self.say_flow(place);
        } else {
            self.flows.remove(place);
            self.pump();
        }
        answered
    }
}

struct World {
    session: Session,
    options: SessionOptions,
    /// `None` when nothing is ever stored.
    disk: Option<Disk>,
    now: Instant,
    servers: [Server; 2],
    here: usize,
    /// By message: at which Server, its QoS, and whether that has lost it.
    sent: Vec<(usize, QoS, bool)>,
    got: BTreeMap<u32, u32>,
    /// What the program isn't done with, and what it can't say that of any more.
    held: VecDeque<(u32, Delivery)>,
    given_up: Vec<u32>,
    /// What the program is done with; and of that, what no process may get again.
    done: BTreeSet<u32>,
    settled: BTreeSet<u32>,
    /// What a process had and was not done with when it was killed.
    owed: BTreeSet<u32>,
}

impl World {
    fn connect(&mut self, server: usize, loses_session: bool) {
        let server = if self.disk.is_some() { 0 } else { server };
        self.session.handle_closed(Status::Network, "cut");
        self.servers[self.here].down.clear();
        self.here = server;
        self.session.set_server(["a", "b"][server]);
        self.session.handle_opened(self.now, self.now + Duration::from_secs(10));
        let size = self.session.output().len();
        self.session.handle_sent(self.now, size);
        let is_present = self.servers[server].has_session && !loses_session;
        if !is_present {
            self.servers[server] = Server { has_session: true, ..Server::default() };
            self.sent.iter_mut().filter(|sent| sent.0 == server).for_each(|sent| sent.2 = true);
        }
        let server = &mut self.servers[server];
        server.say(&connack(is_present, ReasonCode::SUCCESS, &PropertiesBuf::new()));
        (0..server.flows.len()).for_each(|place| server.say_flow(place));
        server.pump();
        self.down();
        if !is_present {
            // A process that is killed before that is stored is like one that has never had this CONNACK.
            self.store();
        }
    }

    fn store(&mut self) {
        let Some(disk) = &mut self.disk else { return };
        while disk.store_batch(&mut self.session, self.now) {}
        if self.options.acknowledge == Acknowledge::OnArrival || self.options.deduplicate.is_some() {
            self.settled.extend(&self.done);
        }
    }

    fn crash(&mut self) {
        let Some(disk) = &self.disk else { return };
        self.session = disk.restored(Session::new(self.options.clone()));
        self.owed.extend(self.held.drain(..).map(|(number, _)| number));
        self.done.clear();
        self.given_up.extend(self.got.keys());
        self.look();
        self.connect(0, false);
    }

    fn down(&mut self) -> bool {
        let Some(bytes) = self.servers[self.here].down.pop_front() else { return false };
        self.session.handle_input(self.now, &bytes);
        assert!(self.session.is_online());
        self.look();
        true
    }

    fn look(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Message { message, delivery, .. } => {
                    let number = u32::from_be_bytes(message.payload().try_into().unwrap());
                    let may_come = message.qos == QoS::AtLeastOnce && self.options.deduplicate.is_none();
                    assert!(may_come || !self.settled.contains(&number), "{number} was done with");
                    *self.got.entry(number).or_default() += 1;
                    self.owed.remove(&number);
                    self.held.push_back((number, delivery.unwrap()));
                }
                Event::Connected { session_present: false, .. }
                    if self.options.acknowledge == Acknowledge::Explicitly =>
                {
                    self.given_up.extend(self.held.drain(..).map(|(number, _)| number));
                }
                Event::Connected { .. } | Event::Disconnected(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn up(&mut self) -> bool {
        let used = match codec::decode(self.session.output(), VERSION, 1 << 20).unwrap() {
            Decoded::Packet { packet, used } => {
                let answered = self.servers[self.here].hears(&packet);
                if self.options.acknowledge != Acknowledge::OnArrival {
                    self.settled.extend(answered);
                }
                used
            }
            Decoded::NeedMore { .. } => return false,
        };
        self.session.handle_sent(self.now, used);
        true
    }

    fn take(&mut self) -> bool {
        let Some((number, delivery)) = self.held.pop_front() else { return false };
        self.session.taken(delivery);
        self.done.insert(number);
        true
    }

    fn does(&mut self, step: Step) {
        match step {
            Step::Send(server, qos) if self.servers[server].has_session => {
                self.servers[server].queue.push_back((self.sent.len() as u32, qos));
                self.sent.push((server, qos, false));
                if server == self.here {
                    self.servers[server].pump();
                }
            }
            Step::Send(..) => {}
            Step::Down(count) => (0..count).for_each(|_| {
                self.down();
            }),
            Step::Up(count) => (0..count).for_each(|_| {
                self.up();
            }),
            Step::Take(count) => (0..count).for_each(|_| {
                self.take();
            }),
            Step::Connect(server, loses_session) => self.connect(server, loses_session),
            Step::Store => self.store(),
            Step::Crash => self.crash(),
        }
    }

    fn ends_well(mut self) {
        for server in [self.here, 1 - self.here] {
            if self.servers[server].has_session {
                self.connect(server, false);
                loop {
                    while self.down() || self.up() || self.take() {}
                    if !self.session.has_records() {
                        break;
                    }
                    self.store();
                }
                assert!(self.servers[server].flows.is_empty(), "something waits for an answer for ever");
            }
        }
        for (number, (_, qos, is_lost)) in (0..).zip(&self.sent) {
            let got = self.got.get(&number).copied().unwrap_or(0);
            assert!((got >= 1 && !self.owed.contains(&number)) || *is_lost, "{number} was lost");
            let again = self.given_up.iter().filter(|given_up| **given_up == number).count() as u32;
            assert!(*qos == QoS::AtLeastOnce || got <= 1 + again, "{number} is doubled");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_server_has_kept_comes_and_comes_once(
        acknowledge in prop_oneof![
            Just(Acknowledge::Explicitly),
            Just(Acknowledge::WhenTaken),
            Just(Acknowledge::OnArrival),
        ],
        deduplicates: bool,
        durable: bool,
        steps in prop::collection::vec(step(), 0..150),
    ) {
        // MQTT-4.3.3-10
        let rules = Deduplicate { key: MessageKey::CorrelationData, window: 1000, suppress: true };
        let deduplicate = deduplicates.then_some(rules);
        let options = SessionOptions { acknowledge, deduplicate, strict: true, ..trace::options() };
        let mut session = Session::new(options.clone());
        if durable {
            session.restore(Vec::new()).expect("nothing is wrong with nothing");
        }
        let mut world = World {
            session,
            options,
            disk: durable.then(Disk::default),
            now: Instant::now(),
            servers: Default::default(),
            here: 0,
            sent: Vec::new(),
            got: BTreeMap::new(),
            held: VecDeque::new(),
            given_up: Vec::new(),
            done: BTreeSet::new(),
            settled: BTreeSet::new(),
            owed: BTreeSet::new(),
        };
        world.connect(0, true);
        for step in steps {
            world.does(step);
        }
        world.ends_well();
    }
}
