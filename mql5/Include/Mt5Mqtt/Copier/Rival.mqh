//+------------------------------------------------------------------+
//|                                                        Rival.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_RIVAL_MQH
#define MT5MQTT_COPIER_RIVAL_MQH
#include "..\Internal\Client.mqh"
//--- how long a program that starts waits for the answer of another one, in ms
#define COPIER_RIVAL_START_MS 500
//--- who gives way asks again after so long, in ms, and goes on after so
//--- many questions without an answer
#define COPIER_RIVAL_ASK_MS 5000
#define COPIER_RIVAL_ASKED 3
//--- a line that has become silent is given up before that: Keep Alive in
//--- seconds, of which three quarters pass until the Server is asked, and
//--- the time that it has for an answer, in ms
#define COPIER_KEEP_ALIVE_S 8
#define COPIER_PING_TIMEOUT_MS 5000
//+------------------------------------------------------------------+
//| Class CCopierRival.                                              |
//| Appointment: of programs that do the same in several terminals   |
//|              one works. Each says its name on a topic that all of|
//|              them hear. A name begins with the time of its start:|
//|              the older one answers, the younger one gives way.   |
//+------------------------------------------------------------------+
class CCopierRival
  {
private:
   string            m_name;
   string            m_rival;              // the older one, "" = none
   ulong             m_free_at;            // GetTickCount64() at which the start is over, 0 = not connected yet
   ulong             m_ask_at;             // when it is asked next
   int               m_asked;              // since the other one was heard

public:
                     CCopierRival(void) : m_name(""),m_rival(""),m_free_at(0),m_ask_at(0),m_asked(0) { }
   void              Start(void);
   //--- before its Connect()
   static bool       WatchLine(CMqttClient &client);
   //--- the name is said on each connection
   string            Connected(void);
   //--- a name that was heard; true if it is to be answered by this one's
   bool              Heard(const string name);
   //--- connected: is the question due? Then the name is said again
   bool              IsAsking(void);
   string            Name(void) const { return(m_name); }
   bool              HasRival(void) const { return(m_rival!=""); }
   //--- may it work?
   bool              IsFree(void) const { return(m_rival=="" && m_free_at!=0 && GetTickCount64()>=m_free_at); }
  };
//+------------------------------------------------------------------+
//| A new name, which sorts behind those of before                   |
//+------------------------------------------------------------------+
void CCopierRival::Start(void)
  {
   m_name=StringFormat("%016I64d-%I64d",mt5mqtt_time_unix_us(),ChartID());
   m_rival="";
   m_free_at=0;
   m_ask_at=0;
   m_asked=0;
  }
//+------------------------------------------------------------------+
//| Else this one would work by what it knew last, while another one |
//| that gets no answer does so by what is new                       |
//+------------------------------------------------------------------+
bool CCopierRival::WatchLine(CMqttClient &client)
  {
   return(client.SetKeepAlive(COPIER_KEEP_ALIVE_S) && client.SetOptionInteger(MT5MQTT_OPT_PING_TIMEOUT_MS,COPIER_PING_TIMEOUT_MS));
  }
//+------------------------------------------------------------------+
//| Only the first connection is a start                             |
//+------------------------------------------------------------------+
string CCopierRival::Connected(void)
  {
   if(m_free_at==0)
      m_free_at=GetTickCount64()+COPIER_RIVAL_START_MS;
   return(m_name);
  }
//+------------------------------------------------------------------+
//| Its own name comes back, too                                     |
//+------------------------------------------------------------------+
bool CCopierRival::Heard(const string name)
  {
   int order=StringCompare(name,m_name);
   if(order==0 || name=="")
      return(false);
   if(order>0)
      return(true);
   m_rival=name;
   m_asked=0;
   m_ask_at=GetTickCount64()+COPIER_RIVAL_ASK_MS;
   return(false);
  }
//+------------------------------------------------------------------+
//| Who doesn't answer is gone                                       |
//+------------------------------------------------------------------+
bool CCopierRival::IsAsking(void)
  {
   if(m_rival=="" || GetTickCount64()<m_ask_at)
      return(false);
   if(m_asked>=COPIER_RIVAL_ASKED)
     {
      m_rival="";
      return(false);
     }
   m_asked++;
   m_ask_at=GetTickCount64()+COPIER_RIVAL_ASK_MS;
   return(true);
  }
#endif
//+------------------------------------------------------------------+
