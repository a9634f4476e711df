//! The only place that reads a clock.

use super::store::Moment;
use once_cell::race::OnceBox;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

static ORIGIN: OnceBox<Instant> = OnceBox::new();

pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Microseconds since 1970-01-01 00:00 UTC. Follows the machine's clock, jumps included.
pub fn unix_us() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_micros() as i64,
        Err(before) => -(before.duration().as_micros() as i64),
    }
}

/// Now, by both clocks.
pub(super) fn moment() -> Moment {
    Moment { instant: now(), unix_ms: unix_us() / 1000 }
}

/// Microseconds since the library's first use of a clock. Never runs backwards.
pub fn monotonic_us() -> i64 {
    let origin = *ORIGIN.get_or_init(|| Box::new(now()));
    now().saturating_duration_since(origin).as_micros() as i64
}
