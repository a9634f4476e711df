/* What a terminal does to a DLL that other hosts don't: terminal.exe URL SECOND_DLL [leave] */

#include <winsock2.h>

#include "host.h"

static const char *url, *second_dll;

/* Whether a message comes back, as it must whatever happened to others. */
static int still_works(int64_t client, const uint16_t *topic)
{
  mt5mqtt_event event;
  return mqtt_publish_text_w(client, topic, TEXT16("x"), 1, 0, 0) > 0 &&
         next_event(client, MT5MQTT_EVENT_MESSAGE, &event, 5000);
}

/* Each version refuses what was built for the other, and says what to do. */
static void versions_tell_each_other_apart(HMODULE one, HMODULE two, int64_t first)
{
  /* One field more than this header has. */
  struct {
    mt5mqtt_event event;
    int64_t added;
  } newer = {.event.struct_size = sizeof newer};
  mt5mqtt_event event = {.struct_size = sizeof event};
  uint16_t text[512] = {0};
  int32_t (*abi_of_two)(void) = (void *)GetProcAddress(two, "mt5mqtt_abi_version");
  int32_t (*size_of_two)(void) = (void *)GetProcAddress(two, "mt5mqtt_event_size");
  int32_t (*size_of_one)(void) = (void *)GetProcAddress(one, "mt5mqtt_event_size");
  int64_t second;
  check(mqtt_abi_version() == MT5MQTT_ABI_VERSION && abi_of_two() == MT5MQTT_ABI_VERSION + 1, "each says its ABI", "it doesn't");
  check(size_of_one() == sizeof event && size_of_two() == sizeof newer, "each says the size of its event", "it doesn't");
  check(GetProcAddress(two, "mt5mqtt_added") != NULL && GetProcAddress(one, "mt5mqtt_added") == NULL,
        "a function of the newer is not in the older", "it is, or isn't in either");
  check(mqtt_poll(first, &newer.event) == MT5MQTT_E_STRUCT_SIZE && mqtt_last_error_w(text, 512) > 0 &&
          wcsstr((wchar_t *)text, L"one release") != NULL,
        "the older refuses an event of the newer, and says what to do", "it doesn't");
  load_copy(second_dll);
  second = mqtt_create();
  text[0] = 0;
  check(mqtt_poll(second, &event) == MT5MQTT_E_STRUCT_SIZE && mqtt_last_error_w(text, 512) > 0 &&
          wcsstr((wchar_t *)text, L"one release") != NULL,
        "the newer refuses an event of the older, and says what to do", "it doesn't");
  check(mqtt_poll(second, &newer.event) == 0, "the newer takes its own", "it doesn't");
  mqtt_free(second);
  load();
}

/* Two versions of the DLL side by side, under two names. */
static void two_copies_work_side_by_side(const char *name)
{
  mt5mqtt_event event;
  int64_t first = new_client(url, 5), second;
  HMODULE one = GetModuleHandleA("mt5mqtt.dll"), two;
  uint16_t version[32], first_version[32];
  int32_t (*version_w)(uint16_t *, int32_t);
  require(mqtt_subscribe_w(first, TEXT16("copies"), 1, 0) > 0 && mqtt_connect(first) == 0, "connecting");
  require(next_event(first, MT5MQTT_EVENT_SUBSCRIBED, &event, 10000), "subscribing");
  two = load_copy(name);
  check(two != one, "the second copy is a module of its own", "it is the first");
  version_w = (void *)GetProcAddress(two, "mt5mqtt_version_w");
  check(version_w != NULL && version_w(version, 32) > 0, "it says its version", "it doesn't");
  version_w = (void *)GetProcAddress(one, "mt5mqtt_version_w");
  check(version_w(first_version, 32) > 0 && wcscmp((wchar_t *)version, (wchar_t *)first_version) != 0, "it is another version",
        "it is the same");
  load();
  versions_tell_each_other_apart(one, two, first);
  /* From here on `mqtt_` means the second copy. */
  load_copy(name);
  second = new_client(url, 4);
  require(mqtt_connect(second) == 0 && wait_for_state(second, MT5MQTT_STATE_CONNECTED, 10000), "connecting by the copy");
  check(mqtt_publish_text_w(second, TEXT16("copies"), TEXT16("from the second"), 1, 0, 0) > 0, "the second publishes",
        "it was refused");
  load();
  check(next_event(first, MT5MQTT_EVENT_MESSAGE, &event, 5000), "the first receives it", "nothing came");
  load_copy(name);
  check(mqtt_free(second) == 0, "a client of the second is freed", "a call failed");
  /* As often as it was loaded. */
  for (int i = 0; i < 4; i++)
    FreeLibrary(two);
  for (int i = 0; i < 500 && GetModuleHandleA(name) != NULL; i++)
    Sleep(10);
  check(GetModuleHandleA(name) == NULL, "the second copy is unloaded", "it is still there");
  load();
  check(still_works(first, TEXT16("copies")), "the first goes on without the second", "nothing came back");
  mqtt_free(first);
}

