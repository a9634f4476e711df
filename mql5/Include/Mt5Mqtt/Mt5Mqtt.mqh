//+------------------------------------------------------------------+
//|                                                      Mt5Mqtt.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- All that a program needs:  #include <Mt5Mqtt\Mt5Mqtt.mqh>
//---   CMqttClient      a client: connect, publish, subscribe, receive
//---   CMqttMessage     one event: a message, or the outcome of a call
//---   CMqttBatch       messages to publish in one call
//---   CMqttProperties  MQTT 5.0 properties to send with a packet
//---   CMqttDoorbell    a service wakes the chart whose client has events
//---   CMqttJsonWriter  JSON to send
//---   CMqttJsonReader  JSON that came
//--- <Mt5Mqtt\Server.mqh> has the inputs for the MQTT Server, if the program's user is to give them.
//--- What lies under Internal may change with any release.
#ifndef MT5MQTT_MQH
#define MT5MQTT_MQH
#include "Internal\Client.mqh"
#include "Internal\Doorbell.mqh"
#include "Internal\JsonReader.mqh"
#include "Internal\JsonWriter.mqh"
#endif
//+------------------------------------------------------------------+
