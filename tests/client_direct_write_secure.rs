//! As for plain TCP, a publish on an idle connection over TLS or WebSocket is written by the thread that calls, and a message
//! for a program that waits is read by that program's thread; one test in this file, as other clients' threads have the same
//! name.
#![cfg(target_os = "linux")]
// tungstenite's callbacks have this type.
#![allow(clippy::result_large_err)]

mod common;

use common::background_thread::{PAUSE, fewest_sleeps, sleeps_of_background_thread, this_thread, until_it_sleeps};
use common::certificates::{Authority, Validity};
use common::fake_server::FakeServer;
use common::program::Program;
use common::tls_server::{self, TlsOptions, TlsStream};
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::types::QoS;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

const PUBLISHES: usize = 300;
const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];

/// The Server's end.
trait Peer: Send {
    fn receive(&mut self) -> Vec<u8>;
    fn send(&mut self, bytes: &[u8]);
}

impl Peer for TlsStream {
    fn receive(&mut self) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let count = self.read(&mut buffer).expect("bytes of the client");
        buffer[..count].to_vec()
    }

    fn send(&mut self, bytes: &[u8]) {
        self.write_all(bytes).and_then(|()| self.flush()).expect("the client takes it");
    }
}

impl Peer for WebSocket<TcpStream> {
    fn receive(&mut self) -> Vec<u8> {
        self.read().expect("a frame").into_data().to_vec()
    }

    fn send(&mut self, bytes: &[u8]) {
        WebSocket::send(self, Message::binary(bytes.to_vec())).expect("the client takes it");
    }
}

fn payload(number: usize) -> String {
    format!("{number:04}")
}

/// PUBLISH to topic `t`, QoS 0, of MQTT 5.0.
fn publication(number: usize) -> Vec<u8> {
    [&[0x30, 8, 0, 1, b't', 0], payload(number).as_bytes()].concat()
}

fn receive_publication(peer: &mut dyn Peer, number: usize) {
    let mut seen = Vec::new();
    while !seen.ends_with(payload(number).as_bytes()) {
        seen.extend(peer.receive());
    }
}

/// Publishes and sees each message at the Server before the next one.
fn publish_one_by_one(program: &Program, peer: &mut dyn Peer) {
    let mut next = |number: usize| {
        program.send(&payload(number), QoS::AtMostOnce);
        receive_publication(peer, number);
        thread::sleep(PAUSE);
    };
    // The first one may come while the thread is still busy with CONNACK.
    next(0);
    let before = sleeps_of_background_thread();
    (1..PUBLISHES).for_each(next);
    let sleeps = sleeps_of_background_thread() - before;
    assert!(sleeps < PUBLISHES as u64 / 20, "the background thread woke up {sleeps} times for {PUBLISHES} publishes");
}

/// Publishes and waits for an answer to each, which the Server sends as soon as the program sleeps.
fn wait_one_by_one(program: &Program, peer: &mut dyn Peer) {
    let this_thread = this_thread().expect("this thread");
    // The measure sees what does wake the thread: messages for a program that only polls.
    let before = sleeps_of_background_thread();
    for number in 0..PUBLISHES {
        peer.send(&publication(number));
        program.expect_soon("the message", |client| client.poll(|_| ()).expect("a client that lives").is_some());
    }
    let polling = sleeps_of_background_thread() - before;
    assert!(
        polling > PUBLISHES as u64 / 4,
        "{PUBLISHES} messages from the Server woke the thread {polling} times only"
    );
    let waiting = fewest_sleeps(polling.div_ceil(2), || {
        thread::scope(|scope| {
            let (peer, this_thread) = (&mut *peer, &this_thread);
            scope.spawn(move || {
                for number in 0..PUBLISHES {
                    receive_publication(peer, number);
                    until_it_sleeps(this_thread);
                    peer.send(&publication(number));
                }
            });
            for number in 0..PUBLISHES {
                program.send(&payload(number), QoS::AtMostOnce);
                program.expect_payload(&payload(number));
            }
        });
    });
    assert!(
        waiting * 2 < polling,
        "the background thread woke up {waiting} times, and {polling} times for a program that polls"
    );
}

fn connecting(url: &str) -> Program {
    let program = Program::new(url, &[(IntOption::KeepAlive, 0)]);
    program.set_text(options::CLIENT_ID, "trader");
    program
}

/// CONNECT has been sent: goes on from there.
fn talk(program: Program, peer: &mut dyn Peer) {
    assert_eq!(peer.receive()[0], 0x10, "CONNECT");
    peer.send(&CONNACK);
    program.expect_connected();
    publish_one_by_one(&program, peer);
    wait_one_by_one(&program, peer);
    program.free();
}

#[test]
fn publishes_and_messages_over_tls_and_websocket_need_no_background_thread() {
    let authority = Authority::new("Test CA");
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let mut server = FakeServer::start();
    let program = connecting(&format!("mqtts://127.0.0.1:{}", server.port()));
    program.set_text(options::TLS_CA, &authority.certificate);
    program.connect().unwrap();
    let mut stream = tls_server::accept(server.accept(), &certificate, &TlsOptions::default()).expect("a handshake");
    talk(program, &mut stream);

    let program = connecting(&format!("ws://127.0.0.1:{}", server.port()));
    program.connect().unwrap();
    let callback = |_: &Request, mut response: Response| {
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
        Ok(response)
    };
    let mut websocket = tungstenite::accept_hdr(server.accept().into_stream(), callback).expect("an upgrade");
    talk(program, &mut websocket);
}
