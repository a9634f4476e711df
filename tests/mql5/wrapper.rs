//! The wrapper and the smallest Expert Advisor against the real library and a real Mosquitto.

use crate::common::c_header::CHeader;
use crate::common::mosquitto::Mosquitto;
use crate::common::tools::{leave_out, project};
use crate::compile::{c_library, compiler, program};
use crate::host::Terminal;
use mt5mqtt::ffi::constants::MT5MQTT_ABI_VERSION;
use mt5mqtt::ffi::event::mt5mqtt_event;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MINIMAL: &str = "mql5/Experts/Mt5Mqtt/MinimalEA.mq5";

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn the_minimal_expert_publishes_ticks_and_gets_commands_in_every_script() {
    let Some(_) = compiler("the minimal Expert Advisor") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the minimal Expert Advisor", "mosquitto") };
    let listening = server.subscribe(&["-t", "mt5/ticks/#", "-F", "%t %p"]);
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    terminal.expert("minimal", MINIMAL, &[("InpUrl", &server.url())]);
    terminal.expect("minimal", "print", "connected");
    terminal.expect("minimal", "print", "subscribed: ");
    for text in ["buy 0.10", "Привет", "世界", "emoji 🌍 and \u{10FFFF}"] {
        server.publish(&["-t", "mt5/commands", "-m", text, "-q", "1"]);
        assert_eq!(terminal.expect("minimal", "print", "mt5/commands"), format!("mt5/commands: {text}"));
    }
    terminal.command(&["tick", "EURUSD", "1.08512", "1.08520"]);
    assert_eq!(listening.line(deadline()), "mt5/ticks/EURUSD 1.08512");
    terminal.close();
}

const SELF_TEST: &str = "mql5/Scripts/Mt5Mqtt/SelfTest.mq5";

/// Runs the script of checks to its end. It calls every method of the public classes.
fn run_checks(terminal: &mut Terminal, server: &Mosquitto, version: &str) {
    let inputs = [("InpUrl", server.url()), ("InpVersion", version.to_owned())];
    let inputs = inputs.each_ref().map(|(name, value)| (*name, value.as_str()));
    terminal.load("script", "checks", &program(SELF_TEST), ("1", "EURUSD"), &inputs);
    terminal.expect("checks", "ended", "");
    let said = terminal.said("checks", "print");
    let failed: Vec<_> = said.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(said.last().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{said:?}");
}

#[test]
fn every_method_of_the_wrapper_does_what_it_says() {
    let Some(_) = compiler("the wrapper's methods") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the wrapper's methods", "mosquitto") };
    for (version, empty_arrays, null_texts) in
        [("5", "null", "empty"), ("5", "dangling", "null"), ("4", "dangling", "null")]
    {
        let mut terminal = Terminal::start();
        terminal.command(&["symbol", "EURUSD"]);
        terminal.command(&["empty-arrays", empty_arrays]);
        terminal.command(&["null-texts", null_texts]);
        run_checks(&mut terminal, &server, version);
        terminal.close();
    }
}

/// Every public method of these classes is called in the self test, so that a new one can't be forgotten.
#[test]
fn the_self_test_calls_every_public_method() {
    let mut script = fs::read_to_string(project(SELF_TEST)).expect("the self test");
    for part in fs::read_dir(project("mql5/Include/Mt5Mqtt/SelfTest")).expect("its parts") {
        script += &fs::read_to_string(part.expect("a part").path()).expect("a part");
    }
    // What the scripts of other tests, or no script, can reach.
    let elsewhere = ["Deinit", "AllowInTester", "Read", "Unpack", "Create", "StartDoctor"];
    let mut methods = 0;
    for class in ["Batch", "Client", "Connection", "Message", "Properties", "Result", "Sender"] {
        let path = project("mql5/Include/Mt5Mqtt/Internal").join(format!("{class}.mqh"));
        let text = fs::read_to_string(path).expect("a class");
        let declared = text.split("public:").nth(1).expect("public methods");
        let declared = declared.split("protected:").next().expect("the end").split("private:").next().expect("the end");
        for line in declared.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let Some((head, _)) = line.split_once('(') else { continue };
            let name = head.rsplit([' ', '*', '~']).next().expect("a name");
            if name.starts_with("CMqtt") || elsewhere.contains(&name) {
                continue;
            }
            methods += 1;
            let called = [".", "::"].iter().any(|before| script.contains(&format!("{before}{name}(")));
            assert!(called, "{class}.mqh: {name} is not called by the self test");
        }
    }
    assert!(methods > 60, "the classes were not understood: {methods} methods");
}

fn connections(server: &Mosquitto) -> usize {
    server.log().matches("New client connected").count()
}

