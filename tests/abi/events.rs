//! Poll, wait, the current event, acknowledgements: what a host may rely on, call by call.

use crate::common::abi::{Event, abi};
use crate::host::{Client, Properties, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::{PacketType, QoS};
use std::ptr::null_mut;
use std::time::Duration;

#[test]
fn there_is_no_current_event_before_the_first_poll_and_the_last_one_stays() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let fresh = Client::new();
    for _ in 0..2 {
        let (handle, status) = (fresh.handle, MT5MQTT_E_NO_EVENT);
        refused(abi().event_topic(handle, null_mut(), 0), status, &["poll"]);
        refused(abi().event_payload(handle, null_mut(), 0), status, &["poll"]);
        refused(abi().event_text(handle, null_mut(), 0), status, &["poll"]);
        refused(abi().event_property_count(handle, MT5MQTT_PROP_USER_PROPERTY), status, &["poll"]);
        refused(abi().event_property_int(handle, MT5MQTT_PROP_TOPIC_ALIAS, 0), status, &["poll"]);
        // An empty poll makes none either.
        assert!(fresh.poll().is_none());
    }
    peer.publish(b"stays", None, QoS::AtMostOnce);
    client.expect(MT5MQTT_EVENT_MESSAGE);
    assert!(client.poll().is_none());
    assert_eq!(client.payload(), b"stays");
}

#[test]
fn events_come_in_order_with_what_the_struct_promises() {
    let mut server = crate::common::fake_server::FakeServer::start();
    let before = abi().time_unix_us();
    let client = Client::connecting(&server.url(), &[]);
    let mut peer = server.accept_mqtt();
    let connected = client.expect(MT5MQTT_EVENT_CONNECTED);
    assert_eq!((connected.reason_code, connected.session_present, connected.status), (0, 0, 0));
    assert_eq!(client.event_text(), "assigned");

    let token = abi().good(abi().subscribe(client.handle, c"t/#".as_ptr(), 2, 0));
    peer.grant();
    let subscribed = client.expect(MT5MQTT_EVENT_SUBSCRIBED);
    assert_eq!((subscribed.token, subscribed.status, subscribed.reason_code, subscribed.topic_size), (token, 0, 0, 3));

    for (qos, id) in [(QoS::AtMostOnce, None), (QoS::AtLeastOnce, Some(7)), (QoS::ExactlyOnce, Some(9))] {
        peer.publish(b"payload", id, qos);
        let message = client.expect(MT5MQTT_EVENT_MESSAGE);
        assert_eq!((message.qos, message.packet_id), (qos as i32, id.unwrap_or(0).into()));
        assert_eq!((message.retain, message.dup, message.reason_code, message.payload_size), (0, 0, -1, 7));
        assert_eq!(message.token != 0, qos != QoS::AtMostOnce, "it can be acknowledged");
    }

    let token = client.publish(b"x", 1);
    peer.expect(PacketType::Puback);
    peer.expect(PacketType::Pubrec);
    let id = peer.expect(PacketType::Publish).id();
    let reason = ReasonCode::NOT_AUTHORIZED;
    peer.send(&Packet::Puback(mt5mqtt::codec::ack::Ack::new(id, reason)));
    let published = client.expect(MT5MQTT_EVENT_PUBLISHED);
    assert_eq!((published.token, published.status), (token, MT5MQTT_E_REFUSED_BY_SERVER));
    assert_eq!(published.reason_code, i32::from(reason.0));

    peer.disconnect(ReasonCode::SERVER_SHUTTING_DOWN);
    let ended = client.expect(MT5MQTT_EVENT_DISCONNECTED);
    assert_eq!((ended.status, ended.reason_code), (MT5MQTT_E_SERVER_DISCONNECTED, 0x8B));
    assert!(ended.text_size > 0 && ended.time_us >= connected.time_us && connected.time_us >= before);
}

#[test]
fn wait_tells_of_an_event_and_leaves_it_to_poll() {
    let (_server, client, mut peer) = Client::connected(&[]);
    peer.publish(b"one", None, QoS::AtMostOnce);
    for timeout in [250, 0, 0, i32::MAX] {
        assert_eq!(abi().wait(client.handle, timeout), 1);
    }
    client.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!(abi().wait(client.handle, 0), 0);
}

#[test]
fn tokens_are_unique_and_grow() {
    let client = Client::new();
    let mut last = 0;
    for _ in 0..50 {
        for token in [
            client.publish(b"", 0),
            client.publish(b"", 2),
            abi().subscribe(client.handle, c"t".as_ptr(), 0, 0),
            abi().unsubscribe(client.handle, c"t".as_ptr(), 0),
        ] {
            assert!(token > last, "{token} after {last}");
            last = token;
        }
    }
}

#[test]
fn a_message_is_acknowledged_when_it_is_taken_and_not_before() {
    let (_server, client, mut peer) = Client::connected(&[]);
    peer.publish(b"one", Some(1), QoS::AtLeastOnce);
    while abi().wait(client.handle, 250) == 0 {}
    assert!(peer.read_within(Duration::from_millis(50), "nothing").is_none());
    let event = client.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    let result = abi().acknowledge(client.handle, event.token, 0);
    refused(result, MT5MQTT_E_WRONG_STATE, &["ACKNOWLEDGE"]);
}

