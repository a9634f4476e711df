//! The queue of events between the Session and the program, bounded in count and bytes.
//!
//! When it is full, a QoS 0 message makes room (an EVENTS_OVERFLOW option says whether the oldest or the newest) and is counted;
//! if there is none, another event that can be dropped, the end of a publish say. What has no room all the same is dropped alone.
//! QoS 1 and 2 messages are never dropped: when they alone fill the queue, the worker stops reading from the Server (`is_blocked`)
//! until the program has taken some.

pub use super::notice::{Missed, Notice, NoticeKind};

use super::clock;
use super::lock::{Lock, look_until};
use super::notice::{goes_first, held_bytes, is_kept, is_plain_success};
use super::thread::Pause;
use crate::session::event::{Event, Token};
use mio::Waker;
use parking_lot::MutexGuard;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// What `pop_if` found.
#[derive(Debug)]
pub(super) enum Next {
    Nothing,
    /// An event that wasn't wanted: it is the next one still.
    Left,
    Taken(Notice),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct EventLimits {
    pub count: usize,
    pub bytes: usize,
    pub drop_newest: bool,
    /// Whether a publish that simply succeeded makes an event.
    pub successes: bool,
}

#[derive(Debug)]
struct Queued {
    /// Numbers all events, so that the queues can be read as one.
    number: u64,
    notice: Notice,
}

#[derive(Debug)]
struct Inner {
    /// By [`place`].
    queues: [VecDeque<Queued>; 3],
    next_number: u64,
    /// Of each of the queues.
    bytes: [usize; 3],
    dropped_since: u64,
    dropped_ever: u64,
    limits: EventLimits,
    /// Counts as blocked, whatever is in it.
    held: bool,
    /// Publishes whose end will never be polled, as it was dropped or isn't asked for; kept once somebody wants to know.
    untold: Option<Vec<Token>>,
    /// A caller sleeps in the poll of the socket (`leading.rs`), or is about to.
    leader_sleeps: bool,
}

#[derive(Debug)]
pub(super) struct EventQueue {
    inner: Lock<Inner>,
    /// Wakes the caller that reads from the Server while it waits.
    leader: OnceLock<Arc<Waker>>,
    /// Copies of what `inner` holds, to be read without its lock.
    count: AtomicUsize,
    blocked: AtomicBool,
    /// There will be nobody who polls.
    closed: AtomicBool,
}

impl EventQueue {
    pub fn new(limits: EventLimits) -> Self {
        EventQueue {
            inner: Lock::new(Inner {
                queues: [const { VecDeque::new() }; 3],
                next_number: 0,
                bytes: [0; 3],
                dropped_since: 0,
                dropped_ever: 0,
                limits,
                held: false,
                untold: None,
                leader_sleeps: false,
            }),
            leader: OnceLock::new(),
            count: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
        }
    }

    pub fn set_limits(&self, limits: EventLimits) {
        let mut inner = self.inner.lock();
        inner.limits = limits;
        self.publish_state(&inner);
    }

    pub fn push(&self, kind: NoticeKind) {
        self.add(self.inner.lock(), kind, || ());
    }

    /// As `push`, and does something before anybody can take the event. For what is kept: the library's own failure.
    pub fn push_then(&self, kind: NoticeKind, then: impl FnOnce()) {
        self.add(self.inner.lock(), kind, then);
    }

    /// As `push`. False if the queue was locked until the deadline.
    pub fn push_until(&self, kind: NoticeKind, deadline: Instant) -> bool {
        self.push_then_until(kind, deadline, || ())
    }

    /// As `push_then`. False if the queue was locked until the deadline; then nothing is done.
    pub fn push_then_until(&self, kind: NoticeKind, deadline: Instant, then: impl FnOnce()) -> bool {
        self.inner.try_lock_until(deadline).map(|inner| self.add(inner, kind, then)).is_some()
    }

    fn add(&self, mut inner: MutexGuard<'_, Inner>, kind: NoticeKind, then: impl FnOnce()) {
        if is_plain_success(&kind) && !inner.limits.successes {
            inner.leave_untold(&kind);
            return;
        }
        let size = size(&kind);
        let place = place(&kind);
        if matches!(kind, NoticeKind::Log { .. }) && inner.is_half_full() {
            // A line never displaces what happened.
            inner.count_drop();
            return;
        }
        if place != KEPT && inner.has_no_room_for(place, size) {
            inner.leave_untold(&kind);
            inner.count_drop();
            return;
        }
        inner.bytes[place] += size;
        let number = inner.next_number;
        inner.next_number += 1;
        let queued = Queued { number, notice: Notice { kind, time_us: clock::unix_us(), dropped: 0 } };
        inner.queues[place].push_back(queued);
        while inner.is_over_full() && inner.drop_one() {}
        self.publish_state(&inner);
        then();
        let wakes_leader = std::mem::take(&mut inner.leader_sleeps);
        drop(inner);
        if wakes_leader {
            self.wake_leader();
        }
    }

