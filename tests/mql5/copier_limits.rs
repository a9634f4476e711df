//! Guards and modes of the follower as its user sets them: by the inputs of the Expert Advisor.

use crate::compile::program;
use crate::copying::{Copying, Fields, deal, net};

/// A user who forgot the switch is told which one.
#[test]
fn a_follower_that_may_not_trade_says_where_to_allow_it() {
    let Some(mut copying) = Copying::start("not-allowed", &[("trade_allowed", "0")]) else { return };
    copying.load_master();
    copying.load_follower();
    let said = copying.follower.expect("follower", "print", "nothing is copied: ");
    assert!(said.contains("Algo Trading is off for this program; allow it in the program's properties"), "{said}");
    copying.close();
}

/// A master that only buys EURUSD, and a follower with an account of this mode and 100,000 of balance.
struct Course {
    copying: Copying,
    is_netting: bool,
}

/// Plays the course in both kinds of account.
fn each_mode(test: &str, inputs: &[(&'static str, &str)], play: impl Fn(&mut Course)) {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("{test}-{mode}"), inputs) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        let mut course = Course { copying, is_netting: mode == "netting" };
        play(&mut course);
        course.copying.close();
    }
}

impl Course {
    /// The master buys; returns the position's identifier.
    #[track_caller]
    fn open(&mut self, volume: &str) -> String {
        let answer = self.copying.trade(&deal(0, volume, ""));
        assert!(answer.starts_with("10009 "), "{answer}");
        self.copying.master.positions().last().expect("the new position")["id"].clone()
    }

    /// The master closes a part of a position, or all of it.
    #[track_caller]
    fn close(&mut self, id: &str, volume: &str) {
        let answer = self.copying.trade(&deal(1, volume, &format!(" position={id}")));
        assert!(answer.starts_with("10009 "), "{answer}");
    }

    fn balance(&mut self, balance: &str) {
        self.copying.follower.command(&["account", &format!("balance={balance}")]);
    }

    /// Ends the follower and starts it with these inputs on top of those that it has.
    #[track_caller]
    fn restart(&mut self, inputs: &[(&'static str, &str)]) {
        self.copying.end_follower();
        let known = self.copying.inputs.clone();
        self.copying.inputs.extend(inputs.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.copying.load_follower();
        self.copying.inputs = known;
    }

    /// The follower has seen it and says why it isn't copied.
    #[track_caller]
    fn refused(&mut self, id: &str, reason: &str) {
        self.copying.follower.expect("follower", "print", &format!("not copied {id}: {reason}"));
    }

    /// What is held comes to be what these positions of the master are, in netting their sum.
    #[track_caller]
    fn holds(&mut self, ids: &[&str]) {
        let is_netting = self.is_netting;
        self.copying.converge_to(|positions| {
            let copied: Vec<Fields> =
                positions.into_iter().filter(|fields| ids.contains(&fields["id"].as_str())).collect();
            if is_netting { net(copied.into_iter()) } else { copied }
        });
    }
}

#[test]
fn below_the_equity_of_its_input_nothing_is_opened_and_everything_closed() {
    each_mode("equity", &[("InpMinEquity", "90000")], |course| {
        let first = course.open("0.30");
        course.holds(&[&first]);
        course.balance("80000");
        course.copying.follower.expect("follower", "print", "guard: the equity is below 90000.00");
        let second = course.open("0.44");
        course.refused(&second, "guard: the equity is below 90000.00");
        course.close(&first, "0.10");
        course.holds(&[&first]);
        // Recovered: what was seen meanwhile stays uncopied.
        course.balance("100000");
        let third = course.open("0.05");
        course.holds(&[&first, &third]);
    });
}

#[test]
fn a_guard_that_closes_leaves_nothing_held_and_opens_none_of_it_again() {
    let inputs = [("InpMinEquity", "90000"), ("InpGuardCloses", "true")];
    each_mode("guard-closes", &inputs, |course| {
        let first = course.open("0.30");
        course.holds(&[&first]);
        course.balance("80000");
        course.refused(&first, "guard: the equity is below 90000.00");
        course.holds(&[]);
        course.balance("100000");
        let second = course.open("0.05");
        course.holds(&[&second]);
        course.close(&first, "0.10");
        course.holds(&[&second]);
    });
}

#[test]
fn a_drawdown_halts_over_restarts_until_the_input_resumes() {
    each_mode("drawdown", &[("InpMaxDrawdown", "10")], |course| {
        let first = course.open("0.30");
        course.holds(&[&first]);
        course.balance("85000");
        // The spread of what is held has cost 3.
        course.copying.follower.expect("follower", "print", "10.0 percent or more below 100000.00");
        course.balance("100000");
        let halted = course.open("0.44");
        course.refused(&halted, "guard: an equity of ");
        course.close(&first, "0.10");
        course.holds(&[&first]);

        course.restart(&[]);
        let still_halted = course.open("0.45");
        course.refused(&still_halted, "guard: an equity of ");
        course.holds(&[&first]);

        course.restart(&[("InpResume", "true")]);
        let second = course.open("0.05");
        course.holds(&[&first, &second]);
        // Once is enough, and it is today's equity from which a drawdown counts.
        course.balance("95000");
        course.restart(&[]);
        let third = course.open("0.06");
        course.holds(&[&first, &second, &third]);
        course.balance("89000");
        course.copying.follower.expect("follower", "print", "10.0 percent or more below 99");
        // An input that was left as it is resumes once.
        course.restart(&[("InpResume", "true")]);
        course.copying.follower.expect("follower", "print", "copier: resumed");
        let fourth = course.open("0.08");
        course.holds(&[&first, &second, &third, &fourth]);
        course.balance("75000");
        course.copying.follower.expect("follower", "print", "10.0 percent or more below 8");
        course.restart(&[("InpResume", "true")]);
        course.copying.follower.expect("follower", "print", "resumes nothing: switch it off once");
        let fifth = course.open("0.07");
        course.refused(&fifth, "guard: an equity of ");
    });
}

#[test]
fn a_drawdown_that_closes_leaves_nothing_held() {
    let inputs = [("InpMaxDrawdown", "10"), ("InpGuardCloses", "true")];
    each_mode("drawdown-closes", &inputs, |course| {
        let first = course.open("0.30");
        course.holds(&[&first]);
        course.balance("85000");
        course.refused(&first, "guard: an equity of ");
        course.holds(&[]);
        course.balance("100000");
        course.restart(&[("InpResume", "true")]);
        let second = course.open("0.05");
        course.holds(&[&second]);
    });
}

#[test]
fn close_only_follows_closes_and_stops_and_off_touches_nothing() {
    each_mode("modes", &[], |course| {
        let first = course.open("0.30");
        course.holds(&[&first]);
        course.restart(&[("InpMode", "1")]);
        let meanwhile = course.open("0.44");
        course.refused(&meanwhile, "");
        if !course.is_netting {
            course.copying.trade(&format!("action=6 position={first} sl=1.05000 tp=1.15000"));
        }
        course.close(&first, "0.10");
        course.holds(&[&first]);

        // On again: what it has seen in between stays uncopied.
        course.restart(&[]);
        let second = course.open("0.05");
        course.holds(&[&first, &second]);

        course.restart(&[("InpMode", "2")]);
        let before = course.copying.follower.positions();
        course.close(&first, "0.10");
        course.close(&second, "0.05");
        course.open("0.07");
        course.copying.follower.expect("follower", "comment", "Master has 3 positions");
        assert_eq!(course.copying.follower.positions(), before);
        course.restart(&[]);
        let ids: Vec<String> = course.copying.master.positions().iter().map(|fields| fields["id"].clone()).collect();
        let held: Vec<&str> = ids.iter().map(String::as_str).filter(|id| *id != meanwhile).collect();
        course.holds(&held);
    });
}

#[test]
fn an_open_waits_for_spread_and_price_and_a_close_does_not() {
    let inputs = [("InpMaxSpread", "30"), ("InpMaxSlippage", "20")];
    each_mode("spread", &inputs, |course| {
        let first = course.open("0.30");
        course.holds(&[&first]);
        course.copying.follower.command(&["tick", "EURUSD", "1.10000", "1.10050"]);
        let second = course.open("0.44");
        course.copying.follower.expect("follower", "print", "waiting for a smaller spread of EURUSD");
        // In netting the sum is larger than what is held, also without this part.
        if !course.is_netting {
            course.close(&first, "0.10");
            course.holds(&[&first]);
        }
        course.copying.follower.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
        course.holds(&[&first, &second]);
        if !course.is_netting {
            course.copying.follower.command(&["tick", "EURUSD", "1.10031", "1.10041"]);
            let third = course.open("0.05");
            course.copying.follower.expect("follower", "print", "waiting for a price of EURUSD nearer to the master's");
            course.holds(&[&first, &second]);
            course.copying.follower.command(&["tick", "EURUSD", "1.10020", "1.10030"]);
            course.holds(&[&first, &second, &third]);
        }
    });
}

/// What stands in the way is told once, not at each look: also when it is two things.
#[test]
fn a_guard_and_a_position_in_the_way_are_told_once_each() {
    let Some(mut copying) = Copying::start("told", &[("InpMinEquity", "90000")]) else { return };
    copying.follower.command(&["account", "mode=netting"]);
    copying.load_both();
    copying.follower.command(&["trade", "action=1", "symbol=GBPUSD", "type=0", "volume=0.11"]);
    copying.trade("action=1 symbol=GBPUSD type=1 volume=0.40");
    copying.follower.expect("follower", "print", "GBPUSD that is not the copier's");
    let mut course = Course { copying, is_netting: true };
    course.balance("80000");
    course.copying.follower.expect("follower", "print", "guard: the equity is below");
    for volume in ["0.11", "0.12", "0.13"] {
        let id = course.open(volume);
        course.refused(&id, "guard: ");
    }
    for text in ["copier: guard: ", "copier: this account has a position in GBPUSD"] {
        let told =
            course.copying.follower.said("follower", "print").iter().filter(|line| line.starts_with(text)).count();
        assert_eq!(told, 1, "{text}\n{}", course.copying.follower.transcript());
    }
    course.copying.close();
}

#[test]
fn a_list_that_the_terminal_may_have_cut_starts_nothing() {
    let Some(mut copying) = Copying::start("cut", &[]) else { return };
    let follower = program("mql5/Experts/Mt5Mqtt/TradeCopierFollower.mq5");
    let url = copying.server.url();
    for name in ["InpAllowed", "InpDenied", "InpMagics", "InpMap"] {
        let full = 254 - name.len();
        for (length, init) in [(full + 50, "1"), (full, "1"), (full - 1, "0")] {
            let (entry, last) = match name {
                "InpMagics" => ("1,", "12345,"),
                "InpMap" => ("A=B,", "EURUSD=EURUSD,"),
                _ => ("A,", "EURUSD,"),
            };
            let list = format!("{}{last}", entry.repeat((length - last.len()) / entry.len()));
            let list = format!("{list:<length$}");
            copying.follower.load("expert", "follower", &follower, ("1", "EURUSD"), &[("InpUrl", &url), (name, &list)]);
            assert_eq!(copying.follower.expect("follower", "init", ""), init, "{name} of {length} characters");
            if init == "1" {
                copying.follower.expect("follower", "print", &format!("{name} may have been cut"));
            } else {
                copying.follower.command(&["remove", "follower"]);
            }
            copying.follower.expect("follower", "ended", "");
        }
    }
    copying.close();
}

#[test]
fn inputs_that_cant_be_meant_start_nothing() {
    let Some(mut copying) = Copying::start("mistaken", &[]) else { return };
    let url = copying.server.url();
    let follower = program("mql5/Experts/Mt5Mqtt/TradeCopierFollower.mq5");
    for (name, value) in [
        ("InpSizeValue", "0"),
        ("InpMaxAge", "-60"),
        ("InpVolumeMax", "-1"),
        ("InpMaxSpread", "-1"),
        ("InpMaxDrawdown", "100"),
        ("InpDeviation", "-1"),
        ("InpWait", "0"),
        ("InpDenied", "EURUSD;GBPUSD"),
        ("InpMagics", "7 8"),
        ("InpMap", "GOLD:XAUUSD"),
        ("InpMap", "GOLD=XAUUSD=X"),
        ("InpMap", "GOLD="),
    ] {
        copying.follower.load("expert", "follower", &follower, ("1", "EURUSD"), &[("InpUrl", &url), (name, value)]);
        copying.follower.expect("follower", "print", "the inputs can't be meant so: ");
        assert_eq!(copying.follower.expect("follower", "init", ""), "1", "{name}={value}");
        copying.follower.expect("follower", "ended", "");
    }
    let master = program("mql5/Experts/Mt5Mqtt/TradeCopierMaster.mq5");
    let relay = "a,".repeat(130);
    for (name, value, why) in [
        ("InpSeconds", "0", "InpSeconds must be"),
        ("InpSeconds", "-1", "InpSeconds must be"),
        ("InpRelay", relay.as_str(), "InpRelay may have been cut"),
        ("InpName", "thirteen-long", "1 to 12 characters"),
        ("InpName", "a:b", "no colon"),
    ] {
        copying.master.load("expert", "master", &master, ("1", "EURUSD"), &[("InpUrl", &url), (name, value)]);
        copying.master.expect("master", "print", why);
        assert_eq!(copying.master.expect("master", "init", ""), "1", "{name}={value}");
        copying.master.expect("master", "ended", "");
    }
    copying.close();
}

#[test]
fn what_was_there_before_a_follower_was_switched_on_is_not_new() {
    let inputs = [("InpMode", "2"), ("InpMaxAge", "0")];
    let Some(mut copying) = Copying::start("switched-on", &inputs) else { return };
    copying.trade(&deal(0, "0.30", ""));
    copying.load_master();
    copying.master.expect("master", "print", "connected");
    copying.load_follower();
    copying.follower.expect("follower", "print", "the mode is off: nothing is touched");
    copying.inputs[0].1 = "0".to_owned();
    copying.restart_follower();
    copying.follower.expect("follower", "print", ": it was there before");
    copying.trade(&deal(0, "0.05", ""));
    copying.converge_to(|positions| positions.into_iter().filter(|fields| fields["volume"] == "0.05").collect());
    copying.close();
}

#[test]
fn a_master_of_another_name_is_missed() {
    let Some(mut copying) = Copying::start("missed", &[]) else { return };
    copying.load_master();
    copying.name = "mastre";
    copying.load_follower();
    copying.follower.expect("follower", "print", "no state of a master mastre has come");
    copying.close();
}

/// A close that is refused for a moment doesn't wait as a closed market does.
#[test]
fn a_close_that_is_refused_is_tried_again_soon() {
    let Some(mut copying) = Copying::start("refused-close", &[("InpWait", "86400")]) else { return };
    copying.load_both();
    for retcode in ["10024", "10028", "10029", "10006", "10045"] {
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        let id = copying.master.positions()[0]["id"].clone();
        copying.follower.command(&["inject", retcode, "refused"]);
        copying.trade(&deal(1, "0.30", &format!(" position={id}")));
        copying.converge();
    }
    copying.close();
}

/// In a fast market a requote follows the other, and each is an offer to send again.
#[test]
fn requotes_in_a_row_keep_no_close_waiting() {
    let Some(mut copying) = Copying::start("requotes", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let id = copying.master.positions()[0]["id"].clone();
    for retcode in ["10004", "10020", "10021"].repeat(4) {
        copying.follower.command(&["inject", retcode, "refused"]);
    }
    copying.trade(&deal(1, "0.30", &format!(" position={id}")));
    copying.converge();
    copying.close();
}
