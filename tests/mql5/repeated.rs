//! Deduplication in an Expert Advisor whose terminal is killed: what it was done with is recognised by the next one, and what
//! it was not done with comes as new.

use crate::common::fake_server::{FakeServer, Peer};
use crate::common::folder::Folder;
use crate::compile::compiler;
use crate::host::Terminal;
use mt5mqtt::types::{PacketType, QoS};

/// A terminal with the Expert Advisor, connected.
fn start(server: &mut FakeServer, folder: &Folder, session_present: bool) -> (Terminal, Peer) {
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    let store = folder.path().to_str().expect("a path in UTF-8");
    terminal.expert("repeated", "tests/mql5/programs/Repeated.mq5", &[("InpUrl", &server.url()), ("InpStore", store)]);
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(session_present);
    terminal.expect("repeated", "print", "connected");
    (terminal, peer)
}

#[test]
fn an_expert_whose_terminal_was_killed_knows_what_it_was_done_with() {
    let Some(_) = compiler("deduplication in an Expert Advisor") else { return };
    let (mut server, folder) = (FakeServer::start(), Folder::new("mql5-deduplication"));
    let (mut first, mut peer) = start(&mut server, &folder, false);
    peer.publish_keyed("7", "done: buy", 1, QoS::AtLeastOnce, false);
    peer.publish_keyed("8", "sell", 2, QoS::ExactlyOnce, false);
    assert_eq!(first.expect("repeated", "print", "buy"), "new: done: buy");
    assert_eq!(first.expect("repeated", "print", "sell"), "new: sell");
    peer.expect(PacketType::Puback);
    peer.publish_keyed("7", "done: buy", 3, QoS::AtLeastOnce, false);
    assert_eq!(first.expect("repeated", "print", "buy"), "again: done: buy");
    // Without a word to its programs.
    drop(first);

    let (mut second, mut peer) = start(&mut server, &folder, true);
    peer.publish_keyed("7", "done: buy", 1, QoS::AtLeastOnce, true);
    peer.publish_keyed("8", "sell", 2, QoS::ExactlyOnce, true);
    assert_eq!(second.expect("repeated", "print", "buy"), "again: done: buy");
    assert_eq!(second.expect("repeated", "print", "sell"), "new: sell");
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    second.close();
}
