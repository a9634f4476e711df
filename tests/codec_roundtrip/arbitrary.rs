//! Random packets. What they borrow is leaked: it is small, and the process ends with the tests.

use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::connect::{Connect, Will};
use mt5mqtt::codec::disconnect::{Auth, Disconnect};
use mt5mqtt::codec::property::{Kind, Properties, PropertiesBuf, PropertyId, Section, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::subscribe::{RetainHandling, Suback, Subscribe, Subscription, SubscriptionOptions};
use mt5mqtt::codec::unsubscribe::{Unsuback, Unsubscribe};
use mt5mqtt::codec::{Packet, PacketId};
use mt5mqtt::types::ProtocolVersion::{self, V5, V311};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{PacketType, QoS};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Whether the rules that types alone don't enforce are kept.
#[derive(Clone, Copy, PartialEq)]
pub enum Rules {
    Kept,
    Ignored,
}

fn leak<T: ?Sized>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

fn text() -> impl Strategy<Value = &'static str> {
    let plain = vec(prop_oneof![prop::char::range('a', 'z'), any::<char>()], 0..10);
    plain.prop_map(|chars| leak(chars.into_iter().filter(|c| *c != '\0').collect::<String>().into_boxed_str()))
}

fn bytes(longest: usize) -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..longest).prop_map(|bytes| leak(bytes.into_boxed_slice()))
}

/// Mostly short; long enough for a Remaining Length of two and three bytes now and then.
fn payload() -> impl Strategy<Value = &'static [u8]> {
    let long = select(&[127usize, 128, 16_383, 16_384, 20_000][..]).prop_map(|size| &[7u8; 20_000][..size]);
    prop_oneof![20 => bytes(150).boxed(), 1 => long.boxed()]
}

fn topic_name() -> impl Strategy<Value = TopicName<'static>> {
    text().prop_filter_map("no Topic Name", |text| TopicName::new(text).ok())
}

fn topic_filter() -> impl Strategy<Value = TopicFilter<'static>> {
    let level = prop_oneof![2 => text(), 1 => Just("+"), 1 => Just("")];
    let prefix = prop_oneof![3 => Just(""), 1 => Just("$share/group/")];
    (prefix, vec(level, 1..4), any::<bool>()).prop_filter_map("no Topic Filter", |(prefix, levels, all)| {
        let filter = format!("{prefix}{}{}", levels.join("/"), if all { "/#" } else { "" });
        TopicFilter::new(leak(filter.into_boxed_str())).ok()
    })
}

fn qos() -> impl Strategy<Value = QoS> {
    select(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][..])
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).expect("not 0"))
}

fn reason(packet: PacketType, version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = ReasonCode> {
    let allowed = move |code: &u8| match (rules, version, packet) {
        (Rules::Ignored, ..) => true,
        (_, V5, _) => ReasonCode(*code).allowed_in(packet),
        (_, V311, PacketType::Connack) => matches!(code, 0x00 | 0x84..=0x88),
        (_, V311, PacketType::Suback) => matches!(code, 0 | 1 | 2 | 0x80),
        (_, V311, _) => *code == 0,
    };
    select((0..=255).filter(allowed).collect::<Vec<u8>>()).prop_map(ReasonCode)
}

fn value(id: PropertyId) -> BoxedStrategy<Value<'static>> {
    match id.kind() {
        Kind::Byte | Kind::TwoByteInteger | Kind::FourByteInteger | Kind::VariableByteInteger => {
            let (low, high) = id.range();
            let high = if id.kind() == Kind::TwoByteInteger { high.min(65_535) } else { high };
            prop_oneof![Just(low), Just(high), low..=high].prop_map(Value::Int).boxed()
        }
        Kind::Text if id == PropertyId::ResponseTopic => {
            topic_name().prop_map(|name| Value::Text(name.as_str())).boxed()
        }
        Kind::Text => text().prop_map(Value::Text).boxed(),
        Kind::Binary => bytes(20).prop_map(Value::Binary).boxed(),
        Kind::TextPair => (text(), text()).prop_map(|(name, value)| Value::Pair(name, value)).boxed(),
    }
}

