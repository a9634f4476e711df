//! A publish on an idle connection is written by the thread that calls, and a message for a program that waits is read by
//! that program's thread, as it is for one that polls without a pause: the background thread sleeps on. Its context
//! switches, which Linux counts, show it; alone in this file, as other clients' threads have the same name.
#![cfg(target_os = "linux")]

mod common;

use common::background_thread::{PAUSE, fewest_sleeps, sleeps_of_background_thread, this_thread, until_it_sleeps};
use common::fake_server::{DEADLINE, FakeServer};
use common::program::Program;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::types::QoS;
use std::thread;
use std::time::Instant;

#[test]
fn publishes_and_messages_for_a_busy_or_waiting_program_need_no_background_thread() {
    const PUBLISHES: u64 = 500;
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::KeepAlive, 0)]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    // The first one may come while the thread is still busy with CONNACK.
    program.send("first", QoS::AtMostOnce);
    peer.expect_publish("first");
    let before = sleeps_of_background_thread();
    for number in 0..PUBLISHES {
        program.send(&number.to_string(), QoS::AtMostOnce);
        peer.expect_publish(&number.to_string());
        thread::sleep(PAUSE);
    }
    let sleeps = sleeps_of_background_thread() - before;
    assert!(sleeps < PUBLISHES / 50, "the background thread woke up {sleeps} times for {PUBLISHES} publishes");
    // What does wake the thread: messages for a program that only polls.
    let before = sleeps_of_background_thread();
    for number in 0..PUBLISHES {
        peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
        program.expect_soon("the message", |client| client.poll(|_| ()).expect("a client that lives").is_some());
    }
    let polling = sleeps_of_background_thread() - before;
    assert!(polling > PUBLISHES / 4, "{PUBLISHES} messages from the Server woke the thread {polling} times only");
    // A program that polls without a pause reads by itself.
    let busy = fewest_sleeps(polling.div_ceil(2), || {
        for number in 0..PUBLISHES {
            for _ in 0..1000 {
                assert!(program.client.poll(|_| ()).expect("a client that lives").is_none());
            }
            peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
            let start = Instant::now();
            while program.client.poll(|_| ()).expect("a client that lives").is_none() {
                assert!(start.elapsed() < DEADLINE, "nothing came");
            }
        }
    });
    assert!(
        busy * 2 < polling,
        "the background thread woke up {busy} times for a program that polls without a pause, and {polling} times for another"
    );
    // So does one that waits.
    let this_thread = this_thread().expect("this thread");
    let waiting = fewest_sleeps(polling.div_ceil(2), || {
        thread::scope(|scope| {
            let (peer, this_thread) = (&mut peer, &this_thread);
            scope.spawn(move || {
                for number in 0..PUBLISHES {
                    peer.expect_publish(&number.to_string());
                    until_it_sleeps(this_thread);
                    peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
                }
            });
            for number in 0..PUBLISHES {
                program.send(&number.to_string(), QoS::AtMostOnce);
                program.expect_payload(&number.to_string());
            }
        });
    });
    assert!(
        waiting * 2 < polling,
        "the background thread woke up {waiting} times, and {polling} times for a program that polls"
    );
}
