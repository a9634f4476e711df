//! What the Server sends: bytes to packets, and each packet to the part of the Session that it belongs to.

use super::Session;
use super::answers::Answered;
use super::breaches::Breach;
use super::connection::{Connection, Phase};
use super::event::Disconnected;
use super::inbound::Rules;
use super::sink::sink;
use crate::codec::disconnect::Disconnect;
use crate::codec::error::DecodeError;
use crate::codec::property::{Properties, PropertyId};
use crate::codec::publish::{Malformed, Publish};
use crate::codec::{self, Decoded, Packet};
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::topic::TopicName;
use crate::types::{PacketType, ProtocolVersion, QoS};
use std::fmt::Write as _;
use std::time::Instant;

/// Of a longer Topic Name that can't be taken this many characters are shown.
const LONGEST_NAME: usize = 100;

impl Session {
    /// Bytes arrived. Returns how many were used; the rest is an incomplete packet, to be handed in again with more behind
    /// it. Nothing is used once the connection is to be closed.
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let Some(connection) = &mut self.connection else { return bytes.len() };
        connection.received(now, self.options.ping_timeout);
        if connection.is_online() {
            self.elsewhere.heard = Some(now);
        }
        let mut used = 0;
        while let Some(connection) = &mut self.connection {
            if connection.phase == Phase::Closing {
                return bytes.len();
            }
            let maximum = self.options.maximum_packet_size as usize;
            let version = connection.version;
            let decoded = match codec::decode(&bytes[used..], version, maximum) {
                Err(error) => self.decode_faulty(&bytes[used..], version, error),
                decoded => decoded,
            };
            match decoded {
                Ok(Decoded::Packet { packet, used: size }) => {
                    used += size;
                    self.handle_packet(now, &packet);
                    if self.connection.as_ref().is_some_and(Connection::holds_too_much) {
                        // [MQTT-4.4.0-1]
                        let detail =
                            "the Server sends the same packets again and again within one connection".to_owned();
                        self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
                    }
                }
                Ok(Decoded::NeedMore { .. }) => break,
                Err(error) => self.refuse_packet(&error, &bytes[used..]),
            }
        }
        self.pump(now);
        self.pump_requests(now);
        used
    }

    /// What a packet with this fault says, if it can be passed over.
    fn decode_faulty<'a>(
        &mut self,
        bytes: &'a [u8],
        version: ProtocolVersion,
        error: DecodeError,
    ) -> Result<Decoded<'a>, DecodeError> {
        let Some(breach) = Breach::of(&error).filter(|_| self.breaches.are_passed_over()) else { return Err(error) };
        let decoded = codec::decode_faulty(bytes, version, self.options.maximum_packet_size as usize)?;
        if let Decoded::Packet { .. } = &decoded {
            self.breaches.report(breach, &mut self.events);
        }
        Ok(decoded)
    }

    /// How many bytes the incomplete packet at the start of `bytes` has in all, if its Fixed Header says so already.
    pub fn expected_size(&self, bytes: &[u8]) -> Option<usize> {
        let connection = self.connection.as_ref()?;
        let maximum = self.options.maximum_packet_size as usize;
        let decoded = codec::decode(bytes, connection.version, maximum);
        // One that is larger than it may be is refused by now, or will be passed over.
        match decoded.or_else(|_| codec::decode_faulty(bytes, connection.version, maximum)) {
            Ok(Decoded::NeedMore { total }) => total,
            _ => None,
        }
    }

    fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>) {
        let Some(Connection { phase, version, .. }) = &self.connection else { return };
        let (awaiting_connack, v5) = (matches!(phase, Phase::AwaitingConnack { .. }), *version == ProtocolVersion::V5);
        match packet {
            Packet::Connack(_) => {}
            Packet::Disconnect(_) if awaiting_connack && v5 => self.tolerate(Breach::DisconnectBeforeConnack),
            Packet::Auth(_) if awaiting_connack => {}
            _ if awaiting_connack => {
                // [MQTT-3.2.0-1]
                let detail = format!("the Server sent {} before CONNACK", packet.packet_type().name());
                return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
            }
            _ => {}
        }
        if !self.options.request_problem_information && explains_too_much(packet) {
            self.tolerate(Breach::ProblemInformation);
        }
        let Some(connection) = self.connection.as_mut().filter(|connection| connection.phase != Phase::Closing) else {
            return;
        };
        let mut out = sink!(self);
        let is_answer = matches!(packet, Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubcomp(_));
        connection.answers += u64::from(is_answer);
        let answered = match packet {
            Packet::Connack(connack) => return self.handle_connack(now, connack),
            Packet::Publish(publish) => return self.handle_publish(publish),
            Packet::Puback(ack) => self.outbound.handle_puback(ack, connection, &mut self.ids, &mut out),
            Packet::Pubrec(ack) => self.outbound.handle_pubrec(ack, connection, &mut self.ids, &mut out),
            Packet::Pubcomp(ack) => self.outbound.handle_pubcomp(ack, connection, &mut self.ids, &mut out),
            Packet::Pubrel(ack) => {
                self.inbound.handle_pubrel(ack.packet_id, connection, &mut self.log);
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
                    Ok(Some(rtt)) => self.counters.ping_rtt_us = Some(rtt.as_micros() as u64),
                    Ok(None) => {}
                    Err(breach) => return self.tolerate(breach),
                }
                Answered::Fine
            }
            Packet::Disconnect(disconnect) => return self.handle_disconnect(disconnect),
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {
                let detail = format!("the Server sent {}, which only a client may", packet.packet_type().name());
                return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
            }
            Packet::Auth(auth) => return self.handle_auth(auth),
        };
        match answered {
            Answered::Fine => {}
            Answered::ProtocolError(detail) => self.break_off(ReasonCode::PROTOCOL_ERROR, detail.to_owned()),
            Answered::Breach(breach) => self.tolerate(breach),
        }
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) {
        let response_topic = publish.properties.text(PropertyId::ResponseTopic);
        if response_topic.is_some_and(|topic| TopicName::new(topic).is_err()) {
            self.tolerate(Breach::ResponseTopic);
            if self.wants_close() {
                return;
            }
        }
        let mut alias = publish.properties.int(PropertyId::TopicAlias);
        let is_taken = |alias| self.connection.as_ref().is_some_and(|line| line.incoming_aliases.takes(alias));
        if publish.topic.is_some() && alias.is_some_and(|alias| !is_taken(alias)) {
            self.tolerate(Breach::TopicAlias);
            if self.wants_close() {
                return;
            }
            alias = None;
        }
        let Some(connection) = &mut self.connection else { return };
        let resolved = alias.map(|alias| connection.incoming_aliases.resolve(alias, publish.topic));
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
            payload_format_check: self.options.payload_format_check,
            deduplicate: self.options.deduplicate.as_ref(),
            // It has the Correlation Data of its request, and is no copy of it.
            awaited: self.requester.awaits(topic, publish.properties).is_some(),
        };
        let mut out = sink!(self);
        match self.inbound.handle_publish(publish, topic, connection, rules, &mut out) {
            Ok(()) => self.requester.claim(&mut self.events),
            Err(breach) => self.break_off(breach.reason(), describe_breach(breach)),
        }
    }

    fn handle_answer(
        &mut self,
        id: codec::PacketId,
        subscribed: bool,
        reasons: &[ReasonCode],
        properties: Properties<'_>,
    ) {
        let mut out = sink!(self);
        let answer = self.subscriptions.handle_answer(id, subscribed, reasons, properties, &mut self.ids, &mut out);
        if let Err(detail) = answer {
            self.subscriptions.give_up(id, &mut self.ids, &mut sink!(self));
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
            self.tolerate(Breach::SessionExpiryInDisconnect);
        }
        let Some(connection) = &mut self.connection else { return };
        connection.close(Disconnected {
            failure: Some(Status::ServerDisconnected),
            reason: Some(disconnect.reason),
            detail: format!("the Server ended the connection: {}", describe(disconnect.reason, properties)),
            next_version: None,
            properties: properties.into(),
        });
    }

    fn refuse_packet(&mut self, error: &DecodeError, bytes: &[u8]) {
        if let Some(id) = codec::request_of_malformed(error, bytes) {
            self.subscriptions.give_up(id, &mut self.ids, &mut sink!(self));
        }
        let Some(connection) = &mut self.connection else { return };
        let reason = error.reason();
        let status = match reason {
            ReasonCode::MALFORMED_PACKET => Status::MalformedPacket,
            _ => Status::ProtocolError,
        };
        let end = Disconnected::new(
            Some(status),
            format!("the Server sent an invalid packet: {error}{}", name_malformed(bytes)),
        );
        // UNSUPPORTED_PROTOCOL_VERSION can only come from a CONNECT, which DISCONNECT can't answer.
        let reason = if reason.allowed_in(PacketType::Disconnect) { reason } else { ReasonCode::PROTOCOL_ERROR };
        connection.close_with(reason, end);
    }

    /// Passes a breach over, unless the program wants the connection to end for it.
    pub(super) fn tolerate(&mut self, breach: Breach) {
        if let Err(breach) = self.breaches.pass_over(breach, &mut self.events) {
            self.break_off(breach.reason(), describe_breach(breach));
        }
    }

    /// Ends the connection because the Server broke the protocol.
    pub(super) fn break_off(&mut self, reason: ReasonCode, detail: String) {
        if let Some(connection) = &mut self.connection {
            connection.close_with(reason, Disconnected::new(Some(Status::ProtocolError), detail));
        }
    }
}

