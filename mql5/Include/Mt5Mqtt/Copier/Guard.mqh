//+------------------------------------------------------------------+
//|                                                        Guard.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_GUARD_MQH
#define MT5MQTT_COPIER_GUARD_MQH
#include "Symbols.mqh"
//+------------------------------------------------------------------+
//| What a guard remembers                                           |
//+------------------------------------------------------------------+
struct CopierGuard
  {
   double            peak;                 // highest equity so far, within a thousandth; 0 = none yet
   string            halted;               // why nothing is opened any more, until the user resumes; empty = it isn't
   bool              is_resumed;           // by the input, which is still set: it resumes once
  };
//+------------------------------------------------------------------+
//| Class CCopierGuards.                                             |
//| Appointment: limits that come before all other rules. They never |
//|              keep anything from being closed. Nothing here asks  |
//|              the terminal.                                       |
//+------------------------------------------------------------------+
class CCopierGuards
  {
public:
   //--- why nothing may be opened, empty if it may
   static string     Look(const CopierRules &rules,const CopierFunds &own,CopierGuard &guard);
   //--- does a guard need figures of the account that aren't known yet? Nothing is opened until they are
   static bool       IsBlind(const CopierRules &rules,const CopierFunds &own)
     { return((rules.min_equity>0 || rules.max_drawdown>0) && IsWithoutFigures(own)); }
   //--- the input at a start; what is to be told, "" if nothing is
   static string     Resume(const bool resume,CopierGuard &guard);
   //--- are there no prices yet, or not what a volume is reckoned from?
   static bool       IsUnknown(const CopierRules &rules,const CopierSymbol &symbol);
   //--- why a position can't be opened now, though it may be soon
   static string     NotNow(const CopierRules &rules,const CopierSymbol &symbol);
   static string     NotAtThisPrice(const CopierRules &rules,const CopierPosition &position,const bool is_buy,const CopierSymbol &symbol);

private:
   static bool       IsWithoutFigures(const CopierFunds &own) { return(own.equity<=0 && own.balance<=0); }
  };
//+------------------------------------------------------------------+
//| Equity may recover; a drawdown stops until the user resumes      |
//+------------------------------------------------------------------+
string CCopierGuards::Look(const CopierRules &rules,const CopierFunds &own,CopierGuard &guard)
  {
//--- a terminal that has just started knows no figures
   if(IsWithoutFigures(own))
      return(guard.halted);
   if(own.equity>guard.peak*1.001)
      guard.peak=own.equity;
   if(guard.halted=="" && rules.max_drawdown>0 && own.equity<=guard.peak*(1-rules.max_drawdown/100))
      guard.halted=StringFormat("guard: an equity of %.2f is %.1f percent or more below %.2f",own.equity,rules.max_drawdown,guard.peak);
   if(guard.halted!="")
      return(guard.halted);
   if(rules.min_equity>0 && own.equity<rules.min_equity)
      return(StringFormat("guard: the equity is below %.2f",rules.min_equity));
   return("");
  }
//+------------------------------------------------------------------+
//| An input that stays set would resume after each halt at the next |
//| start of the terminal, and forget the highest equity each time   |
//+------------------------------------------------------------------+
string CCopierGuards::Resume(const bool resume,CopierGuard &guard)
  {
   bool was_resumed=guard.is_resumed;
   guard.is_resumed=resume;
   if(!resume)
      return("");
   if(was_resumed)
      return(guard.halted=="" ? "" : "Resume is set since before the last halt and resumes nothing: switch it off once, then on");
   guard.peak=0;
   guard.halted="";
   return("resumed; switch Resume off, as it works once");
  }
//+------------------------------------------------------------------+
//| A terminal learns prices only of symbols in its Market Watch. At |
//| an exchange one may be missing, which 0 stands for; but a price  |
//| may be 0, or below                                               |
//+------------------------------------------------------------------+
bool CCopierGuards::IsUnknown(const CopierRules &rules,const CopierSymbol &symbol)
  {
   bool is_missing=((symbol.bid==0 || symbol.ask==0) && symbol.ask<=symbol.bid);
   return(is_missing || (rules.size==COPIER_SIZE_RISK && symbol.tick_value<=0));
  }
//+------------------------------------------------------------------+
//| The spread                                                       |
//+------------------------------------------------------------------+
string CCopierGuards::NotNow(const CopierRules &rules,const CopierSymbol &symbol)
  {
   if(IsUnknown(rules,symbol))
      return("waiting for a price of "+symbol.name);
   if(rules.max_spread<=0 || symbol.ask-symbol.bid<=(rules.max_spread+0.01)*symbol.point)
      return("");
   return("waiting for a smaller spread of "+symbol.name);
  }
//+------------------------------------------------------------------+
//| Worse than the master's own; a better price is no harm           |
//+------------------------------------------------------------------+
string CCopierGuards::NotAtThisPrice(const CopierRules &rules,const CopierPosition &position,const bool is_buy,const CopierSymbol &symbol)
  {
   double worse=(is_buy ? symbol.ask-position.price : position.price-symbol.bid);
   if(rules.max_slippage<=0 || worse<=(rules.max_slippage+0.01)*symbol.point)
      return("");
   return("waiting for a price of "+symbol.name+" nearer to the master's");
  }
#endif
//+------------------------------------------------------------------+
