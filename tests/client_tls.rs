//! A connection over TLS, from the handshake to its end: with a real Server, Mosquitto, and with scripted ones that make it fail,
//! each with its words. Certificates, keys and options are tried in `client_tls_certificates`.

mod common;

use common::attempt::{ONCE, TlsServer, assert_fails, try_connect};
use common::certificates::{Authority, Folder, Validity};
use common::fake_server::FakeServer;
use common::mosquitto::Mosquitto;
use common::program::{Program, within};
use common::tls_server::{self, TlsOptions, TlsStream};
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::{Failure, Status};
use rustls::{HandshakeKind, ServerConnection};
use socket2::SockRef;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether Mosquitto is there; says so if not.
fn mosquitto_is_missing() -> bool {
    tools::lacks("TLS with a real Server", "mosquitto")
}

#[test]
fn messages_of_every_size_and_qos_come_back_over_tls_1_2_and_1_3() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    for (version, minimum) in [(4, 12), (5, 13)] {
        let program = Program::new(&server.url(), &[(IntOption::TlsVersionMinimum, minimum)]);
        program.set_int(IntOption::ProtocolVersion, version);
        program.set_text(options::TLS_CA, &authority.certificate);
        program.set_text(options::CLIENT_ID, "echo");
        program.connect().unwrap();
        program.expect_connected();
        assert_eq!(program.server().unwrap(), server.url());
        let token = program.subscribe_to("t", QoS::ExactlyOnce);
        program.expect_subscribed(token);
        // Far more than a socket takes at once, so that encrypted bytes are held back.
        let mut sent = Vec::new();
        for (number, size) in (0u8..).zip([0, 1, 1000, 16_384, 70_000, 1_000_000, 5_000_000, 3, 200_000, 9]) {
            let payload = vec![number; size];
            let qos = QoS::from_u8(number % 3).unwrap();
            program.try_send(&payload, qos).expect("an accepted publish");
            sent.push((qos, payload));
        }
        let mut received = Vec::new();
        let mut published = 0;
        while received.len() < sent.len() || published < 6 {
            match program.event("the messages that come back") {
                Event::Message { message, .. } => received.push((message.qos, message.payload().to_vec())),
                Event::Published { outcome, .. } => {
                    assert_eq!(outcome.failure, None);
                    published += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        // The order holds within a QoS.
        sent.sort_by_key(|message| message.0 as u8);
        received.sort_by_key(|message| message.0 as u8);
        assert!(sent == received);
        program.disconnect_now(Duration::from_secs(2));
        assert_eq!(program.expect_disconnected().failure, None);
    }
}

#[test]
fn ten_thousand_small_messages_keep_their_order_over_tls() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    let program = Program::new(&server.url(), &[]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.connect().unwrap();
    program.expect_connected();
    let token = program.subscribe_to("t", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    program.set_int(IntOption::PublishEvents, 0);
    for number in 0..10_000 {
        program.send(&number.to_string(), QoS::AtLeastOnce);
    }
    for number in 0..10_000 {
        program.expect_payload_of_many(&number.to_string());
    }
}

/// Does a handshake with a scripted Server; what the client makes of it.
fn against(options: &TlsOptions<'_>, texts: &[(i32, &str)], ints: &[(IntOption, i64)]) -> Option<Failure> {
    let authority = Authority::new("Test CA");
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let mut server = FakeServer::start();
    let program = Program::new(&format!("mqtts://127.0.0.1:{}", server.port()), &[ONCE]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::CLIENT_ID, "trader");
    for (option, value) in texts {
        program.set_text(*option, value);
    }
    for (option, value) in ints {
        program.set_int(*option, *value);
    }
    program.connect().unwrap();
    if let Ok(mut stream) = tls_server::accept(server.accept(), &certificate, options) {
        let mut head = [0; 1];
        if stream.read_exact(&mut head).is_ok() {
            assert_eq!(head, [0x10], "CONNECT");
            stream.write_all(&[0x20, 3, 0, 0, 0]).expect("the client takes CONNACK");
            stream.flush().expect("the client takes CONNACK");
            program.expect_connected();
            return None;
        }
    }
    let end = program.expect_disconnected();
    Some(end.failure.expect("a failure").because(end.detail))
}

#[test]
fn a_server_of_tls_1_2_says_little_but_the_client_says_what_it_wants() {
    let ca = Authority::new("Test CA");
    let only_1_2 = TlsOptions { versions: &[&rustls::version::TLS12], ..TlsOptions::default() };
    assert_eq!(against(&only_1_2, &[], &[]), None);
    let failure = against(&only_1_2, &[], &[(IntOption::TlsVersionMinimum, 13)]);
    assert_fails(failure, Status::Tls, &["no common version of TLS", "TLS_VERSION_MINIMUM"]);
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let wants = TlsOptions { client_ca: Some(&ca.certificate), versions, ..TlsOptions::default() };
        assert_fails(against(&wants, &[], &[]), Status::TlsClientCertificate, &["wants a client certificate"]);
        let foreign = Authority::new("Another CA").issue("trader", &[], Validity::Now);
        let texts =
            [(options::TLS_CLIENT_CERTIFICATE, &*foreign.certificate), (options::TLS_CLIENT_KEY, &*foreign.key)];
        assert_fails(against(&wants, &texts, &[]), Status::TlsClientCertificate, &["refuses our client certificate"]);
    }
}

#[test]
fn a_client_certificate_that_a_server_can_do_without_is_not_held_to_be_what_is_wrong() {
    let ca = Authority::new("Test CA");
    let (tls_1_2, tls_1_3) = (&[&rustls::version::TLS12], &[&rustls::version::TLS13]);
    for (versions, tickets, status, words) in [
        (tls_1_2, 0, Status::ConnectionClosed, ""),
        (tls_1_3, 2, Status::ConnectionClosed, ""),
        // Here nothing tells whether the Server has accepted it.
        (tls_1_3, 0, Status::TlsClientCertificate, "if it needs one"),
    ] {
        let asks =
            TlsOptions { client_ca: Some(&ca.certificate), optional: true, versions, tickets, ..TlsOptions::default() };
        let authority = Authority::new("Test CA");
        let (program, mut stream) = begun(&authority, &asks);
        let mut packet = [0; 1];
        stream.read_exact(&mut packet).expect("CONNECT");
        // Refused without a word, as Servers of MQTT 3.1.1 do.
        stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
        let end = program.expect_disconnected();
        assert_fails(end.failure.map(|status| status.because(end.detail)), status, &[words]);
    }
}

#[test]
fn a_server_of_old_versions_only_is_told_from_other_failures() {
    // A ServerHello of TLS 1.1 with TLS_RSA_WITH_AES_128_CBC_SHA, and the alert protocol_version.
    let hello = [&[0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0, 0x2F, 0]].concat();
    for says in [&hello[..], &[0x15, 3, 2, 0, 2, 2, 70]] {
        let mut server = FakeServer::start();
        let program = Program::connecting(&format!("mqtts://127.0.0.1:{}", server.port()), &[ONCE]);
        let mut peer = server.accept();
        peer.send_bytes(says);
        let end = program.expect_disconnected();
        let words = ["no common version of TLS", "1.2 and 1.3"];
        assert_fails(end.failure.map(|status| status.because(end.detail)), Status::Tls, &words);
    }
}

#[test]
fn an_address_of_ipv6_is_a_name_that_a_certificate_can_have() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let trusted = (options::TLS_CA, &*authority.certificate);
    for (protocol, scheme) in [("", "mqtts"), ("protocol websockets\n", "wss")] {
        let folder = Folder::new();
        let tls = folder.listener(&authority.issue("server", &["::1"], Validity::Now));
        let server = Mosquitto::start_with_listener_at("::1", &format!("{protocol}{tls}")).expect("mosquitto");
        assert_eq!(try_connect(&format!("{scheme}://[::1]:{}", server.second_port()), &[trusted], &[]), None);
    }
}

/// A program and the scripted Server that it speaks TLS with.
fn begun(authority: &Authority, options: &TlsOptions<'_>) -> (Program, TlsStream) {
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let mut server = FakeServer::start();
    let program = Program::new(&format!("mqtts://127.0.0.1:{}", server.port()), &[ONCE]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::CLIENT_ID, "trader");
    program.connect().unwrap();
    let stream = tls_server::accept(server.accept(), &certificate, options).expect("a handshake");
    (program, stream)
}

/// A program and the scripted Server that has accepted it.
fn connected(authority: &Authority, options: &TlsOptions<'_>) -> (Program, TlsStream) {
    let (program, mut stream) = begun(authority, options);
    accept_connect(&mut stream);
    program.expect_connected();
    (program, stream)
}

fn accept_connect(stream: &mut TlsStream) {
    stream.read_exact(&mut [0]).expect("CONNECT");
    stream.write_all(&[0x20, 3, 0, 0, 0]).expect("the client takes CONNACK");
    stream.flush().expect("the client takes CONNACK");
}

#[test]
fn what_the_server_said_last_is_heard_though_tls_fails_right_behind_it() {
    let authority = Authority::new("Test CA");
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let (program, mut stream) = connected(&authority, &TlsOptions { versions, ..TlsOptions::default() });
        // DISCONNECT (Session taken over), and a record that nobody can decrypt, in one go.
        stream.conn.writer().write_all(&[0xE0, 2, 0x8E, 0]).expect("room");
        let mut records = Vec::new();
        stream.conn.write_tls(&mut records).expect("room");
        records.extend([&[0x17, 3, 3, 0, 40][..], &[7; 40]].concat());
        stream.sock.write_all(&records).expect("the client takes it");
        let end = program.expect_disconnected();
        assert_eq!(end.reason, Some(ReasonCode::SESSION_TAKEN_OVER), "{}", end.detail);
    }
}

