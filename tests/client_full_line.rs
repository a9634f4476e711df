//! Small QoS 0 messages while the socket takes no more: they wait together, outside of the Session, and still keep their place
//! among all that the program asks for.

mod common;

use common::fake_server::Peer;
use common::program::{Program, connected};
use mt5mqtt::client::Outgoing;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::event::{Event, Token};
use mt5mqtt::session::options::PublishOptions;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::thread;
use std::time::Duration;

const LIMIT: (IntOption, i64) = (IntOption::OutgoingMaximum, 1_000_000);

/// Publishes numbers, from `first` on, until the socket has taken nothing for a while. Returns the next number.
fn fill(program: &Program, first: u64) -> u64 {
    let mut number = first;
    let (mut sent, mut quiet) = (0, 0);
    while quiet < 100 {
        for _ in 0..1000 {
            program.send(&number.to_string(), QoS::AtMostOnce);
            number += 1;
        }
        thread::sleep(Duration::from_millis(1));
        let now = program.statistics().bytes_sent;
        quiet = if now == sent { quiet + 1 } else { 0 };
        sent = now;
    }
    number
}

/// The numbers of QoS 0 that come until one of QoS 1 does.
fn numbers_before_an_order(peer: &mut Peer) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let received = peer.read("a message");
        match received.packet() {
            Packet::Publish(publish) if publish.qos == QoS::AtLeastOnce => {
                peer.puback(received.id());
                return numbers;
            }
            Packet::Publish(_) => numbers.push(received.payload().parse().expect("a number")),
            Packet::Subscribe(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nothing_is_lost_or_changes_its_place_whatever_else_is_asked_for() {
    let (_server, program, mut peer) = connected(&[LIMIT]);
    let mut number = fill(&program, 0);
    for round in 0..50 {
        program.subscribe_to(&format!("answers/{round}"), QoS::AtMostOnce);
        program.send("order", QoS::AtLeastOnce);
        for _ in 0..(round % 7) * 100 {
            program.send(&number.to_string(), QoS::AtMostOnce);
            number += 1;
        }
    }
    let last = program.send("order", QoS::AtLeastOnce);
    let mut numbers = Vec::new();
    for _ in 0..51 {
        numbers.extend(numbers_before_an_order(&mut peer));
    }
    while numbers.len() < number as usize {
        numbers.push(peer.expect(PacketType::Publish).payload().parse().expect("a number"));
    }
    assert!(numbers.into_iter().eq(0..number));
    loop {
        if let Event::Published { token, outcome } = program.event("the last order's end")
            && token == last
        {
            assert_eq!(outcome.failure, None);
            break;
        }
    }
    program.expect_soon("nothing to wait any more", |program| program.statistics().outgoing == 0);
    assert_eq!(program.statistics().outgoing_bytes, 0);
}

#[test]
fn what_has_waited_leaves_on_the_next_connection() {
    let (mut server, program, peer) = connected(&[LIMIT]);
    let end = fill(&program, 0);
    // What the Server got of them, or could have got, isn't sent again.
    let waits = program.statistics().outgoing as u64;
    peer.reset();
    program.expect_disconnected();
    let mut peer = server.accept_mqtt();
    let next: u64 = peer.expect(PacketType::Publish).payload().parse().expect("a number");
    assert!(end - next <= waits, "{next} to {end}, of which {waits} waited");
    // Less than the output of a connection holds was on its way.
    assert!(end - next >= waits.saturating_sub(10_000), "{next} to {end}, of which {waits} waited");
    for number in next + 1..end {
        peer.expect_publish(&number.to_string());
    }
}

#[test]
fn one_that_waits_can_be_withdrawn() {
    let (_server, program, mut peer) = connected(&[LIMIT]);
    let end = fill(&program, 0);
    let tokens: Vec<Token> = (0..3).map(|_| program.send("withdrawn", QoS::AtMostOnce)).collect();
    program.send("last", QoS::AtMostOnce);
    for token in tokens {
        program.cancel(token).expect("it waits");
        assert_eq!(program.expect_published(token).failure, Some(Status::Cancelled));
    }
    for number in 0..end {
        peer.expect_publish(&number.to_string());
    }
    peer.expect_publish("last");
}

#[test]
fn what_has_priority_leaves_before_them() {
    let (_server, program, mut peer) = connected(&[LIMIT]);
    fill(&program, 0);
    let topic = TopicName::new("t").expect("a Topic Name");
    let how = PublishOptions { priority: true, ..Default::default() };
    let (qos, properties) = (QoS::AtMostOnce, Properties::EMPTY);
    program.publish_with(Outgoing { topic, payload: b"stop", qos, retain: false, properties, how }).expect("accepted");
    program.send("last", QoS::AtMostOnce);
    let before: Vec<String> = std::iter::repeat_with(|| peer.expect(PacketType::Publish).payload())
        .take_while(|payload| payload != "last")
        .collect();
    let behind = before.len() - before.iter().position(|payload| payload == "stop").expect("it before the last");
    assert!(behind > 1000, "{behind} came after it");
}

#[test]
fn what_may_not_wait_for_long_ends_in_time() {
    let (_server, program, _peer) = connected(&[LIMIT]);
    fill(&program, 0);
    let topic = TopicName::new("t").expect("a Topic Name");
    let mut one_second = PropertiesBuf::new();
    one_second.set(PropertyId::MessageExpiryInterval, Value::Int(1)).expect("in range");
    for (time_to_live, properties) in
        [(Some(Duration::from_millis(1)), Properties::EMPTY), (None, one_second.as_properties())]
    {
        let how = PublishOptions { time_to_live, ..Default::default() };
        let outgoing = Outgoing { topic, payload: b"", qos: QoS::AtMostOnce, retain: false, properties, how };
        let token = program.publish_with(outgoing).expect("accepted");
        assert_eq!(program.expect_published(token).failure, Some(Status::Expired));
    }
}

#[test]
fn a_full_queue_drops_the_oldest_at_once() {
    const MAXIMUM: usize = 20_000;
    let overflow = [(IntOption::OutgoingMaximum, MAXIMUM as i64), (IntOption::OutgoingOverflow, 1)];
    let (_server, program, _peer) = connected(&overflow);
    fill(&program, 0);
    program.expect_soon("the queue to be as full as it may be", |program| program.statistics().outgoing == MAXIMUM);
    let before = program.statistics().publishes_dropped;
    for _ in 0..10 {
        program.send("more", QoS::AtMostOnce);
    }
    program.expect_soon("as many to be dropped", |program| {
        let after = program.statistics();
        (after.outgoing, after.publishes_dropped - before) == (MAXIMUM, 10)
    });
}

#[test]
fn a_disconnect_that_has_time_lets_them_leave_first() {
    let (_server, program, mut peer) = connected(&[LIMIT]);
    let end = fill(&program, 0);
    // A slow machine may take longer for all than a disconnect may take.
    let mut next = 0;
    while program.statistics().outgoing > 2000 {
        peer.expect_publish(&next.to_string());
        next += 1;
    }
    thread::scope(|scope| {
        let disconnecting = scope.spawn(|| program.disconnect_now(Duration::from_secs(10)));
        for number in next..end {
            peer.expect_publish(&number.to_string());
        }
        peer.expect_close(&[PacketType::Disconnect]);
        peer.close();
        disconnecting.join().expect("disconnect");
    });
}

#[test]
fn each_thread_keeps_its_order_while_the_line_is_now_full_and_now_free() {
    const THREADS: usize = 3;
    const EACH: u32 = 30_000;
    let (_server, program, mut peer) = connected(&[LIMIT]);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let program = &program;
            scope.spawn(move || {
                for number in 0..EACH {
                    // Now and then something that goes through the session.
                    let qos = if number % 997 == 0 { QoS::AtLeastOnce } else { QoS::AtMostOnce };
                    program.send(&format!("{thread} {number}"), qos);
                }
            });
        }
        let mut last = [[None; 2]; THREADS];
        for count in 0..THREADS * EACH as usize {
            if count % 10_000 == 0 {
                // What comes meanwhile fills the line.
                thread::sleep(Duration::from_millis(50));
            }
            let received = peer.expect(PacketType::Publish);
            let Packet::Publish(publish) = received.packet() else { unreachable!() };
            let payload = received.payload();
            let (thread, number) = payload.split_once(' ').expect("two numbers");
            let (thread, number): (usize, u32) = (thread.parse().expect("one"), number.parse().expect("one"));
            let last = &mut last[thread][publish.qos as usize];
            let next = |last: Option<u32>| {
                (last.map_or(0, |last| last + 1)..).find(|next| (next % 997 == 0) == (publish.qos == QoS::AtLeastOnce))
            };
            assert_eq!(Some(number), next(*last), "thread {thread}");
            *last = Some(number);
            if publish.qos == QoS::AtLeastOnce {
                peer.puback(received.id());
            }
        }
    });
    program.expect_soon("nothing to wait any more", |program| program.statistics().outgoing == 0);
}
