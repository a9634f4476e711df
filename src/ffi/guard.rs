//! What every export goes through.

use super::handles::{self, Object};
use crate::client::{Client, thread};
use crate::types::status::{Failure, Status};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// The text of the last failure on this thread.
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// An integer that a C function returns: 0 and above is success, a status otherwise.
pub trait Returned {
    fn from_status(status: Status) -> Self;
}

impl Returned for i32 {
    fn from_status(status: Status) -> Self {
        status as i32
    }
}

impl Returned for i64 {
    fn from_status(status: Status) -> Self {
        (status as i32).into()
    }
}

/// Runs the body of an export. A panic ends here, as a status, and so does a wait for what was left locked.
pub fn guard<R: Returned>(body: impl FnOnce() -> Result<R, Failure>) -> R {
    finish(catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(thread::failure_of(panic.as_ref()))))
}

/// Runs the body of an export with the client of a handle. A panic fails that client for good: its state can't be trusted.
/// So does a lock that was left locked.
pub fn guard_client<R: Returned>(handle: i64, body: impl FnOnce(&Client) -> Result<R, Failure>) -> R {
    guard(|| {
        handles::with(handle, |object| {
            let client = client(handle, object)?;
            catch_unwind(AssertUnwindSafe(|| body(client))).unwrap_or_else(|panic| {
                let failure = thread::failure_of(panic.as_ref());
                client.fail(&failure);
                Err(failure)
            })
        })
    })
}

fn client(handle: i64, object: Option<&Object>) -> Result<&Client, Failure> {
    match object {
        Some(Object::Client(client)) => Ok(client),
        _ => Err(no_client(handle, object)),
    }
}

/// What a handle stands for that isn't one of a client, in words.
pub fn no_client(handle: i64, object: Option<&Object>) -> Failure {
    Status::InvalidHandle.because(match object {
        Some(Object::Properties(_)) => format!("handle {handle} is a set of properties, not a client"),
        _ => format!("there is no client with the handle {handle}"),
    })
}

fn finish<R: Returned>(result: Result<R, Failure>) -> R {
    result.unwrap_or_else(|failure| {
        remember(failure.text);
        R::from_status(failure.status)
    })
}

/// Keeps the text of a failure for `mt5mqtt_last_error`.
pub fn remember(text: String) {
    // A thread that is about to end has no place for the text any more; its status is enough.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = text);
}

/// The text of the last failure on this thread.
pub fn last_error() -> String {
    LAST_ERROR.try_with(|last| last.borrow().clone()).unwrap_or_default()
}
