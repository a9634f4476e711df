//! Whether a follower copied the master: a comparison of what the master wrote down with what stands on the follower's account,
//! and of both with what this program did to the processes. The follower's own opinion isn't asked; of its journal only the
//! times of arrival are used, and an excuse that they give (nothing was received) holds only during an outage which this
//! program itself has caused.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Action, Book};
use crate::difference;
use crate::journal::{Execution, FollowerRecord, MasterRecord};
use crate::rules::Rules;
use crate::run::Outage;

/// A state that was published this long before a kill may have been lost with it, on its way through the Server.
const ON_ITS_WAY_US: i64 = 1_000_000;

#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub master: &'a [MasterRecord],
    pub received: &'a [FollowerRecord],
    pub account: &'a [Execution],
    pub rules: &'a Rules,
    pub outages: &'a [Outage],
}

/// Of trades or of pending orders, by the master's identifiers.
#[derive(Debug, Default, PartialEq)]
pub struct Tally {
    pub copied: usize,
    /// Lived wholly inside an outage: the follower never heard of them.
    pub skipped: Vec<u64>,
    pub missed: Vec<u64>,
    pub doubled: Vec<u64>,
    /// On the account, but never asked for by the master and the rules.
    pub uncalled: Vec<u64>,
}

#[derive(Debug, Default)]
pub struct Verdict {
    pub name: String,
    pub trades: Tally,
    pub orders: Tally,
    /// In what the account at the end differs from the master's last book and the rules.
    pub book: Vec<String>,
    /// States after whose execution the account was not what the rules want.
    pub wrong_states: usize,
    pub states: usize,
    /// From the master's publish call to the follower having the message, in microseconds, sorted; without the late ones.
    pub latencies: Vec<i64>,
    /// Messages that had to wait for the end of an outage or were retained ones.
    pub late: usize,
    /// From each kill to the first state received after it, in microseconds.
    pub outages: Vec<i64>,
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        let good = |t: &Tally| t.missed.is_empty() && t.doubled.is_empty() && t.uncalled.is_empty();
        good(&self.trades) && good(&self.orders) && self.book.is_empty() && self.wrong_states == 0
    }
}

/// The states in which something was there.
struct Life {
    first_us: i64,
    /// None: it is there at the end.
    gone_us: Option<i64>,
    received: bool,
}

struct Received {
    seq: u64,
    sent_us: i64,
    received_us: i64,
    retained: bool,
    applied: bool,
}

