//! CONNECT and CONNACK (sections 3.1, 3.2).

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::disconnect::Auth;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::{SessionOptions, WillMessage};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

#[test]
fn connect_is_the_first_packet_and_nothing_follows_it_before_connack() {
    // MQTT-3.1.0-1, MQTT-3.1.2-30; section 4.9 lets a client send earlier, but what CONNACK forbids isn't known yet.
    let mut trace = Trace::new(options());
    trace.publish(1, "early", QoS::AtMostOnce);
    trace.publish(2, "early too", QoS::AtLeastOnce);
    trace.subscribe(3, "a/#");
    trace.sends_nothing();
    trace.opens();
    trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), ("c", true)));
    trace.sends_nothing();
    trace.receives(connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()));
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
    trace.sends(publish("early", QoS::AtMostOnce, 0));
    trace.sends(publish("early too", QoS::AtLeastOnce, 2));
}

#[test]
fn connect_carries_what_was_asked_for() {
    // MQTT-3.1.3-1, MQTT-3.1.2-17, MQTT-3.1.2-19, MQTT-3.1.2-9: what a flag announces is there.
    let mut will = PropertiesBuf::new();
    will.set(PropertyId::WillDelayInterval, Value::Int(7)).unwrap();
    let mut user_properties = PropertiesBuf::new();
    for value in ["1", "2"] {
        // Section 3.1.2.11.8: a name may stand more than once, and the order is kept.
        user_properties.add(PropertyId::UserProperty, Value::Pair("name", value)).unwrap();
    }
    let mut trace = Trace::new(SessionOptions {
        user_properties,
        user_name: Some("user".to_owned()),
        password: Some(vec![0, 1, 2].into()),
        will: Some(WillMessage { message: message("gone", QoS::AtLeastOnce, true), properties: will }),
        keep_alive: 45,
        session_expiry_interval: 60,
        receive_maximum: 17,
        maximum_packet_size: 4096,
        request_problem_information: false,
        request_response_information: true,
        ..options()
    });
    trace.opens();
    trace.sends_connect(|connect| {
        assert_eq!((connect.user_name, connect.password, connect.keep_alive), (Some("user"), Some(&[0, 1, 2][..]), 45));
        let will = connect.will.as_ref().expect("a Will Message");
        assert_eq!(
            (will.topic.as_str(), will.payload, will.qos, will.retain),
            ("t", &b"gone"[..], QoS::AtLeastOnce, true)
        );
        assert_eq!(will.properties.int(PropertyId::WillDelayInterval), Some(7));
        let expected = [
            (PropertyId::SessionExpiryInterval, 60),
            (PropertyId::ReceiveMaximum, 17),
            (PropertyId::MaximumPacketSize, 4096),
            (PropertyId::RequestProblemInformation, 0),
            (PropertyId::RequestResponseInformation, 1),
        ];
        for (id, value) in expected {
            assert_eq!(connect.properties.int(id), Some(value), "{}", id.name());
        }
        let pairs = |index| connect.properties.nth(PropertyId::UserProperty, index);
        assert_eq!([pairs(0), pairs(1)], [Some(Value::Pair("name", "1")), Some(Value::Pair("name", "2"))]);
    });
}

#[test]
fn connect_leaves_out_what_was_not_asked_for() {
    // MQTT-3.1.2-16, MQTT-3.1.2-18, MQTT-3.1.2-11, MQTT-3.1.2-13
    let mut trace = Trace::new(SessionOptions { session_expiry_interval: 0, ..options() });
    trace.opens();
    trace.sends_connect(|connect| {
        assert_eq!((connect.user_name, connect.password), (None, None));
        assert!(connect.will.is_none());
        assert_eq!(connect.properties.int(PropertyId::SessionExpiryInterval), None);
    });
}

#[test]
fn reconnects_resume_the_session() {
    // MQTT-3.1.2-5, MQTT-3.1.3-2: the same Client Identifier, without Clean Start.
    let mut trace = Trace::connected(options());
    for _ in 0..2 {
        trace.loses_connection();
        trace.opens();
        trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), ("c", false)));
        trace.receives(connack(true, ReasonCode::SUCCESS, &PropertiesBuf::new()));
        assert!(matches!(trace.tells(), Event::Connected { session_present: true, .. }));
    }
}

