//! A set of properties that is read or sent.
//!
//! It is kept as the bytes of the wire, checked once when it is made. So order and repetition are kept, nothing is copied
//! to read it, and passing it on costs one `memcpy`.

use super::{PropertyError, PropertyId, Section, Value, read_value};
use crate::codec::error::{EncodeError, Fault};
use crate::codec::reader::Reader;
use crate::codec::varint;
use std::fmt;

/// A set of properties that has been checked, as its bytes on the wire without the Property Length.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Properties<'a> {
    bytes: &'a [u8],
}

struct Iter<'a>(Reader<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = (PropertyId, Value<'a>);

    // Each publish comes by here several times, and few of them want more than the identifier.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let id = PropertyId::from_u32(self.0.varint().ok()?)?;
        let value = read_value(id, &mut self.0).ok()?;
        Some((id, value))
    }
}

impl<'a> Properties<'a> {
    pub const EMPTY: Properties<'static> = Properties { bytes: &[] };

    /// Reads the Property Length and exactly that many bytes, and checks them for `section`.
    pub(in crate::codec) fn decode(reader: &mut Reader<'a>, section: Section) -> Result<Self, Fault> {
        let length = reader.varint()?;
        let bytes = reader.take(length as usize)?;
        Self::check(bytes, reader.inner(bytes), section)
    }

    fn check(bytes: &'a [u8], mut reader: Reader<'a>, section: Section) -> Result<Self, Fault> {
        let mut seen = 0u64;
        while !reader.is_empty() {
            let id = read_id(&mut reader)?;
            if !id.allowed_in(section) {
                reader.refuse(Fault::PropertyNotAllowed(id))?;
            }
            let bit = 1 << id as u64;
            if seen & bit != 0 && !id.repeats_in(section) {
                return Err(Fault::DuplicateProperty(id));
            }
            seen |= bit;
            check_range(id, read_value(id, &mut reader)?).or_else(|fault| reader.refuse(fault))?;
        }
        Ok(Properties { bytes })
    }

    /// The set in `bytes`, if they are one; which packet it stood in nobody knows any more.
    pub(crate) fn from_stored(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let id = read_id(&mut reader).ok()?;
            check_range(id, read_value(id, &mut reader).ok()?).ok()?;
        }
        Some(Properties { bytes })
    }

    /// The set in `bytes`, which were taken from a checked set by [`Properties::as_bytes`].
    pub(crate) fn from_checked(bytes: &'a [u8]) -> Self {
        Properties { bytes }
    }

    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The properties in their order.
    pub fn iter(self) -> impl Iterator<Item = (PropertyId, Value<'a>)> {
        Iter(Reader::new(self.bytes))
    }

    /// The occurrence number `index` (from 0) of a property.
    // Most messages have none: that is seen where it is asked for.
    #[inline]
    pub fn nth(self, wanted: PropertyId, index: usize) -> Option<Value<'a>> {
        if self.is_empty() { None } else { self.find(wanted, index) }
    }

    fn find(self, wanted: PropertyId, index: usize) -> Option<Value<'a>> {
        self.iter().filter(|(id, _)| *id == wanted).nth(index).map(|(_, value)| value)
    }

    pub fn int(self, id: PropertyId) -> Option<u32> {
        match self.nth(id, 0)? {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    pub fn text(self, id: PropertyId) -> Option<&'a str> {
        match self.nth(id, 0)? {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }

    pub fn binary(self, id: PropertyId) -> Option<&'a [u8]> {
        match self.nth(id, 0)? {
            Value::Binary(value) => Some(value),
            _ => None,
        }
    }

    /// Where in the bytes the value of a property begins, if it is there.
    pub(in crate::codec) fn position(self, wanted: PropertyId) -> Option<usize> {
        let mut reader = Reader::new(self.bytes);
        loop {
            let id = PropertyId::from_u32(reader.varint().ok()?)?;
            if id == wanted {
                return Some(self.bytes.len() - reader.rest().len());
            }
            read_value(id, &mut reader).ok()?;
        }
    }

    /// The first property that can't stand in `section`, and why.
    #[inline]
    pub fn check_for(self, section: Section) -> Result<(), PropertyError> {
        if self.is_empty() { Ok(()) } else { self.check_each_for(section) }
    }

    fn check_each_for(self, section: Section) -> Result<(), PropertyError> {
        let mut seen = 0u64;
        for (id, _) in self.iter() {
            if !id.allowed_in(section) {
                return Err(PropertyError::NotAllowed(id));
            }
            let bit = 1 << id as u64;
            if seen & bit != 0 && !id.repeats_in(section) {
                return Err(PropertyError::Twice(id));
            }
            seen |= bit;
        }
        Ok(())
    }

    /// Appends the Property Length and the properties.
    pub(in crate::codec) fn encode(self, section: Section, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.check_for(section).map_err(EncodeError::Property)?;
        if self.bytes.len() > varint::MAX as usize {
            return Err(EncodeError::TooLarge { size: self.bytes.len(), maximum: varint::MAX as usize });
        }
        varint::encode(self.bytes.len() as u32, out);
        out.extend_from_slice(self.bytes);
        Ok(())
    }
}

fn read_id(reader: &mut Reader<'_>) -> Result<PropertyId, Fault> {
    let code = reader.varint()?;
    PropertyId::from_u32(code).ok_or(Fault::UnknownProperty(code))
}

/// Whether a Response Topic is a Topic Name is not looked at: Servers pass on what a publisher wrote.
fn check_range(id: PropertyId, value: Value<'_>) -> Result<(), Fault> {
    match value {
        Value::Int(value) if value < id.range().0 || value > id.range().1 => Err(Fault::PropertyValue(id)),
        _ => Ok(()),
    }
}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (id, value) in self.iter() {
            match id {
                // Secrets don't belong in any log.
                PropertyId::AuthenticationData => map.entry(&id, &"…"),
                _ => map.entry(&id, &value),
            };
        }
        map.finish()
    }
}
