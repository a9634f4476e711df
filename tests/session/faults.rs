//! What a Server can get wrong in a packet: the Session says so in a DISCONNECT with the Reason Code of the fault, and ends the
//! connection (section 4.13). The packets are bytes, written by hand.

use crate::trace::*;
use mt5mqtt::session::event::Disconnected;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

/// A packet: first byte, what stands before the properties, the properties, what stands behind them.
fn packet(first: u8, before: &[u8], properties: &[u8], behind: &[u8]) -> Vec<u8> {
    let size = |bytes: usize| u8::try_from(bytes).ok().filter(|size| *size < 128).expect("a short packet");
    let body = [before, &[size(properties.len())], properties, behind].concat();
    [&[first, size(body.len())], body.as_slice()].concat()
}

/// What ends the connection when these bytes come; a CONNACK is awaited, everything else comes behind it.
#[track_caller]
fn refused(bytes: &[u8], reason: ReasonCode) -> Disconnected {
    let end = refused_by(strict(), bytes, reason);
    assert_eq!(refused_by(options(), bytes, reason), end);
    end
}

#[track_caller]
fn refused_by(options: SessionOptions, bytes: &[u8], reason: ReasonCode) -> Disconnected {
    let mut trace = Trace::new(options);
    trace.opens();
    trace.sends_connect(|_| ());
    if bytes[0] >> 4 != 2 {
        trace.receives_bytes(&[0x20, 3, 0, 0, 0]);
        trace.tells();
    }
    trace.receives_bytes(bytes);
    trace.breaks_off(reason)
}

/// The packets that a Server sends: first byte, what stands before the properties and behind them, and those of its
/// properties that may stand only once.
type Place = (u8, &'static [u8], &'static [u8], &'static [&'static [u8]]);

const METHOD: &[u8] = b"\x15\0\x01m";
const ONCE: [Place; 10] = [
    // CONNACK (section 3.2.2.3)
    (
        0x20,
        b"\0\0",
        b"",
        &[
            b"\x11\0\0\0\x05",
            b"\x21\0\x05",
            b"\x24\x01",
            b"\x25\x01",
            b"\x27\0\0\x10\0",
            b"\x12\0\x01c",
            b"\x22\0\x05",
            b"\x1F\0\x01r",
            b"\x28\x01",
            b"\x29\x01",
            b"\x2A\x01",
            b"\x13\0\x05",
            b"\x1A\0\x01i",
            b"\x1C\0\x01s",
            METHOD,
            b"\x16\0\x01d",
        ],
    ),
    // PUBLISH (section 3.3.2.3)
    (
        0x30,
        b"\0\x01t",
        b"payload",
        &[b"\x01\x01", b"\x02\0\0\0\x05", b"\x23\0\x01", b"\x08\0\x01r", b"\x09\0\x01d", b"\x03\0\x01t"],
    ),
    // PUBACK, PUBREC, PUBREL, PUBCOMP (sections 3.4.2.2, 3.5.2.2, 3.6.2.2, 3.7.2.2)
    (0x40, b"\0\x01\0", b"", &[b"\x1F\0\x01r"]),
    (0x50, b"\0\x01\0", b"", &[b"\x1F\0\x01r"]),
    (0x62, b"\0\x01\0", b"", &[b"\x1F\0\x01r"]),
    (0x70, b"\0\x01\0", b"", &[b"\x1F\0\x01r"]),
    // SUBACK, UNSUBACK (sections 3.9.2.1, 3.11.2.1)
    (0x90, b"\0\x01", b"\0", &[b"\x1F\0\x01r"]),
    (0xB0, b"\0\x01", b"\0", &[b"\x1F\0\x01r"]),
    // DISCONNECT (section 3.14.2.2)
    (0xE0, b"\0", b"", &[b"\x11\0\0\0\x05", b"\x1F\0\x01r", b"\x1C\0\x01s"]),
    // AUTH (section 3.15.2.2)
    (0xF0, b"\x18", b"", &[METHOD, b"\x16\0\x01d", b"\x1F\0\x01r"]),
];

