//! Good packets of MQTT 5.0.

use super::{NONE, PLAIN, USER_PROPERTY, Vector, connect, filter, properties, publish, topic, vector};
use crate::{V5, id};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::connect::{Connect, Will};
use mt5mqtt::codec::disconnect::{Auth, Disconnect};
use mt5mqtt::codec::property::{PropertyId as Id, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::subscribe::{RetainHandling, Suback, Subscribe, Subscription, SubscriptionOptions};
use mt5mqtt::codec::unsubscribe::{Unsuback, Unsubscribe};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;

pub fn connection() -> Vec<Vector> {
    vec![
        vector(
            "CONNECT with an empty Client Identifier [MQTT-3.1.2-1] [MQTT-3.1.3-3] [MQTT-2.2.2-1]",
            V5,
            b"\x10\x0D\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x00",
            Packet::Connect(connect(V5)),
        ),
        vector(
            "CONNECT with every field and property, in the order of [MQTT-3.1.3-1]",
            V5,
            b"\x10\x64\x00\x04MQTT\x05\xF6\xFF\xFF\
              \x24\x11\x00\x00\x0E\x10\x21\x00\x14\x27\x00\x01\x00\x00\x22\x00\x0A\x19\x01\x17\x00\
              \x26\x00\x01k\x00\x01v\x15\x00\x01m\x16\x00\x02\x00\xFF\
              \x00\x02c1\
              \x21\x18\x00\x00\x00\x05\x01\x01\x02\x00\x00\x00\x3C\x03\x00\x04text\x08\x00\x01r\x09\x00\x01\x01\
              \x26\x00\x01a\x00\x00\
              \x00\x01w\x00\x03bye\x00\x01u\x00\x02\x00\xFF",
            Packet::Connect(Connect {
                keep_alive: 65_535,
                properties: properties(&[
                    (Id::SessionExpiryInterval, Value::Int(3600)),
                    (Id::ReceiveMaximum, Value::Int(20)),
                    (Id::MaximumPacketSize, Value::Int(65_536)),
                    (Id::TopicAliasMaximum, Value::Int(10)),
                    (Id::RequestResponseInformation, Value::Int(1)),
                    (Id::RequestProblemInformation, Value::Int(0)),
                    USER_PROPERTY,
                    (Id::AuthenticationMethod, Value::Text("m")),
                    (Id::AuthenticationData, Value::Binary(&[0, 255])),
                ]),
                client_id: "c1",
                will: Some(Will {
                    topic: topic("w"),
                    payload: b"bye",
                    qos: QoS::ExactlyOnce,
                    retain: true,
                    properties: properties(&[
                        (Id::WillDelayInterval, Value::Int(5)),
                        (Id::PayloadFormatIndicator, Value::Int(1)),
                        (Id::MessageExpiryInterval, Value::Int(60)),
                        (Id::ContentType, Value::Text("text")),
                        (Id::ResponseTopic, Value::Text("r")),
                        (Id::CorrelationData, Value::Binary(&[1])),
                        (Id::UserProperty, Value::Pair("a", "")),
                    ]),
                }),
                user_name: Some("u"),
                password: Some(&[0, 255]),
                ..connect(V5)
            }),
        ),
        vector(
            "CONNECT with a password alone, which MQTT 5.0 allows (section 3.1.2.9), and Clean Start 0",
            V5,
            b"\x10\x11\x00\x04MQTT\x05\x40\x00\x00\x00\x00\x01c\x00\x01p",
            Packet::Connect(Connect {
                clean_start: false,
                keep_alive: 0,
                client_id: "c",
                password: Some(b"p"),
                ..connect(V5)
            }),
        ),
        vector(
            "CONNACK: accepted (section 3.2)",
            V5,
            b"\x20\x03\x00\x00\x00",
            Packet::Connack(Connack { session_present: false, reason: ReasonCode::SUCCESS, properties: NONE }),
        ),
        vector(
            "CONNACK with every property of section 3.2.2.3",
            V5,
            b"\x20\x42\x01\x00\x3F\x11\x00\x00\x00\x00\x21\x00\x01\x24\x01\x25\x00\x27\x00\x00\x00\x80\x12\x00\x02id\
              \x22\xFF\xFF\x1F\x00\x02ok\x26\x00\x01k\x00\x01v\x28\x00\x29\x00\x2A\x00\x13\x00\x0A\x1A\x00\x03r/i\
              \x1C\x00\x01s\x15\x00\x01m\x16\x00\x00",
            Packet::Connack(Connack {
                session_present: true,
                reason: ReasonCode::SUCCESS,
                properties: properties(&[
                    (Id::SessionExpiryInterval, Value::Int(0)),
                    (Id::ReceiveMaximum, Value::Int(1)),
                    (Id::MaximumQoS, Value::Int(1)),
                    (Id::RetainAvailable, Value::Int(0)),
                    (Id::MaximumPacketSize, Value::Int(128)),
                    (Id::AssignedClientIdentifier, Value::Text("id")),
                    (Id::TopicAliasMaximum, Value::Int(65_535)),
                    (Id::ReasonString, Value::Text("ok")),
                    USER_PROPERTY,
                    (Id::WildcardSubscriptionAvailable, Value::Int(0)),
                    (Id::SubscriptionIdentifierAvailable, Value::Int(0)),
                    (Id::SharedSubscriptionAvailable, Value::Int(0)),
                    (Id::ServerKeepAlive, Value::Int(10)),
                    (Id::ResponseInformation, Value::Text("r/i")),
                    (Id::ServerReference, Value::Text("s")),
                    (Id::AuthenticationMethod, Value::Text("m")),
                    (Id::AuthenticationData, Value::Binary(&[])),
                ]),
            }),
        ),
        vector("PINGREQ (section 3.12)", V5, b"\xC0\x00", Packet::Pingreq),
        vector("PINGRESP (section 3.13)", V5, b"\xD0\x00", Packet::Pingresp),
        vector(
            "DISCONNECT without Reason Code means 0x00 (section 3.14.2.1)",
            V5,
            b"\xE0\x00",
            Packet::Disconnect(Disconnect { reason: ReasonCode(0x00), properties: NONE }),
        ),
        vector(
            "DISCONNECT without Property Length (section 3.14.2.2.1)",
            V5,
            b"\xE0\x01\x04",
            Packet::Disconnect(Disconnect { reason: ReasonCode(0x04), properties: NONE }),
        ),
        vector(
            "DISCONNECT with properties behind Reason Code 0x00",
            V5,
            b"\xE0\x07\x00\x05\x11\xFF\xFF\xFF\xFF",
            Packet::Disconnect(Disconnect {
                reason: ReasonCode(0x00),
                properties: properties(&[(Id::SessionExpiryInterval, Value::Int(0xFFFF_FFFF))]),
            }),
        ),
        vector(
            "DISCONNECT of a Server that moved (section 3.14.2.2.5)",
            V5,
            b"\xE0\x11\x9D\x0F\x1F\x00\x01r\x26\x00\x01k\x00\x01v\x1C\x00\x01s",
            Packet::Disconnect(Disconnect {
                reason: ReasonCode(0x9D),
                properties: properties(&[
                    (Id::ReasonString, Value::Text("r")),
                    USER_PROPERTY,
                    (Id::ServerReference, Value::Text("s")),
                ]),
            }),
        ),
        vector(
            "AUTH that continues, with every property (section 3.15)",
            V5,
            b"\xF0\x15\x18\x13\x15\x00\x01m\x16\x00\x01x\x1F\x00\x01r\x26\x00\x01k\x00\x01v",
            Packet::Auth(Auth {
                reason: ReasonCode(0x18),
                properties: properties(&[
                    (Id::AuthenticationMethod, Value::Text("m")),
                    (Id::AuthenticationData, Value::Binary(b"x")),
                    (Id::ReasonString, Value::Text("r")),
                    USER_PROPERTY,
                ]),
            }),
        ),
        vector(
            "AUTH that succeeds, with its method",
            V5,
            b"\xF0\x06\x00\x04\x15\x00\x01m",
            Packet::Auth(Auth {
                reason: ReasonCode(0x00),
                properties: properties(&[(Id::AuthenticationMethod, Value::Text("m"))]),
            }),
        ),
    ]
}

pub fn messages() -> Vec<Vector> {
    let mut vectors = vec![
        vector(
            "PUBLISH with QoS 0 has no Packet Identifier [MQTT-2.2.1-2]; no payload (section 3.3.3)",
            V5,
            b"\x30\x06\x00\x03a/b\x00",
            Packet::Publish(publish(QoS::AtMostOnce, None, b"")),
        ),
        vector(
            "PUBLISH with DUP, QoS 1 and RETAIN (section 3.3.1)",
            V5,
            b"\x3B\x0D\x00\x03a/b\x00\x0A\x00hello",
            Packet::Publish(Publish {
                dup: true,
                retain: true,
                ..publish(QoS::AtLeastOnce, Some(10), b"hello")
            }),
        ),
        vector(
            "PUBLISH with QoS 2 and every property of section 3.3.2.3, two of them twice",
            V5,
            b"\x34\x36\x00\x03a/b\xFF\xFF\x2C\x01\x00\x02\x00\x00\x00\x0A\x23\x00\x07\x08\x00\x01r\x09\x00\x03\x01\x02\x03\
              \x26\x00\x01k\x00\x01v\x26\x00\x01k\x00\x01w\x0B\x01\x0B\xFF\xFF\xFF\x7F\x03\x00\x00\x00\xFF",
            Packet::Publish(Publish {
                properties: properties(&[
                    (Id::PayloadFormatIndicator, Value::Int(0)),
                    (Id::MessageExpiryInterval, Value::Int(10)),
                    (Id::TopicAlias, Value::Int(7)),
                    (Id::ResponseTopic, Value::Text("r")),
                    (Id::CorrelationData, Value::Binary(&[1, 2, 3])),
                    USER_PROPERTY,
                    (Id::UserProperty, Value::Pair("k", "w")),
                    (Id::SubscriptionIdentifier, Value::Int(1)),
                    (Id::SubscriptionIdentifier, Value::Int(268_435_455)),
                    (Id::ContentType, Value::Text("")),
                ]),
                ..publish(QoS::ExactlyOnce, Some(65_535), &[0, 255])
            }),
        ),
        vector(
            "PUBLISH with a Topic Alias in place of the Topic Name (section 3.3.2.3.4)",
            V5,
            b"\x30\x06\x00\x00\x03\x23\x00\x01",
            Packet::Publish(Publish {
                topic: None,
                properties: properties(&[(Id::TopicAlias, Value::Int(1))]),
                ..publish(QoS::AtMostOnce, None, b"")
            }),
        ),
        vector(
            "PUBLISH whose Remaining Length is 128, the first of two bytes (section 1.5.5)",
            V5,
            [b"\x30\x80\x01\x00\x03a/b\x00".as_slice(), &[b'p'; 122]].concat(),
            Packet::Publish(publish(QoS::AtMostOnce, None, &[b'p'; 122])),
        ),
        vector(
            "PUBLISH whose Remaining Length is 127, the last of one byte (section 1.5.5)",
            V5,
            [b"\x30\x7F\x00\x03a/b\x00".as_slice(), &[b'p'; 121]].concat(),
            Packet::Publish(publish(QoS::AtMostOnce, None, &[b'p'; 121])),
        ),
        vector(
            "PUBLISH whose Property Length is 128 (section 2.2.2.1)",
            V5,
            [b"\x30\x8A\x01\x00\x03a/b\x80\x01\x09\x00\x7D".as_slice(), &[0xAA; 125], b"end"].concat(),
            Packet::Publish(Publish {
                properties: properties(&[(Id::CorrelationData, Value::Binary(&[0xAA; 125]))]),
                ..publish(QoS::AtMostOnce, None, b"end")
            }),
        ),
    ];
    // Sections 3.4 to 3.7: Reason Code and Property Length can be left out from the end.
    type Form = fn(Ack<'static>) -> Packet<'static>;
    let forms: [(&'static str, u8, u8, Form); 4] = [
        ("PUBACK (section 3.4)", 0x40, 0x10, Packet::Puback),
        ("PUBREC (section 3.5)", 0x50, 0x97, Packet::Pubrec),
        ("PUBREL (section 3.6)", 0x62, 0x92, Packet::Pubrel),
        ("PUBCOMP (section 3.7)", 0x70, 0x92, Packet::Pubcomp),
    ];
    for (case, first, reason, form) in forms {
        let ack = |packet_id, reason, properties| form(Ack { packet_id: id(packet_id), reason, properties });
        vectors.push(vector(case, V5, [first, 2, 0, 1], ack(1, ReasonCode(0), NONE)));
        vectors.push(vector(case, V5, [first, 3, 1, 0, reason], ack(256, ReasonCode(reason), NONE)));
        vectors.push(vector(
            case,
            V5,
            [&[first, 15, 0xFF, 0xFF, 0x00, 0x0B], b"\x1F\x00\x01r\x26\x00\x01k\x00\x01v".as_slice()].concat(),
            ack(65_535, ReasonCode(0), properties(&[(Id::ReasonString, Value::Text("r")), USER_PROPERTY])),
        ));
    }
    vectors
}

pub fn subscriptions() -> Vec<Vector> {
    vec![
        vector(
            "SUBSCRIBE to one Topic Filter (section 3.8)",
            V5,
            b"\x82\x09\x00\x0A\x00\x00\x03a/+\x01",
            Packet::Subscribe(Subscribe {
                packet_id: id(10),
                properties: NONE,
                subscriptions: vec![Subscription { filter: filter("a/+"), options: PLAIN }],
            }),
        ),
        vector(
            "SUBSCRIBE with properties and every Subscription Option (section 3.8.3.1)",
            V5,
            b"\x82\x1E\x00\x01\x0A\x0B\x80\x01\x26\x00\x01k\x00\x01v\x00\x01#\x2E\x00\x0A$share/g/+\x11",
            Packet::Subscribe(Subscribe {
                packet_id: id(1),
                properties: properties(&[(Id::SubscriptionIdentifier, Value::Int(128)), USER_PROPERTY]),
                subscriptions: vec![
                    Subscription {
                        filter: filter("#"),
                        options: SubscriptionOptions {
                            maximum_qos: QoS::ExactlyOnce,
                            no_local: true,
                            retain_as_published: true,
                            retain_handling: RetainHandling::Never,
                        },
                    },
                    Subscription {
                        filter: filter("$share/g/+"),
                        options: SubscriptionOptions { retain_handling: RetainHandling::IfNew, ..PLAIN },
                    },
                ],
            }),
        ),
        vector(
            "SUBACK with every Reason Code of section 3.9.3",
            V5,
            b"\x90\x1A\x00\x01\x0B\x1F\x00\x01r\x26\x00\x01k\x00\x01v\x00\x01\x02\x80\x83\x87\x8F\x91\x97\x9E\xA1\xA2",
            Packet::Suback(Suback {
                packet_id: id(1),
                properties: properties(&[(Id::ReasonString, Value::Text("r")), USER_PROPERTY]),
                reasons: [0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2].map(ReasonCode).to_vec(),
            }),
        ),
        vector(
            "UNSUBSCRIBE from two Topic Filters (section 3.10)",
            V5,
            b"\xA2\x10\x00\x01\x07\x26\x00\x01k\x00\x01v\x00\x01+\x00\x01#",
            Packet::Unsubscribe(Unsubscribe {
                packet_id: id(1),
                properties: properties(&[USER_PROPERTY]),
                filters: vec![filter("+"), filter("#")],
            }),
        ),
        vector(
            "UNSUBACK with every Reason Code of section 3.11.3",
            V5,
            b"\xB0\x15\x00\x0A\x0B\x1F\x00\x01r\x26\x00\x01k\x00\x01v\x00\x11\x80\x83\x87\x8F\x91",
            Packet::Unsuback(Unsuback {
                packet_id: id(10),
                properties: properties(&[(Id::ReasonString, Value::Text("r")), USER_PROPERTY]),
                reasons: [0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91].map(ReasonCode).to_vec(),
            }),
        ),
    ]
}
