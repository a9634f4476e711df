//! Deduplication through a client: messages that come again are recognised by the key that their sender gave them, in the
//! process that had them and, with a store, in the next one.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::folder::Folder;
use common::program::Program;
use mt5mqtt::client::options::{DEDUPLICATE_BY, IntOption};
use mt5mqtt::session::event::{Delivery, Event};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::{PacketType, QoS};

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;
const EXPLICITLY: (IntOption, i64) = (IntOption::Acknowledge, 2);
const TOLD: (IntOption, i64) = (IntOption::Deduplicate, 1);
const KEPT_AWAY: (IntOption, i64) = (IntOption::Deduplicate, 2);

/// The next event is a message with this payload; returns whether the program had one with its key before.
#[track_caller]
fn gets(program: &Program, payload: &str) -> (Delivery, bool) {
    match program.event("a message") {
        Event::Message { message, delivery: Some(delivery), seen_before, .. } => {
            assert_eq!(String::from_utf8_lossy(message.payload()), payload);
            (delivery, seen_before)
        }
        other => panic!("expected {payload}, got {other:?}"),
    }
}

#[track_caller]
fn is_done_with(program: &Program, delivery: Delivery) {
    program.acknowledge(delivery, ReasonCode::SUCCESS).expect("a message that waits for it");
}

#[track_caller]
fn connected(server: &mut FakeServer, program: &Program, session_present: bool) -> Peer {
    let peer = program.connect_to(server, session_present);
    assert_eq!(program.expect_connected(), session_present);
    peer
}

#[test]
fn a_repeated_message_is_told_of_across_connections_and_identifiers() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[TOLD]);
    let mut peer = connected(&mut server, &program, false);
    peer.publish_keyed("7", "buy", 1, QOS_1, false);
    assert!(!gets(&program, "buy").1);
    peer.expect(PacketType::Puback);
    peer.close();
    program.expect_disconnected();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    program.expect_connected();
    // The sender was not sure either, and has published it once more.
    peer.publish_keyed("7", "buy", 2, QOS_2, false);
    assert!(gets(&program, "buy").1);
    peer.publish_keyed("8", "buy", 3, QOS_1, false);
    assert!(!gets(&program, "buy").1);
}

#[test]
fn a_user_property_can_be_the_key_and_the_window_forgets_the_oldest() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[KEPT_AWAY, (IntOption::DeduplicationWindow, 2)]);
    program.set_text(DEDUPLICATE_BY, "key");
    let mut peer = connected(&mut server, &program, false);
    for (id, key) in (1..).zip(["1", "2", "3"]) {
        peer.publish_keyed(key, key, id, QOS_1, false);
        gets(&program, key);
        peer.expect(PacketType::Puback);
    }
    peer.publish_keyed("3", "3", 4, QOS_1, false);
    // It is acknowledged, and the program hears nothing of it.
    peer.expect(PacketType::Puback);
    peer.publish_keyed("1", "1", 5, QOS_1, false);
    assert!(!gets(&program, "1").1);
    assert_eq!(program.statistics().messages_suppressed, 1);
}

#[test]
fn a_process_that_starts_again_keeps_away_what_was_done_and_gets_the_rest() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("deduplication"));
    let first = Program::stored(&server.url(), &folder, &[KEPT_AWAY, EXPLICITLY]);
    let mut peer = connected(&mut server, &first, false);
    for (id, key, qos) in [(1, "done", QOS_1), (2, "done twice", QOS_2), (3, "taken", QOS_1), (4, "untaken", QOS_2)] {
        peer.publish_keyed(key, key, id, qos, false);
    }
    for key in ["done", "done twice"] {
        let (delivery, seen) = gets(&first, key);
        assert!(!seen);
        is_done_with(&first, delivery);
    }
    // What the Server hears of is stored.
    peer.expect(PacketType::Puback);
    peer.expect(PacketType::Pubrec);
    gets(&first, "taken");
    first.free();

    // The answers got lost. The Server repeats what is not answered; and its publisher has published the first anew.
    let second = Program::stored(&server.url(), &folder, &[KEPT_AWAY, EXPLICITLY]);
    let mut peer = connected(&mut server, &second, true);
    peer.publish_keyed("done", "done", 1, QOS_1, true);
    peer.publish_keyed("done twice", "done twice", 2, QOS_2, true);
    peer.publish_keyed("taken", "taken", 3, QOS_1, true);
    peer.publish_keyed("untaken", "untaken", 4, QOS_2, true);
    peer.publish_keyed("done", "done", 5, QOS_2, false);
    for key in ["taken", "untaken"] {
        let (delivery, seen) = gets(&second, key);
        assert!(!seen, "{key}: the program was not done with it");
        is_done_with(&second, delivery);
    }
    // In the order of arrival of each QoS; "done twice" is answered by its Packet Identifier at once.
    let mut answers: Vec<(PacketType, u16)> = Vec::new();
    for _ in 0..5 {
        let answer = peer.read("an answer");
        let kind = answer.packet().packet_type();
        answers.push((kind, answer.id().get()));
    }
    let (puback, pubrec) = (PacketType::Puback, PacketType::Pubrec);
    assert_eq!(answers, [(puback, 1), (pubrec, 2), (puback, 3), (pubrec, 4), (pubrec, 5)]);
    second.expect_nothing();
    assert_eq!(second.statistics().messages_suppressed, 2);
    second.free();

    // And a third process knows all of them.
    let third = Program::stored(&server.url(), &folder, &[TOLD]);
    let mut peer = connected(&mut server, &third, true);
    for (id, key) in (11..).zip(["done", "done twice", "taken", "untaken"]) {
        peer.publish_keyed(key, key, id, QOS_1, false);
        assert!(gets(&third, key).1, "{key}");
    }
}
