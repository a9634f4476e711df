//! A message as it has come from the Server, and what it is recognised by.

use crate::codec::buffers::Buffers;
use crate::codec::message::Message;
use crate::codec::property::PropertyId;
use crate::codec::publish::Publish;
use crate::session::breaches::Breach;
use crate::session::event::{Delivery, Event};
use crate::session::options::PayloadFormatCheck;
use crate::session::sink::Sink;
use crate::types::topic::TopicName;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// A message as it has come.
pub(super) struct Arrived<'a> {
    pub publish: &'a Publish<'a>,
    /// Its own, or that of its Topic Alias.
    pub topic: TopicName<'a>,
    pub payload: Payload,
}

impl Arrived<'_> {
    pub fn message(&self, buffers: &Buffers) -> Message {
        let Publish { payload, qos, retain, properties, dup, .. } = *self.publish;
        let mut message = Message::new_in(buffers, self.topic, payload, qos, retain, properties);
        message.dup = dup;
        message
    }

    pub fn event(&self, buffers: &Buffers, delivery: Option<Delivery>, seen_before: bool) -> Event {
        let (message, packet_id) = (self.message(buffers), self.publish.packet_id);
        Event::Message { message, delivery, packet_id, seen_before }
    }
}

/// Whether a payload is what its Payload Format Indicator says it is (section 3.3.2.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    Good,
    /// It isn't, and is handed out.
    IllFormed,
    /// It isn't, and the message is refused.
    Refused,
}

impl Payload {
    pub fn of(publish: &Publish<'_>, check: PayloadFormatCheck) -> Payload {
        let ill_formed = check != PayloadFormatCheck::Off
            && publish.properties.int(PropertyId::PayloadFormatIndicator) == Some(1)
            && std::str::from_utf8(publish.payload).is_err();
        match check {
            _ if !ill_formed => Payload::Good,
            PayloadFormatCheck::Refuse => Payload::Refused,
            PayloadFormatCheck::Off | PayloadFormatCheck::Report => Payload::IllFormed,
        }
    }
}

impl Sink<'_> {
    pub(super) fn look_at_payload(&mut self, payload: Payload) -> Result<(), Breach> {
        match payload {
            Payload::Good => Ok(()),
            Payload::IllFormed => self.breaches.pass_over(Breach::PayloadFormat, self.events),
            Payload::Refused => {
                self.breaches.report(Breach::PayloadFormat, self.events);
                Ok(())
            }
        }
    }
}

/// What a message is recognised by when it is sent again. Its properties may have changed: Message Expiry Interval counts down.
/// It is stored, so it must stay the same in all versions of this library, which nobody promises of std's hash.
pub(super) fn content(topic: TopicName<'_>, publish: &Publish<'_>) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(&[publish.qos as u8]);
    hasher.write(topic.as_bytes());
    // A byte that no Topic Name has, between topic and payload.
    hasher.write(&[0]);
    hasher.write(publish.payload);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::PacketId;
    use crate::codec::property::Properties;
    use crate::types::QoS;

    #[test]
    fn what_a_message_is_recognised_by_is_the_same_in_all_versions_of_this_library() {
        let content_of = |qos, topic, payload: &[u8]| {
            let topic = TopicName::new(topic).unwrap();
            let (packet_id, properties) = (PacketId::new(1), Properties::EMPTY);
            let publish =
                Publish { dup: false, qos, retain: false, topic: Some(topic), packet_id, properties, payload };
            content(topic, &publish)
        };
        let known = content_of(QoS::ExactlyOnce, "mt5/EURUSD", b"1.1");
        // It stands in the stores of those who use it.
        assert_eq!(known, 16_532_686_047_335_193_077);
        for other in [
            content_of(QoS::AtLeastOnce, "mt5/EURUSD", b"1.1"),
            content_of(QoS::ExactlyOnce, "mt5/EURUSD1", b".1"),
            content_of(QoS::ExactlyOnce, "mt5/EURUSD", b"1.2"),
        ] {
            assert_ne!(known, other);
        }
    }
}
