//! A Server that does what a test says and nothing else: the test's own thread is the Server, and its body the script.
//!
//! It knows no MQTT but the library's codec, keeps no state and answers nothing by itself. So it can be silent, late,
//! wrong or gone at any point. Every wait has a deadline and says what it waited for.

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::disconnect::Disconnect;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::Suback;
use mt5mqtt::codec::{self, Decoded, Packet, PacketId};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// The longest that anything here waits: far more than a busy machine needs.
pub const DEADLINE: Duration = Duration::from_secs(15);

pub struct FakeServer {
    /// std's listener can't wait with a deadline.
    listener: TcpListener,
    poll: Poll,
}

impl FakeServer {
    pub fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into())
    }

    pub fn start_at(ip: IpAddr) -> Self {
        let mut listener = TcpListener::bind((ip, 0).into()).expect("bind a free port");
        let poll = Poll::new().expect("a poll");
        poll.registry().register(&mut listener, Token(0), Interest::READABLE).expect("register the listener");
        FakeServer { listener, poll }
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.listener.local_addr().expect("the listener's address"))
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().expect("the listener's address").port()
    }

    /// The next connection.
    #[track_caller]
    pub fn accept(&mut self) -> Peer {
        self.accept_within(DEADLINE).expect("a connection of the client before the deadline")
    }

    /// The next connection, or `None` if there is none in that time.
    pub fn accept_within(&mut self, time: Duration) -> Option<Peer> {
        let deadline = Instant::now() + time;
        let mut events = Events::with_capacity(4);
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Some(Peer::new(stream.into())),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "accepting failed: {error}"),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            match self.poll.poll(&mut events, Some(left)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => panic!("waiting for a connection: {error}"),
                _ => {}
            }
        }
    }

    /// Accepts a connection and its CONNECT, with success. The Session is new.
    #[track_caller]
    pub fn accept_mqtt(&mut self) -> Peer {
        let mut peer = self.accept();
        peer.expect(PacketType::Connect);
        peer.connack(false);
        peer
    }
}

/// The Server's end of a connection.
pub struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
    /// How packets are read and written; CONNECT says which.
    pub version: ProtocolVersion,
}

/// A packet that the client sent.
pub struct Received {
    bytes: Vec<u8>,
    version: ProtocolVersion,
}

