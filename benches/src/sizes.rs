//! What each part costs in the shared library: the symbols of a library that was not stripped, summed by crate.

use std::collections::HashMap;
use std::fmt::Write;
use std::process::Command;

/// Crates below this share of the whole are one line.
const SMALLEST: f64 = 0.01;

/// A table of the sizes of code and constants by crate.
pub fn table(library: &str) -> String {
    let output = Command::new("nm")
        .args(["--demangle", "--print-size", "--defined-only", library])
        .output()
        .expect("nm (Debian: apt-get install binutils)");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut sizes: HashMap<String, u64> = HashMap::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        let (_, Some(size), Some(_), Some(name)) = (words.next(), words.next(), words.next(), words.next()) else {
            continue;
        };
        if let Ok(size) = u64::from_str_radix(size, 16) {
            *sizes.entry(part(name)).or_default() += size;
        }
    }
    assert!(!sizes.is_empty(), "{library} has no symbols: build it with CARGO_PROFILE_RELEASE_STRIP=false");
    let whole: u64 = sizes.values().sum();
    let mut sizes: Vec<(String, u64)> = sizes.into_iter().collect();
    sizes.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), name.clone()));
    let (large, small): (Vec<_>, Vec<_>) =
        sizes.into_iter().partition(|(_, size)| *size as f64 >= whole as f64 * SMALLEST);
    let rest = ("all others".to_owned(), small.iter().map(|(_, size)| size).sum());
    let mut out = String::from("| part | KiB | share |\n| --- | ---: | ---: |\n");
    for (name, size) in large.into_iter().chain([rest]) {
        let share = size as f64 / whole as f64 * 100.0;
        writeln!(out, "| {name} | {} | {share:.0} % |", size / 1024).expect("a String");
    }
    out
}

/// The crate of a symbol. A name without a path is C or assembler, which comes from ring or from the system's libraries.
fn part(name: &str) -> String {
    let name = name.trim_start_matches(['<', '&', '*', '(', '[']);
    let name = name.strip_prefix("dyn ").or_else(|| name.strip_prefix("mut ")).unwrap_or(name);
    match name.split_once("::") {
        Some((first, _)) if first.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => match first {
            "std" | "core" | "alloc" => "the standard library".to_owned(),
            other => other.to_owned(),
        },
        _ if name.starts_with("mt5mqtt_") => "mt5mqtt".to_owned(),
        _ if name.starts_with("ring_core") || name.contains("ring_core") => "ring".to_owned(),
        _ => "C, assembler and constants without a name".to_owned(),
    }
}
