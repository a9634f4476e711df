//! A shared connection: several programs of a process on one client, found by its name, each with an inbox of its own.
//!
//! A program's part is an ordinary [`Client`] that never connects by itself. Its queue of events is the inbox, its queue of
//! commands the outbox; a thread of the connection, the [`switchboard`], empties the one and fills the other, and alone
//! speaks with the client that has the connection. So no program's thread ever holds a lock that another program needs: one
//! that is ended in the middle of a call leaves its own inbox locked and nothing else. The switchboard waits for the lock of
//! an inbox with a bound. The table of names is no lock at all.

mod admission;
mod filters;
mod former;
mod held;
mod inheritance;
mod members;
mod owed;
mod recipients;
mod routing;
mod switchboard;

use super::accounts::Accounts;
use super::command::Command;
use super::lock::{Lock, look_until};
use super::options::Options;
use super::shared::Shared;
use super::slots::Slots;
use super::starting::NOT_IDLE;
use super::thread::{self, Pause, ThreadTicket};
use super::{Client, State, clock};
use crate::codec::property::PropertiesBuf;
use crate::session::Amount;
use crate::types::reason::ReasonCode;
use crate::types::status::{Failure, Status};
use arc_swap::ArcSwapOption;
use mio::{Poll, Waker};
use parking_lot::MutexGuard;
use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use switchboard::Switchboard;

/// The longest that `connect` waits for the switchboard, which may have to find out that a program's lock is left.
const LONGEST_JOIN: Duration = Duration::from_secs(2);
/// For a lock of an inbox that isn't given back in this time nobody waits any more, until it is.
const LONGEST_LOCK: Duration = Duration::from_secs(1);
/// The longest name of a connection or of an inbox, in bytes.
const LONGEST_NAME: usize = 255;

/// What a program's thread and the switchboard have in common.
pub(super) struct Desk {
    accounts: Arc<Accounts>,
    /// Programs that want to be connected, and haven't been let in yet.
    arrivals: Slots<Arc<Arrival>>,
    waker: OnceLock<Arc<Waker>>,
    /// Every program's handle is gone.
    closed: AtomicBool,
    unloading: AtomicBool,
    /// The switchboard has panicked.
    failed: AtomicBool,
}

/// A shared connection as the handles of its programs hold it.
pub(super) struct SharedConnection {
    name: String,
    /// In which it has its thread: one that fork made has none.
    process: u32,
    desk: Arc<Desk>,
    thread: Lock<Option<ThreadTicket>>,
}

/// A program's place on a shared connection.
pub(super) struct Place {
    /// `None` after `free`.
    connection: ArcSwapOption<SharedConnection>,
    inbox: String,
}

/// A program that connects.
struct Arrival {
    connection: String,
    program: Arc<Shared>,
    inbox: String,
    options: Options,
    answer: Lock<Option<Result<(), Failure>>>,
    /// The program waits no longer.
    withdrawn: AtomicBool,
}

type Names = Vec<Weak<SharedConnection>>;

/// All shared connections. It is replaced as a whole.
static NAMES: ArcSwapOption<Names> = ArcSwapOption::const_empty();

impl Desk {
    pub fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            // It fails only when the poll is gone, and with it the thread.
            let _ = waker.wake();
        }
    }
}

impl thread::Stop for Desk {
    fn stop_for_unload(&self) {
        self.unloading.store(true, Ordering::SeqCst);
        self.wake();
    }
}

impl SharedConnection {
    /// The connection of this name, which is made if there is none.
    fn find_or_make(name: &str) -> Arc<SharedConnection> {
        let process = process::id();
        loop {
            let known = NAMES.load_full();
            let mut alive: Vec<Arc<SharedConnection>> =
                known.iter().flat_map(|names| names.iter()).filter_map(Weak::upgrade).collect();
            if let Some(connection) =
                alive.iter().find(|connection| connection.name == name && connection.process == process)
            {
                return connection.clone();
            }
            let connection = Arc::new(SharedConnection::new(name));
            alive.push(connection.clone());
            let names = Arc::new(alive.iter().map(Arc::downgrade).collect::<Names>());
            let before = NAMES.compare_and_swap(&known, Some(names));
            if before.as_ref().map(Arc::as_ptr) == known.as_ref().map(Arc::as_ptr) {
                return connection;
            }
        }
    }

