//! CONNACK (section 3.2).

use super::error::{EncodeError, Fault};
use super::property::{Properties, Section};
use super::reader::Reader;
use crate::types::reason::ReasonCode;
use crate::types::{PacketType, ProtocolVersion};

const SECTION: Section = Section::Packet(PacketType::Connack);

/// The answer to CONNECT. MQTT 3.1.1 return codes appear as the Reason Codes of the same meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connack<'a> {
    pub session_present: bool,
    pub reason: ReasonCode,
    pub properties: Properties<'a>,
}

/// Return codes 1 to 5 of MQTT 3.1.1 (its table 3.1), in their order.
const RETURN_CODES: [ReasonCode; 5] = [
    ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
    ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
    ReasonCode::SERVER_UNAVAILABLE,
    ReasonCode::BAD_USER_NAME_OR_PASSWORD,
    ReasonCode::NOT_AUTHORIZED,
];

impl<'a> Connack<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let flags = reader.u8()?;
        if flags > 1 {
            return Err(Fault::Reserved("a Connect Acknowledge Flag"));
        }
        let code = reader.u8()?;
        let (reason, properties) = match version {
            ProtocolVersion::V311 => {
                let reason = match code {
                    0 => ReasonCode::SUCCESS,
                    code => match RETURN_CODES.get(usize::from(code) - 1) {
                        Some(reason) => *reason,
                        None => {
                            reader.refuse(Fault::ReasonCode(code))?;
                            ReasonCode(code)
                        }
                    },
                };
                (reason, Properties::EMPTY)
            }
            // A Server without MQTT 5.0 answers in the form of MQTT 3.1.1, as [MQTT311-3.1.2-2] asks of it.
            ProtocolVersion::V5 if code == 1 && reader.is_empty() => {
                (ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, Properties::EMPTY)
            }
            ProtocolVersion::V5 => {
                let reason = ReasonCode(code);
                if !reason.allowed_in(PacketType::Connack) {
                    reader.refuse(Fault::ReasonCode(code))?;
                }
                (reason, Properties::decode(reader, SECTION)?)
            }
        };
        Ok(Connack { session_present: flags == 1, reason, properties })
    }

    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(self.session_present.into());
        match version {
            ProtocolVersion::V311 => {
                let code = match self.reason {
                    ReasonCode::SUCCESS => 0,
                    reason => {
                        let index = RETURN_CODES.iter().position(|code| *code == reason);
                        index.ok_or(EncodeError::ReasonCode(reason))? + 1
                    }
                };
                out.push(code as u8);
                Ok(())
            }
            ProtocolVersion::V5 => {
                if !self.reason.allowed_in(PacketType::Connack) {
                    return Err(EncodeError::ReasonCode(self.reason));
                }
                out.push(self.reason.0);
                self.properties.encode(SECTION, out)
            }
        }
    }
}
