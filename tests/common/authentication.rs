//! The Server's side of Enhanced Authentication.

use super::fake_server::Peer;
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::disconnect::Auth;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;

/// Adds Authentication Method and Authentication Data.
pub fn named(set: &mut PropertiesBuf, method: &str, data: &[u8]) {
    set.set(PropertyId::AuthenticationMethod, Value::Text(method)).unwrap();
    set.set(PropertyId::AuthenticationData, Value::Binary(data)).unwrap();
}

/// Sends AUTH.
pub fn send_auth(peer: &mut Peer, reason: ReasonCode, method: &str, data: &[u8]) {
    let mut properties = PropertiesBuf::new();
    named(&mut properties, method, data);
    peer.send(&Packet::Auth(Auth { reason, properties: properties.as_properties() }));
}

/// The Authentication Data of the next packet, which is CONNECT or AUTH.
#[track_caller]
pub fn expect_data(peer: &mut Peer, packet: PacketType) -> Vec<u8> {
    let received = peer.expect(packet);
    let properties = match received.packet() {
        Packet::Connect(connect) => connect.properties,
        Packet::Auth(auth) => auth.properties,
        other => panic!("{other:?}"),
    };
    properties.binary(PropertyId::AuthenticationData).unwrap_or_default().to_vec()
}
