//! Numbers and texts of a call, checked and as what they stand for. A failure names the argument.

use crate::codec::property::PropertyId;
use crate::codec::subscribe::SubscriptionOptions;
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::status::{Failure, Status};
use crate::types::text::TextError;
use crate::types::topic::{TopicError, TopicFilter, TopicName};
use std::time::Duration;

/// Of a longer topic this many characters are shown: 64 KiB are of no help in an error text.
const SHOWN: usize = 80;

/// An argument that must be there.
pub fn required<T>(what: &str, argument: Option<T>) -> Result<T, Failure> {
    argument.ok_or_else(|| Status::InvalidArgument.because(format!("{what} is NULL")))
}

pub fn flag(what: &str, value: i32) -> Result<bool, Failure> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Status::InvalidArgument.because(format!("{what} is 0 or 1, not {value}"))),
    }
}

pub fn milliseconds(value: i32) -> Result<Duration, Failure> {
    let milliseconds = u64::try_from(value);
    let negative = |_| Status::InvalidArgument.because(format!("a time of {value} ms is negative"));
    milliseconds.map(Duration::from_millis).map_err(negative)
}

pub fn quality(qos: i32) -> Result<QoS, Failure> {
    let known = u8::try_from(qos).ok().and_then(QoS::from_u8);
    known.ok_or_else(|| Status::InvalidArgument.because(format!("QoS is 0, 1 or 2, not {qos}")))
}

pub fn reason_code(value: i32) -> Result<ReasonCode, Failure> {
    let code = u8::try_from(value).map(ReasonCode);
    code.map_err(|_| Status::InvalidArgument.because(format!("a Reason Code is 0 to 255, not {value}")))
}

/// QoS and MT5MQTT_SUBSCRIBE_ flags: the Subscription Options as they travel.
pub fn subscription_options(value: i32) -> Result<SubscriptionOptions, Failure> {
    let known = u8::try_from(value).ok().and_then(SubscriptionOptions::from_u8);
    let unknown = || {
        let text =
            "is no QoS with MT5MQTT_SUBSCRIBE_ flags added, of which RETAIN_IF_NEW and RETAIN_NEVER exclude each other";
        Status::InvalidArgument.because(format!("{value} {text}"))
    };
    known.ok_or_else(unknown)
}

pub fn property_id(value: i32) -> Result<PropertyId, Failure> {
    let known = u32::try_from(value).ok().and_then(PropertyId::from_u32);
    known.ok_or_else(|| Status::InvalidArgument.because(format!("there is no property {value}")))
}

pub fn topic_name(topic: &str) -> Result<TopicName<'_>, Failure> {
    TopicName::new(topic).map_err(|error| invalid_topic("Topic Name", topic, error))
}

pub fn topic_filter(filter: &str) -> Result<TopicFilter<'_>, Failure> {
    TopicFilter::new(filter).map_err(|error| invalid_topic("Topic Filter", filter, error))
}

fn invalid_topic(what: &str, topic: &str, error: TopicError) -> Failure {
    if error == TopicError::Text(TextError::Null) {
        // Only an array of messages can hold it; a text that repeats it would end there.
        return Status::InvalidText.because(format!("the {what}: {error}"));
    }
    let shown: String = topic.chars().take(SHOWN).collect();
    Status::InvalidTopic.because(format!("'{shown}' is no {what}: {error}"))
}
