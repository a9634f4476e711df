//! The locks of one client.
//!
//! A host may end one of its threads in the middle of a call (TerminateThread), and what that thread had locked stays
//! locked for ever. So no wait for a lock is without a bound. A living thread gives a lock back long before that
//! bound; after it the lock counts as left locked. Whoever needs it unwinds to the outermost function of the call, or
//! of the background thread ([`LeftLocked`]). From then on the client can only be freed.
//!
//! And nobody is put to sleep in a queue of waiters, neither the system's nor parking_lot's. Such a queue belongs to
//! the whole process: a thread that is ended in it would leave a hole, through which other clients fall. Instead a
//! thread that waits looks again and again, with pauses. That is rare and short, as no lock is held across more than
//! one write that doesn't block.

use super::clock;
use super::thread::Pause;
use parking_lot::{Mutex, MutexGuard};
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

/// The longest that a thread which lives keeps a lock. Only the time counts in which the waiting thread looked, and not that in
/// which the whole machine slept.
pub const LONGEST_HOLD: Duration = Duration::from_secs(5);
/// What of it is counted at one look at most.
const ONE_LOOK: Duration = Duration::from_millis(50);

/// What a thread unwinds with that needs a lock which was left locked.
pub struct LeftLocked;

#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub const fn new(value: T) -> Self {
        Lock(Mutex::new(value))
    }

    /// Unwinds with [`LeftLocked`] if nobody gives it back.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        if let Some(guard) = self.0.try_lock() {
            return guard;
        }
        let (mut pause, mut last, mut waited) = (Pause::short(), clock::now(), Duration::ZERO);
        loop {
            pause.make();
            if let Some(guard) = self.0.try_lock() {
                return guard;
            }
            let now = clock::now();
            waited += now.saturating_duration_since(last).min(ONE_LOOK);
            last = now;
            if waited > LONGEST_HOLD {
                resume_unwind(Box::new(LeftLocked));
            }
        }
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }

    /// For a call that has a bound of its own. `None` if it was locked until the deadline.
    pub fn try_lock_until(&self, deadline: Instant) -> Option<MutexGuard<'_, T>> {
        look_until(deadline, Pause::short(), || self.0.try_lock())
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Locks it for good: for tests of what a thread leaves that is ended.
    pub fn leave_locked(&self) {
        std::mem::forget(self.lock());
    }
}

/// Looks again and again until there is something, at most until the deadline.
pub(super) fn look_until<R>(deadline: Instant, mut pause: Pause, mut look: impl FnMut() -> Option<R>) -> Option<R> {
    loop {
        let found = look();
        if found.is_some() || clock::now() >= deadline {
            return found;
        }
        pause.make();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn each_of_many_threads_gets_the_lock_and_is_alone_with_it() {
        let lock = Lock::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..10_000).for_each(|_| *lock.lock() += 1));
            }
        });
        assert_eq!(*lock.lock(), 80_000);
    }

    #[test]
    fn whoever_needs_a_lock_that_is_never_given_back_unwinds() {
        let lock = Lock::new(());
        lock.leave_locked();
        let start = clock::now();
        let unwound = catch_unwind(AssertUnwindSafe(|| drop(lock.lock()))).expect_err("nobody gives it back");
        assert!(unwound.is::<LeftLocked>() && clock::now() - start >= LONGEST_HOLD);
        assert!(lock.try_lock().is_none() && lock.try_lock_until(clock::now()).is_none());
    }

    #[test]
    fn a_lock_that_is_given_back_late_is_waited_for() {
        let lock = Lock::new(());
        std::thread::scope(|scope| {
            let held = lock.lock();
            let waiting = scope.spawn(|| drop(lock.lock()));
            std::thread::sleep(LONGEST_HOLD / 8);
            assert!(!waiting.is_finished());
            drop(held);
        });
    }
}
