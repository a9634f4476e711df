//+------------------------------------------------------------------+
//|                                                CopierPending.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Random masters whose pending orders are placed, changed, deleted
//--- and filled in parts, against a follower whose orders fill at
//--- other times, expire, or are taken away by hand, whose requests
//--- fail, and who is restarted. At no time does he hold and have
//--- pending more than the rules say; after quiet he has just that.
#property version "1.00"
#include "CopierModel.mqh"
input int InpSeed=1;      // First seed
input int InpRounds=200;  // Sequences, a seed each
//+------------------------------------------------------------------+
//| One sequence                                                     |
//+------------------------------------------------------------------+
class CSequence : public CModel
  {
private:
   CopierRules       m_rules;

public:
                     CSequence(const int seed);
   string            Run(void);

private:
   int               Deliver(const int reliability);
   void              Price(const double bid);
   void              CheckBounds(void);
   void              CheckEnd(void);
   void              CheckId(const long id,const double filled,const double rest);
   void              CheckOrder(const CopierOrder &order);
   double            HeldOf(const long id,const bool is_buy) const;
   double            PendingOf(const long id) const;
  };
//+------------------------------------------------------------------+
//| Random rules                                                     |
//+------------------------------------------------------------------+
CSequence::CSequence(const int seed)
  {
   MathSrand(seed);
   m_state.server="S";
   m_state.login=1;
   m_state.sequence=0;
   m_state.time_msc=0;
   m_state.waited_ms=0;
   m_state.has_orders=true;
   m_state.is_netting=false;
   m_state.funds.balance=10000;
   m_state.funds.equity=10000;
   m_state.funds.free_margin=10000;
   Symbol("EURUSD",0.01,0.01);
   Symbol("US500",0.05,0.01);
   CCopierRules::Defaults(m_rules);
   m_rules.pendings=Chance(90);
   m_rules.size_value=0.5*(1+Random(4));
   m_rules.small=COPIER_SMALL_MINIMUM;
   m_rules.reverse=Chance(30);
   m_rules.copy_sl=Chance(80);
   m_rules.existing=COPIER_EXISTING_COPY;
   m_rules.volume_max=(Chance(20) ? 0.5 : 0);
  }
//+------------------------------------------------------------------+
//| Gives the follower the state; so many percent of the actions are |
//| carried out. Returns how many there were                         |
//+------------------------------------------------------------------+
int CSequence::Deliver(const int reliability)
  {
   CopierState state;
   string      error="";
   m_state.sequence++;
   if(!CCopierState::Read(CCopierState::Write(m_state),state,error))
      Fault(error);
   int count=m_plan.Make(state,m_rules,m_symbols,m_state.funds,m_held,m_orders,1000000,false);
   for(int i=0; i<m_plan.Links(); i++)
     {
      CopierLink link;
      m_plan.Link(i,link);
      int known=FindKnown(link.id);
      if(m_known[known].decided>0)
         continue;
      m_known[known].decided=link.master_volume;
      m_known[known].is_open=(link.state==COPIER_LINK_OPEN);
      //--- one that had filled in part before has more to come
      int    position=CCopierState::Find(state,link.id);
      int    order=CCopierState::FindOrder(state,link.id);
      double total=(position<0 ? 0 : state.positions[position].volume)+(order<0 ? 0 : state.orders[order].volume);
      double most=MathMin(link.volume*total/link.master_volume,m_rules.volume_max>0 ? m_rules.volume_max : 2);
      m_known[known].most=MathMax(most,m_symbols[SymbolOf(link.symbol)].volume_min);
     }
   for(int i=0; i<count; i++)
     {
      CopierAction action;
      m_plan.Action(i,action);
      if(reliability<100 && Chance(15))
         FollowerFills();
      if(Chance(reliability))
         Execute(action,reliability==100 || Chance(80));
      CheckBounds();
     }
   return(count);
  }
//+------------------------------------------------------------------+
//| On one side                                                      |
//+------------------------------------------------------------------+
double CSequence::HeldOf(const long id,const bool is_buy) const
  {
   double sum=0;
   for(int i=0; i<ArraySize(m_held); i++)
      if(m_held[i].id==id && m_held[i].is_buy==is_buy)
         sum+=m_held[i].volume;
   return(NormalizeDouble(sum,8));
  }
