//! How a publish is treated while it waits, said through the C ABI and seen by a Server.

mod common;

use common::fake_server::FakeServer;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::PropertyId;
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::ffi::client::*;
use mt5mqtt::ffi::constants::*;
use mt5mqtt::ffi::event::*;
use mt5mqtt::ffi::properties::*;
use mt5mqtt::ffi::publish::*;
use mt5mqtt::ffi::publish_options::*;
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;
use std::ffi::{CStr, CString};
use std::ptr;
use std::time::{Duration, Instant};

/// A handle to a client of a Server that it doesn't connect to yet.
struct Host {
    client: i64,
    server: FakeServer,
}

impl Host {
    fn new() -> Self {
        let server = FakeServer::start();
        let client = mt5mqtt_create();
        let url = CString::new(server.url()).unwrap();
        // SAFETY: the text ends with a NUL.
        assert_eq!(unsafe { mt5mqtt_set_text(client, MT5MQTT_OPT_URL, url.as_ptr()) }, MT5MQTT_OK);
        Host { client, server }
    }

    #[track_caller]
    fn publish(&self, topic: &CStr, text: &CStr, qos: i32, properties: i64) -> i64 {
        // SAFETY: the texts end with a NUL.
        let token = unsafe { mt5mqtt_publish_text(self.client, topic.as_ptr(), text.as_ptr(), qos, 0, properties) };
        assert!(token > 0, "{token}");
        token
    }

    /// The next event: kind, token, status.
    #[track_caller]
    fn event(&self) -> (i32, i64, i32) {
        let deadline = Instant::now() + Duration::from_secs(15);
        let mut event = mt5mqtt_event { struct_size: mt5mqtt_event_size(), ..mt5mqtt_event::default() };
        // SAFETY: the event is one.
        while unsafe { mt5mqtt_poll(self.client, &mut event) } == 0 {
            assert!(Instant::now() < deadline, "waited for an event until the deadline");
            mt5mqtt_wait(self.client, 100);
        }
        (event.kind, event.token, event.status)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        mt5mqtt_free(self.client);
    }
}

fn mt5mqtt_event_size() -> i32 {
    size_of::<mt5mqtt_event>() as i32
}

/// A set of properties that says one thing.
fn set(say: impl FnOnce(i64) -> i32) -> i64 {
    let properties = mt5mqtt_properties_create();
    assert_eq!(say(properties), MT5MQTT_OK);
    properties
}

/// Sets the conflation key.
fn conflate(properties: i64, key: &CStr) -> i32 {
    // SAFETY: the text ends with a NUL.
    unsafe { mt5mqtt_properties_set_conflation_key(properties, key.as_ptr()) }
}

#[test]
fn an_order_overtakes_prices_of_which_the_latest_is_kept_and_what_is_too_old_is_dropped() {
    let mut host = Host::new();
    let order = set(|properties| mt5mqtt_properties_set_priority(properties, 1));
    let price = set(|properties| conflate(properties, c""));
    let short = set(|properties| mt5mqtt_properties_set_time_to_live(properties, 1));
    let long = set(|properties| mt5mqtt_properties_set_time_to_live(properties, 90_000));
    let expired = host.publish(c"x", c"too old", 1, short);
    // Its millisecond has to be over when the Server takes the others.
    let over = Instant::now() + Duration::from_millis(2);
    while Instant::now() < over {
        std::thread::yield_now();
    }
    let superseded = host.publish(c"EURUSD", c"1.1", 1, price);
    host.publish(c"GBPUSD", c"1.3", 1, price);
    host.publish(c"EURUSD", c"1.2", 1, price);
    host.publish(c"log", c"a", 1, long);
    host.publish(c"order", c"buy", 2, order);
    for properties in [order, price, short, long] {
        assert_eq!(mt5mqtt_properties_free(properties), MT5MQTT_OK);
    }
    assert_eq!(mt5mqtt_connect(host.client), MT5MQTT_OK);
    let mut peer = host.server.accept_mqtt();
    for (payload, expiry) in [("buy", None), ("1.2", None), ("1.3", None), ("a", Some(90))] {
        let received = peer.expect(PacketType::Publish);
        assert_eq!(received.payload(), payload);
        let Packet::Publish(publish) = received.packet() else { unreachable!() };
        assert_eq!(publish.properties.int(PropertyId::MessageExpiryInterval), expiry);
    }
    let mut ends: Vec<_> = (0..3).map(|_| host.event()).collect();
    ends.sort();
    let published = MT5MQTT_EVENT_PUBLISHED;
    let expected = [
        (MT5MQTT_EVENT_CONNECTED, 0, MT5MQTT_OK),
        (published, expired, MT5MQTT_E_EXPIRED),
        (published, superseded, MT5MQTT_E_SUPERSEDED),
    ];
    assert_eq!(ends, expected);
    assert_eq!(mt5mqtt_stat(host.client, MT5MQTT_STAT_PUBLISHES_EXPIRED), 1);
    assert_eq!(mt5mqtt_stat(host.client, MT5MQTT_STAT_PUBLISHES_SUPERSEDED), 1);
}

