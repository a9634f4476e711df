//+------------------------------------------------------------------+
//|                                                         Plan.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_PLAN_MQH
#define MT5MQTT_COPIER_PLAN_MQH
#include "Net.mqh"
//+------------------------------------------------------------------+
//| Class CCopierPlan.                                               |
//| Appointment: compares what one master has with what a follower   |
//|              holds of it, and says what is to be done.           |
//|                                                                  |
//| Nothing is remembered of actions: the next call sees what came   |
//| of them. So an answer that was lost, a failure or a restart      |
//| heals by itself, if the links are kept and each copy can be told |
//| (CopierHeld::id). Closes come first, then stops, then opens.     |
//| Nothing here asks the terminal.                                  |
//+------------------------------------------------------------------+
class CCopierPlan
  {
private:
   CopierLink        m_links[];
   CopierNet         m_nets[];             // of a netting follower
   CopierAction      m_actions[];
   CopierCarry       m_carries[];
   CopierGuard       m_guard;
   string            m_tripped;            // why nothing is opened, empty = it is
   string            m_waiting;            // why something isn't opened yet

public:
                     CCopierPlan(void)                                { Clear(); }
   //--- is_first: this follower has never seen a state of this master
   int               Make(const CopierState &state,const CopierRules &given,const CopierSymbol &symbols[],
                          const CopierFunds &own,const CopierHeld &held[],const long now_msc,const bool is_first);
   int               Actions(void) const                              { return(ArraySize(m_actions)); }
   void              Action(const int index,CopierAction &action) const { action=m_actions[index];  }
   //--- links, to be kept in a file and given back after a restart
   int               Links(void) const                                { return(ArraySize(m_links)); }
   void              Link(const int index,CopierLink &link) const     { link=m_links[index];        }
   void              AddLink(const CopierLink &link);
   int               Nets(void) const                                 { return(ArraySize(m_nets));  }
   void              Net(const int index,CopierNet &net) const        { net=m_nets[index];          }
   void              AddNet(const CopierNet &net);
   int               Carries(void) const                              { return(ArraySize(m_carries)); }
   void              Carry(const int index,CopierCarry &carry) const  { carry=m_carries[index];     }
   int               AddCarry(const string symbol,const double volume);
   void              Guard(CopierGuard &guard) const                  { guard=m_guard;              }
   void              SetGuard(const CopierGuard &guard)               { m_guard=guard;              }
   //--- after Make(): what keeps opens from being sent, empty if nothing does
   string            Held(void) const                                 { return(m_tripped!="" ? m_tripped : m_waiting); }
   void              Clear(void);
   //--- the trade server has refused to open it: it is not tried again
   void              Refuse(const long id,const string reason);
   //--- it was opened, though the account may not show it yet
   void              Opened(const CopierAction &action,const double volume);
   int               FindLink(const long id) const;

private:
   void              Halt(CopierRules &rules);
   void              Forget(const CopierState &state,const CopierHeld &held[]);
   void              Decide(const CopierPosition &position,const CopierState &state,const CopierRules &rules,
                            const CopierSymbol &symbols[],const CopierFunds &own,const long now_msc,const bool is_first);
   string            OpenRefusal(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,
                                 const long now_msc,const bool is_first) const;
   void              CloseGone(const CopierState &state,const CopierHeld &held[]);
   void              Keep(CopierLink &link,const CopierPosition &position,const CopierRules &rules,
                          const CopierSymbol &symbols[],const CopierHeld &held[],const long now_msc);
   void              Reduce(const CopierLink &link,const double by,const CopierSymbol &symbol,const CopierHeld &held[]);
   void              Stops(const CopierLink &link,const double sl,const double tp,const CopierSymbol &symbol,const CopierHeld &held[]);
   static double     Wanted(const CopierLink &link,const double master_volume,const CopierRules &rules,const CopierSymbol &symbol);
   void              Sort(void);
  };
//+------------------------------------------------------------------+
//| A link from the file                                             |
//+------------------------------------------------------------------+
void CCopierPlan::AddLink(const CopierLink &link)
  {
   int count=ArraySize(m_links);
   ArrayResize(m_links,count+1,64);
   m_links[count]=link;
  }
//+------------------------------------------------------------------+
//| What was reached, from the file                                  |
//+------------------------------------------------------------------+
void CCopierPlan::AddNet(const CopierNet &net)
  {
   int count=ArraySize(m_nets);
   ArrayResize(m_nets,count+1,16);
   m_nets[count]=net;
  }
