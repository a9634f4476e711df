//! Random bytes for each client.
//!
//! The system is asked for them once, for all clients. It may use a lock for that; if the host ended a thread that
//! holds it, nobody in the process could make a client any more.

use once_cell::race::OnceBox;
use ring::digest;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

static OF_THE_PROCESS: OnceBox<[u8; 32]> = OnceBox::new();
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Nobody who doesn't know those of the process can tell them.
pub(super) fn of_a_client() -> [u8; 32] {
    let of_the_process = OF_THE_PROCESS.get_or_init(|| {
        let mut seed = Box::new([0; 32]);
        // No system that this library runs on is without random numbers.
        getrandom::fill(&mut *seed).unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
        seed
    });
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(of_the_process);
    // One that fork made has those of its parent.
    hash.update(&process::id().to_le_bytes());
    hash.update(&NUMBER.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    let mut seed = [0; 32];
    seed.copy_from_slice(hash.finish().as_ref());
    seed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_clients_have_the_same_and_none_has_those_of_the_process() {
        let seeds: HashSet<[u8; 32]> = (0..1000).map(|_| of_a_client()).collect();
        assert_eq!(seeds.len(), 1000);
        let of_the_process = OF_THE_PROCESS.get().expect("made");
        assert!(!seeds.contains(of_the_process) && of_the_process != &[0; 32]);
    }
}
