//! The thread of a shared connection: lets programs in and out, carries out what they ask for, and hands them what the
//! Server says (`routing`). It alone uses the client that has the connection, and sleeps until a program or that client
//! wakes it.

use super::filters::{Filters, ProgramId, Subscribe};
use super::inheritance::Inheritance;
use super::members::Member;
use super::owed::{Done, Owed};
use super::{Arrival, Desk, LONGEST_LOCK};
use crate::client::command::Command;
use crate::client::events::{Next, NoticeKind};
use crate::client::options::{IntOption, Options};
use crate::client::shared::{Shared, Snapshot};
use crate::client::thread::Hold;
use crate::client::{Client, Failure, State, clock};
use crate::codec::property::{PropertiesBuf, PropertyId, Value};
use crate::session::event::{Disconnected, Event, Token};
use crate::session::options::Acknowledge;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::{ProtocolVersion, QoS};
use mio::{Events, Poll, Waker};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub(super) const WAKE: mio::Token = mio::Token(0);

/// Commands of one program, and events of the connection, that are dealt with before others have their turn.
const IN_A_ROW: usize = 256;

/// The programs that are to be told when the switchboard itself fails.
pub(super) type Everybody = Arc<Mutex<Vec<Arc<Shared>>>>;

/// Whose an accepted publish or request is.
pub(super) struct Owner {
    pub program: ProgramId,
    pub is_qos0: bool,
}

pub(super) struct Switchboard {
    desk: Arc<Desk>,
    poll: Poll,
    ready: Events,
    /// The client that has the connection.
    pub line: Client,
    /// With what the connection is open, or was last.
    pub options: Options,
    /// It is to be opened with these once it is idle.
    opening: Option<Options>,
    /// It was asked to close, and isn't idle yet.
    pub is_closing: bool,
    /// The event of the present connection, for programs that come later.
    pub connected: Option<Event>,
    pub members: Vec<Member>,
    everybody: Everybody,
    last_id: ProgramId,
    pub filters: Filters,
    pub owed: Owed,
    pub owners: HashMap<Token, Owner>,
    /// What waits for a connection: with what a SUBSCRIBE is made depends on the Server.
    deferred: VecDeque<(ProgramId, Command)>,
    /// Whether the Session may be one that an earlier process had, with subscriptions that nobody here knows of.
    pub inherited: bool,
    pub inheritance: Inheritance,
    /// Messages that were for nobody.
    pub nobodys: u64,
    held: bool,
    /// There is more to do than one turn allows.
    pub has_more: bool,
}

