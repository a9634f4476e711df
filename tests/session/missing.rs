//! Answers that don't come from a Server that is there. The standard has each packet answered; Mosquitto drops what it has for
//! a client while too much waits for it.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::event::{Disconnected, Event};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;
const TIMEOUT: Duration = Duration::from_secs(30);

/// What else is sent isn't of interest here: no Keep Alive.
fn impatient() -> SessionOptions {
    SessionOptions { answer_timeout: TIMEOUT, keep_alive: 0, ..options() }
}

/// The Server is asked whether it is there, and is.
#[track_caller]
fn is_there(trace: &mut Trace) {
    trace.sends(Packet::Pingreq);
    trace.receives(Packet::Pingresp);
}

/// The connection ends because this has no answer.
#[track_caller]
fn ends(trace: &mut Trace, what: &str) -> Disconnected {
    let end = trace.breaks_off(ReasonCode::UNSPECIFIED_ERROR);
    assert_eq!(end.failure, Some(Status::Timeout));
    assert!(end.detail.contains(what), "{}", end.detail);
    end
}

/// A publish without an answer takes so long to end the connection; the Server answers PINGREQ.
#[track_caller]
fn ends_after(trace: &mut Trace, timeout: Duration) {
    let began = trace.now;
    while !trace.session.wants_close() {
        trace.passes(Duration::from_secs(1));
        if !trace.session.output().is_empty() && !trace.session.wants_close() {
            is_there(trace);
        }
        assert!(trace.now - began <= 2 * timeout, "it goes on after {:?}", trace.now - began);
    }
    assert!(trace.now - began >= timeout, "it ends after {:?}", trace.now - began);
    let end = ends(trace, "PUBLISH to 't', QoS 1 (token 1)");
    assert!(end.detail.contains(&format!("for {} ms", timeout.as_millis())), "{}", end.detail);
}

#[test]
fn a_publish_whose_answer_is_missing_ends_the_connection_and_goes_on_with_the_next() {
    // Section 4.4: on the next connection it is sent again.
    for qos in [QOS_1, QOS_2] {
        let mut trace = Trace::connected(impatient());
        trace.publish(1, "x", qos);
        trace.sends(publish("x", qos, 1));
        trace.passes(TIMEOUT);
        is_there(&mut trace);
        trace.passes(TIMEOUT - Duration::from_millis(1));
        trace.stays_connected();
        trace.sends_nothing();
        trace.passes(Duration::from_millis(1));
        ends(&mut trace, "PUBLISH to 't'");
        trace.connects(true, &[]);
        trace.sends(publish_again("x", qos, 1));
        if qos == QOS_1 {
            trace.receives(puback(1));
        } else {
            trace.receives(pubrec(1));
            trace.sends(pubrel(1));
            trace.receives(pubcomp(1));
        }
        trace.completes(1);
    }
}

#[test]
fn so_does_a_pubrel_beside_messages_that_are_answered() {
    let mut trace = Trace::connected(impatient());
    trace.publish(1, "x", QOS_2);
    trace.sends(publish("x", QOS_2, 1));
    trace.receives(pubrec(1));
    trace.sends(pubrel(1));
    for (token, packet_id) in [(2, 2), (3, 3)] {
        trace.publish(token, "y", QOS_1);
        trace.sends(publish("y", QOS_1, packet_id));
        trace.passes(TIMEOUT);
        if packet_id == 2 {
            is_there(&mut trace);
            trace.receives(puback(packet_id));
            trace.completes(token);
        }
    }
    ends(&mut trace, "PUBREL of a QoS 2 message (token 1)");
}

