//! The Session and its transport: what whoever holds their lock does with them. How the lock is come by is in `shared`.

use super::accounts::Share;
use super::burst::Burst;
use super::clock;
use super::command::Command;
use super::first_bytes::FirstBytes;
use super::input::Input;
use super::leading::Keeping;
use super::log::{Level, trace};
use super::pace::{Pace, Stream};
use super::shared::{Shared, State};
use super::statistics::Told;
use super::store::Stored;
use super::transport::{Transport, failure_of, is_broken_off};
use crate::session::Session;
use crate::session::event::Event;
use crate::types::QoS;
use crate::types::status::{Failure, Status};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub(super) struct Core {
    pub session: Session,
    pub transport: Option<Box<dyn Transport>>,
    pub input: Input,
    pub first_bytes: FirstBytes,
    /// When the Server accepted CONNECT, as long as that connection lasts.
    pub online_since: Option<Instant>,
    /// What the socket is called in the background thread's poll.
    pub socket: mio::Token,
    /// The socket is in the poll of a waiting caller instead, or in none.
    pub led: bool,
    /// What becomes of it while that caller is away.
    pub keeping: Keeping,
    /// What the Server says has come to its end, of which `lost` tells.
    pub read_to_end: bool,
    /// The leader left while the transport may hold bytes: the background thread reads on.
    pub read_on: bool,
    /// Whether the background thread is told when the socket takes bytes again.
    pub watches_writing: bool,
    /// Whether the program wants to be connected.
    pub wanted: bool,
    /// The program changed its mind before the background thread had begun.
    pub given_up: bool,
    pub stop: bool,
    pub panic: bool,
    /// The transport failed.
    pub lost: Option<Failure>,
    /// The socket takes nothing at the moment; the poll tells when it does again.
    pub write_blocked: bool,
    burst: Burst,
    pace: Pace,
    stream: Stream,
    /// Messages of QoS 0.
    qos0_received: u64,
    /// Room for the commands of one go.
    taken: VecDeque<Command>,
    /// Output was left to the background thread, which has been woken for it.
    gathering: bool,
    /// The background thread waits for the disk: nothing is left to it meanwhile.
    pub storing: bool,
    /// How many bytes of the Session's output the log has told of.
    traced: usize,
    /// When the background thread looks at the timers on its own.
    pub worker_deadline: Option<Instant>,
    /// Something has happened that only the background thread can deal with.
    pub needs_worker: bool,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub share: Share,
    /// What is known outside.
    told: Told,
}

/// At most this many bytes leave in a write on a caller's thread: it bounds the time of the call. More than a message of 64 KiB
/// has, whose last bytes would otherwise wait for another thread.
const LARGEST_CALLER_WRITE: usize = 128 * 1024;
/// What a burst has gathered is written by the caller when it is so much, if the background thread hasn't come before.
const GATHERED: usize = 16 * 1024;
/// At most so many commands that others have left are carried out in one go; for the same reason.
const COMMANDS_IN_A_ROW: usize = 256;
/// After so many reads in a row others have their turn: timers, commands, the program.
pub(super) const READS_IN_A_ROW: usize = 16;
/// After so many writes in a row the background thread reads.
const WRITES_IN_A_ROW: usize = 16;
/// The background thread looks this often before it reads and looks at its timers again.
const ROUNDS_OF_THE_WORKER: usize = 16;

/// What a new Network Connection comes with.
pub(super) struct NewConnection {
    pub transport: Box<dyn Transport>,
    pub socket: mio::Token,
    pub first_bytes: FirstBytes,
    /// Its URL.
    pub server: String,
}

/// How one read went.
pub(super) enum Read {
    /// Bytes came, and were used.
    Some,
    /// There are none now: the poll tells when that changes.
    Nothing,
    /// There will never be any: `lost` says why.
    Over,
}

impl Core {
    pub fn new(session: Session) -> Self {
        Core {
            session,
            transport: None,
            input: Input::default(),
            first_bytes: FirstBytes::default(),
            online_since: None,
            socket: mio::Token(0),
            led: false,
            keeping: Keeping::default(),
            read_to_end: false,
            read_on: false,
            watches_writing: true,
            wanted: false,
            given_up: false,
            stop: false,
            panic: false,
            lost: None,
            write_blocked: false,
            burst: Burst::default(),
            pace: Pace::default(),
            stream: Stream::default(),
            qos0_received: 0,
            taken: VecDeque::new(),
            gathering: false,
            storing: false,
            traced: 0,
            worker_deadline: None,
            needs_worker: false,
            bytes_sent: 0,
            bytes_received: 0,
            share: Share::default(),
            told: Told::default(),
        }
    }

