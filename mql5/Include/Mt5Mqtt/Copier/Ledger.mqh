//+------------------------------------------------------------------+
//|                                                       Ledger.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_LEDGER_MQH
#define MT5MQTT_COPIER_LEDGER_MQH
#include "Links.mqh"
//+------------------------------------------------------------------+
//| Class CCopierLedger.                                             |
//| Appointment: what was decided of one master's positions and      |
//|              orders, and what came of it: all that a follower    |
//|              has to know after a restart.                        |
//+------------------------------------------------------------------+
class CCopierLedger
  {
protected:
   CopierLink        m_links[];
   CopierNet         m_nets[];             // of a netting follower
   CopierCarry       m_carries[];
   CopierGuard       m_guard;

public:
                     CCopierLedger(void)                              { Clear(); }
   //--- to be kept in a file and given back after a restart
   int               Links(void) const                                { return(ArraySize(m_links)); }
   void              Link(const int index,CopierLink &link) const     { link=m_links[index];        }
   void              AddLink(const CopierLink &link);
   int               Nets(void) const                                 { return(ArraySize(m_nets));  }
   void              Net(const int index,CopierNet &net) const        { net=m_nets[index];          }
   void              AddNet(const CopierNet &net);
   //--- was anything decided in that symbol?
   bool              HasNet(const string symbol) const;
   int               Carries(void) const                              { return(ArraySize(m_carries)); }
   void              Carry(const int index,CopierCarry &carry) const  { carry=m_carries[index];     }
   int               AddCarry(const string symbol,const bool is_buy,const double volume);
   void              Guard(CopierGuard &guard) const                  { guard=m_guard;              }
   void              SetGuard(const CopierGuard &guard)               { m_guard=guard;              }
   void              Clear(void);
   //--- the trade server has refused to open it; for_good: it is not tried again
   void              Refuse(const long id,const string reason,const bool for_good);
   //--- no pending order is placed for it any more, or that volume of one has expired: the market takes its place
   void              Unplaced(const long id,const double expired);
   //--- it was opened or placed, though the account may not show it yet
   void              Opened(const CopierAction &action,const double volume);
   int               FindLink(const long id) const;

protected:
   void              Turn(const CopierState &state,const CopierRules &rules);
  };
//+------------------------------------------------------------------+
//| A link from the file                                             |
//+------------------------------------------------------------------+
void CCopierLedger::AddLink(const CopierLink &link)
  {
   int count=ArraySize(m_links);
   ArrayResize(m_links,count+1,64);
   m_links[count]=link;
  }
//+------------------------------------------------------------------+
//| What was reached, from the file                                  |
//+------------------------------------------------------------------+
void CCopierLedger::AddNet(const CopierNet &net)
  {
   int count=ArraySize(m_nets);
   ArrayResize(m_nets,count+1,16);
   m_nets[count]=net;
  }
//+------------------------------------------------------------------+
//| It is there before the first order is sent                       |
//+------------------------------------------------------------------+
bool CCopierLedger::HasNet(const string symbol) const
  {
   for(int i=0; i<ArraySize(m_nets); i++)
      if(m_nets[i].symbol==symbol)
         return(true);
   return(false);
  }
//+------------------------------------------------------------------+
//| Forgets everything, before the file is read                      |
//+------------------------------------------------------------------+
void CCopierLedger::Clear(void)
  {
   ArrayResize(m_links,0);
   ArrayResize(m_nets,0);
   ArrayResize(m_carries,0);
   m_guard.peak=0;
   m_guard.halted="";
   m_guard.is_resumed=false;
  }
//+------------------------------------------------------------------+
//| What is held of it already stays                                 |
//+------------------------------------------------------------------+
void CCopierLedger::Refuse(const long id,const string reason,const bool for_good)
  {
   int link=FindLink(id);
   if(link<0 || m_links[link].reached>0)
      return;
   if(for_good)
      m_links[link].state=COPIER_LINK_IGNORED;
   m_links[link].reason=reason;
  }
//+------------------------------------------------------------------+
//| The position is copied as if the order had never been pending    |
//| here; what it has filled stays                                   |
//+------------------------------------------------------------------+
void CCopierLedger::Unplaced(const long id,const double expired)
  {
   int link=FindLink(id);
   if(link<0 || m_links[link].pending!=COPIER_PENDING_WANTED)
      return;
   m_links[link].pending=COPIER_PENDING_OVER;
   m_links[link].reached=MathMax(0.0,NormalizeDouble(m_links[link].reached-expired,8));
  }
//+------------------------------------------------------------------+
//| What vanishes from now on was closed, and is not opened again    |
//+------------------------------------------------------------------+
void CCopierLedger::Opened(const CopierAction &action,const double volume)
  {
   for(int i=0; i<ArraySize(m_nets) && action.id==COPIER_NET; i++)
      if(m_nets[i].symbol==action.symbol)
         m_nets[i].reached=NormalizeDouble(m_nets[i].reached+(action.is_buy ? volume : -volume),8);
   int link=FindLink(action.id);
   if(link>=0)
      m_links[link].reached=NormalizeDouble(m_links[link].reached+volume,8);
  }
//+------------------------------------------------------------------+
//| The link of a position of the master, -1 if there is none        |
//+------------------------------------------------------------------+
int CCopierLedger::FindLink(const long id) const
  {
   for(int i=0; i<ArraySize(m_links); i++)
      if(m_links[i].id==id)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| A netting master has turned, and the identifier stays: the side  |
//| that isn't copied would come by that                             |
//+------------------------------------------------------------------+
void CCopierLedger::Turn(const CopierState &state,const CopierRules &rules)
  {
   for(int i=0; i<ArraySize(state.positions); i++)
     {
      int link=FindLink(state.positions[i].id);
      if(link<0)
         continue;
      int side=(state.positions[i].is_buy ? 1 : -1);
      if(m_links[link].side==-side && m_links[link].state==COPIER_LINK_OPEN && !CCopierRules::IsSide(rules,state.positions[i].is_buy))
        {
         m_links[link].state=COPIER_LINK_HALTED;
         m_links[link].reason="turned by the master to a side that is not copied";
        }
      m_links[link].side=side;
     }
  }
//+------------------------------------------------------------------+
//| Of one symbol and side: lots of another are another thing, and   |
//| what a buy lacks no sell makes up for                            |
//+------------------------------------------------------------------+
int CCopierLedger::AddCarry(const string symbol,const bool is_buy,const double volume)
  {
   int count=ArraySize(m_carries);
   for(int i=0; i<count; i++)
      if(m_carries[i].symbol==symbol && m_carries[i].is_buy==is_buy)
         return(i);
   ArrayResize(m_carries,count+1,16);
   m_carries[count].symbol=symbol;
   m_carries[count].is_buy=is_buy;
   m_carries[count].volume=volume;
   return(count);
  }
#endif
//+------------------------------------------------------------------+
