//! What becomes of messages that are under way when a connection, the Server's Session or this process ends: they are
//! resumed, lost or restored (section 4.4).

use super::connection::Connection;
use super::event::{Outcome, Stage};
use super::figures::Amount;
use super::outbound::{InFlight, Outbound, Released};
use super::packet_ids::PacketIds;
use super::queue::Publishing;
use super::record::{Key, Log, Record};
use super::sink::Sink;
use super::suspect::FirstUnanswered;
use crate::codec::PacketId;
use crate::types::QoS;
use crate::types::status::Status;
use std::collections::BTreeMap;

impl Outbound {
    /// The Server has kept the Session: what was in flight is sent again \[MQTT-4.4.0-1\], the PUBRELs in the order of
    /// their PUBRECs \[MQTT-4.6.0-4\] and at once, the PUBLISH packets in their original order \[MQTT-4.6.0-1\] as the quota
    /// allows.
    /// `in_doubt` says that it may be another Session.
    pub fn resume(&mut self, connection: &mut Connection, in_doubt: bool, out: &mut Sink<'_>) {
        self.released.iter_mut().for_each(|(_, released)| released.in_doubt |= in_doubt);
        connection.send_quota -= self.released.len() as isize;
        let released: Vec<PacketId> = self.released.iter().map(|(id, _)| id).collect();
        for id in released {
            self.send_pubrel(id, connection, out);
        }
        for (id, entry) in self.in_flight.iter_mut() {
            entry.counted = false;
            connection.resend.push_back(id);
        }
    }

    /// The Server has no Session. QoS 1 messages in flight are published anew, before everything in the queue: that they
    /// may then arrive twice is what QoS 1 allows. Of a QoS 2 message nobody can say whether it arrived, and the program is told
    /// so, unless it was not even sent. PUBREC says no more: some Servers, Mosquitto among them, pass a message on only when
    /// they get PUBREL, and throw it away with the Session.
    pub fn lose_session(&mut self, ids: &mut PacketIds, out: &mut Sink<'_>) {
        for (id, released) in self.released.drain() {
            ids.release(id);
            self.outstanding.count -= 1;
            out.log.remove(Key::Flow(released.number));
            out.end(released.token, Outcome::local(Status::SessionLost));
        }
        for (id, mut entry) in self.in_flight.drain() {
            ids.release(id);
            out.log.remove(Key::Flow(entry.publishing.number));
            if entry.publishing.message.qos == QoS::ExactlyOnce && entry.sent {
                self.finish(entry.publishing, Outcome::local(Status::SessionLost), out);
            } else {
                // The next process thinks so of each QoS 1 message.
                entry.publishing.perhaps_arrived |= entry.sent;
                self.queue.put_back(entry.publishing);
            }
        }
    }

    /// The first PUBREL that was sent and that the Server hasn't answered.
    pub fn first_pubrel(&self, log: &Log) -> Option<FirstUnanswered> {
        let first = self.released.iter().find(|(_, released)| log.is_durable(released.recorded));
        let (id, Released { number, token, .. }) = first?;
        let what = "PUBREL of a QoS 2 message".to_owned();
        Some(FirstUnanswered { number: Some(*number), token: *token, what, pubrel: Some(id) })
    }

    /// The Server doesn't take this PUBREL. What became of the message nobody knows, and its Packet Identifier stays in use.
    pub fn give_up_pubrel(&mut self, id: PacketId, out: &mut Sink<'_>) {
        if let Some(released) = self.released.remove(id) {
            self.given_up.push(id);
            self.outstanding.count -= 1;
            out.log.remove(Key::Flow(released.number));
            out.end(released.token, Outcome::local(Status::SessionLost));
        }
    }

    /// The Packet Identifiers of QoS 2 messages that the Server may hold.
    pub fn held_by_server(&self) -> Vec<PacketId> {
        let is_held = |entry: &InFlight| entry.sent && entry.publishing.message.qos == QoS::ExactlyOnce;
        let in_flight = self.in_flight.iter().filter(|(_, entry)| is_held(entry)).map(|(id, _)| id);
        self.released.iter().map(|(id, _)| id).chain(in_flight).collect()
    }

    /// Takes over what an earlier process had stored. What this one has accepted already comes after it. `Err` says why the
    /// records can't all be true.
    pub fn restore(
        &mut self,
        records: impl Iterator<Item = (Key, Record)>,
        ids: &mut PacketIds,
        out: &mut Sink<'_>,
    ) -> Result<(), &'static str> {
        let mut publishes = BTreeMap::new();
        let mut flows = BTreeMap::new();
        for (key, record) in records {
            match (key, record) {
                (Key::Publish(number), record) => {
                    let publishing = Publishing::restored(number, record).ok_or("a publish is none")?;
                    publishes.insert(number, publishing);
                }
                (Key::Flow(number), Record::Flow { token, packet_id, order, released }) => {
                    if !ids.claim(packet_id) || flows.insert(order, (number, token, packet_id, released)).is_some() {
                        return Err("two messages have the same Packet Identifier or place");
                    }
                }
                _ => return Err("a publish has a record of another kind"),
            }
        }
        let highest = publishes.keys().chain(flows.values().map(|flow| &flow.0)).max().copied().unwrap_or(0);
        let waiting = self.queue.start_after(highest);
        self.outstanding = Amount::default();
        self.next_order = flows.keys().next_back().map_or(1, |order| order + 1);
        for (number, token, packet_id, released) in flows.into_values() {
            if released {
                self.outstanding.count += 1;
                self.released.insert(packet_id, Released { token, number, recorded: 0, said: None, in_doubt: false });
                out.tell(token, Stage::Acknowledged);
            } else {
                let publishing = publishes.remove(&number).ok_or("a message in flight is missing")?;
                self.take_over(&publishing, Stage::Sent, out);
                // Whether it left before the crash, nobody knows.
                let entry = InFlight { publishing, counted: false, sent: true, redelivered: false, recorded: 0 };
                self.in_flight.insert(packet_id, entry);
            }
        }
        for mut publishing in publishes.into_values() {
            // QoS 1 leaves before it is stored that it does: whether it left before the crash, nobody knows.
            publishing.perhaps_arrived |= publishing.message.qos == QoS::AtLeastOnce;
            self.take_over(&publishing, Stage::Durable, out);
            self.queue.put_back(publishing);
        }
        for publishing in waiting {
            self.add(publishing, out);
        }
        Ok(())
    }

    fn take_over(&mut self, publishing: &Publishing, stage: Stage, out: &mut Sink<'_>) {
        self.outstanding += Amount::of(&publishing.message);
        out.tell(publishing.token, stage);
    }
}
