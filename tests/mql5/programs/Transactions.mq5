//+------------------------------------------------------------------+
//|                                                 Transactions.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Says what transactions come, and counts them while it is busy.
int  ExtCount=0;
bool ExtBusy=false;
//+------------------------------------------------------------------+
//| 1: is busy until a terminal's variable is set; 3: tells          |
//+------------------------------------------------------------------+
void OnChartEvent(const int id,const long &lparam,const double &dparam,const string &sparam)
  {
   if(id==CHARTEVENT_CUSTOM+1)
     {
      ExtCount=0;
      ExtBusy=true;
      Print("busy");
      while(!GlobalVariableCheck("go") && !IsStopped())
         Sleep(1);
     }
   if(id==CHARTEVENT_CUSTOM+3)
      PrintFormat("%d since busy",ExtCount);
  }
//+------------------------------------------------------------------+
//| Counts or tells                                                  |
//+------------------------------------------------------------------+
void OnTradeTransaction(const MqlTradeTransaction &trans,const MqlTradeRequest &request,const MqlTradeResult &result)
  {
   ExtCount++;
   if(!ExtBusy)
      Print(EnumToString(trans.type)," ",ExtCount);
  }
//+------------------------------------------------------------------+
//| After the transactions of one request                            |
//+------------------------------------------------------------------+
void OnTrade(void)
  {
   if(!ExtBusy)
      Print("OnTrade");
  }
//+------------------------------------------------------------------+
