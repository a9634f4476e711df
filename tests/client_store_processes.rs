//! A store in the hands of another process, which ends without letting go of it.

mod common;

use common::fake_server::FakeServer;
use common::folder::Folder;
use common::program::Program;
use mt5mqtt::client::State;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::types::status::Status;
use std::env;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

const URL: &str = "MT5MQTT_TEST_URL";
const FOLDER: &str = "MT5MQTT_TEST_FOLDER";

/// The other process: this test binary again, with this test alone. Nothing else sets its variables.
#[test]
fn the_other_process_connects_and_stays_until_it_is_killed() {
    let (Ok(url), Ok(folder)) = (env::var(URL), env::var(FOLDER)) else { return };
    let program = Program::stored_in(&url, Path::new(&folder), &[]);
    program.connect().unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn a_second_process_is_refused_the_store_until_the_first_is_killed() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-processes"));
    let mut other = Command::new(env::current_exe().unwrap())
        .args(["the_other_process_connects_and_stays_until_it_is_killed", "--exact"])
        .env(URL, server.url())
        .env(FOLDER, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // It is there, with the store.
    let peer = server.accept_mqtt();
    let pauses = [(IntOption::ReconnectMinimum, 20), (IntOption::ReconnectMaximum, 20)];
    let program = Program::stored(&server.url(), &folder, &pauses);
    program.connect().unwrap();
    assert_eq!(program.expect_disconnected().failure, Some(Status::StoreInUse));
    other.kill().unwrap();
    other.wait().unwrap();
    drop(peer);
    // Whatever the killed one had stored of its Session by then.
    let _peer = server.accept_mqtt();
    program.expect_soon("the connection", |client| client.state() == State::Connected);
}
