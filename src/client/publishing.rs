//! The program's side of the outgoing queue: what is refused at the call, and what is accepted.

use super::command::Command;
use super::shared::Shared;
use super::{Client, State};
use crate::codec::message::Message;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use crate::codec::publish::Publish;
use crate::session::Amount;
use crate::session::event::{Stage, Token};
use crate::session::options::PublishOptions;
use crate::types::QoS;
use crate::types::status::{Failure, Status};
use crate::types::topic::TopicName;
use std::sync::atomic::Ordering;

/// A message that a program publishes, and how it is treated while it waits.
pub struct Outgoing<'a> {
    pub topic: TopicName<'a>,
    pub payload: &'a [u8],
    pub qos: QoS,
    pub retain: bool,
    pub properties: Properties<'a>,
    pub how: PublishOptions,
}

/// Whether the outgoing queue has room for an accepted publish.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// Something is dropped or superseded for it.
    Full,
}

impl Client {
    /// Publishes. The token names the outcome's event.
    pub fn publish(
        &self,
        topic: TopicName<'_>,
        payload: &[u8],
        qos: QoS,
        retain: bool,
        properties: Properties<'_>,
    ) -> Result<Token, Failure> {
        self.publish_with(Outgoing { topic, payload, qos, retain, properties, how: PublishOptions::default() })
    }

    /// As `publish`, and says how the message is treated while it waits.
    pub fn publish_with(&self, outgoing: Outgoing<'_>) -> Result<Token, Failure> {
        self.publish_by(outgoing, Shared::submit)
    }

    /// As `publish_with`, but the message leaves with `send_gathered`, together with others.
    pub fn publish_gathered(&self, outgoing: Outgoing<'_>) -> Result<Token, Failure> {
        self.publish_by(outgoing, Shared::gather)
    }

    /// Sends what was gathered, on this thread if the core is free.
    pub fn send_gathered(&self) {
        self.shared.work_off_commands();
    }

    /// Withdraws a publish or a request that wasn't sent yet: it ends with `Cancelled`. What was sent ends as ever.
    pub fn cancel(&self, token: Token) -> Result<(), Failure> {
        self.check_alive()?;
        if !(1..self.shared.accounts.next_token.load(Ordering::Relaxed)).contains(&token) {
            return Err(Status::UnknownToken.because(format!("nothing has the token {token}")));
        }
        self.shared.submit(Command::Cancel { token });
        Ok(())
    }

    // The command is made where it is needed, instead of being handed on from place to place.
    #[inline(always)]
    fn publish_by(&self, outgoing: Outgoing<'_>, hand_over: impl Fn(&Shared, Command)) -> Result<Token, Failure> {
        let Outgoing { topic, payload, qos, retain, properties, mut how } = outgoing;
        self.check_alive()?;
        if how.conflation_key.as_deref() == Some("") {
            how.conflation_key = Some(topic.as_str().into());
        }
        let mut with_expiry = PropertiesBuf::new();
        let properties = match how.time_to_live {
            // What is too old to be sent is too old to be kept by the Server.
            Some(time) if properties.int(PropertyId::MessageExpiryInterval).is_none() => {
                let seconds = u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
                with_expiry.extend(properties);
                // The range of this property is that of the type.
                let _ = with_expiry.set(PropertyId::MessageExpiryInterval, Value::Int(seconds));
                with_expiry.as_properties()
            }
            _ => properties,
        };
        let publish = Publish { dup: false, qos, retain, topic: Some(topic), packet_id: None, properties, payload };
        let room = self.accept(&publish, how.conflation_key.is_some())?;
        let token = self.shared.accounts.next_token.fetch_add(1, Ordering::Relaxed);
        if qos != QoS::AtMostOnce {
            self.shared.stages.advance(token, Stage::Accepted);
        } else if room == Room::Free && is_patient(&how, properties) && self.shared.leave_patient(token, &publish) {
            return Ok(token);
        }
        let message = match &self.place {
            None => Message::new_in(&self.shared.buffers, topic, payload, qos, retain, properties),
            // It ends on another thread, which must not depend on a lock of this program.
            Some(_) => Message::new(topic, payload, qos, retain, properties),
        };
        hand_over(&self.shared, Command::Publish { token, message, how });
        Ok(token)
    }

