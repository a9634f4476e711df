//! Buffers of messages that are used again: after the first few messages, another one costs no allocation.
//!
//! They are kept by size, so that a program whose messages are now short, now long finds one that fits. Most buffers
//! are taken on one thread and come back on another. So there are two lists, each with its lock: one to take from,
//! one to give back to. They meet only when what came back is taken over, many buffers at once. Who has many to give
//! back does so for all of them together ([`Spent`]). Absent on purpose: a pool per thread.

use super::message::Message;
use parking_lot::{Mutex, MutexGuard};
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Buffers have a multiple of so many bytes.
const STEP: usize = 32;
const SIZES: usize = u64::BITS as usize;
/// Larger buffers are not kept.
const LARGEST_KEPT: usize = STEP * SIZES;
/// So many bytes are kept at most of those that are ready, and of those that came back.
const KEPT: usize = 16 * 1024;
/// So many bytes have come back before they are taken over, or brought back together. Until then another buffer is made: more
/// in use cost less than to meet for each.
const TOGETHER: usize = 1024;
/// Who has looked in vain for what came back makes so many buffers before it looks again.
const LOOK_AGAIN: u8 = 16;

/// Some hundredths of a second on the processor: longer than a holder of the lock that lives may have to wait for its turn.
const LOOKS: usize = 400_000;

/// Where the buffers of messages come from and go back to. A host may have ended the thread that has a lock: then everybody
/// does without.
#[derive(Debug, Default)]
pub struct Buffers {
    ready: Mutex<Free>,
    came_back: Mutex<Free>,
    /// Somebody has looked in vain.
    is_left_locked: AtomicBool,
}

#[derive(Debug)]
struct Free {
    by_size: [Vec<Vec<u8>>; SIZES],
    /// A bit for each of the sizes: whether there are any.
    there: u64,
    bytes: usize,
    /// How many times there was none of a size, since some were taken over last.
    in_vain: [u8; SIZES],
}

impl Default for Free {
    fn default() -> Self {
        Free { by_size: [const { Vec::new() }; SIZES], there: 0, bytes: 0, in_vain: [0; SIZES] }
    }
}

impl Free {
    fn pop(&mut self, size: usize) -> Option<Vec<u8>> {
        let buffer = self.by_size[size].pop()?;
        self.bytes -= buffer.capacity();
        if self.by_size[size].is_empty() {
            self.there &= !(1 << size);
        }
        Some(buffer)
    }

    fn push(&mut self, mut buffer: Vec<u8>) {
        let Some(size) = size_of(&buffer) else { return };
        if self.make_room(size, buffer.capacity()) {
            buffer.clear();
            self.bytes += buffer.capacity();
            self.there |= 1 << size;
            self.by_size[size].push(buffer);
        }
    }

    fn bytes_of(&self, size: usize) -> usize {
        self.by_size[size].len() * (size + 1) * STEP
    }

    /// Moves all of a size to another, which has none of it.
    fn move_all(&mut self, size: usize, to: &mut Free) {
        let bytes = self.bytes_of(size);
        to.make_room(size, bytes);
        std::mem::swap(&mut self.by_size[size], &mut to.by_size[size]);
        self.bytes -= bytes;
        self.there &= !(1 << size);
        to.bytes += bytes;
        to.there |= 1 << size;
    }

    /// What comes now is more likely to be wanted than what has been lying there, unless that has its size: then false.
    fn make_room(&mut self, size: usize, bytes: usize) -> bool {
        while self.bytes + bytes > KEPT {
            match self.largest() {
                Some(largest) if largest != size => drop(self.pop(largest)),
                _ => return false,
            }
        }
        true
    }

    /// The largest of the sizes of which there are any.
    fn largest(&self) -> Option<usize> {
        self.there.checked_ilog2().map(|size| size as usize)
    }

    /// Whether it is time to look for what came back, as there is none of a size here.
    fn looks(&mut self, size: usize) -> bool {
        let in_vain = self.in_vain[size];
        self.in_vain[size] = (in_vain + 1) % LOOK_AGAIN;
        in_vain == 0
    }
}

/// Which of the sizes a buffer has; `None` if such are not kept.
fn size_of(buffer: &Vec<u8>) -> Option<usize> {
    let capacity = buffer.capacity();
    let kept = capacity > 0 && capacity.is_multiple_of(STEP) && capacity <= LARGEST_KEPT;
    kept.then(|| capacity / STEP - 1)
}

impl Buffers {
    /// An empty buffer with room for so many bytes.
    pub(super) fn take(&self, size: usize) -> Vec<u8> {
        let capacity = size.max(1).next_multiple_of(STEP);
        if capacity > LARGEST_KEPT {
            return Vec::with_capacity(size);
        }
        let index = capacity / STEP - 1;
        let kept = self.lock(&self.ready).and_then(|mut ready| {
            if ready.by_size[index].is_empty() && ready.looks(index) {
                self.take_over(index, &mut ready);
            }
            ready.pop(index)
        });
        kept.unwrap_or_else(|| Vec::with_capacity(capacity))
    }

    /// Makes those of one size ready that came back, if they are worth it.
    fn take_over(&self, index: usize, ready: &mut Free) {
        let Some(mut came_back) = self.lock(&self.came_back) else { return };
        if came_back.bytes_of(index) >= TOGETHER {
            came_back.move_all(index, ready);
            ready.in_vain[index] = 0;
        }
    }

    /// Takes back the buffer of a message that nobody needs any more.
    pub fn give_back(&self, message: Message) {
        if let Some(mut came_back) = self.lock(&self.came_back) {
            came_back.push(message.into_content());
        }
    }

