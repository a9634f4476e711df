//! A client: one Session, one background thread, one Network Connection at a time, one queue of events.
//!
//! No call waits for the network, except `wait`, `disconnect` and `free`, which have bounds. Absent on purpose: the C ABI
//! (`ffi`) and the protocol (`session`).
//!
//! - A program's calls: `starting`, `publishing`, `receiving`, `subscribing`, `request_response`, `authentication`, `stages`,
//!   `statistics`, `doctor`. What they are checked against is in `options` and `publish_limits`; what they count, in `accounts`.
//! - Between the threads: `shared`, and the `core` under its lock, with its `connection`; each `command` and the `command_queue`;
//!   the queue of `events` and the `notice`s in it; the `log`.
//! - Who reads and writes: the background thread (`worker`, `storing`), a caller that waits (`leading`) or polls (`polling`);
//!   when they rest or gather is in `pace` and `burst`, what came in lies in `input`.
//! - To the Server: `address`, `proxy`, `redirect`, `backoff`, `tls_options`, `ws_headers`, `transport`, `first_bytes`.
//! - A `store` for the Session, and `sharing` of one connection by several programs.
//! - Below all of that: `clock`, `thread`, `lock`, `slots`, `seed`.

mod accounts;
mod address;
mod authentication;
mod backoff;
mod burst;
pub mod clock;
mod command;
mod command_queue;
mod connection;
mod core;
mod doctor;
pub mod events;
mod first_bytes;
mod input;
mod leading;
pub mod lock;
pub mod log;
mod notice;
pub mod options;
mod pace;
mod packed;
mod polling;
mod proxy;
mod publish_limits;
mod publishing;
mod receiving;
mod redirect;
pub mod request_response;
mod seed;
mod shared;
mod sharing;
pub mod slots;
mod stages;
mod starting;
mod statistics;
pub mod store;
mod storing;
mod subscribing;
pub mod thread;
mod tls_options;
mod transport;
mod worker;
mod ws_headers;

pub use publishing::Outgoing;
pub use receiving::Polled;
pub use shared::State;
pub use statistics::Statistics;

use crate::codec::property::{Properties, PropertyId, Section};
use crate::session::Session;
use crate::session::event::{Delivery, Stage, Token};
use crate::types::PacketType;
use crate::types::reason::ReasonCode;
use crate::types::status::{Failure, Status};
use accounts::Accounts;
use command::Command;
use events::{EventLimits, EventQueue, Notice};
use lock::Lock;
use log::Log;
use options::{IntOption, Options};
use publish_limits::PublishLimits;
use shared::Shared;
use sharing::Place;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::StoreChoice;
use thread::ThreadTicket;
use worker::Worker;

/// The longest that `free` waits for the background thread.
pub const LONGEST_FREE: Duration = Duration::from_secs(1);
/// The longest that `disconnect` waits: the terminal ends a program whose OnDeinit takes 2.5 s.
pub const LONGEST_DISCONNECT: Duration = Duration::from_secs(2);

/// What a caller's thread may hold when it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    Session,
    Options,
    Figures,
    Events,
    Commands,
    Current,
    Unacknowledged,
    Thread,
    Log,
    Stages,
    Seat,
}

impl Locked {
    pub const ALL: [Locked; 11] = [
        Locked::Session,
        Locked::Options,
        Locked::Figures,
        Locked::Events,
        Locked::Commands,
        Locked::Current,
        Locked::Unacknowledged,
        Locked::Thread,
        Locked::Log,
        Locked::Stages,
        Locked::Seat,
    ];
}

pub struct Client {
    shared: Arc<Shared>,
    options: Arc<Lock<Options>>,
    thread: Lock<Option<ThreadTicket>>,
    /// What the thread runs, until it does.
    worker: Arc<Lock<Option<Worker>>>,
    /// There if the client is a program's part of a shared connection.
    place: Option<Place>,
    /// What `poll` handed out last.
    current: Lock<Option<Notice>>,
    /// With explicit acknowledgement: what was handed out and waits for it.
    unacknowledged: Lock<HashSet<Delivery>>,
}

impl Client {
    pub fn new() -> Client {
        Client::with_options(Options::default())
    }

    /// `options` are such as can be used together: the defaults, or those of a client that could connect.
    fn with_options(options: Options) -> Client {
        Client::with_accounts(options, Arc::default(), None)
    }

