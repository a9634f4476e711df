//! The long run: rounds of random seeds until the time is over, and RESULTS.md.

use crate::common::tools;
use crate::failed_once;
use crate::round;
use crate::scenario::{SCENARIOS, Scenario};
use crate::verdict::Counts;
use std::fs;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Rounds that are played side by side.
const SIDE_BY_SIDE: usize = 3;
const LENGTH: Duration = Duration::from_secs(12);

/// The scenario of this name.
pub fn scenario(name: &str) -> &'static Scenario {
    let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
    found.unwrap_or_else(|| panic!("there is no scenario {name}"))
}

/// What was asked for on the command line.
struct Wanted {
    minutes: u64,
    seed: u64,
    only: Option<&'static Scenario>,
}

pub fn run(arguments: &[String]) -> ExitCode {
    if let [play, name, seed] = arguments
        && play == "--play"
    {
        let outcome = seed.parse().map_err(|_| format!("{seed} is no seed"));
        return match outcome.and_then(|seed| round::play(scenario(name), seed, LENGTH)) {
            Ok(outcome) => {
                println!("{:#?}\n{}", outcome.counts, outcome.broken.join("\n"));
                if outcome.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(why) => {
                println!("{why}");
                ExitCode::FAILURE
            }
        };
    }
    match read(arguments) {
        Ok(wanted) => play_for(&wanted),
        Err(why) => {
            eprintln!("{why}\nusage: tests/faults/run --minutes N [--seed S] [--only SCENARIO] | --play SCENARIO SEED");
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted { minutes: 0, seed: fastrand::u64(..1 << 48), only: None };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
        let number = value.parse().map_err(|_| format!("{value} is no number"));
        match name.as_str() {
            "--minutes" => wanted.minutes = number?,
            "--seed" => wanted.seed = number?,
            "--only" => wanted.only = Some(scenario(value)),
            _ => return Err(format!("there is no argument {name}")),
        }
    }
    Ok(wanted)
}

/// What the rounds of one scenario came to.
#[derive(Default)]
struct Row {
    counts: Counts,
    failures: Vec<String>,
}

fn play_for(wanted: &Wanted) -> ExitCode {
    println!("seed {}", wanted.seed);
    let end = Instant::now() + Duration::from_secs(60 * wanted.minutes);
    let started = Instant::now();
    let number = AtomicU64::new(0);
    let rows: Vec<Mutex<Row>> = SCENARIOS.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while Instant::now() < end {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    let index = match wanted.only {
                        Some(only) => SCENARIOS.iter().position(|scenario| scenario.name == only.name).unwrap_or(0),
                        None => number as usize % SCENARIOS.len(),
                    };
                    play_one(&SCENARIOS[index], wanted.seed + number, &rows[index]);
                }
            });
        }
    });
    let rows: Vec<Row> = rows.into_iter().map(|row| row.into_inner().expect("no panic under this lock")).collect();
    let text = results(wanted, started.elapsed(), &rows);
    println!("{text}");
    if wanted.only.is_none() {
        fs::write(tools::project("tests/faults/RESULTS.md"), &text).expect("write RESULTS.md");
    }
    if rows.iter().all(|row| row.failures.is_empty()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play_one(scenario: &Scenario, seed: u64, row: &Mutex<Row>) {
    let failure = match round::play(scenario, seed, LENGTH) {
        Ok(outcome) => {
            row.lock().expect("no panic under this lock").counts.add(&outcome.counts);
            (!outcome.broken.is_empty()).then(|| outcome.broken.join("\n"))
        }
        Err(why) => Some(why),
    };
    if let Some(failure) = failure {
        println!("FAILED {} seed {seed}:\n{failure}", scenario.name);
        let first = failure.lines().next().unwrap_or_default();
        failed_once::keep("tests/faults/failed_once.txt", &format!("{} {seed} {first}", scenario.name));
        let text = format!("{} seed {seed}: {first}", scenario.name);
        row.lock().expect("no panic under this lock").failures.push(text);
    } else {
        println!("ok {} seed {seed}", scenario.name);
    }
}

fn results(wanted: &Wanted, time: Duration, rows: &[Row]) -> String {
    let mut sum = Counts::default();
    rows.iter().for_each(|row| sum.add(&row.counts));
    let failures: Vec<&String> = rows.iter().flat_map(|row| &row.failures).collect();
    let mut text = format!(
        "# Results of the fault suite\n\n\
         Written by `tests/faults/run --minutes {} --seed {}`; it took {} minutes and played {SIDE_BY_SIDE} rounds side by \
         side, each with {} s of faults. Half of the rounds speak MQTT 5.0, half 3.1.1; the seed decides.\n\n\
         | | |\n| --- | ---: |\n",
        wanted.minutes,
        wanted.seed,
        time.as_secs() / 60,
        LENGTH.as_secs(),
    );
    for (name, value) in [
        ("rounds", sum.rounds),
        ("messages accepted (QoS 1 and 2)", sum.accepted),
        ("of these completed", sum.completed),
        ("of these ended as \"the Server lost the Session\" (QoS 2), as documented", sum.session_lost),
        ("of these refused by a killed Server, by PUBACK or PUBREC", sum.refused),
        ("messages taken by the receiver (QoS 1 and 2)", sum.taken),
        ("QoS 1 messages taken more than once, as QoS 1 allows", sum.repeated_qos1),
        ("**lost by the client**", sum.lost),
        ("**doubled by the client**", sum.doubled),
        ("lost by a killed Server, after it had acknowledged them", sum.lost_by_server),
        ("QoS 2 messages that the Server sent anew after its own PUBREL, or after a crash", sum.doubled_by_server),
        ("messages that the Server let others overtake", sum.disordered_by_server),
        ("QoS 2 messages taken again by a killed receiver, before it could answer", sum.repeated_after_kill),
        ("messages that a killed sender had accepted, and not called durable", sum.not_durable),
        ("connections", sum.connections),
        ("cuts, resets, half closes, stalls, black holes, refusals", sum.line_faults),
        ("kills of the Server", sum.server_kills),
        ("restarts of the Server", sum.server_restarts),
        ("kills of the receiver", sum.receiver_kills),
        ("kills of the sender (with a store)", sum.sender_kills),
        ("stops of a process (SIGSTOP)", sum.pauses),
        ("exhaustions of descriptors", sum.descriptor_exhaustions),
        ("clock jumps, and sleeps of hours", sum.clock_jumps),
        ("**failed rounds**", failures.len() as u64),
    ] {
        text.push_str(&format!("| {name} | {value} |\n"));
    }
    text.push_str("\n| scenario | rounds | accepted | lost | doubled | lost by a killed Server | failed |\n");
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (scenario, row) in SCENARIOS.iter().zip(rows) {
        let Counts { rounds, accepted, lost, doubled, lost_by_server, .. } = row.counts;
        let (name, failed) = (scenario.name, row.failures.len());
        text.push_str(&format!(
            "| {name} | {rounds} | {accepted} | {lost} | {doubled} | {lost_by_server} | {failed} |\n"
        ));
    }
    if !failures.is_empty() {
        text.push_str("\nFailures:\n\n");
        failures.iter().for_each(|failure| text.push_str(&format!("- {failure}\n")));
    }
    text
}
