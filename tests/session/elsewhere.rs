//! Several Servers that don't share their Sessions: what was under way at one is not taken up at the other, and who comes back to
//! the first one finds what it has kept (section 4.4).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::codec::subscribe::RetainHandling;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::session::record::{Key, Record};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::collections::HashSet;
use std::time::Duration;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

/// Connected to the first Server, where the Session is new.
pub fn at_a() -> Trace {
    let mut trace = Trace::new(SessionOptions { keep_alive: 0, ..options() });
    trace.session.set_server("a");
    trace.connects(false, &[]);
    trace
}

#[track_caller]
pub fn moves(trace: &mut Trace, server: &str, session_present: bool) {
    trace.loses_connection();
    trace.session.set_server(server);
    trace.connects(session_present, &[]);
}

/// Back at the first Server, which still has its Session: whether the QoS 2 message with the token 1 arrived can't be known, and it
/// isn't sent again.
#[track_caller]
pub fn comes_back_in_doubt(trace: &mut Trace) {
    moves(trace, "a", true);
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.sends_nothing();
}

/// Publishes this with the Packet Identifier as its token.
#[track_caller]
pub fn sends(trace: &mut Trace, payload: &str, qos: QoS, packet_id: u16) {
    trace.publish(packet_id.into(), payload, qos);
    trace.sends(publish(payload, qos, packet_id));
}

/// The Server holds this QoS 2 message until it gets PUBREL.
#[track_caller]
fn holds(trace: &mut Trace, packet_id: u16) {
    trace.receives(pubrec(packet_id));
    trace.sends(pubrel(packet_id));
}

/// Publishes as many messages as there are Packet Identifiers, one by one: those that are in use at the Server are not among them.
/// Returns how many others are not among them either.
#[track_caller]
pub fn goes_round_without(trace: &mut Trace, in_use: &[u16]) -> usize {
    let mut all_used = HashSet::new();
    for token in 10..65_545 {
        trace.publish(token, "x", QOS_1);
        let used = trace.takes_packet(|packet| match packet {
            Packet::Publish(publish) => publish.packet_id.unwrap().get(),
            other => panic!("{other:?}"),
        });
        assert!(!in_use.contains(&used), "{used} is in use at the Server");
        all_used.insert(used);
        trace.receives(puback(used));
        trace.completes(token);
    }
    65_535 - all_used.len() - in_use.len()
}

#[test]
fn what_was_under_way_at_one_server_is_not_finished_at_the_other() {
    // MQTT-4.4.0-1, MQTT-4.3.3-4: the first Server may hold a QoS 2 message under each of these Packet Identifiers, and would
    // take another one under it for that.
    let mut trace = at_a();
    sends(&mut trace, "sent to a", QOS_2, 1);
    sends(&mut trace, "held by a", QOS_2, 2);
    holds(&mut trace, 2);
    moves(&mut trace, "b", false);
    for token in [2, 1] {
        assert_eq!(trace.tells_published(token).failure, Some(Status::SessionLost));
    }
    sends(&mut trace, "held by b", QOS_2, 3);
    sends(&mut trace, "sent to b", QOS_1, 4);
    holds(&mut trace, 3);
    moves(&mut trace, "a", true);
    assert_eq!(trace.tells_published(3).failure, Some(Status::SessionLost));
    trace.sends(publish("sent to b", QOS_1, 5));
    trace.sends_nothing();
    trace.receives(puback(5));
    trace.completes(4);
    assert_eq!(goes_round_without(&mut trace, &[1, 2, 3]), 0);
    // The second one knows of its own, until it has lost them.
    moves(&mut trace, "b", true);
    goes_round_without(&mut trace, &[3]);
    trace.reconnects(false);
    for token in 1..=3 {
        trace.publish(token, "x", QOS_2);
    }
    assert_eq!(trace.sends_payloads(), ["x"; 3]);
    assert_eq!(trace.session.in_flight(), 3);
    trace.reconnects(false);
    for token in 1..=3 {
        assert_eq!(trace.tells_published(token).failure, Some(Status::SessionLost));
    }
    assert_eq!(goes_round_without(&mut trace, &[]), 0);
}

