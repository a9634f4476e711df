//! The Session: any order of bytes, commands and time. It can't panic, writes nothing that isn't MQTT, keeps to the send
//! quota, ends each publish and request once, hands out no message twice under one name, asks for no time that has passed,
//! and takes no more memory than what it was given explains.

use crate::choices::Choices;
use crate::memory::Meter;
use crate::server::ServerBytes;
use mt5mqtt::client::options::Options;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::SubscriptionOptions;
use mt5mqtt::session::Amount;
use mt5mqtt::session::Session;
use mt5mqtt::session::authentication::{Authentication, Mechanism};
use mt5mqtt::session::event::{Delivery, Event, Token};
use mt5mqtt::session::options::{
    Acknowledge, Acknowledgement, Deduplicate, MessageKey, OutgoingOverflow, PayloadFormatCheck, PublishOptions,
    SessionOptions, WillMessage,
};
use mt5mqtt::session::scram::{self, Credentials};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{ProtocolVersion, QoS};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A Session, and what announces its packets, before anything has happened.
const MEMORY: usize = 96 * 1024;
/// For each byte that it got from either side: an event, or a packet in flight, may come of a few bytes.
const MEMORY_PER_BYTE: usize = 512;

/// How much of what can happen has happened: a story in which nothing does proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    pub connected: usize,
    pub published: usize,
    pub messages: usize,
    pub subscribed: usize,
    pub redelivered: usize,
    pub answered: usize,
    pub authenticated: usize,
    pub recognised: usize,
}

pub fn run(bytes: &[u8]) -> Happened {
    let mut choices = Choices::new(bytes);
    let meter = Meter::start();
    let mut story = Story::new(&mut choices);
    while !choices.is_over() {
        story.step(&mut choices);
        story.check();
        let limit = MEMORY + MEMORY_PER_BYTE * story.given;
        assert!(meter.peak() <= limit, "{} bytes of memory for {} given", meter.peak(), story.given);
    }
    story.end()
}

struct Story {
    happened: Happened,
    session: Session,
    options: SessionOptions,
    now: Instant,
    server: ServerBytes,
    /// What arrived and wasn't used yet.
    waiting: Vec<u8>,
    /// Bytes of everything that the Session was given.
    given: usize,
    token: Token,
    publishing: HashSet<Token>,
    asking: HashSet<Token>,
    deliveries: Vec<Delivery>,
    named: HashSet<Delivery>,
    /// The last step of an authentication that the program was told of.
    asked: u64,
}

fn qos(choices: &mut Choices<'_>) -> QoS {
    [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][choices.below(3)]
}

