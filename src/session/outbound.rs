//! Application Messages on their way to the Server: the queue, the QoS 1 and 2 flows (section 4.3), the send quota
//! (section 4.9) and redelivery (section 4.4).
//!
//! A message leaves the queue when it is sent. QoS 1 and 2 messages then stay in flight, as long as the Session lives,
//! until the Server has answered.

use super::Counters;
use super::breaches::{Breach, Breaches};
use super::connection::Connection;
use super::event::{Event, Outcome, Token};
use super::limits::ServerLimits;
use super::options::{OutgoingOverflow, SessionOptions};
use super::ordered::Ordered;
use super::packet_ids::PacketIds;
use crate::codec::ack::Ack;
use crate::codec::error::EncodeError;
use crate::codec::message::Message;
use crate::codec::property::PropertyId;
use crate::codec::{Packet, PacketId};
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::{PacketType, ProtocolVersion, QoS};
use std::collections::VecDeque;

/// An accepted publish.
#[derive(Debug)]
struct Publishing {
    token: Token,
    message: Message,
}

/// A QoS 1 or 2 message that was sent.
#[derive(Debug)]
struct InFlight {
    publishing: Publishing,
    /// Whether it takes a place in the send quota of the present connection: it was sent on it.
    counted: bool,
}

/// What an acknowledgement means for the connection.
pub(super) enum Answered {
    Fine,
    /// It belongs to a message that is in another state.
    ProtocolError(&'static str),
    Breach(Breach),
}

#[derive(Debug)]
pub(super) struct Outbound {
    /// Not sent yet. QoS 0 has a queue of its own, so that a spent send quota doesn't hold it back.
    queued_qos0: VecDeque<Publishing>,
    queued: VecDeque<Publishing>,
    /// Sent, and neither PUBACK nor PUBREC seen.
    in_flight: Ordered<InFlight>,
    /// PUBREC seen, PUBCOMP not, in the order of the PUBRECs.
    released: Ordered<Token>,
    /// Accepted and unfinished.
    count: usize,
    bytes: usize,
}

impl Outbound {
    pub fn new() -> Self {
        Outbound {
            queued_qos0: VecDeque::new(),
            queued: VecDeque::new(),
            in_flight: Ordered::new(),
            released: Ordered::new(),
            count: 0,
            bytes: 0,
        }
    }

    /// Accepted and unfinished publishes, and their bytes.
    pub fn outstanding(&self) -> (usize, usize) {
        (self.count, self.bytes)
    }

    /// Sent and not finished.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len() + self.released.len()
    }

    pub fn accept(&mut self, token: Token, message: Message, options: &SessionOptions, out: &mut Output<'_>) {
        self.count += 1;
        self.bytes += message.size();
        let queue = if message.qos == QoS::AtMostOnce { &mut self.queued_qos0 } else { &mut self.queued };
        queue.push_back(Publishing { token, message });
        if options.outgoing_overflow == OutgoingOverflow::DropOldest {
            while self.count > options.outgoing_maximum || self.bytes > options.outgoing_maximum_bytes {
                let Some(publishing) = self.take_oldest_queued() else { break };
                out.counters.publishes_dropped += 1;
                self.finish(publishing, Outcome::local(Status::Dropped), out.events);
            }
        }
    }

    fn take_oldest_queued(&mut self) -> Option<Publishing> {
        let older_is_qos0 = match (self.queued_qos0.front(), self.queued.front()) {
            (Some(qos0), Some(other)) => qos0.token < other.token,
            (qos0, _) => qos0.is_some(),
        };
        if older_is_qos0 { self.queued_qos0.pop_front() } else { self.queued.pop_front() }
    }

    fn finish(&mut self, publishing: Publishing, outcome: Outcome, events: &mut VecDeque<Event>) {
        self.count -= 1;
        self.bytes -= publishing.message.size();
        // That a QoS 0 message was sent says nothing about its arrival.
        if publishing.message.qos != QoS::AtMostOnce || outcome.failure.is_some() {
            events.push_back(Event::Published { token: publishing.token, outcome });
        }
    }

