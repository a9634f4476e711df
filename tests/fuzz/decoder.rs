//! The decoder: any bytes, both versions, packets of both sides, in any pieces. It can't panic, never allocates by a length
//! that was only announced, says the same of a packet however its bytes arrive, and what it accepts can be sent on.

use crate::choices::Choices;
use crate::memory::Meter;
use mt5mqtt::codec::error::DecodeError;
use mt5mqtt::codec::{Decoded, Packet, decode, decode_faulty, encode};
use mt5mqtt::types::ProtocolVersion;

/// Views into the bytes, and lists of them: a Topic Filter of one byte is four bytes on the wire.
const MEMORY_PER_BYTE: usize = 32;
const MEMORY: usize = 1024;

pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let version = if choices.flag() { ProtocolVersion::V5 } else { ProtocolVersion::V311 };
    let maximum = match choices.byte() {
        0 => usize::MAX,
        limit => usize::from(limit) * 4,
    };
    let mut stream = choices.rest();
    loop {
        let meter = Meter::start();
        let decoded = decode(stream, version, maximum);
        let limit = MEMORY + MEMORY_PER_BYTE * stream.len();
        assert!(meter.peak() <= limit, "{} bytes of memory for {} received", meter.peak(), stream.len());
        check_pieces(stream, version, maximum, &decoded);
        check_faulty(stream, version, maximum, &decoded);
        match decoded {
            Ok(Decoded::NeedMore { total }) => {
                assert!(total.is_none_or(|total| total > stream.len() && total <= maximum));
                return;
            }
            Ok(Decoded::Packet { packet, used }) => {
                assert!((2..=stream.len()).contains(&used) && used <= maximum);
                check_sent_on(&packet, version, used);
                stream = &stream[used..];
            }
            Err(error) => {
                assert!(error.reason().is_error() && !error.to_string().is_empty());
                return;
            }
        }
    }
}

/// Only a fault that leaves a packet readable makes a difference to who passes it over.
fn check_faulty(stream: &[u8], version: ProtocolVersion, maximum: usize, strict: &Result<Decoded<'_>, DecodeError>) {
    let decoded = decode_faulty(stream, version, maximum);
    match (strict, &decoded) {
        (Err(error), _) if error.leaves_readable() => {}
        _ => assert_eq!(decoded, *strict),
    }
    if let Ok(Decoded::Packet { used, .. }) = decoded {
        assert!((2..=stream.len()).contains(&used) && used <= maximum.saturating_add(5));
    }
}

/// With fewer bytes there is the same answer, or none yet.
fn check_pieces(stream: &[u8], version: ProtocolVersion, maximum: usize, whole: &Result<Decoded<'_>, DecodeError>) {
    let size = match whole {
        Ok(Decoded::Packet { used, .. }) => *used,
        _ => stream.len(),
    };
    // Every cut of a short packet; some of a long one.
    let step = 1 + size / 64;
    let mut known = None;
    for cut in (0..size).step_by(step) {
        match decode(&stream[..cut], version, maximum) {
            Ok(Decoded::NeedMore { total }) => {
                assert!(known.is_none() || total == known, "the size of the packet changed");
                known = total;
            }
            early => assert!(*whole == early, "{early:?} after {cut} bytes, {whole:?} after all"),
        }
    }
    if let (Some(known), Ok(Decoded::Packet { used, .. })) = (known, whole) {
        assert_eq!(known, *used);
    }
}

/// A packet that was accepted can be encoded, and is the same then.
fn check_sent_on(packet: &Packet<'_>, version: ProtocolVersion, used: usize) {
    let mut again = Vec::new();
    encode(packet, version, usize::MAX, &mut again).unwrap_or_else(|error| panic!("{packet:?}: {error}"));
    // Some fields may be left out and be written all the same; only CONNACK gets longer, by a Reason Code of 3.1.1.
    assert!(again.len() <= used || matches!(packet, Packet::Connack(_)), "{packet:?} got longer");
    let expected = Decoded::Packet { packet: packet.clone(), used: again.len() };
    assert_eq!(decode(&again, version, usize::MAX), Ok(expected));
}
