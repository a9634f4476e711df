//! Exports of shared connections.

use super::arguments::required;
use super::client::prepare;
use super::guard::guard;
use super::handles::{self, Object};
use super::text::{utf8, utf16};
use crate::client::Client;
use crate::types::status::Failure;
use std::borrow::Cow;
use std::ffi::c_char;
use std::sync::Arc;

fn create(connection: Option<Cow<'_, str>>, inbox: Option<Cow<'_, str>>) -> Result<i64, Failure> {
    prepare();
    let connection = required("the name of the connection", connection)?;
    let client = Client::sharing(&connection, inbox.as_deref().unwrap_or_default())?;
    handles::insert(Object::Client(Arc::new(client)))
}

/// Makes a program's part of a shared connection: all programs of the process that name the same `connection` (1 to 255 bytes)
/// are on one connection. Returns a handle, above 0, which all functions take, and which must be freed by itself. It has its own
/// events, tokens, options and Topic Filters, and is used like that of mt5mqtt_create, with these differences:
///
/// - mt5mqtt_connect joins the connection, which the first program opens. Each program sets all options itself; those that
///   are not a program's own queue and calls have to be the same, or connect fails with MT5MQTT_E_SHARED_DIFFERS and names
///   the option. A program's own are MT5MQTT_OPT_QUEUE_QOS0, EVENTS_MAXIMUM, EVENTS_MAXIMUM_BYTES, EVENTS_OVERFLOW,
///   WAIT_MAXIMUM_MS, PUBLISH_EVENTS and, before connect, SHARED_RELEASE_S; the others of them can be set at any time. It
///   waits at most 2 seconds. One that joins a connection which is there gets MT5MQTT_EVENT_CONNECTED at once, with
///   session_present 0, or 1 if it takes the place of another one.
/// - A message comes to every program whose Topic Filters it matches, and to no other. With MQTT 5.0 and a Server that takes
///   Subscription Identifiers, filters of several programs that overlap neither double nor lose a message, and a
///   retained message comes only to the program that has just subscribed. Without them (MQTT 3.1.1) none is lost, but one that
///   the Server sends a copy of for each subscription comes as often to each program that it matches, and retained messages come
///   again when another program subscribes to the same filter, as they do with Retain As Published. A message of a Shared
///   Subscription comes to one of the programs that hold it, and to one that takes messages if there is one. With No Local no
///   message comes that any program on the connection has published. What matches nobody's filter is dropped and counted
///   (MT5MQTT_STAT_SHARED_NOBODYS), except on a Session that an earlier process had (CLEAN_START 0, STORE_PATH): there it comes
///   to all, also to programs that connect later, but not again to one that comes back.
/// - Without Subscription Identifiers a subscribe ends with MT5MQTT_E_SHARED_DIFFERS if a Shared Subscription would overlap with a
///   filter of another program's: a job could come to both.
/// - The Server is asked for each filter once, with the highest QoS. No Local and Retain As Published have to be the same for a
///   filter that several programs hold: MT5MQTT_EVENT_SUBSCRIBED has MT5MQTT_E_SHARED_DIFFERS otherwise. A Subscription
///   Identifier of the program's own is refused.
/// - A message is acknowledged to the Server when every program that got it has taken it, or has acknowledged it with
///   ACKNOWLEDGE 2. If there are other programs, it is also acknowledged when one has not taken or acknowledged anything for
///   MT5MQTT_OPT_SHARED_RELEASE_S while it should have; that one's messages stay in its queue. When they fill its queue,
///   nothing more is read from the Server, for anybody, until it takes some, and if there are other programs at most for the
///   same time: then its messages are thrown away, and MT5MQTT_EVENT_MISSED tells it how many as soon as it polls again.
/// - Ends of publishes, subscribes, unsubscribes and requests come to the program that began them, also when it has disconnected;
///   of publishes that an earlier process left in the store, to all; they are kept there until all that are connected then have
///   heard them. OUTGOING_MAXIMUM and OUTGOING_MAXIMUM_BYTES limit what all have under way together, and figures (mt5mqtt_stat)
///   but those of the queue of events are the connection's. Conflation keys are the program's own.
/// - mt5mqtt_disconnect and mt5mqtt_free are for this program: its filters are unsubscribed from unless others hold them,
///   and messages that it didn't take are not kept; those of a Shared Subscription come to another program that holds it. A
///   subscribe that still waits for a connection fails with MT5MQTT_E_NOT_CONNECTED. The last program's end the connection
///   as they do for any client. The time of mt5mqtt_disconnect is also for what other programs have under way.
/// - `inbox` (at most 255 bytes; NULL or empty: none) names the program's place. A program that connects with the name of another
///   one takes it over: subscriptions, and QoS 1 and 2 messages that it had not taken or acknowledged. So does one that comes
///   back after the terminal has killed it. The other one, if it lives, gets MT5MQTT_EVENT_DISCONNECTED with
///   MT5MQTT_E_SHARED_TAKEN_OVER. A program that was killed keeps the connection open until one takes its place.
/// - Not on a shared connection: PROGRESS and mt5mqtt_publish_stage, and an Enhanced Authentication but SCRAM-SHA-256; connect
///   refuses these options with MT5MQTT_E_WRONG_STATE.
///
/// The library's work for a program is done on a thread of the connection, so a thread that a host ends in the middle of a call
/// harms no other program. Messages change threads once more than with a client of one's own, on both ways.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_create_shared(connection: *const c_char, inbox: *const c_char) -> i64 {
    // SAFETY: the texts are the caller's promise.
    guard(|| unsafe { create(utf8("the name of the connection", connection)?, utf8("the name of the inbox", inbox)?) })
}

/// As mt5mqtt_create_shared, with UTF-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_create_shared_w(connection: *const u16, inbox: *const u16) -> i64 {
    // SAFETY: the texts are the caller's promise.
    guard(|| unsafe {
        create(utf16("the name of the connection", connection)?, utf16("the name of the inbox", inbox)?)
    })
}
