//! What a program publishes while the Server is slow or doesn't read at all: calls return, the queue is bounded, nothing
//! accepted is lost or changes its order.

mod common;

use common::fake_server::FakeServer;
use common::program::{Program, connected, within};
use mt5mqtt::client::Outgoing;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::{RetainHandling, SubscriptionOptions};
use mt5mqtt::session::event::{Event, Stage, Token};
use mt5mqtt::session::options::PublishOptions;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{PacketType, QoS};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Publishes numbered messages of a kilobyte until the queue is full; returns how many were accepted.
fn fill(program: &Program, qos: QoS) -> usize {
    let mut slowest = Duration::ZERO;
    let mut number = 0;
    loop {
        let payload = format!("{number:1024}");
        let start = Instant::now();
        let accepted = program.try_send(payload.as_bytes(), qos);
        slowest = slowest.max(start.elapsed());
        match accepted {
            Ok(_) => number += 1,
            Err(status) => {
                assert_eq!(status, Status::QueueFull);
                assert!(slowest < Duration::from_millis(250), "a publish took {slowest:?}");
                return number;
            }
        }
    }
}

#[test]
fn a_server_that_never_reads_holds_up_no_call_and_loses_nothing() {
    let limits = [(IntOption::OutgoingMaximumBytes, 8 << 20), (IntOption::OutgoingMaximum, 1_000_000)];
    let (_server, program, mut peer) = connected(&limits);
    let accepted = fill(&program, QoS::AtMostOnce);
    let statistics = program.statistics();
    assert!(statistics.outgoing_bytes <= 8 << 20 && statistics.outgoing_bytes > 7 << 20, "{statistics:?}");
    program.assert_no_call_waits();
    // Then it reads, and a program that publishes on finds room again.
    let mut number = 0;
    while number < accepted {
        let received = peer.read("everything that was accepted, in order");
        // A SUBSCRIBE doesn't wait behind messages.
        if received.packet().packet_type() == PacketType::Publish {
            assert_eq!(received.payload(), format!("{number:1024}"));
            number += 1;
        }
    }
    // Some of the calls in between may have found room.
    while peer.read_within(Duration::from_millis(200), "the calls in between").is_some() {}
    assert_eq!(program.try_send(b"room", QoS::AtMostOnce).map(|_| ()), Ok(()));
    peer.expect_publish("room");
}

#[test]
fn the_figures_of_a_queue_are_right_while_the_server_does_not_read() {
    const PRICES: u64 = 1000;
    let (_server, program, _peer) = connected(&[(IntOption::OutgoingMaximum, 1_000_000)]);
    // More than the system's buffers take; then the socket is full once nothing more leaves.
    for _ in 0..20_000 {
        program.send(&" ".repeat(1024), QoS::AtMostOnce);
    }
    let (mut sent, mut since) = (0, Instant::now());
    while since.elapsed() < Duration::from_millis(300) {
        thread::sleep(Duration::from_millis(1));
        let now = program.statistics().bytes_sent;
        if now != sent {
            (sent, since) = (now, Instant::now());
        }
    }
    let topic = TopicName::new("t").expect("a Topic Name");
    for number in 0..PRICES {
        let how = PublishOptions { conflation_key: Some("price".into()), ..Default::default() };
        let (payload, qos, properties) = (&number.to_le_bytes()[..], QoS::AtMostOnce, Properties::EMPTY);
        program.publish_with(Outgoing { topic, payload, qos, retain: false, properties, how }).expect("accepted");
    }
    program.expect_soon("all but the newest to be counted", |program| {
        program.statistics().publishes_superseded == PRICES - 1
    });
}

#[test]
fn the_queue_is_bounded_by_count() {
    let program = Program::new("mqtt://127.0.0.1:1", &[(IntOption::OutgoingMaximum, 10)]);
    for _ in 0..10 {
        program.send("", QoS::AtLeastOnce);
    }
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        assert_eq!(program.try_send(b"", qos), Err(Status::QueueFull));
    }
    assert_eq!(program.statistics().outgoing, 10);
}

