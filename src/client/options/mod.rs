//! Every option: id, name, range and default, once. What a program sets is checked here, at the call.

mod agreement;
mod network;
mod session;
mod setting;
mod texts;

pub(super) use setting::whole_path;
pub use texts::*;

use super::address::Address;
use super::proxy::Proxy;
use super::seed;
use super::store::Identity;
use super::tls_options::TlsOptions;
use crate::codec::LARGEST_PACKET;
use crate::codec::property::PropertiesBuf;
use crate::session::options::{Acknowledge, OutgoingOverflow, PayloadFormatCheck, SessionOptions, WillMessage};
use crate::types::ProtocolVersion;
use crate::types::status::{Failure, Status};
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// A row of the table of integer options.
struct IntRow {
    option: IntOption,
    name: &'static str,
    low: i64,
    high: i64,
    default: i64,
    /// It may be set at any time, and not only while the client is idle.
    is_live: bool,
}

/// Makes the ids and the table of the integer options from the same rows: id, name, range, default, and whether it is live.
macro_rules! int_options {
    ($($variant:ident = $id:literal, $name:literal, $low:expr => $high:expr, $default:expr, $live:literal;)*) => {
        /// The integer options.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(i32)]
        pub enum IntOption { $($variant = $id,)* }

        const INT_OPTIONS: &[IntRow] = &[$(IntRow {
            option: IntOption::$variant, name: $name, low: $low, high: $high, default: $default, is_live: $live,
        },)*];

        impl IntOption {
            /// Which row of the table is its own. Not looked for: a publish asks for four of them.
            const fn row(self) -> usize {
                enum Row { $($variant,)* }
                match self { $(IntOption::$variant => Row::$variant as usize,)* }
            }
        }
    };
}

/// A few Packet Identifiers stay free for SUBSCRIBE and UNSUBSCRIBE.
const MOST_IN_FLIGHT: i64 = 65_500;
/// Enough for 10,000 messages a second at a round trip of 50 ms. Servers search lists of what is on its way: Mosquitto 2.0.11
/// completes a quarter fewer QoS 2 messages in a second when it may be 2,000, and a fifth as many when it may be all.
const IN_FLIGHT_V5: i64 = 500;
/// MQTT 3.1.1 has no Receive Maximum. Servers have one all the same and close the connection without a word when it is
/// exceeded, Mosquitto at 20 QoS 2 messages; the client would come back, send the same again, and so on for ever.
const IN_FLIGHT_V311: i64 = 20;
const MIB: i64 = 1024 * 1024;
/// Ten minutes, in milliseconds: nobody means to wait longer.
const LONGEST_MS: i64 = 600_000;

