//! What of a client's operations is counted and numbered across threads. Programs that share a connection have one of these
//! together: their tokens differ, and its limits are those of them all.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize};

#[derive(Debug)]
pub(super) struct Accounts {
    /// Accepted and unanswered subscribes, unsubscribes and requests.
    pub requests: AtomicUsize,
    /// Accepted and unfinished publishes, those that wait for the core included.
    pub outgoing_count: AtomicUsize,
    pub outgoing_bytes: AtomicUsize,
    pub next_token: AtomicI64,
    /// The store can't be written: what it can't keep is not accepted.
    pub store_failed: AtomicBool,
}

impl Default for Accounts {
    fn default() -> Self {
        Accounts {
            requests: AtomicUsize::new(0),
            outgoing_count: AtomicUsize::new(0),
            outgoing_bytes: AtomicUsize::new(0),
            next_token: AtomicI64::new(1),
            store_failed: AtomicBool::new(false),
        }
    }
}
