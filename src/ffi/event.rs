//! Exports that receive: poll, wait, reading the current event, acknowledge.

use super::arguments::{self, milliseconds};
use super::constants::*;
use super::guard::guard_client;
use super::properties;
use super::text::{put_bytes, put_utf8, put_utf16, size};
use crate::client::Client;
use crate::client::events::{Notice, NoticeKind};
use crate::codec::PacketId;
use crate::codec::message::Message;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Section};
use crate::session::event::Event;
use crate::session::options::Acknowledgement;
use crate::types::PacketType;
use crate::types::reason::ReasonCode;
use crate::types::status::{Failure, Status};
use std::ffi::c_char;

/// An event, filled in by mt5mqtt_poll. Its layout is the same packed (as MQL5 packs) and natural.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[allow(non_camel_case_types)]
pub struct mt5mqtt_event {
    /// Set it to sizeof(mt5mqtt_event) before each poll.
    pub struct_size: i32,
    /// MT5MQTT_EVENT_.
    pub kind: i32,
    /// Names the publish, subscribe, unsubscribe or request that this is the end of, or the message for mt5mqtt_acknowledge.
    pub token: i64,
    /// UNIX microseconds at which the library put the event into the queue.
    pub time_us: i64,
    /// Events dropped for want of room since the one before.
    pub dropped: i64,
    /// 0, or the MT5MQTT_E_ that says what failed.
    pub status: i32,
    /// The MQTT Reason Code, 0 to 255, or -1 when the Server gave none.
    pub reason_code: i32,
    /// Size of mt5mqtt_event_topic in bytes of UTF-8, without a NUL.
    pub topic_size: i32,
    /// Size of mt5mqtt_event_payload in bytes.
    pub payload_size: i32,
    /// Size of mt5mqtt_event_text in bytes of UTF-8, without a NUL.
    pub text_size: i32,
    /// All properties, User Properties included.
    pub property_count: i32,
    /// Of a message.
    pub qos: i32,
    /// Of a message: 0 or 1.
    pub retain: i32,
    /// Of a message: 1 if the Server has sent it before, or it comes from the store and an earlier program may have had it.
    pub dup: i32,
    /// Of MT5MQTT_EVENT_CONNECTED: 1 if the Server has kept the Session.
    pub session_present: i32,
    /// Of a QoS 1 or 2 message: its Packet Identifier; 0 otherwise.
    pub packet_id: i32,
    /// Of MT5MQTT_EVENT_PROGRESS: MT5MQTT_STAGE_. Of a message: 0 or MT5MQTT_MESSAGE_SEEN_BEFORE. 0 otherwise.
    pub detail: i32,
}

/// The parts of an event that the readers copy out.
pub(super) struct Parts<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub text: &'a str,
    pub properties: Properties<'a>,
}

pub(super) fn parts(notice: &Notice) -> Parts<'_> {
    let mut parts = Parts { topic: "", payload: &[], text: "", properties: Properties::EMPTY };
    match &notice.kind {
        NoticeKind::Failed(text) | NoticeKind::Store(Some(Failure { text, .. })) => parts.text = text,
        NoticeKind::Missed(_) => {}
        NoticeKind::Store(None) => parts.text = "the store can be written again",
        NoticeKind::Log { line, .. } | NoticeKind::Doctor { line, .. } => parts.text = line,
        NoticeKind::DoctorAsks { properties, .. } => authentication(&mut parts, properties),
        NoticeKind::Session(event) => match event {
            Event::Connected { assigned_client_id, properties, .. } => {
                parts.text = assigned_client_id.as_deref().unwrap_or("");
                parts.properties = properties.as_properties();
            }
            Event::Authenticate { properties, .. } | Event::Authenticated { properties } => {
                authentication(&mut parts, properties);
            }
            Event::Breach(breach) => parts.text = breach.text(),
            Event::Disconnected(end) => {
                parts.text = &end.detail;
                parts.properties = end.properties.as_properties();
            }
            Event::Message { message, .. } => {
                parts.topic = message.topic().as_str();
                parts.payload = message.payload();
                parts.properties = message.properties();
            }
            Event::Progress { .. } => {}
            Event::Response { answer: Ok(answer), .. } => {
                parts.topic = answer.message.topic().as_str();
                parts.payload = answer.message.payload();
                parts.properties = answer.message.properties();
            }
            Event::Response { answer: Err(outcome), .. } => parts.properties = outcome.properties.as_properties(),
            Event::Published { outcome, .. } => parts.properties = outcome.properties.as_properties(),
            Event::Subscribed { filter, outcome, .. } | Event::Unsubscribed { filter, outcome, .. } => {
                parts.topic = filter;
                parts.properties = outcome.properties.as_properties();
            }
        },
    }
    // The text of a connection is a Client Identifier or none.
    if parts.text.is_empty() && !matches!(notice.kind, NoticeKind::Session(Event::Connected { .. })) {
        // What the Server says in its own words, or what we say about the status.
        let words = notice.failure().map_or("", Status::text);
        parts.text = parts.properties.text(PropertyId::ReasonString).unwrap_or(words);
    }
    parts
}

