//! What programs are yet to be done with when the Server has lost the Session.

use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::{PacketType, QoS};

const QOS1: QoS = QoS::AtLeastOnce;

/// The payload of the next event, a message with a key.
#[track_caller]
fn keyed(program: &Program) -> String {
    match program.event("a message") {
        Event::Message { message, .. } => String::from_utf8_lossy(message.payload()).into_owned(),
        other => panic!("expected a message, got {other:?}"),
    }
}

#[test]
fn what_programs_are_done_with_only_then_is_kept_away_when_it_comes_again() {
    let Pair { mut server, mut peer, first, second } = pair("lost-keys", &[(IntOption::Deduplicate, 2)]);
    subscribe(&first, &mut peer, "t", QOS1);
    subscribe(&second, &mut peer, "t", QOS1);
    peer.publish_keyed("7", "buy", 1, QOS1, false);
    peer.publish_keyed("8", "sell", 2, QOS1, false);
    // The first one has them too: it was the first to hold the filter.
    assert_eq!((keyed(&second), keyed(&second)), ("buy".to_owned(), "sell".to_owned()));
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(false);
    granted(&mut peer, "t");
    second.expect_disconnected();
    second.expect_connected();
    assert_eq!(keyed(&first), "buy");
    first.send("behind", QoS::AtMostOnce);
    peer.expect_publish("behind");
    // Their sender wasn't sure, and has published both once more. Only with the first of them all are done.
    peer.publish_keyed("7", "buy", 1, QOS1, false);
    peer.publish_keyed("8", "sell", 2, QOS1, false);
    assert_eq!(keyed(&second), "sell");
    for payload in ["sell", "sell"] {
        loop {
            match first.event("a message") {
                Event::Disconnected(_) | Event::Connected { .. } => {}
                Event::Message { message, .. } => break assert_eq!(message.payload(), payload.as_bytes()),
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }
    for id in [1, 2] {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
}
