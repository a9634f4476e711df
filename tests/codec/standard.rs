//! The standard's properties once more, in another order than the code has them: by the section of the standard that
//! lists the properties of a packet, and with one valid value each, as bytes.

use crate::{field, framed, section};
use mt5mqtt::codec::property::{Section, Value};
use mt5mqtt::types::PacketType;

/// Every place where properties can stand, with the Property Identifiers that its section lists.
pub const SECTIONS: [(Section, &[u8]); 14] = [
    // 3.1.2.11
    (Section::Packet(PacketType::Connect), &[0x11, 0x21, 0x27, 0x22, 0x19, 0x17, 0x26, 0x15, 0x16]),
    // 3.1.3.2
    (Section::Will, &[0x18, 0x01, 0x02, 0x03, 0x08, 0x09, 0x26]),
    // 3.2.2.3
    (
        Section::Packet(PacketType::Connack),
        &[0x11, 0x21, 0x24, 0x25, 0x27, 0x12, 0x22, 0x1F, 0x26, 0x28, 0x29, 0x2A, 0x13, 0x1A, 0x1C, 0x15, 0x16],
    ),
    // 3.3.2.3
    (Section::Packet(PacketType::Publish), &[0x01, 0x02, 0x23, 0x08, 0x09, 0x26, 0x0B, 0x03]),
    // 3.4.2.2, 3.5.2.2, 3.6.2.2, 3.7.2.2
    (Section::Packet(PacketType::Puback), &[0x1F, 0x26]),
    (Section::Packet(PacketType::Pubrec), &[0x1F, 0x26]),
    (Section::Packet(PacketType::Pubrel), &[0x1F, 0x26]),
    (Section::Packet(PacketType::Pubcomp), &[0x1F, 0x26]),
    // 3.8.2.1
    (Section::Packet(PacketType::Subscribe), &[0x0B, 0x26]),
    // 3.9.2.1
    (Section::Packet(PacketType::Suback), &[0x1F, 0x26]),
    // 3.10.2.1
    (Section::Packet(PacketType::Unsubscribe), &[0x26]),
    // 3.11.2.1
    (Section::Packet(PacketType::Unsuback), &[0x1F, 0x26]),
    // 3.14.2.2
    (Section::Packet(PacketType::Disconnect), &[0x11, 0x1F, 0x26, 0x1C]),
    // 3.15.2.2
    (Section::Packet(PacketType::Auth), &[0x15, 0x16, 0x1F, 0x26]),
];

/// All 27 properties of section 2.2.2.2: identifier, a valid value as bytes, and what it means.
pub const PROPERTIES: [(u8, &[u8], Value<'static>); 27] = [
    (0x01, b"\x01", Value::Int(1)),
    (0x02, b"\x00\x01\x00\x00", Value::Int(65_536)),
    (0x03, b"\x00\x02tx", Value::Text("tx")),
    (0x08, b"\x00\x03r/s", Value::Text("r/s")),
    (0x09, b"\x00\x02\x00\xFF", Value::Binary(&[0, 255])),
    (0x0B, b"\x80\x01", Value::Int(128)),
    (0x11, b"\xFF\xFF\xFF\xFF", Value::Int(u32::MAX)),
    (0x12, b"\x00\x02id", Value::Text("id")),
    (0x13, b"\x00\x3C", Value::Int(60)),
    (0x15, b"\x00\x01m", Value::Text("m")),
    (0x16, b"\x00\x01\x00", Value::Binary(&[0])),
    (0x17, b"\x00", Value::Int(0)),
    (0x18, b"\x00\x00\x00\x05", Value::Int(5)),
    (0x19, b"\x01", Value::Int(1)),
    (0x1A, b"\x00\x01i", Value::Text("i")),
    (0x1C, b"\x00\x01s", Value::Text("s")),
    (0x1F, b"\x00\x02no", Value::Text("no")),
    (0x21, b"\x00\x01", Value::Int(1)),
    (0x22, b"\x00\x00", Value::Int(0)),
    (0x23, b"\xFF\xFF", Value::Int(65_535)),
    (0x24, b"\x00", Value::Int(0)),
    (0x25, b"\x00", Value::Int(0)),
    (0x26, b"\x00\x01k\x00\x02vv", Value::Pair("k", "vv")),
    (0x27, b"\x00\x00\x00\x01", Value::Int(1)),
    (0x28, b"\x01", Value::Int(1)),
    (0x29, b"\x01", Value::Int(1)),
    (0x2A, b"\x01", Value::Int(1)),
];

/// One property as bytes.
pub fn property(wanted: u8) -> Vec<u8> {
    let (code, value, _) = PROPERTIES.iter().find(|(code, ..)| *code == wanted).expect("a property of the standard");
    [&[*code], *value].concat()
}

/// What must stand beside a property for its packet to be valid: Authentication Data needs a method (3.1.2.11.10), and
/// AUTH always has one (3.15.2.2.2).
pub fn companion(place: Section, code: u8) -> Vec<u8> {
    match (place, code) {
        (_, 0x15) => vec![],
        (Section::Packet(PacketType::Auth), _) | (Section::Packet(PacketType::Connect), 0x16) => property(0x15),
        _ => vec![],
    }
}

/// What ends the PUBLISH made by [`packet_around`].
pub const PAYLOAD: &[u8] = b"PAYLOAD";

/// A packet with these properties at this place.
pub fn packet_with(place: Section, properties: &[u8]) -> Vec<u8> {
    packet_around(place, &section(properties))
}

/// A packet with these bytes where Property Length and properties belong.
pub fn packet_around(place: Section, section: &[u8]) -> Vec<u8> {
    match place {
        Section::Packet(PacketType::Connect) => framed(0x10, &[b"\x00\x04MQTT\x05\x02\x00\x3C", section, &field(b"c")]),
        Section::Will => {
            framed(0x10, &[b"\x00\x04MQTT\x05\x06\x00\x3C\x00", &field(b"c"), section, &field(b"w"), &field(b"bye")])
        }
        Section::Packet(PacketType::Connack) => framed(0x20, &[&[0, 0], section]),
        Section::Packet(PacketType::Publish) => framed(0x32, &[&field(b"a/b"), &[0, 1], section, PAYLOAD]),
        Section::Packet(PacketType::Puback) => framed(0x40, &[&[0, 1, 0], section]),
        Section::Packet(PacketType::Pubrec) => framed(0x50, &[&[0, 1, 0], section]),
        Section::Packet(PacketType::Pubrel) => framed(0x62, &[&[0, 1, 0], section]),
        Section::Packet(PacketType::Pubcomp) => framed(0x70, &[&[0, 1, 0], section]),
        Section::Packet(PacketType::Subscribe) => framed(0x82, &[&[0, 1], section, &field(b"a"), &[0]]),
        Section::Packet(PacketType::Suback) => framed(0x90, &[&[0, 1], section, &[0]]),
        Section::Packet(PacketType::Unsubscribe) => framed(0xA2, &[&[0, 1], section, &field(b"a")]),
        Section::Packet(PacketType::Unsuback) => framed(0xB0, &[&[0, 1], section, &[0]]),
        Section::Packet(PacketType::Disconnect) => framed(0xE0, &[&[0], section]),
        Section::Packet(PacketType::Auth) => framed(0xF0, &[&[0x18], section]),
        Section::Packet(PacketType::Pingreq | PacketType::Pingresp) => panic!("{place:?} has no properties"),
    }
}
