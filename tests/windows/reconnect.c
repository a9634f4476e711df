/* The Server goes away and comes back meanwhile: reconnect.exe URL COUNT kept|lost. Prints "publishing" when it has begun,
 * and whoever runs it restarts the Server then. "kept": the Server saves what it has acknowledged, so all of it must arrive.
 * "lost": it is killed and may have forgotten everything; then what is published afterwards must arrive. */

#include "host.h"

#define AFTERWARDS 200

static int64_t sender, receiver;
static int64_t accepted, completed, failed, lost;
static int32_t came, strange, disorder, last = -1;
static uint8_t *seen;

static void publish_next(void)
{
  wchar_t text[16];
  _snwprintf(text, 16, L"%d", (int)accepted);
  if (mqtt_publish_text_w(sender, TEXT16("orders"), (uint16_t *)text, 1, 0, 0) > 0)
    accepted++;
  else
    print_last_error();
}

static void take_outcomes(void)
{
  mt5mqtt_event event = {.struct_size = sizeof event};
  while (mqtt_poll(sender, &event) == 1) {
    if (event.kind == MT5MQTT_EVENT_PUBLISHED)
      event.status == 0 ? completed++ : failed++;
    if (event.kind == MT5MQTT_EVENT_DISCONNECTED)
      lost++;
  }
}

static void take_messages(int32_t possible)
{
  mt5mqtt_event event = {.struct_size = sizeof event};
  while (mqtt_poll(receiver, &event) == 1) {
    char text[16] = {0};
    int32_t number;
    if (event.kind != MT5MQTT_EVENT_MESSAGE)
      continue;
    mqtt_event_payload(receiver, (uint8_t *)text, 15);
    number = atoi(text);
    if (number < 0 || number >= possible) {
      strange++;
      continue;
    }
    /* A message may come twice; for the first time it comes after all that were sent before it. */
    if (!seen[number]) {
      disorder += number < last;
      last = number;
      came++;
    }
    seen[number] = 1;
  }
}

int main(int count, char **arguments)
{
  mt5mqtt_event event;
  int32_t wanted, all, kept, came_before;
  DWORD start;
  require(count == 4, "URL COUNT kept|lost");
  wanted = atoi(arguments[2]);
  all = wanted + AFTERWARDS;
  kept = strcmp(arguments[3], "kept") == 0;
  seen = calloc(all, 1);
  load();
  receiver = new_client(arguments[1], 5);
  sender = new_client(arguments[1], 5);
  mqtt_set_text_w(receiver, MT5MQTT_OPT_CLIENT_ID, TEXT16("receiver"));
  mqtt_set_text_w(sender, MT5MQTT_OPT_CLIENT_ID, TEXT16("sender"));
  /* Mosquitto 2.0 saves the Sessions of those that began without Clean Start, and no others. */
  require(mqtt_set_int(receiver, MT5MQTT_OPT_CLEAN_START, 0) == 0 && mqtt_set_int(sender, MT5MQTT_OPT_CLEAN_START, 0) == 0,
          "asking for the Session");
  mqtt_subscribe_w(receiver, TEXT16("orders"), 1, 0);
  require(mqtt_connect(receiver) == 0 && next_event(receiver, MT5MQTT_EVENT_SUBSCRIBED, &event, 10000), "subscribing");
  require(mqtt_connect(sender) == 0 && next_event(sender, MT5MQTT_EVENT_CONNECTED, &event, 10000), "connecting");

  start = GetTickCount();
  while (GetTickCount() - start < 60000 && (accepted < wanted || completed + failed < accepted || (kept && came < wanted))) {
    /* The last quarter waits for the outage: on a loaded machine it may be late. */
    if (accepted < (lost > 0 ? wanted : wanted / 4 * 3)) {
      publish_next();
      if (accepted == wanted / 4) {
        printf("publishing\n");
        fflush(stdout);
      }
      /* Spread over the outage. */
      if (accepted % 2 == 0)
        Sleep(1);
    } else {
      mqtt_wait(receiver, 20);
    }
    take_outcomes();
    take_messages(all);
  }
  printf("  %d published, %d completed, %d came\n", (int)accepted, (int)completed, (int)came);
  check(lost > 0, "the Server was away", "the connection was never lost");
  check(accepted == wanted && completed == wanted && failed == 0, "each publish is completed", "some are not");
  if (kept)
    check(came == wanted, "everything that was accepted arrives", "some did not");

  check(wait_for_state(receiver, MT5MQTT_STATE_CONNECTED, 20000) && wait_for_state(sender, MT5MQTT_STATE_CONNECTED, 20000),
        "both are connected again", "one is not");
  /* An answer to this shows that the subscription which the library has made again is in force. */
  require(mqtt_subscribe_w(receiver, TEXT16("other"), 0, 0) > 0, "subscribing once more");
  check(next_event(receiver, MT5MQTT_EVENT_SUBSCRIBED, &event, 10000), "subscribing goes on", "no answer");
  came_before = came;
  start = GetTickCount();
  while (GetTickCount() - start < 20000 && came < came_before + AFTERWARDS) {
    if (accepted < all)
      publish_next();
    else
      mqtt_wait(receiver, 20);
    take_outcomes();
    take_messages(all);
  }
  check(came == came_before + AFTERWARDS, "what is published afterwards arrives", "some did not");
  check(strange == 0, "nothing else arrives", "a message of nobody");
  check(disorder == 0, "in the order of sending", "one overtook another");
  check(mqtt_stat(sender, MT5MQTT_STAT_CONNECTIONS) > 1, "it was another connection", "it was the first");
  check(mqtt_free(sender) == 0 && mqtt_free(receiver) == 0, "both are freed", "a call failed");
  return failures != 0;
}
