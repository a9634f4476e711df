//! Followers whose broker isn't the master's: another clock, other sessions, less to be had at once.

use crate::copying::{Copying, Fields, QUIET, deal, net};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
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
fn the_time_of_an_opening_stays_whichever_clock_begins_its_second_first() {
    // Of another zone, or wrong by half a quarter of an hour.
    for clock in ["7200", "450", "-450"] {
        let Some(mut copying) = Copying::start("seconds", &[]) else { return };
        copying.master.command(&["clock", clock]);
        copying.master.command(&["clock-phase", "500"]);
        copying.price("1.10000", "1.10010");
        copying.load_master();
        copying.master.expect("master", "print", "connected");
        copying.trade(&deal(0, "0.30", ""));
        let states = copying.server.subscribe(&["-t", "mt5/copier/master/state"]);
        let mut times = BTreeSet::new();
        let mut seen = 0;
        while seen < 6 {
            let state: serde_json::Value = serde_json::from_str(&states.line(Instant::now() + QUIET)).expect("JSON");
            if let Some(time) = state["positions"][0]["time_msc"].as_i64() {
                times.insert(time);
                seen += 1;
            }
        }
        assert_eq!(times.len(), 1, "{times:?}");
        copying.close();
    }
}

#[test]
fn thousandths_of_a_lot_are_copied_and_told_as_such() {
    let Some(mut copying) = Copying::start("thousandths", &[]) else { return };
    for terminal in [&mut copying.master, &mut copying.follower] {
        terminal.command(&["symbol", "BTCUSD", "digits=2", "contract_size=1", "volume_min=0.001", "volume_step=0.001"]);
        terminal.command(&["tick", "BTCUSD", "60000.00", "60001.00"]);
    }
    copying.load_both();
    copying.trade("action=1 symbol=BTCUSD type=0 volume=0.004");
    copying.follower.expect("follower", "print", "open BTCUSD 0.004 ");
    copying.master.expect("master", "print", "BTCUSD 0.004: done");
    copying.converge();
    copying.close();
}

/// Ends the follower and starts it anew, as if the symbols had other names when they were copied.
fn renamed(copying: &mut Copying, symbols: &[&str]) {
    copying.end_follower();
    let mut text = fs::read_to_string(copying.file()).expect("the follower's file");
    for symbol in symbols {
        text = text.replace(&format!("\"{symbol}\""), &format!("\"{symbol}.old\""));
    }
    fs::write(copying.file(), text).expect("write the follower's file");
    copying.load_follower();
}

#[test]
fn a_copy_whose_symbol_the_broker_has_renamed_is_followed_on() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("renamed-{mode}"), &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        let requests = copying.follower.requests();
        renamed(&mut copying, &["EURUSD"]);
        let id = copying.master.positions()[0]["id"].clone();
        copying.trade(&format!("action=6 position={id} symbol=EURUSD sl=1.05000 tp=1.15000"));
        copying.converge();
        assert_eq!(copying.follower.requests() - requests, 1, "the stops alone");
        copying.trade(&deal(1, "0.10", &format!(" position={id}")));
        copying.converge();
        copying.close();
    }
}

