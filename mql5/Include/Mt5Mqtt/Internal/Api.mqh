//+------------------------------------------------------------------+
//|                                                          Api.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Everything that mt5mqtt.dll exports and an MQL5 program uses: the
//--- same names, numbers and order as in the C header mt5mqtt.h, where
//--- each of them is documented. A test compares the two files, because
//--- the MQL5 compiler can't compare a prototype with a DLL.
//--- Absent on purpose: the UTF-8 twins of the _w functions, which take
//--- text as no MQL5 string has it.
#ifndef MT5MQTT_API_MQH
#define MT5MQTT_API_MQH
//--- the ABI that this file was written for
#define MT5MQTT_ABI_VERSION 1
//+------------------------------------------------------------------+
//| Statuses: what a call returns instead of a count, size or token  |
//+------------------------------------------------------------------+
enum ENUM_MQTT_STATUS
  {
   MT5MQTT_OK=0,
   MT5MQTT_E_INVALID_HANDLE=-1,
   MT5MQTT_E_INVALID_ARGUMENT=-2,
   MT5MQTT_E_INVALID_TEXT=-3,
   MT5MQTT_E_INVALID_TOPIC=-4,
   MT5MQTT_E_OUT_OF_RANGE=-5,
   MT5MQTT_E_WRONG_TYPE=-6,
   MT5MQTT_E_WRONG_STATE=-7,
   MT5MQTT_E_STRUCT_SIZE=-8,
   MT5MQTT_E_NO_EVENT=-9,
   MT5MQTT_E_NOT_PRESENT=-10,
   MT5MQTT_E_UNKNOWN_TOKEN=-11,
   MT5MQTT_E_QUEUE_FULL=-20,
   MT5MQTT_E_TOO_LARGE=-21,
   MT5MQTT_E_NOT_SUPPORTED_BY_SERVER=-22,
   MT5MQTT_E_NOT_CONNECTED=-23,
   MT5MQTT_E_DROPPED=-24,                  // an accepted publish was dropped to make room
   MT5MQTT_E_TIMEOUT=-25,                  // no answer in time
   MT5MQTT_E_PAYLOAD_FORMAT=-26,           // not UTF-8, though its Payload Format Indicator says so
   MT5MQTT_E_EXPIRED=-29,                  // waited longer than its time to live
   MT5MQTT_E_SUPERSEDED=-30,               // a newer publish with the same conflation key took its place
   MT5MQTT_E_CANCELLED=-31,                // withdrawn before it was sent
   MT5MQTT_E_RESOLVE=-40,                  // the host name could not be resolved
   MT5MQTT_E_CONNECT_FAILED=-41,           // no address of the Server accepted the connection
   MT5MQTT_E_CONNECT_TIMEOUT=-42,
   MT5MQTT_E_CONNECTION_CLOSED=-43,        // the Server closed the Network Connection without a DISCONNECT
   MT5MQTT_E_NETWORK=-44,                  // reading or writing failed
   MT5MQTT_E_KEEP_ALIVE_TIMEOUT=-45,
   MT5MQTT_E_TLS_CERTIFICATE=-46,          // the Server's certificate was not accepted
   MT5MQTT_E_TLS_CLIENT_CERTIFICATE=-47,   // the Server wants a client certificate, or refuses ours
   MT5MQTT_E_TLS=-48,
   MT5MQTT_E_WRONG_PROTOCOL=-49,           // what answers speaks another protocol than the URL says
   MT5MQTT_E_PROXY=-50,
   MT5MQTT_E_WEBSOCKET=-51,
   MT5MQTT_E_TLS_SETUP=-52,                // the TLS options can't be used
   MT5MQTT_E_REFUSED_BY_SERVER=-60,        // a Reason Code of 0x80 or more: see ReasonCode()
   MT5MQTT_E_MALFORMED_PACKET=-61,
   MT5MQTT_E_PROTOCOL_ERROR=-62,
   MT5MQTT_E_SERVER_DISCONNECTED=-63,      // the Server sent DISCONNECT: see ReasonCode()
   MT5MQTT_E_SESSION_LOST=-64,             // whether this publish arrived can't be known
   MT5MQTT_E_AUTHENTICATION_FAILED=-65,
   MT5MQTT_E_THREAD=-80,
   MT5MQTT_E_STORE_NOT_OPENED=-81,
   MT5MQTT_E_STORE_IN_USE=-82,             // by another client or terminal
   MT5MQTT_E_STORE_DAMAGED=-83,            // move it away to start anew
   MT5MQTT_E_STORE_NEWER=-84,              // written by a newer version of the library
   MT5MQTT_E_STORE_OF_ANOTHER=-85,         // another Client Identifier or Server
   MT5MQTT_E_STORE_NOT_WRITTEN=-86,        // the disk is full?
   MT5MQTT_E_PANIC=-90,                    // a fault inside the library; this client has failed for good
   MT5MQTT_E_LEFT_LOCKED=-120,             // a thread was ended in a call of this client
   MT5MQTT_E_SHARED_DIFFERS=-160,          // programs on a shared connection don't agree
   MT5MQTT_E_SHARED_TAKEN_OVER=-161,       // another program has taken this inbox
   MT5MQTT_E_SHARED_MISSED=-162            // the program was too slow for its messages
  };