    fn with_accounts(options: Options, accounts: Arc<Accounts>, place: Option<Place>) -> Client {
        let session = match options.session_options() {
            Ok(session_options) => Session::new(session_options),
            Err(failure) => panic!("the options are not valid: {failure}"),
        };
        let (events, log) = (EventQueue::new(event_limits(&options)), Log::new(options.log()));
        let limits = PublishLimits::new(&options);
        Client {
            shared: Arc::new(Shared::new(session, events, log, limits, accounts)),
            options: Arc::new(Lock::new(options)),
            thread: Lock::new(None),
            worker: Arc::default(),
            place,
            current: Lock::new(None),
            unacknowledged: Lock::new(HashSet::new()),
        }
    }

    /// Changes options: all of them while the client is idle, otherwise those that are marked live.
    pub fn set_option(&self, set: impl FnOnce(&mut Options, bool) -> Result<(), Failure>) -> Result<(), Failure> {
        self.check_alive()?;
        let limit_outgoing = {
            let mut options = self.options.lock();
            let is_idle = self.state() == State::Idle;
            match &self.place {
                Some(_) if !is_idle => sharing::set_own_option(&mut options, set)?,
                _ => set(&mut options, is_idle)?,
            }
            self.shared.events.set_limits(event_limits(&options));
            self.shared.publish_limits.set_options(&options);
            self.shared.stages.set_level(options.int(IntOption::Progress));
            if options.store_path.is_some() {
                // Tokens of an earlier process may be in the store: ours are higher.
                self.shared.accounts.next_token.fetch_max(clock::unix_us(), Ordering::AcqRel);
            }
            self.shared.log.set(options.log());
            Command::LimitOutgoing {
                maximum: options.int(IntOption::OutgoingMaximum) as usize,
                maximum_bytes: options.int(IntOption::OutgoingMaximumBytes) as usize,
                overflow: options.outgoing_overflow(),
            }
        };
        self.room_was_made();
        self.shared.submit(limit_outgoing);
        Ok(())
    }

    fn has_store(&self) -> bool {
        matches!(*self.shared.store.lock(), StoreChoice::In { .. })
    }

    /// How far a QoS 1 or 2 publish is. The ends of the last 65,536 are remembered.
    pub fn stage(&self, token: Token) -> Result<Stage, Failure> {
        self.check_alive()?;
        if !self.shared.stages.are_kept() {
            return Err(Status::WrongState.because("set option PROGRESS first"));
        }
        let unknown = || Status::UnknownToken.because(format!("no QoS 1 or 2 publish with the token {token} is known"));
        self.shared.stages.get(token).ok_or_else(unknown)
    }

    /// Ends the connection. Within `timeout` (at most [`LONGEST_DISCONNECT`]) it lets what was published go out and be
    /// answered first, and waits until the connection is closed; with 0 it does neither. Fails with a timeout when the
    /// connection isn't closed by then; it will be.
    pub fn disconnect(&self, reason: ReasonCode, properties: Properties<'_>, timeout: Duration) -> Result<(), Failure> {
        self.check_alive()?;
        if !reason.client_sends_in(PacketType::Disconnect) {
            return Err(
                Status::OutOfRange.because(format!("Reason Code {reason} can't stand in a client's DISCONNECT"))
            );
        }
        let section = Section::Packet(PacketType::Disconnect);
        let refuse = |text: String| Err(Status::InvalidArgument.because(text));
        if let Err(error) = properties.check_for(section) {
            return refuse(error.to_string());
        }
        if properties.nth(PropertyId::ServerReference, 0).is_some() {
            // Section 3.14.2.2.5
            return refuse("only a Server may put a Server Reference into DISCONNECT".to_owned());
        }
        let timeout = timeout.min(LONGEST_DISCONNECT);
        let deadline = clock::now() + timeout;
        let late = || Status::Timeout.because("the connection isn't closed yet; it will be");
        if properties.int(PropertyId::SessionExpiryInterval).is_some_and(|interval| interval > 0)
            && self
                .options
                .try_lock_until(clock::now() + LONGEST_DISCONNECT)
                .ok_or_else(late)?
                .int(IntOption::SessionExpiry)
                == 0
        {
            // Section 3.14.2.2.2
            return refuse("DISCONNECT can't prolong a Session that was to end with its connection".to_owned());
        }
        if self.state() == State::Idle {
            return Ok(());
        }
        // Of the locks that carrying this out takes, a thread that was ended might hold one: it is left to the background thread.
        let bound = clock::now() + LONGEST_DISCONNECT;
        let heard = self.shared.hears.swap(0, Ordering::AcqRel);
        if heard != 0 && !self.shared.leave_until(Command::Heard { token: heard }, bound) {
            return Err(late());
        }
        if !timeout.is_zero() && self.state() == State::Connected {
            self.shared.wait_until(clock::now() + timeout / 2, |shared| {
                shared.accounts.outgoing.get().count == 0 || shared.state() != State::Connected
            });
        }
        if !self.shared.leave_until(Command::Disconnect { reason, properties: properties.into() }, bound) {
            return Err(late());
        }
        if timeout.is_zero() {
            return Ok(());
        }
        let is_closed = self.shared.wait_until(deadline, |shared| shared.state() == State::Idle)
            // Whoever made it idle lets go of the core when the event of it is in the queue.
            && self.shared.core.try_lock_until(bound).is_some();
        if self.shared.has_commands() {
            // Others may have found it taken meanwhile.
            self.shared.wake();
        }
        if is_closed { Ok(()) } else { Err(late()) }
    }

