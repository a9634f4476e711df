//! Control Packets to bytes and back: all 15, MQTT 5.0 and 3.1.1, in both directions.
//!
//! A packet is a view: decoding borrows from the received bytes and copies no topic, payload or property; the same type
//! is what gets encoded. Decoding is incremental and never allocates by a length that a peer announced. Absent on
//! purpose: everything that needs memory of earlier packets (`session`).

pub mod ack;
pub mod buffers;
pub mod connack;
pub mod connect;
pub mod disconnect;
pub mod error;
pub mod message;
pub mod property;
pub mod publish;
mod reader;
mod reasons;
pub mod subscribe;
pub mod unsubscribe;
pub mod varint;
mod writer;

use crate::types::{PacketType, ProtocolVersion};
use ack::Ack;
use connack::Connack;
use connect::Connect;
use disconnect::{Auth, Disconnect};
use error::{DecodeError, EncodeError, Fault};
use publish::Publish;
use reader::Reader;
use std::num::NonZeroU16;
use subscribe::{Suback, Subscribe};
use unsubscribe::{Unsuback, Unsubscribe};

/// The largest packet that the Fixed Header can announce, in bytes: the Remaining Length and five bytes before it.
pub const LARGEST_PACKET: usize = varint::MAX as usize + 5;

/// A Packet Identifier: never 0 \[MQTT-2.2.1-3\].
pub type PacketId = NonZeroU16;

