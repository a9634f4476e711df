/* A small MQTT publisher and subscriber over the C ABI of mt5mqtt.
 *
 *   pubsub URL sub FILTER [COUNT]               prints messages as they come; ends after COUNT of them
 *   pubsub URL pub TOPIC TEXT [QOS] [RETAIN]    publishes and waits for the outcome
 *
 * Exits with 0 on success, 1 on failure and 2 when the command line is wrong. README.md says how to compile it.
 */
#include "mt5mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_SECONDS 15
#define OUTCOME_SECONDS 30
#define IDLE_SECONDS 3600
#define DISCONNECT_MS 1000

static int usage(void) {
  fputs("usage: pubsub URL sub FILTER [COUNT]\n"
        "       pubsub URL pub TOPIC TEXT [QOS] [RETAIN]\n"
        "URL is mqtt://host:port, QOS is 0, 1 or 2, RETAIN is 0 or 1\n",
        stderr);
  return 2;
}

/* Reports a call that failed, with the library's words for it. */
static int failed(const char *what) {
  char text[512] = "";
  mt5mqtt_last_error(text, (int32_t)sizeof text);
  fprintf(stderr, "pubsub: %s: %s\n", what, text);
  return 1;
}

/* Reports an event that says no. */
static int refused(int64_t client, const char *what, const mt5mqtt_event *event) {
  char reason[256] = "";
  char text[1024] = "";
  int known;
  if (event->reason_code >= 0) {
    mt5mqtt_reason_code_text(event->reason_code, reason, (int32_t)sizeof reason);
  }
  mt5mqtt_event_text(client, text, (int32_t)sizeof text);
  known = strstr(text, reason) != NULL; /* the end of a connection names its Reason Code by itself */
  fprintf(stderr, "pubsub: %s: %s%s%s\n", what, text, known ? "" : ": ", known ? "" : reason);
  return 1;
}

/* A number of the command line within limits, or -1. */
static int32_t number(const char *text, int32_t maximum) {
  char *end;
  long value;
  errno = 0;
  value = strtol(text, &end, 10);
  return errno || end == text || *end || value < 0 || value > maximum ? -1 : (int32_t)value;
}

/* Takes the next event, waiting for it. Returns 1 = an event, 0 = none in that time, < 0 = a status. */
static int32_t next_event(int64_t client, int seconds, mt5mqtt_event *event) {
  int64_t deadline_us = mt5mqtt_time_monotonic_us() + (int64_t)seconds * 1000000;
  for (;;) {
    int64_t left_ms;
    int32_t result;
    event->struct_size = (int32_t)sizeof *event;
    result = mt5mqtt_poll(client, event);
    left_ms = (deadline_us - mt5mqtt_time_monotonic_us()) / 1000;
    if (result != 0 || left_ms <= 0) {
      return result;
    }
    /* The library caps the time that it waits; so this loops. */
    result = mt5mqtt_wait(client, left_ms < 1000 ? (int32_t)left_ms : 1000);
    if (result < 0) {
      return result;
    }
  }
}

/* Waits for one kind of event, with one token unless that is 0. Returns 0, or 1 after a message. */
static int expect(int64_t client, int32_t kind, int64_t token, const char *what, int seconds) {
  mt5mqtt_event event;
  for (;;) {
    int32_t result = next_event(client, seconds, &event);
    if (result < 0) {
      return failed(what);
    }
    if (result == 0) {
      fprintf(stderr, "pubsub: %s: no answer within %d seconds\n", what, seconds);
      return 1;
    }
    if (event.kind == MT5MQTT_EVENT_FAILED || event.kind == MT5MQTT_EVENT_DISCONNECTED) {
      return refused(client, what, &event);
    }
    if (event.kind == kind && (token == 0 || event.token == token)) {
      return event.status == 0 ? 0 : refused(client, what, &event);
    }
  }
}

