//! Once a client has warmed up, publish and poll allocate nothing: neither on the program's thread nor on the client's.
//!
//! Alone in its file, as its allocator counts what the whole process does. The Server's thread is left out.

use mt5mqtt::ffi::client::{
    mt5mqtt_connect, mt5mqtt_create, mt5mqtt_free, mt5mqtt_set_int, mt5mqtt_set_text, mt5mqtt_stat,
};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::ffi::event::{
    mt5mqtt_event, mt5mqtt_event_payload, mt5mqtt_event_topic, mt5mqtt_event_topic_w, mt5mqtt_poll, mt5mqtt_wait,
};
use mt5mqtt::ffi::publish::{mt5mqtt_publish, mt5mqtt_publish_text_w, mt5mqtt_publish_w, mt5mqtt_subscribe};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than a busy machine needs.
const DEADLINE: Duration = Duration::from_secs(15);

/// On a busy machine the threads take turns as they never did before: more messages are on their way at once, for which buffers are
/// made, and the test's own harness allocates. What is warm allocates nothing when it is tried again.
const TRIES: usize = 5;

struct Counting;

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IS_SERVER: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    if COUNTING.load(Ordering::Relaxed) && !IS_SERVER.get() {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: everything is handed on to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Sends each PUBLISH back as it came, and answers what is to be answered. Packets are short: their Remaining Length has one
/// byte.
fn serve(mut stream: TcpStream) {
    IS_SERVER.set(true);
    stream.set_nodelay(true).expect("TCP_NODELAY");
    // Of the messages to the client.
    let mut next_id: u16 = 0;
    let mut input = Vec::new();
    let mut room = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut room) {
        input.extend_from_slice(&room[..count]);
        let mut output = Vec::new();
        let mut used = 0;
        while let Some(packet) = input[used..].get(1).and_then(|size| input[used..].get(..2 + usize::from(*size))) {
            used += packet.len();
            match packet[0] >> 4 {
                1 => output.extend([0x20, 3, 0, 0, 0]),
                3 => {
                    let at = output.len();
                    output.extend(packet);
                    if packet[0] >> 1 & 3 == 1 {
                        let id = 4 + usize::from(u16::from_be_bytes([packet[2], packet[3]]));
                        next_id = next_id.wrapping_add(1).max(1);
                        output[at + id..at + id + 2].copy_from_slice(&next_id.to_be_bytes());
                        output.extend([0x40, 2, packet[id], packet[id + 1]]);
                    }
                }
                8 => output.extend([0x90, 4, packet[2], packet[3], 0, 1]),
                14 => return,
                _ => {}
            }
        }
        input.drain(..used);
        stream.write_all(&output).expect("the client reads");
    }
}

struct Program {
    client: i64,
    topic: CString,
    wide_topic: Vec<u16>,
    wide_text: Vec<u16>,
    messages: usize,
    published: usize,
}

impl Program {
    fn connected(port: u16, options: &[(i32, i64)]) -> Program {
        let url = CString::new(format!("mqtt://127.0.0.1:{port}")).expect("no NUL");
        let utf16 = |text: &str| text.encode_utf16().chain([0]).collect();
        let topic = CString::new("ticks/EURUSD").expect("no NUL");
        let (wide_topic, wide_text) = (utf16("ticks/цена"), utf16("1.08512 €"));
        let client = mt5mqtt_create();
        // The library's hook is silent, and this test's failures are not its own.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
        let mut program = Program { client, topic, wide_topic, wide_text, messages: 0, published: 0 };
        // SAFETY: texts with a 0.
        unsafe {
            assert_eq!(mt5mqtt_set_text(client, MT5MQTT_OPT_URL, url.as_ptr()), 0);
            assert_eq!(mt5mqtt_set_text(client, MT5MQTT_OPT_CLIENT_ID, c"allocations".as_ptr()), 0);
            for (option, value) in options {
                assert_eq!(mt5mqtt_set_int(client, *option, *value), 0);
            }
            assert_eq!(mt5mqtt_connect(client), 0);
            assert!(mt5mqtt_subscribe(client, c"ticks/#".as_ptr(), 1, 0) > 0);
        }
        program.until(|program| program.take() == Some(MT5MQTT_EVENT_SUBSCRIBED));
        program
    }

