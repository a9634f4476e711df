//! A thread that is ended in the middle of a call (TerminateThread) leaves locked what it had locked. Whatever that is, each
//! call of that client comes back in bounded time and says so, and other clients don't notice.

use crate::common::abi::{Event, abi};
use crate::common::fake_server::{FakeServer, Peer};
use crate::common::program::within;
use crate::host::{Client, DEADLINE, refused};
use mt5mqtt::client::Locked;
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::QoS;
use std::time::{Duration, Instant};

/// After that long a lock is taken for one that nobody gives back.
const LONGEST_CALL: Duration = Duration::from_secs(5);
/// What a loaded machine may take on top of a bound; a wait without a bound takes for ever.
const ON_TOP: Duration = Duration::from_secs(10);

const FIRST_PLACE: i32 = 1000;

/// A connected client, of which a thread that was ended has left that locked. A message waits for it.
fn left_locked(what: Locked) -> (FakeServer, Client, Peer) {
    let options = [
        (MT5MQTT_OPT_ACKNOWLEDGE, 2),
        (MT5MQTT_OPT_PROGRESS, 1),
        (MT5MQTT_OPT_LOG_LEVEL, 4),
        (MT5MQTT_OPT_LOG_EVENTS, 0),
    ];
    let (server, client, mut peer) = Client::connected(&options);
    peer.publish(b"waits", Some(1), QoS::AtLeastOnce);
    let deadline = Instant::now() + DEADLINE;
    while abi().stat(client.handle, MT5MQTT_STAT_MESSAGES_RECEIVED) == 0 {
        assert!(Instant::now() < deadline, "the message didn't come");
        std::thread::yield_now();
    }
    let place = FIRST_PLACE + Locked::ALL.iter().position(|lock| *lock == what).expect("a lock") as i32;
    let handle = client.handle;
    std::thread::spawn(move || assert_eq!(abi().test_panic(handle, place), 0)).join().expect("a thread that locks");
    (server, client, peer)
}

type Call = Box<dyn Fn() -> i64>;

/// Every call, by its name.
fn calls(handle: i64) -> Vec<(&'static str, Call)> {
    let (topic, null) = (c"t".as_ptr(), std::ptr::null());
    vec![
        ("publish", Box::new(move || abi().publish(handle, topic, null, 0, 1, 0, 0))),
        (
            "publish_batch",
            Box::new(move || {
                let mut batch = [0; 33];
                for (at, value) in [(0, 32_i32), (16, 1), (24, 1)] {
                    batch[at..at + 4].copy_from_slice(&value.to_ne_bytes());
                }
                batch[32] = b't';
                abi().publish_batch(handle, batch.as_mut_ptr(), 33, 0).into()
            }),
        ),
        ("subscribe", Box::new(move || abi().subscribe(handle, topic, 1, 0))),
        ("unsubscribe", Box::new(move || abi().unsubscribe(handle, topic, 0))),
        ("request", Box::new(move || abi().request(handle, topic, null, 0, 1, 0, 1000))),
        ("poll", Box::new(move || abi().poll(handle, &mut Event::empty()).into())),
        (
            "poll_batch",
            Box::new(move || {
                let mut room = [0; 4096];
                abi().poll_batch(handle, room.as_mut_ptr(), 4096, 4).into()
            }),
        ),
        ("wait", Box::new(move || abi().wait(handle, 50).into())),
        ("stat", Box::new(move || abi().stat(handle, MT5MQTT_STAT_EVENTS_BYTES))),
        ("publish_stage", Box::new(move || abi().publish_stage(handle, 1).into())),
        ("cancel", Box::new(move || abi().cancel(handle, 1).into())),
        ("event_payload", Box::new(move || abi().event_payload(handle, std::ptr::null_mut(), 0).into())),
        ("acknowledge", Box::new(move || abi().acknowledge(handle, 1, 0).into())),
        ("set_int", Box::new(move || abi().set_int(handle, MT5MQTT_OPT_WAIT_MAXIMUM_MS, 100).into())),
        ("doctor_start", Box::new(move || abi().doctor_start(handle).into())),
        ("state", Box::new(move || abi().state(handle).into())),
        ("connect", Box::new(move || abi().connect(handle).into())),
        ("disconnect", Box::new(move || abi().disconnect(handle, 0, 0, 500).into())),
    ]
}

/// What a call may say that has nothing to do with a lock.
const OTHERWISE: [i32; 5] =
    [MT5MQTT_E_WRONG_STATE, MT5MQTT_E_UNKNOWN_TOKEN, MT5MQTT_E_NO_EVENT, MT5MQTT_E_TIMEOUT, MT5MQTT_E_NOT_CONNECTED];

