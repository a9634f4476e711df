//! Random stories with two kinds of Servers that are in the field, which lose the Session now and then: one passes a QoS 2
//! message on when it gets PUBREL and throws it away with the Session (as Mosquitto does), the other passes it on with the
//! PUBLISH, and calls its Packet Identifier in use when it comes again (as EMQX does). There are two of a kind, which know
//! nothing of each other's Sessions. What a program is told must be true with both.

use crate::trace::{self, connack};
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf};
use mt5mqtt::codec::{self, Decoded, Packet};
use mt5mqtt::session::Session;
use mt5mqtt::session::event::{Event, Token};
use mt5mqtt::session::options::{PublishOptions, SessionOptions};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{ProtocolVersion, QoS};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const VERSION: ProtocolVersion = ProtocolVersion::V5;

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(QoS),
    /// With a conflation key, QoS 1.
    Value,
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
        2 => Just(Step::Value),
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

    fn takes(&mut self, packet: &Packet<'_>, delivered: &mut Vec<Token>) {
        match packet {
            Packet::Publish(publish) => {
                let token = Token::from_be_bytes(publish.payload.try_into().unwrap());
                let packet_id = publish.packet_id.unwrap();
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
    values: Vec<Token>,
    ends: BTreeMap<Token, Option<Status>>,
}

impl World {
    /// A Session that outlives its connections, or doesn't.
    fn new(delivers_at_publish: bool, lasts: bool) -> Self {
        let session_expiry_interval = if lasts { 3600 } else { 0 };
        let options = SessionOptions { session_expiry_interval, in_flight_maximum: 3, ..trace::options() };
        let session = Session::new(options);
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
        };
        world.connect(true);
        world
    }

    fn cut(&mut self) {
        self.session.handle_closed(Status::Network, "cut");
        self.servers[self.here].answers.clear();
    }

    fn connect(&mut self, loses_session: bool) {
        self.cut();
        let server = &mut self.servers[self.here];
        let is_present = server.has_session && !loses_session && self.lasts;
        server.has_session = true;
        if !is_present {
            server.held.clear();
        }
        self.session.set_server(["a", "b"][self.here]);
        self.session.handle_opened(self.now, self.now + Duration::from_secs(10));
        let size = self.session.output().len();
        self.session.handle_sent(self.now, size);
        self.servers[self.here].answer(&connack(is_present, ReasonCode::SUCCESS, &PropertiesBuf::new()));
        self.down();
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
                self.servers[self.here].takes(&packet, &mut self.delivered);
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
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Published { token, outcome } => {
                    assert_eq!(self.ends.insert(token, outcome.failure), None, "two ends of {token}");
                }
                Event::Connected { .. } | Event::Disconnected(_) => {}
                other => panic!("{other:?}"),
            }
        }
        true
    }

    fn does(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                self.publish(qos, PublishOptions::default());
            }
            Step::Value => {
                let token = self.publish(QoS::AtLeastOnce, trace::key("value"));
                self.values.push(token);
            }
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
            Step::Reconnect(loses_session) => self.connect(loses_session),
            Step::Move(loses_session) => {
                self.cut();
                self.here = 1 - self.here;
                self.connect(loses_session);
            }
        }
    }

    fn comes_to_rest(&mut self) {
        self.connect(false);
        while self.up() || self.down() {}
        // Whoever gets the values is left with the last one.
        let left = self.delivered.iter().rfind(|token| self.values.contains(token));
        assert_eq!(left, self.values.last());
        assert_eq!(self.session.in_flight(), 0);
    }

    fn ends_well(mut self) {
        self.comes_to_rest();
        for (token, qos) in &self.published {
            let delivered = self.delivered.iter().filter(|other| *other == token).count();
            match self.ends.get(token).expect("every publish ends") {
                None => assert!(delivered >= 1, "{token} is told to have arrived"),
                Some(Status::SessionLost) if *qos == QoS::ExactlyOnce => {}
                // Superseded, and perhaps after it had arrived in a Session that was lost then.
                Some(Status::SessionLost) => assert!(self.values.iter().rev().skip(1).any(|value| value == token)),
                Some(Status::Superseded) => {
                    assert_ne!(Some(token), self.values.last());
                    assert_eq!(delivered, 0, "{token} is told not to have been sent");
                }
                other => panic!("{token} ended with {other:?}"),
            }
            assert!(*qos == QoS::AtLeastOnce || delivered <= 1, "{token} is doubled");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_true_though_sessions_are_lost(
        delivers_at_publish: bool,
        lasts: bool,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        // MQTT-4.4.0-1
        let mut world = World::new(delivers_at_publish, lasts);
        for step in steps {
            world.does(step);
        }
        world.ends_well();
    }
}
