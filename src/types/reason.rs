//! Reason Codes (section 2.4): one table with code, name, text and the packets that may carry it.
//!
//! MQTT 3.1.1 return codes are not here: `codec` turns them into the Reason Codes of the same meaning.

use super::PacketType;
use std::fmt;

/// A Reason Code as it travels. Codes that the standard doesn't know can be held, so that they can be reported.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReasonCode(pub u8);

impl ReasonCode {
    /// Whether the code says that something failed (0x80 and above).
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Whether the standard lets a packet of this type carry the code.
    pub fn allowed_in(self, packet: PacketType) -> bool {
        row(self).is_some_and(|row| row.packets & packet.bit() != 0)
    }

    /// Whether it lets a client send the code in a packet of this type: some are the Server's (tables of sections 3.4.2.1,
    /// 3.5.2.1 and 3.14.2.1).
    pub fn client_sends_in(self, packet: PacketType) -> bool {
        let is_servers = match packet {
            PacketType::Puback | PacketType::Pubrec => self == ReasonCode::NO_MATCHING_SUBSCRIBERS,
            PacketType::Disconnect => {
                let is_one = matches!(
                    self,
                    ReasonCode::NOT_AUTHORIZED
                        | ReasonCode::SERVER_BUSY
                        | ReasonCode::SERVER_SHUTTING_DOWN
                        | ReasonCode::KEEP_ALIVE_TIMEOUT
                        | ReasonCode::SESSION_TAKEN_OVER
                        | ReasonCode::TOPIC_FILTER_INVALID
                );
                // From this one on all are.
                is_one || self.0 >= ReasonCode::RETAIN_NOT_SUPPORTED.0
            }
            _ => false,
        };
        self.allowed_in(packet) && !is_servers
    }

    /// The standard's name, for example "Quota exceeded"; "Unknown Reason Code" for a code outside the table.
    pub fn name(self) -> &'static str {
        row(self).map_or("Unknown Reason Code", |row| row.name)
    }

    /// One sentence for people.
    pub fn text(self) -> &'static str {
        row(self).map_or("The Server used a Reason Code that MQTT doesn't define.", |row| row.text)
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} {}", self.0, self.name())
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} {}", self.0, self.name())
    }
}

struct Row {
    code: u8,
    name: &'static str,
    text: &'static str,
    packets: u16,
}

fn row(code: ReasonCode) -> Option<&'static Row> {
    let index = TABLE.binary_search_by_key(&code.0, |row| row.code).ok()?;
    Some(&TABLE[index])
}

const CONNACK: u16 = PacketType::Connack.bit();
const PUBACK: u16 = PacketType::Puback.bit();
const PUBREC: u16 = PacketType::Pubrec.bit();
const PUBREL: u16 = PacketType::Pubrel.bit();
const PUBCOMP: u16 = PacketType::Pubcomp.bit();
const SUBACK: u16 = PacketType::Suback.bit();
const UNSUBACK: u16 = PacketType::Unsuback.bit();
const DISCONNECT: u16 = PacketType::Disconnect.bit();
const AUTH: u16 = PacketType::Auth.bit();

