//! The Server's side of a story: packets that fit what the client has sent, or nearly, and a strict look at what it sends.

use crate::choices::Choices;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::disconnect::{Auth, Disconnect};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::subscribe::Suback;
use mt5mqtt::codec::unsubscribe::Unsuback;
use mt5mqtt::codec::{Decoded, Packet, PacketId, decode, encode};
use mt5mqtt::session::scram;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};
use std::collections::BTreeSet;

pub struct ServerBytes {
    version: ProtocolVersion,
    /// Bytes of the client that are no whole packet yet.
    received: Vec<u8>,
    /// Packet Identifiers that the client has used, in the order of their use.
    ids: Vec<PacketId>,
    /// QoS 1 and 2 messages of this connection that were not answered.
    unanswered: BTreeSet<PacketId>,
    /// Answered before they came.
    early: BTreeSet<PacketId>,
    /// Topic Aliases that the client may use, and those that it has given a meaning.
    alias_maximum: Option<u32>,
    aliases: BTreeSet<u32>,
    /// Response Topic and Correlation Data of the last request.
    request: Option<(String, Vec<u8>)>,
    /// The first packet of a connection is CONNECT, and there is one.
    connected: bool,
    /// Nothing may follow DISCONNECT.
    ended: bool,
}

impl ServerBytes {
    pub fn new(version: ProtocolVersion) -> Self {
        ServerBytes {
            version,
            received: Vec::new(),
            ids: Vec::new(),
            unanswered: BTreeSet::new(),
            early: BTreeSet::new(),
            alias_maximum: None,
            aliases: BTreeSet::new(),
            request: None,
            connected: false,
            ended: false,
        }
    }

    pub fn opened(&mut self, version: ProtocolVersion) {
        self.closed();
        self.version = version;
    }

    pub fn closed(&mut self) {
        self.received.clear();
        self.unanswered.clear();
        self.early.clear();
        self.alias_maximum = None;
        self.aliases.clear();
        self.connected = false;
        self.ended = false;
    }

    /// QoS 1 and 2 messages that the Server has and has not answered.
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// Takes what the client sent, which must be MQTT.
    pub fn take(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        let received = std::mem::take(&mut self.received);
        let mut rest = received.as_slice();
        loop {
            match decode(rest, self.version, usize::MAX) {
                Ok(Decoded::Packet { packet, used }) => {
                    self.look_at(&packet);
                    rest = &rest[used..];
                }
                Ok(Decoded::NeedMore { .. }) => break,
                Err(error) => panic!("the Session wrote an invalid packet: {error}: {rest:02X?}"),
            }
        }
        self.received = rest.to_vec();
    }

    /// The client has taken these bytes, which may hold the end of a flow.
    pub fn told(&mut self, mut bytes: &[u8]) {
        while let Ok(Decoded::Packet { packet, used }) = decode(bytes, self.version, usize::MAX) {
            let answered = match packet {
                Packet::Puback(ack) | Packet::Pubcomp(ack) => Some(ack.packet_id),
                Packet::Connack(connack) => {
                    // A second one ends the connection and changes nothing that was said before.
                    let announced = connack.properties.int(PropertyId::TopicAliasMaximum).unwrap_or(0);
                    self.alias_maximum.get_or_insert(announced);
                    None
                }
                Packet::Pubrec(ack) if ack.reason.is_error() => Some(ack.packet_id),
                _ => None,
            };
            if let Some(id) = answered.filter(|id| !self.unanswered.remove(id)) {
                self.early.insert(id);
            }
            bytes = &bytes[used..];
        }
    }

