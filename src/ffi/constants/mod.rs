//! The numbers of the ABI, for the header. `agreement` checks them against the library's own tables.

/// The ABI of this header. It grows with every incompatible change; compare it with `mt5mqtt_abi_version()` at start.
pub const MT5MQTT_ABI_VERSION: i32 = 1;

/// Success.
pub const MT5MQTT_OK: i32 = 0;
/// The handle doesn't exist, or was freed already.
pub const MT5MQTT_E_INVALID_HANDLE: i32 = -1;
/// An argument is missing or has a value that this function doesn't know.
pub const MT5MQTT_E_INVALID_ARGUMENT: i32 = -2;
/// The text is not well-formed Unicode, or it holds the character U+0000.
pub const MT5MQTT_E_INVALID_TEXT: i32 = -3;
/// The Topic Name or Topic Filter breaks the rules of MQTT.
pub const MT5MQTT_E_INVALID_TOPIC: i32 = -4;
/// The value lies outside the range of this option or property.
pub const MT5MQTT_E_OUT_OF_RANGE: i32 = -5;
/// The option or property takes a value of another type.
pub const MT5MQTT_E_WRONG_TYPE: i32 = -6;
/// The call isn't possible in the client's present state.
pub const MT5MQTT_E_WRONG_STATE: i32 = -7;
/// struct_size is not set to the size of the struct: the caller was built for another ABI.
pub const MT5MQTT_E_STRUCT_SIZE: i32 = -8;
/// There is no current event: call poll first.
pub const MT5MQTT_E_NO_EVENT: i32 = -9;
/// The current event has no such property, or the value isn't known yet.
pub const MT5MQTT_E_NOT_PRESENT: i32 = -10;
/// No message waits for an acknowledgement with this token.
pub const MT5MQTT_E_UNKNOWN_TOKEN: i32 = -11;
/// The outgoing queue is full: nothing was accepted.
pub const MT5MQTT_E_QUEUE_FULL: i32 = -20;
/// The message is larger than the Server or the standard allows.
pub const MT5MQTT_E_TOO_LARGE: i32 = -21;
/// The Server announced that it doesn't support this.
pub const MT5MQTT_E_NOT_SUPPORTED_BY_SERVER: i32 = -22;
/// There is no connection to the Server at the moment.
pub const MT5MQTT_E_NOT_CONNECTED: i32 = -23;
/// The accepted message was dropped to make room for newer ones.
pub const MT5MQTT_E_DROPPED: i32 = -24;
/// There was no answer in time.
pub const MT5MQTT_E_TIMEOUT: i32 = -25;
/// The message waited longer than its time to live or its Message Expiry Interval, and was dropped.
pub const MT5MQTT_E_EXPIRED: i32 = -29;
/// A newer message with the same conflation key took the place of this one before it was sent.
pub const MT5MQTT_E_SUPERSEDED: i32 = -30;
/// The program withdrew the message before it was sent.
pub const MT5MQTT_E_CANCELLED: i32 = -31;
/// The payload is not UTF-8, though its Payload Format Indicator says so.
pub const MT5MQTT_E_PAYLOAD_FORMAT: i32 = -26;
/// The host name of the Server could not be resolved.
pub const MT5MQTT_E_RESOLVE: i32 = -40;
/// No address of the Server accepted the connection.
pub const MT5MQTT_E_CONNECT_FAILED: i32 = -41;
/// The Server didn't answer within the connect timeout.
pub const MT5MQTT_E_CONNECT_TIMEOUT: i32 = -42;
/// The Server closed the connection without giving a reason.
pub const MT5MQTT_E_CONNECTION_CLOSED: i32 = -43;
/// Reading from or writing to the network failed.
pub const MT5MQTT_E_NETWORK: i32 = -44;
/// The Server didn't answer a PINGREQ in time: the connection is dead.
pub const MT5MQTT_E_KEEP_ALIVE_TIMEOUT: i32 = -45;
/// The Server's certificate was not accepted: the event's text says why.
pub const MT5MQTT_E_TLS_CERTIFICATE: i32 = -46;
/// The Server wants a client certificate, or refuses the one that it got.
pub const MT5MQTT_E_TLS_CLIENT_CERTIFICATE: i32 = -47;
/// TLS with the Server failed: the event's text says why.
pub const MT5MQTT_E_TLS: i32 = -48;
/// What answers there speaks another protocol than the URL says.
pub const MT5MQTT_E_WRONG_PROTOCOL: i32 = -49;
/// The proxy can't be used, refused, or could not reach the Server.
pub const MT5MQTT_E_PROXY: i32 = -50;
/// The Server refused the WebSocket, or broke its protocol.
pub const MT5MQTT_E_WEBSOCKET: i32 = -51;
/// The TLS options can't be used: a file is missing or damaged, or key and certificate don't belong together.
pub const MT5MQTT_E_TLS_SETUP: i32 = -52;
/// The Server refused: see the Reason Code.
pub const MT5MQTT_E_REFUSED_BY_SERVER: i32 = -60;
/// The Server sent a packet that can't be parsed.
pub const MT5MQTT_E_MALFORMED_PACKET: i32 = -61;
/// The Server broke the protocol.
pub const MT5MQTT_E_PROTOCOL_ERROR: i32 = -62;
/// The Server ended the connection: see the Reason Code.
pub const MT5MQTT_E_SERVER_DISCONNECTED: i32 = -63;
/// The Server lost the Session, or doesn't take again what it was sent: whether this message arrived can't be known.
pub const MT5MQTT_E_SESSION_LOST: i32 = -64;
/// The authentication failed: one side could not prove itself in time.
pub const MT5MQTT_E_AUTHENTICATION_FAILED: i32 = -65;
/// The background thread could not be started.
pub const MT5MQTT_E_THREAD: i32 = -80;
/// The store could not be opened or made: see the text.
pub const MT5MQTT_E_STORE_NOT_OPENED: i32 = -81;
/// The store is in use by another client or process.
pub const MT5MQTT_E_STORE_IN_USE: i32 = -82;
/// The store is damaged. Nothing was changed; move it away to start anew.
pub const MT5MQTT_E_STORE_DAMAGED: i32 = -83;
/// The store was written by a newer version of this library.
pub const MT5MQTT_E_STORE_NEWER: i32 = -84;
/// The store belongs to another Client Identifier or Server.
pub const MT5MQTT_E_STORE_OF_ANOTHER: i32 = -85;
/// The store can't be written, perhaps because the disk is full. It is tried again.
pub const MT5MQTT_E_STORE_NOT_WRITTEN: i32 = -86;
/// A fault inside the library: this client has failed for good and can only be freed.
pub const MT5MQTT_E_PANIC: i32 = -90;
/// A thread was ended in the middle of a call of this client, or of this set of properties, and left it locked: what it holds
/// stays until the process ends.
pub const MT5MQTT_E_LEFT_LOCKED: i32 = -120;
/// The programs on a shared connection don't agree on this: the text names it.
pub const MT5MQTT_E_SHARED_DIFFERS: i32 = -160;
/// Another program has connected with the same shared connection and the same name of an inbox.
pub const MT5MQTT_E_SHARED_TAKEN_OVER: i32 = -161;
/// The program didn't take its messages for so long that others would have had to wait: it has missed some.
pub const MT5MQTT_E_SHARED_MISSED: i32 = -162;

/// Not asked to connect, or disconnected.
pub const MT5MQTT_STATE_IDLE: i32 = 0;
/// Looking for the Server, or waiting for its CONNACK.
pub const MT5MQTT_STATE_CONNECTING: i32 = 1;
/// The Server has accepted the connection.
pub const MT5MQTT_STATE_CONNECTED: i32 = 2;
/// The connection was lost or refused; the next attempt comes when its delay is over.
pub const MT5MQTT_STATE_WAITING: i32 = 3;
/// A fault inside the library: this client can only be freed.
pub const MT5MQTT_STATE_FAILED: i32 = 4;

// The header has them in this order, behind those above.
mod options;

mod events;

mod properties;

mod statistics;

pub use events::*;
pub use options::*;
pub use properties::*;
pub use statistics::*;
