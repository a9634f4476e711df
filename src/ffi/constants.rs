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
/// The call ran out of its time.
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
/// A thread was ended in the middle of a call of this client and left it locked: what the client holds stays until the process ends.
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

/// Text: where the Server is: `mqtt://host:port` (or tcp://; port 1883 if left out), `mqtts://host:port` for TLS (or ssl://; 8883),
/// `ws://host:port/path` for WebSocket (80), `wss://host:port/path` for WebSocket over TLS (443). The host is a name, an IPv4 or
/// an \[IPv6\] address; a ws path may have a query, which no log or error repeats. Up to 16 URLs with commas or white space
/// between them are Servers in the order of preference: after a failure the next one is tried at once, and when all have failed
/// the first again, after the reconnect delay. mt5mqtt_server tells which one is in use. Of a name's addresses the one that
/// accepts a TCP connection first is used; if TLS or WebSocket fails there, the attempt has failed, without the others: for
/// different Servers under one name give each address a URL, and the name by TLS_SERVER_NAME.
pub const MT5MQTT_OPT_URL: i32 = 1;
/// Text: the Client Identifier. Default: none, and the Server assigns one, which is kept for reconnects.
pub const MT5MQTT_OPT_CLIENT_ID: i32 = 2;
/// Text. Default: none.
pub const MT5MQTT_OPT_USER_NAME: i32 = 3;
/// Text or bytes. Default: none.
pub const MT5MQTT_OPT_PASSWORD: i32 = 4;
/// Text: the Topic Name that responses to mt5mqtt_request are to be sent to; no other client may use it. Default: one below the Server's Response Information if REQUEST_RESPONSE_INFORMATION got any, else mt5mqtt/response/ with the Client Identifier.
pub const MT5MQTT_OPT_RESPONSE_TOPIC: i32 = 5;
/// Text: the Authentication Method of Enhanced Authentication (MQTT 5.0 section 4.12). Default: none. SCRAM-SHA-256 is done by the library, with USER_NAME and PASSWORD, which then don't stand in CONNECT; any other method by the program, which is asked by MT5MQTT_EVENT_AUTHENTICATE.
pub const MT5MQTT_OPT_AUTHENTICATION_METHOD: i32 = 6;
/// 5 (MQTT 5.0, the default) or 4 (MQTT 3.1.1).
pub const MT5MQTT_OPT_PROTOCOL_VERSION: i32 = 10;
/// 0 or 1 (default 1): whether the first connection starts a new Session. Reconnects resume it, unless it ended with its connection.
pub const MT5MQTT_OPT_CLEAN_START: i32 = 11;
/// Seconds that the Server keeps the Session after a connection is lost; default 3600; 0 ends it with the connection, 4294967295 keeps it for ever.
pub const MT5MQTT_OPT_SESSION_EXPIRY_S: i32 = 12;
/// Seconds, 0 (off) to 65535, default 30.
pub const MT5MQTT_OPT_KEEP_ALIVE_S: i32 = 13;
/// QoS 1 and 2 messages that the Server may send without waiting for an acknowledgement: 1 to 65535, default 1024. A Server that sends more is disconnected from with Reason Code 0x93; Mosquitto 2.0.11 does so with QoS 2 when the value is small (20, say).
pub const MT5MQTT_OPT_RECEIVE_MAXIMUM: i32 = 14;
/// Bytes of the largest packet that is accepted from the Server: 64 to 268435460, default 16 MiB.
pub const MT5MQTT_OPT_MAXIMUM_PACKET_SIZE: i32 = 15;
/// QoS 1 and 2 messages sent without waiting for an acknowledgement: 1 to 65500. A smaller Receive Maximum of the Server
/// holds. 0 (default): 500, for some Servers slow down with more; 20 in MQTT 3.1.1, where a Server has no way to announce its
/// Receive Maximum.
pub const MT5MQTT_OPT_IN_FLIGHT_MAXIMUM: i32 = 16;
/// 0 or 1 (default): whether the Server may explain failures by Reason Strings and User Properties.
pub const MT5MQTT_OPT_REQUEST_PROBLEM_INFORMATION: i32 = 18;
/// 0 (default) or 1: whether CONNACK shall carry Response Information.
pub const MT5MQTT_OPT_REQUEST_RESPONSE_INFORMATION: i32 = 19;
/// 0 or 1 (default): whether a lost connection is made again. With 0, mt5mqtt_connect tries each URL once, and with PROTOCOL_FALLBACK each version of MQTT, until one accepts.
pub const MT5MQTT_OPT_RECONNECT: i32 = 30;
/// Milliseconds from the start of an attempt at one Server to CONNACK, with name resolution, TCP, proxy, TLS and WebSocket in
/// between: 100 to 600000, default 10000.
pub const MT5MQTT_OPT_CONNECT_TIMEOUT_MS: i32 = 31;
/// Milliseconds: ceiling of the first reconnect delay, which doubles with each failure: 1 to 600000, default 250. The delay is a random part of its ceiling.
pub const MT5MQTT_OPT_RECONNECT_MIN_MS: i32 = 32;
/// Milliseconds: largest ceiling of a reconnect delay: 1 to 86400000, default 30000. A larger RECONNECT_MIN_MS holds.
pub const MT5MQTT_OPT_RECONNECT_MAX_MS: i32 = 33;
/// Milliseconds that the Server may stay silent after a PINGREQ: 100 to 600000, default 10000.
pub const MT5MQTT_OPT_PING_TIMEOUT_MS: i32 = 34;
/// Accepted and unfinished publishes: 1 to 10000000, default 100000.
pub const MT5MQTT_OPT_OUTGOING_MAXIMUM: i32 = 40;
/// As OUTGOING_MAXIMUM, in bytes of topic, properties and payload: 1024 to 4 GiB, default 64 MiB.
pub const MT5MQTT_OPT_OUTGOING_MAXIMUM_BYTES: i32 = 41;
/// What a publish does when these are reached: 0 (default) fails with MT5MQTT_E_QUEUE_FULL, 1 drops the oldest unsent message, 2 the newest, itself unless it has priority: an event with MT5MQTT_E_DROPPED. Priority messages are dropped only if there is no other.
pub const MT5MQTT_OPT_OUTGOING_OVERFLOW: i32 = 42;
/// 0 or 1 (default): whether QoS 0 publishes wait for a connection; with 0 they fail with MT5MQTT_E_NOT_CONNECTED. May be set at any time.
pub const MT5MQTT_OPT_QUEUE_QOS0: i32 = 43;
/// Events that wait to be polled: 1 to 10000000, default 100000. QoS 1 and 2 messages are never dropped: reading from the Server pauses instead. May be set at any time.
pub const MT5MQTT_OPT_EVENTS_MAXIMUM: i32 = 44;
/// As EVENTS_MAXIMUM, in bytes: 1024 to 4 GiB, default 64 MiB. May be set at any time.
pub const MT5MQTT_OPT_EVENTS_MAXIMUM_BYTES: i32 = 45;
/// Which QoS 0 message is dropped, and counted, when these are reached: 0 (default) the oldest, 1 the newest. An event that is no message, the end of a publish say, is dropped only when no QoS 0 message is left. May be set at any time.
pub const MT5MQTT_OPT_EVENTS_OVERFLOW: i32 = 46;
/// When the Server learns that a QoS 1 or 2 message arrived: 0 on arrival, 1 (default) when poll has taken it, 2 by mt5mqtt_acknowledge.
pub const MT5MQTT_OPT_ACKNOWLEDGE: i32 = 50;
/// Milliseconds: longest time that mt5mqtt_wait takes, 1 to 600000, default 250, which suits MetaTrader. May be set at any time.
pub const MT5MQTT_OPT_WAIT_MAXIMUM_MS: i32 = 51;
/// 0: only publishes that fail make an event; 1 (default): completed QoS 1 and 2 publishes do so too. May be set at any time.
pub const MT5MQTT_OPT_PUBLISH_EVENTS: i32 = 52;
/// How many of the QoS 1 and 2 messages that may be unacknowledged at a time only priority messages use: 0 (default) to 65535; at most half of them. Without it an order that has priority may have to wait for one acknowledgement.
pub const MT5MQTT_OPT_PRIORITY_RESERVE: i32 = 160;
/// 0 (default); 1: mt5mqtt_publish_stage knows how far QoS 1 and 2 publishes are; 2: it does, and there are events (MT5MQTT_EVENT_PROGRESS).
pub const MT5MQTT_OPT_PROGRESS: i32 = 161;
/// Text: a folder, in which the Session is stored, so that it survives a crash of the program and of the machine: QoS 1 and 2 messages on their way and in the queue, received QoS 2 Packet Identifiers, messages that were acknowledged on arrival and not taken, ends of publishes that the program has not heard of, subscriptions. It is made if it isn't there. Give a whole path: a relative one counts from the folder that the process is in when the option is set, and the next process may be in another. It is for one CLIENT_ID, which must be set, with a SESSION_EXPIRY_S above 0, at one URL, and for one client at a time; from the first connect on it can't change. On Linux only the user whose process made it can read it. Default: none.
pub const MT5MQTT_OPT_STORE_PATH: i32 = 162;
/// Whether QoS 1 and 2 messages are recognised that the program has had before, by a key that their sender gave them: 0 (default) no; 1: such a message comes with MT5MQTT_MESSAGE_SEEN_BEFORE in its event's detail; 2: one that the program is done with doesn't come at all, and is acknowledged. The program is done with a message when it is acknowledged without a failure (option ACKNOWLEDGE); with STORE_PATH that is stored before the Server hears of it.
pub const MT5MQTT_OPT_DEDUPLICATE: i32 = 163;
/// Text: the name of the User Property whose value is the key of a message. Default: none, and the Correlation Data is the key. A message without a key is always a new one. The Topic Name is no part of the key: two senders that number their messages alike make copies of each other's, so their keys must differ, by an account number before each for example.
pub const MT5MQTT_OPT_DEDUPLICATE_BY: i32 = 164;
/// How many keys are remembered: 1 to 1000000, default 10000. The oldest are forgotten first.
pub const MT5MQTT_OPT_DEDUPLICATION_WINDOW: i32 = 165;
/// Topic Aliases that the Server may use towards this client, which keeps a Topic Name for each: 0 (default, none) to 65535.
pub const MT5MQTT_OPT_TOPIC_ALIAS_MAXIMUM: i32 = 100;
/// Topic Aliases that this client uses towards the Server, at most as many as the Server takes: 0 (none) to 65535, default 64. They are given to the topics published last, without the program's doing.
pub const MT5MQTT_OPT_OUTGOING_TOPIC_ALIAS_MAXIMUM: i32 = 101;
/// 0 (default) or 1: whether MQTT 3.1.1 is tried when the Server refuses MQTT 5.0 as unknown to it, or closes the connection instead of answering. It is kept while it works; MT5MQTT_STAT_PROTOCOL_VERSION tells. Properties, of messages too, are not sent in MQTT 3.1.1, and of Subscription Options only the QoS: a program's own messages come back to it, and retained ones come, whatever it asked for.
pub const MT5MQTT_OPT_PROTOCOL_FALLBACK: i32 = 102;
/// 0 (default) or 1: whether a fault of the Server's that harms nobody ends the connection. Such faults are counted and told of by MT5MQTT_EVENT_BREACH; any fault that could corrupt, lose or double a message ends the connection in any case.
pub const MT5MQTT_OPT_STRICT: i32 = 103;
/// What happens when a received payload isn't UTF-8, though its Payload Format Indicator is 1: 0 nobody looks, 1 (default) it is delivered and told of by MT5MQTT_EVENT_BREACH, 2 it is told of, refused with Reason Code 0x99 and not delivered.
pub const MT5MQTT_OPT_PAYLOAD_FORMAT_CHECK: i32 = 104;
/// 0 (default) or 1. 1 IS DANGEROUS AND FOR TESTS ONLY: every certificate is accepted, so that anybody on the way can pose as
/// the Server and read and change everything. Together with TLS_PINS the pins are what decides, which is safe.
pub const MT5MQTT_OPT_TLS_ACCEPT_ANY_CERTIFICATE: i32 = 120;
/// The oldest version of TLS that is spoken: 12 (TLS 1.2, default) or 13.
pub const MT5MQTT_OPT_TLS_VERSION_MINIMUM: i32 = 121;
/// Text: certificates of the CAs that the Server's certificate may come from, or the Server's own certificate: the path of a PEM file, or PEM text (which
/// begins with -----BEGIN). They replace the default, which is this machine's certificate store and Mozilla's list.
pub const MT5MQTT_OPT_TLS_CA: i32 = 130;
/// Text: our certificate, and those of CAs between it and the Server's if need be: the path of a PEM file, or PEM text. Needs
/// TLS_CLIENT_KEY. Default: none.
pub const MT5MQTT_OPT_TLS_CLIENT_CERTIFICATE: i32 = 131;
/// Text: the private key of our certificate: the path of a PEM file, or PEM text (PKCS#8, PKCS#1 or SEC 1). Default: none.
pub const MT5MQTT_OPT_TLS_CLIENT_KEY: i32 = 132;
/// Text: the password of TLS_CLIENT_KEY if it is encrypted (PKCS#8, -----BEGIN ENCRYPTED PRIVATE KEY-----). Default: none.
pub const MT5MQTT_OPT_TLS_CLIENT_KEY_PASSWORD: i32 = 133;
/// Text: names of protocols for ALPN with commas between them, such as `mqtt` or `x-amzn-mqtt-ca`, which cloud Servers need on
/// port 443. Default: none.
pub const MT5MQTT_OPT_TLS_ALPN: i32 = 134;
/// Text: the name that the Server's certificate must have and that is sent as SNI. Default: the host of the URL.
pub const MT5MQTT_OPT_TLS_SERVER_NAME: i32 = 135;
/// Text: pins: SHA-256 of the SubjectPublicKeyInfo of the Server's own certificate, in hexadecimal or as sha256/ and Base64, with
/// commas between them. One of them must fit, in addition to the verification of the certificate. Default: none.
pub const MT5MQTT_OPT_TLS_PINS: i32 = 136;
/// Text: Certificate Revocation Lists: the path of a PEM file (with any number of them) or of a DER file (as CAs publish it), or PEM
/// text (-----BEGIN X509 CRL-----). Every certificate of the Server's chain must then have the list of its issuer there, not out of
/// date, and not be on it. The file is read anew at each attempt to connect. Not together with TLS_ACCEPT_ANY_CERTIFICATE
/// (MT5MQTT_E_TLS_SETUP). Default: none, and nobody asks for revocation (OCSP isn't asked either).
pub const MT5MQTT_OPT_TLS_CRL: i32 = 220;
/// Text: a proxy, for every scheme: `socks5://host:port` (port 1080 if left out) or `http://host:port` (CONNECT; 8080), with
/// `user:password@` before the host if need be, percent-encoded. The proxy resolves the Server's name. Default: none.
pub const MT5MQTT_OPT_PROXY: i32 = 137;
/// Text: more headers for the WebSocket's request, a line `Name: value` each. Default: none.
pub const MT5MQTT_OPT_WS_HEADERS: i32 = 138;
/// Which lines the log has: 0 (default) none, 1 errors, 2 warnings too, 3 connections and their ends, 4 each step and outcome, 5 each packet, one line each. No line has a secret or a payload. May be set at any time.
pub const MT5MQTT_OPT_LOG_LEVEL: i32 = 140;
/// 0 or 1 (default): whether lines of the log become events, MT5MQTT_EVENT_LOG. May be set at any time.
pub const MT5MQTT_OPT_LOG_EVENTS: i32 = 141;
/// Bytes after which the log file is set aside, as name.1, and a new one begun: 4096 to 1 GiB, default 10 MiB. May be set at any time.
pub const MT5MQTT_OPT_LOG_FILE_BYTES: i32 = 142;
/// Log files that were set aside and are kept: 1 to 100, default 3. When one more is set aside, all beyond them are deleted. May be set at any time.
pub const MT5MQTT_OPT_LOG_FILES: i32 = 143;
/// Text: the path of a file for the lines of the log, to which they are added while the client is connected or tries to be. One client per file. If it can't be written, a line of level 2 says so once, as an event only, which comes with LOG_EVENTS 0 too; it is tried again every ten seconds, and when the program sets an option, and says then how many lines are missing. If it is moved or deleted, it is begun anew. A relative path counts from the folder that the process is in when the option is set. Default: none. May be set at any time.
pub const MT5MQTT_OPT_LOG_FILE: i32 = 145;
/// Text or bytes: the Authentication Data of CONNECT. Default: none. With it, SCRAM-SHA-256 is left to the program, too.
pub const MT5MQTT_OPT_AUTHENTICATION_DATA: i32 = 110;
/// Text: hosts, with commas between them, to which a Server may send this client on by a Server Reference (Reason Codes 0x9C and 0x9D): names, `*.domain` for all below a domain, IP addresses. Scheme, credentials and all other options stay those of the URL. 0x9C leads there for one connection, 0x9D until the next mt5mqtt_connect. Default: none, and a reference is only told of.
pub const MT5MQTT_OPT_SERVER_REFERENCE_HOSTS: i32 = 111;
/// Seconds for which a shared connection waits for this program while others are there: to take or acknowledge a message, before the Server is told that it has; and to make room in its full queue, before its messages are thrown away. 1 to 3600, default 10. See mt5mqtt_create_shared.
pub const MT5MQTT_OPT_SHARED_RELEASE_S: i32 = 300;

