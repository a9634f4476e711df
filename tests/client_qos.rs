//! QoS 1 and 2 towards the Server, with the connection cut at each point: exactly one outcome per token, redelivery on a
//! resumed Session and only there.

mod common;

use common::fake_server::{DEADLINE, FakeServer, Peer, Received};
use common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::collections::HashSet;
use std::time::{Duration, Instant};

fn connected(server: &mut FakeServer) -> (Program, Peer) {
    let program = Program::connecting(&server.url(), &[]);
    let peer = server.accept_mqtt();
    program.expect_connected();
    (program, peer)
}

/// Cuts the connection and accepts the next one.
fn cut(peer: Peer, server: &mut FakeServer, program: &Program, session_present: bool) -> Peer {
    peer.close();
    program.expect_disconnected();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(session_present);
    assert_eq!(program.expect_connected(), session_present);
    peer
}

#[test]
fn qos_1_is_finished_by_puback_and_qos_2_by_pubcomp() {
    // MQTT311-7.1.2-1
    for version in [4, 5] {
        let mut server = FakeServer::start();
        let program = Program::connecting(&server.url(), &[(IntOption::ProtocolVersion, version)]);
        let mut peer = server.accept_mqtt();
        program.expect_connected();
        let one = program.send("one", QoS::AtLeastOnce);
        let two = program.send("two", QoS::ExactlyOnce);
        let first = peer.expect_publish("one");
        let second = peer.expect_publish("two");
        assert_ne!(first.id(), second.id());
        peer.pubrec(second.id());
        assert_eq!(peer.expect(PacketType::Pubrel).id(), second.id());
        program.expect_nothing();
        assert_eq!(program.statistics().outgoing, 2);
        peer.pubcomp(second.id());
        assert_eq!(program.expect_published(two).failure, None);
        peer.puback(first.id());
        assert_eq!(program.expect_published(one).failure, None);
        program.expect_nothing();
        assert_eq!((program.statistics().outgoing, program.statistics().outgoing_bytes), (0, 0));
    }
}

#[test]
fn qos_1_cut_before_puback_is_sent_again_with_dup_on_the_resumed_session() {
    // MQTT-3.3.1-1, MQTT-4.4.0-1
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let token = program.send("one", QoS::AtLeastOnce);
    let id = peer.expect_publish("one").id();
    let mut peer = cut(peer, &mut server, &program, true);
    let again = peer.expect_publish("one");
    assert_eq!((again.dup(), again.id()), (true, id));
    peer.puback(id);
    assert_eq!(program.expect_published(token).failure, None);
    program.expect_nothing();
    assert_eq!(program.statistics().redelivered, 1);
}

#[test]
fn qos_1_cut_before_puback_is_published_anew_without_dup_when_the_session_is_gone() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let token = program.send("one", QoS::AtLeastOnce);
    peer.expect_publish("one");
    let mut peer = cut(peer, &mut server, &program, false);
    let anew = peer.expect_publish("one");
    assert!(!anew.dup());
    peer.puback(anew.id());
    assert_eq!(program.expect_published(token).failure, None);
    program.expect_nothing();
}

#[test]
fn qos_2_cut_before_pubrec_is_sent_again_on_the_resumed_session() {
    // MQTT-4.3.3-3
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let token = program.send("two", QoS::ExactlyOnce);
    let id = peer.expect_publish("two").id();
    let mut peer = cut(peer, &mut server, &program, true);
    let again = peer.expect_publish("two");
    assert_eq!((again.dup(), again.id()), (true, id));
    peer.pubrec(id);
    peer.expect(PacketType::Pubrel);
    peer.pubcomp(id);
    assert_eq!(program.expect_published(token).failure, None);
    program.expect_nothing();
}

#[test]
fn qos_2_cut_before_pubrec_is_reported_as_unknown_when_the_session_is_gone() {
    // MQTT-3.2.2-5
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let token = program.send("two", QoS::ExactlyOnce);
    peer.expect_publish("two");
    let mut peer = cut(peer, &mut server, &program, false);
    assert_eq!(program.expect_published(token).failure, Some(Status::SessionLost));
    program.expect_nothing();
    assert!(peer.read_within(Duration::from_millis(50), "nothing").is_none(), "it must not be sent a second time");
}

#[test]
fn qos_2_cut_before_pubcomp_goes_on_with_pubrel_and_never_with_publish() {
    // MQTT-4.3.3-6
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let token = program.send("two", QoS::ExactlyOnce);
    let id = peer.expect_publish("two").id();
    peer.pubrec(id);
    peer.expect(PacketType::Pubrel);
    let mut peer = cut(peer, &mut server, &program, true);
    assert_eq!(peer.expect(PacketType::Pubrel).id(), id);
    let mut peer = cut(peer, &mut server, &program, true);
    assert_eq!(peer.expect(PacketType::Pubrel).id(), id);
    peer.pubcomp(id);
    assert_eq!(program.expect_published(token).failure, None);
    program.expect_nothing();
}

