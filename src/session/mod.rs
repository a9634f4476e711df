//! The protocol as a state machine: no socket, no thread, no clock. It can't panic on what a Server sends.
//!
//! Four classes of methods: `handle_*` tell it what happened outside, the verbs (`publish`, `subscribe`, …) are the
//! program's commands, `poll_event`, `output` and `next_timeout` are what it wants, the rest are getters. After any
//! `handle_*` or verb the caller writes `output` to the transport, takes the events, and looks at `next_timeout` and
//! `wants_close` anew. `now` must never run backwards.
//!
//! State of the Session (what MQTT lets outlive a connection) is in `Outbound`, `Inbound` and `Requests`; state of the
//! Network Connection is in `Connection`, which is dropped with it.

mod connection;
mod durable;
pub mod event;
mod inbound;
mod lane;
pub mod limits;
pub mod options;
mod ordered;
mod outbound;
mod packet_ids;
mod queue;
pub mod record;
mod requests;
mod resumption;

use crate::codec::connack::Connack;
use crate::codec::connect::{Connect, Will};
use crate::codec::disconnect::Disconnect;
use crate::codec::error::DecodeError;
use crate::codec::message::Message;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use crate::codec::publish::Publish;
use crate::codec::subscribe::SubscriptionOptions;
use crate::codec::{self, Decoded, Packet};
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::topic::TopicFilter;
use crate::types::{PacketType, ProtocolVersion};
use connection::{Connection, Expired, Phase};
use event::{Delivery, Disconnected, Event, Token};
use inbound::{Inbound, Rules};
use limits::ServerLimits;
use options::{OutgoingOverflow, PublishOptions, SessionOptions};
use outbound::{Answered, Outbound, Output};
use packet_ids::PacketIds;
use record::{Key, Log, Record};
use requests::{Request, Requests};
use std::collections::VecDeque;
use std::time::Instant;

/// Where the flows report to: the fields of the Session that hold it, borrowed apart from the others.
macro_rules! output {
    ($session:ident) => {
        Output {
            events: &mut $session.events,
            counters: &mut $session.counters,
            log: &mut $session.log,
            progress: $session.options.progress,
        }
    };
}
use output;

/// Running totals since the Session was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// PUBLISH packets, redelivered ones included.
    pub messages_sent: u64,
    pub messages_received: u64,
    /// PUBLISH packets sent with DUP.
    pub redelivered: u64,
    /// Accepted publishes that were dropped for want of room.
    pub publishes_dropped: u64,
    /// Accepted publishes that were dropped because they had waited too long.
    pub publishes_expired: u64,
    /// Accepted publishes whose place a newer one with the same conflation key took.
    pub publishes_superseded: u64,
    /// CONNACKs with success.
    pub connections: u64,
    /// Harmless faults of the Server that were passed over.
    pub breaches: u64,
    /// The last PINGREQ to its PINGRESP, in microseconds.
    pub ping_rtt_us: Option<u64>,
}

#[derive(Debug)]
pub struct Session {
    options: SessionOptions,
    /// The one in use: ours, or the one that the Server assigned.
    client_id: String,
    /// Whether an earlier connection was accepted, so that there is a Session to resume.
    resumable: bool,
    /// The batch in which that becomes durable.
    resumable_recorded: u64,
    connection: Option<Connection>,
    ids: PacketIds,
    outbound: Outbound,
    inbound: Inbound,
    requests: Requests,
    log: Log,
    events: VecDeque<Event>,
    counters: Counters,
}

