//! The programs of mql5/, each executed with a real Server.

use crate::common::fake_server::FakeServer;
use crate::common::folder::Folder;
use crate::common::mosquitto::{Mosquitto, Subscriber};
use crate::common::tools::leave_out;
use crate::compile::{compiler, program};
use crate::copier_stale::Line;
use crate::host::Terminal;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::codec::subscribe::Suback;
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A terminal and a Server; None, reported, where a tool is missing.
fn set_up(leg: &str) -> Option<(Terminal, Mosquitto)> {
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
fn next(listening: &Subscriber) -> (String, Value) {
    let line = listening.line(deadline());
    let (topic, payload) = line.split_once(' ').expect("a topic and a payload");
    (topic.to_owned(), serde_json::from_str(payload).unwrap_or_else(|error| panic!("{error}: {payload}")))
}

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
fn remote_control_obeys_once_and_replies() {
    let Some((mut terminal, server)) = set_up("remote control") else { return };
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-t", "answers", "-F", "%t %p"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
    for kind in ["type=0", "type=1", "type=0"] {
        terminal.command(&["trade", "action=1", "symbol=EURUSD", kind, "volume=0.1"]);
    }
    let command_topic = "mt5/Simulated/1001/command";
    server.publish(&["-t", command_topic, "-m", "{\"command\":\"pause\"}", "-r"]);
    let inputs = [("InpUrl", &*server.url()), ("InpAllowClose", "true")];
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
    terminal.expect("control", "print", "subscribed: ");
    let ask = |payload: &str| {
        server.publish(&["-t", command_topic, "-m", payload, "-q", "1"]);
        next(&listening).1
    };
    let status = ask("{\"command\":\"status\",\"id\":\"a\"}");
    assert_eq!(
        (&status["accepted"], &status["positions"], &status["paused"], &status["id"]),
        (&Value::from(true), &Value::from(3), &Value::from(false), &Value::from("a"))
    );
    assert_eq!(ask("{\"command\":\"pause\"}")["paused"], true);
    assert_eq!(ask("{\"command\":\"resume\"}")["paused"], false);
    assert_eq!(ask("{\"command\":\"pause\"}")["paused"], true);
    // Four weeks in which other programs only ask whether there is a pause, and a crash of the terminal, end none.
    let status = "{\"command\":\"status\"}";
    terminal.command(&["variables", "unused"]);
    ask(status);
    terminal.command(&["variables", "four-weeks"]);
    assert_eq!(ask(status)["paused"], true, "after four weeks");
    terminal.command(&["variables", "crash"]);
    assert_eq!(ask(status)["paused"], true, "after a crash");
    assert_eq!(ask("{\"command\":\"resume\"}")["paused"], false);
    terminal.command(&["variables", "crash"]);
    assert_eq!(ask(status)["paused"], false, "after a crash");
    for (payload, reason) in [
        ("pause", "JSON: "),
        ("{\"id\":\"x\"}", "there is no \"command\""),
        ("{\"command\":\"buy\"}", "unknown command"),
        ("{\"command\":\"close_all\",\"time\":1000}", "too old"),
        ("{\"command\":\"close_all\",\"time\":1000.5}", "\"time\" must be"),
        ("{\"command\":\"close_all\",\"time\":\"1000\"}", "\"time\" must be"),
        // Milliseconds would never be too old.
        ("{\"command\":\"close_all\",\"time\":1700000000000}", "\"time\" is more than a day ahead"),
        ("{\"command\":\"close_all\",\"id\":7}", "\"id\" must be"),
    ] {
        let reply = ask(payload);
        assert_eq!(reply["accepted"], false, "{reply}");
        assert!(reply["reason"].as_str().is_some_and(|text| text.starts_with(reason)), "{payload}: {reply}");
    }

    // One of the three closes is refused, the oldest, which comes first as FIFO has it: the reply says which.
    let oldest = terminal.positions()[0]["ticket"].parse::<u64>().expect("a ticket");
    terminal.command(&["inject", "10004", "refused"]);
    server.publish(&[
        "-V",
        "5",
        "-t",
        command_topic,
        "-m",
        "{\"command\":\"close_all\",\"id\":\"c\"}",
        "-q",
        "1",
        "-D",
        "publish",
        "response-topic",
        "answers",
    ]);
    let (topic, reply) = next(&listening);
    assert_eq!(topic, "answers");
    assert_eq!((&reply["closed"], &reply["positions"]), (&Value::from(2), &Value::from(1)), "{reply}");
    assert_eq!(
        (&reply["failed"][0]["retcode"], &reply["failed"][0]["ticket"]),
        (&Value::from(10004), &Value::from(oldest))
    );
    let repeated = ask("{\"command\":\"close_all\",\"id\":\"c\"}");
    assert_eq!(repeated["repeated"], true, "{repeated}");
    // An order that is only placed has closed nothing yet.
    terminal.command(&["inject", "10008", "refused"]);
    let placed = ask("{\"command\":\"close_all\",\"id\":\"p\"}");
    assert_eq!((&placed["closed"], &placed["positions"]), (&Value::from(0), &Value::from(1)), "{placed}");
    assert_eq!(placed["failed"][0]["retcode"], 10008, "{placed}");
    assert_eq!(ask("{\"command\":\"close_all\",\"id\":\"d\"}")["positions"], 0);
    terminal.command(&["remove", "control"]);
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &[("InpUrl", &server.url())]);
    terminal.expect("control", "print", "subscribed: ");
    assert_eq!(ask("{\"command\":\"close_all\"}")["accepted"], false, "not allowed by default");
    // The terminal takes no longer name: a pause would pause nothing.
    let (module, name) = (program("mql5/Experts/Mt5Mqtt/RemoteControl.mq5"), "p".repeat(64));
    terminal.load("expert", "long", &module, ("1", "EURUSD"), &[("InpPauseVariable", &name)]);
    terminal.expect("long", "print", "InpPauseVariable must have");
    terminal.expect("long", "ended", "");
    terminal.close();
}

