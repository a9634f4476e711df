//! What a Session is told before it connects. Defaults are not here: `client::options` has them all.

use super::authentication::Authentication;
use crate::codec::message::Message;
use crate::codec::property::PropertiesBuf;
use crate::types::ProtocolVersion;
use crate::types::reason::ReasonCode;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

#[derive(Clone)]
pub struct SessionOptions {
    pub version: ProtocolVersion,
    /// Whether MQTT 3.1.1 is tried with a Server that doesn't speak MQTT 5.0.
    pub fall_back_to_v311: bool,
    /// Empty asks the Server to assign one.
    pub client_id: String,
    /// For the first connection. Later ones resume the Session.
    pub clean_start: bool,
    /// Seconds; 0xFFFF_FFFF never expires.
    pub session_expiry_interval: u32,
    /// Seconds; 0 is off. The Server may overrule it.
    pub keep_alive: u16,
    /// QoS 1 and 2 messages that the Server may have unacknowledged towards us, 1 to 65,535.
    pub receive_maximum: u16,
    /// Largest packet in bytes that we accept.
    pub maximum_packet_size: u32,
    /// Own limit of unacknowledged QoS 1 and 2 messages towards the Server, beside its Receive Maximum.
    pub in_flight_maximum: u16,
    /// The same for MQTT 3.1.1, in which a Server can't announce a Receive Maximum.
    pub in_flight_maximum_v311: u16,
    /// The highest Topic Alias that the Server may use towards us; 0 allows none.
    pub topic_alias_maximum: u16,
    /// Own limit of Topic Aliases towards the Server, beside its Topic Alias Maximum; 0 uses none.
    pub outgoing_topic_alias_maximum: u16,
    pub request_problem_information: bool,
    pub request_response_information: bool,
    /// User Properties of CONNECT (section 3.1.2.11.8), and nothing else.
    pub user_properties: PropertiesBuf,
    /// Where responses to requests are to be sent; empty for one that no other client uses.
    pub response_topic: String,
    /// Random bytes of the client's, to tell the requests of one Session from those of another.
    pub seed: [u8; 32],
    /// Enhanced Authentication.
    pub authentication: Option<Authentication>,
    /// How long a re-authentication may take.
    pub authentication_timeout: Duration,
    pub user_name: Option<String>,
    pub password: Option<Zeroizing<Vec<u8>>>,
    pub will: Option<WillMessage>,
    pub acknowledge: Acknowledge,
    pub payload_format_check: PayloadFormatCheck,
    /// Whether harmless faults of the Server (`breaches`) end the connection too.
    pub strict: bool,
    /// How long the Server may stay silent after a PINGREQ.
    pub ping_timeout: Duration,
    /// How long a Server that answers PINGREQ may leave something else unanswered; 0 is for ever.
    pub answer_timeout: Duration,
    /// Accepted, unfinished publishes above which `overflow` applies.
    pub outgoing_maximum: usize,
    /// As `outgoing_maximum`, in bytes of topic, properties and payload.
    pub outgoing_maximum_bytes: usize,
    pub outgoing_overflow: OutgoingOverflow,
    /// Whether and how repeated messages are recognised by a key of their sender's.
    pub deduplicate: Option<Deduplicate>,
    /// Whether the program is told how far its QoS 1 and 2 publishes are.
    pub progress: bool,
    /// Whether QoS 0 publishes that were sent or superseded end with an event too, for one who has to know whose they are.
    pub every_end: bool,
    /// Whether a new connection publishes nothing before `Session::go_on`, for one who has to subscribe first.
    pub waits_to_publish: bool,
    /// How much of the send quota is kept for priority messages; at most half of it.
    pub priority_reserve: u16,
}

impl fmt::Debug for SessionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Secrets stay out of every log, so only what identifies the Session is printed.
        f.debug_struct("SessionOptions")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The Will Message. Its properties, Will Delay Interval included, are those of the Will section of CONNECT.
#[derive(Clone, Debug)]
pub struct WillMessage {
    pub message: Message,
    pub properties: PropertiesBuf,
}

/// When the Server gets the PUBACK or PUBREC of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// As soon as it arrives, before the program has it.
    OnArrival,
    /// When the program has taken it.
    WhenTaken,
    /// When the program says so.
    Explicitly,
}

/// What the Server is told about a received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub reason: ReasonCode,
    /// Those of PUBACK or PUBREC, left out if they make the packet too large for the Server. MQTT 3.1.1 has none.
    pub properties: PropertiesBuf,
}

impl From<ReasonCode> for Acknowledgement {
    fn from(reason: ReasonCode) -> Self {
        Acknowledgement { reason, properties: PropertiesBuf::new() }
    }
}

/// What happens when a received payload isn't UTF-8, though its Payload Format Indicator says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadFormatCheck {
    /// Nobody looks.
    Off,
    /// The message is delivered, and the breach reported.
    Report,
    /// The Server is told (Reason Code 0x99), the breach reported, and the message not delivered.
    Refuse,
}

/// What happens to a publish when the outgoing queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutgoingOverflow {
    /// It is not accepted.
    Refuse,
    /// It is accepted, and the oldest message that was not sent yet is dropped; a priority message only if there is no
    /// other.
    DropOldest,
    /// It is accepted, and the newest message that was not sent yet is dropped, which is itself unless it has priority.
    DropNewest,
}

/// How repeated QoS 1 and 2 messages are recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deduplicate {
    pub key: MessageKey,
    /// How many keys are remembered, at least 1.
    pub window: usize,
    /// Whether a message that the program is done with is not handed out again.
    pub suppress: bool,
}

/// What says that two messages are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageKey {
    CorrelationData,
    /// The value of the first User Property of this name.
    UserProperty(String),
}

/// How a publish is treated as long as it waits. The Server hears nothing of this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishOptions {
    /// When it is not sent within that time, it is dropped.
    pub time_to_live: Option<Duration>,
    /// Of waiting messages with the same key only the newest is sent. The client puts the Topic Name for an empty key.
    pub conflation_key: Option<Arc<str>>,
    /// It goes before all that have none.
    pub priority: bool,
}
