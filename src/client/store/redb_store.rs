//! The store in a file of redb: pages with checksums, and commits that are whole or not there after a crash at any moment.
//!
//! The file is made under another name and renamed once it is complete. So a file of the right name that holds no store is a
//! damaged one, and is never taken for a new one.

use super::encoding::{decode, encode_key, encode_record};
use super::folder::{keep_names, make};
use super::{Identity, Moment, Store, Stored};
use crate::session::record::{Batch, Key, Record};
use crate::types::status::{Failure, Status};
use redb::backends::FileBackend;
use redb::{
    Builder, Database, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError,
};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const FILE: &str = "session.redb";
const UNFINISHED: &str = "session.redb.new";
/// Is there to be locked, and is never removed: the lock would be that of a file which nobody else finds.
const LOCK: &str = "session.redb.lock";
const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
/// Raised when an older library would misread what is stored. Format 1 had no ends of publishes and no contents of received
/// Packet Identifiers, format 2 no publishes in doubt, format 3 no Servers; what they have is read as it is.
const FORMAT: u32 = 4;
const OLDEST_FORMAT: u32 = 1;
/// Pages in memory: small, as everything is read once and then only written.
const CACHE_SIZE: usize = 4 << 20;

/// What Windows says of a file that another program shares with nobody, as one that looks for viruses does for a moment.
const SHARING_VIOLATION: i32 = 32;
const LOCK_VIOLATION: i32 = 33;

pub struct RedbStore {
    file: PathBuf,
    identity: Identity,
    /// By which it is recognised when it is opened anew.
    commits: u64,
    /// Closed after a failure: redb wants the file to be opened anew then.
    database: Option<Database>,
    /// redb's own lock isn't there yet while the file is made, nor after a failure until it is opened anew. Given back last.
    _lock: File,
}

/// Opens the store in a folder, or makes one, and reads everything in it.
pub fn open(folder: &Path, identity: &Identity, now: Moment) -> Result<(RedbStore, Stored), Failure> {
    make(folder).map_err(|error| not_opened(folder, &error))?;
    let file = folder.join(FILE);
    let lock = lock(folder, &file)?;
    if !file.try_exists().map_err(|error| not_opened(&file, &error))? {
        let unfinished = folder.join(UNFINISHED);
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(not_opened(&unfinished, &error)),
            _ => {}
        }
        create(&unfinished, identity).map_err(|error| explain(error, &unfinished))?;
        fs::rename(&unfinished, &file).map_err(|error| not_opened(&file, &error))?;
        // A loss of power must not take the file's new name either.
        keep_names(folder).map_err(|error| not_opened(folder, &error))?;
    }
    let database = open_file(&file)?;
    let about = guarded(&file, || read_about(&database, &file, identity))?;
    let records = guarded(&file, || read(&database, &file, now))?;
    guarded(&file, || raise_format(&database).map_err(|error| cant_write(error, &file)))?;
    let (identity, commits) = (identity.clone(), about.commits);
    let store = RedbStore { file, identity, commits, database: Some(database), _lock: lock };
    Ok((store, Stored { records, last_token: about.last_token }))
}

/// Keeps others away from the whole folder. The system lets go of it with the process.
fn lock(folder: &Path, file: &Path) -> Result<File, Failure> {
    let path = folder.join(LOCK);
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let lock = opened.map_err(|error| not_opened(&path, &error))?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Err(in_use(file)),
        // Where the system locks no files as a whole, redb's lock of a part of its file is what there is.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(lock),
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_SIZE).set_check_integrity_on_open(true);
    builder
}

/// For its user alone: what it trades is nobody else's to read. On Windows the folder says who may.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn create(file: &Path, identity: &Identity) -> Result<(), redb::Error> {
    let database = builder().create_with_backend(FileBackend::new(new_file(file)?)?)?;
    let transaction = database.begin_write()?;
    {
        transaction.open_table(RECORDS)?;
        let mut about = transaction.open_table(ABOUT)?;
        about.insert("format", FORMAT.to_be_bytes().as_slice())?;
        about.insert("client_id", identity.client_id.as_bytes())?;
        about.insert("server", identity.server.as_bytes())?;
    }
    transaction.commit()?;
    Ok(())
}

/// An older library must not read what this one is going to write.
fn raise_format(database: &Database) -> Result<(), redb::Error> {
    let ours = FORMAT.to_be_bytes();
    let known = database.begin_read()?.open_table(ABOUT)?.get("format")?.is_some_and(|format| format.value() == ours);
    if !known {
        let transaction = database.begin_write()?;
        transaction.open_table(ABOUT)?.insert("format", ours.as_slice())?;
        transaction.commit()?;
    }
    Ok(())
}

fn open_file(file: &Path) -> Result<Database, Failure> {
    // redb takes an empty file for a new database.
    let size = fs::metadata(file).map_err(|error| not_opened(file, &error))?.len();
    if size == 0 {
        return Err(damaged(file, "it is empty"));
    }
    guarded(file, || builder().open(file).map_err(|error| explain(error.into(), file)))
}

