//! What can't be encoded: sizes above a limit, fields that don't go together. After each error the output is as it was.

use crate::good::{Vector, vectors};
use crate::{NO_LIMIT, V5, V311, encoded, id};
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::connect::{Connect, Will};
use mt5mqtt::codec::disconnect::Auth;
use mt5mqtt::codec::error::EncodeError;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyError, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::subscribe::{RetainHandling, Suback, Subscribe, Subscription, SubscriptionOptions};
use mt5mqtt::codec::unsubscribe::{Unsuback, Unsubscribe};
use mt5mqtt::codec::{Packet, encode, encode_with_alias};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::text::TextError;
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};

/// Why the packet can't be encoded, once it has been checked that nothing was written.
#[track_caller]
fn failure(version: ProtocolVersion, maximum: usize, packet: &Packet<'_>) -> EncodeError {
    let mut out = b"before".to_vec();
    let error = encode(packet, version, maximum, &mut out).expect_err("a packet that can't be encoded");
    assert_eq!(out, b"before", "{error}");
    error
}

fn topic(name: &str) -> Option<TopicName<'_>> {
    Some(TopicName::new(name).expect("a Topic Name"))
}

fn set(id: PropertyId, value: Value<'_>) -> PropertiesBuf {
    let mut set = PropertiesBuf::new();
    set.add(id, value).expect("a valid property");
    set
}

fn connect(version: ProtocolVersion) -> Connect<'static> {
    Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        properties: Properties::EMPTY,
        client_id: "c",
        will: None,
        user_name: None,
        password: None,
    }
}

const PUBLISH: Publish<'static> = Publish {
    dup: false,
    qos: QoS::AtMostOnce,
    retain: false,
    topic: None,
    packet_id: None,
    properties: Properties::EMPTY,
    payload: b"",
};

#[test]
fn a_packet_is_appended_to_what_is_there() {
    for Vector { case, version, bytes, packet } in vectors() {
        let mut out = b"before".to_vec();
        encode(&packet, version, NO_LIMIT, &mut out).expect(case);
        assert_eq!(out, [b"before", bytes.as_slice()].concat(), "{case}");
    }
}

#[test]
fn nothing_above_the_peers_maximum_packet_size_is_written() {
    // [MQTT-3.2.2-15]
    for Vector { case, version, bytes, packet } in vectors() {
        let (size, maximum) = (bytes.len(), bytes.len() - 1);
        assert_eq!(failure(version, maximum, &packet), EncodeError::TooLarge { size, maximum }, "{case}");
        assert!(encode(&packet, version, size, &mut Vec::new()).is_ok(), "{case}");
    }
}

#[test]
fn nothing_above_the_largest_remaining_length_is_written() {
    // Section 2.1.4: 268,435,455 bytes. The memory is only reserved, as zeros are never touched.
    let payload = vec![0; 268_435_455];
    let publish = Publish { topic: topic("t"), payload: &payload, ..PUBLISH };
    let error = failure(V311, NO_LIMIT, &Packet::Publish(publish));
    assert_eq!(error, EncodeError::TooLarge { size: 268_435_458, maximum: 268_435_455 });
}

#[test]
fn fields_that_their_length_cannot_tell_are_named() {
    // MQTT311-3.1.3-4, MQTT311-3.1.3-11, MQTT-1.5.4-2, MQTT-3.1.3-4, MQTT-3.1.3-12; sections 1.5.4 and 1.5.6: 65,535
    // bytes
    let long = "x".repeat(65_536);
    let will = |payload| Will {
        topic: topic("w").expect("a Topic Name"),
        payload,
        qos: QoS::AtMostOnce,
        retain: false,
        properties: Properties::EMPTY,
    };
    for (connect, error, text) in [
        (
            Connect { client_id: &long, ..connect(V5) },
            EncodeError::Text("Client Identifier", TextError::TooLong),
            "Client Identifier: the text is longer than 65,535 bytes of UTF-8",
        ),
        (
            Connect { client_id: "a\0b", ..connect(V5) },
            EncodeError::Text("Client Identifier", TextError::Null),
            "Client Identifier: the text holds the character U+0000",
        ),
        (
            Connect { user_name: Some(&long), ..connect(V5) },
            EncodeError::Text("User Name", TextError::TooLong),
            "User Name: the text is longer than 65,535 bytes of UTF-8",
        ),
        (
            Connect { password: Some(long.as_bytes()), ..connect(V5) },
            EncodeError::FieldTooLong("Password"),
            "Password is longer than 65,535 bytes",
        ),
        (
            Connect { will: Some(will(long.as_bytes())), ..connect(V5) },
            EncodeError::FieldTooLong("Will Payload"),
            "Will Payload is longer than 65,535 bytes",
        ),
    ] {
        let found = failure(V5, NO_LIMIT, &Packet::Connect(connect));
        assert_eq!(found, error);
        assert_eq!(found.to_string(), text);
    }
    let longest = &long[1..];
    let most =
        Connect { client_id: longest, user_name: Some(longest), password: Some(longest.as_bytes()), ..connect(V5) };
    encoded("65,535 bytes", V5, &Packet::Connect(most));
}

