//! Application Messages on their way to the Server: the QoS 1 and 2 flows (section 4.3), the send quota (section 4.9) and
//! redelivery (section 4.4). What was not sent yet waits in `queue`.
//!
//! A message leaves the queue when it is sent. QoS 1 and 2 messages then stay in flight, as long as the Session lives,
//! until the Server has answered.

use super::answers::restore_quota;
use super::connection::{Connection, Held};
use super::event::{Event, Outcome, Stage, Token};
use super::figures::Amount;
use super::limits::ServerLimits;
use super::options::{OutgoingOverflow, SessionOptions};
use super::ordered::Ordered;
use super::packet_ids::PacketIds;
use super::queue::{Publishing, Queue, Quota};
use super::record::{Key, Record};
use super::sink::Sink;
use super::suspect::FirstUnanswered;
use crate::codec::PacketId;
use crate::codec::error::EncodeError;
use crate::codec::property::PropertyId;
use crate::codec::publish::Publish;
use crate::types::QoS;
use crate::types::status::Status;
use std::time::Instant;

/// A QoS 1 or 2 message that was sent, or is as soon as that is durable.
#[derive(Debug)]
pub(super) struct InFlight {
    pub publishing: Publishing,
    /// Whether it takes a place in the send quota of the present connection: it was sent on it.
    pub counted: bool,
    /// Whether the Server may have seen it.
    pub sent: bool,
    /// Whether it was sent with DUP.
    pub redelivered: bool,
    /// The batch in which its Packet Identifier becomes durable.
    pub recorded: u64,
}

/// A QoS 2 message that the Server has confirmed.
#[derive(Debug)]
pub(super) struct Released {
    pub token: Token,
    pub number: u64,
    /// The batch in which its state becomes durable.
    pub recorded: u64,
    /// What its PUBREC said beyond success; the program hears of it at the end.
    pub said: Option<Outcome>,
    /// The Server's Session may have been lost since PUBREC.
    pub in_doubt: bool,
}

#[derive(Debug)]
pub(super) struct Outbound {
    /// Not sent yet.
    pub(super) queue: Queue,
    /// Sent, and neither PUBACK nor PUBREC seen.
    pub(super) in_flight: Ordered<InFlight>,
    /// PUBREC seen, PUBCOMP not, in the order of the PUBRECs.
    pub(super) released: Ordered<Released>,
    /// Packet Identifiers of QoS 2 messages that were given up just now, and that the Server may hold.
    pub(super) given_up: Vec<PacketId>,
    /// Numbers the PUBLISH and PUBREL packets, for the order in which they are sent again.
    pub(super) next_order: u64,
    /// Accepted and unfinished. The bytes of a QoS 2 message count until PUBREC: then only its Packet Identifier is kept.
    pub(super) outstanding: Amount,
}

impl Outbound {
    pub fn new() -> Self {
        Outbound {
            queue: Queue::new(),
            in_flight: Ordered::new(),
            released: Ordered::new(),
            given_up: Vec::new(),
            next_order: 1,
            outstanding: Amount::default(),
        }
    }

