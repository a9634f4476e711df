//! What of a client's operations is counted and numbered across threads. Programs that share a connection have one of these
//! together: their tokens differ, and its limits are those of them all.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

#[derive(Debug)]
pub(super) struct Accounts {
    /// Accepted and unanswered subscribes, unsubscribes and requests.
    pub requests: AtomicUsize,
    pub outgoing: Budget,
    pub next_token: AtomicI64,
    /// The store can't be written: what it can't keep is not accepted.
    pub store_failed: AtomicBool,
}

impl Default for Accounts {
    fn default() -> Self {
        Accounts {
            requests: AtomicUsize::new(0),
            outgoing: Budget::default(),
            next_token: AtomicI64::new(1),
            store_failed: AtomicBool::new(false),
        }
    }
}

/// Accepted and unfinished publishes, those that wait for the core included: how many, and their bytes. In one word, as both
/// change with each publish.
#[derive(Debug, Default)]
pub(super) struct Budget(AtomicU64);

/// Above the bytes. Of publishes there are at most ten million, and a few that are refused in the next moment; of bytes 4 GiB.
const COUNT_AT: u32 = 40;

impl Budget {
    /// What was there before.
    pub fn add(&self, count: usize, bytes: usize) -> (usize, usize) {
        parts(self.0.fetch_add(word(count, bytes), Ordering::AcqRel))
    }

    pub fn subtract(&self, count: usize, bytes: usize) {
        self.0.fetch_sub(word(count, bytes), Ordering::AcqRel);
    }

    pub fn get(&self) -> (usize, usize) {
        parts(self.0.load(Ordering::Acquire))
    }
}

fn word(count: usize, bytes: usize) -> u64 {
    (count as u64) << COUNT_AT | bytes as u64
}

fn parts(word: u64) -> (usize, usize) {
    ((word >> COUNT_AT) as usize, (word & ((1 << COUNT_AT) - 1)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::options::{IntOption, Options};

    #[test]
    fn the_largest_queue_that_can_be_asked_for_fits_into_the_word() {
        let mut options = Options::default();
        let most = [(IntOption::OutgoingMaximum, 10_000_000), (IntOption::OutgoingMaximumBytes, 4096 << 20)];
        for (option, most) in most {
            options.set_int(option as i32, most, true).unwrap();
            assert!(options.set_int(option as i32, most + 1, true).is_err(), "{option:?} can be larger");
        }
        let [count, bytes] = most.map(|(_, most)| most as usize);
        let budget = Budget::default();
        assert_eq!(budget.add(count, bytes), (0, 0));
        // As many again, of threads that are refused or drop something in the next moment.
        assert_eq!((budget.add(1, bytes), budget.get()), ((count, bytes), (count + 1, 2 * bytes)));
        budget.subtract(1, bytes);
        budget.subtract(count, 0);
        assert_eq!(budget.get(), (0, bytes));
    }
}
