//+------------------------------------------------------------------+
//|                                                       Master.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_MASTER_MQH
#define MT5MQTT_COPIER_MASTER_MQH
#include "..\Mt5Mqtt.mqh"
#include "Waiting.mqh"
#include "Answers.mqh"
#include "Clock.mqh"
#include "Panel.mqh"
#include "Rival.mqh"
//--- how long a new master waits for the state that the Server keeps of
//--- it, in ms: after it is connected, and after the Server has granted it
#define COPIER_RECALL_MS 10000
#define COPIER_RECALL_GRANTED_MS 500
//--- for so long after that another terminal's last word may come, in ms
#define COPIER_LAST_WORD_MS 30000
//--- when a state that the Server has refused, or that is too large for
//--- it, goes out again, in ms
#define COPIER_REFUSED_MS 1000
//+------------------------------------------------------------------+
//| Class CCopierMaster.                                             |
//| Appointment: publishes the account's whole state on every change |
//|              and at intervals, and lists what followers answer.  |
//+------------------------------------------------------------------+
class CCopierMaster : public CMqttClient
  {
private:
   string            m_topic;              // of this master, with / at its end
   string            m_name;
   int               m_interval_ms;
   long              m_sequence;
   long              m_time_msc;           // of the last state: a clock that is set back makes none older
   string            m_own;                // login@server
   string            m_published;          // positions and orders as they were published last
   string            m_refused;            // as the library refused them, "" = it took them
   string            m_seen;               // as they were seen last
   ulong             m_seen_us;            // when, by GetMicrosecondCount()
   ulong             m_next;               // when they are published again
   long              m_state_token;        // of the last publish of them
   bool              m_is_recalled;        // it is known what was published before, or that nothing was
   ulong             m_recall_until;       // GetTickCount64() at which nothing was, 0 = not connected yet
   long              m_recall_token;
   ulong             m_listen_until;       // to what another terminal has published before it gives way, 0 = no longer
   bool              m_gave_way;           // to another terminal, which has published since
   bool              m_is_present;         // followers were told so on this connection
   int               m_positions;
   int               m_orders;
   string            m_told;
   bool              m_is_incomplete;      // followers were told that the state can't be published
   CCopierClock      m_clock;
   CCopierRival      m_rival;              // the same master in another terminal
   CCopierRelay      m_relay;
   CCopierWaiting    m_waiting;
   CCopierAnswers    m_answers;
   CCopierPanel      m_panel;

public:
                     CCopierMaster(void);
   bool              Start(const string root,const string name,const string relayed,const int interval_ms);
   void              Stop(const int reason);
   void              Look(void);

protected:
   virtual void      OnConnected(const CMqttMessage &message);
   virtual void      OnDisconnected(const CMqttMessage &message);
   virtual void      OnSubscribed(const CMqttMessage &message);
   virtual void      OnPublished(const CMqttMessage &message);
   virtual void      OnMessage(const CMqttMessage &message);

private:
   bool              AskRecall(void);
   void              Recall(const string text);
   void              HearLastWord(const CopierState &state);
   bool              IsRecalled(void);
   string            Instances(void) const { return(m_topic+"instances/master/"+EscapeTopicLevel(m_own)); }
   bool              IsOfRival(const CMqttMessage &message);
   bool              GivesWay(void);
   void              TellFollowers(const CopierState &state,const string reason);
   void              Tell(const string text);
   void              Show(void);
  };
//+------------------------------------------------------------------+
//| Nothing was published                                            |
//+------------------------------------------------------------------+
CCopierMaster::CCopierMaster(void) : m_topic(""),m_name(""),m_interval_ms(5000),m_sequence(0),m_time_msc(0),m_own(""),m_published(""),m_refused(""),m_seen(""),m_seen_us(0),
                                     m_next(0),m_state_token(0),m_is_recalled(false),m_recall_until(0),m_recall_token(0),m_listen_until(0),m_gave_way(false),m_is_present(false),m_positions(0),m_orders(0),m_told(""),m_is_incomplete(false)
  {
  }
