//! Topic Aliases between a program and a Server.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};

fn taking_aliases(server: &mut FakeServer, session_present: bool) -> Peer {
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(session_present, |set| set.set(PropertyId::TopicAliasMaximum, Value::Int(10)).unwrap());
    peer
}

#[track_caller]
fn expect_topic(peer: &mut Peer, name: &str, alias: Option<u32>) {
    match peer.expect(PacketType::Publish).packet() {
        Packet::Publish(publish) => {
            assert_eq!(publish.topic.map_or("", TopicName::as_str), name);
            assert_eq!(publish.properties.int(PropertyId::TopicAlias), alias);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_sent_again_on_another_connection_carries_its_topic() {
    // MQTT-3.3.2-7
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = taking_aliases(&mut server, false);
    program.expect_connected();
    let topic = TopicName::new("prices/EURUSD").unwrap();
    for _ in 0..2 {
        program.publish(topic, b"1.1", QoS::AtLeastOnce, false, PropertiesBuf::new().as_properties()).unwrap();
    }
    expect_topic(&mut peer, "prices/EURUSD", Some(1));
    expect_topic(&mut peer, "", Some(1));
    peer.close();
    let mut peer = taking_aliases(&mut server, true);
    expect_topic(&mut peer, "prices/EURUSD", Some(1));
    expect_topic(&mut peer, "", Some(1));
}

#[test]
fn a_message_with_an_alias_reaches_the_program_under_its_topic() {
    // MQTT-3.3.2-10
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::TopicAliasMaximum, 5)]);
    let mut peer = server.accept();
    match peer.expect(PacketType::Connect).packet() {
        Packet::Connect(connect) => assert_eq!(connect.properties.int(PropertyId::TopicAliasMaximum), Some(5)),
        other => panic!("{other:?}"),
    }
    peer.connack(false);
    program.expect_connected();
    peer.send_bytes(&[0x30, 8, 0, 1, b'a', 3, 0x23, 0, 5, b'1']);
    peer.send_bytes(&[0x30, 7, 0, 0, 3, 0x23, 0, 5, b'2']);
    for payload in [b"1", b"2"] {
        let (message, _) = program.expect_message();
        assert_eq!((message.topic().as_str(), message.payload()), ("a", &payload[..]));
    }
}

#[test]
fn a_program_can_set_neither_an_alias_nor_a_subscription_identifier() {
    // MQTT-3.2.2-17, MQTT-3.3.2-9, MQTT-3.3.4-6
    let program = Program::new("mqtt://127.0.0.1", &[]);
    for id in [PropertyId::TopicAlias, PropertyId::SubscriptionIdentifier] {
        let mut properties = PropertiesBuf::new();
        properties.set(id, Value::Int(1)).unwrap();
        let topic = TopicName::new("t").unwrap();
        let refused = program.publish(topic, b"x", QoS::AtMostOnce, false, properties.as_properties());
        assert_eq!(refused.unwrap_err().status, Status::InvalidArgument);
    }
}
