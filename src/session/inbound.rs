//! Application Messages from the Server: the receiver's side of QoS 1 and 2 (section 4.3), answers in the order of arrival
//! (section 4.6), our Receive Maximum, and no QoS 2 message twice.
//!
//! A message is answered when the program has acknowledged it, which may be long after its arrival. If the connection is
//! lost in between, the Server sends it again: it is recognised then and not handed out a second time. Recognised by its
//! Packet Identifier and its content: a Server that was killed may come back with an older state, and give an identifier
//! that is still in use here to another message, which must not be lost.

use super::breaches::Breach;
use super::connection::Connection;
use super::event::{Delivery, Event};
use super::options::{Acknowledge, PayloadFormatCheck};
use super::outbound::Output;
use crate::codec::ack::Ack;
use crate::codec::message::Message;
use crate::codec::property::PropertyId;
use crate::codec::publish::Publish;
use crate::codec::{Packet, PacketId};
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicName;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// The low bits of a [`Delivery`] hold the Packet Identifier.
const PACKET_ID_BITS: u32 = 16;

/// A message that was handed out and is not answered.
#[derive(Debug)]
struct Unanswered {
    delivery: Delivery,
    qos: QoS,
    /// What the program said, while an earlier message keeps it from being sent.
    acknowledged: Option<ReasonCode>,
}

#[derive(Debug)]
pub(super) struct Inbound {
    unanswered: HashMap<PacketId, Unanswered>,
    /// QoS 2: PUBREC sent, PUBREL not seen. True if that was on the present connection.
    received: HashMap<PacketId, bool>,
    /// How many of `received` are of the present connection.
    received_now: usize,
    deliveries: Delivery,
    /// What the messages of both maps are recognised by, beside their identifiers.
    contents: HashMap<PacketId, u64>,
}

impl Inbound {
    pub fn new() -> Self {
        Inbound {
            unanswered: HashMap::new(),
            received: HashMap::new(),
            received_now: 0,
            deliveries: 0,
            contents: HashMap::new(),
        }
    }

    /// A PUBLISH. `Err` says why the connection is to end.
    pub fn handle_publish(
        &mut self,
        publish: &Publish<'_>,
        topic: TopicName<'_>,
        connection: &mut Connection,
        rules: Rules,
        out: &mut Output<'_>,
    ) -> Result<(), Refused> {
        out.counters.messages_received += 1;
        let message = || {
            let mut message = Message::new(topic, publish.payload, publish.qos, publish.retain, publish.properties);
            message.dup = publish.dup;
            message
        };
        let ill_formed = rules.payload_format_check != PayloadFormatCheck::Off
            && publish.properties.int(PropertyId::PayloadFormatIndicator) == Some(1)
            && std::str::from_utf8(publish.payload).is_err();
        let refused = ill_formed && rules.payload_format_check == PayloadFormatCheck::Refuse;
        let Some(id) = publish.packet_id else {
            if ill_formed {
                out.ill_formed(refused)?;
            }
            if refused {
                return Ok(());
            }
            out.events.push_back(Event::Message { message: message(), delivery: None, packet_id: None });
            return Ok(());
        };
        let content = content(topic, publish.payload);
        if self.is_other(id, content, connection) {
            out.breaches.pass_over(Breach::IdentifierInUse, out.events).map_err(Refused::Breach)?;
            self.forget(id);
        }
        if publish.qos == QoS::ExactlyOnce
            && let Some(now) = self.received.get_mut(&id)
        {
            // [MQTT-4.3.3-10]: PUBREC again, and nothing to the program.
            self.received_now += usize::from(!*now);
            *now = true;
            send(connection, Packet::Pubrec(Ack::new(id, ReasonCode::SUCCESS)));
            return Ok(());
        }
        let known = self.unanswered.get(&id);
        // The Server sends again what we have not answered. Only a QoS 1 PUBLISH without DUP is a new message.
        let again =
            known.is_some_and(|known| known.qos == publish.qos && (publish.dup || publish.qos == QoS::ExactlyOnce));
        if again && connection.unanswered.contains(&id) {
            // A redelivery within one connection: MQTT-4.4.0-1 forbids it, but it harms nobody.
            return out.breaches.pass_over(Breach::Redelivery, out.events).map_err(Refused::Breach);
        }
        if connection.unanswered.len() + self.received_now >= rules.receive_maximum {
            return Err(Refused::TooMany);
        }
        if ill_formed && !again {
            out.ill_formed(refused)?;
        }
        connection.unanswered.push_back(id);
        if !again {
            self.deliveries += 1;
            let delivery = self.deliveries << PACKET_ID_BITS | Delivery::from(id.get());
            let acknowledged = match rules.acknowledge {
                _ if refused => Some(ReasonCode::PAYLOAD_FORMAT_INVALID),
                Acknowledge::OnArrival => Some(ReasonCode::SUCCESS),
                Acknowledge::WhenTaken | Acknowledge::Explicitly => None,
            };
            self.unanswered.insert(id, Unanswered { delivery, qos: publish.qos, acknowledged });
            self.contents.insert(id, content);
            if !refused {
                let event = Event::Message { message: message(), delivery: Some(delivery), packet_id: Some(id) };
                out.events.push_back(event);
            }
        }
        self.answer(connection);
        Ok(())
    }

