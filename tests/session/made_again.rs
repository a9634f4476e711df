//! Subscriptions that are made again on the next connection, and what was ended and is ended again: what the program asked for
//! last is in force, whatever the Server's Session says.

use crate::subscriptions::*;
use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::{RetainHandling, Subscription, SubscriptionOptions};
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::SessionOptions;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicFilter;

/// A subscription of before is made again, without its retained messages; nobody is told.
#[track_caller]
fn made_again(trace: &mut Trace, filter: &str) {
    let packet_id = trace.takes_packet(|packet| match packet {
        Packet::Subscribe(subscribe) => {
            let Subscription { filter: asked_for, options } = &subscribe.subscriptions[0];
            assert_eq!((asked_for.as_str(), options.retain_handling), (filter, RetainHandling::IfNew));
            subscribe.packet_id.get()
        }
        other => panic!("{other:?} instead of SUBSCRIBE"),
    });
    trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
    trace.tells_nothing();
}

#[test]
fn subscriptions_are_made_again_on_each_connection() {
    // MQTT-3.2.2-5: with its Session the Server has forgotten them. After a crash it may have the Session without them.
    let mut trace = Trace::connected(options());
    let properties = set(&[(PropertyId::SubscriptionIdentifier, Value::Int(3))]);
    trace.session.subscribe(1, TopicFilter::new("a").unwrap(), at_most(QoS::AtLeastOnce), properties);
    trace.takes_packet(|_| ());
    trace.receives(suback(1, ReasonCode::GRANTED_QOS_1));
    tells_subscribed(&mut trace, 1);
    subscribed(&mut trace, 2, "b");
    for _ in 0..2 {
        trace.reconnects(true);
        made_again(&mut trace, "a");
        made_again(&mut trace, "b");
        trace.sends_nothing();
    }

    trace.loses_connection();
    trace.subscribe(3, "c");
    trace.publish(4, "x", QoS::AtMostOnce);
    trace.connects(false, &[]);
    trace.takes_packet(|packet| match packet {
        Packet::Subscribe(subscribe) => {
            assert_eq!(subscribe.subscriptions[0].options, at_most(QoS::AtLeastOnce));
            assert_eq!(subscribe.properties.int(PropertyId::SubscriptionIdentifier), Some(3));
        }
        other => panic!("{other:?}"),
    });
    let second = takes_subscribe(&mut trace, "b");
    let third = takes_subscribe(&mut trace, "c");
    trace.sends(publish("x", QoS::AtMostOnce, 0));
    trace.receives(suback(second, ReasonCode::SUCCESS));
    // Nobody asked for that one: nothing to tell.
    trace.tells_nothing();
    trace.receives(suback(third, ReasonCode::SUCCESS));
    tells_subscribed(&mut trace, 3);
}

#[test]
fn what_the_program_subscribes_to_and_ends_without_a_connection_has_two_answers() {
    let mut trace = Trace::new(options());
    trace.subscribe(1, "a");
    trace.unsubscribe(2, "a");
    trace.connects(false, &[]);
    let packet_id = takes_subscribe(&mut trace, "a");
    assert_eq!(takes_unsubscribe(&mut trace, "a"), packet_id + 1);
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    assert_eq!(tells_subscribed(&mut trace, 1).failure, None);
    trace.receives(unsuback(packet_id + 1, vec![ReasonCode::SUCCESS]));
    assert!(matches!(trace.tells(), Event::Unsubscribed { token: 2, .. }));
}

#[test]
fn what_the_program_has_ended_meanwhile_is_not_made_again() {
    // MQTT-3.3.1-9: a subscription brings the retained messages, and with them an order of the master that the program has left.
    for expiry in [3600, 0] {
        let mut trace = Trace::connected(SessionOptions { session_expiry_interval: expiry, ..options() });
        subscribed(&mut trace, 1, "left");
        subscribed(&mut trace, 2, "kept");
        trace.loses_connection();
        trace.unsubscribe(3, "left");
        trace.connects(false, &[]);
        takes_subscribe(&mut trace, "kept");
        let packet_id = trace.takes_packet(|packet| match packet {
            Packet::Unsubscribe(unsubscribe) => unsubscribe.packet_id.get(),
            other => panic!("{other:?}"),
        });
        trace.receives(unsuback(packet_id, vec![ReasonCode::NO_SUBSCRIPTION_EXISTED]));
        let Event::Unsubscribed { token: 3, outcome, .. } = trace.tells() else { panic!("no end") };
        assert_eq!(outcome.failure, None);
        trace.sends_nothing();
        trace.reconnects(false);
        takes_subscribe(&mut trace, "kept");
        trace.sends_nothing();
    }
}

