//! What MQTT 5.0 offers, as a host reaches it: each feature goes out by a call and comes back in an event.

use crate::common::abi::{abi, text, utf8};
use crate::common::fake_server::{FakeServer, Peer};
use crate::host::{Client, Properties, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::disconnect::{Auth, Disconnect};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::subscribe::Suback;
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, QoS};
use std::ptr::null;

/// A Reason String and User Properties, of which two are the same.
fn explain(set: &mut PropertiesBuf) {
    set.set(PropertyId::ReasonString, Value::Text("as you know")).unwrap();
    for value in ["2", "1", "2"] {
        set.add(PropertyId::UserProperty, Value::Pair("n", value)).unwrap();
    }
}

fn explained() -> PropertiesBuf {
    let mut set = PropertiesBuf::new();
    explain(&mut set);
    set
}

/// The current event tells what `explain` says.
#[track_caller]
fn assert_explained(client: &Client) {
    assert_eq!(client.text(MT5MQTT_PROP_REASON_STRING), "as you know");
    assert_eq!(client.user_properties(), ["2", "1", "2"].map(|value| ("n".to_owned(), value.to_owned())));
}

/// A Server, and a client that asks it for a connection; the Server has seen CONNECT.
fn asking(prepare: impl FnOnce(&Client)) -> (FakeServer, Client, Peer, crate::common::fake_server::Received) {
    let mut server = FakeServer::start();
    let client = Client::new();
    client.set_text(MT5MQTT_OPT_URL, &server.url());
    client.set_int(MT5MQTT_OPT_RECONNECT_MIN_MS, 1);
    client.set_int(MT5MQTT_OPT_RECONNECT_MAX_MS, 1);
    prepare(&client);
    abi().good(abi().connect(client.handle));
    let mut peer = server.accept();
    let connect = peer.expect(PacketType::Connect);
    (server, client, peer, connect)
}

#[test]
fn a_will_goes_out_with_its_delay_and_all_its_properties() {
    let (_server, _client, _peer, connect) = asking(|client| {
        let properties = Properties::new()
            .int(MT5MQTT_PROP_WILL_DELAY_INTERVAL, 30)
            .int(MT5MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1)
            .int(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 60)
            .text(MT5MQTT_PROP_CONTENT_TYPE, "text/plain")
            .text(MT5MQTT_PROP_RESPONSE_TOPIC, "who")
            .bytes(MT5MQTT_PROP_CORRELATION_DATA, &[0, 255])
            .user("n", "2")
            .user("n", "1")
            .user("n", "2");
        let (topic, handle) = (utf8("will"), client.handle);
        let set = |payload: &[u8], properties: &Properties| {
            abi().set_will(handle, topic.as_ptr(), payload.as_ptr(), payload.len() as i32, 1, 1, properties.handle)
        };
        let wrong = Properties::new().int(MT5MQTT_PROP_TOPIC_ALIAS, 1);
        refused(set(b"gone", &wrong), MT5MQTT_E_INVALID_ARGUMENT, &["Topic Alias"]);
        refused(set(b"\xFF", &properties), MT5MQTT_E_PAYLOAD_FORMAT, &[]);
        abi().good(set("прощай".as_bytes(), &properties));
    });
    let Packet::Connect(connect) = connect.packet() else { panic!("no CONNECT") };
    let will = connect.will.expect("a Will Message");
    assert_eq!(
        (will.topic.as_str(), will.payload, will.qos, will.retain),
        ("will", "прощай".as_bytes(), QoS::AtLeastOnce, true)
    );
    let properties = will.properties;
    assert_eq!(properties.int(PropertyId::WillDelayInterval), Some(30));
    assert_eq!(properties.int(PropertyId::PayloadFormatIndicator), Some(1));
    assert_eq!(properties.int(PropertyId::MessageExpiryInterval), Some(60));
    assert_eq!(properties.text(PropertyId::ContentType), Some("text/plain"));
    assert_eq!(properties.text(PropertyId::ResponseTopic), Some("who"));
    assert_eq!(properties.binary(PropertyId::CorrelationData), Some(&[0, 255][..]));
    let pairs: Vec<_> =
        properties.iter().filter(|(id, _)| *id == PropertyId::UserProperty).map(|(_, pair)| pair).collect();
    assert_eq!(pairs, ["2", "1", "2"].map(|value| Value::Pair("n", value)));
}

