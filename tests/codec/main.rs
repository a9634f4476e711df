//! The codec against byte vectors that were written by hand from the standard.
//!
//! Nothing here is computed by the code under test: framing, the tables of properties and Reason Codes, and what a packet
//! means stand a second time in these files. Each case names the statement that it proves. Random packets and bytes are
//! in codec_roundtrip.

mod encoding;
mod fields;
mod framing;
mod good;
mod properties;
mod property_sets;
mod reasons;
mod standard;
mod text;

use mt5mqtt::codec::error::Fault;
use mt5mqtt::codec::{Decoded, Packet, PacketId, decode, encode};
use mt5mqtt::types::ProtocolVersion;
use mt5mqtt::types::reason::ReasonCode;

const V5: ProtocolVersion = ProtocolVersion::V5;
const V311: ProtocolVersion = ProtocolVersion::V311;
const NO_LIMIT: usize = usize::MAX;

fn id(id: u16) -> PacketId {
    PacketId::new(id).expect("a Packet Identifier is not 0")
}

/// A Variable Byte Integer (section 1.5.5).
fn variable_byte_integer(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push((value % 128 + 128) as u8);
        value /= 128;
    }
    bytes.push(value as u8);
    bytes
}

/// A field with its length in two bytes before it (sections 1.5.4 and 1.5.6).
fn field(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a field has at most 65,535 bytes");
    [&length.to_be_bytes(), content].concat()
}

/// A section of properties with its length before it (section 2.2.2).
fn section(properties: &[u8]) -> Vec<u8> {
    [&variable_byte_integer(properties.len()), properties].concat()
}

/// The parts of a packet behind its Fixed Header (section 2.1).
fn framed(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[first], variable_byte_integer(body.len()).as_slice(), &body].concat()
}

/// The packet that `bytes` are.
#[track_caller]
fn accepted<'a>(case: &str, version: ProtocolVersion, bytes: &'a [u8]) -> Packet<'a> {
    match decode(bytes, version, NO_LIMIT) {
        Ok(Decoded::Packet { packet, used }) => {
            assert_eq!(used, bytes.len(), "{case}: {bytes:02X?}");
            packet
        }
        other => panic!("{case}: {bytes:02X?} gave {other:?}"),
    }
}

/// Why `bytes` are refused, once the Reason Code has been checked.
#[track_caller]
fn refused(case: &str, version: ProtocolVersion, bytes: &[u8], reason: ReasonCode) -> Fault {
    match decode(bytes, version, NO_LIMIT) {
        Err(error) => {
            assert_eq!(error.reason(), reason, "{case}: {error}; {bytes:02X?}");
            error.fault
        }
        Ok(other) => panic!("{case}: {bytes:02X?} gave {other:?}"),
    }
}

#[track_caller]
fn encoded(case: &str, version: ProtocolVersion, packet: &Packet<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Err(error) = encode(packet, version, NO_LIMIT, &mut out) {
        panic!("{case}: {error}; {packet:?}");
    }
    out
}
