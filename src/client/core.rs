//! The Session and its Network Connection, and what a thread does with them that holds their lock. How it gets the lock is in
//! `shared`.

use super::accounts::Share;
use super::burst::Burst;
use super::clock;
use super::command::Command;
use super::command_queue::Taken;
use super::connection::Connection;
use super::leading::Keeping;
use super::log::{Level, trace};
use super::shared::{Shared, State};
use super::statistics::Told;
use super::store::Stored;
use super::transport::{failure_of, is_broken_off};
use crate::session::Session;
use crate::session::event::Event;
use crate::types::QoS;
use crate::types::status::Status;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub(super) struct Core {
    pub session: Session,
    pub connection: Connection,
    /// What becomes of the socket while a leader that keeps it is away.
    pub keeping: Keeping,
    pub wish: Wish,
    /// The client is freed and has said farewell: when the connection is closed, the thread ends.
    pub stop: bool,
    /// The test hook for panics has been asked for one on the background thread.
    pub panic: bool,
    burst: Burst,
    /// Messages of QoS 0.
    qos0_received: u64,
    /// Messages of QoS 0 were published since the background thread worked last.
    pub qos0_published: bool,
    /// Room for the commands of one go.
    taken: VecDeque<Command>,
    /// Output was left to the background thread, which has been woken for it.
    gathering: bool,
    /// The background thread waits for the disk: nothing is left to it meanwhile.
    pub storing: bool,
    /// When the background thread looks at the timers on its own.
    pub worker_deadline: Option<Instant>,
    /// Something has happened that only the background thread can deal with.
    pub needs_worker: bool,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub share: Share,
    /// The figures that were last told outside of the lock.
    told: Told,
}

/// What the program asked for last, as far as it isn't done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// It has asked for nothing, or has been told that the client is idle.
    Nothing,
    Connected,
    /// It hasn't been told of the end yet: there is one to tell even if the background thread had not begun to connect.
    Disconnected,
}

