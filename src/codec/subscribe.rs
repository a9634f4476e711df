//! SUBSCRIBE and SUBACK (sections 3.8 and 3.9).

use super::PacketId;
use super::error::{EncodeError, Fault};
use super::property::{Properties, Section};
use super::reader::Reader;
use super::{reasons, writer};
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicFilter;
use crate::types::{PacketType, ProtocolVersion, QoS};

const NO_LOCAL: u8 = 0b0000_0100;
const RETAIN_AS_PUBLISHED: u8 = 0b0000_1000;
const RETAIN_HANDLING_SHIFT: u8 = 4;
const NO_LOCAL_ON_SHARED: &str = "No Local on a Shared Subscription";

/// What retained messages a new subscription brings (section 3.8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RetainHandling {
    Always = 0,
    IfNew = 1,
    Never = 2,
}

/// The Subscription Options byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionOptions {
    pub maximum_qos: QoS,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retain_handling: RetainHandling,
}

impl SubscriptionOptions {
    /// `None` for QoS 3, Retain Handling 3 or a reserved bit.
    pub const fn from_u8(byte: u8) -> Option<Self> {
        let Some(maximum_qos) = QoS::from_u8(byte & 3) else { return None };
        let retain_handling = match byte >> RETAIN_HANDLING_SHIFT {
            0 => RetainHandling::Always,
            1 => RetainHandling::IfNew,
            2 => RetainHandling::Never,
            _ => return None,
        };
        Some(SubscriptionOptions {
            maximum_qos,
            no_local: byte & NO_LOCAL != 0,
            retain_as_published: byte & RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        })
    }

    pub const fn to_u8(self) -> u8 {
        self.maximum_qos as u8
            | if self.no_local { NO_LOCAL } else { 0 }
            | if self.retain_as_published { RETAIN_AS_PUBLISHED } else { 0 }
            | (self.retain_handling as u8) << RETAIN_HANDLING_SHIFT
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription<'a> {
    pub filter: TopicFilter<'a>,
    pub options: SubscriptionOptions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    pub packet_id: PacketId,
    pub properties: Properties<'a>,
    /// Never empty \[MQTT-3.8.3-2\].
    pub subscriptions: Vec<Subscription<'a>>,
}

impl<'a> Subscribe<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let properties = match version {
            ProtocolVersion::V5 => Properties::decode(reader, Section::Packet(PacketType::Subscribe))?,
            ProtocolVersion::V311 => Properties::EMPTY,
        };
        let mut subscriptions = Vec::new();
        while !reader.is_empty() {
            let filter = TopicFilter::new(reader.text()?).map_err(Fault::Topic)?;
            let byte = reader.u8()?;
            let reserved = if version == ProtocolVersion::V5 { 0b1100_0000 } else { 0b1111_1100 };
            if byte & reserved != 0 {
                // [MQTT-3.8.3-5] [MQTT311-3.8.3-4]
                return Err(Fault::Reserved("a bit of the Subscription Options"));
            }
            let options = SubscriptionOptions::from_u8(byte)
                .ok_or(Fault::Contradiction("QoS 3 or Retain Handling 3 in the Subscription Options"))?;
            if options.no_local && filter.is_shared() {
                // [MQTT-3.8.3-4]
                return Err(Fault::Contradiction(NO_LOCAL_ON_SHARED));
            }
            subscriptions.push(Subscription { filter, options });
        }
        if subscriptions.is_empty() {
            return Err(Fault::EmptyPayload);
        }
        Ok(Subscribe { packet_id, properties, subscriptions })
    }

    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.subscriptions.is_empty() {
            return Err(EncodeError::EmptyPayload);
        }
        writer::u16(self.packet_id.get(), out);
        if version == ProtocolVersion::V5 {
            self.properties.encode(Section::Packet(PacketType::Subscribe), out)?;
        }
        for Subscription { filter, options } in &self.subscriptions {
            writer::text("Topic Filter", filter.as_str(), out)?;
            out.push(match version {
                ProtocolVersion::V5 if options.no_local && filter.is_shared() => {
                    return Err(EncodeError::Contradiction(NO_LOCAL_ON_SHARED));
                }
                ProtocolVersion::V5 => options.to_u8(),
                ProtocolVersion::V311 => options.maximum_qos as u8,
            });
        }
        Ok(())
    }
}

/// The answer to SUBSCRIBE: one Reason Code for each Topic Filter, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suback<'a> {
    pub packet_id: PacketId,
    pub properties: Properties<'a>,
    pub reasons: Vec<ReasonCode>,
}

impl<'a> Suback<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: ProtocolVersion) -> Result<Self, Fault> {
        let packet_id = reader.packet_id()?;
        let properties = match version {
            ProtocolVersion::V5 => Properties::decode(reader, Section::Packet(PacketType::Suback))?,
            ProtocolVersion::V311 => Properties::EMPTY,
        };
        let reasons = reasons::decode_list(PacketType::Suback, version, reader)?;
        Ok(Suback { packet_id, properties, reasons })
    }

    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        writer::u16(self.packet_id.get(), out);
        if version == ProtocolVersion::V5 {
            self.properties.encode(Section::Packet(PacketType::Suback), out)?;
        }
        reasons::encode_list(PacketType::Suback, version, &self.reasons, out)
    }
}
