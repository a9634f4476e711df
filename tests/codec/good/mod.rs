//! Good packets: what they mean, and the same bytes again when encoded. All 15 types, in both versions.

mod v311;
mod v5;

use crate::{V5, V311, accepted, encoded, id};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::connect::Connect;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::subscribe::{RetainHandling, SubscriptionOptions};
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};

pub struct Vector {
    pub case: &'static str,
    pub version: ProtocolVersion,
    pub bytes: Vec<u8>,
    pub packet: Packet<'static>,
}

/// All good vectors.
pub fn vectors() -> Vec<Vector> {
    [v5::connection(), v5::messages(), v5::subscriptions(), v311::all()].into_iter().flatten().collect()
}

fn vector(case: &'static str, version: ProtocolVersion, bytes: impl AsRef<[u8]>, packet: Packet<'static>) -> Vector {
    Vector { case, version, bytes: bytes.as_ref().to_vec(), packet }
}

fn properties(values: &[(PropertyId, Value<'static>)]) -> Properties<'static> {
    let set: &'static mut PropertiesBuf = Box::leak(Box::default());
    for (id, value) in values {
        set.add(*id, *value).expect("a valid property");
    }
    set.as_properties()
}

fn topic(name: &'static str) -> TopicName<'static> {
    TopicName::new(name).expect("a Topic Name")
}

fn filter(filter: &'static str) -> TopicFilter<'static> {
    TopicFilter::new(filter).expect("a Topic Filter")
}

const NONE: Properties<'static> = Properties::EMPTY;
const USER_PROPERTY: (PropertyId, Value<'static>) = (PropertyId::UserProperty, Value::Pair("k", "v"));
const PLAIN: SubscriptionOptions = SubscriptionOptions {
    maximum_qos: QoS::AtLeastOnce,
    no_local: false,
    retain_as_published: false,
    retain_handling: RetainHandling::Always,
};

fn connect(version: ProtocolVersion) -> Connect<'static> {
    Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        properties: NONE,
        client_id: "",
        will: None,
        user_name: None,
        password: None,
    }
}

fn publish(qos: QoS, packet_id: Option<u16>, payload: &'static [u8]) -> Publish<'static> {
    let packet_id = packet_id.map(id);
    Publish { dup: false, qos, retain: false, topic: Some(topic("a/b")), packet_id, properties: NONE, payload }
}

#[test]
fn good_packets_mean_what_the_standard_says_and_come_out_the_same() {
    // MQTT311-2.2.2-1, MQTT311-2.3.1-5, MQTT311-3.1.3-1, MQTT311-3.3.2-1, MQTT311-3.6.1-1, MQTT311-3.8.1-1,
    // MQTT311-3.10.1-1, MQTT-2.1.3-1, MQTT-2.2.2-1, MQTT-3.1.2-1, MQTT-3.1.3-1, MQTT-3.1.3-3, MQTT-3.3.2-1,
    // MQTT-3.6.1-1, MQTT-3.8.1-1, MQTT-3.10.1-1
    for Vector { case, version, bytes, packet } in vectors() {
        assert_eq!(accepted(case, version, &bytes), packet, "{case}");
        assert_eq!(encoded(case, version, &packet), bytes, "{case}");
    }
}

#[test]
fn there_is_a_vector_of_each_type_in_each_version() {
    let vectors = vectors();
    for version in [V5, V311] {
        for packet in PacketType::ALL {
            let count =
                vectors.iter().filter(|vector| vector.version == version && vector.bytes[0] >> 4 == packet as u8);
            // MQTT 3.1.1 has no AUTH.
            assert_eq!(count.count() > 0, version == V5 || packet != PacketType::Auth, "{version:?} {packet:?}");
        }
    }
}
