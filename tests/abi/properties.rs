//! Sets of properties: what they take, what leaves with a packet, and what is read of an event.

use crate::common::abi::{abi, text, utf8};
use crate::common::fake_server::FakeServer;
use crate::host::{Client, Properties, constants, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::ptr::{null, null_mut};
use std::thread;

/// The status of each setter for a property: integer, text, bytes.
fn setters(property: i32) -> [i32; 3] {
    let set = Properties::new();
    [
        abi().properties_set_int(set.handle, property, 1),
        abi().properties_set_text(set.handle, property, c"a".as_ptr()),
        abi().properties_set_bytes(set.handle, property, [1].as_ptr(), 1),
    ]
}

#[test]
fn connect_takes_user_properties_and_nothing_else() {
    let mut server = FakeServer::start();
    let client = Client::new();
    let set = Properties::new();
    abi().good(abi().properties_add_user(set.handle, c"terminal".as_ptr(), c"7".as_ptr()));
    abi().good(abi().set_connect_properties(client.handle, set.handle));
    abi().good(abi().properties_set_int(set.handle, MT5MQTT_PROP_RECEIVE_MAXIMUM, 5));
    let told = ["Receive Maximum", "options"];
    refused(abi().set_connect_properties(client.handle, set.handle), MT5MQTT_E_INVALID_ARGUMENT, &told);
    client.set_text(MT5MQTT_OPT_URL, &server.url());
    abi().good(abi().connect(client.handle));
    let received = server.accept().expect(PacketType::Connect);
    let Packet::Connect(connect) = received.packet() else { unreachable!() };
    assert_eq!(connect.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair("terminal", "7")));
    refused(abi().set_connect_properties(client.handle, 0), MT5MQTT_E_WRONG_STATE, &["User Properties"]);
}

#[test]
fn each_property_takes_a_value_of_its_type_only() {
    // MQTT 5.0 section 2.2.2.2
    let texts = [3, 8, 18, 21, 26, 28, 31];
    let bytes = [9, 22];
    for (name, property) in constants("MT5MQTT_PROP_") {
        let expected = match property {
            38 => [MT5MQTT_E_WRONG_TYPE; 3],
            _ if texts.contains(&property) => [MT5MQTT_E_WRONG_TYPE, 0, MT5MQTT_E_WRONG_TYPE],
            _ if bytes.contains(&property) => [MT5MQTT_E_WRONG_TYPE, MT5MQTT_E_WRONG_TYPE, 0],
            _ => [0, MT5MQTT_E_WRONG_TYPE, MT5MQTT_E_WRONG_TYPE],
        };
        assert_eq!(setters(property), expected, "{name}");
    }
    for unknown in [0, -1, 4, 43, 127, 256, i32::MIN, i32::MAX] {
        assert_eq!(setters(unknown), [MT5MQTT_E_INVALID_ARGUMENT; 3], "{unknown}");
        assert!(abi().error_text().contains(&unknown.to_string()));
    }
}

#[test]
fn integers_keep_to_the_range_that_the_standard_gives_them() {
    let set = Properties::new();
    for (property, low, high) in [
        (MT5MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 0, 1),
        (MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 0, u32::MAX.into()),
        (MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER, 1, 268_435_455),
        (MT5MQTT_PROP_RECEIVE_MAXIMUM, 1, 65_535),
        (MT5MQTT_PROP_TOPIC_ALIAS, 1, 65_535),
        (MT5MQTT_PROP_MAXIMUM_PACKET_SIZE, 1, u32::MAX.into()),
        (MT5MQTT_PROP_WILL_DELAY_INTERVAL, 0, u32::MAX.into()),
    ] {
        for value in [low, high] {
            assert_eq!(abi().properties_set_int(set.handle, property, value), 0, "{property} = {value}");
        }
        for value in [low - 1, high + 1, i64::MIN, i64::MAX] {
            refused(abi().properties_set_int(set.handle, property, value), MT5MQTT_E_OUT_OF_RANGE, &[]);
        }
    }
    let (property, long) = (MT5MQTT_PROP_CORRELATION_DATA, vec![7_u8; 65_536]);
    assert_eq!(abi().properties_set_bytes(set.handle, property, long.as_ptr(), 65_535), 0);
    refused(abi().properties_set_bytes(set.handle, property, long.as_ptr(), 65_536), MT5MQTT_E_TOO_LARGE, &[]);
    let long = utf8(&"x".repeat(65_536));
    let (property, set_handle) = (MT5MQTT_PROP_CONTENT_TYPE, set.handle);
    refused(abi().properties_set_text(set_handle, property, long.as_ptr()), MT5MQTT_E_TOO_LARGE, &["Content Type"]);
    for (name, value) in [(long.as_ptr(), c"x".as_ptr()), (c"x".as_ptr(), long.as_ptr())] {
        let added = abi().properties_add_user(set_handle, name, value);
        refused(added, MT5MQTT_E_TOO_LARGE, &["User Property"]);
    }
    // [MQTT-3.3.2-14]
    let wildcard = abi().properties_set_text(set.handle, MT5MQTT_PROP_RESPONSE_TOPIC, c"a/#".as_ptr());
    refused(wildcard, MT5MQTT_E_INVALID_TOPIC, &["Response Topic"]);
}

