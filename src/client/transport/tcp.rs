//! MQTT over plain TCP.

use super::Transport;
use mio::Interest;
use mio::net::TcpStream;
use std::io::{self, Read, Write};
use std::net::Shutdown;

pub(super) struct Tcp {
    stream: TcpStream,
}

impl Tcp {
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        // A tick must not wait for the acknowledgement of the one before (Nagle's algorithm).
        stream.set_nodelay(true)?;
        // The operating system notices a peer that vanished even when Keep Alive is off.
        socket2::SockRef::from(&stream).set_keepalive(true)?;
        Ok(Tcp { stream })
    }

    /// Writes all of `bytes` from `*written` on. `WouldBlock` when the socket takes no more.
    pub fn write_rest(&mut self, bytes: &[u8], written: &mut usize) -> io::Result<()> {
        while *written < bytes.len() {
            match self.stream.write(&bytes[*written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => *written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// For TLS, which reads and writes by itself. `write_vectored` is left to its default on purpose: std's own, unlike its `write`,
/// lets the system raise SIGPIPE when the Server has closed, and that ends a host that isn't written in Rust.
impl Read for Tcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Tcp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Tcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn has_pending(&self) -> bool {
        false
    }

    fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    fn may_hold_input(&self) -> bool {
        false
    }

    fn register(&mut self, registry: &mio::Registry, token: mio::Token, writing: bool) -> io::Result<()> {
        let interest = if writing { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        registry.register(&mut self.stream, token, interest)
    }

    fn deregister(&mut self, registry: &mio::Registry) {
        // If it fails, the stream isn't in that poll any more.
        let _ = registry.deregister(&mut self.stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::IoSlice;
    use std::net::TcpListener;

    #[test]
    fn no_write_may_end_the_host_by_a_signal() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut tcp = Tcp::new(TcpStream::connect(server.local_addr().unwrap()).unwrap()).unwrap();
        let _peer = server.accept().unwrap();
        // The default writes the first of them alone.
        assert_eq!(tcp.write_vectored(&[IoSlice::new(b"a"), IoSlice::new(b"bc")]).unwrap(), 1);
    }
}
