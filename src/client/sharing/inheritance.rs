//! What an earlier process has left: ends of its publishes, and messages of its subscriptions. Nobody knows for which
//! program they were. So they go to all programs, also to those that connect later. For those they are kept, as much
//! as a queue of events holds.

use crate::client::events::NoticeKind;
use crate::client::notice::held_bytes;
use crate::client::options::{IntOption, Options};
use std::collections::VecDeque;

#[derive(Default)]
pub(super) struct Inheritance {
    notices: VecDeque<NoticeKind>,
    bytes: usize,
    /// The number of the first notice that is kept; those before were thrown away for want of room.
    dropped: u64,
}

/// What a program has had of it.
#[derive(Clone, Default)]
pub(super) struct Had {
    /// All before this one,
    pub until: u64,
    /// but for those that it was not done with.
    pub but: Vec<u64>,
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

    /// What a program gets if it connects now, and how many notices are lost to it.
    pub fn all_but(&self, had: &Had) -> (Vec<NoticeKind>, u64) {
        let is_new = |number: &u64| *number >= had.until || had.but.contains(number);
        let notices = self.numbered().filter(|(number, _)| is_new(number)).map(|(_, kind)| kind.clone());
        (notices.collect(), self.dropped.saturating_sub(had.until))
    }

    /// What a program has had if it leaves now.
    pub fn had(&self, is_left: impl Fn(&NoticeKind) -> bool) -> Had {
        let but = self.numbered().filter(|(_, kind)| is_left(kind)).map(|(number, _)| number).collect();
        Had { until: self.dropped + self.notices.len() as u64, but }
    }

    fn numbered(&self) -> impl Iterator<Item = (u64, &NoticeKind)> {
        (self.dropped..).zip(&self.notices)
    }
}
