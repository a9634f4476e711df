//! WebSocket with a real Server, Mosquitto, and with a scripted one that does what Mosquitto never does (section 6).

// tungstenite's callbacks have this type.
#![allow(clippy::result_large_err)]

mod common;

use common::certificates::{Authority, Folder, Validity};
use common::fake_server::{FakeServer, Peer};
use common::mosquitto::Mosquitto;
use common::program::Program;
use common::tools;
use mt5mqtt::client::Client;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::property::Properties;
use mt5mqtt::codec::{self, Decoded, Packet};
use mt5mqtt::session::event::{Disconnected, Event};
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Message, WebSocket};

const ONCE: (IntOption, i64) = (IntOption::Reconnect, 0);
const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];

fn publication(peer_version: ProtocolVersion, payload: &str) -> Vec<u8> {
    use mt5mqtt::codec::message::Message;
    use mt5mqtt::types::topic::TopicName;
    let message =
        Message::new(TopicName::new("t").unwrap(), payload.as_bytes(), QoS::AtMostOnce, false, Properties::EMPTY);
    let mut bytes = Vec::new();
    codec::encode(&Packet::Publish(message.publish(None, false)), peer_version, usize::MAX, &mut bytes).unwrap();
    bytes
}

fn program(url: &str, ints: &[(IntOption, i64)]) -> Program {
    let program = Program::new(url, ints);
    program.set_text(options::CLIENT_ID, "trader");
    program
}

#[test]
fn messages_of_every_size_come_back_over_websocket_with_and_without_tls() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("WebSocket with a real Server", "mosquitto");
    }
    let authority = Authority::new("Test CA");
    let folder = Folder::new();
    let tls = folder.listener(&authority.issue("server", &["127.0.0.1"], Validity::Now));
    for (scheme, lines) in [("ws", String::new()), ("wss", tls)] {
        let lines = format!("protocol websockets\n{lines}");
        let server = Mosquitto::start_with_listener(&lines).expect("mosquitto");
        let url = format!("{scheme}://127.0.0.1:{}/mqtt?token=secret", server.second_port());
        let program = program(&url, &[]);
        program.set_text(options::TLS_CA, &authority.certificate);
        program.connect().unwrap();
        program.expect_connected();
        assert_eq!(program.server().unwrap(), url.split('?').next().unwrap());
        let other = server.subscribe(&["-t", "large", "-F", "%l"]);
        let token = program.subscribe_to("t", QoS::AtLeastOnce);
        program.expect_subscribed(token);
        program.set_int(IntOption::PublishEvents, 0);
        let sizes = [0, 1, 100, 125, 126, 65_535, 65_536, 70_000, 3];
        for (number, size) in (0u8..).zip(sizes) {
            program.try_send(&vec![number; size], QoS::AtLeastOnce).expect("an accepted publish");
        }
        for (number, size) in (0u8..).zip(sizes) {
            assert!(program.expect_message().0.payload() == vec![number; size], "message {number}");
        }
        // Mosquitto 2.0 gets stuck when it is to send what its WebSocket doesn't take at once: this one goes to another client.
        let topic = mt5mqtt::types::topic::TopicName::new("large").unwrap();
        let large = program.publish(topic, &vec![7; 5_000_000], QoS::AtLeastOnce, false, Properties::EMPTY);
        large.expect("an accepted publish");
        assert_eq!(other.line(Instant::now() + Duration::from_secs(15)), "5000000");
        for number in 0..500 {
            program.send(&number.to_string(), QoS::AtLeastOnce);
        }
        for number in 0..500 {
            program.expect_payload(&number.to_string());
        }
        program.disconnect_now(Duration::from_secs(2));
        assert_eq!(program.expect_disconnected().failure, None);
    }
}

#[test]
fn a_plain_client_on_a_websocket_port_is_told_the_scheme() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("WebSocket with a real Server", "mosquitto");
    }
    let server = Mosquitto::start_with_listener("protocol websockets\n").expect("mosquitto");
    let program = program(&format!("ws://127.0.0.1:{}", server.port()), &[ONCE]);
    program.connect().unwrap();
    let end = program.expect_disconnected();
    assert_eq!(end.failure, Some(Status::WrongProtocol), "{}", end.detail);
    assert!(end.detail.contains("use mqtt://"), "{}", end.detail);
}

