//! The receiver's answers to QoS 1 and 2 messages: PUBACK, PUBREC and PUBCOMP (section 4.3), in the order in which the messages
//! arrived (section 4.6), and each only once what it stands for is durable.

use super::{Inbound, Received, Unanswered, packet_id};
use crate::codec::ack::Ack;
use crate::codec::{Packet, PacketId};
use crate::session::connection::{Connection, Held};
use crate::session::event::Delivery;
use crate::session::options::Acknowledgement;
use crate::session::record::{Key, Log, Record};
use crate::types::reason::ReasonCode;
use crate::types::{ProtocolVersion, QoS};

impl Inbound {
    /// The Server doesn't wait for this message any more, but the program may still say that it is done with it: a copy of it
    /// is recognised then.
    pub(super) fn orphan(&mut self, unanswered: &Unanswered) {
        if let (Some(number), None) = (unanswered.keyed, &unanswered.acknowledged) {
            self.orphans.insert(unanswered.delivery, number);
        }
        // The oldest go first: their keys are forgotten anyway.
        while self.orphans.len() > self.keys.len() {
            self.orphans.pop_first();
        }
    }

    /// The program has taken a message that was answered on arrival: it needs no record any more. False if it has none.
    pub fn taken(&mut self, delivery: Delivery, log: &mut Log) -> bool {
        let is_recorded = self.arrivals.remove(&delivery);
        if is_recorded {
            log.remove(Key::Arrival(delivery as u64));
        }
        is_recorded
    }

    /// The program is done with a message. False if no message waits under this name: it was acknowledged before, or its
    /// Session is gone.
    pub fn acknowledge(
        &mut self,
        delivery: Delivery,
        acknowledgement: Acknowledgement,
        connection: Option<&mut Connection>,
        log: &mut Log,
    ) -> bool {
        let refused = acknowledgement.reason.is_error();
        self.before.acknowledge(delivery, &acknowledgement);
        if let Some(number) = self.orphans.remove(&delivery) {
            self.keys.settle(number, refused, log);
            return false;
        }
        let Some(unanswered) = packet_id(delivery).and_then(|id| self.unanswered.get_mut(&id)) else { return false };
        if unanswered.delivery != delivery || unanswered.acknowledged.is_some() {
            return false;
        }
        unanswered.acknowledged = Some(acknowledgement);
        if let Some(number) = unanswered.keyed {
            // If it were forgotten in a crash, the message would not be recognised when it comes again.
            unanswered.recorded = self.keys.settle(number, refused, log);
        }
        if let Some(connection) = connection.filter(|connection| connection.is_online()) {
            self.answer(connection, log);
        }
        true
    }

    /// Sends the answers that are due: in the order in which the messages arrived on this connection \[MQTT-4.6.0-2\]
    /// \[MQTT-4.6.0-3\].
    pub(super) fn answer(&mut self, connection: &mut Connection, log: &mut Log) {
        while let Some(&id) = connection.unanswered.front() {
            let Some(unanswered) = self.unanswered.get_mut(&id) else {
                // Answered below.
                connection.unanswered.pop_front();
                continue;
            };
            let Some(acknowledgement) = unanswered.acknowledged.take() else { return };
            let mut recorded = unanswered.recorded;
            match unanswered.qos {
                QoS::ExactlyOnce => {
                    // In MQTT 3.1.1 PUBREC can't refuse the message, and it comes until PUBREC arrives [MQTT311-4.3.3-2].
                    if !acknowledgement.reason.is_error() || connection.version == ProtocolVersion::V311 {
                        // If it were forgotten in a crash, the Server's repetition would be taken for a new message.
                        let content = self.contents.get(&id).copied();
                        recorded = log.add(Key::Received(id), || Record::Received { content });
                        self.received.insert(id, Received { now: true, recorded });
                        self.received_now += 1;
                    }
                    answer_when_durable(connection, recorded, Held::Pubrec(id, acknowledgement), log);
                }
                QoS::AtMostOnce | QoS::AtLeastOnce => {
                    answer_when_durable(connection, recorded, Held::Puback(id, acknowledgement), log);
                }
            }
            if !self.received.contains_key(&id) {
                self.contents.remove(&id);
            }
            self.unanswered.remove(&id);
        }
    }

    /// PUBREL: the end of a QoS 2 message; also of one that we don't know any more.
    pub fn handle_pubrel(&mut self, id: PacketId, connection: &mut Connection, log: &mut Log) {
        self.before.ends(id);
        let (reason, recorded) = match self.received.remove(&id) {
            Some(received) => {
                self.contents.remove(&id);
                self.received_now -= usize::from(received.now);
                // After PUBCOMP the Server may use the identifier for a new message, which must not be taken for this one.
                (ReasonCode::SUCCESS, log.remove(Key::Received(id)))
            }
            // We may have known it until just now: its PUBCOMP was held back when a connection ended, and the end of it
            // isn't durable yet.
            None => (ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, log.latest()),
        };
        answer_when_durable(connection, recorded, Held::Pubcomp(id, reason.into()), log);
    }
}

/// Sends an answer once what it stands for is durable, and after the answers that wait already.
pub(super) fn answer_when_durable(connection: &mut Connection, recorded: u64, answer: Held, log: &Log) {
    if connection.holds() || !log.is_durable(recorded) {
        connection.hold(recorded, answer);
    } else {
        send_answer(connection, answer);
    }
}

pub(in crate::session) fn send_answer(connection: &mut Connection, answer: Held) {
    let (packet_id, acknowledgement, packet): (_, _, fn(_) -> _) = match &answer {
        Held::Puback(id, acknowledgement) => (*id, acknowledgement, Packet::Puback),
        Held::Pubrec(id, acknowledgement) => (*id, acknowledgement, Packet::Pubrec),
        Held::Pubcomp(id, acknowledgement) => (*id, acknowledgement, Packet::Pubcomp),
        Held::Publish(_) | Held::Pubrel(_) => return,
    };
    let (reason, properties) = (acknowledgement.reason, acknowledgement.properties.as_properties());
    if connection.send(&packet(Ack { packet_id, reason, properties })).is_err() {
        // Too large for the Server: it goes without its texts [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3].
        // No Server is connected that doesn't take these five bytes at most.
        let _ = connection.send(&packet(Ack::new(packet_id, reason)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn no_more_messages_are_remembered_that_nobody_waits_for_than_keys() {
        let mut inbound = Inbound::new(Arc::default());
        inbound.keys.restore(1, b"1");
        inbound.keys.restore(2, b"2");
        for delivery in 1..=5 {
            let keyed = Some(delivery as u64);
            let qos = QoS::AtLeastOnce;
            inbound.orphan(&Unanswered { delivery, qos, acknowledged: None, recorded: 0, keyed });
        }
        assert_eq!(inbound.orphans.into_keys().collect::<Vec<_>>(), [4, 5]);
    }
}
