//! A program that doesn't poll for long while the Server sends all the time: memory stays bounded, the connection alive, no
//! message above QoS 0 is lost or doubled, and each dropped one of QoS 0 is counted. That time alone changes nothing about
//! it, tests/session shows for an hour of its own clock. Nor does memory grow for a Server that asks and doesn't read the
//! answers.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::Program;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use socket2::SockRef;
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

/// Of each QoS.
const COUNT: u16 = 7000;
const EVENTS_MAXIMUM: i64 = 200;
/// What one read may bring beyond the limit, of messages of a kilobyte.
const OF_ONE_READ: usize = 64 + 1;

/// Sends numbered messages of a kilobyte with each QoS in turn, on a thread of its own, and reads the answers on another.
/// Returns how many PINGREQs came.
fn flood(mut peer: Peer) -> thread::JoinHandle<(Peer, usize)> {
    let mut writing = peer.second_handle();
    let writer = thread::spawn(move || {
        for number in 0..COUNT {
            let payload = format!("{number:1024}");
            writing.publish(payload.as_bytes(), None, QoS::AtMostOnce);
            writing.publish(payload.as_bytes(), Some(2 * number + 1), QoS::AtLeastOnce);
            writing.publish(payload.as_bytes(), Some(2 * number + 2), QoS::ExactlyOnce);
        }
    });
    thread::spawn(move || {
        let (mut pings, mut answered) = (0, 0);
        while answered < 2 * COUNT {
            match peer.read("the acknowledgements").packet() {
                Packet::Puback(ack) | Packet::Pubrec(ack) => {
                    answered += 1;
                    assert_eq!(ack.packet_id.get(), answered, "in the order of arrival");
                }
                Packet::Pingreq => pings += 1,
                other => panic!("{other:?}"),
            }
        }
        writer.join().expect("the writing thread");
        (peer, pings)
    })
}

#[test]
fn a_program_that_does_not_poll_loses_nothing_but_qos_0_which_is_counted() {
    let mut server = FakeServer::start();
    let program = Program::connecting(
        &server.url(),
        &[
            (IntOption::EventsMaximum, EVENTS_MAXIMUM),
            (IntOption::ReceiveMaximum, 65_535),
            (IntOption::KeepAlive, 1),
            (IntOption::PingTimeout, 60_000),
        ],
    );
    let peer = server.accept_mqtt();
    program.expect_connected();
    let flood = flood(peer);
    program.expect_soon("a full queue", |client| client.statistics().events >= EVENTS_MAXIMUM as usize);
    let full = Instant::now();
    program.expect_soon("four Keep Alives", |client| {
        let events = client.statistics().events;
        assert!(events <= EVENTS_MAXIMUM as usize + OF_ONE_READ, "{events} events");
        full.elapsed() > Duration::from_secs(4)
    });

    // The program comes back and takes everything.
    let mut numbers = [0; 3].map(|_: i32| Vec::new());
    let mut dropped = 0;
    let deadline = Instant::now() + Duration::from_secs(60);
    while numbers[1].len() + numbers[2].len() < 2 * usize::from(COUNT) {
        assert!(Instant::now() < deadline, "{:?}", program.statistics());
        program.wait(Duration::from_millis(100)).unwrap();
        program
            .poll(|notice| {
                dropped += notice.dropped;
                let NoticeKind::Session(Event::Message { message, .. }) = &notice.kind else {
                    panic!("{:?}", notice.kind)
                };
                let number: u16 = std::str::from_utf8(message.payload()).unwrap().trim().parse().unwrap();
                numbers[message.qos as usize].push(number);
            })
            .unwrap();
    }
    let all: Vec<u16> = (0..COUNT).collect();
    assert_eq!((&numbers[1], &numbers[2]), (&all, &all));
    assert!(numbers[0].is_sorted());
    assert_eq!(numbers[0].len() as u64 + dropped, COUNT.into(), "each of QoS 0 came or was counted");
    assert_eq!(dropped, program.statistics().events_dropped);
    assert!(dropped > 0, "the flood was too small to fill the queue");
    let (_peer, pings) = flood.join().expect("the Server");
    assert!(pings >= 4, "the Server heard {pings} PINGREQs in four Keep Alives");
    let statistics = program.statistics();
    assert_eq!((statistics.connections, statistics.breaches), (1, 0));
}

#[test]
fn answers_that_the_server_does_not_read_do_not_pile_up() {
    // MQTT-4.3.3-11: each PUBREL is answered, also one that belongs to nothing.
    const PUBRELS: usize = 2_000_000;
    const OF_PUBREL: usize = 4;
    const OF_PUBCOMP: usize = 5;
    // What is kept, and what a few reads bring beyond it.
    const MOST_KEPT: usize = 3 << 20;
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::KeepAlive, 0)]);
    let peer = server.accept_mqtt();
    program.expect_connected();
    let mut reading = peer.into_stream();
    SockRef::from(&reading).set_recv_buffer_size(64 * 1024).expect("SO_RCVBUF");
    let mut writing = reading.try_clone().expect("a second handle");
    writing.set_write_timeout(None).expect("no timeout");
    let before = (program.statistics().bytes_received, program.statistics().bytes_sent);
    let writer = thread::spawn(move || {
        let pubrels = [0x62, 2, 0, 7].repeat(1000);
        for _ in 0..PUBRELS / 1000 {
            writing.write_all(&pubrels).expect("the client takes them all in the end");
        }
    });
    // Whenever that is: what is in nobody's hands by then is within the bound.
    let (mut taken, mut since) = (0, Instant::now());
    while taken == 0 || since.elapsed() < Duration::from_millis(300) {
        let statistics = program.statistics();
        let received = (statistics.bytes_received - before.0) as usize;
        let kept = (received / OF_PUBREL * OF_PUBCOMP).saturating_sub((statistics.bytes_sent - before.1) as usize);
        assert!(kept <= MOST_KEPT, "{kept} bytes of answers in memory");
        if received != taken {
            (taken, since) = (received, Instant::now());
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert!(taken < PUBRELS * OF_PUBREL, "there was room for all answers on the way");
    let (mut answers, mut buffer) = (0, vec![0; 64 * 1024]);
    while answers < PUBRELS * OF_PUBCOMP {
        match reading.read(&mut buffer).expect("the answers") {
            0 => panic!("the connection has ended after {answers} bytes of answers"),
            count => answers += count,
        }
    }
    writer.join().expect("the writing thread");
    assert_eq!((answers, program.statistics().connections), (PUBRELS * OF_PUBCOMP, 1));
}
