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
use std::time::Duration;

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
    // MQTT311-4.4.0-1, MQTT311-3.2.2-3, MQTT311-2.3.1-3, MQTT311-3.1.2-4, MQTT311-3.3.1-1, MQTT311-4.1.0-1,
    // MQTT311-4.3.2-1
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
    // MQTT311-3.14.1-1, MQTT311-3.14.4-1, MQTT311-3.14.4-2: the last two.
    let mut trace = Trace::connected(v311());
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.publish(1, "after", QoS::AtMostOnce);
    trace.receives(publish("in", QoS::AtLeastOnce, 1));
    assert_eq!(trace.session.output(), [0xE0, 0]);
    trace.takes_packet(|_| ());
    trace.closes();
}

#[test]
fn all_four_packets_of_qos_2_are_without_reason_codes() {
    // MQTT311-4.3.3-1, MQTT311-4.3.3-2, MQTT311-2.3.1-6, MQTT311-3.3.4-1
    let mut trace = Trace::connected(v311());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(1));
    assert_eq!(trace.session.output(), [0x62, 2, 0, 1]);
    trace.sends(pubrel(1));
    trace.receives(pubcomp(1));
    trace.completes(1);
    trace.receives(publish("y", QoS::ExactlyOnce, 9));
    trace.takes_message("y");
    assert_eq!(trace.session.output(), [0x50, 2, 0, 9]);
    trace.sends(pubrec(9));
    trace.receives(pubrel(9));
    assert_eq!(trace.session.output(), [0x70, 2, 0, 9]);
    trace.sends(pubcomp(9));
    // An unknown Packet Identifier can't be named either.
    trace.receives(pubrel(10));
    assert_eq!(trace.session.output(), [0x70, 2, 0, 10]);
}

#[test]
fn nothing_but_connect_leaves_before_connack() {
    // MQTT311-3.1.0-1
    let mut trace = Trace::new(v311());
    trace.publish(1, "early", QoS::AtLeastOnce);
    trace.subscribe(2, "f");
    trace.sends_nothing();
    trace.opens();
    trace.sends_connect(|connect| assert_eq!(connect.version, ProtocolVersion::V311));
    trace.sends_nothing();
}

#[test]
fn the_bytes_of_publish_have_no_packet_identifier_with_qos_0() {
    // MQTT311-2.3.1-5, MQTT311-3.3.1-2, MQTT311-3.3.2-1, MQTT311-4.3.1-1, MQTT311-4.3.2-1: the Topic Name comes first.
    let mut trace = Trace::connected(v311());
    trace.publish(1, "x", QoS::AtMostOnce);
    assert_eq!(trace.session.output(), [0x30, 4, 0, 1, b't', b'x']);
    trace.sends(publish("x", QoS::AtMostOnce, 0));
    trace.publish(2, "y", QoS::AtLeastOnce);
    assert_eq!(trace.session.output(), [0x32, 6, 0, 1, b't', 0, 1, b'y']);
    trace.sends(publish("y", QoS::AtLeastOnce, 1));
    trace.publish(3, "z", QoS::ExactlyOnce);
    assert_eq!(trace.session.output(), [0x34, 6, 0, 1, b't', 0, 2, b'z']);
}

#[test]
fn subscribe_and_unsubscribe_name_their_topic_filter() {
    // MQTT311-3.8.3-3, MQTT311-3.10.3-1, MQTT311-3.10.3-2
    let mut trace = Trace::connected(v311());
    trace.subscribe(1, "a/#");
    assert_eq!(trace.session.output(), [0x82, 8, 0, 1, 0, 3, b'a', b'/', b'#', 2]);
    trace.takes_packet(|_| ());
    trace.unsubscribe(2, "a/#");
    assert_eq!(trace.session.output(), [0xA2, 7, 0, 2, 0, 3, b'a', b'/', b'#']);
}

