//! The sender's side of QoS 0, 1 and 2 (section 4.3) on one connection.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::session::Amount;
use mt5mqtt::session::event::{Event, Stage};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;

#[test]
fn qos_0_is_sent_once_and_forgotten() {
    // MQTT-4.3.1-1, MQTT-2.2.1-2, MQTT-3.3.1-2
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::AtMostOnce);
    trace.sends(publish("x", QoS::AtMostOnce, 0));
    trace.tells_nothing();
    assert_eq!(trace.session.outstanding(), Amount::default());
    trace.reconnects(true);
    trace.sends_nothing();
}

#[test]
fn qos_1_ends_with_puback() {
    // MQTT-4.3.2-1, MQTT-4.3.2-2, MQTT-4.3.2-3
    let mut trace = Trace::connected(options());
    trace.publish(7, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.tells_nothing();
    assert_eq!((trace.session.in_flight(), trace.session.outstanding().count), (1, 1));
    trace.receives(puback(1));
    trace.completes(7);
    trace.sends_nothing();
    assert_eq!((trace.session.in_flight(), trace.session.outstanding()), (0, Amount::default()));
}

#[test]
fn qos_2_goes_through_its_four_packets() {
    // MQTT-4.3.3-1, MQTT-4.3.3-2, MQTT-4.3.3-3, MQTT-4.3.3-4, MQTT-4.3.3-5, MQTT-2.2.1-5
    let mut trace = Trace::connected(options());
    trace.publish(7, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(1));
    trace.sends(pubrel(1));
    assert_eq!(trace.session.in_flight(), 1);
    trace.tells_nothing();
    trace.receives(pubcomp(1));
    trace.completes(7);
    assert_eq!((trace.session.in_flight(), trace.session.outstanding()), (0, Amount::default()));
}

#[test]
fn packet_identifiers_in_use_are_not_given_out_again() {
    // MQTT-2.2.1-3, MQTT-4.3.2-1, MQTT-4.3.3-1: PUBLISH, SUBSCRIBE and UNSUBSCRIBE share them.
    let mut trace = Trace::connected(options());
    trace.publish(1, "a", QoS::AtLeastOnce);
    trace.subscribe(2, "f");
    trace.publish(3, "b", QoS::ExactlyOnce);
    trace.unsubscribe(4, "f");
    trace.sends(publish("a", QoS::AtLeastOnce, 1));
    trace
        .takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(subscribe) if subscribe.packet_id == id(2))));
    trace.sends(publish("b", QoS::ExactlyOnce, 3));
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Unsubscribe(un) if un.packet_id == id(4))));
    // All the way round, with 1 to 4 still in use.
    for round in 0..65_531u32 {
        trace.publish(5, "x", QoS::AtLeastOnce);
        let used = trace.takes_packet(|packet| match packet {
            Packet::Publish(publish) => publish.packet_id.unwrap().get(),
            other => panic!("{other:?}"),
        });
        assert_eq!(u32::from(used), 5 + round);
        trace.receives(puback(used));
        trace.completes(5);
    }
    trace.publish(6, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 5));
}

#[test]
fn the_server_may_refuse_a_message() {
    // MQTT-4.4.0-2: it is over, with the Server's reason; a refused QoS 2 message gets no PUBREL.
    let properties = set(&[(PropertyId::ReasonString, Value::Text("no"))]);
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut trace = Trace::connected(options());
        trace.publish(1, "x", qos);
        trace.sends(publish("x", qos, 1));
        let mut ack = Ack::new(id(1), ReasonCode::NOT_AUTHORIZED);
        ack.properties = properties.as_properties();
        trace.receives(if qos == QoS::ExactlyOnce { Packet::Pubrec(ack) } else { Packet::Puback(ack) });
        let outcome = trace.tells_published(1);
        assert_eq!(
            (outcome.failure, outcome.reason),
            (Some(Status::RefusedByServer), Some(ReasonCode::NOT_AUTHORIZED))
        );
        assert_eq!(outcome.properties.as_properties().text(PropertyId::ReasonString), Some("no"));
        trace.sends_nothing();
        trace.reconnects(true);
        trace.sends_nothing();
    }
}

#[test]
fn no_matching_subscribers_is_a_success_with_its_reason() {
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.receives(Packet::Puback(Ack::new(id(1), ReasonCode::NO_MATCHING_SUBSCRIBERS)));
    let outcome = trace.tells_published(1);
    assert_eq!((outcome.failure, outcome.reason), (None, Some(ReasonCode::NO_MATCHING_SUBSCRIBERS)));
}

