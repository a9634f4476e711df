//! `RemoteControl`: commands that are obeyed, once, and what is replied.

use crate::common::folder::Folder;
use crate::compile::program;
use crate::copier_stale::Line;
use crate::host::Terminal;
use crate::programs::{deadline, next, set_up};
use serde_json::Value;
use std::fs;
use std::time::Duration;

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
    assert_eq!(placed["failed"][0]["result"], "placed, not filled yet", "{placed}");
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
    // No command would ever be too old.
    terminal.load("expert", "ageless", &module, ("1", "EURUSD"), &[("InpMaxAge", "-30")]);
    terminal.expect("ageless", "print", "InpMaxAge must be 0 or more");
    terminal.expect("ageless", "ended", "");
    terminal.close();
}

/// A close_all of an hour ago, sent while the line was down, would close what was opened since.
#[test]
fn a_command_without_a_time_waits_at_the_server_no_longer_than_the_maximum_age() {
    let Some((mut terminal, server)) = set_up("remote control, old commands") else { return };
    let line = Line::to(server.port());
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
    let url = format!("mqtt://127.0.0.1:{}", line.port);
    let inputs = [("InpUrl", &*url), ("InpMaxAge", "1")];
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
    terminal.expect("control", "print", "subscribed: ");
    line.cut();
    terminal.expect("control", "print", "disconnected");
    let send = |id: &str| {
        let payload = format!("{{\"command\":\"pause\",\"id\":\"{id}\"}}");
        server.publish(&["-t", "mt5/Simulated/1001/command", "-m", &payload, "-q", "1"]);
    };
    send("old");
    // Its age can only be let pass.
    std::thread::sleep(Duration::from_secs(4));
    line.mend();
    // Its subscription has gone out before it says so.
    terminal.expect("control", "print", "connected, commands on");
    send("new");
    assert_eq!(next(&listening).1["id"], "new", "{}", terminal.transcript());
    terminal.close();
}

