//+------------------------------------------------------------------+
//|                                                       Orders.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- OrderSend() and what a program reads of the account afterwards.
#property version "1.00"
#include <Mt5Mqtt\Internal\Check.mqh>
CMqttCheck ExtCheck;
//+------------------------------------------------------------------+
//| A market buy                                                     |
//+------------------------------------------------------------------+
uint Buy(MqlTradeResult &result)
  {
   MqlTradeRequest request;
   ZeroMemory(request);
   ZeroMemory(result);
   request.action=TRADE_ACTION_DEAL;
   request.symbol=_Symbol;
   request.volume=0.2;
   request.type=ORDER_TYPE_BUY;
   request.type_filling=ORDER_FILLING_IOC;
   request.magic=42;
   request.sl=1.09;
   request.tp=1.11;
   request.comment="a comment that is longer than a broker keeps";
   bool sent=OrderSend(request,result);
   ExtCheck.That(sent==(result.retcode==TRADE_RETCODE_DONE),"OrderSend");
   return(result.retcode);
  }
//+------------------------------------------------------------------+
//| The test has injected: requote, lost answer of a deal that was   |
//| made, lost request                                               |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   MqlTradeResult  result;
   MqlTradeRequest request;
   ExtCheck.Equal(Buy(result),TRADE_RETCODE_REQUOTE,"requote");
   ExtCheck.Equal(PositionsTotal(),0,"nothing was done");
   ExtCheck.Equal(Buy(result),TRADE_RETCODE_TIMEOUT,"timeout");
   ExtCheck.Equal((long)result.order,0,"no order is known");
   ExtCheck.Equal(PositionsTotal(),1,"but it was done");
   ExtCheck.Equal(Buy(result),TRADE_RETCODE_TIMEOUT,"timeout");
   ExtCheck.Equal(PositionsTotal(),1,"and this was not");
   ulong ticket=PositionGetTicket(0);
   ExtCheck.That(PositionSelectByTicket(ticket) && PositionSelect(_Symbol),"selected");
   ExtCheck.Equal(PositionGetInteger(POSITION_IDENTIFIER),(long)ticket,"identifier");
   ExtCheck.Equal(PositionGetInteger(POSITION_MAGIC),42,"magic");
   ExtCheck.Equal(PositionGetInteger(POSITION_TYPE),POSITION_TYPE_BUY,"type");
   ExtCheck.Near(PositionGetDouble(POSITION_VOLUME),0.2,"volume");
   ExtCheck.Near(PositionGetDouble(POSITION_PROFIT),-2,"ten points of loss on 0.2 lots");
   ExtCheck.Equal(StringLen(PositionGetString(POSITION_COMMENT)),31,"the comment is cut");
   ExtCheck.That(!PositionSelectByTicket(1) && !PositionSelect("NONE"),"not selected");
   ExtCheck.Near(AccountInfoDouble(ACCOUNT_EQUITY),9998,"equity");
   ExtCheck.Near(AccountInfoDouble(ACCOUNT_MARGIN),220.02,"margin");
   ZeroMemory(request);
   request.action=TRADE_ACTION_DEAL;
   request.symbol=_Symbol;
   request.volume=0.1;
   request.type=ORDER_TYPE_SELL;
   request.type_filling=ORDER_FILLING_IOC;
   request.position=ticket;
   ExtCheck.That(OrderSend(request,result) && result.deal>0,"a partial close");
   ExtCheck.That(HistorySelectByPosition((long)ticket) && HistoryDealsTotal()==2,"two deals");
   ulong deal=HistoryDealGetTicket(1);
   ExtCheck.Equal(HistoryDealGetInteger(deal,DEAL_ENTRY),DEAL_ENTRY_OUT,"an exit");
   ExtCheck.Equal(HistoryDealGetInteger(deal,DEAL_REASON),DEAL_REASON_EXPERT,"by a program");
   ExtCheck.Near(HistoryDealGetDouble(deal,DEAL_PROFIT),-1,"profit");
   ExtCheck.Near(AccountInfoDouble(ACCOUNT_BALANCE),9999,"balance");
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
