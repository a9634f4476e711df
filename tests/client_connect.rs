//! Connecting, and what can come of it. Whatever the Server or the network does meanwhile, no call waits for it.

mod common;

use common::fake_server::FakeServer;
use common::mosquitto::free_port;
use common::program::{Program, within};
use mt5mqtt::client::State;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::{Failure, Status};
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};
use std::time::Duration;

/// Tries once, so that the state after the failure is Idle.
const ONCE: (IntOption, i64) = (IntOption::Reconnect, 0);

#[test]
fn an_accepted_connection_goes_from_idle_over_connecting_to_connected_and_back() {
    // MQTT-3.14.4-2
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    assert_eq!(program.state(), State::Idle);
    program.connect().unwrap();
    assert_eq!(program.state(), State::Connecting);
    assert_eq!(program.connect().unwrap_err().status, Status::WrongState);
    let mut peer = server.accept();
    let connect = peer.expect(PacketType::Connect);
    match connect.packet() {
        Packet::Connect(connect) => {
            assert!(connect.clean_start && connect.client_id.is_empty() && connect.will.is_none())
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(program.state(), State::Connecting, "CONNECT alone is no connection");
    peer.connack_with(false, |properties| properties.set(PropertyId::ServerKeepAlive, Value::Int(7)).unwrap());
    match program.event("Connected") {
        Event::Connected { session_present, assigned_client_id, properties } => {
            assert_eq!((session_present, assigned_client_id.as_deref()), (false, Some("assigned")));
            assert_eq!(properties.as_properties().int(PropertyId::ServerKeepAlive), Some(7));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(program.state(), State::Connected);
    assert_eq!(program.statistics().limits.unwrap().keep_alive, 7);
    assert_eq!(program.statistics().connections, 1);
    program.disconnect_now(Duration::ZERO);
    peer.expect_close(&[PacketType::Disconnect]);
    peer.close();
    assert_eq!(program.expect_disconnected().failure, None);
    assert_eq!(program.state(), State::Idle, "the state stands when its event is there");
    assert!(program.statistics().limits.is_none());
}

#[test]
fn a_port_that_refuses_is_named_in_the_event() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let program = Program::connecting(&url, &[ONCE]);
    let end = program.expect_disconnected();
    assert_eq!((end.failure, end.reason), (Some(Status::ConnectFailed), None));
    assert!(end.detail.contains(&url["mqtt://".len()..]), "{}", end.detail);
    assert_eq!(program.state(), State::Idle, "the state stands when its event is there");
    program.connect().expect("an idle client connects");
    assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectFailed));
}

#[test]
fn a_name_that_does_not_resolve_is_named_in_the_event() {
    // A label of 64 characters is no valid name: no resolver has to ask another machine about it.
    let name = "x".repeat(64);
    let program = Program::connecting(&format!("mqtt://{name}"), &[ONCE]);
    program.assert_no_call_waits();
    let end = std::iter::repeat_with(|| program.event("Disconnected")).find_map(|event| match event {
        Event::Disconnected(end) => Some(end),
        _ => None,
    });
    let end = end.unwrap();
    assert_eq!(end.failure, Some(Status::Resolve));
    assert!(end.detail.contains(&name), "{}", end.detail);
}

/// A port whose queue of connections is full: Linux lets every further attempt wait.
#[cfg(target_os = "linux")]
struct BlackHole {
    listener: socket2::Socket,
    _queued: Vec<socket2::Socket>,
}

#[cfg(target_os = "linux")]
impl BlackHole {
    fn open() -> Self {
        let socket = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let listener = socket();
        listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let queued = std::iter::repeat_with(|| {
            let client = socket();
            client.set_nonblocking(true).unwrap();
            let _ = client.connect(&address);
            client
        });
        BlackHole { listener, _queued: queued.take(4).collect() }
    }

    fn url(&self) -> String {
        format!("mqtt://{}", self.listener.local_addr().unwrap().as_socket().unwrap())
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_black_hole_delays_no_call_and_ends_with_the_connect_timeout() {
    let hole = BlackHole::open();
    let program = Program::connecting(&hole.url(), &[(IntOption::ConnectTimeout, 400), ONCE]);
    program.assert_no_call_waits();
    let end = within(Duration::from_secs(3), "the connect timeout", || program.expect_disconnected());
    assert_eq!(end.failure, Some(Status::ConnectTimeout), "{}", end.detail);
    assert_eq!(program.state(), State::Idle);
}

#[test]
#[cfg(target_os = "linux")]
fn disconnect_and_free_are_prompt_while_a_black_hole_is_tried() {
    let hole = BlackHole::open();
    let program = Program::connecting(&hole.url(), &[]);
    within(Duration::from_millis(500), "disconnect", || program.disconnect_now(Duration::from_secs(2)));
    assert_eq!(program.expect_disconnected().failure, None);
    program.connect().unwrap();
    within(Duration::from_millis(500), "free", || program.free());
}

#[test]
fn a_server_that_is_silent_after_accepting_delays_no_call_and_ends_with_the_connect_timeout() {
    // 5-3.2-a
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::ConnectTimeout, 400), ONCE]);
    let mut peer = server.accept();
    program.assert_no_call_waits();
    assert_eq!(program.state(), State::Connecting);
    let end = within(Duration::from_secs(3), "the connect timeout", || program.expect_disconnected());
    assert_eq!(end.failure, Some(Status::ConnectTimeout), "{}", end.detail);
    peer.expect_close(&[PacketType::Connect]);
}