fn topic(choices: &mut Choices<'_>) -> TopicName<'static> {
    let topics = ["t", "a/b", "цена/🚀", "$SYS/x"];
    TopicName::new(topics[choices.below(topics.len())]).expect("a Topic Name")
}

fn message(choices: &mut Choices<'_>) -> Message {
    let mut properties = PropertiesBuf::new();
    if choices.flag() {
        properties.add(PropertyId::UserProperty, Value::Pair("name", "value")).expect("a User Property");
    }
    let (topic, qos, retain) = (topic(choices), qos(choices), choices.flag());
    Message::new(topic, choices.take(40), qos, retain, properties.as_properties())
}

fn options(choices: &mut Choices<'_>) -> SessionOptions {
    let mut options = Options::default().session_options().expect("the defaults");
    options.version = if choices.flag() { ProtocolVersion::V311 } else { ProtocolVersion::V5 };
    options.client_id = ["c", "", "other"][choices.below(3)].to_owned();
    options.clean_start = choices.flag();
    options.session_expiry_interval = [3600, 0, u32::MAX][choices.below(3)];
    options.keep_alive = [30, 0, 1, u16::MAX][choices.below(4)];
    options.receive_maximum = [1024, 1, 2, u16::MAX][choices.below(4)];
    options.maximum_packet_size = [1 << 24, 64, 300][choices.below(3)];
    options.in_flight_maximum = [65_500, 1, 3][choices.below(3)];
    options.request_response_information = choices.flag();
    options.acknowledge = [Acknowledge::WhenTaken, Acknowledge::OnArrival, Acknowledge::Explicitly][choices.below(3)];
    options.outgoing_maximum = [100_000, 1, 4][choices.below(3)];
    options.outgoing_overflow = [OutgoingOverflow::Refuse, OutgoingOverflow::DropOldest][choices.below(2)];
    options.topic_alias_maximum = [0, 1, 3][choices.below(3)];
    options.outgoing_topic_alias_maximum = [64, 0, 1][choices.below(3)];
    options.fall_back_to_v311 = choices.flag();
    options.strict = choices.flag();
    options.payload_format_check =
        [PayloadFormatCheck::Off, PayloadFormatCheck::Report, PayloadFormatCheck::Refuse][choices.below(3)];
    // The same each time.
    options.seed = [7; 32];
    if choices.flag() {
        options.will = Some(WillMessage { message: message(choices), properties: PropertiesBuf::new() });
    }
    options
}

/// What most stories do without.
fn with_more(options: SessionOptions, choices: &mut Choices<'_>) -> SessionOptions {
    let mechanism = match choices.below(4) {
        _ if options.version == ProtocolVersion::V311 || options.fall_back_to_v311 => None,
        0 => None,
        1 => Some(("m", Mechanism::Program { data: None })),
        2 => Some(("m", Mechanism::Program { data: Some(b"hello".to_vec().into()) })),
        _ => Some((scram::METHOD, Mechanism::Scram(Credentials::new("user", b"pencil").expect("a password")))),
    };
    let key = match choices.below(3) {
        0 => None,
        1 => Some(MessageKey::CorrelationData),
        _ => Some(MessageKey::UserProperty("name".to_owned())),
    };
    let window = 1 + choices.below(3);
    SessionOptions {
        authentication: mechanism.map(|(method, mechanism)| Authentication { method: method.to_owned(), mechanism }),
        deduplicate: key.map(|key| Deduplicate { key, window, suppress: choices.flag() }),
        progress: choices.flag(),
        priority_reserve: [0, 1, u16::MAX][choices.below(3)],
        request_problem_information: choices.flag(),
        ..options
    }
}

/// What goes along with an answer of the program's.
fn texts(choices: &mut Choices<'_>) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    if choices.flag() {
        properties.add(PropertyId::ReasonString, Value::Text("why")).expect("a Reason String");
        properties.add(PropertyId::UserProperty, Value::Pair("name", "value")).expect("a User Property");
    }
    properties
}

impl Story {
    fn new(choices: &mut Choices<'_>) -> Self {
        let options = options(choices);
        Story {
            happened: Happened::default(),
            session: Session::new(options.clone()),
            server: ServerBytes::new(options.version),
            options,
            now: Instant::now(),
            waiting: Vec::new(),
            given: 0,
            token: 0,
            publishing: HashSet::new(),
            asking: HashSet::new(),
            deliveries: Vec::new(),
            named: HashSet::new(),
            asked: 0,
        }
    }

    fn next_token(&mut self) -> Token {
        self.token += 1;
        self.token
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(19) {
            0 => self.open(),
            1..4 => {
                let bytes = self.server.packet(choices);
                self.receive(&bytes);
            }
            4 => self.receive(choices.take(32)),
            5 | 6 => self.send(choices),
            7 => self.publish(choices),
            8 => self.ask(choices),
            9 => self.request(choices),
            10 => self.acknowledge(choices),
            11 => self.pass(choices),
            12 => self.session.handle_timeout(self.now),
            13 => {
                self.session.handle_closed(Status::Network, "cut");
                self.waiting.clear();
                self.server.closed();
            }
            14 => self.change(choices),
            15 => self.disconnect(choices),
            16 => self.authenticate(choices),
            17 => self.session.cancel((self.token - i64::from(choices.byte() % 8)).max(1)),
            _ => {
                let data = choices.take(16);
                self.given += data.len();
                let data = (!data.is_empty()).then_some(data);
                self.session.reauthenticate(data, texts(choices).as_properties(), self.now);
            }
        }
    }