#[test]
fn the_queue_is_bounded_by_bytes_and_a_message_larger_than_all_of_it_is_refused_as_such() {
    let program = Program::new("mqtt://127.0.0.1:1", &[(IntOption::OutgoingMaximumBytes, 1024)]);
    // The Topic Name counts for one.
    assert_eq!(program.try_send(&[0; 1024], QoS::AtLeastOnce), Err(Status::TooLarge));
    let token = program.try_send(&[0; 1023], QoS::AtLeastOnce).unwrap();
    assert_eq!(program.statistics().outgoing_bytes, 1024);
    program.cancel(token).unwrap();
    program.try_send(&[0; 1000], QoS::AtLeastOnce).unwrap();
    assert_eq!(program.try_send(&[0; 23], QoS::AtLeastOnce), Err(Status::QueueFull));
    program.try_send(&[0; 22], QoS::AtLeastOnce).unwrap();
    assert_eq!(program.statistics().outgoing_bytes, 1024);
}

#[test]
fn subscribes_that_wait_for_their_answer_are_bounded() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    for _ in 0..65_535 {
        program.subscribe_to("t", QoS::AtMostOnce);
    }
    let filter = || TopicFilter::new("t").unwrap();
    let refused = program.unsubscribe(filter(), PropertiesBuf::new());
    assert_eq!(refused.unwrap_err().status, Status::QueueFull);
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    peer.grant();
    assert!(matches!(program.event("the first answer"), Event::Subscribed { .. }));
    program.unsubscribe(filter(), PropertiesBuf::new()).expect("there is room for one");
}

#[test]
fn room_is_given_back_when_the_server_has_answered() {
    let (_server, program, mut peer) = connected(&[(IntOption::OutgoingMaximum, 2)]);
    for round in 0..50 {
        let tokens = [0, 1].map(|_| program.send(&round.to_string(), QoS::AtLeastOnce));
        assert_eq!(program.try_send(b"", QoS::AtLeastOnce), Err(Status::QueueFull));
        for token in tokens {
            let id = peer.expect_publish(&round.to_string()).id();
            peer.puback(id);
            assert_eq!(program.expect_published(token).failure, None);
        }
    }
}

#[test]
fn drop_oldest_makes_room_and_tells_of_each_message_that_went() {
    let mut server = FakeServer::start();
    let options = [(IntOption::OutgoingMaximum, 10), (IntOption::OutgoingOverflow, 1)];
    let program = Program::new(&server.url(), &options);
    let tokens: Vec<Token> =
        (0..30).map(|number| program.send(&number.to_string(), QoS::from_u8(number % 3).unwrap())).collect();
    for token in &tokens[..20] {
        assert_eq!(program.expect_published(*token).failure, Some(Status::Dropped));
    }
    program.expect_nothing();
    assert_eq!((program.statistics().publishes_dropped, program.statistics().outgoing), (20, 10));
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    for number in 20..30 {
        peer.expect_publish(&number.to_string());
    }
}

#[test]
fn drop_newest_keeps_what_waits_and_tells_of_each_message_that_found_no_room() {
    let mut server = FakeServer::start();
    let options = [(IntOption::OutgoingMaximum, 10), (IntOption::OutgoingOverflow, 2)];
    let program = Program::new(&server.url(), &options);
    let tokens: Vec<Token> =
        (0..30).map(|number| program.send(&number.to_string(), QoS::from_u8(number % 3).unwrap())).collect();
    for token in &tokens[10..] {
        assert_eq!(program.expect_published(*token).failure, Some(Status::Dropped));
    }
    program.expect_nothing();
    assert_eq!((program.statistics().publishes_dropped, program.statistics().outgoing), (20, 10));
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    for number in 0..10 {
        peer.expect_publish(&number.to_string());
    }
}

#[test]
fn the_priority_reserve_of_the_options_is_kept_for_orders() {
    // MQTT-4.9.0-1
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), &[(IntOption::PriorityReserve, 1)]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |properties| properties.set(PropertyId::ReceiveMaximum, Value::Int(2)).unwrap());
    program.expect_connected();
    program.send("report 1", QoS::AtLeastOnce);
    program.send("report 2", QoS::AtLeastOnce);
    let topic = TopicName::new("t").unwrap();
    let how = PublishOptions { priority: true, ..PublishOptions::default() };
    let (qos, properties) = (QoS::AtLeastOnce, Properties::EMPTY);
    program.publish_with(Outgoing { topic, payload: b"order", qos, retain: false, properties, how }).unwrap();
    let report = peer.expect_publish("report 1").id();
    // The second report would take the last place of the send quota, and was published before the order.
    let order = peer.expect_publish("order").id();
    peer.puback(report);
    peer.puback(order);
    peer.expect_publish("report 2");
}