#[test]
fn clean_start_stays_until_a_connection_was_accepted() {
    // MQTT-3.1.2-4: what an earlier run left at the Server is not wanted.
    let mut trace = Trace::new(options());
    for _ in 0..2 {
        trace.opens();
        trace.sends_connect(|connect| assert!(connect.clean_start));
        trace.loses_connection();
    }
}

#[test]
fn an_assigned_client_identifier_is_kept_for_reconnects() {
    // MQTT-3.1.3-7, MQTT-3.2.2-16, MQTT-3.1.3-2
    let mut trace = Trace::new(SessionOptions { client_id: String::new(), ..options() });
    trace.connects(false, &[(PropertyId::AssignedClientIdentifier, Value::Text("auto-1"))]);
    assert_eq!(trace.session.client_id(), "auto-1");
    trace.loses_connection();
    trace.opens();
    trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), ("auto-1", false)));
}

#[test]
fn an_assigned_client_identifier_that_its_server_refuses_is_given_up_with_its_session() {
    // MQTT-3.1.3-7, MQTT-3.2.2-16: AWS IoT Core assigns identifiers that begin with $GEN/, and refuses them on the next connection.
    let assigned = |name| [(PropertyId::AssignedClientIdentifier, Value::Text(name))];
    let mut trace = Trace::new(SessionOptions { client_id: String::new(), ..options() });
    trace.connects(false, &assigned("$GEN/1"));
    trace.subscribe(1, "f");
    trace.takes_packet(|_| ());
    trace.receives(suback(1, ReasonCode::SUCCESS));
    trace.tells();
    trace.publish(2, "once more", QoS::AtLeastOnce);
    trace.publish(3, "in doubt", QoS::ExactlyOnce);
    trace.takes_packet(|_| ());
    trace.takes_packet(|_| ());
    trace.loses_connection();
    trace.opens();
    trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), ("$GEN/1", false)));
    trace.receives_bytes(b"\x20\x03\0\x85\0");
    assert_eq!(trace.tells_published(3).failure, Some(Status::SessionLost));
    let end = trace.closes();
    assert_eq!(end.reason, Some(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID));
    assert!(end.detail.contains("asks for another one"), "{}", end.detail);
    trace.opens();
    trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), ("", true)));
    trace.receives(connack(false, ReasonCode::SUCCESS, &set(&assigned("$GEN/2"))));
    trace.tells();
    assert_eq!(trace.session.client_id(), "$GEN/2");
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_)), "{packet:?}"));
    assert_eq!(trace.sends_payloads(), ["once more"]);

    // Another refusal, or that of the program's own, changes nothing.
    for (client_id, reason) in [("", 0x87), ("own", 0x85)] {
        let mut trace = Trace::new(SessionOptions { client_id: client_id.to_owned(), ..options() });
        trace.connects(false, &assigned("auto"));
        trace.loses_connection();
        trace.opens();
        trace.sends_connect(|_| ());
        trace.receives_bytes(&[0x20, 3, 0, reason, 0]);
        trace.closes();
        trace.opens();
        let kept = if client_id.is_empty() { "auto" } else { client_id };
        trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), (kept, false)));
    }
}

#[test]
fn a_client_identifier_that_is_not_asked_for_is_not_taken() {
    // Section 3.2.2.3.7, MQTT-3.1.3-2: it is for a CONNECT that had none. Under another one the next connection would find neither
    // the Session nor the subscriptions.
    for client_id in ["", "c"] {
        let ours = if client_id.is_empty() { "auto-1" } else { client_id };
        let assigned = |name| [(PropertyId::AssignedClientIdentifier, Value::Text(name))];
        let mut trace = Trace::new(SessionOptions { client_id: client_id.to_owned(), ..options() });
        trace.connects(false, &assigned("auto-1"));
        assert_eq!(trace.session.client_id(), ours);
        trace.loses_connection();
        trace.opens();
        trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), (ours, false)));
        trace.receives(connack(true, ReasonCode::SUCCESS, &set(&assigned("auto-2"))));
        match trace.tells() {
            Event::Connected { assigned_client_id, .. } => assert_eq!(assigned_client_id, None),
            other => panic!("{other:?} before the connection"),
        }
        assert_eq!(trace.session.client_id(), ours);
    }
}