//+------------------------------------------------------------------+
//| Connects; the Will tells followers that the master is away       |
//+------------------------------------------------------------------+
bool CCopierMaster::Start(const string root,const string name,const string relayed,const int interval_ms)
  {
   if(!CCopierRules::IsName(name))
      return(Failed(MT5MQTT_E_INVALID_ARGUMENT,StringFormat("the master's name must have 1 to %d characters, and no colon",COPIER_NAME_LENGTH)));
   m_name=name;
   m_interval_ms=interval_ms;
//--- with other inputs, or another account, the same object begins anew
   m_recall_until=0;
   m_gave_way=false;
   m_relay.Start(relayed);
   if(m_relay.Mistaken()!="")
      return(Failed(MT5MQTT_E_INVALID_ARGUMENT,"the masters whose copies are published are names apart by commas, and '"+m_relay.Mistaken()+"' is none"));
   m_waiting.Start(name);
   m_own=CCopierAccount::Own();
   m_topic=root+"/copier/"+EscapeTopicLevel(name)+"/";
   m_rival.Start();
   if(!CCopierRival::WatchLine(this) || !SetWill(m_topic+"presence","offline",1,true) || !Subscribe(m_topic+"reports/+",1) || !Subscribe(m_topic+"followers/+",1) ||
      !Subscribe(Instances(),1) || !Subscribe(m_topic+"presence",1) || !AskRecall())
      return(false);
   return(Connect());
  }
//+------------------------------------------------------------------+
//| On each connection the state goes out anew. Before it can,       |
//| nobody is told that the master is there: followers would take    |
//| what it held for what it holds                                   |
//+------------------------------------------------------------------+
void CCopierMaster::OnConnected(const CMqttMessage &message)
  {
   Print("connected as ",m_topic);
   m_is_present=false;
   Publish(Instances(),m_rival.Connected(),1,false);
   m_published="";
   m_told="";
   m_is_incomplete=false;
//--- another terminal may have been the master meanwhile
   if(m_is_recalled)
      AskRecall();
   m_recall_until=GetTickCount64()+COPIER_RECALL_MS;
   Look();
  }
//+------------------------------------------------------------------+
//| Followers go on with what they have                              |
//+------------------------------------------------------------------+
void CCopierMaster::OnDisconnected(const CMqttMessage &message)
  {
   Tell("disconnected: "+message.Text());
  }
//+------------------------------------------------------------------+
//| The Server sends what it keeps right after it                    |
//+------------------------------------------------------------------+
void CCopierMaster::OnSubscribed(const CMqttMessage &message)
  {
   Tell(Failure("subscribing to "+message.Topic(),message));
   if(message.Token()==m_recall_token)
      m_recall_until=GetTickCount64()+COPIER_RECALL_GRANTED_MS;
  }
//+------------------------------------------------------------------+
//| What the Server has refused it may take a moment later           |
//+------------------------------------------------------------------+
void CCopierMaster::OnPublished(const CMqttMessage &message)
  {
   bool is_state=(message.Token()==m_state_token);
   if(message.Status()>=MT5MQTT_OK)
     {
      //--- what goes wrong from now on is another failure
      if(is_state)
        {
         m_told="";
         m_is_incomplete=false;
        }
      return;
     }
   Tell(Failure("a publish",message));
   if(!is_state)
      return;
   m_next=MathMin(m_next,GetTickCount64()+COPIER_REFUSED_MS);
//--- a Reason Code is the Server's word; else the line was lost
   CopierState state;
   if(message.ReasonCode()>=0 && CCopierAccount::State(m_relay,state))
      TellFollowers(state,message.Text());
  }
//+------------------------------------------------------------------+
//| What they know of is over, and nobody can tell them what is now: |
//| they close nothing and open nothing                              |
//+------------------------------------------------------------------+
void CCopierMaster::TellFollowers(const CopierState &state,const string reason)
  {
   if(m_is_incomplete)
      return;
   CopierState head;
   head=state;
   m_sequence++;
   head.sequence=m_sequence;
   head.time_msc=MathMax(state.time_msc,m_time_msc);
   head.waited_ms=0;
   m_time_msc=head.time_msc;
   m_is_incomplete=Publish(m_topic+"state",CCopierState::Incomplete(head,reason),1,true);
  }
//+------------------------------------------------------------------+
//| Followers pass over a state that is older than one of another    |
//| terminal, whose clock may be ahead of this one's                 |
//+------------------------------------------------------------------+
bool CCopierMaster::AskRecall(void)
  {
   m_is_recalled=false;
   bool is_asked=Subscribe(m_topic+"state",1);
   m_recall_token=ResultToken();
   return(is_asked);
  }
