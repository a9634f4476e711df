//! A caller that waits reads from the Server by itself; whatever else happens on the client reaches it and goes on.

mod common;

use common::background_thread::asleep;
use common::fake_server::FakeServer;
use common::program::{Program, within};
use mt5mqtt::client::State;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than any test takes: who comes back earlier was woken.
const LONG: Duration = Duration::from_secs(300);

fn connected(server: &mut FakeServer, ints: &[(IntOption, i64)]) -> (Program, common::fake_server::Peer) {
    let program = Program::connecting(&server.url(), ints);
    program.set_int(IntOption::WaitMaximum, 600_000);
    let peer = server.accept_mqtt();
    program.expect_connected();
    (program, peer)
}

/// Runs `act` while a thread waits, which must see something soon.
fn woken_by(program: &Program, act: impl FnOnce()) -> bool {
    within(Duration::from_secs(5), "waking the caller that waits", || {
        thread::scope(|scope| {
            let waiting = asleep(scope, || program.client.wait(LONG).expect("a client that lives"));
            act();
            waiting.join().expect("the caller that waits")
        })
    })
}

#[test]
fn freeing_the_client_wakes_the_caller() {
    for _ in 0..5 {
        let mut server = FakeServer::start();
        let (program, _peer) = connected(&mut server, &[]);
        assert!(!woken_by(&program, || assert!(program.free())));
    }
}

#[test]
fn disconnecting_wakes_the_caller_with_the_event() {
    for _ in 0..20 {
        let mut server = FakeServer::start();
        let (program, mut peer) = connected(&mut server, &[]);
        let ended = woken_by(&program, || {
            program.disconnect_now(Duration::ZERO);
            peer.expect_close(&[PacketType::Disconnect]);
            peer.close();
        });
        assert!(ended);
        assert_eq!(program.expect_disconnected().failure, None);
        assert_eq!(program.state(), State::Idle);
    }
}

#[test]
fn the_end_of_the_connection_reaches_the_caller_and_the_next_connection_is_read_too() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server, &[]);
    for round in 0..10 {
        assert!(woken_by(&program, || peer.close()));
        assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
        peer = server.accept();
        peer.expect(PacketType::Connect);
        peer.connack(true);
        program.expect_connected();
        let payload = round.to_string();
        assert!(woken_by(&program, || peer.publish(payload.as_bytes(), None, QoS::AtMostOnce)));
        program.expect_payload(&payload);
    }
}

#[test]
fn a_dead_server_is_noticed_while_a_caller_waits() {
    // MQTT-3.1.2-22 is the Server's side of this. The background thread keeps the timers, whoever reads.
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server, &[(IntOption::KeepAlive, 1), (IntOption::PingTimeout, 100)]);
    let start = Instant::now();
    assert!(woken_by(&program, || {
        peer.expect(PacketType::Pingreq);
    }));
    assert!(start.elapsed() >= Duration::from_millis(700));
    assert_eq!(program.expect_disconnected().failure, Some(Status::KeepAliveTimeout));
}

#[test]
fn the_outcome_of_another_threads_publish_reaches_the_caller() {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[]);
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let mut token = 0;
    assert!(woken_by(&program, || {
        token = program.send("x", QoS::AtLeastOnce);
        let id = peer.expect_publish("x").id();
        peer.puback(id);
    }));
    program.expect_published(token);
}

#[test]
fn everybody_who_waits_is_served_once() {
    const MESSAGES: usize = 3000;
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server, &[]);
    let mut received: Vec<usize> = thread::scope(|scope| {
        let takers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        match program.event_within(Duration::from_secs(10)) {
                            Some(Event::Message { message, .. }) if message.payload() == b"end" => return mine,
                            Some(Event::Message { message, .. }) => {
                                mine.push(String::from_utf8_lossy(message.payload()).parse().expect("a number"));
                            }
                            other => panic!("expected a message, got {other:?}"),
                        }
                    }
                })
            })
            .collect();
        for number in 0..MESSAGES {
            peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
        }
        for _ in &takers {
            peer.publish(b"end", None, QoS::AtMostOnce);
        }
        takers.into_iter().flat_map(|taker| taker.join().expect("a taker")).collect()
    });
    received.sort_unstable();
    assert_eq!(received, (0..MESSAGES).collect::<Vec<_>>());
}

#[test]
fn what_another_thread_polls_leaves_nothing_unread_with_the_caller_that_waits() {
    // More than the caller reads at once: it finds an event, stops, and finds that the other one has it.
    const MESSAGES: usize = 20;
    const ROUNDS: usize = 300;
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server, &[(IntOption::KeepAlive, 0)]);
    let taken = AtomicUsize::new(0);
    let take = || {
        let polled = program.client.poll(|notice| matches!(&notice.kind, NoticeKind::Session(Event::Message { .. })));
        let is_message = polled.expect("a client that lives") == Some(true);
        taken.fetch_add(usize::from(is_message), Ordering::AcqRel);
    };
    let is_over = || taken.load(Ordering::Acquire) >= MESSAGES * ROUNDS;
    let deadline = Instant::now() + Duration::from_secs(60);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over() && Instant::now() < deadline {
                program.client.wait(Duration::from_secs(60)).expect("a client that lives");
                take();
            }
        });
        scope.spawn(|| {
            while !is_over() && Instant::now() < deadline {
                take();
            }
        });
        let round: Vec<u8> =
            (0..MESSAGES).flat_map(|_| peer.publication(&[0; 5000], None, QoS::AtMostOnce, false)).collect();
        for number in 1..=ROUNDS {
            peer.send_bytes(&round);
            while taken.load(Ordering::Acquire) < MESSAGES * number && Instant::now() < deadline {
                thread::yield_now();
            }
        }
        peer.disconnect(mt5mqtt::types::reason::ReasonCode::SERVER_SHUTTING_DOWN);
    });
    assert_eq!(taken.load(Ordering::Acquire), MESSAGES * ROUNDS);
}

