//! A publisher with a store, killed at any moment, also between writing and syncing, and started again: what it had told to
//! be durable arrives, QoS 2 once, and each QoS in its order; and the end of each of these publishes is told, in one of the
//! lives.
//!
//! A program of its own: it starts itself as the publisher. The Server is a real Mosquitto that is stopped now and then, so
//! that messages are in every state when the kill comes; `mosquitto_sub` takes what arrives, and is never disturbed.
//! A seed that fails is kept in durable_failed_once.txt. `MT5MQTT_SEED` repeats a run, `MT5MQTT_KILLS` makes it longer.

#[path = "../common/mod.rs"]
mod common;
#[path = "failed_once.rs"]
mod failed_once;

use common::folder::Folder;
use common::mosquitto::{Mosquitto, Subscriber};
use common::tools;
use libtest_mimic::{Arguments, Failed, Trial};
use mt5mqtt::client::Client;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::event::{Event, Stage, Token};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::panic::{UnwindSafe, catch_unwind, resume_unwind};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

const AS_PUBLISHER: &str = "as-publisher";
/// The longest that anything is waited for.
const DEADLINE: Duration = Duration::from_secs(60);
const KILLS: u64 = 12;
/// Seeds that have failed once.
const FAILED_ONCE: &str = "tests/faults/durable_failed_once.txt";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, role, url, folder, first, finishing] = arguments.as_slice()
        && role == AS_PUBLISHER
    {
        publisher(url, folder, first.parse().expect("a number"), finishing == "true");
        return ExitCode::SUCCESS;
    }
    libtest_mimic::run(&Arguments::from_args(), trials()).exit_code()
}

fn trials() -> Vec<Trial> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let kills = number("MT5MQTT_KILLS").unwrap_or(KILLS);
    if let Some(seed) = number("MT5MQTT_SEED") {
        return vec![trial(&format!("a publisher is killed, seed {seed}"), seed, kills)];
    }
    let again = failed_once::kept(include_str!("durable_failed_once.txt"), 1).map(|words| {
        let seed = words[0].parse().unwrap_or_else(|_| panic!("{} is no seed", words[0]));
        trial(&format!("a publisher is killed, which failed with seed {seed}"), seed, kills)
    });
    let once = Trial::test("a publisher is killed, a seed of its own", move || {
        // Short enough to be typed.
        let seed = fastrand::u64(..1 << 48);
        keep_if_failed(FAILED_ONCE, seed, play(seed, kills))
    });
    let kept = Trial::test("a seed that fails is kept", a_seed_that_fails_is_kept);
    let in_use = Trial::test("a store of another process is refused until that one is gone", || {
        if has_tools() { caught(a_store_of_another_process_is_refused) } else { Ok(()) }
    });
    again.chain([once, kept, in_use]).collect()
}

fn trial(name: &str, seed: u64, kills: u64) -> Trial {
    Trial::test(name, move || play(seed, kills))
}

fn play(seed: u64, kills: u64) -> Result<(), Failed> {
    if !has_tools() {
        return Ok(());
    }
    println!("publisher killed at random, seed {seed}");
    caught(|| conduct(seed, kills))
}

fn has_tools() -> bool {
    let has = cfg!(unix) && tools::find("mosquitto").is_some() && tools::find("mosquitto_sub").is_some();
    if !has {
        tools::leave_out("the publisher that is killed", "mosquitto and mosquitto-clients on a Unix system");
    }
    has
}

#[cfg(unix)]
fn a_store_of_another_process_is_refused() {
    let server = Mosquitto::start().expect("mosquitto is there");
    let folder = Folder::new("durable-in-use");
    let deadline = Instant::now() + DEADLINE;
    let mut first = Publisher::start(&server.url(), &folder, 0, false);
    first.wait_for("connected", deadline);
    let second = Publisher::start(&server.url(), &folder, 1000, false);
    let told = second.wait_for("lost ", deadline);
    assert!(told.contains("in use"), "{told}");
    first.child.kill().expect("kill the first publisher");
    first.child.wait().expect("the end of the first publisher");
    second.wait_for("connected", deadline);
}

#[cfg(not(unix))]
fn a_store_of_another_process_is_refused() {}

/// Runs it. `Err` is what it panicked with.
fn caught(run: impl FnOnce() + UnwindSafe) -> Result<(), Failed> {
    catch_unwind(run).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        text.unwrap_or("no message").into()
    })
}

fn keep_if_failed(path: &str, seed: u64, outcome: Result<(), Failed>) -> Result<(), Failed> {
    outcome.inspect_err(|failed| {
        let first = failed.message().and_then(|text| text.lines().next()).unwrap_or_default();
        failed_once::keep(path, &format!("{seed} {first}"));
    })
}

