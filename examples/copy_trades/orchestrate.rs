//! The run: starts the processes, kills and restarts two of them at fixed parts of the way, waits until everyone has the
//! master's last state, and has the journals checked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::abi;
use crate::check::Verdict;
use crate::decimal::Decimal;
use crate::folder::Folder;
use crate::options::Options;
use crate::process::{Heard, Process};
use crate::progress::Progress;
use crate::role::{Place, Report, Role};
use crate::rules::Rules;
use crate::run::{Follower, Outage, Run};
use crate::source::Source;
use crate::strategy;

const SERVER: &str = "server";
const MASTER: &str = "master";
const WHOLE_RUN_S: f64 = 25.0;
const QUICK_RUN_S: f64 = 3.0;
/// For a process to be ready, and for the followers to catch up at the end.
const PATIENCE: Duration = Duration::from_secs(20);
/// Without a report for so long the run is quiet.
const QUIET: Duration = Duration::from_millis(300);

/// A process that will be killed and started again.
struct Kill {
    name: String,
    /// At which part of the master's script.
    at: f64,
    /// How long it stays dead.
    pause: Duration,
    state: KillState,
}

enum KillState {
    Planned,
    Dead { since: Instant },
    Over,
}

struct Orchestrator {
    progress: Progress,
    roles: BTreeMap<String, Role>,
    processes: BTreeMap<String, Process>,
    starts: u64,
    to: Sender<Heard>,
    heard: Receiver<Heard>,
    kills: Vec<Kill>,
    outages: Vec<Outage>,
    /// The master's.
    part: f64,
    seq: u64,
    trades: usize,
    finished: Option<u64>,
    applied: BTreeMap<String, u64>,
    /// Processes that have said that they are ready, and the Server's port.
    ready: BTreeSet<String>,
    port: u16,
}

pub fn run(options: &Options) -> Result<Vec<Verdict>, String> {
    let source = options.source();
    let script = source.script()?;
    let mut progress = Progress::new();
    for bad in &script.bad_rows {
        progress.say(&format!("left out: {bad}"));
    }
    let library = match &options.library {
        Some(path) => path.clone(),
        None => abi::find_library()?,
    };
    // Loaded here only to fail early and once.
    abi::Library::load(&library)?;
    if let Some(server) = &options.server {
        reach(server)?;
    }

    let mut folder = match &options.folder {
        Some(path) => Folder::named(path)?,
        None => Folder::temporary("copy_trades")?,
    };
    let per_second = match (options.speed, options.is_history()) {
        (Some(speed), true) => speed,
        (Some(speed), false) => speed * strategy::TICKS_PER_BAR as f64,
        (None, _) => script.steps as f64 / if options.quick { QUICK_RUN_S } else { WHOLE_RUN_S },
    };
    let followers = followers(&script.symbols);
    let run = Run { followers, outages: Vec::new() };
    progress.say(&format!(
        "{} trades in {} changes, {:.0} s; library {}",
        script.trades(),
        script.changes.len(),
        script.steps as f64 / per_second,
        library.display()
    ));
    let at = Place {
        library,
        server: String::new(),
        user: options.user.clone(),
        run: format!("{}-{}", std::process::id(), now_us()),
        folder: folder.path().to_owned(),
    };
    let verdicts = conduct(options, run, at, source, per_second, progress);
    match &verdicts {
        Ok(verdicts) if verdicts.iter().all(Verdict::is_good) => {}
        _ => folder.keep(),
    }
    if verdicts.is_err() || options.folder.is_some() || verdicts.iter().flatten().any(|v| !v.is_good()) {
        eprintln!("journals and books: {}", folder.path().display());
    }
    verdicts
}

