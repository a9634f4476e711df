//! Several Servers in the order of preference: which one is tried when, and what becomes of messages meanwhile.

mod common;

use common::certificates::{Authority, Validity};
use common::fake_server::FakeServer;
use common::mosquitto::{Mosquitto, free_port};
use common::program::{Program, within};
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::Packet;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::collections::HashMap;
use std::time::Duration;

#[test]
fn the_next_server_is_tried_at_once_and_the_first_again_after_the_delay() {
    let mut server = FakeServer::start();
    let dead = format!("mqtt://127.0.0.1:{}", free_port());
    let urls = format!("{dead}, mqtts://127.0.0.1:{}\n{}", free_port(), server.url());
    // A delay that no test would live to see.
    let slow = [(IntOption::ReconnectMinimum, 600_000), (IntOption::ReconnectMaximum, 600_000)];
    let program = Program::new(&urls, &slow);
    assert_eq!(program.server().unwrap_err().status, Status::NotConnected);
    program.connect().unwrap();
    let mut peer = within(Duration::from_secs(5), "two dead Servers", || server.accept_mqtt());
    for named in [dead.as_str(), "mqtts://127.0.0.1:"] {
        let end = program.expect_disconnected();
        assert_eq!(end.failure, Some(Status::ConnectFailed));
        assert!(end.detail.contains(named), "{}", end.detail);
    }
    program.expect_connected();
    assert_eq!(program.server().unwrap(), server.url());
    assert_eq!(program.statistics().server_index, 2);
    program.disconnect_now(Duration::ZERO);
    peer.expect_close(&[PacketType::Disconnect]);
    peer.close();
    program.expect_disconnected();
    // All of them have failed: the first one's turn comes after the delay.
    let program = Program::new(&format!("{dead} {dead}"), &[]);
    for (option, value) in slow {
        program.set_int(option, value);
    }
    program.connect().unwrap();
    program.expect_disconnected();
    program.expect_disconnected();
    assert_eq!((program.state(), program.statistics().server_index), (mt5mqtt::client::State::Waiting, 0));
    program.expect_nothing();
}

#[test]
fn a_client_that_does_not_reconnect_tries_each_server_once() {
    let mut server = FakeServer::start();
    let dead = format!("mqtt://127.0.0.1:{}", free_port());
    let program = Program::new(&format!("{dead} {}", server.url()), &[(IntOption::Reconnect, 0)]);
    for _ in 0..2 {
        program.connect().unwrap();
        assert!(program.expect_disconnected().detail.contains(&dead));
        let peer = server.accept_mqtt();
        program.expect_connected();
        peer.close();
        program.expect_disconnected();
        assert_eq!(program.state(), mt5mqtt::client::State::Idle, "a connection that is lost isn't made again");
    }
    let program = Program::new(&format!("{dead} {dead}"), &[(IntOption::Reconnect, 0)]);
    program.connect().unwrap();
    program.expect_disconnected();
    program.expect_disconnected();
    assert_eq!(program.state(), mt5mqtt::client::State::Idle);
}

#[test]
fn every_kind_of_failure_leads_to_the_next_server() {
    let mut server = FakeServer::start();
    let mut refusing = FakeServer::start();
    let mut closing = FakeServer::start();
    let mut silent = FakeServer::start();
    let name = "x".repeat(64);
    let urls = format!(
        "mqtt://{name} {} {} {} {}",
        refusing.url(),
        closing.url(),
        silent.url().replace("mqtt", "ws"),
        server.url()
    );
    let program = Program::new(&urls, &[(IntOption::ConnectTimeout, 500)]);
    program.connect().unwrap();
    assert_eq!(program.expect_disconnected().failure, Some(Status::Resolve));
    let mut peer = refusing.accept();
    peer.expect(PacketType::Connect);
    peer.refuse(ReasonCode::NOT_AUTHORIZED);
    peer.close();
    assert_eq!(program.expect_disconnected().failure, Some(Status::RefusedByServer));
    closing.accept().close();
    assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
    let _held = silent.accept();
    assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectTimeout));
    server.accept_mqtt();
    program.expect_connected();
}

#[test]
fn a_server_that_accepts_and_drops_at_once_does_not_keep_the_next_from_its_turn() {
    let mut flapping = FakeServer::start();
    let mut server = FakeServer::start();
    let program = Program::connecting(&format!("{} {}", flapping.url(), server.url()), &[]);
    flapping.accept_mqtt().close();
    program.expect_connected();
    program.expect_disconnected();
    let _held = server.accept_mqtt();
    program.expect_connected();
    assert_eq!(program.statistics().server_index, 1);
}

