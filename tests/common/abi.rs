//! The built library as a host sees it: loaded at run time and called through its C ABI, with the types of the header.
//!
//! The functions take any pointer, as C does: what a test passes is valid for what the function does with it, or invalid
//! on purpose. tests/abi/declarations.rs compares the declarations with include/mt5mqtt.h.

use super::library;
use libloading::Library;
use std::ffi::{CString, c_char};
use std::sync::LazyLock;

/// `mt5mqtt_event`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub struct_size: i32,
    pub kind: i32,
    pub token: i64,
    pub time_us: i64,
    pub dropped: i64,
    pub status: i32,
    pub reason_code: i32,
    pub topic_size: i32,
    pub payload_size: i32,
    pub text_size: i32,
    pub property_count: i32,
    pub qos: i32,
    pub retain: i32,
    pub dup: i32,
    pub session_present: i32,
    pub packet_id: i32,
    pub detail: i32,
}

impl Event {
    /// As a host prepares it for a poll.
    pub fn empty() -> Self {
        Event { struct_size: size_of::<Event>() as i32, ..Event::default() }
    }
}

/// A function as this file declares it: name, types of its arguments, type of its result.
pub type Declared = (&'static str, &'static [&'static str], &'static str);

macro_rules! functions {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        /// The loaded library.
        pub struct Abi {
            $($name: unsafe extern "C" fn($($type),*) -> $result,)*
            loaded: Library,
        }

        pub const DECLARED: &[Declared] =
            &[$((concat!("mt5mqtt_", stringify!($name)), &[$(stringify!($type)),*], stringify!($result)),)*];

        impl Abi {
            fn load() -> Abi {
                // SAFETY: loading runs nothing of ours, and the header gives each function this type.
                unsafe {
                    let loaded = Library::new(library::path()).expect("load the built library");
                    Abi {
                        $($name: *loaded.get(concat!("mt5mqtt_", stringify!($name))).expect("an export"),)*
                        loaded,
                    }
                }
            }

            $(
                #[allow(clippy::too_many_arguments, clippy::not_unsafe_ptr_arg_deref)]
                pub fn $name(&self, $($argument: $type),*) -> $result {
                    // SAFETY: the header's type; pointers are the affair of the test.
                    unsafe { (self.$name)($($argument),*) }
                }
            )*
        }
    };
}

