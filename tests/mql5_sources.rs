//! The MQL5 sources keep to what every MetaEditor reads: ASCII, the stylist's layout, includes that exist, plain language.
//! The README's tables of statuses, files and inputs are those of the sources.
//!
//! `MT5MQTT_BLESS=1 cargo test --test mql5_sources` writes the tables of inputs instead of comparing them.

mod common;

use common::c_header::CHeader;
use common::rust_source::blank;
use common::tools::project;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const BANNER: &str = "//+------------------------------------------------------------------+";

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![project("mql5")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of mql5") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "mqh" || extension == "mq5") {
                found.push(path);
            }
        }
    }
    found
}

/// What is wrong with the text of one source, by line.
fn faults(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code = blank(text);
    for (index, (line, code)) in text.lines().zip(code.lines()).enumerate() {
        let mut fault = |what: &str| found.push(format!("{name}:{}: {what}", index + 1));
        let indentation = line.len() - line.trim_start().len();
        if !line.is_ascii() {
            fault("not ASCII");
        }
        if line.contains('\t') || line.ends_with(' ') {
            fault("a tab or a blank at the end of the line");
        }
        if line.starts_with("//+") && line != BANNER || line.starts_with("//|") && line.len() != BANNER.len() {
            fault("a banner that the stylist would change");
        }
        // The stylist indents by 3 and puts braces 2 further out; continued lines and members are aligned freely.
        if line.trim() == "{" && indentation % 3 != 2 {
            fault("a brace out of the stylist's place");
        }
        for construct in ["->", "auto ", "template", "union "] {
            if code.contains(construct) {
                fault(&format!("'{construct}' is not the plain MQL5 that old and new builds compile alike"));
            }
        }
    }
    if !text.ends_with(&format!("{BANNER}\n")) {
        found.push(format!("{name}: it does not end with a banner"));
    }
    found
}

/// The files that a source includes, as paths.
fn includes(source: &Path, text: &str) -> Vec<PathBuf> {
    let named = text.lines().filter_map(|line| line.strip_prefix("#include "));
    named
        .map(|name| {
            let relative = name.trim().trim_matches(['"', '<', '>']).replace('\\', "/");
            if name.starts_with('<') {
                project("mql5/Include").join(relative)
            } else {
                source.parent().expect("its folder").join(relative)
            }
        })
        .collect()
}

