//+------------------------------------------------------------------+
//|                                            TradeCopierMaster.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Publishes all positions and pending orders of this account for TradeCopierFollower: the whole state,"
#property description "retained, on every change and at intervals."
#include <Mt5Mqtt\Copier\Master.mqh>
#include <Mt5Mqtt\Copier\Start.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Copier"
input string InpRoot="mt5";                  // First level of all topics
input string InpName="master";               // Name of this master
input string InpRelay="";                    // Publish the copies of these masters too (apart by commas)
input int    InpSeconds=5;                   // Publish at least every so many seconds
CCopierMaster ExtMaster;
CCopierStart ExtStart;
//+------------------------------------------------------------------+
//| Starts. Before the terminal is connected, the account isn't known|
//+------------------------------------------------------------------+
int OnInit(void)
  {
   if(InpSeconds<1 || InpSeconds>86400)
     {
      Print("copier: InpSeconds must be from 1 to 86400");
      return(INIT_FAILED);
     }
//--- followers would close the copies of a master whose name is cut off
   if(!ExtMaster.IsWhole("InpRelay",InpRelay) || !ExtMaster.SetTimer(20))
     {
      Print("copier: ",ExtMaster.ResultDescription());
      return(INIT_FAILED);
     }
   if(ExtMaster.IsCreated())
      return(INIT_SUCCEEDED);
   ExtStart.Init();
   if(ExtStart.IsDue())
      return(Begin());
   return(INIT_SUCCEEDED);
  }
//+------------------------------------------------------------------+
//| Begins to publish                                                |
//+------------------------------------------------------------------+
int Begin(void)
  {
   if(SetServer(ExtMaster) && ExtMaster.Start(InpRoot,InpName,InpRelay,InpSeconds*1000))
      return(INIT_SUCCEEDED);
   Print("MQTT: ",ExtMaster.ResultDescription());
   return(INIT_FAILED);
  }
//+------------------------------------------------------------------+
//| Ends, except on a change of symbol or timeframe                  |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   EventKillTimer();
   ExtMaster.Stop(reason);
   ExtStart.Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Something has happened: a reason to look, and no more than that  |
//+------------------------------------------------------------------+
void OnTrade(void)
  {
   if(ExtMaster.IsCreated())
      ExtMaster.Look();
  }
//+------------------------------------------------------------------+
//| Looks at what no event told of                                   |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   if(!ExtMaster.IsCreated())
     {
      if(ExtStart.IsDue() && Begin()!=INIT_SUCCEEDED)
         ExpertRemove();
      return;
     }
   ExtStart.Keep();
   ExtMaster.Dispatch(100);
   ExtMaster.Look();
   if(!ExtMaster.HasFailed())
      return;
   Print("MQTT: the client has failed, and is made anew in 5 seconds");
   ExtStart.Later(5000);
   ExtMaster.Stop(REASON_PROGRAM);
  }
//+------------------------------------------------------------------+
