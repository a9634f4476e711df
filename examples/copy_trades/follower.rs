//! A follower's process: hears the master's states and brings its own account to each of them.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::abi::Event;
use crate::book::State;
use crate::copier::Copier;
use crate::journal::{FollowerRecord, Journal};
use crate::role::{self, Place, Report};
use crate::rules::Rules;
use crate::terminal;

/// How often it tells how far it is.
const PROGRESS: Duration = Duration::from_millis(100);

pub fn run(at: &Place, name: &str, rules: Rules) -> Result<(), String> {
    let stop = role::told_to_stop();
    let folder = at.folder.join(name);
    std::fs::create_dir_all(&folder).map_err(|e| format!("the folder {} can't be made: {e}", folder.display()))?;
    let mut copier = Copier::open(&folder, rules)?;
    let mut journal = Journal::open(&folder.join("received.jsonl"))?;
    let client = terminal::connect(at, &format!("{}-{name}", at.run))?;
    let connected_us = terminal::first_connection(&client, at)?;
    journal.append(&FollowerRecord::Connection { up: true, time_us: connected_us })?;
    // Once: the library repeats it after every connection that has lost the Session.
    client.subscribe(&at.topic())?;

    let (mut applied, mut told, mut told_at) = (0, 0, Instant::now());
    while !stop.load(Ordering::Acquire) {
        let event = client.next(PROGRESS)?;
        if applied > told && (event.is_none() || told_at.elapsed() >= PROGRESS) {
            (told, told_at) = (applied, Instant::now());
            Report::Applied { seq: applied }.say();
        }
        match event {
            Some(Event::Message { payload, retained, received_us }) => {
                if let Some(state) = state(&payload, &folder) {
                    let stale = copier.is_stale(&state);
                    let State { seq, sent_us, .. } = state;
                    let record = FollowerRecord::Received { seq, sent_us, received_us, retained, applied: !stale };
                    journal.append(&record)?;
                    if !stale {
                        copier.apply(&state, || client.library().time_unix_us())?;
                        applied = seq;
                    }
                }
            }
            Some(Event::Connected { time_us }) => {
                journal.append(&FollowerRecord::Connection { up: true, time_us })?;
            }
            Some(Event::Disconnected { time_us, .. }) => {
                journal.append(&FollowerRecord::Connection { up: false, time_us })?;
            }
            Some(Event::Subscribed { failure: Some(why) }) => {
                return Err(format!("the Server refused the subscription to {}: {why}", at.topic()));
            }
            Some(Event::Subscribed { failure: None }) => Report::Subscribed.say(),
            Some(Event::Failed { why }) => return Err(why),
            Some(Event::Published { .. } | Event::Other) | None => {}
        }
    }
    client.disconnect(Duration::from_secs(1))
}

/// None for the empty message by which a retained one is taken off the Server, and for one that is no state: whoever may
/// publish to the topic must not be able to stop the follower.
fn state(payload: &[u8], folder: &Path) -> Option<State> {
    if payload.is_empty() {
        return None;
    }
    match serde_json::from_slice(payload) {
        Ok(state) => Some(state),
        Err(e) => {
            eprintln!("{}: a message that is not a state was ignored: {e}", folder.display());
            None
        }
    }
}
