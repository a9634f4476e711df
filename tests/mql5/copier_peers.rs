//! Copiers among each other: several masters, chains and circles of copiers, what followers answer, presence, panels.

use crate::common::mosquitto::Mosquitto;
use crate::common::tools::leave_out;
use crate::compile::{compiler, program};
use crate::host::Terminal;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MASTER: &str = "mql5/Experts/Mt5Mqtt/TradeCopierMaster.mq5";
const FOLLOWER: &str = "mql5/Experts/Mt5Mqtt/TradeCopierFollower.mq5";

struct Account {
    terminal: Terminal,
    url: String,
    files: PathBuf,
}

impl Account {
    fn start(login: u32, server: &Mosquitto) -> Self {
        let mut terminal = Terminal::start();
        let files = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("peers-{login}-{}", std::process::id()));
        fs::create_dir_all(&files).expect("create a folder");
        terminal.command(&["files", &files.display().to_string()]);
        terminal.command(&["account", &format!("login={login}"), "balance=100000"]);
        terminal.command(&["symbol", "EURUSD", "digits=5"]);
        terminal.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
        Self { terminal, url: server.url(), files }
    }

    fn load_master(&mut self, name: &str, relay: &str) {
        let inputs = [("InpUrl", self.url.as_str()), ("InpName", name), ("InpRelay", relay), ("InpSeconds", "1")];
        self.terminal.expert(&format!("master-{name}"), MASTER, &inputs.map(|(key, value)| (key, value)));
    }

    fn master(&mut self, name: &str, relay: &str) {
        self.load_master(name, relay);
        self.terminal.expect(&format!("master-{name}"), "print", "connected as");
    }

    /// Returns when the first state was taken.
    fn follower(&mut self, login: u32, master: &str) {
        let name = format!("follower-{master}");
        let inputs = [("InpUrl", self.url.as_str()), ("InpMaster", master), ("InpWait", "1"), ("InpPendings", "true")];
        self.terminal.expert(&name, FOLLOWER, &inputs);
        let file = self.files.join(format!("Mt5Mqtt/copier-{master}-{login}@Simulated.json"));
        let deadline = Instant::now() + Duration::from_secs(20);
        while !file.is_file() {
            assert!(Instant::now() < deadline, "{}", self.terminal.transcript());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn buy(&mut self, volume: &str) {
        let volume = format!("volume={volume}");
        self.terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=0", &volume]);
        assert!(self.terminal.expect("*", "trade", "").starts_with("10009 "));
    }

    fn volumes(&mut self) -> Vec<String> {
        let mut volumes: Vec<_> = self.terminal.positions().iter().map(|fields| fields["volume"].clone()).collect();
        volumes.sort();
        volumes
    }

    #[track_caller]
    fn converge(&mut self, expected: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            let volumes = self.volumes();
            if volumes == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{volumes:?}, not {expected:?}\n{}", self.terminal.transcript());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Type and volume of each pending order.
    #[track_caller]
    fn converge_orders(&mut self, expected: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            let orders = self.terminal.orders();
            let mut orders: Vec<_> =
                orders.iter().map(|fields| format!("{} {}", fields["type"], fields["volume"])).collect();
            orders.sort();
            if orders == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{orders:?}, not {expected:?}\n{}", self.terminal.transcript());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn close(self) {
        self.terminal.close();
        let _ = fs::remove_dir_all(&self.files);
    }
}

fn set_up(leg: &str) -> Option<Mosquitto> {
    compiler(leg)?;
    let server = Mosquitto::start();
    if server.is_none() {
        leave_out(leg, "mosquitto");
    }
    server
}

#[test]
fn one_account_follows_several_masters_and_never_takes_one_for_the_other() {
    let Some(server) = set_up("several masters") else { return };
    let [mut one, mut two, mut both] = [3001, 3002, 3003].map(|login| Account::start(login, &server));
    one.master("one", "");
    two.master("two", "");
    // Neither comments nor answers help: the magic number of each master's copies is its own.
    both.terminal.command(&["account", "comments=drop"]);
    both.follower(3003, "one");
    both.follower(3003, "two");
    // The first open is never carried out, and both are alike.
    both.terminal.command(&["inject", "10012", "refused"]);
    one.buy("0.10");
    both.terminal.expect("follower-one", "print", "open EURUSD");
    two.buy("0.10");
    both.converge(&["0.1", "0.1"]);
    let position = one.terminal.positions()[0]["ticket"].clone();
    let position = format!("position={position}");
    one.terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=1", "volume=0.10", &position]);
    both.converge(&["0.1"]);
    two.buy("0.20");
    both.converge(&["0.1", "0.2"]);
    one.close();
    two.close();
    both.close();
}

#[test]
fn a_chain_is_copied_through_and_a_circle_is_cut() {
    let Some(server) = set_up("a circle of copiers") else { return };
    let [mut a, mut b, mut c] = [4001, 4002, 4003].map(|login| Account::start(login, &server));
    // a -> b -> c -> a: each publishes what it copies.
    a.master("a", "c");
    b.master("b", "a");
    c.master("c", "b");
    b.follower(4002, "a");
    c.follower(4003, "b");
    a.follower(4001, "c");
    a.buy("0.30");
    b.converge(&["0.3"]);
    c.converge(&["0.3"]);
    a.terminal.expect("follower-c", "print", "a circle of copiers");
    // What begins elsewhere runs through the others, and ends where it began.
    b.buy("0.05");
    c.converge(&["0.05", "0.3"]);
    a.converge(&["0.05", "0.3"]);
    b.terminal.expect("follower-a", "print", "a circle of copiers");
    assert_eq!(b.volumes(), ["0.05", "0.3"]);
    // The end runs through as well.
    let position = format!("position={}", a.terminal.positions()[0]["ticket"]);
    a.terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=1", "volume=0.30", &position]);
    b.converge(&["0.05"]);
    c.converge(&["0.05"]);
    a.converge(&["0.05"]);
    for account in [a, b, c] {
        account.close();
    }
}

#[test]
fn pending_orders_run_through_a_chain_and_a_circle_is_cut() {
    let Some(server) = set_up("a circle of copiers with pending orders") else { return };
    let [mut a, mut b, mut c] = [7001, 7002, 7003].map(|login| Account::start(login, &server));
    a.master("a", "c");
    b.master("b", "a");
    c.master("c", "b");
    b.follower(7002, "a");
    c.follower(7003, "b");
    a.follower(7001, "c");
    for account in [&mut a, &mut b, &mut c] {
        account.terminal.command(&["account", "lag=120", "orders_lag=20"]);
    }
    let order = ["trade", "action=5", "symbol=EURUSD", "filling=2", "type=2", "price=1.09000", "volume=0.30"];
    a.terminal.command(&order);
    b.converge_orders(&["2 0.3"]);
    c.converge_orders(&["2 0.3"]);
    a.terminal.expect("follower-c", "print", "a circle of copiers");
    // One after the other fills: nothing is opened at the market, and nothing is closed.
    for account in [&mut b, &mut a, &mut c] {
        account.terminal.command(&["tick", "EURUSD", "1.08990", "1.09000"]);
        account.converge(&["0.3"]);
        account.converge_orders(&[]);
    }
    // Each has placed one, and a none.
    for (account, requests) in [(&mut a, 0), (&mut b, 1), (&mut c, 1)] {
        account.converge(&["0.3"]);
        assert_eq!(account.terminal.requests(), requests, "{}", account.terminal.transcript());
    }
    let position = format!("position={}", a.terminal.positions()[0]["ticket"]);
    a.terminal.command(&["trade", "action=1", "symbol=EURUSD", "type=1", "volume=0.30", &position]);
    for account in [&mut b, &mut c] {
        account.converge(&[]);
    }
    for account in [a, b, c] {
        account.close();
    }
}

#[test]
fn a_file_that_cant_be_read_takes_no_copy_out_of_a_chain() {
    let Some(server) = set_up("a chain with a file that can't be read") else { return };
    let [mut a, mut b, mut c] = [8001, 8002, 8003].map(|login| Account::start(login, &server));
    a.master("a", "");
    b.master("b", "a");
    b.follower(8002, "a");
    c.follower(8003, "b");
    a.buy("0.30");
    c.converge(&["0.3"]);
    // As with a file that something else has opened at that moment.
    b.terminal.command(&["remove", "follower-a"]);
    b.terminal.expect("follower-a", "ended", "");
    let file = b.files.join("Mt5Mqtt/copier-a-8002@Simulated.json");
    let good = fs::read(&file).expect("the follower's file");
    for is_there in [true, false] {
        if is_there { fs::write(&file, "{") } else { fs::remove_file(&file) }.expect("change the file");
        let states = server.subscribe(&["-t", "mt5/copier/b/state", "-F", "%t"]);
        // The file is read each second, and a state comes as often.
        for _ in 0..4 {
            states.line(Instant::now() + Duration::from_secs(20));
        }
        c.converge(&["0.3"]);
    }
    // A master that begins then doesn't know of any copy.
    fs::write(&file, "{").expect("change the file");
    b.terminal.command(&["remove", "master-b"]);
    b.terminal.expect("master-b", "ended", "");
    b.load_master("b", "a");
    b.terminal.expect("master-b", "print", "waiting until the file of the copies of a can be read");
    fs::write(&file, good).expect("restore the file");
    b.buy("0.05");
    c.converge(&["0.05", "0.3"]);
    assert_eq!(c.terminal.requests(), 2, "{}", c.terminal.transcript());
    for account in [a, b, c] {
        account.close();
    }
}

#[test]
fn copies_are_not_published_unless_they_are_relayed() {
    let Some(server) = set_up("copies of copies") else { return };
    let [mut a, mut b, mut c] = [5001, 5002, 5003].map(|login| Account::start(login, &server));
    a.master("a", "");
    b.master("b", "");
    b.follower(5002, "a");
    c.follower(5003, "b");
    a.buy("0.30");
    b.converge(&["0.3"]);
    b.buy("0.07");
    c.converge(&["0.07"]);
    for account in [a, b, c] {
        account.close();
    }
}

#[test]
fn the_master_lists_what_followers_answer_and_who_is_there() {
    let Some(server) = set_up("answers") else { return };
    let [mut master, mut follower] = [6001, 6002].map(|login| Account::start(login, &server));
    let answers = server.subscribe(&["-t", "mt5/copier/m/reports/#", "-F", "%t %p"]);
    master.master("m", "");
    follower.follower(6002, "m");
    master.terminal.expect("master-m", "print", "follower 6002@Simulated is online");
    master.buy("0.10");
    let line = answers.line(Instant::now() + Duration::from_secs(20));
    let (topic, payload) = line.split_once(' ').expect("a topic and a payload");
    assert_eq!(topic, "mt5/copier/m/reports/6002@Simulated");
    let report: serde_json::Value = serde_json::from_str(payload).expect("JSON");
    let id = master.terminal.positions()[0]["id"].parse::<u64>().expect("an identifier");
    assert_eq!(report["follower"], "6002@Simulated");
    assert_eq!((&report["id"], &report["action"], &report["symbol"]), (&id.into(), &"open".into(), &"EURUSD".into()));
    assert_eq!((&report["retcode"], &report["result"]), (&10009.into(), &"done".into()));
    assert_eq!((report["price"].as_f64(), report["slippage"].as_f64()), (Some(1.1001), Some(0.0)));
    for stage in ["waited_us", "trade_us", "held_us"] {
        assert!(report[stage].as_i64().is_some_and(|time| time >= 0), "{payload}");
    }
    assert!(report["held_us"].as_i64() >= report["waited_us"].as_i64(), "{payload}");
    let said = master.terminal.expect("master-m", "print", "report: 6002@Simulated: open");
    assert!(said.contains("done at 1.10010, 0.0 points of slippage, ms: seen "), "{said}");
    assert!(!said.contains('?'), "{said}");
    let panel = master.terminal.expect("master-m", "comment", "6002@Simulated: open");
    assert!(panel.contains("Server: connected") && panel.contains("Published: 1 positions"), "{panel}");
    let panel = follower.terminal.expect("follower-m", "comment", "held here 1");
    assert!(panel.contains("follower of m") && panel.contains("Master: online"), "{panel}");

    // What is not copied is answered, too, and a failure is among the last errors on both charts.
    follower.terminal.command(&["inject", "10013", "refused"]);
    master.buy("0.20");
    master.terminal.expect("master-m", "print", "invalid request");
    master.terminal.expect("master-m", "print", "refused");
    let panel = master.terminal.expect("master-m", "comment", "Last errors:");
    assert!(panel.contains("invalid request"), "{panel}");
    let panel = follower.terminal.expect("follower-m", "comment", "Last errors:");
    assert!(panel.contains("invalid request"), "{panel}");

    // A follower that is killed is told of by its Will.
    drop(follower.terminal);
    master.terminal.expect("master-m", "print", "follower 6002@Simulated is offline");
    master.terminal.expect("master-m", "comment", "6002@Simulated (offline)");
    master.close();
    let _ = fs::remove_dir_all(follower.files);
}

/// A name that is spelt otherwise is another master's, and nothing is published without a word.
#[test]
fn names_to_be_relayed_that_cant_be_meant_are_told_of() {
    let Some(server) = set_up("copiers, relayed names") else { return };
    let mut account = Account::start(1, &server);
    let inputs = [("InpUrl", account.url.as_str()), ("InpName", "one"), ("InpRelay", "main, a-name-too-long")];
    account.terminal.load("expert", "master-one", &program(MASTER), ("1", "EURUSD"), &inputs);
    account.terminal.expect("master-one", "print", "'a-name-too-long' is none");
    account.terminal.expect("master-one", "ended", "");
    account.master("two", "main;other");
    let said = account.terminal.said("master-two", "print");
    assert!(said.iter().any(|line| line.contains("no follower of a master main;other has run")), "{said:#?}");
    account.close();
}