    /// Ends the client: sends DISCONNECT if there is a connection, wakes a waiting caller, and waits for the background
    /// thread, at most [`LONGEST_FREE`]; a thread that a name resolution keeps longer ends by itself. False if a thread was
    /// ended in a call of this client and left it locked: then what the client holds stays.
    ///
    /// The farewell is the background thread's: on this one nothing is done that might wait for a lock without a bound.
    pub fn free(&self) -> bool {
        let deadline = clock::now() + LONGEST_FREE;
        self.stop_doctor();
        if self.place.is_some() {
            self.has_dealt_with_all(deadline);
        }
        self.shared.freed.store(true, Ordering::SeqCst);
        self.shared.wake();
        let closed = self.shared.events.close(deadline);
        if let Some(place) = &self.place {
            return self.leave(place, deadline) && closed && !self.shared.left_locked.load(Ordering::Acquire);
        }
        let Some(mut thread) = self.thread.try_lock_until(deadline) else { return false };
        let ended = thread.take().is_none_or(|thread| thread.end(deadline));
        // Nobody who lives keeps the core for so long.
        let free = closed && (ended || self.shared.core.try_lock().is_some());
        free && !self.shared.left_locked.load(Ordering::Acquire)
    }

    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// The URL that is tried or in use, without its query.
    pub fn server(&self) -> Result<String, Failure> {
        self.check_alive()?;
        let index = self.shared.snapshot.lock().server;
        let address = self.options.lock().addresses.get(index).map(ToString::to_string);
        let idle = || Status::NotConnected.because("the client is idle: no Server is tried");
        address.filter(|_| self.state() != State::Idle).ok_or_else(idle)
    }

    /// Marks the client as failed for good, after a panic in one of its calls.
    pub fn fail(&self, failure: &Failure) {
        self.shared.fail(failure);
    }

    /// Makes the background thread panic: for tests of the failure handling.
    pub fn panic_in_background(&self) {
        self.shared.submit(Command::Panic);
    }

    /// Locks what callers lock, for good: for tests of what a thread leaves that is ended in the middle of a call.
    pub fn leave_locked(&self, what: Locked) {
        match what {
            Locked::Session => self.shared.core.leave_locked(),
            Locked::Options => self.options.leave_locked(),
            Locked::Figures => self.shared.snapshot.leave_locked(),
            Locked::Current => self.current.leave_locked(),
            Locked::Unacknowledged => self.unacknowledged.leave_locked(),
            Locked::Thread => self.thread.leave_locked(),
            Locked::Log => self.shared.log.leave_locked(),
            Locked::Stages => self.shared.stages.leave_locked(),
            Locked::Seat => self.shared.leading.leave_locked(),
            Locked::Events => self.shared.events.leave_locked(),
            Locked::Commands => self.shared.leave_commands_locked(),
        }
    }

    fn check_alive(&self) -> Result<(), Failure> {
        if self.state() != State::Failed {
            return Ok(());
        }
        let left_locked = self.shared.left_locked.load(Ordering::Acquire);
        let status = if left_locked { Status::LeftLocked } else { Status::Panic };
        Err(status.into())
    }
}

impl Default for Client {
    fn default() -> Self {
        Client::new()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.place.is_some() {
            self.shared.freed.store(true, Ordering::SeqCst);
            self.shared.wake();
        }
        // `free` has taken the thread already, unless the client is dropped as a Rust value.
        if let Some(thread) = self.thread.get_mut().take() {
            self.shared.freed.store(true, Ordering::SeqCst);
            self.shared.wake();
            thread.end(clock::now());
        }
    }
}

fn event_limits(options: &Options) -> EventLimits {
    EventLimits {
        count: options.int(IntOption::EventsMaximum) as usize,
        bytes: options.int(IntOption::EventsMaximumBytes) as usize,
        drop_newest: options.flag(IntOption::EventsOverflow),
        successes: options.flag(IntOption::PublishEvents),
    }
}
