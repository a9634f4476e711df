//! Background threads: the only place that starts one.
//!
//! A host may unload the library at any moment that none of its own threads is inside: code that a thread still executes
//! would be gone. So a thread ends in one of two ways, never by itself:
//!
//! - its owner asks for it (`ThreadTicket::end`), which first takes a reference to the library on the thread's behalf; the
//!   thread gives that back as it leaves;
//! - the library is being unloaded (`stop_all_for_unload`): the thread leaves, and whoever unloads waits until it has.
//!
//! A thread that is about to block where it can't be stopped takes a reference for that time (`Hold`). How references are
//! taken and threads are left is the operating system's affair; `ffi` provides it as [`Hooks`]. Without hooks the library
//! is never unloaded.

use crate::client::clock;
use crate::client::lock::{LeftLocked, look_until};
use crate::client::slots::Slots;
use crate::types::status::{Failure, Status};
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use once_cell::race::OnceBox;
use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How a thread leaves the library's code.
pub enum Leave {
    /// It gives back a reference to the library.
    GivingBack,
    /// The library is being unloaded: somebody waits until it has left.
    Unloading,
}

/// What a thread runs. It doesn't panic.
pub type Body = Box<dyn FnOnce() -> Leave + Send>;

/// A thread as somebody sees it who waits until it has left the library's code.
pub trait Left: Send + Sync {
    fn wait(&self, timeout: Duration) -> bool;
}

/// What the operating system has to do for threads of a library that can be unloaded.
pub struct Hooks {
    /// Takes a reference to the library, to which the caller has one already.
    pub hold: fn(),
    /// Takes a reference to the library, without waiting for whoever loads or unloads something: false if somebody does, or this
    /// library is being unloaded.
    pub hold_in_background: fn() -> bool,
    /// Gives a reference back, without unloading the library under the feet of the calling thread.
    pub release: fn(),
    /// Runs a body on a thread of its own.
    pub spawn: fn(Body) -> io::Result<Box<dyn Left>>,
}

static HOOKS: OnceBox<Hooks> = OnceBox::new();

/// To be called before the first thread is started.
pub fn set_hooks(hooks: Hooks) {
    // A second call would bring the same hooks.
    let _ = HOOKS.set(Box::new(hooks));
}

/// Something that runs on a thread and can be asked to leave it soon.
pub(super) trait Stop: Send + Sync {
    fn stop_for_unload(&self);
}

struct Running {
    stop: Arc<dyn Stop>,
    end: Sender<Leave>,
    left: Box<dyn Left>,
}

/// All threads that execute code of this library.
static THREADS: Slots<Arc<Running>> = Slots::new();

/// Set when the unload has begun: the threads know already, and no reference to the library can be taken any more.
static UNLOADING: AtomicBool = AtomicBool::new(false);

/// The owner's hold on a thread.
pub(super) struct ThreadTicket {
    end: Sender<Leave>,
    /// Nothing is ever sent: the thread drops its end when it is over.
    ended: Receiver<()>,
}

impl ThreadTicket {
    /// Lets the thread end once its work is done. True if it is, at the latest by `deadline`.
    pub fn end(self, deadline: Instant) -> bool {
        if UNLOADING.load(Ordering::Acquire) {
            return true;
        }
        if let Some(hooks) = HOOKS.get() {
            (hooks.hold)();
        }
        // Nobody else sends to this thread but an unload, which has found the library unused.
        let _ = self.end.try_send(Leave::GivingBack);
        // The caller may be ended meanwhile, and mustn't be found waiting.
        let ended = || (self.ended.try_recv() == Err(TryRecvError::Disconnected)).then_some(());
        look_until(deadline, Pause::short(), ended).is_some()
    }
}

/// Starts a thread. A panic in `body` ends the body, and `on_panic` is told why; the thread itself ends when it is told to.
/// The body gets the reference that was taken for the start, to keep it as long as it may need the system's loader.
pub(super) fn start(
    stop: Arc<dyn Stop>,
    body: impl FnOnce(Hold) + Send + 'static,
    on_panic: impl FnOnce(Failure) + Send + 'static,
) -> io::Result<ThreadTicket> {
    let (alive, ended) = bounded::<()>(0);
    let (end, told_to_end) = bounded(1);
    let (registered, wait_for_registration) = bounded(1);
    // A thread that has not begun can't be stopped.
    let starting = Hold::new();
    let whole: Body = Box::new(move || {
        let registration = wait_for_registration.recv();
        if cfg!(windows) {
            load_what_waiting_needs();
        }
        match catch_unwind(AssertUnwindSafe(move || body(starting))) {
            // Everything is dropped before the thread leaves: it doesn't come back for it.
            Ok(()) => drop(on_panic),
            // What it does may come to the same end; then there is nothing left to do.
            Err(panic) => drop(catch_unwind(AssertUnwindSafe(|| on_panic(failure_of(panic.as_ref()))))),
        }
        let leave = told_to_end.recv().unwrap_or(Leave::GivingBack);
        if let (Leave::GivingBack, Ok(handle)) = (&leave, registration) {
            drop(THREADS.remove(handle, |_| true));
        }
        drop(alive);
        leave
    });
    let left = match HOOKS.get() {
        Some(hooks) => (hooks.spawn)(whole)?,
        None => spawn_for_ever(whole)?,
    };
    let full = || io::Error::other("there are a million threads");
    let handle = THREADS.insert(Arc::new(Running { stop, end: end.clone(), left })).ok_or_else(full)?;
    let _ = registered.send(handle);
    Ok(ThreadTicket { end, ended })
}

