//+------------------------------------------------------------------+
//|                                                   WakeCharts.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property service
#property version     "1.00"
#property description "Wakes Expert Advisors at once when something has come for them."
#property description "Start it once per terminal; LowLatencyEA shows the other side."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
//+------------------------------------------------------------------+
//| Waits in the library, which ends the wait when an event comes    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   Print("waking charts");
   while(!IsStopped())
      CMqttDoorbell::Ring(50);
  }
//+------------------------------------------------------------------+
