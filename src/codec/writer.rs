//! Writing fields and the Fixed Header. Sizes that the peer or the format can't take are found before anything is sent.

use super::error::EncodeError;
use super::varint;
use crate::types::text::{self, MAX_LENGTH};

pub(super) fn u16(value: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(super) fn binary(what: &'static str, field: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if field.len() > MAX_LENGTH {
        return Err(EncodeError::FieldTooLong(what));
    }
    u16(field.len() as u16, out);
    out.extend_from_slice(field);
    Ok(())
}

pub(super) fn text(what: &'static str, field: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    text::check(field).map_err(|error| EncodeError::Text(what, error))?;
    binary(what, field.as_bytes(), out)
}

/// Appends the Fixed Header of a packet whose size is known. Fails when the packet is larger than `maximum`.
pub(super) fn fixed_header(first: u8, remaining: usize, maximum: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if remaining > varint::MAX as usize {
        return Err(EncodeError::TooLarge { size: remaining, maximum: varint::MAX as usize });
    }
    let size = 1 + varint::size(remaining as u32) + remaining;
    if size > maximum {
        return Err(EncodeError::TooLarge { size, maximum });
    }
    out.push(first);
    varint::encode(remaining as u32, out);
    Ok(())
}

/// Appends a packet whose size is only known when `body` has written it. After an error `out` is as it was.
pub(super) fn packet(
    first: u8,
    maximum: usize,
    out: &mut Vec<u8>,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let result = body(out).and_then(|()| {
        let end = out.len();
        fixed_header(first, end - start, maximum, out)?;
        // The header was written last, as it holds the size; it belongs first.
        out[start..].rotate_left(end - start);
        Ok(())
    });
    if result.is_err() {
        out.truncate(start);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_as_large_as_its_fixed_header_and_the_peer_allow_and_no_larger() {
        // Section 2.1.4, MQTT-3.2.2-15
        let largest = varint::MAX as usize;
        for (remaining, maximum, fits) in [
            (largest, usize::MAX, true),
            (largest + 1, usize::MAX, false),
            (largest, largest + 5, true),
            (largest, largest + 4, false),
            (127, 129, true),
            (127, 128, false),
        ] {
            let mut out = Vec::new();
            assert_eq!(fixed_header(0x30, remaining, maximum, &mut out).is_ok(), fits, "{remaining} of {maximum}");
            assert_eq!(out.is_empty(), !fits);
        }
    }
}
