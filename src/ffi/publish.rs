//! Exports that send: publish, subscribe, unsubscribe.

use super::arguments::{flag, quality, required, subscription_options, topic_filter, topic_name};
use super::guard::guard_client;
use super::properties::{self, Set};
use super::text::{bytes, utf8, utf16, with_utf16};
use crate::client::{Client, Outgoing};
use crate::codec::property::{Properties, Section};
use crate::types::PacketType;
use crate::types::status::Failure;
use std::borrow::Cow;
use std::ffi::c_char;

/// The arguments that all forms of publish share.
struct How {
    qos: i32,
    retain: i32,
    properties: i64,
}

fn publish(client: &Client, topic: Option<&str>, payload: &[u8], how: How) -> Result<i64, Failure> {
    let topic = required("the topic", topic)?;
    let (qos, retain) = (quality(how.qos)?, flag("retain", how.retain)?);
    let topic = topic_name(topic)?;
    if how.properties == 0 {
        return client.publish(topic, payload, qos, retain, Properties::EMPTY);
    }
    let Set { properties, publish } = properties::copy_for_publish(how.properties)?;
    let properties = properties.as_properties();
    client.publish_with(Outgoing { topic, payload, qos, retain, properties, how: publish })
}

/// Publishes an Application Message. `properties` is a set of properties or 0. Never waits for the network.
///
/// Returns a token (above 0): the message is accepted, and sent now or when the connection and the Server's Receive Maximum
/// allow it. For QoS 1 and 2 its end comes as MT5MQTT_EVENT_PUBLISHED with that token; for QoS 0 only if it failed. Fails
/// with MT5MQTT_E_INVALID_TOPIC, MT5MQTT_E_INVALID_TEXT, MT5MQTT_E_INVALID_ARGUMENT, MT5MQTT_E_PAYLOAD_FORMAT,
/// MT5MQTT_E_QUEUE_FULL, MT5MQTT_E_TOO_LARGE, MT5MQTT_E_NOT_SUPPORTED_BY_SERVER, MT5MQTT_E_NOT_CONNECTED or, while the store
/// can't be written, for QoS 1 and 2 MT5MQTT_E_STORE_NOT_WRITTEN; then nothing was accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_publish(
    client: i64,
    topic: *const c_char,
    payload: *const u8,
    payload_size: i32,
    qos: i32,
    retain: i32,
    properties: i64,
) -> i64 {
    guard_client(client, |client| {
        // SAFETY: text and bytes are the caller's promise.
        let (topic, payload) = unsafe { (utf8("the topic", topic)?, bytes("the payload", payload, payload_size)?) };
        publish(client, topic.as_deref(), payload, How { qos, retain, properties })
    })
}

/// As mt5mqtt_publish, with the topic in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_publish_w(
    client: i64,
    topic: *const u16,
    payload: *const u8,
    payload_size: i32,
    qos: i32,
    retain: i32,
    properties: i64,
) -> i64 {
    guard_client(client, |client| {
        // SAFETY: the bytes are the caller's promise.
        let payload = unsafe { bytes("the payload", payload, payload_size)? };
        let publish = |topic: Option<&str>| publish(client, topic, payload, How { qos, retain, properties });
        // SAFETY: the text is the caller's promise.
        unsafe { with_utf16("the topic", topic, publish) }
    })
}

/// As mt5mqtt_publish, with a text as the payload, which leaves as UTF-8 without a NUL. NULL is an empty payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_publish_text(
    client: i64,
    topic: *const c_char,
    text: *const c_char,
    qos: i32,
    retain: i32,
    properties: i64,
) -> i64 {
    guard_client(client, |client| {
        // SAFETY: the texts are the caller's promise.
        let (topic, text) = unsafe { (utf8("the topic", topic)?, utf8("the text", text)?.unwrap_or_default()) };
        publish(client, topic.as_deref(), text.as_bytes(), How { qos, retain, properties })
    })
}

/// As mt5mqtt_publish_text, with topic and text in UTF-16. The payload leaves as UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_publish_text_w(
    client: i64,
    topic: *const u16,
    text: *const u16,
    qos: i32,
    retain: i32,
    properties: i64,
) -> i64 {
    guard_client(client, |client| {
        let how = How { qos, retain, properties };
        // SAFETY: the texts are the caller's promise.
        unsafe {
            with_utf16("the topic", topic, |topic| {
                with_utf16("the text", text, |text| publish(client, topic, text.unwrap_or_default().as_bytes(), how))
            })
        }
    })
}

