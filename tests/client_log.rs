//! The log: which lines there are at which level, where they go, and that no secret is among them.

mod common;

use common::certificates::{Authority, Folder, Validity};
use common::fake_server::{FakeServer, Peer};
use common::mosquitto::{Mosquitto, free_port};
use common::program::Program;
use common::proxy::{Answer, ProxyOptions, TestProxy};
#[cfg(target_os = "linux")]
use common::small_disk::SmallDisk;
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::disconnect::Auth;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::{PacketType, QoS};
use std::fs;
use std::time::Duration;

/// Connects, publishes, loses the connection, comes back, disconnects.
fn life(program: &Program, server: &mut FakeServer) {
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let token = program.send("p4yload", QoS::AtLeastOnce);
    let id = peer.expect(PacketType::Publish).id();
    peer.puback(id);
    program.expect_published(token);
    peer.close();
    program.expect_disconnected();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    program.disconnect_now(Duration::ZERO);
    peer.expect_close(&[PacketType::Disconnect]);
    peer.close();
    program.expect_disconnected();
}

/// Each line without its time, which has its form.
fn without_time(lines: &[String]) -> Vec<String> {
    let cut = |line: &String| {
        let (time, rest) = line.split_once(' ').expect("a time");
        assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{line}");
        rest.to_owned()
    };
    lines.iter().map(cut).collect()
}

#[test]
fn each_level_adds_its_lines() {
    let mut counts = Vec::new();
    for level in 0..=5 {
        let mut server = FakeServer::start();
        let program = Program::new(&server.url(), &[(IntOption::LogLevel, level)]);
        program.set_text(options::CLIENT_ID, "EA1");
        life(&program, &mut server);
        program.expect_nothing();
        // The scripted Server assigns an identifier, from which on lines have that.
        let lines: Vec<String> =
            without_time(&program.log.lock().unwrap()).iter().map(|line| line.replace("[assigned]", "[EA1]")).collect();
        assert!(lines.iter().all(|line| line.contains(" [EA1] ")), "{lines:?}");
        let has = |text: &str| lines.iter().any(|line| line.contains(text));
        assert_eq!(has("warning [EA1] disconnected: the Server closed the connection"), level >= 2, "{lines:?}");
        assert_eq!(has(&format!("info [EA1] connecting to {}", server.url())), level >= 3);
        assert_eq!(has("info [EA1] connected: a new Session"), level >= 3);
        assert_eq!(has("info [EA1] next attempt in "), level >= 3);
        assert_eq!(has("info [EA1] disconnected: disconnected on request"), level >= 3);
        assert_eq!(has("debug [EA1] TCP connected to 127.0.0.1:"), level >= 4);
        assert_eq!(has("debug [EA1] publish 1: complete"), level >= 4);
        assert_eq!(has("packet [EA1] -> CONNECT ("), level >= 5);
        assert_eq!(has("packet [EA1] <- CONNACK ("), level >= 5);
        assert_eq!(has("-> PUBLISH (") && has("'t', QoS 1, payload 7 bytes, id 1"), level >= 5);
        assert_eq!(has("<- PUBACK (") && has("-> DISCONNECT ("), level >= 5);
        assert!(!has("p4yload"));
        counts.push(lines.len());
    }
    assert_eq!(counts[0], 0);
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
}

#[test]
fn every_packet_is_traced_once_however_the_bytes_are_cut() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::LogLevel, 5), (IntOption::EventsMaximum, 1_000_000)]);
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    let payload = "x".repeat(50_000);
    let mut bytes = Vec::new();
    for _ in 0..20 {
        program.send(&payload, QoS::AtMostOnce);
        bytes.extend(peer.publication(payload.as_bytes(), None, QoS::AtMostOnce, false));
    }
    for piece in bytes.chunks(7777) {
        peer.send_bytes(piece);
    }
    for _ in 0..20 {
        peer.expect(PacketType::Publish);
        program.expect_message();
    }
    program.disconnect_now(Duration::ZERO);
    peer.expect_close(&[PacketType::Disconnect]);
    peer.close();
    program.expect_disconnected();
    let lines = program.log.lock().unwrap();
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((count("-> PUBLISH"), count("<- PUBLISH")), (20, 20));
    assert_eq!((count("-> CONNECT ("), count("-> DISCONNECT ("), count("payload 50000 bytes")), (1, 1, 40));
}

