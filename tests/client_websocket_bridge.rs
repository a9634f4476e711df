//! A real Server, Mosquitto, behind a WebSocket that is made by neither of the two: Python's library `websockets`, as a gateway
//! before a Server would be. Mosquitto's own WebSocket gets stuck on messages that are larger than its buffer.

mod common;

use common::mosquitto::Mosquitto;
use common::program::Program;
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::types::QoS;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The system's Python has the system's libraries.
const PYTHON: &str = "/usr/bin/python3";
const LIBRARY: &str = "/usr/lib/python3/dist-packages/websockets/__init__.py";

/// Ends when it is dropped.
struct Bridge {
    child: Child,
    port: u16,
}

impl Bridge {
    fn start(server: &Mosquitto) -> Self {
        let script = tools::project("tests/common/websocket_bridge.py");
        let mut command = Command::new(PYTHON);
        command.arg(script).arg(server.port().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line of the bridge");
        let port = line.trim().parse().expect("its port");
        Bridge { child, port }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn large_messages_come_in_frames_and_fragments_of_every_size() {
    // MQTT-6.0.0-2
    let missing = [PYTHON, LIBRARY].into_iter().find(|path| !Path::new(path).is_file());
    if tools::find("mosquitto").is_none() || missing.is_some() {
        return tools::leave_out("a WebSocket by Python before a real Server", missing.unwrap_or("mosquitto"));
    }
    let server = Mosquitto::start().expect("mosquitto");
    let bridge = Bridge::start(&server);
    for (version, path) in [
        (5, "frames/1000000000"),
        (5, "frames/7777"),
        (4, "frames/1"),
        (5, "fragments/4096"),
        (4, "fragments/1000"),
        (5, "together/3000000"),
    ] {
        let program = Program::new(&format!("ws://127.0.0.1:{}/{path}", bridge.port), &[]);
        program.set_int(IntOption::ProtocolVersion, version);
        program.set_text(options::CLIENT_ID, "trader");
        program.connect().unwrap();
        program.expect_connected();
        let token = program.subscribe_to("t", QoS::ExactlyOnce);
        program.expect_subscribed(token);
        program.set_int(IntOption::PublishEvents, 0);
        // A frame of one byte each is slow there.
        let largest: &[usize] = if path == "frames/1" { &[3000] } else { &[1_000_000, 1_048_576, 4_000_000] };
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let sizes: Vec<usize> = [0, 1, 125, 126, 65_535].into_iter().filter(|size| *size <= largest[0]).collect();
            let sizes = [&sizes, largest, &[3]].concat();
            for (number, size) in (0u8..).zip(&sizes) {
                program.try_send(&vec![number; *size], qos).expect("an accepted publish");
            }
            for (number, size) in (0u8..).zip(&sizes) {
                assert!(program.expect_message().0.payload() == vec![number; *size], "{path}: message {number}");
            }
        }
        program.disconnect_now(std::time::Duration::from_secs(2));
        assert_eq!(program.expect_disconnected().failure, None, "{path}");
    }
}
