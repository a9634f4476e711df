//! What may happen to a publish while it waits: others overtake it, a newer one supersedes it, it expires.

use crate::trace::*;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::codec::{Packet, property};
use mt5mqtt::session::Amount;
use mt5mqtt::session::options::{OutgoingOverflow, PublishOptions, SessionOptions};
use mt5mqtt::session::record::Key;
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use std::time::Duration;

const QOS_0: QoS = QoS::AtMostOnce;
const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

fn plain() -> PublishOptions {
    PublishOptions::default()
}

#[test]
fn what_expires_before_connack_takes_no_time_from_the_server() {
    let mut trace = Trace::new(options());
    trace.opens();
    trace.sends_connect(|_| ());
    trace.publish_so(1, "t", "x", QoS::AtLeastOnce, lives(10));
    trace.passes(Duration::from_millis(10));
    assert_eq!(trace.tells_published(1).failure, Some(Status::Expired));
    assert!(!trace.session.wants_close());
    trace.passes(CONNECT_TIMEOUT);
    assert_eq!(trace.closes().failure, Some(Status::ConnectTimeout));
}

#[test]
fn priority_messages_overtake_ordinary_ones_and_keep_their_order() {
    let mut trace = Trace::new(options());
    for (token, payload, qos, how) in [
        (1, "tick 1", QOS_0, plain()),
        (2, "report", QOS_1, plain()),
        (3, "order 1", QOS_2, priority()),
        (4, "tick 2", QOS_0, plain()),
        (5, "order 2", QOS_1, priority()),
        (6, "alarm", QOS_0, priority()),
    ] {
        trace.publish_so(token, "t", payload, qos, how);
    }
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["order 1", "order 2", "alarm", "tick 1", "report", "tick 2"]);
}

#[test]
fn a_part_of_the_send_quota_is_kept_for_priority_messages() {
    // MQTT-4.9.0-1
    let receive_maximum = |value| [(PropertyId::ReceiveMaximum, Value::Int(value))];
    let options = || SessionOptions { priority_reserve: 2, ..options() };
    let mut trace = Trace::connected_to(options(), &receive_maximum(5));
    for token in 1..=5 {
        trace.publish(token, "report", QOS_1);
    }
    assert_eq!(trace.sends_payloads().len(), 3, "two of five are kept");
    for token in 11..=13 {
        trace.publish_so(token, "t", "order", QOS_1, priority());
    }
    assert_eq!(trace.sends_payloads(), ["order", "order"], "and the Receive Maximum holds for all");
    trace.receives(puback(1));
    assert_eq!(trace.sends_payloads(), ["order"], "what is given back goes to the order first");
    for id in 2..=3 {
        trace.receives(puback(id));
        trace.sends_nothing();
    }
    trace.receives(puback(4));
    assert_eq!(trace.sends_payloads(), ["report"]);
    // A Server that takes one at a time still gets ordinary messages.
    let mut trace = Trace::connected_to(options(), &receive_maximum(1));
    trace.publish(1, "report", QOS_1);
    assert_eq!(trace.sends_payloads(), ["report"]);
}

#[test]
fn what_waits_can_be_withdrawn_and_what_was_sent_goes_on() {
    let mut trace = Trace::new(SessionOptions { in_flight_maximum: 1, ..options() });
    for (token, payload, qos, how) in [
        (1, "sent", QOS_1, plain()),
        (2, "order", QOS_2, priority()),
        (3, "waits", QOS_1, lives(60_000)),
        (4, "value", QOS_1, key("x")),
        (5, "tick", QOS_0, plain()),
        (6, "last", QOS_1, plain()),
    ] {
        trace.publish_so(token, "t", payload, qos, how);
    }
    trace.session.cancel(2);
    assert_eq!(trace.tells_published(2).failure, Some(Status::Cancelled));
    trace.connects(false, &[]);
    // The tick has left: of that nobody hears, now as ever.
    assert_eq!(trace.sends_payloads(), ["sent", "tick"]);
    for token in [1, 5, 99] {
        trace.session.cancel(token);
    }
    trace.tells_nothing();
    for token in [3, 4] {
        trace.session.cancel(token);
        assert_eq!(trace.tells_published(token).failure, Some(Status::Cancelled));
    }
    // Nothing of them is left: neither a place for a newer value nor a time.
    trace.publish_so(7, "t", "newer", QOS_1, key("x"));
    trace.tells_nothing();
    assert_eq!(trace.session.outstanding().count, 3);
    trace.receives(puback(1));
    trace.completes(1);
    assert_eq!(trace.sends_payloads(), ["last"]);
    // On the next connection it is sent again, so it can't be withdrawn in between either.
    trace.loses_connection();
    trace.session.cancel(6);
    trace.tells_nothing();
    trace.connects(true, &[]);
    trace.sends(publish_again("last", QOS_1, 2));
    trace.receives(puback(2));
    trace.completes(6);
}

