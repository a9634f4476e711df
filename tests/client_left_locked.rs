//! A thread that is ended in the middle of a call (TerminateThread) leaves locked what it had locked. Whatever that is,
//! disconnect and free keep their bounds, and other clients don't notice.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::{Program, bounded};
use mt5mqtt::client::lock::LeftLocked;
use mt5mqtt::client::{LONGEST_DISCONNECT, LONGEST_FREE, Locked};
use mt5mqtt::codec::property::Properties;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::thread;

/// A connected client on which a thread of the host was ended.
fn left_locked(what: Locked) -> (&'static Program, FakeServer, Peer) {
    let mut server = FakeServer::start();
    // The thread that was ended had a hold on it, so it is never dropped.
    let program: &Program = Box::leak(Box::new(Program::connecting(&server.url(), &[])));
    let peer = server.accept_mqtt();
    program.expect_connected();
    thread::spawn(move || program.leave_locked(what)).join().expect("a thread that locks");
    (program, server, peer)
}

#[test]
fn disconnect_and_free_are_bounded_whatever_is_left_locked() {
    // The background thread doesn't need the options for its farewell, and everything else.
    for (what, disconnects, frees) in [
        (Locked::Session, false, false),
        (Locked::Events, false, false),
        (Locked::Figures, false, false),
        (Locked::Options, true, true),
        // Nothing can be left for the background thread, which takes its leave all the same.
        (Locked::Commands, false, true),
    ] {
        let (program, _server, _peer) = left_locked(what);
        let disconnected = bounded(LONGEST_DISCONNECT, "disconnect", move || {
            program.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, LONGEST_DISCONNECT)
        });
        assert_eq!(
            disconnected.map_err(|failure| failure.status).err(),
            (!disconnects).then_some(Status::Timeout),
            "{what:?}"
        );
        let freed = bounded(LONGEST_FREE, "free", move || program.free());
        assert_eq!(freed, frees, "{what:?}");
    }
    // Clients of others go on, and so do new ones.
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    program.send("x", QoS::AtLeastOnce);
    peer.expect(PacketType::Publish);
    assert!(bounded(LONGEST_FREE, "free", move || program.free()));
}

#[test]
fn free_alone_is_bounded_too() {
    for what in [Locked::Session, Locked::Events, Locked::Figures] {
        let (program, _server, _peer) = left_locked(what);
        assert!(!bounded(LONGEST_FREE, "free", move || program.free()), "{what:?}");
        // A second time as well.
        bounded(LONGEST_FREE, "free", move || program.free());
    }
}

#[test]
fn a_message_that_no_thread_can_get_any_more_is_left_to_the_server() {
    let (program, _server, mut peer) = left_locked(Locked::Current);
    peer.publish(b"order", Some(7), QoS::AtLeastOnce);
    program.expect_soon("the message is in the queue", |client| client.statistics().events == 1);
    let poll = thread::spawn(move || drop(program.client.poll(|_| ()))).join();
    assert!(poll.is_err_and(|unwound| unwound.is::<LeftLocked>()));
    assert_eq!(program.statistics().events, 1, "the message is lost");
    bounded(LONGEST_FREE, "free", move || program.free());
    peer.expect_close(&[PacketType::Disconnect]);
}
