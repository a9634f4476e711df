//! Who gets what.

use crate::common::fake_server::FakeServer;
use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::Outgoing;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::Suback;
use mt5mqtt::codec::subscribe::{RetainHandling, SubscriptionOptions};
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::PublishOptions;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;

#[test]
fn overlapping_filters_of_two_programs_neither_double_nor_lose() {
    // MQTT-3.3.4-3, MQTT-3.3.4-4, MQTT-3.3.4-5: one copy with all identifiers, or one copy for each.
    let Pair { mut peer, first, second, .. } = pair("overlap", &[]);
    let of_first = subscribe(&first, &mut peer, "prices/#", QOS0);
    let of_second = subscribe(&second, &mut peer, "prices/+", QOS0);
    let (own_first, own_second) =
        (subscribe(&first, &mut peer, "own/1", QOS0), subscribe(&second, &mut peer, "own/2", QOS0));
    send(&mut peer, "prices/EURUSD", "one copy", &[of_first, of_second]);
    send(&mut peer, "prices/EURUSD", "two copies", &[of_first]);
    send(&mut peer, "prices/EURUSD", "two copies", &[of_second]);
    send(&mut peer, "prices/EURUSD/bid", "only the first's", &[of_first]);
    for payload in ["one copy", "two copies", "only the first's"] {
        gets(&first, payload);
    }
    for payload in ["one copy", "two copies"] {
        gets(&second, payload);
    }
    gets_nothing_before(&first, &mut peer, "own/1", own_first);
    gets_nothing_before(&second, &mut peer, "own/2", own_second);
}

#[test]
fn without_identifiers_the_topic_name_is_matched_and_nothing_is_lost() {
    let no_identifiers = |properties: &mut PropertiesBuf| {
        properties.set(PropertyId::SubscriptionIdentifierAvailable, Value::Int(0)).expect("a property");
    };
    let Pair { mut peer, first, second, .. } = pair_with("no-identifiers", &[], no_identifiers);
    for (program, filter) in [(&first, "a/#"), (&second, "a/+"), (&first, "own/1"), (&second, "own/2")] {
        let token = program.subscribe_to(filter, QOS0);
        // MQTT-3.2.2-18 (section 3.2.2.3.12): the Server doesn't take them.
        assert_eq!(granted(&mut peer, filter).identifier, None);
        program.expect_subscribed(token);
    }
    send(&mut peer, "a/b", "both", &[]);
    send(&mut peer, "a/b/c", "deep", &[]);
    // MQTT-4.7.2-1 would forbid it to the Server; and nobody asked for the other.
    send(&mut peer, "$SYS/a", "nobody's", &[]);
    send(&mut peer, "other", "nobody's", &[]);
    gets(&first, "both");
    gets(&first, "deep");
    gets(&second, "both");
    send(&mut peer, "own/1", "end", &[]);
    send(&mut peer, "own/2", "end", &[]);
    gets(&first, "end");
    gets(&second, "end");
    first.expect_soon("the count", |client| client.statistics().nobodys == 2);
}

#[test]
fn a_server_without_identifiers_that_comes_after_one_that_has_them_is_asked_without() {
    let Pair { mut server, mut peer, first, second } = pair("loses-identifiers", &[]);
    subscribe(&first, &mut peer, "a/#", QOS0);
    subscribe(&second, &mut peer, "a/+", QOS0);
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |properties| {
        properties.set(PropertyId::SubscriptionIdentifierAvailable, Value::Int(0)).expect("a property");
    });
    let asked = ["a/#", "a/+"].map(|filter| granted(&mut peer, filter).identifier);
    assert_eq!(asked, [None, None]);
    for program in [&first, &second] {
        program.expect_disconnected();
        assert!(!program.expect_connected());
    }
    send(&mut peer, "a/b", "both", &[]);
    gets(&first, "both");
    gets(&second, "both");
    // And with one again.
    peer.close();
    let mut peer = server.accept_mqtt();
    for filter in ["a/#", "a/+"] {
        assert_eq!(granted(&mut peer, filter).identifier, None, "the Session makes them again as they were");
    }
    for program in [&first, &second] {
        program.expect_disconnected();
        program.expect_connected();
    }
    let of_first = subscribe(&first, &mut peer, "a/#", QOS0);
    send(&mut peer, "a/b", "both", &[of_first]);
    gets(&first, "both");
    gets(&second, "both");
}