fn authentication<'a>(parts: &mut Parts<'a>, properties: &'a PropertiesBuf) {
    parts.properties = properties.as_properties();
    parts.payload = parts.properties.binary(PropertyId::AuthenticationData).unwrap_or_default();
}

pub(super) fn describe(notice: &Notice) -> mt5mqtt_event {
    let parts = parts(notice);
    let mut event = mt5mqtt_event {
        struct_size: size_of::<mt5mqtt_event>() as i32,
        time_us: notice.time_us,
        dropped: notice.dropped as i64,
        status: notice.failure().map_or(MT5MQTT_OK, |status| status as i32),
        reason_code: -1,
        topic_size: size(parts.topic.as_bytes()),
        payload_size: size(parts.payload),
        text_size: size(parts.text.as_bytes()),
        property_count: parts.properties.iter().count() as i32,
        ..mt5mqtt_event::default()
    };
    match &notice.kind {
        NoticeKind::Failed(_) => event.kind = MT5MQTT_EVENT_FAILED,
        NoticeKind::Missed(missed) => {
            event.kind = MT5MQTT_EVENT_MISSED;
            event.token = missed.count as i64;
        }
        NoticeKind::Store(_) => event.kind = MT5MQTT_EVENT_STORE,
        NoticeKind::Log { level, .. } => {
            event.kind = MT5MQTT_EVENT_LOG;
            event.token = *level as i64;
        }
        NoticeKind::Doctor { end, .. } => {
            event.kind = MT5MQTT_EVENT_DOCTOR;
            event.token = end.is_some().into();
        }
        NoticeKind::DoctorAsks { .. } => describe_step(&mut event),
        NoticeKind::Session(source) => match source {
            Event::Connected { session_present, .. } => {
                event.kind = MT5MQTT_EVENT_CONNECTED;
                event.reason_code = 0;
                event.session_present = (*session_present).into();
            }
            Event::Authenticate { .. } => describe_step(&mut event),
            Event::Authenticated { .. } => {
                event.kind = MT5MQTT_EVENT_AUTHENTICATED;
                event.reason_code = 0;
            }
            Event::Breach(_) => event.kind = MT5MQTT_EVENT_BREACH,
            Event::Disconnected(end) => {
                event.kind = MT5MQTT_EVENT_DISCONNECTED;
                event.reason_code = end.reason.map_or(-1, |reason| reason.0.into());
            }
            Event::Message { message, delivery, packet_id, seen_before } => {
                event.kind = MT5MQTT_EVENT_MESSAGE;
                event.detail = if *seen_before { MT5MQTT_MESSAGE_SEEN_BEFORE } else { 0 };
                event.token = delivery.unwrap_or(0);
                describe_message(message, *packet_id, &mut event);
            }
            Event::Response { token, answer } => {
                event.kind = MT5MQTT_EVENT_RESPONSE;
                event.token = *token;
                match answer {
                    Ok(answer) => describe_message(&answer.message, answer.packet_id, &mut event),
                    Err(outcome) => event.reason_code = outcome.reason.map_or(-1, |reason| reason.0.into()),
                }
            }
            Event::Progress { token, stage } => {
                event.kind = MT5MQTT_EVENT_PROGRESS;
                event.token = *token;
                event.detail = *stage as i32;
            }
            Event::Published { token, outcome }
            | Event::Subscribed { token, outcome, .. }
            | Event::Unsubscribed { token, outcome, .. } => {
                event.kind = match source {
                    Event::Published { .. } => MT5MQTT_EVENT_PUBLISHED,
                    Event::Subscribed { .. } => MT5MQTT_EVENT_SUBSCRIBED,
                    _ => MT5MQTT_EVENT_UNSUBSCRIBED,
                };
                event.token = *token;
                event.reason_code = outcome.reason.map_or(-1, |reason| reason.0.into());
            }
        },
    }
    event
}

/// The next step of an authentication is the program's.
fn describe_step(event: &mut mt5mqtt_event) {
    event.kind = MT5MQTT_EVENT_AUTHENTICATE;
    event.reason_code = ReasonCode::CONTINUE_AUTHENTICATION.0.into();
}

fn describe_message(message: &Message, packet_id: Option<PacketId>, event: &mut mt5mqtt_event) {
    event.qos = message.qos as i32;
    event.retain = message.retain.into();
    event.dup = message.dup.into();
    event.packet_id = packet_id.map_or(0, |id| id.get().into());
}

