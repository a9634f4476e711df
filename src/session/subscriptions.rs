//! SUBSCRIBE and UNSUBSCRIBE: requests that wait for their answer, and the subscriptions to make again when the Server has
//! lost the Session.
//!
//! One packet carries one Topic Filter, so that each has its own token and outcome; packets that are made together still
//! leave in one write.

use super::connection::Connection;
use super::event::{Event, Outcome, Token};
use super::ordered::Ordered;
use super::packet_ids::PacketIds;
use super::record::{Key, Log, Record};
use super::sink::Sink;
use super::suspect::FirstUnanswered;
use crate::codec::error::EncodeError;
use crate::codec::property::{Properties, PropertiesBuf};
use crate::codec::subscribe::{RetainHandling, Subscribe, Subscription, SubscriptionOptions};
use crate::codec::unsubscribe::Unsubscribe;
use crate::codec::{Packet, PacketId};
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::topic::TopicFilter;
use std::collections::VecDeque;

/// So many ended subscriptions are ended again on the next connection.
const MOST_ENDED: usize = 100;

#[derive(Debug)]
pub(super) struct Request {
    pub token: Token,
    pub filter: String,
    pub properties: PropertiesBuf,
    pub asks: Asks,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asks {
    Subscribe {
        options: SubscriptionOptions,
        /// The Server may have the subscription already: then its retained messages are not wanted again.
        perhaps_there: bool,
    },
    Unsubscribe,
}

impl Asks {
    pub fn subscribe(options: SubscriptionOptions) -> Self {
        Asks::Subscribe { options, perhaps_there: false }
    }
}

impl Request {
    /// A granted subscription that is made again.
    fn again(granted: Granted) -> Self {
        let Granted { filter, properties, options } = granted;
        Request { token: 0, filter, properties, asks: Asks::subscribe(options) }
    }

    fn subscribes(&self) -> bool {
        matches!(self.asks, Asks::Subscribe { .. })
    }

    /// The subscription to a Response Topic: what a responder sends comes as it was sent, and nothing from before.
    pub fn for_responses(topic: &str) -> Request {
        let options = SubscriptionOptions {
            maximum_qos: QoS::ExactlyOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Never,
        };
        let (filter, properties) = (topic.to_owned(), PropertiesBuf::new());
        Request { token: 0, filter, properties, asks: Asks::subscribe(options) }
    }
}

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Granted,
    /// The Server hasn't answered yet.
    Asked,
    Unknown,
}

/// A subscription that the Server granted.
#[derive(Debug)]
struct Granted {
    filter: String,
    properties: PropertiesBuf,
    options: SubscriptionOptions,
}

impl Granted {
    fn record(&self, granted: bool) -> Record {
        Record::Subscription { options: self.options, properties: self.properties.clone(), granted }
    }
}

#[derive(Debug)]
pub(super) struct Subscriptions {
    waiting: VecDeque<Request>,
    sent: Ordered<Request>,
    granted: Vec<Granted>,
    /// Those that were ended in this Session, the last of them.
    ended: VecDeque<String>,
}

impl Subscriptions {
    pub fn new() -> Self {
        Subscriptions { waiting: VecDeque::new(), sent: Ordered::new(), granted: Vec::new(), ended: VecDeque::new() }
    }

