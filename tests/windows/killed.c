/* Ends threads of a program in the middle of their calls, as a terminal does with one that doesn't come back:
 * killed.exe URL CALL ROUNDS SEED
 *
 * What must hold afterwards: the clients of other programs go on, new ones can be made, and each call on the client of the
 * program that is gone comes back, with a status that says why it can't do anything.
 *
 * A thread that is ended while it takes memory leaves the heap of the whole process locked, and nothing in the process goes on
 * then, whatever a DLL does; so it is with other locks of the system. The watchdog tells such a round from a fault of ours, and the host ends
 * with HUNG_IN_THE_SYSTEM: the rounds that are left are for another process. CALL `heap` is the proof that this is so: its
 * threads call nothing of ours.
 */

#include "host.h"
#include "watchdog.h"

/* The longest that a call on a client may take that was left locked. */
#define LONGEST_CALL_MS 8000
#define NEVER_MS 20000

static const char *url;
static uint8_t room[64 * 1024];
static volatile LONG started;

static void publish(int64_t client)
{
  static int qos;
  mqtt_publish_text_w(client, TEXT16("doomed"), TEXT16("0123456789"), qos++ % 3, 0, 0);
}

static void publish_batch(int64_t client)
{
  static const struct {
    int32_t struct_size, status;
    int64_t token;
    int32_t qos, retain, topic_size, payload_size;
    char rest[10];
  } __attribute__((packed)) message = {32, 0, 0, 1, 0, 6, 4, "doomed1234"};
  uint8_t batch[8 * sizeof message];
  for (int i = 0; i < 8; i++)
    memcpy(batch + i * sizeof message, &message, sizeof message);
  mqtt_publish_batch(client, batch, sizeof batch, 0);
}

static void subscribe(int64_t client)
{
  mqtt_subscribe_w(client, TEXT16("doomed/too"), 1, 0);
}

static void poll(int64_t client)
{
  mt5mqtt_event event = {.struct_size = sizeof event};
  mqtt_poll(client, &event);
}

static void poll_batch(int64_t client)
{
  mqtt_poll_batch(client, room, sizeof room, 16);
}

static void wait_and_poll(int64_t client)
{
  mqtt_wait(client, 250);
  poll(client);
}

static void stat(int64_t client)
{
  mqtt_stat(client, MT5MQTT_STAT_MESSAGES_SENT);
  mqtt_stat(client, MT5MQTT_STAT_EVENTS_BYTES);
}

static void acknowledge(int64_t client)
{
  mt5mqtt_event event = {.struct_size = sizeof event};
  if (mqtt_poll(client, &event) == 1 && event.kind == MT5MQTT_EVENT_MESSAGE)
    mqtt_acknowledge(client, event.token, 0);
}

static void disconnect(int64_t client)
{
  mqtt_disconnect(client, 0, 0, 50);
  mqtt_connect(client);
}

static void create_and_free(int64_t client)
{
  (void)client;
  mqtt_free(mqtt_create());
}

static void heap(int64_t client)
{
  static SIZE_T size;
  (void)client;
  size = (size + 4093) % 40000;
  HeapFree(GetProcessHeap(), 0, HeapAlloc(GetProcessHeap(), 0, size));
}

static const struct call {
  const char *name;
  void (*once)(int64_t client);
} calls[] = {
  {"publish", publish},
  {"publish_batch", publish_batch},
  {"subscribe", subscribe},
  {"poll", poll},
  {"poll_batch", poll_batch},
  {"wait", wait_and_poll},
  /* On a client that never connects. */
  {"wait_offline", wait_and_poll},
  {"stat", stat},
  {"acknowledge", acknowledge},
  {"disconnect", disconnect},
  {"create", create_and_free},
  {"heap", heap},
};

struct doomed {
  const struct call *call;
  int64_t client;
};

/* A thread of a program that doesn't come back when it should. */
static DWORD WINAPI doomed(void *argument)
{
  struct doomed *this = argument;
  for (;;) {
    this->call->once(this->client);
    started = 1;
  }
  return 0;
}

static uint32_t random_below(uint32_t limit)
{
  static uint32_t state;
  if (state == 0)
    state = limit | 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % limit;
}

/* Not Sleep, which knows no moments but those of the system's clock. */
static void pass_microseconds(uint32_t microseconds)
{
  LARGE_INTEGER frequency, start, now;
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&start);
  do
    QueryPerformanceCounter(&now);
  while ((now.QuadPart - start.QuadPart) * 1000000 / frequency.QuadPart < microseconds);
}

/* Ends a thread wherever it stands. */
static void end_a_thread(struct doomed *victim)
{
  HANDLE thread;
  started = 0;
  thread = CreateThread(NULL, 0, doomed, victim, 0, NULL);
  /* Before, it may still be in the loader. */
  while (!started)
    Sleep(0);
  pass_microseconds(random_below(3000));
  TerminateThread(thread, 1);
  WaitForSingleObject(thread, 5000);
  CloseHandle(thread);
}

static int64_t connected_client(int64_t protocol_version)
{
  int64_t client = new_client(url, protocol_version);
  require(mqtt_connect(client) == 0 && wait_for_state(client, MT5MQTT_STATE_CONNECTED, 10000), "connecting");
  return client;
}

static int subscribed_client(int64_t *client, const uint16_t *topic)
{
  mt5mqtt_event event;
  return mqtt_subscribe_w(*client, topic, 1, 0) > 0 && next_event(*client, MT5MQTT_EVENT_SUBSCRIBED, &event, 10000);
}