//+------------------------------------------------------------------+
//| States of a client                                               |
//+------------------------------------------------------------------+
enum ENUM_MQTT_STATE
  {
   MT5MQTT_STATE_IDLE=0,                   // not asked to connect, or disconnected on request
   MT5MQTT_STATE_CONNECTING=1,
   MT5MQTT_STATE_CONNECTED=2,
   MT5MQTT_STATE_WAITING=3,                // lost or refused; reconnects when its delay is over
   MT5MQTT_STATE_FAILED=4                  // a fault inside the library; only Destroy() is possible
  };
//+------------------------------------------------------------------+
//| Options                                                          |
//+------------------------------------------------------------------+
enum ENUM_MQTT_OPTION
  {
   MT5MQTT_OPT_URL=1,                      // text: mqtt, mqtts, ws or wss://host:port; several with commas
   MT5MQTT_OPT_CLIENT_ID=2,                // text
   MT5MQTT_OPT_USER_NAME=3,                // text
   MT5MQTT_OPT_PASSWORD=4,                 // text or bytes
   MT5MQTT_OPT_RESPONSE_TOPIC=5,           // text
   MT5MQTT_OPT_AUTHENTICATION_METHOD=6,    // text: SCRAM-SHA-256 is done by the library
   MT5MQTT_OPT_PROTOCOL_VERSION=10,        // 5, or 4 for MQTT 3.1.1
   MT5MQTT_OPT_CLEAN_START=11,
   MT5MQTT_OPT_SESSION_EXPIRY_S=12,
   MT5MQTT_OPT_KEEP_ALIVE_S=13,
   MT5MQTT_OPT_RECEIVE_MAXIMUM=14,
   MT5MQTT_OPT_MAXIMUM_PACKET_SIZE=15,
   MT5MQTT_OPT_IN_FLIGHT_MAXIMUM=16,
   MT5MQTT_OPT_REQUEST_PROBLEM_INFORMATION=18,
   MT5MQTT_OPT_REQUEST_RESPONSE_INFORMATION=19,
   MT5MQTT_OPT_RECONNECT=30,
   MT5MQTT_OPT_CONNECT_TIMEOUT_MS=31,
   MT5MQTT_OPT_RECONNECT_MIN_MS=32,
   MT5MQTT_OPT_RECONNECT_MAX_MS=33,
   MT5MQTT_OPT_PING_TIMEOUT_MS=34,
   MT5MQTT_OPT_ANSWER_TIMEOUT_MS=35,
   MT5MQTT_OPT_OUTGOING_MAXIMUM=40,
   MT5MQTT_OPT_OUTGOING_MAXIMUM_BYTES=41,
   MT5MQTT_OPT_OUTGOING_OVERFLOW=42,
   MT5MQTT_OPT_QUEUE_QOS0=43,
   MT5MQTT_OPT_EVENTS_MAXIMUM=44,
   MT5MQTT_OPT_EVENTS_MAXIMUM_BYTES=45,
   MT5MQTT_OPT_EVENTS_OVERFLOW=46,
   MT5MQTT_OPT_ACKNOWLEDGE=50,             // 0 on arrival, 1 when taken by Next(), 2 by Acknowledge()
   MT5MQTT_OPT_WAIT_MAXIMUM_MS=51,
   MT5MQTT_OPT_PUBLISH_EVENTS=52,
   MT5MQTT_OPT_TOPIC_ALIAS_MAXIMUM=100,
   MT5MQTT_OPT_OUTGOING_TOPIC_ALIAS_MAXIMUM=101,
   MT5MQTT_OPT_PROTOCOL_FALLBACK=102,      // 1: MQTT 3.1.1 if MQTT 5.0 is refused
   MT5MQTT_OPT_STRICT=103,                 // 1: harmless faults of the Server end the connection
   MT5MQTT_OPT_PAYLOAD_FORMAT_CHECK=104,
   MT5MQTT_OPT_AUTHENTICATION_DATA=110,    // text or bytes
   MT5MQTT_OPT_SERVER_REFERENCE_HOSTS=111, // text: hosts
   MT5MQTT_OPT_SHARED_RELEASE_S=300,       // seconds that a shared connection waits for it
   MT5MQTT_OPT_TLS_ACCEPT_ANY_CERTIFICATE=120, // 1 is DANGEROUS: for tests only
   MT5MQTT_OPT_TLS_VERSION_MINIMUM=121,    // 12 or 13
   MT5MQTT_OPT_TLS_CA=130,                 // text: PEM or the path of a PEM file
   MT5MQTT_OPT_TLS_CLIENT_CERTIFICATE=131, // text: PEM or the path of a PEM file
   MT5MQTT_OPT_TLS_CLIENT_KEY=132,         // text: PEM or the path of a PEM file
   MT5MQTT_OPT_TLS_CLIENT_KEY_PASSWORD=133, // text
   MT5MQTT_OPT_TLS_ALPN=134,               // text
   MT5MQTT_OPT_TLS_SERVER_NAME=135,        // text
   MT5MQTT_OPT_TLS_PINS=136,               // text: sha256/..., sha256/...
   MT5MQTT_OPT_PROXY=137,                  // text: socks5:// or http://user:password@host:port
   MT5MQTT_OPT_WS_HEADERS=138,             // text: lines of Name: value
   MT5MQTT_OPT_LOG_LEVEL=140,              // 0 none, 1 errors, 2 warnings, 3 connections, 4 steps, 5 packets
   MT5MQTT_OPT_LOG_EVENTS=141,             // 1: lines come as events
   MT5MQTT_OPT_LOG_FILE_BYTES=142,
   MT5MQTT_OPT_LOG_FILES=143,
   MT5MQTT_OPT_LOG_FILE=145,               // text: a path
   MT5MQTT_OPT_PRIORITY_RESERVE=160,
   MT5MQTT_OPT_PROGRESS=161,
   MT5MQTT_OPT_STORE_PATH=162,             // text: a folder
   MT5MQTT_OPT_DEDUPLICATE=163,            // 1 tells of repeated messages, 2 keeps them away
   MT5MQTT_OPT_DEDUPLICATE_BY=164,         // text: the name of a User Property
   MT5MQTT_OPT_DEDUPLICATION_WINDOW=165,
   MT5MQTT_OPT_TLS_CRL=220                 // text: PEM or the path of a PEM or DER file
  };
