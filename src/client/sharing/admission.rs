//! Programs that come to a shared connection and leave it: the first one opens it, the last one closes it.

use super::filters::ProgramId;
use super::inheritance::Had;
use super::members::Member;
use super::switchboard::Switchboard;
use super::{Arrival, farewell};
use crate::client::State;
use crate::client::command::Command;
use crate::client::events::NoticeKind;
use crate::client::options::IntOption;
use crate::client::shared::Shared;
use crate::codec::property::PropertiesBuf;
use crate::session::event::{Delivery, Disconnected, Event};
use crate::types::status::{Failure, Status};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a program has left to the one that takes its place.
#[derive(Default)]
struct Left {
    messages: Vec<NoticeKind>,
    /// Messages that it has missed and was not told of.
    missed: u64,
}

impl Switchboard {
    pub fn welcome(&mut self) {
        for arrival in self.desk.arrivals.drain() {
            if arrival.withdrawn.load(Ordering::Acquire) {
                continue;
            }
            // Nobody was woken for what it asked for before.
            self.has_more = true;
            let admitted = self.admit(&arrival);
            let is_in = admitted.is_ok();
            if !arrival.tell(admitted) && is_in {
                self.dismiss(&arrival.program);
            }
        }
    }

    fn admit(&mut self, arrival: &Arrival) -> Result<(), Failure> {
        let same_inbox = |member: &Member| !arrival.inbox.is_empty() && member.inbox == arrival.inbox;
        if let Some(before) = self.members.iter().find(|member| same_inbox(member)) {
            // Carries out what the program before has asked for until now: once its place is taken, nobody looks at its
            // queue.
            let (id, count) = (before.id, before.program.commands());
            self.collect_from(id, count);
        }
        let is_it = |member: &Member| Arc::ptr_eq(&member.program, &arrival.program);
        let place = self.members.iter().position(is_it).or_else(|| self.members.iter().position(same_inbox));
        let must_open = self.has_to_open(arrival, place)?;
        let release = Duration::from_secs(arrival.options.int(IntOption::SharedRelease) as u64);
        let (id, left, had) = match place {
            Some(index) => (self.members[index].id, self.take_place(index, arrival, release), None),
            None => {
                let (id, had) = self.add_member(arrival, release);
                (id, Left::default(), Some(had))
            }
        };
        let gone: Vec<ProgramId> =
            self.members.iter().filter(|member| !member.wanted).map(|member| member.id).collect();
        for id in gone {
            self.let_out(id);
            self.remove(id);
        }
        self.note_everybody();
        if must_open {
            self.opening = Some(arrival.options.clone());
        }
        // A program that takes a place has the subscriptions of the one before.
        self.greet(id, place.is_some(), left);
        if let Some(had) = had {
            // After Connected, as what was handed out before it with Session Present 0 can't be acknowledged any more.
            self.hand_over_inheritance(id, &had);
        }
        if must_open {
            if self.line.state() != State::Idle && !self.is_closing {
                self.close(farewell(PropertiesBuf::new()));
            }
            self.line.shared.work_off_commands();
            self.open().inspect_err(|_| {
                self.members.iter_mut().filter(|member| member.id == id).for_each(|member| member.wanted = false);
            })?;
        }
        Ok(())
    }

    /// Whether the connection has to be opened for this program. `place` is the place that it takes, if there is one
    /// already. Fails if the connection can't be opened, or if other programs use it with other options.
    fn has_to_open(&self, arrival: &Arrival, place: Option<usize>) -> Result<bool, Failure> {
        let is_here = |member: &Member| member.wanted && !member.out_of_reach;
        let others = self.members.iter().enumerate().any(|(index, member)| is_here(member) && Some(index) != place);
        // The connection that it joins may still have to be made.
        let agreed = self.opening.as_ref().unwrap_or(&self.options);
        if others && let Some(name) = arrival.options.difference(agreed) {
            let connection = &arrival.connection;
            let text = format!("option {name} is not what the shared connection '{connection}' is open with");
            return Err(Status::SharedDiffers.because(text));
        }
        let differs = || arrival.options.difference(&self.options).is_some();
        let must_open = !others && (self.line.state() == State::Idle || self.is_closing || differs());
        if must_open {
            // Checked first, so that nobody loses a place for a program that is refused.
            self.line.check_store(&arrival.options)?;
        }
        Ok(must_open)
    }

    /// Adds a program that has no place yet. Returns what it has had already of what an earlier process left.
    fn add_member(&mut self, arrival: &Arrival, release: Duration) -> (ProgramId, Had) {
        let (id, had) = self.former.come_back(&arrival.program).unwrap_or_else(|| {
            self.last_id += 1;
            (self.last_id, self.former.had(&arrival.inbox))
        });
        self.members.push(Member::new(id, arrival.program.clone(), &arrival.inbox, release));
        (id, had)
    }

