//! What a client tells its program, one thing after the other, and what each counts for in the queue (`events`).

use super::doctor::Asked;
use super::log::Level;
use crate::codec::property::PropertiesBuf;
use crate::session::event::{Event, Outcome};
use crate::types::status::{Failure, Status};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What `poll` hands out.
#[derive(Debug)]
pub struct Notice {
    pub kind: NoticeKind,
    /// UNIX microseconds at which it was put into the queue.
    pub time_us: i64,
    /// Events dropped for want of room since the one before.
    pub dropped: u64,
}

#[derive(Clone, Debug)]
pub enum NoticeKind {
    Session(Event),
    /// A fault inside the library, in words.
    Failed(String),
    /// The store can't be written, and why; `None`: it can again.
    Store(Option<Failure>),
    /// A line of the log.
    Log {
        level: Level,
        line: String,
        /// Where in the line it says what happened: time, level and client id stand before it.
        text_at: usize,
    },
    /// A line of the doctor's report. `end` is there in the last one: how the examination ended.
    Doctor {
        line: String,
        end: Option<Result<(), Status>>,
    },
    /// A Server that the doctor examines asks for the next step of the authentication.
    DoctorAsks {
        properties: PropertiesBuf,
        asked: Arc<Asked>,
    },
    /// Messages of a shared connection that this program was too slow for.
    Missed(Missed),
}

/// How many messages were missed. It goes on counting until the program takes the event.
#[derive(Clone, Debug)]
pub struct Missed {
    pub count: u64,
    going_on: Arc<MissedCount>,
}

/// The count as it goes on.
#[derive(Debug, Default)]
pub(super) struct MissedCount {
    count: AtomicU64,
    is_told: AtomicBool,
}

impl MissedCount {
    pub fn add(&self, messages: u64) {
        self.count.fetch_add(messages, Ordering::AcqRel);
    }

    /// Whether the program has taken the event.
    pub fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Acquire)
    }

    /// What the program hasn't been told.
    pub fn take(&self) -> u64 {
        self.count.swap(0, Ordering::AcqRel)
    }
}

impl Missed {
    pub(super) fn new(going_on: Arc<MissedCount>) -> Self {
        Missed { count: 0, going_on }
    }

    /// The program takes the event.
    pub(super) fn settle(&mut self) {
        self.going_on.is_told.store(true, Ordering::Release);
        self.count = self.going_on.take();
    }
}

pub(super) fn is_kept(kind: &NoticeKind) -> bool {
    match kind {
        // A Server has one of these under way at most, and a lost one would be a lost connection.
        NoticeKind::Session(Event::Authenticate { .. }) => true,
        NoticeKind::Failed(_)
        | NoticeKind::Missed(_)
        | NoticeKind::Doctor { .. }
        | NoticeKind::DoctorAsks { .. }
        | NoticeKind::Store(_)
        | NoticeKind::Session(Event::Message { delivery: Some(_), .. }) => true,
        NoticeKind::Session(Event::Response { answer: Ok(answer), .. }) => answer.delivery.is_some(),
        NoticeKind::Session(_) | NoticeKind::Log { .. } => false,
    }
}

/// What goes first when there is no room: there is more of its kind to come. How a publish or a connection ended is said once.
pub(super) fn goes_first(kind: &NoticeKind) -> bool {
    match kind {
        NoticeKind::Session(Event::Message { delivery, .. }) => delivery.is_none(),
        NoticeKind::Session(Event::Breach(_)) | NoticeKind::Log { .. } => true,
        _ => false,
    }
}

pub(super) fn is_plain_success(kind: &NoticeKind) -> bool {
    let NoticeKind::Session(Event::Published { outcome, .. }) = kind else { return false };
    outcome.failure.is_none()
}

/// What an event holds beside itself.
pub(super) fn held_bytes(kind: &NoticeKind) -> usize {
    let outcome_size = |outcome: &Outcome| outcome.properties.as_properties().as_bytes().len();
    match kind {
        NoticeKind::Failed(text) => text.len(),
        NoticeKind::Missed(_) => 0,
        NoticeKind::Store(failure) => failure.as_ref().map_or(0, |failure| failure.text.len()),
        NoticeKind::Log { line, .. } | NoticeKind::Doctor { line, .. } => line.len(),
        NoticeKind::DoctorAsks { properties, .. } => properties.as_properties().as_bytes().len(),
        NoticeKind::Session(event) => match event {
            Event::Message { message, .. } => message.size(),
            Event::Progress { .. } => 0,
            Event::Published { outcome, .. } => outcome_size(outcome),
            Event::Subscribed { filter, outcome, .. } | Event::Unsubscribed { filter, outcome, .. } => {
                filter.len() + outcome_size(outcome)
            }
            Event::Breach(_) => 0,
            Event::Authenticate { properties, .. } | Event::Authenticated { properties } => {
                properties.as_properties().as_bytes().len()
            }
            Event::Response { answer: Ok(answer), .. } => answer.message.size(),
            Event::Response { answer: Err(outcome), .. } => outcome_size(outcome),
            Event::Connected { properties, .. } => properties.as_properties().as_bytes().len(),
            Event::Disconnected(end) => end.detail.len() + end.properties.as_properties().as_bytes().len(),
        },
    }
}

impl Notice {
    /// The status that the event stands for, if something failed.
    pub fn failure(&self) -> Option<Status> {
        match &self.kind {
            NoticeKind::Failed(_) => Some(Status::Panic),
            NoticeKind::Missed(_) => Some(Status::SharedMissed),
            NoticeKind::Store(failure) => failure.as_ref().map(|failure| failure.status),
            NoticeKind::Doctor { end, .. } => end.and_then(Result::err),
            NoticeKind::Log { .. } | NoticeKind::DoctorAsks { .. } => None,
            NoticeKind::Session(event) => match event {
                Event::Disconnected(end) => end.failure,
                Event::Response { answer, .. } => answer.as_ref().err().and_then(|outcome| outcome.failure),
                Event::Published { outcome, .. }
                | Event::Subscribed { outcome, .. }
                | Event::Unsubscribed { outcome, .. } => outcome.failure,
                Event::Authenticate { .. } | Event::Authenticated { .. } => None,
                Event::Connected { .. } | Event::Breach(_) | Event::Message { .. } | Event::Progress { .. } => None,
            },
        }
    }
}