#[test]
fn explicit_acknowledgements_go_out_in_order_once_and_with_their_reason() {
    let (_server, client, mut peer) = Client::connected(&[(MT5MQTT_OPT_ACKNOWLEDGE, 2)]);
    for id in 1..=3 {
        peer.publish(b"", Some(id), QoS::AtLeastOnce);
    }
    let tokens = [(); 3].map(|()| client.expect(MT5MQTT_EVENT_MESSAGE).token);
    let handle = client.handle;
    // Out of order: the first one holds the others back [MQTT-4.6.0-2].
    assert_eq!(abi().acknowledge(handle, tokens[2], 0), 0);
    assert_eq!(abi().acknowledge(handle, tokens[1], 0x87), 0);
    assert!(peer.read_within(Duration::from_millis(50), "nothing").is_none());
    assert_eq!(abi().acknowledge(handle, tokens[0], 0), 0);
    for (id, reason) in [(1, 0), (2, 0x87), (3, 0)] {
        match peer.expect(PacketType::Puback).packet() {
            Packet::Puback(ack) => assert_eq!((ack.packet_id.get(), ack.reason.0), (id, reason)),
            other => panic!("{other:?}"),
        }
    }
    for token in [tokens[0], tokens[2], 0, -1, i64::MAX] {
        refused(abi().acknowledge(handle, token, 0), MT5MQTT_E_UNKNOWN_TOKEN, &[&token.to_string()]);
    }
    // A Reason Code that PUBACK can't carry.
    refused(abi().acknowledge(handle, tokens[0], 0x8B), MT5MQTT_E_OUT_OF_RANGE, &["PUBACK"]);
}

#[test]
fn an_acknowledgement_tells_the_server_why() {
    // MQTT-3.4.2-2, MQTT-3.4.2-3
    let (_server, client, mut peer) = Client::connected(&[(MT5MQTT_OPT_ACKNOWLEDGE, 2)]);
    let properties = Properties::new();
    abi().good(abi().properties_set_text(properties.handle, MT5MQTT_PROP_REASON_STRING, c"market closed".as_ptr()));
    abi().good(abi().properties_add_user(properties.handle, c"symbol".as_ptr(), c"EURUSD".as_ptr()));
    peer.publish(b"", Some(1), QoS::AtLeastOnce);
    let token = client.expect(MT5MQTT_EVENT_MESSAGE).token;
    let wrong = Properties::new();
    abi().good(abi().properties_set_int(wrong.handle, MT5MQTT_PROP_TOPIC_ALIAS, 1));
    let result = abi().acknowledge_with(client.handle, token, 0x83, wrong.handle);
    refused(result, MT5MQTT_E_INVALID_ARGUMENT, &["Topic Alias"]);
    assert_eq!(abi().acknowledge_with(client.handle, token, 0x83, properties.handle), 0);
    match peer.expect(PacketType::Puback).packet() {
        Packet::Puback(ack) => {
            assert_eq!(ack.reason.0, 0x83);
            assert_eq!(ack.properties.text(PropertyId::ReasonString), Some("market closed"));
            assert_eq!(ack.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair("symbol", "EURUSD")));
        }
        other => panic!("{other:?}"),
    }
    peer.publish(b"", Some(2), QoS::AtLeastOnce);
    let token = client.expect(MT5MQTT_EVENT_MESSAGE).token;
    assert_eq!(abi().acknowledge_with(client.handle, token, 0, 0), 0);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 2);
}

#[test]
fn dropped_events_are_counted_in_the_next_one() {
    let (_server, client, mut peer) = Client::connected(&[(MT5MQTT_OPT_EVENTS_MAXIMUM, 2)]);
    for payload in [&b"1"[..], b"2", b"3", b"4", b"5"] {
        peer.publish(payload, None, QoS::AtMostOnce);
    }
    // The last one is there when all five have been counted.
    let deadline = std::time::Instant::now() + crate::host::DEADLINE;
    while abi().stat(client.handle, MT5MQTT_STAT_EVENTS_DROPPED) < 3 {
        assert!(std::time::Instant::now() < deadline, "three events were not dropped");
        abi().wait(client.handle, 1);
        std::thread::yield_now();
    }
    let first = client.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!((first.dropped, client.payload()), (3, b"4".to_vec()));
    assert_eq!(client.expect(MT5MQTT_EVENT_MESSAGE).dropped, 0);
}

#[test]
fn figures_that_are_not_known_say_so() {
    let (_server, client, _peer) = Client::connected(&[]);
    let fresh = Client::new();
    for (name, stat) in crate::host::constants("MT5MQTT_STAT_") {
        let (online, idle) = (abi().stat(client.handle, stat), abi().stat(fresh.handle, stat));
        assert!(online >= 0 || online == MT5MQTT_E_NOT_PRESENT.into(), "{name}: {online}");
        // What belongs to the connection isn't there without one.
        if (name.starts_with("SERVER_") && name != "SERVER_INDEX") || name == "PROTOCOL_VERSION" {
            assert_eq!(idle, MT5MQTT_E_NOT_CONNECTED.into(), "{name}");
        } else {
            assert!(idle == 0 || idle == MT5MQTT_E_NOT_PRESENT.into(), "{name}: {idle}");
        }
    }
    assert_eq!(abi().stat(client.handle, MT5MQTT_STAT_CONNECTIONS), 1);
    let mut event = Event::empty();
    assert_eq!(abi().poll(fresh.handle, &mut event), 0);
}
