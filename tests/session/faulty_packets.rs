//! Packets of real Servers that break the standard and can be read all the same: they are taken, and told of. Were the connection
//! ended for them, they would come again on the next one, and a message of ours with them.

use crate::trace::*;
use mt5mqtt::codec::property::PropertyId;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{ProtocolVersion, QoS};

#[test]
fn a_refusal_with_a_reason_code_of_another_packet_is_a_refusal() {
    // MQTT-3.4.2-1, MQTT-3.5.2-1: Mosquitto refuses with 0x95 what is above its message_size_limit, EMQX 4 says 0x93 in PUBREC.
    for (qos, code) in [(QoS::AtLeastOnce, 0x95), (QoS::ExactlyOnce, 0x95), (QoS::ExactlyOnce, 0x93)] {
        let first = if qos == QoS::AtLeastOnce { 0x40 } else { 0x50 };
        let mut trace = Trace::connected(options());
        trace.publish(1, "x", qos);
        trace.sends(publish("x", qos, 1));
        trace.receives_bytes(&[first, 3, 0, 1, code]);
        trace.tells_breach(Breach::ReasonCode);
        let outcome = trace.tells_published(1);
        assert_eq!((outcome.failure, outcome.reason), (Some(Status::RefusedByServer), Some(ReasonCode(code))));
        trace.sends_nothing();
        trace.reconnects(true);
        trace.sends_nothing();

        let mut trace = Trace::connected(strict());
        trace.publish(1, "x", qos);
        trace.sends(publish("x", qos, 1));
        trace.receives_bytes(&[first, 3, 0, 1, code]);
        trace.breaks_off(ReasonCode::MALFORMED_PACKET);
        trace.tells_nothing();
    }
}

#[test]
fn a_reason_code_below_0x80_says_that_the_message_arrived() {
    // MQTT-3.4.2-1: Mochi answers a QoS 1 message that has User Properties with "Granted QoS 1".
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.receives_bytes(b"\x40\x0B\0\x01\x01\x07\x26\0\x01k\0\x01v");
    trace.tells_breach(Breach::ReasonCode);
    let outcome = trace.tells_published(1);
    assert_eq!((outcome.failure, outcome.reason), (None, Some(ReasonCode(1))));
    // So it is on the whole way of a QoS 2 message, in both directions.
    trace.publish(2, "y", QoS::ExactlyOnce);
    trace.sends(publish("y", QoS::ExactlyOnce, 2));
    trace.receives_bytes(b"\x50\x03\0\x02\x02");
    trace.sends(pubrel(2));
    trace.receives_bytes(b"\x70\x03\0\x02\x91");
    trace.completes(2);
    trace.receives(publish("z", QoS::ExactlyOnce, 1));
    trace.takes_message("z");
    trace.sends(pubrec(1));
    trace.receives_bytes(b"\x62\x03\0\x01\x10");
    trace.sends(pubcomp(1));
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 4);
}

#[test]
fn a_subscription_is_refused_by_any_code_that_says_so() {
    // MQTT-3.9.3-2, MQTT311-3.9.3-2, MQTT-3.11.3-2
    for wanted in [options(), v311()] {
        let code = if wanted.version == ProtocolVersion::V5 { &b"\0\x99"[..] } else { b"\x87" };
        let mut trace = Trace::connected(wanted);
        trace.subscribe(1, "t");
        trace.takes_packet(|_| ());
        trace.receives_bytes(&[&[0x90, 2 + code.len() as u8, 0, 1], code].concat());
        trace.tells_breach(Breach::ReasonCode);
        let Event::Subscribed { outcome, .. } = trace.tells() else { panic!("no answer") };
        assert_eq!(outcome.failure, Some(Status::RefusedByServer));
        trace.stays_connected();
    }
    let mut trace = Trace::connected(options());
    trace.unsubscribe(1, "t");
    trace.takes_packet(|_| ());
    trace.receives_bytes(b"\xB0\x04\0\x01\0\x01");
    trace.tells_breach(Breach::ReasonCode);
    let Event::Unsubscribed { outcome, .. } = trace.tells() else { panic!("no answer") };
    assert_eq!(outcome.failure, None);
}

