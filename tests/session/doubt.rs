//! What is told of a message of which nobody can say whether it arrived, or whether it ever will (section 4.4).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;

#[test]
fn a_pubrel_that_finds_nothing_is_in_doubt_when_the_session_may_be_a_new_one() {
    // MQTT-4.3.3-9, section 3.7.2.1: Mosquitto passes a message on at PUBREL. One that has lost its Sessions, and whose CONNACK
    // of the new one was lost as well, says of it what it says of one that is finished.
    let not_found = || Packet::Pubcomp(Ack::new(id(1), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND));
    let released = || {
        let mut trace = Trace::connected(options());
        trace.publish(1, "order", QoS::ExactlyOnce);
        trace.sends(publish("order", QoS::ExactlyOnce, 1));
        trace.receives(pubrec(1));
        trace.sends(pubrel(1));
        trace.loses_connection();
        trace
    };
    let connect_is_not_answered = |trace: &mut Trace| {
        trace.opens();
        trace.sends_connect(|_| ());
        trace.loses_connection();
    };
    let mut trace = released();
    connect_is_not_answered(&mut trace);
    trace.connects(true, &[]);
    trace.sends(pubrel(1));
    trace.receives(not_found());
    let end = trace.tells_published(1);
    assert_eq!((end.failure, end.reason), (Some(Status::SessionLost), Some(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)));
    // It stays in doubt on the next connection, and ends well if the Server knows it.
    let mut trace = released();
    connect_is_not_answered(&mut trace);
    for _ in 0..2 {
        trace.connects(true, &[]);
        trace.sends(pubrel(1));
        trace.loses_connection();
    }
    trace.connects(true, &[]);
    trace.sends(pubrel(1));
    trace.receives(not_found());
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    let mut trace = released();
    connect_is_not_answered(&mut trace);
    trace.connects(true, &[]);
    trace.sends(pubrel(1));
    trace.receives(pubcomp(1));
    trace.completes(1);
    // Where the Session is the one that it was, the Server had finished it before.
    let mut trace = released();
    trace.connects(true, &[]);
    trace.sends(pubrel(1));
    trace.receives(not_found());
    trace.completes(1);
}

#[test]
fn what_is_refused_when_it_is_sent_again_is_in_doubt() {
    // MQTT-4.4.0-1, section 3.4.2.1: it says nothing of the first copy, whose acknowledgement may be what was lost. Mosquitto
    // refuses with 0x97 after a crash what it would take a moment later. A program that took it for one that never arrived would
    // send its order once more.
    for session_present in [true, false] {
        let mut trace = Trace::connected(options());
        trace.publish(1, "order", QoS::AtLeastOnce);
        trace.sends(publish("order", QoS::AtLeastOnce, 1));
        trace.reconnects(session_present);
        let packet_id = if session_present { 1 } else { 2 };
        trace.takes_packet(|packet| assert!(matches!(packet, Packet::Publish(_))));
        trace.receives(Packet::Puback(Ack::new(id(packet_id), ReasonCode::QUOTA_EXCEEDED)));
        let end = trace.tells_published(1);
        assert_eq!((end.failure, end.reason), (Some(Status::SessionLost), Some(ReasonCode::QUOTA_EXCEEDED)));
    }
    let mut trace = Trace::connected(options());
    trace.publish(1, "order", QoS::ExactlyOnce);
    trace.sends(publish("order", QoS::ExactlyOnce, 1));
    trace.reconnects(true);
    trace.sends(publish_again("order", QoS::ExactlyOnce, 1));
    trace.receives(Packet::Pubrec(Ack::new(id(1), ReasonCode::QUOTA_EXCEEDED)));
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.sends_nothing();
}

