//! Reason Codes: which packet may carry which, by the table in the section of each packet.

use crate::{V5, V311, accepted, encoded, refused};
use mt5mqtt::codec::error::{EncodeError, Fault};
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::{Packet, encode};
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;

const MALFORMED: ReasonCode = ReasonCode(0x81);

/// The packet with this Reason Code, as bytes.
type Bytes = fn(u8) -> Vec<u8>;

const TABLES: [(PacketType, &[u8], Bytes); 9] = [
    // [MQTT-3.2.2-8], section 3.2.2.2
    (
        PacketType::Connack,
        &[
            0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A,
            0x9B, 0x9C, 0x9D, 0x9F,
        ],
        |code| vec![0x20, 3, 0, code, 0],
    ),
    // [MQTT-3.4.2-1], section 3.4.2.1
    (PacketType::Puback, &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99], |code| vec![0x40, 3, 0, 1, code]),
    // [MQTT-3.5.2-1], section 3.5.2.1
    (PacketType::Pubrec, &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99], |code| vec![0x50, 3, 0, 1, code]),
    // [MQTT-3.6.2-1], section 3.6.2.1
    (PacketType::Pubrel, &[0x00, 0x92], |code| vec![0x62, 3, 0, 1, code]),
    // [MQTT-3.7.2-1], section 3.7.2.1
    (PacketType::Pubcomp, &[0x00, 0x92], |code| vec![0x70, 3, 0, 1, code]),
    // [MQTT-3.9.3-2], section 3.9.3
    (
        PacketType::Suback,
        &[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2],
        // Behind a code that is good.
        |code| vec![0x90, 5, 0, 1, 0, 0, code],
    ),
    // [MQTT-3.11.3-2], section 3.11.3
    (PacketType::Unsuback, &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91], |code| vec![0xB0, 5, 0, 1, 0, 0, code]),
    // [MQTT-3.14.2-1], section 3.14.2.1, and 0x8C, which section 2.4 gives to DISCONNECT too
    (
        PacketType::Disconnect,
        &[
            0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96,
            0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
        ],
        |code| vec![0xE0, 1, code],
    ),
    // [MQTT-3.15.2-1], section 3.15.2.1
    (PacketType::Auth, &[0x00, 0x18, 0x19], |code| vec![0xF0, 6, code, 4, 0x15, 0, 1, b'm']),
];

/// The Reason Code in question.
fn reason<'p>(packet: &'p mut Packet<'_>) -> &'p mut u8 {
    match packet {
        Packet::Connack(connack) => &mut connack.reason.0,
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => &mut ack.reason.0,
        Packet::Suback(suback) => &mut suback.reasons.last_mut().expect("two codes").0,
        Packet::Unsuback(unsuback) => &mut unsuback.reasons.last_mut().expect("two codes").0,
        Packet::Disconnect(disconnect) => &mut disconnect.reason.0,
        Packet::Auth(auth) => &mut auth.reason.0,
        _ => panic!("{packet:?} has no Reason Code"),
    }
}

#[test]
fn each_packet_carries_the_reason_codes_of_its_table_and_no_others() {
    // MQTT-3.14.2-1, MQTT-3.15.2-1, MQTT-3.2.2-8, MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.6.2-1, MQTT-3.7.2-1, MQTT-3.9.3-2,
    // MQTT-3.11.3-2
    for (packet_type, listed, bytes) in TABLES {
        let good = bytes(0);
        let mut packet = accepted("Success", V5, &good);
        for code in 0..=255 {
            let case = format!("0x{code:02X} in {packet_type:?}");
            *reason(&mut packet) = code;
            assert_eq!(ReasonCode(code).allowed_in(packet_type), listed.contains(&code), "{case}");
            if listed.contains(&code) {
                assert_eq!(accepted(&case, V5, &bytes(code)), packet, "{case}");
                let again = encoded(&case, V5, &packet);
                assert_eq!(accepted(&case, V5, &again), packet, "{case}");
            } else {
                assert_eq!(refused(&case, V5, &bytes(code), MALFORMED), Fault::ReasonCode(code), "{case}");
                let error = encode(&packet, V5, usize::MAX, &mut Vec::new());
                assert_eq!(error, Err(EncodeError::ReasonCode(ReasonCode(code))), "{case}");
            }
        }
    }
}

#[test]
fn the_return_codes_of_mqtt_311_are_told_as_reason_codes() {
    // 3.1.1 table 3.1
    let table = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87];
    for code in 0..=255u8 {
        let bytes = [0x20, 2, 0, code];
        match table.get(usize::from(code)) {
            Some(reason) => {
                let Packet::Connack(connack) = accepted("CONNACK", V311, &bytes) else { panic!() };
                assert_eq!(connack.reason, ReasonCode(*reason));
            }
            None => assert_eq!(refused("CONNACK", V311, &bytes, MALFORMED), Fault::ReasonCode(code)),
        }
    }
    let mut packet = accepted("CONNACK", V311, &[0x20, 2, 0, 0]);
    for code in (0..=255).filter(|code| !table.contains(code)) {
        *reason(&mut packet) = code;
        let error = encode(&packet, V311, usize::MAX, &mut Vec::new());
        assert_eq!(error, Err(EncodeError::ReasonCode(ReasonCode(code))));
    }
}