#[test]
fn packet_identifiers_are_free_when_their_flow_is_over() {
    // MQTT311-2.3.1-2, MQTT311-2.3.1-3, MQTT311-4.3.2-1: not before PUBACK, PUBCOMP, SUBACK or UNSUBACK.
    let mut trace = Trace::connected(v311());
    trace.publish(1, "a", QoS::AtLeastOnce);
    trace.publish(2, "b", QoS::ExactlyOnce);
    trace.subscribe(3, "f");
    trace.unsubscribe(4, "f");
    for _ in 0..4 {
        trace.takes_packet(|_| ());
    }
    trace.receives(pubrec(2));
    trace.sends(pubrel(2));
    // All the way round: 1 to 4 are still in use.
    for round in 0..65_531u32 {
        trace.publish(5, "x", QoS::AtLeastOnce);
        let packet_id = trace.takes_packet(packet_id_of_publish);
        assert_eq!(u32::from(packet_id), 5 + round);
        trace.receives(puback(packet_id));
        trace.completes(5);
    }
    trace.receives(puback(1));
    trace.completes(1);
    trace.receives(pubcomp(2));
    trace.completes(2);
    trace.receives(suback(3, ReasonCode::SUCCESS));
    trace.tells();
    trace.receives(Packet::Unsuback(Unsuback { packet_id: id(4), properties: Properties::EMPTY, reasons: Vec::new() }));
    trace.tells();
    for expected in 1..=4 {
        trace.publish(7, "x", QoS::AtLeastOnce);
        assert_eq!(trace.takes_packet(packet_id_of_publish), expected);
    }
}

fn packet_id_of_publish(packet: &Packet<'_>) -> u16 {
    match packet {
        Packet::Publish(publish) => publish.packet_id.expect("a QoS above 0").get(),
        other => panic!("{other:?} instead of PUBLISH"),
    }
}

#[test]
fn qos_0_is_not_answered() {
    // MQTT311-3.3.4-1
    let mut trace = Trace::connected(v311());
    trace.receives(publish("x", QoS::AtMostOnce, 0));
    trace.tells_message("x");
    trace.sends_nothing();
}

#[test]
fn qos_1_is_answered_with_puback_and_is_a_new_message_afterwards() {
    // MQTT311-3.3.4-1, MQTT311-4.3.2-2, MQTT311-2.3.1-6: whatever DUP says.
    let mut trace = Trace::connected(v311());
    for (payload, packet) in [("a", publish("a", QoS::AtLeastOnce, 9)), ("b", publish_again("b", QoS::AtLeastOnce, 9))]
    {
        trace.receives(packet);
        trace.takes_message(payload);
        assert_eq!(trace.session.output(), [0x40, 2, 0, 9]);
        trace.sends(puback(9));
    }
}

#[test]
fn qos_2_is_handed_out_once_until_pubcomp() {
    // MQTT311-4.3.3-2
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    trace.receives(publish("x", QoS::ExactlyOnce, 9));
    trace.takes_message("x");
    trace.sends(pubrec(9));
    for _ in 0..2 {
        trace.reconnects(true);
        trace.receives(publish_again("x", QoS::ExactlyOnce, 9));
        trace.sends(pubrec(9));
        trace.tells_nothing();
    }
    trace.receives(pubrel(9));
    trace.sends(pubcomp(9));
    trace.receives(publish("y", QoS::ExactlyOnce, 9));
    trace.tells_message("y");
}

#[test]
fn a_qos_2_message_that_the_program_refuses_is_handed_out_once_too() {
    // MQTT311-4.3.3-2: PUBREC has no Reason Code, so the Server takes it for accepted, and sends the message until PUBREC arrives.
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    trace.receives(publish("x", QoS::ExactlyOnce, 9));
    let delivery = trace.tells_message("x");
    assert!(trace.session.acknowledge(delivery.unwrap(), ReasonCode::NOT_AUTHORIZED));
    trace.sends(pubrec(9));
    trace.reconnects(true);
    trace.receives(publish_again("x", QoS::ExactlyOnce, 9));
    trace.tells_nothing();
    trace.sends(pubrec(9));
    trace.receives(pubrel(9));
    trace.sends(pubcomp(9));
    trace.receives(publish("y", QoS::ExactlyOnce, 9));
    trace.tells_message("y");
}

