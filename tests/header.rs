//! include/mt5mqtt.h is what cbindgen makes of the sources, and C and C++ compilers take it without a warning.
//!
//! `MT5MQTT_BLESS=1 cargo test --test header` writes the header instead of comparing it.

mod common;

use common::tools::{self, find, leave_out, project};
use std::process::Command;
use std::{env, fs};

const HEADER: &str = "include/mt5mqtt.h";

fn generated() -> String {
    let config = cbindgen::Config::from_file(project("cbindgen.toml")).expect("cbindgen.toml");
    // Not the crate: the public constants of the other layers are no part of the ABI.
    let bindings = cbindgen::Builder::new().with_src(project("src/ffi/mod.rs")).with_config(config).generate();
    let mut text = Vec::new();
    bindings.expect("cbindgen reads the sources").write(&mut text);
    let text = String::from_utf8(text).expect("a header in UTF-8");
    // cbindgen's comments of this kind are none in C89.
    text.replace("#endif // __cplusplus", "#endif").replace("#endif  // __cplusplus", "#endif")
}

#[test]
fn the_header_is_fresh() {
    let fresh = generated();
    if env::var_os("MT5MQTT_BLESS").is_some() {
        fs::create_dir_all(project("include")).expect("create include");
        fs::write(project(HEADER), &fresh).expect("write the header");
        return;
    }
    let committed = fs::read_to_string(project(HEADER)).unwrap_or_else(|error| panic!("{HEADER}: {error}"));
    // A checkout on Windows may have CRLF.
    let committed = committed.replace("\r\n", "\n");
    if let Some((number, (old, new))) = difference(&committed, &fresh) {
        panic!(
            "{HEADER} is not what the sources say, first in line {number}:\n  committed: {old}\n  sources:   {new}\n\
             MT5MQTT_BLESS=1 cargo test --test header writes it anew"
        );
    }
}

/// The first line that differs.
fn difference<'t>(old: &'t str, new: &'t str) -> Option<(usize, (&'t str, &'t str))> {
    if old == new {
        return None;
    }
    let end = "(end of the file)";
    let lines = old.lines().chain([end]).zip(new.lines().chain([end]));
    lines
        .enumerate()
        .find(|(_, (old, new))| old != new)
        .map(|(index, lines)| (index + 1, lines))
        .or(Some((0, (end, end))))
}

#[test]
fn a_difference_is_found() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(difference("a\nb\n", "a\nc\n"), Some((2, ("b", "c"))));
    assert_eq!(difference("a\n", "a\nb\n"), Some((2, ("(end of the file)", "b"))));
    assert!(difference("a", "a\n").is_some());
}

#[test]
fn the_header_compiles_as_c89_c11_and_cpp17_without_a_warning() {
    let folder = tempfolder("header");
    // The event's size and offsets are part of the ABI: a compiler with other ideas must not get past this.
    let check = "#include \"mt5mqtt.h\"\n#include \"mt5mqtt.h\"\n#include <stddef.h>\n\
                 typedef char size_is_80[sizeof(mt5mqtt_event) == 80 ? 1 : -1];\n\
                 typedef char token_at_8[offsetof(mt5mqtt_event, token) == 8 ? 1 : -1];\n\
                 typedef char status_at_32[offsetof(mt5mqtt_event, status) == 32 ? 1 : -1];\n\
                 int main(void) { return mt5mqtt_abi_version() == MT5MQTT_ABI_VERSION ? 0 : 1; }\n";
    for (compilers, standard, file) in [
        (["cc", "gcc", "clang"], "-std=c89", "check.c"),
        (["cc", "gcc", "clang"], "-std=c11", "check.c"),
        (["c++", "g++", "clang++"], "-std=c++17", "check.cpp"),
    ] {
        let Some(compiler) = compilers.into_iter().find_map(find) else {
            leave_out(&format!("the header under {standard}"), compilers[0]);
            continue;
        };
        let source = folder.join(file);
        fs::write(&source, check).expect("write a source");
        let mut command = Command::new(compiler);
        command.args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"]);
        tools::run(command.arg(project("include")).arg(&source));
    }
    fs::remove_dir_all(folder).expect("remove a folder");
}

fn tempfolder(name: &str) -> std::path::PathBuf {
    let folder = env::temp_dir().join(format!("mt5mqtt-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("create a folder");
    folder
}
