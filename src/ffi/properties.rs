//! Exports of property sets, which go with publish, subscribe, Will Message and disconnect. What such a set says about a
//! publish beside the properties is in `publish_options`.

use super::arguments::{property_id, required};
use super::guard::guard;
use super::handles::{self, Object};
use super::text::{bytes, utf8, utf16};
use crate::client::clock;
use crate::client::lock::{LONGEST_HOLD, Lock};
use crate::codec::property::{Kind, PropertiesBuf, PropertyError, PropertyId, Section, Value};
use crate::session::options::PublishOptions;
use crate::types::PacketType;
use crate::types::status::{Failure, Status};
use crate::types::text::TextError;
use std::borrow::Cow;
use std::ffi::c_char;
use std::sync::Arc;

fn failure(error: PropertyError) -> Failure {
    let status = match error {
        PropertyError::NotAllowed(_) | PropertyError::Twice(_) => Status::InvalidArgument,
        PropertyError::WrongKind(_) => Status::WrongType,
        PropertyError::OutOfRange(_) => Status::OutOfRange,
        PropertyError::Text(_, TextError::TooLong) | PropertyError::TooLong(_) => Status::TooLarge,
        PropertyError::Text(..) => Status::InvalidText,
        PropertyError::Topic(_) => Status::InvalidTopic,
    };
    status.because(error.to_string())
}

/// What goes along with a packet: its properties, and for a publish how it is treated while it waits.
#[derive(Clone, Default)]
pub struct Set {
    pub properties: PropertiesBuf,
    pub publish: PublishOptions,
}

pub fn set(handle: i64) -> Result<Arc<Lock<Set>>, Failure> {
    handles::with(handle, |object| match object {
        Some(Object::Properties(set)) => Ok(set.clone()),
        Some(Object::Client(_)) => {
            Err(Status::InvalidHandle.because(format!("handle {handle} is a client, not a set of properties")))
        }
        None => Err(Status::InvalidHandle.because(format!("there is no set of properties with the handle {handle}"))),
    })
}

/// The properties of a handle, of which 0 is the empty set, checked for where they are to be used.
pub fn copy(handle: i64, section: Section) -> Result<PropertiesBuf, Failure> {
    let Set { properties, publish } = copy_whole(handle, section)?;
    if publish != PublishOptions::default() {
        let text = "time to live, priority and conflation key belong to a publish".to_owned();
        return Err(Status::InvalidArgument.because(text));
    }
    Ok(properties)
}

/// What a handle, of which 0 says nothing, says about a publish.
pub fn copy_for_publish(handle: i64) -> Result<Set, Failure> {
    copy_whole(handle, Section::Packet(PacketType::Publish))
}

/// Another thread may change the set, so it is looked at once.
fn copy_whole(handle: i64, section: Section) -> Result<Set, Failure> {
    if handle == 0 {
        return Ok(Set::default());
    }
    let set = set(handle)?;
    // A client is to use it, which isn't harmed if a thread was ended while it had the set.
    let left_locked = || {
        let text = "a thread was ended while it used the set of properties";
        Status::LeftLocked.because(format!("{text} {handle}, and left it locked: make another one"))
    };
    let whole = set.try_lock_until(clock::now() + LONGEST_HOLD).ok_or_else(left_locked)?.clone();
    whole.properties.as_properties().check_for(section).map_err(failure)?;
    Ok(whole)
}

fn put(handle: i64, property: i32, value: Value<'_>) -> Result<i32, Failure> {
    let id = property_id(property)?;
    let set = set(handle)?;
    set.lock().properties.set(id, value).map_err(failure)?;
    Ok(0)
}

/// Makes an empty set of properties (MQTT 5.0), which can also say how a publish is treated while it waits. It can be used
/// for any number of calls, which copy it, and by several threads. Returns its handle, above 0; give it back with
/// mt5mqtt_properties_free. MT5MQTT_E_QUEUE_FULL when the process has a million clients and sets of properties.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_properties_create() -> i64 {
    guard(|| handles::insert(Object::Properties(Arc::default())))
}

/// Gives a set of properties back. 0 is ignored.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_properties_free(properties: i64) -> i32 {
    guard(|| {
        if properties != 0 {
            let removed = handles::remove(properties, |object| matches!(object, Object::Properties(_)));
            if removed.is_none() {
                set(properties)?;
            }
        }
        Ok(0)
    })
}

/// Empties a set of properties, time to live, priority and conflation key included.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_properties_clear(properties: i64) -> i32 {
    guard(|| {
        *set(properties)?.lock() = Set::default();
        Ok(0)
    })
}

/// Sets an integer property (MT5MQTT_PROP_), in place of an earlier value. Fails with MT5MQTT_E_OUT_OF_RANGE,
/// MT5MQTT_E_WRONG_TYPE or, for an unknown id, MT5MQTT_E_INVALID_ARGUMENT. Whether a packet takes the property is checked
/// when the set is used.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_properties_set_int(properties: i64, property: i32, value: i64) -> i32 {
    guard(|| {
        let id = property_id(property)?;
        let value = match u32::try_from(value) {
            Ok(value) => value,
            Err(_) if matches!(id.kind(), Kind::Text | Kind::Binary | Kind::TextPair) => 0,
            Err(_) => return Err(failure(PropertyError::OutOfRange(id))),
        };
        put(properties, property, Value::Int(value))
    })
}