    /// Takes the next event, if it is `wanted`.
    pub fn pop_if(&self, wanted: impl FnOnce(&Notice) -> bool) -> Next {
        if self.is_empty() {
            return Next::Nothing;
        }
        let mut inner = self.inner.lock();
        let queues = inner.queues.iter().enumerate().filter_map(|(place, queue)| Some((place, queue.front()?)));
        let Some((place, next)) = queues.min_by_key(|(_, next)| next.number) else { return Next::Nothing };
        if !wanted(&next.notice) {
            return Next::Left;
        }
        let Some(Queued { mut notice, .. }) = inner.queues[place].pop_front() else { return Next::Nothing };
        inner.bytes[place] -= size(&notice.kind);
        notice.dropped = std::mem::take(&mut inner.dropped_since);
        if let NoticeKind::Missed(missed) = &mut notice.kind {
            missed.settle();
        }
        self.publish_state(&inner);
        Next::Taken(notice)
    }

    fn publish_state(&self, inner: &Inner) {
        let (count, kept) = (inner.len(), inner.queues[KEPT].len());
        self.count.store(count, Ordering::Release);
        let blocked = kept >= inner.limits.count || inner.bytes() >= inner.limits.bytes;
        self.blocked.store(inner.held || blocked && count == kept, Ordering::Release);
    }

    /// Publishes whose end will never be polled, since the last call. They are noted from the first call on.
    pub fn take_untold(&self) -> Vec<Token> {
        self.inner.lock().take_untold()
    }

    /// As `take_untold`. `None` if the queue was locked until the deadline.
    pub fn take_untold_until(&self, deadline: Instant) -> Option<Vec<Token>> {
        self.inner.try_lock_until(deadline).map(|mut inner| inner.take_untold())
    }

    /// Takes all Application Messages out, whatever their QoS. `None` if the queue was locked until the deadline.
    pub fn take_messages_until(&self, deadline: Instant) -> Option<Vec<Notice>> {
        let mut inner = self.inner.try_lock_until(deadline)?;
        let is_message = |queued: &Queued| matches!(queued.notice.kind, NoticeKind::Session(Event::Message { .. }));
        let mut taken = Vec::new();
        for place in [KEPT, GOES_LAST, GOES_FIRST] {
            let (messages, others): (VecDeque<Queued>, VecDeque<Queued>) =
                std::mem::take(&mut inner.queues[place]).into_iter().partition(is_message);
            inner.queues[place] = others;
            inner.bytes[place] -= messages.iter().map(|queued| size(&queued.notice.kind)).sum::<usize>();
            taken.extend(messages);
        }
        taken.sort_by_key(|queued| queued.number);
        self.publish_state(&inner);
        Some(taken.into_iter().map(|queued| queued.notice).collect())
    }

    /// Counts events as dropped that never came in. False if the queue was locked until the deadline.
    pub fn count_drops_until(&self, count: u64, deadline: Instant) -> bool {
        let counted = self.inner.try_lock_until(deadline).map(|mut inner| inner.count_drops(count));
        counted.is_some()
    }

    /// False if the queue is locked until the deadline.
    pub fn is_free_until(&self, deadline: Instant) -> bool {
        self.inner.try_lock_until(deadline).is_some()
    }

    /// Makes the queue count as blocked, whatever is in it, or not any more.
    pub fn hold(&self, held: bool) {
        let mut inner = self.inner.lock();
        inner.held = held;
        self.publish_state(&inner);
    }

    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether messages that can't be dropped fill the queue.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Acquire)
    }

    pub fn bytes(&self) -> usize {
        self.inner.lock().bytes()
    }

    /// Events dropped since the client was made.
    pub fn dropped(&self) -> u64 {
        self.inner.lock().dropped_ever
    }

    /// Waits until there is an event, at most until the deadline. Ends at once when the queue is closed. For those who can't
    /// sleep in a poll: they look again and again.
    pub fn wait_until(&self, deadline: Instant) {
        look_until(deadline, Pause::long(), || self.is_over_or_filled().then_some(()));
    }

    /// Whether nobody has to wait: there is an event, or there will never be one again.
    pub fn is_over_or_filled(&self) -> bool {
        !self.is_empty() || self.closed.load(Ordering::Acquire)
    }

