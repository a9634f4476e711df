//! What comes again under a Packet Identifier in use: whether it is the message that the program has, or a new one, and what
//! becomes of the first one then.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::{Delivery, Event};
use mt5mqtt::session::options::{Acknowledge, Deduplicate, MessageKey, SessionOptions};
use mt5mqtt::session::record::Key;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;

#[test]
fn without_dup_it_is_a_new_message_in_qos_1_and_the_same_in_qos_2() {
    // MQTT-3.3.1-1, MQTT-4.3.2-5: a QoS 1 message that only looks like another one must not be lost. MQTT-4.3.3-10: until PUBREL
    // the Packet Identifier says which one it is.
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut trace = Trace::connected(options());
        trace.receives(publish("tick", qos, 7));
        let first = trace.tells_message("tick");
        trace.reconnects(true);
        trace.receives(publish("tick", qos, 7));
        if qos == QoS::AtLeastOnce {
            let second = trace.tells_message("tick");
            assert!(!trace.session.acknowledge(first.unwrap(), ReasonCode::SUCCESS), "it answered the second one");
            trace.sends_nothing();
            trace.acknowledge(second);
            trace.sends(puback(7));
        } else {
            trace.tells_nothing();
            trace.acknowledge(first);
            trace.sends(pubrec(7));
        }
    }
}

#[test]
fn within_a_connection_too() {
    // MQTT-2.2.1-4, MQTT-4.3.3-10
    let mut trace = Trace::connected(options());
    trace.receives(publish("tick", QoS::ExactlyOnce, 7));
    let delivery = trace.tells_message("tick");
    trace.receives(publish("tick", QoS::ExactlyOnce, 7));
    trace.tells_breach(Breach::Redelivery);
    trace.receives(publish("tick", QoS::AtLeastOnce, 8));
    trace.tells_message("tick");
    trace.receives(publish("tick", QoS::AtLeastOnce, 8));
    trace.tells_breach(Breach::IdentifierInUse);
    let second = trace.tells_message("tick");
    trace.acknowledge(second);
    // MQTT-4.6.0-3 doesn't put one behind the other, but the answers wait for each other.
    trace.sends_nothing();
    trace.acknowledge(delivery);
    trace.sends(pubrec(7));
    trace.sends(puback(8));
    trace.tells_nothing();
}

#[test]
fn the_second_message_is_answered_in_its_own_place() {
    // MQTT-4.6.0-2
    let mut trace = Trace::connected(options());
    trace.receives(publish("one", QoS::AtLeastOnce, 7));
    trace.receives(publish("two", QoS::AtLeastOnce, 8));
    trace.receives(publish("three", QoS::AtLeastOnce, 7));
    trace.tells_message("one");
    let two = trace.tells_message("two");
    trace.tells_breach(Breach::IdentifierInUse);
    let three = trace.tells_message("three");
    trace.acknowledge(three);
    trace.sends_nothing();
    trace.acknowledge(two);
    trace.sends(puback(8));
    trace.sends(puback(7));
    trace.sends_nothing();
}

#[test]
fn a_message_that_the_server_has_forgotten_is_out_of_the_store() {
    // MQTT-2.2.1-4: what stayed would be taken for a breach by the next process.
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    trace.receives(publish("one", QoS::ExactlyOnce, 7));
    let one = trace.tells_message("one");
    trace.acknowledge(one);
    disk.store(&mut trace);
    trace.sends(pubrec(7));
    assert!(disk.records.contains_key(&Key::Received(id(7))));
    trace.receives(publish("two", QoS::AtLeastOnce, 7));
    trace.tells_breach(Breach::IdentifierInUse);
    disk.store(&mut trace);
    assert!(!disk.records.contains_key(&Key::Received(id(7))));
}

#[test]
fn what_the_server_has_confirmed_takes_no_place_on_the_next_connection() {
    // Section 4.9: the Receive Maximum counts anew, and PUBREL is sent again without it.
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 1, ..options() });
    trace.receives(publish("one", QoS::ExactlyOnce, 7));
    let one = trace.tells_message("one");
    trace.acknowledge(one);
    trace.sends(pubrec(7));
    trace.reconnects(true);
    trace.receives(publish("two", QoS::AtLeastOnce, 8));
    trace.stays_connected();
    let two = trace.tells_message("two");
    trace.acknowledge(two);
    trace.sends(puback(8));
    trace.receives(pubrel(7));
    trace.sends(pubcomp(7));
}