/// Runs a task on a thread that can't be stopped: it holds the library until the task is done, and nobody waits for it.
pub(super) fn start_task(
    task: impl FnOnce() + Send + 'static,
    on_panic: impl FnOnce(Failure) + Send + 'static,
) -> io::Result<()> {
    let body = move |hold| {
        task();
        drop(hold);
    };
    start(Arc::new(Unstoppable), body, on_panic)?.end(clock::now());
    Ok(())
}

/// An unload can't begin while it runs.
struct Unstoppable;

impl Stop for Unstoppable {
    fn stop_for_unload(&self) {}
}

/// On older Windows the functions that threads wait with are looked up by the loader at their first use. Later the loader
/// may be busy with unloading us, and wait for this very thread.
fn load_what_waiting_needs() {
    std::thread::park_timeout(Duration::from_nanos(1));
}

/// Starts a thread of a library that is never unloaded.
fn spawn_for_ever(body: Body) -> io::Result<Box<dyn Left>> {
    struct NobodyWaits;
    impl Left for NobodyWaits {
        fn wait(&self, _timeout: Duration) -> bool {
            true
        }
    }
    std::thread::Builder::new().name("mt5mqtt".to_owned()).spawn(move || {
        body();
    })?;
    Ok(Box::new(NobodyWaits))
}

/// Tells all threads to leave because the library is being unloaded, and waits until they have. False if one hasn't by
/// then: its code is about to vanish.
pub fn stop_all_for_unload(timeout: Duration) -> bool {
    UNLOADING.store(true, Ordering::Release);
    let threads = THREADS.drain();
    for running in &threads {
        running.stop.stop_for_unload();
        let _ = running.end.try_send(Leave::Unloading);
    }
    let deadline = clock::now() + timeout;
    // Of each, as one that is stuck is dealt with by its wait.
    let left = threads.iter().map(|running| running.left.wait(deadline.saturating_duration_since(clock::now())));
    left.fold(true, |all, left| all & left)
}

/// Keeps the library loaded as long as it lives.
pub(super) struct Hold(());

impl Hold {
    /// For a thread of the host, whose call keeps the library loaded, or one that has a `Hold`.
    pub fn new() -> Self {
        if let Some(hooks) = HOOKS.get() {
            (hooks.hold)();
        }
        Hold(())
    }

    /// For any thread. `None` if the library can't be held now, as somebody loads or unloads one.
    pub fn in_background() -> Option<Self> {
        HOOKS.get().is_none_or(|hooks| (hooks.hold_in_background)()).then(|| Hold(()))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(hooks) = HOOKS.get() {
            (hooks.release)();
        }
    }
}

/// The pauses of a thread that looks again and again. They need nothing that threads share.
pub(super) struct Pause {
    made: u32,
    begun: Option<Instant>,
    /// How long what it looks for is likely to come in a moment.
    soon: Duration,
}

/// So many pauses are spent on the processor: some ten microseconds. Who sleeps would miss the moments in which a busy lock
/// is free.
const SPINS: u32 = 40;
/// A lock is given back within microseconds, unless its holder has to wait for the processor.
const SOON: Duration = Duration::from_millis(1);
const SHORT: Duration = Duration::from_micros(50);
const LONG: Duration = Duration::from_millis(1);

impl Pause {
    /// For what comes in a moment.
    pub fn short() -> Self {
        Pause { made: 0, begun: None, soon: SOON }
    }

    /// For what may take long.
    pub fn long() -> Self {
        Pause { made: SPINS, begun: None, soon: Duration::ZERO }
    }

    pub fn make(&mut self) {
        if self.made < SPINS {
            (0..4 << self.made.min(4)).for_each(|_| std::hint::spin_loop());
            self.made += 1;
            return;
        }
        let now = clock::now();
        if now - *self.begun.get_or_insert(now) >= self.soon {
            std::thread::sleep(LONG);
        } else if cfg!(windows) {
            // The shortest sleep takes up to 16 ms there.
            std::thread::yield_now();
        } else {
            // Who yields goes to the end of the row; who sleeps comes first afterwards.
            std::thread::sleep(SHORT);
        }
    }
}

/// Sleeps for so long, whatever happens meanwhile. `pace` says when that is worth it.
pub(super) fn rest(time: Duration) {
    if !time.is_zero() {
        std::thread::sleep(time);
    }
}

thread_local! {
    /// Where the last panic of this thread happened.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic hook that is silent, and keeps where it happened for [`failure_of`].
pub fn remember_panic(panic: &PanicHookInfo<'_>) {
    if let Some(place) = panic.location() {
        let _ = PLACE.try_with(|last| *last.borrow_mut() = format!(" at {}:{}", place.file(), place.line()));
    }
}

/// What somebody on this thread unwound with: that a lock is left locked, or a panic, with what it said and where.
pub fn failure_of(panic: &(dyn Any + Send)) -> Failure {
    if panic.is::<LeftLocked>() {
        return Status::LeftLocked.into();
    }
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let place = PLACE.try_with(|place| place.borrow().clone()).unwrap_or_default();
    Status::Panic.because(format!("a fault inside the library: {}{place}", text.unwrap_or("no message")))
}
