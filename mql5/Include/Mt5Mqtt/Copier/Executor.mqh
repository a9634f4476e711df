//+------------------------------------------------------------------+
//|                                                     Executor.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_EXECUTOR_MQH
#define MT5MQTT_COPIER_EXECUTOR_MQH
#include "Account.mqh"
#include "Plan.mqh"
#include "Requests.mqh"
#include "Retcodes.mqh"
#include "Unanswered.mqh"
//--- how long the terminal may take to show what was done, in ms
#define COPIER_SETTLE_MS 3000
//--- the same, while the deal of which the answer told isn't shown
#define COPIER_UNSHOWN_MS 15000
//--- how long another price is waited for at most, in ms
#define COPIER_REQUOTE_MS 1000
//+------------------------------------------------------------------+
//| When an action may be tried again                                |
//+------------------------------------------------------------------+
struct CopierAttempt
  {
   ENUM_COPIER_ACTION action;
   long              id;
   ulong             ticket;
   string            symbol;
   bool              is_buy;               // when it was sent: the other side is another matter
   ulong             next;                 // GetTickCount64() from which on it may be tried
   ulong             whole_next;           // the same of a close as a whole
   double            volume;               // of the ticket when it was sent: another one ends the wait
   int               count;                // failures in a row
   ulong             unknown_until;        // GetTickCount64() until which its effect may still show
   ulong             deal;                 // that closed it, 0 = none is known
   ulong             deal_until;           // GetTickCount64() until which it is waited for
   bool              is_part;              // a close of which only the volume tells whether it was done
   CopierVariant     variant;
   string            target;               // what it was to become
   bool              is_of_target;         // it was done, or that target refused: another one ends the wait
   int               allowed;              // what the symbol allowed when it was refused: a change ends the wait; -1 = of no matter
  };
//+------------------------------------------------------------------+
//| Class CCopierExecutor.                                           |
//| Appointment: sends one action, and says when the same may be     |
//|              sent again. An action whose effect isn't visible    |
//|              yet is not sent a second time.                      |
//+------------------------------------------------------------------+
class CCopierExecutor : public CCopierUnanswered
  {
private:
   CopierAttempt     m_attempts[];
   long              m_magic;
   int               m_wait_ms;            // until a closed market is tried again

public:
   //--- of the last action
   ENUM_COPIER_OUTCOME m_outcome;
   uint              m_retcode;
   double            m_price;
   double            m_volume;
   ulong             m_order;
   ulong             m_deal;
   ulong             m_sent_us;            // by GetMicrosecondCount()
   ulong             m_answered_us;
   double            m_quote;              // price when it was sent, 0 = of no matter

                     CCopierExecutor(void) : m_magic(0),m_wait_ms(30000),m_outcome(COPIER_OUTCOME_DONE),m_retcode(0),m_price(0),m_volume(0),m_order(0),m_deal(0),
                                             m_sent_us(0),m_answered_us(0),m_quote(0) { }
   void              SetWait(const int wait_ms) { m_wait_ms=wait_ms; }
   void              SetMagic(const long magic) { m_magic=magic;     }
   long              Magic(void) const          { return(m_magic);   }
   bool              IsDue(const CopierAction &action,const double held_volume);
   //--- after an open that was done: its lots, also if the answer doesn't tell them
   double            Filled(const CopierAction &action) const;
   //--- was a reduction of this position sent that may still show?
   bool              IsSettling(const ulong ticket,const double volume) const;
   void              Execute(const CopierAction &action,const double held_volume,const string comment,const ulong deviation);
   //--- the terminal has no connection: what was sent can't show
   void              Pause(void);

private:
   int               Find(const CopierAction &action) const;
   int               FindOrAdd(const CopierAction &action);
   static bool       IsUnshown(const CopierAttempt &attempt);
   static bool       IsPart(const CopierAction &action,const double held_volume);
   static bool       IsAddition(const CopierAction &action,const double held_volume);
   static string     Target(const CopierAction &action);
   void              Remember(const CopierAction &action,CopierAttempt &attempt,const double held_volume,const long sent_msc);
   void              Drop(const int index);
  };
