//! Whether the Server still has our Session: what a connection says of it that was refused, cut or ended, and what the next one
//! asks for (sections 3.1.2.4 and 3.1.2.11.2).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::RetainHandling;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{ProtocolVersion, QoS};

const EXPIRY: PropertyId = PropertyId::SessionExpiryInterval;

impl Trace {
    /// CONNECT leaves, and asks for a Clean Start or not.
    #[track_caller]
    fn asks_for_clean_start(&mut self, expected: bool) {
        self.opens();
        self.sends_connect(|connect| assert_eq!(connect.clean_start, expected));
    }

    #[track_caller]
    fn is_refused(&mut self, reason: ReasonCode) {
        self.receives(connack(false, reason, &PropertiesBuf::new()));
        assert_eq!(self.closes().reason, Some(reason));
    }

    /// The program ends its Session with the connection.
    #[track_caller]
    fn ends_session(&mut self) {
        let never = set(&[(EXPIRY, Value::Int(0))]);
        self.session.disconnect(ReasonCode::SUCCESS, never.as_properties());
        self.takes_packet(|packet| assert!(matches!(packet, Packet::Disconnect(_)), "{packet:?}"));
        self.closes();
    }
}

#[test]
fn what_was_ended_in_mqtt_5_does_not_come_back_in_mqtt_3_1_1() {
    // MQTT311-3.1.2-6, MQTT311-3.2.2-2: a Server that missed the end would take new messages for those that it has under their
    // Packet Identifiers.
    let mut trace = Trace::connected(SessionOptions { fall_back_to_v311: true, ..options() });
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.ends_session();
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.asks_for_clean_start(true);
    trace.is_refused(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION);
    trace.speaks(ProtocolVersion::V311);
    for _ in 0..2 {
        trace.asks_for_clean_start(true);
        trace.loses_connection();
        // It may not have been heard in this version either.
        trace.speaks(ProtocolVersion::V5);
        trace.asks_for_clean_start(true);
        trace.loses_connection();
        trace.speaks(ProtocolVersion::V311);
    }
    trace.connects(false, &[]);
    // It is a new one now, that goes on.
    trace.loses_connection();
    trace.asks_for_clean_start(false);
}

#[test]
fn a_connack_that_cannot_be_taken_may_have_announced_a_new_session() {
    // MQTT-3.2.2-3: the Server has accepted the connection, and its next CONNACK says of the new Session that it is present.
    let mut trace = Trace::connected(strict());
    trace.subscribe(1, "f");
    trace.takes_packet(|_| ());
    trace.receives(suback(1, ReasonCode::GRANTED_QOS_2));
    trace.tells();
    trace.publish(2, "order", QoS::ExactlyOnce);
    trace.sends(publish("order", QoS::ExactlyOnce, 2));
    trace.receives(pubrec(2));
    trace.sends(pubrel(2));
    trace.loses_connection();
    trace.asks_for_clean_start(false);
    let unasked = set(&[(PropertyId::ResponseInformation, Value::Text("r"))]);
    trace.receives(connack(false, ReasonCode::SUCCESS, &unasked));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    trace.connects(true, &[]);
    trace.sends(pubrel(2));
    trace.takes_packet(|packet| match packet {
        Packet::Subscribe(subscribe) => {
            assert_eq!(subscribe.subscriptions[0].options.retain_handling, RetainHandling::IfNew);
        }
        other => panic!("{other:?} instead of SUBSCRIBE"),
    });
    trace.receives(Packet::Pubcomp(Ack::new(id(2), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)));
    assert_eq!(trace.tells_published(2).failure, Some(Status::SessionLost));
}

#[test]
fn a_connection_that_is_not_accepted_ends_no_session() {
    // MQTT-3.1.2-23: CONNACK said that the Session outlives its connection, though CONNECT asks for none that does.
    for is_refused in [true, false] {
        let mut trace = Trace::connected_to(
            SessionOptions { session_expiry_interval: 0, ..options() },
            &[(EXPIRY, Value::Int(60))],
        );
        trace.publish(1, "order", QoS::ExactlyOnce);
        trace.sends(publish("order", QoS::ExactlyOnce, 1));
        trace.receives(pubrec(1));
        trace.sends(pubrel(1));
        trace.loses_connection();
        trace.tells_nothing();
        trace.asks_for_clean_start(false);
        if is_refused {
            trace.is_refused(ReasonCode::SERVER_BUSY);
        } else {
            trace.loses_connection();
        }
        trace.tells_nothing();
        trace.asks_for_clean_start(false);
        trace.receives(connack(true, ReasonCode::SUCCESS, &PropertiesBuf::new()));
        trace.tells();
        trace.sends(pubrel(1));
        trace.receives(pubcomp(1));
        trace.completes(1);
        // Now it ends with its connection.
        trace.loses_connection();
        trace.asks_for_clean_start(true);
    }
}

#[test]
fn a_refusal_leaves_no_doubt() {
    // Section 3.1.4: a Server that refuses the connection goes no further, so it began no new Session. Otherwise each refusal would
    // bring the subscriptions again.
    for is_refused in [true, false] {
        let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
        trace.subscribe(1, "f");
        trace.takes_packet(|_| ());
        trace.receives(suback(1, ReasonCode::GRANTED_QOS_2));
        trace.tells();
        trace.loses_connection();
        trace.asks_for_clean_start(false);
        if is_refused {
            trace.is_refused(ReasonCode::SERVER_UNAVAILABLE);
        } else {
            trace.loses_connection();
        }
        trace.connects(true, &[]);
        if !is_refused {
            trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_)), "{packet:?}"));
        }
        trace.sends_nothing();
        // One that isn't answered is not forgotten for one that is refused.
        trace.loses_connection();
        trace.asks_for_clean_start(false);
        trace.loses_connection();
        trace.asks_for_clean_start(false);
        trace.is_refused(ReasonCode::SERVER_UNAVAILABLE);
        trace.connects(true, &[]);
        trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_)), "{packet:?}"));
    }
}

#[test]
fn a_session_that_the_program_ends_before_connack_does_not_come_back() {
    // Section 3.14.2.2.2: 0 in DISCONNECT ends the Session, whose connection the Server may have accepted.
    let mut trace = Trace::connected(options());
    trace.loses_connection();
    trace.asks_for_clean_start(false);
    trace.ends_session();
    trace.asks_for_clean_start(true);
}