    fn open(&mut self) {
        // The worker opens a connection when the one before is gone.
        self.session.handle_closed(Status::Network, "a new one");
        self.waiting.clear();
        self.session.handle_opened(self.now, self.now + Duration::from_secs(10));
        self.server.opened(self.session.version());
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.given += bytes.len();
        self.waiting.extend_from_slice(bytes);
        let used = self.session.handle_input(self.now, &self.waiting);
        assert!(used <= self.waiting.len());
        self.server.told(&self.waiting[..used]);
        self.waiting.drain(..used);
        if let Some(size) = self.session.expected_size(&self.waiting) {
            assert!(size > self.waiting.len() && size <= self.options.maximum_packet_size as usize);
        }
    }

    fn send(&mut self, choices: &mut Choices<'_>) {
        let output = self.session.output();
        let count = if choices.flag() { output.len() } else { choices.byte().into() }.min(output.len());
        self.server.take(&output[..count]);
        self.session.handle_sent(self.now, count);
    }

    fn publish(&mut self, choices: &mut Choices<'_>) {
        let message = message(choices);
        // What the program gave counts, and what an accepted message takes beside its own bytes.
        self.given += message.size() + 1;
        let token = self.next_token();
        if message.qos != QoS::AtMostOnce {
            self.publishing.insert(token);
        }
        let how = PublishOptions {
            time_to_live: choices.flag().then(|| Duration::from_millis(choices.byte().into())),
            conflation_key: choices.flag().then(|| message.topic().as_str().into()),
            priority: choices.flag(),
        };
        self.session.publish(self.now, token, message, how);
    }

    fn ask(&mut self, choices: &mut Choices<'_>) {
        if choices.flag() {
            return self.publish(choices);
        }
        let mut request = message(choices);
        request.retain = false;
        self.given += request.size() + 1;
        let token = self.next_token();
        self.asking.insert(token);
        let deadline = self.now + Duration::from_millis(1 + u64::from(choices.byte()) * 100);
        self.session.request(token, request, deadline, self.now);
    }

    fn request(&mut self, choices: &mut Choices<'_>) {
        let filters = ["t", "a/#", "+/b", "$share/g/t", "#"];
        let filter = TopicFilter::new(filters[choices.below(filters.len())]).expect("a Topic Filter");
        let token = self.next_token();
        self.given += 8;
        match SubscriptionOptions::from_u8(choices.byte()).filter(|options| !(options.no_local && filter.is_shared())) {
            Some(options) => self.session.subscribe(token, filter, options, PropertiesBuf::new()),
            None => self.session.unsubscribe(token, filter, PropertiesBuf::new()),
        }
    }

    fn authenticate(&mut self, choices: &mut Choices<'_>) {
        let step = if choices.byte() < 240 { self.asked } else { choices.u64() };
        let data = choices.take(16);
        self.given += data.len();
        self.session.authenticate(step, (!data.is_empty()).then_some(data), texts(choices).as_properties());
    }

    fn acknowledge(&mut self, choices: &mut Choices<'_>) {
        let byte = choices.byte();
        let reason = if byte & 1 == 1 { ReasonCode::SUCCESS } else { ReasonCode::NOT_AUTHORIZED };
        let properties = if byte >= 128 { texts(choices) } else { PropertiesBuf::new() };
        let reason = Acknowledgement { reason, properties };
        if self.deliveries.is_empty() || choices.byte() == 0 {
            self.session.acknowledge(choices.u64() as Delivery, reason);
        } else {
            let delivery = self.deliveries.swap_remove(choices.below(self.deliveries.len()));
            self.session.acknowledge(delivery, reason);
        }
    }

    fn pass(&mut self, choices: &mut Choices<'_>) {
        let milliseconds = [1, 100, 1000, 60_000, 3_600_000][choices.below(5)];
        self.now += Duration::from_millis(milliseconds * u64::from(choices.byte()));
        if choices.flag() {
            self.session.handle_reading_paused(self.now);
        }
    }

