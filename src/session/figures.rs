//! What a Session says of itself, without being changed by it.

use super::Session;
use super::connection::Connection;
use super::limits::ServerLimits;
use super::queue::Quota;
use crate::codec::buffers::Buffers;
use crate::codec::message::Message;
use crate::types::ProtocolVersion;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::sync::Arc;

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
    /// Received messages that were not handed out, as the program had been done with them before.
    pub messages_suppressed: u64,
    /// CONNACKs with success.
    pub connections: u64,
    /// Harmless faults of the Server that were passed over.
    pub breaches: u64,
    /// The last PINGREQ to its PINGRESP, in microseconds.
    pub ping_rtt_us: Option<u64>,
}

/// So many publishes, and the bytes of their topics, properties and payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub count: usize,
    pub bytes: usize,
}

impl Amount {
    pub fn of(message: &Message) -> Amount {
        Amount { count: 1, bytes: message.size() }
    }
}

impl Add for Amount {
    type Output = Amount;

    fn add(self, other: Amount) -> Amount {
        Amount { count: self.count + other.count, bytes: self.bytes + other.bytes }
    }
}

impl Sub for Amount {
    type Output = Amount;

    fn sub(self, other: Amount) -> Amount {
        Amount { count: self.count - other.count, bytes: self.bytes - other.bytes }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Amount) {
        *self = *self - other;
    }
}

/// More QoS 1 and 2 publishes wait than may be sent.
#[derive(Clone, Copy, Debug)]
pub struct HeldUp {
    /// How many are allowed in flight.
    pub allowed: usize,
    /// What the Server has answered on this connection so far: one packet for a QoS 1 publish, two for QoS 2.
    pub answers: u64,
}

impl Session {
    pub fn is_online(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_online)
    }

    /// Whether there is a connection whose output takes more Application Messages now. Without room they wait in the queue.
    pub fn has_room(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::has_room)
    }

    /// The version of MQTT that is spoken, or will be on the next connection.
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// What the Server announced for the present connection.
    pub fn limits(&self) -> Option<&ServerLimits> {
        self.connection.as_ref().filter(|connection| connection.is_online()).map(|connection| &connection.limits)
    }

    /// Where the buffers of messages come from and go back to.
    pub fn buffers(&self) -> &Arc<Buffers> {
        &self.buffers
    }

    /// The Client Identifier in use; empty until the Server has assigned one.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Accepted and unfinished publishes, and requests that aren't published yet.
    pub fn outstanding(&self) -> Amount {
        self.outbound.outstanding + self.requester.unpublished
    }

    /// Whether the send quota is what keeps publishes that wait from being sent (section 4.9).
    pub fn held_up(&self) -> Option<HeldUp> {
        let connection = self.connection.as_ref().filter(|connection| connection.is_online())?;
        let held_up = HeldUp { allowed: connection.quota_limit as usize, answers: connection.answers };
        (connection.quota() != Quota::ForAll && !self.outbound.queue.is_empty()).then_some(held_up)
    }

    /// By how many bytes requests have grown in all since they were accepted.
    pub fn requests_grown(&self) -> usize {
        self.requester.grown()
    }

    /// QoS 1 and 2 publishes that were sent and are not finished.
    pub fn in_flight(&self) -> usize {
        self.outbound.in_flight()
    }

    pub fn counters(&self) -> Counters {
        Counters { breaches: self.breaches.count(), ..self.counters }
    }
}