#[test]
fn disconnect_changes_the_session_expiry_interval() {
    let (_server, client, mut peer) = Client::connected(&[(MT5MQTT_OPT_SESSION_EXPIRY_S, 10)]);
    let properties =
        Properties::new().int(MT5MQTT_PROP_SESSION_EXPIRY_INTERVAL, 7200).text(MT5MQTT_PROP_REASON_STRING, "night");
    let properties = properties.user("n", "1");
    abi().good(abi().disconnect(client.handle, 0x04, properties.handle, 0));
    let disconnect = peer.expect(PacketType::Disconnect);
    let Packet::Disconnect(disconnect) = disconnect.packet() else { panic!("no DISCONNECT") };
    assert_eq!(disconnect.reason, ReasonCode::DISCONNECT_WITH_WILL);
    assert_eq!(disconnect.properties.int(PropertyId::SessionExpiryInterval), Some(7200));
    assert_eq!(disconnect.properties.text(PropertyId::ReasonString), Some("night"));
    assert_eq!(disconnect.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair("n", "1")));
    // 3.14.2.2.2: what was to end with its connection can't be prolonged.
    let client = Client::new();
    client.set_int(MT5MQTT_OPT_SESSION_EXPIRY_S, 0);
    refused(abi().disconnect(client.handle, 0, properties.handle, 0), MT5MQTT_E_INVALID_ARGUMENT, &["prolong"]);
}

#[test]
fn a_subscription_has_all_its_options_and_a_message_names_each_that_it_belongs_to() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let properties = Properties::new().int(MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER, 268_435_455).user("n", "1");
    for (options, expected) in [
        (2 | MT5MQTT_SUBSCRIBE_NO_LOCAL, 0b00_0110),
        (1 | MT5MQTT_SUBSCRIBE_RETAIN_AS_PUBLISHED | MT5MQTT_SUBSCRIBE_RETAIN_IF_NEW, 0b01_1001),
        (MT5MQTT_SUBSCRIBE_RETAIN_NEVER, 0b10_0000),
    ] {
        abi().good(abi().subscribe(client.handle, c"t/+".as_ptr(), options, properties.handle));
        let received = peer.expect(PacketType::Subscribe);
        let Packet::Subscribe(subscribe) = received.packet() else { panic!("no SUBSCRIBE") };
        assert_eq!(subscribe.subscriptions[0].options.to_u8(), expected);
        assert_eq!(subscribe.properties.int(PropertyId::SubscriptionIdentifier), Some(268_435_455));
        assert_eq!(subscribe.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair("n", "1")));
        let (packet_id, properties) = (received.id(), explained());
        let reasons = vec![ReasonCode::QUOTA_EXCEEDED];
        peer.send(&Packet::Suback(Suback { packet_id, properties: properties.as_properties(), reasons }));
        let answer = client.expect(MT5MQTT_EVENT_SUBSCRIBED);
        assert_eq!((answer.status, answer.reason_code), (MT5MQTT_E_REFUSED_BY_SERVER, 0x97));
        assert_eq!(client.event_text(), "as you know");
        assert_explained(&client);
    }
    let mut sent = PropertiesBuf::new();
    for identifier in [7, 268_435_455, 7] {
        sent.add(PropertyId::SubscriptionIdentifier, Value::Int(identifier)).unwrap();
    }
    let message = Message::new(TopicName::new("t/x").unwrap(), b"x", QoS::AtMostOnce, true, sent.as_properties());
    peer.send(&Packet::Publish(message.publish(None, false)));
    assert_eq!(client.expect(MT5MQTT_EVENT_MESSAGE).retain, 1);
    let identifier = MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER;
    assert_eq!(abi().event_property_count(client.handle, identifier), 3);
    let identifiers = [0, 1, 2].map(|index| abi().event_property_int(client.handle, identifier, index));
    assert_eq!(identifiers, [7, 268_435_455, 7]);
}

