//! The verdicts as a table, one column for each follower.

use crate::check::{Tally, Verdict};

const LABEL: usize = 44;
const COLUMN: usize = 14;

pub fn table(verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    let mut row = |label: &str, cell: &dyn Fn(&Verdict) -> String| {
        let cells: String = verdicts.iter().map(|v| format!("{:>COLUMN$}", cell(v))).collect();
        text.push_str(&format!("{label:<LABEL$}{cells}\n"));
    };
    row("", &|v| v.name.clone());
    row("trades copied", &|v| v.trades.copied.to_string());
    row("trades skipped (wholly inside an outage)", &|v| v.trades.skipped.len().to_string());
    row("trades missed", &|v| v.trades.missed.len().to_string());
    row("trades doubled", &|v| v.trades.doubled.len().to_string());
    row("pending orders copied", &|v| v.orders.copied.to_string());
    row("pending orders skipped", &|v| v.orders.skipped.len().to_string());
    row("pending orders missed", &|v| v.orders.missed.len().to_string());
    row("pending orders doubled", &|v| v.orders.doubled.len().to_string());
    row("states applied and compared", &|v| v.states.to_string());
    row("states with a wrong book", &|v| v.wrong_states.to_string());
    row("book equal at the end", &|v| if v.book.is_empty() { "yes" } else { "no" }.to_owned());
    row("outages, from kill to next state", &|v| {
        let seconds: Vec<String> = v.outages.iter().map(|us| format!("{:.2}", *us as f64 / 1e6)).collect();
        if seconds.is_empty() { "none".to_owned() } else { format!("{} s", seconds.join(", ")) }
    });
    row("master's call to follower's message, p50", &|v| time(percentile(&v.latencies, 50)));
    row("                                     p99", &|v| time(percentile(&v.latencies, 99)));
    row("                                     max", &|v| time(v.latencies.last().copied()));
    row("messages measured", &|v| v.latencies.len().to_string());
    row("messages late (retained or after an outage)", &|v| v.late.to_string());
    for verdict in verdicts {
        text.push_str(&details(verdict));
    }
    text
}

fn details(verdict: &Verdict) -> String {
    let mut text = String::new();
    let mut line = |what: &str, ids: &[u64]| {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
            text.push_str(&format!("{}: {what}: {}\n", verdict.name, ids.join(" ")));
        }
    };
    for (name, Tally { skipped, missed, doubled, uncalled, .. }) in
        [("trades", &verdict.trades), ("pending orders", &verdict.orders)]
    {
        line(&format!("{name} skipped"), skipped);
        line(&format!("{name} MISSED"), missed);
        line(&format!("{name} DOUBLED"), doubled);
        line(&format!("{name} that nobody asked for"), uncalled);
    }
    for difference in &verdict.book {
        text.push_str(&format!("{}: {difference}\n", verdict.name));
    }
    text
}

fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    // The nearest rank: the smallest value that at least so many percent don't exceed.
    sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?).copied()
}

fn time(us: Option<i64>) -> String {
    match us {
        None => "-".to_owned(),
        Some(us) if us < 10_000 => format!("{us} µs"),
        Some(us) => format!("{:.1} ms", us as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let values: Vec<i64> = (1..=200).collect();
        assert_eq!(percentile(&values, 50), Some(100));
        assert_eq!(percentile(&values, 99), Some(198));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn what_is_wrong_is_listed_by_name() {
        let mut verdict = Verdict { name: "follower-b".into(), ..Verdict::default() };
        verdict.trades.skipped = vec![5, 6];
        verdict.trades.missed = vec![7];
        verdict.book = vec!["position 7 is not open".into()];
        let text = table(&[verdict]);
        assert!(text.contains("follower-b: trades skipped: 5 6\n"), "{text}");
        assert!(text.contains("follower-b: trades MISSED: 7\n"), "{text}");
        assert!(text.contains("follower-b: position 7 is not open\n"), "{text}");
    }
}
