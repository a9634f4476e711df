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

/// What to do about a fault of this library.
const REPORT_IT: &str =
    "this says nothing about the Server: report it to whoever gave you this library, with all lines of this report";
/// The last line of a report on one Server that isn't well.
const ENDED: &str = "The examination ended at the failure above.";

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

    fn failed(&self, cause: &str, advice: &str) {
        self.line(&format!("FAILED: {cause}"));
        self.remark(&format!("What to do: {advice}."));
    }

    /// The examination itself has failed.
    fn end_by_fault(&self, failure: &Failure) {
        self.failed(&failure.text, REPORT_IT);
        self.end(ENDED, Err(failure.status));
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
        let on_panic = move |failure: Failure| failed.end_by_fault(&failure);
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
        Some(failure) => report.end(ENDED, Err(failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::options::URL;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// What is reported if the doctor's client fails when a Server has had so many packets, and has given these answers.
    fn report_of_a_failed_client(answers: &'static [&[u8]]) -> (Vec<String>, Result<(), Status>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut options = Options::default();
        let url = format!("mqtt://{}", listener.local_addr().unwrap());
        options.set_text(URL, Some(&url), true).unwrap();
        let client = Client::new();
        let report = Report { shared: client.shared.clone(), start: clock::now() };
        let address = options.addresses[0].clone();
        let examined = Client::with_options(options.for_doctor(address.clone()));
        let fails = examined.shared.clone();
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            for answer in answers {
                let _ = connection.read(&mut [0; 1000]).unwrap();
                connection.write_all(answer).unwrap();
            }
            let _ = connection.read(&mut [0; 1000]).unwrap();
            fails.fail(&Status::Panic.because("in file.rs"));
            connection
        });
        let end = Examination::new(&options, &address, &report).examine(&examined);
        let _connection = server.join().unwrap();
        let line = || {
            client.poll(|notice| match &notice.kind {
                NoticeKind::Doctor { line, .. } => line.clone(),
                other => panic!("{other:?}"),
            })
        };
        (std::iter::from_fn(|| line().unwrap()).collect(), end)
    }

    #[test]
    fn that_the_doctors_client_has_failed_is_a_failure_of_the_report() {
        let answers: &[&[u8]] = &[b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x01"];
        for count in 0..=2 {
            let (lines, end) = report_of_a_failed_client(&answers[..count]);
            assert_eq!(end, Err(Status::Panic), "{lines:#?}");
            let [.., cause, advice] = &lines[..] else { panic!("{lines:#?}") };
            assert!(cause.contains("FAILED: ") && cause.contains("in file.rs"), "{lines:#?}");
            assert!(advice.contains("What to do: ") && advice.contains("report it"), "{lines:#?}");
        }
    }

    #[test]
    fn that_the_doctor_itself_has_failed_is_a_failure_of_the_report() {
        let client = Client::new();
        let report = Report { shared: client.shared.clone(), start: clock::now() };
        report.end_by_fault(&Status::Panic.because("in file.rs"));
        let line = || {
            client.poll(|notice| match &notice.kind {
                NoticeKind::Doctor { line, end } => (line.clone(), *end),
                other => panic!("{other:?}"),
            })
        };
        let lines: Vec<_> = std::iter::from_fn(|| line().unwrap()).collect();
        let [(cause, None), (advice, None), (_, Some(Err(Status::Panic)))] = &lines[..] else { panic!("{lines:#?}") };
        assert!(cause.contains("FAILED: in file.rs") && advice.contains("report it"), "{lines:#?}");
    }

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
