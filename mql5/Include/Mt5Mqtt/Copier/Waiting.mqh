//+------------------------------------------------------------------+
//|                                                      Waiting.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_WAITING_MQH
#define MT5MQTT_COPIER_WAITING_MQH
#include "Account.mqh"
//--- how long a state waits for the terminal to show what became of
//--- an order, in ms
#define COPIER_WAITING_MS 10000
//+------------------------------------------------------------------+
//| Class CCopierWaiting.                                            |
//| Appointment: a master's pending orders for its state. Between an |
//|              order and its position nothing may be missing: a    |
//|              follower would close what is only on its way.       |
//+------------------------------------------------------------------+
class CCopierWaiting
  {
private:
   ulong             m_tickets[];          // that were pending at the last look
   ulong             m_until;              // GetTickCount64() from which on a gap is believed, 0 = there is none

public:
                     CCopierWaiting(void) : m_until(0) { }
   //--- orders and positions of one moment; false if they don't agree yet
   bool              State(CCopierRelay &relay,CopierState &state);

private:
   bool              Read(CCopierRelay &relay,CopierState &state,ulong &tickets[],bool &agrees);
   bool              AllEnded(const ulong &tickets[]) const;
  };
//+------------------------------------------------------------------+
//| Orders come first: one that fills meanwhile is in both           |
//+------------------------------------------------------------------+
bool CCopierWaiting::State(CCopierRelay &relay,CopierState &state)
  {
   ulong tickets[];
   bool  agrees=true;
   if(!Read(relay,state,tickets,agrees) || !CCopierAccount::State(relay,state))
      return(false);
   //--- in netting an order makes no position of its own
   if(state.is_netting || (agrees && AllEnded(tickets)))
      m_until=0;
   else
     {
      ulong now=GetTickCount64();
      if(m_until==0)
         m_until=now+COPIER_WAITING_MS;
      if(now<m_until)
         return(false);
     }
   int count=ArraySize(tickets);
   ArrayResize(m_tickets,count);
   for(int i=0; i<count; i++)
      m_tickets[i]=tickets[i];
   return(true);
  }
//+------------------------------------------------------------------+
//| Copies only if they are relayed, as of positions                 |
//+------------------------------------------------------------------+
bool CCopierWaiting::Read(CCopierRelay &relay,CopierState &state,ulong &tickets[],bool &agrees)
  {
   int total=OrdersTotal();
   int count=0;
   ArrayResize(tickets,total);
   ArrayResize(state.orders,total);
   for(int i=0; i<total; i++)
     {
      ulong ticket=0;
      if(!CCopierOrders::Select(i,ticket))
        {
         if(ticket==0)
            return(false);
         continue;
        }
      string via="";
      if(CCopierOrigin::IsCopy(OrderGetInteger(ORDER_MAGIC)) && !relay.Via((long)ticket,via))
         continue;
      CCopierOrders::Read(state.orders[count]);
      state.orders[count].via=via;
      long   identifier=CCopierOrders::PositionId();
      double filled=CCopierOrders::Filled();
      if(!CCopierOrders::IsShown(ticket,identifier,filled))
         agrees=false;
      tickets[count]=ticket;
      count++;
     }
   ArrayResize(tickets,count);
   ArrayResize(state.orders,count);
   return(OrdersTotal()==total);
  }
//+------------------------------------------------------------------+
//| Is it known what became of those that are pending no longer?     |
//+------------------------------------------------------------------+
bool CCopierWaiting::AllEnded(const ulong &tickets[]) const
  {
   for(int i=0; i<ArraySize(m_tickets); i++)
     {
      bool is_pending=false;
      long identifier=0;
      for(int k=0; k<ArraySize(tickets) && !is_pending; k++)
         is_pending=(tickets[k]==m_tickets[i]);
      if(!is_pending && CCopierOrders::End(m_tickets[i],identifier)==COPIER_END_UNSHOWN)
         return(false);
     }
   return(true);
  }
#endif
//+------------------------------------------------------------------+