#[test]
fn what_the_server_announces_is_told_and_kept() {
    let (mut server, client, mut peer, _) = asking(|_| ());
    peer.connack_with(false, |set| {
        explain(set);
        for (id, value) in [
            (PropertyId::ReceiveMaximum, 5),
            (PropertyId::MaximumQoS, 1),
            (PropertyId::RetainAvailable, 0),
            (PropertyId::MaximumPacketSize, 100),
            (PropertyId::TopicAliasMaximum, 3),
            (PropertyId::WildcardSubscriptionAvailable, 0),
            (PropertyId::SubscriptionIdentifierAvailable, 0),
            (PropertyId::SharedSubscriptionAvailable, 0),
            (PropertyId::ServerKeepAlive, 17),
            (PropertyId::SessionExpiryInterval, 99),
        ] {
            set.set(id, Value::Int(value)).unwrap();
        }
    });
    client.expect(MT5MQTT_EVENT_CONNECTED);
    assert_explained(&client);
    assert_eq!(client.text(MT5MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER), "assigned");
    let handle = client.handle;
    for (stat, value) in [
        (MT5MQTT_STAT_SERVER_RECEIVE_MAXIMUM, 5),
        (MT5MQTT_STAT_SERVER_MAXIMUM_QOS, 1),
        (MT5MQTT_STAT_SERVER_RETAIN_AVAILABLE, 0),
        (MT5MQTT_STAT_SERVER_MAXIMUM_PACKET_SIZE, 100),
        (MT5MQTT_STAT_SERVER_TOPIC_ALIAS_MAXIMUM, 3),
        (MT5MQTT_STAT_SERVER_WILDCARD_AVAILABLE, 0),
        (MT5MQTT_STAT_SERVER_SUBSCRIPTION_IDENTIFIER_AVAILABLE, 0),
        (MT5MQTT_STAT_SERVER_SHARED_AVAILABLE, 0),
        (MT5MQTT_STAT_SERVER_KEEP_ALIVE_S, 17),
        (MT5MQTT_STAT_SERVER_SESSION_EXPIRY_S, 99),
    ] {
        assert_eq!(abi().stat(handle, stat), value, "{stat}");
    }
    let lacking = MT5MQTT_E_NOT_SUPPORTED_BY_SERVER;
    let identified = Properties::new().int(MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER, 1);
    refused(abi().publish(handle, c"t".as_ptr(), null(), 0, 2, 0, 0), lacking, &["QoS 1"]);
    refused(abi().publish(handle, c"t".as_ptr(), null(), 0, 0, 1, 0), lacking, &["retained"]);
    let large = [0; 100];
    refused(abi().publish(handle, c"t".as_ptr(), large.as_ptr(), 100, 0, 0, 0), MT5MQTT_E_TOO_LARGE, &["100"]);
    refused(abi().subscribe(handle, c"t/+".as_ptr(), 0, 0), lacking, &["wildcards"]);
    refused(abi().subscribe(handle, c"t".as_ptr(), 0, identified.handle), lacking, &["Subscription Identifiers"]);
    refused(abi().subscribe(handle, c"$share/g/t".as_ptr(), 0, 0), lacking, &["Shared"]);
    // The Assigned Client Identifier is that of the next connection [MQTT-3.2.2-16].
    let properties = explained();
    let reason = ReasonCode::MAXIMUM_CONNECT_TIME;
    peer.send(&Packet::Disconnect(Disconnect { reason, properties: properties.as_properties() }));
    let ended = client.expect(MT5MQTT_EVENT_DISCONNECTED);
    assert_eq!((ended.status, ended.reason_code), (MT5MQTT_E_SERVER_DISCONNECTED, 0xA0));
    assert!(client.event_text().contains("as you know"));
    assert_explained(&client);
    let mut peer = server.accept();
    let connect = peer.expect(PacketType::Connect);
    let Packet::Connect(connect) = connect.packet() else { panic!("no CONNECT") };
    assert_eq!(connect.client_id, "assigned");
    // A refusal says as much.
    let mut properties = explained();
    properties.set(PropertyId::ServerReference, Value::Text("other.example:1883")).unwrap();
    let reason = ReasonCode::USE_ANOTHER_SERVER;
    peer.send(&Packet::Connack(Connack { session_present: false, reason, properties: properties.as_properties() }));
    let ended = client.expect(MT5MQTT_EVENT_DISCONNECTED);
    assert_eq!((ended.status, ended.reason_code), (MT5MQTT_E_REFUSED_BY_SERVER, 0x9C));
    assert_eq!(client.text(MT5MQTT_PROP_SERVER_REFERENCE), "other.example:1883");
    assert!(client.event_text().contains("SERVER_REFERENCE_HOSTS"), "{}", client.event_text());
    assert_explained(&client);
    let words = text(|buffer, capacity| abi().reason_code_text(ended.reason_code, buffer, capacity));
    assert!(words.contains("Use another server"), "{words}");
}

#[test]
fn what_the_server_says_with_connack_is_not_taken_for_an_assigned_client_identifier() {
    let (_server, client, mut peer, _) = asking(|client| client.set_text(MT5MQTT_OPT_CLIENT_ID, "own"));
    let properties = explained();
    let properties = properties.as_properties();
    peer.send(&Packet::Connack(Connack { session_present: false, reason: ReasonCode::SUCCESS, properties }));
    let event = client.expect(MT5MQTT_EVENT_CONNECTED);
    assert_eq!((event.text_size, client.event_text()), (0, String::new()));
    assert_explained(&client);
}

