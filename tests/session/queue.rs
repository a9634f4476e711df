//! The outgoing queue: its bounds, and what is dropped on purpose.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::session::Amount;
use mt5mqtt::session::options::{OutgoingOverflow, SessionOptions};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;

fn holding(outgoing_maximum: usize, outgoing_maximum_bytes: usize) -> Trace {
    let outgoing_overflow = OutgoingOverflow::DropOldest;
    Trace::new(SessionOptions { outgoing_maximum, outgoing_maximum_bytes, outgoing_overflow, ..options() })
}

#[test]
fn the_oldest_unsent_message_makes_room_and_its_token_is_told() {
    let mut trace = holding(2, usize::MAX);
    trace.publish(1, "a", QoS::AtLeastOnce);
    trace.publish(2, "b", QoS::AtMostOnce);
    trace.tells_nothing();
    trace.publish(3, "c", QoS::AtLeastOnce);
    assert_eq!(trace.tells_published(1).failure, Some(Status::Dropped));
    trace.publish(4, "d", QoS::AtMostOnce);
    assert_eq!(trace.tells_published(2).failure, Some(Status::Dropped));
    assert_eq!((trace.session.outstanding().count, trace.session.counters().publishes_dropped), (2, 2));
    trace.connects(false, &[]);
    trace.sends(publish("c", QoS::AtLeastOnce, 1));
    trace.sends(publish("d", QoS::AtMostOnce, 0));
}

#[test]
fn the_newest_message_is_the_one_that_came_last_whatever_its_qos() {
    for (newest, other) in [(QoS::AtMostOnce, QoS::AtLeastOnce), (QoS::AtLeastOnce, QoS::AtMostOnce)] {
        let mut trace = holding(2, usize::MAX);
        trace.publish(1, "a", newest);
        trace.publish(2, "b", other);
        trace.session.limit_outgoing(2, usize::MAX, OutgoingOverflow::DropNewest);
        trace.publish(3, "c", newest);
        assert_eq!(trace.tells_published(3).failure, Some(Status::Dropped));
        trace.tells_nothing();
    }
}

#[test]
fn its_bounds_may_be_changed_while_something_waits() {
    let mut trace = holding(2, usize::MAX);
    for (token, payload) in [(1, "a"), (2, "b")] {
        trace.publish(token, payload, QoS::AtLeastOnce);
    }
    trace.session.limit_outgoing(3, 4, OutgoingOverflow::DropNewest);
    trace.tells_nothing();
    trace.publish(3, "c", QoS::AtLeastOnce);
    assert_eq!(trace.tells_published(3).failure, Some(Status::Dropped));
    trace.session.limit_outgoing(3, usize::MAX, OutgoingOverflow::DropOldest);
    trace.publish(4, "d", QoS::AtLeastOnce);
    trace.tells_nothing();
    trace.publish(5, "e", QoS::AtLeastOnce);
    assert_eq!(trace.tells_published(1).failure, Some(Status::Dropped));
    trace.tells_nothing();
}

#[test]
fn bytes_are_bounded_too() {
    let mut trace = holding(1000, 25);
    let mut exact = holding(1000, 20);
    for token in 1..=5 {
        exact.publish(token, "123456789", QoS::AtLeastOnce);
        assert_eq!(exact.session.outstanding().bytes, if token == 1 { 10 } else { 20 });
        trace.publish(token, "123456789", QoS::AtLeastOnce);
        assert!(trace.session.outstanding().bytes <= 25);
    }
    for token in 1..=3 {
        assert_eq!(trace.tells_published(token).failure, Some(Status::Dropped));
    }
    trace.tells_nothing();
}

#[test]
fn what_is_in_flight_is_never_dropped() {
    // MQTT-4.4.0-1: it belongs to the Session.
    let mut trace = Trace::connected(SessionOptions {
        outgoing_maximum: 1,
        outgoing_overflow: OutgoingOverflow::DropOldest,
        ..options()
    });
    trace.publish(1, "a", QoS::AtLeastOnce);
    trace.sends(publish("a", QoS::AtLeastOnce, 1));
    trace.loses_connection();
    trace.publish(2, "b", QoS::AtLeastOnce);
    assert_eq!(trace.tells_published(2).failure, Some(Status::Dropped));
    trace.connects(true, &[]);
    trace.sends(publish_again("a", QoS::AtLeastOnce, 1));
    trace.sends_nothing();
}

#[test]
fn the_output_is_bounded_and_the_rest_stays_in_the_queue() {
    // What the transport doesn't take must not pile up outside of the bounds of the queue.
    let mut trace = Trace::connected(options());
    let payload = "x".repeat(1000);
    for token in 1..=2000 {
        trace.publish(token, &payload, QoS::AtMostOnce);
    }
    assert!(trace.session.output().len() < 300_000, "{}", trace.session.output().len());
    assert!(trace.session.outstanding().count > 1700);
    for _ in 0..2000 {
        trace.sends(publish(&payload, QoS::AtMostOnce, 0));
    }
    assert_eq!(trace.session.outstanding(), Amount::default());
}

