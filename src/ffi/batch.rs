//! Exports that carry many messages in one call, packed into one array of bytes: a host that pays for each call crosses once.
//!
//! There are no UTF-16 twins, as the arrays hold bytes: texts in them are UTF-8 on both ways.

use super::arguments::{flag, quality, topic_name};
use super::event::{describe, mt5mqtt_event, parts};
use super::guard::{guard_client, remember};
use super::properties::{self, Set};
use crate::client::events::Notice;
use crate::client::{Client, Outgoing, Polled};
use crate::types::status::{Failure, Status};

/// The fields before topic and payload of a message, each of four bytes but the token, which has eight.
const HEADER_SIZE: usize = 32;
const STATUS: usize = 4;
const TOKEN: usize = 8;
const QOS: usize = 16;
const RETAIN: usize = 20;
const TOPIC_SIZE: usize = 24;
const PAYLOAD_SIZE: usize = 28;

fn invalid<R>(text: String) -> Result<R, Failure> {
    Err(Status::InvalidArgument.because(text))
}

/// The bytes of the caller's array, to be read and written.
///
/// # Safety
///
/// `pointer` is NULL, or `size` bytes at it are the caller's to read and write, and nobody else's during the call.
unsafe fn array<'a>(pointer: *mut u8, size: i32) -> Result<&'a mut [u8], Failure> {
    match usize::try_from(size) {
        Err(_) => invalid("the size of the array is negative".to_owned()),
        Ok(0) => Ok(&mut []),
        Ok(_) if pointer.is_null() => invalid(format!("the array is NULL, but its size is {size}")),
        // SAFETY: not NULL; the rest is the caller's promise.
        Ok(size) => Ok(unsafe { std::slice::from_raw_parts_mut(pointer, size) }),
    }
}

fn int(record: &[u8], at: usize) -> i32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&record[at..at + 4]);
    i32::from_ne_bytes(bytes)
}

/// The size of the first message of `rest`, and of its topic; `Err` says why there can't be one.
fn measure(rest: &[u8], index: usize) -> Result<(usize, usize), Failure> {
    if rest.len() < HEADER_SIZE {
        return invalid(format!("message {index} is cut off: {} bytes are left for {HEADER_SIZE}", rest.len()));
    }
    if int(rest, 0) != HEADER_SIZE as i32 {
        let text = format!("struct_size of message {index} is {}, but it is {HEADER_SIZE} in this ABI", int(rest, 0));
        return Err(Status::StructSize.because(text));
    }
    let sizes = [TOPIC_SIZE, PAYLOAD_SIZE].map(|at| usize::try_from(int(rest, at)));
    let [Ok(topic), Ok(payload)] = sizes else { return invalid(format!("a size of message {index} is negative")) };
    let whole = HEADER_SIZE + topic + payload;
    if whole > rest.len() {
        return invalid(format!("message {index} is cut off: {} bytes are left for {whole}", rest.len()));
    }
    Ok((whole, topic))
}

fn publish_one(client: &Client, record: &[u8], topic_size: usize, how: &Set) -> Result<i64, Failure> {
    let (topic, payload) = record[HEADER_SIZE..].split_at(topic_size);
    let ill_formed = |_| Status::InvalidText.because("the topic: it is not well-formed UTF-8");
    let topic = topic_name(std::str::from_utf8(topic).map_err(ill_formed)?)?;
    let (qos, retain) = (quality(int(record, QOS))?, flag("retain", int(record, RETAIN))?);
    let (properties, how) = (how.properties.as_properties(), how.publish.clone());
    client.publish_gathered(Outgoing { topic, payload, qos, retain, properties, how })
}

