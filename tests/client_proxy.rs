//! Connections through SOCKS5 and HTTP proxies, with every scheme, and what a proxy can have against them.

mod common;

use common::certificates::{Authority, Folder, Validity};
use common::fake_server::FakeServer;
use common::mosquitto::{Mosquitto, free_port};
use common::program::{Program, within};
use common::proxy::{Answer, ProxyOptions, TestProxy};
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::event::Disconnected;
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::Status;
use std::time::Duration;

const ONCE: (IntOption, i64) = (IntOption::Reconnect, 0);

fn start(socks: bool, credentials: Option<(&'static str, &'static str)>, answer: Answer) -> TestProxy {
    TestProxy::start(ProxyOptions { socks, credentials, answer })
}

fn scheme(socks: bool) -> &'static str {
    if socks { "socks5" } else { "http" }
}

#[test]
fn every_scheme_goes_through_every_proxy() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("a real Server behind a proxy", "mosquitto");
    }
    let authority = Authority::new("Test CA");
    let folder = Folder::new();
    // Only the proxy knows where this name leads to: it is resolved there.
    let host = "broker.behind.the.proxy.invalid";
    let tls = folder.listener(&authority.issue("server", &[host], Validity::Now));
    let cases = [
        ("mqtt", String::new()),
        ("mqtts", tls.clone()),
        ("ws", "protocol websockets\n".to_owned()),
        ("wss", format!("protocol websockets\n{tls}")),
    ];
    for (url_scheme, lines) in cases {
        let server = Mosquitto::start_with_listener(&lines).expect("mosquitto");
        for (socks, credentials) in
            [(true, None), (true, Some(("trader", "s3cret:@"))), (false, None), (false, Some(("trader", "s3cret:@")))]
        {
            let proxy = start(socks, credentials, Answer::Connect);
            let user = credentials.map_or("", |_| "trader:s3cret%3A%40@");
            let program = Program::new(&format!("{url_scheme}://{host}:{}", server.second_port()), &[]);
            program.set_text(options::PROXY, &format!("{}://{user}127.0.0.1:{}", scheme(socks), proxy.port()));
            program.set_text(options::TLS_CA, &authority.certificate);
            program.connect().unwrap();
            program.expect_connected();
            assert_eq!(proxy.target(), format!("{host}:{}", server.second_port()));
            let token = program.subscribe_to("t", QoS::AtLeastOnce);
            program.expect_subscribed(token);
            program.set_int(IntOption::PublishEvents, 0);
            for number in 0..100 {
                program.send(&number.to_string(), QoS::AtLeastOnce);
            }
            for number in 0..100 {
                program.expect_payload(&number.to_string());
            }
            program.disconnect_now(Duration::from_secs(2));
            assert_eq!(program.expect_disconnected().failure, None);
        }
    }
}

#[test]
fn addresses_of_both_families_are_asked_for_as_such() {
    for socks in [true, false] {
        for ip in ["127.0.0.1", "::1"] {
            let mut server = FakeServer::start_at(ip.parse().unwrap());
            let proxy = start(socks, None, Answer::Connect);
            let program = Program::new(&server.url(), &[]);
            program.set_text(options::PROXY, &format!("{}://127.0.0.1:{}", scheme(socks), proxy.port()));
            program.connect().unwrap();
            server.accept_mqtt();
            program.expect_connected();
            assert_eq!(format!("mqtt://{}", proxy.target()), server.url());
        }
    }
}

/// What the client says about this proxy.
fn fails(proxy_url: &str) -> Disconnected {
    let program = Program::new("mqtt://broker.invalid:1883", &[ONCE]);
    program.set_text(options::PROXY, proxy_url);
    program.connect().unwrap();
    program.expect_disconnected()
}

#[track_caller]
fn assert_fails(proxy_url: &str, words: &[&str]) {
    let end = fails(proxy_url);
    assert_eq!(end.failure, Some(Status::Proxy), "{}", end.detail);
    for word in words {
        assert!(end.detail.contains(word), "'{word}' is not in: {}", end.detail);
    }
    assert!(!end.detail.contains("s3cret"), "{}", end.detail);
}

