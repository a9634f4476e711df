//! A table of what the whole process shares, which no thread can leave locked.
//!
//! A host may end one of its threads in the middle of a call (TerminateThread), as a terminal does with a program
//! that doesn't come back. What that thread had locked stays locked for ever. So nothing is locked here: each place
//! holds a reference-counted entry, which is put in, copied out and taken out in single steps. A thread that is ended
//! leaves one reference too many behind. That costs memory and nothing else.

use arc_swap::ArcSwapOption;
use once_cell::race::OnceBox;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// The places lie in segments, each of which is twice as large as the one before and stays where it is.
const FIRST_SEGMENT: usize = 64;
const SEGMENTS: usize = 14;
const PLACES: usize = FIRST_SEGMENT * ((1 << SEGMENTS) - 1);
/// The low bits of a handle hold the place, those above a number that is never used again.
const PLACE_BITS: u32 = 20;
const PLACE_MASK: usize = (1 << PLACE_BITS) - 1;
/// Handles don't fit into 32 bits: one that was cut to an `int` must not name another object.
const FIRST_NUMBER: i64 = 1 << (32 - PLACE_BITS);

const _: () = assert!(PLACES < 1 << PLACE_BITS);

struct Entry<T> {
    handle: i64,
    value: T,
}

type Place<T> = ArcSwapOption<Entry<T>>;

pub struct Slots<T> {
    segments: [OnceBox<Vec<Place<T>>>; SEGMENTS],
    next_number: AtomicI64,
    /// Its low bits: all places below are taken, or were a moment ago. Those above count what was taken out: one who puts it
    /// forward must not have missed that a place below became free (tests/handover).
    first_free: AtomicUsize,
}

impl<T: Clone> Default for Slots<T> {
    fn default() -> Self {
        Slots::new()
    }
}

impl<T: Clone> Slots<T> {
    pub const fn new() -> Self {
        Slots {
            segments: [const { OnceBox::new() }; SEGMENTS],
            next_number: AtomicI64::new(FIRST_NUMBER),
            first_free: AtomicUsize::new(0),
        }
    }

    /// Puts a value in. Its handle is above 2^32 - 1; `None` if there are about a million values already.
    pub fn insert(&self, value: T) -> Option<i64> {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let first_free = self.first_free.load(Ordering::Acquire);
        for index in first_free & PLACE_MASK..PLACES {
            let place = self.place(index);
            if place.load().is_some() {
                continue;
            }
            let handle = number << PLACE_BITS | index as i64;
            let entry = Arc::new(Entry { handle, value: value.clone() });
            if place.compare_and_swap(&None::<Arc<Entry<T>>>, Some(entry)).is_none() {
                // If a place below has become free meanwhile, that is where the next search begins.
                let next = (first_free & !PLACE_MASK) | (index + 1);
                let _ = self.first_free.compare_exchange(first_free, next, Ordering::AcqRel, Ordering::Acquire);
                return Some(handle);
            }
        }
        None
    }

    /// Uses the value where it lies, without a reference of its own: it stays there until that is done, whoever takes it out.
    pub fn with<R>(&self, handle: i64, reads: impl FnOnce(Option<&T>) -> R) -> R {
        let entry = self.place_of(handle).map(ArcSwapOption::load);
        let entry = entry.as_ref().and_then(|entry| entry.as_ref());
        reads(entry.filter(|entry| entry.handle == handle).map(|entry| &entry.value))
    }

    /// Takes the value out, if `wanted` says so. Of several threads that try, one gets it.
    pub fn remove(&self, handle: i64, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let place = self.place_of(handle)?;
        let current = place.load_full();
        let entry = current.as_ref().filter(|entry| entry.handle == handle && wanted(&entry.value))?;
        let previous = place.compare_and_swap(&current, None);
        if !previous.as_ref().is_some_and(|previous| Arc::ptr_eq(previous, entry)) {
            return None;
        }
        self.make_free(index(handle));
        Some(entry.value.clone())
    }

    /// Takes everything out.
    pub fn drain(&self) -> Vec<T> {
        let places = self.segments.iter().filter_map(OnceBox::get).flatten();
        let drained = places.filter_map(|place| place.swap(None)).map(|entry| entry.value.clone()).collect();
        self.make_free(0);
        drained
    }

    /// A place, and perhaps some above it, is free again.
    fn make_free(&self, index: usize) {
        let lower =
            |known: usize| Some((known & !PLACE_MASK).wrapping_add(PLACE_MASK + 1) | index.min(known & PLACE_MASK));
        let _ = self.first_free.fetch_update(Ordering::AcqRel, Ordering::Acquire, lower);
    }

