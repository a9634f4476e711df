//! The built library through its C ABI, as a terminal uses it, as far as a program of these tests needs it. All `unsafe` of
//! these tests stands here.

pub use crate::common::abi::Event;

use libloading::Library as Loaded;
use std::path::Path;

pub const OPT_URL: i32 = 1;
pub const OPT_CLIENT_ID: i32 = 2;
pub const OPT_PROTOCOL_VERSION: i32 = 10;
pub const OPT_CLEAN_START: i32 = 11;
pub const OPT_KEEP_ALIVE_S: i32 = 13;
pub const OPT_CONNECT_TIMEOUT_MS: i32 = 31;
pub const OPT_RECONNECT_MIN_MS: i32 = 32;
pub const OPT_RECONNECT_MAX_MS: i32 = 33;
pub const OPT_PING_TIMEOUT_MS: i32 = 34;
pub const OPT_ACKNOWLEDGE: i32 = 50;
pub const OPT_PROGRESS: i32 = 161;
pub const OPT_STORE_PATH: i32 = 162;

pub const EVENT_CONNECTED: i32 = 1;
pub const EVENT_DISCONNECTED: i32 = 2;
pub const EVENT_MESSAGE: i32 = 3;
pub const EVENT_PUBLISHED: i32 = 4;
pub const EVENT_SUBSCRIBED: i32 = 5;
pub const EVENT_FAILED: i32 = 7;
pub const EVENT_PROGRESS: i32 = 18;

pub const STAGE_DURABLE: i32 = 2;

pub const STAT_OUTGOING: i32 = 10;
pub const STAT_IN_FLIGHT: i32 = 12;
pub const STAT_EVENTS_DROPPED: i32 = 15;

type TextOut = unsafe extern "C" fn(i64, *mut u8, i32) -> i32;

/// Addresses that are valid as long as the library is loaded: it is never unloaded.
struct Functions {
    last_error: unsafe extern "C" fn(*mut u8, i32) -> i32,
    set_int: unsafe extern "C" fn(i64, i32, i64) -> i32,
    set_text: unsafe extern "C" fn(i64, i32, *const u16) -> i32,
    connect: unsafe extern "C" fn(i64) -> i32,
    disconnect: unsafe extern "C" fn(i64, i32, i64, i32) -> i32,
    free: unsafe extern "C" fn(i64) -> i32,
    stat: unsafe extern "C" fn(i64, i32) -> i64,
    publish: unsafe extern "C" fn(i64, *const u16, *const u8, i32, i32, i32, i64) -> i64,
    subscribe: unsafe extern "C" fn(i64, *const u16, i32, i64) -> i64,
    acknowledge: unsafe extern "C" fn(i64, i64, i32) -> i32,
    poll: unsafe extern "C" fn(i64, *mut Event) -> i32,
    wait: unsafe extern "C" fn(i64, i32) -> i32,
    event_payload: TextOut,
    event_text: TextOut,
}

/// One client of the library.
pub struct Client {
    functions: Functions,
    handle: i64,
}

impl Client {
    /// Loads the library and makes a client.
    pub fn new(library: &Path) -> Result<Client, String> {
        let fail = |error| format!("{}: {error}", library.display());
        // SAFETY: the library's initialisers do nothing, and each symbol gets the type that include/mt5mqtt.h gives it.
        unsafe {
            // Never unloaded.
            let loaded: &Loaded = Box::leak(Box::new(Loaded::new(library).map_err(fail)?));
            let create: unsafe extern "C" fn() -> i64 = *loaded.get("mt5mqtt_create").map_err(fail)?;
            let event_size: unsafe extern "C" fn() -> i32 = *loaded.get("mt5mqtt_event_size").map_err(fail)?;
            assert_eq!(event_size(), size_of::<Event>() as i32, "the event has another size");
            let functions = Functions {
                last_error: *loaded.get("mt5mqtt_last_error").map_err(fail)?,
                set_int: *loaded.get("mt5mqtt_set_int").map_err(fail)?,
                set_text: *loaded.get("mt5mqtt_set_text_w").map_err(fail)?,
                connect: *loaded.get("mt5mqtt_connect").map_err(fail)?,
                disconnect: *loaded.get("mt5mqtt_disconnect").map_err(fail)?,
                free: *loaded.get("mt5mqtt_free").map_err(fail)?,
                stat: *loaded.get("mt5mqtt_stat").map_err(fail)?,
                publish: *loaded.get("mt5mqtt_publish_w").map_err(fail)?,
                subscribe: *loaded.get("mt5mqtt_subscribe_w").map_err(fail)?,
                acknowledge: *loaded.get("mt5mqtt_acknowledge").map_err(fail)?,
                poll: *loaded.get("mt5mqtt_poll").map_err(fail)?,
                wait: *loaded.get("mt5mqtt_wait").map_err(fail)?,
                event_payload: *loaded.get("mt5mqtt_event_payload").map_err(fail)?,
                event_text: *loaded.get("mt5mqtt_event_text").map_err(fail)?,
            };
            let client = Client { functions, handle: create() };
            client.check("create", client.handle)?;
            Ok(client)
        }
    }

