//! The send quota (section 4.9).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;

fn receiving_at_most(receive_maximum: u32) -> Trace {
    Trace::connected_to(options(), &[(PropertyId::ReceiveMaximum, Value::Int(receive_maximum))])
}

#[test]
fn no_more_than_the_receive_maximum_is_unanswered() {
    // MQTT-4.9.0-1, MQTT-4.9.0-2, MQTT-3.3.4-7
    let mut trace = receiving_at_most(2);
    for token in 1..=5 {
        trace.publish(token, "x", QoS::AtLeastOnce);
    }
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.sends(publish("x", QoS::AtLeastOnce, 2));
    trace.sends_nothing();
    trace.receives(puback(2));
    trace.completes(2);
    trace.sends(publish("x", QoS::AtLeastOnce, 3));
    trace.sends_nothing();
}

#[test]
fn a_spent_quota_holds_back_nothing_else() {
    // MQTT-4.9.0-3, MQTT-3.3.4-8: QoS 0, SUBSCRIBE, answers and PINGREQ go on.
    let mut trace = receiving_at_most(1);
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.publish(2, "waits", QoS::AtLeastOnce);
    trace.publish(3, "zero", QoS::AtMostOnce);
    trace.sends(publish("zero", QoS::AtMostOnce, 0));
    trace.subscribe(4, "f");
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
    trace.receives(publish("in", QoS::AtLeastOnce, 9));
    trace.takes_message("in");
    trace.sends(puback(9));
    trace.passes(std::time::Duration::from_secs(25));
    trace.sends(Packet::Pingreq);
    trace.sends_nothing();
}

#[test]
fn qos_2_gives_its_place_back_with_pubcomp() {
    // MQTT-4.9.0-2, MQTT-3.3.4-7: a PUBREC below 0x80 does not, one with an error does.
    let mut trace = receiving_at_most(1);
    for token in 1..=3 {
        trace.publish(token, "x", QoS::ExactlyOnce);
    }
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(1));
    trace.sends(pubrel(1));
    trace.sends_nothing();
    trace.receives(pubcomp(1));
    trace.sends(publish("x", QoS::ExactlyOnce, 2));
    trace.receives(Packet::Pubrec(Ack::new(id(2), ReasonCode::QUOTA_EXCEEDED)));
    trace.sends(publish("x", QoS::ExactlyOnce, 3));
}

#[test]
fn publishes_are_held_up_by_a_spent_quota_and_by_nothing_else() {
    let held_up = |trace: &Trace| trace.session.held_up().map(|held_up| (held_up.allowed, held_up.answers));
    let mut trace = Trace::connected_to(
        SessionOptions { priority_reserve: 1, ..options() },
        &[(PropertyId::ReceiveMaximum, Value::Int(3))],
    );
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.publish(2, "x", QoS::ExactlyOnce);
    assert_eq!(held_up(&trace), None, "nothing waits");
    trace.publish(3, "x", QoS::AtLeastOnce);
    assert_eq!(held_up(&trace), Some((3, 0)), "one place is kept for priority messages");
    trace.receives(pubrec(2));
    assert_eq!(held_up(&trace), Some((3, 1)), "that place isn't free yet");
    trace.loses_connection();
    assert_eq!(held_up(&trace), None, "it waits for a connection");
    trace.connects(true, &[(PropertyId::ReceiveMaximum, Value::Int(3))]);
    assert_eq!(held_up(&trace), Some((3, 0)), "the quota starts anew");
    trace.receives(pubcomp(2));
    assert_eq!(held_up(&trace), None);
}

#[test]
fn the_quota_never_grows_beyond_the_receive_maximum() {
    // MQTT-4.9.0-1: answers to nothing give no place back.
    let mut trace = receiving_at_most(1);
    for _ in 0..3 {
        trace.receives(puback(77));
        trace.receives(pubcomp(77));
    }
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.publish(2, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.sends_nothing();
}

#[test]
fn the_quota_starts_anew_with_each_connection() {
    // Section 4.9: it is not part of the Session.
    let mut trace = receiving_at_most(1);
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::ReceiveMaximum, Value::Int(2))]);
    trace.publish(2, "y", QoS::AtLeastOnce);
    trace.publish(3, "z", QoS::AtLeastOnce);
    trace.sends(publish_again("x", QoS::AtLeastOnce, 1));
    trace.sends(publish("y", QoS::AtLeastOnce, 2));
    trace.sends_nothing();
}

#[test]
fn unfinished_pubrels_take_their_place_on_the_next_connection() {
    let mut trace = receiving_at_most(2);
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(1));
    trace.sends(pubrel(1));
    trace.loses_connection();
    trace.publish(2, "y", QoS::AtLeastOnce);
    trace.publish(3, "z", QoS::AtLeastOnce);
    trace.connects(true, &[(PropertyId::ReceiveMaximum, Value::Int(2))]);
    trace.sends(pubrel(1));
    trace.sends(publish("y", QoS::AtLeastOnce, 2));
    trace.sends_nothing();
    trace.receives(pubcomp(1));
    trace.sends(publish("z", QoS::AtLeastOnce, 3));
}

