//+------------------------------------------------------------------+
//|                                                   Unanswered.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_UNANSWERED_MQH
#define MT5MQTT_COPIER_UNANSWERED_MQH
#include "Links.mqh"
#include "..\Internal\Trade.mqh"
//--- how long an order may take whose answer was lost, in ms
#define COPIER_UNCERTAIN_MS 15000
//--- after so many ms more it won't show
#define COPIER_LATE_MS 3600000
//+------------------------------------------------------------------+
//| Class CCopierUnanswered.                                         |
//| Appointment: opens and pending orders that may be on their way,  |
//|              as their answer was lost, or the terminal was killed|
//|              before it came. None of them is sent again before   |
//|              its time is over, and what shows is known again,    |
//|              also when nobody waits for it any more.             |
//+------------------------------------------------------------------+
class CCopierUnanswered
  {
protected:
   CopierUncertain   m_uncertain[];

public:
   //--- may an open in that symbol be on its way?
   bool              IsUncertain(const string symbol);
   //--- the master's position of which an unknown copy may be one, 0 if there is none or more than one
   long              Adopt(const string symbol,const bool is_buy,const double volume,const long opened_msc);
   //--- the same of a pending order; those that are alike may stand for each other
   long              AdoptOrder(const CopierOrder &order,const double volume,const long placed_msc);
   //--- it has shown which one it is: nothing of it is on its way
   void              Seen(const long id);
   //--- what is new is on disk before it is sent: a terminal that is killed then doesn't send it again
   void              Expect(const CopierAction &action,const double held_volume);
   int               Expected(void) const          { return(ArraySize(m_uncertain)); }
   void              Expected(const int index,CopierUncertain &uncertain) const { uncertain=m_uncertain[index]; }
   //--- it is not sent, or its answer is there
   void              Forget(const CopierAction &action);
   //--- from the file, which knows all of it: what this object knew before is the same, or another account's
   void              ForgetAll(void)               { ArrayResize(m_uncertain,0); }
   void              Restore(CopierUncertain &uncertain);
   static bool       IsNew(const CopierAction &action)       { return(action.action==COPIER_ACTION_OPEN || action.action==COPIER_ACTION_PLACE);    }

protected:
   int               Uncertain(const CopierAction &action);
   void              Note(const CopierAction &action,const double held_volume,const long sent_msc);
   //--- not later than the trade server's clock; TimeTradeServer() is as fast as the computer's
   static long       SentMsc(void)                            { return((long)TimeCurrent()*1000);        }

   //--- nothing can show: all of them are waited for from now on
   void              Prolong(void);

private:
   static bool       IsWaitedFor(const CopierUncertain &uncertain) { return(uncertain.until>GetTickCount64()); }
   int               Match(const string symbol,const bool is_buy,const double volume,const long opened_msc,const bool is_late,const bool is_part,bool &is_one) const;
   void              Expire(void);
  };