#[test]
fn qos_2_cut_before_pubcomp_is_reported_as_unknown_when_the_session_is_gone() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let token = program.send("two", QoS::ExactlyOnce);
    let id = peer.expect_publish("two").id();
    peer.pubrec(id);
    peer.expect(PacketType::Pubrel);
    let mut peer = cut(peer, &mut server, &program, false);
    assert_eq!(program.expect_published(token).failure, Some(Status::SessionLost));
    assert!(peer.read_within(Duration::from_millis(50), "nothing").is_none());
    program.expect_nothing();
}

#[test]
fn what_the_server_refuses_fails_with_its_reason_code() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let one = program.send("one", QoS::AtLeastOnce);
    let id = peer.expect_publish("one").id();
    peer.send(&Packet::Puback(Ack::new(id, ReasonCode::NOT_AUTHORIZED)));
    let outcome = program.expect_published(one);
    assert_eq!((outcome.failure, outcome.reason), (Some(Status::RefusedByServer), Some(ReasonCode::NOT_AUTHORIZED)));
    let two = program.send("two", QoS::ExactlyOnce);
    let id = peer.expect_publish("two").id();
    peer.send(&Packet::Pubrec(Ack::new(id, ReasonCode::QUOTA_EXCEEDED)));
    assert_eq!(program.expect_published(two).reason, Some(ReasonCode::QUOTA_EXCEEDED));
    program.expect_nothing();
}

#[test]
fn no_more_messages_are_in_flight_than_the_server_announced() {
    // MQTT-3.3.4-7
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |properties| properties.set(PropertyId::ReceiveMaximum, Value::Int(3)).unwrap());
    program.expect_connected();
    let tokens: Vec<_> = (0..10).map(|number: i32| program.send(&number.to_string(), QoS::AtLeastOnce)).collect();
    let mut in_flight: Vec<PacketId> =
        (0..3).map(|number: i32| peer.expect_publish(&number.to_string()).id()).collect();
    for (number, token) in tokens.into_iter().enumerate() {
        assert!(peer.read_within(Duration::from_millis(10), "nothing above the quota").is_none());
        peer.puback(in_flight.remove(0));
        assert_eq!(program.expect_published(token).failure, None);
        if number + 3 < 10 {
            in_flight.push(peer.expect_publish(&(number + 3).to_string()).id());
        }
    }
}

#[test]
fn a_server_without_a_limit_gets_five_hundred_messages_at_a_time() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    (0..501).for_each(|number: i32| _ = program.send(&number.to_string(), QoS::AtLeastOnce));
    let first = peer.expect_publish("0").id();
    (1..500).for_each(|number: i32| _ = peer.expect_publish(&number.to_string()));
    assert!(peer.read_within(Duration::from_millis(10), "nothing above the limit").is_none());
    peer.puback(first);
    peer.expect_publish("500");
}

#[test]
fn every_token_has_exactly_one_outcome_however_often_the_connection_is_cut() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server);
    let qos = |number: i32| if number % 2 == 0 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
    let mut open: HashSet<_> = (0..400).map(|number| program.send(&number.to_string(), qos(number))).collect();
    let deadline = Instant::now() + DEADLINE;
    let mut packets = 0;
    while !open.is_empty() {
        assert!(Instant::now() < deadline, "no outcome for the tokens {open:?}");
        // After the last packet only outcomes are on their way.
        if let Some(received) = peer.read_within(Duration::from_millis(20), "a packet of an unfinished message") {
            packets += 1;
            // Two primes, so that the cuts fall before and behind the answers to every type of packet.
            if packets % 37 != 0 {
                answer(&mut peer, &received);
            }
            if packets % 37 == 0 || packets % 41 == 0 {
                peer.close();
                peer = server.accept();
                peer.expect(PacketType::Connect);
                peer.connack(true);
            }
        }
        while let Some(event) = program.event_within(Duration::ZERO) {
            if let Event::Published { token, outcome } = event {
                assert!(open.remove(&token), "a second outcome for token {token}");
                assert_eq!(outcome.failure, None);
            }
        }
    }
    program.expect_nothing();
    assert!(program.statistics().connections > 10 && program.statistics().redelivered > 10);
}

fn answer(peer: &mut Peer, received: &Received) {
    match received.packet() {
        Packet::Publish(publish) if publish.qos == QoS::AtLeastOnce => peer.puback(received.id()),
        Packet::Publish(_) => peer.pubrec(received.id()),
        Packet::Pubrel(_) => peer.pubcomp(received.id()),
        other => panic!("{other:?}"),
    }
}
