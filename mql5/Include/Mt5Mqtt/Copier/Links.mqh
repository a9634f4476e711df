//+------------------------------------------------------------------+
//|                                                        Links.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_LINKS_MQH
#define MT5MQTT_COPIER_LINKS_MQH
#include "Guard.mqh"
//--- CopierHeld::id of what a netting follower holds: it belongs to no
//--- single position of the master
#define COPIER_NET -1
//+------------------------------------------------------------------+
//| What became of a position of the master                          |
//+------------------------------------------------------------------+
enum ENUM_COPIER_LINK
  {
   COPIER_LINK_OPEN,                       // is to be held
   COPIER_LINK_IGNORED,                    // the rules refused it when it was first seen
   COPIER_LINK_CLOSED,                     // was closed here, by hand or by a stop: stays closed
   COPIER_LINK_HALTED                      // closed by a guard: stays closed
  };
//+------------------------------------------------------------------+
//| What the follower has to remember of a position of the master    |
//+------------------------------------------------------------------+
struct CopierLink
  {
   long              id;
   ENUM_COPIER_LINK  state;
   string            symbol;               // the follower's
   double            master_volume;        // when it was decided
   double            volume;               // for that; both give the ratio, which stays
   double            reached;              // what was held when it was last looked at
   string            reason;               // why it is not held
   string            via;                  // accounts that it came through, the master's too
  };
//+------------------------------------------------------------------+
//| Volume of a symbol that was too small to open                    |
//+------------------------------------------------------------------+
struct CopierCarry
  {
   string            symbol;
   double            volume;
  };
//+------------------------------------------------------------------+
//| A position of the follower that is a copy                        |
//+------------------------------------------------------------------+
struct CopierHeld
  {
   ulong             ticket;
   long              id;                   // of the master's position; COPIER_NET; 0 = netting, and not a copy
   string            symbol;
   bool              is_buy;
   double            volume;
   double            sl;
   double            tp;
   bool              is_settling;          // a reduction was sent that may still show
  };
//+------------------------------------------------------------------+
//| What is to be done                                               |
//+------------------------------------------------------------------+
enum ENUM_COPIER_ACTION
  {
   COPIER_ACTION_CLOSE,                    // that volume of that ticket
   COPIER_ACTION_OPEN,
   COPIER_ACTION_STOPS
  };
struct CopierAction
  {
   ENUM_COPIER_ACTION action;
   long              id;
   ulong             ticket;
   string            symbol;
   bool              is_buy;
   double            volume;
   double            sl;
   double            tp;
   string            reason;
  };
//+------------------------------------------------------------------+
//| What a netting follower has reached in a symbol: buys are        |
//| positive, sells negative                                         |
//+------------------------------------------------------------------+
struct CopierNet
  {
   string            symbol;
   double            reached;
  };
//+------------------------------------------------------------------+
//| Class CCopierActions.                                            |
//| Appointment: puts a list of actions together.                    |
//+------------------------------------------------------------------+
class CCopierActions
  {
public:
   //--- index of the new one; side, volume and stops are to be filled in
   static int        Add(CopierAction &actions[],const ENUM_COPIER_ACTION kind,const long id,const ulong ticket,const string symbol,const string reason);
   //--- a price that the symbol takes, 0 stays 0
   static double     OnGrid(const double price,const CopierSymbol &symbol);
   //--- stops of a copy by the rules
   static double     StopLoss(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol);
   static double     TakeProfit(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol);
  };
//+------------------------------------------------------------------+
//| A new action                                                     |
//+------------------------------------------------------------------+
int CCopierActions::Add(CopierAction &actions[],const ENUM_COPIER_ACTION kind,const long id,const ulong ticket,const string symbol,const string reason)
  {
   int count=ArraySize(actions);
   ArrayResize(actions,count+1,64);
   actions[count].action=kind;
   actions[count].id=id;
   actions[count].ticket=ticket;
   actions[count].symbol=symbol;
   actions[count].is_buy=false;
   actions[count].volume=0;
   actions[count].sl=0;
   actions[count].tp=0;
   actions[count].reason=reason;
   return(count);
  }
//+------------------------------------------------------------------+
//| A multiple of the tick size                                      |
//+------------------------------------------------------------------+
double CCopierActions::OnGrid(const double price,const CopierSymbol &symbol)
  {
   if(symbol.tick_size<=0)
      return(price);
   return(NormalizeDouble(MathRound(price/symbol.tick_size)*symbol.tick_size,8));
  }
//+------------------------------------------------------------------+
//| In reverse the master's TP                                       |
//+------------------------------------------------------------------+
double CCopierActions::StopLoss(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol)
  {
   if(rules.reverse)
      return(OnGrid(rules.copy_tp ? position.tp : 0,symbol));
   return(OnGrid(rules.copy_sl ? position.sl : 0,symbol));
  }
//+------------------------------------------------------------------+
//| In reverse the master's SL                                       |
//+------------------------------------------------------------------+
double CCopierActions::TakeProfit(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol)
  {
   if(rules.reverse)
      return(OnGrid(rules.copy_sl ? position.sl : 0,symbol));
   return(OnGrid(rules.copy_tp ? position.tp : 0,symbol));
  }
#endif
//+------------------------------------------------------------------+