#[test]
fn a_property_that_stands_twice_is_a_protocol_error() {
    // CONNACK: 5-3.2.2.3.2-a, 5-3.2.2.3.3-a, 5-3.2.2.3.4-a, 5-3.2.2.3.5-a, 5-3.2.2.3.6-a, 5-3.2.2.3.7-a, 5-3.2.2.3.8-a,
    // 5-3.2.2.3.9-a, 5-3.2.2.3.11-a, 5-3.2.2.3.12-a, 5-3.2.2.3.13-a, 5-3.2.2.3.14-a, 5-3.2.2.3.15-a, 5-3.2.2.3.16-a,
    // 5-3.2.2.3.17-a, 5-3.2.2.3.18-a. PUBLISH: 5-3.3.2.3.4-a, 5-3.3.2.3.5-a, 5-3.3.2.3.6-a, 5-3.3.2.3.9-a.
    // Answers: 5-3.4.2.2.2-a, 5-3.5.2.2.2-a, 5-3.6.2.2.2-a, 5-3.7.2.2.2-a, 5-3.9.2.1.2-a, 5-3.11.2.1.2-a.
    // DISCONNECT: 5-3.14.2.2.3-a, 5-3.14.2.2.5-a. AUTH: 5-3.15.2.2.2-a, 5-3.15.2.2.3-a, 5-3.15.2.2.4-a.
    let mut refusals = 0;
    for (first, before, behind, properties) in ONCE {
        for property in properties {
            let companion = if first == 0xF0 && *property != METHOD { METHOD } else { b"" };
            let twice = [companion, property, property].concat();
            let end = refused(&packet(first, before, &twice, behind), ReasonCode::PROTOCOL_ERROR);
            assert_eq!(end.failure, Some(Status::ProtocolError));
            assert!(end.detail.contains("stands twice"), "{}", end.detail);
            refusals += 1;
        }
    }
    assert_eq!(refusals, 16 + 6 + 4 + 2 + 3 + 3);
}

#[test]
fn a_value_that_a_property_cannot_have_is_a_protocol_error() {
    // 5-3.2.2.3.3-a, 5-3.2.2.3.4-a, 5-3.2.2.3.5-a, 5-3.2.2.3.6-a, 5-3.2.2.3.11-a, 5-3.2.2.3.12-a, 5-3.2.2.3.13-a
    for property in [&b"\x21\0\0"[..], b"\x25\x02", b"\x27\0\0\0\0", b"\x28\x02", b"\x29\x02", b"\x2A\x02"] {
        let end = refused(&packet(0x20, b"\0\0", property, b""), ReasonCode::PROTOCOL_ERROR);
        assert!(end.detail.contains("outside its range"), "{}", end.detail);
    }
    let end = refused_by(strict(), &packet(0x20, b"\0\0", b"\x24\x02", b""), ReasonCode::PROTOCOL_ERROR);
    assert!(end.detail.contains("Maximum QoS"), "{}", end.detail);
    // 5-3.3.2.3.8-a
    let end = refused(&packet(0x30, b"\0\x01t", b"\x0B\0", b""), ReasonCode::PROTOCOL_ERROR);
    assert!(end.detail.contains("Subscription Identifier"), "{}", end.detail);
    // 5-3.3.2.3.4-a: this one has a Reason Code of its own.
    let end = refused(&packet(0x30, b"\0\x01t", b"\x23\0\0", b""), ReasonCode::TOPIC_ALIAS_INVALID);
    assert!(end.detail.contains("Topic Alias"), "{}", end.detail);
}

/// What can't be parsed, with a word of the text that tells so.
const MALFORMED: [(&[u8], &str); 20] = [
    // Ill-formed UTF-8: Topic Name, name of a User Property.
    (b"\x30\x05\0\x02\xC0\x80\0", "UTF-8"),
    (b"\x30\x06\0\x03\xED\xA0\x80\0", "UTF-8"),
    (b"\x30\x0B\0\x01t\x07\x26\0\x01\xFF\0\x01v", "UTF-8"),
    (b"\x30\x0B\0\x01t\x07\x26\0\x01k\0\x01\xFF", "UTF-8"),
    // U+0000
    (b"\x30\x06\0\x03a\0b\0", "U+0000"),
    (b"\x30\x0B\0\x01t\x07\x26\0\x01\0\0\x01v", "U+0000"),
    // Variable Byte Integers: five bytes, and not the shortest form, as Remaining Length and as Property Length.
    (b"\xD0\x80\x80\x80\x80\x01", "Variable Byte Integer"),
    (b"\xD0\x80\x00", "Variable Byte Integer"),
    (b"\x30\x05\0\x01t\x80\0", "Variable Byte Integer"),
    // Flags of the Fixed Header
    (b"\xD1\0", "flags"),
    (b"\x60\x02\0\x01", "flags"),
    (b"\x41\x02\0\x01", "flags"),
    (b"\xE2\0", "flags"),
    (b"\xF1\0", "flags"),
    // QoS 3
    (b"\x36\x06\0\x01t\0\x01\0", "QoS 3"),
    // Packet Identifier 0
    (b"\x32\x06\0\x01t\0\0\0", "Packet Identifier 0"),
    (b"\x40\x02\0\0", "Packet Identifier 0"),
    // A property that doesn't exist
    (b"\x30\x06\0\x01t\x02\x7F\0", "unknown property"),
    // A Reason Code that grants nobody knows what
    (b"\x90\x04\0\x01\0\x03", "Reason Code 0x03"),
    // A field longer than its packet
    (b"\x30\x03\0\x09t", "past the end"),
];

