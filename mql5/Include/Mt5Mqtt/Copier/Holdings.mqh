//+------------------------------------------------------------------+
//|                                                     Holdings.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_HOLDINGS_MQH
#define MT5MQTT_COPIER_HOLDINGS_MQH
#include "Peer.mqh"
#include "Store.mqh"
//+------------------------------------------------------------------+
//| Class CCopierHoldings.                                           |
//| Appointment: what a follower's account holds of a master, as the |
//|              terminal shows it, and the symbols that it needs.   |
//|                                                                  |
//| A copy is known by the file, else by its comment, else it is one |
//| whose order's answer was lost.                                   |
//+------------------------------------------------------------------+
class CCopierHoldings : public CCopierPeer
  {
protected:
   CopierRules       m_rules;
   CCopierPlan       m_plan;
   CCopierStore      m_store;
   CopierState       m_state;
   CopierSymbol      m_symbols[];          // of the broker
   int               m_all_symbols;        // the custom ones, too, when they were listed
   CopierHeld        m_held[];
   CopierHeldOrder   m_orders[];
   ulong             m_unknown;            // a position with the magic number of copies that is none of those known, 0 = none
   ulong             m_unknown_order;      // likewise, a pending order

public:
                     CCopierHoldings(void) : m_all_symbols(0),m_unknown(0),m_unknown_order(0) { }

protected:
   bool              ReadOrders(void);
   bool              ReadHeld(void);
   void              ReadSymbols(void);
   double            HeldVolume(const CopierAction &action) const;
   string            Foreign(void) const;

private:
   bool              ReadEnded(void);
   void              SortHeld(void);
   bool              IsShown(void);
   long              IdByComment(const string comment) const;
   void              ReadSymbol(const string master,string &read[]);
  };
//+------------------------------------------------------------------+
//| The pending copies of this master. False while the terminal shows|
//| an order and not what it has filled, or the reverse              |
//+------------------------------------------------------------------+
bool CCopierHoldings::ReadOrders(void)
  {
   CCopierIds shown;
   ulong      tickets[];
   long       identifiers[];
   double     filled[];
   int        total=OrdersTotal();
   int        count=0;
   ArrayResize(tickets,total);
   ArrayResize(identifiers,total);
   ArrayResize(filled,total);
   ArrayResize(m_orders,total);
   m_unknown_order=0;
   for(int i=0; i<total; i++)
     {
      CopierOrder order;
      ulong       ticket=0;
      bool        is_pending=CCopierOrders::Select(i,ticket);
      tickets[i]=ticket;
      if(!is_pending)
        {
         if(ticket==0)
            return(false);
         continue;
        }
      if(OrderGetInteger(ORDER_MAGIC)!=m_executor.Magic())
         continue;
      //--- as of positions
      if(!m_is_current && m_store.OrderId(ticket)==0)
         continue;
      CCopierOrders::Read(order);
      filled[count]=CCopierOrders::Filled();
      identifiers[count]=CCopierOrders::PositionId();
      long id=m_store.OrderId(ticket);
      long adopted=0;
      if(id==0)
         id=IdByComment(order.comment);
      //--- an unknown number may be what is left of a comment that was cut
      if(m_store.OrderId(ticket)==0 && m_plan.FindLink(id)<0)
        {
         adopted=m_executor.AdoptOrder(order,NormalizeDouble(order.volume+filled[count],8),OrderGetInteger(ORDER_TIME_SETUP_MSC));
         id=(adopted!=0 ? adopted : id);
        }
      if(id==0)
        {
         m_unknown_order=ticket;
         continue;
        }
      if(m_store.AddOrder(ticket,id) && adopted==0)
         m_executor.Seen(id);
      m_orders[count].ticket=ticket;
      m_orders[count].id=id;
      m_orders[count].symbol=order.symbol;
      m_orders[count].is_buy=order.is_buy;
      m_orders[count].kind=order.kind;
      m_orders[count].volume=order.volume;
      m_orders[count].price=order.price;
      m_orders[count].limit_price=order.limit_price;
      m_orders[count].sl=order.sl;
      m_orders[count].tp=order.tp;
      m_orders[count].expiry=order.expiry;
      m_orders[count].expires_msc=order.expires_msc;
      count++;
     }
   ArrayResize(m_orders,count);
//--- most have filled nothing, and have no position
   if(!CCopierAccount::Shown(shown))
      return(false);
   for(int i=0; i<count; i++)
     {
      if((filled[i]>0 || shown.Has(identifiers[i])) && !CCopierOrders::IsShown(m_orders[i].ticket,identifiers[i],filled[i]))
         return(Keep("waiting until the terminal shows what has filled of the order "+IntegerToString((long)m_orders[i].ticket)));
      if(filled[i]>0)
         m_store.AddCopy(identifiers[i],m_orders[i].id);
     }
   return(CCopierOrders::Lists(tickets) && ReadEnded());
  }
