//+------------------------------------------------------------------+
//|                                                       Orders.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_ORDERS_MQH
#define MT5MQTT_COPIER_ORDERS_MQH
#include "Order.mqh"
//--- a clock is of another zone if it is off by more, in seconds
#define COPIER_ZONE_S 600
//+------------------------------------------------------------------+
//| What the terminal shows of an order that is pending no longer    |
//+------------------------------------------------------------------+
enum ENUM_COPIER_END
  {
   COPIER_END_UNSHOWN,                     // not all that became of it yet
   COPIER_END_EXPIRED,                     // by its time; what had filled before is shown
   COPIER_END_OTHER                        // filled, deleted or rejected
  };
//+------------------------------------------------------------------+
//| Class CCopierOrders.                                             |
//| Appointment: reads this terminal's pending orders. An order and  |
//|              the position that it fills into are shown at        |
//|              different moments: what is read is believed only    |
//|              when both agree with the deals.                     |
//+------------------------------------------------------------------+
class CCopierOrders
  {
public:
   //--- selects an order; false if it isn't a pending one at the broker
   static bool       Select(const int index,ulong &ticket);
   //--- does the terminal list these orders, and no other ones, in that order? As of positions
   static bool       Lists(const ulong &tickets[]);
   //--- a market order of that side that the trade server has not done with, 0 if there is none
   static ulong      UnderWay(const string symbol,const long magic,const bool is_buy);
   //--- the selected order, but for via
   static void       Read(CopierOrder &order);
   //--- of the selected order
   static double     Filled(void);
   static long       PositionId(void);
   //--- of an order that isn't among the pending ones; the position that it has made, 0 if none
   static ENUM_COPIER_END End(const ulong ticket,long &identifier);
   //--- has an order ended without a deal, whatever its answer was?
   static bool       IsUnfilled(const ulong ticket);
   //--- lots of a position, 0 if it isn't shown
   static double     Volume(const long identifier);
   //--- are those lots of an order in the deals, and the deals in the position?
   static bool       IsShown(const ulong ticket,const long identifier,const double filled);
   //--- GMT, of a time of the trade server, and back
   static long       ToGmt(const datetime time)       { return(((long)time+Offset())*1000);              }
   static datetime   FromGmt(const long msc)          { return((datetime)(msc/1000-Offset()));           }
   static long       Offset(void);
   static ENUM_ORDER_TYPE Type(const bool is_buy,const ENUM_COPIER_KIND kind);

private:
   static void       ReadExpiry(CopierOrder &order);
  };
//+------------------------------------------------------------------+
//| Market orders on their way are in the same list                  |
//+------------------------------------------------------------------+
bool CCopierOrders::Select(const int index,ulong &ticket)
  {
   ticket=OrderGetTicket(index);
   if(ticket==0)
      return(false);
   long type=OrderGetInteger(ORDER_TYPE);
   long state=OrderGetInteger(ORDER_STATE);
   return(type>=ORDER_TYPE_BUY_LIMIT && type<=ORDER_TYPE_SELL_STOP_LIMIT &&
          (state==ORDER_STATE_PLACED || state==ORDER_STATE_PARTIAL));
  }
//+------------------------------------------------------------------+
//| The same once more                                               |
//+------------------------------------------------------------------+
bool CCopierOrders::Lists(const ulong &tickets[])
  {
   int total=ArraySize(tickets);
   for(int i=0; i<total; i++)
      if(OrderGetTicket(i)!=tickets[i])
         return(false);
   return(OrdersTotal()==total);
  }
//+------------------------------------------------------------------+
//| At an exchange it fills deal by deal, and its rest may wait      |
//+------------------------------------------------------------------+
ulong CCopierOrders::UnderWay(const string symbol,const long magic,const bool is_buy)
  {
   for(int i=0; i<OrdersTotal(); i++)
     {
      ulong ticket=OrderGetTicket(i);
      if(ticket==0)
         continue;
      if(OrderGetInteger(ORDER_TYPE)==(is_buy ? ORDER_TYPE_BUY : ORDER_TYPE_SELL) && OrderGetInteger(ORDER_MAGIC)==magic && OrderGetString(ORDER_SYMBOL)==symbol)
         return(ticket);
     }
   return(0);
  }
