//! What a trace is written in: a Session, a time that only the trace moves, and packets of both sides.

use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::connect::Connect;
use mt5mqtt::codec::disconnect::Disconnect;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::subscribe::{RetainHandling, Suback, SubscriptionOptions};
use mt5mqtt::codec::{self, Decoded, Packet, PacketId};
use mt5mqtt::session::Session;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::{Delivery, Disconnected, Event, Outcome, Token};
use mt5mqtt::session::options::{Acknowledge, OutgoingOverflow, PayloadFormatCheck, PublishOptions, SessionOptions};
use mt5mqtt::session::record::{Key, Record};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{ProtocolVersion, QoS};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a durable Session has stored.
#[derive(Clone, Default)]
pub struct Disk {
    pub records: BTreeMap<Key, Record>,
}

impl Disk {
    /// A process begins with what an earlier one has stored, however that ended.
    pub fn start(&self, options: SessionOptions) -> Trace {
        let mut trace = Trace::new(options);
        trace.session = self.restored(trace.session);
        trace
    }

    /// A new Session, with what is stored.
    pub fn restored(&self, mut session: Session) -> Session {
        session.restore(self.records.clone().into_iter().collect()).expect("what was stored fits together");
        session
    }

    /// Stores what is to be stored, and says that it is durable.
    pub fn store(&mut self, trace: &mut Trace) {
        while self.store_batch(&mut trace.session, trace.now) {}
    }

    /// The same for one batch; false if there is none.
    pub fn store_batch(&mut self, session: &mut Session, now: Instant) -> bool {
        let Some(batch) = session.poll_records() else { return false };
        for (key, record) in batch.changes {
            match record {
                Some(record) => self.records.insert(key, record),
                None => self.records.remove(&key),
            };
        }
        session.handle_durable(now, batch.number);
        true
    }
}

/// No limit of a peer.
const UNLIMITED: usize = 268_435_460;
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// MQTT 5.0, nearly everything as a program gets it that sets nothing.
pub fn options() -> SessionOptions {
    SessionOptions {
        version: ProtocolVersion::V5,
        fall_back_to_v311: false,
        client_id: "c".to_owned(),
        clean_start: true,
        session_expiry_interval: 3600,
        keep_alive: 30,
        receive_maximum: 1024,
        maximum_packet_size: 1 << 20,
        in_flight_maximum: 65_500,
        in_flight_maximum_v311: 20,
        topic_alias_maximum: 0,
        outgoing_topic_alias_maximum: 64,
        request_problem_information: true,
        request_response_information: false,
        user_properties: PropertiesBuf::new(),
        response_topic: String::new(),
        seed: [7; 32],
        authentication: None,
        authentication_timeout: Duration::from_secs(10),
        user_name: None,
        password: None,
        will: None,
        acknowledge: Acknowledge::WhenTaken,
        payload_format_check: PayloadFormatCheck::Report,
        strict: false,
        ping_timeout: Duration::from_secs(10),
        // Here hours pass without an answer.
        answer_timeout: Duration::ZERO,
        outgoing_maximum: 100_000,
        outgoing_maximum_bytes: 1 << 26,
        outgoing_overflow: OutgoingOverflow::Refuse,
        deduplicate: None,
        progress: false,
        every_end: false,
        waits_to_publish: false,
        priority_reserve: 0,
    }
}

/// The same in MQTT 3.1.1.
pub fn v311() -> SessionOptions {
    SessionOptions { version: ProtocolVersion::V311, ..options() }
}

/// MQTT 5.0, with harmless faults of the Server's not passed over.
pub fn strict() -> SessionOptions {
    SessionOptions { strict: true, ..options() }
}

pub struct Trace {
    pub session: Session,
    pub now: Instant,
    version: ProtocolVersion,
}

impl Trace {
    pub fn new(options: SessionOptions) -> Self {
        Trace { version: options.version, session: Session::new(options), now: Instant::now() }
    }

