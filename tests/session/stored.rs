//! A durable Session whose process is killed: what the next one says and does, by what was stored.

use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertyId, Value};
use mt5mqtt::codec::subscribe::RetainHandling;
use mt5mqtt::session::Amount;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::{Event, Stage};
use mt5mqtt::session::options::{PublishOptions, SessionOptions};
use mt5mqtt::session::record::{Key, Record};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use std::time::Duration;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

/// A durable Session that is connected to a new Session of the Server's.
fn connected(disk: &mut Disk) -> Trace {
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace
}

#[test]
fn an_end_that_the_program_has_not_heard_of_is_told_by_the_next_process() {
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.publish(1, "one", QOS_1);
    trace.sends(publish("one", QOS_1, 1));
    trace.publish(2, "two", QOS_2);
    disk.store(&mut trace);
    trace.sends(publish("two", QOS_2, 2));
    trace.receives(puback(1));
    trace.receives(pubrec(2));
    disk.store(&mut trace);
    trace.sends(pubrel(2));
    trace.receives(pubcomp(2));
    // The messages are gone from the disk, and the process is killed before it takes its events.
    disk.store(&mut trace);

    let mut trace = disk.start(options());
    trace.completes(1);
    trace.completes(2);
    assert_eq!(trace.session.outstanding(), Amount::default());
    trace.session.heard(1);
    trace.session.heard(2);
    disk.store(&mut trace);
    disk.start(options()).tells_nothing();
    assert_eq!(disk.records.len(), 1, "{:?}", disk.records);
}

#[test]
fn so_are_failures_with_all_that_the_server_said() {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.publish_so(3, "t", "expires", QOS_1, lives(10));
    disk.store(&mut trace);
    trace.passes(Duration::from_secs(1));
    disk.store(&mut trace);

    let mut trace = disk.start(options());
    // The program gets it, and dies before it has dealt with it.
    assert_eq!(trace.tells_published(3).failure, Some(Status::Expired));
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.publish(1, "refused", QOS_1);
    trace.sends(publish("refused", QOS_1, 1));
    trace.receives_bytes(&[0x40, 9, 0, 1, 0x97, 5, 0x1F, 0, 2, b'n', b'o']);
    disk.store(&mut trace);

    let mut trace = disk.start(options());
    let refused = trace.tells_published(1);
    assert_eq!((refused.failure, refused.reason), (Some(Status::RefusedByServer), Some(ReasonCode::QUOTA_EXCEEDED)));
    let text = refused.properties.as_properties().text(PropertyId::ReasonString);
    assert_eq!(text, Some("no"));
    assert_eq!(trace.tells_published(3).failure, Some(Status::Expired));
    trace.tells_nothing();
}

#[test]
fn an_end_is_no_record_if_the_program_hears_of_it_before_anything_is_stored() {
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.publish(1, "one", QOS_1);
    trace.sends(publish("one", QOS_1, 1));
    trace.receives(puback(1));
    trace.completes(1);
    assert!(trace.session.has_unheard());
    trace.session.heard(1);
    assert!(!trace.session.has_unheard());
    let batch = trace.session.poll_records().expect("a batch, as somebody may wait for it");
    assert_eq!(batch.changes, []);
}

/// A process is killed after it has answered a QoS 2 message with PUBREC.
fn killed_after_pubrec(disk: &mut Disk) {
    let mut trace = connected(disk);
    trace.receives(publish("one", QOS_2, 7));
    trace.takes_message("one");
    disk.store(&mut trace);
    trace.sends(pubrec(7));
}

#[test]
fn a_received_message_is_recognised_by_the_next_process_when_it_is_sent_again() {
    // MQTT-4.3.3-10
    let mut disk = Disk::default();
    killed_after_pubrec(&mut disk);
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.receives(publish_again("one", QOS_2, 7));
    trace.sends(pubrec(7));
    trace.tells_nothing();
    trace.receives(pubrel(7));
    disk.store(&mut trace);
    trace.sends(pubcomp(7));
}

#[test]
fn another_message_under_its_identifier_is_not_swallowed_by_the_next_process() {
    // A Server that was killed may have come back with an older state, or with a new Session whose CONNACK nobody heard.
    let mut disk = Disk::default();
    killed_after_pubrec(&mut disk);
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.receives(publish("two", QOS_2, 7));
    trace.tells_breach(Breach::IdentifierInUse);
    trace.takes_message("two");
    disk.store(&mut trace);
    trace.sends(pubrec(7));
    // And the one after it knows the new message.
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.receives(publish_again("two", QOS_2, 7));
    trace.sends(pubrec(7));
    trace.tells_nothing();
}

