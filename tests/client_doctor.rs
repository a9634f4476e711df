//! The doctor's reports: of connections that are good, and of each way in which one isn't.

mod common;

use common::certificates::{Authority, Folder, Validity};
use common::fake_server::{FakeServer, Peer, Received};
use common::mosquitto::{Mosquitto, free_port};
use common::program::{Program, within};
use common::proxy::{Answer, ProxyOptions, TestProxy};
use common::tools;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{PacketType, ProtocolVersion, QoS};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The lines of a report, and how it ended.
fn report(program: &Program) -> (Vec<String>, Option<Status>) {
    program.start_doctor().expect("the doctor starts");
    assert_eq!(program.start_doctor().unwrap_err().status, Status::WrongState, "one at a time");
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut lines = Vec::new();
    loop {
        let polled = program.poll(|notice| match &notice.kind {
            NoticeKind::Doctor { line, end } => Some((line.clone(), *end)),
            other => panic!("nothing else happens: {other:?}"),
        });
        match polled.expect("a client that lives").flatten() {
            Some((line, end)) => {
                lines.push(line);
                if let Some(end) = end {
                    return (lines, end.err());
                }
            }
            None => {
                assert!(Instant::now() < deadline, "no end of the report: {lines:#?}");
                program.wait(Duration::from_millis(250)).unwrap();
            }
        }
    }
}

/// The report has these texts, in this order.
#[track_caller]
fn assert_says(lines: &[String], wanted: &[&str]) {
    let mut rest = lines.iter();
    for text in wanted {
        assert!(rest.any(|line| line.contains(text)), "'{text}' is missing, or out of order: {lines:#?}");
    }
}

#[track_caller]
fn assert_fails(program: &Program, status: Status, wanted: &[&str]) {
    let (lines, failure) = report(program);
    assert_eq!(failure, Some(status), "{lines:#?}");
    assert_says(&lines, wanted);
    assert_says(&lines, &["FAILED: ", "What to do: ", "ended at the failure"]);
}

fn program(url: &str, texts: &[(i32, &str)]) -> Program {
    let program = Program::new(url, &[]);
    for (option, value) in texts {
        program.set_text(*option, value);
    }
    program
}

#[test]
fn a_program_with_a_small_queue_gets_the_whole_report_too() {
    let Some(server) = Mosquitto::start() else { return };
    let smallest =
        [(IntOption::EventsMaximum, 1), (IntOption::EventsMaximumBytes, 1024), (IntOption::EventsOverflow, 1)];
    let (lines, failure) = report(&Program::new(&server.url().replace("127.0.0.1", "localhost"), &smallest));
    assert_eq!(failure, None, "{lines:#?}");
    assert_says(
        &lines,
        &["name 'localhost' resolved: ", "TCP connected to 127.0.0.1:", "CONNACK", "subscribed", "All is well"],
    );
    for line in ["acknowledged a message after ", "the message came back after "] {
        assert_says(&lines, &[line]);
    }
    // Of the log there are the steps of the connection, and nothing else.
    assert!(!lines.iter().any(|line| line.contains(": complete")), "{lines:#?}");
}

