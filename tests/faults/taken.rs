//! The receiver's promises: what it acknowledged the program has taken, nothing of QoS 2 is taken twice within one exchange,
//! and the order is kept.

use crate::role::Report;
use crate::sent::Sent;
use crate::verdict::{Counts, Server};
use crate::wire::{self, Entry, From, Seen};
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

/// One that takes messages, by what it reported and what was said on its line.
pub struct Receiver<'a> {
    pub name: &'static str,
    /// Of all its lives.
    pub reports: Vec<&'a Report>,
    pub line: &'a [Entry],
    pub server: Server,
}

impl Receiver<'_> {
    pub fn judge(&self, sent: &Sent, counts: &mut Counts, broken: &mut Vec<String>) {
        let mut found = Vec::new();
        let offered = Offered::read(self.line, &mut found);
        if offered.sessions > 1 && self.server != Server::Killed {
            found.push("the Server forgot its Session, though it was not killed".to_owned());
        }
        let mut takes: HashMap<Name, u64> = HashMap::new();
        let mut order: Vec<Name> = Vec::new();
        for report in &self.reports {
            match report {
                Report::Took { qos, seq } => {
                    let times = takes.entry((*qos, *seq)).or_default();
                    *times += 1;
                    if *times == 1 {
                        order.push((*qos, *seq));
                    }
                }
                Report::Wrong { what } => found.push(what.clone()),
                _ => {}
            }
        }
        for (&name, &times) in &takes {
            counts.taken += u64::from(name.0 > 0);
            found.extend(self.judge_repetition(name, times, &offered, counts));
        }
        for qos in [1, 2] {
            let missing = sent.completed(qos).map(|seq| (qos, seq)).filter(|name| !takes.contains_key(name));
            missing.for_each(|name| found.extend(self.judge_loss(name, &offered, counts)));
            found.extend(self.judge_order(qos, &order, &offered, counts));
        }
        found.extend(self.judge_order(0, &order, &offered, counts));
        broken.extend(found.iter().map(|what| format!("{}: {what}", self.name)));
    }

    fn judge_repetition(&self, name: Name, times: u64, offered: &Offered, counts: &mut Counts) -> Option<String> {
        let (qos, seq) = name;
        let again = times - 1;
        if again == 0 {
            return None;
        }
        if qos == 1 {
            counts.repeated_qos1 += again;
            return None;
        }
        let exchanges = offered.exchanges.get(&seq).copied().filter(|_| qos == 2).unwrap_or(1);
        if times <= exchanges {
            let anew = offered.begun_anew.get(&seq).copied().unwrap_or(0);
            if offered.lives > 1 && anew >= again {
                counts.repeated_after_kill += again;
                return None;
            }
            if self.server != Server::Steady {
                counts.doubled_by_server += again;
                return None;
            }
        }
        counts.doubled += again;
        let story = wire::story(self.line, name);
        Some(format!("QoS {qos} number {seq} was taken {times} times in {exchanges} exchanges: {story}"))
    }

    fn judge_loss(&self, name: Name, offered: &Offered, counts: &mut Counts) -> Option<String> {
        let (qos, seq) = name;
        let acknowledged = offered.acknowledged.contains(&name) && !offered.unheard_of;
        if acknowledged || offered.on_last_connection.contains(&name) {
            counts.lost += 1;
            let story = wire::story(self.line, name);
            return Some(format!("QoS {qos} number {seq} was received, and the program never got it: {story}"));
        }
        if self.server == Server::Killed {
            counts.lost_by_server += 1;
            return None;
        }
        counts.lost += 1;
        Some(format!("QoS {qos} number {seq} is complete, and was never received"))
    }

    /// What is taken for the first time comes in the order in which the Server sent it. That is the order of the numbers,
    /// unless the Server let one overtake another: Mosquitto 2.0 does so when more wait than it may send at once.
    fn judge_order(&self, qos: u8, order: &[Name], offered: &Offered, counts: &mut Counts) -> Vec<String> {
        let mut found = Vec::new();
        let mut highest: Option<Name> = None;
        for &name in order.iter().filter(|name| name.0 == qos) {
            let Some(before) = highest.filter(|highest| highest.1 > name.1) else {
                highest = Some(name);
                continue;
            };
            // A Server that came back may have begun anew what it had sent before.
            let sent = if self.server == Server::Steady { &offered.first } else { &offered.last };
            if sent.get(&name) > offered.first.get(&before) {
                counts.disordered_by_server += 1;
            } else {
                found.push(format!("QoS {qos} number {} was taken after {}", name.1, before.1));
            }
        }
        found
    }
}
