//+------------------------------------------------------------------+
//|                                                 LowLatencyEA.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Answers each message at once, woken by the service WakeCharts; a slow timer is the net below."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Waking"
input string InpRoot="mt5";                  // First level of all topics
input int    InpTimer=250;                   // Look without being woken every so many milliseconds
//+------------------------------------------------------------------+
//| The client                                                       |
//+------------------------------------------------------------------+
class CEchoClient : public CMqttClient
  {
protected:
   virtual void      OnConnected(const CMqttMessage &message)    { Print("connected");                                    }
   virtual void      OnDisconnected(const CMqttMessage &message) { Print("disconnected: ",message.Text());                }
   virtual void      OnSubscribed(const CMqttMessage &message)
     { Print(message.Status()==MT5MQTT_OK ? "subscribed: "+message.ReasonCodeDescription() : Failure("subscribing to "+message.Topic(),message)); }
   virtual void      OnMessage(const CMqttMessage &message);
  };
//+------------------------------------------------------------------+
//| The answer; trading would stand here                             |
//+------------------------------------------------------------------+
void CEchoClient::OnMessage(const CMqttMessage &message)
  {
   if(!Publish(InpRoot+"/pong",message.PayloadText(),0,false))
      Print("pong: ",ResultDescription());
  }
CEchoClient ExtClient;
//+------------------------------------------------------------------+
//| Connects and offers the client to the service                    |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   if(InpTimer<1)
     {
      Print("InpTimer must be 1 or more");
      return(INIT_FAILED);
     }
   bool connected=ExtClient.SetTimer(InpTimer) &&
                  (ExtClient.IsCreated() ||
                   (SetServer(ExtClient) && ExtClient.Subscribe(InpRoot+"/ping",0) && ExtClient.Connect()));
   if(!connected)
     {
      Print("MQTT: ",ExtClient.ResultDescription());
      return(INIT_FAILED);
     }
   if(!CMqttDoorbell::Register(ExtClient))
      Print("the service can't wake this chart: the timer alone looks for messages");
   return(INIT_SUCCEEDED);
  }
//+------------------------------------------------------------------+
//| Disconnects, except on a change of symbol or timeframe           |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   EventKillTimer();
   CMqttDoorbell::Unregister();
   ExtClient.Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Woken                                                            |
//+------------------------------------------------------------------+
void OnChartEvent(const int id,const long &lparam,const double &dparam,const string &sparam)
  {
   if(CMqttDoorbell::IsRing(id))
      ExtClient.Dispatch(1000);
  }
//+------------------------------------------------------------------+
//| Not woken                                                        |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtClient.Dispatch(1000);
  }
//+------------------------------------------------------------------+