#[test]
fn subscriptions_are_made_again_when_nobody_knows_whose_session_the_server_has() {
    // MQTT-3.2.2-2, MQTT-3.2.2-3: Session Present is true of the Session that the CONNECT before this one began, whose CONNACK
    // was lost: the Server had forgotten the subscriptions then.
    let mut trace = Trace::connected(options());
    subscribed(&mut trace, 1, "a");
    let never = SubscriptionOptions { retain_handling: RetainHandling::Never, ..at_most(QoS::ExactlyOnce) };
    trace.session.subscribe(3, TopicFilter::new("c").unwrap(), never, PropertiesBuf::new());
    let packet_id = takes_subscribe(&mut trace, "c");
    trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
    assert_eq!(tells_subscribed(&mut trace, 3).failure, None);
    trace.loses_connection();
    trace.opens();
    trace.sends_connect(|_| ());
    trace.loses_connection();
    trace.subscribe(2, "b");
    trace.connects(true, &[]);
    let mut packet_id = 0;
    // If it is still there, its retained messages are not wanted again. Those of a new one are.
    let wanted = [("a", RetainHandling::IfNew), ("c", RetainHandling::Never), ("b", RetainHandling::Always)];
    for (filter, wanted) in wanted {
        trace.takes_packet(|packet| match packet {
            Packet::Subscribe(subscribe) => {
                let Subscription { filter: asked_for, options } = &subscribe.subscriptions[0];
                assert_eq!((asked_for.as_str(), options.retain_handling), (filter, wanted));
                packet_id = subscribe.packet_id.get();
            }
            other => panic!("{other:?}"),
        });
        trace.receives(suback(packet_id, ReasonCode::GRANTED_QOS_2));
    }
    assert_eq!(tells_subscribed(&mut trace, 2).failure, None);
    trace.tells_nothing();
}

#[test]
fn what_was_ended_is_ended_again_on_each_connection() {
    // MQTT-3.10.4-1: a Server that comes back from a crash may have it still, and send what nobody expects any more.
    let mut trace = Trace::connected(options());
    let ended = |trace: &mut Trace, filter: &str| {
        trace.unsubscribe(7, filter);
        let packet_id = takes_unsubscribe(trace, filter);
        trace.receives(unsuback(packet_id, vec![ReasonCode::SUCCESS]));
        assert!(matches!(trace.tells(), Event::Unsubscribed { token: 7, .. }));
    };
    for filter in ["a", "b", "c"] {
        subscribed(&mut trace, 1, filter);
    }
    ended(&mut trace, "a");
    ended(&mut trace, "b");
    for _ in 0..2 {
        trace.reconnects(true);
        made_again(&mut trace, "c");
        for filter in ["a", "b"] {
            let packet_id = takes_unsubscribe(&mut trace, filter);
            trace.receives(unsuback(packet_id, vec![ReasonCode::NO_SUBSCRIPTION_EXISTED]));
        }
        trace.tells_nothing();
        trace.sends_nothing();
    }
    // Made anew it stays, also if that waits for the connection.
    subscribed(&mut trace, 2, "a");
    trace.loses_connection();
    trace.subscribe(3, "b");
    trace.connects(true, &[]);
    made_again(&mut trace, "c");
    made_again(&mut trace, "a");
    let packet_id = takes_subscribe(&mut trace, "b");
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    assert_eq!(tells_subscribed(&mut trace, 3).failure, None);
    trace.sends_nothing();
    // With its Session the Server has forgotten them.
    ended(&mut trace, "b");
    trace.reconnects(false);
    for filter in ["c", "a"] {
        let packet_id = takes_subscribe(&mut trace, filter);
        trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    }
    trace.sends_nothing();
    // There are not ever more of them.
    for number in 0..150 {
        ended(&mut trace, &format!("f{number}"));
    }
    trace.reconnects(true);
    made_again(&mut trace, "c");
    made_again(&mut trace, "a");
    for number in 50..150 {
        takes_unsubscribe(&mut trace, &format!("f{number}"));
    }
    trace.sends_nothing();
}