/// Two brokers with other symbol names, volume steps and a different scale.
fn followers(symbols: &BTreeSet<String>) -> Vec<Follower> {
    let follower = |name: &str, multiplier, volume, suffix: &str| Follower {
        name: name.to_owned(),
        rules: Rules {
            multiplier: Decimal::from_units(multiplier),
            volume_step: Decimal::from_units(volume),
            volume_minimum: Decimal::from_units(volume),
            symbols: symbols.iter().map(|s| (s.clone(), format!("{s}{suffix}"))).collect(),
        },
    };
    vec![follower("follower-a", 50_000_000, 1_000_000, ".r"), follower("follower-b", 200_000_000, 10_000_000, "m")]
}

fn reach(server: &str) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("the Server {server} can't be reached: {e}");
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in server.to_socket_addrs().map_err(fail)? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(3)) {
            Ok(_) => return Ok(()),
            Err(e) => last = e,
        }
    }
    Err(fail(last))
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn conduct(
    options: &Options,
    mut run: Run,
    mut at: Place,
    source: Source,
    steps_per_second: f64,
    progress: Progress,
) -> Result<Vec<Verdict>, String> {
    let (to, heard) = mpsc::channel();
    let mut o = Orchestrator {
        progress,
        roles: BTreeMap::new(),
        processes: BTreeMap::new(),
        starts: 0,
        to,
        heard,
        kills: Vec::new(),
        outages: Vec::new(),
        part: 0.0,
        seq: 0,
        trades: 0,
        finished: None,
        applied: BTreeMap::new(),
        ready: BTreeSet::new(),
        port: 0,
    };
    let pause = Duration::from_millis(if options.quick { 200 } else { 600 });
    let kill = |name: &str, at| Kill { name: name.to_owned(), at, pause, state: KillState::Planned };
    match &options.server {
        Some(server) => {
            at.server.clone_from(server);
            o.progress.say(&format!("Server {server}: not ours, so only a follower will be killed"));
        }
        None => {
            o.start(SERVER, Role::Server { port: options.port.unwrap_or(0) })?;
            o.wait_until_ready(SERVER)?;
            at.server = format!("127.0.0.1:{}", o.port);
            o.progress.say(&format!("Server {} started", at.server));
            // Started again it has to be where the clients look for it.
            o.roles.insert(SERVER.to_owned(), Role::Server { port: o.port });
            o.kills.push(kill(SERVER, 0.3));
        }
    }
    for Follower { name, rules } in &run.followers {
        o.start(name, Role::Follower { at: at.clone(), name: name.clone(), rules: rules.clone() })?;
    }
    for Follower { name, .. } in &run.followers {
        o.wait_until_ready(name)?;
    }
    if let Some(last) = run.followers.last() {
        o.kills.push(kill(&last.name, 0.6));
    }
    o.start(MASTER, Role::Master { at: at.clone(), source, steps_per_second })?;

    o.until_quiet(&run)?;
    for Follower { name, .. } in &run.followers {
        o.stop(name)?;
    }
    o.stop(MASTER)?;
    if options.server.is_none() {
        o.stop(SERVER)?;
    }
    o.progress.say(&format!("{} trades in {} states were published", o.trades, o.seq));
    run.outages = std::mem::take(&mut o.outages);
    run.write(&at.folder)?;
    run.check(&at.folder)
}

impl Orchestrator {
    fn start(&mut self, name: &str, role: Role) -> Result<(), String> {
        self.starts += 1;
        let process = Process::start(name, self.starts, &role, &self.to)?;
        self.roles.insert(name.to_owned(), role);
        self.processes.insert(name.to_owned(), process);
        self.ready.remove(name);
        Ok(())
    }

    fn stop(&mut self, name: &str) -> Result<(), String> {
        self.processes.remove(name).map_or(Ok(()), |process| process.stop(PATIENCE))
    }

