//! The rules of a UTF-8 Encoded String (section 1.5.4).
//!
//! Control characters and non-characters, which the standard lets a receiver refuse, are accepted: symbol names and
//! comments of real brokers hold them.

use std::fmt;

/// Longest UTF-8 Encoded String and Binary Data, in bytes: the length field is two bytes wide.
pub const MAX_LENGTH: usize = 65_535;

/// Why a text can't be a UTF-8 Encoded String.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// Ill-formed UTF-8, encoded surrogates included \[MQTT-1.5.4-1\].
    IllFormed,
    /// Holds U+0000 \[MQTT-1.5.4-2\].
    Null,
    /// Longer than 65,535 bytes.
    TooLong,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TextError::IllFormed => "the text is not well-formed UTF-8",
            TextError::Null => "the text holds the character U+0000",
            TextError::TooLong => "the text is longer than 65,535 bytes of UTF-8",
        })
    }
}

/// Checks what `&str` doesn't already promise.
pub fn check(text: &str) -> Result<&str, TextError> {
    if text.len() > MAX_LENGTH {
        Err(TextError::TooLong)
    } else if text.as_bytes().contains(&0) {
        Err(TextError::Null)
    } else {
        Ok(text)
    }
}

/// The text in `bytes`, if they are a UTF-8 Encoded String. U+FEFF is kept wherever it stands \[MQTT-1.5.4-3\].
pub fn from_bytes(bytes: &[u8]) -> Result<&str, TextError> {
    let text = std::str::from_utf8(bytes).map_err(|_| TextError::IllFormed)?;
    check(text)
}
