//! An Application Message that is owned: what a program publishes and what it receives.
//!
//! Topic Name, properties and payload lie one after the other in one buffer, so that keeping a message costs one
//! allocation and its size is known at a glance; or none, if the buffer was that of another message (`buffers`).

use super::PacketId;
use super::buffers::Buffers;
use super::property::{Properties, PropertyId};
use super::publish::Publish;
use crate::types::QoS;
use crate::types::topic::TopicName;
use std::fmt;

#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub qos: QoS,
    pub retain: bool,
    /// Set on what the Server sent again.
    pub dup: bool,
    topic_size: u32,
    properties_size: u32,
    content: Vec<u8>,
}

impl Message {
    pub fn new(topic: TopicName<'_>, payload: &[u8], qos: QoS, retain: bool, properties: Properties<'_>) -> Message {
        let size = size(topic, payload, properties);
        Message::made(topic, payload, qos, retain, properties, Vec::with_capacity(size))
    }

    /// The same in a buffer that comes from there.
    pub fn new_in(
        buffers: &Buffers,
        topic: TopicName<'_>,
        payload: &[u8],
        qos: QoS,
        retain: bool,
        properties: Properties<'_>,
    ) -> Message {
        let content = buffers.take(size(topic, payload, properties));
        Message::made(topic, payload, qos, retain, properties, content)
    }

    fn made(
        topic: TopicName<'_>,
        payload: &[u8],
        qos: QoS,
        retain: bool,
        properties: Properties<'_>,
        mut content: Vec<u8>,
    ) -> Message {
        let topic = topic.as_bytes();
        let properties = properties.as_bytes();
        content.extend_from_slice(topic);
        content.extend_from_slice(properties);
        content.extend_from_slice(payload);
        Message {
            qos,
            retain,
            dup: false,
            topic_size: topic.len() as u32,
            properties_size: properties.len() as u32,
            content,
        }
    }

    pub fn topic(&self) -> TopicName<'_> {
        TopicName::from_checked(&self.content[..self.topic_size as usize])
    }

    pub fn properties(&self) -> Properties<'_> {
        let start = self.topic_size as usize;
        Properties::from_checked(&self.content[start..start + self.properties_size as usize])
    }

    pub fn payload(&self) -> &[u8] {
        &self.content[(self.topic_size + self.properties_size) as usize..]
    }

    /// Rewrites the Message Expiry Interval of a message that has one. Seconds.
    pub fn set_message_expiry_interval(&mut self, seconds: u32) {
        if let Some(position) = self.properties().position(PropertyId::MessageExpiryInterval) {
            let start = self.topic_size as usize + position;
            self.content[start..start + 4].copy_from_slice(&seconds.to_be_bytes());
        }
    }

    /// The buffer that it lay in.
    pub(super) fn into_content(self) -> Vec<u8> {
        self.content
    }

    /// Bytes of Topic Name, properties and payload together: what the limits of the queues count.
    pub fn size(&self) -> usize {
        self.content.len()
    }

    /// The PUBLISH that carries this message.
    pub fn publish(&self, packet_id: Option<PacketId>, dup: bool) -> Publish<'_> {
        Publish {
            dup,
            qos: self.qos,
            retain: self.retain,
            topic: Some(self.topic()),
            packet_id,
            properties: self.properties(),
            payload: self.payload(),
        }
    }
}

fn size(topic: TopicName<'_>, payload: &[u8], properties: Properties<'_>) -> usize {
    topic.as_bytes().len() + properties.as_bytes().len() + payload.len()
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.publish(None, self.dup).fmt(f)
    }
}
