//! What happens in a story, and what must be true in the end.

use super::Step;
use super::server::{OUR_RECEIVE_MAXIMUM, Server, Stage, number};
use crate::trace::{self, Disk};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::event::{self, Delivery, Event, Token};
use mt5mqtt::session::options::{PublishOptions, SessionOptions};
use mt5mqtt::session::{Amount, Session};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The client, the Server and the lines between them, and all that has happened.
pub struct World {
    session: Session,
    now: Instant,
    server: Server,
    open: bool,
    /// Once connected, it has subscribed: only then has the Server anything for it. A Session of which the Session here
    /// never heard, its CONNACK being lost, is started anew.
    subscribed: bool,
    up: Vec<u8>,
    waiting: Vec<u8>,
    next_token: Token,
    published: BTreeMap<Token, (u32, QoS)>,
    ended: BTreeMap<Token, Option<Status>>,
    withdrawn: BTreeSet<Token>,
    server_published: Vec<(u32, QoS)>,
    held: Vec<Delivery>,
    got: Vec<(u32, QoS)>,
    /// What is stored; `None` when nothing ever is.
    pub disk: Option<Disk>,
    connected: bool,
    durable: BTreeSet<Token>,
    /// The token whose end the program got last. It has dealt with it when it comes back.
    hears: Option<Token>,
    heard: BTreeSet<Token>,
    /// Tokens of which it is not stored yet that the program has heard of their end.
    not_stored: BTreeSet<Token>,
    /// Tokens that may end once more: the process was killed before that was stored.
    may_end_again: BTreeSet<Token>,
    /// How often the program may see a message again, since it had it when it was killed.
    seen_before: BTreeMap<u32, usize>,
    /// Its Server drops packets. What comes again then comes after later ones.
    server_drops: bool,
}

fn session() -> Session {
    Session::new(SessionOptions { receive_maximum: OUR_RECEIVE_MAXIMUM, progress: true, ..trace::options() })
}

impl World {
    pub fn new() -> Self {
        World {
            session: session(),
            now: Instant::now(),
            server: Server::new(),
            open: false,
            subscribed: false,
            up: Vec::new(),
            waiting: Vec::new(),
            next_token: 1,
            published: BTreeMap::new(),
            ended: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            server_published: Vec::new(),
            held: Vec::new(),
            got: Vec::new(),
            disk: None,
            connected: false,
            durable: BTreeSet::new(),
            hears: None,
            heard: BTreeSet::new(),
            not_stored: BTreeSet::new(),
            may_end_again: BTreeSet::new(),
            seen_before: BTreeMap::new(),
            server_drops: false,
        }
    }

    /// With a Server that drops what it should say, and a Session that doesn't wait for ever.
    pub fn impatient() -> Self {
        let answer_timeout = Duration::from_secs(5);
        let options =
            SessionOptions { receive_maximum: OUR_RECEIVE_MAXIMUM, progress: true, answer_timeout, ..trace::options() };
        World { session: Session::new(options), server_drops: true, ..World::new() }
    }

    pub fn durable() -> Self {
        let mut world = World { disk: Some(Disk::default()), ..World::new() };
        world.session.restore(Vec::new()).expect("nothing is wrong with nothing");
        world
    }

    fn store(&mut self) {
        let Some(disk) = &mut self.disk else { return };
        if !disk.store_batch(&mut self.session, self.now) {
            return;
        }
        self.subscribed |= self.connected;
        self.not_stored.retain(|token| !self.heard.contains(token));
        self.heard.clear();
    }