#[test]
fn publishes_that_the_socket_does_not_take_go_on_while_a_caller_waits() {
    const PUBLISHES: usize = 200;
    let payload = "x".repeat(100_000);
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server, &[]);
    let answered = woken_by(&program, || {
        for _ in 0..PUBLISHES {
            program.send(&payload, QoS::AtMostOnce);
        }
        for _ in 0..PUBLISHES {
            peer.expect_publish(&payload);
        }
        peer.publish(b"all here", None, QoS::AtMostOnce);
    });
    assert!(answered);
    program.expect_payload("all here");
}

/// Messages that a caller waits for one after the other.
#[track_caller]
fn stream(program: &Program, peer: &mut common::fake_server::Peer, round: u32) {
    for number in 0..50 {
        let payload = format!("{round} {number}");
        peer.publish(payload.as_bytes(), None, QoS::AtMostOnce);
        assert!(program.client.wait(LONG).expect("a client that lives"));
        program.expect_payload(&payload);
    }
}

#[test]
fn a_caller_that_comes_back_at_once_again_and_again_gets_every_message_and_so_does_one_that_then_stays_away() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server, &[]);
    for round in 0..3 {
        stream(&program, &mut peer, round);
        // Nobody waits in the library any more: the background thread has to read.
        peer.publish(b"while away", None, QoS::AtMostOnce);
        let deadline = Instant::now() + Duration::from_secs(5);
        while program.client.statistics().events == 0 {
            assert!(Instant::now() < deadline, "the message isn't read");
            thread::yield_now();
        }
        program.expect_payload("while away");
    }
}

#[test]
fn a_caller_that_keeps_the_socket_sees_the_end_of_the_connection() {
    let mut server = FakeServer::start();
    let (program, mut peer) = connected(&mut server, &[]);
    for round in 0..5 {
        stream(&program, &mut peer, round);
        peer.close();
        assert!(program.client.wait(LONG).expect("a client that lives"));
        assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
        peer = server.accept();
        peer.expect(PacketType::Connect);
        peer.connack(true);
        program.expect_connected();
    }
}

/// As a sleep, which can't be so short.
fn be_busy(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Answers so many QoS 1 publishes one by one, as slowly as a busy Server does, and sends a message after each hundred.
fn answer_slowly(peer: &mut common::fake_server::Peer, publishes: usize) {
    for number in 0..publishes {
        let received = peer.expect_publish(&number.to_string());
        be_busy(Duration::from_micros(60));
        peer.puback(received.id());
        if number % 100 == 99 {
            peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
        }
    }
}

#[test]
fn publishes_that_wait_for_answers_hold_back_nothing_that_the_server_sends() {
    // MQTT-4.9.0-3. Whoever waits for the answers rests, be it the caller or the background thread.
    const PUBLISHES: usize = 2000;
    for waits in [true, false] {
        let mut server = FakeServer::start();
        let (program, mut peer) = connected(&mut server, &[(IntOption::InFlightMaximum, 64)]);
        let serving = thread::spawn(move || {
            answer_slowly(&mut peer, PUBLISHES);
            peer.close();
        });
        let tokens: Vec<_> = (0..PUBLISHES).map(|number| program.send(&number.to_string(), QoS::AtLeastOnce)).collect();
        if !waits {
            program
                .expect_soon("all to be read", |client| client.statistics().events == PUBLISHES + PUBLISHES / 100 + 1);
        }
        for (number, token) in tokens.into_iter().enumerate() {
            assert_eq!(program.expect_published(token).failure, None);
            if number % 100 == 99 {
                program.expect_payload(&number.to_string());
            }
        }
        assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
        serving.join().expect("the Server");
    }
}

#[test]
fn a_dense_stream_of_messages_comes_whole_and_in_order_and_its_end_with_it() {
    // Between one look and the next the reader rests, be it the caller or the background thread.
    const MESSAGES: usize = 3000;
    for waits in [true, false] {
        let mut server = FakeServer::start();
        let (program, mut peer) = connected(&mut server, &[]);
        let serving = thread::spawn(move || {
            for number in 0..MESSAGES {
                be_busy(Duration::from_micros(10));
                peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
            }
            peer.close();
        });
        if !waits {
            program.expect_soon("all to be read", |client| client.statistics().events == MESSAGES + 1);
        }
        for number in 0..MESSAGES {
            program.expect_payload(&number.to_string());
        }
        assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
        serving.join().expect("the Server");
    }
}
