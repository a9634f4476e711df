//! CONNECT (section 3.1) with its Will Message.

use super::error::{EncodeError, Fault};
use super::property::{Properties, PropertyId, Section};
use super::reader::Reader;
use super::writer;
use crate::types::topic::TopicName;
use crate::types::{PacketType, ProtocolVersion, QoS};
use std::fmt;

const PROTOCOL_NAME: &[u8] = b"MQTT";
const SECTION: Section = Section::Packet(PacketType::Connect);

const CLEAN_START: u8 = 0b0000_0010;
const WILL: u8 = 0b0000_0100;
const WILL_QOS_SHIFT: u8 = 3;
const WILL_RETAIN: u8 = 0b0010_0000;
const PASSWORD: u8 = 0b0100_0000;
const USER_NAME: u8 = 0b1000_0000;

#[derive(Clone, PartialEq, Eq)]
pub struct Connect<'a> {
    pub version: ProtocolVersion,
    /// Clean Start; in MQTT 3.1.1 Clean Session.
    pub clean_start: bool,
    /// Seconds; 0 turns Keep Alive off.
    pub keep_alive: u16,
    pub properties: Properties<'a>,
    pub client_id: &'a str,
    pub will: Option<Will<'a>>,
    pub user_name: Option<&'a str>,
    pub password: Option<&'a [u8]>,
}

/// The Will Message and how it is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will<'a> {
    pub topic: TopicName<'a>,
    pub payload: &'a [u8],
    pub qos: QoS,
    pub retain: bool,
    pub properties: Properties<'a>,
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("properties", &self.properties)
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            // A secret: only whether there is one.
            .field("password", &self.password.map(|_| "…"))
            .finish()
    }
}

impl<'a> Connect<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        if reader.binary()? != PROTOCOL_NAME {
            return Err(Fault::ProtocolVersion);
        }
        let version = match reader.u8()? {
            4 => ProtocolVersion::V311,
            5 => ProtocolVersion::V5,
            _ => return Err(Fault::ProtocolVersion),
        };
        let v5 = version == ProtocolVersion::V5;
        let flags = reader.u8()?;
        if flags & 1 != 0 {
            return Err(Fault::Reserved("the lowest Connect Flag"));
        }
        let keep_alive = reader.u16()?;
        let properties = if v5 { Properties::decode(reader, SECTION)? } else { Properties::EMPTY };
        let client_id = reader.text()?;
        let will_qos = QoS::from_u8(flags >> WILL_QOS_SHIFT & 3).ok_or(Fault::QoS)?;
        let will_retain = flags & WILL_RETAIN != 0;
        let will = if flags & WILL != 0 {
            let properties = if v5 { Properties::decode(reader, Section::Will)? } else { Properties::EMPTY };
            let topic = TopicName::new(reader.text()?).map_err(Fault::Topic)?;
            Some(Will { topic, payload: reader.binary()?, qos: will_qos, retain: will_retain, properties })
        } else if will_qos != QoS::AtMostOnce || will_retain {
            // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
            return Err(Fault::Reserved("Will QoS or Will Retain without a Will Message"));
        } else {
            None
        };
        let user_name = if flags & USER_NAME != 0 { Some(reader.text()?) } else { None };
        let password = if flags & PASSWORD != 0 { Some(reader.binary()?) } else { None };
        let clean_start = flags & CLEAN_START != 0;
        let connect = Connect { version, clean_start, keep_alive, properties, client_id, will, user_name, password };
        connect.contradiction().map_or(Ok(connect), |what| Err(Fault::Contradiction(what)))
    }

    /// What can't stand together in a CONNECT that is well-formed.
    fn contradiction(&self) -> Option<&'static str> {
        let has = |id| self.properties.nth(id, 0).is_some();
        if has(PropertyId::AuthenticationData) && !has(PropertyId::AuthenticationMethod) {
            // Section 3.1.2.11.10
            Some("Authentication Data without Authentication Method")
        } else if self.version == ProtocolVersion::V311 && self.password.is_some() && self.user_name.is_none() {
            // [MQTT311-3.1.2-22]
            Some("Password without User Name in MQTT 3.1.1")
        } else {
            None
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(what) = self.contradiction() {
            return Err(EncodeError::Contradiction(what));
        }
        let v5 = self.version == ProtocolVersion::V5;
        writer::binary("protocol name", PROTOCOL_NAME, out)?;
        out.push(self.version as u8);
        let mut flags = 0;
        if self.clean_start {
            flags |= CLEAN_START;
        }
        if let Some(will) = &self.will {
            flags |= WILL | (will.qos as u8) << WILL_QOS_SHIFT;
            if will.retain {
                flags |= WILL_RETAIN;
            }
        }
        if self.user_name.is_some() {
            flags |= USER_NAME;
        }
        if self.password.is_some() {
            flags |= PASSWORD;
        }
        out.push(flags);
        writer::u16(self.keep_alive, out);
        if v5 {
            self.properties.encode(SECTION, out)?;
        }
        // The fields of the payload stand in this order [MQTT-3.1.3-1].
        writer::text("Client Identifier", self.client_id, out)?;
        if let Some(will) = &self.will {
            if v5 {
                will.properties.encode(Section::Will, out)?;
            }
            writer::text("Will Topic", will.topic.as_str(), out)?;
            writer::binary("Will Payload", will.payload, out)?;
        }
        if let Some(user_name) = self.user_name {
            writer::text("User Name", user_name, out)?;
        }
        if let Some(password) = self.password {
            writer::binary("Password", password, out)?;
        }
        Ok(())
    }
}
