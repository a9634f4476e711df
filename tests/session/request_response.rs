//! Request/Response (section 4.10): the requester's side.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::session::Amount;
use mt5mqtt::session::event::{Event, Token};
use mt5mqtt::session::options::{Acknowledge, Deduplicate, MessageKey, SessionOptions};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

impl Trace {
    fn request(&mut self, token: Token, payload: &str, timeout: Duration) {
        let message = message(payload, QoS::AtMostOnce, false);
        self.session.request(token, message, self.now + timeout, self.now);
    }

    /// The Topic Filter of the next packet, which is SUBSCRIBE.
    #[track_caller]
    fn asks_for(&mut self) -> (String, u16) {
        self.takes_packet(|packet| match packet {
            Packet::Subscribe(subscribe) => {
                (subscribe.subscriptions[0].filter.as_str().to_owned(), subscribe.packet_id.get())
            }
            other => panic!("{other:?} instead of SUBSCRIBE"),
        })
    }

    /// Response Topic, Correlation Data and Message Expiry Interval of the next packet, which is a request.
    #[track_caller]
    fn sends_request(&mut self, payload: &str) -> (String, Vec<u8>, Option<u32>) {
        self.takes_packet(|packet| {
            let Packet::Publish(publish) = packet else { panic!("{packet:?} instead of a request") };
            assert_eq!(publish.payload, payload.as_bytes());
            let properties = publish.properties;
            let topic = properties.text(PropertyId::ResponseTopic).expect("a Response Topic").to_owned();
            let correlation = properties.binary(PropertyId::CorrelationData).expect("Correlation Data").to_vec();
            (topic, correlation, properties.int(PropertyId::MessageExpiryInterval))
        })
    }

    fn receives_response(&mut self, topic: &str, correlation: &[u8], payload: &str, qos: QoS) {
        let properties = set(&[(PropertyId::CorrelationData, Value::Binary(correlation))]);
        let topic = TopicName::new(topic).unwrap();
        let message = Message::new(topic, payload.as_bytes(), qos, false, properties.as_properties());
        let packet_id = if qos == QoS::AtMostOnce { None } else { Some(id(99)) };
        self.receives(Packet::Publish(message.publish(packet_id, false)));
    }

    /// The payload of the next event, which is the response to this request; or why there is none.
    #[track_caller]
    fn tells_response(&mut self, expected: Token) -> Result<String, Status> {
        match self.tells() {
            Event::Response { token, answer } => {
                assert_eq!(token, expected);
                match answer {
                    Ok(answer) => Ok(String::from_utf8(answer.message.payload().to_vec()).unwrap()),
                    Err(outcome) => Err(outcome.failure.expect("a failure")),
                }
            }
            other => panic!("{other:?} instead of a response"),
        }
    }
}

/// Connected, with one request that is on its way.
fn requested(options: SessionOptions) -> (Trace, String, Vec<u8>) {
    let mut trace = Trace::connected(options);
    trace.request(7, "ask", 5 * SECOND);
    let (filter, packet_id) = trace.asks_for();
    trace.sends_nothing();
    trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
    let (topic, correlation, _) = trace.sends_request("ask");
    assert_eq!(topic, filter);
    (trace, topic, correlation)
}

#[test]
fn a_request_waits_for_its_subscription_and_ends_with_its_response() {
    // Section 4.10, MQTT-3.3.2-13, MQTT-3.3.2-14
    let (mut trace, topic, correlation) = requested(options());
    trace.tells_nothing();
    trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
    assert_eq!(trace.tells_response(7), Ok("answer".to_owned()));
    // One answer ends it: another one is a message like any other.
    trace.receives_response(&topic, &correlation, "second", QoS::AtMostOnce);
    trace.tells_message("second");
    assert_eq!(trace.session.outstanding(), Amount::default());
    trace.passes(10 * SECOND);
    trace.tells_nothing();
}

