//! What the Server sends: bytes to packets, and each packet to the part of the Session that it belongs to.

use super::Session;
use super::connection::Phase;
use super::event::Disconnected;
use super::inbound::Rules;
use super::outbound::{Answered, Output};
use crate::codec::disconnect::Disconnect;
use crate::codec::error::DecodeError;
use crate::codec::property::{Properties, PropertyId};
use crate::codec::publish::Publish;
use crate::codec::{self, Decoded, Packet};
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::topic::TopicName;
use crate::types::{PacketType, ProtocolVersion};
use std::time::Instant;

impl Session {
    /// Bytes arrived. Returns how many were used; the rest is an incomplete packet, to be handed in again with more behind
    /// it. Nothing is used once the connection is to be closed.
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let Some(connection) = &mut self.connection else { return bytes.len() };
        connection.received(now, self.options.ping_timeout);
        let mut used = 0;
        while let Some(connection) = &mut self.connection {
            if connection.phase == Phase::Closing {
                return bytes.len();
            }
            let maximum = self.options.maximum_packet_size as usize;
            match codec::decode(&bytes[used..], connection.version, maximum) {
                Ok(Decoded::Packet { packet, used: size }) => {
                    used += size;
                    self.handle_packet(now, &packet);
                }
                Ok(Decoded::NeedMore { .. }) => break,
                Err(error) => self.refuse_packet(&error),
            }
        }
        self.pump();
        used
    }

    /// How many bytes the incomplete packet at the start of `bytes` has in all, if its Fixed Header says so already.
    pub fn expected_size(&self, bytes: &[u8]) -> Option<usize> {
        let connection = self.connection.as_ref()?;
        match codec::decode(bytes, connection.version, self.options.maximum_packet_size as usize) {
            Ok(Decoded::NeedMore { total }) => total,
            _ => None,
        }
    }

    fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>) {
        let Some(connection) = &mut self.connection else { return };
        if matches!(connection.phase, Phase::AwaitingConnack { .. }) && !matches!(packet, Packet::Connack(_)) {
            // [MQTT-3.2.0-1] [MQTT-3.14.0-1]
            let detail = format!("the Server sent {} before CONNACK", packet.packet_type().name());
            return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
        }
        let mut out = Output { events: &mut self.events, counters: &mut self.counters };
        let answered = match packet {
            Packet::Connack(connack) => return self.handle_connack(connack),
            Packet::Publish(publish) => return self.handle_publish(publish),
            Packet::Puback(ack) => self.outbound.handle_puback(ack, connection, &mut self.ids, &mut out),
            Packet::Pubrec(ack) => self.outbound.handle_pubrec(ack, connection, &mut self.ids, &mut out),
            Packet::Pubcomp(ack) => self.outbound.handle_pubcomp(ack, connection, &mut self.ids, &mut out),
            Packet::Pubrel(ack) => {
                self.inbound.handle_pubrel(ack.packet_id, connection);
                Answered::Fine
            }
            Packet::Suback(suback) => {
                return self.handle_answer(suback.packet_id, true, &suback.reasons, suback.properties);
            }
            Packet::Unsuback(unsuback) => {
                return self.handle_answer(unsuback.packet_id, false, &unsuback.reasons, unsuback.properties);
            }
            Packet::Pingresp => {
                match connection.pinged(now) {
                    Some(rtt) => self.counters.ping_rtt_us = Some(rtt.as_micros() as u64),
                    None => self.counters.breaches += 1,
                }
                Answered::Fine
            }
            Packet::Disconnect(disconnect) => return self.handle_disconnect(disconnect),
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {
                let detail = format!("the Server sent {}, which only a client may", packet.packet_type().name());
                return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
            }
            // [MQTT-4.12.0-6]: no method was named in CONNECT.
            Packet::Auth(_) => Answered::ProtocolError("AUTH without an Authentication Method in CONNECT"),
        };
        if let Answered::ProtocolError(detail) = answered {
            self.break_off(ReasonCode::PROTOCOL_ERROR, detail.to_owned());
        }
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) {
        let Some(connection) = &mut self.connection else { return };
        let resolved = match publish.properties.int(PropertyId::TopicAlias) {
            Some(alias) => Some(connection.incoming_aliases.resolve(alias, publish.topic)),
            None => None,
        };
        let topic = match &resolved {
            Some(Ok(topic)) => TopicName::from_checked(topic),
            Some(Err((reason, detail))) => return self.break_off(*reason, (*detail).to_owned()),
            // The codec takes no PUBLISH without a Topic Name and without an alias.
            None => match publish.topic {
                Some(topic) => topic,
                None => return,
            },
        };
        let rules = Rules {
            receive_maximum: match connection.version {
                ProtocolVersion::V5 => self.options.receive_maximum.into(),
                ProtocolVersion::V311 => usize::MAX,
            },
            acknowledge: self.options.acknowledge,
        };
        let result =
            self.inbound.handle_publish(publish, topic, connection, rules, &mut self.events, &mut self.counters);
        if let Err(reason) = result {
            let detail = "the Server sent more unacknowledged messages than our Receive Maximum allows".to_owned();
            self.break_off(reason, detail);
        }
    }

    fn handle_answer(
        &mut self,
        id: codec::PacketId,
        subscribed: bool,
        reasons: &[ReasonCode],
        properties: Properties<'_>,
    ) {
        let answer = self.requests.handle_answer(id, subscribed, reasons, properties, &mut self.ids, &mut self.events);
        if let Err(detail) = answer {
            self.break_off(ReasonCode::PROTOCOL_ERROR, detail.to_owned());
        }
    }

    fn handle_disconnect(&mut self, disconnect: &Disconnect<'_>) {
        let Some(connection) = &mut self.connection else { return };
        let properties = disconnect.properties;
        if connection.version == ProtocolVersion::V311 {
            let detail = "the Server sent DISCONNECT, which MQTT 3.1.1 leaves to the client".to_owned();
            return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
        }
        if properties.int(PropertyId::SessionExpiryInterval).is_some() {
            // [MQTT-3.14.2-2]
            let detail = "the Server sent a Session Expiry Interval in DISCONNECT".to_owned();
            return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
        }
        connection.close(Disconnected {
            failure: Some(Status::ServerDisconnected),
            reason: Some(disconnect.reason),
            detail: format!("the Server ended the connection: {}", describe(disconnect.reason, properties)),
            next_version: None,
            properties: properties.into(),
        });
    }

    fn refuse_packet(&mut self, error: &DecodeError) {
        let Some(connection) = &mut self.connection else { return };
        let reason = error.reason();
        let status = match reason {
            ReasonCode::MALFORMED_PACKET => Status::MalformedPacket,
            _ => Status::ProtocolError,
        };
        let end = Disconnected::new(Some(status), format!("the Server sent an invalid packet: {error}"));
        // UNSUPPORTED_PROTOCOL_VERSION can only come from a CONNECT, which DISCONNECT can't answer.
        let reason = if reason.allowed_in(PacketType::Disconnect) { reason } else { ReasonCode::PROTOCOL_ERROR };
        connection.close_with(reason, end);
    }

    /// Ends the connection because the Server broke the protocol.
    pub(super) fn break_off(&mut self, reason: ReasonCode, detail: String) {
        if let Some(connection) = &mut self.connection {
            connection.close_with(reason, Disconnected::new(Some(Status::ProtocolError), detail));
        }
    }
}

/// A Reason Code in words, with the Server's Reason String if it gave one.
pub(super) fn describe(reason: ReasonCode, properties: Properties<'_>) -> String {
    match properties.text(PropertyId::ReasonString) {
        Some(text) => format!("{reason} ({text})"),
        None => format!("{reason}: {}", reason.text()),
    }
}
