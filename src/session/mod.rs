//! The protocol as a state machine: no socket, no thread, no clock. It can't panic on what a Server sends.
//!
//! Four classes of methods: `handle_*` tell it what happened outside, the verbs (`publish`, `subscribe`, …) are the
//! program's commands, `poll_event`, `output` and `next_timeout` are what it wants, the rest are getters. After any
//! `handle_*` or verb the caller writes `output` to the transport, takes the events, and looks at `next_timeout` and
//! `wants_close` anew. `now` must never run backwards.
//!
//! State of the Session (what MQTT lets outlive a connection) is in `Outbound`, `Inbound` and `Subscriptions`; state of the
//! Network Connection is in `Connection`, which is dropped with it. CONNECT and CONNACK are in `handshake`, what they leave
//! known of our Session in `ours`, all other packets of the Server's in `packets`.
//!
//! The way of a publish: `queue` (where it waits), `outbound` (its flow), `connection` and `unsent`; the Server's answers to it
//! come by `answers`, and the program hears of its end by an `event`. The way of a received message: `packets`, `inbound`
//! (which recognises copies by `deduplication`), and an `event`. What is to outlive the process goes to `record`, and comes
//! back by `durable`.

mod aliases;
mod answers;
pub mod authentication;
pub mod breaches;
mod connection;
mod deduplication;
mod durable;
mod elsewhere;
pub mod event;
mod figures;
mod handshake;
mod inbound;
mod lane;
pub mod limits;
mod missing;
pub mod options;
mod ordered;
mod ours;
mod outbound;
mod packet_ids;
mod packets;
mod pumping;
mod queue;
pub mod record;
mod requester;
mod resumption;
pub mod scram;
mod sink;
mod subscriptions;
mod suspect;
mod unsent;

pub use figures::{Amount, Counters, HeldUp};

use crate::codec::Packet;
use crate::codec::buffers::{Buffers, Spent};
use crate::codec::disconnect::Disconnect;
use crate::codec::message::Message;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use crate::codec::publish::Publish;
use crate::codec::subscribe::SubscriptionOptions;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::topic::TopicFilter;
use crate::types::{ProtocolVersion, QoS};
use breaches::Breaches;
use connection::{Connection, Expired, Phase};
use elsewhere::Elsewhere;
use event::{Delivery, Disconnected, Event, Token};
use inbound::{Inbound, Parked};
use options::{Acknowledgement, OutgoingOverflow, PublishOptions, SessionOptions};
use ours::Ours;
use outbound::Outbound;
use packet_ids::PacketIds;
use queue::{Publishing, has_no_deadline};
use record::{Key, Log};
use requester::Requester;
use sink::sink;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use subscriptions::{Asks, Request, Subscriptions};
use suspect::Suspect;

/// So many tokens are remembered that were withdrawn before there was a store.
const EARLY_KEPT: usize = 1024;

#[derive(Debug)]
pub struct Session {
    options: SessionOptions,
    /// The one in use: ours, or the one that the Server assigned.
    client_id: String,
    /// The version of this connection, or of the next one if there is none.
    version: ProtocolVersion,
    /// Whether a Server accepted a connection in this version.
    version_spoken: bool,
    ours: Ours,
    /// The batch in which it becomes durable that there is one to go on with.
    resumable_recorded: u64,
    elsewhere: Elsewhere,
    suspect: Suspect,
    /// How many connections in a row have ended because an answer was missing.
    without_answer: u32,
    connection: Option<Connection>,
    ids: PacketIds,
    outbound: Outbound,
    inbound: Inbound,
    subscriptions: Subscriptions,
    requester: Requester,
    /// Runs of SCRAM, and steps that the program was asked for, since the Session was made.
    scram_runs: u64,
    auth_steps: u64,
    /// What the program has withdrawn before it was restored, of an earlier process perhaps.
    cancelled_early: VecDeque<Token>,
    breaches: Breaches,
    log: Log,
    events: VecDeque<Event>,
    counters: Counters,
    buffers: Arc<Buffers>,
    spent: Spent,
}

