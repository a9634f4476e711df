//! Where the records of a durable Session lie: one folder for one client of one Server.
//!
//! Everything here runs on the background thread, and may wait for the disk. What is stored is either there in full, or the
//! client is told why not: it never starts from empty because something is wrong.

mod encoding;
mod folder;
mod keeper;
mod redb_store;

pub use folder::drive_is_there;
pub use keeper::{Keeper, Written};

use crate::session::record::{Batch, Key, Record};
use crate::types::status::Failure;
use std::path::PathBuf;
use std::time::Instant;

/// Whose Session a store holds. Another client, or the same at another Server, must not continue it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub client_id: String,
    pub server: String,
}

/// With which store a client was connected first. It keeps that one, or none.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum StoreChoice {
    /// It wasn't connected yet.
    #[default]
    Open,
    Without,
    In {
        folder: PathBuf,
        identity: Identity,
    },
}

impl From<Option<(PathBuf, Identity)>> for StoreChoice {
    fn from(chosen: Option<(PathBuf, Identity)>) -> Self {
        chosen.map_or(StoreChoice::Without, |(folder, identity)| StoreChoice::In { folder, identity })
    }
}

/// A moment, by both clocks: records hold times of the one that goes on when the machine is off.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub instant: Instant,
    pub unix_ms: i64,
}

/// What a store that was opened held.
#[derive(Debug, Default)]
pub struct Stored {
    pub records: Vec<(Key, Record)>,
    /// The highest token that was ever stored.
    pub last_token: i64,
}

/// A place for records. Its implementation is exchangeable: nothing else names it.
pub trait Store: Send {
    /// Stores the changes of all these batches, all or none of them; they are durable when it returns. After a failure it
    /// can be tried again.
    fn commit(&mut self, batches: &[Batch], now: Moment) -> Result<(), Failure>;
}
