//! The figures of a client.

use super::Client;
use crate::session::Counters;
use crate::session::limits::ServerLimits;
use crate::types::ProtocolVersion;

/// What is known outside of the core's lock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Snapshot {
    pub told: Told,
    pub last_delay_ms: u64,
    /// Publishes that an earlier process had left in the store.
    pub restored: usize,
    /// Times that the store has written.
    pub commits: u64,
    /// Which of the URLs is tried or in use.
    pub server: usize,
    /// Of a shared connection: programs on it, messages that were for none of them, and those that this one has missed.
    pub programs: usize,
    pub nobodys: u64,
    pub missed: u64,
}

/// What of a Snapshot the core tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub counters: Counters,
    pub in_flight: usize,
    pub version: Option<ProtocolVersion>,
    pub limits: Option<ServerLimits>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// A moment's figures of a client.
#[derive(Clone, Copy, Debug)]
pub struct Statistics {
    pub messages_sent: u64,
    pub messages_received: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub connections: u64,
    pub outgoing: usize,
    pub outgoing_bytes: usize,
    pub in_flight: usize,
    pub events: usize,
    pub events_bytes: usize,
    pub events_dropped: u64,
    pub publishes_dropped: u64,
    pub publishes_expired: u64,
    pub publishes_superseded: u64,
    pub redelivered: u64,
    pub breaches: u64,
    pub ping_rtt_us: Option<u64>,
    pub last_delay_ms: u64,
    pub messages_suppressed: u64,
    /// Publishes that an earlier process had left in the store.
    pub restored: usize,
    /// Times that the store has written.
    pub commits: u64,
    /// The version of MQTT that the present connection speaks.
    pub version: Option<ProtocolVersion>,
    /// Which of the URLs is tried or in use.
    pub server_index: usize,
    /// Programs on the shared connection; 0 if it isn't shared.
    pub programs: usize,
    /// Messages that were for none of them.
    pub nobodys: u64,
    /// Messages that this program was too slow for.
    pub missed: u64,
    /// What the Server of the present connection announced.
    pub limits: Option<ServerLimits>,
}

impl Client {
    /// The figures of this moment; each is right, though not all are of the very same instant.
    pub fn statistics(&self) -> Statistics {
        let snapshot = *self.shared.snapshot.lock();
        let told = &snapshot.told;
        let outgoing = self.shared.accounts.outgoing.get();
        Statistics {
            messages_sent: told.counters.messages_sent,
            messages_received: told.counters.messages_received,
            bytes_sent: told.bytes_sent,
            bytes_received: told.bytes_received,
            connections: told.counters.connections,
            outgoing: outgoing.count,
            outgoing_bytes: outgoing.bytes,
            in_flight: told.in_flight,
            events: self.shared.events.len(),
            events_bytes: self.shared.events.bytes(),
            events_dropped: self.shared.events.dropped(),
            publishes_dropped: told.counters.publishes_dropped,
            publishes_expired: told.counters.publishes_expired,
            publishes_superseded: told.counters.publishes_superseded,
            redelivered: told.counters.redelivered,
            breaches: told.counters.breaches,
            ping_rtt_us: told.counters.ping_rtt_us,
            last_delay_ms: snapshot.last_delay_ms,
            messages_suppressed: told.counters.messages_suppressed,
            restored: snapshot.restored,
            commits: snapshot.commits,
            version: told.version,
            server_index: snapshot.server,
            programs: snapshot.programs,
            nobodys: snapshot.nobodys,
            missed: snapshot.missed,
            limits: told.limits,
        }
    }
}
