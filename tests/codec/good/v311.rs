//! Good packets of MQTT 3.1.1.

use super::{NONE, PLAIN, Vector, connect, filter, publish, topic, vector};
use crate::{V311, id};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::connect::{Connect, Will};
use mt5mqtt::codec::disconnect::Disconnect;
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::subscribe::{Suback, Subscribe, Subscription, SubscriptionOptions};
use mt5mqtt::codec::unsubscribe::{Unsuback, Unsubscribe};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;

pub fn all() -> Vec<Vector> {
    let ack = |packet_id| Ack::new(id(packet_id), ReasonCode::SUCCESS);
    let connack = |session_present, reason| Packet::Connack(Connack { session_present, reason, properties: NONE });
    vec![
        vector(
            "CONNECT with an empty Client Identifier (3.1.1 section 3.1)",
            V311,
            b"\x10\x0C\x00\x04MQTT\x04\x02\x00\x3C\x00\x00",
            Packet::Connect(connect(V311)),
        ),
        vector(
            "CONNECT with every field, in the order of [MQTT311-3.1.3-1]",
            V311,
            b"\x10\x1D\x00\x04MQTT\x04\xEC\x00\x3C\x00\x02c1\x00\x01w\x00\x03bye\x00\x01u\x00\x02\x00\xFF",
            Packet::Connect(Connect {
                clean_start: false,
                client_id: "c1",
                will: Some(Will {
                    topic: topic("w"),
                    payload: b"bye",
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    properties: NONE,
                }),
                user_name: Some("u"),
                password: Some(&[0, 255]),
                ..connect(V311)
            }),
        ),
        // Table 3.1: return codes, told as the Reason Codes of the same meaning.
        vector("CONNACK 0: accepted", V311, b"\x20\x02\x01\x00", connack(true, ReasonCode(0x00))),
        vector("CONNACK 1: protocol version", V311, b"\x20\x02\x00\x01", connack(false, ReasonCode(0x84))),
        vector("CONNACK 2: identifier rejected", V311, b"\x20\x02\x00\x02", connack(false, ReasonCode(0x85))),
        vector("CONNACK 3: Server unavailable", V311, b"\x20\x02\x00\x03", connack(false, ReasonCode(0x88))),
        vector("CONNACK 4: bad user name or password", V311, b"\x20\x02\x00\x04", connack(false, ReasonCode(0x86))),
        vector("CONNACK 5: not authorized", V311, b"\x20\x02\x00\x05", connack(false, ReasonCode(0x87))),
        vector(
            "PUBLISH with QoS 0 has no Packet Identifier [MQTT311-2.3.1-5]",
            V311,
            b"\x30\x05\x00\x03a/b",
            Packet::Publish(publish(QoS::AtMostOnce, None, b"")),
        ),
        vector(
            "PUBLISH with DUP, QoS 2 and RETAIN (3.1.1 section 3.3.1)",
            V311,
            b"\x3D\x0C\x00\x03a/b\x00\x0Ahello",
            Packet::Publish(Publish { dup: true, retain: true, ..publish(QoS::ExactlyOnce, Some(10), b"hello") }),
        ),
        vector("PUBACK (3.1.1 section 3.4)", V311, b"\x40\x02\x00\x01", Packet::Puback(ack(1))),
        vector("PUBREC (3.1.1 section 3.5)", V311, b"\x50\x02\x01\x00", Packet::Pubrec(ack(256))),
        vector("PUBREL [MQTT311-3.6.1-1]", V311, b"\x62\x02\xFF\xFF", Packet::Pubrel(ack(65_535))),
        vector("PUBCOMP (3.1.1 section 3.7)", V311, b"\x70\x02\x12\x34", Packet::Pubcomp(ack(0x1234))),
        vector(
            "SUBSCRIBE to two Topic Filters [MQTT311-3.8.1-1]",
            V311,
            b"\x82\x0C\x00\x0A\x00\x03a/+\x01\x00\x01#\x02",
            Packet::Subscribe(Subscribe {
                packet_id: id(10),
                properties: NONE,
                subscriptions: vec![
                    Subscription { filter: filter("a/+"), options: PLAIN },
                    Subscription {
                        filter: filter("#"),
                        options: SubscriptionOptions { maximum_qos: QoS::ExactlyOnce, ..PLAIN },
                    },
                ],
            }),
        ),
        vector(
            "SUBACK with every return code [MQTT311-3.9.3-2]",
            V311,
            b"\x90\x06\x00\x0A\x00\x01\x02\x80",
            Packet::Suback(Suback {
                packet_id: id(10),
                properties: NONE,
                reasons: [0, 1, 2, 0x80].map(ReasonCode).to_vec(),
            }),
        ),
        vector(
            "UNSUBSCRIBE [MQTT311-3.10.1-1]",
            V311,
            b"\xA2\x07\x00\x0A\x00\x03a/+",
            Packet::Unsubscribe(Unsubscribe { packet_id: id(10), properties: NONE, filters: vec![filter("a/+")] }),
        ),
        vector(
            "UNSUBACK has no payload (3.1.1 section 3.11.3)",
            V311,
            b"\xB0\x02\x00\x0A",
            Packet::Unsuback(Unsuback { packet_id: id(10), properties: NONE, reasons: vec![] }),
        ),
        vector("PINGREQ (3.1.1 section 3.12)", V311, b"\xC0\x00", Packet::Pingreq),
        vector("PINGRESP (3.1.1 section 3.13)", V311, b"\xD0\x00", Packet::Pingresp),
        vector(
            "DISCONNECT (3.1.1 section 3.14)",
            V311,
            b"\xE0\x00",
            Packet::Disconnect(Disconnect { reason: ReasonCode::SUCCESS, properties: NONE }),
        ),
    ]
}