#[test]
fn pubrels_beyond_a_narrower_receive_maximum_keep_their_places_until_they_are_finished() {
    // MQTT-3.3.4-7, MQTT-4.9.0-2: the Server counts what has no PUBCOMP, as Mosquitto does, and would end the connection.
    let mut trace = receiving_at_most(3);
    for packet_id in 1..=3 {
        trace.publish(packet_id.into(), "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, packet_id));
        trace.receives(pubrec(packet_id));
        trace.sends(pubrel(packet_id));
    }
    trace.publish(4, "y", QoS::AtLeastOnce);
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::ReceiveMaximum, Value::Int(1))]);
    for packet_id in 1..=3 {
        trace.sends(pubrel(packet_id));
    }
    for packet_id in 1..=3 {
        trace.sends_nothing();
        trace.receives(pubcomp(packet_id));
        trace.completes(packet_id.into());
    }
    trace.sends(publish("y", QoS::AtLeastOnce, 4));
}

#[test]
fn what_is_confirmed_before_it_was_sent_again_takes_its_place_too() {
    // MQTT-3.3.4-7, MQTT-4.9.0-2: the answer of a Server that has had the message before.
    let mut trace = receiving_at_most(2);
    for packet_id in 1..=2 {
        trace.publish(packet_id.into(), "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, packet_id));
    }
    trace.publish(3, "y", QoS::AtLeastOnce);
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::ReceiveMaximum, Value::Int(1))]);
    trace.sends(publish_again("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(2));
    trace.sends(pubrel(2));
    for packet_id in [1, 2] {
        trace.sends_nothing();
        if packet_id == 1 {
            trace.receives(pubrec(1));
            trace.sends(pubrel(1));
        }
        trace.receives(pubcomp(packet_id));
        trace.completes(packet_id.into());
    }
    trace.sends(publish("y", QoS::AtLeastOnce, 3));
}

#[test]
fn our_own_limit_holds_below_the_servers() {
    let mut trace = Trace::connected(SessionOptions { in_flight_maximum: 1, ..options() });
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.publish(2, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.sends_nothing();
}

#[test]
fn messages_keep_the_order_of_their_acceptance() {
    // Section 4.6
    let mut trace = receiving_at_most(3);
    let expected: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
    for (token, payload) in (1..).zip(&expected) {
        trace.publish(token, payload, QoS::AtLeastOnce);
    }
    for payload in &expected {
        let (sent, packet_id) = trace.takes_packet(|packet| match packet {
            Packet::Publish(publish) => (publish.payload.to_vec(), publish.packet_id.unwrap().get()),
            other => panic!("{other:?}"),
        });
        assert_eq!(sent, payload.as_bytes());
        trace.receives(puback(packet_id));
    }
}

#[test]
fn nothing_waits_for_a_packet_identifier_that_needs_none() {
    // MQTT-2.2.1-2, section 4.9: all identifiers are in use, one of them by a SUBSCRIBE, and the quota isn't spent.
    let mut trace = Trace::connected(SessionOptions { in_flight_maximum: 65_535, ..options() });
    trace.subscribe(1, "t");
    trace.takes_packet(|_| ());
    for token in 2..=65_536 {
        trace.publish(token, "order", QoS::AtLeastOnce);
    }
    trace.publish(65_537, "tick", QoS::AtMostOnce);
    let sent = trace.sends_payloads();
    assert_eq!((sent.len(), sent.last().map(String::as_str)), (65_535, Some("tick")));
    // The first that is free is given to the one that waits.
    trace.receives(puback(2));
    trace.completes(2);
    trace.sends(publish("order", QoS::AtLeastOnce, 2));
    trace.sends_nothing();
}

#[test]
fn what_can_not_be_sent_again_gives_its_place_to_the_next() {
    // Section 4.9: there will be no answer that would.
    let mut trace = receiving_at_most(1);
    trace.publish(1, &"x".repeat(100), QoS::AtLeastOnce);
    trace.takes_packet(|_| ());
    trace.publish(2, "y", QoS::AtLeastOnce);
    trace.loses_connection();
    let limits = [(PropertyId::ReceiveMaximum, Value::Int(1)), (PropertyId::MaximumPacketSize, Value::Int(64))];
    trace.connects(true, &limits);
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.sends(publish("y", QoS::AtLeastOnce, 2));
}

#[test]
fn the_servers_quota_is_given_back_by_each_end_of_a_flow() {
    // MQTT-3.3.4-7: with PUBACK, PUBCOMP and a PUBREC that refuses.
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 1, ..options() });
    for _ in 0..3 {
        trace.receives(publish("x", QoS::ExactlyOnce, 1));
        trace.takes_message("x");
        trace.sends(pubrec(1));
        trace.receives(pubrel(1));
        trace.sends(pubcomp(1));
        trace.receives(publish("x", QoS::AtLeastOnce, 2));
        trace.takes_message("x");
        trace.sends(puback(2));
        trace.receives(publish("x", QoS::ExactlyOnce, 3));
        let delivery = trace.tells_message("x").unwrap();
        assert!(trace.session.acknowledge(delivery, ReasonCode::NOT_AUTHORIZED));
        trace.sends(Packet::Pubrec(Ack::new(id(3), ReasonCode::NOT_AUTHORIZED)));
    }
    trace.stays_connected();
}
