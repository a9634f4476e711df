//! DISCONNECT in both directions, and what happens to the Will Message (sections 3.14, 4.13).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::disconnect::Disconnect;
use mt5mqtt::codec::property::{Properties, PropertyId, Value};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

#[test]
fn nothing_follows_our_disconnect() {
    // MQTT-3.14.4-1, MQTT-3.14.4-2
    let mut trace = Trace::connected(options());
    trace.publish(1, "before", QoS::AtMostOnce);
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.publish(2, "after", QoS::AtMostOnce);
    trace.subscribe(3, "f");
    trace.session.disconnect(ReasonCode::DISCONNECT_WITH_WILL, Properties::EMPTY);
    trace.receives(publish("in", QoS::AtLeastOnce, 1));
    trace.sends(publish("before", QoS::AtMostOnce, 0));
    trace.sends(disconnect(ReasonCode::SUCCESS));
    let end = trace.closes();
    assert_eq!((end.failure, end.reason), (None, None));
    trace.tells_nothing();
}

#[test]
fn disconnect_carries_its_reason_and_properties() {
    // MQTT-3.14.2-1, section 3.14.2.2.2; with 0x04 the Server publishes the Will Message.
    let mut trace = Trace::connected(options());
    let properties = set(&[(PropertyId::SessionExpiryInterval, Value::Int(9))]);
    trace.session.disconnect(ReasonCode::DISCONNECT_WITH_WILL, properties.as_properties());
    trace.sends(Packet::Disconnect(Disconnect {
        reason: ReasonCode::DISCONNECT_WITH_WILL,
        properties: properties.as_properties(),
    }));
}