#[test]
fn what_an_older_version_stored_without_a_content_is_recognised_by_its_identifier() {
    let mut disk = Disk::default();
    killed_after_pubrec(&mut disk);
    disk.records.insert(Key::Received(id(7)), Record::Received { content: None });
    let mut trace = disk.start(options());
    trace.connects(true, &[]);
    trace.receives(publish_again("one", QOS_2, 7));
    trace.sends(pubrec(7));
    trace.tells_nothing();
}

#[test]
fn the_subscriptions_of_a_restored_session_are_made_again_as_it_may_be_another_one() {
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.subscribe(1, "kept");
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
    trace.receives(suback(1, ReasonCode::GRANTED_QOS_1));
    disk.store(&mut trace);
    trace.tells();
    trace.loses_connection();
    // CONNECT reaches a Server that has lost the Session and begins a new one; the process is killed before CONNACK.
    trace.opens();
    trace.sends_connect(|connect| assert!(!connect.clean_start));

    let mut trace = disk.start(options());
    // All that this CONNACK can say is that there is a Session.
    trace.connects(true, &[]);
    trace.takes_packet(|packet| {
        let Packet::Subscribe(subscribe) = packet else { panic!("{packet:?}") };
        assert_eq!(subscribe.subscriptions[0].filter.as_str(), "kept");
        // Without the retained messages, if the subscription is still there.
        assert_eq!(subscribe.subscriptions[0].options.retain_handling, RetainHandling::IfNew);
    });
    trace.receives(suback(1, ReasonCode::GRANTED_QOS_1));
    disk.store(&mut trace);
    trace.tells_nothing();
}

#[test]
fn the_next_process_makes_no_subscription_that_was_refused_or_ended() {
    // The Server has lost the Session, and what it granted once is refused when it is made again: it has become
    // unsupported, or not allowed. A program that ends it then, or is told of that, must not get its messages one day.
    for unsupported in [true, false] {
        let mut disk = Disk::default();
        let mut trace = connected(&mut disk);
        trace.subscribe(1, "master/#");
        trace.takes_packet(|_| ());
        trace.receives(suback(1, ReasonCode::GRANTED_QOS_1));
        trace.tells();
        disk.store(&mut trace);
        trace.loses_connection();
        if unsupported {
            trace.connects(false, &[(PropertyId::WildcardSubscriptionAvailable, Value::Int(0))]);
            trace.session.handle_sent(trace.now, 0);
        } else {
            trace.connects(false, &[]);
            trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_))));
            disk.store(&mut trace);
            trace.receives(suback(2, ReasonCode::NOT_AUTHORIZED));
        }
        let Event::Subscribed { token: 0, outcome, .. } = trace.tells() else { panic!("nothing of the refusal") };
        assert!(outcome.failure.is_some());
        disk.store(&mut trace);
        let mut trace = disk.start(options());
        trace.connects(false, &[]);
        trace.sends_nothing();
    }
}

/// The next process, at the moment at which the one before ended.
fn next_process(disk: &Disk, before: Trace) -> Trace {
    let mut trace = disk.start(options());
    trace.now = before.now;
    trace
}

#[test]
fn what_was_sent_in_a_lost_session_is_in_doubt_for_the_next_process_too() {
    // Section 4.4: what the next process calls expired, a program takes for an order that never left.
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.connects(false, &[(PropertyId::SessionExpiryInterval, Value::Int(0))]);
    disk.store(&mut trace);
    trace.publish_so(1, "t", "order", QOS_1, lives(500));
    disk.store(&mut trace);
    trace.sends(publish("order", QOS_1, 1));
    trace.publish_so(2, "t", "another", QOS_1, lives(500));
    trace.sends(publish("another", QOS_1, 2));
    trace.loses_connection();
    trace.publish_so(3, "t", "not sent", QOS_2, lives(500));
    disk.store(&mut trace);

    let mut trace = next_process(&disk, trace);
    trace.passes(Duration::from_secs(1));
    for (token, status) in [(1, Status::SessionLost), (2, Status::SessionLost), (3, Status::Expired)] {
        assert_eq!(trace.tells_published(token).failure, Some(status));
    }
}