int_options! {
    ProtocolVersion = 10, "PROTOCOL_VERSION", 4 => 5, 5, false;
    CleanStart = 11, "CLEAN_START", 0 => 1, 1, false;
    SessionExpiry = 12, "SESSION_EXPIRY_S", 0 => u32::MAX as i64, 3600, false;
    KeepAlive = 13, "KEEP_ALIVE_S", 0 => 65_535, 30, false;
    ReceiveMaximum = 14, "RECEIVE_MAXIMUM", 1 => 65_535, 1024, false;
    // Below 64 bytes not even a Server's CONNACK may fit.
    MaximumPacketSize = 15, "MAXIMUM_PACKET_SIZE", 64 => LARGEST_PACKET as i64, 16 * MIB, false;
    // 0 chooses by the protocol version.
    InFlightMaximum = 16, "IN_FLIGHT_MAXIMUM", 0 => MOST_IN_FLIGHT, 0, false;
    TopicAliasMaximum = 100, "TOPIC_ALIAS_MAXIMUM", 0 => 65_535, 0, false;
    OutgoingTopicAliasMaximum = 101, "OUTGOING_TOPIC_ALIAS_MAXIMUM", 0 => 65_535, 64, false;
    ProtocolFallback = 102, "PROTOCOL_FALLBACK", 0 => 1, 0, false;
    Strict = 103, "STRICT", 0 => 1, 0, false;
    PayloadFormatCheck = 104, "PAYLOAD_FORMAT_CHECK", 0 => 2, 1, false;
    RequestProblemInformation = 18, "REQUEST_PROBLEM_INFORMATION", 0 => 1, 1, false;
    RequestResponseInformation = 19, "REQUEST_RESPONSE_INFORMATION", 0 => 1, 0, false;
    Reconnect = 30, "RECONNECT", 0 => 1, 1, false;
    ConnectTimeout = 31, "CONNECT_TIMEOUT_MS", 100 => LONGEST_MS, 10_000, false;
    ReconnectMinimum = 32, "RECONNECT_MIN_MS", 1 => LONGEST_MS, 250, false;
    ReconnectMaximum = 33, "RECONNECT_MAX_MS", 1 => 24 * 3_600_000, 30_000, false;
    PingTimeout = 34, "PING_TIMEOUT_MS", 100 => LONGEST_MS, 10_000, false;
    AnswerTimeout = 35, "ANSWER_TIMEOUT_MS", 0 => LONGEST_MS, 30_000, false;
    OutgoingMaximum = 40, "OUTGOING_MAXIMUM", 1 => 10_000_000, 100_000, false;
    OutgoingMaximumBytes = 41, "OUTGOING_MAXIMUM_BYTES", 1024 => 4096 * MIB, 64 * MIB, false;
    OutgoingOverflow = 42, "OUTGOING_OVERFLOW", 0 => 2, 0, false;
    QueueQos0 = 43, "QUEUE_QOS0", 0 => 1, 1, true;
    EventsMaximum = 44, "EVENTS_MAXIMUM", 1 => 10_000_000, 100_000, true;
    EventsMaximumBytes = 45, "EVENTS_MAXIMUM_BYTES", 1024 => 4096 * MIB, 64 * MIB, true;
    EventsOverflow = 46, "EVENTS_OVERFLOW", 0 => 1, 0, true;
    Acknowledge = 50, "ACKNOWLEDGE", 0 => 2, 1, false;
    // The terminal kills a program that doesn't come back within about 2.5 s, and this library can't see its stop flag.
    WaitMaximum = 51, "WAIT_MAXIMUM_MS", 1 => LONGEST_MS, 250, true;
    PublishEvents = 52, "PUBLISH_EVENTS", 0 => 1, 1, true;
    TlsAcceptAnyCertificate = 120, "TLS_ACCEPT_ANY_CERTIFICATE", 0 => 1, 0, false;
    TlsVersionMinimum = 121, "TLS_VERSION_MINIMUM", 12 => 13, 12, false;
    PriorityReserve = 160, "PRIORITY_RESERVE", 0 => 65_535, 0, false;
    Deduplicate = 163, "DEDUPLICATE", 0 => 2, 0, false;
    DeduplicationWindow = 165, "DEDUPLICATION_WINDOW", 1 => 1_000_000, 10_000, false;
    Progress = 161, "PROGRESS", 0 => 2, 0, false;
    SharedRelease = 300, "SHARED_RELEASE_S", 1 => 3600, 10, false;
    LogLevel = 140, "LOG_LEVEL", 0 => 5, 0, true;
    LogEvents = 141, "LOG_EVENTS", 0 => 1, 1, true;
    LogFileBytes = 142, "LOG_FILE_BYTES", 4096 => 1024 * MIB, 10 * MIB, true;
    LogFiles = 143, "LOG_FILES", 1 => 100, 3, true;
}

#[derive(Clone)]
pub struct Options {
    /// In the order of preference; empty if none is named.
    pub addresses: Vec<Address>,
    /// Where a Server may send us.
    pub server_reference_hosts: Vec<String>,
    client_id: String,
    user_name: Option<String>,
    response_topic: String,
    password: Option<Zeroizing<Vec<u8>>>,
    tls: TlsOptions,
    pub proxy: Option<Proxy>,
    ws_headers: Option<Zeroizing<String>>,
    log_file: Option<String>,
    authentication_method: Option<String>,
    authentication_data: Option<Zeroizing<Vec<u8>>>,
    /// The folder of the store.
    pub store_path: Option<PathBuf>,
    /// The name of a User Property.
    deduplicate_by: Option<String>,
    will: Option<WillMessage>,
    connect_user_properties: PropertiesBuf,
    /// Random bytes of this client.
    seed: [u8; 32],
    ints: Vec<i64>,
    /// Of a shared connection: see [`SessionOptions::every_end`].
    every_end: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            addresses: Vec::new(),
            server_reference_hosts: Vec::new(),
            client_id: String::new(),
            user_name: None,
            password: None,
            response_topic: String::new(),
            tls: TlsOptions::default(),
            proxy: None,
            ws_headers: None,
            log_file: None,
            authentication_method: None,
            authentication_data: None,
            store_path: None,
            deduplicate_by: None,
            will: None,
            connect_user_properties: PropertiesBuf::new(),
            seed: seed::of_a_client(),
            ints: INT_OPTIONS.iter().map(|row| row.default).collect(),
            every_end: false,
        }
    }
}

