//! As for plain TCP, a publish on an idle connection over TLS or WebSocket is written by the thread that calls; one test in
//! this file, as other clients' threads have the same name.
#![cfg(target_os = "linux")]
// tungstenite's callbacks have this type.
#![allow(clippy::result_large_err)]

mod common;

use common::background_thread::sleeps_of_background_thread;
use common::certificates::{Authority, Validity};
use common::fake_server::FakeServer;
use common::program::Program;
use common::tls_server::{self, TlsOptions};
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::types::QoS;
use std::io::{Read, Write};
use tungstenite::Message;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;

const PUBLISHES: usize = 300;
const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];

/// Publishes and sees each message at the Server before the next one; `receive` waits for the next bytes.
fn publish_one_by_one(program: &Program, mut receive: impl FnMut() -> Vec<u8>) {
    let mut next = |number: usize| {
        let payload = format!("{number:04}");
        program.send(&payload, QoS::AtMostOnce);
        let mut seen = Vec::new();
        while !seen.ends_with(payload.as_bytes()) {
            seen.extend(receive());
        }
    };
    // The first one may come while the thread is still busy with CONNACK.
    next(0);
    let before = sleeps_of_background_thread();
    (1..PUBLISHES).for_each(next);
    let sleeps = sleeps_of_background_thread() - before;
    assert!(sleeps < PUBLISHES as u64 / 20, "the background thread woke up {sleeps} times for {PUBLISHES} publishes");
}

fn connecting(url: &str) -> Program {
    let program = Program::new(url, &[(IntOption::KeepAlive, 0)]);
    program.set_text(options::CLIENT_ID, "trader");
    program
}

#[test]
fn a_publish_over_tls_and_websocket_reaches_the_server_without_the_background_thread() {
    let authority = Authority::new("Test CA");
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let mut server = FakeServer::start();
    let program = connecting(&format!("mqtts://127.0.0.1:{}", server.port()));
    program.set_text(options::TLS_CA, &authority.certificate);
    program.connect().unwrap();
    let mut stream = tls_server::accept(server.accept(), &certificate, &TlsOptions::default()).expect("a handshake");
    let read = |stream: &mut tls_server::TlsStream| {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).expect("bytes of the client");
        buffer[..count].to_vec()
    };
    assert_eq!(read(&mut stream)[0], 0x10, "CONNECT");
    stream.write_all(&CONNACK).expect("the client takes CONNACK");
    program.expect_connected();
    publish_one_by_one(&program, || read(&mut stream));
    program.free();

    let program = connecting(&format!("ws://127.0.0.1:{}", server.port()));
    program.connect().unwrap();
    let callback = |_: &Request, mut response: Response| {
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
        Ok(response)
    };
    let mut websocket = tungstenite::accept_hdr(server.accept().into_stream(), callback).expect("an upgrade");
    assert_eq!(websocket.read().expect("a frame").into_data()[0], 0x10, "CONNECT");
    websocket.send(Message::binary(CONNACK.to_vec())).expect("the client takes CONNACK");
    program.expect_connected();
    publish_one_by_one(&program, || websocket.read().expect("a frame").into_data().to_vec());
}
