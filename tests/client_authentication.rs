//! Enhanced Authentication between a program and a Server (section 4.12).

mod common;

use common::authentication::{expect_data, named, send_auth};
use common::fake_server::FakeServer;
use common::program::Program;
use common::scram_server::ScramServer;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::property::{Properties, PropertyId};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

const SCRAM: &str = "SCRAM-SHA-256";

#[track_caller]
fn expect_step(program: &Program, data: &[u8]) {
    match program.event("a step of the authentication") {
        Event::Authenticate { properties, .. } => {
            assert_eq!(properties.as_properties().binary(PropertyId::AuthenticationData), Some(data));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_answers_as_often_as_it_is_asked() {
    // MQTT-4.12.0-3, MQTT-4.12.1-1
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    program.set_text(options::AUTHENTICATION_METHOD, "m");
    program.set_text(options::AUTHENTICATION_DATA, "hello");
    program.connect().unwrap();
    let mut peer = server.accept();
    assert_eq!(expect_data(&mut peer, PacketType::Connect), b"hello");
    for round in [b"1", b"2"] {
        send_auth(&mut peer, ReasonCode::CONTINUE_AUTHENTICATION, "m", round);
        expect_step(&program, round);
        program.authenticate(Some(round), Properties::EMPTY).unwrap();
        assert_eq!(expect_data(&mut peer, PacketType::Auth), round);
    }
    peer.connack_with(false, |set| named(set, "m", b"welcome"));
    program.expect_connected();
    // That event asks for nothing.
    assert_eq!(program.authenticate(None, Properties::EMPTY).unwrap_err().status, Status::WrongState);
    program.reauthenticate(Some(b"again"), Properties::EMPTY).unwrap();
    assert_eq!(expect_data(&mut peer, PacketType::Auth), b"again");
    send_auth(&mut peer, ReasonCode::SUCCESS, "m", b"");
    assert!(matches!(program.event("success"), Event::Authenticated { .. }));
}

fn by_scram(server: &FakeServer, password: &str) -> Program {
    let program = Program::new(&server.url(), &[(IntOption::ReconnectMaximum, 60_000)]);
    program.set_text(options::AUTHENTICATION_METHOD, SCRAM);
    program.set_text(options::USER_NAME, "user");
    program.set_text(options::PASSWORD, password);
    program.connect().unwrap();
    program
}

#[test]
fn scram_needs_no_more_than_user_name_and_password() {
    // RFC 7677
    let mut server = FakeServer::start();
    let program = by_scram(&server, "pencil");
    let mut peer = server.accept();
    let scram = ScramServer::new(&expect_data(&mut peer, PacketType::Connect));
    send_auth(&mut peer, ReasonCode::CONTINUE_AUTHENTICATION, SCRAM, scram.first.as_bytes());
    let proof = scram.last(&expect_data(&mut peer, PacketType::Auth));
    peer.connack_with(false, |set| named(set, SCRAM, proof.as_bytes()));
    program.expect_connected();
    program.reauthenticate(None, Properties::EMPTY).unwrap();
    let scram = ScramServer::new(&expect_data(&mut peer, PacketType::Auth));
    send_auth(&mut peer, ReasonCode::CONTINUE_AUTHENTICATION, SCRAM, scram.first.as_bytes());
    let proof = scram.last(&expect_data(&mut peer, PacketType::Auth));
    send_auth(&mut peer, ReasonCode::SUCCESS, SCRAM, proof.as_bytes());
    assert!(matches!(program.event("success"), Event::Authenticated { .. }));
}

#[test]
fn a_server_without_the_password_is_left() {
    let mut server = FakeServer::start();
    let program = by_scram(&server, "pencil");
    let mut peer = server.accept();
    let scram = ScramServer::new(&expect_data(&mut peer, PacketType::Connect));
    send_auth(&mut peer, ReasonCode::CONTINUE_AUTHENTICATION, SCRAM, scram.first.as_bytes());
    peer.expect(PacketType::Auth);
    peer.connack_with(false, |set| named(set, SCRAM, b"v=AAAA"));
    peer.expect_close(&[PacketType::Disconnect]);
    peer.close();
    assert_eq!(program.expect_disconnected().failure, Some(Status::AuthenticationFailed));
}

#[test]
fn what_does_not_go_together_is_refused_before_the_connection() {
    let refused = |set: &dyn Fn(&Program)| {
        let program = Program::new("mqtt://127.0.0.1:1", &[]);
        set(&program);
        program.connect().unwrap_err().status
    };
    assert_eq!(refused(&|program| program.set_text(options::AUTHENTICATION_DATA, "x")), Status::WrongState);
    assert_eq!(refused(&|program| program.set_text(options::AUTHENTICATION_METHOD, SCRAM)), Status::WrongState);
    let in_old_version = |option, value| {
        move |program: &Program| {
            program.set_text(options::AUTHENTICATION_METHOD, "m");
            program.set_int(option, value);
        }
    };
    assert_eq!(refused(&in_old_version(IntOption::ProtocolVersion, 4)), Status::WrongState);
    assert_eq!(refused(&in_old_version(IntOption::ProtocolFallback, 1)), Status::WrongState);
    // MQTT-4.12.0-7
    let program = Program::new("mqtt://127.0.0.1:1", &[]);
    assert_eq!(program.reauthenticate(None, Properties::EMPTY).unwrap_err().status, Status::WrongState);
}

#[test]
fn a_program_that_does_not_answer_is_not_waited_for() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::ConnectTimeout, 200)]);
    program.set_text(options::AUTHENTICATION_METHOD, "m");
    program.connect().unwrap();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    send_auth(&mut peer, ReasonCode::CONTINUE_AUTHENTICATION, "m", b"?");
    expect_step(&program, b"?");
    match program.event_within(Duration::from_secs(15)) {
        Some(Event::Disconnected(end)) => assert_eq!(end.failure, Some(Status::ConnectTimeout)),
        other => panic!("{other:?}"),
    }
}