impl Session {
    pub fn new(options: SessionOptions) -> Session {
        Session {
            client_id: options.client_id.clone(),
            options,
            resumable: false,
            resumable_recorded: 0,
            connection: None,
            ids: PacketIds::new(),
            outbound: Outbound::new(),
            inbound: Inbound::new(),
            requests: Requests::new(),
            log: Log::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes new options, in force from the next connection on. Another Client Identifier is another Session: there is
    /// nothing to resume then.
    pub fn set_options(&mut self, options: SessionOptions) {
        if options.client_id != self.options.client_id || options.version != self.options.version {
            self.client_id.clone_from(&options.client_id);
            self.lose_session();
            self.resumable = false;
            self.log.remove(Key::Session);
        }
        self.options = options;
    }

    /// Changes the limits of what waits to be sent; they hold from the next publish on.
    pub fn limit_outgoing(&mut self, maximum: usize, maximum_bytes: usize, overflow: OutgoingOverflow) {
        self.options.outgoing_maximum = maximum;
        self.options.outgoing_maximum_bytes = maximum_bytes;
        self.options.outgoing_overflow = overflow;
    }

    // What happened outside.

    /// The transport is connected: CONNECT goes out. The Server has until `deadline` to answer.
    pub fn handle_opened(&mut self, now: Instant, deadline: Instant) {
        let version = self.options.version;
        let limits = ServerLimits::before_connack(self.options.keep_alive, self.session_expiry_interval());
        let mut connection = Connection::new(now, deadline, version, limits);
        if let Err(error) = self.send_connect(&mut connection) {
            let detail = format!("CONNECT can't be sent: {error}");
            connection.close(Disconnected::new(Some(Status::InvalidArgument), detail));
        }
        self.connection = Some(connection);
    }

    fn send_connect(&self, connection: &mut Connection) -> Result<(), codec::error::EncodeError> {
        let options = &self.options;
        let mut properties = PropertiesBuf::new();
        let mut set = |id, value: u32, unless: u32| {
            if value != unless {
                // The ranges of the options are those of the properties.
                let _ = properties.set(id, Value::Int(value));
            }
        };
        set(PropertyId::SessionExpiryInterval, options.session_expiry_interval, 0);
        set(PropertyId::ReceiveMaximum, options.receive_maximum.into(), 65_535);
        set(PropertyId::MaximumPacketSize, options.maximum_packet_size, u32::MAX);
        set(PropertyId::RequestProblemInformation, options.request_problem_information.into(), 1);
        set(PropertyId::RequestResponseInformation, options.request_response_information.into(), 0);
        let will = options.will.as_ref().map(|will| Will {
            topic: will.message.topic(),
            payload: will.message.payload(),
            qos: will.message.qos,
            retain: will.message.retain,
            properties: will.properties.as_properties(),
        });
        connection.send(&Packet::Connect(Connect {
            version: options.version,
            clean_start: self.asks_for_clean_start(),
            keep_alive: options.keep_alive,
            properties: properties.as_properties(),
            client_id: &self.client_id,
            will,
            user_name: options.user_name.as_deref(),
            password: options.password.as_deref(),
        }))
    }

    /// What was asked for: in MQTT 3.1.1 a Session without an identifier can't outlive its connection.
    fn session_expiry_interval(&self) -> u32 {
        match self.options.version {
            ProtocolVersion::V311 if self.asks_for_clean_start() => 0,
            _ => self.options.session_expiry_interval,
        }
    }

    fn asks_for_clean_start(&self) -> bool {
        match self.options.version {
            ProtocolVersion::V5 => self.options.clean_start && !self.resumable,
            // Without an identifier there is nothing to resume [MQTT-3.1.3-7 of 3.1.1]. Clean Session also ends the
            // Session with the connection, which is what a Session Expiry Interval of 0 means.
            ProtocolVersion::V311 => {
                self.client_id.is_empty()
                    || self.options.session_expiry_interval == 0
                    || (self.options.clean_start && !self.resumable)
            }
        }
    }

    /// Bytes arrived. Returns how many were used; the rest is an incomplete packet, to be handed in again with more behind
    /// it. Nothing is used once the connection is to be closed.
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let Some(connection) = &mut self.connection else { return bytes.len() };
        connection.received(now, self.options.ping_timeout);
        let mut used = 0;
        while let Some(connection) = &mut self.connection {
            if connection.phase == Phase::Closing {
                return bytes.len();
            }
            let maximum = self.options.maximum_packet_size as usize;
            match codec::decode(&bytes[used..], connection.version, maximum) {
                Ok(Decoded::Packet { packet, used: size }) => {
                    used += size;
                    self.handle_packet(now, &packet);
                }
                Ok(Decoded::NeedMore { .. }) => break,
                Err(error) => self.refuse_packet(&error),
            }
        }
        self.pump(now);
        used
    }

    /// The program doesn't take what has arrived, so nothing is read: that the Server's PINGRESP isn't seen says nothing.
    pub fn handle_reading_paused(&mut self, now: Instant) {
        if let Some(connection) = &mut self.connection {
            connection.pause_reading(now, self.options.ping_timeout);
        }
    }

    /// How many bytes the incomplete packet at the start of `bytes` has in all, if its Fixed Header says so already.
    pub fn expected_size(&self, bytes: &[u8]) -> Option<usize> {
        let connection = self.connection.as_ref()?;
        match codec::decode(bytes, connection.version, self.options.maximum_packet_size as usize) {
            Ok(Decoded::NeedMore { total }) => total,
            _ => None,
        }
    }

    /// The Network Connection is gone, by `failure` unless the Session itself had ended it.
    pub fn handle_closed(&mut self, failure: Status, detail: &str) {
        let Some(connection) = self.connection.take() else { return };
        self.inbound.disconnected();
        self.requests.disconnected(&mut self.ids);
        let end = connection.end.unwrap_or_else(|| Disconnected::new(Some(failure), detail));
        self.events.push_back(Event::Disconnected(end));
        // A Session that ends with its connection needs nobody to say so on the next one.
        if connection.limits.session_expiry_interval == 0 {
            self.lose_session();
        }
    }

    /// Looks at the timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.outbound.expire(now, &mut output!(self));
        let Some(connection) = &mut self.connection else { return };
        match connection.expired(now) {
            Expired::Nothing => {}
            Expired::Connack => connection.close(Disconnected::new(
                Some(Status::ConnectTimeout),
                "the Server accepted the connection, but didn't answer CONNECT in time",
            )),
            Expired::Pingresp => connection
                .close(Disconnected::new(Some(Status::KeepAliveTimeout), "the Server didn't answer PINGREQ in time")),
            Expired::KeepAlive => connection.send_ping(now, self.options.ping_timeout),
        }
    }

