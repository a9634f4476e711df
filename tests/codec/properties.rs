//! Properties in bytes: each in each place, twice, out of range, and reaching out of their section.

use crate::standard::{PAYLOAD, PROPERTIES, SECTIONS, companion, packet_around, packet_with, property};
use crate::{V5, accepted, encoded, field, framed, refused, section, variable_byte_integer};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::error::Fault;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Section, Value};
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;

const MALFORMED: ReasonCode = ReasonCode(0x81);
const PROTOCOL_ERROR: ReasonCode = ReasonCode(0x82);
const TOPIC_ALIAS_INVALID: ReasonCode = ReasonCode(0x94);
const IN_PUBLISH: Section = Section::Packet(PacketType::Publish);

fn identifier(code: u8) -> PropertyId {
    PropertyId::from_u32(code.into()).expect("a property of the standard")
}

/// The properties that stand at `place` in the packet.
fn properties_of<'a>(packet: &Packet<'a>, place: Section) -> Properties<'a> {
    match packet {
        Packet::Connect(connect) if place == Section::Will => connect.will.as_ref().expect("a Will Message").properties,
        Packet::Connect(packet) => packet.properties,
        Packet::Connack(packet) => packet.properties,
        Packet::Publish(packet) => packet.properties,
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => ack.properties,
        Packet::Subscribe(packet) => packet.properties,
        Packet::Suback(packet) => packet.properties,
        Packet::Unsubscribe(packet) => packet.properties,
        Packet::Unsuback(packet) => packet.properties,
        Packet::Disconnect(packet) => packet.properties,
        Packet::Auth(packet) => packet.properties,
        Packet::Pingreq | Packet::Pingresp => panic!("no properties in {packet:?}"),
    }
}

#[test]
fn every_property_is_read_where_its_section_lists_it_and_refused_elsewhere() {
    // 5-2.2.2.2-a; section 2.2.2.2: an identifier that isn't valid for its packet is a Malformed Packet.
    let mut known = 0;
    for (place, listed) in SECTIONS {
        for (code, _, value) in PROPERTIES {
            let case = format!("0x{code:02X} in {place:?}");
            let bytes = packet_with(place, &[companion(place, code), property(code)].concat());
            if listed.contains(&code) {
                known += 1;
                let packet = accepted(&case, V5, &bytes);
                let last = properties_of(&packet, place).iter().last();
                assert_eq!(last, Some((identifier(code), value)), "{case}");
                assert_eq!(encoded(&case, V5, &packet), bytes, "{case}");
            } else {
                let fault = refused(&case, V5, &bytes, MALFORMED);
                assert_eq!(fault, Fault::PropertyNotAllowed(identifier(code)), "{case}");
            }
        }
    }
    // Counted by property in the table of section 2.2.2.2, where it says in which packets each can stand.
    assert_eq!(known, 64);
}

#[test]
fn identifiers_outside_the_table_are_malformed() {
    // 5-2.2.2.2-a; section 2.2.2.2; an identifier is a Variable Byte Integer.
    let unknown = (0u32..=0xFF).filter(|code| PROPERTIES.iter().all(|(known, ..)| u32::from(*known) != *code));
    for code in unknown.chain([0x100, 0x2001, 0x0FFF_FFFF]) {
        let properties = [variable_byte_integer(code as usize), vec![0; 8]].concat();
        for (place, _) in SECTIONS {
            let fault = refused(&format!("{code:#X}"), V5, &packet_with(place, &properties), MALFORMED);
            assert_eq!(fault, Fault::UnknownProperty(code));
        }
    }
}

