//! The peers behind one interface.

mod c_libraries;
pub mod ours;
pub mod raw;
mod rumqtt;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything that works takes.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a program leaves a queue alone that was full, or that it waits for: looking must cost nothing beside what is
/// measured. A full queue lasts for longer.
pub const SELDOM: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    Raw,
    Ours,
    Mosquitto,
    Paho,
    Rumqttc,
}

impl Peer {
    pub const ALL: [Peer; 5] = [Peer::Raw, Peer::Ours, Peer::Mosquitto, Peer::Paho, Peer::Rumqttc];

    pub fn name(self) -> &'static str {
        match self {
            Peer::Raw => "raw TCP",
            Peer::Ours => "mt5mqtt",
            Peer::Mosquitto => "libmosquitto",
            Peer::Paho => "Paho C",
            Peer::Rumqttc => "rumqttc",
        }
    }

    pub fn from_name(name: &str) -> Option<Peer> {
        Peer::ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// How many QoS 1 and 2 messages are on the way at a time: what each was fastest with when this was tried. libmosquitto
    /// and Paho keep them in a list that they search.
    fn best_in_flight(self) -> u16 {
        match self {
            Peer::Mosquitto => 100,
            Peer::Rumqttc => 10_000,
            // Its own default.
            Peer::Ours => 0,
            _ => 65_535,
        }
    }

    /// Connects with MQTT 5 and returns when CONNACK is there. `on_message` is called when a message has reached the
    /// program: inside `receive`, or on the thread of a library that calls back.
    pub fn connect(self, port: u16, id: &str, on_message: OnMessage) -> Box<dyn Connection> {
        self.connect_with(port, id, self.best_in_flight(), on_message)
    }

    /// The same with a number of messages that may be on the way at a time.
    pub fn connect_with(self, port: u16, id: &str, in_flight: u16, on_message: OnMessage) -> Box<dyn Connection> {
        match self {
            Peer::Raw => Box::new(raw::Raw::connect(port, id, on_message)),
            Peer::Ours => Box::new(ours::Ours::connect(port, id, in_flight, on_message)),
            Peer::Mosquitto => c_libraries::connect(&c_libraries::MOSQUITTO, port, id, in_flight, on_message),
            Peer::Paho => c_libraries::connect(&c_libraries::PAHO, port, id, in_flight, on_message),
            Peer::Rumqttc => Box::new(rumqtt::Rumqtt::connect(port, id, in_flight, on_message)),
        }
    }
}

pub type OnMessage = Box<dyn FnMut() + Send>;

pub trait Connection: Send {
    /// Returns when the Server has granted it.
    fn subscribe(&mut self, topic: &str, qos: u8);

    /// Publishes as fast as the peer takes it; a refusal is tried again.
    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8);

    /// Publishes one of many. The peer may gather them.
    fn publish_in_burst(&mut self, topic: &str, payload: &[u8], qos: u8) {
        self.publish(topic, payload, qos);
    }

    /// Returns when all that was published is complete: written (QoS 0), acknowledged, or completed.
    fn finish(&mut self);

    /// Returns when `count` more messages have come.
    fn receive(&mut self, count: u64);

    /// Receives without ever waiting inside the peer. False if the peer has no way to.
    fn receive_polling(&mut self, _count: u64) -> bool {
        false
    }
}

/// Counts what happens on one thread and lets another wait for a number.
#[derive(Default)]
pub struct Count {
    number: AtomicU64,
    target: AtomicU64,
    lock: Mutex<()>,
    reached: Condvar,
}

impl Count {
    pub fn new() -> Arc<Count> {
        let count = Count::default();
        count.target.store(u64::MAX, Ordering::SeqCst);
        Arc::new(count)
    }

    pub fn add(&self) {
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.target.load(Ordering::SeqCst) {
            drop(self.lock.lock().expect("its lock"));
            self.reached.notify_all();
        }
    }

    pub fn now(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    pub fn wait_for(&self, target: u64) {
        self.target.store(target, Ordering::SeqCst);
        let deadline = Instant::now() + TIMEOUT;
        let mut guard = self.lock.lock().expect("its lock");
        while self.now() < target {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {target} after {TIMEOUT:?}", self.now());
            guard = self.reached.wait_timeout(guard, left).expect("its lock").0;
        }
    }
}
