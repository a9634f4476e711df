/* Paho C's MQTTAsync, MQTT 5, without persistence. It sets TCP_NODELAY itself. */

#include "shim.h"
#include <MQTTAsync.h>
#include <stdio.h>

static void connected(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    ((struct shim_client *)context)->connected = 1;
}

static void refused(void *context, MQTTAsync_failureData5 *data)
{
    (void)data;
    ((struct shim_client *)context)->connected = -1;
}

static void subscribed(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    ((struct shim_client *)context)->subscribed = 1;
}

static int arrived(void *context, char *topic, int size, MQTTAsync_message *message)
{
    struct shim_client *client = context;
    (void)size;
    client->message(client->context);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void completed(void *context, MQTTAsync_successData5 *data)
{
    struct shim_client *client = context;
    (void)data;
    client->complete(client->context);
}

int paho_shim_connect(struct shim_client *client, const char *host, int port, const char *id)
{
    char address[64];
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
    create.maxBufferedMessages = 2000000;
    snprintf(address, sizeof address, "tcp://%s:%d", host, port);
    if (MQTTAsync_createWithOptions(&client->library, address, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create)) return -1;
    MQTTAsync_setCallbacks(client->library, client, NULL, arrived, NULL);
    options.cleanstart = 1;
    options.keepAliveInterval = 60;
    options.maxInflight = client->in_flight;
    options.onSuccess5 = connected;
    options.onFailure5 = refused;
    options.context = client;
    return MQTTAsync_connect(client->library, &options);
}

int paho_shim_subscribe(struct shim_client *client, const char *topic, int qos)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess5 = subscribed;
    options.context = client;
    return MQTTAsync_subscribe(client->library, topic, qos, &options);
}

int paho_shim_publish(struct shim_client *client, const char *topic, const void *payload, int size, int qos)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess5 = completed;
    options.context = client;
    return MQTTAsync_send(client->library, topic, size, payload, qos, 0, &options);
}

void paho_shim_close(struct shim_client *client)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    options.timeout = 100;
    MQTTAsync_disconnect(client->library, &options);
    MQTTAsync_destroy(&client->library);
}