#[test]
fn so_does_a_subscribe_or_an_unsubscribe() {
    type Ask = fn(&mut Trace);
    let subscribe: Ask = |trace| trace.subscribe(1, "f");
    let unsubscribe: Ask = |trace| trace.unsubscribe(1, "f");
    for (ask, what) in [(subscribe, "SUBSCRIBE of 'f' (token 1)"), (unsubscribe, "UNSUBSCRIBE of 'f' (token 1)")] {
        let mut trace = Trace::connected(impatient());
        ask(&mut trace);
        trace.takes_packet(|_| ());
        trace.passes(TIMEOUT);
        is_there(&mut trace);
        trace.passes(TIMEOUT);
        ends(&mut trace, what);
    }
}

#[test]
fn a_step_of_qos_2_is_an_answer() {
    let mut trace = Trace::connected(impatient());
    trace.publish(1, "x", QOS_2);
    trace.sends(publish("x", QOS_2, 1));
    trace.passes(TIMEOUT);
    is_there(&mut trace);
    trace.receives(pubrec(1));
    trace.sends(pubrel(1));
    trace.passes(TIMEOUT);
    is_there(&mut trace);
    trace.stays_connected();
    trace.receives(pubcomp(1));
    trace.completes(1);
    trace.passes(10 * TIMEOUT);
    trace.sends_nothing();
    trace.stays_connected();
}

#[test]
fn a_server_that_has_not_come_so_far_yet_is_waited_for() {
    // It may have a lot to read, on a slow line.
    let mut trace = Trace::connected(SessionOptions { ping_timeout: 100 * TIMEOUT, ..impatient() });
    trace.publish(1, "x", QOS_1);
    trace.sends(publish("x", QOS_1, 1));
    for _ in 0..3 {
        trace.passes(TIMEOUT);
        trace.sends(Packet::Pingreq);
    }
    trace.stays_connected();
    trace.receives(Packet::Pingresp);
    trace.passes(TIMEOUT);
    ends(&mut trace, "PUBLISH to 't', QoS 1");
}

#[test]
fn a_pingresp_may_be_missing_too() {
    let mut trace = Trace::connected(SessionOptions { ping_timeout: 100 * TIMEOUT, keep_alive: 10, ..impatient() });
    trace.passes(Duration::from_secs(8));
    trace.sends(Packet::Pingreq);
    trace.publish(1, "x", QOS_1);
    trace.sends(publish("x", QOS_1, 1));
    // Of two PINGREQs one is answered, and that may be the one from before the publish.
    let mut looks = 0;
    while !trace.session.wants_close() {
        trace.passes(Duration::from_secs(1));
        let mut asked = false;
        while !trace.session.output().is_empty() && !trace.session.wants_close() {
            trace.sends(Packet::Pingreq);
            asked = true;
        }
        if asked {
            trace.receives(Packet::Pingresp);
            looks += 1;
        }
        assert!(looks < 20, "the connection goes on for ever");
    }
    ends(&mut trace, "PUBLISH to 't', QoS 1");
}

#[test]
fn what_waits_for_a_place_or_for_the_disk_is_not_the_servers_to_answer() {
    let narrow = SessionOptions { in_flight_maximum: 1, ..impatient() };
    let mut trace = Trace::connected(narrow);
    trace.publish(1, "x", QOS_1);
    trace.publish(2, "y", QOS_1);
    trace.sends(publish("x", QOS_1, 1));
    trace.passes(TIMEOUT);
    is_there(&mut trace);
    trace.receives(puback(1));
    trace.completes(1);
    trace.sends(publish("y", QOS_1, 2));
    trace.passes(TIMEOUT);
    is_there(&mut trace);
    trace.stays_connected();

    let mut disk = Disk::default();
    let mut trace = disk.start(impatient());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.publish(1, "x", QOS_2);
    trace.passes(3 * TIMEOUT);
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(publish("x", QOS_2, 1));
    trace.receives(pubrec(1));
    trace.passes(3 * TIMEOUT);
    trace.sends_nothing();
    trace.stays_connected();
    disk.store(&mut trace);
    trace.sends(pubrel(1));
    trace.passes(TIMEOUT);
    is_there(&mut trace);
    trace.passes(TIMEOUT);
    ends(&mut trace, "PUBREL");
}

