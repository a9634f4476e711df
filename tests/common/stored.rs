//! A client with a store, as the tests of the store make, connect and end it.

use super::fake_server::{DEADLINE, FakeServer, Peer};
use super::folder::Folder;
use super::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::PacketType;
use std::fs;
use std::time::{Duration, Instant};

/// A client with a store, not connected yet.
pub fn program(url: &str, folder: &Folder, ints: &[(IntOption, i64)]) -> Program {
    Program::stored(url, folder, &[&[(IntOption::Progress, 2)], ints].concat())
}

/// Accepts the connection; returns whether it asked for a new Session.
#[track_caller]
pub fn accept(server: &mut FakeServer, session_present: bool) -> (Peer, bool) {
    let mut peer = server.accept();
    let connect = peer.expect(PacketType::Connect);
    let Packet::Connect(connect) = connect.packet() else { unreachable!() };
    let clean_start = connect.clean_start;
    peer.connack(session_present);
    (peer, clean_start)
}

/// Takes events until this one is there.
#[track_caller]
pub fn expect_among_others(program: &Program, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = program.event("an event among others");
        if wanted(&event) {
            return event;
        }
    }
}

/// Ends the client, and waits until its thread has let go of the store: on a busy machine that may be after `free`.
#[track_caller]
pub fn end(program: Program, folder: &Folder) {
    program.free();
    // There is none where no store could be made.
    let Ok(lock) = fs::File::open(folder.path().join("session.redb.lock")) else { return };
    let deadline = Instant::now() + DEADLINE;
    while lock.try_lock().is_err() {
        assert!(Instant::now() < deadline, "the store is still in use");
        std::thread::sleep(Duration::from_millis(1));
    }
}
