//! A set of properties that a program puts together, with the checks that a peer would make.

use super::{Kind, Properties, PropertyId, Value};
use crate::codec::varint;
use crate::types::text::{self, TextError};
use crate::types::topic::{TopicError, TopicName};
use std::fmt;
use zeroize::Zeroize;

/// Why a property can't be added to a set, or a set not be used in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyError {
    /// A value of another type than the property's.
    WrongKind(PropertyId),
    /// An integer outside the property's range.
    OutOfRange(PropertyId),
    /// A text that can't be a UTF-8 Encoded String.
    Text(PropertyId, TextError),
    /// Binary Data of more than 65,535 bytes.
    TooLong(PropertyId),
    /// A Response Topic that is no Topic Name.
    Topic(TopicError),
    /// The packet can't have the property.
    NotAllowed(PropertyId),
    /// The packet can have the property once.
    Twice(PropertyId),
}

impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PropertyError::WrongKind(id) => {
                write!(f, "the property {} is of another type ({:?})", id.name(), id.kind())
            }
            PropertyError::OutOfRange(id) => {
                write!(f, "the property {} takes {} to {}", id.name(), id.range().0, id.range().1)
            }
            PropertyError::Text(id, error) => write!(f, "the property {}: {error}", id.name()),
            PropertyError::TooLong(id) => write!(f, "the property {} is longer than 65,535 bytes", id.name()),
            PropertyError::Topic(error) => write!(f, "the Response Topic is no Topic Name: {error}"),
            PropertyError::NotAllowed(id) => write!(f, "the property {} doesn't belong here", id.name()),
            PropertyError::Twice(id) => write!(f, "the property {} can stand here only once", id.name()),
        }
    }
}

/// A set of properties that is being put together.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PropertiesBuf {
    bytes: Vec<u8>,
}

impl PropertiesBuf {
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for so many bytes more, which are then added without leaving copies of what is there behind.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    pub fn as_properties(&self) -> Properties<'_> {
        Properties::from_checked(&self.bytes)
    }

    /// Replaces the property, or adds it if it is not there.
    pub fn set(&mut self, id: PropertyId, value: Value<'_>) -> Result<(), PropertyError> {
        check_value(id, value)?;
        self.remove(id);
        self.append(id, value);
        Ok(())
    }

    /// Adds one more occurrence. Whether a packet takes it is checked when the set is used.
    pub fn add(&mut self, id: PropertyId, value: Value<'_>) -> Result<(), PropertyError> {
        check_value(id, value)?;
        self.append(id, value);
        Ok(())
    }

    /// Adds all properties of `others`.
    pub fn extend(&mut self, others: Properties<'_>) {
        self.bytes.extend_from_slice(others.as_bytes());
    }

    /// Removes all occurrences of the property.
    pub fn remove(&mut self, unwanted: PropertyId) {
        if self.as_properties().iter().all(|(id, _)| id != unwanted) {
            return;
        }
        let old = std::mem::take(&mut self.bytes);
        for (id, value) in Properties::from_checked(&old).iter().filter(|(id, _)| *id != unwanted) {
            self.append(id, value);
        }
    }

    fn append(&mut self, id: PropertyId, value: Value<'_>) {
        let out = &mut self.bytes;
        out.push(id as u8);
        match (value, id.kind()) {
            (Value::Int(value), Kind::Byte) => out.push(value as u8),
            (Value::Int(value), Kind::TwoByteInteger) => out.extend_from_slice(&(value as u16).to_be_bytes()),
            (Value::Int(value), Kind::FourByteInteger) => out.extend_from_slice(&value.to_be_bytes()),
            (Value::Int(value), _) => varint::encode(value, out),
            (Value::Text(text), _) => append_field(text.as_bytes(), out),
            (Value::Binary(bytes), _) => append_field(bytes, out),
            (Value::Pair(name, value), _) => {
                append_field(name.as_bytes(), out);
                append_field(value.as_bytes(), out);
            }
        }
    }
}

impl Zeroize for PropertiesBuf {
    fn zeroize(&mut self) {
        self.bytes.zeroize();
    }
}

/// Without secrets, as that of `Properties`.
impl fmt::Debug for PropertiesBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_properties().fmt(f)
    }
}

impl From<Properties<'_>> for PropertiesBuf {
    fn from(properties: Properties<'_>) -> Self {
        PropertiesBuf { bytes: properties.as_bytes().to_vec() }
    }
}

fn append_field(field: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(field.len() as u16).to_be_bytes());
    out.extend_from_slice(field);
}

fn check_value(id: PropertyId, value: Value<'_>) -> Result<(), PropertyError> {
    let check_text = |value| text::check(value).map_err(|error| PropertyError::Text(id, error));
    match (value, id.kind()) {
        (Value::Int(value), Kind::Byte | Kind::TwoByteInteger | Kind::FourByteInteger | Kind::VariableByteInteger) => {
            let (low, high) = id.range();
            if value < low || value > high { Err(PropertyError::OutOfRange(id)) } else { Ok(()) }
        }
        (Value::Text(value), Kind::Text) => {
            check_text(value)?;
            if id == PropertyId::ResponseTopic {
                TopicName::new(value).map_err(PropertyError::Topic)?;
            }
            Ok(())
        }
        (Value::Binary(value), Kind::Binary) if value.len() > text::MAX_LENGTH => Err(PropertyError::TooLong(id)),
        (Value::Binary(_), Kind::Binary) => Ok(()),
        (Value::Pair(name, value), Kind::TextPair) => {
            check_text(name)?;
            check_text(value)?;
            Ok(())
        }
        _ => Err(PropertyError::WrongKind(id)),
    }
}
