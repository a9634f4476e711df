//! What a process takes over from the one before: which publishes are under way, how far they are, and what it has accepted itself
//! by then.

use crate::trace::*;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::Amount;
use mt5mqtt::session::event::{Event, Stage, Token};
use mt5mqtt::session::options::{Acknowledge, SessionOptions};
use mt5mqtt::session::record::{Key, Record};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

#[test]
fn what_is_published_before_the_store_is_open_comes_after_what_lies_in_it() {
    let mut disk = Disk::default();
    let mut before = disk.start(options());
    before.publish(1, "stored", QOS_1);
    disk.store(&mut before);

    let mut trace = Trace::new(options());
    trace.publish(2, "early", QOS_1);
    trace.publish(3, "tick", QoS::AtMostOnce);
    trace.publish(4, "early too", QOS_2);
    trace.session.restore(disk.records.clone().into_iter().collect()).expect("what was stored fits together");
    // A topic of one byte goes with each.
    assert_eq!(trace.session.outstanding(), Amount { count: 4, bytes: "stored early tick early too".len() - 3 + 4 });
    trace.connects(false, &[]);
    disk.store(&mut trace);
    assert_eq!(trace.sends_payloads(), ["stored", "early", "tick", "early too"]);
    for packet_id in [1, 2] {
        trace.receives(puback(packet_id));
        trace.completes(packet_id.into());
    }
    trace.receives(pubrec(3));
    // And the next one has all of them.
    disk.store(&mut trace);
    let mut trace = disk.start(options());
    for token in [1, 2] {
        trace.completes(token);
    }
    trace.connects(true, &[]);
    trace.sends(pubrel(3));
    trace.receives(pubcomp(3));
    trace.completes(4);
    assert_eq!(trace.session.outstanding(), Amount::default());
}

#[test]
fn what_several_processes_have_sent_is_sent_again_in_its_order() {
    // MQTT-4.6.0-1: and the places of their messages are not the same, which no process could read.
    let mut disk = Disk::default();
    let payloads = ["one", "two", "three"];
    for (number, payload) in payloads.into_iter().enumerate() {
        let mut trace = disk.start(options());
        trace.connects(number > 0, &[]);
        disk.store(&mut trace);
        assert_eq!(trace.sends_payloads(), payloads[..number]);
        trace.publish(number as Token, payload, QOS_1);
        disk.store(&mut trace);
        trace.takes_packet(|packet| assert!(matches!(packet, Packet::Publish(publish) if !publish.dup)));
    }
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    assert_eq!(trace.sends_payloads(), payloads);
}

#[test]
fn how_far_each_publish_is_is_told_anew() {
    let mut disk = Disk::default();
    let progress = || SessionOptions { progress: true, in_flight_maximum: 2, ..options() };
    let mut before = disk.start(progress());
    before.connects(false, &[]);
    for token in [1, 2, 3] {
        before.publish(token, "x", QOS_2);
    }
    disk.store(&mut before);
    assert_eq!(before.sends_payloads(), ["x", "x"]);
    before.receives(pubrec(1));
    disk.store(&mut before);

    let mut trace = disk.start(progress());
    let mut told: Vec<(Token, Stage)> = std::iter::from_fn(|| trace.session.poll_event())
        .map(|event| match event {
            Event::Progress { token, stage } => (token, stage),
            other => panic!("{other:?}"),
        })
        .collect();
    told.sort_by_key(|(token, _)| *token);
    assert_eq!(told, [(1, Stage::Acknowledged), (2, Stage::Sent), (3, Stage::Durable)]);
}

