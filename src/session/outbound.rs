//! Application Messages on their way to the Server: the QoS 1 and 2 flows (section 4.3), the send quota (section 4.9) and
//! redelivery (section 4.4). What was not sent yet waits in `queue`.
//!
//! A message leaves the queue when it is sent. QoS 1 and 2 messages then stay in flight, as long as the Session lives,
//! until the Server has answered.

use super::Counters;
use super::connection::Connection;
use super::event::{Event, Outcome, Token};
use super::limits::ServerLimits;
use super::options::{OutgoingOverflow, PublishOptions, SessionOptions};
use super::ordered::Ordered;
use super::packet_ids::PacketIds;
use super::queue::{Publishing, Queue};
use crate::codec::ack::Ack;
use crate::codec::error::EncodeError;
use crate::codec::message::Message;
use crate::codec::{Packet, PacketId};
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::{PacketType, ProtocolVersion, QoS};
use std::collections::VecDeque;
use std::time::Instant;

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
}

#[derive(Debug)]
pub(super) struct Outbound {
    /// Not sent yet.
    queue: Queue,
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
        Outbound { queue: Queue::new(), in_flight: Ordered::new(), released: Ordered::new(), count: 0, bytes: 0 }
    }

    /// Accepted and unfinished publishes, and their bytes.
    pub fn outstanding(&self) -> (usize, usize) {
        (self.count, self.bytes)
    }

    /// Sent and not finished.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len() + self.released.len()
    }

    pub fn accept(
        &mut self,
        now: Instant,
        publish: (Token, Message, PublishOptions),
        options: &SessionOptions,
        out: &mut Output<'_>,
    ) {
        let (token, message, how) = publish;
        let key = how.conflation_key.clone();
        self.count += 1;
        self.bytes += message.size();
        if let Some(old) = self.queue.push(Publishing::new(now, token, message, how)) {
            out.counters.publishes_superseded += 1;
            self.supersede(old, out);
        }
        while self.count > options.outgoing_maximum || self.bytes > options.outgoing_maximum_bytes {
            let (dropped, status) = match (options.outgoing_overflow, &key) {
                (OutgoingOverflow::DropOldest, _) => (self.queue.take_oldest(), Status::Dropped),
                (OutgoingOverflow::DropNewest, _) => (self.queue.take_newest(), Status::Dropped),
                // Whether there is a message to supersede, only the queue can tell; all others are refused at the call.
                (OutgoingOverflow::Refuse, Some(key)) => (self.queue.take_conflated(key), Status::QueueFull),
                (OutgoingOverflow::Refuse, None) => break,
            };
            let Some(dropped) = dropped else { break };
            out.counters.publishes_dropped += 1;
            self.finish(dropped, Outcome::local(status), out.events);
        }
    }

    /// Prices of hours without a connection must not fill the program's queue: of QoS 0 messages the counter tells.
    fn supersede(&mut self, old: Publishing, out: &mut Output<'_>) {
        let failed = Outcome::local(Status::Superseded);
        if old.is_qos0() { self.forget(&old) } else { self.finish(old, failed, out.events) }
    }

    /// Drops what waits and has expired.
    pub fn expire(&mut self, now: Instant, out: &mut Output<'_>) {
        while let Some(expired) = self.queue.take_expired(now) {
            out.counters.publishes_expired += 1;
            self.finish(expired, Outcome::local(Status::Expired), out.events);
        }
    }

    /// When `expire` has something to do.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.queue.next_expiry()
    }

    fn forget(&mut self, publishing: &Publishing) {
        self.count -= 1;
        self.bytes -= publishing.message.size();
    }

    fn finish(&mut self, publishing: Publishing, outcome: Outcome, events: &mut VecDeque<Event>) {
        self.forget(&publishing);
        // That a QoS 0 message was sent says nothing about its arrival.
        if !publishing.is_qos0() || outcome.failure.is_some() {
            events.push_back(Event::Published { token: publishing.token, outcome });
        }
    }

    /// Sends as much as quota and output allow: first what a resumed Session sends again, then the queue. What has expired
    /// is not sent.
    pub fn pump(&mut self, now: Instant, connection: &mut Connection, ids: &mut PacketIds, out: &mut Output<'_>) {
        if !connection.is_online() {
            return;
        }
        self.expire(now, out);
        while connection.has_room() && connection.send_quota > 0 {
            let Some(id) = connection.resend.pop_front() else { break };
            self.resend(now, id, connection, ids, out);
        }
        while connection.has_room() {
            let quota = if connection.resend.is_empty() { connection.send_quota } else { 0 };
            let Some(next) = self.queue.take_next((quota > 0, quota > connection.priority_reserve)) else { break };
            if !self.send(now, next, connection, ids, out) {
                break;
            }
        }
    }

    /// Sends a message for the first time. False when no Packet Identifier is free: it is back in the queue then.
    fn send(
        &mut self,
        now: Instant,
        mut publishing: Publishing,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Output<'_>,
    ) -> bool {
        if let Some(status) = refusal(&publishing.message, &connection.limits) {
            self.finish(publishing, Outcome::local(status), out.events);
            return true;
        }
        let packet_id = if publishing.is_qos0() {
            None
        } else {
            let Some(id) = ids.allocate() else {
                self.queue.put_back(publishing);
                return false;
            };
            Some(id)
        };
        publishing.rewrite_expiry(now);
        // First sent: DUP is 0 [MQTT-4.3.2-2] [MQTT-4.3.3-2].
        match connection.send(&Packet::Publish(publishing.message.publish(packet_id, false))) {
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

    fn resend(
        &mut self,
        now: Instant,
        id: PacketId,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Output<'_>,
    ) {
        // It may have been answered before its turn came.
        let Some(entry) = self.in_flight.get_mut(id) else { return };
        // It belongs to the Session and is sent even if it has expired meanwhile [MQTT-4.4.0-1].
        entry.publishing.rewrite_expiry(now);
        let message = &entry.publishing.message;
        // The Server may have come back with narrower limits.
        let result = match refusal(message, &connection.limits) {
            Some(status) => Err(status),
            // [MQTT-3.3.1-1] [MQTT-4.4.0-1]: DUP, and the original Packet Identifier.
            None => connection.send(&Packet::Publish(message.publish(Some(id), true))).map_err(status_of),
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
            None => {
                out.counters.breaches += 1;
                Answered::Fine
            }
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
        let mut reason = ReasonCode::SUCCESS;
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
            None if ack.reason.is_error() => {
                out.counters.breaches += 1;
                return Answered::Fine;
            }
            None => {
                out.counters.breaches += 1;
                reason = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
            }
        }
        send_pubrel(id, reason, connection);
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
            None => {
                out.counters.breaches += 1;
                Answered::Fine
            }
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
        for (id, entry) in self.in_flight.drain() {
            ids.release(id);
            match entry.publishing.message.qos {
                QoS::ExactlyOnce => self.finish(entry.publishing, Outcome::local(Status::SessionLost), events),
                _ => self.queue.put_back(entry.publishing),
            }
        }
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

/// Why this Server doesn't take the message, as far as CONNACK said so.
pub(super) fn refusal(message: &Message, limits: &ServerLimits) -> Option<Status> {
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
}
