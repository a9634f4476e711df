//! The trade copier's two programs in two terminals, over a real Server: after quiet the follower holds what the master has.

use crate::copying::{Copying, Fields, deal, net};

#[test]
fn opens_changes_and_closes_are_copied_and_survive_a_restart() {
    course("course", "5");
}

#[test]
fn mqtt_3_1_1_does_as_well() {
    course("course-3-1-1", "4");
}

fn course(test: &str, version: &'static str) {
    let Some(mut copying) = Copying::start(test, &[]) else { return };
    copying.version = version;
    copying.trade(&deal(0, "0.77", ""));
    copying.load_both();
    copying.converge_to(|_| Vec::new());
    copying.trade(&deal(0, "0.30", " sl=1.09000 tp=1.12000"));
    copying.trade(&deal(1, "0.20", ""));
    // The one that was there before is not copied.
    let new = |positions: Vec<Fields>| positions.into_iter().filter(|fields| fields["volume"] != "0.77").collect();
    copying.converge_to(new);
    let ids: Vec<String> = copying.master.positions().iter().map(|fields| fields["id"].clone()).collect();
    copying.trade(&deal(1, "0.10", &format!(" position={}", ids[1])));
    copying.trade(&format!("action=6 position={} sl=1.12000 tp=0", ids[2]));
    copying.converge_to(new);
    copying.trade(&deal(1, "0.10", &format!(" position={}", ids[1])));
    copying.converge_to(new);

    // What happens while the follower is away is made good, and nothing is doubled.
    copying.end_follower();
    copying.trade(&deal(0, "0.20", &format!(" position={}", ids[2])));
    copying.trade(&deal(0, "0.05", ""));
    copying.load_follower();
    copying.converge_to(new);

    // A ticket that the server changes is the same position.
    let copy = copying.follower.positions()[0]["id"].clone();
    copying.follower.command(&["swap", &copy]);
    copying.master.command(&["swap", &ids[1]]);
    copying.trade(&deal(1, "0.01", ""));
    copying.converge_to(new);

    // What the follower's user closes stays closed.
    let held = copying.follower.positions();
    let by_hand = held.iter().find(|fields| fields["volume"] == "0.05").expect("a copy");
    let close = format!("position={}", by_hand["ticket"]);
    copying.follower.command(&["trade", "action=1", "symbol=EURUSD", "type=1", "volume=0.05", &close]);
    let rest = move |positions: Vec<Fields>| {
        let kept = |fields: &Fields| fields["volume"] != "0.77" && fields["volume"] != "0.05";
        positions.into_iter().filter(kept).collect()
    };
    copying.converge_to(rest);
    copying.restart_follower();
    copying.trade(&deal(0, "0.02", ""));
    copying.converge_to(rest);
    copying.close();
}

#[test]
fn inputs_that_change_while_an_answer_is_lost_leave_its_copy_known() {
    let Some(mut copying) = Copying::start("inputs", &[]) else { return };
    copying.follower.command(&["account", "comments=drop", "lag=1500"]);
    copying.load_both();
    copying.follower.command(&["inject", "10012", "carried-out"]);
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "no answer in time");
    // Inputs are changed on the same globals, and what the file knows they may know already.
    copying.follower.command(&["reinit", "follower", "5", "InpDeviation=10"]);
    assert_eq!(copying.follower.expect("follower", "init", ""), "0");
    copying.follower.expect("follower", "print", "subscribed: ");
    copying.converge();
    // Neither comment nor answer tells of the copy; that it is known shows when the master closes.
    let position = copying.master.positions()[0]["id"].clone();
    copying.trade(&deal(1, "0.30", &format!(" position={position}")));
    copying.converge();
    assert_eq!(copying.follower.positions(), []);
    copying.close();
}

