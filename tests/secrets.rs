//! Secrets in memory: what holds one is zeroized before it is given back.

#[allow(dead_code)]
#[path = "session/trace.rs"]
mod trace;

use mt5mqtt::codec::property::{Properties, PropertyId, Value};
use mt5mqtt::ffi::client::*;
use mt5mqtt::ffi::constants::*;
use mt5mqtt::ffi::event::mt5mqtt_wait;
use mt5mqtt::session::authentication::{Authentication, Mechanism};
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CStr, CString};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What no block of memory holds when it is given back.
const SECRET: &[u8] = b"0pen-sesame";

struct Watching;

static FOUND: AtomicUsize = AtomicUsize::new(0);

/// Tests take turns: what is found is everybody's.
static TURN: Mutex<()> = Mutex::new(());

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that nothing of an earlier owner is found; SAFETY: as for the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's to the end, and was zeroed when it was made.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        if bytes.windows(SECRET.len()).any(|window| window == SECRET) {
            FOUND.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as for the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// How often the secret was given back while this ran.
fn found(run: impl FnOnce()) -> usize {
    let before = FOUND.load(Ordering::Relaxed);
    run();
    FOUND.load(Ordering::Relaxed) - before
}

/// The options that hold secrets, and a value that each takes.
const OPTIONS: [(&str, i32, &CStr); 7] = [
    ("PASSWORD", MT5MQTT_OPT_PASSWORD, c"0pen-sesame"),
    ("AUTHENTICATION_DATA", MT5MQTT_OPT_AUTHENTICATION_DATA, c"0pen-sesame"),
    ("URL", MT5MQTT_OPT_URL, c"ws://127.0.0.1/mqtt?token=0pen-sesame"),
    ("PROXY", MT5MQTT_OPT_PROXY, c"socks5://me:0pen-sesame@127.0.0.1:1080"),
    ("WS_HEADERS", MT5MQTT_OPT_WS_HEADERS, c"Authorization: Bearer 0pen-sesame"),
    ("TLS_CLIENT_KEY", MT5MQTT_OPT_TLS_CLIENT_KEY, c"-----BEGIN PRIVATE KEY-----0pen-sesame"),
    ("TLS_CLIENT_KEY_PASSWORD", MT5MQTT_OPT_TLS_CLIENT_KEY_PASSWORD, c"0pen-sesame"),
];

#[test]
fn what_watches_finds_a_secret() {
    let _turn = TURN.lock();
    assert_eq!(found(|| drop(SECRET.to_vec())), 1);
}

#[test]
fn an_option_leaves_no_secret_in_memory_that_is_given_back() {
    let _turn = TURN.lock();
    let mut leaves = Vec::new();
    for (name, option, value) in OPTIONS {
        let mut units = [0; 64];
        units.iter_mut().zip(value.to_bytes()).for_each(|(unit, byte)| *unit = u16::from(*byte));
        let found = found(|| {
            let client = mt5mqtt_create();
            // SAFETY: the texts end with a NUL, the bytes are there.
            unsafe {
                assert_eq!(mt5mqtt_set_text(client, option, value.as_ptr()), MT5MQTT_OK, "{name}");
                assert_eq!(mt5mqtt_set_text_w(client, option, units.as_ptr()), MT5MQTT_OK, "{name}");
                if matches!(option, MT5MQTT_OPT_PASSWORD | MT5MQTT_OPT_AUTHENTICATION_DATA) {
                    mt5mqtt_set_bytes(client, option, SECRET.as_ptr(), SECRET.len() as i32);
                }
                assert_eq!(mt5mqtt_set_text(client, option, ptr::null()), MT5MQTT_OK, "{name}");
                mt5mqtt_set_text(client, option, value.as_ptr());
            }
            mt5mqtt_free(client);
        });
        leaves.extend((found > 0).then_some((name, found)));
    }
    if !leaves.is_empty() {
        // The library keeps the texts of panics to itself.
        eprintln!("{leaves:?}");
    }
    assert_eq!(leaves, []);
}

