//! One line that refreshes itself on a terminal; plain lines, at most every two seconds, anywhere else.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(2);

pub struct Progress {
    terminal: bool,
    shown: Option<Instant>,
}

impl Progress {
    pub fn new() -> Progress {
        Progress { terminal: std::io::stderr().is_terminal(), shown: None }
    }

    pub fn show(&mut self, line: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{line}");
            let _ = std::io::stderr().flush();
        } else if self.shown.is_none_or(|shown| shown.elapsed() >= EVERY) {
            eprintln!("{line}");
            self.shown = Some(Instant::now());
        }
    }

    /// A line that stays.
    pub fn say(&mut self, line: &str) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
        eprintln!("{line}");
    }
}
