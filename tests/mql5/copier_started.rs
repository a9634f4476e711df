//! A terminal that has just started, after a crash say, shows neither positions nor deals for a while. Nobody may take that
//! for an empty account: followers would close their copies, or make them again.

use crate::copying::{Copying, QUIET, deal, net};
use std::time::Instant;

/// How long the terminal needs to show the account, in ms.
const A_WHILE: &str = "lag=700";
/// Until the test says that it sees.
const BLIND: &str = "lag=60000";
const SEEING: &str = "lag=0";

fn start(test: &str, mode: &str) -> Option<Copying> {
    let mut copying = Copying::start(test, &[])?;
    copying.follower.command(&["account", &format!("mode={mode}"), "comments=drop"]);
    copying.load_both();
    for trade in [deal(0, "0.30", ""), deal(1, "0.12", "")] {
        copying.trade(&trade);
    }
    copying.trade("action=1 symbol=GBPUSD type=0 volume=0.07");
    Some(copying)
}

#[track_caller]
fn converge(copying: &mut Copying, mode: &str) {
    if mode == "netting" {
        copying.converge_to(|positions| net(positions.into_iter()));
    } else {
        copying.converge();
    }
}

#[test]
fn a_follower_waits_until_its_copies_are_shown() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = start("started-follower", mode) else { return };
        converge(&mut copying, mode);
        copying.follower.command(&["account", BLIND]);
        copying.kill_follower();
        copying.follower.expect("follower", "print", "waiting until the terminal shows");
        copying.follower.command(&["account", SEEING]);
        converge(&mut copying, mode);
        assert_eq!(copying.follower.requests(), 0, "{}", copying.follower.transcript());
        // It goes on as before, and what is closed is believed.
        let first = copying.master.positions()[0]["id"].clone();
        copying.trade(&deal(1, "0.30", &format!(" position={first}")));
        converge(&mut copying, mode);
        copying.close();
    }
}

#[test]
fn a_master_waits_until_its_positions_are_shown() {
    for (mode, is_another) in [("hedging", false), ("hedging", true), ("netting", false)] {
        let Some(mut copying) = start("started-master", mode) else { return };
        converge(&mut copying, mode);
        let requests = copying.follower.requests();
        copying.master.command(&["account", BLIND]);
        // The Server keeps the last state too.
        if is_another {
            copying.lose_master_files();
        }
        copying.kill_master();
        copying.master.expect("master", "print", "waiting until the terminal shows the position");
        // Until then nobody takes what it had for what it has.
        let presence = copying.server.subscribe(&["-t", "mt5/copier/master/presence", "-F", "%p"]);
        assert_eq!(presence.line(Instant::now() + QUIET), "offline");
        copying.master.command(&["account", SEEING]);
        assert_eq!(presence.line(Instant::now() + QUIET), "online");
        // Another position is there as soon as the state is: what was held is held without a request.
        copying.trade(&deal(0, "0.05", ""));
        converge(&mut copying, mode);
        assert_eq!(copying.follower.requests(), requests + 1, "{}", copying.follower.transcript());
        copying.close();
    }
}

#[test]
fn a_master_that_gets_another_name_recalls_what_was_published_under_it() {
    let Some(mut copying) = Copying::start("started-renamed", &[]) else { return };
    let states = copying.server.subscribe(&["-t", "mt5/copier/+/state", "-F", "%t"]);
    copying.load_master();
    assert_eq!(states.line(Instant::now() + QUIET), "mt5/copier/master/state");
    // By another terminal of the account, which had a position that this one doesn't show.
    let position = r#"{"id":424242,"symbol":"EURUSD","side":"buy","volume":0.1,"price":1.1,"sl":0,"tp":0,"time_msc":1000,
        "magic":0,"comment":"","contract_size":100000,"via":""}"#;
    let state = format!(
        r#"{{"version":1,"server":"Simulated","login":1001,"sequence":1,"time_msc":1000,"waited_ms":0,"balance":1,"equity":1,
        "free_margin":1,"positions":[{position}],"netting":false,"orders":[]}}"#
    );
    copying.server.publish(&["-t", "mt5/copier/other/state", "-q", "1", "-r", "-m", &state]);
    copying.master.command(&["reinit", "master", "5", "InpName=other"]);
    copying.master.expect("master", "print", "waiting until the terminal shows the position 424242");
    copying.close();
}

#[test]
fn what_was_closed_while_the_master_was_away_is_closed() {
    let Some(mut copying) = start("started-closed", "hedging") else { return };
    copying.converge();
    copying.master.command(&["remove", "master"]);
    copying.master.expect("master", "ended", "");
    let first = copying.master.positions()[0]["id"].clone();
    copying.trade(&deal(1, "0.30", &format!(" position={first}")));
    copying.master.command(&["account", A_WHILE]);
    copying.kill_master();
    copying.converge();
    assert_eq!(copying.follower.positions().len(), 2);
    copying.close();
}

#[test]
fn a_netting_terminal_that_is_killed_between_a_trade_and_its_answer_doubles_nothing() {
    for comments in ["keep", "drop"] {
        let Some(mut copying) = Copying::start("started-netting", &[]) else { return };
        copying.follower.command(&["account", "mode=netting", &format!("comments={comments}"), A_WHILE]);
        copying.load_both();
        for volume in ["0.30", "0.10"] {
            copying.follower.command(&["inject", "10009", "killed"]);
            copying.trade(&deal(0, volume, ""));
            copying.follower.expect_end();
            copying.kill_follower();
            converge(&mut copying, "netting");
        }
        copying.close();
    }
}
