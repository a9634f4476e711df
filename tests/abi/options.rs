//! Options: each keeps to its range, says so by name, and can be set when the header says that it can.

use crate::common::abi::{abi, utf8};
use crate::common::fake_server::FakeServer;
use crate::host::{Client, HEADER, constants, refused};
use mt5mqtt::ffi::constants::*;

const OUT_OF_RANGE: i32 = MT5MQTT_E_OUT_OF_RANGE;
const WRONG_TYPE: i32 = MT5MQTT_E_WRONG_TYPE;

/// What the library says of an option that an integer below all ranges was set to: its range, or that it takes none.
fn range(client: &Client, name: &str, option: i32) -> Option<(i64, i64)> {
    match abi().set_int(client.handle, option, i64::MIN) {
        WRONG_TYPE => {
            assert!(abi().error_text().contains(name), "{name}: {}", abi().error_text());
            None
        }
        OUT_OF_RANGE => {
            let text = abi().error_text();
            let range = text.strip_prefix(&format!("option {name} takes ")).and_then(|rest| rest.split_once(','));
            let (low, high) = range.and_then(|(range, _)| range.split_once(" to ")).unwrap_or_else(|| panic!("{text}"));
            Some((low.parse().expect(&text), high.parse().expect(&text)))
        }
        other => panic!("{name}: {other}"),
    }
}

/// The integer options of the header, with the ranges that the library tells.
fn integer_options() -> Vec<(String, i32, i64, i64)> {
    let client = Client::new();
    let options = constants("MT5MQTT_OPT_").into_iter();
    let found: Vec<_> = options
        .filter_map(|(name, option)| range(&client, &name, option).map(|(low, high)| (name, option, low, high)))
        .collect();
    assert!(found.len() >= 20, "{found:?}");
    found
}

#[test]
fn both_ends_of_each_range_are_taken_and_what_lies_outside_is_not() {
    let client = Client::new();
    for (name, option, low, high) in integer_options() {
        assert!(low < high, "{name}");
        for value in [low, high] {
            assert_eq!(abi().set_int(client.handle, option, value), 0, "{name} = {value}: {}", abi().error_text());
        }
        for value in [low - 1, high + 1, i64::MIN, i64::MAX] {
            let range = format!("{low} to {high}");
            refused(abi().set_int(client.handle, option, value), OUT_OF_RANGE, &[&name, &range, &value.to_string()]);
        }
    }
}

#[test]
fn options_have_the_ranges_that_programs_in_the_field_know() {
    let found = integer_options();
    for (option, low, high) in [
        (MT5MQTT_OPT_PROTOCOL_VERSION, 4, 5),
        (MT5MQTT_OPT_SESSION_EXPIRY_S, 0, 4_294_967_295),
        (MT5MQTT_OPT_KEEP_ALIVE_S, 0, 65_535),
        (MT5MQTT_OPT_RECEIVE_MAXIMUM, 1, 65_535),
        (MT5MQTT_OPT_MAXIMUM_PACKET_SIZE, 64, 268_435_460),
        (MT5MQTT_OPT_CONNECT_TIMEOUT_MS, 100, 600_000),
        (MT5MQTT_OPT_OUTGOING_MAXIMUM_BYTES, 1024, 4 << 30),
        (MT5MQTT_OPT_WAIT_MAXIMUM_MS, 1, 600_000),
    ] {
        assert!(found.iter().any(|row| (row.1, row.2, row.3) == (option, low, high)), "option {option}: {found:?}");
    }
}

/// The names of the options whose comment in the header says that they may be set at any time.
fn live_by_the_header() -> Vec<String> {
    let mut found = Vec::new();
    let mut comment = String::new();
    for line in HEADER.lines() {
        match line.strip_prefix("#define MT5MQTT_OPT_") {
            Some(rest) if comment.contains("May be set at any time") => {
                found.push(rest.split(' ').next().expect("a name").to_owned());
            }
            _ if line.starts_with("/**") => comment.clear(),
            // A sentence may go on in the next line.
            _ => comment.extend([line.trim_start_matches(" * "), " "]),
        }
    }
    found
}

