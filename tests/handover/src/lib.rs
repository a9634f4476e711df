//! A model of the places in src/client where threads agree without a common lock, in every order that the memory model
//! allows. What must never happen is that something is left behind and nobody who knows of it is awake.
//!
//! It is a model and not the code: a count stands for the queue of commands, a flag for the waker, and orderings are no
//! stronger than those of the code. The fences are a parameter, so that the tests show what they are for: without them loom
//! finds the order that loses something. src/client/shared.rs (`submit`, `try_core`, `core_for_reader`, `work_off_commands`,
//! `has_commands`, `leave`), core.rs (`apply_waiting`) and receiving.rs (`room_was_made`) must stay as they are here; so
//! must slots.rs, what in events.rs wakes somebody, and `push_patient` and `let_wait` in command_queue.rs.

#![cfg(test)]

mod commands;
mod events;
mod patient;
mod room;
mod slots;

use loom::sync::atomic::{AtomicBool, Ordering, fence};

/// Whether the model has the fences that the code has.
#[derive(Clone, Copy)]
struct Fences(bool);

impl Fences {
    fn here(self) {
        if self.0 {
            fence(Ordering::SeqCst);
        }
    }
}

/// A lock as parking_lot has it: a try looks first, and an unlock is a plain release.
struct Lock(AtomicBool);

impl Lock {
    fn new() -> Self {
        Lock(AtomicBool::new(false))
    }

    fn try_lock(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
            && self.0.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn lock(&self) {
        while !self.try_lock() {
            loom::thread::yield_now();
        }
    }

    fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}
