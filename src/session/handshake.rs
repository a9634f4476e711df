//! The start of a Network Connection: CONNECT, CONNACK and what they agree on (sections 3.1 and 3.2).

use super::Session;
use super::aliases::{IncomingAliases, OutgoingAliases};
use super::authentication::AuthenticationFault;
use super::breaches::Breach;
use super::connection::{Connection, Phase};
use super::elsewhere::FOR_EVER;
use super::event::{Disconnected, Event};
use super::inbound::Parked;
use super::limits::ServerLimits;
use super::options::Acknowledge;
use super::ours::Ours;
use super::packets::describe;
use super::record::{Key, Record};
use super::requester::response_topic;
use super::sink::sink;
use crate::codec::connack::Connack;
use crate::codec::connect::{Connect, Will};
use crate::codec::error::EncodeError;
use crate::codec::property::{PropertiesBuf, PropertyId, Value};
use crate::codec::{Packet, PacketId};
use crate::types::ProtocolVersion;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use std::time::Instant;
use zeroize::Zeroizing;

/// PUBACK, PUBREC, PUBREL and PUBCOMP have so many bytes at most, without texts.
const LARGEST_ANSWER: usize = 5;

impl Session {
    /// The next connection is one to this Server, which may be another one than before.
    pub fn set_server(&mut self, server: &str) {
        self.elsewhere.set_here(server);
    }

    /// The transport is connected: CONNECT goes out. The Server has until `deadline` to answer.
    pub fn handle_opened(&mut self, now: Instant, deadline: Instant) {
        let version = self.version;
        self.breaches.start(self.options.strict);
        let limits = ServerLimits::before_connack(self.options.keep_alive, self.session_expiry_interval());
        let mut connection = Connection::new(now, deadline, version, limits);
        if let Err(error) = self.send_connect(&mut connection) {
            let detail = format!("CONNECT can't be sent: {error}");
            connection.close(Disconnected::new(Some(Status::InvalidArgument), detail));
        }
        self.connection = Some(connection);
    }

    fn send_connect(&mut self, connection: &mut Connection) -> Result<(), EncodeError> {
        let options = &self.options;
        let mut properties = Zeroizing::new(PropertiesBuf::new());
        let mut set = |id, value: u32, unless: u32| {
            if value != unless {
                // The ranges of the options are those of the properties.
                let _ = properties.set(id, Value::Int(value));
            }
        };
        set(PropertyId::SessionExpiryInterval, options.session_expiry_interval, 0);
        set(PropertyId::ReceiveMaximum, options.receive_maximum.into(), 65_535);
        set(PropertyId::MaximumPacketSize, options.maximum_packet_size, u32::MAX);
        set(PropertyId::TopicAliasMaximum, options.topic_alias_maximum.into(), 0);
        set(PropertyId::RequestProblemInformation, options.request_problem_information.into(), 1);
        set(PropertyId::RequestResponseInformation, options.request_response_information.into(), 0);
        properties.extend(options.user_properties.as_properties());
        if self.version == ProtocolVersion::V5 {
            self.begin_authentication(connection, &mut properties);
        }
        let options = &self.options;
        let scram = options.authentication.as_ref().is_some_and(|authentication| authentication.mechanism.is_scram());
        let will = options.will.as_ref().map(|will| Will {
            topic: will.message.topic(),
            payload: will.message.payload(),
            qos: will.message.qos,
            retain: will.message.retain,
            properties: will.properties.as_properties(),
        });
        connection.send(&Packet::Connect(Connect {
            version: self.version,
            clean_start: self.asks_for_clean_start(),
            keep_alive: options.keep_alive,
            properties: properties.as_properties(),
            client_id: &self.client_id,
            will,
            // SCRAM proves the password; it must not travel beside its proof.
            user_name: options.user_name.as_deref().filter(|_| !scram),
            password: options.password.as_ref().map(|password| password.as_slice()).filter(|_| !scram),
        }))
    }

