//! What the options say to the parts that make a connection, watch it and examine it.

use super::{IntOption, Options};
use crate::client::address::{Address, Scheme};
use crate::client::log::LogSettings;
use crate::client::tls_options::TlsOptions;
use crate::client::ws_headers;
use crate::codec::property::PropertiesBuf;
use crate::session::limits::ServerLimits;
use crate::types::text;
use std::net::IpAddr;
use tungstenite::http::{HeaderName, HeaderValue};

/// What the doctor adds to the Client Identifier.
const DOCTOR: &str = "-doctor";

impl Options {
    pub(in crate::client) fn tls(&self) -> TlsOptions {
        TlsOptions {
            accept_any_certificate: self.flag(IntOption::TlsAcceptAnyCertificate),
            minimum_version: self.int(IntOption::TlsVersionMinimum),
            ..self.tls.clone()
        }
    }

    pub(in crate::client) fn ws_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        // It was parsed when it was set.
        self.ws_headers.as_ref().and_then(|headers| ws_headers::parse(headers).ok()).unwrap_or_default()
    }

    /// Whether a connection to the first Server can be begun without asking a resolver, a proxy or a disk.
    pub fn connect_at_once(&self) -> bool {
        let at_once = |address: &Address| address.scheme == Scheme::Mqtt && address.host.parse::<IpAddr>().is_ok();
        self.addresses.first().is_some_and(at_once) && self.proxy.is_none() && self.store_path.is_none()
    }

    /// The same for one Server and a client that leaves no trace there: its own identifier, no Will Message, no Session
    /// that outlives it.
    pub(in crate::client) fn for_doctor(&self, address: Address) -> Options {
        let mut options =
            Options { addresses: vec![address], will: None, log_file: None, store_path: None, ..self.clone() };
        if !options.client_id.is_empty() {
            // The longest one has to give way.
            let room = options.client_id.floor_char_boundary(text::MAX_LENGTH - DOCTOR.len());
            options.client_id.truncate(room);
            options.client_id.push_str(DOCTOR);
        }
        for (option, value) in [
            (IntOption::CleanStart, 1),
            (IntOption::SessionExpiry, 0),
            (IntOption::Reconnect, 0),
            // Before the other version of MQTT.
            (IntOption::ReconnectMinimum, 1),
            (IntOption::PublishEvents, 1),
            (IntOption::Acknowledge, 1),
            (IntOption::LogLevel, 4),
            (IntOption::LogEvents, 1),
        ] {
            options.put(option, value);
        }
        // It is told of each step, however few events the program wants to keep.
        let default = Options::default();
        for option in [IntOption::EventsMaximum, IntOption::EventsMaximumBytes, IntOption::EventsOverflow] {
            options.put(option, default.int(option));
        }
        options
    }

    /// Why a Server with these limits refuses the program's Will Message, and the connection with it.
    pub(in crate::client) fn will_against(&self, limits: &ServerLimits) -> Option<String> {
        let will = &self.will.as_ref()?.message;
        if will.qos > limits.maximum_qos {
            let (qos, most) = (will.qos as u8, limits.maximum_qos as u8);
            return Some(format!("the program's Will Message has QoS {qos}, but the Server takes QoS {most} at most"));
        }
        let is_refused = will.retain && !limits.retain_available;
        is_refused
            .then(|| "the program's Will Message is retained, but the Server keeps no retained messages".to_owned())
    }

    /// As `for_doctor`, to see whether anything answers: whose certificate it shows doesn't matter, and no secret is sent.
    pub(in crate::client) fn for_probe(&self, address: Address, timeout_ms: i64) -> Options {
        let mut options = self.for_doctor(address);
        (options.user_name, options.password) = (None, None);
        (options.authentication_method, options.authentication_data) = (None, None);
        options.ws_headers = None;
        options.connect_user_properties = PropertiesBuf::new();
        options.tls = TlsOptions::default();
        options.put(IntOption::TlsAcceptAnyCertificate, 1);
        options.put(IntOption::ConnectTimeout, timeout_ms);
        options.put(IntOption::ProtocolFallback, 0);
        options
    }

    pub(super) fn put(&mut self, option: IntOption, value: i64) {
        self.ints[option.row()] = value;
    }

    pub(in crate::client) fn log(&self) -> LogSettings {
        LogSettings {
            level: self.int(IntOption::LogLevel),
            events: self.flag(IntOption::LogEvents),
            file: self.log_file.clone(),
            file_bytes: self.int(IntOption::LogFileBytes) as u64,
            files: self.int(IntOption::LogFiles) as u32,
        }
    }
}
