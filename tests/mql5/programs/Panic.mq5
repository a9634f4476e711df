//+------------------------------------------------------------------+
//|                                                        Panic.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Has every client of the process fail, by a panic on its background thread
#property version "1.00"
#import "mt5mqtt.dll"
int mt5mqtt_test_panic(long client,int place);
#import
//+------------------------------------------------------------------+
//| Handles are a number from 2^12 on, and 20 bits of a place        |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   for(long number=4096; number<4096+16; number++)
      for(long place=0; place<16; place++)
         mt5mqtt_test_panic(number*1048576+place,1);
  }
//+------------------------------------------------------------------+
