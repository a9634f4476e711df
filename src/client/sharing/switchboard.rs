//! The thread of a shared connection: lets programs in and out, carries out what they ask for, and hands them what the
//! Server says (`routing`). It alone uses the client that has the connection, and sleeps until a program or that client
//! wakes it.

use super::filters::{Filters, ProgramId, Subscribe};
use super::former::Former;
use super::inheritance::Inheritance;
use super::members::Member;
use super::owed::{Done, Owed};
use super::{Desk, LONGEST_LOCK, farewell};
use crate::client::command::Command;
use crate::client::events::{Next, Notice, NoticeKind};
use crate::client::lock::Lock;
use crate::client::options::Options;
use crate::client::shared::Shared;
use crate::client::statistics::Snapshot;
use crate::client::thread::Hold;
use crate::client::{Client, State, clock};
use crate::codec::property::PropertiesBuf;
use crate::session::event::{Event, Token};
use crate::session::options::Acknowledge;
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::status::Failure;
use mio::{Events, Poll, Waker};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub(super) const WAKE: mio::Token = mio::Token(0);

/// Commands of one program, and events of the connection, that are dealt with before others have their turn.
const IN_A_ROW: usize = 256;

/// The programs that are to be told when the switchboard itself fails.
pub(super) type Everybody = Arc<Lock<Vec<Arc<Shared>>>>;

/// To whom an accepted publish or request belongs.
pub(super) struct Owner {
    pub program: ProgramId,
    pub is_qos0: bool,
}

pub(super) struct Switchboard {
    pub desk: Arc<Desk>,
    pub poll: Poll,
    pub ready: Events,
    /// The client that has the connection.
    pub line: Client,
    /// The options with which the connection is open, or was open last.
    pub options: Options,
    /// The connection is to be opened with these options once the line is idle.
    pub opening: Option<Options>,
    /// The line was asked to close, and isn't idle yet.
    pub is_closing: bool,
    /// The event of the present connection, for programs that come later.
    pub connected: Option<Event>,
    /// A connection has ended before the Server had answered: nobody can say whether its Session is still the same.
    pub in_doubt: bool,
    pub members: Vec<Member>,
    pub former: Former,
    pub everybody: Everybody,
    pub last_id: ProgramId,
    pub filters: Filters,
    /// Tells this process from others, in UNIX seconds.
    started_s: u64,
    pub owed: Owed,
    pub owners: HashMap<Token, Owner>,
    /// Commands that wait for a connection, as how a SUBSCRIBE is made depends on the Server.
    pub deferred: VecDeque<(ProgramId, Command)>,
    /// Whether the Session may be one that an earlier process had, with subscriptions that nobody here knows of.
    pub inherited: bool,
    pub inheritance: Inheritance,
    /// Messages that were for nobody.
    pub nobodys: u64,
    pub held: bool,
    /// There is more to do than one turn allows.
    pub has_more: bool,
}

impl Switchboard {
    pub fn new(desk: Arc<Desk>, poll: Poll, waker: Arc<Waker>) -> Switchboard {
        let line = Client::with_accounts(Options::default(), desk.accounts.clone(), None);
        // It is new: nobody has set another one.
        let _ = line.shared.events.set_leader_waker(waker);
        // Seconds are enough: a process takes longer to come back.
        let started_s = clock::unix_us().unsigned_abs() / 1_000_000;
        Switchboard {
            desk,
            poll,
            ready: Events::with_capacity(4),
            line,
            options: Options::default(),
            opening: None,
            is_closing: false,
            connected: None,
            in_doubt: false,
            members: Vec::new(),
            former: Former::default(),
            everybody: Everybody::default(),
            last_id: 0,
            filters: Filters::new(started_s),
            started_s,
            owed: Owed::default(),
            owners: HashMap::new(),
            deferred: VecDeque::new(),
            inherited: true,
            inheritance: Inheritance::default(),
            nobodys: 0,
            held: false,
            has_more: false,
        }
    }

    pub fn everybody(&self) -> Everybody {
        self.everybody.clone()
    }

    pub fn run(mut self, starting: Hold) {
        drop(starting);
        while !self.desk.unloading.load(Ordering::Acquire) && !self.desk.closed.load(Ordering::Acquire) {
            self.has_more = false;
            // First who leaves, then who comes.
            self.collect();
            self.welcome();
            self.hand_out();
            self.open_when_idle();
            let next = self.look_at_the_slow();
            self.give_up_waiting();
            self.mirror();
            self.line.shared.work_off_commands();
            if !self.has_more {
                self.sleep(next);
            }
        }
        if !self.desk.unloading.load(Ordering::Acquire) {
            self.line.free();
        }
    }

    fn sleep(&mut self, until: Option<Instant>) {
        let events = &self.line.shared.events;
        let mut timeout = until.map(|until| until.saturating_duration_since(clock::now()));
        if !events.leader_falls_asleep() {
            timeout = Some(Duration::ZERO);
        }
        if let Err(error) = self.poll.poll(&mut self.ready, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            panic!("waiting for the programs failed: {error}");
        }
        events.leader_woke_up();
    }

