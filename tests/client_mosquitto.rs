//! The client with a real Server, Mosquitto, in both protocol versions; `mosquitto_pub` and `mosquitto_sub` are the other
//! side.

mod common;

use common::mosquitto::Mosquitto;
use common::program::Program;
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::event::{Event, Token};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

const ALL_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// Runs a test in both protocol versions, with the option's value and the name that Mosquitto's programs have for it.
fn in_both_versions(test: impl Fn(i64, &str)) {
    if tools::find("mosquitto").is_none() || tools::find("mosquitto_sub").is_none() {
        return tools::leave_out("the client with a real Server", "mosquitto and mosquitto-clients");
    }
    test(4, "mqttv311");
    test(5, "mqttv5");
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(15)
}

fn client(server: &Mosquitto, client_id: &str, ints: &[(IntOption, i64)]) -> Program {
    let program = Program::new(&server.url(), &[(IntOption::ReconnectMaximum, 50)]);
    program.set_text(options::CLIENT_ID, client_id);
    for (option, value) in ints {
        program.set_int(*option, *value);
    }
    program
}

fn publish(program: &Program, topic: &str, payload: &str, qos: QoS, retain: bool) -> Token {
    let topic = TopicName::new(topic).unwrap();
    program.publish(topic, payload.as_bytes(), qos, retain, Properties::EMPTY).expect("an accepted publish")
}

#[test]
fn every_qos_arrives_in_both_directions() {
    in_both_versions(|version, name| {
        let server = Mosquitto::start().expect("mosquitto");
        let program = client(&server, "trader", &[(IntOption::ProtocolVersion, version)]);
        program.connect().unwrap();
        assert!(!program.expect_connected());
        let token = program.subscribe_to("to/client/#", QoS::ExactlyOnce);
        program.expect_subscribed(token);
        let other = server.subscribe(&["-V", name, "-t", "to/other/#", "-q", "2", "-F", "%q %t %p"]);
        for qos in ALL_QOS {
            let number = (qos as u8).to_string();
            let token = publish(&program, &format!("to/other/{number}"), "цена 价格 📈", qos, false);
            assert_eq!(other.line(soon()), format!("{number} to/other/{number} цена 价格 📈"));
            if qos != QoS::AtMostOnce {
                assert_eq!(program.expect_published(token).failure, None);
            }
            let topic = format!("to/client/{number}");
            server.publish(&["-V", name, "-t", &topic, "-m", "сделка", "-q", &number]);
            let (message, delivery) = program.expect_message();
            assert_eq!((message.topic().as_str(), message.payload()), (topic.as_str(), "сделка".as_bytes()));
            assert_eq!((message.qos, delivery.is_some()), (qos, qos != QoS::AtMostOnce));
        }
        program.disconnect_now(Duration::from_secs(2));
        assert_eq!(program.expect_disconnected().failure, None);
    });
}

#[test]
fn a_thousand_messages_of_each_qos_come_back_complete_and_in_order() {
    // MQTT311-7.1.2-1
    in_both_versions(|version, _| {
        let server = Mosquitto::start().expect("mosquitto");
        let program = client(&server, "echo", &[(IntOption::ProtocolVersion, version)]);
        program.connect().unwrap();
        program.expect_connected();
        let token = program.subscribe_to("t", QoS::ExactlyOnce);
        program.expect_subscribed(token);
        for qos in ALL_QOS {
            for number in 0..1000 {
                program.send(&number.to_string(), qos);
            }
            let mut next = 0;
            while next < 1000 {
                match program.event("the messages that come back") {
                    Event::Message { message, .. } => {
                        assert_eq!(message.payload(), next.to_string().as_bytes(), "{qos:?}");
                        next += 1;
                    }
                    Event::Published { outcome, .. } => assert_eq!(outcome.failure, None),
                    other => panic!("{other:?}"),
                }
            }
        }
    });
}

#[test]
fn a_program_that_is_slower_than_the_messages_come_loses_neither_them_nor_its_connection() {
    // MQTT-3.3.4-9: while messages wait at Mosquitto 2.0.11, it sends as many as our Receive Maximum for each acknowledgement.
    in_both_versions(|version, _| {
        let server = Mosquitto::start().expect("mosquitto");
        let options = [(IntOption::ProtocolVersion, version), (IntOption::ReceiveMaximum, 10)];
        let program = client(&server, "slow", &options);
        program.connect().unwrap();
        program.expect_connected();
        let token = program.subscribe_to("t", QoS::ExactlyOnce);
        program.expect_subscribed(token);
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let lines: String = (0..100).map(|number| format!("{number}\n")).collect();
            server.publish_lines("t", qos, &lines);
            for number in 0..100 {
                // What an acknowledgement brings comes before the next one.
                std::thread::sleep(Duration::from_millis(2));
                program.expect_payload_of_many(&number.to_string());
            }
        }
        program.expect_nothing();
    });
}

