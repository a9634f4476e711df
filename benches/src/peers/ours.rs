//! mt5mqtt through its C ABI: the library as it is shipped, loaded.

use super::{Connection, OnMessage, SELDOM, TIMEOUT};
use libloading::Library;
use std::ffi::{CString, c_char};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

const OPT_URL: i32 = 1;
const OPT_CLIENT_ID: i32 = 2;
const OPT_IN_FLIGHT_MAXIMUM: i32 = 16;
const OPT_OUTGOING_MAXIMUM: i32 = 40;
const OPT_OUTGOING_MAXIMUM_BYTES: i32 = 41;
const OPT_STORE_PATH: i32 = 162;
const OPT_PROGRESS: i32 = 161;
const EVENT_CONNECTED: i32 = 1;
const EVENT_DISCONNECTED: i32 = 2;
const EVENT_MESSAGE: i32 = 3;
const EVENT_PUBLISHED: i32 = 4;
const EVENT_SUBSCRIBED: i32 = 5;
const EVENT_PROGRESS: i32 = 18;
const STAGE_DURABLE: i32 = 2;
const STAT_OUTGOING: i32 = 10;
const E_QUEUE_FULL: i64 = -20;

/// `mt5mqtt_event` of include/mt5mqtt.h.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Event {
    pub struct_size: i32,
    pub kind: i32,
    pub token: i64,
    pub time_us: i64,
    pub dropped: i64,
    pub status: i32,
    pub reason_code: i32,
    pub sizes: [i32; 4],
    pub flags: [i32; 6],
}

macro_rules! api {
    ($($name:ident: fn($($argument:ty),*) -> $result:ty;)*) => {
        #[allow(dead_code)]
        pub struct Api { _library: Library, $(pub $name: unsafe extern "C" fn($($argument),*) -> $result,)* }

        impl Api {
            fn load(path: &Path) -> Api {
                // SAFETY: the library is ours, and its exports have these types (include/mt5mqtt.h).
                unsafe {
                    let library = Library::new(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                    $(let $name = *library.get(concat!("mt5mqtt_", stringify!($name), "\0").as_bytes()).expect("an export");)*
                    Api { _library: library, $($name,)* }
                }
            }
        }
    };
}

api! {
    create: fn() -> i64;
    free: fn(i64) -> i32;
    set_int: fn(i64, i32, i64) -> i32;
    set_text: fn(i64, i32, *const c_char) -> i32;
    connect: fn(i64) -> i32;
    publish: fn(i64, *const c_char, *const u8, i32, i32, i32, i64) -> i64;
    publish_batch: fn(i64, *mut u8, i32, i64) -> i32;
    subscribe: fn(i64, *const c_char, i32, i64) -> i64;
    poll: fn(i64, *mut Event) -> i32;
    wait: fn(i64, i32) -> i32;
    stat: fn(i64, i32) -> i64;
}

/// Where `cargo build --release` leaves the library.
pub fn library_path() -> PathBuf {
    match std::env::var_os("MT5MQTT_LIBRARY") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libmt5mqtt.so"),
    }
}

pub fn api() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| Api::load(&library_path()))
}

pub struct Ours {
    api: &'static Api,
    handle: i64,
    topic: (String, CString),
    on_message: OnMessage,
    messages: u64,
    acknowledged: u64,
    wanted: u64,
    other: i32,
}

impl Ours {
    /// A client that isn't connected.
    pub fn create(id: &str, on_message: OnMessage) -> Ours {
        let api = api();
        // SAFETY: the arguments are what the header asks for.
        unsafe {
            let handle = (api.create)();
            assert!(handle > 0);
            let id = CString::new(id).expect("no NUL");
            assert_eq!((api.set_text)(handle, OPT_CLIENT_ID, id.as_ptr()), 0);
            Ours {
                api,
                handle,
                topic: Default::default(),
                on_message,
                messages: 0,
                acknowledged: 0,
                wanted: 0,
                other: 0,
            }
        }
    }

    pub fn connect(port: u16, id: &str, in_flight: u16, on_message: OnMessage) -> Ours {
        let mut ours = Ours::create(id, on_message);
        let url = CString::new(format!("mqtt://127.0.0.1:{port}")).expect("no NUL");
        // SAFETY: the arguments are what the header asks for.
        unsafe {
            assert_eq!((ours.api.set_text)(ours.handle, OPT_URL, url.as_ptr()), 0);
            assert_eq!((ours.api.set_int)(ours.handle, OPT_IN_FLIGHT_MAXIMUM, in_flight.into()), 0);
            assert_eq!((ours.api.connect)(ours.handle), 0);
        }
        ours.wait_until(|ours| ours.other == EVENT_CONNECTED);
        ours
    }

    /// A client with a store and without a Server, which tells when a publish is durable.
    pub fn with_store(folder: &Path) -> Ours {
        let ours = Ours::create("durable", Box::new(|| {}));
        let folder = CString::new(folder.to_str().expect("UTF-8")).expect("no NUL");
        // SAFETY: the arguments are what the header asks for. Nobody listens on port 1.
        unsafe {
            assert_eq!((ours.api.set_text)(ours.handle, OPT_URL, c"mqtt://127.0.0.1:1".as_ptr()), 0);
            assert_eq!((ours.api.set_text)(ours.handle, OPT_STORE_PATH, folder.as_ptr()), 0);
            assert_eq!((ours.api.set_int)(ours.handle, OPT_PROGRESS, 2), 0);
        }
        ours
    }