#[test]
fn a_packet_identifier_goes_with_qos_1_and_2() {
    // [MQTT-2.2.1-2] [MQTT-2.2.1-3]
    for (qos, packet_id) in [(QoS::AtMostOnce, Some(id(1))), (QoS::AtLeastOnce, None), (QoS::ExactlyOnce, None)] {
        let publish = Publish { qos, packet_id, topic: topic("t"), ..PUBLISH };
        assert_eq!(failure(V5, NO_LIMIT, &Packet::Publish(publish)), EncodeError::PacketId(qos));
    }
}

#[test]
fn dup_is_0_with_qos_0() {
    // [MQTT-3.3.1-2]
    let publish = Publish { dup: true, topic: topic("t"), ..PUBLISH };
    assert_eq!(encoded("DUP", V5, &Packet::Publish(publish)), b"\x30\x04\x00\x01t\x00");
}

#[test]
fn a_publish_names_its_topic() {
    // 5-3.3.2.1-a; section 3.3.2.1; MQTT 3.1.1 has no Topic Aliases.
    let alias = set(PropertyId::TopicAlias, Value::Int(1));
    let with_alias = Packet::Publish(Publish { properties: alias.as_properties(), ..PUBLISH });
    assert!(matches!(failure(V5, NO_LIMIT, &Packet::Publish(PUBLISH)), EncodeError::Contradiction(_)));
    assert!(matches!(failure(V311, NO_LIMIT, &with_alias), EncodeError::Contradiction(_)));
    encoded("Topic Alias", V5, &with_alias);
}

#[test]
fn an_alias_that_is_added_stands_before_the_other_properties() {
    // 5-3.3.2.1-a; section 3.3.2.3.4
    let alias = set(PropertyId::TopicAlias, Value::Int(7));
    let content_type = set(PropertyId::ContentType, Value::Text("json"));
    for (name, others) in [(topic("t"), &PropertiesBuf::new()), (None, &content_type)] {
        let publish = Publish { topic: name, properties: others.as_properties(), payload: b"pay", ..PUBLISH };
        let mut out = b"before".to_vec();
        encode_with_alias(&publish, id(7), NO_LIMIT, &mut out).expect("a packet that can be encoded");
        let mut all = alias.clone();
        all.extend(others.as_properties());
        let all = Publish { properties: all.as_properties(), ..publish.clone() };
        assert_eq!(out[6..], encoded("the same", V5, &Packet::Publish(all)));
        let size = out.len() - 6;
        out.truncate(6);
        let error = encode_with_alias(&publish, id(7), size - 1, &mut out);
        assert_eq!(error, Err(EncodeError::TooLarge { size, maximum: size - 1 }));
        assert_eq!(out, b"before");
    }
    let has_one = Publish { properties: alias.as_properties(), ..PUBLISH };
    let error = encode_with_alias(&has_one, id(8), NO_LIMIT, &mut Vec::new());
    assert_eq!(error, Err(EncodeError::Property(PropertyError::Twice(PropertyId::TopicAlias))));
}

#[test]
fn properties_stand_where_they_belong_and_once() {
    let alias = set(PropertyId::TopicAlias, Value::Int(1));
    let mut twice = set(PropertyId::ReasonString, Value::Text("a"));
    twice.extend(set(PropertyId::ReasonString, Value::Text("b")).as_properties());
    for (properties, error) in [
        (&alias, PropertyError::NotAllowed(PropertyId::TopicAlias)),
        (&twice, PropertyError::Twice(PropertyId::ReasonString)),
    ] {
        let properties = properties.as_properties();
        let ack = Ack { packet_id: id(1), reason: ReasonCode::SUCCESS, properties };
        let packets = [
            Packet::Connack(Connack { session_present: false, reason: ReasonCode::SUCCESS, properties }),
            Packet::Puback(ack.clone()),
            Packet::Pubcomp(ack),
            Packet::Suback(Suback { packet_id: id(1), properties, reasons: vec![ReasonCode::SUCCESS] }),
        ];
        for packet in packets {
            assert_eq!(failure(V5, NO_LIMIT, &packet), EncodeError::Property(error), "{packet:?}");
        }
    }
    // With a Topic Name, and a payload that would follow.
    let twice = twice.as_properties();
    let publish = Publish { topic: topic("t"), properties: twice, payload: b"pay", ..PUBLISH };
    let error = PropertyError::NotAllowed(PropertyId::ReasonString);
    assert_eq!(failure(V5, NO_LIMIT, &Packet::Publish(publish)), EncodeError::Property(error));
}