/// A WebSocket that the test's Server has accepted.
struct Scripted {
    websocket: WebSocket<TcpStream>,
    received: Vec<u8>,
}

impl Scripted {
    /// Accepts the upgrade, and looks at the request.
    fn accept(peer: Peer, look: impl Fn(&Request)) -> Self {
        let callback = |request: &Request, mut response: Response| {
            // MQTT-6.0.0-3
            let offered = request.headers().get("Sec-WebSocket-Protocol").expect("a subprotocol");
            assert!(offered.to_str().unwrap().split(',').any(|name| name.trim() == "mqtt"));
            look(request);
            response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
            Ok(response)
        };
        let websocket = tungstenite::accept_hdr(peer.into_stream(), callback).expect("an upgrade");
        Scripted { websocket, received: Vec::new() }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.websocket.send(Message::binary(bytes.to_vec())).expect("the client takes it");
    }

    /// The next packet, from frames of any size, all of which are binary (MQTT-6.0.0-1).
    fn expect(&mut self, wanted: PacketType) -> Vec<u8> {
        let (name, packet) = self.next();
        assert_eq!(name, wanted.name());
        packet
    }

    /// The next packet and the name of its type.
    fn next(&mut self) -> (&'static str, Vec<u8>) {
        loop {
            if let Ok(Decoded::Packet { packet, used }) = codec::decode(&self.received, ProtocolVersion::V5, usize::MAX)
            {
                let name = packet.packet_type().name();
                let rest = self.received.split_off(used);
                return (name, std::mem::replace(&mut self.received, rest));
            }
            match self.websocket.read().expect("a frame") {
                Message::Binary(content) => self.received.extend_from_slice(&content),
                other => panic!("expected a binary frame, got {other:?}"),
            }
        }
    }
}

fn connected(server: &mut FakeServer, program: &Program) -> Scripted {
    program.connect().unwrap();
    let mut peer = Scripted::accept(server.accept(), |_| {});
    peer.expect(PacketType::Connect);
    peer.send(&CONNACK);
    program.expect_connected();
    peer
}

fn url(server: &FakeServer) -> String {
    format!("ws://127.0.0.1:{}/path/mqtt?a=b", server.port())
}

#[test]
fn the_request_has_path_query_and_headers() {
    // MQTT-6.0.0-3
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[]);
    program.set_text(options::WS_HEADERS, "Authorization: Bearer token\nX-Tag: 1");
    program.connect().unwrap();
    let port = server.port();
    let mut peer = Scripted::accept(server.accept(), |request| {
        assert_eq!(request.uri().to_string(), "/path/mqtt?a=b");
        let header = |name| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((header("authorization"), header("x-tag")), ("Bearer token".to_owned(), "1".to_owned()));
        assert_eq!(header("host"), format!("127.0.0.1:{port}"));
    });
    peer.expect(PacketType::Connect);
    peer.send(&CONNACK);
    program.expect_connected();
}

#[test]
fn an_address_of_ipv6_stands_in_brackets_in_the_request() {
    let mut server = FakeServer::start_at("::1".parse().unwrap());
    let port = server.port();
    let program = program(&format!("ws://[::1]:{port}"), &[]);
    program.connect().unwrap();
    let mut peer = Scripted::accept(server.accept(), |request| {
        assert_eq!(request.headers()["host"].to_str().unwrap(), format!("[::1]:{port}"));
    });
    peer.expect(PacketType::Connect);
    peer.send(&CONNACK);
    program.expect_connected();
}