#[test]
fn a_retained_message_waits_for_the_subscriber() {
    in_both_versions(|version, name| {
        let server = Mosquitto::start().expect("mosquitto");
        let program = client(&server, "trader", &[(IntOption::ProtocolVersion, version)]);
        program.connect().unwrap();
        program.expect_connected();
        let token = publish(&program, "state", "kept", QoS::AtLeastOnce, true);
        assert_eq!(program.expect_published(token).failure, None);
        let other = server.subscribe(&["-V", name, "-t", "state", "-F", "%r %p"]);
        assert_eq!(other.line(soon()), "1 kept");
        server.publish(&["-V", name, "-t", "other/state", "-m", "theirs", "-r", "-q", "1"]);
        let token = program.subscribe_to("other/state", QoS::AtLeastOnce);
        let mut retained = None;
        for _ in 0..2 {
            match program.event("the message and the SUBACK, in either order") {
                Event::Message { message, .. } => retained = Some(message),
                Event::Subscribed { token: subscribed, .. } => assert_eq!(subscribed, token),
                other => panic!("{other:?}"),
            }
        }
        let retained = retained.expect("the retained message");
        assert!(retained.retain && retained.payload() == b"theirs");
    });
}

#[test]
fn the_will_is_published_when_the_connection_is_cut_and_not_when_it_is_ended() {
    in_both_versions(|version, name| {
        let server = Mosquitto::start().expect("mosquitto");
        let other = server.subscribe(&["-V", name, "-t", "will/#", "-F", "%t %p"]);
        let with_will = |client_id: &str| {
            let program = client(&server, client_id, &[(IntOption::ProtocolVersion, version)]);
            let topic = format!("will/{client_id}");
            let topic = TopicName::new(&topic).unwrap();
            let message = Message::new(topic, b"gone", QoS::AtLeastOnce, false, Properties::EMPTY);
            program.set_option(|options, idle| options.set_will(Some((message, PropertiesBuf::new())), idle)).unwrap();
            program.connect().unwrap();
            program.expect_connected();
            program
        };
        let ended = with_will("ended");
        let freed = with_will("freed");
        let cut = with_will("cut");
        ended.disconnect_now(Duration::from_secs(2));
        freed.free();
        cut.panic_in_background();
        assert_eq!(other.line(soon()), "will/cut gone", "the only Will Message");
        server.publish(&["-V", name, "-t", "will/none", "-m", "end"]);
        assert_eq!(other.line(soon()), "will/none end");
    });
}