/// A sender that has seen no acknowledgement sends anew, and the Server can't know that the program has restarted meanwhile.
#[test]
fn a_command_that_comes_again_after_a_restart_is_not_obeyed_again() {
    let Some((mut terminal, server)) = set_up("repeated commands") else { return };
    let files = Folder::new("commands");
    terminal.command(&["files", &files.path().display().to_string()]);
    terminal.command(&["keep", &files.path().join("account").display().to_string()]);
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
    let inputs = [("InpUrl", &*server.url()), ("InpAllowClose", "true")];
    let start = |terminal: &mut Terminal| {
        terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
        terminal.expect("control", "print", "subscribed: ");
    };
    let buy =
        |terminal: &mut Terminal| terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.1"]);
    let send = |id: &str| {
        let payload = format!("{{\"command\":\"close_all\",\"id\":\"{id}\"}}");
        server.publish(&["-t", "mt5/Simulated/1001/command", "-m", &payload, "-q", "1"]);
    };
    buy(&mut terminal);
    start(&mut terminal);
    send("a");
    assert_eq!(next(&listening).1["closed"], 1);
    buy(&mut terminal);
    for is_killed in [false, true] {
        if is_killed {
            terminal.kill();
        } else {
            terminal.command(&["remove", "control"]);
            terminal.expect("control", "ended", "");
        }
        start(&mut terminal);
        send("a");
        let reply = next(&listening).1;
        assert_eq!((&reply["repeated"], &reply["finished"]), (&Value::from(true), &Value::from(true)), "{reply}");
        assert_eq!(terminal.positions().len(), 1);
    }
    // The terminal ends in the middle: whether anything was closed only a look can tell.
    terminal.command(&["inject", "10009", "killed"]);
    send("b");
    terminal.expect_end();
    terminal.kill();
    buy(&mut terminal);
    start(&mut terminal);
    send("b");
    let reply = next(&listening).1;
    assert_eq!((&reply["repeated"], &reply["finished"]), (&Value::from(true), &Value::from(false)), "{reply}");
    assert_eq!(terminal.positions().len(), 1);
    // The oldest is forgotten after 64 others.
    for number in 0..63 {
        send(&number.to_string());
        next(&listening);
    }
    send("b");
    assert_eq!(next(&listening).1["repeated"], true);
    send("a");
    assert_eq!(next(&listening).1["repeated"], Value::Null);
    terminal.close();
}

