//! What MQTT 3.1.1 does otherwise: Clean Session, return codes, no properties, no Reason Codes, no DISCONNECT of the Server.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{Properties, PropertiesBuf};
use mt5mqtt::codec::unsubscribe::Unsuback;
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{ProtocolVersion, QoS};

#[test]
fn connect_has_level_4_and_no_properties() {
    // MQTT311-3.1.2-2
    let mut trace = Trace::new(v311());
    trace.opens();
    trace.sends_connect(|connect| {
        assert_eq!(connect.version, ProtocolVersion::V311);
        assert_eq!(connect.properties, Properties::EMPTY);
    });
}

#[test]
fn a_session_that_shall_last_is_no_clean_session() {
    // MQTT311-3.1.2-4: Clean Session 1 would end it with the connection, so reconnects are made with 0.
    let mut trace = Trace::new(SessionOptions { clean_start: false, ..v311() });
    for _ in 0..2 {
        trace.opens();
        trace.sends_connect(|connect| assert!(!connect.clean_start));
        trace.receives(connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()));
        assert!(matches!(trace.tells(), Event::Connected { .. }));
        trace.loses_connection();
    }
}

#[test]
fn without_an_expiry_or_an_identifier_every_session_is_clean() {
    // MQTT311-3.1.3-7, MQTT311-3.1.2-6
    for wanted in
        [SessionOptions { session_expiry_interval: 0, ..v311() }, SessionOptions { client_id: String::new(), ..v311() }]
    {
        let mut trace = Trace::new(wanted);
        for _ in 0..2 {
            trace.connects_clean();
        }
    }
}

impl Trace {
    #[track_caller]
    fn connects_clean(&mut self) {
        self.opens();
        self.sends_connect(|connect| assert!(connect.clean_start));
        self.receives(connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()));
        assert!(matches!(self.tells(), Event::Connected { .. }));
        self.publish(1, "x", QoS::ExactlyOnce);
        self.takes_packet(|_| ());
        self.loses_connection();
        assert_eq!(self.tells_published(1).failure, Some(Status::SessionLost));
    }
}

#[test]
fn return_codes_come_as_the_reason_codes_of_the_same_meaning() {
    // Section 3.2.2.3 of 3.1.1, MQTT311-3.2.2-5
    for (code, reason) in [
        (1, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
        (2, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
        (3, ReasonCode::SERVER_UNAVAILABLE),
        (4, ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        (5, ReasonCode::NOT_AUTHORIZED),
    ] {
        let mut trace = Trace::new(v311());
        trace.opens();
        trace.sends_connect(|_| ());
        trace.receives_bytes(&[0x20, 2, 0, code]);
        let end = trace.closes();
        assert_eq!((end.failure, end.reason), (Some(Status::RefusedByServer), Some(reason)));
    }
}

#[test]
fn redelivery_needs_session_present() {
    // MQTT311-4.4.0-1, MQTT311-3.2.2-3
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    trace.reconnects(true);
    trace.sends(publish_again("x", QoS::AtLeastOnce, 1));
    trace.reconnects(false);
    trace.sends(publish("x", QoS::AtLeastOnce, 2));
}

#[test]
fn suback_0x80_is_a_refusal() {
    // MQTT311-3.9.3-2
    let mut trace = Trace::connected(v311());
    trace.subscribe(1, "f");
    trace.takes_packet(|_| ());
    trace.receives(suback(1, ReasonCode::UNSPECIFIED_ERROR));
    let Event::Subscribed { token: 1, outcome, .. } = trace.tells() else { panic!("no answer") };
    assert_eq!(outcome.failure, Some(Status::RefusedByServer));
}

#[test]
fn unsuback_has_no_codes_and_means_success() {
    // MQTT311-3.10.4-4
    let mut trace = Trace::connected(v311());
    trace.unsubscribe(1, "f");
    trace.takes_packet(|_| ());
    trace.receives(Packet::Unsuback(Unsuback { packet_id: id(1), properties: Properties::EMPTY, reasons: Vec::new() }));
    let Event::Unsubscribed { token: 1, outcome, .. } = trace.tells() else { panic!("no answer") };
    assert_eq!((outcome.failure, outcome.reason), (None, Some(ReasonCode::SUCCESS)));
}

#[test]
fn a_broken_protocol_closes_the_connection_without_a_word() {
    // MQTT311-4.8.0-1: there is no DISCONNECT with a reason.
    for bytes in [&[0xD1, 0][..], &[0xF0, 0], &[0xE0, 0], &[0x20, 2, 0, 0]] {
        let mut trace = Trace::connected(v311());
        trace.receives_bytes(bytes);
        let end = trace.closes();
        assert!(matches!(end.failure, Some(Status::MalformedPacket | Status::ProtocolError)), "{end:?}");
    }
}

#[test]
fn our_disconnect_is_two_bytes() {
    // MQTT311-3.14.1-1, MQTT311-3.14.4-1
    let mut trace = Trace::connected(v311());
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    assert_eq!(trace.session.output(), [0xE0, 0]);
    trace.takes_packet(|_| ());
    trace.closes();
}

#[test]
fn all_four_packets_of_qos_2_are_without_reason_codes() {
    // MQTT311-4.3.3-1 and MQTT311-4.3.3-2
    let mut trace = Trace::connected(v311());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(1));
    assert_eq!(trace.session.output(), [0x62, 2, 0, 1]);
    trace.sends(pubrel(1));
    trace.receives(pubcomp(1));
    trace.completes(1);
    trace.receives(publish("y", QoS::ExactlyOnce, 9));
    let delivery = trace.tells_message("y");
    trace.acknowledge(delivery);
    assert_eq!(trace.session.output(), [0x50, 2, 0, 9]);
    trace.sends(pubrec(9));
    trace.receives(pubrel(9));
    assert_eq!(trace.session.output(), [0x70, 2, 0, 9]);
    trace.sends(pubcomp(9));
    // An unknown Packet Identifier can't be named either.
    trace.receives(pubrel(10));
    assert_eq!(trace.session.output(), [0x70, 2, 0, 10]);
}