#[test]
fn a_session_of_tls_does_not_outlive_the_certificate() {
    let authority = Authority::new("Test CA");
    let unix = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let end = unix() + 6;
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Until(end));
    let config = tls_server::config(&certificate, &TlsOptions::default());
    let mut server = FakeServer::start();
    let url = format!("mqtts://127.0.0.1:{}", server.port());
    let program = Program::new(&url, &[(IntOption::ReconnectMaximum, 20)]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::CLIENT_ID, "trader");
    program.connect().unwrap();
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut stream = tls_server::accept_with(server.accept(), config.clone()).expect("a handshake");
        assert_eq!(stream.conn.handshake_kind(), Some(kind));
        accept_connect(&mut stream);
        program.expect_connected();
        while kind == HandshakeKind::Resumed && unix() <= end {
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(stream);
        assert_ne!(program.expect_disconnected().failure, Some(Status::TlsCertificate));
    }
    assert!(tls_server::accept_with(server.accept(), config).is_err());
    let end = program.expect_disconnected();
    assert_fails(end.failure.map(|status| status.because(end.detail)), Status::TlsCertificate, &["expired on"]);
}

#[test]
fn a_server_that_has_spoken_tls_is_not_held_for_one_that_cant() {
    let authority = Authority::new("Test CA");
    let (program, mut stream) = connected(&authority, &TlsOptions::default());
    // Something on the way has answered in the Server's place.
    stream.sock.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").expect("the client takes it");
    let end = program.expect_disconnected();
    assert!(!end.detail.contains("mqtt://"), "{}", end.detail);
    assert_eq!(end.failure, Some(Status::Tls), "{}", end.detail);
}