#[test]
fn every_source_is_as_metaeditor_has_it() {
    let mut found = Vec::new();
    let sources = sources();
    assert!(sources.len() >= 8, "the sources of mql5 were not found");
    for source in sources {
        let name = source.strip_prefix(project("mql5")).expect("below mql5").display().to_string();
        // A checkout has CRLF, as .gitattributes says; a fresh edit may not.
        let text = fs::read_to_string(&source).expect("read a source").replace("\r\n", "\n");
        found.extend(faults(&name, &text));
        let missing = includes(&source, &text).into_iter().filter(|include| !include.is_file());
        found.extend(missing.map(|include| format!("{name}: {} does not exist", include.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_smallest_expert_advisor_stays_small() {
    let text = fs::read_to_string(project("mql5/Experts/Mt5Mqtt/MinimalEA.mq5")).expect("MinimalEA.mq5");
    assert!(text.lines().count() < 60, "{} lines", text.lines().count());
}

#[test]
fn each_fault_is_found() {
    let clean = format!("{BANNER}\nint f(void)\n  {{\n   Print(\"a->b\"); // auto x\n  }}\n{BANNER}\n");
    assert_eq!(faults("f", &clean), [""; 0]);
    for (old, new) in [
        ("Print", "Pr\u{ef}nt"),
        ("   Print", "\tPrint"),
        ("(void)", "(void) "),
        ("  {", "   {"),
        ("Print(", "p->Print("),
        ("int f", "auto f"),
        (BANNER, "//+---+"),
    ] {
        assert_ne!(faults("f", &clean.replacen(old, new, 1)), [""; 0], "{old} -> {new}");
    }
    assert_ne!(faults("f", "int a;\n"), [""; 0], "no banner at the end");
}

#[test]
fn the_readme_says_what_to_do_about_every_status() {
    let header = fs::read_to_string(project("include/mt5mqtt.h")).expect("the header");
    let readme = fs::read_to_string(project("mql5/README.md")).expect("the README");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        let number = cells.get(2)?.parse::<i64>().ok()?;
        assert!(cells.get(3).is_some_and(|advice| !advice.is_empty()), "{name} has no advice");
        Some((format!("MT5MQTT_E_{name}"), number))
    };
    let mut told: Vec<_> = readme.lines().filter_map(row).collect();
    let constants = CHeader::parse(&header).constants.into_iter();
    let mut known: Vec<_> = constants.filter(|(name, _)| name.starts_with("MT5MQTT_E_")).collect();
    told.sort();
    known.sort();
    assert!(!known.is_empty());
    assert_eq!(told, known);
}

#[test]
fn the_readmes_tree_of_files_is_the_one_that_there_is() {
    let readme = fs::read_to_string(project("mql5/README.md")).expect("the README");
    let tree = readme.split("       MQL5\n").nth(1).or_else(|| readme.split("       MQL5\r\n").nth(1));
    let tree = tree.and_then(|rest| rest.split("4. Allow DLLs").next()).expect("the tree");
    let mut told: Vec<&str> = tree.split([' ', ',', '\n', '\r', '|']).filter(|word| !word.is_empty()).collect();
    told.sort_unstable();
    for source in sources() {
        let is_program = source.extension().is_some_and(|extension| extension == "mq5");
        let name = source.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(!is_program || told.binary_search(&name.as_str()).is_ok(), "{name} isn't in the README's tree");
    }
}

/// An `input` of a program, as the terminal's dialog shows it.
#[derive(Debug, PartialEq)]
struct Input {
    group: String,
    of: String,
    name: String,
    default: String,
    label: String,
}

/// A program with what it includes in the place of each `#include`, and once.
fn whole(source: &Path, seen: &mut Vec<PathBuf>) -> String {
    seen.push(source.to_owned());
    let text = fs::read_to_string(source).expect("a source").replace("\r\n", "\n");
    let mut whole = String::new();
    for line in text.lines() {
        match includes(source, line).pop().map(|included| included.canonicalize().expect("an included file")) {
            Some(included) if seen.contains(&included) => {}
            Some(included) => whole += &self::whole(&included, seen),
            None => whole = whole + line + "\n",
        }
    }
    whole
}

/// The inputs of a program, in their order. A line that begins as an input and can't be read is a fault of the source.
fn inputs(text: &str) -> Vec<Input> {
    let mut group = String::new();
    let mut found = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("input ")) {
        if let Some(name) = line.strip_prefix("group") {
            name.trim().trim_matches('"').clone_into(&mut group);
            continue;
        }
        let blanked = blank(line);
        let end = blanked.find(';').unwrap_or_else(|| panic!("an input on one line: {line}"));
        let (head, default) = line[..end].split_once('=').unwrap_or_else(|| panic!("an input with a default: {line}"));
        let (of, name) = head.trim().rsplit_once(' ').unwrap_or_else(|| panic!("type and name: {line}"));
        let label = line[end + 1..].trim().strip_prefix("//").unwrap_or_else(|| panic!("a label: {line}"));
        let [of, name, default, label] = [of, name, default, label].map(|part| part.trim().to_owned());
        found.push(Input { group: group.clone(), of, name, default, label });
    }
    found
}

/// The enumerators of an enum of our own, each with what the dialog shows for it; none for an enum of the terminal.
fn choices(of: &str) -> Vec<(String, String)> {
    let mut texts =
        sources().into_iter().map(|source| fs::read_to_string(source).expect("a source").replace("\r\n", "\n"));
    let body = texts.find_map(|text| {
        let start = text.find(&format!("enum {of}\n"))?;
        text[start..].split_once("{\n")?.1.split_once('}').map(|(body, _)| body.to_owned())
    });
    let enumerators = body.unwrap_or_default();
    let enumerators = enumerators.lines().map(|line| line.split_once("//").unwrap_or((line, "")));
    let enumerators = enumerators.map(|(name, text)| (name.trim().trim_end_matches(','), text.trim()));
    enumerators.filter(|(name, _)| !name.is_empty()).map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// The README's account of one program's inputs.
fn told_inputs(name: &str, inputs: &[Input]) -> String {
    let mut text = format!("### {name}\n\n");
    if inputs.is_empty() {
        return text + "No inputs.\n\n";
    }
    text += "| group | label in the dialog | default | name |\n| --- | --- | --- | --- |\n";
    let mut last = "";
    for Input { group, name, default, label, .. } in inputs {
        let group = if std::mem::replace(&mut last, group) == group { "" } else { group.as_str() };
        writeln!(text, "| {group} | {label} | `{default}` | `{name}` |").expect("write to a string");
    }
    text.push('\n');
    for Input { of, label, .. } in inputs {
        let choices = choices(of);
        if !choices.is_empty() {
            let told = choices.iter().map(|(name, meaning)| match meaning.as_str() {
                "" => format!("`{name}`"),
                meaning => format!("`{name}` ({meaning})"),
            });
            writeln!(text, "*{label}* is one of {}.\n", told.collect::<Vec<_>>().join(", "))
                .expect("write to a string");
        }
    }
    text
}

#[test]
fn the_readme_tells_each_programs_inputs() {
    let mut programs = sources();
    programs.retain(|source| source.extension().is_some_and(|extension| extension == "mq5"));
    programs.sort();
    let mut expected = String::new();
    for program in &programs {
        let name = program.file_stem().expect("a name").to_string_lossy().into_owned();
        let inputs = inputs(&whole(program, &mut Vec::new()));
        let no_group = inputs.iter().find(|input| input.group.is_empty() || input.label.is_empty());
        assert_eq!(no_group, None, "{name}: an input has a group and a label");
        // The terminal cuts what is longer.
        let labels = inputs.iter().map(|input| input.label.clone());
        let choices = inputs.iter().flat_map(|input| choices(&input.of)).map(|(_, meaning)| meaning);
        let long: Vec<String> = labels.chain(choices).filter(|label| label.len() > 63).collect();
        assert_eq!(long, [""; 0], "{name}: labels of more than 63 characters");
        expected += &told_inputs(&name, &inputs);
    }
    assert!(expected.matches("`Inp").count() > 50, "the inputs were not found:\n{expected}");
    let path = project("mql5/README.md");
    let readme = fs::read_to_string(&path).expect("the README").replace("\r\n", "\n");
    let (ahead, section) = readme.split_once("\n## Inputs\n").expect("a section of inputs");
    let (section, behind) = section.split_once("\n## ").expect("a section behind it");
    let (intro, told) = section.split_at(section.find("### ").unwrap_or(section.len()));
    if env::var_os("MT5MQTT_BLESS").is_some() {
        let section = format!("{}\n\n{}", intro.trim_end(), expected);
        fs::write(&path, format!("{ahead}\n## Inputs\n{section}## {behind}")).expect("write the README");
        return;
    }
    let differing: Vec<(&str, &str)> =
        told.trim().lines().zip(expected.trim().lines()).filter(|(told, expected)| told != expected).collect();
    assert!(
        told.trim() == expected.trim(),
        "mql5/README.md tells other inputs than the programs have (first: {:?}); \
         MT5MQTT_BLESS=1 cargo test --test mql5_sources writes them anew",
        differing.first()
    );
}

#[test]
fn inputs_are_read_as_the_dialog_shows_them() {
    let text = "input group  \"One\"\ninput string InpA=\"a;b=c\"; // Text (socks5:// or none)\ninput ENUM_X InpB=X_1;   // B\n";
    let read = inputs(text);
    let fields =
        |input: &Input| [&input.group, &input.of, &input.name, &input.default, &input.label].map(String::clone);
    assert_eq!(fields(&read[0]), ["One", "string", "InpA", "\"a;b=c\"", "Text (socks5:// or none)"]);
    assert_eq!(fields(&read[1]), ["One", "ENUM_X", "InpB", "X_1", "B"]);
    let told = told_inputs("P", &read);
    assert!(
        told.contains("| One | Text (socks5:// or none) | `\"a;b=c\"` | `InpA` |\n|  | B | `X_1` | `InpB` |"),
        "{told}"
    );
    assert_eq!(choices("ENUM_COPIER_MODE").first(), Some(&("COPIER_ON".into(), "opens, changes and closes".into())));
}
