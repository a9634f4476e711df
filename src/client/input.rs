//! Bytes that were read and not used yet; as a rule they are an incomplete packet. Nothing is copied unless room is
//! needed.

/// Room for one read of a burst, most of whose packets arrive together.
const READ_SIZE: usize = 64 * 1024;
/// Room for one read until one has filled it: most clients are idle most of the time.
const FIRST_READ_SIZE: usize = 4 * 1024;
/// A larger buffer than that isn't kept for the next large packet.
const LARGEST_KEPT: usize = 4 * READ_SIZE;

/// Received bytes that were not used yet.
#[derive(Default)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// More than one read takes has come together since the buffer was empty last, or is expected.
    holds_large: bool,
}

impl Input {
    /// What is there, from the start of a packet on.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where the next read may write to.
    pub fn room(&mut self) -> &mut [u8] {
        if self.buffer.is_empty() {
            self.buffer.resize(FIRST_READ_SIZE, 0);
        }
        &mut self.buffer[self.end..]
    }

    /// `count` bytes were written to the room.
    pub fn received(&mut self, count: usize) {
        self.end += count;
    }

    /// Takes `used` bytes away and makes room: for the rest of an incomplete packet whose size is known, or for a read.
    pub fn consume(&mut self, used: usize, expected_size: impl Fn(&[u8]) -> Option<usize>) {
        self.holds_large |= self.end > READ_SIZE;
        self.start += used;
        if self.end == self.buffer.len() && self.end < READ_SIZE {
            // There was more than room for it.
            self.buffer.resize(READ_SIZE, 0);
        }
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            // A large packet's buffer is kept for the next one, unless that is a small one.
            let is_kept = std::mem::take(&mut self.holds_large) && self.buffer.len() <= LARGEST_KEPT;
            if self.buffer.len() > READ_SIZE && !is_kept {
                self.buffer = vec![0; READ_SIZE];
            }
            return;
        }
        let waiting = self.end - self.start;
        let needed = expected_size(self.bytes()).unwrap_or(0).max(waiting + 1);
        self.holds_large |= needed > READ_SIZE;
        if self.start + needed > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = waiting;
            if needed > self.buffer.len() {
                self.buffer.resize(needed, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet begins with its size in two bytes.
    fn expected_size(bytes: &[u8]) -> Option<usize> {
        Some(usize::from(u16::from_be_bytes(*bytes.first_chunk()?)))
    }

    /// A packet of that size comes, as much at a time as there is room for.
    fn take(input: &mut Input, size: usize) {
        let mut missing = size;
        while missing > 0 {
            let count = missing.min(input.room().len());
            input.received(count);
            missing -= count;
            let used = if missing == 0 { size } else { 0 };
            input.consume(used, |_| Some(size));
        }
    }

    #[test]
    fn a_large_buffer_is_kept_for_the_next_large_packet_and_not_beyond_a_small_one() {
        let mut input = Input::default();
        take(&mut input, 100);
        assert_eq!(input.buffer.len(), FIRST_READ_SIZE);
        for _ in 0..3 {
            take(&mut input, READ_SIZE + 100);
            assert_eq!(input.buffer.len(), READ_SIZE + 100);
        }
        take(&mut input, 100);
        assert_eq!(input.buffer.len(), READ_SIZE);
        take(&mut input, LARGEST_KEPT + 1);
        assert_eq!(input.buffer.len(), READ_SIZE);
    }

    #[test]
    fn packets_of_any_size_that_arrive_in_pieces_of_any_size_come_out_whole() {
        let sizes = [2, 3, 60_000, 2, 65_535, 65_535, 7, 40_000, 30_000, 2];
        let mut stream = Vec::new();
        for (number, size) in (0u8..).zip(sizes) {
            stream.extend((size as u16).to_be_bytes());
            stream.resize(stream.len() + size - 2, number);
        }
        for piece in [1, 2, 3, 1000, 65_536] {
            let mut input = Input::default();
            let mut found = Vec::new();
            let mut rest = stream.as_slice();
            while !rest.is_empty() {
                let room = input.room();
                // A read into no room at all would look like the end of the connection.
                assert!(!room.is_empty() && room.len() <= LARGEST_KEPT);
                let count = piece.min(room.len()).min(rest.len());
                room[..count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                input.received(count);
                let mut used = 0;
                while let Some(size) = expected_size(&input.bytes()[used..]) {
                    let Some(packet) = input.bytes()[used..].get(..size) else { break };
                    assert!(packet[2..].iter().all(|byte| usize::from(*byte) == found.len()));
                    found.push(size);
                    used += size;
                }
                input.consume(used, expected_size);
            }
            assert_eq!(found, sizes, "pieces of {piece} bytes");
        }
    }
}
