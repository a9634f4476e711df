//! The one process-wide table: handles to what they stand for.
//!
//! A handle is a slot and a generation, so that a stale or forged one is found out. The lock is held only to copy a
//! reference out.

use super::properties::Set;
use crate::client::Client;
use once_cell::sync::Lazy;
use parking_lot::{Mutex, RwLock};
use slotmap::{DefaultKey, Key, KeyData, SlotMap};
use std::sync::Arc;

#[derive(Clone)]
pub enum Object {
    Client(Arc<Client>),
    Properties(Arc<Mutex<Set>>),
}

static TABLE: Lazy<RwLock<SlotMap<DefaultKey, Object>>> = Lazy::new(Default::default);

/// Adds an object. Its handle is above 0.
pub fn insert(object: Object) -> i64 {
    // The generation stands in the upper half: it stays positive for the first 2^30 uses of a slot.
    TABLE.write().insert(object).data().as_ffi() as i64
}

pub fn get(handle: i64) -> Option<Object> {
    TABLE.read().get(key(handle)?).cloned()
}

/// Takes the object out, if `wanted` says that it is the right kind.
pub fn remove(handle: i64, wanted: impl FnOnce(&Object) -> bool) -> Option<Object> {
    let mut table = TABLE.write();
    let key = key(handle)?;
    if table.get(key).is_some_and(wanted) { table.remove(key) } else { None }
}

/// Takes all objects out, unless a thread that doesn't exist any more has left the table locked.
#[cfg(windows)]
pub fn clear() -> Vec<Object> {
    TABLE.try_write().map(|mut table| table.drain().map(|(_, object)| object).collect()).unwrap_or_default()
}

fn key(handle: i64) -> Option<DefaultKey> {
    let key = KeyData::from_ffi(handle as u64);
    // Only odd generations are in use, and from_ffi makes an even one odd: what is left of a handle in an int32_t would
    // name the first object of its slot.
    (handle > 0 && key.as_ffi() == handle as u64).then(|| DefaultKey::from(key))
}
