//! PUBLISH (section 3.3).

use super::PacketId;
use super::error::{EncodeError, Fault};
use super::property::{Properties, PropertyError, PropertyId, Section};
use super::reader::Reader;
use super::{varint, writer};
use crate::types::topic::TopicName;
use crate::types::{PacketType, ProtocolVersion, QoS};
use std::fmt;
use std::num::NonZeroU16;

const SECTION: Section = Section::Packet(PacketType::Publish);
const RETAIN: u8 = 0b0001;
const QOS_SHIFT: u8 = 1;
const DUP: u8 = 0b1000;
/// The property Topic Alias: its identifier and a Two Byte Integer.
pub(crate) const ALIAS_SIZE: usize = 3;

#[derive(Clone, PartialEq, Eq)]
pub struct Publish<'a> {
    pub dup: bool,
    pub qos: QoS,
    pub retain: bool,
    /// `None` when a Topic Alias stands for it.
    pub topic: Option<TopicName<'a>>,
    /// There exactly when the QoS is above 0 \[MQTT-2.2.1-2\].
    pub packet_id: Option<PacketId>,
    pub properties: Properties<'a>,
    pub payload: &'a [u8],
}

/// What can be read of a PUBLISH that can't be decoded: its sender has to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// `None` for QoS 3.
    pub qos: Option<QoS>,
    pub topic: Option<String>,
    pub packet_id: Option<PacketId>,
}

impl Malformed {
    /// `None` for another packet.
    pub fn look_at(bytes: &[u8]) -> Option<Malformed> {
        let first = bytes.first().filter(|first| **first >> 4 == PacketType::Publish as u8)?;
        let qos = QoS::from_u8(first >> QOS_SHIFT & 3);
        let mut reader = Reader::new(&bytes[1..]);
        let topic = reader.varint().and_then(|_| reader.binary()).ok();
        let packet_id = topic.filter(|_| qos != Some(QoS::AtMostOnce)).and_then(|_| reader.packet_id().ok());
        Some(Malformed { qos, topic: topic.map(|topic| String::from_utf8_lossy(topic).into_owned()), packet_id })
    }
}

impl fmt::Debug for Publish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("topic", &self.topic.map(TopicName::as_str))
            .field("qos", &self.qos)
            .field("packet_id", &self.packet_id)
            .field("retain", &self.retain)
            .field("dup", &self.dup)
            .field("properties", &self.properties)
            .field("payload_size", &self.payload.len())
            .finish()
    }
}

impl<'a> Publish<'a> {
    /// Bytes of Topic Name, properties and payload together, as [`Message::size`](super::message::Message::size).
    pub fn size(&self) -> usize {
        self.topic.map_or(0, |topic| topic.as_bytes().len()) + self.properties.as_bytes().len() + self.payload.len()
    }

    pub(super) fn decode(flags: u8, reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let mut dup = flags & DUP != 0;
        let retain = flags & RETAIN != 0;
        let qos = QoS::from_u8(flags >> QOS_SHIFT & 3).ok_or(Fault::QoS)?;
        if dup && qos == QoS::AtMostOnce {
            reader.refuse(Fault::DupWithQoS0)?;
            dup = false;
        }
        let topic = match reader.text()? {
            "" => None,
            name => Some(TopicName::new(name).or_else(|error| {
                reader.refuse(Fault::Topic(error)).map(|()| TopicName::from_checked(name.as_bytes()))
            })?),
        };
        let packet_id = if qos == QoS::AtMostOnce { None } else { Some(reader.packet_id()?) };
        let properties = match version {
            ProtocolVersion::V5 => Properties::decode(reader, SECTION)?,
            ProtocolVersion::V311 => Properties::EMPTY,
        };
        let publish = Publish { dup, qos, retain, topic, packet_id, properties, payload: reader.rest() };
        if publish.names_a_topic(version) { Ok(publish) } else { Err(Fault::NoTopic) }
    }

    /// Section 3.3.2.1; MQTT 3.1.1 has no Topic Aliases.
    fn names_a_topic(&self, version: ProtocolVersion) -> bool {
        let has_alias = || version == ProtocolVersion::V5 && self.properties.int(PropertyId::TopicAlias).is_some();
        self.topic.is_some() || has_alias()
    }

    /// Written in one pass: the size is known beforehand, and this is the packet that must be fast. `alias` goes in front of
    /// the properties, which then hold none.
    pub(super) fn encode(
        &self,
        alias: Option<NonZeroU16>,
        version: ProtocolVersion,
        maximum: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if (self.qos == QoS::AtMostOnce) != self.packet_id.is_none() {
            return Err(EncodeError::PacketId(self.qos));
        }
        if alias.is_none() && !self.names_a_topic(version) {
            return Err(EncodeError::Contradiction("neither Topic Name nor Topic Alias"));
        }
        let topic = self.topic.map_or(&[][..], TopicName::as_bytes);
        let id_size = if self.packet_id.is_some() { 2 } else { 0 };
        let mut properties_length = 0;
        let properties_size = match version {
            ProtocolVersion::V5 => {
                self.properties.check_for(SECTION).map_err(EncodeError::Property)?;
                if alias.is_some() && self.properties.int(PropertyId::TopicAlias).is_some() {
                    return Err(EncodeError::Property(PropertyError::Twice(PropertyId::TopicAlias)));
                }
                properties_length = self.properties.as_bytes().len() + if alias.is_some() { ALIAS_SIZE } else { 0 };
                varint::size(properties_length as u32) + properties_length
            }
            ProtocolVersion::V311 => 0,
        };
        let remaining = 2 + topic.len() + id_size + properties_size + self.payload.len();
        // DUP says nothing on QoS 0 and must be 0 there [MQTT-3.3.1-2].
        let dup = if self.dup && self.qos != QoS::AtMostOnce { DUP } else { 0 };
        let retain = if self.retain { RETAIN } else { 0 };
        let first = (PacketType::Publish as u8) << 4 | dup | (self.qos as u8) << QOS_SHIFT | retain;
        writer::fixed_header(first, remaining, maximum, out)?;
        out.reserve(remaining);
        writer::u16(topic.len() as u16, out);
        out.extend_from_slice(topic);
        if let Some(packet_id) = self.packet_id {
            writer::u16(packet_id.get(), out);
        }
        if version == ProtocolVersion::V5 {
            varint::encode(properties_length as u32, out);
            if let Some(alias) = alias {
                out.push(PropertyId::TopicAlias as u8);
                writer::u16(alias.get(), out);
            }
            out.extend_from_slice(self.properties.as_bytes());
        }
        out.extend_from_slice(self.payload);
        Ok(())
    }
}