#[test]
fn a_session_that_was_not_asked_for_is_refused() {
    // MQTT-3.2.2-2, MQTT-3.2.2-4
    let mut trace = Trace::new(options());
    trace.opens();
    trace.sends_connect(|_| ());
    trace.receives(connack(true, ReasonCode::SUCCESS, &PropertiesBuf::new()));
    let end = trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    assert_eq!(end.failure, Some(Status::ProtocolError));
    assert!(end.detail.contains("Session Present"), "{}", end.detail);
}

#[test]
fn a_refusal_ends_the_connection_and_says_why() {
    // MQTT-4.13.2-1, MQTT-3.2.2-7: the connection is closed on our side too, and nothing is sent any more.
    let mut trace = Trace::new(options());
    trace.publish(1, "kept", QoS::AtLeastOnce);
    trace.opens();
    trace.sends_connect(|_| ());
    let properties = set(&[(PropertyId::ReasonString, Value::Text("maintenance until noon"))]);
    trace.receives(connack(false, ReasonCode::SERVER_UNAVAILABLE, &properties));
    let end = trace.closes();
    assert_eq!((end.failure, end.reason), (Some(Status::RefusedByServer), Some(ReasonCode::SERVER_UNAVAILABLE)));
    assert!(end.detail.contains("maintenance until noon"), "{}", end.detail);
    assert_eq!(end.properties.as_properties().text(PropertyId::ReasonString), Some("maintenance until noon"));
    trace.connects(false, &[]);
    trace.sends(publish("kept", QoS::AtLeastOnce, 1));
}

#[test]
fn the_server_has_the_connect_timeout_for_its_connack() {
    // 5-3.2-a
    let mut trace = Trace::new(options());
    trace.opens();
    trace.sends_connect(|_| ());
    trace.passes(CONNECT_TIMEOUT - Duration::from_millis(1));
    assert!(!trace.session.wants_close());
    trace.passes(Duration::from_millis(1));
    assert_eq!(trace.closes().failure, Some(Status::ConnectTimeout));
}

#[test]
fn nothing_may_come_before_connack() {
    // MQTT-3.2.0-1, MQTT-3.14.0-1: a DISCONNECT is passed over unless strictness is asked for, nothing else is.
    let early =
        [publish("x", QoS::AtMostOnce, 0), Packet::Pingresp, puback(1), pubrel(1), suback(1, ReasonCode::SUCCESS)];
    let mut cases: Vec<_> =
        early.iter().flat_map(|packet| [(options(), packet.clone()), (strict(), packet.clone())]).collect();
    cases.push((strict(), disconnect(ReasonCode::SERVER_BUSY)));
    for (wanted, packet) in cases {
        let mut trace = Trace::new(wanted);
        trace.opens();
        trace.sends_connect(|_| ());
        let name = packet.packet_type().name();
        trace.receives(packet);
        let end = trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
        assert!(end.detail.contains(name), "{}", end.detail);
    }
}

