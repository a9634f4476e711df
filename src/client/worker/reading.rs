//! Reading from the Server on the background thread. It pauses when the program doesn't take what came, or when the
//! Server doesn't take our answers.

use super::Worker;
use crate::client::core::{Core, READS_IN_A_ROW, Read};
use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

impl Worker {
    /// Reads until the socket is empty or others must have their turn. True if there may be more.
    pub(super) fn read(&mut self, now: Instant, core: &mut Core) -> bool {
        if !self.readable {
            return false;
        }
        for _ in 0..READS_IN_A_ROW {
            // What is published waits for CONNACK, and the Server sends no message before it.
            // Nor is its end to be missed when the connection is being closed.
            let may_pause = core.session.is_online();
            let paused = may_pause && self.shared.events.is_blocked();
            self.shared.reading_paused.store(paused, Ordering::Release);
            // Of this thread and one that makes room, at least one must see the other.
            fence(Ordering::SeqCst);
            if paused {
                if self.shared.events.is_blocked() {
                    core.session.handle_reading_paused(now);
                    return true;
                }
                // Who made room may have looked before the flag stood and wakes nobody: this thread must not take its own
                // flag for a reason to sleep.
                self.shared.reading_paused.store(false, Ordering::Release);
            }
            if core.connection.write_blocked && core.session.wants_no_input() {
                // The poll tells when the socket takes bytes again. If it never does, the Keep Alive ends the connection.
                return false;
            }
            match core.read(now, &self.shared) {
                Read::Some => core.work(now, &self.shared),
                Read::Nothing | Read::Over => {
                    self.readable = false;
                    return false;
                }
            }
        }
        true
    }
}
