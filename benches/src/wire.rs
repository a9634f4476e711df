//! MQTT 5 packets as bytes, for the raw peer and the minimal Server: only what these two need.

pub const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut rest = body.len();
    loop {
        let low = (rest % 128) as u8;
        rest /= 128;
        out.push(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

pub fn connect(client_id: &str) -> Vec<u8> {
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 5, 0x02, 0, 60];
    // Receive Maximum 65,535 is the default.
    body.push(0);
    text(&mut body, client_id);
    packet(0x10, &body)
}

pub fn subscribe(topic: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 1, 0];
    text(&mut body, topic);
    body.push(qos);
    packet(0x82, &body)
}

pub fn suback(id: [u8; 2], qos: u8) -> Vec<u8> {
    packet(0x90, &[id[0], id[1], 0, qos])
}

pub fn publish(topic: &str, payload: &[u8], qos: u8, id: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(payload.len() + topic.len() + 8);
    text(&mut body, topic);
    if qos > 0 {
        body.extend(id.to_be_bytes());
    }
    body.push(0);
    body.extend(payload);
    packet(0x30 | qos << 1, &body)
}

/// The packet at the start: its first byte, its body, and its whole size.
pub fn split(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let mut size = 0usize;
    for (index, byte) in bytes.get(1..)?.iter().enumerate().take(4) {
        size |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let start = index + 2;
            return Some((bytes[0], bytes.get(start..start + size)?, start + size));
        }
    }
    None
}

/// Topic and the rest behind it.
pub fn topic(body: &[u8]) -> (&[u8], &[u8]) {
    let size = usize::from(u16::from_be_bytes([body[0], body[1]]));
    (&body[2..2 + size], &body[2 + size..])
}

/// Bytes that were read and not used.
pub struct Stream {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Stream {
    pub fn new() -> Self {
        Stream { buffer: vec![0; 256 * 1024], start: 0, end: 0 }
    }

    /// Reads once; false at the end.
    pub fn fill(&mut self, mut read: impl FnMut(&mut [u8]) -> std::io::Result<usize>) -> std::io::Result<bool> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.buffer.len() - self.end < 128 * 1024 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let count = read(&mut self.buffer[self.end..])?;
        self.end += count;
        Ok(count > 0)
    }

    /// Takes the next whole packet.
    pub fn next(&mut self) -> Option<(u8, &[u8])> {
        let (first, body, used) = split(&self.buffer[self.start..self.end])?;
        let at = self.start;
        self.start += used;
        let header = used - body.len();
        Some((first, &self.buffer[at + header..at + used]))
    }
}
