//! Raw TCP with packets made beforehand: the floor that everything else is measured against.

use super::{Connection, OnMessage};
use crate::wire::{self, Stream};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How many publishes of a burst are on the way at a time, as mt5mqtt has it.
const IN_FLIGHT: u64 = 500;
/// While so many wait for their answers, it rests before it reads: a Server that has to wake it for each answer is slower.
const MANY: u64 = IN_FLIGHT * 3 / 4;
const REST: Duration = Duration::from_micros(500);

pub struct Raw {
    stream: TcpStream,
    input: Stream,
    on_message: OnMessage,
    /// The last PUBLISH that was made, and of what.
    made: (Vec<u8>, usize, u8),
    next_id: u16,
    unanswered: u64,
    /// What a burst has still to write.
    output: Vec<u8>,
}

impl Raw {
    pub fn connect(port: u16, id: &str, on_message: OnMessage) -> Raw {
        let mut raw = Raw::send_connect(port, id, on_message);
        raw.expect(2);
        raw
    }

    /// As a client must that has a thread of its own: the thread, which does nothing here, is started when CONNECT is written.
    pub fn connect_and_start_a_thread(port: u16, id: &str, on_message: OnMessage) -> (Raw, JoinHandle<()>) {
        let mut raw = Raw::send_connect(port, id, on_message);
        let thread = thread::spawn(|| {});
        raw.expect(2);
        (raw, thread)
    }

    fn send_connect(port: u16, id: &str, on_message: OnMessage) -> Raw {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let made = (Vec::new(), 0, 0);
        let (input, output) = (Stream::new(), Vec::new());
        let raw = Raw { stream, input, on_message, made, next_id: 0, unanswered: 0, output };
        (&raw.stream).write_all(&wire::connect(id)).expect("CONNECT");
        raw
    }

    fn expect(&mut self, wanted: u8) {
        loop {
            while let Some((first, _)) = self.input.next() {
                if first >> 4 == wanted {
                    return;
                }
            }
            assert!(self.input.fill(|room| (&self.stream).read(room)).expect("read"), "the Server closed");
        }
    }

    /// Takes what is in the buffer; returns how many messages that were.
    fn take(&mut self) -> u64 {
        let mut count = 0;
        while let Some((first, body)) = self.input.next() {
            if first >> 4 != 3 {
                continue;
            }
            if first >> 1 & 3 == 1 {
                let (_, rest) = wire::topic(body);
                (&self.stream).write_all(&[0x40, 2, rest[0], rest[1]]).expect("PUBACK");
            }
            count += 1;
            (self.on_message)();
        }
        count
    }

    /// Makes a PUBLISH, of which only the Packet Identifier differs from the last one.
    fn make(&mut self, topic: &str, payload: &[u8], qos: u8) {
        if self.made.1 != payload.len() || self.made.2 != qos {
            self.made = (wire::publish(topic, payload, qos, 0), payload.len(), qos);
        }
        if qos > 0 {
            self.unanswered += 1;
            self.next_id = self.next_id.wrapping_add(1).max(1);
            // The identifier is followed by the length of the properties, which is 0.
            let at = self.made.0.len() - payload.len() - 3;
            self.made.0[at..at + 2].copy_from_slice(&self.next_id.to_be_bytes());
        }
    }

    fn write(&mut self) {
        (&self.stream).write_all(&self.output).expect("a write");
        self.output.clear();
    }

    /// Reads answers until no more than `left` publishes wait for theirs.
    fn read_answers(&mut self, left: u64) {
        self.write();
        while self.unanswered > left {
            if self.unanswered > MANY {
                thread::sleep(REST);
            }
            assert!(self.input.fill(|room| (&self.stream).read(room)).expect("read"), "the Server closed");
            while let Some((first, body)) = self.input.next() {
                match first >> 4 {
                    4 | 7 => self.unanswered -= 1,
                    5 => self.output.extend([0x62, 2, body[0], body[1]]),
                    _ => {}
                }
            }
            self.write();
        }
    }
}

impl Connection for Raw {
    fn subscribe(&mut self, topic: &str, qos: u8) {
        (&self.stream).write_all(&wire::subscribe(topic, qos)).expect("SUBSCRIBE");
        self.expect(9);
    }

    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) {
        self.make(topic, payload, qos);
        (&self.stream).write_all(&self.made.0).expect("PUBLISH");
    }

    fn publish_in_burst(&mut self, topic: &str, payload: &[u8], qos: u8) {
        if qos == 0 {
            return self.publish(topic, payload, qos);
        }
        if self.unanswered == IN_FLIGHT {
            self.read_answers(IN_FLIGHT - 1);
        }
        self.make(topic, payload, qos);
        self.output.extend(&self.made.0);
    }

    fn finish(&mut self) {
        self.read_answers(0);
    }

    fn receive(&mut self, count: u64) {
        let mut received = self.take();
        while received < count {
            assert!(self.input.fill(|room| (&self.stream).read(room)).expect("read"), "the Server closed");
            received += self.take();
        }
    }

    fn receive_polling(&mut self, count: u64) -> bool {
        self.stream.set_nonblocking(true).expect("non-blocking");
        let mut received = self.take();
        while received < count {
            match self.input.fill(|room| (&self.stream).read(room)) {
                Ok(more) => assert!(more, "the Server closed"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("{error}"),
            }
            received += self.take();
        }
        self.stream.set_nonblocking(false).expect("blocking");
        true
    }
}
