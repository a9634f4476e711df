//! The measures. Each runs in a process of its own, for one peer against one Server, and prints `name value` lines.

use crate::peers::ours::{self, Event, Ours};
use crate::peers::raw::Raw;
use crate::peers::{Connection, Peer};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const TOPIC: &str = "bench/EURUSD";

/// What to measure.
pub struct Order<'a> {
    pub peer: Peer,
    pub port: u16,
    pub measure: &'a str,
    pub qos: u8,
    pub size: usize,
    pub count: usize,
}

pub fn run(order: &Order<'_>) {
    let result: &[(&str, f64)] = match order.measure {
        "latency" => &latency(order, false),
        "latency-polling" => &latency(order, true),
        "publish" => &publish(order),
        "receive" => &receive(order),
        "calls" => &calls(order, "calls"),
        "black-hole" => &calls(order, "hole-1500"),
        "start" => &start(order),
        "start-thread" => &start_thread(order),
        "idle" => &idle(order),
        "in-flight" => &in_flight(order),
        "queued" => &queued(order),
        "poll-empty" => &poll_empty(order),
        "durable" => &durable(order),
        "batch" => &batch(order),
        other => panic!("there is no measure {other}"),
    };
    for (name, value) in result {
        println!("{name} {value}");
    }
}

fn nothing() -> Box<dyn FnMut() + Send> {
    Box::new(|| {})
}

fn clock(id: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the struct is there to be written to.
    unsafe { libc::clock_gettime(id, &mut time) };
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// CPU time of this process, in microseconds.
fn process_cpu() -> f64 {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// CPU time of this thread, in microseconds.
fn thread_cpu() -> f64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The value below which `share` of the sorted values lie.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// One message at a time, from the call of publish until the program on a second connection has it. The receiver is
/// waiting already when it is published.
fn latency(order: &Order<'_>, polling: bool) -> [(&'static str, f64); 2] {
    let begin = Instant::now();
    let arrived = Arc::new(AtomicU64::new(0));
    let main = thread::current();
    let at = arrived.clone();
    let on_message = Box::new(move || {
        at.store(begin.elapsed().as_nanos() as u64, Ordering::SeqCst);
        main.unpark();
    });
    let mut receiver = order.peer.connect(order.port, "receiver", on_message);
    receiver.subscribe(TOPIC, order.qos);
    let mut sender = order.peer.connect(order.port, "sender", nothing());
    let count = order.count;
    let receiving = thread::spawn(move || {
        if polling {
            assert!(receiver.receive_polling(count as u64), "this peer can't poll");
        } else {
            receiver.receive(count as u64);
        }
    });
    let payload = vec![b'x'; order.size];
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        // The receiver gets back into its wait.
        let pause = Instant::now();
        while pause.elapsed() < Duration::from_micros(40) {
            std::hint::spin_loop();
        }
        arrived.store(0, Ordering::SeqCst);
        let sent = begin.elapsed().as_nanos() as u64;
        sender.publish(TOPIC, &payload, order.qos);
        loop {
            let at = arrived.load(Ordering::SeqCst);
            if at > 0 {
                times.push((at - sent) as f64 / 1e3);
                break;
            }
            thread::park_timeout(Duration::from_secs(5));
        }
        sender.finish();
    }
    receiving.join().expect("the receiver");
    // The first ones warm caches and buffers up.
    let mut times = times.split_off(count / 10);
    times.sort_by(f64::total_cmp);
    [("median", quantile(&times, 0.5)), ("p99", quantile(&times, 0.99))]
}

/// As many publishes as the peer takes, until all are complete and the Server has seen the last.
fn publish(order: &Order<'_>) -> [(&'static str, f64); 2] {
    let mut sender = order.peer.connect(order.port, "sender", nothing());
    let payload = vec![b'x'; order.size];
    let mut burst = |count: usize| {
        let (begin, cpu) = (Instant::now(), process_cpu());
        for _ in 0..count {
            sender.publish_in_burst(TOPIC, &payload, order.qos);
        }
        sender.finish();
        let cpu = process_cpu() - cpu;
        // The Server has taken everything before it.
        sender.publish(TOPIC, &payload, 1);
        sender.finish();
        (begin.elapsed().as_secs_f64(), cpu)
    };
    burst(order.count / 10);
    let (seconds, cpu) = burst(order.count);
    [("cpu", cpu / order.count as f64), ("rate", order.count as f64 / seconds)]
}

