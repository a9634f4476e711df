//! What is measured, in the order of the table.

use crate::peers::Peer;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Mosquitto,
    Minimal,
}

impl Place {
    pub fn name(self) -> &'static str {
        match self {
            Place::Mosquitto => "Mosquitto",
            Place::Minimal => "minimal Server",
        }
    }
}

/// What to hold our figure against.
#[derive(Clone, Copy)]
pub enum Against {
    Nothing,
    Raw,
    Libmosquitto,
    /// The best of the other clients.
    Best,
}

/// One kind of run, and what comes out of it.
pub struct Row {
    pub measure: &'static str,
    pub place: Place,
    pub qos: u8,
    pub size: usize,
    pub count: usize,
    pub peers: &'static [Peer],
    pub results: &'static [Figure],
}

pub struct Figure {
    /// As the measure prints it.
    pub key: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    pub more_is_better: bool,
    pub against: Against,
    /// What the ratio to `against`, or without one the value, is to be at most or at least.
    pub target: Option<f64>,
    pub plotted: bool,
}

const ALL: &[Peer] = &Peer::ALL;
const CLIENTS: &[Peer] = &[Peer::Ours, Peer::Mosquitto, Peer::Paho, Peer::Rumqttc];
const OURS: &[Peer] = &[Peer::Ours];
const RAW: &[Peer] = &[Peer::Raw];
/// Who can receive without waiting inside the library, and the floor.
const POLLING: &[Peer] = &[Peer::Raw, Peer::Ours];

const fn less(key: &'static str, title: &'static str, unit: &'static str, against: Against, target: f64) -> Figure {
    let target = if target > 0.0 { Some(target) } else { None };
    Figure { key, title, unit, more_is_better: false, against, target, plotted: false }
}

const fn more(key: &'static str, title: &'static str, unit: &'static str, against: Against, target: f64) -> Figure {
    Figure { more_is_better: true, ..less(key, title, unit, against, target) }
}

const fn plotted(figure: Figure) -> Figure {
    Figure { plotted: true, ..figure }
}

const fn row(
    measure: &'static str,
    place: Place,
    how: (u8, usize, usize),
    peers: &'static [Peer],
    results: &'static [Figure],
) -> Row {
    Row { measure, place, qos: how.0, size: how.1, count: how.2, peers, results }
}

use Against::{Best, Libmosquitto, Nothing, Raw};
use Place::{Minimal, Mosquitto};

/// How many rounds; the medians of the rounds are reported.
pub const ROUNDS: usize = 5;

