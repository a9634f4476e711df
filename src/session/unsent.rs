//! The bytes of a connection that its transport hasn't taken yet. Secrets among them, those of CONNECT and AUTH, leave no copy
//! in memory when they are sent.

use crate::codec::error::EncodeError;
use crate::codec::publish::Publish;
use crate::codec::{self, Packet};
use crate::types::ProtocolVersion;
use std::fmt;
use std::num::NonZeroU16;
use zeroize::{Zeroize, Zeroizing};

/// Above this many unsent bytes no Application Messages are added: they stay in the queue, where they are counted, and can
/// still be dropped or overtaken. Large enough that one write takes many messages.
const HIGH_WATER: usize = 64 * 1024;
/// So many bytes may be added for which there is no room, answers as a rule: more than the acknowledgements of all messages
/// that a Server may have unacknowledged.
const MOST_BEYOND: usize = 1024 * 1024;
/// More than what a packet has beside its fields of variable length.
const ROOM_FOR_LENGTHS: usize = 64;

#[derive(Default)]
pub(super) struct Unsent {
    bytes: Zeroizing<Vec<u8>>,
    /// How much of `bytes` the transport has taken.
    taken: usize,
    /// How many bytes were added since there was room last.
    beyond: usize,
    holds_secret: bool,
}

impl Unsent {
    pub fn add(&mut self, packet: &Packet<'_>, version: ProtocolVersion, maximum: usize) -> Result<(), EncodeError> {
        let (had_room, before) = (self.has_room(), self.bytes.len());
        let added = if let Some(size) = size_with_secret(packet) {
            self.holds_secret = true;
            self.make_room(size);
            codec::encode(packet, version, maximum, &mut self.bytes)
        } else {
            self.write(|out| codec::encode(packet, version, maximum, out))
        };
        self.beyond += if had_room { 0 } else { self.bytes.len() - before };
        added
    }

    pub fn add_with_alias(
        &mut self,
        publish: &Publish<'_>,
        alias: NonZeroU16,
        maximum: usize,
    ) -> Result<(), EncodeError> {
        self.write(|out| codec::encode_with_alias(publish, alias, maximum, out))
    }

    /// Writes a packet without a secret. Behind one that has a secret the vector must not grow by itself.
    fn write(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>) -> Result<(), EncodeError> {
        if !self.holds_secret {
            return encode(&mut self.bytes);
        }
        let mut packet = Vec::new();
        encode(&mut packet)?;
        self.make_room(packet.len());
        self.bytes.extend_from_slice(&packet);
        Ok(())
    }

    /// So that the vector doesn't grow while the secret is written, nor, with what is there already, without a trace.
    fn make_room(&mut self, size: usize) {
        if self.bytes.capacity() - self.bytes.len() < size {
            let capacity = (self.bytes.len() + size).max(2 * self.bytes.capacity());
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    pub fn has_room(&self) -> bool {
        self.bytes.len() - self.taken < HIGH_WATER
    }

    /// Whether packets that nothing holds back have piled up.
    pub fn is_overfull(&self) -> bool {
        self.beyond > MOST_BEYOND
    }

    /// The transport took `count` bytes.
    pub fn took(&mut self, count: usize) {
        self.taken += count;
        if self.holds_secret {
            self.bytes[..self.taken].zeroize();
        }
        if self.taken == self.bytes.len() {
            if std::mem::take(&mut self.holds_secret) {
                // With what lies behind the bytes: a copy from before they were moved.
                self.bytes.zeroize();
            }
            self.bytes.clear();
            self.taken = 0;
        } else if self.taken > HIGH_WATER && self.taken >= self.bytes.len() / 2 {
            // Not sooner: what is left of a large message would be moved for each piece of it.
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        if self.has_room() {
            self.beyond = 0;
        }
    }
}

/// Not the bytes: a password may be among them.
impl fmt::Debug for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.as_slice().len())
    }
}

