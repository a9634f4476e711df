//! The Server that other tests start does what they rely on.

mod common;

use common::mosquitto::Mosquitto;
use common::tools::leave_out;
use std::net::{TcpListener, TcpStream};
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

#[test]
fn another_process_on_its_port_is_not_taken_for_it() {
    let Some(mut server) = Mosquitto::start() else {
        return leave_out("the test Server's port", "mosquitto");
    };
    let log = server.file("mosquitto.log");
    server.kill();
    std::fs::remove_file(&log).expect("remove its log");
    let other = TcpListener::bind(("127.0.0.1", server.port())).expect("its port");
    std::thread::scope(|scope| {
        let restart = scope.spawn(|| server.restart());
        let is_refused = || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("Address already in use"));
        while !is_refused() && !restart.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(!restart.is_finished(), "it counts as started");
        drop(other);
    });
    server.publish(&["-t", "a", "-m", "text", "-q", "1"]);
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