    /// What was asked for: in MQTT 3.1.1 a Session without an identifier can't outlive its connection.
    fn session_expiry_interval(&self) -> u32 {
        match self.version {
            ProtocolVersion::V311 if self.asks_for_clean_start() => 0,
            _ => self.options.session_expiry_interval,
        }
    }

    fn asks_for_clean_start(&self) -> bool {
        // Without an identifier there is nothing to resume [MQTT311-3.1.3-7]. Clean Session also ends the Session with the
        // connection, which is what a Session Expiry Interval of 0 means.
        let is_clean_session = self.version == ProtocolVersion::V311
            && (self.client_id.is_empty() || self.options.session_expiry_interval == 0);
        is_clean_session || self.ours.asks_for_clean_start(self.options.clean_start)
    }

    pub(super) fn handle_connack(&mut self, now: Instant, connack: &Connack<'_>) {
        let Some(connection) = &mut self.connection else { return };
        if !matches!(connection.phase, Phase::AwaitingConnack { .. }) {
            // [MQTT-3.2.0-2]
            return self.break_off(ReasonCode::PROTOCOL_ERROR, "the Server sent a second CONNACK".to_owned());
        }
        if connack.reason.is_error() {
            return self.handle_refusal(connack);
        }
        if !self.accepts(connack) {
            return;
        }
        self.go_online(connack);
        self.plan_look(now);
        self.settle_session(now, connack.session_present);
    }

    fn handle_refusal(&mut self, connack: &Connack<'_>) {
        if connack.session_present {
            self.tolerate(Breach::SessionPresentInRefusal);
        }
        let mut detail = format!("the Server refused the connection: {}", describe(connack.reason, connack.properties));
        detail.push_str(match connack.reason {
            ReasonCode::NOT_AUTHORIZED => {
                " Check USER_NAME and PASSWORD, too: many Servers answer so when these don't fit or are missing."
            }
            // Only the Will Message can be meant: nothing else in CONNECT has a topic, a payload, RETAIN or a QoS.
            ReasonCode::TOPIC_NAME_INVALID
            | ReasonCode::PAYLOAD_FORMAT_INVALID
            | ReasonCode::RETAIN_NOT_SUPPORTED
            | ReasonCode::QOS_NOT_SUPPORTED
                if self.options.will.is_some() =>
            {
                " It is the Will Message that the Server doesn't take."
            }
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID if self.gives_up_assigned_identifier() => {
                " The Server had assigned this Client Identifier itself: the next attempt asks for another one, with a new Session. \
                 With a CLIENT_ID the Session is kept."
            }
            _ => "",
        });
        let mut end = Disconnected::new(Some(Status::RefusedByServer), detail);
        end.reason = Some(connack.reason);
        end.properties = connack.properties.into();
        if connack.reason == ReasonCode::UNSUPPORTED_PROTOCOL_VERSION {
            self.change_version(&mut end);
        }
        if let Some(connection) = &mut self.connection {
            connection.is_answered = true;
            connection.close(end);
        }
    }

    /// The Server refuses the Client Identifier. If it is one that it had assigned, as AWS IoT Core does, it would be refused for ever.
    fn gives_up_assigned_identifier(&mut self) -> bool {
        let is_assigned = self.options.client_id.is_empty() && !self.client_id.is_empty() && !self.elsewhere.is_away();
        if is_assigned {
            self.client_id.clear();
            self.forget_session();
        }
        is_assigned
    }

    /// Whether a CONNACK that says success can be taken for it. If not, the connection ends.
    fn accepts(&mut self, connack: &Connack<'_>) -> bool {
        let response_information = connack.properties.text(PropertyId::ResponseInformation);
        if response_information.is_some() && !self.options.request_response_information {
            self.tolerate(Breach::ResponseInformation);
        }
        if self.wants_close() || !self.takes_answers(connack) {
            return false;
        }
        let fault = match self.breach_in_connack(connack) {
            Some(breach) => Err(AuthenticationFault::Protocol(breach)),
            None => self.complete_authentication(connack.properties),
        };
        match fault {
            Ok(()) => return true,
            Err(AuthenticationFault::Protocol(breach)) => {
                self.break_off(ReasonCode::PROTOCOL_ERROR, format!("CONNACK: {breach}"));
            }
            Err(AuthenticationFault::Untrusted(detail)) => self.fail_authentication(detail),
        }
        false
    }

