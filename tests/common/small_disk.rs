//! A small file system in memory, gone with the value.

use super::folder::Folder;
use super::tools;
use std::process::Command;

pub struct SmallDisk {
    pub folder: Folder,
}

impl SmallDisk {
    /// `None`, reported as left out, for users who may not mount one.
    pub fn mount(name: &str, options: &str) -> Option<Self> {
        let folder = Folder::new(name);
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            tools::leave_out(&format!("{name} on a small disk"), "the right to mount one");
            return None;
        }
        Some(SmallDisk { folder })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
