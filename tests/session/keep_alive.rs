//! Keep Alive, Server Keep Alive, PINGREQ and PINGRESP (sections 3.1.2.10, 3.2.2.3.14, 3.12, 3.13).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::Status;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_quiet_connection_is_kept_alive() {
    // MQTT-3.1.2-20, MQTT-3.12.4-1: well before the 30 seconds are over.
    let mut trace = Trace::connected(options());
    for _ in 0..5 {
        trace.passes(22 * SECOND);
        trace.sends_nothing();
        trace.passes(SECOND);
        trace.sends(Packet::Pingreq);
        trace.sends_nothing();
        trace.receives(Packet::Pingresp);
    }
    trace.stays_connected();
}

#[test]
fn the_server_keep_alive_overrules_ours() {
    // MQTT-3.1.2-21, MQTT-3.2.2-21
    let mut trace = Trace::connected_to(options(), &[(PropertyId::ServerKeepAlive, Value::Int(4))]);
    trace.passes(3 * SECOND);
    trace.sends(Packet::Pingreq);
    let mut trace = Trace::connected_to(options(), &[(PropertyId::ServerKeepAlive, Value::Int(0))]);
    trace.passes(100_000 * SECOND);
    trace.sends_nothing();
    trace.stays_connected();
}

#[test]
fn without_keep_alive_nothing_is_sent() {
    let trace = Trace::connected(SessionOptions { keep_alive: 0, ..options() });
    assert_eq!(trace.session.next_timeout(), None);
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    // 5-3.1.2.10-a, MQTT-3.12.4-1; section 3.1.2.10
    let mut trace = Trace::connected(options());
    trace.passes(23 * SECOND);
    trace.sends(Packet::Pingreq);
    trace.passes(9 * SECOND);
    trace.stays_connected();
    trace.passes(SECOND);
    assert_eq!(trace.closes().failure, Some(Status::KeepAliveTimeout));
}

#[test]
fn other_bytes_prove_that_the_server_is_there() {
    // The PINGRESP may stand behind a lot of messages.
    let mut trace = Trace::connected(options());
    trace.passes(23 * SECOND);
    trace.sends(Packet::Pingreq);
    for _ in 0..10 {
        trace.passes(8 * SECOND);
        trace.receives(publish("x", QoS::AtMostOnce, 0));
        trace.tells_message("x");
    }
    trace.receives(Packet::Pingresp);
    trace.stays_connected();
}

#[test]
fn while_a_pingresp_is_awaited_the_server_goes_on_hearing_of_us() {
    // MQTT-3.1.2-20: on a slow line the PINGRESP stands behind messages for longer than the Keep Alive. A Server that hears
    // nothing meanwhile ends the connection.
    let mut trace = Trace::connected(options());
    let (mut silent, mut pings) = (0, 0);
    for _ in 0..120 {
        trace.passes(SECOND);
        trace.receives(publish("x", QoS::AtMostOnce, 0));
        trace.tells_message("x");
        silent += 1;
        while !trace.session.output().is_empty() {
            trace.sends(Packet::Pingreq);
            (silent, pings) = (0, pings + 1);
        }
        assert!(silent < 30, "silent for {silent} seconds");
    }
    assert!(pings <= 6, "{pings}");
    for _ in 0..pings {
        trace.receives(Packet::Pingresp);
    }
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 0);
}

#[test]
fn who_is_heard_while_a_pingresp_is_awaited_asks_no_second_time() {
    let mut trace = Trace::connected(options());
    trace.passes(23 * SECOND);
    trace.sends(Packet::Pingreq);
    for _ in 0..120 {
        trace.passes(SECOND);
        trace.receives(publish("x", QoS::AtMostOnce, 0));
        trace.tells_message("x");
        trace.publish(1, "y", QoS::AtMostOnce);
        trace.sends(publish("y", QoS::AtMostOnce, 0));
        trace.sends_nothing();
    }
}

#[test]
fn a_keep_alive_shorter_than_the_time_for_an_answer_hides_no_dead_server() {
    // MQTT-3.1.2-20, 5-3.1.2.10-a: PINGREQs follow each other, and the time is that of the first one.
    let mut trace = Trace::connected_to(options(), &[(PropertyId::ServerKeepAlive, Value::Int(1))]);
    let mut pings = 0;
    for _ in 0..10 {
        trace.passes(SECOND);
        while !trace.session.output().is_empty() {
            trace.sends(Packet::Pingreq);
            pings += 1;
        }
        trace.stays_connected();
    }
    assert!(pings >= 10, "{pings}");
    // All are answered at once, after nine seconds of nothing.
    for _ in 0..pings {
        trace.receives(Packet::Pingresp);
    }
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 0);
    for _ in 0..11 {
        trace.passes(SECOND);
        while !trace.session.output().is_empty() {
            trace.sends(Packet::Pingreq);
        }
    }
    assert_eq!(trace.closes().failure, Some(Status::KeepAliveTimeout));
}