    /// Whether the Server's Maximum Packet Size has room for what has to be sent. If not, flows would hang without a word, and the
    /// connection ends.
    fn takes_answers(&mut self, connack: &Connack<'_>) -> bool {
        let maximum = connack.properties.int(PropertyId::MaximumPacketSize).map_or(usize::MAX, |size| size as usize);
        if let Some(connection) = self.connection.as_mut().filter(|_| maximum < LARGEST_ANSWER) {
            connection.limits.maximum_packet_size = maximum;
            let detail = format!("the Server takes packets of at most {maximum} bytes, too few to answer its messages");
            let end = Disconnected::new(Some(Status::NotSupportedByServer), detail);
            connection.close_with(ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR, end);
        }
        maximum >= LARGEST_ANSWER
    }

    /// The connection is accepted: what CONNACK says of it is in force.
    fn go_online(&mut self, connack: &Connack<'_>) {
        let options = &self.options;
        let Some(connection) = &mut self.connection else { return };
        let limits = ServerLimits::from_connack(
            connack,
            self.version,
            options.keep_alive,
            connection.limits.session_expiry_interval,
        );
        let in_flight_maximum = match self.version {
            ProtocolVersion::V5 => options.in_flight_maximum,
            ProtocolVersion::V311 => options.in_flight_maximum_v311,
        };
        connection.quota_limit = limits.receive_maximum.min(in_flight_maximum) as isize;
        connection.send_quota = connection.quota_limit;
        connection.priority_reserve = (options.priority_reserve as isize).min(connection.quota_limit / 2);
        let aliases = limits.topic_alias_maximum.min(options.outgoing_topic_alias_maximum);
        connection.outgoing_aliases = OutgoingAliases::new(aliases);
        connection.incoming_aliases = IncomingAliases::new(options.topic_alias_maximum);
        connection.limits = limits;
        connection.is_answered = true;
        connection.ends_session = limits.session_expiry_interval == 0;
        connection.waits_to_publish = options.waits_to_publish;
        connection.phase = Phase::Online;
        self.version_spoken = true;
        self.counters.connections += 1;
        // It is for a CONNECT without one (section 3.2.2.3.7).
        let asked = self.client_id.is_empty();
        let assigned =
            connack.properties.text(PropertyId::AssignedClientIdentifier).filter(|_| asked).map(str::to_owned);
        if let Some(client_id) = &assigned {
            self.client_id.clone_from(client_id);
        }
        let information = connack.properties.text(PropertyId::ResponseInformation);
        self.requester.use_response_topic(response_topic(&options.response_topic, information, &self.client_id));
        self.events.push_back(Event::Connected {
            session_present: connack.session_present,
            assigned_client_id: assigned,
            properties: connack.properties.into(),
        });
    }

    /// What becomes of our Session, and of those that were left behind, now that this Server has one or not.
    fn settle_session(&mut self, now: Instant, session_present: bool) {
        if !session_present {
            // [MQTT-3.2.2-5]
            self.begin_anew(now);
        } else if !self.take_up_again(now)
            && let Some(connection) = &mut self.connection
        {
            let in_doubt = self.ours == Ours::InDoubt;
            self.outbound.resume(connection, in_doubt, &mut sink!(self));
            // A Server that comes back from a crash with what it had saved before may know less of them than was granted. In MQTT
            // 3.1.1 their retained messages would come again on each connection.
            if in_doubt || self.version == ProtocolVersion::V5 {
                self.subscriptions.doubt_session(&mut self.log);
            }
        }
        if let Some(connection) = &self.connection {
            // In MQTT 3.1.1 nobody tells the Server how long.
            let for_ever = connection.version == ProtocolVersion::V311 && !connection.ends_session;
            let lasts = if for_ever { FOR_EVER } else { connection.limits.session_expiry_interval };
            self.elsewhere.settle(lasts, &mut self.log);
        }
        self.elsewhere.heard = Some(now);
        if !self.ours.is_resumable() {
            self.resumable_recorded = self.log.replace(Key::Session, || Record::Session);
        }
        self.ours = Ours::Begun;
    }

