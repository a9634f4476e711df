//! What travels from a caller's thread to the one that holds the Session.

use crate::codec::message::Message;
use crate::codec::property::PropertiesBuf;
use crate::codec::subscribe::SubscriptionOptions;
use crate::session::event::{Delivery, Token};
use crate::session::options::{Acknowledgement, OutgoingOverflow, PublishOptions, SessionOptions};
use crate::types::reason::ReasonCode;
use std::time::Instant;
use zeroize::Zeroizing;

/// It may be a password or the like.
pub(super) type AuthenticationData = Zeroizing<Vec<u8>>;

/// What a program asks of its client.
pub(super) enum Command {
    Connect(Box<SessionOptions>),
    /// The limits of the outgoing queue, which hold before the first connection too.
    LimitOutgoing {
        maximum: usize,
        maximum_bytes: usize,
        overflow: OutgoingOverflow,
    },
    Disconnect {
        reason: ReasonCode,
        properties: PropertiesBuf,
    },
    Publish {
        token: Token,
        message: Message,
        how: PublishOptions,
    },
    Request {
        token: Token,
        message: Message,
        deadline: Instant,
    },
    Authenticate {
        step: u64,
        data: Option<AuthenticationData>,
        properties: PropertiesBuf,
    },
    Reauthenticate {
        data: Option<AuthenticationData>,
        properties: PropertiesBuf,
    },
    Subscribe {
        token: Token,
        filter: String,
        options: SubscriptionOptions,
        properties: PropertiesBuf,
    },
    Unsubscribe {
        token: Token,
        filter: String,
        properties: PropertiesBuf,
    },
    /// Nothing waits to be subscribed to before something is published.
    GoOn,
    Acknowledge {
        delivery: Delivery,
        acknowledgement: Acknowledgement,
    },
    /// The program has taken a message that was acknowledged on arrival.
    Taken {
        delivery: Delivery,
    },
    /// The program has heard how a publish ended.
    Heard {
        token: Token,
    },
    /// For tests of the failure handling: panics on the background thread.
    Panic,
}
