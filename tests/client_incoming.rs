//! What the Server sends while the program is slow: the event queue is bounded, QoS 0 is dropped and counted, QoS 1 and 2
//! is not, and each message is acknowledged when the option says so.

mod common;

use common::fake_server::{FakeServer, Peer};
use common::program::{connected, within};
use mt5mqtt::client::Statistics;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::thread;
use std::time::{Duration, Instant};

/// Whether each of a thousand messages has become an event, or been dropped.
fn whole_flood(statistics: &Statistics) -> bool {
    statistics.messages_received == 1000 && statistics.events as u64 + statistics.events_dropped == 1000
}

#[test]
fn a_flood_of_qos_0_that_nobody_takes_keeps_the_newest_or_the_oldest_and_counts_the_rest() {
    for (overflow, kept) in [(0, 900..1000), (1, 0..100)] {
        let options = [(IntOption::EventsMaximum, 100), (IntOption::EventsOverflow, overflow)];
        let (_server, program, mut peer) = connected(&options);
        for number in 0..1000 {
            peer.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
        }
        program.expect_soon("the whole flood", |client| whole_flood(&client.statistics()));
        let statistics = program.statistics();
        assert_eq!((statistics.events, statistics.events_dropped), (100, 900));
        let dropped = program.poll(|notice| notice.dropped).unwrap();
        assert_eq!(dropped, Some(900), "the first event after a gap tells how large it is");
        for number in kept.skip(1) {
            program.expect_payload(&number.to_string());
        }
        program.expect_nothing();
    }
}

#[test]
fn the_event_queue_is_bounded_by_bytes_too() {
    let (_server, program, mut peer) = connected(&[(IntOption::EventsMaximumBytes, 100_000)]);
    for _ in 0..1000 {
        peer.publish(&[b'x'; 1000], None, QoS::AtMostOnce);
    }
    program.expect_soon("the whole flood", |client| whole_flood(&client.statistics()));
    let statistics = program.statistics();
    assert!(statistics.events_bytes <= 100_000 && statistics.events > 50, "{statistics:?}");
}

/// Sends numbered QoS 1 messages of a kilobyte, and reads the answers, on threads of their own. Returns how many PINGREQs
/// came meanwhile; they are answered at the end, as two threads that write would mix up their packets.
fn flood(mut peer: Peer, count: u16) -> thread::JoinHandle<(Peer, usize)> {
    let mut writing = peer.second_handle();
    let writer = thread::spawn(move || {
        for id in 1..=count {
            writing.publish(format!("{id:1024}").as_bytes(), Some(id), QoS::AtLeastOnce);
        }
    });
    thread::spawn(move || {
        let mut pings = 0;
        let mut answered = 0;
        while answered < count {
            let received = peer.read("the acknowledgements");
            match received.packet() {
                Packet::Puback(ack) => {
                    answered += 1;
                    assert_eq!(ack.packet_id.get(), answered);
                }
                Packet::Pingreq => pings += 1,
                other => panic!("{other:?}"),
            }
        }
        writer.join().expect("the writing thread");
        for _ in 0..pings {
            peer.send(&Packet::Pingresp);
        }
        (peer, pings)
    })
}

#[test]
fn qos_1_that_nobody_takes_pauses_reading_and_nothing_is_lost() {
    const COUNT: u16 = 20_000;
    let options = [
        (IntOption::EventsMaximum, 50),
        (IntOption::ReceiveMaximum, 65_535),
        (IntOption::Acknowledge, 0),
        (IntOption::KeepAlive, 1),
    ];
    let (_server, program, peer) = connected(&options);
    let flood = flood(peer, COUNT);
    program.expect_soon("a full queue", |client| client.statistics().events >= 50);
    // The queue may exceed its limit by what one read brings, and by no more however long nobody takes anything.
    let full = Instant::now();
    program.expect_soon("three Keep Alives", |client| {
        assert!(client.statistics().events <= 50 + 64 + 1, "{:?}", client.statistics());
        full.elapsed() > Duration::from_secs(3)
    });
    // Then the program takes everything, and the pause costs no time.
    within(Duration::from_secs(10), "taking all messages", || {
        for id in 1..=COUNT {
            program.expect_payload(&format!("{id:1024}"));
        }
    });
    let (_peer, pings) = flood.join().expect("the Server");
    assert!(pings >= 3, "the Server heard {pings} PINGREQs in three Keep Alives");
    program.expect_soon("the answers to PINGREQ", |client| client.statistics().ping_rtt_us.is_some());
    assert_eq!((program.statistics().breaches, program.statistics().connections), (0, 1));
    program.expect_nothing();
}

