//! Payloads that say which message they are and show any change on the way: a sequence number, and filling that follows
//! from it.

/// What a payload turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Payload {
    Numbered(u64),
    /// Shows that everything before it has passed; it is sent again and again, and not counted.
    Mark,
    Corrupt,
}

const MARK: &str = "mark";
const SMALL: u64 = 120;
const LARGE: u64 = 70_000;
/// One message in so many is a large one, of several segments and reads.
const LARGE_EVERY: u64 = 97;

/// The payload of a number. Text without spaces at its ends and without line breaks, so that a line can carry it.
pub fn of(seq: u64) -> String {
    let scattered = seq.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let size = if seq % LARGE_EVERY == LARGE_EVERY - 1 { scattered % LARGE } else { scattered % SMALL };
    let mut text = format!("{seq}:");
    text.extend((0..size).map(|position| char::from(b'a' + ((scattered + position * 7) % 26) as u8)));
    text
}

pub fn mark() -> String {
    MARK.to_owned()
}

pub fn read(bytes: &[u8]) -> Payload {
    if bytes == MARK.as_bytes() {
        return Payload::Mark;
    }
    let seq = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once(':')?.0.parse().ok());
    match seq {
        Some(seq) if of(seq).as_bytes() == bytes => Payload::Numbered(seq),
        _ => Payload::Corrupt,
    }
}
