//! NULL for every pointer: what may be absent is absent, the rest is refused with a text that names it.

use crate::common::abi::abi;
use crate::common::any_export::{Argument, Kind};
use crate::host::{Client, Properties, exports, refused};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::PacketType;
use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};

const INVALID: i32 = MT5MQTT_E_INVALID_ARGUMENT;

#[test]
fn null_for_any_pointer_of_any_function_is_answered() {
    // "a" and NULs: a text in both encodings, a few bytes, a buffer.
    let mut place = [0_u64; 32];
    place[0] = u64::from(b'a');
    let mut seen = 0;
    for export in exports() {
        for null in 0..export.parameters.len() {
            if !export.parameters[null].kind.is_pointer() {
                continue;
            }
            for size in [0, 2] {
                let (client, set) = (Client::new(), Properties::new());
                let arguments =
                    export.parameters.iter().enumerate().map(|(position, parameter)| match parameter.kind {
                        _ if position == null => Argument::NULL,
                        Kind::I64 if parameter.name == "client" => Argument::Int(client.handle),
                        Kind::I64 if parameter.name == "properties" && position == 0 => Argument::Int(set.handle),
                        Kind::I32 if position == null + 1 => Argument::Int(size),
                        Kind::I32 if parameter.name == "property" => Argument::Int(MT5MQTT_PROP_CONTENT_TYPE.into()),
                        Kind::I32 | Kind::I64 => Argument::Int(0),
                        _ => Argument::Pointer((&raw mut place).cast::<c_void>()),
                    });
                // SAFETY: the pointers are NULL or lead to 256 bytes, more than any size that is passed.
                let result = unsafe { export.call(&arguments.collect::<Vec<_>>()) };
                // An idle client has no Server to name.
                let idle = result == i64::from(MT5MQTT_E_NOT_CONNECTED);
                assert!(
                    idle || (-19..1 << 40).contains(&result),
                    "{} with NULL as {}: {result}: {}",
                    export.name,
                    export.parameters[null].name,
                    abi().error_text()
                );
                seen += 1;
            }
        }
    }
    assert!(seen >= 90, "{seen} calls with NULL");
}

#[test]
fn texts_that_must_be_there_are_asked_for_by_name() {
    let (client, set) = (Client::new(), Properties::new());
    let (client, set) = (client.handle, set.handle);
    let (no, no_w, nothing) = (null::<c_char>(), null::<u16>(), null::<u8>());
    let a_w = [u16::from(b'a'), 0];
    refused(abi().publish(client, no, nothing, 0, 0, 0, 0), INVALID, &["topic", "NULL"]);
    refused(abi().publish_w(client, no_w, nothing, 0, 0, 0, 0), INVALID, &["topic", "NULL"]);
    refused(abi().publish_text(client, no, no, 0, 0, 0), INVALID, &["topic", "NULL"]);
    refused(abi().publish_text_w(client, no_w, no_w, 0, 0, 0), INVALID, &["topic", "NULL"]);
    refused(abi().subscribe(client, no, 0, 0), INVALID, &["Topic Filter", "NULL"]);
    refused(abi().subscribe_w(client, no_w, 0, 0), INVALID, &["Topic Filter", "NULL"]);
    refused(abi().unsubscribe(client, no, 0), INVALID, &["Topic Filter", "NULL"]);
    refused(abi().unsubscribe_w(client, no_w, 0), INVALID, &["Topic Filter", "NULL"]);
    refused(abi().properties_set_text(set, MT5MQTT_PROP_CONTENT_TYPE, no), INVALID, &["value", "NULL"]);
    refused(abi().properties_set_text_w(set, MT5MQTT_PROP_CONTENT_TYPE, no_w), INVALID, &["value", "NULL"]);
    refused(abi().properties_add_user(set, no, c"a".as_ptr()), INVALID, &["name", "NULL"]);
    refused(abi().properties_add_user(set, c"a".as_ptr(), no), INVALID, &["value", "NULL"]);
    refused(abi().properties_add_user_w(set, no_w, a_w.as_ptr()), INVALID, &["name", "NULL"]);
    refused(abi().properties_add_user_w(set, a_w.as_ptr(), no_w), INVALID, &["value", "NULL"]);
    refused(abi().poll(client, null_mut()), INVALID, &["event", "NULL"]);
}

#[test]
fn bytes_that_must_be_there_are_asked_for_by_name_and_a_negative_size_is_refused() {
    let (client, set) = (Client::new(), Properties::new());
    let (client, set, a) = (client.handle, set.handle, c"a".as_ptr());
    let bytes = [1_u8, 2, 3];
    for (pointer, size, word) in [
        (null(), 1, "NULL"),
        (null(), i32::MAX, "NULL"),
        (bytes.as_ptr(), -1, "negative"),
        (null(), i32::MIN, "negative"),
    ] {
        refused(abi().publish(client, a, pointer, size, 0, 0, 0), INVALID, &["payload", word]);
        refused(abi().set_will(client, a, pointer, size, 0, 0, 0), INVALID, &["payload", word]);
        refused(abi().set_bytes(client, MT5MQTT_OPT_PASSWORD, pointer, size), INVALID, &["value", word]);
        let property = MT5MQTT_PROP_CORRELATION_DATA;
        refused(abi().properties_set_bytes(set, property, pointer, size), INVALID, &["value", word]);
    }
}

#[test]
fn null_puts_an_option_back_to_its_default_and_takes_the_will_away() {
    let mut server = crate::common::fake_server::FakeServer::start();
    let client = Client::new();
    let handle = client.handle;
    client.set_text(MT5MQTT_OPT_URL, &server.url());
    for option in [MT5MQTT_OPT_CLIENT_ID, MT5MQTT_OPT_USER_NAME] {
        client.set_text(option, "something");
        assert_eq!(abi().set_text(handle, option, null()), 0);
    }
    assert_eq!(abi().set_bytes(handle, MT5MQTT_OPT_PASSWORD, [0_u8, 255].as_ptr(), 2), 0);
    assert_eq!(abi().set_bytes(handle, MT5MQTT_OPT_PASSWORD, null(), 0), 0);
    assert_eq!(abi().set_will(handle, c"t".as_ptr(), [1_u8].as_ptr(), 1, 1, 1, 0), 0);
    assert_eq!(abi().set_will(handle, null(), null(), 0, 0, 0, 0), 0);
    abi().good(abi().connect(handle));
    let received = server.accept().expect(PacketType::Connect);
    match received.packet() {
        mt5mqtt::codec::Packet::Connect(connect) => {
            assert_eq!((connect.client_id, connect.user_name, connect.password), ("", None, None));
            assert!(connect.will.is_none());
        }
        other => panic!("{other:?}"),
    }
}
