//! The story. Its parts follow one another on one Server, each with topics of its own.

use crate::party::{PLAIN, Party, Server};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::{RetainHandling, SubscriptionOptions};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{ProtocolVersion, QoS};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const ALL_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

pub fn told(server: &Server) {
    let master = Party::connected(server, "master");
    let follower = Party::connected(server, "follower");
    every_qos(&master, &follower);
    many_in_order(&master, &follower, server.largest);
    retained(&master, &follower);
    unsubscribed(&master, &follower);
    resumed(&master, &follower);
    the_will(&follower, server);
    shared(&master, server);
    if server.version == ProtocolVersion::V5 {
        subscription_options(&master, &follower);
        all_properties(&master, &follower);
        a_will_that_waits(&follower, server);
        an_expired_session(&follower);
    }
    assert!(follower.message_within(Duration::from_millis(50)).is_none(), "more messages than were published");
    assert_eq!(master.program.statistics().outgoing, 0);
    master.disconnects();
    follower.disconnects();
}

/// A message comes with the lower one of its own QoS and that of the subscription.
fn every_qos(master: &Party, follower: &Party) {
    for maximum_qos in ALL_QOS {
        let granted =
            follower.subscribes(&format!("qos/{}/+", maximum_qos as u8), SubscriptionOptions { maximum_qos, ..PLAIN });
        assert_eq!(granted.0, maximum_qos as u8);
        for qos in ALL_QOS {
            let topic = format!("qos/{}/цена", maximum_qos as u8);
            master.publishes(&topic, "1.0842 📈", qos, false);
            let message = follower.hears(&topic, "1.0842 📈");
            assert_eq!((message.qos, message.retain), (qos.min(maximum_qos), false));
        }
    }
}

fn many_in_order(master: &Party, follower: &Party, largest: usize) {
    follower.subscribes("many/#", PLAIN);
    for qos in ALL_QOS {
        let topic = format!("many/{}", qos as u8);
        for number in 0..200 {
            master.publishes(&topic, &number.to_string(), qos, false);
        }
        for number in 0..200 {
            follower.hears(&topic, &number.to_string());
        }
    }
    let large = "x".repeat(largest);
    master.publishes("many/large", &large, QoS::ExactlyOnce, false);
    assert_eq!(follower.message().payload(), large.as_bytes());
}

fn retained(master: &Party, follower: &Party) {
    master.publishes("retained/kept", "old", QoS::AtLeastOnce, true);
    master.publishes("retained/kept", "new", QoS::AtLeastOnce, true);
    master.publishes("retained/gone", "old", QoS::AtLeastOnce, true);
    master.publishes("retained/gone", "", QoS::AtLeastOnce, true);
    follower.subscribes("retained/#", PLAIN);
    assert!(follower.hears("retained/kept", "new").retain);
    // To a subscription that is there already it is no retained message.
    master.publishes("retained/kept", "newest", QoS::AtLeastOnce, true);
    assert!(!follower.hears("retained/kept", "newest").retain);
    assert!(follower.message_within(Duration::from_millis(50)).is_none(), "a retained message that was removed");
}

fn unsubscribed(master: &Party, follower: &Party) {
    follower.subscribes("left", PLAIN);
    follower.subscribes("stays", PLAIN);
    master.publishes("left", "before", QoS::AtLeastOnce, false);
    follower.hears("left", "before");
    assert_eq!(follower.unsubscribes("left"), ReasonCode::SUCCESS);
    master.publishes("left", "after", QoS::AtLeastOnce, false);
    master.publishes("stays", "end", QoS::AtLeastOnce, false);
    follower.hears("stays", "end");
    let unknown = follower.unsubscribes("never/subscribed");
    let expected = match follower.version {
        ProtocolVersion::V5 => ReasonCode::NO_SUBSCRIPTION_EXISTED,
        ProtocolVersion::V311 => ReasonCode::SUCCESS,
    };
    assert_eq!(unknown, expected);
}

/// What is published while a client is away waits for it, and its subscriptions stay.
fn resumed(master: &Party, follower: &Party) {
    follower.subscribes("away/#", PLAIN);
    follower.disconnects();
    for number in 0..20 {
        let qos = if number % 2 == 0 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
        master.publishes(&format!("away/{}", qos as u8), &number.to_string(), qos, false);
    }
    assert!(follower.connects(), "the Server has forgotten the Session");
    // Messages of different QoS may overtake one another.
    let mut heard: Vec<u32> = (0..20)
        .map(|_| {
            let message = follower.message();
            std::str::from_utf8(message.payload()).expect("a number").parse().expect("a number")
        })
        .collect();
    heard.sort();
    assert_eq!(heard, (0..20).collect::<Vec<_>>());
    master.publishes("away/1", "back", QoS::AtLeastOnce, false);
    follower.hears("away/1", "back");
}

