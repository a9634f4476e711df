//! Many messages in one call: what is accepted, in which order it leaves, what is refused and where, and what a batch of events
//! holds.

use crate::common::abi::{Event, abi};
use crate::common::fake_server::FakeServer;
use crate::common::folder::Folder;
use crate::host::{Client, DEADLINE, Properties, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::ptr::null_mut;
use std::time::Instant;

const HEADER_SIZE: usize = 32;
const EVENT_SIZE: usize = size_of::<Event>();
/// What the call has to leave as it was.
const UNTOUCHED: i32 = 77;

/// Adds a message as a host packs it.
fn pack(messages: &mut Vec<u8>, topic: &[u8], payload: &[u8], qos: i32, retain: i32) {
    messages.extend((HEADER_SIZE as i32).to_ne_bytes());
    messages.extend(UNTOUCHED.to_ne_bytes());
    messages.extend(i64::from(UNTOUCHED).to_ne_bytes());
    for field in [qos, retain, topic.len() as i32, payload.len() as i32] {
        messages.extend(field.to_ne_bytes());
    }
    messages.extend(topic);
    messages.extend(payload);
}

fn int(bytes: &[u8], at: usize) -> i32 {
    i32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Status and token of each message.
fn results(mut messages: &[u8]) -> Vec<(i32, i64)> {
    let mut results = Vec::new();
    while !messages.is_empty() {
        let token = i64::from_ne_bytes(messages[8..16].try_into().expect("eight bytes"));
        results.push((int(messages, 4), token));
        messages = &messages[HEADER_SIZE + int(messages, 24) as usize + int(messages, 28) as usize..];
    }
    results
}

fn publish(client: &Client, messages: &mut [u8], properties: i64) -> i32 {
    abi().publish_batch(client.handle, messages.as_mut_ptr(), messages.len() as i32, properties)
}

/// The events of one batch, each with topic, payload and text.
fn poll(client: &Client, capacity: usize, maximum: i32) -> Vec<(Event, String, Vec<u8>, String)> {
    let mut buffer = vec![0; capacity];
    let count = abi().good(abi().poll_batch(client.handle, buffer.as_mut_ptr(), capacity as i32, maximum));
    let mut rest = buffer.as_slice();
    let mut take = |size: i32| {
        let (part, others) = rest.split_at(size as usize);
        rest = others;
        part.to_vec()
    };
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (0..count)
        .map(|_| {
            let bytes = take(EVENT_SIZE as i32);
            // SAFETY: an event is plain numbers.
            let event: Event = unsafe { bytes.as_ptr().cast::<Event>().read_unaligned() };
            assert_eq!(event.struct_size as usize, EVENT_SIZE);
            (event, text(take(event.topic_size)), take(event.payload_size), text(take(event.text_size)))
        })
        .collect()
}

/// Batches until there are so many events.
#[track_caller]
fn poll_all(client: &Client, wanted: usize) -> Vec<(Event, String, Vec<u8>, String)> {
    let deadline = Instant::now() + DEADLINE;
    let mut events = Vec::new();
    while events.len() < wanted {
        assert!(Instant::now() < deadline, "{} of {wanted} events before the deadline", events.len());
        abi().good(abi().wait(client.handle, 250));
        events.extend(poll(client, 4096, 100));
    }
    events
}

#[test]
fn a_batch_leaves_in_its_order_and_each_message_has_its_token() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let mut messages = Vec::new();
    let payloads: Vec<Vec<u8>> = (0..300).map(|size| vec![b'x'; size]).collect();
    for (number, payload) in payloads.iter().enumerate() {
        pack(&mut messages, format!("ticks/цена/{number}").as_bytes(), payload, number as i32 % 3, 0);
    }
    assert_eq!(publish(&client, &mut messages, 0), 300, "{}", abi().error_text());
    let results = results(&messages);
    assert!(results.iter().all(|(status, token)| *status == 0 && *token > 0));
    assert!(results.is_sorted_by_key(|(_, token)| *token));
    for (number, payload) in payloads.iter().enumerate() {
        let received = peer.expect(PacketType::Publish);
        let Packet::Publish(publish) = received.packet() else { unreachable!() };
        assert_eq!(publish.topic.map(|topic| topic.as_str().to_owned()), Some(format!("ticks/цена/{number}")));
        assert_eq!((publish.payload, publish.qos as usize), (payload.as_slice(), number % 3));
        if publish.qos == QoS::AtLeastOnce {
            peer.puback(received.id());
        }
    }
    let ended = poll_all(&client, 100);
    let tokens: Vec<i64> = results.iter().skip(1).step_by(3).map(|(_, token)| *token).collect();
    assert_eq!(ended.iter().map(|(event, ..)| event.token).collect::<Vec<_>>(), tokens);
}

#[test]
fn the_first_refused_message_ends_the_batch_and_says_why() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let mut messages = Vec::new();
    pack(&mut messages, b"t", b"1", 0, 0);
    pack(&mut messages, b"t", b"2", 0, 0);
    pack(&mut messages, b"t/#", b"3", 0, 0);
    pack(&mut messages, b"t", b"4", 0, 0);
    assert_eq!(publish(&client, &mut messages, 0), 2);
    assert!(abi().error_text().contains("message 2") && abi().error_text().contains("'t/#'"), "{}", abi().error_text());
    let found = results(&messages);
    assert!(found[0].1 > 0 && found[1].1 > found[0].1);
    assert_eq!(found[2..], [(MT5MQTT_E_INVALID_TOPIC, 0), (UNTOUCHED, UNTOUCHED.into())]);
    // Each other reason, at the first message: nothing is accepted.
    for (topic, qos, retain, status) in [
        (&b"\xFF"[..], 0, 0, MT5MQTT_E_INVALID_TEXT),
        (b"a\0b", 0, 0, MT5MQTT_E_INVALID_TEXT),
        (b"", 0, 0, MT5MQTT_E_INVALID_TOPIC),
        (b"t", 3, 0, MT5MQTT_E_INVALID_ARGUMENT),
        (b"t", 0, 2, MT5MQTT_E_INVALID_ARGUMENT),
    ] {
        let mut messages = Vec::new();
        pack(&mut messages, topic, b"no", qos, retain);
        assert_eq!((publish(&client, &mut messages, 0), results(&messages)), (0, vec![(status, 0)]));
        assert!(topic != b"a\0b" || abi().error_text().contains("U+0000"), "{}", abi().error_text());
    }
    peer.expect_publish("1");
    peer.expect_publish("2");
}

