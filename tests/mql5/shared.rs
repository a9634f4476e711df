//! Programs of one terminal on one connection: each with its own inbox and Topic Filters.

use crate::common::mosquitto::Mosquitto;
use crate::common::tools::leave_out;
use crate::compile::{compiler, program};
use crate::host::Terminal;
use std::time::{Duration, Instant};

const SHARED: &str = "tests/mql5/programs/Shared.mq5";

#[test]
fn two_programs_share_a_connection_and_each_gets_its_own_messages() {
    let Some(_) = compiler("a shared connection") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("a shared connection", "mosquitto") };
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD"]);
    terminal.command(&["symbol", "GBPUSD"]);
    let url = server.url();
    for (name, chart, filter) in [("first", "1", "mt5/#"), ("second", "2", "mt5/prices/+")] {
        let settings = [("InpUrl", url.as_str()), ("InpFilter", filter), ("InpInbox", name)];
        terminal.load("expert", name, &program(SHARED), (chart, "EURUSD"), &settings);
        assert_eq!(terminal.expect(name, "init", ""), "0");
        terminal.expect(name, "print", "connected");
        terminal.expect(name, "print", "subscribed: ");
        terminal.expect(name, "print", "published: ");
    }
    // Both filters match, so Mosquitto sends two copies: each program gets its own.
    server.publish(&["-t", "mt5/prices/EURUSD", "-m", "both", "-q", "1"]);
    server.publish(&["-t", "mt5/commands", "-m", "the first's", "-q", "1"]);
    terminal.expect("first", "print", "mt5/commands: the first's");
    terminal.expect("second", "print", "both");
    // A chart change keeps the program where it is.
    terminal.command(&["chart-symbol", "second", "GBPUSD"]);
    assert_eq!(terminal.expect("second", "init", ""), "0");
    server.publish(&["-t", "mt5/prices/GBPUSD", "-m", "after the change", "-q", "1"]);
    terminal.expect("second", "print", "after the change");
    for name in ["first", "second"] {
        let said = terminal.said(name, "print");
        assert_eq!(said.iter().filter(|line| line.ends_with(": both")).count(), 1, "{}", terminal.transcript());
    }
    // One with another option doesn't come in, and says why.
    let settings = [("InpUrl", url.as_str()), ("InpFilter", "x"), ("InpInbox", "third"), ("InpKeepAlive", "31")];
    terminal.load("expert", "third", &program(SHARED), ("3", "EURUSD"), &settings);
    terminal.expect("third", "print", "option KEEP_ALIVE_S");
    // The one that opened the connection is removed: the other goes on.
    terminal.command(&["remove", "first"]);
    terminal.expect("first", "ended", "");
    server.publish(&["-t", "mt5/prices/GBPUSD", "-m", "alone", "-q", "1"]);
    terminal.expect("second", "print", "alone");
    let second = terminal.said("second", "print");
    assert!(!second.iter().any(|line| line.contains("the first's")), "{}", terminal.transcript());
    assert_eq!(server.log().matches(" as terminal ").count(), 1, "{}", server.log());
    // The last one ends the connection.
    terminal.command(&["remove", "second"]);
    terminal.expect("second", "ended", "");
    assert!(server.log().contains("Client terminal disconnected"), "{}", server.log());
    terminal.close();
}

#[test]
fn programs_that_name_the_same_connection_in_their_inputs_are_on_one() {
    let Some(_) = compiler("the inputs of a shared connection") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the inputs of a shared connection", "mosquitto") };
    let listening = server.subscribe(&["-t", "mt5/ticks/+", "-F", "%t"]);
    let connections = || server.log().matches("New client connected").count();
    let others = connections();
    let mut terminal = Terminal::start();
    let url = server.url();
    let settings = [("InpUrl", url.as_str()), ("InpConnection", "main")];
    for (chart, symbol) in [("1", "EURUSD"), ("2", "GBPUSD")] {
        terminal.command(&["symbol", symbol]);
        terminal.command(&["tick", symbol, "1.1", "1.2", "60000"]);
        let feed = program("mql5/Experts/Mt5Mqtt/MarketFeed.mq5");
        terminal.load("expert", symbol, &feed, (chart, symbol), &settings);
        assert_eq!(terminal.expect(symbol, "init", ""), "0");
        terminal.expect(symbol, "print", "connected");
    }
    let value = program("mql5/Indicators/Mt5Mqtt/RemoteValue.mq5");
    terminal.load("indicator", "value", &value, ("3", "EURUSD"), &settings);
    terminal.expect("value", "print", "connected");
    server.publish(&["-t", "mt5/signals/EURUSD", "-m", r#"{"value":0.5}"#, "-r"]);
    terminal.expect("value", "redraw", "");
    for symbol in ["EURUSD", "GBPUSD"] {
        terminal.command(&["tick", symbol, "1.15", "1.2", "61000"]);
        let deadline = Instant::now() + Duration::from_secs(20);
        while listening.line(deadline) != format!("mt5/ticks/{symbol}") {}
    }
    // The publisher of the test is one of the others.
    assert_eq!(connections() - others, 2, "{}", server.log());
    terminal.close();
}
