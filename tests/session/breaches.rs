//! Faults of a Server that harm nobody: counted and told of, unless the program wants strictness. All else that a Server can
//! do wrong ends the connection, which the other files here prove.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::disconnect::{Auth, Disconnect};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertyId, Value};
use mt5mqtt::session::authentication::{Authentication, Mechanism};
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::{PayloadFormatCheck, SessionOptions};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;

/// A Server that does this is passed over, counted and told of once; the connection goes on. A strict client ends it.
#[track_caller]
fn assert_passed_over(options: SessionOptions, breach: Breach, act: impl Fn(&mut Trace)) {
    let mut trace = Trace::connected(options.clone());
    for count in 1..=3 {
        act(&mut trace);
        if count == 1 {
            trace.tells_breach(breach);
        }
        trace.tells_nothing();
        assert_eq!(trace.session.counters().breaches, count);
    }
    trace.stays_connected();
    let mut trace = Trace::connected(SessionOptions { strict: true, ..options });
    act(&mut trace);
    let end = trace.breaks_off(breach.reason());
    assert!(end.detail.contains(breach.what()), "{}", end.detail);
    assert_eq!(end.failure, Some(Status::ProtocolError));
}

#[test]
fn an_acknowledgement_of_nothing_is_passed_over() {
    // MQTT-2.2.1-5
    assert_passed_over(options(), Breach::UnknownAcknowledgement, |trace| trace.receives(puback(7)));
    assert_passed_over(options(), Breach::UnknownAcknowledgement, |trace| trace.receives(pubcomp(7)));
    assert_passed_over(options(), Breach::UnknownAcknowledgement, |trace| {
        trace.receives(Packet::Pubrec(Ack::new(id(7), ReasonCode::QUOTA_EXCEEDED)));
    });
}

#[test]
fn a_pingresp_that_nobody_asked_for_is_passed_over() {
    // MQTT-3.12.4-1
    assert_passed_over(options(), Breach::UnaskedPingresp, |trace| trace.receives(Packet::Pingresp));
}

#[test]
fn a_message_that_comes_again_within_one_connection_is_passed_over() {
    // MQTT-4.4.0-1
    for wanted in [options(), strict()] {
        let is_strict = wanted.strict;
        let mut trace = Trace::connected(wanted);
        trace.receives(publish("x", QoS::AtLeastOnce, 1));
        trace.tells_message("x");
        trace.receives(publish_again("x", QoS::AtLeastOnce, 1));
        if is_strict {
            trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        } else {
            trace.tells_breach(Breach::Redelivery);
            trace.stays_connected();
        }
    }
}

#[test]
fn explanations_that_were_not_asked_for_are_passed_over() {
    // MQTT-3.1.2-29, 5-3.1.2.11.7-b
    let silent = SessionOptions { request_problem_information: false, ..options() };
    for (property, value) in
        [(PropertyId::ReasonString, Value::Text("why")), (PropertyId::UserProperty, Value::Pair("a", "b"))]
    {
        let mut trace = Trace::connected(silent.clone());
        trace.publish(1, "x", QoS::AtLeastOnce);
        trace.sends(publish("x", QoS::AtLeastOnce, 1));
        let properties = set(&[(property, value)]);
        let explained = |id| {
            Packet::Puback(Ack { packet_id: id, reason: ReasonCode::SUCCESS, properties: properties.as_properties() })
        };
        trace.receives(explained(id(1)));
        trace.tells_breach(Breach::ProblemInformation);
        trace.completes(1);
        let mut trace = Trace::connected(SessionOptions { strict: true, ..silent.clone() });
        trace.receives(explained(id(1)));
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        // Asked for, it is no breach.
        let mut trace = Trace::connected(strict());
        trace.publish(1, "x", QoS::AtLeastOnce);
        trace.takes_packet(|_| ());
        trace.receives(explained(id(1)));
        trace.completes(1);
    }
}

