//! The simulated account answers as a trade server does: checks, execution in hedging and netting, what a price triggers.

use crate::compile::{compiler, program};
use crate::host::Terminal;

/// What a request without `symbol=` and `action=` means here.
pub const DEAL: [&str; 2] = ["action=1", "symbol=EURUSD"];
pub const PENDING: [&str; 3] = ["action=5", "symbol=EURUSD", "filling=2"];

pub struct Desk {
    pub terminal: Terminal,
}

impl Desk {
    pub fn open(mode: &str) -> Option<Self> {
        compiler("the simulated account")?;
        let mut terminal = Terminal::start();
        terminal.command(&["symbol", "EURUSD", "digits=5", "volume_max=50", "tick_value=1"]);
        terminal.command(&["account", &format!("mode={mode}"), "balance=10000"]);
        let mut desk = Self { terminal };
        desk.price("1.10000", "1.10010");
        Some(desk)
    }

    pub fn price(&mut self, bid: &str, ask: &str) {
        self.terminal.command(&["tick", "EURUSD", bid, ask]);
    }

    /// Sends a request; returns retcode and order.
    #[track_caller]
    pub fn trade(&mut self, base: &[&str], fields: &str) -> (u32, u64) {
        let mut words = vec!["trade"];
        words.extend(base);
        words.extend(fields.split_whitespace());
        self.terminal.command(&words);
        let answer = self.terminal.expect("*", "trade", "");
        let mut parts = answer.split(' ');
        let retcode = parts.next().and_then(|code| code.parse().ok()).expect("a retcode");
        let order = parts.next().and_then(|order| order.strip_prefix("order=")?.parse().ok()).expect("an order");
        (retcode, order)
    }

    /// Positions as `side volume@price sl/tp`, in the order of their opening; then orders.
    #[track_caller]
    pub fn positions(&mut self) -> Vec<String> {
        let before = (self.terminal.said("*", "position").len(), self.terminal.said("*", "order").len());
        self.terminal.command(&["dump"]);
        self.terminal.expect("*", "account", "");
        let field = |line: &str, name: &str| {
            let found = line.split(' ').find_map(|part| part.strip_prefix(&format!("{name}=")));
            found.unwrap_or_else(|| panic!("no {name} in {line}")).to_owned()
        };
        let positions = self.terminal.said("*", "position").split_off(before.0);
        let orders = self.terminal.said("*", "order").split_off(before.1);
        let positions = positions.iter().map(|line| {
            let [side, volume, price, sl, tp] = ["side", "volume", "price", "sl", "tp"].map(|name| field(line, name));
            format!("{side} {volume}@{price} {sl}/{tp}")
        });
        let orders = orders
            .iter()
            .map(|line| format!("order {} {}@{}", field(line, "type"), field(line, "volume"), field(line, "price")));
        positions.chain(orders).collect()
    }
}

