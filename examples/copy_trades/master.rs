//! The master's process: executes the script on its own book and publishes the book, whole, after every change.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::abi::{Client, Event};
use crate::book::{Book, State};
use crate::journal::{Journal, MasterRecord};
use crate::role::{self, Place, Report};
use crate::script::Change;
use crate::source::Source;
use crate::terminal;

/// How often it tells of its progress.
const PROGRESS: Duration = Duration::from_millis(100);
/// For the Server to acknowledge the last state after the last change.
const LAST_WORD: Duration = Duration::from_secs(15);

struct Master {
    client: Client,
    journal: Journal,
    topic: String,
    run: String,
    book: Book,
    seq: u64,
    trades: usize,
    connected: bool,
    /// Accepted publishes whose outcome is not known yet.
    unacknowledged: usize,
    /// The Server hasn't got the newest state.
    behind: bool,
}

pub fn run(at: &Place, source: &Source, steps_per_second: f64) -> Result<(), String> {
    let stop = role::told_to_stop();
    let script = source.script()?;
    let client = terminal::connect(at, &format!("{}-master", at.run))?;
    let connected_us = terminal::first_connection(&client, at)?;
    let mut journal = Journal::open(&at.folder.join("master.jsonl"))?;
    journal.append(&MasterRecord::Connection { up: true, time_us: connected_us })?;
    let mut master = Master {
        client,
        journal,
        topic: at.topic(),
        run: at.run.clone(),
        book: Book::default(),
        seq: 0,
        trades: 0,
        connected: true,
        unacknowledged: 0,
        behind: false,
    };

    let start = Instant::now();
    let mut told = start;
    for change in &script.changes {
        let due = start + Duration::from_secs_f64(change.step as f64 / steps_per_second);
        loop {
            if stop.load(Ordering::Acquire) {
                return Ok(());
            }
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                master.progress(change.step, script.steps);
            }
            let left = due.saturating_duration_since(Instant::now()).min(PROGRESS);
            let event = master.client.next(left)?;
            if event.is_none() && Instant::now() + Duration::from_millis(1) >= due {
                break;
            }
            master.handle(event)?;
        }
        master.execute(change)?;
    }
    master.progress(script.steps, script.steps);

    let until = Instant::now() + LAST_WORD;
    while master.behind || master.unacknowledged > 0 {
        if Instant::now() >= until {
            return Err(format!("the Server did not acknowledge the last state within {} s", LAST_WORD.as_secs()));
        }
        master.wait()?;
    }
    Report::Finished { seq: master.seq }.say();
    while !stop.load(Ordering::Acquire) {
        master.wait()?;
    }
    master.clear()
}

impl Master {
    fn progress(&self, step: usize, steps: usize) {
        Report::Progress { step, steps, seq: self.seq, trades: self.trades }.say();
    }

    fn wait(&mut self) -> Result<(), String> {
        let event = self.client.next(PROGRESS)?;
        self.handle(event)
    }

    fn handle(&mut self, event: Option<Event>) -> Result<(), String> {
        match event {
            Some(Event::Connected { time_us }) => {
                self.journal.append(&MasterRecord::Connection { up: true, time_us })?;
                self.connected = true;
                // This may be another Server than before, or the same without its memory.
                self.behind = true;
            }
            Some(Event::Disconnected { time_us, .. }) => {
                self.journal.append(&MasterRecord::Connection { up: false, time_us })?;
                self.connected = false;
            }
            Some(Event::Published { failure }) => {
                self.unacknowledged = self.unacknowledged.saturating_sub(1);
                self.behind |= failure.is_some();
            }
            Some(Event::Failed { why }) => return Err(why),
            _ => {}
        }
        if self.behind && self.connected && self.seq > 0 {
            self.publish()?;
        }
        Ok(())
    }

    fn execute(&mut self, change: &Change) -> Result<(), String> {
        for action in &change.actions {
            self.book.apply(action)?;
        }
        self.seq += 1;
        self.trades += usize::from(change.opens());
        let time_us = self.client.library().time_unix_us();
        self.journal.append(&MasterRecord::Change { seq: self.seq, time_us, book: self.book.clone() })?;
        // While there is no connection nothing is queued: what is published after it is the newest state, once.
        self.behind = true;
        if self.connected { self.publish() } else { Ok(()) }
    }

    fn publish(&mut self) -> Result<(), String> {
        let mut state = State {
            run: self.run.clone(),
            seq: self.seq,
            sent_us: 0,
            positions: self.book.positions.values().cloned().collect(),
            orders: self.book.orders.values().cloned().collect(),
        };
        state.sent_us = self.client.library().time_unix_us();
        let payload = serde_json::to_vec(&state).map_err(|e| e.to_string())?;
        self.client.publish(&self.topic, &payload)?;
        self.unacknowledged += 1;
        self.behind = false;
        self.journal.append(&MasterRecord::Published { seq: self.seq, sent_us: state.sent_us })
    }

    /// Takes the retained state off the Server, which may live longer than this run.
    fn clear(mut self) -> Result<(), String> {
        if self.connected {
            self.client.publish(&self.topic, &[])?;
            self.unacknowledged += 1;
            self.seq = 0;
            let until = Instant::now() + Duration::from_secs(2);
            while self.connected && self.unacknowledged > 0 && Instant::now() < until {
                self.wait()?;
            }
        }
        self.client.disconnect(Duration::from_secs(1))
    }
}
