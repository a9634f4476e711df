//! Payloads of any size, the empty one included, in both directions.

use crate::common::abi::{abi, utf8, utf16};
use crate::host::{Client, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::{PacketType, QoS};
use std::ptr::{dangling, null};
use std::thread;

const MIB: usize = 1 << 20;

/// Bytes of which each stretch is unlike every other.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size).map(|_| step()).collect()
}

#[test]
fn an_empty_payload_leaves_and_arrives_whatever_its_pointer_is() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let (handle, topic, topic_w) = (client.handle, c"t".as_ptr(), utf16("t"));
    // An empty array of MQL5 may come with any pointer.
    for pointer in [null(), dangling::<u8>(), usize::MAX as *const u8] {
        abi().good(abi().publish(handle, topic, pointer, 0, 0, 0, 0));
        abi().good(abi().publish_w(handle, topic_w.as_ptr(), pointer, 0, 0, 0, 0));
    }
    for text in [null(), c"".as_ptr()] {
        abi().good(abi().publish_text(handle, topic, text, 0, 0, 0));
    }
    for text in [null(), [0_u16].as_ptr()] {
        abi().good(abi().publish_text_w(handle, topic_w.as_ptr(), text, 0, 0, 0));
    }
    for _ in 0..10 {
        peer.expect_publish("");
    }
    peer.publish(b"", None, QoS::AtMostOnce);
    let event = client.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!((event.payload_size, client.payload()), (0, Vec::new()));
    for buffer in [std::ptr::null_mut(), dangling::<u8>().cast_mut(), usize::MAX as *mut u8] {
        assert_eq!(abi().event_payload(handle, buffer, 0), 0);
    }
}

#[test]
fn an_empty_password_is_not_the_same_as_none() {
    let mut server = crate::common::fake_server::FakeServer::start();
    for (pointer, expected) in [(null(), None), (dangling::<u8>(), Some(&b""[..]))] {
        let client = Client::new();
        client.set_text(MT5MQTT_OPT_URL, &server.url());
        assert_eq!(abi().set_bytes(client.handle, MT5MQTT_OPT_PASSWORD, pointer, 0), 0);
        abi().good(abi().connect(client.handle));
        let received = server.accept().expect(PacketType::Connect);
        let Packet::Connect(connect) = received.packet() else { unreachable!() };
        assert_eq!(connect.password, expected);
    }
}

#[test]
fn a_payload_of_a_mebibyte_leaves_and_arrives_whole_with_each_qos() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let payload = noise(MIB);
    for qos in 0..=2 {
        let token = client.publish(&payload, qos);
        let received = peer.expect(PacketType::Publish);
        let Packet::Publish(publish) = received.packet() else { unreachable!() };
        assert!(publish.payload == payload, "QoS {qos}: the Server got something else");
        match qos {
            1 => peer.puback(received.id()),
            2 => {
                peer.pubrec(received.id());
                let pubrel = peer.expect(PacketType::Pubrel);
                peer.pubcomp(pubrel.id());
            }
            _ => continue,
        }
        let event = client.expect(MT5MQTT_EVENT_PUBLISHED);
        assert_eq!((event.token, event.status), (token, 0));
    }
    for (qos, id) in [(QoS::AtMostOnce, None), (QoS::AtLeastOnce, Some(1)), (QoS::ExactlyOnce, Some(2))] {
        // More than the socket takes: the client must read meanwhile.
        let mut sender = peer.second_handle();
        let bytes = payload.clone();
        let sending = thread::spawn(move || sender.publish(&bytes, id, qos));
        let event = client.expect(MT5MQTT_EVENT_MESSAGE);
        sending.join().unwrap();
        assert_eq!((event.qos, event.payload_size as usize, event.topic_size), (qos as i32, MIB, 1));
        assert!(client.payload() == payload, "{qos:?}: the program got something else");
    }
}

#[test]
fn a_text_of_a_mebibyte_leaves_and_arrives_as_text() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let text = "цена 価格 🚀 ".repeat(MIB / 32);
    let (topic, body) = (utf16("t"), utf16(&text));
    abi().good(abi().publish_text_w(client.handle, topic.as_ptr(), body.as_ptr(), 0, 0, 0));
    peer.expect_publish(&text);
    let mut sender = peer.second_handle();
    let bytes = text.clone().into_bytes();
    let sending = thread::spawn(move || sender.publish(&bytes, None, QoS::AtMostOnce));
    client.expect(MT5MQTT_EVENT_MESSAGE);
    sending.join().unwrap();
    let read =
        crate::common::abi::text_w(|buffer, capacity| abi().event_payload_text_w(client.handle, buffer, capacity));
    assert!(read == text);
}

#[test]
fn a_payload_that_is_no_text_can_be_read_as_bytes_only() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let payload = b"\xFFprice\x00";
    peer.publish(payload, None, QoS::AtMostOnce);
    client.expect(MT5MQTT_EVENT_MESSAGE);
    let (handle, mut bytes, mut units) = (client.handle, [0_u8; 32], [0_u16; 32]);
    let status = MT5MQTT_E_INVALID_TEXT;
    refused(abi().event_payload_text(handle, bytes.as_mut_ptr().cast(), 32), status, &["payload", "UTF-8"]);
    refused(abi().event_payload_text_w(handle, units.as_mut_ptr(), 32), status, &["payload", "UTF-8"]);
    assert_eq!(client.payload(), payload);
}

#[test]
fn a_message_that_is_too_large_is_refused_and_nothing_is_accepted() {
    let client = Client::new();
    client.set_int(MT5MQTT_OPT_OUTGOING_MAXIMUM_BYTES, 1024);
    let payload = noise(2048);
    for (size, fits) in [(2048, false), (1024, false), (1023, true)] {
        let result = abi().publish(client.handle, c"t".as_ptr(), payload.as_ptr(), size, 1, 0, 0);
        if fits {
            assert!(result > 0, "{size}: {}", abi().error_text());
        } else {
            refused(result, MT5MQTT_E_TOO_LARGE, &["OUTGOING_MAXIMUM_BYTES", "1024"]);
            assert_eq!(abi().stat(client.handle, MT5MQTT_STAT_OUTGOING), 0);
        }
    }
    let one_more = abi().publish(client.handle, utf8("t").as_ptr(), payload.as_ptr(), 1, 1, 0, 0);
    refused(one_more, MT5MQTT_E_QUEUE_FULL, &["full", "1024"]);
    assert_eq!(abi().stat(client.handle, MT5MQTT_STAT_OUTGOING), 1);
    assert_eq!(abi().stat(client.handle, MT5MQTT_STAT_OUTGOING_BYTES), 1024);
}
