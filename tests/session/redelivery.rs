//! What is sent again after a reconnect, and what is not (section 4.4).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::session::Amount;
use mt5mqtt::session::options::{OutgoingOverflow, PublishOptions, SessionOptions};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use std::time::Duration;

#[test]
fn a_resumed_session_sends_again_what_was_not_answered() {
    // MQTT-4.4.0-1, MQTT-3.3.1-1, MQTT-4.6.0-1: DUP, the same Packet Identifiers, the original order; new ones behind them.
    let mut trace = Trace::connected(options());
    trace.publish(1, "a", QoS::AtLeastOnce);
    trace.publish(2, "b", QoS::ExactlyOnce);
    trace.publish(3, "c", QoS::AtLeastOnce);
    for (payload, qos, packet_id) in
        [("a", QoS::AtLeastOnce, 1), ("b", QoS::ExactlyOnce, 2), ("c", QoS::AtLeastOnce, 3)]
    {
        trace.sends(publish(payload, qos, packet_id));
    }
    trace.loses_connection();
    trace.publish(4, "d", QoS::AtLeastOnce);
    trace.connects(true, &[]);
    trace.sends(publish_again("a", QoS::AtLeastOnce, 1));
    trace.sends(publish_again("b", QoS::ExactlyOnce, 2));
    trace.sends(publish_again("c", QoS::AtLeastOnce, 3));
    trace.sends(publish("d", QoS::AtLeastOnce, 4));
    trace.sends_nothing();
    assert_eq!(trace.session.counters().redelivered, 3);
}

#[test]
fn what_was_answered_is_not_sent_again() {
    // MQTT-4.4.0-1, MQTT-4.3.2-3
    let mut trace = Trace::connected(options());
    for token in 1..=4 {
        trace.publish(token, "x", QoS::AtLeastOnce);
        trace.sends(publish("x", QoS::AtLeastOnce, token as u16));
    }
    trace.receives(puback(3));
    trace.receives(puback(1));
    trace.completes(3);
    trace.completes(1);
    trace.reconnects(true);
    trace.sends(publish_again("x", QoS::AtLeastOnce, 2));
    trace.sends(publish_again("x", QoS::AtLeastOnce, 4));
    trace.sends_nothing();
}

#[test]
fn nothing_is_sent_again_while_the_connection_lives() {
    // MQTT-4.4.0-1: reconnecting is the only time for it.
    let mut trace = Trace::connected(SessionOptions { keep_alive: 0, ..options() });
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.passes(Duration::from_secs(100_000));
    trace.sends_nothing();
    trace.stays_connected();
}

