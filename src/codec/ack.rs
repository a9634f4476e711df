//! PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7): one shape, four sets of Reason Codes.

use super::PacketId;
use super::error::{EncodeError, Fault};
use super::property::Properties;
use super::reader::Reader;
use super::{reasons, writer};
use crate::types::reason::ReasonCode;
use crate::types::{PacketType, ProtocolVersion};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack<'a> {
    pub packet_id: PacketId,
    pub reason: ReasonCode,
    pub properties: Properties<'a>,
}

impl<'a> Ack<'a> {
    /// An acknowledgement without properties.
    pub const fn new(packet_id: PacketId, reason: ReasonCode) -> Ack<'static> {
        Ack { packet_id, reason, properties: Properties::EMPTY }
    }

    pub(super) fn decode(packet: PacketType, reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let (reason, properties) = match version {
            ProtocolVersion::V5 => reasons::decode(packet, reader)?,
            ProtocolVersion::V311 => (ReasonCode::SUCCESS, Properties::EMPTY),
        };
        Ok(Ack { packet_id, reason, properties })
    }

    pub(super) fn encode(
        &self,
        packet: PacketType,
        version: ProtocolVersion,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        writer::u16(self.packet_id.get(), out);
        match version {
            ProtocolVersion::V5 => reasons::encode(packet, self.reason, self.properties, out),
            ProtocolVersion::V311 => Ok(()),
        }
    }
}
