//! The requester's side of Request/Response (section 4.10): a request is published with a Response Topic and Correlation
//! Data, and ends with the first response that carries the same Correlation Data, or at its deadline.
//!
//! A request waits here until the subscription to the Response Topic is granted, so that no response can be missed; one
//! that isn't published by its deadline never is. The responder needs nothing of a Session but a publish.

use super::event::{Answer, Event, Outcome, Token};
use super::figures::Amount;
use crate::codec::message::Message;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use crate::types::QoS;
use crate::types::status::Status;
use crate::types::text;
use crate::types::topic::{TopicFilter, TopicName};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Random bytes that tell the requests of this Session from those of one before it, whose responses may still come.
const NONCE_SIZE: usize = 8;

#[derive(Debug)]
struct Request {
    deadline: Instant,
    /// Until it is published.
    message: Option<Message>,
    /// From then on: where its response is to be sent.
    response_topic: Arc<str>,
    /// Published with QoS 0.
    is_qos0: bool,
    /// Its own Message Expiry Interval ends before the deadline.
    expires_early: bool,
}

#[derive(Debug)]
pub(super) struct Requester {
    nonce: [u8; NONCE_SIZE],
    requests: HashMap<Token, Request>,
    deadlines: BTreeSet<(Instant, Token)>,
    /// Requests that are not published yet, and some that have ended before they were.
    waiting: VecDeque<Token>,
    /// Requests that are not published yet.
    pub(super) unpublished: Amount,
    /// Published above QoS 0, and not finished as a publish; some of them have been answered already.
    publishing: HashSet<Token>,
    /// Published with QoS 0, and ended at their deadline, which the program hasn't been told: perhaps they were never sent.
    unanswered: HashSet<Token>,
    /// By how many bytes requests have grown since they were added.
    grown: usize,
    /// Where responses are to be sent; known on a connection.
    response_topic: Option<Arc<str>>,
    /// Whether the subscription to it was asked for.
    subscribed: bool,
}

impl Requester {
    pub fn new(seed: &[u8; 32]) -> Self {
        let mut nonce = [0; NONCE_SIZE];
        nonce.copy_from_slice(&seed[..NONCE_SIZE]);
        Requester {
            nonce,
            requests: HashMap::new(),
            deadlines: BTreeSet::new(),
            waiting: VecDeque::new(),
            unpublished: Amount::default(),
            publishing: HashSet::new(),
            unanswered: HashSet::new(),
            grown: 0,
            response_topic: None,
            subscribed: false,
        }
    }

    pub fn add(&mut self, token: Token, message: Message, deadline: Instant) {
        self.unpublished += Amount::of(&message);
        let is_qos0 = message.qos == QoS::AtMostOnce;
        let response_topic = Arc::default();
        let request = Request { deadline, message: Some(message), response_topic, is_qos0, expires_early: false };
        self.requests.insert(token, request);
        self.deadlines.insert((deadline, token));
        self.waiting.push_back(token);
    }

    /// By how many bytes requests have grown in all, as they got their properties.
    pub fn grown(&self) -> usize {
        self.grown
    }

    /// Where responses are to be sent on this connection.
    pub fn use_response_topic(&mut self, topic: String) {
        if self.response_topic.as_deref() != Some(&topic) {
            self.subscribed = false;
            self.response_topic = Some(topic.into());
        }
    }

    /// The Response Topic, if a request waits for the subscription to it, and whether that was asked for.
    pub fn needs_subscription(&self) -> Option<(&str, bool)> {
        let topic = self.response_topic.as_deref().filter(|_| self.unpublished.count > 0)?;
        Some((topic, self.subscribed))
    }

    pub fn set_subscribed(&mut self) {
        self.subscribed = true;
    }

    /// The program has ended the subscription: it is asked for anew when it is needed.
    pub fn unsubscribed(&mut self, filter: &str) {
        if self.response_topic.as_deref() == Some(filter) {
            self.subscribed = false;
        }
    }

