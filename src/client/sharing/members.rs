//! A program as the switchboard sees it: its inbox, and whether it keeps others waiting.
//!
//! Whatever is locked here belongs to one program, whose thread may have been ended while it had the lock. So each lock is
//! waited for with a bound, and a program that has left one locked is not spoken to again.

use super::LONGEST_LOCK;
use super::filters::ProgramId;
use crate::client::clock;
use crate::client::command::Command;
use crate::client::events::{Missed, NoticeKind};
use crate::client::lock::LeftLocked;
use crate::client::notice::MissedCount;
use crate::client::shared::{Shared, State};
use crate::client::statistics::Snapshot;
use crate::session::event::Token;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

pub(super) struct Member {
    pub id: ProgramId,
    pub program: Arc<Shared>,
    /// Empty: it has none, and nobody takes its place.
    pub inbox: String,
    /// After so long without a sign of life others don't wait for it.
    pub release: Duration,
    /// Whether it wants to be connected. Those that don't any more are kept until somebody else connects.
    pub wanted: bool,
    /// One of its locks was not given back: its thread was ended, or gets no processor.
    pub out_of_reach: bool,
    /// Events that it didn't get for that reason.
    lost: u64,
    /// Its inbox is full since then, with so many events in it.
    full: Option<(Instant, usize)>,
    /// Since when it owes something: it got a message that it isn't done with, or was done with another one, at this time.
    pub owing: Option<Instant>,
    /// It was too slow: its messages are counted instead of kept, until it takes the event that tells it so.
    missing: Option<Arc<MissedCount>>,
    /// Messages that it has missed in all.
    pub missed: u64,
}

impl Member {
    pub fn new(id: ProgramId, program: Arc<Shared>, inbox: &str, release: Duration) -> Member {
        Member {
            id,
            program,
            inbox: inbox.to_owned(),
            release,
            wanted: true,
            out_of_reach: false,
            lost: 0,
            full: None,
            owing: None,
            missing: None,
            missed: 0,
        }
    }

    /// Another program takes the place, with all that is to be done. Returns how many messages the one before has missed, and
    /// wasn't told of.
    pub fn replace(&mut self, program: Arc<Shared>, release: Duration) -> u64 {
        let missed = self.missing.take().map_or(0, |counter| counter.take());
        *self = Member { missed: self.missed, ..Member::new(self.id, program, &self.inbox.clone(), release) };
        missed
    }

    /// Puts a notice into the inbox.
    pub fn give(&mut self, kind: NoticeKind) {
        if !self.out_of_reach {
            self.out_of_reach = !self.program.events.push_until(kind, deadline());
        }
        self.lost += u64::from(self.out_of_reach);
    }

    /// Whether its inbox has room for messages, and they don't count as missed instead.
    pub fn takes_messages(&self) -> bool {
        let misses = self.missing.as_ref().is_some_and(|counter| !counter.is_told());
        !(misses || self.out_of_reach || self.program.events.is_blocked())
    }

    /// Puts a message into the inbox. False if it counts as missed instead.
    pub fn give_message(&mut self, kind: NoticeKind) -> bool {
        self.find_back();
        if let Some(counter) = &self.missing {
            counter.add(1);
            self.missed += 1;
            return false;
        }
        self.give(kind);
        if self.out_of_reach {
            // It counts as missed, and not as dropped too.
            self.lost -= 1;
            self.count_instead(1);
        }
        !self.out_of_reach
    }

    /// The connection has failed for good.
    pub fn fail(&mut self, kind: &NoticeKind) {
        let program = &self.program;
        let fail = || program.set_state(State::Failed);
        let reached = self.wanted && !self.out_of_reach;
        if !(reached && program.events.push_then_until(kind.clone(), deadline(), fail)) {
            fail();
        }
    }

    pub fn set_state(&mut self, state: State) {
        self.program.set_state(state);
    }

