//! Topic Aliases (section 3.3.2.3.4): numbers that stand for Topic Names. They belong to one Network Connection and one
//! direction of it \[MQTT-3.3.2-7\].

use super::ordered::Ordered;
use crate::codec::publish::ALIAS_SIZE;
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicName;
use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::Arc;

/// Our aliases: given out to whatever is published, the least recently used one again when all are in use.
#[derive(Debug)]
pub(super) struct OutgoingAliases {
    maximum: u16,
    aliases: HashMap<Arc<[u8]>, NonZeroU16>,
    /// By alias, the least recently used first.
    topics: Ordered<Arc<[u8]>>,
}

impl OutgoingAliases {
    pub fn new(maximum: u16) -> Self {
        OutgoingAliases { maximum, aliases: HashMap::new(), topics: Ordered::new() }
    }

    /// The alias that the Server knows for this topic.
    pub fn known(&self, topic: TopicName<'_>) -> Option<NonZeroU16> {
        match self.topics.last() {
            // Many a program publishes to the same topic again and again.
            Some((alias, last)) if **last == *topic.as_bytes() => Some(alias),
            _ => self.aliases.get(topic.as_bytes()).copied(),
        }
    }

    /// The alias to give to a topic that has none, if it shall get one.
    pub fn available(&self, topic: TopicName<'_>) -> Option<NonZeroU16> {
        // A Topic Name that is no longer than the property is better sent as it is.
        if topic.as_bytes().len() <= ALIAS_SIZE || self.maximum == 0 {
            return None;
        }
        let in_use = self.topics.len() as u16;
        if in_use < self.maximum { NonZeroU16::new(in_use + 1) } else { self.topics.first().map(|(alias, _)| alias) }
    }

    /// A PUBLISH that gives this alias to the topic is on its way: it stands for the topic from now on.
    pub fn given(&mut self, alias: NonZeroU16, topic: TopicName<'_>) {
        if let Some(before) = self.topics.remove(alias) {
            self.aliases.remove(&before);
        }
        let topic: Arc<[u8]> = topic.as_bytes().into();
        self.aliases.insert(topic.clone(), alias);
        self.topics.insert(alias, topic);
    }

    /// A PUBLISH with an alias that the Server knows is on its way.
    pub fn used(&mut self, alias: NonZeroU16) {
        if self.topics.last().is_none_or(|(last, _)| last != alias)
            && let Some(topic) = self.topics.remove(alias)
        {
            self.topics.insert(alias, topic);
        }
    }
}

/// The Server's aliases.
#[derive(Debug)]
pub(super) struct IncomingAliases {
    /// The Topic Alias Maximum that we announced.
    maximum: u16,
    topics: HashMap<u32, Arc<[u8]>>,
}

impl IncomingAliases {
    pub fn new(maximum: u16) -> Self {
        IncomingAliases { maximum, topics: HashMap::new() }
    }

    /// Whether it is one that we have announced.
    pub fn takes(&self, alias: u32) -> bool {
        alias > 0 && alias <= self.maximum.into()
    }

    /// What a PUBLISH with this alias is about. `Err` is the Reason Code to end the connection with, and why (section 3.3.4).
    pub fn resolve(
        &mut self,
        alias: u32,
        topic: Option<TopicName<'_>>,
    ) -> Result<Arc<[u8]>, (ReasonCode, &'static str)> {
        if !self.takes(alias) {
            return Err((ReasonCode::TOPIC_ALIAS_INVALID, "the Server used a Topic Alias above our maximum"));
        }
        match topic {
            Some(topic) => {
                let topic: Arc<[u8]> = topic.as_bytes().into();
                self.topics.insert(alias, topic.clone());
                Ok(topic)
            }
            None => {
                let unknown =
                    (ReasonCode::PROTOCOL_ERROR, "the Server used a Topic Alias that stands for no Topic Name");
                self.topics.get(&alias).cloned().ok_or(unknown)
            }
        }
    }
}
