/* A process that has a shared connection forks, and its child makes one of the same name: it is the child's own. */
#include "mt5mqtt.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program's part, connected: to nobody, of which the connection tells. */
static int64_t connected(const char *process, const char *url) {
  int64_t client = mt5mqtt_create_shared("of the same name", "");
  if (client < 0 || mt5mqtt_set_text(client, MT5MQTT_OPT_URL, url) < 0 || mt5mqtt_connect(client) < 0) {
    char why[512] = "";
    mt5mqtt_last_error(why, sizeof why);
    fprintf(stderr, "the %s: %s\n", process, why);
    exit(1);
  }
  mt5mqtt_event event = {.struct_size = sizeof event};
  do {
    while (mt5mqtt_wait(client, 250) == 0) {
    }
    if (mt5mqtt_poll(client, &event) < 0) {
      fprintf(stderr, "the %s can't poll\n", process);
      exit(1);
    }
  } while (event.kind != MT5MQTT_EVENT_DISCONNECTED);
  return client;
}

int main(int count, char **arguments) {
  if (count < 2) {
    return 2;
  }
  int64_t parents = connected("parent", arguments[1]);
  pid_t child = fork();
  if (child == 0) {
    /* What the parent's threads had is no leak of the child's, where they are not: nothing looks for leaks. */
    _exit(mt5mqtt_free(connected("child", arguments[1])) < 0);
  }
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "the child ended with %d\n", status);
    return 1;
  }
  return mt5mqtt_free(parents) < 0;
}