/// The same of what is passed over, unless a client is strict.
const MALFORMED_TO_THE_STRICT: [(&[u8], &str); 6] = [
    // DUP with QoS 0
    (b"\x38\x04\0\x01t\0", "DUP"),
    // Wildcards in a Topic Name
    (b"\x30\x06\0\x03a/#\0", "wildcards"),
    // A property that doesn't belong there
    (b"\x40\x06\0\x01\0\x02\x01\x01", "doesn't belong"),
    // Reason Codes that the packet can't have
    (b"\x90\x04\0\x01\0\x99", "Reason Code 0x99"),
    (b"\xB0\x04\0\x01\0\x01", "Reason Code 0x01"),
    (b"\xE0\x01\x01", "Reason Code 0x01"),
];

#[test]
fn what_cannot_be_parsed_is_malformed() {
    // MQTT-1.5.4-1, MQTT-1.5.4-2, 5-1.5.4-a, 5-1.5.4-b, MQTT-1.5.5-1, 5-1.5.5-a, MQTT-1.5.7-1, 5-1.5.7-a, MQTT-2.1.3-1,
    // 5-2.1.3-a, MQTT-2.2.1-4, 5-2.2.2.2-a, MQTT-3.3.1-2, MQTT-3.3.1-4, 5-3.3.1.2-a, MQTT-3.3.2-2,
    // MQTT-3.6.1-1, MQTT-3.9.3-2, MQTT-3.11.3-2, MQTT-3.14.1-1, MQTT-3.14.2-1, MQTT-3.15.1-1, MQTT-4.7.0-1, 5-1.2-a, 5-4.13.1-a
    for (bytes, word) in MALFORMED {
        let end = refused(bytes, ReasonCode::MALFORMED_PACKET);
        assert_eq!(end.failure, Some(Status::MalformedPacket), "{bytes:02X?}");
        assert!(end.detail.contains(word), "{bytes:02X?}: {}", end.detail);
    }
    for (bytes, word) in MALFORMED_TO_THE_STRICT {
        let end = refused_by(strict(), bytes, ReasonCode::MALFORMED_PACKET);
        assert_eq!(end.failure, Some(Status::MalformedPacket), "{bytes:02X?}");
        assert!(end.detail.contains(word), "{bytes:02X?}: {}", end.detail);
    }
}

#[test]
fn a_connack_that_cannot_be_parsed_is_malformed() {
    // MQTT-3.2.2-1: Connect Acknowledge Flags; MQTT-3.2.2-8: a Reason Code that CONNACK doesn't have.
    for (bytes, word) in [
        (&b"\x20\x03\x02\0\0"[..], "Connect Acknowledge Flag"),
        (b"\x20\x03\x80\0\0", "Connect Acknowledge Flag"),
        (b"\x20\x03\0\x01\0", "Reason Code 0x01"),
        (b"\x21\x03\0\0\0", "flags"),
    ] {
        let end = refused(bytes, ReasonCode::MALFORMED_PACKET);
        assert_eq!(end.failure, Some(Status::MalformedPacket), "{bytes:02X?}");
        assert!(end.detail.contains(word), "{bytes:02X?}: {}", end.detail);
    }
    let end = refused_by(strict(), b"\x20\x03\0\x8E\0", ReasonCode::MALFORMED_PACKET);
    assert!(end.detail.contains("Reason Code 0x8E"), "{}", end.detail);
}

#[test]
fn what_is_parsed_but_not_allowed_is_a_protocol_error() {
    // 5-1.2-a, 5-4.13.1-a; 5-3.3.2.1-a: neither Topic Name nor Topic Alias; MQTT-3.8.4-6: no Reason Code.
    for bytes in [&b"\x30\x03\0\0\0"[..], b"\x90\x03\0\x01\0", b"\xB0\x03\0\x01\0"] {
        let end = refused(bytes, ReasonCode::PROTOCOL_ERROR);
        assert_eq!(end.failure, Some(Status::ProtocolError), "{bytes:02X?}");
    }
}

