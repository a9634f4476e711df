//! The receiver's promises: what it acknowledged the program has taken, nothing of QoS 2 is taken twice within one exchange,
//! and the order is kept.

use crate::role::Report;
use crate::sent::Sent;
use crate::verdict::{Counts, Evidence};
use crate::wire::{Entry, From, Seen};
use std::collections::{HashMap, HashSet};

type Name = (u8, u64);

/// What the Server sent to the receiver, and what that answered.
#[derive(Default)]
struct Offered {
    /// How often the Server began to send a QoS 2 message.
    exchanges: HashMap<u64, u64>,
    /// Of these: begun anew because the receiver was killed, or because its Session is another one.
    begun_anew: HashMap<u64, u64>,
    acknowledged: HashSet<Name>,
    on_last_connection: HashSet<Name>,
    /// Where the message stands in the record for the first and for the last time.
    first: HashMap<Name, usize>,
    last: HashMap<Name, usize>,
    sessions: u64,
    /// A new Session of which the client can't have heard.
    unheard_of: bool,
    lives: u64,
}

impl Offered {
    fn read(entries: &[Entry], broken: &mut Vec<String>) -> Offered {
        let mut offered = Offered { lives: 1, ..Offered::default() };
        // The open QoS 2 exchanges: Packet Identifier, number.
        let mut open: HashMap<u16, u64> = HashMap::new();
        let mut names: HashMap<(u64, u16), Name> = HashMap::new();
        let mut interrupted: HashSet<u64> = HashSet::new();
        let mut new_session = None;
        let mut last_connection = None;
        for (index, entry) in entries.iter().enumerate() {
            match (entry.from, &entry.seen) {
                (_, Seen::Malformed(what)) => {
                    broken.push(format!("receiver's line, connection {}: {what}", entry.connection));
                }
                (_, Seen::NewLife) => {
                    offered.lives += 1;
                    interrupted.extend(open.drain().map(|(_, seq)| seq));
                }
                (From::Server, Seen::Connack { session_present }) => {
                    offered.unheard_of |= new_session.is_some();
                    new_session = None;
                    if !session_present {
                        interrupted.extend(open.drain().map(|(_, seq)| seq));
                        offered.sessions += 1;
                        new_session = (offered.sessions > 1).then_some(entry.connection);
                    }
                    last_connection = Some(entry.connection);
                    offered.on_last_connection.clear();
                }
                (From::Server, Seen::Publish { qos, seq, id, .. }) => {
                    let name = (*qos, *seq);
                    names.insert((entry.connection, *id), name);
                    offered.first.entry(name).or_insert(index);
                    offered.last.insert(name, index);
                    if Some(entry.connection) == last_connection {
                        offered.on_last_connection.insert(name);
                    }
                    if *qos == 2 && open.insert(*id, *seq) != Some(*seq) {
                        *offered.exchanges.entry(*seq).or_default() += 1;
                        if interrupted.remove(seq) {
                            *offered.begun_anew.entry(*seq).or_default() += 1;
                        }
                    }
                }
                (From::Server, Seen::Pubrel { id }) => {
                    open.remove(id);
                }
                (From::Client, seen) => {
                    if new_session == Some(entry.connection) {
                        new_session = None;
                    }
                    if let Seen::Puback { id } | Seen::Pubrec { id } = seen {
                        offered.acknowledged.extend(names.get(&(entry.connection, *id)));
                    }
                }
                _ => {}
            }
        }
        offered.unheard_of |= new_session.is_some();
        offered
    }
}

pub fn judge(sent: &Sent, evidence: &Evidence<'_>, counts: &mut Counts, broken: &mut Vec<String>) {
    let offered = Offered::read(evidence.receivers_line, broken);
    if offered.sessions > 1 && !evidence.server_was_killed {
        broken.push("the Server forgot the receiver's Session, though it was not killed".to_owned());
    }
    let mut takes: HashMap<Name, u64> = HashMap::new();
    let mut order: Vec<Name> = Vec::new();
    for report in evidence.receiver.iter().flatten() {
        match report {
            Report::Took { qos, seq } => {
                let times = takes.entry((*qos, *seq)).or_default();
                *times += 1;
                if *times == 1 {
                    order.push((*qos, *seq));
                }
            }
            Report::Wrong { what } => broken.push(format!("receiver: {what}")),
            _ => {}
        }
    }
    judge_repetition(&takes, &offered, evidence, counts, broken);
    judge_losses(sent, &takes, &offered, evidence, counts, broken);
    judge_order(&order, &offered, evidence, broken);
}

fn judge_repetition(
    takes: &HashMap<Name, u64>,
    offered: &Offered,
    evidence: &Evidence<'_>,
    counts: &mut Counts,
    broken: &mut Vec<String>,
) {
    for (&(qos, seq), &times) in takes {
        counts.taken += u64::from(qos > 0);
        let again = times - 1;
        match qos {
            _ if again == 0 => {}
            1 => counts.repeated_qos1 += again,
            2 => {
                let exchanges = offered.exchanges.get(&seq).copied().unwrap_or(0);
                let anew = offered.begun_anew.get(&seq).copied().unwrap_or(0);
                if times > exchanges {
                    counts.doubled += again;
                    broken.push(format!("QoS 2 number {seq} was taken {times} times in {exchanges} exchanges"));
                } else if offered.lives > 1 && anew >= again {
                    counts.repeated_after_kill += again;
                } else if evidence.server_was_killed {
                    counts.doubled_by_server += again;
                } else {
                    counts.doubled += again;
                    broken.push(format!("QoS 2 number {seq} was taken {times} times; the Server sent it anew"));
                }
            }
            _ => {
                counts.doubled += again;
                broken.push(format!("QoS 0 number {seq} was taken {times} times"));
            }
        }
    }
}

fn judge_losses(
    sent: &Sent,
    takes: &HashMap<Name, u64>,
    offered: &Offered,
    evidence: &Evidence<'_>,
    counts: &mut Counts,
    broken: &mut Vec<String>,
) {
    for qos in [1, 2] {
        for seq in sent.completed(qos) {
            let name = (qos, seq);
            if takes.contains_key(&name) {
                continue;
            }
            let acknowledged = offered.acknowledged.contains(&name) && !offered.unheard_of;
            if acknowledged || offered.on_last_connection.contains(&name) {
                counts.lost += 1;
                broken.push(format!("QoS {qos} number {seq} came to the receiver, and its program never got it"));
            } else if evidence.server_was_killed {
                counts.lost_by_server += 1;
            } else {
                counts.lost += 1;
                broken.push(format!("QoS {qos} number {seq} is complete, and never came to the receiver"));
            }
        }
    }
}

/// What is taken for the first time comes in the order of its numbers, unless a Server that was killed sent it otherwise.
fn judge_order(order: &[Name], offered: &Offered, evidence: &Evidence<'_>, broken: &mut Vec<String>) {
    for qos in 0..=2 {
        let mut highest: Option<Name> = None;
        for &name in order.iter().filter(|name| name.0 == qos) {
            if let Some(highest) = highest.filter(|highest| highest.1 > name.1) {
                let sent_so = offered.last.get(&name) > offered.first.get(&highest);
                if !(evidence.server_was_killed && sent_so) {
                    broken.push(format!("QoS {qos} number {} was taken after {}", name.1, highest.1));
                }
            } else {
                highest = Some(name);
            }
        }
    }
}
