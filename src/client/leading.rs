//! A waiting caller reads by itself, instead of being woken by the background thread. It is called the leader.
//!
//! A caller that waits for an event takes the socket out of the background thread's poll and into one of its own. So
//! a message wakes this caller and nobody else: there is one change of threads less between the Server and the
//! program. The background thread keeps its timers, and what callers leave for it. Reading and writing are still open
//! to whoever holds the core's lock; only who is woken depends on the poll that has the socket. The socket goes back
//! to the background thread's poll when the leader leaves, and at once when the connection is about to end or the
//! socket takes no more bytes.
//!
//! A leader that has come back at once, several times in a row, keeps the socket while it is away. Otherwise a stream
//! of messages would have it handed to and fro for each message, with both threads waiting for the lock. The
//! background thread sees to it that this is for a moment only ([`GRACE`]).
//!
//! There is one leader at a time. It also sleeps in its poll while there is no connection. Other callers that wait
//! look for an event again and again.

use super::Client;
use super::clock;
use super::connection::Watcher;
use super::core::{Core, READS_IN_A_ROW, Read};
use super::lock::Lock;
use super::options::IntOption;
use super::shared::Shared;
use super::thread::rest;
use crate::types::status::{Failure, Status};
use mio::{Events, Poll, Registry, Token, Waker};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

const WAKE: Token = Token(0);
const SOCKET: Token = Token(1);

/// A leader that comes back within this time is held to be dealing with a stream of messages.
const AT_ONCE: Duration = Duration::from_millis(2);
/// After coming back at once so many times in a row, it keeps the socket while it is away.
const OFTEN: u32 = 4;
/// How long a leader that is away may keep the socket, as far as the background thread wakes up so precisely.
const GRACE: Duration = Duration::from_millis(2);

/// What a leading caller sleeps in.
struct Seat {
    poll: Poll,
    ready: Events,
    left: Option<Instant>,
    /// How many times in a row a leader came back at once.
    returns: u32,
    /// How long the leader rests before it waits for the Server (`pace`).
    rest: Duration,
    /// The leader has stopped reading for an event, though there may be more: the poll has told of it already, and doesn't
    /// tell twice.
    stopped: bool,
}

impl Seat {
    fn is_taken(&mut self, now: Instant) {
        let at_once = self.left.is_some_and(|left| now.saturating_duration_since(left) < AT_ONCE);
        self.returns = if at_once { self.returns.saturating_add(1) } else { 0 };
    }
}

/// A leader that keeps the socket while it is away.
#[derive(Default)]
pub(super) struct Keeping {
    /// The background thread looks from time to time whether the leader is still away.
    watched: bool,
    /// When the leader left, if it is away.
    left: Option<Instant>,
    /// How many times somebody took the lead, and how many of these the background thread knows of.
    visits: (u64, u64),
    /// When it was last looked whether a program polls without a pause (`polling`).
    pub looked: Option<Instant>,
}

/// Whether there may be more to read than a leader has read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ReadOn {
    Never,
    /// It has stopped for an event; a poll that the socket is put into tells of the rest.
    Later,
    /// The transport may hold bytes that no poll knows of.
    Unheard,
}

/// The place of the leader, made when a caller waits for the first time.
#[derive(Default)]
pub(super) struct Leading {
    /// Locked by the caller that leads.
    seat: Lock<Option<Seat>>,
    registry: OnceLock<Registry>,
}

impl Leading {
    /// Keeps the place for good.
    pub fn leave_locked(&self) {
        self.seat.leave_locked();
    }

    fn make(&self, shared: &Shared) -> io::Result<Seat> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        // A second attempt after a failure brings nothing new: the first registry and waker would stay.
        let registry = poll.registry().try_clone()?;
        if self.registry.set(registry).is_err() || shared.events.set_leader_waker(waker).is_err() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Seat { poll, ready: Events::with_capacity(4), left: None, returns: 0, rest: Duration::ZERO, stopped: false })
    }
}

impl Shared {
    /// Reads from the Server on this thread until there may be an event, the deadline has come, or the connection ends; while
    /// there is none, it sleeps. False if somebody else has the place.
    fn lead(&self, deadline: Instant) -> bool {
        let Some(mut seat) = self.leading.seat.try_lock() else { return false };
        if seat.is_none() {
            *seat = self.leading.make(self).ok();
        }
        let Some(seat) = seat.as_mut() else { return false };
        let Some(mut core) = self.core.try_lock_until(deadline) else { return true };
        seat.is_taken(clock::now());
        // The poll may have told of what came while the socket was kept, and doesn't tell twice.
        seat.stopped = core.connection.is_led();
        let led = core.give_reading_to_leader(self);
        core.keeping.left = None;
        core.keeping.visits.0 += 1;
        seat.rest = core.rest();
        drop(core);
        self.work_off_commands();
        if !led {
            self.sleep(seat, deadline);
            return true;
        }
        while !self.lead_once(seat, deadline) {
            self.work_off_commands();
        }
        self.work_off_commands();
        true
    }