#[test]
fn a_good_connection_is_described_step_by_step() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    let authority = Authority::new("Test CA");
    let files = Folder::new();
    let ca = files.write("ca.pem", &authority.certificate);
    let tls = files.listener(&authority.issue("broker", &["127.0.0.1"], Validity::Now));
    let lines = format!("protocol websockets\n{tls}cafile {ca}\nrequire_certificate true\n");
    let server = Mosquitto::start_with_listener(&lines).expect("mosquitto");
    let (lines, failure) =
        report(&program(&server.url().replace("127.0.0.1", "localhost"), &[(options::CLIENT_ID, "EA1")]));
    assert_eq!(failure, None, "{lines:#?}");
    let common = [
        "the Server accepted the connection (CONNACK), MQTT 5.0",
        "it takes QoS 2 at most",
        "subscribed to a topic of its own",
    ];
    let head = format!("Server 1 of 1: mqtt://localhost:{}", server.port());
    assert_says(
        &lines,
        &[&[&*head, "name 'localhost' resolved: ", "TCP connected to 127.0.0.1:"], &common[..]].concat(),
    );
    assert_says(&lines, &["acknowledged a message after "]);
    assert_says(&lines, &["the message came back after ", "All is well"]);
    assert!(server.log().contains("EA1-doctor"), "an identifier of its own: {}", server.log());

    let client = authority.issue("trader", &[], Validity::Now);
    let url = format!("wss://127.0.0.1:{}/mqtt?token=s3cret", server.second_port());
    let texts = [
        (options::TLS_CA, ca.as_str()),
        (options::TLS_CLIENT_CERTIFICATE, &client.certificate),
        (options::TLS_CLIENT_KEY, &client.key),
        (options::USER_NAME, "s3cret"),
        (options::PASSWORD, "s3cret"),
    ];
    let (lines, failure) = report(&program(&url, &texts));
    assert_eq!(failure, None, "{lines:#?}");
    let steps = [
        "TCP connected",
        "TLS 1.3, TLS13_AES",
        "certificate 1: CN=broker, for 127.0.0.1, issued by CN=Test CA, valid until",
    ];
    assert_says(&lines, &[&steps[..], &["WebSocket accepted, subprotocol mqtt"], &common].concat());
    assert!(!lines.concat().contains("s3cret"), "{lines:#?}");
}

#[test]
fn a_server_that_wants_a_client_identifier_is_told_from_others() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    let server = Mosquitto::start_with("allow_zero_length_clientid false\n").expect("mosquitto");
    for version in [4, 5] {
        let nameless = program(&server.url(), &[]);
        nameless.set_int(IntOption::ProtocolVersion, version);
        assert_fails(&nameless, Status::RefusedByServer, &["refused the connection", "set CLIENT_ID"]);
    }
    assert_eq!(report(&program(&server.url(), &[(options::CLIENT_ID, "EA1")])).1, None);
}

#[test]
fn a_will_message_that_the_server_refuses_is_no_good_connection() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    for (lines, words) in [
        ("max_qos 0\n", ["QoS not supported", "has QoS 1, but the Server takes QoS 0 at most"]),
        ("retain_available false\n", ["Retain not supported", "the Server keeps no retained messages"]),
    ] {
        let server = Mosquitto::start_with(lines).expect("mosquitto");
        let program = program(&server.url(), &[]);
        program.set_int(IntOption::Reconnect, 0);
        let topic = TopicName::new("t").expect("a Topic Name");
        let will = Message::new(topic, b"gone", QoS::AtLeastOnce, true, Properties::EMPTY);
        let will = Some((will, PropertiesBuf::new()));
        program.set_option(|options, idle| options.set_will(will, idle)).expect("a Will Message");
        program.connect().unwrap();
        let end = program.expect_disconnected();
        assert!(end.detail.contains(words[0]) && end.detail.contains("is the Will Message"), "{}", end.detail);
        assert_fails(&program, Status::NotSupportedByServer, &[words[1], "set another Will Message"]);
    }
}

#[test]
fn a_proxy_is_a_step_of_its_own() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    let server = Mosquitto::start_with_listener("protocol websockets\n").expect("mosquitto");
    let credentials = Some(("trader", "s3cret"));
    for (socks, scheme) in [(true, "socks5"), (false, "http")] {
        let proxy = TestProxy::start(ProxyOptions { socks, credentials, answer: Answer::Connect });
        let at = |password| format!("{scheme}://trader:{password}@127.0.0.1:{}", proxy.port());
        let url = format!("ws://broker.invalid:{}", server.second_port());
        let (lines, failure) = report(&program(&url, &[(options::PROXY, &at("s3cret"))]));
        assert_eq!(failure, None, "{lines:#?}");
        let connected = format!("TCP connected to 127.0.0.1:{}", proxy.port());
        let through = format!("the proxy connected to broker.invalid:{}", server.second_port());
        assert_says(&lines, &[&connected, &through, "WebSocket accepted", "CONNACK", "came back", "All is well"]);
        assert!(!lines.concat().contains("s3cret"), "{lines:#?}");
        let words = [&*connected, "refuses the user name and password", "check option PROXY"];
        assert_fails(&program(&url, &[(options::PROXY, &at("wr0ng"))]), Status::Proxy, &words);
    }
}

