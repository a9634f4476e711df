//! The Server of the stories: it keeps the standard, and makes sure that the client does.

use crate::trace::{self, id};
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::property::{Properties, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::{self, Decoded, Packet};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{ProtocolVersion, QoS};
use std::collections::{BTreeMap, BTreeSet};

const VERSION: ProtocolVersion = ProtocolVersion::V5;
/// What it announces: small, so that it is reached all the time.
const SERVER_RECEIVE_MAXIMUM: u16 = 3;
pub const OUR_RECEIVE_MAXIMUM: u16 = 4;

/// A message of the Server's that is not finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    Queued,
    Sent,
    Released,
}

/// The Server's half of the Session, and what it took ownership of.
#[derive(Default)]
pub struct Server {
    has_session: bool,
    pub online: bool,
    /// QoS 2 Packet Identifiers between PUBREC and PUBREL.
    received: BTreeSet<u16>,
    /// Unanswered QoS 1 and 2 messages of this connection.
    unanswered: BTreeSet<u16>,
    pub owned: Vec<(u32, QoS)>,
    /// By number, which is the order of publication: QoS, stage, Packet Identifier.
    pub outgoing: BTreeMap<u32, (QoS, Stage, u16)>,
    next_id: u16,
    quota: u16,
    /// So many packets that it says next it drops, as Mosquitto does when too many wait for the line.
    pub drops: usize,
    /// What is on its way from it.
    pub said: Vec<u8>,
}

/// What a message is told by.
pub fn number(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload.try_into().expect("four bytes"))
}

impl Server {
    pub fn new() -> Self {
        Server { next_id: 1, ..Server::default() }
    }

    /// Publishes to the client, whose Session has a subscription. False if a QoS 0 message goes to nobody, as it isn't kept.
    pub fn publish(&mut self, number: u32, qos: QoS) -> bool {
        if qos != QoS::AtMostOnce {
            self.outgoing.insert(number, (qos, Stage::Queued, 0));
            self.pump();
        } else if self.online {
            self.say(&server_publish(&number.to_be_bytes(), qos, 0, false));
        }
        qos != QoS::AtMostOnce || self.online
    }

    fn say(&mut self, packet: &Packet<'_>) {
        if self.drops > 0 && !matches!(packet, Packet::Connack(_)) {
            self.drops -= 1;
            return;
        }
        codec::encode(packet, VERSION, usize::MAX, &mut self.said).expect("a packet");
    }

    /// The Server reads what has arrived, and answers.
    pub fn serve(&mut self, received: &mut Vec<u8>) {
        let bytes = std::mem::take(received);
        let mut used = 0;
        while let Ok(Decoded::Packet { packet, used: size }) = codec::decode(&bytes[used..], VERSION, usize::MAX) {
            used += size;
            self.serve_packet(&packet);
        }
        *received = bytes[used..].to_vec();
        self.pump();
    }

    fn serve_packet(&mut self, packet: &Packet<'_>) {
        assert_eq!(self.online, !matches!(packet, Packet::Connect(_)), "MQTT-3.1.0-1: {packet:?}");
        match packet {
            Packet::Connect(connect) => self.serve_connect(connect.clean_start),
            Packet::Publish(publish) => self.serve_publish(publish),
            Packet::Pubrel(ack) => {
                let packet_id = ack.packet_id.get();
                self.received.remove(&packet_id);
                self.unanswered.remove(&packet_id);
                self.say(&trace::pubcomp(packet_id));
            }
            Packet::Puback(ack) => self.finish(ack, QoS::AtLeastOnce, Stage::Sent),
            Packet::Pubcomp(ack) => self.finish(ack, QoS::ExactlyOnce, Stage::Released),
            Packet::Pubrec(ack) => {
                let packet_id = ack.packet_id.get();
                let entry = self.outgoing.values_mut().find(|entry| entry.2 == packet_id);
                let entry = entry.expect("PUBREC belongs to a message");
                assert!(entry.0 == QoS::ExactlyOnce && entry.1 != Stage::Queued);
                entry.1 = Stage::Released;
                self.say(&trace::pubrel(packet_id));
            }
            Packet::Pingreq => self.say(&Packet::Pingresp),
            other => panic!("{other:?}"),
        }
    }

