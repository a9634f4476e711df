//! Commands that callers have left because the core's lock was taken, in the order in which they came. It is a queue
//! of our own because it keeps its room: to leave a command and to carry it out allocates nothing.

use super::clock;
use super::command::Command;
use super::lock::{LeftLocked, Lock};
use parking_lot::MutexGuard;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Instant;

/// Room for so many is kept. More come together only while the core is taken for long.
const ROOM_KEPT: usize = 256;
/// Whoever has the core looks at what was left after some microseconds, or as soon as it gets the processor again.
const SUSPICIOUS_US: i64 = 1_000_000;

/// Its lock is never held across a system call.
#[derive(Default)]
pub(super) struct CommandQueue {
    queue: Lock<VecDeque<Command>>,
    /// How many there are, to be read without the lock.
    count: AtomicUsize,
    /// When the first of them was left, by the monotonic clock.
    since_us: AtomicI64,
}

impl CommandQueue {
    pub fn push(&self, command: Command) {
        self.add(self.queue.lock(), command);
    }

    /// False if the queue was locked until the deadline.
    pub fn push_until(&self, command: Command, deadline: Instant) -> bool {
        self.queue.try_lock_until(deadline).map(|queue| self.add(queue, command)).is_some()
    }

    fn add(&self, mut queue: MutexGuard<'_, VecDeque<Command>>, command: Command) {
        if queue.is_empty() {
            self.since_us.store(clock::monotonic_us(), Ordering::Relaxed);
        }
        queue.push_back(command);
        self.count.store(queue.len(), Ordering::Release);
    }

    /// Takes the first ones, at most `most`, into `taken`, which is empty. All under one lock: programs that publish without a
    /// pause leave it few free moments.
    pub fn take(&self, most: usize, taken: &mut VecDeque<Command>) {
        if self.is_empty() {
            return;
        }
        let mut queue = self.queue.lock();
        if queue.len() <= most && queue.capacity() <= ROOM_KEPT {
            std::mem::swap(&mut *queue, taken);
        } else {
            let count = queue.len().min(most);
            taken.extend(queue.drain(..count));
        }
        self.tell_count(&mut queue);
    }

    /// Takes the first one. `Err` if the queue was locked until the deadline.
    pub fn pop_until(&self, deadline: Instant) -> Result<Option<Command>, LeftLocked> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut queue = self.queue.try_lock_until(deadline).ok_or(LeftLocked)?;
        let command = queue.pop_front();
        self.tell_count(&mut queue);
        Ok(command)
    }

    fn tell_count(&self, queue: &mut VecDeque<Command>) {
        self.count.store(queue.len(), Ordering::Release);
        if queue.is_empty() && queue.capacity() > ROOM_KEPT {
            *queue = VecDeque::with_capacity(ROOM_KEPT);
        }
    }

    /// Whether they have waited for so long that the core may be left locked.
    pub fn are_stuck(&self) -> bool {
        !self.is_empty() && clock::monotonic_us() - self.since_us.load(Ordering::Relaxed) > SUSPICIOUS_US
    }

    /// False if the queue is locked until the deadline.
    pub fn is_free_until(&self, deadline: Instant) -> bool {
        self.queue.try_lock_until(deadline).is_some()
    }

    /// Locks the queue for good.
    pub fn leave_locked(&self) {
        self.queue.leave_locked();
    }

    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
