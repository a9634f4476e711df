/* The log's file, below a folder whose name no code page has, is open in another program when it is full: log.exe URL. */

#include "host.h"

static wchar_t folder[MAX_PATH], file[MAX_PATH], same_file[MAX_PATH];

static int64_t client;

static void write_lines(int count)
{
  while (count-- > 0)
    mqtt_publish_text_w(client, TEXT16("log"), TEXT16("x"), 0, 0, 0);
}

static const wchar_t *set_aside(int number)
{
  static wchar_t name[MAX_PATH];
  _snwprintf(name, MAX_PATH, L"%ls.%d", file, number);
  return name;
}

static int wait_for_file(int number)
{
  DWORD start = GetTickCount();
  while (GetFileAttributesW(set_aside(number)) == INVALID_FILE_ATTRIBUTES) {
    if (GetTickCount() - start > 20000)
      return 0;
    write_lines(10);
    mqtt_wait(client, 10);
  }
  return 1;
}

static uint64_t identity(int number)
{
  BY_HANDLE_FILE_INFORMATION about = {0};
  HANDLE opened = CreateFileW(set_aside(number), 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
  if (opened != INVALID_HANDLE_VALUE) {
    GetFileInformationByHandle(opened, &about);
    CloseHandle(opened);
  }
  return (uint64_t)about.nFileIndexHigh << 32 | about.nFileIndexLow;
}

int main(int count, char **arguments)
{
  mt5mqtt_event event;
  uint64_t first, second;
  HANDLE other;
  require(count == 2, "URL");
  load();
  require(GetTempPathW(MAX_PATH - 64, folder) > 0, "finding a place");
  _snwprintf(folder + wcslen(folder), 64, L"mt5mqtt-\x65e5\x8a8c-%lu", GetCurrentProcessId());
  require(CreateDirectoryW(folder, NULL), "making a folder");
  _snwprintf(file, MAX_PATH, L"%ls\\client.log", folder);
  _snwprintf(same_file, MAX_PATH, L"%ls\\CLIENT.LOG", folder);

  client = new_client(arguments[1], 5);
  require(mqtt_set_int(client, MT5MQTT_OPT_LOG_LEVEL, 5) == 0 && mqtt_set_int(client, MT5MQTT_OPT_LOG_EVENTS, 0) == 0 &&
              mqtt_set_int(client, MT5MQTT_OPT_LOG_FILE_BYTES, 4096) == 0 &&
              mqtt_set_text_w(client, MT5MQTT_OPT_LOG_FILE, (uint16_t *)file) == 0,
          "setting the log");
  require(mqtt_connect(client) == 0 && next_event(client, MT5MQTT_EVENT_CONNECTED, &event, 10000), "connecting");
  require(wait_for_file(3), "three files that were set aside");

  /* It lets others read and write, and nobody rename. */
  other = CreateFileW(file, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
  require(other != INVALID_HANDLE_VALUE, "opening the log's file");
  first = identity(1);
  second = identity(2);
  for (int attempt = 0; attempt < 4; attempt++) {
    DWORD start = GetTickCount();
    do {
      require(GetTickCount() - start < 20000, "a line that tells of it");
      write_lines(10);
    } while (!next_event(client, MT5MQTT_EVENT_LOG, &event, 10));
    /* By another spelling of its name it is tried and told of anew. */
    mqtt_set_text_w(client, MT5MQTT_OPT_LOG_FILE, (uint16_t *)(attempt % 2 ? file : same_file));
  }
  check(identity(2) == first && identity(3) == second, "attempts to set the file aside lose none of those before", "one is gone");
  CloseHandle(other);
  mqtt_set_int(client, MT5MQTT_OPT_LOG_LEVEL, 5);
  check(wait_for_file(1), "it is set aside when it is free", "it never was");
  check(mqtt_free(client) == 0, "the client is freed", "a call failed");
  for (int number = 1; number <= 3; number++)
    DeleteFileW(set_aside(number));
  DeleteFileW(file);
  RemoveDirectoryW(folder);
  return failures != 0;
}