    pub fn has_store(&self) -> bool {
        self.options.store_path.is_some()
    }

    /// Whether the Server of this connection takes Subscription Identifiers.
    pub fn identifies(&self) -> bool {
        self.line.server_limits().subscription_identifier_available
    }

    /// How many programs want the connection, as far as can be known.
    pub fn programs(&self) -> usize {
        self.members.iter().filter(|member| member.wanted && !member.out_of_reach).count()
    }

    /// A request of the switchboard's own, which counts as one of a program's.
    pub fn new_request(&self) -> Token {
        self.desk.accounts.requests.fetch_add(1, Ordering::AcqRel);
        self.desk.accounts.next_token.fetch_add(1, Ordering::Relaxed)
    }

    pub fn forget_request(&self) {
        self.desk.accounts.requests.fetch_sub(1, Ordering::AcqRel);
    }

    // What programs ask for.

    fn collect(&mut self) {
        for index in (0..self.members.len()).rev() {
            let Some(member) = self.members.get_mut(index).filter(|member| member.wanted && !member.out_of_reach)
            else {
                continue;
            };
            let (id, program) = (member.id, member.program.clone());
            program.forget_left();
            // Looked at first: what it has left before it was freed is there.
            let is_freed = program.freed.load(Ordering::Acquire);
            let count = self.collect_from(id, IN_A_ROW);
            self.has_more |= count == IN_A_ROW;
            if is_freed && count < IN_A_ROW && self.member(id).is_some_and(|member| member.wanted) {
                let farewell = farewell(self.options.last_words());
                self.say_goodbye(id, farewell);
            }
        }
        self.line.shared.work_off_commands();
    }

    /// Carries out what one program has asked for, at most so much. Returns how much it was.
    pub fn collect_from(&mut self, id: ProgramId, most: usize) -> usize {
        let mut count = 0;
        while count < most
            && let Some(member) = self.member(id).filter(|member| member.wanted && !member.out_of_reach)
            && let Some(command) = member.next_command()
        {
            count += 1;
            self.carry_out(id, command);
        }
        count
    }

    fn carry_out(&mut self, program: ProgramId, command: Command) {
        match command {
            Command::Publish { token, message, mut how } => {
                let is_qos0 = message.qos == QoS::AtMostOnce;
                how.conflation_key = how.conflation_key.map(|key| self.own_key(program, &key));
                self.owners.insert(token, Owner { program, is_qos0 });
                self.line.shared.gather(Command::Publish { token, message, how });
            }
            // A token that nobody owns has ended, or belongs to an earlier process.
            Command::Cancel { token } if self.owners.get(&token).is_none_or(|owner| owner.program == program) => {
                self.line.shared.gather(command);
            }
            Command::Cancel { .. } => {}
            Command::Request { token, message, deadline } => {
                self.owners.insert(token, Owner { program, is_qos0: false });
                self.line.shared.gather(Command::Request { token, message, deadline });
            }
            Command::Subscribe { .. } | Command::Unsubscribe { .. } if self.connected.is_none() => {
                self.deferred.push_back((program, command));
            }
            Command::Subscribe { token, filter, options, properties } => {
                self.subscribe(program, Subscribe { token, filter, options, properties });
            }
            Command::Unsubscribe { token, filter, properties } => self.unsubscribe(program, token, filter, properties),
            Command::Acknowledge { delivery, acknowledgement } => {
                let done = self.owed.done(program, delivery, acknowledgement);
                self.is_not_overdue(program);
                self.acknowledge(done);
            }
            Command::Taken { delivery } => {
                let done = self.owed.done(program, delivery, ReasonCode::SUCCESS.into());
                self.acknowledge(done);
            }
            Command::Heard { token } => self.heard(program, token),
            Command::Disconnect { .. } => self.say_goodbye(program, command),
            Command::Reauthenticate { .. } | Command::Panic => self.line.shared.gather(command),
            // The switchboard makes the connection and sets its limits; steps of an authentication are for no program.
            // Only a line that is led by itself has publishes that wait for the socket.
            Command::Connect(_)
            | Command::LimitOutgoing { .. }
            | Command::GoOn
            | Command::Authenticate { .. }
            | Command::Publishes(_) => {}
        }
    }

    /// The conflation key that no other program has, of this process or, with a store, of another one.
    fn own_key(&mut self, program: ProgramId, key: &str) -> Arc<str> {
        let started_s = self.started_s;
        match self.member(program).map(|member| &*member.inbox) {
            Some(inbox) if !inbox.is_empty() => format!("{inbox}\0{key}").into(),
            _ => format!("\0{started_s} {program}\0{key}").into(),
        }
    }

    /// What waited for the connection.
    pub fn carry_out_deferred(&mut self) {
        for (program, command) in std::mem::take(&mut self.deferred) {
            self.carry_out(program, command);
        }
    }

