//! Identifiers of properties (section 2.2.2.2).

/// Payload Format Indicator: integer.
pub const MT5MQTT_PROP_PAYLOAD_FORMAT_INDICATOR: i32 = 1;
/// Message Expiry Interval: integer.
pub const MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL: i32 = 2;
/// Content Type: text.
pub const MT5MQTT_PROP_CONTENT_TYPE: i32 = 3;
/// Response Topic: text.
pub const MT5MQTT_PROP_RESPONSE_TOPIC: i32 = 8;
/// Correlation Data: bytes.
pub const MT5MQTT_PROP_CORRELATION_DATA: i32 = 9;
/// Subscription Identifier: integer.
pub const MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER: i32 = 11;
/// Session Expiry Interval: integer.
pub const MT5MQTT_PROP_SESSION_EXPIRY_INTERVAL: i32 = 17;
/// Assigned Client Identifier: text.
pub const MT5MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER: i32 = 18;
/// Server Keep Alive: integer.
pub const MT5MQTT_PROP_SERVER_KEEP_ALIVE: i32 = 19;
/// Authentication Method: text.
pub const MT5MQTT_PROP_AUTHENTICATION_METHOD: i32 = 21;
/// Authentication Data: bytes.
pub const MT5MQTT_PROP_AUTHENTICATION_DATA: i32 = 22;
/// Request Problem Information: integer.
pub const MT5MQTT_PROP_REQUEST_PROBLEM_INFORMATION: i32 = 23;
/// Will Delay Interval: integer.
pub const MT5MQTT_PROP_WILL_DELAY_INTERVAL: i32 = 24;
/// Request Response Information: integer.
pub const MT5MQTT_PROP_REQUEST_RESPONSE_INFORMATION: i32 = 25;
/// Response Information: text.
pub const MT5MQTT_PROP_RESPONSE_INFORMATION: i32 = 26;
/// Server Reference: text.
pub const MT5MQTT_PROP_SERVER_REFERENCE: i32 = 28;
/// Reason String: text.
pub const MT5MQTT_PROP_REASON_STRING: i32 = 31;
/// Receive Maximum: integer.
pub const MT5MQTT_PROP_RECEIVE_MAXIMUM: i32 = 33;
/// Topic Alias Maximum: integer.
pub const MT5MQTT_PROP_TOPIC_ALIAS_MAXIMUM: i32 = 34;
/// Topic Alias: integer.
pub const MT5MQTT_PROP_TOPIC_ALIAS: i32 = 35;
/// Maximum QoS: integer.
pub const MT5MQTT_PROP_MAXIMUM_QOS: i32 = 36;
/// Retain Available: integer.
pub const MT5MQTT_PROP_RETAIN_AVAILABLE: i32 = 37;
/// User Property: pairs of texts.
pub const MT5MQTT_PROP_USER_PROPERTY: i32 = 38;
/// Maximum Packet Size: integer.
pub const MT5MQTT_PROP_MAXIMUM_PACKET_SIZE: i32 = 39;
/// Wildcard Subscription Available: integer.
pub const MT5MQTT_PROP_WILDCARD_SUBSCRIPTION_AVAILABLE: i32 = 40;
/// Subscription Identifier Available: integer.
pub const MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE: i32 = 41;
/// Shared Subscription Available: integer.
pub const MT5MQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE: i32 = 42;
