//! A program that polls without a pause reads from the Server by itself; whatever it does next, nothing is left unread.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::Program;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(15);

fn connected(server: &mut FakeServer) -> (Program, Peer) {
    let program = Program::connecting(&server.url(), &[]);
    let peer = server.accept_mqtt();
    program.expect_connected();
    (program, peer)
}

/// Polls without a pause until there is an event; says what it is.
#[track_caller]
fn polled(program: &Program) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let told = program.client.poll(|notice| match &notice.kind {
            NoticeKind::Session(Event::Message { message, .. }) => {
                String::from_utf8_lossy(message.payload()).into_owned()
            }
            NoticeKind::Session(Event::Disconnected(end)) => format!("{:?}", end.failure),
            other => panic!("{other:?}"),
        });
        if let Some(told) = told.expect("a client that lives") {
            return told;
        }
        assert!(Instant::now() < deadline, "nothing came");
    }
}

/// So many polls that the program counts as one that does nothing else.
fn poll_in_vain(program: &Program) {
    for _ in 0..20_000 {
        assert!(program.client.poll(|_| ()).expect("a client that lives").is_none());
    }
}

#[test]
fn every_message_is_polled_in_order_and_a_qos_1_message_is_acknowledged() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    for number in 0..200 {
        poll_in_vain(&program);
        peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
        assert_eq!(polled(&program), number.to_string());
    }
    peer.publish(b"certain", Some(7), QoS::AtLeastOnce);
    assert_eq!(polled(&program), "certain");
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 7);
}

#[test]
fn a_program_that_waits_or_stays_away_after_it_has_polled_misses_nothing() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    for round in 0..20 {
        poll_in_vain(&program);
        peer.publish(b"waited for", None, QoS::AtMostOnce);
        assert!(program.client.wait(DEADLINE).expect("a client that lives"), "round {round}");
        program.expect_payload("waited for");
        poll_in_vain(&program);
        peer.publish(b"while away", None, QoS::AtMostOnce);
        let deadline = Instant::now() + DEADLINE;
        while program.client.statistics().events == 0 {
            assert!(Instant::now() < deadline, "round {round}: the message isn't read");
            std::thread::yield_now();
        }
        program.expect_payload("while away");
    }
}

#[test]
fn the_end_of_the_connection_is_seen_and_the_next_one_is_made() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    for _ in 0..5 {
        poll_in_vain(&program);
        peer.close();
        assert_eq!(polled(&program), format!("{:?}", Some(Status::ConnectionClosed)));
        peer = server.accept_mqtt();
        program.expect_connected();
    }
    poll_in_vain(&program);
    let ended = program.client.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, Duration::ZERO);
    ended.expect("asked to disconnect");
    peer.expect_close(&[PacketType::Disconnect]);
    assert_eq!(polled(&program), "None");
}