/// Publishes the messages of an array in one call. They are accepted one after the other, as mt5mqtt_publish does it, and
/// leave together: in one write, if the connection takes it. `properties` is a set of properties for all of them, or 0.
///
/// A message is 32 bytes, and directly behind them its topic (UTF-8, without a NUL) and its payload; directly behind that is
/// the next message, without padding. The 32 bytes, in the machine's byte order: struct_size (int32_t, 32), status (int32_t),
/// token (int64_t), qos (int32_t), retain (int32_t), topic_size (int32_t), payload_size (int32_t).
///
/// Returns how many were accepted, from the first on; token of each is filled in, and status is 0. The first message that is
/// not accepted ends the call: its status is filled in, mt5mqtt_last_error says more, and it and those behind it are as if
/// they had not been there. Fails with MT5MQTT_E_INVALID_ARGUMENT or MT5MQTT_E_STRUCT_SIZE when the array is not made so;
/// then nothing was accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_publish_batch(client: i64, messages: *mut u8, size: i32, properties: i64) -> i32 {
    guard_client(client, |client| {
        // SAFETY: the array is the caller's promise.
        let messages = unsafe { array(messages, size)? };
        let how = properties::copy_for_publish(properties)?;
        let (mut rest, mut count) = (&messages[..], 0);
        while !rest.is_empty() {
            rest = &rest[measure(rest, count)?.0..];
            count += 1;
        }
        let (mut rest, mut accepted) = (messages, 0);
        while !rest.is_empty() {
            let (whole, topic_size) = measure(rest, accepted)?;
            let (record, others) = rest.split_at_mut(whole);
            let result = publish_one(client, record, topic_size, &how);
            let (status, token) = match &result {
                Ok(token) => (0, *token),
                Err(failure) => (failure.status as i32, 0),
            };
            record[STATUS..TOKEN].copy_from_slice(&status.to_ne_bytes());
            record[TOKEN..QOS].copy_from_slice(&token.to_ne_bytes());
            if let Err(failure) = result {
                remember(format!("message {accepted}: {failure}"));
                break;
            }
            accepted += 1;
            rest = others;
        }
        client.send_gathered();
        Ok(accepted as i32)
    })
}

/// How many bytes an event takes in a batch.
fn packed_size(notice: &Notice) -> usize {
    let parts = parts(notice);
    size_of::<mt5mqtt_event>() + parts.topic.len() + parts.payload.len() + parts.text.len()
}

/// Puts an event at the start of `room`, which is large enough. Returns its size and whether it has properties.
fn pack(notice: &Notice, room: &mut [u8]) -> (usize, bool) {
    let (event, parts) = (describe(notice), parts(notice));
    // SAFETY: the room holds an event; its place may be unaligned.
    unsafe { room.as_mut_ptr().cast::<mt5mqtt_event>().write_unaligned(event) };
    let mut used = size_of::<mt5mqtt_event>();
    for part in [parts.topic.as_bytes(), parts.payload, parts.text.as_bytes()] {
        room[used..used + part.len()].copy_from_slice(part);
        used += part.len();
    }
    (used, event.property_count > 0)
}

/// Takes events off the queue, at most `maximum` (1 or more; MT5MQTT_E_INVALID_ARGUMENT), and puts them into the buffer one
/// directly behind the other, without padding: an mt5mqtt_event, and behind it its topic, payload and text, of the sizes that
/// it says, in UTF-8 and without a NUL. Never waits. Each counts as taken, as with mt5mqtt_poll.
///
/// Returns how many there are. The last one is the current event of this handle. Properties are not in the buffer: an event
/// that has some is the last of its batch, so that they can be read; with STORE_PATH so is the end of a publish, which is told
/// again after a crash until the program has come back for more. An event for which there is no room stays in the queue;
/// if it is the first, the call fails with MT5MQTT_E_TOO_LARGE, and mt5mqtt_poll takes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_poll_batch(client: i64, buffer: *mut u8, capacity: i32, maximum: i32) -> i32 {
    guard_client(client, |client| {
        // SAFETY: the buffer is the caller's promise.
        let mut room = unsafe { array(buffer, capacity)? };
        if maximum < 1 {
            return invalid(format!("the maximum is {maximum}, but it has to be above 0"));
        }
        client.heard();
        let mut count = 0;
        while count < maximum {
            let (mut needed, left) = (0, room.len());
            let fits = |notice: &Notice| {
                needed = packed_size(notice);
                needed <= left
            };
            let (used, has_properties) = match client.poll_if(fits, |notice| pack(notice, room)) {
                Ok(Polled::Event(packed)) => packed,
                Ok(Polled::Left) if count == 0 => {
                    let text = format!("the next event takes {needed} bytes, the buffer has {capacity}");
                    return Err(Status::TooLarge.because(text));
                }
                Ok(Polled::Nothing | Polled::Left) => break,
                // What was taken is told first.
                Err(_) if count > 0 => break,
                Err(failure) => return Err(failure),
            };
            count += 1;
            room = &mut room[used..];
            if has_properties || client.has_to_hear() {
                break;
            }
        }
        Ok(count)
    })
}