#[test]
fn the_borders_of_frames_mean_nothing() {
    // MQTT-6.0.0-2, MQTT-6.0.0-1
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[]);
    program.connect().unwrap();
    let mut peer = Scripted::accept(server.accept(), |_| {});
    peer.expect(PacketType::Connect);
    for byte in CONNACK {
        peer.send(&[byte]);
        peer.send(&[]);
    }
    program.expect_connected();
    // Three packets and a bit in one frame, the rest in the next.
    let texts = ["one", "two", "three", "four"];
    let stream: Vec<u8> = texts.iter().flat_map(|text| publication(ProtocolVersion::V5, text)).collect();
    let (front, back) = stream.split_at(stream.len() - 3);
    peer.send(front);
    peer.send(back);
    for text in texts {
        program.expect_payload(text);
    }
    // One message in fragments, with a control frame between them.
    let packet = publication(ProtocolVersion::V5, "in fragments");
    let last = packet.len() - 1;
    for (index, byte) in packet.iter().enumerate() {
        let code = if index == 0 { Data::Binary } else { Data::Continue };
        let frame = Frame::message(vec![*byte], OpCode::Data(code), index == last);
        peer.websocket.send(Message::Frame(frame)).unwrap();
        if index == 3 {
            peer.websocket.send(Message::Ping("between".into())).unwrap();
        }
    }
    program.expect_payload("in fragments");
    match peer.websocket.read().unwrap() {
        Message::Pong(content) => assert_eq!(content, "between".as_bytes()),
        other => panic!("expected a pong, got {other:?}"),
    }
}

#[test]
fn what_the_websocket_holds_is_read_though_the_program_that_has_read_before_stays_away() {
    // More than a thread reads in a row; no poll of the system's knows of what tungstenite has taken already.
    const BURST: u64 = 40;
    for polls in [true, false] {
        let mut server = FakeServer::start();
        let program = program(&url(&server), &[(IntOption::WaitMaximum, 15_000)]);
        let mut peer = connected(&mut server, &program);
        for _ in 0..20 {
            let is_there = |client: &Client| match polls {
                true => client.poll(|_| ()).expect("a client that lives").is_some(),
                false => client.wait(Duration::from_secs(15)).expect("a client that lives"),
            };
            // Without a pause, for so long that it reads by itself.
            (0..20_000).for_each(|_| assert!(!polls || !is_there(&program.client)));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for number in 0..BURST {
                        let frame = publication(ProtocolVersion::V5, &number.to_string());
                        peer.websocket.write(Message::binary(frame)).expect("room for a frame");
                    }
                    peer.websocket.flush().expect("the client takes it");
                });
                let deadline = Instant::now() + Duration::from_secs(15);
                while !is_there(&program.client) {
                    assert!(Instant::now() < deadline, "nothing came");
                }
            });
            let left = BURST - u64::from(polls);
            program.expect_soon("the others", |client| client.statistics().events as u64 == left);
            (BURST - left..BURST).for_each(|number| program.expect_payload(&number.to_string()));
        }
    }
}

#[test]
fn a_message_larger_than_any_buffer_arrives_in_one_frame_or_many() {
    // MQTT-6.0.0-2
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[]);
    let mut peer = connected(&mut server, &program);
    for size in [100_000, 1_000_000, 10_000_000] {
        let payload = "x".repeat(size);
        let packet = publication(ProtocolVersion::V5, &payload);
        peer.send(&packet);
        assert_eq!(program.expect_message().0.payload().len(), size);
        for part in packet.chunks(4096) {
            peer.send(part);
        }
        assert_eq!(program.expect_message().0.payload().len(), size);
    }
}

#[test]
fn a_frame_that_takes_longer_than_the_server_may_be_silent_arrives() {
    // MQTT-3.1.2-20: what asks for a PINGREQ. Its answer can only stand behind the frame.
    let mut server = FakeServer::start();
    let ints = [(IntOption::KeepAlive, 1), (IntOption::PingTimeout, 1000)];
    let program = program(&url(&server), &ints);
    let mut peer = connected(&mut server, &program);
    let packet = publication(ProtocolVersion::V5, &"x".repeat(100));
    let mut frame = Vec::new();
    Frame::message(packet, OpCode::Data(Data::Binary), true).format(&mut frame).unwrap();
    let (first, rest) = frame.split_at(8);
    peer.websocket.get_mut().write_all(first).unwrap();
    peer.expect(PacketType::Pingreq);
    // Beyond the time for the answer.
    let end = Instant::now() + Duration::from_millis(1500);
    for byte in rest {
        peer.websocket.get_mut().write_all(&[*byte]).unwrap();
        std::thread::sleep(end.saturating_duration_since(Instant::now()).min(Duration::from_millis(25)));
    }
    assert_eq!(program.expect_message().0.payload().len(), 100);
}

