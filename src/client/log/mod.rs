//! What a client says about itself: lines with time, level and client id, as events for the program, in a file, or both.
//!
//! A line is made only if its level is wanted. Any thread makes lines; the background thread alone writes the file. No line
//! holds a secret: passwords, keys, proxy credentials, header values, queries of URLs and payloads never get here.

mod file;
pub(super) mod lines;
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
        let (lines, lost, settings, mut file) = {
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
        let mut written = lines.iter().try_for_each(|line| file.write(line));
        if lost > 0 && written.is_ok() {
            written = file.write(&format!("{lost} lines were lost"));
        }
        let written = written.and_then(|()| file.flush());
        let mut inner = self.inner.lock();
        if inner.settings != settings {
            return None;
        }
        let Err(error) = written else {
            inner.retry = None;
            inner.told = false;
            inner.file = Some(file);
            return None;
        };
        inner.lost += lost + (lines.len() + inner.waiting.len()) as u64;
        inner.waiting.clear();
        inner.retry = Some(clock::now() + RETRY);
        let is_new = !std::mem::replace(&mut inner.told, true);
        is_new.then(|| format!("the log file '{}' can't be written: {error}", visible(file.path())))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(file: Option<String>) -> LogSettings {
        LogSettings { level: Level::Info as i64, events: true, file, file_bytes: 300, files: 2 }
    }

    #[test]
    fn a_line_has_time_level_client_and_no_second_line_in_it() {
        let mut line = head(1_764_100_301_123_456, Level::Warning, "EA 1");
        push_clean(&mut line, "what\nhappened\u{7}");
        assert_eq!(line, r"2025-11-25T19:51:41.123Z warning [EA 1] what\nhappened\u{7}");
        push_clean(&mut line, &"x".repeat(1_000_000));
        assert!(line.len() < 2100);
    }

    #[test]
    fn only_wanted_levels_are_made() {
        let log = Log::new(settings(None));
        assert!(log.wants(Level::Error) && log.wants(Level::Info) && !log.wants(Level::Debug));
        log.set(LogSettings { level: 0, ..settings(None) });
        assert!(!log.wants(Level::Error));
        log.set(LogSettings { events: false, ..settings(None) });
        assert!(log.add(Level::Info, "x").event.is_none());
    }

    #[test]
    fn files_rotate_and_a_bounded_number_is_kept() {
        let folder = std::env::temp_dir().join(format!("mt5mqtt-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("client.log");
        let log = Log::new(settings(Some(path.to_str().unwrap().to_owned())));
        for number in 0..40 {
            let added = log.add(Level::Info, &format!("line {number:02}"));
            assert_eq!(added.wake, number % 2 == 0);
            if number % 2 == 1 {
                assert_eq!(log.write(), None);
            }
        }
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["client.log", "client.log.1", "client.log.2"]);
        let text: String = ["client.log.2", "client.log.1", "client.log"]
            .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
            .concat();
        let lines: Vec<&str> = text.lines().map(|line| line.split("] ").last().unwrap()).collect();
        assert!(lines.len() > 10 && lines.last() == Some(&"line 39"), "{lines:?}");
        assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{lines:?}");
        std::fs::remove_dir_all(&folder).unwrap();
        // The folder is gone: said once, and nothing piles up.
        log.set(LogSettings { file: Some(folder.join("x").to_str().unwrap().to_owned()), ..settings(None) });
        log.add(Level::Info, "x");
        assert!(log.write().unwrap().contains("can't be written"));
        assert!(!log.add(Level::Info, "x").wake && log.write().is_none());
    }

    /// A folder of this test's own, and the settings for a file in it.
    fn in_folder(name: &str) -> (std::path::PathBuf, LogSettings) {
        let folder = std::env::temp_dir().join(format!("mt5mqtt-log-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("client.log").to_str().unwrap().to_owned();
        (folder, settings(Some(path)))
    }

    #[test]
    fn the_size_of_an_open_file_can_be_changed() {
        let (folder, settings) = in_folder("size");
        let log = Log::new(LogSettings { file_bytes: 1_000_000, ..settings.clone() });
        for number in 0..20 {
            if number == 10 {
                log.set(settings.clone());
            }
            log.add(Level::Info, &"x".repeat(100));
            assert_eq!(log.write(), None);
        }
        assert!(folder.join("client.log.2").exists(), "a file of 300 bytes has two of these lines");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn files_that_were_kept_before_are_deleted_when_fewer_shall_be() {
        let (folder, settings) = in_folder("fewer");
        let log = Log::new(LogSettings { files: 5, ..settings.clone() });
        let exists = |number: u32| folder.join(format!("client.log.{number}")).exists();
        for number in 0..20 {
            if number == 15 {
                assert!(exists(5));
                log.set(settings.clone());
            }
            log.add(Level::Info, &"x".repeat(200));
            assert_eq!(log.write(), None);
        }
        assert_eq!([1, 2, 3, 4, 5].map(exists), [true, true, false, false, false]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn files_beyond_a_gap_stay_where_they_are() {
        let (folder, settings) = in_folder("gap");
        let mut file = RotatingFile::new(settings.file.as_ref().unwrap(), 300, 3);
        let mut write = |letter: &str| file.write(&letter.repeat(200)).unwrap();
        ["a", "b", "c"].into_iter().for_each(&mut write);
        std::fs::remove_file(folder.join("client.log.1")).unwrap();
        write("d");
        let first = |number: u32| std::fs::read(folder.join(format!("client.log.{number}"))).map(|text| text[0]).ok();
        assert_eq!([1, 2, 3].map(first), [Some(b'c'), Some(b'a'), None]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_somebody_took_away_is_begun_anew() {
        let (folder, settings) = in_folder("gone");
        let log = Log::new(settings);
        let path = folder.join("client.log");
        let add = |text: &str| {
            log.add(Level::Info, text);
            assert_eq!(log.write(), None);
        };
        add("before");
        std::fs::rename(&path, folder.join("taken.log")).unwrap();
        add("after");
        assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with("after\n")));
        // Between two lines that are written together, too.
        let mut file = RotatingFile::new(path.to_str().unwrap(), 300, 2);
        file.write(&"x".repeat(200)).unwrap();
        std::fs::remove_file(&path).unwrap();
        file.write(&"y".repeat(200)).and_then(|()| file.flush()).unwrap();
        assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with("y\n")));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_line_wakes_also_when_an_earlier_one_waited_for_a_file_that_is_no_more() {
        let (folder, settings) = in_folder("none");
        let log = Log::new(settings.clone());
        assert!(log.add(Level::Info, "for nobody").wake);
        log.set(LogSettings { file: None, ..settings.clone() });
        assert_eq!(log.write(), None);
        log.set(settings);
        assert!(log.add(Level::Info, "first").wake);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_could_not_be_written_is_tried_again_and_says_what_is_missing() {
        let (folder, settings) = in_folder("again");
        std::fs::remove_dir_all(&folder).unwrap();
        let log = Log::new(settings.clone());
        let time_is_over = || log.inner.lock().retry = Some(clock::now());
        log.add(Level::Info, "a");
        assert!(log.write().is_some_and(|why| why.contains("can't be written")));
        assert!(!log.add(Level::Info, "b").wake);
        time_is_over();
        assert!(log.add(Level::Info, "c").wake);
        assert_eq!(log.write(), None, "it is said already");
        for changed in [settings.clone(), LogSettings { level: Level::Debug as i64, ..settings.clone() }] {
            log.set(changed);
            assert!(log.add(Level::Info, "tried again").wake);
            assert_eq!(log.write(), None, "it is said already");
        }
        log.set(LogSettings { file: settings.file.as_ref().map(|file| format!("{file}-2")), ..settings.clone() });
        log.add(Level::Info, "elsewhere");
        assert!(log.write().is_some_and(|why| why.contains("client.log-2")), "that is another file");
        log.set(settings.clone());
        log.add(Level::Info, "here");
        assert!(log.write().is_some_and(|why| !why.contains("client.log-2")));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(!log.add(Level::Info, "d").wake);
        // Or when it is named again.
        log.set(settings);
        assert!(log.add(Level::Info, "back").wake);
        assert_eq!(log.write(), None);
        let text = std::fs::read_to_string(folder.join("client.log")).unwrap_or_default();
        assert!(text.contains("] back\n") && text.ends_with("8 lines were lost\n"), "{text}");
        std::fs::remove_dir_all(&folder).unwrap();
        log.add(Level::Info, "gone");
        assert!(log.write().is_some_and(|why| why.contains("can't be written")), "it is said anew");
    }
}
