//! Deduplication by message key: which messages the program has seen, and which it is done with. The key is the sender's word
//! that two messages are the same, whatever their Packet Identifiers: the Correlation Data, or a User Property.
//!
//! A key counts as done with the acknowledgement of its message, which a durable Session sends only after that is stored.
//! The oldest keys are forgotten when the window is full.

use super::options::{Deduplicate, MessageKey};
use super::record::{Key, Log, Record};
use crate::codec::message::Message;
use crate::codec::property::{PropertyId, Value};
use ring::digest;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What is known of a message by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It was not seen before, and is under this number from now on.
    New(u64),
    /// The program has it, or had it in this process, under this number.
    Seen(u64),
    /// The program is done with it.
    Done,
}

/// Of a longer key a hash is kept, so that the window is bounded in bytes, whatever a publisher takes for a key.
const LONGEST_KEPT: usize = 64;

#[derive(Debug)]
struct Entry {
    key: Arc<[u8]>,
    done: bool,
}

/// The keys that are remembered.
#[derive(Debug)]
pub(super) struct Keys {
    numbers: HashMap<Arc<[u8]>, u64>,
    entries: BTreeMap<u64, Entry>,
    next_number: u64,
}

impl Keys {
    pub fn new() -> Self {
        Keys { numbers: HashMap::new(), entries: BTreeMap::new(), next_number: 1 }
    }

    /// Looks a message up, and notes it if it is new. `None` for a message without a key.
    pub fn look(&mut self, message: &Message, rules: &Deduplicate, log: &mut Log) -> Option<Known> {
        let key = &*kept(message_key(message, &rules.key)?);
        if let Some(number) = self.numbers.get(key)
            && let Some(entry) = self.entries.get(number)
        {
            return Some(if entry.done { Known::Done } else { Known::Seen(*number) });
        }
        while self.entries.len() >= rules.window {
            let Some((number, entry)) = self.entries.pop_first() else { break };
            self.numbers.remove(&entry.key);
            if entry.done {
                log.remove(Key::Done(number));
            }
        }
        let number = self.next_number;
        self.insert(number, key, false);
        Some(Known::New(number))
    }

    fn insert(&mut self, number: u64, key: &[u8], done: bool) {
        let key: Arc<[u8]> = key.into();
        self.numbers.insert(key.clone(), number);
        self.entries.insert(number, Entry { key, done });
        self.next_number = self.next_number.max(number + 1);
    }

    /// The program is done with the message of this number. Returns the batch in which that becomes durable.
    pub fn finish(&mut self, number: u64, log: &mut Log) -> u64 {
        match self.entries.get_mut(&number) {
            // By another copy, perhaps a moment ago.
            Some(entry) if entry.done => log.latest(),
            Some(entry) => {
                entry.done = true;
                log.add(Key::Done(number), || Record::Done { message_key: entry.key.as_ref().into() })
            }
            None => 0,
        }
    }

    /// What the program says of the message of this number. Returns the batch in which that becomes durable.
    pub fn settle(&mut self, number: u64, refused: bool, log: &mut Log) -> u64 {
        if refused {
            self.forget(number);
            return 0;
        }
        self.finish(number, log)
    }

    /// The program has refused the message of this number: the next one with its key is a new one, unless the program is done
    /// with another copy.
    fn forget(&mut self, number: u64) {
        if self.entries.get(&number).is_some_and(|entry| !entry.done)
            && let Some(entry) = self.entries.remove(&number)
        {
            self.numbers.remove(&entry.key);
        }
    }

    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes over a key that an earlier process had stored.
    pub fn restore(&mut self, number: u64, message_key: &[u8]) {
        self.insert(number, &kept(message_key), true);
    }
}

/// What is kept of a key. The hash can't be made to collide: a key that did would keep another message away.
fn kept(key: &[u8]) -> Cow<'_, [u8]> {
    if key.len() <= LONGEST_KEPT {
        return Cow::Borrowed(key);
    }
    Cow::Owned(digest::digest(&digest::SHA256, key).as_ref().to_vec())
}

fn message_key<'a>(message: &'a Message, by: &MessageKey) -> Option<&'a [u8]> {
    let properties = message.properties();
    match by {
        MessageKey::CorrelationData => properties.binary(PropertyId::CorrelationData),
        MessageKey::UserProperty(wanted) => properties.iter().find_map(|property| match property {
            (PropertyId::UserProperty, Value::Pair(name, value)) if name == wanted => Some(value.as_bytes()),
            _ => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::property::PropertiesBuf;
    use crate::types::QoS;
    use crate::types::topic::TopicName;

    #[test]
    fn long_keys_are_told_apart_and_take_no_more_room_than_short_ones() {
        let rules = Deduplicate { key: MessageKey::CorrelationData, window: 100, suppress: true };
        let (mut keys, mut log) = (Keys::new(), Log::new());
        let message = |key: &[u8]| {
            let mut properties = PropertiesBuf::new();
            properties.set(PropertyId::CorrelationData, Value::Binary(key)).unwrap();
            Message::new(TopicName::new("t").unwrap(), b"", QoS::AtLeastOnce, false, properties.as_properties())
        };
        // What has been stored in full by an earlier version is known too.
        keys.restore(1, &[0xAA; 5000]);
        assert_eq!(keys.look(&message(&[0xAA; 5000]), &rules, &mut log), Some(Known::Done));
        for size in [1, LONGEST_KEPT, LONGEST_KEPT + 1, 65_534, 65_535] {
            let Some(Known::New(number)) = keys.look(&message(&vec![1; size]), &rules, &mut log) else {
                panic!("{size} bytes are known")
            };
            assert_eq!(keys.look(&message(&vec![1; size]), &rules, &mut log), Some(Known::Seen(number)));
        }
        assert!(keys.entries.values().all(|entry| entry.key.len() <= LONGEST_KEPT));
    }

    #[test]
    fn nothing_is_kept_of_keys_that_are_forgotten() {
        let rules = Deduplicate { key: MessageKey::CorrelationData, window: 10, suppress: true };
        let (mut keys, mut log) = (Keys::new(), Log::new());
        for number in 0..1000u32 {
            let mut properties = PropertiesBuf::new();
            properties.set(PropertyId::CorrelationData, Value::Binary(&number.to_be_bytes())).unwrap();
            let topic = TopicName::new("t").unwrap();
            let message = Message::new(topic, b"", QoS::AtLeastOnce, false, properties.as_properties());
            let Some(Known::New(kept)) = keys.look(&message, &rules, &mut log) else { panic!("{number} is known") };
            keys.settle(kept, number % 3 == 0, &mut log);
            assert!(keys.len() <= 10 && keys.numbers.len() == keys.len());
        }
    }
}