//+------------------------------------------------------------------+
//| Forgets everything, before the file is read                      |
//+------------------------------------------------------------------+
void CCopierPlan::Clear(void)
  {
   ArrayResize(m_links,0);
   ArrayResize(m_nets,0);
   ArrayResize(m_actions,0);
   ArrayResize(m_carries,0);
   m_guard.peak=0;
   m_guard.halted="";
   m_tripped="";
   m_waiting="";
  }
//+------------------------------------------------------------------+
//| What is held of it already stays                                 |
//+------------------------------------------------------------------+
void CCopierPlan::Refuse(const long id,const string reason)
  {
   int link=FindLink(id);
   if(link<0 || m_links[link].reached>0)
      return;
   m_links[link].state=COPIER_LINK_IGNORED;
   m_links[link].reason=reason;
  }
//+------------------------------------------------------------------+
//| What vanishes from now on was closed, and is not opened again    |
//+------------------------------------------------------------------+
void CCopierPlan::Opened(const CopierAction &action,const double volume)
  {
   for(int i=0; i<ArraySize(m_nets) && action.id==COPIER_NET; i++)
      if(m_nets[i].symbol==action.symbol)
         m_nets[i].reached=NormalizeDouble(m_nets[i].reached+(action.is_buy ? volume : -volume),8);
   int link=FindLink(action.id);
   if(link>=0)
      m_links[link].reached=NormalizeDouble(m_links[link].reached+volume,8);
  }
