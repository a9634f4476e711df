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

    /// Takes the stream out of the poll before it is dropped.
    fn deregister(&mut self, registry: &mio::Registry);
}