/// The Server sends a QoS 1 message with this Correlation Data.
fn arrives(trace: &mut Trace, key: &str, payload: &str, packet_id: u16) {
    let properties = set(&[(PropertyId::CorrelationData, Value::Binary(key.as_bytes()))]);
    let (topic, packet_id) = (TopicName::new("t").unwrap(), Some(id(packet_id)));
    let (properties, payload) = (properties.as_properties(), payload.as_bytes());
    let (dup, qos, retain, topic) = (false, QoS::AtLeastOnce, false, Some(topic));
    trace.receives(Packet::Publish(Publish { dup, qos, retain, topic, packet_id, properties, payload }));
}

#[track_caller]
fn gets(trace: &mut Trace, payload: &str) -> Option<Delivery> {
    let event = std::iter::from_fn(|| trace.session.poll_event()).find(|event| !matches!(event, Event::Breach(_)));
    match event.expect("a message") {
        Event::Message { message, delivery, .. } => {
            assert_eq!(message.payload(), payload.as_bytes());
            delivery
        }
        other => panic!("{other:?} instead of a message"),
    }
}

#[test]
fn the_first_one_can_still_be_done_with_so_that_a_copy_of_it_is_known() {
    // The Server doesn't wait for it any more: MQTT-3.3.1-1 when the same comes as a new message, MQTT-2.2.1-4 when another does.
    let deduplicate = Some(Deduplicate { key: MessageKey::CorrelationData, window: 10, suppress: true });
    for other in ["order", "other"] {
        let acknowledge = Acknowledge::Explicitly;
        let mut trace = Trace::connected(SessionOptions { deduplicate: deduplicate.clone(), acknowledge, ..options() });
        arrives(&mut trace, "order", "order", 7);
        let first = gets(&mut trace, "order");
        trace.reconnects(true);
        arrives(&mut trace, other, other, 7);
        gets(&mut trace, other);
        assert!(!trace.session.acknowledge(first.unwrap(), ReasonCode::SUCCESS), "nobody waits for an answer");
        arrives(&mut trace, "order", "order", 8);
        trace.tells_nothing();
    }
}

#[test]
fn a_message_that_comes_again_and_again_is_one_message_to_the_receive_maximum() {
    // MQTT-4.3.3-10, MQTT-3.3.4-7
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 2, ..options() });
    trace.receives(publish("one", QoS::ExactlyOnce, 1));
    trace.takes_message("one");
    trace.sends(pubrec(1));
    trace.reconnects(true);
    for _ in 0..3 {
        trace.receives(publish_again("one", QoS::ExactlyOnce, 1));
        trace.sends(pubrec(1));
    }
    trace.receives(publish("two", QoS::ExactlyOnce, 2));
    trace.tells_message("two");
    trace.stays_connected();
    trace.receives(publish("three", QoS::ExactlyOnce, 3));
    trace.tells_breach(Breach::ReceiveMaximum);
}

#[test]
fn pubrec_waits_for_the_store_and_on_the_next_connection_too() {
    // MQTT-4.3.3-10: whoever forgot the Packet Identifier in a crash would take the Server's repetition for a new message.
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.receives(publish("one", QoS::ExactlyOnce, 1));
    trace.takes_message("one");
    trace.sends_nothing();
    trace.reconnects(true);
    trace.receives(publish_again("one", QoS::ExactlyOnce, 1));
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(pubrec(1));
    trace.sends_nothing();
}

#[test]
fn puback_waits_for_nothing_to_be_stored() {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.receives(publish("zero", QoS::AtLeastOnce, 1));
    let delivery = trace.tells_message("zero");
    trace.session.taken(delivery.unwrap());
    trace.sends(puback(1));
    assert!(!trace.session.has_records());
    trace.publish(1, "stored", QoS::AtLeastOnce);
    trace.sends(publish("stored", QoS::AtLeastOnce, 1));
    trace.receives(publish("one", QoS::AtLeastOnce, 1));
    trace.takes_message("one");
    trace.sends(puback(1));
}

#[test]
fn what_the_program_says_first_of_a_message_counts() {
    // MQTT-4.6.0-2: the answer waits behind another.
    let mut trace = Trace::connected(options());
    let deliveries = [1, 2].map(|packet_id| {
        trace.receives(publish("x", QoS::AtLeastOnce, packet_id));
        trace.tells_message("x")
    });
    trace.acknowledge(deliveries[1]);
    assert!(!trace.session.acknowledge(deliveries[1].unwrap(), ReasonCode::QUOTA_EXCEEDED));
    trace.acknowledge(deliveries[0]);
    trace.sends(puback(1));
    trace.sends(puback(2));
}
