//! The Variable Byte Integer (section 1.5.5): one to four bytes, the shortest form only.

use super::error::Fault;

/// The largest value, which is also the largest Remaining Length.
pub const MAX: u32 = 268_435_455;

/// The value at the start of `bytes` and its size, or `None` if more bytes are needed.
pub fn decode(bytes: &[u8]) -> Result<Option<(u32, usize)>, Fault> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            // A last byte of 0 adds nothing: the form is not the shortest [MQTT-1.5.5-1].
            if *byte == 0 && index > 0 {
                return Err(Fault::VariableByteInteger);
            }
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 4 { Err(Fault::VariableByteInteger) } else { Ok(None) }
}

/// How many bytes `value` takes.
pub const fn size(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// Appends `value`, which must not be above [`MAX`].
pub fn encode(mut value: u32, out: &mut Vec<u8>) {
    debug_assert!(value <= MAX);
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_of_each_size_survive_a_round_trip() {
        // MQTT-1.5.5-1
        for (value, length) in
            [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (2_097_151, 3), (2_097_152, 4), (MAX, 4)]
        {
            let mut out = Vec::new();
            encode(value, &mut out);
            assert_eq!((out.len(), size(value)), (length, length));
            assert_eq!(decode(&out), Ok(Some((value, length))));
            assert_eq!(decode(&out[..length - 1]), Ok(None));
        }
    }

    #[test]
    fn only_the_shortest_form_and_at_most_four_bytes_are_accepted() {
        // MQTT-1.5.5-1, 5-1.5.5-a and section 1.5.5
        for bytes in [
            &[0x80, 0x00][..],
            &[0xFF, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x80, 0x01],
            &[0xFF; 4],
        ] {
            assert_eq!(decode(bytes), Err(Fault::VariableByteInteger), "{bytes:02X?}");
        }
    }
}
