//+------------------------------------------------------------------+
//|                                                      Pending.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_PENDING_MQH
#define MT5MQTT_COPIER_PENDING_MQH
#include "Links.mqh"
//+------------------------------------------------------------------+
//| Class CCopierPending.                                            |
//| Appointment: what a follower is to do with the pending order of  |
//|              one link. Nothing here asks the terminal.           |
//|                                                                  |
//| An order can fill here before or after the master's. Of a link   |
//| the position and the pending order together never have more than |
//| what the master's have together: the order is deleted first, and |
//| the market is used when it is gone.                              |
//+------------------------------------------------------------------+
class CCopierPending
  {
public:
   //--- a position as it would be, for filters and volume
   static void       AsPosition(const CopierOrder &order,CopierPosition &position);
   //--- lots of the pending orders of a link
   static double     Volume(const long id,const CopierHeldOrder &orders[]);
   //--- the order of a link, which holds volume; the master's are worth least that is filled and most with what is pending.
   //--- Returns the volume that stays pending here; tripped: the guard's reason; waiting: why something isn't done yet
   static double     Keep(CopierLink &link,const CopierState &state,const double volume,const double least,const double most,
                          const string tripped,const CopierRules &rules,const CopierSymbol &symbol,const CopierHeldOrder &orders[],
                          CopierAction &actions[],string &waiting);
   static void       Delete(const long id,const string reason,const CopierHeldOrder &orders[],CopierAction &actions[]);
   //--- would the trade server take an order at that price now?
   static bool       IsPlaceable(const bool is_buy,const ENUM_COPIER_KIND kind,const double price,const CopierSymbol &symbol);

private:
   static double     Hold(const CopierLink &link,const CopierOrder &order,const double wanted,const CopierRules &rules,
                          const CopierSymbol &symbol,const CopierHeldOrder &orders[],CopierAction &actions[],string &waiting);
   //--- in reverse no kind of order does the opposite of a stop limit
   static bool       CanBeHeld(const CopierOrder &order,const CopierRules &rules) { return(!rules.reverse || order.kind!=COPIER_KIND_STOP_LIMIT); }
   static ENUM_COPIER_KIND Kind(const ENUM_COPIER_KIND kind,const bool reverse);
   static bool       IsSameKind(const CopierOrder &order,const CopierHeldOrder &held,const bool reverse);
   //--- stops that aren't copied stay what they are
   static void       Fill(const CopierOrder &order,const CopierRules &rules,const CopierSymbol &symbol,const double sl,const double tp,CopierAction &action);
   static void       Expiry(const CopierOrder &order,const CopierSymbol &symbol,CopierAction &action);
   static bool       IsFrozen(const CopierHeldOrder &held,const CopierSymbol &symbol);
   static void       Change(const CopierOrder &order,const CopierHeldOrder &held,const CopierRules &rules,const CopierSymbol &symbol,
                            CopierAction &actions[],string &waiting);
   static void       AddDelete(const CopierHeldOrder &held,const string reason,CopierAction &actions[]);
  };
//+------------------------------------------------------------------+
//| Nothing of it is filled                                          |
//+------------------------------------------------------------------+
void CCopierPending::AsPosition(const CopierOrder &order,CopierPosition &position)
  {
   position.id=order.id;
   position.symbol=order.symbol;
   position.is_buy=order.is_buy;
   position.volume=order.volume;
   position.price=(order.kind==COPIER_KIND_STOP_LIMIT ? order.limit_price : order.price);
   position.sl=order.sl;
   position.tp=order.tp;
   position.time_msc=0;
   position.magic=order.magic;
   position.comment=order.comment;
   position.contract_size=order.contract_size;
   position.via=order.via;
  }
//+------------------------------------------------------------------+
//| Sum of what is not filled yet                                    |
//+------------------------------------------------------------------+
double CCopierPending::Volume(const long id,const CopierHeldOrder &orders[])
  {
   double sum=0;
   for(int i=0; i<ArraySize(orders); i++)
      if(orders[i].id==id)
         sum+=orders[i].volume;
   return(NormalizeDouble(sum,8));
  }
//+------------------------------------------------------------------+
//| At the same price the opposite of a limit order is a stop order  |
//+------------------------------------------------------------------+
ENUM_COPIER_KIND CCopierPending::Kind(const ENUM_COPIER_KIND kind,const bool reverse)
  {
   if(!reverse || kind==COPIER_KIND_STOP_LIMIT)
      return(kind);
   return(kind==COPIER_KIND_LIMIT ? COPIER_KIND_STOP : COPIER_KIND_LIMIT);
  }
//+------------------------------------------------------------------+
//| A stop limit becomes a limit order, on each side at its own time |
//+------------------------------------------------------------------+
bool CCopierPending::IsSameKind(const CopierOrder &order,const CopierHeldOrder &held,const bool reverse)
  {
   if(held.is_buy!=(order.is_buy!=reverse))
      return(false);
   if(held.kind==Kind(order.kind,reverse))
      return(true);
   return(!reverse && held.kind!=COPIER_KIND_STOP && order.kind!=COPIER_KIND_STOP);
  }
