//! One story, told with two Servers that know nothing of each other, in both protocol versions and over TCP, TLS and WebSocket:
//! everything that two clients of this library do with one another through a Server.

#[path = "../common/mod.rs"]
mod common;

mod embedded;
mod party;
mod road;
mod story;

use common::mosquitto::Mosquitto;
use common::tools;
use embedded::Embedded;
use mt5mqtt::types::ProtocolVersion;
use party::Server;
use road::{Identity, Road};

/// Larger than any buffer of a socket.
const LARGEST: usize = 3_000_000;

fn every_way() -> impl Iterator<Item = (Road, ProtocolVersion)> {
    let versions = [ProtocolVersion::V311, ProtocolVersion::V5];
    Road::ALL.into_iter().flat_map(move |road| versions.map(|version| (road, version)))
}

#[test]
fn one_story_with_mosquitto() {
    // MQTT311-7.0.0-2
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the story with Mosquitto", "mosquitto");
    }
    let identity = Identity::new();
    let tls = identity.folder.listener(&identity.server);
    for (road, version) in every_way() {
        let mut lines = if road.is_tls() { tls.clone() } else { String::new() };
        if road.is_websocket() {
            lines += "protocol websockets\n";
        }
        let mosquitto = Mosquitto::start_with_listener(&lines).expect("mosquitto");
        story::told(&Server {
            url: road.url(mosquitto.second_port()),
            ca: identity.ca.clone(),
            version,
            // The default. Mosquitto 2.0.11 breaks MQTT-3.3.4-9 when it is small: after each PUBCOMP it sends several more.
            receive_maximum: 1024,
            // It also gets stuck when it is to send what its WebSocket doesn't take at once.
            largest: if road.is_websocket() { 60_000 } else { LARGEST },
        });
    }
}

#[test]
fn one_story_with_the_broker_of_the_crate_mqtt5() {
    // MQTT311-7.0.0-2
    // MQTT-6.0.0-2
    let identity = Identity::new();
    for (road, version) in every_way() {
        let broker = Embedded::start(road, &identity);
        story::told(&Server {
            url: broker.url(),
            ca: identity.ca.clone(),
            version,
            // Small, so that the broker comes up against it.
            receive_maximum: 3,
            largest: LARGEST,
        });
    }
}
