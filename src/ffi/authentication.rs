//! Exports of Enhanced Authentication.

use super::guard::guard_client;
use super::properties;
use super::text::bytes;
use crate::codec::property::Section;
use crate::types::PacketType;

/// Answers MT5MQTT_EVENT_AUTHENTICATE, which is the current event: sends AUTH with this Authentication Data (none with size 0).
/// `properties` may hold a Reason String and User Properties, or is 0. An answer to a connection that is gone does nothing.
/// Fails with MT5MQTT_E_NO_EVENT, MT5MQTT_E_WRONG_STATE for another event, or MT5MQTT_E_TOO_LARGE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_authenticate(client: i64, data: *const u8, size: i32, properties: i64) -> i32 {
    guard_client(client, |client| {
        // SAFETY: the bytes are the caller's promise.
        let bytes = unsafe { bytes("the data", data, size) }?;
        let properties = properties::copy(properties, Section::Packet(PacketType::Auth))?;
        client.authenticate((!bytes.is_empty()).then_some(bytes), properties.as_properties())?;
        Ok(0)
    })
}

/// Starts a re-authentication with the method of the connection (MQTT 5.0 section 4.12.1); with SCRAM-SHA-256 the library
/// brings the data. Steps come as MT5MQTT_EVENT_AUTHENTICATE, success as MT5MQTT_EVENT_AUTHENTICATED; a failure, or more time
/// than CONNECT_TIMEOUT_MS, ends the connection. One that is under way goes on instead. Fails with MT5MQTT_E_NOT_CONNECTED,
/// MT5MQTT_E_TOO_LARGE, or with MT5MQTT_E_WRONG_STATE when there is no AUTHENTICATION_METHOD.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt5mqtt_reauthenticate(client: i64, data: *const u8, size: i32, properties: i64) -> i32 {
    guard_client(client, |client| {
        // SAFETY: the bytes are the caller's promise.
        let bytes = unsafe { bytes("the data", data, size) }?;
        let properties = properties::copy(properties, Section::Packet(PacketType::Auth))?;
        client.reauthenticate((!bytes.is_empty()).then_some(bytes), properties.as_properties())?;
        Ok(0)
    })
}