#[test]
fn what_follows_a_fault_is_not_looked_at() {
    // MQTT-3.14.4-1: DISCONNECT is the last packet, whatever else arrives, is asked for or falls due.
    let mut trace = Trace::connected(options());
    trace.receives_bytes(&[b"\xD1\0".as_slice(), b"\x32\x07\0\x01t\0\x01\0x", b"\x62\x02\0\x05"].concat());
    trace.receives_bytes(b"\x32\x07\0\x01t\0\x02\0x");
    trace.publish(1, "late", QoS::AtMostOnce);
    trace.subscribe(2, "late");
    trace.passes(Duration::from_secs(1000));
    trace.breaks_off(ReasonCode::MALFORMED_PACKET);
    trace.tells_nothing();
}

#[test]
fn in_mqtt_311_every_fault_ends_the_connection_without_a_word() {
    // MQTT311-1.5.3-1, MQTT311-1.5.3-2, MQTT311-2.2.2-1, MQTT311-2.2.2-2, MQTT311-3.3.1-4, MQTT311-3.3.2-1,
    // MQTT311-3.3.2-2, MQTT311-3.6.1-1, MQTT311-4.7.1-1, MQTT311-4.8.0-1
    for (bytes, word) in [
        (&b"\x30\x04\0\x02\xC0\x80"[..], "UTF-8"),
        (b"\x30\x05\0\x03\xED\xA0\x80", "UTF-8"),
        (b"\x30\x05\0\x03a\0b", "U+0000"),
        (b"\xD1\0", "flags"),
        (b"\x60\x02\0\x01", "flags"),
        (b"\x62\x02\0\0", "Packet Identifier 0"),
        (b"\x36\x05\0\x01t\0\x01", "QoS 3"),
        (b"\x30\x05\0\x03a/#", "wildcards"),
        (b"\x30\x02\0\0", "Topic Name"),
        (b"\xD0\x80\x80\x80\x80\x01", "Variable Byte Integer"),
        (b"\xF0\0", "no such packet type"),
        (b"\x90\x03\0\x01\x03", "Reason Code 0x03"),
        (b"\x20\x02\0\0", "second CONNACK"),
    ] {
        let mut trace = Trace::connected(SessionOptions { strict: true, ..v311() });
        trace.receives_bytes(bytes);
        let end = trace.closes();
        assert!(end.detail.contains(word), "{bytes:02X?}: {}", end.detail);
        assert!(matches!(end.failure, Some(Status::MalformedPacket | Status::ProtocolError)), "{bytes:02X?}");
        trace.tells_nothing();
    }
}

#[test]
fn a_message_that_comes_again_and_again_and_can_not_be_taken_is_named() {
    // MQTT-1.5.4-1: it ends each connection on which it comes, and can't be acknowledged. Its sender has to be found.
    let ill_formed = packet(0x32, b"\0\x05pri\xFFe\0\x07", b"", b"payload");
    let end = refused(&ill_formed, ReasonCode::MALFORMED_PACKET);
    for part in ["'pri\u{FFFD}e'", "Packet Identifier 7", "well-formed", "again on each connection"] {
        assert!(end.detail.contains(part), "{}", end.detail);
    }
    let property = packet(0x34, b"\0\x05price\0\x07", b"\x26\0\x02\xC3\x28\0\0", b"payload");
    let end = refused(&property, ReasonCode::MALFORMED_PACKET);
    assert!(end.detail.contains("'price'") && end.detail.contains("again on each connection"), "{}", end.detail);
    // Of QoS 0 it comes once.
    let end = refused_by(strict(), &packet(0x30, b"\0\x02a#", b"", b""), ReasonCode::MALFORMED_PACKET);
    assert!(end.detail.contains("'a#'") && !end.detail.contains("again"), "{}", end.detail);
    // A control character is no line break of a log, and a long name is cut at a character.
    let long = [b"\x02\0\n".as_slice(), "\u{E4}".repeat(255).as_bytes(), b"\xFF\0\x07\0"].concat();
    let end = refused(&[b"\x32\x85\x04".as_slice(), &long].concat(), ReasonCode::MALFORMED_PACKET);
    assert!(end.detail.len() < 600 && !end.detail.contains('\n'), "{}", end.detail);
    // What breaks off before its Topic Name ends has no name.
    refused(b"\x32\x03\0\x05p", ReasonCode::MALFORMED_PACKET);
}

#[test]
fn a_connect_of_the_servers_in_an_unknown_version_is_a_protocol_error() {
    // MQTT-4.13.1-1; 0x84, which says more, has no place in DISCONNECT (section 3.14.2.1).
    let mut trace = Trace::connected(options());
    trace.receives_bytes(&[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 9, 2, 0, 0, 0, 0, 0]);
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}
