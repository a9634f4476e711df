//! What of a Session outlives the process: records, each under a key, and the changes of them that wait to be stored.
//!
//! The Session doesn't store anything itself. It collects changes in batches; whoever stores them says when a batch is
//! durable, and what had to wait for that goes on. What comes and goes within one batch is never stored at all.

use super::event::{Event, Outcome, Token};
use crate::codec::PacketId;
use crate::codec::message::Message;
use crate::codec::property::PropertiesBuf;
use crate::codec::subscribe::SubscriptionOptions;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// What a record belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The Server has a Session of ours.
    Session,
    /// An accepted QoS 1 or 2 publish, by its number.
    Publish(u64),
    /// The state of a publish that was sent, by the same number.
    Flow(u64),
    /// A received QoS 2 Packet Identifier between PUBREC and PUBREL.
    Received(PacketId),
    /// A message that was acknowledged on arrival and that the program hasn't taken, by the number of its delivery.
    Arrival(u64),
    /// A Topic Filter.
    Subscription(String),
    /// A message key that the program is done with, by the order in which it was.
    Done(u64),
    /// How a publish ended, of which the program hasn't heard, by its token.
    Ended(u64),
    /// A Server that has, or may still have, a Session of ours; there are several.
    Server(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Session,
    Publish {
        token: Token,
        message: Message,
        priority: bool,
        /// It was sent in a Session that is lost.
        perhaps_arrived: bool,
        conflation_key: Option<Arc<str>>,
        expires: Option<Instant>,
        message_expires: Option<Instant>,
    },
    Flow {
        token: Token,
        packet_id: PacketId,
        /// The place among the PUBLISH or PUBREL packets that may have to be sent again.
        order: u64,
        /// PUBREC was seen.
        released: bool,
    },
    Received {
        /// What its message is recognised by; `None` in a store of a version that didn't say.
        content: Option<u64>,
    },
    Arrival {
        packet_id: PacketId,
        message: Message,
    },
    Subscription {
        options: SubscriptionOptions,
        properties: PropertiesBuf,
        /// False as long as it is to be made again, because the Server has lost the Session.
        granted: bool,
    },
    Done {
        message_key: Box<[u8]>,
    },
    Ended {
        outcome: Outcome,
    },
    Server {
        /// The Session that we go on with is its.
        home: bool,
        /// When one that was left behind has expired; `None` if it never does.
        until: Option<Instant>,
        /// Packet Identifiers that can't be used there.
        ids: Vec<PacketId>,
    },
}

/// Changes that are to be stored together: `None` removes the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub number: u64,
    pub changes: Vec<(Key, Option<Record>)>,
}

#[derive(Debug)]
enum Change {
    /// The first record under its key: nothing is stored yet.
    Add(Record),
    Replace(Record),
    Remove,
}

#[derive(Debug)]
pub(super) struct Log {
    /// Whether anything is stored at all. If not, everything counts as durable at once.
    on: bool,
    changes: BTreeMap<Key, Change>,
    /// The number of the batch that is being collected.
    collecting: u64,
    /// The last batch that is durable, and all before it.
    durable: u64,
    /// Whether somebody may wait for the batch that is being collected.
    awaited: bool,
    /// What is to be told of publishes when a batch is durable.
    told: VecDeque<(u64, Event)>,
    /// Publishes whose end is recorded, as the program hasn't heard of it.
    unheard: BTreeSet<Token>,
}

impl Log {
    pub fn new() -> Self {
        Log {
            on: false,
            changes: BTreeMap::new(),
            collecting: 0,
            durable: 0,
            awaited: false,
            told: VecDeque::new(),
            unheard: BTreeSet::new(),
        }
    }

    pub fn switch_on(&mut self) {
        self.on = true;
        self.collecting = 1;
    }

    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Records something new. Returns the batch in which it becomes durable.
    pub fn add(&mut self, key: Key, record: impl FnOnce() -> Record) -> u64 {
        self.change(key, true, record)
    }

    /// Records a new state of something that may be stored already.
    pub fn replace(&mut self, key: Key, record: impl FnOnce() -> Record) -> u64 {
        self.change(key, false, record)
    }

