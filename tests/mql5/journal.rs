//! What a Server refuses is in the journal, in words, and once.

use crate::common::fake_server::FakeServer;
use crate::common::folder::Folder;
use crate::common::mosquitto::Mosquitto;
use crate::compile::program;
use crate::host::Terminal;
use crate::programs::{next, set_up};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::codec::subscribe::Suback;
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;
use std::fs;

/// A terminal, and a Server that lets nobody publish what the programs publish, by rules in a file.
fn set_up_refusing(leg: &str) -> Option<(Terminal, Mosquitto, Folder)> {
    let (mut terminal, _) = set_up(leg)?;
    let files = Folder::new("rules");
    terminal.command(&["files", &files.path().display().to_string()]);
    let rules = files.path().join("rules");
    fs::write(&rules, "topic read mt5/#\n").expect("write the rules");
    let server = Mosquitto::start_with(&format!("acl_file {}\n", rules.display())).expect("mosquitto");
    Some((terminal, server, files))
}

#[test]
fn what_the_server_refuses_is_in_the_journal() {
    let Some((mut terminal, server, _files)) = set_up_refusing("refused publishes") else { return };
    let why = "failed: Not authorized: The Server doesn't allow this to this user.";
    let refused = format!("a publish {why}");
    for (name, program, says) in [
        ("telemetry", "Telemetry", "MQTT: "),
        ("master", "TradeCopierMaster", ""),
        ("follower", "TradeCopierFollower", "copier: "),
    ] {
        let path = format!("mql5/Experts/Mt5Mqtt/{program}.mq5");
        terminal.expert(name, &path, &[("InpUrl", &server.url())]);
        assert_eq!(terminal.expect(name, "print", "failed"), format!("{says}{refused}"));
    }
    for copier in ["master", "follower"] {
        terminal.expect(copier, "comment", &refused);
    }
    // Three publishes and a request.
    assert_eq!(bare(&mut terminal, &server.url(), 5), [format!("MQTT: {refused}"), format!("MQTT: a request {why}")]);
    terminal.close();
}

/// What a program prints that overrides nothing and takes so many events.
fn bare(terminal: &mut Terminal, url: &str, events: u32) -> Vec<String> {
    let inputs = [("InpUrl", url.to_owned()), ("InpEvents", events.to_string())];
    let inputs = inputs.each_ref().map(|(name, value)| (*name, value.as_str()));
    terminal.load("script", "bare", &program("tests/mql5/programs/Bare.mq5"), ("1", "EURUSD"), &inputs);
    terminal.expect("bare", "ended", "");
    terminal.said("bare", "print")
}

/// A Server may refuse what it would take a moment later.
#[test]
fn a_state_that_was_refused_is_published_again_soon() {
    let Some((mut terminal, server, files)) = set_up_refusing("a refused state") else { return };
    let listening = server.subscribe(&["-t", "mt5/copier/+/state", "-F", "%t %p"]);
    let inputs = [("InpUrl", server.url()), ("InpSeconds", "3600".to_owned())];
    let inputs = inputs.each_ref().map(|(name, value)| (*name, value.as_str()));
    terminal.expert("master", "mql5/Experts/Mt5Mqtt/TradeCopierMaster.mq5", &inputs);
    terminal.expect("master", "print", "a publish failed");
    // The presence, and then the state.
    terminal.expect("master", "comment", "state 1");
    fs::write(files.path().join("rules"), "topic readwrite mt5/#\n").expect("write the rules");
    server.reload();
    assert_eq!(next(&listening).0, "mt5/copier/master/state");
    terminal.close();
}

#[test]
fn attempts_that_fail_alike_are_in_the_journal_once() {
    let Some((mut terminal, server)) = set_up("failures of a bare client") else { return };
    let nobody = server.url();
    drop(server);
    let printed = bare(&mut terminal, &nobody, 3);
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(
        printed[0].starts_with("MQTT: the connection failed: ") && printed[0].contains("nobody listens"),
        "{printed:?}"
    );
    // Two that are tried in turn.
    let printed = bare(&mut terminal, &format!("{nobody},{}", nobody.replace("127.0.0.1", "127.0.0.2")), 6);
    assert_eq!(printed.len(), 1 + 2, "{printed:?}");
    terminal.close();
}

#[test]
fn a_refused_subscription_does_not_look_like_a_granted_one() {
    let Some((mut terminal, _)) = set_up("a refused subscription") else { return };
    let files = Folder::new("refused");
    terminal.command(&["files", &files.path().display().to_string()]);
    let mut server = FakeServer::start();
    for program in ["MinimalEA", "RemoteControl", "LowLatencyEA", "TradeCopierFollower"] {
        let path = format!("mql5/Experts/Mt5Mqtt/{program}.mq5");
        terminal.expert(program, &path, &[("InpUrl", &server.url())]);
        let mut peer = server.accept_mqtt();
        let packet_id = peer.expect(PacketType::Subscribe).id();
        let reasons = vec![ReasonCode::NOT_AUTHORIZED];
        peer.send(&Packet::Suback(Suback { packet_id, properties: Properties::EMPTY, reasons }));
        terminal.expect(program, "print", "failed: Not authorized");
        let printed = terminal.said(program, "print");
        assert!(printed.iter().any(|line| line.contains("subscribing to mt5/")), "{printed:?}");
        assert!(!printed.iter().any(|line| line.contains("subscribed")), "{printed:?}");
        // It is not to come back while the next one is awaited.
        terminal.command(&["remove", program]);
        while !matches!(peer.read("DISCONNECT").packet(), Packet::Disconnect(_)) {}
        peer.close();
        terminal.expect(program, "ended", "");
    }
    terminal.close();
}

#[test]
fn a_refused_connection_is_told_of_without_saying_it_twice() {
    let Some((mut terminal, _)) = set_up("a refused connection") else { return };
    let server = Mosquitto::start_with("allow_anonymous false\n").expect("mosquitto");
    let printed = bare(&mut terminal, &server.url(), 2);
    let why =
        "the Server refused the connection: 0x87 Not authorized: The Server doesn't allow this to this user. Check ";
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(printed[0].starts_with(&format!("MQTT: the connection failed: {why}")), "{printed:?}");
    terminal.close();
}
