/* Messages there and back through a Server: roundtrip.exe URL VERSION [CA-FILE] */

#include "host.h"

#define LARGE (1024 * 1024)
/* Mosquitto 2.0 gets stuck when it is to send what its WebSocket doesn't take at once. */
#define LARGE_FOR_WEBSOCKET (60 * 1024)

static int64_t client;

static int subscribe_and_wait(const uint16_t *filter)
{
  mt5mqtt_event event;
  int64_t token = mqtt_subscribe_w(client, filter, 2, 0);
  return token > 0 && next_event(client, MT5MQTT_EVENT_SUBSCRIBED, &event, 5000) && event.token == token &&
         event.status == 0;
}

/* Publishes a text and takes it back, in UTF-16 both ways. */
static void text_round_trip(const char *name, const wchar_t *topic, const wchar_t *text, int32_t qos)
{
  uint16_t got_topic[256] = {0}, got_text[256] = {0};
  mt5mqtt_event event;
  int64_t token = mqtt_publish_text_w(client, (const uint16_t *)topic, (const uint16_t *)text, qos, 0, 0);
  int came = token > 0 && next_event(client, MT5MQTT_EVENT_MESSAGE, &event, 5000);
  if (came) {
    mqtt_event_topic_w(client, got_topic, 256);
    mqtt_event_payload_text_w(client, got_text, 256);
  }
  check(came && event.qos == qos && wcscmp((wchar_t *)got_topic, topic) == 0 && wcscmp((wchar_t *)got_text, text) == 0,
        name, "topic or text did not come back as it was sent");
}

static void bytes_round_trip(const char *name, int32_t size, int32_t qos)
{
  uint8_t *sent = malloc(size + 1), *got = calloc(size + 1, 1);
  mt5mqtt_event event;
  int came;
  for (int32_t i = 0; i < size; i++)
    sent[i] = (uint8_t)(i * 31 + i / 251);
  came = mqtt_publish_w(client, TEXT16("bytes"), size > 0 ? sent : NULL, size, qos, 0, 0) > 0 &&
         next_event(client, MT5MQTT_EVENT_MESSAGE, &event, 10000);
  if (came && event.payload_size == size)
    mqtt_event_payload(client, got, size + 1);
  check(came && event.payload_size == size && memcmp(sent, got, size) == 0, name, "the payload did not come back");
  free(sent);
  free(got);
}

static void properties_round_trip(void)
{
  uint16_t type[64] = {0}, name[64] = {0}, value[64] = {0};
  mt5mqtt_event event;
  int64_t set = mqtt_properties_create();
  int came = mqtt_properties_set_text_w(set, MT5MQTT_PROP_CONTENT_TYPE, TEXT16("text/\u0446\u0435\u043d\u0430")) == 0 &&
             mqtt_properties_add_user_w(set, TEXT16("\u4ef7\u683c"), TEXT16("\U0001F4C8")) == 0 &&
             mqtt_publish_text_w(client, TEXT16("properties"), TEXT16("x"), 1, 0, set) > 0 &&
             next_event(client, MT5MQTT_EVENT_MESSAGE, &event, 5000);
  if (came) {
    mqtt_event_property_text_w(client, MT5MQTT_PROP_CONTENT_TYPE, 0, type, 64);
    mqtt_event_user_name_w(client, 0, name, 64);
    mqtt_event_user_value_w(client, 0, value, 64);
  }
  mqtt_properties_free(set);
  check(came && wcscmp((wchar_t *)type, L"text/\u0446\u0435\u043d\u0430") == 0 &&
            wcscmp((wchar_t *)name, L"\u4ef7\u683c") == 0 && wcscmp((wchar_t *)value, L"\U0001F4C8") == 0,
        "properties come back in UTF-16", "Content Type or User Property differ");
}

int main(int count, char **arguments)
{
  static const uint16_t lone_surrogate[] = {'a', 0xD83D, 'b', 0};
  mt5mqtt_event event;
  int64_t version;
  int large;
  require(count == 3 || count == 4, "URL VERSION [CA-FILE]");
  version = atoi(arguments[2]);
  large = strncmp(arguments[1], "ws", 2) == 0 ? LARGE_FOR_WEBSOCKET : LARGE;
  load();
  check(mqtt_abi_version() == MT5MQTT_ABI_VERSION, "the DLL has the ABI of the header", "it has another");
  client = new_client(arguments[1], version);
  if (count == 4) {
    wchar_t file[MAX_PATH];
    _snwprintf(file, MAX_PATH, L"%hs", arguments[3]);
    /* Without the CA the machine's own store decides, which doesn't know it. */
    check(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_DISCONNECTED, &event, 10000) &&
              event.status == MT5MQTT_E_TLS_CERTIFICATE,
          "a Server with a certificate of an unknown CA is refused", "no MT5MQTT_E_TLS_CERTIFICATE");
    check(mqtt_disconnect(client, 0, 0, 2000) == 0, "it gives up", "not idle after 2 s");
    require(mqtt_set_text_w(client, MT5MQTT_OPT_TLS_CA, (uint16_t *)file) == 0, "setting the CA");
  }
  check(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_CONNECTED, &event, 10000), "it connects",
        "no MT5MQTT_EVENT_CONNECTED in 10 s");
  check(subscribe_and_wait(TEXT16("#")), "it subscribes", "no answer");
  for (int32_t qos = 0; qos <= 2; qos++) {
    char name[64];
    snprintf(name, sizeof name, "Cyrillic at QoS %d", (int)qos);
    text_round_trip(name, L"\u0441\u0447\u0451\u0442/EURUSD", L"\u041a\u0443\u043f\u0438\u0442\u044c 0,1 \u043b\u043e\u0442\u0430", qos);
    snprintf(name, sizeof name, "CJK at QoS %d", (int)qos);
    text_round_trip(name, L"\u4ea4\u6613/\u4ef7\u683c", L"\u7f8e\u5143\u514c\u65e5\u5143 \ud55c\uad6d", qos);
    snprintf(name, sizeof name, "emoji at QoS %d", (int)qos);
    text_round_trip(name, L"signals/\U0001F680", L"\U0001F4C8\U0001F4C9 to the \U0001F319", qos);
    snprintf(name, sizeof name, "empty payload at QoS %d", (int)qos);
    bytes_round_trip(name, 0, qos);
    snprintf(name, sizeof name, "%d KiB at QoS %d", large / 1024, (int)qos);
    bytes_round_trip(name, large, qos);
  }
  if (version == 5)
    properties_round_trip();
  check(mqtt_publish_text_w(client, TEXT16("x"), lone_surrogate, 0, 0, 0) == MT5MQTT_E_INVALID_TEXT,
        "a lone surrogate is refused", "it was accepted");
  check(mqtt_disconnect(client, 0, 0, 2000) == 0 && mqtt_state(client) == MT5MQTT_STATE_IDLE, "it disconnects",
        "not idle after 2 s");
  check(mqtt_free(client) == 0 && mqtt_free(client) == MT5MQTT_E_INVALID_HANDLE, "a handle is freed once",
        "the second call did not fail");
  return failures != 0;
}