#[test]
fn what_contradicts_itself_is_refused() {
    // 5-3.15.2.2.2-a, 5-3.1.2.11.10-a
    let contradictory = |version, packet: &Packet<'_>| {
        let error = failure(version, NO_LIMIT, packet);
        assert!(matches!(error, EncodeError::Contradiction(_)), "{error:?}");
    };
    // [MQTT311-3.1.2-22]
    let connect = |version| Connect { password: Some(b"p"), ..connect(version) };
    contradictory(V311, &Packet::Connect(connect(V311)));
    encoded("MQTT 5.0", V5, &Packet::Connect(connect(V5)));
    // Section 3.1.2.11.10
    let secret = set(PropertyId::AuthenticationData, Value::Binary(b"x"));
    contradictory(V5, &Packet::Connect(Connect { properties: secret.as_properties(), ..connect(V5) }));
    // Section 3.15.2.2.2
    let reason = ReasonCode::CONTINUE_AUTHENTICATION;
    contradictory(V5, &Packet::Auth(Auth { reason, properties: secret.as_properties() }));
    // [MQTT-3.8.3-4]
    let options = SubscriptionOptions {
        maximum_qos: QoS::AtMostOnce,
        no_local: true,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    };
    let filter = TopicFilter::new("$share/g/a").expect("a Topic Filter");
    let subscriptions = vec![Subscription { filter, options }];
    let subscribe = Subscribe { packet_id: id(1), properties: Properties::EMPTY, subscriptions };
    contradictory(V5, &Packet::Subscribe(subscribe));
}

#[test]
fn empty_payloads_and_packets_of_the_other_version_are_refused() {
    // MQTT-3.8.3-2, MQTT-3.10.3-2, MQTT-3.8.4-6, MQTT311-3.8.3-3, MQTT311-3.10.3-2, 5-3.8.3-a, 5-3.10.3-a and section
    // 3.11.3
    let (packet_id, properties) = (id(1), Properties::EMPTY);
    for packet in [
        Packet::Subscribe(Subscribe { packet_id, properties, subscriptions: vec![] }),
        Packet::Suback(Suback { packet_id, properties, reasons: vec![] }),
        Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters: vec![] }),
        Packet::Unsuback(Unsuback { packet_id, properties, reasons: vec![] }),
    ] {
        assert_eq!(failure(V5, NO_LIMIT, &packet), EncodeError::EmptyPayload, "{packet:?}");
    }
    // Section 3.15: AUTH is new in MQTT 5.0.
    let method = set(PropertyId::AuthenticationMethod, Value::Text("m"));
    let auth = Packet::Auth(Auth { reason: ReasonCode::SUCCESS, properties: method.as_properties() });
    assert_eq!(failure(V311, NO_LIMIT, &auth), EncodeError::NotInThisVersion(PacketType::Auth));
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let secret = set(PropertyId::AuthenticationData, Value::Binary(b"hush"));
    let connect = Connect { password: Some(b"hush"), properties: secret.as_properties(), ..connect(V5) };
    let text = format!("{connect:?}");
    // Neither as text nor as the numbers of its bytes.
    assert!(!text.contains("hush") && !text.contains("104"), "{text}");
    assert!(text.contains("password: Some"), "{text}");
}

#[test]
fn a_message_keeps_its_parts_apart() {
    let properties = set(PropertyId::ContentType, Value::Text("text"));
    let name = topic("цена/EURUSD").expect("a Topic Name");
    for payload in [&b""[..], b"1.0842"] {
        let message = Message::new(name, payload, QoS::AtLeastOnce, true, properties.as_properties());
        assert_eq!((message.topic(), message.payload()), (name, payload));
        assert_eq!(message.properties(), properties.as_properties());
        assert_eq!(message.size(), name.as_str().len() + properties.as_properties().as_bytes().len() + payload.len());
        let expected = Publish {
            dup: true,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: Some(name),
            packet_id: Some(id(5)),
            properties: properties.as_properties(),
            payload,
        };
        assert_eq!(message.publish(Some(id(5)), true), expected);
    }
}