#[test]
fn after_pubrec_the_pubrel_is_sent_again_and_never_the_publish() {
    // MQTT-4.3.3-6, MQTT-4.4.0-1, MQTT-4.6.0-4, MQTT-4.3.3-5: in the order of the PUBRECs, and before the PUBLISH
    // packets.
    let mut trace = Trace::connected(options());
    for token in 1..=3 {
        trace.publish(token, "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, token as u16));
    }
    for packet_id in [3, 1] {
        trace.receives(pubrec(packet_id));
        trace.sends(pubrel(packet_id));
    }
    for _ in 0..2 {
        trace.reconnects(true);
        trace.sends(pubrel(3));
        trace.sends(pubrel(1));
        trace.sends(publish_again("x", QoS::ExactlyOnce, 2));
        trace.sends_nothing();
    }
    trace.receives(pubcomp(1));
    trace.completes(1);
    trace.receives(pubcomp(3));
    trace.completes(3);
    trace.receives(pubrec(2));
    trace.sends(pubrel(2));
    trace.receives(pubcomp(2));
    trace.completes(2);
    assert_eq!(trace.session.outstanding(), Amount::default());
}

#[test]
fn what_stood_in_the_output_counts_as_sent() {
    // MQTT-3.3.1-1: nobody can say how much of it the Server has.
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.loses_connection();
    trace.connects(true, &[]);
    trace.sends(publish_again("x", QoS::AtLeastOnce, 1));
    trace.sends_nothing();
}

#[test]
fn a_server_that_calls_the_identifier_of_a_redelivery_in_use_has_the_message() {
    // MQTT-4.4.0-1, MQTT-4.3.3-10: EMQX and FlashMQ answer the PUBLISH with DUP so, whose PUBREC was lost with the line. A
    // program that took it for a refusal would publish its order once more.
    let in_use = || Packet::Pubrec(Ack::new(id(1), ReasonCode::PACKET_IDENTIFIER_IN_USE));
    let mut trace = Trace::connected(options());
    trace.publish(1, "order", QoS::ExactlyOnce);
    trace.sends(publish("order", QoS::ExactlyOnce, 1));
    trace.reconnects(true);
    trace.sends(publish_again("order", QoS::ExactlyOnce, 1));
    trace.receives(in_use());
    trace.tells_nothing();
    trace.sends(pubrel(1));
    // It goes on as after any PUBREC.
    trace.reconnects(true);
    trace.sends(pubrel(1));
    trace.receives(pubcomp(1));
    trace.completes(1);

    // At first it is a refusal: the Server has another message under it.
    let mut trace = Trace::connected(options());
    trace.publish(1, "order", QoS::ExactlyOnce);
    trace.sends(publish("order", QoS::ExactlyOnce, 1));
    trace.receives(in_use());
    assert_eq!(trace.tells_published(1).failure, Some(Status::RefusedByServer));
    trace.sends_nothing();
}

#[test]
fn a_lost_session_starts_qos_1_anew_and_reports_qos_2() {
    // MQTT-3.2.2-5, MQTT-4.3.2-2: the old state is discarded. QoS 1 messages go out as new ones, before what waits; whether
    // a QoS 2 message arrived can't be known, so the program is told. PUBREC says nothing of it: Mosquitto passes a message on
    // when it gets PUBREL, and throws it away with the Session.
    let mut trace = Trace::connected(options());
    trace.publish(1, "a", QoS::AtLeastOnce);
    trace.publish(2, "b", QoS::ExactlyOnce);
    trace.publish(3, "c", QoS::ExactlyOnce);
    trace.publish(4, "d", QoS::AtLeastOnce);
    for _ in 0..4 {
        trace.takes_packet(|_| ());
    }
    trace.receives(pubrec(3));
    trace.sends(pubrel(3));
    trace.loses_connection();
    trace.publish(5, "e", QoS::AtLeastOnce);
    trace.connects(false, &[]);
    for token in [3, 2] {
        assert_eq!(trace.tells_published(token).failure, Some(Status::SessionLost));
    }
    trace.sends(publish("a", QoS::AtLeastOnce, 5));
    trace.sends(publish("d", QoS::AtLeastOnce, 6));
    trace.sends(publish("e", QoS::AtLeastOnce, 7));
    trace.sends_nothing();
}

#[test]
fn what_was_sent_before_its_session_was_lost_is_in_doubt_when_it_is_not_sent_again() {
    // Section 4.4: a program that is told that its order expired, or was dropped, takes it for one that never left.
    let end = |how: PublishOptions, then: fn(&mut Trace)| {
        let mut trace = Trace::connected(options());
        trace.publish_so(1, "t", "order", QoS::AtLeastOnce, how);
        trace.sends(publish("order", QoS::AtLeastOnce, 1));
        trace.loses_connection();
        then(&mut trace);
        trace.tells_published(1).failure
    };
    let too_late = |trace: &mut Trace| {
        trace.passes(Duration::from_secs(1));
        trace.connects(false, &[]);
        trace.sends_nothing();
    };
    assert_eq!(end(lives(500), too_late), Some(Status::SessionLost));
    // Another Server, which has less.
    let too_little = |trace: &mut Trace| {
        trace.opens();
        trace.sends_connect(|_| ());
        let refusing = [(PropertyId::MaximumQoS, Value::Int(0))];
        trace.receives(connack(false, ReasonCode::SUCCESS, &set(&refusing)));
        trace.tells();
    };
    assert_eq!(end(PublishOptions::default(), too_little), Some(Status::SessionLost));
    // A Session that ends with its connection, and no room for what waits then.
    let mut trace = Trace::connected(SessionOptions {
        session_expiry_interval: 0,
        outgoing_maximum: 1,
        outgoing_overflow: OutgoingOverflow::DropOldest,
        ..options()
    });
    trace.publish(1, "order", QoS::AtLeastOnce);
    trace.sends(publish("order", QoS::AtLeastOnce, 1));
    trace.loses_connection();
    trace.publish(2, "another", QoS::AtLeastOnce);
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    // What never left is not in doubt.
    let mut trace = Trace::new(options());
    trace.publish_so(1, "t", "order", QoS::AtLeastOnce, lives(500));
    trace.passes(Duration::from_secs(1));
    assert_eq!(trace.tells_published(1).failure, Some(Status::Expired));
}

#[test]
fn a_session_that_ends_with_its_connection_is_over_at_once() {
    // MQTT-3.1.2-23 keeps the state only when the Session Expiry Interval is above 0.
    let mut trace = Trace::connected(SessionOptions { session_expiry_interval: 0, ..options() });
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.loses_connection();
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
}

#[test]
fn the_servers_session_expiry_interval_overrules_ours() {
    // Section 3.2.2.3.2
    let mut trace = Trace::connected_to(options(), &[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.loses_connection();
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
}

#[test]
fn a_session_that_this_side_has_ended_is_not_gone_on_with() {
    // MQTT-3.2.2-4: a Server that didn't hear of the end, or not yet, would take new messages under identifiers that it still
    // knows for old ones, and throw them away.
    let ends_with_disconnect = |trace: &mut Trace| {
        let properties = set(&[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
        trace.session.disconnect(ReasonCode::SUCCESS, properties.as_properties());
        trace.takes_packet(|_| ());
        trace.closes();
    };
    let asks = |trace: &mut Trace| {
        let mut clean_start = false;
        trace.opens();
        trace.sends_connect(|connect| clean_start = connect.clean_start);
        clean_start
    };
    for clean_start in [true, false] {
        let mut trace = Trace::connected(SessionOptions { clean_start, ..options() });
        ends_with_disconnect(&mut trace);
        for _ in 0..2 {
            // Also after an attempt that came to nothing.
            assert!(asks(&mut trace));
            trace.loses_connection();
        }
        assert!(asks(&mut trace));
        trace.receives(connack(true, ReasonCode::SUCCESS, &set(&[])));
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        trace.connects(false, &[]);
        // The new one is gone on with.
        trace.loses_connection();
        assert!(!asks(&mut trace));

        let mut trace = Trace::connected(SessionOptions { clean_start, session_expiry_interval: 0, ..options() });
        trace.loses_connection();
        assert!(asks(&mut trace));
        let mut trace = Trace::connected_to(
            SessionOptions { clean_start, ..options() },
            &[(PropertyId::SessionExpiryInterval, Value::Int(0))],
        );
        trace.loses_connection();
        assert!(asks(&mut trace));
    }
    // What the program says it has is not given up because the Server was not to be reached.
    let mut trace = Trace::new(SessionOptions { clean_start: false, session_expiry_interval: 0, ..options() });
    for _ in 0..2 {
        assert!(!asks(&mut trace));
        trace.loses_connection();
    }
}

#[test]
fn the_next_process_does_not_go_on_with_it_either() {
    // MQTT-3.2.2-4
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    let properties = set(&[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
    trace.session.disconnect(ReasonCode::SUCCESS, properties.as_properties());
    trace.takes_packet(|_| ());
    trace.closes();
    disk.store(&mut trace);
    let asks = |trace: &mut Trace, expected: bool| {
        trace.opens();
        trace.sends_connect(|connect| assert_eq!(connect.clean_start, expected));
    };
    let mut next = disk.start(options());
    asks(&mut next, true);
    // In the same process there is a new Session, which the next one goes on with.
    trace.connects(false, &[]);
    disk.store(&mut trace);
    let mut next = disk.start(options());
    asks(&mut next, false);
}

#[test]
fn mqtt_3_1_1_has_no_disconnect_that_ends_a_session() {
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    let properties = set(&[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
    trace.session.disconnect(ReasonCode::SUCCESS, properties.as_properties());
    trace.takes_packet(|_| ());
    trace.closes();
    trace.tells_nothing();
    trace.connects(true, &[]);
    trace.sends(publish_again("x", QoS::ExactlyOnce, 1));
}

#[test]
fn redelivery_keeps_to_a_narrower_receive_maximum() {
    // MQTT-4.9.0-1: the quota of the new connection holds for what is sent again too.
    let mut trace = Trace::connected(options());
    for token in 1..=3 {
        trace.publish(token, "x", QoS::AtLeastOnce);
        trace.sends(publish("x", QoS::AtLeastOnce, token as u16));
    }
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::ReceiveMaximum, Value::Int(1))]);
    for packet_id in 1..=3u16 {
        trace.sends(publish_again("x", QoS::AtLeastOnce, packet_id));
        trace.sends_nothing();
        trace.receives(puback(packet_id));
        trace.completes(packet_id.into());
    }
}

#[test]
fn an_answer_to_what_waits_to_be_sent_again_ends_it() {
    // A Server may answer what it had received on the old connection.
    let mut trace = Trace::connected(options());
    for token in 1..=2 {
        trace.publish(token, "x", QoS::AtLeastOnce);
        trace.sends(publish("x", QoS::AtLeastOnce, token as u16));
    }
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::ReceiveMaximum, Value::Int(1))]);
    trace.sends(publish_again("x", QoS::AtLeastOnce, 1));
    trace.receives(puback(2));
    trace.completes(2);
    trace.receives(puback(1));
    trace.completes(1);
    trace.sends_nothing();
}

#[test]
fn a_server_that_came_back_with_less_gets_no_more_than_it_takes() {
    // MQTT-3.2.2-11, MQTT-3.2.2-15, 5-3.2.2.3.4-b: what can't be sent again is in doubt, as it may have arrived before. What
    // never left is refused by name, and the rest goes on.
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.publish(2, &"x".repeat(100), QoS::AtLeastOnce);
    trace.publish(3, "z", QoS::AtLeastOnce);
    for _ in 0..3 {
        trace.takes_packet(|_| ());
    }
    trace.loses_connection();
    trace.publish(4, "x", QoS::ExactlyOnce);
    trace.publish(5, &"x".repeat(100), QoS::AtLeastOnce);
    trace.connects(true, &[(PropertyId::MaximumQoS, Value::Int(1)), (PropertyId::MaximumPacketSize, Value::Int(64))]);
    for (token, status) in
        [(1, Status::SessionLost), (2, Status::SessionLost), (4, Status::NotSupportedByServer), (5, Status::TooLarge)]
    {
        assert_eq!(trace.tells_published(token).failure, Some(status));
    }
    trace.sends(publish_again("z", QoS::AtLeastOnce, 3));
}

#[test]
fn the_identifier_of_what_can_not_be_sent_again_is_not_given_to_another_message() {
    // MQTT-2.2.1-3, MQTT-4.3.3-10: the Server may hold a QoS 2 message under it, for which it would take the other one.
    let mut trace = Trace::connected(options());
    trace.publish(1, &"x".repeat(100), QoS::ExactlyOnce);
    trace.takes_packet(|_| ());
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::MaximumPacketSize, Value::Int(64))]);
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    let sends = |trace: &mut Trace, count: i64| {
        let mut used = std::collections::BTreeSet::new();
        for token in 0..count {
            trace.publish(token, "y", QoS::AtLeastOnce);
            let packet_id = trace.takes_packet(|packet| match packet {
                Packet::Publish(publish) => publish.packet_id.unwrap().get(),
                other => panic!("{other:?}"),
            });
            trace.receives(puback(packet_id));
            trace.completes(token);
            used.insert(packet_id);
        }
        used
    };
    trace.publish(2, "released", QoS::ExactlyOnce);
    trace.sends(publish("released", QoS::ExactlyOnce, 2));
    trace.receives(pubrec(2));
    trace.sends(pubrel(2));
    trace.publish(3, "sent", QoS::ExactlyOnce);
    trace.sends(publish("sent", QoS::ExactlyOnce, 3));
    assert!(sends(&mut trace, 65_535).iter().all(|used| ![1, 2, 3].contains(used)));
    // With its Session it is free again.
    trace.reconnects(false);
    for token in [2, 3] {
        assert_eq!(trace.tells_published(token).failure, Some(Status::SessionLost));
    }
    assert_eq!(sends(&mut trace, 65_535).len(), 65_535);
}

#[test]
fn a_message_that_was_sent_does_not_expire() {
    // MQTT-4.3.3-7, and the same for QoS 1: only the Server could say now that it is not wanted any more.
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut trace = Trace::connected(SessionOptions { keep_alive: 0, ..options() });
        let properties = set(&[(PropertyId::MessageExpiryInterval, Value::Int(1))]);
        let topic = TopicName::new("t").unwrap();
        trace.publish_message(1, Message::new(topic, b"x", qos, false, properties.as_properties()));
        trace.takes_packet(|_| ());
        trace.passes(Duration::from_secs(60));
        trace.loses_connection();
        trace.passes(Duration::from_secs(60));
        trace.connects(true, &[]);
        let (dup, packet_id) = trace.takes_packet(|packet| match packet {
            Packet::Publish(publish) => (publish.dup, publish.packet_id),
            other => panic!("{other:?} instead of PUBLISH"),
        });
        assert_eq!((dup, packet_id), (true, Some(id(1))));
        trace.tells_nothing();
    }
}
