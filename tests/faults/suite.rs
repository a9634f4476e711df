//! The three roles of this program, and the short run.

use crate::common::tools;
use crate::scenario::{SCENARIOS, Scenario};
use crate::{child, clock, failed_once, long, process, round, verdict_tests};
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::time::Duration;

/// Of each scenario in the short run.
const SEED: u64 = 2026;
const LENGTH: Duration = Duration::from_secs(4);

/// Rounds that have failed once: scenario, seed, and what had gone wrong. The long run adds its own.
const FAILED_ONCE: &str = include_str!("failed_once.txt");

pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(process::AS_CHILD) => match child::run(&arguments[2]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{}: {why}", process::AS_CHILD);
                ExitCode::FAILURE
            }
        },
        Some("--minutes" | "--play") => long::run(&arguments[1..]),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    let once = SCENARIOS.iter().map(|scenario| trial(scenario.name, scenario, SEED));
    let again = failed_once::kept(FAILED_ONCE, 2).map(|words| {
        let (scenario, seed) = (words[0], words[1]);
        let number = seed.parse().unwrap_or_else(|_| panic!("{seed} is no seed"));
        trial(&format!("{scenario}, which failed with seed {seed},"), long::scenario(scenario), number)
    });
    verdict_tests::trials().into_iter().chain(again).chain(once).collect()
}

fn trial(name: &str, scenario: &'static Scenario, seed: u64) -> Trial {
    Trial::test(name, move || {
        if tools::find("mosquitto").is_none() || tools::find("mosquitto_sub").is_none() {
            tools::leave_out(scenario.name, "mosquitto and mosquitto-clients");
            return Ok(());
        }
        if scenario.moves_clocks && clock::library().is_none() {
            tools::leave_out(scenario.name, "a C compiler");
            return Ok(());
        }
        let outcome = round::play(scenario, seed, LENGTH).map_err(|why| format!("seed {seed}: {why}"))?;
        match outcome.broken.as_slice() {
            [] => Ok(()),
            broken => Err(Failed::from(format!("seed {seed}:\n{}", broken.join("\n")))),
        }
    })
}