    /// Sends as much as quota and output allow: first what a resumed Session sends again, then the queue, in the order of
    /// acceptance.
    pub fn pump(&mut self, connection: &mut Connection, ids: &mut PacketIds, out: &mut Output<'_>) {
        if !connection.is_online() {
            return;
        }
        while connection.has_room() && connection.send_quota > 0 {
            let Some(id) = connection.resend.pop_front() else { break };
            self.resend(id, connection, ids, out);
        }
        while connection.has_room() {
            let may_send_acknowledged = connection.send_quota > 0 && connection.resend.is_empty();
            let next_acknowledged = self.queued.front().filter(|_| may_send_acknowledged).map(|next| next.token);
            let qos0_is_next = match (self.queued_qos0.front(), next_acknowledged) {
                (Some(qos0), Some(token)) => qos0.token < token,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            let next = if qos0_is_next { self.queued_qos0.pop_front() } else { self.queued.pop_front() };
            let Some(publishing) = next else { break };
            if !self.send(publishing, connection, ids, out) {
                break;
            }
        }
    }

    /// Sends a message for the first time. False when no Packet Identifier is free: it is back in the queue then.
    fn send(
        &mut self,
        publishing: Publishing,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Output<'_>,
    ) -> bool {
        if let Some(status) = refusal(&publishing.message, &connection.limits) {
            self.finish(publishing, Outcome::local(status), out.events);
            return true;
        }
        let packet_id = if publishing.message.qos == QoS::AtMostOnce {
            None
        } else {
            let Some(id) = ids.allocate() else {
                self.queued.push_front(publishing);
                return false;
            };
            Some(id)
        };
        // First sent: DUP is 0 [MQTT-4.3.2-2] [MQTT-4.3.3-2].
        match connection.send_publish(&publishing.message.publish(packet_id, false)) {
            Ok(()) => {
                out.counters.messages_sent += 1;
                match packet_id {
                    None => self.finish(publishing, Outcome::success(), out.events),
                    Some(id) => {
                        connection.send_quota -= 1;
                        self.in_flight.insert(id, InFlight { publishing, counted: true });
                    }
                }
            }
            Err(error) => {
                if let Some(id) = packet_id {
                    ids.release(id);
                }
                self.finish(publishing, Outcome::local(status_of(error)), out.events);
            }
        }
        true
    }

    fn resend(&mut self, id: PacketId, connection: &mut Connection, ids: &mut PacketIds, out: &mut Output<'_>) {
        // It may have been answered before its turn came.
        let Some(entry) = self.in_flight.get_mut(id) else { return };
        let message = &entry.publishing.message;
        // The Server may have come back with narrower limits.
        let result = match refusal(message, &connection.limits) {
            Some(status) => Err(status),
            // [MQTT-3.3.1-1] [MQTT-4.4.0-1]: DUP, and the original Packet Identifier.
            None => connection.send_publish(&message.publish(Some(id), true)).map_err(status_of),
        };
        match result {
            Ok(()) => {
                out.counters.messages_sent += 1;
                out.counters.redelivered += 1;
                connection.send_quota -= 1;
                entry.counted = true;
            }
            Err(status) => {
                if let Some(entry) = self.in_flight.remove(id) {
                    ids.release(id);
                    self.finish(entry.publishing, Outcome::local(status), out.events);
                }
            }
        }
    }

    /// PUBACK: the end of a QoS 1 message.
    pub fn handle_puback(
        &mut self,
        ack: &Ack<'_>,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Output<'_>,
    ) -> Answered {
        match self.qos_in_flight(ack.packet_id) {
            Some(QoS::AtLeastOnce) => {
                self.end(ack, connection, ids, out);
                Answered::Fine
            }
            Some(_) => Answered::ProtocolError("PUBACK for a QoS 2 message"),
            None if self.released.contains(ack.packet_id) => Answered::ProtocolError("PUBACK for a QoS 2 message"),
            None => Answered::Breach(Breach::UnknownAcknowledgement),
        }
    }

    /// The Server's last word on a message in flight.
    fn end(&mut self, ack: &Ack<'_>, connection: &mut Connection, ids: &mut PacketIds, out: &mut Output<'_>) {
        if let Some(entry) = self.in_flight.remove(ack.packet_id) {
            ids.release(ack.packet_id);
            if entry.counted {
                restore_quota(connection);
            }
            self.finish(entry.publishing, Outcome::of(ack.reason, ack.properties), out.events);
        }
    }

    fn qos_in_flight(&self, id: PacketId) -> Option<QoS> {
        self.in_flight.get(id).map(|entry| entry.publishing.message.qos)
    }

    /// PUBREC: the Server has the QoS 2 message, or refused it.
    pub fn handle_pubrec(
        &mut self,
        ack: &Ack<'_>,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Output<'_>,
    ) -> Answered {
        let id = ack.packet_id;
        match self.qos_in_flight(id) {
            Some(QoS::ExactlyOnce) if ack.reason.is_error() => {
                // [MQTT-4.4.0-2]: refused, and so finished; there is no PUBREL.
                self.end(ack, connection, ids, out);
                return Answered::Fine;
            }
            Some(QoS::ExactlyOnce) => {
                if let Some(entry) = self.in_flight.remove(id) {
                    self.bytes -= entry.publishing.message.size();
                    if !entry.counted {
                        connection.send_quota = connection.send_quota.saturating_sub(1);
                    }
                    self.released.insert(id, entry.publishing.token);
                }
            }
            Some(_) => return Answered::ProtocolError("PUBREC for a QoS 1 message"),
            // The Server repeats itself; so does the PUBREL.
            None if self.released.contains(id) => {}
            None if ack.reason.is_error() => return Answered::Breach(Breach::UnknownAcknowledgement),
            None => {
                // The Server has to forget about it too, so it gets its answer before anything is said of the breach.
                send_pubrel(id, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, connection);
                return Answered::Breach(Breach::UnknownAcknowledgement);
            }
        }
        send_pubrel(id, ReasonCode::SUCCESS, connection);
        Answered::Fine
    }

    /// PUBCOMP: the end of a QoS 2 message. "Packet Identifier not found" is an end too: the Server had finished it before.
    pub fn handle_pubcomp(
        &mut self,
        ack: &Ack<'_>,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Output<'_>,
    ) -> Answered {
        match self.released.remove(ack.packet_id) {
            Some(token) => {
                ids.release(ack.packet_id);
                restore_quota(connection);
                self.count -= 1;
                let outcome = Outcome { failure: None, ..Outcome::of(ack.reason, ack.properties) };
                out.events.push_back(Event::Published { token, outcome });
                Answered::Fine
            }
            None if self.in_flight.get(ack.packet_id).is_some() => Answered::ProtocolError("PUBCOMP before PUBREC"),
            None => Answered::Breach(Breach::UnknownAcknowledgement),
        }
    }

    /// The Server has kept the Session: what was in flight is sent again \[MQTT-4.4.0-1\], the PUBRELs in the order of
    /// their PUBRECs \[MQTT-4.6.0-4\] and at once, the PUBLISH packets in their original order \[MQTT-4.6.0-1\] as the quota
    /// allows.
    pub fn resume(&mut self, connection: &mut Connection) {
        connection.send_quota = connection.send_quota.saturating_sub(self.released.len());
        for (id, _) in self.released.iter() {
            send_pubrel(id, ReasonCode::SUCCESS, connection);
        }
        for (id, entry) in self.in_flight.iter_mut() {
            entry.counted = false;
            connection.resend.push_back(id);
        }
    }

    /// The Server has no Session. QoS 1 messages in flight are published anew, before everything in the queue: that they
    /// may then arrive twice is what QoS 1 allows. A QoS 2 message that the Server had confirmed is complete; of one that
    /// it had not, nobody can say whether it arrived, and the program is told so.
    pub fn lose_session(&mut self, ids: &mut PacketIds, events: &mut VecDeque<Event>) {
        for (id, token) in self.released.drain() {
            ids.release(id);
            self.count -= 1;
            events.push_back(Event::Published { token, outcome: Outcome::success() });
        }
        let mut anew = VecDeque::new();
        for (id, entry) in self.in_flight.drain() {
            ids.release(id);
            match entry.publishing.message.qos {
                QoS::ExactlyOnce => self.finish(entry.publishing, Outcome::local(Status::SessionLost), events),
                _ => anew.push_back(entry.publishing),
            }
        }
        anew.append(&mut self.queued);
        self.queued = anew;
    }
}

/// A message that this connection had sent is answered for.
fn restore_quota(connection: &mut Connection) {
    connection.send_quota = (connection.send_quota + 1).min(connection.quota_limit);
}

fn send_pubrel(id: PacketId, reason: ReasonCode, connection: &mut Connection) {
    let reason = if connection.version == ProtocolVersion::V5 { reason } else { ReasonCode::SUCCESS };
    debug_assert!(reason.allowed_in(PacketType::Pubrel));
    // At most five bytes: a Server that can't take them can't take a QoS 2 message either.
    let _ = connection.send(&Packet::Pubrel(Ack::new(id, reason)));
}

/// Why the message can't be sent: only a Server names the subscriptions that a message belongs to \[MQTT-3.3.4-6\], only the
/// connection knows its Topic Aliases \[MQTT-3.2.2-17\], and this Server doesn't take everything, as far as CONNACK said so.
pub(super) fn refusal(message: &Message, limits: &ServerLimits) -> Option<Status> {
    let foreign = |id| matches!(id, PropertyId::SubscriptionIdentifier | PropertyId::TopicAlias);
    if message.properties().iter().any(|(id, _)| foreign(id)) {
        return Some(Status::InvalidArgument);
    }
    // [MQTT-3.2.2-11] [MQTT-3.2.2-14]
    let unsupported = message.qos > limits.maximum_qos || (message.retain && !limits.retain_available);
    unsupported.then_some(Status::NotSupportedByServer)
}

fn status_of(error: EncodeError) -> Status {
    match error {
        EncodeError::TooLarge { .. } | EncodeError::FieldTooLong(_) => Status::TooLarge,
        _ => Status::InvalidArgument,
    }
}

/// Where the flows report to.
pub(super) struct Output<'a> {
    pub events: &'a mut VecDeque<Event>,
    pub counters: &'a mut Counters,
    pub breaches: &'a mut Breaches,
}