//+------------------------------------------------------------------+
//| Strictly on its side of the price                                |
//+------------------------------------------------------------------+
bool CCopierPending::IsPlaceable(const bool is_buy,const ENUM_COPIER_KIND kind,const double price,const CopierSymbol &symbol)
  {
   double market=(is_buy ? symbol.ask : symbol.bid);
   bool   is_below=(is_buy==(kind==COPIER_KIND_LIMIT));
   double distance=(is_below ? market-price : price-market);
//--- a price may be below zero, as oil's was
   return(market!=0 && distance>=MathMax(symbol.stops_level*symbol.point,symbol.tick_size)-symbol.tick_size/1000);
  }
//+------------------------------------------------------------------+
//| As near to its price as the trade server lets nothing be changed |
//+------------------------------------------------------------------+
bool CCopierPending::IsFrozen(const CopierHeldOrder &held,const CopierSymbol &symbol)
  {
   double market=(held.is_buy ? symbol.ask : symbol.bid);
   return(symbol.freeze_level>0 && MathAbs(market-held.price)<=(symbol.freeze_level+0.01)*symbol.point);
  }
//+------------------------------------------------------------------+
//| What the symbol doesn't take is left to the master: his order's  |
//| end ends this one as well                                        |
//+------------------------------------------------------------------+
void CCopierPending::Expiry(const CopierOrder &order,const CopierSymbol &symbol,CopierAction &action)
  {
   bool has_time=(order.expiry==COPIER_EXPIRY_TIME || order.expiry==COPIER_EXPIRY_DATE);
   action.expiry=COPIER_EXPIRY_NONE;
   if(order.expiry==COPIER_EXPIRY_DAY && symbol.expires_day)
      action.expiry=COPIER_EXPIRY_DAY;
   if(has_time && symbol.expires_date)
      action.expiry=COPIER_EXPIRY_DATE;
   if(has_time && symbol.expires_time)
      action.expiry=COPIER_EXPIRY_TIME;
   if(action.expiry==COPIER_EXPIRY_NONE && !symbol.never_expires && symbol.expires_day)
      action.expiry=COPIER_EXPIRY_DAY;
   action.expires_msc=(action.expiry==COPIER_EXPIRY_TIME || action.expiry==COPIER_EXPIRY_DATE ? order.expires_msc : 0);
  }
//+------------------------------------------------------------------+
//| A copy by the rules, but for its volume                          |
//+------------------------------------------------------------------+
void CCopierPending::Fill(const CopierOrder &order,const CopierRules &rules,const CopierSymbol &symbol,const double sl,const double tp,CopierAction &action)
  {
   CopierPosition position;
   AsPosition(order,position);
   action.is_buy=(order.is_buy!=rules.reverse);
   action.kind=Kind(order.kind,rules.reverse);
   action.price=CCopierActions::OnGrid(order.price,symbol);
   action.limit_price=CCopierActions::OnGrid(order.limit_price,symbol);
   action.sl=CCopierActions::StopLoss(position,rules,symbol,sl);
   action.tp=CCopierActions::TakeProfit(position,rules,symbol,tp);
   Expiry(order,symbol,action);
  }
//+------------------------------------------------------------------+
//| When the master's has filled more than what is held, the rest    |
//| comes from the market, once no order is pending here             |
//+------------------------------------------------------------------+
double CCopierPending::Keep(CopierLink &link,const CopierState &state,const double volume,const double least,const double most,
                            const string tripped,const CopierRules &rules,const CopierSymbol &symbol,const CopierHeldOrder &orders[],
                            CopierAction &actions[],string &waiting)
  {
   int    order=CCopierState::FindOrder(state,link.id);
   string reason=(order<0 ? "filled or deleted by the master" : "filled by the master first");
   if(order<0 || volume<least-symbol.volume_step/2)
      link.pending=COPIER_PENDING_NONE;
   if(link.pending==COPIER_PENDING_WANTED)
     {
      double wanted=NormalizeDouble(most-volume,8);
      //--- an equity that wavers around its limit must not place it again and again
      if(tripped!="" && volume<=0)
        {
         link.state=COPIER_LINK_HALTED;
         link.reason=tripped;
         return(0);
        }
      bool is_wanted=(rules.pendings && rules.mode==COPIER_ON && wanted>=symbol.volume_step/2);
      if(is_wanted && CanBeHeld(state.orders[order],rules))
         return(Hold(link,state.orders[order],wanted,rules,symbol,orders,actions,waiting));
      if(is_wanted)
         waiting="a stop limit order has no opposite: it is copied from its stop on";
      reason=(rules.mode==COPIER_ON ? "pending orders are not copied" : "nothing new is opened in this mode");
     }
   Delete(link.id,reason,orders,actions);
   return(0);
  }
