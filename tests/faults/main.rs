//! The fault suite: two programs with the built library, a real Server, and everything between them that goes wrong.
//!
//! `cargo test --test faults` plays each scenario once, with a fixed seed. `tests/faults/run --minutes N` plays rounds of
//! random seeds for so long, writes RESULTS.md and adds what fails to failed_once.txt; `--seed S` starts it at a seed,
//! `--only NAME` keeps to one scenario.
//! A failure names its scenario and seed; `--play NAME SEED` plays that round again.

#[cfg(not(unix))]
fn main() {
    println!("left out: the fault suite (needs the signals of Unix)");
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    suite::main()
}

#[cfg(unix)]
mod abi;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod clock;
#[cfg(unix)]
#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod failed_once;
#[cfg(unix)]
mod long;
#[cfg(unix)]
mod payload;
#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod proxy;
#[cfg(unix)]
mod role;
#[cfg(unix)]
mod round;
#[cfg(unix)]
mod scenario;
#[cfg(unix)]
mod sent;
#[cfg(unix)]
mod suite;
#[cfg(unix)]
mod taken;
#[cfg(unix)]
mod verdict;
#[cfg(unix)]
mod verdict_tests;
#[cfg(unix)]
mod wire;
