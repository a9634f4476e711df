//! What both ends said on a line, packet by packet, as the proxy read it. It is the proof of who lost or doubled a message:
//! what the Server acknowledged is the Server's, what the client acknowledged the client's.

use crate::payload::{self, Payload};
use mt5mqtt::codec::{self, Decoded, Packet};
use mt5mqtt::types::ProtocolVersion;
use std::collections::HashSet;
use std::sync::Mutex;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Client,
    Server,
}

/// A packet, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Connack {
        session_present: bool,
    },
    /// A numbered message; `id` is 0 in QoS 0.
    Publish {
        qos: u8,
        seq: u64,
        id: u16,
        dup: bool,
    },
    /// Of success, as PUBREC is here.
    Puback {
        id: u16,
    },
    Pubrec {
        id: u16,
    },
    /// PUBACK or PUBREC with a Reason Code of failure.
    Refusal {
        id: u16,
        reason: u8,
    },
    Pubrel {
        id: u16,
    },
    Pubcomp {
        id: u16,
    },
    /// Shows that the client has seen CONNACK.
    Other,
    /// Bytes that are no packet.
    Malformed(String),
    /// The conductor: the program was killed, and what follows is another one's.
    NewLife,
}

#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts the connections of the line.
    pub connection: u64,
    pub from: From,
    pub seen: Seen,
}

/// Everything that was said on a line.
#[derive(Default)]
pub struct Record {
    entries: Mutex<Vec<Entry>>,
}

impl Record {
    /// Connection by connection: a client has one at a time. What lay on a stalled one is read later than what was said on
    /// its successor.
    pub fn in_order(&self) -> Vec<Entry> {
        let mut entries = self.entries.lock().expect("no panic while the record is locked").clone();
        entries.sort_by_key(|entry| entry.connection);
        entries
    }

    /// How many messages of QoS 1 and 2 the Server has sent, and how many of them on its last connection nobody answered.
    pub fn traffic(&self) -> (usize, usize) {
        let entries = self.in_order();
        let of_server = |entry: &&Entry| entry.from == From::Server;
        let last = entries.iter().filter(of_server).map(|entry| entry.connection).max();
        let mut open = HashSet::new();
        let mut sent = 0;
        for entry in &entries {
            match (entry.from, &entry.seen) {
                (From::Server, Seen::Publish { qos: 1.., id, .. }) => {
                    sent += 1;
                    if Some(entry.connection) == last {
                        open.insert(*id);
                    }
                }
                (From::Client, Seen::Puback { id } | Seen::Pubrec { id }) if Some(entry.connection) == last => {
                    open.remove(id);
                }
                _ => {}
            }
        }
        (sent, open.len())
    }

    fn add(&self, connection: u64, from: From, seen: Seen) {
        let entry = Entry { connection, from, seen };
        self.entries.lock().expect("no panic while the record is locked").push(entry);
    }

    /// Another program uses the line, from this connection on.
    pub fn new_life(&self, connection: u64) {
        self.add(connection, From::Client, Seen::NewLife);
    }
}

/// Makes packets of the bytes of one direction of one connection.
pub struct Reader {
    from: From,
    connection: u64,
    version: ProtocolVersion,
    bytes: Vec<u8>,
    broken: bool,
}

impl Reader {
    pub fn new(from: From, connection: u64, version: ProtocolVersion) -> Self {
        Reader { from, connection, version, bytes: Vec::new(), broken: false }
    }

    pub fn read(&mut self, bytes: &[u8], record: &Record) {
        if self.broken {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        let mut used = 0;
        loop {
            match codec::decode(&self.bytes[used..], self.version, usize::MAX) {
                Ok(Decoded::Packet { packet, used: size }) => {
                    if let Some(seen) = seen(&packet) {
                        record.add(self.connection, self.from, seen);
                    }
                    used += size;
                }
                Ok(Decoded::NeedMore { .. }) => break,
                Err(error) => {
                    self.broken = true;
                    record.add(self.connection, self.from, Seen::Malformed(error.to_string()));
                    break;
                }
            }
        }
        self.bytes.drain(..used);
    }
}

fn seen(packet: &Packet<'_>) -> Option<Seen> {
    Some(match packet {
        Packet::Connack(connack) if !connack.reason.is_error() => {
            Seen::Connack { session_present: connack.session_present }
        }
        Packet::Publish(publish) => match payload::read(publish.payload) {
            Payload::Numbered(seq) => Seen::Publish {
                qos: publish.qos as u8,
                seq,
                id: publish.packet_id.map_or(0, |id| id.get()),
                dup: publish.dup,
            },
            Payload::Mark => Seen::Other,
            Payload::Corrupt => Seen::Malformed("a PUBLISH with a payload of nobody".to_owned()),
        },
        Packet::Puback(ack) | Packet::Pubrec(ack) if ack.reason.is_error() => {
            Seen::Refusal { id: ack.packet_id.get(), reason: ack.reason.0 }
        }
        Packet::Puback(ack) => Seen::Puback { id: ack.packet_id.get() },
        Packet::Pubrec(ack) => Seen::Pubrec { id: ack.packet_id.get() },
        Packet::Pubrel(ack) => Seen::Pubrel { id: ack.packet_id.get() },
        Packet::Pubcomp(ack) => Seen::Pubcomp { id: ack.packet_id.get() },
        Packet::Subscribe(_) | Packet::Pingreq => Seen::Other,
        _ => return None,
    })
}

/// All that was said of a message, and the beginnings of the connections around it.
pub fn story(entries: &[Entry], (qos, seq): (u8, u64)) -> String {
    let is_it = |seen: &Seen| matches!(seen, Seen::Publish { qos: q, seq: s, .. } if (*q, *s) == (qos, seq));
    let ids: Vec<u16> = entries
        .iter()
        .filter_map(|entry| match entry.seen {
            Seen::Publish { id, .. } if is_it(&entry.seen) => Some(id),
            _ => None,
        })
        .collect();
    let told = entries.iter().filter(|entry| match &entry.seen {
        Seen::Connack { .. } | Seen::NewLife => true,
        Seen::Publish { id, .. } => ids.contains(id),
        Seen::Puback { id }
        | Seen::Pubrec { id }
        | Seen::Refusal { id, .. }
        | Seen::Pubrel { id }
        | Seen::Pubcomp { id } => ids.contains(id),
        _ => false,
    });
    let lines = told.map(|entry| format!("\n    {} {:?} {:?}", entry.connection, entry.from, entry.seen));
    lines.collect()
}
