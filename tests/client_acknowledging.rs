//! Messages that are acknowledged in another way than they were when they came: by the next client of a store, or after the
//! program has changed option ACKNOWLEDGE between two connections. And those that are acknowledged on arrival and come as a
//! response.

mod common;

use common::fake_server::FakeServer;
use common::folder::Folder;
use common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;

const ON_ARRIVAL: i64 = 0;
const WHEN_TAKEN: i64 = 1;
const EXPLICITLY: i64 = 2;

#[test]
fn a_message_from_the_store_is_told_once_however_messages_are_acknowledged_now() {
    for mode in [WHEN_TAKEN, EXPLICITLY] {
        let (mut server, folder) = (FakeServer::start(), Folder::new("acknowledging-store"));
        let acknowledging = |mode| Program::stored(&server.url(), &folder, &[(IntOption::Acknowledge, mode)]);
        let (first, second, third) = (acknowledging(ON_ARRIVAL), acknowledging(mode), acknowledging(ON_ARRIVAL));
        let mut peer = first.connect_to(&mut server, false);
        first.expect_connected();
        peer.publish(b"one", Some(1), QoS::AtLeastOnce);
        peer.expect(PacketType::Puback);
        first.free();

        let _peer = second.connect_to(&mut server, true);
        let (message, delivery) = second.expect_message();
        assert_eq!(message.payload(), b"one");
        if mode == EXPLICITLY {
            second.acknowledge(delivery.expect("a token"), ReasonCode::SUCCESS).expect("an acknowledgement");
        }
        second.expect_connected();
        second.free();

        let _peer = third.connect_to(&mut server, true);
        third.expect_connected();
        third.expect_nothing();
    }
}

#[test]
fn a_response_that_was_taken_does_not_come_again_from_the_store() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("acknowledging-response"));
    let program = || Program::stored(&server.url(), &folder, &[(IntOption::Acknowledge, ON_ARRIVAL)]);
    let (first, second) = (program(), program());
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    let topic = TopicName::new("service").unwrap();
    let token = first.request(topic, b"ask", QoS::AtMostOnce, Properties::EMPTY, Duration::from_secs(60)).unwrap();
    peer.grant();
    let request = peer.expect(PacketType::Publish);
    let Packet::Publish(publish) = request.packet() else { unreachable!() };
    let topic = TopicName::new(publish.properties.text(PropertyId::ResponseTopic).unwrap()).unwrap();
    let correlation = publish.properties.binary(PropertyId::CorrelationData).unwrap();
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::CorrelationData, Value::Binary(correlation)).unwrap();
    let message = Message::new(topic, b"answer", QoS::AtLeastOnce, false, properties.as_properties());
    peer.send(&Packet::Publish(message.publish(PacketId::new(5), false)));
    peer.expect(PacketType::Puback);
    assert!(matches!(first.event("a response"), Event::Response { token: of, answer: Ok(_) } if of == token));
    first.free();

    let _peer = second.connect_to(&mut server, true);
    second.expect_connected();
    second.expect_nothing();
}

/// The program has this message in its queue, and the connection is ended; then messages are acknowledged in another way.
fn changed(from: i64, to: i64, take: impl Fn(&Program)) -> (FakeServer, Program) {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::Acknowledge, from)]);
    let mut peer = program.connect_to(&mut server, false);
    program.expect_connected();
    peer.publish(b"one", Some(1), QoS::AtLeastOnce);
    program.expect_soon("a message", |client| client.statistics().events > 0);
    take(&program);
    program.disconnect_now(Duration::from_secs(2));
    program.set_int(IntOption::Acknowledge, to);
    (server, program)
}

#[test]
fn what_was_to_be_acknowledged_when_taken_still_is_when_others_are_acknowledged_on_arrival() {
    // MQTT-4.6.0-2: whatever comes later waits for its answer.
    let (mut server, program) = changed(WHEN_TAKEN, ON_ARRIVAL, |_| ());
    let mut peer = program.connect_to(&mut server, true);
    let again = peer.publication(b"one", Some(1), QoS::AtLeastOnce, true);
    peer.send_bytes(&again);
    peer.publish(b"two", Some(2), QoS::AtLeastOnce);
    program.expect_payload("one");
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 2);
}

#[test]
fn what_the_program_was_to_acknowledge_it_still_can() {
    for mode in [ON_ARRIVAL, WHEN_TAKEN] {
        let taken = std::cell::Cell::new(None);
        let (mut server, program) = changed(EXPLICITLY, mode, |program| taken.set(program.expect_message().1));
        let mut peer = program.connect_to(&mut server, true);
        let again = peer.publication(b"one", Some(1), QoS::AtLeastOnce, true);
        peer.send_bytes(&again);
        program.acknowledge(taken.get().expect("a token"), ReasonCode::SUCCESS).expect("an acknowledgement");
        assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    }
}
