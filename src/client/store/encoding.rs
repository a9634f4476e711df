//! Records as bytes. Keys sort as their numbers do. Reading checks everything again: what is on a disk may be anything.

use super::Moment;
use crate::codec::PacketId;
use crate::codec::message::Message;
use crate::codec::property::Properties;
use crate::codec::subscribe::SubscriptionOptions;
use crate::session::event::Outcome;
use crate::session::record::{Key, Record};
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use crate::types::text;
use crate::types::topic::TopicName;
use std::slice;
use std::time::{Duration, Instant};

const SESSION: u8 = 1;
const PUBLISH: u8 = 2;
const FLOW: u8 = 3;
const RECEIVED: u8 = 4;
const ARRIVAL: u8 = 5;
const SUBSCRIPTION: u8 = 6;
const DONE: u8 = 7;
const ENDED: u8 = 8;
const SERVER: u8 = 9;

/// Flags of a publish. Before format 3 there was the first one only.
const PRIORITY: u8 = 1;
const PERHAPS_ARRIVED: u8 = 2;

pub fn encode_key(key: &Key) -> Vec<u8> {
    let numbered = |kind, number: &u64| [&[kind][..], &number.to_be_bytes()].concat();
    match key {
        Key::Session => vec![SESSION],
        Key::Publish(number) => numbered(PUBLISH, number),
        Key::Flow(number) => numbered(FLOW, number),
        Key::Received(id) => [&[RECEIVED][..], &id.get().to_be_bytes()].concat(),
        Key::Arrival(number) => numbered(ARRIVAL, number),
        Key::Subscription(filter) => [&[SUBSCRIPTION], filter.as_bytes()].concat(),
        Key::Done(number) => numbered(DONE, number),
        Key::Ended(token) => numbered(ENDED, token),
        Key::Server(url) => [&[SERVER], url.as_bytes()].concat(),
    }
}

