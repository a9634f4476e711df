//! Reads Rust sources as text: comments and literals blanked, test modules cut off, paths taken apart.
//!
//! Not a parser of Rust: enough for sources that rustfmt has formatted.

use std::fs;
use std::path::{Path, PathBuf};

/// Every `.rs` file below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The source with comments and the insides of literals as spaces; line breaks and lengths stay.
pub fn blank(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let word_before = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let (keep, end) = if rest.starts_with(b"//") {
            (0, at + find(rest, b"\n").unwrap_or(rest.len()))
        } else if rest.starts_with(b"/*") {
            (0, at + block_comment(rest))
        } else if let Some((open, close)) = raw_string(rest).filter(|_| !word_before) {
            let length = find(&rest[open..], &close).map_or(rest.len(), |position| open + position + close.len());
            (open, at + length)
        } else if rest[0] == b'"' {
            (1, at + quoted(rest, b'"'))
        } else if rest[0] == b'\'' && char_literal(rest) {
            (1, at + quoted(rest, b'\''))
        } else {
            at += 1;
            continue;
        };
        let last = if keep == 0 { end } else { end - 1 };
        for byte in &mut out[at + keep..last.max(at + keep)] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    // Only whole characters were replaced, each byte by a space.
    String::from_utf8(out).expect("UTF-8")
}

/// The blanked source without the modules that `#[cfg(test)]` marks.
pub fn without_tests(blanked: &str) -> String {
    let mut out = blanked.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let after = &out[start..];
        let semicolon = after.find(';').unwrap_or(after.len());
        let end = match after.find('{') {
            Some(open) if open < semicolon => start + open + block(&after[open..]),
            _ => (start + semicolon + 1).min(out.len()),
        };
        out.replace_range(start..end, "");
    }
    out
}

/// Length of the block that the text begins with, its braces included.
pub fn block(text: &str) -> usize {
    let mut depth = 0;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return position + 1;
        }
    }
    panic!("a block without its end: {}", &text[..text.len().min(80)]);
}

/// True where `word` stands alone, not as a part of a longer name.
pub fn has_word(source: &str, word: &str) -> bool {
    word_positions(source, word).next().is_some()
}

/// What follows the path prefix `root` (`crate`, `std`, `super::super`), groups taken apart: `std::{net::{A, B}, time}`
/// gives `net::A`, `net::B` and `time`.
pub fn paths_after(source: &str, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    for position in word_positions(source, root) {
        if let Some(tree) = source[position + root.len()..].trim_start().strip_prefix("::") {
            use_tree(tree, "", &mut found);
        }
    }
    found
}

fn word_positions<'s>(source: &'s str, word: &'s str) -> impl Iterator<Item = usize> + 's {
    let part_of_name = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    source.match_indices(word).map(|(position, _)| position).filter(move |&position| {
        let before = position.checked_sub(1).and_then(|before| source.as_bytes().get(before));
        !part_of_name(before) && !part_of_name(source.as_bytes().get(position + word.len()))
    })
}

/// Reads one use tree (or the path of an expression, which is a tree without groups); returns how much it used.
fn use_tree(tree: &str, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut at = tree.len() - tree.trim_start().len();
    if tree[at..].starts_with('{') {
        at += 1;
        loop {
            at += tree[at..].len() - tree[at..].trim_start_matches([',', ' ', '\n']).len();
            if at >= tree.len() || tree[at..].starts_with('}') {
                return (at + 1).min(tree.len());
            }
            let used = use_tree(&tree[at..], prefix, found);
            assert!(used > 0, "not a use tree: {}", &tree[at..(at + 40).min(tree.len())]);
            at += used;
        }
    }
    let name = tree[at..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*')).unwrap_or(tree.len() - at);
    let path =
        if prefix.is_empty() { tree[at..at + name].to_owned() } else { format!("{prefix}::{}", &tree[at..at + name]) };
    at += name;
    if let Some(rest) = tree[at..].strip_prefix("::").filter(|rest| !rest.starts_with('<')) {
        return at + 2 + use_tree(rest, &path, found);
    }
    found.push(path);
    if let Some(alias) = tree[at..].strip_prefix(" as ") {
        at += 4 + alias.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(alias.len());
    }
    at
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Length of a block comment, nested ones included.
fn block_comment(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// `r"`, `r#"`, `br"`, `cr"`…: the length of the opening and the closing.
fn raw_string(bytes: &[u8]) -> Option<(usize, Vec<u8>)> {
    let prefix = usize::from(matches!(bytes[0], b'b' | b'c'));
    if bytes.get(prefix) != Some(&b'r') {
        return None;
    }
    let hashes = bytes[prefix + 1..].iter().take_while(|byte| **byte == b'#').count();
    (bytes.get(prefix + 1 + hashes) == Some(&b'"')).then(|| {
        let mut close = vec![b'"'];
        close.extend(vec![b'#'; hashes]);
        (prefix + 2 + hashes, close)
    })
}

/// Length of a literal in quotes with backslash escapes.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Tells the literal `'a'` from the lifetime `'a`.
fn char_literal(bytes: &[u8]) -> bool {
    match bytes.get(1) {
        Some(b'\\') => true,
        Some(first) => {
            let length = match first {
                0xF0.. => 4,
                0xE0.. => 3,
                0xC0.. => 2,
                _ => 1,
            };
            bytes.get(1 + length) == Some(&b'\'')
        }
        None => false,
    }
}