    fn read_past_leader(&self) {
        if self.events.is_over_or_filled() {
            return;
        }
        if let Some(mut core) = self.try_core() {
            core.read_past_leader(clock::now(), self);
        }
        self.work_off_commands();
    }

    /// Sleeps until something is ready, there is an event, or the deadline has come. True if it had no need to.
    fn sleep(&self, seat: &mut Seat, deadline: Instant) -> bool {
        let done = !self.events.leader_falls_asleep();
        let timeout = if done { Duration::ZERO } else { deadline.saturating_duration_since(clock::now()) };
        if let Err(error) = seat.poll.poll(&mut seat.ready, Some(timeout))
            && error.kind() != io::ErrorKind::Interrupted
        {
            panic!("waiting for the network failed: {error}");
        }
        self.events.leader_woke_up();
        done
    }

    /// Sleeps until something is ready, unless it is to look at the socket first, and does what is to be done then. True when
    /// the leader has left.
    fn lead_once(&self, seat: &mut Seat, deadline: Instant) -> bool {
        let look_first = std::mem::take(&mut seat.stopped);
        if self.events.is_empty() {
            rest(seat.rest.min(deadline.saturating_duration_since(clock::now())));
        }
        let done = !look_first && self.sleep(seat, deadline);
        if self.unloading.load(Ordering::SeqCst) {
            return true;
        }
        let mut core = self.core_for_reader();
        if !core.connection.is_led() {
            // It was taken back, because the connection ends or the socket takes no more.
            return true;
        }
        let now = clock::now();
        let mut more = false;
        if look_first || seat.ready.iter().any(|event| event.token() == SOCKET) {
            let read = core.read_for_leader(now, self);
            more = read == ReadOn::Unheard;
            // Should another thread have taken the event already, the leader stays.
            seat.stopped = read == ReadOn::Later;
        }
        core.work_for_caller(now, self);
        let over = done || self.events.is_over_or_filled();
        let ending = core.is_ending();
        if over && !more && !ending && core.connection.is_led() && seat.returns >= OFTEN && !self.events.is_blocked() {
            seat.left = Some(now);
            core.keep_reading(now, self);
            return true;
        }
        if more || over || ending || now >= deadline {
            seat.left = Some(now);
            core.give_reading_back(self);
            if more {
                // The poll doesn't know of what the transport itself holds.
                core.connection.read_on = true;
                self.wake();
            }
        }
        seat.rest = core.rest();
        !core.connection.is_led()
    }
}

impl Core {
    /// Whether a caller waits in the poll of the socket.
    pub fn is_read_by_leader(&self) -> bool {
        self.connection.is_led() && self.keeping.left.is_none()
    }

    /// Takes the socket out of the background thread's poll. False if there is no connection that could be read from.
    pub fn take_reading(&mut self, shared: &Shared) -> bool {
        if self.connection.is_led() {
            return true;
        }
        let ending = self.stop || self.is_ending();
        let connection = &mut self.connection;
        if ending || connection.write_blocked || connection.read_on {
            return false;
        }
        let (Some(transport), Some(worker)) = (&mut connection.transport, shared.registry.get()) else { return false };
        transport.deregister(worker);
        connection.watcher = Watcher::Nobody;
        true
    }

    /// Registers the socket with the leader's poll. False if there is no connection that could be read from.
    fn give_reading_to_leader(&mut self, shared: &Shared) -> bool {
        if self.take_reading(shared)
            && self.connection.watcher == Watcher::Nobody
            && let (Some(transport), Some(own)) = (&mut self.connection.transport, shared.leading.registry.get())
        {
            match transport.register(own, SOCKET, false) {
                Ok(()) => self.connection.watcher = Watcher::Leader,
                Err(_) => self.give_reading_back(shared),
            }
        }
        self.connection.is_led()
    }

    /// The leader leaves and keeps the socket: it is expected back at once.
    pub fn keep_reading(&mut self, now: Instant, shared: &Shared) {
        self.keeping.left = Some(now);
        if !std::mem::replace(&mut self.keeping.watched, true) {
            shared.wake();
        }
    }