#[test]
fn lines_go_to_a_file_and_not_to_the_program_if_so_asked() {
    let folder = Folder::new();
    let path = folder.path().join("client.log");
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::LogLevel, 3), (IntOption::LogEvents, 0)]);
    program.set_text(options::LOG_FILE, path.to_str().unwrap());
    life(&program, &mut server);
    assert!(program.log.lock().unwrap().is_empty());
    // The background thread has written everything when it is over.
    program.free();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let lines = without_time(&lines);
    assert!(lines.first().unwrap().contains("connecting to"), "{lines:?}");
    assert!(lines.last().unwrap().contains("disconnected on request"), "{lines:?}");
}

#[test]
fn a_fault_on_the_background_thread_is_the_last_line_of_the_file() {
    let folder = Folder::new();
    let path = folder.path().join("client.log");
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::LogLevel, 1), (IntOption::LogEvents, 0)]);
    program.set_text(options::LOG_FILE, path.to_str().unwrap());
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    program.client.panic_in_background();
    peer.expect_close(&[]);
    program.free();
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(text.contains("error") && text.contains("a fault inside the library"), "{text:?}");
}

#[test]
fn a_full_file_is_set_aside_and_a_bounded_number_is_kept() {
    let folder = Folder::new();
    let path = folder.path().join("client.log");
    let ints = [(IntOption::LogLevel, 5), (IntOption::LogFileBytes, 4096), (IntOption::LogFiles, 2)];
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &ints);
    program.set_int(IntOption::LogEvents, 0);
    program.set_text(options::LOG_FILE, path.to_str().unwrap());
    program.connect().unwrap();
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    for number in 0..200 {
        program.send(&number.to_string(), QoS::AtMostOnce);
        peer.expect_publish(&number.to_string());
    }
    program.free();
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["client.log", "client.log.1", "client.log.2"]);
    for name in names {
        let text = fs::read_to_string(folder.path().join(&name)).unwrap();
        assert!(text.len() <= 4096 && text.ends_with('\n'), "{name:?} has {} bytes", text.len());
        without_time(&text.lines().map(str::to_owned).collect::<Vec<_>>());
    }
}

#[test]
fn a_log_file_that_can_not_be_written_is_told_of_once_and_stops_nothing() {
    // Also when nothing else of the log is for the program.
    for options in [&[(IntOption::LogLevel, 4)][..], &[(IntOption::LogLevel, 3), (IntOption::LogEvents, 0)]] {
        let mut server = FakeServer::start();
        let program = Program::new(&server.url(), options);
        program.set_text(options::LOG_FILE, "/no/such/folder/client.log");
        life(&program, &mut server);
        program.expect_nothing();
        let lines = program.log.lock().unwrap();
        let is_of_file = |line: &&String| line.contains("the log file '/no/such/folder/client.log' can't be written");
        assert_eq!(lines.iter().filter(is_of_file).count(), 1, "{lines:?}");
    }
}

#[test]
fn no_secret_is_in_any_line_event_or_figure() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("secrets and a real Server", "mosquitto");
    }
    let authority = Authority::new("Test CA");
    let files = Folder::new();
    let ca = files.write("ca.pem", &authority.certificate);
    let tls = files.listener(&authority.issue("server", &["127.0.0.1"], Validity::Now));
    let lines = format!("protocol websockets\n{tls}cafile {ca}\nrequire_certificate true\n");
    let server = Mosquitto::start_with_listener(&lines).expect("mosquitto");
    let credentials = Some(("pr0xyuser", "s3cret-proxy"));
    let proxy = TestProxy::start(ProxyOptions { socks: true, credentials, answer: Answer::Connect });
    let dead = free_port();
    let urls = format!(
        "wss://127.0.0.1:{dead}/x?token=s3cret-query wss://127.0.0.1:{}/x?token=s3cret-query",
        server.second_port()
    );
    let client = authority.issue("trader", &[], Validity::Now);
    let program = Program::new(&urls, &[(IntOption::LogLevel, 5)]);
    for (option, value) in [
        (options::TLS_CA, ca.as_str()),
        (options::TLS_CLIENT_CERTIFICATE, &client.certificate),
        (options::TLS_CLIENT_KEY, &client.encrypted_key("s3cret-key")),
        (options::TLS_CLIENT_KEY_PASSWORD, "s3cret-key"),
        (options::USER_NAME, "s3cret-user"),
        (options::PASSWORD, "s3cret-password"),
        (options::WS_HEADERS, "Authorization: s3cret-header"),
        (options::PROXY, &format!("socks5://pr0xyuser:s3cret-proxy@127.0.0.1:{}", proxy.port())),
    ] {
        program.set_text(option, value);
    }
    program.connect().unwrap();
    let mut seen = String::new();
    loop {
        let event = program.event("Connected");
        seen += &format!("{event:?}");
        if matches!(event, Event::Connected { .. }) {
            break;
        }
    }
    seen += &format!("{:?} {}", program.statistics(), program.server().unwrap());
    seen += &program.log.lock().unwrap().join("\n");
    assert!(seen.contains("-> CONNECT (") && seen.contains("through proxy socks5://127.0.0.1"), "{seen}");
    let key_line = client.key.lines().nth(1).unwrap();
    for secret in ["s3cret", "pr0xyuser", key_line, &data_encoding::BASE64.encode(b"s3cret-password")] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
}

