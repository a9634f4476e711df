//! Exports of a client's life: create, options, connect, state, figures, disconnect, free.

use super::arguments::{self, flag, milliseconds, quality, topic_name};
use super::constants::*;
use super::guard::{guard, guard_client, no_client};
use super::handles::{self, Object};
use super::properties;
use super::text::{bytes, put_utf8, put_utf16, utf8, utf16};
use crate::client::{Client, Locked, State, Statistics, thread};
use crate::codec::message::Message;
use crate::codec::property::{Properties, Section};
use crate::session::limits::ServerLimits;
use crate::types::PacketType;
use crate::types::status::{Failure, Status};
use std::borrow::Cow;
use std::ffi::c_char;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroize;

/// Makes a client. Nothing is connected and no thread started yet. Returns its handle, above 0, which is valid in the whole
/// process until mt5mqtt_free. MT5MQTT_E_QUEUE_FULL when the process has a million clients and sets of properties.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_create() -> i64 {
    guard(|| {
        prepare();
        handles::insert(Object::Client(Arc::new(Client::new())))
    })
}

/// Before the first client.
pub(super) fn prepare() {
    static HOOK: AtomicBool = AtomicBool::new(false);
    // std's own hook would write to a console that nobody sees, and take a backtrace that leaks with each unload.
    if !HOOK.swap(true, Ordering::AcqRel) {
        std::panic::set_hook(Box::new(thread::remember_panic));
    }
    #[cfg(windows)]
    super::unload::set_hooks();
}

/// Ends a client: sends DISCONNECT if it is connected, wakes a thread that waits in mt5mqtt_wait, and waits at most 1
/// second for its background thread. Publishes that wait to be sent, or for their answer, end with it and nobody hears of
/// them, but QoS 1 and 2 with option STORE_PATH go on with the next client: mt5mqtt_disconnect with a time lets them go
/// out first. The handle is invalid from then on; a second call returns MT5MQTT_E_INVALID_HANDLE and does nothing. 0 is
/// ignored. If a thread was ended in the middle of a call of this client (TerminateThread) it may have left it locked: the
/// bound holds all the same, and the call returns MT5MQTT_E_LEFT_LOCKED, as what the client holds stays then. Beyond that
/// bound are the locks of the system itself: a thread that is ended while it allocates memory leaves the heap of the whole
/// process locked.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_free(client: i64) -> i32 {
    guard(|| {
        if client == 0 {
            return Ok(0);
        }
        match handles::remove(client, |object| matches!(object, Object::Client(_))) {
            Some(Object::Client(client)) => {
                if client.free() {
                    return Ok(0);
                }
                Err(Status::LeftLocked.into())
            }
            _ => Err(handles::with(client, |object| no_client(client, object))),
        }
    })
}

/// Sets an integer option (MT5MQTT_OPT_). Most can be set only while the client is idle. Fails with MT5MQTT_E_OUT_OF_RANGE,
/// MT5MQTT_E_WRONG_TYPE, MT5MQTT_E_WRONG_STATE or, for an unknown id, MT5MQTT_E_INVALID_ARGUMENT; the option then keeps the
/// value that it has, and mt5mqtt_last_error names the option and its range.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_set_int(client: i64, option: i32, value: i64) -> i32 {
    guard_client(client, |client| {
        client.set_option(|options, idle| options.set_int(option, value, idle))?;
        Ok(0)
    })
}

fn set_text(client: &Client, option: i32, value: Option<Cow<'_, str>>) -> Result<i32, Failure> {
    let set = client.set_option(|options, idle| options.set_text(option, value.as_deref(), idle));
    if let Some(Cow::Owned(mut converted)) = value {
        // It may be a password.
        converted.zeroize();
    }
    set.map(|()| 0)
}

/// Sets a text option; NULL puts it back to its default. Fails as mt5mqtt_set_int does, and with MT5MQTT_E_INVALID_TEXT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_set_text(client: i64, option: i32, value: *const c_char) -> i32 {
    // SAFETY: the text is the caller's promise.
    guard_client(client, |client| set_text(client, option, unsafe { utf8("the value", value) }?))
}

