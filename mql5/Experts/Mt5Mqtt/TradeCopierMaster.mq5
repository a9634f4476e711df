//+------------------------------------------------------------------+
//|                                            TradeCopierMaster.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Publishes all positions of this account for TradeCopierFollower: the whole state,"
#property description "retained, on every change and at intervals."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Copier\Account.mqh>
input group  "MQTT Server"
input string InpUrl="mqtt://127.0.0.1:1883"; // Address
input string InpUserName="";                 // User Name (empty: none)
input string InpPassword="";                 // Password
input string InpRoot="mt5";                  // First level of all topics
input group  "Copier"
input string InpName="master";               // Name of this master
input int    InpSeconds=5;                   // Publish at least every so many seconds
//+------------------------------------------------------------------+
//| The client                                                       |
//+------------------------------------------------------------------+
class CMasterClient : public CMqttClient
  {
private:
   string            m_topic;              // of this master, with / at its end
   long              m_sequence;
   string            m_published;          // the positions as they were published last
   ulong             m_next;               // when they are published again

public:
                     CMasterClient(void) : m_topic(""),m_sequence(0),m_published(""),m_next(0) { }
   bool              Start(void);
   void              Stop(const int reason);
   void              Look(void);

protected:
   virtual void      OnConnected(const CMqttMessage &message);
   virtual void      OnDisconnected(const CMqttMessage &message) { Print("disconnected: ",message.Text()); }
   virtual void      OnMessage(const CMqttMessage &message)      { Print("report: ",message.PayloadText()); }
  };
CMasterClient ExtClient;
//+------------------------------------------------------------------+
//| Connects; the Will tells followers that the master is away       |
//+------------------------------------------------------------------+
bool CMasterClient::Start(void)
  {
   if(IsCreated())
      return(true);
   m_topic=InpRoot+"/copier/"+EscapeTopicLevel(InpName)+"/";
   return(SetUrl(InpUrl) && (InpUserName=="" || SetCredentials(InpUserName,InpPassword)) &&
          SetWill(m_topic+"presence","offline",1,true) && Subscribe(m_topic+"reports/+",1) && Connect());
  }
//+------------------------------------------------------------------+
//| On each connection the state goes out anew                       |
//+------------------------------------------------------------------+
void CMasterClient::OnConnected(const CMqttMessage &message)
  {
   Print("connected as ",m_topic);
   Publish(m_topic+"presence","online",1,true);
   m_published="";
   Look();
  }
//+------------------------------------------------------------------+
//| A wanted end: the state stays, so followers keep their copies    |
//+------------------------------------------------------------------+
void CMasterClient::Stop(const int reason)
  {
   if(reason!=REASON_CHARTCHANGE && IsConnected())
     {
      Publish(m_topic+"presence","offline",1,true);
      Disconnect(500);
     }
   Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Publishes what has changed. Nothing is queued without a          |
//| connection: only the newest state is of use                      |
//+------------------------------------------------------------------+
void CMasterClient::Look(void)
  {
   CopierState state;
   if(!IsConnected() || TerminalInfoInteger(TERMINAL_CONNECTED)==0 || !CCopierAccount::State(state))
      return;
   string text=CCopierState::Write(state);
   string positions=StringSubstr(text,StringFind(text,"\"positions\":"));
   if(positions==m_published && GetTickCount64()<m_next)
      return;
   m_sequence++;
   state.sequence=m_sequence;
   if(!Publish(m_topic+"state",CCopierState::Write(state),1,true))
     {
      Print("state: ",ResultDescription());
      return;
     }
   m_published=positions;
   m_next=GetTickCount64()+(ulong)InpSeconds*1000;
  }
//+------------------------------------------------------------------+
//| Starts                                                           |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   EventSetMillisecondTimer(20);
   if(ExtClient.Start())
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
//| Something has happened: a reason to look, and no more than that  |
//+------------------------------------------------------------------+
void OnTrade(void)
  {
   ExtClient.Look();
  }
//+------------------------------------------------------------------+
//| Looks at what no event told of                                   |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtClient.Dispatch(100);
   ExtClient.Look();
  }
//+------------------------------------------------------------------+