#[test]
fn a_session_may_be_ended_with_its_disconnect() {
    // Section 3.14.2.2.2: a Session Expiry Interval of 0 on DISCONNECT.
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    let properties = set(&[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
    trace.session.disconnect(ReasonCode::SUCCESS, properties.as_properties());
    trace.takes_packet(|_| ());
    trace.closes();
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
}

#[test]
fn the_session_outlives_a_disconnect() {
    // MQTT-3.1.2-23, MQTT-4.1.0-1
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.sends(disconnect(ReasonCode::SUCCESS));
    trace.closes();
    trace.connects(true, &[]);
    trace.sends(publish_again("x", QoS::AtLeastOnce, 1));
}

#[test]
fn the_servers_disconnect_says_why() {
    // MQTT-3.14.4-2, MQTT-4.13.2-1 and section 3.14.4: the receiver closes the connection and sends nothing more.
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    let properties = set(&[
        (PropertyId::ReasonString, Value::Text("moved")),
        (PropertyId::ServerReference, Value::Text("other:1883")),
    ]);
    trace.receives(Packet::Disconnect(Disconnect {
        reason: ReasonCode::USE_ANOTHER_SERVER,
        properties: properties.as_properties(),
    }));
    let end = trace.closes();
    assert_eq!((end.failure, end.reason), (Some(Status::ServerDisconnected), Some(ReasonCode::USE_ANOTHER_SERVER)));
    assert!(end.detail.contains("moved"), "{}", end.detail);
    assert_eq!(end.properties.as_properties().text(PropertyId::ServerReference), Some("other:1883"));
    // MQTT-4.4.0-1: the Session goes on.
    trace.connects(true, &[]);
    trace.sends(publish_again("x", QoS::AtLeastOnce, 1));
}

#[test]
fn what_stands_behind_the_servers_disconnect_is_not_looked_at() {
    let mut trace = Trace::connected(options());
    trace.receives_bytes(&[0xE0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(trace.closes().reason, Some(ReasonCode::SUCCESS));
}

#[test]
fn a_session_expiry_interval_in_the_servers_disconnect_ends_the_connection() {
    // MQTT-3.14.2-2
    let mut trace = Trace::connected(strict());
    let properties = set(&[(PropertyId::SessionExpiryInterval, Value::Int(1))]);
    trace.receives(Packet::Disconnect(Disconnect {
        reason: ReasonCode::SUCCESS,
        properties: properties.as_properties(),
    }));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn reserved_bits_of_disconnect_are_malformed() {
    // MQTT-3.14.1-1: 0x81.
    let mut trace = Trace::connected(options());
    trace.receives_bytes(&[0xE1, 0]);
    trace.breaks_off(ReasonCode::MALFORMED_PACKET);
}

#[test]
fn a_program_can_leave_before_connack() {
    let mut trace = Trace::new(options());
    trace.opens();
    trace.sends_connect(|_| ());
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.sends(disconnect(ReasonCode::SUCCESS));
    assert_eq!(trace.closes().failure, None);
    assert_eq!(trace.session.next_timeout(), None);
}

#[test]
fn a_session_without_a_connection_takes_everything_calmly() {
    let mut trace = Trace::new(options());
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.session.handle_closed(Status::Network, "twice");
    trace.session.handle_timeout(trace.now);
    trace.session.handle_sent(trace.now, 0);
    trace.receives_bytes(&[1, 2, 3]);
    trace.tells_nothing();
    assert_eq!((trace.session.next_timeout(), trace.session.output()), (None, &[][..]));
}

#[test]
fn a_disconnect_that_is_too_large_leaves_without_its_texts() {
    // MQTT-3.14.2-3, MQTT-3.14.2-4: without them, not unsaid: the Server would publish the Will Message.
    let texts = [
        (PropertyId::ReasonString, Value::Text("closing time")),
        (PropertyId::UserProperty, Value::Pair("by", "the program")),
    ];
    let interval = [(PropertyId::SessionExpiryInterval, Value::Int(9))];
    let asked = set(&[&texts[..], &interval].concat());
    for (maximum, sent) in [(200, &asked), (30, &set(&interval))] {
        let limit = [(PropertyId::MaximumPacketSize, Value::Int(maximum))];
        let mut trace = Trace::connected_to(options(), &limit);
        trace.session.disconnect(ReasonCode::SUCCESS, asked.as_properties());
        let properties = sent.as_properties();
        trace.sends(Packet::Disconnect(Disconnect { reason: ReasonCode::SUCCESS, properties }));
        trace.closes();
    }
}

#[test]
fn a_server_that_takes_less_than_any_answer_is_refused() {
    // MQTT-3.2.2-15: with four bytes no answer has a Reason Code, with fewer nothing that it sends above QoS 0 could be answered,
    // nor a PUBREL be sent. MQTT-4.13.2-1: the connection is closed though two bytes are less than a DISCONNECT that says why.
    for maximum in 1..=4 {
        let mut trace = Trace::connected(options());
        trace.publish(1, "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, 1));
        trace.receives(pubrec(1));
        trace.sends(pubrel(1));
        trace.loses_connection();
        trace.opens();
        trace.sends_connect(|_| ());
        let limit = set(&[(PropertyId::MaximumPacketSize, Value::Int(maximum))]);
        trace.receives(connack(true, ReasonCode::SUCCESS, &limit));
        let reason = ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR;
        let end = if maximum < 3 { trace.closes() } else { trace.breaks_off(reason) };
        assert_eq!((end.failure, end.reason), (Some(Status::NotSupportedByServer), Some(reason)));
        assert!(end.detail.contains(&format!("at most {maximum} bytes")), "{}", end.detail);
        // What was under way goes on elsewhere, or when the Server has changed its mind.
        trace.connects(true, &[(PropertyId::MaximumPacketSize, Value::Int(5))]);
        trace.sends(pubrel(1));
        trace.receives(pubcomp(1));
        trace.completes(1);
    }
}

#[test]
fn what_waits_to_be_stored_does_not_follow_disconnect() {
    // MQTT-3.14.4-1
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.receives(publish("y", QoS::ExactlyOnce, 7));
    trace.takes_message("y");
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    disk.store(&mut trace);
    trace.sends(disconnect(ReasonCode::SUCCESS));
    trace.closes();
    trace.connects(true, &[]);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.receives(publish_again("y", QoS::ExactlyOnce, 7));
    trace.sends(pubrec(7));
}

#[test]
fn no_answer_follows_disconnect() {
    // MQTT-3.14.4-1
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::AtLeastOnce, 7));
    let delivery = trace.tells_message("x");
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.acknowledge(delivery);
    trace.sends(disconnect(ReasonCode::SUCCESS));
    trace.closes();
    trace.connects(true, &[]);
    trace.receives(publish_again("x", QoS::AtLeastOnce, 7));
    trace.sends(puback(7));
}

#[test]
fn the_session_lasts_at_least_as_long_as_its_connection() {
    // MQTT-4.1.0-1, MQTT311-4.1.0-1, MQTT311-4.1.0-2: its expiry begins when the connection ends.
    for options in [
        SessionOptions { session_expiry_interval: 1, keep_alive: 0, ..options() },
        SessionOptions { session_expiry_interval: 0, keep_alive: 0, ..options() },
        SessionOptions { session_expiry_interval: 0, keep_alive: 0, ..v311() },
    ] {
        let mut trace = Trace::connected(options);
        trace.publish(1, "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, 1));
        trace.receives(publish("y", QoS::ExactlyOnce, 7));
        let delivery = trace.tells_message("y");
        trace.passes(Duration::from_secs(100_000));
        trace.receives(pubrec(1));
        trace.sends(pubrel(1));
        trace.passes(Duration::from_secs(100_000));
        trace.receives(pubcomp(1));
        trace.completes(1);
        trace.acknowledge(delivery);
        trace.sends(pubrec(7));
        trace.receives(publish_again("y", QoS::ExactlyOnce, 7));
        trace.sends(pubrec(7));
        trace.tells_nothing();
    }
}
