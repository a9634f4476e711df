//! What is linked into the library may be passed on with it: every licence is one that asks for no more than its notice.

mod common;

use common::tools::{project, run};
use std::collections::BTreeSet;
use std::process::Command;

const PERMISSIVE: [&str; 6] = ["Apache-2.0", "BSD-3-Clause", "CDLA-Permissive-2.0", "ISC", "MIT", "Unicode-3.0"];

/// Whether a licence expression (SPDX) can be met by permissive licences alone.
fn is_permissive(expression: &str) -> bool {
    // Of `A AND (B OR C)` each part has to hold; older crates write `B/C`.
    let is_met = |part: &str| {
        let choices = part.trim().trim_start_matches('(').trim_end_matches(')');
        choices.split(" OR ").flat_map(|choice| choice.split('/')).any(|one| PERMISSIVE.contains(&one.trim()))
    };
    expression.split(" AND ").all(is_met)
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--no-dedupe", "--format", "{l}: {p}"]);
    let text = run(tree.current_dir(project("")));
    let dependencies: BTreeSet<_> = text.lines().filter_map(|line| line.split_once(": ")).collect();
    assert!(dependencies.len() > 50, "they were not found: {text}");
    let others: Vec<_> = dependencies.iter().filter(|(licence, _)| !is_permissive(licence)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn another_licence_is_found_out() {
    for permissive in
        ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "Apache-2.0 AND ISC", "(MIT OR Apache-2.0) AND Unicode-3.0"]
    {
        assert!(is_permissive(permissive), "{permissive}");
    }
    for other in ["", "MPL-2.0", "GPL-3.0 AND MIT", "MIT AND (GPL-2.0 OR GPL-3.0)"] {
        assert!(!is_permissive(other), "{other}");
    }
}
