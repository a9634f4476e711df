//! Seeds of rounds that have failed once: a text file per suite, one line each. They are tests from then on.

use crate::common::tools;
use std::fs;
use std::io::Write;

/// The lines of such a file: what comes before what had gone wrong, in words.
pub fn kept(text: &str, words: usize) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(move |line| {
        let found: Vec<&str> = line.splitn(words + 1, ' ').take(words).collect();
        assert_eq!(found.len(), words, "'{line}' is no line of a round that has failed");
        found
    })
}

/// Adds a line to such a file, which lies at this path of the project.
pub fn keep(path: &str, line: &str) {
    let file = fs::OpenOptions::new().append(true).open(tools::project(path));
    if let Err(why) = file.and_then(|mut file| writeln!(file, "{line}")) {
        println!("the seed can't be kept in {path}: {why}");
    }
}
