/* The DLL is freed while clients are connected: unload.exe URL ROUNDS [CA-FILE] */

#include <winsock2.h>

#include "host.h"

#include <psapi.h>
#include <tlhelp32.h>

static const char *server, *ca;

/* The pool threads of the system come and go on their own: there are a few of them. */
#define POOL_THREADS 6
/* Many that are busy at once make the pool grow; without work for seconds they end. */
#define LONGEST_END_MS 20000
/* What the heap may grow by over all rounds. */
#define MEMORY_GROWTH (8 * 1024 * 1024)

static int threads(void)
{
  THREADENTRY32 entry = {.dwSize = sizeof entry};
  HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  DWORD own = GetCurrentProcessId();
  int count = 0;
  if (Thread32First(snapshot, &entry)) {
    do {
      count += entry.th32OwnerProcessID == own;
    } while (Thread32Next(snapshot, &entry));
  }
  CloseHandle(snapshot);
  return count;
}

static SIZE_T memory(void)
{
  PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};
  GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters);
  return counters.PagefileUsage;
}

/* Waits until the DLL is gone and, but for the pool's, so are all threads that came with it. */
static int gone(int threads_before)
{
  DWORD start = GetTickCount();
  while (GetModuleHandleA("mt5mqtt.dll") != NULL || threads() > threads_before + POOL_THREADS) {
    if (GetTickCount() - start > LONGEST_END_MS)
      return 0;
    Sleep(1);
  }
  return 1;
}

enum how { CONNECTED, FREED_BEFORE, JUST_STARTED, UNDER_TRAFFIC };

static int64_t new_trusting_client(int64_t protocol_version)
{
  int64_t client = new_client(server, protocol_version);
  if (ca != NULL) {
    wchar_t file[MAX_PATH];
    _snwprintf(file, MAX_PATH, L"%hs", ca);
    require(mqtt_set_text_w(client, MT5MQTT_OPT_TLS_CA, (uint16_t *)file) == 0, "setting the CA");
  }
  return client;
}

static void round_of(enum how how, int64_t clients[2])
{
  clients[0] = new_trusting_client(5);
  clients[1] = new_trusting_client(4);
  for (int i = 0; i < 2; i++) {
    if (how == UNDER_TRAFFIC)
      mqtt_subscribe_w(clients[i], TEXT16("traffic"), 0, 0);
    require(mqtt_connect(clients[i]) == 0, "mt5mqtt_connect");
  }
  if (how == JUST_STARTED)
    return;
  for (int i = 0; i < 2; i++)
    require(wait_for_state(clients[i], MT5MQTT_STATE_CONNECTED, 10000), "connecting");
  for (int i = 0; i < (how == UNDER_TRAFFIC ? 2000 : 20); i++)
    require(mqtt_publish_text_w(clients[i % 2], TEXT16("traffic"), TEXT16("\u0446\u0435\u043d\u0430"), how == UNDER_TRAFFIC ? 0 : i % 3, 0, 0) > 0,
            "mt5mqtt_publish_text_w");
}

static void rounds_of(enum how how, int rounds, const char *name)
{
  int threads_before = threads(), good = 1, round;
  SIZE_T memory_before = 0;
  DWORD worst = 0;
  char why[128] = "";
  for (round = 0; round < rounds && good; round++) {
    int64_t clients[2];
    DWORD start;
    HMODULE library = load();
    round_of(how, clients);
    if (how == FREED_BEFORE) {
      good = mqtt_free(clients[0]) == 0 && mqtt_free(clients[1]) == 0;
    }
    start = GetTickCount();
    FreeLibrary(library);
    if (GetTickCount() - start > worst)
      worst = GetTickCount() - start;
    /* A library that was freed as it started may live on until its threads have begun; the next round may meet it. */
    if (how != JUST_STARTED)
      good = good && gone(threads_before);
    if (round == 9)
      memory_before = memory();
  }
  good = good && gone(threads_before);
  snprintf(why, sizeof why, "round %d: %d threads, before %d; the DLL is %s", round, threads(), threads_before,
           GetModuleHandleA("mt5mqtt.dll") ? "still there" : "gone");
  check(good, name, why);
  snprintf(why, sizeof why, "%s: FreeLibrary took %lu ms at most", name, worst);
  check(worst < 1500, why, "too long");
  if (how != JUST_STARTED && rounds > 10) {
    SIZE_T after = memory();
    snprintf(why, sizeof why, "%s: memory is flat", name);
    check(after < memory_before + MEMORY_GROWTH, why, "it has grown");
  }
}

static DWORD WINAPI waiting(void *client)
{
  mqtt_set_int(*(int64_t *)client, MT5MQTT_OPT_WAIT_MAXIMUM_MS, 60000);
  return (DWORD)mqtt_wait(*(int64_t *)client, 60000);
}

