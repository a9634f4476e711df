/* What each C library looks like to the harness. Calls return 0 for success. */

typedef void (*shim_notify)(void *context);

struct shim_client {
    void *library;
    void *context;
    /* A message has arrived; called on the library's thread. */
    shim_notify message;
    /* A publish is complete: written (QoS 0), acknowledged (QoS 1), completed (QoS 2). */
    shim_notify complete;
    /* QoS 1 and 2 messages on the way at a time. */
    int in_flight;
    volatile int connected;
    volatile int subscribed;
};
