//! A program that doesn't poll for long while the Server sends all the time: memory stays bounded, the connection alive, no
//! message above QoS 0 is lost or doubled, and each dropped one of QoS 0 is counted. That time alone changes nothing about
//! it, tests/session shows for an hour of its own clock.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::Program;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
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
