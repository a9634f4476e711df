//! A Server that sends garbage, pieces, too much, or nothing more: the connection ends with a reason, or what arrived is
//! understood; the client lives on.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::Program;
use mt5mqtt::client::State;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;

/// What breaks the protocol ends with DISCONNECT and this Reason Code, and the client comes back.
#[track_caller]
fn assert_refused(ints: &[(IntOption, i64)], bytes: impl FnOnce(&Peer) -> Vec<u8>, status: Status, reason: ReasonCode) {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), ints);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let bytes = bytes(&peer);
    peer.send_bytes(&bytes);
    match peer.expect(PacketType::Disconnect).packet() {
        Packet::Disconnect(disconnect) => assert_eq!(disconnect.reason, reason),
        other => panic!("{other:?}"),
    }
    peer.expect_close(&[]);
    peer.close();
    let end = program.expect_disconnected();
    assert_eq!((end.failure, end.reason), (Some(status), Some(reason)), "{}", end.detail);
    server.accept_mqtt();
    program.expect_connected();
}

#[test]
fn garbage_is_malformed() {
    assert_refused(&[], |_| vec![0xFF; 5000], Status::MalformedPacket, ReasonCode::MALFORMED_PACKET);
    assert_refused(&[], |_| vec![0; 3], Status::MalformedPacket, ReasonCode::MALFORMED_PACKET);
    // A Remaining Length of five bytes.
    let endless = vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F];
    assert_refused(&[], |_| endless, Status::MalformedPacket, ReasonCode::MALFORMED_PACKET);
}

#[test]
fn a_packet_above_our_maximum_packet_size_is_refused_at_its_fixed_header() {
    // MQTT-3.1.2-24, 5-3.1.2.11.4-b
    let options = [(IntOption::MaximumPacketSize, 1000)];
    // Only the Fixed Header arrives: nobody waits for the rest, or makes room for it.
    let header = |peer: &Peer| peer.publication(&[0; 1000], None, QoS::AtMostOnce, false)[..3].to_vec();
    assert_refused(&options, header, Status::ProtocolError, ReasonCode::PACKET_TOO_LARGE);
}

#[test]
fn more_than_our_receive_maximum_is_refused_by_a_strict_client_and_handed_out_by_another() {
    // MQTT-3.3.4-9, 5-3.3.4-b
    let flood = |peer: &Peer| {
        (1..=4).flat_map(|id| peer.publication(b"x", Some(id), QoS::AtLeastOnce, false)).collect::<Vec<u8>>()
    };
    let options = [(IntOption::ReceiveMaximum, 2), (IntOption::Acknowledge, 2), (IntOption::EventsMaximumBytes, 1024)];
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &options);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let bytes = flood(&peer);
    peer.send_bytes(&bytes);
    let mut deliveries = Vec::new();
    while deliveries.len() < 4 {
        match program.event("a message") {
            Event::Message { delivery, .. } => deliveries.extend(delivery),
            Event::Breach(breach) => assert_eq!((breach, deliveries.len()), (Breach::ReceiveMaximum, 2)),
            other => panic!("{other:?}"),
        }
    }
    for (delivery, id) in deliveries.into_iter().zip(1..) {
        program.acknowledge(delivery, ReasonCode::SUCCESS).expect("an answer");
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }

    let strict = [&options[..], &[(IntOption::Strict, 1)]].concat();
    let program = Program::connecting(&server.url(), &strict);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.send_bytes(&bytes);
    match peer.expect(PacketType::Disconnect).packet() {
        Packet::Disconnect(disconnect) => assert_eq!(disconnect.reason, ReasonCode::RECEIVE_MAXIMUM_EXCEEDED),
        other => panic!("{other:?}"),
    }
    peer.expect_close(&[]);
    peer.close();
    server.accept_mqtt();
}

