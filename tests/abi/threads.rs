//! Any function from any thread, and a handle that is freed under the feet of those who use it.

use crate::common::abi::{Event, abi};
use crate::common::background_thread::asleep;
use crate::common::fake_server::{FakeServer, Peer};
use crate::host::Client;
use mt5mqtt::codec::Packet;
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::{PacketType, QoS};
use std::collections::HashSet;
use std::ptr::{null, null_mut};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A Server that acknowledges each PUBLISH, until DISCONNECT; returns how many there were.
fn acknowledge_all(mut peer: Peer) -> thread::JoinHandle<usize> {
    thread::spawn(move || {
        let mut count = 0;
        loop {
            let received = peer.read("a PUBLISH or DISCONNECT");
            match received.packet() {
                Packet::Publish(publish) => {
                    count += 1;
                    if publish.qos == QoS::AtLeastOnce {
                        peer.puback(received.id());
                    }
                }
                Packet::Disconnect(_) => return count,
                Packet::Subscribe(_) | Packet::Unsubscribe(_) => {}
                other => panic!("{}", other.packet_type().name()),
            }
        }
    })
}

#[test]
fn threads_that_publish_with_one_handle_lose_nothing_and_mix_nothing_up() {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    let (_server, client, peer) = Client::connected(&[]);
    let server = acknowledge_all(peer);
    let handle = client.handle;
    let mut accepted: HashSet<i64> = HashSet::new();
    thread::scope(|scope| {
        let publishers: Vec<_> = (0..THREADS)
            .map(|number| {
                scope.spawn(move || {
                    let payload = [number as u8; 100];
                    let publish = |_| abi().good(abi().publish(handle, c"t".as_ptr(), payload.as_ptr(), 100, 1, 0, 0));
                    let tokens: Vec<i64> = (0..EACH).map(publish).collect();
                    assert!(tokens.is_sorted());
                    tokens
                })
            })
            .collect();
        for publisher in publishers {
            accepted.extend(publisher.join().unwrap());
        }
    });
    assert_eq!(accepted.len(), THREADS * EACH, "a token was given out twice");
    while !accepted.is_empty() {
        let event = client.expect(MT5MQTT_EVENT_PUBLISHED);
        assert!(event.status == 0 && accepted.remove(&event.token), "{event:?}");
    }
    assert_eq!(abi().disconnect(handle, 0, 0, 2000).min(0), 0);
    assert_eq!(server.join().unwrap(), THREADS * EACH);
}

/// Everything that a host may call, over and over, until the handle is gone. Returns how many calls that was.
fn use_until_freed(handle: i64, number: usize) -> usize {
    let mut calls = 0;
    let mut event = Event::empty();
    let mut buffer = [0_u8; 64];
    let deadline = Instant::now() + crate::host::DEADLINE;
    loop {
        event.struct_size = size_of::<Event>() as i32;
        let result = match (calls + number) % 12 {
            0 => abi().publish(handle, c"t".as_ptr(), buffer.as_ptr(), 64, (calls % 3) as i32, 0, 0),
            1 => abi().poll(handle, &mut event).into(),
            2 => abi().wait(handle, 1).into(),
            3 => abi().state(handle).into(),
            4 => abi().stat(handle, MT5MQTT_STAT_OUTGOING),
            5 => abi().event_topic(handle, buffer.as_mut_ptr().cast(), 64).into(),
            6 => abi().event_payload(handle, buffer.as_mut_ptr(), 64).into(),
            7 => abi().set_int(handle, MT5MQTT_OPT_WAIT_MAXIMUM_MS, 1 + calls as i64 % 5).into(),
            8 => abi().subscribe(handle, c"t".as_ptr(), 1, 0),
            9 => abi().event_property_count(handle, MT5MQTT_PROP_USER_PROPERTY).into(),
            10 => abi().event_text(handle, null_mut(), 0).into(),
            _ => abi().unsubscribe(handle, c"t".as_ptr(), 0),
        };
        match result as i32 {
            MT5MQTT_E_INVALID_HANDLE => return calls,
            // With nothing polled yet, or with more than the queue takes.
            MT5MQTT_E_NO_EVENT | MT5MQTT_E_QUEUE_FULL => {}
            status => assert!(status >= 0, "{status}: {}", abi().error_text()),
        }
        calls += 1;
        assert!(Instant::now() < deadline, "the handle is still there");
    }
}