//+------------------------------------------------------------------+
//| What became of those that are pending no longer                  |
//+------------------------------------------------------------------+
bool CCopierHoldings::ReadEnded(void)
  {
   for(int i=m_store.Placed()-1; i>=0; i--)
     {
      ulong ticket=m_store.PlacedTicket(i);
      long  id=m_store.PlacedId(i);
      long  identifier=0;
      bool  is_pending=false;
      for(int k=0; k<ArraySize(m_orders) && !is_pending; k++)
         is_pending=(m_orders[k].ticket==ticket);
      if(is_pending)
         continue;
      ENUM_COPIER_END end=CCopierOrders::End(ticket,identifier);
      if(end==COPIER_END_UNSHOWN)
         return(Keep("waiting until the terminal shows what became of the order "+IntegerToString((long)ticket)));
      if(end==COPIER_END_EXPIRED)
         m_plan.Unplaced(id,HistoryOrderGetDouble(ticket,ORDER_VOLUME_CURRENT));
      if(identifier!=0)
         m_store.AddCopy(identifier,id);
      m_store.RemoveOrder(i);
     }
   return(true);
  }
//+------------------------------------------------------------------+
//| The copies of this master. False while the terminal doesn't show |
//| what it must: a copy that is neither there nor closed by a deal  |
//+------------------------------------------------------------------+
bool CCopierHoldings::ReadHeld(void)
  {
   long  identifiers[];
   ulong tickets[];
   int   total=PositionsTotal();
   int   count=0;
   if(!IsShown())
      return(false);
   ArrayResize(tickets,total);
   for(int i=0; i<total; i++)
      tickets[i]=PositionGetTicket(i);
   ArrayResize(m_held,total);
   ArrayResize(identifiers,total);
   m_unknown=0;
   for(int i=0; i<total; i++)
     {
      ulong ticket=PositionGetTicket(i);
      if(ticket==0 || ticket!=tickets[i])
         return(false);
      bool is_ours=(PositionGetInteger(POSITION_MAGIC)==m_executor.Magic());
      if(!is_ours && !m_rules.netting)
         continue;
      long   identifier=PositionGetInteger(POSITION_IDENTIFIER);
      string symbol=PositionGetString(POSITION_SYMBOL);
      bool   is_buy=(PositionGetInteger(POSITION_TYPE)==POSITION_TYPE_BUY);
      double volume=PositionGetDouble(POSITION_VOLUME);
      long   id=(is_ours ? m_store.MasterId(identifier) : 0);
      //--- of what another terminal has copied meanwhile an old state knows nothing
      if(id==0 && !m_is_current && !m_rules.netting)
         continue;
      //--- its first deal was made, and the terminal killed before that was in the file
      if(id==0 && is_ours && m_rules.netting && m_plan.HasNet(symbol))
         id=COPIER_NET;
      if(id==0 && is_ours)
         id=IdByComment(PositionGetString(POSITION_COMMENT));
      if(id>0 && m_store.MasterId(identifier)==0 && m_plan.FindLink(id)>=0)
         m_executor.Seen(id);
      //--- an unknown number may be what is left of a comment that was cut
      if(is_ours && id!=COPIER_NET && m_store.MasterId(identifier)==0 && m_plan.FindLink(id)<0)
        {
         long adopted=m_executor.Adopt(symbol,is_buy,volume,PositionGetInteger(POSITION_TIME_MSC));
         id=(adopted!=0 ? adopted : id);
        }
      if(id==0 && !m_rules.netting)
        {
         m_unknown=ticket;
         continue;
        }
      if(id!=0)
         m_store.AddCopy(identifier,id);
      identifiers[count]=(id!=0 ? identifier : 0);
      m_held[count].ticket=ticket;
      m_held[count].id=id;
      m_held[count].symbol=symbol;
      m_held[count].is_buy=is_buy;
      m_held[count].volume=volume;
      m_held[count].sl=PositionGetDouble(POSITION_SL);
      m_held[count].tp=PositionGetDouble(POSITION_TP);
      m_held[count].opened_msc=PositionGetInteger(POSITION_TIME_MSC);
      m_held[count].is_settling=m_executor.IsSettling(m_held[count].ticket,volume);
      count++;
     }
   ArrayResize(m_held,count);
   ArrayResize(identifiers,count);
   if(!CCopierAccount::Lists(tickets))
      return(false);
   SortHeld();
   for(int i=0; i<m_store.Copies(); i++)
     {
      bool is_there=false;
      for(int j=0; j<count && !is_there; j++)
         is_there=(identifiers[j]==m_store.Identifier(i));
      //--- in netting it may be another's by now
      is_there=(is_there || CCopierOrders::Volume(m_store.Identifier(i))>0);
      if(!is_there && !CCopierAccount::IsClosed(m_store.Identifier(i)) && !CCopierOrders::IsUnfilled((ulong)m_store.Identifier(i)))
         return(Keep("waiting until the terminal shows the copy "+IntegerToString(m_store.Identifier(i))));
     }
   m_store.KeepOnly(identifiers);
   return(true);
  }