#[test]
fn how_a_publish_is_treated_while_it_waits_outlives_the_process() {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.publish(1, "report", QOS_1);
    trace.publish_so(2, "t", "old price", QOS_2, key("price"));
    trace.publish_so(3, "t", "order", QOS_1, priority());
    trace.publish_so(4, "t", "short-lived", QOS_2, lives(1000));
    disk.store(&mut trace);

    let mut trace = next_process(&disk, trace);
    // A newer value supersedes the one of the process before, and has its place.
    trace.publish_so(5, "t", "new price", QOS_2, key("price"));
    disk.store(&mut trace);
    assert_eq!(trace.tells_published(2).failure, Some(Status::Superseded));
    trace.passes(Duration::from_millis(999));
    trace.tells_nothing();
    trace.passes(Duration::from_millis(1));
    assert_eq!(trace.tells_published(4).failure, Some(Status::Expired));
    trace.connects(false, &[]);
    disk.store(&mut trace);
    assert_eq!(trace.sends_payloads(), ["order", "report", "new price"]);
}

#[test]
fn a_qos_1_message_that_an_earlier_process_may_have_sent_is_in_doubt_when_it_is_not_sent_again() {
    // Section 4.4: it leaves before it is stored that it does, and the process is killed in between.
    type Way = fn(&mut Trace);
    let end = |qos, then: Way| {
        let mut disk = Disk::default();
        let mut trace = disk.start(options());
        trace.publish_so(1, "t", "order", qos, PublishOptions { conflation_key: Some("order".into()), ..lives(500) });
        disk.store(&mut trace);
        trace.connects(false, &[]);
        if qos == QOS_1 {
            trace.sends(publish("order", QOS_1, 1));
        } else {
            trace.sends_nothing();
        }
        let mut trace = next_process(&disk, trace);
        then(&mut trace);
        disk.store(&mut trace);
        trace.tells_published(1).failure
    };
    let too_late = |trace: &mut Trace| trace.passes(Duration::from_secs(1));
    let superseded = |trace: &mut Trace| trace.publish_so(2, "t", "order", QOS_2, key("order"));
    let withdrawn = |trace: &mut Trace| trace.session.cancel(1);
    let ways: [(Way, Status); 3] =
        [(too_late, Status::Expired), (superseded, Status::Superseded), (withdrawn, Status::Cancelled)];
    for (way, status) in ways {
        assert_eq!(end(QOS_1, way), Some(Status::SessionLost), "{status:?}");
        // QoS 2 waits until it is stored.
        assert_eq!(end(QOS_2, way), Some(status));
    }
}

#[test]
fn the_message_expiry_interval_goes_on_in_the_next_process() {
    // Section 3.3.2.3.3
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    let expiring = |payload: &str| {
        let properties = set(&[(PropertyId::MessageExpiryInterval, Value::Int(100))]);
        Message::new(TopicName::new("t").unwrap(), payload.as_bytes(), QOS_1, false, properties.as_properties())
    };
    trace.publish_message(1, expiring("sent"));
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Publish(_))));
    trace.loses_connection();
    trace.publish_message(2, expiring("waiting"));
    disk.store(&mut trace);
    trace.now += Duration::from_secs(40);

    let mut trace = next_process(&disk, trace);
    trace.connects(true, &[]);
    for (payload, dup) in [("sent", true), ("waiting", false)] {
        trace.takes_packet(|packet| {
            let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
            assert_eq!((publish.payload, publish.dup), (payload.as_bytes(), dup));
            assert_eq!(publish.properties.int(PropertyId::MessageExpiryInterval), Some(60), "{payload}");
        });
    }
}

#[test]
fn qos_2_goes_no_further_than_what_is_stored() {
    // Whoever forgot it in a crash would use the Packet Identifier for another message, or send the PUBLISH once more.
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.publish(1, "a", QOS_2);
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(publish("a", QOS_2, 1));
    trace.receives(pubrec(1));
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(pubrel(1));
    // Or take the Server's repetition for a new message.
    trace.receives(publish("b", QOS_2, 7));
    trace.takes_message("b");
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(pubrec(7));
}

#[test]
fn what_has_not_left_yet_can_not_be_acknowledged() {
    // MQTT-4.3.3-3, MQTT-4.3.3-5: a Server that is mistaken would make the program believe that its order has arrived.
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.publish(1, "a", QOS_2);
    let pubrel_of_nothing = || Packet::Pubrel(Ack::new(id(1), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND));
    for early in [puback(1), pubrec(1), pubcomp(1)] {
        let is_pubrec = matches!(early, Packet::Pubrec(_));
        trace.receives(early);
        if is_pubrec {
            trace.sends(pubrel_of_nothing());
        }
    }
    trace.tells_breach(Breach::UnknownAcknowledgement);
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.sends(publish("a", QOS_2, 1));
    // Nor can the PUBREL.
    trace.receives(pubrec(1));
    trace.receives(pubcomp(1));
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
    trace.connects(true, &[]);
    disk.store(&mut trace);
    trace.sends(pubrel(1));
    trace.receives(pubcomp(1));
    trace.completes(1);
}