//+------------------------------------------------------------------+
//| One order at most, of that volume: a volume can't be changed, and|
//| another order comes when this one is gone                        |
//+------------------------------------------------------------------+
double CCopierPending::Hold(const CopierLink &link,const CopierOrder &order,const double wanted,const CopierRules &rules,
                            const CopierSymbol &symbol,const CopierHeldOrder &orders[],CopierAction &actions[],string &waiting)
  {
   double kept=0;
   int    count=0;
   for(int i=0; i<ArraySize(orders); i++)
     {
      if(orders[i].id!=link.id)
         continue;
      count++;
      if(kept==0 && IsSameKind(order,orders[i],rules.reverse) && MathAbs(orders[i].volume-wanted)<symbol.volume_step/2)
        {
         kept=orders[i].volume;
         Change(order,orders[i],rules,symbol,actions,waiting);
        }
      else
         AddDelete(orders[i],"no longer of that kind or volume",actions);
     }
   if(count>0 || wanted<symbol.volume_min-symbol.volume_step/2)
      return(kept);
   CopierAction action;
   Fill(order,rules,symbol,0,0,action);
   if(!IsPlaceable(action.is_buy,action.kind,action.price,symbol))
     {
      waiting="waiting for a price of "+symbol.name+" at which the pending order can be placed";
      return(kept);
     }
   int place=CCopierActions::Add(actions,COPIER_ACTION_PLACE,link.id,0,link.symbol,"placed by the master");
   Fill(order,rules,symbol,0,0,actions[place]);
   actions[place].volume=wanted;
   return(kept);
  }
//+------------------------------------------------------------------+
//| Price, stops and expiration                                      |
//+------------------------------------------------------------------+
void CCopierPending::Change(const CopierOrder &order,const CopierHeldOrder &held,const CopierRules &rules,const CopierSymbol &symbol,
                            CopierAction &actions[],string &waiting)
  {
   CopierAction action;
   double       half=symbol.tick_size/2;
   Fill(order,rules,symbol,held.sl,held.tp,action);
   if(held.kind==COPIER_KIND_LIMIT && action.kind==COPIER_KIND_STOP_LIMIT)
     {
      //--- the stop was reached here first
      action.price=action.limit_price;
      action.limit_price=0;
     }
   else
      if(held.kind==COPIER_KIND_STOP_LIMIT && action.kind==COPIER_KIND_LIMIT)
        {
         //--- it was reached at the master first
         action.limit_price=action.price;
         action.price=held.price;
        }
   bool is_moved=(MathAbs(held.price-action.price)>half || MathAbs(held.limit_price-action.limit_price)>half);
   bool is_other=(MathAbs(held.sl-action.sl)>half || MathAbs(held.tp-action.tp)>half || held.expiry!=action.expiry ||
                  MathAbs((double)(held.expires_msc-action.expires_msc))>(held.expiry==COPIER_EXPIRY_DATE ? 86400000 : 60000));
   if(!is_moved && !is_other)
      return;
   if(IsFrozen(held,symbol))
     {
      waiting="waiting until the pending order of "+symbol.name+" isn't frozen, near to the price";
      return;
     }
   if(MathAbs(held.price-action.price)>half && !IsPlaceable(held.is_buy,held.kind,action.price,symbol))
     {
      waiting="waiting for a price of "+symbol.name+" at which the pending order can be moved";
      return;
     }
   int modify=CCopierActions::Add(actions,COPIER_ACTION_MODIFY,held.id,held.ticket,held.symbol,"pending order changed by the master");
   actions[modify].is_buy=held.is_buy;
   actions[modify].kind=held.kind;
   actions[modify].volume=held.volume;
   actions[modify].price=action.price;
   actions[modify].limit_price=action.limit_price;
   actions[modify].sl=action.sl;
   actions[modify].tp=action.tp;
   actions[modify].expiry=action.expiry;
   actions[modify].expires_msc=action.expires_msc;
  }
//+------------------------------------------------------------------+
//| All of a link                                                    |
//+------------------------------------------------------------------+
void CCopierPending::Delete(const long id,const string reason,const CopierHeldOrder &orders[],CopierAction &actions[])
  {
   for(int i=0; i<ArraySize(orders); i++)
      if(orders[i].id==id)
         AddDelete(orders[i],reason,actions);
  }
//+------------------------------------------------------------------+
//| One; the trade server says if it is frozen                       |
//+------------------------------------------------------------------+
void CCopierPending::AddDelete(const CopierHeldOrder &held,const string reason,CopierAction &actions[])
  {
   int action=CCopierActions::Add(actions,COPIER_ACTION_DELETE,held.id,held.ticket,held.symbol,reason);
   actions[action].is_buy=held.is_buy;
   actions[action].kind=held.kind;
   actions[action].volume=held.volume;
   actions[action].price=held.price;
  }
#endif
//+------------------------------------------------------------------+