#[test]
fn every_packet_that_explains_unasked_is_noticed() {
    // MQTT-3.1.2-29, 5-3.1.2.11.7-b: all but PUBLISH, CONNACK and DISCONNECT.
    let silent = |strict| SessionOptions { request_problem_information: false, strict, ..options() };
    for explained in [
        &b"\x50\x08\0\x01\0\x04\x1F\0\x01r"[..],
        b"\x62\x08\0\x01\0\x04\x1F\0\x01r",
        b"\x70\x0B\0\x01\0\x07\x26\0\x01a\0\x01b",
        b"\x90\x08\0\x02\x04\x1F\0\x01r\0",
        b"\xB0\x0B\0\x03\x07\x26\0\x01a\0\x01b\0",
    ] {
        for strict in [false, true] {
            let mut trace = Trace::connected(silent(strict));
            trace.publish(1, "x", QoS::ExactlyOnce);
            trace.subscribe(2, "f");
            trace.unsubscribe(3, "f");
            for _ in 0..3 {
                trace.takes_packet(|_| ());
            }
            if explained[0] >> 4 == 7 {
                trace.receives(pubrec(1));
                trace.sends(pubrel(1));
            }
            trace.receives_bytes(explained);
            if strict {
                trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
            } else {
                trace.tells_breach(Breach::ProblemInformation);
                trace.stays_connected();
            }
        }
    }
    // AUTH, before CONNACK and after it.
    let authentication =
        || Some(Authentication { method: "m".to_owned(), mechanism: Mechanism::Program { data: None } });
    let explained =
        set(&[(PropertyId::AuthenticationMethod, Value::Text("m")), (PropertyId::UserProperty, Value::Pair("a", "b"))]);
    let auth = || {
        let (reason, properties) = (ReasonCode::CONTINUE_AUTHENTICATION, explained.as_properties());
        Packet::Auth(Auth { reason, properties })
    };
    for (online, is_strict) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut trace = Trace::new(SessionOptions { authentication: authentication(), ..silent(is_strict) });
        if online {
            trace.connects(false, &[(PropertyId::AuthenticationMethod, Value::Text("m"))]);
            trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
            trace.takes_packet(|_| ());
        } else {
            trace.opens();
            trace.sends_connect(|_| ());
        }
        trace.receives(auth());
        if is_strict {
            trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        } else {
            trace.tells_breach(Breach::ProblemInformation);
            assert!(matches!(trace.tells(), Event::Authenticate { .. }));
        }
    }
    let mut trace = Trace::new(silent(true));
    trace.connects(false, &[(PropertyId::ReasonString, Value::Text("welcome"))]);
    trace.receives_bytes(b"\x30\x0B\0\x01t\x07\x26\0\x01a\0\x01b");
    trace.tells_message("");
    trace.receives_bytes(b"\xE0\x06\x89\x04\x1F\0\x01r");
    assert_eq!(trace.closes().reason, Some(ReasonCode::SERVER_BUSY));
}

#[test]
fn response_information_that_was_not_asked_for_is_passed_over() {
    // MQTT-3.1.2-28
    let properties = set(&[(PropertyId::ResponseInformation, Value::Text("replies/"))]);
    for wanted in [options(), strict()] {
        let is_strict = wanted.strict;
        let mut trace = Trace::new(wanted);
        trace.opens();
        trace.sends_connect(|_| ());
        trace.receives(connack(false, ReasonCode::SUCCESS, &properties));
        if is_strict {
            trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        } else {
            trace.tells_breach(Breach::ResponseInformation);
            assert!(matches!(trace.tells(), Event::Connected { .. }));
        }
    }
}