//+------------------------------------------------------------------+
//| Kinds of event                                                   |
//+------------------------------------------------------------------+
enum ENUM_MQTT_EVENT
  {
   MT5MQTT_EVENT_CONNECTED=1,
   MT5MQTT_EVENT_DISCONNECTED=2,
   MT5MQTT_EVENT_MESSAGE=3,
   MT5MQTT_EVENT_PUBLISHED=4,              // outcome of a publish
   MT5MQTT_EVENT_SUBSCRIBED=5,             // outcome of a subscribe
   MT5MQTT_EVENT_UNSUBSCRIBED=6,           // outcome of an unsubscribe
   MT5MQTT_EVENT_FAILED=7,                 // a fault inside the library
   MT5MQTT_EVENT_BREACH=10,                // a harmless fault of the Server
   MT5MQTT_EVENT_RESPONSE=11,              // outcome of a request
   MT5MQTT_EVENT_AUTHENTICATE=12,          // the Server asks: Authenticate() answers
   MT5MQTT_EVENT_AUTHENTICATED=13,         // a re-authentication has succeeded
   MT5MQTT_EVENT_LOG=15,                   // a line of the log
   MT5MQTT_EVENT_DOCTOR=16,                // a line of the doctor's report
   MT5MQTT_EVENT_PROGRESS=18,              // how far a publish is
   MT5MQTT_EVENT_STORE=19,                 // the store can't be written, or can again
   MT5MQTT_EVENT_MISSED=50                 // messages of a shared connection were missed
  };