//+------------------------------------------------------------------+
//| The same open on its way of which nobody knows, -1 if there is   |
//| none                                                             |
//+------------------------------------------------------------------+
int CCopierUnanswered::Uncertain(const CopierAction &action)
  {
   Expire();
   for(int i=0; i<ArraySize(m_uncertain); i++)
      if(IsWaitedFor(m_uncertain[i]) && m_uncertain[i].id==action.id && m_uncertain[i].symbol==action.symbol)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| What will hardly show any more                                   |
//+------------------------------------------------------------------+
void CCopierUnanswered::Expire(void)
  {
   for(int i=ArraySize(m_uncertain)-1; i>=0; i--)
      if(m_uncertain[i].until+COPIER_LATE_MS<=GetTickCount64())
         ArrayRemove(m_uncertain,i,1);
  }
//+------------------------------------------------------------------+
//| Of any of its positions                                          |
//+------------------------------------------------------------------+
bool CCopierUnanswered::IsUncertain(const string symbol)
  {
   Expire();
   for(int i=0; i<ArraySize(m_uncertain); i++)
      if(IsWaitedFor(m_uncertain[i]) && m_uncertain[i].symbol==symbol && !m_uncertain[i].is_pending)
         return(true);
   return(false);
  }
//+------------------------------------------------------------------+
//| It is about to be sent                                           |
//+------------------------------------------------------------------+
void CCopierUnanswered::Expect(const CopierAction &action,const double held_volume)
  {
   Note(action,held_volume,SentMsc());
  }
//+------------------------------------------------------------------+
//| It may be on its way                                             |
//+------------------------------------------------------------------+
void CCopierUnanswered::Note(const CopierAction &action,const double held_volume,const long sent_msc)
  {
   CopierUncertain uncertain;
   uncertain.id=action.id;
   uncertain.symbol=action.symbol;
   uncertain.is_buy=action.is_buy;
   uncertain.volume=action.volume;
   uncertain.sent_msc=sent_msc;
   uncertain.until=0;
   uncertain.is_pending=(action.action==COPIER_ACTION_PLACE);
   uncertain.kind=action.kind;
   uncertain.price=CMqttTrade::Price(action.symbol,action.price);
   uncertain.before=held_volume;
   Restore(uncertain);
  }
//+------------------------------------------------------------------+
//| Waited for from now on                                           |
//+------------------------------------------------------------------+
void CCopierUnanswered::Restore(CopierUncertain &uncertain)
  {
   int count=ArraySize(m_uncertain);
   uncertain.until=GetTickCount64()+COPIER_UNCERTAIN_MS;
   ArrayResize(m_uncertain,count+1,16);
   m_uncertain[count]=uncertain;
  }
//+------------------------------------------------------------------+
//| Without its trade server a terminal shows nothing new            |
//+------------------------------------------------------------------+
void CCopierUnanswered::Prolong(void)
  {
   for(int i=0; i<ArraySize(m_uncertain); i++)
      if(IsWaitedFor(m_uncertain[i]))
         m_uncertain[i].until=GetTickCount64()+COPIER_UNCERTAIN_MS;
  }
//+------------------------------------------------------------------+
//| Its answer is there. One that was sent before may still show     |
//+------------------------------------------------------------------+
void CCopierUnanswered::Forget(const CopierAction &action)
  {
   for(int i=ArraySize(m_uncertain)-1; i>=0; i--)
      if(IsWaitedFor(m_uncertain[i]) && m_uncertain[i].id==action.id && m_uncertain[i].symbol==action.symbol)
         ArrayRemove(m_uncertain,i,1);
  }
//+------------------------------------------------------------------+
//| The index, -1 if there is none or more than one. A pending order |
//| may have become a position before it shows                       |
//+------------------------------------------------------------------+
int CCopierUnanswered::Match(const string symbol,const bool is_buy,const double volume,const long opened_msc,const bool is_late,const bool is_part,bool &is_one) const
  {
   int found=-1;
   is_one=true;
   for(int i=0; i<ArraySize(m_uncertain); i++)
     {
      double less=m_uncertain[i].volume-volume;
      if(IsWaitedFor(m_uncertain[i])==is_late || m_uncertain[i].symbol!=symbol || m_uncertain[i].is_buy!=is_buy ||
         opened_msc+1000<m_uncertain[i].sent_msc || (is_part ? less<0.00000001 : MathAbs(less)>=0.00000001))
         continue;
      if(found>=0 && m_uncertain[found].id!=m_uncertain[i].id)
         is_one=false;
      found=i;
     }
   return(is_one ? found : -1);
  }
//+------------------------------------------------------------------+
//| The broker has rewritten the comment, and the answer was lost. It|
//| may have filled in part, or show when it is waited for no longer |
//+------------------------------------------------------------------+
long CCopierUnanswered::Adopt(const string symbol,const bool is_buy,const double volume,const long opened_msc)
  {
   int  found=-1;
   bool is_one=true;
   for(int i=0; i<4 && found<0 && is_one; i++)
      found=Match(symbol,is_buy,volume,opened_msc,i>=2,i%2==1,is_one);
   if(found<0)
      return(0);
   long id=m_uncertain[found].id;
   ArrayRemove(m_uncertain,found,1);
   return(id);
  }
//+------------------------------------------------------------------+
//| Likewise; side, kind, volume and price tell it                   |
//+------------------------------------------------------------------+
long CCopierUnanswered::AdoptOrder(const CopierOrder &order,const double volume,const long placed_msc)
  {
   for(int i=0; i<ArraySize(m_uncertain); i++)
      if(m_uncertain[i].is_pending && m_uncertain[i].symbol==order.symbol && m_uncertain[i].is_buy==order.is_buy &&
         m_uncertain[i].kind==order.kind && placed_msc+1000>=m_uncertain[i].sent_msc && MathAbs(m_uncertain[i].volume-volume)<0.00000001 &&
         MathAbs(m_uncertain[i].price-order.price)<0.00000001)
        {
         long id=m_uncertain[i].id;
         ArrayRemove(m_uncertain,i,1);
         return(id);
        }
   return(0);
  }
//+------------------------------------------------------------------+
//| Its effect is known                                              |
//+------------------------------------------------------------------+
void CCopierUnanswered::Seen(const long id)
  {
   for(int i=ArraySize(m_uncertain)-1; i>=0; i--)
      if(m_uncertain[i].id==id)
         ArrayRemove(m_uncertain,i,1);
  }
#endif
//+------------------------------------------------------------------+
