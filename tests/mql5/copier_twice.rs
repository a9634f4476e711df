//! The same follower or master more than once: in two charts, in two terminals; and a client that is made anew.

use crate::compile::program;
use crate::copier_stale::Line;
use crate::copying::{Copying, QUIET, deal, net};
use crate::host::Terminal;
use std::time::{Duration, Instant};

#[test]
fn a_second_chart_with_the_same_follower_does_not_start() {
    let Some(mut copying) = Copying::start("two-charts", &[]) else { return };
    copying.load_both();
    copying.load_follower_as("second");
    copying.follower.expect("second", "print", "another chart");
    copying.follower.expect("second", "ended", "");
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    assert_eq!(copying.follower.requests(), 1);
    // The first one's end makes room, also when it is killed.
    copying.end_follower();
    copying.load_follower_as("second");
    copying.follower.expect("second", "print", "connected");
    copying.trade(&deal(0, "0.05", ""));
    copying.converge();
    copying.close();
}

/// A relaying master reads the file of a follower once a second.
#[test]
fn who_reads_a_followers_file_keeps_nobody_from_reading_it() {
    let Some(mut copying) = Copying::start("read-file", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.end_follower();
    let (reader, file) = (program("tests/mql5/programs/Reader.mq5"), "Mt5Mqtt\\copier-master-2002@Simulated.json");
    copying.follower.load("script", "reader", &reader, ("2", "EURUSD"), &[("InpFile", file)]);
    copying.follower.expect("reader", "print", "has it open");
    copying.load_follower();
    copying.trade(&deal(0, "0.05", ""));
    copying.follower.expect("follower", "print", "the file can't be written");
    copying.follower.command(&["remove", "reader"]);
    copying.converge();
    copying.close();
}

#[test]
fn a_follower_that_was_started_in_the_same_second_gives_way_too() {
    for _ in 0..4 {
        let Some(mut copying) = Copying::start("same-second", &[]) else { return };
        copying.load_follower();
        let mut second = copying.another_follower("Second");
        second.expect("follower", "print", "another terminal follows this master in the same account");
        second.close();
        copying.close();
    }
}

#[test]
fn the_same_follower_in_another_terminal_gives_way_until_the_first_one_is_gone() {
    let Some(mut copying) = Copying::start("two-terminals", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let mut second = copying.another_follower("Second");
    second.expect("follower", "print", "another terminal follows this master in the same account");
    copying.trade(&deal(0, "0.05", ""));
    copying.converge();
    second.expect("follower", "comment", "Master has 2 positions");
    assert_eq!(second.requests(), 0, "{}", second.transcript());
    // Without the first one's file it knows nothing of what was there before.
    copying.follower.kill();
    let deadline = Instant::now() + QUIET;
    while !second.said("follower", "print").iter().any(|line| line.ends_with(": it was there before")) {
        assert!(Instant::now() < deadline, "{}", second.transcript());
        std::thread::sleep(Duration::from_millis(50));
    }
    copying.trade(&deal(1, "0.07", ""));
    second.expect("follower", "print", "open EURUSD 0.07");
    second.close();
    copying.close();
}

/// The number in the trade server's answer.
fn order_of(answer: &str) -> String {
    answer.split("order=").nth(1).and_then(|rest| rest.split(' ').next()).expect("an order").to_owned()
}

/// Another terminal takes over when the line of the first one is down. What it copies by newer states is none of the first one's.
#[test]
fn a_follower_without_its_line_leaves_alone_what_another_terminal_has_copied() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start("lost-lead", &[("InpPendings", "true")]) else { return };
        let line = Line::to(copying.server.port());
        copying.follower_url = Some(format!("mqtt://127.0.0.1:{}", line.port));
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        line.cut();
        copying.follower.expect("follower", "print", "disconnected");
        let magic = copying.follower.positions()[0]["magic"].clone();
        let order = "action=5 symbol=EURUSD type=2 volume=0.10 price=1.09000 filling=2".to_owned();
        let trades = if mode == "netting" { vec![deal(0, "0.05", "")] } else { vec![deal(0, "0.05", ""), order] };
        for trade in trades {
            let id = order_of(&copying.trade(&trade));
            // As the other terminal opens and places it.
            let copy = format!("{trade} magic={magic} comment=mq:master:{id}");
            copying.follower.command(&[&["trade"][..], &copy.split(' ').collect::<Vec<_>>()].concat());
            copying.follower.expect("*", "trade", "");
        }
        // The chart shows another second each time.
        for _ in 0..4 {
            copying.follower.expect("follower", "comment", "not connected");
        }
        assert_eq!(copying.follower.requests(), 1, "{mode}: {}", copying.follower.transcript());
        line.mend();
        copying.converge_to(|positions| if mode == "netting" { net(positions.into_iter()) } else { positions });
        assert_eq!(copying.follower.requests(), 1, "{mode}: {}", copying.follower.transcript());
        copying.close();
    }
}

/// Another one works when three questions, five seconds apart, have had no answer for five seconds.
#[test]
fn a_line_that_has_become_silent_is_given_up_before_another_terminal_works() {
    let Some(mut copying) = Copying::start("silent-line", &[]) else { return };
    let line = Line::to(copying.server.port());
    copying.follower_url = Some(format!("mqtt://127.0.0.1:{}", line.port));
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    line.silence();
    let since = Instant::now();
    copying.follower.expect("follower", "print", "disconnected");
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    copying.close();
}

