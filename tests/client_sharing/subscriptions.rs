//! Subscriptions that several programs have to do with.

use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::PropertiesBuf;
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