    // The program's commands.

    /// Publishes a message, now or when the connection and the quota allow it. Its end comes as an event.
    pub fn publish(&mut self, now: Instant, token: Token, message: Message, how: PublishOptions) {
        let mut out = output!(self);
        self.outbound.expire(now, &mut out);
        self.outbound.accept(now, (token, message, how), &self.options, &mut out);
        if let Some(connection) = &mut self.connection {
            self.outbound.pump(now, connection, &mut self.ids, &mut out);
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
        self.requests.add(Request { token, filter, properties, options: Some(options) });
        self.pump_requests();
    }

    /// Ends a subscription, now or when there is a connection.
    pub fn unsubscribe(&mut self, token: Token, filter: TopicFilter<'_>, properties: PropertiesBuf) {
        self.requests.add(Request { token, filter: filter.as_str().to_owned(), properties, options: None });
        self.pump_requests();
    }

    /// The program is done with a received message. False if none waits under this name.
    pub fn acknowledge(&mut self, delivery: Delivery, reason: ReasonCode) -> bool {
        self.inbound.acknowledge(delivery, reason, self.connection.as_mut(), &mut self.log)
    }

    /// Ends the connection on the program's request. The Session stays, as long as its expiry allows; what is queued waits
    /// for the next connection.
    pub fn disconnect(&mut self, reason: ReasonCode, properties: Properties<'_>) {
        let Some(connection) = &mut self.connection else { return };
        if connection.phase == Phase::Closing {
            return;
        }
        // A DISCONNECT that can't be encoded must not keep the connection from closing.
        let _ = connection.send(&Packet::Disconnect(Disconnect { reason, properties }));
        if let Some(interval) = properties.int(PropertyId::SessionExpiryInterval) {
            connection.limits.session_expiry_interval = interval;
        }
        connection.close(Disconnected::new(None, "disconnected on request"));
    }

    // What the Session wants.

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
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

    /// When `handle_timeout` wants to be called.
    pub fn next_timeout(&self) -> Option<Instant> {
        let of_connection = self.connection.as_ref().and_then(Connection::next_timeout);
        of_connection.into_iter().chain(self.outbound.next_expiry()).min()
    }

    /// Whether the transport is to be closed as soon as the output is written.
    pub fn wants_close(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.phase == Phase::Closing)
    }

    // Getters.