#[test]
fn every_way_in_which_a_publish_ends_is_a_stage_that_can_be_asked_for() {
    let mut server = FakeServer::start();
    let options = [(IntOption::Progress, 1), (IntOption::OutgoingMaximum, 4), (IntOption::OutgoingOverflow, 1)];
    let program = Program::new(&server.url(), &options);
    let publish = |payload: &[u8], how| {
        let topic = TopicName::new("t").expect("a Topic Name");
        let (qos, properties) = (QoS::AtLeastOnce, Properties::EMPTY);
        program.publish_with(Outgoing { topic, payload, qos, retain: false, properties, how }).expect("accepted")
    };
    let expired =
        publish(b"old", PublishOptions { time_to_live: Some(Duration::from_millis(1)), ..Default::default() });
    assert_eq!(program.stage(expired).map_err(|failure| failure.status), Ok(Stage::Accepted));
    let conflated = || PublishOptions { conflation_key: Some("price".into()), ..Default::default() };
    let superseded = publish(b"1", conflated());
    let latest = publish(b"2", conflated());
    // Its time is over before there is a connection.
    std::thread::sleep(Duration::from_millis(2));
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    let mut ends = BTreeMap::new();
    for _ in 0..3 {
        match program.event("two ends and the connection") {
            Event::Published { token, outcome } => drop(ends.insert(token, outcome.failure)),
            Event::Connected { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ends, BTreeMap::from([(expired, Some(Status::Expired)), (superseded, Some(Status::Superseded))]));
    assert_eq!((program.stage(expired), program.stage(superseded)), (Ok(Stage::Expired), Ok(Stage::Dropped)));
    let id = peer.expect_publish("2").id();
    program.expect_soon("the message to be sent", |program| program.stage(latest) == Ok(Stage::Sent));
    peer.puback(id);
    assert_eq!(program.expect_published(latest).failure, None);
    assert_eq!(program.stage(latest), Ok(Stage::Complete));
    let refused = publish(b"refused", PublishOptions::default());
    let id = peer.expect_publish("refused").id();
    let [high, low] = id.get().to_be_bytes();
    peer.send_bytes(&[0x40, 3, high, low, 0x87]);
    assert_eq!(program.expect_published(refused).failure, Some(Status::RefusedByServer));
    assert_eq!(program.stage(refused), Ok(Stage::Failed));
    assert_eq!(program.stage(refused + 1).map_err(|failure| failure.status), Err(Status::UnknownToken));
}

#[test]
fn without_queue_qos0_a_publish_needs_a_connection() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::QueueQos0, 0)]);
    assert_eq!(program.try_send(b"tick", QoS::AtMostOnce), Err(Status::NotConnected));
    program.send("order", QoS::AtLeastOnce);
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    program.send("tick", QoS::AtMostOnce);
    peer.expect_publish("order");
    peer.expect_publish("tick");
}

#[test]
fn each_thread_keeps_its_order_when_several_publish_at_once() {
    const EACH: usize = 20_000;
    let (_server, program, mut peer) = connected(&[]);
    thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let program = &program;
            scope.spawn(move || {
                for number in 0..EACH {
                    while program.try_send(format!("{name}{number}").as_bytes(), QoS::AtMostOnce).is_err() {
                        thread::yield_now();
                    }
                }
            });
        }
        let mut next = [0; 3];
        for _ in 0..3 * EACH {
            let payload = peer.expect(PacketType::Publish).payload();
            let thread = usize::from(payload.as_bytes()[0] - b'a');
            assert_eq!(payload[1..].parse(), Ok(next[thread]), "thread {thread}");
            next[thread] += 1;
        }
    });
    program.expect_nothing();
}