impl Options {
    pub fn int(&self, option: IntOption) -> i64 {
        self.ints[option.row()]
    }

    pub fn flag(&self, option: IntOption) -> bool {
        self.int(option) != 0
    }

    pub fn milliseconds(&self, option: IntOption) -> Duration {
        Duration::from_millis(self.int(option) as u64)
    }

    /// Checks what only the whole can show, and makes the Session's part of it.
    pub fn session_options(&self) -> Result<SessionOptions, Failure> {
        let version = self.version();
        let fall_back_to_v311 = self.flag(IntOption::ProtocolFallback);
        if (version == ProtocolVersion::V311 || fall_back_to_v311)
            && self.password.is_some()
            && self.user_name.is_none()
        {
            let text = "MQTT 3.1.1 allows a PASSWORD only together with a USER_NAME".to_owned();
            return Err(Status::WrongState.because(text));
        }
        if self.store_path.is_some() && (self.client_id.is_empty() || self.int(IntOption::SessionExpiry) == 0) {
            let text = "STORE_PATH needs a CLIENT_ID, and a SESSION_EXPIRY_S above 0: it is for a Session that goes on";
            return Err(Status::WrongState.because(text));
        }
        let in_flight_maximum = |default| match self.int(IntOption::InFlightMaximum) {
            0 => default as u16,
            chosen => chosen as u16,
        };
        Ok(SessionOptions {
            version,
            fall_back_to_v311,
            client_id: self.client_id.clone(),
            clean_start: self.flag(IntOption::CleanStart),
            session_expiry_interval: self.int(IntOption::SessionExpiry) as u32,
            keep_alive: self.int(IntOption::KeepAlive) as u16,
            receive_maximum: self.int(IntOption::ReceiveMaximum) as u16,
            maximum_packet_size: self.int(IntOption::MaximumPacketSize) as u32,
            in_flight_maximum: in_flight_maximum(IN_FLIGHT_V5),
            in_flight_maximum_v311: in_flight_maximum(IN_FLIGHT_V311),
            topic_alias_maximum: self.int(IntOption::TopicAliasMaximum) as u16,
            outgoing_topic_alias_maximum: self.int(IntOption::OutgoingTopicAliasMaximum) as u16,
            request_problem_information: self.flag(IntOption::RequestProblemInformation),
            request_response_information: self.flag(IntOption::RequestResponseInformation),
            user_properties: self.connect_user_properties.clone(),
            response_topic: self.response_topic.clone(),
            seed: self.seed,
            authentication: self.authentication(version, fall_back_to_v311)?,
            authentication_timeout: self.milliseconds(IntOption::ConnectTimeout),
            user_name: self.user_name.clone(),
            password: self.password.clone(),
            will: self.will.clone(),
            acknowledge: self.acknowledge(),
            payload_format_check: match self.int(IntOption::PayloadFormatCheck) {
                0 => PayloadFormatCheck::Off,
                1 => PayloadFormatCheck::Report,
                _ => PayloadFormatCheck::Refuse,
            },
            strict: self.flag(IntOption::Strict),
            ping_timeout: self.milliseconds(IntOption::PingTimeout),
            answer_timeout: self.milliseconds(IntOption::AnswerTimeout),
            outgoing_maximum: self.int(IntOption::OutgoingMaximum) as usize,
            outgoing_maximum_bytes: self.int(IntOption::OutgoingMaximumBytes) as usize,
            outgoing_overflow: self.outgoing_overflow(),
            deduplicate: self.deduplicate(),
            progress: self.flag(IntOption::Progress),
            every_end: self.every_end,
            waits_to_publish: self.every_end,
            priority_reserve: self.int(IntOption::PriorityReserve) as u16,
        })
    }

    /// The store's folder, and whose Session is kept there; `None` without a store or a Server.
    pub fn store(&self) -> Option<(PathBuf, Identity)> {
        let folder = self.store_path.clone().filter(|_| !self.addresses.is_empty())?;
        let servers: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        Some((folder, Identity { client_id: self.client_id.clone(), server: servers.join(",") }))
    }

    pub fn has_client_id(&self) -> bool {
        !self.client_id.is_empty()
    }

    pub fn has_authentication(&self) -> bool {
        self.authentication_method.is_some()
    }

    pub fn acknowledge(&self) -> Acknowledge {
        match self.int(IntOption::Acknowledge) {
            0 => Acknowledge::OnArrival,
            1 => Acknowledge::WhenTaken,
            _ => Acknowledge::Explicitly,
        }
    }