/* A Server that never answers: it accepts connections, and takes nothing from them. With `mqtt` it answers CONNECT first. */
struct black_hole {
  SOCKET listener;
  char port[8];
  int mqtt;
};

static DWORD WINAPI swallow(void *argument)
{
  struct black_hole *hole = argument;
  for (;;) {
    static const char connack[] = {0x20, 2, 0, 0};
    char connect[256];
    int small = 1024;
    SOCKET peer = accept(hole->listener, NULL, NULL);
    if (peer == INVALID_SOCKET)
      return 0;
    setsockopt(peer, SOL_SOCKET, SO_RCVBUF, (char *)&small, sizeof small);
    if (hole->mqtt && recv(peer, connect, sizeof connect, 0) > 0)
      send(peer, connack, sizeof connack, 0);
    /* It stays open and silent until the process ends. */
  }
}

static void open_black_hole(struct black_hole *hole, int mqtt)
{
  struct sockaddr_in address = {.sin_family = AF_INET};
  int size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  hole->mqtt = mqtt;
  hole->listener = socket(AF_INET, SOCK_STREAM, 0);
  require(bind(hole->listener, (struct sockaddr *)&address, size) == 0 && listen(hole->listener, 8) == 0 &&
            getsockname(hole->listener, (struct sockaddr *)&address, &size) == 0,
          "opening a black hole");
  snprintf(hole->port, sizeof hole->port, "%d", ntohs(address.sin_port));
  CloseHandle(CreateThread(NULL, 0, swallow, hole, 0, NULL));
}

/* How long disconnect and free take, with 2 s asked for. */
static void bounds_hold(int64_t client, const char *name)
{
  char what[128];
  DWORD start = GetTickCount(), disconnecting, freeing;
  mqtt_disconnect(client, 0, 0, 2000);
  disconnecting = GetTickCount() - start;
  start = GetTickCount();
  mqtt_free(client);
  freeing = GetTickCount() - start;
  snprintf(what, sizeof what, "%s: disconnect took %lu ms, free %lu ms", name, disconnecting, freeing);
  check(disconnecting < 2400 && freeing < 1400, what, "more than 2 s and 1 s");
}

static void bounds_hold_with_a_silent_server(void)
{
  static uint8_t block[64 * 1024];
  struct black_hole silent, full;
  int64_t client;
  open_black_hole(&silent, 0);
  client = new_client(silent.port, 5);
  require(mqtt_connect(client) == 0 && wait_for_state(client, MT5MQTT_STATE_CONNECTING, 5000), "connecting");
  bounds_hold(client, "a Server that never answers");
  client = new_client(silent.port, 5);
  require(mqtt_connect(client) == 0, "connecting");
  bounds_hold(client, "the same, at once");

  open_black_hole(&full, 1);
  client = new_client(full.port, 4);
  require(mqtt_connect(client) == 0 && wait_for_state(client, MT5MQTT_STATE_CONNECTED, 5000), "connecting");
  for (int i = 0; i < 400; i++) {
    DWORD start = GetTickCount();
    mqtt_publish_w(client, TEXT16("full"), block, sizeof block, i % 2, 0, 0);
    if (GetTickCount() - start > 500) {
      check(0, "a publish doesn't wait for a Server that takes nothing", "it took more than half a second");
      return;
    }
  }
  check(1, "a publish doesn't wait for a Server that takes nothing", "");
  bounds_hold(client, "a Server that went silent, with a full send buffer");
}

/* Frees the DLL with clients in every state and threads in calls, and ends as a terminal does. */
static int leave_without_closing(void)
{
  struct black_hole silent;
  HMODULE library = GetModuleHandleA("mt5mqtt.dll");
  int64_t connected = new_client(url, 5), connecting, idle = mqtt_create(), waiting = new_client("1", 5);
  open_black_hole(&silent, 0);
  connecting = new_client(silent.port, 5);
  require(mqtt_connect(connected) == 0 && wait_for_state(connected, MT5MQTT_STATE_CONNECTED, 10000), "connecting");
  require(mqtt_connect(connecting) == 0 && mqtt_connect(waiting) == 0 && idle > 0, "connecting");
  mqtt_publish_text_w(connected, TEXT16("left"), TEXT16("x"), 2, 0, 0);
  FreeLibrary(library);
  check(1, "the DLL is freed, nothing closed", "");
  return 0;
}

int main(int count, char **arguments)
{
  WSADATA sockets;
  require(count >= 3, "URL SECOND_DLL [leave]");
  url = arguments[1];
  WSAStartup(MAKEWORD(2, 2), &sockets);
  load();
  if (count == 4)
    return leave_without_closing();
  two_copies_work_side_by_side(second_dll = arguments[2]);
  bounds_hold_with_a_silent_server();
  return failures != 0;
}