#[test]
fn answers_that_are_lost_and_refusals_double_nothing() {
    for comments in ["keep", "rewrite", "drop"] {
        let Some(mut copying) = Copying::start("retcodes", &[]) else { return };
        copying.follower.command(&["account", &format!("comments={comments}"), "shuffle=3", "lag=150"]);
        copying.load_both();
        // The terminal shows what was done some time after the answer. Requote; lost answers of what was done, or is done
        // later; wrong filling; wrong stops; closed for a moment.
        for (retcode, effect) in [
            ("10004", "refused"),
            ("10012", "carried-out"),
            ("10030", "refused"),
            ("10016", "refused"),
            ("10018", "refused"),
            ("10031", "carried-out"),
            ("10012", "late"),
        ] {
            copying.follower.command(&["inject", retcode, effect]);
            copying.trade(&deal(0, "0.10", " sl=1.09000"));
            copying.converge();
        }
        copying.follower.command(&["inject", "10012", "carried-out"]);
        let first = copying.master.positions()[0]["id"].clone();
        copying.trade(&deal(1, "0.05", &format!(" position={first}")));
        copying.converge();
        copying.follower.command(&["inject", "10024", "refused"]);
        copying.trade(&deal(1, "0.05", &format!(" position={first}")));
        copying.converge();
        // An invalid request: told, not tried again, and the others go on.
        copying.follower.command(&["inject", "10013", "refused"]);
        copying.trade(&deal(0, "0.33", ""));
        copying.follower.expect("follower", "print", "invalid request");
        copying.trade(&deal(0, "0.04", ""));
        copying.converge_to(|positions| positions.into_iter().filter(|fields| fields["volume"] != "0.33").collect());
        copying.close();
    }
}

#[test]
fn a_terminal_that_is_killed_between_a_trade_and_its_answer_doubles_nothing() {
    for comments in ["keep", "rewrite", "drop"] {
        let Some(mut copying) = Copying::start("killed", &[]) else { return };
        copying.follower.command(&["account", &format!("comments={comments}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        for volume in ["0.10", "0.30"] {
            copying.follower.command(&["inject", "10009", "killed"]);
            copying.trade(&deal(0, volume, ""));
            copying.follower.expect_end();
            copying.kill_follower();
            copying.converge();
        }
        copying.close();
    }
}

#[test]
fn a_netting_follower_holds_the_sum() {
    for comments in ["keep", "rewrite"] {
        let Some(mut copying) = Copying::start("netting", &[]) else { return };
        copying.follower.command(&["account", "mode=netting", &format!("comments={comments}"), "lag=150"]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", ""));
        copying.trade(&deal(1, "0.10", ""));
        copying.converge_to_net(&[]);
        // To the other side, by lost answers, and with a restart between.
        copying.follower.command(&["inject", "10012", "carried-out"]);
        copying.trade(&deal(1, "0.50", ""));
        copying.converge_to_net(&[]);
        for (retcode, effect) in [("10004", "refused"), ("10031", "carried-out"), ("10012", "late")] {
            copying.follower.command(&["inject", retcode, effect]);
            copying.trade(&deal(1, "0.07", ""));
            copying.converge_to_net(&[]);
        }
        copying.end_follower();
        copying.trade(&deal(0, "0.05", ""));
        copying.load_follower();
        copying.converge_to_net(&[]);

        // What the follower's user closes stays closed; what comes later is copied.
        let by_hand: Vec<String> = copying.master.positions().iter().map(|fields| fields["id"].clone()).collect();
        let held = copying.follower.positions()[0].clone();
        let volume = format!("volume={}", held["volume"]);
        copying.follower.command(&["trade", "action=1", "symbol=EURUSD", "type=0", &volume]);
        copying.converge_to_net(&by_hand);
        copying.trade(&deal(0, "0.02", ""));
        copying.converge_to_net(&by_hand);

        // A position that isn't the copier's is left alone, once the terminal shows it.
        copying.follower.command(&["account", "lag=0"]);
        copying.follower.command(&["trade", "action=1", "symbol=GBPUSD", "type=0", "volume=0.11"]);
        copying.trade("action=1 symbol=GBPUSD type=1 volume=0.40");
        copying.follower.expect("follower", "print", "GBPUSD that is not the copier's");
        copying.converge_to(|positions| {
            let later = positions.into_iter().filter(|fields| !by_hand.contains(&fields["id"]));
            let mut wanted = net(later);
            for fields in wanted.iter_mut().filter(|fields| fields["symbol"] == "GBPUSD") {
                fields.insert("side".into(), "buy".into());
                fields.insert("volume".into(), "0.11".into());
            }
            wanted
        });
        copying.close();
    }
}