fn a_seed_that_fails_is_kept() -> Result<(), Failed> {
    let folder = Folder::new("failed-once");
    let path = folder.path().join("seeds.txt");
    std::fs::write(&path, "# A line about them.\n")?;
    let path = path.to_str().expect("a path that is text");
    keep_if_failed(path, 6, caught(|| {})).expect("a run that succeeds");
    keep_if_failed(path, 7, caught(|| resume_unwind(Box::new("lost: 3\nand more")))).expect_err("a run that fails");
    let text = std::fs::read_to_string(path)?;
    assert_eq!(text, "# A line about them.\n7 lost: 3\n");
    assert_eq!(failed_once::kept(&text, 1).collect::<Vec<_>>(), [["7"]]);
    Ok(())
}

// The publisher, in a process of its own. Each line says what it is about to do or has seen.

fn say(line: &str) {
    // Nobody listens any more when the test has ended.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn publisher(url: &str, folder: &str, first: u64, finishing: bool) {
    let client = Client::new();
    let text =
        |id, value| client.set_option(|options, idle| options.set_text(id, Some(value), idle)).expect("an option");
    text(options::URL, url);
    text(options::CLIENT_ID, "durable");
    text(options::STORE_PATH, folder);
    for (option, value) in
        [(IntOption::Progress, 2), (IntOption::ReconnectMinimum, 5), (IntOption::ReconnectMaximum, 50)]
    {
        client.set_option(|options, idle| options.set_int(option as i32, value, idle)).expect("an option");
    }
    client.connect().expect("an idle client");
    let start = Instant::now();
    let mut next = first;
    let mut restored = !finishing;
    let mut leaving = false;
    loop {
        while let Some(event) = client
            .poll(|notice| match &notice.kind {
                NoticeKind::Session(event) => Ok(event.clone()),
                other => Err(format!("{other:?}")),
            })
            .expect("a client that lives")
        {
            match event {
                Ok(Event::Progress { token, stage: Stage::Durable }) => say(&format!("durable {token}")),
                Ok(Event::Published { token, outcome }) => say(&format!("ended {token} {:?}", outcome.failure)),
                // What it has to tell comes before it.
                Ok(Event::Disconnected(_)) if leaving => {
                    say("drained");
                    client.free();
                    return;
                }
                Ok(Event::Disconnected(end)) => say(&format!("lost {}", end.detail)),
                Ok(Event::Connected { .. }) => {
                    restored = true;
                    say("connected");
                }
                Ok(_) => {}
                Err(wrong) => say(&format!("wrong {wrong}")),
            }
        }
        if finishing {
            let statistics = client.statistics();
            if restored && statistics.outgoing == 0 && !leaving {
                leaving = true;
                client.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, Duration::ZERO).expect("a client that lives");
            }
            assert!(start.elapsed() < DEADLINE, "not drained: {statistics:?}");
        } else if next - first < 300 {
            for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
                say(&format!("publishing {} {next}", qos as u8));
                let topic =
                    TopicName::new(if qos == QoS::AtLeastOnce { "crash/1" } else { "crash/2" }).expect("a topic");
                let published = client.publish(topic, next.to_string().as_bytes(), qos, false, Properties::EMPTY);
                let token = published.expect("an accepted publish");
                say(&format!("accepted {token} {} {next}", qos as u8));
            }
            next += 1;
        }
        client.wait(Duration::from_millis(1)).expect("a client that lives");
    }
}

// The conductor.

struct Publisher {
    child: Child,
    lines: Receiver<String>,
}

impl Publisher {
    fn start(url: &str, folder: &Folder, first: u64, finishing: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(AS_PUBLISHER).arg(url).arg(folder.path()).arg(first.to_string()).arg(finishing.to_string());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("start the publisher");
        let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Publisher { child, lines }
    }
}