//+------------------------------------------------------------------+
//| Earlier attempts at the same                                     |
//+------------------------------------------------------------------+
int CCopierExecutor::Find(const CopierAction &action) const
  {
   for(int i=0; i<ArraySize(m_attempts); i++)
      if(m_attempts[i].action==action.action && m_attempts[i].id==action.id && m_attempts[i].ticket==action.ticket &&
         m_attempts[i].symbol==action.symbol)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| The same, made if there is none                                  |
//+------------------------------------------------------------------+
int CCopierExecutor::FindOrAdd(const CopierAction &action)
  {
   int i=Find(action);
   if(i>=0)
      return(i);
//--- what was settled long ago is of no use
   for(int k=ArraySize(m_attempts)-1; k>=0; k--)
      if(m_attempts[k].next+600000<GetTickCount64())
         Drop(k);
   i=ArraySize(m_attempts);
   ArrayResize(m_attempts,i+1,16);
   m_attempts[i].action=action.action;
   m_attempts[i].id=action.id;
   m_attempts[i].ticket=action.ticket;
   m_attempts[i].symbol=action.symbol;
   m_attempts[i].is_buy=action.is_buy;
   m_attempts[i].next=0;
   m_attempts[i].whole_next=0;
   m_attempts[i].volume=0;
   m_attempts[i].count=0;
   m_attempts[i].unknown_until=0;
   m_attempts[i].deal=0;
   m_attempts[i].deal_until=0;
   m_attempts[i].is_part=false;
   m_attempts[i].variant.filling=0;
   m_attempts[i].variant.no_stops=false;
   m_attempts[i].target="";
   m_attempts[i].is_of_target=false;
   m_attempts[i].allowed=-1;
   return(i);
  }
//+------------------------------------------------------------------+
//| Removes an attempt                                               |
//+------------------------------------------------------------------+
void CCopierExecutor::Drop(const int index)
  {
   ArrayRemove(m_attempts,index,1);
  }
//+------------------------------------------------------------------+
//| The trade server has told of a deal that the terminal lacks      |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsUnshown(const CopierAttempt &attempt)
  {
   return(attempt.deal!=0 && GetTickCount64()<attempt.deal_until && !HistoryDealSelect(attempt.deal));
  }
//+------------------------------------------------------------------+
//| May it be sent now?                                              |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsDue(const CopierAction &action,const double held_volume)
  {
   int    i=Find(action);
   //--- more than before is what an order has filled meanwhile, and not the close
   double gone=(i>=0 ? m_attempts[i].volume-held_volume : 0);
   bool   is_visible=((action.id==COPIER_NET ? MathAbs(gone) : gone)>0.00000001);
   if(IsNew(action))
     {
      int uncertain=Uncertain(action);
      //--- in netting the volume tells that it went through
      if(uncertain>=0 && action.id==COPIER_NET && MathAbs(m_uncertain[uncertain].before-held_volume)>0.00000001)
        {
         ArrayRemove(m_uncertain,uncertain,1);
         return(true);
        }
      if(uncertain>=0)
         return(false);
     }
   if(i>=0 && IsUnshown(m_attempts[i]))
      return(false);
   if(i<0 || GetTickCount64()>=(IsPart(action,held_volume) ? m_attempts[i].next : m_attempts[i].whole_next))
      return(true);
   if(action.action==COPIER_ACTION_OPEN && m_attempts[i].is_buy!=action.is_buy)
      return(true);
   if(m_attempts[i].allowed>=0 && CCopierAccount::Allows(action.symbol)!=m_attempts[i].allowed)
      return(true);
   if(action.action==COPIER_ACTION_STOPS || action.action==COPIER_ACTION_MODIFY)
      return(m_attempts[i].is_of_target && m_attempts[i].target!=Target(action));
   return(is_visible && (action.action==COPIER_ACTION_CLOSE || action.id==COPIER_NET));
  }
//+------------------------------------------------------------------+
//| The volume is the one of before, or an order has filled more     |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsSettling(const ulong ticket,const double volume) const
  {
   for(int i=0; i<ArraySize(m_attempts); i++)
      if(m_attempts[i].action==COPIER_ACTION_CLOSE && m_attempts[i].ticket==ticket && (m_attempts[i].unknown_until>GetTickCount64() || IsUnshown(m_attempts[i])) &&
         m_attempts[i].volume-volume<0.00000001)
         return(true);
   return(false);
  }
//+------------------------------------------------------------------+
//| Of a part that isn't told there is one step at least             |
//+------------------------------------------------------------------+
double CCopierExecutor::Filled(const CopierAction &action) const
  {
   if(m_volume>0)
      return(m_volume);
   return(m_retcode==TRADE_RETCODE_DONE_PARTIAL ? SymbolInfoDouble(action.symbol,SYMBOL_VOLUME_STEP) : action.volume);
  }
//+------------------------------------------------------------------+
//| Sends it                                                         |
//+------------------------------------------------------------------+
void CCopierExecutor::Execute(const CopierAction &action,const double held_volume,const string comment,const ulong deviation)
  {
   MqlTradeRequest request;
   MqlTradeResult  result;
   int             i=FindOrAdd(action);
   long            sent_msc=SentMsc();
   ZeroMemory(request);
   ZeroMemory(result);
   CopierVariant variant=m_attempts[i].variant;
   if(IsAddition(action,held_volume))
      variant.no_stops=false;
   CCopierRequests::Fill(action,m_magic,variant,comment,deviation,request);
   m_quote=request.price;
   m_sent_us=GetMicrosecondCount();
   bool sent=OrderSend(request,result);
   m_answered_us=GetMicrosecondCount();
   m_retcode=result.retcode;
   m_price=result.price;
   m_volume=result.volume;
   m_order=result.order;
   m_deal=result.deal;
   m_outcome=(CCopierRequests::IsPending(action) ? CCopierRetcodes::OfPending(result.retcode,action.action==COPIER_ACTION_PLACE) :
              CCopierRetcodes::Outcome(result.retcode));
   if(CCopierRequests::IsPending(action))
      m_price=0;
//--- what is new and has no number can't be told from what failed
   if(m_outcome==COPIER_OUTCOME_DONE && IsNew(action) &&
      (!sent || result.order==0 || (action.id==COPIER_NET && result.deal==0)))
      m_outcome=COPIER_OUTCOME_UNCERTAIN;
   Remember(action,m_attempts[i],held_volume,sent_msc);
  }
//+------------------------------------------------------------------+
//| A close that would take off more if it were sent twice: in       |
//| netting all of it twice is a turn                                |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsPart(const CopierAction &action,const double held_volume)
  {
   return(action.action==COPIER_ACTION_CLOSE && (action.id==COPIER_NET || action.volume<held_volume-0.00000001));
  }
//+------------------------------------------------------------------+
//| In netting the stops of the last order are those of the position:|
//| one without any would take them away                             |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsAddition(const CopierAction &action,const double held_volume)
  {
   return(action.action==COPIER_ACTION_OPEN && action.id==COPIER_NET && held_volume>0);
  }
//+------------------------------------------------------------------+
//| Its time begins anew                                             |
//+------------------------------------------------------------------+
void CCopierExecutor::Pause(void)
  {
   ulong until=GetTickCount64()+COPIER_UNCERTAIN_MS;
   Prolong();
   for(int i=0; i<ArraySize(m_attempts); i++)
     {
      if(m_attempts[i].unknown_until<=GetTickCount64())
         continue;
      m_attempts[i].unknown_until=until;
      m_attempts[i].deal_until=until;
      if(m_attempts[i].is_part)
         m_attempts[i].next=until;
     }
  }
//+------------------------------------------------------------------+
//| What a change leads to                                           |
//+------------------------------------------------------------------+
string CCopierExecutor::Target(const CopierAction &action)
  {
   return(StringFormat("%.8f %.8f %.8f %.8f %d %I64d",action.sl,action.tp,action.price,action.limit_price,(int)action.expiry,action.expires_msc));
  }
//+------------------------------------------------------------------+
//| When the same may be sent again                                  |
//+------------------------------------------------------------------+
void CCopierExecutor::Remember(const CopierAction &action,CopierAttempt &attempt,const double held_volume,const long sent_msc)
  {
   ulong now=GetTickCount64();
   if(attempt.is_of_target && attempt.target!=Target(action))
      attempt.count=0;
   int   shift=MathMin(attempt.count,6);
   ulong soon=(ulong)(250*(1<<shift));
   ulong wait=(ulong)m_wait_ms;
   bool  is_unshown=(m_outcome==COPIER_OUTCOME_UNCERTAIN || (m_outcome==COPIER_OUTCOME_DONE && m_deal==0));
   attempt.is_buy=action.is_buy;
   attempt.volume=held_volume;
   attempt.target=Target(action);
   attempt.is_of_target=(!IsNew(action) && (m_outcome==COPIER_OUTCOME_DONE || m_outcome==COPIER_OUTCOME_NO_STOPS));
   attempt.deal=(action.action==COPIER_ACTION_CLOSE && m_outcome==COPIER_OUTCOME_DONE ? m_deal : 0);
   attempt.deal_until=now+COPIER_UNSHOWN_MS;
   attempt.allowed=(m_outcome==COPIER_OUTCOME_WAIT || m_outcome==COPIER_OUTCOME_REFUSED ? CCopierAccount::Allows(action.symbol) : -1);
   attempt.unknown_until=(m_outcome==COPIER_OUTCOME_UNCERTAIN ? now+COPIER_UNCERTAIN_MS :
                          (m_outcome==COPIER_OUTCOME_DONE ? now+COPIER_SETTLE_MS : 0));
   attempt.count=(m_outcome==COPIER_OUTCOME_DONE ? 0 : attempt.count+1);
   switch(m_outcome)
     {
      case COPIER_OUTCOME_DONE:
         attempt.next=now+COPIER_SETTLE_MS;
         attempt.variant.no_stops=false;
         break;
      case COPIER_OUTCOME_RETRY:
         //--- in a fast market requotes come in a row
         attempt.next=now+(CCopierRetcodes::IsPrice(m_retcode) ? MathMin(soon,(ulong)COPIER_REQUOTE_MS) : soon);
         break;
      case COPIER_OUTCOME_OTHER_FILLING:
         attempt.variant.filling++;
         attempt.next=now+(attempt.variant.filling%3==0 ? wait : 0);
         break;
      case COPIER_OUTCOME_NO_STOPS:
         //--- a position without its stops is a risk: they may fit as soon as the price has moved
         if(!IsNew(action) || IsAddition(action,held_volume))
           {
            attempt.next=now+MathMin(soon,wait);
            break;
           }
         attempt.next=now+(attempt.variant.no_stops ? wait : 0);
         attempt.variant.no_stops=true;
         break;
      case COPIER_OUTCOME_UNCERTAIN:
         attempt.next=now+(IsNew(action) ? COPIER_UNCERTAIN_MS : COPIER_SETTLE_MS);
         break;
      case COPIER_OUTCOME_WAIT:
         attempt.next=now+wait;
         break;
      case COPIER_OUTCOME_REFUSED:
      case COPIER_OUTCOME_STOP:
         //--- what the master has closed is a risk while it is held here
         attempt.next=now+(action.action==COPIER_ACTION_CLOSE || action.action==COPIER_ACTION_DELETE ? MathMin(soon,wait) : wait);
         break;
     }
   attempt.whole_next=attempt.next;
//--- only the volume will tell whether it was done
   attempt.is_part=(is_unshown && IsPart(action,held_volume));
   if(attempt.is_part)
     {
      attempt.next=now+COPIER_UNCERTAIN_MS;
      attempt.unknown_until=attempt.next;
     }
   if(!IsNew(action))
      return;
   Forget(action);
   if(m_outcome==COPIER_OUTCOME_UNCERTAIN)
      Note(action,held_volume,sent_msc);
  }
#endif
//+------------------------------------------------------------------+