    fn subscribe(&mut self, program: ProgramId, asked: Subscribe) {
        let (token, filter, identifies) = (asked.token, asked.filter.clone(), self.identifies());
        match self.filters.subscribe(program, asked, identifies) {
            Ok(subscribe) => self.ask(subscribe),
            Err(status) => self.refuse(program, token, filter, status),
        }
    }

    pub fn ask(&self, subscribe: Subscribe) {
        let Subscribe { token, filter, options, properties } = subscribe;
        self.line.shared.gather(Command::Subscribe { token, filter, options, properties });
    }

    fn unsubscribe(&mut self, program: ProgramId, token: Token, filter: String, properties: PropertiesBuf) {
        if self.filters.unsubscribe(program, &filter) {
            self.owners.insert(token, Owner { program, is_qos0: false });
            self.line.shared.gather(Command::Unsubscribe { token, filter, properties });
        } else {
            self.forget_request();
            self.tell_unsubscribed(program, token, filter);
        }
    }

    /// Nobody holds the filter any more.
    pub fn end_subscription(&self, filter: String) {
        let (token, properties) = (self.new_request(), PropertiesBuf::new());
        self.line.shared.gather(Command::Unsubscribe { token, filter, properties });
    }

    /// All programs are done with these messages.
    pub fn acknowledge(&self, done: impl IntoIterator<Item = Done>) {
        for (delivery, acknowledgement) in done {
            match self.options.acknowledge() {
                Acknowledge::OnArrival if self.has_store() => self.line.shared.gather(Command::Taken { delivery }),
                Acknowledge::OnArrival => {}
                Acknowledge::WhenTaken | Acknowledge::Explicitly => {
                    self.line.shared.gather(Command::Acknowledge { delivery, acknowledgement });
                }
            }
        }
    }

    pub fn heard(&mut self, program: ProgramId, token: Token) {
        if self.owed.heard(program, token) {
            self.line.shared.gather(Command::Heard { token });
        }
    }

    // Programs that keep others waiting.

    /// Returns when to look again.
    fn look_at_the_slow(&mut self) -> Option<Instant> {
        let now = clock::now();
        let several = self.programs() > 1;
        let waits = self.options.acknowledge() != Acknowledge::OnArrival;
        let (mut next, mut is_held) = (None::<Instant>, false);
        for index in 0..self.members.len() {
            let id = self.members[index].id;
            let mut is_full = self.members[index].is_full(now, several);
            if several && self.members[index].gives_up_at().is_some_and(|at| at <= now) {
                self.members[index].give_up_messages();
                let done = self.owed.settle(id);
                self.acknowledge(done);
                is_full = self.members[index].is_full(now, several);
            }
            if several && waits && self.members[index].overdue_at().is_some_and(|at| at <= now) {
                // Its messages stay where they are; only the Server hears already that they were taken.
                let done = self.owed.settle(id);
                self.acknowledge(done);
            }
            let member = &mut self.members[index];
            member.owing = if self.owed.owes(id) { member.owing.or(Some(now)) } else { None };
            is_held |= is_full;
            let overdue = self.members[index].overdue_at().filter(|_| several && waits);
            let gives_up = self.members[index].gives_up_at().filter(|_| several);
            next = [next, overdue, gives_up].into_iter().flatten().min();
        }
        if is_held != self.held {
            self.held = is_held;
            self.line.shared.events.hold(is_held);
        }
        self.line.room_was_made();
        self.line.shared.work_off_commands();
        next
    }

    fn is_not_overdue(&mut self, program: ProgramId) {
        let owes = self.owed.owes(program);
        if let Some(member) = self.member(program) {
            member.owing = owes.then(clock::now);
        }
    }

    // What everybody sees.

    pub fn member(&mut self, id: ProgramId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    pub fn figures(&self) -> Snapshot {
        Snapshot { programs: self.programs(), nobodys: self.nobodys, ..*self.line.shared.snapshot.lock() }
    }

    pub fn mirror(&mut self) {
        let figures = self.figures();
        self.members.iter_mut().filter(|member| member.wanted).for_each(|member| member.mirror(&figures));
    }

    pub fn note_everybody(&self) {
        *self.everybody.lock() = self.members.iter().map(|member| member.program.clone()).collect();
    }

    /// The next event of the connection.
    pub fn next_notice(&self) -> Option<Notice> {
        match self.line.shared.events.pop_if(|_| true) {
            Next::Taken(notice) => Some(notice),
            Next::Nothing | Next::Left => None,
        }
    }
}

/// The switchboard has panicked: every program's part has failed for good.
pub(super) fn fail(everybody: &Everybody, failure: &Failure) {
    for program in everybody.lock().iter() {
        let fail = || program.set_state(State::Failed);
        let deadline = clock::now() + LONGEST_LOCK;
        if !program.events.push_then_until(NoticeKind::Failed(failure.text.clone()), deadline, fail) {
            fail();
        }
    }
}

#[cfg(test)]
#[path = "switchboard_tests.rs"]
mod tests;
