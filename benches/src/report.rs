//! From the figures of all rounds to a table of medians with ratios.

use crate::peers::{Peer, ours};
use crate::plan::{Against, Figure, PLAN, Row};
use std::collections::HashMap;
use std::fmt::Write;

pub struct Results {
    /// By row (its place in the plan), peer and key.
    values: HashMap<(usize, &'static str, String), Vec<f64>>,
}

fn position(row: &Row) -> usize {
    PLAN.iter().position(|other| std::ptr::eq(other, row)).expect("a row of the plan")
}

impl Results {
    pub fn new() -> Self {
        Results { values: HashMap::new() }
    }

    pub fn add(&mut self, row: &Row, peer: Peer, key: &str, value: f64) {
        self.values.entry((position(row), peer.name(), key.to_owned())).or_default().push(value);
    }

    pub fn median(&self, row: &Row, peer: Peer, figure: &Figure) -> Option<f64> {
        let mut values = self.values.get(&(position(row), peer.name(), figure.key.to_owned()))?.clone();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        Some(if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 })
    }

    /// Our figure through the one it is held against.
    fn ratio(&self, row: &Row, figure: &Figure) -> Option<f64> {
        let ours = self.median(row, Peer::Ours, figure)?;
        let other = match figure.against {
            Against::Nothing => return None,
            Against::Raw => self.median(row, Peer::Raw, figure)?,
            Against::Libmosquitto => self.median(row, Peer::Mosquitto, figure)?,
            Against::Best => {
                let others = [Peer::Mosquitto, Peer::Paho, Peer::Rumqttc].into_iter();
                let values = others.filter_map(|peer| self.median(row, peer, figure));
                if figure.more_is_better { values.reduce(f64::max)? } else { values.reduce(f64::min)? }
            }
        };
        Some(ours / other)
    }

    pub fn table(&self, rows: &[&Row]) -> String {
        let mut out = String::from("| measure | Server |");
        Peer::ALL.iter().for_each(|peer| write!(out, " {} |", peer.name()).expect("a String"));
        out.push_str(" mt5mqtt to | is | must be | |\n| --- | --- |");
        out.push_str(&" ---: |".repeat(Peer::ALL.len()));
        out.push_str(" --- | ---: | ---: | --- |\n");
        for row in rows {
            for figure in row.results {
                self.line(row, figure, &mut out);
            }
        }
        out
    }

    fn line(&self, row: &Row, figure: &Figure, out: &mut String) {
        write!(out, "| {} ({}) | {} |", figure.title, figure.unit, row.place.name()).expect("a String");
        for peer in Peer::ALL {
            match self.median(row, peer, figure) {
                Some(value) => write!(out, " {} |", number(value)).expect("a String"),
                None => out.push_str(" |"),
            }
        }
        let (against, is) = match figure.against {
            Against::Nothing => ("", self.median(row, Peer::Ours, figure)),
            Against::Raw => ("raw TCP", self.ratio(row, figure)),
            Against::Libmosquitto => ("libmosquitto", self.ratio(row, figure)),
            Against::Best => ("the best peer", self.ratio(row, figure)),
        };
        let shown =
            if against.is_empty() { String::new() } else { is.map(|is| format!("{is:.2}")).unwrap_or_default() };
        let (sign, word) = match (figure.target, is) {
            (None, _) | (_, None) => (String::new(), ""),
            (Some(target), Some(is)) => {
                let reached = if figure.more_is_better { is >= target } else { is <= target };
                let sign = if figure.more_is_better { "≥" } else { "≤" };
                (format!("{sign} {target}"), if reached { "yes" } else { "**no**" })
            }
        };
        writeln!(out, " {against} | {shown} | {sign} | {word} |").expect("a String");
    }

    /// The part of RESULTS.md that the harness writes.
    pub fn document(&self, rows: &[&Row], rounds: usize) -> String {
        let library = std::fs::metadata(ours::library_path()).map(|file| file.len()).unwrap_or(0);
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        format!(
            "Medians of {rounds} rounds on {}, {cores} cores, loopback. The shared library has {} KiB.\n\n{}",
            processor(),
            library / 1024,
            self.table(rows)
        )
    }
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    line.map_or("an unknown processor", |(_, name)| name).to_owned()
}

/// Three digits that say something.
pub fn number(value: f64) -> String {
    match value {
        value if value >= 1000.0 => {
            let digits = format!("{value:.0}");
            let mut out = String::new();
            for (index, digit) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index) % 3 == 0 {
                    out.push(',');
                }
                out.push(digit);
            }
            out
        }
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// Puts what was measured where it belongs in RESULTS.md: between the two lines that name the part. The rest of the file is
/// written by hand.
pub fn rewrite(path: &str, part: &str, text: &str) {
    let (begin, end) = (format!("<!-- {part}: written by the harness -->"), format!("<!-- end of the {part} -->"));
    let old = std::fs::read_to_string(path).unwrap_or_default();
    let (before, rest) = old.split_once(&begin).unwrap_or((&old, ""));
    let after = rest.split_once(&end).map_or("\n", |(_, after)| after);
    std::fs::write(path, format!("{before}{begin}\n\n{text}\n{end}{after}")).expect("write RESULTS.md");
}
