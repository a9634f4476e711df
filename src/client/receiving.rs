//! The program's side of the event queue: polling and acknowledging.

use super::Client;
use super::command::Command;
use super::events::{Next, Notice, NoticeKind};
use crate::codec::property::Section;
use crate::session::event::{Delivery, Event, Token};
use crate::session::options::{Acknowledge, Acknowledgement};
use crate::types::PacketType;
use crate::types::reason::ReasonCode;
use crate::types::status::{Failure, Status};
use std::sync::atomic::{Ordering, fence};

/// Acknowledgements of taken messages leave together, at the latest when so many wait.
const ACKNOWLEDGEMENTS_TOGETHER: usize = 32;

/// What a poll came to.
pub enum Polled<R> {
    Nothing,
    /// The next event wasn't wanted.
    Left,
    Event(R),
}

impl Client {
    /// The program comes back for more, or leaves: so it has dealt with the end of a publish that it got last. The store
    /// hears of it only now. If it heard of it when the program takes the event, and the program died before it had dealt
    /// with it, no process would ever be told again.
    pub fn heard(&self) {
        if self.shared.hears.load(Ordering::Acquire) == 0 {
            return;
        }
        let before = self.shared.hears.swap(0, Ordering::AcqRel);
        self.leave_heard(before);
    }

    /// Whether the program is yet to deal with the end of a publish that it got.
    pub fn has_to_hear(&self) -> bool {
        self.shared.hears.load(Ordering::Acquire) != 0
    }

    fn leave_heard(&self, token: Token) {
        if token != 0 {
            self.shared.leave(Command::Heard { token });
        }
    }

    /// Takes the next event off the queue and makes it the current one. A QoS 1 or 2 message counts as taken now, which
    /// acknowledges it unless the program has chosen otherwise.
    pub fn poll<R>(&self, read: impl FnOnce(&Notice) -> R) -> Result<Option<R>, Failure> {
        self.heard();
        Ok(match self.poll_if(|_| true, read)? {
            Polled::Event(result) => Some(result),
            Polled::Nothing | Polled::Left => None,
        })
    }

    /// As `poll`, if the next event is `wanted`; otherwise it stays where it is. For a program that takes several events before
    /// it deals with them: it has to say first that it has `heard` those before, and to stop at one that it `has_to_hear`.
    pub fn poll_if<R>(
        &self,
        wanted: impl FnOnce(&Notice) -> bool,
        read: impl FnOnce(&Notice) -> R,
    ) -> Result<Polled<R>, Failure> {
        if self.shared.events.is_empty() {
            self.poll_found_nothing();
        }
        // Asked first: a failure's event is there before its state.
        let alive = self.check_alive();
        if self.shared.events.is_empty() {
            alive?;
            return Ok(Polled::Nothing);
        }
        // Before the event is taken: if this is left locked nobody gets it, and the Server must not hear that somebody did.
        let mut current = self.current.lock();
        let notice = match self.shared.events.pop_if(wanted) {
            Next::Taken(notice) => notice,
            Next::Left => return Ok(Polled::Left),
            Next::Nothing => {
                // What failed can still be told about; after that there is nothing.
                alive?;
                return Ok(Polled::Nothing);
            }
        };
        match &notice.kind {
            NoticeKind::Session(Event::Message { delivery: Some(delivery), .. }) => self.taken(*delivery),
            NoticeKind::Session(Event::Response { answer: Ok(answer), .. }) => self.response_taken(answer.delivery),
            // The Server doesn't know any more what was handed out before.
            NoticeKind::Session(Event::Connected { session_present: false, .. }) => self.unacknowledged.lock().clear(),
            NoticeKind::Session(Event::Published { token, .. }) if self.has_store() => {
                let before = self.shared.hears.swap(*token, Ordering::AcqRel);
                self.leave_heard(before);
            }
            _ => {}
        }
        self.room_was_made();
        if let Some(NoticeKind::Session(Event::Message { message, .. })) = current.take().map(|before| before.kind) {
            self.shared.buffers.give_back(message);
        }
        Ok(Polled::Event(read(current.insert(notice))))
    }

