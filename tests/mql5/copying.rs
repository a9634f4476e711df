//! The trade copier's two programs in two terminals, over a real Server, for tests to play with.

use crate::common::mosquitto::Mosquitto;
use crate::common::tools::leave_out;
use crate::compile::{compiler, program};
use crate::host::Terminal;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MASTER: &str = "mql5/Experts/Mt5Mqtt/TradeCopierMaster.mq5";
const FOLLOWER: &str = "mql5/Experts/Mt5Mqtt/TradeCopierFollower.mq5";
pub const QUIET: Duration = Duration::from_secs(60);

/// Of the follower's MQL5\Files, and of what the trade servers keep.
pub struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Copying {
    pub server: Mosquitto,
    pub master: Terminal,
    pub follower: Terminal,
    files: Files,
    pub inputs: Vec<(&'static str, String)>,
    /// Of the master.
    pub name: &'static str,
    /// Of MQTT, for both.
    pub version: &'static str,
    /// Where they find the Server, if not where it is.
    pub master_url: Option<String>,
    pub follower_url: Option<String>,
}

pub type Fields = BTreeMap<String, String>;

impl Copying {
    /// Two terminals with the same prices, not loaded yet. None, reported, where a tool is missing.
    pub fn start(test: &str, inputs: &[(&'static str, &str)]) -> Option<Self> {
        Self::start_with(test, inputs, "")
    }

    /// With these lines in the Server's configuration.
    pub fn start_with(test: &str, inputs: &[(&'static str, &str)], config: &str) -> Option<Self> {
        compiler("the trade copier")?;
        let Some(server) = Mosquitto::start_with(config) else {
            leave_out("the trade copier", "mosquitto");
            return None;
        };
        let files = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("copier-{test}-{}", std::process::id()));
        for folder in ["Files", "MasterFiles"] {
            fs::create_dir_all(files.join(folder)).expect("create a folder");
        }
        let files = Files(files);
        let mut copying = Self {
            server,
            master: Terminal::start(),
            follower: Terminal::start(),
            files,
            inputs: inputs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            name: "master",
            version: "5",
            master_url: None,
            follower_url: None,
        };
        copying.follower.command(&["files", &copying.files.0.join("Files").display().to_string()]);
        copying.master.command(&["files", &copying.files.0.join("MasterFiles").display().to_string()]);
        copying.follower.command(&["keep", &copying.files.0.join("follower").display().to_string()]);
        copying.master.command(&["keep", &copying.files.0.join("master").display().to_string()]);
        copying.follower.command(&["account", "login=2002", "balance=100000"]);
        copying.master.command(&["account", "login=1001", "balance=100000"]);
        for terminal in [&mut copying.master, &mut copying.follower] {
            for symbol in ["EURUSD", "GBPUSD"] {
                terminal.command(&["symbol", symbol, "digits=5"]);
            }
        }
        copying.price("1.10000", "1.10010");
        Some(copying)
    }

    pub fn price(&mut self, bid: &str, ask: &str) {
        for terminal in [&mut self.master, &mut self.follower] {
            for symbol in ["EURUSD", "GBPUSD"] {
                terminal.command(&["tick", symbol, bid, ask]);
            }
        }
    }

    pub fn load_master(&mut self) {
        let url = self.master_url.clone().unwrap_or_else(|| self.server.url());
        load_master_in(&mut self.master, &url, self.name, self.version);
    }

    /// Another terminal as a master of the same name.
    pub fn load_as_master(&self, terminal: &mut Terminal) {
        load_master_in(terminal, &self.server.url(), self.name, self.version);
    }

    /// A new folder beside those of the two.
    pub fn folder(&self, name: &str) -> String {
        let folder = self.files.0.join(name);
        fs::create_dir_all(&folder).expect("create a folder");
        folder.display().to_string()
    }

    #[track_caller]
    pub fn load_follower(&mut self) {
        self.load_follower_as("follower");
        assert_eq!(self.follower.expect("follower", "init", ""), "0");
    }

    /// On a chart of its own; whether it starts is another question.
    pub fn load_follower_as(&mut self, name: &str) {
        let module = program(FOLLOWER);
        let inputs = self.follower_inputs();
        let inputs: Vec<_> = inputs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.follower.load("expert", name, &module, ("1", "EURUSD"), &inputs);
    }

    fn follower_inputs(&self) -> Vec<(&'static str, String)> {
        let url = self.follower_url.clone().unwrap_or_else(|| self.server.url());
        let mut inputs = vec![("InpUrl", url), ("InpMaster", self.name.to_owned()), ("InpWait", "1".to_owned())];
        inputs.push(("InpVersion", self.version.to_owned()));
        inputs.extend(self.inputs.iter().cloned());
        inputs
    }

    /// A terminal in this account with a folder of its own; of the account's positions it shows its own only.
    fn another_terminal(&self, folder: &str, login: u32) -> Terminal {
        let mut terminal = Terminal::start();
        terminal.command(&["files", &self.folder(folder)]);
        terminal.command(&["account", &format!("login={login}"), "balance=100000"]);
        terminal.command(&["symbol", "EURUSD", "digits=5"]);
        terminal.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
        terminal
    }

    /// The same follower once more.
    #[track_caller]
    pub fn another_follower(&self, folder: &str) -> Terminal {
        let mut terminal = self.another_terminal(folder, 2002);
        let inputs = self.follower_inputs();
        let inputs: Vec<_> = inputs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        terminal.expert("follower", FOLLOWER, &inputs);
        terminal
    }

    /// The same master once more.
    #[track_caller]
    pub fn another_master(&self, folder: &str) -> Terminal {
        let mut terminal = self.another_terminal(folder, 1001);
        self.load_as_master(&mut terminal);
        terminal
    }

    pub fn restart_master(&mut self) {
        self.master.command(&["remove", "master"]);
        self.master.expect("master", "ended", "");
        self.load_master();
    }

    pub fn restart_follower(&mut self) {
        self.end_follower();
        self.load_follower();
    }

    /// Its user takes it off the chart.
    pub fn end_follower(&mut self) {
        self.follower.command(&["remove", "follower"]);
        self.follower.expect("follower", "ended", "");
    }

    /// As a crash of the terminal, wherever its program is.
    pub fn kill_master(&mut self) {
        self.master.kill();
        self.load_master();
    }

    pub fn kill_follower(&mut self) {
        self.follower.kill();
        self.load_follower();
    }

    /// The master's terminal is another one, which has no files of the old one.
    pub fn lose_master_files(&self) {
        let folder = self.files.0.join("MasterFiles");
        fs::remove_dir_all(&folder).and_then(|()| fs::create_dir(&folder)).expect("an empty folder");
    }

    /// Waits until the follower has taken the master's state of this moment.
    pub fn load_both(&mut self) {
        self.load_master();
        self.master.expect("master", "print", "connected");
        self.load_follower();
        self.follower.expect("follower", "print", "subscribed: ");
        self.follower.expect("follower", "print", "the master is online");
        self.await_file();
    }

    /// Waits until the follower has worked on a state.
    #[track_caller]
    pub fn await_file(&self) {
        let deadline = Instant::now() + QUIET;
        while !self.file().is_file() {
            assert!(Instant::now() < deadline, "{}", self.follower.transcript());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the follower remembers.
    pub fn file(&self) -> PathBuf {
        self.files.0.join(format!("Files/Mt5Mqtt/copier-{}-2002@Simulated.json", self.name))
    }

    pub fn lose_file(&self) {
        fs::remove_file(self.file()).expect("remove the follower's file");
    }

    /// Sends a request by the master's user; returns its retcode.
    pub fn trade(&mut self, fields: &str) -> String {
        let mut words = vec!["trade"];
        words.extend(fields.split(' '));
        self.master.command(&words);
        self.master.expect("*", "trade", "")
    }

    /// `symbol side volume sl tp` of each position, sorted.
    fn summary(positions: &[Fields]) -> Vec<String> {
        let mut lines: Vec<String> = positions
            .iter()
            .map(|fields| ["symbol", "side", "volume", "sl", "tp"].map(|name| fields[name].as_str()).join(" "))
            .collect();
        lines.sort();
        lines
    }

    /// Waits until the follower holds the sum of what the master has, but for these positions.
    #[track_caller]
    pub fn converge_to_net(&mut self, without: &[String]) {
        self.converge_to(|positions| net(positions.into_iter().filter(|fields| !without.contains(&fields["id"]))));
    }

    /// Waits until both hold the same, and sees that it stays so.
    #[track_caller]
    pub fn converge(&mut self) {
        self.converge_to(|positions| positions);
    }

    #[track_caller]
    pub fn converge_to(&mut self, expected: impl Fn(Vec<Fields>) -> Vec<Fields>) {
        self.converge_as(expected, |positions| positions);
    }

    /// The same, where what the follower holds is looked at in another way as well.
    #[track_caller]
    pub fn converge_as(
        &mut self,
        expected: impl Fn(Vec<Fields>) -> Vec<Fields>,
        seen: impl Fn(Vec<Fields>) -> Vec<Fields>,
    ) {
        let deadline = Instant::now() + QUIET;
        let mut same = 0;
        while same < 5 {
            let wanted = Self::summary(&expected(self.master.positions()));
            let held = Self::summary(&seen(self.follower.positions()));
            same = if wanted == held { same + 1 } else { 0 };
            let transcript = || format!("{}\n{}", self.master.transcript(), self.follower.transcript());
            assert!(Instant::now() < deadline, "wanted {wanted:#?}\nheld {held:#?}\n{}", transcript());
            std::thread::sleep(Duration::from_millis(60));
        }
    }

    pub fn close(self) {
        self.master.close();
        self.follower.close();
    }
}

fn load_master_in(terminal: &mut Terminal, url: &str, name: &str, version: &str) {
    let inputs = [("InpUrl", url), ("InpName", name), ("InpSeconds", "1"), ("InpVersion", version)];
    terminal.expert("master", MASTER, &inputs);
}

pub fn deal(side: u32, volume: &str, more: &str) -> String {
    format!("action=1 symbol=EURUSD type={side} volume={volume}{more}")
}

/// One position of a symbol, which is the sum, without stops.
pub fn net(positions: impl Iterator<Item = Fields>) -> Vec<Fields> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for fields in positions {
        let (symbol, signed) = signed_volume(&fields);
        *sums.entry(symbol).or_default() += signed;
    }
    sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(symbol, sum)| position(&symbol, sum)).collect()
}

/// One position of a symbol and side, without stops: a netting account adds to what it has, a hedging one opens another.
pub fn by_side(positions: Vec<Fields>) -> Vec<Fields> {
    let mut sums: BTreeMap<(String, bool), i64> = BTreeMap::new();
    for fields in positions {
        let (symbol, signed) = signed_volume(&fields);
        *sums.entry((symbol, signed > 0)).or_default() += signed;
    }
    sums.into_iter().map(|((symbol, _), sum)| position(&symbol, sum)).collect()
}

/// What InpReverse and a factor of 2 make of a position.
pub fn mirrored(mut fields: Fields) -> Fields {
    let side = if fields["side"] == "buy" { "sell" } else { "buy" };
    let volume: f64 = fields["volume"].parse().expect("a volume");
    let (sl, tp) = (fields["tp"].clone(), fields["sl"].clone());
    fields.insert("side".into(), side.into());
    fields.insert("volume".into(), format!("{}", (volume * 200.0).round() / 100.0));
    fields.insert("sl".into(), sl);
    fields.insert("tp".into(), tp);
    fields
}

/// In hundredths, negative if it is sold.
fn signed_volume(fields: &Fields) -> (String, i64) {
    let hundredths = (fields["volume"].parse::<f64>().expect("a volume") * 100.0).round() as i64;
    (fields["symbol"].clone(), if fields["side"] == "buy" { hundredths } else { -hundredths })
}

fn position(symbol: &str, signed: i64) -> Fields {
    let side = if signed > 0 { "buy" } else { "sell" };
    let volume = (signed.abs() as f64 / 100.0).to_string();
    let fields = [("symbol", symbol), ("side", side), ("volume", &volume), ("sl", "0"), ("tp", "0")];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
