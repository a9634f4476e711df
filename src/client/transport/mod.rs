//! The Network Connection: the only place that touches sockets.
//!
//! A transport is non-blocking. Absent on purpose: MQTT. It moves bytes.

pub(super) mod connector;
mod tcp;

use std::io;

/// An ordered, lossless stream of bytes in both directions \[MQTT-4.2.0-1\].
pub(super) trait Transport: Send {
    /// Reads what is there. `WouldBlock` when there is nothing, 0 when the Server has closed its side.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes as much as is taken now. `WouldBlock` when that is nothing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Ends the writing side, so that the Server gets everything before it sees the end.
    fn finish(&mut self) -> io::Result<()>;

    /// Whether it may hold bytes that were received but not read. No poll tells of those: they are read until `WouldBlock`.
    fn may_hold_input(&self) -> bool;

    /// Puts the stream into a poll, which tells of what there is already, too: of bytes to read and, if `writing`, of room
    /// to write.
    fn register(&mut self, registry: &mio::Registry, token: mio::Token, writing: bool) -> io::Result<()>;

    /// Takes the stream out of its poll.
    fn deregister(&mut self, registry: &mio::Registry);
}