    /// Checks a message and takes its place in the budget of the outgoing queue. Only the Session knows whether a message
    /// with a conflation key finds one to supersede.
    pub(super) fn accept(&self, publish: &Publish<'_>, conflates: bool) -> Result<Room, Failure> {
        let (qos, retain, size) = (publish.qos, publish.retain, publish.size());
        let limits = &self.shared.publish_limits;
        let queues_qos0 = limits.queues_qos0.load(Ordering::Acquire);
        if qos == QoS::AtMostOnce && !queues_qos0 && self.state() != State::Connected {
            let text = "not connected, and option QUEUE_QOS0 keeps QoS 0 publishes out of the queue".to_owned();
            return Err(Status::NotConnected.because(text));
        }
        if qos != QoS::AtMostOnce && self.shared.accounts.store_failed.load(Ordering::Acquire) {
            return Err(Status::StoreNotWritten.into());
        }
        let maximum_bytes = limits.maximum_bytes.load(Ordering::Acquire);
        if size > maximum_bytes {
            let text = format!("the message has {size} bytes, option OUTGOING_MAXIMUM_BYTES is {maximum_bytes}");
            return Err(Status::TooLarge.because(text));
        }
        check_publish_properties(publish.properties)?;
        check_payload_format(publish.payload, publish.properties)?;
        self.check_against_server(size, qos, retain)?;
        let amount = Amount { count: 1, bytes: size };
        let before = self.shared.accounts.outgoing.add(amount);
        let full = before.count >= limits.maximum.load(Ordering::Acquire) || before.bytes + size > maximum_bytes;
        if full && !conflates && limits.refuses_when_full.load(Ordering::Acquire) {
            self.shared.accounts.outgoing.subtract(amount);
            let Amount { count, bytes } = before;
            let text = format!("the outgoing queue is full: {count} messages, {bytes} bytes");
            return Err(Status::QueueFull.because(text));
        }
        Ok(if full { Room::Full } else { Room::Free })
    }

    /// What the present Server said it won't take is refused at the call. What a later Server doesn't take ends with an
    /// event.
    fn check_against_server(&self, size: usize, qos: QoS, retain: bool) -> Result<(), Failure> {
        let takes = self.shared.publish_limits.server();
        if qos > takes.maximum_qos {
            let text = format!("the Server takes QoS {} at most", takes.maximum_qos as u8);
            return Err(Status::NotSupportedByServer.because(text));
        }
        if retain && !takes.retain {
            return Err(Status::NotSupportedByServer.because("the Server keeps no retained messages"));
        }
        if size > takes.maximum_packet_size {
            let maximum = takes.maximum_packet_size;
            return Err(Status::TooLarge.because(format!("the message has {size} bytes, the limit is {maximum}")));
        }
        Ok(())
    }
}

/// Whether nothing ends it before it is sent. A time to live stands in the properties, too.
fn is_patient(how: &PublishOptions, properties: Properties<'_>) -> bool {
    how.conflation_key.is_none() && !how.priority && properties.int(PropertyId::MessageExpiryInterval).is_none()
}

/// What PUBLISH may carry by the table of properties, but not from a program.
fn check_publish_properties(properties: Properties<'_>) -> Result<(), Failure> {
    if properties.is_empty() {
        return Ok(());
    }
    for (id, why) in [
        // [MQTT-3.2.2-17]: only the Session knows what the Server takes.
        (PropertyId::TopicAlias, "Topic Aliases are given by the library: leave the property out"),
        // [MQTT-3.3.4-6]
        (PropertyId::SubscriptionIdentifier, "only a Server may put a Subscription Identifier into PUBLISH"),
    ] {
        if properties.nth(id, 0).is_some() {
            return Err(Status::InvalidArgument.because(why));
        }
    }
    Ok(())
}

/// Section 3.3.2.3.2
pub(super) fn check_payload_format(payload: &[u8], properties: Properties<'_>) -> Result<(), Failure> {
    if !properties.is_empty()
        && properties.int(PropertyId::PayloadFormatIndicator) == Some(1)
        && std::str::from_utf8(payload).is_err()
    {
        return Err(Status::PayloadFormat.into());
    }
    Ok(())
}
