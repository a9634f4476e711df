//! The lines of MQL5 that no C++ parser reads: `#import`, `#property`, `#include`, `input`.
//!
//! They become blanks of the same length, and are remembered.

use super::Refusal;
use std::collections::{BTreeMap, BTreeSet};

/// A source, ready to be parsed as C++.
#[derive(Debug, Default)]
pub struct Source {
    pub name: String,
    /// As long as the file, line by line and byte by byte.
    pub text: String,
    pub includes: Vec<Include>,
    pub properties: Vec<(String, String)>,
    /// Lines (from 1) between `#import "library"` and the next `#import`, with the library.
    pub imports: BTreeMap<usize, String>,
    /// Lines that declare an input.
    pub inputs: BTreeSet<usize>,
}

/// An `#include`.
#[derive(Debug)]
pub struct Include {
    pub line: usize,
    /// With `/` between folders.
    pub path: String,
    pub from_include_folder: bool,
}

impl Source {
    pub fn read(name: &str, text: &str, is_main: bool, refusals: &mut Vec<Refusal>) -> Self {
        let mut source = Self { name: name.to_owned(), ..Self::default() };
        let mut library = None;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let mut refuse =
                |text: &str| refusals.push(Refusal { file: name.to_owned(), line: number, text: text.to_owned() });
            let mut kept = " ".repeat(line.len());
            if let Some(imported) = line.strip_prefix("#import") {
                let imported = imported.trim().trim_matches('"');
                library = (!imported.is_empty()).then(|| imported.to_owned());
                if library.as_deref().is_some_and(|library| !library.ends_with(".dll")) {
                    refuse("imports come from .dll files only");
                }
            } else if let Some(property) = line.strip_prefix("#property ") {
                if is_main {
                    let (key, value) = property.trim().split_once(' ').unwrap_or((property.trim(), ""));
                    source.properties.push((key.to_owned(), value.trim().trim_matches('"').to_owned()));
                } else {
                    refuse("a #property of an included file is ignored: it belongs into the .mq5 file");
                }
            } else if let Some(path) = line.strip_prefix("#include ") {
                let path = path.trim();
                let from_include_folder = path.starts_with('<');
                let path = path.trim_matches(['"', '<', '>']).replace('\\', "/");
                source.includes.push(Include { line: number, path, from_include_folder });
            } else if let Some(label) = line.strip_prefix("input group") {
                if !label.trim().starts_with('"') {
                    refuse("write input group \"name\"");
                }
            } else if line.starts_with("input ") {
                source.inputs.insert(number);
                if !line.contains("; // ") && !line.trim_end().contains("// ") {
                    refuse("an input needs a comment behind it: its label in the dialog");
                }
                kept = line.replacen("input ", "      ", 1);
            } else {
                kept = line.to_owned();
            }
            if let Some(library) = library.as_ref().filter(|_| !line.starts_with("#import")) {
                source.imports.insert(number, library.clone());
            }
            source.text.push_str(&kept);
            source.text.push('\n');
        }
        if library.is_some() {
            let line = text.lines().count();
            let text = "an #import without a name must end the block".to_owned();
            refusals.push(Refusal { file: name.to_owned(), line, text });
        }
        source.check_properties(refusals);
        source
    }

    fn check_properties(&self, refusals: &mut Vec<Refusal>) {
        let mut refuse =
            |text: &str| refusals.push(Refusal { file: self.name.clone(), line: 1, text: text.to_owned() });
        let values =
            |wanted: &'static str| self.properties.iter().filter(move |(key, _)| key == wanted).map(|(_, value)| value);
        if values("version").any(|version| version.len() > 31) {
            refuse("#property version takes at most 31 characters");
        }
        if values("description").map(|text| text.len()).sum::<usize>() > 511 {
            refuse("all lines of #property description take at most 511 characters");
        }
    }
}
