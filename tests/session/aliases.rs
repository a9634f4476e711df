//! Topic Aliases, in both directions (section 3.3.2.3.4).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use std::collections::HashMap;

/// A Server that takes so many aliases.
fn taking(aliases: u32) -> Trace {
    Trace::connected_to(options(), &[(PropertyId::TopicAliasMaximum, Value::Int(aliases))])
}

impl Trace {
    fn publish_to(&mut self, topic: &str, qos: QoS) {
        let message = Message::new(TopicName::new(topic).unwrap(), b"x", qos, false, Properties::EMPTY);
        self.publish_message(1, message);
    }

    /// Topic Name and Topic Alias of the next PUBLISH.
    #[track_caller]
    fn sends_topic(&mut self) -> (String, Option<u32>) {
        self.takes_packet(|packet| match packet {
            Packet::Publish(publish) => {
                let topic = publish.topic.map_or("", TopicName::as_str).to_owned();
                (topic, publish.properties.int(PropertyId::TopicAlias))
            }
            other => panic!("{other:?} instead of PUBLISH"),
        })
    }

    /// The Server publishes with an alias; no topic stands for the one of before.
    fn receives_aliased(&mut self, topic: Option<&str>, alias: u32, payload: &str) {
        let properties = set(&[(PropertyId::TopicAlias, Value::Int(alias))]);
        self.receives(Packet::Publish(Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic: topic.map(|topic| TopicName::new(topic).unwrap()),
            packet_id: None,
            properties: properties.as_properties(),
            payload: payload.as_bytes(),
        }));
    }

    #[track_caller]
    fn tells_topic(&mut self) -> String {
        match self.tells() {
            Event::Message { message, .. } => message.topic().as_str().to_owned(),
            other => panic!("{other:?} instead of a message"),
        }
    }
}

fn allowing(topic_alias_maximum: u16) -> SessionOptions {
    SessionOptions { topic_alias_maximum, ..options() }
}

fn known(alias: u32) -> (String, Option<u32>) {
    (String::new(), Some(alias))
}

fn new(topic: &str, alias: u32) -> (String, Option<u32>) {
    (topic.to_owned(), Some(alias))
}

#[test]
fn a_topic_is_named_once_and_then_by_its_alias() {
    // MQTT-3.3.2-8: aliases begin with 1.
    let mut trace = taking(10);
    for topic in ["prices/EURUSD", "prices/GBPUSD", "prices/EURUSD", "prices/GBPUSD"] {
        trace.publish_to(topic, QoS::AtMostOnce);
    }
    assert_eq!(trace.sends_topic(), new("prices/EURUSD", 1));
    assert_eq!(trace.sends_topic(), new("prices/GBPUSD", 2));
    assert_eq!(trace.sends_topic(), known(1));
    assert_eq!(trace.sends_topic(), known(2));
}

#[test]
fn the_least_recently_used_topic_gives_its_alias_up() {
    // MQTT-3.2.2-17, MQTT-3.3.2-9: never one above the Server's maximum.
    let mut trace = taking(2);
    for topic in ["prices/A", "prices/B", "prices/A", "prices/C", "prices/A", "prices/B"] {
        trace.publish_to(topic, QoS::AtMostOnce);
    }
    let sent: Vec<_> = (0..6).map(|_| trace.sends_topic()).collect();
    let expected = [new("prices/A", 1), new("prices/B", 2), known(1), new("prices/C", 2), known(1), new("prices/B", 2)];
    assert_eq!(sent, expected);
}

#[test]
fn each_alias_is_used_and_stands_for_the_topic_that_the_server_was_told() {
    // MQTT-3.3.2-7, MQTT-3.3.2-12
    let mut trace = taking(3);
    let mut told = HashMap::new();
    for round in 0..500u32 {
        // One topic comes all the time, others now and then.
        let topic = if round % 2 == 0 { "prices/0".to_owned() } else { format!("prices/{}", round * round % 7) };
        trace.publish_to(&topic, QoS::AtMostOnce);
        let (name, alias) = trace.sends_topic();
        let alias = alias.expect("an alias");
        if !name.is_empty() {
            told.insert(alias, name);
        }
        assert_eq!(told[&alias], topic);
        assert!(round < 20 || told.len() == 3);
    }
}

#[test]
fn without_a_maximum_of_the_server_there_is_no_alias() {
    // MQTT-3.2.2-18
    for mut trace in [taking(0), Trace::connected(options())] {
        for _ in 0..2 {
            trace.publish_to("prices/EURUSD", QoS::AtMostOnce);
            assert_eq!(trace.sends_topic(), ("prices/EURUSD".to_owned(), None));
        }
    }
}

#[test]
fn our_own_limit_holds_below_the_servers_and_0_switches_aliases_off() {
    // MQTT-3.2.2-17
    for (limit, second) in [(0, None), (1, Some(1))] {
        let options = SessionOptions { outgoing_topic_alias_maximum: limit, ..options() };
        let mut trace = Trace::connected_to(options, &[(PropertyId::TopicAliasMaximum, Value::Int(9))]);
        trace.publish_to("prices/A", QoS::AtMostOnce);
        trace.publish_to("prices/B", QoS::AtMostOnce);
        trace.sends_topic();
        assert_eq!(trace.sends_topic(), ("prices/B".to_owned(), second));
    }
}

