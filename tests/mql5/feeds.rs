//! `MarketFeed` and `CustomSymbolFeed`: prices and bars from one terminal into another.

use crate::compile::program;
use crate::copier_stale::Line;
use crate::host::Terminal;
use crate::programs::{next, set_up};
use serde_json::Value;
use std::time::Duration;

const FEED: &str = "mql5/Experts/Mt5Mqtt/MarketFeed.mq5";

#[test]
fn the_market_feed_publishes_symbols_ticks_and_closed_bars() {
    let Some((mut terminal, server)) = set_up("the market feed") else { return };
    let listening = server.subscribe(&["-t", "mt5/#", "-F", "%t %p"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.2", "60000"]);
    terminal.expert("feed", FEED, &[("InpUrl", &server.url()), ("InpSymbols", "EURUSD, #US500,NONE")]);
    terminal.expect("feed", "print", "NONE is not a symbol");
    terminal.expect("feed", "print", "connected");
    let mut described = Vec::new();
    let mut ticks = Vec::new();
    for _ in 0..3 {
        let (topic, json) = next(&listening);
        if topic.starts_with("mt5/symbols/") { described.push((topic, json)) } else { ticks.push((topic, json)) }
    }
    assert_eq!(described[1].0, "mt5/symbols/%23US500");
    assert_eq!(described[1].1["symbol"], "#US500");
    assert_eq!((&described[1].1["digits"], &described[1].1["contract_size"]), (&Value::from(1), &Value::from(0.001)));
    assert_eq!(ticks[0].1, serde_json::json!({"time_msc": 60000, "bid": 1.1, "ask": 1.2}));

    terminal.command(&["tick", "#US500", "5000.5", "5001.0", "61000"]);
    assert_eq!(
        next(&listening),
        ("mt5/ticks/%23US500".to_owned(), serde_json::json!({"time_msc": 61000, "bid": 5000.5, "ask": 5001.0}))
    );
    terminal.command(&["tick", "EURUSD", "1.3", "1.31", "119000"]);
    assert_eq!(next(&listening).1["bid"], 1.3);
    terminal.command(&["tick", "EURUSD", "1.0", "1.01", "120000"]);
    // The first tick of a minute closes the bar before it; a look of the timer may see that first.
    let (mut tick, mut bar) = (next(&listening), next(&listening));
    if tick.0.starts_with("mt5/bars/") {
        std::mem::swap(&mut tick, &mut bar);
    }
    assert_eq!((tick.0.as_str(), &tick.1["bid"]), ("mt5/ticks/EURUSD", &Value::from(1.0)));
    let (topic, bar) = bar;
    assert_eq!(topic, "mt5/bars/EURUSD/M1");
    let expected = serde_json::json!(
        {"time": 60, "open": 1.1, "high": 1.3, "low": 1.1, "close": 1.3, "tick_volume": 2}
    );
    assert_eq!(bar, expected);
    terminal.close();
}

/// Fifty lines a second would fill the disk in some days.
#[test]
fn what_is_accepted_of_no_tick_is_said_once() {
    let Some((mut terminal, server)) = set_up("a feed that says it once") else { return };
    terminal.expert("feed", FEED, &[("InpUrl", &server.url()), ("InpRoot", "mt5/#"), ("InpSymbols", "EURUSD,#US500")]);
    terminal.expect("feed", "print", "connected");
    for number in 10..30 {
        for symbol in ["EURUSD", "#US500"] {
            terminal.command(&["tick", symbol, &format!("1.{number}"), "2.0"]);
        }
        // Each is seen by the program before the next one comes.
        std::thread::sleep(Duration::from_millis(25));
    }
    terminal.command(&["remove", "feed"]);
    terminal.expect("feed", "ended", "");
    let said = terminal.said("feed", "print");
    let told = said.iter().filter(|line| line.contains("wildcard")).count();
    assert_eq!(told, 1, "{said:#?}");
    terminal.close();
}

/// Charts of several timeframes would publish on one topic.
#[test]
fn bars_of_the_charts_own_timeframe_say_which_it_is() {
    let Some((mut terminal, server)) = set_up("bars of the chart") else { return };
    let listening = server.subscribe(&["-t", "mt5/bars/#", "-F", "%t %p"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.2", "60000"]);
    terminal.expert("feed", FEED, &[("InpUrl", &server.url()), ("InpTimeframe", "0")]);
    terminal.expect("feed", "print", "connected");
    terminal.command(&["tick", "EURUSD", "1.3", "1.31", "120000"]);
    assert_eq!(next(&listening).0, "mt5/bars/EURUSD/M1");
    terminal.close();
}

/// A terminal that was without its trade server fills the gap in its history.
#[test]
fn bars_that_were_closed_between_two_looks_are_all_published() {
    let Some((mut terminal, server)) = set_up("bars of a gap") else { return };
    let listening = server.subscribe(&["-t", "mt5/bars/#", "-F", "%t %p"]);
    terminal.command(&["tick", "#US500", "5000", "5001", "60000"]);
    let inputs = [("InpUrl", server.url()), ("InpSymbols", "#US500".to_owned()), ("InpTimer", "1000".to_owned())];
    terminal.expert("feed", FEED, &inputs.each_ref().map(|(name, value)| (*name, value.as_str())));
    terminal.expect("feed", "print", "connected");
    let last = 400;
    for minute in 2..=last {
        let bid = (5000 + minute).to_string();
        terminal.command(&["tick", "#US500", &bid, "6000", &(minute * 60_000).to_string()]);
    }
    let published: Vec<_> =
        std::iter::repeat_with(|| next(&listening).1["time"].as_i64().expect("a time")).take(last - 1).collect();
    assert!(published.windows(2).all(|pair| pair[1] == pair[0] + 60), "{published:?}");
    terminal.close();
}

#[test]
fn the_feed_of_one_terminal_becomes_custom_symbols_in_another() {
    let Some((mut master, server)) = set_up("custom symbols") else { return };
    let mut other = Terminal::start();
    let service = program("mql5/Services/Mt5Mqtt/CustomSymbolFeed.mq5");
    other.command(&["symbol", "EURUSD.taken"]);
    let inputs = [("InpUrl", server.url())];
    let inputs = inputs.each_ref().map(|(name, value)| (*name, value.as_str()));
    other.load("service", "custom", &service, ("0", ""), &inputs);
    other.expect("custom", "print", "subscribed: ");
    other.expect("custom", "print", "subscribed: ");
    master.expert("feed", FEED, &[("InpUrl", &server.url()), ("InpSymbols", "#US500")]);
    other.expect("custom", "print", "feeding #US500.mqtt");
    // An Expert Advisor on the custom symbol's chart sees its ticks.
    let watcher = program("tests/mql5/programs/Watcher.mq5");
    other.load("expert", "watcher", &watcher, ("1", "#US500.mqtt"), &[]);
    other.expect("watcher", "init", "0");
    master.command(&["tick", "#US500", "5000.5", "5001.0", "61000"]);
    assert_eq!(other.expect("watcher", "print", ""), "#US500.mqtt 5000.5 5001.0 61000 1");
    master.command(&["tick", "#US500", "5000.6", "5001.0", "121000"]);
    assert_eq!(other.expect("watcher", "print", ""), "#US500.mqtt 5000.6 5001.0 121000 2");
    // The symbol is described again at each start and connection of the feed: its history stays.
    master.command(&["remove", "feed"]);
    master.expect("feed", "ended", "");
    master.expert("feed", FEED, &[("InpUrl", &server.url()), ("InpSymbols", "#US500")]);
    other.expect("custom", "print", "feeding #US500.mqtt");
    master.command(&["tick", "#US500", "5000.7", "5001.0", "181000"]);
    assert_eq!(other.expect("watcher", "print", " 181000 "), "#US500.mqtt 5000.7 5001.0 181000 3");
    // Outside of Market Watch, where its user may have hidden it, a symbol takes no ticks.
    other.command(&["symbol", "#US500.mqtt", "quotes_after=0"]);
    master.command(&["tick", "#US500", "5000.8", "5001.0", "182000"]);
    assert_eq!(other.expect("watcher", "print", " 182000 "), "#US500.mqtt 5000.8 5001.0 182000 3");
    server.publish(&["-t", "mt5/ticks/%23US500", "-m", "{\"bid\":1}"]);
    other.expect("custom", "print", "the tick is incomplete");
    server.publish(&["-t", "mt5/ticks/%23US500", "-m", "no json"]);
    other.expect("custom", "print", "JSON: an unknown word");
    for (symbol, words) in [
        ("DE40-cash", "DE40-cash.mqtt can't be created: a custom symbol's name has Latin letters"),
        ("AN-INDEX".repeat(4).replace('-', "_").as_str(), "can't be created: a custom symbol's name has at most 31"),
    ] {
        let description = r#"{"symbol":"x","digits":1,"point":0.1,"tick_size":0.1,"contract_size":1}"#;
        server.publish(&["-t", &format!("mt5/symbols/{symbol}"), "-m", description, "-q", "1"]);
        other.expect("custom", "print", words);
    }
    other.command(&["remove", "custom"]);
    other.expect("custom", "ended", "");
    master.close();
    other.close();
}

#[test]
fn of_the_ticks_of_an_outage_the_latest_alone_is_published() {
    let Some((mut terminal, server)) = set_up("ticks of an outage") else { return };
    let line = Line::to(server.port());
    let listening = server.subscribe(&["-t", "mt5/ticks/#", "-F", "%t %p"]);
    let url = format!("mqtt://127.0.0.1:{}", line.port);
    terminal.expert("feed", FEED, &[("InpUrl", &url)]);
    terminal.expect("feed", "print", "connected");
    terminal.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
    assert_eq!(next(&listening).1["bid"], 1.1);
    line.cut();
    terminal.expect("feed", "print", "disconnected");
    for pips in 1..=50 {
        terminal.command(&["tick", "EURUSD", &format!("1.1{pips:03}0"), "1.20000"]);
        // Each is seen by the program before the next one comes.
        std::thread::sleep(Duration::from_millis(25));
    }
    line.mend();
    assert_eq!(next(&listening).1["bid"], 1.105);
    terminal.close();
}
