//! Properties (section 2.2.2): one table that drives decoding, encoding and validation.
//!
//! A set of properties is kept as the bytes of the wire, checked once when it is made. So order and repetition are kept,
//! nothing is copied to read it, and passing it on costs one `memcpy`.

use super::error::{EncodeError, Fault};
use super::reader::Reader;
use super::varint;
use crate::types::PacketType;
use crate::types::text::{self, TextError};
use crate::types::topic::{TopicError, TopicName};
use std::fmt;

/// Where a set of properties stands: in a packet, or with the Will Message in CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Packet(PacketType),
    Will,
}

impl Section {
    const fn bit(self) -> u16 {
        match self {
            // Packet types start at 1, which leaves bit 0.
            Section::Will => 1,
            Section::Packet(packet) => packet.bit(),
        }
    }
}

/// The type of a property's value on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Byte,
    TwoByteInteger,
    FourByteInteger,
    VariableByteInteger,
    Text,
    Binary,
    TextPair,
}

/// The value of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Int(u32),
    Text(&'a str),
    Binary(&'a [u8]),
    Pair(&'a str, &'a str),
}

struct Row {
    name: &'static str,
    kind: Kind,
    sections: u16,
    repeats: bool,
    /// Range of the integer kinds.
    range: (u32, u32),
}

/// Makes the enum and the table from the same rows.
macro_rules! properties {
    ($($variant:ident = $code:literal, $name:literal, $kind:ident, $sections:expr, $repeats:literal, $range:expr;)*) => {
        /// The Property Identifiers of section 2.2.2.2.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum PropertyId { $($variant = $code,)* }

        impl PropertyId {
            pub const ALL: &'static [PropertyId] = &[$(PropertyId::$variant,)*];

            pub const fn from_u32(code: u32) -> Option<PropertyId> {
                match code { $($code => Some(PropertyId::$variant),)* _ => None }
            }

            const fn row(self) -> &'static Row {
                match self {
                    $(PropertyId::$variant => &Row {
                        name: $name, kind: Kind::$kind,
                        sections: $sections, repeats: $repeats, range: $range,
                    },)*
                }
            }
        }
    };
}

const WILL: u16 = Section::Will.bit();
const CONNECT: u16 = PacketType::Connect.bit();
const CONNACK: u16 = PacketType::Connack.bit();
const PUBLISH: u16 = PacketType::Publish.bit();
const ACKS: u16 =
    PacketType::Puback.bit() | PacketType::Pubrec.bit() | PacketType::Pubrel.bit() | PacketType::Pubcomp.bit();
const SUBSCRIBE: u16 = PacketType::Subscribe.bit();
const UNSUBSCRIBE: u16 = PacketType::Unsubscribe.bit();
const SUBACKS: u16 = PacketType::Suback.bit() | PacketType::Unsuback.bit();
const DISCONNECT: u16 = PacketType::Disconnect.bit();
const AUTH: u16 = PacketType::Auth.bit();
const ANY: (u32, u32) = (0, u32::MAX);
const FLAG: (u32, u32) = (0, 1);

