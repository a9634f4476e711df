//+------------------------------------------------------------------+
//|                                                      Watcher.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Prints the ticks of its chart, and how many bars there are.
void OnTick(void)
  {
   MqlTick  tick;
   MqlRates bars[];
   int      count=CopyRates(_Symbol,PERIOD_M1,0,100,bars);
   if(SymbolInfoTick(_Symbol,tick))
      Print(_Symbol," ",DoubleToString(tick.bid,_Digits)," ",DoubleToString(tick.ask,_Digits)," ",tick.time_msc," ",count);
  }
//+------------------------------------------------------------------+
