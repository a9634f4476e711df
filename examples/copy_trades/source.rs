//! Where the master's trades come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::rows::BadRows;
use crate::script::Script;
use crate::{history, prices, strategy};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Prices { path: PathBuf, symbol: String, bars: usize, trades: usize, seed: u64, strict: bool },
    History { path: PathBuf, trades: usize, strict: bool },
}

impl Source {
    pub fn script(&self) -> Result<Script, String> {
        let on_bad = |strict: bool| if strict { BadRows::Stop } else { BadRows::Skip };
        match self {
            Source::Prices { path, symbol, bars, trades, seed, strict } => {
                let (read, bad_rows) = prices::read(path, on_bad(*strict))?;
                let script = strategy::script(&read[..read.len().min(*bars)], symbol, *seed, *trades)?;
                Ok(Script { bad_rows, ..script })
            }
            Source::History { path, trades, strict } => {
                let mut script = history::read(path, on_bad(*strict))?;
                script.limit_trades(*trades);
                Ok(script)
            }
        }
    }
}