#[test]
fn a_request_that_was_not_sent_can_be_withdrawn() {
    // One that waits for its subscription,
    let mut trace = Trace::connected(SessionOptions { in_flight_maximum: 1, ..options() });
    trace.request(1, "too early", SECOND);
    let (_, packet_id) = trace.asks_for();
    trace.session.cancel(1);
    assert_eq!(trace.tells_response(1), Err(Status::Cancelled));
    trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
    trace.sends_nothing();
    // and one that waits for the send quota; but not what was sent.
    let ask = |trace: &mut Trace, token| {
        let message = message("ask", QoS::AtLeastOnce, false);
        trace.session.request(token, message, trace.now + SECOND, trace.now);
    };
    ask(&mut trace, 2);
    let (topic, correlation, _) = trace.sends_request("ask");
    ask(&mut trace, 3);
    trace.sends_nothing();
    trace.session.cancel(2);
    trace.session.cancel(3);
    assert_eq!(trace.tells_response(3), Err(Status::Cancelled));
    trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
    assert_eq!(trace.tells_response(2), Ok("answer".to_owned()));
    trace.receives(puback(2));
    trace.tells_nothing();
    assert_eq!(trace.session.outstanding(), Amount::default());
    trace.passes(5 * SECOND);
    trace.tells_nothing();
}

#[test]
fn responses_find_their_requests_in_any_order() {
    let (mut trace, topic, first) = requested(options());
    trace.request(8, "more", 5 * SECOND);
    let (_, second, _) = trace.sends_request("more");
    assert_ne!(first, second);
    trace.receives_response(&topic, &second, "2", QoS::AtMostOnce);
    trace.receives_response(&topic, &first, "1", QoS::AtMostOnce);
    assert_eq!(trace.tells_response(8), Ok("2".to_owned()));
    assert_eq!(trace.tells_response(7), Ok("1".to_owned()));
}

#[test]
fn a_request_that_comes_back_to_its_sender_is_no_response() {
    // Section 4.10.1: the response is published on the Response Topic. A client that subscribes to what it asks on gets its
    // own request, Correlation Data and all.
    let (mut trace, topic, correlation) = requested(options());
    trace.receives_response("t", &correlation, "ask", QoS::AtMostOnce);
    trace.tells_message("ask");
    trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
    assert_eq!(trace.tells_response(7), Ok("answer".to_owned()));
}

#[test]
fn a_response_is_no_copy_of_its_request() {
    // Section 4.10: both have the same Correlation Data. A program that is subscribed to the topic of its own requests, and
    // recognises copies by it, would wait for its responses in vain.
    let deduplicate = Some(Deduplicate { key: MessageKey::CorrelationData, window: 10, suppress: true });
    let on_arrival = SessionOptions { deduplicate, acknowledge: Acknowledge::OnArrival, ..options() };
    let (mut trace, topic, correlation) = requested(on_arrival);
    trace.receives_response("t", &correlation, "ask", QoS::AtLeastOnce);
    trace.tells_message("ask");
    trace.receives_response(&topic, &correlation, "answer", QoS::AtLeastOnce);
    assert_eq!(trace.tells_response(7), Ok("answer".to_owned()));
    // The response that comes again is a copy.
    trace.receives_response(&topic, &correlation, "answer", QoS::AtLeastOnce);
    trace.tells_nothing();
}

#[test]
fn another_correlation_is_no_response() {
    let (mut trace, topic, mut correlation) = requested(options());
    // Of a Session before this one, whose tokens were the same.
    assert_ne!(requested(SessionOptions { seed: [8; 32], ..options() }).2, correlation);
    correlation[0] ^= 1;
    for other in [&correlation[..], b"", b"x"] {
        trace.receives_response(&topic, other, "stray", QoS::AtMostOnce);
        trace.tells_message("stray");
    }
    trace.receives(publish("plain", QoS::AtMostOnce, 0));
    trace.tells_message("plain");
}

#[test]
fn a_response_above_qos_0_is_acknowledged_like_a_message() {
    // MQTT-3.3.4-1
    let (mut trace, topic, correlation) = requested(options());
    trace.receives_response(&topic, &correlation, "answer", QoS::AtLeastOnce);
    let Event::Response { answer: Ok(answer), .. } = trace.tells() else { panic!("no response") };
    trace.sends_nothing();
    trace.acknowledge(answer.delivery);
    trace.sends(puback(99));
}

#[test]
fn a_request_that_nobody_answers_ends_at_its_deadline() {
    let (mut trace, topic, correlation) = requested(options());
    trace.passes(5 * SECOND - Duration::from_millis(1));
    trace.tells_nothing();
    trace.passes(Duration::from_millis(1));
    assert_eq!(trace.tells_response(7), Err(Status::Timeout));
    // Too late, but not lost.
    trace.receives_response(&topic, &correlation, "late", QoS::AtMostOnce);
    trace.tells_message("late");
}