//+------------------------------------------------------------------+
//| Flags of a message, in the event's detail                        |
//+------------------------------------------------------------------+
enum ENUM_MQTT_MESSAGE
  {
   MT5MQTT_MESSAGE_SEEN_BEFORE=1
  };
//+------------------------------------------------------------------+
//| How far a QoS 1 or 2 publish is                                  |
//+------------------------------------------------------------------+
enum ENUM_MQTT_STAGE
  {
   MT5MQTT_STAGE_ACCEPTED=1,
   MT5MQTT_STAGE_DURABLE=2,                // stored: it survives a crash
   MT5MQTT_STAGE_SENT=3,
   MT5MQTT_STAGE_ACKNOWLEDGED=4,           // the Server has it
   MT5MQTT_STAGE_COMPLETE=5,               // this and the following are ends
   MT5MQTT_STAGE_EXPIRED=6,
   MT5MQTT_STAGE_DROPPED=7,
   MT5MQTT_STAGE_FAILED=8
  };
//+------------------------------------------------------------------+
//| Flags to add to the QoS of a subscription                        |
//+------------------------------------------------------------------+
enum ENUM_MQTT_SUBSCRIBE
  {
   MT5MQTT_SUBSCRIBE_NO_LOCAL=4,
   MT5MQTT_SUBSCRIBE_RETAIN_AS_PUBLISHED=8,
   MT5MQTT_SUBSCRIBE_RETAIN_IF_NEW=16,
   MT5MQTT_SUBSCRIBE_RETAIN_NEVER=32
  };
//+------------------------------------------------------------------+
//| Properties of MQTT 5.0                                           |
//+------------------------------------------------------------------+
enum ENUM_MQTT_PROPERTY
  {
   MT5MQTT_PROP_PAYLOAD_FORMAT_INDICATOR=1,
   MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL=2,
   MT5MQTT_PROP_CONTENT_TYPE=3,
   MT5MQTT_PROP_RESPONSE_TOPIC=8,
   MT5MQTT_PROP_CORRELATION_DATA=9,
   MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER=11,
   MT5MQTT_PROP_SESSION_EXPIRY_INTERVAL=17,
   MT5MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER=18,
   MT5MQTT_PROP_SERVER_KEEP_ALIVE=19,
   MT5MQTT_PROP_AUTHENTICATION_METHOD=21,
   MT5MQTT_PROP_AUTHENTICATION_DATA=22,
   MT5MQTT_PROP_REQUEST_PROBLEM_INFORMATION=23,
   MT5MQTT_PROP_WILL_DELAY_INTERVAL=24,
   MT5MQTT_PROP_REQUEST_RESPONSE_INFORMATION=25,
   MT5MQTT_PROP_RESPONSE_INFORMATION=26,
   MT5MQTT_PROP_SERVER_REFERENCE=28,
   MT5MQTT_PROP_REASON_STRING=31,
   MT5MQTT_PROP_RECEIVE_MAXIMUM=33,
   MT5MQTT_PROP_TOPIC_ALIAS_MAXIMUM=34,
   MT5MQTT_PROP_TOPIC_ALIAS=35,
   MT5MQTT_PROP_MAXIMUM_QOS=36,
   MT5MQTT_PROP_RETAIN_AVAILABLE=37,
   MT5MQTT_PROP_USER_PROPERTY=38,
   MT5MQTT_PROP_MAXIMUM_PACKET_SIZE=39,
   MT5MQTT_PROP_WILDCARD_SUBSCRIPTION_AVAILABLE=40,
   MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE=41,
   MT5MQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE=42
  };
