//! Subscriptions that several programs have to do with.

use crate::common::fake_server::FakeServer;
use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::RetainHandling;
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicFilter;
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;

#[track_caller]
fn unsubscribe(program: &Program, filter: &str) {
    let filter = TopicFilter::new(filter).expect("a Topic Filter");
    program.client.unsubscribe(filter, PropertiesBuf::new()).expect("an unsubscribe");
}

#[test]
fn one_that_is_only_kept_for_a_subscribe_that_is_refused_ends() {
    let Pair { mut peer, first, second, .. } = pair("kept-for", &[]);
    subscribe(&first, &mut peer, "a", QOS0);
    second.subscribe_to("a", QOS1);
    let id = peer.expect(PacketType::Subscribe).id();
    unsubscribe(&first, "a");
    // The Server isn't asked: the second holds it still.
    assert_eq!(unsubscribed(&first).failure, None);
    peer.suback(id, ReasonCode::NOT_AUTHORIZED);
    assert_eq!(subscribed(&second).failure, Some(Status::RefusedByServer));
    let received = peer.expect(PacketType::Unsubscribe);
    let Packet::Unsubscribe(packet) = received.packet() else { panic!("no UNSUBSCRIBE") };
    assert_eq!(packet.filters.iter().map(|filter| filter.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_shared_one_s_messages_come_to_the_program_that_takes_them() {
    // Section 4.8.2
    let Pair { mut peer, first, second, .. } = pair("share-slow", &[(IntOption::SharedRelease, 1)]);
    first.set_int(IntOption::EventsMaximum, 10);
    let of_first = subscribe(&first, &mut peer, "first", QOS1);
    subscribe(&first, &mut peer, "$share/group/jobs", QOS1);
    let jobs = subscribe(&second, &mut peer, "$share/group/jobs", QOS1);
    for id in 1..=20 {
        send_qos1(&mut peer, "first", "x", id, &[of_first]);
    }
    first.expect_soon("the count", |client| client.statistics().missed == 20);
    for id in 21..=26 {
        send_qos1(&mut peer, "jobs", &id.to_string(), id, &[jobs]);
    }
    for id in 21..=26 {
        gets(&second, &id.to_string());
    }
    // When the first is back it has its share again.
    assert!(first.event_within(Duration::ZERO).is_none());
    assert_eq!(*first.missed.lock().unwrap(), 20);
    for id in [27, 28] {
        send_qos1(&mut peer, "jobs", "shared", id, &[jobs]);
    }
    gets(&first, "shared");
    gets(&second, "shared");
}

#[test]
fn retained_messages_that_come_after_a_reconnect_are_still_for_who_has_subscribed() {
    // Section 4.1: the Session at the Server has the messages that were not sent yet.
    let Pair { mut server, mut peer, first, second } = pair("retained-resumed", &[]);
    subscribe(&first, &mut peer, "a", QOS1);
    let of_second = subscribe(&second, &mut peer, "a", QOS1);
    let own = subscribe(&first, &mut peer, "own", QOS0);
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    for program in [&first, &second] {
        program.expect_disconnected();
        assert!(program.expect_connected());
    }
    let retained = message("a", "retained", QOS1, true, &[of_second]);
    peer.send(&Packet::Publish(retained.publish(PacketId::new(1), false)));
    gets(&second, "retained");
    gets_nothing_before(&first, &mut peer, "own", own);
    // When it isn't sure whether this is the Session that it had, all are subscribed anew, and a Server that has lost them
    // sends to all.
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    assert_eq!(granted(&mut peer, "a").options.retain_handling, RetainHandling::IfNew);
    peer.send(&Packet::Publish(message("a", "new", QOS0, true, &[of_second]).publish(None, false)));
    for program in [&first, &second] {
        program.expect_disconnected();
        program.expect_disconnected();
        program.expect_connected();
        gets(program, "new");
    }
}

#[test]
fn messages_that_come_when_it_has_ended_are_nobody_s_on_an_inherited_session_too() {
    let mut server = FakeServer::start();
    let kept = [(IntOption::CleanStart, 0)];
    let [first, second] = ["1", "2"].map(|inbox| Program::sharing("late", inbox, &server.url(), &kept));
    let mut peer = first.connect_to(&mut server, true);
    first.expect_connected();
    second.connect().expect("it joins");
    second.expect_connected();
    let identifier = subscribe(&first, &mut peer, "a/#", QOS1);
    unsubscribe(&first, "a/#");
    peer.expect(PacketType::Unsubscribe);
    // MQTT-3.10.4-2, MQTT-3.10.4-3: what was under way comes still.
    send_qos1(&mut peer, "a/b", "late", 1, &[identifier]);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    // Of an earlier process are those of another filter, or with another identifier beside it.
    send_qos1(&mut peer, "b", "earlier", 2, &[identifier]);
    send_qos1(&mut peer, "a/b", "both", 3, &[identifier, 4711]);
    for program in [&first, &second] {
        gets(program, "earlier");
        gets(program, "both");
        assert_eq!(program.statistics().nobodys, 1);
    }
}

#[test]
fn one_that_can_t_be_made_again_without_an_identifier_is_told_as_any_other() {
    let Pair { mut server, mut peer, first, second } = pair("not-again", &[]);
    for program in [&first, &second] {
        subscribe(program, &mut peer, "a", QOS0);
    }
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |properties| {
        properties.set(PropertyId::SubscriptionIdentifierAvailable, Value::Int(0)).expect("a property");
    });
    let id = peer.expect(PacketType::Subscribe).id();
    peer.suback(id, ReasonCode::NOT_AUTHORIZED);
    for program in [&first, &second] {
        program.expect_disconnected();
        program.expect_connected();
        match program.event("Subscribed") {
            Event::Subscribed { token, outcome, .. } => {
                assert_eq!((token, outcome.failure), (0, Some(Status::RefusedByServer)));
            }
            other => panic!("expected Subscribed, got {other:?}"),
        }
    }
}

#[test]
fn what_the_server_names_it_for_it_is_for() {
    // MQTT-3.3.4-3: the identifiers are those of the subscriptions that match, and the Server says which do: what stands behind
    // a `$` is its affair (section 4.7.2).
    let Pair { mut peer, first, second, .. } = pair("named", &[]);
    let identifier = subscribe(&first, &mut peer, "$exclusive/a", QOS1);
    subscribe(&second, &mut peer, "a/#", QOS1);
    let own = subscribe(&second, &mut peer, "own", QOS0);
    send_qos1(&mut peer, "a", "x", 1, &[identifier]);
    gets(&first, "x");
    gets_nothing_before(&second, &mut peer, "own", own);
}

#[test]
fn a_response_comes_to_those_who_have_subscribed_to_its_topic_too() {
    let Pair { mut peer, first, second, .. } = pair("responses", &[]);
    let all = subscribe(&first, &mut peer, "#", QOS1);
    let token = answered(&second, &mut peer, &[all]);
    gets_response(&second, token);
    // What the second asks for afterwards reaches the Server first.
    second.send("after", QOS0);
    peer.expect_publish("after");
    gets(&first, "!");
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    second.expect_nothing();
}

#[test]
fn what_is_published_does_not_leave_before_what_was_subscribed_to_before_it() {
    // The answer to it would come while there is no subscription.
    let mut server = FakeServer::start();
    let program = Program::sharing("subscribes-first", "", &server.url(), &[]);
    program.connect().expect("the first connects");
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    for round in 0..3 {
        let subscribed = program.subscribe_to("answers", QoS::AtLeastOnce);
        program.send("question", QoS::AtMostOnce);
        program.send("order", QoS::AtLeastOnce);
        program.expect_soon("the publish on its way", |client| client.statistics().outgoing >= 2);
        peer.connack(false);
        peer.grant();
        // The Session makes the subscription of before again.
        if round > 0 {
            peer.grant();
        }
        peer.expect_publish("question");
        let id = peer.expect_publish("order").id();
        peer.puback(id);
        program.expect_connected();
        let mut ends = 2;
        while ends > 0 {
            match program.event("the ends of both") {
                Event::Subscribed { token, .. } => assert_eq!(token, subscribed),
                Event::Published { .. } => {}
                other => panic!("{other:?}"),
            }
            ends -= 1;
        }
        peer.close();
        program.expect_disconnected();
        peer = server.accept();
        peer.expect(PacketType::Connect);
    }
}
