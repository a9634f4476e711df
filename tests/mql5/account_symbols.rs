//! What a symbol demands of a request: its grid of prices, its contract, its sessions, its fillings, its levels.

use crate::account::{DEAL, Desk, PENDING};
use std::time::{SystemTime, UNIX_EPOCH};

const INDEX: [&str; 2] = ["action=1", "symbol=#US500"];

#[test]
fn tick_size_and_contract_are_the_symbols_own() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    let set = ["digits=2", "point=0.01", "tick_size=0.25", "tick_value=2.5", "contract_size=10", "volume_step=0.1"];
    let mut words = vec!["symbol", "#US500"];
    words.extend(set);
    desk.terminal.command(&words);
    desk.terminal.command(&["tick", "#US500", "5000.00", "5000.50"]);
    assert_eq!(desk.trade(&INDEX, "type=0 volume=1 sl=4990.10").0, 10016, "a stop between two ticks");
    assert_eq!(desk.trade(&INDEX, "type=0 volume=1.05").0, 10014, "a volume between two steps");
    let pending = ["action=5", "symbol=#US500", "filling=2"];
    assert_eq!(desk.trade(&pending, "type=2 volume=1 price=4990.10").0, 10015, "a price between two ticks");
    let (retcode, _) = desk.trade(&INDEX, "type=0 volume=2 sl=4990.25");
    assert_eq!(retcode, 10009);
    assert_eq!(desk.positions(), ["buy 2@5000.5 4990.25/0"]);
    // Forty ticks of 0.25, at 2.5 for each and lot.
    desk.terminal.command(&["tick", "#US500", "5010.50", "5011.00"]);
    desk.terminal.command(&["trade", "action=1", "symbol=#US500", "type=1", "volume=2", "position=100001"]);
    let closed = desk.terminal.expect("*", "trade", "");
    assert!(closed.starts_with("10009 "), "{closed}");
    desk.terminal.command(&["dump"]);
    let account = desk.terminal.expect("*", "account", "");
    assert!(account.contains(" balance=10200 "), "{account}");
    // 10 of contract, at 5011 and a hundredth of margin: 501.10 for a lot.
    assert_eq!(desk.trade(&INDEX, "type=0 volume=20.4").0, 10019);
    assert_eq!(desk.trade(&INDEX, "type=0 volume=20.3").0, 10009);
    desk.terminal.close();
}

#[test]
fn a_market_is_open_within_its_sessions_by_the_trade_servers_clock() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    // Wednesday, 15 November 2023, noon.
    let noon = 1_700_049_600;
    for (hours, sessions, days, retcode) in [
        (0, "00:00-24:00", "0123456", 10009),
        (0, "08:00-12:30,13:00-17:00", "12345", 10009),
        (0, "08:00-11:59,12:30-17:00", "12345", 10018),
        (1, "08:00-12:30,12:59-17:00", "12345", 10009),
        (6, "08:00-12:30,13:00-17:00", "12345", 10018),
        (0, "08:00-17:00", "1245", 10018),
        (72, "08:00-17:00", "12345", 10018),
        (72, "08:00-17:00", "6", 10009),
    ] {
        desk.terminal.command(&["clock", &(noon + hours * 3600 - now).to_string()]);
        let (sessions, days) = (format!("sessions={sessions}"), format!("days={days}"));
        desk.terminal.command(&["symbol", "EURUSD", &sessions, &days]);
        assert_eq!(desk.trade(&DEAL, "type=0 volume=0.01").0, retcode, "{hours} h after noon: {sessions} {days}");
    }
    desk.terminal.close();
}

#[test]
fn an_order_gets_what_its_filling_takes_of_the_market() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    desk.terminal.command(&["symbol", "EURUSD", "market_volume=0.3"]);
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.5 filling=0").0, 10006, "all or nothing");
    assert_eq!(desk.positions(), [""; 0]);
    let (retcode, order) = desk.trade(&DEAL, "type=0 volume=0.5 filling=1");
    assert_eq!(retcode, 10010, "a part, and the rest is dropped");
    assert_eq!(desk.positions(), ["buy 0.3@1.1001 0/0"]);
    desk.terminal.command(&["symbol", "EURUSD", "market_volume=0.1"]);
    assert_eq!(desk.trade(&DEAL, &format!("type=1 volume=0.3 position={order}")).0, 10010);
    assert_eq!(desk.positions(), ["buy 0.2@1.1001 0/0"]);
    for (modes, filling, retcode) in
        [("1", "1", 10030), ("1", "0", 10009), ("2", "0", 10030), ("2", "1", 10009), ("3", "3", 10030)]
    {
        desk.terminal.command(&["symbol", "EURUSD", &format!("filling={modes}")]);
        let fields = format!("type=0 volume=0.01 filling={filling}");
        assert_eq!(desk.trade(&DEAL, &fields).0, retcode, "modes {modes}, {fields}");
    }
    // RETURN is for the exchange's execution, where the rest would stay.
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.01 filling=2").0, 10030);
    desk.terminal.command(&["symbol", "EURUSD", "execution=3"]);
    assert_eq!(desk.trade(&DEAL, "type=0 volume=0.01 filling=2").0, 10009);
    desk.terminal.close();
}

#[test]
fn near_the_market_stops_are_frozen_and_refused() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    let (_, order) = desk.trade(&DEAL, "type=0 volume=0.1 sl=1.09000 tp=1.12000");
    let stops = |sl: &str| format!("position={order} sl={sl} tp=1.12000");
    desk.terminal.command(&["symbol", "EURUSD", "stops_level=100"]);
    assert_eq!(desk.trade(&["action=6"], &stops("1.09950")).0, 10016, "nearer than the stops level");
    assert_eq!(desk.trade(&["action=6"], &stops("1.09890")).0, 10009);
    desk.terminal.command(&["symbol", "EURUSD", "stops_level=0", "freeze_level=150"]);
    assert_eq!(desk.trade(&["action=6"], &stops("1.09000")).0, 10029, "a stop that may be reached any moment");
    assert_eq!(desk.trade(&DEAL, &format!("type=1 volume=0.1 position={order}")).0, 10029);
    desk.price("1.10200", "1.10210");
    assert_eq!(desk.trade(&["action=6"], &stops("1.09000")).0, 10009);
    assert_eq!(desk.trade(&PENDING, "type=2 volume=0.1 price=1.10100").0, 10009);
    desk.terminal.close();
}