/// What a trader relies on: the Server dies and comes back, and every order that was accepted arrives.
fn killed_and_restarted(version: i64, name: &str, persistent: bool) {
    let mut server = Mosquitto::start_with("autosave_interval 0\n").expect("mosquitto");
    // In MQTT 3.1.1 a Session that begins with Clean Session ends with its connection.
    let ints = [(IntOption::ProtocolVersion, version), (IntOption::CleanStart, i64::from(!persistent))];
    let program = client(&server, "trader", &ints);
    program.connect().unwrap();
    program.expect_connected();
    let token = program.subscribe_to("to/client", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    if persistent {
        // Mosquitto saves its Sessions in an orderly end.
        server.stop();
        server.restart();
        while !matches!(program.event("the saved Session"), Event::Connected { session_present: true, .. }) {}
    }
    let mut open: HashMap<Token, i32> = HashMap::new();
    for number in 0..50 {
        open.insert(publish(&program, "to/other", &number.to_string(), QoS::AtLeastOnce, false), number);
    }
    server.kill();
    for number in 50..100 {
        open.insert(publish(&program, "to/other", &number.to_string(), QoS::AtLeastOnce, false), number);
    }
    server.restart();
    let mut session_present = None;
    let mut lost = 0;
    while !open.is_empty() || session_present.is_none() {
        match program.event("the outcomes of all publishes, over the Server's death") {
            Event::Published { token, outcome } => {
                assert!(open.remove(&token).is_some(), "a second outcome for {token}");
                assert_eq!(outcome.failure, None);
            }
            Event::Connected { session_present: present, .. } => session_present = Some(present),
            Event::Disconnected(_) => lost += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(lost >= 1);
    assert_eq!(session_present, Some(persistent));
    // The subscription is in force again, however it came about.
    let deadline = soon();
    loop {
        server.publish(&["-V", name, "-t", "to/client", "-m", "after", "-q", "1"]);
        if let Some(Event::Message { message, .. }) = program.event_within(Duration::from_millis(300)) {
            assert_eq!(message.payload(), b"after");
            break;
        }
        assert!(Instant::now() < deadline, "no message after the restart");
    }
}

#[test]
fn a_server_that_is_killed_and_forgets_the_session_gets_subscriptions_and_messages_again() {
    in_both_versions(|version, name| killed_and_restarted(version, name, false));
}

#[test]
fn a_server_that_is_killed_and_has_saved_the_session_resumes_it() {
    in_both_versions(|version, name| killed_and_restarted(version, name, true));
}

#[test]
fn user_name_and_password_are_accepted_or_refused() {
    in_both_versions(|version, _| {
        let Some(passwd) = tools::find("mosquitto_passwd") else {
            return tools::leave_out("user name and password", "mosquitto_passwd");
        };
        let file = std::env::temp_dir().join(format!("mt5mqtt-passwords-{}-{version}", std::process::id()));
        tools::run(std::process::Command::new(passwd).args(["-b", "-c"]).arg(&file).args(["trader", "secret"]));
        let config = format!("allow_anonymous false\npassword_file {}\n", file.display());
        let server = Mosquitto::start_with(&config).expect("mosquitto");
        let with = |credentials: Option<(&str, &str)>| {
            let ints = [(IntOption::ProtocolVersion, version), (IntOption::Reconnect, 0)];
            let program = client(&server, "trader", &ints);
            if let Some((user_name, password)) = credentials {
                program.set_text(options::USER_NAME, user_name);
                program.set_text(options::PASSWORD, password);
            }
            program.connect().unwrap();
            program
        };
        with(Some(("trader", "secret"))).expect_connected();
        for wrong in [Some(("trader", "wrong")), Some(("nobody", "secret")), None] {
            let end = with(wrong).expect_disconnected();
            assert_eq!(
                (end.failure, end.reason),
                (Some(Status::RefusedByServer), Some(ReasonCode::NOT_AUTHORIZED)),
                "{}",
                end.detail
            );
            // Mosquitto has one answer for everything; the text says what it mostly is.
            assert!(end.detail.contains("Check USER_NAME and PASSWORD"), "{}", end.detail);
            assert!(!end.detail.contains("secret") && !end.detail.contains("wrong"), "{}", end.detail);
        }
        fs::remove_file(file).unwrap();
    });
}

#[test]
fn a_second_client_with_the_same_identifier_takes_the_session_over() {
    in_both_versions(|version, _| {
        let server = Mosquitto::start().expect("mosquitto");
        let ints = [(IntOption::ProtocolVersion, version), (IntOption::Reconnect, 0)];
        let first = client(&server, "same", &ints);
        first.connect().unwrap();
        first.expect_connected();
        let second = client(&server, "same", &ints);
        second.connect().unwrap();
        second.expect_connected();
        let end = first.expect_disconnected();
        // Not every Mosquitto says why it closes the connection; tests with the scripted Server cover one that does.
        match end.reason {
            None => {
                assert_eq!(end.failure, Some(Status::ConnectionClosed));
                assert!(end.detail.contains("may have the same Client Identifier"), "{}", end.detail);
            }
            Some(reason) => assert_eq!((version, reason), (5, ReasonCode::SESSION_TAKEN_OVER)),
        }
        second.expect_nothing();
    });
}

#[test]
fn properties_travel_to_another_client_and_back() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("properties with a real Server", "mosquitto");
    }
    let server = Mosquitto::start().expect("mosquitto");
    let program = client(&server, "trader", &[]);
    program.connect().unwrap();
    program.expect_connected();
    let token = program.subscribe_to("t", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::ContentType, Value::Text("application/json")).unwrap();
    properties.set(PropertyId::CorrelationData, Value::Binary(&[0, 255])).unwrap();
    properties.add(PropertyId::UserProperty, Value::Pair("счёт", "1")).unwrap();
    properties.add(PropertyId::UserProperty, Value::Pair("счёт", "2")).unwrap();
    let topic = TopicName::new("t").unwrap();
    program.publish(topic, b"{}", QoS::AtMostOnce, false, properties.as_properties()).unwrap();
    let (message, _) = program.expect_message();
    let received = message.properties();
    assert_eq!(received.text(PropertyId::ContentType), Some("application/json"));
    assert_eq!(received.binary(PropertyId::CorrelationData), Some(&[0, 255][..]));
    assert_eq!(received.nth(PropertyId::UserProperty, 1), Some(Value::Pair("счёт", "2")));
}
