//! Deduplication as a host sees it: the option, the mark in the event, and a store that outlives the client.

use crate::common::abi::abi;
use crate::common::fake_server::{FakeServer, Peer};
use crate::common::folder::Folder;
use crate::host::Client;
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::{PacketType, QoS};

const QOS_1: QoS = QoS::AtLeastOnce;

/// A client with a store that is connected, with explicit acknowledgement.
fn start(server: &mut FakeServer, folder: &Folder, deduplicate: i64, session_present: bool) -> (Client, Peer) {
    let client = Client::new();
    client.set_text(MT5MQTT_OPT_URL, &server.url());
    client.set_text(MT5MQTT_OPT_CLIENT_ID, "c");
    client.set_text(MT5MQTT_OPT_STORE_PATH, folder.path().to_str().expect("a path in UTF-8"));
    client.set_text(MT5MQTT_OPT_DEDUPLICATE_BY, "key");
    for (option, value) in
        [(MT5MQTT_OPT_DEDUPLICATE, deduplicate), (MT5MQTT_OPT_DEDUPLICATION_WINDOW, 100), (MT5MQTT_OPT_ACKNOWLEDGE, 2)]
    {
        client.set_int(option, value);
    }
    abi().good(abi().connect(client.handle));
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(session_present);
    client.expect(MT5MQTT_EVENT_CONNECTED);
    (client, peer)
}

/// The next event is a message with this payload; returns its token, and whether it is marked as seen before.
#[track_caller]
fn gets(client: &Client, payload: &str) -> (i64, bool) {
    let event = client.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!(String::from_utf8_lossy(&client.payload()), payload);
    assert!([0, MT5MQTT_MESSAGE_SEEN_BEFORE].contains(&event.detail));
    (event.token, event.detail == MT5MQTT_MESSAGE_SEEN_BEFORE)
}

#[test]
fn a_host_that_starts_again_recognises_what_it_was_done_with() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("abi-deduplication"));
    let (first, mut peer) = start(&mut server, &folder, 1, false);
    peer.publish_keyed("7", "done", 1, QOS_1, false);
    peer.publish_keyed("8", "not done", 2, QOS_1, false);
    let (token, seen) = gets(&first, "done");
    assert!(!seen && !gets(&first, "not done").1);
    abi().good(abi().acknowledge(first.handle, token, 0));
    peer.expect(PacketType::Puback);
    // Here a message with its key comes again.
    peer.publish_keyed("7", "done", 3, QOS_1, false);
    assert!(gets(&first, "done").1);
    drop(first);

    // Marked by the next one; and the unacknowledged one, which the Server repeats, is no repetition to the host.
    let (second, mut peer) = start(&mut server, &folder, 1, true);
    peer.publish_keyed("7", "done", 4, QOS_1, false);
    peer.publish_keyed("8", "not done", 2, QOS_1, true);
    assert!(gets(&second, "done").1);
    let (token, seen) = gets(&second, "not done");
    assert!(!seen);
    abi().good(abi().acknowledge(second.handle, token, 0));
    drop(second);

    // Kept away from the one after it.
    let (third, mut peer) = start(&mut server, &folder, 2, true);
    peer.publish_keyed("7", "done", 5, QOS_1, false);
    peer.expect(PacketType::Puback);
    peer.publish_keyed("9", "new", 6, QOS_1, false);
    gets(&third, "new");
    assert_eq!(abi().stat(third.handle, MT5MQTT_STAT_MESSAGES_SUPPRESSED), 1);
}
