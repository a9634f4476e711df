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
#[serde(rename_all = "snake_case")]
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
#[serde(rename_all = "snake_case")]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::sample::*;
    use crate::folder::Folder;

    #[test]
    fn what_was_appended_is_read_and_a_spoiled_line_named() {
        let folder = Folder::temporary("journal").unwrap();
        let path = folder.path().join("journal.jsonl");
        assert!(read::<MasterRecord>(&path).unwrap().is_empty());
        let mut book = Book::default();
        book.apply(&Action::Open { position: position(1001, "0.5") }).unwrap();
        book.apply(&Action::Place { order: order(1002, "0.5") }).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&MasterRecord::Connection { up: true, time_us: 1 }).unwrap();
        drop(journal);
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&MasterRecord::Change { seq: 1, time_us: 2, book: book.clone() }).unwrap();
        let read_back: Vec<MasterRecord> = read(&path).unwrap();
        assert!(matches!(&read_back[1], MasterRecord::Change { seq: 1, time_us: 2, book: b } if *b == book));

        std::fs::write(&path, "{\"connection\":{\"up\":true,\"time_us\":1}}\n{\"chan").unwrap();
        let error = read::<MasterRecord>(&path).unwrap_err();
        assert!(error.contains("journal.jsonl, line 2: "), "{error}");
    }

    #[test]
    fn executions_keep_every_action() {
        let folder = Folder::temporary("executions").unwrap();
        let path = folder.path().join("account.jsonl");
        let actions = [
            Action::Open { position: position(1, "0.5") },
            Action::Reduce { id: 1, volume: dec("0.2") },
            Action::Place { order: order(2, "0.5") },
            Action::ModifyOrder { id: 2, price: dec("1.1"), stop_loss: dec("1"), take_profit: dec("0") },
        ];
        let mut journal = Journal::open(&path).unwrap();
        for action in actions.clone() {
            journal.append(&Execution { time_us: 1, seq: 1, action }).unwrap();
        }
        let read_back: Vec<Execution> = read(&path).unwrap();
        assert_eq!(read_back.into_iter().map(|e| e.action).collect::<Vec<_>>(), actions);
    }
}
