//+------------------------------------------------------------------+
//|                                                  CopierParts.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Positions that are turned, or reduced by parts that a trade
//--- server wants whole, old or in an order of its own.
#property version "1.00"
#include "CopierDesk.mqh"
//+------------------------------------------------------------------+
//| All checks                                                       |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   TurnedInSteps();
   TurnedToASideThatIsNotCopied();
   ReducedByLessThanTheMinimum();
   OldestFirst();
   FilledInPart();
   RestThatIsTooOld();
   FiguresThatComeLater();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| The master's only position                                       |
//+------------------------------------------------------------------+
void Has(const bool is_buy,const double volume)
  {
   if(ArraySize(ExtState.positions)==0)
     {
      ArrayResize(ExtState.positions,1);
      ExtState.positions[0].id=1;
      ExtState.positions[0].symbol="EURUSD";
      ExtState.positions[0].price=1.1;
      ExtState.positions[0].sl=0;
      ExtState.positions[0].tp=0;
      ExtState.positions[0].time_msc=ExtNow;
      ExtState.positions[0].magic=0;
      ExtState.positions[0].comment="";
      ExtState.positions[0].contract_size=100000;
      ExtState.positions[0].via="";
     }
   ExtState.positions[0].is_buy=is_buy;
   ExtState.positions[0].volume=volume;
  }
//+------------------------------------------------------------------+
//| The market has given a part, and nothing since                   |
//+------------------------------------------------------------------+
void RestThatIsTooOld(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.max_age_ms=60000;
   Has(true,1.0);
   ExtCheck.Same(Made(plan),"open 1.0;","a buy");
   Hold(1,true,0.2);
   CopierAction action;
   plan.Action(0,action);
   plan.Opened(action,0.2);
   ExtNow+=60000;
   ExtCheck.Same(Made(plan),"open 0.8;","the rest, after a minute");
   ExtNow+=1;
   ExtSymbols[0].is_uncertain=true;
   ExtCheck.Same(Made(plan),"","too old, unless it is on its way");
   ExtSymbols[0].is_uncertain=false;
   ExtCheck.Same(Made(plan),"","too old");
   ExtCheck.That(plan.Held()!="","it is told");
   string again=Made(plan);
   ExtCheck.Same(again+plan.Held(),"","for good");
   Has(true,0.5);
   ExtCheck.Same(Made(plan),"close 0.1;","half of what is there goes with half of the master's");
   ExtHeld[0].volume=0.1;
   Made(plan);
   Has(true,2.0);
   ExtCheck.Same(Made(plan),"open 0.3;","and what he adds is added");
  }
//+------------------------------------------------------------------+
//| A terminal that has just started may not know all of a symbol    |
//+------------------------------------------------------------------+
void FiguresThatComeLater(void)
  {
   CCopierPlan plan;
   Begin();
   Has(true,1.0);
   ExtState.positions[0].contract_size=0;
   ExtCheck.Same(Made(plan),"","without the master's contract size");
   ExtCheck.Same(plan.Held(),"waiting for the contract size of EURUSD","the master's");
   ExtState.positions[0].contract_size=50000;
   ExtSymbols[0].contract_size=0;
   ExtCheck.Same(Made(plan),"","without the follower's contract size");
   ExtCheck.Same(plan.Held(),"waiting for the contract size of EURUSD","the follower's");
   ExtSymbols[0].contract_size=100000;
   ExtSymbols[0].tick_size=0;
   ExtCheck.Same(Made(plan),"open 0.5;","both");
   Do(plan);
   ExtCheck.Same(Made(plan),"","stops that are the same, without a tick size");
   Begin();
   plan.Clear();
   ExtSymbols[0].contract_size=0;
   Has(true,1.0);
   ExtState.positions[0].contract_size=0;
   ExtCheck.Same(Made(plan),"open 1.0;","neither has one: lots are lots");
  }
//+------------------------------------------------------------------+
//| A netting master keeps identifier and time when it turns         |
//+------------------------------------------------------------------+
void TurnedInSteps(void)
  {
   CCopierPlan plan;
   CopierLink  link;
   Begin();
   ExtState.is_netting=true;
   ExtRules.max_age_ms=60000;
   Has(true,1.0);
   ExtCheck.Same(Made(plan),"open 1.0;","a buy");
   Do(plan);
   Made(plan);
   ExtNow+=3600000;
   Has(false,0.5);
   ExtCheck.Same(Made(plan),"close 1.0;open 0.5;","an hour later a turn");
   ArrayResize(ExtHeld,0);
   ExtNow+=1000;
   ExtCheck.Same(Made(plan),"open 0.5;","closed, and the open requoted: it is a second old");
   ExtNow+=60000;
   ExtCheck.Same(Made(plan),"","and too old after a minute");
   plan.Link(0,link);
   ExtCheck.Equal(link.state,COPIER_LINK_IGNORED,"as any other");
  }
