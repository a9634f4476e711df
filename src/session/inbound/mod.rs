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

mod answering;
mod arrived;
mod parked;

pub(super) use answering::send_answer;
pub(super) use parked::Parked;

use super::breaches::Breach;
use super::connection::{Connection, Held};
use super::deduplication::{Keys, Known};
use super::event::{Delivery, Event};
use super::options::{Acknowledge, Acknowledgement, Deduplicate, PayloadFormatCheck};
use super::record::{Key, Log, Record};
use super::sink::Sink;
use crate::codec::PacketId;
use crate::codec::buffers::Buffers;
use crate::codec::publish::Publish;
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicName;
use answering::answer_when_durable;
use arrived::{Arrived, Payload, content};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The low bits of a [`Delivery`] hold the Packet Identifier, those above number the messages.
const PACKET_ID_BITS: u32 = 16;

fn delivery(number: i64, id: PacketId) -> Delivery {
    number << PACKET_ID_BITS | Delivery::from(id.get())
}

fn packet_id(delivery: Delivery) -> Option<PacketId> {
    PacketId::new(delivery as u16)
}

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
    /// The number of the last message.
    deliveries: i64,
    /// What the messages of both maps are recognised by, beside their identifiers.
    contents: FxHashMap<PacketId, u64>,
    /// Recorded messages that the program hasn't taken.
    arrivals: BTreeSet<Delivery>,
    keys: Keys,
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
            keys: Keys::new(),
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
        out: &mut Sink<'_>,
    ) -> Result<(), Breach> {
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
            out.breaches.pass_over(Breach::IdentifierInUse, out.events)?;
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
        // The Server sends again what we have not answered. Only a QoS 1 PUBLISH without DUP is a new message.
        let again = self.unanswered.contains_key(&id) && (publish.dup || publish.qos == QoS::ExactlyOnce);
        if again && connection.unanswered.contains(&id) {
            // A redelivery within one connection: MQTT-4.4.0-1 forbids it, but it harms nobody.
            return out.breaches.pass_over(Breach::Redelivery, out.events);
        }
        if connection.unanswered.len() + self.received_now >= rules.receive_maximum {
            // Mosquitto 2.0.11 does so whenever messages wait there. Were the connection ended for it, the next one would be too.
            out.breaches.pass_over(Breach::ReceiveMaximum, out.events)?;
        }
        out.look_at_payload(arrived.payload)?;
        connection.unanswered.push_back(id);
        if !again {
            self.take_in(id, &arrived, rules, out);
            self.contents.insert(id, content);
        }
        self.answer(connection, out.log);
        Ok(())
    }

    /// A new QoS 1 or 2 message: hands it out, unless it is refused or the program is done with a copy of it.
    fn take_in(&mut self, id: PacketId, arrived: &Arrived<'_>, rules: Rules<'_>, out: &mut Sink<'_>) {
        self.deliveries += 1;
        let delivery = delivery(self.deliveries, id);
        let refused = arrived.payload == Payload::Refused;
        let known = match rules.deduplicate {
            Some(rules) if !refused => {
                let message = arrived.message(&self.buffers);
                let known = self.keys.look(&message, rules, out.log);
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
        // By what a copy is recognised, and perhaps the message of which it is one, may not be stored yet.
        let mut recorded = if suppressed { out.log.latest() } else { 0 };
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
                    // In the batch of the message.
                    self.keys.finish(number, out.log);
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
    pub fn restore(&mut self, key: Key, record: Record, out: &mut Sink<'_>) -> Result<(), &'static str> {
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
            (Key::Done(number), Record::Done { message_key }) => self.keys.restore(number, &message_key),
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