fn properties(place: Section, version: ProtocolVersion, rules: Rules) -> BoxedStrategy<Properties<'static>> {
    if version == V311 && rules == Rules::Kept {
        return Just(Properties::EMPTY).boxed();
    }
    let listed: Vec<PropertyId> = PropertyId::ALL.iter().copied().filter(|id| id.allowed_in(place)).collect();
    // Where rules are ignored, one property in eight comes from anywhere, and all may stand twice.
    let id = prop_oneof![7 => select(listed), 1 => select(PropertyId::ALL)];
    let property = id.prop_flat_map(|id| (Just(id), value(id)));
    vec(property, 0..6)
        .prop_map(move |list| {
            let set = Box::leak(Box::new(PropertiesBuf::new()));
            let has = |set: &PropertiesBuf, id| set.as_properties().nth(id, 0).is_some();
            for (id, value) in list {
                let fits = id.allowed_in(place) && (id.repeats_in(place) || !has(set, id));
                if fits || rules == Rules::Ignored {
                    set.add(id, value).expect("a valid value");
                }
            }
            let needs_method = place == Section::Packet(PacketType::Auth)
                || (place == Section::Packet(PacketType::Connect) && has(set, PropertyId::AuthenticationData));
            if rules == Rules::Kept && needs_method && !has(set, PropertyId::AuthenticationMethod) {
                set.add(PropertyId::AuthenticationMethod, Value::Text("method")).expect("a valid value");
            }
            set.as_properties()
        })
        .boxed()
}

fn connect(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let will = (topic_name(), bytes(20), qos(), any::<bool>(), properties(Section::Will, version, rules));
    let will =
        will.prop_map(|(topic, payload, qos, retain, properties)| Will { topic, payload, qos, retain, properties });
    let properties = properties(Section::Packet(PacketType::Connect), version, rules);
    let credentials = (option::of(text()), option::of(bytes(10)));
    (any::<bool>(), any::<u16>(), properties, text(), option::of(will), credentials).prop_map(
        move |(clean_start, keep_alive, properties, client_id, will, (user_name, password))| {
            let password = password.filter(|_| version == V5 || user_name.is_some() || rules == Rules::Ignored);
            Packet::Connect(Connect {
                version,
                clean_start,
                keep_alive,
                properties,
                client_id,
                will,
                user_name,
                password,
            })
        },
    )
}

fn connack(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let place = Section::Packet(PacketType::Connack);
    (any::<bool>(), reason(PacketType::Connack, version, rules), properties(place, version, rules)).prop_map(
        |(session_present, reason, properties)| Packet::Connack(Connack { session_present, reason, properties }),
    )
}

fn publish(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let properties = properties(Section::Packet(PacketType::Publish), version, rules);
    let flags = (any::<bool>(), qos(), any::<bool>());
    // The name that stands there when it must.
    let topic = (any::<bool>(), topic_name());
    (flags, topic, option::of(packet_id()), packet_id(), properties, payload()).prop_map(
        move |((dup, qos, retain), (named, topic), any_id, good_id, properties, payload)| {
            let has_alias = properties.int(PropertyId::TopicAlias).is_some();
            let (kept, with_id) = (rules == Rules::Kept, qos != QoS::AtMostOnce);
            Packet::Publish(Publish {
                dup: dup && (!kept || with_id),
                qos,
                retain,
                topic: if named || (kept && !has_alias) { Some(topic) } else { None },
                packet_id: if kept { with_id.then_some(good_id) } else { any_id },
                properties,
                payload,
            })
        },
    )
}

fn ack(
    packet: PacketType,
    form: fn(Ack<'static>) -> Packet<'static>,
    version: ProtocolVersion,
    rules: Rules,
) -> impl Strategy<Value = Packet<'static>> {
    let properties = properties(Section::Packet(packet), version, rules);
    (packet_id(), reason(packet, version, rules), properties)
        .prop_map(move |(packet_id, reason, properties)| form(Ack { packet_id, reason, properties }))
}

