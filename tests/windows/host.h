/* What the Windows hosts share: the functions of the loaded DLL, checks, and waiting for events. */

#ifndef HOST_H
#define HOST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "mt5mqtt.h"

#define FUNCTIONS(X) \
  X(abi_version) X(create) X(free) X(set_int) X(set_text_w) X(connect) X(disconnect) X(state) X(stat) \
  X(publish_w) X(publish_text_w) X(subscribe_w) X(poll) X(wait) X(event_topic_w) X(event_payload) \
  X(event_payload_text_w) X(event_text_w) X(event_property_text_w) X(event_user_name_w) X(event_user_value_w) \
  X(publish_batch) X(poll_batch) X(acknowledge) X(last_error_w) X(properties_create) X(properties_free) X(properties_set_text_w) X(properties_add_user_w)

/* The types come from the header, so a host that fits the header fits the DLL. */
#define DECLARE(name) static __typeof__(&mt5mqtt_##name) mqtt_##name;
FUNCTIONS(DECLARE)
#undef DECLARE

#define TEXT16(literal) ((const uint16_t *)L##literal)

static int failures;

/* Prints the outcome of one check. */
static void check(int good, const char *name, const char *why)
{
  if (good) {
    printf("ok %s\n", name);
  } else {
    printf("FAILED %s: %s\n", name, why);
    failures++;
  }
  fflush(stdout);
}

/* Ends a host that can't go on. */
static void require(int good, const char *what)
{
  if (!good) {
    printf("FAILED %s: Windows error %lu\n", what, GetLastError());
    exit(1);
  }
}

/* Loads the DLL of this name, and makes its functions those that the host calls. */
static HMODULE load_copy(const char *name)
{
  HMODULE library = LoadLibraryA(name);
  require(library != NULL, "loading the DLL");
#define FIND(name) \
  mqtt_##name = (__typeof__(mqtt_##name))(void *)GetProcAddress(library, "mt5mqtt_" #name); \
  require(mqtt_##name != NULL, "finding mt5mqtt_" #name);
  FUNCTIONS(FIND)
#undef FIND
  return library;
}

static HMODULE load(void)
{
  return load_copy("mt5mqtt.dll");
}

static void print_last_error(void)
{
  uint16_t text[512];
  mqtt_last_error_w(text, 512);
  printf("  %ls\n", (wchar_t *)text);
}

/* `server` is a port of this machine, or a whole URL. */
static int64_t new_client(const char *server, int64_t protocol_version)
{
  wchar_t url[128];
  int64_t client = mqtt_create();
  require(client > 0, "mt5mqtt_create");
  _snwprintf(url, 128, strstr(server, "://") ? L"%hs" : L"mqtt://127.0.0.1:%hs", server);
  require(mqtt_set_text_w(client, MT5MQTT_OPT_URL, (uint16_t *)url) == 0, "setting the URL");
  require(mqtt_set_int(client, MT5MQTT_OPT_PROTOCOL_VERSION, protocol_version) == 0, "setting the version");
  return client;
}

/* Waits for the next event of a kind, other kinds passed over. 1 if it came in time. */
static int next_event(int64_t client, int32_t kind, mt5mqtt_event *event, DWORD milliseconds)
{
  DWORD start = GetTickCount();
  while (GetTickCount() - start < milliseconds) {
    event->struct_size = sizeof *event;
    if (mqtt_poll(client, event) == 1) {
      if (event->kind == kind)
        return 1;
    } else {
      mqtt_wait(client, 100);
    }
  }
  return 0;
}

static int wait_for_state(int64_t client, int32_t state, DWORD milliseconds)
{
  DWORD start = GetTickCount();
  while (mqtt_state(client) != state) {
    if (GetTickCount() - start > milliseconds)
      return 0;
    Sleep(1);
  }
  return 1;
}

#endif
