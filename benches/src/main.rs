//! mt5mqtt side by side with libmosquitto, Paho C, rumqttc and raw TCP: one command, one table.
//!
//!     cargo build --release && cargo run --release --manifest-path benches/Cargo.toml
//!
//! Peers alternate within each round, so that what else the machine does hits them alike; the medians of the rounds are
//! reported, and written to benches/RESULTS.md and benches/results.svg. With words as arguments, only rows whose measure is
//! one of them are run, and nothing is written. `ROUNDS=n` overrides the number of rounds. `sizes LIBRARY` says instead what
//! each crate costs in a library that was not stripped.

mod measures;
mod peers;
mod plan;
mod plot;
mod report;
mod server;
mod servers;
mod sizes;
mod wire;

use peers::Peer;
use plan::{PLAN, Place, ROUNDS, Row};
use report::Results;
use servers::Server;
use std::collections::HashSet;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// After this long a peer is given up on.
const LIMIT: Duration = Duration::from_secs(15);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["server"] => server::run(),
        ["sizes", library] => {
            let table = sizes::table(library);
            println!("{table}");
            report::rewrite(concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md"), "sizes", &table);
        }
        ["measure", peer, port, measure, qos, size, count] => measures::run(&measures::Order {
            peer: Peer::from_name(peer).expect("a peer"),
            port: port.parse().expect("a port"),
            measure,
            qos: qos.parse().expect("a QoS"),
            size: size.parse().expect("a size"),
            count: count.parse().expect("a count"),
        }),
        _ => compare(&words),
    }
}

fn compare(only: &[&str]) {
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let rows: Vec<&Row> = PLAN.iter().filter(|row| only.is_empty() || only.contains(&row.measure)).collect();
    let (mosquitto, minimal) = (Server::mosquitto(), Server::minimal());
    let mut results = Results::new();
    let mut failed = HashSet::new();
    for round in 0..rounds {
        for (index, row) in rows.iter().enumerate() {
            eprint!("\rround {}/{rounds}, {}/{}: {:<30}", round + 1, index + 1, rows.len(), row.measure);
            let port = if row.place == Place::Mosquitto { mosquitto.port } else { minimal.port };
            for turn in 0..row.peers.len() {
                // Another one begins in each round.
                let peer = row.peers[(turn + round) % row.peers.len()];
                // Who couldn't do it once is left blank.
                if failed.contains(&(index, peer)) {
                    continue;
                }
                let figures = measure(row, peer, port);
                if figures.is_empty() {
                    failed.insert((index, peer));
                }
                for (key, value) in figures {
                    results.add(row, peer, &key, value);
                }
            }
        }
    }
    eprintln!();
    println!("{}", results.table(&rows));
    if only.is_empty() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        std::fs::write(format!("{folder}results.svg"), plot::svg(&results)).expect("write results.svg");
        report::rewrite(&format!("{folder}RESULTS.md"), "figures", &results.document(&rows, rounds));
    }
}

/// Runs one measure in a process of its own. Nothing if the peer didn't manage.
fn measure(row: &Row, peer: Peer, port: u16) -> Vec<(String, f64)> {
    let own = std::env::current_exe().expect("this program");
    let (port, qos) = (port.to_string(), row.qos.to_string());
    let (size, count) = (row.size.to_string(), row.count.to_string());
    let mut child = Command::new(own)
        .args(["measure", peer.name(), &port, row.measure, &qos, &size, &count])
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().expect("its end") {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                break child.wait().expect("its end");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let mut output = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut output).expect("its output");
    if !status.success() {
        eprintln!("\n{} failed at {} ({status})", peer.name(), row.measure);
        return Vec::new();
    }
    let figure = |line: &str| {
        let (key, value) = line.split_once(' ')?;
        Some((key.to_owned(), value.parse().ok()?))
    };
    output.lines().filter_map(figure).collect()
}
