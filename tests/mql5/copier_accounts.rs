//! Accounts that are not the usual ones: in coins, with figures that come later, of a netting master that turns.

use crate::copying::{Copying, QUIET, deal};
use std::time::Instant;

/// Lots that such an account has the margin for.
fn coins(copying: &mut Copying) {
    for terminal in [&mut copying.master, &mut copying.follower] {
        terminal.command(&["symbol", "EURUSD", "contract_size=0.000001", "tick_value=0.00000000001"]);
    }
}

/// A broker of coins has accounts with eight digits: 0.014 isn't 0.01.
#[test]
fn an_account_in_coins_is_sized_by_all_its_digits() {
    for (size, follower, volume) in [("2", "0.014", "0.3"), ("3", "0.0175", "0.37"), ("4", "0.00000700", "0.3")] {
        let Some(mut copying) = Copying::start("coins", &[("InpSize", size)]) else { return };
        let master = if size == "4" { "0.00000700" } else { "0.014" };
        copying.master.command(&["account", "currency=BTC", &format!("balance={master}")]);
        copying.follower.command(&["account", "currency=BTC", &format!("balance={follower}")]);
        coins(&mut copying);
        copying.load_both();
        assert!(copying.trade(&deal(0, "0.30", "")).starts_with("10009 "));
        copying.converge_to(|mut positions| {
            for fields in &mut positions {
                fields.insert("volume".into(), volume.into());
            }
            positions
        });
        copying.close();
    }
}

/// The highest equity outlives a restart as it is: rounded up it would be a drawdown.
#[test]
fn a_restart_is_no_drawdown_of_an_account_in_coins() {
    let Some(mut copying) = Copying::start("coins-peak", &[("InpMaxDrawdown", "3")]) else { return };
    copying.follower.command(&["account", "currency=BTC", "balance=0.05678"]);
    coins(&mut copying);
    copying.load_both();
    copying.restart_follower();
    copying.follower.expect("follower", "print", "subscribed: ");
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.close();
}

/// The position of a netting account keeps its identifier, so the filters have been asked before.
#[test]
fn a_turn_to_a_side_that_is_not_copied_ends_the_copy() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("turned-{mode}"), &[("InpSells", "false")]) else { return };
        copying.master.command(&["account", "mode=netting"]);
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        let id = copying.master.positions()[0]["id"].clone();
        // The terminal that learns of it knows the side of before from its file.
        copying.end_follower();
        copying.trade(&deal(1, "0.50", ""));
        copying.load_follower();
        copying.converge_to(|_| Vec::new());
        copying.follower.expect("follower", "print", &format!("not copied {id}: turned by the master to a side"));
        copying.restart_follower();
        copying.trade(&deal(0, "0.40", ""));
        copying.converge_to(|_| Vec::new());
        // Another position is another matter.
        copying.trade(&deal(1, "0.20", ""));
        copying.trade(&deal(0, "0.10", ""));
        copying.converge();
        copying.close();
    }
}

/// One is closed and another one opened, or gets another ticket, while they are read: what is read twice is no surplus, and
/// what is passed over was not closed by hand.
#[test]
fn positions_that_are_listed_in_another_order_while_they_are_read_stay() {
    for side in ["master", "follower"] {
        let Some(mut copying) = Copying::start(&format!("restless-{side}"), &[]) else { return };
        copying.load_both();
        for volume in ["0.10", "0.20", "0.30", "0.40", "0.50"] {
            copying.trade(&deal(0, volume, ""));
        }
        copying.converge();
        let requests = copying.follower.requests();
        let terminal = if side == "master" { &mut copying.master } else { &mut copying.follower };
        terminal.command(&["account", "restless=97"]);
        let begun = terminal.looks();
        let deadline = Instant::now() + QUIET;
        while terminal.looks() < begun + 4000 {
            assert!(Instant::now() < deadline, "{}", terminal.transcript());
        }
        assert_eq!(copying.follower.requests(), requests, "{}", copying.follower.transcript());
        let id = copying.master.positions()[0]["id"].clone();
        copying.trade(&deal(1, "0.10", &format!(" position={id}")));
        copying.converge();
        assert_eq!(copying.follower.requests(), requests + 1, "{}", copying.follower.transcript());
        copying.close();
    }
}