impl Session {
    pub fn new(options: SessionOptions) -> Session {
        let buffers = Arc::<Buffers>::default();
        Session {
            client_id: options.client_id.clone(),
            requester: Requester::new(&options.seed),
            version: options.version,
            version_spoken: false,
            options,
            ours: Ours::Unknown,
            resumable_recorded: 0,
            elsewhere: Elsewhere::default(),
            suspect: Suspect::default(),
            without_answer: 0,
            connection: None,
            ids: PacketIds::new(),
            outbound: Outbound::new(),
            inbound: Inbound::new(buffers.clone()),
            subscriptions: Subscriptions::new(),
            scram_runs: 0,
            auth_steps: 0,
            cancelled_early: VecDeque::new(),
            breaches: Breaches::new(),
            log: Log::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            spent: Spent::new(buffers.clone()),
            buffers,
        }
    }

    /// Takes new options, in force from the next connection on. Another Client Identifier is another Session: there is
    /// nothing to resume then.
    pub fn set_options(&mut self, options: SessionOptions) {
        if options.client_id != self.options.client_id || options.version != self.options.version {
            self.client_id.clone_from(&options.client_id);
            self.forget_session();
        }
        if options.acknowledge != self.options.acknowledge {
            // Who can say of these that they are done, depends on it.
            self.elsewhere.parked().for_each(|parked| *parked = Parked::default());
            self.inbound.come_back(Parked::default(), Parked::default());
        }
        self.version = options.version;
        self.version_spoken = false;
        self.options = options;
    }

    /// Under another Client Identifier there is nothing to resume.
    fn forget_session(&mut self) {
        self.lose_session();
        self.use_reserved();
        self.elsewhere.forget(&mut self.log);
        self.ours = Ours::Unknown;
        self.log.remove(Key::Session);
    }

    /// Changes the limits of what waits to be sent; they hold from the next publish on.
    pub fn limit_outgoing(&mut self, maximum: usize, maximum_bytes: usize, overflow: OutgoingOverflow) {
        self.options.outgoing_maximum = maximum;
        self.options.outgoing_maximum_bytes = maximum_bytes;
        self.options.outgoing_overflow = overflow;
    }

    // What happened outside.

    /// The program doesn't take what has arrived, so nothing is read: that the Server's PINGRESP isn't seen says nothing. To be
    /// said each time before the timers are looked at.
    pub fn handle_reading_paused(&mut self, now: Instant) {
        if let Some(connection) = &mut self.connection {
            connection.received(now, self.options.ping_timeout);
        }
    }

    /// The Network Connection is gone, by `failure` unless the Session itself had ended it.
    pub fn handle_closed(&mut self, failure: Status, detail: &str) {
        let Some(connection) = self.connection.take() else { return };
        // In the order in which they are sent.
        let unanswered = self.outbound.first_pubrel(&self.log);
        let unanswered = unanswered.or_else(|| self.subscriptions.first_unanswered());
        let unanswered = unanswered.or_else(|| self.outbound.first_unanswered());
        self.inbound.disconnected();
        self.subscriptions.disconnected(&mut self.ids);
        let mut end = connection.end.unwrap_or_else(|| {
            let mut end = Disconnected::new(Some(failure), detail);
            if matches!(connection.phase, Phase::AwaitingConnack { .. }) {
                self.closed_without_answer(&mut end);
            }
            end
        });
        // Only CONNACK says how many may be in flight.
        let given_up = match connection.quota_limit {
            0 => None,
            _ => self.suspect.look(unanswered, &mut end),
        };
        self.events.push_back(Event::Disconnected(end));
        if let Some(id) = given_up {
            self.outbound.give_up_pubrel(id, &mut sink!(self));
            self.elsewhere.reserve(&mut self.outbound.given_up, &mut self.log);
        }
        if !connection.is_answered {
            self.ours.unanswered();
            self.elsewhere.unanswered(&mut self.log);
        }
        // A Session that ends with its connection needs nobody to say so on the next one.
        if connection.ends_session {
            // In MQTT 3.1.1 it was a Clean Session, of which nothing comes back [MQTT311-3.1.2-6].
            if connection.version == ProtocolVersion::V5 {
                self.ours = Ours::Ended;
                self.log.remove(Key::Session);
                self.leave_behind();
                self.use_reserved();
            }
            self.lose_session();
        }
    }