    fn new(name: &str) -> SharedConnection {
        let desk = Desk {
            accounts: Arc::default(),
            arrivals: Slots::new(),
            waker: OnceLock::new(),
            closed: AtomicBool::new(false),
            unloading: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        };
        SharedConnection {
            name: name.to_owned(),
            process: process::id(),
            desk: Arc::new(desk),
            thread: Lock::new(None),
        }
    }

    /// Starts the switchboard, unless it runs already.
    fn start(&self) -> Result<(), Failure> {
        let Some(mut thread) = self.thread.try_lock_until(clock::now() + LONGEST_JOIN) else {
            return Err(Status::LeftLocked.into());
        };
        if thread.is_some() {
            return Ok(());
        }
        let started = || -> io::Result<ThreadTicket> {
            let poll = Poll::new()?;
            let waker = Arc::new(Waker::new(poll.registry(), switchboard::WAKE)?);
            let switchboard = Switchboard::new(self.desk.clone(), poll, waker.clone());
            let everybody = switchboard.everybody();
            let desk = self.desk.clone();
            let on_panic = move |failure: Failure| {
                desk.failed.store(true, Ordering::Release);
                switchboard::fail(&everybody, &failure);
            };
            let ticket = thread::start(self.desk.clone(), move |starting| switchboard.run(starting), on_panic)?;
            // Not before there is a thread.
            let _ = self.desk.waker.set(waker);
            Ok(ticket)
        };
        let failed = |error| {
            Status::Thread.because(format!("the thread of the shared connection could not be started: {error}"))
        };
        *thread = Some(started().map_err(failed)?);
        Ok(())
    }

    /// No program is left: ends the thread, and with it the client that had the connection.
    fn close(&mut self, deadline: Instant) {
        if let Some(thread) = self.thread.get_mut().take() {
            self.desk.closed.store(true, Ordering::SeqCst);
            self.desk.wake();
            thread.end(deadline);
        }
    }
}

impl Drop for SharedConnection {
    fn drop(&mut self) {
        self.close(clock::now());
    }
}

impl Client {
    /// A program's part of the shared connection of this name. A later part with the same name of an inbox takes over the
    /// inbox from this one; an empty name is like no other.
    pub fn sharing(name: &str, inbox: &str) -> Result<Client, Failure> {
        for (what, text, least) in [("connection", name, 1), ("inbox", inbox, 0)] {
            if text.len() < least || text.len() > LONGEST_NAME {
                let length = text.len();
                let text =
                    format!("the name of a shared {what} has {least} to {LONGEST_NAME} bytes, this one {length}");
                return Err(Status::InvalidArgument.because(text));
            }
        }
        let connection = SharedConnection::find_or_make(name);
        let accounts = connection.desk.accounts.clone();
        let place = Place { connection: ArcSwapOption::from(Some(connection)), inbox: inbox.to_owned() };
        let client = Client::with_accounts(Options::default(), accounts, Some(place));
        client.shared.leave_all_to_another();
        Ok(client)
    }

    /// `connect` of a program's part: asks the switchboard to let it in.
    pub(super) fn join(&self, place: &Place, locked: MutexGuard<'_, Options>) -> Result<(), Failure> {
        locked.check_for_sharing()?;
        let freed = || Status::InvalidHandle.because("the program's part of the connection was freed");
        let connection = place.connection.load_full().ok_or_else(freed)?;
        if connection.desk.failed.load(Ordering::Acquire) {
            return Err(Status::Panic.into());
        }
        let wanted = locked.store();
        if !self.shared.transition(State::Idle, State::Connecting) {
            return Err(Status::WrongState.because(NOT_IDLE));
        }
        let options = locked.clone();
        drop(locked);
        let joined = connection.start().and_then(|()| self.ask_to_join(&connection, &place.inbox, options));
        match &joined {
            // The switchboard has said where the connection stands.
            Ok(()) => *self.shared.store.lock() = wanted.into(),
            Err(_) => self.shared.set_state(State::Idle),
        }
        joined
    }

    fn ask_to_join(&self, connection: &SharedConnection, inbox: &str, options: Options) -> Result<(), Failure> {
        let desk = &connection.desk;
        if let Some(waker) = desk.waker.get() {
            let _ = self.shared.waker.set(waker.clone());
        }
        let arrival = Arc::new(Arrival {
            connection: connection.name.clone(),
            program: self.shared.clone(),
            inbox: inbox.to_owned(),
            options,
            answer: Lock::new(None),
            withdrawn: AtomicBool::new(false),
        });
        let full = || Status::QueueFull.because("a million programs are connecting");
        desk.arrivals.insert(arrival.clone()).ok_or_else(full)?;
        desk.wake();
        arrival.wait(clock::now() + LONGEST_JOIN)
    }