#[test]
fn commands_are_obeyed_although_their_file_cannot_be_used() {
    let Some((mut terminal, server)) = set_up("commands without a file") else { return };
    let files = Folder::new("commands");
    let file = files.path().join("Mt5Mqtt/commands-mt5%2FSimulated%2F1001.json");
    fs::create_dir_all(file.parent().expect("a folder")).expect("make a folder");
    fs::write(&file, "{\"ids\":[").expect("write a damaged file");
    terminal.command(&["files", &files.path().display().to_string()]);
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &[("InpUrl", &server.url())]);
    terminal.expect("control", "print", "can't be read: ");
    terminal.expect("control", "print", "subscribed: ");
    fs::remove_file(&file).and_then(|()| fs::create_dir(&file)).expect("a folder in its place");
    for (id, repeated) in [("a", Value::Null), ("a", Value::from(true)), ("b", Value::Null)] {
        let payload = format!("{{\"command\":\"pause\",\"id\":\"{id}\"}}");
        server.publish(&["-t", "mt5/Simulated/1001/command", "-m", &payload, "-q", "1"]);
        let reply = next(&listening).1;
        assert_eq!((&reply["accepted"], &reply["repeated"]), (&Value::from(true), &repeated), "{reply}");
    }
    let told = terminal.said("control", "print").iter().filter(|line| line.contains("can't be written")).count();
    assert_eq!(told, 1, "{}", terminal.transcript());
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

/// A terminal, and a Server that lets nobody publish what the programs publish, by rules in a file.
fn set_up_refusing(leg: &str) -> Option<(Terminal, Mosquitto, Folder)> {
    let (mut terminal, _) = set_up(leg)?;
    let files = Folder::new("rules");
    terminal.command(&["files", &files.path().display().to_string()]);
    let rules = files.path().join("rules");
    fs::write(&rules, "topic read mt5/#\n").expect("write the rules");
    let server = Mosquitto::start_with(&format!("acl_file {}\n", rules.display())).expect("mosquitto");
    Some((terminal, server, files))
}

#[test]
fn what_the_server_refuses_is_in_the_journal() {
    let Some((mut terminal, server, _files)) = set_up_refusing("refused publishes") else { return };
    let why = "failed: Not authorized: The Server doesn't allow this to this user.";
    let refused = format!("a publish {why}");
    for (name, program, says) in [
        ("telemetry", "Telemetry", "MQTT: "),
        ("master", "TradeCopierMaster", ""),
        ("follower", "TradeCopierFollower", "copier: "),
    ] {
        let path = format!("mql5/Experts/Mt5Mqtt/{program}.mq5");
        terminal.expert(name, &path, &[("InpUrl", &server.url())]);
        assert_eq!(terminal.expect(name, "print", "failed"), format!("{says}{refused}"));
    }
    for copier in ["master", "follower"] {
        terminal.expect(copier, "comment", &refused);
    }
    // Three publishes and a request.
    assert_eq!(bare(&mut terminal, &server.url(), 5), [format!("MQTT: {refused}"), format!("MQTT: a request {why}")]);
    terminal.close();
}

