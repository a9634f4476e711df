//! Journals: files of one JSON record per line, each appended by one write so that it is there whole, or not at all, when the
//! process is killed. (Against a power failure it would also have to be synced; that is not simulated here.)

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::book::{Action, Book};

/// What the master did.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum MasterRecord {
    /// Its book after a change; written before the state is published.
    Change {
        seq: u64,
        time_us: i64,
        book: Book,
    },
    /// A publish call was accepted.
    Published {
        seq: u64,
        sent_us: i64,
    },
    Connection {
        up: bool,
        time_us: i64,
    },
}

/// What a follower heard.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum FollowerRecord {
    /// A state arrived; `applied` is false for one that is older than what was applied before. Written before acting.
    Received {
        seq: u64,
        sent_us: i64,
        received_us: i64,
        retained: bool,
        applied: bool,
    },
    Connection {
        up: bool,
        time_us: i64,
    },
}

/// One execution on an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Execution {
    pub time_us: i64,
    /// The state that asked for it.
    pub seq: u64,
    #[serde(flatten)]
    pub action: Action,
}

pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    pub fn open(path: &Path) -> Result<Journal, String> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|e| format!("the journal {} can't be opened: {e}", path.display()))?;
        Ok(Journal { path: path.to_owned(), file })
    }

    pub fn append(&mut self, record: &impl Serialize) -> Result<(), String> {
        let mut line = serde_json::to_vec(record).map_err(|e| e.to_string())?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| format!("the journal {} can't be written: {e}", self.path.display()))
    }
}

/// All records of a journal; an absent file is an empty journal.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(format!("the journal {} can't be read: {e}", path.display())),
    };
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|e| format!("{}, line {}: {e}", path.display(), index + 1))
        })
        .collect()
}

/// Replaces a file as a whole: a reader, also after a kill, finds the old contents or the new, never a part.
pub fn replace(path: &Path, contents: &impl Serialize) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{} can't be written: {e}", path.display());
    let beside = path.with_extension("new");
    let text = serde_json::to_vec(contents).map_err(|e| e.to_string())?;
    std::fs::write(&beside, text).map_err(fail)?;
    std::fs::rename(&beside, path).map_err(fail)
}
