//! Numbers of figures.

/// PUBLISH packets sent, redelivered ones included.
pub const MT5MQTT_STAT_MESSAGES_SENT: i32 = 1;
/// PUBLISH packets received.
pub const MT5MQTT_STAT_MESSAGES_RECEIVED: i32 = 2;
/// Bytes written to the network.
pub const MT5MQTT_STAT_BYTES_SENT: i32 = 3;
/// Bytes read from the network.
pub const MT5MQTT_STAT_BYTES_RECEIVED: i32 = 4;
/// Connections that the Server accepted.
pub const MT5MQTT_STAT_CONNECTIONS: i32 = 5;
/// Accepted and unfinished publishes, now.
pub const MT5MQTT_STAT_OUTGOING: i32 = 10;
/// Their bytes.
pub const MT5MQTT_STAT_OUTGOING_BYTES: i32 = 11;
/// QoS 1 and 2 publishes that were sent and are not finished, now.
pub const MT5MQTT_STAT_IN_FLIGHT: i32 = 12;
/// Events that wait to be polled, now.
pub const MT5MQTT_STAT_EVENTS: i32 = 13;
/// Their bytes.
pub const MT5MQTT_STAT_EVENTS_BYTES: i32 = 14;
/// Events dropped for want of room.
pub const MT5MQTT_STAT_EVENTS_DROPPED: i32 = 15;
/// Accepted publishes dropped for want of room.
pub const MT5MQTT_STAT_PUBLISHES_DROPPED: i32 = 16;
/// PUBLISH packets sent again after a reconnect.
pub const MT5MQTT_STAT_REDELIVERED: i32 = 17;
/// Microseconds from the last PINGREQ to its PINGRESP; MT5MQTT_E_NOT_PRESENT before the first.
pub const MT5MQTT_STAT_PING_RTT_US: i32 = 18;
/// Milliseconds of the last reconnect delay.
pub const MT5MQTT_STAT_LAST_DELAY_MS: i32 = 19;
/// Harmless faults of the Server that were passed over.
pub const MT5MQTT_STAT_BREACHES: i32 = 20;
/// What the Server announced for the present connection (MT5MQTT_E_NOT_CONNECTED without one): its Receive Maximum.
pub const MT5MQTT_STAT_SERVER_RECEIVE_MAXIMUM: i32 = 30;
/// The Server's Maximum QoS.
pub const MT5MQTT_STAT_SERVER_MAXIMUM_QOS: i32 = 31;
/// Whether the Server keeps retained messages, 0 or 1.
pub const MT5MQTT_STAT_SERVER_RETAIN_AVAILABLE: i32 = 32;
/// The Server's Maximum Packet Size in bytes.
pub const MT5MQTT_STAT_SERVER_MAXIMUM_PACKET_SIZE: i32 = 33;
/// The Server's Topic Alias Maximum.
pub const MT5MQTT_STAT_SERVER_TOPIC_ALIAS_MAXIMUM: i32 = 34;
/// Whether the Server takes wildcards in Topic Filters, 0 or 1.
pub const MT5MQTT_STAT_SERVER_WILDCARD_AVAILABLE: i32 = 35;
/// Whether the Server takes Subscription Identifiers, 0 or 1.
pub const MT5MQTT_STAT_SERVER_SUBSCRIPTION_IDENTIFIER_AVAILABLE: i32 = 36;
/// Whether the Server takes Shared Subscriptions, 0 or 1.
pub const MT5MQTT_STAT_SERVER_SHARED_AVAILABLE: i32 = 37;
/// Seconds: the Keep Alive in force.
pub const MT5MQTT_STAT_SERVER_KEEP_ALIVE_S: i32 = 38;
/// Seconds: the Session Expiry Interval in force.
pub const MT5MQTT_STAT_SERVER_SESSION_EXPIRY_S: i32 = 39;
/// The version that the present connection speaks: 5 (MQTT 5.0) or 4 (MQTT 3.1.1); MT5MQTT_E_NOT_CONNECTED without one.
pub const MT5MQTT_STAT_PROTOCOL_VERSION: i32 = 50;
/// Which of the URLs in MT5MQTT_OPT_URL is in use, tried, or tried next: 0 is the first.
pub const MT5MQTT_STAT_SERVER_INDEX: i32 = 60;
/// Accepted publishes dropped because they had waited too long.
pub const MT5MQTT_STAT_PUBLISHES_EXPIRED: i32 = 70;
/// Accepted publishes whose place a newer one with the same conflation key took.
pub const MT5MQTT_STAT_PUBLISHES_SUPERSEDED: i32 = 71;
/// Publishes that an earlier process had left in the store.
pub const MT5MQTT_STAT_STORE_RESTORED: i32 = 72;
/// Times that changes were written to the store: far less than messages when these come in bursts.
pub const MT5MQTT_STAT_STORE_COMMITS: i32 = 73;
/// Received messages that did not come, as the program was done with them before (option DEDUPLICATE 2).
pub const MT5MQTT_STAT_MESSAGES_SUPPRESSED: i32 = 74;
/// Programs on the shared connection; 0 with a client that isn't a part of one.
pub const MT5MQTT_STAT_SHARED_PROGRAMS: i32 = 160;
/// Messages on the shared connection that matched no program's Topic Filter, as when they were under way while it unsubscribed.
pub const MT5MQTT_STAT_SHARED_NOBODYS: i32 = 161;
/// Messages on the shared connection that this program has missed: see MT5MQTT_EVENT_MISSED.
pub const MT5MQTT_STAT_SHARED_MISSED: i32 = 162;
