//! What a client with a store leaves, the next one of the same folder takes over. Stores that can't be used or written are tried
//! in `client_store_refused`.

mod common;

use common::fake_server::FakeServer;
use common::folder::Folder;
use common::program::Program;
use common::stored::{accept, end, expect_among_others, program};
use mt5mqtt::client::Outgoing;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::session::event::{Event, Stage, Token};
use mt5mqtt::session::options::PublishOptions;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::time::Duration;

/// The next event is that a publish has got so far.
#[track_caller]
fn expect_stage(program: &Program, token: Token, stage: Stage) {
    assert_eq!(program.event("progress"), Event::Progress { token, stage });
}

#[test]
fn what_was_published_without_a_connection_is_sent_by_the_next_client_in_its_order() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-queue"));
    let first = program(&server.url(), &folder, &[]);
    let topic = TopicName::new("t").unwrap();
    let mut tokens = vec![first.send("one", QoS::AtLeastOnce), first.send("two", QoS::ExactlyOnce)];
    first.send("not kept", QoS::AtMostOnce);
    let order = PublishOptions { priority: true, ..PublishOptions::default() };
    let (qos, properties) = (QoS::AtLeastOnce, Properties::EMPTY);
    let order = Outgoing { topic, payload: b"order", qos, retain: false, properties, how: order };
    let order = first.publish_with(order).unwrap();
    // Nobody answers the connection: the store works all the same.
    first.connect().unwrap();
    tokens.push(first.send("three", QoS::AtLeastOnce));
    tokens.push(order);
    for _ in 0..4 {
        let event = expect_among_others(&first, |event| matches!(event, Event::Progress { .. }));
        let Event::Progress { token, stage: Stage::Durable } = event else { panic!("{event:?}") };
        assert!(tokens.contains(&token));
    }
    end(first, &folder);
    drop(server.accept_within(Duration::ZERO));

    let second = program(&server.url(), &folder, &[]);
    let newest = second.send("four", QoS::AtLeastOnce);
    let mut peer = second.connect_to(&mut server, false);
    let sent: Vec<String> = (0..4).map(|_| peer.expect(PacketType::Publish).payload()).collect();
    // A QoS 2 PUBLISH waits until its Packet Identifier is stored.
    assert_eq!(sent, ["order", "one", "three", "four"]);
    let two = peer.expect_publish("two");
    assert!(!two.dup());
    assert_eq!(second.statistics().restored, 4);
    // The tokens are those of the first client, and new ones are higher.
    assert!(tokens.iter().all(|token| *token < newest));
    peer.pubrec(two.id());
    peer.expect(PacketType::Pubrel);
    peer.pubcomp(two.id());
    let outcome = expect_among_others(&second, |event| matches!(event, Event::Published { .. }));
    assert!(matches!(outcome, Event::Published { token, .. } if token == tokens[1]), "{outcome:?}");
    assert_eq!(second.stage(tokens[1]), Ok(Stage::Complete));
    assert_eq!(second.stage(tokens[0]), Ok(Stage::Sent));
    assert_eq!(second.stage(1).unwrap_err().status, Status::UnknownToken);
}

#[test]
fn qos_2_goes_on_where_it_stood() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-flow"));
    let first = program(&server.url(), &folder, &[]);
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    let tokens = ["sent", "confirmed"].map(|payload| first.send(payload, QoS::ExactlyOnce));
    let ids = ["sent", "confirmed"].map(|payload| peer.expect_publish(payload).id());
    peer.pubrec(ids[1]);
    // PUBREL says that PUBREC is stored.
    assert_eq!(peer.expect(PacketType::Pubrel).id(), ids[1]);
    end(first, &folder);

    let second = program(&server.url(), &folder, &[]);
    second.connect().unwrap();
    let (mut peer, clean_start) = accept(&mut server, true);
    assert!(!clean_start, "there is a Session to resume");
    assert_eq!(peer.expect(PacketType::Pubrel).id(), ids[1]);
    let again = peer.expect_publish("sent");
    assert!(again.dup() && again.id() == ids[0]);
    // A new message gets another Packet Identifier.
    second.send("new", QoS::ExactlyOnce);
    assert!(!ids.contains(&peer.expect_publish("new").id()));
    peer.pubcomp(ids[1]);
    let ended = expect_among_others(&second, |event| matches!(event, Event::Published { .. }));
    assert!(matches!(ended, Event::Published { token, .. } if token == tokens[1]));
}

