//! Each connect of the program begins anew.

use super::*;
use crate::client::Client;
use crate::client::address::Address;
use crate::client::command::Command;
use crate::client::options::IntOption;
use crate::client::tls_options::TlsOptions;
use crate::codec::property::{PropertyId, Value};
use crate::session::event::Disconnected;
use crate::types::reason::ReasonCode;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::OnceLock;

fn options(urls: &str, delay_ms: i64) -> Options {
    let mut options = Options::default();
    for option in [IntOption::ReconnectMinimum, IntOption::ReconnectMaximum] {
        options.set_int(option as i32, delay_ms, true).expect("an option");
    }
    options.addresses = Address::parse_list(urls).expect("URLs");
    options
}

#[test]
fn nothing_of_an_earlier_connect_is_left_for_the_next_one() {
    let client = Client::with_options(options("mqtt://127.0.0.1:1 mqtt://127.0.0.2:1", 1));
    let mut worker = client.make_worker().expect("a poll");
    worker.server = 1;
    worker.attention = true;
    worker.tls = TlsSetup::new(&TlsOptions::default()).ok();
    let mut moved = Disconnected::new(None, "moved");
    moved.reason = Some(ReasonCode::SERVER_MOVED);
    moved.properties.set(PropertyId::ServerReference, Value::Text("elsewhere")).expect("a property");
    let address = worker.options.addresses[1].clone();
    assert!(worker.redirect.follow(&mut moved, &address, &["elsewhere".to_owned()], true));

    worker.begin_anew(options("mqtt://127.0.0.3:1", 1000));
    assert_eq!(worker.address().map(ToString::to_string).as_deref(), Some("mqtt://127.0.0.3:1"));
    assert!(!worker.attention && worker.tls.is_none());
    assert_eq!(worker.backoff.ceiling(), Duration::from_secs(1));
}

#[test]
fn each_attempt_says_that_it_is_one_and_at_which_server() {
    let client = Client::with_options(options("mqtt://127.0.0.1:1 mqtt://127.0.0.2:1", 1));
    let mut worker = client.make_worker().expect("a poll");
    client.shared.set_state(State::Waiting);
    worker.server = 1;
    worker.start_connecting();
    assert_eq!((client.state(), client.statistics().server_index), (State::Connecting, 1));
}

/// Goes on until a Server accepts the connection; `act` is called at each turn.
fn run_until_accepted(worker: &mut Worker, options: &Options, mut act: impl FnMut()) {
    let deadline = clock::now() + Duration::from_secs(15);
    while worker.shared.state() != State::Connected {
        worker.step(&|| options.clone());
        worker.wait(Some(clock::now() + Duration::from_millis(5)));
        act();
        assert!(clock::now() < deadline, "no connection");
    }
}

#[test]
fn an_address_that_accepts_and_says_nothing_keeps_the_others_of_its_name_from_nothing() {
    static ADDRESSES: OnceLock<[SocketAddr; 2]> = OnceLock::new();
    let (silent, server) = (listener(), listener());
    let addresses = [&silent, &server].map(|listener| listener.local_addr().expect("an address"));
    ADDRESSES.set(addresses).expect("the only test with them");
    let mut options = options("mqtt://broker", 1);
    options.set_int(IntOption::ConnectTimeout as i32, 100, true).expect("an option");
    let client = Client::with_options(options.clone());
    let mut worker = client.make_worker().expect("a poll");
    worker.resolver = Resolver::with(|_, _| Ok(ADDRESSES.get().expect("set").to_vec()));
    client.shared.submit(Command::Connect(Box::new(options.session_options().expect("options"))));
    let mut streams: Vec<TcpStream> = Vec::new();
    for _ in 0..2 {
        run_until_accepted(&mut worker, &options, || serve(&server, &mut streams));
        streams.clear();
        while worker.shared.state() == State::Connected {
            worker.step(&|| options.clone());
            worker.wait(Some(clock::now() + Duration::from_millis(5)));
        }
    }
    let tried = std::iter::from_fn(|| silent.accept().ok()).count();
    assert_eq!(tried, 1);
}

fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener");
    listener
}

/// Takes the connections that are there, and accepts those whose CONNECT is.
fn serve(server: &TcpListener, streams: &mut Vec<TcpStream>) {
    streams.extend(std::iter::from_fn(|| server.accept().ok()).map(|(stream, _)| stream));
    for stream in streams {
        stream.set_nonblocking(true).expect("a stream");
        if stream.read(&mut [0; 1000]).is_ok_and(|count| count > 0) {
            // Success, and the Client Identifier "x".
            stream.write_all(&[0x20, 7, 0, 0, 4, 0x12, 0, 1, b'x']).expect("a client that reads");
        }
    }
}
