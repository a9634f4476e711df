//! The Session and its transport under one lock, and how commands get to them.
//!
//! Whoever holds the lock does the work of everybody: a caller that finds it taken leaves its command in a channel and
//! goes on, and the holder carries it out, or has the background thread do so, before it is done. So no call ever waits
//! for another thread's system call, and what piles up meanwhile leaves in one write.

use super::clock;
use super::command::Command;
use super::doctor::Doctor;
use super::events::{EventQueue, NoticeKind};
use super::input::Input;
use super::leading::Leading;
use super::log::{Level, Log, lines, trace};
use super::stages::Stages;
use super::store::{Identity, Stored};
use super::thread::Stop;
use super::transport::{Fault, Transport};
use crate::session::event::Event;
use crate::session::limits::ServerLimits;
use crate::session::{Counters, Session};
use crate::types::ProtocolVersion;
use crate::types::status::Status;
use crate::types::topic::TopicFilter;
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicUsize, Ordering, fence};
use std::time::Instant;

/// Where a client stands; the numbers cross the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum State {
    Idle = 0,
    Connecting = 1,
    Connected = 2,
    Waiting = 3,
    Failed = 4,
}

/// Everything that the threads of one client share.
pub(super) struct Shared {
    pub core: Mutex<Core>,
    /// Commands of callers that found the core locked. Bounded by the limits of the outgoing queue, of requests and of
    /// the Receive Maximum.
    commands: Sender<Command>,
    waiting_commands: Receiver<Command>,
    pub events: EventQueue,
    pub log: Log,
    pub doctor: Doctor,
    /// Interrupts the background thread's wait; there once the thread is.
    pub waker: OnceLock<mio::Waker>,
    /// The background thread's poll, as others see it; there once the thread is.
    pub registry: OnceLock<mio::Registry>,
    pub leading: Leading,
    state: AtomicI32,
    /// The library is being unloaded: the thread must leave at once.
    pub unloading: AtomicBool,
    pub reading_paused: AtomicBool,
    /// Acknowledgements in `commands` that nobody was woken for.
    left: AtomicUsize,
    /// Accepted and unanswered subscribes, unsubscribes and requests.
    pub requests: AtomicUsize,
    /// Accepted and unfinished publishes, those in `commands` included.
    pub outgoing_count: AtomicUsize,
    pub outgoing_bytes: AtomicUsize,
    pub next_token: AtomicI64,
    pub stages: Stages,
    /// The store can't be written: what it can't keep is not accepted.
    pub store_failed: AtomicBool,
    /// What the client was connected with first: a store, or none.
    pub store: Mutex<Option<Option<(PathBuf, Identity)>>>,
    pub snapshot: Mutex<Snapshot>,
    changes: Mutex<()>,
    changed: Condvar,
}

/// What is known outside of the core's lock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Snapshot {
    pub counters: Counters,
    pub in_flight: usize,
    pub version: Option<ProtocolVersion>,
    pub limits: Option<ServerLimits>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub last_delay_ms: u64,
    /// Publishes that an earlier process had left in the store.
    pub restored: usize,
    /// Times that the store has written.
    pub commits: u64,
    /// Which of the URLs is tried or in use.
    pub server: usize,
}

pub(super) struct Core {
    pub session: Session,
    pub transport: Option<Box<dyn Transport>>,
    pub input: Input,
    /// What the socket is called in the background thread's poll.
    pub socket: mio::Token,
    /// The socket is in the poll of a waiting caller instead.
    pub led: bool,
    /// The leader has met the end of what the Server says, of which `lost` tells.
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
    pub lost: Option<(Status, String)>,
    /// The socket takes nothing at the moment; the poll tells when it does again.
    pub write_blocked: bool,
    /// How many bytes of the Session's output the log has told of.
    traced: usize,
    /// When the background thread looks at the timers on its own.
    pub worker_deadline: Option<Instant>,
    /// Something has happened that only the background thread can deal with.
    pub needs_worker: bool,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Publishes handed to the Session since the start, and their bytes.
    accepted: (usize, usize),
    /// By how many bytes requests have grown since they were accepted, as far as it is in the budget.
    grown: usize,
    /// How much of `accepted` has been given back to the budget.
    given_back: (usize, usize),
}