#[test]
fn a_server_that_gives_no_answer_for_long_gets_more_time_with_each_connection() {
    let mut trace = Trace::connected(impatient());
    trace.publish(1, "x", QOS_1);
    trace.sends(publish("x", QOS_1, 1));
    for doubled in [0, 1, 2, 3, 4, 5, 6, 7, 7] {
        ends_after(&mut trace, TIMEOUT * (1 << doubled));
        trace.connects(true, &[]);
        trace.sends(publish_again("x", QOS_1, 1));
    }
    // An answer ends that.
    trace.passes(TIMEOUT * (1 << 7));
    is_there(&mut trace);
    trace.receives(puback(1));
    trace.completes(1);
    trace.passes(TIMEOUT * (1 << 7));
    trace.publish(1, "x", QOS_1);
    trace.sends(publish("x", QOS_1, 2));
    trace.passes(TIMEOUT);
    is_there(&mut trace);
    ends_after(&mut trace, TIMEOUT);
}

#[test]
fn what_is_answered_beside_it_shortens_the_time_of_nothing_that_is_still_missing() {
    let mut trace = Trace::connected(SessionOptions { ping_timeout: 100 * TIMEOUT, ..impatient() });
    trace.publish(1, "x", QOS_1);
    trace.sends(publish("x", QOS_1, 1));
    ends_after(&mut trace, TIMEOUT);
    trace.connects(true, &[]);
    trace.sends(publish_again("x", QOS_1, 1));
    trace.subscribe(2, "f");
    trace.takes_packet(|_| ());
    trace.passes(2 * TIMEOUT);
    trace.sends(Packet::Pingreq);
    trace.receives(suback(2, ReasonCode::GRANTED_QOS_2));
    assert!(matches!(trace.tells(), Event::Subscribed { .. }));
    trace.passes(2 * TIMEOUT);
    trace.sends(Packet::Pingreq);
    trace.receives(Packet::Pingresp);
    trace.passes(2 * TIMEOUT);
    let end = ends(&mut trace, "PUBLISH to 't', QoS 1");
    assert!(end.detail.contains("for 60000 ms"), "{}", end.detail);
    // What comes in its place isn't the same.
    trace.connects(true, &[]);
    trace.takes_packet(|_| ());
    trace.receives(suback(3, ReasonCode::GRANTED_QOS_2));
    trace.sends(publish_again("x", QOS_1, 1));
    trace.passes(4 * TIMEOUT);
    is_there(&mut trace);
    trace.publish(3, "y", QOS_1);
    trace.sends(publish("y", QOS_1, 4));
    trace.receives(puback(1));
    trace.completes(1);
    trace.passes(4 * TIMEOUT);
    is_there(&mut trace);
    trace.passes(TIMEOUT);
    ends(&mut trace, "for 30000 ms");
}

#[test]
fn nothing_ends_if_so_asked_nor_what_is_not_online() {
    let mut trace = Trace::connected(SessionOptions { answer_timeout: Duration::ZERO, ..impatient() });
    trace.publish(1, "x", QOS_1);
    trace.sends(publish("x", QOS_1, 1));
    trace.passes(1000 * TIMEOUT);
    trace.sends_nothing();
    trace.stays_connected();
    trace.loses_connection();
    let mut trace = Trace::connected(impatient());
    trace.publish(1, "x", QOS_1);
    trace.takes_packet(|_| ());
    // MQTT-3.14.4-1: nothing follows DISCONNECT.
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.takes_packet(|_| ());
    trace.session.handle_timeout(trace.now + TIMEOUT);
    assert_eq!(trace.closes().failure, None);
    trace.passes(10 * TIMEOUT);
    assert!(trace.session.poll_event().is_none_or(|event| !matches!(event, Event::Disconnected(_))));
}
