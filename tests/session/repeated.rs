//! Messages that come again under another Packet Identifier are recognised by a key that their sender gave them, also after
//! a crash.

use crate::trace::*;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::{Delivery, Event};
use mt5mqtt::session::options::{Acknowledge, Deduplicate, MessageKey, PayloadFormatCheck, SessionOptions};
use mt5mqtt::session::record::Record;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

fn recognising(suppress: bool, window: usize) -> SessionOptions {
    let deduplicate = Some(Deduplicate { key: MessageKey::CorrelationData, window, suppress });
    SessionOptions { deduplicate, acknowledge: Acknowledge::Explicitly, ..options() }
}

/// The Server sends a message with this Correlation Data.
fn arrives(trace: &mut Trace, key: &str, qos: QoS, packet_id: u16, dup: bool) {
    let properties = set(&[(PropertyId::CorrelationData, Value::Binary(key.as_bytes()))]);
    trace.receives(Packet::Publish(Publish {
        dup,
        qos,
        retain: false,
        topic: Some(TopicName::new("t").unwrap()),
        packet_id: PacketId::new(packet_id),
        properties: properties.as_properties(),
        payload: key.as_bytes(),
    }));
}

/// The program gets a message with this key; returns whether it is told that it had one before.
#[track_caller]
fn gets(trace: &mut Trace, key: &str) -> (Option<Delivery>, bool) {
    match trace.tells() {
        Event::Message { message, delivery, seen_before, .. } => {
            assert_eq!(message.payload(), key.as_bytes());
            (delivery, seen_before)
        }
        other => panic!("{other:?} instead of a message"),
    }
}

#[test]
fn a_second_message_with_a_key_is_told_of_as_one() {
    let mut trace = Trace::connected(recognising(false, 10));
    arrives(&mut trace, "order 1", QOS_1, 1, false);
    arrives(&mut trace, "order 2", QOS_1, 2, false);
    let (first, seen) = gets(&mut trace, "order 1");
    assert!(!seen && !gets(&mut trace, "order 2").1);
    // The program has it, though it isn't done with it.
    arrives(&mut trace, "order 1", QOS_2, 3, false);
    let (second, seen) = gets(&mut trace, "order 1");
    assert!(seen);
    trace.acknowledge(first);
    trace.sends(puback(1));
    trace.acknowledge(second);
    arrives(&mut trace, "order 1", QOS_1, 4, false);
    assert!(gets(&mut trace, "order 1").1);
    // Without a key every message is a new one, and so is one of QoS 0.
    for packet_id in [5, 6] {
        trace.receives(publish("no key", QOS_1, packet_id));
        assert!(!gets(&mut trace, "no key").1);
        arrives(&mut trace, "order 1", QoS::AtMostOnce, 0, false);
        assert!(!gets(&mut trace, "order 1").1);
    }
}

#[test]
fn what_the_program_is_done_with_is_kept_away_and_acknowledged_in_its_turn() {
    let mut trace = Trace::connected(recognising(true, 10));
    arrives(&mut trace, "order", QOS_1, 1, false);
    let (first, _) = gets(&mut trace, "order");
    // Not done with yet: were it kept away and the program died, the order would be lost.
    arrives(&mut trace, "order", QOS_1, 2, false);
    let (second, seen) = gets(&mut trace, "order");
    assert!(seen);
    trace.acknowledge(first);
    trace.sends(puback(1));
    // MQTT-4.6.0-2: it waits for the one before.
    arrives(&mut trace, "order", QOS_1, 3, false);
    trace.tells_nothing();
    trace.sends_nothing();
    trace.acknowledge(second);
    trace.sends(puback(2));
    trace.sends(puback(3));
    assert_eq!(trace.session.counters().messages_suppressed, 1);
}

#[test]
fn what_the_program_is_done_with_is_recognised_though_its_session_was_lost_meanwhile() {
    // The sender, or the Server under another Packet Identifier, sends again what nobody has acknowledged. Whichever copy the
    // program acknowledges, the next one is kept away, also after a crash.
    for acknowledges_first in [true, false] {
        let mut disk = Disk::default();
        let mut trace = disk.start(recognising(true, 10));
        trace.connects(false, &[]);
        arrives(&mut trace, "order", QOS_1, 1, false);
        let (first, _) = gets(&mut trace, "order");
        trace.reconnects(false);
        if acknowledges_first {
            // The Server knows of no message under this name any more.
            assert!(!trace.session.acknowledge(first.unwrap(), ReasonCode::SUCCESS));
        } else {
            arrives(&mut trace, "order", QOS_1, 7, false);
            let (second, seen) = gets(&mut trace, "order");
            assert!(seen);
            trace.acknowledge(second);
        }
        arrives(&mut trace, "order", QOS_1, 8, false);
        trace.tells_nothing();
        disk.store(&mut trace);
        let mut trace = disk.start(recognising(true, 10));
        trace.connects(true, &[]);
        arrives(&mut trace, "order", QOS_1, 9, false);
        trace.tells_nothing();
    }
}