    /// The program frees its part: it has dealt with the end of a publish that it got last.
    pub(super) fn has_dealt_with_all(&self, deadline: Instant) {
        let token = self.shared.hears.swap(0, Ordering::AcqRel);
        if token != 0 {
            self.shared.leave_until(Command::Heard { token }, deadline);
        }
    }

    /// `free` of a program's part: waits until the switchboard has let it go, and has closed the connection if it was the
    /// last one. False if what it has left can't be looked at.
    pub(super) fn leave(&self, place: &Place, deadline: Instant) -> bool {
        self.shared.wait_until(deadline, |shared| matches!(shared.state(), State::Idle | State::Failed));
        let mut is_clear = true;
        // What nobody has fetched will never be sent.
        while is_clear {
            match self.shared.next_command_until(deadline) {
                Ok(Some(command)) => self.shared.accounts.strike(&command),
                Ok(None) => break,
                Err(_) => is_clear = false,
            }
        }
        if let Some(mut connection) = place.connection.swap(None).and_then(Arc::into_inner) {
            connection.close(deadline);
        }
        is_clear
    }
}

impl Accounts {
    /// A command will never be carried out.
    fn strike(&self, command: &Command) {
        if let Command::Publish { message, .. } | Command::Request { message, .. } = command {
            self.outgoing.subtract(Amount::of(message));
        }
        if let Command::Request { .. } | Command::Subscribe { .. } | Command::Unsubscribe { .. } = command {
            self.requests.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Arrival {
    fn wait(&self, deadline: Instant) -> Result<(), Failure> {
        let answer = look_until(deadline, Pause::short(), || self.answer.try_lock()?.take());
        let late = || Status::Timeout.because("the shared connection didn't let the program in");
        answer.unwrap_or_else(|| {
            // Unless the answer has just come.
            self.withdrawn.store(true, Ordering::Release);
            self.answer.lock().take().unwrap_or_else(|| Err(late()))
        })
    }

    /// False if the program waits no longer.
    fn tell(&self, answer: Result<(), Failure>) -> bool {
        let Some(mut place) = self.answer.try_lock_until(clock::now() + LONGEST_LOCK) else { return false };
        if self.withdrawn.load(Ordering::Acquire) {
            return false;
        }
        *place = Some(answer);
        true
    }
}

/// Sets an option of a program that is connected: one that it has for itself.
pub(super) fn set_own_option(
    options: &mut Options,
    set: impl FnOnce(&mut Options, bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut changed = options.clone();
    set(&mut changed, false)?;
    if let Some(name) = changed.difference(options) {
        let text = format!("option {name} is the shared connection's: it can be set only before connect");
        return Err(Status::WrongState.because(text));
    }
    *options = changed;
    Ok(())
}

fn farewell(properties: PropertiesBuf) -> Command {
    Command::Disconnect { reason: ReasonCode::SUCCESS, properties }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::options::{IntOption, URL};

    #[test]
    fn while_a_program_is_let_in_only_its_own_options_can_be_set() {
        let client = Client::sharing("options while joining", "").unwrap();
        client.set_option(|options, idle| options.set_text(URL, Some("mqtt://127.0.0.1:1"), idle)).unwrap();
        let set = |option: IntOption, value| {
            let set = client.set_option(|options, idle| options.set_int(option as i32, value, idle));
            set.map_err(|failure| failure.status)
        };
        let connection = client.place.as_ref().and_then(|place| place.connection.load_full()).unwrap();
        let busy = connection.thread.lock();
        std::thread::scope(|scope| {
            let joining = scope.spawn(|| client.connect());
            while client.state() != State::Connecting {
                std::thread::yield_now();
            }
            assert_eq!(set(IntOption::KeepAlive, 7), Err(Status::WrongState));
            assert_eq!(set(IntOption::WaitMaximum, 7), Ok(()));
            drop(busy);
            assert_eq!(joining.join().unwrap(), Ok(()));
        });
        assert_eq!(client.options.lock().int(IntOption::WaitMaximum), 7, "it isn't lost when the program is in");
        drop(connection);
        client.free();
    }
}
