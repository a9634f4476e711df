//! The queue of events (src/client/events.rs): the leader, who waits for one in a poll, is woken, and finds it.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

#[derive(Default)]
struct Inner {
    events: usize,
    leader_sleeps: bool,
}

struct Queue {
    inner: Mutex<Inner>,
    /// A copy that is read without the lock.
    count: AtomicUsize,
    closed: AtomicBool,
    /// The leader's poll was made: only then there is something to wake.
    has_leader: AtomicBool,
    /// The leader's poll is woken, or will not sleep.
    leader_woken: AtomicBool,
}

impl Queue {
    fn new() -> Arc<Self> {
        Arc::new(Queue {
            inner: Mutex::new(Inner::default()),
            count: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            has_leader: AtomicBool::new(false),
            leader_woken: AtomicBool::new(false),
        })
    }

    fn push(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.events += 1;
        self.count.store(inner.events, Ordering::Release);
        let wakes_leader = std::mem::take(&mut inner.leader_sleeps);
        drop(inner);
        if wakes_leader {
            self.wake_leader();
        }
    }

    fn wake_leader(&self) {
        if self.has_leader.load(Ordering::Acquire) {
            self.leader_woken.store(true, Ordering::Release);
        }
    }

    /// `locks` says whether it takes the lock in between, as the code does.
    fn close(&self, locks: bool) {
        self.closed.store(true, Ordering::Release);
        if locks {
            drop(self.inner.lock().unwrap());
        }
        self.wake_leader();
    }

    fn pop(&self) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let mut inner = self.inner.lock().unwrap();
        if inner.events == 0 {
            return false;
        }
        inner.events -= 1;
        self.count.store(inner.events, Ordering::Release);
        true
    }

    /// True if the leader is going to sleep. `within` says whether it looks and notes it down under one lock, as the code has it.
    fn leader_falls_asleep(&self, within: bool) -> bool {
        if within {
            let mut inner = self.inner.lock().unwrap();
            inner.leader_sleeps = inner.events == 0 && !self.closed.load(Ordering::Acquire);
            return inner.leader_sleeps;
        }
        let sleeps = self.count.load(Ordering::Acquire) == 0;
        self.inner.lock().unwrap().leader_sleeps = sleeps;
        sleeps
    }
}

fn the_leader_is_woken(within: bool) {
    loom::model(move || {
        let queue = Queue::new();
        let other = queue.clone();
        queue.has_leader.store(true, Ordering::Release);
        let thread = thread::spawn(move || other.push());
        let sleeps = queue.leader_falls_asleep(within);
        if !sleeps || queue.leader_woken.load(Ordering::Acquire) {
            assert!(queue.pop(), "the leader is awake and finds nothing");
        }
        thread.join().unwrap();
        assert!(!sleeps || queue.leader_woken.load(Ordering::Acquire), "there is an event, and the leader sleeps");
    });
}

#[test]
fn an_event_wakes_the_leader_or_keeps_it_awake() {
    the_leader_is_woken(true);
}

#[test]
#[should_panic(expected = "the leader sleeps")]
fn if_it_looked_and_noted_it_down_in_two_steps_it_might_sleep() {
    the_leader_is_woken(false);
}

fn a_queue_is_closed(locks: bool) {
    loom::model(move || {
        let queue = Queue::new();
        let leads = queue.clone();
        let leader = thread::spawn(move || {
            leads.has_leader.store(true, Ordering::Release);
            leads.leader_falls_asleep(true)
        });
        queue.close(locks);
        assert!(!leader.join().unwrap() || queue.leader_woken.load(Ordering::Acquire), "closed, and the leader sleeps");
    });
}

#[test]
fn closing_wakes_the_leader_even_if_its_poll_is_just_being_made() {
    a_queue_is_closed(true);
}

#[test]
#[should_panic(expected = "the leader sleeps")]
fn without_the_lock_a_leader_whose_poll_is_just_being_made_might_sleep() {
    a_queue_is_closed(false);
}