#[test]
fn a_property_stands_once_unless_the_standard_says_otherwise() {
    // 5-3.14.2.2.5-a, 5-3.15.2.2.3-a, 5-3.15.2.2.4-a, 5-3.2.2.3.2-a, 5-3.2.2.3.7-a, 5-3.2.2.3.8-a, 5-3.2.2.3.9-a,
    // 5-3.2.2.3.14-a, 5-3.2.2.3.15-a, 5-3.2.2.3.16-a, 5-3.2.2.3.17-a, 5-3.2.2.3.18-a, 5-3.3.2.3.8-a, 5-3.4.2.2.2-a,
    // 5-3.5.2.2.2-a, 5-3.6.2.2.2-a, 5-3.7.2.2.2-a, 5-3.9.2.1.2-a, 5-3.11.2.1.2-a: "It is a Protocol Error to include
    // the ... more than once", in the section of each property.
    for (place, listed) in SECTIONS {
        for &code in listed {
            let case = format!("0x{code:02X} twice in {place:?}");
            let once = property(code);
            let companion = companion(place, code);
            // Next to each other, and with another property between them.
            for between in [vec![], b"\x26\x00\x00\x00\x00".to_vec()] {
                let bytes = packet_with(place, &[companion.clone(), once.clone(), between, once.clone()].concat());
                // Sections 3.1.2.11.8 (and its like) and 3.3.2.3.8
                if code == 0x26 || (code == 0x0B && place == IN_PUBLISH) {
                    let packet = accepted(&case, V5, &bytes);
                    let properties = properties_of(&packet, place);
                    assert!(properties.iter().filter(|(id, _)| *id == identifier(code)).count() >= 2, "{case}");
                } else {
                    let fault = refused(&case, V5, &bytes, PROTOCOL_ERROR);
                    assert_eq!(fault, Fault::DuplicateProperty(identifier(code)), "{case}");
                }
            }
        }
    }
}

#[test]
fn values_outside_their_range_have_their_reason_code() {
    // 5-3.2.2.3.3-a, 5-3.2.2.3.4-a, 5-3.2.2.3.5-a, 5-3.2.2.3.6-a, 5-3.2.2.3.11-a, 5-3.2.2.3.12-a, 5-3.2.2.3.13-a,
    // 5-3.3.2.3.4-a, 5-3.3.2.3.8-a
    let not_0_or_1: &[&[u8]] = &[b"\x02", b"\x80", b"\xFF"];
    let cases: [(u8, &[&[u8]], ReasonCode); 12] = [
        // Sections 3.3.2.3.2 and 3.1.3.2.3
        (0x01, not_0_or_1, PROTOCOL_ERROR),
        // Sections 3.3.2.3.8 and 3.8.2.1.2
        (0x0B, &[b"\x00"], PROTOCOL_ERROR),
        // Section 3.1.2.11.7
        (0x17, not_0_or_1, PROTOCOL_ERROR),
        // Section 3.1.2.11.6
        (0x19, not_0_or_1, PROTOCOL_ERROR),
        // Sections 3.1.2.11.3 and 3.2.2.3.3
        (0x21, &[b"\x00\x00"], PROTOCOL_ERROR),
        // Section 3.3.2.3.4
        (0x23, &[b"\x00\x00"], TOPIC_ALIAS_INVALID),
        // Section 3.2.2.3.4
        (0x24, not_0_or_1, PROTOCOL_ERROR),
        // Section 3.2.2.3.5
        (0x25, not_0_or_1, PROTOCOL_ERROR),
        // Sections 3.1.2.11.4 and 3.2.2.3.6
        (0x27, &[b"\x00\x00\x00\x00"], PROTOCOL_ERROR),
        // Sections 3.2.2.3.11 to 3.2.2.3.13
        (0x28, not_0_or_1, PROTOCOL_ERROR),
        (0x29, not_0_or_1, PROTOCOL_ERROR),
        (0x2A, not_0_or_1, PROTOCOL_ERROR),
    ];
    for (code, values, reason) in cases {
        for (place, _) in SECTIONS.iter().filter(|(_, listed)| listed.contains(&code)) {
            for value in values {
                let case = format!("0x{code:02X} = {value:02X?} in {place:?}");
                let fault = refused(&case, V5, &packet_with(*place, &[&[code], *value].concat()), reason);
                assert_eq!(fault, Fault::PropertyValue(identifier(code)), "{case}");
            }
        }
    }
}