#[test]
fn of_records_that_cant_all_be_true_none_is_taken_over() {
    let on_arrival = || SessionOptions { acknowledge: Acknowledge::OnArrival, ..options() };
    let mut disk = Disk::default();
    let mut before = disk.start(on_arrival());
    before.connects(false, &[]);
    before.publish(1, "kept", QOS_1);
    before.publish(2, "ended", QOS_1);
    disk.store(&mut before);
    before.receives(puback(2));
    before.receives(publish("arrived", QOS_1, 7));
    disk.store(&mut before);
    let mut contradictory = disk.clone();
    let packet_id = PacketId::new(9).expect("not 0");
    let flow = Record::Flow { token: 9, packet_id, order: 9, released: false };
    contradictory.records.insert(Key::Flow(9), flow);

    let mut trace = Trace::new(on_arrival());
    trace.publish(3, "early", QOS_1);
    let refused = trace.session.restore(contradictory.records.into_iter().collect());
    assert_eq!(refused, Err("a message in flight is missing"));
    trace.tells_nothing();
    assert_eq!(trace.session.outstanding(), Amount { count: 1, bytes: "early".len() + 1 });
    assert!(!trace.session.has_records());
    // Nor does anything of it stand in the way of what was stored.
    trace.session = disk.restored(trace.session);
    assert_eq!(trace.session.outstanding(), Amount { count: 2, bytes: "kept early".len() - 1 + 2 });
    trace.tells_message("arrived");
    trace.completes(2);
    trace.tells_nothing();
    trace.connects(true, &[]);
    assert_eq!(trace.sends_payloads(), ["kept", "early"]);
}

#[test]
fn a_qos_2_message_that_waited_for_the_store_has_not_left_when_its_session_is_lost() {
    // So it isn't in doubt, but expired.
    let mut trace = Disk::default().start(SessionOptions { session_expiry_interval: 0, ..options() });
    trace.connects(false, &[]);
    trace.publish_so(1, "t", "order", QOS_2, lives(500));
    trace.sends_nothing();
    trace.loses_connection();
    trace.passes(Duration::from_millis(500));
    assert_eq!(trace.tells_published(1).failure, Some(Status::Expired));
}

#[test]
fn a_message_that_no_program_has_taken_comes_again_and_its_name_is_not_given_to_another() {
    let mut disk = Disk::default();
    let on_arrival = || SessionOptions { acknowledge: Acknowledge::OnArrival, ..options() };
    let mut before = disk.start(on_arrival());
    before.connects(false, &[]);
    for payload in ["one", "two"] {
        before.receives(publish(payload, QOS_1, 7));
        disk.store(&mut before);
        before.sends(puback(7));
        let delivery = before.tells_message(payload).expect("it is above QoS 0");
        if payload == "one" {
            before.session.taken(delivery);
        }
    }
    disk.store(&mut before);

    let mut trace = disk.start(on_arrival());
    let again = match trace.tells() {
        Event::Message { message, delivery, .. } => {
            assert_eq!((message.payload(), message.dup), (&b"two"[..], true));
            delivery.expect("it is above QoS 0")
        }
        other => panic!("{other:?} instead of a message"),
    };
    trace.connects(true, &[]);
    for payload in ["three", "four", "five"] {
        trace.receives(publish(payload, QOS_1, 7));
        disk.store(&mut trace);
        trace.sends(puback(7));
        assert_ne!(trace.tells_message(payload), Some(again));
    }
    trace.session.taken(again);
    disk.store(&mut trace);
    let mut trace = disk.start(on_arrival());
    for payload in ["three", "four", "five"] {
        trace.tells_message(payload);
    }
    trace.tells_nothing();
}

/// A stored Session with a subscription that the Server has just granted.
fn subscribed() -> (Disk, Trace) {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.subscribe(1, "signals");
    trace.takes_packet(|_| ());
    trace.receives(suback(1, ReasonCode::GRANTED_QOS_2));
    (disk, trace)
}

#[test]
fn that_a_subscription_has_ended_is_told_when_the_next_process_will_not_make_it_again() {
    let (mut disk, mut trace) = subscribed();
    assert!(matches!(trace.tells(), Event::Subscribed { token: 1, .. }));
    disk.store(&mut trace);
    trace.unsubscribe(2, "signals");
    trace.takes_packet(|_| ());
    trace.receives_bytes(&[0xB0, 4, 0, 2, 0, 0]);
    trace.tells_nothing();
    disk.store(&mut trace);
    assert!(matches!(trace.tells(), Event::Unsubscribed { token: 2, .. }));
    // A refusal changes nothing, so there is nothing to store.
    trace.unsubscribe(3, "signals");
    trace.takes_packet(|_| ());
    trace.receives_bytes(&[0xB0, 4, 0, 3, 0, 0x87]);
    assert!(matches!(trace.tells(), Event::Unsubscribed { token: 3, .. }));

    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.sends_nothing();
}

