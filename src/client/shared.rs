//! What the threads of one client share: the core under its lock, and how commands get to it.
//!
//! Whoever holds the lock works for everybody. A caller that finds the lock taken leaves its command in a queue and
//! goes on; the holder carries it out before it gives the lock back, or has the background thread do so. So no call
//! ever waits for another thread's system call, and what piles up meanwhile leaves in one write.
//!
//! A thread that has to read waits for the lock. Meanwhile callers leave their commands to it and don't take the lock
//! themselves: a program that publishes without a pause would otherwise take it each time it is free.

use super::accounts::Accounts;
use super::clock;
use super::command::Command;
use super::command_queue::{CommandQueue, Patient, Taken};
use super::core::Core;
use super::doctor::Doctor;
use super::events::{EventQueue, NoticeKind};
use super::leading::Leading;
use super::lock::{LeftLocked, Lock, look_until};
use super::log::{Level, Log, lines};
use super::packed::Packed;
use super::publish_limits::PublishLimits;
use super::stages::Stages;
use super::statistics::Snapshot;
use super::store::StoreChoice;
use super::thread::{Pause, Stop};
use crate::codec::buffers::Buffers;
use crate::codec::publish::Publish;
use crate::session::Session;
use crate::session::event::{Event, Token};
use crate::types::status::{Failure, Status};
use parking_lot::MutexGuard;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU32, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};
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
    pub core: Lock<Core>,
    /// Commands of callers that found the core locked. Bounded by the limits of the outgoing queue, of requests and of
    /// the Receive Maximum.
    commands: CommandQueue,
    /// Threads that wait for the core, and look at `commands` when they have had it.
    readers_waiting: AtomicUsize,
    pub events: EventQueue,
    /// Where the buffers of messages come from.
    pub buffers: Arc<Buffers>,
    pub log: Log,
    pub doctor: Doctor,
    /// Interrupts the background thread's wait; there once the thread is.
    pub waker: OnceLock<Arc<mio::Waker>>,
    /// The background thread's poll, as others see it; there once the thread is.
    pub registry: OnceLock<mio::Registry>,
    pub leading: Leading,
    /// Polls that found nothing, about.
    pub empty_polls: AtomicU32,
    state: AtomicI32,
    /// The library is being unloaded: the thread must leave at once.
    pub unloading: AtomicBool,
    /// It has failed because a thread was ended in one of its calls.
    pub left_locked: AtomicBool,
    /// The program frees the client: the background thread says farewell and ends.
    pub freed: AtomicBool,
    /// With a store: the publish of which `poll` handed out the end last; 0 if it handed out something else.
    pub hears: AtomicI64,
    pub reading_paused: AtomicBool,
    /// Messages may have come that were not to be acknowledged on arrival.
    pub acknowledged_later: AtomicBool,
    /// Acknowledgements in `commands` that nobody was woken for.
    left: AtomicUsize,
    pub accounts: Arc<Accounts>,
    pub stages: Stages,
    pub store: Lock<StoreChoice>,
    pub snapshot: Lock<Snapshot>,
    pub publish_limits: PublishLimits,
}

/// A caller looks this often at what others have left meanwhile. The rest is for the background thread.
const ROUNDS_OF_A_CALLER: usize = 2;

impl Shared {
    pub fn new(session: Session, events: EventQueue, log: Log, limits: PublishLimits, accounts: Arc<Accounts>) -> Self {
        let buffers = session.buffers().clone();
        Shared {
            buffers,
            core: Lock::new(Core::new(session)),
            commands: CommandQueue::default(),
            readers_waiting: AtomicUsize::new(0),
            events,
            log,
            doctor: Doctor::default(),
            waker: OnceLock::new(),
            registry: OnceLock::new(),
            leading: Leading::default(),
            empty_polls: AtomicU32::new(0),
            state: AtomicI32::new(State::Idle as i32),
            unloading: AtomicBool::new(false),
            left_locked: AtomicBool::new(false),
            freed: AtomicBool::new(false),
            hears: AtomicI64::new(0),
            reading_paused: AtomicBool::new(false),
            acknowledged_later: AtomicBool::new(false),
            left: AtomicUsize::new(0),
            accounts,
            stages: Stages::default(),
            store: Lock::default(),
            snapshot: Lock::new(Snapshot::default()),
            publish_limits: limits,
        }
    }

