//! The child processes: starting them, hearing what they report, and what can be done to a process from outside.

use crate::clock::{self, Clock};
use crate::role::{Order, Report, Role};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The first argument of this program when it shall be a child.
pub const AS_CHILD: &str = "as-child";

pub struct Process {
    name: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<Report>,
    /// All that it has reported.
    pub reports: Vec<Report>,
    /// When the last one came.
    last_report: Instant,
}

impl Process {
    pub fn start(name: &'static str, role: &Role, clock: Option<&Clock>) -> Result<Process, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.arg(AS_CHILD).arg(serde_json::to_string(role).expect("a role can be written"));
        if let Some(clock) = clock {
            let library = clock::library().ok_or("a moved clock needs a C compiler")?;
            command.env("LD_PRELOAD", library).env("FAULTS_CLOCK", &clock.file);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{name} can't be started: {error}"))?;
        let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        let (sender, incoming) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let report =
                    serde_json::from_str(&line).unwrap_or_else(|_| Report::Wrong { what: format!("it said {line:?}") });
                if sender.send(report).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Ok(Process { name, child, stdin, incoming, reports: Vec::new(), last_report: Instant::now() })
    }

    pub fn order(&mut self, order: Order) -> Result<(), String> {
        let line = format!("{}\n", serde_json::to_string(&order).expect("an order can be written"));
        let stdin = self.stdin.as_mut().ok_or_else(|| format!("{} has ended", self.name))?;
        stdin.write_all(line.as_bytes()).map_err(|error| format!("{} takes no orders: {error}", self.name))
    }

    /// Waits until a report from `start` on meets the condition.
    pub fn wait_for(
        &mut self,
        what: &str,
        start: usize,
        limit: Duration,
        condition: impl Fn(&Report) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let mut next = start;
        loop {
            if self.reports[next.min(self.reports.len())..].iter().any(&condition) {
                return Ok(());
            }
            next = self.reports.len();
            let left = deadline.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(left) {
                Ok(report) => {
                    self.reports.push(report);
                    self.last_report = Instant::now();
                }
                Err(_) => {
                    let last = &self.reports[self.reports.len().saturating_sub(8)..];
                    return Err(format!(
                        "{} did not come to this in time: {what}; its last reports, {} s ago: {last:?}",
                        self.name,
                        self.last_report.elapsed().as_secs()
                    ));
                }
            }
        }
    }

    /// Takes the reports that are there.
    pub fn hear(&mut self) {
        self.reports.extend(self.incoming.try_iter());
    }

    pub fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).map_err(|error| format!("{signal:?} to {}: {error}", self.name))
    }

    /// All that it has reported, when it has been killed.
    pub fn end_of_reports(&mut self) -> Vec<Report> {
        let _ = self.child.wait();
        self.reports.extend(self.incoming.iter());
        std::mem::take(&mut self.reports)
    }

    /// Has it end by itself, and returns all that it has reported.
    pub fn end(mut self) -> Result<Vec<Report>, String> {
        self.order(Order::End)?;
        self.stdin = None;
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) if status.success() => break,
                Some(status) => return Err(format!("{} ended with {status}", self.name)),
                None if Instant::now() >= deadline => {
                    return Err(format!("{} did not end within 10 s: disconnect or free hangs", self.name));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        self.reports.extend(self.incoming.iter());
        Ok(std::mem::take(&mut self.reports))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
