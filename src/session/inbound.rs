//! Application Messages from the Server: the receiver's side of QoS 1 and 2 (section 4.3), answers in the order of arrival
//! (section 4.6), our Receive Maximum, and no QoS 2 message twice.
//!
//! A message is answered when the program has acknowledged it, which may be long after its arrival. If the connection is
//! lost in between, the Server sends it again: it is recognised then and not handed out a second time. Recognised by its
//! Packet Identifier and its content: a Server that was killed may come back with an older state, and give an identifier
//! that is still in use here to another message, which must not be lost.
//!
//! Until then the Server keeps the message, also when this process crashes. So a durable Session records a message only if
//! it is answered on arrival, until the program has taken it. The Packet Identifiers of QoS 2 are always recorded.

mod parked;

use super::breaches::Breach;
use super::connection::{Connection, Held};
use super::done::{Done, Known};
use super::event::{Delivery, Event};
use super::options::{Acknowledge, Acknowledgement, Deduplicate, PayloadFormatCheck};
use super::outbound::Output;
use super::record::{Key, Log, Record};
use crate::codec::ack::Ack;
use crate::codec::buffers::Buffers;
use crate::codec::message::Message;
use crate::codec::property::PropertyId;
use crate::codec::publish::Publish;
use crate::codec::{Packet, PacketId};
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicName;
pub(super) use parked::Parked;
use rustc_hash::FxHashMap;
use siphasher::sip::SipHasher13;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::Arc;

/// The low bits of a [`Delivery`] hold the Packet Identifier.
const PACKET_ID_BITS: u32 = 16;

/// A message that was handed out and is not answered.
#[derive(Clone, Debug)]
struct Unanswered {
    delivery: Delivery,
    qos: QoS,
    /// What the program said, while an earlier message keeps it from being sent.
    acknowledged: Option<Acknowledgement>,
    /// The batch after which it may be answered.
    recorded: u64,
    /// Its number among the messages that are recognised by a key.
    keyed: Option<u64>,
}

/// A QoS 2 Packet Identifier between PUBREC and PUBREL.
#[derive(Debug)]
struct Received {
    /// Whether PUBREC was sent on the present connection.
    now: bool,
    /// The batch in which it becomes durable.
    recorded: u64,
}

#[derive(Debug)]
pub(super) struct Inbound {
    unanswered: FxHashMap<PacketId, Unanswered>,
    /// QoS 2: PUBREC sent, PUBREL not seen.
    received: FxHashMap<PacketId, Received>,
    /// How many of `received` are of the present connection.
    received_now: usize,
    deliveries: Delivery,
    /// What the messages of both maps are recognised by, beside their identifiers.
    contents: FxHashMap<PacketId, u64>,
    /// Recorded messages that the program hasn't taken.
    arrivals: BTreeSet<Delivery>,
    done: Done,
    /// What this Server had sent in a Session that was left behind, and may send again.
    before: Parked,
    /// Messages that the program has, but the Server doesn't wait for any more, and their numbers among those with a key.
    orphans: BTreeMap<Delivery, u64>,
    /// Where the buffers of received messages come from.
    buffers: Arc<Buffers>,
}

impl Inbound {
    pub fn new(buffers: Arc<Buffers>) -> Self {
        Inbound {
            buffers,
            unanswered: FxHashMap::default(),
            received: FxHashMap::default(),
            received_now: 0,
            deliveries: 0,
            contents: FxHashMap::default(),
            arrivals: BTreeSet::new(),
            done: Done::new(),
            before: Parked::default(),
            orphans: BTreeMap::new(),
        }
    }