#[test]
fn nor_by_the_next_process() {
    // MQTT-4.4.0-1: killed while it was connected to the second Server, it begins with the first one.
    let mut disk = Disk::default();
    let mut trace = disk.start(SessionOptions { keep_alive: 0, ..options() });
    trace.session.set_server("a");
    trace.connects(false, &[]);
    trace.publish(1, "sent to a", QOS_2);
    disk.store(&mut trace);
    trace.sends(publish("sent to a", QOS_2, 1));
    moves(&mut trace, "b", false);
    disk.store(&mut trace);
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.session.heard(1);
    trace.publish(2, "held by b", QOS_2);
    trace.publish(3, "sent to b", QOS_1);
    disk.store(&mut trace);
    trace.takes_packet(|_| ());
    trace.takes_packet(|_| ());
    trace.receives(pubrec(2));
    disk.store(&mut trace);
    trace.sends(pubrel(2));

    let next = |disk: &Disk, server: &str, now| {
        let mut trace = disk.start(SessionOptions { keep_alive: 0, ..options() });
        trace.now = now;
        trace.session.set_server(server);
        trace.connects(true, &[]);
        trace
    };
    // At the second one it goes on.
    let now = trace.now;
    let mut trace = next(&disk, "b", now);
    trace.sends(pubrel(2));
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Publish(publish) if publish.dup)));
    // Neither at the first one, nor at that by the process after it.
    for is_first in [true, false] {
        let mut trace = next(&disk, "a", now);
        if is_first {
            assert_eq!(trace.tells_published(2).failure, Some(Status::SessionLost));
            trace.session.heard(2);
        }
        disk.store(&mut trace);
        let sent = trace.takes_packet(|packet| match packet {
            Packet::Publish(publish) => (publish.payload.to_vec(), publish.packet_id.unwrap().get()),
            other => panic!("{other:?}"),
        });
        assert!(sent.0 == b"sent to b" && ![1, 2].contains(&sent.1), "{sent:?}");
        trace.sends_nothing();
        disk.store(&mut trace);
        trace.receives(puback(sent.1));
        trace.completes(3);
        goes_round_without(&mut trace, &[1, 2]);
        // The end of it isn't stored: the message is under way for the next process, too.
    }
}

#[test]
fn identifiers_that_are_not_used_at_a_server_are_not_used_there_by_the_next_process_after_a_few_moves() {
    // MQTT-2.2.1-3, MQTT-4.3.3-10: each of the two Servers holds a QoS 2 message, and was left and come back to.
    let mut disk = Disk::default();
    let mut trace = disk.start(SessionOptions { keep_alive: 0, ..options() });
    trace.session.set_server("a");
    trace.connects(false, &[]);
    for (server, packet_id) in [("b", 1), ("a", 2)] {
        trace.publish(packet_id.into(), "held", QOS_2);
        disk.store(&mut trace);
        trace.takes_packet(|_| ());
        trace.receives(pubrec(packet_id));
        moves(&mut trace, server, server == "a");
        disk.store(&mut trace);
        assert_eq!(trace.tells_published(packet_id.into()).failure, Some(Status::SessionLost));
        trace.session.heard(packet_id.into());
    }
    moves(&mut trace, "b", true);
    disk.store(&mut trace);
    let mut trace = disk.start(options());
    trace.session.set_server("b");
    trace.connects(true, &[]);
    for token in 0..2 {
        trace.publish(token, "x", QOS_2);
        disk.store(&mut trace);
        let used = trace.takes_packet(|packet| match packet {
            Packet::Publish(publish) => publish.packet_id.unwrap().get(),
            other => panic!("{other:?}"),
        });
        assert_ne!(used, 2);
    }
}