#[test]
fn an_unsuback_of_mqtt_5_is_understood_in_mqtt_311() {
    // MQTT311-3.10.4-4: Mochi puts a Reason Code behind the Packet Identifier in MQTT 3.1.1, too.
    for (code, failure) in [(0, None), (0x11, None), (0x87, Some(Status::RefusedByServer))] {
        let mut trace = Trace::connected(v311());
        trace.unsubscribe(1, "t");
        trace.takes_packet(|_| ());
        trace.receives_bytes(&[0xB0, 3, 0, 1, code]);
        trace.tells_breach(Breach::Unsuback);
        let Event::Unsubscribed { outcome, .. } = trace.tells() else { panic!("no answer") };
        assert_eq!(outcome.failure, failure);
        trace.stays_connected();
        let mut trace = Trace::connected(SessionOptions { strict: true, ..v311() });
        trace.unsubscribe(1, "t");
        trace.takes_packet(|_| ());
        trace.receives_bytes(&[0xB0, 3, 0, 1, code]);
        assert!(matches!(trace.tells(), Event::Unsubscribed { .. }));
        assert_eq!(trace.closes().failure, Some(Status::MalformedPacket));
    }
}

#[test]
fn the_reason_of_the_end_is_not_lost_for_being_unknown() {
    // MQTT-3.14.2-1, MQTT-3.2.2-8
    let mut trace = Trace::connected(options());
    trace.receives_bytes(b"\xE0\x01\x8A");
    trace.tells_breach(Breach::ReasonCode);
    let end = trace.closes();
    assert_eq!((end.failure, end.reason), (Some(Status::ServerDisconnected), Some(ReasonCode::BANNED)));
    for (wanted, connack) in [(options(), &b"\x20\x03\0\x98\0"[..]), (v311(), b"\x20\x02\0\x98")] {
        let mut trace = Trace::new(wanted);
        trace.opens();
        trace.sends_connect(|_| ());
        trace.receives_bytes(connack);
        trace.tells_breach(Breach::ReasonCode);
        let end = trace.closes();
        assert_eq!((end.failure, end.reason), (Some(Status::RefusedByServer), Some(ReasonCode(0x98))));
    }
}