fn every_call_comes_back(what: Locked) {
    let (_server, client, _peer) = left_locked(what);
    let mut said_so = false;
    for (name, call) in calls(client.handle) {
        let result = within(LONGEST_CALL + ON_TOP, name, &call);
        said_so |= result == i64::from(MT5MQTT_E_LEFT_LOCKED);
        let fine = result >= 0 || said_so || OTHERWISE.contains(&(result as i32));
        assert!(fine, "{what:?}: {name} returned {result}: {}", abi().error_text());
    }
    let freed = within(LONGEST_CALL + ON_TOP, "free", || abi().free(client.handle));
    assert!(freed == 0 || freed == MT5MQTT_E_LEFT_LOCKED, "{what:?}: {freed}");
    refused(abi().state(client.handle), MT5MQTT_E_INVALID_HANDLE, &[]);
}

#[test]
fn every_call_comes_back_whatever_is_left_locked() {
    std::thread::scope(|scope| {
        for what in Locked::ALL {
            scope.spawn(move || every_call_comes_back(what));
        }
    });
}

#[test]
fn a_client_that_is_left_locked_says_so_and_at_once_from_then_on() {
    for what in [Locked::Session, Locked::Options, Locked::Figures, Locked::Events] {
        let (_server, client, _peer) = left_locked(what);
        let handle = client.handle;
        // With the Session locked a publish is left to the background thread, which finds out.
        let deadline = Instant::now() + LONGEST_CALL + ON_TOP;
        while abi().publish(handle, c"t".as_ptr(), std::ptr::null(), 0, 1, 0, 0) != MT5MQTT_E_LEFT_LOCKED.into() {
            // Where a publish has no business.
            let says_so = ["ended", "freed"];
            match what {
                Locked::Events => {
                    let bytes = abi().stat(handle, MT5MQTT_STAT_EVENTS_BYTES);
                    refused(bytes, MT5MQTT_E_LEFT_LOCKED, &says_so);
                }
                Locked::Options => {
                    let set = abi().set_int(handle, MT5MQTT_OPT_WAIT_MAXIMUM_MS, 100);
                    refused(set, MT5MQTT_E_LEFT_LOCKED, &says_so);
                }
                _ => {}
            }
            assert!(Instant::now() < deadline, "{what:?}: nobody has found out");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(client.state(), MT5MQTT_STATE_FAILED);
        let start = Instant::now();
        for (name, call) in calls(handle) {
            match name {
                // What is known, and what came before, can still be read.
                "state" | "stat" | "event_payload" | "poll" | "poll_batch" | "wait" => {}
                // The status stands in the first message.
                "publish_batch" => assert_eq!(call(), 0),
                _ => refused(call(), MT5MQTT_E_LEFT_LOCKED, &["ended", "freed"]),
            }
        }
        assert!(start.elapsed() < LONGEST_CALL, "{what:?}: {:?} for calls that can't do anything", start.elapsed());
        within(LONGEST_CALL + ON_TOP, "free", || {
            refused(abi().free(handle), MT5MQTT_E_LEFT_LOCKED, &["ended"]);
        });
    }
}

#[test]
fn what_is_left_locked_ends_the_connection_so_that_the_server_publishes_the_will_message() {
    // With the Session itself locked nobody can close it; the Server's Keep Alive does.
    for what in [Locked::Options, Locked::Figures, Locked::Events] {
        let (_server, client, mut peer) = left_locked(what);
        abi().stat(client.handle, MT5MQTT_STAT_EVENTS_BYTES);
        abi().set_int(client.handle, MT5MQTT_OPT_WAIT_MAXIMUM_MS, 100);
        peer.expect_close(&[]);
    }
}

#[test]
fn other_clients_go_on() {
    let (_server, other, mut peer) = Client::connected(&[]);
    for what in Locked::ALL {
        let (_server, client, _peer) = left_locked(what);
        other.publish(b"alive", 1);
        let id = peer.expect_publish("alive").id();
        peer.puback(id);
        assert_eq!(other.expect(MT5MQTT_EVENT_PUBLISHED).status, 0);
        abi().free(client.handle);
    }
}

#[test]
fn there_is_no_lock_beyond_the_last() {
    let client = Client::new();
    let place = FIRST_PLACE + Locked::ALL.len() as i32;
    refused(abi().test_panic(client.handle, place), MT5MQTT_E_INVALID_ARGUMENT, &[&place.to_string()]);
}
