//! What the Server said last is heard, whoever finds that the connection is gone, and when.

use super::*;
use crate::client::Client;
use crate::client::address::Address;
use crate::client::connection::Connection;
use crate::client::core::READS_IN_A_ROW;
use crate::client::events::{Next, NoticeKind};
use crate::client::first_bytes::FirstBytes;
use crate::client::transport::scripted::Scripted;
use crate::codec::property::{PropertyId, Value};
use crate::session::event::{Disconnected, Event};
use crate::types::reason::ReasonCode;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::atomic::AtomicBool;

/// Success, and the Client Identifier "x".
const CONNACK: &[u8] = &[0x20, 7, 0, 0, 4, 0x12, 0, 1, b'x'];
/// DISCONNECT.
const SESSION_TAKEN_OVER: &[u8] = &[0xE0, 2, 0x8E, 0];
/// Nothing, to "t", with QoS 0.
const PUBLISH: &[u8] = &[0x30, 4, 0, 1, b't', 0];

/// A connection on which the Server answers CONNECT and is gone. What it said last comes in when a write has failed: the
/// thread reads before it writes, and the bytes may arrive in between.
struct Gone {
    first: VecDeque<&'static [u8]>,
    last: VecDeque<&'static [u8]>,
    writes: u32,
}

impl Read for Gone {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_broken = self.writes > 1;
        let next = match self.first.pop_front() {
            None if is_broken => self.last.pop_front().ok_or(io::ErrorKind::ConnectionReset)?,
            None => return Err(io::ErrorKind::WouldBlock.into()),
            Some(first) => first,
        };
        buffer[..next.len()].copy_from_slice(next);
        Ok(next.len())
    }
}

impl Write for Gone {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        if self.writes > 1 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A worker that has this connection, and has looked at nothing yet.
fn opened(socket: impl Read + Write + Send + 'static, first_bytes: FirstBytes) -> (Client, Worker) {
    let client = Client::with_options(Options::default());
    let mut worker = client.make_worker().expect("a poll");
    let now = clock::now();
    let connection = Connection::new(Box::new(Scripted(socket)), FIRST_SOCKET, first_bytes);
    client.shared.core.lock().open(now, now + Duration::from_secs(60), connection, "");
    worker.phase = Phase::Online { socket: FIRST_SOCKET };
    worker.readable = true;
    (client, worker)
}

/// A worker whose connection is accepted, and what follows.
fn online(last: impl IntoIterator<Item = &'static [u8]>) -> (Client, Worker) {
    let gone = Gone { first: [CONNACK].into(), last: last.into_iter().collect(), writes: 0 };
    let (client, mut worker) = opened(gone, FirstBytes::default());
    step(&mut worker);
    assert!(client.shared.core.lock().session.is_online() && !worker.readable);
    (client, worker)
}

fn step(worker: &mut Worker) {
    worker.step(&Options::default);
}

/// The end of the connection, as it is told.
fn told_end(client: &Client) -> Disconnected {
    while let Next::Taken(notice) = client.shared.events.pop_if(|_| true) {
        if let NoticeKind::Session(Event::Disconnected(end)) = notice.kind {
            return end;
        }
    }
    panic!("no end of the connection was told");
}

/// The messages before the end, and its Reason Code.
fn heard(client: &Client) -> (usize, Option<ReasonCode>) {
    let mut messages = 0;
    while let Next::Taken(notice) = client.shared.events.pop_if(|_| true) {
        match notice.kind {
            NoticeKind::Session(Event::Message { .. }) => messages += 1,
            NoticeKind::Session(Event::Disconnected(end)) => return (messages, end.reason),
            _ => {}
        }
    }
    panic!("no end of the connection was told");
}

/// What is read, and what becomes of what is written.
struct Socket<R, W>(R, W);

impl<R: FnMut(&mut [u8]) -> io::Result<usize>, W> Read for Socket<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0(buffer)
    }
}

impl<R, W: FnMut(&[u8]) -> io::Result<usize>> Write for Socket<R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn takes_all(bytes: &[u8]) -> io::Result<usize> {
    Ok(bytes.len())
}

/// It breaks the connection instead of answering CONNECT, in one of the system's two words for it.
#[test]
fn a_server_that_breaks_the_connection_at_once_has_closed_it() {
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionAborted] {
        let address = Address::parse_list("mqtt://broker").expect("a URL").remove(0);
        let broken = Socket(move |_: &mut [u8]| Err(kind.into()), takes_all);
        let (client, mut worker) = opened(broken, FirstBytes::awaited_from(Some(&address)));
        step(&mut worker);
        let end = told_end(&client);
        assert_eq!(end.failure, Some(Status::ConnectionClosed), "{kind}: {}", end.detail);
        assert!(end.detail.contains("use mqtts://"), "{kind}: {}", end.detail);
    }
}

#[test]
fn the_cause_that_a_callers_thread_has_read_stays_the_cause() {
    let (client, mut worker) = online([]);
    let shared = client.shared.clone();
    {
        let mut core = shared.core.lock();
        // It says once that it is broken, and then that it has ended, as sockets do.
        let mut told = false;
        let read = move |_: &mut [u8]| match std::mem::replace(&mut told, true) {
            true => Ok(0),
            false => Err(io::ErrorKind::ConnectionReset.into()),
        };
        core.connection.transport = Some(Box::new(Scripted(Socket(read, takes_all))));
        core.read(clock::now(), &shared);
    }
    // The thread's poll tells it of the end.
    worker.readable = true;
    step(&mut worker);
    assert_eq!(told_end(&client).failure, Some(Status::Network));
}