impl Evidence<'_> {
    pub fn verdict(self) -> Verdict {
        let received = self.received_states();
        let outages = self.outage_times(&received);
        // What a kill interrupted may not have been executed, and the next state may not speak of it any more.
        let whole = received.iter().enumerate().filter(|(index, _)| !self.is_interrupted(&received, *index));
        let heard: BTreeSet<u64> = whole.map(|(_, r)| r.seq).collect();
        let opened = |action: &Action| match action {
            Action::Open { position } => Some(position.id),
            _ => None,
        };
        let placed = |action: &Action| match action {
            Action::Place { order } => Some(order.id),
            _ => None,
        };
        let trades = self.lives(&heard, |book| book.positions.keys().copied().collect());
        let orders = self.lives(&heard, |book| book.orders.keys().copied().collect());
        let (latencies, late) = self.latencies(&received, &outages);
        let (states, wrong_states) = self.states(&received);
        Verdict {
            name: String::new(),
            trades: tally(&trades, &self.counts(opened), &outages),
            orders: tally(&orders, &self.counts(placed), &outages),
            book: self.final_book(),
            states,
            wrong_states,
            latencies,
            late,
            outages: outages.iter().map(|(from, until)| until - from).collect(),
        }
    }

    fn received_states(&self) -> Vec<Received> {
        let states = self.received.iter().filter_map(|record| match *record {
            FollowerRecord::Received { seq, sent_us, received_us, retained, applied } => {
                Some(Received { seq, sent_us, received_us, retained, applied })
            }
            FollowerRecord::Connection { .. } => None,
        });
        states.collect()
    }

    /// From the kill to the first state that was sent and received after it (or that was retained). One that doesn't end
    /// excuses nothing after the last record.
    fn outage_times(&self, received: &[Received]) -> Vec<(i64, i64)> {
        let end = |killed_us: i64| {
            received
                .iter()
                .find(|r| r.received_us > killed_us && (r.retained || r.sent_us > killed_us))
                .map_or(killed_us, |r| r.received_us)
        };
        self.outages.iter().map(|o| (o.killed_us, end(o.killed_us))).collect()
    }

    /// What the rules want copied, by identifier.
    fn lives(&self, heard: &BTreeSet<u64>, ids: impl Fn(&Book) -> Vec<u64>) -> BTreeMap<u64, Life> {
        let mut lives: BTreeMap<u64, Life> = BTreeMap::new();
        let mut before: BTreeSet<u64> = BTreeSet::new();
        for record in self.master {
            let MasterRecord::Change { seq, time_us, book } = record else { continue };
            let now: BTreeSet<u64> = ids(&self.rules.wanted(book)).into_iter().collect();
            for gone in before.difference(&now) {
                if let Some(life) = lives.get_mut(gone) {
                    life.gone_us = Some(*time_us);
                }
            }
            for id in &now {
                let life = lives.entry(*id).or_insert(Life { first_us: *time_us, gone_us: None, received: false });
                life.gone_us = None;
                life.received |= heard.contains(seq);
            }
            before = now;
        }
        lives
    }

    fn counts(&self, id: impl Fn(&Action) -> Option<u64>) -> BTreeMap<u64, usize> {
        let mut counts = BTreeMap::new();
        for id in self.account.iter().filter_map(|execution| id(&execution.action)) {
            *counts.entry(id).or_default() += 1;
        }
        counts
    }

    fn final_book(&self) -> Vec<String> {
        let mut book = Book::default();
        let failed = self.account.iter().filter_map(|execution| book.apply(&execution.action).err());
        let mut differences: Vec<String> = failed.map(|why| format!("the account's journal: {why}")).collect();
        let last = self.master.iter().rev().find_map(|record| match record {
            MasterRecord::Change { book, .. } => Some(book),
            _ => None,
        });
        differences.extend(difference::in_words(&book, &self.rules.wanted(last.unwrap_or(&Book::default()))));
        differences
    }

    /// Replays the account along the states received: after each one the account must be what the rules want of it. How many
    /// were compared, and how many were wrong. A state that a kill interrupted isn't compared; the next one is.
    fn states(&self, received: &[Received]) -> (usize, usize) {
        let books: BTreeMap<u64, &Book> = self
            .master
            .iter()
            .filter_map(|record| match record {
                MasterRecord::Change { seq, book, .. } => Some((*seq, book)),
                _ => None,
            })
            .collect();
        let mut own = Book::default();
        let mut executions = self.account.iter().peekable();
        let (mut compared, mut wrong) = (0, 0);
        for (index, state) in received.iter().enumerate() {
            let until = received.get(index + 1).map_or(i64::MAX, |next| next.received_us);
            while let Some(execution) = executions.next_if(|e| e.time_us < until) {
                let _ = own.apply(&execution.action); // counted by `final_book`
            }
            if !state.applied || self.is_interrupted(received, index) {
                continue;
            }
            compared += 1;
            let wanted = books.get(&state.seq).map(|book| self.rules.wanted(book));
            if wanted.is_none_or(|wanted| !difference::actions(&own, &wanted).is_empty()) {
                wrong += 1;
            }
        }
        (compared, wrong)
    }

    /// Whether the follower was killed between this state and the next one that it received.
    fn is_interrupted(&self, received: &[Received], index: usize) -> bool {
        let Some(next) = received.get(index + 1) else { return false };
        let between = received[index].received_us..next.received_us;
        self.outages.iter().any(|outage| outage.follower.is_some() && between.contains(&outage.killed_us))
    }

    fn latencies(&self, received: &[Received], outages: &[(i64, i64)]) -> (Vec<i64>, usize) {
        let mut down = outages.to_vec();
        down.extend(without_connection(self.master.iter().filter_map(|record| match record {
            MasterRecord::Connection { up, time_us } => Some((*up, *time_us)),
            _ => None,
        })));
        down.extend(without_connection(self.received.iter().filter_map(|record| match record {
            FollowerRecord::Connection { up, time_us } => Some((*up, *time_us)),
            _ => None,
        })));
        let late = |r: &&Received| {
            r.retained || down.iter().any(|(from, until)| r.sent_us <= *until && r.received_us >= *from)
        };
        let (late, prompt): (Vec<&Received>, Vec<&Received>) = received.iter().partition(late);
        let mut latencies: Vec<i64> = prompt.iter().map(|r| r.received_us - r.sent_us).collect();
        latencies.sort_unstable();
        (latencies, late.len())
    }
}

/// The times between a connection's end and the next one.
fn without_connection(connections: impl Iterator<Item = (bool, i64)>) -> Vec<(i64, i64)> {
    let mut gaps = Vec::new();
    let mut since = None;
    for (up, time_us) in connections {
        match (up, since) {
            (false, None) => since = Some(time_us),
            (true, Some(from)) => {
                gaps.push((from, time_us));
                since = None;
            }
            _ => {}
        }
    }
    gaps
}

fn tally(lives: &BTreeMap<u64, Life>, counts: &BTreeMap<u64, usize>, outages: &[(i64, i64)]) -> Tally {
    let mut tally = Tally::default();
    for (id, life) in lives {
        let inside = |(from, until): &(i64, i64)| {
            life.first_us >= from - ON_ITS_WAY_US && life.gone_us.is_some_and(|gone_us| gone_us <= *until)
        };
        match counts.get(id).copied().unwrap_or(0) {
            0 if !life.received && outages.iter().any(inside) => tally.skipped.push(*id),
            0 => tally.missed.push(*id),
            1 => tally.copied += 1,
            _ => tally.doubled.push(*id),
        }
    }
    tally.uncalled = counts.keys().filter(|id| !lives.contains_key(id)).copied().collect();
    tally
}

#[cfg(test)]
mod tests;
