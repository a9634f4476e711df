//! The runtime does what the MQL5 reference says of the language and of the queue of events.

use crate::compile::{compiler, program};
use crate::host::Terminal;
use std::time::{Duration, Instant};

#[test]
fn the_language_is_as_the_reference_has_it() {
    let Some(_) = compiler("the language of the host") else { return };
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    let inputs = [("InpText", "given"), ("InpSwitch", "true")];
    terminal.load("script", "language", &program("tests/mql5/programs/Language.mq5"), ("1", "EURUSD"), &inputs);
    terminal.expect("language", "ended", "");
    let said = terminal.said("language", "print");
    let failed: Vec<_> = said.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(said.last().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{said:?}");
    for name in ["Rex", "Bello", "dog 0", "dog 1"] {
        assert_eq!(said.iter().filter(|line| **line == format!("gone: {name}")).count(), 1, "{name}: {said:?}");
    }
    terminal.close();
}

#[test]
fn what_ends_a_program_in_the_terminal_ends_it_here() {
    let Some(_) = compiler("critical errors in the host") else { return };
    for (case, expected) in [
        "array out of range",
        "array out of range",
        "invalid pointer access",
        "invalid pointer access",
        "delete of an object that new did not make",
        "%I64d",
        "%s wants a string",
        "more % than arguments",
    ]
    .into_iter()
    .enumerate()
    {
        let mut terminal = Terminal::start();
        let module = program("tests/mql5/programs/Critical.mq5");
        terminal.load("script", "critical", &module, ("1", "EURUSD"), &[("InpCase", &case.to_string())]);
        terminal.expect("critical", "critical", expected);
        terminal.expect("critical", "ended", "");
        assert_eq!(terminal.said("critical", "print"), [""; 0], "case {case}");
    }
}

const EVENTS: &str = "tests/mql5/programs/Events.mq5";

#[test]
fn events_of_one_kind_are_not_queued_twice_and_long_texts_are_cut() {
    let Some(_) = compiler("the queue of events") else { return };
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD"]);
    terminal.expert("events", EVENTS, &[]);
    terminal.command(&["custom-event", "events", "1", ""]);
    terminal.expect("events", "print", "timer set");
    terminal.command(&["custom-event", "events", "2", ""]);
    terminal.expect("events", "print", "busy");
    for _ in 0..10 {
        terminal.command(&["tick", "EURUSD", "1.1", "1.2"]);
        terminal.command(&["custom-event", "events", "7", &"x".repeat(100)]);
    }
    terminal.command(&["custom-event", "events", "3", ""]);
    terminal.expect("events", "print", "free");
    // In the 300 ms came ten ticks and at most thirty timer events: one of each was queued.
    let counted = terminal.expect("events", "print", " ticks, ");
    assert!(counted == "1 ticks, 0 timers" || counted == "1 ticks, 1 timers", "{counted}");
    assert_eq!(terminal.said("events", "print").iter().filter(|line| line.starts_with("event 7")).count(), 1);
    assert_eq!(terminal.said("events", "print")[3], "free");
    for (length, expected) in [(63, 63), (64, 63), (100, 63)] {
        terminal.command(&["custom-event", "events", "4", &"x".repeat(length)]);
        let told = terminal.expect("events", "print", "event 8");
        assert_eq!(told, format!("event 8 of {expected} characters"));
    }
    terminal.close();
}

#[test]
fn a_timer_is_no_faster_than_ten_milliseconds() {
    let Some(_) = compiler("timers") else { return };
    let mut terminal = Terminal::start();
    terminal.expert("events", EVENTS, &[]);
    terminal.command(&["custom-event", "events", "1", ""]);
    terminal.expect("events", "print", "timer set");
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(200));
    let most = start.elapsed().as_millis() / 10 + 30;
    terminal.command(&["custom-event", "events", "3", ""]);
    let counted = terminal.expect("events", "print", " timers");
    let timers: u128 = counted.split([' ', ',']).nth(3).and_then(|count| count.parse().ok()).expect("a count");
    assert!(timers >= 2 && timers <= most, "{counted}, at most {most}");
    terminal.close();
}

#[test]
fn a_chart_change_keeps_the_program_and_a_removal_does_not() {
    let Some(_) = compiler("a chart change") else { return };
    let mut terminal = Terminal::start();
    terminal.expert("events", EVENTS, &[]);
    assert_eq!(terminal.said("events", "print"), ["init 1 on EURUSD"]);
    terminal.command(&["chart-symbol", "events", "GBPUSD"]);
    terminal.expect("events", "print", "deinit 3");
    terminal.expect("events", "print", "init 2 on GBPUSD");
    // Another account doesn't.
    terminal.command(&["reinit", "events", "6"]);
    terminal.expect("events", "print", "deinit 6");
    terminal.expect("events", "print", "init 1 on GBPUSD");
    terminal.command(&["remove", "events"]);
    terminal.expect("events", "print", "deinit 1");
    terminal.expect("events", "ended", "");
    terminal.expert("events", EVENTS, &[]);
    assert_eq!(terminal.said("events", "print").last().map(String::as_str), Some("init 1 on EURUSD"), "new globals");
    // Other inputs are there before OnInit() of the same instance.
    terminal.command(&["reinit", "events", "5", "InpFail=true"]);
    terminal.expect("events", "print", "deinit 5");
    terminal.expect("events", "print", "init 2 on EURUSD");
    terminal.expect("events", "print", "deinit 8");
    terminal.expect("events", "ended", "");
    terminal.load("expert", "failing", &program(EVENTS), ("2", "EURUSD"), &[("InpFail", "true")]);
    assert_eq!(terminal.expect("failing", "init", ""), "1");
    terminal.expect("failing", "print", "deinit 8");
    terminal.expect("failing", "ended", "");
    terminal.close();
}

#[test]
fn an_expert_that_takes_too_long_to_end_is_told_of() {
    let Some(_) = compiler("a late OnDeinit") else { return };
    let mut terminal = Terminal::start();
    terminal.expert("slow", EVENTS, &[("InpSlow", "true")]);
    terminal.command(&["remove", "slow"]);
    terminal.expect("slow", "late", "OnDeinit took 2");
}
