//+------------------------------------------------------------------+
//|                                          TradeCopierFollower.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Holds what a TradeCopierMaster has, by your rules. Hedging and netting."
#property description "One per master and account."
#include <Mt5Mqtt\Copier\Follower.mqh>
#include <Mt5Mqtt\Copier\Former.mqh>
#include <Mt5Mqtt\Copier\Start.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Copier"
input string InpRoot="mt5";                                      // First level of all topics
input string InpMaster="master";                                 // Name of the master
input ENUM_COPIER_MODE InpMode=COPIER_ON;                        // Mode
input ENUM_COPIER_EXISTING InpExisting=COPIER_EXISTING_SKIP;     // Positions that were there before
input double InpNearPoints=50;                                   // For COPIER_EXISTING_NEAR: points at most
input int    InpMaxAge=60;                                       // Seconds after which nothing is opened (0: never)
input group  "Volume"
input ENUM_COPIER_SIZE InpSize=COPIER_SIZE_MULTIPLIER;           // Volume by
input double InpSizeValue=1;                                     // Lots, factor or percent
input ENUM_COPIER_SMALL InpSmall=COPIER_SMALL_SKIP;              // Below the symbol's minimum
input double InpVolumeMax=0;                                     // Lots at most (0: the symbol's maximum)
input group  "Guards"
input double InpMaxSpread=0;                                     // Points; an open waits for a smaller spread (0: any)
input double InpMaxSlippage=0;                                   // Points worse than the master's price; an open waits (0: any)
input double InpMinEquity=0;                                     // Equity below which nothing is opened (0: any)
input double InpMaxDrawdown=0;                                   // Percent below the highest equity that end all opens (0: any)
input bool   InpGuardCloses=false;                               // Equity and drawdown close what is held
input bool   InpResume=false;                                    // Resume after a drawdown, from today's equity
input group  "Filters"
input string InpAllowed="";                                      // Symbols to copy (empty: all)
input string InpDenied="";                                       // Symbols not to copy
input string InpMagics="";                                       // Magic numbers to copy (empty: all)
input string InpComment="";                                      // Text in the comment (empty: any)
input bool   InpBuys=true;                                       // Copy buys
input bool   InpSells=true;                                      // Copy sells
input group  "Symbols"
input string InpMap="";                                          // MASTER=FOLLOWER, apart by commas
input string InpMasterSuffix="";                                 // Suffix of the master's symbols
input string InpSuffix="";                                       // Suffix of the symbols here
input group  "Orders"
input bool   InpReverse=false;                                   // Buys become sells, SL becomes TP
input bool   InpCopySl=true;                                     // Copy SL
input bool   InpCopyTp=true;                                     // Copy TP
input bool   InpPendings=false;                                  // Copy pending orders (hedging accounts only)
input int    InpDeviation=20;                                    // Slippage in points (instant execution)
input int    InpWait=30;                                         // Seconds until a closed market or a refused open is tried again
CCopierFollower ExtFollower;
CCopierStart ExtStart;
CCopierFormer ExtFormer;
//+------------------------------------------------------------------+
//| The inputs                                                       |
//+------------------------------------------------------------------+
void Rules(CopierRules &rules)
  {
   rules.mode=InpMode;
   rules.size=InpSize;
   rules.size_value=InpSizeValue;
   rules.small=InpSmall;
   rules.volume_max=InpVolumeMax;
   rules.reverse=InpReverse;
   rules.copy_sl=InpCopySl;
   rules.copy_tp=InpCopyTp;
   rules.pendings=InpPendings;
   rules.existing=InpExisting;
   rules.near_points=InpNearPoints;
   rules.max_age_ms=(long)InpMaxAge*1000;
   rules.max_spread=InpMaxSpread;
   rules.max_slippage=InpMaxSlippage;
   rules.min_equity=InpMinEquity;
   rules.max_drawdown=InpMaxDrawdown;
   rules.guard_closes=InpGuardCloses;
   rules.buys=InpBuys;
   rules.sells=InpSells;
   rules.allowed=InpAllowed;
   rules.denied=InpDenied;
   rules.magics=InpMagics;
   rules.comment=InpComment;
   rules.map=InpMap;
   rules.master_suffix=InpMasterSuffix;
   rules.suffix=InpSuffix;
  }
//+------------------------------------------------------------------+
//| Are there inputs that can't be meant?                            |
//+------------------------------------------------------------------+
bool IsMistaken(void)
  {
   CopierRules rules;
   Rules(rules);
   string mistake=CCopierRules::Mistake(rules);
   if(mistake=="" && InpDeviation<0)
      mistake="the slippage in points must not be below 0";
   if(mistake=="" && (InpWait<1 || InpWait>86400))
      mistake="the seconds until a closed market or a refused open is tried again must be from 1 to 86400";
   if(mistake!="")
      Print("copier: the inputs can't be meant so: ",mistake);
   return(mistake!="");
  }
//+------------------------------------------------------------------+
//| Starts, unless the chart has only changed. Before the terminal is|
//| connected, the account isn't known whose copies they are         |
//+------------------------------------------------------------------+
int OnInit(void)
  {
//--- a list that has lost its end allows, denies or maps other symbols than it says
   if(!ExtFollower.IsWhole("InpAllowed",InpAllowed) || !ExtFollower.IsWhole("InpDenied",InpDenied) ||
      !ExtFollower.IsWhole("InpMagics",InpMagics) || !ExtFollower.IsWhole("InpMap",InpMap) || !ExtFollower.SetTimer(50))
     {
      Print("copier: ",ExtFollower.ResultDescription());
      return(INIT_FAILED);
     }
   if(IsMistaken())
      return(INIT_FAILED);
   if(ExtFollower.IsCreated())
      return(INIT_SUCCEEDED);
   ExtStart.Init();
   if(ExtStart.IsDue() && ExtFormer.IsSettled(InpMaster))
      return(Begin());
   return(INIT_SUCCEEDED);
  }
//+------------------------------------------------------------------+
//| Begins to follow                                                 |
//+------------------------------------------------------------------+
int Begin(void)
  {
   CopierRules rules;
   Rules(rules);
   if(!SetServer(ExtFollower))
     {
      Print("MQTT: ",ExtFollower.ResultDescription());
      return(INIT_FAILED);
     }
   if(!ExtFollower.Start(InpRoot,InpMaster,rules,(ulong)InpDeviation,InpWait*1000,InpResume))
      return(INIT_FAILED);
   if(ExtFollower.Connect())
      return(INIT_SUCCEEDED);
   Print("MQTT: ",ExtFollower.ResultDescription());
   return(INIT_FAILED);
  }
//+------------------------------------------------------------------+
//| Ends, except on a change of symbol or timeframe. Copies stay     |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   EventKillTimer();
   ExtFollower.Stop(reason);
   ExtStart.Deinit(reason);
  }
//+------------------------------------------------------------------+
//| Takes states, and looks at what became of the actions            |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   if(!ExtFollower.IsCreated())
     {
      if(ExtStart.IsDue() && ExtFormer.IsSettled(InpMaster) && Begin()!=INIT_SUCCEEDED)
         ExpertRemove();
      return;
     }
   ExtStart.Keep();
   ExtFollower.Take();
   ExtFollower.Work();
   if(!ExtFollower.HasFailed())
      return;
   Print("MQTT: the client has failed, and is made anew in 5 seconds");
   ExtStart.Later(5000);
   ExtFollower.Stop(REASON_PROGRAM);
  }
//+------------------------------------------------------------------+
