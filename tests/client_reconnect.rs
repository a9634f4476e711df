//! After a lost connection: when the client comes back, and what it brings along.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::mosquitto::free_port;
use common::program::{Program, within};
use mt5mqtt::client::State;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::Packet;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::time::{Duration, Instant};

/// Filter of a SUBSCRIBE.
fn filter(peer: &mut Peer) -> String {
    match peer.grant().packet() {
        Packet::Subscribe(subscribe) => subscribe.subscriptions[0].filter.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn delays_grow_to_the_maximum_and_are_spread_below_it() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let program = Program::new(&url, &[(IntOption::ReconnectMinimum, 20), (IntOption::ReconnectMaximum, 320)]);
    program.connect().unwrap();
    let mut delays = Vec::new();
    let mut last = Instant::now();
    let mut earliest = Duration::ZERO;
    while delays.len() < 20 {
        let end = program.expect_disconnected();
        assert_eq!(end.failure, Some(Status::ConnectFailed));
        assert!(last.elapsed() >= earliest, "{:?} after a delay of {earliest:?}", last.elapsed());
        last = Instant::now();
        let delay = program.statistics().last_delay_ms;
        let ceiling = 320.min(20 << delays.len());
        assert!(delay <= ceiling, "delay {} was {delay} ms, its ceiling is {ceiling} ms", delays.len());
        // The event may be read late, so that less than the delay is left.
        earliest = Duration::from_millis(delay).saturating_sub(Duration::from_millis(100));
        delays.push(delay);
    }
    let late = &delays[5..];
    assert!(late.iter().any(|delay| *delay > 160), "no delay in the upper half: {delays:?}");
    assert!(late.iter().any(|delay| *delay < 160), "no delay in the lower half: {delays:?}");
    assert!(late.iter().any(|delay| *delay != late[0]), "no jitter: {delays:?}");
}

#[test]
fn a_reason_that_needs_attention_backs_off_hard_and_others_do_not() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::ReconnectMaximum, 200)]);
    program.connect().unwrap();
    let mut refused = |reason, is_long: bool| {
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        peer.refuse(reason);
        peer.expect_close(&[]);
        peer.close();
        assert_eq!(program.expect_disconnected().reason, Some(reason));
        let delay = program.statistics().last_delay_ms;
        assert_eq!(delay >= 100, is_long, "{reason}: {delay} ms");
    };
    // The ceiling of an ordinary delay is 1, 2, 4… ms.
    refused(ReasonCode::SERVER_UNAVAILABLE, false);
    refused(ReasonCode::BAD_USER_NAME_OR_PASSWORD, true);
    refused(ReasonCode::SERVER_BUSY, false);
    refused(ReasonCode::NOT_AUTHORIZED, true);
    refused(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID, true);
    refused(ReasonCode::SERVER_UNAVAILABLE, false);
}

#[test]
fn a_client_whose_session_was_taken_over_says_so_and_does_not_fight() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::ReconnectMaximum, 400)]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.disconnect(ReasonCode::SESSION_TAKEN_OVER);
    peer.expect_close(&[]);
    peer.close();
    let end = program.expect_disconnected();
    assert_eq!((end.failure, end.reason), (Some(Status::ServerDisconnected), Some(ReasonCode::SESSION_TAKEN_OVER)));
    assert_eq!(program.state(), State::Waiting);
    let delay = program.statistics().last_delay_ms;
    assert!((200..=400).contains(&delay), "{delay} ms");
    assert!(server.accept_within(Duration::from_millis(delay / 2)).is_none(), "it came back too early");
    server.accept_mqtt();
    program.expect_connected();
}

#[test]
fn a_server_that_resets_after_its_disconnect_is_heard_all_the_same() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::Reconnect, 0)]);
    for _ in 0..30 {
        let mut peer = server.accept_mqtt();
        program.expect_connected();
        peer.disconnect(ReasonCode::SESSION_TAKEN_OVER);
        peer.close();
        // A write on the caller's thread may be what finds the connection closed.
        for _ in 0..5 {
            let _ = program.try_send(b"lost", QoS::AtMostOnce);
        }
        assert_eq!(program.expect_disconnected().reason, Some(ReasonCode::SESSION_TAKEN_OVER));
        program.connect().unwrap();
    }
}

#[test]
fn disconnect_and_free_are_prompt_while_the_client_waits_for_its_next_attempt() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let slow = [(IntOption::ReconnectMinimum, 600_000), (IntOption::ReconnectMaximum, 600_000)];
    let program = Program::connecting(&url, &slow);
    program.expect_disconnected();
    assert_eq!(program.state(), State::Waiting);
    program.assert_no_call_waits();
    while program.event_within(Duration::ZERO).is_some() {}
    within(Duration::from_millis(500), "disconnect", || program.disconnect_now(Duration::from_secs(2)));
    assert_eq!(program.expect_disconnected().failure, None);
    program.connect().expect("an idle client connects");
    program.expect_disconnected();
    within(Duration::from_millis(500), "free", || program.free());
}

