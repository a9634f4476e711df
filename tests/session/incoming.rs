//! The receiver's side of QoS 0, 1 and 2 (section 4.3): answers, their order, redelivery, our Receive Maximum.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::{Acknowledge, Acknowledgement, SessionOptions};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use std::time::Duration;

#[test]
fn qos_0_has_no_answer() {
    // MQTT-3.3.4-1
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::AtMostOnce, 0));
    assert_eq!(trace.tells_message("x"), None);
    trace.sends_nothing();
}

#[test]
fn qos_1_is_answered_when_the_program_has_it() {
    // MQTT-4.3.2-4, MQTT-2.2.1-5, MQTT-3.3.4-1
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::AtLeastOnce, 42));
    let delivery = trace.tells_message("x");
    trace.sends_nothing();
    trace.acknowledge(delivery);
    trace.sends(puback(42));
}

#[test]
fn qos_2_goes_through_its_four_packets() {
    // MQTT-4.3.3-8, MQTT-4.3.3-11, MQTT-2.2.1-5, MQTT-3.3.4-1
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::ExactlyOnce, 42));
    trace.takes_message("x");
    trace.sends(pubrec(42));
    trace.receives(pubrel(42));
    trace.sends(pubcomp(42));
    trace.sends_nothing();
}

#[test]
fn on_arrival_means_before_the_program_has_it() {
    // MQTT-4.3.2-4
    let mut trace = Trace::connected(SessionOptions { acknowledge: Acknowledge::OnArrival, ..options() });
    trace.receives(publish("a", QoS::AtLeastOnce, 1));
    trace.receives(publish("b", QoS::ExactlyOnce, 2));
    trace.sends(puback(1));
    trace.sends(pubrec(2));
    let delivery = trace.tells_message("a");
    assert!(!trace.session.acknowledge(delivery.unwrap(), ReasonCode::SUCCESS), "there is nothing to acknowledge");
}

#[test]
fn answers_leave_in_the_order_of_arrival() {
    // MQTT-4.6.0-2, MQTT-4.6.0-3: whatever order the program acknowledges in.
    let mut trace = Trace::connected(options());
    let arrivals = [("a", QoS::AtLeastOnce, 5), ("b", QoS::ExactlyOnce, 6), ("c", QoS::AtLeastOnce, 7)];
    let deliveries = arrivals.map(|(payload, qos, packet_id)| {
        trace.receives(publish(payload, qos, packet_id));
        trace.tells_message(payload)
    });
    trace.acknowledge(deliveries[2]);
    trace.acknowledge(deliveries[1]);
    trace.sends_nothing();
    trace.acknowledge(deliveries[0]);
    trace.sends(puback(5));
    trace.sends(pubrec(6));
    trace.sends(puback(7));
}

#[test]
fn a_program_may_refuse_a_message() {
    // MQTT-4.3.3-9: after a PUBREC with an error the Packet Identifier is free for a new message.
    let mut trace = Trace::connected(options());
    trace.receives(publish("a", QoS::AtLeastOnce, 1));
    trace.receives(publish("b", QoS::ExactlyOnce, 2));
    for payload in ["a", "b"] {
        let delivery = trace.tells_message(payload).unwrap();
        assert!(trace.session.acknowledge(delivery, ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR));
    }
    trace.sends(Packet::Puback(Ack::new(id(1), ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR)));
    trace.sends(Packet::Pubrec(Ack::new(id(2), ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR)));
    trace.receives(publish("new", QoS::ExactlyOnce, 2));
    trace.tells_message("new");
}

#[test]
fn a_delivery_is_acknowledged_once() {
    let mut trace = Trace::connected(options());
    trace.receives(publish("a", QoS::AtLeastOnce, 1));
    let delivery = trace.tells_message("a").unwrap();
    assert!(trace.session.acknowledge(delivery, ReasonCode::SUCCESS));
    for forged in [delivery, 0, -1, delivery + (1 << 16), i64::MAX, i64::MIN] {
        assert!(!trace.session.acknowledge(forged, ReasonCode::SUCCESS), "{forged}");
    }
    trace.sends(puback(1));
    trace.sends_nothing();
}

