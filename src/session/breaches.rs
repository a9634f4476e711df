//! Harmless faults of a Server: the table of what is passed over, counted and reported instead of ending the connection, so
//! that a follower doesn't lose its feed over a cosmetic fault.
//!
//! What could corrupt, lose or double a message is not here: it ends the connection. So does everything here when the
//! program asks for strictness.

use super::event::Event;
use crate::codec::error::{DecodeError, Fault};
use crate::types::reason::ReasonCode;
use std::collections::VecDeque;

/// Makes the enum and the table from the same rows: the rule, what the Server does, and why that is harmless.
macro_rules! breaches {
    ($($variant:ident = $rule:literal, $what:literal, $why:literal;)*) => {
        /// A harmless fault of a Server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Breach { $(#[doc = $what] $variant,)* }

        impl Breach {
            pub const ALL: &'static [Breach] = &[$(Breach::$variant,)*];

            /// The rule of the standard that is broken: its id, or its section.
            pub const fn rule(self) -> &'static str {
                match self { $(Breach::$variant => $rule,)* }
            }

            /// Rule, fault and harmlessness in one sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Breach::$variant => concat!($rule, ": ", $what, "; harmless: ", $why),)* }
            }

            /// What the Server does.
            pub const fn what(self) -> &'static str {
                match self { $(Breach::$variant => $what,)* }
            }
        }
    };
}

breaches! {
    Redelivery = "MQTT-4.4.0-1", "the Server sends a message again within one connection",
        "it is recognised, and handed out once";
    UnknownAcknowledgement = "MQTT-2.2.1-5", "the Server acknowledges a message that isn't in flight",
        "nothing waits for it";
    UnaskedPingresp = "MQTT-3.12.4-1", "the Server sends PINGRESP without a PINGREQ",
        "it says no more than that the Server is there";
    ProblemInformation = "MQTT-3.1.2-29", "the Server explains with a Reason String or User Properties what it was asked not to",
        "they change nothing";
    ResponseInformation = "MQTT-3.1.2-28", "the Server offers Response Information that was not asked for",
        "nobody has to use it";
    SessionExpiryInDisconnect = "MQTT-3.14.2-2", "the Server sends a Session Expiry Interval in DISCONNECT",
        "it is ignored; why the Server ends the connection is worth more";
    DisconnectBeforeConnack = "MQTT-3.14.0-1", "the Server sends DISCONNECT before CONNACK",
        "the connection ends either way, and its Reason Code says why";
    SessionPresentInRefusal = "MQTT-3.2.2-6", "the Server says Session Present while it refuses the connection",
        "the connection ends either way, and no Session is resumed by it";
    PayloadFormat = "section 3.3.2.3.2", "the Server delivers a payload that is not UTF-8, though its Payload Format Indicator says so",
        "the program gets the bytes as they are";
    IdentifierInUse = "MQTT-2.2.1-4", "the Server sends another message under the Packet Identifier of an unfinished one",
        "it is handed out as the new message that it is";
    ResponseTopic = "MQTT-3.3.2-14", "the Server delivers a message whose Response Topic is no Topic Name",
        "it is handed out, and nobody can respond to it";
    ReasonCode = "section 2.4", "the Server sends a Reason Code that the packet can't have",
        "from 0x80 on it says that something failed, below that it succeeded";
    Unsuback = "MQTT311-3.10.4-4", "the Server sends an UNSUBACK with Reason Codes in MQTT 3.1.1",
        "they are understood as in MQTT 5.0";
    Property = "section 2.2.2.2", "the Server sends a property that doesn't belong in the packet",
        "it means nothing there";
    MaximumQoS = "section 3.2.2.3.4", "the Server says a Maximum QoS above 1",
        "it is 2 when nothing is said of it";
    DupOfQoS0 = "MQTT-3.3.1-2", "the Server delivers a QoS 0 message with DUP",
        "it is handed out as a message that comes once";
    TopicName = "MQTT-3.3.2-2", "the Server delivers a message whose Topic Name has wildcards in it",
        "it is handed out under that name, and nobody can publish to it";
    TopicAlias = "MQTT-3.1.2-26", "the Server delivers a message with a Topic Alias above our maximum, and with its Topic Name",
        "the Topic Name says what it is about";
    MaximumPacketSize = "MQTT-3.1.2-24",
        "the Server sends a packet that is larger than our Maximum Packet Size, by no more than its Fixed Header",
        "there is room for it";
    QoS2AsQoS1 = "MQTT-4.3.3-8", "the Server answers a QoS 2 message with PUBACK",
        "it has taken the message, or refused it; but it doesn't keep a message that is sent again from coming twice";
    ReceiveMaximum = "MQTT-3.3.4-9", "the Server sends more unacknowledged messages than our Receive Maximum allows",
        "they are handed out as in MQTT 3.1.1, which has no such limit";
}

impl Breach {
    /// What this fault of a packet is, if the packet can be taken all the same.
    pub(super) fn of(error: &DecodeError) -> Option<Breach> {
        let breach = match error.fault {
            Fault::ReasonCode(_) => Breach::ReasonCode,
            Fault::TrailingBytes => Breach::Unsuback,
            Fault::PropertyNotAllowed(_) => Breach::Property,
            Fault::PropertyValue(_) => Breach::MaximumQoS,
            Fault::DupWithQoS0 => Breach::DupOfQoS0,
            Fault::Topic(_) => Breach::TopicName,
            Fault::TooLarge { .. } => Breach::MaximumPacketSize,
            _ => return None,
        };
        error.leaves_readable().then_some(breach)
    }

    /// The Reason Code to end the connection with, when nothing is passed over.
    pub const fn reason(self) -> ReasonCode {
        match self {
            Breach::PayloadFormat => ReasonCode::PAYLOAD_FORMAT_INVALID,
            Breach::ReceiveMaximum => ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
            Breach::TopicAlias => ReasonCode::TOPIC_ALIAS_INVALID,
            _ => ReasonCode::PROTOCOL_ERROR,
        }
    }
}

/// The breaches of a Session's Servers.
#[derive(Debug)]
pub(super) struct Breaches {
    strict: bool,
    count: u64,
    /// Bit by bit, what this connection's Server was reported for already.
    reported: u32,
}

// One bit for each row.
const _: () = assert!(Breach::ALL.len() <= 32);

impl Breaches {
    pub fn new() -> Self {
        Breaches { strict: false, count: 0, reported: 0 }
    }

    /// A new connection: what its Server does is reported anew.
    pub fn start(&mut self, strict: bool) {
        self.strict = strict;
        self.reported = 0;
    }

    pub fn are_passed_over(&self) -> bool {
        !self.strict
    }

    /// Counts a breach, and reports the first of its kind on this connection. `Err` when the connection is to end for it.
    pub fn pass_over(&mut self, breach: Breach, events: &mut VecDeque<Event>) -> Result<(), Breach> {
        if self.strict {
            return Err(breach);
        }
        self.report(breach, events);
        Ok(())
    }

    /// The same for a breach that needs no passing over, as the connection ends or the message is refused.
    pub fn report(&mut self, breach: Breach, events: &mut VecDeque<Event>) {
        self.count += 1;
        let bit = 1 << breach as u32;
        if self.reported & bit == 0 {
            self.reported |= bit;
            events.push_back(Event::Breach(breach));
        }
    }

    pub fn count(&self) -> u64 {
        self.count
    }
}
