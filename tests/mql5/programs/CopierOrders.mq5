//+------------------------------------------------------------------+
//|                                                 CopierOrders.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- The copier's rules for pending orders, each by an example.
#property version "1.00"
#include "CopierDesk.mqh"
#include <Mt5Mqtt\Copier\Retcodes.mqh>
//+------------------------------------------------------------------+
//| All checks                                                       |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   Courses();
   Reverse();
   Prices();
   StopLimits();
   Expiries();
   Modes();
   GuardsTrip();
   Carried();
   Netting();
   Unknown();
   Retcodes();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| Placed, changed, deleted; filters and volume are those of        |
//| positions                                                        |
//+------------------------------------------------------------------+
void Courses(void)
  {
   CCopierPlan plan;
   CCopierPlan later;
   CopierLink  link;
   Begin();
   Places(1,true,COPIER_KIND_LIMIT,0.57,1.0904);
   ExtState.orders[0].sl=1.08;
   ExtState.orders[0].tp=1.12;
   ExtState.orders[0].via="7@X";
   ExtRules.size_value=2;
   ExtCheck.Same(Made(plan),"buy limit 1.1 1.090 sl 1.080 tp 1.120;","twice the volume, down to the step, at a price of the grid");
   ExtCheck.Same(Made(plan),"buy limit 1.1 1.090 sl 1.080 tp 1.120;","until it is there");
   plan.Link(0,link);
   ExtCheck.Same(link.via,"7@X,1@S","the accounts that it came through");
   Do(plan);
   ExtCheck.Same(Made(plan),"","it is there");
   ExtState.orders[0].price=1.085;
   ExtState.orders[0].sl=0;
   ExtCheck.Same(Made(plan),"modify 1.085 tp 1.120;","the price and a stop have changed");
   Do(plan);
   ExtRules.copy_tp=false;
   ExtState.orders[0].tp=1.13;
   ExtCheck.Same(Made(plan),"","what isn't copied stays");
   ArrayResize(ExtState.orders,0);
   ExtCheck.Same(Made(plan),"delete 1.1;","deleted by the master");
   Do(plan);
   ExtCheck.Same(Made(plan),"","gone");
   ExtCheck.Equal(plan.Links(),0,"and forgotten");
   ExtRules.size=COPIER_SIZE_RISK;
   ExtRules.size_value=10;
   ExtRules.copy_tp=true;
   Places(4,true,COPIER_KIND_LIMIT,1.0,1.09);
   ExtState.orders[0].sl=1.04;
   ExtCheck.Same(Made(plan),"buy limit 2.0 1.090 sl 1.040;","the risk is that from the order's own price");
   ArrayResize(ExtState.orders,0);
   Made(plan);
   ExtRules.size=COPIER_SIZE_MULTIPLIER;
   ExtRules.size_value=2;
   ExtRules.copy_tp=false;
   ExtRules.magics="5";
   Places(2,true,COPIER_KIND_LIMIT,1.0,1.09);
   ExtCheck.Same(Made(plan),"","the filters");
   ExtRules.magics="";
   ExtRules.max_age_ms=1000;
   Places(3,false,COPIER_KIND_STOP,1.0,1.09);
   ExtNow=9000000;
   ExtCheck.Same(Made(plan),"sell stop 2.0 1.090;","a pending order has no age, and what was refused stays so");
   ExtRules.pendings=false;
   ExtCheck.Same(Made(later),"","unless pending orders are not copied");
   ExtCheck.Equal(later.Links(),0,"then nothing is decided before they fill");
   Do(plan);
   ExtCheck.Same(Made(plan),"delete 2.0;","copied no more");
  }
//+------------------------------------------------------------------+
//| At the same price, the other way; stops are swapped              |
//+------------------------------------------------------------------+
void Reverse(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.reverse=true;
   Places(1,true,COPIER_KIND_LIMIT,0.5,1.09);
   ExtState.orders[0].sl=1.08;
   ExtState.orders[0].tp=1.12;
   Places(2,false,COPIER_KIND_LIMIT,0.5,1.11);
   Places(3,true,COPIER_KIND_STOP,0.5,1.11);
   Places(4,false,COPIER_KIND_STOP,0.5,1.09);
   Places(5,true,COPIER_KIND_STOP_LIMIT,0.5,1.12);
   ExtState.orders[4].limit_price=1.115;
   ExtCheck.Same(Made(plan),"sell stop 0.5 1.090 sl 1.120 tp 1.080;buy stop 0.5 1.110;sell limit 0.5 1.110;buy limit 0.5 1.090;",
                 "each has its opposite but the stop limit");
   Do(plan);
   ExtCheck.Same(Made(plan),"","all are there");
   ExtState.orders[4].kind=COPIER_KIND_LIMIT;
   ExtState.orders[4].price=1.09;
   ExtState.orders[4].limit_price=0;
   ExtCheck.Same(Made(plan),"sell stop 0.5 1.090;","whose opposite is known once its stop was reached");
  }
