//! The Fixed Header and the ends of packets: truncated, over-long, wrong flags, lengths that can't be.

use crate::good::{Vector, vectors};
use crate::{NO_LIMIT, V5, V311, accepted, refused};
use mt5mqtt::codec::error::{DecodeError, Fault};
use mt5mqtt::codec::{Decoded, Packet, decode};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::{PacketType, QoS};

const MALFORMED: ReasonCode = ReasonCode(0x81);
const PACKET_TOO_LARGE: ReasonCode = ReasonCode(0x95);

#[test]
fn a_packet_cut_at_any_byte_needs_more_and_says_how_much() {
    for Vector { case, version, bytes, .. } in vectors() {
        let header = if bytes.len() < 130 { 2 } else { 3 };
        for cut in 0..bytes.len() {
            let total = if cut < header { None } else { Some(bytes.len()) };
            let found = decode(&bytes[..cut], version, NO_LIMIT);
            assert_eq!(found, Ok(Decoded::NeedMore { total }), "{case}, cut at {cut}");
        }
    }
}

#[test]
fn packets_follow_one_another_without_a_gap() {
    for version in [V5, V311] {
        let vectors: Vec<Vector> = vectors().into_iter().filter(|vector| vector.version == version).collect();
        let stream: Vec<u8> = vectors.iter().flat_map(|vector| vector.bytes.clone()).collect();
        let mut rest = stream.as_slice();
        for Vector { case, packet, .. } in &vectors {
            match decode(rest, version, NO_LIMIT) {
                Ok(Decoded::Packet { packet: found, used }) => {
                    assert_eq!(found, *packet, "{case}");
                    rest = &rest[used..];
                }
                other => panic!("{case}: {other:?}"),
            }
        }
        assert!(rest.is_empty());
    }
}

/// The vector with its Remaining Length made to say `change` bytes more or less, and its end made to fit.
fn resized(bytes: &[u8], change: isize, filler: u8) -> Vec<u8> {
    let mut resized = bytes.to_vec();
    resized[1] = resized[1].checked_add_signed(change as i8).expect("a Remaining Length of one byte");
    resized.resize(bytes.len().checked_add_signed(change).expect("not below the Fixed Header"), filler);
    resized
}

/// Vectors whose Remaining Length has one byte, and has it with one more.
fn short_vectors() -> impl Iterator<Item = Vector> {
    vectors().into_iter().filter(|vector| vector.bytes.len() < 2 + 127)
}

#[test]
fn a_packet_with_a_byte_too_many_is_malformed_unless_the_payload_takes_it() {
    for Vector { case, version, bytes, packet } in short_vectors() {
        // 0xFF is no Reason Code, no Property Length and no length of a Topic Filter that would follow.
        let longer = resized(&bytes, 1, 0xFF);
        if let Packet::Publish(publish) = packet {
            // The payload is the rest of the packet (section 3.3.3), so the byte belongs to it.
            let Packet::Publish(found) = accepted(case, version, &longer) else { panic!("{case}") };
            assert_eq!(found.payload, [publish.payload, &[0xFF]].concat(), "{case}");
            continue;
        }
        let fault = refused(case, version, &longer, MALFORMED);
        let expected = match packet.packet_type() {
            // Another Reason Code would follow, another Topic Filter, or what the short form left out.
            PacketType::Suback => Fault::ReasonCode(0xFF),
            PacketType::Unsuback if version == V5 => Fault::ReasonCode(0xFF),
            PacketType::Subscribe | PacketType::Unsubscribe => Fault::Truncated,
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp if version == V5 => {
                match bytes[1] {
                    2 => Fault::ReasonCode(0xFF),
                    3 => Fault::Truncated,
                    _ => Fault::TrailingBytes,
                }
            }
            PacketType::Disconnect if version == V5 => match bytes[1] {
                0 => Fault::ReasonCode(0xFF),
                1 => Fault::Truncated,
                _ => Fault::TrailingBytes,
            },
            _ => Fault::TrailingBytes,
        };
        assert_eq!(fault, expected, "{case}");
    }
}

#[test]
fn a_packet_with_bytes_too_few_is_never_the_packet() {
    for Vector { case, version, bytes, packet } in short_vectors() {
        for fewer in 1..=isize::from(bytes[1]) {
            let shorter = resized(&bytes, -fewer, 0);
            let found = decode(&shorter, version, NO_LIMIT);
            match packet.packet_type() {
                // Every field but the last has a length or a place of its own: none can be missing.
                PacketType::Connect | PacketType::Connack => {
                    let fault = refused(case, version, &shorter, MALFORMED);
                    assert_eq!(fault, Fault::Truncated, "{case}, {fewer} bytes fewer");
                }
                _ => match found {
                    Ok(Decoded::Packet { packet: other, used }) => {
                        assert_eq!(used, shorter.len(), "{case}, {fewer} bytes fewer");
                        assert_ne!(other, packet, "{case}, {fewer} bytes fewer");
                    }
                    Ok(Decoded::NeedMore { .. }) => panic!("{case}: complete as announced"),
                    Err(_) => {}
                },
            }
        }
    }
}

