//! Ill-formed text is refused by every function that takes text, never replaced; topics keep the standard's rules.

use crate::common::abi::{abi, utf8, utf16};
use crate::common::any_export::{Argument, Kind};
use crate::host::{Client, Properties, exports, refused};
use mt5mqtt::ffi::constants::*;
use std::ffi::c_void;

/// Not UTF-8; without the NUL. A U+0000 in two bytes and surrogates in three are what other encoders make of them.
const ILL_FORMED_UTF8: [&[u8]; 9] = [
    b"\xFF",
    b"a\x80",
    b"\xC3",
    b"\xC0\x80",
    b"\xE2\x82",
    b"\xED\xA0\x80",
    b"\xED\xB0\x80b",
    b"\xF4\x90\x80\x80",
    b"ok\xF8\x88\x80\x80\x80",
];

/// Not UTF-16; without the NUL.
const LONE_SURROGATES: [&[u16]; 6] = [
    &[0xD800],
    &[0xDFFF],
    &[0x61, 0xD83D],
    &[0xD83D, 0x61],
    // The right halves of a pair in the wrong order.
    &[0xDE80, 0xD83D],
    &[0xD83D, 0xD83D, 0xDE80],
];

/// Calls every function that has a parameter of this kind with these bytes as that argument; all others are right.
#[track_caller]
fn refused_everywhere(kind: Kind, ill_formed: *const c_void, word: &str) -> usize {
    let mut right = [u64::from(b'a'); 2];
    let mut seen = 0;
    for export in exports() {
        for (position, parameter) in export.parameters.iter().enumerate() {
            if parameter.kind != kind {
                continue;
            }
            let (client, set) = (Client::new(), Properties::new());
            let arguments = export.parameters.iter().enumerate().map(|(other, parameter)| {
                match (parameter.kind, parameter.name.as_str()) {
                    _ if other == position => Argument::Pointer(ill_formed.cast_mut()),
                    (Kind::I64, "client") => Argument::Int(client.handle),
                    (Kind::I64, "properties") if other == 0 => Argument::Int(set.handle),
                    (Kind::I32, "property") => Argument::Int(MT5MQTT_PROP_CONTENT_TYPE.into()),
                    (Kind::I32, "option") => Argument::Int(MT5MQTT_OPT_CLIENT_ID.into()),
                    (Kind::I32 | Kind::I64, _) => Argument::Int(0),
                    _ => Argument::Pointer((&raw mut right).cast::<c_void>()),
                }
            });
            // SAFETY: every text ends with a NUL, and no size says that there are bytes.
            let result = unsafe { export.call(&arguments.collect::<Vec<_>>()) };
            let what = format!("{}({}): {}", export.name, parameter.name, abi().error_text());
            assert_eq!(result, MT5MQTT_E_INVALID_TEXT.into(), "{what}");
            assert!(abi().error_text().contains(word), "{what}");
            seen += 1;
        }
    }
    seen
}

#[test]
fn ill_formed_utf8_is_refused_by_every_function() {
    for ill_formed in ILL_FORMED_UTF8 {
        let text = [ill_formed, b"\0"].concat();
        assert!(refused_everywhere(Kind::Utf8, text.as_ptr().cast(), "UTF-8") >= 9);
    }
}

#[test]
fn lone_surrogates_are_refused_by_every_function() {
    for ill_formed in LONE_SURROGATES {
        let text = [ill_formed, &[0]].concat();
        assert!(refused_everywhere(Kind::Utf16, text.as_ptr().cast(), "surrogate") >= 9);
    }
}

