//! Random masters over a real Server: sequences of trades with lost lines, killed and restarted terminals on both sides and
//! failing trade servers between; after each, in quiet, the follower holds what the rules say.
//!
//! A seed repeats a course, as far as the order of what several processes do can be repeated. Seeds that failed once are
//! played first. The long run plays new ones for some minutes and writes RESULTS.md (`README.md` beside it has the command).

use crate::common::tools;
use crate::copier_pending_random;
use crate::copying::{Copying, Fields, by_side, mirrored, net};
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// SplitMix64: a course that a printed seed repeats.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % u64::from(bound)) as u32
    }
}

/// What was played.
#[derive(Clone, Copy, Default)]
pub struct Played {
    /// Each ends in quiet, with a look at both accounts.
    pub sequences: u32,
    /// Requests of the master's user.
    trades: u32,
    /// Restarts and kills of either terminal and of the Server, and answers of the trade server that were made wrong.
    disturbances: u32,
}

impl Played {
    pub fn count(&mut self, is_trade: bool, is_disturbance: bool) {
        self.trades += u32::from(is_trade);
        self.disturbances += u32::from(is_disturbance);
    }

    fn add(&mut self, other: Played) {
        self.sequences += other.sequences;
        self.trades += other.trades;
        self.disturbances += other.disturbances;
    }
}

struct Course {
    name: &'static str,
    what: &'static str,
    /// None, reported, where a tool is missing.
    play: fn(u64) -> Option<Played>,
}

const REVERSED: [(&str, &str); 2] = [("InpReverse", "true"), ("InpSizeValue", "2")];
const NO_STOPS: [(&str, &str); 2] = [("InpCopySl", "false"), ("InpCopyTp", "false")];
const REVERSED_NET: [(&str, &str); 4] =
    [("InpReverse", "true"), ("InpSizeValue", "2"), ("InpCopySl", "false"), ("InpCopyTp", "false")];

const COURSES: [Course; 6] = [
    Course {
        name: "equal",
        what: "positions of a hedging account, as they are",
        play: |seed| positions(seed, "equal", ["hedging", "hedging"], &[], as_it_is, as_it_is),
    },
    Course {
        name: "reversed",
        what: "the other side, twice the volume",
        play: |seed| {
            let expected = |positions: Vec<Fields>| positions.into_iter().map(mirrored).collect();
            positions(seed, "reversed", ["hedging", "hedging"], &REVERSED, expected, as_it_is)
        },
    },
    Course {
        name: "net",
        what: "a netting follower, the other side, twice the volume",
        play: |seed| {
            let expected = |positions: Vec<Fields>| net(positions.into_iter().map(mirrored));
            positions(seed, "net", ["hedging", "netting"], &REVERSED_NET, expected, as_it_is)
        },
    },
    Course {
        name: "net-master",
        what: "a netting master, whose positions reverse",
        play: |seed| positions(seed, "net-master", ["netting", "hedging"], &NO_STOPS, by_side, by_side),
    },
    Course {
        name: "orders",
        what: "pending orders that fill on both sides",
        play: |seed| copier_pending_random::random_course(seed, "random-orders", &[], 1, false),
    },
    Course {
        name: "orders-reversed",
        what: "the same on the other side, twice the volume",
        play: |seed| copier_pending_random::random_course(seed, "random-mirrored", &REVERSED, 2, true),
    },
];

/// Courses that failed once: name, seed, what had gone wrong.
const FAILED_ONCE: &str = include_str!("failed_once.txt");
/// Of one course of positions; each has some trades.
const SEQUENCES: u32 = 6;

fn as_it_is(positions: Vec<Fields>) -> Vec<Fields> {
    positions
}

