//! A host that holds a client by its handle. Every wait has a deadline and says what it waited for.

use crate::common::abi::{Event, abi, text, utf8};
use crate::common::any_export::{self, Export};
use crate::common::fake_server::{FakeServer, Peer};
use mt5mqtt::ffi::constants::*;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The longest that anything here waits: far more than a busy machine needs.
pub const DEADLINE: Duration = Duration::from_secs(15);

pub const HEADER: &str = include_str!("../../include/mt5mqtt.h");

/// Every export of the header, to be called by its declaration.
pub fn exports() -> &'static [Export] {
    static EXPORTS: LazyLock<Vec<Export>> = LazyLock::new(|| any_export::exports(HEADER, |name| abi().address(name)));
    &EXPORTS
}

/// A client; freed when it is dropped.
pub struct Client {
    pub handle: i64,
}

impl Client {
    pub fn new() -> Self {
        Client { handle: abi().good(abi().create()) }
    }

    /// A client that was asked to connect to `url`, and tries again at once when a connection is lost.
    pub fn connecting(url: &str, options: &[(i32, i64)]) -> Self {
        let client = Client::new();
        client.set_text(MT5MQTT_OPT_URL, url);
        for (option, value) in
            [(MT5MQTT_OPT_RECONNECT_MIN_MS, 1), (MT5MQTT_OPT_RECONNECT_MAX_MS, 1)].iter().chain(options)
        {
            client.set_int(*option, *value);
        }
        abi().good(abi().connect(client.handle));
        client
    }

    /// A client that a Server has accepted, and that knows.
    pub fn connected(options: &[(i32, i64)]) -> (FakeServer, Client, Peer) {
        let mut server = FakeServer::start();
        let client = Client::connecting(&server.url(), options);
        let peer = server.accept_mqtt();
        client.expect(MT5MQTT_EVENT_CONNECTED);
        (server, client, peer)
    }

    #[track_caller]
    pub fn set_int(&self, option: i32, value: i64) {
        abi().good(abi().set_int(self.handle, option, value));
    }

    #[track_caller]
    pub fn set_text(&self, option: i32, value: &str) {
        abi().good(abi().set_text(self.handle, option, utf8(value).as_ptr()));
    }

    pub fn state(&self) -> i32 {
        abi().state(self.handle)
    }

    #[track_caller]
    pub fn publish(&self, payload: &[u8], qos: i32) -> i64 {
        let size = payload.len() as i32;
        abi().good(abi().publish(self.handle, c"t".as_ptr(), payload.as_ptr(), size, qos, 0, 0))
    }

    /// One poll: the event, if there was one.
    #[track_caller]
    pub fn poll(&self) -> Option<Event> {
        let mut event = Event::empty();
        (abi().good(abi().poll(self.handle, &mut event)) == 1).then_some(event)
    }

    /// The next event.
    #[track_caller]
    pub fn event(&self) -> Event {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(event) = self.poll() {
                return event;
            }
            assert!(Instant::now() < deadline, "no event before the deadline; the state is {}", self.state());
            abi().good(abi().wait(self.handle, 250));
        }
    }

    /// The next event, which is of this kind.
    #[track_caller]
    pub fn expect(&self, kind: i32) -> Event {
        let event = self.event();
        assert_eq!(event.kind, kind, "{event:?}: {}", self.event_text());
        event
    }

    pub fn event_text(&self) -> String {
        text(|buffer, capacity| abi().event_text(self.handle, buffer, capacity))
    }

    /// A text property of the current event.
    #[track_caller]
    pub fn text(&self, property: i32) -> String {
        text(|buffer, capacity| abi().event_property_text(self.handle, property, 0, buffer, capacity))
    }

    /// The User Properties of the current event, in their order.
    #[track_caller]
    pub fn user_properties(&self) -> Vec<(String, String)> {
        let count = abi().good(abi().event_property_count(self.handle, MT5MQTT_PROP_USER_PROPERTY));
        let name = |index| text(|buffer, capacity| abi().event_user_name(self.handle, index, buffer, capacity));
        let value = |index| text(|buffer, capacity| abi().event_user_value(self.handle, index, buffer, capacity));
        (0..count).map(|index| (name(index), value(index))).collect()
    }

    /// The payload of the current event.
    #[track_caller]
    pub fn payload(&self) -> Vec<u8> {
        let size = abi().good(abi().event_payload(self.handle, std::ptr::null_mut(), 0));
        let mut payload = vec![0; size as usize];
        assert_eq!(abi().event_payload(self.handle, payload.as_mut_ptr(), size), size);
        payload
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        abi().free(self.handle);
    }
}

/// A set of properties; freed when it is dropped.
pub struct Properties {
    pub handle: i64,
}

impl Properties {
    pub fn new() -> Self {
        Properties { handle: abi().good(abi().properties_create()) }
    }

    #[track_caller]
    pub fn int(self, property: i32, value: i64) -> Self {
        abi().good(abi().properties_set_int(self.handle, property, value));
        self
    }

    #[track_caller]
    pub fn text(self, property: i32, value: &str) -> Self {
        abi().good(abi().properties_set_text(self.handle, property, utf8(value).as_ptr()));
        self
    }

    #[track_caller]
    pub fn bytes(self, property: i32, value: &[u8]) -> Self {
        abi().good(abi().properties_set_bytes(self.handle, property, value.as_ptr(), value.len() as i32));
        self
    }

    #[track_caller]
    pub fn user(self, name: &str, value: &str) -> Self {
        abi().good(abi().properties_add_user(self.handle, utf8(name).as_ptr(), utf8(value).as_ptr()));
        self
    }
}

impl Drop for Properties {
    fn drop(&mut self) {
        abi().properties_free(self.handle);
    }
}

/// Asserts that a call failed with this status, and that its text names these things.
#[track_caller]
pub fn refused(result: impl Into<i64>, status: i32, words: &[&str]) {
    let result = result.into();
    let text = abi().error_text();
    assert_eq!(result, i64::from(status), "{text}");
    for word in words {
        assert!(text.contains(word), "'{text}' doesn't name {word}");
    }
}

/// The constants of the header whose names begin so, with the rest of their names.
pub fn constants(prefix: &str) -> Vec<(String, i32)> {
    let header = crate::common::c_header::CHeader::parse(HEADER);
    let found: Vec<(String, i32)> = header
        .constants
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), *value as i32)))
        .collect();
    assert!(!found.is_empty(), "the header has no {prefix} constant");
    found
}