    fn change(&mut self, key: Key, new: bool, record: impl FnOnce() -> Record) -> u64 {
        if self.on {
            let new = match self.changes.get(&key) {
                Some(Change::Add(_)) => true,
                Some(_) => false,
                None => new,
            };
            let record = record();
            self.changes.insert(key, if new { Change::Add(record) } else { Change::Replace(record) });
            self.awaited = true;
        }
        self.collecting
    }

    pub fn remove(&mut self, key: Key) -> u64 {
        if self.on {
            if matches!(self.changes.get(&key), Some(Change::Add(_))) {
                self.changes.remove(&key);
            } else {
                self.changes.insert(key, Change::Remove);
            }
            self.awaited = true;
        }
        self.collecting
    }

    /// A publish has ended: who forgot that before the program heard of it would leave its token without an end.
    pub fn end(&mut self, token: Token, outcome: &Outcome) {
        if self.on {
            self.add(Key::Ended(token as u64), || Record::Ended { outcome: outcome.clone() });
            self.unheard.insert(token);
        }
    }

    /// An end that an earlier process had recorded is told once more.
    pub fn restore_end(&mut self, token: Token) {
        self.unheard.insert(token);
    }

    /// The program has heard how this publish ended.
    pub fn heard(&mut self, token: Token) {
        if self.unheard.remove(&token) {
            self.remove(Key::Ended(token as u64));
        }
    }

    pub fn has_unheard(&self) -> bool {
        !self.unheard.is_empty()
    }

    /// Has that told when what was recorded so far is durable.
    pub fn tell_when_durable(&mut self, event: Event) {
        if self.on {
            self.told.push_back((self.collecting, event));
        }
    }

    pub fn is_durable(&self, batch: u64) -> bool {
        batch <= self.durable
    }

    /// The last batch that holds anything.
    pub fn latest(&self) -> u64 {
        if self.awaited { self.collecting } else { self.collecting.saturating_sub(1) }
    }

    pub fn has_changes(&self) -> bool {
        self.awaited
    }

    pub fn take(&mut self) -> Option<Batch> {
        if !std::mem::take(&mut self.awaited) {
            return None;
        }
        let changes = std::mem::take(&mut self.changes).into_iter().map(|(key, change)| match change {
            Change::Add(record) | Change::Replace(record) => (key, Some(record)),
            Change::Remove => (key, None),
        });
        let batch = Batch { number: self.collecting, changes: changes.collect() };
        self.collecting += 1;
        Some(batch)
    }

    /// Everything up to this batch is durable.
    pub fn confirm(&mut self, batch: u64) {
        self.durable = self.durable.max(batch);
    }

    /// What is to be told next.
    pub fn take_told(&mut self) -> Option<Event> {
        let due = self.told.front().is_some_and(|(batch, _)| self.is_durable(*batch));
        if due { self.told.pop_front().map(|(_, event)| event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::event::Stage;

    fn log() -> Log {
        let mut log = Log::new();
        log.switch_on();
        log
    }

    #[test]
    fn what_comes_and_goes_within_a_batch_is_not_stored_but_its_batch_is_still_confirmed() {
        let mut log = log();
        assert_eq!(log.take(), None);
        let batch = log.add(Key::Session, || Record::Session);
        log.remove(Key::Session);
        assert_eq!(log.take(), Some(Batch { number: batch, changes: Vec::new() }));
        assert!(!log.is_durable(batch));
        log.confirm(batch);
        assert!(log.is_durable(batch) && !log.has_changes());
    }

    #[test]
    fn what_may_be_stored_already_is_removed_though_it_was_changed_meanwhile() {
        let mut log = log();
        log.add(Key::Publish(1), || Record::Session);
        log.take();
        log.replace(Key::Publish(1), || Record::Session);
        log.remove(Key::Publish(1));
        assert_eq!(log.take().unwrap().changes, [(Key::Publish(1), None)]);
        // Removed and added again.
        log.remove(Key::Publish(2));
        log.add(Key::Publish(2), || Record::Session);
        log.remove(Key::Publish(2));
        assert_eq!(log.take().unwrap().changes, [(Key::Publish(2), None)]);
    }

    #[test]
    fn a_log_that_is_off_holds_nothing_and_everything_is_durable() {
        let mut log = Log::new();
        let batch = log.add(Key::Session, || unreachable!());
        log.tell_when_durable(Event::Progress { token: 1, stage: Stage::Durable });
        assert!(log.is_durable(batch) && log.take().is_none() && log.take_told().is_none());
    }
}
