//! What the options say to the Session beside plain numbers.

use super::{IntOption, Options};
use crate::codec::property::{PropertiesBuf, PropertyId, Value};
use crate::session::authentication::{Authentication, Mechanism};
use crate::session::options::{Deduplicate, MessageKey};
use crate::session::scram::{self, Credentials};
use crate::types::ProtocolVersion;
use crate::types::status::{Failure, Status};

impl Options {
    /// The version of MQTT that is tried first.
    pub(super) fn version(&self) -> ProtocolVersion {
        match self.int(IntOption::ProtocolVersion) {
            4 => ProtocolVersion::V311,
            _ => ProtocolVersion::V5,
        }
    }

    /// What DISCONNECT says when the program frees its client.
    pub(in crate::client) fn last_words(&self) -> PropertiesBuf {
        let mut properties = PropertiesBuf::new();
        if self.client_id.is_empty() && self.version() == ProtocolVersion::V5 {
            // The Server made up the Client Identifier: nobody can ever resume the Session.
            let _ = properties.set(PropertyId::SessionExpiryInterval, Value::Int(0));
        }
        properties
    }

    pub(super) fn deduplicate(&self) -> Option<Deduplicate> {
        let key = match &self.deduplicate_by {
            Some(name) => MessageKey::UserProperty(name.clone()),
            None => MessageKey::CorrelationData,
        };
        let window = self.int(IntOption::DeduplicationWindow) as usize;
        let how = self.int(IntOption::Deduplicate);
        (how > 0).then_some(Deduplicate { key, window, suppress: how > 1 })
    }

    /// SCRAM-SHA-256 is done by the library, unless the program brings data of its own for it.
    pub(super) fn authentication(
        &self,
        version: ProtocolVersion,
        falls_back: bool,
    ) -> Result<Option<Authentication>, Failure> {
        let wrong = |text: &str| Err(Status::WrongState.because(text));
        let Some(method) = &self.authentication_method else {
            return match self.authentication_data {
                Some(_) => wrong("AUTHENTICATION_DATA needs an AUTHENTICATION_METHOD"),
                None => Ok(None),
            };
        };
        if version == ProtocolVersion::V311 || falls_back {
            return wrong(
                "MQTT 3.1.1 has no Enhanced Authentication: unset AUTHENTICATION_METHOD, or set PROTOCOL_VERSION to 5 and \
                 PROTOCOL_FALLBACK to 0",
            );
        }
        let mechanism = match (&self.authentication_data, &self.user_name, &self.password) {
            (data, ..) if method != scram::METHOD || data.is_some() => Mechanism::Program { data: data.clone() },
            (_, Some(user_name), Some(password)) => {
                let credentials = Credentials::new(user_name, password);
                Mechanism::Scram(credentials.map_err(|text| Status::WrongState.because(text))?)
            }
            _ => return wrong("SCRAM-SHA-256 needs USER_NAME and PASSWORD"),
        };
        Ok(Some(Authentication { method: method.clone(), mechanism }))
    }
}