#[test]
fn a_qos_2_message_that_was_acknowledged_is_not_handed_out_again() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-received"));
    let first = program(&server.url(), &folder, &[]);
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    peer.publish(b"once", Some(7), QoS::ExactlyOnce);
    first.expect_payload("once");
    peer.expect(PacketType::Pubrec);
    end(first, &folder);

    let second = program(&server.url(), &folder, &[]);
    let mut peer = second.connect_to(&mut server, true);
    second.expect_connected();
    let again = peer.publication(b"once", Some(7), QoS::ExactlyOnce, true);
    peer.send_bytes(&again);
    peer.expect(PacketType::Pubrec);
    second.expect_nothing();
    peer.send(&Packet::Pubrel(Ack::new(PacketId::new(7).unwrap(), ReasonCode::SUCCESS)));
    peer.expect(PacketType::Pubcomp);
    end(second, &folder);

    // PUBCOMP was sent: the identifier may name a new message now, also for a third client.
    let third = program(&server.url(), &folder, &[]);
    let mut peer = third.connect_to(&mut server, true);
    third.expect_connected();
    let new = peer.publication(b"new", Some(7), QoS::ExactlyOnce, true);
    peer.send_bytes(&new);
    third.expect_payload("new");
}

#[test]
fn a_message_that_was_acknowledged_on_arrival_is_kept_until_a_program_takes_it() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-arrival"));
    let on_arrival = [(IntOption::Acknowledge, 0)];
    let first = program(&server.url(), &folder, &on_arrival);
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    for (id, payload) in (1..).zip(["one", "two", "three"]) {
        peer.publish(payload.as_bytes(), Some(id), QoS::AtLeastOnce);
        peer.expect(PacketType::Puback);
    }
    first.expect_payload("one");
    end(first, &folder);

    let second = program(&server.url(), &folder, &on_arrival);
    let _peer = second.connect_to(&mut server, true);
    for payload in ["two", "three"] {
        let (message, _) = second.expect_message();
        assert_eq!((message.payload(), message.dup), (payload.as_bytes(), true));
    }
    second.expect_connected();
    end(second, &folder);

    let third = program(&server.url(), &folder, &on_arrival);
    let _peer = third.connect_to(&mut server, true);
    third.expect_connected();
}

#[test]
fn subscriptions_are_made_again_when_the_server_has_lost_the_session_meanwhile() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-subscriptions"));
    let first = program(&server.url(), &folder, &[]);
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    for filter in ["kept", "ended"] {
        let token = first.subscribe_to(filter, QoS::AtLeastOnce);
        peer.grant();
        first.expect_subscribed(token);
    }
    let filter = mt5mqtt::types::topic::TopicFilter::new("ended").unwrap();
    first.unsubscribe(filter, Default::default()).unwrap();
    let id = peer.expect(PacketType::Unsubscribe).id();
    let (properties, reasons) = (Properties::EMPTY, vec![ReasonCode::SUCCESS]);
    peer.send(&Packet::Unsuback(mt5mqtt::codec::unsubscribe::Unsuback { packet_id: id, properties, reasons }));
    first.event("Unsubscribed");
    end(first, &folder);

    // It dies again before the subscription is granted: the next one still knows of it.
    for _ in 0..2 {
        let next = program(&server.url(), &folder, &[]);
        let mut peer = next.connect_to(&mut server, false);
        let subscribe = peer.expect(PacketType::Subscribe);
        let Packet::Subscribe(subscribe) = subscribe.packet() else { unreachable!() };
        assert_eq!(subscribe.subscriptions[0].filter.as_str(), "kept");
        next.expect_connected();
        end(next, &folder);
    }
}

#[test]
fn a_burst_costs_few_commits() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-burst"));
    let program = program(&server.url(), &folder, &[]);
    let _peer = program.connect_to(&mut server, false);
    program.expect_connected();
    const COUNT: usize = 5000;
    for number in 0..COUNT {
        program.send(&number.to_string(), QoS::AtLeastOnce);
    }
    for _ in 0..COUNT {
        expect_among_others(&program, |event| matches!(event, Event::Progress { stage: Stage::Durable, .. }));
    }
    let commits = program.statistics().commits;
    assert!(commits < COUNT as u64 / 10, "{commits} commits");
}

#[test]
fn a_publish_is_told_to_be_durable_then_sent_then_acknowledged() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-stages"));
    let program = program(&server.url(), &folder, &[]);
    let mut peer = program.connect_to(&mut server, false);
    program.expect_connected();
    let token = program.send("a", QoS::ExactlyOnce);
    expect_stage(&program, token, Stage::Durable);
    expect_stage(&program, token, Stage::Sent);
    let id = peer.expect_publish("a").id();
    peer.pubrec(id);
    expect_stage(&program, token, Stage::Acknowledged);
    assert_eq!(program.stage(token), Ok(Stage::Acknowledged));
    peer.expect(PacketType::Pubrel);
    peer.pubcomp(id);
    assert_eq!(program.expect_published(token).failure, None);
    let token = program.send("b", QoS::AtLeastOnce);
    expect_stage(&program, token, Stage::Durable);
    expect_stage(&program, token, Stage::Sent);
    assert_eq!(program.stage(token), Ok(Stage::Sent));
    end(program, &folder);
}