    /// The figures of the connection.
    pub fn mirror(&mut self, figures: &Snapshot) {
        if self.out_of_reach {
            return;
        }
        match self.program.snapshot.try_lock_until(deadline()) {
            Some(mut snapshot) => {
                *snapshot = Snapshot { missed: self.missed, ..*figures };
                self.program.publish_limits.set_server(figures.told.limits);
            }
            None => self.out_of_reach = true,
        }
    }

    /// The program isn't connected any more: what was said of the connection holds for it no longer.
    pub fn let_go(&mut self) {
        if !self.out_of_reach {
            match self.program.snapshot.try_lock_until(deadline()) {
                Some(mut snapshot) => {
                    snapshot.programs = 0;
                    (snapshot.told.limits, snapshot.told.version) = (None, None);
                    self.program.publish_limits.set_server(None);
                }
                None => self.out_of_reach = true,
            }
        }
        self.set_state(State::Idle);
    }

    pub fn count_drops(&mut self, count: u64) {
        if !self.out_of_reach {
            self.out_of_reach = !self.program.events.count_drops_until(count, deadline());
        }
    }

    /// What the program asks for next.
    pub fn next_command(&mut self) -> Option<Command> {
        match self.program.next_command_until(deadline()) {
            Ok(command) => command,
            Err(LeftLocked) => {
                self.out_of_reach = true;
                None
            }
        }
    }

    /// Publishes whose end the program will never poll.
    pub fn take_untold(&mut self) -> Vec<Token> {
        let untold = self.program.events.take_untold_until(deadline());
        self.out_of_reach |= untold.is_none();
        untold.unwrap_or_default()
    }

    /// Looks whether a program that was out of reach lives after all. It knows then what it has missed.
    fn try_to_reach(&mut self) {
        let now = clock::now();
        if !self.out_of_reach || self.program.snapshot.try_lock().is_none() || !self.program.can_be_reached(now) {
            return;
        }
        self.out_of_reach = false;
        let lost = std::mem::take(&mut self.lost);
        self.count_drops(lost);
        if let Some(counter) = &self.missing {
            let missed = Missed::new(counter.clone());
            self.give(NoticeKind::Missed(missed));
        }
    }

    /// Looks at the inbox. True if it is full, so that others have to wait, if there are `others`.
    pub fn is_full(&mut self, now: Instant, others: bool) -> bool {
        self.try_to_reach();
        if !self.wanted || self.out_of_reach {
            self.full = None;
            // If it lives after all, it wakes us when it takes something.
            self.program.reading_paused.store(self.out_of_reach, Ordering::Release);
            return false;
        }
        self.find_back();
        let events = &self.program.events;
        // The program wakes us when it makes room, but only if it sees the flag. So we look again after setting it.
        let may_block = self.missing.is_some() || events.is_blocked();
        self.program.reading_paused.store(may_block, Ordering::Release);
        fence(Ordering::SeqCst);
        let (is_full, count) = (self.missing.is_none() && events.is_blocked(), events.len());
        self.full = match self.full {
            _ if !is_full => None,
            Some((since, before)) if others && count >= before => Some((since, before.max(count))),
            // It takes something, or keeps nobody waiting.
            _ => Some((now, count)),
        };
        is_full
    }

    /// When its messages are given up for others, if it takes none until then.
    pub fn gives_up_at(&self) -> Option<Instant> {
        self.full.map(|(since, _)| since + self.release)
    }

    /// When the Server isn't kept waiting for it any longer.
    pub fn overdue_at(&self) -> Option<Instant> {
        self.owing.map(|since| since + self.release)
    }

    /// Takes the messages out of the inbox, for a program that takes the place.
    pub fn take_messages(&mut self) -> Vec<NoticeKind> {
        let taken = if self.out_of_reach { None } else { self.program.events.take_messages_until(deadline()) };
        taken.into_iter().flatten().map(|notice| notice.kind).collect()
    }

    /// Empties the inbox of its messages, and counts what comes from now on.
    pub fn give_up_messages(&mut self) {
        let Some(messages) = self.program.events.take_messages_until(deadline()) else {
            self.out_of_reach = true;
            self.full = None;
            return;
        };
        self.count_instead(messages.len() as u64);
    }

