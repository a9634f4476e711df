//! The trade copier's logic, which asks no terminal: its rules by examples, its plan by random masters and followers.

use crate::common::folder::Folder;
use crate::compile::{compiler, program};
use crate::host::Terminal;
use std::time::{SystemTime, UNIX_EPOCH};

/// A script of checks, none of which may fail.
fn checks(leg: &str, path: &str) {
    let Some(_) = compiler(leg) else { return };
    let mut terminal = Terminal::start();
    terminal.load("script", "checks", &program(path), ("1", "EURUSD"), &[]);
    terminal.expect("checks", "ended", "");
    let said = terminal.said("checks", "print");
    let failed: Vec<_> = said.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(said.last().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{said:?}");
    terminal.close();
}

#[test]
fn states_filters_symbols_and_volumes() {
    checks("the copier's rules", "tests/mql5/programs/CopierRules.mq5");
}

#[test]
fn guards_carried_volumes_and_origins() {
    checks("the copier's guards", "tests/mql5/programs/CopierGuards.mq5");
}

#[test]
fn pending_orders_are_placed_changed_and_deleted() {
    checks("the copier's pending orders", "tests/mql5/programs/CopierOrders.mq5");
}

#[test]
fn pending_orders_fill_in_either_order_and_are_taken_away_by_hand() {
    checks("the copier's fills", "tests/mql5/programs/CopierFills.mq5");
}

#[test]
fn positions_are_turned_and_reduced_as_a_trade_server_takes_it() {
    checks("the copier's parts", "tests/mql5/programs/CopierParts.mq5");
}

/// A master looks fifty times a second, whatever it holds: what a look asks the terminal grows as the account does.
#[test]
fn a_look_asks_for_each_position_a_few_times_however_many_there_are() {
    let Some(_) = compiler("the copier's look") else { return };
    let files = Folder::new("copier-look");
    let mut looks = Vec::new();
    for count in [100, 200] {
        let mut terminal = Terminal::start();
        terminal.command(&["files", &files.path().join(count.to_string()).display().to_string()]);
        terminal.command(&["account", "balance=10000000"]);
        terminal.command(&["symbol", "EURUSD", "digits=5"]);
        terminal.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
        for _ in 0..count {
            terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.01"]);
            terminal.command(&[
                "trade",
                "action=5",
                "symbol=EURUSD",
                "type=2",
                "volume=0.01",
                "price=1.09",
                "filling=2",
            ]);
        }
        terminal.load("script", "look", &program("tests/mql5/programs/CopierLook.mq5"), ("1", "EURUSD"), &[]);
        let said = terminal.expect("look", "print", "us");
        assert!(said.starts_with(&format!("{count} positions and {count} orders")), "{said}");
        println!("{said}");
        looks.push(terminal.looks());
        terminal.close();
    }
    assert!(looks[1] <= 200 * 8, "{looks:?}");
}

/// First seeds whose sequences failed once.
const KEPT: [u32; 2] = [795_665_423, 795_733_454];
const PLAN: &str = "tests/mql5/programs/CopierPlan.mq5";
const NET: &str = "tests/mql5/programs/CopierNet.mq5";
const PENDING: &str = "tests/mql5/programs/CopierPending.mq5";

/// Runs so many sequences; returns what failed.
fn sequences(of: &str, first: u32, count: u32) -> Vec<String> {
    let mut terminal = Terminal::start();
    let inputs = [("InpSeed", first.to_string()), ("InpRounds", count.to_string())];
    let inputs = inputs.each_ref().map(|(name, value)| (*name, value.as_str()));
    terminal.load("script", "plan", &program(of), ("1", "EURUSD"), &inputs);
    terminal.expect("plan", "ended", "");
    let mut said = terminal.said("plan", "print");
    let last = said.pop().unwrap_or_default();
    assert!(last.starts_with(&format!("{count} sequences, {} failed", said.len())), "{last}: {said:?}");
    terminal.close();
    said
}

/// Sequences that failed once, then the same on each run, then new ones.
fn all_come_to_rest(of: &str) {
    for seed in KEPT {
        assert_eq!(sequences(of, seed, 1), [""; 0]);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let new = u32::try_from(now % 1_000_000_000).expect("less than 2^31");
    for batch in 0..3 {
        assert_eq!(sequences(of, 1 + 100 * batch, 100), [""; 0]);
        assert_eq!(sequences(of, new + 100 * batch, 100), [""; 0]);
    }
}

#[test]
fn after_quiet_a_follower_holds_what_the_rules_say() {
    let Some(_) = compiler("the copier's plan") else { return };
    all_come_to_rest(PLAN);
}

#[test]
fn after_quiet_a_netting_follower_holds_the_sum() {
    let Some(_) = compiler("the copier's plan for netting") else { return };
    all_come_to_rest(NET);
}

#[test]
fn pending_orders_and_the_market_are_never_both() {
    let Some(_) = compiler("the copier's plan for pending orders") else { return };
    all_come_to_rest(PENDING);
}