//+------------------------------------------------------------------+
//| What a state says of it                                          |
//+------------------------------------------------------------------+
void CCopierOrders::Read(CopierOrder &order)
  {
   long type=OrderGetInteger(ORDER_TYPE);
   order.id=OrderGetInteger(ORDER_TICKET);
   order.symbol=OrderGetString(ORDER_SYMBOL);
   order.is_buy=(type==ORDER_TYPE_BUY_LIMIT || type==ORDER_TYPE_BUY_STOP || type==ORDER_TYPE_BUY_STOP_LIMIT);
   order.kind=COPIER_KIND_STOP_LIMIT;
   if(type==ORDER_TYPE_BUY_LIMIT || type==ORDER_TYPE_SELL_LIMIT)
      order.kind=COPIER_KIND_LIMIT;
   if(type==ORDER_TYPE_BUY_STOP || type==ORDER_TYPE_SELL_STOP)
      order.kind=COPIER_KIND_STOP;
   order.volume=OrderGetDouble(ORDER_VOLUME_CURRENT);
   order.price=OrderGetDouble(ORDER_PRICE_OPEN);
   order.limit_price=(order.kind==COPIER_KIND_STOP_LIMIT ? OrderGetDouble(ORDER_PRICE_STOPLIMIT) : 0);
   order.sl=OrderGetDouble(ORDER_SL);
   order.tp=OrderGetDouble(ORDER_TP);
   order.magic=OrderGetInteger(ORDER_MAGIC);
   order.comment=OrderGetString(ORDER_COMMENT);
   order.contract_size=SymbolInfoDouble(order.symbol,SYMBOL_TRADE_CONTRACT_SIZE);
   order.via="";
   ReadExpiry(order);
  }
//+------------------------------------------------------------------+
//| A day ends with the trade server's day                           |
//+------------------------------------------------------------------+
void CCopierOrders::ReadExpiry(CopierOrder &order)
  {
   long time=OrderGetInteger(ORDER_TIME_EXPIRATION);
   order.expiry=COPIER_EXPIRY_NONE;
   order.expires_msc=0;
   switch((ENUM_ORDER_TYPE_TIME)OrderGetInteger(ORDER_TYPE_TIME))
     {
      case ORDER_TIME_GTC:
         break;
      case ORDER_TIME_DAY:
         order.expiry=COPIER_EXPIRY_DAY;
         break;
      case ORDER_TIME_SPECIFIED:
         order.expiry=COPIER_EXPIRY_TIME;
         order.expires_msc=ToGmt((datetime)time);
         break;
      case ORDER_TIME_SPECIFIED_DAY:
         order.expiry=COPIER_EXPIRY_DATE;
         order.expires_msc=ToGmt((datetime)(time/86400*86400+86399));
         break;
     }
  }
//+------------------------------------------------------------------+
//| Lots                                                             |
//+------------------------------------------------------------------+
double CCopierOrders::Filled(void)
  {
   return(NormalizeDouble(OrderGetDouble(ORDER_VOLUME_INITIAL)-OrderGetDouble(ORDER_VOLUME_CURRENT),8));
  }
//+------------------------------------------------------------------+
//| Its ticket, as a rule                                            |
//+------------------------------------------------------------------+
long CCopierOrders::PositionId(void)
  {
   long identifier=OrderGetInteger(ORDER_POSITION_ID);
   return(identifier!=0 ? identifier : OrderGetInteger(ORDER_TICKET));
  }
//+------------------------------------------------------------------+
//| By the history                                                   |
//+------------------------------------------------------------------+
ENUM_COPIER_END CCopierOrders::End(const ulong ticket,long &identifier)
  {
   identifier=0;
   if(!HistoryOrderSelect(ticket))
      return(COPIER_END_UNSHOWN);
   double filled=NormalizeDouble(HistoryOrderGetDouble(ticket,ORDER_VOLUME_INITIAL)-HistoryOrderGetDouble(ticket,ORDER_VOLUME_CURRENT),8);
   if(filled>0)
     {
      identifier=HistoryOrderGetInteger(ticket,ORDER_POSITION_ID);
      if(identifier==0)
         identifier=(long)ticket;
      if(!IsShown(ticket,identifier,filled))
         return(COPIER_END_UNSHOWN);
     }
   return(HistoryOrderGetInteger(ticket,ORDER_STATE)==ORDER_STATE_EXPIRED ? COPIER_END_EXPIRED : COPIER_END_OTHER);
  }