/// At most this many bytes leave in a write on a caller's thread: it bounds the time of the call.
const LARGEST_CALLER_WRITE: usize = 64 * 1024;
/// At most so many commands that others have left are carried out in one go; for the same reason.
const COMMANDS_IN_A_ROW: usize = 256;
/// After so many reads in a row others have their turn: timers, commands, the program.
pub(super) const READS_IN_A_ROW: usize = 16;
/// A caller looks this often at what others have left meanwhile. The rest is for the background thread.
const ROUNDS_OF_A_CALLER: usize = 2;
/// The background thread looks this often before it reads and looks at its timers again.
const ROUNDS_OF_THE_WORKER: usize = 16;

impl Shared {
    pub fn new(session: Session, events: EventQueue, log: Log) -> Self {
        let (commands, waiting_commands) = unbounded();
        Shared {
            core: Mutex::new(Core {
                session,
                transport: None,
                input: Input::default(),
                socket: mio::Token(0),
                led: false,
                read_to_end: false,
                read_on: false,
                watches_writing: true,
                wanted: false,
                given_up: false,
                stop: false,
                panic: false,
                lost: None,
                write_blocked: false,
                traced: 0,
                worker_deadline: None,
                needs_worker: false,
                bytes_sent: 0,
                bytes_received: 0,
                accepted: (0, 0),
                grown: 0,
                given_back: (0, 0),
            }),
            commands,
            waiting_commands,
            events,
            log,
            doctor: Doctor::default(),
            waker: OnceLock::new(),
            registry: OnceLock::new(),
            leading: Leading::default(),
            state: AtomicI32::new(State::Idle as i32),
            unloading: AtomicBool::new(false),
            reading_paused: AtomicBool::new(false),
            left: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            outgoing_count: AtomicUsize::new(0),
            outgoing_bytes: AtomicUsize::new(0),
            next_token: AtomicI64::new(1),
            stages: Stages::default(),
            store_failed: AtomicBool::new(false),
            store: Mutex::new(None),
            snapshot: Mutex::new(Snapshot::default()),
            changes: Mutex::new(()),
            changed: Condvar::new(),
        }
    }

    pub fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            1 => State::Connecting,
            2 => State::Connected,
            3 => State::Waiting,
            4 => State::Failed,
            _ => State::Idle,
        }
    }

    /// A client that has failed stays so.
    pub fn set_state(&self, state: State) {
        let keep_failed = |old| (old != State::Failed as i32).then_some(state as i32);
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, keep_failed);
        self.notify_change();
    }

    /// Changes the state if it is `from`.
    pub fn transition(&self, from: State, to: State) -> bool {
        self.state.compare_exchange(from as i32, to as i32, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn notify_change(&self) {
        // The lock orders this with a waiter between its look at the state and its wait.
        drop(self.changes.lock());
        self.changed.notify_all();
    }

    /// Waits until `condition` holds. False if that took longer than to the deadline.
    pub fn wait_until(&self, deadline: Instant, condition: impl Fn(&Shared) -> bool) -> bool {
        let mut changes = self.changes.lock();
        while !condition(self) {
            if self.changed.wait_until(&mut changes, deadline).timed_out() {
                return condition(self);
            }
        }
        true
    }

    /// The client has failed for good.
    pub fn fail(&self, what: &str) {
        self.set_state(State::Failed);
        self.note(Level::Error, || format!("a fault inside the library: {what}"));
        self.events.push(NoticeKind::Failed(format!("a fault inside the library: {what}")));
        self.wake();
    }

    /// Adds a line to the log, if its level is wanted.
    pub fn note(&self, level: Level, text: impl FnOnce() -> String) {
        if !self.log.wants(level) {
            return;
        }
        let added = self.log.add(level, &text());
        if let Some((line, text_at)) = added.event {
            self.events.push(NoticeKind::Log { level, line, text_at });
        }
        if added.wake {
            // The background thread writes the file.
            self.wake();
        }
    }

    /// Tells the program of an event, and the log.
    pub fn tell(&self, event: Event) {
        if self.log.wants(Level::Error) {
            if let Event::Connected { assigned_client_id: Some(client_id), .. } = &event {
                self.log.set_client_id(client_id);
            }
            let (level, text) = lines::describe(&event);
            self.note(level, || text);
        }
        self.events.push(NoticeKind::Session(event));
    }

    pub fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            // It fails only when the poll is gone, and with it the thread.
            let _ = waker.wake();
        }
    }

    /// Carries the command out, on this thread if the core is free.
    pub fn submit(&self, command: Command) {
        match self.core.try_lock() {
            Some(mut core) => {
                // What this thread left before comes first.
                if core.apply_waiting(self) {
                    core.apply(command);
                } else {
                    drop(self.commands.send(command));
                }
                core.work_for_caller(self);
            }
            // The receiver lives as long as `self`.
            None => drop(self.commands.send(command)),
        }
        self.work_off_commands();
    }

    /// Puts the command where the background thread finds it, together with those that come before it wakes up.
    pub fn leave(&self, command: Command) {
        drop(self.commands.send(command));
        // Sent first, counted then: who resets the count afterwards takes out what was sent.
        if self.left.fetch_add(1, Ordering::AcqRel) == 0 {
            self.wake();
        }
    }

    /// How many commands were left since the last holder of the core looked.
    pub fn left(&self) -> usize {
        self.left.load(Ordering::Acquire)
    }

    /// Carries out what callers have left while the core was taken: by this thread, or by the one that has it, which
    /// looks itself when it is done.
    pub fn work_off_commands(&self) {
        for _ in 0..ROUNDS_OF_A_CALLER {
            if !self.has_commands() {
                return;
            }
            let Some(mut core) = self.core.try_lock() else { return };
            core.work_for_caller(self);
        }
        if self.has_commands() {
            self.wake();
        }
    }

    /// Whether callers have left something. To be asked by everybody who has unlocked the core.
    pub fn has_commands(&self) -> bool {
        // Between a `send` or unlock and this look there must be no reordering: of two threads that do both, at least one
        // must see the other.
        fence(Ordering::SeqCst);
        !self.waiting_commands.is_empty()
    }
}