    pub fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            state if state == State::Connecting as i32 => State::Connecting,
            state if state == State::Connected as i32 => State::Connected,
            state if state == State::Waiting as i32 => State::Waiting,
            state if state == State::Failed as i32 => State::Failed,
            _ => State::Idle,
        }
    }

    /// A client that has failed stays so.
    pub fn set_state(&self, state: State) {
        let keep_failed = |old| (old != State::Failed as i32).then_some(state as i32);
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, keep_failed);
    }

    /// Changes the state if it is `from`.
    pub fn transition(&self, from: State, to: State) -> bool {
        self.state.compare_exchange(from as i32, to as i32, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Waits until `condition` holds. False if that took longer than to the deadline.
    pub fn wait_until(&self, deadline: Instant, condition: impl Fn(&Shared) -> bool) -> bool {
        look_until(deadline, Pause::short(), || condition(self).then_some(())).is_some()
    }

    /// The client has failed for good.
    pub fn fail(&self, failure: &Failure) {
        let tell = || {
            self.note(Level::Error, || failure.text.clone());
            // Who has the event finds the state; and who finds the state finds the event, or has had it.
            self.events.push_then(NoticeKind::Failed(failure.text.clone()), || self.set_state(State::Failed));
        };
        let told = failure.status != Status::LeftLocked && catch_unwind(AssertUnwindSafe(tell)).is_ok();
        if !told {
            self.left_locked.store(true, Ordering::Release);
            self.set_state(State::Failed);
        }
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

    /// The log's file can't be written. That is an event whatever LOG_EVENTS and LOG_LEVEL say: nothing else would show it.
    pub fn log_not_written(&self, why: &str) {
        let (line, text_at) = self.log.line(Level::Warning, why);
        self.events.push(NoticeKind::Log { level: Level::Warning, line, text_at });
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
        match self.try_core() {
            Some(mut core) => {
                // What this thread left before comes first.
                let are_all = core.apply_waiting(self);
                let now = clock::now();
                if are_all {
                    core.apply(now, command);
                } else {
                    self.commands.push(command);
                }
                core.work_for_caller(now, self);
            }
            None => self.commands.push(command),
        }
        self.work_off_commands();
    }

    /// Leaves a QoS 0 publish that nothing ends but that it is sent, if it can only wait for the socket, or for who has the core:
    /// a program that is faster than the line doesn't take the core for each. False if it has to be submitted.
    pub fn leave_patient(&self, token: Token, publish: &Publish<'_>) -> bool {
        if !self.commands.may_wait() {
            return false;
        }
        let becomes = self.commands.push_patient(token, publish);
        if becomes == Patient::WaitsForLong {
            // If the thread that had the core was ended, the background thread finds out.
            self.wake();
        }
        becomes != Patient::Refused
    }

    /// Takes a buffer back whose publishes were handed on.
    pub fn give_back(&self, packed: Packed) {
        self.commands.give_back(packed);
    }

    /// Whether what only waits for the socket may be left until the background thread comes by itself.
    pub fn let_wait(&self, may_wait: bool) {
        self.commands.let_wait(may_wait);
    }

    /// The core for a caller, if nobody has it or waits for it.
    pub fn try_core(&self) -> Option<MutexGuard<'_, Core>> {
        if self.readers_waiting.load(Ordering::Acquire) > 0 { None } else { self.core.try_lock() }
    }

    /// The core for a thread that reads, and asks `has_commands` when it has unlocked it.
    pub fn core_for_reader(&self) -> MutexGuard<'_, Core> {
        self.readers_waiting.fetch_add(1, Ordering::AcqRel);
        let core = self.core.lock();
        self.readers_waiting.fetch_sub(1, Ordering::AcqRel);
        core
    }

    /// Leaves the command for the next look at what was left, which must follow (`work_off_commands`).
    pub fn gather(&self, command: Command) {
        self.commands.push(command);
    }

    /// Puts the command where the background thread finds it, together with those that come before it wakes up.
    pub fn leave(&self, command: Command) {
        self.commands.push(command);
        self.count_left();
    }

    /// As `leave`, unless the queue is locked until the deadline: by a thread that was ended.
    pub fn leave_until(&self, command: Command, deadline: Instant) -> bool {
        let left = self.commands.push_until(command, deadline);
        if left {
            self.count_left();
        }
        left
    }

    fn count_left(&self) {
        // Left first, counted then: who resets the count afterwards takes out what was left.
        if self.left.fetch_add(1, Ordering::AcqRel) == 0 {
            self.wake();
        }
    }

    /// Locks the queue of commands for good.
    pub fn leave_commands_locked(&self) {
        self.commands.leave_locked();
    }

    /// How many commands were left since the last holder of the core looked.
    pub fn left(&self) -> usize {
        self.left.load(Ordering::Acquire)
    }

    /// Whoever looks at the commands now takes out what was counted.
    pub fn forget_left(&self) {
        if self.left() > 0 {
            self.left.swap(0, Ordering::AcqRel);
        }
    }

    /// How many commands callers have left.
    pub fn commands(&self) -> usize {
        self.commands.len()
    }

    /// The first commands that callers have left, at most `most`; with `leaves_patient` none if none is urgent.
    pub fn take_commands(&self, most: usize, leaves_patient: bool, taken: &mut VecDeque<Command>) -> Taken {
        self.commands.take(most, leaves_patient, taken)
    }

    /// Puts patient commands back that were taken last.
    pub fn put_back(&self, taken: &mut VecDeque<Command>) {
        self.commands.put_back(taken);
    }

    /// The next command that a caller has left. `Err` if the queue was locked until the deadline: by a thread that was ended.
    pub fn next_command_until(&self, deadline: Instant) -> Result<Option<Command>, LeftLocked> {
        self.commands.pop_until(deadline)
    }

    /// Whether neither the events nor the commands are locked until the deadline.
    pub fn can_be_reached(&self, deadline: Instant) -> bool {
        self.events.is_free_until(deadline) && self.commands.is_free_until(deadline)
    }

    /// From now on callers leave everything: it is for somebody else to take it out, whom the waker wakes.
    pub fn leave_all_to_another(&self) {
        self.readers_waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// Carries out what callers have left while the core was taken: by this thread, or by the one that has it, which
    /// looks itself when it is done.
    pub fn work_off_commands(&self) {
        for _ in 0..ROUNDS_OF_A_CALLER {
            if !self.has_commands() {
                return;
            }
            let Some(mut core) = self.try_core() else {
                // A host may have ended the thread that waited: then the background thread has to look, once for all that
                // is left until it does.
                if self.readers_waiting.load(Ordering::Acquire) > 0 && self.left.fetch_add(1, Ordering::AcqRel) == 0 {
                    self.wake();
                }
                // Or the one that had the core, which then is left locked: the background thread finds out.
                if self.commands.are_stuck() {
                    self.wake();
                }
                return;
            };
            core.work_for_caller(clock::now(), self);
        }
        if self.has_commands() {
            self.wake();
        }
    }

    /// Whether callers have left something. To be asked by everybody who has unlocked the core.
    pub fn has_commands(&self) -> bool {
        // Between leaving a command or unlocking and this look there must be no reordering: of two threads that do both, at
        // least one must see the other.
        fence(Ordering::SeqCst);
        !self.commands.is_empty()
    }
}

impl Stop for Shared {
    fn stop_for_unload(&self) {
        self.unloading.store(true, Ordering::SeqCst);
        self.wake();
        self.events.wake_leader();
    }
}