    fn place(&self, index: usize) -> &Place<T> {
        let (segment, offset) = locate(index);
        let new = || Box::new((0..FIRST_SEGMENT << segment).map(|_| ArcSwapOption::empty()).collect());
        &self.segments[segment].get_or_init(new)[offset]
    }

    /// Where the value of a handle would be; `None` if there never was such a place.
    fn place_of(&self, handle: i64) -> Option<&Place<T>> {
        let (segment, offset) = locate(Some(index(handle)).filter(|index| handle > 0 && *index < PLACES)?);
        self.segments[segment].get()?.get(offset)
    }
}

fn index(handle: i64) -> usize {
    handle as usize & PLACE_MASK
}

/// The segment of a place, and its place there.
fn locate(index: usize) -> (usize, usize) {
    let segment = (index / FIRST_SEGMENT + 1).ilog2() as usize;
    (segment, index - FIRST_SEGMENT * ((1 << segment) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn get<T: Clone>(slots: &Slots<T>, handle: i64) -> Option<T> {
        slots.with(handle, |value| value.cloned())
    }

    #[test]
    fn the_places_of_all_segments_follow_each_other() {
        let mut expected = (0, 0);
        for index in 0..PLACES {
            assert_eq!(locate(index), expected, "place {index}");
            expected.1 += 1;
            if expected.1 == FIRST_SEGMENT << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(expected, (SEGMENTS, 0));
    }

    #[test]
    fn a_handle_names_its_value_until_it_is_taken_out_and_never_again() {
        let slots = Slots::new();
        let handles: Vec<i64> = (0..1000).map(|value| slots.insert(value).unwrap()).collect();
        assert!(handles.iter().all(|handle| *handle > u32::MAX.into()));
        for (value, handle) in handles.iter().enumerate() {
            assert_eq!(get(&slots, *handle), Some(value));
            assert_eq!(slots.remove(*handle, |value| *value == 1000), None);
            assert_eq!(slots.remove(*handle, |_| true), Some(value));
            assert_eq!((get(&slots, *handle), slots.remove(*handle, |_| true)), (None, None));
        }
        // The places are used again, the handles are not.
        let again: Vec<i64> = (0..1000).map(|value| slots.insert(value).unwrap()).collect();
        assert_eq!(again.iter().map(|handle| index(*handle)).max(), Some(999));
        assert!(handles.iter().all(|handle| get(&slots, *handle).is_none()));
        assert_eq!(slots.drain().len(), 1000);
        assert!(again.iter().all(|handle| get(&slots, *handle).is_none()));
    }

    #[test]
    fn the_count_of_what_was_taken_out_is_never_set_back() {
        // Or a thread that puts the mark forward could miss that a place below became free meanwhile.
        let slots = Slots::new();
        let mut before = 0;
        for _ in 0..100 {
            let handle = slots.insert(()).unwrap();
            assert_eq!(slots.first_free.load(Ordering::Relaxed) & !PLACE_MASK, before);
            slots.remove(handle, |_| true).unwrap();
            before += PLACE_MASK + 1;
            assert_eq!(slots.first_free.load(Ordering::Relaxed) & !PLACE_MASK, before);
        }
    }

    #[test]
    fn forged_handles_name_nothing() {
        let slots = Slots::new();
        let handle = slots.insert("value").unwrap();
        let forged = [0, -1, 1, i64::MIN, i64::MAX, handle + 1, handle & 0xFFFF_FFFF, handle ^ 1 << 40, -handle];
        assert!(
            forged.iter().all(|forged| get(&slots, *forged).is_none() && slots.remove(*forged, |_| true).is_none())
        );
        assert_eq!(get(&slots, handle), Some("value"));
    }

    #[test]
    fn threads_that_put_in_and_take_out_at_once_never_share_a_place() {
        let slots = Slots::new();
        std::thread::scope(|scope| {
            for thread in 0..4_usize {
                let slots = &slots;
                scope.spawn(move || {
                    for round in 0..2000_usize {
                        let values = [thread << 32 | round, thread << 40 | round];
                        let handles = values.map(|value| slots.insert(value).unwrap());
                        assert_eq!(handles.map(|handle| get(slots, handle)), values.map(Some));
                        assert_eq!(handles.map(|handle| slots.remove(handle, |_| true)), values.map(Some));
                    }
                });
            }
        });
        // No place was forgotten: so many threads can't have needed more.
        let places: HashSet<usize> = (0..8).map(|value| index(slots.insert(value).unwrap())).collect();
        assert!(places.iter().all(|place| *place < 8));
        assert_eq!(slots.drain().len(), 8);
    }
}
