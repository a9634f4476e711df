//! What each kind of event becomes in the struct and its texts.

use super::*;
use crate::client::log::Level;
use crate::session::breaches::Breach;
use crate::session::event::{Answer, Disconnected, Outcome, Stage};
use crate::types::QoS;
use crate::types::topic::TopicName;

const FAILED: Status = Status::RefusedByServer;
const REASON: ReasonCode = ReasonCode::NOT_AUTHORIZED;

fn notice(kind: NoticeKind) -> Notice {
    Notice { kind, time_us: 4, dropped: 3 }
}

fn outcome() -> Outcome {
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::ReasonString, crate::codec::property::Value::Text("why")).expect("a Reason String");
    Outcome { failure: Some(FAILED), reason: Some(REASON), properties }
}

/// Retained, sent again, with QoS 2.
fn message() -> Message {
    let topic = TopicName::new("topic").expect("a Topic Name");
    let mut message = Message::new(topic, b"pay", QoS::ExactlyOnce, true, Properties::EMPTY);
    message.dup = true;
    message
}

/// What every event says of itself, and nothing else.
fn plain(kind: i32, token: i64) -> mt5mqtt_event {
    let struct_size = size_of::<mt5mqtt_event>() as i32;
    mt5mqtt_event { struct_size, kind, token, time_us: 4, dropped: 3, reason_code: -1, ..mt5mqtt_event::default() }
}

#[track_caller]
fn becomes(kind: NoticeKind, expected: mt5mqtt_event, text: &str) {
    let notice = notice(kind);
    assert_eq!(parts(&notice).text, text);
    let expected = mt5mqtt_event { text_size: text.len() as i32, ..expected };
    assert_eq!(format!("{:?}", describe(&notice)), format!("{expected:?}"));
}

#[test]
fn messages_and_responses_say_how_they_came() {
    let packet_id = PacketId::new(9);
    let came = |kind, token| mt5mqtt_event {
        topic_size: 5,
        payload_size: 3,
        qos: 2,
        retain: 1,
        dup: 1,
        packet_id: 9,
        ..plain(kind, token)
    };
    for (seen_before, detail) in [(false, 0), (true, MT5MQTT_MESSAGE_SEEN_BEFORE)] {
        let event = Event::Message { message: message(), delivery: Some(7), packet_id, seen_before };
        let expected = mt5mqtt_event { detail, ..came(MT5MQTT_EVENT_MESSAGE, 7) };
        becomes(NoticeKind::Session(event), expected, "");
    }
    let answer = Ok(Answer { message: message(), delivery: Some(7), packet_id });
    becomes(NoticeKind::Session(Event::Response { token: 8, answer }), came(MT5MQTT_EVENT_RESPONSE, 8), "");
}

#[test]
fn ends_have_their_token_status_reason_code_and_words() {
    let ended = |kind, topic_size| mt5mqtt_event {
        status: FAILED as i32,
        reason_code: REASON.0.into(),
        property_count: 1,
        topic_size,
        ..plain(kind, 8)
    };
    let filter = "filter".to_owned();
    let token = 8;
    for (event, expected) in [
        (Event::Published { token, outcome: outcome() }, ended(MT5MQTT_EVENT_PUBLISHED, 0)),
        (Event::Response { token, answer: Err(outcome()) }, ended(MT5MQTT_EVENT_RESPONSE, 0)),
        (Event::Subscribed { token, filter: filter.clone(), outcome: outcome() }, ended(MT5MQTT_EVENT_SUBSCRIBED, 6)),
        (Event::Unsubscribed { token, filter, outcome: outcome() }, ended(MT5MQTT_EVENT_UNSUBSCRIBED, 6)),
    ] {
        becomes(NoticeKind::Session(event), expected, "why");
    }
    // Without words of the Server's, those of the status.
    let outcome = Outcome { failure: Some(Status::Timeout), reason: None, properties: PropertiesBuf::new() };
    let expected = mt5mqtt_event { status: MT5MQTT_E_TIMEOUT, ..plain(MT5MQTT_EVENT_PUBLISHED, 8) };
    becomes(NoticeKind::Session(Event::Published { token, outcome }), expected, Status::Timeout.text());
    let progress = Event::Progress { token, stage: Stage::Sent };
    let expected = mt5mqtt_event { detail: MT5MQTT_STAGE_SENT, ..plain(MT5MQTT_EVENT_PROGRESS, 8) };
    becomes(NoticeKind::Session(progress), expected, "");
}

#[test]
fn a_connection_and_its_end_say_what_they_are() {
    for (session_present, assigned_client_id) in [(true, None), (false, Some("assigned".to_owned()))] {
        let text = assigned_client_id.clone().unwrap_or_default();
        let properties = outcome().properties;
        let event = Event::Connected { session_present, assigned_client_id, properties };
        let expected = mt5mqtt_event {
            reason_code: 0,
            session_present: session_present.into(),
            property_count: 1,
            ..plain(MT5MQTT_EVENT_CONNECTED, 0)
        };
        becomes(NoticeKind::Session(event), expected, &text);
    }
    let end = Disconnected { reason: Some(REASON), ..Disconnected::new(Some(FAILED), "how it ended") };
    let expected =
        mt5mqtt_event { status: FAILED as i32, reason_code: REASON.0.into(), ..plain(MT5MQTT_EVENT_DISCONNECTED, 0) };
    becomes(NoticeKind::Session(Event::Disconnected(end)), expected, "how it ended");
    let properties = PropertiesBuf::new();
    let expected = mt5mqtt_event { reason_code: 0x18, ..plain(MT5MQTT_EVENT_AUTHENTICATE, 0) };
    becomes(NoticeKind::Session(Event::Authenticate { step: 1, properties: properties.clone() }), expected, "");
    let expected = mt5mqtt_event { reason_code: 0, ..plain(MT5MQTT_EVENT_AUTHENTICATED, 0) };
    becomes(NoticeKind::Session(Event::Authenticated { properties }), expected, "");
}

#[test]
fn what_the_library_says_of_itself_has_its_token_and_status() {
    let line = || "line".to_owned();
    let log = NoticeKind::Log { level: Level::Debug, line: line(), text_at: 0 };
    becomes(log, plain(MT5MQTT_EVENT_LOG, 4), "line");
    for (end, token, status) in [(None, 0, 0), (Some(Ok(())), 1, 0), (Some(Err(Status::Tls)), 1, MT5MQTT_E_TLS)] {
        let expected = mt5mqtt_event { status, ..plain(MT5MQTT_EVENT_DOCTOR, token) };
        becomes(NoticeKind::Doctor { line: line(), end }, expected, "line");
    }
    let status = MT5MQTT_E_STORE_NOT_WRITTEN;
    let expected = mt5mqtt_event { status, ..plain(MT5MQTT_EVENT_STORE, 0) };
    becomes(NoticeKind::Store(Some(Status::StoreNotWritten.because("full"))), expected, "full");
    becomes(NoticeKind::Store(None), plain(MT5MQTT_EVENT_STORE, 0), "the store can be written again");
    let expected = mt5mqtt_event { status: MT5MQTT_E_PANIC, ..plain(MT5MQTT_EVENT_FAILED, 0) };
    becomes(NoticeKind::Failed(line()), expected, "line");
    let breach = Breach::ALL[0];
    becomes(NoticeKind::Session(Event::Breach(breach)), plain(MT5MQTT_EVENT_BREACH, 0), breach.text());
}
