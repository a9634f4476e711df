//! A step of an Enhanced Authentication that the doctor can't take itself: the program is asked, and its answer goes to the
//! doctor's connection.

use crate::client::command::{AuthenticationData, Command};
use crate::client::shared::Shared;
use crate::codec::property::PropertiesBuf;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// One step, and whether it was answered. An answer that comes when the connection is gone does nothing.
pub struct Asked {
    /// The doctor's client, which lives as long as it examines that Server.
    by: Weak<Shared>,
    step: u64,
    answered: AtomicBool,
}

impl Asked {
    pub(super) fn new(by: &Arc<Shared>, step: u64) -> Self {
        Asked { by: Arc::downgrade(by), step, answered: AtomicBool::new(false) }
    }

    pub(in crate::client) fn answer(&self, data: Option<AuthenticationData>, properties: PropertiesBuf) {
        self.answered.store(true, Ordering::Release);
        if let Some(by) = self.by.upgrade() {
            by.submit(Command::Authenticate { step: self.step, data, properties });
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.step)
    }
}
