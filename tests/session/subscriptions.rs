//! SUBSCRIBE and UNSUBSCRIBE (sections 3.8 to 3.11). What becomes of them on the next connection is in `made_again`.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::{RetainHandling, Suback, SubscriptionOptions};
use mt5mqtt::codec::unsubscribe::Unsuback;
use mt5mqtt::session::event::{Event, Outcome, Token};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicFilter;

/// Takes a SUBSCRIBE with this Topic Filter; its Packet Identifier.
#[track_caller]
pub fn takes_subscribe(trace: &mut Trace, filter: &str) -> u16 {
    trace.takes_packet(|packet| match packet {
        Packet::Subscribe(subscribe) => {
            assert_eq!(subscribe.subscriptions[0].filter.as_str(), filter);
            subscribe.packet_id.get()
        }
        other => panic!("{other:?} instead of SUBSCRIBE"),
    })
}

#[track_caller]
pub fn takes_unsubscribe(trace: &mut Trace, filter: &str) -> u16 {
    trace.takes_packet(|packet| match packet {
        Packet::Unsubscribe(unsubscribe) => {
            assert_eq!(unsubscribe.filters[0].as_str(), filter);
            unsubscribe.packet_id.get()
        }
        other => panic!("{other:?} instead of UNSUBSCRIBE"),
    })
}

#[track_caller]
pub fn tells_subscribed(trace: &mut Trace, expected: Token) -> Outcome {
    match trace.tells() {
        Event::Subscribed { token, outcome, .. } => {
            assert_eq!(token, expected);
            outcome
        }
        other => panic!("{other:?}"),
    }
}

/// Subscribes with success.
#[track_caller]
pub fn subscribed(trace: &mut Trace, token: Token, filter: &str) {
    trace.subscribe(token, filter);
    let packet_id = takes_subscribe(trace, filter);
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    assert_eq!(tells_subscribed(trace, token).failure, None);
}

pub fn unsuback(packet_id: u16, reasons: Vec<ReasonCode>) -> Packet<'static> {
    Packet::Unsuback(Unsuback { packet_id: id(packet_id), properties: Properties::EMPTY, reasons })
}

#[test]
fn subscribe_carries_options_and_properties_and_its_answer_comes_back_whole() {
    // MQTT-2.2.1-6, MQTT-3.8.4-1, MQTT-3.8.3-2, section 3.8.3.1
    let mut trace = Trace::connected(options());
    let asked = SubscriptionOptions {
        maximum_qos: QoS::AtLeastOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::IfNew,
    };
    let properties = set(&[
        (PropertyId::SubscriptionIdentifier, Value::Int(268_435_455)),
        (PropertyId::UserProperty, Value::Pair("why", "prices")),
    ]);
    trace.session.subscribe(5, TopicFilter::new("a/+/#").unwrap(), asked, properties.clone());
    trace.takes_packet(|packet| match packet {
        Packet::Subscribe(subscribe) => {
            assert_eq!(subscribe.subscriptions[0].options, asked);
            assert_eq!(subscribe.properties, properties.as_properties());
        }
        other => panic!("{other:?}"),
    });
    let said = set(&[(PropertyId::ReasonString, Value::Text("fine"))]);
    trace.receives(Packet::Suback(Suback {
        packet_id: id(1),
        properties: said.as_properties(),
        reasons: vec![ReasonCode::GRANTED_QOS_1],
    }));
    let Event::Subscribed { token, filter, outcome } = trace.tells() else { panic!("no answer") };
    assert_eq!((token, filter.as_str(), outcome.failure), (5, "a/+/#", None));
    assert_eq!((outcome.reason, outcome.properties), (Some(ReasonCode::GRANTED_QOS_1), said));
}

#[test]
fn a_refused_subscription_says_so_and_is_not_made_again() {
    // MQTT-3.9.3-2
    let mut trace = Trace::connected(options());
    trace.subscribe(1, "secret");
    let packet_id = takes_subscribe(&mut trace, "secret");
    trace.receives(suback(packet_id, ReasonCode::NOT_AUTHORIZED));
    let outcome = tells_subscribed(&mut trace, 1);
    assert_eq!((outcome.failure, outcome.reason), (Some(Status::RefusedByServer), Some(ReasonCode::NOT_AUTHORIZED)));
    trace.reconnects(false);
    trace.sends_nothing();
}