#[test]
fn requests_are_checked() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    desk.terminal.command(&["symbol", "EURUSD", "stops_level=20", "volume_limit=5"]);
    for (base, fields, retcode) in [
        (&DEAL[..], "type=0 volume=0.001", 10014),
        (&DEAL, "type=0 volume=51", 10014),
        (&DEAL, "type=0 volume=0.015", 10014),
        (&DEAL, "type=0 volume=0.1 filling=2", 10030),
        (&DEAL, "type=2 volume=0.1", 10013),
        (&DEAL, "type=0 volume=0.1 sl=1.09990", 10016),
        (&DEAL, "type=0 volume=0.1 sl=1.0950001", 10016),
        (&DEAL, "type=0 volume=0.1 sl=1.10500", 10016),
        (&DEAL, "type=0 volume=0.1 tp=1.09000", 10016),
        (&DEAL, "type=1 volume=0.1 sl=1.09000", 10016),
        (&DEAL, "type=0 volume=5.01", 10034),
        (&DEAL, "type=0 volume=0.1 position=77", 10036),
        (&["action=1", "symbol=NONE"], "type=0 volume=0.1", 10013),
        (&PENDING, "type=2 volume=0.1 price=1.10500", 10015),
        (&PENDING, "type=4 volume=0.1 price=1.09500", 10015),
        (&PENDING, "type=3 volume=0.1 price=1.09500", 10015),
        (&PENDING, "type=5 volume=0.1 price=1.10500", 10015),
        (&PENDING, "type=2 volume=0.1 price=1.0950001", 10015),
        (&PENDING, "type=2 volume=0.1 price=1.09500 filling=1", 10030),
        (&PENDING, "type=2 volume=0.1 price=1.09500 sl=1.09600", 10016),
        (&PENDING, "type=6 volume=0.1 price=1.10500", 10015),
        (&["action=6"], "position=77 sl=1.0", 10036),
        (&["action=7"], "order=77 price=1.0", 10035),
        (&["action=8"], "order=77", 10035),
        (&["action=10"], "position=77 position_by=78", 10036),
    ] {
        assert_eq!(desk.trade(base, fields).0, retcode, "{base:?} {fields}");
    }
    for (state, retcode) in
        [("open=0", 10018), ("trade_mode=0", 10017), ("trade_mode=1", 10042), ("trade_mode=3", 10044)]
    {
        desk.terminal.command(&["symbol", "EURUSD", "open=1", "trade_mode=4", state]);
        assert_eq!(desk.trade(&DEAL, "type=1 volume=0.1").0, retcode, "{state}");
    }
    desk.terminal.command(&["symbol", "EURUSD", "open=1", "trade_mode=2", "volume_limit=0"]);
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.1").0, 10043);
    desk.terminal.command(&["symbol", "EURUSD", "trade_mode=4", "execution=1"]);
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.1").0, 10015, "instant execution wants a price");
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.1 price=1.10000 deviation=5").0, 10004);
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.1 price=1.10000 deviation=10").0, 10009);
    desk.terminal.command(&["symbol", "EURUSD", "execution=2"]);
    assert_eq!(desk.trade(&DEAL, "type=0 volume=10").0, 10019, "10 lots need 11,001 of margin");
    desk.terminal.command(&["account", "trade_allowed=0"]);
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.1").0, 10017);
    assert_eq!(desk.positions(), ["buy 0.1@1.1001 0/0"]);
    desk.terminal.close();
}

#[test]
fn hedging_keeps_each_position_and_netting_one() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    let (_, first) = desk.trade(&DEAL, "type=0 volume=0.3 sl=1.09000 tp=1.12000");
    let (_, second) = desk.trade(&DEAL, "type=1 volume=0.2");
    assert_eq!(desk.positions(), ["buy 0.3@1.1001 1.09/1.12", "sell 0.2@1.1 0/0"]);
    assert_eq!(desk.trade(&DEAL, &format!("type=1 volume=0.1 position={first}")).0, 10009, "a partial close");
    assert_eq!(desk.trade(&DEAL, &format!("type=1 volume=0.3 position={first}")).0, 10038);
    assert_eq!(desk.trade(&["action=6"], &format!("position={first} sl=1.09500 tp=0")).0, 10009);
    assert_eq!(desk.trade(&["action=6"], &format!("position={first} sl=1.09500 tp=0")).0, 10025);
    assert_eq!(desk.positions(), ["buy 0.2@1.1001 1.095/0", "sell 0.2@1.1 0/0"]);
    assert_eq!(desk.trade(&["action=10"], &format!("position={first} position_by={second}")).0, 10009);
    assert_eq!(desk.positions(), [""; 0]);
    desk.terminal.close();

    let mut desk = Desk::open("netting").expect("a compiler");
    desk.trade(&DEAL, "type=0 volume=0.3");
    desk.price("1.20000", "1.20010");
    desk.trade(&DEAL, "type=0 volume=0.1");
    assert_eq!(desk.positions(), ["buy 0.4@1.1251 0/0"], "the price is the average");
    desk.trade(&DEAL, "type=1 volume=0.1");
    desk.trade(&DEAL, "type=1 volume=0.5");
    assert_eq!(desk.positions(), ["sell 0.2@1.2 0/0"], "a reversal");
    let dumped = desk.terminal.said("*", "position");
    let id = |line: &String| line.split(' ').next().map(str::to_owned);
    assert_eq!(id(&dumped[0]), id(&dumped[dumped.len() - 1]), "a reversal keeps the identifier");
    desk.trade(&DEAL, "type=0 volume=0.2");
    assert_eq!(desk.positions(), [""; 0]);
    desk.terminal.close();
}