#[test]
fn a_frame_whose_rest_never_comes_keeps_no_dead_connection() {
    // MQTT-3.1.2-20
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[(IntOption::KeepAlive, 1), (IntOption::PingTimeout, 1000)]);
    let mut peer = connected(&mut server, &program);
    peer.websocket.get_mut().write_all(&[0x82, 100, 0x30]).unwrap();
    peer.expect(PacketType::Pingreq);
    assert_eq!(program.expect_disconnected().failure, Some(Status::KeepAliveTimeout));
}

#[test]
fn a_ping_is_answered_on_an_idle_connection() {
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[(IntOption::KeepAlive, 0)]);
    let mut peer = connected(&mut server, &program);
    for number in 0..50 {
        let content = number.to_string();
        peer.websocket.send(Message::Ping(content.clone().into())).unwrap();
        match peer.websocket.read().unwrap() {
            Message::Pong(answer) => assert_eq!(answer, content.as_bytes()),
            other => panic!("expected a pong, got {other:?}"),
        }
    }
    program.expect_nothing();
}

#[test]
fn disconnect_is_followed_by_the_close_of_the_websocket() {
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[]);
    let mut peer = connected(&mut server, &program);
    program.disconnect_now(Duration::ZERO);
    peer.expect(PacketType::Disconnect);
    assert!(matches!(peer.websocket.read(), Ok(Message::Close(_))));
    // tungstenite answers by itself, and closes when it is asked again.
    while peer.websocket.read().is_ok() {}
    drop(peer);
    assert_eq!(program.expect_disconnected().failure, None);
}

#[test]
fn the_servers_close_ends_the_connection_and_is_answered() {
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[ONCE]);
    let mut peer = connected(&mut server, &program);
    peer.send(&publication(ProtocolVersion::V5, "last"));
    peer.websocket.close(None).unwrap();
    program.expect_payload("last");
    assert!(matches!(peer.websocket.read(), Ok(Message::Close(_))), "the client's answer");
    assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
}

#[test]
fn why_the_server_closed_is_told() {
    for (code, reason, told) in [
        (1008, "quota exceeded", "the Server closed the WebSocket with code 1008: quota exceeded"),
        (1011, "", "the Server closed the WebSocket with code 1011"),
        (1000, "maintenance", "the Server closed the WebSocket with code 1000: maintenance"),
        (1001, "", "the Server closed the connection without giving a reason"),
    ] {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        let end = after_upgrade(|peer| peer.websocket.close(Some(frame)).unwrap());
        assert_eq!(end.failure, Some(Status::ConnectionClosed), "{}", end.detail);
        assert!(end.detail.starts_with(told), "{told}: {}", end.detail);
    }
}

/// What becomes of a connection on which the Server does this after the upgrade.
fn after_upgrade(script: impl FnOnce(&mut Scripted)) -> Disconnected {
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[ONCE]);
    let mut peer = connected(&mut server, &program);
    script(&mut peer);
    program.expect_disconnected()
}

