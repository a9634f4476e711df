//! The fixed fields of packets: Packet Identifiers, flags, options, protocol name and version, topics, forms that may be
//! longer than they need to be.

use crate::good::{Vector, vectors};
use crate::{V5, V311, accepted, encoded, field, framed, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::error::Fault;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicError;

const MALFORMED: ReasonCode = ReasonCode(0x81);
const PROTOCOL_ERROR: ReasonCode = ReasonCode(0x82);
const UNSUPPORTED_PROTOCOL_VERSION: ReasonCode = ReasonCode(0x84);

#[test]
fn a_packet_identifier_is_never_0() {
    // [MQTT-2.2.1-3] [MQTT-2.2.1-4] [MQTT-2.2.1-5] [MQTT-2.2.1-6]; [MQTT311-2.3.1-1]
    let mut refusals = 0;
    for Vector { case, version, mut bytes, packet } in vectors() {
        let place = match packet {
            Packet::Publish(publish) if publish.qos == QoS::AtMostOnce => continue,
            // Behind the Topic Name "a/b".
            Packet::Publish(_) => 2 + 5,
            Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubrel(_) | Packet::Pubcomp(_) => 2,
            Packet::Subscribe(_) | Packet::Suback(_) | Packet::Unsubscribe(_) | Packet::Unsuback(_) => 2,
            _ => continue,
        };
        bytes[place..place + 2].fill(0);
        assert_eq!(refused(case, version, &bytes, MALFORMED), Fault::PacketIdZero, "{case}");
        refusals += 1;
    }
    // Two PUBLISH, three of each acknowledgement and five others; in 3.1.1 one PUBLISH and eight others.
    assert_eq!(refusals, 2 + 12 + 5 + 1 + 8);
}

#[test]
fn connect_flags_must_fit_together() {
    // 5-3.1.2.3-a, 5-3.1.2.6-a
    let connect_v5 = |flags| framed(0x10, &[b"\x00\x04MQTT\x05", &[flags], b"\x00\x3C\x00\x00\x01c"]);
    let connect_v311 = |flags| framed(0x10, &[b"\x00\x04MQTT\x04", &[flags], b"\x00\x3C\x00\x01c"]);
    for (version, connect) in [(V5, &connect_v5 as &dyn Fn(u8) -> Vec<u8>), (V311, &connect_v311)] {
        accepted("no flags", version, &connect(0));
        // [MQTT-3.1.2-3]
        let fault = refused("the reserved flag", version, &connect(0x03), MALFORMED);
        assert!(matches!(fault, Fault::Reserved(_)), "{fault:?}");
        // Section 3.1.2.6; [MQTT311-3.1.2-14]
        assert_eq!(refused("Will QoS 3", version, &connect(0x1C), MALFORMED), Fault::QoS);
        assert_eq!(refused("QoS 3 without Will", version, &connect(0x18), MALFORMED), Fault::QoS);
        // [MQTT-3.1.2-11] [MQTT-3.1.2-13]; [MQTT311-3.1.2-13] [MQTT311-3.1.2-15]
        for flags in [0x08, 0x10, 0x20, 0x28] {
            let fault = refused("Will QoS or Will Retain without Will", version, &connect(flags), MALFORMED);
            assert!(matches!(fault, Fault::Reserved(_)), "{flags:02X}: {fault:?}");
        }
        // [MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19]: announced and not there; Will, User Name, both secrets
        for flags in [0x04, 0x80, 0xC0] {
            let fault = refused("a field that is missing", version, &connect(flags), MALFORMED);
            assert_eq!(fault, Fault::Truncated, "{flags:02X}");
        }
    }
    // [MQTT311-3.1.2-22]
    let bytes = framed(0x10, &[b"\x00\x04MQTT\x04\x40\x00\x3C\x00\x01c\x00\x01p"]);
    let fault = refused("Password without User Name", V311, &bytes, PROTOCOL_ERROR);
    assert!(matches!(fault, Fault::Contradiction(_)), "{fault:?}");
    // [MQTT-4.7.3-1] [MQTT-3.3.2-2] for the Will Topic
    for (topic, error) in [("", TopicError::Empty), ("a/#", TopicError::WildcardInName)] {
        let will = [b"\x00\x04MQTT\x05\x06\x00\x3C\x00\x00\x00\x00".as_slice(), &field(topic.as_bytes()), &[0, 0]];
        assert_eq!(refused("Will Topic", V5, &framed(0x10, &will), MALFORMED), Fault::Topic(error));
    }
}

#[test]
fn protocol_name_and_version_are_those_of_this_client() {
    // [MQTT-3.1.2-1] [MQTT-3.1.2-2]
    for bytes in [
        b"\x00\x04MQTT\x03\x02\x00\x3C\x00\x00".as_slice(),
        b"\x00\x04MQTT\x06\x02\x00\x3C\x00\x00\x00",
        b"\x00\x04MQTT\x85\x02\x00\x3C\x00\x00\x00",
        b"\x00\x06MQIsdp\x03\x02\x00\x3C\x00\x00",
        b"\x00\x04mqtt\x05\x02\x00\x3C\x00\x00\x00",
        b"\x00\x00\x05\x02\x00\x3C\x00\x00\x00",
    ] {
        let bytes = framed(0x10, &[bytes]);
        assert_eq!(refused("CONNECT", V5, &bytes, UNSUPPORTED_PROTOCOL_VERSION), Fault::ProtocolVersion);
    }
}

#[test]
fn connack_flags_are_session_present_alone() {
    // [MQTT-3.2.2-1]; in 3.1.1 section 3.2.2.1
    for flags in 2..=255 {
        for (version, bytes) in [(V5, &[0x20, 3, flags, 0, 0][..]), (V311, &[0x20, 2, flags, 0])] {
            let fault = refused("Connect Acknowledge Flags", version, bytes, MALFORMED);
            assert!(matches!(fault, Fault::Reserved(_)), "{flags:02X}: {fault:?}");
        }
    }
}

#[test]
fn the_refusal_of_a_server_without_mqtt_5_is_understood() {
    // [MQTT311-3.1.2-2] makes such a Server answer a CONNECT of MQTT 5.0 with its own CONNACK and return code 1.
    let refusal =
        Connack { session_present: false, reason: UNSUPPORTED_PROTOCOL_VERSION, properties: Properties::EMPTY };
    assert_eq!(accepted("CONNACK 1", V5, b"\x20\x02\x00\x01"), Packet::Connack(refusal));
    // Nothing else of the short form passes for MQTT 5.0.
    assert_eq!(refused("CONNACK 0", V5, b"\x20\x02\x00\x00", MALFORMED), Fault::Truncated);
    assert_eq!(refused("CONNACK 2", V5, b"\x20\x02\x00\x02", MALFORMED), Fault::ReasonCode(2));
    assert_eq!(refused("CONNACK 1 with properties", V5, b"\x20\x03\x00\x01\x00", MALFORMED), Fault::ReasonCode(1));
}

#[test]
fn each_subscription_options_byte_is_read_or_refused() {
    // 5-3.8.3.1-a, 5-3.8.3.1-b; section 3.8.3.1, [MQTT-3.8.3-5]; [MQTT311-3.8.3-4]
    for byte in 0..=255u8 {
        let case = format!("Subscription Options {byte:08b}");
        let bytes = framed(0x82, &[&[0, 1, 0], &field(b"a"), &[byte]]);
        let (qos, retain_handling) = (byte & 3, byte >> 4 & 3);
        if byte & 0xC0 != 0 {
            assert!(matches!(refused(&case, V5, &bytes, MALFORMED), Fault::Reserved(_)), "{case}");
        } else if qos == 3 || retain_handling == 3 {
            assert!(matches!(refused(&case, V5, &bytes, PROTOCOL_ERROR), Fault::Contradiction(_)), "{case}");
        } else {
            let packet = accepted(&case, V5, &bytes);
            let Packet::Subscribe(subscribe) = &packet else { panic!("{case}") };
            let options = subscribe.subscriptions[0].options;
            assert_eq!((options.maximum_qos as u8, options.retain_handling as u8), (qos, retain_handling), "{case}");
            assert_eq!((options.no_local, options.retain_as_published), (byte & 4 != 0, byte & 8 != 0), "{case}");
            assert_eq!(encoded(&case, V5, &packet), bytes, "{case}");
        }
        let bytes = framed(0x82, &[&[0, 1], &field(b"a"), &[byte]]);
        match byte {
            0..=2 => {
                let Packet::Subscribe(subscribe) = accepted(&case, V311, &bytes) else { panic!("{case}") };
                assert_eq!(subscribe.subscriptions[0].options.maximum_qos as u8, byte);
            }
            3 => assert!(matches!(refused(&case, V311, &bytes, PROTOCOL_ERROR), Fault::Contradiction(_))),
            _ => assert!(matches!(refused(&case, V311, &bytes, MALFORMED), Fault::Reserved(_)), "{case}"),
        }
    }
    // [MQTT-3.8.3-4]
    let bytes = framed(0x82, &[&[0, 1, 0], &field(b"$share/g/a"), &[0x04]]);
    let fault = refused("No Local on a Shared Subscription", V5, &bytes, PROTOCOL_ERROR);
    assert!(matches!(fault, Fault::Contradiction(_)), "{fault:?}");
}

#[test]
fn there_is_at_least_one_topic_filter_or_reason_code() {
    // [MQTT-3.8.3-2] [MQTT-3.10.3-2], sections 3.8.3 and 3.10.3; [MQTT-3.8.4-6] and section 3.11.3;
    // [MQTT311-3.8.3-3] [MQTT311-3.10.3-2] [MQTT311-3.8.4-5]
    for first in [0x82, 0x90, 0xA2, 0xB0] {
        let fault = refused("no payload", V5, &[first, 3, 0, 1, 0], PROTOCOL_ERROR);
        assert_eq!(fault, Fault::EmptyPayload, "{first:02X}");
    }
    for first in [0x82, 0x90, 0xA2] {
        let fault = refused("no payload", V311, &[first, 2, 0, 1], PROTOCOL_ERROR);
        assert_eq!(fault, Fault::EmptyPayload, "{first:02X}");
    }
}

#[test]
fn topic_names_have_no_wildcards_and_are_not_empty() {
    // MQTT-3.3.2-2, MQTT-4.7.0-1, MQTT311-3.3.2-2, 5-3.3.2.1-a
    for topic in ["+", "#", "a/+/b", "a/#", "a+b"] {
        for (version, bytes) in
            [(V5, framed(0x30, &[&field(topic.as_bytes()), &[0]])), (V311, framed(0x30, &[&field(topic.as_bytes())]))]
        {
            let fault = refused(topic, version, &bytes, MALFORMED);
            assert_eq!(fault, Fault::Topic(TopicError::WildcardInName), "{topic}");
        }
    }
    // Section 3.3.2.1; [MQTT311-4.7.3-1]
    assert_eq!(refused("no topic", V5, b"\x30\x03\x00\x00\x00", PROTOCOL_ERROR), Fault::NoTopic);
    assert_eq!(refused("no topic", V311, b"\x30\x02\x00\x00", PROTOCOL_ERROR), Fault::NoTopic);
}

#[test]
fn topic_filters_follow_their_rules() {
    // MQTT311-4.7.1-2, MQTT311-4.7.1-3
    for (filter, error) in [
        // [MQTT-4.7.3-1]
        ("", TopicError::Empty),
        // [MQTT-4.7.1-1]
        ("a/#/b", TopicError::MultiLevelWildcard),
        ("a#", TopicError::MultiLevelWildcard),
        // [MQTT-4.7.1-2]
        ("a+/b", TopicError::SingleLevelWildcard),
        // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
        ("$share//a", TopicError::SharedSubscription),
        ("$share/g", TopicError::SharedSubscription),
        ("$share/g/", TopicError::SharedSubscription),
        ("$share/g+/a", TopicError::SharedSubscription),
        ("$share/g/a#", TopicError::MultiLevelWildcard),
    ] {
        let filter = field(filter.as_bytes());
        for (version, bytes) in [
            (V5, framed(0x82, &[&[0, 1, 0], &filter, &[0]])),
            (V5, framed(0xA2, &[&[0, 1, 0], &filter])),
            (V311, framed(0x82, &[&[0, 1], &filter, &[0]])),
            (V311, framed(0xA2, &[&[0, 1], &filter])),
        ] {
            assert_eq!(refused("Topic Filter", version, &bytes, MALFORMED), Fault::Topic(error), "{filter:?}");
        }
    }
}

#[test]
fn forms_longer_than_they_need_to_be_mean_the_same() {
    // Sections 3.4.2.1, 3.5.2.1, 3.6.2.1, 3.7.2.1 and 3.14.2.1: what can be left out need not be.
    for first in [0x40, 0x50, 0x62, 0x70] {
        let bytes = [first, 2, 0, 7];
        let short = accepted("short", V5, &bytes);
        assert_eq!(accepted("with Reason Code", V5, &[first, 3, 0, 7, 0]), short);
        assert_eq!(accepted("with Property Length", V5, &[first, 4, 0, 7, 0, 0]), short);
    }
    let short = accepted("short", V5, &[0xE0, 0]);
    assert_eq!(accepted("with Reason Code", V5, &[0xE0, 1, 0]), short);
    assert_eq!(accepted("with Property Length", V5, &[0xE0, 2, 0, 0]), short);
    // MQTT 3.1.1 has but the one form.
    for bytes in [&[0x40, 3, 0, 7, 0][..], &[0x70, 4, 0, 7, 0, 0], &[0xE0, 1, 0], &[0xB0, 3, 0, 7, 0]] {
        assert_eq!(refused("MQTT 3.1.1", V311, bytes, MALFORMED), Fault::TrailingBytes);
    }
}
