//! What the follower's terminal does to it: an account that isn't known yet or is changed, prices and symbols that come later, a
//! full disk, files of another release, texts that are cut.

use crate::copying::{Copying, deal};
use std::fs;

#[test]
fn a_terminal_that_is_not_connected_yet_does_not_know_its_account() {
    let Some(mut copying) = Copying::start("unknown-kind", &[]) else { return };
    copying.follower.command(&["connected", "0"]);
    copying.master.command(&["connected", "0"]);
    copying.load_master();
    copying.master.expect("master", "print", "waiting until the terminal is connected");
    copying.load_follower();
    copying.follower.expect("follower", "print", "waiting until the terminal is connected");
    copying.follower.command(&["connected", "1"]);
    copying.master.command(&["connected", "1"]);
    copying.master.expect("master", "print", "connected as");
    copying.await_file();
    copying.trade(&deal(0, "0.30", ""));
    copying.trade(&deal(1, "0.10", ""));
    copying.converge();
    copying.close();
}

#[test]
fn copies_of_an_account_stay_its_own_when_the_terminal_changes_to_another() {
    let Some(mut copying) = Copying::start("changed-account", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let requests = copying.follower.requests();
    copying.follower.command(&["account", "login=2003"]);
    copying.follower.expect("follower", "print", "account");
    copying.trade(&deal(0, "0.05", ""));
    copying.follower.expect("follower", "comment", "Master has 2 positions");
    assert_eq!(copying.follower.requests(), requests, "{}", copying.follower.transcript());
    copying.follower.command(&["account", "login=2002"]);
    copying.converge();
    // What the master's terminal shows of another account is nothing of this master.
    copying.master.command(&["account", "login=1002"]);
    copying.master.expect("master", "print", "account");
    copying.master.command(&["account", "login=1001"]);
    copying.trade(&deal(0, "0.06", ""));
    copying.converge();
    copying.close();
}

/// A terminal that changes its account ends all programs and starts them again, by themselves.
#[test]
fn a_program_that_the_terminal_starts_again_in_another_account_does_nothing_there() {
    let Some(mut copying) = Copying::start("restarted-account", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let requests = copying.follower.requests();
    copying.follower.command(&["account", "login=2003"]);
    copying.follower.command(&["reinit", "follower", "6"]);
    copying.follower.expect("follower", "print", "was started in another account");
    for command in [["chart-symbol", "follower", "GBPUSD"], ["reinit", "follower", "2"]] {
        copying.follower.command(&command);
        copying.follower.expect("follower", "print", "was started in another account");
    }
    // Nor when the terminal is closed there and started again, or crashes.
    copying.follower.command(&["reinit", "follower", "9"]);
    copying.follower.expect("follower", "print", "was started in another account");
    copying.follower.command(&["variables", "crash"]);
    copying.follower.command(&["reinit", "follower", "6"]);
    copying.follower.expect("follower", "print", "was started in another account");
    copying.trade(&deal(0, "0.05", ""));
    copying.follower.command(&["account", "login=2002"]);
    copying.follower.command(&["connected", "0"]);
    copying.follower.command(&["reinit", "follower", "6"]);
    copying.follower.expect("follower", "print", "waiting until the terminal is connected");
    assert_eq!(copying.follower.requests(), requests, "{}", copying.follower.transcript());
    copying.follower.command(&["connected", "1"]);
    copying.converge();
    // The master's state stays what it was.
    copying.master.command(&["account", "login=1002"]);
    copying.master.command(&["reinit", "master", "6"]);
    copying.master.expect("master", "print", "was started in another account");
    copying.master.command(&["account", "login=1001"]);
    copying.master.command(&["reinit", "master", "6"]);
    copying.trade(&deal(0, "0.06", ""));
    copying.converge();
    // Who confirms the inputs starts it in the account that there is.
    copying.follower.command(&["account", "login=2003"]);
    copying.follower.command(&["reinit", "follower", "6"]);
    copying.follower.expect("follower", "print", "was started in another account");
    copying.follower.command(&["reinit", "follower", "5", "InpDeviation=10"]);
    copying.follower.expect("follower", "print", "connected, follows");
    copying.close();
}

/// Brokers rename their servers, and two of them may give the same login.
#[test]
fn the_file_goes_with_the_account_whose_server_has_another_name_and_with_no_other() {
    let Some(mut copying) = Copying::start("server-name", &[]) else { return };
    copying.follower.command(&["account", "comments=drop"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.end_follower();
    let former = copying.file();
    copying.follower.command(&["account", "server=Broker/Live: 2", "lag=2000"]);
    copying.load_follower();
    copying.follower.expect("follower", "print", "the broker's server has another name");
    let renamed = former.with_file_name("copier-master-2002@Broker%2FLive%3A 2.json");
    assert!(renamed.is_file() && !former.is_file());
    let id = copying.master.positions()[0]["id"].clone();
    copying.trade(&deal(1, "0.10", &format!(" position={id}")));
    copying.converge();
    copying.end_follower();
    // The same login at another broker, which has nothing of it.
    let held = fs::read_to_string(&renamed).expect("the file");
    copying.follower.command(&["account", "server=Other", "lag=0"]);
    let copy = copying.follower.positions()[0].clone();
    copying.follower.command(&["account", "next_ticket=900001"]);
    fs::write(&renamed, held.replace(&copy["id"], "800001")).expect("write the file");
    copying.load_follower();
    copying.follower.expect(
        "follower",
        "print",
        "waiting until the terminal shows whether this account has a copy that is in",
    );
    copying.follower.command(&["uptime", "61"]);
    copying.follower.expect("follower", "print", "has no copy that is in");
    copying.follower.expect("follower", "print", "connected");
    assert!(renamed.is_file());
    copying.close();
}

/// A terminal forgets a variable that nobody has read for four weeks.
#[test]
fn the_account_of_the_start_is_known_after_four_weeks_too() {
    let Some(mut copying) = Copying::start("four-weeks", &[]) else { return };
    copying.load_both();
    for terminal in [&mut copying.follower, &mut copying.master] {
        terminal.command(&["variables", "unused"]);
    }
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    for (name, is_follower) in [("follower", true), ("master", false)] {
        let terminal = if is_follower { &mut copying.follower } else { &mut copying.master };
        terminal.command(&["variables", "four-weeks"]);
        terminal.command(&["account", "login=2003"]);
        terminal.command(&["reinit", name, "6"]);
        terminal.expect(name, "print", "was started in another account");
    }
    copying.close();
}

/// The prices of a symbol come after it is in Market Watch: by then the first state is over.
#[test]
fn what_was_there_before_stays_so_until_its_symbol_has_a_price() {
    for (existing, is_copied) in [("0", false), ("1", true), ("2", true)] {
        for is_killed in [false, true] {
            let inputs = [("InpExisting", existing), ("InpMaxAge", if is_copied { "3" } else { "0" })];
            let Some(mut copying) = Copying::start("before-price", &inputs) else { return };
            for terminal in [&mut copying.master, &mut copying.follower] {
                terminal.command(&["symbol", "NZDUSD", "digits=5"]);
                terminal.command(&["tick", "NZDUSD", "0.60000", "0.60010"]);
            }
            copying.trade("action=1 symbol=NZDUSD type=0 volume=0.30");
            copying.follower.command(&["symbol", "NZDUSD", "quotes_after=4000"]);
            copying.load_both();
            copying.follower.expect("follower", "print", "waiting for a price of NZDUSD");
            copying.await_file();
            if is_killed {
                copying.kill_follower();
            }
            if is_copied {
                copying.converge();
            } else {
                copying.follower.expect("follower", "print", ": it was there before");
                copying.converge_to(|_| Vec::new());
            }
            copying.close();
        }
    }
}

/// Many open first, and set the stop when they know the price.
#[test]
fn a_stop_from_which_the_volume_is_reckoned_is_waited_for() {
    let inputs = [("InpSize", "5"), ("InpSizeValue", "0.3")];
    let Some(mut copying) = Copying::start("stop-later", &inputs) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    let id = copying.master.positions()[0]["id"].clone();
    copying.follower.expect("follower", "print", "waiting for a stop of the master's position in EURUSD");
    copying.trade(&format!("action=6 position={id} sl=1.09010"));
    copying.converge();
    copying.close();
    let Some(mut copying) = Copying::start("no-stop", &[inputs[0], inputs[1], ("InpMaxAge", "2")]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "too old to be opened, and there was no stop from which");
    copying.converge_to(|_| Vec::new());
    copying.close();
}

#[test]
fn a_terminal_that_lists_no_symbols_yet_is_waited_for() {
    let Some(mut copying) = Copying::start("no-symbols", &[]) else { return };
    for symbol in ["EURUSD", "GBPUSD"] {
        copying.follower.command(&["symbol", symbol, "custom=1"]);
    }
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "waiting for the symbols of this account");
    copying.follower.command(&["symbol", "EURUSD", "custom=0"]);
    copying.follower.command(&["symbol", "NZDUSD", "digits=5"]);
    copying.converge();
    copying.close();
}

#[test]
fn a_symbol_that_has_no_price_yet_is_waited_for() {
    for execution in ["1", "2"] {
        let inputs = [("InpSize", "5"), ("InpSizeValue", "0.3"), ("InpMaxSlippage", "50")];
        let Some(mut copying) = Copying::start("no-price", &inputs) else { return };
        for terminal in [&mut copying.master, &mut copying.follower] {
            terminal.command(&["symbol", "NZDUSD", "digits=5", &format!("execution={execution}")]);
            terminal.command(&["tick", "NZDUSD", "0.60000", "0.60010"]);
        }
        copying.follower.command(&["symbol", "NZDUSD", "quotes_after=1500"]);
        copying.load_both();
        copying.trade("action=1 symbol=NZDUSD type=0 volume=0.30 price=0.60010 sl=0.59010");
        copying.converge();
        copying.close();
    }
}

#[test]
fn a_symbol_that_the_broker_adds_is_found() {
    let Some(mut copying) = Copying::start("added-symbol", &[]) else { return };
    copying.load_both();
    for terminal in [&mut copying.follower, &mut copying.master] {
        terminal.command(&["symbol", "NZDUSD", "digits=5"]);
        terminal.command(&["tick", "NZDUSD", "0.60000", "0.60010"]);
    }
    copying.trade("action=1 symbol=NZDUSD type=0 volume=0.30");
    copying.converge();
    copying.close();
}

#[test]
fn a_custom_symbol_is_not_taken_for_the_brokers() {
    let Some(mut copying) = Copying::start("custom-symbol", &[]) else { return };
    for name in ["USDCHF.mqtt", "USDCHF.pro"] {
        copying.follower.command(&[
            "symbol",
            name,
            "digits=5",
            if name == "USDCHF.mqtt" { "custom=1" } else { "custom=0" },
        ]);
        copying.follower.command(&["tick", name, "0.90000", "0.90010"]);
    }
    copying.master.command(&["symbol", "USDCHF", "digits=5"]);
    copying.master.command(&["tick", "USDCHF", "0.90000", "0.90010"]);
    copying.load_both();
    copying.trade("action=1 symbol=USDCHF type=0 volume=0.30");
    copying.converge_to(|mut positions| {
        positions.iter_mut().for_each(|fields| *fields.get_mut("symbol").expect("a symbol") = "USDCHF.pro".to_owned());
        positions
    });
    copying.close();
}

#[test]
fn an_account_that_may_not_trade_is_told_and_nothing_is_sent() {
    for (what, why) in [("trade_allowed", "investor"), ("experts_allowed", "programs")] {
        let Some(mut copying) = Copying::start(what, &[]) else { return };
        copying.load_both();
        copying.follower.command(&["account", &format!("{what}=0")]);
        copying.follower.expect("follower", "print", why);
        copying.trade(&deal(0, "0.30", ""));
        copying.follower.expect("follower", "comment", "Master has 1 positions");
        assert_eq!(copying.follower.requests(), 0, "{}", copying.follower.transcript());
        copying.follower.command(&["account", &format!("{what}=1")]);
        copying.converge();
        copying.close();
    }
}

#[test]
fn what_the_master_closes_is_closed_although_the_file_cannot_be_written() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("full-{mode}"), &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        let id = copying.master.positions()[0]["id"].clone();
        // Nothing can be written where a folder stands.
        let in_the_way = copying.file().with_extension("json.new");
        fs::create_dir(&in_the_way).expect("a folder in the way");
        copying.trade(&deal(1, "0.10", &format!(" position={id}")));
        copying.converge();
        copying.trade(&deal(1, "0.20", &format!(" position={id}")));
        copying.converge();
        let requests = copying.follower.requests();
        copying.trade(&deal(0, "0.05", ""));
        copying.follower.expect("follower", "print", "can't be written");
        copying.follower.expect("follower", "comment", "Master has 1 positions");
        copying.converge_to(|_| Vec::new());
        assert_eq!(copying.follower.requests(), requests, "what is new is in the file before it is sent");
        fs::remove_dir(&in_the_way).expect("remove the folder");
        copying.converge();
        copying.close();
    }
}

/// A terminal tells nobody that a full disk has not taken what was in its buffer.
#[test]
fn a_full_disk_damages_no_file_and_is_told() {
    let Some(mut copying) = Copying::start("full-disk", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.follower.command(&["disk", "full"]);
    copying.trade(&deal(0, "0.05", ""));
    copying.follower.expect("follower", "print", "can't be written: nothing is opened");
    assert_eq!(copying.follower.requests(), 1, "{}", copying.follower.transcript());
    copying.kill_follower();
    copying.converge();
    copying.close();
}

#[test]
fn a_file_that_cannot_be_used_starts_nothing_and_says_why() {
    let Some(mut copying) = Copying::start("unusable-file", &[]) else { return };
    copying.load_both();
    copying.end_follower();
    let text = fs::read_to_string(copying.file()).expect("the follower's file");
    for (content, said) in [
        (text.replace("\"version\":1", "\"version\":2"), "is of a newer version of the copier"),
        (text.replace("\"version\":1", "\"version\":"), "is damaged"),
    ] {
        assert_ne!(content, text);
        fs::write(copying.file(), content).expect("write the file");
        copying.load_follower_as("follower");
        copying.follower.expect("follower", "print", &format!("{said}: without it copies could be made twice"));
        copying.follower.expect("follower", "ended", "");
    }
    copying.close();
}

#[test]
fn a_comment_that_is_cut_in_the_middle_of_a_character_keeps_no_state_back() {
    let Some(mut copying) = Copying::start("half-character", &[]) else { return };
    copying.load_both();
    // The broker keeps 31 units of UTF-16, of which the last one is half a character.
    copying.trade(&deal(0, "0.30", &format!(" comment={}\u{1F600}", "a".repeat(30))));
    copying.converge();
    copying.close();
}

#[test]
fn a_magic_number_of_19_digits_keeps_no_state_back() {
    let Some(mut copying) = Copying::start("long-magic", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", " magic=9223372036854775807"));
    // Beyond a long it is negative in MQL5.
    copying.trade(&deal(1, "0.10", " magic=18446744073709551615"));
    copying.converge();
    copying.close();
}

/// The broker has renamed symbols, or changed one for another, while the terminal was not connected.
#[test]
fn symbols_are_listed_anew_when_the_terminal_is_connected_again() {
    let Some(mut copying) = Copying::start("listed-anew", &[]) else { return };
    copying.follower.command(&["symbol", "EURUSD", "custom=1"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "no symbol, or more than one, for EURUSD");
    copying.follower.command(&["connected", "0"]);
    copying.follower.expect("follower", "print", "the terminal isn't connected");
    copying.follower.command(&["symbol", "EURUSD", "custom=0"]);
    copying.follower.command(&["connected", "1"]);
    copying.trade(&deal(0, "0.20", ""));
    copying.converge_to(|positions| positions.into_iter().filter(|fields| fields["volume"] == "0.2").collect());
    copying.close();
}

#[test]
fn figures_of_the_account_that_are_not_known_yet_are_waited_for() {
    for size in ["2", "3", "4", "5"] {
        let inputs = [("InpSize", size), ("InpSizeValue", if size == "5" { "0.3" } else { "1" })];
        let Some(mut copying) = Copying::start("no-figures", &inputs) else { return };
        copying.load_both();
        copying.follower.command(&["account", "balance=0"]);
        copying.trade(&deal(0, "0.30", " sl=1.09010"));
        copying.follower.expect("follower", "comment", "Master has 1 positions");
        copying.follower.command(&["account", "balance=100000"]);
        copying.converge();
        copying.close();
    }
}

#[test]
fn what_keeps_a_follower_from_copying_is_told_each_time_that_it_begins() {
    let Some(mut copying) = Copying::start("told-again", &[]) else { return };
    copying.load_both();
    for round in 0..3 {
        copying.follower.command(&["connected", "0"]);
        copying.follower.expect("follower", "print", "nothing is copied: the terminal isn't connected");
        copying.follower.expect("follower", "comment", "\\nNow: nothing is copied");
        copying.follower.command(&["connected", "1"]);
        copying.trade(&deal(0, "0.10", ""));
        copying.converge();
        let panel = copying.follower.expect("follower", "comment", &format!("held here {}", round + 1));
        assert!(!panel.contains("Now:"), "{panel}");
    }
    copying.close();
}
