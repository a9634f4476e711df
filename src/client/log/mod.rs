//! What a client says about itself: lines with time, level and client id, as events for the program, in a file, or both.
//!
//! A line is made only if its level is wanted. Any thread makes lines; the background thread alone writes the file. No line
//! holds a secret: passwords, keys, proxy credentials, header values, queries of URLs and payloads never get here.

mod file;
pub(super) mod lines;
#[cfg(test)]
mod tests;
pub(super) mod trace;

use super::address::visible;
use super::clock;
use super::lock::Lock;
use file::RotatingFile;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use x509_cert::der::DateTime;

/// How much a line matters; the numbers cross the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// The client has failed.
    Error = 1,
    /// Something went wrong that the client deals with: a lost connection, a publish that was refused.
    Warning = 2,
    /// Connections and their ends.
    Info = 3,
    /// Each step of a connection, and each outcome.
    Debug = 4,
    /// Each packet.
    Packets = 5,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Packets => "packet",
        }
    }
}

/// Where lines go, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogSettings {
    /// Lines up to this level; 0 is none.
    pub level: i64,
    /// Whether they become events.
    pub events: bool,
    pub file: Option<String>,
    /// Size at which the file is set aside and a new one begun.
    pub file_bytes: u64,
    /// Files that were set aside and are kept.
    pub files: u32,
}

/// Lines that wait to be written: more than that are lost, and counted.
const MOST_WAITING: usize = 10_000;
/// How long after a failure writing is tried again: a disk may have room again, or another program have let go of the file.
const RETRY: Duration = Duration::from_secs(10);
/// Longest line in characters. The Server may have a say in its length.
const LONGEST_LINE: usize = 2000;

pub(super) struct Log {
    /// A copy of that in `inner`, to be read without its lock.
    level: AtomicI64,
    inner: Lock<Inner>,
}

struct Inner {
    settings: LogSettings,
    client_id: String,
    waiting: Vec<String>,
    lost: u64,
    file: Option<RotatingFile>,
    /// The file can't be written: when it is tried again. Until then lines are lost.
    retry: Option<Instant>,
    /// The program has been told that this file can't be written.
    told: bool,
}

/// What became of a line.
pub(super) struct Added {
    /// The line, if it is to be an event, and where in it it says what happened.
    pub event: Option<(String, usize)>,
    /// It is the first to wait for the background thread.
    pub wake: bool,
}

impl Log {
    pub fn new(settings: LogSettings) -> Self {
        Log {
            level: AtomicI64::new(settings.level),
            inner: Lock::new(Inner {
                settings,
                client_id: String::new(),
                waiting: Vec::new(),
                lost: 0,
                file: None,
                retry: None,
                told: false,
            }),
        }
    }

    pub fn set(&self, settings: LogSettings) {
        let mut inner = self.inner.lock();
        inner.retry = None;
        if settings == inner.settings {
            return;
        }
        // It is opened again with its new limits.
        inner.file = None;
        inner.told &= settings.file == inner.settings.file;
        self.level.store(settings.level, Ordering::Relaxed);
        inner.settings = settings;
    }

    pub fn set_client_id(&self, client_id: &str) {
        let mut inner = self.inner.lock();
        client_id.clone_into(&mut inner.client_id);
    }

    pub fn wants(&self, level: Level) -> bool {
        self.level.load(Ordering::Relaxed) >= level as i64
    }

    /// Locks it for good.
    pub fn leave_locked(&self) {
        self.inner.leave_locked();
    }

    /// Makes a line of `text`, whose level is wanted.
    pub fn add(&self, level: Level, text: &str) -> Added {
        let mut inner = self.inner.lock();
        let (line, text_at) = inner.line(level, text);
        let mut wake = false;
        if inner.settings.file.is_some() {
            if inner.waiting.len() < MOST_WAITING && inner.retry.is_none_or(|retry| retry <= clock::now()) {
                wake = inner.waiting.is_empty();
                inner.waiting.push(line.clone());
            } else {
                inner.lost += 1;
            }
        }
        Added { event: inner.settings.events.then_some((line, text_at)), wake }
    }

    /// A line that isn't for the file, and where in it it says what happened.
    pub fn line(&self, level: Level, text: &str) -> (String, usize) {
        self.inner.lock().line(level, text)
    }

    /// Writes what waits; for the background thread. Says why it can't, once until it can again.
    pub fn write(&self) -> Option<String> {
        let (mut lines, lost, settings, mut file) = {
            let mut inner = self.inner.lock();
            if inner.waiting.is_empty() {
                return None;
            }
            let settings = inner.settings.clone();
            let Some(path) = &settings.file else {
                // The next line is the first again that waits.
                inner.waiting.clear();
                return None;
            };
            let new = || RotatingFile::new(path, settings.file_bytes, settings.files);
            let file = inner.file.take().unwrap_or_else(new);
            (std::mem::take(&mut inner.waiting), std::mem::take(&mut inner.lost), settings, file)
        };
        // The lock isn't held: nobody who makes a line waits for the disk.
        file.begin_anew_if_gone();
        let waited = lines.len();
        let told = (lost > 0).then(|| format!("{lost} lines were lost"));
        lines.extend(told);
        let (written, result) = file.write(&lines);
        let mut inner = self.inner.lock();
        if result.is_err() {
            // That there was no room for the line of it doesn't make them fewer.
            inner.lost += lost + waited.saturating_sub(written) as u64;
        }
        if inner.settings != settings {
            return None;
        }
        let why =
            result.err().map(|error| format!("the log file '{}' can't be written: {error}", visible(file.path())));
        inner.file = Some(file);
        if why.is_none() {
            inner.retry = None;
            inner.told = false;
            return None;
        }
        inner.lost += inner.waiting.len() as u64;
        inner.waiting.clear();
        inner.retry = Some(clock::now() + RETRY);
        let is_new = !std::mem::replace(&mut inner.told, true);
        why.filter(|_| is_new)
    }
}

impl Inner {
    fn line(&self, level: Level, text: &str) -> (String, usize) {
        let mut line = head(clock::unix_us(), level, &self.client_id);
        let text_at = line.len();
        push_clean(&mut line, text);
        (line, text_at)
    }
}

/// What stands before the text in each line.
fn head(unix_us: i64, level: Level, client_id: &str) -> String {
    let mut line = String::with_capacity(128);
    // Before 1970 there were no clocks to log.
    let time = Duration::from_micros(unix_us.unsigned_abs());
    if let Ok(date) = DateTime::from_unix_duration(time) {
        let _ = write!(line, "{:04}-{:02}-{:02}T", date.year(), date.month(), date.day());
        let _ = write!(line, "{:02}:{:02}:{:02}", date.hour(), date.minutes(), date.seconds());
    }
    let _ = write!(line, ".{:03}Z {} [", time.subsec_millis(), level.name());
    push_clean(&mut line, client_id);
    line.push_str("] ");
    line
}

/// Adds text in which nothing can pose as another line: the Server has a say in it.
fn push_clean(line: &mut String, text: &str) {
    for character in text.chars().take(LONGEST_LINE) {
        if character.is_control() { line.extend(character.escape_default()) } else { line.push(character) }
    }
}