    fn wait_until_ready(&mut self, name: &str) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        while !self.ready.contains(name) {
            if Instant::now() >= until {
                return Err(format!("{name} was not ready within {} s", PATIENCE.as_secs()));
            }
            self.hear(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Handles the next report, if one comes in that time.
    fn hear(&mut self, limit: Duration) -> Result<bool, String> {
        let Ok(Heard { number, report }) = self.heard.recv_timeout(limit) else {
            return Ok(false);
        };
        // A report of a process that was killed or stopped since concerns nobody.
        let Some(process) = self.processes.values_mut().find(|process| process.number == number) else {
            return Ok(false);
        };
        let name = process.name.clone();
        match report {
            None => return Err(format!("{name} ended by itself: {}", process.status())),
            Some(Report::Failed { why }) => return Err(format!("{name}: {why}")),
            Some(Report::Listening { port }) => {
                self.port = port;
                self.ready.insert(name);
            }
            Some(Report::Subscribed) => {
                self.ready.insert(name);
            }
            Some(Report::Applied { seq }) => {
                self.applied.insert(name, seq);
            }
            Some(Report::Progress { step, steps, seq, trades }) => {
                self.part = step as f64 / steps.max(1) as f64;
                (self.seq, self.trades) = (seq, trades);
            }
            Some(Report::Finished { seq }) => self.finished = Some(seq),
        }
        Ok(true)
    }

    fn until_quiet(&mut self, run: &Run) -> Result<(), String> {
        let mut deadline: Option<Instant> = None;
        let mut last_heard = Instant::now();
        loop {
            if self.hear(Duration::from_millis(20))? {
                last_heard = Instant::now();
            }
            self.kill_and_restart()?;
            self.show(run);
            let Some(seq) = self.finished else {
                if last_heard.elapsed() > PATIENCE {
                    return Err(format!("nothing was heard from any process for {} s", PATIENCE.as_secs()));
                }
                continue;
            };
            let over = self.kills.iter().all(|kill| matches!(kill.state, KillState::Over));
            let behind: Vec<&str> = run
                .followers
                .iter()
                .map(|f| f.name.as_str())
                .filter(|name| self.applied.get(*name).is_none_or(|applied| *applied < seq))
                .collect();
            if over && behind.is_empty() && last_heard.elapsed() >= QUIET {
                return Ok(());
            }
            if Instant::now() >= *deadline.get_or_insert_with(|| Instant::now() + PATIENCE) {
                // The checker says what that means for the trades.
                self.progress.say(&format!(
                    "{} did not get the master's last state within {} s",
                    behind.join(" and "),
                    PATIENCE.as_secs()
                ));
                return Ok(());
            }
        }
    }

    fn kill_and_restart(&mut self) -> Result<(), String> {
        let mut kills = std::mem::take(&mut self.kills);
        let result = kills.iter_mut().try_for_each(|kill| match kill.state {
            KillState::Planned if self.part >= kill.at => {
                if let Some(process) = self.processes.remove(&kill.name) {
                    let killed_us = now_us();
                    process.kill()?;
                    let follower = (kill.name != SERVER).then(|| kill.name.clone());
                    self.outages.push(Outage { follower, killed_us });
                    self.progress.say(&format!("{} killed", kill.name));
                }
                kill.state = KillState::Dead { since: Instant::now() };
                Ok(())
            }
            KillState::Dead { since } if since.elapsed() >= kill.pause => {
                kill.state = KillState::Over;
                let role = self.roles.get(&kill.name).cloned();
                role.map_or(Ok(()), |role| {
                    self.progress.say(&format!("{} started again", kill.name));
                    self.start(&kill.name, role)
                })
            }
            _ => Ok(()),
        });
        self.kills = kills;
        result
    }

    fn show(&mut self, run: &Run) {
        let mut line = format!("{:>3.0} %  {} trades, state {}", self.part * 100.0, self.trades, self.seq);
        for Follower { name, .. } in &run.followers {
            let applied = self.applied.get(name).copied().unwrap_or(0);
            line.push_str(&format!("  {name} at {applied}"));
        }
        for kill in self.kills.iter().filter(|kill| matches!(kill.state, KillState::Dead { .. })) {
            line.push_str(&format!("  ({} is down)", kill.name));
        }
        self.progress.show(&line);
    }
}