#[test]
fn what_could_not_be_sent_again_keeps_its_identifier_from_the_messages_of_the_next_process() {
    // MQTT-2.2.1-3, MQTT-4.3.3-10: the Server may hold a QoS 2 message under it, for which it would take the other one.
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.session.set_server("a");
    trace.connects(false, &[]);
    trace.publish(1, &"x".repeat(100), QOS_2);
    disk.store(&mut trace);
    trace.takes_packet(|_| ());
    // Nothing is known there of one of QoS 1, or of one that hasn't left.
    trace.publish(2, &"x".repeat(100), QOS_1);
    trace.takes_packet(|_| ());
    trace.publish(3, &"x".repeat(100), QOS_2);
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::MaximumPacketSize, Value::Int(64))]);
    for (token, status) in [(1, Status::SessionLost), (2, Status::SessionLost)] {
        assert_eq!(trace.tells_published(token).failure, Some(status));
        trace.session.heard(token);
    }
    disk.store(&mut trace);
    assert_eq!(trace.tells_published(3).failure, Some(Status::TooLarge));
    trace.session.heard(3);
    for _ in 0..2 {
        let known = disk.records.get(&Key::Server("a".to_owned()));
        assert!(matches!(known, Some(Record::Server { home: true, ids, .. }) if *ids == [id(1)]), "{known:?}");
        trace.reconnects(true);
        disk.store(&mut trace);
    }

    for _ in 0..2 {
        let mut trace = disk.start(options());
        trace.session.set_server("a");
        trace.connects(true, &[]);
        trace.publish(2, "two", QOS_2);
        disk.store(&mut trace);
        trace.sends(publish("two", QOS_2, 2));
        trace.receives(pubrec(2));
        disk.store(&mut trace);
        trace.sends(pubrel(2));
        trace.receives(pubcomp(2));
        trace.completes(2);
        trace.session.heard(2);
        disk.store(&mut trace);
    }
    // With its Session it is free again.
    let mut trace = disk.start(options());
    trace.session.set_server("a");
    trace.connects(false, &[]);
    disk.store(&mut trace);
    let mut trace = disk.start(options());
    trace.session.set_server("a");
    trace.connects(true, &[]);
    trace.publish(3, "three", QOS_2);
    disk.store(&mut trace);
    trace.sends(publish("three", QOS_2, 1));
}

#[test]
fn whose_session_it_is_is_stored_once_there_are_several_servers_and_of_one_of_them() {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.session.set_server("a");
    trace.connects(false, &[]);
    disk.store(&mut trace);
    assert!(disk.records.keys().eq([&Key::Session]), "{:?}", disk.records);
    // The second one knows nothing of ours; the third one shares its Sessions with that.
    moves(&mut trace, "b", false);
    disk.store(&mut trace);
    moves(&mut trace, "c", true);
    disk.store(&mut trace);
    let homes = disk.records.iter().filter(|(_, record)| matches!(record, Record::Server { home: true, .. }));
    assert_eq!(homes.map(|(key, _)| key.clone()).collect::<Vec<_>>(), [Key::Server("c".to_owned())]);
    disk.start(options());
}

#[test]
fn servers_that_share_their_sessions_go_on_with_them() {
    // MQTT-4.4.0-1
    let mut trace = at_a();
    sends(&mut trace, "one", QOS_2, 1);
    sends(&mut trace, "two", QOS_2, 2);
    holds(&mut trace, 1);
    for server in ["b", "a", "c"] {
        moves(&mut trace, server, true);
        trace.sends(pubrel(1));
        trace.sends(publish_again("two", QOS_2, 2));
        trace.sends_nothing();
    }
    // So does one that can have nothing from before any more.
    moves(&mut trace, "d", false);
    for token in [1, 2] {
        assert_eq!(trace.tells_published(token).failure, Some(Status::SessionLost));
    }
    sends(&mut trace, "three", QOS_1, 3);
    trace.passes(Duration::from_secs(3600 + 601));
    moves(&mut trace, "c", true);
    trace.sends(publish_again("three", QOS_1, 3));
}