    fn crash(&mut self, unheard: bool) {
        let Some(disk) = self.disk.clone() else { return };
        if !unheard {
            self.look();
        }
        // The line is cut too; the dead Session would tell of it.
        self.open = false;
        self.server.online = false;
        for pipe in [&mut self.up, &mut self.server.said, &mut self.waiting] {
            pipe.clear();
        }
        self.session = disk.restored(session());
        self.held.clear();
        self.connected = false;
        let (durable, ended) = (&self.durable, &self.ended);
        self.published.retain(|token, _| durable.contains(token) || ended.contains_key(token));
        for (number, (qos, stage, _)) in &self.server.outgoing {
            if *qos == QoS::ExactlyOnce && *stage == Stage::Sent && self.got.iter().any(|(got, _)| got == number) {
                *self.seen_before.entry(*number).or_default() += 1;
            }
        }
        self.may_end_again.append(&mut self.not_stored);
        self.heard.clear();
        self.hears = None;
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                let token = self.next_token;
                self.next_token += 1;
                self.published.insert(token, (token as u32, qos));
                let payload = (token as u32).to_be_bytes();
                let topic = TopicName::new("t").unwrap();
                let message = Message::new(topic, &payload, qos, false, Properties::EMPTY);
                self.session.publish(self.now, token, message, PublishOptions::default());
            }
            Step::ServerPublish(qos) => {
                let number = self.server_published.len() as u32 + 1;
                if self.subscribed && self.server.publish(number, qos) {
                    self.server_published.push((number, qos));
                }
            }
            Step::Up(count) => {
                let count = count.min(self.session.output().len());
                self.up.extend_from_slice(&self.session.output()[..count]);
                self.session.handle_sent(self.now, count);
                self.server.serve(&mut self.up);
            }
            Step::Down(count) => {
                let count = count.min(self.server.said.len());
                self.waiting.extend(self.server.said.drain(..count));
                let used = self.session.handle_input(self.now, &self.waiting);
                self.waiting.drain(..used);
            }
            Step::Acknowledge(which) => {
                if !self.held.is_empty() {
                    let delivery = self.held.remove(which % self.held.len());
                    // False if its Session is gone.
                    self.session.acknowledge(delivery, ReasonCode::SUCCESS);
                }
            }
            Step::Cut => self.cut(),
            Step::Connect => {
                if !self.open {
                    self.open = true;
                    self.session.handle_opened(self.now, self.now + Duration::from_secs(10));
                }
            }
            Step::Pass(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.session.handle_timeout(self.now);
            }
            Step::Cancel(later) => {
                self.withdrawn.insert(self.next_token - 1 - later);
                self.session.cancel(self.next_token - 1 - later);
            }
            Step::Drop(count) => self.server.drops += count,
            Step::Store => self.store(),
            Step::Crash { unheard } => self.crash(unheard),
        }
        if self.session.wants_close() {
            self.cut();
        }
        self.look();
    }

    fn cut(&mut self) {
        if self.open {
            self.open = false;
            self.server.online = false;
            self.session.handle_closed(Status::ConnectionClosed, "cut");
            for pipe in [&mut self.up, &mut self.server.said, &mut self.waiting] {
                pipe.clear();
            }
        }
    }

    /// Takes the events.
    fn look(&mut self) {
        loop {
            if let Some(token) = self.hears.take() {
                self.session.heard(token);
                self.heard.insert(token);
            }
            let Some(event) = self.session.poll_event() else { return };
            match event {
                Event::Message { message, delivery, .. } => {
                    self.got.push((number(message.payload()), message.qos));
                    self.held.extend(delivery);
                }
                Event::Published { token, outcome } => {
                    self.not_stored.insert(token);
                    self.hears = Some(token);
                    let previous = self.ended.insert(token, outcome.failure);
                    // Withdrawn now, it is one of which this process doesn't know whether it was sent.
                    let in_doubt = self.withdrawn.contains(&token) && outcome.failure == Some(Status::SessionLost);
                    let again = self.may_end_again.remove(&token) && (in_doubt || previous == Some(outcome.failure));
                    assert!(previous.is_none() || again, "the second end of token {token}");
                }
                Event::Disconnected(end) => {
                    let expected = match end.failure {
                        Some(Status::ConnectionClosed | Status::KeepAliveTimeout | Status::ConnectTimeout) => true,
                        Some(Status::Timeout) => self.server_drops,
                        _ => false,
                    };
                    assert!(expected, "{end:?}");
                }
                Event::Connected { .. } => {
                    self.connected = true;
                    self.subscribed |= self.disk.is_none();
                }
                Event::Progress { token, stage } => {
                    if stage == event::Stage::Durable {
                        self.durable.insert(token);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// The Server drops nothing any more, and time passes until each publish has come to its end.
    pub fn finishes_all_publishes(&mut self) {
        self.server.drops = 0;
        let until = self.now + Duration::from_secs(600);
        while self.session.outstanding() != Amount::default() {
            assert!(self.now < until, "a publish has no end");
            for step in
                [Step::Connect, Step::Up(usize::MAX), Step::Down(usize::MAX), Step::Acknowledge(0), Step::Pass(1)]
            {
                self.take(step);
            }
        }
    }

    /// Everything gets through now, and the program acknowledges all that it has.
    pub fn comes_to_rest(&mut self) {
        for _ in 0..10_000 {
            let before = (self.got.len(), self.ended.len(), self.server.owned.len());
            for step in [Step::Store, Step::Connect, Step::Up(usize::MAX), Step::Down(usize::MAX), Step::Acknowledge(0)]
            {
                self.take(step);
            }
            let quiet = self.session.output().is_empty()
                && !self.session.has_records()
                && self.server.said.is_empty()
                && self.held.is_empty()
                && self.open;
            if quiet && self.server.online && before == (self.got.len(), self.ended.len(), self.server.owned.len()) {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    pub fn check(&self) {
        for (token, (number, qos)) in &self.published {
            let copies = self.server.owned.iter().filter(|(owned, _)| owned == number).count();
            let end = self.ended.get(token);
            match qos {
                // Withdrawn by a process that can't know whether the one before has sent it.
                QoS::AtLeastOnce if end == Some(&Some(Status::SessionLost)) && self.disk.is_some() => {}
                _ if end == Some(&Some(Status::Cancelled)) => assert_eq!(copies, 0, "{token} was withdrawn"),
                QoS::AtMostOnce => assert!(copies <= 1 && end.is_none()),
                QoS::AtLeastOnce => assert!(copies >= 1 && end == Some(&None), "{token}"),
                QoS::ExactlyOnce => assert!(copies == 1 && end == Some(&None), "{token}: {copies}"),
            }
        }
        // What was withdrawn is sent all the same if the process is killed before that is stored, and later ones have left by then.
        let kept = self.server.owned.iter().filter(|(number, _)| !self.withdrawn.contains(&Token::from(*number)));
        in_order(kept.copied());
        for (number, qos) in &self.server_published {
            let copies = self.got.iter().filter(|(got, _)| got == number).count();
            match qos {
                QoS::AtMostOnce => assert!(copies <= 1),
                QoS::AtLeastOnce => assert!(copies >= 1, "{number} is lost"),
                QoS::ExactlyOnce => {
                    let again = self.seen_before.get(number).copied().unwrap_or(0);
                    assert!(copies >= 1 && copies <= 1 + again, "{number}: {copies}");
                }
            }
        }
        if !self.server_drops {
            in_order(self.got.iter().copied());
        }
        assert_eq!(self.session.outstanding(), Amount::default());
        assert_eq!(self.session.in_flight(), 0);
    }
}

/// Section 4.6: for each QoS, first arrivals come in the order of publication.
fn in_order(arrivals: impl Iterator<Item = (u32, QoS)>) {
    let mut seen = BTreeSet::new();
    let mut last = [0; 3];
    for (number, qos) in arrivals {
        if seen.insert(number) {
            assert!(number > last[qos as usize], "{number} after {} ({qos:?})", last[qos as usize]);
            last[qos as usize] = number;
        }
    }
}