    /// The next request to publish, with all that the responder needs, and the time that is left for it.
    pub fn publish_next(&mut self, now: Instant) -> Option<(Token, Message, Duration)> {
        let topic = self.response_topic.as_ref()?;
        loop {
            let token = self.waiting.pop_front()?;
            let Some(request) = self.requests.get_mut(&token) else { continue };
            let Some(message) = request.message.take() else { continue };
            request.response_topic.clone_from(topic);
            let left = request.deadline.saturating_duration_since(now);
            self.unpublished -= Amount::of(&message);
            let mut correlation = [0; NONCE_SIZE + size_of::<Token>()];
            correlation[..NONCE_SIZE].copy_from_slice(&self.nonce);
            correlation[NONCE_SIZE..].copy_from_slice(&token.to_be_bytes());
            let mut properties: PropertiesBuf = message.properties().into();
            // Neither can fail: the topic was checked, and the range of a second's count is wide enough.
            let _ = properties.set(PropertyId::ResponseTopic, Value::Text(topic));
            let _ = properties.set(PropertyId::CorrelationData, Value::Binary(&correlation));
            if let Some(seconds) = message.properties().int(PropertyId::MessageExpiryInterval) {
                request.expires_early = Duration::from_secs(seconds.into()) < left;
            } else {
                // Nobody waits for the response any more when a responder gets the request later than that.
                let seconds = left.as_millis().div_ceil(1000);
                let _ = properties.set(PropertyId::MessageExpiryInterval, Value::Int(seconds as u32));
            }
            if message.qos != QoS::AtMostOnce {
                self.publishing.insert(token);
            }
            let properties = properties.as_properties();
            let request = Message::new(message.topic(), message.payload(), message.qos, false, properties);
            self.grown += request.size() - message.size();
            return Some((token, request, left));
        }
    }

    /// The request that this message answers, if it waits for a response.
    pub fn awaits(&self, topic: TopicName<'_>, properties: Properties<'_>) -> Option<Token> {
        if self.requests.is_empty() {
            return None;
        }
        let token = properties.binary(PropertyId::CorrelationData)?.strip_prefix(&self.nonce[..])?;
        let token = Token::from_be_bytes(token.try_into().ok()?);
        // A request that comes back to its sender has the same Correlation Data.
        let answers =
            |request: &Request| request.message.is_none() && request.response_topic.as_bytes() == topic.as_bytes();
        self.requests.get(&token).is_some_and(answers).then_some(token)
    }

    /// Ends a request. False if it has ended before.
    pub fn end(&mut self, token: Token) -> bool {
        let Some(request) = self.requests.remove(&token) else { return false };
        self.deadlines.remove(&(request.deadline, token));
        if let Some(message) = request.message {
            self.unpublished -= Amount::of(&message);
        }
        // Offline, one that waits must not keep room for all that have ended meanwhile.
        if self.waiting.len() > 64 && self.waiting.len() > 4 * self.unpublished.count {
            let waits = |token: &Token| self.requests.get(token).is_some_and(|request| request.message.is_some());
            self.waiting.retain(waits);
        }
        true
    }

    /// Ends a request that isn't published yet. False if there is none.
    pub fn cancel(&mut self, token: Token, events: &mut VecDeque<Event>) -> bool {
        let waits = self.requests.get(&token).is_some_and(|request| request.message.is_some()) && self.end(token);
        if waits {
            events.push_back(Event::Response { token, answer: Err(Outcome::local(Status::Cancelled)) });
        }
        waits
    }

    /// What the end of a publish is to the program: nothing, if a request was merely delivered, and its end if it was not.
    pub fn published(&mut self, token: Token, mut outcome: Outcome) -> Option<Event> {
        let request = self.requests.get(&token);
        let was_request = self.publishing.remove(&token) || self.unanswered.contains(&token) || request.is_some();
        if !was_request {
            return Some(Event::Published { token, outcome });
        }
        if outcome.failure == Some(Status::Expired) && request.is_some_and(|request| !request.expires_early) {
            // The deadline is what it did not live to see.
            outcome.failure = Some(Status::Timeout);
        }
        (outcome.failure.is_some() && self.end(token)).then_some(Event::Response { token, answer: Err(outcome) })
    }

