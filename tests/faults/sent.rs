//! The sender's promises: each accepted publish comes to one end, success means that the Server has acknowledged it, and on
//! the wire stands what the standard asks of a sender.

use crate::role::Report;
use crate::verdict::{Counts, Evidence, Server};
use crate::wire::{Entry, From, Seen};
use std::collections::{BTreeMap, HashMap, HashSet};

/// MT5MQTT_E_SESSION_LOST
const SESSION_LOST: i32 = -64;
/// MT5MQTT_E_REFUSED_BY_SERVER
const REFUSED: i32 = -60;

/// What the sender's program reported, in all its lives.
#[derive(Default)]
pub struct Sent {
    accepted: BTreeMap<(u8, u64), Accepted>,
    /// The ends of each token: in which life, and the status.
    ends: HashMap<i64, Vec<(u64, i32)>>,
    /// The program's lives before the present one.
    life: u64,
}

struct Accepted {
    token: i64,
    life: u64,
    durable: bool,
}

impl Sent {
    pub fn read(reports: &[Report], counts: &mut Counts, broken: &mut Vec<String>) -> Sent {
        let mut sent = Sent::default();
        let mut names: HashMap<i64, (u8, u64)> = HashMap::new();
        let mut marks = HashSet::new();
        let mut of_nobody = HashSet::new();
        for report in reports {
            match report {
                Report::NewLife => sent.life += 1,
                Report::Accepted { qos, seq, token } => {
                    let name = (*qos, *seq);
                    if let Some(before) = names.insert(*token, name) {
                        sent.give_again(*token, before, counts, broken);
                    }
                    sent.accepted.insert(name, Accepted { token: *token, life: sent.life, durable: false });
                }
                Report::Marked { token } => {
                    marks.insert(*token);
                }
                Report::Durable { token } => {
                    if let Some(accepted) = names.get(token).and_then(|name| sent.accepted.get_mut(name)) {
                        accepted.durable = true;
                    }
                }
                Report::Ended { token, status, .. } => {
                    if !names.contains_key(token) && !marks.contains(token) {
                        of_nobody.insert(*token);
                    }
                    sent.ends.entry(*token).or_default().push((sent.life, *status));
                }
                Report::Refused { qos, seq, why } => {
                    broken.push(format!("publish of QoS {qos} number {seq} was refused: {why}"));
                }
                Report::Wrong { what } => broken.push(format!("sender: {what}")),
                _ => {}
            }
        }
        // A program that is killed within publish may not have come to report its token.
        if of_nobody.len() as u64 > sent.life {
            broken.push(format!("tokens {of_nobody:?} ended, and nobody has them"));
        }
        sent
    }

    /// A token that is given a second time: the first was lost with its process before it was durable.
    fn give_again(&mut self, token: i64, before: (u8, u64), counts: &mut Counts, broken: &mut Vec<String>) {
        let lost = self.accepted.get(&before).is_some_and(|before| before.life < self.life && !before.durable);
        if before.0 > 0 && (!lost || self.ends.contains_key(&token)) {
            broken.push(format!("token {token} was given twice"));
        } else if before.0 > 0 {
            counts.not_durable += 1;
        }
        self.accepted.remove(&before);
    }

    /// How the token ended: its status, once for each life that heard of it. Killed before it was stored that it had heard of
    /// the end, a program hears of it again in its next life.
    fn ends(&self, token: i64) -> Vec<i32> {
        let mut ends = self.ends.get(&token).cloned().unwrap_or_default();
        if ends.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1) {
            ends.truncate(1);
        }
        ends.into_iter().map(|(_, status)| status).collect()
    }

    /// The numbers of this QoS that the library called complete.
    pub fn completed(&self, qos: u8) -> impl Iterator<Item = u64> {
        let of_qos = self.accepted.range((qos, 0)..=(qos, u64::MAX));
        of_qos.filter(|(_, accepted)| self.ends(accepted.token) == [0]).map(|(name, _)| name.1)
    }
}

/// Every token reaches exactly one end, and a success is the Server's own.
pub fn judge_tokens(sent: &Sent, evidence: &Evidence<'_>, counts: &mut Counts, broken: &mut Vec<String>) {
    let acknowledged = answered(evidence.senders_line, |seen| match seen {
        Seen::Puback { id } | Seen::Pubrec { id } => Some(*id),
        _ => None,
    });
    let refused = answered(evidence.senders_line, |seen| match seen {
        Seen::Refusal { id, .. } => Some(*id),
        _ => None,
    });
    let sessions = sessions(evidence.senders_line);
    if sessions > 1 && evidence.server != Server::Killed {
        broken.push("the Server forgot the sender's Session, though it was not killed".to_owned());
    }
    for (&(qos, seq), accepted) in sent.accepted.range((1, 0)..) {
        counts.accepted += 1;
        let what = format!("QoS {qos} number {seq}, token {}", accepted.token);
        match sent.ends(accepted.token).as_slice() {
            [] if accepted.life < sent.life && !accepted.durable => counts.not_durable += 1,
            [] => {
                counts.lost += u64::from(accepted.life < sent.life);
                broken.push(format!("{what} came to no end"));
            }
            [0] if acknowledged.contains(&(qos, seq)) => counts.completed += 1,
            [0] => {
                counts.lost += 1;
                broken.push(format!("{what} is complete, but the Server has not acknowledged it"));
            }
            [SESSION_LOST] if qos == 2 && sessions > 1 => counts.session_lost += 1,
            // After a crash a Server may refuse what it remembers half of; it is in doubt if it was sent again. The line must show it.
            [REFUSED | SESSION_LOST] if evidence.server == Server::Killed && refused.contains(&(qos, seq)) => {
                counts.refused += 1
            }
            [status] => broken.push(format!("{what} ended with status {status}")),
            many => broken.push(format!("{what} came to several ends: {many:?}")),
        }
    }
}

