//! The Server that other tests start does what they rely on.

mod common;

use common::mosquitto::Mosquitto;
use common::tools::leave_out;
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn it_serves_two_at_once_and_comes_back_on_its_port() {
    let (Some(mut server), Some(other)) = (Mosquitto::start(), Mosquitto::start()) else {
        return leave_out("the test Server itself", "mosquitto");
    };
    assert_ne!(server.port(), other.port());
    server.publish(&["-t", "a/kept", "-m", "text", "-q", "1", "-r"]);
    let listening = server.subscribe(&["-t", "a/#", "-q", "1", "-F", "%t %p"]);
    assert_eq!(listening.line(deadline()), "a/kept text");
    server.publish(&["-t", "a/b", "-m", "text", "-q", "2"]);
    assert_eq!(listening.line(deadline()), "a/b text");
    drop(listening);

    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err(), "it still accepts connections");
    server.restart();
    let listening = server.subscribe(&["-t", "a/#", "-q", "1", "-F", "%t %p"]);
    server.publish(&["-t", "a/c", "-m", "again", "-q", "1"]);
    assert_eq!(listening.line(deadline()), "a/c again", "a killed Server has lost what it kept");
}

#[cfg(unix)]
#[test]
fn a_stopped_server_keeps_what_it_has() {
    let Some(mut server) = Mosquitto::start() else {
        return leave_out("the test Server's stored state", "mosquitto");
    };
    server.publish(&["-t", "a/kept", "-m", "text", "-q", "1", "-r"]);
    server.stop();
    server.restart();
    let listening = server.subscribe(&["-t", "a/#", "-q", "1", "-F", "%t %p"]);
    assert_eq!(listening.line(deadline()), "a/kept text");
}
