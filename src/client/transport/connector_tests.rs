//! The stages of a connection: when each is waited for, and until when.

use super::*;
use crate::client::clock;
use crate::client::thread::rest;
use crate::client::tls_options::TlsOptions;
use crate::client::transport::scripted::Scripted;
use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tungstenite::handshake::derive_accept_key;

/// A Server that accepts a WebSocket after a lot that has no content, as Sessions of TLS to resume.
#[derive(Default)]
struct Talkative {
    interruptions: usize,
    request: Vec<u8>,
}

impl Read for Talkative {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interruptions > 0 {
            self.interruptions -= 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        let request = String::from_utf8(std::mem::take(&mut self.request)).expect("HTTP");
        let header = |line: &str| Some(line.split_once(": ")?.1.to_owned());
        let key = request.lines().find(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key"));
        let Some(key) = key.and_then(header) else { return Err(io::ErrorKind::WouldBlock.into()) };
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        buffer[..response.len()].copy_from_slice(response.as_bytes());
        Ok(response.len())
    }
}

impl Write for Talkative {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_upgrade_goes_on_though_no_poll_tells_of_what_is_there_already() {
    let mut resolver = Resolver::with(|_, _| Err("nothing".to_owned()));
    let poll = mio::Poll::new().unwrap();
    let address = Address::parse_list("wss://broker").unwrap().remove(0);
    let plan = Plan { address, proxy: None, tls: None, headers: Vec::new(), maximum_packet_size: 0 };
    let now = clock::now();
    let mut connector = Connector::new(plan, now, now + Duration::from_secs(10), Token(1));
    let server = Talkative { interruptions: 3, ..Talkative::default() };
    assert!(connector.ready(Box::new(Scripted(server))).is_ok());
    let mut turns = 0;
    loop {
        match connector.advance(now, poll.registry(), &mut resolver) {
            // The worker comes back at this time, whether a socket is ready or not.
            Progress::Pending(until) => assert_eq!(until, now),
            Progress::Connected(..) => break,
            Progress::Failed(failure) => panic!("{failure}"),
        }
        turns += 1;
    }
    assert!(turns > 1, "others have their turn");
}

#[test]
fn a_resolver_that_hangs_neither_breaks_the_deadline_nor_is_asked_twice() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    static HANGS: Mutex<()> = Mutex::new(());
    let hanging = HANGS.lock().unwrap();
    let mut resolver = Resolver::with(|_, _| {
        ASKED.fetch_add(1, Ordering::SeqCst);
        drop(HANGS.lock());
        Err("nothing".to_owned())
    });
    let poll = mio::Poll::new().unwrap();
    let address = Address::parse_list("mqtt://broker").unwrap().remove(0);
    let plan = Plan { address, proxy: None, tls: None, headers: Vec::new(), maximum_packet_size: 0 };
    let now = clock::now();
    let deadline = now + Duration::from_secs(10);
    for _ in 0..3 {
        let mut connector = Connector::new(plan.clone(), now, deadline, Token(1));
        let pending = connector.advance(now, poll.registry(), &mut resolver);
        assert!(matches!(pending, Progress::Pending(until) if until == deadline));
        match connector.advance(deadline, poll.registry(), &mut resolver) {
            Progress::Failed(failure) => {
                assert_eq!(failure.status, Status::Resolve);
                assert!(failure.text.contains("found no address of 'broker' in time"), "{}", failure.text);
            }
            _ => panic!("the deadline is over"),
        }
    }
    drop(hanging);
    let mut connector = Connector::new(plan, now, deadline, Token(1));
    let answered = loop {
        match connector.advance(now, poll.registry(), &mut resolver) {
            Progress::Pending(_) => rest(Duration::from_millis(1)),
            other => break other,
        }
    };
    assert!(matches!(answered, Progress::Failed(failure) if failure.status == Status::Resolve));
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
}

#[test]
fn a_server_or_proxy_that_is_silent_behind_tcp_is_merely_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut resolver = Resolver::with(|_, _| Err("nothing".to_owned()));
    let mut poll = mio::Poll::new().unwrap();
    let mut events = mio::Events::with_capacity(4);
    let now = clock::now();
    for (url, proxy) in [
        (format!("mqtts://127.0.0.1:{port}"), None),
        (format!("ws://127.0.0.1:{port}"), None),
        ("mqtt://broker".to_owned(), Some(format!("socks5://127.0.0.1:{port}"))),
        ("mqtt://broker".to_owned(), Some(format!("http://127.0.0.1:{port}"))),
    ] {
        let address = Address::parse_list(&url).unwrap().remove(0);
        let proxy = proxy.map(|proxy| Proxy::parse(&proxy).unwrap());
        let tls = address.scheme.is_tls().then(|| TlsSetup::new(&TlsOptions::default()).unwrap());
        let plan = Plan { address, proxy, tls, headers: Vec::new(), maximum_packet_size: 0 };
        let mut connector = Connector::new(plan, now, now + Duration::from_secs(60), Token(1));
        while matches!(connector.doing, Doing::Resolving | Doing::Racing(_)) {
            assert!(matches!(connector.advance(now, poll.registry(), &mut resolver), Progress::Pending(_)));
            poll.poll(&mut events, Some(Duration::from_millis(10))).unwrap();
        }
        assert!(connector.only_waits(), "{url}");
    }
}

#[test]
fn only_the_last_address_of_a_server_is_merely_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut resolver = Resolver::with(|_, port| Ok(vec![([127, 0, 0, 1], port).into(); 2]));
    let poll = mio::Poll::new().unwrap();
    let now = clock::now();
    for (host, only_waits) in [("127.0.0.1", true), ("broker", false)] {
        let url = format!("mqtt://{host}:{}", listener.local_addr().unwrap().port());
        let address = Address::parse_list(&url).unwrap().remove(0);
        let plan = Plan { address, proxy: None, tls: None, headers: Vec::new(), maximum_packet_size: 0 };
        let deadline = now + Duration::from_secs(10);
        let mut connector = Connector::new(plan, now, deadline, Token(1));
        assert!(!connector.only_waits());
        let mut wakes = now;
        while matches!(connector.doing, Doing::Resolving) {
            match connector.advance(now, poll.registry(), &mut resolver) {
                Progress::Pending(until) => wakes = until,
                _ => panic!("nobody has connected"),
            }
        }
        assert_eq!(connector.only_waits(), only_waits, "{host}");
        // The next address has its turn.
        assert_eq!(wakes == deadline, only_waits, "{host}");
    }
}