/// Should the terminal not load the program anew, a command for the account before must not close positions of this one.
#[test]
fn commands_for_another_account_than_the_terminals_are_not_obeyed() {
    let Some((mut terminal, server)) = set_up("remote control, another account") else { return };
    let listening = server.subscribe(&["-t", "mt5/Simulated/+/reply", "-F", "%t %p"]);
    let presence = server.subscribe(&["-t", "mt5/Simulated/+/presence", "-F", "%t %p"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
    terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.1"]);
    let inputs = [("InpUrl", &*server.url()), ("InpAllowClose", "true")];
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
    terminal.expect("control", "print", "subscribed: ");
    terminal.expert("telemetry", "mql5/Experts/Mt5Mqtt/Telemetry.mq5", &inputs[..1]);
    assert_eq!(presence.line(deadline()), "mt5/Simulated/1001/presence online");
    terminal.command(&["account", "login=1002"]);
    terminal.expect("control", "print", "the terminal has changed to another account");
    terminal.expect("control", "print", "subscribed: ");
    for (login, command) in [("1001", "close_all"), ("1002", "status")] {
        let topic = format!("mt5/Simulated/{login}/command");
        server.publish(&["-t", &topic, "-m", &format!("{{\"command\":\"{command}\"}}"), "-q", "1"]);
    }
    let (topic, reply) = next(&listening);
    assert_eq!((topic.as_str(), &reply["positions"]), ("mt5/Simulated/1002/reply", &Value::from(1)), "{reply}");
    let told = [presence.line(deadline()), presence.line(deadline())];
    assert_eq!(told, ["mt5/Simulated/1001/presence offline", "mt5/Simulated/1002/presence online"]);
    terminal.close();
}

/// Positions that are listed in another order while they are read, as when a stop closes one, are all closed, and once.
#[test]
fn every_position_is_closed_however_the_terminal_lists_them() {
    let Some((mut terminal, server)) = set_up("remote control, restless") else { return };
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
    let inputs = [("InpUrl", &*server.url()), ("InpAllowClose", "true")];
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
    terminal.expect("control", "print", "subscribed: ");
    terminal.command(&["account", "restless=12"]);
    for _ in 0..5 {
        for _ in 0..5 {
            terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.1"]);
        }
        server.publish(&["-t", "mt5/Simulated/1001/command", "-m", "{\"command\":\"close_all\"}", "-q", "1"]);
        let reply = next(&listening).1;
        assert_eq!((&reply["closed"], &reply["positions"]), (&Value::from(5), &Value::from(0)), "{reply}");
    }
    terminal.close();
}

/// What the flags of the symbol say of fillings isn't always true, and a close must not end with that.
#[test]
fn a_close_whose_filling_is_refused_is_tried_with_the_others() {
    let Some((mut terminal, server)) = set_up("remote control, fillings") else { return };
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
    terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.1"]);
    let inputs = [("InpUrl", &*server.url()), ("InpAllowClose", "true")];
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
    terminal.expect("control", "print", "subscribed: ");
    terminal.command(&["inject", "10030", "refused"]);
    server.publish(&["-t", "mt5/Simulated/1001/command", "-m", "{\"command\":\"close_all\"}", "-q", "1"]);
    let reply = next(&listening).1;
    assert_eq!((&reply["closed"], &reply["positions"]), (&Value::from(1), &Value::from(0)), "{reply}");
    terminal.close();
}

/// Whoever is told that none failed and none is left takes them for closed.
#[test]
fn nothing_is_closed_by_a_terminal_that_is_not_connected() {
    let Some((mut terminal, server)) = set_up("remote control, not connected") else { return };
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
    terminal.command(&["account", "currency=BTC", "balance=0.01234567"]);
    terminal.command(&["symbol", "EURUSD", "contract_size=0.000001", "tick_value=0.00000000001"]);
    terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
    terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=0.1"]);
    let inputs = [("InpUrl", &*server.url()), ("InpAllowClose", "true")];
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
    terminal.expect("control", "print", "subscribed: ");
    let ask = |payload: &str| {
        server.publish(&["-t", "mt5/Simulated/1001/command", "-m", payload, "-q", "1"]);
        next(&listening).1
    };
    assert_eq!(ask("{\"command\":\"status\"}")["balance"], 0.01234567);
    let close = "{\"command\":\"close_all\",\"id\":\"a\"}";
    terminal.command(&["connected", "0"]);
    let reply = ask(close);
    assert_eq!(reply["accepted"], false, "{reply}");
    assert!(
        reply["reason"].as_str().is_some_and(|text| text.contains("isn't connected to its trade server")),
        "{reply}"
    );
    // It wasn't obeyed, so it may come again.
    terminal.command(&["connected", "1"]);
    let reply = ask(close);
    assert_eq!((&reply["closed"], &reply["positions"]), (&Value::from(1), &Value::from(0)), "{reply}");
    terminal.close();
}

#[test]
fn a_position_larger_than_an_order_may_be_is_closed_in_parts() {
    for (mode, more) in [("hedging", "bare_answers=0"), ("netting", "bare_answers=1"), ("netting", "lag=1000")] {
        let Some((mut terminal, server)) = set_up("remote control, in parts") else { return };
        let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
        terminal.command(&["account", &format!("mode={mode}"), "balance=1000000"]);
        terminal.command(&["tick", "EURUSD", "1.1", "1.1001"]);
        terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", "volume=2.25"]);
        let inputs = [("InpUrl", &*server.url()), ("InpAllowClose", "true")];
        terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &inputs);
        terminal.expect("control", "print", "subscribed: ");
        terminal.command(&["account", more]);
        // What two of the largest would leave no order could close.
        terminal.command(&["symbol", "EURUSD", "volume_max=1.1", "volume_min=0.1"]);
        server.publish(&["-t", "mt5/Simulated/1001/command", "-m", "{\"command\":\"close_all\"}", "-q", "1"]);
        let reply = next(&listening).1;
        assert_eq!((&reply["closed"], &reply["failed"]), (&Value::from(1), &Value::Array(Vec::new())), "{reply}");
        assert_eq!(terminal.positions(), [], "{mode}");
        assert_eq!(terminal.requests(), 3, "{mode}");
        terminal.close();
    }
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
fn a_client_that_has_failed_is_made_anew_and_obeys() {
    let Some((mut terminal, server)) = set_up("remote control, failed") else { return };
    let listening = server.subscribe(&["-t", "mt5/Simulated/1001/reply", "-F", "%t %p"]);
    terminal.expert("control", "mql5/Experts/Mt5Mqtt/RemoteControl.mq5", &[("InpUrl", &server.url())]);
    terminal.expect("control", "print", "subscribed: ");
    terminal.load("script", "panic", &program("tests/mql5/programs/Panic.mq5"), ("1", "EURUSD"), &[]);
    terminal.expect("panic", "ended", "");
    terminal.expect("control", "print", "the client has failed, and is made anew");
    terminal.expect("control", "print", "subscribed: ");
    server.publish(&["-t", "mt5/Simulated/1001/command", "-m", "{\"command\":\"status\"}", "-q", "1"]);
    assert_eq!(next(&listening).1["accepted"], true);
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