/// Messages that come as fast as the program takes them, a few hundred in each piece of the stream.
fn receive(order: &Order<'_>) -> [(&'static str, f64); 2] {
    const TOGETHER: usize = 500;
    let mut receiver = order.peer.connect(order.port, "receiver", nothing());
    receiver.subscribe(TOPIC, order.qos);
    let (ask, asked) = std::sync::mpsc::channel::<()>();
    let (port, size, qos) = (order.port, order.size, order.qos);
    let sending = thread::spawn(move || {
        let mut sender = Peer::Raw.connect(port, "sender", nothing());
        let payload = vec![b'x'; size];
        let mut cpu = 0.0;
        while asked.recv().is_ok() {
            let before = thread_cpu();
            for _ in 0..TOGETHER {
                sender.publish(TOPIC, &payload, qos);
            }
            sender.finish();
            cpu += thread_cpu() - before;
        }
        cpu
    });
    let mut round = || {
        ask.send(()).expect("the sender");
        receiver.receive(TOGETHER as u64);
    };
    for _ in 0..10 {
        round();
    }
    let rounds = order.count / TOGETHER;
    let (begin, cpu) = (Instant::now(), process_cpu());
    for _ in 0..rounds {
        round();
    }
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), process_cpu() - cpu);
    drop(ask);
    let sender_cpu = sending.join().expect("the sender") * rounds as f64 / (rounds + 10) as f64;
    let count = (rounds * TOGETHER) as f64;
    [("cpu", (cpu - sender_cpu) / count), ("rate", count / seconds)]
}

/// How long single calls of publish take, while the line is saturated or the Server doesn't read. All are completed in
/// the end.
fn calls(order: &Order<'_>, id: &str) -> [(&'static str, f64); 2] {
    let mut sender = order.peer.connect(order.port, id, nothing());
    let payload = vec![b'x'; order.size];
    let mut times = Vec::with_capacity(order.count);
    for _ in 0..order.count {
        let begin = Instant::now();
        sender.publish(TOPIC, &payload, order.qos);
        times.push(begin.elapsed().as_nanos() as f64 / 1e3);
    }
    sender.finish();
    times.sort_by(f64::total_cmp);
    [("p999", quantile(&times, 0.999)), ("worst", quantile(&times, 1.0))]
}

/// From making a client to its CONNACK.
fn start(order: &Order<'_>) -> [(&'static str, f64); 1] {
    starts(order.count, |id| order.peer.connect(order.port, id, nothing()), drop)
}

/// The same for raw TCP that starts a thread: what a client with a thread can't be below.
fn start_thread(order: &Order<'_>) -> [(&'static str, f64); 1] {
    let connect = |id: &str| Raw::connect_and_start_a_thread(order.port, id, nothing());
    starts(order.count, connect, |(_, thread)| thread.join().expect("nothing"))
}

fn starts<C>(count: usize, connect: impl Fn(&str) -> C, end: impl Fn(C)) -> [(&'static str, f64); 1] {
    let mut times = Vec::new();
    for number in 0..count {
        let begin = Instant::now();
        let client = connect(&format!("start-{number}"));
        times.push(begin.elapsed().as_nanos() as f64 / 1e3);
        end(client);
    }
    times.sort_by(f64::total_cmp);
    [("median", quantile(&times, 0.5))]
}

/// What this process keeps in memory, in KiB.
fn resident() -> f64 {
    let smaps = std::fs::read_to_string("/proc/self/smaps_rollup").expect("smaps_rollup");
    let line = smaps.lines().find(|line| line.starts_with("Private_Dirty:")).expect("Private_Dirty");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Memory of many idle clients, and what a publish costs when they take turns.
fn idle(order: &Order<'_>) -> [(&'static str, f64); 2] {
    // What the first client loads isn't the price of a client.
    let first = order.peer.connect(order.port, "first", nothing());
    let before = resident();
    let mut clients: Vec<_> =
        (0..order.count).map(|number| order.peer.connect(order.port, &format!("idle-{number}"), nothing())).collect();
    let memory = (resident() - before) / order.count as f64;
    const EACH: usize = 250;
    let payload = vec![b'x'; order.size];
    let cpu = process_cpu();
    for _ in 0..EACH {
        for client in &mut clients {
            client.publish(TOPIC, &payload, 0);
        }
    }
    clients.iter_mut().for_each(|client| client.finish());
    let cpu = (process_cpu() - cpu) / (EACH * order.count) as f64;
    drop(first);
    [("memory", memory), ("cpu", cpu)]
}

/// CPU per QoS 1 publish when `count` are in flight together and are answered the last first.
fn in_flight(order: &Order<'_>) -> [(&'static str, f64); 1] {
    let mut sender = order.peer.connect_with(order.port, &format!("reverse-{}", order.count), 65_500, nothing());
    let payload = vec![b'x'; order.size];
    let rounds = (60_000 / order.count).max(1);
    let cpu = process_cpu();
    for _ in 0..rounds {
        for _ in 0..order.count {
            sender.publish(TOPIC, &payload, 1);
        }
        sender.finish();
    }
    [("cpu", (process_cpu() - cpu) / (rounds * order.count) as f64)]
}

