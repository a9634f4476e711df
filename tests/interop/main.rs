//! One story, told with two Servers that know nothing of each other, in both protocol versions: everything that two clients of
//! this library do with one another through a Server.

#[path = "../common/mod.rs"]
mod common;

mod embedded;
mod party;
mod story;

use common::mosquitto::Mosquitto;
use common::tools;
use embedded::Embedded;
use mt5mqtt::types::ProtocolVersion;
use party::Server;

#[test]
fn one_story_with_mosquitto() {
    // MQTT311-7.0.0-2
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the story with Mosquitto", "mosquitto");
    }
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        let mosquitto = Mosquitto::start().expect("mosquitto");
        // The default. Mosquitto 2.0.11 breaks MQTT-3.3.4-9 when it is small: after each PUBCOMP it sends several more.
        story::told(&Server { url: mosquitto.url(), version, receive_maximum: 1024 });
    }
}

#[test]
fn one_story_with_the_broker_of_the_crate_mqtt5() {
    // MQTT311-7.0.0-2
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        let broker = Embedded::start();
        // Small, so that the broker comes up against it.
        story::told(&Server { url: broker.url(), version, receive_maximum: 3 });
    }
}