#[test]
fn a_qos_2_message_is_handed_out_once() {
    // MQTT-4.3.3-10: until PUBREL, the same Packet Identifier is the same message.
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::ExactlyOnce, 1));
    trace.takes_message("x");
    trace.sends(pubrec(1));
    for _ in 0..2 {
        trace.reconnects(true);
        trace.receives(publish_again("x", QoS::ExactlyOnce, 1));
        trace.sends(pubrec(1));
        trace.tells_nothing();
    }
    trace.receives(pubrel(1));
    trace.sends(pubcomp(1));
    // MQTT-4.3.3-12: after PUBCOMP it is a new one.
    trace.receives(publish("y", QoS::ExactlyOnce, 1));
    trace.tells_message("y");
}

#[test]
fn what_the_program_still_works_on_is_not_handed_out_twice() {
    // MQTT-4.3.3-10 for a message that we have not answered yet, and the same for QoS 1 with DUP.
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut trace = Trace::connected(options());
        trace.receives(publish("x", qos, 1));
        let delivery = trace.tells_message("x");
        trace.reconnects(true);
        trace.receives(publish_again("x", qos, 1));
        trace.tells_nothing();
        trace.acknowledge(delivery);
        trace.sends(if qos == QoS::ExactlyOnce { pubrec(1) } else { puback(1) });
    }
}

#[test]
fn an_identifier_in_use_that_comes_back_with_another_message_is_that_message() {
    // MQTT-2.2.1-4: a Server that was killed comes back with an older state, and gives identifiers anew that it had given.
    // Taken for redeliveries, its messages would be acknowledged and lost.
    for (qos, dup) in [QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().flat_map(|qos| [(qos, false), (qos, true)]) {
        for answered in [false, true] {
            let mut trace = Trace::connected(options());
            trace.receives(publish("x", qos, 1));
            let delivery = trace.tells_message("x");
            let answer = || if qos == QoS::ExactlyOnce { pubrec(1) } else { puback(1) };
            if answered {
                trace.acknowledge(delivery);
                trace.sends(answer());
            }
            trace.reconnects(true);
            trace.receives(if dup { publish_again("y", qos, 1) } else { publish("y", qos, 1) });
            let in_use = qos == QoS::ExactlyOnce || !answered;
            if in_use {
                trace.tells_breach(Breach::IdentifierInUse);
            }
            trace.takes_message("y");
            trace.sends(answer());
            trace.reconnects(true);
            if qos == QoS::ExactlyOnce {
                trace.receives(publish_again("y", qos, 1));
                trace.sends(answer());
                trace.receives(pubrel(1));
                trace.sends(pubcomp(1));
            }
            trace.tells_nothing();
            assert_eq!(trace.session.counters().breaches, u64::from(in_use));
        }
    }
}

#[test]
fn an_identifier_that_is_given_to_another_message_on_one_connection_loses_neither() {
    // MQTT-2.2.1-4: whatever DUP says and whether the first was answered, the second is no repetition, as its content says.
    for (qos, dup) in [QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().flat_map(|qos| [(qos, false), (qos, true)]) {
        for answered in [false, true] {
            if qos == QoS::AtLeastOnce && answered {
                // After PUBACK the identifier is free.
                continue;
            }
            let answer = |packet_id| if qos == QoS::ExactlyOnce { pubrec(packet_id) } else { puback(packet_id) };
            let second = || if dup { publish_again("y", qos, 1) } else { publish("y", qos, 1) };
            let mut trace = Trace::connected(SessionOptions { receive_maximum: 2, ..options() });
            trace.receives(publish("x", qos, 1));
            let first = trace.tells_message("x");
            if answered {
                trace.acknowledge(first);
                trace.sends(answer(1));
            }
            trace.receives(second());
            trace.tells_breach(Breach::IdentifierInUse);
            let delivery = trace.tells_message("y");
            // The Server waits for one answer to this identifier, which is that of the second message.
            trace.sends_nothing();
            trace.acknowledge(delivery);
            trace.sends(answer(1));
            // It takes one place of our Receive Maximum.
            trace.receives(publish("z", qos, 2));
            trace.takes_message("z");
            trace.sends(answer(2));
            if qos == QoS::ExactlyOnce {
                for packet_id in [1, 2] {
                    trace.receives(pubrel(packet_id));
                    trace.sends(pubcomp(packet_id));
                }
            }
            trace.tells_nothing();
            trace.stays_connected();
            assert_eq!(trace.session.counters().breaches, 1);

            let mut trace = Trace::connected(strict());
            trace.receives(publish("x", qos, 1));
            let first = trace.tells_message("x");
            if answered {
                trace.acknowledge(first);
                trace.sends(answer(1));
            }
            trace.receives(second());
            trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        }
    }
}

#[test]
fn an_identifier_that_changes_its_qos_on_one_connection_stands_for_another_message() {
    // MQTT-2.2.1-4
    for (before, after) in [(QoS::AtLeastOnce, QoS::ExactlyOnce), (QoS::ExactlyOnce, QoS::AtLeastOnce)] {
        let mut trace = Trace::connected(options());
        trace.receives(publish("x", before, 1));
        trace.tells_message("x");
        trace.receives(publish_again("x", after, 1));
        trace.tells_breach(Breach::IdentifierInUse);
        trace.takes_message("x");
        trace.sends(if after == QoS::ExactlyOnce { pubrec(1) } else { puback(1) });
        trace.sends_nothing();
        trace.tells_nothing();
        trace.stays_connected();
    }
}

#[test]
fn an_acknowledgement_between_two_connections_answers_the_redelivery() {
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::AtLeastOnce, 1));
    let delivery = trace.tells_message("x");
    trace.loses_connection();
    trace.acknowledge(delivery);
    trace.connects(true, &[]);
    // Not before the Server asks: it may have had other ideas with this identifier.
    trace.sends_nothing();
    trace.receives(publish_again("x", QoS::AtLeastOnce, 1));
    trace.sends(puback(1));
    trace.tells_nothing();
}

