//! Enhanced Authentication (section 4.12), by the program and by SCRAM-SHA-256.

use crate::scram_server::ScramServer;
use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::disconnect::Auth;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::authentication::{Authentication, Mechanism};
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::session::scram::Credentials;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{ProtocolVersion, QoS};
use std::time::Duration;

/// The program answers, with the method `m`.
fn by_program() -> SessionOptions {
    let mechanism = Mechanism::Program { data: Some(b"hello".to_vec().into()) };
    SessionOptions { authentication: Some(Authentication { method: "m".to_owned(), mechanism }), ..options() }
}

fn named(method: &str, data: Option<&[u8]>) -> PropertiesBuf {
    let mut properties = set(&[(PropertyId::AuthenticationMethod, Value::Text(method))]);
    if let Some(data) = data {
        properties.set(PropertyId::AuthenticationData, Value::Binary(data)).unwrap();
    }
    properties
}

impl Trace {
    fn receives_auth(&mut self, reason: ReasonCode, method: &str, data: Option<&[u8]>) {
        let properties = named(method, data);
        self.receives(Packet::Auth(Auth { reason, properties: properties.as_properties() }));
    }

    /// The step that the program is told of, and the Authentication Data.
    #[track_caller]
    fn tells_step(&mut self) -> (u64, Vec<u8>) {
        match self.tells() {
            Event::Authenticate { step, properties } => {
                let data = properties.as_properties().binary(PropertyId::AuthenticationData);
                (step, data.unwrap_or_default().to_vec())
            }
            other => panic!("{other:?} instead of a step of the authentication"),
        }
    }

    /// The Authentication Data of the next packet, which is AUTH.
    #[track_caller]
    fn sends_auth(&mut self, reason: ReasonCode, method: &str) -> Option<Vec<u8>> {
        self.takes_packet(|packet| match packet {
            Packet::Auth(auth) => {
                assert_eq!(auth.reason, reason);
                assert_eq!(auth.properties.text(PropertyId::AuthenticationMethod), Some(method));
                auth.properties.binary(PropertyId::AuthenticationData).map(<[u8]>::to_vec)
            }
            other => panic!("{other:?} instead of AUTH"),
        })
    }

    fn is_accepted_with(&mut self, method: &str, data: Option<&[u8]>) {
        self.receives(connack(false, ReasonCode::SUCCESS, &named(method, data)));
    }

    #[track_caller]
    fn is_connected(&mut self) {
        assert!(matches!(self.tells(), Event::Connected { .. }));
    }
}

/// CONNECT is sent.
fn asking(options: SessionOptions) -> Trace {
    let mut trace = Trace::new(options);
    trace.opens();
    trace.sends_connect(|_| ());
    trace
}

/// Connected and authenticated by the program.
fn authenticated() -> Trace {
    let mut trace = asking(by_program());
    trace.is_accepted_with("m", None);
    trace.is_connected();
    trace
}

#[test]
fn connect_names_method_and_data() {
    // Sections 3.1.2.11.9 and 3.1.2.11.10
    let mut trace = Trace::new(by_program());
    trace.opens();
    trace.sends_connect(|connect| {
        assert_eq!(connect.properties.text(PropertyId::AuthenticationMethod), Some("m"));
        assert_eq!(connect.properties.binary(PropertyId::AuthenticationData), Some(&b"hello"[..]));
    });
}

#[test]
fn user_name_and_password_go_with_a_method_of_the_programs() {
    // Section 4.12: a method says itself whether they are used; SCRAM of this library doesn't send them.
    let (user_name, password) = (Some("me".to_owned()), Some(b"secret".to_vec().into()));
    let mut trace = Trace::new(SessionOptions { user_name, password, ..by_program() });
    trace.opens();
    trace
        .sends_connect(|connect| assert_eq!((connect.user_name, connect.password), (Some("me"), Some(&b"secret"[..]))));
}

