//! The doctor and what only a scripted Server does: Enhanced Authentication, which the program answers itself or leaves
//! unanswered, and every limit that a Server can announce.

mod common;

use common::authentication::{expect_data, named, send_auth};
use common::fake_server::{FakeServer, Peer};
use common::program::Program;
use common::scram_server::ScramServer;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::property::{Properties, PropertyId, Value};
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::{Duration, Instant};

fn ask(peer: &mut Peer, method: &str, data: &[u8]) {
    send_auth(peer, ReasonCode::CONTINUE_AUTHENTICATION, method, data);
}

/// The report up to where the Server has accepted, or to its end; each step is answered by `answer`.
fn report(program: &Program, answer: impl Fn(&Program, &[u8])) -> (Vec<String>, Option<Status>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut lines = Vec::new();
    loop {
        let polled = program.poll(|notice| match &notice.kind {
            NoticeKind::Doctor { line, end } => Ok((line.clone(), end.and_then(Result::err), end.is_some())),
            NoticeKind::DoctorAsks { properties, .. } => {
                Err(properties.as_properties().binary(PropertyId::AuthenticationData).unwrap_or_default().to_vec())
            }
            other => panic!("nothing else happens: {other:?}"),
        });
        match polled.expect("a client that lives") {
            Some(Ok((line, failure, is_end))) => {
                lines.push(line);
                if is_end || lines.last().is_some_and(|line| line.contains("accepted the connection (CONNACK)")) {
                    return (lines, failure);
                }
            }
            Some(Err(data)) => answer(program, &data),
            None => {
                assert!(Instant::now() < deadline, "no end of the report: {lines:#?}");
                program.wait(Duration::from_millis(250)).unwrap();
            }
        }
    }
}

fn program(server: &FakeServer, method: &str, ints: &[(IntOption, i64)]) -> Program {
    let program = Program::new(&server.url(), ints);
    program.set_text(options::AUTHENTICATION_METHOD, method);
    program
}

#[test]
fn the_program_answers_for_the_doctor_as_for_itself() {
    let mut server = FakeServer::start();
    let program = program(&server, "m", &[]);
    program.set_text(options::AUTHENTICATION_DATA, "s3cret-first");
    program.start_doctor().unwrap();
    let script = std::thread::spawn(move || {
        let mut peer = server.accept();
        assert_eq!(expect_data(&mut peer, PacketType::Connect), b"s3cret-first");
        for round in [b"s3cret-1", b"s3cret-2"] {
            ask(&mut peer, "m", round);
            assert_eq!(expect_data(&mut peer, PacketType::Auth), round, "the program sends back what it is asked");
        }
        peer.connack_with(false, |set| named(set, "m", b"welcome"));
        (server, peer)
    });
    let answer = |program: &Program, data: &[u8]| program.authenticate(Some(data), Properties::EMPTY).unwrap();
    let (lines, failure) = report(&program, answer);
    assert_eq!(failure, None, "{lines:#?}");
    let _held = script.join().expect("the Server's script");
    let asked =
        lines.iter().filter(|line| line.contains("with Authentication Method m, which the program has to answer"));
    assert_eq!(asked.count(), 2, "{lines:#?}");
    assert!(!lines.concat().contains("s3cret"), "{lines:#?}");
    // An answer that comes too late does nothing; the program's own client was never asked.
    program.free();
}

#[test]
fn a_step_that_nobody_answers_is_told_of_as_not_tried() {
    let mut server = FakeServer::start();
    let program = program(&server, "m", &[(IntOption::ConnectTimeout, 300)]);
    program.start_doctor().unwrap();
    let mut peer = server.accept();
    expect_data(&mut peer, PacketType::Connect);
    ask(&mut peer, "m", b"?");
    let (lines, failure) = report(&program, |_, data| assert_eq!(data, b"?"));
    assert_eq!(failure, Some(Status::ConnectTimeout), "{lines:#?}");
    let text = lines.concat();
    for words in [
        "FAILED: the Server asked for Authentication Data, and nobody answered in time",
        "What to do: the connection is good up to this step, and the rest of it was not tried",
        "MT5MQTT_EVENT_AUTHENTICATE",
    ] {
        assert!(text.contains(words), "'{words}' is missing: {lines:#?}");
    }
    // Its question is over.
    program.authenticate(Some(b"late"), Properties::EMPTY).unwrap_err();
}