#[test]
fn a_password_that_is_refused_or_is_not_plain_ascii_leaves_nothing_behind() {
    let _turn = TURN.lock();
    // A lone surrogate behind the secret; and characters that are longer in UTF-8 than in UTF-16.
    for (behind, status) in [(0xD83D, MT5MQTT_E_INVALID_TEXT), (0x20AC, MT5MQTT_OK)] {
        let mut units: Vec<u16> = SECRET.iter().map(|byte| u16::from(*byte)).collect();
        units.extend([behind; 50]);
        units.push(0);
        let found = found(|| {
            let client = mt5mqtt_create();
            // SAFETY: the text ends with a NUL.
            assert_eq!(unsafe { mt5mqtt_set_text_w(client, MT5MQTT_OPT_PASSWORD, units.as_ptr()) }, status);
            mt5mqtt_free(client);
        });
        assert_eq!(found, 0, "{status}");
    }
}

#[test]
fn a_password_that_was_sent_leaves_nothing_behind() {
    let _turn = TURN.lock();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = CString::new(format!("mqtt://{}", server.local_addr().unwrap())).unwrap();
    let found = found(|| {
        let client = mt5mqtt_create();
        // SAFETY: the texts end with a NUL.
        unsafe {
            mt5mqtt_set_text(client, MT5MQTT_OPT_URL, url.as_ptr());
            mt5mqtt_set_text(client, MT5MQTT_OPT_CLIENT_ID, c"c".as_ptr());
            mt5mqtt_set_text(client, MT5MQTT_OPT_USER_NAME, c"me".as_ptr());
            mt5mqtt_set_text(client, MT5MQTT_OPT_PASSWORD, c"0pen-sesame".as_ptr());
        }
        // Again, as a client that comes back has its password once more.
        for _ in 0..2 {
            assert_eq!(mt5mqtt_connect(client), MT5MQTT_OK);
            let (mut connection, _) = server.accept().unwrap();
            let (mut bytes, mut size) = ([0; 256], 0);
            while !bytes[..size].ends_with(SECRET) {
                size += connection.read(&mut bytes[size..]).unwrap();
            }
            connection.write_all(&[0x20, 3, 0, 0, 0]).unwrap();
            let deadline = Instant::now() + Duration::from_secs(15);
            while mt5mqtt_state(client) != MT5MQTT_STATE_CONNECTED {
                assert!(Instant::now() < deadline, "no connection");
                mt5mqtt_wait(client, 10);
            }
            mt5mqtt_disconnect(client, 0, 0, 2000);
        }
        assert_eq!(mt5mqtt_free(client), MT5MQTT_OK);
    });
    if found != 0 {
        eprintln!("{found} times");
    }
    assert_eq!(found, 0);
}

#[test]
fn a_token_that_stands_before_or_behind_messages_leaves_nothing_behind() {
    let _turn = TURN.lock();
    let mechanism = Mechanism::Program { data: None };
    let authentication = Some(Authentication { method: "m".to_owned(), mechanism });
    let method = [(PropertyId::AuthenticationMethod, Value::Text("m"))];
    let (short, long) = ("x".repeat(1000), "x".repeat(200_000));
    for is_first in [true, false] {
        let options = SessionOptions { authentication: authentication.clone(), ..trace::options() };
        let found = found(|| {
            let mut trace = trace::Trace::connected_to(options, &method);
            if !is_first {
                trace.publish(0, &long, QoS::AtMostOnce);
            }
            trace.session.reauthenticate(Some(SECRET), Properties::EMPTY, trace.now);
            // What can be sent only now and then is moved for it.
            for _ in 0..60 {
                trace.publish(0, &short, QoS::AtMostOnce);
            }
            while !trace.session.output().is_empty() {
                let some = trace.session.output().len().min(50_000);
                trace.session.handle_sent(trace.now, some);
            }
            trace.publish(0, &long.repeat(4), QoS::AtMostOnce);
        });
        if found != 0 {
            eprintln!("{found} times, first: {is_first}");
        }
        assert_eq!(found, 0);
    }
}