/// Makes the table and a constant for each row, so that code, name and text can't drift apart.
macro_rules! reason_codes {
    ($($constant:ident = $code:literal, $name:literal, $packets:expr, $text:literal;)*) => {
        impl ReasonCode {
            $(#[doc = $text] pub const $constant: ReasonCode = ReasonCode($code);)*
        }

        const TABLE: &[Row] = &[
            $(Row { code: $code, name: $name, text: $text, packets: $packets },)*
        ];
    };
}

reason_codes! {
    SUCCESS = 0x00, "Success", CONNACK | PUBACK | PUBREC | PUBREL | PUBCOMP | SUBACK | UNSUBACK | DISCONNECT | AUTH,
        "Success (in SUBACK: granted QoS 0; in DISCONNECT: normal disconnection).";
    GRANTED_QOS_1 = 0x01, "Granted QoS 1", SUBACK,
        "The subscription is accepted; messages come with at most QoS 1.";
    GRANTED_QOS_2 = 0x02, "Granted QoS 2", SUBACK,
        "The subscription is accepted; messages come with at most QoS 2.";
    DISCONNECT_WITH_WILL = 0x04, "Disconnect with Will Message", DISCONNECT,
        "The client leaves and asks the Server to publish its Will Message all the same.";
    NO_MATCHING_SUBSCRIBERS = 0x10, "No matching subscribers", PUBACK | PUBREC,
        "The message is accepted, but nobody is subscribed to its topic.";
    NO_SUBSCRIPTION_EXISTED = 0x11, "No subscription existed", UNSUBACK,
        "There was no such subscription to remove.";
    CONTINUE_AUTHENTICATION = 0x18, "Continue authentication", AUTH,
        "Authentication goes on with another step.";
    RE_AUTHENTICATE = 0x19, "Re-authenticate", AUTH,
        "The client starts a re-authentication.";
    UNSPECIFIED_ERROR = 0x80, "Unspecified error",
        CONNACK | PUBACK | PUBREC | SUBACK | UNSUBACK | DISCONNECT,
        "The Server failed or refused and doesn't say why.";
    MALFORMED_PACKET = 0x81, "Malformed Packet", CONNACK | DISCONNECT,
        "A packet could not be parsed according to the standard.";
    PROTOCOL_ERROR = 0x82, "Protocol Error", CONNACK | DISCONNECT,
        "A packet was well-formed, but not allowed at that point.";
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83, "Implementation specific error",
        CONNACK | PUBACK | PUBREC | SUBACK | UNSUBACK | DISCONNECT,
        "The packet was valid, but the receiver doesn't accept it.";
    UNSUPPORTED_PROTOCOL_VERSION = 0x84, "Unsupported Protocol Version", CONNACK,
        "The Server doesn't speak this version of MQTT; try the other one.";
    CLIENT_IDENTIFIER_NOT_VALID = 0x85, "Client Identifier not valid", CONNACK,
        "The Server doesn't allow this Client Identifier.";
    BAD_USER_NAME_OR_PASSWORD = 0x86, "Bad User Name or Password", CONNACK,
        "The Server doesn't accept this user name or password.";
    NOT_AUTHORIZED = 0x87, "Not authorized", CONNACK | PUBACK | PUBREC | SUBACK | UNSUBACK | DISCONNECT,
        "The Server doesn't allow this to this user.";
    SERVER_UNAVAILABLE = 0x88, "Server unavailable", CONNACK,
        "The Server is not available at the moment.";
    SERVER_BUSY = 0x89, "Server busy", CONNACK | DISCONNECT,
        "The Server is busy; try again later.";
    BANNED = 0x8A, "Banned", CONNACK,
        "The Server's administrator has banned this client.";
    SERVER_SHUTTING_DOWN = 0x8B, "Server shutting down", DISCONNECT,
        "The Server is shutting down.";
    BAD_AUTHENTICATION_METHOD = 0x8C, "Bad authentication method", CONNACK | DISCONNECT,
        "The authentication method is not supported, or is not the one in use.";
    KEEP_ALIVE_TIMEOUT = 0x8D, "Keep Alive timeout", DISCONNECT,
        "The Server heard nothing for one and a half times the Keep Alive.";
    SESSION_TAKEN_OVER = 0x8E, "Session taken over", DISCONNECT,
        "Another client connected with the same Client Identifier.";
    TOPIC_FILTER_INVALID = 0x8F, "Topic Filter invalid", SUBACK | UNSUBACK | DISCONNECT,
        "The Server doesn't accept this Topic Filter.";
    TOPIC_NAME_INVALID = 0x90, "Topic Name invalid", CONNACK | PUBACK | PUBREC | DISCONNECT,
        "The Server doesn't accept this Topic Name.";
    PACKET_IDENTIFIER_IN_USE = 0x91, "Packet Identifier in use", PUBACK | PUBREC | SUBACK | UNSUBACK,
        "The Packet Identifier is already in use.";
    PACKET_IDENTIFIER_NOT_FOUND = 0x92, "Packet Identifier not found", PUBREL | PUBCOMP,
        "The Packet Identifier is not known, which can happen during recovery.";
    RECEIVE_MAXIMUM_EXCEEDED = 0x93, "Receive Maximum exceeded", DISCONNECT,
        "More messages were sent without waiting for acknowledgements than the receiver allows.";
    TOPIC_ALIAS_INVALID = 0x94, "Topic Alias invalid", DISCONNECT,
        "A Topic Alias was 0 or above the announced maximum.";
    PACKET_TOO_LARGE = 0x95, "Packet too large", CONNACK | DISCONNECT,
        "A packet was larger than the receiver's Maximum Packet Size.";
    MESSAGE_RATE_TOO_HIGH = 0x96, "Message rate too high", DISCONNECT,
        "Messages were sent too fast.";
    QUOTA_EXCEEDED = 0x97, "Quota exceeded", CONNACK | PUBACK | PUBREC | SUBACK | DISCONNECT,
        "A limit set by the Server's administrator is exceeded.";
    ADMINISTRATIVE_ACTION = 0x98, "Administrative action", DISCONNECT,
        "The Server's administrator closed the connection.";
    PAYLOAD_FORMAT_INVALID = 0x99, "Payload format invalid", CONNACK | PUBACK | PUBREC | DISCONNECT,
        "The payload is not what its Payload Format Indicator says.";
    RETAIN_NOT_SUPPORTED = 0x9A, "Retain not supported", CONNACK | DISCONNECT,
        "The Server doesn't keep retained messages.";
    QOS_NOT_SUPPORTED = 0x9B, "QoS not supported", CONNACK | DISCONNECT,
        "The Server doesn't support this QoS.";
    USE_ANOTHER_SERVER = 0x9C, "Use another server", CONNACK | DISCONNECT,
        "The client should use another Server for now.";
    SERVER_MOVED = 0x9D, "Server moved", CONNACK | DISCONNECT,
        "The client should use another Server from now on.";
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E, "Shared Subscriptions not supported", SUBACK | DISCONNECT,
        "The Server doesn't support Shared Subscriptions.";
    CONNECTION_RATE_EXCEEDED = 0x9F, "Connection rate exceeded", CONNACK | DISCONNECT,
        "Connections were made too often.";
    MAXIMUM_CONNECT_TIME = 0xA0, "Maximum connect time", DISCONNECT,
        "The time allowed for this connection is over.";
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1, "Subscription Identifiers not supported", SUBACK | DISCONNECT,
        "The Server doesn't support Subscription Identifiers.";
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2, "Wildcard Subscriptions not supported", SUBACK | DISCONNECT,
        "The Server doesn't support wildcards in Topic Filters.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_a_code_is_found() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(TABLE.len(), 43, "the table of section 2.4 has 43 codes");
    }

    #[test]
    fn a_code_knows_the_packets_that_may_carry_it() {
        assert!(ReasonCode::QUOTA_EXCEEDED.allowed_in(PacketType::Suback));
        assert!(!ReasonCode::GRANTED_QOS_1.allowed_in(PacketType::Puback));
        assert!(!ReasonCode(0x03).allowed_in(PacketType::Suback));
        assert_eq!(ReasonCode(0x03).name(), "Unknown Reason Code");
        assert!(ReasonCode::UNSPECIFIED_ERROR.is_error() && !ReasonCode::RE_AUTHENTICATE.is_error());
    }
}
