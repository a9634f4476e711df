//! libmosquitto and Paho C, through the shims in shims/.

use super::{Connection, Count, OnMessage, SELDOM, TIMEOUT};
use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `shim_client` of shims/shim.h.
#[repr(C)]
struct Client {
    library: *mut c_void,
    context: *mut c_void,
    message: extern "C" fn(*mut c_void),
    complete: extern "C" fn(*mut c_void),
    in_flight: c_int,
    connected: c_int,
    subscribed: c_int,
}

pub struct Shim {
    connect: unsafe extern "C" fn(*mut Client, *const c_char, c_int, *const c_char) -> c_int,
    subscribe: unsafe extern "C" fn(*mut Client, *const c_char, c_int) -> c_int,
    publish: unsafe extern "C" fn(*mut Client, *const c_char, *const c_void, c_int, c_int) -> c_int,
    close: unsafe extern "C" fn(*mut Client),
}

macro_rules! shim {
    ($shim:ident: $connect:ident, $subscribe:ident, $publish:ident, $close:ident) => {
        unsafe extern "C" {
            fn $connect(client: *mut Client, host: *const c_char, port: c_int, id: *const c_char) -> c_int;
            fn $subscribe(client: *mut Client, topic: *const c_char, qos: c_int) -> c_int;
            fn $publish(
                client: *mut Client,
                topic: *const c_char,
                payload: *const c_void,
                size: c_int,
                qos: c_int,
            ) -> c_int;
            fn $close(client: *mut Client);
        }
        pub static $shim: Shim = Shim { connect: $connect, subscribe: $subscribe, publish: $publish, close: $close };
    };
}

shim!(MOSQUITTO: mosquitto_shim_connect, mosquitto_shim_subscribe, mosquitto_shim_publish, mosquitto_shim_close);
shim!(PAHO: paho_shim_connect, paho_shim_subscribe, paho_shim_publish, paho_shim_close);

/// What the callbacks find.
struct Context {
    on_message: OnMessage,
    messages: Arc<Count>,
    completed: Arc<Count>,
}

extern "C" fn message(context: *mut c_void) {
    // SAFETY: the context lives as long as the client, whose one thread calls.
    let context = unsafe { &mut *context.cast::<Context>() };
    (context.on_message)();
    context.messages.add();
}

extern "C" fn complete(context: *mut c_void) {
    // SAFETY: as above; only the counter is used, which may be shared.
    let completed = unsafe { &(*context.cast::<Context>()).completed };
    completed.add();
}

struct CClient {
    shim: &'static Shim,
    client: Box<Client>,
    context: *mut Context,
    messages: Arc<Count>,
    received: u64,
    completed: Arc<Count>,
    published: u64,
    topic: (String, CString),
}

// SAFETY: both libraries may be called from any thread.
unsafe impl Send for CClient {}

pub fn connect(shim: &'static Shim, port: u16, id: &str, in_flight: u16, on_message: OnMessage) -> Box<dyn Connection> {
    let (messages, completed) = (Count::new(), Count::new());
    let context =
        Box::into_raw(Box::new(Context { on_message, messages: messages.clone(), completed: completed.clone() }));
    let client = Client {
        library: std::ptr::null_mut(),
        context: context.cast(),
        message,
        complete,
        in_flight: in_flight.into(),
        connected: 0,
        subscribed: 0,
    };
    let topic = Default::default();
    let mut peer =
        CClient { shim, client: Box::new(client), context, messages, received: 0, completed, published: 0, topic };
    let id = CString::new(id).expect("no NUL");
    // SAFETY: the client doesn't move, and lives until it is closed.
    let result = unsafe { (shim.connect)(&mut *peer.client, c"127.0.0.1".as_ptr(), port.into(), id.as_ptr()) };
    assert_eq!(result, 0, "connect");
    wait_for(&raw const peer.client.connected);
    Box::new(peer)
}

/// Waits until the library's thread has set the flag to 1.
fn wait_for(flag: *const c_int) {
    let deadline = Instant::now() + TIMEOUT;
    // SAFETY: the flag is in a client that lives.
    while unsafe { flag.read_volatile() } != 1 {
        assert!(Instant::now() < deadline, "no answer within {TIMEOUT:?}");
        std::thread::sleep(Duration::from_micros(20));
    }
}

impl Connection for CClient {
    fn subscribe(&mut self, topic: &str, qos: u8) {
        let topic = CString::new(topic).expect("no NUL");
        // SAFETY: the client is connected.
        assert_eq!(unsafe { (self.shim.subscribe)(&mut *self.client, topic.as_ptr(), qos.into()) }, 0, "subscribe");
        wait_for(&raw const self.client.subscribed);
    }

    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) {
        if self.topic.0 != topic {
            self.topic = (topic.to_owned(), CString::new(topic).expect("no NUL"));
        }
        let (data, size) = (payload.as_ptr().cast(), payload.len() as c_int);
        // SAFETY: text and payload live through the call.
        while unsafe { (self.shim.publish)(&mut *self.client, self.topic.1.as_ptr(), data, size, qos.into()) } != 0 {
            std::thread::sleep(SELDOM);
        }
        self.published += 1;
    }

    fn finish(&mut self) {
        self.completed.wait_for(self.published);
    }

    fn receive(&mut self, count: u64) {
        self.received += count;
        self.messages.wait_for(self.received);
    }
}

impl Drop for CClient {
    fn drop(&mut self) {
        // SAFETY: closing ends the thread that calls back.
        unsafe {
            (self.shim.close)(&mut *self.client);
            drop(Box::from_raw(self.context));
        }
    }
}
