//! MQTT 3.1.1 with a Server that doesn't know MQTT 5.0, when the program asks for that.

use crate::trace::*;
use mt5mqtt::codec::property::PropertiesBuf;
use mt5mqtt::session::event::{Disconnected, Event};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{ProtocolVersion, QoS};

fn falling_back() -> SessionOptions {
    SessionOptions { fall_back_to_v311: true, ..options() }
}

impl Trace {
    /// The next connection is asked for in this version.
    #[track_caller]
    fn asks_in(&mut self, version: ProtocolVersion) {
        self.opens();
        self.speaks(version);
        self.sends_connect(|connect| assert_eq!(connect.version, version));
    }

    /// The Server closes the connection instead of an answer.
    #[track_caller]
    fn is_cut(&mut self) -> Disconnected {
        self.session.handle_closed(Status::ConnectionClosed, "cut");
        self.told_of_the_end()
    }

    #[track_caller]
    fn is_accepted(&mut self) {
        self.receives(connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()));
        assert!(matches!(self.tells(), Event::Connected { .. }));
    }
}

#[test]
fn a_refusal_of_mqtt_5_leads_to_mqtt_3_1_1() {
    // MQTT-3.1.2-2; a Server without MQTT 5.0 answers with return code 1 (MQTT311-3.1.2-2).
    for refusal in [&[0x20, 3, 0, 0x84, 0][..], &[0x20, 2, 0, 1]] {
        let mut trace = Trace::new(falling_back());
        trace.asks_in(ProtocolVersion::V5);
        trace.receives_bytes(refusal);
        let end = trace.closes();
        assert_eq!(end.reason, Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION));
        assert_eq!(end.next_version, Some(ProtocolVersion::V311));
        assert!(end.detail.contains("3.1.1"), "{}", end.detail);
        trace.asks_in(ProtocolVersion::V311);
        trace.is_accepted();
        assert_eq!(trace.session.version(), ProtocolVersion::V311);
        // Remembered as long as it works.
        assert_eq!(trace.is_cut().next_version, None);
        trace.asks_in(ProtocolVersion::V311);
        assert_eq!(trace.is_cut().next_version, None);
        trace.asks_in(ProtocolVersion::V311);
    }
}

#[test]
fn a_connection_that_is_closed_instead_of_an_answer_leads_there_too() {
    let mut trace = Trace::new(falling_back());
    trace.asks_in(ProtocolVersion::V5);
    assert_eq!(trace.is_cut().next_version, Some(ProtocolVersion::V311));
    trace.asks_in(ProtocolVersion::V311);
    trace.is_accepted();
}

#[test]
fn what_doesnt_work_either_is_given_up_again() {
    let mut trace = Trace::new(falling_back());
    for _ in 0..2 {
        trace.asks_in(ProtocolVersion::V5);
        assert_eq!(trace.is_cut().next_version, Some(ProtocolVersion::V311));
        trace.asks_in(ProtocolVersion::V311);
        assert_eq!(trace.is_cut().next_version, Some(ProtocolVersion::V5));
    }
    trace.asks_in(ProtocolVersion::V5);
}

#[test]
fn a_server_that_spoke_mqtt_5_is_not_spoken_to_otherwise_for_a_cut() {
    // A Server that is restarting closes connections too; the properties of what is published would be lost for nothing.
    let mut trace = Trace::new(falling_back());
    trace.asks_in(ProtocolVersion::V5);
    trace.is_accepted();
    trace.is_cut();
    trace.asks_in(ProtocolVersion::V5);
    assert_eq!(trace.is_cut().next_version, None);
    trace.asks_in(ProtocolVersion::V5);
    // One that says so is another Server now.
    trace.receives_bytes(&[0x20, 2, 0, 1]);
    assert_eq!(trace.closes().next_version, Some(ProtocolVersion::V311));
}

#[test]
fn that_mqtt_5_was_spoken_says_nothing_of_mqtt_3_1_1() {
    // MQTT-3.1.2-2: the Server was changed, refuses one version and doesn't know the other.
    let mut trace = Trace::new(falling_back());
    trace.asks_in(ProtocolVersion::V5);
    trace.is_accepted();
    trace.is_cut();
    trace.asks_in(ProtocolVersion::V5);
    trace.receives_bytes(&[0x20, 3, 0, 0x84, 0]);
    assert_eq!(trace.closes().next_version, Some(ProtocolVersion::V311));
    trace.asks_in(ProtocolVersion::V311);
    assert_eq!(trace.is_cut().next_version, Some(ProtocolVersion::V5));
    trace.asks_in(ProtocolVersion::V5);
}

#[test]
fn other_refusals_and_silence_change_nothing() {
    let mut trace = Trace::new(falling_back());
    trace.asks_in(ProtocolVersion::V5);
    trace.receives(connack(false, ReasonCode::NOT_AUTHORIZED, &PropertiesBuf::new()));
    assert_eq!(trace.closes().next_version, None);
    trace.asks_in(ProtocolVersion::V5);
    trace.passes(CONNECT_TIMEOUT);
    assert_eq!(trace.closes().failure, Some(Status::ConnectTimeout));
    trace.asks_in(ProtocolVersion::V5);
}

#[test]
fn nobody_falls_back_who_didnt_ask_for_it() {
    let mut trace = Trace::new(options());
    trace.asks_in(ProtocolVersion::V5);
    trace.receives_bytes(&[0x20, 2, 0, 1]);
    assert_eq!(trace.closes().next_version, None);
    trace.asks_in(ProtocolVersion::V5);
}

#[test]
fn new_options_begin_with_mqtt_5_again() {
    let mut trace = Trace::new(falling_back());
    trace.asks_in(ProtocolVersion::V5);
    trace.is_cut();
    trace.session.set_options(falling_back());
    trace.asks_in(ProtocolVersion::V5);
    // They may be for another Server: that the one before spoke it says nothing.
    trace.is_accepted();
    trace.is_cut();
    trace.session.set_options(SessionOptions { keep_alive: 7, ..falling_back() });
    trace.opens();
    trace.sends_connect(|connect| assert_eq!((connect.version, connect.keep_alive), (ProtocolVersion::V5, 7)));
    assert_eq!(trace.is_cut().next_version, Some(ProtocolVersion::V311));
}

#[test]
fn the_rules_of_mqtt_3_1_1_hold_then() {
    // MQTT311-3.1.2-6, MQTT311-3.9.3-2, and 20 messages in flight.
    let options = SessionOptions { session_expiry_interval: 0, in_flight_maximum_v311: 1, ..falling_back() };
    let mut trace = Trace::new(SessionOptions { clean_start: false, ..options });
    trace.asks_in(ProtocolVersion::V5);
    trace.is_cut();
    trace.opens();
    trace.speaks(ProtocolVersion::V311);
    trace.sends_connect(|connect| assert!(connect.clean_start && connect.properties.is_empty()));
    trace.is_accepted();
    trace.subscribe(1, "f");
    trace.takes_packet(|_| ());
    trace.receives_bytes(&[0x90, 3, 0, 1, 0x80]);
    let Event::Subscribed { outcome, .. } = trace.tells() else { panic!("no answer") };
    assert_eq!(outcome.failure, Some(Status::RefusedByServer));
    trace.publish(2, "x", QoS::AtLeastOnce);
    trace.publish(3, "y", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 2));
    trace.sends_nothing();
}