    /// A transport is connected: CONNECT goes out. The Server has until `deadline` to answer.
    pub fn open(&mut self, now: Instant, deadline: Instant, connection: NewConnection) {
        self.transport = Some(connection.transport);
        self.socket = connection.socket;
        self.first_bytes = connection.first_bytes;
        self.input = Input::default();
        self.online_since = None;
        self.read_to_end = false;
        self.read_on = false;
        self.watches_writing = true;
        self.write_blocked = false;
        self.traced = 0;
        self.lost = None;
        self.pace = Pace::default();
        self.stream = Stream::default();
        self.session.set_server(&connection.server);
        self.session.handle_opened(now, deadline);
    }

    /// Carries out what callers have left. False if that was too much for one go.
    pub fn apply_waiting(&mut self, shared: &Shared) -> bool {
        shared.forget_left();
        shared.take_commands(COMMANDS_IN_A_ROW, &mut self.taken);
        if self.taken.is_empty() {
            return true;
        }
        let are_all = self.taken.len() < COMMANDS_IN_A_ROW;
        let now = clock::now();
        while let Some(command) = self.taken.pop_front() {
            self.apply(now, command);
        }
        are_all
    }

    /// What the holder of the lock does on a caller's thread: one write at most, and in a burst one now and then.
    pub fn work_for_caller(&mut self, now: Instant, shared: &Shared) {
        self.apply_waiting(shared);
        let output = self.session.output().len();
        let in_burst = self.burst.goes_on(now) && !self.storing;
        let has_room = !self.write_blocked && output < GATHERED;
        let gathers = output > 0 && in_burst && self.session.is_online() && has_room;
        let sent = self.bytes_sent;
        if !gathers {
            self.write_once(now, LARGEST_CALLER_WRITE, shared);
        }
        // Only a system call takes so long that the clock must be asked again.
        self.burst.call_ended(if self.bytes_sent == sent { now } else { clock::now() });
        // The statistics are for whoever takes what is gathered; and what only waits for the socket changes none.
        let changes_none = || {
            self.write_blocked
                && self.bytes_sent == self.told.bytes_sent
                && self.session.counters() == self.told.counters
        };
        if !self.session.has_event() && (gathers || changes_none()) {
            self.share.settle(&self.session, &shared.accounts.outgoing);
        } else {
            self.report(shared);
        }
        let timer_moved = match (self.session.next_timeout(), self.worker_deadline) {
            (Some(wanted), Some(planned)) => wanted < planned,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let output_left = !self.write_blocked && !self.session.output().is_empty();
        // The background thread is woken once for what is gathered until it comes.
        let output_left = output_left && !(gathers && std::mem::replace(&mut self.gathering, true));
        let needs_worker = std::mem::take(&mut self.needs_worker) || self.session.has_records();
        if needs_worker || output_left || timer_moved || self.lost.is_some() || self.session.wants_close() {
            shared.wake();
        }
    }

    /// What the background thread does: everything, but for commands that come in without a pause, and what a fast Server
    /// takes out of a long queue. They must not keep it from reading, so it comes back for the rest.
    pub fn work(&mut self, now: Instant, shared: &Shared) {
        self.gathering = false;
        self.storing = false;
        let mut writes = 0;
        for _ in 0..ROUNDS_OF_THE_WORKER {
            self.apply_waiting(shared);
            while writes < WRITES_IN_A_ROW && self.write_once(now, usize::MAX, shared) {
                writes += 1;
            }
            self.report(shared);
            if writes == WRITES_IN_A_ROW {
                self.needs_worker = true;
                return;
            }
            if !shared.has_commands() {
                return;
            }
        }
    }

    /// Writes once. False if there is nothing to write, or the socket takes no more.
    fn write_once(&mut self, now: Instant, limit: usize, shared: &Shared) -> bool {
        let Some(transport) = &mut self.transport else { return false };
        let output = self.session.output();
        if self.write_blocked || self.lost.is_some() {
            return false;
        }
        if shared.log.wants(Level::Packets) {
            let version = self.session.version();
            let told = |line| shared.note(Level::Packets, || format!("-> {line}"));
            self.traced += trace::packets(&output[self.traced.min(output.len())..], version, told);
        } else {
            self.traced = output.len();
        }
        let written = match output.is_empty() {
            false => transport.write(&output[..output.len().min(limit)]),
            true if transport.has_pending() => transport.flush().map(|()| 0),
            true => return false,
        };
        match written {
            Ok(0) if !output.is_empty() => {
                self.lost = Some(Status::ConnectionClosed.because("the connection takes no more bytes"));
            }
            Ok(count) => {
                // What it holds back is what the socket didn't take: the poll tells when that changes.
                self.write_blocked = transport.has_pending();
                self.bytes_sent += count as u64;
                self.traced = self.traced.saturating_sub(count);
                self.session.handle_sent(now, count);
                if !self.write_blocked {
                    return true;
                }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => self.write_blocked = true,
                io::ErrorKind::Interrupted => return true,
                _ => self.lost = Some(failure_of(&error, "writing to the Server")),
            },
        }
        if self.write_blocked {
            self.watch_writing(shared);
        }
        false
    }

    /// Ends the writing side of the connection. False if the socket doesn't take it yet.
    pub fn finish_writing(&mut self) -> bool {
        let Some(transport) = &mut self.transport else { return false };
        // If it fails the connection is gone already, which reading will show.
        !transport.finish().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads once, and uses what came.
    pub fn read(&mut self, now: Instant, shared: &Shared) -> Read {
        let Some(transport) = &mut self.transport else { return Read::Nothing };
        let why = match transport.read(self.input.room()) {
            Ok(0) => self.first_bytes.closed(),
            Ok(count) => {
                self.input.received(count);
                match self.first_bytes.wrong_protocol(self.input.bytes()) {
                    Some(failure) => failure,
                    None => {
                        self.take_in(now, count, shared);
                        return Read::Some;
                    }
                }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => {
                    if transport.has_heard() {
                        // A PINGRESP can't come before the rest of it.
                        self.session.handle_input(now, &[]);
                    }
                    return Read::Nothing;
                }
                io::ErrorKind::Interrupted => return Read::Some,
                _ if is_broken_off(&error) && self.first_bytes.are_awaited() => self.first_bytes.closed(),
                _ => failure_of(&error, "reading from the Server"),
            },
        };
        self.lost = Some(why);
        self.read_to_end = true;
        Read::Over
    }

    /// Uses the `count` bytes that came into the input last.
    fn take_in(&mut self, now: Instant, count: usize, shared: &Shared) {
        self.bytes_received += count as u64;
        if shared.log.wants(Level::Packets) {
            let told = |line| shared.note(Level::Packets, || format!("<- {line}"));
            trace::packets(self.input.bytes(), self.session.version(), told);
        }
        let used = self.session.handle_input(now, self.input.bytes());
        self.input.consume(used, |bytes| self.session.expected_size(bytes));
        if self.online_since.is_none() && self.session.is_online() {
            self.online_since = Some(now);
        }
        // The program gets its message before the Server gets its answer.
        self.report(shared);
        self.pace.heard(now, self.session.held_up());
        self.stream.heard(now, self.qos0_received);
    }

    /// How long whoever waits for the Server next rests before that. Not on Windows, where the shortest sleep may take 16 ms.
    pub fn rest(&self) -> Duration {
        let waits_for_bytes = self.transport.is_some() && self.lost.is_none() && !self.write_blocked;
        if cfg!(windows) || !waits_for_bytes {
            return Duration::ZERO;
        }
        if self.session.held_up().is_some() { self.pace.rest() } else { self.stream.rest() }
    }

    /// Brings what is known outside up to date and hands the events on; in this order, so that a program that has seen an
    /// event finds the figures.
    pub fn report(&mut self, shared: &Shared) {
        self.tell_figures(shared);
        while let Some(event) = self.session.poll_event() {
            match &event {
                // A program that has seen the event must find the state.
                Event::Connected { .. } => shared.set_state(State::Connected),
                Event::Response { .. } => {
                    shared.accounts.requests.fetch_sub(1, Ordering::AcqRel);
                }
                Event::Subscribed { token, .. } | Event::Unsubscribed { token, .. } if *token != 0 => {
                    shared.accounts.requests.fetch_sub(1, Ordering::AcqRel);
                }
                Event::Progress { token, stage } if !shared.stages.note(*token, *stage) => continue,
                Event::Published { token, outcome } => shared.stages.end(*token, outcome),
                Event::Message { message, .. } if message.qos == QoS::AtMostOnce => self.qos0_received += 1,
                _ => {}
            }
            shared.tell(event);
        }
        if self.session.has_unheard() {
            shared.events.take_untold().into_iter().for_each(|token| self.session.heard(token));
        }
    }

    /// Takes over what the store held. `Err` says why that can't be true.
    pub fn restore(&mut self, shared: &Shared, stored: Stored) -> Result<(), &'static str> {
        let before = self.session.outstanding();
        self.session.restore(stored.records)?;
        shared.accounts.next_token.fetch_max(stored.last_token + 1, Ordering::AcqRel);
        let after = self.session.outstanding();
        let (count, bytes) = (after.0 - before.0, after.1 - before.1);
        self.share.accept(count, bytes);
        shared.accounts.outgoing.add(count, bytes);
        shared.snapshot.lock().restored = count;
        Ok(())
    }

    /// Brings up to date what is known outside, the budget of the outgoing queue included.
    pub fn tell_figures(&mut self, shared: &Shared) {
        let told = Told {
            counters: self.session.counters(),
            in_flight: self.session.in_flight(),
            version: self.session.is_online().then(|| self.session.version()),
            limits: self.session.limits().copied(),
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
        };
        // A publish that waits behind others changes none.
        if told != self.told {
            if told.limits != self.told.limits {
                shared.publish_limits.set_server(told.limits);
            }
            shared.snapshot.lock().told = told;
            self.told = told;
        }
        self.share.settle(&self.session, &shared.accounts.outgoing);
    }
}