#[test]
fn qos_2_is_never_published_again_after_its_pubrel() {
    // MQTT311-4.3.3-1, MQTT311-4.4.0-1: before PUBREC the PUBLISH is sent again, after it the PUBREL.
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.reconnects(true);
    trace.sends(publish_again("x", QoS::ExactlyOnce, 1));
    trace.receives(pubrec(1));
    trace.sends(pubrel(1));
    for _ in 0..2 {
        trace.reconnects(true);
        trace.sends(pubrel(1));
        trace.sends_nothing();
    }
    trace.receives(pubcomp(1));
    trace.completes(1);
}

#[test]
fn order_is_kept_in_redelivery_and_in_answers() {
    // MQTT311-4.6.0-1
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    let published = [("a", QoS::ExactlyOnce, 1), ("b", QoS::AtLeastOnce, 2), ("c", QoS::ExactlyOnce, 3)];
    for (payload, qos, packet_id) in published {
        trace.publish(packet_id.into(), payload, qos);
        trace.sends(publish(payload, qos, packet_id));
    }
    trace.reconnects(true);
    for (payload, qos, packet_id) in published {
        trace.sends(publish_again(payload, qos, packet_id));
    }
    // MQTT311-4.6.0-4
    trace.receives(pubrec(3));
    trace.receives(pubrec(1));
    trace.sends(pubrel(3));
    trace.sends(pubrel(1));
    // MQTT311-4.6.0-2, MQTT311-4.6.0-3: whatever order the program acknowledges in.
    let arrivals = [("d", QoS::ExactlyOnce, 7), ("e", QoS::AtLeastOnce, 8), ("f", QoS::ExactlyOnce, 9)];
    let deliveries = arrivals.map(|(payload, qos, packet_id)| {
        trace.receives(publish(payload, qos, packet_id));
        trace.tells_message(payload)
    });
    for delivery in deliveries.into_iter().rev() {
        trace.acknowledge(delivery);
    }
    trace.sends(pubrec(7));
    trace.sends(puback(8));
    trace.sends(pubrec(9));
}

#[test]
fn a_quiet_connection_is_kept_alive() {
    // MQTT311-3.1.2-23
    let mut trace = Trace::connected(v311());
    for _ in 0..3 {
        trace.passes(Duration::from_secs(23));
        assert_eq!(trace.session.output(), [0xC0, 0]);
        trace.sends(Packet::Pingreq);
        trace.receives(Packet::Pingresp);
    }
    trace.stays_connected();
}

#[test]
fn the_client_identifier_names_the_session() {
    // MQTT311-3.1.3-2: it stays for reconnects, and another one is another Session.
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.loses_connection();
    trace.opens();
    trace.sends_connect(|connect| assert_eq!(connect.client_id, "c"));
    trace.loses_connection();
    trace.session.set_options(SessionOptions { client_id: "other".to_owned(), clean_start: false, ..v311() });
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.opens();
    trace.sends_connect(|connect| assert_eq!(connect.client_id, "other"));
}

#[test]
fn the_server_knows_of_no_receive_maximum() {
    // Section 3.1.2.11.3 is MQTT 5.0's: what wasn't said can't be broken.
    let mut trace = Trace::connected(SessionOptions { receive_maximum: 1, ..v311() });
    for (packet_id, qos) in [(1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce), (3, QoS::AtLeastOnce)] {
        trace.receives(publish("x", qos, packet_id));
        trace.tells_message("x");
    }
    trace.stays_connected();
}
