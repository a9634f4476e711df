//! The Network Connection: the only place that touches sockets.
//!
//! `connector` makes one, in stages: name resolution, the race of addresses, the proxy, TLS, the WebSocket upgrade. Each is a
//! state machine without a thread of its own that goes on whenever its socket is ready. Absent on purpose: MQTT. A
//! transport moves bytes.

mod certificate;
pub(super) mod connector;
mod http_proxy;
mod race;
pub(super) mod resolver;
#[cfg(test)]
pub(super) mod scripted;
mod socks;
mod tcp;
mod tls;
mod tls_key;
pub(super) mod tls_setup;
mod tls_verify;
mod tls_words;
mod websocket;

use crate::types::status::{Failure, Status};
use std::io;

/// An ordered, lossless stream of bytes in both directions \[MQTT-4.2.0-1\], non-blocking.
///
/// A transport may hold bytes: encrypted ones that the socket doesn't take at the moment (`has_pending`), and decrypted ones
/// that nobody has read yet. So a reader goes on until `WouldBlock`, and a writer comes back to `flush` when the socket is
/// writable again, even if it has nothing more to say.
pub(super) trait Transport: Send {
    /// Reads what is there. `WouldBlock` when there is nothing, 0 when the Server has closed its side; `Interrupted` asks for
    /// another call, when others have had their turn.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Whether the last read, which gave out nothing, took in a part of what can only be given out as a whole.
    fn has_heard(&self) -> bool {
        false
    }

    /// Takes as many bytes as it can now and hands them to the socket. `WouldBlock` when it takes nothing. What it took and
    /// the socket didn't is pending.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Hands what is pending to the socket. `WouldBlock` when something is left.
    fn flush(&mut self) -> io::Result<()>;

    /// Whether it holds bytes for the Server. Then the socket has said `WouldBlock`, and the poll will tell when it is
    /// writable again.
    fn has_pending(&self) -> bool;

    /// Ends the writing side, so that the Server gets everything before it sees the end. `WouldBlock` asks for another call.
    fn finish(&mut self) -> io::Result<()>;

    /// Whether it may hold bytes that were received but not read. No poll tells of those: they are read until `WouldBlock`.
    fn may_hold_input(&self) -> bool;

    /// Puts the stream into a poll, which tells of what there is already, too: of bytes to read and, if `writing`, of room
    /// to write.
    fn register(&mut self, registry: &mio::Registry, token: mio::Token, writing: bool) -> io::Result<()>;

    /// Takes the stream out of its poll.
    fn deregister(&mut self, registry: &mio::Registry);
}

/// A failure passes through `std::io` whole: `failure_of` takes it out again.
impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        io::Error::other(failure)
    }
}

/// What an error of a transport stands for. `doing` comes before the system's words, if those are all that is known.
pub(super) fn failure_of(error: &io::Error, doing: &str) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
        Some(failure) => failure.clone(),
        None => Status::Network.because(format!("{doing} failed: {error}")),
    }
}

/// How a stage of the connection's making stands.
pub(super) enum Stage<T> {
    /// The socket isn't ready.
    Pending,
    Done(T),
}

/// What a failure adds whose cause may be a host name of other letters: resolvers and certificates know them as xn--… alone.
fn other_letters(name: &str) -> &'static str {
    if name.is_ascii() { "" } else { ": write other letters than a to z as xn--…" }
}

/// Whether the other side has broken the connection, for which Windows has two words: its own end may have been told first.
pub(super) fn is_broken_off(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)
}

/// Whether `bytes`, the first from the other side, are a TLS record of a Server that didn't understand us.
pub(super) fn looks_like_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15 | 0x16, 0x03, 0x00..=0x04, ..])
}

/// Whether `bytes`, the first from the other side, are an HTTP response.
pub(super) fn looks_like_http(bytes: &[u8]) -> bool {
    bytes.starts_with(b"HTTP/")
}