#[test]
fn no_authentication_data_is_in_any_line_event_or_error() {
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::LogLevel, 5)]);
    program.set_text(options::AUTHENTICATION_METHOD, "m");
    program.set_text(options::AUTHENTICATION_DATA, "s3cret-first");
    program.connect().unwrap();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::AuthenticationMethod, Value::Text("m")).unwrap();
    properties.set(PropertyId::AuthenticationData, Value::Binary(b"s3cret-challenge")).unwrap();
    let reason = ReasonCode::CONTINUE_AUTHENTICATION;
    peer.send(&Packet::Auth(Auth { reason, properties: properties.as_properties() }));
    let event = program.event("a step of the authentication");
    let mut seen = format!("{event:?} {properties:?}");
    program.authenticate(Some(b"s3cret-answer"), Properties::EMPTY).unwrap();
    peer.expect(PacketType::Auth);
    peer.connack_with(false, |set| set.extend(properties.as_properties()));
    seen += &format!("{:?}", program.event("Connected"));
    let too_much = vec![b's'; 70_000];
    seen += &format!("{:?}", program.reauthenticate(Some(&too_much), Properties::EMPTY).unwrap_err());
    let refused = |options: &mut options::Options, idle| options.set_text(options::PASSWORD, Some("s3cret\0"), idle);
    seen += &format!("{:?}", Program::new(&server.url(), &[]).set_option(refused).unwrap_err());
    seen += &program.log.lock().unwrap().join("\n");
    assert!(
        seen.contains("-> AUTH (") && seen.contains("<- AUTH (") && seen.contains("AuthenticationMethod"),
        "{seen}"
    );
    // As text, and as the numbers that a derived Debug prints.
    for secret in ["s3cret", "115, 51, 99, 114, 101, 116", "73 33 63"] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_the_lines_that_are_lost_are_counted_and_no_others() {
    let Some(disk) = SmallDisk::mount("log-full", "size=64k") else { return };
    let path = disk.folder.path().join("client.log");
    let ballast = disk.folder.path().join("ballast");
    fs::write(&ballast, vec![0; 40_000]).unwrap();
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[(IntOption::LogLevel, 5)]);
    program.set_text(options::LOG_FILE, path.to_str().unwrap());
    let mut peer = program.connect_to(&mut server, false);
    program.expect_connected();
    let publishes_until = |peer: &mut Peer, wanted: &str| {
        let is_there = || program.log.lock().unwrap().iter().any(|line| line.contains(wanted));
        while !is_there() {
            for _ in 0..20 {
                program.send("tick", QoS::AtMostOnce);
                peer.expect_publish("tick");
            }
            program.expect_nothing();
        }
    };
    publishes_until(&mut peer, "can't be written");
    fs::remove_file(&ballast).unwrap();
    // It is named again.
    program.set_text(options::LOG_FILE, path.to_str().unwrap());
    let text = || fs::read_to_string(&path).unwrap();
    program.send("tick", QoS::AtMostOnce);
    program.expect_soon("what was lost", |_| text().ends_with(" lines were lost\n"));
    program.expect_nothing();
    let text = text();
    let made = program.log.lock().unwrap();
    // Of one line there may be the beginning.
    let whole = text.lines().filter(|line| made.iter().any(|made| made == line)).count();
    assert!(text.lines().count() <= whole + 2, "{text}");
    let lost: usize = text.lines().last().and_then(|line| line.split(' ').next()).unwrap().parse().unwrap();
    let told_of_the_file = 1;
    assert_eq!(whole + lost, made.len() - told_of_the_file, "{text}");
}