#[test]
fn a_message_that_the_session_refuses_was_never_the_program_s() {
    // Section 3.3.2.3.2: its sender mends it, and the program must not take it for one that it has had.
    let options = SessionOptions { payload_format_check: PayloadFormatCheck::Refuse, ..recognising(true, 10) };
    let mut trace = Trace::connected(options);
    let properties = set(&[
        (PropertyId::PayloadFormatIndicator, Value::Int(1)),
        (PropertyId::CorrelationData, Value::Binary(b"order")),
    ]);
    for (packet_id, payload) in [(1, &b"\xFF"[..]), (2, b"order")] {
        trace.receives(Packet::Publish(Publish {
            dup: false,
            qos: QOS_1,
            retain: false,
            topic: Some(TopicName::new("t").unwrap()),
            packet_id: PacketId::new(packet_id),
            properties: properties.as_properties(),
            payload,
        }));
        if packet_id == 1 {
            trace.sends(Packet::Puback(Ack::new(id(1), ReasonCode::PAYLOAD_FORMAT_INVALID)));
            assert!(matches!(trace.tells(), Event::Breach(Breach::PayloadFormat)));
        }
    }
    assert!(!gets(&mut trace, "order").1);
}

#[test]
fn an_answer_that_need_not_be_stored_does_not_overtake_one_that_has_to_be() {
    // MQTT-4.6.0-2: PUBACKs leave in the order in which the messages came.
    let mut disk = Disk::default();
    let mut trace = disk.start(recognising(true, 10));
    trace.connects(false, &[]);
    disk.store(&mut trace);
    arrives(&mut trace, "order", QOS_1, 1, false);
    trace.receives(publish("without a key", QOS_1, 2));
    let (order, _) = gets(&mut trace, "order");
    trace.acknowledge(order);
    let other = trace.tells_message("without a key");
    trace.acknowledge(other);
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(puback(1));
    trace.sends(puback(2));
}

#[test]
fn messages_of_lost_sessions_are_remembered_as_long_as_their_keys() {
    let mut trace = Trace::connected(recognising(true, 2));
    let mut held = Vec::new();
    for key in ["one", "two", "three"] {
        arrives(&mut trace, key, QOS_1, 1, false);
        held.extend(gets(&mut trace, key).0);
        trace.reconnects(false);
    }
    for delivery in held {
        assert!(!trace.session.acknowledge(delivery, ReasonCode::SUCCESS), "its Session is gone");
    }
    for (packet_id, key) in [(1, "two"), (2, "three")] {
        arrives(&mut trace, key, QOS_1, packet_id, false);
        trace.sends(puback(packet_id));
        trace.tells_nothing();
    }
    arrives(&mut trace, "one", QOS_1, 3, false);
    assert!(!gets(&mut trace, "one").1);
}

#[test]
fn a_copy_is_answered_when_it_is_stored_that_it_is_one() {
    // The first one was the Server's until its Session was lost. Whoever forgot it in a crash then would have neither.
    let mut disk = Disk::default();
    let mut trace = disk.start(SessionOptions { acknowledge: Acknowledge::OnArrival, ..recognising(true, 10) });
    trace.connects(false, &[]);
    disk.store(&mut trace);
    arrives(&mut trace, "order", QOS_1, 1, false);
    trace.sends_nothing();
    assert!(!gets(&mut trace, "order").1);
    trace.reconnects(false);
    arrives(&mut trace, "order", QOS_1, 7, false);
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(puback(7));
    trace.tells_nothing();
}

#[test]
fn a_copy_that_the_program_refuses_makes_nothing_undone() {
    let mut disk = Disk::default();
    let mut trace = disk.start(recognising(true, 1));
    trace.connects(false, &[]);
    arrives(&mut trace, "order", QOS_1, 1, false);
    arrives(&mut trace, "order", QOS_1, 2, false);
    arrives(&mut trace, "order", QOS_1, 3, false);
    let copies: Vec<_> = (0..3).map(|_| gets(&mut trace, "order").0).collect();
    trace.acknowledge(copies[0]);
    disk.store(&mut trace);
    assert!(trace.session.acknowledge(copies[1].unwrap(), ReasonCode::UNSPECIFIED_ERROR));
    trace.acknowledge(copies[2]);
    arrives(&mut trace, "order", QOS_1, 4, false);
    trace.tells_nothing();
    // The next key pushes it out, of the store too.
    arrives(&mut trace, "other", QOS_1, 5, false);
    disk.store(&mut trace);
    assert!(!disk.records.values().any(|record| matches!(record, Record::Done { .. })));
}