/// A random master without pending orders.
fn positions(
    seed: u64,
    name: &str,
    [master_mode, follower_mode]: [&str; 2],
    inputs: &[(&'static str, &str)],
    expected: fn(Vec<Fields>) -> Vec<Fields>,
    seen: fn(Vec<Fields>) -> Vec<Fields>,
) -> Option<Played> {
    let mut random = Random(seed);
    let mut played = Played::default();
    let mut copying = Copying::start(&format!("{name}-{seed}"), inputs)?;
    let lag = format!("lag={}", seed % 120);
    copying.master.command(&["account", &format!("mode={master_mode}"), &lag, "balance=10000000"]);
    let comments = ["keep", "rewrite", "drop"][random.below(3) as usize];
    copying.follower.command(&[
        "account",
        &format!("mode={follower_mode}"),
        &format!("comments={comments}"),
        &format!("lag={}", random.below(120)),
        &format!("shuffle={}", 1 + random.below(1000)),
        "balance=10000000",
    ]);
    copying.load_both();
    for _ in 0..SEQUENCES {
        for _ in 0..2 + random.below(8) {
            let what = random.below(14);
            played.count(what <= 8, what > 8);
            if what <= 8 {
                trade(&mut copying, &mut random, what);
            } else {
                disturb(&mut copying, &mut random, what);
            }
        }
        copying.converge_as(expected, seen);
        played.sequences += 1;
    }
    copying.close();
    Some(played)
}

/// A request of the master's user.
fn trade(copying: &mut Copying, random: &mut Random, what: u32) {
    let positions = copying.master.positions();
    let chosen = positions.get(random.below(positions.len().max(1) as u32) as usize);
    match (what, chosen) {
        (0..=3, _) | (_, None) => {
            let symbol = ["EURUSD", "GBPUSD"][random.below(2) as usize];
            let volume = f64::from(1 + random.below(40)) / 100.0;
            copying.trade(&format!("action=1 symbol={symbol} type={} volume={volume}", random.below(2)));
        }
        (4..=6, Some(fields)) => {
            let whole: f64 = fields["volume"].parse().expect("a volume");
            let hundredths = 1 + random.below((whole * 100.0).round() as u32);
            let type_ = if fields["side"] == "buy" { 1 } else { 0 };
            let (symbol, ticket) = (&fields["symbol"], &fields["ticket"]);
            let part = f64::from(hundredths) / 100.0;
            copying.trade(&format!("action=1 symbol={symbol} type={type_} volume={part} position={ticket}"));
        }
        (7, Some(fields)) => {
            let (low, high) = ("1.09000", format!("1.1{}000", 1 + random.below(8)));
            let (sl, tp) = if fields["side"] == "buy" { (low, high.as_str()) } else { (high.as_str(), low) };
            copying.trade(&format!("action=6 position={} sl={sl} tp={tp}", fields["ticket"]));
        }
        (_, Some(fields)) => {
            let opposite = |other: &&Fields| other["symbol"] == fields["symbol"] && other["side"] != fields["side"];
            if let Some(other) = positions.iter().find(opposite) {
                copying.trade(&format!("action=10 position={} position_by={}", fields["ticket"], other["ticket"]));
            } else {
                copying.master.command(&["swap", &fields["id"]]);
            }
        }
    }
}

fn disturb(copying: &mut Copying, random: &mut Random, what: u32) {
    match what {
        9 | 10 => {
            let code = ["10004", "10012", "10016", "10018", "10024", "10030", "10031"][random.below(7) as usize];
            let effect = match code {
                "10012" | "10031" => ["refused", "carried-out"][random.below(2) as usize],
                _ => "refused",
            };
            copying.follower.command(&["inject", code, effect]);
        }
        11 if random.below(3) == 0 => copying.server.restart(),
        11 if random.below(2) == 0 => copying.restart_follower(),
        11 => copying.restart_master(),
        12 => copying.kill_follower(),
        _ => copying.kill_master(),
    }
}

/// The courses of this name that failed once, and a new one.
#[track_caller]
fn is_followed(name: &str) {
    let course = COURSES.iter().find(|course| course.name == name).expect("a course of this name");
    for line in FAILED_ONCE.lines().filter(|line| line.split(' ').next() == Some(name)) {
        let seed = line.split(' ').nth(1).and_then(|seed| seed.parse().ok()).expect("a seed");
        (course.play)(seed);
    }
    play(course, new_seed()).expect("a course that comes to rest");
}

fn new_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64 >> 8
}

/// Keeps the seed if it fails.
fn play(course: &Course, seed: u64) -> Result<Option<Played>, String> {
    eprintln!("{} {seed}", course.name);
    catch_unwind(AssertUnwindSafe(|| (course.play)(seed))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        let text = text.replace('\n', " ");
        let file = fs::OpenOptions::new().append(true).open(tools::project("tests/mql5/failed_once.txt"));
        let kept = file.and_then(|mut file| {
            writeln!(file, "{} {seed} {}", course.name, text.chars().take(200).collect::<String>())
        });
        format!(
            "{} {seed} failed, {}: {text}",
            course.name,
            if kept.is_ok() { "and is kept" } else { "and can't be kept" }
        )
    })
}