#[test]
fn unsubscribe_ends_with_unsuback() {
    // MQTT-3.10.4-4, MQTT-2.2.1-6, MQTT-3.10.3-2
    let mut trace = Trace::connected(options());
    subscribed(&mut trace, 1, "f");
    trace.unsubscribe(2, "f");
    let packet_id = takes_unsubscribe(&mut trace, "f");
    trace.receives(unsuback(packet_id, vec![ReasonCode::NO_SUBSCRIPTION_EXISTED]));
    let Event::Unsubscribed { token: 2, outcome, .. } = trace.tells() else { panic!("no answer") };
    assert_eq!((outcome.failure, outcome.reason), (None, Some(ReasonCode::NO_SUBSCRIPTION_EXISTED)));
    trace.reconnects(false);
    trace.sends_nothing();
}

#[test]
fn what_the_server_said_it_lacks_is_not_asked_for() {
    // 5-3.2.2.3.11-b, 5-3.2.2.3.12-b, 5-3.2.2.3.13-b; sections 3.2.2.3.11 to 3.2.2.3.13
    let lacks = |id| Trace::connected_to(options(), &[(id, Value::Int(0))]);
    let mut trace = lacks(PropertyId::WildcardSubscriptionAvailable);
    trace.subscribe(1, "a/#");
    assert_eq!(tells_subscribed(&mut trace, 1).failure, Some(Status::NotSupportedByServer));
    trace.subscribe(2, "a");
    takes_subscribe(&mut trace, "a");
    // What the Session has from before can be ended.
    trace.unsubscribe(3, "a/#");
    takes_unsubscribe(&mut trace, "a/#");

    let mut trace = lacks(PropertyId::SharedSubscriptionAvailable);
    trace.subscribe(1, "$share/group/a");
    assert_eq!(tells_subscribed(&mut trace, 1).failure, Some(Status::NotSupportedByServer));
    trace.subscribe(2, "a");
    takes_subscribe(&mut trace, "a");
    // It has them if it doesn't say otherwise.
    let mut trace = Trace::connected(options());
    trace.subscribe(1, "$share/group/a");
    takes_subscribe(&mut trace, "$share/group/a");

    let mut trace = lacks(PropertyId::SubscriptionIdentifierAvailable);
    let properties = set(&[(PropertyId::SubscriptionIdentifier, Value::Int(1))]);
    trace.session.subscribe(1, TopicFilter::new("a").unwrap(), at_most(QoS::AtMostOnce), properties);
    assert_eq!(tells_subscribed(&mut trace, 1).failure, Some(Status::NotSupportedByServer));
    trace.sends_nothing();
}

#[test]
fn answers_that_fit_no_request_end_the_connection() {
    // MQTT-2.2.1-6, MQTT-3.8.4-2, MQTT-3.10.4-5
    let wrong = [suback(9, ReasonCode::SUCCESS), unsuback(9, vec![ReasonCode::SUCCESS])];
    for answer in wrong {
        let mut trace = Trace::connected(options());
        trace.subscribe(1, "a");
        takes_subscribe(&mut trace, "a");
        trace.receives(answer);
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        trace.tells_nothing();
    }
}