#[test]
fn what_a_socks_proxy_refuses_is_explained() {
    let texts = [
        (1, "for a reason of its own"),
        (2, "its rules don't allow"),
        (3, "network is unreachable"),
        (4, "its name isn't known there"),
        (5, "nobody listens on that port"),
        (6, "took too long"),
        (7, "doesn't support connecting"),
        (8, "this type of address"),
        (99, "the unknown code 99"),
    ];
    for (code, words) in texts {
        let proxy = start(true, None, Answer::Refuse(code));
        let url = format!("socks5://127.0.0.1:{}", proxy.port());
        assert_fails(&url, &["mqtt://broker.invalid:1883 through proxy", &url, words]);
    }
    let proxy = start(true, Some(("trader", "s3cret")), Answer::Connect);
    let port = proxy.port();
    assert_fails(&format!("socks5://127.0.0.1:{port}"), &["wants a user name and password", "socks5://user:password@"]);
    assert_fails(&format!("socks5://trader:s3cret2@127.0.0.1:{port}"), &["refuses the user name and password"]);
    for (bytes, words) in [
        (&[5, 9][..], "authentication method 9, which wasn't offered"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "an HTTP proxy: write http://"),
        (b"220 hello\r\n", "no SOCKS5 proxy"),
        // Success, with an address of which nobody knows where it ends and the Server's bytes begin.
        (&[5, 0, 5, 0, 0, 9, 0, 0, 0, 0, 0, 0], "the unknown type of address 9"),
    ] {
        let proxy = start(true, None, Answer::Bytes(bytes));
        assert_fails(&format!("socks5://127.0.0.1:{}", proxy.port()), &[words]);
    }
    // Some close behind the first two bytes of a refusal.
    let proxy = start(true, None, Answer::Bytes(&[5, 0, 5, 2]));
    assert_fails(&format!("socks5://127.0.0.1:{}", proxy.port()), &["its rules don't allow"]);
    let proxy = start(true, None, Answer::Bytes(&[5, 0xFF]));
    let url = format!("socks5://trader:s3cret@127.0.0.1:{}", proxy.port());
    assert_fails(&url, &["neither user name and password nor a guest"]);
    // Midway in its answer, too.
    for bytes in [&[5][..], &[5, 0, 5], &[5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0]] {
        let proxy = start(true, None, Answer::Bytes(bytes));
        assert_fails(&format!("socks5://127.0.0.1:{}", proxy.port()), &["it closed the connection"]);
    }
    let proxy = start(true, None, Answer::Close);
    assert_fails(&format!("socks5://127.0.0.1:{}", proxy.port()), &["it closed the connection"]);
}

#[test]
fn what_an_http_proxy_refuses_is_explained() {
    for (code, words) in [
        (302, "it wants something of a person first (code 302)"),
        (511, "it wants something of a person first (code 511)"),
        (403, "its rules don't allow this connection (code 403)"),
        (405, "its rules don't allow this connection (code 405)"),
        (407, "wants a user name and password"),
        (502, "could not connect to the Server (code 502)"),
        (504, "could not connect to the Server (code 504)"),
        (500, "refused to connect (code 500)"),
    ] {
        let proxy = start(false, None, Answer::Refuse(code));
        let url = format!("http://127.0.0.1:{}", proxy.port());
        assert_fails(&url, &["mqtt://broker.invalid:1883 through proxy", &url, words]);
    }
    let proxy = start(false, Some(("trader", "s3cret")), Answer::Connect);
    let port = proxy.port();
    assert_fails(&format!("http://127.0.0.1:{port}"), &["wants a user name and password", "http://user:password@"]);
    assert_fails(&format!("http://trader:s3cret2@127.0.0.1:{port}"), &["refuses the user name and password"]);
    for (bytes, words) in [
        (&[5, 0xFF][..], "a SOCKS5 proxy: write socks5://"),
        (b"220 hello\r\n", "no HTTP proxy"),
        (&[b'x'; 100_000], "no HTTP proxy"),
        // RFC 9110 section 15.2: any number of 1xx come before the response.
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\nX: y\r\n\r\nHTTP/1.1 502 No\r\n\r\n",
            "could not connect to the Server (code 502)",
        ),
    ] {
        let proxy = start(false, None, Answer::Bytes(bytes));
        let end = fails(&format!("http://127.0.0.1:{}", proxy.port()));
        assert_eq!(end.failure, Some(Status::Proxy), "{}", end.detail);
        assert!(end.detail.contains(words) || bytes.len() > 1000, "{}", end.detail);
    }
    // Any 2xx is a success (RFC 9110 section 9.3.6): what ends the connection then isn't the proxy's refusal.
    let proxy = start(false, None, Answer::Bytes(b"HTTP/1.1 204 Go on\r\n\r\n"));
    let end = fails(&format!("http://127.0.0.1:{}", proxy.port()));
    assert_ne!(end.failure, Some(Status::Proxy), "{}", end.detail);
    // Not without end.
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let proxy = start(false, None, Answer::Bytes(interim.leak()));
    assert_fails(&format!("http://127.0.0.1:{}", proxy.port()), &["its answer is too long"]);
    // Midway in its answer, too.
    for bytes in [&b"HTTP/1.1 20"[..], b"HTTP/1.1 200 OK\r\n"] {
        let proxy = start(false, None, Answer::Bytes(bytes));
        assert_fails(&format!("http://127.0.0.1:{}", proxy.port()), &["it closed the connection"]);
    }
    let proxy = start(false, None, Answer::Close);
    assert_fails(&format!("http://127.0.0.1:{}", proxy.port()), &["it closed the connection"]);
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let url = format!("socks5://127.0.0.1:{}", free_port());
    assert_fails(&url, &["connecting to proxy", &url]);
    let name = format!("{}.invalid", "x".repeat(64));
    assert_fails(&format!("http://{name}:1"), &["connecting to proxy", "could not be resolved"]);
}

#[test]
fn a_silent_proxy_is_given_up_in_time() {
    for socks in [true, false] {
        let mut silent = FakeServer::start();
        let program = Program::new("mqtt://broker.invalid", &[ONCE, (IntOption::ConnectTimeout, 300)]);
        program.set_text(options::PROXY, &format!("{}://127.0.0.1:{}", scheme(socks), silent.port()));
        program.connect().unwrap();
        let peer = silent.accept();
        let end = within(Duration::from_secs(3), "the connect timeout", || program.expect_disconnected());
        assert_eq!(end.failure, Some(Status::ConnectTimeout));
        assert!(end.detail.contains("the proxy 127.0.0.1") && end.detail.contains("didn't answer"), "{}", end.detail);
        peer.close();
    }
}