/// The Will Message comes when a connection is cut, and not when it is ended.
fn the_will(follower: &Party, server: &Server) {
    follower.subscribes("will/#", PLAIN);
    let mut properties = PropertiesBuf::new();
    if follower.version == ProtocolVersion::V5 {
        properties.set(PropertyId::ContentType, Value::Text("text/plain")).unwrap();
        properties.set(PropertyId::PayloadFormatIndicator, Value::Int(1)).unwrap();
        properties.set(PropertyId::MessageExpiryInterval, Value::Int(600)).unwrap();
        properties.set(PropertyId::ResponseTopic, Value::Text("will/answer")).unwrap();
        properties.set(PropertyId::CorrelationData, Value::Binary(&[0, 255])).unwrap();
        properties.add(PropertyId::UserProperty, Value::Pair("why", "cut")).unwrap();
        properties.add(PropertyId::UserProperty, Value::Pair("why", "again")).unwrap();
        properties.set(PropertyId::WillDelayInterval, Value::Int(0)).unwrap();
    }
    let with_will = |client_id: &str| {
        let party = Party::new(server, client_id);
        let topic = format!("will/{client_id}");
        let topic = TopicName::new(&topic).unwrap();
        let message = Message::new(topic, "прощай".as_bytes(), QoS::ExactlyOnce, false, Properties::EMPTY);
        let set = party.program.set_option(|options, idle| options.set_will(Some((message, properties.clone())), idle));
        set.expect("a Will Message");
        assert!(!party.connects());
        party
    };
    with_will("ended").disconnects();
    let cut = with_will("cut");
    cut.program.panic_in_background();
    let message = follower.hears("will/cut", "прощай");
    assert_eq!(message.qos, QoS::ExactlyOnce);
    if follower.version == ProtocolVersion::V5 {
        assert_eq!(message.properties().text(PropertyId::ContentType), Some("text/plain"));
        assert_eq!(message.properties().int(PropertyId::PayloadFormatIndicator), Some(1));
        assert_eq!(message.properties().text(PropertyId::ResponseTopic), Some("will/answer"));
        assert_eq!(message.properties().binary(PropertyId::CorrelationData), Some(&[0, 255][..]));
        assert!(message.properties().int(PropertyId::MessageExpiryInterval).is_some_and(|left| left <= 600));
        let pairs = [("why", "cut"), ("why", "again")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(user_properties(&message), pairs);
        assert_eq!(message.properties().int(PropertyId::WillDelayInterval), None);
    }
}

/// The Will Message waits for its Will Delay Interval, and comes to nothing if its client is back by then. A client can leave
/// and have it published all the same.
fn a_will_that_waits(follower: &Party, server: &Server) {
    follower.subscribes("waits/#", PLAIN);
    let with_will = |client_id: &str, delay: u32| {
        let party = Party::new(server, client_id);
        let topic = format!("waits/{client_id}");
        let message =
            Message::new(TopicName::new(&topic).unwrap(), b"gone", QoS::AtLeastOnce, false, Properties::EMPTY);
        let mut properties = PropertiesBuf::new();
        properties.set(PropertyId::WillDelayInterval, Value::Int(delay)).unwrap();
        let set = party.program.set_option(|options, idle| options.set_will(Some((message, properties)), idle));
        set.expect("a Will Message");
        assert!(!party.connects());
        party
    };
    let returns = with_will("returns", 600);
    returns.program.panic_in_background();
    let returns = Party::new(server, "returns");
    assert!(returns.connects(), "the Session is there as long as the Will waits");
    let cut = with_will("cut-later", 2);
    let begun = Instant::now();
    cut.program.panic_in_background();
    follower.hears("waits/cut-later", "gone");
    // Servers count whole seconds, of which the first may be over at once.
    assert!(begun.elapsed() > Duration::from_millis(500), "it didn't wait");
    let leaves = with_will("leaves", 1);
    let (reason, timeout) = (ReasonCode::DISCONNECT_WITH_WILL, Duration::from_secs(2));
    leaves.program.disconnect(reason, Properties::EMPTY, timeout).expect("a connection that ends");
    follower.hears("waits/leaves", "gone");
    returns.disconnects();
}

/// Each message goes to one of those who share a subscription. It is a feature of MQTT 5.0 that both Servers have in 3.1.1 too.
fn shared(master: &Party, server: &Server) {
    let workers = ["worker-1", "worker-2"].map(|client_id| {
        let worker = Party::connected(server, client_id);
        worker.subscribes("$share/workers/work/+", PLAIN);
        worker
    });
    for number in 0..40 {
        master.publishes("work/all", &number.to_string(), QoS::ExactlyOnce, false);
    }
    let mut heard = BTreeMap::new();
    let mut of_each = [0; 2];
    let deadline = Instant::now() + Duration::from_secs(15);
    while heard.len() < 40 {
        assert!(Instant::now() < deadline, "only {} of 40 messages came", heard.len());
        for (worker, count) in workers.iter().zip(&mut of_each) {
            while let Some(message) = worker.message_within(Duration::from_millis(5)) {
                *heard.entry(message.payload().to_vec()).or_insert(0) += 1;
                *count += 1;
            }
        }
    }
    assert!(heard.values().all(|times| *times == 1), "{heard:?}");
    assert!(of_each.iter().all(|count| *count > 0), "one of two did all the work: {of_each:?}");
    workers.iter().for_each(Party::disconnects);
}

/// No Local, Retain As Published and Retain Handling.
fn subscription_options(master: &Party, follower: &Party) {
    master.subscribes("own/#", SubscriptionOptions { no_local: true, ..PLAIN });
    follower.subscribes("own/#", SubscriptionOptions { retain_as_published: true, ..PLAIN });
    master.publishes("own/a", "mine", QoS::AtLeastOnce, true);
    assert!(follower.hears("own/a", "mine").retain, "RETAIN is kept as it was published");
    follower.publishes("own/b", "yours", QoS::AtLeastOnce, false);
    master.hears("own/b", "yours");
    follower.hears("own/b", "yours");
    // The subscription exists, so that a retained message comes only for Retain Handling 0.
    let handling = |retain_handling| SubscriptionOptions { retain_handling, retain_as_published: true, ..PLAIN };
    follower.subscribes("own/#", handling(RetainHandling::Never));
    follower.subscribes("own/#", handling(RetainHandling::IfNew));
    assert!(follower.message_within(Duration::from_millis(50)).is_none());
    follower.subscribes("own/#", handling(RetainHandling::Always));
    follower.hears("own/a", "mine");
    assert!(master.message_within(Duration::from_millis(50)).is_none(), "No Local");
    master.publishes("own/a", "", QoS::AtLeastOnce, true);
    follower.hears("own/a", "");
}

/// Every property of PUBLISH arrives as it was sent, and the Server adds the Subscription Identifiers.
fn all_properties(master: &Party, follower: &Party) {
    follower.subscribes_as("all/+", PLAIN, 7);
    let mut sent = PropertiesBuf::new();
    sent.set(PropertyId::PayloadFormatIndicator, Value::Int(1)).unwrap();
    sent.set(PropertyId::MessageExpiryInterval, Value::Int(600)).unwrap();
    sent.set(PropertyId::ContentType, Value::Text("application/json")).unwrap();
    sent.set(PropertyId::ResponseTopic, Value::Text("all/ответ")).unwrap();
    sent.set(PropertyId::CorrelationData, Value::Binary(&[0, 255, 1])).unwrap();
    let pairs = [("счёт", "1"), ("a", ""), ("счёт", "1"), ("", "b"), ("z", "価格")];
    for (name, value) in pairs {
        sent.add(PropertyId::UserProperty, Value::Pair(name, value)).unwrap();
    }
    for qos in ALL_QOS {
        master.publishes_with("all/x", "{\"bid\":1.0842}", qos, false, sent.as_properties());
        let message = follower.hears("all/x", "{\"bid\":1.0842}");
        let properties = message.properties();
        assert_eq!(properties.int(PropertyId::PayloadFormatIndicator), Some(1));
        let expiry = properties.int(PropertyId::MessageExpiryInterval).expect("a Message Expiry Interval");
        assert!((590..=600).contains(&expiry), "{expiry}");
        assert_eq!(properties.text(PropertyId::ContentType), Some("application/json"));
        assert_eq!(properties.text(PropertyId::ResponseTopic), Some("all/ответ"));
        assert_eq!(properties.binary(PropertyId::CorrelationData), Some(&[0, 255, 1][..]));
        assert_eq!(properties.int(PropertyId::SubscriptionIdentifier), Some(7));
        assert_eq!(user_properties(&message), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

/// A Session Expiry Interval of 0 on DISCONNECT ends the Session at once.
fn an_expired_session(follower: &Party) {
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::SessionExpiryInterval, Value::Int(0)).unwrap();
    properties.set(PropertyId::ReasonString, Value::Text("the end")).unwrap();
    properties.add(PropertyId::UserProperty, Value::Pair("why", "the end")).unwrap();
    let (reason, timeout) = (ReasonCode::SUCCESS, Duration::from_secs(2));
    follower.program.disconnect(reason, properties.as_properties(), timeout).expect("a connection that ends");
    assert_eq!(follower.program.expect_disconnected().failure, None);
    assert!(!follower.connects(), "the Server has kept a Session that was to end");
    // The client makes its subscriptions anew, and what is retained comes with them.
    assert!(follower.hears("retained/kept", "newest").retain);
}

/// The User Properties in their order, without those that the broker of the crate `mqtt5` adds.
fn user_properties(message: &Message) -> Vec<(String, String)> {
    let pairs = message.properties().iter().filter_map(|(id, value)| match value {
        Value::Pair(name, value) if id == PropertyId::UserProperty => Some((name.to_owned(), value.to_owned())),
        _ => None,
    });
    pairs.filter(|(name, _)| !name.starts_with("x-mqtt-")).collect()
}
