//+------------------------------------------------------------------+
//|                                                        Trade.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_TRADE_MQH
#define MT5MQTT_TRADE_MQH
//+------------------------------------------------------------------+
//| Class CMqttTrade.                                                |
//| Appointment: what a request needs to fit its symbol, and what    |
//|              its retcode means.                                  |
//+------------------------------------------------------------------+
class CMqttTrade
  {
public:
   static ENUM_ORDER_TYPE_FILLING Filling(const string symbol);
   //--- the same, after so many fillings were refused
   static ENUM_ORDER_TYPE_FILLING Filling(const string symbol,const int refused);
   static double     Price(const string symbol,const double price);
   //--- lots of a position that one order may close: what is left is nothing, or can be closed next
   static double     Closable(const string symbol,const double volume);
   static string     Text(const uint retcode);
  };
//+------------------------------------------------------------------+
//| A filling that the symbol allows for market orders: RETURN is    |
//| barred in Market Execution, and the flags say what else is       |
//| allowed except where Instant and Request allow both              |
//+------------------------------------------------------------------+
ENUM_ORDER_TYPE_FILLING CMqttTrade::Filling(const string symbol)
  {
   long modes=SymbolInfoInteger(symbol,SYMBOL_FILLING_MODE);
   long execution=SymbolInfoInteger(symbol,SYMBOL_TRADE_EXEMODE);
   if(execution==SYMBOL_TRADE_EXECUTION_INSTANT || execution==SYMBOL_TRADE_EXECUTION_REQUEST)
      return(ORDER_FILLING_FOK);
   if((modes&SYMBOL_FILLING_IOC)!=0)
      return(ORDER_FILLING_IOC);
   if((modes&SYMBOL_FILLING_FOK)!=0)
      return(ORDER_FILLING_FOK);
   return(ORDER_FILLING_RETURN);
  }
//+------------------------------------------------------------------+
//| The symbol's, then the others                                    |
//+------------------------------------------------------------------+
ENUM_ORDER_TYPE_FILLING CMqttTrade::Filling(const string symbol,const int refused)
  {
   return((ENUM_ORDER_TYPE_FILLING)(((int)Filling(symbol)+refused)%3));
  }
//+------------------------------------------------------------------+
//| A price on the symbol's grid; 0 stays 0                          |
//+------------------------------------------------------------------+
double CMqttTrade::Price(const string symbol,const double price)
  {
   double tick=SymbolInfoDouble(symbol,SYMBOL_TRADE_TICK_SIZE);
   int    digits=(int)SymbolInfoInteger(symbol,SYMBOL_DIGITS);
   if(tick<=0)
      return(NormalizeDouble(price,digits));
   return(NormalizeDouble(MathRound(price/tick)*tick,digits));
  }
//+------------------------------------------------------------------+
//| All, unless that is more than the symbol takes                   |
//+------------------------------------------------------------------+
double CMqttTrade::Closable(const string symbol,const double volume)
  {
   double most=SymbolInfoDouble(symbol,SYMBOL_VOLUME_MAX);
   double least=SymbolInfoDouble(symbol,SYMBOL_VOLUME_MIN);
   if(most<=0 || volume<=most)
      return(volume);
   return(NormalizeDouble(volume-most<least ? volume-least : most,8));
  }
//+------------------------------------------------------------------+
//| A retcode in words                                               |
//+------------------------------------------------------------------+
string CMqttTrade::Text(const uint retcode)
  {
   switch(retcode)
     {
      case TRADE_RETCODE_REQUOTE:
         return("requote");
      case TRADE_RETCODE_REJECT:
         return("rejected");
      case TRADE_RETCODE_CANCEL:
         return("canceled");
      case TRADE_RETCODE_PLACED:
         return("placed, not filled yet");
      case TRADE_RETCODE_DONE:
         return("done");
      case TRADE_RETCODE_DONE_PARTIAL:
         return("done in part");
      case TRADE_RETCODE_ERROR:
         return("an error of the trade server");
      case TRADE_RETCODE_TIMEOUT:
         return("no answer in time");
      case TRADE_RETCODE_INVALID:
         return("invalid request");
      case TRADE_RETCODE_INVALID_VOLUME:
         return("invalid volume");
      case TRADE_RETCODE_INVALID_PRICE:
         return("invalid price");
      case TRADE_RETCODE_INVALID_STOPS:
         return("invalid stops");
      case TRADE_RETCODE_TRADE_DISABLED:
         return("trading is disabled");
      case TRADE_RETCODE_MARKET_CLOSED:
         return("the market is closed");
      case TRADE_RETCODE_NO_MONEY:
         return("not enough money");
      case TRADE_RETCODE_PRICE_CHANGED:
         return("the price changed");
      case TRADE_RETCODE_PRICE_OFF:
         return("no price");
      case TRADE_RETCODE_INVALID_EXPIRATION:
         return("invalid expiration");
      case TRADE_RETCODE_ORDER_CHANGED:
         return("the order's state has changed");
      case TRADE_RETCODE_TOO_MANY_REQUESTS:
         return("too many requests");
      case TRADE_RETCODE_NO_CHANGES:
         return("no changes");
      case TRADE_RETCODE_SERVER_DISABLES_AT:
      case TRADE_RETCODE_CLIENT_DISABLES_AT:
         return("Algo Trading is off");
      case TRADE_RETCODE_LOCKED:
         return("locked while it is processed");
      case TRADE_RETCODE_FROZEN:
         return("frozen");
      case TRADE_RETCODE_INVALID_FILL:
         return("invalid filling");
      case TRADE_RETCODE_CONNECTION:
         return("no connection to the trade server");
      case TRADE_RETCODE_ONLY_REAL:
         return("for real accounts only");
      case TRADE_RETCODE_LIMIT_ORDERS:
         return("limit of orders");
      case TRADE_RETCODE_LIMIT_VOLUME:
         return("limit of volume");
      case TRADE_RETCODE_INVALID_ORDER:
         return("invalid or prohibited order");
      case TRADE_RETCODE_POSITION_CLOSED:
         return("already closed");
      case TRADE_RETCODE_INVALID_CLOSE_VOLUME:
         return("more than the position's volume");
      case TRADE_RETCODE_CLOSE_ORDER_EXIST:
         return("a close is on its way already");
      case TRADE_RETCODE_LIMIT_POSITIONS:
         return("limit of positions");
      case TRADE_RETCODE_LONG_ONLY:
         return("only buying is allowed");
      case TRADE_RETCODE_SHORT_ONLY:
         return("only selling is allowed");
      case TRADE_RETCODE_CLOSE_ONLY:
         return("only closing is allowed");
      case TRADE_RETCODE_FIFO_CLOSE:
         return("only the oldest position may be closed");
      case TRADE_RETCODE_HEDGE_PROHIBITED:
         return("opposite positions are prohibited");
     }
   return(StringFormat("retcode %u",retcode));
  }
#endif
//+------------------------------------------------------------------+
