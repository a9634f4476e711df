//! The built library, loaded at run time and called through its C ABI, as a terminal does: UTF-16 text, bytes for payloads,
//! handles, polled events. Only what a copier needs is bound. All `unsafe` code of this example stands here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub const ABI_VERSION: i32 = 1;

pub const OPT_URL: i32 = 1;
pub const OPT_CLIENT_ID: i32 = 2;
pub const OPT_USER_NAME: i32 = 3;
pub const OPT_PASSWORD: i32 = 4;
pub const OPT_SESSION_EXPIRY_S: i32 = 12;
pub const OPT_RECONNECT_MIN_MS: i32 = 32;
pub const OPT_RECONNECT_MAX_MS: i32 = 33;

const EVENT_CONNECTED: i32 = 1;
const EVENT_DISCONNECTED: i32 = 2;
const EVENT_MESSAGE: i32 = 3;
const EVENT_PUBLISHED: i32 = 4;
const EVENT_SUBSCRIBED: i32 = 5;
const EVENT_FAILED: i32 = 7;

#[repr(C)]
#[derive(Default)]
struct RawEvent {
    struct_size: i32,
    kind: i32,
    token: i64,
    time_us: i64,
    dropped: i64,
    status: i32,
    reason_code: i32,
    topic_size: i32,
    payload_size: i32,
    text_size: i32,
    property_count: i32,
    qos: i32,
    retain: i32,
    dup: i32,
    session_present: i32,
    packet_id: i32,
    detail: i32,
}

type TextOut = unsafe extern "C" fn(*mut u16, i32) -> i32;

/// The functions' addresses; valid as long as the library is loaded, which `Library` sees to.
struct Functions {
    time_unix_us: unsafe extern "C" fn() -> i64,
    last_error: TextOut,
    status_text: unsafe extern "C" fn(i32, *mut u16, i32) -> i32,
    create: unsafe extern "C" fn() -> i64,
    free: unsafe extern "C" fn(i64) -> i32,
    set_int: unsafe extern "C" fn(i64, i32, i64) -> i32,
    set_text: unsafe extern "C" fn(i64, i32, *const u16) -> i32,
    connect: unsafe extern "C" fn(i64) -> i32,
    disconnect: unsafe extern "C" fn(i64, i32, i64, i32) -> i32,
    publish: unsafe extern "C" fn(i64, *const u16, *const u8, i32, i32, i32, i64) -> i64,
    subscribe: unsafe extern "C" fn(i64, *const u16, i32, i64) -> i64,
    poll: unsafe extern "C" fn(i64, *mut RawEvent) -> i32,
    wait: unsafe extern "C" fn(i64, i32) -> i32,
    event_payload: unsafe extern "C" fn(i64, *mut u8, i32) -> i32,
    event_text: unsafe extern "C" fn(i64, *mut u16, i32) -> i32,
}

pub struct Library {
    functions: Functions,
    _loaded: libloading::Library,
}

/// Where the built library is to be found when nobody says: beside the program, or where Cargo puts it for an example.
pub fn find_library() -> Result<PathBuf, String> {
    let name = libloading::library_filename("mt5mqtt");
    let program = std::env::current_exe().map_err(|e| format!("this program's own path is unknown: {e}"))?;
    let beside = program.parent().unwrap_or(Path::new("."));
    // `cargo run --example` builds the library into deps; a copy one folder above it may be of an older build.
    let places = [beside.join(&name), beside.join("../deps").join(&name), beside.join("..").join(&name)];
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        let tried: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
        format!(
            "the library {} was not found (tried {}). Build it with `cargo build --release`, or name it with --library",
            name.to_string_lossy(),
            tried.join(", ")
        )
    })
}