#[test]
fn the_deadline_holds_without_a_connection_too_and_nothing_is_sent_after_it() {
    let mut trace = Trace::new(options());
    trace.request(7, "ask", 5 * SECOND);
    assert_eq!(trace.session.outstanding().count, 1);
    assert_eq!(trace.session.next_timeout(), Some(trace.now + 5 * SECOND));
    trace.passes(5 * SECOND);
    assert_eq!(trace.tells_response(7), Err(Status::Timeout));
    assert_eq!(trace.session.outstanding(), Amount::default());
    trace.connects(false, &[]);
    trace.sends_nothing();
}

#[test]
fn a_request_made_offline_is_sent_with_the_time_that_is_left() {
    let mut trace = Trace::new(options());
    trace.request(7, "ask", 5 * SECOND);
    trace.passes(Duration::from_millis(1500));
    trace.connects(false, &[]);
    let (_, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
    // 3.5 s, of which the property can only say the seconds.
    assert_eq!(trace.sends_request("ask").2, Some(4));
}

#[test]
fn a_request_that_waits_for_the_send_quota_is_not_sent_after_its_deadline() {
    // MQTT-4.9.0-2
    let mut trace = Trace::connected_to(options(), &[(PropertyId::ReceiveMaximum, Value::Int(1))]);
    trace.publish(1, "x", QoS::AtLeastOnce);
    trace.sends(publish("x", QoS::AtLeastOnce, 1));
    // Its Message Expiry Interval, in whole seconds, ends later.
    let deadline = SECOND * 3 / 2;
    trace.session.request(7, message("ask", QoS::AtLeastOnce, false), trace.now + deadline, trace.now);
    let (_, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    trace.sends_nothing();
    trace.passes(deadline);
    assert_eq!(trace.tells_response(7), Err(Status::Timeout));
    trace.receives(puback(1));
    trace.completes(1);
    trace.sends_nothing();
    trace.tells_nothing();
    assert_eq!(trace.session.outstanding(), Amount::default());
}

#[test]
fn a_request_that_could_not_be_sent_in_its_time_ends_as_one_that_nobody_answered() {
    // Whichever part of the Session looks at the time first.
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let (mut trace, topic, correlation) = requested(options());
        trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
        assert!(trace.tells_response(7).is_ok());
        trace.session.request(8, message("late", qos, false), trace.now, trace.now);
        trace.sends_nothing();
        assert_eq!(trace.tells_response(8), Err(Status::Timeout));
        trace.session.handle_timeout(trace.now);
        trace.tells_nothing();
        assert_eq!(trace.session.outstanding(), Amount::default());
    }
}

#[test]
fn a_request_that_waits_for_room_in_the_output_ends_once() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let (mut trace, ..) = requested(SessionOptions { keep_alive: 0, ..options() });
        let large = "x".repeat(100_000);
        trace.publish(1, &large, QoS::AtMostOnce);
        trace.session.request(8, message("ask", qos, false), trace.now + SECOND, trace.now);
        trace.passes(SECOND);
        assert_eq!(trace.tells_response(8), Err(Status::Timeout));
        trace.tells_nothing();
        trace.sends(publish(&large, QoS::AtMostOnce, 0));
        trace.sends_nothing();
        assert_eq!(trace.session.outstanding(), Amount::default());
    }
}

#[test]
fn a_request_that_the_program_lets_expire_earlier_says_so() {
    let (mut trace, ..) = requested(SessionOptions { keep_alive: 0, ..options() });
    let large = "x".repeat(100_000);
    trace.publish(1, &large, QoS::AtMostOnce);
    let properties = set(&[(PropertyId::MessageExpiryInterval, Value::Int(1))]);
    let topic = TopicName::new("t").unwrap();
    let message = Message::new(topic, b"ask", QoS::AtMostOnce, false, properties.as_properties());
    trace.session.request(8, message, trace.now + 3 * SECOND, trace.now);
    trace.passes(2 * SECOND);
    assert_eq!(trace.tells_response(8), Err(Status::Expired));
    trace.passes(2 * SECOND);
    trace.tells_nothing();
}

