//! What can be wrong with bytes, and the Reason Code to DISCONNECT with.
//!
//! Two families that the standard keeps apart (section 1.2): a Malformed Packet can't be parsed; a Protocol Error was
//! parsed, but is not allowed. A peer is told which it was.

use super::property::{PropertyError, PropertyId};
use crate::types::reason::ReasonCode;
use crate::types::text::TextError;
use crate::types::topic::TopicError;
use crate::types::{PacketType, QoS};
use std::fmt;

/// The first byte, and a Remaining Length of four.
const LARGEST_FIXED_HEADER: usize = 5;

/// A packet from the peer that can't be accepted. The Network Connection can't go on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The type in the Fixed Header, when there is such a type.
    pub packet: Option<PacketType>,
    pub fault: Fault,
}

/// The cause of a [`DecodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Packet type 0, or AUTH in MQTT 3.1.1.
    UnknownType,
    /// Fixed Header flags that the type doesn't allow \[MQTT-2.1.3-1\].
    Flags,
    /// A Variable Byte Integer with more than four bytes, or not in its shortest form \[MQTT-1.5.5-1\].
    VariableByteInteger,
    /// A field or section reaches past the end of what encloses it.
    Truncated,
    /// Bytes are left over when everything is read.
    TrailingBytes,
    /// A UTF-8 Encoded String breaks its rules.
    Text(TextError),
    /// A Topic Name, Topic Filter or Response Topic breaks its rules.
    Topic(TopicError),
    /// A Packet Identifier of 0 \[MQTT-2.2.1-4\].
    PacketIdZero,
    /// QoS 3.
    QoS,
    /// DUP set on a QoS 0 PUBLISH \[MQTT-3.3.1-2\].
    DupWithQoS0,
    /// A reserved bit or value is in use.
    Reserved(&'static str),
    /// A Reason Code that this packet can't carry.
    ReasonCode(u8),
    /// A Property Identifier that doesn't exist.
    UnknownProperty(u32),
    /// A property that doesn't belong in this packet.
    PropertyNotAllowed(PropertyId),
    /// A property that may stand once stands twice.
    DuplicateProperty(PropertyId),
    /// A property with a value outside its range.
    PropertyValue(PropertyId),
    /// No Topic Name and no Topic Alias either.
    NoTopic,
    /// SUBSCRIBE or UNSUBSCRIBE without a Topic Filter, or their answers without a Reason Code.
    EmptyPayload,
    /// Larger than the Maximum Packet Size that this side announced.
    TooLarge { size: usize, maximum: usize },
    /// Not a protocol name and level that this codec knows.
    ProtocolVersion,
    /// Fields that exclude each other, or one without the other that it needs.
    Contradiction(&'static str),
}

impl DecodeError {
    /// Whether the packet can be read all the same, so that there is no doubt what it says.
    pub fn leaves_readable(&self) -> bool {
        let Some(packet) = self.packet else { return false };
        match self.fault {
            // From 0x80 on it says that something failed, below that something succeeded (section 2.4); but not what was granted, what
            // comes next, or whether a Server without MQTT 5.0 means its own codes.
            Fault::ReasonCode(code) => match packet {
                PacketType::Connack | PacketType::Suback => code >= 0x80,
                PacketType::Auth => false,
                _ => true,
            },
            Fault::PropertyNotAllowed(_) => true,
            Fault::PropertyValue(id) => id == PropertyId::MaximumQoS,
            Fault::DupWithQoS0 => true,
            // In MQTT 5.0 nothing can be left over there.
            Fault::TrailingBytes => packet == PacketType::Unsuback,
            Fault::Topic(error) => packet == PacketType::Publish && error == TopicError::WildcardInName,
            Fault::TooLarge { size, maximum } => size.saturating_sub(maximum) <= LARGEST_FIXED_HEADER,
            _ => false,
        }
    }

    /// The Reason Code that tells the peer what was wrong (section 4.13).
    pub fn reason(&self) -> ReasonCode {
        match self.fault {
            Fault::TooLarge { .. } => ReasonCode::PACKET_TOO_LARGE,
            Fault::PropertyValue(PropertyId::TopicAlias) => ReasonCode::TOPIC_ALIAS_INVALID,
            Fault::DuplicateProperty(_)
            | Fault::PropertyValue(_)
            | Fault::NoTopic
            | Fault::EmptyPayload
            | Fault::Contradiction(_) => ReasonCode::PROTOCOL_ERROR,
            Fault::ProtocolVersion => ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            Fault::UnknownType
            | Fault::Flags
            | Fault::VariableByteInteger
            | Fault::Truncated
            | Fault::TrailingBytes
            | Fault::Text(_)
            | Fault::Topic(_)
            | Fault::PacketIdZero
            | Fault::QoS
            | Fault::DupWithQoS0
            | Fault::Reserved(_)
            | Fault::ReasonCode(_)
            | Fault::UnknownProperty(_)
            | Fault::PropertyNotAllowed(_) => ReasonCode::MALFORMED_PACKET,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.packet.map_or("a packet", PacketType::name);
        write!(f, "{name}: ")?;
        match self.fault {
            Fault::UnknownType => f.write_str("no such packet type in this protocol version"),
            Fault::Flags => f.write_str("invalid flags in the Fixed Header"),
            Fault::VariableByteInteger => f.write_str("invalid Variable Byte Integer"),
            Fault::Truncated => f.write_str("a field reaches past the end of its section"),
            Fault::TrailingBytes => f.write_str("bytes are left over after the last field"),
            Fault::Text(error) => error.fmt(f),
            Fault::Topic(error) => write!(f, "invalid topic: {error}"),
            Fault::PacketIdZero => f.write_str("Packet Identifier 0"),
            Fault::QoS => f.write_str("QoS 3"),
            Fault::DupWithQoS0 => f.write_str("DUP is set on QoS 0"),
            Fault::Reserved(what) => write!(f, "{what} is reserved"),
            Fault::ReasonCode(code) => write!(f, "Reason Code 0x{code:02X} doesn't belong in it"),
            Fault::UnknownProperty(id) => write!(f, "unknown property 0x{id:02X}"),
            Fault::PropertyNotAllowed(id) => write!(f, "the property {} doesn't belong in it", id.name()),
            Fault::DuplicateProperty(id) => write!(f, "the property {} stands twice", id.name()),
            Fault::PropertyValue(id) => write!(f, "the property {} has a value outside its range", id.name()),
            Fault::NoTopic => f.write_str("neither Topic Name nor Topic Alias"),
            Fault::EmptyPayload => f.write_str("the payload is empty"),
            Fault::TooLarge { size, maximum } => {
                write!(f, "{size} bytes are more than the Maximum Packet Size of {maximum}")
            }
            Fault::ProtocolVersion => f.write_str("unknown protocol name or level"),
            Fault::Contradiction(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A packet of ours that can't be put on the wire. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// Larger than the peer's Maximum Packet Size, or than the 268,435,455 bytes that a Remaining Length can say.
    TooLarge { size: usize, maximum: usize },
    /// A field of more than 65,535 bytes.
    FieldTooLong(&'static str),
    /// A field whose text can't be a UTF-8 Encoded String.
    Text(&'static str, TextError),
    /// A property that doesn't belong in this packet, or stands twice.
    Property(PropertyError),
    /// The packet doesn't exist in this protocol version.
    NotInThisVersion(PacketType),
    /// A Reason Code that this packet can't carry.
    ReasonCode(ReasonCode),
    /// A PUBLISH of this QoS needs a Packet Identifier, or can't have one.
    PacketId(QoS),
    /// SUBSCRIBE or UNSUBSCRIBE without a Topic Filter.
    EmptyPayload,
    /// Fields that exclude each other, or one without the other that it needs.
    Contradiction(&'static str),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::TooLarge { size, maximum } => {
                write!(f, "the packet has {size} bytes, the limit is {maximum}")
            }
            EncodeError::FieldTooLong(what) => write!(f, "{what} is longer than 65,535 bytes"),
            EncodeError::Text(what, error) => write!(f, "{what}: {error}"),
            EncodeError::Property(error) => error.fmt(f),
            EncodeError::NotInThisVersion(packet) => write!(f, "{} doesn't exist in MQTT 3.1.1", packet.name()),
            EncodeError::ReasonCode(code) => write!(f, "the Reason Code {code} doesn't belong here"),
            EncodeError::PacketId(qos) => write!(f, "Packet Identifier and QoS {} don't go together", *qos as u8),
            EncodeError::EmptyPayload => f.write_str("there is no Topic Filter"),
            EncodeError::Contradiction(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for EncodeError {}