#[test]
fn values_at_the_ends_of_their_range_are_read() {
    let (connect, connack) = (Section::Packet(PacketType::Connect), Section::Packet(PacketType::Connack));
    let cases: [(Section, &[u8], u32); 14] = [
        (connect, b"\x11\x00\x00\x00\x00", 0),
        (connect, b"\x21\xFF\xFF", 65_535),
        (connect, b"\x22\xFF\xFF", 65_535),
        (connect, b"\x27\xFF\xFF\xFF\xFF", u32::MAX),
        (connect, b"\x17\x01", 1),
        (connect, b"\x19\x00", 0),
        (connack, b"\x13\x00\x00", 0),
        (connack, b"\x13\xFF\xFF", 65_535),
        (connack, b"\x24\x01", 1),
        (Section::Will, b"\x18\xFF\xFF\xFF\xFF", u32::MAX),
        (IN_PUBLISH, b"\x02\x00\x00\x00\x00", 0),
        (IN_PUBLISH, b"\x23\x00\x01", 1),
        (IN_PUBLISH, b"\x0B\x01", 1),
        (IN_PUBLISH, b"\x0B\xFF\xFF\xFF\x7F", 268_435_455),
    ];
    for (place, property, value) in cases {
        let case = format!("{property:02X?} in {place:?}");
        let bytes = packet_with(place, property);
        let packet = accepted(&case, V5, &bytes);
        assert_eq!(properties_of(&packet, place).int(identifier(property[0])), Some(value), "{case}");
    }
}

#[test]
fn a_property_that_overruns_its_section_never_reaches_what_follows() {
    // Section 2.2.2: the Property Length bounds the properties. It is announced too short by each amount.
    for (place, listed) in SECTIONS {
        for &code in listed {
            let property = property(code);
            for announced in 1..property.len() {
                let case = format!("0x{code:02X} in {place:?}: {announced} of {} bytes", property.len());
                let bytes = packet_around(place, &[&[announced as u8], property.as_slice()].concat());
                assert_eq!(refused(&case, V5, &bytes, MALFORMED), Fault::Truncated, "{case}");
            }
        }
    }
}

#[test]
fn a_length_inside_a_property_never_reaches_into_the_payload() {
    // Content Type, Response Topic, Correlation Data, and both strings of a User Property.
    for head in [&b"\x03"[..], b"\x08", b"\x09", b"\x26", b"\x26\x00\x01k"] {
        for excess in 1..=PAYLOAD.len() + 1 {
            let property = [head, &[0, 2 + excess as u8], b"tt"].concat();
            let case = format!("{property:02X?}, {excess} bytes too long");
            let fault = refused(&case, V5, &packet_with(IN_PUBLISH, &property), MALFORMED);
            assert_eq!(fault, Fault::Truncated, "{case}");
        }
    }
}

#[test]
fn a_section_longer_than_its_packet_is_malformed() {
    for (place, listed) in SECTIONS {
        for &code in listed {
            let property = property(code);
            for excess in 1..=200 {
                let case = format!("0x{code:02X} in {place:?}: {excess} bytes too many");
                let announced = variable_byte_integer(property.len() + excess);
                let bytes = packet_around(place, &[announced, property.clone()].concat());
                let fault = refused(&case, V5, &bytes, MALFORMED);
                // A few bytes too many take in what follows, which is no property; more reach past the packet.
                if excess > 20 {
                    assert_eq!(fault, Fault::Truncated, "{case}");
                }
            }
        }
        let longest = packet_around(place, b"\xFF\xFF\xFF\x7F");
        assert_eq!(refused(&format!("{place:?}"), V5, &longest, MALFORMED), Fault::Truncated);
    }
}

#[test]
fn an_empty_section_leaves_the_payload_alone() {
    // [MQTT-2.2.2-1]; bytes that look like a property are payload when the Property Length says so.
    let bytes = framed(0x30, &[&field(b"a/b"), b"\x00", b"\x01\x01PAYLOAD"]);
    let Packet::Publish(publish) = accepted("PUBLISH", V5, &bytes) else { panic!() };
    assert_eq!((publish.properties, publish.payload), (Properties::EMPTY, &b"\x01\x01PAYLOAD"[..]));
}

