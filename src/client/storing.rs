//! How the background thread uses the store: it opens it before the first connection, and writes to it with each of
//! its turns. While it writes, the core's lock is free. What callers publish meanwhile is in the next batch, so a
//! burst costs few commits.

use super::clock;
use super::core::{Core, Wish};
use super::events::NoticeKind;
use super::log::Level;
use super::store::{Written, drive_is_there};
use super::worker::Worker;
use crate::session::record::Batch;
use crate::types::status::{Failure, Status};
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Worker {
    /// Opens the store if there is to be one, and has the Session take over what it holds.
    pub(super) fn open_store(&mut self) -> Result<(), Failure> {
        let wanted = self.options.store();
        if let Some((folder, identity)) = wanted.as_ref().filter(|_| !self.keeper.is_open()) {
            let stored = self.keeper.open(folder, identity, clock::moment())?;
            let shared = self.shared.clone();
            shared.note(Level::Info, || format!("store opened: {} records", stored.records.len()));
            // From now on it matters which ends of publishes the program never gets.
            shared.events.take_untold();
            let mut core = shared.core.lock();
            core.restore(&shared, stored).map_err(|why| self.keeper.refuse(folder, why))?;
            core.report(&shared);
        }
        *self.shared.store.lock() = wanted.into();
        Ok(())
    }

    /// Without its store the client doesn't connect. Only what can pass by itself is tried again.
    pub(super) fn store_not_opened(&mut self, failure: Failure) {
        let shared = self.shared.clone();
        let comes_later = || self.options.store().is_some_and(|(folder, _)| !drive_is_there(&folder));
        let passes = matches!(failure.status, Status::StoreInUse | Status::StoreNotWritten) || comes_later();
        let mut core = shared.core.lock();
        if !passes {
            core.wish = Wish::Nothing;
        }
        self.connecting_failed(failure, &mut core);
    }

    pub(super) fn has_to_store(&self, now: Instant, core: &Core) -> bool {
        self.keeper.is_ready(now) && (core.session.has_records() || self.keeper.has_unwritten())
    }

    /// Stores a batch of changes, and what a failure has left before. The core must not be locked by this thread.
    pub(super) fn store(&mut self, batch: Option<Batch>) {
        let shared = self.shared.clone();
        match self.keeper.write(batch, clock::moment()) {
            Some(Written::UpTo { batch, recovered }) => {
                if recovered {
                    shared.accounts.store_failed.store(false, Ordering::Release);
                    shared.note(Level::Warning, || "the store can be written again".to_owned());
                    shared.events.push(NoticeKind::Store(None));
                }
                let mut core = shared.core.lock();
                shared.snapshot.lock().commits += 1;
                core.session.handle_durable(clock::now(), batch);
                core.report(&shared);
            }
            Some(Written::Failed { failure, new }) => {
                shared.accounts.store_failed.store(true, Ordering::Release);
                if new {
                    shared.note(Level::Error, || failure.text.clone());
                    shared.events.push(NoticeKind::Store(Some(failure)));
                }
            }
            None => {}
        }
    }
}
