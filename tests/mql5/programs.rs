//! The programs of mql5/, each executed with a real Server.

use crate::common::mosquitto::{Mosquitto, Subscriber};
use crate::common::tools::leave_out;
use crate::compile::{compiler, program};
use crate::copier_stale::Line;
use crate::host::Terminal;
use serde_json::Value;
use std::time::{Duration, Instant};

pub fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A terminal and a Server; None, reported, where a tool is missing.
pub fn set_up(leg: &str) -> Option<(Terminal, Mosquitto)> {
    compiler(leg)?;
    let Some(server) = Mosquitto::start() else {
        leave_out(leg, "mosquitto");
        return None;
    };
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    terminal.command(&["symbol", "#US500", "digits=1", "point=0.1", "tick_size=0.1", "contract_size=0.001"]);
    Some((terminal, server))
}

/// The topic and JSON of the next message, from lines of `%t %p`.
#[track_caller]
pub fn next(listening: &Subscriber) -> (String, Value) {
    let line = listening.line(deadline());
    let (topic, payload) = line.split_once(' ').expect("a topic and a payload");
    (topic.to_owned(), serde_json::from_str(payload).unwrap_or_else(|error| panic!("{error}: {payload}")))
}

#[test]
fn the_smallest_expert_advisor_sends_no_price_that_is_over() {
    let Some((mut terminal, server)) = set_up("prices of an outage") else { return };
    let line = Line::to(server.port());
    let listening = server.subscribe(&["-t", "mt5/ticks/#", "-F", "%p"]);
    let url = format!("mqtt://127.0.0.1:{}", line.port);
    terminal.expert("small", "mql5/Experts/Mt5Mqtt/MinimalEA.mq5", &[("InpUrl", &url)]);
    terminal.expect("small", "print", "subscribed");
    terminal.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
    assert_eq!(listening.line(deadline()), "1.10000");
    line.cut();
    terminal.expect("small", "print", "disconnected");
    for pips in 1..=10 {
        terminal.command(&["tick", "EURUSD", &format!("1.1{pips:03}0"), "1.20000"]);
        // Each is seen by the program before the next one comes.
        std::thread::sleep(Duration::from_millis(25));
    }
    line.mend();
    assert_eq!(listening.line(deadline()), "1.10100");
    terminal.close();
}

#[test]
fn telemetry_tells_of_the_account_and_of_the_end() {
    let Some((mut terminal, server)) = set_up("telemetry") else { return };
    let listening = server.subscribe(&["-t", "mt5/#", "-F", "%t %p"]);
    let telemetry = "mql5/Experts/Mt5Mqtt/Telemetry.mq5";
    terminal.command(&["account", "login=77", "balance=5000"]);
    let inputs = [("InpUrl", &*server.url()), ("InpSeconds", "1"), ("trade_allowed", "0")];
    terminal.expert("telemetry", telemetry, &inputs);
    assert_eq!(listening.line(deadline()), "mt5/Simulated/77/presence online");
    let (topic, account) = next(&listening);
    assert_eq!(topic, "mt5/Simulated/77/account");
    // The Will of an earlier connection, of whose end the Server has heard now.
    terminal.expect("telemetry", "print", "subscribed");
    server.publish(&["-t", "mt5/Simulated/77/presence", "-m", "offline", "-q", "1", "-r"]);
    while listening.line(deadline()) != "mt5/Simulated/77/presence offline" {}
    while listening.line(deadline()) != "mt5/Simulated/77/presence online" {}
    assert_eq!((&account["balance"], &account["positions"]), (&Value::from(5000.0), &Value::from(0)));
    assert_eq!(account["trade_allowed"], true);
    terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
    terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.1"]);
    while next(&listening).1["positions"] != 1 {}
    // An investor's password, or a broker that forbids programs, keeps every program from trading; a switch of this one doesn't.
    for (what, is_allowed) in [("trade_allowed", false), ("experts_allowed", false), ("", true)] {
        if !what.is_empty() {
            terminal.command(&["account", &format!("{what}=0")]);
        }
        while next(&listening).1["trade_allowed"] != is_allowed {}
        terminal.command(&["account", "trade_allowed=1", "experts_allowed=1"]);
    }
    terminal.command(&["remove", "telemetry"]);
    while listening.line(deadline()) != "mt5/Simulated/77/presence offline" {}
    terminal.expect("telemetry", "ended", "");

    // A terminal that dies says nothing: its Will does.
    terminal.expert("telemetry", telemetry, &[("InpUrl", &server.url())]);
    assert_eq!(listening.line(deadline()), "mt5/Simulated/77/presence online");
    drop(terminal);
    while listening.line(deadline()) != "mt5/Simulated/77/presence offline" {}
}