#[test]
fn a_full_queue_ends_a_batch_and_the_rest_can_be_tried_again() {
    let (_server, client, mut peer) = Client::connected(&[(MT5MQTT_OPT_OUTGOING_MAXIMUM, 3)]);
    let mut messages = Vec::new();
    (0..5).for_each(|number| pack(&mut messages, b"t", number.to_string().as_bytes(), 1, 0));
    assert_eq!(publish(&client, &mut messages, 0), 3);
    assert_eq!(results(&messages)[3..], [(MT5MQTT_E_QUEUE_FULL, 0), (UNTOUCHED, UNTOUCHED.into())]);
    for number in 0..3 {
        let id = peer.expect_publish(&number.to_string()).id();
        peer.puback(id);
    }
    poll_all(&client, 3);
    let mut rest = messages.split_off(messages.len() / 5 * 3);
    assert_eq!(publish(&client, &mut rest, 0), 2);
    peer.expect_publish("3");
    peer.expect_publish("4");
}

#[test]
fn an_array_that_is_made_wrong_is_refused_as_a_whole() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let mut good = Vec::new();
    pack(&mut good, b"t", b"payload", 0, 0);
    let whole = good.len();
    pack(&mut good, b"t", b"payload", 0, 0);
    for size in (whole + 1..good.len()).chain(1..whole) {
        let mut messages = good[..size].to_vec();
        let wrong = if size > whole { "message 1" } else { "message 0" };
        refused(publish(&client, &mut messages, 0), MT5MQTT_E_INVALID_ARGUMENT, &[wrong, "cut off"]);
        assert_eq!(messages, good[..size]);
    }
    for (at, value, status) in [
        (whole, 31, MT5MQTT_E_STRUCT_SIZE),
        (whole, 0, MT5MQTT_E_STRUCT_SIZE),
        (whole + 24, -1, MT5MQTT_E_INVALID_ARGUMENT),
        (whole + 28, i32::MIN, MT5MQTT_E_INVALID_ARGUMENT),
        (whole + 28, i32::MAX, MT5MQTT_E_INVALID_ARGUMENT),
    ] {
        let mut messages = good.clone();
        messages[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        refused(publish(&client, &mut messages, 0), status, &["message 1"]);
    }
    refused(abi().publish_batch(client.handle, null_mut(), 1, 0), MT5MQTT_E_INVALID_ARGUMENT, &["NULL"]);
    refused(abi().publish_batch(client.handle, null_mut(), -1, 0), MT5MQTT_E_INVALID_ARGUMENT, &["negative"]);
    refused(publish(&client, &mut good, client.handle), MT5MQTT_E_INVALID_HANDLE, &[]);
    assert_eq!(abi().publish_batch(client.handle, null_mut(), 0, 0), 0);
    // Nothing of all that has left.
    client.publish(b"last", 0);
    peer.expect_publish("last");
}

