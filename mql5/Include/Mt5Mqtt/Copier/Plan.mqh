//+------------------------------------------------------------------+
//|                                                         Plan.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_PLAN_MQH
#define MT5MQTT_COPIER_PLAN_MQH
#include "Copies.mqh"
#include "Ledger.mqh"
#include "Net.mqh"
#include "Pending.mqh"
//+------------------------------------------------------------------+
//| Class CCopierPlan.                                               |
//| Appointment: compares what one master has with what a follower   |
//|              holds of it, and says what is to be done.           |
//|                                                                  |
//| Nothing is remembered of actions: the next call sees what came   |
//| of them. So an answer that was lost, a failure or a restart      |
//| heals by itself, if the links are kept and each copy can be told |
//| (CopierHeld::id). Closes come first, then stops, then opens.     |
//| A pending order and the position that it becomes are one link.   |
//| Nothing here asks the terminal.                                  |
//+------------------------------------------------------------------+
class CCopierPlan : public CCopierLedger
  {
private:
   CopierAction      m_actions[];
   string            m_tripped;            // why nothing is opened, empty = it is
   string            m_waiting;            // why something isn't opened yet

public:
                     CCopierPlan(void) : m_tripped(""),m_waiting("") { }
   //--- is_first: this follower has never seen a state of this master
   int               Make(const CopierState &state,const CopierRules &given,const CopierSymbol &symbols[],
                          const CopierFunds &own,const CopierHeld &held[],const CopierHeldOrder &orders[],
                          const long now_msc,const bool is_first);
   int               Actions(void) const                                { return(ArraySize(m_actions)); }
   void              Action(const int index,CopierAction &action) const { action=m_actions[index];      }
   //--- after Make(): what keeps opens from being sent, empty if nothing does
   string            Held(void) const                                   { return(m_tripped!="" ? m_tripped : m_waiting); }

private:
   void              Halt(CopierRules &rules);
   void              Forget(const CopierState &state,const CopierHeld &held[],const CopierHeldOrder &orders[]);
   void              Decide(const CopierPosition &position,const bool is_pending,const CopierState &state,const CopierRules &rules,
                            const CopierSymbol &symbols[],const CopierFunds &own,const long now_msc,const bool is_first);
   void              Undecided(CopierLink &link,const bool is_before,const string waiting);
   string            OpenRefusal(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,
                                 const long now_msc,const bool is_first) const;
   bool              IsGone(const CopierState &state,const long id) const;
   void              CloseGone(const CopierState &state,const CopierHeld &held[]);
   void              DeleteGone(const CopierState &state,const CopierHeldOrder &orders[]);
   void              Keep(CopierLink &link,const CopierPosition &position,const double filled,const CopierState &state,
                          const CopierRules &rules,const CopierSymbol &symbols[],const CopierHeld &held[],
                          const CopierHeldOrder &orders[],const long now_msc);
  };