#[test]
fn half_a_connack_is_none() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::ConnectTimeout, 400), ONCE]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.send_bytes(&[0x20, 3, 0]);
    program.assert_no_call_waits();
    assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectTimeout));
}

#[test]
fn a_late_connack_is_in_time_before_the_timeout() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    assert!(program.event_within(Duration::from_millis(300)).is_none());
    peer.connack(false);
    assert!(!program.expect_connected());
}

#[test]
fn every_refusal_of_connack_reaches_the_program_with_its_reason_code() {
    // MQTT-3.2.2-8
    let mut server = FakeServer::start();
    for code in 0x80..=0xFF {
        let reason = ReasonCode(code);
        if !reason.allowed_in(PacketType::Connack) {
            continue;
        }
        let program = Program::connecting(&server.url(), &[ONCE]);
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        peer.refuse(reason);
        peer.expect_close(&[]);
        peer.close();
        let end = program.expect_disconnected();
        assert_eq!((end.failure, end.reason), (Some(Status::RefusedByServer), Some(reason)));
        assert!(end.detail.contains(reason.text()), "{}", end.detail);
    }
}

#[test]
fn every_return_code_of_mqtt_3_1_1_reaches_the_program_as_a_reason_code() {
    let mut server = FakeServer::start();
    let reasons = [0x84, 0x85, 0x88, 0x86, 0x87].map(ReasonCode);
    for (code, reason) in (1..).zip(reasons) {
        let program = Program::connecting(&server.url(), &[ONCE, (IntOption::ProtocolVersion, 4)]);
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        assert_eq!(peer.version, ProtocolVersion::V311);
        peer.send_bytes(&[0x20, 2, 0, code]);
        peer.expect_close(&[]);
        peer.close();
        let end = program.expect_disconnected();
        assert_eq!((end.failure, end.reason), (Some(Status::RefusedByServer), Some(reason)));
    }
}

#[test]
fn disconnect_before_the_background_thread_has_begun_leaves_an_idle_client() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    // Which of the two threads is faster differs from round to round.
    for _ in 0..200 {
        program.connect().expect("an idle client connects");
        program.disconnect_now(Duration::from_secs(2));
        assert_eq!(program.expect_disconnected().failure, None);
    }
    while server.accept_within(Duration::ZERO).is_some() {}
    program.connect().expect("an idle client connects");
    server.accept_mqtt();
    program.expect_connected();
}

#[test]
fn options_of_the_connection_are_refused_while_it_is_made_and_live_ones_are_not() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let set = |option: IntOption| program.set_option(|options, idle| options.set_int(option as i32, 60, idle));
    assert_eq!(set(IntOption::KeepAlive).unwrap_err().status, Status::WrongState);
    set(IntOption::WaitMaximum).unwrap();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    assert_eq!(set(IntOption::KeepAlive).unwrap_err().status, Status::WrongState);
    program.disconnect_now(Duration::ZERO);
    peer.expect_close(&[PacketType::Disconnect]);
    peer.close();
    program.expect_disconnected();
    set(IntOption::KeepAlive).unwrap();
}

#[test]
fn what_the_server_does_not_support_is_refused_at_the_call() {
    // MQTT-3.2.2-11, 5-3.2.2.3.4-b, MQTT-3.2.2-14, 5-3.2.2.3.5-b, 5-3.2.2.3.11-b, 5-3.2.2.3.12-b, 5-3.2.2.3.13-b
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |properties| {
        properties.set(PropertyId::MaximumQoS, Value::Int(0)).unwrap();
        properties.set(PropertyId::RetainAvailable, Value::Int(0)).unwrap();
        properties.set(PropertyId::MaximumPacketSize, Value::Int(100)).unwrap();
        for lacking in [
            PropertyId::WildcardSubscriptionAvailable,
            PropertyId::SubscriptionIdentifierAvailable,
            PropertyId::SharedSubscriptionAvailable,
        ] {
            properties.set(lacking, Value::Int(0)).unwrap();
        }
    });
    program.expect_connected();
    assert_eq!(program.try_send(b"", QoS::AtLeastOnce), Err(Status::NotSupportedByServer));
    assert_eq!(program.try_send(&[b'x'; 100], QoS::AtMostOnce), Err(Status::TooLarge));
    let topic = mt5mqtt::types::topic::TopicName::new("t").unwrap();
    let retained = program.publish(topic, b"", QoS::AtMostOnce, true, Properties::EMPTY);
    assert_eq!(retained.unwrap_err().status, Status::NotSupportedByServer);
    let mut numbered = PropertiesBuf::new();
    numbered.set(PropertyId::SubscriptionIdentifier, Value::Int(7)).unwrap();
    for (filter, properties, named) in [
        ("a/#", PropertiesBuf::new(), "wildcards"),
        ("$share/group/a", PropertiesBuf::new(), "Shared Subscriptions"),
        ("a", numbered, "Subscription Identifiers"),
    ] {
        let Failure { status, text } = program.try_subscribe(filter, QoS::AtMostOnce, properties).unwrap_err();
        assert_eq!(status, Status::NotSupportedByServer);
        assert!(text.contains(named), "{text}");
    }
    program.send("fits", QoS::AtMostOnce);
    peer.expect_publish("fits");
}
