//! A random master with pending orders, followed through the real library and a real Server: fills on each side at its own time
//! and in parts, lost answers, lost lines, restarts of everything. After quiet each copy is between what the master's has
//! filled and all of it; when every order has been reached, it is the same.

use crate::copier_pending::start;
use crate::copier_random::{Played, Random};
use crate::copying::{Copying, Fields, QUIET};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Lots in hundredths that are filled and pending, and the side, by the master's identifier.
type Volumes = BTreeMap<String, (i64, i64, String)>;

fn volumes(positions: &[Fields], orders: &[Fields], id: impl Fn(&Fields, &str) -> String) -> Volumes {
    let mut volumes = Volumes::new();
    let hundredths = |fields: &Fields| (fields["volume"].parse::<f64>().expect("a volume") * 100.0).round() as i64;
    for fields in positions {
        let volume = volumes.entry(id(fields, "id")).or_default();
        volume.0 += hundredths(fields);
        volume.2.clone_from(&fields["side"]);
    }
    for fields in orders {
        volumes.entry(id(fields, "ticket")).or_default().1 += hundredths(fields);
    }
    volumes
}

/// A random master with pending orders, and prices, fills in parts, failures, restarts, kills and lost lines on both sides.
pub fn random_course(
    seed: u64,
    test: &str,
    inputs: &[(&'static str, &str)],
    factor: i64,
    mirrored: bool,
) -> Option<Played> {
    let mut random = Random(seed);
    let mut played = Played::default();
    let lags = [(70, 10), (10, 70), (40, 40)][random.below(3) as usize];
    let mut copying = start(&format!("{test}-{seed}"), lags.0, lags.1, inputs)?;
    copying.follower.command(&["account", "balance=10000000", "shuffle=5"]);
    copying.master.command(&["account", "balance=10000000"]);
    copying.load_both();
    let mut middle = 11000;
    for _ in 0..90 {
        let orders = copying.master.orders();
        let positions = copying.master.positions();
        let order = orders.get(random.below(orders.len().max(1) as u32) as usize);
        let position = positions.get(random.below(positions.len().max(1) as u32) as usize);
        let what = random.below(14);
        played.count(what <= 6, what >= 11);
        match (what, order, position) {
            (0..=3, ..) => {
                let type_ = 2 + random.below(6);
                let below = matches!(type_, 2 | 5 | 7);
                let away = 5 + i64::from(random.below(60));
                let price = if below { middle - away } else { middle + 1 + away };
                let limit =
                    if type_ >= 6 { format!(" stoplimit={:.4}", middle as f64 / 10000.0) } else { String::new() };
                let volume = f64::from(1 + random.below(40)) / 100.0;
                copying.trade(&format!(
                    "action=5 symbol=EURUSD filling=2 type={type_} volume={volume} price={:.4}{limit}",
                    price as f64 / 10000.0
                ));
            }
            (4, Some(order), _) => {
                copying.trade(&format!("action=8 order={}", order["ticket"]));
            }
            (5, Some(order), _) => {
                let price: f64 = order["price"].parse().expect("a price");
                let price = price + f64::from(random.below(11)) / 10000.0 - 0.0005;
                copying.trade(&format!(
                    "action=7 order={} price={price:.4} stoplimit={}",
                    order["ticket"], order["stoplimit"]
                ));
            }
            (6, _, Some(position)) => {
                let whole: f64 = position["volume"].parse().expect("a volume");
                let part = f64::from(1 + random.below((whole * 100.0).round() as u32)) / 100.0;
                let type_ = if position["side"] == "buy" { 1 } else { 0 };
                let ticket = &position["ticket"];
                copying.trade(&format!("action=1 symbol=EURUSD type={type_} volume={part} position={ticket}"));
            }
            (7..=9, ..) => {
                // Prices of two brokers, one after the other.
                middle += i64::from(random.below(81)) - 40;
                let first_is_master = random.below(2) == 0;
                for turn in 0..2 {
                    let is_master = (turn == 0) == first_is_master;
                    let bid = if is_master { middle } else { middle + i64::from(random.below(7)) - 3 };
                    let (bid, ask) = (bid as f64 / 10000.0, (bid + 1) as f64 / 10000.0);
                    let terminal = if is_master { &mut copying.master } else { &mut copying.follower };
                    terminal.command(&["tick", "EURUSD", &format!("{bid:.4}"), &format!("{ask:.4}")]);
                    if random.below(2) == 0 {
                        std::thread::sleep(Duration::from_millis(u64::from(random.below(120))));
                    }
                }
            }
            (10, ..) => {
                let liquidity = format!("liquidity={}", ["0", "0.05", "0.11"][random.below(3) as usize]);
                let terminal = if random.below(2) == 0 { &mut copying.master } else { &mut copying.follower };
                terminal.command(&["account", &liquidity]);
            }
            (11, ..) => {
                let code = ["10004", "10012", "10018", "10031", "10029"][random.below(5) as usize];
                let effect = ["refused", "carried-out"][random.below(2) as usize];
                copying.follower.command(&["inject", code, effect]);
            }
            (12, ..) if random.below(3) == 0 => copying.server.restart(),
            (12, ..) if random.below(2) == 0 => copying.kill_follower(),
            (12, ..) => copying.restart_follower(),
            (13, ..) if random.below(2) == 0 => copying.kill_master(),
            (13, ..) => copying.restart_master(),
            _ => {}
        }
    }
    // The same price on both sides; then one that reaches every order.
    for terminal in [&mut copying.master, &mut copying.follower] {
        terminal.command(&["account", "liquidity=0"]);
        let (bid, ask) = (middle as f64 / 10000.0, (middle + 1) as f64 / 10000.0);
        terminal.command(&["tick", "EURUSD", &format!("{bid:.4}"), &format!("{ask:.4}")]);
    }
    rest(&mut copying, |master, follower| {
        let within = |(id, held): (&String, &(i64, i64, String))| {
            let (filled, pending, _) = master.get(id).cloned().unwrap_or_default();
            held.0 >= filled * factor && held.0 + held.1 <= (filled + pending) * factor
        };
        let all_held = master.iter().all(|(id, has)| has.0 == 0 || follower.contains_key(id));
        all_held && follower.iter().all(within)
    });
    for price in ["1.00000", "1.20000", "1.00000", "1.20000"] {
        for terminal in [&mut copying.master, &mut copying.follower] {
            let ask = format!("{}1", &price[..6]);
            terminal.command(&["tick", "EURUSD", price, &ask]);
        }
    }
    rest(&mut copying, |master, follower| {
        let copy = |(id, (filled, pending, side)): (&String, &(i64, i64, String))| {
            let other = if side == "buy" { "sell" } else { "buy" };
            let side = if mirrored { other.to_owned() } else { side.clone() };
            (id.clone(), (filled * factor, *pending, side))
        };
        master.values().all(|has| has.1 == 0) && master.iter().map(copy).collect::<Volumes>() == *follower
    });
    copying.close();
    played.sequences += 1;
    Some(played)
}

/// Waits until that holds, and sees that it stays so.
#[track_caller]
fn rest(copying: &mut Copying, holds: impl Fn(&Volumes, &Volumes) -> bool) {
    let deadline = Instant::now() + QUIET;
    let mut same = 0;
    while same < 5 {
        let master =
            volumes(&copying.master.positions(), &copying.master.orders(), |fields, name| fields[name].clone());
        let of_comment = |fields: &Fields, _: &str| fields["comment"].rsplit(':').next().unwrap_or_default().to_owned();
        let follower = volumes(&copying.follower.positions(), &copying.follower.orders(), of_comment);
        same = if holds(&master, &follower) { same + 1 } else { 0 };
        let transcript = || format!("{}\n{}", copying.master.transcript(), copying.follower.transcript());
        assert!(Instant::now() < deadline, "master {master:#?}\nfollower {follower:#?}\n{}", transcript());
        std::thread::sleep(Duration::from_millis(60));
    }
}