/// As mt5mqtt_set_text, with UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_set_text_w(client: i64, option: i32, value: *const u16) -> i32 {
    // SAFETY: the text is the caller's promise.
    guard_client(client, |client| set_text(client, option, unsafe { utf16("the value", value) }?))
}

/// Sets an option that takes bytes (MT5MQTT_OPT_PASSWORD, MT5MQTT_OPT_AUTHENTICATION_DATA); NULL with size 0 puts it back to
/// its default, any other pointer with size 0 is an empty value. Fails as mt5mqtt_set_int does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_set_bytes(client: i64, option: i32, value: *const u8, size: i32) -> i32 {
    guard_client(client, |client| {
        // SAFETY: the bytes are the caller's promise.
        let bytes = unsafe { bytes("the value", value, size) }?;
        let value = (!value.is_null()).then_some(bytes);
        client.set_option(|options, idle| options.set_bytes(option, value, idle))?;
        Ok(0)
    })
}

/// The Will Message's arguments, with the topic converted.
struct Will<'a> {
    topic: Option<Cow<'a, str>>,
    payload: &'a [u8],
    qos: i32,
    retain: i32,
    properties: i64,
}

fn set_will(client: &Client, will: Will<'_>) -> Result<i32, Failure> {
    let Some(topic) = will.topic else {
        client.set_option(|options, idle| options.set_will(None, idle))?;
        return Ok(0);
    };
    let properties = properties::copy(will.properties, Section::Will)?;
    let (topic, qos, retain) = (topic_name(&topic)?, quality(will.qos)?, flag("retain", will.retain)?);
    let message = Message::new(topic, will.payload, qos, retain, Properties::EMPTY);
    client.set_option(|options, idle| options.set_will(Some((message, properties)), idle))?;
    Ok(0)
}

/// Sets the Will Message, which the Server publishes when the connection ends without a DISCONNECT; in force from the next
/// mt5mqtt_connect on, and like other options to be set while the client is idle (MT5MQTT_E_WRONG_STATE otherwise). `topic` NULL
/// removes it. `properties` is a set of properties or 0; Will Delay Interval belongs into it. At most 65,535 bytes of payload
/// (MT5MQTT_E_TOO_LARGE). Else fails as mt5mqtt_publish does for arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_set_will(
    client: i64,
    topic: *const c_char,
    payload: *const u8,
    payload_size: i32,
    qos: i32,
    retain: i32,
    properties: i64,
) -> i32 {
    guard_client(client, |client| {
        // SAFETY: text and bytes are the caller's promise.
        let (topic, payload) = unsafe { (utf8("the topic", topic)?, bytes("the payload", payload, payload_size)?) };
        set_will(client, Will { topic, payload, qos, retain, properties })
    })
}

/// As mt5mqtt_set_will, with the topic in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_set_will_w(
    client: i64,
    topic: *const u16,
    payload: *const u8,
    payload_size: i32,
    qos: i32,
    retain: i32,
    properties: i64,
) -> i32 {
    guard_client(client, |client| {
        // SAFETY: text and bytes are the caller's promise.
        let (topic, payload) = unsafe { (utf16("the topic", topic)?, bytes("the payload", payload, payload_size)?) };
        set_will(client, Will { topic, payload, qos, retain, properties })
    })
}

/// Sets the User Properties of CONNECT, which some Servers ask for; in force from the next mt5mqtt_connect on, and to be set
/// while the client is idle (MT5MQTT_E_WRONG_STATE otherwise). `properties` is a set of properties, or 0 for none. Nothing
/// but User Properties may be in it: what else CONNECT says is options. MQTT 3.1.1 has none, and they are left out there.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_set_connect_properties(client: i64, properties: i64) -> i32 {
    guard_client(client, |client| {
        let properties = properties::copy(properties, Section::Packet(PacketType::Connect))?;
        client.set_option(|options, idle| options.set_connect_properties(properties, idle))?;
        Ok(0)
    })
}