    fn look_at(&mut self, packet: &Packet<'_>) {
        // [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-3.14.4-1]
        assert_eq!(matches!(packet, Packet::Connect(_)), !self.connected, "{packet:?}");
        assert!(!self.ended, "{packet:?} after DISCONNECT");
        self.connected = true;
        match packet {
            Packet::Publish(publish) => {
                self.look_at_topic(publish);
                if let Some(id) = publish.packet_id {
                    self.ids.push(id);
                    // [MQTT-2.2.1-3]
                    let new = self.early.remove(&id) || self.unanswered.insert(id);
                    assert!(new, "Packet Identifier {id} is in use");
                }
            }
            Packet::Subscribe(subscribe) => self.ids.push(subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => self.ids.push(unsubscribe.packet_id),
            Packet::Disconnect(_) => self.ended = true,
            Packet::Connect(_) | Packet::Pingreq | Packet::Puback(_) | Packet::Pubrec(_) => {}
            Packet::Pubrel(_) | Packet::Pubcomp(_) | Packet::Auth(_) => {}
            other => panic!("a client never sends {other:?}"),
        }
    }

    fn look_at_topic(&mut self, publish: &Publish<'_>) {
        let properties = publish.properties;
        if let Some(alias) = properties.int(PropertyId::TopicAlias) {
            // [MQTT-3.1.2-26] and section 3.3.2.3.4
            let maximum = self.alias_maximum.unwrap_or(0);
            assert!(alias <= maximum, "Topic Alias {alias}, the Server's maximum is {maximum}");
            let new = publish.topic.is_some() && self.aliases.insert(alias);
            assert!(new || self.aliases.contains(&alias), "Topic Alias {alias} has no meaning yet");
        } else {
            assert!(publish.topic.is_some());
        }
        let correlation = properties.nth(PropertyId::CorrelationData, 0);
        if let (Some(topic), Some(Value::Binary(data))) = (properties.text(PropertyId::ResponseTopic), correlation) {
            self.request = Some((topic.to_owned(), data.to_owned()));
        }
    }

    /// The bytes of a packet that a Server may send, though perhaps not now.
    pub fn packet(&mut self, choices: &mut Choices<'_>) -> Vec<u8> {
        let mut properties = PropertiesBuf::new();
        let packet = match choices.below(14) {
            0 | 1 => self.connack(choices, &mut properties),
            2 => Packet::Puback(self.ack(choices, PacketType::Puback)),
            3 => Packet::Pubrec(self.ack(choices, PacketType::Pubrec)),
            4 => Packet::Pubcomp(self.ack(choices, PacketType::Pubcomp)),
            5 => Packet::Pubrel(self.ack(choices, PacketType::Pubrel)),
            6 => {
                let (packet_id, reasons) = (self.id(choices), vec![self.reason(choices, PacketType::Suback)]);
                Packet::Suback(Suback { packet_id, properties: properties.as_properties(), reasons })
            }
            7 => {
                let packet_id = self.id(choices);
                let reasons = match self.version {
                    ProtocolVersion::V5 => vec![self.reason(choices, PacketType::Unsuback)],
                    ProtocolVersion::V311 => Vec::new(),
                };
                Packet::Unsuback(Unsuback { packet_id, properties: properties.as_properties(), reasons })
            }
            8 => Packet::Pingresp,
            9 if choices.byte() > 200 => {
                let reason = self.reason(choices, PacketType::Disconnect);
                Packet::Disconnect(Disconnect { reason, properties: properties.as_properties() })
            }
            12 => self.auth(choices, &mut properties),
            13 => {
                let reason = self.reason(choices, PacketType::Connack);
                self.authentication(choices, &mut properties);
                Packet::Connack(Connack { session_present: false, reason, properties: properties.as_properties() })
            }
            _ => return self.publish(choices),
        };
        self.encode(&packet)
    }

    fn encode(&self, packet: &Packet<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        // What this version has no form for isn't sent.
        let _ = encode(packet, self.version, usize::MAX, &mut bytes);
        bytes
    }

    fn connack<'a>(&self, choices: &mut Choices<'_>, properties: &'a mut PropertiesBuf) -> Packet<'a> {
        let mut set = |id, value| properties.set(id, value).expect("a property of CONNACK");
        if self.version == ProtocolVersion::V5 {
            let flags = choices.byte();
            let values = [
                (PropertyId::ReceiveMaximum, 1 + u32::from(choices.byte() % 4)),
                (PropertyId::MaximumQoS, u32::from(choices.byte() % 2)),
                (PropertyId::RetainAvailable, 0),
                (PropertyId::MaximumPacketSize, 1 + u32::from(choices.byte())),
                (PropertyId::ServerKeepAlive, u32::from(choices.byte() % 3)),
                (PropertyId::SessionExpiryInterval, u32::from(choices.byte() % 2)),
                (PropertyId::TopicAliasMaximum, 2),
            ];
            for (bit, (id, value)) in values.into_iter().enumerate() {
                if flags & 1 << bit != 0 {
                    set(id, Value::Int(value));
                }
            }
            if flags & 0x80 != 0 {
                set(PropertyId::AssignedClientIdentifier, Value::Text("assigned"));
            }
        }
        let session_present = choices.flag();
        let reason = match choices.byte() {
            0..240 => ReasonCode::SUCCESS,
            _ => self.reason(choices, PacketType::Connack),
        };
        let session_present = session_present && !reason.is_error();
        Packet::Connack(Connack { session_present, reason, properties: properties.as_properties() })
    }

    fn auth<'a>(&self, choices: &mut Choices<'_>, properties: &'a mut PropertiesBuf) -> Packet<'a> {
        let reasons = [ReasonCode::CONTINUE_AUTHENTICATION, ReasonCode::SUCCESS, ReasonCode::RE_AUTHENTICATE];
        let reason = reasons[choices.below(reasons.len())];
        self.authentication(choices, properties);
        Packet::Auth(Auth { reason, properties: properties.as_properties() })
    }

    fn authentication(&self, choices: &mut Choices<'_>, properties: &mut PropertiesBuf) {
        let method = ["m", scram::METHOD, "other"][choices.below(3)];
        properties.set(PropertyId::AuthenticationMethod, Value::Text(method)).expect("a method");
        let data = choices.take(80);
        if !data.is_empty() {
            properties.set(PropertyId::AuthenticationData, Value::Binary(data)).expect("data");
        }
    }

    /// One that the client has used, or any.
    fn id(&self, choices: &mut Choices<'_>) -> PacketId {
        let back = choices.below(8);
        let known = self.ids.len().checked_sub(1 + back).map(|index| self.ids[index]);
        known.unwrap_or_else(|| PacketId::new(1 + choices.u16() % 8).expect("not 0"))
    }

    fn reason(&self, choices: &mut Choices<'_>, packet: PacketType) -> ReasonCode {
        let byte = choices.byte();
        if byte < 128 || !ReasonCode(byte).allowed_in(packet) { ReasonCode::SUCCESS } else { ReasonCode(byte) }
    }

    fn ack(&self, choices: &mut Choices<'_>, packet: PacketType) -> Ack<'static> {
        Ack::new(self.id(choices), self.reason(choices, packet))
    }

    fn publish(&mut self, choices: &mut Choices<'_>) -> Vec<u8> {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][choices.below(3)];
        let id = PacketId::new(1 + u16::from(choices.byte() % 8)).filter(|_| qos != QoS::AtMostOnce);
        let mut properties = PropertiesBuf::new();
        if choices.flag() && self.version == ProtocolVersion::V5 {
            properties.set(PropertyId::SubscriptionIdentifier, Value::Int(7)).expect("an identifier");
        }
        let mut topic = "from/server".to_owned();
        match (choices.byte(), &self.request) {
            (byte @ 128.., Some((response_topic, data))) if self.version == ProtocolVersion::V5 || byte > 250 => {
                topic.clone_from(response_topic);
                properties.set(PropertyId::CorrelationData, Value::Binary(data)).expect("Correlation Data");
            }
            (byte @ 64..128, _) => {
                properties.set(PropertyId::TopicAlias, Value::Int(1 + u32::from(byte % 4))).expect("an alias");
            }
            (32..64, _) => {
                properties.set(PropertyId::PayloadFormatIndicator, Value::Int(1)).expect("an indicator");
            }
            (byte @ 16..32, _) => {
                properties.set(PropertyId::CorrelationData, Value::Binary(&[byte % 4])).expect("Correlation Data");
            }
            _ => {}
        }
        let (dup, retain) = (choices.flag() && id.is_some(), choices.flag());
        let topic = TopicName::new(&topic).expect("a Topic Name");
        let message = Message::new(topic, choices.take(40), qos, retain, properties.as_properties());
        self.encode(&Packet::Publish(message.publish(id, dup)))
    }
}
