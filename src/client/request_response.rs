//! Request/Response (section 4.10) as the program uses it: requests with a deadline, and answers to those of others.

use super::command::Command;
use super::events::{Notice, NoticeKind};
use super::{Client, Outgoing, State, clock};
use crate::codec::message::Message;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use crate::session::event::{Event, Token};
use crate::session::options::PublishOptions;
use crate::types::status::{Failure, Status};
use crate::types::topic::TopicName;
use crate::types::{ProtocolVersion, QoS};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The longest time that a request may take.
const LONGEST_REQUEST: Duration = Duration::from_secs(24 * 3600);

impl Client {
    /// Publishes a request. Its response, or why there is none, comes as an event with the token, within `timeout`.
    pub fn request(
        &self,
        topic: TopicName<'_>,
        payload: &[u8],
        qos: QoS,
        properties: Properties<'_>,
        timeout: Duration,
    ) -> Result<Token, Failure> {
        self.check_alive()?;
        if timeout.is_zero() || timeout > LONGEST_REQUEST {
            let text = format!("a request takes from 1 ms to {} s", LONGEST_REQUEST.as_secs());
            return Err(Status::OutOfRange.because(text));
        }
        for id in [PropertyId::ResponseTopic, PropertyId::CorrelationData] {
            if properties.nth(id, 0).is_some() {
                let text = format!("the {} of a request is given by the library: leave it out", id.name());
                return Err(Status::InvalidArgument.because(text));
            }
        }
        if matches!(self.state(), State::Idle) {
            return Err(Status::NotConnected.because("a request needs a connection: call connect first"));
        }
        if self.statistics().version == Some(ProtocolVersion::V311) {
            return Err(Status::NotSupportedByServer.because("MQTT 3.1.1 has no requests"));
        }
        self.count_request()?;
        let message = Message::new(topic, payload, qos, false, properties);
        self.accept(&message.publish(None, false), false).inspect_err(|_| {
            self.shared.accounts.requests.fetch_sub(1, Ordering::AcqRel);
        })?;
        let token = self.shared.accounts.next_token.fetch_add(1, Ordering::Relaxed);
        let deadline = clock::now() + timeout;
        self.shared.submit(Command::Request { token, message, deadline });
        Ok(token)
    }

    /// Answers the current event: publishes to its Response Topic, with its Correlation Data. `properties` are those that the
    /// response has besides, `how` is how it is treated while it waits.
    pub fn respond(
        &self,
        payload: &[u8],
        qos: QoS,
        properties: Properties<'_>,
        how: PublishOptions,
    ) -> Result<Token, Failure> {
        self.check_alive()?;
        let (topic, correlation) = self.current(asked)??;
        let mut all: PropertiesBuf = properties.into();
        if let Some(correlation) = correlation {
            // What one packet carried another one can carry.
            let _ = all.set(PropertyId::CorrelationData, Value::Binary(&correlation));
        }
        let topic = TopicName::new(&topic).map_err(|error| Status::InvalidTopic.because(error.to_string()))?;
        let properties = all.as_properties();
        self.publish_with(Outgoing { topic, payload, qos, retain: false, properties, how })
    }
}

/// Response Topic and Correlation Data of an event that asks for a response.
fn asked(notice: &Notice) -> Result<(String, Option<Vec<u8>>), Failure> {
    let properties = match &notice.kind {
        NoticeKind::Session(Event::Message { message, .. }) => message.properties(),
        NoticeKind::Session(Event::Response { answer: Ok(answer), .. }) => answer.message.properties(),
        _ => return Err(Status::NotPresent.because("the current event is no message")),
    };
    let Some(topic) = properties.text(PropertyId::ResponseTopic) else {
        return Err(Status::NotPresent.because("the message has no Response Topic: it asks for no response"));
    };
    Ok((topic.to_owned(), properties.binary(PropertyId::CorrelationData).map(<[u8]>::to_vec)))
}
