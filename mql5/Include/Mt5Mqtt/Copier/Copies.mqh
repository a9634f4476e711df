//+------------------------------------------------------------------+
//|                                                       Copies.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_COPIES_MQH
#define MT5MQTT_COPIER_COPIES_MQH
#include "Links.mqh"
//+------------------------------------------------------------------+
//| Class CCopierCopies.                                             |
//| Appointment: what is to be done with the copies that a hedging   |
//|              follower holds of one position.                     |
//+------------------------------------------------------------------+
class CCopierCopies
  {
public:
   static double     Reduce(const CopierLink &link,const double by,const CopierRules &rules,const CopierSymbol &symbol,const CopierHeld &held[],CopierAction &actions[]);
   static void       Stops(const CopierLink &link,const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,
                           const CopierHeld &held[],CopierAction &actions[]);
   static double     Wanted(const CopierLink &link,const double master_volume,const CopierRules &rules,const CopierSymbol &symbol);

private:
   static double     ReduceOldest(const CopierLink &link,const double by,const CopierSymbol &symbol,const CopierHeld &held[],CopierAction &actions[]);
   static void       AddClose(const CopierLink &link,const CopierHeld &held,const double volume,CopierAction &actions[]);
  };
//+------------------------------------------------------------------+
//| Takes a volume off the copies, the last one first. What would be |
//| left of a ticket is nothing, or at least the minimum. Where no   |
//| ticket has such a part, the smallest goes as a whole: that is    |
//| less than the minimum too much. Returns what is taken            |
//+------------------------------------------------------------------+
double CCopierCopies::Reduce(const CopierLink &link,const double by,const CopierRules &rules,const CopierSymbol &symbol,const CopierHeld &held[],
                             CopierAction &actions[])
  {
   if(rules.fifo)
      return(ReduceOldest(link,by,symbol,held,actions));
   double left=by;
   int    whole=-1;
   for(int i=ArraySize(held)-1; i>=0 && left>=symbol.volume_step/2; i--)
     {
      if(held[i].id!=link.id)
         continue;
      double part=MathMin(left,held[i].volume);
      double rest=NormalizeDouble(held[i].volume-part,8);
      if(rest>0 && rest<symbol.volume_min)
         part=NormalizeDouble(held[i].volume-symbol.volume_min,8);
      //--- a fill in parts may have left less than the minimum: it goes as a whole
      if(part<symbol.volume_min-symbol.volume_step/2 && part<held[i].volume)
        {
         if(whole<0 || held[i].volume<held[whole].volume)
            whole=i;
         continue;
        }
      AddClose(link,held[i],part,actions);
      left=NormalizeDouble(left-part,8);
     }
   if(whole>=0 && left>=symbol.volume_min-symbol.volume_step/2)
     {
      AddClose(link,held[whole],held[whole].volume,actions);
      left=NormalizeDouble(left-held[whole].volume,8);
     }
   return(NormalizeDouble(by-left,8));
  }
//+------------------------------------------------------------------+
//| The same, the first one first: a part of one is taken when those |
//| before are gone, and nothing of the next                         |
//+------------------------------------------------------------------+
double CCopierCopies::ReduceOldest(const CopierLink &link,const double by,const CopierSymbol &symbol,const CopierHeld &held[],CopierAction &actions[])
  {
   double left=by;
   for(int i=0; i<ArraySize(held) && left>=symbol.volume_step/2; i++)
     {
      if(held[i].id!=link.id)
         continue;
      double part=MathMin(left,held[i].volume);
      double rest=NormalizeDouble(held[i].volume-part,8);
      if(rest>0 && rest<symbol.volume_min)
         part=NormalizeDouble(held[i].volume-symbol.volume_min,8);
      if(part<symbol.volume_min-symbol.volume_step/2 && part<held[i].volume)
         break;
      AddClose(link,held[i],part,actions);
      left=NormalizeDouble(left-part,8);
      if(part<held[i].volume)
         break;
     }
   return(NormalizeDouble(by-left,8));
  }
//+------------------------------------------------------------------+
//| A part of a ticket, or all                                       |
//+------------------------------------------------------------------+
void CCopierCopies::AddClose(const CopierLink &link,const CopierHeld &held,const double volume,CopierAction &actions[])
  {
   int action=CCopierActions::Add(actions,COPIER_ACTION_CLOSE,link.id,held.ticket,held.symbol,"reduced by the master");
   actions[action].is_buy=held.is_buy;
   actions[action].volume=volume;
  }
//+------------------------------------------------------------------+
//| Stops of each copy that has others                               |
//+------------------------------------------------------------------+
void CCopierCopies::Stops(const CopierLink &link,const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,
                          const CopierHeld &held[],CopierAction &actions[])
  {
   double half=CCopierActions::HalfTick(symbol);
   for(int i=0; i<ArraySize(held); i++)
     {
      double sl=CCopierActions::StopLoss(position,rules,symbol,held[i].sl);
      double tp=CCopierActions::TakeProfit(position,rules,symbol,held[i].tp);
      if(held[i].id!=link.id || (MathAbs(held[i].sl-sl)<half && MathAbs(held[i].tp-tp)<half))
         continue;
      int action=CCopierActions::Add(actions,COPIER_ACTION_STOPS,link.id,held[i].ticket,held[i].symbol,"stops changed by the master");
      actions[action].is_buy=held[i].is_buy;
      actions[action].volume=held[i].volume;
      actions[action].sl=sl;
      actions[action].tp=tp;
     }
  }
//+------------------------------------------------------------------+
//| The volume for what the master has left. It is never below the   |
//| minimum while the master holds the position: what can't be       |
//| reduced further is closed when he closes                         |
//+------------------------------------------------------------------+
double CCopierCopies::Wanted(const CopierLink &link,const double master_volume,const CopierRules &rules,const CopierSymbol &symbol)
  {
   double most=(rules.volume_max>0 ? MathMin(rules.volume_max,symbol.volume_max) : symbol.volume_max);
   double volume=CCopierRules::Down(MathMin(link.volume*master_volume/link.master_volume,most),symbol);
   return(MathMax(volume,symbol.volume_min));
  }
#endif
//+------------------------------------------------------------------+
