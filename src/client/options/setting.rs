//! Setting options: what each takes, and why another value is refused.

use super::texts::*;
use super::{IntRow, Options, int_row};
use crate::client::address::Address;
use crate::client::proxy::Proxy;
use crate::client::publishing::check_payload_format;
use crate::client::{Failure, redirect, ws_headers};
use crate::codec::message::Message;
use crate::codec::property::{PropertiesBuf, PropertyId};
use crate::session::options::WillMessage;
use crate::types::status::Status;
use crate::types::text;
use crate::types::topic::TopicName;
use zeroize::Zeroizing;

/// Longest text of an option that isn't MQTT's: a file of many certificates fits.
const LONGEST_TEXT: usize = 4 * 1024 * 1024;

impl Options {
    /// Sets an integer option. `idle` says whether the client is idle.
    pub fn set_int(&mut self, id: i32, value: i64, idle: bool) -> Result<(), Failure> {
        let Some(IntRow { option, name, low, high, is_live, .. }) = int_row(id) else {
            return Err(match text_name(id) {
                Some(name) => (Status::WrongType, format!("option {name} takes a text, not an integer")),
                None => (Status::InvalidArgument, format!("there is no option {id}")),
            });
        };
        if !(*low..=*high).contains(&value) {
            return Err((Status::OutOfRange, format!("option {name} takes {low} to {high}, not {value}")));
        }
        if !is_live {
            require_idle(name, idle)?;
        }
        self.put(*option, value);
        Ok(())
    }

    /// Sets a text option; `None` puts it back to its default.
    pub fn set_text(&mut self, id: i32, value: Option<&str>, idle: bool) -> Result<(), Failure> {
        let Some(name) = text_name(id) else {
            return Err(match int_row(id) {
                Some(row) => (Status::WrongType, format!("option {} takes an integer, not a text", row.name)),
                None => (Status::InvalidArgument, format!("there is no option {id}")),
            });
        };
        if id != LOG_FILE {
            require_idle(name, idle)?;
        }
        let refused = |why: String| (Status::OutOfRange, why);
        if let Some(value) = value {
            check_text(id, value).map_err(|why| refused(format!("option {name}: {why}")))?;
        }
        // Not of a secret, which would be given back as it is.
        let owned = || value.map(str::to_owned);
        let secret = || value.map(|value| Zeroizing::new(value.as_bytes().to_vec()));
        match id {
            RESPONSE_TOPIC => {
                value.map_or(Ok(()), check_response_topic).map_err(refused)?;
                self.response_topic = owned().unwrap_or_default();
            }
            SERVER_REFERENCE_HOSTS => {
                let hosts = value.map(redirect::parse_hosts).transpose().map_err(refused)?;
                self.server_reference_hosts = hosts.unwrap_or_default();
            }
            URL => self.addresses = value.map(Address::parse_list).transpose().map_err(refused)?.unwrap_or_default(),
            CLIENT_ID => self.client_id = owned().unwrap_or_default(),
            USER_NAME => self.user_name = owned(),
            PASSWORD => self.password = secret(),
            LOG_FILE => self.log_file = value.map(whole_path),
            DEDUPLICATE_BY => self.deduplicate_by = owned(),
            STORE_PATH => {
                // Opened anew after a failure, it is the same one, wherever the process has gone meanwhile.
                let whole = value.map(std::path::absolute).transpose();
                self.store_path = whole.map_err(|error| refused(format!("option STORE_PATH: {error}")))?;
            }
            PROXY => self.proxy = value.map(Proxy::parse).transpose().map_err(refused)?,
            AUTHENTICATION_METHOD => self.authentication_method = owned(),
            AUTHENTICATION_DATA => self.authentication_data = secret(),
            WS_HEADERS => {
                value.map(ws_headers::parse).transpose().map_err(refused)?;
                self.ws_headers = value.map(|value| Zeroizing::new(value.to_owned()));
            }
            _ => self.tls.set(id, value).map_err(refused)?,
        }
        Ok(())
    }

