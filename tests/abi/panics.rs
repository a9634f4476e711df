//! A fault inside the library ends one client, which says so, and never the process.

use crate::common::abi::abi;
use crate::common::background_thread::asleep;
use crate::common::program::within;
use crate::host::{Client, exports, refused};
use mt5mqtt::ffi::constants::*;
use std::ffi::c_void;
use std::time::{Duration, Instant};

/// What must hold of a client that has failed: its state, its last event, and that it can only be freed.
fn assert_failed(client: &Client) {
    let deadline = Instant::now() + crate::host::DEADLINE;
    while client.state() != MT5MQTT_STATE_FAILED {
        assert!(Instant::now() < deadline, "the client did not fail");
        std::thread::yield_now();
    }
    assert_eq!(abi().wait(client.handle, 250), 1, "there is something to poll");
    let event = client.expect(MT5MQTT_EVENT_FAILED);
    assert_eq!(event.status, MT5MQTT_E_PANIC);
    assert!(client.event_text().contains("test hook"), "{}", client.event_text());
    assert_eq!(event.text_size as usize, client.event_text().len());

    let (handle, topic, null, status) = (client.handle, c"t".as_ptr(), std::ptr::null(), MT5MQTT_E_PANIC);
    let mut nothing = crate::common::abi::Event::empty();
    refused(abi().poll(handle, &mut nothing), status, &["freed"]);
    refused(abi().wait(handle, 250), status, &["freed"]);
    refused(abi().connect(handle), status, &["freed"]);
    refused(abi().disconnect(handle, 0, 0, 2000), status, &["freed"]);
    refused(abi().publish(handle, topic, null, 0, 0, 0, 0), status, &["freed"]);
    refused(abi().subscribe(handle, topic, 0, 0), status, &["freed"]);
    refused(abi().unsubscribe(handle, topic, 0), status, &["freed"]);
    refused(abi().set_int(handle, MT5MQTT_OPT_KEEP_ALIVE_S, 1), status, &["freed"]);
    refused(abi().acknowledge(handle, 1, 0), status, &["freed"]);
    refused(abi().respond(handle, null, 0, 0, 0), status, &["freed"]);
    // What is known can still be read.
    assert_eq!(client.state(), MT5MQTT_STATE_FAILED);
    assert!(abi().stat(handle, MT5MQTT_STAT_CONNECTIONS) >= 0);
    assert!(client.event_text().contains("test hook"));
    within(Duration::from_millis(1500), "free", || assert_eq!(abi().free(handle), 0));
}

#[test]
fn a_panic_on_the_calling_thread_fails_an_idle_client() {
    let client = Client::new();
    refused(abi().test_panic(client.handle, 0), MT5MQTT_E_PANIC, &["fault inside the library", "test hook"]);
    assert_failed(&client);
}

#[test]
fn a_panic_on_the_calling_thread_fails_a_connected_client_and_closes_its_connection() {
    let (_server, client, mut peer) = Client::connected(&[]);
    refused(abi().test_panic(client.handle, 0), MT5MQTT_E_PANIC, &["fault inside the library"]);
    // No DISCONNECT: the Server is to publish the Will Message.
    peer.expect_close(&[]);
    assert_failed(&client);
}

#[test]
fn a_panic_on_the_background_thread_fails_a_connected_client_and_closes_its_connection() {
    let (_server, client, mut peer) = Client::connected(&[]);
    assert_eq!(abi().test_panic(client.handle, 1), 0);
    peer.expect_close(&[]);
    assert_failed(&client);
}

#[test]
fn a_panic_on_the_background_thread_wakes_a_caller_that_waits() {
    let (_server, client, _peer) = Client::connected(&[(MT5MQTT_OPT_WAIT_MAXIMUM_MS, 600_000)]);
    let handle = client.handle;
    std::thread::scope(|scope| {
        let waiting = asleep(scope, move || abi().wait(handle, 600_000));
        assert_eq!(abi().test_panic(handle, 1), 0);
        assert_eq!(waiting.join().unwrap(), 1);
    });
    assert_failed(&client);
}

#[test]
fn an_idle_client_has_no_thread_to_panic_on() {
    let client = Client::new();
    refused(abi().test_panic(client.handle, 1), MT5MQTT_E_WRONG_STATE, &["idle"]);
    assert_eq!(client.state(), MT5MQTT_STATE_IDLE);
}

#[test]
fn other_clients_go_on() {
    let (_server, other, mut peer) = Client::connected(&[]);
    for place in [0, 1] {
        let (_server, client, _peer) = Client::connected(&[]);
        abi().test_panic(client.handle, place);
        assert_failed(&client);
        other.publish(b"alive", 1);
        let id = peer.expect_publish("alive").id();
        peer.puback(id);
        assert_eq!(other.expect(MT5MQTT_EVENT_PUBLISHED).status, 0);
    }
}

#[test]
fn no_function_panics_by_itself_on_a_client_that_has_failed() {
    let mut place = [0_u64; 32];
    for export in exports() {
        if export.parameters.first().is_none_or(|first| first.name != "client") {
            continue;
        }
        let client = Client::new();
        abi().test_panic(client.handle, 0);
        refused(abi().state(0), MT5MQTT_E_INVALID_HANDLE, &[]);
        let arguments = export.parameters.iter().enumerate().map(|(position, parameter)| match position {
            0 => crate::common::any_export::Argument::Int(client.handle),
            _ if parameter.kind.is_pointer() => {
                crate::common::any_export::Argument::Pointer((&raw mut place).cast::<c_void>())
            }
            _ => crate::common::any_export::Argument::Int(0),
        });
        // SAFETY: the pointers lead to 256 bytes, and no size says that there are more.
        unsafe { export.call(&arguments.collect::<Vec<_>>()) };
        let text = abi().error_text();
        assert!(export.name == "mt5mqtt_test_panic" || !text.contains(" at "), "{}: {text}", export.name);
    }
}
