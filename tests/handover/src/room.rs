//! Room in the event queue: the background thread stops reading when messages that can't be dropped fill the queue, and the
//! program that takes one must wake it.

use crate::Fences;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

struct Shared {
    fences: Fences,
    /// `EventQueue::is_blocked`.
    blocked: AtomicBool,
    reading_paused: AtomicBool,
    woken: AtomicBool,
}

impl Shared {
    /// The last of several reads of `Worker::read`, and what `Worker::step_online` makes of it: true if the thread comes
    /// back at once for what it hasn't read yet, false if it sleeps.
    fn read(&self) -> bool {
        let paused = self.blocked.load(Ordering::Acquire);
        self.reading_paused.store(paused, Ordering::Release);
        self.fences.here();
        if paused && !self.blocked.load(Ordering::Acquire) {
            self.reading_paused.store(false, Ordering::Release);
        }
        !self.reading_paused.load(Ordering::Acquire)
    }

    /// `Client::poll`: takes a message, and `room_was_made`.
    fn poll(&self) {
        self.blocked.store(false, Ordering::Release);
        self.fences.here();
        if self.reading_paused.load(Ordering::Acquire) && !self.blocked.load(Ordering::Acquire) {
            self.woken.store(true, Ordering::Release);
        }
    }
}

fn a_full_queue_is_emptied(fences: Fences) {
    loom::model(move || {
        let shared = Arc::new(Shared {
            fences,
            blocked: AtomicBool::new(true),
            reading_paused: AtomicBool::new(false),
            woken: AtomicBool::new(false),
        });
        let other = shared.clone();
        let worker = thread::spawn(move || other.read());
        shared.poll();
        let reads_on = worker.join().unwrap();
        assert!(reads_on || shared.woken.load(Ordering::Acquire), "the queue has room, and nobody reads");
    });
}

#[test]
fn the_background_thread_reads_on_when_there_is_room() {
    a_full_queue_is_emptied(Fences(true));
}

#[test]
#[should_panic(expected = "nobody reads")]
fn without_the_fences_it_might_sleep_for_ever() {
    a_full_queue_is_emptied(Fences(false));
}
