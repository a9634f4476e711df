//! What is linked into the library may be passed on with it: every licence is one that asks for no more than its notice.

mod common;

use common::tools::{leave_out, project};
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
    // The DLL has some that other systems don't need.
    for target in [None, Some("x86_64-pc-windows-msvc")] {
        let mut tree = Command::new(env!("CARGO"));
        tree.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--no-dedupe", "--format", "{l}: {p}"]);
        tree.args(target.iter().flat_map(|target| ["--target", target])).current_dir(project(""));
        let output = tree.output().expect("cargo");
        if target.is_some() && !output.status.success() {
            leave_out("the licences of what the DLL links", "the crates for Windows");
            continue;
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let dependencies: BTreeSet<_> = text.lines().filter_map(|line| line.split_once(": ")).collect();
        assert!(dependencies.len() > 50, "they were not found: {output:?}");
        let for_windows = dependencies.iter().any(|(_, package)| package.starts_with("windows-sys "));
        assert_eq!(for_windows, target.is_some() || cfg!(windows), "{text}");
        let others: Vec<_> = dependencies.iter().filter(|(licence, _)| !is_permissive(licence)).collect();
        assert!(others.is_empty(), "{others:?}");
    }
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
