//+------------------------------------------------------------------+
//|                                                         Peer.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_PEER_MQH
#define MT5MQTT_COPIER_PEER_MQH
#include "..\Mt5Mqtt.mqh"
#include "Executor.mqh"
#include "Panel.mqh"
#include "Report.mqh"
#include "Rival.mqh"
//--- so long after a connection a state of the master should be there, in ms
#define COPIER_STATE_MS 10000
//+------------------------------------------------------------------+
//| Class CCopierPeer.                                               |
//| Appointment: what a follower tells its master, the journal and   |
//|              the chart.                                          |
//+------------------------------------------------------------------+
class CCopierPeer : public CMqttClient
  {
protected:
   string            m_master;             // name
   string            m_topic;              // of the master, with / at its end
   CCopierExecutor   m_executor;
   CCopierPanel      m_panel;
   CCopierRival      m_rival;              // the same follower in another terminal
   bool              m_is_away;            // the master has said so, or its Will, and no new state has come since
   bool              m_is_master_online;
   bool              m_is_current;         // a state has come on this connection

private:
   string            m_own;                // login@server
   ulong             m_late_at;            // GetTickCount64() from which on a state is missing
   string            m_told;               // the last thing that went wrong
   string            m_kept;               // what keeps it from working now, empty = nothing
   string            m_last;               // the last action
   CopierLink        m_refused[];          // that were reported

public:
                     CCopierPeer(void) : m_master(""),m_topic(""),m_is_away(false),m_is_master_online(false),m_is_current(false),m_own(""),m_late_at(0),m_told(""),m_kept(""),m_last("") { }

protected:
   bool              StartPeer(const string root,const string master);
   void              StopPeer(const int reason);
   //--- is the terminal's account the one of the start?
   bool              IsOwn(void) const { return(CCopierAccount::Own()==m_own); }
   virtual void      OnConnected(const CMqttMessage &message);
   virtual void      OnDisconnected(const CMqttMessage &message);
   virtual void      OnSubscribed(const CMqttMessage &message);
   virtual void      OnPublished(const CMqttMessage &message);
   //--- is it connected for so long that it should have a state?
   bool              IsLate(void) const { return(IsConnected() && GetTickCount64()>=m_late_at); }
   //--- one has come; the next one comes within that time, 0 = nobody knows
   void              Came(const long interval_ms);
   bool              IsPresence(const CMqttMessage &message);
   bool              IsOfRival(const CMqttMessage &message);
   //--- gives way to a follower that does the same: two would copy everything twice
   bool              GivesWay(void);
   //--- says it once; returns false
   bool              Tell(const string text);
   //--- at each look, what keeps it from working: said when it begins; returns false
   bool              Keep(const string text);
   //--- what was sent to the trade server, or is not to be
   void              Report(const CopierAction &action,const double quote,const long sequence,const ulong received_us);
   void              ReportRefused(const CCopierPlan &plan,const long sequence,const ulong received_us);
   void              Show(const string holdings);

private:
   string            PeerTopic(const string kind) const { return(m_topic+kind+"/"+EscapeTopicLevel(m_own)); }
   void              Send(const CopierReport &report);
   bool              IsReported(const CopierLink &link) const;
   static string     Name(const ENUM_COPIER_ACTION action);
   static double     Slippage(const CopierAction &action,const double quote,const double price);
  };
//+------------------------------------------------------------------+
//| Topics, and the Will. Connect() follows. Without a Session: after|
//| an outage the newest state counts, and not those in between. The |
//| presence comes before the state. Acknowledged on arrival: else a |
//| Server keeps the newest states back while the program stands     |
//| still                                                            |
//+------------------------------------------------------------------+
bool CCopierPeer::StartPeer(const string root,const string master)
  {
   m_master=master;
   m_topic=root+"/copier/"+EscapeTopicLevel(master)+"/";
   m_own=CCopierAccount::Own();
   m_is_away=false;
   m_is_master_online=false;
   m_is_current=false;
   ArrayResize(m_refused,0);
   m_rival.Start();
   return(CCopierRival::WatchLine(this) && SetWill(PeerTopic("followers"),"offline",1,true) && SetSessionExpiry(0) && SetOptionInteger(MT5MQTT_OPT_ACKNOWLEDGE,0) &&
          Subscribe(PeerTopic("instances"),1) && Subscribe(PeerTopic("followers"),1) && Subscribe(m_topic+"presence",1) && Subscribe(m_topic+"state",1));
  }