#[test]
fn a_netting_position_of_which_nobody_knows_the_former_symbol_stays_as_it_is() {
    let Some(mut copying) = Copying::start("renamed-both", &[]) else { return };
    copying.follower.command(&["account", "mode=netting"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.trade("action=1 symbol=GBPUSD type=0 volume=0.30");
    copying.converge();
    let requests = copying.follower.requests();
    renamed(&mut copying, &["EURUSD", "GBPUSD"]);
    copying.follower.expect("follower", "print", "which symbol");
    copying.converge();
    assert_eq!(copying.follower.requests(), requests, "{}", copying.follower.transcript());
    copying.close();
}

/// Of a symbol the oldest position has to be closed first.
#[test]
fn in_an_account_with_fifo_parts_and_closes_begin_with_the_oldest_copy() {
    let Some(mut copying) = Copying::start("fifo", &[("InpExisting", "2")]) else { return };
    copying.follower.command(&["account", "fifo=1"]);
    copying.master.command(&["account", "mode=netting"]);
    copying.load_both();
    let volume = |positions: Vec<Fields>| sums(positions).into_values().collect::<Vec<_>>();
    for (side, lots, left) in [(0, "0.30", "0.3"), (0, "0.20", "0.5"), (1, "0.10", "0.4"), (1, "0.25", "0.15")] {
        copying.trade(&deal(side, lots, ""));
        let deadline = Instant::now() + QUIET;
        while volume(copying.follower.positions()) != [format!("buy {left}")] {
            assert!(Instant::now() < deadline, "{}", copying.follower.transcript());
            thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(copying.follower.requests(), 5, "{}", copying.follower.transcript());
    copying.close();
}

/// The user's own position is older than the copy: nobody else can decide to close it.
#[test]
fn a_copy_that_is_not_the_oldest_is_told_of_with_the_one_that_is_in_its_way() {
    let Some(mut copying) = Copying::start("fifo-older", &[]) else { return };
    copying.follower.command(&["account", "fifo=1"]);
    copying.load_both();
    copying.follower.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.11"]);
    copying.follower.expect("*", "trade", "");
    let own = copying.follower.positions()[0]["ticket"].clone();
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "open EURUSD 0.30");
    let id = copying.master.positions()[0]["id"].clone();
    let copy = copying.follower.positions()[1]["ticket"].clone();
    copying.trade(&deal(1, "0.30", &format!(" position={id}")));
    copying.follower.expect("follower", "print", &format!("the copy {copy} of EURUSD is of, but this account closes"));
    copying.follower.expect("follower", "comment", &format!("which is {own}: close that one yourself"));
    // It is tried again until that is done, and told once.
    copying.follower.expect("follower", "print", "close EURUSD 0.30 (closed by the master): only the oldest position");
    copying.follower.command(&[
        "trade",
        "action=1",
        "symbol=EURUSD",
        "type=1",
        "volume=0.11",
        &format!("position={own}"),
    ]);
    copying.converge();
    let told = copying.follower.said("follower", "print").iter().filter(|line| line.contains("(FIFO)")).count();
    assert_eq!(told, 1, "{}", copying.follower.transcript());
    copying.close();
}

/// In netting all opens of a symbol look alike, and a buy that was refused is no reason for a sell to wait.
#[test]
fn a_side_that_is_refused_keeps_the_other_one_from_nothing() {
    let Some(mut copying) = Copying::start("other-side", &[("InpWait", "3600")]) else { return };
    copying.follower.command(&["account", "mode=netting"]);
    copying.follower.command(&["symbol", "EURUSD", "trade_mode=2"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    let id = copying.master.positions()[0]["id"].clone();
    copying.follower.expect("follower", "print", "only selling is allowed");
    copying.trade(&deal(1, "0.30", &format!(" position={id}")));
    copying.trade(&deal(1, "0.20", ""));
    copying.converge();
    copying.close();
}

/// More than one order may have by now.
#[test]
fn a_copy_larger_than_the_brokers_new_maximum_is_closed_in_parts() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start("lowered-maximum", &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.50", ""));
        copying.converge();
        let id = copying.master.positions()[0]["id"].clone();
        copying.follower.command(&["symbol", "EURUSD", "volume_max=0.2"]);
        copying.trade(&deal(1, "0.50", &format!(" position={id}")));
        copying.converge();
        assert_eq!(copying.follower.positions(), []);
        copying.close();
    }
}

/// Its answer was lost, and by the time that the terminal shows it nothing would be opened any more.
#[test]
fn an_open_that_shows_after_its_time_is_a_copy_like_any_other() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("late-{mode}"), &[("InpMaxAge", "2")]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.10", ""));
        copying.converge();
        copying.follower.command(&["account", "lag=5000"]);
        copying.follower.command(&["inject", "10012", "carried-out"]);
        copying.trade("action=1 symbol=GBPUSD type=0 volume=0.30");
        copying.follower.expect("follower", "print", "no answer in time");
        thread::sleep(Duration::from_secs(4));
        copying.follower.command(&["account", "lag=0"]);
        let positions = copying.master.positions();
        let id = &positions.iter().find(|fields| fields["symbol"] == "GBPUSD").expect("the position")["id"];
        copying.trade(&format!("action=6 position={id} symbol=GBPUSD sl=1.05000 tp=1.15000"));
        copying.converge();
        copying.trade(&format!("action=1 symbol=GBPUSD type=1 volume=0.10 position={id}"));
        copying.converge();
        copying.close();
    }
}

#[test]
fn a_closed_market_is_waited_for() {
    for mode in ["hedging", "netting"] {
        // What the symbol allows ends the wait, and not the input.
        let Some(mut copying) = Copying::start(&format!("closed-{mode}"), &[("InpWait", "86400")]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        let open_and_close = [deal(0, "0.30", ""), deal(1, "0.30", " position=")];
        for (shut, said, open) in [
            ("days=", "market is closed", "days=0123456"),
            ("sessions=", "market is closed", "sessions=00:00-24:00"),
            ("trade_mode=0", "trading is disabled", "trade_mode=4"),
        ] {
            for step in &open_and_close {
                let id = copying.master.positions().first().map(|fields| fields["id"].clone()).unwrap_or_default();
                let held = copying.follower.positions();
                copying.follower.command(&["symbol", "EURUSD", shut]);
                copying.trade(&step.replace("position=", &format!("position={id}")));
                copying.follower.expect("follower", "print", said);
                assert_eq!(copying.follower.positions(), held);
                copying.follower.command(&["symbol", "EURUSD", open]);
                copying.converge();
            }
        }
        copying.close();
    }
}

/// What a broker allows comes and goes: a symbol in close-only mode before news, a limit that a close lifts.
#[test]
fn an_open_that_is_refused_for_now_is_tried_again_while_it_is_young_enough() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("refused-{mode}"), &[("InpWait", "86400")]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        for (side, allowed, said) in [
            (0, "3", "only closing is allowed"),
            (1, "1", "only buying is allowed"),
            (0, "2", "only selling is allowed"),
        ] {
            copying.follower.command(&["symbol", "EURUSD", &format!("trade_mode={allowed}")]);
            copying.trade(&deal(side, "0.30", ""));
            let id = copying.master.positions()[0]["id"].clone();
            copying.follower.expect("follower", "print", said);
            copying.follower.command(&["symbol", "EURUSD", "trade_mode=4"]);
            copying.converge();
            copying.trade(&deal(1 - side, "0.30", &format!(" position={id}")));
            copying.converge();
        }
        copying.inputs[0].1 = "1".to_owned();
        copying.restart_follower();
        for retcode in ["10006", "10019", "10034", "10040"] {
            copying.follower.command(&["inject", retcode, "refused"]);
            copying.trade(&deal(0, "0.30", ""));
            copying.converge();
            let id = copying.master.positions()[0]["id"].clone();
            copying.trade(&deal(1, "0.30", &format!(" position={id}")));
            copying.converge();
        }
        copying.close();
    }
}

#[test]
fn what_was_refused_until_it_was_too_old_is_told_with_the_reason() {
    let Some(mut copying) = Copying::start("refused-for-good", &[("InpMaxAge", "5")]) else { return };
    copying.load_both();
    copying.follower.command(&["symbol", "EURUSD", "trade_mode=3"]);
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "could not be opened in time: only closing is allowed");
    copying.follower.command(&["symbol", "EURUSD", "trade_mode=4"]);
    copying.trade(&deal(0, "0.05", ""));
    copying.converge_to(|positions| positions.into_iter().filter(|fields| fields["volume"] == "0.05").collect());
    copying.close();
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

#[test]
fn the_rest_of_a_market_order_that_waits_at_the_exchange_is_not_ordered_again() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("exchange-{mode}"), &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}"), "lag=70"]);
        copying.follower.command(&["symbol", "EURUSD", "execution=3", "filling=0", "market_volume=0.1"]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        let first = copying.master.positions()[0]["id"].clone();
        for (step, orders) in [(String::new(), 1), (deal(1, "0.30", &format!(" position={first}")), 2)] {
            if !step.is_empty() {
                copying.trade(&step);
            }
            copying.follower.expect("follower", "print", "until the market order");
            // Longer than what was done takes to show.
            let until = Instant::now() + Duration::from_secs(4);
            while Instant::now() < until {
                assert!(copying.follower.requests() <= orders, "{mode}\n{}", copying.follower.transcript());
                thread::sleep(Duration::from_millis(60));
            }
            for _ in 0..2 {
                copying.price("1.10000", "1.10010");
            }
            copying.converge();
            assert_eq!(copying.follower.requests(), orders, "{mode}\n{}", copying.follower.transcript());
        }
        copying.close();
    }
}