//+------------------------------------------------------------------+
//| Figures of a client and limits of its present connection         |
//+------------------------------------------------------------------+
enum ENUM_MQTT_STAT
  {
   MT5MQTT_STAT_MESSAGES_SENT=1,
   MT5MQTT_STAT_MESSAGES_RECEIVED=2,
   MT5MQTT_STAT_BYTES_SENT=3,
   MT5MQTT_STAT_BYTES_RECEIVED=4,
   MT5MQTT_STAT_CONNECTIONS=5,
   MT5MQTT_STAT_OUTGOING=10,
   MT5MQTT_STAT_OUTGOING_BYTES=11,
   MT5MQTT_STAT_IN_FLIGHT=12,
   MT5MQTT_STAT_EVENTS=13,
   MT5MQTT_STAT_EVENTS_BYTES=14,
   MT5MQTT_STAT_EVENTS_DROPPED=15,
   MT5MQTT_STAT_PUBLISHES_DROPPED=16,
   MT5MQTT_STAT_REDELIVERED=17,
   MT5MQTT_STAT_PING_RTT_US=18,
   MT5MQTT_STAT_LAST_DELAY_MS=19,
   MT5MQTT_STAT_BREACHES=20,
   MT5MQTT_STAT_SERVER_RECEIVE_MAXIMUM=30,
   MT5MQTT_STAT_SERVER_MAXIMUM_QOS=31,
   MT5MQTT_STAT_SERVER_RETAIN_AVAILABLE=32,
   MT5MQTT_STAT_SERVER_MAXIMUM_PACKET_SIZE=33,
   MT5MQTT_STAT_SERVER_TOPIC_ALIAS_MAXIMUM=34,
   MT5MQTT_STAT_SERVER_WILDCARD_AVAILABLE=35,
   MT5MQTT_STAT_SERVER_SUBSCRIPTION_IDENTIFIER_AVAILABLE=36,
   MT5MQTT_STAT_SERVER_SHARED_AVAILABLE=37,
   MT5MQTT_STAT_SERVER_KEEP_ALIVE_S=38,
   MT5MQTT_STAT_SERVER_SESSION_EXPIRY_S=39,
   MT5MQTT_STAT_PROTOCOL_VERSION=50,
   MT5MQTT_STAT_SERVER_INDEX=60,           // which URL of the list is tried or in use
   MT5MQTT_STAT_PUBLISHES_EXPIRED=70,
   MT5MQTT_STAT_PUBLISHES_SUPERSEDED=71,
   MT5MQTT_STAT_STORE_RESTORED=72,
   MT5MQTT_STAT_STORE_COMMITS=73,
   MT5MQTT_STAT_MESSAGES_SUPPRESSED=74,
   MT5MQTT_STAT_SHARED_PROGRAMS=160,
   MT5MQTT_STAT_SHARED_NOBODYS=161,
   MT5MQTT_STAT_SHARED_MISSED=162
  };
//+------------------------------------------------------------------+
//| One event, as mt5mqtt_poll() fills it (80 bytes)                 |
//+------------------------------------------------------------------+
struct MqttEvent
  {
   int               struct_size;          // set to sizeof(MqttEvent) before each poll
   int               kind;                 // ENUM_MQTT_EVENT
   long              token;
   long              time_us;              // UNIX microseconds at which the library made the event
   long              dropped;              // events discarded for want of room since the one before
   int               status;               // ENUM_MQTT_STATUS
   int               reason_code;          // 0..255, or -1 = none
   int               topic_size;           // bytes of UTF-8
   int               payload_size;         // bytes
   int               text_size;            // bytes of UTF-8
   int               property_count;
   int               qos;
   int               retain;
   int               dup;
   int               session_present;
   int               packet_id;
   int               detail;               // ENUM_MQTT_STAGE of a publish, ENUM_MQTT_MESSAGE of a message
  };
