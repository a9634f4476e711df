//+------------------------------------------------------------------+
//|                                                      Answers.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_ANSWERS_MQH
#define MT5MQTT_COPIER_ANSWERS_MQH
#include "Report.mqh"
#include "Retcodes.mqh"
//--- reports that are kept, the newest of each follower and position
#define COPIER_MAX_ANSWERS 64
//--- states whose time of publish is kept
#define COPIER_MAX_PUBLISHED 256
//--- more followers than these are not listed
#define COPIER_MAX_PEERS 64
//+------------------------------------------------------------------+
//| A report, and how long the ways took                             |
//+------------------------------------------------------------------+
struct CopierAnswer
  {
   CopierReport      report;
   long              seen_us;              // change seen until the state was published; -1 = unknown
   long              network_us;           // one way, -1 = unknown
  };
//+------------------------------------------------------------------+
//| A follower                                                       |
//+------------------------------------------------------------------+
struct CopierPeer
  {
   string            name;                 // login@server
   bool              is_online;
   long              lag_us;               // of its newest answer: change seen until filled, -1 = unknown
  };
//+------------------------------------------------------------------+
//| Class CCopierAnswers.                                            |
//| Appointment: what followers have answered, and the time that each|
//|              stage took.                                         |
//+------------------------------------------------------------------+
class CCopierAnswers
  {
private:
   CopierAnswer      m_answers[];          // the newest first
   CopierPeer        m_peers[];
   ulong             m_published[COPIER_MAX_PUBLISHED]; // GetMicrosecondCount() at the publish
   long              m_sequences[COPIER_MAX_PUBLISHED];
   long              m_seen[COPIER_MAX_PUBLISHED];      // microseconds before it

public:
                     CCopierAnswers(void);
   void              Published(const long sequence,const long seen_us);
   void              Presence(const string follower,const bool is_online);
   void              Add(const CopierReport &report);
   int               Count(void) const { return(ArraySize(m_answers)); }
   string            Line(const int index) const;
   //--- all followers in one line
   string            Peers(void) const;

private:
   int               Peer(const string name);
   static string     Milliseconds(const long microseconds);
  };
//+------------------------------------------------------------------+
//| Nothing was published                                            |
//+------------------------------------------------------------------+
CCopierAnswers::CCopierAnswers(void)
  {
   for(int i=0; i<COPIER_MAX_PUBLISHED; i++)
     {
      m_published[i]=0;
      m_sequences[i]=0;
      m_seen[i]=0;
     }
  }
//+------------------------------------------------------------------+
//| A state went out                                                 |
//+------------------------------------------------------------------+
void CCopierAnswers::Published(const long sequence,const long seen_us)
  {
   int i=(int)(sequence%COPIER_MAX_PUBLISHED);
   m_published[i]=GetMicrosecondCount();
   m_sequences[i]=sequence;
   m_seen[i]=seen_us;
  }
//+------------------------------------------------------------------+
//| By the follower, or by its Will                                  |
//+------------------------------------------------------------------+
void CCopierAnswers::Presence(const string follower,const bool is_online)
  {
   int peer=Peer(follower);
   if(peer>=0)
      m_peers[peer].is_online=is_online;
  }
//+------------------------------------------------------------------+
//| By name, made if there is none; -1 if there are too many         |
//+------------------------------------------------------------------+
int CCopierAnswers::Peer(const string name)
  {
   int count=ArraySize(m_peers);
   for(int i=0; i<count; i++)
      if(m_peers[i].name==name)
         return(i);
   if(count>=COPIER_MAX_PEERS)
      return(-1);
   ArrayResize(m_peers,count+1);
   m_peers[count].name=name;
   m_peers[count].is_online=false;
   m_peers[count].lag_us=-1;
   return(count);
  }
//+------------------------------------------------------------------+
//| Takes the place of the follower's last one on that position      |
//+------------------------------------------------------------------+
void CCopierAnswers::Add(const CopierReport &report)
  {
   CopierAnswer answer;
   answer.report=report;
   answer.seen_us=-1;
   answer.network_us=-1;
   int slot=(int)(MathMax(report.sequence,0)%COPIER_MAX_PUBLISHED);
   if(report.sequence>0 && m_sequences[slot]==report.sequence)
     {
      long both_ways=(long)(GetMicrosecondCount()-m_published[slot]);
      answer.seen_us=m_seen[slot];
      answer.network_us=MathMax(0,both_ways-report.held_us)/2;
     }
   int count=ArraySize(m_answers);
   int last=0;
   while(last<count && (m_answers[last].report.follower!=report.follower || m_answers[last].report.id!=report.id))
      last++;
   if(last==count)
     {
      if(count<COPIER_MAX_ANSWERS)
         ArrayResize(m_answers,count+1);
      else
         last=count-1;
     }
   for(int i=last; i>0; i--)
      m_answers[i]=m_answers[i-1];
   m_answers[0]=answer;
   int peer=Peer(report.follower);
   if(peer>=0 && answer.network_us>=0 && report.retcode!=0)
      m_peers[peer].lag_us=answer.seen_us+answer.network_us+report.waited_us+report.trade_us;
  }
//+------------------------------------------------------------------+
//| Tenths matter, thousandths don't                                 |
//+------------------------------------------------------------------+
string CCopierAnswers::Milliseconds(const long microseconds)
  {
   return(microseconds<0 ? "?" : DoubleToString((double)microseconds/1000,1));
  }
//+------------------------------------------------------------------+
//| One answer                                                       |
//+------------------------------------------------------------------+
string CCopierAnswers::Line(const int index) const
  {
   CopierReport report=m_answers[index].report;
   string       line=report.follower+": "+report.action+" "+IntegerToString(report.id);
   if(report.retcode==0)
      return(line+": "+report.reason);
   line+=" "+report.symbol+" "+CCopierReport::Lots(report.volume)+": "+report.result;
   if(report.price>0)
      line+=" at "+DoubleToString(report.price,5)+", "+DoubleToString(report.slippage,1)+" points of slippage";
   return(line+", ms: seen "+Milliseconds(m_answers[index].seen_us)+", network "+Milliseconds(m_answers[index].network_us)+
          ", decided "+Milliseconds(report.waited_us)+", filled "+Milliseconds(report.trade_us));
  }
//+------------------------------------------------------------------+
//| Who is there                                                     |
//+------------------------------------------------------------------+
string CCopierAnswers::Peers(void) const
  {
   string text="";
   for(int i=0; i<ArraySize(m_peers); i++)
      text+=(i==0 ? "" : ", ")+m_peers[i].name+(m_peers[i].is_online ? "" : " (offline)")+
            (m_peers[i].lag_us>=0 ? " "+Milliseconds(m_peers[i].lag_us)+" ms" : "");
   return(text=="" ? "none" : text);
  }
#endif
//+------------------------------------------------------------------+
