//! The MQL5 reader and writer of JSON against serde_json: the same texts are taken, and they mean the same.

use crate::common::folder::Folder;
use crate::compile::{compiler, program};
use crate::host::Terminal;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

/// What the script says of each text: what it wrote anew, or None where it refused it.
fn read_and_written(texts: &[String]) -> Vec<Option<String>> {
    let mut terminal = Terminal::start();
    let files = Folder::new("json");
    std::fs::write(files.path().join("cases.txt"), texts.join("\u{1f}")).expect("write the texts");
    terminal.command(&["files", &files.path().display().to_string()]);
    terminal.load("script", "json", &program("tests/mql5/programs/Json.mq5"), ("1", "EURUSD"), &[]);
    terminal.expect("json", "ended", "");
    let said = terminal.said("json", "print");
    let (last, lines) = said.split_last().expect("a last line");
    let lines: Vec<&String> = lines.iter().filter(|line| !line.starts_with("PASS ")).collect();
    assert!(last.ends_with(" passed, 0 failed"), "{said:#?}");
    assert_eq!(lines.len(), texts.len(), "{lines:#?}");
    terminal.close();
    lines.iter().map(|line| line.strip_prefix("read ").map(str::to_owned)).collect()
}

#[test]
fn texts_that_are_no_json_are_refused() {
    let Some(_) = compiler("the JSON reader") else { return };
    let refused = [
        "x",
        "{",
        "}",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1}}",
        "[1]2",
        "tru",
        "nulls",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "0x10",
        "NaN",
        "Infinity",
        "\"",
        "\"\\",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\uD800\"",
        "\"\\uD800\\u0041\"",
        "\"\\uDC00\"",
        "\"\\u0000\"",
        "\"a\u{1}b\"",
        "'a'",
        "// a",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "[\"a\\q\"]",
    ];
    let mut texts: Vec<String> = refused.map(str::to_owned).to_vec();
    texts.push("[".repeat(34) + &"]".repeat(34));
    let taken: Vec<_> = texts.iter().zip(read_and_written(&texts)).filter(|(_, written)| written.is_some()).collect();
    assert!(taken.is_empty(), "{taken:?}");
}

fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z\"\\\\/ \t\r\n]{0,8}", "[\u{1}-\u{1e}\u{20}-\u{d7ff}\u{e000}-\u{10ffff}]{0,6}"];
    let leaf = prop_oneof![
        text.clone().prop_map(Value::String),
        any::<i64>().prop_map(Value::from),
        (-1_000_000_000_i64..1_000_000_000).prop_map(|hundredths| Value::from(hundredths as f64 / 128.0)),
    ];
    let any = leaf.prop_recursive(4, 30, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::vec(any, 1..3).prop_map(Value::from)
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

#[test]
fn what_is_read_and_written_means_the_same() {
    let Some(_) = compiler("the JSON reader and writer") else { return };
    let mut runner = TestRunner::default();
    let values: Vec<Value> = (0..300).map(|_| json().new_tree(&mut runner).expect("a value").current()).collect();
    let mut texts: Vec<String> = values.iter().map(|value| serde_json::to_string(value).expect("JSON")).collect();
    // The separators of the test's own lines are escaped as JSON may escape every character.
    for (index, text) in texts.iter_mut().enumerate() {
        let escaped = if index % 2 == 0 { text.replace(',', " ,\u{9}").replace(':', " :  ") } else { text.clone() };
        if serde_json::from_str::<Value>(&escaped).is_ok_and(|value| value == values[index]) {
            *text = escaped.replace('\t', " ");
        }
    }
    for (value, written) in values.iter().zip(read_and_written(&texts)) {
        let written = written.unwrap_or_else(|| panic!("refused: {value}"));
        let read: Value = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert!(same(value, &read), "{value}\n became {written}");
    }
    let escapes = ["[\"\\u00e4\\n\\b\\f\\/\\uD83C\\uDF0D\"]".to_owned()];
    let written = read_and_written(&escapes).remove(0).expect("JSON");
    assert_eq!(written, "[\"ä\\\\n\\\\u0008\\\\u000C/🌍\"]".replace("\\\\", "\\"));
}
