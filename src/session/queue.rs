//! Publishes that wait to be sent. Whatever is done to one of them is O(log n), but for finding it by its token.
//!
//! Priority messages go before ordinary ones. Within these two classes QoS 0 has a lane of its own, so that a spent send
//! quota doesn't hold it back; otherwise messages leave in the order of their acceptance.
//!
//! A message that waits can be superseded by a newer one with the same conflation key, can expire, and can be dropped when
//! the queue is full. What was sent once is no longer here and none of this happens to it.

use super::event::{Outcome, Token};
use super::lane::Lane;
use super::options::PublishOptions;
use super::record::Record;
use crate::codec::message::Message;
use crate::codec::property::PropertyId;
use crate::types::QoS;
use crate::types::status::Status;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An accepted publish.
#[derive(Debug)]
pub(super) struct Publishing {
    /// Its place among all publishes of the Session.
    pub number: u64,
    pub token: Token,
    pub message: Message,
    pub priority: bool,
    /// It was sent in a Session that is lost.
    pub perhaps_arrived: bool,
    /// Most have none; those that wait by the ten thousand are small then.
    terms: Option<Box<Terms>>,
}

/// What ends the wait of a publish before it is sent.
#[derive(Debug)]
struct Terms {
    conflation_key: Option<Arc<str>>,
    /// When it is not worth sending any more.
    expires: Option<Instant>,
    /// When its Message Expiry Interval is over.
    message_expires: Option<Instant>,
}

impl Terms {
    fn new(
        conflation_key: Option<Arc<str>>,
        expires: Option<Instant>,
        message_expires: Option<Instant>,
    ) -> Option<Box<Self>> {
        // A message that expires does so by `expires`, too.
        (conflation_key.is_some() || expires.is_some())
            .then(|| Box::new(Terms { conflation_key, expires, message_expires }))
    }
}

impl Publishing {
    pub fn new(now: Instant, token: Token, message: Message, options: PublishOptions) -> Self {
        let interval = message.properties().int(PropertyId::MessageExpiryInterval);
        let after = |time| now.checked_add(time);
        let message_expires = interval.and_then(|seconds| after(Duration::from_secs(seconds.into())));
        let end_of_life = options.time_to_live.and_then(after);
        Publishing {
            number: 0,
            token,
            message,
            priority: options.priority,
            perhaps_arrived: false,
            terms: Terms::new(
                options.conflation_key,
                message_expires.into_iter().chain(end_of_life).min(),
                message_expires,
            ),
        }
    }

    /// A publish that was stored as `record`.
    pub fn restored(number: u64, record: Record) -> Option<Self> {
        let Record::Publish { token, message, priority, perhaps_arrived, conflation_key, expires, message_expires } =
            record
        else {
            return None;
        };
        let terms = Terms::new(conflation_key, expires, message_expires);
        Some(Publishing { number, token, message, priority, perhaps_arrived, terms })
    }

    pub fn record(&self) -> Record {
        Record::Publish {
            token: self.token,
            message: self.message.clone(),
            priority: self.priority,
            perhaps_arrived: self.perhaps_arrived,
            conflation_key: self.conflation_key().cloned(),
            expires: self.expires(),
            message_expires: self.message_expires(),
        }
    }

    pub fn conflation_key(&self) -> Option<&Arc<str>> {
        self.terms.as_ref()?.conflation_key.as_ref()
    }

    fn expires(&self) -> Option<Instant> {
        self.terms.as_ref()?.expires
    }

    fn message_expires(&self) -> Option<Instant> {
        self.terms.as_ref()?.message_expires
    }

    /// A newer message with its conflation key doesn't supersede it any more.
    fn forget_conflation_key(&mut self) {
        if let Some(terms) = &mut self.terms {
            terms.conflation_key = None;
        }
    }

    /// Its end when it is not sent, or not again: then the reason says nothing of whether it arrived.
    pub fn not_sent(&self, reason: Status) -> Outcome {
        Outcome::local(if self.perhaps_arrived { Status::SessionLost } else { reason })
    }

    pub fn is_qos0(&self) -> bool {
        self.message.qos == QoS::AtMostOnce
    }