//+------------------------------------------------------------------+
//| The older ones first; a terminal lists them so as a rule         |
//+------------------------------------------------------------------+
void CCopierHoldings::SortHeld(void)
  {
   for(int i=1; i<ArraySize(m_held); i++)
     {
      CopierHeld held=m_held[i];
      int        place=i;
      for(; place>0 && m_held[place-1].opened_msc>held.opened_msc; place--)
         m_held[place]=m_held[place-1];
      m_held[place]=held;
     }
  }
//+------------------------------------------------------------------+
//| Does the terminal show all that was done? In netting a deal may  |
//| have added to a position, so its ticket tells nothing            |
//+------------------------------------------------------------------+
bool CCopierHoldings::IsShown(void)
  {
   for(int i=m_store.Awaited()-1; i>=0; i--)
     {
      if(!HistoryDealSelect(m_store.AwaitedDeal(i)))
         return(Keep("waiting until the terminal shows the deal "+IntegerToString((long)m_store.AwaitedDeal(i))));
      long identifier=HistoryDealGetInteger(m_store.AwaitedDeal(i),DEAL_POSITION_ID);
      if(identifier!=0)
         m_store.AddCopy(identifier,COPIER_NET);
      m_store.Shown(i);
     }
   return(true);
  }
//+------------------------------------------------------------------+
//| A position that is in the way, or left alone though it looks like|
//| a copy, "" if there is none                                      |
//+------------------------------------------------------------------+
string CCopierHoldings::Foreign(void) const
  {
   ulong unknown=(m_unknown!=0 ? m_unknown : m_unknown_order);
   if(unknown!=0)
      return("nobody knows of which position or order "+IntegerToString((long)unknown)+" is the copy, though it has the magic number of one: it is left alone, so close it yourself");
   for(int i=0; i<ArraySize(m_held) && m_rules.netting; i++)
      for(int k=0; k<m_plan.Links(); k++)
        {
         CopierLink link;
         m_plan.Link(k,link);
         if(link.state==COPIER_LINK_OPEN && CCopierNet::IsForeign(link.symbol,m_held))
            return("this account has a position in "+link.symbol+" that is not the copier's: nothing is copied in it");
        }
   return("");
  }
//+------------------------------------------------------------------+
//| mq:name:id                                                       |
//+------------------------------------------------------------------+
long CCopierHoldings::IdByComment(const string comment) const
  {
   string parts[];
   if(StringSplit(comment,':',parts)!=3 || parts[0]!="mq" || parts[1]!=m_master)
      return(0);
   return(StringToInteger(parts[2]));
  }
//+------------------------------------------------------------------+
//| Fresh figures of the symbols that matter; brokers add some, and a|
//| terminal that has just started has them all only after a while   |
//+------------------------------------------------------------------+
void CCopierHoldings::ReadSymbols(void)
  {
   int count=SymbolsTotal(false);
   if(count!=m_all_symbols)
     {
      int brokers=0;
      ArrayResize(m_symbols,count);
      for(int i=0; i<count; i++)
        {
         //--- in a custom one, as CustomSymbolFeed makes them, nothing can be traded
         string name=SymbolName(i,false);
         if(SymbolInfoInteger(name,SYMBOL_CUSTOM)!=0)
            continue;
         CCopierAccount::Symbol(name,m_symbols[brokers]);
         brokers++;
        }
      ArrayResize(m_symbols,brokers);
      m_all_symbols=count;
     }
   string read[];
   for(int i=0; i<ArraySize(m_state.positions); i++)
      ReadSymbol(m_state.positions[i].symbol,read);
   for(int i=0; i<ArraySize(m_state.orders) && m_rules.pendings; i++)
      ReadSymbol(m_state.orders[i].symbol,read);
  }
//+------------------------------------------------------------------+
//| The one that stands for a symbol of the master, once in a look:  |
//| brokers have thousands                                           |
//+------------------------------------------------------------------+
void CCopierHoldings::ReadSymbol(const string master,string &read[])
  {
   int count=ArraySize(read);
   for(int i=0; i<count; i++)
      if(read[i]==master)
         return;
   ArrayResize(read,count+1,16);
   read[count]=master;
   int symbol=CCopierSymbols::Of(m_rules,master,m_symbols);
   if(symbol<0)
      return;
   SymbolSelect(m_symbols[symbol].name,true);
   CCopierAccount::Symbol(m_symbols[symbol].name,m_symbols[symbol]);
   m_symbols[symbol].is_uncertain=m_executor.IsUncertain(m_symbols[symbol].name);
  }
//+------------------------------------------------------------------+
//| Volume of the copy that an action changes                        |
//+------------------------------------------------------------------+
double CCopierHoldings::HeldVolume(const CopierAction &action) const
  {
   for(int i=0; i<ArraySize(m_held); i++)
      if(action.id==COPIER_NET ? m_held[i].symbol==action.symbol : m_held[i].ticket==action.ticket)
         return(m_held[i].volume);
   for(int i=0; i<ArraySize(m_orders); i++)
      if(m_orders[i].ticket==action.ticket)
         return(m_orders[i].volume);
   return(0);
  }
#endif
//+------------------------------------------------------------------+
