//! The doctor: tries each Server of the options, step by step, and says what it finds, with times; at the first failure the
//! cause and what to do about it, in words for people who trade.
//!
//! It works with a client of its own, beside the program's one and on a thread of its own that lives as long as the
//! examination. What it finds comes to the program's client as events.

mod advice;
mod asked;
mod check;

pub use asked::Asked;

use super::Client;
use super::clock;
use super::events::NoticeKind;
use super::options::Options;
use super::shared::Shared;
use super::thread;
use crate::types::status::{Failure, Status};
use check::Examination;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Of one client.
#[derive(Default)]
pub(super) struct Doctor {
    running: AtomicBool,
    /// The client is freed: nobody wants to know any more.
    stop: AtomicBool,
}

/// Where the lines go.
struct Report {
    shared: Arc<Shared>,
    start: Instant,
}

impl Report {
    fn line(&self, text: &str) {
        let time = clock::now().saturating_duration_since(self.start);
        self.push(format!("{:8.3} s  {text}", time.as_secs_f64()), None);
    }

    /// What follows from the line before.
    fn remark(&self, text: &str) {
        self.push(format!("{:10}  {text}", ""), None);
    }

    /// The last line. Who has seen it may start the doctor again.
    fn end(&self, text: &str, end: Result<(), Status>) {
        self.shared.doctor.running.store(false, Ordering::Release);
        self.push(text.to_owned(), Some(end));
    }

    fn push(&self, line: String, end: Option<Result<(), Status>>) {
        self.shared.events.push(NoticeKind::Doctor { line, end });
    }
}

impl Client {
    /// Examines the connection to each Server of the options. Returns at once; lines come as events, and the last one says so.
    pub fn start_doctor(&self) -> Result<(), Failure> {
        self.check_alive()?;
        let options = self.options.lock().clone();
        if options.addresses.is_empty() {
            return Err(Status::WrongState.because("no Server is named: set option URL first"));
        }
        options.session_options()?;
        if self.shared.doctor.running.swap(true, Ordering::AcqRel) {
            return Err(Status::WrongState.because("the doctor is at work already: poll for its lines"));
        }
        let shared = self.shared.clone();
        let report = Report { shared: shared.clone(), start: clock::now() };
        let failed = Report { shared: shared.clone(), start: report.start };
        let on_panic = move |failure: Failure| failed.end(&failure.text, Err(failure.status));
        thread::start_task(move || examine(&options, &report), on_panic).map_err(|error| {
            shared.doctor.running.store(false, Ordering::Release);
            Status::Thread.because(format!("the doctor's thread could not be started: {error}"))
        })
    }

    pub(super) fn stop_doctor(&self) {
        self.shared.doctor.stop.store(true, Ordering::Release);
    }
}

fn examine(options: &Options, report: &Report) {
    let count = options.addresses.len();
    let mut first_failure = None;
    let mut good = 0;
    for (number, address) in (1..).zip(&options.addresses) {
        report.line(&format!("Server {number} of {count}: {address}"));
        let mut examination = Examination::new(options, address, report);
        match examination.run() {
            Ok(()) => good += 1,
            Err(failure) => first_failure = first_failure.or(Some(failure)),
        }
        if report.shared.doctor.stop.load(Ordering::Acquire) {
            return;
        }
    }
    match first_failure {
        None if count == 1 => report.end("All is well: messages go to the Server and come back.", Ok(())),
        None => report.end(&format!("All is well with all {count} Servers."), Ok(())),
        Some(failure) if count > 1 => {
            report.end(&format!("{good} of {count} Servers are well; see the first failure above."), Err(failure));
        }
        Some(failure) => report.end("The examination ended at the failure above.", Err(failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_seen_the_last_line_may_start_it_again() {
        let client = Client::new();
        client.shared.doctor.running.store(true, Ordering::Release);
        let report = Report { shared: client.shared.clone(), start: clock::now() };
        report.line("a line");
        assert!(client.shared.doctor.running.load(Ordering::Acquire));
        report.end("the end", Ok(()));
        assert!(!client.shared.doctor.running.load(Ordering::Acquire));
    }
}