#[test]
fn topics_of_an_account_wait_until_the_terminal_knows_it() {
    let Some((mut terminal, server)) = set_up("unknown account") else { return };
    let listening = server.subscribe(&["-t", "mt5/#", "-F", "%t %p"]);
    terminal.command(&["connected", "0"]);
    terminal.expert("telemetry", "mql5/Experts/Mt5Mqtt/Telemetry.mq5", &[("InpUrl", &server.url())]);
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &[("InpUrl", &server.url())]);
    terminal.command(&["connected", "1"]);
    assert_eq!(listening.line(deadline()), "mt5/Simulated/1001/presence online");
    terminal.expect("control", "print", "subscribed: ");
    server.publish(&["-t", "mt5/Simulated/1001/command", "-m", "{\"command\":\"status\"}", "-q", "1"]);
    while !listening.line(deadline()).starts_with("mt5/Simulated/1001/reply ") {}
    terminal.close();
}

#[test]
fn timers_that_cant_be_set_start_nothing() {
    let Some((mut terminal, server)) = set_up("wrong timers") else { return };
    for (path, input) in [("MarketFeed", "InpTimer"), ("LowLatencyEA", "InpTimer"), ("Telemetry", "InpSeconds")] {
        let module = program(&format!("mql5/Experts/Mt5Mqtt/{path}.mq5"));
        terminal.load("expert", "timer", &module, ("1", "EURUSD"), &[("InpUrl", &server.url()), (input, "0")]);
        terminal.expect("timer", "print", &format!("{input} must be 1 or more"));
        assert_eq!(terminal.expect("timer", "init", ""), "1", "{path}");
        terminal.expect("timer", "ended", "");
    }
    terminal.close();
}

/// Every program that lives by its timer.
const TIMED: [(&str, &str); 8] = [
    ("expert", "Experts/Mt5Mqtt/LowLatencyEA.mq5"),
    ("expert", "Experts/Mt5Mqtt/MarketFeed.mq5"),
    ("expert", "Experts/Mt5Mqtt/MinimalEA.mq5"),
    ("expert", "Experts/Mt5Mqtt/RemoteControl.mq5"),
    ("expert", "Experts/Mt5Mqtt/Telemetry.mq5"),
    ("expert", "Experts/Mt5Mqtt/TradeCopierFollower.mq5"),
    ("expert", "Experts/Mt5Mqtt/TradeCopierMaster.mq5"),
    ("indicator", "Indicators/Mt5Mqtt/RemoteValue.mq5"),
];

#[test]
fn a_terminal_that_sets_no_timer_is_told_of_and_starts_nothing() {
    let Some((mut terminal, server)) = set_up("no timers") else { return };
    for (kind, path) in TIMED {
        let module = program(&format!("mql5/{path}"));
        terminal.load(kind, "timer", &module, ("1", "EURUSD"), &[("InpUrl", &server.url()), ("timers", "0")]);
        terminal.expect("timer", "print", "the terminal sets no timer");
        assert_eq!(terminal.expect("timer", "init", ""), "1", "{path}");
        terminal.expect("timer", "ended", "");
    }
    terminal.close();
}

