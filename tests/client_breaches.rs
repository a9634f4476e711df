//! Harmless faults of a Server as the program sees them, and payloads that are not what they say.

mod common;

use common::fake_server::FakeServer;
use common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};

#[test]
fn a_harmless_fault_is_told_of_and_the_feed_goes_on() {
    // MQTT-3.12.4-1
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.send(&Packet::Pingresp);
    peer.send(&Packet::Pingresp);
    peer.publish(b"tick", None, QoS::AtMostOnce);
    assert_eq!(program.event("a breach"), Event::Breach(Breach::UnaskedPingresp));
    program.expect_payload("tick");
    assert_eq!(program.statistics().breaches, 2);
}

#[test]
fn a_strict_client_ends_the_connection() {
    // MQTT-3.12.4-1, section 4.13
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::Strict, 1)]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.send(&Packet::Pingresp);
    match peer.expect(PacketType::Disconnect).packet() {
        Packet::Disconnect(disconnect) => assert_eq!(disconnect.reason, ReasonCode::PROTOCOL_ERROR),
        other => panic!("{other:?}"),
    }
    peer.close();
    assert_eq!(program.expect_disconnected().failure, Some(Status::ProtocolError));
}

fn text_indicated() -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::PayloadFormatIndicator, Value::Int(1)).unwrap();
    properties
}

#[test]
fn a_payload_that_is_not_the_text_it_says_is_not_sent() {
    // 5-3.1.3.2.3-b, 5-3.3.2.3.2-a; sections 3.3.2.3.2 and 3.1.3.2.3
    let program = Program::new("mqtt://127.0.0.1", &[]);
    let topic = TopicName::new("t").unwrap();
    let properties = text_indicated();
    let publish = |payload| program.publish(topic, payload, QoS::AtLeastOnce, false, properties.as_properties());
    assert_eq!(publish(&[0xC3, 0x28]).unwrap_err().status, Status::PayloadFormat);
    assert!(publish("Счёт".as_bytes()).is_ok());
    let will = Message::new(topic, &[0xFF], QoS::AtMostOnce, false, PropertiesBuf::new().as_properties());
    let set = program.set_option(|options, idle| options.set_will(Some((will, properties.clone())), idle));
    assert_eq!(set.unwrap_err().status, Status::PayloadFormat);
}

#[test]
fn a_received_payload_that_is_not_the_text_it_says_is_refused_if_so_asked() {
    // 5-3.3.2.3.2-a; section 3.3.2.3.2
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::PayloadFormatCheck, 2)]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let topic = TopicName::new("t").unwrap();
    let message = Message::new(topic, &[0xFF], QoS::AtLeastOnce, false, text_indicated().as_properties());
    peer.send(&Packet::Publish(message.publish(mt5mqtt::codec::PacketId::new(1), false)));
    match peer.expect(PacketType::Puback).packet() {
        Packet::Puback(ack) => assert_eq!(ack.reason, ReasonCode::PAYLOAD_FORMAT_INVALID),
        other => panic!("{other:?}"),
    }
    assert_eq!(program.event("a breach"), Event::Breach(Breach::PayloadFormat));
    program.expect_nothing();
}