    /// How to wake a caller that sleeps in a poll and not here. Fails if that is known already.
    pub fn set_leader_waker(&self, waker: Arc<Waker>) -> Result<(), Arc<Waker>> {
        self.leader.set(waker)
    }

    /// To be called before the leader sleeps: from now on the next event wakes it. False if it needn't sleep at all.
    pub fn leader_falls_asleep(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.leader_sleeps = inner.is_empty() && !self.closed.load(Ordering::Acquire);
        inner.leader_sleeps
    }

    pub fn leader_woke_up(&self) {
        self.inner.lock().leader_sleeps = false;
    }

    /// Wakes the leader, or keeps it from falling asleep once.
    pub fn wake_leader(&self) {
        if let Some(waker) = self.leader.get() {
            // It fails only when the poll is gone, and with it the leader.
            let _ = waker.wake();
        }
    }

    /// Locks the queue for good.
    pub fn leave_locked(&self) {
        self.inner.leave_locked();
    }

    /// Ends the waits of everybody, for good. False if the queue was locked until the deadline.
    pub fn close(&self, deadline: Instant) -> bool {
        self.closed.store(true, Ordering::Release);
        // The lock orders this with a leader between its look and its sleep, whose waker may be new.
        let locked = self.inner.try_lock_until(deadline).is_some();
        self.wake_leader();
        locked
    }
}

impl Inner {
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    /// Whether there is no room for an event, whatever is dropped for it.
    fn has_no_room_for(&self, place: usize, size: usize) -> bool {
        // An event displaces what goes before it and, unless the newest is to stay out, what is older and of its own kind.
        let staying = 0..place + usize::from(self.limits.drop_newest);
        let count: usize = self.queues[staying.clone()].iter().map(VecDeque::len).sum();
        count + 1 > self.limits.count || self.bytes[staying].iter().sum::<usize>() + size > self.limits.bytes
    }

    fn is_over_full(&self) -> bool {
        self.len() > self.limits.count || self.bytes() > self.limits.bytes
    }

    /// Drops what goes first. False if nothing can be dropped.
    fn drop_one(&mut self) -> bool {
        for place in [GOES_FIRST, GOES_LAST] {
            let queue = &mut self.queues[place];
            let dropped = if self.limits.drop_newest { queue.pop_back() } else { queue.pop_front() };
            if let Some(Queued { notice, .. }) = dropped {
                self.bytes[place] -= size(&notice.kind);
                self.leave_untold(&notice.kind);
                self.count_drop();
                return true;
            }
        }
        false
    }

    fn is_half_full(&self) -> bool {
        self.len() >= self.limits.count.div_ceil(2) || self.bytes() >= self.limits.bytes / 2
    }

    fn leave_untold(&mut self, kind: &NoticeKind) {
        if let (Some(untold), NoticeKind::Session(Event::Published { token, .. })) = (&mut self.untold, kind) {
            untold.push(*token);
        }
    }

    fn take_untold(&mut self) -> Vec<Token> {
        self.untold.replace(Vec::new()).unwrap_or_default()
    }

    fn count_drop(&mut self) {
        self.count_drops(1);
    }

    fn count_drops(&mut self, count: u64) {
        self.dropped_since += count;
        self.dropped_ever += count;
    }
}

// What lies in a queue displaces what lies in those behind it.

/// QoS 1 and 2 messages, and the library's own failure.
const KEPT: usize = 0;
const GOES_LAST: usize = 1;
const GOES_FIRST: usize = 2;

/// In which of the queues an event lies.
fn place(kind: &NoticeKind) -> usize {
    match kind {
        kind if is_kept(kind) => KEPT,
        kind if goes_first(kind) => GOES_FIRST,
        _ => GOES_LAST,
    }
}

/// What an event counts for: its own size, and what it holds beside it.
fn size(kind: &NoticeKind) -> usize {
    size_of::<Queued>() + held_bytes(kind)
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;

#[cfg(test)]
mod closing_tests {
    use super::*;

    #[test]
    fn waiting_ends_when_the_queue_is_closed() {
        let queue =
            Arc::new(EventQueue::new(EventLimits { count: 2, bytes: 1000, drop_newest: false, successes: true }));
        let waiting = queue.clone();
        let thread = std::thread::spawn(move || waiting.wait_until(clock::now() + std::time::Duration::from_secs(60)));
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(!thread.is_finished());
        assert!(queue.close(clock::now() + std::time::Duration::from_secs(60)));
        thread.join().unwrap();
    }
}