/// At most this many bytes leave in a write on a caller's thread: it bounds the time of the call. More than a message of 64 KiB
/// has, whose last bytes would otherwise wait for another thread.
const LARGEST_CALLER_WRITE: usize = 128 * 1024;
/// When a burst has gathered so much, the caller writes it, if the background thread hasn't come before.
const GATHERED: usize = 16 * 1024;
/// At most so many commands that others have left are carried out in one go: it bounds the time of a call, too.
const COMMANDS_IN_A_ROW: usize = 256;
/// The background thread carries so many times out what others have left, before it writes.
const GOES_BEFORE_A_WRITE: usize = 4;
/// After so many reads in a row others have their turn: timers, commands, the program.
pub(super) const READS_IN_A_ROW: usize = 16;
/// After so many writes in a row the background thread reads.
const WRITES_IN_A_ROW: usize = 16;
/// The background thread looks this often before it reads and looks at its timers again.
const ROUNDS_OF_THE_WORKER: usize = 16;

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
            connection: Connection::none(),
            keeping: Keeping::default(),
            wish: Wish::Nothing,
            stop: false,
            panic: false,
            burst: Burst::default(),
            qos0_received: 0,
            qos0_published: false,
            taken: VecDeque::new(),
            gathering: false,
            storing: false,
            worker_deadline: None,
            needs_worker: false,
            bytes_sent: 0,
            bytes_received: 0,
            share: Share::default(),
            told: Told::default(),
        }
    }

    /// A connection to the Server of this URL is there: CONNECT goes out. The Server has until `deadline` to answer.
    pub fn open(&mut self, now: Instant, deadline: Instant, connection: Connection, server: &str) {
        self.connection = connection;
        self.session.set_server(server);
        self.session.handle_opened(now, deadline);
    }

    /// Carries out what callers have left. False if something is left: it was too much for one go, or waits for the socket.
    pub fn apply_waiting(&mut self, shared: &Shared) -> bool {
        shared.forget_left();
        let Taken { are_all, are_patient } =
            shared.take_commands(COMMANDS_IN_A_ROW, self.is_without_room(), &mut self.taken);
        if self.taken.is_empty() {
            return are_all;
        }
        let now = clock::now();
        while let Some(command) = self.taken.pop_front() {
            match command {
                // What can only wait for room needn't go through the Session's queue.
                Command::Publishes(mut packed) => {
                    if !self.publish_packed(now, &mut packed, |core| are_patient && core.is_without_room()) {
                        self.taken.push_front(Command::Publishes(packed));
                        shared.put_back(&mut self.taken);
                        return false;
                    }
                    shared.give_back(packed);
                }
                command => self.apply(now, command),
            }
        }
        are_all
    }

    /// Whether there is a connection, and as many bytes wait for it as may.
    fn is_without_room(&self) -> bool {
        self.session.is_online() && !self.session.has_room()
    }

    /// What the holder of the lock does on a caller's thread: one write at most, and in a burst one now and then.
    pub fn work_for_caller(&mut self, now: Instant, shared: &Shared) {
        self.apply_waiting(shared);
        let output = self.session.output().len();
        let in_burst = self.burst.goes_on(now) && !self.storing;
        let has_room = !self.connection.write_blocked && output < GATHERED;
        let gathers = output > 0 && in_burst && self.session.is_online() && has_room;
        let sent = self.bytes_sent;
        if !gathers {
            self.write_once(now, LARGEST_CALLER_WRITE, shared);
        }
        // Only a system call takes so long that the clock must be asked again.
        self.burst.call_ended(if self.bytes_sent == sent { now } else { clock::now() });
        // While messages are gathered, whoever sends them tells the statistics; and what only waits for the socket changes
        // none.
        let changes_none = || {
            self.connection.write_blocked
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
        let output_left = !self.connection.write_blocked && !self.session.output().is_empty();
        // The background thread is woken once for what is gathered until it comes.
        let output_left = output_left && !(gathers && std::mem::replace(&mut self.gathering, true));
        let needs_worker = std::mem::take(&mut self.needs_worker) || self.session.has_records();
        if needs_worker || output_left || timer_moved || self.connection.lost.is_some() || self.session.wants_close() {
            shared.wake();
        }
        shared.let_wait(self.waits_for_socket());
    }

    /// Whether the background thread comes as soon as the socket takes more, and nothing leaves before.
    pub fn waits_for_socket(&self) -> bool {
        self.connection.write_blocked && self.connection.lost.is_none() && self.session.is_online()
    }

    /// What the background thread does: everything, but for commands that come in without a pause, and what a fast Server
    /// takes out of a long queue. They must not keep it from reading, so it comes back for the rest.
    pub fn work(&mut self, now: Instant, shared: &Shared) {
        if std::mem::take(&mut self.qos0_published) {
            // This thread looks at what is left meanwhile before it sleeps.
            shared.let_wait(true);
        }
        self.gathering = false;
        self.storing = false;
        let mut writes = 0;
        for _ in 0..ROUNDS_OF_THE_WORKER {
            let mut are_all = false;
            for _ in 0..GOES_BEFORE_A_WRITE {
                are_all = self.apply_waiting(shared);
                if are_all || self.is_without_room() {
                    break;
                }
            }
            while writes < WRITES_IN_A_ROW && self.write_once(now, usize::MAX, shared) {
                writes += 1;
            }
            self.report(shared);
            if writes == WRITES_IN_A_ROW {
                self.needs_worker = true;
                return;
            }
            if !shared.has_commands() && (are_all || self.waits_for_socket()) {
                return;
            }
        }
    }

    /// Writes once. False if there is nothing to write, or the socket takes no more.
    fn write_once(&mut self, now: Instant, limit: usize, shared: &Shared) -> bool {
        let connection = &mut self.connection;
        let Some(transport) = &mut connection.transport else { return false };
        let output = self.session.output();
        if connection.write_blocked || connection.lost.is_some() {
            return false;
        }
        if shared.log.wants(Level::Packets) {
            let version = self.session.version();
            let told = |line| shared.note(Level::Packets, || format!("-> {line}"));
            connection.traced += trace::packets(&output[connection.traced.min(output.len())..], version, told);
        } else {
            connection.traced = output.len();
        }
        let written = match output.is_empty() {
            false => transport.write(&output[..output.len().min(limit)]),
            true if transport.has_pending() => transport.flush().map(|()| 0),
            true => return false,
        };
        match written {
            Ok(0) if !output.is_empty() => {
                connection.lost = Some(Status::ConnectionClosed.because("the connection takes no more bytes"));
            }
            Ok(count) => {
                // What it holds back is what the socket didn't take: the poll tells when that changes.
                connection.write_blocked = transport.has_pending();
                self.bytes_sent += count as u64;
                connection.traced = connection.traced.saturating_sub(count);
                self.session.handle_sent(now, count);
                if !connection.write_blocked {
                    return true;
                }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => connection.write_blocked = true,
                io::ErrorKind::Interrupted => return true,
                _ => connection.lost = Some(failure_of(&error, "writing to the Server")),
            },
        }
        if connection.write_blocked {
            self.watch_writing(shared);
        }
        false
    }

    /// Ends the writing side of the connection. False if the socket doesn't take it yet.
    pub fn finish_writing(&mut self) -> bool {
        let Some(transport) = &mut self.connection.transport else { return false };
        // If it fails the connection is gone already, which reading will show.
        !transport.finish().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads once, and uses what came.
    pub fn read(&mut self, now: Instant, shared: &Shared) -> Read {
        let connection = &mut self.connection;
        let Some(transport) = &mut connection.transport else { return Read::Nothing };
        let why = match transport.read(connection.input.room()) {
            Ok(0) => connection.first_bytes.closed(),
            Ok(count) => {
                connection.input.received(count);
                match connection.first_bytes.wrong_protocol(connection.input.bytes()) {
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
                _ if is_broken_off(&error) && connection.first_bytes.are_awaited() => connection.first_bytes.closed(),
                _ => failure_of(&error, "reading from the Server"),
            },
        };
        connection.lost = Some(why);
        connection.read_to_end = true;
        Read::Over
    }

    /// Uses the `count` bytes that came into the input last.
    fn take_in(&mut self, now: Instant, count: usize, shared: &Shared) {
        self.bytes_received += count as u64;
        if shared.log.wants(Level::Packets) {
            let told = |line| shared.note(Level::Packets, || format!("<- {line}"));
            trace::packets(self.connection.input.bytes(), self.session.version(), told);
        }
        let connection = &mut self.connection;
        let used = self.session.handle_input(now, connection.input.bytes());
        connection.input.consume(used, |bytes| self.session.expected_size(bytes));
        if connection.online_since.is_none() && self.session.is_online() {
            connection.online_since = Some(now);
        }
        // The program gets its message before the Server gets its answer.
        self.report(shared);
        self.connection.pace.heard(now, self.session.held_up());
        self.connection.stream.heard(now, self.qos0_received);
    }

    /// How long whoever waits for the Server next rests before that.
    pub fn rest(&self) -> Duration {
        self.connection.rest(self.session.held_up().is_some())
    }

    pub fn wants_connection(&self) -> bool {
        self.wish == Wish::Connected && !self.stop
    }

    /// Whether the connection is about to end, by the Server or by us.
    pub fn is_ending(&self) -> bool {
        self.connection.lost.is_some() || self.session.wants_close()
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
        let restored = self.session.outstanding() - before;
        self.share.accept(restored);
        shared.accounts.outgoing.add(restored);
        shared.snapshot.lock().restored = restored.count;
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