//+------------------------------------------------------------------+
//| Nothing is sent that a trade server refuses at this price        |
//+------------------------------------------------------------------+
void Prices(void)
  {
   CCopierPlan plan;
   Begin();
   Places(1,true,COPIER_KIND_LIMIT,0.5,1.102);
   ExtCheck.Same(Made(plan),"","a buy limit at the ask is none");
   ExtCheck.That(plan.Held()!="","it says why");
   ExtSymbols[0].ask=1.103;
   ExtCheck.Same(Made(plan),"buy limit 0.5 1.102;","one tick below it is");
   ExtSymbols[0].stops_level=10;
   ExtCheck.Same(Made(plan),"","but not within the stops level");
   ExtSymbols[0].ask=1.112;
   ExtCheck.Same(Made(plan),"buy limit 0.5 1.102;","at its distance");
   Do(plan);
   ExtState.orders[0].price=1.11;
   ExtCheck.Same(Made(plan),"","a change waits likewise");
   ExtState.orders[0].price=1.101;
   ExtSymbols[0].freeze_level=10;
   ExtCheck.Same(Made(plan),"","frozen");
   ExtSymbols[0].ask=1.113;
   ExtCheck.Same(Made(plan),"modify 1.101;","frozen no more");
   Begin();
   ExtCheck.That(CCopierPending::IsPlaceable(false,COPIER_KIND_LIMIT,1.101,ExtSymbols[0]) &&
                 !CCopierPending::IsPlaceable(false,COPIER_KIND_LIMIT,1.1,ExtSymbols[0]),"a sell limit is above the bid");
   ExtCheck.That(CCopierPending::IsPlaceable(true,COPIER_KIND_STOP,1.103,ExtSymbols[0]) &&
                 !CCopierPending::IsPlaceable(true,COPIER_KIND_STOP,1.102,ExtSymbols[0]),"a buy stop above the ask");
   ExtCheck.That(CCopierPending::IsPlaceable(false,COPIER_KIND_STOP,1.099,ExtSymbols[0]) &&
                 !CCopierPending::IsPlaceable(false,COPIER_KIND_STOP,1.1,ExtSymbols[0]),"a sell stop below the bid");
   ExtCheck.That(CCopierPending::IsPlaceable(true,COPIER_KIND_STOP_LIMIT,1.103,ExtSymbols[0]) &&
                 !CCopierPending::IsPlaceable(false,COPIER_KIND_STOP_LIMIT,1.101,ExtSymbols[0]),"stop limits as stops");
   ExtSymbols[0].bid=0;
   ExtSymbols[0].ask=0;
   ExtCheck.That(!CCopierPending::IsPlaceable(true,COPIER_KIND_STOP,1.103,ExtSymbols[0]),"nothing without a price");
   ExtSymbols[0].bid=-37.63;
   ExtSymbols[0].ask=-37.61;
   ExtCheck.That(CCopierPending::IsPlaceable(true,COPIER_KIND_LIMIT,-38,ExtSymbols[0]) &&
                 !CCopierPending::IsPlaceable(true,COPIER_KIND_LIMIT,-37,ExtSymbols[0]),"a price below zero is one, too");
  }
//+------------------------------------------------------------------+
//| The stop is reached on each side at its own time: one order stays|
//+------------------------------------------------------------------+
void StopLimits(void)
  {
   CCopierPlan plan;
   Begin();
   Places(1,true,COPIER_KIND_STOP_LIMIT,0.5,1.12);
   ExtState.orders[0].limit_price=1.115;
   ExtCheck.Same(Made(plan),"buy stop limit 0.5 1.120 then 1.115;","both prices");
   Do(plan);
   ExtCheck.Same(Made(plan),"","it is there");
   ExtOrders[0].kind=COPIER_KIND_LIMIT;
   ExtOrders[0].price=1.115;
   ExtOrders[0].limit_price=0;
   ExtCheck.Same(Made(plan),"","reached here first");
   ExtOrders[0].kind=COPIER_KIND_STOP_LIMIT;
   ExtOrders[0].price=1.12;
   ExtOrders[0].limit_price=1.115;
   ExtState.orders[0].kind=COPIER_KIND_LIMIT;
   ExtState.orders[0].price=1.115;
   ExtState.orders[0].limit_price=0;
   ExtCheck.Same(Made(plan),"","reached there first");
   ExtState.orders[0].price=1.113;
   ExtCheck.Same(Made(plan),"modify 1.120 then 1.113;","the limit price is the master's");
  }
