//! Accounts that are not the usual ones: in coins, with figures that come later, of a netting master that turns.

use crate::copying::{Copying, deal};

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