properties! {
    PayloadFormatIndicator = 0x01, "Payload Format Indicator", Byte, PUBLISH | WILL, false, FLAG;
    MessageExpiryInterval = 0x02, "Message Expiry Interval", FourByteInteger, PUBLISH | WILL, false, ANY;
    ContentType = 0x03, "Content Type", Text, PUBLISH | WILL, false, ANY;
    ResponseTopic = 0x08, "Response Topic", Text, PUBLISH | WILL, false, ANY;
    CorrelationData = 0x09, "Correlation Data", Binary, PUBLISH | WILL, false, ANY;
    SubscriptionIdentifier = 0x0B, "Subscription Identifier", VariableByteInteger, PUBLISH | SUBSCRIBE, true, (1, varint::MAX);
    SessionExpiryInterval = 0x11, "Session Expiry Interval", FourByteInteger, CONNECT | CONNACK | DISCONNECT, false, ANY;
    AssignedClientIdentifier = 0x12, "Assigned Client Identifier", Text, CONNACK, false, ANY;
    ServerKeepAlive = 0x13, "Server Keep Alive", TwoByteInteger, CONNACK, false, (0, 65_535);
    AuthenticationMethod = 0x15, "Authentication Method", Text, CONNECT | CONNACK | AUTH, false, ANY;
    AuthenticationData = 0x16, "Authentication Data", Binary, CONNECT | CONNACK | AUTH, false, ANY;
    RequestProblemInformation = 0x17, "Request Problem Information", Byte, CONNECT, false, FLAG;
    WillDelayInterval = 0x18, "Will Delay Interval", FourByteInteger, WILL, false, ANY;
    RequestResponseInformation = 0x19, "Request Response Information", Byte, CONNECT, false, FLAG;
    ResponseInformation = 0x1A, "Response Information", Text, CONNACK, false, ANY;
    ServerReference = 0x1C, "Server Reference", Text, CONNACK | DISCONNECT, false, ANY;
    ReasonString = 0x1F, "Reason String", Text, CONNACK | ACKS | SUBACKS | DISCONNECT | AUTH, false, ANY;
    ReceiveMaximum = 0x21, "Receive Maximum", TwoByteInteger, CONNECT | CONNACK, false, (1, 65_535);
    TopicAliasMaximum = 0x22, "Topic Alias Maximum", TwoByteInteger, CONNECT | CONNACK, false, (0, 65_535);
    TopicAlias = 0x23, "Topic Alias", TwoByteInteger, PUBLISH, false, (1, 65_535);
    MaximumQoS = 0x24, "Maximum QoS", Byte, CONNACK, false, FLAG;
    RetainAvailable = 0x25, "Retain Available", Byte, CONNACK, false, FLAG;
    UserProperty = 0x26, "User Property", TextPair,
        CONNECT | CONNACK | PUBLISH | WILL | ACKS | SUBSCRIBE | SUBACKS | UNSUBSCRIBE | DISCONNECT | AUTH, true, ANY;
    MaximumPacketSize = 0x27, "Maximum Packet Size", FourByteInteger, CONNECT | CONNACK, false, (1, u32::MAX);
    WildcardSubscriptionAvailable = 0x28, "Wildcard Subscription Available", Byte, CONNACK, false, FLAG;
    SubscriptionIdentifierAvailable = 0x29, "Subscription Identifier Available", Byte, CONNACK, false, FLAG;
    SharedSubscriptionAvailable = 0x2A, "Shared Subscription Available", Byte, CONNACK, false, FLAG;
}

impl PropertyId {
    /// The standard's name.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    pub const fn kind(self) -> Kind {
        self.row().kind
    }

    /// The range of an integer property.
    pub const fn range(self) -> (u32, u32) {
        self.row().range
    }

    pub const fn allowed_in(self, section: Section) -> bool {
        self.row().sections & section.bit() != 0
    }

    /// Whether it may stand more than once. The Subscription Identifier may in PUBLISH only.
    pub fn repeats_in(self, section: Section) -> bool {
        self.row().repeats
            && !(self == PropertyId::SubscriptionIdentifier && section != Section::Packet(PacketType::Publish))
    }
}

fn read_value<'a>(id: PropertyId, reader: &mut Reader<'a>) -> Result<Value<'a>, Fault> {
    Ok(match id.kind() {
        Kind::Byte => Value::Int(reader.u8()?.into()),
        Kind::TwoByteInteger => Value::Int(reader.u16()?.into()),
        Kind::FourByteInteger => Value::Int(reader.u32()?),
        Kind::VariableByteInteger => Value::Int(reader.varint()?),
        Kind::Text => Value::Text(reader.text()?),
        Kind::Binary => Value::Binary(reader.binary()?),
        Kind::TextPair => Value::Pair(reader.text()?, reader.text()?),
    })
}

/// A set of properties that has been checked, as its bytes on the wire without the Property Length.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Properties<'a> {
    bytes: &'a [u8],
}

impl<'a> Properties<'a> {
    pub const EMPTY: Properties<'static> = Properties { bytes: &[] };

    /// Reads the Property Length and exactly that many bytes, and checks them for `section`.
    pub(super) fn decode(reader: &mut Reader<'a>, section: Section) -> Result<Self, Fault> {
        let length = reader.varint()?;
        Self::check(reader.take(length as usize)?, section)
    }