/// The messages to which the Server gave such an answer, with this Packet Identifier.
fn answered(entries: &[Entry], answer: impl Fn(&Seen) -> Option<u16>) -> HashSet<(u8, u64)> {
    let mut names = HashMap::new();
    let mut answered = HashSet::new();
    for entry in entries {
        match (entry.from, &entry.seen) {
            (From::Client, Seen::Publish { qos, seq, id, .. }) => {
                names.insert((entry.connection, *id), (*qos, *seq));
            }
            (From::Server, seen) => {
                answered.extend(answer(seen).and_then(|id| names.get(&(entry.connection, id))));
            }
            _ => {}
        }
    }
    answered
}

/// How many Sessions the Server has had for this client.
fn sessions(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.seen == Seen::Connack { session_present: false }).count()
}

/// What the standard asks of the packets that a sender sends.
pub fn judge_wire(evidence: &Evidence<'_>, broken: &mut Vec<String>) {
    let mut wire = Wire::default();
    for entry in evidence.senders_line {
        if let Err(what) = wire.read(entry) {
            broken.push(format!("sender's line, connection {}: {what}", entry.connection));
        }
    }
}

/// What a client has sent so far.
#[derive(Default)]
struct Wire {
    /// The last number of each QoS on this connection.
    last: HashMap<(u64, u8), u64>,
    /// In this Session: the Packet Identifier under which a message was sent.
    ids: HashMap<(u8, u64), u16>,
    /// QoS 2 messages for which PUBREL was sent, in any Session.
    released: HashSet<u64>,
    /// QoS 2 messages that were sent in a Session that is gone.
    given_up: HashSet<u64>,
    first_sent: HashMap<u8, u64>,
    sent_qos0: HashSet<u64>,
    /// A CONNACK without a Session, until it is sure that the client has seen it.
    new_session: Option<u64>,
}

impl Wire {
    fn read(&mut self, entry: &Entry) -> Result<(), String> {
        if let Seen::Malformed(what) = &entry.seen {
            return Err(what.clone());
        }
        if entry.seen == Seen::NewLife {
            // QoS 1 messages leave before they are stored: the next life may know nothing of them.
            self.ids.retain(|name, _| name.0 == 2);
            self.new_session = None;
            return Ok(());
        }
        if entry.from == From::Server {
            if let Seen::Connack { session_present } = entry.seen {
                self.new_session = (!session_present).then_some(entry.connection);
            }
            return Ok(());
        }
        // A client says nothing behind CONNECT before it has seen CONNACK.
        if self.new_session == Some(entry.connection) {
            self.new_session = None;
            let qos2 = self.ids.keys().filter(|key| key.0 == 2).map(|key| key.1);
            self.given_up.extend(qos2);
            self.ids.clear();
        }
        match entry.seen {
            Seen::Publish { qos: 0, seq, .. } => self.ascending(entry.connection, 0, seq).and_then(|()| {
                if self.sent_qos0.insert(seq) { Ok(()) } else { Err(format!("QoS 0 number {seq} was sent twice")) }
            }),
            Seen::Publish { qos, seq, id, dup } => {
                self.ascending(entry.connection, qos, seq)?;
                self.publish(qos, seq, id, dup)
            }
            Seen::Pubrel { id } => {
                let seq = self.ids.iter().find(|(key, used)| key.0 == 2 && **used == id).map(|(key, _)| *key);
                if let Some(key) = seq {
                    self.ids.remove(&key);
                    self.released.insert(key.1);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// MQTT-4.6.0-1, and no redelivery within one connection (MQTT-4.4.0-1).
    fn ascending(&mut self, connection: u64, qos: u8, seq: u64) -> Result<(), String> {
        match self.last.insert((connection, qos), seq) {
            Some(last) if last >= seq => Err(format!("QoS {qos} number {seq} was sent after {last}")),
            _ => Ok(()),
        }
    }

    fn publish(&mut self, qos: u8, seq: u64, id: u16, dup: bool) -> Result<(), String> {
        if qos == 2 && self.released.contains(&seq) {
            return Err(format!("QoS 2 number {seq} was sent again after PUBREL"));
        }
        if qos == 2 && self.given_up.contains(&seq) {
            return Err(format!("QoS 2 number {seq} was sent again in another Session"));
        }
        match self.ids.insert((qos, seq), id) {
            // MQTT-3.3.1-1, MQTT-4.4.0-1
            Some(before) if before != id || !dup => {
                Err(format!("QoS {qos} number {seq} was sent as {before}, then as {id} with DUP {dup}"))
            }
            Some(_) => Ok(()),
            None => {
                let highest = self.first_sent.entry(qos).or_default();
                let in_order = seq >= *highest || dup || qos == 1;
                *highest = seq.max(*highest);
                if in_order { Ok(()) } else { Err(format!("QoS {qos} number {seq} was first sent after {highest}")) }
            }
        }
    }
}
