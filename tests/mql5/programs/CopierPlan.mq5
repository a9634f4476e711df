//+------------------------------------------------------------------+
//|                                                   CopierPlan.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Random masters against a follower whose orders fail, who is
//--- restarted and who closes by hand: after quiet he holds what the
//--- rules say. The model of the follower is a list; no trade server.
#property version "1.00"
#include "CopierHedge.mqh"
input int InpSeed=1;      // First seed
input int InpRounds=200;  // Sequences, a seed each
//+------------------------------------------------------------------+
//| One sequence                                                     |
//+------------------------------------------------------------------+
class CSequence : public CHedge
  {
private:
   CopierRules       m_rules;
   bool              m_first;

public:
                     CSequence(const int seed);
   string            Run(void);

private:
   int               Deliver(const int reliability);
   void              CheckActions(void);
   void              CheckEnd(void);
   void              CheckPosition(const CopierPosition &position);
   bool              WasHalted(const long id) const;
  };
//+------------------------------------------------------------------+
//| Random rules                                                     |
//+------------------------------------------------------------------+
CSequence::CSequence(const int seed) : m_first(true)
  {
   MathSrand(seed);
   m_state.server="S";
   m_state.login=1;
   m_state.sequence=0;
   m_state.time_msc=0;
   m_state.has_orders=false;
   m_state.is_netting=false;
   m_state.funds.balance=10000;
   m_state.funds.equity=10000;
   m_state.funds.free_margin=10000;
   Symbol("EURUSD",0.01,0.01);
   Symbol("XAUUSD.a",0.1,0.1);
   Symbol("US500",0.05,0.01);
   CCopierRules::Defaults(m_rules);
   m_rules.size_value=0.25*(1+Random(8));
   m_rules.small=(ENUM_COPIER_SMALL)Random(2);
   m_rules.reverse=Chance(30);
   m_rules.copy_sl=Chance(80);
   m_rules.copy_tp=Chance(80);
   m_rules.existing=(Chance(50) ? COPIER_EXISTING_COPY : COPIER_EXISTING_SKIP);
   m_rules.buys=Chance(90);
   m_rules.denied=(Chance(20) ? "US500" : "");
   m_rules.volume_max=(Chance(20) ? 0.5 : 0);
  }
//+------------------------------------------------------------------+
//| Gives the follower the state, as text; each action is carried    |
//| out with that many percent. Returns how many there were          |
//+------------------------------------------------------------------+
int CSequence::Deliver(const int reliability)
  {
   CopierState state;
   string      error="";
   CopierFunds own;
   own.balance=10000;
   own.equity=10000;
   own.free_margin=10000;
   m_state.sequence++;
   if(!CCopierState::Read(CCopierState::Write(m_state),state,error))
      Fault(error);
   int count=m_plan.Make(state,m_rules,m_symbols,own,m_held,m_orders,m_now,m_first);
   m_first=false;
   CheckActions();
   for(int i=0; i<ArraySize(m_known); i++)
      if(m_known[i].decided==0)
        {
         int position=CCopierState::Find(state,m_known[i].id);
         int link=m_plan.FindLink(m_known[i].id);
         if(position<0 || link<0)
            continue;
         CopierLink decided;
         m_plan.Link(link,decided);
         m_known[i].decided=state.positions[position].volume;
         m_known[i].is_open=(decided.state==COPIER_LINK_OPEN);
         m_known[i].grown=false;
        }
   for(int i=0; i<count; i++)
     {
      CopierAction action;
      m_plan.Action(i,action);
      if(Chance(reliability))
         Execute(action);
     }
   return(count);
  }
//+------------------------------------------------------------------+
//| No action is one that a server would refuse                      |
//+------------------------------------------------------------------+
void CSequence::CheckActions(void)
  {
   bool opened=false;
   CopierAction action;
   for(int i=0; m_fault=="" && i<m_plan.Links()+100; i++)
     {
      if(i>=m_plan.Actions())
         break;
      m_plan.Action(i,action);
      int symbol=0;
      while(symbol<ArraySize(m_symbols) && m_symbols[symbol].name!=action.symbol)
         symbol++;
      if(symbol==ArraySize(m_symbols))
        {
         Fault("an action on the symbol "+action.symbol);
         break;
        }
      double steps=action.volume/m_symbols[symbol].volume_step;
      int    held=FindHeld(action.ticket);
      if(MathAbs(steps-MathRound(steps))>0.000001)
         Fault(StringFormat("%.8f lots are no multiple of the step",action.volume));
      switch(action.action)
        {
         case COPIER_ACTION_OPEN:
            opened=true;
            if(action.volume<m_symbols[symbol].volume_min-0.00000001 || action.volume>m_symbols[symbol].volume_max)
               Fault(StringFormat("opens %.8f lots",action.volume));
            break;
         case COPIER_ACTION_CLOSE:
            if(opened)
               Fault("a close after an open");
            if(held<0 || action.volume>m_held[held].volume+0.00000001)
               Fault("closes what is not there");
            break;
         case COPIER_ACTION_STOPS:
            if(held<0)
               Fault("stops of what is not there");
            break;
         default:
            Fault("there are no pending orders");
        }
     }
  }