fn put_text(handle: i64, property: i32, value: Option<Cow<'_, str>>) -> Result<i32, Failure> {
    put(handle, property, Value::Text(&required("the value", value)?))
}

/// Sets a text property, in place of an earlier value. Fails as mt5mqtt_properties_set_int does, and with
/// MT5MQTT_E_INVALID_TEXT, MT5MQTT_E_TOO_LARGE above 65,535 bytes of UTF-8 or, for a Response Topic that is no Topic Name,
/// MT5MQTT_E_INVALID_TOPIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_properties_set_text(properties: i64, property: i32, value: *const c_char) -> i32 {
    // SAFETY: the text is the caller's promise.
    guard(|| put_text(properties, property, unsafe { utf8("the value", value) }?))
}

/// As mt5mqtt_properties_set_text, with UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_properties_set_text_w(properties: i64, property: i32, value: *const u16) -> i32 {
    // SAFETY: the text is the caller's promise.
    guard(|| put_text(properties, property, unsafe { utf16("the value", value) }?))
}

/// Sets a property of bytes (Correlation Data), in place of an earlier value. At most 65,535 bytes
/// (MT5MQTT_E_TOO_LARGE). Else fails as mt5mqtt_properties_set_int does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_properties_set_bytes(
    properties: i64,
    property: i32,
    value: *const u8,
    size: i32,
) -> i32 {
    // SAFETY: the bytes are the caller's promise.
    guard(|| put(properties, property, Value::Binary(unsafe { bytes("the value", value, size) }?)))
}

fn add_user(handle: i64, name: Option<Cow<'_, str>>, value: Option<Cow<'_, str>>) -> Result<i32, Failure> {
    let (name, value) = (required("the name", name)?, required("the value", value)?);
    let set = set(handle)?;
    set.lock().properties.add(PropertyId::UserProperty, Value::Pair(&name, &value)).map_err(failure)?;
    Ok(0)
}

/// Adds a User Property. Their order is kept, and a name may stand more than once. At most 65,535 bytes of UTF-8 each
/// (MT5MQTT_E_TOO_LARGE).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_properties_add_user(
    properties: i64,
    name: *const c_char,
    value: *const c_char,
) -> i32 {
    // SAFETY: the texts are the caller's promise.
    guard(|| unsafe { add_user(properties, utf8("the name", name)?, utf8("the value", value)?) })
}

/// As mt5mqtt_properties_add_user, with UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_properties_add_user_w(properties: i64, name: *const u16, value: *const u16) -> i32 {
    // SAFETY: the texts are the caller's promise.
    guard(|| unsafe { add_user(properties, utf16("the name", name)?, utf16("the value", value)?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::client::{mt5mqtt_create, mt5mqtt_free, mt5mqtt_state};
    use crate::ffi::constants::{MT5MQTT_E_LEFT_LOCKED, MT5MQTT_STATE_IDLE};
    use crate::ffi::guard::last_error;
    use crate::ffi::publish::mt5mqtt_publish;
    use crate::ffi::publish_options::mt5mqtt_properties_set_time_to_live;
    use std::ptr::null;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    #[test]
    fn a_set_that_another_thread_changes_is_copied_as_a_whole() {
        let (set, done) = (mt5mqtt_properties_create(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                // Whoever sees the User Property sees the time to live.
                while !done.load(Ordering::Relaxed) {
                    mt5mqtt_properties_clear(set);
                    mt5mqtt_properties_set_time_to_live(set, 5000);
                    // SAFETY: the texts end with a NUL.
                    unsafe { mt5mqtt_properties_add_user(set, c"name".as_ptr(), c"value".as_ptr()) };
                }
            });
            let torn = (0..100_000).filter(|_| {
                let Set { properties, publish } = copy_for_publish(set).expect("a copy");
                properties.as_properties().nth(PropertyId::UserProperty, 0).is_some() && publish.time_to_live.is_none()
            });
            let torn = torn.count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(torn, 0, "copies of a set that never was");
        });
        mt5mqtt_properties_free(set);
    }

    #[test]
    fn a_set_that_a_thread_has_left_locked_does_a_client_no_harm() {
        let (client, handle) = (mt5mqtt_create(), mt5mqtt_properties_create());
        set(handle).expect("the set").leave_locked();
        // SAFETY: the topic ends with a NUL, and there is no payload.
        let publish = |set| unsafe { mt5mqtt_publish(client, c"t".as_ptr(), null(), 0, 0, 0, set) };
        assert_eq!(publish(handle), MT5MQTT_E_LEFT_LOCKED.into());
        assert!(last_error().contains(&format!("properties {handle}")), "{}", last_error());
        assert_eq!(mt5mqtt_state(client), MT5MQTT_STATE_IDLE);
        assert!(publish(0) > 0, "{}", last_error());
        assert_eq!((mt5mqtt_properties_free(handle), mt5mqtt_free(client)), (0, 0));
    }
}