#[test]
fn inputs_that_the_terminal_may_have_cut_start_nothing() {
    let Some((mut terminal, server)) = set_up("inputs that are cut") else { return };
    let url = server.url();
    let url_of = |length: usize| format!("{url},{}", "mqtt://127.0.0.1:1/".repeat(20))[..length].to_owned();
    // The terminal keeps 255 characters of name=value.
    let telemetry = "Experts/Mt5Mqtt/Telemetry.mq5";
    for (path, input, value) in [
        (telemetry, "InpUrl", url_of(300)),
        (telemetry, "InpUrl", url_of(254 - "InpUrl".len())),
        (telemetry, "InpPassword", "a".repeat(300)),
        (telemetry, "InpTlsCa", "a".repeat(300)),
        ("Experts/Mt5Mqtt/MarketFeed.mq5", "InpSymbols", "EURUSD,".repeat(40)),
    ] {
        let module = program(&format!("mql5/{path}"));
        terminal.load("expert", "cut", &module, ("1", "EURUSD"), &[("InpUrl", &url), (input, &value)]);
        terminal.expect("cut", "print", &format!("the input {input} may have been cut"));
        assert_eq!(terminal.expect("cut", "init", ""), "1", "{input} of {} characters", value.len());
        terminal.expect("cut", "ended", "");
    }
    let whole = "a".repeat(253 - "InpPassword".len());
    terminal.expert("whole", &format!("mql5/{telemetry}"), &[("InpUrl", &url), ("InpPassword", &whole)]);
    terminal.close();
}

#[test]
fn a_service_wakes_the_chart_whose_client_has_something() {
    let Some((mut terminal, server)) = set_up("waking charts") else { return };
    let listening = server.subscribe(&["-t", "mt5/pong", "-F", "%p"]);
    terminal.load("service", "waking", &program("mql5/Services/Mt5Mqtt/WakeCharts.mq5"), ("0", ""), &[]);
    terminal.expect("waking", "print", "waking charts");
    // The timer alone would take a minute.
    let low = "mql5/Experts/Mt5Mqtt/LowLatencyEA.mq5";
    terminal.expert("low", low, &[("InpUrl", &server.url()), ("InpTimer", "60000")]);
    terminal.expect("low", "print", "connected");
    terminal.expect("low", "print", "subscribed: ");
    for number in 0..20 {
        server.publish(&["-t", "mt5/ping", "-m", &number.to_string()]);
        assert_eq!(listening.line(deadline()), number.to_string());
    }
    // Two charts, and one that has gone: the others are woken all the same.
    terminal.load(
        "expert",
        "second",
        &program(low),
        ("2", "EURUSD"),
        &[("InpUrl", &server.url()), ("InpTimer", "60000")],
    );
    terminal.expect("second", "print", "subscribed: ");
    server.publish(&["-t", "mt5/ping", "-m", "both"]);
    assert_eq!((listening.line(deadline()), listening.line(deadline())), ("both".to_owned(), "both".to_owned()));
    terminal.command(&["remove", "low"]);
    terminal.expect("low", "ended", "");
    server.publish(&["-t", "mt5/ping", "-m", "one"]);
    assert_eq!(listening.line(deadline()), "one");
    terminal.command(&["remove", "waking"]);
    terminal.expect("waking", "ended", "");
    terminal.close();
}

#[test]
fn the_doctor_prints_its_report() {
    let Some((mut terminal, server)) = set_up("the doctor") else { return };
    let doctor = program("mql5/Scripts/Mt5Mqtt/Doctor.mq5");
    terminal.load("script", "good", &doctor, ("1", "EURUSD"), &[("InpUrl", &server.url())]);
    terminal.expect("good", "print", "the message came back after ");
    terminal.expect("good", "print", "All is well");
    terminal.expect("good", "ended", "");
    let url = server.url().replace("mqtt://", "mqtts://");
    terminal.load("script", "bad", &doctor, ("1", "EURUSD"), &[("InpUrl", &url)]);
    terminal.expect("bad", "print", "What to do: use mqtt:// in the URL");
    terminal.expect("bad", "ended", "");
    terminal.close();
}