    /// For the background thread: takes the socket from a leader that doesn't come back. Returns when to look again; `None`
    /// if a leader has stayed since the last look, as it wakes the background thread when it leaves.
    pub fn look_after_leader(&mut self, now: Instant, shared: &Shared) -> Option<Instant> {
        if !self.keeping.watched {
            return None;
        }
        let (visits, known) = self.keeping.visits;
        match self.keeping.left {
            Some(left) if now >= left + GRACE => self.give_reading_back(shared),
            None if visits == known => self.keeping.watched = false,
            _ => {
                self.keeping.visits.1 = visits;
                return Some(now + GRACE);
            }
        }
        None
    }

    /// Registers the socket with the background thread's poll again, which then tells of everything that is there.
    pub fn give_reading_back(&mut self, shared: &Shared) {
        self.keeping.left = None;
        self.keeping.watched = false;
        let connection = &mut self.connection;
        if connection.watcher == Watcher::Leader
            && let (Some(transport), Some(own)) = (&mut connection.transport, shared.leading.registry.get())
        {
            transport.deregister(own);
        }
        if connection.is_led() {
            self.watch(shared);
        }
    }

    /// Has the background thread told when there are bytes to read and, if that is waited for, when the socket takes bytes
    /// again. A socket that takes bytes anyway would wake the thread for nothing.
    fn watch(&mut self, shared: &Shared) {
        let connection = &mut self.connection;
        let writing = connection.write_blocked;
        connection.watcher = Watcher::Worker { writing };
        let (Some(transport), Some(worker)) = (&mut connection.transport, shared.registry.get()) else { return };
        if let Err(error) = transport.register(worker, connection.socket, writing) {
            connection.lost =
                Some(Status::Network.because(format!("the connection can't be watched any more: {error}")));
            shared.wake();
        }
    }

    /// The socket takes no more bytes: the background thread waits until it does.
    pub fn watch_writing(&mut self, shared: &Shared) {
        match self.connection.watcher {
            Watcher::Worker { writing: true } => {}
            Watcher::Worker { writing: false } => {
                if let (Some(transport), Some(worker)) = (&mut self.connection.transport, shared.registry.get()) {
                    transport.deregister(worker);
                }
                self.watch(shared);
            }
            Watcher::Leader | Watcher::Nobody => {
                self.give_reading_back(shared);
                shared.events.wake_leader();
            }
        }
    }

    /// For a caller that finds nothing while another one waits in the poll of the socket: reads what that one would have read
    /// at once. Its host may have ended it.
    pub fn read_past_leader(&mut self, now: Instant, shared: &Shared) {
        if !self.is_read_by_leader() || shared.events.is_blocked() {
            return;
        }
        let before = self.bytes_received;
        let more = self.read_for_leader(now, shared) == ReadOn::Unheard;
        self.work_for_caller(now, shared);
        if more || self.bytes_received > before {
            self.give_reading_back(shared);
            self.connection.read_on |= more;
            shared.wake();
            shared.events.wake_leader();
        }
    }

    /// Reads until there is an event for the program, or nothing more.
    pub fn read_for_leader(&mut self, now: Instant, shared: &Shared) -> ReadOn {
        for _ in 0..READS_IN_A_ROW {
            match self.read(now, shared) {
                Read::Some => {
                    let holds_input =
                        self.connection.transport.as_ref().is_some_and(|transport| transport.may_hold_input());
                    if shared.events.is_blocked() || (!holds_input && shared.events.is_over_or_filled()) {
                        return if holds_input { ReadOn::Unheard } else { ReadOn::Later };
                    }
                }
                Read::Nothing | Read::Over => return ReadOn::Never,
            }
        }
        ReadOn::Unheard
    }
}

impl Client {
    /// Waits until there is an event. Ends early when the client is freed. The option WAIT_MAXIMUM_MS caps the time.
    pub fn wait(&self, timeout: Duration) -> Result<bool, Failure> {
        if self.shared.events.is_empty() && !timeout.is_zero() {
            let cap = self.options.lock().milliseconds(IntOption::WaitMaximum);
            let deadline = clock::now() + timeout.min(cap);
            // Who leads comes back early when the connection ends, of which the program is about to be told.
            while !self.shared.events.is_over_or_filled() && clock::now() < deadline {
                if !self.shared.lead(deadline) {
                    self.shared.events.wait_until(deadline);
                    self.shared.read_past_leader();
                    break;
                }
            }
        }
        // Asked first: a failure's event is there before its state.
        let alive = self.check_alive();
        if !self.shared.events.is_empty() {
            return Ok(true);
        }
        alive?;
        Ok(false)
    }
}