impl Publisher {
    /// The first line that begins so.
    fn wait_for(&self, beginning: &str, deadline: Instant) -> String {
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("waited for '{beginning}' until the deadline"));
            if line.starts_with(beginning) {
                return line;
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the publishers said, all lives together.
#[derive(Default)]
struct Said {
    /// QoS and number of each token.
    tokens: HashMap<Token, (u8, u64)>,
    /// QoS and number that may have been published.
    tried: BTreeSet<(u8, u64)>,
    durable: BTreeSet<(u8, u64)>,
    /// Publishes whose end a life has heard of.
    ended: BTreeSet<(u8, u64)>,
    next: u64,
    drained: bool,
    /// Lives in which the publisher was connected before the kill.
    connected: usize,
}

impl Said {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |index: usize| words[index].parse::<u64>().expect("a number");
        match words[0] {
            "publishing" => {
                self.tried.insert((number(1) as u8, number(2)));
                self.next = number(2) + 1;
            }
            "accepted" => {
                let before = self.tokens.insert(number(1) as Token, (number(2) as u8, number(3)));
                assert_eq!(before, None, "a token of an earlier life: {line}");
            }
            // A publish of which only this is known was accepted in the moment of the kill.
            "durable" => self.durable.extend(self.tokens.get(&(number(1) as Token))),
            "ended" => {
                assert_eq!(words[2], "None", "{line}");
                self.ended.extend(self.tokens.get(&(number(1) as Token)));
            }
            "drained" => self.drained = true,
            "wrong" => panic!("{line}"),
            _ => {}
        }
    }
}

/// Seeded, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[cfg(unix)]
fn conduct(seed: u64, kills: u64) {
    let server = Mosquitto::start_with("max_inflight_messages 0").expect("mosquitto is there");
    let subscriber = server.subscribe(&["-t", "crash/#", "-q", "2", "-F", "%t %p"]);
    let folder = Folder::new("durable-crash");
    let mut random = Random(seed | 1);
    let mut said = Said::default();
    for _ in 0..kills {
        let mut publisher = Publisher::start(&server.url(), &folder, said.next, false);
        // One time out of four in the middle of opening the store or connecting, otherwise while it sends; and mostly with a
        // Server that fell asleep before, so that nothing is answered any more.
        let mut run = |milliseconds, until_connected| {
            let end = Instant::now() + Duration::from_millis(milliseconds);
            while let Ok(line) = publisher.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                said.take(&line);
                if until_connected && line == "connected" {
                    said.connected += 1;
                    return;
                }
            }
        };
        if random.below(4) > 0 {
            run(DEADLINE.as_millis() as u64, true);
        }
        run(random.below(300), false);
        let asleep = random.below(3) > 0;
        if asleep {
            server.pause();
            run(random.below(150), false);
        }
        publisher.child.kill().expect("kill the publisher");
        publisher.child.wait().expect("the end of the publisher");
        // What it had said before.
        publisher.lines.iter().for_each(|line| said.take(&line));
        if asleep {
            server.resume();
        }
    }
    let last = Publisher::start(&server.url(), &folder, said.next, true);
    let deadline = Instant::now() + DEADLINE;
    while !said.drained {
        let line = last.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        said.take(&line.expect("the last publisher has sent everything before the deadline"));
    }
    check(&server, &subscriber, &said, kills);
}

#[cfg(not(unix))]
fn conduct(_seed: u64, _kills: u64) {}

/// What arrived, against what was said.
#[cfg(unix)]
fn check(server: &Mosquitto, subscriber: &Subscriber, said: &Said, kills: u64) {
    server.publish(&["-t", "crash/end", "-m", "0", "-q", "2"]);
    let deadline = Instant::now() + DEADLINE;
    let mut arrived: BTreeMap<(u8, u64), usize> = BTreeMap::new();
    let mut last = [0; 3];
    loop {
        let line = subscriber.line(deadline);
        let (topic, number) = line.split_once(' ').expect("a topic and a number");
        let qos: u8 = match topic {
            "crash/end" => break,
            topic => topic.trim_start_matches("crash/").parse().expect("a QoS"),
        };
        let number: u64 = number.parse().expect("a number");
        assert!(said.tried.contains(&(qos, number)), "{line} was never published");
        let copies = arrived.entry((qos, number)).or_default();
        *copies += 1;
        if *copies == 1 {
            assert!(number >= last[usize::from(qos)], "QoS {qos}: {number} after {}", last[usize::from(qos)]);
            last[usize::from(qos)] = number;
        }
    }
    let lost: Vec<_> = said.durable.iter().filter(|published| !arrived.contains_key(published)).collect();
    assert!(lost.is_empty(), "told to be durable, and lost: {lost:?}");
    let endless: Vec<_> = said.durable.difference(&said.ended).collect();
    assert!(endless.is_empty(), "told to be durable, and no life heard of the end: {endless:?}");
    let doubled: Vec<_> = arrived.iter().filter(|((qos, _), copies)| *qos == 2 && **copies > 1).collect();
    assert!(doubled.is_empty(), "QoS 2, and doubled: {doubled:?}");
    let (durable, tried) = (said.durable.len(), said.tried.len());
    assert!(durable > 0, "no publisher lived long enough");
    let repeated = arrived.values().filter(|copies| **copies > 1).count();
    let (connected, arrived) = (said.connected, arrived.len());
    println!(
        "{kills} kills, {connected} of connected publishers; {tried} published, {durable} durable, {arrived} arrived, \
         {repeated} of QoS 1 repeatedly"
    );
}
