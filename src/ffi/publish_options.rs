//! Exports that say how a publish is treated while it waits: they go into a set of properties, so that a plain publish has no
//! more arguments and a program prepares them once.

use super::arguments::flag;
use super::guard::guard;
use super::properties::set;
use super::text::{utf8, utf16};
use crate::types::status::{Failure, Status};
use crate::types::text;
use std::borrow::Cow;
use std::ffi::c_char;
use std::time::Duration;

/// A year.
const LONGEST_LIFE_MS: i64 = 31_536_000_000;

/// Sets how long a publish may wait to be sent, in milliseconds: 1 to 31,536,000,000 (a year), or 0 (default) for no limit.
/// What is not sent by then is dropped, and its token ends with MT5MQTT_E_EXPIRED; so it does when its Message Expiry Interval
/// is over. A message without a Message Expiry Interval gets this time as one, in whole seconds, rounded up: the Server
/// keeps it no longer either. On Linux, under Wine too, the time in which the machine sleeps doesn't count: give an order that
/// must not be late a time of its own, too. MT5MQTT_E_OUT_OF_RANGE.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_properties_set_time_to_live(properties: i64, milliseconds: i64) -> i32 {
    guard(|| {
        let set = set(properties)?;
        if !(0..=LONGEST_LIFE_MS).contains(&milliseconds) {
            let text = format!("a time to live is 0 to {LONGEST_LIFE_MS} ms, not {milliseconds}");
            return Err(Status::OutOfRange.because(text));
        }
        set.lock().publish.time_to_live = (milliseconds > 0).then(|| Duration::from_millis(milliseconds as u64));
        Ok(0)
    })
}

/// Sets whether a publish has priority, 0 (default) or 1. It is sent before all that wait without priority, is dropped after
/// them when the queue is full, and may use the part of the send quota that MT5MQTT_OPT_PRIORITY_RESERVE keeps for it.
/// Messages of equal priority keep their order. MT5MQTT_E_INVALID_ARGUMENT for another value.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_properties_set_priority(properties: i64, priority: i32) -> i32 {
    guard(|| {
        let set = set(properties)?;
        let priority = flag("priority", priority)?;
        set.lock().publish.priority = priority;
        Ok(0)
    })
}

/// Sets whether a newer publish of the same Topic Name takes the place of one that waits, 0 (default) or 1: the same as an empty
/// conflation key, and 0 as none at all. For callers whose texts can't be NULL, as those of MQL5 by its documents.
/// MT5MQTT_E_INVALID_ARGUMENT for another value.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_properties_set_conflation(properties: i64, conflate: i32) -> i32 {
    guard(|| {
        let of_topic = flag("conflate", conflate)?.then_some(Cow::Borrowed(""));
        set_conflation_key(properties, of_topic)
    })
}

fn set_conflation_key(handle: i64, key: Option<Cow<'_, str>>) -> Result<i32, Failure> {
    let set = set(handle)?;
    if key.as_ref().is_some_and(|key| key.len() > text::MAX_LENGTH) {
        return Err(Status::TooLarge.because("a conflation key has at most 65,535 bytes"));
    }
    set.lock().publish.conflation_key = key.map(|key| key.as_ref().into());
    Ok(0)
}

/// Sets the conflation key of a publish; an empty text stands for its Topic Name, NULL (default) is none. As long as it waits
/// to be sent, a newer publish with the same key takes its place in the queue: of prices that pile up without a connection
/// only the latest is sent. What it superseded ends with MT5MQTT_E_SUPERSEDED, with an event for QoS 1 and 2; for QoS 0 only
/// MT5MQTT_STAT_PUBLISHES_SUPERSEDED counts it. When the queue is full and refuses, a publish with a conflation key is accepted
/// all the same, and ends with MT5MQTT_E_QUEUE_FULL if there is nothing that it supersedes. At most 65,535 bytes
/// (MT5MQTT_E_TOO_LARGE).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_properties_set_conflation_key(properties: i64, key: *const c_char) -> i32 {
    // SAFETY: the text is the caller's promise.
    guard(|| set_conflation_key(properties, unsafe { utf8("the key", key) }?))
}

/// As mt5mqtt_properties_set_conflation_key, with UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_properties_set_conflation_key_w(properties: i64, key: *const u16) -> i32 {
    // SAFETY: the text is the caller's promise.
    guard(|| set_conflation_key(properties, unsafe { utf16("the key", key) }?))
}