#[test]
fn what_waits_is_withdrawn_and_what_was_sent_ends_as_ever() {
    let mut host = Host::new();
    assert_eq!(mt5mqtt_set_int(host.client, MT5MQTT_OPT_PROGRESS, 1), MT5MQTT_OK);
    let [order, tick, kept] =
        [(c"order", 1), (c"tick", 0), (c"kept", 1)].map(|(text, qos)| host.publish(c"t", text, qos, 0));
    for token in [order, tick] {
        assert_eq!(mt5mqtt_cancel(host.client, token), MT5MQTT_OK);
        assert_eq!(host.event(), (MT5MQTT_EVENT_PUBLISHED, token, MT5MQTT_E_CANCELLED));
        // It is withdrawn once.
        assert_eq!(mt5mqtt_cancel(host.client, token), MT5MQTT_OK);
    }
    assert_eq!(mt5mqtt_publish_stage(host.client, order), MT5MQTT_STAGE_DROPPED);
    assert_eq!(mt5mqtt_stat(host.client, MT5MQTT_STAT_OUTGOING), 1);
    assert_eq!(mt5mqtt_connect(host.client), MT5MQTT_OK);
    let mut peer = host.server.accept_mqtt();
    peer.expect_publish("kept");
    assert_eq!(mt5mqtt_cancel(host.client, kept), MT5MQTT_OK);
    peer.send(&Packet::Puback(Ack::new(PacketId::MIN, ReasonCode::SUCCESS)));
    assert_eq!(host.event(), (MT5MQTT_EVENT_CONNECTED, 0, MT5MQTT_OK));
    assert_eq!(host.event(), (MT5MQTT_EVENT_PUBLISHED, kept, MT5MQTT_OK));
    for token in [0, -1, kept + 1, i64::MAX] {
        assert_eq!(mt5mqtt_cancel(host.client, token), MT5MQTT_E_UNKNOWN_TOKEN, "{token}");
    }
    assert_eq!(mt5mqtt_cancel(0, kept), MT5MQTT_E_INVALID_HANDLE);
}

#[test]
fn conflation_by_the_topic_name_needs_no_text() {
    let host = Host::new();
    let properties = set(|properties| mt5mqtt_properties_set_conflation(properties, 1));
    host.publish(c"t", c"1", 0, properties);
    host.publish(c"t", c"2", 0, properties);
    assert_eq!(mt5mqtt_stat(host.client, MT5MQTT_STAT_PUBLISHES_SUPERSEDED), 1);
    assert_eq!(conflate(properties, c"key"), MT5MQTT_OK);
    assert_eq!(mt5mqtt_properties_set_conflation(properties, 0), MT5MQTT_OK);
    host.publish(c"t", c"3", 0, properties);
    host.publish(c"t", c"4", 0, properties);
    assert_eq!(mt5mqtt_stat(host.client, MT5MQTT_STAT_PUBLISHES_SUPERSEDED), 1);
    assert_eq!(mt5mqtt_properties_free(properties), MT5MQTT_OK);
}

#[test]
fn a_publish_expires_in_time_while_the_client_looks_for_its_server() {
    let host = Host::new();
    assert_eq!(mt5mqtt_connect(host.client), MT5MQTT_OK);
    // The Server accepts no connection as long as nobody calls it: the client waits for CONNACK.
    let short = set(|properties| mt5mqtt_properties_set_time_to_live(properties, 50));
    let start = Instant::now();
    let token = host.publish(c"t", c"", 0, short);
    assert_eq!(host.event(), (MT5MQTT_EVENT_PUBLISHED, token, MT5MQTT_E_EXPIRED));
    assert!(start.elapsed() >= Duration::from_millis(50), "{:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let properties = mt5mqtt_properties_create();
    assert_eq!(mt5mqtt_properties_set_time_to_live(properties, -1), MT5MQTT_E_OUT_OF_RANGE);
    assert_eq!(mt5mqtt_properties_set_time_to_live(properties, i64::MAX), MT5MQTT_E_OUT_OF_RANGE);
    assert_eq!(mt5mqtt_properties_set_priority(properties, 2), MT5MQTT_E_INVALID_ARGUMENT);
    assert_eq!(mt5mqtt_properties_set_priority(properties + 1, 1), MT5MQTT_E_INVALID_HANDLE);
    let long = CString::new("x".repeat(65_536)).unwrap();
    assert_eq!(conflate(properties, &long), MT5MQTT_E_TOO_LARGE);
    assert_eq!(mt5mqtt_properties_set_priority(properties, 1), MT5MQTT_OK);
    let host = Host::new();
    // SAFETY: the text ends with a NUL.
    let subscribed = unsafe { mt5mqtt_subscribe(host.client, c"t".as_ptr(), 0, properties) };
    assert_eq!(subscribed, MT5MQTT_E_INVALID_ARGUMENT.into());
    assert_eq!(mt5mqtt_properties_set_conflation(properties, 2), MT5MQTT_E_INVALID_ARGUMENT);
    assert_eq!(mt5mqtt_properties_set_conflation(properties + 1, 1), MT5MQTT_E_INVALID_HANDLE);
    // SAFETY: NULL takes the key away.
    assert_eq!(unsafe { mt5mqtt_properties_set_conflation_key(properties, ptr::null()) }, MT5MQTT_OK);
    assert_eq!(mt5mqtt_properties_clear(properties), MT5MQTT_OK);
    // SAFETY: as above.
    assert!(unsafe { mt5mqtt_subscribe(host.client, c"t".as_ptr(), 0, properties) } > 0);
    assert_eq!(mt5mqtt_properties_free(properties), MT5MQTT_OK);
}