#[test]
fn what_is_withdrawn_is_out_of_the_store_and_what_may_have_arrived_is_in_doubt() {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.publish(1, "stored", QOS_2);
    disk.store(&mut trace);
    // By the next process, perhaps before its store is open.
    let mut trace = Trace::new(options());
    trace.session.cancel(1);
    trace.session.restore(disk.records.clone().into_iter().collect()).expect("what was stored fits together");
    trace.connects(false, &[]);
    trace.sends_nothing();
    // Killed now, yet another one would send it.
    trace.tells_nothing();
    disk.store(&mut trace);
    assert_eq!(trace.tells_published(1).failure, Some(Status::Cancelled));
    trace.session.heard(1);
    disk.store(&mut trace);
    assert!(disk.records.keys().eq([&Key::Session]), "{:?}", disk.records);
    // Section 4.4: sent in a Session that is lost, it waits to be sent as a new message.
    let withdraw: fn(&mut Trace) = |trace| trace.session.cancel(2);
    let supersede: fn(&mut Trace) = |trace| trace.publish_so(3, "t", "y", QOS_0, key("x"));
    for way in [withdraw, supersede] {
        let mut trace = Trace::connected(SessionOptions { session_expiry_interval: 0, ..options() });
        trace.publish_so(2, "t", "x", QOS_1, key("x"));
        trace.sends(publish("x", QOS_1, 1));
        trace.loses_connection();
        way(&mut trace);
        assert_eq!(trace.tells_published(2).failure, Some(Status::SessionLost));
    }
}

#[test]
fn only_the_latest_value_of_a_key_is_sent_and_it_keeps_the_place_of_the_first() {
    let mut trace = Trace::new(options());
    for (token, topic, payload, how) in [
        (1, "EURUSD", "1.1", key("EURUSD")),
        (2, "GBPUSD", "1.3", key("GBPUSD")),
        (3, "log", "a", plain()),
        (4, "EURUSD", "1.2", key("EURUSD")),
        (5, "log", "b", plain()),
        (6, "EURUSD", "1.25", key("EURUSD")),
    ] {
        trace.publish_so(token, topic, payload, QOS_0, how);
    }
    assert_eq!(trace.session.outstanding().count, 4);
    assert_eq!(trace.session.counters().publishes_superseded, 2);
    // Of QoS 0 the counter tells, of QoS 1 and 2 an event too.
    trace.tells_nothing();
    trace.publish_so(7, "x", "old", QOS_1, key("x"));
    trace.publish_so(8, "x", "new", QOS_1, key("x"));
    assert_eq!(trace.tells_published(7).failure, Some(Status::Superseded));
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["1.25", "1.3", "a", "b", "new"]);
    assert_eq!(trace.session.outstanding(), Amount { count: 1, bytes: 4 });
}

#[test]
fn a_newer_value_with_priority_moves_to_the_front() {
    let mut trace = Trace::new(options());
    trace.publish(1, "first", QOS_1);
    trace.publish_so(2, "t", "old", QOS_1, key("k"));
    trace.publish_so(3, "t", "new", QOS_2, PublishOptions { priority: true, ..key("k") });
    assert_eq!(trace.tells_published(2).failure, Some(Status::Superseded));
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["new", "first"]);
}

#[test]
fn the_latest_value_is_the_last_one_also_after_a_lost_session() {
    // Section 4.4: both were sent and are published anew. A value that took the place of the first would be followed, and so
    // overruled, by the second.
    let mut trace = Trace::connected(SessionOptions { session_expiry_interval: 0, ..options() });
    for (token, value) in [(1, "old"), (2, "newer")] {
        trace.publish_so(token, "t", value, QoS::AtLeastOnce, key("position"));
        assert_eq!(trace.sends_payloads(), [value]);
    }
    trace.loses_connection();
    trace.publish_so(3, "t", "newest", QoS::AtLeastOnce, key("position"));
    trace.tells_published(2);
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["old", "newest"]);
}

#[test]
fn what_was_sent_is_not_superseded() {
    // MQTT-4.4.0-1: it belongs to the Session.
    let mut trace = Trace::connected(options());
    trace.publish_so(1, "t", "sent", QOS_1, key("k"));
    trace.sends(publish("sent", QOS_1, 1));
    trace.loses_connection();
    trace.publish_so(2, "t", "newer", QOS_1, key("k"));
    trace.tells_nothing();
    trace.connects(true, &[]);
    trace.sends(publish_again("sent", QOS_1, 1));
    trace.sends(publish("newer", QOS_1, 2));
    // Nor is it when the Server has lost the Session and it is published anew.
    trace.loses_connection();
    trace.publish_so(3, "t", "newest", QOS_1, key("k"));
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["sent", "newer", "newest"]);
    trace.tells_nothing();
}

