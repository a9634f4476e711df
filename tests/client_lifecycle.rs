//! Keeping a connection alive, noticing that it is dead, and ending it.

mod common;

use common::fake_server::FakeServer;
use common::program::{Program, connected, within};
use mt5mqtt::client::State;
use mt5mqtt::client::options::{CLIENT_ID, IntOption};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn an_idle_connection_hears_a_pingreq_within_its_keep_alive() {
    // MQTT-3.1.2-20
    let (_server, program, mut peer) = connected(&[(IntOption::KeepAlive, 1)]);
    for _ in 0..3 {
        within(Duration::from_millis(1500), "a PINGREQ", || peer.expect(PacketType::Pingreq));
        peer.send(&Packet::Pingresp);
    }
    program.expect_soon("the time of a PINGRESP", |client| client.statistics().ping_rtt_us.is_some());
    program.expect_nothing();
    assert_eq!(program.statistics().breaches, 0);
}

#[test]
fn the_keep_alive_of_the_server_overrules_ours_and_0_is_off() {
    // MQTT-3.1.2-21, MQTT-3.2.2-21
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::KeepAlive, 0)]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |properties| properties.set(PropertyId::ServerKeepAlive, Value::Int(1)).unwrap());
    within(Duration::from_millis(1500), "a PINGREQ", || peer.expect(PacketType::Pingreq));
    let (_server, _program, mut peer) = connected(&[(IntOption::KeepAlive, 0)]);
    assert!(peer.read_within(Duration::from_millis(1200), "nothing").is_none());
    drop(program);
}

#[test]
fn a_server_that_does_not_answer_pingreq_is_dead() {
    // 5-3.1.2.10-a, MQTT-3.12.4-1
    let (mut server, program, mut peer) = connected(&[(IntOption::KeepAlive, 1), (IntOption::PingTimeout, 300)]);
    peer.expect(PacketType::Pingreq);
    let end = within(Duration::from_secs(3), "the ping timeout", || program.expect_disconnected());
    assert_eq!(end.failure, Some(Status::KeepAliveTimeout));
    peer.close();
    server.accept_mqtt();
    program.expect_connected();
}

#[test]
fn a_server_that_does_not_answer_pingreq_is_dead_though_the_program_publishes_all_the_time() {
    let (_server, program, mut peer) = connected(&[(IntOption::KeepAlive, 1), (IntOption::PingTimeout, 300)]);
    let reader = thread::spawn(move || while peer.read("the end").packet().packet_type() != PacketType::Disconnect {});
    let deadline = Instant::now() + Duration::from_secs(4);
    let end = loop {
        let _ = program.try_send(b"tick", QoS::AtMostOnce);
        match program.event_within(Duration::from_millis(20)) {
            Some(mt5mqtt::session::event::Event::Disconnected(end)) => break end,
            Some(other) => panic!("{other:?}"),
            None => assert!(Instant::now() < deadline, "the dead Server was not noticed"),
        }
    };
    assert_eq!(end.failure, Some(Status::KeepAliveTimeout));
    drop(program);
    assert!(reader.join().is_err(), "no DISCONNECT: the connection is simply closed");
}

#[test]
fn disconnect_sends_its_reason_and_properties_and_waits_for_the_end() {
    // MQTT-3.14.2-1, 5-3.14.2.2.2-b
    let (_server, program, mut peer) = connected(&[]);
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::ReasonString, Value::Text("done")).unwrap();
    let reason = ReasonCode::DISCONNECT_WITH_WILL;
    thread::scope(|scope| {
        let call = scope.spawn(|| program.disconnect(reason, properties.as_properties(), Duration::from_secs(2)));
        match peer.expect(PacketType::Disconnect).packet() {
            Packet::Disconnect(disconnect) => {
                assert_eq!(disconnect.reason, reason);
                assert_eq!(disconnect.properties.text(PropertyId::ReasonString), Some("done"));
            }
            other => panic!("{other:?}"),
        }
        peer.expect_close(&[]);
        peer.close();
        call.join().unwrap().expect("a connection that ends");
    });
    assert_eq!(program.state(), State::Idle);
    // The event is there when the call has returned.
    let ended = program.poll(|notice| notice.failure()).unwrap();
    assert_eq!(ended, Some(None));
    program.disconnect_now(Duration::from_secs(2));
}