/// What a program prints that overrides nothing and takes so many events.
fn bare(terminal: &mut Terminal, url: &str, events: u32) -> Vec<String> {
    let inputs = [("InpUrl", url.to_owned()), ("InpEvents", events.to_string())];
    let inputs = inputs.each_ref().map(|(name, value)| (*name, value.as_str()));
    terminal.load("script", "bare", &program("tests/mql5/programs/Bare.mq5"), ("1", "EURUSD"), &inputs);
    terminal.expect("bare", "ended", "");
    terminal.said("bare", "print")
}

/// A Server may refuse what it would take a moment later.
#[test]
fn a_state_that_was_refused_is_published_again_soon() {
    let Some((mut terminal, server, files)) = set_up_refusing("a refused state") else { return };
    let listening = server.subscribe(&["-t", "mt5/copier/+/state", "-F", "%t %p"]);
    let inputs = [("InpUrl", server.url()), ("InpSeconds", "3600".to_owned())];
    let inputs = inputs.each_ref().map(|(name, value)| (*name, value.as_str()));
    terminal.expert("master", "mql5/Experts/Mt5Mqtt/TradeCopierMaster.mq5", &inputs);
    terminal.expect("master", "print", "a publish failed");
    // The presence, and then the state.
    terminal.expect("master", "comment", "state 1");
    fs::write(files.path().join("rules"), "topic readwrite mt5/#\n").expect("write the rules");
    server.reload();
    assert_eq!(next(&listening).0, "mt5/copier/master/state");
    terminal.close();
}

#[test]
fn attempts_that_fail_alike_are_in_the_journal_once() {
    let Some((mut terminal, server)) = set_up("failures of a bare client") else { return };
    let nobody = server.url();
    drop(server);
    let printed = bare(&mut terminal, &nobody, 3);
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(
        printed[0].starts_with("MQTT: the connection failed: ") && printed[0].contains("nobody listens"),
        "{printed:?}"
    );
    // Two that are tried in turn.
    let printed = bare(&mut terminal, &format!("{nobody},{}", nobody.replace("127.0.0.1", "127.0.0.2")), 6);
    assert_eq!(printed.len(), 1 + 2, "{printed:?}");
    terminal.close();
}

#[test]
fn a_refused_subscription_does_not_look_like_a_granted_one() {
    let Some((mut terminal, _)) = set_up("a refused subscription") else { return };
    let files = Folder::new("refused");
    terminal.command(&["files", &files.path().display().to_string()]);
    let mut server = FakeServer::start();
    for program in ["MinimalEA", "RemoteControl", "LowLatencyEA", "TradeCopierFollower"] {
        let path = format!("mql5/Experts/Mt5Mqtt/{program}.mq5");
        terminal.expert(program, &path, &[("InpUrl", &server.url())]);
        let mut peer = server.accept_mqtt();
        let packet_id = peer.expect(PacketType::Subscribe).id();
        let reasons = vec![ReasonCode::NOT_AUTHORIZED];
        peer.send(&Packet::Suback(Suback { packet_id, properties: Properties::EMPTY, reasons }));
        terminal.expect(program, "print", "failed: Not authorized");
        let printed = terminal.said(program, "print");
        assert!(printed.iter().any(|line| line.contains("subscribing to mt5/")), "{printed:?}");
        assert!(!printed.iter().any(|line| line.contains("subscribed")), "{printed:?}");
        // It is not to come back while the next one is awaited.
        terminal.command(&["remove", program]);
        while !matches!(peer.read("DISCONNECT").packet(), Packet::Disconnect(_)) {}
        peer.close();
        terminal.expect(program, "ended", "");
    }
    terminal.close();
}

#[test]
fn a_refused_connection_is_told_of_without_saying_it_twice() {
    let Some((mut terminal, _)) = set_up("a refused connection") else { return };
    let server = Mosquitto::start_with("allow_anonymous false\n").expect("mosquitto");
    let printed = bare(&mut terminal, &server.url(), 2);
    let why =
        "the Server refused the connection: 0x87 Not authorized: The Server doesn't allow this to this user. Check ";
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(printed[0].starts_with(&format!("MQTT: the connection failed: {why}")), "{printed:?}");
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