#[test]
fn a_server_that_breaks_the_rules_of_websocket_is_left() {
    // MQTT-6.0.0-1
    let end = after_upgrade(|peer| peer.websocket.send(Message::text("hello")).unwrap());
    assert_eq!(end.failure, Some(Status::WebSocket));
    assert!(end.detail.contains("text frame"), "{}", end.detail);
    let end = after_upgrade(|peer| peer.websocket.get_mut().write_all(&[0xFF; 20]).unwrap());
    assert_eq!(end.failure, Some(Status::WebSocket), "{}", end.detail);
    // A frame of 2^62 bytes must not be waited for, nor room made for it.
    let end = after_upgrade(|peer| {
        peer.websocket.get_mut().write_all(&[0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    });
    assert_eq!(end.failure, Some(Status::WebSocket), "{}", end.detail);
    assert!(end.detail.contains("MAXIMUM_PACKET_SIZE"), "{}", end.detail);
    let end = after_upgrade(|peer| peer.websocket.get_mut().shutdown(std::net::Shutdown::Both).unwrap());
    assert_eq!(end.failure, Some(Status::ConnectionClosed), "{}", end.detail);
}

#[test]
fn an_upgrade_that_is_refused_is_explained() {
    let cases: [(&str, Status, &str); 7] = [
        ("HTTP/1.1 404 Not Found\r\n\r\n", Status::WebSocket, "no WebSocket at the URL's path (HTTP 404)"),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", Status::WebSocket, "authentication before WebSocket (HTTP 401)"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", Status::WebSocket, "forbids the WebSocket (HTTP 403)"),
        ("HTTP/1.1 400 Bad\r\n\r\n", Status::WebSocket, "doesn't take the WebSocket upgrade (HTTP 400)"),
        (
            "HTTP/1.1 301 Moved\r\nLocation: https://x/y?token=secret\r\n\r\n",
            Status::WebSocket,
            "redirects to wss://x/y (HTTP 301)",
        ),
        ("HTTP/1.1 503 Busy\r\n\r\n", Status::WebSocket, "at the moment (HTTP 503)"),
        ("SSH-2.0-OpenSSH_9.2\r\n", Status::WrongProtocol, "speaks no HTTP"),
    ];
    for (says, status, words) in cases {
        let mut server = FakeServer::start();
        let program = program(&url(&server), &[ONCE]);
        program.connect().unwrap();
        let mut stream = server.accept().into_stream();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(says.as_bytes()).unwrap();
        let end = program.expect_disconnected();
        assert_eq!(end.failure, Some(status), "{}", end.detail);
        assert!(end.detail.contains(words) && !end.detail.contains("secret"), "{}", end.detail);
    }
}

#[test]
fn a_server_with_another_subprotocol_is_refused() {
    // MQTT-6.0.0-4
    for protocol in [None, Some("chat")] {
        let mut server = FakeServer::start();
        let program = program(&url(&server), &[ONCE]);
        program.connect().unwrap();
        let callback = |_: &Request, mut response: Response| {
            if let Some(protocol) = protocol {
                response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
            }
            Ok(response)
        };
        let _peer = tungstenite::accept_hdr(server.accept().into_stream(), callback).expect("an upgrade");
        let end = program.expect_disconnected();
        assert_eq!(end.failure, Some(Status::WebSocket));
        assert!(end.detail.contains("not its subprotocol mqtt"), "{}", end.detail);
    }
}

#[test]
fn a_server_that_does_not_read_holds_nobody_up_and_gets_everything_later() {
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[(IntOption::KeepAlive, 0)]);
    let mut peer = connected(&mut server, &program);
    let payload = vec![7; 60_000];
    for _ in 0..400 {
        program.try_send(&payload, QoS::AtMostOnce).expect("an accepted publish");
    }
    program.assert_no_call_waits();
    let mut large = 0;
    while large < 400 {
        large += usize::from(peer.next().1.len() > 60_000);
    }
    while let Some(event) = program.event_within(Duration::ZERO) {
        assert!(!matches!(event, Event::Disconnected(_)), "{event:?}");
    }
}

#[test]
fn mqtt_3_1_1_travels_in_the_same_way() {
    let mut server = FakeServer::start();
    let program = program(&url(&server), &[ONCE, (IntOption::ProtocolVersion, 4)]);
    program.connect().unwrap();
    // MQTT311-6.0.0-3: `accept` finds the subprotocol.
    let mut peer = Scripted::accept(server.accept(), |_| {});
    // MQTT311-6.0.0-1: a binary frame.
    match peer.websocket.read().expect("a frame") {
        Message::Binary(content) => assert_eq!(content[2..9], *b"\0\x04MQTT\x04"),
        other => panic!("expected a binary frame, got {other:?}"),
    }
    // MQTT311-6.0.0-2: CONNACK in two frames, the second of which begins a message that a third ends.
    let packet = publication(ProtocolVersion::V311, "in pieces");
    peer.send(&[0x20, 2]);
    peer.send(&[&[0, 0], &packet[..5]].concat());
    program.expect_connected();
    peer.send(&packet[5..]);
    program.expect_payload("in pieces");
    // MQTT311-6.0.0-1: any other data frame ends the connection.
    peer.websocket.send(Message::text("hello")).unwrap();
    assert_eq!(program.expect_disconnected().failure, Some(Status::WebSocket));
}