pub static PLAN: &[Row] = &[
    row(
        "latency",
        Mosquitto,
        (0, 64, 3000),
        ALL,
        &[
            plotted(less("median", "publish to waiting receiver, QoS 0, median", "us", Raw, 1.35)),
            less("p99", "publish to waiting receiver, QoS 0, p99", "us", Raw, 1.5),
        ],
    ),
    row(
        "latency",
        Mosquitto,
        (1, 64, 2000),
        ALL,
        &[
            plotted(less("median", "publish to waiting receiver, QoS 1, median", "us", Raw, 1.35)),
            less("p99", "publish to waiting receiver, QoS 1, p99", "us", Raw, 1.5),
        ],
    ),
    row(
        "latency",
        Minimal,
        (0, 64, 3000),
        ALL,
        &[
            less("median", "publish to waiting receiver, QoS 0, median", "us", Raw, 1.35),
            less("p99", "publish to waiting receiver, QoS 0, p99", "us", Raw, 1.5),
        ],
    ),
    row(
        "latency",
        Minimal,
        (1, 64, 2000),
        ALL,
        &[
            less("median", "publish to waiting receiver, QoS 1, median", "us", Raw, 1.35),
            less("p99", "publish to waiting receiver, QoS 1, p99", "us", Raw, 1.5),
        ],
    ),
    row(
        "latency",
        Mosquitto,
        (0, 16, 1500),
        ALL,
        &[less("median", "the same, QoS 0, 16 bytes, median", "us", Raw, 0.0)],
    ),
    row(
        "latency",
        Mosquitto,
        (0, 1024, 1500),
        ALL,
        &[less("median", "the same, QoS 0, 1 KiB, median", "us", Raw, 0.0)],
    ),
    row(
        "latency",
        Mosquitto,
        (0, 65_536, 1000),
        ALL,
        &[less("median", "the same, QoS 0, 64 KiB, median", "us", Raw, 0.0)],
    ),
    row(
        "latency-polling",
        Mosquitto,
        (0, 64, 2000),
        POLLING,
        &[
            less("median", "publish to polling receiver, QoS 0, median", "us", Raw, 1.5),
            less("p99", "publish to polling receiver, QoS 0, p99", "us", Raw, 0.0),
        ],
    ),
    row(
        "publish",
        Mosquitto,
        (0, 64, 200_000),
        ALL,
        &[
            plotted(less("cpu", "QoS 0 burst, CPU per publish", "us", Libmosquitto, 0.333)),
            more("rate", "QoS 0 burst, publishes", "/s", Best, 0.0),
        ],
    ),
    row(
        "publish",
        Minimal,
        (0, 64, 200_000),
        ALL,
        &[
            less("cpu", "QoS 0 burst, CPU per publish", "us", Libmosquitto, 0.333),
            more("rate", "QoS 0 burst, publishes", "/s", Best, 0.0),
        ],
    ),
    row(
        "batch",
        Minimal,
        (0, 64, 200_000),
        OURS,
        &[less("cpu", "the same by batches of 100, CPU per publish", "us", Nothing, 0.0)],
    ),
    row(
        "publish",
        Mosquitto,
        (1, 64, 60_000),
        ALL,
        &[
            plotted(more("rate", "QoS 1 acknowledged", "/s", Best, 1.3)),
            less("cpu", "QoS 1, CPU per publish", "us", Best, 0.0),
        ],
    ),
    row(
        "publish",
        Minimal,
        (1, 64, 60_000),
        CLIENTS,
        &[more("rate", "QoS 1 acknowledged", "/s", Best, 1.3), less("cpu", "QoS 1, CPU per publish", "us", Best, 0.0)],
    ),
    row(
        "publish",
        Mosquitto,
        (2, 64, 30_000),
        ALL,
        &[
            plotted(more("rate", "QoS 2 completed", "/s", Best, 1.3)),
            less("cpu", "QoS 2, CPU per publish", "us", Best, 0.0),
        ],
    ),
    row(
        "publish",
        Minimal,
        (2, 64, 30_000),
        CLIENTS,
        &[more("rate", "QoS 2 completed", "/s", Best, 1.3), less("cpu", "QoS 2, CPU per publish", "us", Best, 0.0)],
    ),
    row(
        "receive",
        Mosquitto,
        (0, 64, 100_000),
        ALL,
        &[plotted(less("cpu", "receiving QoS 0, CPU per message", "us", Libmosquitto, 0.6))],
    ),
    row(
        "receive",
        Minimal,
        (0, 64, 100_000),
        ALL,
        &[less("cpu", "receiving QoS 0, CPU per message", "us", Libmosquitto, 0.6)],
    ),
    row(
        "calls",
        Minimal,
        (0, 64, 100_000),
        CLIENTS,
        &[less("p999", "one publish call, saturated line, p99.9", "us", Nothing, 50.0)],
    ),
    row(
        "black-hole",
        Minimal,
        (1, 64, 50_000),
        CLIENTS,
        &[less("p999", "one publish call, Server doesn't read, p99.9", "us", Nothing, 50.0)],
    ),
    row("poll-empty", Minimal, (0, 64, 5_000_000), OURS, &[less("ns", "poll on an empty queue", "ns", Nothing, 50.0)]),
    row(
        "idle",
        Minimal,
        (0, 64, 200),
        CLIENTS,
        &[
            less("memory", "one of 200 idle clients, memory", "KiB", Nothing, 64.0),
            less("cpu", "200 clients taking turns, CPU per publish", "us", Nothing, 0.0),
        ],
    ),
    row(
        "in-flight",
        Minimal,
        (1, 64, 10),
        CLIENTS,
        &[less("cpu", "10 in flight, CPU per publish", "us", Nothing, 0.0)],
    ),
    row(
        "in-flight",
        Minimal,
        (1, 64, 10_000),
        CLIENTS,
        &[less("cpu", "10,000 in flight, CPU per publish", "us", Nothing, 0.0)],
    ),
    row(
        "in-flight",
        Minimal,
        (1, 64, 60_000),
        CLIENTS,
        &[less("cpu", "60,000 in flight, CPU per publish", "us", Nothing, 0.0)],
    ),
    row(
        "queued",
        Minimal,
        (1, 64, 10_000),
        OURS,
        &[less("cpu", "10,000 queued, CPU of one more publish", "us", Nothing, 0.0)],
    ),
    row(
        "queued",
        Minimal,
        (1, 64, 1_000_000),
        OURS,
        &[less("cpu", "1,000,000 queued, CPU of one more publish", "us", Nothing, 0.0)],
    ),
    row(
        "durable",
        Minimal,
        (1, 64, 20_000),
        OURS,
        &[
            more("alone", "durable QoS 1, one sync per message", "/s", Nothing, 0.0),
            more("together", "durable QoS 1, group commit", "/s", Nothing, 0.0),
            more("ratio", "durable QoS 1, group commit to one sync per message", "times", Nothing, 20.0),
        ],
    ),
    row("start", Mosquitto, (0, 64, 100), ALL, &[less("median", "create to CONNACK, median", "us", Raw, 1.2)]),
    row(
        "start-thread",
        Mosquitto,
        (0, 64, 100),
        RAW,
        &[less("median", "the same, raw TCP that starts a thread, median", "us", Nothing, 0.0)],
    ),
    row("start", Minimal, (0, 64, 100), ALL, &[less("median", "create to CONNACK, median", "us", Raw, 1.2)]),
];
