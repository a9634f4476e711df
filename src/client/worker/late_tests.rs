//! A thread may wake up late: the machine or the process was stopped, or the disk was slow. What has come from the
//! Server meanwhile is read before the clock is asked whether the Server has been silent.

use super::*;
use crate::client::Client;
use crate::client::connection::Connection;
use crate::client::first_bytes::FirstBytes;
use crate::client::options::IntOption;
use crate::client::store::{Moment, Store};
use crate::client::transport::scripted::Scripted;
use crate::codec::property::Properties;
use crate::session::record::Batch;
use crate::types::QoS;
use crate::types::status::Failure;
use crate::types::topic::TopicName;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io::{Read, Write};

/// Success, and the Client Identifier "x".
const CONNACK: &[u8] = &[0x20, 7, 0, 0, 4, 0x12, 0, 1, b'x'];
const PINGREQ: &[u8] = &[0xC0, 0];
const PINGRESP: &[u8] = &[0xD0, 0];
/// Nothing, to "t", with QoS 0.
const PUBLISH: &[u8] = &[0x30, 4, 0, 1, b't', 0];

/// What the Server has said, and what was said to it.
#[derive(Default)]
pub(super) struct Line {
    pub said: VecDeque<&'static [u8]>,
    pub heard: Vec<u8>,
}

struct Script(Arc<Mutex<Line>>);

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let next = self.0.lock().said.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        buffer[..next.len()].copy_from_slice(next);
        Ok(next.len())
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().heard.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client whose Server has accepted it, or has the time of a PINGRESP to do so.
pub(super) fn open(accepted: bool) -> (Client, Worker, Arc<Mutex<Line>>) {
    let mut options = Options::default();
    for (id, value) in [(IntOption::KeepAlive, 1), (IntOption::PingTimeout, 100)] {
        options.set_int(id as i32, value, true).expect("an option");
    }
    let timeout = options.milliseconds(IntOption::PingTimeout);
    let client = Client::with_options(options);
    let mut worker = client.make_worker().expect("a poll");
    let line = Arc::new(Mutex::new(Line::default()));
    let now = clock::now();
    let transport = Box::new(Scripted(Script(line.clone())));
    let connection = Connection::new(transport, FIRST_SOCKET, FirstBytes::default());
    client.shared.core.lock().open(now, now + timeout, connection, "");
    worker.phase = Phase::Online { socket: FIRST_SOCKET };
    if accepted {
        line.lock().said.push_back(CONNACK);
        worker.readable = true;
    }
    step(&mut worker);
    assert_eq!(client.shared.core.lock().session.is_online(), accepted);
    (client, worker, line)
}

/// Returns when the thread would come back at the latest.
pub(super) fn step(worker: &mut Worker) -> Instant {
    let until = worker.step(&Options::default).expect("a thread that goes on").until;
    // Callers wake it only for what comes sooner.
    assert_eq!(worker.shared.core.lock().worker_deadline, until);
    until.expect("a timer")
}

fn sleep_until(when: Instant) {
    rest(when.saturating_duration_since(clock::now()));
}

/// A client that has sent PINGREQ, and when it gives the Server up.
fn pinging() -> (Client, Worker, Arc<Mutex<Line>>, Instant) {
    let (client, mut worker, line) = open(true);
    let mut due = step(&mut worker);
    while !line.lock().heard.ends_with(PINGREQ) {
        sleep_until(due);
        due = step(&mut worker);
    }
    (client, worker, line, due)
}

fn assert_stays(client: &Client, line: &Mutex<Line>) {
    let core = client.shared.core.lock();
    assert!(core.session.is_online() && core.connection.transport.is_some(), "the connection was ended");
    assert!(line.lock().said.is_empty(), "the answer was not read");
}

#[test]
fn a_pingresp_that_lies_there_is_in_time() {
    // MQTT-3.12.4-1
    let (client, mut worker, line, due) = pinging();
    line.lock().said.push_back(PINGRESP);
    sleep_until(due);
    // As its poll has told it; or it comes from the disk, and hasn't asked it.
    step(&mut worker);
    assert_stays(&client, &line);
}

#[test]
fn a_pingresp_that_lies_there_for_a_waiting_caller_is_in_time() {
    let (client, mut worker, line, due) = pinging();
    let shared = client.shared.clone();
    assert!(shared.core.lock().take_reading(&shared));
    line.lock().said.push_back(PINGRESP);
    sleep_until(due);
    step(&mut worker);
    assert_stays(&client, &line);
    // Who waits reads at once, unless its host has ended it.
    assert!(!shared.core.lock().is_read_by_leader());
}

/// A client whose thread was ended while it waited in the poll of the socket, and then a message came.
fn waiting_thread_ended() -> (Client, Worker) {
    let (client, mut worker, line) = open(true);
    step(&mut worker);
    assert!(client.poll(|_| ()).expect("a client that lives").is_some() && client.shared.events.is_empty());
    assert!(client.shared.core.lock().take_reading(&client.shared));
    client.leave_locked(crate::client::Locked::Seat);
    line.lock().said.push_back(PUBLISH);
    (client, worker)
}

#[test]
fn another_thread_that_waits_gets_what_came_for_one_that_was_ended() {
    let (client, _worker) = waiting_thread_ended();
    assert!(client.wait(Duration::from_millis(50)).expect("a client that lives"));
    assert!(!client.shared.core.lock().connection.is_led(), "nobody is told of the next message");
}

