//+------------------------------------------------------------------+
//|                                                        Sends.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Says what the trade server answers, and what is there afterwards.
#property version "1.00"
//+------------------------------------------------------------------+
//| Buys 0.1 lots                                                    |
//+------------------------------------------------------------------+
void OnChartEvent(const int id,const long &lparam,const double &dparam,const string &sparam)
  {
   MqlTradeRequest request;
   MqlTradeResult  result;
   ZeroMemory(request);
   ZeroMemory(result);
   request.action=TRADE_ACTION_DEAL;
   request.symbol=_Symbol;
   request.volume=0.1;
   request.type=ORDER_TYPE_BUY;
   request.type_filling=ORDER_FILLING_IOC;
   bool sent=OrderSend(request,result);
   PrintFormat("%s %d, order %s, %d positions",sent ? "sent" : "not sent",(int)result.retcode,
               result.order>0 ? "known" : "unknown",PositionsTotal());
  }
//+------------------------------------------------------------------+
