//! Child processes: starting one with its role, hearing its reports, killing it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::role::{Report, Role};

/// What came from a process; the number says which start of which process it was.
pub struct Heard {
    pub number: u64,
    /// None: its output has ended, and so has the process, or soon will.
    pub report: Option<Report>,
}

pub struct Process {
    pub name: String,
    pub number: u64,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Process {
    pub fn start(name: &str, number: u64, role: &Role, to: &Sender<Heard>) -> Result<Process, String> {
        let fail = |e: std::io::Error| format!("{name} can't be started: {e}");
        let role = serde_json::to_string(role).map_err(|e| e.to_string())?;
        let program = std::env::current_exe().map_err(fail)?;
        let mut child = Command::new(program)
            .arg(crate::options::ROLE)
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(fail)?;
        let stdin = child.stdin.take();
        if let Some(stdout) = child.stdout.take() {
            let to = to.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let report = serde_json::from_str(&line)
                        .unwrap_or_else(|_| Report::Failed { why: format!("it said {line:?}") });
                    let _ = to.send(Heard { number, report: Some(report) });
                }
                let _ = to.send(Heard { number, report: None });
            });
        }
        Ok(Process { name: name.to_owned(), number, child, stdin })
    }

    /// SIGKILL, or TerminateProcess: no chance to say good-bye.
    pub fn kill(mut self) -> Result<(), String> {
        self.child.kill().map_err(|e| format!("{} can't be killed: {e}", self.name))?;
        self.child.wait().map_err(|e| format!("{} can't be waited for: {e}", self.name)).map(drop)
    }

    /// Asks it to stop and waits for it.
    pub fn stop(mut self, limit: Duration) -> Result<(), String> {
        drop(self.stdin.take());
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().map_err(|e| e.to_string())? {
                return if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", self.name)) };
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(format!("{} did not stop within {} s", self.name, limit.as_secs()))
    }

    /// How it ended by itself.
    pub fn status(&mut self) -> String {
        self.child.wait().map_or_else(|e| e.to_string(), |status| status.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