/// The most that a packet takes, if it may have a secret.
fn size_with_secret(packet: &Packet<'_>) -> Option<usize> {
    let size = match packet {
        Packet::Auth(auth) => auth.properties.as_bytes().len(),
        Packet::Connect(connect) => {
            let will = connect
                .will
                .as_ref()
                .map_or(0, |will| will.topic.as_bytes().len() + will.payload.len() + will.properties.as_bytes().len());
            connect.properties.as_bytes().len()
                + connect.client_id.len()
                + will
                + connect.user_name.map_or(0, str::len)
                + connect.password.map_or(0, <[u8]>::len)
        }
        _ => return None,
    };
    Some(size + ROOM_FOR_LENGTHS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::connect::{Connect, Will};
    use crate::codec::disconnect::Auth;
    use crate::codec::message::Message;
    use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
    use crate::types::QoS;
    use crate::types::reason::ReasonCode;
    use crate::types::topic::TopicName;

    fn connect(password: &[u8]) -> Packet<'_> {
        Packet::Connect(Connect {
            version: ProtocolVersion::V5,
            clean_start: true,
            keep_alive: 30,
            properties: Properties::EMPTY,
            client_id: "EA1",
            will: None,
            user_name: Some("me"),
            password: Some(password),
        })
    }

    #[test]
    fn a_secret_that_was_sent_is_gone_from_memory_and_nothing_grew_meanwhile() {
        let mut properties = PropertiesBuf::new();
        properties.set(PropertyId::AuthenticationMethod, Value::Text("m")).unwrap();
        properties.set(PropertyId::AuthenticationData, Value::Binary(&[0xA5; 3000])).unwrap();
        let auth = Auth { reason: ReasonCode::CONTINUE_AUTHENTICATION, properties: properties.as_properties() };
        for packet in [connect(&[0xA5; 5000]), Packet::Auth(auth)] {
            let mut unsent = Unsent::default();
            unsent.add(&Packet::Pingreq, ProtocolVersion::V5, usize::MAX).unwrap();
            unsent.make_room(size_with_secret(&packet).unwrap());
            let at = unsent.bytes.as_ptr();
            unsent.add(&packet, ProtocolVersion::V5, usize::MAX).unwrap();
            assert_eq!(unsent.bytes.as_ptr(), at, "it was moved while it was written");
            assert!(unsent.as_slice().contains(&0xA5));
            let size = unsent.as_slice().len();
            unsent.took(size - 1);
            assert!(unsent.bytes[..size - 1].iter().all(|byte| *byte == 0));
            assert_eq!(format!("{unsent:?}"), "1 bytes");
            unsent.took(1);
            assert!(unsent.as_slice().is_empty() && !unsent.holds_secret);
        }
    }

    #[test]
    fn room_for_a_secret_is_room_for_all_that_goes_with_it() {
        let text = "x".repeat(1000);
        let mut properties = PropertiesBuf::new();
        properties.set(PropertyId::AuthenticationMethod, Value::Text(&text)).unwrap();
        let mut of_will = PropertiesBuf::new();
        of_will.set(PropertyId::ContentType, Value::Text(&text)).unwrap();
        let will = Will {
            topic: TopicName::new(&text).unwrap(),
            payload: text.as_bytes(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: of_will.as_properties(),
        };
        let Packet::Connect(bare) = connect(text.as_bytes()) else { unreachable!() };
        let properties = properties.as_properties();
        let connect = Connect { will: Some(will), client_id: &text, user_name: Some(&text), properties, ..bare };
        for packet in [Packet::Connect(connect), Packet::Auth(Auth { reason: ReasonCode::RE_AUTHENTICATE, properties })]
        {
            let mut unsent = Unsent::default();
            unsent.add(&packet, ProtocolVersion::V5, usize::MAX).unwrap();
            assert_eq!(unsent.bytes.capacity(), size_with_secret(&packet).unwrap(), "it grew while it was written");
            // What isn't sent yet stays in front of it.
            let first = unsent.as_slice().to_vec();
            unsent.add(&packet, ProtocolVersion::V5, usize::MAX).unwrap();
            assert_eq!(unsent.as_slice(), first.repeat(2));
        }
    }

    #[test]
    fn a_large_message_is_not_moved_for_each_piece_that_the_transport_takes() {
        // A message of many megabytes on a slow line: moving what is left each time would keep the processor busy for minutes.
        let mut unsent = Unsent::default();
        while unsent.as_slice().len() < 64 * HIGH_WATER {
            unsent.add(&Packet::Pingreq, ProtocolVersion::V5, usize::MAX).unwrap();
        }
        let (size, mut moved) = (unsent.as_slice().len(), 0);
        while !unsent.as_slice().is_empty() {
            let piece = unsent.as_slice().len().min(2 * HIGH_WATER);
            let in_place = unsent.as_slice()[piece..].as_ptr();
            unsent.took(piece);
            let left = unsent.as_slice();
            moved += if left.as_ptr() == in_place { 0 } else { left.len() };
        }
        assert!(moved <= size, "{moved} bytes of {size} were moved");
    }

    #[test]
    fn only_what_finds_no_room_piles_up() {
        let mut unsent = Unsent::default();
        let payload = vec![b'x'; 2 * MOST_BEYOND];
        let topic = TopicName::new("t").unwrap();
        let message = Message::new(topic, &payload, QoS::AtMostOnce, false, Properties::EMPTY);
        let large = Packet::Publish(message.publish(None, false));
        unsent.add(&large, ProtocolVersion::V5, usize::MAX).unwrap();
        let mut pings = 0;
        while !unsent.is_overfull() {
            unsent.add(&Packet::Pingreq, ProtocolVersion::V5, usize::MAX).unwrap();
            pings += 1;
        }
        assert_eq!(pings, MOST_BEYOND / 2 + 1);
        unsent.took(unsent.as_slice().len() - HIGH_WATER);
        assert!(unsent.is_overfull() && !unsent.has_room());
        unsent.took(1);
        assert!(!unsent.is_overfull() && unsent.has_room());
    }

    #[test]
    fn what_is_taken_makes_room() {
        let mut unsent = Unsent::default();
        while unsent.has_room() {
            unsent.add(&Packet::Pingreq, ProtocolVersion::V5, usize::MAX).unwrap();
        }
        let count = unsent.as_slice().len();
        assert!(count >= HIGH_WATER);
        unsent.took(1);
        assert!(unsent.has_room() && unsent.as_slice().len() == count - 1);
        unsent.took(count - 1);
        assert!(unsent.as_slice().is_empty());
        // And room is kept for no more than that, though something is unsent all the time.
        unsent.add(&Packet::Pingreq, ProtocolVersion::V5, usize::MAX).unwrap();
        for _ in 0..2 * HIGH_WATER {
            unsent.add(&Packet::Pingreq, ProtocolVersion::V5, usize::MAX).unwrap();
            unsent.took(2);
        }
        assert!(unsent.bytes.len() < 2 * HIGH_WATER, "{}", unsent.bytes.len());
    }
}