//+------------------------------------------------------------------+
//| What was published before, by this terminal or another one       |
//+------------------------------------------------------------------+
void CCopierMaster::Recall(const string text)
  {
   CopierState state;
   string      error="";
   bool        is_read=CCopierState::Read(text,state,error);
   bool        is_own=(is_read && CCopierOrigin::IsSameLogin(m_own,CCopierOrigin::Account(state.login,state.server)));
   if(m_is_recalled)
     {
      if(is_own)
         HearLastWord(state);
      return;
     }
   if(is_read)
     {
      if(is_own)
         m_waiting.Recall(state);
      else
         Tell("the Server keeps a state of another account under this name, whose followers won't follow this one: "+
              CCopierOrigin::Account(state.login,state.server));
     }
   m_sequence=MathMax(m_sequence,state.sequence);
   m_time_msc=MathMax(m_time_msc,state.time_msc);
   m_recall_until=GetTickCount64();
  }
//+------------------------------------------------------------------+
//| Another terminal has published once more before it gave way, and |
//| its clock may be ahead. This one's own states come back as well  |
//+------------------------------------------------------------------+
void CCopierMaster::HearLastWord(const CopierState &state)
  {
   if(state.time_msc<=m_time_msc && state.sequence<=m_sequence)
      return;
   m_sequence=MathMax(m_sequence,state.sequence);
   m_time_msc=MathMax(m_time_msc,state.time_msc);
   m_published="";
  }
//+------------------------------------------------------------------+
//| May a state be published?                                        |
//+------------------------------------------------------------------+
bool CCopierMaster::IsRecalled(void)
  {
   if(m_is_recalled)
     {
      if(m_listen_until!=0 && GetTickCount64()>=m_listen_until)
        {
         m_listen_until=0;
         Unsubscribe(m_topic+"state");
        }
      return(true);
     }
   if(m_recall_until==0 || GetTickCount64()<m_recall_until)
      return(false);
   m_is_recalled=true;
   m_listen_until=GetTickCount64()+COPIER_LAST_WORD_MS;
   return(true);
  }
//+------------------------------------------------------------------+
//| The same master in another terminal, whose end or Will, or a Will|
//| of an earlier connection, says that this one is away             |
//+------------------------------------------------------------------+
bool CCopierMaster::IsOfRival(const CMqttMessage &message)
  {
   if(message.Topic()==m_topic+"presence")
     {
      if(message.PayloadText()=="offline" && m_is_present)
        {
         m_is_present=false;
         m_published="";
        }
      return(true);
     }
   if(message.Topic()!=Instances())
      return(false);
   if(!message.IsRetained() && m_rival.Heard(message.PayloadText()))
      Publish(Instances(),m_rival.Name(),1,false);
   return(true);
  }
//+------------------------------------------------------------------+
//| Two terminals show the same change at different moments: what is |
//| new in one state would be gone in the next one                   |
//+------------------------------------------------------------------+
bool CCopierMaster::GivesWay(void)
  {
   if(m_rival.IsAsking())
      Publish(Instances(),m_rival.Name(),1,false);
   if(m_rival.HasRival())
     {
      m_gave_way=true;
      Tell("another terminal publishes this master of the same account, and was first: nothing is published here until it is gone");
     }
   else
      if(m_gave_way)
        {
         m_gave_way=false;
         m_recall_until=GetTickCount64()+COPIER_RECALL_MS;
         AskRecall();
        }
   return(!m_rival.IsFree());
  }
//+------------------------------------------------------------------+
//| A follower's presence, or what became of a position there        |
//+------------------------------------------------------------------+
void CCopierMaster::OnMessage(const CMqttMessage &message)
  {
   CopierReport report;
   string       levels[];
   int          count=StringSplit(message.Topic(),'/',levels);
   if(IsOfRival(message))
      return;
   if(count>=2 && levels[count-2]=="followers")
     {
      string follower=UnescapeTopicLevel(levels[count-1]);
      m_answers.Presence(follower,message.PayloadText()=="online");
      Print("follower ",follower," is ",message.PayloadText());
      return;
     }
   if(count>=1 && levels[count-1]=="state")
     {
      Recall(message.PayloadText());
      return;
     }
   if(!CCopierReport::Read(message.PayloadText(),report))
     {
      Tell("a report that can't be read: "+message.PayloadText());
      return;
     }
   m_answers.Add(report);
   Print("report: ",m_answers.Line(0));
   bool is_placed=(report.action=="place" && report.retcode==TRADE_RETCODE_PLACED);
   if(report.retcode!=0 && !is_placed && !CCopierRetcodes::IsDone((uint)report.retcode))
      m_panel.Error(m_answers.Line(0));
  }