    /// The program is told of the end of a request.
    pub fn told(&mut self, token: Token) {
        self.unanswered.remove(&token);
    }

    /// Ends everything that isn't published yet.
    pub fn fail_waiting(&mut self, failure: Status, events: &mut VecDeque<Event>) {
        self.subscribed = false;
        for token in std::mem::take(&mut self.waiting) {
            let unpublished = self.requests.get(&token).is_some_and(|request| request.message.is_some());
            if unpublished && self.end(token) {
                events.push_back(Event::Response { token, answer: Err(Outcome::local(failure)) });
            }
        }
    }

    /// Ends what nobody has answered in time.
    pub fn expire(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        while let Some(&(deadline, token)) = self.deadlines.first()
            && deadline <= now
        {
            if self.requests.get(&token).is_some_and(|request| request.is_qos0 && request.message.is_none()) {
                self.unanswered.insert(token);
            }
            self.end(token);
            events.push_back(Event::Response { token, answer: Err(Outcome::local(Status::Timeout)) });
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Makes a response of the message event that has just been put into the queue, if it is one.
    pub fn claim(&mut self, events: &mut VecDeque<Event>) {
        let Some(Event::Message { message, .. }) = events.back() else { return };
        let Some(token) = self.awaits(message.topic(), message.properties()) else { return };
        self.end(token);
        if let Some(Event::Message { message, delivery, packet_id, .. }) = events.pop_back() {
            events.push_back(Event::Response { token, answer: Ok(Answer { message, delivery, packet_id }) });
        }
    }
}

/// The Response Topic to use: the program's choice, or one below the Response Information that the Server offers for this
/// (section 4.10.1), or one of our own that no other client has.
pub(super) fn response_topic(chosen: &str, information: Option<&str>, client_id: &str) -> String {
    if !chosen.is_empty() {
        return chosen.to_owned();
    }
    let offered = information.map(|base| format!("{}/response", base.trim_end_matches('/')));
    if let Some(topic) = offered.filter(|topic| is_response_topic(topic)) {
        return topic;
    }
    let mut topic = "mt5mqtt/response/".to_owned();
    for character in client_id.chars() {
        let before = topic.len();
        match character {
            // No levels and no wildcards; '%' too, so that two identifiers never give one topic.
            '/' | '+' | '#' | '%' => topic.push_str(&format!("%{:02X}", character as u32)),
            _ => topic.push(character),
        }
        if topic.len() > text::MAX_LENGTH {
            // Should another client have the same one, the Correlation Data still tells whose a response is.
            topic.truncate(before);
            break;
        }
    }
    topic
}

/// Whether responses can be published there, and subscribed to by one client alone.
fn is_response_topic(topic: &str) -> bool {
    TopicName::new(topic).is_ok() && TopicFilter::new(topic).is_ok_and(|filter| !filter.is_shared())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_that_waits_for_long_keeps_no_room_for_those_that_have_ended() {
        let (mut requester, mut events, now) = (Requester::new(&[0; 32]), VecDeque::new(), Instant::now());
        let message = || {
            let topic = TopicName::new("t").unwrap();
            Message::new(topic, b"", QoS::AtMostOnce, false, Properties::EMPTY)
        };
        requester.add(0, message(), now + Duration::from_secs(1_000_000));
        for second in 1..=1000 {
            requester.add(second, message(), now + Duration::from_secs(second as u64));
            requester.expire(now + Duration::from_secs(second as u64), &mut events);
        }
        assert_eq!((requester.unpublished.count, events.len()), (1, 1000));
        assert!(requester.waiting.len() <= 65, "{}", requester.waiting.len());
        requester.use_response_topic("r".to_owned());
        assert_eq!(requester.publish_next(now).map(|next| next.0), Some(0));
        // Nor does one that ends after it was published.
        requester.expire(now + Duration::from_secs(1_000_000), &mut events);
        assert_eq!(requester.unanswered.len(), 1);
        (0..=1000).for_each(|token| requester.told(token));
        assert!(requester.unanswered.is_empty() && requester.requests.is_empty() && requester.deadlines.is_empty());
    }
}
