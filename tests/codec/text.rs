//! UTF-8 Encoded Strings (section 1.5.4) wherever one stands.

use crate::{V5, V311, accepted, field, framed, refused, section};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::error::Fault;
use mt5mqtt::codec::property::PropertyId;
use mt5mqtt::types::ProtocolVersion;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::text::{MAX_LENGTH, TextError};

const MALFORMED: ReasonCode = ReasonCode(0x81);

/// A packet with this text at one place. Every place where a text stands.
type Place = (&'static str, ProtocolVersion, fn(&[u8]) -> Vec<u8>);

const PLACES: [Place; 23] = [
    ("Client Identifier [MQTT-3.1.3-4]", V5, |text| framed(0x10, &[b"\0\x04MQTT\x05\x02\0\x3C\0", &field(text)])),
    ("Will Topic [MQTT-3.1.3-11]", V5, |text| {
        framed(0x10, &[b"\0\x04MQTT\x05\x06\0\x3C\0\0\x01c\0", &field(text), b"\0\0"])
    }),
    ("User Name [MQTT-3.1.3-12]", V5, |text| framed(0x10, &[b"\0\x04MQTT\x05\x82\0\x3C\0\0\x01c", &field(text)])),
    ("Authentication Method", V5, |text| {
        framed(0x10, &[b"\0\x04MQTT\x05\x02\0\x3C", &section(&[b"\x15", &*field(text)].concat()), b"\0\x01c"])
    }),
    ("Content Type of the Will", V5, |text| {
        let properties = section(&[b"\x03", &*field(text)].concat());
        framed(0x10, &[b"\0\x04MQTT\x05\x06\0\x3C\0\0\x01c", &properties, b"\0\x01w\0\0"])
    }),
    ("Assigned Client Identifier", V5, |text| framed(0x20, &[&[0, 0], &section(&[b"\x12", &*field(text)].concat())])),
    ("Response Information", V5, |text| framed(0x20, &[&[0, 0], &section(&[b"\x1A", &*field(text)].concat())])),
    ("Server Reference", V5, |text| framed(0x20, &[&[0, 0], &section(&[b"\x1C", &*field(text)].concat())])),
    ("Topic Name [MQTT-3.3.2-1]", V5, |text| framed(0x30, &[&field(text), &[0]])),
    ("Response Topic [MQTT-3.3.2-13]", V5, |text| {
        framed(0x30, &[b"\0\x01t", &section(&[b"\x08", &*field(text)].concat())])
    }),
    ("Content Type [MQTT-3.3.2-19]", V5, |text| {
        framed(0x30, &[b"\0\x01t", &section(&[b"\x03", &*field(text)].concat())])
    }),
    ("name of a User Property [MQTT-1.5.7-1]", V5, |text| {
        framed(0x30, &[b"\0\x01t", &section(&[b"\x26", &*field(text), b"\0\x01v"].concat())])
    }),
    ("value of a User Property [MQTT-1.5.7-1]", V5, |text| {
        framed(0x30, &[b"\0\x01t", &section(&[b"\x26\0\x01k", &*field(text)].concat())])
    }),
    ("Reason String of PUBACK", V5, |text| framed(0x40, &[&[0, 1, 0], &section(&[b"\x1F", &*field(text)].concat())])),
    ("Topic Filter to subscribe [MQTT-3.8.3-1]", V5, |text| framed(0x82, &[&[0, 1, 0], &field(text), &[0]])),
    ("Topic Filter to unsubscribe [MQTT-3.10.3-1]", V5, |text| framed(0xA2, &[&[0, 1, 0], &field(text)])),
    ("Reason String of DISCONNECT", V5, |text| framed(0xE0, &[&[0], &section(&[b"\x1F", &*field(text)].concat())])),
    ("Client Identifier, [MQTT311-3.1.3-4]", V311, |text| framed(0x10, &[b"\0\x04MQTT\x04\x02\0\x3C", &field(text)])),
    ("Will Topic, [MQTT311-3.1.3-10]", V311, |text| {
        framed(0x10, &[b"\0\x04MQTT\x04\x06\0\x3C\0\x01c", &field(text), b"\0\0"])
    }),
    ("User Name, [MQTT311-3.1.3-11]", V311, |text| framed(0x10, &[b"\0\x04MQTT\x04\x82\0\x3C\0\x01c", &field(text)])),
    ("Topic Name, [MQTT311-3.3.2-1]", V311, |text| framed(0x30, &[&field(text)])),
    ("Topic Filter to subscribe, [MQTT311-3.8.3-1]", V311, |text| framed(0x82, &[&[0, 1], &field(text), &[0]])),
    ("Topic Filter to unsubscribe, [MQTT311-3.10.3-1]", V311, |text| framed(0xA2, &[&[0, 1], &field(text)])),
];

#[test]
fn ill_formed_utf8_is_malformed_everywhere() {
    // MQTT-1.5.4-1, MQTT311-1.5.3-1, MQTT311-3.3.2-1, MQTT311-3.8.3-1, MQTT311-3.10.3-1, 5-1.5.4-a, MQTT-1.5.7-1,
    // 5-1.5.7-a, MQTT-3.3.2-1, MQTT-3.3.2-13, MQTT-3.3.2-19, MQTT-3.8.3-1, MQTT-3.10.3-1
    for (what, bytes) in [
        ("overlong '/' in two bytes", &b"\xC0\xAF"[..]),
        ("overlong U+0000, as in Java's modified UTF-8", b"\xC0\x80"),
        ("overlong U+007F", b"\xC1\xBF"),
        ("overlong U+07FF in three bytes", b"\xE0\x9F\xBF"),
        ("overlong U+FFFF in four bytes", b"\xF0\x8F\xBF\xBF"),
        ("first high surrogate", b"\xED\xA0\x80"),
        ("last low surrogate", b"\xED\xBF\xBF"),
        ("a pair of surrogates, as in CESU-8", b"\xED\xA0\xBD\xED\xB8\x80"),
        ("two bytes, cut to one", b"\xC3"),
        ("three bytes, cut to two", b"\xE2\x82"),
        ("four bytes, cut to three", b"\xF0\x9F\x98"),
        ("a continuation byte alone", b"\x80"),
        ("a second byte that isn't one", b"\xC3("),
        ("U+110000", b"\xF4\x90\x80\x80"),
        ("above U+10FFFF", b"\xF5\x80\x80\x80"),
        ("0xFE", b"\xFE"),
        ("0xFF", b"\xFF"),
    ] {
        for text in [bytes.to_vec(), [b"a", bytes].concat(), [bytes, b"a"].concat()] {
            for (place, version, packet) in PLACES {
                let case = format!("{what} in {place}");
                let fault = refused(&case, version, &packet(&text), MALFORMED);
                assert_eq!(fault, Fault::Text(TextError::IllFormed), "{case}");
            }
        }
    }
}

#[test]
fn the_null_character_is_malformed_everywhere() {
    // MQTT-1.5.4-2, MQTT-4.7.3-2, MQTT311-1.5.3-2, 5-1.5.4-b, MQTT-1.5.7-1, 5-1.5.7-a, MQTT-3.3.2-1, MQTT-3.3.2-13,
    // MQTT-3.3.2-19, MQTT-3.8.3-1, MQTT-3.10.3-1
    for (place, version, packet) in PLACES {
        for text in [&b"\0"[..], b"\0a", b"a\0b", b"a\0"] {
            let fault = refused(place, version, &packet(text), MALFORMED);
            assert_eq!(fault, Fault::Text(TextError::Null), "{place}");
        }
    }
}

#[test]
fn every_other_character_is_kept_as_it_is() {
    // MQTT-1.5.4-3, MQTT311-1.5.3-3, 5-1.5.4-c: the byte order mark is a character like others. Section 1.5.4 lets a
    // receiver refuse control characters and non-characters; this one doesn't.
    for text in [
        "\u{FEFF}",
        "\u{FEFF}a",
        "a\u{FEFF}b",
        "\u{1}\u{1F}\u{7F}\u{9F}",
        "\u{FFFF}\u{FDD0}",
        "\u{D7FF}\u{E000}",
        "\u{10000}\u{10FFFF}",
        "Счёт 价格 😀",
        " ",
    ] {
        for (place, version, packet) in PLACES {
            let bytes = packet(text.as_bytes());
            accepted(place, version, &bytes);
        }
        let bytes = framed(0x30, &[&field(text.as_bytes()), &[0]]);
        let Packet::Publish(publish) = accepted("Topic Name", V5, &bytes) else { panic!() };
        assert_eq!(publish.topic.map(|topic| topic.as_str()), Some(text));
        let bytes = framed(0x20, &[&[0, 0], &section(&[b"\x12", &*field(text.as_bytes())].concat())]);
        let Packet::Connack(connack) = accepted("Assigned Client Identifier", V5, &bytes) else { panic!() };
        let assigned = connack.properties.text(PropertyId::AssignedClientIdentifier);
        assert_eq!(assigned, Some(text));
    }
}

#[test]
fn a_text_can_fill_its_length_field() {
    // Section 1.5.4: 65,535 bytes
    let longest = vec![b'x'; MAX_LENGTH];
    for (place, version, packet) in PLACES {
        accepted(place, version, &packet(&longest));
    }
}

#[test]
fn binary_data_and_payload_are_not_text() {
    // Section 1.5.6: Correlation Data, Will Payload, Password, Authentication Data; section 3.3.3: the payload. A receiver
    // need not check a payload that the Payload Format Indicator calls UTF-8 (section 3.3.2.3.2).
    let bytes = b"\x00\xC0\x80\xED\xA0\x80\xFF";
    let publish = framed(0x30, &[b"\0\x01t", &section(&[b"\x01\x01\x09", &*field(bytes)].concat()), bytes]);
    let Packet::Publish(publish) = accepted("PUBLISH", V5, &publish) else { panic!() };
    assert_eq!(publish.payload, bytes);
    assert_eq!(publish.properties.binary(PropertyId::CorrelationData), Some(&bytes[..]));
    let connect = framed(
        0x10,
        &[
            b"\0\x04MQTT\x05\x46\0\x3C",
            &section(&[b"\x15\0\x01m\x16", &*field(bytes)].concat()),
            b"\0\x01c\0\0\x01w",
            &field(bytes),
            &field(bytes),
        ],
    );
    let Packet::Connect(connect) = accepted("CONNECT", V5, &connect) else { panic!() };
    assert_eq!(connect.will.expect("a Will Message").payload, bytes);
    assert_eq!(connect.password, Some(&bytes[..]));
    assert_eq!(connect.properties.binary(PropertyId::AuthenticationData), Some(&bytes[..]));
}
