//! A program that polls without a pause reads from the Server by itself, so that no other thread has to wake up
//! between the arrival of a message and the next poll.
//!
//! Of the polls that find nothing, every 32nd looks at the socket: a look costs more than all the others. As long as
//! the program goes on like that, the socket is in nobody's poll. The program keeps it like a leader that is away
//! (`leading`), and loses it in the same way. A program that polls now and then, in a timer say, never gets that far.

use super::core::Core;
use super::leading::ReadOn;
use super::shared::Shared;
use super::{Client, clock};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// One in so many polls that find nothing looks at the socket.
const POLLS_FOR_A_LOOK: u32 = 32;
/// A program that has polled so many times within this time does nothing else.
const WITHOUT_A_PAUSE: Duration = Duration::from_micros(50);

impl Client {
    /// The program polls, and there is nothing in the queue.
    pub(super) fn poll_found_nothing(&self) {
        // Two threads that poll at once may count one poll; nothing depends on it.
        let polls = self.shared.empty_polls.load(Ordering::Relaxed).wrapping_add(1);
        self.shared.empty_polls.store(polls, Ordering::Relaxed);
        if !polls.is_multiple_of(POLLS_FOR_A_LOOK) {
            return;
        }
        let Some(mut core) = self.shared.try_core() else { return };
        core.look_for_poller(clock::now(), &self.shared);
        drop(core);
        self.shared.work_off_commands();
    }
}

impl Core {
    fn look_for_poller(&mut self, now: Instant, shared: &Shared) {
        let before = self.keeping.looked.replace(now);
        if self.is_read_by_leader() {
            return self.read_past_leader(now, shared);
        }
        if before.is_none_or(|before| now.saturating_duration_since(before) >= WITHOUT_A_PAUSE) {
            return;
        }
        if !self.take_reading(shared) {
            return;
        }
        self.keep_reading(now, shared);
        let more = self.read_for_leader(now, shared) == ReadOn::Unheard;
        self.work_for_caller(now, shared);
        if more || self.is_ending() {
            self.give_reading_back(shared);
            self.connection.read_on |= more;
            shared.wake();
        }
    }
}