#[test]
fn a_random_master_is_followed() {
    is_followed("equal");
}

#[test]
fn a_random_master_is_followed_in_reverse() {
    is_followed("reversed");
}

#[test]
fn a_random_master_is_followed_by_a_netting_account() {
    is_followed("net");
}

#[test]
fn a_random_master_that_nets_is_followed() {
    is_followed("net-master");
}

#[test]
fn a_random_master_with_orders_is_followed() {
    is_followed("orders");
}

#[test]
fn a_random_master_with_orders_is_followed_in_reverse() {
    is_followed("orders-reversed");
}

/// So many courses are played side by side: most of the time each waits.
const SIDE_BY_SIDE: usize = 10;

#[test]
#[ignore = "a long run: MT5MQTT_COPIER_MINUTES=30 cargo test --test mql5 long_run -- --ignored --nocapture"]
fn long_run() {
    let minutes: u64 = std::env::var("MT5MQTT_COPIER_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let (begin, first) = (Instant::now(), new_seed());
    let end = begin + Duration::from_secs(60 * minutes);
    let number = AtomicU64::new(0);
    let rows: [Mutex<(u32, Played)>; COURSES.len()] = Default::default();
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while Instant::now() < end {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    let index = number as usize % COURSES.len();
                    match play(&COURSES[index], first + number) {
                        Ok(played) => {
                            let mut row = rows[index].lock().expect("no panic under this lock");
                            row.0 += 1;
                            row.1.add(played.expect("the tools"));
                        }
                        Err(why) => {
                            eprintln!("{why}");
                            failures.lock().expect("no panic under this lock").push(why);
                        }
                    }
                }
            });
        }
    });
    let (mut table, mut courses, mut sum) = (String::new(), 0, Played::default());
    for (course, row) in COURSES.iter().zip(rows) {
        let (count, played) = row.into_inner().expect("no panic under this lock");
        let Played { sequences, trades, disturbances } = played;
        table +=
            &format!("| {} | {} | {count} | {sequences} | {trades} | {disturbances} |\n", course.name, course.what);
        courses += count;
        sum.add(played);
    }
    let Played { sequences, trades, disturbances } = sum;
    let failures = failures.into_inner().expect("no panic under this lock");
    let failed: String =
        failures.iter().map(|why| format!("- {}\n", why.chars().take(300).collect::<String>())).collect();
    let minutes = begin.elapsed().as_secs() / 60;
    let text = format!(
        "# Results of the trade copier's long run\n\n\
         {minutes} minutes, {SIDE_BY_SIDE} courses side by side, each with two terminals and a Mosquitto of its own. After each \
         sequence both accounts were compared.\n\n\
         | course | | courses | sequences | trades | disturbances |\n| --- | --- | ---: | ---: | ---: | ---: |\n{table}\
         | **all** | | {courses} | {sequences} | {trades} | {disturbances} |\n\n{} courses failed.\n{failed}",
        failures.len()
    );
    println!("{text}");
    fs::write(tools::project("tests/mql5/RESULTS.md"), text).expect("write RESULTS.md");
    assert!(failures.is_empty(), "{} courses failed", failures.len());
}