//+------------------------------------------------------------------+
//| The sequence, then quiet                                         |
//+------------------------------------------------------------------+
string CSequence::Run(void)
  {
   int before=Random(3);
   for(int i=0; i<before; i++)
      MasterOpens();
   for(int step=0; step<40 && m_fault==""; step++)
     {
      m_now+=Random(5000);
      MasterMoves();
      if(Chance(10))
         UserMoves();
      if(Chance(10))
         Restart();
      if(Chance(60))
         Deliver(70);
     }
   int passes=0;
   while(m_fault=="" && Deliver(100)>0)
     {
      passes++;
      if(passes>10)
         Fault("no end of actions");
     }
   if(m_fault=="")
      CheckEnd();
   return(m_fault);
  }
//+------------------------------------------------------------------+
//| After quiet                                                      |
//+------------------------------------------------------------------+
void CSequence::CheckEnd(void)
  {
   for(int i=0; i<ArraySize(m_held); i++)
      if(CCopierState::Find(m_state,m_held[i].id)<0)
         Fault(StringFormat("%I64d is left open",m_held[i].id));
   for(int i=0; i<ArraySize(m_state.positions); i++)
      CheckPosition(m_state.positions[i]);
   if(m_plan.Links()!=ArraySize(m_state.positions))
      Fault(StringFormat("%d links for %d positions",m_plan.Links(),ArraySize(m_state.positions)));
  }
//+------------------------------------------------------------------+
//| One position of the master: reckoned anew from the rules         |
//+------------------------------------------------------------------+
void CSequence::CheckPosition(const CopierPosition &position)
  {
   int    known=FindKnown(position.id);
   bool   is_buy=(position.is_buy!=m_rules.reverse);
   double volume=HeldOf(position.id,is_buy);
   string name=StringFormat("position %I64d of %s: ",position.id,position.symbol);
   if(HeldOf(position.id,!is_buy)>0)
      Fault(name+"held on the other side");
   if(!m_known[known].is_open && volume>0)
      Fault(name+"held, but not to be copied");
   if(position.symbol=="UNKNOWN" || position.symbol==m_rules.denied)
     {
      if(volume>0)
         Fault(name+"held against the rules");
      return;
     }
   for(int i=0; i<ArraySize(m_held); i++)
     {
      if(m_held[i].id!=position.id)
         continue;
      double sl=(m_rules.copy_sl ? position.sl : 0);
      double tp=(m_rules.copy_tp ? position.tp : 0);
      if(MathAbs(m_held[i].sl-(m_rules.reverse ? tp : sl))>0.001 || MathAbs(m_held[i].tp-(m_rules.reverse ? sl : tp))>0.001)
         Fault(name+"other stops");
     }
   if(!m_known[known].is_open || m_known[known].by_hand)
      return;
   if(position.is_buy && !m_rules.buys)
     {
      if(volume>0)
         Fault(name+"turned to a side that isn't copied, and held");
      return;
     }
   if(volume<=0 && !(WasHalted(position.id) && m_known[known].grown && !m_rules.buys))
      Fault(name+"not held");
   if(volume<=0)
      return;
//--- the volume, where only this position's own course decides it
   int symbol=(position.symbol=="EURUSD" ? 0 : (position.symbol=="XAUUSD" ? 1 : 2));
   if(m_known[known].grown || TicketsOf(position.id)!=1)
      return;
   long   step=(symbol==1 ? 10 : 1);
   long   least=(symbol==0 ? 1 : (symbol==1 ? 10 : 5));
   long   most=(m_rules.volume_max>0 ? 50 : 200);
   long   opened=(long)MathFloor(m_known[known].decided*100*m_rules.size_value+0.0001);
   opened=MathMin(opened,most)/step*step;
   opened=MathMax(opened,least);
   long   wanted=(long)MathFloor((double)opened*position.volume/m_known[known].decided/(double)step+0.0001)*step;
   wanted=MathMax(wanted,least);
   long   found=(long)MathRound(volume*100);
//--- a part smaller than the minimum can't be closed: it waits
   if(found<wanted || found-wanted>=least)
      Fault(name+StringFormat("%I64d hundredths of a lot, not %I64d",found,wanted));
  }
//+------------------------------------------------------------------+
//| Was the turn to the other side seen?                             |
//+------------------------------------------------------------------+
bool CSequence::WasHalted(const long id) const
  {
   CopierLink link;
   m_plan.Link(m_plan.FindLink(id),link);
   return(link.state==COPIER_LINK_HALTED);
  }
//+------------------------------------------------------------------+
//| All sequences                                                    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   int failed=0;
   for(int i=0; i<InpRounds && !IsStopped(); i++)
     {
      CSequence sequence(InpSeed+i);
      string    fault=sequence.Run();
      if(fault!="")
        {
         failed++;
         PrintFormat("seed %d: %s",InpSeed+i,fault);
        }
     }
   PrintFormat("%d sequences, %d failed",InpRounds,failed);
  }
//+------------------------------------------------------------------+