    /// Tells a program that was let in where the connection stands, and gives it what the one before has left to it.
    fn greet(&mut self, id: ProgramId, session_present: bool, left: Left) {
        let figures = self.figures();
        let connected = self.connected.clone().filter(|_| !self.is_opening());
        let state = if self.is_opening() { State::Connecting } else { self.line.state() };
        let Some(member) = self.member(id) else { return };
        member.mirror(&figures);
        member.set_state(state);
        if let Some(Event::Connected { assigned_client_id, properties, .. }) = connected {
            let event = Event::Connected { session_present, assigned_client_id, properties };
            member.give(NoticeKind::Session(event));
        }
        if left.missed > 0 {
            member.tell_missed(left.missed);
        }
        left.messages.into_iter().for_each(|kind| member.give(kind));
    }

    /// A program comes back, or takes the place of another one with the same name of an inbox.
    fn take_place(&mut self, index: usize, arrival: &Arrival, release: Duration) -> Left {
        let mut left = Left::default();
        let member = &mut self.members[index];
        if !Arc::ptr_eq(&member.program, &arrival.program) {
            let unread = member.take_messages();
            // First what was taken and not acknowledged, then what lies there, in the order in which it came.
            let lies_there = |copy: &NoticeKind| unread.iter().any(|kind| delivery(kind) == delivery(copy));
            left.messages = self.owed.copies(member.id).into_iter().filter(|copy| !lies_there(copy)).collect();
            left.messages.extend(unread);
            if member.wanted {
                let text = "another program has connected with the same name of an inbox";
                let end = Disconnected::new(Some(Status::SharedTakenOver), text);
                member.let_go();
                member.give(NoticeKind::Session(Event::Disconnected(end)));
            }
            left.missed = member.replace(arrival.program.clone(), release);
            let done = self.owed.settle_its_own(member.id);
            self.acknowledge(done);
        }
        let member = &mut self.members[index];
        member.wanted = true;
        member.release = release;
        left
    }

    /// Opens the connection if that is wanted and the last one is closed.
    fn open(&mut self) -> Result<(), Failure> {
        if self.opening.is_none() || self.line.state() != State::Idle {
            return Ok(());
        }
        // The thread that made the line idle gives back the core when the event of it is in the queue. That event isn't the
        // new connection's.
        drop(self.line.shared.core.lock());
        while self.hand_out_next() {}
        let Some(options) = self.opening.take() else { return Ok(()) };
        self.inherited |= !options.has_session_of(&self.options);
        self.options = options.for_shared_connection();
        self.line.set_option(|options, _| {
            *options = self.options.clone();
            Ok(())
        })?;
        self.line.connect()
    }

    pub fn open_when_idle(&mut self) {
        if self.opening.is_some()
            && let Err(failure) = self.open()
        {
            self.close_for_all(&Event::Disconnected(failure.into()));
        }
    }

    /// There is no connection any more, and nobody makes a new one.
    pub fn close_for_all(&mut self, event: &Event) {
        for member in &mut self.members {
            if member.wanted || member.program.state() != State::Idle {
                member.wanted = false;
                member.let_go();
                member.give(NoticeKind::Session(event.clone()));
            }
        }
    }

    /// Whether the connection is about to be made with other options.
    pub fn is_opening(&self) -> bool {
        self.opening.is_some()
    }

    /// A program that was let in had stopped waiting for the answer: it leaves again.
    fn dismiss(&mut self, program: &Arc<Shared>) {
        if let Some(id) =
            self.members.iter().find(|member| Arc::ptr_eq(&member.program, program)).map(|member| member.id)
        {
            self.say_goodbye(id, farewell(PropertiesBuf::new()));
        }
    }

    /// A program wants no connection any more. The last one closes it.
    pub fn say_goodbye(&mut self, id: ProgramId, farewell: Command) {
        if let Some(member) = self.member(id) {
            member.wanted = false;
        }
        if self.programs() > 0 {
            self.let_out(id);
            self.remove(id);
            return;
        }
        let was_opening = self.opening.take().is_some();
        if was_opening || self.line.state() == State::Idle {
            self.let_out(id);
        } else {
            self.close(farewell);
        }
    }

    /// Tells a program that it isn't connected any more, unless it knows.
    fn let_out(&mut self, id: ProgramId) {
        if let Some(member) = self.member(id).filter(|member| member.program.state() != State::Idle) {
            // First the state: a program that has seen the event must find it.
            member.let_go();
            let event = Event::Disconnected(Disconnected::new(None, "disconnected on request"));
            member.give(NoticeKind::Session(event));
        }
    }

    fn close(&mut self, farewell: Command) {
        self.is_closing = true;
        // What was published goes out before.
        self.line.shared.gather(Command::GoOn);
        self.line.shared.gather(farewell);
    }