    /// Sent and not finished.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len() + self.released.len()
    }

    /// Takes a new publish into the queue, whose limits are kept by what the option for it says.
    pub fn accept(&mut self, publishing: Publishing, options: &SessionOptions, out: &mut Sink<'_>) {
        let key = publishing.conflation_key().cloned();
        self.add(publishing, out);
        while self.outstanding.count > options.outgoing_maximum
            || self.outstanding.bytes > options.outgoing_maximum_bytes
        {
            let (dropped, status) = match (options.outgoing_overflow, &key) {
                (OutgoingOverflow::DropOldest, _) => (self.queue.take_oldest(), Status::Dropped),
                (OutgoingOverflow::DropNewest, _) => (self.queue.take_newest(), Status::Dropped),
                // Whether there is a message to supersede, only the queue can tell; all others are refused at the call.
                (OutgoingOverflow::Refuse, Some(key)) => (self.queue.take_conflated(key), Status::QueueFull),
                (OutgoingOverflow::Refuse, None) => break,
            };
            let Some(dropped) = dropped else { break };
            out.counters.publishes_dropped += 1;
            let outcome = dropped.not_sent(status);
            self.finish(dropped, outcome, out);
        }
    }

    /// Whether nothing keeps a new QoS 0 message of this size from being the next to be sent: it needn't go through the queue
    /// then.
    pub fn has_way(&self, size: usize, options: &SessionOptions, connection: &Connection) -> bool {
        self.queue.is_empty()
            && connection.publishes()
            && connection.has_room()
            && self.outstanding.count < options.outgoing_maximum
            && self.outstanding.bytes + size <= options.outgoing_maximum_bytes
    }

    /// Sends a QoS 0 message that never was in the queue.
    pub fn send_at_once(&self, token: Token, publish: &Publish<'_>, connection: &mut Connection, out: &mut Sink<'_>) {
        let refused = refusal(publish, &connection.limits);
        let sent = refused.map_or_else(|| connection.send_publish(publish).map_err(status_of), Err);
        match sent {
            Ok(()) => {
                out.counters.messages_sent += 1;
                out.end_of_qos0(token, Outcome::success());
            }
            Err(status) => out.events.push_back(Event::Published { token, outcome: Outcome::local(status) }),
        }
    }

    /// Puts a publish at its place in the queue, and in the log.
    pub(super) fn add(&mut self, publishing: Publishing, out: &mut Sink<'_>) {
        self.outstanding += Amount::of(&publishing.message);
        let is_qos0 = publishing.is_qos0();
        let token = publishing.token;
        let (superseded, publishing) = self.queue.push(publishing);
        if !is_qos0 {
            let (key, record) = (Key::Publish(publishing.number), || publishing.record());
            // The place of what it superseded may be a stored one.
            if superseded.is_some() {
                out.log.replace(key, record)
            } else {
                out.log.add(key, record)
            };
            if out.progress {
                out.log.tell_when_durable(Event::Progress { token, stage: Stage::Durable });
            }
        }
        let number = publishing.number;
        if let Some(old) = superseded {
            out.counters.publishes_superseded += 1;
            self.supersede(old, number, out);
        }
    }

    /// Prices of hours without a connection must not fill the program's queue: of QoS 0 messages the counter tells.
    fn supersede(&mut self, old: Publishing, successor: u64, out: &mut Sink<'_>) {
        if old.is_qos0() {
            out.end_of_qos0(old.token, Outcome::local(Status::Superseded));
            return self.forget(old, out);
        }
        if old.number == successor {
            // Its record is the successor's now.
            out.end(old.token, old.not_sent(Status::Superseded));
            self.forget(old, out);
        } else {
            let outcome = old.not_sent(Status::Superseded);
            self.finish(old, outcome, out);
        }
    }

    /// Drops what waits and has expired.
    pub fn expire(&mut self, now: Instant, out: &mut Sink<'_>) {
        while let Some(expired) = self.queue.take_expired(now) {
            out.counters.publishes_expired += 1;
            let outcome = expired.not_sent(Status::Expired);
            self.finish(expired, outcome, out);
        }
    }

    /// Drops what waits, if the token names it. Nobody expects it any more, though it may be in doubt.
    /// False if it names nothing that waits.
    pub fn cancel(&mut self, token: Token, out: &mut Sink<'_>) -> bool {
        let Some(cancelled) = self.queue.take_token(token) else { return false };
        let outcome = cancelled.not_sent(Status::Cancelled);
        if cancelled.is_qos0() {
            self.finish(cancelled, outcome, out);
        } else {
            out.log.remove(Key::Publish(cancelled.number));
            out.end_when_durable(token, outcome);
            self.forget(cancelled, out);
        }
        true
    }

    /// When `expire` has something to do.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.queue.next_expiry()
    }

    fn forget(&mut self, publishing: Publishing, out: &mut Sink<'_>) {
        self.outstanding -= Amount::of(&publishing.message);
        out.spent.add(publishing.message);
    }

    /// The end of a publish that was not sent, or of one in flight after `leave_flight`.
    pub(super) fn finish(&mut self, publishing: Publishing, outcome: Outcome, out: &mut Sink<'_>) {
        if !publishing.is_qos0() {
            out.log.remove(Key::Publish(publishing.number));
            out.end(publishing.token, outcome);
        } else if outcome.failure.is_some() {
            // That a QoS 0 message was sent says nothing about its arrival.
            out.events.push_back(Event::Published { token: publishing.token, outcome });
        } else {
            out.end_of_qos0(publishing.token, outcome);
        }
        self.forget(publishing, out);
    }

    /// Takes a message out of flight; its Packet Identifier is free again.
    pub(super) fn leave_flight(&mut self, id: PacketId, ids: &mut PacketIds, out: &mut Sink<'_>) -> Option<InFlight> {
        let entry = self.in_flight.remove(id)?;
        ids.release(id);
        out.log.remove(Key::Flow(entry.publishing.number));
        Some(entry)
    }

    /// What was sent first on this connection and isn't answered.
    pub fn first_unanswered(&self) -> Option<FirstUnanswered> {
        let (_, entry) = self.in_flight.iter().find(|(_, entry)| entry.counted && entry.sent)?;
        let Publishing { number, token, message, .. } = &entry.publishing;
        let what = format!("PUBLISH to '{}', QoS {}", message.topic().as_str(), message.qos as u8);
        Some(FirstUnanswered { number: Some(*number), token: *token, what, pubrel: None })
    }

    pub(super) fn next_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order - 1
    }

    /// Sends as much as quota and output allow: first what a resumed Session sends again, then the queue. What has expired
    /// is not sent.
    pub fn pump(&mut self, now: Instant, connection: &mut Connection, ids: &mut PacketIds, out: &mut Sink<'_>) {
        if !connection.is_online() {
            return;
        }
        self.expire(now, out);
        while connection.has_room() && connection.send_quota > 0 {
            let Some(id) = connection.resend.pop_front() else { break };
            // It may have been answered before its turn came. It belongs to the Session and is sent even if it has expired
            // meanwhile.
            let Some(entry) = self.in_flight.get_mut(id) else { continue };
            entry.counted = true;
            connection.send_quota -= 1;
            self.send_or_hold(now, id, connection, ids, out);
        }
        let mut is_identifier_free = true;
        while connection.publishes() && connection.has_room() {
            let may_send = is_identifier_free && connection.resend.is_empty();
            let quota = if may_send { connection.quota() } else { Quota::Spent };
            let Some(next) = self.queue.take_next(quota) else { break };
            is_identifier_free &= self.send(now, next, connection, ids, out);
        }
    }

    /// Sends a message for the first time. False when no Packet Identifier is free: it is back in the queue then.
    fn send(
        &mut self,
        now: Instant,
        mut publishing: Publishing,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) -> bool {
        if let Some(status) = refusal(&publishing.message.publish(None, false), &connection.limits) {
            let outcome = publishing.not_sent(status);
            self.finish(publishing, outcome, out);
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
        if let Some(packet_id) = packet_id {
            let (number, token, order) = (publishing.number, publishing.token, self.next_order());
            let flow = || Record::Flow { token, packet_id, order, released: false };
            let recorded = out.log.add(Key::Flow(number), flow);
            connection.send_quota -= 1;
            self.in_flight
                .insert(packet_id, InFlight { publishing, counted: true, sent: false, redelivered: false, recorded });
            self.send_or_hold(now, packet_id, connection, ids, out);
            return true;
        }
        publishing.rewrite_expiry(now);
        match connection.send_publish(&publishing.message.publish(None, false)) {
            Ok(()) => {
                out.counters.messages_sent += 1;
                self.finish(publishing, Outcome::success(), out);
            }
            Err(error) => self.finish(publishing, Outcome::local(status_of(error)), out),
        }
        true
    }

    /// Sends a message in flight, or keeps it back until its Packet Identifier is durable. A QoS 2 identifier that is forgotten
    /// in a crash would be used for another message, which the Server would take for this one. QoS 1 has no such state, and is
    /// never kept back: what comes after it must not overtake it [MQTT-4.6.0-1].
    fn send_or_hold(
        &mut self,
        now: Instant,
        id: PacketId,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) {
        let Some(entry) = self.in_flight.get(id) else { return };
        if entry.publishing.message.qos == QoS::ExactlyOnce && !out.log.is_durable(entry.recorded) {
            connection.hold(entry.recorded, Held::Publish(id));
        } else {
            self.send_in_flight(now, id, connection, ids, out);
        }
    }

    /// Sends a message in flight, for the first time or again.
    pub(super) fn send_in_flight(
        &mut self,
        now: Instant,
        id: PacketId,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) {
        let Some(entry) = self.in_flight.get_mut(id) else { return };
        entry.publishing.rewrite_expiry(now);
        // DUP is 0 at first [MQTT-4.3.2-2] [MQTT-4.3.3-2] and 1 then [MQTT-3.3.1-1], with the original Packet Identifier
        // [MQTT-4.4.0-1].
        let publish = entry.publishing.message.publish(Some(id), entry.sent);
        // The Server may have come back with narrower limits.
        let result = match refusal(&publish, &connection.limits) {
            Some(status) => Err(status),
            None => connection.send_publish(&publish).map_err(status_of),
        };
        match result {
            Ok(()) => {
                out.counters.messages_sent += 1;
                out.counters.redelivered += u64::from(entry.sent);
                if !entry.sent {
                    out.tell_sent(entry.publishing.token, entry.recorded);
                }
                entry.redelivered |= entry.sent;
                entry.sent = true;
            }
            Err(status) => {
                restore_quota(connection);
                if let Some(entry) = self.leave_flight(id, ids, out) {
                    if entry.sent && entry.publishing.message.qos == QoS::ExactlyOnce && ids.keep_away(id) {
                        self.given_up.push(id);
                    }
                    // A program that was told of a refusal would take it for a message that never arrived.
                    let outcome = if entry.sent { Status::SessionLost } else { status };
                    let outcome = entry.publishing.not_sent(outcome);
                    self.finish(entry.publishing, outcome, out);
                }
            }
        }
    }
}

/// Why the message can't be sent: only a Server names the subscriptions that a message belongs to \[MQTT-3.3.4-6\], only the
/// connection knows its Topic Aliases \[MQTT-3.2.2-17\], and this Server doesn't take everything, as far as CONNACK said so.
pub(super) fn refusal(publish: &Publish<'_>, limits: &ServerLimits) -> Option<Status> {
    let foreign = |id| matches!(id, PropertyId::SubscriptionIdentifier | PropertyId::TopicAlias);
    if publish.properties.iter().any(|(id, _)| foreign(id)) {
        return Some(Status::InvalidArgument);
    }
    // [MQTT-3.2.2-11] [MQTT-3.2.2-14]
    let unsupported = publish.qos > limits.maximum_qos || (publish.retain && !limits.retain_available);
    unsupported.then_some(Status::NotSupportedByServer)
}

fn status_of(error: EncodeError) -> Status {
    match error {
        EncodeError::TooLarge { .. } | EncodeError::FieldTooLong(_) => Status::TooLarge,
        _ => Status::InvalidArgument,
    }
}