    /// Whether the identifier belongs to an unfinished message of an earlier connection, and this is another one.
    fn is_other(&self, id: PacketId, content: u64, connection: &Connection) -> bool {
        self.contents.get(&id).is_some_and(|known| *known != content)
            && !connection.unanswered.contains(&id)
            && self.received.get(&id) != Some(&true)
    }

    /// The Server has forgotten this message.
    fn forget(&mut self, id: PacketId) {
        self.unanswered.remove(&id);
        self.received.remove(&id);
        self.contents.remove(&id);
    }

    /// The program is done with a message. False if no message waits under this name: it was acknowledged before, or its
    /// Session is gone.
    pub fn acknowledge(&mut self, delivery: Delivery, reason: ReasonCode, connection: Option<&mut Connection>) -> bool {
        let id = PacketId::new((delivery & 0xFFFF) as u16);
        let Some(unanswered) = id.and_then(|id| self.unanswered.get_mut(&id)) else { return false };
        if unanswered.delivery != delivery || unanswered.acknowledged.is_some() {
            return false;
        }
        unanswered.acknowledged = Some(reason);
        if let Some(connection) = connection.filter(|connection| connection.is_online()) {
            self.answer(connection);
        }
        true
    }

    /// Sends the answers that are due: in the order in which the messages arrived on this connection \[MQTT-4.6.0-2\]
    /// \[MQTT-4.6.0-3\].
    fn answer(&mut self, connection: &mut Connection) {
        while let Some(&id) = connection.unanswered.front() {
            let Some(unanswered) = self.unanswered.get(&id) else {
                connection.unanswered.pop_front();
                continue;
            };
            let Some(reason) = unanswered.acknowledged else { return };
            match unanswered.qos {
                QoS::ExactlyOnce => {
                    send(connection, Packet::Pubrec(Ack::new(id, reason)));
                    if !reason.is_error() {
                        self.received.insert(id, true);
                        self.received_now += 1;
                    }
                }
                _ => send(connection, Packet::Puback(Ack::new(id, reason))),
            }
            if !self.received.contains_key(&id) {
                self.contents.remove(&id);
            }
            self.unanswered.remove(&id);
            connection.unanswered.pop_front();
        }
    }

    /// PUBREL: the end of a QoS 2 message; also of one that we don't know any more.
    pub fn handle_pubrel(&mut self, id: PacketId, connection: &mut Connection) {
        let reason = match self.received.remove(&id) {
            Some(now) => {
                self.contents.remove(&id);
                self.received_now -= usize::from(now);
                ReasonCode::SUCCESS
            }
            None => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        };
        send(connection, Packet::Pubcomp(Ack::new(id, reason)));
    }

    /// The connection is gone; the Session may go on.
    pub fn disconnected(&mut self) {
        self.received_now = 0;
        self.received.values_mut().for_each(|now| *now = false);
    }

    /// The Server has no Session: it will never send again what was unanswered, and may use the identifiers anew.
    pub fn lose_session(&mut self) {
        self.unanswered.clear();
        self.received.clear();
        self.contents.clear();
        self.received_now = 0;
    }
}

/// What holds for all received messages.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub receive_maximum: usize,
    pub acknowledge: Acknowledge,
    pub payload_format_check: PayloadFormatCheck,
}

/// Why a PUBLISH ends the connection.
pub(super) enum Refused {
    /// More than our Receive Maximum are unanswered.
    TooMany,
    Breach(Breach),
}

impl Output<'_> {
    /// A payload that isn't the UTF-8 that it says it is.
    fn ill_formed(&mut self, refused: bool) -> Result<(), Refused> {
        if refused {
            self.breaches.report(Breach::PayloadFormat, self.events);
            return Ok(());
        }
        self.breaches.pass_over(Breach::PayloadFormat, self.events).map_err(Refused::Breach)
    }
}

/// What a message is recognised by when it is sent again. Its properties may have changed: Message Expiry Interval counts down.
fn content(topic: TopicName<'_>, payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(topic.as_str().as_bytes());
    hasher.write(payload);
    hasher.finish()
}

fn send(connection: &mut Connection, packet: Packet<'_>) {
    // Acknowledgements without properties have at most five bytes: they always fit.
    let _ = connection.send(&packet);
}