    /// A program is gone, with its filters, and nobody waits for it.
    pub fn remove(&mut self, id: ProgramId) {
        let had = self.inheritance.had(|kind| self.owed.waits_for(id, kind));
        self.pass_on_jobs(id);
        if let Some(index) = self.members.iter().position(|member| member.id == id) {
            let member = self.members.remove(index);
            self.former.add(&member, had);
        }
        self.give_up_deferred(id);
        for filter in self.filters.leave(id) {
            self.end_subscription(filter);
        }
        let done = self.owed.settle(id);
        self.acknowledge(done);
        self.note_everybody();
    }

    /// Messages of Shared Subscriptions that a program leaves unread are for others who hold these: each is for one, and would
    /// be lost with this one.
    fn pass_on_jobs(&mut self, id: ProgramId) {
        if !self.filters.is_one_of_several(id) {
            return;
        }
        for kind in self.member(id).map_or(Vec::new(), Member::take_messages) {
            if !self.pass_on(id, &kind)
                && let Some(member) = self.member(id)
            {
                member.give(kind);
            }
        }
    }

    /// False if nobody else is to get it.
    fn pass_on(&mut self, from: ProgramId, kind: &NoticeKind) -> bool {
        let NoticeKind::Session(Event::Message { message, delivery, .. }) = kind else { return false };
        let takes = |id| self.members.iter().any(|member| member.id == id && member.takes_messages());
        let Some(heir) = self.filters.heir(from, message, takes) else { return false };
        if self.owed.waits_for(heir, kind) {
            // It has got the message itself.
            return false;
        }
        let Some(member) = self.member(heir).filter(|member| member.takes_messages()) else { return false };
        let copy = (!member.inbox.is_empty()).then(|| kind.clone());
        let has_it = member.give_message(kind.clone());
        if let Some(delivery) = delivery.filter(|_| has_it) {
            self.owed.pass_on(delivery, from, heir, copy);
        }
        has_it
    }

    /// Ends what a program has asked for in vain: there was no connection until it left.
    fn give_up_deferred(&mut self, id: ProgramId) {
        let (its, others) = std::mem::take(&mut self.deferred).into_iter().partition(|(program, _)| *program == id);
        self.deferred = others;
        for (_, command) in its {
            match command {
                Command::Subscribe { token, filter, .. } => self.refuse(id, token, filter, Status::NotConnected),
                Command::Unsubscribe { token, filter, .. } => {
                    self.forget_request();
                    self.tell_unsubscribed(id, token, filter);
                }
                _ => {}
            }
        }
    }

    /// Stops waiting for programs that can't be reached. If such a program has a name, another may come and take its place.
    pub fn give_up_waiting(&mut self) {
        let out_of_reach = |member: &&Member| member.out_of_reach && member.wanted;
        let is_over = |member: &Member| member.program.freed.load(Ordering::Acquire);
        let lost: Vec<(ProgramId, bool)> =
            self.members.iter().filter(out_of_reach).map(|member| (member.id, is_over(member))).collect();
        for (id, is_over) in lost {
            let owed = self.owed.count(id) as u64;
            if let Some(member) = self.member(id) {
                member.count_instead(owed);
            }
            let done = self.owed.settle(id);
            self.acknowledge(done);
            if is_over {
                self.remove(id);
            }
        }
    }
}

/// What names a QoS 1 or 2 message.
fn delivery(kind: &NoticeKind) -> Option<Delivery> {
    match kind {
        NoticeKind::Session(Event::Message { delivery, .. }) => *delivery,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::lock::Lock;
    use crate::client::options::Options;
    use crate::client::sharing::{SharedConnection, switchboard};
    use crate::client::{Client, sharing};
    use mio::{Poll, Waker};
    use std::sync::atomic::AtomicBool;

    /// A switchboard without a thread.
    fn switchboard(connection: &SharedConnection) -> Switchboard {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), switchboard::WAKE).unwrap());
        Switchboard::new(connection.desk.clone(), poll, waker)
    }

    fn arrival(program: &Client, is_withdrawn: bool) -> Arc<Arrival> {
        let mut options = Options::default();
        options.set_text(crate::client::options::URL, Some("mqtt://127.0.0.1:1"), true).unwrap();
        Arc::new(Arrival {
            connection: String::new(),
            program: program.shared.clone(),
            inbox: "inbox".to_owned(),
            options,
            answer: Lock::new(None),
            withdrawn: AtomicBool::new(is_withdrawn),
        })
    }

    #[test]
    fn who_waits_no_longer_to_be_let_in_takes_nobody_s_place() {
        let connection = sharing::SharedConnection::new("withdrawn");
        let mut switchboard = switchboard(&connection);
        let [first, second] = [(); 2].map(|()| Client::sharing("withdrawn", "inbox").ok().unwrap());
        connection.desk.arrivals.insert(arrival(&first, false)).unwrap();
        switchboard.welcome();
        connection.desk.arrivals.insert(arrival(&second, true)).unwrap();
        switchboard.welcome();
        assert!(switchboard.members.iter().map(|member| Arc::as_ptr(&member.program)).eq([Arc::as_ptr(&first.shared)]));
        assert!(switchboard.members[0].wanted);
        switchboard.line.free();
    }
}