#[test]
fn a_property_that_a_packet_does_not_take_is_refused_where_it_would_be_used() {
    let client = Client::new();
    let (handle, topic, null) = (client.handle, c"t".as_ptr(), null());
    let with = |property| {
        let set = Properties::new();
        assert_eq!(abi().properties_set_int(set.handle, property, 1), 0);
        set
    };
    let status = MT5MQTT_E_INVALID_ARGUMENT;
    let delay = with(MT5MQTT_PROP_WILL_DELAY_INTERVAL);
    refused(abi().publish(handle, topic, null, 0, 0, 0, delay.handle), status, &["Will Delay Interval"]);
    refused(abi().subscribe(handle, topic, 0, delay.handle), status, &["Will Delay Interval"]);
    refused(abi().unsubscribe(handle, topic, delay.handle), status, &["Will Delay Interval"]);
    refused(abi().disconnect(handle, 0, delay.handle, 0), status, &["Will Delay Interval"]);
    assert_eq!(abi().set_will(handle, topic, null, 0, 0, 0, delay.handle), 0);
    let expiry = with(MT5MQTT_PROP_SESSION_EXPIRY_INTERVAL);
    refused(abi().set_will(handle, topic, null, 0, 0, 0, expiry.handle), status, &["Session Expiry Interval"]);
    assert_eq!(abi().disconnect(handle, 0, expiry.handle, 0), 0);
    assert_eq!(abi().stat(handle, MT5MQTT_STAT_OUTGOING), 0);
}

#[test]
fn a_set_goes_with_any_number_of_calls_and_can_be_changed_in_between() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let set = Properties::new();
    let publish = || abi().good(abi().publish(client.handle, c"t".as_ptr(), null(), 0, 0, 0, set.handle));
    let mut expect = |expected: &[(&str, &str)], content: Option<&str>| {
        let received = peer.expect(PacketType::Publish);
        let Packet::Publish(publish) = received.packet() else { unreachable!() };
        let pairs = publish.properties.iter().filter_map(|(_, value)| match value {
            Value::Pair(name, value) => Some((name, value)),
            _ => None,
        });
        assert_eq!(pairs.collect::<Vec<_>>(), expected);
        assert_eq!(publish.properties.text(PropertyId::ContentType), content);
    };
    let add = |name: &std::ffi::CStr, value: &std::ffi::CStr| {
        abi().good(abi().properties_add_user(set.handle, name.as_ptr(), value.as_ptr()))
    };
    // [MQTT-3.3.2-18]: their order is kept, doubles too.
    add(c"a", c"1");
    add(c"b", c"");
    add(c"a", c"1");
    publish();
    publish();
    expect(&[("a", "1"), ("b", ""), ("a", "1")], None);
    expect(&[("a", "1"), ("b", ""), ("a", "1")], None);
    for value in [c"old".as_ptr(), c"new".as_ptr()] {
        abi().good(abi().properties_set_text(set.handle, MT5MQTT_PROP_CONTENT_TYPE, value));
    }
    publish();
    expect(&[("a", "1"), ("b", ""), ("a", "1")], Some("new"));
    assert_eq!(abi().properties_clear(set.handle), 0);
    publish();
    expect(&[], None);
    // Freed after use: the packet had a copy.
    add(c"last", c"one");
    publish();
    drop(set);
    expect(&[("last", "one")], None);
}

