//! Where the flows report to: to the program, to the log, to the counters.

use super::breaches::Breaches;
use super::event::{Event, Outcome, Stage, Token};
use super::figures::Counters;
use super::record::Log;
use crate::codec::buffers::Spent;
use crate::types::status::Status;
use std::collections::VecDeque;

/// What a flow has at hand beside its own state.
pub(super) struct Sink<'a> {
    pub events: &'a mut VecDeque<Event>,
    pub counters: &'a mut Counters,
    pub breaches: &'a mut Breaches,
    pub log: &'a mut Log,
    /// Messages that nobody needs any more.
    pub spent: &'a mut Spent,
    /// Whether the program wants to know how far its publishes are.
    pub progress: bool,
    /// Whether QoS 0 publishes end with an event too when they were sent or superseded.
    pub every_end: bool,
}

impl Sink<'_> {
    /// The end of a QoS 1 or 2 publish. Who is told that it failed may publish it anew: after a crash the next process must not
    /// send it all the same. What is in doubt may come twice anyway, and no process sends what has expired.
    pub fn end(&mut self, token: Token, outcome: Outcome) {
        if !matches!(outcome.failure, None | Some(Status::SessionLost | Status::Expired)) {
            return self.end_when_durable(token, outcome);
        }
        self.log.end(token, &outcome);
        self.events.push_back(Event::Published { token, outcome });
    }

    /// The same, told as soon as the next process knows of it.
    pub fn end_when_durable(&mut self, token: Token, outcome: Outcome) {
        self.log.end(token, &outcome);
        self.tell_when_durable(Event::Published { token, outcome });
    }

    /// Tells of what the next process must know of, too; at once if nothing is stored.
    pub fn tell_when_durable(&mut self, event: Event) {
        if self.log.is_on() {
            self.log.tell_when_durable(event);
        } else {
            self.events.push_back(event);
        }
    }

    /// The end of a QoS 0 publish of which the program isn't told.
    pub fn end_of_qos0(&mut self, token: Token, outcome: Outcome) {
        if self.every_end {
            self.events.push_back(Event::Published { token, outcome });
        }
    }

    pub fn tell(&mut self, token: Token, stage: Stage) {
        if self.progress {
            self.events.push_back(Event::Progress { token, stage });
        }
    }

    /// A publish that was sent before it was durable is told to be both when it is.
    pub fn tell_sent(&mut self, token: Token, recorded: u64) {
        if self.log.is_durable(recorded) {
            self.tell(token, Stage::Sent);
        } else if self.progress {
            self.log.tell_when_durable(Event::Progress { token, stage: Stage::Sent });
        }
    }
}

/// The fields of the Session that the flows report to, borrowed apart from the others.
macro_rules! sink {
    ($session:ident) => {
        $crate::session::sink::Sink {
            events: &mut $session.events,
            counters: &mut $session.counters,
            breaches: &mut $session.breaches,
            log: &mut $session.log,
            spent: &mut $session.spent,
            progress: $session.options.progress,
            every_end: $session.options.every_end,
        }
    };
}
pub(super) use sink;