/// CPU per publish of the last tenth, when `count` wait for a connection.
fn queued(order: &Order<'_>) -> [(&'static str, f64); 1] {
    assert_eq!(order.peer, Peer::Ours);
    let mut sender = Ours::create("queued", nothing());
    sender.allow_outgoing(order.count as i64);
    let payload = vec![b'x'; order.size];
    for _ in 0..order.count - order.count / 10 {
        sender.publish(TOPIC, &payload, 1);
    }
    let cpu = process_cpu();
    for _ in 0..order.count / 10 {
        sender.publish(TOPIC, &payload, 1);
    }
    [("cpu", (process_cpu() - cpu) / (order.count / 10) as f64)]
}

/// Nanoseconds of a poll that finds nothing.
fn poll_empty(order: &Order<'_>) -> [(&'static str, f64); 1] {
    assert_eq!(order.peer, Peer::Ours);
    let client = Ours::connect(order.port, "polling", 0, nothing());
    let mut event = Event { struct_size: size_of::<Event>() as i32, ..Event::default() };
    let (api, handle) = (ours::api(), client.handle());
    let begin = Instant::now();
    for _ in 0..order.count {
        // SAFETY: the event has its size.
        assert_eq!(black_box(unsafe { (api.poll)(handle, &mut event) }), 0);
    }
    [("ns", begin.elapsed().as_nanos() as f64 / order.count as f64)]
}

/// QoS 1 publishes that are durable, per second: many together, which share their syncs, against one after the other. There
/// is no Server, so that each has to be stored.
fn durable(order: &Order<'_>) -> [(&'static str, f64); 3] {
    assert_eq!(order.peer, Peer::Ours);
    const ALONE: usize = 100;
    let folder = std::env::temp_dir().join(format!("mt5mqtt-benches-store-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut sender = Ours::with_store(&folder);
    sender.allow_outgoing(order.count as i64 + 1000);
    let payload = vec![b'x'; order.size];
    let mut rate = |count: usize, together: usize| {
        let begin = Instant::now();
        for _ in 0..count / together {
            (0..together).for_each(|_| sender.publish(TOPIC, &payload, 1));
            sender.until_durable(together);
        }
        count as f64 / begin.elapsed().as_secs_f64()
    };
    rate(10, 1);
    let (alone, together) = (rate(ALONE, 1), rate(order.count, order.count));
    drop(sender);
    let _ = std::fs::remove_dir_all(folder);
    [("alone", alone), ("together", together), ("ratio", together / alone)]
}

/// CPU per QoS 0 publish when a hundred cross the ABI in one call.
fn batch(order: &Order<'_>) -> [(&'static str, f64); 1] {
    assert_eq!(order.peer, Peer::Ours);
    const TOGETHER: usize = 100;
    let mut sender = Ours::connect(order.port, "batches", 2_000, nothing());
    let payload = vec![b'x'; order.size];
    let mut burst = |count: usize| {
        let cpu = process_cpu();
        (0..count / TOGETHER).for_each(|_| sender.publish_batch(TOPIC, &payload, TOGETHER));
        sender.finish();
        process_cpu() - cpu
    };
    burst(order.count / 10);
    [("cpu", burst(order.count) / order.count as f64)]
}