//+------------------------------------------------------------------+
//| As far as the symbol takes it                                    |
//+------------------------------------------------------------------+
void Expiry(const ENUM_COPIER_EXPIRY master,const ENUM_COPIER_EXPIRY expected,const string what)
  {
   CCopierPlan  plan;
   CopierAction action;
   Places(1,true,COPIER_KIND_LIMIT,0.5,1.09);
   ExtState.orders[0].expiry=master;
   ExtState.orders[0].expires_msc=(master>=COPIER_EXPIRY_TIME ? 1700000000000 : 0);
   Made(plan);
   plan.Action(0,action);
   ExtCheck.Equal(action.expiry,expected,what);
   ExtCheck.Equal(action.expires_msc,expected>=COPIER_EXPIRY_TIME ? 1700000000000 : 0,what+": time");
   Do(plan);
   ExtCheck.Same(Made(plan),"",what+": it stays");
   ArrayResize(ExtState.orders,0);
   ArrayResize(ExtOrders,0);
  }
//+------------------------------------------------------------------+
//| All                                                              |
//+------------------------------------------------------------------+
void Expiries(void)
  {
   CCopierPlan plan;
   Begin();
   Expiry(COPIER_EXPIRY_NONE,COPIER_EXPIRY_NONE,"none");
   Expiry(COPIER_EXPIRY_DAY,COPIER_EXPIRY_DAY,"of the day");
   Expiry(COPIER_EXPIRY_TIME,COPIER_EXPIRY_TIME,"at a time");
   Expiry(COPIER_EXPIRY_DATE,COPIER_EXPIRY_TIME,"the end of a day here is not the end of one there");
   ExtSymbols[0].expires_time=false;
   Expiry(COPIER_EXPIRY_TIME,COPIER_EXPIRY_DATE,"no time, but a date");
   ExtSymbols[0].expires_date=false;
   ExtSymbols[0].expires_day=false;
   Expiry(COPIER_EXPIRY_TIME,COPIER_EXPIRY_NONE,"neither");
   Expiry(COPIER_EXPIRY_DAY,COPIER_EXPIRY_NONE,"no day");
   ExtSymbols[0].expires_day=true;
   ExtSymbols[0].never_expires=false;
   Expiry(COPIER_EXPIRY_NONE,COPIER_EXPIRY_DAY,"only for a day");
   BeginPlaced(plan);
   ExtState.orders[0].expiry=COPIER_EXPIRY_TIME;
   ExtState.orders[0].expires_msc=1700000000000;
   ExtCheck.Same(Made(plan),"modify 1.090;","another expiration");
  }
//+------------------------------------------------------------------+
//| A pending order is an open to come                               |
//+------------------------------------------------------------------+
void Modes(void)
  {
   CCopierPlan plan;
   BeginPlaced(plan);
   ExtRules.mode=COPIER_CLOSE_ONLY;
   Places(2,true,COPIER_KIND_LIMIT,0.5,1.09);
   ExtCheck.Same(Made(plan),"delete 1.0;","close only");
   Do(plan);
   ExtRules.mode=COPIER_ON;
   ExtCheck.Same(Made(plan),"buy limit 1.0 1.090;","on again: what was seen meanwhile stays uncopied");
   Do(plan);
   ExtRules.mode=COPIER_OFF;
   ArrayResize(ExtState.orders,0);
   ExtCheck.Same(Made(plan),"","off touches nothing");
   BeginPlaced(plan);
   FillsHere(1.0);
   ExtRules.mode=COPIER_CLOSE_ONLY;
   ExtCheck.Same(Made(plan),"","what has filled is held in close only, too");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"","and when the master's fills");
  }
//+------------------------------------------------------------------+
//| A wavering equity places nothing again                           |
//+------------------------------------------------------------------+
void GuardsTrip(void)
  {
   CCopierPlan plan;
   BeginPlaced(plan);
   ExtRules.min_equity=900;
   ExtOwn.equity=800;
   ExtCheck.Same(Made(plan),"delete 1.0;","the equity is too low");
   Do(plan);
   ExtOwn.equity=1000;
   ExtCheck.Same(Made(plan),"","recovered: it stays away");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"","and its position");
   BeginPlaced(plan);
   FillsHere(0.4);
   Made(plan);
   ExtRules.min_equity=900;
   ExtOwn.equity=800;
   ExtCheck.Same(Made(plan),"delete 0.6;","what has filled stays");
   ExtRules.guard_closes=true;
   ExtCheck.Same(Made(plan),"close 0.4;delete 0.6;","unless guards close");
   BeginPlaced(plan);
   ExtRules.max_spread=1;
   ExtState.orders[0].price=1.08;
   ExtCheck.Same(Made(plan),"modify 1.080;","a spread keeps no order from being placed or changed");
  }
