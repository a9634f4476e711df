//! Programs that have left a shared connection. They still have their handles, and may come back. So they hear of the
//! end of what they began. What an earlier process has left they don't get a second time, if they have had it already.

use super::LONGEST_LOCK;
use super::filters::ProgramId;
use super::inheritance::Had;
use super::members::Member;
use crate::client::clock;
use crate::client::events::NoticeKind;
use crate::client::shared::Shared;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

/// Names of inboxes that are remembered when their programs are gone. One that is forgotten is like a new one.
const NAMES_KEPT: usize = 256;

struct Gone {
    id: ProgramId,
    program: Weak<Shared>,
    inbox: String,
    had: Had,
}

#[derive(Default)]
pub(super) struct Former {
    list: VecDeque<Gone>,
}

impl Former {
    pub fn add(&mut self, member: &Member, had: Had) {
        self.list.retain(|gone| gone.program().is_some() || !gone.inbox.is_empty() && gone.inbox != member.inbox);
        let (program, inbox) = (Arc::downgrade(&member.program), member.inbox.clone());
        self.list.push_back(Gone { id: member.id, program, inbox, had });
        let names = self.list.iter().filter(|gone| gone.program().is_none()).count();
        if names > NAMES_KEPT
            && let Some(oldest) = self.list.iter().position(|gone| gone.program().is_none())
        {
            self.list.remove(oldest);
        }
    }

    /// A program is back. Returns who it was, and what it has had.
    pub fn come_back(&mut self, program: &Arc<Shared>) -> Option<(ProgramId, Had)> {
        let is_it = |gone: &Gone| std::ptr::eq(gone.program.as_ptr(), Arc::as_ptr(program));
        let gone = self.list.iter().position(is_it).and_then(|place| self.list.remove(place))?;
        // The rest lies in its queue.
        Some((gone.id, Had { but: Vec::new(), ..gone.had }))
    }

    /// What the last program with an inbox of this name has had.
    pub fn had(&self, inbox: &str) -> Had {
        let last = self.list.iter().rfind(|gone| !inbox.is_empty() && gone.inbox == inbox);
        last.map_or_else(Had::default, |gone| gone.had.clone())
    }

    /// Gives a notice to a program that has left, if it can be reached.
    pub fn give(&mut self, id: ProgramId, kind: NoticeKind) {
        let Some(gone) = self.list.iter_mut().find(|gone| gone.id == id) else { return };
        if let Some(program) = gone.program()
            && !program.events.push_until(kind, clock::now() + LONGEST_LOCK)
        {
            // Nobody waits for its lock a second time.
            gone.program = Weak::new();
        }
    }
}

impl Gone {
    fn program(&self) -> Option<Arc<Shared>> {
        self.program.upgrade().filter(|program| !program.freed.load(Ordering::Acquire))
    }
}