#[test]
fn packets_that_only_a_client_sends_and_a_second_connack_break_the_protocol() {
    // MQTT-3.2.0-2
    assert_refused(&[], |peer| peer.encode(&Packet::Pingreq), Status::ProtocolError, ReasonCode::PROTOCOL_ERROR);
    let connack = vec![0x20, 3, 0, 0, 0];
    assert_refused(&[], |_| connack, Status::ProtocolError, ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn one_byte_at_a_time_is_understood() {
    // MQTT-4.2.0-1
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    let properties = [0x20, 3 + 4, 0, 0, 4, 0x12, 0, 1, b'c'];
    let mut bytes = properties.to_vec();
    bytes.extend(peer.publication(b"one", None, QoS::AtMostOnce, false));
    bytes.extend(peer.publication(&[b'x'; 300], Some(1), QoS::AtLeastOnce, false));
    bytes.extend(peer.publication(b"three", Some(2), QoS::ExactlyOnce, false));
    for byte in bytes {
        peer.send_bytes(&[byte]);
    }
    program.expect_connected();
    program.expect_payload("one");
    program.expect_payload(&"x".repeat(300));
    program.expect_payload("three");
    peer.expect(PacketType::Puback);
    peer.expect(PacketType::Pubrec);
}

#[test]
fn packets_that_arrive_together_are_all_understood() {
    // MQTT-4.2.0-1
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    let mut bytes = vec![0x20, 3 + 4, 0, 0, 4, 0x12, 0, 1, b'c'];
    for number in 0..5000 {
        bytes.extend(peer.publication(number.to_string().as_bytes(), None, QoS::AtMostOnce, false));
    }
    // The end of the connection belongs to the same bytes: what came before it counts.
    bytes.extend([0xE0, 1, ReasonCode::SERVER_SHUTTING_DOWN.0]);
    peer.send_bytes(&bytes);
    peer.close();
    program.expect_connected();
    for number in 0..5000 {
        program.expect_payload(&number.to_string());
    }
    assert_eq!(program.expect_disconnected().reason, Some(ReasonCode::SERVER_SHUTTING_DOWN));
}

#[test]
fn a_connection_that_ends_at_any_byte_is_reported_once_and_made_anew() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    let mut bytes = vec![0x20, 3 + 4, 0, 0, 4, 0x12, 0, 1, b'c'];
    let connack_size = bytes.len();
    bytes.extend(peer.publication(b"message", None, QoS::AtMostOnce, false));
    for end in 0..bytes.len() {
        peer.send_bytes(&bytes[..end]);
        if end % 2 == 0 {
            peer.close();
        } else {
            peer.reset();
        }
        // A reset may overtake the bytes before it.
        let connected = match program.event("Connected or Disconnected") {
            mt5mqtt::session::event::Event::Connected { .. } => true,
            mt5mqtt::session::event::Event::Disconnected(ended) => {
                assert!(end < connack_size || end % 2 == 1, "{end} bytes: {ended:?}");
                false
            }
            other => panic!("{end} bytes: {other:?}"),
        };
        if connected {
            assert!(end >= connack_size);
            let failure = program.expect_disconnected().failure;
            assert!(matches!(failure, Some(Status::ConnectionClosed | Status::Network)), "{failure:?}");
        }
        peer = server.accept();
        peer.expect(PacketType::Connect);
    }
}

#[test]
fn a_server_that_goes_silent_in_the_middle_of_a_packet_is_dead_after_the_ping_timeout() {
    let mut server = FakeServer::start();
    let options = [(IntOption::KeepAlive, 1), (IntOption::PingTimeout, 300)];
    let program = Program::connecting(&server.url(), &options);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.send_bytes(&[0x30, 100, 0, 1, b't']);
    program.assert_no_call_waits();
    let end = std::iter::repeat_with(|| program.event("Disconnected")).find_map(|event| match event {
        mt5mqtt::session::event::Event::Disconnected(end) => Some(end),
        _ => None,
    });
    assert_eq!(end.unwrap().failure, Some(Status::KeepAliveTimeout));
}

#[test]
fn mqtt_3_1_1_has_no_disconnect_of_the_server_and_none_that_explains() {
    // MQTT311-4.8.0-1
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::ProtocolVersion, 4)]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.send_bytes(&[0xE0, 0]);
    peer.expect_close(&[]);
    peer.close();
    assert_eq!(program.expect_disconnected().failure, Some(Status::ProtocolError));
}

#[test]
fn each_fault_is_answered_with_its_reason_code_and_the_client_comes_back() {
    // 5-4.13.1-a; which packet has which fault is proven by the traces of the Session.
    let faults: [(&[u8], Status, u8); 5] = [
        // 5-3.3.1.2-a: QoS 3
        (b"\x36\x06\0\x01t\0\x01\0", Status::MalformedPacket, 0x81),
        // Ill-formed UTF-8 in a Topic Name
        (b"\x30\x05\0\x02\xC0\x80\0", Status::MalformedPacket, 0x81),
        // Content Type twice
        (b"\x30\x0C\0\x01t\x08\x03\0\x01a\x03\0\x01a", Status::ProtocolError, 0x82),
        // UNSUBACK for nothing
        (b"\xB0\x04\0\x09\0\0", Status::ProtocolError, 0x82),
        // Topic Alias 0
        (b"\x30\x07\0\x01t\x03\x23\0\0", Status::ProtocolError, 0x94),
    ];
    for (bytes, status, reason) in faults {
        assert_refused(&[], |_| bytes.to_vec(), status, ReasonCode(reason));
    }
}

#[test]
fn without_the_option_reconnect_a_fault_leaves_an_idle_client() {
    // 5-4.13.1-a
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::Reconnect, 0)]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.send_bytes(&[0xD1, 0]);
    peer.expect_close(&[PacketType::Disconnect]);
    peer.close();
    assert_eq!(program.expect_disconnected().reason, Some(ReasonCode::MALFORMED_PACKET));
    assert_eq!(program.state(), State::Idle);
    assert!(server.accept_within(Duration::from_millis(50)).is_none());
}