/// The Server accepted the connection: session_present; the text is the Assigned Client Identifier, if there is one; the properties are those of CONNACK.
pub const MT5MQTT_EVENT_CONNECTED: i32 = 1;
/// A connection was lost, refused or not made, or ended on request (status 0): status, reason_code, the text says what happened. mt5mqtt_state tells whether another attempt follows.
pub const MT5MQTT_EVENT_DISCONNECTED: i32 = 2;
/// An Application Message: topic, payload, properties; token names it for mt5mqtt_acknowledge (0 for QoS 0).
pub const MT5MQTT_EVENT_MESSAGE: i32 = 3;
/// The end of a publish: token; status 0 means complete; reason_code is the Server's. With option STORE_PATH it is kept until the program polls again, disconnects or frees the client: if the program dies before, the next one that uses the store is told once more, before it is connected.
pub const MT5MQTT_EVENT_PUBLISHED: i32 = 4;
/// The answer to a subscribe: token; the topic is the Topic Filter; reason_code is the granted QoS or the refusal. Token 0: a subscription could not be made again after the Server had lost the Session.
pub const MT5MQTT_EVENT_SUBSCRIBED: i32 = 5;
/// The answer to an unsubscribe: as MT5MQTT_EVENT_SUBSCRIBED.
pub const MT5MQTT_EVENT_UNSUBSCRIBED: i32 = 6;
/// A fault inside the library: this client can only be freed. The text says where.
pub const MT5MQTT_EVENT_FAILED: i32 = 7;
/// How far a publish is, with option PROGRESS 2: token; detail is MT5MQTT_STAGE_DURABLE, MT5MQTT_STAGE_SENT or MT5MQTT_STAGE_ACKNOWLEDGED. Its end comes as MT5MQTT_EVENT_PUBLISHED.
pub const MT5MQTT_EVENT_PROGRESS: i32 = 18;
/// The store can't be written (status MT5MQTT_E_STORE_NOT_WRITTEN, the text says why; again when the reason changes) or can again (status 0). In between, QoS 1 and 2 publishes are refused, nothing waits for an answer of the Server that would have to be stored first, and writing is tried again each second.
pub const MT5MQTT_EVENT_STORE: i32 = 19;
/// The Server did something wrong that harms nobody: the text says which rule it broke, and why that is harmless. Once for each kind on a connection; MT5MQTT_STAT_BREACHES counts all. Option STRICT ends the connection instead.
pub const MT5MQTT_EVENT_BREACH: i32 = 10;
/// The end of a request: token; with status 0 the response (topic, payload, properties), which is acknowledged by being taken; otherwise why there is none, MT5MQTT_E_TIMEOUT as a rule.
pub const MT5MQTT_EVENT_RESPONSE: i32 = 11;
/// A line of the log (MT5MQTT_OPT_LOG_LEVEL): the text has time, level, Client Identifier and what happened; the token is the level. When the queue of events is half full, lines are dropped and counted.
pub const MT5MQTT_EVENT_LOG: i32 = 15;
/// The Server asks for the next step of Enhanced Authentication; the payload is its Authentication Data. Answer with mt5mqtt_authenticate, within CONNECT_TIMEOUT_MS for all steps together. It comes from a Server that the doctor examines, too, and the answer goes there.
pub const MT5MQTT_EVENT_AUTHENTICATE: i32 = 12;
/// A re-authentication has succeeded; the payload is the Server's last Authentication Data.
pub const MT5MQTT_EVENT_AUTHENTICATED: i32 = 13;
/// A line of the doctor's report (mt5mqtt_doctor_start), in the text. The token is 1 in the last one, 0 in the others; the status of the last one is 0 when all is well, or the first failure.
pub const MT5MQTT_EVENT_DOCTOR: i32 = 16;
/// On a shared connection: the program has missed messages, status MT5MQTT_E_SHARED_MISSED; the token is how many. Its queue was full for MT5MQTT_OPT_SHARED_RELEASE_S, or it took the place of a program of which that is so. It gets messages again from now on.
pub const MT5MQTT_EVENT_MISSED: i32 = 50;

