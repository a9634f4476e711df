//! One round: sender -> line -> Server -> line -> receiver, faults for a while, then calm until all has arrived, and the
//! verdict.

use crate::clock::Clock;
use crate::common::folder::Folder;
use crate::plan::{self, LineFaults, Planned, ProcessFault};
use crate::process::Process;
use crate::proxy::Line;
use crate::role::{Order, Report, Role, TOPIC, Task};
use crate::scenario::Scenario;
use crate::verdict::{Counts, Evidence, Server, judge};
use crate::{common::library, common::mosquitto::Mosquitto, common::mosquitto::Subscriber, payload};
use mt5mqtt::types::ProtocolVersion;
use rustix::process::Signal;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the calm may take until everything has arrived.
const CALM: Duration = Duration::from_secs(120);
/// Nothing on the line for so long: the Server has nothing more to send.
const QUIET: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_secs(20);
/// MT5MQTT_E_CONNECT_FAILED
const CONNECT_FAILED: i32 = -41;
/// A Server that is killed loses no more than it has acknowledged since the last turn of its loop.
const SAVING: &str = "autosave_on_changes true\nautosave_interval 1\n";

pub struct Outcome {
    pub counts: Counts,
    /// Every broken promise; none is the hope.
    pub broken: Vec<String>,
}

/// Plays a round of this length. `Err` when it could not be brought to its end.
pub fn play(scenario: &Scenario, seed: u64, length: Duration) -> Result<Outcome, String> {
    let mut round = Round::start(scenario, seed)?;
    round.disturb(&plan::processes(seed, length, scenario.processes), length)?;
    round.calm_down()?;
    round.finish()
}

struct Round {
    server: Mosquitto,
    senders_line: Line,
    receivers_line: Line,
    sender: Process,
    receiver: Process,
    senders_role: Role,
    receivers_role: Role,
    /// What the sender's earlier lives reported.
    sent_earlier: Vec<Report>,
    /// What the receiver's earlier lives reported.
    earlier: Vec<Vec<Report>>,
    stores: Option<[Folder; 2]>,
    reference: Option<Reference>,
    clock: Option<Clock>,
    seed: u64,
    counts: Counts,
}

