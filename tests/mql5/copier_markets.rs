//! Followers whose broker isn't the master's: another clock, other sessions, less to be had at once.

use crate::copier_run::{Copying, Fields, QUIET, deal, net};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn an_opening_is_not_old_because_the_clocks_of_the_trade_servers_differ() {
    for (of_master, of_follower) in [("7200", "-18000"), ("-18000", "7200")] {
        let Some(mut copying) = Copying::start("clocks", &[("InpMaxAge", "60")]) else { return };
        copying.master.command(&["clock", of_master]);
        copying.follower.command(&["clock", of_follower]);
        copying.price("1.10000", "1.10010");
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        // A lost answer is looked for by the follower's own clock.
        copying.follower.command(&["account", "comments=drop"]);
        copying.follower.command(&["inject", "10012", "carried-out"]);
        copying.trade(&deal(1, "0.20", ""));
        copying.converge();
        copying.close();
    }
}

#[test]
fn a_closed_market_is_waited_for() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("closed-{mode}"), &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.follower.command(&["symbol", "EURUSD", "days="]);
        copying.trade(&deal(0, "0.30", ""));
        copying.follower.expect("follower", "print", "market is closed");
        assert_eq!(copying.follower.positions(), []);
        copying.follower.command(&["symbol", "EURUSD", "days=0123456"]);
        copying.converge();
        copying.close();
    }
}

/// Signed hundredths of lots by symbol.
fn sums(positions: Vec<Fields>) -> BTreeMap<String, String> {
    let net = net(positions.into_iter());
    net.into_iter()
        .map(|fields| (fields["symbol"].clone(), format!("{} {}", fields["side"], fields["volume"])))
        .collect()
}

#[test]
fn orders_that_get_a_part_are_completed_and_never_more() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("parts-{mode}"), &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}"), "lag=70"]);
        copying.follower.command(&["symbol", "EURUSD", "filling=2", "market_volume=0.2"]);
        copying.load_both();
        copying.trade(&deal(0, "0.50", " sl=1.09000"));
        let first = copying.master.positions()[0]["id"].clone();
        let steps = [
            String::new(),
            deal(1, "0.25", &format!(" position={first}")),
            deal(0, "0.35", ""),
            deal(1, "0.25", &format!(" position={first}")),
        ];
        for step in steps {
            if !step.is_empty() {
                copying.trade(&step);
            }
            let wanted = sums(copying.master.positions());
            let deadline = Instant::now() + QUIET;
            let mut same = 0;
            while same < 5 {
                let held = copying.follower.positions();
                let total: f64 = held.iter().map(|fields| fields["volume"].parse::<f64>().expect("a volume")).sum();
                assert!(total < 0.61, "more is held than ever was wanted: {held:?}");
                same = if sums(held) == wanted { same + 1 } else { 0 };
                assert!(Instant::now() < deadline, "{mode}, {step}\n{}", copying.follower.transcript());
                thread::sleep(Duration::from_millis(60));
            }
        }
        copying.close();
    }
}
