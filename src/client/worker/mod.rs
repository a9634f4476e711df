//! The background thread of a client: connects, reads, keeps alive, reconnects. It sleeps in the operating system's
//! readiness call until there are bytes, a command, or a deadline that has come.

mod connecting;
#[cfg(test)]
mod connecting_tests;
mod ending;
#[cfg(test)]
mod ending_tests;
#[cfg(test)]
mod late_tests;
#[cfg(test)]
mod polling_tests;
mod reading;
#[cfg(test)]
mod storing_tests;

use super::backoff::Backoff;
use super::clock;
use super::core::{Core, Wish};
use super::options::Options;
use super::redirect::Redirect;
use super::shared::{Shared, State};
use super::store::Keeper;
use super::thread::{Hold, rest};
use super::transport::connector::Connector;
use super::transport::resolver::Resolver;
use super::transport::tls_setup::TlsSetup;
use crate::types::status::{Failure, Status};
use mio::{Events, Poll, Registry, Token, Waker};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const WAKE: Token = Token(0);
const FIRST_SOCKET: Token = Token(1);

/// How long a closed connection may take to deliver its last packet: the Server answers DISCONNECT by closing its side.
const LINGER: Duration = Duration::from_millis(500);
/// How long it waits before it tries again to hold the library while the system loads or unloads another one.
const LOADER_IS_BUSY: Duration = Duration::from_millis(2);

enum Phase {
    Idle,
    Connecting {
        connector: Box<Connector>,
        deadline: Instant,
    },
    Online {
        socket: Token,
    },
    /// DISCONNECT is written; the Server has until `deadline` to see it and close.
    Lingering {
        socket: Token,
        deadline: Instant,
        finished: bool,
    },
    Waiting {
        until: Instant,
    },
}

/// What comes of a phase's turn.
enum Turn {
    /// There is more to do.
    Again,
    /// The first attempt of a connect is made.
    Begin,
    /// The next attempt is made.
    Connect,
    /// There is nothing more to do, perhaps until then.
    Over(Option<Instant>),
    /// The thread ends.
    End,
}

/// The thread has nothing to do, perhaps until then.
struct Sleep {
    until: Option<Instant>,
}

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) options: Options,
    poll: Poll,
    ready: Events,
    phase: Phase,
    backoff: Backoff,
    next_socket: Token,
    readable: bool,
    resolver: Resolver,
    /// Made when the first URL with TLS is tried, and anew after it had a part in a failure, or if it has revocation lists: files
    /// may have been renewed.
    tls: Option<TlsSetup>,
    /// Which of the URLs is tried or in use.
    server: usize,
    /// Where a Server has sent us instead.
    redirect: Redirect,
    /// One of the Servers that failed in this round gave a Reason Code that somebody has to look at.
    attention: bool,
    pub(super) keeper: Keeper,
    /// Taken while a connection is being made, which loads libraries of the system; not while a Server is waited for that may never
    /// answer: of many clients there would always be one that has it, and a host could never unload the library.
    hold: Option<Hold>,
    /// How long it rests before it waits for the Server (`pace`).
    rest: Duration,
}

