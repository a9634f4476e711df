//! One attempt to connect, and what it came to.

use super::certificates::{Certified, Folder};
use super::mosquitto::Mosquitto;
use super::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::status::{Failure, Status};

pub const ONCE: (IntOption, i64) = (IntOption::Reconnect, 0);

/// A Mosquitto with a TLS listener that shows this certificate.
pub struct TlsServer {
    pub mosquitto: Mosquitto,
    _folder: Folder,
}

impl TlsServer {
    pub fn start(server: &Certified, more: &str) -> Self {
        let folder = Folder::new();
        let lines = format!("{}{more}", folder.listener(server));
        TlsServer { mosquitto: Mosquitto::start_with_listener(&lines).expect("mosquitto"), _folder: folder }
    }

    pub fn url(&self) -> String {
        format!("mqtts://127.0.0.1:{}", self.mosquitto.second_port())
    }
}

/// Connects once with these text options; the failure, or `None` and the connection is there.
pub fn try_connect(url: &str, texts: &[(i32, &str)], ints: &[(IntOption, i64)]) -> Option<Failure> {
    let program = Program::new(url, &[ONCE]);
    for (option, value) in ints {
        program.set_int(*option, *value);
    }
    for (option, value) in texts {
        program.set_text(*option, value);
    }
    program.connect().unwrap();
    match program.event("Connected or Disconnected") {
        Event::Connected { .. } => None,
        Event::Disconnected(end) => Some(end.failure.expect("a failure").because(end.detail)),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn assert_fails(failure: Option<Failure>, wanted: Status, words: &[&str]) {
    let Failure { status, text } = failure.expect("a failure");
    assert_eq!(status, wanted, "{text}");
    for word in words {
        assert!(text.contains(word), "'{word}' is not in: {text}");
    }
}