//+------------------------------------------------------------------+
//| What never fills is never traded with another                    |
//+------------------------------------------------------------------+
void Carried(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.small=COPIER_SMALL_CARRY;
   Places(2,true,COPIER_KIND_LIMIT,0.06,1.09);
   ExtCheck.Same(Made(plan),"","too small to be placed");
   ArrayResize(ExtState.orders,0);
   Places(1,true,COPIER_KIND_LIMIT,0.06,1.09);
   ExtCheck.Same(Made(plan),"","the one that was deleted adds nothing");
   Fills(0.06);
   ExtCheck.Same(Made(plan),"","filled: carried");
   Places(3,true,COPIER_KIND_LIMIT,0.06,1.09);
   ExtCheck.Same(Made(plan),"","an order takes nothing of it");
   ArrayResize(ExtState.orders,0);
   int i=ArraySize(ExtState.positions);
   ArrayResize(ExtState.positions,i+1);
   ExtState.positions[i]=ExtState.positions[0];
   ExtState.positions[i].id=4;
   ExtCheck.Same(Made(plan),"open 0.1;","the next position does");
  }
//+------------------------------------------------------------------+
//| A pending order would meet the symbol's one position             |
//+------------------------------------------------------------------+
void Netting(void)
  {
   CCopierPlan plan;
   CCopierPlan other;
   Begin();
   ExtRules.netting=true;
   Places(1,true,COPIER_KIND_LIMIT,1.0,1.09);
   ExtCheck.Same(Made(plan),"","not to a netting follower");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"open 1.0;","but what it fills");
   Begin();
   ExtState.is_netting=true;
   Places(1,true,COPIER_KIND_LIMIT,1.0,1.09);
   ExtCheck.Same(Made(other),"","nor from a netting master");
   Fills(1.0);
   ExtCheck.Same(Made(other),"open 1.0;","but what it fills");
  }
//+------------------------------------------------------------------+
//| An older master tells nothing of orders; a lost file             |
//+------------------------------------------------------------------+
void Unknown(void)
  {
   CCopierPlan plan;
   CCopierPlan fresh;
   CopierOrder orders[];
   BeginPlaced(plan);
   FillsHere(0.4);
   Made(plan);
   ArrayResize(orders,1);
   orders[0]=ExtState.orders[0];
   ArrayResize(ExtState.orders,0);
   ExtState.has_orders=false;
   ExtCheck.Same(Made(plan),"","nothing is closed or deleted");
   ExtCheck.Equal(plan.Links(),1,"nor forgotten");
   ExtState.has_orders=true;
   ArrayResize(ExtState.orders,1);
   ExtState.orders[0]=orders[0];
   ExtCheck.Same(Made(plan),"","it goes on");
   ExtCheck.Same(Made(fresh),"","a copy that is known by its comment only");
   Fills(1.0);
   ExtCheck.Same(Made(fresh),"delete 0.6;","is followed");
   ArrayResize(ExtState.positions,0);
   CCopierPlan none;
   ExtCheck.Same(Made(none),"close 0.4;delete 0.6;","to its end");
  }
//+------------------------------------------------------------------+
//| Those that mean another thing for a pending order                |
//+------------------------------------------------------------------+
void Retcodes(void)
  {
   ExtCheck.That(CCopierRetcodes::OfPending(TRADE_RETCODE_DONE,true)==COPIER_OUTCOME_DONE &&
                 CCopierRetcodes::OfPending(TRADE_RETCODE_PLACED,true)==COPIER_OUTCOME_DONE,"placed");
   ExtCheck.That(CCopierRetcodes::OfPending(TRADE_RETCODE_TIMEOUT,true)==COPIER_OUTCOME_UNCERTAIN &&
                 CCopierRetcodes::OfPending(TRADE_RETCODE_INVALID_ORDER,false)==COPIER_OUTCOME_UNCERTAIN,"looked after");
   ExtCheck.That(CCopierRetcodes::OfPending(TRADE_RETCODE_INVALID_PRICE,true)==COPIER_OUTCOME_RETRY &&
                 CCopierRetcodes::OfPending(TRADE_RETCODE_FROZEN,false)==COPIER_OUTCOME_RETRY,"tried again at the price of then");
   ExtCheck.That(CCopierRetcodes::OfPending(TRADE_RETCODE_INVALID_EXPIRATION,true)==COPIER_OUTCOME_STOP &&
                 CCopierRetcodes::OfPending(TRADE_RETCODE_LIMIT_ORDERS,true)==COPIER_OUTCOME_STOP,"no repetition helps");
  }
//+------------------------------------------------------------------+
