//! MQTT 3.1.1 with a Server that doesn't know MQTT 5.0.

mod common;

use common::fake_server::FakeServer;
use common::program::Program;
use mt5mqtt::client::State;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};

#[test]
fn a_server_of_mqtt_3_1_1_is_spoken_to_in_its_version() {
    let mut server = FakeServer::start();
    // A delay of a minute: that the version is unknown needs no waiting, as other refusals do.
    let options = [(IntOption::ProtocolFallback, 1), (IntOption::ReconnectMaximum, 60_000)];
    let program = Program::connecting(&server.url(), &options);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    assert_eq!(peer.version, ProtocolVersion::V5);
    peer.send_bytes(&[0x20, 2, 0, 1]);
    peer.expect_close(&[]);
    peer.close();
    let end = program.expect_disconnected();
    assert_eq!(end.reason, Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION));
    assert!(end.detail.ends_with("try the other one; the next attempt is made in MQTT 3.1.1"), "{}", end.detail);
    assert_eq!(program.statistics().version, None);
    let mut peer = server.accept_mqtt();
    assert_eq!(peer.version, ProtocolVersion::V311);
    program.expect_connected();
    assert_eq!(program.statistics().version, Some(ProtocolVersion::V311));
    let token = program.send("x", QoS::AtLeastOnce);
    let id = peer.expect_publish("x").id();
    peer.puback(id);
    assert_eq!(program.expect_published(token).failure, None);
}

#[test]
fn a_client_that_does_not_reconnect_tries_both_versions_once() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::ProtocolFallback, 1), (IntOption::Reconnect, 0)]);
    for version in [ProtocolVersion::V5, ProtocolVersion::V311] {
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        assert_eq!(peer.version, version);
        peer.send_bytes(&[0x20, 2, 0, 1]);
        peer.expect_close(&[]);
        peer.close();
        program.expect_disconnected();
    }
    assert_eq!(program.state(), State::Idle);
}
