//! PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7): one shape, four sets of Reason Codes.

use super::PacketId;
use super::error::{EncodeError, Fault};
use super::property::{Properties, Section};
use super::reader::Reader;
use super::writer;
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
        let mut ack = Ack::new(packet_id, ReasonCode::SUCCESS);
        // Reason Code and Property Length may be left out from the end (section 3.4.2.1).
        if version == ProtocolVersion::V5 && !reader.is_empty() {
            ack.reason = ReasonCode(reader.u8()?);
            if !ack.reason.allowed_in(packet) {
                return Err(Fault::ReasonCode(ack.reason.0));
            }
            if !reader.is_empty() {
                ack.properties = Properties::decode(reader, Section::Packet(packet))?;
            }
        }
        Ok(ack)
    }

    pub(super) fn encode(
        &self,
        packet: PacketType,
        version: ProtocolVersion,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        writer::u16(self.packet_id.get(), out);
        if version == ProtocolVersion::V311 {
            return Ok(());
        }
        if !self.reason.allowed_in(packet) {
            return Err(EncodeError::ReasonCode(self.reason));
        }
        if self.reason != ReasonCode::SUCCESS || !self.properties.is_empty() {
            out.push(self.reason.0);
        }
        if !self.properties.is_empty() {
            self.properties.encode(Section::Packet(packet), out)?;
        }
        Ok(())
    }
}
