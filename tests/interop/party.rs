//! A client in the story: it connects with a Client Identifier, and sorts what it hears.

use crate::common::program::Program;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::{RetainHandling, SubscriptionOptions};
use mt5mqtt::session::event::{Event, Outcome, Token};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{ProtocolVersion, QoS};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How to reach a Server, and what to ask of it.
pub struct Server {
    pub url: String,
    /// Whose certificates are trusted, in PEM.
    pub ca: String,
    pub version: ProtocolVersion,
    pub receive_maximum: i64,
    /// Bytes of the largest payload.
    pub largest: usize,
}

pub struct Party {
    pub program: Program,
    pub version: ProtocolVersion,
    messages: RefCell<VecDeque<Message>>,
    outcomes: RefCell<HashMap<Token, Outcome>>,
}

/// How to subscribe when nothing special is wanted.
pub const PLAIN: SubscriptionOptions = SubscriptionOptions {
    maximum_qos: QoS::ExactlyOnce,
    no_local: false,
    retain_as_published: false,
    retain_handling: RetainHandling::Always,
};

impl Party {
    pub fn new(server: &Server, client_id: &str) -> Self {
        let version = server.version;
        let program = Program::new(&server.url, &[(IntOption::ProtocolVersion, version as i64)]);
        program.set_text(options::CLIENT_ID, client_id);
        program.set_text(options::TLS_CA, &server.ca);
        // The Servers are new: there is no Session to be rid of, and MQTT 3.1.1 keeps one only without Clean Session.
        program.set_int(IntOption::CleanStart, 0);
        program.set_int(IntOption::ReceiveMaximum, server.receive_maximum);
        // If the Server has any.
        program.set_int(IntOption::TopicAliasMaximum, 10);
        Party { program, version, messages: RefCell::default(), outcomes: RefCell::default() }
    }

    pub fn connected(server: &Server, client_id: &str) -> Self {
        let party = Self::new(server, client_id);
        assert!(!party.connects(), "a Session of {client_id} on a new Server");
        party
    }

    /// Connects; whether the Server had the Session.
    #[track_caller]
    pub fn connects(&self) -> bool {
        self.program.connect().expect("an idle client connects");
        loop {
            match self.program.event("Connected") {
                Event::Connected { session_present, .. } => return session_present,
                other => self.sort(other),
            }
        }
    }

    #[track_caller]
    pub fn disconnects(&self) {
        self.program.disconnect_now(Duration::from_secs(2));
        loop {
            match self.program.event("Disconnected") {
                Event::Disconnected(end) => return assert_eq!(end.failure, None, "{}", end.detail),
                other => self.sort(other),
            }
        }
    }

    #[track_caller]
    fn sort(&self, event: Event) {
        match event {
            Event::Message { message, .. } => self.messages.borrow_mut().push_back(message),
            Event::Published { token, outcome }
            | Event::Subscribed { token, outcome, .. }
            | Event::Unsubscribed { token, outcome, .. } => {
                let twice = self.outcomes.borrow_mut().insert(token, outcome);
                assert!(twice.is_none(), "a second outcome for {token}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn outcome(&self, token: Token) -> Outcome {
        loop {
            if let Some(outcome) = self.outcomes.borrow_mut().remove(&token) {
                return outcome;
            }
            self.sort(self.program.event("an outcome"));
        }
    }

    /// The next message.
    #[track_caller]
    pub fn message(&self) -> Message {
        loop {
            if let Some(message) = self.messages.borrow_mut().pop_front() {
                return message;
            }
            self.sort(self.program.event("a message"));
        }
    }

    /// The next message has this topic and payload.
    #[track_caller]
    pub fn hears(&self, topic: &str, payload: &str) -> Message {
        let message = self.message();
        assert_eq!((message.topic().as_str(), message.payload()), (topic, payload.as_bytes()));
        message
    }

    /// A message that is there already, or comes in that time.
    pub fn message_within(&self, time: Duration) -> Option<Message> {
        while self.messages.borrow().is_empty() {
            self.sort(self.program.event_within(time)?);
        }
        self.messages.borrow_mut().pop_front()
    }

    /// Publishes and waits for the Server's answer.
    #[track_caller]
    pub fn publishes(&self, topic: &str, payload: &str, qos: QoS, retain: bool) {
        self.publishes_with(topic, payload, qos, retain, Properties::EMPTY);
    }

    #[track_caller]
    pub fn publishes_with(&self, topic: &str, payload: &str, qos: QoS, retain: bool, properties: Properties<'_>) {
        let topic = TopicName::new(topic).expect("a Topic Name");
        let published = self.program.publish(topic, payload.as_bytes(), qos, retain, properties);
        let token = published.expect("an accepted publish");
        if qos != QoS::AtMostOnce {
            let outcome = self.outcome(token);
            assert_eq!(outcome.failure, None, "{topic:?}: {:?}", outcome.reason);
        }
    }

    #[track_caller]
    pub fn subscribes(&self, filter: &str, options: SubscriptionOptions) -> ReasonCode {
        self.subscribes_with(filter, options, PropertiesBuf::new())
    }

    /// Subscribes with a Subscription Identifier and a User Property.
    #[track_caller]
    pub fn subscribes_as(&self, filter: &str, options: SubscriptionOptions, identifier: u32) {
        let mut properties = PropertiesBuf::new();
        properties.set(PropertyId::SubscriptionIdentifier, Value::Int(identifier)).expect("an identifier");
        properties.add(PropertyId::UserProperty, Value::Pair("why", "prices")).expect("a User Property");
        self.subscribes_with(filter, options, properties);
    }

    #[track_caller]
    fn subscribes_with(&self, filter: &str, options: SubscriptionOptions, properties: PropertiesBuf) -> ReasonCode {
        let checked = TopicFilter::new(filter).expect("a Topic Filter");
        let token = self.program.subscribe(checked, options, properties).expect("an accepted subscribe");
        let outcome = self.outcome(token);
        assert_eq!(outcome.failure, None, "{filter}: {:?}", outcome.reason);
        outcome.reason.expect("the Server's answer")
    }

    #[track_caller]
    pub fn unsubscribes(&self, filter: &str) -> ReasonCode {
        let filter = TopicFilter::new(filter).expect("a Topic Filter");
        let token = self.program.unsubscribe(filter, PropertiesBuf::new()).expect("an accepted unsubscribe");
        let outcome = self.outcome(token);
        assert_eq!(outcome.failure, None);
        outcome.reason.expect("the Server's answer")
    }
}