static void free_wakes_a_waiting_thread(void)
{
  HMODULE library = load();
  int64_t client = new_client(server, 5);
  HANDLE thread = CreateThread(NULL, 0, waiting, &client, 0, NULL);
  Sleep(50);
  mqtt_free(client);
  check(WaitForSingleObject(thread, 2000) == WAIT_OBJECT_0, "free wakes a thread that waits", "it still waits after 2 s");
  CloseHandle(thread);
  FreeLibrary(library);
}

#define MANY 32

/* A port of this machine whose queue of connections is full: nobody accepts or refuses any more. */
static int full_port(void)
{
  WSADATA data;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int size = sizeof address;
  u_long no_waiting = 1;
  SOCKET listener;
  require(WSAStartup(0x202, &data) == 0, "WSAStartup");
  listener = socket(AF_INET, SOCK_STREAM, 0);
  require(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0,
          "listening");
  for (int i = 0; i < 4; i++) {
    SOCKET client = socket(AF_INET, SOCK_STREAM, 0);
    ioctlsocket(client, FIONBIO, &no_waiting);
    connect(client, (struct sockaddr *)&address, size);
  }
  return ntohs(address.sin_port);
}

/* A port of this machine where the system accepts and nobody says anything. */
static int silent_port(void)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int size = sizeof address;
  SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
  require(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, SOMAXCONN) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0,
          "listening");
  return ntohs(address.sin_port);
}

/* Each waits for longer than anybody would for the DLL, or tries again and again. */
static void many_clients_of(const char *scheme, int port, int rounds, const char *name)
{
  int threads_before = threads(), good = 1, round;
  char nobody[64], why[128];
  snprintf(nobody, sizeof nobody, "%s://127.0.0.1:%d", scheme, port);
  for (round = 0; round < rounds && good; round++) {
    HMODULE library = load();
    for (int i = 0; i < MANY; i++) {
      int64_t client = new_client(nobody, 5);
      require(mqtt_set_int(client, MT5MQTT_OPT_CONNECT_TIMEOUT_MS, 60000) == 0 &&
                  mqtt_set_int(client, MT5MQTT_OPT_RECONNECT_MIN_MS, 1) == 0 &&
                  mqtt_set_int(client, MT5MQTT_OPT_RECONNECT_MAX_MS, 1 + i % 2 * 30) == 0 && mqtt_connect(client) == 0,
              "mt5mqtt_connect");
    }
    Sleep(round % 40);
    FreeLibrary(library);
    good = gone(threads_before);
  }
  snprintf(why, sizeof why, "round %d: %d threads, before %d", round, threads(), threads_before);
  check(good, name, why);
}

static void a_panic_leaves_the_process_alive(void)
{
  HMODULE library = load();
  int32_t (*test_panic)(int64_t, int32_t) = (void *)GetProcAddress(library, "mt5mqtt_test_panic");
  int64_t client = new_client(server, 5), other = new_client(server, 5);
  require(mqtt_connect(client) == 0 && mqtt_connect(other) == 0, "mt5mqtt_connect");
  require(wait_for_state(client, MT5MQTT_STATE_CONNECTED, 10000), "connecting");
  require(wait_for_state(other, MT5MQTT_STATE_CONNECTED, 10000), "connecting");
  test_panic(client, 1);
  check(wait_for_state(client, MT5MQTT_STATE_FAILED, 5000), "a fault on the background thread fails its client", "it has not");
  check(test_panic(client, 0) == MT5MQTT_E_PANIC, "a fault in a call is a status", "it was not");
  check(mqtt_publish_text_w(other, TEXT16("x"), TEXT16("y"), 0, 0, 0) > 0, "other clients go on", "a publish failed");
  mqtt_free(client);
  mqtt_free(other);
  FreeLibrary(library);
}

int main(int count, char **arguments)
{
  int rounds;
  require(count == 3 || count == 4, "URL ROUNDS [CA-FILE]");
  server = arguments[1];
  ca = count == 4 ? arguments[3] : NULL;
  rounds = atoi(arguments[2]);
  rounds_of(CONNECTED, rounds, "freeing the DLL while connected");
  rounds_of(FREED_BEFORE, rounds, "freeing the clients, then the DLL");
  rounds_of(UNDER_TRAFFIC, rounds / 4, "freeing the DLL under traffic");
  rounds_of(JUST_STARTED, rounds, "freeing the DLL as it connects");
  /* These have nothing to do with how the bytes travel. */
  if (strncmp(server, "mqtt://", 7) != 0)
    return failures != 0;
  free_wakes_a_waiting_thread();
  many_clients_of("mqtt", full_port(), 1, "freeing the DLL while many clients wait for a Server that never answers");
  many_clients_of("mqtts", silent_port(), 1, "freeing the DLL while many clients wait for TLS that is never answered");
  many_clients_of("ws", silent_port(), 1, "freeing the DLL while many clients wait for a WebSocket that is never answered");
  many_clients_of("mqtt", 1, rounds / 5, "freeing the DLL while many clients reconnect");
  a_panic_leaves_the_process_alive();
  return failures != 0;
}