    /// One poll, and all that a program reads of what it gets.
    fn take(&mut self) -> Option<i32> {
        let mut event = mt5mqtt_event { struct_size: size_of::<mt5mqtt_event>() as i32, ..Default::default() };
        let (mut text, mut wide, mut bytes) = ([0; 64], [0; 64], [0; 64]);
        // SAFETY: the event has its size, the buffers have theirs.
        unsafe {
            if mt5mqtt_poll(self.client, &mut event) != 1 {
                return None;
            }
            assert!(mt5mqtt_event_topic(self.client, text.as_mut_ptr(), 64) >= 0);
            assert!(mt5mqtt_event_topic_w(self.client, wide.as_mut_ptr(), 64) >= 0);
            assert!(mt5mqtt_event_payload(self.client, bytes.as_mut_ptr(), 64) >= 0);
        }
        self.messages += usize::from(event.kind == MT5MQTT_EVENT_MESSAGE);
        self.published += usize::from(event.kind == MT5MQTT_EVENT_PUBLISHED);
        Some(event.kind)
    }

    fn until(&mut self, mut done: impl FnMut(&mut Program) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !done(self) {
            assert!(Instant::now() < deadline, "{} messages and {} ends came", self.messages, self.published);
        }
    }

    /// Publishes some messages in each way, and takes what comes of them: with and without waiting, one by one and together.
    fn round(&mut self, qos: i32, most_together: usize) {
        let (client, payload) = (self.client, [b'x'; 64]);
        for together in [1, most_together] {
            for waiting in [true, false] {
                for _ in 0..together {
                    // SAFETY: the texts end with a 0, the payload has its size.
                    let tokens = unsafe {
                        [
                            mt5mqtt_publish(client, self.topic.as_ptr(), payload.as_ptr(), 64, qos, 0, 0),
                            mt5mqtt_publish_w(client, self.wide_topic.as_ptr(), payload.as_ptr(), 64, qos, 0, 0),
                            mt5mqtt_publish_text_w(
                                client,
                                self.wide_topic.as_ptr(),
                                self.wide_text.as_ptr(),
                                qos,
                                0,
                                0,
                            ),
                        ]
                    };
                    assert!(tokens.iter().all(|token| *token > 0), "{tokens:?}");
                }
                let messages = self.messages + 3 * together;
                let published = self.published + if qos == 0 { 0 } else { 3 * together };
                self.until(|program| {
                    if program.take().is_none() && waiting {
                        mt5mqtt_wait(client, 50);
                    }
                    program.messages == messages && program.published == published
                });
            }
        }
        self.until(|program| mt5mqtt_stat(program.client, MT5MQTT_STAT_OUTGOING) == 0);
    }

    fn allocations_of_100_rounds(&mut self, qos: i32) -> usize {
        ALLOCATIONS.store(0, Ordering::SeqCst);
        COUNTING.store(true, Ordering::SeqCst);
        for _ in 0..100 {
            self.round(qos, 20);
        }
        COUNTING.store(false, Ordering::SeqCst);
        ALLOCATIONS.load(Ordering::SeqCst)
    }
}

#[test]
fn publish_and_poll_allocate_nothing_once_they_are_warm() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    for qos in [0, 1] {
        let mut program = Program::connected(port, &[(MT5MQTT_OPT_KEEP_ALIVE_S, 0)]);
        // Queues and tables grow to more than they are to hold later, however the threads take turns.
        for _ in 0..20 {
            program.round(qos, 200);
            program.round(qos, 20);
        }
        let tries: Vec<usize> =
            (0..TRIES).map(|_| program.allocations_of_100_rounds(qos)).take_while(|count| *count > 0).collect();
        assert!(tries.len() < TRIES, "QoS {qos}: {tries:?} allocations, each time for 100 rounds of 126 messages");
        // The same allocator sees what does allocate.
        COUNTING.store(true, Ordering::SeqCst);
        let other = mt5mqtt_create();
        COUNTING.store(false, Ordering::SeqCst);
        assert!(ALLOCATIONS.load(Ordering::SeqCst) > 0);
        mt5mqtt_free(other);
        mt5mqtt_free(program.client);
    }
}
