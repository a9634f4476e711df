//+------------------------------------------------------------------+
//|                                                   CopierLook.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- a master's looks at its account, and how long the last one took
#property version "1.00"
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Copier\Waiting.mqh>
//+------------------------------------------------------------------+
//| The first look begins with nothing known, the second one doesn't |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   CCopierRelay   relay;
   CCopierWaiting waiting;
   CopierState    state;
   ulong          began=0;
   relay.Start("");
   waiting.Start("look");
   for(int i=0; i<2; i++)
     {
      began=GetMicrosecondCount();
      if(!waiting.State(relay,state))
         Print("FAIL: no state");
     }
   PrintFormat("%d positions and %d orders in %I64u us",ArraySize(state.positions),ArraySize(state.orders),GetMicrosecondCount()-began);
  }
//+------------------------------------------------------------------+