    pub fn is_online(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_online)
    }

    /// What the Server announced for the present connection.
    pub fn limits(&self) -> Option<&ServerLimits> {
        self.connection.as_ref().filter(|connection| connection.is_online()).map(|connection| &connection.limits)
    }

    /// The Client Identifier in use; empty until the Server has assigned one.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Accepted and unfinished publishes, and their bytes.
    pub fn outstanding(&self) -> (usize, usize) {
        self.outbound.outstanding()
    }

    /// QoS 1 and 2 publishes that were sent and are not finished.
    pub fn in_flight(&self) -> usize {
        self.outbound.in_flight()
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    // Packets from the Server.

    fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>) {
        let Some(connection) = &mut self.connection else { return };
        if matches!(connection.phase, Phase::AwaitingConnack { .. }) && !matches!(packet, Packet::Connack(_)) {
            // [MQTT-3.2.0-1] [MQTT-3.14.0-1]
            let detail = format!("the Server sent {} before CONNACK", packet.packet_type().name());
            return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
        }
        let mut out = output!(self);
        let answered = match packet {
            Packet::Connack(connack) => return self.handle_connack(connack),
            Packet::Publish(publish) => return self.handle_publish(publish),
            Packet::Puback(ack) => self.outbound.handle_puback(ack, connection, &mut self.ids, &mut out),
            Packet::Pubrec(ack) => self.outbound.handle_pubrec(ack, connection, &mut self.ids, &mut out),
            Packet::Pubcomp(ack) => self.outbound.handle_pubcomp(ack, connection, &mut self.ids, &mut out),
            Packet::Pubrel(ack) => {
                self.inbound.handle_pubrel(ack.packet_id, connection, &mut self.log);
                Answered::Fine
            }
            Packet::Suback(suback) => {
                return self.handle_answer(suback.packet_id, true, &suback.reasons, suback.properties);
            }
            Packet::Unsuback(unsuback) => {
                return self.handle_answer(unsuback.packet_id, false, &unsuback.reasons, unsuback.properties);
            }
            Packet::Pingresp => {
                match connection.pinged(now) {
                    Some(rtt) => self.counters.ping_rtt_us = Some(rtt.as_micros() as u64),
                    None => self.counters.breaches += 1,
                }
                Answered::Fine
            }
            Packet::Disconnect(disconnect) => return self.handle_disconnect(disconnect),
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {
                let detail = format!("the Server sent {}, which only a client may", packet.packet_type().name());
                return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
            }
            // [MQTT-4.12.0-6]: no method was named in CONNECT.
            Packet::Auth(_) => Answered::ProtocolError("AUTH without an Authentication Method in CONNECT"),
        };
        if let Answered::ProtocolError(detail) = answered {
            self.break_off(ReasonCode::PROTOCOL_ERROR, detail.to_owned());
        }
    }

    fn handle_connack(&mut self, connack: &Connack<'_>) {
        let Some(connection) = &mut self.connection else { return };
        if !matches!(connection.phase, Phase::AwaitingConnack { .. }) {
            // [MQTT-3.2.0-2]
            return self.break_off(ReasonCode::PROTOCOL_ERROR, "the Server sent a second CONNACK".to_owned());
        }
        if connack.reason.is_error() {
            let detail = format!("the Server refused the connection: {}", describe(connack.reason, connack.properties));
            connection.close(Disconnected {
                failure: Some(Status::RefusedByServer),
                reason: Some(connack.reason),
                detail,
                properties: connack.properties.into(),
            });
            return;
        }
        if let Some(breach) = self.breach_in_connack(connack) {
            return self.break_off(ReasonCode::PROTOCOL_ERROR, format!("CONNACK: {breach}"));
        }
        let options = &self.options;
        let Some(connection) = &mut self.connection else { return };
        let limits = ServerLimits::from_connack(
            connack,
            options.version,
            options.keep_alive,
            connection.limits.session_expiry_interval,
        );
        connection.quota_limit = limits.receive_maximum.min(options.in_flight_maximum).into();
        connection.send_quota = connection.quota_limit;
        connection.priority_reserve = usize::from(options.priority_reserve).min(connection.quota_limit / 2);
        connection.limits = limits;
        connection.phase = Phase::Online;
        self.counters.connections += 1;
        let assigned = connack.properties.text(PropertyId::AssignedClientIdentifier).map(str::to_owned);
        if let Some(client_id) = &assigned {
            self.client_id.clone_from(client_id);
        }
        self.events.push_back(Event::Connected {
            session_present: connack.session_present,
            assigned_client_id: assigned,
            properties: connack.properties.into(),
        });
        if connack.session_present {
            self.outbound.resume(connection, &mut output!(self));
        } else {
            // [MQTT-3.2.2-5]
            self.lose_session();
        }
        if !self.resumable {
            self.resumable = true;
            self.resumable_recorded = self.log.replace(Key::Session, || Record::Session);
        }
    }

    /// What is wrong with a successful CONNACK, given what CONNECT said.
    fn breach_in_connack(&self, connack: &Connack<'_>) -> Option<&'static str> {
        let has = |id| connack.properties.nth(id, 0).is_some();
        if connack.session_present && self.asks_for_clean_start() {
            // [MQTT-3.2.2-2]
            Some("Session Present after Clean Start")
        } else if self.client_id.is_empty()
            && self.options.version == ProtocolVersion::V5
            && !has(PropertyId::AssignedClientIdentifier)
        {
            // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
            Some("no Assigned Client Identifier, though CONNECT had none")
        } else if has(PropertyId::ResponseInformation) && !self.options.request_response_information {
            // [MQTT-3.1.2-28]
            Some("Response Information that was not asked for")
        } else if has(PropertyId::AuthenticationMethod) {
            // [MQTT-4.12.0-6]
            Some("an Authentication Method, though CONNECT had none")
        } else {
            None
        }
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) {
        let Some(connection) = &mut self.connection else { return };
        // We announce a Topic Alias Maximum of 0, so there can be no alias [MQTT-3.1.2-27].
        let Some(topic) = publish.topic.filter(|_| publish.properties.int(PropertyId::TopicAlias).is_none()) else {
            let detail = "the Server used a Topic Alias, though none is allowed".to_owned();
            return self.break_off(ReasonCode::TOPIC_ALIAS_INVALID, detail);
        };
        let rules = Rules {
            receive_maximum: match connection.version {
                ProtocolVersion::V5 => self.options.receive_maximum.into(),
                ProtocolVersion::V311 => usize::MAX,
            },
            acknowledge: self.options.acknowledge,
        };
        let result = self.inbound.handle_publish(publish, topic, connection, rules, &mut output!(self));
        if let Err(reason) = result {
            let detail = "the Server sent more unacknowledged messages than our Receive Maximum allows".to_owned();
            self.break_off(reason, detail);
        }
    }

    fn handle_answer(
        &mut self,
        id: codec::PacketId,
        subscribed: bool,
        reasons: &[ReasonCode],
        properties: Properties<'_>,
    ) {
        let mut out = output!(self);
        let answer = self.requests.handle_answer(id, subscribed, reasons, properties, &mut self.ids, &mut out);
        if let Err(detail) = answer {
            self.break_off(ReasonCode::PROTOCOL_ERROR, detail.to_owned());
        }
    }

    fn handle_disconnect(&mut self, disconnect: &Disconnect<'_>) {
        let Some(connection) = &mut self.connection else { return };
        let properties = disconnect.properties;
        if connection.version == ProtocolVersion::V311 {
            let detail = "the Server sent DISCONNECT, which MQTT 3.1.1 leaves to the client".to_owned();
            return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
        }
        if properties.int(PropertyId::SessionExpiryInterval).is_some() {
            // [MQTT-3.14.2-2]
            let detail = "the Server sent a Session Expiry Interval in DISCONNECT".to_owned();
            return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
        }
        connection.close(Disconnected {
            failure: Some(Status::ServerDisconnected),
            reason: Some(disconnect.reason),
            detail: format!("the Server ended the connection: {}", describe(disconnect.reason, properties)),
            properties: properties.into(),
        });
    }

    fn refuse_packet(&mut self, error: &DecodeError) {
        let Some(connection) = &mut self.connection else { return };
        let reason = error.reason();
        let status = match reason {
            ReasonCode::MALFORMED_PACKET => Status::MalformedPacket,
            _ => Status::ProtocolError,
        };
        let end = Disconnected::new(Some(status), format!("the Server sent an invalid packet: {error}"));
        // UNSUPPORTED_PROTOCOL_VERSION can only come from a CONNECT, which DISCONNECT can't answer.
        let reason = if reason.allowed_in(PacketType::Disconnect) { reason } else { ReasonCode::PROTOCOL_ERROR };
        connection.close_with(reason, end);
    }

    /// Ends the connection because the Server broke the protocol.
    fn break_off(&mut self, reason: ReasonCode, detail: String) {
        if let Some(connection) = &mut self.connection {
            connection.close_with(reason, Disconnected::new(Some(Status::ProtocolError), detail));
        }
    }

    fn lose_session(&mut self) {
        self.inbound.lose_session(&mut self.log);
        self.outbound.lose_session(&mut self.ids, &mut output!(self));
        self.requests.lose_session(&mut self.log);
    }

    /// Sends what may be sent.
    fn pump(&mut self, now: Instant) {
        self.pump_requests();
        if let Some(connection) = &mut self.connection {
            let mut out = output!(self);
            self.outbound.pump(now, connection, &mut self.ids, &mut out);
        }
    }

    /// Subscribes once it is durable that there is a Session: who forgot that in a crash would start a new one, and lose
    /// what the Server keeps for its subscriptions.
    fn pump_requests(&mut self) {
        if let Some(connection) = &mut self.connection
            && self.log.is_durable(self.resumable_recorded)
        {
            self.requests.pump(connection, &mut self.ids, &mut self.events);
        }
    }
}

/// A Reason Code in words, with the Server's Reason String if it gave one.
fn describe(reason: ReasonCode, properties: Properties<'_>) -> String {
    match properties.text(PropertyId::ReasonString) {
        Some(text) => format!("{reason} ({text})"),
        None => format!("{reason}: {}", reason.text()),
    }
}
