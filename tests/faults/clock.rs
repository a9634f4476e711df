//! Clocks that the conductor can move: those that a child sees by clock.c.

use crate::common::tools;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Clocks of one round, shared by its processes.
pub struct Clock {
    /// Holds the offsets.
    pub file: PathBuf,
    open: File,
    /// Seconds: the UNIX clock, the monotonic clock.
    offsets: [i64; 2],
}

impl Clock {
    pub fn new() -> Result<Clock, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mt5mqtt-clock-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let file = std::env::temp_dir().join(name);
        let open = File::create(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let clock = Clock { file, open, offsets: [0; 2] };
        clock.write()?;
        Ok(clock)
    }

    /// The UNIX clock jumps to so many seconds from the true time.
    pub fn jump(&mut self, seconds: i64) -> Result<(), String> {
        self.offsets[0] = seconds;
        self.write()
    }

    /// So many seconds pass on both clocks.
    pub fn pass(&mut self, seconds: i64) -> Result<(), String> {
        self.offsets = self.offsets.map(|offset| offset + seconds);
        self.write()
    }

    fn write(&self) -> Result<(), String> {
        let bytes: Vec<u8> = self.offsets.iter().flat_map(|offset| offset.to_ne_bytes()).collect();
        self.open.write_all_at(&bytes, 0).map_err(|error| format!("{}: {error}", self.file.display()))
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// The compiled clock.c; `None` without a C compiler.
pub fn library() -> Option<PathBuf> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    LIBRARY.get_or_init(compile).clone()
}

fn compile() -> Option<PathBuf> {
    let compiler = tools::find("cc")?;
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("libfaults_clock.so");
    // Another run may be using the old one.
    let new = library.with_extension(format!("{}.so", std::process::id()));
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&new);
    tools::run(command.arg(tools::project("tests/faults/clock.c")).arg("-ldl"));
    fs::rename(&new, &library).expect("put the compiled clock in its place");
    Some(library)
}
