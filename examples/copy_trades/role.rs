//! The processes of a run and what they say to each other. Every process is this same program, started again with its role as
//! an argument; it reports on stdout, one JSON line each, and stops when its stdin says so or closes: if the process that
//! started it dies, none is left behind.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::rules::Rules;
use crate::source::Source;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Role {
    /// Port 0: any free one.
    Server {
        port: u16,
    },
    Master {
        at: Place,
        source: Source,
        /// Of the script.
        steps_per_second: f64,
    },
    Follower {
        at: Place,
        name: String,
        rules: Rules,
    },
}

/// What master and follower have in common.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    pub library: PathBuf,
    /// HOST:PORT
    pub server: String,
    pub user: Option<String>,
    /// Names this run, and with it the topic.
    pub run: String,
    pub folder: PathBuf,
}

impl Place {
    pub fn topic(&self) -> String {
        format!("copy_trades/{}/state", self.run)
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.server)
    }
}

/// The password for `--user` comes from here, so that it stands in no process list.
pub const PASSWORD_VARIABLE: &str = "MT5MQTT_PASSWORD";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// The Server's.
    Listening { port: u16 },
    /// A follower's: it will hear every state from now on.
    Subscribed,
    /// A follower's: its account is what this state asks for.
    Applied { seq: u64 },
    /// The master's.
    Progress { step: usize, steps: usize, seq: u64, trades: usize },
    /// The master's: nothing more will change, and the Server has its last state.
    Finished { seq: u64 },
    /// Anyone's last words.
    Failed { why: String },
}

impl Report {
    pub fn say(&self) {
        let line = serde_json::to_string(self).unwrap_or_default();
        // Nobody listens any more: then stdin has closed as well, and that ends the process.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// Becomes true when stdin says anything or closes.
pub fn told_to_stop() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = std::io::stdin().lock().read_line(&mut line);
        told.store(true, Ordering::Release);
    });
    stop
}