#[test]
fn in_mqtt_311_subscriptions_are_made_again_when_the_session_is_gone_or_in_doubt_only() {
    // MQTT311-3.8.4-3: their retained messages would come again on each connection.
    let mut trace = Trace::connected(SessionOptions { clean_start: false, ..v311() });
    subscribed(&mut trace, 1, "a");
    trace.reconnects(true);
    trace.sends_nothing();
    trace.loses_connection();
    trace.opens();
    trace.sends_connect(|_| ());
    trace.reconnects(true);
    let packet_id = takes_subscribe(&mut trace, "a");
    trace.receives(suback(packet_id, ReasonCode::SUCCESS));
    // From then on there is no doubt.
    trace.reconnects(true);
    trace.sends_nothing();
    trace.reconnects(false);
    takes_subscribe(&mut trace, "a");
}

#[test]
fn a_subscription_that_is_refused_when_made_again_is_told() {
    let mut trace = Trace::connected(options());
    subscribed(&mut trace, 1, "a");
    trace.reconnects(false);
    let packet_id = takes_subscribe(&mut trace, "a");
    trace.receives(suback(packet_id, ReasonCode::NOT_AUTHORIZED));
    let Event::Subscribed { token: 0, filter, outcome } = trace.tells() else { panic!("not told") };
    assert_eq!((filter.as_str(), outcome.reason), ("a", Some(ReasonCode::NOT_AUTHORIZED)));
}

#[test]
fn an_unanswered_request_is_asked_again_on_the_next_connection() {
    let mut trace = Trace::connected(options());
    trace.subscribe(1, "a");
    trace.unsubscribe(2, "b");
    takes_subscribe(&mut trace, "a");
    takes_unsubscribe(&mut trace, "b");
    trace.reconnects(true);
    let subscribe = takes_subscribe(&mut trace, "a");
    let unsubscribe = takes_unsubscribe(&mut trace, "b");
    trace.receives(suback(subscribe, ReasonCode::SUCCESS));
    tells_subscribed(&mut trace, 1);
    trace.receives(unsuback(unsubscribe, vec![ReasonCode::SUCCESS]));
    assert!(matches!(trace.tells(), Event::Unsubscribed { token: 2, .. }));
}

#[test]
fn the_last_word_on_a_topic_filter_counts() {
    // MQTT-3.8.4-3: the same Topic Filter replaces the subscription.
    let mut trace = Trace::connected(options());
    for (token, qos) in [(1, QoS::AtMostOnce), (2, QoS::ExactlyOnce)] {
        trace.session.subscribe(token, TopicFilter::new("a").unwrap(), at_most(qos), PropertiesBuf::new());
        let packet_id = takes_subscribe(&mut trace, "a");
        trace.receives(suback(packet_id, ReasonCode::SUCCESS));
        tells_subscribed(&mut trace, token);
    }
    trace.reconnects(false);
    trace.takes_packet(|packet| match packet {
        Packet::Subscribe(subscribe) => assert_eq!(subscribe.subscriptions[0].options, at_most(QoS::ExactlyOnce)),
        other => panic!("{other:?}"),
    });
    trace.sends_nothing();
}

#[test]
fn a_subscription_is_made_again_though_another_to_its_filter_may_replace_it() {
    // MQTT-3.8.4-3: if the Server refuses the new one, it goes on with the old one.
    let mut trace = Trace::connected(options());
    subscribed(&mut trace, 1, "a");
    trace.loses_connection();
    trace.subscribe(2, "a");
    trace.connects(false, &[]);
    for (reason, token) in [(ReasonCode::GRANTED_QOS_2, None), (ReasonCode::NOT_AUTHORIZED, Some(2))] {
        let packet_id = takes_subscribe(&mut trace, "a");
        trace.receives(suback(packet_id, reason));
        if let Some(token) = token {
            assert_eq!(tells_subscribed(&mut trace, token).reason, Some(reason));
        }
    }
    trace.reconnects(false);
    takes_subscribe(&mut trace, "a");
    trace.sends_nothing();
}