/// Both have the same topic of presence.
#[test]
fn the_end_of_another_terminals_follower_is_not_the_first_ones() {
    let Some(mut copying) = Copying::start("two-presences", &[]) else { return };
    copying.load_both();
    let mut second = copying.another_follower("Second");
    second.expect("follower", "print", "another terminal follows this master in the same account");
    second.close();
    copying.master.expect("master", "print", "follower 2002@Simulated is offline");
    copying.master.expect("master", "print", "follower 2002@Simulated is online");
    copying.close();
}

#[test]
fn the_same_master_in_another_terminal_publishes_nothing_until_the_first_one_is_gone() {
    let Some(mut copying) = Copying::start("two-masters", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    // It shows nothing of what the first one has.
    let mut second = copying.another_master("Second");
    second.expect("master", "print", "another terminal publishes this master of the same account");
    copying.trade(&deal(0, "0.05", ""));
    copying.converge();
    let requests = copying.follower.requests();
    second.close();
    // The other one's end was not the first one's.
    copying.trade(&deal(0, "0.06", ""));
    copying.converge();
    copying.follower.expect("follower", "comment", "Master: online");
    assert_eq!(copying.follower.requests(), requests + 1, "{}", copying.follower.transcript());
    copying.close();
}

/// Followers pass over what is older than the last state, and of two terminals one has a clock that is ahead.
#[test]
fn masters_that_take_over_from_each_other_are_followed_whatever_their_clocks_say() {
    for own_clock in ["-3600", "3600"] {
        let Some(mut copying) = Copying::start("master-clocks", &[]) else { return };
        let line = Line::to(copying.server.port());
        copying.master_url = Some(format!("mqtt://127.0.0.1:{}", line.port));
        copying.master.command(&["own-clock", own_clock]);
        copying.load_both();
        line.cut();
        copying.master.expect("master", "print", "disconnected");
        let mut second = copying.another_master("Second");
        is_followed(&mut second, &mut copying.follower);
        line.mend();
        second.expect("master", "print", "another terminal publishes this master of the same account");
        is_followed(&mut copying.master, &mut copying.follower);
        copying.master.kill();
        is_followed(&mut second, &mut copying.follower);
        second.close();
        copying.close();
    }
}

/// It may publish once more after the other one, who was first, has asked the Server for what it keeps.
#[test]
fn the_last_word_of_a_master_that_gives_way_makes_no_later_state_an_old_one() {
    let Some(mut copying) = Copying::start("last-word", &[]) else { return };
    let topic = "mt5/copier/master/state";
    let states = copying.server.subscribe(&["-t", topic, "-F", "%p"]);
    copying.load_both();
    let mut state: serde_json::Value = serde_json::from_str(&states.line(Instant::now() + QUIET)).expect("JSON");
    // Its clock is an hour ahead.
    state["time_msc"] = (state["time_msc"].as_i64().expect("a time") + 3_600_000).into();
    copying.server.publish(&["-t", topic, "-q", "1", "-r", "-m", &state.to_string()]);
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.close();
}

/// Two of them would outbid each other without an end.
#[test]
fn a_state_of_another_account_is_no_last_word() {
    let Some(mut copying) = Copying::start("other-word", &[]) else { return };
    let topic = "mt5/copier/master/state";
    let states = copying.server.subscribe(&["-t", topic, "-F", "%p"]);
    copying.load_master();
    let next = || -> serde_json::Value { serde_json::from_str(&states.line(Instant::now() + QUIET)).expect("JSON") };
    let mut state = next();
    state["login"] = 4711.into();
    state["sequence"] = (state["sequence"].as_i64().expect("a number") + 1000).into();
    copying.server.publish(&["-t", topic, "-q", "1", "-m", &state.to_string()]);
    let mut own = next();
    while own["login"] == state["login"] {
        own = next();
    }
    assert!(own["sequence"].as_i64() < state["sequence"].as_i64(), "{own}");
    copying.master.close();
}

/// What this master opens and closes is opened and closed.
#[track_caller]
fn is_followed(master: &mut Terminal, follower: &mut Terminal) {
    let mut trade = deal(0, "0.05", "");
    for count in [1, 0] {
        master.command(&[&["trade"][..], &trade.split(' ').collect::<Vec<_>>()].concat());
        let deadline = Instant::now() + QUIET;
        while follower.positions().len() != count {
            assert!(Instant::now() < deadline, "{}\n{}", master.transcript(), follower.transcript());
            std::thread::sleep(Duration::from_millis(50));
        }
        trade = deal(
            1,
            "0.05",
            &master.positions().first().map_or(String::new(), |held| format!(" position={}", held["id"])),
        );
    }
}

#[test]
fn copiers_whose_client_has_failed_begin_anew() {
    let Some(mut copying) = Copying::start("failed", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    for (terminal, name) in [(&mut copying.master, "master"), (&mut copying.follower, "follower")] {
        terminal.load("script", "panic", &program("tests/mql5/programs/Panic.mq5"), ("1", "EURUSD"), &[]);
        terminal.expect("panic", "ended", "");
        terminal.expect(name, "print", "the client has failed, and is made anew");
        terminal.expect(name, "print", "connected");
    }
    copying.trade(&deal(0, "0.05", ""));
    copying.converge();
    copying.close();
}