/* Whether a message comes back, as it must whatever happened to others. */
static int goes_on(int64_t client)
{
  mt5mqtt_event event;
  return mqtt_publish_text_w(client, TEXT16("other"), TEXT16("x"), 1, 0, 0) > 0 &&
         next_event(client, MT5MQTT_EVENT_MESSAGE, &event, 10000);
}

struct outcome {
  DWORD longest;
  int left_locked, wrong;
};

static void note(struct outcome *outcome, const char *name, int64_t result)
{
  DWORD took = ends();
  if (took > outcome->longest)
    outcome->longest = took;
  if (took > LONGEST_CALL_MS)
    say("FAILED %s took %lu ms on the client of a thread that was ended\n", name, took);
  switch (result) {
  case MT5MQTT_E_LEFT_LOCKED:
    outcome->left_locked++;
    break;
  case MT5MQTT_E_TIMEOUT:
  case MT5MQTT_E_WRONG_STATE:
  case MT5MQTT_E_UNKNOWN_TOKEN:
  case MT5MQTT_E_QUEUE_FULL:
    break;
  default:
    if (result < 0) {
      say("FAILED %s returned %lld on the client of a thread that was ended\n", name, (long long)result);
      outcome->wrong++;
    }
  }
  outcome->wrong += took > LONGEST_CALL_MS;
}

/* What another thread of that program may call. */
static void call_all(int64_t client, struct outcome *outcome)
{
  mt5mqtt_event event = {.struct_size = sizeof event};
#define CALL(name, ...) \
  begins("mt5mqtt_" #name " after it", NEVER_MS); \
  note(outcome, #name, mqtt_##name(__VA_ARGS__));
  CALL(publish_text_w, client, TEXT16("doomed"), TEXT16("x"), 1, 0, 0)
  CALL(subscribe_w, client, TEXT16("doomed/too"), 1, 0)
  CALL(poll, client, &event)
  CALL(poll_batch, client, room, sizeof room, 4)
  CALL(wait, client, 20)
  CALL(stat, client, MT5MQTT_STAT_MESSAGES_SENT)
  CALL(state, client)
  CALL(acknowledge, client, 1, 0)
  CALL(set_int, client, MT5MQTT_OPT_WAIT_MAXIMUM_MS, 100)
  CALL(disconnect, client, 0, 0, 500)
  CALL(connect, client)
  CALL(free, client)
#undef CALL
}

static void threads_are_ended_in(const struct call *call, int rounds)
{
  struct outcome outcome = {0, 0, 0};
  int64_t other = connected_client(5);
  char what[160];
  int locked = 0;
  require(subscribed_client(&other, TEXT16("other")), "subscribing");
  for (; watched.rounds < rounds; watched.rounds++) {
    struct doomed victim = {.call = call};
    int before = outcome.left_locked;
    begins("a program that begins", NEVER_MS);
    victim.client = new_client(url, 5);
    if (call->once == acknowledge)
      require(mqtt_set_int(victim.client, MT5MQTT_OPT_ACKNOWLEDGE, 2) == 0, "setting ACKNOWLEDGE");
    if (strcmp(call->name, "wait_offline") != 0) {
      require(mqtt_connect(victim.client) == 0, "connecting");
      require(subscribed_client(&victim.client, TEXT16("doomed")), "subscribing");
      for (int i = 0; i < 100; i++)
        mqtt_publish_text_w(other, TEXT16("doomed"), TEXT16("for you"), 1, 0, 0);
    }
    begins("ending a thread", NEVER_MS);
    end_a_thread(&victim);
    begins("another program's client", NEVER_MS);
    if (!goes_on(other)) {
      check(0, call->name, "nothing came back to another program's client");
      exit(1);
    }
    begins("a client of a new program", NEVER_MS);
    require(mqtt_free(connected_client(4)) == 0, "freeing a client that nobody else has used");
    call_all(victim.client, &outcome);
    locked += outcome.left_locked > before;
    if (outcome.wrong > 0)
      exit(1);
  }
  ends();
  snprintf(what, sizeof what, "%d threads ended in %s: others go on; %d left their client locked, its calls took %lu ms at most",
           rounds, call->name, locked, outcome.longest);
  check(1, what, "");
}

/* The control: no client is there, and still nothing goes on. */
static int the_heap_is_left_locked(int rounds)
{
  struct doomed victim = {.call = &calls[sizeof calls / sizeof calls[0] - 1]};
  for (; watched.rounds < rounds; watched.rounds++) {
    begins("taking memory", 2000);
    end_a_thread(&victim);
    if (locked_in_the_system() != NULL)
      Sleep(INFINITE);
  }
  say("FAILED no thread of %d that were ended while they took memory left the heap locked\n", rounds);
  return 1;
}

int main(int count, char **arguments)
{
  int rounds;
  require(count == 5, "URL CALL ROUNDS SEED");
  url = arguments[1];
  rounds = atoi(arguments[3]);
  random_below(atoi(arguments[4]));
  load();
  start_watchdog();
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    if (strcmp(calls[i].name, arguments[2]) != 0)
      continue;
    if (calls[i].once == heap)
      return the_heap_is_left_locked(rounds);
    threads_are_ended_in(&calls[i], rounds);
    fflush(stdout);
    /* Not by exit: what was left locked must not matter any more. */
    TerminateProcess(GetCurrentProcess(), failures != 0);
  }
  say("FAILED there is no call %s\n", arguments[2]);
  return 1;
}