    fn serve_connect(&mut self, clean_start: bool) {
        let session_present = self.has_session && !clean_start;
        self.has_session = true;
        self.online = true;
        self.quota = OUR_RECEIVE_MAXIMUM;
        self.unanswered.clear();
        let properties = trace::set(&[(PropertyId::ReceiveMaximum, Value::Int(SERVER_RECEIVE_MAXIMUM.into()))]);
        let connack = Connack { session_present, reason: ReasonCode::SUCCESS, properties: properties.as_properties() };
        self.say(&Packet::Connack(connack));
        if !session_present {
            self.received.clear();
            self.outgoing.clear();
        }
        let received = self.received.clone();
        self.unanswered.extend(received);
        for (number, (qos, stage, packet_id)) in self.outgoing.clone() {
            match stage {
                Stage::Queued => continue,
                Stage::Sent => self.say(&server_publish(&number.to_be_bytes(), qos, packet_id, true)),
                Stage::Released => self.say(&trace::pubrel(packet_id)),
            }
            self.quota -= 1;
        }
    }

    fn serve_publish(&mut self, publish: &Publish<'_>) {
        let number = number(publish.payload);
        let Some(packet_id) = publish.packet_id.map(|id| id.get()) else {
            return self.owned.push((number, publish.qos));
        };
        let known = self.received.contains(&packet_id);
        if self.unanswered.insert(packet_id) {
            assert!(self.unanswered.len() <= SERVER_RECEIVE_MAXIMUM.into(), "MQTT-4.9.0-2");
        }
        if publish.qos == QoS::AtLeastOnce {
            self.owned.push((number, publish.qos));
            self.unanswered.remove(&packet_id);
            self.say(&trace::puback(packet_id));
        } else {
            if self.received.insert(packet_id) {
                self.owned.push((number, publish.qos));
            } else {
                assert!(known && publish.dup, "MQTT-2.2.1-3: {packet_id} is in use");
            }
            self.say(&trace::pubrec(packet_id));
        }
    }

    fn finish(&mut self, ack: &Ack<'_>, qos: QoS, stage: Stage) {
        let packet_id = ack.packet_id.get();
        let found = self.outgoing.iter().find(|(_, entry)| entry.2 == packet_id).map(|(number, _)| *number);
        let number = found.unwrap_or_else(|| panic!("{packet_id} belongs to no message"));
        let entry = self.outgoing.remove(&number).unwrap();
        assert_eq!((entry.0, entry.1), (qos, stage), "MQTT-2.2.1-5");
        self.quota += 1;
    }

    fn pump(&mut self) {
        if !self.online {
            return;
        }
        let queued: Vec<u32> =
            self.outgoing.iter().filter(|(_, entry)| entry.1 == Stage::Queued).map(|(n, _)| *n).collect();
        for number in queued {
            if self.quota == 0 {
                return;
            }
            self.quota -= 1;
            let packet_id = self.next_id;
            self.next_id = self.next_id % 200 + 1;
            let entry = self.outgoing.get_mut(&number).unwrap();
            entry.1 = Stage::Sent;
            entry.2 = packet_id;
            let qos = entry.0;
            self.say(&server_publish(&number.to_be_bytes(), qos, packet_id, false));
        }
    }
}

fn server_publish(payload: &[u8], qos: QoS, packet_id: u16, dup: bool) -> Packet<'_> {
    Packet::Publish(Publish {
        dup,
        qos,
        retain: false,
        topic: Some(TopicName::new("t").unwrap()),
        packet_id: (packet_id != 0).then(|| id(packet_id)),
        properties: Properties::EMPTY,
        payload,
    })
}