//+------------------------------------------------------------------+
//| By the history                                                   |
//+------------------------------------------------------------------+
bool CCopierOrders::IsUnfilled(const ulong ticket)
  {
   if(!HistoryOrderSelect(ticket))
      return(false);
   long state=HistoryOrderGetInteger(ticket,ORDER_STATE);
   return((state==ORDER_STATE_CANCELED || state==ORDER_STATE_REJECTED || state==ORDER_STATE_EXPIRED) &&
          HistoryOrderGetDouble(ticket,ORDER_VOLUME_CURRENT)>=HistoryOrderGetDouble(ticket,ORDER_VOLUME_INITIAL));
  }
//+------------------------------------------------------------------+
//| Neither less nor more than the order says                        |
//+------------------------------------------------------------------+
bool CCopierOrders::IsShown(const ulong ticket,const long identifier,const double filled)
  {
   double of_order=0;
   double left=0;
   double volume=Volume(identifier);
   if(filled<=0 && volume<=0)
      return(true);
   if(!HistorySelectByPosition(identifier))
      return(false);
   for(int i=0; i<HistoryDealsTotal(); i++)
     {
      ulong  deal=HistoryDealGetTicket(i);
      double lots=HistoryDealGetDouble(deal,DEAL_VOLUME);
      long   type=HistoryDealGetInteger(deal,DEAL_TYPE);
      //--- a deal that the broker has canceled later is still one of the order
      if(type!=DEAL_TYPE_BUY_CANCELED && type!=DEAL_TYPE_SELL_CANCELED)
         left+=(HistoryDealGetInteger(deal,DEAL_ENTRY)==DEAL_ENTRY_IN ? lots : -lots);
      if(HistoryDealGetInteger(deal,DEAL_ORDER)==(long)ticket)
         of_order+=lots;
     }
   return(MathAbs(of_order-filled)<0.00000001 && MathAbs(left-volume)<0.00000001);
  }
//+------------------------------------------------------------------+
//| Of a position, 0 if there is none                                |
//+------------------------------------------------------------------+
double CCopierOrders::Volume(const long identifier)
  {
   for(int i=0; i<PositionsTotal(); i++)
      if(PositionGetTicket(i)!=0 && PositionGetInteger(POSITION_IDENTIFIER)==identifier)
         return(PositionGetDouble(POSITION_VOLUME));
   return(0);
  }
//+------------------------------------------------------------------+
//| Zones differ by quarters of an hour; what is more is a clock that|
//| is wrong, or begins its seconds at another moment, and would make|
//| a time another one with each look. So would one that is wrong by |
//| half a quarter: the zone stays until it is clearly another one   |
//+------------------------------------------------------------------+
long CCopierOrders::Offset(void)
  {
   static bool is_known=false;
   static long offset=0;
   long        exact=(long)TimeGMT()-(long)TimeTradeServer();
   if(!is_known || MathAbs((double)(exact-offset))>COPIER_ZONE_S)
      offset=(long)MathRound((double)exact/900)*900;
   is_known=true;
   return(offset);
  }
//+------------------------------------------------------------------+
//| For a request                                                    |
//+------------------------------------------------------------------+
ENUM_ORDER_TYPE CCopierOrders::Type(const bool is_buy,const ENUM_COPIER_KIND kind)
  {
   if(kind==COPIER_KIND_LIMIT)
      return(is_buy ? ORDER_TYPE_BUY_LIMIT : ORDER_TYPE_SELL_LIMIT);
   if(kind==COPIER_KIND_STOP)
      return(is_buy ? ORDER_TYPE_BUY_STOP : ORDER_TYPE_SELL_STOP);
   return(is_buy ? ORDER_TYPE_BUY_STOP_LIMIT : ORDER_TYPE_SELL_STOP_LIMIT);
  }
#endif
//+------------------------------------------------------------------+
