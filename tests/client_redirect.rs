//! Servers that send a client on to another one (section 4.11).

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::Program;
use mt5mqtt::client::State;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::disconnect::Disconnect;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;
use std::time::Duration;

/// A delay that a test would notice, if a reference were not followed at once.
const SLOW: [(IntOption, i64); 1] = [(IntOption::ReconnectMaximum, 60_000)];

fn reference(server: &FakeServer) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    let url = server.url();
    let authority = url.strip_prefix("mqtt://").unwrap();
    properties.set(PropertyId::ServerReference, Value::Text(authority)).unwrap();
    properties
}

/// Refuses the next connection and names the other Server.
fn refer_to(server: &mut FakeServer, other: &FakeServer, reason: ReasonCode) {
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    let properties = reference(other);
    peer.send(&Packet::Connack(Connack { session_present: false, reason, properties: properties.as_properties() }));
    peer.close();
}

fn allowing_loopback(server: &FakeServer) -> Program {
    allowing_loopback_with(server, &SLOW)
}

fn allowing_loopback_with(server: &FakeServer, options: &[(IntOption, i64)]) -> Program {
    let program = Program::new(&server.url(), options);
    program.set_text(options::SERVER_REFERENCE_HOSTS, "127.0.0.1");
    program.connect().unwrap();
    program
}

#[track_caller]
fn accepted(server: &mut FakeServer, program: &Program) -> Peer {
    let peer = server.accept_mqtt();
    program.expect_connected();
    peer
}

#[test]
fn a_refusal_with_a_reference_is_followed_for_one_connection() {
    // 5-4.11-a; section 4.11, 0x9C
    let (mut first, mut second) = (FakeServer::start(), FakeServer::start());
    let program = allowing_loopback(&first);
    refer_to(&mut first, &second, ReasonCode::USE_ANOTHER_SERVER);
    let end = program.expect_disconnected();
    assert!(end.detail.contains("followed"), "{}", end.detail);
    let peer = accepted(&mut second, &program);
    peer.close();
    program.expect_disconnected();
    accepted(&mut first, &program);
}

#[test]
fn a_disconnect_with_a_reference_is_followed_for_good_if_the_server_has_moved() {
    // 5-4.11-a; section 4.11, 0x9D
    let (mut first, mut second) = (FakeServer::start(), FakeServer::start());
    let program = allowing_loopback(&first);
    let mut peer = accepted(&mut first, &program);
    let properties = reference(&second);
    let disconnect = Disconnect { reason: ReasonCode::SERVER_MOVED, properties: properties.as_properties() };
    peer.send(&Packet::Disconnect(disconnect));
    peer.close();
    program.expect_disconnected();
    for _ in 0..2 {
        let peer = accepted(&mut second, &program);
        peer.close();
        program.expect_disconnected();
    }
}

#[test]
fn a_host_that_is_not_allowed_is_only_told_of() {
    // 5-4.11-a
    let (mut first, mut second) = (FakeServer::start(), FakeServer::start());
    for allowed in [None, Some("example.com")] {
        let program = Program::new(&first.url(), &[]);
        if let Some(hosts) = allowed {
            program.set_text(options::SERVER_REFERENCE_HOSTS, hosts);
        }
        program.connect().unwrap();
        refer_to(&mut first, &second, ReasonCode::USE_ANOTHER_SERVER);
        let end = program.expect_disconnected();
        assert_eq!(end.reason, Some(ReasonCode::USE_ANOTHER_SERVER));
        let told = end.properties.as_properties().text(PropertyId::ServerReference).map(str::to_owned);
        assert_eq!(told, reference(&second).as_properties().text(PropertyId::ServerReference).map(str::to_owned));
        assert!(end.detail.contains("SERVER_REFERENCE_HOSTS"), "{}", end.detail);
        // The next attempt is at the first again.
        accepted(&mut first, &program);
        assert!(second.accept_within(Duration::ZERO).is_none());
    }
}

#[test]
fn two_servers_that_name_each_other_do_not_drive_a_client_round() {
    let (mut first, mut second) = (FakeServer::start(), FakeServer::start());
    let program = allowing_loopback(&first);
    refer_to(&mut first, &second, ReasonCode::USE_ANOTHER_SERVER);
    program.expect_disconnected();
    refer_to(&mut second, &first, ReasonCode::USE_ANOTHER_SERVER);
    let end = program.expect_disconnected();
    assert!(end.detail.contains("sent here"), "{}", end.detail);
    // It waits as long as after any other refusal that somebody has to look at: at least half of the longest delay.
    assert!(program.statistics().last_delay_ms >= 30_000);
}

#[test]
fn a_client_that_does_not_reconnect_follows_until_it_is_connected() {
    let (mut first, mut second) = (FakeServer::start(), FakeServer::start());
    let program = allowing_loopback_with(&first, &[(IntOption::Reconnect, 0)]);
    refer_to(&mut first, &second, ReasonCode::USE_ANOTHER_SERVER);
    program.expect_disconnected();
    let mut peer = accepted(&mut second, &program);
    let properties = reference(&first);
    let (reason, properties) = (ReasonCode::USE_ANOTHER_SERVER, properties.as_properties());
    peer.send(&Packet::Disconnect(Disconnect { reason, properties }));
    peer.close();
    let end = program.expect_disconnected();
    assert!(!end.detail.contains("followed"), "{}", end.detail);
    assert_eq!(program.state(), State::Idle);
}
