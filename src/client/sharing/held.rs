//! One subscription at the Server, and the programs that hold it.

use super::filters::ProgramId;
use crate::codec::subscribe::{RetainHandling, SubscriptionOptions};
use crate::types::topic::{TopicFilter, TopicName};
use std::collections::VecDeque;

/// So many identifiers of a filter are remembered. A message that is under way while the filter is subscribed to more often
/// than that, be it by many programs twice each, is matched by its Topic Name instead.
pub(super) const IDENTIFIERS_KEPT: usize = 16;

pub(super) struct Holder {
    pub program: ProgramId,
    pub options: SubscriptionOptions,
}

/// One SUBSCRIBE.
pub(super) struct Identifier {
    pub number: u32,
    /// Who gets the retained messages that the Server sends for it.
    pub retained_for: Vec<ProgramId>,
    /// The Server sends none.
    pub is_silent: bool,
}

/// One subscription at the Server.
pub(super) struct Held {
    pub filter: String,
    pub holders: Vec<Holder>,
    pub identifiers: VecDeque<Identifier>,
    /// The identifier with which it was granted last.
    pub granted: Option<u32>,
    /// The Server may know it without an identifier.
    pub unidentified: bool,
    /// The Server has granted it.
    pub is_there: bool,
    /// Of a Shared Subscription: whose turn it is.
    pub turn: usize,
}

impl Held {
    pub fn new(filter: &str) -> Held {
        Held {
            filter: filter.to_owned(),
            holders: Vec::new(),
            identifiers: VecDeque::new(),
            granted: None,
            unidentified: false,
            is_there: false,
            turn: 0,
        }
    }

    pub fn programs(&self) -> Vec<ProgramId> {
        self.holders.iter().map(|holder| holder.program).collect()
    }

    /// The options that serve all who hold it. It has at least one holder.
    pub fn options(&self) -> SubscriptionOptions {
        let mut all = self.holders.iter().map(|holder| holder.options);
        let first = all.next().expect("a Topic Filter that somebody holds");
        all.fold(first, |all, one| SubscriptionOptions {
            maximum_qos: all.maximum_qos.max(one.maximum_qos),
            retain_handling: match (all.retain_handling, one.retain_handling) {
                (RetainHandling::Never, RetainHandling::Never) => RetainHandling::Never,
                _ => RetainHandling::Always,
            },
            ..all
        })
    }

    pub fn identify(&mut self, number: u32, retained_for: Vec<ProgramId>, is_silent: bool) {
        self.identifiers.push_back(Identifier { number, retained_for, is_silent });
        // When a connection is there again, all may subscribe anew at once.
        if self.identifiers.len() > IDENTIFIERS_KEPT.max(2 * self.holders.len()) {
            self.identifiers.pop_front();
        }
    }

    pub fn identifier(&self, number: u32) -> Option<&Identifier> {
        self.identifiers.iter().find(|identifier| identifier.number == number)
    }

    pub fn is_shared(&self) -> bool {
        TopicFilter::new(&self.filter).is_ok_and(TopicFilter::is_shared)
    }

    /// All who hold it, or those among `only`. Of a Shared Subscription it is one of them, each in turn, as each message is
    /// for one.
    pub fn next_recipients(&mut self, only: Option<&[ProgramId]>, takes: impl Fn(ProgramId) -> bool) -> Vec<ProgramId> {
        let mut programs = self.programs();
        programs.retain(|program| only.is_none_or(|only| only.contains(program)));
        if self.is_shared() && !programs.is_empty() {
            // A message that this program would lose is given to another holder.
            if programs.iter().any(|program| takes(*program)) {
                programs.retain(|program| takes(*program));
            }
            self.turn = self.turn.wrapping_add(1);
            programs = vec![programs[self.turn % programs.len()]];
        }
        programs
    }
}

/// Whether a message with this Topic Name is for a subscription to this filter.
pub(super) fn fits(filter: &str, topic: TopicName<'_>) -> bool {
    TopicFilter::new(filter).is_ok_and(|filter| filter.matches(topic))
}