    /// Wakes the background thread if it waits for room in the event queue.
    pub(super) fn room_was_made(&self) {
        // Its flag and our taking must not be reordered: one of us sees the other.
        fence(Ordering::SeqCst);
        if self.shared.reading_paused.load(Ordering::Acquire) && !self.shared.events.is_blocked() {
            self.shared.wake();
        }
    }

    fn taken(&self, delivery: Delivery) {
        match self.options.lock().acknowledge() {
            Acknowledge::OnArrival => return self.leave_taken(delivery),
            Acknowledge::WhenTaken => {}
            Acknowledge::Explicitly => {
                self.unacknowledged.lock().insert(delivery);
                return;
            }
        }
        self.acknowledge_taken(delivery);
    }

    /// A response is acknowledged when it is taken, as its token names the request.
    fn response_taken(&self, delivery: Option<Delivery>) {
        let Some(delivery) = delivery else { return };
        match self.options.lock().acknowledge() {
            Acknowledge::OnArrival => self.leave_taken(delivery),
            Acknowledge::WhenTaken | Acknowledge::Explicitly => self.acknowledge_taken(delivery),
        }
    }

    /// A message was acknowledged on arrival, unless it came before that was asked for. Somebody wants to know that it was
    /// taken: the store, the other programs of a shared connection, or the Server.
    fn leave_taken(&self, delivery: Delivery) {
        let is_awaited = self.shared.acknowledged_later.load(Ordering::Acquire);
        if is_awaited || self.place.is_some() || self.has_store() {
            self.shared.leave(Command::Taken { delivery });
        }
    }

    fn acknowledge_taken(&self, delivery: Delivery) {
        let command = Command::Acknowledge { delivery, acknowledgement: ReasonCode::SUCCESS.into() };
        if self.shared.left() + 1 >= ACKNOWLEDGEMENTS_TOGETHER || self.shared.events.is_empty() {
            self.shared.submit(command);
        } else {
            // The program may be busy with this message for long: the thread sees to it that the Server hears of it.
            self.shared.leave(command);
        }
    }

    /// The program is done with a message that it took.
    pub fn acknowledge(&self, delivery: Delivery, acknowledgement: impl Into<Acknowledgement>) -> Result<(), Failure> {
        let acknowledgement = acknowledgement.into();
        let reason = acknowledgement.reason;
        self.check_alive()?;
        if !reason.client_sends_in(PacketType::Puback) {
            let text = format!("Reason Code {reason} can't stand in a client's PUBACK or PUBREC");
            return Err(Status::OutOfRange.because(text));
        }
        if let Err(error) = acknowledgement.properties.as_properties().check_for(Section::Packet(PacketType::Puback)) {
            return Err(Status::InvalidArgument.because(error.to_string()));
        }
        if !self.unacknowledged.lock().remove(&delivery) {
            // A message that came before the option was changed still waits for the program.
            if self.options.lock().acknowledge() != Acknowledge::Explicitly {
                let text = "messages are acknowledged by themselves: set option ACKNOWLEDGE to 2 first";
                return Err(Status::WrongState.because(text));
            }
            let text = format!("no message waits for an acknowledgement with the token {delivery}");
            return Err(Status::UnknownToken.because(text));
        }
        self.shared.submit(Command::Acknowledge { delivery, acknowledgement });
        Ok(())
    }

    /// Reads the current event.
    pub fn current<R>(&self, read: impl FnOnce(&Notice) -> R) -> Result<R, Failure> {
        match &*self.current.lock() {
            Some(notice) => Ok(read(notice)),
            None => Err(Status::NoEvent.because("there is no current event: call poll first")),
        }
    }
}