//+------------------------------------------------------------------+
//| The master sees it                                               |
//+------------------------------------------------------------------+
void CCopierPeer::OnConnected(const CMqttMessage &message)
  {
   Print("connected, follows ",m_topic);
   m_is_current=false;
   m_late_at=GetTickCount64()+COPIER_STATE_MS;
   Publish(PeerTopic("followers"),"online",1,true);
   Publish(PeerTopic("instances"),m_rival.Connected(),1,false);
  }
//+------------------------------------------------------------------+
//| Without its subscriptions it copies nothing                      |
//+------------------------------------------------------------------+
void CCopierPeer::OnSubscribed(const CMqttMessage &message)
  {
   if(message.Status()>=MT5MQTT_OK)
      Print("subscribed: ",message.ReasonCodeDescription());
   else
      Tell(Failure("subscribing to "+message.Topic(),message));
  }
//+------------------------------------------------------------------+
//| A report, or its presence, that the master won't get             |
//+------------------------------------------------------------------+
void CCopierPeer::OnPublished(const CMqttMessage &message)
  {
   if(message.Status()<MT5MQTT_OK)
      Tell(Failure("a publish",message));
  }
//+------------------------------------------------------------------+
//| Copies stay as they are                                          |
//+------------------------------------------------------------------+
void CCopierPeer::OnDisconnected(const CMqttMessage &message)
  {
   Print("disconnected: ",message.Text());
   m_is_current=false;
   m_panel.Error("disconnected: "+message.Text());
  }
//+------------------------------------------------------------------+
//| Two may be lost in a moment                                      |
//+------------------------------------------------------------------+
void CCopierPeer::Came(const long interval_ms)
  {
   m_is_current=true;
   m_late_at=(interval_ms>0 ? GetTickCount64()+(ulong)interval_ms*3+COPIER_STATE_MS : 9223372036854775807);
  }
