//! Programs that keep others waiting.

use crate::common::fake_server::FakeServer;
use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::types::{PacketType, QoS};
use std::thread;
use std::time::Duration;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;

/// Two programs, of which the first gets four times as many messages as it has room for, and the second one behind them; and the
/// identifier of the first one's subscription.
#[track_caller]
fn overfilled(name: &str, release_s: i64) -> (Pair, u32) {
    let mut pair = pair(name, &[(IntOption::SharedRelease, release_s)]);
    pair.first.set_int(IntOption::EventsMaximum, 10);
    let of_first = subscribe(&pair.first, &mut pair.peer, "first", QOS1);
    let of_second = subscribe(&pair.second, &mut pair.peer, "second", QOS1);
    for id in 1..=40 {
        send_qos1(&mut pair.peer, "first", &id.to_string(), id, &[of_first]);
    }
    send_qos1(&mut pair.peer, "second", "behind", 41, &[of_second]);
    (pair, of_first)
}

#[test]
fn a_full_inbox_stops_the_reading_until_its_program_takes_something() {
    let (Pair { peer: _peer, first, second, server: _server }, _) = overfilled("full", 3600);
    // Nothing is lost, in order.
    for id in 1..=40 {
        gets(&first, &id.to_string());
    }
    gets(&second, "behind");
}

#[test]
fn a_program_that_takes_nothing_out_of_a_full_inbox_is_not_waited_for_and_is_told() {
    let (Pair { mut peer, first, second, .. }, of_first) = overfilled("released", 1);
    gets(&second, "behind");
    for id in 1..=41 {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    first.expect_soon("the count", |client| client.statistics().missed == 40);
    // It comes back, and is on the connection as before.
    assert!(first.event_within(Duration::ZERO).is_none());
    assert_eq!(*first.missed.lock().unwrap(), 40);
    // Which the other program's publish can't overtake.
    first.send("back", QOS0);
    peer.expect_publish("back");
    send_qos1(&mut peer, "first", "new", 42, &[of_first]);
    gets(&first, "new");
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 42);
    assert_eq!(*first.missed.lock().unwrap(), 40);
}

#[test]
fn a_full_inbox_does_not_keep_the_others_from_a_new_connection() {
    let (Pair { mut server, peer, first, second }, _) = overfilled("full-reconnect", 3600);
    first.expect_soon("a full queue", |client| client.statistics().events >= 10);
    peer.reset();
    second.send("on its way", QOS1);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    for filter in ["first", "second"] {
        granted(&mut peer, filter);
    }
    peer.expect_publish("on its way");
    gets(&first, "1");
}

