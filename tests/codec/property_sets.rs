//! Sets of properties that a program puts together: values are checked as a peer would check them.

use crate::standard::{PROPERTIES, SECTIONS, packet_with, property};
use crate::{V5, accepted};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::{Kind, PropertiesBuf, PropertyError, PropertyId, Section, Value};
use mt5mqtt::types::PacketType;
use mt5mqtt::types::text::TextError;
use mt5mqtt::types::topic::TopicError;

fn identifier(code: u8) -> PropertyId {
    PropertyId::from_u32(code.into()).expect("a property of the standard")
}

#[test]
fn a_set_holds_the_bytes_of_the_wire() {
    // Section 2.2.2.2
    for (code, _, value) in PROPERTIES {
        let mut set = PropertiesBuf::new();
        set.add(identifier(code), value).expect("a valid property");
        assert_eq!(set.as_properties().as_bytes(), property(code), "0x{code:02X}");
    }
    assert_eq!(PropertyId::ALL.len(), PROPERTIES.len());
}

#[test]
fn a_value_of_another_type_or_outside_its_range_is_refused() {
    // 5-3.1.2.11.3-a, 5-3.1.2.11.4-a, 5-3.1.2.11.6-a, 5-3.1.2.11.7-a, MQTT-3.3.2-8, 5-3.8.2.1.2-a
    let values = [Value::Int(1), Value::Text("t"), Value::Binary(b"b"), Value::Pair("k", "v")];
    for (code, _, good) in PROPERTIES {
        let id = identifier(code);
        for value in values {
            let fits = std::mem::discriminant(&value) == std::mem::discriminant(&good);
            let expected = if fits { Ok(()) } else { Err(PropertyError::WrongKind(id)) };
            assert_eq!(PropertiesBuf::new().add(id, value), expected, "0x{code:02X} {value:?}");
        }
        let (low, high) = match (code, id.kind()) {
            (0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2A, Kind::Byte) => (0, 1),
            (0x21 | 0x23, Kind::TwoByteInteger) => (1, 65_535),
            (0x13 | 0x22, Kind::TwoByteInteger) => (0, 65_535),
            (0x27, Kind::FourByteInteger) => (1, u32::MAX),
            (0x02 | 0x11 | 0x18, Kind::FourByteInteger) => (0, u32::MAX),
            (0x0B, Kind::VariableByteInteger) => (1, 268_435_455),
            (0x03 | 0x08 | 0x12 | 0x15 | 0x1A | 0x1C | 0x1F, Kind::Text) => continue,
            (0x09 | 0x16, Kind::Binary) | (0x26, Kind::TextPair) => continue,
            other => panic!("{other:?} is no property of the standard"),
        };
        let add = |value| PropertiesBuf::new().add(id, Value::Int(value));
        assert_eq!((add(low), add(high)), (Ok(()), Ok(())), "0x{code:02X}");
        let outside = [low.checked_sub(1), high.checked_add(1)];
        for value in outside.into_iter().flatten() {
            assert_eq!(add(value), Err(PropertyError::OutOfRange(id)), "0x{code:02X} {value}");
        }
    }
}

#[test]
fn texts_and_binary_data_are_checked() {
    // MQTT-1.5.4-2, MQTT-1.5.7-1, MQTT-3.3.2-13, MQTT-3.3.2-19
    let long = "x".repeat(65_536);
    let add = |id, value: Value<'_>| PropertiesBuf::new().add(id, value);
    let content_type = PropertyId::ContentType;
    assert_eq!(add(content_type, Value::Text(&long[1..])), Ok(()));
    assert_eq!(add(content_type, Value::Text(&long)), Err(PropertyError::Text(content_type, TextError::TooLong)));
    assert_eq!(add(content_type, Value::Text("a\0")), Err(PropertyError::Text(content_type, TextError::Null)));
    let user_property = PropertyId::UserProperty;
    for pair in [Value::Pair("a\0", "b"), Value::Pair("a", "\0b")] {
        assert_eq!(add(user_property, pair), Err(PropertyError::Text(user_property, TextError::Null)));
    }
    let correlation_data = PropertyId::CorrelationData;
    assert_eq!(add(correlation_data, Value::Binary(&long.as_bytes()[1..])), Ok(()));
    assert_eq!(add(correlation_data, Value::Binary(long.as_bytes())), Err(PropertyError::TooLong(correlation_data)));
    // [MQTT-3.3.2-14]
    let response = |topic| add(PropertyId::ResponseTopic, Value::Text(topic));
    assert_eq!(response("a/#"), Err(PropertyError::Topic(TopicError::WildcardInName)));
    assert_eq!(response(""), Err(PropertyError::Topic(TopicError::Empty)));
}

