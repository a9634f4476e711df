//+------------------------------------------------------------------+
//|                                                      NotHere.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- What an indicator may not do: 1 waits by the wrapper, 2 sleeps, 3 trades
#property version "1.00"
#include <Mt5Mqtt\Mt5Mqtt.mqh>
input int InpWhat=1; // What to try
//+------------------------------------------------------------------+
//| Tries it                                                         |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   CMqttClient client;
   MqlTradeRequest request;
   MqlTradeResult  result;
   ZeroMemory(request);
   ZeroMemory(result);
   switch(InpWhat)
     {
      case 1:
         client.Create();
         if(!client.Wait(1000))
            Print("Wait: ",client.ResultStatus(),", ",client.ResultDescription());
         break;
      case 2:
         Sleep(1);
         break;
      default:
         if(OrderSend(request,result))
            Print("sent");
     }
   return(INIT_SUCCEEDED);
  }
//+------------------------------------------------------------------+
