//! How long to wait before the next attempt to connect: exponential with full jitter, so that a hundred terminals that
//! lost the same Server don't come back at the same moment.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Backoff {
    minimum: Duration,
    maximum: Duration,
    failures: u32,
    random: u64,
}

impl Backoff {
    pub fn new(minimum: Duration, maximum: Duration) -> Self {
        // std seeds its hash maps from the system's random source; any non-zero number will do here.
        let random = RandomState::new().build_hasher().finish() | 1;
        Backoff { minimum, maximum: maximum.max(minimum), failures: 0, random }
    }

    /// A connection was good: the next failure is a first one.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The delay after one more failure: anything between 0 and a ceiling that doubles each time.
    pub fn next_delay(&mut self) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        self.up_to(ceiling)
    }

    /// The delay after a failure that trying again soon can't mend: between half the maximum and all of it.
    pub fn long_delay(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.maximum / 2 + self.up_to(self.maximum / 2)
    }

    pub fn ceiling(&self) -> Duration {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.minimum.saturating_mul(factor).min(self.maximum)
    }

    fn up_to(&mut self, ceiling: Duration) -> Duration {
        // Marsaglia's xorshift64: spreading delays asks for no more.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let fraction = (self.random >> 11) as f64 / (1u64 << 53) as f64;
        ceiling.mul_f64(fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_maximum_and_starts_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
        let mut ceilings = Vec::new();
        for _ in 0..40 {
            ceilings.push(backoff.ceiling().as_millis());
            assert!(backoff.next_delay() <= Duration::from_secs(30));
        }
        assert_eq!(ceilings[..8], [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
        assert_eq!(ceilings[39], 30_000);
        backoff.succeeded();
        assert_eq!(backoff.ceiling(), Duration::from_millis(250));
        backoff.long_delay();
        assert_eq!(backoff.ceiling(), Duration::from_millis(500));
    }

    #[test]
    fn delays_are_spread_over_the_whole_range() {
        let mut backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(8));
        let delays: Vec<f64> = (0..1000).map(|_| backoff.next_delay().as_secs_f64()).collect();
        for eighth in 0..8 {
            let count = delays.iter().filter(|delay| **delay as u32 == eighth).count();
            assert!((60..190).contains(&count), "{count} of 1000 delays between {eighth} s and the next");
        }
        let long = Duration::from_secs(4)..=Duration::from_secs(8);
        assert!((0..100).all(|_| long.contains(&backoff.long_delay())));
    }
}
