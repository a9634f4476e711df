//! What the checker must know besides the journals of a run; kept with them, so that they can be checked again.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::check::{Evidence, Verdict};
use crate::journal::{self, MasterRecord};
use crate::rules::Rules;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Follower {
    pub name: String,
    pub rules: Rules,
}

/// A process was killed, and started again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outage {
    /// The follower's name; none for the Server.
    pub follower: Option<String>,
    pub killed_us: i64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    pub followers: Vec<Follower>,
    pub outages: Vec<Outage>,
}

impl Run {
    const FILE: &str = "run.json";

    pub fn write(&self, folder: &Path) -> Result<(), String> {
        journal::replace(&folder.join(Run::FILE), self)
    }

    pub fn read(folder: &Path) -> Result<Run, String> {
        let path = folder.join(Run::FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{} can't be read: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    pub fn check(&self, folder: &Path) -> Result<Vec<Verdict>, String> {
        let master: Vec<MasterRecord> = journal::read(&folder.join("master.jsonl"))?;
        let check_one = |follower: &Follower| {
            let own = folder.join(&follower.name);
            let killed = |o: &&Outage| o.follower.as_ref().is_none_or(|name| *name == follower.name);
            let evidence = Evidence {
                master: &master,
                received: &journal::read(&own.join("received.jsonl"))?,
                account: &journal::read(&own.join("account.jsonl"))?,
                rules: &follower.rules,
                outages: &self.outages.iter().filter(killed).cloned().collect::<Vec<_>>(),
            };
            Ok(Verdict { name: follower.name.clone(), ..evidence.verdict() })
        };
        self.followers.iter().map(check_one).collect()
    }
}