impl Worker {
    /// Makes the poll and what wakes it, so that a failure to do so is seen by the caller of connect.
    pub fn new(shared: Arc<Shared>, options: Options) -> io::Result<(Self, Waker, Registry)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
        let woken = shared.clone();
        let worker = Worker {
            shared,
            options,
            poll,
            ready: Events::with_capacity(64),
            phase: Phase::Idle,
            backoff,
            next_socket: FIRST_SOCKET,
            readable: false,
            resolver: Resolver::new(move || woken.wake()),
            tls: None,
            server: 0,
            redirect: Redirect::default(),
            attention: false,
            keeper: Keeper::default(),
            hold: None,
            rest: Duration::ZERO,
        };
        Ok((worker, waker, registry))
    }

    /// Does on the thread of a caller what doesn't block there: up to CONNECT, for a Server in plain TCP that is named by
    /// its address.
    pub fn begin(&mut self, options: &Options) {
        if !options.connect_at_once() {
            return;
        }
        // The second step finds a connection if the Server is on this machine.
        for _ in 0..2 {
            self.step(&|| options.clone());
        }
    }

    /// Undoes what was begun.
    pub fn take_back(&mut self) {
        let shared = self.shared.clone();
        let mut core = shared.core_for_reader();
        core.wish = Wish::Nothing;
        match self.phase {
            Phase::Idle => {}
            Phase::Connecting { .. } | Phase::Waiting { .. } => self.give_up(&mut core),
            Phase::Online { .. } | Phase::Lingering { .. } => {
                self.end_connection(Status::Thread, "there is no background thread", &mut core);
            }
        }
    }

    pub fn run(mut self, starting: Hold, current_options: impl Fn() -> Options) {
        self.hold = Some(starting);
        loop {
            let next = self.step(&current_options);
            if let Some(why) = self.shared.log.write() {
                self.shared.log_not_written(&why);
            }
            let Some(Sleep { until }) = next else { return };
            // Commands that came in while the core was locked by this thread don't wake it.
            let deadline = if self.shared.has_commands() { Some(clock::now()) } else { until };
            if !self.wait(deadline) {
                return;
            }
        }
    }

    /// Sleeps until something is ready. False if the thread has to leave.
    fn wait(&mut self, deadline: Option<Instant>) -> bool {
        if deadline.is_none_or(|deadline| deadline > clock::now()) {
            rest(self.rest);
        }
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(clock::now()));
        match self.poll.poll(&mut self.ready, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => panic!("waiting for the network failed: {error}"),
        }
        if self.shared.unloading.load(Ordering::Acquire) {
            return false;
        }
        let socket = match self.phase {
            Phase::Online { socket } | Phase::Lingering { socket, .. } => Some(socket),
            _ => None,
        };
        let mut writable = false;
        for event in self.ready.iter().filter(|event| Some(event.token()) == socket) {
            self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
            writable |= event.is_writable() || event.is_error();
        }
        if writable {
            self.shared.core_for_reader().connection.write_blocked = false;
        }
        true
    }

    /// Does all there is to do now. `None` ends the thread.
    fn step(&mut self, current_options: &impl Fn() -> Options) -> Option<Sleep> {
        let shared = self.shared.clone();
        let mut has_stored = false;
        loop {
            let mut core = shared.core_for_reader();
            let now = clock::now();
            if core.connection.transport.is_none() {
                // Requests run out of time without a connection too. With one, its timers come after the reading.
                core.session.handle_timeout(now);
            }
            core.work(now, &shared);
            if shared.freed.load(Ordering::Acquire) && !core.stop {
                self.say_farewell(now, &mut core);
                core.work(now, &shared);
            }
            core.needs_worker = false;
            // A program that publishes without a pause has something to store each time: reading has its turn in between.
            let reads_first = std::mem::take(&mut has_stored) && core.connection.transport.is_some();
            if !reads_first && self.has_to_store(now, &core) {
                let batch = core.session.poll_records();
                core.storing = true;
                self.shared.let_wait(core.waits_for_socket());
                drop(core);
                self.store(batch);
                has_stored = true;
                continue;
            }
            assert!(!core.panic, "asked to panic by the test hook");
            if shared.state() == State::Failed {
                self.drop_connection(&mut core);
                return None;
            }
            let next = match self.turn(now, &mut core) {
                Turn::Again => continue,
                Turn::Begin => {
                    self.begin_anew(current_options());
                    drop(core);
                    self.start_connecting();
                    continue;
                }
                Turn::Connect => {
                    drop(core);
                    self.start_connecting();
                    continue;
                }
                Turn::Over(next) => next,
                Turn::End => return None,
            };
            // A command that came in during this step may ask for another one.
            if core.needs_worker {
                continue;
            }
            let sleep = self.plan_sleep(now, next, &mut core);
            drop(core);
            if !matches!(&self.phase, Phase::Connecting { connector, .. } if !connector.only_waits()) {
                self.hold = None;
            }
            return Some(sleep);
        }
    }

    /// Keeps the library loaded from now on. False if that can't be had at this moment.
    fn takes_hold(&mut self) -> bool {
        self.hold = self.hold.take().or_else(Hold::in_background);
        self.hold.is_some()
    }

    /// When to wake up at the latest: for the phase, a timer, the store, or a leader that is away.
    fn plan_sleep(&mut self, now: Instant, phase: Option<Instant>, core: &mut Core) -> Sleep {
        // What there is to be stored asks for another step, but the poll comes first.
        let store = self.has_to_store(now, core).then_some(now).or(self.keeper.next_retry());
        let timers = [phase, core.session.next_timeout(), store, core.look_after_leader(now, &self.shared)];
        let until = timers.into_iter().flatten().min();
        core.worker_deadline = until;
        self.shared.let_wait(core.waits_for_socket());
        self.rest = if core.connection.is_led() { Duration::ZERO } else { core.rest() };
        Sleep { until }
    }

    /// What the phase asks for.
    fn turn(&mut self, now: Instant, core: &mut Core) -> Turn {
        let wanted = core.wants_connection();
        let connects = match self.phase {
            Phase::Idle | Phase::Connecting { .. } => wanted,
            Phase::Waiting { until } => wanted && now >= until,
            Phase::Online { .. } | Phase::Lingering { .. } => false,
        };
        if connects && !self.takes_hold() {
            // If it is this library that is unloaded, this thread is told to leave.
            return Turn::Over(Some(now + LOADER_IS_BUSY));
        }
        match &self.phase {
            Phase::Idle if core.stop => Turn::End,
            Phase::Idle if wanted => Turn::Begin,
            Phase::Idle if core.wish == Wish::Disconnected => {
                self.give_up(core);
                Turn::Again
            }
            Phase::Idle => Turn::Over(None),
            Phase::Waiting { .. } | Phase::Connecting { .. } if !wanted => {
                self.give_up(core);
                Turn::Again
            }
            Phase::Waiting { until } if now >= *until => Turn::Connect,
            Phase::Waiting { until } => Turn::Over(Some(*until)),
            Phase::Connecting { .. } => self.go_on_connecting(now, core),
            Phase::Online { .. } | Phase::Lingering { .. } => self.go_on_online(now, core),
        }
    }

    /// Reads, looks at the timers, closes.
    fn go_on_online(&mut self, now: Instant, core: &mut Core) -> Turn {
        // What the Server said last is still to be read, though the poll may not have told of it yet.
        let known_as_lost = core.connection.lost.is_some();
        // Before the Server is held to be silent, too: this thread may have been kept from its poll for long, or doesn't have the
        // socket there. If reading is paused, it is known that there is something.
        let is_judged = core.session.next_timeout().is_some_and(|due| due <= now) && !self.shared.events.is_blocked();
        self.readable |= known_as_lost || is_judged || std::mem::take(&mut core.connection.read_on);
        self.readable &= !core.connection.read_to_end;
        if core.connection.is_led() && (core.stop || core.is_ending()) {
            core.give_reading_back(&self.shared);
            self.shared.events.wake_leader();
        }
        let bytes_before = core.bytes_received;
        let mut more = self.read(now, core);
        if is_judged && core.connection.is_led() && core.bytes_received > bytes_before {
            // It would have been read at once: the thread that has the socket may have been ended.
            core.give_reading_back(&self.shared);
            self.shared.events.wake_leader();
        }
        core.session.handle_timeout(now);
        core.work(now, &self.shared);
        let paused = self.shared.reading_paused.load(Ordering::Acquire);
        if core.connection.lost.is_some() && ((!known_as_lost && !core.connection.read_to_end) || (more && !paused)) {
            // This write found it out, after the reading; or there is more to be read.
            return Turn::Again;
        }
        if let Some(Failure { status, text }) = core.connection.lost.take() {
            self.end_connection(status, &text, core);
            return Turn::Again;
        }
        if let Phase::Lingering { deadline, finished, .. } = &mut self.phase {
            let deadline = *deadline;
            if !*finished && core.session.output().is_empty() {
                *finished = core.finish_writing();
            }
            if now >= deadline {
                self.end_connection(Status::ConnectionClosed, "", core);
                return Turn::Again;
            }
            return Turn::Over(Some(if more { now } else { deadline }));
        }
        if core.session.wants_close() {
            // Closing at once could throw away what the Server hasn't read yet, DISCONNECT included, and it would publish
            // the Will Message: the writing side ends first, and the Server gets time to close its own.
            let Phase::Online { socket } = self.phase else { return Turn::Again };
            self.phase = Phase::Lingering { socket, deadline: now + LINGER, finished: false };
            return Turn::Again;
        }
        // Reading goes on where it was paused: the poll won't tell again about bytes that are there already.
        more &= !paused;
        Turn::Over(if more { Some(now) } else { core.session.next_timeout() })
    }
}
