//! Commands that callers have left because the core's lock was taken, in the order in which they came. It is a queue
//! of our own because it keeps its room: to leave a command and to carry it out allocates nothing.
//!
//! Patient commands are publishes that can only wait while the socket takes no more. They keep their place among the others, but
//! nobody is woken for them, and they stay here until there is room or something behind them is urgent.

use super::clock;
use super::command::Command;
use super::lock::{LeftLocked, Lock};
use super::packed::Packed;
use crate::codec::publish::Publish;
use crate::session::event::Token;
use parking_lot::MutexGuard;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Room for so many is kept. More come together only while the core is taken for long.
const ROOM_KEPT: usize = 256;
/// Longer than who has the lock keeps it, even if the system lets him wait.
const LEFT_LOCKED: Duration = Duration::from_millis(50);
/// So many used buffers are kept.
const SPARE: usize = 8;
/// Whoever has the core looks at what was left after some microseconds, or as soon as it gets the processor again.
const SUSPICIOUS_US: i64 = 1_000_000;

/// Its lock is never held across a system call.
#[derive(Default)]
pub(super) struct CommandQueue {
    queue: Lock<Left>,
    /// How many somebody has to look at, to be read without the lock.
    count: AtomicUsize,
    /// When the first was left, by the monotonic clock; or when it was found later that they have waited for long.
    since_us: AtomicI64,
    /// Patient commands may be left to who comes by itself when the socket takes more. It changes under the lock: who leaves
    /// something finds it as it was before or after that.
    may_wait: AtomicBool,
}

#[derive(Default)]
struct Left {
    commands: VecDeque<Command>,
    /// Up to the last one that is not patient.
    urgent: usize,
    /// Buffers that were used, so that a backlog which comes and goes costs no allocation.
    spare: Vec<Packed>,
}

/// What becomes of a patient command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patient {
    /// Nobody will come by himself who carries it out, or it is too large.
    Refused,
    Waits,
    /// As others have for long: whoever was to come may have been ended.
    WaitsForLong,
}

/// How many of the first commands are about `most`, with each publish counted.
fn first(commands: &VecDeque<Command>, most: usize) -> usize {
    let mut count = 0;
    let mut is_below = |command: &Command| {
        let is_below = count < most;
        count += if let Command::Publishes(packed) = command { packed.count() } else { 1 };
        is_below
    };
    commands.iter().take_while(|command| is_below(command)).count()
}

/// What was taken out.
pub(super) struct Taken {
    /// None are left.
    pub are_all: bool,
    /// None of them is urgent.
    pub are_patient: bool,
}

impl CommandQueue {
    pub fn push(&self, command: Command) {
        self.add(self.queue.lock(), command);
    }

    /// False if the queue was locked until the deadline.
    pub fn push_until(&self, command: Command, deadline: Instant) -> bool {
        self.queue.try_lock_until(deadline).map(|queue| self.add(queue, command)).is_some()
    }

    fn add(&self, mut queue: MutexGuard<'_, Left>, command: Command) {
        queue.commands.push_back(command);
        queue.urgent = queue.commands.len();
        self.tell_count(&queue);
    }

    /// Leaves a publish that waits for the socket.
    pub fn push_patient(&self, token: Token, publish: &Publish<'_>) -> Patient {
        if !Packed::fits(publish) {
            return Patient::Refused;
        }
        let mut queue = self.queue.lock();
        if !self.may_wait() {
            return Patient::Refused;
        }
        if let Some(Command::Publishes(packed)) = queue.commands.back_mut()
            && packed.add(token, publish)
        {
            return Patient::Waits;
        }
        let now_us = clock::monotonic_us();
        let is_first = queue.commands.is_empty();
        let waits_for_long = !is_first && now_us - self.since_us.load(Ordering::Relaxed) > SUSPICIOUS_US;
        if is_first || waits_for_long {
            self.since_us.store(now_us, Ordering::Relaxed);
        }
        let mut packed = queue.spare.pop().unwrap_or_else(Packed::new);
        packed.add(token, publish);
        queue.commands.push_back(Command::Publishes(packed));
        if waits_for_long { Patient::WaitsForLong } else { Patient::Waits }
    }

    /// Takes a buffer back that is empty again.
    pub fn give_back(&self, packed: Packed) {
        let mut queue = self.queue.lock();
        if queue.spare.len() < SPARE {
            queue.spare.push(packed);
        }
    }

    pub fn may_wait(&self) -> bool {
        self.may_wait.load(Ordering::Relaxed)
    }

    /// For who has the core, and looks at the queue after that.
    pub fn let_wait(&self, may_wait: bool) {
        if self.may_wait() == may_wait {
            return;
        }
        let queue = if may_wait {
            let queue = self.queue.try_lock().or_else(|| self.queue.try_lock_until(clock::now() + LEFT_LOCKED));
            // Perhaps a thread was ended that had it: then nobody leaves anything any more.
            let Some(queue) = queue else { return };
            queue
        } else {
            self.queue.lock()
        };
        self.may_wait.store(may_wait, Ordering::Relaxed);
        self.tell_count(&queue);
    }

    /// Takes the first ones, at most `most`, into `taken`, which is empty; with `leaves_patient` none if all are patient. All under
    /// one lock: programs that publish without a pause leave it few free moments.
    pub fn take(&self, most: usize, leaves_patient: bool, taken: &mut VecDeque<Command>) -> Taken {
        if self.is_empty() && !self.may_wait() {
            return Taken { are_all: true, are_patient: true };
        }
        let mut queue = self.queue.lock();
        let are_patient = queue.urgent == 0;
        let count = if leaves_patient && are_patient { 0 } else { first(&queue.commands, most) };
        if count == queue.commands.len() && queue.commands.capacity() <= ROOM_KEPT {
            std::mem::swap(&mut queue.commands, taken);
        } else {
            taken.extend(queue.commands.drain(..count));
        }
        self.took(count, &mut queue);
        Taken { are_all: queue.commands.is_empty(), are_patient }
    }

