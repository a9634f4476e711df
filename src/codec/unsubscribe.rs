//! UNSUBSCRIBE and UNSUBACK (sections 3.10 and 3.11).

use super::PacketId;
use super::error::{EncodeError, Fault};
use super::property::{Properties, Section};
use super::reader::Reader;
use super::{reasons, writer};
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicFilter;
use crate::types::{PacketType, ProtocolVersion};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    pub packet_id: PacketId,
    pub properties: Properties<'a>,
    /// Never empty \[MQTT-3.10.3-2\].
    pub filters: Vec<TopicFilter<'a>>,
}

impl<'a> Unsubscribe<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let properties = match version {
            ProtocolVersion::V5 => Properties::decode(reader, Section::Packet(PacketType::Unsubscribe))?,
            ProtocolVersion::V311 => Properties::EMPTY,
        };
        let mut filters = Vec::new();
        while !reader.is_empty() {
            filters.push(TopicFilter::new(reader.text()?).map_err(Fault::Topic)?);
        }
        if filters.is_empty() {
            return Err(Fault::EmptyPayload);
        }
        Ok(Unsubscribe { packet_id, properties, filters })
    }

    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.filters.is_empty() {
            return Err(EncodeError::EmptyPayload);
        }
        writer::u16(self.packet_id.get(), out);
        if version == ProtocolVersion::V5 {
            self.properties.encode(Section::Packet(PacketType::Unsubscribe), out)?;
        }
        self.filters.iter().try_for_each(|filter| writer::text("Topic Filter", filter.as_str(), out))
    }
}

/// The answer to UNSUBSCRIBE. In MQTT 3.1.1 it has no Reason Codes: `reasons` is empty there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuback<'a> {
    pub packet_id: PacketId,
    pub properties: Properties<'a>,
    pub reasons: Vec<ReasonCode>,
}

impl<'a> Unsuback<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let (properties, reasons) = match version {
            ProtocolVersion::V5 => {
                let properties = Properties::decode(reader, Section::Packet(PacketType::Unsuback))?;
                (properties, reasons::decode_list(PacketType::Unsuback, version, reader)?)
            }
            ProtocolVersion::V311 if reader.is_empty() => (Properties::EMPTY, Vec::new()),
            ProtocolVersion::V311 => {
                reader.refuse(Fault::TrailingBytes)?;
                (Properties::EMPTY, reader.rest().iter().map(|code| ReasonCode(*code)).collect())
            }
        };
        Ok(Unsuback { packet_id, properties, reasons })
    }

    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        writer::u16(self.packet_id.get(), out);
        if version == ProtocolVersion::V311 {
            return Ok(());
        }
        self.properties.encode(Section::Packet(PacketType::Unsuback), out)?;
        reasons::encode_list(PacketType::Unsuback, version, &self.reasons, out)
    }
}