#[test]
fn answers_that_do_not_fit_the_flow_end_the_connection() {
    // MQTT-2.2.1-5; section 4.3: PUBACK belongs to QoS 1, PUBREC and PUBCOMP to QoS 2, and PUBCOMP comes last.
    for (wanted, qos, answer) in [
        (strict(), QoS::ExactlyOnce, puback(1)),
        (options(), QoS::AtLeastOnce, pubrec(1)),
        (options(), QoS::AtLeastOnce, pubcomp(1)),
        (options(), QoS::ExactlyOnce, pubcomp(1)),
    ] {
        let mut trace = Trace::connected(wanted);
        trace.publish(1, "x", qos);
        trace.sends(publish("x", qos, 1));
        trace.receives(answer);
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        trace.tells_nothing();
    }
}

#[test]
fn answers_to_nothing_are_counted_and_passed_over() {
    // A Server that repeats itself after a reconnect does no harm. MQTT-4.3.3-4: PUBREC is answered in any case, with 0x92
    // and nothing more: MQTT-3.6.2-1, MQTT-3.6.2-2, MQTT-3.6.2-3.
    let mut trace = Trace::connected(options());
    trace.receives(puback(5));
    trace.receives(pubcomp(5));
    trace.sends_nothing();
    trace.receives(pubrec(5));
    trace.sends(Packet::Pubrel(Ack::new(id(5), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)));
    trace.receives(Packet::Pubrec(Ack::new(id(5), ReasonCode::NOT_AUTHORIZED)));
    trace.sends_nothing();
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 4);
}

#[test]
fn what_pubrec_says_reaches_the_program() {
    // Sections 3.5.2.1 and 3.5.2.2: the end of the message is PUBCOMP, but "No matching subscribers" stands in PUBREC.
    let mut trace = Trace::connected(options());
    let explained = set(&[(PropertyId::UserProperty, Value::Pair("node", "3"))]);
    let bare = set(&[]);
    for (token, reason, explained, last) in [
        (1, ReasonCode::NO_MATCHING_SUBSCRIBERS, &explained, ReasonCode::SUCCESS),
        (2, ReasonCode::SUCCESS, &explained, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND),
        (3, ReasonCode::NO_MATCHING_SUBSCRIBERS, &bare, ReasonCode::SUCCESS),
        (4, ReasonCode::SUCCESS, &explained, ReasonCode::SUCCESS),
    ] {
        let packet_id = id(token as u16);
        trace.publish(token, "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, packet_id.get()));
        trace.receives(Packet::Pubrec(Ack { packet_id, reason, properties: explained.as_properties() }));
        trace.sends(pubrel(packet_id.get()));
        trace.receives(Packet::Pubcomp(Ack::new(packet_id, last)));
        let outcome = trace.tells_published(token);
        assert_eq!(outcome.failure, None);
        if last == ReasonCode::SUCCESS {
            assert_eq!((outcome.reason, &outcome.properties), (Some(reason), explained));
        } else {
            assert_eq!(outcome.reason, Some(last));
        }
    }
}

#[test]
fn a_repeated_pubrec_is_answered_by_pubrel_again() {
    // MQTT-4.3.3-4, MQTT-4.3.3-6: and the PUBLISH is not sent again.
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    for _ in 0..3 {
        trace.receives(pubrec(1));
        trace.sends(pubrel(1));
        trace.sends_nothing();
    }
    trace.receives(pubcomp(1));
    trace.completes(1);
}

#[test]
fn pubrels_leave_in_the_order_of_the_pubrecs() {
    // MQTT-4.6.0-4
    let mut trace = Trace::connected(options());
    for token in 1..=3 {
        trace.publish(token, "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, token as u16));
    }
    for packet_id in [3, 1, 2] {
        trace.receives(pubrec(packet_id));
    }
    for packet_id in [3, 1, 2] {
        trace.sends(pubrel(packet_id));
    }
}

#[test]
fn packet_identifier_not_found_in_pubcomp_is_an_end_too() {
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(1));
    trace.sends(pubrel(1));
    trace.receives(Packet::Pubcomp(Ack::new(id(1), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)));
    let outcome = trace.tells_published(1);
    assert_eq!((outcome.failure, outcome.reason), (None, Some(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)));
}

#[test]
fn what_the_server_does_not_support_fails_alone() {
    // MQTT-3.2.2-11, MQTT-3.2.2-14, MQTT-3.2.2-15, 5-3.2.2.3.4-b, 5-3.2.2.3.5-b
    let mut trace = Trace::connected_to(
        options(),
        &[
            (PropertyId::MaximumQoS, Value::Int(1)),
            (PropertyId::RetainAvailable, Value::Int(0)),
            (PropertyId::MaximumPacketSize, Value::Int(64)),
        ],
    );
    trace.publish(1, "x", QoS::ExactlyOnce);
    assert_eq!(trace.tells_published(1).failure, Some(Status::NotSupportedByServer));
    trace.publish_message(2, message("x", QoS::AtMostOnce, true));
    assert_eq!(trace.tells_published(2).failure, Some(Status::NotSupportedByServer));
    trace.publish(3, &"x".repeat(64), QoS::AtLeastOnce);
    assert_eq!(trace.tells_published(3).failure, Some(Status::TooLarge));
    trace.sends_nothing();
    // 55 bytes of payload and 9 around it are 64.
    trace.publish(4, &"x".repeat(55), QoS::AtLeastOnce);
    trace.sends(publish(&"x".repeat(55), QoS::AtLeastOnce, 2));
    trace.stays_connected();
}

#[test]
fn no_publish_carries_a_subscription_identifier_or_an_alias_of_another_connection() {
    // MQTT-3.3.4-6, MQTT-3.2.2-17, MQTT-3.2.2-18, MQTT-3.3.2-9: not even a message that came with one and is passed on as it is.
    let mut trace = Trace::connected(options());
    let topic = TopicName::new("t").unwrap();
    for (token, id) in [(1, PropertyId::SubscriptionIdentifier), (2, PropertyId::TopicAlias)] {
        let properties = set(&[(id, Value::Int(7))]);
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            trace.publish_message(token, Message::new(topic, b"x", qos, false, properties.as_properties()));
            assert_eq!(trace.tells_published(token).failure, Some(Status::InvalidArgument));
        }
    }
    trace.sends_nothing();
    trace.stays_connected();
}