    pub fn outgoing_overflow(&self) -> OutgoingOverflow {
        match self.int(IntOption::OutgoingOverflow) {
            0 => OutgoingOverflow::Refuse,
            1 => OutgoingOverflow::DropOldest,
            _ => OutgoingOverflow::DropNewest,
        }
    }
}

/// The option of this name, for programs whose users choose options.
pub fn id_of(name: &str) -> Option<i32> {
    let text = texts::TEXT_OPTIONS.iter().find(|row| row.1 == name).map(|row| row.0);
    text.or_else(|| INT_OPTIONS.iter().find(|row| row.name == name).map(|row| row.option as i32))
}

/// Whether the option takes an integer.
pub fn takes_integer(id: i32) -> bool {
    int_row(id).is_some()
}

fn int_row(id: i32) -> Option<&'static IntRow> {
    INT_OPTIONS.iter().find(|row| row.option as i32 == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_lies_in_its_range_and_every_id_stands_once() {
        for (index, IntRow { option, name, low, high, default, .. }) in INT_OPTIONS.iter().enumerate() {
            assert!(low <= default && default <= high, "{name}");
            let first = INT_OPTIONS.iter().position(|row| row.option as i32 == *option as i32);
            assert_eq!(first, Some(index), "{name}");
            assert_eq!(Options::default().int(*option), *default);
        }
    }

    #[test]
    fn a_refusal_names_the_option_and_its_range() {
        let mut options = Options::default();
        let refused = options.set_int(13, 65_536, true).unwrap_err();
        assert_eq!(refused, Status::OutOfRange.because("option KEEP_ALIVE_S takes 0 to 65535, not 65536"));
        assert_eq!(options.int(IntOption::KeepAlive), 30);
        assert_eq!(options.set_int(13, 5, false).unwrap_err().status, Status::WrongState);
        assert_eq!(options.set_int(1, 5, true).unwrap_err().status, Status::WrongType);
        assert_eq!(options.set_int(999, 5, true).unwrap_err().status, Status::InvalidArgument);
        assert_eq!(options.set_text(13, Some("x"), true).unwrap_err().status, Status::WrongType);
        assert_eq!(options.set_bytes(1, Some(b"x"), true).unwrap_err().status, Status::WrongType);
        let refused = options.set_text(AUTHENTICATION_METHOD, Some(""), true).unwrap_err();
        assert_eq!(refused, Status::OutOfRange.because("option AUTHENTICATION_METHOD: the text is empty"));
        assert!(options.set_int(51, 1000, false).is_ok(), "a live option can be set at any time");
    }

    #[test]
    fn files_and_the_store_stay_where_they_were_when_the_process_goes_elsewhere() {
        let mut options = Options::default();
        // A file that is there, in the folder of the package.
        for (option, path) in [(STORE_PATH, "store"), (LOG_FILE, "a.log"), (TLS_CA, "Cargo.toml"), (TLS_CRL, "no.pem")]
        {
            options.set_text(option, Some(path), true).unwrap();
        }
        let here = std::env::current_dir().unwrap();
        let whole = |path: &str| here.join(path).into_os_string().into_string().ok();
        assert_eq!(options.store_path, Some(here.join("store")));
        assert_eq!((options.log_file, options.tls.ca), (whole("a.log"), whole("Cargo.toml")));
        assert_eq!(options.tls.crl.as_deref(), Some("no.pem"), "what is no file is shown as it was set");
    }

    #[test]
    fn a_response_topic_can_be_published_and_subscribed_to() {
        // MQTT-4.8.2-1
        let mut options = Options::default();
        for wrong in ["$share/x", "$share/group/x", "a/#"] {
            assert_eq!(
                options.set_text(RESPONSE_TOPIC, Some(wrong), true).unwrap_err().status,
                Status::OutOfRange,
                "{wrong}"
            );
        }
        assert!(options.set_text(RESPONSE_TOPIC, Some("$shared/x"), true).is_ok());
    }

    #[test]
    fn mqtt_311_has_no_password_without_a_user_name() {
        // MQTT311-3.1.2-22
        let mut options = Options::default();
        options.set_text(PASSWORD, Some("secret"), true).unwrap();
        assert!(options.session_options().is_ok(), "MQTT 5.0 allows it");
        options.set_int(IntOption::ProtocolVersion as i32, 4, true).unwrap();
        assert_eq!(options.session_options().unwrap_err().status, Status::WrongState);
        options.set_text(USER_NAME, Some("me"), true).unwrap();
        assert!(options.session_options().is_ok());
    }
}
