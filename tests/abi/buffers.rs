//! Buffers of the caller: the needed size is the answer, whatever fits is written and not a byte more, and nothing is
//! consumed by asking.

use crate::common::abi::{abi, text, utf8};
use crate::common::any_export::{Argument, Export, Kind};
use crate::host::{Client, exports, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::QoS;
use mt5mqtt::types::topic::TopicName;
use std::ffi::c_void;

/// What no answer is made of.
const UNTOUCHED: u8 = 0xEE;

/// A client whose current event is a message that has something for every reader.
fn reader() -> Client {
    let (_server, client, mut peer) = Client::connected(&[]);
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::ContentType, Value::Text("цена/価格")).unwrap();
    properties.set(PropertyId::CorrelationData, Value::Binary(&[1, 0, 2])).unwrap();
    properties.add(PropertyId::UserProperty, Value::Pair("имя", "値🚀")).unwrap();
    let topic = TopicName::new("mt5/цена/価格/🚀").unwrap();
    let message = Message::new(topic, "payload €".as_bytes(), QoS::AtMostOnce, false, properties.as_properties());
    peer.send(&Packet::Publish(message.publish(None, false)));
    client.expect(MT5MQTT_EVENT_MESSAGE);
    // So that there is an error text.
    refused(abi().set_int(client.handle, MT5MQTT_OPT_KEEP_ALIVE_S, -1), MT5MQTT_E_OUT_OF_RANGE, &["KEEP_ALIVE_S"]);
    client
}

/// The exports that write one value into a buffer of the caller. Arrays of messages and events are in `batches`.
fn writers() -> impl Iterator<Item = (&'static Export, Kind)> {
    exports().iter().filter(|export| !export.name.ends_with("_batch")).filter_map(|export| {
        let buffer = export.parameters.iter().find(|parameter| parameter.kind.is_buffer())?;
        Some((export, buffer.kind))
    })
}

/// Calls a function that writes into a buffer. Everything else about the call is right.
fn write(export: &Export, client: &Client, buffer: *mut u8, capacity: i32) -> i64 {
    let property =
        if export.name.contains("bytes") { MT5MQTT_PROP_CORRELATION_DATA } else { MT5MQTT_PROP_CONTENT_TYPE };
    let arguments = export.parameters.iter().map(|parameter| match (parameter.kind, parameter.name.as_str()) {
        (kind, _) if kind.is_buffer() => Argument::Pointer(buffer.cast::<c_void>()),
        (_, "capacity") => Argument::Int(capacity.into()),
        (_, "client") => Argument::Int(client.handle),
        (_, "property") => Argument::Int(property.into()),
        (_, "status") => Argument::Int(MT5MQTT_E_PANIC.into()),
        (Kind::I32 | Kind::I64, _) => Argument::Int(0),
        (kind, name) => panic!("{}: no argument for {name} of the kind {kind:?}", export.name),
    });
    // SAFETY: the buffer is the caller's, with its true capacity.
    unsafe { export.call(&arguments.collect::<Vec<_>>()) }
}

#[test]
fn every_writer_tells_the_size_and_writes_only_what_fits() {
    let client = reader();
    let mut seen = 0;
    for (export, kind) in writers() {
        let name = &export.name;
        let size = write(export, &client, std::ptr::null_mut(), 0);
        assert!((0..1000).contains(&size), "{name}: {size}: {}", abi().error_text());
        let unit = if kind == Kind::Utf16Out { 2 } else { 1 };
        let terminator = usize::from(kind != Kind::BytesOut);
        let needed = size as usize + terminator;
        // An array of MQL5's may lie in a struct, which it packs to one byte: at any address.
        let mut place = vec![0_u8; needed * unit + 3];
        for (capacity, offset) in (0..needed + 2).flat_map(|capacity| [(capacity, 0), (capacity, 1)]) {
            place.fill(UNTOUCHED);
            let buffer = place[offset..].as_mut_ptr();
            assert_eq!(write(export, &client, buffer, capacity as i32), size, "{name}, capacity {capacity}");
            let written = if capacity < needed { 0 } else { needed * unit };
            let (before, bytes) = place.split_at(offset);
            let (bytes, behind) = bytes.split_at(written);
            assert!(
                before.iter().chain(behind).all(|byte| *byte == UNTOUCHED),
                "{name}, capacity {capacity}: {place:?}"
            );
            if capacity >= needed {
                let (value, end) = bytes.split_at(size as usize * unit);
                assert!(end.iter().all(|byte| *byte == 0), "{name}: no NUL");
                assert!(unit == 2 || !value.contains(&UNTOUCHED), "{name}: not all was written");
            }
        }
        seen += 1;
    }
    assert!(seen >= 22, "{seen} functions write into a buffer");
}

#[test]
fn no_writer_takes_a_negative_capacity_or_a_buffer_that_is_not_there() {
    let client = reader();
    let mut buffer = [0_u64; 16];
    for (export, _) in writers() {
        for (pointer, capacity, word) in [
            (buffer.as_mut_ptr().cast(), -1, "negative"),
            (buffer.as_mut_ptr().cast(), i32::MIN, "negative"),
            (std::ptr::null_mut(), -1, "negative"),
            (std::ptr::null_mut(), 1, "NULL"),
            (std::ptr::null_mut(), i32::MAX, "NULL"),
        ] {
            let result = write(export, &client, pointer, capacity);
            assert_eq!(result, MT5MQTT_E_INVALID_ARGUMENT.into(), "{}({capacity})", export.name);
            assert!(abi().error_text().contains(word), "{}: {}", export.name, abi().error_text());
        }
    }
    assert_eq!(buffer, [0; 16]);
}

#[test]
fn a_buffer_that_is_too_small_consumes_nothing() {
    let (_server, client, mut peer) = Client::connected(&[]);
    for payload in ["first", "second"] {
        peer.publish(payload.as_bytes(), None, QoS::AtMostOnce);
    }
    for payload in ["first", "second"] {
        let event = client.expect(MT5MQTT_EVENT_MESSAGE);
        let mut small = [UNTOUCHED; 4];
        for _ in 0..3 {
            assert_eq!(abi().event_payload(client.handle, small.as_mut_ptr(), 4), event.payload_size);
            assert_eq!(abi().event_payload_text(client.handle, small.as_mut_ptr().cast(), 4), event.payload_size);
            assert_eq!(abi().event_topic(client.handle, small.as_mut_ptr().cast(), 1), event.topic_size);
        }
        assert_eq!(small, [UNTOUCHED; 4]);
        assert_eq!(client.payload(), payload.as_bytes());
        assert_eq!(text(|buffer, capacity| abi().event_topic(client.handle, buffer, capacity)), "t");
    }
}

#[test]
fn asking_for_the_error_text_does_not_change_it() {
    refused(abi().state(0), MT5MQTT_E_INVALID_HANDLE, &["handle 0"]);
    let mut buffer = [0_i8; 8];
    assert!(abi().last_error(buffer.as_mut_ptr().cast(), 8) > 8);
    assert!(abi().error_text().contains("handle 0"));
    // What fails replaces it, what succeeds doesn't.
    let client = Client::new();
    assert_eq!(abi().set_text(client.handle, MT5MQTT_OPT_CLIENT_ID, utf8("a").as_ptr()), 0);
    assert!(abi().error_text().contains("handle 0"));
    assert_eq!(abi().last_error(buffer.as_mut_ptr().cast(), -1), MT5MQTT_E_INVALID_ARGUMENT);
    assert!(abi().error_text().contains("capacity"));
}
