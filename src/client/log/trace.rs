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
    use crate::codec::connect::{Connect, Will};
    use crate::types::QoS;
    use crate::types::topic::TopicName;

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
}