    /// Looks at the timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        // What was never sent is out of the queue before its request ends.
        self.outbound.expire(now, &mut sink!(self));
        self.requester.expire(now, &mut self.events);
        let Some(connection) = &mut self.connection else { return };
        match connection.expired(now) {
            Expired::Nothing => {}
            Expired::Connack => connection.close(Disconnected::new(
                Some(Status::ConnectTimeout),
                "the Server accepted the connection, but didn't answer CONNECT in time",
            )),
            Expired::Pingresp => connection
                .close(Disconnected::new(Some(Status::KeepAliveTimeout), "the Server didn't answer PINGREQ in time")),
            Expired::Authentication => self.fail_authentication("it took too long".to_owned()),
            Expired::KeepAlive => connection.send_ping(now, self.options.ping_timeout),
        }
        self.look_for_answers(now);
    }

    // The program's commands.

    /// Publishes a message, now or when the connection and the quota allow it. Its end comes as an event.
    pub fn publish(&mut self, now: Instant, token: Token, message: Message, how: PublishOptions) {
        let mut out = sink!(self);
        self.outbound.expire(now, &mut out);
        if let Some(connection) = &mut self.connection
            && message.qos == QoS::AtMostOnce
            && has_no_deadline(&message, &how)
            && self.outbound.has_way(message.size(), &self.options, connection)
        {
            self.outbound.send_at_once(token, &message.publish(None, false), connection, &mut out);
            return out.spent.add(message);
        }
        self.outbound.accept(Publishing::new(now, token, message, how), &self.options, &mut out);
        if let Some(connection) = &mut self.connection {
            self.outbound.pump(now, connection, &mut self.ids, &mut out);
        }
    }

    /// As `publish`, for a message of QoS 0 that nothing ends before it is sent, and that is owned only if it has to wait.
    pub fn publish_patient(&mut self, now: Instant, token: Token, publish: &Publish<'_>) {
        let mut out = sink!(self);
        self.outbound.expire(now, &mut out);
        match (&mut self.connection, publish.topic) {
            (Some(connection), _) if self.outbound.has_way(publish.size(), &self.options, connection) => {
                self.outbound.send_at_once(token, publish, connection, &mut out);
            }
            (_, Some(topic)) => {
                let Publish { payload, qos, retain, properties, .. } = *publish;
                let message = Message::new_in(self.buffers(), topic, payload, qos, retain, properties);
                self.publish(now, token, message, PublishOptions::default());
            }
            (_, None) => {}
        }
    }

    /// Publishes a request when its response can be received; it ends with the response, or at the deadline. The message has
    /// neither Response Topic nor Correlation Data yet.
    pub fn request(&mut self, token: Token, message: Message, deadline: Instant, now: Instant) {
        self.requester.add(token, message, deadline);
        self.pump_requests(now);
    }

    /// Withdraws a publish or a request that waits. What was sent goes on, and ends as ever.
    pub fn cancel(&mut self, token: Token) {
        let found = self.requester.cancel(token, &mut self.events) || self.outbound.cancel(token, &mut sink!(self));
        if !found && !self.log.is_on() {
            self.cancelled_early.push_back(token);
            let too_many = self.cancelled_early.len().saturating_sub(EARLY_KEPT);
            self.cancelled_early.drain(..too_many);
        }
    }

    /// Subscribes, now or when there is a connection. `properties` are those of the SUBSCRIBE packet.
    pub fn subscribe(
        &mut self,
        token: Token,
        filter: TopicFilter<'_>,
        options: SubscriptionOptions,
        properties: PropertiesBuf,
    ) {
        let filter = filter.as_str().to_owned();
        self.subscriptions.add(Request { token, filter, properties, asks: Asks::subscribe(options) });
        self.pump_subscriptions();
    }

    /// Ends a subscription, now or when there is a connection.
    pub fn unsubscribe(&mut self, token: Token, filter: TopicFilter<'_>, properties: PropertiesBuf) {
        self.requester.unsubscribed(filter.as_str());
        let filter = filter.as_str().to_owned();
        self.subscriptions.add(Request { token, filter, properties, asks: Asks::Unsubscribe });
        self.pump_subscriptions();
    }

    /// The program is done with a received message. False if none waits under this name. One that came when messages were
    /// acknowledged on arrival, perhaps to an earlier process, needs no record any more.
    pub fn acknowledge(&mut self, delivery: Delivery, acknowledgement: impl Into<Acknowledgement>) -> bool {
        if self.inbound.taken(delivery, &mut self.log) {
            return true;
        }
        let acknowledgement = acknowledgement.into();
        self.elsewhere.parked().for_each(|parked| parked.acknowledge(delivery, &acknowledgement));
        self.inbound.acknowledge(delivery, acknowledgement, self.connection.as_mut(), &mut self.log)
    }

    /// Everything is subscribed to that has to be before anything is published on this connection.
    pub fn go_on(&mut self, now: Instant) {
        if let Some(connection) = &mut self.connection {
            connection.waits_to_publish = false;
        }
        self.pump(now);
    }

    /// Ends the connection on the program's request. The Session stays, as long as its expiry allows; what is queued waits
    /// for the next connection.
    pub fn disconnect(&mut self, reason: ReasonCode, properties: Properties<'_>) {
        let Some(connection) = &mut self.connection else { return };
        if connection.phase == Phase::Closing {
            return;
        }
        // MQTT 3.1.1 has no way to say it.
        let v5 = connection.version == ProtocolVersion::V5;
        let interval = properties.int(PropertyId::SessionExpiryInterval).filter(|_| v5);
        if connection.send(&Packet::Disconnect(Disconnect { reason, properties })).is_err() {
            // Too large for the Server: it leaves without its texts [MQTT-3.14.2-3] [MQTT-3.14.2-4].
            let mut bare = PropertiesBuf::new();
            if let Some(interval) = interval {
                let _ = bare.set(PropertyId::SessionExpiryInterval, Value::Int(interval));
            }
            // A DISCONNECT that can't be encoded must not keep the connection from closing.
            let _ = connection.send(&Packet::Disconnect(Disconnect { reason, properties: bare.as_properties() }));
        }
        if let Some(interval) = interval {
            connection.limits.session_expiry_interval = interval;
            connection.ends_session = interval == 0;
            if connection.is_online() {
                self.elsewhere.lasts_at_least(interval);
            }
        }
        connection.close(Disconnected::new(None, "disconnected on request"));
    }

    // What the Session wants.

    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = match self.events.pop_front()? {
                Event::Published { token, outcome } => {
                    let event = self.requester.published(token, outcome);
                    if !matches!(event, Some(Event::Published { .. })) {
                        // It is the request's end that the program hears of.
                        self.log.heard(token);
                    }
                    event
                }
                Event::Response { token, answer } => {
                    self.requester.told(token);
                    Some(Event::Response { token, answer })
                }
                event => Some(event),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// Whether `poll_event` has something to look at.
    pub fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// Bytes to write to the transport.
    pub fn output(&self) -> &[u8] {
        self.connection.as_ref().map_or(&[], Connection::output)
    }

    /// The transport took `count` bytes of the output.
    pub fn handle_sent(&mut self, now: Instant, count: usize) {
        if let Some(connection) = &mut self.connection {
            connection.sent(now, count);
        }
        self.pump(now);
    }

    /// Whether so many answers wait to be sent that nothing is to be read before the transport has taken some of them.
    pub fn wants_no_input(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_overfull)
    }

    /// When `handle_timeout` wants to be called.
    pub fn next_timeout(&self) -> Option<Instant> {
        let connection = self.connection.as_ref().and_then(Connection::next_timeout);
        let expiry = self.outbound.next_expiry();
        connection.into_iter().chain(self.requester.next_timeout()).chain(expiry).min()
    }

    /// Whether the transport is to be closed as soon as the output is written.
    pub fn wants_close(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.phase == Phase::Closing)
    }
}
