//! CONNECT as its bytes, read here by hand and not by the codec: which flags are set, which fields follow and in what order.

use crate::trace::*;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::options::{SessionOptions, WillMessage};
use mt5mqtt::types::QoS;

const USER_NAME: u8 = 0x80;
const PASSWORD: u8 = 0x40;
const WILL_RETAIN: u8 = 0x20;
const WILL: u8 = 0x04;
const CLEAN_START: u8 = 0x02;

struct Raw {
    /// Fixed Header, protocol name and version.
    start: Vec<u8>,
    flags: u8,
    keep_alive: u16,
    /// What stands behind the properties of CONNECT: fields with their length in two bytes, the Will Properties without.
    payload: Vec<u8>,
}

/// The first packet of a Session with these options.
fn first_packet(options: SessionOptions) -> Raw {
    let v5 = options.version == mt5mqtt::types::ProtocolVersion::V5;
    let mut trace = Trace::new(options);
    trace.opens();
    let bytes = trace.session.output().to_vec();
    let length_bytes = bytes[1..].iter().position(|byte| byte & 0x80 == 0).expect("a Remaining Length") + 1;
    let variable = &bytes[1 + length_bytes..];
    let (flags, keep_alive) = (variable[7], u16::from_be_bytes([variable[8], variable[9]]));
    let mut rest = &variable[10..];
    if v5 {
        assert!(rest[0] < 128, "few properties");
        rest = &rest[1 + usize::from(rest[0])..];
    }
    let start = [&bytes[..1], &variable[..7]].concat();
    Raw { start, flags, keep_alive, payload: rest.to_vec() }
}

fn with_will(options: SessionOptions, qos: QoS, retain: bool) -> SessionOptions {
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::WillDelayInterval, Value::Int(5)).unwrap();
    SessionOptions { will: Some(WillMessage { message: message("gone", qos, retain), properties }), ..options }
}

fn with_credentials(options: SessionOptions) -> SessionOptions {
    SessionOptions { user_name: Some("me".to_owned()), password: Some(vec![0, 0xFF].into()), ..options }
}

#[test]
fn it_names_the_protocol_and_its_version() {
    // MQTT-3.1.2-1, MQTT-3.1.0-1, MQTT311-3.1.0-1: CONNECT is the first packet.
    assert_eq!(first_packet(options()).start, b"\x10\0\x04MQTT\x05");
    assert_eq!(first_packet(v311()).start, b"\x10\0\x04MQTT\x04");
}

#[test]
fn without_will_and_credentials_only_the_client_identifier_follows() {
    // MQTT-3.1.2-11, MQTT-3.1.2-13, MQTT-3.1.2-16, MQTT-3.1.2-18, MQTT-3.1.3-3, 5-3.1.2.3-a: no flag, and nothing where
    // none announces it. MQTT311-3.1.2-11, MQTT311-3.1.2-13, MQTT311-3.1.2-15, MQTT311-3.1.2-18, MQTT311-3.1.2-20,
    // MQTT311-3.1.2-22, MQTT311-3.1.3-3
    for options in [options(), v311()] {
        let raw = first_packet(options);
        assert_eq!((raw.flags, raw.keep_alive), (CLEAN_START, 30));
        assert_eq!(raw.payload, b"\0\x01c");
    }
}

#[test]
fn an_empty_client_identifier_is_present_too() {
    // MQTT-3.1.3-3, MQTT311-3.1.3-3; MQTT311-3.1.3-7: with Clean Session.
    for options in [options(), SessionOptions { clean_start: false, ..v311() }] {
        let raw = first_packet(SessionOptions { client_id: String::new(), ..options });
        assert_eq!((raw.flags, raw.payload.as_slice()), (CLEAN_START, &b"\0\0"[..]));
    }
}

#[test]
fn all_fields_follow_in_their_order() {
    // MQTT-3.1.3-1, MQTT-3.1.2-9, MQTT-3.1.2-17, MQTT-3.1.2-19, MQTT-3.1.3-12: Client Identifier, Will Properties, Will
    // Topic, Will Payload, User Name, Password.
    let raw = first_packet(with_credentials(with_will(options(), QoS::AtLeastOnce, true)));
    assert_eq!(raw.flags, USER_NAME | PASSWORD | WILL_RETAIN | 1 << 3 | WILL | CLEAN_START);
    assert_eq!(raw.payload, b"\0\x01c\x05\x18\0\0\0\x05\0\x01t\0\x04gone\0\x02me\0\x02\0\xFF");
    // MQTT311-3.1.3-1, MQTT311-3.1.2-9, MQTT311-3.1.2-19, MQTT311-3.1.2-21
    let raw = first_packet(with_credentials(with_will(v311(), QoS::AtLeastOnce, true)));
    assert_eq!(raw.flags, USER_NAME | PASSWORD | WILL_RETAIN | 1 << 3 | WILL | CLEAN_START);
    assert_eq!(raw.payload, b"\0\x01c\0\x01t\0\x04gone\0\x02me\0\x02\0\xFF");
}

#[test]
fn user_name_and_password_have_a_flag_each() {
    // MQTT-3.1.2-16, MQTT-3.1.2-17, MQTT-3.1.2-18, MQTT-3.1.2-19: MQTT 5.0 allows either alone.
    let raw = first_packet(SessionOptions { password: None, ..with_credentials(options()) });
    assert_eq!((raw.flags, raw.payload.as_slice()), (USER_NAME | CLEAN_START, &b"\0\x01c\0\x02me"[..]));
    let raw = first_packet(SessionOptions { user_name: None, ..with_credentials(options()) });
    assert_eq!((raw.flags, raw.payload.as_slice()), (PASSWORD | CLEAN_START, &b"\0\x01c\0\x02\0\xFF"[..]));
    // MQTT311-3.1.2-18, MQTT311-3.1.2-19, MQTT311-3.1.2-20
    let raw = first_packet(SessionOptions { password: None, ..with_credentials(v311()) });
    assert_eq!((raw.flags, raw.payload.as_slice()), (USER_NAME | CLEAN_START, &b"\0\x01c\0\x02me"[..]));
}

#[test]
fn each_will_qos_stands_in_the_flags() {
    // MQTT-3.1.2-12, MQTT311-3.1.2-14, 5-3.1.2.6-a: 0, 1 and 2, and there is no 3 that a program could ask for.
    for options in [options(), v311()] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let raw = first_packet(with_will(options.clone(), qos, false));
            assert_eq!(raw.flags, (qos as u8) << 3 | WILL | CLEAN_START);
        }
    }
    assert_eq!(QoS::from_u8(3), None);
}
