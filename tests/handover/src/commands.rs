//! Commands: a caller that finds the core locked leaves its command; whoever has the lock looks when it is done.

use crate::{Fences, Lock};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

/// As in core.rs.
const ROUNDS_OF_A_CALLER: usize = 2;

struct Shared {
    fences: Fences,
    core: Lock,
    /// Threads that wait for the core and look at the commands afterwards.
    readers_waiting: AtomicUsize,
    /// Commands in the queue.
    waiting: AtomicUsize,
    /// Commands that nobody was woken for.
    left: AtomicUsize,
    carried_out: AtomicUsize,
    /// The background thread has been woken, and will look.
    woken: AtomicBool,
}

impl Shared {
    fn new(fences: Fences) -> Arc<Self> {
        Arc::new(Shared {
            fences,
            core: Lock::new(),
            readers_waiting: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            carried_out: AtomicUsize::new(0),
            woken: AtomicBool::new(false),
        })
    }

    fn push(&self) {
        self.waiting.fetch_add(1, Ordering::Release);
    }

    fn wake(&self) {
        self.woken.store(true, Ordering::Release);
    }

    /// Under the lock.
    fn apply_waiting(&self) {
        if self.left.load(Ordering::Acquire) > 0 {
            self.left.swap(0, Ordering::AcqRel);
        }
        // One after the other, as the queue gives them out: one that is left meanwhile may be missed.
        let mut seen = self.waiting.load(Ordering::Acquire);
        while seen > 0 {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            self.carried_out.fetch_add(1, Ordering::Relaxed);
            seen = self.waiting.load(Ordering::Acquire);
        }
    }

    fn has_commands(&self) -> bool {
        self.fences.here();
        self.waiting.load(Ordering::Acquire) > 0
    }

    fn try_core(&self) -> bool {
        self.readers_waiting.load(Ordering::Acquire) == 0 && self.core.try_lock()
    }

    fn core_for_reader(&self) {
        self.readers_waiting.fetch_add(1, Ordering::AcqRel);
        self.core.lock();
        self.readers_waiting.fetch_sub(1, Ordering::AcqRel);
    }

    fn submit(&self) {
        if self.try_core() {
            self.apply_waiting();
            self.carried_out.fetch_add(1, Ordering::Relaxed);
            self.core.unlock();
        } else {
            self.push();
        }
        self.work_off_commands();
    }

    fn work_off_commands(&self) {
        for _ in 0..ROUNDS_OF_A_CALLER {
            if !self.has_commands() || !self.try_core() {
                return;
            }
            self.apply_waiting();
            self.core.unlock();
        }
        if self.has_commands() {
            self.wake();
        }
    }

    fn leave(&self) {
        self.push();
        if self.left.fetch_add(1, Ordering::AcqRel) == 0 {
            self.wake();
        }
    }

    /// What the background thread does when it is awake, until it sleeps.
    fn worker(&self) {
        loop {
            self.core_for_reader();
            self.apply_waiting();
            self.core.unlock();
            if !self.has_commands() {
                return;
            }
        }
    }

    /// Everybody is done or asleep.
    fn check(&self, commands: usize) {
        let waiting = self.waiting.load(Ordering::Acquire);
        assert!(waiting == 0 || self.woken.load(Ordering::Acquire), "{waiting} commands are left, and all sleep");
        assert_eq!(self.carried_out.load(Ordering::Relaxed) + waiting, commands);
    }
}

fn two_callers(fences: Fences) {
    loom::model(move || {
        let shared = Shared::new(fences);
        let other = shared.clone();
        let caller = thread::spawn(move || other.submit());
        shared.submit();
        caller.join().unwrap();
        shared.check(2);
    });
}

fn a_caller_and_the_worker(fences: Fences) {
    loom::model(move || {
        let shared = Shared::new(fences);
        let other = shared.clone();
        let worker = thread::spawn(move || other.worker());
        shared.submit();
        worker.join().unwrap();
        shared.check(1);
    });
}

#[test]
fn of_two_callers_nobody_leaves_a_command_behind() {
    two_callers(Fences(true));
}

#[test]
#[should_panic(expected = "all sleep")]
fn without_the_fence_two_callers_would() {
    two_callers(Fences(false));
}

#[test]
fn a_caller_and_the_background_thread_leave_no_command_behind() {
    a_caller_and_the_worker(Fences(true));
}

#[test]
#[should_panic(expected = "all sleep")]
fn without_the_fence_a_caller_and_the_background_thread_would() {
    a_caller_and_the_worker(Fences(false));
}

#[test]
fn an_acknowledgement_that_was_left_is_carried_out_or_somebody_was_woken_for_it() {
    loom::model(|| {
        let shared = Shared::new(Fences(true));
        let other = shared.clone();
        let submitting = thread::spawn(move || other.submit());
        shared.leave();
        submitting.join().unwrap();
        shared.check(2);
    });
}