#[test]
fn dup_of_a_received_message_is_not_passed_on() {
    // MQTT-3.3.1-3, MQTT-3.3.1-2, MQTT311-3.3.1-3: DUP says that this packet is sent again, and nothing else.
    for options in [options(), v311()] {
        let mut trace = Trace::connected(options);
        trace.receives(publish_again("x", QoS::AtLeastOnce, 9));
        let Event::Message { message, .. } = trace.tells() else { panic!("no message") };
        assert!(message.dup);
        trace.publish_message(1, message.clone());
        trace.sends(publish("x", QoS::AtLeastOnce, 1));
    }
}

#[test]
fn that_the_server_has_a_qos_2_message_is_told_once() {
    let mut trace = Trace::connected(SessionOptions { progress: true, ..options() });
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    assert_eq!(trace.tells(), Event::Progress { token: 1, stage: Stage::Sent });
    for _ in 0..2 {
        trace.receives(pubrec(1));
        trace.sends(pubrel(1));
    }
    assert_eq!(trace.tells(), Event::Progress { token: 1, stage: Stage::Acknowledged });
    trace.receives(pubcomp(1));
    trace.completes(1);
    trace.tells_nothing();
}

#[test]
fn that_a_publish_has_left_is_told_once_and_after_it_is_durable() {
    for is_stored in [false, true] {
        let mut disk = Disk::default();
        let options = SessionOptions { progress: true, ..options() };
        let mut trace = if is_stored { disk.start(options) } else { Trace::new(options) };
        trace.connects(false, &[]);
        disk.store(&mut trace);
        trace.publish(1, "x", QoS::AtLeastOnce);
        trace.sends(publish("x", QoS::AtLeastOnce, 1));
        if is_stored {
            trace.tells_nothing();
            disk.store(&mut trace);
            assert_eq!(trace.tells(), Event::Progress { token: 1, stage: Stage::Durable });
        }
        assert_eq!(trace.tells(), Event::Progress { token: 1, stage: Stage::Sent });
        trace.reconnects(true);
        trace.sends(publish_again("x", QoS::AtLeastOnce, 1));
        disk.store(&mut trace);
        trace.tells_nothing();
    }
}
