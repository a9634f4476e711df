//! A Control Packet in one readable line. No payload, no password, no authentication data, no value of a User Property.

use crate::codec::property::Properties;
use crate::codec::{self, Decoded, Packet};
use crate::types::ProtocolVersion;
use crate::types::reason::ReasonCode;
use std::fmt::Write;

/// Calls `line` for each whole packet at the start of `bytes`, and returns how many bytes they are.
pub fn packets(bytes: &[u8], version: ProtocolVersion, mut line: impl FnMut(String)) -> usize {
    let mut used = 0;
    while let Ok(Decoded::Packet { packet, used: size }) = codec::decode(&bytes[used..], version, usize::MAX) {
        line(describe(&packet, size));
        used += size;
    }
    used
}

fn describe(packet: &Packet<'_>, size: usize) -> String {
    let mut text = format!("{} ({size} bytes)", packet.packet_type().name());
    match packet {
        Packet::Connect(connect) => {
            let version = match connect.version {
                ProtocolVersion::V5 => "5.0",
                ProtocolVersion::V311 => "3.1.1",
            };
            let _ = write!(text, " MQTT {version}, client id '{}'", connect.client_id);
            let _ = write!(text, ", keep alive {} s", connect.keep_alive);
            for (there, what) in [
                (connect.clean_start, "clean start"),
                (connect.user_name.is_some(), "user name"),
                (connect.password.is_some(), "password"),
            ] {
                if there {
                    let _ = write!(text, ", {what}");
                }
            }
            if let Some(will) = &connect.will {
                let _ = write!(text, ", will on '{}'", will.topic.as_str());
            }
            push_properties(&mut text, connect.properties);
        }
        Packet::Connack(connack) => {
            push_reason(&mut text, connack.reason);
            text.push_str(if connack.session_present { ", session present" } else { ", no session" });
            push_properties(&mut text, connack.properties);
        }
        Packet::Publish(publish) => {
            match publish.topic {
                Some(topic) => _ = write!(text, " '{}'", topic.as_str()),
                None => text.push_str(" topic by alias"),
            }
            let _ = write!(text, ", QoS {}, payload {} bytes", publish.qos as u8, publish.payload.len());
            if let Some(id) = publish.packet_id {
                let _ = write!(text, ", id {id}");
            }
            for (there, what) in [(publish.dup, "dup"), (publish.retain, "retain")] {
                if there {
                    let _ = write!(text, ", {what}");
                }
            }
            push_properties(&mut text, publish.properties);
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            let _ = write!(text, " id {}", ack.packet_id);
            push_reason(&mut text, ack.reason);
            push_properties(&mut text, ack.properties);
        }
        Packet::Subscribe(subscribe) => {
            let _ = write!(text, " id {}", subscribe.packet_id);
            for subscription in &subscribe.subscriptions {
                let qos = subscription.options.maximum_qos as u8;
                let _ = write!(text, ", '{}' QoS {qos}", subscription.filter.as_str());
            }
            push_properties(&mut text, subscribe.properties);
        }
        Packet::Suback(suback) => {
            let _ = write!(text, " id {}", suback.packet_id);
            suback.reasons.iter().for_each(|reason| push_reason(&mut text, *reason));
            push_properties(&mut text, suback.properties);
        }
        Packet::Unsubscribe(unsubscribe) => {
            let _ = write!(text, " id {}", unsubscribe.packet_id);
            for filter in &unsubscribe.filters {
                let _ = write!(text, ", '{}'", filter.as_str());
            }
            push_properties(&mut text, unsubscribe.properties);
        }
        Packet::Unsuback(unsuback) => {
            let _ = write!(text, " id {}", unsuback.packet_id);
            unsuback.reasons.iter().for_each(|reason| push_reason(&mut text, *reason));
            push_properties(&mut text, unsuback.properties);
        }
        Packet::Pingreq | Packet::Pingresp => {}
        Packet::Disconnect(disconnect) => {
            push_reason(&mut text, disconnect.reason);
            push_properties(&mut text, disconnect.properties);
        }
        Packet::Auth(auth) => {
            push_reason(&mut text, auth.reason);
            push_properties(&mut text, auth.properties);
        }
    }
    text
}

fn push_reason(text: &mut String, reason: ReasonCode) {
    let _ = write!(text, ", {reason}");
}

