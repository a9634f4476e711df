//! Received messages of a Session that was left behind at another Server (`elsewhere`). What that one sends again when the client
//! is back is recognised by its Packet Identifier and its content, and taken up where it was.

use super::{Inbound, Received, Unanswered};
use crate::codec::PacketId;
use crate::codec::publish::Publish;
use crate::session::event::Delivery;
use crate::session::options::Acknowledgement;
use crate::session::record::{Key, Log, Record};
use rustc_hash::FxHashMap;

/// What a Session that was left behind had of received messages.
#[derive(Clone, Debug, Default)]
pub(in crate::session) struct Parked {
    messages: FxHashMap<PacketId, Message>,
}

#[derive(Clone, Debug)]
struct Message {
    content: u64,
    unanswered: Option<Unanswered>,
    /// QoS 2: PUBREC was sent.
    received: bool,
}

impl Parked {
    /// The program is done with a message, of which the Server can't be told yet.
    pub fn acknowledge(&mut self, delivery: Delivery, acknowledgement: &Acknowledgement) {
        let mut all = self.messages.values_mut().filter_map(|message| message.unanswered.as_mut());
        if let Some(unanswered) = all.find(|one| one.delivery == delivery && one.acknowledged.is_none()) {
            unanswered.acknowledged = Some(acknowledgement.clone());
        }
    }

    /// The Server gives this Packet Identifier to other messages from now on.
    pub(super) fn ends(&mut self, id: PacketId) {
        self.messages.remove(&id);
    }

    /// The program can no longer acknowledge what it has, and is told so. If such a message comes again, the program gets
    /// it again.
    pub fn give_up(&mut self) {
        self.messages.retain(|_, message| {
            message.unanswered.take_if(|unanswered| unanswered.acknowledged.is_none());
            message.unanswered.is_some() || message.received
        });
    }
}

impl Inbound {
    /// Takes up again what was parked, if this is sent again. Without DUP it is a new message \[MQTT-3.3.1-1\].
    pub(super) fn remember(&mut self, id: PacketId, publish: &Publish<'_>, content: u64, log: &mut Log) {
        let Some(parked) = self.before.messages.remove(&id) else { return };
        if parked.content != content || !publish.dup {
            return;
        }
        self.contents.insert(id, content);
        if let Some(mut unanswered) = parked.unanswered {
            // If the program isn't done with it yet, the Server waits for its answer again.
            self.orphans.remove(&unanswered.delivery);
            unanswered.recorded = log.latest();
            self.unanswered.insert(id, unanswered);
        }
        if parked.received {
            let recorded = log.add(Key::Received(id), || Record::Received { content: Some(content) });
            self.received.insert(id, Received { now: false, recorded });
        }
    }

    /// What a Session that is left behind may send again.
    pub fn park(&self) -> Parked {
        let mut parked = self.before.clone();
        parked.messages.extend(self.contents.iter().map(|(id, content)| {
            let (unanswered, received) = (self.unanswered.get(id).cloned(), self.received.contains_key(id));
            (*id, Message { content: *content, unanswered, received })
        }));
        parked
    }

    /// The Server has the Session from which this was parked, or perhaps another one.
    pub fn come_back(&mut self, parked: Parked, or_perhaps: Parked) {
        self.before = or_perhaps;
        self.before.messages.extend(parked.messages);
    }
}