//+------------------------------------------------------------------+
//| A wanted end: the copies stay                                    |
//+------------------------------------------------------------------+
void CCopierPeer::StopPeer(const int reason)
  {
   if(reason!=REASON_CHARTCHANGE && IsConnected())
     {
      Publish(PeerTopic("followers"),"offline",1,true);
      Disconnect(500);
     }
   if(reason!=REASON_CHARTCHANGE)
      m_panel.Clear();
   Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Is the master there? What it holds since only a state tells      |
//+------------------------------------------------------------------+
bool CCopierPeer::IsPresence(const CMqttMessage &message)
  {
   if(message.Topic()!=m_topic+"presence")
      return(false);
   m_is_master_online=(message.PayloadText()=="online");
   if(message.PayloadText()=="offline")
      m_is_away=true;
   Print("the master is ",message.PayloadText());
   return(true);
  }
//+------------------------------------------------------------------+
//| The same follower in another terminal, or this one. Its end, or  |
//| the Will of an earlier connection, is not this one's             |
//+------------------------------------------------------------------+
bool CCopierPeer::IsOfRival(const CMqttMessage &message)
  {
   if(message.Topic()==PeerTopic("followers"))
     {
      if(message.PayloadText()=="offline" && !message.IsRetained())
         Publish(PeerTopic("followers"),"online",1,true);
      return(true);
     }
   if(message.Topic()!=PeerTopic("instances"))
      return(false);
   if(!message.IsRetained() && m_rival.Heard(message.PayloadText()))
      Publish(PeerTopic("instances"),m_rival.Name(),1,false);
   return(true);
  }
//+------------------------------------------------------------------+
//| Asks whether the other one is still there                        |
//+------------------------------------------------------------------+
bool CCopierPeer::GivesWay(void)
  {
   if(IsConnected() && m_rival.IsAsking())
      Publish(PeerTopic("instances"),m_rival.Name(),1,false);
   if(m_rival.HasRival())
      Keep("another terminal follows this master in the same account, and was first: nothing is copied here until it is gone");
   return(!m_rival.IsFree());
  }
//+------------------------------------------------------------------+
//| Says it once; returns false                                      |
//+------------------------------------------------------------------+
bool CCopierPeer::Tell(const string text)
  {
   if(text!=m_told && text!="")
     {
      Print("copier: ",text);
      m_panel.Error(text);
     }
   m_told=text;
   return(false);
  }
//+------------------------------------------------------------------+
//| What is over and comes again is said again                       |
//+------------------------------------------------------------------+
bool CCopierPeer::Keep(const string text)
  {
   if(text!=m_kept && text!="")
     {
      Print("copier: ",text);
      m_panel.Error(text);
     }
   m_kept=text;
   return(false);
  }
//+------------------------------------------------------------------+
//| Points worse than the price that was there when it was sent      |
//+------------------------------------------------------------------+
double CCopierPeer::Slippage(const CopierAction &action,const double quote,const double price)
  {
   double point=SymbolInfoDouble(action.symbol,SYMBOL_POINT);
   bool   is_buy=(action.is_buy==(action.action==COPIER_ACTION_OPEN));
   if(price<=0 || quote<=0 || point<=0)
      return(0);
   return((is_buy ? price-quote : quote-price)/point);
  }
//+------------------------------------------------------------------+
//| As it stands in a report                                         |
//+------------------------------------------------------------------+
string CCopierPeer::Name(const ENUM_COPIER_ACTION action)
  {
   switch(action)
     {
      case COPIER_ACTION_CLOSE:
         return("close");
      case COPIER_ACTION_DELETE:
         return("delete");
      case COPIER_ACTION_STOPS:
         return("stops");
      case COPIER_ACTION_MODIFY:
         return("modify");
      case COPIER_ACTION_OPEN:
         return("open");
      case COPIER_ACTION_PLACE:
         break;
     }
   return("place");
  }
//+------------------------------------------------------------------+
//| After the executor has sent an action                            |
//+------------------------------------------------------------------+
void CCopierPeer::Report(const CopierAction &action,const double quote,const long sequence,const ulong received_us)
  {
   CopierReport report;
   report.follower=m_own;
   report.id=action.id;
   report.action=Name(action.action);
   report.symbol=action.symbol;
   report.volume=action.volume;
   report.retcode=(long)m_executor.m_retcode;
   report.result=CMqttTrade::Text(m_executor.m_retcode);
   report.price=m_executor.m_price;
   report.slippage=Slippage(action,quote,m_executor.m_price);
   report.reason=action.reason;
   report.sequence=sequence;
   report.waited_us=(long)(m_executor.m_sent_us-received_us);
   report.trade_us=(long)(m_executor.m_answered_us-m_executor.m_sent_us);
   report.held_us=(long)(GetMicrosecondCount()-received_us);
   m_last=report.action+" "+action.symbol+" "+CCopierReport::Lots(action.volume)+" ("+action.reason+"): "+report.result;
   Print(m_last);
   if(m_executor.m_outcome!=COPIER_OUTCOME_DONE)
      m_panel.Error(m_last);
   Send(report);
  }
//+------------------------------------------------------------------+
//| Positions that are not to be held, each once                     |
//+------------------------------------------------------------------+
void CCopierPeer::ReportRefused(const CCopierPlan &plan,const long sequence,const ulong received_us)
  {
   CopierLink refused[];
   int        count=0;
   ArrayResize(refused,plan.Links());
   for(int i=0; i<plan.Links(); i++)
     {
      CopierReport report;
      CopierLink   link;
      plan.Link(i,link);
      if(link.state==COPIER_LINK_OPEN || link.state==COPIER_LINK_BEFORE)
         continue;
      refused[count]=link;
      count++;
      if(IsReported(link))
         continue;
      report.follower=m_own;
      report.id=link.id;
      report.action="refused";
      report.symbol=link.symbol;
      report.volume=0;
      report.retcode=0;
      report.result="";
      report.price=0;
      report.slippage=0;
      report.reason=link.reason;
      report.sequence=sequence;
      report.waited_us=0;
      report.trade_us=0;
      report.held_us=(long)(GetMicrosecondCount()-received_us);
      Print("not copied ",link.id,": ",link.reason);
      Send(report);
     }
   ArrayResize(refused,count);
   ArrayResize(m_refused,count);
   for(int i=0; i<count; i++)
      m_refused[i]=refused[i];
  }
//+------------------------------------------------------------------+
//| Was it reported for that reason?                                 |
//+------------------------------------------------------------------+
bool CCopierPeer::IsReported(const CopierLink &link) const
  {
   for(int i=0; i<ArraySize(m_refused); i++)
      if(m_refused[i].id==link.id && m_refused[i].reason==link.reason)
         return(true);
   return(false);
  }
//+------------------------------------------------------------------+
//| To the master                                                    |
//+------------------------------------------------------------------+
void CCopierPeer::Send(const CopierReport &report)
  {
   if(IsConnected() && !Publish(PeerTopic("reports"),CCopierReport::Write(report),1,false))
      Print("report: ",ResultDescription());
  }
//+------------------------------------------------------------------+
//| The panel                                                        |
//+------------------------------------------------------------------+
void CCopierPeer::Show(const string holdings)
  {
   m_panel.Show("Trade copier: follower of "+m_master+"\nServer: "+(IsConnected() ? "connected to "+Server() : "not connected")+
                "\nMaster: "+(m_is_master_online ? "online" : "offline")+"\n"+holdings+
                (m_last=="" ? "" : "\nLast: "+m_last)+(m_kept=="" ? "" : "\nNow: "+m_kept));
  }
#endif
//+------------------------------------------------------------------+