#[test]
fn after_puback_the_same_identifier_is_a_new_message() {
    // MQTT-4.3.2-5: whatever DUP says.
    let mut trace = Trace::connected(options());
    for packet in [publish("a", QoS::AtLeastOnce, 1), publish_again("b", QoS::AtLeastOnce, 1)] {
        trace.receives(packet);
        let Event::Message { delivery, .. } = trace.tells() else { panic!("no message") };
        trace.acknowledge(delivery);
        trace.sends(puback(1));
    }
}

#[test]
fn a_lost_session_forgets_what_was_received() {
    // MQTT-3.2.2-5
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::ExactlyOnce, 1));
    let first = trace.tells_message("x");
    trace.receives(publish("y", QoS::ExactlyOnce, 2));
    let second = trace.tells_message("y");
    trace.acknowledge(first);
    trace.sends(pubrec(1));
    trace.reconnects(false);
    assert!(!trace.session.acknowledge(second.unwrap(), ReasonCode::SUCCESS));
    trace.receives(publish("new", QoS::ExactlyOnce, 1));
    trace.tells_message("new");
}

#[test]
fn a_pubrel_for_nothing_is_answered_with_its_reason() {
    // MQTT-4.3.3-11, MQTT-3.7.2-1, MQTT-3.7.2-2, MQTT-3.7.2-3
    let mut trace = Trace::connected(options());
    trace.receives(pubrel(9));
    trace.sends(Packet::Pubcomp(Ack::new(id(9), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)));
    trace.stays_connected();
}