#[test]
fn a_freed_client_leaves_no_session_that_nobody_can_resume() {
    // Section 3.14.2.2.2
    for (client_id, expiry) in [("", Some(0)), ("EA 1", None)] {
        let mut server = FakeServer::start();
        let program = Program::new(&server.url(), &[]);
        program.set_text(CLIENT_ID, client_id);
        program.connect().unwrap();
        let mut peer = server.accept_mqtt();
        program.expect_connected();
        program.free();
        match peer.expect(PacketType::Disconnect).packet() {
            Packet::Disconnect(disconnect) => {
                assert_eq!(disconnect.properties.int(PropertyId::SessionExpiryInterval), expiry, "'{client_id}'");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn disconnect_from_a_server_that_neither_reads_nor_closes_is_bounded() {
    let (_server, program, _peer) = connected(&[]);
    while program.try_send(&[b'x'; 60_000], QoS::AtMostOnce).is_ok() {}
    let result = within(Duration::from_millis(2300), "disconnect", || {
        program.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, Duration::from_secs(60))
    });
    assert!(result.is_ok() || result.unwrap_err().status == Status::Timeout);
    assert_eq!(program.expect_disconnected().failure, None);
    assert_eq!(program.state(), State::Idle);
}

#[test]
fn free_is_bounded_in_every_state() {
    let limit = Duration::from_millis(1500);
    // Idle, never connected.
    let program = Program::new("mqtt://127.0.0.1:1", &[]);
    within(Duration::from_millis(100), "free", || program.free());
    // Connected to a Server that doesn't close.
    let (_server, program, mut peer) = connected(&[]);
    within(limit, "free", || program.free());
    peer.expect_close(&[PacketType::Disconnect]);
    within(Duration::from_millis(100), "a second free", || program.free());
    // Connected to a Server that doesn't read.
    let (_server, program, _peer) = connected(&[]);
    while program.try_send(&[b'x'; 60_000], QoS::AtMostOnce).is_ok() {}
    within(limit, "free", || program.free());
    // CONNECT sent, no CONNACK.
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    within(limit, "free", || program.free());
    peer.expect_close(&[PacketType::Disconnect]);
}

#[test]
fn free_wakes_a_caller_that_waits() {
    let (_server, program, _peer) = connected(&[(IntOption::WaitMaximum, 60_000)]);
    thread::scope(|scope| {
        let (about_to_wait, waits) = std::sync::mpsc::channel();
        let program = &program;
        let waiting = scope.spawn(move || {
            about_to_wait.send(()).unwrap();
            let start = Instant::now();
            while program.wait(Duration::from_secs(60)).unwrap() && start.elapsed() < Duration::from_secs(10) {
                let _ = program.poll(|_| ());
            }
            start.elapsed()
        });
        waits.recv().unwrap();
        program.free();
        let waited = waiting.join().unwrap();
        assert!(waited < Duration::from_secs(5), "the caller waited {waited:?}");
    });
}

#[test]
fn a_client_that_is_dropped_ends_its_connection() {
    let (_server, program, mut peer) = connected(&[]);
    drop(program);
    peer.expect_close(&[PacketType::Disconnect]);
}

#[test]
fn a_panic_on_the_background_thread_fails_the_client_and_closes_its_connection() {
    // MQTT311-4.8.0-2
    let (_server, program, mut peer) = connected(&[]);
    program.panic_in_background();
    peer.expect_close(&[]);
    program.expect_soon("the failure", |client| client.state() == State::Failed);
    let text = program.poll(|notice| format!("{:?}", notice.kind)).unwrap().expect("an event that tells of it");
    assert!(text.contains("test hook"), "{text}");
    let refused = [
        program.try_send(b"", QoS::AtMostOnce).map(|_| ()),
        program.connect().map_err(|failure| failure.status),
        program.poll(|_| ()).map(|_| ()).map_err(|failure| failure.status),
        program.wait(Duration::from_secs(1)).map(|_| ()).map_err(|failure| failure.status),
    ];
    assert_eq!(refused, [Err(Status::Panic); 4]);
    within(Duration::from_millis(500), "free", || program.free());
}

#[test]
fn disconnect_refuses_what_the_standard_does_not_allow_in_it() {
    // MQTT-3.14.2-1: only its Reason Codes, and of them those that a client sends.
    let allowed = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x8C, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
    let (_server, program, mut peer) = connected(&[(IntOption::SessionExpiry, 0)]);
    for code in (0..=255).filter(|code| !allowed.contains(code)) {
        let refused = program.disconnect(ReasonCode(code), Properties::EMPTY, Duration::ZERO);
        assert_eq!(refused.unwrap_err().status, Status::OutOfRange, "0x{code:02X}");
    }
    // Section 3.14.2.2.5: the Server sends it.
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::ServerReference, Value::Text("elsewhere")).unwrap();
    let refused = program.disconnect(ReasonCode::SUCCESS, properties.as_properties(), Duration::ZERO);
    assert_eq!(refused.unwrap_err().status, Status::InvalidArgument);
    // 5-3.14.2.2.2-b: CONNECT had asked for a Session that ends with its connection.
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::SessionExpiryInterval, Value::Int(1)).unwrap();
    let refused = program.disconnect(ReasonCode::SUCCESS, properties.as_properties(), Duration::ZERO);
    assert_eq!(refused.unwrap_err().status, Status::InvalidArgument);
    assert_eq!(program.state(), State::Connected);
    properties.set(PropertyId::SessionExpiryInterval, Value::Int(0)).unwrap();
    program.disconnect(ReasonCode::SUCCESS, properties.as_properties(), Duration::ZERO).unwrap();
    peer.expect_close(&[PacketType::Disconnect]);
}
