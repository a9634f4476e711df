//! What the Server says of our QoS 1 and 2 messages: PUBACK, PUBREC and PUBCOMP (section 4.3), and the PUBREL in between.

use super::breaches::Breach;
use super::connection::{Connection, Held};
use super::event::{Outcome, Stage};
use super::outbound::{Outbound, Released};
use super::packet_ids::PacketIds;
use super::record::{Key, Record};
use super::sink::Sink;
use crate::codec::ack::Ack;
use crate::codec::{Packet, PacketId};
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::{PacketType, ProtocolVersion, QoS};

/// What an acknowledgement means for the connection.
pub(super) enum Answered {
    Fine,
    /// It belongs to a message that is in another state.
    ProtocolError(&'static str),
    Breach(Breach),
}

impl Outbound {
    /// PUBACK: the end of a QoS 1 message.
    pub fn handle_puback(
        &mut self,
        ack: &Ack<'_>,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) -> Answered {
        match self.qos_in_flight(ack.packet_id) {
            Some(QoS::AtLeastOnce) => {
                self.end(ack, connection, ids, out);
                Answered::Fine
            }
            // RabbitMQ takes QoS 2 as QoS 1. If the connection were ended for it, the message would be sent again on each one, and
            // passed on again by the Server.
            Some(_) if out.breaches.pass_over(Breach::QoS2AsQoS1, out.events).is_ok() => {
                self.end(ack, connection, ids, out);
                Answered::Fine
            }
            Some(_) => Answered::ProtocolError("PUBACK for a QoS 2 message"),
            None if self.released.contains(ack.packet_id) => Answered::ProtocolError("PUBACK for a QoS 2 message"),
            None => Answered::Breach(Breach::UnknownAcknowledgement),
        }
    }

    /// The Server's last word on a message in flight.
    fn end(&mut self, ack: &Ack<'_>, connection: &mut Connection, ids: &mut PacketIds, out: &mut Sink<'_>) {
        if let Some(entry) = self.leave_flight(ack.packet_id, ids, out) {
            if entry.counted {
                restore_quota(connection);
            }
            let mut outcome = Outcome::of(ack.reason, ack.properties);
            if outcome.failure.is_some() && (entry.redelivered || entry.publishing.perhaps_arrived) {
                // Of the copy that was sent before it says nothing.
                outcome.failure = Some(Status::SessionLost);
            }
            self.finish(entry.publishing, outcome, out);
        }
    }

    /// Of a message that has left: one that waits to be durable can't be answered yet.
    fn qos_in_flight(&self, id: PacketId) -> Option<QoS> {
        self.in_flight.get(id).filter(|entry| entry.sent).map(|entry| entry.publishing.message.qos)
    }

    /// PUBREC: the Server has the QoS 2 message, or refused it.
    pub fn handle_pubrec(
        &mut self,
        ack: &Ack<'_>,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) -> Answered {
        let id = ack.packet_id;
        match self.qos_in_flight(id) {
            Some(QoS::ExactlyOnce) if ack.reason.is_error() && !self.is_known_redelivery(ack) => {
                // [MQTT-4.4.0-2]: refused, and so finished; there is no PUBREL.
                self.end(ack, connection, ids, out);
                return Answered::Fine;
            }
            Some(QoS::ExactlyOnce) => {
                let says_more = ack.reason != ReasonCode::SUCCESS || !ack.properties.is_empty();
                let said = says_more.then(|| Outcome { failure: None, ..Outcome::of(ack.reason, ack.properties) });
                self.release(id, said, connection, out);
            }
            Some(_) => return Answered::ProtocolError("PUBREC for a QoS 1 message"),
            // The Server repeats itself; so does the PUBREL.
            None if self.released.contains(id) => {}
            None if ack.reason.is_error() => return Answered::Breach(Breach::UnknownAcknowledgement),
            None => {
                // The Server has to forget about it too, so it gets its answer before anything is said of the breach.
                send_pubrel(id, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, connection);
                return Answered::Breach(Breach::UnknownAcknowledgement);
            }
        }
        self.send_pubrel(id, connection, out);
        Answered::Fine
    }