#[test]
fn a_set_of_properties_goes_with_each_message_of_a_batch() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let properties = Properties::new();
    abi().good(abi().properties_set_int(properties.handle, MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 60));
    let mut messages = Vec::new();
    (0..3).for_each(|_| pack(&mut messages, b"t", b"payload", 1, 1));
    assert_eq!(publish(&client, &mut messages, properties.handle), 3);
    for _ in 0..3 {
        let received = peer.expect(PacketType::Publish);
        let Packet::Publish(publish) = received.packet() else { unreachable!() };
        assert_eq!(publish.properties.int(PropertyId::MessageExpiryInterval), Some(60));
        assert!(publish.retain);
    }
}

#[test]
fn a_batch_of_events_holds_what_single_polls_would_read() {
    let (_server, client, mut peer) = Client::connected(&[]);
    for number in 0..10 {
        peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
    }
    let events = poll_all(&client, 10);
    for (number, (event, topic, payload, text)) in events.iter().enumerate() {
        assert_eq!((event.kind, topic.as_str(), text.as_str()), (MT5MQTT_EVENT_MESSAGE, "t", ""));
        assert_eq!(payload, number.to_string().as_bytes());
    }
    // The last of them is the current event.
    assert_eq!(client.payload(), b"9");
    // A Server's words come along, and a batch of nothing is one.
    assert!(poll(&client, 4096, 100).is_empty());
    assert!(poll(&client, 0, 1).is_empty());
    peer.close();
    let (event, _, _, text) = poll_all(&client, 1).remove(0);
    assert_eq!(event.kind, MT5MQTT_EVENT_DISCONNECTED);
    assert!(text.contains("closed the connection"), "{text}");
}

#[test]
fn an_event_with_properties_ends_its_batch() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let (mut properties, none) = (PropertiesBuf::new(), PropertiesBuf::new());
    properties.set(PropertyId::ContentType, Value::Text("text/plain")).unwrap();
    for number in 0..6 {
        let with = if number == 2 { &properties } else { &none }.as_properties();
        let payload = number.to_string();
        let message = Message::new(TopicName::new("t").unwrap(), payload.as_bytes(), QoS::AtMostOnce, false, with);
        peer.send(&Packet::Publish(message.publish(None, false)));
    }
    until_there_are(&client, 6);
    let sizes = [poll(&client, 4096, 100).len(), poll(&client, 4096, 2).len(), poll(&client, 4096, 100).len()];
    assert_eq!(sizes, [3, 2, 1]);
}

