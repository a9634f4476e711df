//! Exports that read the properties of the current event.

use super::arguments::property_id;
use super::event::read;
use super::guard::guard_client;
use super::text::{put_bytes, put_utf8, put_utf16};
use crate::client::Client;
use crate::codec::property::{PropertyId, Value};
use crate::types::status::{Failure, Status};
use std::ffi::c_char;

/// How often the current event has a property (MT5MQTT_PROP_).
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_event_property_count(client: i64, property: i32) -> i32 {
    guard_client(client, |client| {
        let wanted = property_id(property)?;
        read(client, |parts| Ok(parts.properties.iter().filter(|(id, _)| *id == wanted).count() as i32))
    })
}

/// Finds occurrence `index` of a property and hands its value on.
fn property<R>(
    client: &Client,
    property: i32,
    index: i32,
    take: impl FnOnce(PropertyId, Value<'_>) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let id = property_id(property)?;
    let index = usize::try_from(index)
        .map_err(|_| Status::InvalidArgument.because(format!("the index {index} is negative")))?;
    read(client, |parts| match parts.properties.nth(id, index) {
        Some(value) => take(id, value),
        None => {
            let text = format!("the event has no property {} with the index {index}", id.name());
            Err(Status::NotPresent.because(text))
        }
    })
}

fn wrong_type<R>(id: PropertyId, asked: &str) -> Result<R, Failure> {
    Err(Status::WrongType.because(format!("the property {} is of the type {:?}, not {asked}", id.name(), id.kind())))
}

/// Occurrence `index` (from 0) of an integer property of the current event. Fails with MT5MQTT_E_NOT_PRESENT if there is none,
/// and with MT5MQTT_E_WRONG_TYPE if the property is no integer.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_event_property_int(client: i64, property: i32, index: i32) -> i64 {
    guard_client(client, |client| {
        self::property(client, property, index, |id, value| match value {
            Value::Int(value) => Ok(value.into()),
            _ => wrong_type(id, "an integer"),
        })
    })
}

/// Occurrence `index` (from 0) of a text property of the current event. Returns its size. Fails as mt5mqtt_event_property_int
/// does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_property_text(
    client: i64,
    property: i32,
    index: i32,
    buffer: *mut c_char,
    capacity: i32,
) -> i32 {
    guard_client(client, |client| {
        self::property(client, property, index, |id, value| match value {
            // SAFETY: the buffer is the caller's promise.
            Value::Text(text) => unsafe { put_utf8(text, buffer, capacity) },
            _ => wrong_type(id, "a text"),
        })
    })
}

/// As mt5mqtt_event_property_text, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_property_text_w(
    client: i64,
    property: i32,
    index: i32,
    buffer: *mut u16,
    capacity: i32,
) -> i32 {
    guard_client(client, |client| {
        self::property(client, property, index, |id, value| match value {
            // SAFETY: the buffer is the caller's promise.
            Value::Text(text) => unsafe { put_utf16(text, buffer, capacity) },
            _ => wrong_type(id, "a text"),
        })
    })
}

/// Occurrence `index` (from 0) of a property of bytes of the current event. Returns its size. Fails as
/// mt5mqtt_event_property_int does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_property_bytes(
    client: i64,
    property: i32,
    index: i32,
    buffer: *mut u8,
    capacity: i32,
) -> i32 {
    guard_client(client, |client| {
        self::property(client, property, index, |id, value| match value {
            // SAFETY: the buffer is the caller's promise.
            Value::Binary(bytes) => unsafe { put_bytes(bytes, buffer, capacity) },
            _ => wrong_type(id, "bytes"),
        })
    })
}

/// Which half of a User Property.
#[derive(Clone, Copy)]
enum Half {
    Name,
    Value,
}

fn user<R>(
    client: &Client,
    index: i32,
    half: Half,
    take: impl FnOnce(&str) -> Result<R, Failure>,
) -> Result<R, Failure> {
    property(client, PropertyId::UserProperty as i32, index, |id, value| match (value, half) {
        (Value::Pair(name, _), Half::Name) => take(name),
        (Value::Pair(_, value), Half::Value) => take(value),
        _ => wrong_type(id, "a pair of texts"),
    })
}

/// The name of User Property `index` (from 0) of the current event. Returns its size; MT5MQTT_E_NOT_PRESENT if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_user_name(client: i64, index: i32, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| user(client, index, Half::Name, |text| unsafe { put_utf8(text, buffer, capacity) }))
}

/// As mt5mqtt_event_user_name, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_user_name_w(client: i64, index: i32, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| user(client, index, Half::Name, |text| unsafe { put_utf16(text, buffer, capacity) }))
}

/// The value of User Property `index` (from 0) of the current event. Returns its size; MT5MQTT_E_NOT_PRESENT if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_user_value(client: i64, index: i32, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| user(client, index, Half::Value, |text| unsafe { put_utf8(text, buffer, capacity) }))
}

/// As mt5mqtt_event_user_value, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_event_user_value_w(client: i64, index: i32, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| user(client, index, Half::Value, |text| unsafe { put_utf16(text, buffer, capacity) }))
}
