//+------------------------------------------------------------------+
//|                                                      Watcher.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Prints the ticks of its chart.
void OnTick(void)
  {
   MqlTick tick;
   if(SymbolInfoTick(_Symbol,tick))
      Print(_Symbol," ",DoubleToString(tick.bid,_Digits)," ",DoubleToString(tick.ask,_Digits)," ",tick.time_msc);
  }
//+------------------------------------------------------------------+