/// How far a QoS 1 or 2 publish is: MT5MQTT_STAGE_. The ends of the last 65,536 are remembered. MT5MQTT_E_UNKNOWN_TOKEN, or
/// MT5MQTT_E_WRONG_STATE without option PROGRESS.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_publish_stage(client: i64, token: i64) -> i32 {
    guard_client(client, |client| Ok(client.stage(token)? as i32))
}

/// Withdraws a publish or a request that wasn't sent yet; before mt5mqtt_connect also what an earlier process has left in the
/// store. It ends with MT5MQTT_E_CANCELLED, with an event whatever its QoS; or with MT5MQTT_E_SESSION_LOST, if it may have arrived:
/// a publish that was sent in a Session which is lost, and one of QoS 1 of an earlier process. What has been sent can't be
/// withdrawn: it goes on and ends as without this call, QoS 0 without an event.
///
/// With a store a QoS 1 or 2 publish ends so when that is durable. Returns MT5MQTT_OK as soon as it is asked for,
/// MT5MQTT_E_UNKNOWN_TOKEN for a token that was never given. On a shared connection a program can withdraw what is its own.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_cancel(client: i64, token: i64) -> i32 {
    guard_client(client, |client| client.cancel(token).map(|()| 0))
}

fn subscribe(client: &Client, filter: Option<Cow<'_, str>>, options: i32, properties: i64) -> Result<i64, Failure> {
    let filter = required("the Topic Filter", filter)?;
    let (filter, options) = (topic_filter(&filter)?, subscription_options(options)?);
    client.subscribe(filter, options, properties::copy(properties, Section::Packet(PacketType::Subscribe))?)
}

/// Subscribes to a Topic Filter, Shared Subscriptions ($share/name/filter) included. `options` is the QoS (0, 1 or 2) with
/// MT5MQTT_SUBSCRIBE_ flags added; `properties` is a set of properties or 0.
///
/// Returns a token (above 0): the answer comes as MT5MQTT_EVENT_SUBSCRIBED. Without a connection it is asked when there is
/// one; a granted subscription is made again on each connection (in MQTT 3.1.1 when the Server has lost the Session). Fails
/// with MT5MQTT_E_INVALID_TOPIC, MT5MQTT_E_INVALID_TEXT, MT5MQTT_E_INVALID_ARGUMENT, MT5MQTT_E_NOT_SUPPORTED_BY_SERVER or,
/// when 65,535 calls wait for their answer, MT5MQTT_E_QUEUE_FULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_subscribe(client: i64, filter: *const c_char, options: i32, properties: i64) -> i64 {
    // SAFETY: the text is the caller's promise.
    guard_client(client, |client| subscribe(client, unsafe { utf8("the Topic Filter", filter) }?, options, properties))
}

/// As mt5mqtt_subscribe, with UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_subscribe_w(client: i64, filter: *const u16, options: i32, properties: i64) -> i64 {
    // SAFETY: the text is the caller's promise.
    guard_client(client, |client| subscribe(client, unsafe { utf16("the Topic Filter", filter) }?, options, properties))
}

fn unsubscribe(client: &Client, filter: Option<Cow<'_, str>>, properties: i64) -> Result<i64, Failure> {
    let properties = properties::copy(properties, Section::Packet(PacketType::Unsubscribe))?;
    client.unsubscribe(topic_filter(&required("the Topic Filter", filter)?)?, properties)
}

/// Ends a subscription. `properties` is a set of properties or 0. Returns a token (above 0): the answer comes as
/// MT5MQTT_EVENT_UNSUBSCRIBED. Fails as mt5mqtt_subscribe does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_unsubscribe(client: i64, filter: *const c_char, properties: i64) -> i64 {
    // SAFETY: the text is the caller's promise.
    guard_client(client, |client| unsubscribe(client, unsafe { utf8("the Topic Filter", filter) }?, properties))
}

/// As mt5mqtt_unsubscribe, with UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_unsubscribe_w(client: i64, filter: *const u16, properties: i64) -> i64 {
    // SAFETY: the text is the caller's promise.
    guard_client(client, |client| unsubscribe(client, unsafe { utf16("the Topic Filter", filter) }?, properties))
}