#[test]
fn a_filter_of_two_programs_is_one_subscription_with_the_highest_qos() {
    let Pair { mut peer, first, second, .. } = pair("same-filter", &[]);
    let own = subscribe(&second, &mut peer, "own/2", QOS0);
    let token = first.subscribe_to("a", QOS0);
    assert_eq!(granted(&mut peer, "a").options.maximum_qos, QOS0);
    first.expect_subscribed(token);
    // It rises, and doesn't fall when another one wants less.
    let token = second.subscribe_to("a", QOS1);
    assert_eq!(granted(&mut peer, "a").options.maximum_qos, QOS1);
    second.expect_subscribed(token);
    let token = first.subscribe_to("a", QOS0);
    let asked = granted(&mut peer, "a");
    assert_eq!(asked.options.maximum_qos, QOS1);
    first.expect_subscribed(token);
    let identifier = asked.identifier.expect("an identifier");
    send(&mut peer, "a", "both", &[identifier]);
    gets(&first, "both");
    gets(&second, "both");
    // The Server isn't asked as long as one holds it.
    second.client.unsubscribe(TopicFilter::new("a").unwrap(), PropertiesBuf::new()).expect("an unsubscribe");
    assert_eq!(unsubscribed(&second).failure, None);
    send(&mut peer, "a", "one", &[identifier]);
    gets(&first, "one");
    gets_nothing_before(&second, &mut peer, "own/2", own);
    first.client.unsubscribe(TopicFilter::new("a").unwrap(), PropertiesBuf::new()).expect("an unsubscribe");
    let received = peer.expect(PacketType::Unsubscribe);
    let Packet::Unsubscribe(packet) = received.packet() else { panic!("no UNSUBSCRIBE") };
    assert_eq!(packet.filters.iter().map(|filter| filter.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn retained_messages_come_to_the_program_that_has_subscribed_and_to_no_other() {
    let Pair { mut peer, first, second, .. } = pair("retained", &[]);
    let retained = |payload, identifier| message("a/b", payload, QOS0, true, &[identifier]);
    let of_first = subscribe(&first, &mut peer, "a/#", QOS0);
    // MQTT-3.3.1-9
    peer.send(&Packet::Publish(retained("for the first", of_first).publish(None, false)));
    gets(&first, "for the first");
    let of_second = subscribe(&second, &mut peer, "a/#", QOS0);
    assert_ne!(of_first, of_second);
    peer.send(&Packet::Publish(retained("for the second", of_second).publish(None, false)));
    // MQTT-3.3.1-12: without RETAIN it is a new message, and for both.
    send(&mut peer, "a/b", "new", &[of_second]);
    // One that was under way when the second subscribed.
    send(&mut peer, "a/b", "under way", &[of_first]);
    for payload in ["new", "under way"] {
        gets(&first, payload);
    }
    for payload in ["for the second", "new", "under way"] {
        gets(&second, payload);
    }
}

#[test]
fn after_a_lost_session_all_who_hold_a_filter_get_its_retained_messages() {
    let Pair { mut server, mut peer, first, second } = pair("retained-again", &[]);
    subscribe(&first, &mut peer, "a", QOS0);
    let of_second = subscribe(&second, &mut peer, "a", QOS0);
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(false);
    for program in [&first, &second] {
        program.expect_disconnected();
        assert!(!program.expect_connected());
    }
    let again = granted(&mut peer, "a");
    assert_eq!((again.identifier, again.options.retain_handling), (Some(of_second), RetainHandling::Always));
    peer.send(&Packet::Publish(message("a", "again", QOS0, true, &[of_second]).publish(None, false)));
    gets(&first, "again");
    gets(&second, "again");
}

#[test]
fn a_subscribe_that_is_refused_takes_the_filter_from_nobody_else() {
    let Pair { mut peer, first, second, .. } = pair("refused", &[]);
    let of_first = subscribe(&first, &mut peer, "a", QOS0);
    second.subscribe_to("a", QOS1);
    let id = peer.expect(PacketType::Subscribe).id();
    // The asker leaves before the Server has answered.
    second.disconnect_now(Duration::from_secs(2));
    let reasons = vec![ReasonCode::NOT_AUTHORIZED];
    peer.send(&Packet::Suback(Suback { packet_id: id, properties: Properties::EMPTY, reasons }));
    send(&mut peer, "a", "still", &[of_first]);
    gets(&first, "still");
    // And one that stays.
    second.connect().expect("it comes back");
    while !matches!(second.event("Connected"), Event::Connected { .. }) {}
    second.subscribe_to("a", QOS1);
    let id = peer.expect(PacketType::Subscribe).id();
    let reasons = vec![ReasonCode::NOT_AUTHORIZED];
    peer.send(&Packet::Suback(Suback { packet_id: id, properties: Properties::EMPTY, reasons }));
    assert_eq!(subscribed(&second).failure, Some(Status::RefusedByServer));
    send(&mut peer, "a", "still", &[of_first]);
    gets(&first, "still");
    second.expect_nothing();
}

#[test]
fn what_two_programs_can_t_have_of_one_subscription_is_refused() {
    let Pair { mut peer, first, second, .. } = pair("no-local", &[]);
    subscribe(&first, &mut peer, "a", QOS0);
    let base = SubscriptionOptions {
        maximum_qos: QOS0,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    };
    for options in
        [SubscriptionOptions { no_local: true, ..base }, SubscriptionOptions { retain_as_published: true, ..base }]
    {
        second.client.subscribe(TopicFilter::new("a").unwrap(), options, PropertiesBuf::new()).expect("a subscribe");
        assert_eq!(subscribed(&second).failure, Some(Status::SharedDiffers));
    }
    // With a filter of its own it may.
    let options = SubscriptionOptions { no_local: true, ..base };
    second.client.subscribe(TopicFilter::new("b").unwrap(), options, PropertiesBuf::new()).expect("a subscribe");
    assert!(granted(&mut peer, "b").options.no_local);
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::SubscriptionIdentifier, Value::Int(7)).expect("a property");
    assert_eq!(
        second.try_subscribe("c", QOS0, properties).map_err(|failure| failure.status),
        Err(Status::InvalidArgument)
    );
}

#[test]
fn a_message_of_a_shared_subscription_comes_to_one_of_its_programs() {
    // Section 4.8.2
    let Pair { mut peer, first, second, .. } = pair("share", &[]);
    let filter = "$share/group/jobs";
    subscribe(&first, &mut peer, filter, QOS0);
    let identifier = subscribe(&second, &mut peer, filter, QOS0);
    for job in 0..4 {
        send(&mut peer, "jobs", &job.to_string(), &[identifier]);
    }
    let own = [(&first, "own/1"), (&second, "own/2")].map(|(program, own)| {
        let token = program.subscribe_to(own, QOS0);
        (program, own, granted(&mut peer, own).identifier.expect("an identifier"), token)
    });
    let mut jobs = Vec::new();
    for (program, own, identifier, _) in own {
        send(&mut peer, own, "end", &[identifier]);
        let mut count = 0;
        loop {
            match program.event("a job") {
                Event::Message { message, .. } if message.payload() == b"end" => break,
                Event::Message { message, .. } => {
                    count += 1;
                    jobs.push(String::from_utf8_lossy(message.payload()).into_owned());
                }
                Event::Subscribed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(count, 2);
    }
    jobs.sort();
    assert_eq!(jobs, ["0", "1", "2", "3"]);
}

#[test]
fn the_server_hears_of_a_message_when_every_program_has_taken_it() {
    let Pair { mut peer, first, second, .. } = pair("taken", &[]);
    let identifiers = [subscribe(&first, &mut peer, "a/#", QOS1), subscribe(&second, &mut peer, "a/+", QOS1)];
    send_qos1(&mut peer, "a/b", "both", 1, &identifiers);
    send_qos1(&mut peer, "a/b", "one", 2, &identifiers[1..]);
    gets(&second, "both");
    gets(&second, "one");
    // What the second asks for afterwards reaches the Server first: the acknowledgement waits for the first program.
    second.send("after", QOS0);
    peer.expect_publish("after");
    gets(&first, "both");
    // MQTT-4.6.0-2: in the order in which the messages came.
    for id in [1, 2] {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
}

#[test]
fn with_explicit_acknowledgement_a_refusal_of_one_program_is_what_the_server_hears() {
    let Pair { mut peer, first, second, .. } = pair("explicit", &[(IntOption::Acknowledge, 2)]);
    let identifiers = [subscribe(&first, &mut peer, "a/#", QOS1), subscribe(&second, &mut peer, "a/+", QOS1)];
    send_qos1(&mut peer, "a/b", "x", 1, &identifiers);
    let [of_first, of_second] = [&first, &second].map(|program| gets(program, "x").expect("a QoS 1 message"));
    first.client.acknowledge(of_first, ReasonCode::UNSPECIFIED_ERROR).expect("the first refuses");
    let again = first.client.acknowledge(of_first, ReasonCode::SUCCESS);
    assert_eq!(again.map_err(|failure| failure.status), Err(Status::UnknownToken));
    first.send("after", QOS0);
    peer.expect_publish("after");
    second.client.acknowledge(of_second, ReasonCode::SUCCESS).expect("the second takes it");
    let received = peer.expect(PacketType::Puback);
    let Packet::Puback(ack) = received.packet() else { panic!("no PUBACK") };
    assert_eq!((ack.packet_id.get(), ack.reason), (1, ReasonCode::UNSPECIFIED_ERROR));
}

#[test]
fn what_is_for_nobody_is_acknowledged_and_counted() {
    let Pair { mut peer, first, second, .. } = pair("nobody", &[]);
    send_qos1(&mut peer, "unknown", "nobody's", 9, &[]);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 9);
    for program in [&first, &second] {
        program.expect_soon("the count", |client| client.statistics().nobodys == 1);
        program.expect_nothing();
    }
}

#[test]
fn on_a_session_of_an_earlier_process_what_is_for_nobody_comes_to_all() {
    let mut server = FakeServer::start();
    let kept = [(IntOption::CleanStart, 0)];
    let [first, second] = ["1", "2"].map(|inbox| Program::sharing("inherited", inbox, &server.url(), &kept));
    first.connect().expect("the first connects");
    second.connect().expect("the second joins");
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    send_qos1(&mut peer, "unknown", "of an earlier run", 1, &[4711]);
    for program in [&first, &second] {
        assert!(program.expect_connected());
        gets(program, "of an earlier run");
    }
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
}

#[test]
fn the_end_of_an_operation_comes_to_the_program_that_began_it() {
    let Pair { mut peer, first, second, .. } = pair("tokens", &[]);
    let (of_second, of_first) = (second.send("2", QOS1), first.send("1", QOS1));
    assert_ne!(of_first, of_second);
    for _ in 0..2 {
        let id = peer.expect(PacketType::Publish).id();
        peer.puback(id);
    }
    assert_eq!(first.expect_published(of_first).failure, None);
    assert_eq!(second.expect_published(of_second).failure, None);
    // A QoS 0 message that was sent makes no event, as with any client.
    first.send("0", QOS0);
    peer.expect_publish("0");
    // A request and its response.
    let token = answered(&second, &mut peer, &[]);
    gets_response(&second, token);
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    first.expect_nothing();
    second.expect_nothing();
}

#[test]
fn a_qos_0_publish_that_failed_comes_to_its_program_too() {
    let Pair { server, peer, first, second } = pair("qos0", &[]);
    drop(peer);
    drop(server);
    for program in [&first, &second] {
        program.expect_disconnected();
    }
    let how = || PublishOptions { time_to_live: Some(Duration::from_millis(1)), ..Default::default() };
    let outgoing = |payload| Outgoing {
        topic: TopicName::new("t").unwrap(),
        payload,
        qos: QOS0,
        retain: false,
        properties: Properties::EMPTY,
        how: how(),
    };
    let tokens = [&first, &second].map(|program| program.client.publish_with(outgoing(b"x")).expect("a publish"));
    for (program, token) in [&first, &second].into_iter().zip(tokens) {
        loop {
            match program.event("Published") {
                Event::Disconnected(_) => {}
                Event::Published { token: ended, outcome } => {
                    assert_eq!((ended, outcome.failure), (token, Some(Status::Expired)));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_conflation_key_is_its_program_s_own() {
    let Pair { mut server, peer, first, second } = pair("keys", &[]);
    peer.close();
    for program in [&first, &second] {
        program.expect_disconnected();
    }
    let keyed = |program: &Program, topic, payload| {
        let how = PublishOptions { conflation_key: Some("state".into()), ..Default::default() };
        let topic = TopicName::new(topic).unwrap();
        let outgoing = Outgoing { topic, payload, qos: QOS1, retain: false, properties: Properties::EMPTY, how };
        program.client.publish_with(outgoing).expect("a publish")
    };
    let superseded = keyed(&first, "of the first", b"old");
    keyed(&first, "of the first", b"new");
    keyed(&second, "of the second", b"other");
    assert_eq!(first.expect_published(superseded).failure, Some(Status::Superseded));
    let mut peer = server.accept_mqtt();
    let mut payloads = [peer.expect(PacketType::Publish).payload(), peer.expect(PacketType::Publish).payload()];
    payloads.sort();
    assert_eq!(payloads, ["new", "other"]);
}

#[test]
fn a_program_withdraws_what_is_its_own() {
    let limited = |properties: &mut PropertiesBuf| {
        properties.set(PropertyId::ReceiveMaximum, Value::Int(1)).expect("a Receive Maximum");
    };
    let Pair { mut peer, first, second, .. } = pair_with("withdrawn", &[], limited);
    let sent = first.send("sent", QOS1);
    let id = peer.expect_publish("sent").id().get();
    let [kept, withdrawn] = ["kept", "withdrawn"].map(|payload| first.send(payload, QOS1));
    let of_second = second.send("of the second", QOS1);
    for token in [kept, of_second] {
        second.cancel(token).expect("a token");
    }
    assert_eq!(second.expect_published(of_second).failure, Some(Status::Cancelled));
    first.cancel(withdrawn).expect("a token");
    assert_eq!(first.expect_published(withdrawn).failure, Some(Status::Cancelled));
    peer.send(&Packet::Puback(Ack::new(PacketId::new(id).unwrap(), ReasonCode::SUCCESS)));
    assert_eq!(first.expect_published(sent).failure, None);
    peer.expect_publish("kept");
}