#[test]
fn a_busy_connection_needs_no_ping() {
    let mut trace = Trace::connected(options());
    for _ in 0..10 {
        trace.passes(20 * SECOND);
        trace.publish(1, "x", QoS::AtMostOnce);
        trace.sends(publish("x", QoS::AtMostOnce, 0));
        trace.receives(publish("y", QoS::AtMostOnce, 0));
        trace.tells_message("y");
    }
}

#[test]
fn sending_all_the_time_does_not_hide_a_dead_server() {
    // A publisher that never hears anything would otherwise go on for ever.
    let mut trace = Trace::connected(options());
    let mut pings = 0;
    for _ in 0..40 {
        trace.publish(1, "x", QoS::AtMostOnce);
        trace.passes(SECOND);
        if trace.session.wants_close() {
            break;
        }
        while !trace.session.output().is_empty() {
            trace.takes_packet(|packet| pings += usize::from(*packet == Packet::Pingreq));
        }
    }
    assert_eq!(pings, 1);
    while !trace.session.output().is_empty() {
        trace.takes_packet(|_| ());
    }
    assert_eq!(trace.closes().failure, Some(Status::KeepAliveTimeout));
}

/// A message of a mebibyte leaves by a slow line, which takes so much of it in each second.
fn uploading(trace: &mut Trace, a_second: usize, mut seconds: u32) {
    while seconds > 0 && !trace.session.output().is_empty() {
        trace.passes(SECOND);
        let count = trace.session.output().len().min(a_second);
        trace.session.handle_sent(trace.now, count);
        seconds -= 1;
    }
}

#[test]
fn a_pingreq_that_waits_behind_a_large_message_is_not_sent_yet() {
    // 5-3.1.2.10-a: the time for the answer begins when the request has left.
    let mut trace = Trace::connected(options());
    trace.publish(1, &"x".repeat(1 << 20), QoS::AtMostOnce);
    uploading(&mut trace, 16 << 10, 100);
    assert!(trace.session.output().is_empty());
    trace.stays_connected();
    trace.passes(9 * SECOND);
    trace.receives(Packet::Pingresp);
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 0);
}

#[test]
fn a_line_that_takes_no_more_bytes_is_given_up_although_pingreq_has_not_left() {
    let mut trace = Trace::connected(options());
    trace.publish(1, &"x".repeat(1 << 20), QoS::AtMostOnce);
    uploading(&mut trace, 16 << 10, 40);
    trace.passes(9 * SECOND);
    trace.stays_connected();
    trace.passes(SECOND);
    assert!(trace.session.wants_close());
}

#[test]
fn what_takes_none_of_our_bytes_lets_the_server_hear_nothing() {
    // MQTT-3.1.2-20: a transport that holds encrypted bytes back is asked to send them, too.
    let mut trace = Trace::connected(options());
    trace.passes(22 * SECOND);
    trace.session.handle_sent(trace.now, 0);
    trace.passes(SECOND);
    trace.sends(Packet::Pingreq);
}

#[test]
fn the_round_trip_is_measured() {
    let mut trace = Trace::connected(options());
    trace.passes(23 * SECOND);
    trace.sends(Packet::Pingreq);
    trace.passes(Duration::from_millis(120));
    trace.receives(Packet::Pingresp);
    let rtt = trace.session.counters().ping_rtt_us.expect("a measured time");
    assert!((120_000..700_000).contains(&rtt), "{rtt}");
}

#[test]
fn a_pingresp_that_nobody_asked_for_is_counted() {
    let mut trace = Trace::connected(options());
    trace.receives(Packet::Pingresp);
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 1);
}

#[test]
fn while_reading_is_paused_the_server_goes_on_hearing_of_us() {
    // MQTT-3.1.2-20: a program that doesn't poll for an hour keeps its connection.
    let mut trace = Trace::connected(options());
    let mut pings = 0;
    for _ in 0..3600 / 5 {
        trace.session.handle_reading_paused(trace.now);
        trace.passes(5 * SECOND);
        while !trace.session.output().is_empty() {
            trace.takes_packet(|packet| assert_eq!(*packet, Packet::Pingreq));
            pings += 1;
        }
    }
    trace.stays_connected();
    assert!((120..=240).contains(&pings), "{pings}");
    for _ in 0..pings {
        trace.receives(Packet::Pingresp);
    }
    assert_eq!(trace.session.counters().breaches, 0);
}

#[test]
fn once_it_is_read_again_a_server_that_is_gone_is_noticed() {
    // Section 3.1.2.10: each PINGREQ asks anew only while its answer may lie there unread.
    let wanted = SessionOptions { keep_alive: 10, ping_timeout: 20 * SECOND, ..options() };
    let mut trace = Trace::connected(wanted);
    trace.session.handle_reading_paused(trace.now);
    trace.passes(8 * SECOND);
    trace.sends(Packet::Pingreq);
    trace.receives(Packet::Pingresp);
    for _ in 0..40 {
        trace.passes(SECOND);
        let unsent = trace.session.output().len();
        trace.session.handle_sent(trace.now, unsent);
        if trace.session.wants_close() {
            break;
        }
    }
    assert_eq!(trace.closes().failure, Some(Status::KeepAliveTimeout));
}
