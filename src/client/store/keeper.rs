//! The store as the background thread keeps it: what could not be written is tried again, in its order, until it could.

use super::redb_store;
use super::{Identity, Moment, Store, Stored};
use crate::session::record::Batch;
use crate::types::status::Failure;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long after a failure writing is tried again: a full disk isn't empty sooner.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Keeper {
    store: Option<Box<dyn Store>>,
    /// What a failure has left.
    unwritten: Vec<Batch>,
    retry: Option<Instant>,
    /// Why the last attempt failed.
    failure: Option<Failure>,
}

/// What came of writing.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// Everything up to this batch is durable. `recovered` says that the attempt before had failed.
    UpTo { batch: u64, recovered: bool },
    /// It is tried again later. `new` says that the attempt before had not failed, or for another reason.
    Failed { failure: Failure, new: bool },
}

impl Keeper {
    /// For tests: a store that is open.
    #[cfg(test)]
    pub fn with(store: Box<dyn Store>) -> Self {
        Keeper { store: Some(store), ..Keeper::default() }
    }

    pub fn is_open(&self) -> bool {
        self.store.is_some()
    }

    pub fn open(&mut self, folder: &Path, identity: &Identity, now: Moment) -> Result<Stored, Failure> {
        let (store, stored) = redb_store::open(folder, identity, now)?;
        self.store = Some(Box::new(store));
        Ok(stored)
    }

    /// Gives the store up, as what it holds can't be true. It can be opened again.
    pub fn refuse(&mut self, folder: &Path, why: &str) -> Failure {
        self.store = None;
        redb_store::contradictory(folder, why)
    }

    /// Whether writing makes sense now.
    pub fn is_ready(&self, now: Instant) -> bool {
        self.store.is_some() && self.retry.is_none_or(|retry| retry <= now)
    }

    /// When what a failure has left is tried again.
    pub fn next_retry(&self) -> Option<Instant> {
        self.retry
    }

    /// Whether a failure has left something.
    pub fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Writes the batch, after those that a failure has left. `None` if there is nothing to write.
    pub fn write(&mut self, batch: Option<Batch>, now: Moment) -> Option<Written> {
        let store = self.store.as_mut()?;
        self.unwritten.extend(batch);
        let last = self.unwritten.last()?.number;
        match store.commit(&self.unwritten, now) {
            Ok(()) => {
                self.unwritten.clear();
                self.failure = None;
                Some(Written::UpTo { batch: last, recovered: self.retry.take().is_some() })
            }
            Err(failure) => {
                self.retry = Some(now.instant + RETRY);
                let new = self.failure.replace(failure.clone()).is_none_or(|before| before != failure);
                Some(Written::Failed { failure, new })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::{Key, Record};
    use crate::types::status::Status;
    use parking_lot::Mutex;
    use std::sync::Arc;

    /// Works only while there is nothing wrong, and shows what it has stored.
    struct Unreliable {
        wrong: Arc<Mutex<Option<&'static str>>>,
        stored: Arc<Mutex<Vec<u64>>>,
    }

    impl Store for Unreliable {
        fn commit(&mut self, batches: &[Batch], _now: Moment) -> Result<(), Failure> {
            if let Some(why) = *self.wrong.lock() {
                return Err(Status::StoreNotWritten.because(why));
            }
            self.stored.lock().extend(batches.iter().map(|batch| batch.number));
            Ok(())
        }
    }

    #[test]
    fn what_could_not_be_written_is_written_in_its_order_when_the_disk_has_room_again() {
        let (wrong, stored) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(Vec::new())));
        let store = Unreliable { wrong: wrong.clone(), stored: stored.clone() };
        let mut keeper = Keeper::with(Box::new(store));
        let batch = |number| Some(Batch { number, changes: vec![(Key::Session, Some(Record::Session))] });
        let mut now = Moment { instant: Instant::now(), unix_ms: 0 };
        assert_eq!(keeper.write(batch(1), now), Some(Written::UpTo { batch: 1, recovered: false }));
        assert_eq!(keeper.write(None, now), None);
        *wrong.lock() = Some("the disk is full");
        assert!(matches!(keeper.write(batch(2), now), Some(Written::Failed { new: true, .. })));
        assert!(!keeper.is_ready(now.instant) && keeper.next_retry() == Some(now.instant + RETRY));
        now.instant += RETRY;
        assert!(keeper.is_ready(now.instant));
        assert!(matches!(keeper.write(batch(3), now), Some(Written::Failed { new: false, .. })));
        // Who has been told of the one reason would look for it for ever.
        *wrong.lock() = Some("the file is gone");
        now.instant += RETRY;
        assert!(matches!(keeper.write(None, now), Some(Written::Failed { new: true, .. })));
        *wrong.lock() = None;
        now.instant += RETRY;
        assert_eq!(keeper.write(None, now), Some(Written::UpTo { batch: 3, recovered: true }));
        // Who has been told that it can be written again is told of the next failure, whatever the one before was.
        *wrong.lock() = Some("the file is gone");
        assert!(matches!(keeper.write(batch(4), now), Some(Written::Failed { new: true, .. })));
        *wrong.lock() = None;
        assert_eq!(keeper.write(None, now), Some(Written::UpTo { batch: 4, recovered: true }));
        assert_eq!(*stored.lock(), [1, 2, 3, 4]);
        assert!(!keeper.has_unwritten() && keeper.next_retry().is_none());
    }
}
