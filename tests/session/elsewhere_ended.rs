//! Sessions that other Servers may still have (`elsewhere`), though this side has ended them, or never heard of them: ended by us,
//! begun with a CONNECT that was not answered, or longer-lived than they were.

use crate::elsewhere::{at_a, comes_back_in_doubt, goes_round_without, moves, sends};
use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::session::record::Record;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

/// The program ends its Session, and the Server may not hear of it.
#[track_caller]
fn ends_session(trace: &mut Trace) {
    let never = set(&[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
    trace.session.disconnect(ReasonCode::SUCCESS, never.as_properties());
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Disconnect(_)), "{packet:?}"));
    trace.closes();
}

#[test]
fn a_session_that_an_unanswered_connect_may_have_begun_is_not_the_one_from_before() {
    // MQTT-3.2.2-3, MQTT-4.3.3-2: the first Server may have passed the order on, and the second one says of its new Session that it is
    // present.
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.session.set_server("a");
    trace.connects(false, &[]);
    trace.publish(1, "order", QOS_2);
    disk.store(&mut trace);
    trace.sends(publish("order", QOS_2, 1));
    sends(&mut trace, "sent to a", QOS_1, 2);
    trace.loses_connection();
    trace.session.set_server("b");
    for _ in 0..2 {
        trace.opens();
        trace.sends_connect(|connect| assert!(!connect.clean_start));
        trace.loses_connection();
    }
    disk.store(&mut trace);
    let now = trace.now;
    let at_b = |trace: &mut Trace| {
        trace.connects(true, &[]);
        assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
        trace.takes_packet(|packet| match packet {
            Packet::Publish(publish) => assert_eq!((publish.payload, publish.dup), (&b"sent to a"[..], false)),
            other => panic!("{other:?}"),
        });
        trace.sends_nothing();
    };
    at_b(&mut trace);
    // So does the next process.
    let mut trace = disk.start(options());
    trace.now = now;
    trace.session.set_server("b");
    at_b(&mut trace);
    // Where it was not begun with that CONNECT, or is the one at home, nothing changes.
    let mut trace = at_a();
    sends(&mut trace, "order", QOS_2, 1);
    trace.loses_connection();
    trace.session.set_server("b");
    trace.opens();
    trace.sends_connect(|_| ());
    trace.loses_connection();
    trace.session.set_server("a");
    trace.connects(true, &[]);
    trace.sends(publish_again("order", QOS_2, 1));
}

#[test]
fn a_session_that_was_left_lasts_as_long_as_the_last_disconnect_said() {
    // Section 3.14.2.2.2, MQTT-4.4.0-1
    let mut trace = at_a();
    let longer = set(&[(PropertyId::SessionExpiryInterval, Value::Int(86_400))]);
    trace.session.disconnect(ReasonCode::SUCCESS, longer.as_properties());
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Disconnect(_)), "{packet:?}"));
    trace.closes();
    trace.session.set_server("b");
    trace.connects(false, &[]);
    sends(&mut trace, "sent to b", QOS_2, 1);
    trace.passes(Duration::from_secs(80_000));
    comes_back_in_doubt(&mut trace);
}

#[test]
fn a_session_that_was_left_in_mqtt_3_1_1_lasts_for_ever() {
    // MQTT311-3.1.2-4: nobody tells the Server when it may forget a Session that is no Clean Session.
    let mut trace = Trace::new(SessionOptions { keep_alive: 0, clean_start: false, ..v311() });
    trace.session.set_server("a");
    trace.connects(false, &[]);
    moves(&mut trace, "b", false);
    sends(&mut trace, "sent to b", QOS_2, 1);
    trace.passes(Duration::from_secs(1_000_000));
    comes_back_in_doubt(&mut trace);
}

#[test]
fn a_session_that_was_ended_may_be_found_again_after_one_at_another_server() {
    // MQTT-4.3.3-4, MQTT-4.3.3-10: only the next connection asks for a Clean Start, and it was one to the other Server.
    let mut trace = at_a();
    sends(&mut trace, "sent to a", QOS_2, 1);
    trace.receives(publish("order", QOS_2, 7));
    trace.takes_message("order");
    trace.sends(pubrec(7));
    ends_session(&mut trace);
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.session.set_server("b");
    trace.connects(false, &[]);
    sends(&mut trace, "sent to b", QOS_2, 2);
    trace.passes(Duration::from_secs(3600));
    moves(&mut trace, "a", true);
    assert_eq!(trace.tells_published(2).failure, Some(Status::SessionLost));
    trace.receives(publish_again("order", QOS_2, 7));
    trace.tells_nothing();
    trace.sends(pubrec(7));
    goes_round_without(&mut trace, &[1]);
}

#[test]
fn a_session_that_was_ended_may_be_found_again_by_the_next_process() {
    // MQTT-4.3.3-4: its program says that it has one (CLEAN_START 0).
    let mut disk = Disk::default();
    let mut trace = disk.start(SessionOptions { keep_alive: 0, ..options() });
    trace.session.set_server("a");
    trace.connects(false, &[]);
    trace.publish(1, "sent to a", QOS_2);
    disk.store(&mut trace);
    trace.sends(publish("sent to a", QOS_2, 1));
    ends_session(&mut trace);
    disk.store(&mut trace);
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.session.heard(1);
    disk.store(&mut trace);
    let mut trace = disk.start(SessionOptions { keep_alive: 0, clean_start: false, ..options() });
    trace.session.set_server("a");
    trace.connects(true, &[]);
    disk.store(&mut trace);
    trace.publish(2, "x", QOS_2);
    disk.store(&mut trace);
    trace.sends(publish("x", QOS_2, 2));
    // A new one knows nothing of it.
    trace.reconnects(false);
    disk.store(&mut trace);
    assert!(disk.records.values().all(|record| !matches!(record, Record::Server { ids, .. } if !ids.is_empty())));
}

#[test]
fn a_session_that_was_ended_is_over_at_the_same_server() {
    // MQTT-3.1.2-4: the Clean Start has made an end of it.
    let mut trace = at_a();
    sends(&mut trace, "sent to a", QOS_2, 1);
    ends_session(&mut trace);
    trace.tells_published(1);
    trace.connects(false, &[]);
    sends(&mut trace, "sent anew", QOS_1, 2);
    trace.reconnects(true);
    trace.sends(publish_again("sent anew", QOS_1, 2));
    trace.tells_nothing();
}