#[test]
fn options_can_be_set_at_any_time_or_while_idle_as_the_header_says() {
    // A Server that says nothing keeps the client connecting.
    let server = FakeServer::start();
    let client = Client::connecting(&server.url(), &[]);
    let live = live_by_the_header();
    assert!(live.len() >= 5, "{live:?}");
    for (name, option, low, _) in integer_options() {
        let result = abi().set_int(client.handle, option, low);
        if live.contains(&name) {
            assert_eq!(result, 0, "{name}: {}", abi().error_text());
        } else {
            refused(result, MT5MQTT_E_WRONG_STATE, &[&name, "idle"]);
        }
    }
    for (option, name) in [(MT5MQTT_OPT_URL, "URL"), (MT5MQTT_OPT_CLIENT_ID, "CLIENT_ID")] {
        let result = abi().set_text(client.handle, option, c"mqtt://127.0.0.1".as_ptr());
        refused(result, MT5MQTT_E_WRONG_STATE, &[name, "idle"]);
    }
    let password = abi().set_bytes(client.handle, MT5MQTT_OPT_PASSWORD, [1].as_ptr(), 1);
    refused(password, MT5MQTT_E_WRONG_STATE, &["PASSWORD", "idle"]);
    let will = abi().set_will(client.handle, c"t".as_ptr(), std::ptr::null(), 0, 0, 0, 0);
    refused(will, MT5MQTT_E_WRONG_STATE, &["will", "idle"]);
    // Idle again, all of them can be set.
    abi().good(abi().disconnect(client.handle, 0, 0, 2000));
    client.set_int(MT5MQTT_OPT_KEEP_ALIVE_S, 5);
    client.set_text(MT5MQTT_OPT_CLIENT_ID, "another");
}

#[test]
fn a_value_of_another_type_and_an_unknown_option_are_refused_by_name() {
    let client = Client::new();
    let (handle, text) = (client.handle, utf8("1"));
    for (name, option, ..) in integer_options() {
        refused(abi().set_text(handle, option, text.as_ptr()), WRONG_TYPE, &[&name]);
        refused(abi().set_bytes(handle, option, [1].as_ptr(), 1), WRONG_TYPE, &[&name]);
    }
    for unknown in [0, -1, 9_999, i32::MIN, i32::MAX] {
        let (status, name) = (MT5MQTT_E_INVALID_ARGUMENT, unknown.to_string());
        refused(abi().set_int(handle, unknown, 1), status, &[&name]);
        refused(abi().set_text(handle, unknown, text.as_ptr()), status, &[&name]);
        refused(abi().set_bytes(handle, unknown, [1].as_ptr(), 1), status, &[&name]);
    }
}

#[test]
fn a_url_that_can_not_be_used_is_refused_with_its_name() {
    let client = Client::new();
    for url in
        ["", "mqtt://", "http://host", "host:1883", "mqtt://host:0", "mqtt://host:65536", "mqtt://host:x", "mqtt://:1"]
    {
        let result = abi().set_text(client.handle, MT5MQTT_OPT_URL, utf8(url).as_ptr());
        refused(result, OUT_OF_RANGE, &["URL"]);
        refused(abi().connect(client.handle), MT5MQTT_E_WRONG_STATE, &["URL"]);
    }
}

#[test]
fn texts_and_bytes_have_at_most_65535_bytes() {
    let client = Client::new();
    let (longest, too_long) = ("x".repeat(65_535), "x".repeat(65_536));
    for (option, name) in
        [(MT5MQTT_OPT_CLIENT_ID, "CLIENT_ID"), (MT5MQTT_OPT_USER_NAME, "USER_NAME"), (MT5MQTT_OPT_PASSWORD, "PASSWORD")]
    {
        client.set_text(option, &longest);
        let result = abi().set_text(client.handle, option, utf8(&too_long).as_ptr());
        refused(result, OUT_OF_RANGE, &[name]);
    }
    let (handle, bytes) = (client.handle, too_long.as_ptr());
    assert_eq!(abi().set_bytes(handle, MT5MQTT_OPT_PASSWORD, bytes, 65_535), 0);
    refused(abi().set_bytes(handle, MT5MQTT_OPT_PASSWORD, bytes, 65_536), OUT_OF_RANGE, &["PASSWORD", "65,535"]);
    assert_eq!(abi().set_will(handle, c"t".as_ptr(), bytes, 65_535, 0, 0, 0), 0);
    refused(abi().set_will(handle, c"t".as_ptr(), bytes, 65_536, 0, 0, 0), MT5MQTT_E_TOO_LARGE, &["65,535"]);
}
