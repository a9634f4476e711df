//! How far each QoS 1 or 2 publish is, for programs that ask (option PROGRESS).

use super::lock::Lock;
use crate::session::event::{Outcome, Stage, Token};
use crate::types::status::Status;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};

/// So many ended publishes are remembered.
const REMEMBERED: usize = 65_536;

#[derive(Debug, Default)]
pub(super) struct Stages {
    /// The option PROGRESS: 0 off, 1 to be asked, 2 events too.
    level: AtomicI64,
    known: Lock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    stages: HashMap<Token, Stage>,
    ended: VecDeque<Token>,
}

impl Stages {
    pub fn set_level(&self, level: i64) {
        self.level.store(level, Ordering::Release);
        if level == 0 {
            *self.known.lock() = Known::default();
        }
    }

    pub fn are_kept(&self) -> bool {
        self.level.load(Ordering::Acquire) > 0
    }

    /// A publish has got to this stage. Returns whether the program is to be told.
    pub fn note(&self, token: Token, stage: Stage) -> bool {
        self.advance(token, stage) && self.level.load(Ordering::Acquire) > 1
    }

    /// A publish has got to this stage. False if it had ended before: the end overtook it.
    pub fn advance(&self, token: Token, stage: Stage) -> bool {
        if !self.are_kept() {
            return false;
        }
        let mut known = self.known.lock();
        let entry = known.stages.entry(token).or_insert(stage);
        let goes_on = *entry as i32 <= stage as i32;
        if goes_on {
            *entry = stage;
        }
        goes_on
    }

    /// A publish has ended.
    pub fn end(&self, token: Token, outcome: &Outcome) {
        if !self.are_kept() {
            return;
        }
        let stage = match outcome.failure {
            None => Stage::Complete,
            Some(Status::Expired) => Stage::Expired,
            Some(Status::Dropped | Status::Superseded | Status::QueueFull | Status::Cancelled) => Stage::Dropped,
            Some(_) => Stage::Failed,
        };
        let mut known = self.known.lock();
        known.stages.insert(token, stage);
        known.ended.push_back(token);
        if known.ended.len() > REMEMBERED
            && let Some(oldest) = known.ended.pop_front()
        {
            known.stages.remove(&oldest);
        }
    }

    /// Locks them for good.
    pub fn leave_locked(&self) {
        self.known.leave_locked();
    }

    pub fn get(&self, token: Token) -> Option<Stage> {
        self.known.lock().stages.get(&token).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Outcome {
        Outcome { failure: None, reason: None, properties: Default::default() }
    }

    #[test]
    fn a_publish_that_has_ended_doesn_t_become_durable_afterwards() {
        let stages = Stages::default();
        stages.set_level(2);
        assert!(stages.advance(1, Stage::Accepted) && stages.advance(1, Stage::Sent));
        stages.end(1, &complete());
        assert!(!stages.advance(1, Stage::Durable));
        assert_eq!(stages.get(1), Some(Stage::Complete));
    }

    #[test]
    fn what_has_ended_is_forgotten_in_time() {
        let stages = Stages::default();
        stages.set_level(1);
        for token in 1..=REMEMBERED as Token + 10 {
            stages.advance(token, Stage::Accepted);
            stages.end(token, &complete());
        }
        assert_eq!((stages.get(10), stages.get(11)), (None, Some(Stage::Complete)));
        assert_eq!(stages.known.lock().stages.len(), REMEMBERED);
    }
}