#[test]
fn what_ended_with_its_session_is_under_way_for_nobody() {
    // MQTT-3.2.2-5: one message of each state. The next process would send PUBREL for a message that the program has published anew.
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    for (token, qos) in [(1, QOS_2), (2, QOS_2), (3, QOS_1)] {
        trace.publish(token, "x", qos);
        disk.store(&mut trace);
        trace.takes_packet(|_| ());
    }
    trace.receives(pubrec(1));
    disk.store(&mut trace);
    trace.sends(pubrel(1));
    trace.loses_connection();
    trace.connects(false, &[]);
    for token in [1, 2] {
        assert_eq!(trace.tells_published(token).failure, Some(Status::SessionLost));
        trace.session.heard(token);
    }
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Publish(publish) if !publish.dup)));
    assert_eq!(trace.session.outstanding().count, 1);
    trace.receives(puback(4));
    trace.completes(3);
    trace.session.heard(3);
    assert_eq!(trace.session.outstanding(), Amount::default());
    disk.store(&mut trace);
    assert!(disk.records.keys().eq([&Key::Session]), "{:?}", disk.records);
}

#[test]
fn what_is_stored_says_nothing_of_what_came_after_it() {
    let mut trace = Disk::default().start(options());
    trace.connects(false, &[]);
    trace.publish(1, "one", QOS_2);
    let batch = trace.session.poll_records().expect("a batch");
    trace.publish(2, "two", QOS_2);
    trace.sends_nothing();
    trace.session.handle_durable(trace.now, batch.number);
    assert_eq!(trace.sends_payloads(), ["one"]);
    let batch = trace.session.poll_records().expect("a batch");
    trace.session.handle_durable(trace.now, batch.number);
    assert_eq!(trace.sends_payloads(), ["two"]);
}

#[test]
fn a_packet_identifier_is_not_given_back_before_that_is_stored_on_the_next_connection_either() {
    // After PUBCOMP the Server may use it for another message, and a process that dies now has it for this one.
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.receives(publish("one", QOS_2, 7));
    trace.takes_message("one");
    disk.store(&mut trace);
    trace.sends(pubrec(7));
    trace.receives(pubrel(7));
    trace.sends_nothing();
    trace.loses_connection();
    trace.connects(true, &[]);
    trace.receives(pubrel(7));
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Pubcomp(pubcomp) if pubcomp.packet_id == id(7))));
    trace.sends_nothing();
}

#[test]
fn a_publish_is_told_to_be_durable_when_it_is_and_not_before() {
    let mut trace = Disk::default().start(SessionOptions { progress: true, ..options() });
    trace.publish(1, "a", QOS_1);
    trace.tells_nothing();
    // Taken to be stored, but not stored yet.
    let batch = trace.session.poll_records().expect("a batch");
    trace.publish(2, "b", QOS_1);
    trace.tells_nothing();
    trace.session.handle_durable(trace.now, batch.number);
    assert_eq!(trace.tells(), Event::Progress { token: 1, stage: Stage::Durable });
    // The second is in the batch that is yet to be stored.
    trace.tells_nothing();
}

#[test]
fn nothing_is_published_before_what_was_subscribed_to_before_it() {
    // The answer to it would come while there is no subscription.
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.subscribe(1, "answers");
    trace.publish(2, "question", QoS::AtMostOnce);
    trace.publish(3, "order", QOS_1);
    disk.store(&mut trace);
    trace.connects(false, &[]);
    trace.publish(4, "another question", QoS::AtMostOnce);
    trace.sends_nothing();
    disk.store(&mut trace);
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Subscribe(_)), "{packet:?}"));
    assert_eq!(trace.sends_payloads(), ["question", "order", "another question"]);
    // Without a subscription nothing waits for that.
    let mut trace = Disk::default().start(options());
    trace.connects(false, &[]);
    trace.publish(1, "order", QOS_1);
    trace.sends(publish("order", QOS_1, 1));
}

#[test]
fn a_server_that_asks_for_ever_more_while_nothing_can_be_stored_does_not_fill_the_memory() {
    // MQTT-4.4.0-1, MQTT-2.2.1-4: within a connection each Packet Identifier waits for one answer.
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.receives(publish("m", QOS_2, 1));
    trace.takes_message("m");
    disk.store(&mut trace);
    trace.sends(pubrec(1));
    // From now on the disk is full.
    let pubrels = [0x62, 2, 0, 1].repeat(65_535);
    trace.receives_bytes(&pubrels);
    trace.sends_nothing();
    trace.stays_connected();
    trace.receives_bytes(&pubrels);
    trace.receives_bytes(&pubrels);
    trace.breaks_off(ReasonCode::PROTOCOL_ERROR);
}