    fn check(bytes: &'a [u8], section: Section) -> Result<Self, Fault> {
        let mut reader = Reader::new(bytes);
        let mut seen = 0u64;
        while !reader.is_empty() {
            let code = reader.varint()?;
            let id = PropertyId::from_u32(code).ok_or(Fault::UnknownProperty(code))?;
            if !id.allowed_in(section) {
                return Err(Fault::PropertyNotAllowed(id));
            }
            let bit = 1 << id as u64;
            if seen & bit != 0 && !id.repeats_in(section) {
                return Err(Fault::DuplicateProperty(id));
            }
            seen |= bit;
            match read_value(id, &mut reader)? {
                Value::Int(value) if value < id.range().0 || value > id.range().1 => {
                    return Err(Fault::PropertyValue(id));
                }
                Value::Text(topic) if id == PropertyId::ResponseTopic => {
                    TopicName::new(topic).map_err(Fault::Topic)?;
                }
                _ => {}
            }
        }
        Ok(Properties { bytes })
    }

    /// The set in `bytes`, which were taken from a checked set by [`Properties::as_bytes`].
    pub(crate) fn from_checked(bytes: &'a [u8]) -> Self {
        Properties { bytes }
    }

    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The properties in their order.
    pub fn iter(self) -> impl Iterator<Item = (PropertyId, Value<'a>)> {
        let mut reader = Reader::new(self.bytes);
        std::iter::from_fn(move || {
            if reader.is_empty() {
                return None;
            }
            let id = PropertyId::from_u32(reader.varint().ok()?)?;
            let value = read_value(id, &mut reader).ok()?;
            Some((id, value))
        })
    }

    /// The occurrence number `index` (from 0) of a property.
    pub fn nth(self, wanted: PropertyId, index: usize) -> Option<Value<'a>> {
        self.iter().filter(|(id, _)| *id == wanted).nth(index).map(|(_, value)| value)
    }

    pub fn int(self, id: PropertyId) -> Option<u32> {
        match self.nth(id, 0)? {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    pub fn text(self, id: PropertyId) -> Option<&'a str> {
        match self.nth(id, 0)? {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }

    pub fn binary(self, id: PropertyId) -> Option<&'a [u8]> {
        match self.nth(id, 0)? {
            Value::Binary(value) => Some(value),
            _ => None,
        }
    }

    /// The first property that can't stand in `section`, and why.
    pub fn check_for(self, section: Section) -> Result<(), PropertyError> {
        let mut seen = 0u64;
        for (id, _) in self.iter() {
            if !id.allowed_in(section) {
                return Err(PropertyError::NotAllowed(id));
            }
            let bit = 1 << id as u64;
            if seen & bit != 0 && !id.repeats_in(section) {
                return Err(PropertyError::Twice(id));
            }
            seen |= bit;
        }
        Ok(())
    }

    pub(super) fn encoded_size(self) -> usize {
        varint::size(self.bytes.len() as u32) + self.bytes.len()
    }

    /// Appends the Property Length and the properties.
    pub(super) fn encode(self, section: Section, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.check_for(section).map_err(EncodeError::Property)?;
        if self.bytes.len() > varint::MAX as usize {
            return Err(EncodeError::TooLarge { size: self.bytes.len(), maximum: varint::MAX as usize });
        }
        varint::encode(self.bytes.len() as u32, out);
        out.extend_from_slice(self.bytes);
        Ok(())
    }
}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (id, value) in self.iter() {
            match id {
                // Secrets don't belong in any log.
                PropertyId::AuthenticationData => map.entry(&id, &"…"),
                _ => map.entry(&id, &value),
            };
        }
        map.finish()
    }
}

/// Why a property can't be added to a set, or a set not be used in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyError {
    Unknown(u32),
    WrongKind(PropertyId),
    OutOfRange(PropertyId),
    Text(PropertyId, TextError),
    TooLong(PropertyId),
    Topic(TopicError),
    NotAllowed(PropertyId),
    Twice(PropertyId),
}

impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PropertyError::Unknown(code) => write!(f, "there is no property {code}"),
            PropertyError::WrongKind(id) => {
                write!(f, "the property {} is of another type ({:?})", id.name(), id.kind())
            }
            PropertyError::OutOfRange(id) => {
                write!(f, "the property {} takes {} to {}", id.name(), id.range().0, id.range().1)
            }
            PropertyError::Text(id, error) => write!(f, "the property {}: {error}", id.name()),
            PropertyError::TooLong(id) => write!(f, "the property {} is longer than 65,535 bytes", id.name()),
            PropertyError::Topic(error) => write!(f, "the Response Topic is no Topic Name: {error}"),
            PropertyError::NotAllowed(id) => write!(f, "the property {} doesn't belong here", id.name()),
            PropertyError::Twice(id) => write!(f, "the property {} can stand here only once", id.name()),
        }
    }
}

/// A set of properties that is being put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PropertiesBuf {
    bytes: Vec<u8>,
}

impl PropertiesBuf {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    pub fn as_properties(&self) -> Properties<'_> {
        Properties { bytes: &self.bytes }
    }

    /// Replaces the property, or adds it if it is not there.
    pub fn set(&mut self, id: PropertyId, value: Value<'_>) -> Result<(), PropertyError> {
        check_value(id, value)?;
        self.remove(id);
        self.append(id, value);
        Ok(())
    }

    /// Adds one more occurrence. Whether a packet takes it is checked when the set is used.
    pub fn add(&mut self, id: PropertyId, value: Value<'_>) -> Result<(), PropertyError> {
        check_value(id, value)?;
        self.append(id, value);
        Ok(())
    }

    /// Adds all properties of `others`.
    pub fn extend(&mut self, others: Properties<'_>) {
        self.bytes.extend_from_slice(others.bytes);
    }

    /// Removes all occurrences of the property.
    pub fn remove(&mut self, unwanted: PropertyId) {
        if self.as_properties().iter().all(|(id, _)| id != unwanted) {
            return;
        }
        let old = std::mem::take(&mut self.bytes);
        for (id, value) in Properties::from_checked(&old).iter().filter(|(id, _)| *id != unwanted) {
            self.append(id, value);
        }
    }

    fn append(&mut self, id: PropertyId, value: Value<'_>) {
        let out = &mut self.bytes;
        out.push(id as u8);
        match (value, id.kind()) {
            (Value::Int(value), Kind::Byte) => out.push(value as u8),
            (Value::Int(value), Kind::TwoByteInteger) => out.extend_from_slice(&(value as u16).to_be_bytes()),
            (Value::Int(value), Kind::FourByteInteger) => out.extend_from_slice(&value.to_be_bytes()),
            (Value::Int(value), _) => varint::encode(value, out),
            (Value::Text(text), _) => append_field(text.as_bytes(), out),
            (Value::Binary(bytes), _) => append_field(bytes, out),
            (Value::Pair(name, value), _) => {
                append_field(name.as_bytes(), out);
                append_field(value.as_bytes(), out);
            }
        }
    }
}

impl From<Properties<'_>> for PropertiesBuf {
    fn from(properties: Properties<'_>) -> Self {
        PropertiesBuf { bytes: properties.bytes.to_vec() }
    }
}

fn append_field(field: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(field.len() as u16).to_be_bytes());
    out.extend_from_slice(field);
}

fn check_value(id: PropertyId, value: Value<'_>) -> Result<(), PropertyError> {
    let check_text = |value| text::check(value).map_err(|error| PropertyError::Text(id, error));
    match (value, id.kind()) {
        (Value::Int(value), Kind::Byte | Kind::TwoByteInteger | Kind::FourByteInteger | Kind::VariableByteInteger) => {
            let (low, high) = id.range();
            if value < low || value > high { Err(PropertyError::OutOfRange(id)) } else { Ok(()) }
        }
        (Value::Text(value), Kind::Text) => {
            check_text(value)?;
            if id == PropertyId::ResponseTopic {
                TopicName::new(value).map_err(PropertyError::Topic)?;
            }
            Ok(())
        }
        (Value::Binary(value), Kind::Binary) if value.len() > text::MAX_LENGTH => Err(PropertyError::TooLong(id)),
        (Value::Binary(_), Kind::Binary) => Ok(()),
        (Value::Pair(name, value), Kind::TextPair) => {
            check_text(name)?;
            check_text(value)?;
            Ok(())
        }
        _ => Err(PropertyError::WrongKind(id)),
    }
}
