//! For tests: a transport without a socket.

use super::Transport;
use std::io::{self, Read, Write};

/// Moves bytes from and to what a test gives, and holds none.
pub(in crate::client) struct Scripted<T>(pub T);

impl<T: Read + Write + Send> Transport for Scripted<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn has_pending(&self) -> bool {
        false
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn may_hold_input(&self) -> bool {
        false
    }

    fn register(&mut self, _: &mio::Registry, _: mio::Token, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn deregister(&mut self, _: &mio::Registry) {}
}
