//! A program that leaves a shared connection and comes back: what it began comes to its end all the same.

use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::client::{LONGEST_DISCONNECT, Locked};
use mt5mqtt::codec::property::PropertiesBuf;
use mt5mqtt::session::event::{Event, Outcome, Token};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicFilter;
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;
use std::{hint, thread};

const QOS1: QoS = QoS::AtLeastOnce;

/// Polls until the operation has ended.
#[track_caller]
fn ended(program: &Program, wanted: Token) -> Outcome {
    loop {
        match program.event("the end of an operation") {
            Event::Published { token, outcome }
            | Event::Subscribed { token, outcome, .. }
            | Event::Unsubscribed { token, outcome, .. }
                if token == wanted =>
            {
                return outcome;
            }
            _ => {}
        }
    }
}

#[test]
fn ends_come_while_it_is_away_and_when_it_is_back() {
    let Pair { mut peer, first: _first, second, .. } = pair("ends-back", &[]);
    let tokens = ["away", "back"].map(|payload| second.send(payload, QOS1));
    let ids = ["away", "back"].map(|payload| peer.expect_publish(payload).id());
    second.disconnect_now(Duration::ZERO);
    second.expect_disconnected();
    peer.puback(ids[0]);
    assert_eq!(ended(&second, tokens[0]).failure, None);
    second.connect().expect("it joins again");
    second.expect_connected();
    peer.puback(ids[1]);
    assert_eq!(ended(&second, tokens[1]).failure, None);
}

#[test]
fn an_answer_that_comes_when_it_has_left_is_told() {
    let Pair { mut peer, first: _first, second, .. } = pair("answers-back", &[]);
    let token = second.subscribe_to("a", QOS1);
    let received = peer.expect(PacketType::Subscribe);
    second.disconnect_now(LONGEST_DISCONNECT);
    peer.expect(PacketType::Unsubscribe);
    peer.suback(received.id(), ReasonCode::SUCCESS);
    assert_eq!(ended(&second, token).failure, None);
}

#[test]
fn what_waited_for_a_connection_ends_when_it_leaves() {
    let Pair { server: _server, peer, first, second } =
        pair("waiting-back", &[(IntOption::ReconnectMinimum, 60_000), (IntOption::ReconnectMaximum, 60_000)]);
    peer.close();
    for program in [&first, &second] {
        program.expect_disconnected();
    }
    let subscribe = second.subscribe_to("a", QOS1);
    let unsubscribe = second.unsubscribe(TopicFilter::new("a").unwrap(), PropertiesBuf::new()).expect("an unsubscribe");
    second.disconnect_now(LONGEST_DISCONNECT);
    assert!(ended(&second, subscribe).failure.is_some());
    assert_eq!(ended(&second, unsubscribe).failure, None);
}

#[test]
fn ends_come_to_every_program_though_nobody_tried_any_longer_meanwhile() {
    let Pair { mut server, mut peer, first, second } = pair("ends-idle", &[(IntOption::Reconnect, 0)]);
    let token = second.send("x", QOS1);
    peer.expect_publish("x");
    peer.close();
    for program in [&first, &second] {
        program.expect_disconnected();
    }
    // The first one makes a new connection, on which the message goes out again.
    first.connect().expect("an idle program connects");
    let mut peer = server.accept_mqtt();
    let id = peer.expect_publish("x").id();
    second.connect().expect("it joins");
    second.expect_connected();
    peer.puback(id);
    assert_eq!(ended(&second, token).failure, None);
}

#[test]
fn what_a_program_has_asked_for_is_done_before_another_one_takes_its_place() {
    let Pair { server, mut peer, first, second } = pair("asked-last", &[(IntOption::Acknowledge, 2)]);
    let of_first = subscribe(&first, &mut peer, "a", QOS1);
    send_qos1(&mut peer, "a", "acknowledged", 1, &[of_first]);
    let delivery = gets(&first, "acknowledged").expect("a QoS 1 message");
    // The switchboard finds out that a lock is left, which takes it a second; meanwhile the first asks for much.
    second.client.leave_locked(Locked::Figures);
    let payloads: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    for payload in &payloads {
        first.send(payload, QoS::AtMostOnce);
    }
    first.acknowledge(delivery, ReasonCode::SUCCESS).expect("a message that waits for it");
    let successor = Program::sharing("asked-last", "first", &server.url(), &[(IntOption::Acknowledge, 2)]);
    successor.connect().expect("it takes the place");
    for payload in &payloads {
        peer.expect_publish(payload);
    }
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    assert!(successor.expect_connected());
    successor.expect_nothing();
}

#[test]
fn what_is_published_before_a_program_frees_its_part_goes_out() {
    let Pair { server, mut peer, first: _first, second: _second } = pair("last-words", &[]);
    let (url, rounds) = (server.url(), 1000);
    let programs = thread::spawn(move || {
        for round in 0..rounds {
            let program = Program::sharing("last-words", "", &url, &[]);
            program.connect().expect("it joins");
            program.expect_connected();
            // The switchboard looks at the first one at some moment; so the second comes at any of it.
            program.send("first", QoS::AtMostOnce);
            (0..round % 13 * 10).for_each(|_| hint::spin_loop());
            program.send(&round.to_string(), QoS::AtMostOnce);
            assert!(program.free());
        }
    });
    for round in 0..rounds {
        peer.expect_publish("first");
        peer.expect_publish(&round.to_string());
    }
    programs.join().expect("a thread");
}

#[test]
fn a_response_that_nobody_will_take_keeps_no_acknowledgement_back() {
    // MQTT-4.6.0-2: the answers keep their order.
    let Pair { server, mut peer, first, second: _second } = pair("response-left", &[(IntOption::SharedRelease, 3600)]);
    answered(&first, &mut peer, &[]);
    first.expect_soon("the response", |client| client.statistics().events == 1);
    let successor = Program::sharing("response-left", "first", &server.url(), &[(IntOption::SharedRelease, 3600)]);
    successor.connect().expect("it takes the place");
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
}