//+------------------------------------------------------------------+
//| Returns how many actions there are                               |
//+------------------------------------------------------------------+
int CCopierPlan::Make(const CopierState &state,const CopierRules &given,const CopierSymbol &symbols[],
                      const CopierFunds &own,const CopierHeld &held[],const CopierHeldOrder &orders[],const long now_msc,const bool is_first)
  {
   CopierRules rules=given;
   string      account=CCopierOrigin::Account(state.login,state.server);
   ArrayResize(m_actions,0);
   m_tripped="";
   m_waiting="";
   if(rules.mode==COPIER_OFF)
      return(0);
   rules.pendings=(rules.pendings && !rules.netting && !state.is_netting);
   Forget(state,held,orders);
   m_tripped=CCopierGuards::Look(rules,own,m_guard);
   if(m_tripped!="")
      Halt(rules);
   Turn(state,rules);
   if(!rules.netting)
      CloseGone(state,held);
   for(int i=0; i<ArraySize(state.positions); i++)
     {
      int link=FindLink(state.positions[i].id);
      if(link<0 || m_links[link].state==COPIER_LINK_BEFORE)
        {
         Decide(state.positions[i],false,state,rules,symbols,own,now_msc,is_first);
         link=FindLink(state.positions[i].id);
         if(link<0)
            continue;
        }
      m_links[link].via=CCopierOrigin::Join(state.positions[i].via,account);
      if(m_links[link].state==COPIER_LINK_OPEN && !rules.netting)
         Keep(m_links[link],state.positions[i],state.positions[i].volume,state,rules,symbols,held,orders,now_msc);
     }
   for(int i=0; i<ArraySize(state.orders) && !rules.netting; i++)
     {
      CopierPosition position;
      CCopierPending::AsPosition(state.orders[i],position);
      int link=FindLink(position.id);
      if(CCopierState::Find(state,position.id)>=0 || (link<0 && !rules.pendings))
         continue;
      if(link<0)
        {
         Decide(position,true,state,rules,symbols,own,now_msc,is_first);
         link=FindLink(position.id);
         if(link<0)
            continue;
        }
      m_links[link].via=CCopierOrigin::Join(position.via,account);
      if(m_links[link].state==COPIER_LINK_OPEN)
         Keep(m_links[link],position,0,state,rules,symbols,held,orders,now_msc);
     }
   DeleteGone(state,orders);
   if(rules.netting)
      CCopierNet::Make(m_links,m_nets,state,rules,symbols,held,now_msc,m_actions,m_waiting);
   if(CCopierGuards::IsBlind(rules,own) && CCopierActions::RemoveNew(m_actions)>0)
      m_waiting="waiting for the figures of this account, which a guard needs";
   CCopierActions::Sort(m_actions);
   if(rules.fifo)
      CCopierActions::OldestFirst(m_actions,held);
   return(ArraySize(m_actions));
  }
//+------------------------------------------------------------------+
//| A guard has tripped: nothing is opened, and what is held closed, |
//| if so wanted                                                     |
//+------------------------------------------------------------------+
void CCopierPlan::Halt(CopierRules &rules)
  {
   rules.mode=COPIER_CLOSE_ONLY;
   for(int i=0; i<ArraySize(m_links) && rules.guard_closes; i++)
      if(m_links[i].state==COPIER_LINK_OPEN)
        {
         m_links[i].state=COPIER_LINK_HALTED;
         m_links[i].reason=m_tripped;
        }
  }
//+------------------------------------------------------------------+
//| Has the master neither the position nor the order? A state       |
//| without orders doesn't tell of an order                          |
//+------------------------------------------------------------------+
bool CCopierPlan::IsGone(const CopierState &state,const long id) const
  {
   int link=FindLink(id);
   if(CCopierState::Find(state,id)>=0 || CCopierState::FindOrder(state,id)>=0)
      return(false);
   return(state.has_orders || link<0 || m_links[link].pending==COPIER_PENDING_NONE);
  }
//+------------------------------------------------------------------+
//| A link goes when neither side has anything of it any more        |
//+------------------------------------------------------------------+
void CCopierPlan::Forget(const CopierState &state,const CopierHeld &held[],const CopierHeldOrder &orders[])
  {
   for(int i=ArraySize(m_links)-1; i>=0; i--)
     {
      bool is_held=(CCopierPending::Volume(m_links[i].id,orders)>0);
      for(int j=0; j<ArraySize(held) && !is_held; j++)
         is_held=(held[j].id==m_links[i].id);
      if(!is_held && IsGone(state,m_links[i].id))
         ArrayRemove(m_links,i,1);
     }
  }
//+------------------------------------------------------------------+
//| What the master has closed, or filled here only and deleted      |
//| there; a close has no age                                        |
//+------------------------------------------------------------------+
void CCopierPlan::CloseGone(const CopierState &state,const CopierHeld &held[])
  {
   for(int i=0; i<ArraySize(held); i++)
     {
      int  link=FindLink(held[i].id);
      bool is_halted=(link>=0 && m_links[link].state==COPIER_LINK_HALTED);
      bool is_gone=IsGone(state,held[i].id);
      if(is_gone || is_halted)
        {
         bool   was_pending=(link>=0 && m_links[link].pending!=COPIER_PENDING_NONE);
         string reason=(was_pending ? "filled here, deleted by the master" : "closed by the master");
         int    action=CCopierActions::Add(m_actions,COPIER_ACTION_CLOSE,held[i].id,held[i].ticket,held[i].symbol,
                                           is_gone ? reason : m_links[link].reason);
         m_actions[action].is_buy=held[i].is_buy;
         m_actions[action].volume=held[i].volume;
        }
     }
  }
