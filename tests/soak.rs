//! A hundred clients for a long time in a short one: connect and disconnect storms, traffic, a Server that is killed and
//! comes back, clients that are freed in any state. Threads, descriptors and memory of the process stay what they were.
//!
//! Alone in its process, which it measures. MT5MQTT_SOAK_SECONDS sets another time than that of a quick look.
#![cfg(target_os = "linux")]

mod common;

use common::abi::{Event, abi, utf8};
use common::mosquitto::Mosquitto;
use common::tools::leave_out;
use mt5mqtt::ffi::constants::*;
use std::fs;
use std::time::{Duration, Instant};

const CLIENTS: usize = 100;
/// The longest that a round's step may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// Rounds until every cache and arena has its size.
const WARM_UP: usize = 3;
/// Memory that the allocator may keep back, more or less of it from round to round.
const SLACK_KIB: usize = 4 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Footprint {
    threads: usize,
    descriptors: usize,
    memory_kib: usize,
}

fn footprint() -> Footprint {
    let count = |folder: &str| fs::read_dir(folder).expect("an entry of /proc").count();
    let status = fs::read_to_string("/proc/self/status").expect("the state of this process");
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    Footprint {
        threads: count("/proc/self/task"),
        descriptors: count("/proc/self/fd"),
        memory_kib: memory.and_then(|kib| kib.trim().parse().ok()).expect("VmRSS"),
    }
}

/// One client of the crowd, and what has happened to it.
struct Client {
    handle: i64,
    connected: bool,
    subscribed: bool,
    published: usize,
    received: usize,
}

impl Client {
    fn new(url: &str, number: usize) -> Self {
        let handle = abi().good(abi().create());
        abi().good(abi().set_text(handle, MT5MQTT_OPT_URL, utf8(url).as_ptr()));
        abi().good(abi().set_text(handle, MT5MQTT_OPT_CLIENT_ID, utf8(&format!("soak-{number}")).as_ptr()));
        for (option, value) in [(MT5MQTT_OPT_RECONNECT_MIN_MS, 1), (MT5MQTT_OPT_RECONNECT_MAX_MS, 50)] {
            abi().good(abi().set_int(handle, option, value));
        }
        abi().good(abi().connect(handle));
        let topic = utf8(&format!("soak/{number}"));
        abi().good(abi().subscribe(handle, topic.as_ptr(), 1, 0));
        Client { handle, connected: false, subscribed: false, published: 0, received: 0 }
    }

    fn publish(&self, number: usize) {
        let topic = utf8(&format!("soak/{number}"));
        let payload = [number as u8; 200];
        abi().good(abi().publish(self.handle, topic.as_ptr(), payload.as_ptr(), 200, 1, 0, 0));
    }

    /// Takes all events that are there.
    fn take(&mut self) {
        let mut event = Event::empty();
        while abi().good(abi().poll(self.handle, &mut event)) == 1 {
            match event.kind {
                MT5MQTT_EVENT_CONNECTED => self.connected = true,
                MT5MQTT_EVENT_DISCONNECTED => self.connected = false,
                MT5MQTT_EVENT_SUBSCRIBED => self.subscribed = event.status == 0,
                MT5MQTT_EVENT_PUBLISHED => self.published += usize::from(event.status == 0),
                MT5MQTT_EVENT_MESSAGE => self.received += 1,
                other => panic!("event {other}"),
            }
            event = Event::empty();
        }
    }
}

fn until(clients: &mut [Client], what: &str, holds: impl Fn(&Client) -> bool) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        clients.iter_mut().for_each(Client::take);
        let missing = clients.iter().filter(|client| !holds(client)).count();
        if missing == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{missing} of {} clients did not get to: {what}", clients.len());
        // Whichever is waited for, the time is short.
        abi().wait(clients[0].handle, 5);
    }
}

fn round(server: &mut Mosquitto) {
    let url = server.url();
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| Client::new(&url, number)).collect();
    until(&mut clients, "connected and subscribed", |client| client.connected && client.subscribed);
    for (number, client) in clients.iter().enumerate() {
        (0..3).for_each(|_| client.publish(number));
    }
    until(&mut clients, "everything sent and received", |client| client.published == 3 && client.received >= 3);

    // A storm: half of them leave and come back, without waiting for anything.
    let (leaving, _) = clients.split_at_mut(CLIENTS / 2);
    for client in leaving.iter() {
        abi().good(abi().disconnect(client.handle, 0, 0, 0));
    }
    until(leaving, "idle", |client| abi().state(client.handle) == MT5MQTT_STATE_IDLE && !client.connected);
    for client in leaving.iter() {
        abi().good(abi().connect(client.handle));
    }
    until(&mut clients, "connected again", |client| client.connected);

    // All lose their Server, publish meanwhile, and get the same port back.
    server.kill();
    until(&mut clients, "told of the loss", |client| !client.connected);
    for (number, client) in clients.iter().enumerate() {
        client.publish(number);
    }
    server.restart();
    until(&mut clients, "connected, and the queue sent", |client| client.connected && client.published >= 4);

    for (number, client) in clients.into_iter().enumerate() {
        // Freed as they are: connected, disconnecting, idle.
        if number % 3 == 0 {
            abi().disconnect(client.handle, 0, 0, 0);
        }
        assert_eq!(abi().free(client.handle), 0);
    }
}

#[test]
fn a_hundred_clients_come_and_go_and_leave_nothing_behind() {
    let Some(mut server) = Mosquitto::start() else {
        return leave_out("the soak test", "mosquitto");
    };
    let seconds = std::env::var("MT5MQTT_SOAK_SECONDS").map_or(10, |seconds| seconds.parse().expect("seconds"));
    let before = footprint();
    for _ in 0..WARM_UP {
        round(&mut server);
    }
    let warm = footprint();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut rounds = 0;
    while rounds < WARM_UP || Instant::now() < end {
        round(&mut server);
        rounds += 1;
        // A thread that was told to end may need a moment for it.
        let deadline = Instant::now() + DEADLINE;
        while footprint().threads > before.threads {
            assert!(Instant::now() < deadline, "round {rounds}: {:?} at the start, {:?} now", before, footprint());
            std::thread::yield_now();
        }
        let now = footprint();
        assert_eq!(now.descriptors, before.descriptors, "round {rounds}: {before:?} at the start, {now:?} now");
        assert!(now.memory_kib <= warm.memory_kib + SLACK_KIB, "round {rounds}: {warm:?} when warm, {now:?} now");
    }
    eprintln!("{rounds} rounds: {before:?} at the start, {warm:?} when warm, {:?} at the end", footprint());
}
