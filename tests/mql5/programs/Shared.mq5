//+------------------------------------------------------------------+
//|                                                       Shared.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- One of several programs on a shared connection
#property version "1.00"
#include <Mt5Mqtt\Mt5Mqtt.mqh>
input string InpUrl="";       // Address
input string InpFilter="";    // Topic Filter
input string InpInbox="";     // Name of the inbox
input int    InpKeepAlive=30; // Keep Alive, seconds
class CSharedClient : public CMqttClient
  {
   virtual void      OnConnected(const CMqttMessage &message);
   virtual void      OnSubscribed(const CMqttMessage &message) { Print("subscribed: ",message.Topic());             }
   virtual void      OnPublished(const CMqttMessage &message)  { Print("published: ",message.Token()>0);            }
   virtual void      OnMessage(const CMqttMessage &message)    { Print(message.Topic(),": ",message.PayloadText()); }
   virtual void      OnMissed(const CMqttMessage &message)     { Print("missed: ",message.Token());                 }
  };
//+------------------------------------------------------------------+
//| Also called when another program has opened the connection       |
//+------------------------------------------------------------------+
void CSharedClient::OnConnected(const CMqttMessage &message)
  {
   Print("connected");
   if(!Subscribe(InpFilter,1) || !Publish("mt5/here/"+MQLInfoString(MQL_PROGRAM_NAME),"yes",1,false))
      Print("MQTT: ",ResultDescription());
  }
CSharedClient ExtClient;
//+------------------------------------------------------------------+
//| Every program says what connection it wants                      |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   EventSetMillisecondTimer(20);
   if(ExtClient.IsCreated())
      return(INIT_SUCCEEDED);
   if(ExtClient.CreateShared("main",InpInbox) && ExtClient.SetUrl(InpUrl) && ExtClient.SetClientId("terminal") &&
      ExtClient.SetKeepAlive(InpKeepAlive) && ExtClient.Connect())
      return(INIT_SUCCEEDED);
   Print("MQTT: ",ExtClient.ResultDescription());
   return(INIT_FAILED);
  }
//+------------------------------------------------------------------+
//| Leaves the connection, unless only the chart changes             |
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