#[test]
fn a_topic_that_is_no_longer_than_its_alias_is_sent_as_it_is() {
    let mut trace = taking(9);
    for _ in 0..2 {
        trace.publish_to("t/1", QoS::AtMostOnce);
        assert_eq!(trace.sends_topic(), ("t/1".to_owned(), None));
    }
}

#[test]
fn a_new_connection_knows_no_aliases() {
    // MQTT-3.3.2-7: what is sent again carries the full Topic Name, also if this Server takes no aliases at all.
    let mut trace = taking(9);
    trace.publish_to("prices/EURUSD", QoS::AtLeastOnce);
    trace.publish_to("prices/EURUSD", QoS::AtLeastOnce);
    assert_eq!(trace.sends_topic(), new("prices/EURUSD", 1));
    assert_eq!(trace.sends_topic(), known(1));
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::TopicAliasMaximum, Value::Int(9))]);
    assert_eq!(trace.sends_topic(), new("prices/EURUSD", 1));
    assert_eq!(trace.sends_topic(), known(1));
    trace.reconnects(true);
    for _ in 0..2 {
        assert_eq!(trace.sends_topic(), ("prices/EURUSD".to_owned(), None));
    }
}

#[test]
fn an_alias_that_would_make_the_packet_too_large_is_left_out() {
    // MQTT-3.2.2-15: PUBLISH to an eight-byte topic with one byte of payload has 14 bytes.
    let announced = [(PropertyId::TopicAliasMaximum, Value::Int(9)), (PropertyId::MaximumPacketSize, Value::Int(14))];
    let mut trace = Trace::connected_to(options(), &announced);
    for _ in 0..2 {
        trace.publish_to("prices/A", QoS::AtMostOnce);
        assert_eq!(trace.sends_topic(), ("prices/A".to_owned(), None));
    }
    trace.tells_nothing();
}

#[test]
fn the_properties_of_a_message_stay_beside_its_alias() {
    let mut trace = taking(9);
    let properties = set(&[
        (PropertyId::UserProperty, Value::Pair("a", "1")),
        (PropertyId::MessageExpiryInterval, Value::Int(7)),
        (PropertyId::UserProperty, Value::Pair("a", "2")),
    ]);
    let topic = TopicName::new("prices/A").unwrap();
    for _ in 0..2 {
        trace.publish_message(1, Message::new(topic, b"x", QoS::AtMostOnce, false, properties.as_properties()));
        trace.takes_packet(|packet| {
            let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
            let mut sent: PropertiesBuf = publish.properties.into();
            sent.remove(PropertyId::TopicAlias);
            assert_eq!(sent, properties);
        });
    }
}

#[test]
fn our_topic_alias_maximum_is_announced() {
    // 5-3.1.2.11.5-a
    for (maximum, announced) in [(0, None), (5, Some(5))] {
        let mut trace = Trace::new(allowing(maximum));
        trace.opens();
        trace.sends_connect(|connect| {
            assert_eq!(connect.properties.int(PropertyId::TopicAliasMaximum), announced);
        });
    }
}

#[test]
fn every_alias_up_to_our_maximum_is_understood() {
    // MQTT-3.3.2-10, MQTT-3.1.2-26
    let mut trace = Trace::connected(allowing(2));
    trace.receives_aliased(Some("a"), 1, "x");
    trace.receives_aliased(Some("b"), 2, "x");
    trace.receives_aliased(None, 1, "x");
    trace.receives_aliased(None, 2, "x");
    // A topic beside a known alias changes what it stands for.
    trace.receives_aliased(Some("c"), 1, "x");
    trace.receives_aliased(None, 1, "x");
    let topics: Vec<_> = (0..6).map(|_| trace.tells_topic()).collect();
    assert_eq!(topics, ["a", "b", "a", "b", "c", "c"]);
    trace.stays_connected();
}

#[test]
fn an_alias_outside_of_our_maximum_ends_the_connection() {
    // MQTT-3.1.2-26, MQTT-3.1.2-27, MQTT-3.3.2-11, 5-3.3.2.3.4-a
    for (maximum, alias) in [(0, 1), (2, 3)] {
        let mut trace = Trace::connected(allowing(maximum));
        trace.receives_aliased(None, alias, "x");
        trace.breaks_off(ReasonCode::TOPIC_ALIAS_INVALID);
        let mut trace = Trace::connected(SessionOptions { strict: true, ..allowing(maximum) });
        trace.receives_aliased(Some("a"), alias, "x");
        trace.breaks_off(ReasonCode::TOPIC_ALIAS_INVALID);
    }
    // MQTT-3.3.2-8: an alias of 0.
    let mut trace = Trace::connected(allowing(2));
    trace.receives_bytes(&[0x30, 8, 0, 1, b'a', 3, 0x23, 0, 0, b'x']);
    trace.breaks_off(ReasonCode::TOPIC_ALIAS_INVALID);
}

#[test]
fn an_alias_that_stands_for_nothing_is_a_protocol_error() {
    // 5-3.3.4-a; section 3.3.4: 0x82, not 0x94.
    let mut trace = Trace::connected(allowing(2));
    trace.receives_aliased(None, 1, "x");
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn the_servers_aliases_end_with_their_connection_too() {
    // MQTT-3.3.2-7
    let mut trace = Trace::connected(allowing(2));
    trace.receives_aliased(Some("a"), 1, "x");
    assert_eq!(trace.tells_topic(), "a");
    trace.reconnects(true);
    trace.receives_aliased(None, 1, "x");
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}