#[test]
fn another_thread_that_polls_gets_what_came_for_one_that_was_ended() {
    let (client, _worker) = waiting_thread_ended();
    let polls = (0..100).find(|_| client.poll(|_| ()).expect("a client that lives").is_some());
    assert!(polls.is_some() && !client.shared.core.lock().connection.is_led());
}

#[test]
fn a_connack_that_lies_there_is_in_time() {
    let (client, mut worker, line) = open(false);
    let due = step(&mut worker);
    line.lock().said.push_back(CONNACK);
    sleep_until(due);
    step(&mut worker);
    assert_stays(&client, &line);
}

#[test]
fn a_server_that_is_not_read_from_is_not_given_up() {
    let (client, mut worker, line, mut due) = pinging();
    client.shared.events.hold(true);
    line.lock().said.push_back(PINGRESP);
    worker.readable = true;
    for _ in 0..5 {
        step(&mut worker);
        assert!(client.shared.reading_paused.load(Ordering::Acquire));
        sleep_until(due);
        let before = clock::now();
        due = step(&mut worker);
        assert!(due > before + Duration::from_millis(50), "it doesn't look again and again");
    }
    client.shared.events.hold(false);
    step(&mut worker);
    assert_stays(&client, &line);
}

#[test]
fn a_server_that_is_silent_is_given_up() {
    // 5-3.1.2.10-a
    let (client, mut worker, _, due) = pinging();
    sleep_until(due);
    step(&mut worker);
    assert!(client.shared.core.lock().session.wants_close());
}

#[test]
fn a_server_that_is_silent_is_given_up_by_a_program_that_takes_nothing_too() {
    let (client, mut worker, _, due) = pinging();
    client.shared.events.hold(true);
    sleep_until(due);
    step(&mut worker);
    assert!(client.shared.core.lock().session.wants_close());
}

/// A disk on which a program publishes without a pause as long as it writes.
struct Slow {
    client: Arc<Client>,
    line: Arc<Mutex<Line>>,
    /// What had left meanwhile.
    left: Arc<Mutex<Option<usize>>>,
}

const PUBLISHES: usize = 200;

impl Store for Slow {
    fn commit(&mut self, _: &[Batch], _: Moment) -> Result<(), Failure> {
        let topic = TopicName::new("burst").expect("a Topic Name");
        for _ in 0..PUBLISHES {
            self.client.publish(topic, b"", QoS::AtMostOnce, false, Properties::EMPTY).expect("an accepted publish");
        }
        *self.left.lock() = Some(count_publishes(&self.line.lock().heard));
        Ok(())
    }
}

fn count_publishes(heard: &[u8]) -> usize {
    heard.windows(5).filter(|window| window == b"burst").count()
}

#[test]
fn a_burst_does_not_wait_for_the_disk() {
    let (client, mut worker, line) = open(true);
    let (client, left) = (Arc::new(client), Arc::<Mutex<Option<usize>>>::default());
    let disk = Slow { client: client.clone(), line: line.clone(), left: left.clone() };
    worker.keeper = Keeper::with(Box::new(disk));
    client.shared.core.lock().session.restore(Vec::new()).expect("nothing");
    let topic = TopicName::new("t").expect("a Topic Name");
    client.publish(topic, b"", QoS::AtLeastOnce, false, Properties::EMPTY).expect("an accepted publish");
    step(&mut worker);
    // Each leaves with its call, or with the next one.
    let left = left.lock().expect("the disk was written to");
    assert!(left >= PUBLISHES - 1, "{left} of {PUBLISHES} have left");
    assert_eq!(count_publishes(&line.lock().heard), PUBLISHES);
}

/// A disk on which a program that never pauses has published once more whenever it has written. Says after how many times it
/// was read what the Server has said.
struct Restless {
    client: Arc<Client>,
    line: Arc<Mutex<Line>>,
    written: usize,
    read_after: Arc<Mutex<Option<usize>>>,
}

impl Store for Restless {
    fn commit(&mut self, _: &[Batch], _: Moment) -> Result<(), Failure> {
        self.written += 1;
        if self.line.lock().said.is_empty() {
            self.read_after.lock().get_or_insert(self.written);
        }
        if self.written < 100 {
            let topic = TopicName::new("t").expect("a Topic Name");
            self.client.publish(topic, b"", QoS::AtLeastOnce, false, Properties::EMPTY).expect("an accepted publish");
        }
        Ok(())
    }
}

#[test]
fn a_program_that_stores_without_a_pause_does_not_keep_the_client_from_reading() {
    let (client, mut worker, line) = open(true);
    let (client, read_after) = (Arc::new(client), Arc::<Mutex<Option<usize>>>::default());
    let disk = Restless { client: client.clone(), line: line.clone(), written: 0, read_after: read_after.clone() };
    worker.keeper = Keeper::with(Box::new(disk));
    client.shared.core.lock().session.restore(Vec::new()).expect("nothing");
    let topic = TopicName::new("t").expect("a Topic Name");
    client.publish(topic, b"", QoS::AtLeastOnce, false, Properties::EMPTY).expect("an accepted publish");
    line.lock().said.push_back(PINGRESP);
    worker.readable = true;
    while client.shared.core.lock().session.has_records() {
        step(&mut worker);
    }
    assert!(read_after.lock().is_some_and(|count| count <= 2), "{:?}", read_after.lock());
}
