//! Pointers to text and bytes, and back.
//!
//! A pointer of the caller is read during the call only, and none of ours is ever handed out.

use crate::types::status::{Failure, Status};
use std::borrow::Cow;
use std::char::DecodeUtf16Error;
use std::ffi::{CStr, c_char};

fn invalid(what: &str, why: &str) -> Failure {
    Status::InvalidText.because(format!("{what}: {why}"))
}

/// The NUL-terminated UTF-8 at `pointer`; `None` for NULL. `what` names the argument in the error.
///
/// # Safety
///
/// `pointer` is NULL or points to bytes that end with a 0 and stay unchanged as long as the result lives.
pub unsafe fn utf8<'a>(what: &str, pointer: *const c_char) -> Result<Option<Cow<'a, str>>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL; the rest is the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    let bytes = text.to_bytes();
    // Nearly all is ASCII, which is seen in fewer steps.
    let text = match bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        true => unsafe { std::str::from_utf8_unchecked(bytes) },
        false => std::str::from_utf8(bytes).map_err(|_| invalid(what, "it is not well-formed UTF-8"))?,
    };
    Ok(Some(Cow::Borrowed(text)))
}

/// The units of a text in UTF-16, without the 0 behind them. MQL5 packs to one byte: they may be unaligned.
#[derive(Clone, Copy)]
struct Units {
    first: *const u16,
    length: usize,
}

impl Units {
    /// Those of the NUL-terminated UTF-16 at `pointer`; `None` for NULL.
    ///
    /// # Safety
    ///
    /// `pointer` is NULL or points to 16-bit units that end with a 0 and stay there as long as the result lives.
    unsafe fn at(pointer: *const u16) -> Option<Units> {
        if pointer.is_null() {
            return None;
        }
        let mut length = 0;
        // SAFETY: every unit up to and with the 0 is readable by the caller's promise.
        while unsafe { pointer.add(length).read_unaligned() } != 0 {
            length += 1;
        }
        Some(Units { first: pointer, length })
    }

    fn characters(self) -> impl Iterator<Item = Result<char, DecodeUtf16Error>> {
        // SAFETY: `at` has read these units, and they are still there by its caller's promise.
        char::decode_utf16((0..self.length).map(move |index| unsafe { self.first.add(index).read_unaligned() }))
    }
}

fn lone_surrogate(what: &str) -> Failure {
    invalid(what, "it holds a lone surrogate: the text is not well-formed UTF-16")
}

/// The NUL-terminated UTF-16 at `pointer`; `None` for NULL. A lone surrogate is refused, never replaced.
///
/// # Safety
///
/// `pointer` is NULL or points to 16-bit units that end with a 0.
pub unsafe fn utf16<'a>(what: &str, pointer: *const u16) -> Result<Option<Cow<'a, str>>, Failure> {
    // SAFETY: the caller's promise.
    let Some(units) = (unsafe { Units::at(pointer) }) else { return Ok(None) };
    converted(units).map(|text| Some(Cow::Owned(text))).ok_or_else(|| lone_surrogate(what))
}

/// The units as UTF-8. It may be a password: nothing is copied of a text that is refused, and nothing twice, as by a text that
/// grows.
fn converted(units: Units) -> Option<String> {
    let size = units.characters().map(|character| character.map(char::len_utf8).ok()).sum::<Option<usize>>()?;
    let mut text = String::with_capacity(size);
    text.extend(units.characters().flatten());
    Some(text)
}

/// The longest UTF-8 that `with_utf16` makes without an allocation: longer than most Topic Names.
const SHORT: usize = 512;

/// As `utf16`, for what is needed during a call only. A short text costs no allocation.
///
/// # Safety
///
/// As for `utf16`.
pub unsafe fn with_utf16<R>(
    what: &str,
    pointer: *const u16,
    body: impl FnOnce(Option<&str>) -> Result<R, Failure>,
) -> Result<R, Failure> {
    // SAFETY: the caller's promise.
    let Some(units) = (unsafe { Units::at(pointer) }) else { return body(None) };
    // A unit becomes three bytes at most, a pair of them four.
    if units.length > SHORT / 3 {
        let text = converted(units).ok_or_else(|| lone_surrogate(what))?;
        return body(Some(&text));
    }
    let (mut bytes, mut size) = ([0; SHORT], 0);
    for character in units.characters() {
        size += character.map_err(|_| lone_surrogate(what))?.encode_utf8(&mut bytes[size..]).len();
    }
    body(Some(std::str::from_utf8(&bytes[..size]).expect("made of whole characters")))
}

/// The bytes at `pointer`. With a size of 0 the pointer isn't looked at: an empty MQL5 array may come with any.
///
/// # Safety
///
/// `pointer` is NULL, or `size` bytes at it are readable and stay unchanged as long as the result lives.
pub unsafe fn bytes<'a>(what: &str, pointer: *const u8, size: i32) -> Result<&'a [u8], Failure> {
    match usize::try_from(size) {
        Err(_) => Err(Status::InvalidArgument.because(format!("the size of {what} is negative"))),
        Ok(0) => Ok(&[]),
        Ok(_) if pointer.is_null() => {
            Err(Status::InvalidArgument.because(format!("{what} is NULL, but its size is {size}")))
        }
        // SAFETY: not NULL; the rest is the caller's promise.
        Ok(size) => Ok(unsafe { std::slice::from_raw_parts(pointer, size) }),
    }
}