impl Library {
    pub fn load(path: &Path) -> Result<Arc<Library>, String> {
        let fail = |e: libloading::Error| {
            format!(
                "the library {} can't be loaded: {e}. Build it with `cargo build --release`, or name it with --library",
                path.display()
            )
        };
        // SAFETY: the library's initialisers do nothing (Rust's cdylib has none of ours), and each symbol is given the type
        // that include/mt5mqtt.h declares for it; the ABI number is compared before any other function is called.
        let library = unsafe {
            let loaded = libloading::Library::new(path).map_err(fail)?;
            let abi_version: unsafe extern "C" fn() -> i32 = *loaded.get("mt5mqtt_abi_version").map_err(fail)?;
            let found = abi_version();
            if found != ABI_VERSION {
                return Err(format!("the library {} has ABI {found}, not {ABI_VERSION}", path.display()));
            }
            let functions = Functions {
                time_unix_us: *loaded.get("mt5mqtt_time_unix_us").map_err(fail)?,
                last_error: *loaded.get("mt5mqtt_last_error_w").map_err(fail)?,
                status_text: *loaded.get("mt5mqtt_status_text_w").map_err(fail)?,
                create: *loaded.get("mt5mqtt_create").map_err(fail)?,
                free: *loaded.get("mt5mqtt_free").map_err(fail)?,
                set_int: *loaded.get("mt5mqtt_set_int").map_err(fail)?,
                set_text: *loaded.get("mt5mqtt_set_text_w").map_err(fail)?,
                connect: *loaded.get("mt5mqtt_connect").map_err(fail)?,
                disconnect: *loaded.get("mt5mqtt_disconnect").map_err(fail)?,
                publish: *loaded.get("mt5mqtt_publish_w").map_err(fail)?,
                subscribe: *loaded.get("mt5mqtt_subscribe_w").map_err(fail)?,
                poll: *loaded.get("mt5mqtt_poll").map_err(fail)?,
                wait: *loaded.get("mt5mqtt_wait").map_err(fail)?,
                event_payload: *loaded.get("mt5mqtt_event_payload").map_err(fail)?,
                event_text: *loaded.get("mt5mqtt_event_text_w").map_err(fail)?,
            };
            let event_size: unsafe extern "C" fn() -> i32 = *loaded.get("mt5mqtt_event_size").map_err(fail)?;
            if event_size() != size_of::<RawEvent>() as i32 {
                return Err(format!("the library {} has an event of another size", path.display()));
            }
            Library { functions, _loaded: loaded }
        };
        Ok(Arc::new(library))
    }

    pub fn time_unix_us(&self) -> i64 {
        // SAFETY: takes nothing, touches nothing of ours.
        unsafe { (self.functions.time_unix_us)() }
    }

    fn last_error(&self) -> String {
        // SAFETY: `text_out` passes a buffer and its true capacity.
        text_out(|buffer, capacity| unsafe { (self.functions.last_error)(buffer, capacity) })
    }

    fn status_text(&self, status: i32) -> String {
        // SAFETY: as above.
        text_out(|buffer, capacity| unsafe { (self.functions.status_text)(status, buffer, capacity) })
    }

    /// A negative result as an error in words.
    fn check<T: Into<i64> + Copy>(&self, what: &str, result: T) -> Result<T, String> {
        if result.into() >= 0 {
            return Ok(result);
        }
        Err(format!("{what}: {} (status {})", self.last_error(), result.into()))
    }
}

/// Asks for the length, then for the text.
fn text_out(call: impl Fn(*mut u16, i32) -> i32) -> String {
    let length = call(std::ptr::null_mut(), 0);
    let mut buffer = vec![0_u16; usize::try_from(length).unwrap_or(0) + 1];
    let capacity = i32::try_from(buffer.len()).unwrap_or(i32::MAX);
    let length = usize::try_from(call(buffer.as_mut_ptr(), capacity)).unwrap_or(0);
    String::from_utf16_lossy(&buffer[..length.min(buffer.len())])
}

/// An MQL5 `string` as it is passed to a DLL.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

pub enum Event {
    Connected {
        time_us: i64,
    },
    /// Also reported for an attempt to connect that failed.
    Disconnected {
        time_us: i64,
        why: String,
    },
    Message {
        payload: Vec<u8>,
        retained: bool,
        received_us: i64,
    },
    /// A publish is complete, or `failure` says why it never will be.
    Published {
        failure: Option<String>,
    },
    /// The Server granted a subscription, or `failure` says why it didn't.
    Subscribed {
        failure: Option<String>,
    },
    Failed {
        why: String,
    },
    Other,
}

pub struct Client {
    library: Arc<Library>,
    handle: i64,
}

impl Client {
    pub fn create(library: &Arc<Library>) -> Result<Client, String> {
        // SAFETY: takes nothing.
        let handle = library.check("create", unsafe { (library.functions.create)() })?;
        Ok(Client { library: Arc::clone(library), handle })
    }

    pub fn library(&self) -> &Library {
        &self.library
    }

    pub fn set_int(&self, option: i32, value: i64) -> Result<(), String> {
        // SAFETY: integers only.
        let result = unsafe { (self.library.functions.set_int)(self.handle, option, value) };
        self.library.check("set_int", result).map(drop)
    }

    pub fn set_text(&self, option: i32, value: &str) -> Result<(), String> {
        let value = wide(value);
        // SAFETY: NUL-terminated, and alive during the call.
        let result = unsafe { (self.library.functions.set_text)(self.handle, option, value.as_ptr()) };
        self.library.check("set_text", result).map(drop)
    }

    pub fn connect(&self) -> Result<(), String> {
        // SAFETY: integers only.
        let result = unsafe { (self.library.functions.connect)(self.handle) };
        self.library.check("connect", result).map(drop)
    }