#[test]
fn what_has_no_room_stays_in_the_queue() {
    let (_server, client, mut peer) = Client::connected(&[]);
    for (id, payload) in [(1, "first"), (2, "second, and longer than that")] {
        peer.publish(payload.as_bytes(), Some(id), QoS::AtLeastOnce);
    }
    until_there_are(&client, 2);
    let needed = EVENT_SIZE + "t".len() + "first".len();
    let mut small = vec![0; needed - 1];
    let result = abi().poll_batch(client.handle, small.as_mut_ptr(), small.len() as i32, 5);
    refused(result, MT5MQTT_E_TOO_LARGE, &[&needed.to_string(), &(needed - 1).to_string()]);
    // Both fit, but for one byte: the first comes, the second stays, and is not acknowledged.
    let both = 2 * EVENT_SIZE + "t".len() * 2 + "first".len() + "second, and longer than that".len();
    let events = poll(&client, both - 1, 5);
    assert_eq!((events.len(), events[0].2.as_slice()), (1, &b"first"[..]));
    peer.expect(PacketType::Puback);
    let events = poll(&client, both, 5);
    assert_eq!((events.len(), events[0].2.as_slice()), (1, &b"second, and longer than that"[..]));
    peer.expect(PacketType::Puback);
    for (capacity, maximum) in [(-1, 1), (1, 1), (0, 0), (0, -1)] {
        refused(abi().poll_batch(client.handle, null_mut(), capacity, maximum), MT5MQTT_E_INVALID_ARGUMENT, &[]);
    }
}

#[test]
fn what_a_client_that_has_failed_still_has_comes_in_a_batch() {
    let (_server, client, mut peer) = Client::connected(&[]);
    peer.publish(b"last", None, QoS::AtMostOnce);
    until_there_are(&client, 1);
    refused(abi().test_panic(client.handle, 0), MT5MQTT_E_PANIC, &[]);
    let events = poll(&client, 4096, 100);
    let kinds: Vec<i32> = events.iter().map(|(event, ..)| event.kind).collect();
    assert_eq!(kinds, [MT5MQTT_EVENT_MESSAGE, MT5MQTT_EVENT_FAILED]);
    assert_eq!((events[0].2.as_slice(), events[1].0.status), (&b"last"[..], MT5MQTT_E_PANIC));
    let mut buffer = [0; 4096];
    let result = abi().poll_batch(client.handle, buffer.as_mut_ptr(), buffer.len() as i32, 100);
    refused(result, MT5MQTT_E_PANIC, &["freed"]);
}

/// Until so many events wait.
#[track_caller]
fn until_there_are(client: &Client, count: i64) {
    let deadline = Instant::now() + DEADLINE;
    while abi().stat(client.handle, MT5MQTT_STAT_EVENTS) < count {
        assert!(Instant::now() < deadline, "there are no {count} events before the deadline");
        std::thread::yield_now();
    }
}

#[test]
fn with_a_store_the_end_of_a_publish_is_the_last_event_of_its_batch() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("abi-batches"));
    let client = Client::new();
    client.set_text(MT5MQTT_OPT_URL, &server.url());
    client.set_text(MT5MQTT_OPT_CLIENT_ID, "trader");
    client.set_text(MT5MQTT_OPT_STORE_PATH, folder.path().to_str().expect("a path in UTF-8"));
    abi().good(abi().connect(client.handle));
    let mut peer = server.accept_mqtt();
    client.expect(MT5MQTT_EVENT_CONNECTED);
    let tokens = [client.publish(b"1", 1), client.publish(b"2", 1)];
    for payload in ["1", "2"] {
        let id = peer.expect_publish(payload).id();
        peer.puback(id);
    }
    until_there_are(&client, 2);
    for payload in [b"3", b"4"] {
        peer.publish(payload, None, QoS::AtMostOnce);
    }
    until_there_are(&client, 4);
    // It has come back for more when it has dealt with what it got.
    let batches = [(); 3].map(|()| poll(&client, 4096, 100));
    let told: Vec<Vec<i64>> =
        batches.iter().map(|batch| batch.iter().map(|(event, ..)| event.token).collect()).collect();
    assert_eq!(told, [vec![tokens[0]], vec![tokens[1]], vec![0, 0]]);
}
