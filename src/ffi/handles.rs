//! The one process-wide table: handles to what they stand for. A stale or forged handle is found out, and a host's thread
//! that is ended in the middle of a call leaves nothing locked.

use super::properties::Set;
use crate::client::Client;
use crate::client::lock::Lock;
use crate::client::slots::Slots;
use crate::types::status::{Failure, Status};
use std::sync::Arc;

#[derive(Clone)]
pub enum Object {
    Client(Arc<Client>),
    Properties(Arc<Lock<Set>>),
}

static TABLE: Slots<Object> = Slots::new();

/// Adds an object. Its handle is above 0.
pub fn insert(object: Object) -> Result<i64, Failure> {
    let full = || Status::QueueFull.because("there are a million clients and sets of properties: free some");
    TABLE.insert(object).ok_or_else(full)
}

/// Uses the object of a handle, which isn't freed meanwhile.
pub fn with<R>(handle: i64, reads: impl FnOnce(Option<&Object>) -> R) -> R {
    TABLE.with(handle, reads)
}

/// Takes the object out, if `wanted` says that it is the right kind.
pub fn remove(handle: i64, wanted: impl FnOnce(&Object) -> bool) -> Option<Object> {
    TABLE.remove(handle, wanted)
}

/// Takes all objects out.
#[cfg(windows)]
pub fn clear() -> Vec<Object> {
    TABLE.drain()
}
