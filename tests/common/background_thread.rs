//! What the system tells of the client's own thread. There must be one client in the process.

use std::fs;

/// How often the background thread went to sleep.
pub fn sleeps_of_background_thread() -> u64 {
    let threads = fs::read_dir("/proc/self/task").expect("the threads of this process");
    let mut found = threads.map(|thread| thread.expect("a thread").path()).filter(|thread| {
        let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
        name.trim_end() == "mt5mqtt"
    });
    let thread = found.next().expect("a background thread");
    assert!(found.next().is_none(), "more than one background thread");
    let status = fs::read_to_string(thread.join("status")).expect("its status");
    let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    switches.and_then(|count| count.trim().parse().ok()).expect("its voluntary context switches")
}
