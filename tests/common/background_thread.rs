//! What the system tells of the client's own thread. There must be one client in the process.

use super::fake_server::DEADLINE;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// Between publishes that each go by themselves: those of a program that makes none are gathered, and a fast machine has one at the
/// Server and back in less time than the client takes for no pause.
pub const PAUSE: Duration = Duration::from_micros(50);

/// How often the background thread went to sleep.
pub fn sleeps_of_background_thread() -> u64 {
    let thread = background_thread();
    let status = fs::read_to_string(thread.join("status")).expect("its status");
    let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    switches.and_then(|count| count.trim().parse().ok()).expect("its voluntary context switches")
}

fn background_thread() -> PathBuf {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let threads = fs::read_dir("/proc/self/task").expect("the threads of this process");
        let found = threads.map(|thread| thread.expect("a thread").path()).filter(|thread| {
            let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
            name.trim_end() == "mt5mqtt"
        });
        if let [thread] = &found.collect::<Vec<_>>()[..] {
            return thread.clone();
        }
        // It takes its name when it begins, and the caller of connect may be ahead of it. That of a client which was freed may
        // take a moment more to end than free waits.
        assert!(Instant::now() < deadline, "there is not one background thread");
        std::thread::yield_now();
    }
}

/// The calling thread, for [`until_it_sleeps`]; only Linux tells whether a thread sleeps.
pub fn this_thread() -> Option<PathBuf> {
    fs::read_link("/proc/thread-self").ok().map(|thread| Path::new("/proc").join(thread))
}

/// Runs `wait` on a thread of its own, and returns when that sleeps.
pub fn asleep<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    wait: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let (begun, has_begun) = mpsc::channel();
    let waiting = scope.spawn(move || {
        begun.send(this_thread()).expect("a test that goes on");
        wait()
    });
    if let Some(thread) = has_begun.recv().expect("a thread that begins") {
        until_it_sleeps(&thread);
    }
    waiting
}

/// The thread, the program's own, has sent its message and waits.
pub fn until_it_sleeps(thread: &Path) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let status = fs::read_to_string(thread.join("status")).expect("its status");
        if status.lines().any(|line| line.starts_with("State:") && line.contains('S')) {
            return;
        }
        assert!(Instant::now() < deadline, "the program doesn't wait");
        std::thread::yield_now();
    }
}

/// How often it went to sleep in the run in which it did so least. On a busy machine a program isn't always where it would be
/// otherwise when a message comes, so there are several attempts, until one has `few` enough.
pub fn fewest_sleeps(few: u64, mut run: impl FnMut()) -> u64 {
    let mut fewest = u64::MAX;
    for _ in 0..5 {
        let before = sleeps_of_background_thread();
        run();
        fewest = fewest.min(sleeps_of_background_thread() - before);
        if fewest < few {
            break;
        }
    }
    fewest
}