#[test]
fn a_message_expiry_interval_of_the_program_stays() {
    let mut trace = Trace::connected(options());
    let properties = set(&[(PropertyId::MessageExpiryInterval, Value::Int(60))]);
    let topic = TopicName::new("t").unwrap();
    let message = Message::new(topic, b"ask", QoS::AtMostOnce, false, properties.as_properties());
    trace.session.request(7, message, trace.now + SECOND, trace.now);
    let (_, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    assert_eq!(trace.sends_request("ask").2, Some(60));
}

#[test]
fn the_response_topic_is_the_programs_or_the_servers_or_our_own() {
    // Section 4.10.1
    let information = [(PropertyId::ResponseInformation, Value::Text("replies/42/"))];
    let asking = SessionOptions { request_response_information: true, client_id: "a/b+%".to_owned(), ..options() };
    let chosen = SessionOptions { response_topic: "my/replies".to_owned(), ..asking.clone() };
    for (options, properties, expected) in [
        (asking.clone(), &[][..], "mt5mqtt/response/a%2Fb%2B%25"),
        (asking, &information, "replies/42/response"),
        (chosen, &information, "my/replies"),
    ] {
        let mut trace = Trace::connected_to(options, properties);
        trace.request(7, "ask", SECOND);
        assert_eq!(trace.asks_for().0, expected);
    }
}

#[test]
fn whatever_a_server_offers_or_assigns_gives_a_response_topic_that_can_be_subscribed_to() {
    // MQTT-4.8.2-1, MQTT-4.8.2-2 and section 1.5.4: a Topic Name may be no Topic Filter, or a shared one, and text ends at
    // 65,535 bytes.
    let asking = SessionOptions { request_response_information: true, ..options() };
    for offered in ["$share", "$share/group/replies", "$share//"] {
        let information = [(PropertyId::ResponseInformation, Value::Text(offered))];
        let mut trace = Trace::connected_to(asking.clone(), &information);
        trace.request(7, "ask", SECOND);
        assert_eq!(trace.asks_for().0, "mt5mqtt/response/c", "{offered}");
    }
    for character in ["a", "#", "€"] {
        let client_id = character.repeat(65_535 / character.len());
        let assigned = [(PropertyId::AssignedClientIdentifier, Value::Text(&client_id))];
        let mut trace = Trace::connected_to(SessionOptions { client_id: String::new(), ..options() }, &assigned);
        trace.request(7, "ask", SECOND);
        let (topic, packet_id) = trace.asks_for();
        assert!((65_530..=65_535).contains(&topic.len()), "{}", topic.len());
        trace.receives(suback(packet_id, ReasonCode::SUCCESS));
        assert_eq!(trace.sends_request("ask").0, topic);
    }
}

#[test]
fn one_subscription_serves_all_requests_and_survives_with_the_session() {
    let (mut trace, topic, correlation) = requested(options());
    trace.reconnects(true);
    let (filter, packet_id) = trace.asks_for();
    assert_eq!(filter, topic);
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    // The program's own subscription to it does as well.
    trace.subscribe(9, &topic);
    let packet_id = trace.asks_for().1;
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    assert!(matches!(trace.tells(), Event::Subscribed { token: 9, .. }));
    trace.request(8, "more", SECOND);
    trace.sends_request("more");
    // What was asked on the connection before can still be answered.
    trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
    assert_eq!(trace.tells_response(7), Ok("answer".to_owned()));
    // Without the Session it is asked for anew, and waited for.
    trace.reconnects(false);
    trace.request(9, "again", SECOND);
    let (filter, packet_id) = trace.asks_for();
    assert_eq!(filter, topic);
    trace.sends_nothing();
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    trace.sends_request("again");
}

#[test]
fn a_response_comes_to_the_topic_that_its_request_named() {
    // Section 4.10: the Server may offer other Response Information on the next connection.
    let asking = SessionOptions { request_response_information: true, ..options() };
    let mut trace = Trace::connected_to(asking, &[(PropertyId::ResponseInformation, Value::Text("one"))]);
    trace.request(7, "ask", SECOND);
    let (_, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    let (topic, correlation, _) = trace.sends_request("ask");
    trace.loses_connection();
    trace.connects(true, &[(PropertyId::ResponseInformation, Value::Text("two"))]);
    assert_eq!(trace.asks_for().0, "one/response");
    trace.receives_response("two/response", &correlation, "not here", QoS::AtMostOnce);
    trace.tells_message("not here");
    trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
    assert_eq!(trace.tells_response(7), Ok("answer".to_owned()));
    // The next one asks for the new one.
    trace.request(8, "ask", SECOND);
    assert_eq!(trace.asks_for().0, "two/response");
    trace.tells_nothing();
}

#[test]
fn a_refused_subscription_ends_the_requests_and_the_next_one_asks_again() {
    let mut trace = Trace::connected(options());
    trace.request(7, "ask", SECOND);
    trace.request(8, "ask", SECOND);
    let (_, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::NOT_AUTHORIZED));
    let Event::Subscribed { token: 0, outcome, .. } = trace.tells() else { panic!("nothing of the refusal") };
    assert_eq!(outcome.reason, Some(ReasonCode::NOT_AUTHORIZED));
    assert_eq!(trace.tells_response(7), Err(Status::RefusedByServer));
    assert_eq!(trace.tells_response(8), Err(Status::RefusedByServer));
    trace.sends_nothing();
    trace.request(9, "ask", SECOND);
    trace.asks_for();
}

#[test]
fn a_request_that_the_server_refuses_ends_with_that() {
    // Section 4.13.2: PUBACK with an error.
    let mut trace = Trace::connected(options());
    let message = message("ask", QoS::AtLeastOnce, false);
    trace.session.request(7, message, trace.now + SECOND, trace.now);
    let (_, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    trace.sends_request("ask");
    trace.receives(Packet::Puback(mt5mqtt::codec::ack::Ack::new(id(2), ReasonCode::QUOTA_EXCEEDED)));
    assert_eq!(trace.tells_response(7), Err(Status::RefusedByServer));
    trace.passes(2 * SECOND);
    trace.tells_nothing();
}

#[test]
fn that_a_request_was_acknowledged_is_not_its_end() {
    let mut trace = Trace::connected(options());
    let message = message("ask", QoS::AtLeastOnce, false);
    trace.session.request(7, message, trace.now + SECOND, trace.now);
    let (topic, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    let (_, correlation, _) = trace.sends_request("ask");
    // It has grown by its properties.
    let grown = trace.session.requests_grown();
    assert_eq!(
        (trace.session.outstanding(), grown > correlation.len()),
        (Amount { count: 1, bytes: "task".len() + grown }, true)
    );
    trace.receives(puback(2));
    trace.tells_nothing();
    trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
    assert_eq!(trace.tells_response(7), Ok("answer".to_owned()));
}

#[test]
fn nor_is_an_acknowledgement_that_comes_after_the_response() {
    let mut trace = Trace::connected(options());
    let message = message("ask", QoS::AtLeastOnce, false);
    trace.session.request(7, message, trace.now + SECOND, trace.now);
    let (topic, packet_id) = trace.asks_for();
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    let (_, correlation, _) = trace.sends_request("ask");
    trace.receives_response(&topic, &correlation, "answer", QoS::AtMostOnce);
    trace.receives(puback(2));
    assert_eq!(trace.tells_response(7), Ok("answer".to_owned()));
    trace.tells_nothing();
}

#[test]
fn an_unsubscribe_of_the_program_is_made_good_by_the_next_request() {
    // Also when the Server hasn't answered it yet: it ends the subscription all the same.
    for is_answered in [true, false] {
        let (mut trace, topic, _) = requested(options());
        trace.unsubscribe(8, &topic);
        trace.takes_packet(|packet| assert!(matches!(packet, Packet::Unsubscribe(_))));
        if is_answered {
            trace.receives_bytes(&[0xB0, 4, 0, 2, 0, 0]);
            assert!(matches!(trace.tells(), Event::Unsubscribed { token: 8, .. }));
        }
        trace.request(9, "ask", SECOND);
        let (asked_for, packet_id) = trace.asks_for();
        assert_eq!(asked_for, topic);
        trace.sends_nothing();
        trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
        trace.sends_request("ask");
    }
}

#[test]
fn a_subscription_of_the_programs_own_serves_its_requests() {
    let mut trace = Trace::connected(SessionOptions { response_topic: "answers".to_owned(), ..options() });
    for (token, filter) in [(1, "answers"), (2, "other")] {
        trace.subscribe(token, filter);
        let (_, packet_id) = trace.asks_for();
        trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
        assert!(matches!(trace.tells(), Event::Subscribed { .. }));
    }
    // The end of another one changes nothing.
    trace.unsubscribe(3, "other");
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Unsubscribe(_))));
    trace.request(4, "ask", SECOND);
    assert_eq!(trace.sends_request("ask").0, "answers");
}

#[test]
fn mqtt_3_1_1_has_no_requests() {
    let mut trace = Trace::connected(v311());
    trace.request(7, "ask", SECOND);
    assert_eq!(trace.tells_response(7), Err(Status::NotSupportedByServer));
    trace.sends_nothing();
}