#[test]
fn the_server_explains_the_end_of_a_publish() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let token = client.publish(b"x", 1);
    let packet_id = peer.expect(PacketType::Publish).id();
    let (reason, properties) = (ReasonCode::QUOTA_EXCEEDED, explained());
    peer.send(&Packet::Puback(Ack { packet_id, reason, properties: properties.as_properties() }));
    let end = client.expect(MT5MQTT_EVENT_PUBLISHED);
    assert_eq!((end.token, end.status, end.reason_code), (token, MT5MQTT_E_REFUSED_BY_SERVER, 0x97));
    assert_eq!(client.event_text(), "as you know");
    assert_explained(&client);
}

#[test]
fn a_request_ends_with_its_response_and_another_one_in_time() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let properties = Properties::new().text(MT5MQTT_PROP_CONTENT_TYPE, "text/plain").user("n", "1");
    let request = |timeout_ms| {
        abi().good(abi().request(client.handle, c"ask".as_ptr(), b"?".as_ptr(), 1, 0, properties.handle, timeout_ms))
    };
    let token = request(10_000);
    peer.grant();
    let received = peer.expect_publish("?");
    let Packet::Publish(publish) = received.packet() else { panic!("no PUBLISH") };
    assert_eq!(publish.properties.text(PropertyId::ContentType), Some("text/plain"));
    assert_eq!(publish.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair("n", "1")));
    let topic = publish.properties.text(PropertyId::ResponseTopic).expect("a Response Topic");
    let correlation = publish.properties.binary(PropertyId::CorrelationData).expect("Correlation Data");
    let mut with = explained();
    with.remove(PropertyId::ReasonString);
    with.set(PropertyId::CorrelationData, Value::Binary(correlation)).unwrap();
    let message = Message::new(TopicName::new(topic).unwrap(), b"!", QoS::AtMostOnce, false, with.as_properties());
    peer.send(&Packet::Publish(message.publish(None, false)));
    let response = client.expect(MT5MQTT_EVENT_RESPONSE);
    assert_eq!((response.token, response.status, client.payload()), (token, 0, b"!".to_vec()));
    assert_eq!(client.user_properties().len(), 3);
    let token = request(1);
    let response = client.expect(MT5MQTT_EVENT_RESPONSE);
    assert_eq!((response.token, response.status), (token, MT5MQTT_E_TIMEOUT));
}

#[test]
fn a_response_goes_where_the_request_says() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let mut asked = PropertiesBuf::new();
    asked.set(PropertyId::ResponseTopic, Value::Text("answers/here")).unwrap();
    asked.set(PropertyId::CorrelationData, Value::Binary(&[0, 1, 255])).unwrap();
    let message = Message::new(TopicName::new("ask").unwrap(), b"?", QoS::AtMostOnce, false, asked.as_properties());
    peer.send(&Packet::Publish(message.publish(None, false)));
    client.expect(MT5MQTT_EVENT_MESSAGE);
    let properties = Properties::new().user("n", "1");
    abi().good(abi().respond(client.handle, b"!".as_ptr(), 1, 0, properties.handle));
    let received = peer.expect_publish("!");
    let Packet::Publish(publish) = received.packet() else { panic!("no PUBLISH") };
    assert_eq!(publish.topic.map(TopicName::as_str), Some("answers/here"));
    assert_eq!(publish.properties.binary(PropertyId::CorrelationData), Some(&[0, 1, 255][..]));
    assert_eq!(publish.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair("n", "1")));
    peer.publish(b"no question", None, QoS::AtMostOnce);
    client.expect(MT5MQTT_EVENT_MESSAGE);
    refused(abi().respond(client.handle, null(), 0, 0, 0), MT5MQTT_E_NOT_PRESENT, &[]);
}