//+------------------------------------------------------------------+
//| What is not filled yet                                           |
//+------------------------------------------------------------------+
double CSequence::PendingOf(const long id) const
  {
   double sum=0;
   for(int i=0; i<ArraySize(m_orders); i++)
      if(m_orders[i].id==id)
         sum+=m_orders[i].volume;
   return(NormalizeDouble(sum,8));
  }
//+------------------------------------------------------------------+
//| Never both: an order and the market for the same                 |
//+------------------------------------------------------------------+
void CSequence::CheckBounds(void)
  {
   for(int i=0; i<ArraySize(m_known) && m_fault==""; i++)
     {
      double sum=HeldOf(m_known[i].id,true)+HeldOf(m_known[i].id,false)+PendingOf(m_known[i].id);
      if(sum>m_known[i].most+0.000001)
         Fault(StringFormat("%I64d: %.2f lots held and pending, not %.2f",m_known[i].id,sum,m_known[i].most));
     }
  }
//+------------------------------------------------------------------+
//| Orders that can't be placed or moved for a while                 |
//+------------------------------------------------------------------+
void CSequence::Price(const double bid)
  {
   for(int i=0; i<ArraySize(m_symbols); i++)
     {
      m_symbols[i].bid=bid;
      m_symbols[i].ask=bid+0.02;
     }
  }
//+------------------------------------------------------------------+
//| The sequence, then quiet                                         |
//+------------------------------------------------------------------+
string CSequence::Run(void)
  {
   for(int step=0; step<60 && m_fault==""; step++)
     {
      MasterMoves();
      if(Chance(25))
         FollowerFills();
      if(Chance(7))
         FollowerLoses();
      if(Chance(10))
         Restart();
      if(Chance(20))
         Price(100+(Random(201)-100)*0.01);
      m_rules.mode=(Chance(10) ? COPIER_CLOSE_ONLY : COPIER_ON);
      //--- nothing is first seen in a mode that refuses it
      if(m_rules.mode==COPIER_CLOSE_ONLY)
        {
         m_rules.mode=COPIER_ON;
         Deliver(70);
         m_rules.mode=COPIER_CLOSE_ONLY;
        }
      if(Chance(60) || m_rules.mode!=COPIER_ON)
         Deliver(70);
     }
   m_rules.mode=COPIER_ON;
   Price(100);
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
      if(CCopierState::Find(m_state,m_held[i].id)<0 && CCopierState::FindOrder(m_state,m_held[i].id)<0)
         Fault(StringFormat("%I64d is left open",m_held[i].id));
   for(int i=0; i<ArraySize(m_orders); i++)
      if(CCopierState::FindOrder(m_state,m_orders[i].id)<0)
         Fault(StringFormat("%I64d is left pending",m_orders[i].id));
   for(int i=0; i<ArraySize(m_state.positions); i++)
     {
      int order=CCopierState::FindOrder(m_state,m_state.positions[i].id);
      CheckId(m_state.positions[i].id,m_state.positions[i].volume,order<0 ? 0 : m_state.orders[order].volume);
      if(HeldOf(m_state.positions[i].id,m_state.positions[i].is_buy==m_rules.reverse)>0)
         Fault(StringFormat("%I64d: held on the other side",m_state.positions[i].id));
     }
   for(int i=0; i<ArraySize(m_state.orders); i++)
     {
      CheckOrder(m_state.orders[i]);
      if(CCopierState::Find(m_state,m_state.orders[i].id)<0)
         CheckId(m_state.orders[i].id,0,m_state.orders[i].volume);
     }
  }
