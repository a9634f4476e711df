//! The list of rules and the rows, as they stand in their files.

use super::common::tools::project;
use serde::Deserialize;
use std::fs::File;
use std::path::Path;

/// What kind of rule an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Numbered in MQTT 5.0, and binds a client.
    Client,
    /// Without a number in MQTT 5.0; the id is ours.
    Ours,
    /// A rule for a Server in MQTT 5.0 that this client checks.
    Server,
    /// Numbered in MQTT 3.1.1, and binds a client.
    Client311,
    /// A rule for a Server alone. It has no row, but may be cited.
    Other,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub id: String,
    pub rule: String,
    /// `path symbol`, several behind one another with `; ` between, or `not applicable: ` and why.
    pub enforced: String,
    /// `binary path::of::test`, several with `; ` between; `-` when not applicable; `OPEN: ` and what is missing.
    pub proved: String,
}

pub const NOT_APPLICABLE: &str = "not applicable: ";
pub const OPEN: &str = "OPEN: ";

impl Row {
    pub fn reason_not_to_apply(&self) -> Option<&str> {
        self.enforced.strip_prefix(NOT_APPLICABLE)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Table {
    pub ids: Vec<(String, Group)>,
    pub rows: Vec<Row>,
}

impl Table {
    pub fn read() -> Table {
        let folder = project("tests/conformance");
        let mut files: Vec<_> = std::fs::read_dir(folder.join("rules"))
            .expect("the folder of the rows")
            .map(|entry| entry.expect("an entry of a folder").path())
            .collect();
        files.sort();
        Table { ids: read(&folder.join("ids.tsv")), rows: files.iter().flat_map(|file| read(file)).collect() }
    }

    pub fn group(&self, id: &str) -> Option<Group> {
        self.ids.iter().find(|(known, _)| known == id).map(|(_, group)| *group)
    }

    pub fn count(&self, wanted: Group) -> usize {
        self.ids.iter().filter(|(_, group)| *group == wanted).count()
    }

    pub fn open(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.proved.starts_with(OPEN))
    }

    pub fn not_applicable(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.reason_not_to_apply().is_some())
    }
}

fn read<T: for<'de> Deserialize<'de>>(file: &Path) -> Vec<T> {
    let opened = File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).comment(Some(b'#')).from_reader(opened);
    let rows = reader.deserialize().collect::<Result<_, _>>();
    rows.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