#[test]
fn a_maximum_qos_of_2_and_foreign_properties_keep_nobody_from_connecting() {
    // 5-3.2.2.3.4-a, 5-2.2.2.2-a: EMQX 4.0 and rmqtt say that they take QoS 2, NanoMQ repeats Request Problem Information.
    for (properties, breach) in [
        (&b"\x24\x02"[..], Breach::MaximumQoS),
        (b"\x17\0", Breach::Property),
        (b"\x24\x02\x17\0\x22\0\x05", Breach::MaximumQoS),
    ] {
        let connack = [&[0x20, 3 + properties.len() as u8, 0, 0, properties.len() as u8], properties].concat();
        let mut trace = Trace::new(options());
        trace.opens();
        trace.sends_connect(|_| ());
        trace.receives_bytes(&connack);
        trace.tells_breach(breach);
        assert!(matches!(trace.tells(), Event::Connected { .. }));
        trace.publish(1, "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, 1));
    }
}

#[test]
fn a_message_that_breaks_a_rule_of_its_header_is_handed_out() {
    // MQTT-3.3.1-2; MQTT-3.3.2-2: RabbitMQ delivers what AMQP publishes to ticks.#AAPL; 5-2.2.2.2-a: VerneMQ passes on any property.
    for (bytes, topic, breach) in [
        (&b"\x38\x05\0\x01t\0x"[..], "t", Breach::DupOfQoS0),
        (b"\x32\x0E\0\x0Bticks/#AAPL\0\x01\0x", "ticks/#AAPL", Breach::TopicName),
        (b"\x32\x08\0\x01+\0\x01\0x", "+", Breach::TopicName),
        (b"\x32\x0E\0\x01t\0\x01\x05\x11\0\0\0\x05x", "t", Breach::Property),
    ] {
        let mut packet = bytes.to_vec();
        packet[1] = (bytes.len() - 2) as u8;
        let mut trace = Trace::connected(options());
        trace.receives_bytes(&packet);
        trace.tells_breach(breach);
        let Event::Message { message, delivery, .. } = trace.tells() else { panic!("no message") };
        assert_eq!((message.topic().as_str(), message.dup), (topic, false));
        if delivery.is_some() {
            trace.acknowledge(delivery);
            trace.sends(puback(1));
        }
        trace.stays_connected();
    }
    // A Topic Name is read before a Topic Alias is given to it.
    let mut trace = Trace::connected(SessionOptions { topic_alias_maximum: 1, ..options() });
    trace.receives_bytes(b"\x30\x09\0\x02a#\x03\x23\0\x01x");
    trace.tells_breach(Breach::TopicName);
    trace.tells_message("x");
    trace.receives_bytes(b"\x30\x07\0\0\x03\x23\0\x01y");
    let Event::Message { message, .. } = trace.tells() else { panic!("no message") };
    assert_eq!(message.topic().as_str(), "a#");
    assert_eq!(message.properties().int(PropertyId::TopicAlias), Some(1));
}

#[test]
fn a_topic_alias_that_we_do_not_take_beside_a_topic_name_is_passed_over() {
    // MQTT-3.1.2-26, MQTT-3.1.2-27, MQTT-3.3.2-11: some Servers pass on the alias of the publisher, with its Topic Name.
    for maximum in [0, 4] {
        let with_alias = |strict| SessionOptions { topic_alias_maximum: maximum, strict, ..options() };
        let named = b"\x32\x0A\0\x01t\0\x01\x03\x23\0\x05x";
        let mut trace = Trace::connected(with_alias(false));
        trace.receives_bytes(named);
        trace.tells_breach(Breach::TopicAlias);
        let Event::Message { message, delivery, .. } = trace.tells() else { panic!("no message") };
        assert_eq!((message.topic().as_str(), message.payload()), ("t", &b"x"[..]));
        trace.acknowledge(delivery);
        trace.sends(puback(1));
        // Alone it says nothing.
        trace.receives_bytes(b"\x30\x07\0\0\x03\x23\0\x05x");
        trace.breaks_off(ReasonCode::TOPIC_ALIAS_INVALID);
        let mut trace = Trace::connected(with_alias(true));
        trace.receives_bytes(named);
        trace.breaks_off(ReasonCode::TOPIC_ALIAS_INVALID);
        trace.tells_nothing();
    }
}

#[test]
fn a_packet_may_be_larger_than_our_maximum_by_its_fixed_header() {
    // MQTT-3.1.2-24: Mosquitto doesn't count the first byte, and would send the message again on each connection.
    let of_size = |size: usize| [&[0x30, size as u8 - 2, 0, 1, b't', 0][..], &vec![b'x'; size - 6]].concat();
    let limited = || Trace::connected(SessionOptions { maximum_packet_size: 64, ..options() });
    for size in 65..=69 {
        let packet = of_size(size);
        for cut in [1, 2, size - 1] {
            let mut trace = limited();
            let used = trace.session.handle_input(trace.now, &packet[..cut]);
            assert_eq!(used, 0);
            trace.tells_nothing();
            assert_eq!(trace.session.expected_size(&packet[..cut]), (cut > 1).then_some(size));
            trace.receives_bytes(&packet);
            trace.tells_breach(Breach::MaximumPacketSize);
            trace.tells_message(&"x".repeat(size - 6));
            trace.stays_connected();
        }
    }
    let mut trace = limited();
    trace.receives_bytes(&of_size(70)[..2]);
    trace.breaks_off(ReasonCode::PACKET_TOO_LARGE);
    let mut trace = Trace::connected(SessionOptions { maximum_packet_size: 64, ..strict() });
    trace.receives_bytes(&of_size(65)[..2]);
    trace.breaks_off(ReasonCode::PACKET_TOO_LARGE);
}

#[test]
fn a_server_that_takes_qos_2_as_qos_1_has_the_message() {
    // MQTT-2.2.1-5, MQTT-4.3.3-8: RabbitMQ in MQTT 3.1.1. Each further copy would be passed on by it.
    for wanted in [v311(), options()] {
        let mut trace = Trace::connected(wanted);
        trace.publish(1, "x", QoS::ExactlyOnce);
        trace.sends(publish("x", QoS::ExactlyOnce, 1));
        trace.receives(puback(1));
        trace.tells_breach(Breach::QoS2AsQoS1);
        trace.completes(1);
        trace.sends_nothing();
        trace.reconnects(true);
        trace.sends_nothing();
        // Sent again, it is the same message to us.
        trace.publish(2, "y", QoS::ExactlyOnce);
        trace.takes_packet(|_| ());
        trace.reconnects(true);
        trace.takes_packet(|_| ());
        trace.receives(puback(2));
        trace.tells_breach(Breach::QoS2AsQoS1);
        trace.completes(2);
        // The Packet Identifier is free, and the place in the quota given back.
        for packet_id in 3..100 {
            trace.publish(3, "z", QoS::ExactlyOnce);
            trace.sends(publish("z", QoS::ExactlyOnce, packet_id));
            trace.receives(puback(packet_id));
            trace.completes(3);
        }
    }
    // Mochi refuses so.
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.takes_packet(|_| ());
    trace.receives_bytes(b"\x40\x03\0\x01\x87");
    trace.tells_breach(Breach::QoS2AsQoS1);
    assert_eq!(trace.tells_published(1).failure, Some(Status::RefusedByServer));
}
