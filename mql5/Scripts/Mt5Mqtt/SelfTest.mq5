//+------------------------------------------------------------------+
//|                                                     SelfTest.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Run it after an installation: a line PASS or FAIL for each check in
//--- the journal's Experts tab, and their number at the end.
#property version     "1.00"
#property description "Tries everything that mt5mqtt offers against a Server and prints PASS or FAIL."
#property script_show_inputs
#include <Mt5Mqtt\Server.mqh>
input group  "Self test"
input string InpRoot="mt5mqtt-selftest";     // First level of all topics
#include <Mt5Mqtt\SelfTest\Connections.mqh>
#include <Mt5Mqtt\SelfTest\Messages.mqh>
#include <Mt5Mqtt\SelfTest\Properties.mqh>
//+------------------------------------------------------------------+
//| All of it                                                        |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   CMqttClient client;
   BeforeConnect(client);
   CMqttMessage message;
   Accepted(client.Connect(),client,"Connect");
   if(Await(client,message,MT5MQTT_EVENT_CONNECTED))
     {
      ExtCheck.That(client.IsConnected() && !client.HasFailed() && !message.SessionPresent(),"a new Session");
      Messages(client);
      Batches(client);
      if(InpVersion==5)
        {
         Properties(client);
         Requests(client);
        }
      Acknowledging(client);
      Figures(client);
      Accepted(client.Disconnect(1000),client,"Disconnect");
      Await(client,message,MT5MQTT_EVENT_DISCONNECTED);
      ExtCheck.That(message.Status()==MT5MQTT_OK && client.State()==MT5MQTT_STATE_IDLE,"disconnected: "+message.StatusDescription());
     }
   client.Destroy();
   ExtCheck.That(!client.IsCreated() && client.State()==MT5MQTT_STATE_IDLE,"destroyed");
   Refused(client.Publish("a","b",0,false),client,MT5MQTT_E_INVALID_HANDLE,"publish without a client");
   Dispatching();
   Sharing();
   Conflating();
   Topics();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
