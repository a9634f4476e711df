//! A bounded cursor over received bytes.
//!
//! A length-prefixed region is taken as a slice of exactly that length and read by a cursor of its own, so that nothing
//! inside it can reach past its end.

use super::error::{DecodeError, Fault};
use super::varint;
use crate::types::PacketType;
use crate::types::text;
use std::num::NonZeroU16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// The packet of which everything is read that can be.
    lenient: Option<PacketType>,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, lenient: None }
    }

    /// One that reads on in spite of each fault that leaves such a packet readable.
    pub fn lenient(packet: PacketType, bytes: &'a [u8]) -> Self {
        Reader { bytes, lenient: Some(packet) }
    }

    /// One for a section of this one's, which was taken from it.
    pub fn inner(&self, bytes: &'a [u8]) -> Self {
        Reader { bytes, lenient: self.lenient }
    }

    /// Fails for this fault, unless it is to read on.
    pub fn refuse(&self, fault: Fault) -> Result<(), Fault> {
        let error = DecodeError { packet: self.lenient, fault };
        if self.lenient.is_some() && error.leaves_readable() { Ok(()) } else { Err(fault) }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, left) = self.bytes.split_at_checked(length).ok_or(Fault::Truncated)?;
        self.bytes = left;
        Ok(taken)
    }

    pub fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    pub fn u16(&mut self) -> Result<u16, Fault> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub fn u32(&mut self) -> Result<u32, Fault> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A Variable Byte Integer that must be complete.
    pub fn varint(&mut self) -> Result<u32, Fault> {
        let (value, used) = varint::decode(self.bytes)?.ok_or(Fault::Truncated)?;
        self.bytes = &self.bytes[used..];
        Ok(value)
    }

    /// Binary Data (section 1.5.6).
    pub fn binary(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// A UTF-8 Encoded String (section 1.5.4).
    pub fn text(&mut self) -> Result<&'a str, Fault> {
        text::from_bytes(self.binary()?).map_err(Fault::Text)
    }

    /// A Packet Identifier, never 0 \[MQTT-2.2.1-4\].
    pub fn packet_id(&mut self) -> Result<NonZeroU16, Fault> {
        NonZeroU16::new(self.u16()?).ok_or(Fault::PacketIdZero)
    }

    /// Fails if something is left over.
    pub fn end(&self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(Fault::TrailingBytes) }
    }
}