#[test]
fn application_protocols_are_negotiated() {
    let knows_mqtt = TlsOptions { alpn: &["http/1.1", "mqtt"], ..TlsOptions::default() };
    assert_eq!(against(&knows_mqtt, &[(options::TLS_ALPN, "x-amzn-mqtt-ca, mqtt")], &[]), None);
    let failure = against(&knows_mqtt, &[(options::TLS_ALPN, "x-amzn-mqtt-ca")], &[]);
    assert_fails(failure, Status::Tls, &["TLS_ALPN"]);
}

#[test]
fn the_wrong_scheme_is_recognised_by_what_answers() {
    let wrong = Status::WrongProtocol;
    if !mosquitto_is_missing() {
        let authority = Authority::new("Test CA");
        let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
        let (plain, tls) = (server.mosquitto.port(), server.mosquitto.second_port());
        let failure = try_connect(&format!("mqtts://127.0.0.1:{plain}"), &[], &[]);
        assert_fails(failure, wrong, &["doesn't speak TLS", "use mqtt://"]);
        // What Mosquitto says to CONNECT on its TLS port depends on its OpenSSL: an alert, or nothing.
        let Failure { status, text } = try_connect(&format!("mqtt://127.0.0.1:{tls}"), &[], &[]).expect("a failure");
        assert!(matches!(status, Status::WrongProtocol | Status::ConnectionClosed), "{text}");
        assert!(text.contains("use mqtts://"), "{text}");
        assert_fails(try_connect(&format!("ws://127.0.0.1:{tls}"), &[], &[]), wrong, &["wss://"]);
        assert_fails(try_connect(&format!("wss://127.0.0.1:{plain}"), &[], &[]), wrong, &["doesn't speak TLS"]);
    }
    // What a Server of another protocol says at first.
    let cases: [(&str, &[u8], &[&str]); 7] = [
        ("mqtts", b"HTTP/1.1 400 Bad Request\r\n\r\n", &["doesn't speak TLS"]),
        ("mqtts", b"220 mail.example.com ESMTP\r\n", &["doesn't speak TLS"]),
        ("mqtt", b"HTTP/1.1 400 Bad Request\r\n\r\n", &["speaks HTTP: use ws://"]),
        ("mqtt", &[0x15, 3, 1, 0, 2, 2, 70], &["answers, but the Server on it speaks TLS: use mqtts://"]),
        ("mqtt", b"SSH-2.0-OpenSSH_9.2\r\n", &["speaks no MQTT: it says 'SSH-2.0-OpenSSH_9.2'", "port"]),
        ("mqtt", b"220 mail.example.com ESMTP\r\n", &["it says '220 mail.example.com ESMTP'"]),
        ("mqtt", &[b"+OK ".as_slice(), &[b'x'; 9000]].concat(), &["it says '+OK xxx", "xxx…'"]),
    ];
    for (scheme, says, words) in cases {
        let mut server = FakeServer::start();
        let program = Program::connecting(&format!("{scheme}://127.0.0.1:{}", server.port()), &[ONCE]);
        let mut peer = server.accept();
        peer.send_bytes(says);
        let end = program.expect_disconnected();
        assert_fails(end.failure.map(|status| status.because(end.detail)), wrong, words);
    }
    let mut server = FakeServer::start();
    let program = Program::connecting(&format!("mqtt://127.0.0.1:{}", server.port()), &[ONCE]);
    server.accept().close();
    let end = program.expect_disconnected();
    assert_fails(end.failure.map(|status| status.because(end.detail)), Status::ConnectionClosed, &["use mqtts://"]);
}