/// Takes the next event off the queue and makes it the current event of this handle, which the mt5mqtt_event_ functions
/// read until the next poll that returns 1; before the first one they fail with MT5MQTT_E_NO_EVENT. Never waits. Returns 1 for
/// an event, 0 if there is none. One thread polls a handle: another one that polls too takes away its current event.
/// MT5MQTT_E_STRUCT_SIZE unless struct_size is set, MT5MQTT_E_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_poll(client: i64, event: *mut mt5mqtt_event) -> i32 {
    guard_client(client, |client| {
        if event.is_null() {
            return Err(Status::InvalidArgument.because("the event is NULL"));
        }
        // SAFETY: not NULL; that it points to an event is the caller's promise. MQL5 packs to one byte: it may be unaligned.
        let announced = unsafe { std::ptr::addr_of!((*event).struct_size).read_unaligned() };
        if announced != size_of::<mt5mqtt_event>() as i32 {
            let expected = size_of::<mt5mqtt_event>();
            let found = format!("struct_size is {announced}, but an event of this ABI has {expected} bytes");
            return Err(Status::StructSize.because(format!("{found}: take header and library from one release")));
        }
        Ok(match client.poll(describe)? {
            // SAFETY: as above.
            Some(description) => unsafe {
                event.write_unaligned(description);
                1
            },
            None => 0,
        })
    })
}

/// Waits until there is an event to poll, at most `timeout_ms` milliseconds and at most the option WAIT_MAXIMUM_MS. Returns 1
/// if there is one, 0 if not. Ends early when another thread frees the client. MT5MQTT_E_INVALID_ARGUMENT for a negative time.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_wait(client: i64, timeout_ms: i32) -> i32 {
    guard_client(client, |client| Ok(client.wait(milliseconds(timeout_ms)?)?.into()))
}

pub(super) fn read<R>(client: &Client, read: impl FnOnce(&Parts<'_>) -> Result<R, Failure>) -> Result<R, Failure> {
    client.current(|notice| read(&parts(notice)))?
}

/// The Topic Name of the current message, or the Topic Filter of the current answer. Returns its size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_topic(client: i64, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| read(client, |parts| unsafe { put_utf8(parts.topic, buffer, capacity) }))
}

/// As mt5mqtt_event_topic, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_topic_w(client: i64, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| read(client, |parts| unsafe { put_utf16(parts.topic, buffer, capacity) }))
}

/// The payload of the current message. Returns its size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_payload(client: i64, buffer: *mut u8, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| read(client, |parts| unsafe { put_bytes(parts.payload, buffer, capacity) }))
}

fn payload_text<'a>(parts: &Parts<'a>) -> Result<&'a str, Failure> {
    std::str::from_utf8(parts.payload).map_err(|_| Status::InvalidText.because("the payload is not well-formed UTF-8"))
}

/// The payload of the current message as a text, with a NUL behind it. Returns its size without the NUL;
/// MT5MQTT_E_INVALID_TEXT if it is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_payload_text(client: i64, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| read(client, |parts| unsafe { put_utf8(payload_text(parts)?, buffer, capacity) }))
}

/// As mt5mqtt_event_payload_text, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_payload_text_w(client: i64, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| read(client, |parts| unsafe { put_utf16(payload_text(parts)?, buffer, capacity) }))
}

/// The current event in words: the Assigned Client Identifier of a connection, why a connection ended, the Server's Reason
/// String, or what the status means. Returns its size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_text(client: i64, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| read(client, |parts| unsafe { put_utf8(parts.text, buffer, capacity) }))
}

/// As mt5mqtt_event_text, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_text_w(client: i64, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| read(client, |parts| unsafe { put_utf16(parts.text, buffer, capacity) }))
}

/// With option ACKNOWLEDGE 2: tells the Server that the message with this token is done with. Answers go out in the order in
/// which the messages came. `reason_code` is 0, or 128 and above to refuse the message. Fails with MT5MQTT_E_OUT_OF_RANGE
/// for one that a client's PUBACK and PUBREC can't carry (MT5MQTT_E_INVALID_ARGUMENT for what is none), with
/// MT5MQTT_E_UNKNOWN_TOKEN, and with MT5MQTT_E_WRONG_STATE for a message that is acknowledged by itself.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_acknowledge(client: i64, token: i64, reason_code: i32) -> i32 {
    guard_client(client, |client| {
        client.acknowledge(token, arguments::reason_code(reason_code)?)?;
        Ok(0)
    })
}

/// As mt5mqtt_acknowledge, and tells the Server more: `properties` is a set with a Reason String and User Properties, or 0. They
/// are left out if they would make the packet larger than the Server takes, and in MQTT 3.1.1.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_acknowledge_with(client: i64, token: i64, reason_code: i32, properties: i64) -> i32 {
    guard_client(client, |client| {
        let properties = properties::copy(properties, Section::Packet(PacketType::Puback))?;
        let reason = arguments::reason_code(reason_code)?;
        client.acknowledge(token, Acknowledgement { reason, properties })?;
        Ok(0)
    })
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
