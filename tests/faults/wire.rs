//! What both ends said on a line, packet by packet, as the proxy read it. It is the proof of who lost or doubled a message:
//! what the Server acknowledged is the Server's, what the client acknowledged the client's.

use crate::payload::{self, Payload};
use mt5mqtt::codec::{self, Decoded, Packet};
use mt5mqtt::types::ProtocolVersion;
use std::sync::{Mutex, MutexGuard};

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
    Puback {
        id: u16,
    },
    /// Of success.
    Pubrec {
        id: u16,
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

/// Everything that was said on a line, in the order in which the proxy read it.
#[derive(Default)]
pub struct Record {
    entries: Mutex<Vec<Entry>>,
}

impl Record {
    pub fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().expect("no panic while the record is locked")
    }

    pub fn add(&self, connection: u64, from: From, seen: Seen) {
        self.entries().push(Entry { connection, from, seen });
    }

    pub fn new_life(&self) {
        self.add(u64::MAX, From::Client, Seen::NewLife);
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
        Packet::Puback(ack) => Seen::Puback { id: ack.packet_id.get() },
        Packet::Pubrec(ack) if !ack.reason.is_error() => Seen::Pubrec { id: ack.packet_id.get() },
        Packet::Pubrel(ack) => Seen::Pubrel { id: ack.packet_id.get() },
        Packet::Pubcomp(ack) => Seen::Pubcomp { id: ack.packet_id.get() },
        Packet::Subscribe(_) | Packet::Pingreq => Seen::Other,
        _ => return None,
    })
}