    /// The Server has no Session. If ours was another Server's, that one may keep it.
    fn begin_anew(&mut self, now: Instant) {
        if self.elsewhere.is_away() {
            self.leave_behind();
        }
        if self.options.acknowledge == Acknowledge::Explicitly {
            self.elsewhere.parked().for_each(Parked::give_up);
        }
        // This one has lost what it had from before.
        self.elsewhere.come_back(now, &mut self.log);
        self.use_reserved();
        self.lose_session();
    }

    /// Whether the Server's Session is one that was left behind. It knows nothing of what was under way at the Server in
    /// between.
    fn take_up_again(&mut self, now: Instant) -> bool {
        if self.elsewhere.is_home() {
            return false;
        }
        let Some(left) = self.elsewhere.come_back(now, &mut self.log) else { return false };
        // If the two Servers share their Sessions in spite of that, this is the Session from the time in between.
        let (held, parked) = (self.held_by_server(), self.inbound.park());
        self.leave_behind();
        self.use_reserved();
        self.inbound.lose_session(&mut self.log);
        self.inbound.come_back(left.parked, parked);
        self.outbound.lose_session(&mut self.ids, &mut sink!(self));
        self.subscriptions.doubt_session(&mut self.log);
        self.subscriptions.end_others(left.filters);
        self.elsewhere.reserved = left.ids.into_iter().chain(held).filter(|id| self.ids.keep_away(*id)).collect();
        true
    }

    pub(super) fn leave_behind(&mut self) {
        let held = self.held_by_server();
        self.elsewhere.leave(held, self.subscriptions.filters(), self.inbound.park(), &mut self.log);
    }

    /// The Packet Identifiers that can't be used at home if others are to be used there.
    fn held_by_server(&self) -> Vec<PacketId> {
        self.outbound.held_by_server().into_iter().chain(self.elsewhere.reserved.iter().copied()).collect()
    }

    /// Packet Identifiers that were kept away from the home Server may be used again.
    pub(super) fn use_reserved(&mut self) {
        for id in std::mem::take(&mut self.elsewhere.reserved) {
            self.ids.release(id);
        }
    }

    /// The Server closed the connection instead of answering CONNECT. A Server that doesn't know this version of MQTT may
    /// do so, but so may one that is restarting. If it has spoken this version before, it is held to be restarting.
    pub(super) fn closed_without_answer(&mut self, end: &mut Disconnected) {
        if !self.version_spoken {
            self.change_version(end);
        }
    }

    /// This version isn't spoken here: the next attempt is made in the other one, if the program asked for that.
    fn change_version(&mut self, end: &mut Disconnected) {
        if !self.options.fall_back_to_v311 || self.options.version != ProtocolVersion::V5 {
            return;
        }
        let (other, name) = match self.version {
            ProtocolVersion::V5 => (ProtocolVersion::V311, "MQTT 3.1.1"),
            ProtocolVersion::V311 => (ProtocolVersion::V5, "MQTT 5.0"),
        };
        self.version = other;
        self.version_spoken = false;
        end.next_version = Some(other);
        end.detail = format!("{}; the next attempt is made in {name}", end.detail.trim_end_matches('.'));
    }

    /// What is wrong with a successful CONNACK, given what CONNECT said.
    fn breach_in_connack(&self, connack: &Connack<'_>) -> Option<&'static str> {
        let has = |id| connack.properties.nth(id, 0).is_some();
        if connack.session_present && self.asks_for_clean_start() {
            // [MQTT-3.2.2-2]
            Some("Session Present after Clean Start")
        } else if self.client_id.is_empty()
            && self.version == ProtocolVersion::V5
            && !has(PropertyId::AssignedClientIdentifier)
        {
            // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
            Some("no Assigned Client Identifier, though CONNECT had none")
        } else {
            None
        }
    }
}