#[test]
fn a_chart_change_keeps_the_connection_and_a_removal_ends_it() {
    let Some(_) = compiler("the connection over a chart change") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the connection over a chart change", "mosquitto") };
    let listening = server.subscribe(&["-t", "mt5/ticks/#", "-F", "%t %p"]);
    let others = connections(&server);
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    terminal.command(&["symbol", "#USSPX500", "digits=1", "point=0.1"]);
    terminal.expert("minimal", MINIMAL, &[("InpUrl", &server.url())]);
    terminal.expect("minimal", "print", "subscribed: ");
    terminal.command(&["chart-symbol", "minimal", "#USSPX500"]);
    assert_eq!(terminal.expect("minimal", "init", ""), "0");
    terminal.command(&["tick", "#USSPX500", "5912.25", "5912.75"]);
    assert_eq!(listening.line(deadline()), "mt5/ticks/%23USSPX500 5912.2");
    server.publish(&["-t", "mt5/commands", "-m", "still there", "-q", "1"]);
    terminal.expect("minimal", "print", "still there");
    assert_eq!(connections(&server) - others, 2, "one of the program and one of mosquitto_pub:\n{}", server.log());
    terminal.command(&["remove", "minimal"]);
    terminal.expect("minimal", "ended", "");
    let log = server.log();
    assert!(!log.contains("closed its connection"), "it went without DISCONNECT:\n{log}");
    terminal.close();
}

#[test]
fn in_the_tester_nothing_is_sent_unless_asked_for() {
    let Some(_) = compiler("the tester") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the tester", "mosquitto") };
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD"]);
    terminal.expert("minimal", MINIMAL, &[("InpUrl", &server.url()), ("tester", "1")]);
    terminal.expect("minimal", "print", "nothing is sent from the strategy tester");
    terminal.command(&["tick", "EURUSD", "1.1", "1.2"]);
    terminal.command(&["remove", "minimal"]);
    terminal.expect("minimal", "ended", "");
    assert_eq!(connections(&server), 0, "{}", server.log());
    assert_eq!(terminal.said("minimal", "print").len(), 1, "{}", terminal.transcript());
    terminal.close();
}

#[test]
fn a_program_without_permission_says_what_to_switch_on() {
    let Some(_) = compiler("DLL imports off") else { return };
    let mut terminal = Terminal::start();
    terminal.load("expert", "minimal", &program(MINIMAL), ("1", "EURUSD"), &[("dlls_allowed", "0")]);
    terminal.expect("minimal", "print", "DLL imports are off: allow them in Tools > Options");
    assert_eq!(terminal.expect("minimal", "init", ""), "1");
    terminal.expect("minimal", "ended", "");
    terminal.close();
}

/// A library with all exports, which does nothing and says that ABI and size of an event; `without` leaves one export out.
fn other_library(without: &str, abi: i32, event_size: i32) -> PathBuf {
    let header = CHeader::parse(&fs::read_to_string(project("include/mt5mqtt.h")).expect("the header"));
    let names = header.functions.iter().map(|function| function.name.as_str()).filter(|name| *name != without);
    let code: String = names
        .map(|name| {
            let result = match name {
                "mt5mqtt_abi_version" => abi,
                "mt5mqtt_event_size" => event_size,
                _ => 0,
            };
            format!("long long {name}(void) {{ return {result}; }}\n")
        })
        .collect();
    c_library(&format!("other-{without}-{abi}-{event_size}"), &code)
}

#[test]
fn a_library_of_another_abi_is_refused_with_what_to_do() {
    let Some(_) = compiler("another ABI") else { return };
    let size = size_of::<mt5mqtt_event>() as i32;
    // A newer library, an older one, and one whose event has grown although its ABI has not.
    for (abi, event_size) in [(99, size + 8), (0, size - 8), (MT5MQTT_ABI_VERSION, size + 8)] {
        let library = other_library("", abi, event_size);
        let mut terminal = Terminal::start();
        terminal.library(&library);
        terminal.load("expert", "minimal", &program(MINIMAL), ("1", "EURUSD"), &[]);
        let told = terminal.expect("minimal", "print", "does not fit this program");
        let (found, wanted) = (format!("(ABI {abi}, event of {event_size} bytes)"), format!("event of {size} bytes"));
        for word in [&*found, &*wanted, "MQL5\\Libraries\\mt5mqtt.dll", "recompile", "restart the terminal"] {
            assert!(told.contains(word), "{word}: {told}");
        }
        assert_eq!(terminal.expect("minimal", "init", ""), "1");
        terminal.close();
        fs::remove_file(library).expect("remove the library");
    }
}

#[test]
fn without_the_library_or_one_of_its_functions_the_program_does_not_start() {
    let Some(_) = compiler("a missing library") else { return };
    let library = other_library("mt5mqtt_poll", 99, 0);
    let mut terminal = Terminal::start();
    for (path, expected) in
        [(Path::new("/nowhere/x.so"), "Cannot load 'mt5mqtt.dll' [126]"), (&library, "'mt5mqtt_poll'")]
    {
        terminal.library(path);
        terminal.load("expert", "minimal", &program(MINIMAL), ("1", "EURUSD"), &[]);
        terminal.expect("minimal", "load-error", expected);
        terminal.expect("minimal", "ended", "");
    }
    assert_eq!(terminal.said("minimal", "init"), [""; 0]);
    fs::remove_file(library).expect("remove the library");
}