#[test]
fn a_subscription_that_is_not_made_again_is_not_made_by_the_next_process_either() {
    let (mut disk, mut trace) = subscribed();
    disk.store(&mut trace);
    assert!(matches!(trace.tells(), Event::Subscribed { token: 1, .. }));
    trace.loses_connection();
    trace.unsubscribe(2, "signals");
    trace.connects(false, &[]);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Unsubscribe(_))));
    // The process is killed before the Server answers.
    disk.store(&mut trace);
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.sends_nothing();
}

#[test]
fn a_subscription_that_is_too_large_for_the_server_is_not_made_by_the_next_process_either() {
    // MQTT-3.2.2-15: its Maximum Packet Size is smaller than when it granted the subscription, and its Session is lost.
    let (mut disk, mut trace) = subscribed();
    assert!(matches!(trace.tells(), Event::Subscribed { token: 1, .. }));
    trace.loses_connection();
    trace.connects(false, &[(PropertyId::MaximumPacketSize, Value::Int(10))]);
    disk.store(&mut trace);
    match trace.tells() {
        Event::Subscribed { filter, outcome, .. } => {
            assert_eq!((filter.as_str(), outcome.failure), ("signals", Some(Status::TooLarge)));
        }
        other => panic!("{other:?}"),
    }
    // The program was told, and has to ask for it itself.
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.sends_nothing();
}

#[test]
fn a_subscription_that_the_server_refuses_to_make_again_is_not_made_by_the_next_process_either() {
    let (mut disk, mut trace) = subscribed();
    assert!(matches!(trace.tells(), Event::Subscribed { token: 1, .. }));
    trace.reconnects(false);
    disk.store(&mut trace);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
    trace.receives(suback(2, ReasonCode::NOT_AUTHORIZED));
    assert!(matches!(trace.tells(), Event::Subscribed { token: 0, .. }));
    disk.store(&mut trace);
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.sends_nothing();
}

#[test]
fn a_subscription_of_a_session_that_was_ended_is_made_by_the_next_process() {
    // Section 3.14.2.2.2: whatever Session the next process finds, it isn't the one with this subscription.
    let (mut disk, mut trace) = subscribed();
    assert!(matches!(trace.tells(), Event::Subscribed { token: 1, .. }));
    disk.store(&mut trace);
    let ends = set(&[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
    trace.session.disconnect(ReasonCode::SUCCESS, ends.as_properties());
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Disconnect(_))));
    trace.closes();
    disk.store(&mut trace);
    let mut trace = disk.start(SessionOptions { clean_start: false, ..options() });
    trace.connects(true, &[]);
    disk.store(&mut trace);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
}

#[test]
fn a_subscription_whose_end_was_refused_is_made_by_the_next_process() {
    let (mut disk, mut trace) = subscribed();
    trace.unsubscribe(2, "signals");
    trace.takes_packet(|_| ());
    trace.receives_bytes(&[0xB0, 4, 0, 2, 0, 0x87]);
    // So is one that was granted and is asked for anew in vain (section 3.8.4).
    trace.subscribe(3, "signals");
    trace.takes_packet(|_| ());
    trace.receives(suback(3, ReasonCode::NOT_AUTHORIZED));
    disk.store(&mut trace);

    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
}

#[test]
fn a_subscription_that_was_to_be_made_again_is_made_by_the_next_process() {
    let (mut disk, mut trace) = subscribed();
    disk.store(&mut trace);
    assert!(matches!(trace.tells(), Event::Subscribed { token: 1, .. }));
    // The Server has lost the Session, and the process is killed before it answers.
    trace.reconnects(false);
    disk.store(&mut trace);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
    for session_present in [false, true] {
        let mut trace = disk.start(options());
        trace.connects(session_present, &[]);
        trace.takes_packet(|packet| match packet {
            Packet::Subscribe(subscribe) => assert_eq!(subscribe.subscriptions[0].filter.as_str(), "signals"),
            other => panic!("{other:?} instead of SUBSCRIBE"),
        });
        trace.sends_nothing();
    }
}
