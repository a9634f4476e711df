//! What programs on a shared connection haven't done with yet. Of a received message the Server hears when every
//! program that got it is done. The end of a publish of an earlier process goes to all programs, and stays in the store
//! until all of them have dealt with it.

use super::filters::ProgramId;
use crate::client::events::NoticeKind;
use crate::session::event::{Delivery, Event, Token};
use crate::session::options::Acknowledgement;
use crate::types::reason::ReasonCode;
use std::collections::{BTreeMap, HashMap};

/// A message that not everybody is done with.
struct Open {
    left: Vec<ProgramId>,
    /// What the Server is told in the end: the first refusal, if there is one.
    refusal: Option<Acknowledgement>,
    /// For a program that takes another one's place.
    copy: Option<NoticeKind>,
    /// The Server has lost the Session since, and doesn't wait for it.
    is_lost: bool,
}

#[derive(Default)]
pub(super) struct Owed {
    /// In the order in which they came: deliveries are counted up.
    messages: BTreeMap<Delivery, Open>,
    ends: HashMap<Token, Vec<ProgramId>>,
}

/// A message that everybody is done with, and what the Server is told.
pub(super) type Done = (Delivery, Acknowledgement);

impl Owed {
    /// These programs got a message.
    pub fn open(&mut self, delivery: Delivery, left: Vec<ProgramId>, copy: Option<NoticeKind>) {
        self.messages.insert(delivery, Open { left, refusal: None, copy, is_lost: false });
    }

    /// A program gets, later than others, a message or an end of which nobody knew for whom it was.
    pub fn join(&mut self, program: ProgramId, delivery: Option<Delivery>, end: Option<Token>) {
        if let Some(open) = delivery.and_then(|delivery| self.messages.get_mut(&delivery)) {
            open.left.push(program);
        }
        if let Some(left) = end.and_then(|token| self.ends.get_mut(&token)) {
            left.push(program);
        }
    }

    /// A program has got a message in place of another one.
    pub fn pass_on(&mut self, delivery: Delivery, from: ProgramId, to: ProgramId, copy: Option<NoticeKind>) {
        if let Some(open) = self.messages.get_mut(&delivery)
            && let Some(left) = open.left.iter_mut().find(|left| **left == from)
        {
            *left = to;
            open.copy = open.copy.take().or(copy);
        }
    }

    /// A program is done with a message. Returns what the Server is told, if all are.
    pub fn done(&mut self, program: ProgramId, delivery: Delivery, said: Acknowledgement) -> Option<Done> {
        let open = self.messages.get_mut(&delivery).filter(|open| open.left.contains(&program))?;
        open.left.retain(|left| *left != program);
        if said.reason.is_error() && open.refusal.is_none() {
            open.refusal = Some(said.clone());
        }
        if !open.left.is_empty() {
            return None;
        }
        let refusal = self.messages.remove(&delivery)?.refusal;
        // The properties go along only if this program was the only one to answer.
        Some((delivery, refusal.unwrap_or(said)))
    }

    /// Nothing is waited for any more from this program. Returns what all others are done with.
    pub fn settle(&mut self, program: ProgramId) -> Vec<Done> {
        self.settle_if(program, |_| true)
    }

    /// The same, for what a program that takes this one's place doesn't get.
    pub fn settle_its_own(&mut self, program: ProgramId) -> Vec<Done> {
        self.settle_if(program, |open| open.copy.is_none() && !open.is_lost)
    }

    fn settle_if(&mut self, program: ProgramId, is_settled: impl Fn(&Open) -> bool) -> Vec<Done> {
        let of_it = self.messages.iter().filter(|(_, open)| open.left.contains(&program) && is_settled(open));
        let deliveries: Vec<Delivery> = of_it.map(|(delivery, _)| *delivery).collect();
        deliveries.into_iter().filter_map(|delivery| self.done(program, delivery, ReasonCode::SUCCESS.into())).collect()
    }

    /// How many messages this program isn't done with.
    pub fn count(&self, program: ProgramId) -> usize {
        self.of(program).count()
    }

    pub fn owes(&self, program: ProgramId) -> bool {
        self.of(program).next().is_some()
    }

    /// Copies of what this program isn't done with.
    pub fn copies(&self, program: ProgramId) -> Vec<NoticeKind> {
        self.of(program).filter_map(|open| open.copy.clone()).collect()
    }

    /// The Server has lost the Session: it doesn't wait for anything. The Session here does still: it has records of messages
    /// that were acknowledged on arrival, and knows keys of those that are done with. Where programs acknowledge
    /// `explicitly` they can't any more once they have heard of this, so nothing is kept beyond the next time.
    pub fn lose_session(&mut self, explicitly: bool) {
        self.messages.retain(|_, open| !(explicitly && open.is_lost));
        for open in self.messages.values_mut() {
            open.is_lost = true;
            open.copy = None;
        }
    }