//+------------------------------------------------------------------+
//| Functions                                                        |
//+------------------------------------------------------------------+
#import "mt5mqtt.dll"
//--- library
int  mt5mqtt_abi_version(void);
int  mt5mqtt_version_w(ushort &buffer[],int capacity);
long mt5mqtt_time_unix_us(void);
long mt5mqtt_time_monotonic_us(void);
int  mt5mqtt_event_size(void);
int  mt5mqtt_status_text_w(int status,ushort &buffer[],int capacity);
int  mt5mqtt_reason_code_text_w(int reason_code,ushort &buffer[],int capacity);
int  mt5mqtt_last_error_w(ushort &buffer[],int capacity);
//--- client
long mt5mqtt_create(void);
long mt5mqtt_create_shared_w(const string connection,const string inbox);
int  mt5mqtt_free(long client);
int  mt5mqtt_set_int(long client,int option,long value);
int  mt5mqtt_set_text_w(long client,int option,const string value);
int  mt5mqtt_set_bytes(long client,int option,const uchar &value[],int size);
int  mt5mqtt_set_will_w(long client,const string topic,const uchar &payload[],int payload_size,int qos,int retain,long properties);
int  mt5mqtt_set_connect_properties(long client,long properties);
int  mt5mqtt_connect(long client);
int  mt5mqtt_doctor_start(long client);
int  mt5mqtt_disconnect(long client,int reason_code,long properties,int timeout_ms);
int  mt5mqtt_state(long client);
int  mt5mqtt_server_w(long client,ushort &buffer[],int capacity);
long mt5mqtt_stat(long client,int stat);
//--- publish, subscribe
long mt5mqtt_publish_w(long client,const string topic,const uchar &payload[],int payload_size,int qos,int retain,long properties);
long mt5mqtt_publish_text_w(long client,const string topic,const string text,int qos,int retain,long properties);
int  mt5mqtt_publish_stage(long client,long token);
int  mt5mqtt_cancel(long client,long token);
int  mt5mqtt_publish_batch(long client,uchar &messages[],int size,long properties);
long mt5mqtt_subscribe_w(long client,const string filter,int options,long properties);
long mt5mqtt_unsubscribe_w(long client,const string filter,long properties);
long mt5mqtt_request_w(long client,const string topic,const uchar &payload[],int payload_size,int qos,long properties,int timeout_ms);
long mt5mqtt_request_text_w(long client,const string topic,const string text,int qos,long properties,int timeout_ms);
long mt5mqtt_respond(long client,const uchar &payload[],int payload_size,int qos,long properties);
long mt5mqtt_respond_text_w(long client,const string text,int qos,long properties);
//--- enhanced authentication
int  mt5mqtt_authenticate(long client,const uchar &data[],int size,long properties);
int  mt5mqtt_reauthenticate(long client,const uchar &data[],int size,long properties);
//--- property sets
long mt5mqtt_properties_create(void);
int  mt5mqtt_properties_free(long properties);
int  mt5mqtt_properties_clear(long properties);
int  mt5mqtt_properties_set_int(long properties,int property,long value);
int  mt5mqtt_properties_set_text_w(long properties,int property,const string value);
int  mt5mqtt_properties_set_bytes(long properties,int property,const uchar &value[],int size);
int  mt5mqtt_properties_add_user_w(long properties,const string name,const string value);
int  mt5mqtt_properties_set_time_to_live(long properties,long milliseconds);
int  mt5mqtt_properties_set_priority(long properties,int priority);
int  mt5mqtt_properties_set_conflation(long properties,int conflate);
int  mt5mqtt_properties_set_conflation_key_w(long properties,const string key);
//--- events
int  mt5mqtt_poll(long client,MqttEvent &event);
int  mt5mqtt_poll_batch(long client,uchar &buffer[],int capacity,int maximum);
int  mt5mqtt_wait(long client,int timeout_ms);
int  mt5mqtt_event_topic_w(long client,ushort &buffer[],int capacity);
int  mt5mqtt_event_payload(long client,uchar &buffer[],int capacity);
int  mt5mqtt_event_payload_text_w(long client,ushort &buffer[],int capacity);
int  mt5mqtt_event_text_w(long client,ushort &buffer[],int capacity);
int  mt5mqtt_event_property_count(long client,int property);
long mt5mqtt_event_property_int(long client,int property,int index);
int  mt5mqtt_event_property_text_w(long client,int property,int index,ushort &buffer[],int capacity);
int  mt5mqtt_event_property_bytes(long client,int property,int index,uchar &buffer[],int capacity);
int  mt5mqtt_event_user_name_w(long client,int index,ushort &buffer[],int capacity);
int  mt5mqtt_event_user_value_w(long client,int index,ushort &buffer[],int capacity);
int  mt5mqtt_acknowledge(long client,long token,int reason_code);
int  mt5mqtt_acknowledge_with(long client,long token,int reason_code,long properties);
#import
#endif
//+------------------------------------------------------------------+
