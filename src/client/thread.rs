//! Background threads: the only place that starts one.

use crate::client::clock;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::time::Instant;

/// Lets the owner of a thread wait for its end.
pub(super) struct ThreadTicket {
    /// Nothing is ever sent: the thread drops its end when it is over.
    ended: Receiver<()>,
}

impl ThreadTicket {
    /// True if the thread is over, at the latest by `deadline`.
    pub fn wait_until_ended(&self, deadline: Instant) -> bool {
        let remaining = deadline.saturating_duration_since(clock::now());
        !matches!(self.ended.recv_timeout(remaining), Err(RecvTimeoutError::Timeout))
    }
}

/// Starts a thread. A panic in `body` ends it, and `on_panic` is told so.
pub(super) fn spawn(
    name: &str,
    body: impl FnOnce() + Send + 'static,
    on_panic: impl FnOnce(String) + Send + 'static,
) -> io::Result<ThreadTicket> {
    let (alive, ended) = bounded(0);
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
            on_panic(panic_text(panic.as_ref()));
        }
        drop(alive);
    })?;
    Ok(ThreadTicket { ended })
}

thread_local! {
    /// Where the last panic of this thread happened.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic hook that is silent, and keeps where it happened for [`panic_text`].
pub fn remember_panic(panic: &PanicHookInfo<'_>) {
    if let Some(place) = panic.location() {
        let _ = PLACE.try_with(|last| *last.borrow_mut() = format!(" at {}:{}", place.file(), place.line()));
    }
}

/// What a panic on this thread said, if it said something, and where.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let place = PLACE.try_with(|place| place.borrow().clone()).unwrap_or_default();
    format!("{}{place}", text.unwrap_or("no message"))
}
