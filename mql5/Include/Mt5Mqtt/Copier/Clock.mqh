//+------------------------------------------------------------------+
//|                                                        Clock.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_CLOCK_MQH
#define MT5MQTT_COPIER_CLOCK_MQH
#include "Orders.mqh"
//--- a time so many ms ahead of the last price is of another zone: summer
//--- time has ended
#define COPIER_CLOCK_AHEAD_MS 60000
//--- after so many ms the quickest state of before counts no more
#define COPIER_CLOCK_MS 300000
//+------------------------------------------------------------------+
//| Class CCopierClock.                                              |
//| Appointment: the clock of a trade server, as a master tells it to|
//|              its followers: the age of a position is then by one |
//|              clock, whatever those of the two computers say.     |
//+------------------------------------------------------------------+
class CCopierClock
  {
private:
   //--- at the master
   long              m_server_msc;         // the newest time that the terminal shows of the trade server
   ulong             m_server_us;          // when that was, by GetMicrosecondCount()
   bool              m_is_live;            // it has moved: what a terminal shows first may be of last week
   //--- at a follower: this computer's uptime less the master's clock, by the quickest states
   long              m_now;                // of these 5 minutes
   long              m_before;             // of those before
   ulong             m_next;               // when others begin, 0 = no state has told of the clock

public:
                     CCopierClock(void) : m_server_msc(0),m_server_us(0),m_is_live(false),m_now(0),m_before(0),m_next(0) { }
   //--- of the terminal's trade server, GMT, 0 = not known yet; newest_msc: a time of it that is known from elsewhere
   long              Tell(const long newest_msc);
   //--- a state that came so many ms ago told that time
   void              Heard(const long clock_msc,const long ago_ms);
   bool              IsKnown(void) const { return(m_next!=0); }
   //--- another master's is another one
   void              Forget(void)        { m_next=0;          }
   //--- the master's clock now
   long              NowMsc(void) const  { return((long)GetTickCount64()-MathMin(m_now,m_before)); }
  };
//+------------------------------------------------------------------+
//| The terminal shows it at each price; in between it goes on       |
//+------------------------------------------------------------------+
long CCopierClock::Tell(const long newest_msc)
  {
   long shown=(long)TimeCurrent()*1000;
   if(newest_msc-shown<COPIER_CLOCK_AHEAD_MS)
      shown=MathMax(shown,newest_msc);
   if(shown!=m_server_msc)
     {
      if(m_server_msc!=0 && shown>m_server_msc)
         m_is_live=true;
      m_server_msc=shown;
      m_server_us=GetMicrosecondCount();
     }
   if(!m_is_live)
      return(0);
   return(m_server_msc+CCopierOrders::Offset()*1000+(long)((GetMicrosecondCount()-m_server_us)/1000));
  }
//+------------------------------------------------------------------+
//| The quickest one was the least late                              |
//+------------------------------------------------------------------+
void CCopierClock::Heard(const long clock_msc,const long ago_ms)
  {
   ulong now=GetTickCount64();
   long  difference=(long)now-ago_ms-clock_msc;
   if(now>=m_next)
     {
      m_before=(m_next==0 ? difference : m_now);
      m_now=difference;
      m_next=now+COPIER_CLOCK_MS;
     }
   m_now=MathMin(m_now,difference);
  }
#endif
//+------------------------------------------------------------------+