    /// Connected to a Server that announces `properties` and has no Session.
    #[track_caller]
    pub fn connected_to(options: SessionOptions, properties: &[(PropertyId, Value<'_>)]) -> Self {
        let mut trace = Trace::new(options);
        trace.connects(false, properties);
        trace
    }

    #[track_caller]
    pub fn connected(options: SessionOptions) -> Self {
        Self::connected_to(options, &[])
    }

    /// Packets are of this version from now on.
    pub fn speaks(&mut self, version: ProtocolVersion) {
        self.version = version;
    }

    /// The transport is there.
    pub fn opens(&mut self) {
        self.session.handle_opened(self.now, self.now + CONNECT_TIMEOUT);
    }

    /// A connection that the Server accepts.
    #[track_caller]
    pub fn connects(&mut self, session_present: bool, properties: &[(PropertyId, Value<'_>)]) {
        self.opens();
        self.sends_connect(|_| ());
        self.receives(connack(session_present, ReasonCode::SUCCESS, &set(properties)));
        match self.tells() {
            Event::Connected { session_present: told, .. } => assert_eq!(told, session_present),
            other => panic!("{other:?} before the connection"),
        }
    }

    /// The connection is lost and made again.
    #[track_caller]
    pub fn reconnects(&mut self, session_present: bool) {
        self.loses_connection();
        self.connects(session_present, &[]);
    }

    #[track_caller]
    pub fn loses_connection(&mut self) {
        self.session.handle_closed(Status::ConnectionClosed, "cut");
        assert_eq!(self.told_of_the_end().failure, Some(Status::ConnectionClosed));
    }

    /// The Server sends a packet.
    #[track_caller]
    pub fn receives(&mut self, packet: Packet<'_>) {
        let mut bytes = Vec::new();
        codec::encode(&packet, self.version, UNLIMITED, &mut bytes).expect("a packet of the Server's");
        self.receives_bytes(&bytes);
    }

    #[track_caller]
    pub fn receives_bytes(&mut self, bytes: &[u8]) {
        assert_eq!(self.session.handle_input(self.now, bytes), bytes.len(), "whole packets are used up");
    }

    /// The next packet that the Session sends is this one.
    #[track_caller]
    pub fn sends(&mut self, expected: Packet<'_>) {
        self.takes_packet(|packet| assert_eq!(*packet, expected));
    }

    #[track_caller]
    pub fn sends_connect(&mut self, look: impl FnOnce(&Connect<'_>)) {
        self.takes_packet(|packet| match packet {
            Packet::Connect(connect) => look(connect),
            other => panic!("{other:?} instead of CONNECT"),
        });
    }

    /// The next packet that the Session sends leaves its output.
    #[track_caller]
    pub fn takes_packet<R>(&mut self, look: impl FnOnce(&Packet<'_>) -> R) -> R {
        let (result, used) = match codec::decode(self.session.output(), self.version, UNLIMITED) {
            Ok(Decoded::Packet { packet, used }) => (look(&packet), used),
            Ok(Decoded::NeedMore { .. }) => panic!("nothing is sent"),
            Err(error) => panic!("{error}"),
        };
        self.session.handle_sent(self.now, used);
        result
    }

    #[track_caller]
    pub fn sends_nothing(&self) {
        let output = self.session.output();
        let sent = codec::decode(output, self.version, UNLIMITED);
        assert!(output.is_empty(), "{sent:?}");
    }

    #[track_caller]
    pub fn tells(&mut self) -> Event {
        self.session.poll_event().expect("an event")
    }

    #[track_caller]
    pub fn tells_nothing(&mut self) {
        assert_eq!(self.session.poll_event(), None);
    }

    /// The next event is the end of this publish.
    #[track_caller]
    pub fn tells_published(&mut self, expected: Token) -> Outcome {
        match self.tells() {
            Event::Published { token, outcome } => {
                assert_eq!(token, expected);
                outcome
            }
            other => panic!("{other:?} instead of the end of a publish"),
        }
    }

    /// The next event is the success of this publish.
    #[track_caller]
    pub fn completes(&mut self, token: Token) {
        assert_eq!(self.tells_published(token).failure, None);
    }

    /// The next event is a message with this payload.
    #[track_caller]
    pub fn tells_message(&mut self, payload: &str) -> Option<Delivery> {
        match self.tells() {
            Event::Message { message, delivery, .. } => {
                assert_eq!(std::str::from_utf8(message.payload()), Ok(payload));
                delivery
            }
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// The program is told of a message, and is done with it.
    pub fn takes_message(&mut self, payload: &str) {
        let delivery = self.tells_message(payload);
        self.acknowledge(delivery);
    }

    /// The next event is this harmless fault of the Server's.
    #[track_caller]
    pub fn tells_breach(&mut self, expected: Breach) {
        match self.tells() {
            Event::Breach(breach) => assert_eq!(breach, expected),
            other => panic!("{other:?} instead of a breach"),
        }
    }

    #[track_caller]
    pub fn told_of_the_end(&mut self) -> Disconnected {
        match self.tells() {
            Event::Disconnected(end) => end,
            other => panic!("{other:?} instead of the end of the connection"),
        }
    }

    /// The Session ends the connection and says why to the Server: in a DISCONNECT that nothing follows.
    #[track_caller]
    pub fn breaks_off(&mut self, reason: ReasonCode) -> Disconnected {
        assert!(self.session.wants_close(), "the connection goes on");
        self.takes_packet(|packet| match packet {
            Packet::Disconnect(disconnect) => assert_eq!(disconnect.reason, reason),
            other => panic!("{other:?} instead of DISCONNECT"),
        });
        let end = self.closes();
        assert_eq!(end.reason, Some(reason));
        end
    }

    /// The Session ends the connection without a further word.
    #[track_caller]
    pub fn closes(&mut self) -> Disconnected {
        assert!(self.session.wants_close(), "the connection goes on");
        self.sends_nothing();
        self.session.handle_closed(Status::Network, "the transport was closed as asked");
        self.told_of_the_end()
    }

    #[track_caller]
    pub fn stays_connected(&self) {
        assert!(self.session.is_online() && !self.session.wants_close());
    }

    /// Time passes, and each timer is looked at when it is due. It stops when the Session ends the connection.
    pub fn passes(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.session.next_timeout().filter(|due| *due <= end) {
            assert!(due >= self.now, "a timer in the past");
            self.now = due;
            self.session.handle_timeout(due);
            if self.session.wants_close() {
                return;
            }
            assert_ne!(self.session.next_timeout(), Some(due), "a timer that does nothing");
        }
        self.now = end;
    }

    /// The program publishes to topic `t`.
    pub fn publish(&mut self, token: Token, payload: &str, qos: QoS) {
        self.publish_message(token, message(payload, qos, false));
    }

    pub fn publish_message(&mut self, token: Token, message: Message) {
        self.session.publish(self.now, token, message, PublishOptions::default());
    }

    /// The program publishes to a topic, and says how the message is to be treated.
    pub fn publish_so(&mut self, token: Token, topic: &str, payload: &str, qos: QoS, how: PublishOptions) {
        let topic = TopicName::new(topic).unwrap();
        let message = Message::new(topic, payload.as_bytes(), qos, false, Properties::EMPTY);
        self.session.publish(self.now, token, message, how);
    }

    /// The payloads that the Session sends now.
    #[track_caller]
    pub fn sends_payloads(&mut self) -> Vec<String> {
        let mut payloads = Vec::new();
        while !self.session.output().is_empty() {
            payloads.push(self.takes_packet(|packet| match packet {
                Packet::Publish(publish) => String::from_utf8(publish.payload.to_vec()).unwrap(),
                other => panic!("{other:?} instead of PUBLISH"),
            }));
        }
        payloads
    }

    pub fn subscribe(&mut self, token: Token, filter: &str) {
        self.session.subscribe(
            token,
            TopicFilter::new(filter).unwrap(),
            at_most(QoS::ExactlyOnce),
            PropertiesBuf::new(),
        );
    }

    pub fn unsubscribe(&mut self, token: Token, filter: &str) {
        self.session.unsubscribe(token, TopicFilter::new(filter).unwrap(), PropertiesBuf::new());
    }

    #[track_caller]
    pub fn acknowledge(&mut self, delivery: Option<Delivery>) {
        let known = self.session.acknowledge(delivery.expect("a message above QoS 0"), ReasonCode::SUCCESS);
        assert!(known, "the message waits");
    }
}

pub fn at_most(maximum_qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions {
        maximum_qos,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    }
}

pub fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("a Packet Identifier")
}

pub fn set(properties: &[(PropertyId, Value<'_>)]) -> PropertiesBuf {
    let mut set = PropertiesBuf::new();
    for (id, value) in properties {
        set.add(*id, *value).expect("a property");
    }
    set
}

pub fn message(payload: &str, qos: QoS, retain: bool) -> Message {
    Message::new(TopicName::new("t").unwrap(), payload.as_bytes(), qos, retain, Properties::EMPTY)
}

pub fn priority() -> PublishOptions {
    PublishOptions { priority: true, ..PublishOptions::default() }
}

pub fn key(key: &str) -> PublishOptions {
    PublishOptions { conflation_key: Some(key.into()), ..PublishOptions::default() }
}

pub fn lives(milliseconds: u64) -> PublishOptions {
    PublishOptions { time_to_live: Some(Duration::from_millis(milliseconds)), ..PublishOptions::default() }
}

// Packets of either side.

pub fn connack(session_present: bool, reason: ReasonCode, properties: &PropertiesBuf) -> Packet<'_> {
    Packet::Connack(Connack { session_present, reason, properties: properties.as_properties() })
}

/// PUBLISH to topic `t`.
pub fn publish(payload: &str, qos: QoS, packet_id: u16) -> Packet<'_> {
    Packet::Publish(publishing(payload, qos, packet_id, false))
}

/// PUBLISH to topic `t` with DUP.
pub fn publish_again(payload: &str, qos: QoS, packet_id: u16) -> Packet<'_> {
    Packet::Publish(publishing(payload, qos, packet_id, true))
}

fn publishing(payload: &str, qos: QoS, packet_id: u16, dup: bool) -> Publish<'_> {
    Publish {
        dup,
        qos,
        retain: false,
        topic: Some(TopicName::new("t").unwrap()),
        packet_id: PacketId::new(packet_id),
        properties: Properties::EMPTY,
        payload: payload.as_bytes(),
    }
}

pub fn puback(packet_id: u16) -> Packet<'static> {
    Packet::Puback(Ack::new(id(packet_id), ReasonCode::SUCCESS))
}

pub fn pubrec(packet_id: u16) -> Packet<'static> {
    Packet::Pubrec(Ack::new(id(packet_id), ReasonCode::SUCCESS))
}

pub fn pubrel(packet_id: u16) -> Packet<'static> {
    Packet::Pubrel(Ack::new(id(packet_id), ReasonCode::SUCCESS))
}

pub fn pubcomp(packet_id: u16) -> Packet<'static> {
    Packet::Pubcomp(Ack::new(id(packet_id), ReasonCode::SUCCESS))
}

pub fn suback(packet_id: u16, reason: ReasonCode) -> Packet<'static> {
    Packet::Suback(Suback { packet_id: id(packet_id), properties: Properties::EMPTY, reasons: vec![reason] })
}

pub fn disconnect(reason: ReasonCode) -> Packet<'static> {
    Packet::Disconnect(Disconnect { reason, properties: Properties::EMPTY })
}
