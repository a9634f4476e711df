//! Stops of copies: those that don't fit yet, those of an addition, and the user's own.

use crate::copying::{Copying, Fields, QUIET, deal, mirrored, net};
use std::time::{Duration, Instant};

#[test]
fn stops_that_did_not_fit_are_set_soon_after_they_do() {
    let Some(mut copying) = Copying::start("stops-later", &[("InpWait", "86400")]) else { return };
    copying.load_both();
    copying.follower.command(&["symbol", "EURUSD", "stops_level=2000"]);
    copying.trade(&deal(0, "0.30", " sl=1.09000 tp=1.12000"));
    copying.follower.expect("follower", "print", "stops EURUSD 0.30 (stops changed by the master): invalid stops");
    copying.follower.command(&["symbol", "EURUSD", "stops_level=0"]);
    copying.converge();
    copying.close();
}

/// The master moves a stop that didn't fit: what the other one has to wait is of no matter.
#[test]
fn another_stop_than_the_one_that_was_refused_is_set_at_once() {
    let Some(mut copying) = Copying::start("other-stop", &[("InpWait", "86400")]) else { return };
    copying.load_both();
    copying.follower.command(&["symbol", "EURUSD", "stops_level=2000"]);
    copying.trade(&deal(0, "0.30", " sl=1.09000"));
    // After the seventh it waits for 16 seconds.
    for _ in 0..7 {
        copying.follower.expect("follower", "print", "stops EURUSD 0.30 (stops changed by the master): invalid stops");
    }
    let id = copying.master.positions()[0]["id"].clone();
    let moved = Instant::now();
    copying.trade(&format!("action=6 symbol=EURUSD position={id} sl=1.05000"));
    copying.follower.expect("follower", "print", "stops EURUSD 0.30 (stops changed by the master): done");
    assert!(moved.elapsed() < Duration::from_secs(8), "{:?}", moved.elapsed());
    copying.converge();
    copying.close();
}

/// In netting the stops of the last order are those of the position, and an order without any deletes them.
#[test]
fn an_addition_in_netting_takes_no_stops_away() {
    let Some(mut copying) = Copying::start("add-stops", &[]) else { return };
    copying.follower.command(&["account", "mode=netting"]);
    copying.load_both();
    // The first open has to do without them.
    copying.follower.command(&["inject", "10016", "refused"]);
    let trade = deal(0, "0.30", " sl=1.09000");
    copying.trade(&trade);
    let wanted = |volume: &'static str| {
        move |mut positions: Vec<Fields>| {
            positions.truncate(1);
            positions[0].insert("volume".into(), volume.into());
            positions
        }
    };
    copying.converge_to(wanted("0.3"));
    // Now none can be set, but what is set stays.
    copying.follower.command(&["symbol", "EURUSD", "stops_level=2000"]);
    copying.trade(&trade);
    copying.follower.expect("follower", "print", "added to by the master): invalid stops");
    copying.converge_to(wanted("0.3"));
    copying.follower.command(&["symbol", "EURUSD", "stops_level=0"]);
    copying.converge_to(wanted("0.6"));
    copying.close();
}

/// Whoever copies no SL sets one by hand: it must not be taken away.
#[test]
fn stops_that_are_not_copied_are_the_users() {
    let inputs = [("InpCopySl", "false"), ("InpPendings", "true")];
    for (mode, is_reversed) in [("hedging", false), ("hedging", true), ("netting", false)] {
        let reverse = [("InpReverse", "true"), ("InpSizeValue", "2"), inputs[0], inputs[1]];
        let inputs = if is_reversed { &reverse[..] } else { &inputs[..] };
        let Some(mut copying) = Copying::start(&format!("own-stops-{mode}-{is_reversed}"), inputs) else { return };
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.load_both();
        copying.trade(&deal(0, "0.30", " sl=1.05000 tp=1.15000"));
        // Reversed, the master's SL would be the TP, and his TP is the SL.
        let stops = |own: &str, copied: &str| {
            let (own, copied) = (own.to_owned(), copied.to_owned());
            move |positions: Vec<Fields>| -> Vec<Fields> {
                let turned = |mut fields: Fields| {
                    if is_reversed {
                        fields = mirrored(fields);
                    }
                    let (sl, tp) = if is_reversed { (&copied, &own) } else { (&own, &copied) };
                    fields.insert("sl".into(), sl.clone());
                    fields.insert("tp".into(), tp.clone());
                    fields
                };
                positions.into_iter().map(turned).collect()
            }
        };
        copying.converge_to(stops("0", "1.15"));
        let ticket = copying.follower.positions()[0]["ticket"].clone();
        let (own, by_hand) =
            if is_reversed { ("1.06", "sl=1.15000 tp=1.06000") } else { ("1.06", "sl=1.06000 tp=1.15000") };
        let mut words = vec!["trade", "action=6", "symbol=EURUSD"];
        let position = format!("position={ticket}");
        words.push(&position);
        words.extend(by_hand.split(' '));
        copying.follower.command(&words);
        copying.follower.expect("*", "trade", "10009");
        copying.converge_to(stops(own, "1.15"));
        let id = copying.master.positions()[0]["id"].clone();
        copying.trade(&format!("action=6 symbol=EURUSD position={id} sl=1.04000 tp=1.16000"));
        copying.converge_to(stops(own, "1.16"));
        if mode == "netting" {
            // His sell has no SL and another TP: there is none on which all agree.
            copying.trade(&deal(1, "0.10", ""));
            copying.converge_to(|positions| {
                let mut sum = net(positions.into_iter());
                sum[0].insert("sl".into(), own.into());
                sum[0].insert("tp".into(), "0".into());
                sum
            });
        }
        if mode == "hedging" {
            copying.trade("action=5 symbol=GBPUSD type=2 volume=0.10 price=1.08000 filling=2 sl=1.07000 tp=1.12000");
            let placed = |copying: &mut Copying| loop {
                if let Some(order) = copying.follower.orders().pop() {
                    break order;
                }
            };
            let order = placed(&mut copying);
            let (sl, tp) = if is_reversed { ("1.12000", "1.06000") } else { ("1.06000", "1.12000") };
            let request = [
                "trade".to_owned(),
                "action=7".to_owned(),
                format!("order={}", order["ticket"]),
                format!("price={}", order["price"]),
                format!("sl={sl}"),
                format!("tp={tp}"),
            ];
            copying.follower.command(&request.each_ref().map(String::as_str));
            copying.follower.expect("*", "trade", "10009");
            let ticket = copying.master.orders()[0]["ticket"].clone();
            copying.trade(&format!("action=7 order={ticket} price=1.08000 sl=1.07000 tp=1.13000"));
            let deadline = Instant::now() + QUIET;
            let expected = if is_reversed { ("1.13", "1.06") } else { ("1.06", "1.13") };
            loop {
                let order = placed(&mut copying);
                if (order["sl"].as_str(), order["tp"].as_str()) == expected {
                    break;
                }
                assert!(Instant::now() < deadline, "{order:?}\n{}", copying.follower.transcript());
            }
        }
        copying.close();
    }
}
