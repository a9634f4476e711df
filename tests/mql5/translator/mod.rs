//! Translates the MQL5 that we write to C++17, so that a Linux compiler and a small runtime can run it.
//!
//! MQL5 descends from C++: after a pass over the lines (`lines`) that takes out what no C++ parser reads, a C++ grammar
//! parses the rest. `subset` refuses whatever lies outside of what we use, by file and line, more strictly than either
//! compiler; `emit` writes the C++. Line breaks stay where they are, so that a line of the output is a line of the source.
//!
//! Absent: types. What needs them is left to overloads in the runtime (`mql_dot` for the dot of objects and of pointers)
//! and to the C++ compiler.

mod declarations;
mod emit;
mod lines;
mod subset;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What is wrong with a source, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub file: String,
    pub line: usize,
    pub text: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// What is known of the sources read so far, in the order in which the compiler reads them.
#[derive(Debug, Default)]
pub struct Known {
    /// Classes and structs, which are passed by reference only; true: a struct that holds neither strings nor arrays.
    objects: BTreeMap<String, bool>,
    /// Those of them that are structs: no pointer is to one.
    structs: BTreeSet<String>,
    /// Methods as their classes declare them: `Class::Name`, and what stands behind it.
    methods: BTreeSet<(String, String)>,
    /// Event handlers, with the file that defines them.
    handlers: BTreeSet<String>,
    properties: Vec<(String, String)>,
}

/// A translated program.
#[derive(Debug)]
pub struct Program {
    /// The C++ files: the one to compile, then those that it includes.
    pub files: Vec<PathBuf>,
    /// `#property` name and value, of the main file.
    pub properties: Vec<(String, String)>,
}

/// Translates `main` and what it includes. `include` is the folder of `#include <...>`, `output` that of the C++ files.
pub fn translate(main: &Path, include: &Path, output: &Path) -> Result<Program, Vec<Refusal>> {
    let mut translation = Translation {
        include: include.to_owned(),
        output: output.to_owned(),
        known: Known::default(),
        done: BTreeMap::new(),
        refusals: Vec::new(),
    };
    for object in subset::RUNTIME_OBJECTS {
        translation.known.objects.insert(object.to_owned(), false);
        translation.known.structs.insert(object.to_owned());
    }
    let file = translation.file(main, true);
    if !translation.refusals.is_empty() {
        translation.refusals.dedup();
        return Err(translation.refusals);
    }
    let mut files = vec![file.clone()];
    files.extend(translation.done.into_values().filter(|other| *other != file));
    Ok(Program { files, properties: translation.known.properties })
}

struct Translation {
    include: PathBuf,
    output: PathBuf,
    known: Known,
    done: BTreeMap<PathBuf, PathBuf>,
    refusals: Vec<Refusal>,
}

impl Translation {
    /// Translates one file, and first what it includes; returns the C++ file.
    fn file(&mut self, path: &Path, is_main: bool) -> PathBuf {
        let path = path.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if let Some(done) = self.done.get(&path) {
            return done.clone();
        }
        let number = self.done.len();
        let stem = path.file_stem().expect("a file name").to_string_lossy().into_owned();
        let target = self.output.join(format!("{number}_{stem}.{}", if is_main { "cpp" } else { "hpp" }));
        self.done.insert(path.clone(), target.clone());
        let text = fs::read_to_string(&path).expect("read a source").replace("\r\n", "\n");
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&path).display().to_string();
        let source = lines::Source::read(&name, &text, is_main, &mut self.refusals);
        let mut includes = BTreeMap::new();
        for include in &source.includes {
            let folder = if include.from_include_folder { self.include.clone() } else { folder_of(&path) };
            let included = folder.join(&include.path);
            if included.is_file() {
                includes.insert(include.line, self.file(&included, false));
            } else {
                let text = format!("{} does not exist", included.display());
                self.refusals.push(Refusal { file: name.clone(), line: include.line, text });
            }
        }
        let cpp = emit::emit(&source, &includes, is_main, &mut self.known, &mut self.refusals);
        if is_main {
            self.known.properties.clone_from(&source.properties);
        }
        fs::create_dir_all(&self.output).expect("create the folder of the C++ files");
        fs::write(&target, cpp).expect("write a C++ file");
        target
    }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().expect("the folder of a file").to_path_buf()
}