#[test]
fn what_the_server_closes_the_connection_for_each_time_is_named() {
    // MQTT-4.4.0-1 has it sent again, MQTT-3.14.4-3: AWS IoT closes for a topic that isn't allowed, and in MQTT 3.1.1 for QoS 2.
    let mut trace = Trace::connected(options());
    trace.publish(7, "order", QoS::AtLeastOnce);
    let ends = |trace: &mut Trace, status| {
        trace.session.handle_closed(status, "closed");
        trace.told_of_the_end().detail
    };
    trace.takes_packet(|_| ());
    for _ in 0..2 {
        assert_eq!(ends(&mut trace, Status::ConnectionClosed), "closed");
        // An attempt that isn't accepted says nothing of it.
        trace.opens();
        assert_eq!(ends(&mut trace, Status::ConnectionClosed), "closed");
        trace.connects(true, &[]);
        trace.sends(publish_again("order", QoS::AtLeastOnce, 1));
    }
    trace.receives(disconnect(ReasonCode::NOT_AUTHORIZED));
    let text = trace.closes().detail;
    for part in ["Not authorized", "3 connections in a row", "'t'", "QoS 1", "token 7"] {
        assert!(text.contains(part), "{text}");
    }
    // A line that breaks is none of the Server's decisions.
    trace.connects(true, &[]);
    assert_eq!(ends(&mut trace, Status::Network), "closed");
    trace.connects(true, &[]);
    assert_eq!(ends(&mut trace, Status::ConnectionClosed), "closed");
    // So is a subscription.
    trace.connects(false, &[]);
    trace.subscribe(8, "not/allowed");
    assert_eq!(ends(&mut trace, Status::ConnectionClosed), "closed");
    trace.connects(true, &[]);
    assert_eq!(ends(&mut trace, Status::ConnectionClosed), "closed");
    trace.connects(true, &[]);
    let text = ends(&mut trace, Status::ConnectionClosed);
    assert!(text.contains("'not/allowed'") && text.contains("3 connections in a row"), "{text}");
}

#[test]
fn a_pubrel_that_the_server_closes_each_connection_for_is_given_up() {
    // MQTT-4.4.0-1 has it sent again. Aedes closes the connection for one that it has answered before: its answer was lost.
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.session.set_server("mqtt://aedes");
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.publish(1, "first", QoS::ExactlyOnce);
    trace.publish(2, "second", QoS::ExactlyOnce);
    disk.store(&mut trace);
    for packet_id in [1, 2] {
        trace.takes_packet(|_| ());
        trace.receives(pubrec(packet_id));
    }
    disk.store(&mut trace);
    trace.publish(3, "behind", QoS::AtLeastOnce);
    for times in 1..=10 {
        trace.sends(pubrel(1));
        trace.sends(pubrel(2));
        trace.sends_payloads();
        trace.session.handle_closed(Status::ConnectionClosed, "closed");
        let text = trace.told_of_the_end().detail;
        assert_eq!(text.contains(&format!("{times} connections in a row with PUBREL")), times >= 3, "{text}");
        if times < 10 {
            trace.tells_nothing();
            trace.connects(true, &[]);
        }
    }
    // Whether it was passed on, nobody knows.
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    disk.store(&mut trace);
    let mut again = disk.start(options());
    again.session.set_server("mqtt://aedes");
    // Until the first process is known to have heard of it, the next one is told, too.
    assert_eq!(again.tells_published(1).failure, Some(Status::SessionLost));
    for mut trace in [trace, again] {
        trace.connects(true, &[]);
        trace.sends(pubrel(2));
        trace.receives(pubcomp(2));
        trace.sends_payloads();
        // Its Packet Identifier isn't used as long as the Server has the Session.
        for _ in 0..65_533 {
            trace.publish(9, "x", QoS::AtLeastOnce);
            let id = trace.takes_packet(|packet| match packet {
                Packet::Publish(publish) => publish.packet_id.expect("an identifier").get(),
                other => panic!("{other:?}"),
            });
            assert_ne!(id, 1);
            trace.receives(puback(id));
            while trace.session.poll_event().is_some() {}
        }
    }
}

#[test]
fn what_has_not_left_yet_is_not_what_the_server_closes_for() {
    // A QoS 2 message waits until its Packet Identifier is stored, and nothing is stored here.
    let mut trace = Disk::default().start(options());
    trace.publish(7, "order", QoS::ExactlyOnce);
    for _ in 0..4 {
        trace.connects(false, &[]);
        trace.sends_nothing();
        trace.session.handle_closed(Status::ConnectionClosed, "closed");
        assert_eq!(trace.told_of_the_end().detail, "closed");
    }
}