#[test]
fn what_waits_too_long_is_dropped_and_its_token_is_told() {
    let mut trace = Trace::new(options());
    trace.publish_so(1, "t", "a", QOS_1, lives(1500));
    trace.publish_so(2, "t", "b", QOS_0, lives(500));
    trace.publish(3, "c", QOS_1);
    assert_eq!(trace.session.next_timeout(), Some(trace.now + Duration::from_millis(500)));
    trace.passes(Duration::from_millis(499));
    trace.tells_nothing();
    trace.passes(Duration::from_millis(1));
    assert_eq!(trace.tells_published(2).failure, Some(Status::Expired));
    trace.tells_nothing();
    trace.passes(Duration::from_secs(2));
    assert_eq!(trace.tells_published(1).failure, Some(Status::Expired));
    assert_eq!((trace.session.next_timeout(), trace.session.counters().publishes_expired), (None, 2));
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["c"]);
}

#[test]
fn an_expired_message_is_not_sent_though_nobody_looked_at_the_timer() {
    // The machine slept, and the Server's answer comes before the timer is looked at.
    let mut trace = Trace::new(options());
    trace.publish_so(1, "t", "old", QOS_1, lives(500));
    trace.opens();
    trace.sends_connect(|_| ());
    trace.now += Duration::from_secs(3600);
    let nothing = property::PropertiesBuf::new();
    trace.receives(connack(false, mt5mqtt::types::reason::ReasonCode::SUCCESS, &nothing));
    trace.sends_nothing();
    trace.tells();
    assert_eq!(trace.tells_published(1).failure, Some(Status::Expired));
}

#[test]
fn a_message_that_was_sent_in_time_ends_with_its_answer() {
    let mut trace = Trace::connected(options());
    trace.publish_so(1, "t", "a", QOS_1, lives(500));
    trace.sends(publish("a", QOS_1, 1));
    trace.passes(Duration::from_secs(5));
    trace.tells_nothing();
    trace.receives(puback(1));
    trace.completes(1);
}

/// A message with a Message Expiry Interval among other properties.
fn expiring(seconds: u32, qos: QoS) -> Message {
    let properties = set(&[
        (PropertyId::ContentType, Value::Text("x")),
        (PropertyId::MessageExpiryInterval, Value::Int(seconds)),
        (PropertyId::CorrelationData, Value::Binary(b"y")),
    ]);
    Message::new(TopicName::new("t").unwrap(), b"z", qos, false, properties.as_properties())
}

#[track_caller]
fn sends_expiry(trace: &mut Trace) -> (Option<u32>, bool) {
    trace.takes_packet(|packet| match packet {
        Packet::Publish(publish) => {
            assert_eq!(publish.properties.text(PropertyId::ContentType), Some("x"));
            assert_eq!(
                (publish.properties.binary(PropertyId::CorrelationData), publish.payload),
                (Some(&b"y"[..]), &b"z"[..])
            );
            (publish.properties.int(PropertyId::MessageExpiryInterval), publish.dup)
        }
        other => panic!("{other:?}"),
    })
}

#[test]
fn the_message_expiry_interval_says_what_remains_also_when_sent_again() {
    // Section 3.3.2.3.3
    let mut trace = Trace::new(options());
    trace.publish_message(1, expiring(100, QOS_1));
    trace.passes(Duration::from_millis(10_001));
    trace.connects(false, &[]);
    assert_eq!(sends_expiry(&mut trace), (Some(90), false), "89.999 s are rounded up");
    trace.passes(Duration::from_secs(20));
    trace.reconnects(true);
    assert_eq!(sends_expiry(&mut trace), (Some(70), true));
    // MQTT-4.4.0-1: what was sent is sent again, even if it has expired. 0 would mean to a Server that it never expires.
    trace.passes(Duration::from_secs(20));
    trace.reconnects(true);
    trace.passes(Duration::from_millis(1));
    assert_eq!(sends_expiry(&mut trace), (Some(50), true));
    trace.loses_connection();
    trace.now += Duration::from_secs(3600);
    trace.connects(true, &[]);
    assert_eq!(sends_expiry(&mut trace), (Some(1), true));
    trace.receives(puback(1));
    trace.completes(1);
}

#[test]
fn so_does_that_of_a_qos_0_message() {
    let mut trace = Trace::new(options());
    trace.publish_message(1, expiring(100, QOS_0));
    trace.passes(Duration::from_secs(30));
    trace.connects(false, &[]);
    assert_eq!(sends_expiry(&mut trace), (Some(70), false));
}

