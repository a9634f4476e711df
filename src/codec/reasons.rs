//! Reason Codes as packets carry them: one with properties behind it, both of which may be left out from the end (sections
//! 3.4.2.1, 3.14.2.1 and 3.15.2.1), or in SUBACK and UNSUBACK a list.

use super::error::{EncodeError, Fault};
use super::property::{Properties, Section};
use super::reader::Reader;
use crate::types::reason::ReasonCode;
use crate::types::{PacketType, ProtocolVersion};

/// `Success` and no properties stand for what is left out.
pub(super) fn decode<'a>(packet: PacketType, reader: &mut Reader<'a>) -> Result<(ReasonCode, Properties<'a>), Fault> {
    let mut properties = Properties::EMPTY;
    let mut reason = ReasonCode::SUCCESS;
    if !reader.is_empty() {
        reason = ReasonCode(reader.u8()?);
        if !reason.allowed_in(packet) {
            reader.refuse(Fault::ReasonCode(reason.0))?;
        }
        if !reader.is_empty() {
            properties = Properties::decode(reader, Section::Packet(packet))?;
        }
    }
    Ok((reason, properties))
}

pub(super) fn encode(
    packet: PacketType,
    reason: ReasonCode,
    properties: Properties<'_>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if !reason.allowed_in(packet) {
        return Err(EncodeError::ReasonCode(reason));
    }
    if reason != ReasonCode::SUCCESS || !properties.is_empty() {
        out.push(reason.0);
    }
    if !properties.is_empty() {
        properties.encode(Section::Packet(packet), out)?;
    }
    Ok(())
}

/// Of the codes that MQTT 5.0 allows in SUBACK, MQTT 3.1.1 has four \[MQTT311-3.9.3-2\].
fn allowed(code: ReasonCode, packet: PacketType, version: ProtocolVersion) -> bool {
    code.allowed_in(packet) && (version == ProtocolVersion::V5 || matches!(code.0, 0x00..=0x02 | 0x80))
}

/// The list, to the end of the packet.
pub(super) fn decode_list(
    packet: PacketType,
    version: ProtocolVersion,
    reader: &mut Reader<'_>,
) -> Result<Vec<ReasonCode>, Fault> {
    let codes = reader.rest();
    if codes.is_empty() {
        return Err(Fault::EmptyPayload);
    }
    for code in codes.iter().filter(|code| !allowed(ReasonCode(**code), packet, version)) {
        reader.refuse(Fault::ReasonCode(*code))?;
    }
    Ok(codes.iter().map(|code| ReasonCode(*code)).collect())
}

pub(super) fn encode_list(
    packet: PacketType,
    version: ProtocolVersion,
    reasons: &[ReasonCode],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if reasons.is_empty() {
        return Err(EncodeError::EmptyPayload);
    }
    for reason in reasons {
        if !allowed(*reason, packet, version) {
            return Err(EncodeError::ReasonCode(*reason));
        }
        out.push(reason.0);
    }
    Ok(())
}