#[test]
fn a_message_that_the_program_refused_is_a_new_one_when_it_comes_again() {
    let mut trace = Trace::connected(recognising(true, 10));
    arrives(&mut trace, "order", QOS_1, 1, false);
    let (first, _) = gets(&mut trace, "order");
    assert!(trace.session.acknowledge(first.unwrap(), ReasonCode::UNSPECIFIED_ERROR));
    arrives(&mut trace, "order", QOS_1, 2, false);
    assert!(!gets(&mut trace, "order").1);
}

#[test]
fn the_oldest_keys_are_forgotten_when_the_window_is_full() {
    let mut trace = Trace::connected(recognising(false, 2));
    for (id, key) in (1..).zip(["a", "b", "c"]) {
        arrives(&mut trace, key, QOS_1, id, false);
        assert!(!gets(&mut trace, key).1);
    }
    arrives(&mut trace, "c", QOS_1, 4, false);
    assert!(gets(&mut trace, "c").1);
    arrives(&mut trace, "a", QOS_1, 5, false);
    assert!(!gets(&mut trace, "a").1);
}

#[test]
fn a_user_property_can_be_the_key() {
    let mut options = recognising(false, 10);
    if let Some(deduplicate) = &mut options.deduplicate {
        deduplicate.key = MessageKey::UserProperty("order".to_owned());
    }
    let mut trace = Trace::connected(options);
    for (id, value, seen_before) in [(1, "7", false), (2, "8", false), (3, "7", true)] {
        let properties = set(&[
            (PropertyId::UserProperty, Value::Pair("other", "7")),
            (PropertyId::UserProperty, Value::Pair("order", value)),
        ]);
        trace.receives(Packet::Publish(Publish {
            dup: false,
            qos: QOS_1,
            retain: false,
            topic: Some(TopicName::new("t").unwrap()),
            packet_id: PacketId::new(id),
            properties: properties.as_properties(),
            payload: b"",
        }));
        assert_eq!(gets(&mut trace, "").1, seen_before);
    }
}

#[test]
fn after_a_crash_what_was_acknowledged_is_recognised_and_what_was_not_comes_as_new() {
    let mut disk = Disk::default();
    let mut trace = disk.start(recognising(false, 2));
    trace.connects(false, &[]);
    disk.store(&mut trace);
    arrives(&mut trace, "done", QOS_1, 1, false);
    arrives(&mut trace, "not done", QOS_1, 2, false);
    let (done, _) = gets(&mut trace, "done");
    gets(&mut trace, "not done");
    trace.acknowledge(done);
    // The Server hears of it when the key is stored, and not before.
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(puback(1));

    // The process is killed. The PUBACK was lost with the line, so the Server sends both again.
    let mut trace = disk.start(recognising(false, 2));
    trace.connects(true, &[]);
    arrives(&mut trace, "done", QOS_1, 1, true);
    arrives(&mut trace, "not done", QOS_1, 2, true);
    let (again, seen) = gets(&mut trace, "done");
    assert!(seen);
    let (not_done, seen) = gets(&mut trace, "not done");
    assert!(!seen);
    trace.acknowledge(again);
    trace.acknowledge(not_done);
    arrives(&mut trace, "third", QOS_1, 3, false);
    let (third, _) = gets(&mut trace, "third");
    trace.acknowledge(third);
    disk.store(&mut trace);
    // The window is that of the store too.
    let keys = disk.records.values().filter(|record| matches!(record, Record::Done { .. }));
    assert_eq!(keys.count(), 2);
}

#[test]
fn what_another_server_sends_again_is_still_recognised_by_its_key() {
    // `is_done_away`: while the connection was another one. A copy is known, and nothing is answered before that is stored.
    for is_done_away in [false, true] {
        let mut disk = Disk::default();
        let mut trace = disk.start(SessionOptions { acknowledge: Acknowledge::WhenTaken, ..recognising(true, 10) });
        trace.session.set_server("a");
        trace.connects(false, &[]);
        arrives(&mut trace, "order", QOS_1, 7, false);
        let delivery = gets(&mut trace, "order").0.unwrap();
        for (server, session_present) in [("b", false), ("a", true)] {
            trace.loses_connection();
            trace.session.set_server(server);
            trace.connects(session_present, &[]);
            disk.store(&mut trace);
            if server == "b" && is_done_away {
                trace.session.taken(delivery);
            }
        }
        disk.store(&mut trace);
        if is_done_away {
            // Something else is on its way to the disk.
            trace.publish(1, "x", QOS_1);
            trace.takes_packet(|_| ());
        }
        arrives(&mut trace, "order", QOS_1, 7, true);
        trace.tells_nothing();
        if !is_done_away {
            trace.session.taken(delivery);
        }
        trace.sends_nothing();
        disk.store(&mut trace);
        trace.sends(puback(7));
        arrives(&mut trace, "order", QOS_1, 8, false);
        trace.tells_nothing();
        trace.sends(puback(8));
    }
}