/// A Control Packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    Connect(Connect<'a>),
    Connack(Connack<'a>),
    Publish(Publish<'a>),
    Puback(Ack<'a>),
    Pubrec(Ack<'a>),
    Pubrel(Ack<'a>),
    Pubcomp(Ack<'a>),
    Subscribe(Subscribe<'a>),
    Suback(Suback<'a>),
    Unsubscribe(Unsubscribe<'a>),
    Unsuback(Unsuback<'a>),
    Pingreq,
    Pingresp,
    Disconnect(Disconnect<'a>),
    Auth(Auth<'a>),
}

impl Packet<'_> {
    pub fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::Connack(_) => PacketType::Connack,
            Packet::Publish(_) => PacketType::Publish,
            Packet::Puback(_) => PacketType::Puback,
            Packet::Pubrec(_) => PacketType::Pubrec,
            Packet::Pubrel(_) => PacketType::Pubrel,
            Packet::Pubcomp(_) => PacketType::Pubcomp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::Suback(_) => PacketType::Suback,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::Unsuback(_) => PacketType::Unsuback,
            Packet::Pingreq => PacketType::Pingreq,
            Packet::Pingresp => PacketType::Pingresp,
            Packet::Disconnect(_) => PacketType::Disconnect,
            Packet::Auth(_) => PacketType::Auth,
        }
    }
}

/// What [`decode`] found at the start of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// The packet is not complete. `total` is its size in bytes once the Fixed Header is there.
    NeedMore { total: Option<usize> },
    /// A packet, and how many bytes it took.
    Packet { packet: Packet<'a>, used: usize },
}

/// Decodes the packet at the start of `bytes`.
///
/// `maximum` is the Maximum Packet Size in bytes that this side announced: a larger packet is refused as soon as its
/// Fixed Header says so, before it is buffered \[MQTT-3.1.2-24\].
pub fn decode(bytes: &[u8], version: ProtocolVersion, maximum: usize) -> Result<Decoded<'_>, DecodeError> {
    decode_packet(bytes, version, maximum, false)
}

/// As [`decode`], of a packet that it refuses for a fault that [leaves it readable](DecodeError::leaves_readable).
pub fn decode_faulty(bytes: &[u8], version: ProtocolVersion, maximum: usize) -> Result<Decoded<'_>, DecodeError> {
    decode_packet(bytes, version, maximum, true)
}

#[inline]
fn decode_packet(
    bytes: &[u8],
    version: ProtocolVersion,
    maximum: usize,
    lenient: bool,
) -> Result<Decoded<'_>, DecodeError> {
    let Some(&first) = bytes.first() else {
        return Ok(Decoded::NeedMore { total: None });
    };
    let packet_type = PacketType::from_u8(first >> 4)
        .filter(|packet| *packet != PacketType::Auth || version == ProtocolVersion::V5)
        .ok_or(DecodeError { packet: None, fault: Fault::UnknownType })?;
    let fail = |fault| DecodeError { packet: Some(packet_type), fault };
    let flags = first & 0x0F;
    if packet_type != PacketType::Publish && flags != required_flags(packet_type) {
        return Err(fail(Fault::Flags));
    }
    let Some((remaining, width)) = varint::decode(&bytes[1..]).map_err(fail)? else {
        return Ok(Decoded::NeedMore { total: None });
    };
    let total = 1 + width + remaining as usize;
    if total > maximum {
        let error = fail(Fault::TooLarge { size: total, maximum });
        if !lenient || !error.leaves_readable() {
            return Err(error);
        }
    }
    let Some(body) = bytes.get(1 + width..total) else {
        return Ok(Decoded::NeedMore { total: Some(total) });
    };
    let reader = if lenient { Reader::lenient(packet_type, body) } else { Reader::new(body) };
    let packet = decode_body(packet_type, flags, reader, version).map_err(fail)?;
    Ok(Decoded::Packet { packet, used: total })
}

/// The Packet Identifier of a SUBACK or UNSUBACK that can't be decoded, if it can be read.
pub fn request_of_malformed(error: &DecodeError, bytes: &[u8]) -> Option<PacketId> {
    let is_answer = matches!(error.packet, Some(PacketType::Suback | PacketType::Unsuback));
    let (_, width) = varint::decode(bytes.get(1..)?).ok().flatten().filter(|_| is_answer)?;
    Reader::new(bytes.get(1 + width..)?).packet_id().ok()
}

/// The Fixed Header flags of every type but PUBLISH, whose flags say something (section 2.1.3).
const fn required_flags(packet: PacketType) -> u8 {
    match packet {
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
        _ => 0,
    }
}

fn decode_body<'a>(
    packet: PacketType,
    flags: u8,
    mut reader: Reader<'a>,
    version: ProtocolVersion,
) -> Result<Packet<'a>, Fault> {
    let decoded = match packet {
        PacketType::Connect => Packet::Connect(Connect::decode(&mut reader)?),
        PacketType::Connack => Packet::Connack(Connack::decode(&mut reader, version)?),
        PacketType::Publish => Packet::Publish(Publish::decode(flags, &mut reader, version)?),
        PacketType::Puback => Packet::Puback(Ack::decode(packet, &mut reader, version)?),
        PacketType::Pubrec => Packet::Pubrec(Ack::decode(packet, &mut reader, version)?),
        PacketType::Pubrel => Packet::Pubrel(Ack::decode(packet, &mut reader, version)?),
        PacketType::Pubcomp => Packet::Pubcomp(Ack::decode(packet, &mut reader, version)?),
        PacketType::Subscribe => Packet::Subscribe(Subscribe::decode(&mut reader, version)?),
        PacketType::Suback => Packet::Suback(Suback::decode(&mut reader, version)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::decode(&mut reader, version)?),
        PacketType::Unsuback => Packet::Unsuback(Unsuback::decode(&mut reader, version)?),
        PacketType::Pingreq => Packet::Pingreq,
        PacketType::Pingresp => Packet::Pingresp,
        PacketType::Disconnect => Packet::Disconnect(Disconnect::decode(&mut reader, version)?),
        PacketType::Auth => Packet::Auth(Auth::decode(&mut reader)?),
    };
    reader.end()?;
    Ok(decoded)
}

/// Appends the packet to `out`.
///
/// `maximum` is the Maximum Packet Size in bytes that the peer announced \[MQTT-3.2.2-15\]. After an error `out` is as it
/// was.
pub fn encode(
    packet: &Packet<'_>,
    version: ProtocolVersion,
    maximum: usize,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let packet_type = packet.packet_type();
    let first = (packet_type as u8) << 4 | required_flags(packet_type);
    match packet {
        Packet::Publish(publish) => publish.encode(None, version, maximum, out),
        Packet::Connect(connect) => writer::packet(first, maximum, out, |out| connect.encode(out)),
        Packet::Connack(connack) => writer::packet(first, maximum, out, |out| connack.encode(version, out)),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            writer::packet(first, maximum, out, |out| ack.encode(packet_type, version, out))
        }
        Packet::Subscribe(subscribe) => writer::packet(first, maximum, out, |out| subscribe.encode(version, out)),
        Packet::Suback(suback) => writer::packet(first, maximum, out, |out| suback.encode(version, out)),
        Packet::Unsubscribe(unsubscribe) => writer::packet(first, maximum, out, |out| unsubscribe.encode(version, out)),
        Packet::Unsuback(unsuback) => writer::packet(first, maximum, out, |out| unsuback.encode(version, out)),
        Packet::Pingreq | Packet::Pingresp => writer::packet(first, maximum, out, |_| Ok(())),
        Packet::Disconnect(disconnect) => writer::packet(first, maximum, out, |out| disconnect.encode(version, out)),
        Packet::Auth(_) if version == ProtocolVersion::V311 => Err(EncodeError::NotInThisVersion(PacketType::Auth)),
        Packet::Auth(auth) => writer::packet(first, maximum, out, |out| auth.encode(out)),
    }
}

/// As [`encode`], of a PUBLISH in MQTT 5.0 to which the Topic Alias is added, without a copy of its properties.
pub fn encode_with_alias(
    publish: &Publish<'_>,
    alias: NonZeroU16,
    maximum: usize,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    publish.encode(Some(alias), ProtocolVersion::V5, maximum, out)
}