#[test]
fn each_session_that_was_left_is_known_until_it_expires() {
    // MQTT-4.4.0-1: nor is what was under way at the third one finished at the first.
    let mut disk = Disk::default();
    let mut trace = disk.start(SessionOptions { keep_alive: 0, ..options() });
    trace.session.set_server("a");
    trace.connects(false, &[]);
    moves(&mut trace, "b", false);
    moves(&mut trace, "c", false);
    disk.store(&mut trace);
    sends(&mut trace, "sent to c", QOS_1, 1);
    moves(&mut trace, "a", true);
    trace.sends(publish("sent to c", QOS_1, 2));
    disk.store(&mut trace);
    let server = |name: &str| Key::Server(name.to_owned());
    assert!(["a", "b", "c"].iter().all(|name| disk.records.contains_key(&server(name))), "{:?}", disk.records);
    trace.passes(Duration::from_secs(3600 + 601));
    moves(&mut trace, "d", true);
    disk.store(&mut trace);
    assert!(["b", "c"].iter().all(|name| !disk.records.contains_key(&server(name))), "{:?}", disk.records);
    // Another Client Identifier has none anywhere.
    trace.loses_connection();
    trace.session.set_options(SessionOptions { client_id: "other".to_owned(), ..options() });
    disk.store(&mut trace);
    assert!(!disk.records.keys().any(|key| matches!(key, Key::Server(_))), "{:?}", disk.records);
}

#[test]
fn another_client_identifier_has_all_packet_identifiers() {
    // MQTT-3.1.3-2: what is in use is so in the Session of the other.
    let mut trace = at_a();
    sends(&mut trace, "held by a", QOS_2, 1);
    holds(&mut trace, 1);
    moves(&mut trace, "b", false);
    trace.tells_published(1);
    moves(&mut trace, "a", true);
    trace.loses_connection();
    trace.session.set_options(SessionOptions { keep_alive: 0, client_id: "other".to_owned(), ..options() });
    trace.connects(false, &[]);
    assert_eq!(goes_round_without(&mut trace, &[]), 0);
}

#[test]
fn a_session_that_was_left_lasts_from_when_its_server_was_heard_of_last() {
    // Section 3.1.2.11.2: the interval begins with the end of the connection, which may have been there for days.
    let mut trace = at_a();
    trace.passes(Duration::from_secs(86_400));
    trace.receives(publish("tick", QoS::AtMostOnce, 0));
    trace.tells_message("tick");
    moves(&mut trace, "b", false);
    sends(&mut trace, "sent to b", QOS_2, 1);
    trace.passes(Duration::from_secs(3600));
    comes_back_in_doubt(&mut trace);
}

#[test]
fn subscriptions_are_those_of_the_program_at_both_servers() {
    // Section 4.4, MQTT-3.10.4-1
    let mut trace = at_a();
    let takes_subscribe = |trace: &mut Trace, filter: &str, retain_handling| {
        let packet_id = trace.takes_packet(|packet| match packet {
            Packet::Subscribe(subscribe) => {
                let subscription = &subscribe.subscriptions[0];
                assert_eq!(subscription.filter.as_str(), filter);
                assert_eq!(subscription.options.retain_handling, retain_handling);
                subscribe.packet_id.get()
            }
            other => panic!("{other:?}"),
        });
        trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_1));
    };
    for filter in ["kept", "ended"] {
        trace.subscribe(1, filter);
        takes_subscribe(&mut trace, filter, RetainHandling::Always);
        trace.tells();
    }
    moves(&mut trace, "b", false);
    for filter in ["kept", "ended"] {
        takes_subscribe(&mut trace, filter, RetainHandling::Always);
    }
    trace.unsubscribe(2, "ended");
    let takes_unsubscribe = |trace: &mut Trace| {
        let packet_id = trace.takes_packet(|packet| match packet {
            Packet::Unsubscribe(unsubscribe) => {
                assert_eq!(unsubscribe.filters[0].as_str(), "ended");
                u8::try_from(unsubscribe.packet_id.get()).unwrap()
            }
            other => panic!("{other:?}"),
        });
        trace.receives_bytes(&[0xB0, 4, 0, packet_id, 0, 0]);
    };
    takes_unsubscribe(&mut trace);
    trace.tells();
    trace.subscribe(3, "new");
    takes_subscribe(&mut trace, "new", RetainHandling::Always);
    trace.tells();
    moves(&mut trace, "a", true);
    for filter in ["kept", "new"] {
        takes_subscribe(&mut trace, filter, RetainHandling::IfNew);
    }
    takes_unsubscribe(&mut trace);
    trace.tells_nothing();
    trace.sends_nothing();
}
