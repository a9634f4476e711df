//! Buffers of messages that are used again: once a few messages have come by, another one costs no allocation.
//!
//! They are kept by size, so that a program whose messages are now short, now long finds one that fits. Absent on purpose: a
//! pool per thread.

use parking_lot::{Mutex, MutexGuard};
use std::hint::spin_loop;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Buffers have a multiple of so many bytes.
const STEP: usize = 32;
const SIZES: usize = u64::BITS as usize;
/// Larger buffers are not kept.
const LARGEST_KEPT: usize = STEP * SIZES;
/// So many bytes are kept in all.
const KEPT: usize = 32 * 1024;

/// Some hundredths of a second on the processor: longer than a holder of the lock that lives may have to wait for its turn.
const LOOKS: usize = 400_000;

/// Where the buffers of messages come from and go back to. A host may have ended the thread that has the lock: then everybody
/// does without.
#[derive(Debug, Default)]
pub struct Buffers {
    free: Mutex<Free>,
    /// Somebody has looked in vain.
    is_left_locked: AtomicBool,
}

#[derive(Debug)]
struct Free {
    by_size: [Vec<Vec<u8>>; SIZES],
    /// A bit for each of the sizes: whether there are any.
    there: u64,
    bytes: usize,
}

impl Default for Free {
    fn default() -> Self {
        Free { by_size: [const { Vec::new() }; SIZES], there: 0, bytes: 0 }
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

    fn push(&mut self, size: usize, buffer: Vec<u8>) {
        self.bytes += buffer.capacity();
        self.there |= 1 << size;
        self.by_size[size].push(buffer);
    }

    /// The largest of the sizes of which there are any.
    fn largest(&self) -> Option<usize> {
        self.there.checked_ilog2().map(|size| size as usize)
    }
}

/// Which of the sizes a buffer of `capacity` bytes has; `None` if such are not kept.
fn size_of_buffer(capacity: usize) -> Option<usize> {
    let kept = capacity > 0 && capacity.is_multiple_of(STEP) && capacity <= LARGEST_KEPT;
    kept.then(|| capacity / STEP - 1)
}

impl Buffers {
    /// An empty buffer with room for so many bytes.
    fn take(&self, size: usize) -> Vec<u8> {
        let capacity = size.max(1).next_multiple_of(STEP);
        let Some(index) = size_of_buffer(capacity) else { return Vec::with_capacity(size) };
        let kept = self.free().and_then(|mut free| free.pop(index));
        kept.unwrap_or_else(|| Vec::with_capacity(capacity))
    }

    fn free(&self) -> Option<MutexGuard<'_, Free>> {
        let looks = if self.is_left_locked.load(Ordering::Relaxed) { 1 } else { LOOKS };
        let free = (0..looks).find_map(|_| {
            self.free.try_lock().or_else(|| {
                spin_loop();
                None
            })
        });
        if free.is_none() {
            self.is_left_locked.store(true, Ordering::Relaxed);
        }
        free
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        let Some(index) = size_of_buffer(capacity) else { return };
        buffer.clear();
        let Some(mut free) = self.free() else { return };
        // What comes back now is more likely to be wanted than what has been lying there, unless that has its size.
        while free.bytes + capacity > KEPT {
            match free.largest() {
                Some(largest) if largest != index => drop(free.pop(largest)),
                _ => return,
            }
        }
        free.push(index, buffer);
    }
}

/// Bytes in a buffer, which goes back to where it came from.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    home: Option<Arc<Buffers>>,
}

impl Buffer {
    /// An empty one with room for so many bytes.
    pub fn with_capacity(size: usize, home: Option<&Arc<Buffers>>) -> Self {
        let bytes = home.map_or_else(|| Vec::with_capacity(size), |home| home.take(size));
        Buffer { bytes, home: home.cloned() }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

/// A copy has a buffer of its own, which nobody uses again.
impl Clone for Buffer {
    fn clone(&self) -> Self {
        Buffer { bytes: self.bytes.clone(), home: None }
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Buffer {}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_came_back_is_used_again_and_empty() {
        let home = Arc::new(Buffers::default());
        let mut buffer = Buffer::with_capacity(100, Some(&home));
        buffer.extend_from_slice(b"a message");
        let address = buffer.as_ptr();
        drop(buffer);
        let other = Buffer::with_capacity(50, Some(&home));
        let again = Buffer::with_capacity(97, Some(&home));
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        assert!(other.capacity() >= 50 && other.as_ptr() != address);
    }

    #[test]
    fn who_finds_it_left_locked_does_without() {
        let home = Arc::new(Buffers::default());
        drop(Buffer::with_capacity(100, Some(&home)));
        std::mem::forget(home.free.lock());
        for _ in 0..1000 {
            let mut buffer = Buffer::with_capacity(100, Some(&home));
            buffer.extend_from_slice(b"a message");
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_follows_the_sizes_in_use() {
        let home = Arc::new(Buffers::default());
        for size in [0, 1, 100, LARGEST_KEPT, LARGEST_KEPT + 1, 64] {
            let all: Vec<Buffer> = (0..2000).map(|_| Buffer::with_capacity(size, Some(&home))).collect();
            drop(all);
            let free = home.free.lock();
            let kept: usize = free.by_size.iter().flatten().map(Vec::capacity).sum();
            assert!(kept <= KEPT && kept == free.bytes, "{kept} of {}", free.bytes);
            let index = size_of_buffer(size.max(1).next_multiple_of(STEP));
            assert!(index.is_none_or(|index| !free.by_size[index].is_empty()), "none of {size} bytes");
        }
    }
}
