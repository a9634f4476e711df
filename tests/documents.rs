//! What the project's texts point at is there: files, folders, headings.

mod common;

use common::tools::project;
use std::fs;
use std::path::{Path, PathBuf};

/// Every Markdown file, but those of builds.
fn documents() -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![project("")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found
}

/// What stands between a mark and the next one, in the order of the text.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    text.split(open).skip(1).filter_map(|rest| rest.split_once(close)).map(|(inside, _)| inside).collect()
}

/// The anchors of a text's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// Links of a text that lead nowhere.
fn dead_links(path: &Path, text: &str) -> Vec<String> {
    let links = between(text, "](", ")").into_iter().filter(|link| !link.contains("://"));
    let leads_nowhere = |link: &&str| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = path.parent().expect("a folder").join(file);
        let there = if file.is_empty() { text.to_owned() } else { fs::read_to_string(&target).unwrap_or_default() };
        !target.exists() || !(anchor.is_empty() || anchors(&there).iter().any(|known| known == anchor))
    };
    links.filter(leads_nowhere).map(str::to_owned).collect()
}

/// Paths of the project in a text's code that don't exist. The layers are named without `src/`, modules without `.rs`.
fn missing_paths(text: &str) -> Vec<String> {
    let folders = ["src/", "tests/", "mql5/", "examples/", "benches/", "fuzz/", "include/"];
    let layers = ["types/", "codec/", "session/", "client/", "ffi/"];
    let code = text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
    let words = code.filter_map(|code| code.split(' ').next());
    let paths = words.filter_map(|word| {
        let begins = |with: &[&str]| with.iter().any(|with| word.starts_with(with));
        let path = if begins(&layers) { format!("src/{word}") } else { word.to_owned() };
        (begins(&folders) || begins(&layers)).then_some(path)
    });
    // Corpora and finds of the fuzzer are made by it.
    let made = ["fuzz/corpus", "fuzz/artifacts"];
    let paths = paths.filter(|path| !path.contains(['*', '<']) && !made.iter().any(|made| path.starts_with(made)));
    let is_missing = |path: &String| !project(path).exists() && !project(&format!("{path}.rs")).exists();
    paths.filter(is_missing).collect()
}

#[test]
fn every_link_and_path_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 8, "the texts were not found: {documents:?}");
    let mut found = Vec::new();
    for path in documents {
        let text = fs::read_to_string(&path).expect("a text");
        let missing = dead_links(&path, &text).into_iter().chain(missing_paths(&text));
        found.extend(missing.map(|what| format!("{}: {what}", path.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_dead_end_is_found() {
    let readme = project("README.md");
    let text =
        "# A, and C++\n[a](#a-and-c) [b](#gone) [c](CHANGELOG.md) [d](GONE.md) [e](CHANGELOG.md#gone) [f](https://x)";
    assert_eq!(dead_links(&readme, text), ["#gone", "GONE.md", "CHANGELOG.md#gone"]);
    let text = "`src/lib.rs` is `src/gone.rs`, `client/clock` and `client/gone`, `mqtt://tests/` `tests/faults/run --minutes N`";
    assert_eq!(missing_paths(text), ["src/gone.rs", "src/client/gone"]);
}