#[test]
fn raising_the_limit_of_the_event_queue_resumes_reading() {
    let options = [(IntOption::EventsMaximum, 1), (IntOption::Acknowledge, 0), (IntOption::KeepAlive, 0)];
    let (_server, program, peer) = connected(&options);
    let flood = flood(peer, 1000);
    program.expect_soon("a full queue", |client| client.statistics().events >= 1);
    program.set_int(IntOption::EventsMaximum, 100_000);
    flood.join().expect("everything is acknowledged without a poll");
    assert_eq!(program.statistics().events, 1000);
}

#[test]
fn on_arrival_acknowledges_what_nobody_has_taken() {
    // MQTT-4.5.0-2
    let (_server, program, mut peer) = connected(&[(IntOption::Acknowledge, 0)]);
    peer.publish(b"one", Some(7), QoS::AtLeastOnce);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 7);
    peer.publish(b"two", Some(8), QoS::ExactlyOnce);
    assert_eq!(peer.expect(PacketType::Pubrec).id().get(), 8);
    program.expect_payload("one");
    program.expect_payload("two");
    assert!(peer.read_within(Duration::from_millis(50), "nothing").is_none());
}

#[test]
fn when_taken_acknowledges_each_message_as_the_program_takes_it_and_holds_none_back() {
    // MQTT-4.3.2-4, MQTT-4.5.0-2
    let (_server, program, mut peer) = connected(&[]);
    for id in 1..=40 {
        peer.publish(id.to_string().as_bytes(), Some(id), QoS::AtLeastOnce);
    }
    program.expect_soon("all messages", |client| client.statistics().events == 40);
    assert!(peer.read_within(Duration::from_millis(50), "nothing").is_none(), "nothing was taken yet");
    // The program takes one and is busy with it: the Server hears of it all the same, each time.
    for id in 1..=40 {
        program.expect_payload(&id.to_string());
        let puback = within(Duration::from_millis(500), "the acknowledgement", || peer.expect(PacketType::Puback));
        assert_eq!(puback.id().get(), id);
    }
}

#[test]
fn explicitly_acknowledges_when_the_program_says_so_and_in_the_order_of_arrival() {
    let (_server, program, mut peer) = connected(&[(IntOption::Acknowledge, 2)]);
    for id in 1..=3 {
        peer.publish(id.to_string().as_bytes(), Some(id), QoS::AtLeastOnce);
    }
    let deliveries: Vec<_> = (0..3).map(|_| program.expect_message().1.expect("a token")).collect();
    let acknowledge =
        |index: usize, reason| program.acknowledge(deliveries[index], reason).map_err(|failure| failure.status);
    acknowledge(2, ReasonCode::SUCCESS).unwrap();
    acknowledge(1, ReasonCode::NOT_AUTHORIZED).unwrap();
    // MQTT-4.6.0-2
    assert!(peer.read_within(Duration::from_millis(50), "nothing before the first").is_none());
    acknowledge(0, ReasonCode::SUCCESS).unwrap();
    for id in 1..=3 {
        let puback = peer.expect(PacketType::Puback);
        assert_eq!(puback.id().get(), id);
        let reason = if id == 2 { ReasonCode::NOT_AUTHORIZED } else { ReasonCode::SUCCESS };
        assert!(matches!(puback.packet(), Packet::Puback(ack) if ack.reason == reason));
    }
    assert_eq!(acknowledge(0, ReasonCode::SUCCESS), Err(Status::UnknownToken));
}