    /// Puts patient commands back that were taken last.
    pub fn put_back(&self, taken: &mut VecDeque<Command>) {
        let mut queue = self.queue.lock();
        if queue.urgent > 0 {
            queue.urgent += taken.len();
        }
        while let Some(command) = taken.pop_back() {
            queue.commands.push_front(command);
        }
        self.tell_count(&queue);
    }

    /// Takes the first one. `Err` if the queue was locked until the deadline.
    pub fn pop_until(&self, deadline: Instant) -> Result<Option<Command>, LeftLocked> {
        if self.is_empty() && !self.may_wait() {
            return Ok(None);
        }
        let mut queue = self.queue.try_lock_until(deadline).ok_or(LeftLocked)?;
        let command = queue.commands.pop_front();
        self.took(1, &mut queue);
        Ok(command)
    }

    fn took(&self, count: usize, queue: &mut Left) {
        queue.urgent = queue.urgent.saturating_sub(count);
        self.tell_count(queue);
        if queue.commands.is_empty() && queue.commands.capacity() > ROOM_KEPT {
            queue.commands = VecDeque::with_capacity(ROOM_KEPT);
        }
    }

    fn tell_count(&self, queue: &Left) {
        let count = if self.may_wait() { queue.urgent } else { queue.commands.len() };
        if count > 0 && queue.commands.len() == 1 {
            self.since_us.store(clock::monotonic_us(), Ordering::Relaxed);
        }
        self.count.store(count, Ordering::Release);
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

    /// How many somebody has to look at.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::property::Properties;
    use crate::types::QoS;
    use crate::types::topic::TopicName;

    /// A publish of QoS 0 with so many bytes of payload.
    fn publish(payload: &[u8]) -> Publish<'_> {
        let topic = Some(TopicName::new("t").expect("a Topic Name"));
        let qos = QoS::AtMostOnce;
        Publish { dup: false, qos, retain: false, topic, packet_id: None, properties: Properties::EMPTY, payload }
    }

    /// Carries out what is taken, as who has the core does: at most `room` publishes that wait.
    fn carry_out(queue: &CommandQueue, leaves_patient: bool, mut room: usize, done: &mut Vec<Token>) -> bool {
        let mut taken = VecDeque::new();
        let Taken { are_all, are_patient } = queue.take(3, leaves_patient, &mut taken);
        while let Some(command) = taken.pop_front() {
            let mut packed = match command {
                Command::Cancel { token } => {
                    done.push(token);
                    continue;
                }
                Command::Publishes(packed) => packed,
                _ => panic!("nothing else was left"),
            };
            while let Some((token, publish)) = packed.first() {
                if are_patient && room == 0 {
                    taken.push_front(Command::Publishes(packed));
                    queue.put_back(&mut taken);
                    return false;
                }
                room = room.saturating_sub(1);
                done.push(token);
                let size = publish.size();
                packed.drop_first(size);
            }
            queue.give_back(packed);
        }
        are_all
    }

    #[test]
    fn all_is_carried_out_once_and_in_order_however_it_was_left_and_taken() {
        let queue = CommandQueue::default();
        let (mut next, mut done) = (1, Vec::new());
        // Each digit of the round is a choice.
        for round in 0..4000 {
            let digit = |place: usize, of: usize| round / place % of;
            queue.let_wait(digit(1, 3) > 0);
            for step in 0..digit(3, 4) {
                let payload = vec![0; digit(7, 2) * 1500];
                if (digit(5, 2) == 0 && step == 1) || queue.push_patient(next, &publish(&payload)) == Patient::Refused {
                    queue.push(Command::Cancel { token: next });
                    assert!(!queue.is_empty(), "what is urgent is looked at");
                }
                next += 1;
            }
            let leaves_patient = digit(11, 2) == 0;
            let has_urgent = queue.queue.lock().urgent > 0;
            let before = done.len();
            let are_all = carry_out(&queue, leaves_patient, digit(13, 5), &mut done);
            assert_eq!(are_all, queue.queue.lock().commands.is_empty());
            assert!(has_urgent || !leaves_patient || done.len() == before, "what is patient was taken");
            let Left { commands, urgent, .. } = &*queue.queue.lock();
            let looked_at = if queue.may_wait() { *urgent } else { commands.len() };
            assert_eq!(queue.len(), looked_at);
            assert!(commands.iter().skip(*urgent).all(|command| matches!(command, Command::Publishes(_))));
        }
        queue.let_wait(false);
        while !carry_out(&queue, false, usize::MAX, &mut done) {}
        assert!(done.into_iter().eq(1..next) && next > 1000);
        assert!(queue.queue.lock().spare.len() <= SPARE);
    }

    #[test]
    fn what_waits_for_long_is_told_of_once_in_a_while() {
        let queue = CommandQueue::default();
        queue.let_wait(true);
        let payload = [0; 3000];
        let push = || queue.push_patient(1, &publish(&payload));
        assert_eq!((push(), push()), (Patient::Waits, Patient::Waits));
        queue.since_us.fetch_sub(2 * SUSPICIOUS_US, Ordering::Relaxed);
        assert_eq!((push(), push()), (Patient::WaitsForLong, Patient::Waits));
        assert_eq!(queue.push_patient(1, &publish(&[0; 8000])), Patient::Refused, "it is too large");
    }
}