#[test]
fn a_request_whose_answer_can_not_be_taken_fails_and_is_not_asked_again_on_each_connection() {
    // MQTT-3.8.4-6, MQTT-3.11.3-1: a Reason Code for each Topic Filter. MQTT-3.9.3-2, MQTT-3.11.3-2: one of the tables.
    type Asks = fn(&mut Trace) -> u16;
    let subscribes: Asks = |trace| {
        trace.subscribe(1, "a");
        takes_subscribe(trace, "a")
    };
    let unsubscribes: Asks = |trace| {
        trace.unsubscribe(1, "a");
        takes_unsubscribe(trace, "a")
    };
    let wrong: [(Asks, &[u8], ReasonCode); 7] = [
        (subscribes, &[0x90, 5, 0, 1, 0, 0, 0], ReasonCode::PROTOCOL_ERROR),
        (subscribes, &[0x90, 3, 0, 1, 0], ReasonCode::PROTOCOL_ERROR),
        (subscribes, &[0x90, 4, 0, 1, 0, 0x05], ReasonCode::MALFORMED_PACKET),
        (subscribes, &[0xB0, 4, 0, 1, 0, 0], ReasonCode::PROTOCOL_ERROR),
        (unsubscribes, &[0xB0, 5, 0, 1, 0, 0, 0], ReasonCode::PROTOCOL_ERROR),
        (unsubscribes, &[0xB0, 3, 0, 1, 0], ReasonCode::PROTOCOL_ERROR),
        // As in MQTT 3.1.1.
        (unsubscribes, &[0xB0, 2, 0, 1], ReasonCode::MALFORMED_PACKET),
    ];
    for (asks, answer, reason) in wrong {
        let mut trace = Trace::connected(options());
        assert_eq!(asks(&mut trace), 1);
        trace.receives_bytes(answer);
        let (Event::Subscribed { token, outcome, .. } | Event::Unsubscribed { token, outcome, .. }) = trace.tells()
        else {
            panic!("{answer:02X?}: the request has no end")
        };
        assert_eq!((token, outcome.failure), (1, Some(Status::ProtocolError)), "{answer:02X?}");
        trace.breaks_off(reason);
        trace.connects(true, &[]);
        trace.sends_nothing();
        trace.tells_nothing();
    }
}

#[test]
fn a_request_too_large_for_the_server_fails_alone() {
    // MQTT-3.2.2-15
    let mut trace = Trace::connected_to(options(), &[(PropertyId::MaximumPacketSize, Value::Int(20))]);
    trace.subscribe(1, &"a".repeat(30));
    assert_eq!(tells_subscribed(&mut trace, 1).failure, Some(Status::TooLarge));
    trace.subscribe(2, "a");
    takes_subscribe(&mut trace, "a");
    trace.stays_connected();
}

#[test]
fn a_request_waits_for_a_packet_identifier_and_one_that_failed_keeps_none() {
    // MQTT-2.2.1-3
    let wanted = SessionOptions { in_flight_maximum: 65_535, ..options() };
    let limit = [(PropertyId::MaximumPacketSize, Value::Int(20))];
    let mut trace = Trace::connected_to(wanted, &limit);
    trace.subscribe(1, &"a".repeat(30));
    assert_eq!(tells_subscribed(&mut trace, 1).failure, Some(Status::TooLarge));
    // Without an answer, and with one that can't be taken.
    trace.subscribe(2, "a");
    takes_subscribe(&mut trace, "a");
    trace.loses_connection();
    trace.connects(true, &limit);
    let packet_id = takes_subscribe(&mut trace, "a") as u8;
    trace.receives_bytes(&[0x90, 5, 0, packet_id, 0, 0, 0]);
    assert_eq!(tells_subscribed(&mut trace, 2).failure, Some(Status::ProtocolError));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    trace.connects(true, &limit);
    for token in 1..=65_535 {
        trace.publish(token, "x", QoS::AtLeastOnce);
    }
    assert_eq!(trace.sends_payloads().len(), 65_535);
    trace.subscribe(65_537, "b");
    trace.sends_nothing();
    trace.receives(puback(9));
    assert!(matches!(trace.tells(), Event::Published { .. }));
    assert_eq!(takes_subscribe(&mut trace, "b"), 9);
}

#[test]
fn every_subscription_options_byte_is_one_that_the_standard_allows() {
    // 5-3.8.3.1-a, 5-3.8.3.1-b: whatever a program asks for, neither QoS 3 nor Retain Handling 3 nor a reserved bit.
    for maximum_qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for retain_handling in [RetainHandling::Always, RetainHandling::IfNew, RetainHandling::Never] {
            for (no_local, retain_as_published) in [(false, false), (true, false), (false, true), (true, true)] {
                let mut trace = Trace::connected(options());
                let asked = SubscriptionOptions { maximum_qos, no_local, retain_as_published, retain_handling };
                trace.session.subscribe(1, TopicFilter::new("a").unwrap(), asked, PropertiesBuf::new());
                let byte = *trace.session.output().last().unwrap();
                assert_eq!((byte & 3, byte >> 4), (maximum_qos as u8, retain_handling as u8));
                assert_eq!((byte & 4 != 0, byte & 8 != 0), (no_local, retain_as_published));
                assert!(byte & 3 != 3 && byte >> 4 < 3);
            }
        }
    }
}