/// Whether the packet has a Reason String or User Properties, though it isn't one that may have them after a Request Problem
/// Information of 0 (section 3.1.2.11.7).
fn explains_too_much(packet: &Packet<'_>) -> bool {
    let properties = match packet {
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => ack.properties,
        Packet::Suback(suback) => suback.properties,
        Packet::Unsuback(unsuback) => unsuback.properties,
        Packet::Auth(auth) => auth.properties,
        _ => return false,
    };
    properties.iter().any(|(id, _)| matches!(id, PropertyId::ReasonString | PropertyId::UserProperty))
}

/// Which message it is that can't be decoded, and what becomes of it; empty for another packet.
fn name_malformed(bytes: &[u8]) -> String {
    let Some(Malformed { qos, topic, packet_id }) = Malformed::look_at(bytes) else { return String::new() };
    let mut text = String::new();
    if let Some(topic) = topic {
        text.push_str("; its topic is '");
        for character in topic.chars().take(LONGEST_NAME) {
            // It may be what is wrong.
            if character.is_control() { text.extend(character.escape_default()) } else { text.push(character) }
        }
        text.push('\'');
    }
    if let Some(packet_id) = packet_id {
        let _ = write!(text, ", its Packet Identifier {packet_id}");
    }
    if qos != Some(QoS::AtMostOnce) {
        text.push_str(
            "; it can't be acknowledged, so the Server sends it again on each connection until it expires, is removed there, \
             or this Session is given up by a Clean Start",
        );
    }
    text
}

/// A breach in words that name the rule.
fn describe_breach(breach: Breach) -> String {
    format!("{} ({})", breach.what(), breach.rule())
}

/// A Reason Code in words, with the Server's Reason String if it gave one.
pub(super) fn describe(reason: ReasonCode, properties: Properties<'_>) -> String {
    match properties.text(PropertyId::ReasonString) {
        Some(text) => format!("{reason} ({text})"),
        None => format!("{reason}: {}", reason.text()),
    }
}
