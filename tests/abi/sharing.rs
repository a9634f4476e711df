//! Handles on a shared connection. What it does with messages is proven in client_sharing; here stands what the ABI adds.

use crate::common::abi::{Event, abi, utf8, utf16};
use crate::common::fake_server::{FakeServer, Peer};
use crate::host::{Client, Properties, refused};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};

/// A part of the connection of this name: tests share a process.
fn part(connection: &str, inbox: &str, url: &str) -> Client {
    let handle = abi().good(abi().create_shared(utf8(connection).as_ptr(), utf8(inbox).as_ptr()));
    let client = Client { handle };
    client.set_text(MT5MQTT_OPT_URL, url);
    client
}

fn pair(name: &str, options: &[(i32, i64)]) -> (FakeServer, Peer, Client, Client) {
    let mut server = FakeServer::start();
    let [first, second] = ["first", "second"].map(|inbox| part(name, inbox, &server.url()));
    assert_ne!(first.handle, second.handle);
    for client in [&first, &second] {
        options.iter().for_each(|(option, value)| client.set_int(*option, *value));
        assert_eq!(client.state(), MT5MQTT_STATE_IDLE);
        abi().good(abi().connect(client.handle));
    }
    let peer = server.accept_mqtt();
    for client in [&first, &second] {
        client.expect(MT5MQTT_EVENT_CONNECTED);
        assert_eq!(client.state(), MT5MQTT_STATE_CONNECTED);
    }
    (server, peer, first, second)
}

/// Subscribes; returns the Subscription Identifier that the Server was asked with.
#[track_caller]
fn subscribe(client: &Client, peer: &mut Peer, filter: &str, qos: i32) -> u32 {
    let token = abi().good(abi().subscribe(client.handle, utf8(filter).as_ptr(), qos, 0));
    let received = peer.grant();
    let Packet::Subscribe(packet) = received.packet() else { panic!("no SUBSCRIBE") };
    assert_eq!(client.expect(MT5MQTT_EVENT_SUBSCRIBED).token, token);
    packet.properties.int(PropertyId::SubscriptionIdentifier).expect("an identifier")
}

fn send(peer: &mut Peer, topic: &str, payload: &str, id: u16, identifiers: &[u32]) {
    let mut properties = PropertiesBuf::new();
    for identifier in identifiers {
        properties.add(PropertyId::SubscriptionIdentifier, Value::Int(*identifier)).expect("an identifier");
    }
    let topic = TopicName::new(topic).expect("a Topic Name");
    let message = Message::new(topic, payload.as_bytes(), QoS::AtLeastOnce, false, properties.as_properties());
    peer.send(&Packet::Publish(message.publish(PacketId::new(id), false)));
}

