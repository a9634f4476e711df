//! The calls that may wait keep to their limits, whatever the Server does or doesn't do.

use crate::common::abi::abi;
use crate::common::fake_server::FakeServer;
use crate::common::program::within;
use crate::host::{Client, refused};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::PacketType;
use std::time::{Duration, Instant};

/// A busy machine takes its time over what has no limit of its own.
const SLACK: Duration = Duration::from_secs(1);

#[test]
fn wait_returns_after_its_time_and_never_later_than_its_cap() {
    let client = Client::new();
    let timed = |timeout| {
        let start = Instant::now();
        assert_eq!(abi().wait(client.handle, timeout), 0);
        start.elapsed()
    };
    assert!(timed(0) < SLACK / 10);
    for (cap, timeout, expected) in
        [(None, 30, 30), (None, i32::MAX, 250), (Some(60), 60_000, 60), (Some(400), 60_000, 400)]
    {
        if let Some(cap) = cap {
            client.set_int(MT5MQTT_OPT_WAIT_MAXIMUM_MS, cap);
        }
        let (waited, expected) = (timed(timeout), Duration::from_millis(expected));
        assert!(waited >= expected && waited < expected + SLACK, "waited {waited:?} instead of {expected:?}");
    }
}

#[test]
fn disconnect_is_bounded_by_its_timeout_and_by_two_seconds() {
    // The Server acknowledges nothing and doesn't close.
    for (timeout, limit) in [(0, 100), (300, 300), (60_000, 2000), (i32::MAX, 2000)] {
        let (_server, client, mut peer) = Client::connected(&[]);
        client.publish(b"never acknowledged", 1);
        peer.expect_publish("never acknowledged");
        let limit = Duration::from_millis(limit) + SLACK;
        let result = within(limit, "disconnect", || abi().disconnect(client.handle, 0, 0, timeout));
        assert!(result == 0 || result == MT5MQTT_E_TIMEOUT, "{result}: {}", abi().error_text());
        peer.expect(PacketType::Disconnect);
    }
}

#[test]
fn disconnect_can_be_repeated_and_is_nothing_to_an_idle_client() {
    let client = Client::new();
    for _ in 0..3 {
        assert_eq!(abi().disconnect(client.handle, 0, 0, 2000), 0);
    }
    let mut server = FakeServer::start();
    client.set_text(MT5MQTT_OPT_URL, &server.url());
    for _ in 0..3 {
        abi().good(abi().connect(client.handle));
        refused(abi().connect(client.handle), MT5MQTT_E_WRONG_STATE, &["already", "disconnect"]);
        let mut peer = server.accept_mqtt();
        client.expect(MT5MQTT_EVENT_CONNECTED);
        assert_eq!(abi().disconnect(client.handle, 0, 0, 0), 0);
        peer.expect_close(&[PacketType::Disconnect]);
        peer.close();
        assert_eq!(client.expect(MT5MQTT_EVENT_DISCONNECTED).status, 0);
        assert_eq!(abi().disconnect(client.handle, 0, 0, 2000), 0);
        assert_eq!(client.state(), MT5MQTT_STATE_IDLE);
    }
}

#[test]
fn free_is_bounded_whatever_the_client_is_doing() {
    let limit = Duration::from_secs(1) + SLACK;
    let free = |client: Client, doing: &str| {
        let handle = client.handle;
        assert_eq!(within(limit, doing, || abi().free(handle)), 0);
        refused(abi().state(handle), MT5MQTT_E_INVALID_HANDLE, &[]);
    };
    free(Client::new(), "free of an idle client");
    let server = FakeServer::start();
    free(Client::connecting(&server.url(), &[]), "free of a client that connects");
    free(Client::connecting("mqtt://127.0.0.1:1", &[]), "free of a client that is refused");
    let (_server, client, _peer) = Client::connected(&[]);
    let payload = [0_u8; 60_000];
    // Until the Server, which doesn't read, has filled every buffer.
    client_fills_its_queue(&client, &payload);
    free(client, "free of a client whose Server doesn't read");
}

fn client_fills_its_queue(client: &Client, payload: &[u8]) {
    let size = payload.len() as i32;
    while abi().publish(client.handle, c"t".as_ptr(), payload.as_ptr(), size, 0, 0, 0) > 0 {}
    refused(
        abi().publish(client.handle, c"t".as_ptr(), payload.as_ptr(), size, 0, 0, 0),
        MT5MQTT_E_QUEUE_FULL,
        &["outgoing queue", "full"],
    );
}

#[test]
fn no_other_call_waits_for_a_server_that_says_nothing() {
    let server = FakeServer::start();
    let client = Client::connecting(&server.url(), &[]);
    let handle = client.handle;
    within(SLACK, "300 calls", || {
        for _ in 0..50 {
            client.publish(b"queued", 1);
            abi().good(abi().subscribe(handle, c"t".as_ptr(), 1, 0));
            abi().good(abi().unsubscribe(handle, c"t".as_ptr(), 0));
            assert!(client.poll().is_none());
            assert_eq!(client.state(), MT5MQTT_STATE_CONNECTING);
            assert!(abi().stat(handle, MT5MQTT_STAT_OUTGOING) > 0);
        }
    });
}