    fn change(&mut self, choices: &mut Choices<'_>) {
        match choices.below(4) {
            0 => {
                let maximum = 1 + choices.below(8);
                self.session.limit_outgoing(maximum, 1 << 20, OutgoingOverflow::DropOldest);
                self.options.outgoing_maximum = maximum;
            }
            // Options are taken while there is no connection.
            number @ (1 | 3) => {
                self.session.handle_closed(Status::Network, "idle");
                self.waiting.clear();
                self.server.closed();
                self.options = options(choices);
                if number == 3 {
                    self.options = with_more(self.options.clone(), choices);
                }
                self.session.set_options(self.options.clone());
            }
            _ => self.session.handle_reading_paused(self.now),
        }
    }

    fn disconnect(&mut self, choices: &mut Choices<'_>) {
        let mut properties = PropertiesBuf::new();
        if choices.flag() && self.options.session_expiry_interval != 0 {
            properties.set(PropertyId::SessionExpiryInterval, Value::Int(choices.byte().into())).expect("an interval");
        }
        let reason = if choices.flag() { ReasonCode::SUCCESS } else { ReasonCode::DISCONNECT_WITH_WILL };
        self.session.disconnect(reason, properties.as_properties());
    }

    /// What holds after each step.
    fn check(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Published { token, outcome } => {
                    // A QoS 0 publish ends with an event only when it failed.
                    assert!(self.publishing.remove(&token) || outcome.failure.is_some(), "publish {token} ended twice");
                    self.happened.published += usize::from(outcome.failure.is_none());
                }
                Event::Message { message, delivery, seen_before, .. } => {
                    self.happened.messages += 1;
                    self.happened.recognised += usize::from(seen_before);
                    assert_eq!(delivery.is_some(), message.qos != QoS::AtMostOnce);
                    if let Some(delivery) = delivery {
                        assert!(self.named.insert(delivery), "delivery {delivery} stands for two messages");
                        self.deliveries.push(delivery);
                    }
                }
                Event::Response { token, answer } => {
                    assert!(self.asking.remove(&token), "request {token} ended twice");
                    self.happened.answered += usize::from(answer.is_ok());
                    if let Ok(delivery) = answer.map(|answer| answer.delivery) {
                        self.deliveries.extend(delivery);
                    }
                }
                Event::Authenticate { step, .. } => {
                    assert!(step > self.asked, "step {step} of an authentication after {}", self.asked);
                    self.asked = step;
                }
                Event::Authenticated { .. } => self.happened.authenticated += 1,
                Event::Connected { .. } => {
                    self.happened.connected += 1;
                    self.happened.authenticated += usize::from(self.options.authentication.is_some());
                }
                Event::Subscribed { outcome, .. } if outcome.failure.is_none() => self.happened.subscribed += 1,
                _ => {}
            }
        }
        if let Some(limits) = self.session.limits() {
            let quota = usize::from(limits.receive_maximum);
            assert!(self.server.unanswered() <= quota, "the Server's Receive Maximum of {quota} is exceeded");
        }
        let Amount { count, bytes } = self.session.outstanding();
        assert!(count >= self.session.in_flight() && (count > 0 || bytes == 0));
        if let Some(wanted) = self.session.next_timeout()
            && wanted <= self.now
        {
            self.session.handle_timeout(self.now);
            let next = self.session.next_timeout();
            assert!(next.is_none_or(|next| next > self.now), "a timer that has run out asks for the same time again");
        }
    }

    /// Without a connection there is nothing to send, and no time to wait for but those of requests and of what expires.
    fn end(mut self) -> Happened {
        self.session.handle_closed(Status::Network, "the end");
        self.check();
        self.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
        assert!(self.session.output().is_empty());
        while let Some(deadline) = self.session.next_timeout() {
            self.now = deadline;
            self.session.handle_timeout(self.now);
            self.check();
        }
        assert!(self.asking.is_empty(), "requests that nothing ends: {:?}", self.asking);
        self.happened.redelivered = self.session.counters().redelivered as usize;
        self.happened.recognised += self.session.counters().messages_suppressed as usize;
        self.happened
    }
}
