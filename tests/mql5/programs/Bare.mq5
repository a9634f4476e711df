//+------------------------------------------------------------------+
//|                                                         Bare.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- A client that overrides nothing: what fails is in the journal all the same.
#include <Mt5Mqtt\Mt5Mqtt.mqh>
input string InpUrl="";                    // Address
input int    InpEvents=0;                  // Take so many
//+------------------------------------------------------------------+
//| Publishes, asks, and takes what becomes of it                    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   CMqttClient client;
   if(!client.SetUrl(InpUrl) || !client.SetReconnectDelay(20,20) || !client.Connect())
      Print(client.ResultDescription());
   for(int i=0; i<3; i++)
      if(!client.Publish("mt5/bare",IntegerToString(i),1,false))
         Print(client.ResultDescription());
   if(!client.Request("mt5/bare","?",1,60000))
      Print(client.ResultDescription());
   for(int taken=0; taken<InpEvents && client.Wait(20000);)
      taken+=client.Dispatch(1);
  }
//+------------------------------------------------------------------+
