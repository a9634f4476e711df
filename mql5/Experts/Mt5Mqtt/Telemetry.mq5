//+------------------------------------------------------------------+
//|                                                    Telemetry.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Publishes the account's figures and whether the terminal is there."
#property description "If the terminal or its line fails, the Server says so by the Will Message."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Telemetry"
input string InpRoot="mt5";                  // First level of all topics
input int    InpSeconds=10;                  // Publish every so many seconds
//+------------------------------------------------------------------+
//| The client                                                       |
//+------------------------------------------------------------------+
class CTelemetryClient : public CMqttClient
  {
private:
   string            m_topic;              // of this account, with / at its end

public:
                     CTelemetryClient(void) : m_topic("") { }
   bool              Start(void);
   void              Leave(void);
   void              Stop(const int reason);
   void              Report(void);

protected:
   virtual void      OnConnected(const CMqttMessage &message);
   virtual void      OnDisconnected(const CMqttMessage &message) { Print("disconnected: ",message.Text()); }
   virtual void      OnSubscribed(const CMqttMessage &message)
     { Print(message.Status()==MT5MQTT_OK ? "subscribed: "+message.ReasonCodeDescription() : Failure("subscribing to "+message.Topic(),message)); }
   virtual void      OnMessage(const CMqttMessage &message);

private:
   static string     Account(void);
  };
CTelemetryClient ExtClient;
//+------------------------------------------------------------------+
//| Connects; the Will stands from the first connection on           |
//+------------------------------------------------------------------+
bool CTelemetryClient::Start(void)
  {
   if(IsCreated())
      return(true);
//--- a terminal that has just started doesn't know its account, of which the topics are
   if(AccountInfoInteger(ACCOUNT_LOGIN)==0)
      return(true);
   m_topic=Account();
   return(SetServer(this) && SetWill(m_topic+"presence","offline",1,true) && Subscribe(m_topic+"presence",1) && Connect());
  }
//+------------------------------------------------------------------+
//| The topics of the terminal's account                             |
//+------------------------------------------------------------------+
string CTelemetryClient::Account(void)
  {
   return(InpRoot+"/"+EscapeTopicLevel(AccountInfoString(ACCOUNT_SERVER))+"/"+IntegerToString(AccountInfoInteger(ACCOUNT_LOGIN))+"/");
  }
//+------------------------------------------------------------------+
//| The figures of another account are none of this one's            |
//+------------------------------------------------------------------+
void CTelemetryClient::Leave(void)
  {
   if(IsCreated() && AccountInfoInteger(ACCOUNT_LOGIN)!=0 && Account()!=m_topic)
      Stop(REASON_ACCOUNT);
  }
//+------------------------------------------------------------------+
//| On each connection: the Will of the last one may have been sent  |
//+------------------------------------------------------------------+
void CTelemetryClient::OnConnected(const CMqttMessage &message)
  {
   Print("connected");
   Publish(m_topic+"presence","online",1,true);
   Report();
  }
//+------------------------------------------------------------------+
//| A Server that has noticed late that an earlier connection is gone|
//| publishes the Will of that one now                               |
//+------------------------------------------------------------------+
void CTelemetryClient::OnMessage(const CMqttMessage &message)
  {
   if(message.PayloadText()=="offline" && !message.IsRetained())
      Publish(m_topic+"presence","online",1,true);
  }
//+------------------------------------------------------------------+
//| A wanted end is no Will Message: says it itself                  |
//+------------------------------------------------------------------+
void CTelemetryClient::Stop(const int reason)
  {
   if(reason!=REASON_CHARTCHANGE && IsConnected())
     {
      Publish(m_topic+"presence","offline",1,true);
      Disconnect(500);
     }
   Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Publishes the figures                                            |
//+------------------------------------------------------------------+
void CTelemetryClient::Report(void)
  {
   int digits=(int)AccountInfoInteger(ACCOUNT_CURRENCY_DIGITS);
   CMqttJsonWriter json;
   json.BeginObject();
   json.IntegerField("time",TimeGMT());
   json.StringField("currency",AccountInfoString(ACCOUNT_CURRENCY));
   json.NumberField("balance",AccountInfoDouble(ACCOUNT_BALANCE),digits);
   json.NumberField("equity",AccountInfoDouble(ACCOUNT_EQUITY),digits);
   json.NumberField("margin",AccountInfoDouble(ACCOUNT_MARGIN),digits);
   json.NumberField("free_margin",AccountInfoDouble(ACCOUNT_MARGIN_FREE),digits);
   json.IntegerField("positions",PositionsTotal());
   json.IntegerField("orders",OrdersTotal());
//--- of programs that trade, each of which has a switch of its own
   json.BooleanField("trade_allowed",TerminalInfoInteger(TERMINAL_TRADE_ALLOWED)!=0 && AccountInfoInteger(ACCOUNT_TRADE_ALLOWED)!=0 &&
                     AccountInfoInteger(ACCOUNT_TRADE_EXPERT)!=0);
   json.BooleanField("broker_connected",TerminalInfoInteger(TERMINAL_CONNECTED)!=0);
   json.EndObject();
   if(!Publish(m_topic+"account",json.Text(),1,true))
      Print("account: ",ResultDescription());
  }
ulong ExtNext=0;                           // when to publish again
//+------------------------------------------------------------------+
//| Starts                                                           |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   if(InpSeconds<1)
     {
      Print("InpSeconds must be 1 or more");
      return(INIT_FAILED);
     }
   if(ExtClient.SetTimer(100) && ExtClient.Start())
      return(INIT_SUCCEEDED);
   Print("MQTT: ",ExtClient.ResultDescription());
   return(INIT_FAILED);
  }
//+------------------------------------------------------------------+
//| Ends, except on a change of symbol or timeframe                  |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   EventKillTimer();
   ExtClient.Stop(reason);
  }
//+------------------------------------------------------------------+
//| Figures of a while ago are of no use: none without a connection  |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtClient.Leave();
   if(!ExtClient.IsCreated() && !ExtClient.Start())
     {
      Print("MQTT: ",ExtClient.ResultDescription());
      ExpertRemove();
      return;
     }
   ExtClient.Dispatch(100);
   if(GetTickCount64()<ExtNext || !ExtClient.IsConnected())
      return;
   ExtNext=GetTickCount64()+(ulong)InpSeconds*1000;
   ExtClient.Report();
  }
//+------------------------------------------------------------------+
