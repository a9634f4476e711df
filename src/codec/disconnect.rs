//! DISCONNECT and AUTH (sections 3.14 and 3.15): a Reason Code and properties, both optional on the wire.

use super::error::{EncodeError, Fault};
use super::property::{Properties, PropertyId};
use super::reader::Reader;
use super::reasons;
use crate::types::reason::ReasonCode;
use crate::types::{PacketType, ProtocolVersion};

const NO_METHOD: &str = "AUTH without Authentication Method";

/// DISCONNECT. In MQTT 3.1.1 it has neither Reason Code nor properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect<'a> {
    pub reason: ReasonCode,
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let (reason, properties) = match version {
            ProtocolVersion::V5 => reasons::decode(PacketType::Disconnect, reader)?,
            ProtocolVersion::V311 => (ReasonCode::SUCCESS, Properties::EMPTY),
        };
        Ok(Disconnect { reason, properties })
    }

    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match version {
            ProtocolVersion::V5 => reasons::encode(PacketType::Disconnect, self.reason, self.properties, out),
            ProtocolVersion::V311 => Ok(()),
        }
    }
}

/// AUTH, which MQTT 3.1.1 doesn't have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth<'a> {
    pub reason: ReasonCode,
    pub properties: Properties<'a>,
}

impl<'a> Auth<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (reason, properties) = reasons::decode(PacketType::Auth, reader)?;
        let auth = Auth { reason, properties };
        if auth.has_method() { Ok(auth) } else { Err(Fault::Contradiction(NO_METHOD)) }
    }

    /// Section 3.15.2.2.2 asks for a method. So the short form of section 3.15.2.1, without properties, can't be used.
    fn has_method(&self) -> bool {
        self.properties.text(PropertyId::AuthenticationMethod).is_some()
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !self.has_method() {
            return Err(EncodeError::Contradiction(NO_METHOD));
        }
        reasons::encode(PacketType::Auth, self.reason, self.properties, out)
    }
}