pub fn encode_record(record: &Record, now: Moment) -> Vec<u8> {
    let mut out = Vec::new();
    match record {
        Record::Session => {}
        Record::Received { content } => content.iter().for_each(|content| out.extend(content.to_be_bytes())),
        Record::Publish { token, message, priority, perhaps_arrived, conflation_key, expires, message_expires } => {
            out.extend(token.to_be_bytes());
            let flag = |flag, is_set: &bool| if *is_set { flag } else { 0 };
            out.push(flag(PRIORITY, priority) | flag(PERHAPS_ARRIVED, perhaps_arrived));
            put_time(*expires, now, &mut out);
            put_time(*message_expires, now, &mut out);
            put_option(conflation_key.as_deref().map(str::as_bytes), &mut out);
            put_message(message, &mut out);
        }
        Record::Flow { token, packet_id, order, released } => {
            out.extend(token.to_be_bytes());
            out.extend(packet_id.get().to_be_bytes());
            out.extend(order.to_be_bytes());
            out.push((*released).into());
        }
        Record::Arrival { packet_id, message } => {
            out.extend(packet_id.get().to_be_bytes());
            put_message(message, &mut out);
        }
        Record::Subscription { options, properties, granted } => {
            out.push(options.to_u8());
            out.push((*granted).into());
            put_bytes(properties.as_properties().as_bytes(), &mut out);
        }
        Record::Done { message_key } => put_bytes(message_key, &mut out),
        Record::Ended { outcome } => {
            out.extend(outcome.failure.map_or(0, |status| status as i32).to_be_bytes());
            put_option(outcome.reason.as_ref().map(|reason| slice::from_ref(&reason.0)), &mut out);
            put_bytes(outcome.properties.as_properties().as_bytes(), &mut out);
        }
        Record::Server { home, until, ids } => {
            out.push((*home).into());
            put_time(*until, now, &mut out);
            put_bytes(&ids.iter().flat_map(|id| id.get().to_be_bytes()).collect::<Vec<u8>>(), &mut out);
        }
    }
    out
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

fn put_option(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    out.push(bytes.is_some().into());
    put_bytes(bytes.unwrap_or_default(), out);
}

/// UNIX milliseconds, or 0 for none.
fn put_time(time: Option<Instant>, now: Moment, out: &mut Vec<u8>) {
    let unix_ms = time.map_or(0, |time| {
        let left = time.saturating_duration_since(now.instant);
        now.unix_ms.saturating_add(i64::try_from(left.as_millis()).unwrap_or(i64::MAX)).max(1)
    });
    out.extend(unix_ms.to_be_bytes());
}

fn put_message(message: &Message, out: &mut Vec<u8>) {
    out.push(message.qos as u8);
    out.push(message.retain.into());
    out.push(message.dup.into());
    put_bytes(message.topic().as_bytes(), out);
    put_bytes(message.properties().as_bytes(), out);
    put_bytes(message.payload(), out);
}

/// The record, or `None` if the bytes are none.
pub fn decode(key: &[u8], value: &[u8], now: Moment) -> Option<(Key, Record)> {
    let (kind, key) = key.split_first()?;
    let number = || Some(u64::from_be_bytes(key.try_into().ok()?));
    let mut from = Bytes(value);
    let (key, record) = match *kind {
        SESSION => (Key::Session, Record::Session),
        PUBLISH => {
            let token = from.i64()?;
            let flags = from.u8().filter(|flags| flags & !(PRIORITY | PERHAPS_ARRIVED) == 0)?;
            let publish = Record::Publish {
                token,
                priority: flags & PRIORITY != 0,
                perhaps_arrived: flags & PERHAPS_ARRIVED != 0,
                expires: from.time(now)?,
                message_expires: from.time(now)?,
                conflation_key: from.option()?.map(std::str::from_utf8).transpose().ok()?.map(Into::into),
                message: from.message()?,
            };
            (Key::Publish(number()?), publish)
        }
        FLOW => (
            Key::Flow(number()?),
            Record::Flow {
                token: from.i64()?,
                packet_id: from.packet_id()?,
                order: from.i64()? as u64,
                released: from.flag()?,
            },
        ),
        RECEIVED => {
            let content = if value.is_empty() { None } else { Some(from.i64()?.cast_unsigned()) };
            (Key::Received(Bytes(key).packet_id()?), Record::Received { content })
        }
        ARRIVAL => {
            (Key::Arrival(number()?), Record::Arrival { packet_id: from.packet_id()?, message: from.message()? })
        }
        SUBSCRIPTION => (
            Key::Subscription(String::from_utf8(key.to_vec()).ok()?),
            Record::Subscription {
                options: SubscriptionOptions::from_u8(from.u8()?)?,
                granted: from.flag()?,
                properties: from.properties()?.into(),
            },
        ),
        DONE => (Key::Done(number()?), Record::Done { message_key: from.bytes()?.into() }),
        ENDED => (
            // A token is above 0.
            Key::Ended(i64::try_from(number()?).ok()?.cast_unsigned()),
            Record::Ended {
                outcome: Outcome {
                    failure: from.status()?,
                    reason: from
                        .option()?
                        .map(|code| <[u8; 1]>::try_from(code).map(|[code]| ReasonCode(code)))
                        .transpose()
                        .ok()?,
                    properties: from.properties()?.into(),
                },
            },
        ),
        SERVER => (
            Key::Server(String::from_utf8(key.to_vec()).ok()?),
            Record::Server { home: from.flag()?, until: from.time(now)?, ids: from.packet_ids()? },
        ),
        _ => return None,
    };
    from.0.is_empty().then_some((key, record))
}

/// What is left to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(count)?;
        self.0 = left;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn i64(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    /// 0 is none.
    fn status(&mut self) -> Option<Option<Status>> {
        match i32::from_be_bytes(self.take(4)?.try_into().ok()?) {
            0 => Some(None),
            code => Status::from_code(code).map(Some),
        }
    }

    fn packet_id(&mut self) -> Option<PacketId> {
        PacketId::new(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn packet_ids(&mut self) -> Option<Vec<PacketId>> {
        let (ids, rest) = self.bytes()?.as_chunks::<2>();
        rest.is_empty().then(|| ids.iter().map(|id| PacketId::new(u16::from_be_bytes(*id))).collect())?
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let size = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
        self.take(size as usize)
    }

    fn option(&mut self) -> Option<Option<&'a [u8]>> {
        let is_there = self.flag()?;
        let bytes = self.bytes()?;
        Some(is_there.then_some(bytes))
    }

    /// A time that is over is now: an `Instant` can't go back to before the machine was started.
    fn time(&mut self, now: Moment) -> Option<Option<Instant>> {
        let unix_ms = self.i64()?;
        if unix_ms == 0 {
            return Some(None);
        }
        let left = u64::try_from(unix_ms.saturating_sub(now.unix_ms)).unwrap_or(0);
        Some(now.instant.checked_add(Duration::from_millis(left)))
    }

    fn properties(&mut self) -> Option<Properties<'a>> {
        Properties::from_stored(self.bytes()?)
    }

    fn message(&mut self) -> Option<Message> {
        let qos = QoS::from_u8(self.u8()?)?;
        let (retain, dup) = (self.flag()?, self.flag()?);
        // That of a received message may have wildcards in it.
        let topic = text::from_bytes(self.bytes()?).ok().filter(|topic| !topic.is_empty())?;
        let topic = TopicName::from_checked(topic.as_bytes());
        let properties = self.properties()?;
        let mut message = Message::new(topic, self.bytes()?, qos, retain, properties);
        message.dup = dup;
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::property::{PropertiesBuf, PropertyId, Value};

    fn all(now: Instant) -> Vec<(Key, Record)> {
        let mut properties = PropertiesBuf::new();
        properties.add(PropertyId::UserProperty, Value::Pair("a", "ä")).unwrap();
        properties.add(PropertyId::MessageExpiryInterval, Value::Int(77)).unwrap();
        let mut reason_string = PropertiesBuf::new();
        reason_string.add(PropertyId::ReasonString, Value::Text("no room")).unwrap();
        let topic = TopicName::new("mt5/EURUSD").unwrap();
        let message = |qos| Message::new(topic, b"\0payload\xFF", qos, true, properties.as_properties());
        let id = PacketId::new(65_535).unwrap();
        // A Topic Name and a Response Topic that are none: it was received so.
        let none = TopicName::from_checked(b"mt5/#AAPL");
        let received = Message::new(none, b"", QoS::ExactlyOnce, false, Properties::from_checked(b"\x08\0\x01#"));
        vec![
            (Key::Session, Record::Session),
            (
                Key::Publish(1),
                Record::Publish {
                    token: i64::MAX,
                    message: message(QoS::AtLeastOnce),
                    priority: true,
                    perhaps_arrived: false,
                    conflation_key: Some("".into()),
                    expires: Some(now + Duration::from_millis(1500)),
                    message_expires: None,
                },
            ),
            (
                Key::Publish(u64::MAX),
                Record::Publish {
                    token: 1,
                    message: message(QoS::ExactlyOnce),
                    priority: false,
                    perhaps_arrived: true,
                    conflation_key: None,
                    expires: None,
                    message_expires: Some(now + Duration::from_secs(77)),
                },
            ),
            (Key::Flow(256), Record::Flow { token: 3, packet_id: id, order: 1 << 40, released: true }),
            (Key::Received(PacketId::new(7).unwrap()), Record::Received { content: None }),
            (Key::Received(id), Record::Received { content: Some(u64::MAX - 1) }),
            (Key::Arrival(65_537), Record::Arrival { packet_id: id, message: received }),
            (
                Key::Subscription("mt5/#".to_owned()),
                Record::Subscription {
                    options: SubscriptionOptions::from_u8(0b10_1101).unwrap(),
                    properties,
                    granted: true,
                },
            ),
            (Key::Done(9), Record::Done { message_key: Box::from(&b"order 7"[..]) }),
            (
                Key::Ended(5),
                Record::Ended { outcome: Outcome { failure: None, reason: None, properties: PropertiesBuf::new() } },
            ),
            (
                Key::Ended(6),
                Record::Ended {
                    outcome: Outcome {
                        failure: Some(Status::RefusedByServer),
                        reason: Some(ReasonCode::QUOTA_EXCEEDED),
                        properties: reason_string,
                    },
                },
            ),
            (Key::Server("mqtt://a".to_owned()), Record::Server { home: true, until: None, ids: vec![id] }),
            (
                Key::Server("mqtt://b".to_owned()),
                Record::Server { home: false, until: Some(now + Duration::from_secs(3600)), ids: Vec::new() },
            ),
        ]
    }

    #[test]
    fn every_record_is_read_as_it_was_written_and_keys_keep_their_order() {
        let now = Moment { instant: Instant::now(), unix_ms: 1_790_000_000_000 };
        let records = all(now.instant);
        let mut last = Vec::new();
        for (key, record) in &records {
            let bytes = encode_key(key);
            assert!(bytes > last);
            assert_eq!(decode(&bytes, &encode_record(record, now), now), Some((key.clone(), record.clone())));
            last = bytes;
        }
    }

    #[test]
    fn times_go_on_while_the_process_is_not_there() {
        let before = Moment { instant: Instant::now(), unix_ms: 1_000_000 };
        let (key, record) = all(before.instant).remove(1);
        let (key, bytes) = (encode_key(&key), encode_record(&record, before));
        for (later, left) in [(1_001_000, 500), (2_000_000, 0), (999_000, 2500)] {
            let now = Moment { instant: before.instant, unix_ms: later };
            let Some((_, Record::Publish { expires, .. })) = decode(&key, &bytes, now) else { panic!("no publish") };
            assert_eq!(expires, Some(now.instant + Duration::from_millis(left)));
        }
    }

    #[test]
    fn no_other_bytes_are_taken_for_a_record() {
        let now = Moment { instant: Instant::now(), unix_ms: 1 };
        for (key, record) in all(now.instant) {
            let (key, value) = (encode_key(&key), encode_record(&record, now));
            // Without its content it is a record of format 1.
            for size in usize::from(matches!(record, Record::Received { .. }))..value.len() {
                assert_eq!(decode(&key, &value[..size], now), None);
            }
            assert_eq!(decode(&key, &[&value[..], &[0]].concat(), now), None);
            for place in 0..value.len() {
                let mut wrong = value.clone();
                wrong[place] ^= 0x80;
                // Whatever it is, it is read without a fault.
                let _ = decode(&key, &wrong, now);
            }
        }
        assert_eq!(decode(&[], &[], now), None);
        assert_eq!(decode(&[99, 0], &[], now), None);
    }
}