impl Received {
    pub fn packet(&self) -> Packet<'_> {
        match codec::decode(&self.bytes, self.version, usize::MAX) {
            Ok(Decoded::Packet { packet, .. }) => packet,
            other => panic!("decoded once, but not twice: {other:?}"),
        }
    }

    /// The Packet Identifier, if this type of packet has one.
    #[track_caller]
    pub fn id(&self) -> PacketId {
        match self.packet() {
            Packet::Publish(publish) => publish.packet_id.expect("a QoS above 0"),
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => ack.packet_id,
            Packet::Subscribe(subscribe) => subscribe.packet_id,
            Packet::Unsubscribe(unsubscribe) => unsubscribe.packet_id,
            other => panic!("{} has no Packet Identifier", other.packet_type().name()),
        }
    }

    /// Payload of a PUBLISH, as text.
    #[track_caller]
    pub fn payload(&self) -> String {
        match self.packet() {
            Packet::Publish(publish) => String::from_utf8(publish.payload.to_vec()).expect("a payload of text"),
            other => panic!("not a PUBLISH: {other:?}"),
        }
    }

    #[track_caller]
    pub fn dup(&self) -> bool {
        match self.packet() {
            Packet::Publish(publish) => publish.dup,
            other => panic!("not a PUBLISH: {other:?}"),
        }
    }
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(false).expect("a stream that blocks");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        stream.set_write_timeout(Some(DEADLINE)).expect("a write timeout");
        Peer { stream, received: Vec::new(), version: ProtocolVersion::V5 }
    }

    /// The connection itself, for other protocols than MQTT. Reading and writing have deadlines.
    pub fn into_stream(self) -> TcpStream {
        self.stream.set_read_timeout(Some(DEADLINE)).expect("a read timeout");
        self.stream
    }

    /// The next packet; panics when none comes before the deadline.
    #[track_caller]
    pub fn read(&mut self, wanted: &str) -> Received {
        self.read_within(DEADLINE, wanted).unwrap_or_else(|| panic!("waited for {wanted} until the deadline"))
    }

    /// The next packet, or `None` if it isn't there in that time. Panics when the client closes the connection instead.
    #[track_caller]
    pub fn read_within(&mut self, time: Duration, wanted: &str) -> Option<Received> {
        let deadline = Instant::now() + time;
        loop {
            match codec::decode(&self.received, self.version, usize::MAX) {
                Ok(Decoded::Packet { packet, used }) => {
                    if let Packet::Connect(connect) = packet {
                        self.version = connect.version;
                    }
                    let rest = self.received.split_off(used);
                    let bytes = std::mem::replace(&mut self.received, rest);
                    return Some(Received { bytes, version: self.version });
                }
                Ok(Decoded::NeedMore { .. }) => {}
                Err(error) => panic!("the client sent an invalid packet: {error}"),
            }
            if !self.receive(deadline, wanted)? {
                panic!("the client closed the connection; waited for {wanted}");
            }
        }
    }

    /// Reads what is there. False when the client has closed the connection, `None` when nothing came.
    #[track_caller]
    fn receive(&mut self, deadline: Instant, wanted: &str) -> Option<bool> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        self.stream.set_read_timeout(Some(left)).expect("a read timeout");
        let mut buffer = vec![0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Some(false),
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                Some(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Some(false),
            Err(error) => panic!("reading from the client failed: {error}; waited for {wanted}"),
        }
    }

    /// The next packet, which is of this type.
    #[track_caller]
    pub fn expect(&mut self, wanted: PacketType) -> Received {
        let received = self.read(wanted.name());
        assert_eq!(received.packet().packet_type().name(), wanted.name(), "{:?}", received.packet());
        received
    }

    /// The next packet is a PUBLISH with this payload.
    #[track_caller]
    pub fn expect_publish(&mut self, payload: &str) -> Received {
        let received = self.expect(PacketType::Publish);
        assert_eq!(received.payload(), payload);
        received
    }

    /// The client closes the connection, after these packets and no others.
    #[track_caller]
    pub fn expect_close(&mut self, packets: &[PacketType]) {
        for packet in packets {
            self.expect(*packet);
        }
        assert!(self.received.is_empty(), "bytes before the end: {:?}", self.received);
        let closed = self.receive(Instant::now() + DEADLINE, "the end of the connection");
        assert_eq!(closed, Some(false), "waited for the end of the connection, got {:?}", self.received);
    }

    /// Sends any bytes.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the client takes what the Server sends");
    }

    #[track_caller]
    pub fn send(&mut self, packet: &Packet<'_>) {
        let bytes = self.encode(packet);
        self.send_bytes(&bytes);
    }

    #[track_caller]
    pub fn encode(&self, packet: &Packet<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        codec::encode(packet, self.version, usize::MAX, &mut bytes).expect("a packet that can be encoded");
        bytes
    }

    /// Accepts the connection.
    #[track_caller]
    pub fn connack(&mut self, session_present: bool) {
        self.connack_with(session_present, |_| {});
    }

    /// Accepts the connection with properties; an Assigned Client Identifier is among them.
    #[track_caller]
    pub fn connack_with(&mut self, session_present: bool, set: impl FnOnce(&mut PropertiesBuf)) {
        let mut properties = PropertiesBuf::new();
        if self.version == ProtocolVersion::V5 {
            let id = PropertyId::AssignedClientIdentifier;
            properties.set(id, Value::Text("assigned")).expect("a Client Identifier");
            set(&mut properties);
        }
        let properties = properties.as_properties();
        self.send(&Packet::Connack(Connack { session_present, reason: ReasonCode::SUCCESS, properties }));
    }

    #[track_caller]
    pub fn refuse(&mut self, reason: ReasonCode) {
        let properties = Properties::EMPTY;
        self.send(&Packet::Connack(Connack { session_present: false, reason, properties }));
    }

    #[track_caller]
    pub fn disconnect(&mut self, reason: ReasonCode) {
        self.send(&Packet::Disconnect(Disconnect { reason, properties: Properties::EMPTY }));
    }

    #[track_caller]
    pub fn publish(&mut self, payload: &[u8], id: Option<u16>, qos: QoS) {
        let bytes = self.publication(payload, id, qos, false);
        self.send_bytes(&bytes);
    }

    /// A message whose sender has given it a key, for deduplication: as its Correlation Data and as the User Property `key`.
    #[track_caller]
    pub fn publish_keyed(&mut self, key: &str, payload: &str, id: u16, qos: QoS, dup: bool) {
        let mut properties = PropertiesBuf::new();
        for (id, value) in [
            (PropertyId::CorrelationData, Value::Binary(key.as_bytes())),
            (PropertyId::UserProperty, Value::Pair("key", key)),
        ] {
            properties.add(id, value).expect("a property");
        }
        let topic = TopicName::new("t").expect("a Topic Name");
        let message = Message::new(topic, payload.as_bytes(), qos, false, properties.as_properties());
        self.send(&Packet::Publish(message.publish(PacketId::new(id), dup)));
    }

    /// The bytes of a PUBLISH to topic `t`.
    #[track_caller]
    pub fn publication(&self, payload: &[u8], id: Option<u16>, qos: QoS, dup: bool) -> Vec<u8> {
        let topic = TopicName::new("t").expect("a Topic Name");
        let message = Message::new(topic, payload, qos, false, Properties::EMPTY);
        self.encode(&Packet::Publish(message.publish(id.and_then(PacketId::new), dup)))
    }

    #[track_caller]
    pub fn puback(&mut self, id: PacketId) {
        self.send(&Packet::Puback(Ack::new(id, ReasonCode::SUCCESS)));
    }

    #[track_caller]
    pub fn pubrec(&mut self, id: PacketId) {
        self.send(&Packet::Pubrec(Ack::new(id, ReasonCode::SUCCESS)));
    }

    #[track_caller]
    pub fn pubcomp(&mut self, id: PacketId) {
        self.send(&Packet::Pubcomp(Ack::new(id, ReasonCode::SUCCESS)));
    }

    /// Grants the next SUBSCRIBE and returns it.
    #[track_caller]
    pub fn grant(&mut self) -> Received {
        let received = self.expect(PacketType::Subscribe);
        self.suback(received.id(), ReasonCode::SUCCESS);
        received
    }

    /// Answers a SUBSCRIBE of one Topic Filter.
    #[track_caller]
    pub fn suback(&mut self, packet_id: PacketId, reason: ReasonCode) {
        self.send(&Packet::Suback(Suback { packet_id, properties: Properties::EMPTY, reasons: vec![reason] }));
    }

    /// Another handle of the connection, to be used by another thread.
    pub fn second_handle(&self) -> Peer {
        let stream = self.stream.try_clone().expect("a second handle");
        Peer { stream, received: Vec::new(), version: self.version }
    }

    /// Closes the connection in the orderly way of TCP.
    pub fn close(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Closes the connection as a crashed machine does: with RST.
    pub fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("SO_LINGER of 0");
    }
}
