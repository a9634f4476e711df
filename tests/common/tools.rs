//! Programs that a part of the tests needs and a machine may lack: compilers, Mosquitto, `nm`.
//!
//! A leg that lacks its program says so and counts as left out. With `MT5MQTT_REQUIRE_ALL` set, as in continuous
//! integration, it fails instead.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Looks for a program as a shell does, and in the folders of system programs, which a user's PATH may lack.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(system)
        .map(|folder| folder.join(program).with_extension(env::consts::EXE_EXTENSION))
        .find(|candidate| candidate.is_file())
}

/// Reports a leg that can't run here; fails the test when every leg is required.
#[track_caller]
pub fn leave_out(leg: &str, missing: &str) {
    assert!(
        env::var_os("MT5MQTT_REQUIRE_ALL").is_none(),
        "MT5MQTT_REQUIRE_ALL is set, and {leg} needs {missing}, which is not installed"
    );
    eprintln!("left out: {leg} (needs {missing})");
}

/// Whether that leg can't run here for want of this program, which is reported.
#[track_caller]
pub fn lacks(leg: &str, program: &str) -> bool {
    let lacks = find(program).is_none();
    if lacks {
        leave_out(leg, program);
    }
    lacks
}

/// Runs a command to its end; panics with its output unless it succeeds.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}\n{stdout}\n{stderr}", output.status);
    stdout.into_owned()
}

/// A path below the root of the project, where the header is, whichever package the test is compiled in.
pub fn project(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().find(|folder| folder.join("include/mt5mqtt.h").is_file());
    root.expect("the root of the project").join(path)
}
