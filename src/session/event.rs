//! What a Session tells the program.

use super::breaches::Breach;
use crate::codec::PacketId;
use crate::codec::message::Message;
use crate::codec::property::{Properties, PropertiesBuf};
use crate::types::ProtocolVersion;
use crate::types::reason::ReasonCode;
use crate::types::status::{Failure, Status};

/// Names an operation that the program asked for; 0 names those of the Session's own.
pub type Token = i64;

/// Names a received QoS 1 or 2 message until it is acknowledged.
pub type Delivery = i64;

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The Server accepted the connection.
    Connected { session_present: bool, assigned_client_id: Option<String>, properties: PropertiesBuf },
    /// The Server did something wrong that harms nobody; told once for each kind on a connection.
    Breach(Breach),
    /// The Server asks for the next step of the authentication, which the program has to take.
    Authenticate { step: u64, properties: PropertiesBuf },
    /// A re-authentication has succeeded.
    Authenticated { properties: PropertiesBuf },
    /// The Network Connection is gone, or could not be made.
    Disconnected(Disconnected),
    /// An Application Message. `delivery` is there for QoS 1 and 2.
    /// `seen_before` says that the program had another message with the same key, or the same one before a crash.
    Message { message: Message, delivery: Option<Delivery>, packet_id: Option<PacketId>, seen_before: bool },
    /// The end of a publish. A QoS 0 publish that was sent makes no event.
    Published { token: Token, outcome: Outcome },
    /// How far a QoS 1 or 2 publish is, if the program wants to know.
    Progress { token: Token, stage: Stage },
    /// The end of a request: the response, or why there is none.
    Response { token: Token, answer: Result<Answer, Outcome> },
    /// The answer to a subscribe, for its one Topic Filter.
    Subscribed { token: Token, filter: String, outcome: Outcome },
    /// The answer to an unsubscribe.
    Unsubscribed { token: Token, filter: String, outcome: Outcome },
}

/// How far a QoS 1 or 2 publish is; the numbers cross the C ABI. The last four are ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Stage {
    Accepted = 1,
    /// It survives a crash of the process and of the machine.
    Durable = 2,
    Sent = 3,
    /// The Server has it (PUBREC of QoS 2; for QoS 1 that is the end).
    Acknowledged = 4,
    Complete = 5,
    Expired = 6,
    /// For want of room, or superseded by a newer one.
    Dropped = 7,
    /// The Server or this library refused it, or the Session was lost.
    Failed = 8,
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub message: Message,
    /// There for QoS 1 and 2.
    pub delivery: Option<Delivery>,
    pub packet_id: Option<PacketId>,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// `None` is success.
    pub failure: Option<Status>,
    /// What the Server said, if it was asked.
    pub reason: Option<ReasonCode>,
    /// The properties of its answer, Reason String and User Properties among them.
    pub properties: PropertiesBuf,
}

impl Outcome {
    pub(super) fn local(failure: Status) -> Self {
        Outcome { failure: Some(failure), reason: None, properties: PropertiesBuf::new() }
    }

    pub(super) fn success() -> Self {
        Outcome { failure: None, reason: None, properties: PropertiesBuf::new() }
    }

    pub(super) fn of(reason: ReasonCode, properties: Properties<'_>) -> Self {
        let failure = reason.is_error().then_some(Status::RefusedByServer);
        Outcome { failure, reason: Some(reason), properties: properties.into() }
    }
}

/// Why a Network Connection ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Disconnected {
    /// `None` when the program asked for it.
    pub failure: Option<Status>,
    /// The Reason Code of the Server's CONNACK or DISCONNECT, or the one that we sent.
    pub reason: Option<ReasonCode>,
    /// What exactly happened, in words.
    pub detail: String,
    /// The next attempt is made in this version of MQTT instead, as this one isn't spoken here.
    pub next_version: Option<ProtocolVersion>,
    /// The properties of the Server's CONNACK or DISCONNECT.
    pub properties: PropertiesBuf,
}

impl Disconnected {
    pub fn new(failure: Option<Status>, detail: impl Into<String>) -> Self {
        Disconnected {
            failure,
            reason: None,
            detail: detail.into(),
            next_version: None,
            properties: PropertiesBuf::new(),
        }
    }
}

impl From<Failure> for Disconnected {
    fn from(failure: Failure) -> Self {
        Disconnected::new(Some(failure.status), failure.text)
    }
}
