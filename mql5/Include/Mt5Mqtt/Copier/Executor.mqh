//+------------------------------------------------------------------+
//|                                                     Executor.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_EXECUTOR_MQH
#define MT5MQTT_COPIER_EXECUTOR_MQH
#include "Account.mqh"
#include "Plan.mqh"
#include "Retcodes.mqh"
#include "..\Internal\Trade.mqh"
//--- how long the terminal may take to show what was done, in ms
#define COPIER_SETTLE_MS 3000
//--- how long an order may take whose answer was lost, in ms
#define COPIER_UNCERTAIN_MS 15000
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
   ulong             next;                 // GetTickCount64() from which on it may be tried
   double            volume;               // of the ticket when it was sent: another one ends the wait
   int               count;                // failures in a row
   ulong             unknown_until;        // GetTickCount64() until which its effect may still show
   int               filling;              // fillings that were refused
   bool              no_stops;
   string            target;               // what it was to become: another one ends the wait after a success
   int               allowed;              // what the symbol allowed when it was refused: a change ends the wait; -1 = of no matter
  };
//+------------------------------------------------------------------+
//| Class CCopierExecutor.                                           |
//| Appointment: sends one action, and says when the same may be     |
//|              sent again. An action whose effect isn't visible    |
//|              yet is not sent a second time.                      |
//+------------------------------------------------------------------+
class CCopierExecutor
  {
private:
   CopierAttempt     m_attempts[];
   CopierUncertain   m_uncertain[];
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
   //--- was a reduction of this position sent that may still show?
   bool              IsSettling(const ulong ticket,const double volume) const;
   void              Execute(const CopierAction &action,const double held_volume,const string comment,const ulong deviation);
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

private:
   int               Find(const CopierAction &action) const;
   int               FindOrAdd(const CopierAction &action);
   int               Uncertain(const CopierAction &action);
   void              Expire(void);
   void              Note(const CopierAction &action,const double held_volume,const long sent_msc);
   //--- not later than the trade server's clock; TimeTradeServer() is as fast as the computer's
   static long       SentMsc(void)                            { return((long)TimeCurrent()*1000);        }
   static bool       IsPending(const CopierAction &action);
   static string     Target(const CopierAction &action);
   void              RequestPending(const CopierAction &action,const CopierAttempt &attempt,const string comment,MqlTradeRequest &request) const;
   void              Request(const CopierAction &action,const CopierAttempt &attempt,const string comment,
                             const ulong deviation,MqlTradeRequest &request) const;
   ENUM_ORDER_TYPE_FILLING Filling(const string symbol,const int refused) const;
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
   m_attempts[i].next=0;
   m_attempts[i].volume=0;
   m_attempts[i].count=0;
   m_attempts[i].unknown_until=0;
   m_attempts[i].filling=0;
   m_attempts[i].no_stops=false;
   m_attempts[i].target="";
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
//| The same open on its way of which nobody knows, -1 if there is   |
//| none                                                             |
//+------------------------------------------------------------------+
int CCopierExecutor::Uncertain(const CopierAction &action)
  {
   Expire();
   for(int i=0; i<ArraySize(m_uncertain); i++)
      if(m_uncertain[i].id==action.id && m_uncertain[i].symbol==action.symbol)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| What would have shown by now                                     |
//+------------------------------------------------------------------+
void CCopierExecutor::Expire(void)
  {
   for(int i=ArraySize(m_uncertain)-1; i>=0; i--)
      if(m_uncertain[i].until<=GetTickCount64())
         ArrayRemove(m_uncertain,i,1);
  }
//+------------------------------------------------------------------+
//| Of any of its positions                                          |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsUncertain(const string symbol)
  {
   Expire();
   for(int i=0; i<ArraySize(m_uncertain); i++)
      if(m_uncertain[i].symbol==symbol && !m_uncertain[i].is_pending)
         return(true);
   return(false);
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
   if(i<0 || GetTickCount64()>=m_attempts[i].next)
      return(true);
   if(m_attempts[i].allowed>=0 && CCopierAccount::Allows(action.symbol)!=m_attempts[i].allowed)
      return(true);
   if(action.action==COPIER_ACTION_STOPS || action.action==COPIER_ACTION_MODIFY)
      return(m_attempts[i].count==0 && m_attempts[i].target!=Target(action));
   return(is_visible && (action.action==COPIER_ACTION_CLOSE || action.id==COPIER_NET));
  }
//+------------------------------------------------------------------+
//| The volume is the one of before, or an order has filled more     |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsSettling(const ulong ticket,const double volume) const
  {
   for(int i=0; i<ArraySize(m_attempts); i++)
      if(m_attempts[i].action==COPIER_ACTION_CLOSE && m_attempts[i].ticket==ticket && m_attempts[i].unknown_until>GetTickCount64() &&
         m_attempts[i].volume-volume<0.00000001)
         return(true);
   return(false);
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
   Request(action,m_attempts[i],comment,deviation,request);
   m_quote=request.price;
   m_sent_us=GetMicrosecondCount();
   bool sent=OrderSend(request,result);
   m_answered_us=GetMicrosecondCount();
   m_retcode=result.retcode;
   m_price=result.price;
   m_volume=result.volume;
   m_order=result.order;
   m_deal=result.deal;
   m_outcome=(IsPending(action) ? CCopierRetcodes::OfPending(result.retcode,action.action==COPIER_ACTION_PLACE) :
              CCopierRetcodes::Outcome(result.retcode));
   if(IsPending(action))
      m_price=0;
//--- what is new and has no number can't be told from what failed
   if(m_outcome==COPIER_OUTCOME_DONE && IsNew(action) &&
      (!sent || result.order==0 || (action.id==COPIER_NET && result.deal==0)))
      m_outcome=COPIER_OUTCOME_UNCERTAIN;
   Remember(action,m_attempts[i],held_volume,sent_msc);
  }
//+------------------------------------------------------------------+
//| The request                                                      |
//+------------------------------------------------------------------+
void CCopierExecutor::Request(const CopierAction &action,const CopierAttempt &attempt,const string comment,
                              const ulong deviation,MqlTradeRequest &request) const
  {
   request.symbol=action.symbol;
   request.magic=(ulong)m_magic;
   if(IsPending(action))
     {
      RequestPending(action,attempt,comment,request);
      return;
     }
   request.position=action.ticket;
   if(action.action==COPIER_ACTION_STOPS)
     {
      request.action=TRADE_ACTION_SLTP;
      request.sl=CMqttTrade::Price(action.symbol,action.sl);
      request.tp=CMqttTrade::Price(action.symbol,action.tp);
      return;
     }
   bool is_buy=(action.is_buy==(action.action==COPIER_ACTION_OPEN));
   request.action=TRADE_ACTION_DEAL;
   request.volume=action.volume;
   request.type=(is_buy ? ORDER_TYPE_BUY : ORDER_TYPE_SELL);
   request.price=SymbolInfoDouble(action.symbol,is_buy ? SYMBOL_ASK : SYMBOL_BID);
   request.deviation=deviation;
   request.type_filling=Filling(action.symbol,attempt.filling);
   request.comment=comment;
   if(action.action==COPIER_ACTION_OPEN && !attempt.no_stops)
     {
      request.sl=CMqttTrade::Price(action.symbol,action.sl);
      request.tp=CMqttTrade::Price(action.symbol,action.tp);
     }
  }
//+------------------------------------------------------------------+
//| Place, change or delete                                          |
//+------------------------------------------------------------------+
void CCopierExecutor::RequestPending(const CopierAction &action,const CopierAttempt &attempt,const string comment,MqlTradeRequest &request) const
  {
   ENUM_ORDER_TYPE_TIME times[]={ORDER_TIME_GTC,ORDER_TIME_DAY,ORDER_TIME_SPECIFIED,ORDER_TIME_SPECIFIED_DAY};
   request.order=action.ticket;
   request.action=TRADE_ACTION_REMOVE;
   if(action.action==COPIER_ACTION_DELETE)
      return;
   request.action=TRADE_ACTION_MODIFY;
   request.price=CMqttTrade::Price(action.symbol,action.price);
   request.stoplimit=CMqttTrade::Price(action.symbol,action.limit_price);
   request.type_time=times[(int)action.expiry];
   if(action.expires_msc>0)
      request.expiration=CCopierOrders::FromGmt(action.expires_msc);
   if(action.action==COPIER_ACTION_MODIFY || !attempt.no_stops)
     {
      request.sl=CMqttTrade::Price(action.symbol,action.sl);
      request.tp=CMqttTrade::Price(action.symbol,action.tp);
     }
   if(action.action==COPIER_ACTION_MODIFY)
      return;
   request.action=TRADE_ACTION_PENDING;
   request.type=CCopierOrders::Type(action.is_buy,action.kind);
   request.volume=action.volume;
   request.type_filling=(ENUM_ORDER_TYPE_FILLING)(((int)ORDER_FILLING_RETURN+attempt.filling)%3);
   request.comment=comment;
  }
//+------------------------------------------------------------------+
//| Of a pending order                                               |
//+------------------------------------------------------------------+
bool CCopierExecutor::IsPending(const CopierAction &action)
  {
   return(action.action==COPIER_ACTION_PLACE || action.action==COPIER_ACTION_MODIFY || action.action==COPIER_ACTION_DELETE);
  }
//+------------------------------------------------------------------+
//| What a change leads to                                           |
//+------------------------------------------------------------------+
string CCopierExecutor::Target(const CopierAction &action)
  {
   return(StringFormat("%.8f %.8f %.8f %.8f %d %I64d",action.sl,action.tp,action.price,action.limit_price,(int)action.expiry,action.expires_msc));
  }
//+------------------------------------------------------------------+
//| The symbol's, then the others                                    |
//+------------------------------------------------------------------+
ENUM_ORDER_TYPE_FILLING CCopierExecutor::Filling(const string symbol,const int refused) const
  {
   ENUM_ORDER_TYPE_FILLING first=CMqttTrade::Filling(symbol);
   return((ENUM_ORDER_TYPE_FILLING)(((int)first+refused)%3));
  }
//+------------------------------------------------------------------+
//| When the same may be sent again                                  |
//+------------------------------------------------------------------+
void CCopierExecutor::Remember(const CopierAction &action,CopierAttempt &attempt,const double held_volume,const long sent_msc)
  {
   ulong now=GetTickCount64();
   int   shift=MathMin(attempt.count,6);
   ulong soon=(ulong)(250*(1<<shift));
   ulong wait=(ulong)m_wait_ms;
   attempt.volume=held_volume;
   attempt.target=Target(action);
   attempt.allowed=(m_outcome==COPIER_OUTCOME_WAIT || m_outcome==COPIER_OUTCOME_REFUSED ? CCopierAccount::Allows(action.symbol) : -1);
   attempt.unknown_until=(m_outcome==COPIER_OUTCOME_UNCERTAIN ? now+COPIER_UNCERTAIN_MS :
                          (m_outcome==COPIER_OUTCOME_DONE ? now+COPIER_SETTLE_MS : 0));
   attempt.count=(m_outcome==COPIER_OUTCOME_DONE ? 0 : attempt.count+1);
   switch(m_outcome)
     {
      case COPIER_OUTCOME_DONE:
         attempt.next=now+COPIER_SETTLE_MS;
         break;
      case COPIER_OUTCOME_RETRY:
         //--- in a fast market requotes come in a row
         attempt.next=now+(CCopierRetcodes::IsPrice(m_retcode) ? MathMin(soon,(ulong)COPIER_REQUOTE_MS) : soon);
         break;
      case COPIER_OUTCOME_OTHER_FILLING:
         attempt.filling++;
         attempt.next=now+(attempt.filling%3==0 ? wait : 0);
         break;
      case COPIER_OUTCOME_NO_STOPS:
         //--- a position without its stops is a risk: they may fit as soon as the price has moved
         attempt.next=now+(!IsNew(action) ? MathMin(soon,wait) : (attempt.no_stops ? wait : 0));
         attempt.no_stops=true;
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
   if(!IsNew(action))
      return;
   Forget(action);
   if(m_outcome==COPIER_OUTCOME_UNCERTAIN)
      Note(action,held_volume,sent_msc);
  }
//+------------------------------------------------------------------+
//| It is about to be sent                                           |
//+------------------------------------------------------------------+
void CCopierExecutor::Expect(const CopierAction &action,const double held_volume)
  {
   Note(action,held_volume,SentMsc());
  }
//+------------------------------------------------------------------+
//| It may be on its way                                             |
//+------------------------------------------------------------------+
void CCopierExecutor::Note(const CopierAction &action,const double held_volume,const long sent_msc)
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
void CCopierExecutor::Restore(CopierUncertain &uncertain)
  {
   int count=ArraySize(m_uncertain);
   uncertain.until=GetTickCount64()+COPIER_UNCERTAIN_MS;
   ArrayResize(m_uncertain,count+1,16);
   m_uncertain[count]=uncertain;
  }
//+------------------------------------------------------------------+
//| Its answer is there                                              |
//+------------------------------------------------------------------+
void CCopierExecutor::Forget(const CopierAction &action)
  {
   for(int i=ArraySize(m_uncertain)-1; i>=0; i--)
      if(m_uncertain[i].id==action.id && m_uncertain[i].symbol==action.symbol)
         ArrayRemove(m_uncertain,i,1);
  }
//+------------------------------------------------------------------+
//| The broker has rewritten the comment, and the answer was lost    |
//+------------------------------------------------------------------+
long CCopierExecutor::Adopt(const string symbol,const bool is_buy,const double volume,const long opened_msc)
  {
   int found=-1;
   for(int i=0; i<ArraySize(m_uncertain); i++)
      if(m_uncertain[i].symbol==symbol && m_uncertain[i].is_buy==is_buy && opened_msc+1000>=m_uncertain[i].sent_msc &&
         MathAbs(m_uncertain[i].volume-volume)<0.00000001)
        {
         if(found>=0)
            return(0);
         found=i;
        }
   if(found<0)
      return(0);
   long id=m_uncertain[found].id;
   ArrayRemove(m_uncertain,found,1);
   return(id);
  }
//+------------------------------------------------------------------+
//| Likewise; side, kind, volume and price tell it                   |
//+------------------------------------------------------------------+
long CCopierExecutor::AdoptOrder(const CopierOrder &order,const double volume,const long placed_msc)
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
void CCopierExecutor::Seen(const long id)
  {
   for(int i=ArraySize(m_uncertain)-1; i>=0; i--)
      if(m_uncertain[i].id==id)
         ArrayRemove(m_uncertain,i,1);
  }
#endif
//+------------------------------------------------------------------+