    /// A negative result as an error in words, with the status in front.
    fn check(&self, what: &str, result: i64) -> Result<i64, String> {
        if result >= 0 {
            return Ok(result);
        }
        // SAFETY: the buffer has the stated capacity.
        let text = bytes_out(256, |buffer, capacity| unsafe { (self.functions.last_error)(buffer, capacity) });
        Err(format!("{what}: status {result}: {}", String::from_utf8_lossy(&text)))
    }

    pub fn set_int(&self, option: i32, value: i64) -> Result<(), String> {
        // SAFETY: integers only.
        let result = unsafe { (self.functions.set_int)(self.handle, option, value) };
        self.check("set_int", result.into()).map(drop)
    }

    pub fn set_text(&self, option: i32, value: &str) -> Result<(), String> {
        let value = wide(value);
        // SAFETY: NUL-terminated, and alive during the call.
        let result = unsafe { (self.functions.set_text)(self.handle, option, value.as_ptr()) };
        self.check("set_text", result.into()).map(drop)
    }

    pub fn connect(&self) -> Result<(), String> {
        // SAFETY: integers only.
        let result = unsafe { (self.functions.connect)(self.handle) };
        self.check("connect", result.into()).map(drop)
    }

    pub fn disconnect(&self, limit_ms: i32) -> Result<(), String> {
        // SAFETY: integers only.
        let result = unsafe { (self.functions.disconnect)(self.handle, 0, 0, limit_ms) };
        self.check("disconnect", result.into()).map(drop)
    }

    pub fn stat(&self, stat: i32) -> Result<i64, String> {
        // SAFETY: integers only.
        self.check("stat", unsafe { (self.functions.stat)(self.handle, stat) })
    }

    /// The token of the publish.
    pub fn publish(&self, topic: &str, payload: &[u8], qos: u8) -> Result<i64, String> {
        let topic = wide(topic);
        let size = i32::try_from(payload.len()).map_err(|_| "the payload is too large".to_owned())?;
        // SAFETY: the topic is NUL-terminated, the payload has `size` bytes; both are alive during the call.
        let token =
            unsafe { (self.functions.publish)(self.handle, topic.as_ptr(), payload.as_ptr(), size, qos.into(), 0, 0) };
        self.check("publish", token)
    }

    pub fn subscribe(&self, filter: &str, qos: u8) -> Result<i64, String> {
        let filter = wide(filter);
        // SAFETY: NUL-terminated, and alive during the call.
        let token = unsafe { (self.functions.subscribe)(self.handle, filter.as_ptr(), qos.into(), 0) };
        self.check("subscribe", token)
    }

    pub fn acknowledge(&self, token: i64) -> Result<(), String> {
        // SAFETY: integers only.
        let result = unsafe { (self.functions.acknowledge)(self.handle, token, 0) };
        self.check("acknowledge", result.into()).map(drop)
    }

    pub fn poll(&self) -> Result<Option<Event>, String> {
        let mut event = Event { struct_size: size_of::<Event>() as i32, ..Event::default() };
        // SAFETY: a whole event of the size that it states.
        let result = unsafe { (self.functions.poll)(self.handle, &mut event) };
        Ok((self.check("poll", result.into())? == 1).then_some(event))
    }

    pub fn wait(&self, limit_ms: i32) -> Result<(), String> {
        // SAFETY: integers only.
        let result = unsafe { (self.functions.wait)(self.handle, limit_ms) };
        self.check("wait", result.into()).map(drop)
    }

    /// The payload of the current event, which is this one.
    pub fn payload(&self, event: &Event) -> Vec<u8> {
        // SAFETY: the buffer has the stated capacity.
        bytes_out(event.payload_size, |buffer, capacity| unsafe {
            (self.functions.event_payload)(self.handle, buffer, capacity)
        })
    }

    /// The current event, which is this one, in words.
    pub fn text(&self, event: &Event) -> String {
        // SAFETY: as above.
        let text = bytes_out(event.text_size + 1, |buffer, capacity| unsafe {
            (self.functions.event_text)(self.handle, buffer, capacity)
        });
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: integers only.
        unsafe { (self.functions.free)(self.handle) };
    }
}

fn bytes_out(capacity: i32, call: impl Fn(*mut u8, i32) -> i32) -> Vec<u8> {
    let mut buffer = vec![0; usize::try_from(capacity).unwrap_or(0)];
    let size = usize::try_from(call(buffer.as_mut_ptr(), capacity)).unwrap_or(0);
    buffer.truncate(size);
    buffer
}

/// An MQL5 `string` as it is passed to a DLL.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