/// Whether `size` units with `needed - size` behind them go into the caller's buffer, and what is returned.
fn room<T>(size: usize, needed: usize, buffer: *mut T, capacity: i32) -> Result<(bool, i32), Failure> {
    let size =
        i32::try_from(size).map_err(|_| Status::TooLarge.because("the value is larger than an int32_t can say"))?;
    if capacity < 0 {
        return Err(Status::InvalidArgument.because("the capacity is negative"));
    }
    if buffer.is_null() && capacity > 0 {
        return Err(Status::InvalidArgument.because(format!("the buffer is NULL, but its capacity is {capacity}")));
    }
    Ok((!buffer.is_null() && needed <= capacity as usize, size))
}

/// Copies `bytes` and a 0 behind them, if there is room; the size without the 0 is returned either way.
///
/// # Safety
///
/// `buffer` is NULL, or `capacity` bytes at it are writable.
unsafe fn put(bytes: &[u8], terminated: bool, buffer: *mut u8, capacity: i32) -> Result<i32, Failure> {
    let (fits, size) = room(bytes.len(), bytes.len() + usize::from(terminated), buffer, capacity)?;
    if fits {
        // SAFETY: they fit into the caller's buffer, which can't overlap with memory of ours.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len());
            if terminated {
                *buffer.add(bytes.len()) = 0;
            }
        }
    }
    Ok(size)
}

/// Text out as UTF-8.
///
/// # Safety
///
/// `buffer` is NULL, or `capacity` bytes at it are writable.
pub unsafe fn put_utf8(text: &str, buffer: *mut c_char, capacity: i32) -> Result<i32, Failure> {
    // SAFETY: the caller's promise; `char` and `u8` have the same layout.
    unsafe { put(text.as_bytes(), true, buffer.cast(), capacity) }
}

/// Text out as UTF-16.
///
/// # Safety
///
/// `buffer` is NULL, or `capacity` 16-bit units at it are writable.
pub unsafe fn put_utf16(text: &str, buffer: *mut u16, capacity: i32) -> Result<i32, Failure> {
    let length = text.encode_utf16().count();
    let (fits, size) = room(length, length + 1, buffer, capacity)?;
    if fits {
        for (index, unit) in text.encode_utf16().chain([0]).enumerate() {
            // SAFETY: the units and the 0 fit into the caller's buffer, which may be unaligned.
            unsafe { buffer.add(index).write_unaligned(unit) };
        }
    }
    Ok(size)
}

/// Bytes out, without a terminator.
///
/// # Safety
///
/// `buffer` is NULL, or `capacity` bytes at it are writable.
pub unsafe fn put_bytes(bytes: &[u8], buffer: *mut u8, capacity: i32) -> Result<i32, Failure> {
    // SAFETY: the caller's promise.
    unsafe { put(bytes, false, buffer, capacity) }
}

/// The size of a value in an event, as the struct carries it.
pub fn size(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ill_formed_text_is_refused_and_never_replaced() {
        // MQTT-1.5.4-1, 5-1.5.4-a, MQTT311-1.5.3-1, MQTT311-3.1.3-4, MQTT311-3.1.3-10, MQTT311-3.1.3-11, MQTT-3.1.3-4,
        // MQTT-3.1.3-11, MQTT-3.1.3-12: what leaves is well-formed.
        for bytes in [&b"\xFF\0"[..], b"a\xC0\xAF\0", b"\xED\xA0\x80\0", b"\xE2\x82\0"] {
            // SAFETY: the bytes end with a 0.
            let text = unsafe { utf8("the text", bytes.as_ptr().cast()) };
            assert_eq!(text.unwrap_err().status, Status::InvalidText, "{bytes:02X?}");
        }
        for units in [&[0xD83D, 0][..], &[0xDE00, 0], &[0x61, 0xD83D, 0x62, 0], &[0xDE00, 0xD83D, 0]] {
            // SAFETY: the units end with a 0.
            let text = unsafe { utf16("the text", units.as_ptr()) };
            assert_eq!(text.unwrap_err().status, Status::InvalidText, "{units:04X?}");
        }
        // SAFETY: the units end with a 0.
        let pair = unsafe { utf16("the text", [0xD83D, 0xDE00, 0].as_ptr()) };
        assert_eq!(pair.unwrap().as_deref(), Some("😀"));
    }

    #[test]
    fn utf16_of_any_length_and_width_becomes_the_same_text() {
        for character in ['a', 'é', '€', '😀'] {
            for length in [0, 1, 84, 85, 86, 169, 170, 171, 172, 512, 5000] {
                let text = character.to_string().repeat(length);
                let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
                let compare = |converted: Option<&str>| {
                    assert_eq!(converted, Some(text.as_str()));
                    Ok(())
                };
                // SAFETY: the units end with a 0.
                unsafe { with_utf16("the text", units.as_ptr(), compare) }.unwrap();
            }
        }
        for units in [&[0xD83D, 0][..], &[0x61, 0xDE00, 0]] {
            // SAFETY: the units end with a 0.
            let refused = unsafe { with_utf16("the text", units.as_ptr(), |_| Ok(())) };
            assert_eq!(refused.unwrap_err().status, Status::InvalidText);
        }
    }
}
