//! The header, the sources of the C ABI and the built library name the same functions, and each function is guarded: a
//! panic that left one would end the host.

mod common;

use common::c_header::CHeader;
use common::library;
use common::rust_source::{blank, block, files, without_tests};
use common::tools::{self, find, leave_out, project};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// One exported function of a source: its name and whether its body calls the guard.
#[derive(Debug, PartialEq, Eq)]
struct Export {
    name: String,
    guarded: bool,
}

fn exports(source: &str) -> Vec<Export> {
    // The ABI's name is a literal, which blanking empties.
    let source = without_tests(&blank(source));
    let mut found = Vec::new();
    for (position, start) in source.match_indices("extern \" \" fn ") {
        let rest = &source[position + start.len()..];
        let name = &rest[..rest.find('(').expect("parameters")];
        let open = rest.find('{').expect("a body");
        let body = &rest[open..open + block(&rest[open..])];
        let guarded = body.contains("guard(") || body.contains("guard_") || body.contains("guard::");
        found.push(Export { name: name.to_owned(), guarded });
    }
    found
}

fn of_the_sources() -> Vec<Export> {
    files(&project("src/ffi"))
        .iter()
        .flat_map(|file| exports(&fs::read_to_string(file).expect("read a source")))
        .collect()
}

fn of_the_header() -> BTreeSet<String> {
    let text = fs::read_to_string(project("include/mt5mqtt.h")).expect("the header");
    let names: BTreeSet<String> = CHeader::parse(&text).functions.into_iter().map(|function| function.name).collect();
    assert!(names.len() > 50, "the header was not understood: {names:?}");
    names
}

#[test]
fn the_header_declares_what_the_sources_export() {
    let sources: BTreeSet<String> = of_the_sources().into_iter().map(|export| export.name).collect();
    assert_eq!(difference(&of_the_header(), &sources), "");
}

#[test]
fn every_export_is_guarded() {
    let open: Vec<String> =
        of_the_sources().into_iter().filter(|export| !export.guarded).map(|export| export.name).collect();
    assert!(open.is_empty(), "a panic could leave {}", open.join(", "));
}

#[test]
fn the_built_library_exports_what_the_header_declares() {
    let Some(nm) = find("nm").filter(|_| cfg!(target_os = "linux")) else {
        return leave_out("the exports of the built library", "nm on Linux");
    };
    let listing = tools::run(Command::new(nm).args(["-D", "--defined-only"]).arg(library::path()));
    let built: BTreeSet<String> = listing
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        // Dependencies may add names of their own; the library's all begin alike.
        .filter(|name| name.starts_with("mt5mqtt"))
        .map(str::to_owned)
        .collect();
    assert_eq!(difference(&of_the_header(), &built), "");
}

/// What one side has and the other lacks, in words; empty when they are the same.
fn difference(header: &BTreeSet<String>, other: &BTreeSet<String>) -> String {
    let only = |side: &str, names: Vec<&String>| {
        names.into_iter().map(|name| format!("only in {side}: {name}\n")).collect::<String>()
    };
    only("the header", header.difference(other).collect()) + &only("the other", other.difference(header).collect())
}

#[test]
fn an_unguarded_export_and_a_missing_one_are_found() {
    let source = "#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn mt5mqtt_a(x: i32) -> i32 {\n    guard(|| x)\n}\n\
                  pub extern \"C\" fn mt5mqtt_b() -> i32 {\n    // guard(\n    if true { 1 } else { 2 }\n}\n\
                  fn guard() {}\n\
                  #[cfg(test)]\nmod tests { extern \"C\" fn not_this() {} }";
    let expected =
        [("mt5mqtt_a", true), ("mt5mqtt_b", false)].map(|(name, guarded)| Export { name: name.to_owned(), guarded });
    assert_eq!(exports(source), expected);

    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(difference(&set(&["a", "b"]), &set(&["b", "a"])), "");
    assert_eq!(difference(&set(&["a", "b"]), &set(&["b", "c"])), "only in the header: a\nonly in the other: c\n");
}