#[test]
fn more_than_our_receive_maximum_is_handed_out_and_told_of() {
    // MQTT-3.3.4-9: Mosquitto 2.0.11 sends the Receive Maximum anew for each acknowledgement.
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 2, ..options() });
    let qos_of = |packet_id| [QoS::AtLeastOnce, QoS::ExactlyOnce][usize::from(packet_id) % 2];
    for packet_id in 1..=5 {
        trace.receives(publish("x", qos_of(packet_id), packet_id));
    }
    let mut deliveries = Vec::new();
    for packet_id in 1..=5 {
        if packet_id == 3 {
            trace.tells_breach(Breach::ReceiveMaximum);
        }
        deliveries.push(trace.tells_message("x"));
    }
    trace.tells_nothing();
    assert_eq!(trace.session.counters().breaches, 3);
    for (delivery, packet_id) in deliveries.into_iter().zip(1..) {
        trace.acknowledge(delivery);
        trace.sends(if packet_id % 2 == 0 { puback(packet_id) } else { pubrec(packet_id) });
    }
    for packet_id in [1, 3, 5] {
        trace.receives(pubrel(packet_id));
        trace.sends(pubcomp(packet_id));
    }
    for packet_id in 6..=7 {
        trace.receives(publish("x", QoS::AtLeastOnce, packet_id));
        trace.tells_message("x");
    }
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 3, "all have given their places back");
}

#[test]
fn more_than_our_receive_maximum_ends_a_strict_connection() {
    // MQTT-3.3.4-9, 5-3.3.4-b: 0x93.
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 2, ..strict() });
    trace.receives(publish("a", QoS::AtLeastOnce, 1));
    trace.receives(publish("b", QoS::ExactlyOnce, 2));
    trace.receives(publish("zero", QoS::AtMostOnce, 0));
    trace.stays_connected();
    trace.receives(publish("c", QoS::AtLeastOnce, 3));
    for payload in ["a", "b", "zero"] {
        trace.tells_message(payload);
    }
    trace.breaks_off(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
}

#[test]
fn our_receive_maximum_counts_what_is_unanswered() {
    // MQTT-3.3.4-9, 5-3.3.4-b; section 4.9: QoS 1 until PUBACK, QoS 2 until PUBCOMP.
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 1, ..strict() });
    for packet_id in 1..=3 {
        trace.receives(publish("x", QoS::AtLeastOnce, packet_id));
        trace.takes_message("x");
        trace.sends(puback(packet_id));
    }
    trace.receives(publish("x", QoS::ExactlyOnce, 4));
    trace.takes_message("x");
    trace.sends(pubrec(4));
    trace.receives(publish("too early", QoS::AtLeastOnce, 5));
    trace.breaks_off(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
}

#[test]
fn a_redelivery_within_a_connection_is_counted_and_passed_over() {
    // MQTT-4.4.0-1 binds the Server too; it harms nobody.
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::AtLeastOnce, 1));
    trace.receives(publish_again("x", QoS::AtLeastOnce, 1));
    trace.tells_message("x");
    trace.tells_breach(Breach::Redelivery);
    trace.tells_nothing();
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 1);
}

#[test]
fn nothing_is_acknowledged_before_connack() {
    // MQTT-3.1.0-1: CONNECT is the first packet, and what was unanswered waits for the Server to send it again.
    let mut trace = Trace::connected(options());
    trace.receives(publish("x", QoS::AtLeastOnce, 1));
    let delivery = trace.tells_message("x");
    trace.loses_connection();
    trace.opens();
    trace.acknowledge(delivery);
    trace.sends_connect(|_| ());
    trace.sends_nothing();
}

#[test]
fn a_message_that_expires_meanwhile_is_answered_to_the_end() {
    // MQTT-4.3.3-13
    let mut trace = Trace::connected(SessionOptions { keep_alive: 0, ..options() });
    let properties = set(&[(PropertyId::MessageExpiryInterval, Value::Int(1))]);
    trace.receives(Packet::Publish(Publish {
        dup: false,
        qos: QoS::ExactlyOnce,
        retain: false,
        topic: Some(TopicName::new("t").unwrap()),
        packet_id: Some(id(1)),
        properties: properties.as_properties(),
        payload: b"x",
    }));
    let delivery = trace.tells_message("x");
    trace.passes(Duration::from_secs(60));
    trace.acknowledge(delivery);
    trace.sends(pubrec(1));
    trace.receives(pubrel(1));
    trace.sends(pubcomp(1));
}

