//! Where a row points to: symbols in the sources, and tests with what they say.

use super::common::rust_source::{blank, block, without_tests};
use super::common::tools::project;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Files by their path below the root of the project.
pub trait Files {
    fn read(&self, path: &str) -> Option<String>;
}

/// A source file, and the same with comments and literals blanked.
#[derive(Clone)]
struct Source {
    text: Rc<str>,
    blanked: Rc<str>,
}

/// Files that are read and blanked once.
pub struct Sources<F> {
    files: F,
    read: RefCell<HashMap<String, Option<Source>>>,
}

impl<F: Files> Sources<F> {
    pub fn new(files: F) -> Self {
        Sources { files, read: RefCell::default() }
    }

    fn source(&self, path: &str) -> Option<Source> {
        let mut read = self.read.borrow_mut();
        let source = read.entry(path.to_owned()).or_insert_with(|| {
            let text = self.files.read(path)?;
            Some(Source { blanked: blank(&text).into(), text: text.into() })
        });
        source.clone()
    }
}

/// Those on the disk.
pub struct Project;

impl Files for Project {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(project(path)).ok()
    }
}

fn is_part_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Where `name` stands as a whole word.
fn words<'s>(source: &'s str, name: &'s str) -> impl Iterator<Item = usize> + 's {
    source.match_indices(name).map(|(position, _)| position).filter(move |position| {
        !source[..*position].ends_with(is_part_of_name) && !source[position + name.len()..].starts_with(is_part_of_name)
    })
}

/// What is wrong with `path symbol`: a file below src/, and an item, a `Type::item` or a row of a table macro in it.
pub fn symbol_fault(place: &str, sources: &Sources<impl Files>) -> Option<String> {
    let Some((path, symbol)) = place.split_once(' ').filter(|(path, _)| path.starts_with("src/")) else {
        return Some(format!("'{place}' is not 'src/… symbol'"));
    };
    let Some(source) = sources.source(path) else { return Some(format!("there is no {path}")) };
    let source = without_tests(&source.blanked);
    let (of_type, name) = match symbol.rsplit_once("::") {
        Some((of_type, name)) => (Some(of_type), name),
        None => (None, symbol),
    };
    let has_impl =
        |of_type: &str| source.lines().any(|line| line.starts_with("impl") && words(line, of_type).next().is_some());
    if of_type.is_some_and(|of_type| !has_impl(of_type)) || !defines(&source, name) {
        return Some(format!("{path} has no {symbol}"));
    }
    None
}

/// Whether `name` is an item of the source, or begins a row of a table macro (`Name = 0x01, …`).
fn defines(source: &str, name: &str) -> bool {
    const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "const", "static", "trait", "type", "mod"];
    words(source, name).any(|position| {
        let line_start = source[..position].rfind('\n').map_or(0, |end| end + 1);
        let before = source[line_start..position].trim();
        let keyword = before.split(|c: char| !is_part_of_name(c)).next_back().unwrap_or_default();
        let begins_row = before.is_empty() && source[position + name.len()..].trim_start().starts_with("= ");
        KEYWORDS.contains(&keyword) || begins_row
    })
}

/// A test's comments and body, or why there is no such test. `name` is `binary path::of::test`; the binary `lib` is the
/// library with its unit tests.
pub fn test_text(name: &str, sources: &Sources<impl Files>) -> Result<String, String> {
    let Some((binary, path)) = name.split_once(' ') else {
        return Err(format!("'{name}' is not 'binary path::of::test'"));
    };
    let roots = match binary {
        "lib" => vec!["src/lib.rs".to_owned()],
        _ => vec![format!("tests/{binary}.rs"), format!("tests/{binary}/main.rs")],
    };
    let root = roots.iter().find_map(|path| sources.source(path).map(|source| (path.clone(), source)));
    let Some((file, mut source)) = root else { return Err(format!("there is no test binary {binary}")) };
    // A submodule lies beside the root file, or beside the `mod.rs` of its parent.
    let mut folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut segments: Vec<&str> = path.split("::").collect();
    let function = segments.pop().unwrap_or_default();
    for module in segments {
        let blanked = source.blanked.clone();
        let position = words(&blanked, module).find(|position| blanked[..*position].trim_end().ends_with("mod"));
        let Some(position) = position else { return Err(format!("{binary} has no module {module} ({path})")) };
        let after = blanked[position + module.len()..].trim_start();
        if after.starts_with('{') {
            let start = blanked.len() - after.len();
            let inside = start + 1..start + block(after) - 1;
            source = Source { text: source.text[inside.clone()].into(), blanked: blanked[inside].into() };
            continue;
        }
        folder = format!("{folder}/{module}");
        let found = [format!("{folder}.rs"), format!("{folder}/mod.rs")].iter().find_map(|path| sources.source(path));
        source = found.ok_or_else(|| format!("the file of the module {module} is missing ({path})"))?;
    }
    function_text(&source, function).ok_or_else(|| format!("{binary} has no test {path}"))
}

/// Attributes, comments and body of a function that is a test and is run.
fn function_text(source: &Source, name: &str) -> Option<String> {
    let (source, blanked) = (&source.text, &source.blanked);
    let position = words(blanked, name).find(|position| blanked[..*position].ends_with("fn "))?;
    let line = source[..position].rfind('\n').map_or(0, |end| end + 1);
    let mut start = line;
    for before in source[..line].lines().rev() {
        if !["#[", "//"].iter().any(|mark| before.trim_start().starts_with(mark)) {
            break;
        }
        start -= before.len() + 1;
    }
    let attributes = &blanked[start..line];
    if !attributes.contains("#[test]") || attributes.contains("ignore") {
        return None;
    }
    let open = position + blanked[position..].find('{')?;
    Some(source[start..open + block(&blanked[open..])].to_owned())
}

/// The ids of rules in a text.
pub fn cited_ids(text: &str) -> Vec<String> {
    let id_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let tokens = text.split(|c: char| !id_part(c)).map(|token| token.trim_end_matches(['.', '-']));
    tokens.filter(|token| is_id(token)).map(str::to_owned).collect()
}

/// `MQTT-3.1.2-4`, `MQTT311-3.1.2-4` or `5-3.1.2.3-a`.
fn is_id(token: &str) -> bool {
    let mut parts = token.split('-');
    let (Some(prefix), Some(section), Some(last), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number_fits = match prefix {
        "MQTT" | "MQTT311" => digits(last),
        "5" => last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_lowercase()),
        _ => false,
    };
    number_fits && section.split('.').all(digits)
}
