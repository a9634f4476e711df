//! Properties (section 2.2.2): one table that drives decoding, encoding and validation.
//!
//! Sets of properties are [`Properties`], which borrows, and [`PropertiesBuf`], which is put together.

mod building;
mod checked;

pub use building::{PropertiesBuf, PropertyError};
pub use checked::Properties;

use super::error::Fault;
use super::reader::Reader;
use super::varint;
use crate::types::PacketType;

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

#[inline(always)]
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
