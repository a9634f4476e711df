//! Two programs on one connection to a scripted Server.

use crate::common::fake_server::{FakeServer, Peer};
use crate::common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::SubscriptionOptions;
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::event::{Delivery, Event, Outcome, Token};
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;

pub struct Pair {
    pub server: FakeServer,
    pub peer: Peer,
    pub first: Program,
    pub second: Program,
}

/// Two programs with inboxes `first` and `second` on the connected connection of this name; tests share a process.
#[track_caller]
pub fn pair(name: &str, ints: &[(IntOption, i64)]) -> Pair {
    pair_with(name, ints, |_| {})
}

/// The same with a CONNACK of these properties.
#[track_caller]
pub fn pair_with(name: &str, ints: &[(IntOption, i64)], set: impl FnOnce(&mut PropertiesBuf)) -> Pair {
    let mut server = FakeServer::start();
    let [first, second] = ["first", "second"].map(|inbox| Program::sharing(name, inbox, &server.url(), ints));
    first.connect().expect("the first connects");
    second.connect().expect("the second joins");
    let mut peer = server.accept();
    peer.expect(mt5mqtt::types::PacketType::Connect);
    peer.connack_with(false, set);
    first.expect_connected();
    second.expect_connected();
    Pair { server, peer, first, second }
}

/// What the Server was asked for.
pub struct Asked {
    pub identifier: Option<u32>,
    pub options: SubscriptionOptions,
}

/// Reads the next SUBSCRIBE, for this filter, and grants it.
#[track_caller]
pub fn granted(peer: &mut Peer, filter: &str) -> Asked {
    let received = peer.grant();
    let Packet::Subscribe(packet) = received.packet() else { panic!("no SUBSCRIBE") };
    let subscription = packet.subscriptions.first().expect("a Topic Filter");
    assert_eq!(subscription.filter.as_str(), filter);
    let identifier = packet.properties.int(PropertyId::SubscriptionIdentifier);
    Asked { identifier, options: subscription.options }
}

/// Subscribes, and the Server grants it; returns the Subscription Identifier that it was asked with.
#[track_caller]
pub fn subscribe(program: &Program, peer: &mut Peer, filter: &str, qos: QoS) -> u32 {
    let token = program.subscribe_to(filter, qos);
    let asked = granted(peer, filter);
    program.expect_subscribed(token);
    asked.identifier.expect("a Subscription Identifier")
}

/// A message as the Server sends it for the subscriptions with these identifiers.
pub fn message(topic: &str, payload: &str, qos: QoS, retain: bool, identifiers: &[u32]) -> Message {
    let mut properties = PropertiesBuf::new();
    for identifier in identifiers {
        properties.add(PropertyId::SubscriptionIdentifier, Value::Int(*identifier)).expect("an identifier");
    }
    let topic = TopicName::new(topic).expect("a Topic Name");
    Message::new(topic, payload.as_bytes(), qos, retain, properties.as_properties())
}

/// The Server sends a QoS 0 message.
pub fn send(peer: &mut Peer, topic: &str, payload: &str, identifiers: &[u32]) {
    let message = message(topic, payload, QoS::AtMostOnce, false, identifiers);
    peer.send(&Packet::Publish(message.publish(None, false)));
}

/// The Server sends a QoS 1 message.
pub fn send_qos1(peer: &mut Peer, topic: &str, payload: &str, id: u16, identifiers: &[u32]) {
    let message = message(topic, payload, QoS::AtLeastOnce, false, identifiers);
    peer.send(&Packet::Publish(message.publish(PacketId::new(id), false)));
}

/// The next event is a message with this payload; returns what names it.
#[track_caller]
pub fn gets(program: &Program, payload: &str) -> Option<Delivery> {
    let (message, delivery) = program.expect_message();
    assert_eq!(String::from_utf8_lossy(message.payload()), payload);
    delivery
}

/// The program gets a message that only it gets: everything that was sent before would have been there.
#[track_caller]
pub fn gets_nothing_before(program: &Program, peer: &mut Peer, own: &str, identifier: u32) {
    send(peer, own, "marker", &[identifier]);
    gets(program, "marker");
}

/// The outcome of the next event, the answer to a subscribe.
#[track_caller]
pub fn subscribed(program: &Program) -> Outcome {
    match program.event("Subscribed") {
        Event::Subscribed { outcome, .. } => outcome,
        other => panic!("expected Subscribed, got {other:?}"),
    }
}

/// The outcome of the next event, the answer to an unsubscribe.
#[track_caller]
pub fn unsubscribed(program: &Program) -> Outcome {
    match program.event("Unsubscribed") {
        Event::Unsubscribed { outcome, .. } => outcome,
        other => panic!("expected Unsubscribed, got {other:?}"),
    }
}

/// The program sends a request, and the Server its response as a QoS 1 message with Packet Identifier 1, also for the
/// subscriptions with these identifiers.
#[track_caller]
pub fn answered(program: &Program, peer: &mut Peer, identifiers: &[u32]) -> Token {
    let (topic, timeout) = (TopicName::new("ask").expect("a Topic Name"), Duration::from_secs(60));
    let token = program.client.request(topic, b"?", QoS::AtMostOnce, Properties::EMPTY, timeout).expect("a request");
    peer.grant();
    let received = peer.expect(PacketType::Publish);
    let Packet::Publish(request) = received.packet() else { panic!("no PUBLISH") };
    let reply_to = request.properties.text(PropertyId::ResponseTopic).expect("a Response Topic");
    let mut response = message(reply_to, "!", QoS::AtLeastOnce, false, identifiers);
    let correlation = request.properties.binary(PropertyId::CorrelationData).expect("Correlation Data");
    let mut properties: PropertiesBuf = response.properties().into();
    properties.set(PropertyId::CorrelationData, Value::Binary(correlation)).expect("a property");
    let topic = TopicName::new(reply_to).expect("a Topic Name");
    response = Message::new(topic, b"!", QoS::AtLeastOnce, false, properties.as_properties());
    peer.send(&Packet::Publish(response.publish(PacketId::new(1), false)));
    token
}

/// The next event is the response to this request.
#[track_caller]
pub fn gets_response(program: &Program, token: Token) {
    match program.event("Response") {
        Event::Response { token: answered, answer: Ok(answer) } => {
            assert_eq!((answered, answer.message.payload()), (token, &b"!"[..]));
        }
        other => panic!("expected a response, got {other:?}"),
    }
}