impl Round {
    fn start(scenario: &Scenario, seed: u64) -> Result<Round, String> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let version = if rng.bool() { ProtocolVersion::V5 } else { ProtocolVersion::V311 };
        // Half of the Servers that are killed save nothing, and come back without a memory.
        let saves = scenario.processes.contains(&ProcessFault::KillServer) && rng.bool();
        let config = if saves { SAVING } else { "" };
        let server = Mosquitto::start_with(config).ok_or("mosquitto is not installed")?;
        let port = server.port();
        let senders_line = Line::new(port, version, rng.u64(..), scenario.senders_line.clone());
        let receivers_line = Line::new(port, version, rng.u64(..), scenario.receivers_line.clone());
        let reference = (!scenario.processes.contains(&ProcessFault::KillServer)).then(|| Reference::start(&server));
        let clock = scenario.moves_clocks.then(Clock::new).transpose()?;
        let stores = scenario.stores.then(|| [Folder::new("faults-store"), Folder::new("faults-store")]);
        let role = |url: String, client_id: &str, task: Task, store: usize| Role {
            store: stores.as_ref().map(|stores| stores[store].path().to_path_buf()),
            next: [0; 3],
            library: library::path(),
            url,
            client_id: client_id.to_owned(),
            protocol_version: if version == ProtocolVersion::V5 { 5 } else { 4 },
            task,
        };
        let receivers_role = role(receivers_line.url(), "receiver", Task::Receive, 0);
        let mut receiver = Process::start("receiver", &receivers_role, clock.as_ref())?;
        receiver.wait_for("subscribed", 0, SOON, |report| matches!(report, Report::Subscribed { .. }))?;
        let task = Task::Send { bursts_per_second: rng.u32(20..100) };
        let senders_role = role(senders_line.url(), "sender", task, 1);
        let mut sender = Process::start("sender", &senders_role, clock.as_ref())?;
        sender.wait_for("ready", 0, SOON, |report| *report == Report::Ready)?;
        Ok(Round {
            server,
            senders_line,
            receivers_line,
            sender,
            receiver,
            senders_role,
            receivers_role,
            sent_earlier: Vec::new(),
            stores,
            earlier: Vec::new(),
            reference,
            clock,
            seed,
            counts: Counts { rounds: 1, ..Counts::default() },
        })
    }

    fn disturb(&mut self, planned: &[Planned], length: Duration) -> Result<(), String> {
        let start = Instant::now();
        for planned in planned {
            sleep_until(start + planned.at);
            self.happen(planned)?;
            self.sender.hear();
            self.receiver.hear();
        }
        sleep_until(start + length);
        Ok(())
    }

    fn happen(&mut self, planned: &Planned) -> Result<(), String> {
        let duration = planned.duration;
        match planned.fault {
            ProcessFault::KillServer => {
                self.server.kill();
                std::thread::sleep(duration);
                self.server.restart();
                self.counts.server_kills += 1;
            }
            ProcessFault::RestartServer => {
                self.server.stop();
                std::thread::sleep(duration);
                self.server.restart();
                self.counts.server_restarts += 1;
            }
            ProcessFault::PauseServer => {
                self.server.pause();
                std::thread::sleep(duration);
                self.server.resume();
                self.counts.pauses += 1;
            }
            ProcessFault::PauseSender => self.pause(true, duration)?,
            ProcessFault::PauseReceiver => self.pause(false, duration)?,
            ProcessFault::KillReceiver => {
                self.receiver.signal(Signal::KILL)?;
                self.earlier.push(self.receiver.end_of_reports());
                self.receivers_line.record().new_life(self.receivers_line.connections());
                self.receiver = Process::start("receiver", &self.receivers_role, self.clock.as_ref())?;
                self.counts.receiver_kills += 1;
            }
            ProcessFault::KillSender => {
                self.sender.signal(Signal::KILL)?;
                let earlier = self.sender.end_of_reports();
                self.senders_line.record().new_life(self.senders_line.connections());
                for report in &earlier {
                    if let Report::Publishing { qos, seq } = report {
                        self.senders_role.next[usize::from(*qos)] = seq + 1;
                    }
                }
                self.sent_earlier.extend(earlier);
                self.sent_earlier.push(Report::NewLife);
                self.sender = Process::start("sender", &self.senders_role, self.clock.as_ref())?;
                self.sender.wait_for("ready", 0, SOON, |report| *report == Report::Ready)?;
                self.counts.sender_kills += 1;
            }
            ProcessFault::ExhaustDescriptors => self.exhaust(duration)?,
            ProcessFault::JumpUnixClock => {
                let hours = fastrand::Rng::with_seed(self.seed ^ duration.as_nanos() as u64).i64(-100_000..100_000);
                self.clock()?.jump(hours * 3600)?;
                self.counts.clock_jumps += 1;
                // The next event shows that the program sees the new time.
                self.sender.hear();
                let start = self.sender.reports.len();
                self.sender.wait_for("an event of the new time", start, SOON, |report| match report {
                    Report::Ended { time_us, .. } => is_near(*time_us, hours * 3600),
                    _ => false,
                })?;
            }
            ProcessFault::SleepForHours => {
                for process in [&self.sender, &self.receiver] {
                    process.signal(Signal::STOP)?;
                }
                self.clock()?.pass(3600 * (1 + duration.as_millis() as i64 % 12))?;
                for process in [&self.sender, &self.receiver] {
                    process.signal(Signal::CONT)?;
                }
                self.counts.clock_jumps += 1;
            }
        }
        Ok(())
    }

    fn clock(&mut self) -> Result<&mut Clock, String> {
        self.clock.as_mut().ok_or_else(|| "the clocks can't be moved in this scenario".to_owned())
    }

    fn pause(&mut self, sender: bool, duration: Duration) -> Result<(), String> {
        let process = if sender { &self.sender } else { &self.receiver };
        process.signal(Signal::STOP)?;
        std::thread::sleep(duration);
        process.signal(Signal::CONT)?;
        self.counts.pauses += 1;
        Ok(())
    }

    /// The attempts to connect must fail, and say why.
    fn exhaust(&mut self, duration: Duration) -> Result<(), String> {
        self.sender.hear();
        let start = self.sender.reports.len();
        self.sender.order(Order::Exhaust)?;
        self.sender.wait_for("no descriptors", start, SOON, |report| *report == Report::Exhausted)?;
        std::thread::sleep(duration);
        self.senders_line.cut_all();
        self.sender.wait_for("an attempt to connect fails for want of descriptors", start, SOON, |report| {
            matches!(report, Report::Disconnected { status: CONNECT_FAILED, text } if text.contains("os error 24"))
        })?;
        self.sender.order(Order::Restore)?;
        self.counts.descriptor_exhaustions += 1;
        Ok(())
    }

    /// No more faults: everything that was accepted has to come to its end.
    fn calm_down(&mut self) -> Result<(), String> {
        self.senders_line.calm();
        self.receivers_line.calm();
        self.sender.order(Order::Finish)?;
        self.sender.wait_for("all publishes ended", 0, CALM, |report| *report == Report::Drained)?;
        // A mark behind all messages; it is sent again until it has come, as the Server may just have lost the receiver.
        let deadline = Instant::now() + CALM;
        let start = self.receiver.reports.len();
        for qos in [1, 2] {
            let arrived = move |report: &Report| *report == Report::TookMark { qos };
            loop {
                self.sender.order(Order::Mark)?;
                match self.receiver.wait_for("the mark", start, Duration::from_millis(500), arrived) {
                    Ok(()) => break,
                    Err(why) if Instant::now() >= deadline => return Err(why),
                    Err(_) => {}
                }
            }
        }
        if let Some(reference) = &mut self.reference {
            reference.wait_for_marks(deadline)?;
        }
        self.wait_for_stragglers(deadline)?;
        match &mut self.reference {
            Some(reference) => reference.take_rest(),
            None => Ok(()),
        }
    }

    /// A Server that came back may have let the mark overtake older messages.
    fn wait_for_stragglers(&self, deadline: Instant) -> Result<(), String> {
        let record = self.receivers_line.record();
        let mut before = record.traffic();
        let mut since = Instant::now();
        while before.1 > 0 || since.elapsed() < QUIET {
            if Instant::now() >= deadline {
                return Err(format!("{} messages that the Server sent are not answered", before.1));
            }
            std::thread::sleep(Duration::from_millis(20));
            let now = record.traffic();
            if now != before {
                (before, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, String> {
        let mut sender = self.sent_earlier;
        sender.extend(self.sender.end()?);
        let mut receiver = self.earlier;
        receiver.push(self.receiver.end()?);
        self.counts.connections = self.senders_line.connections() + self.receivers_line.connections();
        self.counts.line_faults = self.senders_line.happened() + self.receivers_line.happened();
        let senders_line = self.senders_line.record().in_order();
        let receivers_line = self.receivers_line.record().in_order();
        let reference_line = self.reference.as_ref().map(|reference| reference.line.record().in_order());
        let broken = judge(
            &Evidence {
                sender: &sender,
                receiver: &receiver,
                senders_line: &senders_line,
                receivers_line: &receivers_line,
                reference: self
                    .reference
                    .as_ref()
                    .zip(reference_line.as_ref())
                    .map(|(reference, line)| (&*reference.taken, &**line)),
                server: match (self.counts.server_kills, self.counts.server_restarts) {
                    (0, 0) => Server::Steady,
                    (0, _) => Server::Restarted,
                    _ => Server::Killed,
                },
                stores: self.stores.is_some(),
            },
            &mut self.counts,
        );
        Ok(Outcome { counts: self.counts, broken })
    }
}

/// Whether a time in UNIX microseconds is so many seconds from now, but for the minute that a round may take.
fn is_near(time_us: i64, offset: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    (time_us / 1_000_000 - now - offset).abs() < 60
}

fn sleep_until(time: Instant) {
    std::thread::sleep(time.saturating_duration_since(Instant::now()));
}

/// `mosquitto_sub` on an undisturbed line: what the Server makes of the sender's messages, in another client's words.
struct Reference {
    subscriber: Subscriber,
    line: Line,
    taken: Vec<Report>,
    marks: [bool; 3],
}

impl Reference {
    fn start(server: &Mosquitto) -> Reference {
        let line = Line::new(server.port(), ProtocolVersion::V311, 0, LineFaults::default());
        let filter = format!("{TOPIC}/#");
        let port = line.port().to_string();
        let subscriber =
            server.subscribe(&["-p", &port, "-c", "-V", "mqttv311", "-q", "2", "-t", &filter, "-F", "%q %p"]);
        Reference { subscriber, line, taken: Vec::new(), marks: [false; 3] }
    }

    fn wait_for_marks(&mut self, deadline: Instant) -> Result<(), String> {
        while !(self.marks[1] && self.marks[2]) {
            let line = self.subscriber.next_line(deadline).ok_or("the mark did not come to mosquitto_sub in time")?;
            self.take(&line)?;
        }
        Ok(())
    }

    fn take_rest(&mut self) -> Result<(), String> {
        while let Some(line) = self.subscriber.next_line(Instant::now() + QUIET) {
            self.take(&line)?;
        }
        Ok(())
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let (qos, text) = line.split_once(' ').ok_or_else(|| format!("mosquitto_sub printed {line:?}"))?;
        let qos: u8 = qos.parse().map_err(|_| format!("mosquitto_sub printed {line:?}"))?;
        match payload::read(text.as_bytes()) {
            payload::Payload::Numbered(seq) => self.taken.push(Report::Took { qos, seq }),
            payload::Payload::Mark => self.marks[usize::from(qos)] = true,
            payload::Payload::Corrupt => return Err(format!("mosquitto_sub got a payload of nobody: {line:?}")),
        }
        Ok(())
    }
}
