//! Pending orders through both copiers in two terminals and a real Server: they fill on each side at its own time, the terminal
//! shows orders and positions at different moments, answers are lost, and after quiet no order and position is doubled.

use crate::copying::{Copying, Fields, QUIET};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Types of pending orders, as MQL5 numbers them.
const BUY_LIMIT: u32 = 2;
const SELL_LIMIT: u32 = 3;
const BUY_STOP: u32 = 4;
const SELL_STOP: u32 = 5;

/// Orders are shown by both terminals some time before, or after, the positions that they fill into.
pub fn start(test: &str, lag: u32, orders_lag: u32, inputs: &[(&'static str, &str)]) -> Option<Copying> {
    let mut all = vec![("InpPendings", "true"), ("InpMaxAge", "0")];
    all.extend(inputs);
    let mut copying = Copying::start(test, &all)?;
    for terminal in [&mut copying.master, &mut copying.follower] {
        terminal.command(&["account", &format!("lag={lag}"), &format!("orders_lag={orders_lag}")]);
    }
    Some(copying)
}

fn order(type_: u32, volume: &str, price: &str, more: &str) -> String {
    format!("action=5 symbol=EURUSD filling=2 type={type_} volume={volume} price={price}{more}")
}

/// What both sides have: `type volume price sl tp` of each order, `side volume` of each position.
fn both(copying: &mut Copying) -> [Vec<String>; 2] {
    [&mut copying.master, &mut copying.follower].map(|terminal| {
        let positions = terminal.positions();
        let position = |fields: &Fields| format!("{} {}", fields["side"], fields["volume"]);
        let mut lines: Vec<_> = positions.iter().map(position).collect();
        let order =
            |fields: &Fields| ["type", "volume", "price", "sl", "tp"].map(|name| fields[name].clone()).join(" ");
        lines.extend(terminal.orders().iter().map(order));
        lines.sort();
        lines
    })
}

/// Waits until the sides have that, and sees that it stays so.
#[track_caller]
fn expect(copying: &mut Copying, master: &[&str], follower: &[&str]) {
    let deadline = Instant::now() + QUIET;
    let mut same = 0;
    while same < 5 {
        let found = both(copying);
        same = if found[0] == master && found[1] == follower { same + 1 } else { 0 };
        let transcript = || format!("{}\n{}", copying.master.transcript(), copying.follower.transcript());
        assert!(Instant::now() < deadline, "{found:#?}, not {master:?} and {follower:?}\n{}", transcript());
        std::thread::sleep(Duration::from_millis(60));
    }
}

#[track_caller]
fn expect_same(copying: &mut Copying, expected: &[&str]) {
    expect(copying, expected, expected);
}

/// A terminal shows in turn what its trade server did in turn: first what has filled, then the close that was sent before that
/// was shown.
#[test]
fn a_fill_that_is_shown_after_a_close_was_sent_is_not_taken_for_the_close() {
    let Some(mut copying) = start("fill-close", 20, 20, &[]) else { return };
    copying.load_both();
    copying.trade(&order(BUY_LIMIT, "0.30", "1.09000", ""));
    expect_same(&mut copying, &["2 0.3 1.09 0 0"]);
    copying.master.command(&["account", "liquidity=0.1"]);
    copying.master.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
    copying.follower.command(&["account", "liquidity=0.11"]);
    copying.follower.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
    expect(&mut copying, &["2 0.2 1.09 0 0", "buy 0.1"], &["2 0.19 1.09 0 0", "buy 0.11"]);
    copying.follower.command(&["account", "liquidity=0.05", "lag=1500", "orders_lag=1500"]);
    copying.follower.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
    std::thread::sleep(Duration::from_millis(300));
    // The rest of it is deleted: the follower has 0.01 too much, as far as it is shown.
    let rest = copying.master.orders()[0]["ticket"].clone();
    copying.trade(&format!("action=8 order={rest}"));
    expect_same(&mut copying, &["buy 0.1"]);
    copying.close();
}

#[test]
fn orders_are_placed_changed_deleted_and_fill_on_both_sides() {
    for (comments, lag, orders_lag) in [("keep", 150, 20), ("rewrite", 20, 150)] {
        let Some(mut copying) = start("orders", lag, orders_lag, &[]) else { return };
        copying.follower.command(&["account", &format!("comments={comments}")]);
        copying.load_both();
        copying.trade(&order(BUY_LIMIT, "0.30", "1.09000", " sl=1.08000 tp=1.12000"));
        copying.trade(&order(SELL_STOP, "0.20", "1.08500", ""));
        expect_same(&mut copying, &["2 0.3 1.09 1.08 1.12", "5 0.2 1.085 0 0"]);
        copying.master.expect("master", "print", ": place ");
        let limit = copying.master.orders()[0]["ticket"].clone();
        copying.trade(&format!("action=7 order={limit} price=1.09100 sl=1.08000 tp=0"));
        expect_same(&mut copying, &["2 0.3 1.091 1.08 0", "5 0.2 1.085 0 0"]);
        copying.master.expect("master", "print", ": modify ");

        // What happens while the follower is away is made good.
        copying.end_follower();
        let stop = copying.master.orders()[1]["ticket"].clone();
        copying.trade(&format!("action=8 order={stop}"));
        copying.trade(&order(SELL_LIMIT, "0.10", "1.11000", ""));
        copying.load_follower();
        expect_same(&mut copying, &["2 0.3 1.091 1.08 0", "3 0.1 1.11 0 0"]);
        copying.master.expect("master", "print", ": delete ");

        // Both fill: what was pending is the position, and stays it after a restart.
        copying.price("1.09080", "1.09090");
        expect_same(&mut copying, &["3 0.1 1.11 0 0", "buy 0.3"]);
        copying.restart_follower();
        copying.price("1.11000", "1.11010");
        expect_same(&mut copying, &["buy 0.3", "sell 0.1"]);
        let requests = copying.follower.requests();
        assert_eq!(requests, 5, "three orders placed, one changed and one deleted: nothing was opened at the market");

        // The follower's fills first, and waits for the master's; when he deletes it, it is closed.
        copying.price("1.10000", "1.10010");
        copying.trade(&order(BUY_STOP, "0.40", "1.10100", ""));
        expect_same(&mut copying, &["4 0.4 1.101 0 0", "buy 0.3", "sell 0.1"]);
        copying.follower.command(&["tick", "EURUSD", "1.10090", "1.10100"]);
        expect(&mut copying, &["4 0.4 1.101 0 0", "buy 0.3", "sell 0.1"], &["buy 0.3", "buy 0.4", "sell 0.1"]);
        copying.restart_follower();
        copying.master.command(&["tick", "EURUSD", "1.10090", "1.10100"]);
        expect_same(&mut copying, &["buy 0.3", "buy 0.4", "sell 0.1"]);
        assert_eq!(copying.follower.requests(), 6, "it was placed, and not opened");
        copying.price("1.10000", "1.10010");
        copying.trade(&order(SELL_STOP, "0.05", "1.09900", ""));
        expect_same(&mut copying, &["5 0.05 1.099 0 0", "buy 0.3", "buy 0.4", "sell 0.1"]);
        copying.follower.command(&["tick", "EURUSD", "1.09890", "1.09900"]);
        let stop = copying.master.orders()[0]["ticket"].clone();
        expect(
            &mut copying,
            &["5 0.05 1.099 0 0", "buy 0.3", "buy 0.4", "sell 0.1"],
            &["buy 0.3", "buy 0.4", "sell 0.05", "sell 0.1"],
        );
        copying.trade(&format!("action=8 order={stop}"));
        expect_same(&mut copying, &["buy 0.3", "buy 0.4", "sell 0.1"]);

        // The master's fills first: the follower's order goes, and the market takes its place.
        copying.price("1.10000", "1.10010");
        copying.trade(&order(BUY_LIMIT, "0.07", "1.09900", ""));
        expect_same(&mut copying, &["2 0.07 1.099 0 0", "buy 0.3", "buy 0.4", "sell 0.1"]);
        copying.master.command(&["tick", "EURUSD", "1.09890", "1.09900"]);
        expect_same(&mut copying, &["buy 0.07", "buy 0.3", "buy 0.4", "sell 0.1"]);

        // What the follower's user deletes stays away, and its position, too.
        copying.price("1.10000", "1.10010");
        copying.trade(&order(BUY_LIMIT, "0.08", "1.09900", ""));
        expect_same(&mut copying, &["2 0.08 1.099 0 0", "buy 0.07", "buy 0.3", "buy 0.4", "sell 0.1"]);
        let by_hand = copying.follower.orders()[0]["ticket"].clone();
        copying.follower.command(&["trade", "action=8", &format!("order={by_hand}")]);
        copying.follower.expect("follower", "print", "not copied");
        copying.restart_follower();
        copying.master.command(&["tick", "EURUSD", "1.09890", "1.09900"]);
        expect(
            &mut copying,
            &["buy 0.07", "buy 0.08", "buy 0.3", "buy 0.4", "sell 0.1"],
            &["buy 0.07", "buy 0.3", "buy 0.4", "sell 0.1"],
        );
        copying.close();
    }
}

#[test]
fn orders_fill_in_parts_on_both_sides() {
    let Some(mut copying) = start("parts", 120, 20, &[]) else { return };
    copying.load_both();
    copying.trade(&order(BUY_LIMIT, "1.00", "1.09000", ""));
    expect_same(&mut copying, &["2 1 1.09 0 0"]);
    copying.follower.command(&["account", "liquidity=0.40"]);
    copying.follower.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
    expect(&mut copying, &["2 1 1.09 0 0"], &["2 0.6 1.09 0 0", "buy 0.4"]);
    copying.master.command(&["account", "liquidity=0.30"]);
    copying.master.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
    expect(&mut copying, &["2 0.7 1.09 0 0", "buy 0.3"], &["2 0.6 1.09 0 0", "buy 0.4"]);
    // More than here: the rest here is deleted, and the difference comes from the market.
    copying.master.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
    expect(&mut copying, &["2 0.4 1.09 0 0", "buy 0.6"], &["buy 0.2", "buy 0.4"]);
    copying.master.command(&["account", "liquidity=0"]);
    copying.master.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
    expect(&mut copying, &["buy 1"], &["buy 0.2", "buy 0.4", "buy 0.4"]);
    let position = copying.master.positions()[0]["ticket"].clone();
    copying.trade(&format!("action=1 symbol=EURUSD type=1 volume=1.00 position={position}"));
    expect_same(&mut copying, &[]);
    copying.close();
}

#[test]
fn a_lost_file_doubles_no_order_and_those_of_others_are_left_alone() {
    let Some(mut copying) = start("lost-file", 60, 20, &[]) else { return };
    copying.load_both();
    let by_hand = order(BUY_LIMIT, "0.30", "1.09000", "");
    let by_hand: Vec<_> = std::iter::once("trade").chain(by_hand.split(' ')).collect();
    copying.follower.command(&by_hand);
    copying.trade(&order(BUY_LIMIT, "0.30", "1.09000", ""));
    copying.trade(&order(SELL_STOP, "0.20", "1.09500", ""));
    let both = ["2 0.3 1.09 0 0", "2 0.3 1.09 0 0", "5 0.2 1.095 0 0"];
    expect(&mut copying, &["2 0.3 1.09 0 0", "5 0.2 1.095 0 0"], &both);
    // One fills here while the program is away, and the comments are all that is left.
    copying.end_follower();
    copying.lose_file();
    copying.follower.command(&["tick", "EURUSD", "1.09500", "1.09510"]);
    copying.load_follower();
    let filled = ["2 0.3 1.09 0 0", "2 0.3 1.09 0 0", "sell 0.2"];
    expect(&mut copying, &["2 0.3 1.09 0 0", "5 0.2 1.095 0 0"], &filled);
    copying.master.command(&["tick", "EURUSD", "1.09500", "1.09510"]);
    expect(&mut copying, &["2 0.3 1.09 0 0", "sell 0.2"], &filled);
    for order in copying.master.orders() {
        copying.trade(&format!("action=8 order={}", order["ticket"]));
    }
    expect(&mut copying, &["sell 0.2"], &["2 0.3 1.09 0 0", "sell 0.2"]);
    assert_eq!(copying.follower.requests(), 3, "two placed, one deleted");
    assert_eq!(copying.follower.orders()[0]["magic"], "0", "the one that the user placed is left");
    copying.close();
}

#[test]
fn an_order_expires_with_the_masters_or_before() {
    let Some(mut copying) = start("expiry", 60, 20, &[]) else { return };
    copying.load_both();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let expires = now + 7200;
    let expiry = |copying: &mut Copying| {
        let orders = copying.follower.orders();
        orders.iter().map(|fields| format!("{} {}", fields["time"], fields["expiration"])).collect::<Vec<_>>()
    };
    copying.trade(&order(BUY_LIMIT, "0.30", "1.09000", &format!(" time=2 expiration={expires}")));
    expect_same(&mut copying, &["2 0.3 1.09 0 0"]);
    assert_eq!(expiry(&mut copying), [format!("2 {expires}")]);
    let ticket = copying.master.orders()[0]["ticket"].clone();
    copying.trade(&format!("action=7 order={ticket} price=1.09100 time=2 expiration={}", expires + 3600));
    expect_same(&mut copying, &["2 0.3 1.091 0 0"]);
    assert_eq!(expiry(&mut copying), [format!("2 {}", expires + 3600)]);

    // A symbol that takes no times.
    copying.follower.command(&["symbol", "EURUSD", "expirations=1"]);
    expect_same(&mut copying, &["2 0.3 1.091 0 0"]);
    copying.trade(&format!("action=7 order={ticket} price=1.09200 time=2 expiration={expires}"));
    expect_same(&mut copying, &["2 0.3 1.092 0 0"]);
    assert_eq!(expiry(&mut copying), ["0 0"]);
    copying.master.command(&["tick", "EURUSD", "1.10000", "1.10010", &format!("{}", (expires + 1) * 1000)]);
    expect_same(&mut copying, &[]);

    // By a clock that is fast: not placed again, and the master's fill is copied.
    copying.follower.command(&["symbol", "EURUSD", "expirations=15"]);
    copying.trade(&order(BUY_LIMIT, "0.20", "1.09000", &format!(" time=2 expiration={}", expires + 9000)));
    expect_same(&mut copying, &["2 0.2 1.09 0 0"]);
    copying.follower.command(&["tick", "EURUSD", "1.10000", "1.10010", &format!("{}", (expires + 9001) * 1000)]);
    expect(&mut copying, &["2 0.2 1.09 0 0"], &[]);
    copying.restart_follower();
    copying.master.command(&["tick", "EURUSD", "1.08990", "1.09000", &format!("{}", (expires + 2) * 1000)]);
    expect_same(&mut copying, &["buy 0.2"]);
    copying.close();
}

#[test]
fn lost_answers_and_refusals_double_no_order() {
    for comments in ["keep", "rewrite", "drop"] {
        let Some(mut copying) = start("lost-orders", 120, 60, &[]) else { return };
        copying.follower.command(&["account", &format!("comments={comments}"), "shuffle=3"]);
        copying.load_both();
        let mut expected = Vec::new();
        for (index, (retcode, effect)) in [
            ("10012", "carried-out"),
            ("10031", "late"),
            ("10016", "refused"),
            ("10015", "refused"),
            ("10030", "refused"),
        ]
        .into_iter()
        .enumerate()
        {
            copying.follower.command(&["inject", retcode, effect]);
            copying.trade(&order(BUY_LIMIT, &format!("0.1{index}"), "1.09000", " sl=1.08000"));
            expected.push(format!("2 {} 1.09 1.08 0", if index == 0 { "0.1".into() } else { format!("0.1{index}") }));
            let expected: Vec<_> = expected.iter().map(String::as_str).collect();
            expect_same(&mut copying, &expected);
        }
        for (retcode, effect) in [("10012", "carried-out"), ("10029", "refused")] {
            let chosen = copying.master.orders()[0].clone();
            let price = if chosen["price"] == "1.09" { "1.09200" } else { "1.09000" };
            copying.follower.command(&["inject", retcode, effect]);
            copying.trade(&format!("action=7 order={} price={price} sl=1.08000", chosen["ticket"]));
            expected[0] = format!("2 0.1 {} 1.08 0", &price[..price.trim_end_matches('0').len()]);
            let mut wanted: Vec<_> = expected.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            expect_same(&mut copying, &wanted);
        }
        for (retcode, effect) in [("10012", "carried-out"), ("10029", "refused"), ("10031", "late")] {
            let chosen = copying.master.orders()[0]["ticket"].clone();
            copying.follower.command(&["inject", retcode, effect]);
            copying.trade(&format!("action=8 order={chosen}"));
            expected.remove(0);
            let wanted: Vec<_> = expected.iter().map(String::as_str).collect();
            expect_same(&mut copying, &wanted);
        }
        // The answer is lost, the order is carried out and fills before anyone looks.
        copying.price("1.10000", "1.10010");
        copying.follower.command(&["inject", "10012", "carried-out"]);
        copying.trade(&order(BUY_LIMIT, "0.50", "1.10000", ""));
        copying.follower.expect("follower", "print", "place EURUSD 0.50");
        copying.price("1.09990", "1.10000");
        expected.push("buy 0.5".to_owned());
        let wanted: Vec<_> = expected.iter().map(String::as_str).collect();
        expect_same(&mut copying, &wanted);
        // A server that takes no more orders: the order is left to the master, and its fill is copied.
        copying.follower.command(&["inject", "10033", "refused"]);
        copying.trade(&order(SELL_LIMIT, "0.60", "1.10100", ""));
        copying.follower.expect("follower", "print", "limit of orders");
        copying.price("1.10100", "1.10110");
        expected.push("sell 0.6".to_owned());
        let wanted: Vec<_> = expected.iter().map(String::as_str).collect();
        expect_same(&mut copying, &wanted);
        copying.close();
    }
}

#[test]
fn a_netting_follower_copies_what_orders_fill() {
    let Some(mut copying) = start("netting-orders", 0, 0, &[]) else { return };
    copying.follower.command(&["account", "mode=netting"]);
    copying.load_both();
    copying.trade(&order(BUY_LIMIT, "0.30", "1.09000", ""));
    copying.follower.expect("follower", "comment", "He has 1 pending orders, placed here 0");
    copying.price("1.08990", "1.09000");
    expect_same(&mut copying, &["buy 0.3"]);
    let said = copying.follower.said("follower", "print");
    let told =
        said.iter().filter(|line| line.contains("this account is a netting one: its pending orders are not copied"));
    assert_eq!(told.count(), 1, "{said:#?}");
    assert_eq!(copying.follower.requests(), 1);
    copying.close();
}

#[test]
fn pending_orders_are_not_copied_unless_asked_for() {
    let Some(mut copying) = Copying::start("no-orders", &[]) else { return };
    copying.load_both();
    copying.trade(&order(BUY_LIMIT, "0.30", "1.09000", ""));
    copying.trade("action=1 symbol=EURUSD type=0 volume=0.02");
    expect(&mut copying, &["2 0.3 1.09 0 0", "buy 0.02"], &["buy 0.02"]);
    copying.price("1.08990", "1.09000");
    expect_same(&mut copying, &["buy 0.02", "buy 0.3"]);
    copying.close();
}
