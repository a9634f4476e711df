//! What belongs to one Network Connection and is gone with it: nothing of it can reach into the next one.

use super::first_bytes::FirstBytes;
use super::input::Input;
use super::pace::{Pace, Stream};
use super::transport::Transport;
use crate::types::status::Failure;
use std::time::{Duration, Instant};

/// Whose poll has the socket: that thread is woken when bytes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watcher {
    /// The background thread's. With `writing` it is also told when the socket takes bytes again.
    Worker { writing: bool },
    /// That of a caller that waits for an event (`leading`).
    Leader,
    /// No poll: its reader looks by itself (`polling`).
    Nobody,
}

pub(super) struct Connection {
    pub transport: Option<Box<dyn Transport>>,
    /// What the socket is called in the background thread's poll.
    pub socket: mio::Token,
    pub watcher: Watcher,
    pub input: Input,
    pub first_bytes: FirstBytes,
    /// When the Server accepted CONNECT.
    pub online_since: Option<Instant>,
    /// The transport failed, or the Server closed the connection.
    pub lost: Option<Failure>,
    /// Everything that the Server has said is read, and `lost` tells why nothing more comes. After a write that failed there
    /// may still be something to read.
    pub read_to_end: bool,
    /// The leader left while the transport may hold bytes: the background thread reads on.
    pub read_on: bool,
    /// The socket takes nothing at the moment; the poll tells when it does again.
    pub write_blocked: bool,
    /// How many bytes of the Session's output the log has told of.
    pub traced: usize,
    pub pace: Pace,
    pub stream: Stream,
}

impl Connection {
    /// The connector has registered the socket with the background thread's poll, for reading and writing.
    pub fn new(transport: Box<dyn Transport>, socket: mio::Token, first_bytes: FirstBytes) -> Self {
        Connection { transport: Some(transport), socket, first_bytes, ..Connection::none() }
    }

    pub fn none() -> Self {
        Connection {
            transport: None,
            socket: mio::Token(0),
            watcher: Watcher::Worker { writing: true },
            input: Input::default(),
            first_bytes: FirstBytes::default(),
            online_since: None,
            lost: None,
            read_to_end: false,
            read_on: false,
            write_blocked: false,
            traced: 0,
            pace: Pace::default(),
            stream: Stream::default(),
        }
    }

    /// Whether a caller has the socket, rather than the background thread's poll.
    pub fn is_led(&self) -> bool {
        !matches!(self.watcher, Watcher::Worker { .. })
    }

    /// How long whoever waits for the Server next rests before that. `held_up` says that publishes wait for the answers to
    /// others. Not on Windows, where the shortest sleep may take 16 ms.
    pub fn rest(&self, held_up: bool) -> Duration {
        let waits_for_bytes = self.transport.is_some() && self.lost.is_none() && !self.write_blocked;
        if cfg!(windows) || !waits_for_bytes {
            return Duration::ZERO;
        }
        if held_up { self.pace.rest() } else { self.stream.rest() }
    }
}