//+------------------------------------------------------------------+
//| The link of a position of the master, -1 if there is none        |
//+------------------------------------------------------------------+
int CCopierPlan::FindLink(const long id) const
  {
   for(int i=0; i<ArraySize(m_links); i++)
      if(m_links[i].id==id)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| Returns how many actions there are                               |
//+------------------------------------------------------------------+
int CCopierPlan::Make(const CopierState &state,const CopierRules &given,const CopierSymbol &symbols[],
                      const CopierFunds &own,const CopierHeld &held[],const long now_msc,const bool is_first)
  {
   CopierRules rules=given;
   ArrayResize(m_actions,0);
   m_tripped="";
   m_waiting="";
   if(rules.mode==COPIER_OFF)
      return(0);
   Forget(state,held);
   m_tripped=CCopierGuards::Look(rules,own,m_guard);
   if(m_tripped!="")
      Halt(rules);
   if(!rules.netting)
      CloseGone(state,held);
   for(int i=0; i<ArraySize(state.positions); i++)
     {
      int link=FindLink(state.positions[i].id);
      if(link<0)
        {
         Decide(state.positions[i],state,rules,symbols,own,now_msc,is_first);
         link=FindLink(state.positions[i].id);
        }
      m_links[link].via=CCopierOrigin::Join(state.positions[i].via,CCopierOrigin::Account(state.login,state.server));
      if(m_links[link].state==COPIER_LINK_OPEN && !rules.netting)
         Keep(m_links[link],state.positions[i],rules,symbols,held,now_msc);
     }
   if(rules.netting)
      CCopierNet::Make(m_links,m_nets,state,rules,symbols,held,now_msc,m_actions,m_waiting);
   Sort();
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
//| Of one symbol only: lots of another are another thing            |
//+------------------------------------------------------------------+
int CCopierPlan::AddCarry(const string symbol,const double volume)
  {
   int count=ArraySize(m_carries);
   for(int i=0; i<count; i++)
      if(m_carries[i].symbol==symbol)
         return(i);
   ArrayResize(m_carries,count+1,16);
   m_carries[count].symbol=symbol;
   m_carries[count].volume=volume;
   return(count);
  }
//+------------------------------------------------------------------+
//| A link goes when neither side has the position any more          |
//+------------------------------------------------------------------+
void CCopierPlan::Forget(const CopierState &state,const CopierHeld &held[])
  {
   for(int i=ArraySize(m_links)-1; i>=0; i--)
     {
      bool is_held=false;
      for(int j=0; j<ArraySize(held) && !is_held; j++)
         is_held=(held[j].id==m_links[i].id);
      if(!is_held && CCopierState::Find(state,m_links[i].id)<0)
         ArrayRemove(m_links,i,1);
     }
  }
//+------------------------------------------------------------------+
//| What the master has closed; a close has no age                   |
//+------------------------------------------------------------------+
void CCopierPlan::CloseGone(const CopierState &state,const CopierHeld &held[])
  {
   for(int i=0; i<ArraySize(held); i++)
     {
      int  link=FindLink(held[i].id);
      bool is_halted=(link>=0 && m_links[link].state==COPIER_LINK_HALTED);
      bool is_gone=(CCopierState::Find(state,held[i].id)<0);
      if(is_gone || is_halted)
        {
         int action=CCopierActions::Add(m_actions,COPIER_ACTION_CLOSE,held[i].id,held[i].ticket,held[i].symbol,
                                        is_gone ? "closed by the master" : m_links[link].reason);
         m_actions[action].is_buy=held[i].is_buy;
         m_actions[action].volume=held[i].volume;
        }
     }
  }
//+------------------------------------------------------------------+
//| A position that is seen for the first time: once for its life    |
//+------------------------------------------------------------------+
void CCopierPlan::Decide(const CopierPosition &position,const CopierState &state,const CopierRules &rules,
                         const CopierSymbol &symbols[],const CopierFunds &own,const long now_msc,const bool is_first)
  {
   CopierLink link;
   link.id=position.id;
   link.state=COPIER_LINK_IGNORED;
   link.symbol="";
   link.master_volume=position.volume;
   link.volume=0;
   link.reached=0;
   link.via="";
   link.reason=CCopierRules::Refusal(rules,position);
   if(link.reason!="" && m_tripped!="")
      link.reason=m_tripped;
   int symbol=CCopierRules::Symbol(rules,position.symbol,symbols);
   if(link.reason=="" && symbol<0)
      link.reason="no symbol, or more than one, for "+position.symbol;
   if(link.reason=="")
     {
      link.symbol=symbols[symbol].name;
      link.reason=OpenRefusal(position,rules,symbols[symbol],now_msc,is_first);
     }
   if(link.reason=="")
     {
      double exact=CCopierRules::Exact(rules,position,state.funds,own,symbols[symbol]);
      //--- in netting the sum is made to fit
      int    carry=AddCarry(link.symbol,0);
      double carried=m_carries[carry].volume;
      link.volume=(rules.netting ? exact : CCopierRules::Fit(rules,exact,symbols[symbol],carried));
      m_carries[carry].volume=carried;
      if(link.volume<=0)
         link.reason=StringFormat("a volume of %.8f is too small",exact);
      else
         link.state=COPIER_LINK_OPEN;
     }
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
//| Volume, side and stops of a copy                                 |
//+------------------------------------------------------------------+
void CCopierPlan::Keep(CopierLink &link,const CopierPosition &position,const CopierRules &rules,
                       const CopierSymbol &symbols[],const CopierHeld &held[],const long now_msc)
  {
   bool   is_buy=(position.is_buy!=rules.reverse);
   double volume=0;
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
   int symbol=CCopierRules::Find(link.symbol,symbols);
   if(symbol<0)
      return;
   if(is_turned)
      link.reached=0;
   else
      if(volume<link.reached-symbols[symbol].volume_step/2)
        {
         //--- less than there was, and not by us
         link.volume*=volume/link.reached;
         if(volume<=0)
           {
            link.state=COPIER_LINK_CLOSED;
            link.reason="closed here by hand or by a stop";
            return;
           }
        }
   double wanted=Wanted(link,position.volume,rules,symbols[symbol]);
   double difference=NormalizeDouble(wanted-volume,8);
   double sl=CCopierActions::StopLoss(position,rules,symbols[symbol]);
   double tp=CCopierActions::TakeProfit(position,rules,symbols[symbol]);
   double before=link.reached;
   link.reached=MathMin(volume,wanted);
//--- a reduction of ours that shows later is not one by hand
   if(is_settling && link.reached>before)
      link.reached=before;
   if(difference<=-symbols[symbol].volume_step/2)
      Reduce(link,-difference,symbols[symbol],held);
   if(!is_turned)
      Stops(link,sl,tp,symbols[symbol],held);
   if(difference<symbols[symbol].volume_step/2 || rules.mode!=COPIER_ON)
      return;
   if(volume<=0 && !is_turned && rules.max_age_ms>0 && now_msc-position.time_msc>rules.max_age_ms)
     {
      link.state=COPIER_LINK_IGNORED;
      link.reason="could not be opened in time";
      return;
     }
//--- an addition below the minimum waits until there is more
   if(difference<symbols[symbol].volume_min)
      return;
   string not_now=CCopierGuards::NotNow(rules,symbols[symbol]);
   if(not_now=="" && volume<=0 && !is_turned)
      not_now=CCopierGuards::NotAtThisPrice(rules,position,is_buy,symbols[symbol]);
   if(not_now!="")
     {
      m_waiting=not_now;
      return;
     }
   int action=CCopierActions::Add(m_actions,COPIER_ACTION_OPEN,link.id,0,link.symbol,volume>0 ? "added to by the master" : "opened by the master");
   m_actions[action].is_buy=is_buy;
   m_actions[action].volume=difference;
   m_actions[action].sl=sl;
   m_actions[action].tp=tp;
  }
//+------------------------------------------------------------------+
//| Takes a volume off the copies, the last one first. What would be |
//| left of a ticket is nothing, or at least the minimum             |
//+------------------------------------------------------------------+
void CCopierPlan::Reduce(const CopierLink &link,const double by,const CopierSymbol &symbol,const CopierHeld &held[])
  {
   double left=by;
   for(int i=ArraySize(held)-1; i>=0 && left>=symbol.volume_step/2; i--)
     {
      if(held[i].id!=link.id)
         continue;
      double part=MathMin(left,held[i].volume);
      double rest=NormalizeDouble(held[i].volume-part,8);
      if(rest>0 && rest<symbol.volume_min)
         part=NormalizeDouble(held[i].volume-symbol.volume_min,8);
      if(part<symbol.volume_min-symbol.volume_step/2)
         continue;
      int action=CCopierActions::Add(m_actions,COPIER_ACTION_CLOSE,link.id,held[i].ticket,held[i].symbol,"reduced by the master");
      m_actions[action].is_buy=held[i].is_buy;
      m_actions[action].volume=part;
      left=NormalizeDouble(left-part,8);
     }
  }
//+------------------------------------------------------------------+
//| Stops of each copy that has others                               |
//+------------------------------------------------------------------+
void CCopierPlan::Stops(const CopierLink &link,const double sl,const double tp,const CopierSymbol &symbol,const CopierHeld &held[])
  {
   double half=symbol.tick_size/2;
   for(int i=0; i<ArraySize(held); i++)
     {
      if(held[i].id!=link.id || (MathAbs(held[i].sl-sl)<half && MathAbs(held[i].tp-tp)<half))
         continue;
      int action=CCopierActions::Add(m_actions,COPIER_ACTION_STOPS,link.id,held[i].ticket,held[i].symbol,"stops changed by the master");
      m_actions[action].is_buy=held[i].is_buy;
      m_actions[action].volume=held[i].volume;
      m_actions[action].sl=sl;
      m_actions[action].tp=tp;
     }
  }
//+------------------------------------------------------------------+
//| The volume for what the master has left. It is never below the   |
//| minimum while the master holds the position: what can't be       |
//| reduced further is closed when he closes                         |
//+------------------------------------------------------------------+
double CCopierPlan::Wanted(const CopierLink &link,const double master_volume,const CopierRules &rules,const CopierSymbol &symbol)
  {
   double most=(rules.volume_max>0 ? MathMin(rules.volume_max,symbol.volume_max) : symbol.volume_max);
   double volume=CCopierRules::Down(MathMin(link.volume*master_volume/link.master_volume,most),symbol);
   return(MathMax(volume,symbol.volume_min));
  }
//+------------------------------------------------------------------+
//| Closes first: they free margin, and lower the risk               |
//+------------------------------------------------------------------+
void CCopierPlan::Sort(void)
  {
   CopierAction sorted[];
   int          count=ArraySize(m_actions);
   int          position=0;
   ArrayResize(sorted,count);
   for(int pass=0; pass<3; pass++)
     {
      ENUM_COPIER_ACTION kind=(pass==0 ? COPIER_ACTION_CLOSE : (pass==1 ? COPIER_ACTION_STOPS : COPIER_ACTION_OPEN));
      for(int i=0; i<count; i++)
         if(m_actions[i].action==kind)
           {
            sorted[position]=m_actions[i];
            position++;
           }
     }
   for(int i=0; i<count; i++)
      m_actions[i]=sorted[i];
  }
#endif
//+------------------------------------------------------------------+