#[test]
fn set_replaces_add_repeats_and_remove_takes_all() {
    let id = PropertyId::UserProperty;
    let mut set = PropertiesBuf::new();
    set.add(id, Value::Pair("a", "1")).expect("a User Property");
    set.add(PropertyId::MessageExpiryInterval, Value::Int(5)).expect("an interval");
    set.add(id, Value::Pair("a", "2")).expect("a User Property");
    assert_eq!(set.as_properties().nth(id, 1), Some(Value::Pair("a", "2")));
    set.set(PropertyId::MessageExpiryInterval, Value::Int(6)).expect("an interval");
    assert_eq!(set.as_properties().iter().count(), 3);
    assert_eq!(set.as_properties().int(PropertyId::MessageExpiryInterval), Some(6));
    // A value that is refused leaves the set as it was.
    assert!(set.set(PropertyId::MessageExpiryInterval, Value::Text("6")).is_err());
    assert_eq!(set.as_properties().int(PropertyId::MessageExpiryInterval), Some(6));
    set.remove(id);
    assert_eq!(set.as_properties().iter().count(), 1);
    set.clear();
    assert!(set.as_properties().is_empty());
}

#[test]
fn a_set_knows_where_it_can_stand() {
    // 5-3.14.2.2.2-a, 5-3.14.2.2.3-a, 5-3.1.2.11.2-a, 5-3.1.2.11.3-a, 5-3.1.2.11.4-a, 5-3.1.2.11.5-a, 5-3.1.2.11.6-a,
    // 5-3.1.2.11.7-a, 5-3.1.2.11.9-a, 5-3.1.2.11.10-b, 5-3.1.3.2.2-a, 5-3.1.3.2.3-a, 5-3.1.3.2.4-a, 5-3.1.3.2.5-a,
    // 5-3.1.3.2.6-a, 5-3.1.3.2.7-a, 5-3.3.2.3.5-a, 5-3.3.2.3.6-a, 5-3.3.2.3.9-a, 5-3.8.2.1.2-a
    for (place, listed) in SECTIONS {
        for (code, _, value) in PROPERTIES {
            let (id, case) = (identifier(code), format!("0x{code:02X} in {place:?}"));
            let mut set = PropertiesBuf::new();
            set.add(id, value).expect("a valid property");
            let expected = if listed.contains(&code) { Ok(()) } else { Err(PropertyError::NotAllowed(id)) };
            assert_eq!(set.as_properties().check_for(place), expected, "{case}");
            set.add(id, value).expect("a valid property");
            let repeats = code == 0x26 || code == 0x0B && place == Section::Packet(PacketType::Publish);
            let expected = if repeats { expected } else { expected.and(Err(PropertyError::Twice(id))) };
            assert_eq!(set.as_properties().check_for(place), expected, "{case}, twice");
        }
    }
}

#[test]
fn values_are_read_by_their_type_only() {
    let bytes = packet_with(Section::Packet(PacketType::Publish), &[property(0x02), property(0x03)].concat());
    let Packet::Publish(publish) = accepted("PUBLISH", V5, &bytes) else { panic!() };
    let properties = publish.properties;
    assert_eq!(properties.int(PropertyId::MessageExpiryInterval), Some(65_536));
    assert_eq!(properties.text(PropertyId::MessageExpiryInterval), None);
    assert_eq!(properties.text(PropertyId::ContentType), Some("tx"));
    assert_eq!(properties.binary(PropertyId::ContentType), None);
    assert_eq!(properties.int(PropertyId::TopicAlias), None);
}