#[test]
fn a_price_triggers_orders_and_stops() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    for order in [
        "type=2 volume=0.1 price=1.09000 sl=1.08000",
        "type=3 volume=0.2 price=1.11000",
        "type=4 volume=0.3 price=1.12000",
        "type=5 volume=0.4 price=1.08500",
        "type=6 volume=0.5 price=1.13000 stoplimit=1.12500",
    ] {
        assert_eq!(desk.trade(&PENDING, order).0, 10009, "{order}");
    }
    desk.price("1.08990", "1.09000");
    assert_eq!(desk.positions()[..1], ["buy 0.1@1.09 1.08/0"]);
    desk.price("1.07990", "1.08000");
    assert_eq!(desk.positions()[..1], ["sell 0.4@1.0799 0/0"], "the stop closed the one, and opened the other");
    desk.price("1.13000", "1.13010");
    let held = desk.positions();
    // Through a gap: a stop order at a worse price than its own, a limit at a better one.
    assert_eq!(held, ["sell 0.4@1.0799 0/0", "buy 0.3@1.1301 0/0", "sell 0.2@1.13 0/0", "order 2 0.5@1.125"]);
    desk.price("1.12480", "1.12490");
    assert!(desk.positions().contains(&"buy 0.5@1.1249 0/0".to_owned()));
    desk.terminal.close();
}

#[test]
fn orders_fill_in_parts_expire_and_are_rejected_without_money() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    desk.terminal.command(&["account", "liquidity=0.04"]);
    desk.trade(&PENDING, "type=2 volume=0.1 price=1.09000");
    desk.trade(&PENDING, "type=5 volume=0.06 price=1.09000");
    desk.price("1.08990", "1.09000");
    assert_eq!(
        desk.positions(),
        ["sell 0.04@1.0899 0/0", "buy 0.04@1.09 0/0", "order 2 0.06@1.09", "order 5 0.02@1.09"]
    );
    desk.price("1.09990", "1.10000");
    let held = desk.positions();
    assert_eq!(held[1..], ["buy 0.04@1.09 0/0", "order 2 0.06@1.09"], "a limit waits, a stop that was reached doesn't");
    assert!(held[0].starts_with("sell 0.06@1.0932"), "one order makes one position: {}", held[0]);
    desk.price("1.08990", "1.09000");
    desk.price("1.08990", "1.09000");
    assert_eq!(desk.positions()[1..], ["buy 0.1@1.09 0/0"]);
    desk.terminal.command(&["account", "liquidity=0"]);

    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    for (fields, retcode) in [
        (format!("time=2 expiration={}", now - 10), 10022),
        (format!("time=2 expiration={}", now + 90), 10009),
        (format!("time=3 expiration={now}"), 10009),
        ("time=1".to_owned(), 10009),
    ] {
        assert_eq!(desk.trade(&PENDING, &format!("type=2 volume=0.01 price=1.08 {fields}")).0, retcode, "{fields}");
    }
    desk.terminal.command(&["symbol", "EURUSD", "expirations=1"]);
    assert_eq!(desk.trade(&PENDING, "type=2 volume=0.01 price=1.08 time=1").0, 10022);
    assert_eq!(desk.positions().len(), 5);
    let at = |seconds: u64| format!("{}", seconds * 1000);
    desk.terminal.command(&["tick", "EURUSD", "1.09000", "1.09010", &at(now + 91)]);
    let of_the_day = desk.positions().len();
    assert!(of_the_day == 4 || (now + 91) / 86400 > now / 86400, "the one of 90 seconds has expired");
    desk.terminal.command(&["tick", "EURUSD", "1.09000", "1.09010", &at(now + 86400)]);
    assert_eq!(desk.positions().len(), 2, "the others at the end of the day");

    desk.trade(&PENDING, "type=2 volume=20 price=1.08000");
    desk.terminal.command(&["tick", "EURUSD", "1.07990", "1.08000", &at(now + 86401)]);
    assert_eq!(desk.positions().len(), 2, "no money: no position, and no order any more");
    desk.terminal.close();
}