//+------------------------------------------------------------------+
//| Pending orders that nobody wants here                            |
//+------------------------------------------------------------------+
void CCopierPlan::DeleteGone(const CopierState &state,const CopierHeldOrder &orders[])
  {
   for(int i=0; i<ArraySize(orders); i++)
     {
      int  link=FindLink(orders[i].id);
      bool is_first=true;
      for(int k=0; k<i && is_first; k++)
         is_first=(orders[k].id!=orders[i].id);
      if(!is_first)
         continue;
      if(IsGone(state,orders[i].id))
         CCopierPending::Delete(orders[i].id,"deleted by the master",orders,m_actions);
      else
         if(link<0 || m_links[link].state!=COPIER_LINK_OPEN)
            CCopierPending::Delete(orders[i].id,link<0 ? "pending orders are not copied" : m_links[link].reason,orders,m_actions);
     }
  }
//+------------------------------------------------------------------+
//| What isn't known yet that it depends on. What was there before   |
//| the first state is no newer when it is                           |
//+------------------------------------------------------------------+
void CCopierPlan::Undecided(CopierLink &link,const bool is_before,const string waiting)
  {
   m_waiting=waiting;
   if(!is_before || link.pending!=COPIER_PENDING_NONE || FindLink(link.id)>=0)
      return;
   link.state=COPIER_LINK_BEFORE;
   AddLink(link);
  }
//+------------------------------------------------------------------+
//| A position or an order that is seen for the first time: once for |
//| its life                                                         |
//+------------------------------------------------------------------+
void CCopierPlan::Decide(const CopierPosition &position,const bool is_pending,const CopierState &state,const CopierRules &rules,
                         const CopierSymbol &symbols[],const CopierFunds &own,const long now_msc,const bool is_first)
  {
   CopierLink link;
   int        known=FindLink(position.id);
   bool       is_before=(is_first || known>=0);
   link.id=position.id;
   link.pending=(is_pending ? COPIER_PENDING_WANTED : COPIER_PENDING_NONE);
   link.state=COPIER_LINK_IGNORED;
   link.symbol="";
   link.side=(position.is_buy ? 1 : -1);
   link.master_volume=position.volume;
   link.volume=0;
   link.reached=0;
   link.is_whole=false;
   link.via="";
//--- what was there before is wanted whatever its age
   link.since_msc=(is_before && !is_pending ? now_msc : 0);
   link.reason=CCopierRules::Refusal(rules,position);
   if(link.reason!="" && m_tripped!="")
      link.reason=m_tripped;
   int symbol=CCopierSymbols::Of(rules,position.symbol,symbols);
   if(link.reason=="" && ArraySize(symbols)==0)
     {
      Undecided(link,is_before,"waiting for the symbols of this account");
      return;
     }
   if(link.reason=="" && symbol<0)
      link.reason="no symbol, or more than one, for "+position.symbol;
   if(link.reason=="")
     {
      link.symbol=symbols[symbol].name;
      //--- it has just come into Market Watch: what depends on its price is decided when there is one
      if(CCopierGuards::IsUnknown(rules,symbols[symbol]))
        {
         Undecided(link,is_before,"waiting for a price of "+link.symbol);
         return;
        }
      if(CCopierRules::IsContractUnknown(rules,position,symbols[symbol]))
        {
         Undecided(link,is_before,"waiting for the contract size of "+link.symbol);
         return;
        }
      if(CCopierRules::IsUnknown(rules,state.funds,own) || CCopierGuards::IsBlind(rules,own))
        {
         Undecided(link,is_before,"waiting for the figures of both accounts");
         return;
        }
      //--- a pending order has no age: its price is still to come
      if(!is_pending)
         link.reason=OpenRefusal(position,rules,symbols[symbol],now_msc,is_before);
      //--- many open first, and set the stop when they know the price
      if(CCopierRules::IsStopMissing(rules,position))
        {
         if(link.reason=="")
           {
            Undecided(link,is_before,"waiting for a stop of the master's position in "+position.symbol);
            return;
           }
         if(!is_before)
            link.reason+=", and there was no stop from which its volume could be reckoned";
        }
     }
   if(link.reason=="")
      link.reason=CCopierRules::SizeRefusal(rules,state.funds,own);
   if(link.reason=="")
     {
      CopierPosition priced=position;
      //--- what a stop loses here begins at the price of now: the master's may be old, and his stop have come after it
      double         price=(position.is_buy!=rules.reverse ? symbols[symbol].ask : symbols[symbol].bid);
      if(!is_pending && price!=0)
         priced.price=price;
      double exact=CCopierRules::Exact(rules,priced,state.funds,own,symbols[symbol]);
      //--- in netting the sum is made to fit
      int    carry=AddCarry(link.symbol,position.is_buy,0);
      double carried=(is_pending ? 0 : m_carries[carry].volume);
      link.volume=(rules.netting ? exact : CCopierRules::Fit(rules,exact,symbols[symbol],carried));
      //--- an order may never fill: what is too small is decided and carried when it does
      if(is_pending && link.volume<=0 && rules.small==COPIER_SMALL_CARRY)
         return;
      if(!is_pending)
         m_carries[carry].volume=carried;
      if(link.volume<=0)
         link.reason=rules.size==COPIER_SIZE_RISK && CCopierRules::Distance(rules,priced)<=0 ?
                     "its stop is not on the losing side of the price here, so that no volume can be reckoned from it" :
                     StringFormat("a volume of %.8f is too small",exact);
      else
         link.state=COPIER_LINK_OPEN;
     }
   if(known>=0)
      m_links[known]=link;
   else
      AddLink(link);
  }