/// What is damaged in a way that nobody foresaw may panic; that is an answer too.
fn guarded<R>(file: &Path, run: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(damaged(file, "it can't be read")))
}

/// What a store says of itself.
struct About {
    /// The highest token that was ever stored.
    last_token: i64,
    /// How often it was written.
    commits: u64,
}

fn open_table<K: redb::Key + 'static>(
    database: &Database,
    definition: TableDefinition<'_, K, &'static [u8]>,
    file: &Path,
) -> Result<ReadOnlyTable<K, &'static [u8]>, Failure> {
    let transaction = database.begin_read().map_err(|error| explain(error.into(), file))?;
    transaction.open_table(definition).map_err(|error| match error {
        TableError::Storage(error) => explain(error.into(), file),
        other => damaged(file, &other.to_string()),
    })
}

/// Checks that the store can be read by this library, and is this client's.
fn read_about(database: &Database, file: &Path, identity: &Identity) -> Result<About, Failure> {
    let about = open_table(database, ABOUT, file)?;
    let value = |name: &str| -> Result<Vec<u8>, Failure> {
        let found = about.get(name).map_err(|error| explain(error.into(), file))?;
        Ok(found.map(|value| value.value().to_vec()).unwrap_or_default())
    };
    match <[u8; 4]>::try_from(value("format")?).map(u32::from_be_bytes) {
        Ok(OLDEST_FORMAT..=FORMAT) => {}
        Ok(newer) if newer > FORMAT => {
            let text = format!("{} has format {newer}, this library knows {FORMAT}", file.display());
            return Err(Status::StoreNewer.because(text));
        }
        _ => return Err(damaged(file, "it has no format")),
    }
    for (what, stored, ours) in
        [("client", value("client_id")?, &identity.client_id), ("Server", value("server")?, &identity.server)]
    {
        if stored != ours.as_bytes() {
            let stored = String::from_utf8_lossy(&stored).into_owned();
            let text = format!("{} belongs to the {what} '{stored}', not to '{ours}'", file.display());
            return Err(Status::StoreOfAnother.because(text));
        }
    }
    let number = |name| -> Result<u64, Failure> { Ok(<[u8; 8]>::try_from(value(name)?).map_or(0, u64::from_be_bytes)) };
    Ok(About { last_token: number("last_token")? as i64, commits: number("commits")? })
}

fn read(database: &Database, file: &Path, now: Moment) -> Result<Vec<(Key, Record)>, Failure> {
    let failed = |error: StorageError| explain(error.into(), file);
    let mut records = Vec::new();
    for entry in open_table(database, RECORDS, file)?.iter().map_err(failed)? {
        let (key, value) = entry.map_err(failed)?;
        let record = decode(key.value(), value.value(), now);
        records.push(record.ok_or_else(|| damaged(file, "it holds a record that is none"))?);
    }
    Ok(records)
}

impl Store for RedbStore {
    fn commit(&mut self, batches: &[Batch], now: Moment) -> Result<(), Failure> {
        if batches.iter().all(|batch| batch.changes.is_empty()) {
            return Ok(());
        }
        // Whatever the cause: it can't be written. On a failure the database is closed here.
        let database = self.write(batches, now).map_err(|failure| Status::StoreNotWritten.because(failure.text))?;
        self.database = Some(database);
        self.commits += 1;
        Ok(())
    }
}

impl RedbStore {
    fn write(&mut self, batches: &[Batch], now: Moment) -> Result<Database, Failure> {
        let file = &self.file;
        let database = match self.database.take() {
            Some(database) => database,
            None => {
                let database = open_file(file)?;
                let commits = guarded(file, || read_about(&database, file, &self.identity))?.commits;
                // The attempt that failed may have been durable all the same.
                if commits != self.commits && commits != self.commits + 1 {
                    return Err(replaced(file));
                }
                self.commits = commits;
                database
            }
        };
        // What is written to a file without a name is found by nobody.
        if !file.try_exists().map_err(|error| not_opened(file, &error))? {
            return Err(cant_open(file, "somebody has deleted, moved or renamed it; put it back"));
        }
        let commits = self.commits + 1;
        guarded(file, || write(&database, batches, commits, now).map_err(|error| cant_write(error, file)))?;
        Ok(database)
    }
}

