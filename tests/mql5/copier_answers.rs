//! Answers of a trade server that are lost, late or bare, and comments that a broker rewrites: which position is a copy, and
//! what was done, shows all the same.

use crate::copying::{Copying, QUIET, deal, net};
use std::time::{Duration, Instant};

#[test]
fn a_lost_answer_is_found_although_the_computers_clock_is_fast() {
    let Some(mut copying) = Copying::start("fast-clock", &[("InpPendings", "true")]) else { return };
    copying.follower.command(&["account", "comments=drop"]);
    copying.follower.command(&["own-clock", "30"]);
    copying.load_both();
    copying.follower.command(&["inject", "10012", "carried-out"]);
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let id = copying.master.positions()[0]["id"].clone();
    copying.trade(&deal(1, "0.30", &format!(" position={id}")));
    copying.converge();
    copying.follower.command(&["inject", "10012", "carried-out"]);
    let answer = copying.trade("action=5 symbol=EURUSD type=2 volume=0.20 price=1.09000 filling=2");
    let order = answer.split("order=").nth(1).and_then(|rest| rest.split(' ').next()).expect("an order").to_owned();
    copying.follower.expect("follower", "print", "place EURUSD");
    copying.trade(&format!("action=8 order={order}"));
    copying.follower.expect("follower", "print", "delete EURUSD");
    assert_eq!(copying.follower.orders().len(), 0, "{}", copying.follower.transcript());
    copying.close();
}

