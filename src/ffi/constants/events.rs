//! Numbers of events, flags of messages, stages of publishes, and options of subscriptions.

/// The Server accepted the connection: session_present; the text is the Assigned Client Identifier, if there is one; the
/// properties are those of CONNACK.
pub const MT5MQTT_EVENT_CONNECTED: i32 = 1;
/// A connection was lost, refused or not made, or ended on request (status 0): status, reason_code, the text says what
/// happened. mt5mqtt_state tells whether another attempt follows.
pub const MT5MQTT_EVENT_DISCONNECTED: i32 = 2;
/// An Application Message: topic, payload, properties; token names it for mt5mqtt_acknowledge (0 for QoS 0).
pub const MT5MQTT_EVENT_MESSAGE: i32 = 3;
/// The end of a publish: token; status 0 means complete; reason_code is the Server's. With option STORE_PATH it is kept
/// until the program polls again, disconnects or frees the client: if the program dies before, the next one that uses the
/// store is told once more, before it is connected.
pub const MT5MQTT_EVENT_PUBLISHED: i32 = 4;
/// The answer to a subscribe: token; the topic is the Topic Filter; reason_code is the granted QoS or the refusal. Token 0:
/// a subscription could not be made again on a new connection.
pub const MT5MQTT_EVENT_SUBSCRIBED: i32 = 5;
/// The answer to an unsubscribe: as MT5MQTT_EVENT_SUBSCRIBED.
pub const MT5MQTT_EVENT_UNSUBSCRIBED: i32 = 6;
/// A fault inside the library: this client can only be freed. The text says where.
pub const MT5MQTT_EVENT_FAILED: i32 = 7;
/// How far a publish is, with option PROGRESS 2: token; detail is MT5MQTT_STAGE_DURABLE, MT5MQTT_STAGE_SENT or
/// MT5MQTT_STAGE_ACKNOWLEDGED. Its end comes as MT5MQTT_EVENT_PUBLISHED.
pub const MT5MQTT_EVENT_PROGRESS: i32 = 18;
/// The store can't be written (status MT5MQTT_E_STORE_NOT_WRITTEN, the text says why; again when the reason changes) or can
/// again (status 0). In between, QoS 1 and 2 publishes are refused, nothing waits for an answer of the Server that would
/// have to be stored first, and writing is tried again each second.
pub const MT5MQTT_EVENT_STORE: i32 = 19;
/// The Server did something wrong that harms nobody: the text says which rule it broke, and why that is harmless. Once for
/// each kind on a connection; MT5MQTT_STAT_BREACHES counts all. Option STRICT ends the connection instead.
pub const MT5MQTT_EVENT_BREACH: i32 = 10;
/// The end of a request: token; with status 0 the response (topic, payload, properties), which is acknowledged by being
/// taken; otherwise why there is none, MT5MQTT_E_TIMEOUT as a rule.
pub const MT5MQTT_EVENT_RESPONSE: i32 = 11;
/// A line of the log (MT5MQTT_OPT_LOG_LEVEL): the text has time, level, Client Identifier and what happened; the token is
/// the level. When the queue of events is half full, lines are dropped and counted.
pub const MT5MQTT_EVENT_LOG: i32 = 15;
/// The Server asks for the next step of Enhanced Authentication; the payload is its Authentication Data. Answer with
/// mt5mqtt_authenticate, within CONNECT_TIMEOUT_MS for all steps together. It comes from a Server that the doctor examines,
/// too, and the answer goes there.
pub const MT5MQTT_EVENT_AUTHENTICATE: i32 = 12;
/// A re-authentication has succeeded; the payload is the Server's last Authentication Data.
pub const MT5MQTT_EVENT_AUTHENTICATED: i32 = 13;
/// A line of the doctor's report (mt5mqtt_doctor_start), in the text. The token is 1 in the last one, 0 in the others; the
/// status of the last one is 0 when all is well, or the first failure.
pub const MT5MQTT_EVENT_DOCTOR: i32 = 16;
/// On a shared connection: the program has missed messages, status MT5MQTT_E_SHARED_MISSED; the token is how many. Its
/// queue was full for MT5MQTT_OPT_SHARED_RELEASE_S, or it took the place of a program of which that is so. It gets messages
/// again from now on.
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

/// Subscription Options (MQTT 5.0 section 3.8.3.1), to be added to the QoS: don't send back what this client publishes
/// itself. MQTT 3.1.1 has none of these options.
pub const MT5MQTT_SUBSCRIBE_NO_LOCAL: i32 = 4;
/// Keep the RETAIN flag as it was published.
pub const MT5MQTT_SUBSCRIBE_RETAIN_AS_PUBLISHED: i32 = 8;
/// Send retained messages only if the subscription is new (Retain Handling 1).
pub const MT5MQTT_SUBSCRIBE_RETAIN_IF_NEW: i32 = 16;
/// Send no retained messages (Retain Handling 2). Not together with MT5MQTT_SUBSCRIBE_RETAIN_IF_NEW.
pub const MT5MQTT_SUBSCRIBE_RETAIN_NEVER: i32 = 32;