#[test]
fn without_the_option_reconnect_a_lost_connection_leaves_an_idle_client() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::Reconnect, 0)]);
    server.accept_mqtt().close();
    program.expect_connected();
    assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
    assert_eq!(program.state(), State::Idle);
    assert!(server.accept_within(Duration::from_millis(50)).is_none());
    program.connect().expect("a program may connect as soon as it sees the event");
    server.accept_mqtt();
    program.expect_connected();
}

#[test]
fn subscriptions_are_made_again_on_each_connection() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    for wanted in ["a/#", "b/+", "c"] {
        let token = program.subscribe_to(wanted, QoS::AtLeastOnce);
        assert_eq!(filter(&mut peer), wanted);
        program.expect_subscribed(token);
    }
    peer.close();
    program.expect_disconnected();

    // The Session is there; but perhaps from before the Server's crash.
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    assert!(program.expect_connected());
    for wanted in ["a/#", "b/+", "c"] {
        assert_eq!(filter(&mut peer), wanted);
    }
    assert!(peer.read_within(Duration::from_millis(50), "nothing").is_none());
    peer.reset();
    assert_eq!(program.expect_disconnected().failure, Some(Status::Network));

    // It is gone: all are made again in their order, before what was asked meanwhile, and in silence.
    let mut peer = server.accept();
    let token = program.subscribe_to("d", QoS::AtMostOnce);
    peer.expect(PacketType::Connect);
    peer.connack(false);
    assert!(!program.expect_connected());
    for wanted in ["a/#", "b/+", "c", "d"] {
        assert_eq!(filter(&mut peer), wanted);
    }
    program.expect_subscribed(token);
    program.expect_nothing();
}

#[test]
fn later_connections_ask_for_the_session_of_the_first() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    program.set_text(options::CLIENT_ID, "trader");
    program.connect().unwrap();
    for round in 0..3 {
        let mut peer = server.accept();
        match peer.expect(PacketType::Connect).packet() {
            Packet::Connect(connect) => assert_eq!((connect.clean_start, connect.client_id), (round == 0, "trader")),
            other => panic!("{other:?}"),
        }
        peer.connack_with(round > 0, |properties| properties.clear());
        assert_eq!(program.expect_connected(), round > 0);
        peer.close();
        program.expect_disconnected();
    }
}

#[test]
fn what_was_published_without_a_connection_leaves_in_order() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    for number in 0..500 {
        program.send(&number.to_string(), QoS::from_u8(number as u8 % 2).unwrap());
    }
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    for number in 0..250 {
        peer.expect_publish(&number.to_string());
    }
    peer.close();
    program.expect_connected();
    program.expect_disconnected();
    // What was not acknowledged is sent again first; then comes what was published meanwhile. QoS 0 that was lost in the
    // broken connection stays lost.
    for number in 500..600 {
        program.send(&number.to_string(), QoS::AtLeastOnce);
    }
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    for number in (1..500).step_by(2).chain(500..600) {
        let publish = peer.expect_publish(&number.to_string());
        assert_eq!(publish.dup(), number < 500, "message {number}");
        peer.puback(publish.id());
    }
}

#[test]
fn connections_that_come_and_go_leave_nothing_behind() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let count = |name: &str| std::fs::read_dir(format!("/proc/self/{name}")).map_or(0, Iterator::count);
    let before = count("fd");
    for _ in 0..100 {
        server.accept_mqtt().reset();
        program.expect_connected();
        program.expect_disconnected();
    }
    // Other tests run beside this one and have their own.
    assert!(count("fd") < before + 60, "{} files were open before, {} are now", before, count("fd"));
    let statistics = program.statistics();
    assert_eq!((statistics.connections, statistics.outgoing, statistics.events), (100, 0, 0));
}

#[test]
fn options_that_are_set_between_two_connects_hold_for_the_second() {
    let (mut first, mut second) = (FakeServer::start(), FakeServer::start());
    let program = Program::new(&first.url(), &[]);
    for server in [&mut first, &mut second] {
        program.set_text(options::URL, &server.url());
        program.connect().unwrap();
        let _peer = server.accept_mqtt();
        program.expect_connected();
        assert_eq!(program.server().unwrap(), server.url());
        program.disconnect_now(Duration::ZERO);
        program.expect_disconnected();
    }
}

#[test]
fn disconnect_and_connect_again_on_the_same_client() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    for round in 0..20 {
        program.connect().expect("an idle client connects");
        let mut peer = server.accept_mqtt();
        program.expect_connected();
        program.send(&round.to_string(), QoS::AtMostOnce);
        program.disconnect_now(Duration::ZERO);
        peer.expect_publish(&round.to_string());
        peer.expect_close(&[PacketType::Disconnect]);
        peer.close();
        assert_eq!(program.expect_disconnected().failure, None);
    }
}
