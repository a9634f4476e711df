/* A file of a store is open in another program, as a scanner for viruses or a backup has it for a moment; or its drive comes
 * later, as one of the network does: store.exe URL ROOT-OF-DRIVE-Y. The path is longer than old functions take (MAX_PATH), and
 * no code page has its letters. */

#include "host.h"

#define LONG_NAME L"\x65e5\x8a8c-0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

/* The host's own calls need the prefix of a long path; the library is given the folder as a user writes it. */
#define PREFIX L"\\\\?\\"

static wchar_t folders[3][1024];

static int64_t client_with_store(const char *server, wchar_t *folder)
{
  int64_t client = new_client(server, 5);
  require(mqtt_set_text_w(client, MT5MQTT_OPT_CLIENT_ID, TEXT16("store")) == 0 &&
              mqtt_set_text_w(client, MT5MQTT_OPT_STORE_PATH, (uint16_t *)folder) == 0 &&
              mqtt_set_int(client, MT5MQTT_OPT_RECONNECT_MIN_MS, 100) == 0 &&
              mqtt_set_int(client, MT5MQTT_OPT_RECONNECT_MAX_MS, 100) == 0,
          "setting the store");
  return client;
}

/* A connect while another program shares this file with nobody, and afterwards. */
static void wait_for_other(const char *server, const wchar_t *file, DWORD disposition, const char *what)
{
  mt5mqtt_event event;
  wchar_t path[1024];
  HANDLE other;
  int64_t client = client_with_store(server, folders[2] + wcslen(PREFIX));
  _snwprintf(path, 1024, L"%ls\\%ls", folders[2], file);
  other = CreateFileW(path, GENERIC_READ, 0, NULL, disposition, 0, NULL);
  require(other != INVALID_HANDLE_VALUE, what);
  require(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_DISCONNECTED, &event, 10000), "an answer");
  printf("  %s\n", what);
  check(event.status == MT5MQTT_E_STORE_IN_USE, "the store is in use", "it can't be opened");
  check(wait_for_state(client, MT5MQTT_STATE_WAITING, 5000), "it is waited for", "it was given up");
  CloseHandle(other);
  check(next_event(client, MT5MQTT_EVENT_CONNECTED, &event, 10000), "and used when it is free", "it never was");
  check(mqtt_free(client) == 0, "the client is freed", "a call failed");
}

/* A connect before drive Y is there, and afterwards: it has this folder as its root, which isn't there yet. */
static void wait_for_drive(const char *server, const char *root)
{
  mt5mqtt_event event;
  wchar_t folder[] = L"Y:\\store";
  int64_t client = client_with_store(server, folder);
  require(GetFileAttributesW(L"Y:\\") == INVALID_FILE_ATTRIBUTES, "a drive that isn't there");
  require(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_DISCONNECTED, &event, 10000), "an answer");
  check(event.status == MT5MQTT_E_STORE_NOT_OPENED, "a store whose drive isn't there can't be opened", "another status");
  check(wait_for_state(client, MT5MQTT_STATE_WAITING, 5000), "the drive is waited for", "it was given up");
  require(CreateDirectoryA(root, NULL), "making the drive");
  check(next_event(client, MT5MQTT_EVENT_CONNECTED, &event, 10000), "and used when it is there", "it never was");
  check(mqtt_free(client) == 0, "the client is freed", "a call failed");
}

int main(int count, char **arguments)
{
  static const wchar_t *const files[] = {L"session.redb", L"session.redb.lock"};
  wchar_t temporary[MAX_PATH], file[1024];
  require(count == 3, "URL ROOT-OF-DRIVE-Y");
  load();
  require(GetTempPathW(MAX_PATH, temporary) > 0, "finding a place");
  _snwprintf(folders[0], 1024, PREFIX L"%lsmt5mqtt-store-%lu", temporary, GetCurrentProcessId());
  _snwprintf(folders[1], 1024, L"%ls\\" LONG_NAME, folders[0]);
  _snwprintf(folders[2], 1024, L"%ls\\" LONG_NAME, folders[1]);

  /* First what is left of a store that somebody died making. */
  for (int depth = 0; depth < 3; depth++)
    require(CreateDirectoryW(folders[depth], NULL), "making the folder");
  wait_for_other(arguments[1], L"session.redb.new", CREATE_NEW, "the rest of a store that another program has open");
  wait_for_other(arguments[1], L"session.redb", OPEN_EXISTING, "a store that another program has open");
  for (int i = 0; i < 2; i++) {
    _snwprintf(file, 1024, L"%ls\\%ls", folders[2], files[i]);
    DeleteFileW(file);
  }
  for (int depth = 2; depth >= 0; depth--)
    RemoveDirectoryW(folders[depth]);
  wait_for_drive(arguments[1], arguments[2]);
  return failures != 0;
}