/// Connects in the background and returns at once. The outcome comes as MT5MQTT_EVENT_CONNECTED or
/// MT5MQTT_EVENT_DISCONNECTED; a lost connection is made again until mt5mqtt_disconnect. MT5MQTT_E_WRONG_STATE when no URL is
/// set, the client isn't idle, or options don't go together, which mt5mqtt_last_error names; MT5MQTT_E_THREAD when the system
/// starts no thread. What other threads set meanwhile holds for this connection, or is refused.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_connect(client: i64) -> i32 {
    guard_client(client, |client| client.connect().map(|()| 0))
}

/// Examines the connection to each Server of the client's options, step by step with times: name resolution, addresses, TCP,
/// proxy, TLS with the Server's certificates, WebSocket, CONNACK with the Server's limits, a message to itself and back. At
/// the first failure it says the cause and what to do about it. Returns at once; the report comes line by line as
/// MT5MQTT_EVENT_DOCTOR. It uses a connection of its own, whose Client Identifier is CLIENT_ID with -doctor behind it (none
/// if there is none), and topics below mt5mqtt/doctor/; the client may be idle or connected. It takes as long as its Servers
/// do: MT5MQTT_OPT_CONNECT_TIMEOUT_MS (twice with PROTOCOL_FALLBACK) and 20 seconds each at most. MT5MQTT_E_WRONG_STATE
/// without a URL, when options don't go together, or while an examination runs; MT5MQTT_E_THREAD when the system starts no
/// thread. An Enhanced Authentication other than SCRAM-SHA-256 is the program's here as well: it answers
/// MT5MQTT_EVENT_AUTHENTICATE, or the report ends there.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_doctor_start(client: i64) -> i32 {
    guard_client(client, |client| client.start_doctor().map(|()| 0))
}

/// Ends the connection. `reason_code` is 0 (normal) or 4 (the Server publishes the Will Message) or another that a client's
/// DISCONNECT may carry (MT5MQTT_E_OUT_OF_RANGE otherwise, MT5MQTT_E_INVALID_ARGUMENT for what is none); `properties` is a
/// set of properties or 0. `timeout_ms` above 2000 counts as 2000, and a negative one is refused
/// (MT5MQTT_E_INVALID_ARGUMENT): in the first half of it, what was published is sent and answered, and the call returns when
/// the connection is closed, or MT5MQTT_E_TIMEOUT if it isn't yet. With 0 the call neither waits nor lets anything go out
/// first. What is queued stays for the next connect.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_disconnect(client: i64, reason_code: i32, properties: i64, timeout_ms: i32) -> i32 {
    guard_client(client, |client| {
        let properties = properties::copy(properties, Section::Packet(PacketType::Disconnect))?;
        let (timeout, reason) = (milliseconds(timeout_ms)?, arguments::reason_code(reason_code)?);
        client.disconnect(reason, properties.as_properties(), timeout).map(|()| 0)
    })
}

/// Where the client stands: MT5MQTT_STATE_.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_state(client: i64) -> i32 {
    guard_client(client, |client| Ok(client.state() as i32))
}

/// The URL that is in use, tried, or tried next, one of those in MT5MQTT_OPT_URL, without its query: a query may hold a
/// token. Returns the length of the text. MT5MQTT_E_NOT_CONNECTED while the client is idle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_server(client: i64, buffer: *mut c_char, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| unsafe { put_utf8(&client.server()?, buffer, capacity) })
}

/// As mt5mqtt_server, in UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_server_w(client: i64, buffer: *mut u16, capacity: i32) -> i32 {
    // SAFETY: the buffer is the caller's promise.
    guard_client(client, |client| unsafe { put_utf16(&client.server()?, buffer, capacity) })
}

/// A figure of the client: MT5MQTT_STAT_. Figures of the Server fail with MT5MQTT_E_NOT_CONNECTED without a connection.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_stat(client: i64, stat: i32) -> i64 {
    guard_client(client, |client| figure(&client.statistics(), stat))
}