#[test]
fn each_handle_has_its_own_events_payloads_and_batches() {
    let (_server, mut peer, first, second) = pair("abi-handles", &[]);
    let of_first = subscribe(&first, &mut peer, "a/#", 1);
    let of_second = subscribe(&second, &mut peer, "a/+", 1);
    send(&mut peer, "a/b", "both", 1, &[of_first, of_second]);
    first.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!(first.payload(), b"both");
    send(&mut peer, "a/b/c", "the first's", 2, &[of_first]);
    first.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!(first.payload(), b"the first's");
    // The second takes its own in a batch; its current event is another one.
    let mut room = vec![0_u8; 4096];
    assert_eq!(abi().poll_batch(second.handle, room.as_mut_ptr(), 4096, 10), 1);
    assert_eq!((second.payload(), first.payload()), (b"both".to_vec(), b"the first's".to_vec()));
    for id in [1, 2] {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    // A batch of one handle, and its ends.
    let token = second.publish(b"x", 1);
    let id = peer.expect_publish("x").id();
    peer.puback(id);
    assert_eq!(second.expect(MT5MQTT_EVENT_PUBLISHED).token, token);
    assert!(first.poll().is_none());
    assert_eq!(abi().stat(first.handle, MT5MQTT_STAT_SHARED_PROGRAMS), 2);
    assert_eq!(abi().stat(Client::new().handle, MT5MQTT_STAT_SHARED_PROGRAMS), 0);
}

#[test]
fn messages_are_acknowledged_by_every_handle_that_got_them() {
    let (_server, mut peer, first, second) = pair("abi-acknowledge", &[(MT5MQTT_OPT_ACKNOWLEDGE, 2)]);
    let identifiers = [subscribe(&first, &mut peer, "a/#", 1), subscribe(&second, &mut peer, "a/+", 1)];
    send(&mut peer, "a/b", "x", 1, &identifiers);
    let tokens = [&first, &second].map(|client| client.expect(MT5MQTT_EVENT_MESSAGE).token);
    abi().good(abi().acknowledge(second.handle, tokens[1], 0));
    second.publish(b"behind", 0);
    peer.expect_publish("behind");
    abi().good(abi().acknowledge(first.handle, tokens[0], 0));
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    refused(abi().acknowledge(first.handle, tokens[0], 0), MT5MQTT_E_UNKNOWN_TOKEN, &[]);
}

#[test]
fn messages_that_were_missed_are_told_with_their_number() {
    let options = [(MT5MQTT_OPT_EVENTS_MAXIMUM, 3), (MT5MQTT_OPT_SHARED_RELEASE_S, 1)];
    let (_server, mut peer, first, second) = pair("abi-missed", &options);
    let of_first = subscribe(&first, &mut peer, "first", 1);
    let of_second = subscribe(&second, &mut peer, "second", 1);
    for id in 1..=5 {
        send(&mut peer, "first", "x", id, &[of_first]);
    }
    send(&mut peer, "second", "behind", 6, &[of_second]);
    second.expect(MT5MQTT_EVENT_MESSAGE);
    for id in 1..=6 {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    let event = first.expect(MT5MQTT_EVENT_MISSED);
    assert_eq!((event.token, event.status), (5, MT5MQTT_E_SHARED_MISSED));
    assert!(first.event_text().contains("missed"));
    send(&mut peer, "first", "new", 7, &[of_first]);
    first.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!(first.payload(), b"new");
}

#[test]
fn a_handle_that_was_taken_over_knows_and_one_that_differs_is_refused() {
    let (server, _peer, first, second) = pair("abi-places", &[]);
    let other = part("abi-places", "third", &server.url());
    other.set_int(MT5MQTT_OPT_KEEP_ALIVE_S, 31);
    refused(abi().connect(other.handle), MT5MQTT_E_SHARED_DIFFERS, &["KEEP_ALIVE_S", "abi-places"]);
    let successor = part("abi-places", "first", &server.url());
    abi().good(abi().connect(successor.handle));
    assert_eq!(successor.expect(MT5MQTT_EVENT_CONNECTED).session_present, 1);
    assert_eq!(first.expect(MT5MQTT_EVENT_DISCONNECTED).status, MT5MQTT_E_SHARED_TAKEN_OVER);
    assert_eq!((first.state(), second.state()), (MT5MQTT_STATE_IDLE, MT5MQTT_STATE_CONNECTED));
    // Its own and the connection's options.
    second.set_int(MT5MQTT_OPT_WAIT_MAXIMUM_MS, 10);
    refused(abi().set_int(second.handle, MT5MQTT_OPT_LOG_LEVEL, 5), MT5MQTT_E_WRONG_STATE, &["LOG_LEVEL"]);
    let set = Properties::new().int(MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER, 7);
    let refusal = abi().subscribe(second.handle, c"a".as_ptr(), 0, set.handle);
    refused(refusal, MT5MQTT_E_INVALID_ARGUMENT, &["Subscription Identifiers"]);
}

#[test]
fn a_fault_in_one_handle_is_its_own_and_one_of_the_connection_everybody_s() {
    let (server, mut peer, first, second) = pair("abi-panics", &[]);
    refused(abi().test_panic(first.handle, 0), MT5MQTT_E_PANIC, &["test hook"]);
    first.expect(MT5MQTT_EVENT_FAILED);
    second.publish(b"goes on", 0);
    peer.expect_publish("goes on");
    drop(first);
    second.publish(b"goes on still", 0);
    peer.expect_publish("goes on still");
    let third = part("abi-panics", "third", &server.url());
    abi().good(abi().connect(third.handle));
    third.expect(MT5MQTT_EVENT_CONNECTED);
    abi().good(abi().test_panic(third.handle, 1));
    for client in [&second, &third] {
        client.expect(MT5MQTT_EVENT_FAILED);
        assert_eq!(client.state(), MT5MQTT_STATE_FAILED);
    }
}

#[test]
fn the_last_handle_ends_the_connection_and_the_name_is_free() {
    let (mut server, mut peer, first, second) = pair("abi-last", &[]);
    let handle = first.handle;
    drop(first);
    refused(abi().poll(handle, &mut Event::empty()), MT5MQTT_E_INVALID_HANDLE, &[]);
    second.publish(b"still here", 0);
    peer.expect_publish("still here");
    assert_eq!(abi().disconnect(second.handle, 0, 0, 2000), MT5MQTT_OK);
    peer.expect(PacketType::Disconnect);
    assert_eq!(second.expect(MT5MQTT_EVENT_DISCONNECTED).status, MT5MQTT_OK);
    drop(second);
    let next = part("abi-last", "first", &server.url());
    next.set_int(MT5MQTT_OPT_KEEP_ALIVE_S, 77);
    abi().good(abi().connect(next.handle));
    server.accept_mqtt();
    next.expect(MT5MQTT_EVENT_CONNECTED);
}

#[test]
fn names_are_checked_and_the_same_in_both_encodings() {
    refused(
        abi().create_shared(std::ptr::null(), std::ptr::null()),
        MT5MQTT_E_INVALID_ARGUMENT,
        &["connection", "NULL"],
    );
    refused(abi().create_shared_w(std::ptr::null(), std::ptr::null()), MT5MQTT_E_INVALID_ARGUMENT, &["NULL"]);
    refused(abi().create_shared(c"".as_ptr(), std::ptr::null()), MT5MQTT_E_INVALID_ARGUMENT, &["1 to 255 bytes"]);
    let long = utf8(&"x".repeat(256));
    refused(abi().create_shared(c"x".as_ptr(), long.as_ptr()), MT5MQTT_E_INVALID_ARGUMENT, &["inbox", "256"]);
    refused(abi().create_shared(c"\xFF".as_ptr(), std::ptr::null()), MT5MQTT_E_INVALID_TEXT, &["connection"]);
    refused(abi().create_shared_w([0xD800, 0].as_ptr(), std::ptr::null()), MT5MQTT_E_INVALID_TEXT, &["connection"]);
    let mut server = FakeServer::start();
    let first = part("Имя", "", &server.url());
    let second = Client { handle: abi().good(abi().create_shared_w(utf16("Имя").as_ptr(), std::ptr::null())) };
    second.set_text(MT5MQTT_OPT_URL, &server.url());
    for client in [&first, &second] {
        abi().good(abi().connect(client.handle));
    }
    let _peer = server.accept_mqtt();
    for client in [&first, &second] {
        client.expect(MT5MQTT_EVENT_CONNECTED);
        assert_eq!(abi().stat(client.handle, MT5MQTT_STAT_SHARED_PROGRAMS), 2);
    }
}