impl Stop for Shared {
    fn stop_for_unload(&self) {
        self.unloading.store(true, Ordering::SeqCst);
        self.wake();
        self.events.wake_leader();
    }
}

impl Core {
    /// A transport is connected: CONNECT goes out. The Server has until `deadline` to answer.
    pub fn open(&mut self, now: Instant, deadline: Instant, transport: Box<dyn Transport>, socket: mio::Token) {
        self.transport = Some(transport);
        self.input = Input::default();
        self.socket = socket;
        self.read_to_end = false;
        self.read_on = false;
        self.watches_writing = true;
        self.write_blocked = false;
        self.traced = 0;
        self.lost = None;
        self.session.handle_opened(now, deadline);
    }

    fn apply(&mut self, command: Command) {
        match command {
            Command::Connect(options) => {
                self.session.set_options(*options);
                self.wanted = true;
                self.given_up = false;
                self.needs_worker = true;
            }
            Command::LimitOutgoing { maximum, maximum_bytes, overflow } => {
                self.session.limit_outgoing(maximum, maximum_bytes, overflow);
            }
            Command::Disconnect { reason, properties } => {
                self.session.disconnect(reason, properties.as_properties());
                self.wanted = false;
                self.given_up = true;
                self.needs_worker = true;
            }
            Command::Publish { token, message, how } => {
                self.accepted.0 += 1;
                self.accepted.1 += message.size();
                self.session.publish(clock::now(), token, message, how);
            }
            Command::Request { token, message, deadline } => {
                self.accepted.0 += 1;
                self.accepted.1 += message.size();
                self.session.request(token, message, deadline, clock::now());
            }
            Command::Authenticate { step, data, properties } => {
                self.session.authenticate(step, data.as_deref(), properties.as_properties());
            }
            Command::Reauthenticate { data, properties } => {
                self.session.reauthenticate(data.as_deref(), properties.as_properties(), clock::now());
            }
            Command::Subscribe { token, filter, options, properties } => {
                if let Ok(filter) = TopicFilter::new(&filter) {
                    self.session.subscribe(token, filter, options, properties);
                }
            }
            Command::Unsubscribe { token, filter, properties } => {
                if let Ok(filter) = TopicFilter::new(&filter) {
                    self.session.unsubscribe(token, filter, properties);
                }
            }
            Command::Acknowledge { delivery, reason } => {
                self.session.acknowledge(delivery, reason);
            }
            Command::Taken { delivery } => self.session.taken(delivery),
            Command::Stop => {
                self.stop = true;
                self.needs_worker = true;
            }
            Command::Panic => {
                self.panic = true;
                self.needs_worker = true;
            }
        }
    }

    /// Carries out what callers have left. False if that was too much for one go.
    fn apply_waiting(&mut self, shared: &Shared) -> bool {
        shared.left.swap(0, Ordering::AcqRel);
        for _ in 0..COMMANDS_IN_A_ROW {
            match shared.waiting_commands.try_recv() {
                Ok(command) => self.apply(command),
                Err(_) => return true,
            }
        }
        false
    }