#[test]
fn a_server_that_does_not_answer_the_answer_is_the_one_to_blame() {
    let mut server = FakeServer::start();
    let program = program(&server, "m", &[(IntOption::ConnectTimeout, 1000)]);
    program.start_doctor().unwrap();
    let mut peer = server.accept();
    expect_data(&mut peer, PacketType::Connect);
    ask(&mut peer, "m", b"?");
    let answer = |program: &Program, data: &[u8]| program.authenticate(Some(data), Properties::EMPTY).unwrap();
    let (lines, failure) = report(&program, answer);
    assert_eq!(failure, Some(Status::ConnectTimeout), "{lines:#?}");
    assert!(!lines.concat().contains("nobody answered"), "{lines:#?}");
}

#[test]
fn scram_needs_no_answer_of_the_program() {
    const SCRAM: &str = "SCRAM-SHA-256";
    let mut server = FakeServer::start();
    let program = program(&server, SCRAM, &[]);
    program.set_text(options::USER_NAME, "user");
    program.set_text(options::PASSWORD, "pencil");
    program.start_doctor().unwrap();
    let mut peer = server.accept();
    let scram = ScramServer::new(&expect_data(&mut peer, PacketType::Connect));
    ask(&mut peer, SCRAM, scram.first.as_bytes());
    let proof = scram.last(&expect_data(&mut peer, PacketType::Auth));
    peer.connack_with(false, |set| named(set, SCRAM, proof.as_bytes()));
    let (lines, failure) = report(&program, |_, _| panic!("the program is asked"));
    assert_eq!(failure, None, "{lines:#?}");
    assert!(lines.concat().contains("accepted the connection"), "{lines:#?}");
}

#[test]
fn the_limits_that_the_server_announces_are_told() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    program.start_doctor().unwrap();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |set| {
        for (id, value) in [
            (PropertyId::ReceiveMaximum, 7),
            (PropertyId::MaximumQoS, 0),
            (PropertyId::RetainAvailable, 0),
            (PropertyId::MaximumPacketSize, 5000),
            (PropertyId::TopicAliasMaximum, 3),
            (PropertyId::WildcardSubscriptionAvailable, 0),
            (PropertyId::SharedSubscriptionAvailable, 0),
            (PropertyId::SubscriptionIdentifierAvailable, 0),
            (PropertyId::ServerKeepAlive, 11),
        ] {
            set.set(id, Value::Int(value)).unwrap();
        }
    });
    // The Server accepts no more than that, and nobody reads on.
    let filter = peer.expect(PacketType::Subscribe);
    drop(filter);
    peer.close();
    let mut lines = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(15);
    while !lines.iter().any(|line: &String| line.contains("FAILED: ")) {
        let polled = program.poll(|notice| match &notice.kind {
            NoticeKind::Doctor { line, .. } => line.clone(),
            other => panic!("nothing else happens: {other:?}"),
        });
        match polled.expect("a client that lives") {
            Some(line) => lines.push(line),
            None => assert!(Instant::now() < deadline, "no failure: {lines:#?}"),
        }
    }
    let text = lines.concat();
    for words in [
        "it takes QoS 0 at most, 7 messages in flight, packets of 5000 bytes, keeps no retained messages; Keep Alive 11 s",
        "it takes 3 Topic Aliases; it has no Wildcard Subscriptions, no Shared Subscriptions, no Subscription Identifiers",
        "FAILED: subscribing to mt5mqtt/doctor/",
    ] {
        assert!(text.contains(words), "'{words}' is missing: {lines:#?}");
    }
}
