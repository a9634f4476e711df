//! A waiting caller reads by itself: leader and follower.
//!
//! A caller that waits for an event takes the socket out of the background thread's poll and into one of its own, so that a
//! message wakes the caller and nobody else: one change of threads less between the Server and the program. The background
//! thread keeps its timers, and what callers leave for it. Whoever holds the core's lock may read and write, as ever; the
//! poll that the socket is registered with only says who is woken. It goes back to the background thread when the caller
//! leaves, and at once when the connection is to end or the socket takes no more bytes.
//!
//! One caller at a time leads. Others, and everybody while there is no connection, wait for the queue of events alone.

use super::clock;
use super::core::{Core, READS_IN_A_ROW};
use super::options::IntOption;
use super::shared::Shared;
use super::transport::Fault;
use super::{Client, Failure};
use crate::types::status::Status;
use mio::{Events, Poll, Registry, Token, Waker};
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

const WAKE: Token = Token(0);
const SOCKET: Token = Token(1);

/// What a leading caller sleeps in.
struct Seat {
    poll: Poll,
    ready: Events,
}

/// The place of the leader, made when a caller waits for the first time.
#[derive(Default)]
pub(super) struct Leading {
    /// Locked by the caller that leads.
    seat: Mutex<Option<Seat>>,
    registry: OnceLock<Registry>,
}

impl Leading {
    fn make(&self, shared: &Shared) -> io::Result<Seat> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        // A second attempt after a failure brings nothing new: the first registry and waker would stay.
        let registry = poll.registry().try_clone()?;
        if self.registry.set(registry).is_err() || shared.events.set_leader_waker(waker).is_err() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Seat { poll, ready: Events::with_capacity(4) })
    }
}

impl Shared {
    /// Reads from the Server on this thread until there may be an event, the deadline has come, or the connection ends.
    /// False if there is nothing to lead, or somebody else leads.
    fn lead(&self, deadline: Instant) -> bool {
        let Some(mut seat) = self.leading.seat.try_lock() else { return false };
        if seat.is_none() {
            *seat = self.leading.make(self).ok();
        }
        let Some(seat) = seat.as_mut() else { return false };
        let Some(mut core) = self.core.try_lock_until(deadline) else { return false };
        let led = core.give_reading_to_leader(self);
        drop(core);
        self.work_off_commands();
        while led && !self.lead_once(seat, deadline) {
            self.work_off_commands();
        }
        self.work_off_commands();
        led
    }

    /// Sleeps until something is ready, and does what is to be done then. True when the leader has left.
    fn lead_once(&self, seat: &mut Seat, deadline: Instant) -> bool {
        let done = !self.events.leader_falls_asleep();
        let timeout = if done { Duration::ZERO } else { deadline.saturating_duration_since(clock::now()) };
        if let Err(error) = seat.poll.poll(&mut seat.ready, Some(timeout))
            && error.kind() != io::ErrorKind::Interrupted
        {
            panic!("waiting for the network failed: {error}");
        }
        self.events.leader_woke_up();
        if self.unloading.load(Ordering::SeqCst) {
            return true;
        }
        let mut core = self.core_for_reader();
        if !core.led {
            // It was taken back, because the connection ends or the socket takes no more.
            return true;
        }
        let now = clock::now();
        let mut more = false;
        if seat.ready.iter().any(|event| event.token() == SOCKET) {
            more = core.read_for_leader(now, self);
        }
        core.work_for_caller(self);
        let ending = core.lost.is_some() || core.session.wants_close();
        if more || done || ending || now >= deadline || self.events.is_over_or_filled() {
            core.give_reading_back(self);
            if more {
                // The poll doesn't know of what the transport itself holds.
                core.read_on = true;
                self.wake();
            }
        }
        !core.led
    }
}