#[test]
fn a_message_whose_expiry_interval_is_over_while_it_waits_is_dropped() {
    let mut trace = Trace::new(options());
    trace.publish_message(1, expiring(10, QOS_2));
    trace.publish_message(2, expiring(0, QOS_0));
    trace.passes(Duration::ZERO);
    assert_eq!(trace.tells_published(2).failure, Some(Status::Expired));
    trace.passes(Duration::from_secs(10));
    assert_eq!(trace.tells_published(1).failure, Some(Status::Expired));
    assert_eq!(trace.session.outstanding(), Amount::default());
}

fn bounded(outgoing_maximum: usize, outgoing_overflow: OutgoingOverflow) -> Trace {
    Trace::new(SessionOptions { outgoing_maximum, outgoing_overflow, ..options() })
}

#[test]
fn when_the_newest_is_dropped_an_order_still_finds_its_place() {
    let mut trace = bounded(2, OutgoingOverflow::DropNewest);
    for token in 1..=3 {
        trace.publish(token, "tick", QOS_1);
    }
    assert_eq!(trace.tells_published(3).failure, Some(Status::Dropped));
    trace.publish_so(4, "t", "order", QOS_1, priority());
    assert_eq!(trace.tells_published(2).failure, Some(Status::Dropped));
    trace.publish_so(5, "t", "order", QOS_1, priority());
    assert_eq!(trace.tells_published(1).failure, Some(Status::Dropped));
    trace.publish_so(6, "t", "order", QOS_1, priority());
    assert_eq!(trace.tells_published(6).failure, Some(Status::Dropped));
    assert_eq!((trace.session.outstanding().count, trace.session.counters().publishes_dropped), (2, 4));
}

#[test]
fn when_the_oldest_is_dropped_orders_go_last() {
    let mut trace = bounded(2, OutgoingOverflow::DropOldest);
    trace.publish_so(1, "t", "order", QOS_1, priority());
    trace.publish(2, "tick", QOS_0);
    trace.publish(3, "tick", QOS_1);
    assert_eq!(trace.tells_published(2).failure, Some(Status::Dropped));
    trace.publish_so(4, "t", "order", QOS_1, priority());
    assert_eq!(trace.tells_published(3).failure, Some(Status::Dropped));
    trace.publish_so(5, "t", "order", QOS_1, priority());
    assert_eq!(trace.tells_published(1).failure, Some(Status::Dropped));
}

#[test]
fn a_full_queue_that_refuses_still_takes_newer_values_of_its_keys_and_stays_within_its_bounds() {
    let mut trace = bounded(2, OutgoingOverflow::Refuse);
    trace.publish_so(1, "t", "a", QOS_1, key("k"));
    trace.publish(2, "b", QOS_1);
    trace.publish_so(3, "t", "c", QOS_1, key("k"));
    assert_eq!(trace.tells_published(1).failure, Some(Status::Superseded));
    trace.publish_so(4, "t", "d", QOS_1, key("another"));
    assert_eq!(trace.tells_published(4).failure, Some(Status::QueueFull));
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["c", "b"]);
}

#[test]
fn who_has_to_know_whose_publishes_are_hears_of_every_end() {
    let mut trace = Trace::new(SessionOptions { every_end: true, ..options() });
    trace.publish_so(1, "t", "old price", QOS_0, key("price"));
    trace.publish_so(2, "t", "new price", QOS_0, key("price"));
    assert_eq!(trace.tells_published(1).failure, Some(Status::Superseded));
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["new price"]);
    assert_eq!(trace.tells_published(2).failure, None);
    trace.publish(3, "at once", QOS_0);
    assert_eq!(trace.sends_payloads(), ["at once"]);
    assert_eq!(trace.tells_published(3).failure, None);
    trace.tells_nothing();
}

#[test]
fn what_another_kind_of_message_supersedes_is_not_sent_by_the_next_process() {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.publish_so(1, "t", "stored", QOS_1, key("EURUSD"));
    disk.store(&mut trace);
    // It is not stored, and so doesn't take over the record of the other.
    trace.publish_so(2, "t", "newer", QOS_0, key("EURUSD"));
    disk.store(&mut trace);
    assert_eq!(trace.tells_published(1).failure, Some(Status::Superseded));
    trace.session.heard(1);
    disk.store(&mut trace);
    let mut next = disk.start(options());
    next.connects(false, &[]);
    next.tells_nothing();
    disk.store(&mut next);
    next.sends_nothing();
    trace.connects(false, &[]);
    assert_eq!(trace.sends_payloads(), ["newer"]);
}
