use super::*;
use crate::book::Position;
use crate::book::sample::*;

/// A master with four trades (3 lives wholly inside an outage from 2500 to 4500 s, 4 is open at the end) and a follower that
/// copied as it should. One state a second; times in microseconds.
struct Scene {
    master: Vec<MasterRecord>,
    received: Vec<FollowerRecord>,
    account: Vec<Execution>,
    outages: Vec<Outage>,
}

const S: i64 = 1_000_000;

fn rules() -> Rules {
    Rules {
        multiplier: dec("2"),
        volume_step: dec("0.1"),
        volume_minimum: dec("0.1"),
        symbols: BTreeMap::from([("EURUSD".into(), "EURUSDm".into())]),
    }
}

fn scene() -> Scene {
    let books: [&[u64]; 6] = [&[1], &[1, 2], &[1, 2, 3], &[2], &[2, 4], &[4]];
    let mut scene = Scene { master: vec![], received: vec![], account: vec![], outages: vec![] };
    let mut own = Book::default();
    for (index, ids) in books.iter().enumerate() {
        let seq = index as u64 + 1;
        let time_us = seq as i64 * 1000 * S;
        let positions = ids.iter().map(|id| (*id, position(*id, "0.5"))).collect();
        let book = Book { positions, ..Book::default() };
        scene.master.push(MasterRecord::Change { seq, time_us, book: book.clone() });
        scene.master.push(MasterRecord::Published { seq, sent_us: time_us });
        if seq == 3 {
            continue;
        }
        let received_us = if seq == 4 { 4500 * S } else { time_us + 100 + seq as i64 };
        let retained = seq == 4;
        scene.received.push(FollowerRecord::Received { seq, sent_us: time_us, received_us, retained, applied: true });
        for action in difference::actions(&own, &rules().wanted(&book)) {
            own.apply(&action).unwrap();
            scene.account.push(Execution { time_us: received_us + 1, seq, action });
        }
    }
    scene.outages.push(Outage { follower: None, killed_us: 2500 * S });
    scene
}

impl Scene {
    fn verdict(&self) -> Verdict {
        Evidence {
            master: &self.master,
            received: &self.received,
            account: &self.account,
            rules: &rules(),
            outages: &self.outages,
        }
        .verdict()
    }

    fn execution(&self, wanted: impl Fn(&Action) -> bool) -> usize {
        self.account.iter().position(|e| wanted(&e.action)).unwrap()
    }
}

fn opens(id: u64) -> impl Fn(&Action) -> bool {
    move |action| matches!(action, Action::Open { position } if position.id == id)
}

#[test]
fn a_faithful_copy_is_good() {
    let verdict = scene().verdict();
    assert!(verdict.is_good(), "{verdict:#?}");
    assert_eq!(verdict.trades, Tally { copied: 3, skipped: vec![3], ..Tally::default() });
    assert_eq!(verdict.latencies, [101, 102, 105, 106]);
    assert_eq!((verdict.late, verdict.outages.as_slice()), (1, [2000 * S].as_slice()));
    assert_eq!((verdict.states, verdict.wrong_states), (5, 0));
}

#[test]
fn a_missed_trade_is_caught() {
    let mut scene = scene();
    scene.account.remove(scene.execution(opens(4)));
    let verdict = scene.verdict();
    assert_eq!(verdict.trades.missed, [4]);
    assert_eq!(verdict.book, ["position 4 is not open"]);
    assert!(!verdict.is_good() && verdict.wrong_states > 0);
}

#[test]
fn a_missed_trade_that_is_closed_again_is_caught() {
    let mut scene = scene();
    scene.account.retain(|e| !opens(2)(&e.action) && e.action != Action::Close { id: 2 });
    let verdict = scene.verdict();
    assert_eq!(verdict.trades.missed, [2]);
    assert_eq!(verdict.book, [""; 0]);
    assert!(!verdict.is_good());
}

#[test]
fn a_doubled_trade_is_caught() {
    let mut scene = scene();
    let again = scene.execution(opens(2));
    scene.account.insert(again, scene.account[again].clone());
    let verdict = scene.verdict();
    assert_eq!(verdict.trades.doubled, [2]);
    assert!(!verdict.is_good());
}

#[test]
fn a_missed_close_is_caught() {
    let mut scene = scene();
    scene.account.remove(scene.execution(|a| *a == Action::Close { id: 2 }));
    let verdict = scene.verdict();
    assert_eq!(verdict.book, ["position 2 should not be open"]);
    assert!(!verdict.is_good());
}

#[test]
fn a_wrong_volume_is_caught_even_if_the_position_is_closed_later() {
    let mut scene = scene();
    let open = scene.execution(opens(2));
    let wrong = Position { symbol: "EURUSDm".into(), ..position(2, "0.9") };
    scene.account[open].action = Action::Open { position: wrong };
    let verdict = scene.verdict();
    assert!(verdict.book.is_empty() && verdict.wrong_states > 0 && !verdict.is_good(), "{verdict:#?}");
}

#[test]
fn a_trade_that_nobody_asked_for_is_caught() {
    let mut scene = scene();
    let action = Action::Open { position: position(99, "1") };
    scene.account.push(Execution { time_us: 9000 * S, seq: 6, action });
    let verdict = scene.verdict();
    assert_eq!(verdict.trades.uncalled, [99]);
    assert!(!verdict.is_good());
}

#[test]
fn without_an_outage_there_is_no_excuse() {
    let mut scene = scene();
    scene.outages.clear();
    let verdict = scene.verdict();
    assert_eq!((verdict.trades.skipped, verdict.trades.missed), (vec![], vec![3]));
}

#[test]
fn what_was_received_is_not_skipped() {
    let mut scene = scene();
    let sent_us = 3000 * S;
    let heard = FollowerRecord::Received { seq: 3, sent_us, received_us: sent_us + 50, retained: false, applied: true };
    scene.received.insert(2, heard);
    assert_eq!(scene.verdict().trades.missed, [3]);
}

#[test]
fn a_follower_that_never_came_back_has_no_excuse() {
    let mut scene = scene();
    scene.received.truncate(2);
    scene.account.retain(|e| e.seq <= 2);
    let verdict = scene.verdict();
    assert!(!verdict.is_good());
    assert_eq!((verdict.trades.skipped, verdict.trades.missed), (vec![], vec![3, 4]));
}

#[test]
fn messages_around_a_lost_connection_are_late() {
    let mut scene = scene();
    scene.master.push(MasterRecord::Connection { up: false, time_us: 5000 * S - 10 });
    scene.master.push(MasterRecord::Connection { up: true, time_us: 5000 * S + 10 });
    let verdict = scene.verdict();
    assert_eq!((verdict.latencies.as_slice(), verdict.late), ([101, 102, 106].as_slice(), 2));
}

#[test]
fn a_state_that_the_followers_kill_interrupted_is_not_compared_but_the_next_one_is() {
    let mut scene = scene();
    scene.account.remove(scene.execution(opens(2)));
    // The state that asked for it came before the kill, the next one after it; 2 was in both.
    scene.outages[0].follower = Some("me".into());
    let verdict = scene.verdict();
    assert_eq!(verdict.states, 4);
    assert!(verdict.wrong_states > 0);
}