#[test]
fn the_comment_of_a_copy_names_the_masters_position_or_none() {
    let Some(mut copying) = Copying::start("long-comment", &[]) else { return };
    copying.name = "a-dozen-char";
    copying.master.command(&["account", "next_ticket=1000000000000000001"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.end_follower();
    copying.lose_file();
    copying.load_follower();
    copying.follower.expect("follower", "print", "not copied");
    copying.converge();
    copying.close();
}

/// Without its file and comment a copy is nobody's: the master's close won't close it, and its user has to know.
#[test]
fn a_copy_of_which_nothing_is_known_is_told_of() {
    for trade in [deal(0, "0.30", ""), "action=5 symbol=EURUSD type=2 volume=0.10 price=1.09 filling=2".to_owned()] {
        let Some(mut copying) = Copying::start("orphan", &[("InpPendings", "true")]) else { return };
        copying.follower.command(&["account", "comments=drop"]);
        copying.load_both();
        copying.trade(&trade);
        copying.follower.expect("follower", "print", "by the master): done");
        let held = copying.follower.positions().pop().or_else(|| copying.follower.orders().pop());
        let ticket = held.expect("a copy")["ticket"].clone();
        copying.end_follower();
        copying.lose_file();
        copying.load_follower();
        copying.follower.expect("follower", "print", &format!("nobody knows of which position or order {ticket} is"));
        copying.close();
    }
}

/// What was closed is in the answer, and a terminal under load shows it later than it is settled as a rule.
#[test]
fn a_part_that_was_closed_is_not_closed_again_before_the_terminal_shows_it() {
    let Some(mut copying) = Copying::start("late-part", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let id = copying.master.positions()[0]["id"].clone();
    copying.follower.command(&["account", "lag=5000"]);
    copying.trade(&deal(1, "0.10", &format!(" position={id}")));
    copying.follower.expect("follower", "print", "close EURUSD 0.10");
    copying.follower.expect("follower", "comment", "held here 1");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(7);
    while std::time::Instant::now() < until {
        assert!(copying.follower.requests() <= 2, "{}", copying.follower.transcript());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    copying.converge();
    copying.close();
}

/// A close of a part whose answer was lost, or names no deal, looks as if it had not been sent until the terminal shows it.
#[test]
fn a_part_whose_close_has_no_answer_is_not_closed_again_before_the_terminal_shows_it() {
    for (mode, is_lost) in [("hedging", true), ("netting", true), ("hedging", false)] {
        let Some(mut copying) = Copying::start("lost-part", &[]) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        let id = copying.master.positions()[0]["id"].clone();
        copying.follower.command(&["account", "lag=5000"]);
        if is_lost {
            copying.follower.command(&["inject", "10012", "carried-out"]);
        } else {
            copying.follower.command(&["account", "bare_answers=1"]);
        }
        copying.trade(&deal(1, "0.10", &format!(" position={id}")));
        copying.follower.expect("follower", "print", "close EURUSD 0.10");
        let until = Instant::now() + Duration::from_secs(7);
        while Instant::now() < until {
            assert!(copying.follower.requests() <= 2, "{}", copying.follower.transcript());
            std::thread::sleep(Duration::from_millis(100));
        }
        copying.follower.command(&["account", "lag=0"]);
        copying.converge();
        // All of it needn't wait for a part.
        if mode == "hedging" {
            copying.follower.command(&["inject", "10012", "refused"]);
            copying.trade(&deal(1, "0.10", &format!(" position={id}")));
            copying.follower.expect("follower", "print", "no answer in time");
            copying.trade(&deal(1, "0.10", &format!(" position={id}")));
            copying.follower.expect("follower", "print", "close EURUSD 0.20 (closed by the master): done");
        }
        copying.close();
    }
}

/// A trade server that has lost the terminal says nothing of an order, however long that takes.
#[test]
fn an_open_without_an_answer_is_not_sent_again_because_the_terminal_was_not_connected() {
    let Some(mut copying) = Copying::start("lost-line", &[]) else { return };
    copying.follower.command(&["account", "comments=rewrite"]);
    copying.load_both();
    copying.follower.command(&["account", "lag=60000"]);
    copying.follower.command(&["inject", "10012", "carried-out"]);
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "no answer in time");
    copying.follower.command(&["connected", "0"]);
    copying.follower.expect("follower", "print", "the terminal isn't connected");
    // After each second its chart shows that it has looked again.
    for second in 0..18 {
        if second == 16 {
            // It is connected, and doesn't show yet what it missed.
            copying.follower.command(&["connected", "1"]);
        }
        copying.follower.command(&["uptime", "1"]);
        copying.follower.expect("follower", "comment", "s ago");
    }
    copying.follower.command(&["account", "lag=0"]);
    copying.converge();
    assert_eq!(copying.follower.requests(), 1, "{}", copying.follower.transcript());
    copying.close();
}

/// What shows when nobody waits for it any more is a copy all the same: the master's close closes it.
#[test]
fn an_open_that_shows_after_it_was_sent_again_is_known_and_the_surplus_closed() {
    for trade in [deal(0, "0.30", ""), "action=5 symbol=EURUSD type=2 volume=0.30 price=1.09 filling=2".to_owned()] {
        let Some(mut copying) = Copying::start("late-copy", &[("InpPendings", "true")]) else { return };
        copying.follower.command(&["account", "comments=rewrite"]);
        copying.load_both();
        copying.follower.command(&["account", "lag=60000"]);
        copying.follower.command(&["inject", "10012", "carried-out"]);
        copying.trade(&trade);
        copying.follower.expect("follower", "print", "no answer in time");
        // It is sent again after 15 seconds.
        let deadline = Instant::now() + QUIET;
        while copying.follower.requests() < 2 {
            assert!(Instant::now() < deadline, "{}", copying.follower.transcript());
            std::thread::sleep(Duration::from_millis(100));
        }
        copying.follower.expect("follower", "print", "by the master): done");
        copying.follower.command(&["account", "lag=0"]);
        copying.follower.expect("follower", "print", "): done");
        copying.converge();
        let wanted = if trade.contains("action=5") { (0, 1) } else { (1, 0) };
        assert_eq!((copying.follower.positions().len(), copying.follower.orders().len()), wanted);
        copying.close();
    }
}

/// It was placed without an answer, and filled before the terminal showed it.
#[test]
fn a_pending_order_without_an_answer_is_known_by_the_position_that_it_became() {
    let Some(mut copying) = Copying::start("lost-order", &[("InpPendings", "true")]) else { return };
    copying.follower.command(&["account", "comments=rewrite"]);
    copying.load_both();
    copying.follower.command(&["account", "lag=60000"]);
    copying.follower.command(&["inject", "10012", "carried-out"]);
    copying.trade("action=5 symbol=EURUSD type=2 volume=0.30 price=1.09000 filling=2");
    copying.follower.expect("follower", "print", "no answer in time");
    copying.price("1.08900", "1.08910");
    copying.follower.command(&["account", "lag=0"]);
    copying.converge();
    assert_eq!(copying.follower.requests(), 1, "{}", copying.follower.transcript());
    let id = copying.master.positions()[0]["id"].clone();
    copying.trade(&deal(1, "0.30", &format!(" position={id}")));
    copying.converge();
    copying.close();
}

/// A fill in part, of which neither answer nor comment tells.
#[test]
fn a_part_of_an_open_without_an_answer_is_known() {
    let Some(mut copying) = Copying::start("lost-fill", &[]) else { return };
    copying.follower.command(&["account", "comments=rewrite"]);
    copying.follower.command(&["symbol", "EURUSD", "filling=2"]);
    copying.load_both();
    copying.follower.command(&["symbol", "EURUSD", "market_volume=0.1"]);
    copying.follower.command(&["inject", "10012", "carried-out"]);
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "no answer in time");
    copying.follower.command(&["symbol", "EURUSD", "market_volume=0"]);
    copying.converge_as(
        |positions| positions,
        |positions| if positions.len() == 2 { net(positions.into_iter()) } else { Vec::new() },
    );
    assert_eq!(copying.follower.requests(), 2, "{}", copying.follower.transcript());
    copying.close();
}

/// The answer was good, and the exchange had nothing: no deal will ever show.
#[test]
fn an_order_that_was_canceled_after_its_answer_keeps_nothing_else_waiting() {
    let Some(mut copying) = Copying::start("canceled-order", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(1, "0.20", ""));
    copying.converge();
    copying.follower.command(&["inject", "10009", "canceled"]);
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "open EURUSD 0.30 (opened by the master): done");
    let first = copying.master.positions()[0]["id"].clone();
    copying.trade(&deal(0, "0.20", &format!(" position={first}")));
    copying.converge_to(|_| Vec::new());
    copying.close();
}

/// A broker may take a trade back: its deal gets another type, and nothing closes it.
#[test]
fn a_copy_that_the_broker_has_canceled_keeps_nothing_else_waiting() {
    for trade in [deal(0, "0.30", ""), "action=5 symbol=EURUSD type=2 volume=0.30 price=1.09 filling=2".to_owned()] {
        let Some(mut copying) = Copying::start("canceled-deal", &[("InpPendings", "true")]) else { return };
        copying.load_both();
        copying.trade(&deal(1, "0.20", ""));
        copying.converge();
        copying.trade(&trade);
        copying.follower.expect("follower", "print", "EURUSD 0.30");
        copying.price("1.08900", "1.08910");
        copying.converge();
        let copy = copying.follower.positions()[1]["id"].clone();
        copying.follower.command(&["cancel", &copy]);
        copying.follower.expect("follower", "print", "closed or deleted here");
        let first = copying.master.positions()[0]["id"].clone();
        copying.trade(&deal(0, "0.20", &format!(" position={first}")));
        copying.converge_to(|_| Vec::new());
        copying.close();
    }
}

/// A broker's answer may lack all but the retcode and the order's number.
#[test]
fn an_open_whose_answer_has_no_volume_is_not_opened_again_after_its_stop() {
    let Some(mut copying) = Copying::start("bare-answer", &[]) else { return };
    copying.follower.command(&["account", "bare_answers=1", "lag=1500"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", " sl=1.09000"));
    copying.follower.expect("follower", "print", "open EURUSD 0.30");
    // At the follower's broker alone, and before the terminal shows the position.
    copying.follower.command(&["tick", "EURUSD", "1.08900", "1.08910"]);
    copying.follower.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
    copying.follower.expect("follower", "print", "not copied");
    assert_eq!(copying.follower.requests(), 1, "{}", copying.follower.transcript());
    copying.close();
}

/// The number that is left of a comment which the broker has cut is another one, which the master doesn't hold.
#[test]
fn a_lost_answer_is_found_although_the_broker_cuts_comments() {
    let Some(mut copying) = Copying::start("cut-comments", &[("InpPendings", "true")]) else { return };
    copying.follower.command(&["account", "comments=cut"]);
    copying.load_both();
    copying.follower.command(&["inject", "10012", "carried-out"]);
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    assert_eq!(copying.follower.requests(), 1, "{}", copying.follower.transcript());
    copying.follower.command(&["inject", "10012", "carried-out"]);
    copying.trade("action=5 symbol=EURUSD type=2 volume=0.10 price=1.09 filling=2");
    copying.follower.expect("follower", "comment", "placed here 1");
    assert_eq!(copying.follower.requests(), 2, "{}", copying.follower.transcript());
    copying.close();
}