#[test]
fn what_a_set_says_about_waiting_holds_for_a_response_and_is_refused_for_a_request() {
    let (_server, client, mut peer) = Client::connected(&[]);
    let properties = Properties::new();
    abi().good(abi().properties_set_time_to_live(properties.handle, 4001));
    let mut asked = PropertiesBuf::new();
    asked.set(PropertyId::ResponseTopic, Value::Text("answers")).unwrap();
    let message = Message::new(TopicName::new("ask").unwrap(), b"?", QoS::AtMostOnce, false, asked.as_properties());
    peer.send(&Packet::Publish(message.publish(None, false)));
    client.expect(MT5MQTT_EVENT_MESSAGE);
    abi().good(abi().respond(client.handle, b"!".as_ptr(), 1, 0, properties.handle));
    let received = peer.expect_publish("!");
    let Packet::Publish(publish) = received.packet() else { panic!("no PUBLISH") };
    assert_eq!(publish.properties.int(PropertyId::MessageExpiryInterval), Some(5));
    let request = abi().request(client.handle, c"ask".as_ptr(), null(), 0, 0, properties.handle, 10_000);
    refused(request, MT5MQTT_E_INVALID_ARGUMENT, &["time to live"]);
    for time in [-1, 0, i32::MIN] {
        let request = abi().request(client.handle, c"ask".as_ptr(), null(), 0, 0, 0, time);
        refused(request, MT5MQTT_E_OUT_OF_RANGE, &["from 1 ms to 86400 s"]);
    }
}

#[test]
fn an_authentication_takes_any_number_of_rounds_and_can_be_repeated() {
    // MQTT-4.12.0-3, MQTT-4.12.1-1
    let named = |data: &[u8]| {
        let mut set = explained();
        set.set(PropertyId::AuthenticationMethod, Value::Text("m")).unwrap();
        set.set(PropertyId::AuthenticationData, Value::Binary(data)).unwrap();
        set
    };
    let send_auth = |peer: &mut Peer, reason, data: &[u8]| {
        let properties = named(data);
        peer.send(&Packet::Auth(Auth { reason, properties: properties.as_properties() }));
    };
    let expect_auth = |peer: &mut Peer, reason, data: &[u8]| {
        let received = peer.expect(PacketType::Auth);
        let Packet::Auth(auth) = received.packet() else { panic!("no AUTH") };
        assert_eq!((auth.reason, auth.properties.binary(PropertyId::AuthenticationData)), (reason, Some(data)));
        assert_eq!(auth.properties.text(PropertyId::AuthenticationMethod), Some("m"));
        assert_eq!(auth.properties.text(PropertyId::ReasonString), Some("because"));
        assert_eq!(auth.properties.nth(PropertyId::UserProperty, 0), Some(Value::Pair("n", "1")));
    };
    let (_server, client, mut peer, connect) = asking(|client| {
        client.set_text(MT5MQTT_OPT_AUTHENTICATION_METHOD, "m");
        abi().good(abi().set_bytes(client.handle, MT5MQTT_OPT_AUTHENTICATION_DATA, b"\0hello".as_ptr(), 6));
    });
    let Packet::Connect(connect) = connect.packet() else { panic!("no CONNECT") };
    assert_eq!(connect.properties.binary(PropertyId::AuthenticationData), Some(&b"\0hello"[..]));
    let because = Properties::new().text(MT5MQTT_PROP_REASON_STRING, "because").user("n", "1");
    let proceed = ReasonCode::CONTINUE_AUTHENTICATION;
    let round = |peer: &mut Peer, number: u8| {
        send_auth(peer, proceed, &[number]);
        assert_eq!(client.expect(MT5MQTT_EVENT_AUTHENTICATE).reason_code, 0x18);
        assert_eq!(client.payload(), [number]);
        assert_explained(&client);
        abi().good(abi().authenticate(client.handle, [number, 0].as_ptr(), 2, because.handle));
        expect_auth(peer, proceed, &[number, 0]);
    };
    for number in 0..5 {
        round(&mut peer, number);
    }
    peer.connack_with(false, |set| set.extend(named(b"welcome").as_properties()));
    client.expect(MT5MQTT_EVENT_CONNECTED);
    let mut data = [0; 8];
    let property = MT5MQTT_PROP_AUTHENTICATION_DATA;
    assert_eq!(abi().event_property_bytes(client.handle, property, 0, data.as_mut_ptr(), 8), 7);
    refused(abi().authenticate(client.handle, null(), 0, 0), MT5MQTT_E_WRONG_STATE, &["no step"]);
    abi().good(abi().reauthenticate(client.handle, b"again".as_ptr(), 5, because.handle));
    expect_auth(&mut peer, ReasonCode::RE_AUTHENTICATE, b"again");
    round(&mut peer, 9);
    send_auth(&mut peer, ReasonCode::SUCCESS, b"still welcome");
    client.expect(MT5MQTT_EVENT_AUTHENTICATED);
    assert_eq!(client.payload(), b"still welcome");
}