#[test]
fn the_property_length_cannot_be_missing() {
    // [MQTT-2.2.2-1]
    for (case, bytes) in [
        ("CONNECT", framed(0x10, &[b"\x00\x04MQTT\x05\x02\x00\x3C"])),
        ("CONNACK", framed(0x20, &[&[0, 0]])),
        ("PUBLISH", framed(0x30, &[&field(b"a/b")])),
        ("SUBSCRIBE", framed(0x82, &[&[0, 1]])),
        ("SUBACK", framed(0x90, &[&[0, 1]])),
        ("UNSUBSCRIBE", framed(0xA2, &[&[0, 1]])),
        ("UNSUBACK", framed(0xB0, &[&[0, 1]])),
    ] {
        assert_eq!(refused(case, V5, &bytes, MALFORMED), Fault::Truncated, "{case}");
    }
}

#[test]
fn integers_of_a_section_have_their_shortest_form() {
    // [MQTT-1.5.5-1] and section 1.5.5: Property Length, Property Identifier, Subscription Identifier.
    for section in [
        &b"\x82\x00\x01\x01"[..],
        b"\x80\x80\x80\x80\x00",
        b"\x03\x81\x00\x01",
        b"\x06\x81\x80\x80\x80\x00\x01",
        b"\x03\x0B\x81\x00",
        b"\x05\x0B\x81\x80\x80\x00",
        b"\x06\x0B\x81\x80\x80\x80\x01",
        b"\x05\x0B\xFF\xFF\xFF\xFF",
    ] {
        let case = format!("{section:02X?}");
        let fault = refused(&case, V5, &packet_around(IN_PUBLISH, section), MALFORMED);
        assert_eq!(fault, Fault::VariableByteInteger, "{case}");
    }
}

#[test]
fn authentication_needs_a_method() {
    // 5-3.15.2.2.2-a, 5-3.1.2.11.10-a
    let contradiction = |case, bytes: &[u8]| {
        assert!(matches!(refused(case, V5, bytes, PROTOCOL_ERROR), Fault::Contradiction(_)), "{case}");
    };
    // Section 3.1.2.11.10
    contradiction("CONNECT", &packet_with(Section::Packet(PacketType::Connect), &property(0x16)));
    // Section 3.15.2.2.2, the short forms included
    contradiction("AUTH with data", &packet_with(Section::Packet(PacketType::Auth), &property(0x16)));
    contradiction("AUTH without properties", b"\xF0\x02\x18\x00");
    contradiction("AUTH without Property Length", b"\xF0\x01\x18");
    contradiction("AUTH without Reason Code", b"\xF0\x00");
    // No such rule for CONNACK: what refuses a connection must be readable.
    accepted("CONNACK", V5, &packet_with(Section::Packet(PacketType::Connack), &property(0x16)));
}

#[test]
fn properties_keep_their_order_and_are_found_by_number() {
    // [MQTT-3.3.2-18]
    let pairs = [("b", "1"), ("a", "2"), ("b", "3")];
    let bytes: Vec<u8> = pairs
        .iter()
        .flat_map(|(name, value)| [vec![0x26], field(name.as_bytes()), field(value.as_bytes())].concat())
        .collect();
    let packet = packet_around(IN_PUBLISH, &section(&bytes));
    let Packet::Publish(publish) = accepted("User Properties", V5, &packet) else { panic!() };
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        assert_eq!(publish.properties.nth(PropertyId::UserProperty, index), Some(Value::Pair(name, value)));
    }
    assert_eq!(publish.properties.nth(PropertyId::UserProperty, 3), None);
    assert_eq!(publish.properties.iter().count(), 3);
}

#[test]
fn what_is_set_again_replaces_what_was_there() {
    // Section 3.3.2.3.9 and its like: once in a packet.
    let mut set = PropertiesBuf::new();
    for others in [&[][..], &[("a", "1"), ("b", "2")]] {
        others.iter().for_each(|(name, value)| set.add(PropertyId::UserProperty, Value::Pair(name, value)).unwrap());
        for content_type in ["text", "text/plain", ""] {
            set.set(PropertyId::ContentType, Value::Text(content_type)).unwrap();
            let properties = set.as_properties();
            assert_eq!(properties.text(PropertyId::ContentType), Some(content_type));
            assert_eq!(properties.iter().count(), 1 + others.len());
            assert_eq!(properties.check_for(IN_PUBLISH), Ok(()));
        }
    }
}
