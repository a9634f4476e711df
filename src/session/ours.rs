//! Whether a Server has a Session of ours, as far as this side can know: what CONNECT asks for, and how far Session Present in
//! CONNACK is to be believed (sections 3.1.2.4 and 3.2.2.1.1).

/// What is known of our Session at the Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ours {
    /// No Server has accepted a connection. Only the program can know whether there is one to go on with.
    Unknown,
    /// The Server that accepted the last connection has it.
    Begun,
    /// The same, but a CONNECT since then had no answer that could be taken. The Server may have begun a new Session with it, of
    /// which the next CONNACK says only that it is present.
    InDoubt,
    /// This side has ended it. Should the Server not know that, it shall not go on with it all the same.
    Ended,
}

impl Ours {
    /// `wanted` is what the program said for a first connection.
    pub fn asks_for_clean_start(self, wanted: bool) -> bool {
        match self {
            Ours::Unknown => wanted,
            Ours::Begun | Ours::InDoubt => false,
            // [MQTT-3.2.2-4]
            Ours::Ended => true,
        }
    }

    /// A connection is gone whose CONNECT had no answer that could be taken. Where there is nothing to go on with, there is
    /// nothing to be in doubt of.
    pub fn unanswered(&mut self) {
        if *self == Ours::Begun {
            *self = Ours::InDoubt;
        }
    }

    /// Whether a Server has, or may have, the one that we go on with.
    pub fn is_resumable(self) -> bool {
        matches!(self, Ours::Begun | Ours::InDoubt)
    }
}