#[test]
fn a_close_does_not_wait_for_the_rest_of_an_open() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("exchange-close-{mode}"), &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.follower.command(&["symbol", "EURUSD", "execution=3", "filling=0", "market_volume=0.1"]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.follower.expect("follower", "print", "until the market order");
        let first = copying.master.positions()[0]["id"].clone();
        copying.trade(&deal(1, "0.30", &format!(" position={first}")));
        copying.converge();
        // What fills now is closed, too.
        for _ in 0..2 {
            copying.price("1.10000", "1.10010");
            copying.converge();
        }
        assert_eq!(copying.follower.orders().len(), 0, "{}", copying.follower.transcript());
        copying.close();
    }
}

#[test]
fn what_the_user_of_a_netting_account_turns_is_the_users_and_other_symbols_go_on() {
    let Some(mut copying) = Copying::start("turned-by-hand", &[]) else { return };
    copying.follower.command(&["account", "mode=netting"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.follower.command(&["trade", "action=1", "symbol=EURUSD", "type=1", "volume=0.50"]);
    copying.trade("action=1 symbol=GBPUSD type=0 volume=0.11");
    copying.converge_to(|mut positions| {
        let turned = positions.iter_mut().find(|fields| fields["symbol"] == "EURUSD").expect("a position");
        turned.insert("side".into(), "sell".into());
        turned.insert("volume".into(), "0.2".into());
        positions
    });
    copying.close();
}
