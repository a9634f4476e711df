//! What a client counts and numbers across its threads. Programs on a shared connection have one set of these
//! together: so no two of their tokens are the same, and its limits hold for all of them.

use crate::session::{Amount, Session};
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

/// Accepted and unfinished publishes, those that wait for the core included. In one word, as both
/// change with each publish.
#[derive(Debug, Default)]
pub(super) struct Budget(AtomicU64);

/// Above the bytes. Of publishes there are at most ten million, and a few that are refused in the next moment; of bytes 4 GiB.
const COUNT_AT: u32 = 40;

impl Budget {
    /// What was there before.
    pub fn add(&self, more: Amount) -> Amount {
        amount(self.0.fetch_add(word(more), Ordering::AcqRel))
    }

    pub fn subtract(&self, less: Amount) {
        self.0.fetch_sub(word(less), Ordering::AcqRel);
    }

    pub fn get(&self) -> Amount {
        amount(self.0.load(Ordering::Acquire))
    }
}

fn word(amount: Amount) -> u64 {
    (amount.count as u64) << COUNT_AT | amount.bytes as u64
}

fn amount(word: u64) -> Amount {
    Amount { count: (word >> COUNT_AT) as usize, bytes: (word & ((1 << COUNT_AT) - 1)) as usize }
}

/// What of a budget one Session has, and what of that it needs no more.
#[derive(Default)]
pub(super) struct Share {
    /// Publishes handed to the Session since the start.
    accepted: Amount,
    /// By how many bytes requests have grown since they were accepted, as far as it is in the budget.
    grown: usize,
    /// How much of `accepted` has been given back to the budget.
    given_back: Amount,
}

impl Share {
    /// The Session gets publishes that are in the budget already.
    pub fn accept(&mut self, more: Amount) {
        self.accepted += more;
    }

    /// Gives what is finished back, and adds what has grown.
    pub fn settle(&mut self, session: &Session, budget: &Budget) {
        let growth = session.requests_grown() - self.grown;
        if growth > 0 {
            self.grown += growth;
            let growth = Amount { count: 0, bytes: growth };
            self.accepted += growth;
            budget.add(growth);
        }
        let finished = self.accepted - session.outstanding();
        if finished != self.given_back {
            budget.subtract(finished - self.given_back);
            self.given_back = finished;
        }
    }
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
        let (all, one_more) = (Amount { count, bytes }, Amount { count: 1, bytes });
        let budget = Budget::default();
        assert_eq!(budget.add(all), Amount::default());
        // As many again, of threads that are refused or drop something in the next moment.
        assert_eq!((budget.add(one_more), budget.get()), (all, all + one_more));
        budget.subtract(one_more);
        budget.subtract(Amount { count, bytes: 0 });
        assert_eq!(budget.get(), Amount { count: 0, bytes });
    }
}