#[test]
fn a_handle_can_be_freed_while_other_threads_use_it() {
    for round in 0..8 {
        let (_server, client, mut peer) = Client::connected(&[]);
        let handle = client.handle;
        let together = Barrier::new(4);
        thread::scope(|scope| {
            let users: Vec<_> = (0..3)
                .map(|number| {
                    let together = &together;
                    scope.spawn(move || {
                        together.wait();
                        use_until_freed(handle, number * 5)
                    })
                })
                .collect();
            // A Server that floods and then lets go.
            let flood = scope.spawn(move || {
                for _ in 0..50 {
                    peer.publish(b"flood", None, QoS::AtMostOnce);
                }
                peer
            });
            together.wait();
            // Some calls later, more each round.
            let deadline = Instant::now() + crate::host::DEADLINE;
            while abi().stat(handle, MT5MQTT_STAT_MESSAGES_SENT) < 1 + round * 10 {
                assert!(Instant::now() < deadline, "the threads send nothing");
            }
            let freed_by_this = abi().free(handle);
            assert_eq!(freed_by_this, 0);
            for user in users {
                user.join().unwrap();
            }
            drop(flood.join());
        });
    }
}

#[test]
fn of_many_threads_that_free_a_handle_one_does() {
    for _ in 0..5 {
        let (_server, client, _peer) = Client::connected(&[]);
        let handle = client.handle;
        let together = Barrier::new(4);
        let results: Vec<i32> = thread::scope(|scope| {
            let freeing = (0..4).map(|_| {
                scope.spawn(|| {
                    together.wait();
                    abi().free(handle)
                })
            });
            let freeing: Vec<_> = freeing.collect();
            freeing.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(results.iter().filter(|result| **result == 0).count(), 1, "{results:?}");
        assert_eq!(results.iter().filter(|result| **result == MT5MQTT_E_INVALID_HANDLE).count(), 3, "{results:?}");
    }
}

#[test]
fn free_wakes_every_thread_that_waits() {
    let (_server, client, mut peer) = Client::connected(&[(MT5MQTT_OPT_WAIT_MAXIMUM_MS, 600_000)]);
    let handle = client.handle;
    thread::scope(|scope| {
        let waiting = [(); 3].map(|()| asleep(scope, move || abi().wait(handle, 600_000)));
        let start = Instant::now();
        assert_eq!(abi().free(handle), 0);
        for waiting in waiting {
            let result = waiting.join().unwrap();
            assert!([0, MT5MQTT_E_INVALID_HANDLE].contains(&result), "{result}");
        }
        assert!(start.elapsed() < Duration::from_secs(5), "the threads waited {:?}", start.elapsed());
    });
    peer.expect_close(&[PacketType::Disconnect]);
}

#[test]
fn clients_are_made_connected_and_freed_by_many_threads_at_once() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let (_server, client, mut peer) = Client::connected(&[]);
                    client.publish(b"hello", 0);
                    peer.expect_publish("hello");
                    abi().good(abi().publish_text(client.handle, c"t".as_ptr(), null(), 0, 0, 0));
                    peer.expect_publish("");
                }
            });
        }
    });
}

#[test]
fn an_option_that_is_set_while_another_thread_connects_holds_for_that_connection_or_is_refused() {
    let mut server = FakeServer::start();
    for _ in 0..100 {
        let client = Client::new();
        client.set_text(MT5MQTT_OPT_URL, &server.url());
        let handle = client.handle;
        let (has_begun, together) = (&AtomicBool::new(false), &Barrier::new(2));
        let last_accepted = thread::scope(|scope| {
            let setting = scope.spawn(move || {
                together.wait();
                let mut value = 1;
                while value < 65_535 {
                    match abi().set_int(handle, MT5MQTT_OPT_KEEP_ALIVE_S, value + 1) {
                        0 => value += 1,
                        MT5MQTT_E_WRONG_STATE => break,
                        status => panic!("{status}: {}", abi().error_text()),
                    }
                    has_begun.store(true, Ordering::Release);
                }
                value
            });
            together.wait();
            while !has_begun.load(Ordering::Acquire) {}
            abi().good(abi().connect(handle));
            setting.join().unwrap()
        });
        let mut peer = server.accept();
        let received = peer.expect(PacketType::Connect);
        let Packet::Connect(connect) = received.packet() else { panic!("no CONNECT") };
        assert_eq!(i64::from(connect.keep_alive), last_accepted);
    }
}