impl Core {
    /// Registers the socket with the leader's poll. False if there is no connection that could be read from.
    fn give_reading_to_leader(&mut self, shared: &Shared) -> bool {
        let ending = self.lost.is_some() || self.stop || self.session.wants_close();
        if !self.session.is_online() || ending || self.write_blocked || self.read_on {
            return false;
        }
        let (Some(own), Some(worker)) = (shared.leading.registry.get(), shared.registry.get()) else { return false };
        let Some(transport) = &mut self.transport else { return false };
        transport.deregister(worker);
        self.led = true;
        if transport.register(own, SOCKET, false).is_err() {
            self.give_reading_back(shared);
        }
        self.led
    }

    /// Registers the socket with the background thread's poll again, which then tells of everything that is there.
    pub fn give_reading_back(&mut self, shared: &Shared) {
        if std::mem::take(&mut self.led) {
            if let (Some(transport), Some(own)) = (&mut self.transport, shared.leading.registry.get()) {
                transport.deregister(own);
            }
            self.watch(shared);
        }
    }

    /// Has the background thread told when there are bytes to read and, if that is waited for, when the socket takes bytes
    /// again. A socket that takes bytes anyway would wake the thread for nothing.
    fn watch(&mut self, shared: &Shared) {
        let (Some(transport), Some(worker)) = (&mut self.transport, shared.registry.get()) else { return };
        self.watches_writing = self.write_blocked;
        if let Err(error) = transport.register(worker, self.socket, self.watches_writing) {
            self.lost = Some((Status::Network, format!("the connection can't be watched any more: {error}")));
            shared.wake();
        }
    }

    /// The socket takes no more bytes: the background thread waits until it does.
    pub fn watch_writing(&mut self, shared: &Shared) {
        if self.led {
            self.give_reading_back(shared);
            shared.events.wake_leader();
        } else if !self.watches_writing {
            if let (Some(transport), Some(worker)) = (&mut self.transport, shared.registry.get()) {
                transport.deregister(worker);
            }
            self.watch(shared);
        }
    }

    /// Reads until there is an event for the program, or nothing more. True if the transport may hold bytes that no poll
    /// knows of.
    fn read_for_leader(&mut self, now: Instant, shared: &Shared) -> bool {
        for _ in 0..READS_IN_A_ROW {
            let Some(transport) = &mut self.transport else { return false };
            match transport.read(self.input.room()) {
                Ok(0) => {
                    self.lost = Some((Status::ConnectionClosed, CLOSED_WITHOUT_REASON.to_owned()));
                    self.read_to_end = true;
                    return false;
                }
                Ok(count) => {
                    self.input.received(count);
                    self.take_in(now, count, shared);
                    let holds_input = self.transport.as_ref().is_some_and(|transport| transport.may_hold_input());
                    if shared.events.is_blocked() || (!holds_input && shared.events.is_over_or_filled()) {
                        return holds_input;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.lost = Some(reading_failed(&error));
                    self.read_to_end = true;
                    return false;
                }
            }
        }
        true
    }
}

/// The end of a stream that no DISCONNECT explains.
pub(super) const CLOSED_WITHOUT_REASON: &str = "the Server closed the connection without giving a reason";

pub(super) fn reading_failed(error: &io::Error) -> (Status, String) {
    let fault = Fault::of(error, "reading from the Server");
    (fault.status, fault.text)
}

impl Client {
    /// Waits until there is an event. Ends early when the client is freed. The option WAIT_MAXIMUM_MS caps the time.
    pub fn wait(&self, timeout: Duration) -> Result<bool, Failure> {
        if self.shared.events.is_empty() && !timeout.is_zero() {
            let cap = self.options.lock().milliseconds(IntOption::WaitMaximum);
            let deadline = clock::now() + timeout.min(cap);
            // A leader comes back early when its connection ends, of which the program is about to be told.
            while !self.shared.events.is_over_or_filled() && clock::now() < deadline {
                if !self.shared.lead(deadline) {
                    self.shared.events.wait_until(deadline);
                    break;
                }
            }
        }
        if !self.shared.events.is_empty() {
            return Ok(true);
        }
        self.check_alive()?;
        Ok(false)
    }
}
