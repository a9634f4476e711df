//! The folder of a store. A loss of power must not take it: with it would go what was told to be durable.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Whether the drive or the share is there on which the folder is to lie: one of the network may come later than its user.
pub fn drive_is_there(folder: &Path) -> bool {
    folder.ancestors().last().is_none_or(|top| top.as_os_str().is_empty() || top.is_dir())
}

/// Makes the folder, and what is missing above it.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    make_and(folder, keep_names)
}

fn make_and(folder: &Path, mut keep_names: impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    if !drive_is_there(folder) {
        return Err(io::Error::new(ErrorKind::NotFound, "its drive is not there"));
    }
    if folder.is_file() {
        return Err(io::Error::new(ErrorKind::NotADirectory, "it is a file, not a folder"));
    }
    let missing = folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.is_dir());
    let missing: Vec<&Path> = missing.collect();
    fs::create_dir_all(folder)?;
    for made in missing {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty());
        keep_names(above.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(super) fn keep_names(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Windows syncs no folder: NTFS writes the change of a name to its journal.
#[cfg(not(unix))]
pub(super) fn keep_names(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn kept(folder: &Path) -> Vec<PathBuf> {
        let mut kept = Vec::new();
        make_and(folder, |folder| {
            kept.push(folder.to_owned());
            keep_names(folder)
        })
        .unwrap();
        assert!(folder.is_dir());
        kept
    }

    #[test]
    fn the_name_of_each_new_folder_is_durable() {
        let above = std::env::temp_dir().join(format!("mt5mqtt-folder-{}", std::process::id()));
        let _ = fs::remove_dir_all(&above);
        fs::create_dir(&above).unwrap();
        let folder = above.join("a").join("b");
        assert!(drive_is_there(&folder));
        assert_eq!(kept(&folder), [above.join("a"), above.clone()]);
        assert!(kept(&folder).is_empty());
        assert_eq!(kept(&above.join("a/c/")), [above.join("a")]);
        let file = above.join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(make(&file).unwrap_err().to_string(), "it is a file, not a folder");
        fs::remove_dir_all(&above).unwrap();
    }

    #[test]
    fn a_relative_folder_lies_in_the_current_one() {
        let folder = PathBuf::from(format!("mt5mqtt-folder-{}", std::process::id()));
        assert!(drive_is_there(&folder));
        let kept = kept(&folder);
        fs::remove_dir(&folder).unwrap();
        assert_eq!(kept, [Path::new(".")]);
    }
}