    /// Whether PUBREC says that the Server has this message from an earlier connection. The standard has it say success then
    /// \[MQTT-4.3.3-10\], but to some Servers the Packet Identifier of what is sent again is in use. It is, by this message.
    fn is_known_redelivery(&self, ack: &Ack<'_>) -> bool {
        ack.reason == ReasonCode::PACKET_IDENTIFIER_IN_USE
            && self.in_flight.get(ack.packet_id).is_some_and(|entry| entry.redelivered)
    }

    /// The Server has the message: only its Packet Identifier is needed any more.
    fn release(&mut self, id: PacketId, said: Option<Outcome>, connection: &mut Connection, out: &mut Sink<'_>) {
        let order = self.next_order();
        let Some(entry) = self.in_flight.remove(id) else { return };
        self.outstanding.bytes -= entry.publishing.message.size();
        if !entry.counted {
            connection.send_quota -= 1;
        }
        let (number, token) = (entry.publishing.number, entry.publishing.token);
        out.log.remove(Key::Publish(number));
        let flow = || Record::Flow { token, packet_id: id, order, released: true };
        let recorded = out.log.replace(Key::Flow(number), flow);
        self.released.insert(id, Released { token, number, recorded, said, in_doubt: false });
        out.tell(token, Stage::Acknowledged);
    }

    /// Sends PUBREL once it is durable that PUBREC was seen: who forgot that in a crash would send the PUBLISH again, after
    /// the Server had forgotten it too.
    pub(super) fn send_pubrel(&mut self, id: PacketId, connection: &mut Connection, out: &mut Sink<'_>) {
        match self.released.get(id) {
            Some(released) if !out.log.is_durable(released.recorded) => {
                connection.hold(released.recorded, Held::Pubrel(id));
            }
            _ => send_pubrel(id, ReasonCode::SUCCESS, connection),
        }
    }

    /// PUBCOMP: the end of a QoS 2 message. "Packet Identifier not found" is an end too: the Server had finished it
    /// before, or has lost it with its Session.
    pub fn handle_pubcomp(
        &mut self,
        ack: &Ack<'_>,
        connection: &mut Connection,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) -> Answered {
        // PUBREL waits for that.
        let is_too_early = |released: &Released| !out.log.is_durable(released.recorded);
        if self.released.get(ack.packet_id).is_some_and(is_too_early) {
            return Answered::ProtocolError("PUBCOMP before PUBREL");
        }
        match self.released.remove(ack.packet_id) {
            Some(released) => {
                ids.release(ack.packet_id);
                out.log.remove(Key::Flow(released.number));
                restore_quota(connection);
                self.outstanding.count -= 1;
                let says_more = ack.reason != ReasonCode::SUCCESS || !ack.properties.is_empty();
                let last = || Outcome { failure: None, ..Outcome::of(ack.reason, ack.properties) };
                let mut outcome = released.said.filter(|_| !says_more).unwrap_or_else(last);
                if released.in_doubt && ack.reason == ReasonCode::PACKET_IDENTIFIER_NOT_FOUND {
                    outcome.failure = Some(Status::SessionLost);
                }
                out.end(released.token, outcome);
                Answered::Fine
            }
            None if self.qos_in_flight(ack.packet_id).is_some() => Answered::ProtocolError("PUBCOMP before PUBREC"),
            None => Answered::Breach(Breach::UnknownAcknowledgement),
        }
    }
}

/// A message that this connection had sent is answered for.
pub(super) fn restore_quota(connection: &mut Connection) {
    connection.send_quota = (connection.send_quota + 1).min(connection.quota_limit);
}

pub(super) fn send_pubrel(id: PacketId, reason: ReasonCode, connection: &mut Connection) {
    let reason = if connection.version == ProtocolVersion::V5 { reason } else { ReasonCode::SUCCESS };
    debug_assert!(reason.allowed_in(PacketType::Pubrel));
    // No Server is connected that doesn't take these five bytes at most.
    let _ = connection.send(&Packet::Pubrel(Ack::new(id, reason)));
}
