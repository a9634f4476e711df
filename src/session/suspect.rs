//! What may be the reason that the Server closes each connection: a message or a subscription that it doesn't take.
//! As it was never answered, it is sent again on each connection. Without a hint nobody would find it.

use super::event::Disconnected;
use super::event::Token;
use crate::codec::PacketId;
use crate::types::status::Status;
use std::fmt::Write as _;

/// So many connections in a row are no accident.
const IN_A_ROW: u32 = 3;
/// After so many a PUBREL is given up. Aedes closes the connection for one that it has answered before, though the answer was
/// lost: nothing else could ever be sent.
const GIVE_UP: u32 = 10;

/// The first thing that was unanswered when a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FirstUnanswered {
    /// Of a publish: its number.
    pub number: Option<u64>,
    pub token: Token,
    pub what: String,
    /// It is the PUBREL of this one.
    pub pubrel: Option<PacketId>,
}

#[derive(Debug, Default)]
pub(super) struct Suspect {
    last: Option<FirstUnanswered>,
    times: u32,
}

impl Suspect {
    /// A connection that the Server had accepted has ended. Returns of which PUBREL it shall not be the next one.
    pub fn look(&mut self, first: Option<FirstUnanswered>, end: &mut Disconnected) -> Option<PacketId> {
        let by_server = matches!(end.failure, Some(Status::ConnectionClosed | Status::ServerDisconnected));
        let first = first.filter(|_| by_server);
        self.times = if first.is_some() && first == self.last { self.times + 1 } else { 1 };
        self.last = first;
        let FirstUnanswered { token, what, pubrel, .. } = self.last.as_ref().filter(|_| self.times >= IN_A_ROW)?;
        // Writing to a text can't fail.
        let _ = write!(
            end.detail,
            "; the Server has ended {} connections in a row with {what} (token {token}) unanswered: perhaps it doesn't take it",
            self.times
        );
        pubrel.filter(|_| self.times >= GIVE_UP)
    }
}
