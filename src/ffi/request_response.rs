//! Exports of Request/Response.

use super::arguments::{quality, required, topic_name};
use super::guard::guard_client;
use super::properties::{self, Set};
use super::text::{bytes, utf8, utf16};
use crate::client::Client;
use crate::codec::property::Section;
use crate::types::PacketType;
use crate::types::status::Failure;
use std::borrow::Cow;
use std::ffi::c_char;
use std::time::Duration;

/// The arguments that all forms of request share.
struct How {
    qos: i32,
    properties: i64,
    timeout_ms: i32,
}

fn request(client: &Client, topic: Option<Cow<'_, str>>, payload: &[u8], how: How) -> Result<i64, Failure> {
    let topic = required("the topic", topic)?;
    let properties = properties::copy(how.properties, Section::Packet(PacketType::Publish))?;
    // A negative time is out of the range as 0 is.
    let timeout = Duration::from_millis(how.timeout_ms.try_into().unwrap_or(0));
    client.request(topic_name(&topic)?, payload, quality(how.qos)?, properties.as_properties(), timeout)
}

fn respond(client: &Client, payload: &[u8], qos: i32, properties: i64) -> Result<i64, Failure> {
    let Set { properties, publish } = properties::copy_for_publish(properties)?;
    client.respond(payload, quality(qos)?, properties.as_properties(), publish)
}

/// Publishes a request (MQTT 5.0 section 4.10) and returns its token (above 0). Its end comes as MT5MQTT_EVENT_RESPONSE with
/// that token: the response, or MT5MQTT_E_TIMEOUT after `timeout_ms` (1 to 86400000), or why it could not be sent; a request
/// makes no MT5MQTT_EVENT_PUBLISHED.
///
/// The library subscribes to the Response Topic (option RESPONSE_TOPIC) before the first request goes out, and sets Response
/// Topic, Correlation Data and, unless `properties` has one, a Message Expiry Interval of the time that is left. A request
/// that couldn't be sent in its time never is. Fails as mt5mqtt_publish does, with MT5MQTT_E_OUT_OF_RANGE for the time, and
/// with MT5MQTT_E_NOT_CONNECTED while the client is idle; MQTT 3.1.1 has no requests (MT5MQTT_E_NOT_SUPPORTED_BY_SERVER). Time
/// to live, priority and conflation key in `properties` are refused with MT5MQTT_E_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_request(
    client: i64,
    topic: *const c_char,
    payload: *const u8,
    payload_size: i32,
    qos: i32,
    properties: i64,
    timeout_ms: i32,
) -> i64 {
    guard_client(client, |client| {
        // SAFETY: text and bytes are the caller's promise.
        let (topic, payload) = unsafe { (utf8("the topic", topic)?, bytes("the payload", payload, payload_size)?) };
        request(client, topic, payload, How { qos, properties, timeout_ms })
    })
}

/// As mt5mqtt_request, with the topic in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_request_w(
    client: i64,
    topic: *const u16,
    payload: *const u8,
    payload_size: i32,
    qos: i32,
    properties: i64,
    timeout_ms: i32,
) -> i64 {
    guard_client(client, |client| {
        // SAFETY: text and bytes are the caller's promise.
        let (topic, payload) = unsafe { (utf16("the topic", topic)?, bytes("the payload", payload, payload_size)?) };
        request(client, topic, payload, How { qos, properties, timeout_ms })
    })
}

/// As mt5mqtt_request, with a text as the payload, which leaves as UTF-8 without a NUL. NULL is an empty payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_request_text(
    client: i64,
    topic: *const c_char,
    text: *const c_char,
    qos: i32,
    properties: i64,
    timeout_ms: i32,
) -> i64 {
    guard_client(client, |client| {
        // SAFETY: the texts are the caller's promise.
        let (topic, text) = unsafe { (utf8("the topic", topic)?, utf8("the text", text)?.unwrap_or_default()) };
        request(client, topic, text.as_bytes(), How { qos, properties, timeout_ms })
    })
}

/// As mt5mqtt_request_text, with topic and text in UTF-16. The payload leaves as UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_request_text_w(
    client: i64,
    topic: *const u16,
    text: *const u16,
    qos: i32,
    properties: i64,
    timeout_ms: i32,
) -> i64 {
    guard_client(client, |client| {
        // SAFETY: the texts are the caller's promise.
        let (topic, text) = unsafe { (utf16("the topic", topic)?, utf16("the text", text)?.unwrap_or_default()) };
        request(client, topic, text.as_bytes(), How { qos, properties, timeout_ms })
    })
}

/// Answers the current event, a message with a Response Topic: publishes to that topic, with the Correlation Data of the
/// message. `properties` is what the response has besides, or 0; time to live, priority and conflation key hold as for
/// mt5mqtt_publish. Returns a token and fails as mt5mqtt_publish does, and with MT5MQTT_E_NO_EVENT, or with
/// MT5MQTT_E_NOT_PRESENT when the current event asks for no response.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_respond(
    client: i64,
    payload: *const u8,
    payload_size: i32,
    qos: i32,
    properties: i64,
) -> i64 {
    // SAFETY: the bytes are the caller's promise.
    guard_client(client, |client| {
        respond(client, unsafe { bytes("the payload", payload, payload_size) }?, qos, properties)
    })
}

/// As mt5mqtt_respond, with a text as the payload, which leaves as UTF-8 without a NUL. NULL is an empty payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_respond_text(client: i64, text: *const c_char, qos: i32, properties: i64) -> i64 {
    guard_client(client, |client| {
        // SAFETY: the text is the caller's promise.
        let text = unsafe { utf8("the text", text) }?.unwrap_or_default();
        respond(client, text.as_bytes(), qos, properties)
    })
}

/// As mt5mqtt_respond_text, with UTF-16. The payload leaves as UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_respond_text_w(client: i64, text: *const u16, qos: i32, properties: i64) -> i64 {
    guard_client(client, |client| {
        // SAFETY: the text is the caller's promise.
        let text = unsafe { utf16("the text", text) }?.unwrap_or_default();
        respond(client, text.as_bytes(), qos, properties)
    })
}