#[test]
fn flags_other_than_the_types_own_are_malformed_from_the_first_byte_on() {
    // MQTT-2.1.3-1, MQTT311-3.6.1-1, MQTT311-3.8.1-1, MQTT311-3.10.1-1, 5-2.1.3-a, section 2.1.3; PUBREL
    // [MQTT-3.6.1-1], SUBSCRIBE [MQTT-3.8.1-1], UNSUBSCRIBE [MQTT-3.10.1-1], DISCONNECT [MQTT-3.14.1-1], AUTH
    // [MQTT-3.15.1-1]; [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]
    let table: [(u8, u8); 14] = [
        (1, 0),
        (2, 0),
        (4, 0),
        (5, 0),
        (6, 2),
        (7, 0),
        (8, 2),
        (9, 0),
        (10, 2),
        (11, 0),
        (12, 0),
        (13, 0),
        (14, 0),
        (15, 0),
    ];
    for version in [V5, V311] {
        for (packet, only) in table.into_iter().filter(|(packet, _)| version == V5 || *packet != 15) {
            for flags in 0..16 {
                let case = format!("type {packet} with flags {flags:04b}");
                let first = [packet << 4 | flags];
                if flags == only {
                    assert_eq!(decode(&first, version, NO_LIMIT), Ok(Decoded::NeedMore { total: None }), "{case}");
                } else {
                    assert_eq!(refused(&case, version, &first, MALFORMED), Fault::Flags, "{case}");
                }
            }
        }
    }
}

#[test]
fn the_flags_of_publish_are_dup_qos_and_retain() {
    // MQTT311-3.3.1-2, MQTT311-3.3.1-4, 5-3.3.1.2-a; section 3.3.1; QoS 3 [MQTT-3.3.1-4], DUP with QoS 0 [MQTT-3.3.1-2]
    for version in [V5, V311] {
        for flags in 0..16 {
            let case = format!("PUBLISH with flags {flags:04b}");
            let qos = flags >> 1 & 3;
            let bytes: &[u8] = match (version, qos) {
                (V5, 0) => &[0x30 | flags, 4, 0, 1, b't', 0],
                (V5, _) => &[0x30 | flags, 6, 0, 1, b't', 0, 1, 0],
                (_, 0) => &[0x30 | flags, 3, 0, 1, b't'],
                _ => &[0x30 | flags, 5, 0, 1, b't', 0, 1],
            };
            match (qos, flags & 8 != 0) {
                (3, _) => assert_eq!(refused(&case, version, bytes, MALFORMED), Fault::QoS, "{case}"),
                (0, true) => assert_eq!(refused(&case, version, bytes, MALFORMED), Fault::DupWithQoS0, "{case}"),
                (_, dup) => {
                    let Packet::Publish(publish) = accepted(&case, version, bytes) else { panic!("{case}") };
                    assert_eq!(publish.dup, dup, "{case}");
                    assert_eq!(Some(publish.qos), QoS::from_u8(qos), "{case}");
                    assert_eq!(publish.retain, flags & 1 != 0, "{case}");
                }
            }
        }
    }
}

#[test]
fn types_that_do_not_exist_are_malformed() {
    // Section 2.1.2: 0 is reserved; 15 is so in 3.1.1.
    for (version, first) in [(V5, 0x00), (V5, 0x0F), (V311, 0x00), (V311, 0xF0)] {
        assert_eq!(refused("no such type", version, &[first], MALFORMED), Fault::UnknownType, "{first:02X}");
    }
}

#[test]
fn a_remaining_length_has_at_most_four_bytes_in_the_shortest_form() {
    // MQTT-1.5.5-1, 5-1.5.5-a and section 1.5.5; in 3.1.1 table 2.4
    for version in [V5, V311] {
        for header in [
            &b"\xC0\x80\x00"[..],
            b"\xC0\x80\x80\x00",
            b"\xC0\x80\x80\x80\x00",
            b"\x30\x87\x00\x00\x01t\x00pay",
            // The fourth byte announces a fifth: nothing that follows could make it valid.
            b"\xC0\x80\x80\x80\x80",
            b"\xC0\x80\x80\x80\x80\x00",
            b"\x30\xFF\xFF\xFF\xFF\x7F",
        ] {
            let case = format!("{header:02X?}");
            assert_eq!(refused(&case, version, header, MALFORMED), Fault::VariableByteInteger, "{case}");
        }
        for (header, total) in [
            (&b"\x30\x7F"[..], 2 + 127),
            (b"\x30\x80\x01", 3 + 128),
            (b"\x30\xFF\x7F", 3 + 16_383),
            (b"\x30\x80\x80\x01", 4 + 16_384),
            (b"\x30\xFF\xFF\x7F", 4 + 2_097_151),
            (b"\x30\x80\x80\x80\x01", 5 + 2_097_152),
            (b"\x30\xFF\xFF\xFF\x7F", 5 + 268_435_455),
        ] {
            let found = decode(header, version, NO_LIMIT);
            assert_eq!(found, Ok(Decoded::NeedMore { total: Some(total) }), "{header:02X?}");
            let incomplete = decode(&header[..header.len() - 1], version, NO_LIMIT);
            assert_eq!(incomplete, Ok(Decoded::NeedMore { total: None }), "{header:02X?}");
        }
    }
}

#[test]
fn a_packet_above_the_maximum_packet_size_is_refused_by_its_header_alone() {
    // MQTT-3.1.2-24, 5-3.1.2.11.4-b and section 3.1.2.11.4: 0x95
    for (header, size) in
        [(&b"\x30\x64"[..], 102), (b"\x30\xC8\x01", 203), (b"\x20\xFF\xFF\xFF\x7F", 268_435_460), (b"\xC0\x00", 2)]
    {
        let fault = Fault::TooLarge { size, maximum: size - 1 };
        let error = decode(header, V5, size - 1).expect_err("one byte too large");
        assert_eq!(error, DecodeError { packet: PacketType::from_u8(header[0] >> 4), fault });
        assert_eq!(error.reason(), PACKET_TOO_LARGE);
        // Exactly the maximum is allowed.
        assert!(decode(header, V5, size).is_ok(), "{header:02X?}");
    }
}
