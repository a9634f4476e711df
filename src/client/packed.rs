//! QoS 0 publishes that wait for the socket, one after the other in one buffer. A program that is faster than its line has
//! them by the hundred thousand: so none of them costs an allocation, nor more room than it has bytes.

use crate::codec::property::Properties;
use crate::codec::publish::Publish;
use crate::session::event::Token;
use crate::types::QoS;
use crate::types::topic::TopicName;

/// Of a buffer. Larger messages wait by themselves.
const ROOM: usize = 4 * 1024;
/// Of what stands before a message: its token, RETAIN and three sizes.
const HEAD: usize = 16;

#[derive(Debug)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    /// Where the first one begins that is still there.
    start: usize,
    count: usize,
}

impl Packed {
    pub fn new() -> Self {
        Packed { bytes: Vec::with_capacity(ROOM), start: 0, count: 0 }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn fits(publish: &Publish<'_>) -> bool {
        HEAD + publish.size() <= ROOM
    }

    /// Adds a publish of QoS 0 with a Topic Name. False if there is no room for it.
    pub fn add(&mut self, token: Token, publish: &Publish<'_>) -> bool {
        if self.bytes.len() + HEAD + publish.size() > ROOM {
            return false;
        }
        let topic = publish.topic.map_or(&[][..], TopicName::as_bytes);
        let properties = publish.properties.as_bytes();
        self.bytes.extend_from_slice(&token.to_ne_bytes());
        for size in [topic.len(), properties.len(), publish.payload.len(), usize::from(publish.retain)] {
            // It is less than `ROOM`.
            self.bytes.extend_from_slice(&(size as u16).to_ne_bytes());
        }
        for part in [topic, properties, publish.payload] {
            self.bytes.extend_from_slice(part);
        }
        self.count += 1;
        true
    }

    pub fn first(&self) -> Option<(Token, Publish<'_>)> {
        let (token, rest) = self.bytes[self.start..].split_first_chunk()?;
        let (head, rest) = rest.split_first_chunk::<{ HEAD - size_of::<Token>() }>()?;
        let [topic, properties, payload, retain] =
            [0, 2, 4, 6].map(|at| usize::from(u16::from_ne_bytes([head[at], head[at + 1]])));
        let (topic, rest) = rest.split_at_checked(topic)?;
        let (properties, rest) = rest.split_at_checked(properties)?;
        let publish = Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: retain != 0,
            topic: Some(TopicName::from_checked(topic)),
            packet_id: None,
            properties: Properties::from_checked(properties),
            payload: rest.get(..payload)?,
        };
        Some((Token::from_ne_bytes(*token), publish))
    }

    /// Takes the first one out, which has so many bytes. Without the last the buffer is as new.
    pub fn drop_first(&mut self, size: usize) {
        self.start += HEAD + size;
        self.count -= 1;
        if self.count == 0 {
            self.start = 0;
            self.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish<'a>(topic: &'a str, payload: &'a [u8], retain: bool) -> Publish<'a> {
        Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain,
            topic: Some(TopicName::new(topic).unwrap()),
            packet_id: None,
            // Payload Format Indicator
            properties: Properties::from_checked(if retain { &[1, 1] } else { &[] }),
            payload,
        }
    }

    #[test]
    fn publishes_come_out_as_they_were_put_in() {
        let longest = vec![b'x'; ROOM - HEAD - 1];
        let all = [publish("a/b", b"", false), publish("a", b"payload", true), publish("b", &longest, false)];
        let mut packed = Packed::new();
        for (token, publish) in (1..).zip(&all[..2]) {
            assert!(Packed::fits(publish) && packed.add(token, publish));
        }
        assert!(Packed::fits(&all[2]) && !packed.add(3, &all[2]) && packed.count() == 2);
        assert!(!Packed::fits(&publish("ab", &longest, false)));
        for (token, publish) in (1..).zip(&all[..2]) {
            assert_eq!(packed.first(), Some((token, publish.clone())));
            packed.drop_first(publish.size());
        }
        assert!(packed.first().is_none() && packed.count() == 0);
        assert!(packed.add(3, &all[2]) && packed.bytes.capacity() == ROOM);
        assert_eq!(packed.first(), Some((3, all[2].clone())));
    }
}
