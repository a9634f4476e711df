//! Publishes that wait for the socket: a caller leaves one without waking anybody if whoever has the core is to look again
//! before others get it, or the socket is to wake the background thread.

use crate::Lock;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

struct Shared {
    /// Whether `CommandQueue::let_wait` locks the queue.
    lets_wait_under_lock: bool,
    queue: Lock,
    /// Under the lock, but loom has to see who reads it.
    left: AtomicUsize,
    may_wait: AtomicBool,
    count: AtomicUsize,
}

impl Shared {
    fn tell_count(&self) {
        let count = if self.may_wait.load(Ordering::Relaxed) { 0 } else { self.left.load(Ordering::Relaxed) };
        self.count.store(count, Ordering::Release);
    }

    /// `CommandQueue::push_patient`: false if it is refused, and then submitted.
    fn push_patient(&self) -> bool {
        self.queue.lock();
        let waits = self.may_wait.load(Ordering::Relaxed);
        if waits {
            self.left.fetch_add(1, Ordering::Relaxed);
        }
        self.queue.unlock();
        waits
    }

    /// The end of `Worker::step`, when the socket takes more: `let_wait(false)`, and the look at what was left (`Worker::run`).
    /// True if the thread comes back at once.
    fn is_about_to_sleep(&self) -> bool {
        if self.lets_wait_under_lock {
            self.queue.lock();
        }
        self.may_wait.store(false, Ordering::Relaxed);
        self.tell_count();
        if self.lets_wait_under_lock {
            self.queue.unlock();
        }
        self.count.load(Ordering::Acquire) > 0
    }
}

fn a_publish_that_is_left_is_found(lets_wait_under_lock: bool) {
    loom::model(move || {
        let shared = Arc::new(Shared {
            lets_wait_under_lock,
            queue: Lock::new(),
            left: AtomicUsize::new(0),
            may_wait: AtomicBool::new(true),
            count: AtomicUsize::new(0),
        });
        let other = shared.clone();
        let worker = thread::spawn(move || other.is_about_to_sleep());
        let waits = shared.push_patient();
        let comes_back = worker.join().unwrap();
        assert!(!waits || comes_back, "a publish waits, and nobody looks");
    });
}

#[test]
fn the_background_thread_finds_what_only_waits() {
    a_publish_that_is_left_is_found(true);
}

#[test]
#[should_panic(expected = "nobody looks")]
fn without_the_lock_it_might_be_left_behind() {
    a_publish_that_is_left_is_found(false);
}