#[test]
fn a_connect_that_comes_too_often_holds_up_no_publish() {
    let (_server, program, mut peer) = connected(&[(IntOption::KeepAlive, 0)]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(program.connect().unwrap_err().status, Status::WrongState);
            }
        });
        let arrives = |number: i32| {
            program.send(&number.to_string(), QoS::AtMostOnce);
            peer.read_within(Duration::from_secs(15), "the publish").is_some()
        };
        let held_up = !(0..3000).all(arrives);
        done.store(true, Ordering::Relaxed);
        assert!(!held_up);
    });
}

#[test]
fn a_program_that_publishes_without_a_pause_does_not_keep_the_client_from_reading() {
    let (_server, program, mut peer) = connected(&[]);
    let mut answering = peer.second_handle();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // A client that doesn't read while somebody publishes would read when this is over.
                let end = Instant::now() + Duration::from_secs(20);
                while !is_done.load(Ordering::Relaxed) && Instant::now() < end {
                    let _ = program.try_send(b"tick", QoS::AtMostOnce);
                }
            });
        }
        scope.spawn(move || {
            // Reads what comes, as fast as it can, until the publishers are done.
            while peer.read_within(Duration::from_millis(500), "ticks").is_some() {}
        });
        for number in 0..20 {
            answering.publish(number.to_string().as_bytes(), None, QoS::AtMostOnce);
            within(Duration::from_secs(5), "a message under way", || program.expect_payload(&number.to_string()));
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_large_message_arrives_whole_in_both_directions() {
    // MQTT-4.2.0-1
    let (_server, program, mut peer) = connected(&[]);
    let large: Vec<u8> = (0..1 << 20).map(|index: u32| b'a' + (index % 23) as u8).collect();
    for size in [large.len(), 1, large.len() - 1] {
        let token = program.try_send(&large[..size], QoS::AtLeastOnce).unwrap();
        let received = peer.expect(PacketType::Publish);
        match received.packet() {
            Packet::Publish(publish) => assert!(publish.payload == &large[..size], "{size} bytes"),
            other => panic!("{other:?}"),
        }
        peer.puback(received.id());
        assert_eq!(program.expect_published(token).failure, None);
    }
    // The other way in pieces of every size.
    let mut bytes = peer.publication(&large, None, QoS::AtMostOnce, false);
    bytes.extend(peer.publication(b"behind it", None, QoS::AtMostOnce, false));
    let mut size = 1;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(size.min(rest.len()));
        peer.send_bytes(piece);
        rest = others;
        size = (size * 7 + 3) % 40_009;
    }
    assert!(program.expect_message().0.payload() == large, "the payload differs");
    program.expect_payload("behind it");
}

#[test]
fn what_waits_leaves_before_a_disconnect_that_has_time() {
    let (_server, program, mut peer) = connected(&[]);
    thread::scope(|scope| {
        for number in 0..50 {
            program.send(&number.to_string(), QoS::AtLeastOnce);
        }
        let disconnecting = scope.spawn(|| program.disconnect_now(Duration::from_secs(2)));
        for number in 0..50 {
            let id = peer.expect_publish(&number.to_string()).id();
            peer.puback(id);
        }
        peer.expect_close(&[PacketType::Disconnect]);
        peer.close();
        disconnecting.join().expect("disconnect");
    });
    let mut outcomes = 0;
    loop {
        match program.event("the outcomes and the end") {
            Event::Published { outcome, .. } => outcomes += usize::from(outcome.failure.is_none()),
            Event::Disconnected(end) => break assert_eq!(end.failure, None),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(outcomes, 50);
}

#[test]
fn no_local_on_a_shared_subscription_is_refused_at_the_call() {
    // MQTT-3.8.3-4
    let program = Program::new("mqtt://127.0.0.1:1", &[]);
    let options = SubscriptionOptions {
        maximum_qos: QoS::AtMostOnce,
        no_local: true,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    };
    let shared = TopicFilter::new("$share/group/a").unwrap();
    assert_eq!(program.subscribe(shared, options, PropertiesBuf::new()).unwrap_err().status, Status::InvalidArgument);
    let plain = TopicFilter::new("a").unwrap();
    assert!(program.subscribe(plain, options, PropertiesBuf::new()).is_ok());
}