    /// Returns when so many more publishes are durable. The first call connects, as far as that goes.
    pub fn until_durable(&mut self, count: usize) {
        // SAFETY: numbers only.
        unsafe { (self.api.connect)(self.handle) };
        let (mut durable, deadline) = (0, Instant::now() + TIMEOUT);
        while durable < count {
            let mut event = Event { struct_size: size_of::<Event>() as i32, ..Event::default() };
            // SAFETY: the event has its size.
            if unsafe { (self.api.poll)(self.handle, &mut event) } == 1 {
                durable += usize::from(event.kind == EVENT_PROGRESS && event.flags[5] == STAGE_DURABLE);
            } else {
                assert!(Instant::now() < deadline, "{durable} of {count} after {TIMEOUT:?}");
                // SAFETY: numbers only.
                unsafe { (self.api.wait)(self.handle, 250) };
            }
        }
    }

    /// Publishes the same message so many times in one call, with QoS 0.
    pub fn publish_batch(&mut self, topic: &str, payload: &[u8], count: usize) {
        let mut messages = Vec::with_capacity(count * (32 + topic.len() + payload.len()));
        for _ in 0..count {
            for field in [32, 0, 0, 0, 0, 0, topic.len() as i32, payload.len() as i32] {
                messages.extend(field.to_ne_bytes());
            }
            messages.extend(topic.as_bytes());
            messages.extend(payload);
        }
        let mut rest = messages.as_mut_slice();
        while !rest.is_empty() {
            // SAFETY: the array has its size.
            let accepted = unsafe { (self.api.publish_batch)(self.handle, rest.as_mut_ptr(), rest.len() as i32, 0) };
            assert!(accepted >= 0, "publish_batch: {accepted}");
            let each = 32 + topic.len() + payload.len();
            rest = &mut rest[accepted as usize * each..];
            if !rest.is_empty() {
                std::thread::sleep(SELDOM);
            }
        }
    }

    pub fn handle(&self) -> i64 {
        self.handle
    }

    /// Lets `count` messages of any size be queued.
    pub fn allow_outgoing(&mut self, count: i64) {
        // SAFETY: numbers only.
        unsafe {
            assert_eq!((self.api.set_int)(self.handle, OPT_OUTGOING_MAXIMUM, count), 0);
            assert_eq!((self.api.set_int)(self.handle, OPT_OUTGOING_MAXIMUM_BYTES, 4096 << 20), 0);
        }
    }

    /// Takes one event, if there is one.
    fn poll(&mut self) -> bool {
        let mut event = Event { struct_size: size_of::<Event>() as i32, ..Event::default() };
        // SAFETY: the event has its size.
        match unsafe { (self.api.poll)(self.handle, &mut event) } {
            0 => return false,
            1 => {}
            status => panic!("poll: {status}"),
        }
        match event.kind {
            EVENT_MESSAGE => {
                self.messages += 1;
                (self.on_message)();
            }
            EVENT_PUBLISHED => {
                assert_eq!(event.status, 0);
                self.acknowledged += 1;
            }
            EVENT_DISCONNECTED => panic!("disconnected, status {}", event.status),
            other => self.other = other,
        }
        true
    }

    fn wait_until(&mut self, done: impl Fn(&Ours) -> bool) {
        let deadline = Instant::now() + TIMEOUT;
        while !done(self) {
            if !self.poll() {
                assert!(Instant::now() < deadline, "nothing came within {TIMEOUT:?}");
                // SAFETY: numbers only.
                unsafe { (self.api.wait)(self.handle, 250) };
            }
        }
    }
}

impl Connection for Ours {
    fn subscribe(&mut self, topic: &str, qos: u8) {
        let topic = CString::new(topic).expect("no NUL");
        // SAFETY: a text with a NUL.
        assert!(unsafe { (self.api.subscribe)(self.handle, topic.as_ptr(), qos.into(), 0) } > 0);
        self.wait_until(|ours| ours.other == EVENT_SUBSCRIBED);
    }

    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) {
        if self.topic.0 != topic {
            self.topic = (topic.to_owned(), CString::new(topic).expect("no NUL"));
        }
        let (data, size) = (payload.as_ptr(), payload.len() as i32);
        loop {
            // SAFETY: text and payload live through the call.
            let token = unsafe { (self.api.publish)(self.handle, self.topic.1.as_ptr(), data, size, qos.into(), 0, 0) };
            match token {
                E_QUEUE_FULL => {
                    while self.poll() {}
                    std::thread::sleep(SELDOM);
                }
                _ => break assert!(token > 0, "publish: {token}"),
            }
        }
        self.wanted += u64::from(qos > 0);
    }

    fn finish(&mut self) {
        self.wait_until(|ours| ours.acknowledged == ours.wanted);
        // SAFETY: numbers only.
        while unsafe { (self.api.stat)(self.handle, STAT_OUTGOING) } > 0 {
            std::thread::sleep(SELDOM);
        }
    }

    fn receive(&mut self, count: u64) {
        let target = self.messages + count;
        self.wait_until(|ours| ours.messages >= target);
    }

    fn receive_polling(&mut self, count: u64) -> bool {
        let target = self.messages + count;
        while self.messages < target {
            self.poll();
        }
        true
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        // SAFETY: numbers only.
        unsafe { (self.api.free)(self.handle) };
    }
}
