//! What an earlier process has left, of which nobody knows for which program it was: ends of its publishes, and messages of its
//! subscriptions. It comes to all programs, also to those that connect later, so it is kept for them: as much as a queue of
//! events holds.

use crate::client::events::NoticeKind;
use crate::client::notice::held_bytes;
use crate::client::options::{IntOption, Options};
use std::collections::VecDeque;

#[derive(Default)]
pub(super) struct Inheritance {
    notices: VecDeque<NoticeKind>,
    bytes: usize,
    /// For want of room.
    dropped: u64,
}

impl Inheritance {
    pub fn add(&mut self, kind: NoticeKind, options: &Options) {
        let size = |kind: &NoticeKind| size_of::<NoticeKind>() + held_bytes(kind);
        let most = options.int(IntOption::EventsMaximum) as usize;
        let most_bytes = options.int(IntOption::EventsMaximumBytes) as usize;
        self.bytes += size(&kind);
        self.notices.push_back(kind);
        while self.notices.len() > most || self.bytes > most_bytes {
            let Some(oldest) = self.notices.pop_front() else { break };
            self.bytes -= size(&oldest);
            self.dropped += 1;
        }
    }

    /// What a program gets that connects now, and how much it doesn't get.
    pub fn all(&self) -> (Vec<NoticeKind>, u64) {
        (self.notices.iter().cloned().collect(), self.dropped)
    }
}