    /// Sets an option that takes bytes; `None` puts it back to its default.
    pub fn set_bytes(&mut self, id: i32, value: Option<&[u8]>, idle: bool) -> Result<(), Failure> {
        if !matches!(id, PASSWORD | AUTHENTICATION_DATA) {
            let known = text_name(id).or(int_row(id).map(|row| row.name));
            return Err(match known {
                Some(name) => (Status::WrongType, format!("option {name} doesn't take bytes")),
                None => (Status::InvalidArgument, format!("there is no option {id}")),
            });
        }
        let name = text_name(id).unwrap_or_default();
        require_idle(name, idle)?;
        if value.is_some_and(|value| value.len() > text::MAX_LENGTH) {
            return Err((Status::OutOfRange, format!("option {name} takes at most 65,535 bytes")));
        }
        let value = value.map(|value| Zeroizing::new(value.to_vec()));
        match id {
            AUTHENTICATION_DATA => self.authentication_data = value,
            _ => self.password = value,
        }
        Ok(())
    }

    /// Sets or clears the Will Message. `properties` are those of the Will section of CONNECT.
    pub fn set_will(&mut self, will: Option<(Message, PropertiesBuf)>, idle: bool) -> Result<(), Failure> {
        require_idle("will", idle)?;
        if let Some((message, _)) = &will
            && message.payload().len() > text::MAX_LENGTH
        {
            return Err((Status::TooLarge, "the payload of a Will Message has at most 65,535 bytes".to_owned()));
        }
        if let Some((message, properties)) = &will {
            // Section 3.1.3.2.3
            check_payload_format(message.payload(), properties.as_properties())?;
        }
        self.will = will.map(|(message, properties)| WillMessage { message, properties });
        Ok(())
    }

    /// Sets the User Properties of CONNECT; nothing else may stand in `properties`.
    pub fn set_connect_properties(&mut self, properties: PropertiesBuf, idle: bool) -> Result<(), Failure> {
        require_idle("CONNECT's User Properties", idle)?;
        let other = properties.as_properties().iter().map(|(id, _)| id).find(|id| *id != PropertyId::UserProperty);
        if let Some(id) = other {
            let text = format!(
                "{} is no property to be set for CONNECT: User Properties are, the rest are options",
                id.name()
            );
            return Err((Status::InvalidArgument, text));
        }
        self.connect_user_properties = properties;
        Ok(())
    }
}

/// The file that a path names now: opened again, it is the same one, wherever the process has gone meanwhile.
pub(in crate::client) fn whole_path(path: &str) -> String {
    let whole = std::path::absolute(path).ok().and_then(|whole| whole.into_os_string().into_string().ok());
    whole.unwrap_or_else(|| path.to_owned())
}

/// The error says what is wrong, in words.
fn check_text(id: i32, value: &str) -> Result<(), String> {
    match id {
        AUTHENTICATION_METHOD if value.is_empty() => Err("the text is empty".to_owned()),
        URL | CLIENT_ID | USER_NAME | PASSWORD | RESPONSE_TOPIC | AUTHENTICATION_METHOD | AUTHENTICATION_DATA => {
            text::check(value).map(|_| ()).map_err(|error| error.to_string())
        }
        _ if value.len() > LONGEST_TEXT => Err("the text is longer than 4 MiB".to_owned()),
        _ if value.is_empty() => Err("the text is empty".to_owned()),
        _ => Ok(()),
    }
}

fn check_response_topic(topic: &str) -> Result<(), String> {
    TopicName::new(topic).map_err(|error| format!("option RESPONSE_TOPIC is no Topic Name: {error}"))?;
    // It is also subscribed to, and responses are for this client alone.
    if topic.starts_with("$share/") {
        return Err("option RESPONSE_TOPIC can't begin with $share/".to_owned());
    }
    Ok(())
}

fn require_idle(name: &str, idle: bool) -> Result<(), Failure> {
    if idle {
        return Ok(());
    }
    Err((Status::WrongState, format!("option {name} can be set only while the client is idle: call disconnect first")))
}
