//! How long a thread rests before it waits for the Server.
//!
//! A thread that is woken by each packet of a dense stream reads a few bytes and goes to sleep again: both sides
//! would spend most of their time on waking each other. A thread that rests is woken by nobody, and finds many
//! packets together afterwards. There are two cases:
//!
//! - The send quota is used up, and more QoS 1 and 2 publishes wait for the answers ([`Pace`]). A rest ends while the
//!   Server still has unanswered publishes to go on with. What waits for the quota has to wait for longer than a rest
//!   anyway. Priority messages for which places are kept don't wait: their caller writes them.
//! - Messages of QoS 0 have come one after the other for a while ([`Stream`]). A single message, or a few dozens
//!   together, never wait for the end of a rest. Messages of QoS 1 and 2 don't either, as the Server may wait for
//!   their answers.

use crate::session::HeldUp;
use std::time::{Duration, Instant};

/// What is in flight is divided by this: the Server must not run out of work during a rest, though that lasts longer than it
/// was to.
const PART: u64 = 4;
/// Something else may come meanwhile, a message that was received or the program's next command.
const LONGEST: Duration = Duration::from_millis(1);
/// A sleep lasts some 100 us longer than it was to; a fast Server would be done with everything meanwhile.
const SHORTEST: Duration = Duration::from_micros(250);

/// So many messages in a row make a stream, if they come at least so fast.
const STREAM: u64 = 64;
const STREAM_TIME: Duration = Duration::from_micros(25 * STREAM);
/// With what a sleep lasts longer than that, it is some ten messages.
const STREAM_REST: Duration = Duration::from_micros(100);

/// Of the answers to publishes.
#[derive(Default)]
pub(super) struct Pace {
    /// Since when it is measured, and how many answers there were by then.
    since: Option<(Instant, u64)>,
    rest: Duration,
}

impl Pace {
    /// Something has come from the Server.
    pub fn heard(&mut self, now: Instant, held_up: Option<HeldUp>) {
        let Some(HeldUp { allowed, answers }) = held_up else {
            *self = Pace::default();
            return;
        };
        let Some((since, before)) = self.since else {
            self.since = Some((now, answers));
            return;
        };
        let (part, answered) = (allowed as u64 / PART, answers - before);
        if answered == 0 || answered < part {
            return;
        }
        let share = part as f64 / answered as f64;
        let rest = now.saturating_duration_since(since).mul_f64(share).min(LONGEST);
        self.rest = if rest < SHORTEST { Duration::ZERO } else { rest };
        self.since = Some((now, answers));
    }

    pub fn rest(&self) -> Duration {
        self.rest
    }
}

/// Of messages that are received with QoS 0.
#[derive(Default)]
pub(super) struct Stream {
    /// Since when they are counted, and how many there were by then.
    since: Option<(Instant, u64)>,
    is_dense: bool,
}

impl Stream {
    /// Something has come from the Server: so many messages in all.
    pub fn heard(&mut self, now: Instant, messages: u64) {
        let (since, before) = *self.since.get_or_insert((now, messages));
        let in_time = now.saturating_duration_since(since) <= STREAM_TIME;
        let are_enough = messages - before >= STREAM;
        if are_enough || !in_time {
            self.is_dense = are_enough && in_time;
            self.since = Some((now, messages));
        }
    }

    pub fn rest(&self) -> Duration {
        if self.is_dense { STREAM_REST } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer comes in each so many microseconds; so many are heard `together`.
    fn rest_at(each_us: u64, together: usize, allowed: usize) -> Duration {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for answers in (0..10 * allowed as u64).step_by(together) {
            pace.heard(now, Some(HeldUp { allowed, answers }));
            now += Duration::from_micros(each_us * together as u64);
        }
        pace.rest
    }

    #[test]
    fn a_rest_lasts_until_a_quarter_of_what_is_in_flight_is_answered() {
        assert_eq!(rest_at(5, 1, 400), Duration::from_micros(500));
        assert_eq!(rest_at(5, 7, 400), Duration::from_micros(500));
        // All of it was answered during one rest: the next one is shorter.
        assert_eq!(rest_at(3, 400, 400), Duration::from_micros(300));
    }

    #[test]
    fn a_slow_server_is_not_waited_for_longer_than_a_millisecond_at_a_time() {
        assert_eq!(rest_at(1000, 1, 400), LONGEST);
    }

    #[test]
    fn there_is_no_rest_so_short_that_the_server_would_run_out_of_work() {
        assert_eq!(rest_at(5, 1, 20), Duration::ZERO);
        assert_eq!(rest_at(20, 1, 1), Duration::ZERO);
        assert_eq!(rest_at(2, 1, 400), Duration::ZERO);
        assert_eq!(rest_at(60, 1, 20), Duration::from_micros(300));
    }

    #[test]
    fn a_stream_is_one_once_many_messages_have_come_fast_and_only_as_long_as_they_do() {
        let (mut stream, mut now) = (Stream::default(), Instant::now());
        let mut rests = |messages: std::ops::Range<u64>, each_us: u64| {
            let mut rests = 0;
            for number in messages {
                now += Duration::from_micros(each_us);
                stream.heard(now, number);
                rests += u32::from(!stream.rest().is_zero());
            }
            rests
        };
        assert_eq!(rests(1..65, 1), 0, "a few dozens together");
        assert!(rests(65..1000, 20) > 900);
        assert!(rests(1000..1100, 200) <= 9, "for at most 1.6 ms");
        assert_eq!(rests(1100..5000, 26), 0);
        assert_eq!(rests(5000..5001, 2000), 0);
        assert_eq!(rests(5001..5050, 1), 0);
        assert_eq!(rests(5050..5100, 1_000_000), 0);
    }

    #[test]
    fn there_is_no_rest_unless_publishes_wait_for_the_answers_of_others() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for answers in 0..220 {
            let held_up = (answers != 200).then_some(HeldUp { allowed: 400, answers });
            pace.heard(now, held_up);
            assert_eq!(pace.rest.is_zero(), !(100..200).contains(&answers), "{answers}");
            now += Duration::from_micros(5);
        }
    }
}