    /// A PUBLISH. `Err` says why the connection is to end.
    pub fn handle_publish(
        &mut self,
        publish: &Publish<'_>,
        topic: TopicName<'_>,
        connection: &mut Connection,
        rules: Rules<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), Refused> {
        out.counters.messages_received += 1;
        let arrived = Arrived { publish, topic, payload: Payload::of(publish, rules.payload_format_check) };
        let Some(id) = publish.packet_id else {
            out.look_at_payload(arrived.payload)?;
            if arrived.payload != Payload::Refused {
                out.events.push_back(arrived.event(&self.buffers, None, false));
            }
            return Ok(());
        };
        let content = content(topic, publish);
        self.remember(id, publish, content, out.log);
        if self.is_other(id, publish, content, connection) {
            out.breaches.pass_over(Breach::IdentifierInUse, out.events).map_err(Refused::Breach)?;
            self.forget(id, connection, out.log);
        }
        if publish.qos == QoS::ExactlyOnce
            && let Some(received) = self.received.get_mut(&id)
        {
            // [MQTT-4.3.3-10]: PUBREC again, and nothing to the program.
            self.received_now += usize::from(!received.now);
            received.now = true;
            answer_when_durable(connection, received.recorded, Held::Pubrec(id, ReasonCode::SUCCESS.into()), out.log);
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
        if !again {
            out.look_at_payload(arrived.payload)?;
        }
        connection.unanswered.push_back(id);
        if !again {
            self.take_in(id, &arrived, rules, out);
            self.contents.insert(id, content);
        }
        self.answer(connection, out.log);
        Ok(())
    }

    /// A new QoS 1 or 2 message: hands it out, unless it is refused or the program is done with a copy of it.
    fn take_in(&mut self, id: PacketId, arrived: &Arrived<'_>, rules: Rules<'_>, out: &mut Output<'_>) {
        self.deliveries += 1;
        let delivery = self.deliveries << PACKET_ID_BITS | Delivery::from(id.get());
        let refused = arrived.payload == Payload::Refused;
        let known = match rules.deduplicate {
            Some(rules) if !refused => {
                let message = arrived.message(&self.buffers);
                let known = self.done.look(&message, rules, out.log);
                self.buffers.give_back(message);
                known
            }
            _ => None,
        };
        let suppressed =
            known == Some(Known::Done) && !rules.awaited && rules.deduplicate.is_some_and(|rules| rules.suppress);
        let keyed = match known {
            Some(Known::New(number) | Known::Seen(number)) => Some(number),
            _ => None,
        };
        let mut recorded = 0;
        let acknowledged = match rules.acknowledge {
            _ if refused => Some(ReasonCode::PAYLOAD_FORMAT_INVALID.into()),
            _ if suppressed => Some(ReasonCode::SUCCESS.into()),
            Acknowledge::OnArrival => {
                if out.log.is_on() {
                    let arrival = || Record::Arrival { packet_id: id, message: arrived.message(&self.buffers) };
                    recorded = out.log.add(Key::Arrival(delivery as u64), arrival);
                    self.arrivals.insert(delivery);
                }
                if let Some(number) = keyed {
                    recorded = recorded.max(self.done.finish(number, out.log));
                }
                Some(ReasonCode::SUCCESS.into())
            }
            Acknowledge::WhenTaken | Acknowledge::Explicitly => None,
        };
        let unanswered = Unanswered { delivery, qos: arrived.publish.qos, acknowledged, recorded, keyed };
        if let Some(before) = self.unanswered.insert(id, unanswered) {
            self.orphan(&before);
        }
        out.counters.messages_suppressed += u64::from(suppressed);
        if !refused && !suppressed {
            let seen_before = matches!(known, Some(Known::Seen(_) | Known::Done));
            out.events.push_back(arrived.event(&self.buffers, Some(delivery), seen_before));
        }
    }

    /// Whether the identifier belongs to an unfinished message, and this is another one. Within one connection, where there
    /// are no redeliveries, a QoS 1 PUBLISH without DUP is another one too.
    fn is_other(&self, id: PacketId, publish: &Publish<'_>, content: u64, connection: &Connection) -> bool {
        let Some(known) = self.contents.get(&id) else { return false };
        let anew = publish.qos == QoS::AtLeastOnce && !publish.dup && connection.unanswered.contains(&id);
        *known != content || anew
    }

    /// The Server has forgotten this message.
    fn forget(&mut self, id: PacketId, connection: &mut Connection, log: &mut Log) {
        if let Some(unanswered) = self.unanswered.remove(&id) {
            self.orphan(&unanswered);
        }
        connection.unanswered.retain(|unanswered| *unanswered != id);
        if let Some(received) = self.received.remove(&id) {
            self.received_now -= usize::from(received.now);
            log.remove(Key::Received(id));
        }
        self.contents.remove(&id);
    }

    /// The Server doesn't wait for this message any more, but the program may still say that it is done with it: a copy of it
    /// is recognised then.
    fn orphan(&mut self, unanswered: &Unanswered) {
        if let (Some(number), None) = (unanswered.keyed, &unanswered.acknowledged) {
            self.orphans.insert(unanswered.delivery, number);
        }
        // Those whose keys are forgotten are the oldest.
        while self.orphans.len() > self.done.len() {
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
            self.done.settle(number, refused, log);
            return false;
        }
        let id = PacketId::new((delivery & 0xFFFF) as u16);
        let Some(unanswered) = id.and_then(|id| self.unanswered.get_mut(&id)) else { return false };
        if unanswered.delivery != delivery || unanswered.acknowledged.is_some() {
            return false;
        }
        unanswered.acknowledged = Some(acknowledgement);
        if let Some(number) = unanswered.keyed {
            // Whoever forgot it in a crash would not recognise it when it comes again.
            unanswered.recorded = self.done.settle(number, refused, log);
        }
        if let Some(connection) = connection.filter(|connection| connection.is_online()) {
            self.answer(connection, log);
        }
        true
    }

    /// Sends the answers that are due: in the order in which the messages arrived on this connection \[MQTT-4.6.0-2\]
    /// \[MQTT-4.6.0-3\].
    fn answer(&mut self, connection: &mut Connection, log: &mut Log) {
        while let Some(&id) = connection.unanswered.front() {
            let Some(unanswered) = self.unanswered.get_mut(&id) else {
                connection.unanswered.pop_front();
                continue;
            };
            let Some(acknowledgement) = unanswered.acknowledged.take() else { return };
            let mut recorded = unanswered.recorded;
            match unanswered.qos {
                QoS::ExactlyOnce => {
                    if !acknowledgement.reason.is_error() {
                        // Who forgot it in a crash would take the Server's repetition for a new message.
                        let content = self.contents.get(&id).copied();
                        recorded = recorded.max(log.add(Key::Received(id), || Record::Received { content }));
                        self.received.insert(id, Received { now: true, recorded });
                        self.received_now += 1;
                    }
                    answer_when_durable(connection, recorded, Held::Pubrec(id, acknowledgement), log);
                }
                _ => answer_when_durable(connection, recorded, Held::Puback(id, acknowledgement), log),
            }
            if !self.received.contains_key(&id) {
                self.contents.remove(&id);
            }
            self.unanswered.remove(&id);
            connection.unanswered.pop_front();
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
            // Perhaps not for long: its PUBCOMP was held back when a connection ended, and isn't durable yet.
            None => (ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, log.latest()),
        };
        answer_when_durable(connection, recorded, Held::Pubcomp(id, reason.into()), log);
    }

    /// The connection is gone; the Session may go on.
    pub fn disconnected(&mut self) {
        self.received_now = 0;
        self.received.values_mut().for_each(|received| received.now = false);
    }

    /// The Server has no Session: it will never send again what was unanswered, and may use the identifiers anew.
    pub fn lose_session(&mut self, log: &mut Log) {
        self.before = Parked::default();
        for (_, unanswered) in std::mem::take(&mut self.unanswered) {
            self.orphan(&unanswered);
        }
        self.contents.clear();
        for (id, _) in self.received.drain() {
            log.remove(Key::Received(id));
        }
        self.received_now = 0;
    }

    /// Takes over what an earlier process had stored; messages that no program had taken are handed out again.
    pub fn restore(&mut self, key: Key, record: Record, out: &mut Output<'_>) -> Result<(), &'static str> {
        match (key, record) {
            (Key::Received(id), Record::Received { content }) => {
                self.contents.extend(content.map(|content| (id, content)));
                self.received.insert(id, Received { now: false, recorded: 0 });
            }
            (Key::Arrival(delivery), Record::Arrival { packet_id, mut message }) => {
                let delivery = delivery as Delivery;
                self.deliveries = self.deliveries.max(delivery >> PACKET_ID_BITS);
                self.arrivals.insert(delivery);
                message.dup = true;
                let (delivery, packet_id) = (Some(delivery), Some(packet_id));
                out.events.push_back(Event::Message { message, delivery, packet_id, seen_before: false });
            }
            (Key::Done(number), Record::Done { message_key }) => self.done.restore(number, &message_key),
            _ => return Err("a received message has a record of another kind"),
        }
        Ok(())
    }
}

/// What holds for a received message.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub receive_maximum: usize,
    pub acknowledge: Acknowledge,
    pub payload_format_check: PayloadFormatCheck,
    pub deduplicate: Option<&'a Deduplicate>,
    /// Whether this one is handed out though the program is done with another that has its key.
    pub awaited: bool,
}

/// Why a PUBLISH ends the connection.
pub(super) enum Refused {
    /// More than our Receive Maximum are unanswered.
    TooMany,
    Breach(Breach),
}

/// A message as it has come.
struct Arrived<'a> {
    publish: &'a Publish<'a>,
    /// Its own, or that of its Topic Alias.
    topic: TopicName<'a>,
    payload: Payload,
}

