//! What happened in the Session, as lines.

use super::Level;
use crate::session::event::{Event, Outcome};
use crate::types::status::Status;

/// An event as a line, and how much it matters.
pub fn describe(event: &Event) -> (Level, String) {
    match event {
        Event::Connected { session_present, assigned_client_id, .. } => {
            let session = if *session_present { "the Server has kept the Session" } else { "a new Session" };
            let assigned = assigned_client_id.as_ref().map(|id| format!(", assigned client id '{id}'"));
            (Level::Info, format!("connected: {session}{}", assigned.unwrap_or_default()))
        }
        Event::Disconnected(end) => {
            let reason = end.reason.map(|reason| format!(" (Reason Code {reason})")).unwrap_or_default();
            let level = if end.failure.is_some() { Level::Warning } else { Level::Info };
            (level, format!("disconnected: {}{reason}", end.detail))
        }
        Event::Message { message, delivery, .. } => {
            let token = delivery.map(|delivery| format!(", token {delivery}")).unwrap_or_default();
            let (topic, size, qos) = (message.topic(), message.payload().len(), message.qos as u8);
            (Level::Debug, format!("message on '{}': {size} bytes, QoS {qos}{token}", topic.as_str()))
        }
        Event::Authenticate { .. } => (Level::Debug, "the Server asks for Authentication Data".to_owned()),
        Event::Authenticated { .. } => (Level::Info, "authenticated anew".to_owned()),
        Event::Breach(breach) => (Level::Warning, format!("a fault of the Server: {}", breach.text())),
        Event::Response { token, answer: Ok(answer) } => {
            let (topic, size) = (answer.message.topic(), answer.message.payload().len());
            (Level::Debug, format!("request {token}: response on '{}', {size} bytes", topic.as_str()))
        }
        Event::Response { token, answer: Err(outcome) } => ended(&format!("request {token}"), outcome),
        Event::Progress { token, stage } => (Level::Debug, format!("publish {token}: {stage:?}")),
        Event::Published { token, outcome } => ended(&format!("publish {token}"), outcome),
        Event::Subscribed { token, filter, outcome } => ended(&format!("subscribe {token} to '{filter}'"), outcome),
        Event::Unsubscribed { token, filter, outcome } => {
            ended(&format!("unsubscribe {token} from '{filter}'"), outcome)
        }
    }
}

fn ended(what: &str, outcome: &Outcome) -> (Level, String) {
    let reason = outcome.reason.map(|reason| format!(" (Reason Code {reason})")).unwrap_or_default();
    match outcome.failure.map(Status::text) {
        None => (Level::Debug, format!("{what}: complete{reason}")),
        Some(why) => (Level::Warning, format!("{what}: failed{reason}: {why}")),
    }
}
