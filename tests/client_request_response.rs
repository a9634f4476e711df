//! Requests and responses between programs.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::mosquitto::Mosquitto;
use common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::client::{Client, State};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::event::{Answer, Event, Token};
use mt5mqtt::session::options::PublishOptions;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

#[track_caller]
fn ask(client: &Client, payload: &str, qos: QoS, timeout: Duration) -> Token {
    let topic = TopicName::new("service").unwrap();
    client.request(topic, payload.as_bytes(), qos, Properties::EMPTY, timeout).expect("an accepted request")
}

#[track_caller]
fn expect_response(program: &Program, expected: Token) -> Result<Answer, Status> {
    match program.event("a response") {
        Event::Response { token, answer } => {
            assert_eq!(token, expected);
            answer.map_err(|outcome| outcome.failure.expect("a failure"))
        }
        other => panic!("expected a response, got {other:?}"),
    }
}

/// Reads a request and sends the response to it.
#[track_caller]
fn answer(peer: &mut Peer, payload: &str, qos: QoS) {
    let request = peer.expect(PacketType::Publish);
    let Packet::Publish(publish) = request.packet() else { panic!("no PUBLISH") };
    let topic = TopicName::new(publish.properties.text(PropertyId::ResponseTopic).unwrap()).unwrap();
    let correlation = publish.properties.binary(PropertyId::CorrelationData).unwrap();
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::CorrelationData, Value::Binary(correlation)).unwrap();
    let message = Message::new(topic, payload.as_bytes(), qos, false, properties.as_properties());
    let id = (qos != QoS::AtMostOnce).then(|| mt5mqtt::codec::PacketId::new(5).unwrap());
    peer.send(&Packet::Publish(message.publish(id, false)));
}

#[test]
fn a_request_gets_its_response() {
    // Section 4.10
    let mut server = FakeServer::start();
    // Also with messages that are acknowledged explicitly: a response's token names the request.
    let program = Program::connecting(&server.url(), &[(IntOption::Acknowledge, 2)]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let token = ask(&program, "ask", QoS::AtMostOnce, LONG);
    peer.grant();
    answer(&mut peer, "answer", QoS::AtLeastOnce);
    let response = expect_response(&program, token).unwrap();
    assert_eq!(response.message.payload(), b"answer");
    peer.expect(PacketType::Puback);
    program.expect_soon("an empty budget", |client| client.statistics().outgoing_bytes == 0);
    assert_eq!(program.statistics().outgoing, 0);
}

#[test]
fn a_request_ends_in_time_without_a_server_too() {
    let program = Program::connecting("mqtt://127.0.0.1:1", &[(IntOption::ReconnectMaximum, 60_000)]);
    let token = ask(&program, "ask", QoS::AtLeastOnce, Duration::from_millis(50));
    loop {
        match program.event("the end of the request") {
            Event::Disconnected(_) => {}
            Event::Response { token: ended, answer } => {
                assert_eq!(ended, token);
                assert_eq!(answer.unwrap_err().failure, Some(Status::Timeout));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    program.expect_soon("an empty budget", |client| client.statistics().outgoing == 0);
}

#[test]
fn a_request_ends_in_time_while_the_server_is_silent() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let token = ask(&program, "ask", QoS::AtMostOnce, Duration::from_millis(50));
    peer.grant();
    peer.expect(PacketType::Publish);
    assert_eq!(expect_response(&program, token), Err(Status::Timeout));
}

#[test]
fn what_can_not_be_a_request_is_refused_at_the_call() {
    let program = Program::new("mqtt://127.0.0.1:1", &[]);
    let topic = TopicName::new("service").unwrap();
    let request = |properties: Properties<'_>, timeout| {
        program.request(topic, b"ask", QoS::AtMostOnce, properties, timeout).map_err(|failure| failure.status)
    };
    assert_eq!(request(Properties::EMPTY, LONG), Err(Status::NotConnected));
    assert_eq!(program.state(), State::Idle);
    assert_eq!(request(Properties::EMPTY, Duration::ZERO), Err(Status::OutOfRange));
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::ResponseTopic, Value::Text("mine")).unwrap();
    assert_eq!(request(properties.as_properties(), LONG), Err(Status::InvalidArgument));
    let respond = program.respond(b"x", QoS::AtMostOnce, Properties::EMPTY, PublishOptions::default());
    assert_eq!(respond.unwrap_err().status, Status::NoEvent);
}

#[test]
fn a_message_without_a_response_topic_can_not_be_answered() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.publish(b"x", None, QoS::AtMostOnce);
    program.expect_payload("x");
    let respond = program.respond(b"x", QoS::AtMostOnce, Properties::EMPTY, PublishOptions::default());
    assert_eq!(respond.unwrap_err().status, Status::NotPresent);
}

#[test]
fn two_programs_ask_and_answer_through_mosquitto() {
    // Section 4.10, MQTT-3.3.2-15, MQTT-3.3.2-16
    let Some(server) = Mosquitto::start() else { return };
    let asking = Program::connecting(&server.url(), &[]);
    let answering = Program::connecting(&server.url(), &[]);
    asking.expect_connected();
    answering.expect_connected();
    let subscription = answering.subscribe_to("service", QoS::ExactlyOnce);
    answering.expect_subscribed(subscription);
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let token = ask(&asking, "ask", qos, LONG);
        answering.expect_payload("ask");
        answering.respond(b"answer", qos, Properties::EMPTY, PublishOptions::default()).expect("an accepted response");
        let response = expect_response(&asking, token).unwrap();
        assert_eq!(response.message.payload(), b"answer");
        if qos != QoS::AtMostOnce {
            assert!(matches!(answering.event("the end of the response's publish"), Event::Published { .. }));
        }
    }
    asking.expect_nothing();
}