#[test]
fn a_running_client_is_not_disturbed_by_its_doctor() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    let server = Mosquitto::start().expect("mosquitto");
    let program = program(&server.url(), &[(options::CLIENT_ID, "EA1")]);
    program.connect().unwrap();
    program.expect_connected();
    let (lines, failure) = report(&program);
    assert_eq!(failure, None, "{lines:#?}");
    program.expect_nothing();
    assert_eq!(program.statistics().connections, 1);
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let program_at = |url: &str| program(url, &[]);
    let refused = format!("connecting to {url} failed: {}: nobody listens there", &url["mqtt://".len()..]);
    let words = [&*refused, "check the port number"];
    assert_fails(&program_at(&url), Status::ConnectFailed, &words);
    let name = "x".repeat(64);
    assert_fails(
        &program_at(&format!("mqtt://{name}")),
        Status::Resolve,
        &["could not be resolved", "check the spelling"],
    );
    let texts = [(options::TLS_CA, "/no/such/file.pem")];
    assert_fails(&program("mqtts://127.0.0.1", &texts), Status::TlsSetup, &["TLS_CA", "correct the option"]);
    let mut server = FakeServer::start();
    let program = program_at(&server.url());
    let (lines, failure) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| report(&program));
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        peer.refuse(ReasonCode::BAD_USER_NAME_OR_PASSWORD);
        peer.expect_close(&[]);
        peer.close();
        reading.join().expect("a report")
    });
    assert_eq!(failure, Some(Status::RefusedByServer));
    assert_says(&lines, &["Bad User Name or Password", "What to do: check USER_NAME and PASSWORD"]);
    // As Mosquitto does when it has as many clients as it may: asked in plain MQTT, and then in TLS.
    let full = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("mqtt://{}", full.local_addr().expect("an address"));
    std::thread::scope(|scope| {
        scope.spawn(|| full.incoming().take(2).for_each(drop));
        let words = ["closed the connection without answering", "whether it takes more connections"];
        assert_fails(&program_at(&url), Status::ConnectionClosed, &words);
    });
}

#[test]
fn a_server_that_is_reached_and_says_nothing_is_no_affair_of_a_firewall() {
    let silent = FakeServer::start();
    let (plain, websocket) = (silent.url(), format!("ws://127.0.0.1:{}", silent.port()));
    let proxy = format!("socks5://127.0.0.1:{}", silent.port());
    for (url, texts, words) in [
        (&plain, &[][..], ["TCP connected", "didn't answer CONNECT", "whether it wants PROTOCOL_VERSION 4"]),
        (&websocket, &[], ["TCP connected", "upgrade isn't answered", "What to do: no firewall blocks port"]),
        (
            &websocket,
            &[(options::PROXY, &*proxy)],
            ["TCP connected", "didn't answer", "What to do: check option PROXY"],
        ),
    ] {
        let program = program(url, texts);
        program.set_int(IntOption::ConnectTimeout, 300);
        assert_fails(&program, Status::ConnectTimeout, &words);
    }
}

