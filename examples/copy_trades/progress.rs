//! One line that refreshes itself on a terminal; plain lines, at most every two seconds, anywhere else.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(2);

pub struct Progress {
    terminal: bool,
    shown: Option<Instant>,
    line: String,
}

impl Progress {
    pub fn new() -> Progress {
        Progress { terminal: std::io::stderr().is_terminal(), shown: None, line: String::new() }
    }

    pub fn show(&mut self, line: &str) {
        if self.terminal {
            if self.line != line {
                eprint!("\r\x1b[K{line}");
                let _ = std::io::stderr().flush();
                line.clone_into(&mut self.line);
            }
        } else if self.shown.is_none_or(|shown| shown.elapsed() >= EVERY) {
            eprintln!("{line}");
            self.shown = Some(Instant::now());
        }
    }

    /// A line that stays.
    pub fn say(&mut self, line: &str) {
        if self.terminal {
            eprint!("\r\x1b[K");
            self.line.clear();
        }
        eprintln!("{line}");
    }
}

impl Drop for Progress {
    /// What comes next starts on a line of its own.
    fn drop(&mut self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
