//! A bounded run of the fuzz targets, on any toolchain: the seeds of fuzz/seeds, and cases made of them and of nothing, the
//! same each time. fuzz/README.md tells how they are run without a bound.
//!
//! MT5MQTT_FUZZ_CASES sets another number of cases.

#[path = "../common/mod.rs"]
mod common;

mod announced;
mod choices;
mod decoder;
mod exports;
mod memory;
mod server;
mod session;

use common::any_export;
use common::tools::project;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// xorshift64*: good enough to choose bytes by, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }

    /// One of the seeds with something changed, or two of them together, or bytes of no seed.
    fn case(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        if self.below(4) == 0 {
            return self.bytes(300);
        }
        let mut case = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let place = self.below(case.len() + 1);
            match self.below(6) {
                0 => case.truncate(place),
                1 => case.splice(place..place, self.bytes(8)).for_each(drop),
                2 => case.extend_from_slice(&seeds[self.below(seeds.len())]),
                3 => case.drain(place..(place + self.below(8)).min(case.len())).for_each(drop),
                _ if place < case.len() => case[place] = self.next() as u8,
                _ => case.push(self.next() as u8),
            }
        }
        case
    }
}

/// Runs a target with all its seeds and so many cases, or as many as the environment says; returns how many. A failure says which
/// bytes it takes.
fn run(target: &str, cases: usize, mut run: impl FnMut(&[u8])) -> usize {
    let folder = project("fuzz/seeds").join(target);
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("the seeds").map(|file| file.expect("a seed").path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("a seed")).collect();
    assert!(seeds.len() >= 8, "{} has {} seeds", folder.display(), seeds.len());
    let mut try_case = |name: &str, bytes: &[u8]| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(bytes))) {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("{target} failed with {name}: as a file: echo {hex} | xxd -r -p");
            resume_unwind(panic);
        }
    };
    for (file, seed) in files.iter().zip(&seeds) {
        try_case(&file.display().to_string(), seed);
    }
    let cases = std::env::var("MT5MQTT_FUZZ_CASES").map_or(cases, |cases| cases.parse().expect("a number of cases"));
    let mut random = Random(0x5EED);
    for number in 0..cases {
        try_case(&format!("case {number}"), &random.case(&seeds));
    }
    cases
}

#[test]
fn the_decoder_holds_against_any_bytes() {
    run("decoder", 200_000, decoder::run);
}

#[test]
fn the_session_holds_against_any_order_of_bytes_commands_and_time() {
    let mut all = session::Happened::default();
    let cases = run("session", 20_000, |bytes| {
        let happened = session::run(bytes);
        all.connected += happened.connected;
        all.published += happened.published;
        all.messages += happened.messages;
        all.subscribed += happened.subscribed;
        all.redelivered += happened.redelivered;
        all.answered += happened.answered;
        all.authenticated += happened.authenticated;
        all.recognised += happened.recognised;
    });
    let few = [
        [all.connected, all.published, all.messages, all.subscribed],
        [all.redelivered, all.answered, all.authenticated, all.recognised],
    ];
    assert!(few.into_iter().flatten().min() >= Some(cases / 400), "the stories are empty: {all:?}");
}

#[test]
fn the_exports_hold_against_any_arguments() {
    let abi = common::abi::abi();
    let exports = any_export::exports(include_str!("../../include/mt5mqtt.h"), |name| abi.address(name));
    let (mut calls, mut successes) = (0, 0);
    run("exports", 3_000, |bytes| {
        let made = exports::run(&exports, bytes);
        calls += made.calls;
        successes += made.successes;
    });
    assert!(successes > calls / 5, "of {calls} calls {successes} did something");
}

#[test]
fn memory_is_measured() {
    let meter = memory::Meter::start();
    let taken = vec![0_u8; 100_000];
    drop(taken);
    let peak = meter.peak();
    assert!((100_000..101_000).contains(&peak), "{peak}");
}
