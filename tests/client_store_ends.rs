//! A client with a store whose process ends before the program has heard how its publishes ended: the next one tells it, so
//! that every token comes to its end.

mod common;

use common::fake_server::{DEADLINE, FakeServer, Peer};
use common::folder::Folder;
use common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::session::event::{Event, Stage, Token};
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::Status;
use std::fs;
use std::time::{Duration, Instant};

/// Publishes, and the Server acknowledges it; returns when the client knows that.
#[track_caller]
fn complete(program: &Program, peer: &mut Peer, payload: &str) -> Token {
    let token = program.send(payload, QoS::AtLeastOnce);
    let id = peer.expect_publish(payload).id();
    peer.puback(id);
    program.expect_soon("an answered publish", |client| client.statistics().outgoing == 0);
    token
}

/// What a new process hears of before it is connected.
#[track_caller]
fn told_at_the_start(server: &mut FakeServer, program: &Program) -> Vec<Token> {
    let _peer = program.connect_to(server, true);
    let mut told = Vec::new();
    loop {
        match program.event("Connected") {
            Event::Connected { .. } => return told,
            Event::Published { token, outcome } => {
                assert_eq!(outcome.failure, None);
                told.push(token);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ends_that_were_not_taken_are_told_by_the_next_client_and_by_no_other() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("ends-untaken"));
    let first = Program::stored(&server.url(), &folder, &[]);
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    let taken = complete(&first, &mut peer, "taken");
    assert_eq!(first.expect_published(taken).failure, None);
    let untaken = ["one", "two"].map(|payload| complete(&first, &mut peer, payload));
    // Their events lie in the queue. Nothing of what follows takes them: for the store this is a kill.
    first.free();

    let second = Program::stored(&server.url(), &folder, &[]);
    assert_eq!(told_at_the_start(&mut server, &second), untaken);
    second.free();
    let third = Program::stored(&server.url(), &folder, &[]);
    assert_eq!(told_at_the_start(&mut server, &third), []);
}

/// What the next process would be told if this one were killed now, once it is that.
#[track_caller]
fn expect_told_after_a_crash(server: &mut FakeServer, program: &Program, folder: &Folder, expected: &[Token]) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let copy = Folder::new("ends-copy");
        let commits = program.statistics().commits;
        fs::copy(folder.path().join("session.redb"), copy.path().join("session.redb")).unwrap();
        if program.statistics().commits != commits {
            // It may be of several moments.
            continue;
        }
        let next = Program::stored(&server.url(), &copy, &[]);
        let told = told_at_the_start(server, &next);
        next.free();
        if told == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{told:?} instead of {expected:?}");
    }
}

#[test]
fn an_end_is_told_again_after_a_crash_until_the_program_comes_back() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("ends-heard"));
    let program = Program::stored(&server.url(), &folder, &[]);
    let mut peer = program.connect_to(&mut server, false);
    program.expect_connected();
    let token = complete(&program, &mut peer, "taken");
    assert_eq!(program.expect_published(token).failure, None);
    // Stored after that: what the program had been held to have heard would be gone by then.
    let later = complete(&program, &mut peer, "later");
    expect_told_after_a_crash(&mut server, &program, &folder, &[token, later]);
    assert_eq!(program.expect_published(later).failure, None);
    expect_told_after_a_crash(&mut server, &program, &folder, &[later]);
    assert!(program.poll(|_| ()).unwrap().is_none());
    expect_told_after_a_crash(&mut server, &program, &folder, &[]);
}

#[test]
fn nobody_is_told_later_of_ends_that_were_not_wanted_or_had_no_room() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("ends-unwanted"));
    let unwanted = [(IntOption::PublishEvents, 0)];
    let first = Program::stored(&server.url(), &folder, &unwanted);
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    complete(&first, &mut peer, "unwanted");
    first.free();

    // One event has room: each end displaces the one before, and the end of the connection the last.
    let second = Program::stored(&server.url(), &folder, &[(IntOption::EventsMaximum, 1)]);
    let mut peer = second.connect_to(&mut server, true);
    second.expect_connected();
    complete(&second, &mut peer, "displaced");
    complete(&second, &mut peer, "the last");
    second.expect_soon("a displaced end", |client| client.statistics().events_dropped == 1);
    second.free();

    let third = Program::stored(&server.url(), &folder, &[]);
    assert_eq!(told_at_the_start(&mut server, &third), []);
}

#[test]
fn what_an_earlier_process_has_left_can_be_withdrawn_before_the_store_is_open() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("ends-withdrawn"));
    let first = Program::stored(&server.url(), &folder, &[(IntOption::Progress, 2)]);
    let [withdrawn, kept] = ["withdrawn", "kept"].map(|payload| first.send(payload, QoS::ExactlyOnce));
    // Nobody answers the connection: the store works all the same.
    first.connect().expect("an idle client connects");
    for token in [withdrawn, kept] {
        assert_eq!(first.event("durable"), Event::Progress { token, stage: Stage::Durable });
    }
    first.free();
    drop(server.accept_within(Duration::ZERO));
    let second = Program::stored(&server.url(), &folder, &[]);
    second.cancel(withdrawn).expect("a token that was given");
    let mut peer = second.connect_to(&mut server, false);
    peer.expect_publish("kept");
    // It ends when that is stored, before or after CONNACK.
    let end = loop {
        match second.event("the end of what was withdrawn") {
            Event::Connected { .. } => {}
            other => break other,
        }
    };
    let Event::Published { token, outcome } = end else { panic!("{end:?}") };
    assert_eq!((token, outcome.failure), (withdrawn, Some(Status::Cancelled)));
}