impl Arrived<'_> {
    fn message(&self, buffers: &Buffers) -> Message {
        let Publish { payload, qos, retain, properties, dup, .. } = *self.publish;
        let mut message = Message::new_in(buffers, self.topic, payload, qos, retain, properties);
        message.dup = dup;
        message
    }

    fn event(&self, buffers: &Buffers, delivery: Option<Delivery>, seen_before: bool) -> Event {
        let (message, packet_id) = (self.message(buffers), self.publish.packet_id);
        Event::Message { message, delivery, packet_id, seen_before }
    }
}

/// Whether a payload is what its Payload Format Indicator says it is (section 3.3.2.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Payload {
    Good,
    /// It isn't, and is handed out.
    IllFormed,
    /// It isn't, and the message is refused.
    Refused,
}

impl Payload {
    fn of(publish: &Publish<'_>, check: PayloadFormatCheck) -> Payload {
        let ill_formed = check != PayloadFormatCheck::Off
            && publish.properties.int(PropertyId::PayloadFormatIndicator) == Some(1)
            && std::str::from_utf8(publish.payload).is_err();
        match check {
            _ if !ill_formed => Payload::Good,
            PayloadFormatCheck::Refuse => Payload::Refused,
            PayloadFormatCheck::Off | PayloadFormatCheck::Report => Payload::IllFormed,
        }
    }
}

