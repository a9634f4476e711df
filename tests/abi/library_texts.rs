//! What the library says about itself, its statuses and MQTT's Reason Codes; its clocks; the error text of each thread.

use crate::common::abi::{abi, text, text_w};
use crate::host::{Client, constants, refused};
use mt5mqtt::ffi::constants::*;
use std::collections::HashSet;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

fn status_text(status: i32) -> String {
    text(|buffer, capacity| abi().status_text(status, buffer, capacity))
}

fn reason_code_text(code: i32) -> String {
    text(|buffer, capacity| abi().reason_code_text(code, buffer, capacity))
}

#[test]
fn the_version_is_that_of_the_package_and_the_abi_that_of_the_header() {
    let package = include_str!("../../Cargo.toml");
    let version = package.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    let version = version.expect("the version of the package");
    assert_eq!(text(|buffer, capacity| abi().version(buffer, capacity)), version);
    assert_eq!(text_w(|buffer, capacity| abi().version_w(buffer, capacity)), version);
    let abi_version = constants("MT5MQTT_ABI_VERSION");
    assert_eq!(abi_version, [(String::new(), abi().abi_version())]);
}

#[test]
fn each_status_of_the_header_has_a_text_of_its_own() {
    let mut texts = HashSet::new();
    for (name, status) in constants("MT5MQTT_E_") {
        let words = status_text(status);
        assert!(words.len() > 15 && words.ends_with('.'), "{name}: {words}");
        assert_eq!(text_w(|buffer, capacity| abi().status_text_w(status, buffer, capacity)), words);
        assert!(texts.insert(words), "{name} says what another status says");
    }
    assert_eq!(status_text(0), status_text(i32::MAX));
    for unknown in [i32::MIN, -9999] {
        let null = std::ptr::null_mut();
        refused(abi().status_text(unknown, null, 0), MT5MQTT_E_INVALID_ARGUMENT, &[&unknown.to_string()]);
    }
}

#[test]
fn reason_codes_have_their_names_and_others_are_refused() {
    // MQTT 5.0 section 2.4
    for (code, name) in [(0x00, "Success"), (0x04, "Disconnect with Will Message"), (0x87, "Not authorized")] {
        assert!(reason_code_text(code).starts_with(name), "{}", reason_code_text(code));
        assert_eq!(text_w(|buffer, capacity| abi().reason_code_text_w(code, buffer, capacity)), reason_code_text(code));
    }
    for code in 0..=255 {
        assert!(reason_code_text(code).contains(": "), "{code}: {}", reason_code_text(code));
    }
    for outside in [-1, 256, i32::MIN, i32::MAX] {
        let null = std::ptr::null_mut();
        refused(abi().reason_code_text(outside, null, 0), MT5MQTT_E_INVALID_ARGUMENT, &[&outside.to_string()]);
    }
}

#[test]
fn the_clocks_tell_the_time_and_do_not_run_backwards() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64;
    let told = abi().time_unix_us();
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64;
    assert!((before..=after).contains(&told), "{before} {told} {after}");
    let mut last = 0;
    for _ in 0..10_000 {
        let now = abi().time_monotonic_us();
        assert!(now >= last);
        last = now;
    }
}

#[test]
fn each_thread_has_its_own_error_text() {
    let client = Client::new();
    refused(abi().set_int(client.handle, MT5MQTT_OPT_KEEP_ALIVE_S, -1), MT5MQTT_E_OUT_OF_RANGE, &["KEEP_ALIVE_S"]);
    thread::scope(|scope| {
        for (option, name) in
            [(MT5MQTT_OPT_RECEIVE_MAXIMUM, "RECEIVE_MAXIMUM"), (MT5MQTT_OPT_CLEAN_START, "CLEAN_START")]
        {
            let handle = client.handle;
            scope.spawn(move || {
                assert_eq!(abi().error_text(), "", "nothing has failed on this thread");
                for _ in 0..1000 {
                    refused(abi().set_int(handle, option, -1), MT5MQTT_E_OUT_OF_RANGE, &[name]);
                }
            });
        }
    });
    assert!(abi().error_text().contains("KEEP_ALIVE_S"));
    let both = (abi().error_text(), text_w(|buffer, capacity| abi().last_error_w(buffer, capacity)));
    assert_eq!(both.0, both.1);
}
