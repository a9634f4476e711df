//! What was promised, held against what both programs reported and what was said on both lines.
//!
//! A message that is missing or double at the end is ours unless the wire proves that the Server did it: what it has
//! acknowledged and then forgotten in a crash, what it began to send anew though it had sent PUBREL, what it let overtake.
//! Where the Server is not killed nothing may be missing, whoever lost it.

use crate::role::Report;
use crate::sent::{self, Sent};
use crate::taken::Receiver;
use crate::wire::Entry;

/// All that a round leaves behind.
pub struct Evidence<'a> {
    pub sender: &'a [Report],
    /// The receiver's reports, of each of its lives.
    pub receiver: &'a [Vec<Report>],
    pub senders_line: &'a [Entry],
    pub receivers_line: &'a [Entry],
    /// The same of `mosquitto_sub`, whose line is never disturbed.
    pub reference: Option<(&'a [Report], &'a [Entry])>,
    pub server: Server,
    /// Whether sender and receiver have a durable store.
    pub stores: bool,
}

/// What happened to the Server in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Server {
    Steady,
    /// It has saved everything, but for what it had not read yet.
    Restarted,
    /// It has forgotten what it had not saved.
    Killed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub rounds: u64,
    /// Accepted publishes of QoS 1 and 2.
    pub accepted: u64,
    pub completed: u64,
    /// Ended by MT5MQTT_E_SESSION_LOST after a crash of the Server, as documented.
    pub session_lost: u64,
    /// Refused by PUBACK or PUBREC, by a Server that was killed.
    pub refused: u64,
    /// Accepted by a sender that was killed before it called them durable, and never heard of again.
    pub not_durable: u64,
    /// QoS 1 and 2, at the receiver.
    pub taken: u64,
    /// Taken more than once: QoS 1 may be.
    pub repeated_qos1: u64,
    /// Acknowledged by the Server, which was killed before it had saved them.
    pub lost_by_server: u64,
    /// QoS 2: sent by the Server anew after its PUBREL, which MQTT-4.3.3-6 forbids, or after it had lost the Session.
    pub doubled_by_server: u64,
    /// Sent by the Server in another order than it was given them.
    pub disordered_by_server: u64,
    /// QoS 2: a receiver that was killed took them, and was killed before it had answered.
    pub repeated_after_kill: u64,
    /// Of the client: each one is a violation too.
    pub lost: u64,
    pub doubled: u64,
    pub connections: u64,
    pub line_faults: u64,
    pub server_kills: u64,
    pub server_restarts: u64,
    pub pauses: u64,
    pub receiver_kills: u64,
    pub sender_kills: u64,
    pub descriptor_exhaustions: u64,
    pub clock_jumps: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        let Counts {
            rounds,
            accepted,
            completed,
            session_lost,
            refused,
            not_durable,
            taken,
            repeated_qos1,
            lost_by_server,
            doubled_by_server,
            disordered_by_server,
            repeated_after_kill,
            lost,
            doubled,
            connections,
            line_faults,
            server_kills,
            server_restarts,
            pauses,
            receiver_kills,
            sender_kills,
            descriptor_exhaustions,
            clock_jumps,
        } = other;
        self.rounds += rounds;
        self.accepted += accepted;
        self.completed += completed;
        self.session_lost += session_lost;
        self.refused += refused;
        self.not_durable += not_durable;
        self.taken += taken;
        self.repeated_qos1 += repeated_qos1;
        self.lost_by_server += lost_by_server;
        self.doubled_by_server += doubled_by_server;
        self.disordered_by_server += disordered_by_server;
        self.repeated_after_kill += repeated_after_kill;
        self.lost += lost;
        self.doubled += doubled;
        self.connections += connections;
        self.line_faults += line_faults;
        self.server_kills += server_kills;
        self.server_restarts += server_restarts;
        self.pauses += pauses;
        self.receiver_kills += receiver_kills;
        self.sender_kills += sender_kills;
        self.descriptor_exhaustions += descriptor_exhaustions;
        self.clock_jumps += clock_jumps;
    }
}

/// Adds to the counts, and returns every broken promise in words.
pub fn judge(evidence: &Evidence<'_>, counts: &mut Counts) -> Vec<String> {
    let mut broken = Vec::new();
    let sent = Sent::read(evidence.sender, counts, &mut broken);
    sent::judge_tokens(&sent, evidence, counts, &mut broken);
    sent::judge_wire(evidence, &mut broken);
    let receiver = Receiver {
        name: "receiver",
        reports: evidence.receiver.iter().flatten().collect(),
        line: evidence.receivers_line,
        stores: evidence.stores,
        server: evidence.server,
        only_losses: false,
    };
    receiver.judge(&sent, counts, &mut broken);
    if let Some((reports, line)) = evidence.reference {
        let reference = Receiver {
            name: "mosquitto_sub",
            reports: reports.iter().collect(),
            line,
            stores: false,
            server: evidence.server,
            only_losses: true,
        };
        // The counts are the receiver's.
        reference.judge(&sent, &mut Counts::default(), &mut broken);
    }
    broken
}
