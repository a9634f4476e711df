//! What an earlier process has left, of which nobody knows for whom it is: every program gets it, and gets it once.

use crate::common::fake_server::{FakeServer, Peer};
use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::LONGEST_DISCONNECT;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;
use std::time::Duration;

fn ints(acknowledge: i64) -> [(IntOption, i64); 2] {
    [(IntOption::CleanStart, 0), (IntOption::Acknowledge, acknowledge)]
}

/// A program on a connection whose Session an earlier process had.
#[track_caller]
fn heir(server: &mut FakeServer, name: &str, acknowledge: i64) -> (Program, Peer) {
    let first = Program::sharing(name, "first", &server.url(), &ints(acknowledge));
    let peer = first.connect_to(server, true);
    assert!(first.expect_connected());
    (first, peer)
}

/// Joins a connection that is there.
#[track_caller]
fn joins(program: &Program) {
    program.connect().expect("it joins");
    assert!(!program.expect_connected());
}

/// Polls up to this message; returns the messages before it.
#[track_caller]
fn until(program: &Program, end: &str) -> Vec<String> {
    let mut payloads = Vec::new();
    loop {
        match program.event("a message") {
            Event::Message { message, .. } if message.payload() == end.as_bytes() => return payloads,
            Event::Message { message, .. } => {
                payloads.push(String::from_utf8_lossy(message.payload()).into_owned());
            }
            _ => {}
        }
    }
}

#[test]
fn a_program_that_comes_later_can_acknowledge_it() {
    let mut server = FakeServer::start();
    let (first, mut peer) = heir(&mut server, "heirs-acknowledge", 2);
    send_qos1(&mut peer, "unknown", "left", 1, &[4711]);
    let of_first = gets(&first, "left").expect("a QoS 1 message");
    let second = Program::sharing("heirs-acknowledge", "second", &server.url(), &ints(2));
    joins(&second);
    let of_second = gets(&second, "left").expect("a QoS 1 message");
    for (program, delivery) in [(&first, of_first), (&second, of_second)] {
        program.acknowledge(delivery, ReasonCode::SUCCESS).expect("a message that waits for it");
    }
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
}

#[test]
fn a_program_that_comes_back_gets_only_what_it_has_not_had() {
    let mut server = FakeServer::start();
    let (first, mut peer) = heir(&mut server, "heirs-back", 1);
    let second = Program::sharing("heirs-back", "second", &server.url(), &ints(1));
    joins(&second);
    for (id, payload) in [(1, "1"), (2, "2")] {
        send_qos1(&mut peer, "unknown", payload, id, &[4711]);
    }
    gets(&first, "1");
    gets(&first, "2");
    gets(&second, "1");
    second.disconnect_now(LONGEST_DISCONNECT);
    send_qos1(&mut peer, "unknown", "3", 3, &[4711]);
    gets(&first, "3");
    // What it had in its queue it has.
    second.connect().expect("it joins again");
    send(&mut peer, "unknown", "end", &[4711]);
    assert_eq!(until(&second, "end"), ["2", "3"]);
    // The next one in its place has what it was not done with, and no more.
    send_qos1(&mut peer, "unknown", "4", 4, &[4711]);
    send_qos1(&mut peer, "unknown", "5", 5, &[4711]);
    gets(&first, "end");
    gets(&first, "4");
    gets(&first, "5");
    gets(&second, "4");
    assert!(second.free());
    let heir = Program::sharing("heirs-back", "second", &server.url(), &ints(1));
    joins(&heir);
    send(&mut peer, "unknown", "end", &[4711]);
    assert_eq!(until(&heir, "end"), ["5"]);
    // One without a name can't have had anything.
    let nameless = Program::sharing("heirs-back", "", &server.url(), &ints(1));
    joins(&nameless);
    assert_eq!(until(&nameless, "end"), ["1", "2", "3"]);
    assert_eq!(until(&nameless, "end"), ["4", "5"]);
}

#[test]
fn another_client_identifier_may_have_been_an_earlier_process_s() {
    let mut server = FakeServer::start();
    let [first, second] = ["1", "2"].map(|inbox| Program::sharing("renamed", inbox, &server.url(), &ints(1)));
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    send_qos1(&mut peer, "unknown", "nobody's", 1, &[]);
    peer.expect(PacketType::Puback);
    first.disconnect_now(Duration::ZERO);
    peer.expect(PacketType::Disconnect);
    peer.close();
    second.set_text(options::CLIENT_ID, "other");
    let mut peer = second.connect_to(&mut server, true);
    assert!(second.expect_connected());
    send_qos1(&mut peer, "unknown", "left", 1, &[4711]);
    gets(&second, "left");
}
