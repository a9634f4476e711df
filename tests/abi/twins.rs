//! A function and its UTF-16 twin do the same: what leaves is the same to the byte, what is read is the same text.

use crate::common::abi::{abi, text, text_w, utf8, utf16};
use crate::common::fake_server::FakeServer;
use crate::host::{Client, Properties};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::ptr::{null, null_mut};

/// Cyrillic, CJK, emoji (a surrogate pair), emoji of several code points, the last before and the first after the
/// surrogates, the largest code point, one that Unicode composes otherwise.
const TEXTS: [&str; 8] =
    ["цена/покупка", "価格/買い注文", "🚀/🌍", "👨‍👩‍👧‍👦/🇯🇵", "\u{D7FF}/\u{E000}", "\u{10FFFD}", "e\u{301}/é", "plain/ascii"];

#[test]
fn publish_and_publish_text_leave_the_same_bytes() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let handle = client.handle;
    for topic in TEXTS {
        for body in TEXTS {
            let (topic_8, topic_16, body_8, body_16) = (utf8(topic), utf16(topic), utf8(body), utf16(body));
            let (bytes, size) = (body.as_ptr(), body.len() as i32);
            abi().good(abi().publish(handle, topic_8.as_ptr(), bytes, size, 0, 0, 0));
            abi().good(abi().publish_w(handle, topic_16.as_ptr(), bytes, size, 0, 0, 0));
            abi().good(abi().publish_text(handle, topic_8.as_ptr(), body_8.as_ptr(), 0, 0, 0));
            abi().good(abi().publish_text_w(handle, topic_16.as_ptr(), body_16.as_ptr(), 0, 0, 0));
            for _ in 0..4 {
                let received = peer.expect(PacketType::Publish);
                let Packet::Publish(publish) = received.packet() else { unreachable!() };
                assert_eq!(publish.topic.map(|topic| topic.as_str()), Some(topic));
                assert_eq!(std::str::from_utf8(publish.payload), Ok(body));
            }
        }
    }
}

#[test]
fn a_text_in_utf16_may_lie_at_any_address() {
    // MQL5 packs a struct to one byte.
    let (_server, client, mut peer) = Client::connected(&[]);
    for text in TEXTS {
        let place: Vec<u8> = [0].into_iter().chain(utf16(text).into_iter().flat_map(u16::to_ne_bytes)).collect();
        let text_w = place[1..].as_ptr().cast::<u16>();
        assert!(!text_w.is_aligned());
        let properties = Properties::new();
        abi().good(abi().properties_set_text_w(properties.handle, MT5MQTT_PROP_CONTENT_TYPE, text_w));
        abi().good(abi().publish_text_w(client.handle, text_w, text_w, 0, 0, properties.handle));
        let received = peer.expect(PacketType::Publish);
        let Packet::Publish(publish) = received.packet() else { unreachable!() };
        assert_eq!(publish.topic.map(|topic| topic.as_str()), Some(text));
        assert_eq!(publish.properties.text(PropertyId::ContentType), Some(text));
        assert_eq!(std::str::from_utf8(publish.payload), Ok(text));
    }
}

#[test]
fn subscribe_and_unsubscribe_ask_for_the_same() {
    let (_server, client, mut peer) = Client::connected(&[]);
    for filter in TEXTS {
        let (filter_8, filter_16) = (utf8(filter), utf16(filter));
        let options = 1 + MT5MQTT_SUBSCRIBE_NO_LOCAL;
        abi().good(abi().subscribe(client.handle, filter_8.as_ptr(), options, 0));
        abi().good(abi().subscribe_w(client.handle, filter_16.as_ptr(), options, 0));
        abi().good(abi().unsubscribe(client.handle, filter_8.as_ptr(), 0));
        abi().good(abi().unsubscribe_w(client.handle, filter_16.as_ptr(), 0));
        for _ in 0..2 {
            let received = peer.expect(PacketType::Subscribe);
            let Packet::Subscribe(subscribe) = received.packet() else { unreachable!() };
            let asked: Vec<_> = subscribe.subscriptions.iter().map(|one| (one.filter.as_str(), one.options)).collect();
            assert_eq!(asked.len(), 1);
            assert_eq!((asked[0].0, asked[0].1.no_local, asked[0].1.maximum_qos), (filter, true, QoS::AtLeastOnce));
        }
        for _ in 0..2 {
            let received = peer.expect(PacketType::Unsubscribe);
            let Packet::Unsubscribe(unsubscribe) = received.packet() else { unreachable!() };
            assert_eq!(unsubscribe.filters.iter().map(|filter| filter.as_str()).collect::<Vec<_>>(), [filter]);
        }
    }
}

