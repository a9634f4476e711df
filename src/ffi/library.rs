//! Exports about the library as a whole.

use super::arguments;
use super::constants::MT5MQTT_ABI_VERSION;
use super::event::mt5mqtt_event;
use super::guard::{guard, last_error};
use super::text::{put_utf8, put_utf16};
use crate::client::clock;
use crate::types::status::{Failure, Status};
use std::ffi::c_char;

/// The ABI of the loaded library. A program whose header says another MT5MQTT_ABI_VERSION must not go on.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_abi_version() -> i32 {
    guard(|| Ok(MT5MQTT_ABI_VERSION))
}

/// sizeof(mt5mqtt_event) as the loaded library sees it.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_event_size() -> i32 {
    guard(|| Ok(size_of::<mt5mqtt_event>() as i32))
}

/// The version of the library for people, such as "0.1.0". Returns its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_version(buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf8(env!("CARGO_PKG_VERSION"), buffer, capacity) })
}

/// As mt5mqtt_version, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_version_w(buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf16(env!("CARGO_PKG_VERSION"), buffer, capacity) })
}

/// Microseconds since 1970-01-01 00:00 UTC by the machine's clock.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_time_unix_us() -> i64 {
    guard(|| Ok(clock::unix_us()))
}

/// Microseconds since the first use of a clock in this library. Never runs backwards, and is the same for all programs of a
/// terminal.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_time_monotonic_us() -> i64 {
    guard(|| Ok(clock::monotonic_us()))
}

fn status_text(status: i32) -> Result<&'static str, Failure> {
    if status >= 0 {
        return Ok("Success.");
    }
    Status::from_code(status)
        .map(Status::text)
        .ok_or_else(|| Status::InvalidArgument.because(format!("there is no status {status}")))
}

/// A status in words. Returns the length of the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_status_text(status: i32, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf8(status_text(status)?, buffer, capacity) })
}

/// As mt5mqtt_status_text, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_status_text_w(status: i32, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf16(status_text(status)?, buffer, capacity) })
}

fn reason_code_text(reason_code: i32) -> Result<String, Failure> {
    let reason = arguments::reason_code(reason_code)?;
    Ok(format!("{}: {}", reason.name(), reason.text()))
}

/// An MQTT Reason Code in words: its name in the standard and what it means. Returns the length of the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_reason_code_text(reason_code: i32, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf8(&reason_code_text(reason_code)?, buffer, capacity) })
}

/// As mt5mqtt_reason_code_text, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_reason_code_text_w(reason_code: i32, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf16(&reason_code_text(reason_code)?, buffer, capacity) })
}

/// What the last failed call on the calling thread says about its failure, in words that name the thing. A successful call
/// leaves the text as it is. Returns its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_last_error(buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf8(&last_error(), buffer, capacity) })
}

/// As mt5mqtt_last_error, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_last_error_w(buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard(|| unsafe { put_utf16(&last_error(), buffer, capacity) })
}