fn figure(figures: &Statistics, stat: i32) -> Result<i64, Failure> {
    let of_server = |read: fn(&ServerLimits) -> i64| {
        let limits = figures.limits.as_ref();
        limits.map(read).ok_or(Status::NotConnected)
    };
    Ok(match stat {
        MT5MQTT_STAT_MESSAGES_SENT => figures.messages_sent as i64,
        MT5MQTT_STAT_MESSAGES_RECEIVED => figures.messages_received as i64,
        MT5MQTT_STAT_BYTES_SENT => figures.bytes_sent as i64,
        MT5MQTT_STAT_BYTES_RECEIVED => figures.bytes_received as i64,
        MT5MQTT_STAT_CONNECTIONS => figures.connections as i64,
        MT5MQTT_STAT_OUTGOING => figures.outgoing as i64,
        MT5MQTT_STAT_OUTGOING_BYTES => figures.outgoing_bytes as i64,
        MT5MQTT_STAT_IN_FLIGHT => figures.in_flight as i64,
        MT5MQTT_STAT_EVENTS => figures.events as i64,
        MT5MQTT_STAT_EVENTS_BYTES => figures.events_bytes as i64,
        MT5MQTT_STAT_EVENTS_DROPPED => figures.events_dropped as i64,
        MT5MQTT_STAT_PUBLISHES_DROPPED => figures.publishes_dropped as i64,
        MT5MQTT_STAT_REDELIVERED => figures.redelivered as i64,
        MT5MQTT_STAT_PING_RTT_US => match figures.ping_rtt_us {
            Some(microseconds) => microseconds as i64,
            None => return Err(Status::NotPresent.because("no PINGREQ was answered yet")),
        },
        MT5MQTT_STAT_LAST_DELAY_MS => figures.last_delay_ms as i64,
        MT5MQTT_STAT_BREACHES => figures.breaches as i64,
        MT5MQTT_STAT_PUBLISHES_EXPIRED => figures.publishes_expired as i64,
        MT5MQTT_STAT_PUBLISHES_SUPERSEDED => figures.publishes_superseded as i64,
        MT5MQTT_STAT_SHARED_PROGRAMS => figures.programs as i64,
        MT5MQTT_STAT_SHARED_NOBODYS => figures.nobodys as i64,
        MT5MQTT_STAT_SHARED_MISSED => figures.missed as i64,
        MT5MQTT_STAT_MESSAGES_SUPPRESSED => figures.messages_suppressed as i64,
        MT5MQTT_STAT_STORE_RESTORED => figures.restored as i64,
        MT5MQTT_STAT_STORE_COMMITS => figures.commits as i64,
        MT5MQTT_STAT_PROTOCOL_VERSION => match figures.version {
            Some(version) => version as i64,
            None => return Err(Status::NotConnected.into()),
        },
        MT5MQTT_STAT_SERVER_INDEX => figures.server_index as i64,
        MT5MQTT_STAT_SERVER_RECEIVE_MAXIMUM => of_server(|limits| limits.receive_maximum.into())?,
        MT5MQTT_STAT_SERVER_MAXIMUM_QOS => of_server(|limits| limits.maximum_qos as i64)?,
        MT5MQTT_STAT_SERVER_RETAIN_AVAILABLE => of_server(|limits| limits.retain_available.into())?,
        MT5MQTT_STAT_SERVER_MAXIMUM_PACKET_SIZE => of_server(|limits| limits.maximum_packet_size as i64)?,
        MT5MQTT_STAT_SERVER_TOPIC_ALIAS_MAXIMUM => of_server(|limits| limits.topic_alias_maximum.into())?,
        MT5MQTT_STAT_SERVER_WILDCARD_AVAILABLE => of_server(|limits| limits.wildcard_subscription_available.into())?,
        MT5MQTT_STAT_SERVER_SUBSCRIPTION_IDENTIFIER_AVAILABLE => {
            of_server(|limits| limits.subscription_identifier_available.into())?
        }
        MT5MQTT_STAT_SERVER_SHARED_AVAILABLE => of_server(|limits| limits.shared_subscription_available.into())?,
        MT5MQTT_STAT_SERVER_KEEP_ALIVE_S => of_server(|limits| limits.keep_alive.into())?,
        MT5MQTT_STAT_SERVER_SESSION_EXPIRY_S => of_server(|limits| limits.session_expiry_interval.into())?,
        _ => return Err(Status::InvalidArgument.because(format!("there is no figure {stat}"))),
    })
}