#[test]
fn pending_orders_are_changed_and_removed_and_frozen_near_the_market() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    let (_, order) = desk.trade(&PENDING, "type=2 volume=0.1 price=1.09000");
    assert_eq!(desk.trade(&["action=7"], &format!("order={order} price=1.09100 tp=1.11000")).0, 10009);
    assert_eq!(desk.trade(&["action=7"], &format!("order={order} price=1.09100 tp=1.11000")).0, 10025);
    assert_eq!(desk.positions(), ["order 2 0.1@1.091"]);
    desk.terminal.command(&["symbol", "EURUSD", "freeze_level=1000"]);
    assert_eq!(desk.trade(&["action=8"], &format!("order={order}")).0, 10029);
    desk.terminal.command(&["symbol", "EURUSD", "freeze_level=0"]);
    assert_eq!(desk.trade(&["action=8"], &format!("order={order}")).0, 10009);
    assert_eq!(desk.positions(), [""; 0]);
    desk.terminal.close();
}

#[test]
fn a_program_sees_the_account_and_answers_that_were_lost() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    for (retcode, effect) in [("10004", "refused"), ("10012", "carried-out"), ("10012", "refused")] {
        desk.terminal.command(&["inject", retcode, effect]);
    }
    let module = program("tests/mql5/programs/Orders.mq5");
    desk.terminal.load("script", "orders", &module, ("1", "EURUSD"), &[]);
    desk.terminal.expect("orders", "ended", "");
    let said = desk.terminal.said("orders", "print");
    assert!(said.last().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{said:#?}");
    assert_eq!(desk.positions(), ["buy 0.1@1.1001 1.09/1.11"]);
    desk.terminal.close();
}

#[test]
fn transactions_come_in_any_order_and_are_lost_beyond_1024() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    desk.terminal.command(&["account", "shuffle=7"]);
    desk.terminal.expert("listener", "tests/mql5/programs/Transactions.mq5", &[]);
    let (_, order) = desk.trade(&PENDING, "type=2 volume=0.1 price=1.09000");
    desk.terminal.expect("listener", "print", "TRADE_TRANSACTION_ORDER_ADD 1");
    let mut orders_seen = std::collections::BTreeSet::new();
    for _ in 0..8 {
        desk.trade(&PENDING, "type=2 volume=0.1 price=1.09000");
        desk.trade(&PENDING, "type=2 volume=0.2 price=1.09000");
        desk.price("1.08000", "1.08010");
        desk.terminal.expect("listener", "print", "TRADE_TRANSACTION_DEAL_ADD");
        desk.terminal.expect("listener", "print", "OnTrade");
        let said = desk.terminal.said("listener", "print");
        let kinds: String =
            said[said.len() - 5..].iter().map(|line| if line.contains("DELETE") { 'o' } else { 'd' }).collect();
        orders_seen.insert(kinds);
        desk.price("1.10000", "1.10010");
    }
    assert!(orders_seen.len() > 1, "always the same order: {orders_seen:?}");
    assert_eq!(desk.trade(&["action=8"], &format!("order={order}")).0, 10035, "it was filled");
    desk.terminal.command(&["custom-event", "listener", "1", ""]);
    desk.terminal.expect("listener", "print", "busy");
    for _ in 0..600 {
        let (_, order) = desk.trade(&PENDING, "type=2 volume=0.01 price=1.09000");
        desk.trade(&["action=8"], &format!("order={order}"));
    }
    desk.terminal.command(&["variable", "go", "1"]);
    desk.terminal.command(&["custom-event", "listener", "3", ""]);
    desk.terminal.expect("listener", "print", "1024 since busy");
    desk.terminal.close();
}
