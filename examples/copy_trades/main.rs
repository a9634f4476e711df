//! Trades copied from a master to two followers over MQTT, through kills of the Server and of a follower.
//!
//! Every part is a process of its own, as in life: the Server, the master's terminal, two followers' terminals. Master and
//! followers load the built library through its C ABI, as MetaTrader does; no Rust interface of it is used.
//!
//! The design, which is what a copier has to get right:
//! - The master publishes its **complete state** on every change, retained and with QoS 1. A follower that hears one state knows
//!   everything, however many it missed: there are no events whose loss or repetition could hurt.
//! - A follower computes what its book has to be from that state and its own rules, compares it with what stands on its account,
//!   and executes the difference. Applying a state twice does nothing.
//! - What was ordered is written down before it is executed, so that a kill at any moment doubles nothing.
//! - A trade that opened and closed while a follower was cut off is skipped, and listed: copying it late would be a trade of
//!   its own.
//!
//! Deliberately absent: prices at the followers (their accounts fill at the master's), netting accounts, limits on the age of an
//! opening.

mod abi;
mod account;
mod book;
mod check;
mod copier;
mod decimal;
mod difference;
mod folder;
mod follower;
mod history;
mod journal;
mod master;
mod options;
mod orchestrate;
mod prices;
mod process;
mod progress;
mod report;
mod role;
mod rows;
mod rules;
mod run;
mod script;
mod server;
mod source;
mod strategy;
mod terminal;

use std::process::ExitCode;

use check::Verdict;
use options::Command;
use role::{Report, Role};
use run::Run;

/// Trades were missed or doubled, or a book differs.
const WRONG: u8 = 1;
/// The run could not be made.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == options::ROLE).is_some() {
        return play(&arguments.next().unwrap_or_default());
    }
    let verdicts = match options::parse(arguments) {
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Check(folder)) => Run::read(&folder).and_then(|run| run.check(&folder)),
        Ok(Command::Run(options)) => orchestrate::run(&options),
        Err(why) => Err(why),
    };
    match verdicts {
        Ok(verdicts) => {
            print!("{}", report::table(&verdicts));
            let good = verdicts.iter().all(Verdict::is_good);
            println!("{}", if good { "0 missed, 0 doubled, books equal" } else { "NOT a faithful copy" });
            if good { ExitCode::SUCCESS } else { ExitCode::from(WRONG) }
        }
        Err(why) => {
            eprintln!("copy_trades: {why}");
            ExitCode::from(FAILED)
        }
    }
}

/// One process of the run.
fn play(role: &str) -> ExitCode {
    let result = serde_json::from_str(role).map_err(|e| format!("the role {role:?} is not one: {e}")).and_then(
        |role| match role {
            Role::Server { port } => server::run(port),
            Role::Master { at, source, steps_per_second } => master::run(&at, &source, steps_per_second),
            Role::Follower { at, name, rules } => follower::run(&at, &name, rules),
        },
    );
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            Report::Failed { why }.say();
            ExitCode::from(FAILED)
        }
    }
}