    /// These programs are told of the end of a publish that an earlier process began.
    pub fn open_end(&mut self, token: Token, left: Vec<ProgramId>) {
        self.ends.insert(token, left);
    }

    /// A program has heard the end of a publish. True if all have; one that left before never will, and the store keeps the
    /// end for the next process.
    pub fn heard(&mut self, program: ProgramId, token: Token) -> bool {
        let Some(left) = self.ends.get_mut(&token) else { return true };
        left.retain(|left| *left != program);
        let all = left.is_empty();
        if all {
            self.ends.remove(&token);
        }
        all
    }

    /// Whether this program isn't done with a message or an end that came to several.
    pub fn waits_for(&self, program: ProgramId, kind: &NoticeKind) -> bool {
        let left = match kind {
            NoticeKind::Session(Event::Message { delivery: Some(delivery), .. }) => {
                self.messages.get(delivery).map(|open| &open.left)
            }
            NoticeKind::Session(Event::Published { token, .. }) => self.ends.get(token),
            _ => None,
        };
        left.is_some_and(|left| left.contains(&program))
    }

    /// What the Server waits for.
    fn of(&self, program: ProgramId) -> impl Iterator<Item = &Open> {
        self.messages.values().filter(move |open| open.left.contains(&program) && !open.is_lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success() -> Acknowledgement {
        ReasonCode::SUCCESS.into()
    }

    #[test]
    fn the_server_hears_of_a_message_when_the_last_program_is_done_with_it() {
        let mut owed = Owed::default();
        owed.open(7, vec![1, 2], None);
        assert_eq!(owed.done(1, 7, success()), None);
        // A second time, and one who never got it, change nothing.
        assert_eq!((owed.done(1, 7, success()), owed.done(3, 7, success())), (None, None));
        assert_eq!((owed.owes(1), owed.owes(2), owed.count(2)), (false, true, 1));
        assert_eq!(owed.done(2, 7, success()), Some((7, success())));
        assert_eq!(owed.done(2, 7, success()), None);
    }

    #[test]
    fn a_refusal_of_one_program_is_what_the_server_hears() {
        let mut owed = Owed::default();
        owed.open(7, vec![1, 2, 3], None);
        let refusal = |reason: ReasonCode| Acknowledgement::from(reason);
        assert_eq!(owed.done(2, 7, refusal(ReasonCode::QUOTA_EXCEEDED)), None);
        assert_eq!(owed.done(1, 7, refusal(ReasonCode::UNSPECIFIED_ERROR)), None);
        assert_eq!(owed.done(3, 7, success()), Some((7, refusal(ReasonCode::QUOTA_EXCEEDED))));
    }

    #[test]
    fn a_program_that_isn_t_waited_for_any_more_holds_nothing_up() {
        let mut owed = Owed::default();
        owed.open(1, vec![1], None);
        owed.open(2, vec![1, 2], None);
        owed.open(3, vec![2], None);
        assert_eq!(owed.settle(1), [(1, success())]);
        assert_eq!(owed.done(2, 2, success()), Some((2, success())));
        assert_eq!(owed.count(2), 1);
    }

    #[test]
    fn what_is_kept_for_who_takes_the_place_isn_t_done_with() {
        let mut owed = Owed::default();
        owed.open(1, vec![1], Some(NoticeKind::Failed(String::new())));
        owed.open(2, vec![1], None);
        assert_eq!(owed.settle_its_own(1), [(2, success())]);
        // What the Server has forgotten, the records here still know.
        owed.lose_session(false);
        assert_eq!(owed.settle_its_own(1), []);
        assert_eq!(owed.done(1, 1, success()), Some((1, success())));
    }

    #[test]
    fn what_the_server_has_forgotten_keeps_nobody_waiting_and_is_still_done_with() {
        let mut owed = Owed::default();
        owed.open(1, vec![1, 2], Some(NoticeKind::Failed(String::new())));
        owed.lose_session(false);
        assert_eq!((owed.owes(1), owed.count(1), owed.copies(1).len()), (false, 0, 0));
        owed.lose_session(false);
        assert_eq!((owed.done(1, 1, success()), owed.done(2, 1, success())), (None, Some((1, success()))));
        // Programs that can't say so any more keep nothing here for ever.
        owed.open(2, vec![1], None);
        owed.lose_session(true);
        owed.open(3, vec![1], None);
        owed.lose_session(true);
        assert_eq!((owed.done(1, 2, success()), owed.done(1, 3, success())), (None, Some((3, success()))));
    }

    #[test]
    fn an_end_has_been_heard_when_all_have_heard_it() {
        let mut owed = Owed::default();
        owed.open_end(5, vec![1, 2]);
        assert!(!owed.heard(1, 5));
        assert!(owed.heard(2, 5));
        // That of a publish of this process has one who hears it.
        assert!(owed.heard(1, 6));
    }
}