#[test]
fn a_message_that_nobody_asked_for_is_answered_too() {
    // MQTT-4.5.0-2, MQTT311-4.5.0-2: nothing was subscribed to.
    for options in [options(), v311()] {
        let mut trace = Trace::connected(options);
        trace.receives(publish("a", QoS::AtLeastOnce, 1));
        trace.receives(publish("b", QoS::ExactlyOnce, 2));
        for payload in ["a", "b"] {
            trace.takes_message(payload);
        }
        trace.sends(puback(1));
        trace.sends(pubrec(2));
        trace.stays_connected();
    }
}

#[test]
fn an_answer_carries_what_the_program_tells_the_server_if_that_is_not_too_large() {
    // MQTT-3.4.2-2, MQTT-3.4.2-3, MQTT-3.5.2-2, MQTT-3.5.2-3
    let texts = || {
        let mut properties = set(&[(PropertyId::ReasonString, Value::Text("full"))]);
        properties.add(PropertyId::UserProperty, Value::Pair("depth", "7")).unwrap();
        properties
    };
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for reason in [ReasonCode::SUCCESS, ReasonCode::QUOTA_EXCEEDED] {
            // Two bytes before the Remaining Length's end, two of the identifier, one of the reason, and the properties.
            let whole = 2 + 2 + 1 + 1 + (3 + 4) + (3 + 5 + 2 + 1);
            for maximum in [whole, whole - 1] {
                let mut trace = Trace::connected_to(options(), &[(PropertyId::MaximumPacketSize, Value::Int(maximum))]);
                trace.receives(publish("a", qos, 1));
                let Event::Message { delivery, .. } = trace.tells() else { panic!("no message") };
                let properties = if maximum == whole { texts() } else { PropertiesBuf::new() };
                assert!(trace.session.acknowledge(delivery.unwrap(), Acknowledgement { reason, properties: texts() }));
                let ack = Ack { packet_id: id(1), reason, properties: properties.as_properties() };
                trace.sends(if qos == QoS::AtLeastOnce { Packet::Puback(ack) } else { Packet::Pubrec(ack) });
                trace.stays_connected();
            }
        }
    }
}

#[test]
fn answers_without_texts_are_of_five_bytes_at_most() {
    // MQTT-3.4.2-2, MQTT-3.5.2-2, MQTT-3.7.2-2, MQTT-3.7.2-3: the smallest Maximum Packet Size that a Server can work with is
    // kept.
    let mut trace = Trace::connected_to(options(), &[(PropertyId::MaximumPacketSize, Value::Int(5))]);
    let mut answers = |packet: Packet<'_>, reason: Option<ReasonCode>, bytes: &[u8]| {
        trace.receives(packet);
        if let Some(reason) = reason {
            let Event::Message { delivery, .. } = trace.tells() else { panic!("no message") };
            assert!(trace.session.acknowledge(delivery.unwrap(), reason));
        }
        assert_eq!(trace.session.output(), bytes);
        trace.takes_packet(|_| ());
    };
    let refusal = ReasonCode::QUOTA_EXCEEDED;
    answers(publish("a", QoS::AtLeastOnce, 1), Some(ReasonCode::SUCCESS), &[0x40, 2, 0, 1]);
    answers(publish("a", QoS::AtLeastOnce, 1), Some(refusal), &[0x40, 3, 0, 1, 0x97]);
    answers(publish("a", QoS::ExactlyOnce, 2), Some(refusal), &[0x50, 3, 0, 2, 0x97]);
    answers(publish("a", QoS::ExactlyOnce, 3), Some(ReasonCode::SUCCESS), &[0x50, 2, 0, 3]);
    answers(pubrel(3), None, &[0x70, 2, 0, 3]);
    answers(pubrel(4), None, &[0x70, 3, 0, 4, 0x92]);
}