functions! {
    create() -> i64;
    create_shared(connection: *const c_char, inbox: *const c_char) -> i64;
    create_shared_w(connection: *const u16, inbox: *const u16) -> i64;
    free(client: i64) -> i32;
    set_int(client: i64, option: i32, value: i64) -> i32;
    set_text(client: i64, option: i32, value: *const c_char) -> i32;
    set_text_w(client: i64, option: i32, value: *const u16) -> i32;
    set_bytes(client: i64, option: i32, value: *const u8, size: i32) -> i32;
    set_will(client: i64, topic: *const c_char, payload: *const u8, size: i32, qos: i32, retain: i32, properties: i64) -> i32;
    set_will_w(client: i64, topic: *const u16, payload: *const u8, size: i32, qos: i32, retain: i32, properties: i64) -> i32;
    set_connect_properties(client: i64, properties: i64) -> i32;
    connect(client: i64) -> i32;
    doctor_start(client: i64) -> i32;
    disconnect(client: i64, reason_code: i32, properties: i64, timeout_ms: i32) -> i32;
    state(client: i64) -> i32;
    stat(client: i64, stat: i32) -> i64;
    test_panic(client: i64, place: i32) -> i32;
    poll(client: i64, event: *mut Event) -> i32;
    wait(client: i64, timeout_ms: i32) -> i32;
    acknowledge(client: i64, token: i64, reason_code: i32) -> i32;
    acknowledge_with(client: i64, token: i64, reason_code: i32, properties: i64) -> i32;
    event_topic(client: i64, buffer: *mut c_char, capacity: i32) -> i32;
    event_topic_w(client: i64, buffer: *mut u16, capacity: i32) -> i32;
    event_payload(client: i64, buffer: *mut u8, capacity: i32) -> i32;
    event_payload_text(client: i64, buffer: *mut c_char, capacity: i32) -> i32;
    event_payload_text_w(client: i64, buffer: *mut u16, capacity: i32) -> i32;
    event_text(client: i64, buffer: *mut c_char, capacity: i32) -> i32;
    event_text_w(client: i64, buffer: *mut u16, capacity: i32) -> i32;
    event_property_count(client: i64, property: i32) -> i32;
    event_property_int(client: i64, property: i32, index: i32) -> i64;
    event_property_text(client: i64, property: i32, index: i32, buffer: *mut c_char, capacity: i32) -> i32;
    event_property_text_w(client: i64, property: i32, index: i32, buffer: *mut u16, capacity: i32) -> i32;
    event_property_bytes(client: i64, property: i32, index: i32, buffer: *mut u8, capacity: i32) -> i32;
    event_user_name(client: i64, index: i32, buffer: *mut c_char, capacity: i32) -> i32;
    event_user_name_w(client: i64, index: i32, buffer: *mut u16, capacity: i32) -> i32;
    event_user_value(client: i64, index: i32, buffer: *mut c_char, capacity: i32) -> i32;
    event_user_value_w(client: i64, index: i32, buffer: *mut u16, capacity: i32) -> i32;
    publish(client: i64, topic: *const c_char, payload: *const u8, size: i32, qos: i32, retain: i32, properties: i64) -> i64;
    publish_w(client: i64, topic: *const u16, payload: *const u8, size: i32, qos: i32, retain: i32, properties: i64) -> i64;
    publish_text(client: i64, topic: *const c_char, text: *const c_char, qos: i32, retain: i32, properties: i64) -> i64;
    publish_text_w(client: i64, topic: *const u16, text: *const u16, qos: i32, retain: i32, properties: i64) -> i64;
    publish_batch(client: i64, messages: *mut u8, size: i32, properties: i64) -> i32;
    poll_batch(client: i64, buffer: *mut u8, capacity: i32, maximum: i32) -> i32;
    publish_stage(client: i64, token: i64) -> i32;
    cancel(client: i64, token: i64) -> i32;
    subscribe(client: i64, filter: *const c_char, options: i32, properties: i64) -> i64;
    subscribe_w(client: i64, filter: *const u16, options: i32, properties: i64) -> i64;
    unsubscribe(client: i64, filter: *const c_char, properties: i64) -> i64;
    unsubscribe_w(client: i64, filter: *const u16, properties: i64) -> i64;
    authenticate(client: i64, data: *const u8, size: i32, properties: i64) -> i32;
    reauthenticate(client: i64, data: *const u8, size: i32, properties: i64) -> i32;
    request(client: i64, topic: *const c_char, payload: *const u8, size: i32, qos: i32, properties: i64, timeout_ms: i32) -> i64;
    respond(client: i64, payload: *const u8, size: i32, qos: i32, properties: i64) -> i64;
    abi_version() -> i32;
    event_size() -> i32;
    version(buffer: *mut c_char, capacity: i32) -> i32;
    version_w(buffer: *mut u16, capacity: i32) -> i32;
    time_unix_us() -> i64;
    time_monotonic_us() -> i64;
    status_text(status: i32, buffer: *mut c_char, capacity: i32) -> i32;
    status_text_w(status: i32, buffer: *mut u16, capacity: i32) -> i32;
    reason_code_text(reason_code: i32, buffer: *mut c_char, capacity: i32) -> i32;
    reason_code_text_w(reason_code: i32, buffer: *mut u16, capacity: i32) -> i32;
    last_error(buffer: *mut c_char, capacity: i32) -> i32;
    last_error_w(buffer: *mut u16, capacity: i32) -> i32;
    properties_create() -> i64;
    properties_free(properties: i64) -> i32;
    properties_clear(properties: i64) -> i32;
    properties_set_time_to_live(properties: i64, milliseconds: i64) -> i32;
    properties_set_int(properties: i64, property: i32, value: i64) -> i32;
    properties_set_text(properties: i64, property: i32, value: *const c_char) -> i32;
    properties_set_text_w(properties: i64, property: i32, value: *const u16) -> i32;
    properties_set_bytes(properties: i64, property: i32, value: *const u8, size: i32) -> i32;
    properties_add_user(properties: i64, name: *const c_char, value: *const c_char) -> i32;
    properties_add_user_w(properties: i64, name: *const u16, value: *const u16) -> i32;
}

/// The library, loaded once for all tests of a process.
pub fn abi() -> &'static Abi {
    static ABI: LazyLock<Abi> = LazyLock::new(Abi::load);
    &ABI
}

impl Abi {
    /// Where a function of the library begins; the library stays loaded as long as `self` lives.
    pub fn address(&self, name: &str) -> *const () {
        // SAFETY: only the address is taken.
        let symbol = unsafe { self.loaded.get::<unsafe extern "C" fn()>(name) };
        *symbol.unwrap_or_else(|error| panic!("{name}: {error}")) as *const ()
    }

    /// What the calling thread's last failure was, in words.
    pub fn error_text(&self) -> String {
        text(|buffer, capacity| self.last_error(buffer, capacity))
    }

    /// A result that must be a success.
    #[track_caller]
    pub fn good<T: Copy + Into<i64>>(&self, result: T) -> T {
        assert!(result.into() >= 0, "status {}: {}", result.into(), self.error_text());
        result
    }
}

/// UTF-8 for the library.
pub fn utf8(text: &str) -> CString {
    CString::new(text).expect("a text without U+0000")
}

/// UTF-16 for the library, as MQL5 passes a `string`.
pub fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Reads a text as a host does: asks for the size, then for the text.
#[track_caller]
pub fn text(read: impl Fn(*mut c_char, i32) -> i32) -> String {
    let bytes = units(|buffer: *mut u8, capacity| read(buffer.cast(), capacity));
    String::from_utf8(bytes).expect("the library writes UTF-8")
}

/// The same from a `_w` twin.
#[track_caller]
pub fn text_w(read: impl Fn(*mut u16, i32) -> i32) -> String {
    String::from_utf16(&units(read)).expect("the library writes UTF-16")
}

#[track_caller]
fn units<T: Copy + Default + PartialEq>(read: impl Fn(*mut T, i32) -> i32) -> Vec<T> {
    let size = read(std::ptr::null_mut(), 0);
    assert!(size >= 0, "status {size}: {}", abi().error_text());
    let mut buffer = vec![T::default(); size as usize + 1];
    assert_eq!(read(buffer.as_mut_ptr(), size + 1), size);
    assert!(buffer.pop() == Some(T::default()), "no NUL behind the text");
    buffer
}