impl Output<'_> {
    fn look_at_payload(&mut self, payload: Payload) -> Result<(), Refused> {
        match payload {
            Payload::Good => Ok(()),
            Payload::IllFormed => self.breaches.pass_over(Breach::PayloadFormat, self.events).map_err(Refused::Breach),
            Payload::Refused => {
                self.breaches.report(Breach::PayloadFormat, self.events);
                Ok(())
            }
        }
    }
}

/// What a message is recognised by when it is sent again. Its properties may have changed: Message Expiry Interval counts down.
/// It is stored, so it must stay the same in all versions of this library, which nobody promises of std's hash.
fn content(topic: TopicName<'_>, publish: &Publish<'_>) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(&[publish.qos as u8]);
    hasher.write(topic.as_bytes());
    // No Topic Name has it: it parts the two.
    hasher.write(&[0]);
    hasher.write(publish.payload);
    hasher.finish()
}

/// Sends an answer, once what it stands for is durable, and behind those that wait for that already.
fn answer_when_durable(connection: &mut Connection, recorded: u64, answer: Held, log: &Log) {
    if connection.holds() || !log.is_durable(recorded) {
        connection.hold(recorded, answer);
    } else {
        send_answer(connection, answer);
    }
}

pub(super) fn send_answer(connection: &mut Connection, answer: Held) {
    let (packet_id, acknowledgement, packet): (_, _, fn(_) -> _) = match &answer {
        Held::Puback(id, acknowledgement) => (*id, acknowledgement, Packet::Puback),
        Held::Pubrec(id, acknowledgement) => (*id, acknowledgement, Packet::Pubrec),
        Held::Pubcomp(id, acknowledgement) => (*id, acknowledgement, Packet::Pubcomp),
        Held::Publish(_) | Held::Pubrel(_) => return,
    };
    let (reason, properties) = (acknowledgement.reason, acknowledgement.properties.as_properties());
    if connection.send(&packet(Ack { packet_id, reason, properties })).is_err() {
        // Too large for the Server: it goes without its texts [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3].
        // Five bytes always fit.
        let _ = connection.send(&packet(Ack::new(packet_id, reason)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::property::Properties;

    #[test]
    fn what_a_message_is_recognised_by_is_the_same_in_all_versions_of_this_library() {
        let content_of = |qos, topic, payload: &[u8]| {
            let topic = TopicName::new(topic).unwrap();
            let (packet_id, properties) = (PacketId::new(1), Properties::EMPTY);
            let publish =
                Publish { dup: false, qos, retain: false, topic: Some(topic), packet_id, properties, payload };
            content(topic, &publish)
        };
        let known = content_of(QoS::ExactlyOnce, "mt5/EURUSD", b"1.1");
        // It stands in the stores of those who use it.
        assert_eq!(known, 16_532_686_047_335_193_077);
        for other in [
            content_of(QoS::AtLeastOnce, "mt5/EURUSD", b"1.1"),
            content_of(QoS::ExactlyOnce, "mt5/EURUSD1", b".1"),
            content_of(QoS::ExactlyOnce, "mt5/EURUSD", b"1.2"),
        ] {
            assert_ne!(known, other);
        }
    }
}
