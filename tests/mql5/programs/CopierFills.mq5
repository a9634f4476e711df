//+------------------------------------------------------------------+
//|                                                  CopierFills.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Pending orders that fill, in either order and in parts, that are
//--- taken away by hand, and that expire.
#property version "1.00"
#include "CopierDesk.mqh"
//+------------------------------------------------------------------+
//| All checks                                                       |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   FilledHereFirst();
   FilledThereFirst();
   FilledInParts();
   ByHand();
   Expired();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| It is kept until the master's fills or is deleted                |
//+------------------------------------------------------------------+
void FilledHereFirst(void)
  {
   CCopierPlan plan;
   BeginPlaced(plan);
   FillsHere(1.0);
   ExtCheck.Same(Made(plan),"","the copy waits for the master's");
   ExtState.orders[0].sl=1.08;
   ExtCheck.Same(Made(plan),"stops;","with the order's stops");
   Do(plan);
   ExtState.orders[0].price=1.07;
   ExtCheck.Same(Made(plan),"","whatever becomes of his price");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"","he fills: the position is there already");
   ArrayResize(ExtState.positions,0);
   ExtCheck.Same(Made(plan),"close 1.0;","closed by the master");
   BeginPlaced(plan);
   FillsHere(1.0);
   Made(plan);
   ArrayResize(ExtState.orders,0);
   ExtCheck.Same(Made(plan),"close 1.0;","deleted by the master: what filled here only is closed");
  }
//+------------------------------------------------------------------+
//| The order goes, then the market by the rules of an open          |
//+------------------------------------------------------------------+
void FilledThereFirst(void)
  {
   CCopierPlan plan;
   BeginPlaced(plan);
   Fills(1.0);
   ExtCheck.Same(Made(plan),"delete 1.0;","first the order goes");
   ExtCheck.Same(Made(plan),"delete 1.0;","and nothing is opened before it is gone");
   ExtCheck.That(plan.Held()!="","it says why");
   Do(plan);
   ExtCheck.Same(Made(plan),"open 1.0;","then the market");
   Do(plan);
   ExtCheck.Same(Made(plan),"","once");
   BeginPlaced(plan);
   Fills(1.0);
   Made(plan);
   FillsHere(1.0);
   ExtCheck.Same(Made(plan),"","it filled here before it could be deleted");
   BeginPlaced(plan);
   ExtRules.max_age_ms=1000;
   Fills(1.0);
   ExtNow+=2000;
   ExtCheck.Same(Made(plan),"delete 1.0;","too late:");
   Do(plan);
   ExtCheck.Same(Made(plan),"","the age of an open counts from the fill");
   BeginPlaced(plan);
   ExtRules.max_slippage=5;
   Fills(1.0);
   ExtCheck.Same(Made(plan),"delete 1.0;","too dear:");
   Do(plan);
   ExtCheck.Same(Made(plan),"","12 points worse than the master's price");
   ExtSymbols[0].ask=1.095;
   ExtCheck.Same(Made(plan),"open 1.0;","5 points");
  }
//+------------------------------------------------------------------+
//| Position and order together never have more than the master's    |
//+------------------------------------------------------------------+
void FilledInParts(void)
  {
   CCopierPlan plan;
   BeginPlaced(plan);
   FillsHere(0.4);
   ExtCheck.Same(Made(plan),"","in part here");
   Fills(0.4);
   ExtCheck.Same(Made(plan),"","and there");
   Fills(0.3);
   ExtCheck.Same(Made(plan),"delete 0.6;","more there: from now on the market");
   Do(plan);
   ExtCheck.Same(Made(plan),"open 0.3;","what he has more");
   Do(plan);
   ExtCheck.Same(Made(plan),"","his rest is pending");
   Fills(0.3);
   ExtCheck.Same(Made(plan),"open 0.3;","and filled");
   BeginPlaced(plan);
   FillsHere(0.7);
   Fills(0.4);
   ExtCheck.Same(Made(plan),"","more here: it stays");
   ArrayResize(ExtState.orders,0);
   ExtCheck.Same(Made(plan),"close 0.3;delete 0.3;","he deletes his rest");
   BeginPlaced(plan);
   Fills(0.4);
   ExtCheck.Same(Made(plan),"delete 1.0;","he begins");
   FillsHere(0.2);
   Made(plan);
   Do(plan);
   ExtCheck.Same(Made(plan),"open 0.2;","in part here, before it was deleted");
   BeginPlaced(plan);
   FillsHere(0.4);
   ArrayResize(ExtState.orders,0);
   ExtCheck.Same(Made(plan),"close 0.4;delete 0.6;","he deletes all of it");
  }
//+------------------------------------------------------------------+
//| What is deleted or closed by hand isn't placed or opened again   |
//+------------------------------------------------------------------+
void ByHand(void)
  {
   CCopierPlan plan;
   CopierLink  link;
   BeginPlaced(plan);
   ArrayResize(ExtOrders,0);
   ExtCheck.Same(Made(plan),"","deleted by hand");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"","nor is it opened when the master's fills");
   plan.Link(0,link);
   ExtCheck.Equal(link.state,COPIER_LINK_CLOSED,"the link knows");
   BeginPlaced(plan);
   FillsHere(1.0);
   Made(plan);
   ArrayResize(ExtHeld,0);
   ExtCheck.Same(Made(plan),"","closed by hand or by a stop, while the master's is pending");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"","and stays so");
   BeginPlaced(plan);
   FillsHere(0.4);
   Made(plan);
   ArrayResize(ExtOrders,0);
   ExtCheck.Same(Made(plan),"","the rest is deleted by hand");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"","and stays away");
   ExtState.positions[0].volume=0.5;
   ExtCheck.Same(Made(plan),"close 0.2;","the ratio is that of what was left");
  }
//+------------------------------------------------------------------+
//| By a clock that isn't the master's                               |
//+------------------------------------------------------------------+
void Expired(void)
  {
   CCopierPlan plan;
   BeginPlaced(plan);
   ArrayResize(ExtOrders,0);
   plan.Unplaced(1,1.0);
   ExtCheck.Same(Made(plan),"","expired here: not placed again");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"open 1.0;","but the master's fill is copied");
   BeginPlaced(plan);
   FillsHere(0.4);
   Made(plan);
   ArrayResize(ExtOrders,0);
   plan.Unplaced(1,0.6);
   ExtCheck.Same(Made(plan),"","what had filled stays");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"open 0.6;","the rest at the market");
   Begin();
   plan.Clear();
   Places(1,true,COPIER_KIND_LIMIT,1.0,1.09);
   Made(plan);
   plan.Unplaced(1,0);
   ExtCheck.Same(Made(plan),"","refused by the trade server: not placed again");
   Fills(1.0);
   ExtCheck.Same(Made(plan),"open 1.0;","but the master's fill is copied");
  }
//+------------------------------------------------------------------+
