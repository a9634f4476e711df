//! The folder of one run: journals and books. A temporary one is deleted with its last use unless it was asked to stay.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static NUMBER: AtomicU32 = AtomicU32::new(0);

pub struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    pub fn temporary(name: &str) -> Result<Folder, String> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("{name}-{}-{nanos}-{number}", std::process::id()));
        Folder::make(path, false)
    }

    /// A folder named by the user stays. It must be new or empty: journals of two runs in one folder would be one nonsense.
    pub fn named(path: &Path) -> Result<Folder, String> {
        if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(format!("the folder {} is not empty", path.display()));
        }
        Folder::make(path.to_owned(), true)
    }

    fn make(path: PathBuf, keep: bool) -> Result<Folder, String> {
        std::fs::create_dir_all(&path).map_err(|e| format!("the folder {} can't be made: {e}", path.display()))?;
        Ok(Folder { path, keep })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