fn write(database: &Database, batches: &[Batch], commits: u64, now: Moment) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut last_token = None;
        let mut records = transaction.open_table(RECORDS)?;
        for (key, record) in batches.iter().flat_map(|batch| &batch.changes) {
            let bytes = encode_key(key);
            match record {
                Some(record) => {
                    records.insert(bytes.as_slice(), encode_record(record, now).as_slice())?;
                    let token = match (key, record) {
                        (_, Record::Publish { token, .. }) => Some(*token),
                        // It may have come and gone within this batch.
                        (Key::Ended(token), _) => i64::try_from(*token).ok(),
                        _ => None,
                    };
                    last_token = last_token.max(token);
                }
                None => {
                    records.remove(bytes.as_slice())?;
                }
            }
        }
        let mut about = transaction.open_table(ABOUT)?;
        about.insert("commits", commits.to_be_bytes().as_slice())?;
        if let Some(token) = last_token {
            about.insert("last_token", token.to_be_bytes().as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn cant_open(path: &Path, why: &str) -> Failure {
    Status::StoreNotOpened.because(format!("the store {} can't be opened: {why}", path.display()))
}

/// Why the system doesn't open it, or make it.
fn not_opened(path: &Path, error: &io::Error) -> Failure {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        // It passes by itself, wherever it was met.
        return Status::StoreNotWritten.because(format!("the store {} can't be written: {error}", path.display()));
    }
    if cfg!(windows) && matches!(error.raw_os_error(), Some(SHARING_VIOLATION | LOCK_VIOLATION)) {
        let text = format!("the store {} is in use by another program: {error}", path.display());
        return Status::StoreInUse.because(text);
    }
    cant_open(path, &error.to_string())
}

fn in_use(file: &Path) -> Failure {
    Status::StoreInUse.because(format!("the store {} is in use by another client or process", file.display()))
}

/// Why the store in a folder is none, though each of its records is one.
pub fn contradictory(folder: &Path, why: &str) -> Failure {
    damaged(&folder.join(FILE), why)
}

fn damaged(file: &Path, why: &str) -> Failure {
    Status::StoreDamaged.because(format!("the store {} is damaged: {why}; move it away to start anew", file.display()))
}

fn replaced(file: &Path) -> Failure {
    cant_open(file, "it isn't the one that this client has written, but an older or another one; put that back")
}

fn cant_write(error: redb::Error, file: &Path) -> Failure {
    match error {
        redb::Error::Corrupted(why) => damaged(file, &why),
        other => Status::StoreNotWritten.because(format!("the store {} can't be written: {other}", file.display())),
    }
}

/// Why a file could not be opened or read.
fn explain(error: redb::Error, file: &Path) -> Failure {
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => in_use(file),
        redb::Error::UpgradeRequired(version) => damaged(file, &format!("it is a file of version {version}")),
        redb::Error::Corrupted(why) => damaged(file, &why),
        redb::Error::Io(error) => match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => damaged(file, &error.to_string()),
            _ => not_opened(file, &error),
        },
        other => cant_open(file, &other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::{Key, Record};
    use std::sync::Barrier;
    use std::thread;
    use std::time::Instant;

    pub(super) fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("mt5mqtt-{name}-{}", std::process::id()))
    }

    pub(super) fn now() -> Moment {
        Moment { instant: Instant::now(), unix_ms: 1 }
    }

    pub(super) fn identity(client_id: &str) -> Identity {
        Identity { client_id: client_id.to_owned(), server: "mqtt://127.0.0.1:1883".to_owned() }
    }

    pub(super) fn batch() -> Batch {
        Batch { number: 1, changes: vec![(Key::Session, Some(Record::Session))] }
    }

    #[test]
    fn of_all_who_make_a_store_at_once_one_has_it_and_the_others_hear_that_it_is_in_use() {
        let folder = folder("store-made");
        for _ in 0..50 {
            let _ = fs::remove_dir_all(&folder);
            let all_are_there = Barrier::new(3);
            let mut opened: Vec<_> = thread::scope(|scope| {
                let open = || {
                    all_are_there.wait();
                    open(&folder, &identity("a"), now())
                };
                let threads = [(); 3].map(|()| scope.spawn(open));
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let statuses: Vec<_> =
                opened.iter().map(|result| result.as_ref().err().map(|error| error.status)).collect();
            assert_eq!(statuses.iter().filter(|status| status.is_none()).count(), 1, "{statuses:?}");
            assert!(statuses.iter().flatten().all(|status| *status == Status::StoreInUse), "{statuses:?}");
            let owner = opened.iter_mut().find_map(|result| result.as_mut().ok()).unwrap();
            owner.0.commit(&[batch()], now()).unwrap();
            drop(opened);
            // What it has stored is in the file that has the name.
            assert_eq!(open(&folder, &identity("a"), now()).unwrap().1.records.len(), 1);
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_full_disk_is_told_as_such_whatever_has_no_room_on_it() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            let full = || io::Error::from(kind);
            let (folder, file) = (Path::new("folder"), Path::new("file"));
            for failure in [not_opened(folder, &full()), explain(redb::Error::Io(full()), file)] {
                assert_eq!(failure.status, Status::StoreNotWritten, "{failure}");
            }
        }
    }

    #[test]
    fn a_store_that_could_not_be_written_is_still_in_use() {
        let folder = folder("store-kept");
        let _ = fs::remove_dir_all(&folder);
        let (mut store, _) = open(&folder, &identity("a"), now()).unwrap();
        // As a failure leaves it until the next attempt.
        store.database = None;
        assert_eq!(open(&folder, &identity("a"), now()).err().map(|error| error.status), Some(Status::StoreInUse));
        store.commit(&[batch()], now()).unwrap();
        drop(store);
        assert_eq!(open(&folder, &identity("a"), now()).unwrap().1.records.len(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[cfg(test)]
#[path = "replaced_tests.rs"]
mod replaced_tests;
