//+------------------------------------------------------------------+
//|                                                     Repeated.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Recognises messages by their key across its own end: prints each of
//--- them, and is done with those that say so.
#property version "1.00"
#include <Mt5Mqtt\Mt5Mqtt.mqh>
input string InpUrl="";   // Address
input string InpStore=""; // Folder of the store
class CRepeatedClient : public CMqttClient
  {
   virtual void      OnConnected(const CMqttMessage &message) { Print("connected"); }
   virtual void      OnMessage(const CMqttMessage &message);
  };
//+------------------------------------------------------------------+
//| Prints the message, and acknowledges it if the program is done   |
//+------------------------------------------------------------------+
void CRepeatedClient::OnMessage(const CMqttMessage &message)
  {
   string text=message.PayloadText();
   Print(message.IsSeenBefore() ? "again: " : "new: ",text);
   if(StringFind(text,"done")==0 && !Acknowledge(message,0))
      Print("not acknowledged: ",ResultDescription());
  }
CRepeatedClient ExtClient;
//+------------------------------------------------------------------+
//| Connects                                                         |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   EventSetMillisecondTimer(20);
   if(ExtClient.SetUrl(InpUrl) && ExtClient.SetClientId("repeated") && ExtClient.SetStorePath(InpStore) &&
      ExtClient.SetOptionInteger(MT5MQTT_OPT_ACKNOWLEDGE,2) && ExtClient.SetOptionInteger(MT5MQTT_OPT_DEDUPLICATE,1) &&
      ExtClient.SetOptionString(MT5MQTT_OPT_DEDUPLICATE_BY,"key") &&
      ExtClient.SetOptionInteger(MT5MQTT_OPT_DEDUPLICATION_WINDOW,100) && ExtClient.Connect())
      return(INIT_SUCCEEDED);
   Print("MQTT: ",ExtClient.ResultDescription());
   return(INIT_FAILED);
  }
//+------------------------------------------------------------------+
//| Ends the client                                                  |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   EventKillTimer();
   ExtClient.Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Takes what has come                                              |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtClient.Dispatch(100);
  }
//+------------------------------------------------------------------+