#[test]
fn a_handshake_that_ends_at_any_byte_is_a_failure_and_tried_again() {
    let authority = Authority::new("Test CA");
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let options = TlsOptions { versions: &[version], ..TlsOptions::default() };
        let config = tls_server::config(&certificate, &options);
        let mut server = FakeServer::start();
        let program = Program::new(&format!("mqtts://127.0.0.1:{}", server.port()), &[]);
        program.set_text(options::TLS_CA, &authority.certificate);
        program.connect().unwrap();
        let (mut room, mut resets) = (1, false);
        loop {
            let peer = server.accept();
            // A connection that takes so many bytes of the Server's, and then ends.
            let (mut session, mut stream) = (ServerConnection::new(config.clone()).unwrap(), peer.into_stream());
            let mut left = room;
            while session.is_handshaking() && left > 0 {
                session.read_tls(&mut stream).expect("the client goes on with the handshake");
                session.process_new_packets().expect("a client that is in the right");
                let mut bytes = Vec::new();
                while session.wants_write() {
                    session.write_tls(&mut bytes).unwrap();
                }
                bytes.truncate(left);
                left -= bytes.len();
                stream.write_all(&bytes).expect("the client takes what the Server says");
            }
            if !session.is_handshaking() {
                break;
            }
            if resets {
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            }
            drop(stream);
            let end = program.expect_disconnected();
            let failure = end.failure.map(|status| status.because(end.detail));
            assert_fails(failure, Status::Tls, &["during the TLS handshake"]);
            (room, resets) = (room + 37, !resets);
        }
    }
}

#[test]
fn a_server_that_is_silent_in_the_handshake_is_given_up_in_time() {
    let mut server = FakeServer::start();
    let url = format!("mqtts://127.0.0.1:{}", server.port());
    let program = Program::connecting(&url, &[ONCE, (IntOption::ConnectTimeout, 300)]);
    let peer = server.accept();
    program.assert_no_call_waits();
    let end = within(Duration::from_secs(3), "the connect timeout", || {
        loop {
            match program.event("Disconnected") {
                Event::Disconnected(end) => break end,
                _ => continue,
            }
        }
    });
    let words = ["no answer from", &url, "TLS isn't answered"];
    assert_fails(end.failure.map(|status| status.because(end.detail)), Status::ConnectTimeout, &words);
    peer.close();
}

#[test]
fn a_renewed_file_is_read_at_the_next_attempt() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    let files = Folder::new();
    let path = files.write("ca.pem", &Authority::new("Another CA").certificate);
    let program = Program::new(&server.url(), &[(IntOption::ReconnectMaximum, 20)]);
    program.set_text(options::TLS_CA, &path);
    program.connect().unwrap();
    assert_eq!(program.expect_disconnected().failure, Some(Status::TlsCertificate));
    files.write("ca.pem", &authority.certificate);
    while let Event::Disconnected(end) = program.event("Connected") {
        assert!(matches!(end.failure, Some(Status::TlsCertificate | Status::TlsSetup)), "{}", end.detail);
    }
}
