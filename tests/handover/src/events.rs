//! The queue of events (src/client/events.rs): who waits for one, be it in the queue's condition or as the leader in a poll,
//! is woken, and finds it.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

#[derive(Default)]
struct Inner {
    events: usize,
    closed: bool,
    leader_sleeps: bool,
}

struct Queue {
    inner: Mutex<Inner>,
    available: Condvar,
    /// A copy that is read without the lock.
    count: AtomicUsize,
    /// The leader's poll is woken, or will not sleep.
    leader_woken: AtomicBool,
}

impl Queue {
    fn new() -> Arc<Self> {
        Arc::new(Queue {
            inner: Mutex::new(Inner::default()),
            available: Condvar::new(),
            count: AtomicUsize::new(0),
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
            self.leader_woken.store(true, Ordering::Release);
        }
        self.available.notify_one();
    }

    fn close(&self) {
        self.inner.lock().unwrap().closed = true;
        self.available.notify_all();
        self.leader_woken.store(true, Ordering::Release);
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

    /// `wait_until`, but for the deadline: loom finds a wait that never ends.
    fn wait(&self) -> bool {
        let mut inner = self.inner.lock().unwrap();
        while inner.events == 0 && !inner.closed {
            inner = self.available.wait(inner).unwrap();
        }
        inner.events > 0
    }

    /// True if the leader is going to sleep. `within` says whether it looks and notes it down under one lock, as the code has it.
    fn leader_falls_asleep(&self, within: bool) -> bool {
        if within {
            let mut inner = self.inner.lock().unwrap();
            inner.leader_sleeps = inner.events == 0 && !inner.closed;
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

#[test]
fn whoever_waits_gets_the_event() {
    loom::model(|| {
        let queue = Queue::new();
        let other = queue.clone();
        let thread = thread::spawn(move || other.push());
        assert!(queue.wait() && queue.pop());
        thread.join().unwrap();
        assert!(!queue.pop());
    });
}

#[test]
fn closing_wakes_everybody_who_waits() {
    loom::model(|| {
        let queue = Queue::new();
        let waiting = queue.clone();
        let thread = thread::spawn(move || waiting.wait());
        let leads = queue.clone();
        let leader = thread::spawn(move || leads.leader_falls_asleep(true));
        queue.close();
        assert!(!thread.join().unwrap());
        assert!(!leader.join().unwrap() || queue.leader_woken.load(Ordering::Acquire));
    });
}
