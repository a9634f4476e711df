/* libmosquitto with its own thread (mosquitto_loop_start), MQTT 5, TCP_NODELAY. */

#include "shim.h"
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>

static void on_connect(struct mosquitto *m, void *data, int rc, int flags, const mosquitto_property *p)
{
    (void)m, (void)flags, (void)p;
    ((struct shim_client *)data)->connected = rc == 0 ? 1 : -1;
}

static void on_subscribe(struct mosquitto *m, void *data, int mid, int count, const int *qos, const mosquitto_property *p)
{
    (void)m, (void)mid, (void)count, (void)qos, (void)p;
    ((struct shim_client *)data)->subscribed = 1;
}

static void on_message(struct mosquitto *m, void *data, const struct mosquitto_message *message, const mosquitto_property *p)
{
    struct shim_client *client = data;
    (void)m, (void)message, (void)p;
    client->message(client->context);
}

static void on_publish(struct mosquitto *m, void *data, int mid, int rc, const mosquitto_property *p)
{
    struct shim_client *client = data;
    (void)m, (void)mid, (void)rc, (void)p;
    client->complete(client->context);
}

int mosquitto_shim_connect(struct shim_client *client, const char *host, int port, const char *id)
{
    struct mosquitto *m;
    mosquitto_lib_init();
    m = mosquitto_new(id, true, client);
    if (!m) return -1;
    client->library = m;
    mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, client->in_flight);
    mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
    mosquitto_connect_v5_callback_set(m, on_connect);
    mosquitto_subscribe_v5_callback_set(m, on_subscribe);
    mosquitto_message_v5_callback_set(m, on_message);
    mosquitto_publish_v5_callback_set(m, on_publish);
    if (mosquitto_connect(m, host, port, 60)) return -1;
    return mosquitto_loop_start(m);
}

int mosquitto_shim_subscribe(struct shim_client *client, const char *topic, int qos)
{
    return mosquitto_subscribe_v5(client->library, NULL, topic, qos, 0, NULL);
}

int mosquitto_shim_publish(struct shim_client *client, const char *topic, const void *payload, int size, int qos)
{
    return mosquitto_publish_v5(client->library, NULL, topic, size, payload, qos, false, NULL);
}

void mosquitto_shim_close(struct shim_client *client)
{
    mosquitto_disconnect(client->library);
    mosquitto_loop_stop(client->library, true);
    mosquitto_destroy(client->library);
}