    /// What the holder of the lock does on a caller's thread: one write at most.
    pub fn work_for_caller(&mut self, shared: &Shared) {
        self.apply_waiting(shared);
        self.write_once(clock::now(), LARGEST_CALLER_WRITE, shared);
        self.report(shared);
        let timer_moved = match (self.session.next_timeout(), self.worker_deadline) {
            (Some(wanted), Some(planned)) => wanted < planned,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let output_left = !self.write_blocked && !self.session.output().is_empty();
        let needs_worker = std::mem::take(&mut self.needs_worker) || self.session.has_records();
        if needs_worker || output_left || timer_moved || self.lost.is_some() || self.session.wants_close() {
            shared.wake();
        }
    }

    /// What the background thread does: everything, but for commands that come in without a pause. They must not keep it
    /// from reading, so it looks again whether there are any.
    pub fn work(&mut self, now: Instant, shared: &Shared) {
        for _ in 0..ROUNDS_OF_THE_WORKER {
            self.apply_waiting(shared);
            while self.write_once(now, usize::MAX, shared) {}
            self.report(shared);
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
                self.lost = Some((Status::ConnectionClosed, "the connection takes no more bytes".to_owned()));
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
                _ => {
                    let fault = Fault::of(&error, "writing to the Server");
                    self.lost = Some((fault.status, fault.text));
                }
            },
        }
        if self.write_blocked {
            self.watch_writing(shared);
        }
        false
    }

    /// Uses the `count` bytes that came into the input last.
    pub fn take_in(&mut self, now: Instant, count: usize, shared: &Shared) {
        self.bytes_received += count as u64;
        if shared.log.wants(Level::Packets) {
            let told = |line| shared.note(Level::Packets, || format!("<- {line}"));
            trace::packets(self.input.bytes(), self.session.version(), told);
        }
        let used = self.session.handle_input(now, self.input.bytes());
        self.input.consume(used, |bytes| self.session.expected_size(bytes));
        // The program gets its message before the Server gets its answer.
        self.report(shared);
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
                    shared.requests.fetch_sub(1, Ordering::AcqRel);
                }
                Event::Subscribed { token, .. } | Event::Unsubscribed { token, .. } if *token != 0 => {
                    shared.requests.fetch_sub(1, Ordering::AcqRel);
                }
                Event::Progress { token, stage } if !shared.stages.note(*token, *stage) => continue,
                Event::Published { token, outcome } => shared.stages.end(*token, outcome),
                _ => {}
            }
            shared.tell(event);
        }
    }

    /// Takes over what the store held. `Err` says why that can't be true.
    pub fn restore(&mut self, shared: &Shared, stored: Stored) -> Result<(), &'static str> {
        let before = self.session.outstanding();
        self.session.restore(stored.records)?;
        shared.next_token.fetch_max(stored.last_token + 1, Ordering::AcqRel);
        let after = self.session.outstanding();
        let (count, bytes) = (after.0 - before.0, after.1 - before.1);
        self.accepted.0 += count;
        self.accepted.1 += bytes;
        shared.outgoing_count.fetch_add(count, Ordering::AcqRel);
        shared.outgoing_bytes.fetch_add(bytes, Ordering::AcqRel);
        shared.snapshot.lock().restored = count;
        Ok(())
    }

    /// Statistics, limits, and what of the budget of the outgoing queue is free again.
    pub fn tell_figures(&mut self, shared: &Shared) {
        {
            let mut snapshot = shared.snapshot.lock();
            snapshot.counters = self.session.counters();
            snapshot.in_flight = self.session.in_flight();
            snapshot.version = self.session.is_online().then(|| self.session.version());
            snapshot.limits = self.session.limits().copied();
            snapshot.bytes_sent = self.bytes_sent;
            snapshot.bytes_received = self.bytes_received;
        }
        let growth = self.session.requests_grown() - self.grown;
        if growth > 0 {
            self.grown += growth;
            self.accepted.1 += growth;
            shared.outgoing_bytes.fetch_add(growth, Ordering::AcqRel);
        }
        let (count, bytes) = self.session.outstanding();
        let finished = (self.accepted.0 - count, self.accepted.1 - bytes);
        if finished != self.given_back {
            let idle_before = shared.outgoing_count.load(Ordering::Acquire) == 0;
            shared.outgoing_count.fetch_sub(finished.0 - self.given_back.0, Ordering::AcqRel);
            shared.outgoing_bytes.fetch_sub(finished.1 - self.given_back.1, Ordering::AcqRel);
            self.given_back = finished;
            if !idle_before && shared.outgoing_count.load(Ordering::Acquire) == 0 {
                shared.notify_change();
            }
        }
    }
}