#[test]
fn a_topic_name_keeps_the_standards_rules() {
    let client = Client::new();
    // [MQTT-4.7.3-1] [MQTT-3.3.2-2] [MQTT-4.7.3-3]
    let too_long = "x".repeat(65_536);
    for topic in ["", "#", "a/#", "+", "a/+/b", &too_long] {
        let shown: String = topic.chars().take(80).collect();
        let (name, name_w) = (utf8(topic), utf16(topic));
        let status = MT5MQTT_E_INVALID_TOPIC;
        let (handle, null) = (client.handle, std::ptr::null());
        refused(abi().publish(handle, name.as_ptr(), null, 0, 0, 0, 0), status, &["Topic Name", &shown]);
        refused(abi().publish_w(handle, name_w.as_ptr(), null, 0, 0, 0, 0), status, &["Topic Name", &shown]);
        refused(abi().set_will(handle, name.as_ptr(), null, 0, 0, 0, 0), status, &["Topic Name", &shown]);
        assert!(abi().error_text().len() < 300, "a text for people: {}", abi().error_text());
    }
    assert_eq!(abi().stat(client.handle, MT5MQTT_STAT_OUTGOING), 0, "nothing was accepted");
    let longest = utf8(&"x".repeat(65_535));
    abi().good(abi().publish(client.handle, longest.as_ptr(), std::ptr::null(), 0, 0, 0, 0));
}

#[test]
fn a_topic_filter_keeps_the_standards_rules() {
    let client = Client::new();
    // [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
    for filter in ["", "a/#/b", "a#", "a+", "+a", "$share/", "$share//a", "$share/g+/a", "$share/g"] {
        let (text, text_w) = (utf8(filter), utf16(filter));
        let (handle, status) = (client.handle, MT5MQTT_E_INVALID_TOPIC);
        refused(abi().subscribe(handle, text.as_ptr(), 0, 0), status, &["Topic Filter", filter]);
        refused(abi().subscribe_w(handle, text_w.as_ptr(), 0, 0), status, &["Topic Filter", filter]);
        refused(abi().unsubscribe(handle, text.as_ptr(), 0), status, &["Topic Filter", filter]);
        refused(abi().unsubscribe_w(handle, text_w.as_ptr(), 0), status, &["Topic Filter", filter]);
    }
}

#[test]
fn numbers_that_mean_nothing_are_refused_by_name() {
    let client = Client::new();
    let (handle, topic, null, status) = (client.handle, c"t".as_ptr(), std::ptr::null(), MT5MQTT_E_INVALID_ARGUMENT);
    for qos in [-1, 3, 256, i32::MIN, i32::MAX] {
        refused(abi().publish(handle, topic, null, 0, qos, 0, 0), status, &["QoS", &qos.to_string()]);
        refused(abi().set_will(handle, topic, null, 0, qos, 0, 0), status, &["QoS", &qos.to_string()]);
    }
    for retain in [-1, 2, i32::MAX] {
        refused(abi().publish(handle, topic, null, 0, 0, retain, 0), status, &["retain", &retain.to_string()]);
        refused(abi().set_will(handle, topic, null, 0, 0, retain, 0), status, &["retain", &retain.to_string()]);
    }
    // QoS 3, Retain Handling 3, reserved bits [MQTT-3.8.3-5]
    for options in [-1, 3, 48, 64, 128, 256, i32::MAX] {
        refused(abi().subscribe(handle, topic, options, 0), status, &[&options.to_string()]);
    }
    // [MQTT-3.8.3-4]
    let shared = c"$share/g/t".as_ptr();
    refused(abi().subscribe(handle, shared, MT5MQTT_SUBSCRIBE_NO_LOCAL, 0), status, &["No Local"]);
    for code in [-1, 256, i32::MIN] {
        refused(abi().disconnect(handle, code, 0, 0), status, &["Reason Code", &code.to_string()]);
        refused(abi().acknowledge(handle, 1, code), status, &["Reason Code", &code.to_string()]);
    }
    refused(abi().disconnect(handle, 1, 0, 0), MT5MQTT_E_OUT_OF_RANGE, &["DISCONNECT"]);
    refused(abi().disconnect(handle, 0, 0, -1), status, &["-1", "negative"]);
    refused(abi().wait(handle, -1), status, &["-1", "negative"]);
    for stat in [0, -1, 9_999] {
        refused(abi().stat(handle, stat), status, &[&stat.to_string()]);
    }
    refused(abi().test_panic(handle, 2), status, &["place 2"]);
}