#[test]
fn the_reason_of_a_faulty_disconnect_is_not_lost() {
    // MQTT-3.14.2-2
    let properties = set(&[(PropertyId::SessionExpiryInterval, Value::Int(1))]);
    let disconnect = Disconnect { reason: ReasonCode::SERVER_BUSY, properties: properties.as_properties() };
    let mut trace = Trace::connected(options());
    trace.receives(Packet::Disconnect(disconnect.clone()));
    trace.tells_breach(Breach::SessionExpiryInDisconnect);
    assert_eq!(trace.closes().reason, Some(ReasonCode::SERVER_BUSY));
    let mut trace = Trace::connected(strict());
    trace.receives(Packet::Disconnect(disconnect));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn the_reason_of_an_early_disconnect_is_not_lost() {
    // MQTT-3.14.0-1
    let mut trace = Trace::new(options());
    trace.opens();
    trace.sends_connect(|_| ());
    trace.receives(disconnect(ReasonCode::SERVER_BUSY));
    trace.tells_breach(Breach::DisconnectBeforeConnack);
    let end = trace.closes();
    assert_eq!((end.failure, end.reason), (Some(Status::ServerDisconnected), Some(ReasonCode::SERVER_BUSY)));
}

#[test]
fn a_refusal_is_one_whatever_it_says_of_a_session() {
    // MQTT-3.2.2-6
    for wanted in [options(), strict()] {
        let is_strict = wanted.strict;
        let mut trace = Trace::new(wanted);
        trace.opens();
        trace.sends_connect(|_| ());
        trace.receives_bytes(&[0x20, 3, 1, 0x87, 0]);
        if is_strict {
            trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        } else {
            trace.tells_breach(Breach::SessionPresentInRefusal);
            assert_eq!(trace.closes().reason, Some(ReasonCode::NOT_AUTHORIZED));
        }
    }
}

/// PUBLISH with Payload Format Indicator 1 and a payload that is no UTF-8.
fn ill_formed(qos: QoS, packet_id: u16) -> Vec<u8> {
    not_utf8(&[(PropertyId::PayloadFormatIndicator, Value::Int(1))], qos, packet_id)
}

/// PUBLISH with a payload that is no UTF-8.
fn not_utf8(properties: &[(PropertyId, Value<'_>)], qos: QoS, packet_id: u16) -> Vec<u8> {
    let properties = set(properties);
    let topic = TopicName::new("t").unwrap();
    let message = Message::new(topic, &[0xFF], qos, false, properties.as_properties());
    let packet = Packet::Publish(message.publish(mt5mqtt::codec::PacketId::new(packet_id), false));
    let mut bytes = Vec::new();
    mt5mqtt::codec::encode(&packet, options().version, usize::MAX, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_payload_that_is_not_what_it_says_is_told_of_and_delivered() {
    // 5-3.3.2.3.2-a; section 3.3.2.3.2
    let mut trace = Trace::connected(options());
    trace.receives_bytes(&ill_formed(QoS::AtLeastOnce, 1));
    trace.tells_breach(Breach::PayloadFormat);
    let Event::Message { message, delivery, .. } = trace.tells() else { panic!("no message") };
    assert_eq!(message.payload(), [0xFF]);
    trace.acknowledge(delivery);
    trace.sends(puback(1));
    let mut trace = Trace::connected(strict());
    trace.receives_bytes(&ill_formed(QoS::AtLeastOnce, 1));
    trace.breaks_off(ReasonCode::PAYLOAD_FORMAT_INVALID);
}

#[test]
fn a_payload_that_says_nothing_of_its_format_may_be_any_bytes() {
    // Section 3.3.2.3.2: 0 is the same as no indicator.
    let said: [&[_]; 2] = [&[], &[(PropertyId::PayloadFormatIndicator, Value::Int(0))]];
    for properties in said {
        let mut trace = Trace::connected(strict());
        trace.receives_bytes(&not_utf8(properties, QoS::AtLeastOnce, 1));
        let Event::Message { message, .. } = trace.tells() else { panic!("no message") };
        assert_eq!(message.payload(), [0xFF]);
        trace.stays_connected();
    }
}

#[test]
fn a_response_topic_that_is_none_keeps_no_message_away() {
    // MQTT-3.3.2-14, MQTT-4.7.3-1: Mosquitto passes on what a publisher wrote. Were the connection ended for it, the message
    // would come again on the next one, and nothing else ever.
    for topic in ["a/#", "+", ""] {
        let bytes = |packet_id| {
            let properties = [&[8, 0, topic.len() as u8], topic.as_bytes()].concat();
            let body = [b"\0\x01t\0", &[packet_id, properties.len() as u8][..], &properties, b"order"].concat();
            [&[0x32, body.len() as u8][..], &body].concat()
        };
        let mut trace = Trace::connected(options());
        trace.receives_bytes(&bytes(1));
        trace.tells_breach(Breach::ResponseTopic);
        let Event::Message { message, delivery, .. } = trace.tells() else { panic!("no message") };
        assert_eq!(message.properties().text(PropertyId::ResponseTopic), Some(topic));
        trace.acknowledge(delivery);
        trace.sends(puback(1));
        trace.receives_bytes(&bytes(2));
        trace.tells_message("order");
        let mut trace = Trace::connected(strict());
        trace.receives_bytes(&bytes(1));
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        trace.tells_nothing();
    }
}

#[test]
fn a_payload_that_is_not_what_it_says_is_refused_if_so_asked() {
    // 5-3.3.2.3.2-a; section 3.3.2.3.2, MQTT-4.3.3-9: the Packet Identifier is free for a new message then.
    let options = SessionOptions { payload_format_check: PayloadFormatCheck::Refuse, ..options() };
    let mut trace = Trace::connected(options.clone());
    trace.receives_bytes(&ill_formed(QoS::AtLeastOnce, 1));
    trace.tells_breach(Breach::PayloadFormat);
    trace.sends(Packet::Puback(Ack::new(id(1), ReasonCode::PAYLOAD_FORMAT_INVALID)));
    trace.receives_bytes(&ill_formed(QoS::ExactlyOnce, 2));
    trace.sends(Packet::Pubrec(Ack::new(id(2), ReasonCode::PAYLOAD_FORMAT_INVALID)));
    trace.receives(publish("x", QoS::ExactlyOnce, 2));
    trace.tells_message("x");
    trace.receives_bytes(&ill_formed(QoS::AtMostOnce, 0));
    trace.tells_nothing();
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 3);
    // It is the same message when the Server sends it again.
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 1, ..options });
    for _ in 0..3 {
        trace.receives_bytes(&ill_formed(QoS::AtLeastOnce, 1));
        trace.sends(Packet::Puback(Ack::new(id(1), ReasonCode::PAYLOAD_FORMAT_INVALID)));
    }
}

#[test]
fn payloads_are_not_looked_at_if_so_asked() {
    let mut trace =
        Trace::connected(SessionOptions { payload_format_check: PayloadFormatCheck::Off, strict: true, ..options() });
    trace.receives_bytes(&ill_formed(QoS::AtMostOnce, 0));
    assert!(matches!(trace.tells(), Event::Message { .. }));
}

#[test]
fn a_new_connection_is_told_of_anew() {
    let mut trace = Trace::connected(options());
    trace.receives(puback(7));
    trace.tells_breach(Breach::UnknownAcknowledgement);
    trace.reconnects(true);
    trace.receives(puback(7));
    trace.tells_breach(Breach::UnknownAcknowledgement);
}
