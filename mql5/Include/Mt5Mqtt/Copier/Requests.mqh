//+------------------------------------------------------------------+
//|                                                     Requests.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_REQUESTS_MQH
#define MT5MQTT_COPIER_REQUESTS_MQH
#include "Links.mqh"
#include "Orders.mqh"
#include "..\Internal\Trade.mqh"
//+------------------------------------------------------------------+
//| What earlier attempts at the same have taught                    |
//+------------------------------------------------------------------+
struct CopierVariant
  {
   int               filling;              // fillings that were refused
   bool              no_stops;
  };
//+------------------------------------------------------------------+
//| Class CCopierRequests.                                           |
//| Appointment: an action as the trade server wants it.             |
//+------------------------------------------------------------------+
class CCopierRequests
  {
public:
   static bool       IsPending(const CopierAction &action);
   static void       Fill(const CopierAction &action,const long magic,const CopierVariant &variant,const string comment,const ulong deviation,
                          MqlTradeRequest &request);

private:
   static void       FillPending(const CopierAction &action,const CopierVariant &variant,const string comment,MqlTradeRequest &request);
  };
//+------------------------------------------------------------------+
//| The request                                                      |
//+------------------------------------------------------------------+
void CCopierRequests::Fill(const CopierAction &action,const long magic,const CopierVariant &variant,const string comment,const ulong deviation,
                           MqlTradeRequest &request)
  {
   request.symbol=action.symbol;
   request.magic=(ulong)magic;
   if(IsPending(action))
     {
      FillPending(action,variant,comment,request);
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
   //--- more than one order may have, since the broker has lowered it: what is left is closed next
   if(action.action==COPIER_ACTION_CLOSE)
      request.volume=CMqttTrade::Closable(action.symbol,action.volume);
   request.type=(is_buy ? ORDER_TYPE_BUY : ORDER_TYPE_SELL);
   request.price=SymbolInfoDouble(action.symbol,is_buy ? SYMBOL_ASK : SYMBOL_BID);
   request.deviation=deviation;
   request.type_filling=CMqttTrade::Filling(action.symbol,variant.filling);
   request.comment=comment;
   if(action.action==COPIER_ACTION_OPEN && !variant.no_stops)
     {
      request.sl=CMqttTrade::Price(action.symbol,action.sl);
      request.tp=CMqttTrade::Price(action.symbol,action.tp);
     }
  }
//+------------------------------------------------------------------+
//| Place, change or delete                                          |
//+------------------------------------------------------------------+
void CCopierRequests::FillPending(const CopierAction &action,const CopierVariant &variant,const string comment,MqlTradeRequest &request)
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
   if(action.action==COPIER_ACTION_MODIFY || !variant.no_stops)
     {
      request.sl=CMqttTrade::Price(action.symbol,action.sl);
      request.tp=CMqttTrade::Price(action.symbol,action.tp);
     }
   if(action.action==COPIER_ACTION_MODIFY)
      return;
   request.action=TRADE_ACTION_PENDING;
   request.type=CCopierOrders::Type(action.is_buy,action.kind);
   request.volume=action.volume;
   request.type_filling=(ENUM_ORDER_TYPE_FILLING)(((int)ORDER_FILLING_RETURN+variant.filling)%3);
   request.comment=comment;
  }
//+------------------------------------------------------------------+
//| Of a pending order                                               |
//+------------------------------------------------------------------+
bool CCopierRequests::IsPending(const CopierAction &action)
  {
   return(action.action==COPIER_ACTION_PLACE || action.action==COPIER_ACTION_MODIFY || action.action==COPIER_ACTION_DELETE);
  }
#endif
//+------------------------------------------------------------------+