#[test]
fn a_refusal_before_a_connection_does_not_delay_the_one_after_it() {
    let (mut refuses, mut accepts) = (FakeServer::start(), FakeServer::start());
    let urls = format!("{} {}", refuses.url(), accepts.url());
    let program = Program::connecting(&urls, &[(IntOption::ReconnectMaximum, 600_000)]);
    for _ in 0..2 {
        let mut peer = refuses.accept();
        peer.expect(PacketType::Connect);
        peer.refuse(ReasonCode::NOT_AUTHORIZED);
        assert_eq!(program.expect_disconnected().reason, Some(ReasonCode::NOT_AUTHORIZED));
        accepts.accept_mqtt().close();
        program.expect_connected();
        program.expect_disconnected();
        // What waits for somebody to change a setting waits for minutes.
        assert!(program.statistics().last_delay_ms < 1000, "{} ms", program.statistics().last_delay_ms);
    }
}

#[test]
fn messages_that_flow_during_a_failover_are_neither_lost_nor_out_of_order() {
    const COUNT: usize = 300;
    const ANSWERED: usize = 100;
    let mut first = FakeServer::start();
    let mut second = FakeServer::start();
    let program = Program::connecting(&format!("{},{}", first.url(), second.url()), &[]);
    let mut peer = first.accept_mqtt();
    program.expect_connected();
    let tokens: Vec<_> = (0..COUNT / 2).map(|number| program.send(&number.to_string(), QoS::AtLeastOnce)).collect();
    for number in 0..ANSWERED {
        let id = peer.expect_publish(&number.to_string()).id();
        peer.puback(id);
    }
    peer.expect_publish(&ANSWERED.to_string());
    // The machine of the first Server dies, with its port.
    drop(first);
    peer.reset();
    let rest: Vec<_> = (COUNT / 2..COUNT).map(|number| program.send(&number.to_string(), QoS::AtLeastOnce)).collect();
    let mut peer = second.accept_mqtt();
    let mut published: HashMap<i64, u32> = HashMap::new();
    let mut next = None;
    for _ in 0..COUNT {
        let received = peer.read("a PUBLISH");
        let Packet::Publish(_) = received.packet() else { panic!("{:?}", received.packet()) };
        let number: usize = received.payload().parse().unwrap();
        // Where the second one begins depends on how many acknowledgements the client had seen.
        assert_eq!(number, *next.get_or_insert(number));
        assert!(next.is_some_and(|next| next > ANSWERED || number <= ANSWERED), "{number} was lost");
        next = Some(number + 1);
        peer.puback(received.id());
        if number == COUNT - 1 {
            break;
        }
    }
    assert_eq!(next, Some(COUNT));
    while published.len() < COUNT {
        match program.event("the outcome of every publish") {
            Event::Published { token, outcome } => {
                assert_eq!(outcome.failure, None);
                *published.entry(token).or_default() += 1;
            }
            Event::Connected { .. } | Event::Disconnected(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(tokens.iter().chain(&rest).all(|token| published[token] == 1), "one outcome each");
}

#[test]
fn what_was_under_way_at_the_second_server_is_not_finished_at_the_first() {
    // MQTT-4.4.0-1: the first one has a Session, but not the one that went on at the second.
    let mut first = FakeServer::start();
    let mut second = FakeServer::start();
    let program = Program::connecting(&format!("{},{}", first.url(), second.url()), &[]);
    let peer = first.accept_mqtt();
    program.expect_connected();
    peer.close();
    program.expect_disconnected();
    let mut peer = second.accept_mqtt();
    program.expect_connected();
    let token = program.send("order", QoS::ExactlyOnce);
    let id = peer.expect_publish("order").id();
    peer.pubrec(id);
    peer.expect(PacketType::Pubrel);
    peer.close();
    program.expect_disconnected();
    let mut peer = first.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    assert!(program.expect_connected());
    assert_eq!(program.expect_published(token).failure, Some(Status::SessionLost));
    program.send("next", QoS::AtMostOnce);
    peer.expect_publish("next");
}

#[test]
fn messages_go_on_at_another_real_server_with_another_scheme() {
    const COUNT: usize = 2000;
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("failover between real Servers", "mosquitto");
    }
    let authority = Authority::new("Test CA");
    let folder = common::certificates::Folder::new();
    let tls = folder.listener(&authority.issue("server", &["127.0.0.1"], Validity::Now));
    let mut first = Mosquitto::start_with_listener(&tls).expect("mosquitto");
    let second = Mosquitto::start_with_listener(&format!("protocol websockets\n{tls}")).expect("mosquitto");
    let urls = format!("mqtts://127.0.0.1:{}, wss://127.0.0.1:{}/mqtt", first.second_port(), second.second_port());
    let program = Program::new(&urls, &[]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::CLIENT_ID, "trader");
    program.connect().unwrap();
    program.expect_connected();
    let seen = second.subscribe(&["-t", "t", "-q", "1"]);
    let mut tokens: HashMap<i64, u32> = HashMap::new();
    let mut published = 0;
    for number in 0..COUNT {
        tokens.insert(program.send(&number.to_string(), QoS::AtLeastOnce), 0);
        // Some are answered, some under way, and many to come.
        while number == COUNT / 2 && published < COUNT / 4 {
            if let Event::Published { token, outcome } = program.event("outcomes from the first Server") {
                assert_eq!(outcome.failure, None);
                *tokens.get_mut(&token).expect("a publish of this test") += 1;
                published += 1;
            }
        }
        if number == COUNT / 2 {
            first.kill();
        }
    }
    while published < COUNT {
        match program.event("the outcome of every publish") {
            Event::Published { token, outcome } => {
                assert_eq!(outcome.failure, None);
                *tokens.get_mut(&token).expect("a publish of this test") += 1;
                published += 1;
            }
            Event::Connected { .. } | Event::Disconnected(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(tokens.values().all(|count| *count == 1), "one outcome each");
    assert!(program.server().unwrap().starts_with("wss://"), "{:?}", program.server());
    // From the first on that the second Server got: all of them, in order.
    let deadline = std::time::Instant::now() + Duration::from_secs(15);
    let mut next: usize = seen.line(deadline).parse().expect("a number");
    assert!(next <= COUNT / 2 + 1, "{next} is the first: those before it were not answered");
    while next < COUNT - 1 {
        let number: usize = seen.line(deadline).parse().expect("a number");
        assert_eq!(number, next + 1);
        next = number;
    }
}

#[test]
fn ipv6_and_names_lead_to_the_server() {
    let mut server = FakeServer::start_at("::1".parse().unwrap());
    let program = Program::connecting(&server.url(), &[]);
    server.accept_mqtt();
    program.expect_connected();
    assert_eq!(program.server().unwrap(), format!("mqtt://[::1]:{}", server.port()));
    // The name has an address of each family, as a rule, and one of them has no Server.
    for ip in ["127.0.0.1", "::1"] {
        let mut server = FakeServer::start_at(ip.parse().unwrap());
        if ip == "::1" && !localhost_is_both() {
            continue;
        }
        let program = Program::connecting(&format!("mqtt://localhost:{}", server.port()), &[]);
        server.accept_mqtt();
        program.expect_connected();
    }
}

fn localhost_is_both() -> bool {
    use std::net::ToSocketAddrs;
    ("localhost", 1).to_socket_addrs().is_ok_and(|mut found| found.any(|address| address.is_ipv6()))
}

#[test]
fn a_real_server_asks_for_user_name_and_password_over_ipv6() {
    let (Some(_), Some(tool)) = (tools::find("mosquitto"), tools::find("mosquitto_passwd")) else {
        return tools::leave_out("user name and password with a real Server", "mosquitto");
    };
    let folder = common::certificates::Folder::new();
    let file = folder.path().join("passwords");
    tools::run(std::process::Command::new(tool).args(["-b", "-c"]).arg(&file).args(["trader", "s3cret"]));
    let lines = format!("password_file {}\nallow_anonymous false\n", file.display());
    let server = Mosquitto::start_with_listener_at("::1", &lines).expect("mosquitto");
    let connect = |version, user: Option<&str>, password: &str| {
        let url = format!("mqtt://[::1]:{}", server.second_port());
        let program = Program::new(&url, &[(IntOption::Reconnect, 0), (IntOption::ProtocolVersion, version)]);
        if let Some(user) = user {
            program.set_text(options::USER_NAME, user);
            program.set_text(options::PASSWORD, password);
        }
        program.connect().unwrap();
        match program.event("Connected or Disconnected") {
            Event::Connected { .. } => None,
            Event::Disconnected(end) => {
                assert!(!format!("{end:?}").contains(password), "{}", end.detail);
                end.failure
            }
            other => panic!("{other:?}"),
        }
    };
    for version in [4, 5] {
        assert_eq!(connect(version, Some("trader"), "s3cret"), None);
        assert_eq!(connect(version, Some("trader"), "wr0ng"), Some(Status::RefusedByServer));
        assert_eq!(connect(version, None, "s3cret"), Some(Status::RefusedByServer));
    }
}