#[test]
fn a_message_of_a_lost_session_can_no_longer_be_acknowledged() {
    let (mut server, program, mut peer) = connected(&[(IntOption::Acknowledge, 2)]);
    peer.publish(b"old", Some(1), QoS::AtLeastOnce);
    let old = program.expect_message().1.unwrap();
    peer.close();
    program.expect_disconnected();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.publish(b"new", Some(1), QoS::AtLeastOnce);
    let new = program.expect_message().1.unwrap();
    assert_eq!(program.acknowledge(old, ReasonCode::SUCCESS).unwrap_err().status, Status::UnknownToken);
    assert!(peer.read_within(Duration::from_millis(50), "nothing: the new one is not done").is_none());
    program.acknowledge(new, ReasonCode::SUCCESS).unwrap();
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
}

#[test]
fn qos_2_is_handed_out_once_though_the_server_sends_it_on_every_connection() {
    // MQTT-4.3.3-10
    let (mut server, program, mut peer) = connected(&[(IntOption::Acknowledge, 2)]);
    peer.publish(b"once", Some(5), QoS::ExactlyOnce);
    let delivery = program.expect_message().1.unwrap();
    let resume = |server: &mut FakeServer, peer: Peer| {
        peer.close();
        program.expect_disconnected();
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        peer.connack(true);
        program.expect_connected();
        let again = peer.publication(b"once", Some(5), QoS::ExactlyOnce, true);
        peer.send_bytes(&again);
        peer
    };
    // Before it is acknowledged…
    let mut peer = resume(&mut server, peer);
    program.expect_nothing();
    program.acknowledge(delivery, ReasonCode::SUCCESS).unwrap();
    peer.expect(PacketType::Pubrec);
    // …and after PUBREC, as long as PUBREL has not come.
    let mut peer = resume(&mut server, peer);
    peer.expect(PacketType::Pubrec);
    program.expect_nothing();
    let pubrel = Ack::new(PacketId::new(5).unwrap(), ReasonCode::SUCCESS);
    peer.send(&Packet::Pubrel(pubrel));
    assert_eq!(peer.expect(PacketType::Pubcomp).id().get(), 5);
    peer.publish(b"a new one", Some(5), QoS::ExactlyOnce);
    program.expect_payload("a new one");
}

#[test]
fn wait_ends_when_an_event_comes_and_at_its_cap_otherwise() {
    let (_server, program, mut peer) = connected(&[(IntOption::WaitMaximum, 100)]);
    let start = Instant::now();
    assert!(!program.wait(Duration::from_secs(60)).unwrap());
    assert!((100..2000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    program.set_int(IntOption::WaitMaximum, 10_000);
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            thread::scope(|scope| {
                let waiting = scope.spawn(|| {
                    assert!(program.wait(Duration::from_secs(10)).unwrap());
                    Instant::now()
                });
                peer.publish(b"", None, QoS::AtMostOnce);
                let sent = Instant::now();
                let time = waiting.join().unwrap().saturating_duration_since(sent);
                program.expect_payload("");
                time
            })
        })
        .collect();
    times.sort();
    assert!(times[10] < Duration::from_millis(20), "{times:?}");
}

#[test]
fn only_reason_codes_of_puback_and_pubrec_can_be_answered() {
    // MQTT-3.4.2-1, MQTT-3.5.2-1; 0x10 is the Server's (sections 3.4.2.1 and 3.5.2.1).
    let (_server, program, mut peer) = connected(&[(IntOption::Acknowledge, 2)]);
    peer.publish(b"x", Some(1), QoS::AtLeastOnce);
    let delivery = program.expect_message().1.expect("a QoS above 0");
    for code in 0..=255 {
        if ![0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99].contains(&code) {
            let refused = program.acknowledge(delivery, ReasonCode(code));
            assert_eq!(refused.unwrap_err().status, Status::OutOfRange, "0x{code:02X}");
        }
    }
    program.acknowledge(delivery, ReasonCode::QUOTA_EXCEEDED).unwrap();
    match peer.expect(PacketType::Puback).packet() {
        Packet::Puback(ack) => assert_eq!(ack.reason, ReasonCode::QUOTA_EXCEEDED),
        other => panic!("{other:?}"),
    }
}