#[test]
fn suback_of_mqtt_311_has_four_return_codes() {
    // [MQTT311-3.9.3-2]
    let mut packet = accepted("SUBACK", V311, &[0x90, 3, 0, 1, 0]);
    for code in 0..=255u8 {
        let bytes = [0x90, 3, 0, 1, code];
        *reason(&mut packet) = code;
        if matches!(code, 0 | 1 | 2 | 0x80) {
            assert_eq!(accepted("SUBACK", V311, &bytes), packet);
            assert_eq!(encoded("SUBACK", V311, &packet), bytes);
        } else {
            assert_eq!(refused("SUBACK", V311, &bytes, MALFORMED), Fault::ReasonCode(code));
            let error = encode(&packet, V311, usize::MAX, &mut Vec::new());
            assert_eq!(error, Err(EncodeError::ReasonCode(ReasonCode(code))));
        }
    }
}

#[test]
fn reason_codes_have_the_names_of_the_standard() {
    // Section 2.4
    for (code, name) in [
        (0x00, "Success"),
        (0x01, "Granted QoS 1"),
        (0x02, "Granted QoS 2"),
        (0x04, "Disconnect with Will Message"),
        (0x10, "No matching subscribers"),
        (0x11, "No subscription existed"),
        (0x18, "Continue authentication"),
        (0x19, "Re-authenticate"),
        (0x80, "Unspecified error"),
        (0x81, "Malformed Packet"),
        (0x82, "Protocol Error"),
        (0x83, "Implementation specific error"),
        (0x84, "Unsupported Protocol Version"),
        (0x85, "Client Identifier not valid"),
        (0x86, "Bad User Name or Password"),
        (0x87, "Not authorized"),
        (0x88, "Server unavailable"),
        (0x89, "Server busy"),
        (0x8A, "Banned"),
        (0x8B, "Server shutting down"),
        (0x8C, "Bad authentication method"),
        (0x8D, "Keep Alive timeout"),
        (0x8E, "Session taken over"),
        (0x8F, "Topic Filter invalid"),
        (0x90, "Topic Name invalid"),
        (0x91, "Packet Identifier in use"),
        (0x92, "Packet Identifier not found"),
        (0x93, "Receive Maximum exceeded"),
        (0x94, "Topic Alias invalid"),
        (0x95, "Packet too large"),
        (0x96, "Message rate too high"),
        (0x97, "Quota exceeded"),
        (0x98, "Administrative action"),
        (0x99, "Payload format invalid"),
        (0x9A, "Retain not supported"),
        (0x9B, "QoS not supported"),
        (0x9C, "Use another server"),
        (0x9D, "Server moved"),
        (0x9E, "Shared Subscriptions not supported"),
        (0x9F, "Connection rate exceeded"),
        (0xA0, "Maximum connect time"),
        (0xA1, "Subscription Identifiers not supported"),
        (0xA2, "Wildcard Subscriptions not supported"),
    ] {
        assert_eq!(ReasonCode(code).name(), name);
        assert_eq!(ReasonCode(code).is_error(), code >= 0x80);
    }
}

#[test]
fn reason_code_0_is_written_when_properties_follow_it() {
    // Sections 3.4.2.1 and 3.14.2.1: only what stands last can be left out.
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::ReasonString, Value::Text("r")).expect("a Reason String");
    let mut packet = accepted("DISCONNECT", V5, &[0xE0, 0]);
    let Packet::Disconnect(disconnect) = &mut packet else { panic!() };
    disconnect.properties = properties.as_properties();
    assert_eq!(encoded("DISCONNECT", V5, &packet), b"\xE0\x06\x00\x04\x1F\x00\x01r");
}

#[test]
fn some_reason_codes_are_the_servers_alone() {
    // The columns "sent by" of sections 3.4.2.1, 3.5.2.1 and 3.14.2.1; 0x8C stands in section 2.4 only, which has none.
    let of_a_client: [(PacketType, &[u8]); 5] = [
        (PacketType::Puback, &[0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
        (PacketType::Pubrec, &[0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
        (PacketType::Pubrel, &[0x00, 0x92]),
        (PacketType::Pubcomp, &[0x00, 0x92]),
        (
            PacketType::Disconnect,
            &[0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x8C, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99],
        ),
    ];
    for (packet, codes) in of_a_client {
        let all: Vec<u8> = (0..=u8::MAX).filter(|code| ReasonCode(*code).client_sends_in(packet)).collect();
        assert_eq!(all, codes, "{packet:?}");
    }
}
