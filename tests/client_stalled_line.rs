//! A line that comes to a halt for a while, between the client and a real Server, Mosquitto, which has more for it meanwhile than
//! it keeps.

mod common;

use common::mosquitto::Mosquitto;
use common::program::Program;
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::Status;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Whether the way from the Server is open.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn set_open(&self, is_open: bool) {
        *self.0.0.lock().expect("the gate") = is_open;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().expect("the gate"), |is_open| !*is_open).expect("the gate"));
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, gate: Option<Gate>) {
    let mut bytes = [0; 65_536];
    loop {
        gate.iter().for_each(Gate::pass);
        match from.read(&mut bytes) {
            Ok(count) if count > 0 && to.write_all(&bytes[..count]).is_ok() => {}
            _ => return drop((from.shutdown(std::net::Shutdown::Both), to.shutdown(std::net::Shutdown::Both))),
        }
    }
}

/// A line to the Server at this port; returns its own.
fn line(server: u16, gate: Gate) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a connection");
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).expect("the Server");
            let (from_client, to_client) = (client.try_clone().expect("a socket"), client);
            let to_server = server.try_clone().expect("a socket");
            thread::spawn(move || copy(from_client, to_server, None));
            let gate = gate.clone();
            thread::spawn(move || copy(server, to_client, Some(gate)));
        }
    });
    port
}

#[test]
fn what_the_server_has_dropped_meanwhile_comes_on_the_next_connection() {
    if tools::lacks("a line that comes to a halt", "mosquitto") {
        return;
    }
    for version in [4, 5] {
        let server = Mosquitto::start_with("max_queued_messages 1000\n").expect("mosquitto");
        let gate = Gate::default();
        gate.set_open(true);
        let url = format!("mqtt://127.0.0.1:{}", line(server.port(), gate.clone()));
        let options =
            [(IntOption::ProtocolVersion, version), (IntOption::CleanStart, 0), (IntOption::AnswerTimeout, 300)];
        let program = Program::new(&url, &options);
        program.set_text(options::CLIENT_ID, "trader");
        program.connect().unwrap();
        program.expect_connected();
        for filter in ["ticks", "orders"] {
            let token = program.subscribe_to(filter, QoS::ExactlyOnce);
            program.expect_subscribed(token);
        }
        gate.set_open(false);
        let tick = "x".repeat(4000) + "\n";
        server.publish_lines("ticks", QoS::AtMostOnce, &tick.repeat(5000));
        let mut unfinished = vec![program.send("one", QoS::AtLeastOnce), program.send("two", QoS::ExactlyOnce)];
        server.publish(&["-t", "orders", "-q", "1", "-m", "buy"]);
        gate.set_open(true);
        let mut orders = 0;
        while !unfinished.is_empty() || orders == 0 {
            match program.event("what was dropped") {
                Event::Message { message, .. } if message.topic().as_str() == "ticks" => {}
                Event::Message { message, .. } => {
                    assert_eq!(message.payload(), b"buy");
                    orders += 1;
                }
                Event::Published { token, outcome } => {
                    assert_eq!(outcome.failure, None);
                    unfinished.retain(|one| *one != token);
                }
                Event::Disconnected(end) => assert_eq!(end.failure, Some(Status::Timeout), "{}", end.detail),
                Event::Connected { session_present, .. } => assert!(session_present),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(orders, 1);
    }
}
