//+------------------------------------------------------------------+
//|                                                    MinimalEA.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Publishes the bid on each tick and prints the commands it gets."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
input group  "MQTT Server"
input string InpUrl="mqtt://127.0.0.1:1883"; // Address
input string InpUserName="";                 // User Name (empty: none)
input string InpPassword="";                 // Password
input string InpRoot="mt5";                  // First level of all topics
class CTickClient : public CMqttClient
  {
   virtual void      OnConnected(const CMqttMessage &message)    { Print("connected");                                    }
   virtual void      OnDisconnected(const CMqttMessage &message) { Print("disconnected: ",message.Text());                }
   virtual void      OnMessage(const CMqttMessage &message)      { Print(message.Topic(),": ",message.PayloadText());     }
   virtual void      OnSubscribed(const CMqttMessage &message)   { Print(message.Status()==MT5MQTT_OK ? "subscribed: "+message.ReasonCodeDescription() : Failure("subscribing to "+message.Topic(),message)); }
  };
CTickClient ExtClient;
CMqttProperties ExtLatest;                   // of the prices of an outage, the latest alone is sent
//+------------------------------------------------------------------+
//| Connects; a chart that changed its symbol still is connected     |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   if(ExtClient.SetTimer(20) && ExtLatest.SetConflation(true) && (ExtClient.IsCreated() ||
      (ExtClient.SetUrl(InpUrl) && (InpUserName=="" || ExtClient.SetCredentials(InpUserName,InpPassword)) &&
       ExtClient.Subscribe(InpRoot+"/commands",1) && ExtClient.Connect())))
      return(INIT_SUCCEEDED);
   Print("MQTT: ",ExtClient.ResultDescription(),ExtLatest.ResultDescription());
   return(INIT_FAILED);
  }
//+------------------------------------------------------------------+
//| Disconnects, except on a change of symbol or timeframe           |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   EventKillTimer();
   ExtClient.Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Publishes the bid                                                |
//+------------------------------------------------------------------+
void OnTick(void)
  {
   string topic=InpRoot+"/ticks/"+CMqttClient::EscapeTopicLevel(_Symbol);
   string bid=DoubleToString(SymbolInfoDouble(_Symbol,SYMBOL_BID),_Digits);
   if(!ExtClient.Publish(topic,bid,0,false,ExtLatest))
      Print(topic,": ",ExtClient.ResultDescription());
  }
//+------------------------------------------------------------------+
//| Takes what has come                                              |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtClient.Dispatch(100);
  }
//+------------------------------------------------------------------+