#[test]
fn the_wrong_scheme_is_found_by_asking_in_the_other_one() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    let authority = Authority::new("Test CA");
    let files = Folder::new();
    let tls = files.listener(&authority.issue("broker", &["127.0.0.1"], Validity::Expired));
    let server = Mosquitto::start_with_listener(&tls).expect("mosquitto");
    let (plain, secure) = (server.port(), server.second_port());
    let words =
        [&*format!("port {secure} answers, but the Server on it speaks TLS"), "What to do: use mqtts:// in the URL"];
    assert_fails(&program(&format!("mqtt://127.0.0.1:{secure}"), &[]), Status::WrongProtocol, &words);
    let words = [&*format!("port {plain} answers, but the Server on it speaks plain MQTT"), "use mqtt:// in the URL"];
    assert_fails(&program(&format!("mqtts://127.0.0.1:{plain}"), &[]), Status::WrongProtocol, &words);
    let words = ["expired on 2021-02-03", "What to do: do as said; never switch the verification off"];
    let trusted = [(options::TLS_CA, &*authority.certificate)];
    assert_fails(&program(&format!("mqtts://127.0.0.1:{secure}"), &trusted), Status::TlsCertificate, &words);
}

#[test]
fn asking_in_another_scheme_tells_no_secret() {
    let mut server = FakeServer::start();
    let secrets = [(options::USER_NAME, "s3cret"), (options::PASSWORD, "s3cret")];
    let program = program(&format!("mqtts://127.0.0.1:{}", server.port()), &secrets);
    let mut token = PropertiesBuf::new();
    token.add(PropertyId::UserProperty, Value::Pair("token", "s3cret")).expect("a property");
    program.set_option(|options, idle| options.set_connect_properties(token.clone(), idle)).expect("a property");
    let (lines, failure) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| report(&program));
        server.accept().close();
        let mut peer = server.accept();
        let connect = peer.expect(PacketType::Connect);
        let Packet::Connect(connect) = connect.packet() else { panic!("{:?}", connect.packet()) };
        assert_eq!((connect.user_name, connect.password), (None, None));
        assert!(connect.properties.iter().all(|(id, _)| id != PropertyId::UserProperty), "in the clear");
        peer.refuse(ReasonCode::NOT_AUTHORIZED);
        reading.join().expect("a report")
    });
    assert_eq!(failure, Some(Status::WrongProtocol), "{lines:#?}");
    assert_says(&lines, &["speaks plain MQTT", "use mqtt:// in the URL"]);
}

#[test]
fn a_server_of_mqtt_3_1_1_is_examined_in_its_version_if_the_program_falls_back_to_it() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::ProtocolFallback, 1)]);
    let (lines, failure) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| report(&program));
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        // CONNACK of MQTT 3.1.1: unacceptable protocol version.
        peer.send_bytes(&[0x20, 2, 0, 1]);
        peer.expect_close(&[]);
        peer.close();
        let mut peer = server.accept_mqtt();
        assert_eq!(peer.version, ProtocolVersion::V311);
        peer.grant();
        let published = peer.expect(PacketType::Publish);
        let Packet::Publish(publish) = published.packet() else { panic!("{:?}", published.packet()) };
        let message =
            Message::new(publish.topic.expect("a Topic Name"), b"doctor", QoS::AtMostOnce, false, Properties::EMPTY);
        peer.send(&Packet::Publish(message.publish(None, false)));
        peer.puback(published.id());
        reading.join().expect("a report")
    });
    assert_eq!(failure, None, "{lines:#?}");
    let words = ["next attempt is made in MQTT 3.1.1", "CONNACK), MQTT 3.1.1", "came back", "All is well"];
    assert_says(&lines, &words);
}

#[test]
fn the_longest_client_identifier_leaves_room_for_that_of_the_doctor() {
    let mut server = FakeServer::start();
    let longest = format!("{}x", "ß".repeat(32_767));
    let program = program(&server.url(), &[(options::CLIENT_ID, &longest)]);
    let (lines, failure) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| report(&program));
        let mut peer = server.accept();
        let connect = peer.expect(PacketType::Connect);
        let Packet::Connect(connect) = connect.packet() else { panic!("{:?}", connect.packet()) };
        assert!(connect.client_id.ends_with("ß-doctor"));
        peer.refuse(ReasonCode::BANNED);
        reading.join().expect("a report")
    });
    assert_eq!(failure, Some(Status::RefusedByServer), "{lines:#?}");
}