fn push_properties(text: &mut String, properties: Properties<'_>) {
    let count = properties.iter().count();
    if count > 0 {
        let _ = write!(text, ", {count} {}", if count == 1 { "property" } else { "properties" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::PacketId;
    use crate::codec::ack::Ack;
    use crate::codec::connack::Connack;
    use crate::codec::connect::{Connect, Will};
    use crate::codec::disconnect::{Auth, Disconnect};
    use crate::codec::property::{PropertiesBuf, PropertyId, Value};
    use crate::codec::publish::Publish;
    use crate::codec::subscribe::{Suback, Subscribe, Subscription, SubscriptionOptions};
    use crate::codec::unsubscribe::{Unsuback, Unsubscribe};
    use crate::types::QoS;
    use crate::types::topic::{TopicFilter, TopicName};

    #[test]
    fn connect_is_one_line_without_its_secrets() {
        let will = Will {
            topic: TopicName::new("gone").unwrap(),
            payload: b"secret",
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: Properties::EMPTY,
        };
        let connect = Connect {
            version: ProtocolVersion::V5,
            clean_start: true,
            keep_alive: 30,
            properties: Properties::EMPTY,
            client_id: "EA1",
            will: Some(will),
            user_name: Some("secret"),
            password: Some(b"secret"),
        };
        let mut bytes = Vec::new();
        codec::encode(&Packet::Connect(connect), ProtocolVersion::V5, usize::MAX, &mut bytes).unwrap();
        codec::encode(&Packet::Pingreq, ProtocolVersion::V5, usize::MAX, &mut bytes).unwrap();
        // An incomplete one isn't told of.
        bytes.push(0xC0);
        let mut lines = Vec::new();
        assert_eq!(packets(&bytes, ProtocolVersion::V5, |line| lines.push(line)), bytes.len() - 1);
        let size = bytes.len() - 3;
        let words = "MQTT 5.0, client id 'EA1', keep alive 30 s, clean start, user name, password, will on 'gone'";
        assert_eq!(lines, [format!("CONNECT ({size} bytes) {words}"), "PINGREQ (2 bytes)".to_owned()]);
    }

    #[test]
    fn every_other_packet_is_one_line_with_what_matters_and_no_payload_or_secret() {
        let mut secret = PropertiesBuf::new();
        secret.set(PropertyId::AuthenticationMethod, Value::Text("m")).unwrap();
        secret.set(PropertyId::AuthenticationData, Value::Binary(b"secret")).unwrap();
        let id = PacketId::new(7).unwrap();
        let none = Properties::EMPTY;
        let filter = TopicFilter::new("a/#").unwrap();
        let options = SubscriptionOptions::from_u8(1).unwrap();
        let ack = |reason| Ack::new(id, reason);
        let (success, refused) = (ReasonCode::SUCCESS, ReasonCode::NOT_AUTHORIZED);
        let publish = Publish {
            dup: true,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: TopicName::new("a/b").ok(),
            packet_id: Some(id),
            properties: none,
            payload: b"secret",
        };
        let by_alias = Publish { topic: None, dup: false, retain: false, ..publish.clone() };
        let subscriptions = vec![Subscription { filter, options }];
        let cases = [
            (
                Packet::Connack(Connack { session_present: true, reason: success, properties: none }),
                format!("CONNACK (9 bytes), {success}, session present"),
            ),
            (Packet::Publish(publish), "PUBLISH (9 bytes) 'a/b', QoS 1, payload 6 bytes, id 7, dup, retain".to_owned()),
            (Packet::Publish(by_alias), "PUBLISH (9 bytes) topic by alias, QoS 1, payload 6 bytes, id 7".to_owned()),
            (Packet::Puback(ack(refused)), format!("PUBACK (9 bytes) id 7, {refused}")),
            (Packet::Pubrec(ack(success)), format!("PUBREC (9 bytes) id 7, {success}")),
            (Packet::Pubrel(ack(success)), format!("PUBREL (9 bytes) id 7, {success}")),
            (Packet::Pubcomp(ack(success)), format!("PUBCOMP (9 bytes) id 7, {success}")),
            (
                Packet::Subscribe(Subscribe { packet_id: id, properties: none, subscriptions }),
                "SUBSCRIBE (9 bytes) id 7, 'a/#' QoS 1".to_owned(),
            ),
            (
                Packet::Suback(Suback { packet_id: id, properties: none, reasons: vec![success, refused] }),
                format!("SUBACK (9 bytes) id 7, {success}, {refused}"),
            ),
            (
                Packet::Unsubscribe(Unsubscribe { packet_id: id, properties: none, filters: vec![filter] }),
                "UNSUBSCRIBE (9 bytes) id 7, 'a/#'".to_owned(),
            ),
            (
                Packet::Unsuback(Unsuback { packet_id: id, properties: none, reasons: vec![success] }),
                format!("UNSUBACK (9 bytes) id 7, {success}"),
            ),
            (Packet::Pingresp, "PINGRESP (9 bytes)".to_owned()),
            (
                Packet::Disconnect(Disconnect { reason: refused, properties: none }),
                format!("DISCONNECT (9 bytes), {refused}"),
            ),
            (
                Packet::Auth(Auth { reason: success, properties: secret.as_properties() }),
                format!("AUTH (9 bytes), {success}, 2 properties"),
            ),
        ];
        for (packet, line) in cases {
            assert_eq!(describe(&packet, 9), line);
        }
    }
}
