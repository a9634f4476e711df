//! The checker finds what is wrong: tables that are broken in one place each.

use super::check::violations;
use super::sources::{Files, cited_ids};
use super::table::{Group, Row, Table};

/// A library with one item and one unit test, and a test binary with a module.
struct Sample;

impl Files for Sample {
    fn read(&self, path: &str) -> Option<String> {
        let text = match path {
            "src/lib.rs" => "mod codec;\n",
            "src/codec.rs" => {
                "table! {\n    Row = 1, 2;\n}\nimpl<'a> Reader<'a> {\n    pub fn kept(&self) { other() }\n}\n\
                 // fn commented() {}\n#[cfg(test)]\nmod tests {\n    fn helper() {}\n    #[test]\n    fn unit() {\n        \
                 // MQTT-1.0.0-1\n    }\n}\n"
            }
            "tests/binary/main.rs" => "mod part;\nmod gone;\n",
            "tests/binary/part.rs" => {
                "// 5-1.0-a\n\n/// MQTT-1.0.0-1, MQTT-1.0.0-12.\n#[test]\nfn cites() {\n    // MQTT311-1.0.0-2\n}\n\n\
                 #[test]\nfn silent() {}\n\n// MQTT-1.0.0-1\nfn no_test() {}\n\n// MQTT-1.0.0-1\n#[test]\n#[ignore = \"slow\"]\nfn never_run() {}\n"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

fn row(id: &str, enforced: &str, proved: &str) -> Row {
    Row {
        id: id.to_owned(),
        rule: "what is asked".to_owned(),
        enforced: enforced.to_owned(),
        proved: proved.to_owned(),
    }
}

fn good() -> Row {
    row("MQTT-1.0.0-1", "src/codec.rs Reader::kept; src/codec.rs Row", "binary part::cites; lib codec::tests::unit")
}

/// The faults of a table whose list has these ids beside the good row's.
fn faults(more: &[(&str, Group)], rows: Vec<Row>) -> Vec<String> {
    let ids = [&[("MQTT-1.0.0-1", Group::Client), ("MQTT-9.0.0-1", Group::Other)], more].concat();
    let ids = ids.into_iter().map(|(id, group)| (id.to_owned(), group)).collect();
    violations(&Table { ids, rows }, Sample)
}

#[track_caller]
fn assert_fault(row: Row, expected: &str) {
    let found = faults(&[], vec![row]);
    assert!(found.len() == 1 && found[0].contains(expected), "expected '{expected}', found {found:?}");
}

#[test]
fn a_good_table_has_no_faults() {
    assert_eq!(faults(&[], vec![good()]), [""; 0]);
    let absent = row("5-1.0-a", "not applicable: only a Server does such a thing", "-");
    let open = row("MQTT311-1.0.0-2", "-", "OPEN: the feature is not there yet");
    let more = [("5-1.0-a", Group::Ours), ("MQTT311-1.0.0-2", Group::Client311)];
    assert_eq!(faults(&more, vec![good(), absent, open]), [""; 0]);
}

#[test]
fn a_rule_without_a_row_and_a_row_without_a_rule_are_found() {
    assert_eq!(faults(&[("5-2.0-a", Group::Ours)], vec![good()]), ["5-2.0-a: it has no row"]);
    assert_eq!(faults(&[], vec![]), ["MQTT-1.0.0-1: it has no row"]);
    assert_eq!(faults(&[], vec![good(), good()]), ["MQTT-1.0.0-1: it has two rows"]);
    for unknown in ["MQTT-7.0.0-1", "MQTT-9.0.0-1"] {
        let row = row(unknown, "not applicable: only a Server does such a thing", "-");
        let found = faults(&[], vec![good(), row]);
        assert_eq!(found, [format!("{unknown}: ids.tsv has no such rule for a client")]);
    }
    assert_fault(Row { rule: String::new(), ..good() }, "doesn't say what the rule is");
}

#[test]
fn code_that_does_not_exist_is_found() {
    for (enforced, expected) in [
        ("src/codec.rs", "is not 'src/… symbol'"),
        ("tests/binary/part.rs cites", "is not 'src/… symbol'"),
        ("src/gone.rs kept", "there is no src/gone.rs"),
        ("src/codec.rs gone", "src/codec.rs has no gone"),
        ("src/codec.rs kep", "src/codec.rs has no kep"),
        // Used there, but not defined; only in a comment; only in a unit test.
        ("src/codec.rs other", "src/codec.rs has no other"),
        ("src/codec.rs commented", "src/codec.rs has no commented"),
        ("src/codec.rs helper", "src/codec.rs has no helper"),
        ("src/codec.rs Writer::kept", "src/codec.rs has no Writer::kept"),
        ("src/codec.rs Reader::kept; src/codec.rs gone", "src/codec.rs has no gone"),
        ("-", "is not 'src/… symbol'"),
    ] {
        assert_fault(Row { enforced: enforced.to_owned(), ..good() }, expected);
    }
}

#[test]
fn a_proof_that_is_none_is_found() {
    for (proved, expected) in [
        ("-", "is not 'binary path::of::test'"),
        ("cites", "is not 'binary path::of::test'"),
        ("gone part::cites", "there is no test binary gone"),
        ("binary cites", "binary has no test cites"),
        ("binary other::cites", "binary has no module other"),
        ("binary gone::cites", "the file of the module gone is missing"),
        ("binary part::gone", "binary has no test part::gone"),
        ("binary part::no_test", "binary has no test part::no_test"),
        ("binary part::never_run", "binary has no test part::never_run"),
        ("lib codec::tests::helper", "lib has no test codec::tests::helper"),
        ("binary part::silent", "the test 'binary part::silent' doesn't cite it"),
        ("binary part::cites; binary part::silent", "the test 'binary part::silent' doesn't cite it"),
    ] {
        assert_fault(Row { proved: proved.to_owned(), ..good() }, expected);
    }
}

#[test]
fn an_id_is_cited_only_by_itself() {
    // Only MQTT-1.0.0-12 is cited there, not 1.0.0-2; 5-1.0-a stands above another item.
    for id in ["MQTT-1.0.0-2", "MQTT311-1.0.0-1", "5-1.0-a", "MQTT-1.0.0-121"] {
        let group = [(id, Group::Client)];
        let found = faults(&group, vec![good(), row(id, "src/codec.rs Row", "binary part::cites")]);
        assert_eq!(found, [format!("{id}: the test 'binary part::cites' doesn't cite it")]);
    }
    let cited =
        cited_ids("see [MQTT-3.1.2-4], MQTT311-3.1.2-22: 5-3.1.2.11.2-a. Not MQTT-3.1 or 5-3 or A-1.2-3 or x5-1.2-a.");
    assert_eq!(cited, ["MQTT-3.1.2-4", "MQTT311-3.1.2-22", "5-3.1.2.11.2-a"]);
}

#[test]
fn what_is_left_out_needs_its_reason() {
    assert_fault(row("MQTT-1.0.0-1", "not applicable: no", "-"), "why it can't apply is missing");
    let proved = row("MQTT-1.0.0-1", "not applicable: only a Server does such a thing", "binary part::cites");
    assert_fault(proved, "a rule that can't apply has no proof");
    assert_fault(row("MQTT-1.0.0-1", "src/codec.rs Row", "OPEN: later"), "what is missing isn't said");
    assert_fault(row("MQTT-1.0.0-1", "src/codec.rs gone", "OPEN: the feature is not there yet"), "has no gone");
}
