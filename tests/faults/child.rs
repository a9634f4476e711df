//! The program that the faults are done to: a host of the library, in a process of its own. It reports each step before it
//! takes the next, so that what it has done is known even if it is killed.

use crate::abi::{self, Client, Event};
use crate::payload::{self, Payload};
use crate::role::{Order, Report, Role, TOPIC, Task, topic};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::HashSet;
use std::io::{BufRead, Write};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

pub fn run(role: &str) -> Result<(), String> {
    let role: Role = serde_json::from_str(role).map_err(|error| error.to_string())?;
    let client = Client::new(&role.library)?;
    client.set_text(abi::OPT_URL, &role.url)?;
    client.set_text(abi::OPT_CLIENT_ID, &role.client_id)?;
    for (option, value) in [
        (abi::OPT_PROTOCOL_VERSION, role.protocol_version),
        // Mosquitto saves the Sessions of those that began without Clean Start, and no others.
        (abi::OPT_CLEAN_START, 0),
        // A dead line is noticed within two seconds.
        (abi::OPT_KEEP_ALIVE_S, 1),
        (abi::OPT_PING_TIMEOUT_MS, 500),
        (abi::OPT_CONNECT_TIMEOUT_MS, 1500),
        (abi::OPT_RECONNECT_MIN_MS, 5),
        (abi::OPT_RECONNECT_MAX_MS, 100),
        (abi::OPT_ACKNOWLEDGE, 2),
    ] {
        client.set_int(option, value)?;
    }
    if let Some(store) = &role.store {
        client.set_text(abi::OPT_STORE_PATH, store.to_str().ok_or("a path in UTF-8")?)?;
        client.set_int(abi::OPT_PROGRESS, 2)?;
    }
    if role.task == Task::Receive {
        client.subscribe(&format!("{TOPIC}/#"), 2)?;
    }
    client.connect()?;
    say(&Report::Ready);
    Program { client, orders: orders(), open: HashSet::new(), next: role.next, finishing: false, drained: false }
        .run(&role)
}

/// One line on stdout, in one write: a kill leaves it whole or absent.
fn say(report: &Report) {
    let mut line = serde_json::to_string(report).expect("a report can be written");
    line.push('\n');
    // Nobody listens any more: stdin has closed as well then, and that ends the program.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// Orders come on stdin; its end is one too.
fn orders() -> Receiver<Order> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(serde_json::from_str(&line).expect("an order")).is_err() {
                return;
            }
        }
    });
    receiver
}

struct Program {
    client: Client,
    orders: Receiver<Order>,
    /// Tokens that have not come to their end, but for those of QoS 0, whose success is silent.
    open: HashSet<i64>,
    /// The next number of each QoS.
    next: [u64; 3],
    finishing: bool,
    drained: bool,
}

impl Program {
    fn run(mut self, role: &Role) -> Result<(), String> {
        let pause = match role.task {
            Task::Send { bursts_per_second } => Some(Duration::from_secs(1) / bursts_per_second),
            Task::Receive => None,
        };
        let mut next_burst = Instant::now();
        loop {
            match self.orders.try_recv() {
                Ok(Order::End) | Err(TryRecvError::Disconnected) => break,
                Ok(order) => self.obey(order)?,
                Err(TryRecvError::Empty) => {}
            }
            while let Some(event) = self.client.poll()? {
                self.take(&event)?;
            }
            if let Some(pause) = pause.filter(|_| !self.finishing)
                && Instant::now() >= next_burst
            {
                self.burst()?;
                next_burst = Instant::now() + pause;
            }
            if self.finishing && !self.drained && self.open.is_empty() && self.client.stat(abi::STAT_OUTGOING)? == 0 {
                self.drained = true;
                self.report_figures()?;
                say(&Report::Drained);
            }
            self.client.wait(5)?;
        }
        // An outage may be in the way of DISCONNECT.
        let _ = self.client.disconnect(500);
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Finish => self.finishing = true,
            Order::Mark => {
                for qos in [1, 2] {
                    let token = self.client.publish(&topic(qos), payload::mark().as_bytes(), qos)?;
                    say(&Report::Marked { token });
                }
            }
            Order::Exhaust => {
                limit_descriptors(Some(0))?;
                say(&Report::Exhausted);
            }
            Order::Restore => limit_descriptors(None)?,
            Order::End => {}
        }
        Ok(())
    }

    /// A few messages, the QoS in turn.
    fn burst(&mut self) -> Result<(), String> {
        for qos in [1, 2, 0, 2, 1] {
            let seq = self.next[usize::from(qos)];
            self.next[usize::from(qos)] += 1;
            say(&Report::Publishing { qos, seq });
            match self.client.publish(&topic(qos), payload::of(seq).as_bytes(), qos) {
                Ok(token) => {
                    if qos > 0 {
                        self.open.insert(token);
                    }
                    say(&Report::Accepted { qos, seq, token });
                }
                Err(why) => say(&Report::Refused { qos, seq, why }),
            }
        }
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<(), String> {
        if event.dropped != 0 {
            say(&Report::Wrong { what: format!("{} events were dropped", event.dropped) });
        }
        match event.kind {
            abi::EVENT_CONNECTED => say(&Report::Connected { session_present: event.session_present != 0 }),
            abi::EVENT_DISCONNECTED => {
                say(&Report::Disconnected { status: event.status, text: self.client.text(event) });
            }
            abi::EVENT_PUBLISHED => {
                self.open.remove(&event.token);
                say(&Report::Ended { token: event.token, status: event.status, time_us: event.time_us });
            }
            abi::EVENT_SUBSCRIBED => say(&Report::Subscribed { status: event.status }),
            abi::EVENT_MESSAGE => self.take_message(event)?,
            abi::EVENT_PROGRESS if event.detail == abi::STAGE_DURABLE => {
                say(&Report::Durable { token: event.token });
            }
            abi::EVENT_FAILED => {
                say(&Report::Wrong { what: format!("the client failed: {}", self.client.text(event)) });
            }
            // What a Server did wrong that harms nobody.
            _ => {}
        }
        Ok(())
    }

    fn take_message(&mut self, event: &Event) -> Result<(), String> {
        let payload = self.client.payload(event);
        let qos = event.qos as u8;
        say(&match payload::read(&payload) {
            Payload::Numbered(seq) => Report::Took { qos, seq },
            Payload::Mark => Report::TookMark { qos },
            Payload::Corrupt => {
                Report::Wrong { what: format!("a payload of nobody: {}", String::from_utf8_lossy(&payload)) }
            }
        });
        // Between these two lines a kill makes the Server send the message again.
        match event.token {
            0 => Ok(()),
            token => match self.client.acknowledge(token) {
                Ok(()) => Ok(()),
                // The connection was replaced by one with a new Session since: nobody waits for an answer any more.
                Err(why) if why.contains("status -11") => Ok(()),
                Err(why) => Err(why),
            },
        }
    }

    fn report_figures(&self) -> Result<(), String> {
        for (stat, name) in [(abi::STAT_IN_FLIGHT, "publishes in flight"), (abi::STAT_EVENTS_DROPPED, "dropped events")]
        {
            let value = self.client.stat(stat)?;
            if value != 0 {
                say(&Report::Wrong { what: format!("{value} {name} at the end, by the library's own count") });
            }
        }
        Ok(())
    }
}

/// Takes all descriptors away by the limit (0: none can be opened any more), or gives them back.
fn limit_descriptors(limit: Option<u64>) -> Result<(), String> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = limit.or(maximum.map(|maximum| maximum.min(1024)));
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).map_err(|error| format!("setrlimit: {error}"))
}