#[test]
fn a_second_connack_ends_the_connection() {
    // MQTT-3.2.0-2
    let mut trace = Trace::connected(options());
    trace.receives(connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn what_only_a_client_may_send_ends_the_connection() {
    // MQTT-3.1.0-2 is the same rule for the other side; section 4.13.
    let connect = [0x10, 0x0D, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 30, 0, 0, 0];
    let subscribe = [0x82, 0x07, 0, 1, 0, 0, 1, b'a', 0];
    let unsubscribe = [0xA2, 0x06, 0, 1, 0, 0, 1, b'a'];
    for bytes in [&connect[..], &subscribe, &unsubscribe, &[0xC0, 0]] {
        let mut trace = Trace::connected(options());
        trace.receives_bytes(bytes);
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    }
}

#[test]
fn properties_of_connack_that_contradict_connect_end_the_connection() {
    // MQTT-3.1.2-28, MQTT-4.12.0-6
    for (wanted, id, value) in [
        (strict(), PropertyId::ResponseInformation, Value::Text("replies/")),
        (strict(), PropertyId::AuthenticationMethod, Value::Text("SCRAM-SHA-256")),
        (options(), PropertyId::AuthenticationMethod, Value::Text("SCRAM-SHA-256")),
    ] {
        let mut trace = Trace::new(wanted);
        trace.opens();
        trace.sends_connect(|_| ());
        trace.receives(connack(false, ReasonCode::SUCCESS, &set(&[(id, value)])));
        trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    }
}

#[test]
fn auth_without_a_method_in_connect_ends_the_connection() {
    // MQTT-4.12.0-6, MQTT-4.12.0-7, 5-3.15-a: it is not answered with AUTH.
    let mut trace = Trace::connected(options());
    let properties = set(&[(PropertyId::AuthenticationMethod, Value::Text("m"))]);
    let auth = Auth { reason: ReasonCode::CONTINUE_AUTHENTICATION, properties: properties.as_properties() };
    trace.receives(Packet::Auth(auth));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn every_limit_of_connack_is_known() {
    // Section 3.2.2.3
    let trace = Trace::connected_to(
        options(),
        &[
            (PropertyId::ReceiveMaximum, Value::Int(11)),
            (PropertyId::MaximumQoS, Value::Int(1)),
            (PropertyId::RetainAvailable, Value::Int(0)),
            (PropertyId::MaximumPacketSize, Value::Int(999)),
            (PropertyId::TopicAliasMaximum, Value::Int(5)),
            (PropertyId::WildcardSubscriptionAvailable, Value::Int(0)),
            (PropertyId::SubscriptionIdentifierAvailable, Value::Int(0)),
            (PropertyId::SharedSubscriptionAvailable, Value::Int(0)),
            (PropertyId::ServerKeepAlive, Value::Int(77)),
            (PropertyId::SessionExpiryInterval, Value::Int(5)),
        ],
    );
    let limits = trace.session.limits().expect("a connection");
    assert_eq!((limits.receive_maximum, limits.maximum_qos, limits.retain_available), (11, QoS::AtLeastOnce, false));
    assert_eq!((limits.maximum_packet_size, limits.topic_alias_maximum), (999, 5));
    assert!(!limits.wildcard_subscription_available && !limits.subscription_identifier_available);
    assert!(!limits.shared_subscription_available);
    assert_eq!((limits.keep_alive, limits.session_expiry_interval), (77, 5));
}

#[test]
fn limits_end_with_their_connection() {
    let mut trace = Trace::connected_to(options(), &[(PropertyId::MaximumQoS, Value::Int(0))]);
    trace.loses_connection();
    assert!(trace.session.limits().is_none());
    trace.connects(false, &[]);
    assert_eq!(trace.session.limits().unwrap().maximum_qos, QoS::ExactlyOnce);
}

#[test]
fn packets_are_understood_in_whatever_pieces_they_come() {
    // Section 2.1: the stream has no other borders than those of the packets.
    let mut trace = Trace::new(options());
    trace.opens();
    trace.sends_connect(|_| ());
    let mut stream = Vec::new();
    for packet in [
        connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()),
        publish("one", QoS::AtMostOnce, 0),
        publish("two", QoS::AtLeastOnce, 9),
    ] {
        mt5mqtt::codec::encode(&packet, options().version, usize::MAX, &mut stream).unwrap();
    }
    let mut waiting = Vec::new();
    for byte in stream {
        waiting.push(byte);
        let used = trace.session.handle_input(trace.now, &waiting);
        waiting.drain(..used);
    }
    assert!(waiting.is_empty() && matches!(trace.tells(), Event::Connected { .. }));
    trace.tells_message("one");
    let second = trace.tells_message("two");
    trace.acknowledge(second);
    trace.sends(puback(9));
}

#[test]
fn malformed_packets_and_protocol_errors_are_told_apart() {
    // MQTT-1.5.4-1, MQTT-1.5.5-1, MQTT-2.1.3-1, MQTT-3.1.2-24, 5-1.2-a, 5-2.1.3-a, 5-3.1.2.11.4-b, section 4.13: 0x81
    // for what can't be parsed, 0x82 for what is not allowed, 0x95 for what is too large.
    let cases: [(&[u8], ReasonCode, Status); 6] = [
        (&[0x30, 0x05, 0, 1, 0xFF, 0, b'x'], ReasonCode::MALFORMED_PACKET, Status::MalformedPacket),
        (&[0xD0, 0x80, 0x80, 0x80, 0x80, 0x01], ReasonCode::MALFORMED_PACKET, Status::MalformedPacket),
        (&[0xD1, 0x00], ReasonCode::MALFORMED_PACKET, Status::MalformedPacket),
        (&[0x30, 0x03, 0, 0, 0], ReasonCode::PROTOCOL_ERROR, Status::ProtocolError),
        (&[0x30, 0x08, 0, 1, b'a', 4, 1, 0, 1, 0], ReasonCode::PROTOCOL_ERROR, Status::ProtocolError),
        (&[0x30, 0x82, 0x80, 0x40], ReasonCode::PACKET_TOO_LARGE, Status::ProtocolError),
    ];
    for (bytes, reason, status) in cases {
        let mut trace = Trace::connected(options());
        trace.receives_bytes(bytes);
        assert_eq!(trace.breaks_off(reason).failure, Some(status), "{bytes:02X?}");
    }
}

#[test]
fn another_client_identifier_is_another_session() {
    // MQTT-3.1.3-2, MQTT-3.1.2-4
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::ExactlyOnce);
    trace.sends(publish("x", QoS::ExactlyOnce, 1));
    trace.loses_connection();
    trace.session.set_options(SessionOptions { client_id: "other".to_owned(), ..options() });
    assert_eq!(trace.tells_published(1).failure, Some(Status::SessionLost));
    trace.opens();
    trace.sends_connect(|connect| assert_eq!((connect.client_id, connect.clean_start), ("other", true)));
}

#[test]
fn an_empty_set_of_properties_is_said_by_a_zero() {
    // MQTT-2.2.2-1
    let mut trace = Trace::connected(options());
    trace.publish(1, "x", QoS::AtMostOnce);
    assert_eq!(trace.session.output(), [0x30, 5, 0, 1, b't', 0, b'x']);
    trace.sends(publish("x", QoS::AtMostOnce, 0));
    let none: Properties<'_> = Properties::EMPTY;
    assert_eq!(none.as_bytes(), b"");
}

#[test]
fn a_server_that_assigns_no_client_identifier_though_connect_had_none_is_refused() {
    // MQTT-3.1.3-7, MQTT-3.2.2-16: there would be no Session to come back to.
    let mut trace = Trace::new(SessionOptions { client_id: String::new(), ..options() });
    trace.opens();
    trace.sends_connect(|connect| assert_eq!(connect.client_id, ""));
    trace.receives(connack(false, ReasonCode::SUCCESS, &PropertiesBuf::new()));
    let end = trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    assert!(end.detail.contains("Assigned Client Identifier"), "{}", end.detail);
}

#[test]
fn limits_that_connack_leaves_out_are_those_of_the_standard() {
    // 5-3.2.2.3.3-a and the other properties of section 3.2.2.3
    let trace = Trace::connected(options());
    let limits = trace.session.limits().expect("a connection");
    assert_eq!((limits.receive_maximum, limits.maximum_qos, limits.retain_available), (65_535, QoS::ExactlyOnce, true));
    assert_eq!((limits.maximum_packet_size, limits.topic_alias_maximum), (268_435_460, 0));
    assert!(limits.wildcard_subscription_available && limits.subscription_identifier_available);
    assert!(limits.shared_subscription_available);
    assert_eq!((limits.keep_alive, limits.session_expiry_interval), (30, 3600));
}

#[test]
fn a_program_that_says_it_has_a_session_gets_it() {
    // MQTT-3.2.2-4: without Clean Start on its first connection the client counts as one that has Session State, an empty one.
    let mut trace = Trace::new(SessionOptions { clean_start: false, ..options() });
    trace.opens();
    trace.sends_connect(|connect| assert!(!connect.clean_start));
    trace.receives(connack(true, ReasonCode::SUCCESS, &PropertiesBuf::new()));
    assert!(matches!(trace.tells(), Event::Connected { session_present: true, .. }));
    trace.receives(publish_again("x", QoS::AtLeastOnce, 9));
    trace.tells_message("x");
    trace.stays_connected();
}

#[test]
fn a_connect_that_can_not_be_sent_ends_the_attempt() {
    // Section 1.5.4: no text has more than 65,535 bytes.
    let mut trace = Trace::new(SessionOptions { user_name: Some("x".repeat(65_536)), ..options() });
    trace.opens();
    assert_eq!(trace.closes().failure, Some(Status::InvalidArgument));
}