const FIRST_LOCK: i32 = 1000;

/// For tests of a host's failure handling: panics inside the library, on the calling thread (`place` 0) or on the client's
/// background thread (1). The process goes on; this client has failed for good. A `place` from 1000 on leaves one of the client's
/// locks locked, as a thread may that is ended in the middle of a call; MT5MQTT_E_INVALID_ARGUMENT if there are fewer.
#[unsafe(no_mangle)]
pub extern "C" fn mt5mqtt_test_panic(client: i64, place: i32) -> i32 {
    guard_client(client, |client| match place {
        0 => panic!("asked to panic by the test hook"),
        1 => {
            if matches!(client.state(), State::Idle) {
                let text = "there is no background thread while the client is idle".to_owned();
                return Err(Status::WrongState.because(text));
            }
            client.panic_in_background();
            Ok(0)
        }
        FIRST_LOCK.. if let Some(lock) = Locked::ALL.get((place - FIRST_LOCK) as usize) => {
            client.leave_locked(*lock);
            Ok(0)
        }
        _ => Err(Status::InvalidArgument.because(format!("there is no place {place}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ProtocolVersion;

    #[test]
    fn each_figure_is_what_its_number_stands_for() {
        let figures = Statistics {
            messages_sent: 1,
            messages_received: 2,
            bytes_sent: 3,
            bytes_received: 4,
            connections: 5,
            outgoing: 10,
            outgoing_bytes: 11,
            in_flight: 12,
            events: 13,
            events_bytes: 14,
            events_dropped: 15,
            publishes_dropped: 16,
            redelivered: 17,
            ping_rtt_us: Some(18),
            last_delay_ms: 19,
            breaches: 20,
            version: Some(ProtocolVersion::V311),
            server_index: 60,
            publishes_expired: 70,
            publishes_superseded: 71,
            restored: 72,
            commits: 73,
            messages_suppressed: 74,
            programs: 160,
            nobodys: 161,
            missed: 162,
            limits: None,
        };
        for (stat, expected) in [
            (MT5MQTT_STAT_MESSAGES_SENT, 1),
            (MT5MQTT_STAT_MESSAGES_RECEIVED, 2),
            (MT5MQTT_STAT_BYTES_SENT, 3),
            (MT5MQTT_STAT_BYTES_RECEIVED, 4),
            (MT5MQTT_STAT_CONNECTIONS, 5),
            (MT5MQTT_STAT_OUTGOING, 10),
            (MT5MQTT_STAT_OUTGOING_BYTES, 11),
            (MT5MQTT_STAT_IN_FLIGHT, 12),
            (MT5MQTT_STAT_EVENTS, 13),
            (MT5MQTT_STAT_EVENTS_BYTES, 14),
            (MT5MQTT_STAT_EVENTS_DROPPED, 15),
            (MT5MQTT_STAT_PUBLISHES_DROPPED, 16),
            (MT5MQTT_STAT_REDELIVERED, 17),
            (MT5MQTT_STAT_PING_RTT_US, 18),
            (MT5MQTT_STAT_LAST_DELAY_MS, 19),
            (MT5MQTT_STAT_BREACHES, 20),
            (MT5MQTT_STAT_PROTOCOL_VERSION, 4),
            (MT5MQTT_STAT_SERVER_INDEX, 60),
            (MT5MQTT_STAT_PUBLISHES_EXPIRED, 70),
            (MT5MQTT_STAT_PUBLISHES_SUPERSEDED, 71),
            (MT5MQTT_STAT_STORE_RESTORED, 72),
            (MT5MQTT_STAT_STORE_COMMITS, 73),
            (MT5MQTT_STAT_MESSAGES_SUPPRESSED, 74),
            (MT5MQTT_STAT_SHARED_PROGRAMS, 160),
            (MT5MQTT_STAT_SHARED_NOBODYS, 161),
            (MT5MQTT_STAT_SHARED_MISSED, 162),
        ] {
            assert_eq!(figure(&figures, stat), Ok(expected), "figure {stat}");
        }
    }
}
