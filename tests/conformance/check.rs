//! What can be wrong with the table.

use super::sources::{Files, Sources, cited_ids, symbol_fault, test_text};
use super::table::{Group, NOT_APPLICABLE, OPEN, Row, Table};
use std::collections::BTreeSet;

/// A reason is a sentence, not a word.
const SHORTEST_REASON: usize = 20;

/// Every fault of the table, each with the id of its rule.
pub fn violations(table: &Table, files: impl Files) -> Vec<String> {
    let sources = Sources::new(files);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &table.rows {
        let mut fault = |what: String| found.push(format!("{}: {what}", row.id));
        if !seen.insert(row.id.as_str()) {
            fault("it has two rows".to_owned());
        }
        if table.group(&row.id).is_none_or(|group| group == Group::Other) {
            fault("ids.tsv has no such rule for a client".to_owned());
        }
        if row.rule.is_empty() {
            fault("the row doesn't say what the rule is".to_owned());
        }
        for what in enforcement(row, &sources).into_iter().chain(proof(row, &sources)) {
            fault(what);
        }
    }
    for (id, group) in &table.ids {
        if *group != Group::Other && !seen.contains(id.as_str()) {
            found.push(format!("{id}: it has no row"));
        }
    }
    found
}

fn enforcement(row: &Row, sources: &Sources<impl Files>) -> Vec<String> {
    if let Some(reason) = row.reason_not_to_apply() {
        let short = reason.len() < SHORTEST_REASON;
        return if short {
            vec![format!("why it can't apply is missing after '{NOT_APPLICABLE}'")]
        } else {
            Vec::new()
        };
    }
    if row.enforced == "-" && row.proved.starts_with(OPEN) {
        return Vec::new();
    }
    row.enforced.split("; ").filter_map(|place| symbol_fault(place, sources)).collect()
}

fn proof(row: &Row, sources: &Sources<impl Files>) -> Vec<String> {
    if row.reason_not_to_apply().is_some() {
        let none = row.proved == "-";
        return if none { Vec::new() } else { vec!["a rule that can't apply has no proof: write '-'".to_owned()] };
    }
    if let Some(missing) = row.proved.strip_prefix(OPEN) {
        let short = missing.len() < SHORTEST_REASON;
        return if short { vec![format!("what is missing isn't said after '{OPEN}'")] } else { Vec::new() };
    }
    let faults = row.proved.split("; ").filter_map(|test| match test_text(test, sources) {
        Err(missing) => Some(missing),
        Ok(text) if cited_ids(&text).contains(&row.id) => None,
        Ok(_) => Some(format!("the test '{test}' doesn't cite it")),
    });
    faults.collect()
}
