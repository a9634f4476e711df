//! A shared connection with a store: how a publish ended is kept until its program has dealt with it.

use crate::common::fake_server::{FakeServer, Peer};
use crate::common::folder::Folder;
use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::event::{Event, Token};
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::thread;

const QOS1: QoS = QoS::AtLeastOnce;

fn stored(name: &str, inbox: &str, server: &FakeServer, folder: &Folder, ints: &[(IntOption, i64)]) -> Program {
    let program = Program::sharing(name, inbox, &server.url(), ints);
    program.set_text(options::CLIENT_ID, "c");
    program.set_text(options::STORE_PATH, folder.path().to_str().expect("a path in UTF-8"));
    program
}

/// Two programs on a new connection with this store, as a new process makes it.
fn stored_pair(
    name: &str,
    server: &mut FakeServer,
    folder: &Folder,
    ints: &[(IntOption, i64)],
) -> (Program, Program, Peer) {
    // A store that is there has a Session that is resumed.
    let is_there = folder.path().join("session.redb").exists();
    let [first, second] = ["first", "second"].map(|inbox| stored(name, inbox, server, folder, ints));
    first.connect().expect("an idle program connects");
    second.connect().expect("it joins");
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(is_there);
    (first, second, peer)
}

fn complete(program: &Program, peer: &mut Peer, payload: &str) -> Token {
    let token = program.send(payload, QOS1);
    let id = peer.expect_publish(payload).id();
    peer.puback(id);
    program.expect_soon("an answered publish", |client| client.statistics().outgoing == 0);
    token
}

/// The ends that a program is told before it is connected.
fn told_at_the_start(program: &Program) -> Vec<Token> {
    let mut told = Vec::new();
    loop {
        match program.event("Connected") {
            Event::Connected { .. } => return told,
            Event::Published { token, .. } => told.push(token),
            // The client before may take longer to leave it than `free` waits: it is tried again.
            Event::Disconnected(end) if end.failure == Some(Status::StoreInUse) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_end_is_kept_until_the_program_that_it_belongs_to_has_dealt_with_it() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("sharing-ends"));
    let (first, second, mut peer) = stored_pair("ends-1", &mut server, &folder, &[]);
    for program in [&first, &second] {
        assert_eq!(told_at_the_start(program), []);
    }
    let of_first = complete(&first, &mut peer, "1");
    let of_second = complete(&second, &mut peer, "2");
    // The first deals with its own. That the second polls for more says nothing about the first's, and its own lies there.
    assert_eq!(first.expect_published(of_first).failure, None);
    first.expect_nothing();
    assert!(first.free());
    assert!(second.free());
    drop((first, second));

    // The next process: whoever knows what it was hears of it, and it is kept until all have.
    let (first, second, mut peer) = stored_pair("ends-2", &mut server, &folder, &[]);
    for program in [&first, &second] {
        assert_eq!(told_at_the_start(program), [of_second]);
    }
    // Both polled on after it, so it has been dealt with; that of another one is dealt with when its program leaves.
    let last = complete(&first, &mut peer, "3");
    assert_eq!(first.expect_published(last).failure, None);
    assert!(first.free());
    assert!(second.free());
    drop((first, second));

    let (first, second, _peer) = stored_pair("ends-3", &mut server, &folder, &[]);
    for program in [&first, &second] {
        assert_eq!(told_at_the_start(program), []);
    }
}

#[test]
fn an_end_that_one_program_has_heard_and_another_one_has_not_is_kept() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("sharing-heard"));
    let alone = stored("heard-1", "", &server, &folder, &[]);
    alone.connect().expect("an idle program connects");
    let mut peer = server.accept_mqtt();
    alone.expect_connected();
    let token = complete(&alone, &mut peer, "x");
    assert!(alone.free());
    drop(alone);

    let (first, second, _peer) = stored_pair("heard-2", &mut server, &folder, &[]);
    assert_eq!(told_at_the_start(&first), [token]);
    first.expect_nothing();
    // The second never polls.
    assert!(first.free());
    assert!(second.free());
    drop((first, second));

    let (first, second, _peer) = stored_pair("heard-3", &mut server, &folder, &[]);
    for program in [&first, &second] {
        assert_eq!(told_at_the_start(program), [token]);
    }
}

#[test]
fn ends_that_aren_t_wanted_are_not_told_later() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("sharing-unwanted"));
    let (first, second, mut peer) = stored_pair("unwanted-1", &mut server, &folder, &[(IntOption::PublishEvents, 0)]);
    complete(&first, &mut peer, "1");
    complete(&second, &mut peer, "2");
    first.expect_soon("both ends in the store no more", |client| client.statistics().outgoing == 0);
    assert!(first.free());
    assert!(second.free());
    drop((first, second));
    let (first, second, _peer) = stored_pair("unwanted-2", &mut server, &folder, &[]);
    for program in [&first, &second] {
        assert_eq!(told_at_the_start(program), []);
    }
}

const ON_ARRIVAL: [(IntOption, i64); 1] = [(IntOption::Acknowledge, 0)];

/// Two programs on a new connection with this store, for both of which two messages have come and were acknowledged.
fn two_arrivals(name: &str, server: &mut FakeServer, folder: &Folder) -> (Program, Program, Peer) {
    let (first, second, mut peer) = stored_pair(name, server, folder, &ON_ARRIVAL);
    for program in [&first, &second] {
        program.expect_connected();
    }
    let identifiers = [subscribe(&first, &mut peer, "a/#", QOS1), subscribe(&second, &mut peer, "a/+", QOS1)];
    for (id, payload) in [(1, "taken by both"), (2, "taken by one")] {
        send_qos1(&mut peer, "a/b", payload, id, &identifiers);
        peer.expect(PacketType::Puback);
    }
    (first, second, peer)
}

#[test]
fn messages_acknowledged_on_arrival_are_kept_until_every_program_has_taken_them() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("sharing-arrivals"));
    let (first, second, mut peer) = two_arrivals("arrivals-1", &mut server, &folder);
    gets(&first, "taken by both");
    gets(&second, "taken by both");
    gets(&second, "taken by one");
    for program in [&second, &first] {
        program.send("behind", QoS::AtMostOnce);
        peer.expect_publish("behind");
    }
    assert!(second.free());
    assert!(first.free());
    drop((first, second));

    let (first, second, _peer) = stored_pair("arrivals-2", &mut server, &folder, &ON_ARRIVAL);
    for program in [&first, &second] {
        gets(program, "taken by one");
        program.expect_connected();
    }
}

#[test]
fn what_is_taken_when_the_server_has_lost_the_session_does_not_come_again() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("sharing-lost-arrivals"));
    let (first, second, peer) = two_arrivals("lost-arrivals-1", &mut server, &folder);
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(false);
    for filter in ["a/#", "a/+"] {
        granted(&mut peer, filter);
    }
    gets(&first, "taken by both");
    gets(&second, "taken by both");
    gets(&second, "taken by one");
    second.expect_disconnected();
    second.expect_connected();
    for program in [&second, &first] {
        program.send("behind", QoS::AtMostOnce);
        peer.expect_publish("behind");
    }
    // So that the store is let go of without delay.
    let closing = thread::spawn(move || peer.expect_close(&[PacketType::Unsubscribe, PacketType::Disconnect]));
    assert!(second.free());
    assert!(first.free());
    drop((first, second));
    closing.join().expect("a thread");

    let (first, second, _peer) = stored_pair("lost-arrivals-2", &mut server, &folder, &ON_ARRIVAL);
    for program in [&first, &second] {
        gets(program, "taken by one");
        program.expect_connected();
    }
}