    /// The program will never fetch these messages; one that takes its place is told.
    pub fn count_instead(&mut self, messages: u64) {
        self.full = None;
        self.missed += messages;
        match &self.missing {
            Some(counter) => counter.add(messages),
            None => {
                let counter = Arc::new(MissedCount::default());
                counter.add(messages);
                self.missing = Some(counter.clone());
                if !self.out_of_reach {
                    self.give(NoticeKind::Missed(Missed::new(counter)));
                }
            }
        }
    }

    /// If the program knows that it has missed messages, it gets them again from now on.
    fn find_back(&mut self) {
        let Some(counter) = self.missing.take_if(|counter| counter.is_told()) else { return };
        // What was counted after the program had taken that event is told by another event.
        let late = counter.take();
        if late > 0 {
            self.tell_missed(late);
        }
    }

    pub fn tell_missed(&mut self, count: u64) {
        let counter = Arc::new(MissedCount::default());
        counter.add(count);
        self.give(NoticeKind::Missed(Missed::new(counter)));
    }
}

fn deadline() -> Instant {
    clock::now() + LONGEST_LOCK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::options::IntOption;
    use crate::codec::message::Message;
    use crate::codec::property::Properties;
    use crate::session::event::Event;
    use crate::types::QoS;
    use crate::types::topic::TopicName;

    fn message(payload: &str) -> NoticeKind {
        let topic = TopicName::new("t").unwrap();
        let message = Message::new(topic, payload.as_bytes(), QoS::AtLeastOnce, false, Properties::EMPTY);
        NoticeKind::Session(Event::Message { message, delivery: Some(1), packet_id: None, seen_before: false })
    }

    /// What the program polls: the payload of a message, or how many it has missed.
    fn polled(client: &Client) -> Option<String> {
        let read = |notice: &crate::client::events::Notice| match &notice.kind {
            NoticeKind::Session(Event::Message { message, .. }) => {
                String::from_utf8_lossy(message.payload()).into_owned()
            }
            NoticeKind::Missed(missed) => format!("missed {}", missed.count),
            other => panic!("{other:?}"),
        };
        client.poll(read).ok().flatten()
    }

    #[test]
    fn a_program_that_was_only_slow_to_give_back_a_lock_knows_what_it_has_missed() {
        let client = Client::sharing("slow to give back", "").ok().unwrap();
        let mut member = Member::new(1, client.shared.clone(), "", Duration::from_secs(1));
        assert!(member.give_message(message("before")));
        let held = client.shared.snapshot.lock();
        member.mirror(&Snapshot::default());
        assert!(member.out_of_reach);
        // Nobody waits for it any more.
        let start = clock::now();
        for _ in 0..100 {
            assert!(!member.give_message(message("missed")));
            member.mirror(&Snapshot::default());
            assert!(!member.is_full(clock::now(), true));
        }
        assert!(clock::now() - start < LONGEST_LOCK);
        drop(held);
        assert!(!member.is_full(clock::now(), true) && !member.out_of_reach);
        assert_eq!((polled(&client), polled(&client)), (Some("before".to_owned()), Some("missed 100".to_owned())));
        assert!(member.give_message(message("after")));
        assert_eq!((polled(&client), polled(&client)), (Some("after".to_owned()), None));
        assert_eq!(client.statistics().events_dropped, 0);
    }
    #[test]
    fn a_program_that_has_left_keeps_nobody_waiting_for_its_full_inbox() {
        let client = Client::sharing("left with a full inbox", "").ok().unwrap();
        client.set_option(|options, idle| options.set_int(IntOption::EventsMaximum as i32, 1, idle)).unwrap();
        let mut member = Member::new(1, client.shared.clone(), "", Duration::from_secs(1));
        assert!(member.give_message(message("unread")) && member.is_full(clock::now(), true));
        member.wanted = false;
        assert!(!member.is_full(clock::now(), true));
    }
}