//+------------------------------------------------------------------+
//| Volumes, reckoned anew from the rules in hundredths of a lot     |
//+------------------------------------------------------------------+
void CSequence::CheckId(const long id,const double filled,const double rest)
  {
   int    known=FindKnown(id);
   string name=StringFormat("%I64d: ",id);
   int    link=m_plan.FindLink(id);
   long   held=(long)MathRound((HeldOf(id,true)+HeldOf(id,false))*100);
   long   pending=(long)MathRound(PendingOf(id)*100);
   if(pending>0 && !m_rules.pendings)
      Fault(name+"pending against the rules");
   if(link<0)
     {
      if(filled>0 || m_rules.pendings)
         Fault(name+"no link");
      return;
     }
   CopierLink linked;
   m_plan.Link(link,linked);
   if(linked.state==COPIER_LINK_CLOSED && (held>0 || pending>0))
      Fault(name+"held or pending, though it was taken away by hand");
   if(m_known[known].is_touched)
      return;
   if(linked.state!=COPIER_LINK_OPEN)
      Fault(name+"not copied: "+linked.reason);
   long least=(linked.symbol=="EURUSD" ? 1 : 5);
   long opened=(long)MathFloor(m_known[known].decided*100*m_rules.size_value+0.0001);
   long cap=(m_rules.volume_max>0 ? 50 : 200);
   opened=MathMax(MathMin(opened,cap),least);
   long wanted=(filled>0 ? (long)MathMax((double)least,MathMin((double)cap,MathFloor((double)opened*filled/m_known[known].decided+0.0001))) : 0);
   long most=(long)MathMax((double)least,MathMin((double)cap,MathFloor((double)opened*(filled+rest)/m_known[known].decided+0.0001)));
   //--- an addition below the minimum waits, and so does a reduction
   if(held<wanted-least+1 || held+pending>most+least-1)
      Fault(name+StringFormat("holds %I64d with %I64d pending, not %I64d to %I64d",held,pending,wanted,most));
   if(filled==0 && linked.pending==COPIER_PENDING_WANTED && pending>0 && held+pending!=most)
      Fault(name+StringFormat("holds %I64d with %I64d pending, not %I64d",held,pending,most));
  }
//+------------------------------------------------------------------+
//| An order that was never touched has what the master's has        |
//+------------------------------------------------------------------+
void CSequence::CheckOrder(const CopierOrder &order)
  {
   int    known=FindKnown(order.id);
   string name=StringFormat("order %I64d, %s: ",order.id,CCopierOrder::Name(order.is_buy,order.kind));
   int    found=-1;
   for(int i=0; i<ArraySize(m_orders); i++)
      if(m_orders[i].id==order.id)
        {
         if(found>=0)
            Fault(name+"twice");
         found=i;
        }
   int  symbol=SymbolOf(order.symbol);
   bool is_buy=(order.is_buy!=m_rules.reverse);
   bool is_limit=(order.kind==COPIER_KIND_LIMIT);
   if(found<0)
     {
      //--- nothing of it is filled on either side, so it must be there if its price can be
      bool is_clear=(HeldOf(order.id,is_buy)==0 && CCopierState::Find(m_state,order.id)<0 && !m_known[known].is_touched);
      ENUM_COPIER_KIND kind=order.kind;
      if(m_rules.reverse)
         kind=(is_limit ? COPIER_KIND_STOP : COPIER_KIND_LIMIT);
      int link=m_plan.FindLink(order.id);
      if(!is_clear || link<0 || !m_rules.pendings || (m_rules.reverse && order.kind==COPIER_KIND_STOP_LIMIT))
         return;
      CopierLink linked;
      m_plan.Link(link,linked);
      if(linked.pending==COPIER_PENDING_WANTED && CCopierPending::IsPlaceable(is_buy,kind,order.price,m_symbols[symbol]))
         Fault(name+"not placed");
      return;
     }
   if(m_orders[found].is_buy!=is_buy)
      Fault(name+"on the other side");
   if(!m_rules.reverse && (m_orders[found].kind==COPIER_KIND_STOP)!=(order.kind==COPIER_KIND_STOP))
      Fault(name+"of another kind");
//--- stops go with the price that they belong to: neither is changed while the market is in the way of the price
   bool   is_reached=(m_orders[found].kind==COPIER_KIND_LIMIT && order.kind==COPIER_KIND_STOP_LIMIT);
   double price=(is_reached ? order.limit_price : order.price);
   bool   is_moved=(MathAbs(m_orders[found].price-price)>0.001);
   if(is_moved && !CCopierPending::IsPlaceable(is_buy,m_orders[found].kind,price,m_symbols[symbol]))
      return;
   double sl=(m_rules.copy_sl ? order.sl : 0);
   if(MathAbs(m_orders[found].sl-(m_rules.reverse ? order.tp : sl))>0.001 || MathAbs(m_orders[found].tp-(m_rules.reverse ? sl : order.tp))>0.001)
      Fault(name+"other stops");
   if(is_moved && m_orders[found].kind!=COPIER_KIND_STOP_LIMIT)
      Fault(name+StringFormat("at %.2f, not %.2f",m_orders[found].price,price));
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