    fn lock<'a>(&self, side: &'a Mutex<Free>) -> Option<MutexGuard<'a, Free>> {
        if let Some(free) = side.try_lock() {
            return Some(free);
        }
        let looks = if self.is_left_locked.load(Ordering::Relaxed) { 0 } else { LOOKS };
        let free = (0..looks).find_map(|_| {
            spin_loop();
            side.try_lock()
        });
        if free.is_none() {
            self.is_left_locked.store(true, Ordering::Relaxed);
        }
        free
    }
}

/// Messages whose buffers go back together.
#[derive(Debug)]
pub struct Spent {
    home: Arc<Buffers>,
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Spent {
    pub fn new(home: Arc<Buffers>) -> Self {
        Spent { home, buffers: Vec::new(), bytes: 0 }
    }

    pub fn add(&mut self, message: Message) {
        let buffer = message.into_content();
        if size_of(&buffer).is_none() {
            return;
        }
        self.bytes += buffer.capacity();
        self.buffers.push(buffer);
        if self.bytes >= TOGETHER {
            self.bytes = 0;
            match self.home.lock(&self.home.came_back) {
                Some(mut came_back) => self.buffers.drain(..).for_each(|buffer| came_back.push(buffer)),
                None => self.buffers.clear(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::property::Properties;
    use crate::types::QoS;
    use crate::types::topic::TopicName;
    use std::collections::HashSet;

    fn message(home: &Buffers, size: usize) -> Message {
        let topic = TopicName::new("t").unwrap();
        Message::new_in(home, topic, &vec![b'x'; size - 1], QoS::AtMostOnce, false, Properties::EMPTY)
    }

    fn place(message: &Message) -> *const u8 {
        message.topic().as_bytes().as_ptr()
    }

    #[test]
    fn buffers_that_came_back_are_used_again_and_empty() {
        let home = Buffers::default();
        let mut known = HashSet::new();
        for round in 0..3 {
            // It is looked for what came back when the first of these is made.
            let messages: Vec<Message> = (0..LOOK_AGAIN).map(|_| message(&home, 100)).collect();
            let places: HashSet<*const u8> = messages.iter().map(place).collect();
            assert!(round == 0 || places == known, "round {round}");
            known = places;
            // One of another size is not given out for it.
            assert!(!known.contains(&place(&message(&home, 50))));
            messages.into_iter().for_each(|message| home.give_back(message));
        }
        let again = message(&home, 97);
        assert_eq!((again.size(), again.payload().len()), (97, 96));
    }

    #[test]
    fn spent_messages_come_back_together() {
        let home = Arc::<Buffers>::default();
        let mut spent = Spent::new(home.clone());
        for size in [1, 100, 1000, LARGEST_KEPT] {
            let mut places = HashSet::new();
            for _ in 0..1000 {
                let message = message(&home, size);
                places.insert(place(&message));
                spent.add(message);
                let held: usize = spent.buffers.iter().map(Vec::capacity).sum();
                assert!(held < TOGETHER && held == spent.bytes, "{held} bytes");
            }
            // As many as may be away together, and those that were made before it was worth to look again.
            let most = 2 * TOGETHER.div_ceil(size.next_multiple_of(STEP)) + usize::from(LOOK_AGAIN);
            assert!(places.len() <= most, "{} buffers of {size} bytes", places.len());
        }
        spent.add(message(&home, LARGEST_KEPT + 1));
        assert!(spent.buffers.iter().all(|buffer| buffer.capacity() <= LARGEST_KEPT));
    }

    #[test]
    fn who_finds_it_left_locked_does_without() {
        let home = Arc::<Buffers>::default();
        home.give_back(message(&home, 100));
        std::mem::forget((home.ready.lock(), home.came_back.lock()));
        let mut spent = Spent::new(home.clone());
        for _ in 0..1000 {
            home.give_back(message(&home, 100));
            spent.add(message(&home, 100));
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_follows_the_sizes_in_use() {
        let home = Buffers::default();
        for size in [1, 100, LARGEST_KEPT, LARGEST_KEPT + 1, 64] {
            for _ in 0..3 {
                let all: Vec<Message> = (0..2000).map(|_| message(&home, size)).collect();
                all.into_iter().for_each(|message| home.give_back(message));
                for free in [home.ready.lock(), home.came_back.lock()] {
                    let kept: usize = free.by_size.iter().flatten().map(Vec::capacity).sum();
                    assert!(kept <= KEPT && kept == free.bytes, "{kept} of {}", free.bytes);
                    let there = (0..SIZES).filter(|size| !free.by_size[*size].is_empty());
                    assert_eq!(there.map(|size| 1 << size).sum::<u64>(), free.there);
                }
            }
            let index = size.div_ceil(STEP) - 1;
            assert!(index >= SIZES || !home.came_back.lock().by_size[index].is_empty(), "none of {size} bytes");
        }
    }

    #[test]
    fn what_is_made_ready_is_bounded_though_it_has_several_sizes() {
        let home = Buffers::default();
        for size in [100, 1000, 500] {
            let all: Vec<Message> = (0..200).map(|_| message(&home, size)).collect();
            all.into_iter().for_each(|message| home.give_back(message));
            // It is looked for what came back.
            let _taken: Vec<Message> = (0..=LOOK_AGAIN).map(|_| message(&home, size)).collect();
            for free in [home.ready.lock(), home.came_back.lock()] {
                let kept: usize = free.by_size.iter().flatten().map(Vec::capacity).sum();
                assert!(kept <= KEPT && kept == free.bytes, "{kept} of {}", free.bytes);
                let there = (0..SIZES).filter(|size| !free.by_size[*size].is_empty());
                assert_eq!(there.map(|size| 1 << size).sum::<u64>(), free.there);
            }
        }
        assert!(home.ready.lock().bytes > 0);
    }
}