#[test]
fn the_properties_of_an_event_are_read_by_id_and_index() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::MessageExpiryInterval, Value::Int(u32::MAX)).unwrap();
    properties.set(PropertyId::CorrelationData, Value::Binary(&[0, 1])).unwrap();
    for (name, value) in [("a", "1"), ("", ""), ("a", "2")] {
        properties.add(PropertyId::UserProperty, Value::Pair(name, value)).unwrap();
    }
    let topic = TopicName::new("t").unwrap();
    let message = Message::new(topic, b"", QoS::AtMostOnce, false, properties.as_properties());
    peer.send(&Packet::Publish(message.publish(None, false)));
    assert_eq!(client.expect(MT5MQTT_EVENT_MESSAGE).property_count, 5);
    let handle = client.handle;
    let count = |property| abi().event_property_count(handle, property);
    assert_eq!(count(MT5MQTT_PROP_USER_PROPERTY), 3);
    assert_eq!(count(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL), 1);
    assert_eq!(count(MT5MQTT_PROP_CONTENT_TYPE), 0);
    assert_eq!(count(999), MT5MQTT_E_INVALID_ARGUMENT);
    assert_eq!(abi().event_property_int(handle, MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 0), u32::MAX.into());
    let mut bytes = [0xEE_u8; 3];
    assert_eq!(abi().event_property_bytes(handle, MT5MQTT_PROP_CORRELATION_DATA, 0, bytes.as_mut_ptr(), 3), 2);
    assert_eq!(bytes, [0, 1, 0xEE]);
    let user = |index| {
        let name = text(|buffer, capacity| abi().event_user_name(handle, index, buffer, capacity));
        (name, text(|buffer, capacity| abi().event_user_value(handle, index, buffer, capacity)))
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!([user(0), user(1), user(2)], [pair("a", "1"), pair("", ""), pair("a", "2")]);

    let missing = MT5MQTT_E_NOT_PRESENT;
    refused(abi().event_user_name(handle, 3, null_mut(), 0), missing, &["User Property", "3"]);
    refused(abi().event_user_value(handle, i32::MAX, null_mut(), 0), missing, &["User Property"]);
    refused(abi().event_property_int(handle, MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 1), missing, &["Message Expiry"]);
    refused(abi().event_property_text(handle, MT5MQTT_PROP_CONTENT_TYPE, 0, null_mut(), 0), missing, &["Content Type"]);
    refused(abi().event_user_name(handle, -1, null_mut(), 0), MT5MQTT_E_INVALID_ARGUMENT, &["-1"]);
    let wrong = MT5MQTT_E_WRONG_TYPE;
    refused(
        abi().event_property_int(handle, MT5MQTT_PROP_CORRELATION_DATA, 0),
        wrong,
        &["Correlation Data", "integer"],
    );
    let expiry = MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL;
    refused(abi().event_property_text(handle, expiry, 0, null_mut(), 0), wrong, &["Message Expiry", "text"]);
    refused(abi().event_property_bytes(handle, MT5MQTT_PROP_USER_PROPERTY, 0, null_mut(), 0), wrong, &["bytes"]);
}

#[test]
fn several_threads_can_change_and_use_one_set() {
    let client = Client::new();
    let set = Properties::new();
    let (client, set) = (client.handle, set.handle);
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                for round in 0..200 {
                    // Far more seconds than this takes: what has expired would be dropped.
                    let value = 1000 + round * 4 + number;
                    abi().good(abi().properties_set_int(set, MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, value));
                    abi().good(abi().properties_add_user(set, c"name".as_ptr(), c"value".as_ptr()));
                    abi().good(abi().publish(client, c"t".as_ptr(), null(), 0, 1, 0, set));
                    if round % 16 == 0 {
                        abi().good(abi().properties_clear(set));
                    }
                }
            });
        }
    });
    assert_eq!(abi().stat(client, MT5MQTT_STAT_OUTGOING), 800);
}