#[test]
fn text_options_and_the_will_leave_the_same_connect() {
    let mut server = FakeServer::start();
    for value in TEXTS {
        let connects = [false, true].map(|wide| {
            let client = Client::new();
            let handle = client.handle;
            client.set_text(MT5MQTT_OPT_URL, &server.url());
            let (value_8, value_16) = (utf8(value), utf16(value));
            for option in [MT5MQTT_OPT_CLIENT_ID, MT5MQTT_OPT_USER_NAME, MT5MQTT_OPT_PASSWORD] {
                abi().good(match wide {
                    false => abi().set_text(handle, option, value_8.as_ptr()),
                    true => abi().set_text_w(handle, option, value_16.as_ptr()),
                });
            }
            let payload = [0_u8, 255];
            abi().good(match wide {
                false => abi().set_will(handle, value_8.as_ptr(), payload.as_ptr(), 2, 1, 1, 0),
                true => abi().set_will_w(handle, value_16.as_ptr(), payload.as_ptr(), 2, 1, 1, 0),
            });
            abi().good(abi().connect(handle));
            let mut peer = server.accept();
            let received = peer.expect(PacketType::Connect);
            let Packet::Connect(connect) = received.packet() else { unreachable!() };
            assert_eq!((connect.client_id, connect.user_name), (value, Some(value)));
            assert_eq!(connect.password, Some(value.as_bytes()));
            let will = connect.will.as_ref().expect("a Will Message");
            assert_eq!((will.topic.as_str(), will.payload, will.retain), (value, &payload[..], true));
            peer.encode(&received.packet())
        });
        assert_eq!(connects[0], connects[1]);
    }
}

#[test]
fn what_is_read_of_a_message_is_the_same_text() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let handle = client.handle;
    for value in TEXTS {
        let mut properties = PropertiesBuf::new();
        properties.set(PropertyId::ContentType, Value::Text(value)).unwrap();
        properties.add(PropertyId::UserProperty, Value::Pair(value, "second")).unwrap();
        properties.add(PropertyId::UserProperty, Value::Pair("second", value)).unwrap();
        let topic = TopicName::new(value).unwrap();
        let message = Message::new(topic, value.as_bytes(), QoS::AtMostOnce, false, properties.as_properties());
        peer.send(&Packet::Publish(message.publish(None, false)));
        let event = client.expect(MT5MQTT_EVENT_MESSAGE);
        assert_eq!((event.topic_size as usize, event.payload_size as usize), (value.len(), value.len()));
        let property = MT5MQTT_PROP_CONTENT_TYPE;
        for read in [
            text(|buffer, capacity| abi().event_topic(handle, buffer, capacity)),
            text_w(|buffer, capacity| abi().event_topic_w(handle, buffer, capacity)),
            text(|buffer, capacity| abi().event_payload_text(handle, buffer, capacity)),
            text_w(|buffer, capacity| abi().event_payload_text_w(handle, buffer, capacity)),
            text(|buffer, capacity| abi().event_property_text(handle, property, 0, buffer, capacity)),
            text_w(|buffer, capacity| abi().event_property_text_w(handle, property, 0, buffer, capacity)),
            text(|buffer, capacity| abi().event_user_name(handle, 0, buffer, capacity)),
            text_w(|buffer, capacity| abi().event_user_name_w(handle, 0, buffer, capacity)),
            text(|buffer, capacity| abi().event_user_value(handle, 1, buffer, capacity)),
            text_w(|buffer, capacity| abi().event_user_value_w(handle, 1, buffer, capacity)),
        ] {
            assert_eq!(read, value);
        }
        // The twin counts UTF-16 units.
        let units = value.encode_utf16().count() as i32;
        assert_eq!(abi().event_topic_w(handle, null_mut(), 0), units);
    }
}

#[test]
fn what_is_written_into_a_set_of_properties_leaves_as_the_same_text() {
    let (_server, client, mut peer) = Client::connected(&[]);
    for value in TEXTS {
        let (value_8, value_16) = (utf8(value), utf16(value));
        for wide in [false, true] {
            let set = Properties::new();
            let handle = set.handle;
            for property in [MT5MQTT_PROP_CONTENT_TYPE, MT5MQTT_PROP_RESPONSE_TOPIC] {
                abi().good(match wide {
                    false => abi().properties_set_text(handle, property, value_8.as_ptr()),
                    true => abi().properties_set_text_w(handle, property, value_16.as_ptr()),
                });
            }
            abi().good(match wide {
                false => abi().properties_add_user(handle, value_8.as_ptr(), value_8.as_ptr()),
                true => abi().properties_add_user_w(handle, value_16.as_ptr(), value_16.as_ptr()),
            });
            abi().good(abi().publish(client.handle, c"t".as_ptr(), null(), 0, 0, 0, handle));
            let received = peer.expect(PacketType::Publish);
            let Packet::Publish(publish) = received.packet() else { unreachable!() };
            assert_eq!(publish.properties.text(PropertyId::ContentType), Some(value));
            assert_eq!(publish.properties.text(PropertyId::ResponseTopic), Some(value));
            assert_eq!(publish.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair(value, value)));
        }
    }
}

#[test]
fn error_and_event_texts_are_the_same_in_both() {
    let client = Client::connecting("mqtt://127.0.0.1:1", &[(MT5MQTT_OPT_RECONNECT, 0)]);
    client.expect(MT5MQTT_EVENT_DISCONNECTED);
    let words = client.event_text();
    assert!(words.contains("127.0.0.1:1"), "{words}");
    assert_eq!(text_w(|buffer, capacity| abi().event_text_w(client.handle, buffer, capacity)), words);
    let topic = utf8("цена/🚀/#");
    abi().publish(client.handle, topic.as_ptr(), null(), 0, 0, 0, 0);
    assert!(abi().error_text().contains("цена/🚀/#"));
    assert_eq!(text_w(|buffer, capacity| abi().last_error_w(buffer, capacity)), abi().error_text());
}