/* Prints the message that is the current event: its topic, a blank, its payload. */
static int print_message(int64_t client, const mt5mqtt_event *event) {
  /* One more than each needs: the topic's NUL, and no allocation of 0 bytes. */
  char *topic = malloc((size_t)event->topic_size + 1);
  uint8_t *payload = malloc((size_t)event->payload_size + 1);
  int ok = topic && payload && mt5mqtt_event_topic(client, topic, event->topic_size + 1) >= 0 &&
           mt5mqtt_event_payload(client, payload, event->payload_size) >= 0;
  if (ok) {
    printf("%s ", topic);
    fwrite(payload, 1, (size_t)event->payload_size, stdout);
    putchar('\n');
    ok = fflush(stdout) == 0;
  }
  free(payload);
  free(topic);
  return ok ? 0 : failed("print a message");
}

static int subscribe(int64_t client, const char *filter, int32_t count) {
  mt5mqtt_event event;
  int subscribed = 0;
  int32_t received = 0;
  int64_t token = mt5mqtt_subscribe(client, filter, 2, 0);
  if (token < 0) {
    return failed("subscribe");
  }
  /* The first messages may come before the Server's answer: one loop for both. */
  while (!subscribed || count == 0 || received < count) {
    int32_t result = next_event(client, subscribed ? IDLE_SECONDS : OUTCOME_SECONDS, &event);
    if (result < 0) {
      return failed("receive");
    }
    if (result == 0 && !subscribed) {
      fprintf(stderr, "pubsub: subscribe: no answer within %d seconds\n", OUTCOME_SECONDS);
      return 1;
    }
    if (result == 0) {
      continue;
    }
    switch (event.kind) {
    case MT5MQTT_EVENT_MESSAGE:
      if (print_message(client, &event)) {
        return 1;
      }
      received++;
      break;
    case MT5MQTT_EVENT_SUBSCRIBED:
      if (event.status != 0) {
        return refused(client, "subscribe", &event);
      }
      subscribed = 1;
      fprintf(stderr, "subscribed to %s\n", filter);
      break;
    case MT5MQTT_EVENT_DISCONNECTED:
      refused(client, "disconnected", &event); /* the library connects and subscribes again */
      break;
    case MT5MQTT_EVENT_CONNECTED:
      fputs("connected again\n", stderr);
      break;
    case MT5MQTT_EVENT_FAILED:
      return refused(client, "receive", &event);
    default:
      break;
    }
  }
  return 0;
}

static int publish(int64_t client, const char *topic, const char *text, int32_t qos, int32_t retain) {
  int64_t token = mt5mqtt_publish_text(client, topic, text, qos, retain, 0);
  if (token < 0) {
    return failed("publish");
  }
  /* QoS 0 has no outcome to wait for: the disconnect sends what is on its way out. */
  return qos == 0 ? 0 : expect(client, MT5MQTT_EVENT_PUBLISHED, token, "publish", OUTCOME_SECONDS);
}

int main(int argc, char **argv) {
  int sub = argc >= 4 && argc <= 5 && strcmp(argv[2], "sub") == 0;
  int pub = argc >= 5 && argc <= 7 && strcmp(argv[2], "pub") == 0;
  int32_t count = sub && argc > 4 ? number(argv[4], INT32_MAX) : 0;
  int32_t qos = pub && argc > 5 ? number(argv[5], 2) : 0;
  int32_t retain = pub && argc > 6 ? number(argv[6], 1) : 0;
  int64_t client;
  int result;
  if (!(sub || pub) || count < 0 || qos < 0 || retain < 0) {
    return usage();
  }
  if (mt5mqtt_abi_version() != MT5MQTT_ABI_VERSION) {
    fprintf(stderr, "pubsub: compiled for ABI %d, the library has %d\n", MT5MQTT_ABI_VERSION, mt5mqtt_abi_version());
    return 1;
  }
  client = mt5mqtt_create();
  if (client < 0) {
    return failed("create a client");
  }
  if (mt5mqtt_set_text(client, MT5MQTT_OPT_URL, argv[1]) < 0) {
    result = failed("URL");
  } else if (mt5mqtt_connect(client) < 0) {
    result = failed("connect");
  } else if (expect(client, MT5MQTT_EVENT_CONNECTED, 0, "connect", CONNECT_SECONDS)) {
    result = 1;
  } else {
    result = sub ? subscribe(client, argv[3], count) : publish(client, argv[3], argv[4], qos, retain);
    if (mt5mqtt_disconnect(client, 0, 0, DISCONNECT_MS) < 0 && result == 0) {
      result = failed("disconnect");
    }
  }
  mt5mqtt_free(client);
  return result;
}