#[test]
fn requests_and_messages_survive_any_number_of_failed_connections() {
    let mut trace = Trace::new(options());
    trace.publish(1, "a", QoS::AtMostOnce);
    trace.publish(2, "b", QoS::AtLeastOnce);
    trace.subscribe(3, "f");
    for _ in 0..5 {
        trace.opens();
        trace.sends_connect(|_| ());
        trace.loses_connection();
    }
    trace.connects(false, &[]);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
    trace.sends(publish("a", QoS::AtMostOnce, 0));
    trace.sends(publish("b", QoS::AtLeastOnce, 2));
}

#[test]
fn what_failed_is_out_of_the_store_before_the_program_hears_of_it() {
    // It may publish it anew then, and the process that comes after a crash would send the old one all the same.
    let drop: fn(&mut Trace) = |trace| trace.publish(2, "two", QoS::AtLeastOnce);
    let supersede: fn(&mut Trace) = |trace| trace.publish_so(2, "t", "two", QoS::AtLeastOnce, key("x"));
    let refuse: fn(&mut Trace) = |trace| {
        trace.connects(false, &[]);
        trace.sends(publish("one", QoS::AtLeastOnce, 1));
        trace.receives(Packet::Puback(Ack::new(id(1), ReasonCode::QUOTA_EXCEEDED)));
    };
    for (fails, status) in [(drop, Status::Dropped), (supersede, Status::Superseded), (refuse, Status::RefusedByServer)]
    {
        let mut disk = Disk::default();
        let outgoing_overflow = OutgoingOverflow::DropOldest;
        let mut trace = disk.start(SessionOptions { outgoing_maximum: 1, outgoing_overflow, ..options() });
        trace.publish_so(1, "t", "one", QoS::AtLeastOnce, key("x"));
        disk.store(&mut trace);
        fails(&mut trace);
        trace.tells_nothing();
        disk.store(&mut trace);
        assert_eq!(trace.tells_published(1).failure, Some(status));
        let mut trace = disk.start(options());
        assert_eq!(trace.tells_published(1).failure, Some(status));
        trace.connects(status == Status::RefusedByServer, &[]);
        disk.store(&mut trace);
        assert!(!trace.sends_payloads().contains(&"one".to_owned()));
    }
}

#[test]
fn of_values_that_return_to_the_queue_only_the_newest_can_be_superseded() {
    // Sent in a Session that is lost, they wait again: a newer one in the place of an older one would leave the one between as the last.
    let ending = || SessionOptions { session_expiry_interval: 0, ..options() };
    for second_was_sent in [false, true] {
        let in_flight_maximum = if second_was_sent { 2 } else { 1 };
        let mut trace = Trace::connected(SessionOptions { in_flight_maximum, ..ending() });
        trace.publish_so(1, "t", "one", QoS::AtLeastOnce, key("x"));
        trace.takes_packet(|_| ());
        trace.publish_so(2, "t", "two", QoS::AtLeastOnce, key("x"));
        if second_was_sent {
            trace.takes_packet(|_| ());
        }
        trace.loses_connection();
        trace.publish_so(3, "t", "three", QoS::AtLeastOnce, key("x"));
        let status = if second_was_sent { Status::SessionLost } else { Status::Superseded };
        assert_eq!(trace.tells_published(2).failure, Some(status));
        trace.connects(false, &[(PropertyId::ReceiveMaximum, Value::Int(1))]);
        assert_eq!(trace.sends_payloads(), ["one"]);
        trace.publish_so(4, "t", "four", QoS::AtLeastOnce, key("x"));
        assert_eq!(trace.tells_published(3).failure, Some(Status::Superseded));
        let first = if second_was_sent { 3 } else { 2 };
        trace.receives(puback(first));
        trace.completes(1);
        assert_eq!(trace.sends_payloads(), ["four"]);
    }
}

#[test]
fn a_server_that_asks_and_does_not_read_is_not_read_from_until_it_does() {
    // MQTT-4.3.3-11 wants an answer for each PUBREL; they must not fill the memory.
    let mut trace = Trace::connected(options());
    let mut asked = 0;
    while !trace.session.wants_no_input() {
        trace.receives(pubrel(7));
        asked += 1;
        assert!(trace.session.output().len() < 4 << 20, "it never ends");
    }
    // More than a Server may have unfinished at once.
    assert!(asked > u32::from(u16::MAX), "{asked}");
    let unsent = trace.session.output().len();
    trace.session.handle_sent(trace.now, unsent / 2);
    assert!(trace.session.wants_no_input(), "there is no room yet");
    trace.session.handle_sent(trace.now, trace.session.output().len());
    assert!(!trace.session.wants_no_input());
    trace.stays_connected();
}

#[test]
fn who_subscribes_first_is_waited_for_on_each_connection() {
    let mut trace = Trace::new(SessionOptions { waits_to_publish: true, ..options() });
    trace.publish(1, "one", QoS::AtLeastOnce);
    for (session_present, dup) in [(false, false), (true, true)] {
        trace.connects(session_present, &[]);
        trace.publish(2, "tick", QoS::AtMostOnce);
        if dup {
            // What was sent before belongs to the Session (section 4.4).
            trace.sends(publish_again("one", QoS::AtLeastOnce, 1));
        }
        trace.sends_nothing();
        trace.session.go_on(trace.now);
        if !dup {
            trace.sends(publish("one", QoS::AtLeastOnce, 1));
        }
        trace.sends(publish("tick", QoS::AtMostOnce, 0));
        trace.loses_connection();
    }
}