fn options() -> impl Strategy<Value = SubscriptionOptions> {
    let retain_handling = select(&[RetainHandling::Always, RetainHandling::IfNew, RetainHandling::Never][..]);
    (qos(), any::<bool>(), any::<bool>(), retain_handling).prop_map(
        |(maximum_qos, no_local, retain_as_published, retain_handling)| SubscriptionOptions {
            maximum_qos,
            no_local,
            retain_as_published,
            retain_handling,
        },
    )
}

/// How many entries a payload has that must not be empty.
fn entries(rules: Rules) -> std::ops::Range<usize> {
    if rules == Rules::Kept { 1..5 } else { 0..3 }
}

fn subscribe(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let subscription = (topic_filter(), options()).prop_map(move |(filter, mut options)| {
        if version == V311 && rules == Rules::Kept {
            options = SubscriptionOptions {
                no_local: false,
                retain_as_published: false,
                retain_handling: RetainHandling::Always,
                ..options
            };
        }
        options.no_local &= !filter.is_shared() || rules == Rules::Ignored;
        Subscription { filter, options }
    });
    let properties = properties(Section::Packet(PacketType::Subscribe), version, rules);
    (packet_id(), properties, vec(subscription, entries(rules))).prop_map(|(packet_id, properties, subscriptions)| {
        Packet::Subscribe(Subscribe { packet_id, properties, subscriptions })
    })
}

fn suback(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let properties = properties(Section::Packet(PacketType::Suback), version, rules);
    let reasons = vec(reason(PacketType::Suback, version, rules), entries(rules));
    (packet_id(), properties, reasons)
        .prop_map(|(packet_id, properties, reasons)| Packet::Suback(Suback { packet_id, properties, reasons }))
}

fn unsubscribe(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let properties = properties(Section::Packet(PacketType::Unsubscribe), version, rules);
    (packet_id(), properties, vec(topic_filter(), entries(rules))).prop_map(|(packet_id, properties, filters)| {
        Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters })
    })
}

fn unsuback(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let properties = properties(Section::Packet(PacketType::Unsuback), version, rules);
    // MQTT 3.1.1 has no codes here.
    let count = if version == V311 { 0..1 } else { entries(rules) };
    let reasons = vec(reason(PacketType::Unsuback, version, rules), count);
    (packet_id(), properties, reasons)
        .prop_map(|(packet_id, properties, reasons)| Packet::Unsuback(Unsuback { packet_id, properties, reasons }))
}

fn disconnect(version: ProtocolVersion, rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let place = Section::Packet(PacketType::Disconnect);
    (reason(PacketType::Disconnect, version, rules), properties(place, version, rules))
        .prop_map(|(reason, properties)| Packet::Disconnect(Disconnect { reason, properties }))
}

fn auth(rules: Rules) -> impl Strategy<Value = Packet<'static>> {
    let place = Section::Packet(PacketType::Auth);
    (reason(PacketType::Auth, V5, rules), properties(place, V5, rules))
        .prop_map(|(reason, properties)| Packet::Auth(Auth { reason, properties }))
}

/// Any packet of this version.
pub fn packet(version: ProtocolVersion, rules: Rules) -> BoxedStrategy<Packet<'static>> {
    let mut kinds = vec![
        connect(version, rules).boxed(),
        connack(version, rules).boxed(),
        publish(version, rules).boxed(),
        ack(PacketType::Puback, Packet::Puback, version, rules).boxed(),
        ack(PacketType::Pubrec, Packet::Pubrec, version, rules).boxed(),
        ack(PacketType::Pubrel, Packet::Pubrel, version, rules).boxed(),
        ack(PacketType::Pubcomp, Packet::Pubcomp, version, rules).boxed(),
        subscribe(version, rules).boxed(),
        suback(version, rules).boxed(),
        unsubscribe(version, rules).boxed(),
        unsuback(version, rules).boxed(),
        Just(Packet::Pingreq).boxed(),
        Just(Packet::Pingresp).boxed(),
        disconnect(version, rules).boxed(),
    ];
    if version == V5 || rules == Rules::Ignored {
        kinds.push(auth(rules).boxed());
    }
    proptest::strategy::Union::new(kinds).boxed()
}