#[test]
fn the_end_of_a_server_that_has_much_to_say_is_not_waited_for_in_sleep() {
    // Whether or not the program takes it.
    for blocked in [false, true] {
        let (client, mut worker) = online([]);
        let mut messages = 3 * READS_IN_A_ROW + 1;
        let read = move |buffer: &mut [u8]| {
            let Some(left) = messages.checked_sub(1) else { return Ok(0) };
            messages = left;
            buffer[..PUBLISH.len()].copy_from_slice(PUBLISH);
            Ok(PUBLISH.len())
        };
        client.shared.core.lock().connection.transport = Some(Box::new(Scripted(Socket(read, takes_all))));
        client.shared.events.hold(blocked);
        client.shared.freed.store(true, Ordering::SeqCst);
        worker.readable = true;
        let mut turns = 0;
        while let Some(sleep) = worker.step(&Options::default) {
            assert!(sleep.until.is_some_and(|until| until <= clock::now()), "nobody tells that there is more");
            turns += 1;
        }
        assert!(turns > 0 && client.state() == State::Idle);
    }
}

#[test]
fn the_writing_side_is_not_closed_before_disconnect_has_left() {
    let (client, mut worker) = online([]);
    let shared = client.shared.clone();
    let is_full = Arc::new(AtomicBool::new(true));
    let full = is_full.clone();
    let takes = move |bytes: &[u8]| match full.load(Ordering::Acquire) {
        true => Err(io::ErrorKind::WouldBlock.into()),
        false => Ok(bytes.len()),
    };
    let socket = Socket(|_: &mut [u8]| Err(io::ErrorKind::WouldBlock.into()), takes);
    shared.core.lock().connection.transport = Some(Box::new(Scripted(socket)));
    shared.freed.store(true, Ordering::SeqCst);
    step(&mut worker);
    assert!(matches!(worker.phase, Phase::Lingering { finished: false, .. }));
    is_full.store(false, Ordering::Release);
    // As the poll tells it.
    shared.core.lock().connection.write_blocked = false;
    step(&mut worker);
    assert!(matches!(worker.phase, Phase::Lingering { finished: true, .. }));
}

/// PINGREQ is to be sent.
fn say_something(core: &mut Core) {
    let when = core.session.next_timeout().expect("a Keep Alive");
    core.session.handle_timeout(when);
    assert!(!core.session.output().is_empty());
}

#[test]
fn the_threads_own_write_finds_it_out_after_the_reading() {
    let (client, mut worker) = online([SESSION_TAKEN_OVER]);
    let shared = client.shared.clone();
    {
        let mut core = shared.core.lock();
        say_something(&mut core);
        assert!(matches!(worker.go_on_online(clock::now(), &mut core), Turn::Again), "there is more to do");
    }
    step(&mut worker);
    assert_eq!(heard(&client), (0, Some(ReasonCode::SESSION_TAKEN_OVER)));
}

#[test]
fn more_was_said_than_is_read_in_one_go() {
    let messages = 3 * READS_IN_A_ROW + 1;
    let said = std::iter::repeat_n(PUBLISH, messages).chain([SESSION_TAKEN_OVER]);
    let (client, mut worker) = online(said);
    say_something(&mut client.shared.core.lock());
    step(&mut worker);
    assert_eq!(heard(&client), (messages, Some(ReasonCode::SESSION_TAKEN_OVER)));
}

#[test]
fn a_connection_that_held_leads_back_to_the_first_server_after_the_shortest_delay() {
    let second = Duration::from_secs(1);
    for (held, server, ceiling) in [(6 * second, 0, 2 * second), (second, 2, 16 * second)] {
        let (client, mut worker) = online([]);
        worker.options.addresses = Address::parse_list("mqtt://a mqtt://b mqtt://c").expect("URLs");
        worker.server = 1;
        worker.backoff = Backoff::new(second, 64 * second);
        for _ in 0..3 {
            worker.backoff.next_delay();
        }
        let mut core = client.shared.core.lock();
        core.wish = Wish::Connected;
        core.connection.online_since = clock::now().checked_sub(held);
        worker.end_connection(Status::ConnectionClosed, "", &mut core);
        assert!(matches!(worker.phase, Phase::Waiting { .. }));
        assert_eq!((worker.server, worker.backoff.ceiling()), (server, ceiling), "{held:?}");
    }
}

/// DISCONNECT: use another Server, "a".
const SENT_BACK: &[u8] = &[0xE0, 6, 0x9C, 4, 0x1C, 0, 1, b'a'];

#[test]
fn a_server_that_was_sent_to_may_send_back_when_its_connection_has_held() {
    // Section 4.11
    for (held, goes_back) in [(6, true), (1, false)] {
        let (client, mut worker) = online([SENT_BACK]);
        worker.options.addresses = Address::parse_list("mqtt://a").expect("a URL");
        worker.options.server_reference_hosts = ["a", "b"].map(str::to_owned).to_vec();
        worker.backoff = Backoff::new(Duration::from_secs(600), Duration::from_secs(600));
        let mut sent_on = Disconnected::new(None, "sent on");
        sent_on.reason = Some(ReasonCode::USE_ANOTHER_SERVER);
        sent_on.properties.set(PropertyId::ServerReference, Value::Text("b")).expect("a property");
        assert!(worker.follow_reference(&mut sent_on, ending::Held::Never));
        {
            let mut core = client.shared.core.lock();
            core.wish = Wish::Connected;
            core.connection.online_since = clock::now().checked_sub(Duration::from_secs(held));
            say_something(&mut core);
        }
        step(&mut worker);
        assert_eq!(heard(&client).1, Some(ReasonCode::USE_ANOTHER_SERVER));
        assert_eq!(worker.redirect.target().is_some_and(|address| address.host == "a"), goes_back, "{held} s");
    }
}