//+------------------------------------------------------------------+
//| Why a position is not opened now, empty if it may be             |
//+------------------------------------------------------------------+
string CCopierPlan::OpenRefusal(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,
                                const long now_msc,const bool is_first) const
  {
   if(!is_first)
      return(rules.max_age_ms>0 && now_msc-position.time_msc>rules.max_age_ms ? "too old to be opened" : "");
   if(rules.existing==COPIER_EXISTING_SKIP)
      return("it was there before");
   if(rules.existing==COPIER_EXISTING_COPY)
      return("");
   bool   is_buy=(position.is_buy!=rules.reverse);
   double price=(is_buy ? symbol.ask : symbol.bid);
   if(MathAbs(price-position.price)>rules.near_points*symbol.point)
      return("it was there before, and the price has gone");
   return("");
  }
//+------------------------------------------------------------------+
//| Volume, side and stops of a copy; filled is the master's volume, |
//| 0 while his order is pending                                     |
//+------------------------------------------------------------------+
void CCopierPlan::Keep(CopierLink &link,const CopierPosition &position,const double filled,const CopierState &state,
                       const CopierRules &rules,const CopierSymbol &symbols[],const CopierHeld &held[],
                       const CopierHeldOrder &orders[],const long now_msc)
  {
   bool   is_buy=(position.is_buy!=rules.reverse);
   double volume=0;
   double pending=CCopierPending::Volume(link.id,orders);
   bool   is_turned=false;
   bool   is_settling=false;
   for(int i=0; i<ArraySize(held); i++)
      if(held[i].id==link.id)
        {
         if(held[i].is_settling)
            is_settling=true;
         if(held[i].is_buy==is_buy)
            volume+=held[i].volume;
         else
           {
            //--- a netting master has reversed: the identifier stays
            int action=CCopierActions::Add(m_actions,COPIER_ACTION_CLOSE,link.id,held[i].ticket,held[i].symbol,"reversed by the master");
            m_actions[action].is_buy=held[i].is_buy;
            m_actions[action].volume=held[i].volume;
            is_turned=true;
           }
        }
   int symbol=CCopierSymbols::Find(link.symbol,symbols);
//--- the broker has renamed it: the copy itself tells the name
   for(int i=0; i<ArraySize(held) && symbol<0; i++)
      if(held[i].id==link.id)
        {
         link.symbol=held[i].symbol;
         symbol=CCopierSymbols::Find(link.symbol,symbols);
        }
   if(symbol<0)
     {
      m_waiting="the symbol "+link.symbol+" is no longer one of this account: of its copies nothing but the master's close is followed";
      return;
     }
   if(is_turned)
     {
      //--- his position may be old, and its turn isn't: what opens it may take more than one look
      link.reached=0;
      link.since_msc=now_msc;
     }
   else
      if(volume+pending<link.reached-symbols[symbol].volume_step/2)
        {
         //--- less than there was, and not by us
         link.volume*=(volume+pending)/link.reached;
         if(volume+pending<=0)
           {
            link.state=COPIER_LINK_CLOSED;
            link.reason="closed or deleted here, by hand or by a stop";
            return;
           }
        }
   int    order=CCopierState::FindOrder(state,link.id);
   double rest=(order>=0 && link.pending!=COPIER_PENDING_NONE ? state.orders[order].volume : 0);
   double least=(filled>0 ? CCopierCopies::Wanted(link,filled,rules,symbols[symbol]) : 0);
   double most=(filled+rest>0 ? CCopierCopies::Wanted(link,filled+rest,rules,symbols[symbol]) : 0);
   double kept=CCopierPending::Keep(link,state,volume,least,most,m_tripped,rules,symbols[symbol],orders,m_actions,m_waiting);
   if(link.state!=COPIER_LINK_OPEN)
      return;
   if(link.pending==COPIER_PENDING_NONE)
      most=least;
   double before=link.reached;
   link.reached=MathMin(NormalizeDouble(volume+kept,8),most);
//--- a reduction of ours that shows later is not one by hand
   if(is_settling && link.reached>before)
      link.reached=before;
   if(volume-most>=symbols[symbol].volume_step/2)
     {
      double taken=CCopierCopies::Reduce(link,NormalizeDouble(volume-most,8),rules,symbols[symbol],held,m_actions);
      link.reached=MathMin(link.reached,NormalizeDouble(volume-taken+kept,8));
     }
   if(!is_turned)
      CCopierCopies::Stops(link,position,rules,symbols[symbol],held,m_actions);
   double difference=NormalizeDouble(least-volume,8);
   if(difference<symbols[symbol].volume_step/2 && filled>0)
      link.is_whole=true;
   if(difference<symbols[symbol].volume_step/2 || rules.mode!=COPIER_ON)
      return;
   if(pending>0)
     {
      m_waiting="waiting until the pending order of "+link.symbol+" is gone: the master's has filled first";
      return;
     }
   //--- what a fill in part has left of the open is no addition
   bool is_open=((volume<=0 || !link.is_whole) && !is_turned);
   if(is_open && rules.max_age_ms>0 && now_msc-MathMax(position.time_msc,link.since_msc)>rules.max_age_ms)
     {
      //--- one that is on its way is no less a copy
      if(symbols[symbol].is_uncertain)
         return;
      if(volume>0)
        {
         m_waiting="the rest of a copy in "+link.symbol+" could not be opened in time: from now on it is one of less";
         link.volume*=volume/least;
         link.is_whole=true;
        }
      else
        {
         link.state=COPIER_LINK_IGNORED;
         link.reason="could not be opened in time"+(link.reason!="" ? ": "+link.reason : "");
        }
      return;
     }
//--- an addition below the minimum waits until there is more
   if(difference<symbols[symbol].volume_min)
      return;
   string not_now=CCopierGuards::NotNow(rules,symbols[symbol]);
   if(not_now=="" && is_open)
      not_now=CCopierGuards::NotAtThisPrice(rules,position,is_buy,symbols[symbol]);
   if(not_now!="")
     {
      m_waiting=not_now;
      return;
     }
   int action=CCopierActions::Add(m_actions,COPIER_ACTION_OPEN,link.id,0,link.symbol,volume>0 ? "added to by the master" : "opened by the master");
   m_actions[action].is_buy=is_buy;
   m_actions[action].volume=difference;
   m_actions[action].sl=CCopierActions::StopLoss(position,rules,symbols[symbol],0);
   m_actions[action].tp=CCopierActions::TakeProfit(position,rules,symbols[symbol],0);
  }
#endif
//+------------------------------------------------------------------+