    pub fn add(&mut self, request: Request) {
        self.waiting.push_back(request);
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What the Server has been asked for first and hasn't answered.
    pub fn first_unanswered(&self) -> Option<FirstUnanswered> {
        let (_, request) = self.sent.first()?;
        let kind = if request.subscribes() { "SUBSCRIBE" } else { "UNSUBSCRIBE" };
        let what = format!("{kind} of '{}'", request.filter);
        Some(FirstUnanswered { number: None, token: request.token, what, pubrel: None })
    }

    /// How it stands with the subscription to a Topic Filter.
    pub fn standing(&self, filter: &str) -> Standing {
        let asked = |request: &Request| request.filter == filter && request.subscribes();
        if self.waiting.iter().any(asked) || self.sent.iter().any(|(_, request)| asked(request)) {
            Standing::Asked
        } else if self.granted.iter().any(|granted| granted.filter == filter) {
            Standing::Granted
        } else {
            Standing::Unknown
        }
    }

    /// Sends what waits. The send quota doesn't hold it back \[MQTT-3.3.4-8\].
    pub fn pump(&mut self, connection: &mut Connection, ids: &mut PacketIds, out: &mut Sink<'_>) {
        if !connection.is_online() {
            return;
        }
        // Looked for only if there are any: ten thousand subscriptions that are made again would be compared with each other.
        let mut ends = self.waiting.iter().filter(|request| !request.subscribes()).count();
        while let Some(request) = self.waiting.pop_front() {
            if !request.subscribes() {
                ends -= 1;
            } else if request.token == 0 && ends > 0 && self.is_to_end(&request.filter) {
                // Nobody wants it any more, nor the retained messages that it brings.
                out.log.remove(Key::Subscription(request.filter));
                continue;
            }
            let (filter, properties) = (checked(&request.filter), request.properties.as_properties());
            if request.subscribes() && connection.limits.refuses_subscription(filter, properties).is_some() {
                self.refused(&request, out.log);
                out.events.extend(finish(request, Outcome::local(Status::NotSupportedByServer)));
                continue;
            }
            let Some(id) = ids.allocate() else {
                self.waiting.push_front(request);
                return;
            };
            match send(id, &request, connection) {
                Ok(()) => self.sent.insert(id, request),
                Err(_) => {
                    ids.release(id);
                    self.refused(&request, out.log);
                    out.events.extend(finish(request, Outcome::local(Status::TooLarge)));
                }
            }
        }
    }

    /// Whether the program has asked for the end of this subscription since.
    fn is_to_end(&self, filter: &str) -> bool {
        self.waiting.iter().any(|request| !request.subscribes() && request.filter == filter)
    }

    /// Whether its end was asked for, and the Server hasn't answered.
    pub fn is_ending(&self, filter: &str) -> bool {
        self.is_to_end(filter) || self.sent.iter().any(|(_, sent)| !sent.subscribes() && sent.filter == filter)
    }

    /// SUBACK or UNSUBACK. `Err` says how it breaks the protocol; whoever gets it gives up the request.
    pub fn handle_answer(
        &mut self,
        id: PacketId,
        subscribed: bool,
        reasons: &[ReasonCode],
        properties: Properties<'_>,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) -> Result<(), &'static str> {
        match self.sent.get(id) {
            Some(request) if request.subscribes() == subscribed => {}
            Some(_) => return Err("SUBACK and UNSUBACK are mixed up"),
            None => return Err("SUBACK or UNSUBACK for a Packet Identifier that is not in use"),
        }
        // UNSUBACK of MQTT 3.1.1 has no Reason Codes and means success.
        let reason = match reasons {
            [] if !subscribed => ReasonCode::SUCCESS,
            [reason] => *reason,
            _ => return Err("the number of Reason Codes is not that of the Topic Filters"),
        };
        if let Some(request) = self.sent.remove(id) {
            ids.release(id);
            if reason.is_error() {
                self.refused(&request, out.log);
            } else {
                self.remember(&request, out.log);
            }
            // Who is told of an end before it is durable may get messages again after a crash: the next process subscribes anew.
            let ends = !subscribed && !reason.is_error();
            match finish(request, Outcome::of(reason, properties)) {
                Some(event) if ends => out.tell_when_durable(event),
                event => out.events.extend(event),
            }
        }
        Ok(())
    }

    /// The answer can't be taken, and the connection ends. Asked again, the Server would send it again on each connection.
    pub fn give_up(&mut self, id: PacketId, ids: &mut PacketIds, out: &mut Sink<'_>) {
        if let Some(request) = self.sent.remove(id) {
            ids.release(id);
            self.refused(&request, out.log);
            out.events.extend(finish(request, Outcome::local(Status::ProtocolError)));
        }
    }

    fn remember(&mut self, request: &Request, log: &mut Log) {
        self.granted.retain(|granted| granted.filter != request.filter);
        self.ended.retain(|ended| *ended != request.filter);
        let key = Key::Subscription(request.filter.clone());
        if let Asks::Subscribe { options, .. } = request.asks {
            let (filter, properties) = (request.filter.clone(), request.properties.clone());
            let granted = Granted { filter, properties, options };
            log.replace(key, || granted.record(true));
            self.granted.push(granted);
        } else {
            log.remove(key);
            self.ended.truncate(MOST_ENDED - 1);
            self.ended.push_front(request.filter.clone());
        }
    }

    /// A subscription that was to be made again, and can't be, must not be made by the next process either.
    fn refused(&mut self, request: &Request, log: &mut Log) {
        if self.standing(&request.filter) == Standing::Unknown {
            log.remove(Key::Subscription(request.filter.clone()));
        }
    }

    /// The connection is gone: what was not answered is asked again on the next one.
    pub fn disconnected(&mut self, ids: &mut PacketIds) {
        let mut waiting = VecDeque::new();
        for (id, request) in self.sent.drain() {
            ids.release(id);
            waiting.push_back(request);
        }
        waiting.append(&mut self.waiting);
        self.waiting = waiting;
    }

    /// The Server has no Session: makes the granted subscriptions again, before what waits, which may change them.
    pub fn lose_session(&mut self, log: &mut Log) {
        self.ended.clear();
        self.make_again(log);
    }

    fn make_again(&mut self, log: &mut Log) {
        let again = std::mem::take(&mut self.granted);
        for granted in again.into_iter().rev() {
            log.replace(Key::Subscription(granted.filter.clone()), || granted.record(false));
            self.waiting.push_front(Request::again(granted));
        }
    }

    /// Whether the Server's Session is the one that it had, or has them all, nobody can say: the granted subscriptions are made
    /// again to be sure of them, and the ended ones ended.
    pub fn doubt_session(&mut self, log: &mut Log) {
        let before = self.waiting.len();
        self.make_again(log);
        let again = self.waiting.len() - before;
        for request in self.waiting.iter_mut().take(again) {
            if let Asks::Subscribe { perhaps_there, .. } = &mut request.asks {
                *perhaps_there = true;
            }
        }
        self.end_others(self.ended.iter().rev().cloned().collect());
    }

    /// What the Server may be subscribed to.
    pub fn filters(&self) -> Vec<String> {
        let waiting = self.waiting.iter().map(|request| &request.filter);
        self.granted.iter().map(|granted| &granted.filter).chain(waiting).cloned().collect()
    }

    /// Ends those subscriptions that nobody has any more.
    pub fn end_others(&mut self, filters: Vec<String>) {
        for filter in filters {
            if self.standing(&filter) == Standing::Unknown && !self.is_to_end(&filter) {
                let properties = PropertiesBuf::new();
                self.add(Request { token: 0, filter, properties, asks: Asks::Unsubscribe });
            }
        }
    }

    /// Takes over a subscription that an earlier process had stored.
    pub fn restore(&mut self, key: Key, record: Record) -> Result<(), &'static str> {
        let (Key::Subscription(filter), Record::Subscription { options, properties, granted }) = (key, record) else {
            return Err("a subscription has a record of another kind");
        };
        TopicFilter::new(&filter).map_err(|_| "a Topic Filter is none")?;
        let subscription = Granted { filter, properties, options };
        if granted {
            self.granted.push(subscription);
        } else {
            self.waiting.push_front(Request::again(subscription));
        }
        Ok(())
    }
}

fn checked(filter: &str) -> TopicFilter<'_> {
    // `Session::subscribe` and `unsubscribe` take Topic Filters only.
    TopicFilter::new(filter).expect("a Topic Filter that was checked")
}

fn send(packet_id: PacketId, request: &Request, connection: &mut Connection) -> Result<(), EncodeError> {
    let filter = checked(&request.filter);
    let properties = request.properties.as_properties();
    let packet = match request.asks {
        Asks::Subscribe { mut options, perhaps_there } => {
            if perhaps_there && options.retain_handling == RetainHandling::Always {
                options.retain_handling = RetainHandling::IfNew;
            }
            let subscriptions = vec![Subscription { filter, options }];
            Packet::Subscribe(Subscribe { packet_id, properties, subscriptions })
        }
        Asks::Unsubscribe => Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters: vec![filter] }),
    };
    connection.send(&packet)
}

/// A subscription that was made again without being asked for is only spoken of when it failed.
fn finish(request: Request, outcome: Outcome) -> Option<Event> {
    let Request { token, filter, asks, .. } = request;
    if token == 0 && outcome.failure.is_none() {
        return None;
    }
    Some(match asks {
        Asks::Subscribe { .. } => Event::Subscribed { token, filter, outcome },
        Asks::Unsubscribe => Event::Unsubscribed { token, filter, outcome },
    })
}
