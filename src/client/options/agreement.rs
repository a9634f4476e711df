//! What programs on a shared connection have to agree on: every option but those of a program's own queue and calls.

use super::{INT_OPTIONS, IntOption, Options};
use crate::session::authentication::Mechanism;
use crate::types::status::{Failure, Status};

/// Options that each program has for itself.
const OWN: [IntOption; 7] = [
    IntOption::QueueQos0,
    IntOption::EventsMaximum,
    IntOption::EventsMaximumBytes,
    IntOption::EventsOverflow,
    IntOption::WaitMaximum,
    IntOption::PublishEvents,
    IntOption::SharedRelease,
];

impl Options {
    /// The first option that another program has set otherwise.
    pub(in crate::client) fn difference(&self, other: &Options) -> Option<&'static str> {
        let ints = INT_OPTIONS.iter().zip(&self.ints).zip(&other.ints);
        let mut ints = ints.filter(|((row, mine), theirs)| mine != theirs && !OWN.contains(&row.option));
        if let Some(((row, _), _)) = ints.next() {
            return Some(row.name);
        }
        let will =
            |options: &Options| options.will.as_ref().map(|will| (will.message.clone(), will.properties.clone()));
        let rest = [
            ("URL", self.addresses != other.addresses),
            ("SERVER_REFERENCE_HOSTS", self.server_reference_hosts != other.server_reference_hosts),
            ("CLIENT_ID", self.client_id != other.client_id),
            ("USER_NAME", self.user_name != other.user_name),
            ("PASSWORD", self.password != other.password),
            ("RESPONSE_TOPIC", self.response_topic != other.response_topic),
            ("TLS_CA", self.tls.ca != other.tls.ca),
            ("TLS_CRL", self.tls.crl != other.tls.crl),
            ("TLS_CLIENT_CERTIFICATE", self.tls.client_certificate != other.tls.client_certificate),
            ("TLS_CLIENT_KEY", self.tls.client_key != other.tls.client_key),
            ("TLS_CLIENT_KEY_PASSWORD", self.tls.client_key_password != other.tls.client_key_password),
            ("TLS_ALPN", self.tls.alpn != other.tls.alpn),
            ("TLS_SERVER_NAME", self.tls.server_name != other.tls.server_name),
            ("TLS_PINS", self.tls.pins != other.tls.pins),
            ("PROXY", self.proxy != other.proxy),
            ("WS_HEADERS", self.ws_headers != other.ws_headers),
            ("LOG_FILE", self.log_file != other.log_file),
            ("AUTHENTICATION_METHOD", self.authentication_method != other.authentication_method),
            ("AUTHENTICATION_DATA", self.authentication_data != other.authentication_data),
            ("STORE_PATH", self.store_path != other.store_path),
            ("DEDUPLICATE_BY", self.deduplicate_by != other.deduplicate_by),
            ("the Will Message", will(self) != will(other)),
            ("CONNECT's User Properties", self.connect_user_properties != other.connect_user_properties),
        ];
        rest.into_iter().find(|(_, differs)| *differs).map(|(name, _)| name)
    }

    /// Whether a Session with these options is the one of those.
    pub(in crate::client) fn has_session_of(&self, other: &Options) -> bool {
        self.client_id == other.client_id && self.addresses == other.addresses
    }

    /// Checks that a shared connection can be made with these options.
    pub(in crate::client) fn check_for_sharing(&self) -> Result<(), Failure> {
        let refused = |text: &str| Err(Status::WrongState.because(text));
        if self.int(IntOption::Progress) > 0 {
            return refused("option PROGRESS can't be used on a shared connection: set it to 0");
        }
        match self.session_options()?.authentication.map(|authentication| authentication.mechanism) {
            Some(Mechanism::Program { .. }) => refused(
                "on a shared connection the steps of an authentication are nobody's: AUTHENTICATION_METHOD can be \
                 SCRAM-SHA-256 without AUTHENTICATION_DATA",
            ),
            _ => Ok(()),
        }
    }

    /// The options of the connection itself, which hands all events on: one program's small queue is not that of all.
    pub(in crate::client) fn for_shared_connection(&self) -> Options {
        let mut options = Options { every_end: true, ..self.clone() };
        for limit in [IntOption::EventsMaximum, IntOption::EventsMaximumBytes] {
            options.put(limit, self.int(limit).max(Options::default().int(limit)));
        }
        options.put(IntOption::PublishEvents, 1);
        options.put(IntOption::QueueQos0, 1);
        options.put(IntOption::EventsOverflow, 0);
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::options::{IntRow, TEXT_OPTIONS, takes_integer};
    use crate::codec::message::Message;
    use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
    use crate::types::QoS;
    use crate::types::topic::TopicName;

    /// A value of this text option that isn't its default.
    fn other_text(name: &str) -> &'static str {
        match name {
            "URL" => "mqtt://127.0.0.1",
            "SERVER_REFERENCE_HOSTS" => "other.example",
            "TLS_PINS" => "0000000000000000000000000000000000000000000000000000000000000000",
            "PROXY" => "http://127.0.0.1:3128",
            "WS_HEADERS" => "Name: value",
            _ => "other",
        }
    }

    #[test]
    fn every_option_that_differs_is_named_unless_it_is_a_program_s_own() {
        let defaults = Options::default();
        assert_eq!(defaults.difference(&Options::default()), None);
        for IntRow { option, name, low, high, default, .. } in INT_OPTIONS {
            let mut options = Options::default();
            options.put(*option, if default == low { *high } else { *low });
            let expected = (!OWN.contains(option)).then_some(*name);
            assert_eq!((options.difference(&defaults), defaults.difference(&options)), (expected, expected), "{name}");
        }
        for (id, name) in TEXT_OPTIONS {
            assert!(!takes_integer(*id));
            let mut options = Options::default();
            options.set_text(*id, Some(other_text(name)), true).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(options.difference(&defaults), Some(*name));
            assert_eq!(options.difference(&options.clone()), None, "{name}");
        }
    }

    #[test]
    fn the_will_message_and_the_properties_of_connect_are_among_them() {
        let defaults = Options::default();
        let message = Message::new(TopicName::new("t").unwrap(), b"", QoS::AtMostOnce, false, Properties::EMPTY);
        let mut options = Options::default();
        options.set_will(Some((message, PropertiesBuf::new())), true).unwrap();
        assert_eq!(options.difference(&defaults), Some("the Will Message"));
        let mut properties = PropertiesBuf::new();
        properties.add(PropertyId::UserProperty, Value::Pair("name", "value")).unwrap();
        let mut options = Options::default();
        options.set_connect_properties(properties, true).unwrap();
        assert_eq!(options.difference(&defaults), Some("CONNECT's User Properties"));
    }
}
