//! Whether a program publishes without a pause. If it does, a system call for each message would be wasted: what it
//! publishes is gathered, and leaves in few writes, on whichever thread comes to it first.
//!
//! The first messages of a burst are still written by the call itself, so that a tick or an order never waits for a
//! thread to wake up. Only a program that publishes again at once, many times in a row, is held to be in a burst.

use std::time::{Duration, Instant};

/// A call that comes so soon after the end of the one before goes on with it.
const PAUSE: Duration = Duration::from_micros(10);
/// So many calls in a row write by themselves.
const DIRECT_WRITES: u32 = 16;

#[derive(Default)]
pub(super) struct Burst {
    in_a_row: u32,
    /// Until when the next call goes on with it.
    until: Option<Instant>,
}

impl Burst {
    /// A call begins. True if it is one of a burst.
    pub fn goes_on(&mut self, now: Instant) -> bool {
        let at_once = self.until.is_some_and(|until| now < until);
        self.in_a_row = if at_once { self.in_a_row.saturating_add(1) } else { 0 };
        self.in_a_row >= DIRECT_WRITES
    }

    pub fn call_ended(&mut self, now: Instant) {
        self.until = Some(now + PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_that_follow_each_other_at_once_are_a_burst() {
        let mut burst = Burst::default();
        let mut now = Instant::now();
        let mut call = |pause: Duration| {
            now += pause;
            let gathered = burst.goes_on(now);
            burst.call_ended(now);
            gathered
        };
        let direct = (0..100).take_while(|_| !call(Duration::from_micros(2))).count();
        assert_eq!(direct, 1 + DIRECT_WRITES as usize - 1);
        assert!(call(Duration::from_micros(9)));
        // A pause ends it, and the next message is written at once again.
        assert!(!call(PAUSE) && !call(Duration::from_micros(2)));
        assert!((0..1000).all(|_| !call(PAUSE)));
    }
}
