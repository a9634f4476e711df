//! What a child process is told and what it reports: one JSON line each.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    pub library: PathBuf,
    pub url: String,
    pub client_id: String,
    pub protocol_version: i64,
    pub task: Task,
    /// The folder of the durable store, if there is to be one.
    pub store: Option<PathBuf>,
    /// The next number of each QoS: those before it were an earlier life's.
    pub next: [u64; 3],
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Publishes in all three QoS, each with numbers from 0, so many bursts a second.
    Send { bursts_per_second: u32 },
    /// Takes what comes, and acknowledges it when it has reported it.
    Receive,
}

pub const TOPIC: &str = "faults";

/// Each QoS has a topic of its own, and numbers of its own.
pub fn topic(qos: u8) -> String {
    format!("{TOPIC}/{qos}")
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// The sender: accept no more messages, and say when all have come to their end.
    Finish,
    /// The sender: a mark behind all messages of each QoS above 0.
    Mark,
    /// Leave no descriptor free, so that no connection can be made.
    Exhaust,
    /// Have descriptors again.
    Restore,
    /// Disconnect, free the client and end.
    End,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The client takes orders.
    Ready,
    Connected {
        session_present: bool,
    },
    Disconnected {
        status: i32,
        text: String,
    },
    /// About to call publish.
    Publishing {
        qos: u8,
        seq: u64,
    },
    Accepted {
        qos: u8,
        seq: u64,
        token: i64,
    },
    /// It survives a crash from here on.
    Durable {
        token: i64,
    },
    Refused {
        qos: u8,
        seq: u64,
        why: String,
    },
    Marked {
        token: i64,
    },
    /// `time_us` is the library's.
    Ended {
        token: i64,
        status: i32,
        time_us: i64,
    },
    Subscribed {
        status: i32,
    },
    Took {
        qos: u8,
        seq: u64,
    },
    TookMark {
        qos: u8,
    },
    /// Nothing accepted is unfinished any more.
    Drained,
    /// The conductor: the program was killed, and what follows is another one's.
    NewLife,
    /// No descriptor can be opened any more.
    Exhausted,
    /// Something that must not happen.
    Wrong {
        what: String,
    },
}
