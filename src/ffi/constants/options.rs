//! Numbers of options, with what each one does, its range and its default.

/// Text: where the Server is: `mqtt://host:port` (or tcp://; port 1883 if left out), `mqtts://host:port` for TLS (or
/// ssl://; 8883), `ws://host:port/path` for WebSocket (80), `wss://host:port/path` for WebSocket over TLS (443). The host
/// is a name, an IPv4 or an `[IPv6]` address; a ws path may have a query, which no log or error repeats. Up to 16 URLs with
/// commas or white space between them are Servers in the order of preference: after a failure the next one is tried at
/// once, and when all have failed the first again, after the reconnect delay. mt5mqtt_server tells which one is in use. Of
/// a name's addresses the one that accepts a TCP connection first is used; if TLS or WebSocket fails there, the attempt has
/// failed, without the others: for different Servers under one name give each address a URL, and the name by
/// TLS_SERVER_NAME.
pub const MT5MQTT_OPT_URL: i32 = 1;
/// Text: the Client Identifier. Default: none, and the Server assigns one, which is kept for reconnects; unless the Server
/// refuses it then, as AWS IoT Core does: then it assigns another one, and the Session is lost.
pub const MT5MQTT_OPT_CLIENT_ID: i32 = 2;
/// Text. Default: none.
pub const MT5MQTT_OPT_USER_NAME: i32 = 3;
/// Text or bytes. Default: none.
pub const MT5MQTT_OPT_PASSWORD: i32 = 4;
/// Text: the Topic Name that responses to mt5mqtt_request are to be sent to; no other client may use it. Default: one below
/// the Server's Response Information if REQUEST_RESPONSE_INFORMATION got any, else mt5mqtt/response/ with the Client
/// Identifier.
pub const MT5MQTT_OPT_RESPONSE_TOPIC: i32 = 5;
/// Text: the Authentication Method of Enhanced Authentication (MQTT 5.0 section 4.12). Default: none. SCRAM-SHA-256 is done
/// by the library, with USER_NAME and PASSWORD, which then don't stand in CONNECT; any other method by the program, which
/// is asked by MT5MQTT_EVENT_AUTHENTICATE.
pub const MT5MQTT_OPT_AUTHENTICATION_METHOD: i32 = 6;
/// 5 (MQTT 5.0, the default) or 4 (MQTT 3.1.1).
pub const MT5MQTT_OPT_PROTOCOL_VERSION: i32 = 10;
/// 0 or 1 (default 1): whether the first connection starts a new Session. Reconnects resume it, unless it ended with its
/// connection. Mosquitto keeps a Session over its own restart only if the last connection didn't ask for a new one: for that, 0
/// from the start.
pub const MT5MQTT_OPT_CLEAN_START: i32 = 11;
/// Seconds that the Server keeps the Session after a connection is lost; default 3600; 0 ends it with the connection,
/// 4294967295 keeps it for ever.
pub const MT5MQTT_OPT_SESSION_EXPIRY_S: i32 = 12;
/// Seconds, 0 (off) to 65535, default 30.
pub const MT5MQTT_OPT_KEEP_ALIVE_S: i32 = 13;
/// QoS 1 and 2 messages that the Server may send without waiting for an acknowledgement: 1 to 65535, default 1024. A Server
/// that sends more, as Mosquitto 2.0.11 does when many wait there, breaks the protocol: they are handed out all the same,
/// and told of by MT5MQTT_EVENT_BREACH; option STRICT ends the connection, with Reason Code 0x93.
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
/// 0 or 1 (default): whether a lost connection is made again. With 0, mt5mqtt_connect tries each URL once, and with
/// PROTOCOL_FALLBACK each version of MQTT, until one accepts.
pub const MT5MQTT_OPT_RECONNECT: i32 = 30;
/// Milliseconds from the start of an attempt at one Server to CONNACK, with name resolution, TCP, proxy, TLS and WebSocket in
/// between: 100 to 600000, default 10000.
pub const MT5MQTT_OPT_CONNECT_TIMEOUT_MS: i32 = 31;
/// Milliseconds: ceiling of the first reconnect delay, which doubles with each failure: 1 to 600000, default 250. The delay
/// is a random part of its ceiling.
pub const MT5MQTT_OPT_RECONNECT_MIN_MS: i32 = 32;
/// Milliseconds: largest ceiling of a reconnect delay: 1 to 86400000, default 30000. A larger RECONNECT_MIN_MS holds.
pub const MT5MQTT_OPT_RECONNECT_MAX_MS: i32 = 33;
/// Milliseconds that the Server may stay silent after a PINGREQ: 100 to 600000, default 10000.
pub const MT5MQTT_OPT_PING_TIMEOUT_MS: i32 = 34;
/// Milliseconds that a Server which answers PINGREQ may leave a QoS 1 or 2 publish, a SUBSCRIBE or an UNSUBSCRIBE unanswered:
/// 0 (for ever) to 600000, default 30000. Mosquitto drops answers, and messages of QoS 1 and 2, while more than its
/// max_queued_messages (1000) wait for a line that has come to a halt, and they come only on the next connection. So this
/// one is ended then, after once to twice this time (MT5MQTT_E_TIMEOUT), and made again. The time doubles with each
/// connection in a row that ends so.
pub const MT5MQTT_OPT_ANSWER_TIMEOUT_MS: i32 = 35;
/// Accepted and unfinished publishes: 1 to 10000000, default 100000.
pub const MT5MQTT_OPT_OUTGOING_MAXIMUM: i32 = 40;
/// As OUTGOING_MAXIMUM, in bytes of topic, properties and payload: 1024 to 4 GiB, default 64 MiB.
pub const MT5MQTT_OPT_OUTGOING_MAXIMUM_BYTES: i32 = 41;
/// What a publish does when these are reached: 0 (default) fails with MT5MQTT_E_QUEUE_FULL, 1 drops the oldest unsent
/// message, 2 the newest, itself unless it has priority: an event with MT5MQTT_E_DROPPED. Priority messages are dropped
/// only if there is no other.
pub const MT5MQTT_OPT_OUTGOING_OVERFLOW: i32 = 42;
/// 0 or 1 (default): whether QoS 0 publishes wait for a connection; with 0 they fail with MT5MQTT_E_NOT_CONNECTED. May be
/// set at any time.
pub const MT5MQTT_OPT_QUEUE_QOS0: i32 = 43;
/// Events that wait to be polled: 1 to 10000000, default 100000. QoS 1 and 2 messages are never dropped: reading from the
/// Server pauses instead. May be set at any time.
pub const MT5MQTT_OPT_EVENTS_MAXIMUM: i32 = 44;
/// As EVENTS_MAXIMUM, in bytes: 1024 to 4 GiB, default 64 MiB. May be set at any time.
pub const MT5MQTT_OPT_EVENTS_MAXIMUM_BYTES: i32 = 45;
/// Which QoS 0 message is dropped, and counted, when these are reached: 0 (default) the oldest, 1 the newest. An event that
/// is no message, the end of a publish say, is dropped only when no QoS 0 message is left. Nothing is dropped for an event
/// that has no room all the same: it is dropped alone. May be set at any time.
pub const MT5MQTT_OPT_EVENTS_OVERFLOW: i32 = 46;
/// When the Server learns that a QoS 1 or 2 message arrived: 0 on arrival, 1 (default) when poll has taken it, 2 by
/// mt5mqtt_acknowledge.
pub const MT5MQTT_OPT_ACKNOWLEDGE: i32 = 50;
/// Milliseconds: longest time that mt5mqtt_wait takes, 1 to 600000, default 250, which suits MetaTrader. May be set at any
/// time.
pub const MT5MQTT_OPT_WAIT_MAXIMUM_MS: i32 = 51;
/// 0: only publishes that fail make an event; 1 (default): completed QoS 1 and 2 publishes do so too. May be set at any time.
pub const MT5MQTT_OPT_PUBLISH_EVENTS: i32 = 52;
/// How many of the QoS 1 and 2 messages that may be unacknowledged at a time only priority messages use: 0 (default) to
/// 65535; at most half of them. Without it an order that has priority may have to wait for one acknowledgement.
pub const MT5MQTT_OPT_PRIORITY_RESERVE: i32 = 160;
/// 0 (default); 1: mt5mqtt_publish_stage knows how far QoS 1 and 2 publishes are; 2: it does, and there are events
/// (MT5MQTT_EVENT_PROGRESS).
pub const MT5MQTT_OPT_PROGRESS: i32 = 161;
/// Text: a folder, in which the Session is stored, so that it survives a crash of the program and of the machine: QoS 1 and
/// 2 messages on their way and in the queue, received QoS 2 Packet Identifiers, messages that were acknowledged on arrival
/// and not taken, ends of publishes that the program has not heard of, subscriptions. It is made if it isn't there. Give a
/// whole path: a relative one counts from the folder that the process is in when the option is set, and the next process
/// may be in another. It is for one CLIENT_ID, which must be set, with a SESSION_EXPIRY_S above 0, for one Server, or several
/// in the same order, in URL, and for one client at a time; from the first connect on it can't change. A drive that isn't
/// there yet is waited for. On Linux only the user whose process made it can read it. Default: none.
pub const MT5MQTT_OPT_STORE_PATH: i32 = 162;
/// Whether QoS 1 and 2 messages are recognised that the program has had before, by a key that their sender gave them: 0
/// (default) no; 1: such a message comes with MT5MQTT_MESSAGE_SEEN_BEFORE in its event's detail; 2: one that the program is
/// done with doesn't come at all, and is acknowledged. The program is done with a message when it is acknowledged without a
/// failure (option ACKNOWLEDGE); with STORE_PATH that is stored before the Server hears of it.
pub const MT5MQTT_OPT_DEDUPLICATE: i32 = 163;
/// Text: the name of the User Property whose value is the key of a message. Default: none, and the Correlation Data is the
/// key. A message without a key is always a new one. The Topic Name is no part of the key: two senders that number their
/// messages alike make copies of each other's, so their keys must differ, by an account number before each for example.
pub const MT5MQTT_OPT_DEDUPLICATE_BY: i32 = 164;
/// How many keys are remembered: 1 to 1000000, default 10000. The oldest are forgotten first.
pub const MT5MQTT_OPT_DEDUPLICATION_WINDOW: i32 = 165;
/// Topic Aliases that the Server may use towards this client, which keeps a Topic Name for each: 0 (default, none) to 65535.
/// rumqttd 0.20 gives one to all topics that match a filter, so that messages come under a wrong one: leave it 0 there.
pub const MT5MQTT_OPT_TOPIC_ALIAS_MAXIMUM: i32 = 100;
/// Topic Aliases that this client uses towards the Server, at most as many as the Server takes: 0 (none) to 65535, default
/// 64. They are given to the topics published last, without the program's doing.
pub const MT5MQTT_OPT_OUTGOING_TOPIC_ALIAS_MAXIMUM: i32 = 101;
/// 0 (default) or 1: whether MQTT 3.1.1 is tried when the Server refuses MQTT 5.0 as unknown to it, or closes the
/// connection instead of answering. It is kept while it works; MT5MQTT_STAT_PROTOCOL_VERSION tells. Properties, of messages
/// too, are not sent in MQTT 3.1.1, and of Subscription Options only the QoS: a program's own messages come back to it, and
/// retained ones come, whatever it asked for. Silence is no refusal: a Server that keeps silent on hearing MQTT 5.0, as
/// amqtt does, needs PROTOCOL_VERSION 4.
pub const MT5MQTT_OPT_PROTOCOL_FALLBACK: i32 = 102;
/// 0 (default) or 1: whether a fault of the Server's that harms nobody ends the connection. Such faults are counted and
/// told of by MT5MQTT_EVENT_BREACH; any fault that could corrupt, lose or double a message ends the connection in any case.
pub const MT5MQTT_OPT_STRICT: i32 = 103;
/// What happens when a received payload isn't UTF-8, though its Payload Format Indicator is 1: 0 nobody looks, 1 (default)
/// it is delivered and told of by MT5MQTT_EVENT_BREACH, 2 it is told of, refused with Reason Code 0x99 and not delivered.
pub const MT5MQTT_OPT_PAYLOAD_FORMAT_CHECK: i32 = 104;
/// 0 (default) or 1. 1 IS DANGEROUS AND FOR TESTS ONLY: every certificate is accepted, so that anybody on the way can pose as
/// the Server and read and change everything. Together with TLS_PINS the pins are what decides, which is safe.
pub const MT5MQTT_OPT_TLS_ACCEPT_ANY_CERTIFICATE: i32 = 120;
/// The oldest version of TLS that is spoken: 12 (TLS 1.2, default) or 13.
pub const MT5MQTT_OPT_TLS_VERSION_MINIMUM: i32 = 121;
/// Text: certificates of the CAs that the Server's certificate may come from, or the Server's own certificate: the path of
/// a PEM file, or PEM text (which begins with -----BEGIN). They replace the default, which is this machine's certificate
/// store and Mozilla's list.
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
/// Text: pins: SHA-256 of the SubjectPublicKeyInfo of the Server's own certificate, in hexadecimal or as sha256/ and
/// Base64, with commas between them. One of them must fit, in addition to the verification of the certificate. Default:
/// none.
pub const MT5MQTT_OPT_TLS_PINS: i32 = 136;
/// Text: Certificate Revocation Lists: the path of a PEM file (with any number of them) or of a DER file (as CAs publish
/// it), or PEM text (-----BEGIN X509 CRL-----). Every certificate of the Server's chain must then have the list of its
/// issuer there, not out of date, and not be on it. The file is read anew at each attempt to connect. Not together with
/// TLS_ACCEPT_ANY_CERTIFICATE (MT5MQTT_E_TLS_SETUP). Default: none, and nobody asks for revocation (OCSP isn't asked
/// either).
pub const MT5MQTT_OPT_TLS_CRL: i32 = 220;
/// Text: a proxy, for every scheme: `socks5://host:port` (port 1080 if left out) or `http://host:port` (CONNECT; 8080), with
/// `user:password@` before the host if need be, percent-encoded. The proxy resolves the Server's name. Default: none.
pub const MT5MQTT_OPT_PROXY: i32 = 137;
/// Text: more headers for the WebSocket's request, a line `Name: value` each. Default: none.
pub const MT5MQTT_OPT_WS_HEADERS: i32 = 138;
/// Which lines the log has: 0 (default) none, 1 errors, 2 warnings too, 3 connections and their ends, 4 each step and
/// outcome, 5 each packet, one line each. No line has a secret or a payload. May be set at any time.
pub const MT5MQTT_OPT_LOG_LEVEL: i32 = 140;
/// 0 or 1 (default): whether lines of the log become events, MT5MQTT_EVENT_LOG. May be set at any time.
pub const MT5MQTT_OPT_LOG_EVENTS: i32 = 141;
/// Bytes after which the log file is set aside, as name.1, and a new one begun: 4096 to 1 GiB, default 10 MiB. May be set
/// at any time.
pub const MT5MQTT_OPT_LOG_FILE_BYTES: i32 = 142;
/// Log files that were set aside and are kept: 1 to 100, default 3. When one more is set aside, all beyond them are
/// deleted. May be set at any time.
pub const MT5MQTT_OPT_LOG_FILES: i32 = 143;
/// Text: the path of a file for the lines of the log, to which they are added while the client is connected or tries to be.
/// One client per file. If it can't be written, a line of level 2 says so once, as an event only, which comes with
/// LOG_EVENTS 0 too; it is tried again every ten seconds, and when the program sets an option, and says then how many lines
/// are missing. If it is moved or deleted, it is begun anew. A relative path counts from the folder that the process is
/// in when the option is set. Default: none. May be set at any time.
pub const MT5MQTT_OPT_LOG_FILE: i32 = 145;
/// Text or bytes: the Authentication Data of CONNECT. Default: none. With it, SCRAM-SHA-256 is left to the program, too.
pub const MT5MQTT_OPT_AUTHENTICATION_DATA: i32 = 110;
/// Text: hosts, with commas between them, to which a Server may send this client on by a Server Reference (Reason Codes
/// 0x9C and 0x9D): names, `*.domain` for all below a domain, IP addresses. Scheme, credentials and all other options stay
/// those of the URL. 0x9C leads there for one connection, 0x9D until the next mt5mqtt_connect. Default: none, and a
/// reference is only told of.
pub const MT5MQTT_OPT_SERVER_REFERENCE_HOSTS: i32 = 111;
/// Seconds for which a shared connection waits for this program while others are there: to take or acknowledge a message,
/// before the Server is told that it has; and to make room in its full queue, before its messages are thrown away. 1 to
/// 3600, default 10. See mt5mqtt_create_shared.
pub const MT5MQTT_OPT_SHARED_RELEASE_S: i32 = 300;
