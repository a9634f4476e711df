//! Servers that do what no real one can be made to do.

use super::*;
use crate::client::transport::scripted::Scripted;
use crate::types::status::Status;
use std::collections::VecDeque;
use tungstenite::protocol::Role;

/// The Server has said something and is gone: what it said can be read, and nothing can be written.
struct Gone(VecDeque<u8>);

impl Read for Gone {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The Server has said something, and more may come.
struct Slow(VecDeque<u8>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.0.read(buffer) }
    }
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The Server sends pings without a pause, so many at most, and takes the answers or doesn't.
struct Pinging {
    left: usize,
    takes: bool,
}

/// With 125 bytes, the most that one has.
const PING: usize = 2 + 125;

impl Read for Pinging {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(self.left > 0, "nobody else has a turn");
        self.left -= 1;
        buffer[..PING].fill(b'x');
        buffer[..2].copy_from_slice(&[0x89, 125]);
        Ok(PING)
    }
}

impl Write for Pinging {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.takes { Ok(bytes.len()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pinging(left: usize, takes: bool) -> WebSocket {
    let transport: Box<dyn Transport> = Box::new(Scripted(Pinging { left, takes }));
    let lower = Lower { is_request: false, ..Lower::new(transport) };
    WebSocket::new(tungstenite::WebSocket::from_raw_socket(lower, Role::Client, None))
}

#[test]
fn pings_without_a_pause_leave_others_their_turn() {
    let mut websocket = pinging(10_000, true);
    for _ in 0..10 {
        let error = websocket.read(&mut [0; 16]).expect_err("no content");
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}

#[test]
fn answers_that_the_server_does_not_take_are_not_gathered_without_end() {
    let mut websocket = pinging(100_000, false);
    let error = loop {
        match websocket.read(&mut [0; 16]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other.expect_err("no content"),
        }
    };
    let failure = failure_of(&error, "");
    assert!(failure.status == Status::WebSocket && failure.text.contains("ping"), "{failure}");
}

#[test]
fn what_the_server_said_last_is_read_though_its_ping_cant_be_answered() {
    // A ping, and DISCONNECT (Session taken over) in a binary frame.
    let said = [0x89, 0, 0x82, 4, 0xE0, 2, 0x8E, 0];
    let transport: Box<dyn Transport> = Box::new(Scripted(Gone(said.into())));
    let lower = Lower { is_request: false, ..Lower::new(transport) };
    let mut websocket = WebSocket::new(tungstenite::WebSocket::from_raw_socket(lower, Role::Client, None));
    let mut buffer = [0; 16];
    assert_eq!(websocket.read(&mut buffer).expect("what was said"), 4);
    assert_eq!(buffer[..4], said[4..]);
    assert!(websocket.has_pending() && websocket.flush().is_err(), "the answer is still to be sent");
    assert_eq!(websocket.read(&mut buffer).expect("the end"), 0);
}

#[test]
fn a_part_of_a_frame_is_a_sign_of_the_server_and_a_ping_is_none() {
    for (said, has_heard) in [(&[0x82, 4, 0xE0][..], true), (&[0x02, 1, 0xE0], true), (&[0x89, 0], false), (&[], false)]
    {
        let transport: Box<dyn Transport> = Box::new(Scripted(Slow(said.to_vec().into())));
        let lower = Lower { is_request: false, ..Lower::new(transport) };
        let mut websocket = WebSocket::new(tungstenite::WebSocket::from_raw_socket(lower, Role::Client, None));
        for has_heard in [has_heard, false] {
            let error = websocket.read(&mut [0; 16]).expect_err("nothing whole");
            assert_eq!((error.kind(), websocket.has_heard()), (io::ErrorKind::WouldBlock, has_heard), "{said:?}");
        }
    }
}
