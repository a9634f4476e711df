//! What Mosquitto 2.0.11 does against the standard: it costs a program neither its connection nor a message.

mod common;

use common::mosquitto::Mosquitto;
use common::program::Program;
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;

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