//+------------------------------------------------------------------+
//| Into the journal, once, and onto the chart                       |
//+------------------------------------------------------------------+
void CCopierMaster::Tell(const string text)
  {
   if(text==m_told || text=="")
      return;
   m_told=text;
   Print(text);
   m_panel.Error(text);
  }
//+------------------------------------------------------------------+
//| A wanted end: the state stays, so followers keep their copies    |
//+------------------------------------------------------------------+
void CCopierMaster::Stop(const int reason)
  {
   if(reason!=REASON_CHARTCHANGE && IsConnected())
     {
      Publish(m_topic+"presence","offline",1,true);
      Disconnect(500);
     }
   if(reason!=REASON_CHARTCHANGE)
      m_panel.Clear();
   Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Publishes what has changed. Nothing is queued without a          |
//| connection: only the newest state is of use                      |
//+------------------------------------------------------------------+
void CCopierMaster::Look(void)
  {
   CopierState state;
   Show();
   if(TerminalInfoInteger(TERMINAL_CONNECTED)==0)
     {
      Tell("nothing is published: the terminal isn't connected to its trade server");
      m_waiting.Pause();
      return;
     }
   if(CCopierAccount::Own()!=m_own)
     {
      Tell("the terminal has changed to another account: nothing of it is published until the program is started anew");
      return;
     }
   if(IsConnected() && GivesWay())
     {
      m_waiting.Pause();
      return;
     }
   if(!m_waiting.State(m_relay,state))
     {
      if(m_waiting.WaitsFor()!="")
         Tell(m_waiting.WaitsFor());
      return;
     }
   state.sequence=m_sequence+1;
   state.time_msc=MathMax(state.time_msc,m_time_msc);
   state.clock_msc=m_clock.Tell(CCopierAccount::NewestMsc());
   state.interval_ms=m_interval_ms;
   state.waited_ms=0;
   string text=CCopierState::Write(state);
   string positions=StringSubstr(text,StringFind(text,"\"positions\":"));
   m_positions=ArraySize(state.positions);
   m_orders=ArraySize(state.orders);
   if(positions!=m_seen)
     {
      m_seen=positions;
      m_seen_us=GetMicrosecondCount();
     }
   if(!IsConnected() || !IsRecalled() || (positions==m_published && GetTickCount64()<m_next))
      return;
   if(positions!=m_published)
     {
      state.waited_ms=(long)((GetMicrosecondCount()-m_seen_us)/1000);
      text=CCopierState::Write(state);
     }
   if(positions==m_refused && GetTickCount64()<m_next)
      return;
   m_sequence++;
   m_time_msc=state.time_msc;
   if(!m_is_present)
      m_is_present=Publish(m_topic+"presence","online",1,true);
   if(m_positions>COPIER_MAX_POSITIONS || m_orders>COPIER_MAX_ORDERS)
      Failed(MT5MQTT_E_TOO_LARGE,StringFormat("no follower takes more than %d positions or %d orders",COPIER_MAX_POSITIONS,COPIER_MAX_ORDERS));
   else
      Publish(m_topic+"state",text,1,true);
   if(ResultStatus()<MT5MQTT_OK)
     {
      string reason=ResultDescription();
      bool   is_too_large=(ResultStatus()==MT5MQTT_E_TOO_LARGE);
      Tell("state: "+reason+(is_too_large ? ": nothing is copied until it is smaller, or the Server takes larger messages" : ""));
      if(is_too_large)
        {
         m_refused=positions;
         m_next=GetTickCount64()+COPIER_REFUSED_MS;
         TellFollowers(state,reason);
        }
      return;
     }
   m_refused="";
   m_state_token=ResultToken();
   m_answers.Published(m_sequence,state.waited_ms*1000);
   m_published=positions;
   m_next=GetTickCount64()+(ulong)m_interval_ms;
  }
//+------------------------------------------------------------------+
//| The panel                                                        |
//+------------------------------------------------------------------+
void CCopierMaster::Show(void)
  {
   if(!m_panel.IsDue())
      return;
   string lines="Trade copier: master "+m_name+"\nServer: "+(IsConnected() ? "connected to "+Server() : "not connected")+
                StringFormat("\nPublished: %d positions, %d orders, state %I64d",m_positions,m_orders,m_sequence)+
                "\nFollowers: "+m_answers.Peers();
   for(int i=0; i<m_answers.Count() && i<8; i++)
      lines+=(i==0 ? "\nAnswers:" : "")+"\n  "+m_answers.Line(i);
   m_panel.Show(lines);
  }
#endif
//+------------------------------------------------------------------+