#[test]
fn a_program_that_nobody_waits_for_loses_nothing_however_long_it_takes() {
    let release = [(IntOption::SharedRelease, 1)];
    let mut server = FakeServer::start();
    let alone = Program::sharing("unhurried", "", &server.url(), &release);
    alone.set_int(IntOption::EventsMaximum, 10);
    alone.connect().expect("an idle program connects");
    let mut peer = server.accept_mqtt();
    alone.expect_connected();
    let identifier = subscribe(&alone, &mut peer, "a", QOS1);
    for id in 1..=40 {
        send_qos1(&mut peer, "a", &id.to_string(), id, &[identifier]);
    }
    alone.expect_soon("a full queue", |client| client.statistics().events >= 10);
    // In a time in which another one, full since later, is not waited for any longer.
    let (Pair { peer: _peer, first, second, server: _server }, _) = overfilled("hurried", 1);
    gets(&second, "behind");
    first.expect_soon("the count", |client| client.statistics().missed == 40);
    for id in 1..=40 {
        gets(&alone, &id.to_string());
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    assert_eq!((*alone.missed.lock().unwrap(), alone.statistics().missed), (0, 0));
}

#[test]
fn the_server_isn_t_kept_waiting_for_a_program_that_takes_nothing_and_its_messages_stay() {
    let Pair { mut peer, first, second, .. } = pair("overdue", &[(IntOption::SharedRelease, 1)]);
    let of_first = subscribe(&first, &mut peer, "first", QOS1);
    let of_second = subscribe(&second, &mut peer, "second", QOS1);
    send_qos1(&mut peer, "first", "waits", 1, &[of_first]);
    send_qos1(&mut peer, "second", "goes on", 2, &[of_second]);
    gets(&second, "goes on");
    // MQTT-4.6.0-2: the first answer holds back the second.
    for id in [1, 2] {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    gets(&first, "waits");
    assert_eq!(first.statistics().missed, 0);
    // Its next one waits for it again: this is answered at once.
    send_qos1(&mut peer, "first", "taken", 3, &[of_first]);
    gets(&first, "taken");
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 3);
}

#[test]
fn what_the_server_was_not_kept_waiting_for_comes_to_the_program_that_takes_the_place() {
    let Pair { server, mut peer, first, second } = pair("overdue-left", &[(IntOption::SharedRelease, 1)]);
    let of_first = subscribe(&first, &mut peer, "first", QOS1);
    send_qos1(&mut peer, "first", "acknowledged for it", 1, &[of_first]);
    send(&mut peer, "first", "QoS 0", &[of_first]);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    send_qos1(&mut peer, "first", "waited for", 2, &[of_first]);
    send_qos1(&mut peer, "first", "waited for too", 3, &[of_first]);
    // Behind which all of them are there.
    let of_second = subscribe(&second, &mut peer, "second", QOS0);
    gets_nothing_before(&second, &mut peer, "second", of_second);
    let successor = Program::sharing("overdue-left", "first", &server.url(), &[(IntOption::SharedRelease, 1)]);
    successor.connect().expect("it takes the place");
    assert!(successor.expect_connected());
    for payload in ["acknowledged for it", "QoS 0", "waited for", "waited for too"] {
        gets(&successor, payload);
    }
    for id in [2, 3] {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
}

#[test]
fn one_program_s_qos_0_messages_displace_only_its_own() {
    let Pair { mut peer, first, second, .. } = pair("displaced", &[]);
    first.set_int(IntOption::EventsMaximum, 3);
    let of_first = subscribe(&first, &mut peer, "both", QOS0);
    let token = second.subscribe_to("both", QOS0);
    let both = granted(&mut peer, "both").identifier.expect("an identifier").max(of_first);
    second.expect_subscribed(token);
    for index in 0..10 {
        send(&mut peer, "both", &index.to_string(), &[both]);
    }
    for index in 0..10 {
        gets(&second, &index.to_string());
    }
    for index in 7..10 {
        gets(&first, &index.to_string());
    }
    assert_eq!((first.statistics().events_dropped, second.statistics().events_dropped), (7, 0));
}

#[test]
fn the_queue_of_the_program_that_opens_the_connection_is_its_own_too() {
    let mut server = FakeServer::start();
    let ints = [(IntOption::CleanStart, 0)];
    let [first, second, third] =
        ["first", "second", "third"].map(|inbox| Program::sharing("small", inbox, &server.url(), &ints));
    first.set_int(IntOption::EventsMaximum, 1);
    first.set_int(IntOption::EventsMaximumBytes, 1024);
    let mut peer = first.connect_to(&mut server, true);
    first.expect_connected();
    second.connect().expect("it joins");
    second.expect_connected();
    let identifier = subscribe(&second, &mut peer, "a", QOS0);
    let payloads: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let packets = payloads.iter().flat_map(|payload| {
        let message = message("a", payload, QOS0, false, &[identifier]);
        peer.encode(&Packet::Publish(message.publish(None, false)))
    });
    let packets: Vec<u8> = packets.collect();
    peer.send_bytes(&packets);
    payloads.iter().for_each(|payload| assert!(gets(&second, payload).is_none()));
    assert_eq!(second.statistics().events_dropped, 0);
    // What an earlier process has left is kept for those who come later.
    for id in 1..=3 {
        send_qos1(&mut peer, "unknown", &id.to_string(), id, &[4711]);
        gets(&first, &id.to_string());
        gets(&second, &id.to_string());
    }
    third.connect().expect("it joins");
    third.expect_connected();
    for id in 1..=3 {
        gets(&third, &id.to_string());
    }
}

#[test]
fn a_waiting_program_is_woken_by_its_own_events_and_by_its_end() {
    let Pair { mut peer, first, second, .. } = pair("waiting", &[]);
    let of_first = subscribe(&first, &mut peer, "first", QOS0);
    let of_second = subscribe(&second, &mut peer, "second", QOS0);
    first.set_int(IntOption::WaitMaximum, 60_000);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| first.client.wait(Duration::from_secs(60)).expect("a client that lives"));
        send(&mut peer, "second", "not yours", &[of_second]);
        gets(&second, "not yours");
        send(&mut peer, "first", "yours", &[of_first]);
        assert!(waiting.join().expect("a thread that waits"));
    });
    gets(&first, "yours");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| first.client.wait(Duration::from_secs(60)));
        first.expect_soon("a call that waits", |_| true);
        first.free();
        waiting.join().expect("a thread that waits").expect("a client that lives");
    });
}

#[test]
fn many_programs_publish_and_receive_at_once_and_nothing_is_lost() {
    let Pair { server, mut peer, first, second } = pair("many", &[]);
    let mut programs: Vec<Program> = vec![first, second];
    for _ in 0..4 {
        let program = Program::sharing("many", "", &server.url(), &[]);
        program.connect().expect("it joins");
        program.expect_connected();
        programs.push(program);
    }
    const EACH: usize = 200;
    thread::scope(|scope| {
        for (index, program) in programs.iter().enumerate() {
            scope.spawn(move || {
                let tokens: Vec<_> = (0..EACH).map(|number| program.send(&format!("{index} {number}"), QOS1)).collect();
                tokens.into_iter().for_each(|token| assert_eq!(program.expect_published(token).failure, None));
            });
        }
        let mut next = vec![0; programs.len()];
        for _ in 0..EACH * programs.len() {
            let received = peer.expect(PacketType::Publish);
            let payload = received.payload();
            let (index, number) = payload.split_once(' ').expect("two numbers");
            let next = &mut next[index.parse::<usize>().expect("a number")];
            // Of each program in its order.
            assert_eq!(number.parse::<usize>(), Ok(*next));
            *next += 1;
            peer.puback(received.id());
        }
    });
}