impl Switchboard {
    pub fn new(desk: Arc<Desk>, poll: Poll, waker: Arc<Waker>) -> Switchboard {
        let line = Client::with_accounts(Options::default(), desk.accounts.clone(), None);
        // It is new: nobody has set another one.
        let _ = line.shared.events.set_leader_waker(waker);
        Switchboard {
            desk,
            poll,
            ready: Events::with_capacity(4),
            line,
            options: Options::default(),
            opening: None,
            is_closing: false,
            connected: None,
            members: Vec::new(),
            everybody: Everybody::default(),
            last_id: 0,
            // Seconds are enough: a process takes longer to come back.
            filters: Filters::new(clock::unix_us().unsigned_abs() / 1_000_000),
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
            self.bury_the_dead();
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
    fn programs(&self) -> usize {
        self.members.iter().filter(|member| member.wanted && !member.is_dead).count()
    }

    // Coming.

    fn welcome(&mut self) {
        for arrival in self.desk.arrivals.drain() {
            // What it asked for before has woken nobody.
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
        let is_it = |member: &Member| Arc::ptr_eq(&member.program, &arrival.program);
        let place = self.members.iter().position(is_it).or_else(|| self.members.iter().position(same_inbox));
        let was_here = self.members.iter().any(is_it);
        let is_here = |member: &Member| member.wanted && !member.is_dead;
        let others = self.members.iter().enumerate().any(|(index, member)| is_here(member) && Some(index) != place);
        if others && let Some(name) = arrival.options.difference(&self.options) {
            let connection = &arrival.connection;
            let text = format!("option {name} is not what the shared connection '{connection}' is open with");
            return Err((Status::SharedDiffers, text));
        }
        let differs = || arrival.options.difference(&self.options).is_some();
        let must_open = !others && (self.line.state() == State::Idle || self.is_closing || differs());
        if must_open {
            // Checked before anybody is put out for it.
            self.line.check_store(&arrival.options)?;
        }
        let release = Duration::from_secs(arrival.options.int(IntOption::SharedRelease) as u64);
        let (mut missed, mut copies) = (0, Vec::new());
        let id = match place {
            Some(index) => {
                copies = self.owed.copies(self.members[index].id);
                missed = self.take_place(index, arrival, release);
                self.members[index].id
            }
            None => {
                self.last_id += 1;
                let member = Member::new(self.last_id, arrival.program.clone(), &arrival.inbox, release);
                self.members.push(member);
                self.last_id
            }
        };
        let gone: Vec<ProgramId> =
            self.members.iter().filter(|member| !member.wanted).map(|member| member.id).collect();
        for id in gone {
            self.let_out(id);
            self.remove(id);
        }
        self.note_everybody();
        let figures = self.figures();
        let connected = self.connected.clone();
        if place.is_none() {
            self.hand_over_inheritance(id);
        }
        let state = if must_open { State::Connecting } else { self.line.state() };
        let is_new = place.is_none();
        let is_successor = place.is_some() && !was_here;
        if let Some(member) = self.member(id) {
            member.mirror(&figures);
            member.set_state(state);
            if let Some(Event::Connected { assigned_client_id, properties, .. }) = connected.filter(|_| !must_open) {
                // A program that takes a place has the subscriptions of the one before.
                let event = Event::Connected { session_present: !is_new, assigned_client_id, properties };
                member.give(NoticeKind::Session(event));
            }
            // What the program before has left, unless it is the same one.
            if missed > 0 {
                member.tell_missed(missed);
            }
            if is_successor {
                copies.into_iter().for_each(|copy| member.give(copy));
            }
        }
        if must_open {
            self.opening = Some(arrival.options.clone());
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

    /// A program comes back, or takes the place of another one with the same name of an inbox. Returns how many messages
    /// that one has missed, and wasn't told of.
    fn take_place(&mut self, index: usize, arrival: &Arrival, release: Duration) -> u64 {
        let member = &mut self.members[index];
        let mut missed = 0;
        if !Arc::ptr_eq(&member.program, &arrival.program) {
            if member.wanted {
                let text = "another program has connected with the same name of an inbox";
                let end = Disconnected::new(Some(Status::SharedTakenOver), text);
                member.give(NoticeKind::Session(Event::Disconnected(end)));
                member.set_state(State::Idle);
            }
            missed = member.replace(arrival.program.clone(), release);
        }
        member.wanted = true;
        member.release = release;
        missed
    }

    /// Opens the connection if that is wanted and the last one is closed.
    fn open(&mut self) -> Result<(), Failure> {
        if self.opening.is_none() || self.line.state() != State::Idle {
            return Ok(());
        }
        // Whoever made it idle lets go of the core when the event of it is in the queue: it isn't the new connection's.
        drop(self.line.shared.core.lock());
        while self.hand_out_next() {}
        let Some(options) = self.opening.take() else { return Ok(()) };
        let for_the_line = options.for_shared_connection();
        self.line.set_option(|options, _| {
            *options = for_the_line;
            Ok(())
        })?;
        self.options = options;
        self.line.connect()
    }

    fn open_when_idle(&mut self) {
        if self.opening.is_some()
            && let Err((status, text)) = self.open()
        {
            let end = Disconnected::new(Some(status), text);
            self.close_for_all(&Event::Disconnected(end));
        }
    }

    /// There is no connection any more, and nobody makes a new one.
    pub fn close_for_all(&mut self, event: &Event) {
        for member in &mut self.members {
            if member.wanted || member.program.state() != State::Idle {
                member.wanted = false;
                member.set_state(State::Idle);
                member.give(NoticeKind::Session(event.clone()));
            }
        }
    }

    /// Whether the connection is about to be made with other options.
    pub fn is_opening(&self) -> bool {
        self.opening.is_some()
    }

    // Going.

    /// A program that was let in has waited no longer.
    fn dismiss(&mut self, program: &Arc<Shared>) {
        if let Some(id) =
            self.members.iter().find(|member| Arc::ptr_eq(&member.program, program)).map(|member| member.id)
        {
            self.say_goodbye(id, farewell(PropertiesBuf::new()));
        }
    }

    /// A program wants no connection any more. The last one closes it.
    fn say_goodbye(&mut self, id: ProgramId, farewell: Command) {
        if let Some(member) = self.member(id) {
            member.wanted = false;
        }
        if self.programs() > 0 {
            self.let_out(id);
            self.remove(id);
        } else if self.line.state() == State::Idle || self.opening.take().is_some() {
            self.let_out(id);
        } else {
            self.close(farewell);
        }
    }

    /// Tells a program that it isn't connected any more, unless it knows.
    fn let_out(&mut self, id: ProgramId) {
        if let Some(member) = self.member(id).filter(|member| member.program.state() != State::Idle) {
            // First the state: a program that has seen the event must find it.
            member.set_state(State::Idle);
            let event = Event::Disconnected(Disconnected::new(None, "disconnected on request"));
            member.give(NoticeKind::Session(event));
        }
    }

    fn close(&mut self, farewell: Command) {
        self.is_closing = true;
        self.line.shared.gather(farewell);
    }

    /// Nothing is kept for a program any more.
    fn remove(&mut self, id: ProgramId) {
        self.members.retain(|member| member.id != id);
        self.deferred.retain(|(program, command)| *program != id || !self.desk.accounts.is_given_up(command));
        for filter in self.filters.leave(id) {
            let (token, properties) = (self.new_request(), PropertiesBuf::new());
            self.line.shared.gather(Command::Unsubscribe { token, filter, properties });
        }
        let done = self.owed.settle(id);
        self.acknowledge(done);
        self.note_everybody();
    }

    /// A request of the switchboard's own, which counts as one of a program's.
    pub fn new_request(&self) -> Token {
        self.desk.accounts.requests.fetch_add(1, Ordering::AcqRel);
        self.desk.accounts.next_token.fetch_add(1, Ordering::Relaxed)
    }

    pub fn forget_request(&self) {
        self.desk.accounts.requests.fetch_sub(1, Ordering::AcqRel);
    }

    /// A program whose lock is left can't be reached again. If it has a name, one may come that takes its place.
    fn bury_the_dead(&mut self) {
        let is_dead = |member: &&Member| member.is_dead && member.wanted;
        let dead: Vec<(ProgramId, bool)> =
            self.members.iter().filter(is_dead).map(|member| (member.id, member.inbox.is_empty())).collect();
        for (id, is_nameless) in dead {
            let lost = self.owed.count(id) as u64;
            if let Some(member) = self.member(id) {
                member.count_instead(lost);
            }
            let done = self.owed.settle(id);
            self.acknowledge(done);
            if is_nameless {
                self.remove(id);
            }
        }
    }

    // What programs ask for.

    fn collect(&mut self) {
        for index in (0..self.members.len()).rev() {
            let Some(member) = self.members.get_mut(index).filter(|member| member.wanted && !member.is_dead) else {
                continue;
            };
            let (id, program) = (member.id, member.program.clone());
            program.forget_left();
            let mut count = 0;
            while count < IN_A_ROW
                && let Some(member) = self.member(id).filter(|member| member.wanted)
                && let Some(command) = member.next_command()
            {
                count += 1;
                self.carry_out(id, command);
            }
            self.has_more |= count == IN_A_ROW;
            if program.freed.load(Ordering::Acquire)
                && count < IN_A_ROW
                && self.member(id).is_some_and(|member| member.wanted)
            {
                let farewell = farewell(self.last_words());
                self.say_goodbye(id, farewell);
            }
        }
        self.line.shared.work_off_commands();
    }

    fn carry_out(&mut self, program: ProgramId, command: Command) {
        let line = &self.line.shared;
        match command {
            Command::Publish { token, message, how } => {
                let is_qos0 = message.qos == QoS::AtMostOnce;
                self.owners.insert(token, Owner { program, is_qos0 });
                line.gather(Command::Publish { token, message, how });
            }
            Command::Request { token, message, deadline } => {
                self.owners.insert(token, Owner { program, is_qos0: false });
                line.gather(Command::Request { token, message, deadline });
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
            Command::Reauthenticate { .. } | Command::Panic => line.gather(command),
            // The connection is the switchboard's to make and to limit, and steps of an authentication are nobody's.
            Command::Connect(_) | Command::LimitOutgoing { .. } | Command::Authenticate { .. } => {}
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

    /// All programs are done with these messages.
    pub fn acknowledge(&self, done: impl IntoIterator<Item = Done>) {
        for (delivery, acknowledgement) in done {
            match self.options.acknowledge() {
                Acknowledge::OnArrival if self.has_store() => self.line.shared.gather(Command::Taken { delivery }),
                Acknowledge::OnArrival => {}
                _ => self.line.shared.gather(Command::Acknowledge { delivery, acknowledgement }),
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
            let mut is_full = self.members[index].is_full(now);
            if self.members[index].gives_up_at().is_some_and(|at| at <= now) {
                self.members[index].give_up_messages();
                let done = self.owed.settle(id);
                self.acknowledge(done);
                self.members[index].owing = None;
                is_full = self.members[index].is_full(now);
            }
            if several && waits && self.members[index].overdue_at().is_some_and(|at| at <= now) {
                // Its messages stay where they are; only the Server hears already that they were taken.
                let done = self.owed.settle(id);
                self.acknowledge(done);
            }
            if !self.owed.owes(id) {
                self.members[index].owing = None;
            }
            is_held |= is_full;
            let overdue = self.members[index].overdue_at().filter(|_| several && waits);
            next = [next, overdue, self.members[index].gives_up_at()].into_iter().flatten().min();
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

    fn note_everybody(&self) {
        *self.everybody.lock() = self.members.iter().map(|member| member.program.clone()).collect();
    }

    /// The next event of the connection.
    pub fn next_notice(&self) -> Option<crate::client::events::Notice> {
        match self.line.shared.events.pop_if(|_| true) {
            Next::Taken(notice) => Some(notice),
            Next::Nothing | Next::Left => None,
        }
    }

    /// What DISCONNECT says when the last program frees its part.
    fn last_words(&self) -> PropertiesBuf {
        let session = self.options.session_options();
        let mut properties = PropertiesBuf::new();
        if session.is_ok_and(|session| session.client_id.is_empty() && session.version == ProtocolVersion::V5) {
            // The Server made up this Client Identifier: nobody can ever resume the Session.
            let _ = properties.set(PropertyId::SessionExpiryInterval, Value::Int(0));
        }
        properties
    }
}

fn farewell(properties: PropertiesBuf) -> Command {
    Command::Disconnect { reason: ReasonCode::SUCCESS, properties }
}

/// The switchboard has panicked: every program's part has failed for good.
pub(super) fn fail(everybody: &Everybody, what: &str) {
    for program in everybody.lock().iter() {
        program.set_state_until(State::Failed, clock::now() + LONGEST_LOCK);
        let kind = NoticeKind::Failed(format!("a fault inside the library: {what}"));
        program.events.push_until(kind, clock::now() + LONGEST_LOCK);
    }
}