    /// Writes into the message what remains of its Message Expiry Interval, as a Server has to \[MQTT-3.3.2-6\]: whole
    /// seconds, at least one, since Servers take 0 for a message that never expires.
    pub fn rewrite_expiry(&mut self, now: Instant) {
        if let Some(expires) = self.message_expires() {
            let seconds = expires.saturating_duration_since(now).as_millis().div_ceil(1000).max(1);
            self.message.set_message_expiry_interval(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
    }
}

/// Whether time can't end a message before it is sent.
pub(super) fn has_no_deadline(message: &Message, options: &PublishOptions) -> bool {
    options.time_to_live.is_none() && message.properties().int(PropertyId::MessageExpiryInterval).is_none()
}

/// Which lane: priority before ordinary, and QoS 1 and 2 apart from QoS 0.
const fn lane(priority: bool, qos0: bool) -> usize {
    match (priority, qos0) {
        (true, false) => 0,
        (true, true) => 1,
        (false, false) => 2,
        (false, true) => 3,
    }
}

/// The lanes of priority messages, and those of ordinary ones.
const PRIORITY: [usize; 2] = [lane(true, false), lane(true, true)];
const ORDINARY: [usize; 2] = [lane(false, false), lane(false, true)];

type Place = (usize, u64);

/// Which QoS 1 and 2 messages the send quota allows to be sent (section 4.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quota {
    Spent,
    /// What is left is kept for priority messages.
    ForPriority,
    ForAll,
}

#[derive(Debug)]
pub(super) struct Queue {
    lanes: [Lane<Publishing>; 4],
    by_key: HashMap<Arc<str>, Place>,
    by_expiry: BTreeSet<(Instant, Place)>,
    next_number: u64,
}

impl Queue {
    pub fn new() -> Self {
        Queue { lanes: [const { Lane::new() }; 4], by_key: HashMap::new(), by_expiry: BTreeSet::new(), next_number: 1 }
    }

    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.first().is_none())
    }

    /// Adds a new publish. Returns the waiting one that it supersedes, and itself with its number. It takes over that one's
    /// place, so that a value which changes all the time is sent all the same.
    pub fn push(&mut self, mut publishing: Publishing) -> (Option<Publishing>, &Publishing) {
        let lane = lane(publishing.priority, publishing.is_qos0());
        let superseded = publishing.conflation_key().and_then(|key| self.take_conflated(key));
        match &superseded {
            Some(old) if self::lane(old.priority, old.is_qos0()) == lane => publishing.number = old.number,
            _ => {
                publishing.number = self.next_number;
                self.next_number += 1;
            }
        }
        (superseded, self.insert(publishing))
    }

    /// Takes back a publish that had left the queue. Others with its conflation key stay beside it: what had left was promised
    /// to be sent. Only the newest of them can be superseded, as its successor would otherwise be sent before it.
    pub fn put_back(&mut self, mut publishing: Publishing) {
        let other = publishing.conflation_key().and_then(|key| self.by_key.get(key)).copied();
        if let Some(place) = other {
            if place.1 > publishing.number {
                publishing.forget_conflation_key();
            } else if let Some(mut older) = self.remove(place) {
                older.forget_conflation_key();
                self.insert(older);
            }
        }
        self.insert(publishing);
    }

    /// Takes everything out, in the order in which it would leave; what is added from now on has higher numbers than `number`.
    pub fn start_after(&mut self, number: u64) -> Vec<Publishing> {
        let all = std::iter::from_fn(|| self.take_next(Quota::ForAll)).collect();
        self.next_number = number + 1;
        all
    }

    fn insert(&mut self, publishing: Publishing) -> &Publishing {
        let place = (lane(publishing.priority, publishing.is_qos0()), publishing.number);
        if let Some(key) = publishing.conflation_key() {
            self.by_key.insert(key.clone(), place);
        }
        if let Some(expires) = publishing.expires() {
            self.by_expiry.insert((expires, place));
        }
        self.lanes[place.0].insert(place.1, publishing)
    }

    fn remove(&mut self, place: Place) -> Option<Publishing> {
        let publishing = self.lanes[place.0].remove(place.1)?;
        if let Some(key) = publishing.conflation_key() {
            self.by_key.remove(key);
        }
        if let Some(expires) = publishing.expires() {
            self.by_expiry.remove(&(expires, place));
        }
        Some(publishing)
    }

    /// Takes what is to be sent next, with what is left of the send quota.
    pub fn take_next(&mut self, quota: Quota) -> Option<Publishing> {
        let ordinary = || self.first_of(ORDINARY, quota == Quota::ForAll);
        let place = self.first_of(PRIORITY, quota != Quota::Spent).or_else(ordinary)?;
        self.remove(place)
    }

    /// The oldest of these lanes; without the `acknowledged` ones, of QoS 1 and 2, if these can't be sent.
    fn first_of(&self, lanes: [usize; 2], acknowledged: bool) -> Option<Place> {
        let of = |lane: usize| self.lanes[lane].first().map(|number| (lane, number));
        let candidates = [of(lanes[0]).filter(|_| acknowledged), of(lanes[1])];
        candidates.into_iter().flatten().min_by_key(|place| place.1)
    }

    /// Takes out the message with this conflation key.
    pub fn take_conflated(&mut self, key: &str) -> Option<Publishing> {
        let place = *self.by_key.get(key)?;
        self.remove(place)
    }

    /// Takes out the message with this token. It is looked for: what nobody else needs must not cost each publish something.
    pub fn take_token(&mut self, token: Token) -> Option<Publishing> {
        let number_in = |lane: &Lane<Publishing>| lane.iter().find(|(_, one)| one.token == token).map(|found| found.0);
        let place = self.lanes.iter().enumerate().find_map(|(index, lane)| Some((index, number_in(lane)?)))?;
        self.remove(place)
    }

    /// Takes out the oldest message; a priority message only when there is no other.
    pub fn take_oldest(&mut self) -> Option<Publishing> {
        let place = self.first_of(ORDINARY, true).or_else(|| self.first_of(PRIORITY, true))?;
        self.remove(place)
    }

    /// Takes out the newest message; a priority message only when there is no other.
    pub fn take_newest(&mut self) -> Option<Publishing> {
        let last_of = |lanes: [usize; 2]| {
            let places = lanes.into_iter().filter_map(|lane| Some((lane, self.lanes[lane].last()?)));
            places.max_by_key(|place| place.1)
        };
        let place = last_of(ORDINARY).or_else(|| last_of(PRIORITY))?;
        self.remove(place)
    }

    /// Takes out a message that has expired.
    pub fn take_expired(&mut self, now: Instant) -> Option<Publishing> {
        let &(expires, place) = self.by_expiry.first()?;
        if expires <= now { self.remove(place) } else { None }
    }

    /// When the next message expires.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.by_expiry.first().map(|entry| entry.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::property::Properties;
    use crate::types::topic::TopicName;

    fn publishing(now: Instant, token: Token, qos: QoS, options: PublishOptions) -> Publishing {
        let message = Message::new(TopicName::new("t").unwrap(), b"", qos, false, Properties::EMPTY);
        Publishing::new(now, token, message, options)
    }

    #[test]
    fn nothing_is_left_behind_whatever_way_a_message_leaves() {
        let now = Instant::now();
        let mut queue = Queue::new();
        for token in 0..4000 {
            let options = PublishOptions {
                time_to_live: (token % 2 == 0).then_some(Duration::from_millis(token as u64)),
                conflation_key: (token % 3 == 0).then(|| (token % 300).to_string().into()),
                priority: token % 5 == 0,
            };
            let qos = if token % 7 == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
            queue.push(publishing(now, token, qos, options));
        }
        let mut left = 0;
        for round in 0.. {
            let later = now + Duration::from_millis(round);
            let taken = match round % 4 {
                0 => queue.take_next(Quota::ForAll),
                1 => queue.take_oldest(),
                2 => queue.take_newest(),
                _ => queue.take_expired(later).or_else(|| queue.take_oldest()),
            };
            match taken {
                Some(_) => left += 1,
                None => break,
            }
        }
        // 100 keys are shared by 1334 messages.
        assert_eq!(left, 4000 - 1334 + 100);
        assert!(queue.by_key.is_empty() && queue.by_expiry.is_empty());
    }
}
