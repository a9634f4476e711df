//! Positions through their life: tickets that a swap changes, close-by, stops, netting; and answers that a test injects.

use crate::account::{DEAL, Desk, PENDING};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_swap_changes_the_ticket_and_keeps_the_identifier() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    let (_, order) = desk.trade(&DEAL, "type=0 volume=0.3 sl=1.09000");
    desk.terminal.expert("listener", "tests/mql5/programs/Transactions.mq5", &[]);
    desk.terminal.command(&["swap", &order.to_string()]);
    desk.terminal.expect("listener", "print", "TRADE_TRANSACTION_POSITION");
    let position = desk.terminal.positions().remove(0);
    assert_eq!(position["id"], order.to_string());
    assert_ne!(position["ticket"], position["id"]);
    assert_eq!(desk.trade(&DEAL, &format!("type=1 volume=0.1 position={order}")).0, 10036, "the old ticket is none");
    let close = format!("type=1 volume=0.1 position={}", position["ticket"]);
    assert_eq!(desk.trade(&DEAL, &close).0, 10009);
    assert_eq!(desk.positions(), ["buy 0.2@1.1001 1.09/0"]);
    desk.terminal.close();
}

#[test]
fn a_close_by_leaves_what_is_larger() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    let (_, first) = desk.trade(&DEAL, "type=0 volume=0.3");
    let (_, second) = desk.trade(&DEAL, "type=1 volume=0.1");
    let (_, third) = desk.trade(&DEAL, "type=0 volume=0.1");
    assert_eq!(desk.trade(&["action=10"], &format!("position={first} position_by={third}")).0, 10013, "of one side");
    desk.terminal.command(&["symbol", "EURUSD", "order_mode=63"]);
    let by = format!("position={first} position_by={second}");
    assert_eq!(desk.trade(&["action=10"], &by).0, 10013, "the symbol has no close-by");
    desk.terminal.command(&["symbol", "EURUSD", "order_mode=127"]);
    assert_eq!(desk.trade(&["action=10"], &by).0, 10009);
    assert_eq!(desk.positions(), ["buy 0.2@1.1001 0/0", "buy 0.1@1.1001 0/0"]);
    desk.terminal.close();

    let mut desk = Desk::open("netting").expect("a compiler");
    let (_, first) = desk.trade(&DEAL, "type=0 volume=0.3");
    assert_eq!(desk.trade(&["action=10"], &format!("position={first} position_by={first}")).0, 10013);
    desk.terminal.close();
}

#[test]
fn stops_close_either_side_in_either_mode() {
    for mode in ["hedging", "netting"] {
        for (fields, bid, ask, balance) in [
            ("type=0 volume=0.1 sl=1.09000 tp=1.12000", "1.09000", "1.09010", "9899"),
            ("type=0 volume=0.1 sl=1.09000 tp=1.12000", "1.12000", "1.12010", "10199"),
            ("type=1 volume=0.1 sl=1.12000 tp=1.09000", "1.11990", "1.12000", "9800"),
            ("type=1 volume=0.1 sl=1.12000 tp=1.09000", "1.08990", "1.09000", "10100"),
        ] {
            let Some(mut desk) = Desk::open(mode) else { return };
            assert_eq!(desk.trade(&DEAL, fields).0, 10009);
            desk.price("1.09500", "1.09510");
            assert_eq!(desk.positions().len(), 1, "between its stops");
            desk.price(bid, ask);
            assert_eq!(desk.positions(), [""; 0], "{mode}: {fields} at {bid}");
            let account = desk.terminal.said("*", "account").pop().expect("an account");
            assert!(account.contains(&format!(" balance={balance} ")), "{mode}: {fields} at {bid}: {account}");
            desk.terminal.close();
        }
    }
}

#[test]
fn in_netting_a_pending_order_adds_reduces_and_turns() {
    let Some(mut desk) = Desk::open("netting") else { return };
    desk.trade(&DEAL, "type=0 volume=0.2");
    for order in
        ["type=2 volume=0.2 price=1.09010", "type=3 volume=0.1 price=1.11000", "type=3 volume=0.5 price=1.12000"]
    {
        assert_eq!(desk.trade(&PENDING, order).0, 10009, "{order}");
    }
    desk.price("1.09000", "1.09010");
    assert_eq!(desk.positions()[0], "buy 0.4@1.0951 0/0");
    desk.price("1.11000", "1.11010");
    assert_eq!(desk.positions()[0], "buy 0.3@1.0951 0/0");
    desk.price("1.12000", "1.12010");
    assert_eq!(desk.positions(), ["sell 0.2@1.12 0/0"]);
    let ids: Vec<_> = desk.terminal.positions().iter().map(|fields| fields["id"].clone()).collect();
    assert_eq!(ids, ["100001"], "the identifier stays through it all");
    desk.terminal.close();
}

/// Requote, timeouts, no money, closed, too many requests, filling, stops: what a program is answered, and what was done.
#[test]
fn injected_answers_are_given_once_and_do_what_they_say() {
    let Some(mut desk) = Desk::open("hedging") else { return };
    desk.terminal.expert("sender", "tests/mql5/programs/Sends.mq5", &[]);
    let mut positions = 0;
    let mut number = 0;
    // An event of the number that is being worked on would be dropped.
    let mut send = |desk: &mut Desk| {
        number += 1;
        desk.terminal.command(&["custom-event", "sender", &number.to_string(), ""]);
        desk.terminal.expect("sender", "print", "positions")
    };
    for (retcode, effect) in [
        ("10004", "refused"),
        ("10012", "refused"),
        ("10012", "carried-out"),
        ("10012", "late"),
        ("10016", "refused"),
        ("10018", "refused"),
        ("10019", "refused"),
        ("10024", "refused"),
        ("10030", "refused"),
        ("10031", "carried-out"),
    ] {
        desk.terminal.command(&["inject", retcode, effect]);
        if effect == "carried-out" {
            positions += 1;
        }
        assert_eq!(send(&mut desk), format!("not sent {retcode}, order unknown, {positions} positions"), "{effect}");
        if effect == "late" {
            positions += 1;
            let deadline = Instant::now() + Duration::from_secs(20);
            while desk.terminal.positions().len() < positions {
                assert!(Instant::now() < deadline, "it was never carried out");
                thread::sleep(Duration::from_millis(20));
            }
        }
        // The next one is answered as usual.
        positions += 1;
        assert_eq!(
            send(&mut desk),
            format!("sent 10009, order known, {positions} positions"),
            "after {retcode} {effect}"
        );
    }
    desk.terminal.close();
}