#[test]
fn an_answer_to_a_step_of_an_earlier_connection_is_none_to_this_one() {
    // Section 4.12: the Server of this connection has asked something else.
    let mut trace = asking(by_program());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", Some(b"1"));
    let (before, _) = trace.tells_step();
    trace.loses_connection();
    trace.opens();
    trace.sends_connect(|_| ());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", Some(b"2"));
    let (step, _) = trace.tells_step();
    trace.session.authenticate(before, Some(b"to 1"), Properties::EMPTY);
    trace.sends_nothing();
    trace.session.authenticate(step, Some(b"to 2"), Properties::EMPTY);
    assert_eq!(trace.sends_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m").as_deref(), Some(&b"to 2"[..]));
}

#[test]
fn any_number_of_steps_leads_to_the_connection() {
    // MQTT-4.12.0-2, MQTT-4.12.0-3, MQTT-3.1.2-30, MQTT-4.12.0-5: nothing but AUTH is sent before CONNACK.
    let mut trace = asking(by_program());
    trace.publish(1, "x", QoS::AtMostOnce);
    trace.subscribe(2, "f");
    for round in [b"1", b"2", b"3"] {
        trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", Some(round));
        let (step, data) = trace.tells_step();
        assert_eq!(data, round);
        trace.sends_nothing();
        trace.session.authenticate(step, Some(b"answer"), Properties::EMPTY);
        let sent = trace.sends_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m");
        assert_eq!(sent.as_deref(), Some(&b"answer"[..]));
        // Once for each step.
        trace.session.authenticate(step, Some(b"answer"), Properties::EMPTY);
        trace.sends_nothing();
    }
    trace.is_accepted_with("m", Some(b"done"));
    match trace.tells() {
        Event::Connected { properties, .. } => {
            let data = properties.as_properties().binary(PropertyId::AuthenticationData).map(<[u8]>::to_vec);
            assert_eq!(data.as_deref(), Some(&b"done"[..]));
        }
        other => panic!("{other:?}"),
    }
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
}

#[test]
fn the_server_may_accept_or_refuse_at_any_point() {
    // MQTT-4.12.0-1, MQTT-4.12.0-4
    authenticated();
    let mut trace = asking(by_program());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", None);
    trace.tells_step();
    trace.receives(connack(false, ReasonCode::BAD_AUTHENTICATION_METHOD, &PropertiesBuf::new()));
    let end = trace.closes();
    assert_eq!((end.failure, end.reason), (Some(Status::RefusedByServer), Some(ReasonCode::BAD_AUTHENTICATION_METHOD)));
}

#[test]
fn another_method_ends_the_connection() {
    // MQTT-4.12.0-5, 5-3.15-a
    let mut trace = asking(by_program());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "other", None);
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    let mut trace = asking(by_program());
    trace.is_accepted_with("other", None);
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    let mut trace = asking(by_program());
    trace.receives(connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn auth_that_has_no_place_ends_the_connection() {
    // MQTT-4.12.0-2, MQTT-3.15.2-1: only 0x18 before CONNACK; after it only as the answer to a re-authentication; 0x19
    // never.
    for reason in [ReasonCode::SUCCESS, ReasonCode::RE_AUTHENTICATE] {
        let mut trace = asking(by_program());
        trace.receives_auth(reason, "m", None);
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    }
    for reason in [ReasonCode::SUCCESS, ReasonCode::CONTINUE_AUTHENTICATION, ReasonCode::RE_AUTHENTICATE] {
        let mut trace = authenticated();
        trace.receives_auth(reason, "m", None);
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    }
    // A second step before the answer to the first, and success before it.
    let mut trace = asking(by_program());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", None);
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", None);
    trace.tells_step();
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    let mut trace = asking(by_program());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", None);
    trace.tells_step();
    trace.is_accepted_with("m", None);
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    let mut trace = authenticated();
    trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
    trace.sends_auth(ReasonCode::RE_AUTHENTICATE, "m");
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", None);
    trace.tells_step();
    trace.receives_auth(ReasonCode::SUCCESS, "m", None);
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn the_connect_timeout_holds_for_all_steps_together() {
    let mut trace = asking(by_program());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", None);
    let (step, _) = trace.tells_step();
    trace.passes(CONNECT_TIMEOUT);
    assert_eq!(trace.closes().failure, Some(Status::ConnectTimeout));
    // The answer comes too late: on the next connection it would be one to another question.
    trace.opens();
    trace.sends_connect(|_| ());
    trace.session.authenticate(step, Some(b"answer"), Properties::EMPTY);
    trace.sends_nothing();
}

#[test]
fn a_reauthentication_goes_on_beside_everything_else() {
    // MQTT-4.12.1-1
    let mut trace = authenticated();
    trace.session.reauthenticate(Some(b"again"), Properties::EMPTY, trace.now);
    let sent = trace.sends_auth(ReasonCode::RE_AUTHENTICATE, "m");
    assert_eq!(sent.as_deref(), Some(&b"again"[..]));
    // One at a time.
    trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
    trace.sends_nothing();
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", Some(b"prove"));
    let (step, _) = trace.tells_step();
    trace.publish(1, "x", QoS::AtMostOnce);
    trace.sends(publish("x", QoS::AtMostOnce, 0));
    trace.session.authenticate(step, None, Properties::EMPTY);
    assert_eq!(trace.sends_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m"), None);
    trace.receives_auth(ReasonCode::SUCCESS, "m", None);
    assert!(matches!(trace.tells(), Event::Authenticated { .. }));
    trace.stays_connected();
    trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
    trace.sends_auth(ReasonCode::RE_AUTHENTICATE, "m");
}

#[test]
fn no_step_of_a_reauthentication_follows_disconnect() {
    // MQTT-3.14.4-1
    let mut trace = authenticated();
    trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
    trace.sends_auth(ReasonCode::RE_AUTHENTICATE, "m");
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, "m", None);
    let (step, _) = trace.tells_step();
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.session.authenticate(step, None, Properties::EMPTY);
    trace.sends(disconnect(ReasonCode::SUCCESS));
    trace.closes();
    let mut trace = authenticated();
    trace.session.disconnect(ReasonCode::SUCCESS, Properties::EMPTY);
    trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
    trace.sends(disconnect(ReasonCode::SUCCESS));
    trace.closes();
}

#[test]
fn a_reauthentication_that_takes_too_long_ends_the_connection() {
    // MQTT-4.12.1-2
    let mut trace = authenticated();
    trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
    trace.sends_auth(ReasonCode::RE_AUTHENTICATE, "m");
    trace.passes(Duration::from_secs(10));
    let end = trace.breaks_off(ReasonCode::UNSPECIFIED_ERROR);
    assert_eq!(end.failure, Some(Status::AuthenticationFailed));
}

#[test]
fn auth_that_is_too_large_leaves_without_its_texts() {
    // MQTT-3.15.2-2, MQTT-3.15.2-3
    let texts = set(&[
        (PropertyId::ReasonString, Value::Text("the token is old")),
        (PropertyId::UserProperty, Value::Pair("by", "the program")),
    ]);
    for (maximum, whole) in [(100, true), (30, false)] {
        let mut trace = asking(by_program());
        let mut properties = named("m", None);
        properties.set(PropertyId::MaximumPacketSize, Value::Int(maximum)).unwrap();
        trace.receives(connack(false, ReasonCode::SUCCESS, &properties));
        trace.is_connected();
        trace.session.reauthenticate(Some(b"again"), texts.as_properties(), trace.now);
        let mut expected = named("m", Some(b"again"));
        if whole {
            expected.extend(texts.as_properties());
        }
        let properties = expected.as_properties();
        trace.sends(Packet::Auth(Auth { reason: ReasonCode::RE_AUTHENTICATE, properties }));
        trace.stays_connected();
    }
}

#[test]
fn auth_that_is_too_large_without_its_texts_too_ends_the_connection() {
    // MQTT-3.2.2-15: it can't be sent, and the Server would wait for it.
    let mut trace = asking(by_program());
    let mut properties = named("m", None);
    properties.set(PropertyId::MaximumPacketSize, Value::Int(30)).unwrap();
    trace.receives(connack(false, ReasonCode::SUCCESS, &properties));
    trace.is_connected();
    trace.session.reauthenticate(Some(&[0; 30]), Properties::EMPTY, trace.now);
    assert_eq!(trace.breaks_off(ReasonCode::UNSPECIFIED_ERROR).failure, Some(Status::AuthenticationFailed));
}

#[test]
fn mqtt_3_1_1_has_none() {
    let mut trace = Trace::connected(SessionOptions { version: ProtocolVersion::V311, ..by_program() });
    trace.session.reauthenticate(Some(b"again"), Properties::EMPTY, trace.now);
    trace.sends_nothing();
    trace.stays_connected();
}

#[test]
fn without_a_method_in_connect_there_is_no_reauthentication() {
    // MQTT-4.12.0-7
    let mut trace = Trace::connected(options());
    trace.session.reauthenticate(None, Properties::EMPTY, trace.now);
    trace.sends_nothing();
}

// SCRAM-SHA-256, with a Server that knows the password `pencil` of `user`.

fn by_scram() -> SessionOptions {
    let mechanism = Mechanism::Scram(Credentials::new("user", b"pencil").unwrap());
    SessionOptions {
        authentication: Some(Authentication { method: "SCRAM-SHA-256".to_owned(), mechanism }),
        user_name: Some("user".to_owned()),
        password: Some(b"pencil".to_vec().into()),
        ..options()
    }
}

const SCRAM: &str = "SCRAM-SHA-256";

/// As far as the Server's last word. Returns what that has to be.
fn nearly_accepted() -> (Trace, String, Vec<u8>) {
    let mut trace = Trace::new(by_scram());
    trace.opens();
    let mut first = Vec::new();
    trace.sends_connect(|connect| {
        // The password must not travel beside its proof.
        assert_eq!((connect.user_name, connect.password), (None, None));
        first = connect.properties.binary(PropertyId::AuthenticationData).unwrap().to_vec();
    });
    let server = ScramServer::new(&first);
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, SCRAM, Some(server.first.as_bytes()));
    trace.tells_nothing();
    let last = trace.sends_auth(ReasonCode::CONTINUE_AUTHENTICATION, SCRAM).unwrap();
    let proof = server.last(&last);
    (trace, proof, first)
}

#[test]
fn scram_proves_both_sides() {
    // MQTT-4.12.0-3: RFC 7677, MQTT-4.12.0-5
    let (mut trace, proof, first) = nearly_accepted();
    trace.is_accepted_with(SCRAM, Some(proof.as_bytes()));
    trace.is_connected();
    // The next connection has another nonce.
    trace.loses_connection();
    trace.opens();
    trace.sends_connect(|connect| {
        assert_ne!(connect.properties.binary(PropertyId::AuthenticationData), Some(&first[..]));
    });
}

#[test]
fn a_server_that_cannot_prove_itself_is_not_trusted() {
    for proof in [Some(&b"v=AAAA"[..]), None] {
        let (mut trace, ..) = nearly_accepted();
        trace.publish(1, "secret", QoS::AtMostOnce);
        trace.is_accepted_with(SCRAM, proof);
        let end = trace.breaks_off(ReasonCode::UNSPECIFIED_ERROR);
        assert_eq!(end.failure, Some(Status::AuthenticationFailed));
        trace.tells_nothing();
    }
    // One that accepts without having asked for a proof.
    let mut trace = asking(by_scram());
    trace.is_accepted_with(SCRAM, None);
    assert_eq!(trace.breaks_off(ReasonCode::UNSPECIFIED_ERROR).failure, Some(Status::AuthenticationFailed));
    // And one whose first message is nonsense.
    let mut trace = asking(by_scram());
    trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, SCRAM, Some(b"r=x,s=,i=1"));
    assert_eq!(trace.breaks_off(ReasonCode::UNSPECIFIED_ERROR).failure, Some(Status::AuthenticationFailed));
}

#[test]
fn scram_serves_a_reauthentication_too() {
    // MQTT-4.12.1-1, MQTT-4.12.1-2
    let (mut trace, proof, first) = nearly_accepted();
    trace.is_accepted_with(SCRAM, Some(proof.as_bytes()));
    trace.is_connected();
    let mut firsts = vec![first];
    for honest in [true, false] {
        // What the program gives along is not SCRAM's.
        trace.session.reauthenticate(Some(b"data"), Properties::EMPTY, trace.now);
        let first = trace.sends_auth(ReasonCode::RE_AUTHENTICATE, SCRAM).unwrap();
        assert!(!firsts.contains(&first), "each run has a nonce of its own");
        firsts.push(first.clone());
        let server = ScramServer::new(&first);
        trace.receives_auth(ReasonCode::CONTINUE_AUTHENTICATION, SCRAM, Some(server.first.as_bytes()));
        let last = trace.sends_auth(ReasonCode::CONTINUE_AUTHENTICATION, SCRAM).unwrap();
        let proof = if honest { server.last(&last) } else { "v=AAAA".to_owned() };
        trace.receives_auth(ReasonCode::SUCCESS, SCRAM, Some(proof.as_bytes()));
        if honest {
            assert!(matches!(trace.tells(), Event::Authenticated { .. }));
        } else {
            assert_eq!(trace.breaks_off(ReasonCode::UNSPECIFIED_ERROR).failure, Some(Status::AuthenticationFailed));
        }
    }
}
