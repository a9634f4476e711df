//! The statuses of this library: why a call or an accepted operation failed. Frozen and append-only, as programs in the
//! field compare the numbers.
//!
//! MQTT Reason Codes are not among them: what the Server said travels beside a status, never inside it.

use std::fmt;

/// Makes the enum, its numbers and its texts from the same rows.
macro_rules! statuses {
    ($($variant:ident = $code:literal, $text:literal;)*) => {
        /// A failure, with the number that crosses the C ABI.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum Status { $(#[doc = $text] $variant = $code,)* }

        impl Status {
            pub const ALL: &'static [Status] = &[$(Status::$variant,)*];

            pub fn from_code(code: i32) -> Option<Status> {
                Status::ALL.iter().copied().find(|status| *status as i32 == code)
            }

            /// One sentence for people: what it means and, where that helps, what to do.
            pub const fn text(self) -> &'static str {
                match self { $(Status::$variant => $text,)* }
            }
        }
    };
}

statuses! {
    InvalidHandle = -1, "The handle doesn't exist, or was freed already.";
    InvalidArgument = -2, "An argument is missing or has a value that this function doesn't know.";
    InvalidText = -3, "The text is not well-formed Unicode, or it holds the character U+0000.";
    InvalidTopic = -4, "The Topic Name or Topic Filter breaks the rules of MQTT.";
    OutOfRange = -5, "The value lies outside the range of this option or property.";
    WrongType = -6, "The option or property takes a value of another type.";
    WrongState = -7, "The call isn't possible in the client's present state.";
    StructSize = -8, "struct_size is not set to the size of the struct: the caller was built for another ABI.";
    NoEvent = -9, "There is no current event: call poll first.";
    NotPresent = -10, "The current event has no such property, or the value isn't known yet.";
    UnknownToken = -11, "No message waits for an acknowledgement with this token.";
    QueueFull = -20, "The outgoing queue is full: nothing was accepted.";
    TooLarge = -21, "The message is larger than the Server or the standard allows.";
    NotSupportedByServer = -22, "The Server announced that it doesn't support this.";
    NotConnected = -23, "There is no connection to the Server at the moment.";
    Dropped = -24, "The accepted message was dropped to make room for newer ones.";
    Timeout = -25, "There was no answer in time.";
    PayloadFormat = -26, "The payload is not UTF-8, though its Payload Format Indicator says so.";
    Expired = -29, "The message waited longer than its time to live or its Message Expiry Interval, and was dropped.";
    Superseded = -30, "A newer message with the same conflation key took the place of this one before it was sent.";
    Cancelled = -31, "The program withdrew the message before it was sent.";
    Resolve = -40, "The host name of the Server could not be resolved.";
    ConnectFailed = -41, "No address of the Server accepted the connection.";
    ConnectTimeout = -42, "The Server didn't answer within the connect timeout.";
    ConnectionClosed = -43, "The Server closed the connection without giving a reason.";
    Network = -44, "Reading from or writing to the network failed.";
    KeepAliveTimeout = -45, "The Server didn't answer a PINGREQ in time: the connection is dead.";
    TlsCertificate = -46, "The Server's certificate was not accepted: the event's text says why.";
    TlsClientCertificate = -47, "The Server wants a client certificate, or refuses the one that it got.";
    Tls = -48, "TLS with the Server failed: the event's text says why.";
    WrongProtocol = -49, "What answers there speaks another protocol than the URL says.";
    Proxy = -50, "The proxy can't be used, refused, or could not reach the Server.";
    WebSocket = -51, "The Server refused the WebSocket, or broke its protocol.";
    TlsSetup = -52, "The TLS options can't be used: a file is missing or damaged, or key and certificate don't belong together.";
    RefusedByServer = -60, "The Server refused: see the Reason Code.";
    MalformedPacket = -61, "The Server sent a packet that can't be parsed.";
    ProtocolError = -62, "The Server broke the protocol.";
    ServerDisconnected = -63, "The Server ended the connection: see the Reason Code.";
    SessionLost = -64, "The Server lost the Session, or doesn't take again what it was sent: whether this message arrived can't be known.";
    AuthenticationFailed = -65, "The authentication failed: one side could not prove itself in time.";
    Thread = -80, "The background thread could not be started.";
    StoreNotOpened = -81, "The store could not be opened or made: see the text.";
    StoreInUse = -82, "The store is in use by another client or process.";
    StoreDamaged = -83, "The store is damaged. Nothing was changed; move it away to start anew.";
    StoreNewer = -84, "The store was written by a newer version of this library.";
    StoreOfAnother = -85, "The store belongs to another Client Identifier or Server.";
    StoreNotWritten = -86, "The store can't be written, perhaps because the disk is full. It is tried again.";
    Panic = -90, "A fault inside the library: this client has failed for good and can only be freed.";
    LeftLocked = -120, "A thread was ended in the middle of a call of this client and left it locked: it can only be freed, and what it holds stays until the process ends.";
    SharedDiffers = -160, "The programs on a shared connection don't agree on this: the text names it.";
    SharedTakenOver = -161, "Another program has connected with the same shared connection and the same name of an inbox.";
    SharedMissed = -162, "The program didn't take its messages for so long that others would have had to wait: it has missed some.";
}

/// Why something failed: the status for programs, and a text for people that names the thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: Status,
    pub text: String,
}

impl Status {
    /// `Status::TooLarge.because("the message has 9 bytes, the limit is 8")`
    pub fn because(self, text: impl Into<String>) -> Failure {
        Failure { status: self, text: text.into() }
    }
}

/// A failure of which nothing more can be said than what its status means.
impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        status.because(status.text())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_negative_and_stands_once() {
        for (index, status) in Status::ALL.iter().enumerate() {
            assert!((*status as i32) < 0);
            assert_eq!(Status::ALL.iter().position(|other| *other as i32 == *status as i32), Some(index));
            assert_eq!(Status::from_code(*status as i32), Some(*status));
        }
    }
}