/// A Server that the doctor has connected to and subscribed at, with this property in CONNACK, and what it publishes.
fn examined(server: &mut FakeServer, id: PropertyId, value: Value<'_>) -> (Peer, Received) {
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack_with(false, |properties| properties.set(id, value).expect("a property"));
    peer.grant();
    let published = peer.expect(PacketType::Publish);
    (peer, published)
}

#[test]
fn only_its_own_message_counts_as_having_come_back() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    let (lines, failure) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| report(&program));
        let (mut peer, published) = examined(&mut server, PropertyId::AssignedClientIdentifier, Value::Text("x"));
        // What the Server says to everybody, a telling of its own.
        peer.publish(b"welcome", None, QoS::AtMostOnce);
        peer.puback(published.id());
        peer.disconnect(ReasonCode::SERVER_SHUTTING_DOWN);
        reading.join().expect("a report")
    });
    assert!(failure.is_some(), "{lines:#?}");
    assert!(!lines.concat().contains("came back"), "{lines:#?}");
}

#[test]
fn a_server_without_qos_1_is_well_if_the_message_comes_back() {
    // MQTT-3.2.2-11
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    let (lines, failure) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| report(&program));
        let (mut peer, published) = examined(&mut server, PropertyId::MaximumQoS, Value::Int(0));
        let Packet::Publish(publish) = published.packet() else { panic!("{:?}", published.packet()) };
        let message =
            Message::new(publish.topic.expect("a Topic Name"), b"doctor", QoS::AtMostOnce, false, Properties::EMPTY);
        peer.send(&Packet::Publish(message.publish(None, false)));
        reading.join().expect("a report")
    });
    assert_eq!(failure, None, "{lines:#?}");
    assert_says(&lines, &["it takes QoS 0 at most", "came back", "All is well"]);
}

#[test]
fn topics_that_are_not_allowed_are_told_from_a_bad_connection() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    let files = Folder::new();
    let rules = files.write("rules", "topic readwrite mine/#\n");
    let server = Mosquitto::start_with(&format!("acl_file {rules}\n")).expect("mosquitto");
    let (lines, failure) = report(&program(&server.url(), &[]));
    assert!(failure.is_some(), "{lines:#?}");
    assert_says(
        &lines,
        &["accepted the connection", "FAILED: ", "access rules may not allow the topic mt5mqtt/doctor/"],
    );
}

#[test]
fn every_server_of_the_list_is_examined() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the doctor and a real Server", "mosquitto");
    }
    let server = Mosquitto::start().expect("mosquitto");
    let urls = format!("mqtt://127.0.0.1:{} {}", free_port(), server.url());
    let (lines, failure) = report(&program(&urls, &[]));
    assert_eq!(failure, Some(Status::ConnectFailed));
    assert_says(
        &lines,
        &["Server 1 of 2", "FAILED", "Server 2 of 2", "the message came back", "1 of 2 Servers are well"],
    );
}

#[test]
fn a_doctor_without_a_url_refuses_and_one_at_work_keeps_nobody_waiting() {
    assert_eq!(mt5mqtt::client::Client::new().start_doctor().unwrap_err().status, Status::WrongState);
    let mut silent = FakeServer::start();
    let program = Program::new(&silent.url(), &[(IntOption::ConnectTimeout, 60_000)]);
    program.start_doctor().unwrap();
    let mut peer = silent.accept();
    peer.expect(PacketType::Connect);
    within(Duration::from_secs(1), "free", || program.free());
    // Its own connection ends soon after.
    peer.expect_close(&[PacketType::Disconnect]);
}
