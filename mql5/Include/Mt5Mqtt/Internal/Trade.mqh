//+------------------------------------------------------------------+
//|                                                        Trade.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_TRADE_MQH
#define MT5MQTT_TRADE_MQH
//+------------------------------------------------------------------+
//| Class CMqttTrade.                                                |
//| Appointment: what a request needs to fit its symbol.             |
//+------------------------------------------------------------------+
class CMqttTrade
  {
public:
   static ENUM_ORDER_TYPE_FILLING Filling(const string symbol);
   static double     Price(const string symbol,const double price);
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
#endif
//+------------------------------------------------------------------+
