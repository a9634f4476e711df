//! The table of rules: each rule of MQTT that binds a client, where this client keeps it, and the tests that prove it.
//!
//! `ids.tsv` lists the rules, `rules/` has a row for each. The checks here read sources only: that a named test passes is for
//! that test to say. `README.md` in this folder tells how a row is written.

#[path = "../common/mod.rs"]
mod common;

mod check;
mod checker;
mod sources;
mod table;

use check::violations;
use common::tools::project;
use sources::Project;
use table::{Group, Table};

/// Rows whose rule has no proof yet. It only ever falls.
const OPEN: usize = 1;

#[test]
fn every_rule_has_a_row_whose_code_and_proof_exist() {
    let found = violations(&Table::read(), Project);
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}

#[test]
fn rules_without_proof_are_counted() {
    let table = Table::read();
    let open: Vec<String> = table.open().map(|row| format!("{}: {}", row.id, row.proved)).collect();
    println!("{} rules without proof\n{}", open.len(), open.join("\n"));
    assert_eq!(open.len(), OPEN, "the number of rules without proof:\n{}", open.join("\n"));
}

#[test]
fn the_readme_tells_the_count() {
    let table = Table::read();
    let readme = std::fs::read_to_string(project("README.md")).expect("README.md");
    let text = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut wanted = vec![
        format!(" {} rules,", table.rows.len()),
        format!(" {} numbered rules of MQTT 5.0", table.count(Group::Client)),
        format!(" {} more that have no number", table.count(Group::Ours)),
        format!(" {} of a Server's that the client checks", table.count(Group::Server)),
        format!(" {} of MQTT 3.1.1", table.count(Group::Client311)),
    ];
    let rest =
        [(table.not_applicable().count(), "can't apply to this client"), (table.open().count(), "have no proof yet")];
    for (count, what) in rest {
        if count > 0 {
            wanted.push(format!(" {count} {what}"));
        } else {
            assert!(!text.contains(what), "README.md says '{what}', but there are none");
        }
    }
    for wanted in wanted {
        assert!(text.contains(&wanted), "README.md doesn't say '{wanted}'");
    }
}

#[test]
fn no_comment_cites_a_rule_that_does_not_exist() {
    let table = Table::read();
    let mut unknown = Vec::new();
    for folder in ["src", "tests", "examples"] {
        for file in common::rust_source::files(&project(folder)) {
            // The checker's own tests cite rules that can't exist.
            if file.ends_with("conformance/checker.rs") {
                continue;
            }
            let source = std::fs::read_to_string(&file).expect("a source file");
            let cited = sources::cited_ids(&source).into_iter();
            unknown.extend(cited.filter(|id| table.group(id).is_none()).map(|id| format!("{}: {id}", file.display())));
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