//+------------------------------------------------------------------+
//| Filters are asked once, and a turn brings the other side         |
//+------------------------------------------------------------------+
void TurnedToASideThatIsNotCopied(void)
  {
   for(int course=0; course<4; course++)
     {
      CCopierPlan plan;
      CopierLink  link;
      bool        is_buy=(course%2==0);
      Begin();
      ExtState.is_netting=true;
      ExtRules.netting=(course>=2);
      ExtRules.buys=is_buy;
      ExtRules.sells=!is_buy;
      Has(is_buy,1.0);
      ExtCheck.Same(Made(plan),"open 1.0;","the side that is copied");
      Hold(ExtRules.netting ? COPIER_NET : 1,is_buy,1.0);
      CopierAction action;
      plan.Action(0,action);
      plan.Opened(action,1.0);
      ExtCheck.Same(Made(plan),"","it is there");
      Has(!is_buy,1.0);
      ExtCheck.Same(Made(plan),"close 1.0;","turned to the other one");
      ExtCheck.Same(Made(plan),"close 1.0;","until it is closed");
      ArrayResize(ExtHeld,0);
      ExtCheck.Same(Made(plan),"","which isn't copied");
      plan.Link(0,link);
      ExtCheck.Same(link.reason,"turned by the master to a side that is not copied","it is told");
      Has(is_buy,2.0);
      ExtCheck.Same(Made(plan),"","and stays closed");
     }
  }
//+------------------------------------------------------------------+
//| A part is an order, too: it has the minimum at least             |
//+------------------------------------------------------------------+
void ReducedByLessThanTheMinimum(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.netting=true;
   ExtSymbols[0].volume_min=0.3;
   Has(true,1.0);
   ExtCheck.Same(Made(plan),"open 1.0;","netting: a buy");
   Hold(COPIER_NET,true,1.0);
   Made(plan);
   Has(true,0.8);
   ExtCheck.Same(Made(plan),"","less than the minimum can't be closed");
   Has(true,0.7);
   ExtCheck.Same(Made(plan),"close 0.3;","the minimum can");
   ExtHeld[0].volume=0.7;
   Made(plan);
   Has(true,0.5);
   ExtCheck.Same(Made(plan),"","again too little");
   ArrayResize(ExtState.positions,0);
   ExtCheck.Same(Made(plan),"close 0.7;","all of it");
  }
//+------------------------------------------------------------------+
//| What is too old to be opened isn't what was opened in part       |
//+------------------------------------------------------------------+
void FilledInPart(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.netting=true;
   ExtRules.max_age_ms=60000;
   Has(true,1.0);
   Made(plan);
   Hold(COPIER_NET,true,1.0);
   Made(plan);
   ArrayResize(ExtState.positions,2);
   ExtState.positions[1]=ExtState.positions[0];
   ExtState.positions[1].id=2;
   ExtState.positions[1].volume=0.5;
   ExtCheck.Same(Made(plan),"open 0.5;","a second one");
   ExtHeld[0].volume=1.2;
   ExtNow+=61000;
   ExtCheck.Same(Made(plan),"open 0.3;","of which a part was there in time: the rest is wanted, and the part stays");
   ExtHeld[0].volume=1.5;
   Made(plan);
   ArrayResize(ExtState.positions,3);
   ExtState.positions[2]=ExtState.positions[1];
   ExtState.positions[2].id=3;
   ExtCheck.Same(Made(plan),"","a third one that is too old when it is seen");
  }
//+------------------------------------------------------------------+
//| Where the oldest position is closed first, and where the newest  |
//+------------------------------------------------------------------+
void OldestFirst(void)
  {
   CCopierPlan  plan;
   CopierAction action;
   Begin();
   Has(true,1.0);
   Made(plan);
   Hold(1,true,0.4);
   Hold(1,true,0.6);
   Made(plan);
   Has(true,0.8);
   ExtCheck.Same(Made(plan),"close 0.2;","a part");
   plan.Action(0,action);
   ExtCheck.That(action.ticket==ExtHeld[1].ticket,"of the newest copy");
   ExtRules.fifo=true;
   ExtCheck.Same(Made(plan),"close 0.2;","with FIFO a part");
   plan.Action(0,action);
   ExtCheck.That(action.ticket==ExtHeld[0].ticket,"of the oldest copy");
   Has(true,0.5);
   ExtCheck.Same(Made(plan),"close 0.4;close 0.1;","the oldest goes whole before the next");
   Has(true,0.65);
   ExtSymbols[0].volume_min=0.2;
   ExtSymbols[0].volume_step=0.05;
   ExtCheck.Same(Made(plan),"close 0.2;","or keeps the minimum, and then the next has to wait");
  }
//+------------------------------------------------------------------+
