/* The file of a store is open in another program, as a scanner for viruses or a backup has it for a moment; or its drive comes
   later, as one of the network does: store.exe PORT ROOT-OF-DRIVE-Y. */

#include "host.h"

static wchar_t folder[MAX_PATH], file[MAX_PATH], place[MAX_PATH];

static int64_t client_with_store(const char *server)
{
  int64_t client = new_client(server, 5);
  require(mqtt_set_text_w(client, MT5MQTT_OPT_CLIENT_ID, TEXT16("store")) == 0 &&
              mqtt_set_text_w(client, MT5MQTT_OPT_STORE_PATH, (uint16_t *)folder) == 0 &&
              mqtt_set_int(client, MT5MQTT_OPT_RECONNECT_MIN_MS, 100) == 0 &&
              mqtt_set_int(client, MT5MQTT_OPT_RECONNECT_MAX_MS, 100) == 0,
          "setting the store");
  return client;
}

int main(int count, char **arguments)
{
  mt5mqtt_event event;
  int64_t client;
  HANDLE other;
  require(count == 3, "PORT ROOT-OF-DRIVE-Y");
  load();
  require(GetTempPathW(MAX_PATH - 64, folder) > 0, "finding a place");
  _snwprintf(folder + wcslen(folder), 64, L"mt5mqtt-store-%lu", GetCurrentProcessId());
  _snwprintf(file, MAX_PATH, L"%ls\\session.redb", folder);

  client = client_with_store(arguments[1]);
  require(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_CONNECTED, &event, 10000), "connecting");
  require(mqtt_free(client) == 0, "freeing");

  /* It shares the file with nobody. */
  other = CreateFileW(file, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
  require(other != INVALID_HANDLE_VALUE, "opening the store's file");
  client = client_with_store(arguments[1]);
  require(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_DISCONNECTED, &event, 10000), "an answer");
  check(event.status == MT5MQTT_E_STORE_IN_USE, "a store that another program has open is in use", "it can't be opened");
  check(wait_for_state(client, MT5MQTT_STATE_WAITING, 5000), "it is waited for", "it was given up");
  CloseHandle(other);
  check(next_event(client, MT5MQTT_EVENT_CONNECTED, &event, 10000), "and used when it is free", "it never was");
  check(mqtt_free(client) == 0, "the client is freed", "a call failed");
  DeleteFileW(file);
  RemoveDirectoryW(folder);

  /* Drive Y has this folder as its root, which isn't there yet. */
  _snwprintf(place, MAX_PATH, L"%hs", arguments[2]);
  require(GetFileAttributesW(L"Y:\\") == INVALID_FILE_ATTRIBUTES, "a drive that isn't there");
  _snwprintf(folder, MAX_PATH, L"Y:\\store");
  client = client_with_store(arguments[1]);
  require(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_DISCONNECTED, &event, 10000), "an answer");
  check(event.status == MT5MQTT_E_STORE_NOT_OPENED, "a store whose drive isn't there can't be opened", "another status");
  check(wait_for_state(client, MT5MQTT_STATE_WAITING, 5000), "the drive is waited for", "it was given up");
  require(CreateDirectoryW(place, NULL), "making the drive");
  check(next_event(client, MT5MQTT_EVENT_CONNECTED, &event, 10000), "and used when it is there", "it never was");
  check(mqtt_free(client) == 0, "the client is freed", "a call failed");
  return failures != 0;
}
