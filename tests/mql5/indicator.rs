//! The indicator of mql5/, executed with a real Server, and what an indicator may not do.

use crate::common::mosquitto::Mosquitto;
use crate::common::tools::leave_out;
use crate::compile::{compiler, program};
use crate::copier_stale::Line;
use crate::host::Terminal;

const REMOTE_VALUE: &str = "mql5/Indicators/Mt5Mqtt/RemoteValue.mq5";

/// The values of the line, the oldest bar first; `-` is none.
fn line(terminal: &mut Terminal) -> String {
    terminal.command(&["buffer", "value"]);
    terminal.expect("value", "buffer", "")
}

#[test]
fn the_indicator_draws_what_comes_over_its_topic_at_the_open_bar() {
    let Some(_) = compiler("the indicator") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the indicator", "mosquitto") };
    let mut terminal = Terminal::start();
    for symbol in ["EURUSD", "#US500"] {
        terminal.command(&["symbol", symbol]);
        terminal.command(&["tick", symbol, "1.1", "1.2", "60000"]);
    }
    server.publish(&["-t", "mt5/signals/EURUSD", "-m", r#"{"value":0.5}"#, "-r"]);
    let url = server.url();
    terminal.load("indicator", "value", &program(REMOTE_VALUE), ("1", "EURUSD"), &[("InpUrl", &url)]);
    assert_eq!(terminal.expect("value", "short-name", ""), "Remote value of mt5/signals/EURUSD");
    assert_eq!(terminal.expect("value", "init", ""), "0");
    // What was kept for it comes at once.
    terminal.expect("value", "print", "connected");
    terminal.command(&["tick", "EURUSD", "1.1", "1.2", "61000"]);
    while line(&mut terminal) != "0.5" {
        terminal.expect("value", "redraw", "");
    }
    // A new bar begins with the last value, and the one before keeps its own.
    terminal.command(&["tick", "EURUSD", "1.1", "1.2", "120000"]);
    assert_eq!(line(&mut terminal), "0.5 0.5");
    server.publish(&["-t", "mt5/signals/EURUSD", "-m", r#"{"value":-7}"#]);
    while line(&mut terminal) != "0.5 -7" {
        terminal.expect("value", "redraw", "");
    }
    for payload in [r#"{"value":"x"}"#, "garbage", r#"{"other":1}"#] {
        server.publish(&["-t", "mt5/signals/EURUSD", "-m", payload]);
        terminal.expect("value", "print", &format!("no number in {payload}"));
    }
    assert_eq!(line(&mut terminal), "0.5 -7");
    // Another symbol, another topic, a new line.
    terminal.command(&["chart-symbol", "value", "#US500"]);
    assert_eq!(terminal.expect("value", "short-name", ""), "Remote value of mt5/signals/%23US500");
    assert_eq!(terminal.expect("value", "init", ""), "0");
    assert_eq!(line(&mut terminal), "-");
    server.publish(&["-t", "mt5/signals/%23US500", "-m", r#"{"value":3}"#, "-r"]);
    while line(&mut terminal) != "3" {
        terminal.expect("value", "redraw", "");
    }
    terminal.command(&["remove", "value"]);
    terminal.expect("value", "ended", "");
    terminal.close();
}

#[test]
fn bars_of_an_outage_have_no_value_of_before() {
    let Some(_) = compiler("the indicator in an outage") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the indicator in an outage", "mosquitto") };
    let wire = Line::to(server.port());
    let url = format!("mqtt://127.0.0.1:{}", wire.port);
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.2", "60000"]);
    server.publish(&["-t", "mt5/signals/EURUSD", "-m", r#"{"value":0.5}"#, "-r"]);
    terminal.load("indicator", "value", &program(REMOTE_VALUE), ("1", "EURUSD"), &[("InpUrl", &url)]);
    terminal.expect("value", "print", "connected");
    terminal.command(&["tick", "EURUSD", "1.1", "1.2", "61000"]);
    while line(&mut terminal) != "0.5" {
        terminal.expect("value", "redraw", "");
    }
    wire.cut();
    terminal.expect("value", "print", "disconnected");
    terminal.command(&["tick", "EURUSD", "1.1", "1.2", "120000"]);
    assert_eq!(line(&mut terminal), "0.5 -");
    wire.mend();
    while line(&mut terminal) != "0.5 0.5" {
        terminal.expect("value", "redraw", "");
    }
    terminal.command(&["remove", "value"]);
    terminal.expect("value", "ended", "");
    terminal.close();
}

#[test]
fn an_indicator_that_waits_sleeps_or_trades_is_found_out() {
    let Some(_) = compiler("an indicator's limits") else { return };
    let module = program("tests/mql5/programs/NotHere.mq5");
    let mut terminal = Terminal::start();
    terminal.load("indicator", "waits", &module, ("1", "EURUSD"), &[("InpWhat", "1")]);
    terminal.expect("waits", "print", "Wait: -7, an indicator must not wait");
    for (name, what, found) in
        [("sleeps", "2", "Sleep() in an indicator"), ("trades", "3", "OrderSend() in an indicator")]
    {
        terminal.load("indicator", name, &module, ("1", "EURUSD"), &[("InpWhat", what)]);
        terminal.expect(name, "critical", found);
    }
}