    /// Sends DISCONNECT (0x00, normal) and waits for what is still on its way, for a bounded time.
    pub fn disconnect(&self, limit: Duration) -> Result<(), String> {
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: integers only.
        let result = unsafe { (self.library.functions.disconnect)(self.handle, 0, 0, limit_ms) };
        self.library.check("disconnect", result).map(drop)
    }

    /// QoS 1, retained.
    pub fn publish(&self, topic: &str, payload: &[u8]) -> Result<i64, String> {
        let topic = wide(topic);
        let size = i32::try_from(payload.len()).map_err(|_| "the payload is too large".to_owned())?;
        // SAFETY: the topic is NUL-terminated, the payload has `size` bytes; both are alive during the call.
        let token =
            unsafe { (self.library.functions.publish)(self.handle, topic.as_ptr(), payload.as_ptr(), size, 1, 1, 0) };
        self.library.check("publish", token)
    }

    /// With a maximum QoS of 1.
    pub fn subscribe(&self, filter: &str) -> Result<i64, String> {
        let filter = wide(filter);
        // SAFETY: NUL-terminated, and alive during the call.
        let token = unsafe { (self.library.functions.subscribe)(self.handle, filter.as_ptr(), 1, 0) };
        self.library.check("subscribe", token)
    }

    /// The next event, waiting for one at most as long as given (and as the library's cap for a wait allows).
    pub fn next(&self, limit: Duration) -> Result<Option<Event>, String> {
        if let Some(event) = self.poll()? {
            return Ok(Some(event));
        }
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        if limit_ms == 0 {
            return Ok(None);
        }
        // SAFETY: integers only.
        let result = unsafe { (self.library.functions.wait)(self.handle, limit_ms) };
        if self.library.check("wait", result)? == 0 {
            return Ok(None);
        }
        self.poll()
    }

    fn poll(&self) -> Result<Option<Event>, String> {
        let mut raw = RawEvent { struct_size: size_of::<RawEvent>() as i32, ..RawEvent::default() };
        // SAFETY: a whole event of the size that it states; the size was compared with the library's when loading.
        let result = unsafe { (self.library.functions.poll)(self.handle, &mut raw) };
        if self.library.check("poll", result)? == 0 {
            return Ok(None);
        }
        if raw.dropped != 0 {
            return Err(format!("the library dropped {} events for want of room", raw.dropped));
        }
        let event = match raw.kind {
            EVENT_CONNECTED => Event::Connected { time_us: raw.time_us },
            EVENT_DISCONNECTED => Event::Disconnected { time_us: raw.time_us, why: self.why(&raw) },
            EVENT_MESSAGE => {
                let payload = self.payload(raw.payload_size)?;
                let received_us = self.library.time_unix_us();
                Event::Message { payload, retained: raw.retain != 0, received_us }
            }
            EVENT_PUBLISHED => Event::Published { failure: (raw.status != 0).then(|| self.why(&raw)) },
            EVENT_SUBSCRIBED => Event::Subscribed { failure: (raw.status != 0).then(|| self.why(&raw)) },
            EVENT_FAILED => Event::Failed { why: self.why(&raw) },
            _ => Event::Other,
        };
        Ok(Some(event))
    }

    fn payload(&self, size: i32) -> Result<Vec<u8>, String> {
        let mut payload = vec![0_u8; usize::try_from(size).unwrap_or(0)];
        // SAFETY: the buffer has `size` bytes.
        let result = unsafe { (self.library.functions.event_payload)(self.handle, payload.as_mut_ptr(), size) };
        self.library.check("event_payload", result)?;
        Ok(payload)
    }

    fn why(&self, raw: &RawEvent) -> String {
        // SAFETY: `text_out` passes a buffer and its true capacity.
        let text =
            text_out(|buffer, capacity| unsafe { (self.library.functions.event_text)(self.handle, buffer, capacity) });
        let status = self.library.status_text(raw.status);
        match (text.is_empty(), raw.reason_code) {
            (true, -1) => status,
            (true, code) => format!("{status} (Reason Code {code:#04x})"),
            (false, _) => format!("{status}: {text}"),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: integers only; the library is loaded as long as this client holds it.
        unsafe { (self.library.functions.free)(self.handle) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_has_the_size_of_the_abi() {
        assert_eq!(size_of::<RawEvent>(), 80);
    }

    #[test]
    fn a_missing_library_says_how_to_build_it() {
        let error = Library::load(Path::new("no-such-folder/libmt5mqtt.so")).err().unwrap();
        assert!(error.contains("no-such-folder") && error.contains("cargo build --release"), "{error}");
    }
}