/// Of a message, in the event's detail: the program has had a message with its key before (option DEDUPLICATE).
pub const MT5MQTT_MESSAGE_SEEN_BEFORE: i32 = 1;

/// How far a QoS 1 or 2 publish is: accepted by the library.
pub const MT5MQTT_STAGE_ACCEPTED: i32 = 1;
/// Stored: it survives a crash of the process and of the machine. Only with option STORE_PATH.
pub const MT5MQTT_STAGE_DURABLE: i32 = 2;
/// Sent to the Server.
pub const MT5MQTT_STAGE_SENT: i32 = 3;
/// The Server has it: PUBREC of QoS 2.
pub const MT5MQTT_STAGE_ACKNOWLEDGED: i32 = 4;
/// The end: PUBACK of QoS 1, PUBCOMP of QoS 2.
pub const MT5MQTT_STAGE_COMPLETE: i32 = 5;
/// The end: MT5MQTT_E_EXPIRED.
pub const MT5MQTT_STAGE_EXPIRED: i32 = 6;
/// The end: MT5MQTT_E_DROPPED, MT5MQTT_E_SUPERSEDED, MT5MQTT_E_CANCELLED or MT5MQTT_E_QUEUE_FULL.
pub const MT5MQTT_STAGE_DROPPED: i32 = 7;
/// The end: any other failure.
pub const MT5MQTT_STAGE_FAILED: i32 = 8;

/// Subscription Options (MQTT 5.0 section 3.8.3.1), to be added to the QoS: don't send back what this client publishes itself. MQTT 3.1.1 has none of these options.
pub const MT5MQTT_SUBSCRIBE_NO_LOCAL: i32 = 4;
/// Keep the RETAIN flag as it was published.
pub const MT5MQTT_SUBSCRIBE_RETAIN_AS_PUBLISHED: i32 = 8;
/// Send retained messages only if the subscription is new (Retain Handling 1).
pub const MT5MQTT_SUBSCRIBE_RETAIN_IF_NEW: i32 = 16;
/// Send no retained messages (Retain Handling 2).
pub const MT5MQTT_SUBSCRIBE_RETAIN_NEVER: i32 = 32;

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
