//! Received messages of a Session that was left behind at another Server (`elsewhere`). What that one sends again when the client
//! is back is recognised by its Packet Identifier and its content, and taken up where it was.

use super::{Inbound, Received, Unanswered};
use crate::codec::PacketId;
use crate::codec::publish::Publish;
use crate::session::event::Delivery;
use crate::session::options::Acknowledgement;
use crate::session::record::{Key, Log, Record};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What a Session that was left behind had of received messages.
#[derive(Clone, Debug, Default)]
pub(in crate::session) struct Parked {
    unanswered: FxHashMap<PacketId, Unanswered>,
    /// QoS 2: PUBREC was sent.
    received: BTreeSet<PacketId>,
    contents: FxHashMap<PacketId, u64>,
}

impl Parked {
    /// The program is done with a message, of which the Server can't be told yet.
    pub fn acknowledge(&mut self, delivery: Delivery, acknowledgement: &Acknowledgement) {
        let mut all = self.unanswered.values_mut();
        if let Some(unanswered) = all.find(|one| one.delivery == delivery && one.acknowledged.is_none()) {
            unanswered.acknowledged = Some(acknowledgement.clone());
        }
    }

    /// The Server gives this Packet Identifier to other messages from now on.
    pub(super) fn ends(&mut self, id: PacketId) {
        self.contents.remove(&id);
        self.unanswered.remove(&id);
        self.received.remove(&id);
    }

    /// The program can no longer acknowledge what it has, and is told so. If such a message comes again, the program gets
    /// it again.
    pub fn give_up(&mut self) {
        self.unanswered.retain(|_, unanswered| unanswered.acknowledged.is_some());
        self.contents.retain(|id, _| self.unanswered.contains_key(id) || self.received.contains(id));
    }

    /// What it holds as well, in place of what has the same Packet Identifiers.
    fn extend(&mut self, other: Parked) {
        for id in other.contents.keys() {
            self.unanswered.remove(id);
            self.received.remove(id);
        }
        self.unanswered.extend(other.unanswered);
        self.received.extend(other.received);
        self.contents.extend(other.contents);
    }
}

impl Inbound {
    /// Takes up again what was parked, if this is sent again. Without DUP it is a new message \[MQTT-3.3.1-1\].
    pub(super) fn remember(&mut self, id: PacketId, publish: &Publish<'_>, content: u64, log: &mut Log) {
        let Some(parked) = self.before.contents.remove(&id) else { return };
        let unanswered = self.before.unanswered.remove(&id);
        let received = self.before.received.remove(&id);
        if parked != content || !publish.dup || self.contents.contains_key(&id) {
            return;
        }
        self.contents.insert(id, content);
        if let Some(mut unanswered) = unanswered {
            // If the program isn't done with it yet, the Server waits for its answer again.
            let is_orphan = self.orphans.remove(&unanswered.delivery).is_some();
            if !is_orphan && unanswered.acknowledged.is_none() {
                unanswered.keyed = None;
            }
            unanswered.recorded = log.latest();
            self.unanswered.insert(id, unanswered);
        }
        if received {
            let recorded = log.add(Key::Received(id), || Record::Received { content: Some(content) });
            self.received.insert(id, Received { now: false, recorded });
        }
    }

    /// What a Session that is left behind may send again.
    pub fn park(&self) -> Parked {
        let mut parked = self.before.clone();
        parked.extend(Parked {
            unanswered: self.unanswered.clone(),
            received: self.received.keys().copied().collect(),
            contents: self.contents.clone(),
        });
        parked
    }

    /// The Server has the Session from which this was parked, or perhaps another one.
    pub fn come_back(&mut self, parked: Parked, or_perhaps: Parked) {
        self.before = or_perhaps;
        self.before.extend(parked);
    }
}
