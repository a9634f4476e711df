//! What Mosquitto 2.0.11 does against the standard: it costs a program neither its connection nor a message.

mod common;

use common::mosquitto::Mosquitto;
use common::program::Program;
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::property::PropertiesBuf;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicFilter;

fn mosquitto(config: &str) -> Option<Mosquitto> {
    let server = Mosquitto::start_with(config);
    if server.is_none() {
        tools::leave_out("the faults of a real Server", "mosquitto and mosquitto-clients");
    }
    server
}

fn connected(server: &Mosquitto, ints: &[(IntOption, i64)]) -> Program {
    let program = Program::new(&server.url(), &[(IntOption::ReconnectMaximum, 50)]);
    program.set_text(options::CLIENT_ID, "trader");
    for (option, value) in ints {
        program.set_int(*option, *value);
    }
    program.connect().unwrap();
    program.expect_connected();
    program
}

#[track_caller]
fn expect_breach(program: &Program, breach: Breach) {
    match program.event("a breach") {
        Event::Breach(found) => assert_eq!(found, breach),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_above_message_size_limit_is_refused_and_ends_no_connection() {
    // MQTT-3.4.2-1, MQTT-3.5.2-1: it is refused with 0x95, which neither PUBACK nor PUBREC can have.
    let Some(server) = mosquitto("message_size_limit 100\n") else { return };
    let program = connected(&server, &[]);
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let token = program.send(&"x".repeat(101), qos);
        if qos == QoS::AtLeastOnce {
            expect_breach(&program, Breach::ReasonCode);
        }
        let outcome = program.expect_published(token);
        assert_eq!(outcome.failure, Some(Status::RefusedByServer));
        assert_eq!(outcome.reason, Some(ReasonCode::PACKET_TOO_LARGE));
        let token = program.send(&"x".repeat(100), qos);
        assert_eq!(program.expect_published(token).failure, None);
    }
    program.expect_nothing();
}

#[test]
fn a_packet_that_is_larger_by_its_fixed_header_than_our_maximum_packet_size_is_taken() {
    // MQTT-3.1.2-24
    let Some(server) = mosquitto("") else { return };
    const MAXIMUM: usize = 200;
    let program = connected(&server, &[(IntOption::MaximumPacketSize, MAXIMUM as i64)]);
    let token = program.subscribe_to("t", QoS::ExactlyOnce);
    program.expect_subscribed(token);
    let mut told = false;
    for size in MAXIMUM - 20..MAXIMUM + 20 {
        let payload = "x".repeat(size);
        server.publish(&["-t", "t", "-q", "1", "-m", &payload]);
        server.publish(&["-t", "t", "-q", "1", "-m", "next"]);
        loop {
            match program.event("a message") {
                Event::Breach(Breach::MaximumPacketSize) => told = true,
                Event::Message { message, .. } if message.payload() == b"next" => break,
                Event::Message { message, .. } => assert_eq!(message.payload().len(), size),
                other => panic!("{size}: {other:?}"),
            }
        }
    }
    assert!(told);
}

#[test]
fn a_server_that_comes_back_from_a_crash_with_the_subscriptions_of_before_gets_those_of_now() {
    // Mosquitto saves what it has each half an hour, and comes back from a crash with a Session from before the subscription.
    let Some(mut server) = mosquitto("") else { return };
    // It saves the Sessions of those that came without Clean Start, and no others.
    let program = connected(&server, &[(IntOption::CleanStart, 0)]);
    let token = program.subscribe_to("before", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    let token = program.subscribe_to("ended", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    server.save();
    let token = program.subscribe_to("since", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    program.client.unsubscribe(TopicFilter::new("ended").unwrap(), PropertiesBuf::new()).unwrap();
    assert!(matches!(program.event("the end"), Event::Unsubscribed { .. }));
    server.restart();
    loop {
        match program.event("the connection") {
            Event::Disconnected(_) => {}
            Event::Connected { session_present, .. } => break assert!(session_present, "the Session of before"),
            other => panic!("{other:?}"),
        }
    }
    server.wait_for_log(" 1 since");
    // Its answer shows that all before it is done.
    let token = program.subscribe_to("last", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    for topic in ["ended", "before", "since"] {
        server.publish(&["-t", topic, "-q", "1", "-m", topic]);
        if topic != "ended" {
            program.expect_payload(topic);
        }
    }
}
