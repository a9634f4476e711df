//+------------------------------------------------------------------+
//|                                                          Net.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_NET_MQH
#define MT5MQTT_COPIER_NET_MQH
#include "Links.mqh"
//+------------------------------------------------------------------+
//| Class CCopierNet.                                                |
//| Appointment: what a netting follower is to do: its one position  |
//|              of a symbol is the sum of all copies in it.         |
//|                                                                  |
//| A symbol in which the account has a position that is not the     |
//| copier's is left alone. A turn takes two steps: the position is  |
//| closed, and the next look opens the other side.                  |
//+------------------------------------------------------------------+
class CCopierNet
  {
public:
   //--- `waiting` becomes what keeps an open from being sent, if something does
   static void       Make(CopierLink &links[],CopierNet &nets[],const CopierState &state,const CopierRules &rules,
                          const CopierSymbol &symbols[],const CopierHeld &held[],const long now_msc,CopierAction &actions[],string &waiting);
   //--- is there a position in the symbol that is not the copier's?
   static bool       IsForeign(const string symbol,const CopierHeld &held[]);

private:
   static void       Names(const CopierLink &links[],const CopierNet &nets[],const CopierHeld &held[],string &names[]);
   static void       AddName(const string name,string &names[]);
   static void       Rename(CopierLink &links[],CopierNet &nets[],const CopierSymbol &symbols[],const CopierHeld &held[]);
   static bool       IsGone(const CopierNet &net,const CopierSymbol &symbols[]) { return(net.reached!=0 && CCopierSymbols::Find(net.symbol,symbols)<0); }
   static bool       IsAnyGone(const CopierNet &nets[],const CopierSymbol &symbols[]);
   static int        Find(const string symbol,const CopierNet &nets[]);
   static int        Reached(const string symbol,CopierNet &nets[]);
   static double     Lots(const CopierHeld &position) { return(position.is_buy ? position.volume : -position.volume); }
   static int        Own(const string symbol,const CopierHeld &held[]);
   static void       TakenOff(CopierLink &links[],const string symbol,const double left);
   static double     Sum(const CopierLink &links[],const string symbol,const CopierState &state,const CopierRules &rules,const bool is_reached);
   static double     Fit(const double sum,const CopierRules &rules,const CopierSymbol &symbol);
   static double     Within(const double target,const double held,const CopierRules &rules);
   static void       Late(CopierLink &links[],const CopierState &state,const CopierRules &rules,const CopierSymbol &symbol,const double held,
                          const long now_msc);
   static bool       IsBegun(const CopierLink &links[],const CopierState &state,const CopierRules &rules,const CopierSymbol &symbol,const double held);
   static void       Complete(CopierLink &links[],const string symbol);
   static void       Move(const double held,const double target,const CopierHeld &position,const CopierSymbol &symbol,CopierAction &actions[]);
   static void       Stops(const CopierLink &links[],const CopierState &state,const CopierRules &rules,const CopierSymbol &symbol,
                           const CopierHeld &position,CopierAction &actions[]);
  };
//+------------------------------------------------------------------+
//| Symbol by symbol                                                 |
//+------------------------------------------------------------------+
void CCopierNet::Make(CopierLink &links[],CopierNet &nets[],const CopierState &state,const CopierRules &rules,
                      const CopierSymbol &symbols[],const CopierHeld &held[],const long now_msc,CopierAction &actions[],string &waiting)
  {
   string names[];
   Rename(links,nets,symbols,held);
   Names(links,nets,held,names);
   for(int i=0; i<ArraySize(names); i++)
     {
      int symbol=CCopierSymbols::Find(names[i],symbols);
      int own=Own(names[i],held);
      if(symbol<0)
         waiting="the symbol "+names[i]+" is no longer one of this account: nothing is copied in it";
      if(own>=0 && Find(names[i],nets)<0 && IsAnyGone(nets,symbols))
        {
         waiting="the copies in "+names[i]+" had another name before, and nobody knows which symbol they were: they stay as they are";
         continue;
        }
      if(symbol<0 || IsForeign(names[i],held))
         continue;
      CopierHeld position;
      position.ticket=0;
      position.volume=0;
      position.is_buy=true;
      position.is_settling=false;
      if(own>=0)
         position=held[own];
      double half=symbols[symbol].volume_step/2;
      double now=Lots(position);
      int    net=Reached(names[i],nets);
      //--- less than there was, and not by us
      double reached=nets[net].reached;
      if(reached!=0 && (now*reached<=0 || MathAbs(now)<MathAbs(reached)-half))
         TakenOff(links,names[i],now*reached>0 ? now/reached : 0);
      //--- one that is on its way is no less a copy
      if(!symbols[symbol].is_uncertain)
         Late(links,state,rules,symbols[symbol],now,now_msc);
      double target=Within(Fit(Sum(links,names[i],state,rules,false),rules,symbols[symbol]),now,rules);
      nets[net].reached=(now*target>0 ? (MathAbs(now)<MathAbs(target) ? now : target) : 0);
      //--- a reduction of ours that shows later is not one by hand
      if(position.is_settling && MathAbs(nets[net].reached)>MathAbs(reached))
         nets[net].reached=reached;
      if(MathAbs(target-now)<half)
         Complete(links,names[i]);
      else
        {
         string not_now=(MathAbs(target)<MathAbs(now) || target*now<0 ? "" : CCopierGuards::NotNow(rules,symbols[symbol]));
         if(not_now=="")
            Move(now,target,position,symbols[symbol],actions);
         else
            waiting=not_now;
        }
      if(own>=0 && now*target>0)
         Stops(links,state,rules,symbols[symbol],position,actions);
     }
  }
//+------------------------------------------------------------------+
//| The broker has renamed a symbol: its position, with what was     |
//| reached in one that is gone, tells the name                      |
//+------------------------------------------------------------------+
void CCopierNet::Rename(CopierLink &links[],CopierNet &nets[],const CopierSymbol &symbols[],const CopierHeld &held[])
  {
   for(int i=0; i<ArraySize(held); i++)
     {
      int found=-1;
      int count=0;
      if(held[i].id!=COPIER_NET || Find(held[i].symbol,nets)>=0)
         continue;
      for(int k=0; k<ArraySize(nets); k++)
         if(IsGone(nets[k],symbols) && MathAbs(nets[k].reached-Lots(held[i]))<0.00000001)
           {
            found=k;
            count++;
           }
      //--- another one with the same volume might be its copies as well
      for(int k=0; k<ArraySize(held); k++)
         if(k!=i && held[k].id==COPIER_NET && MathAbs(Lots(held[k])-Lots(held[i]))<0.00000001 && Find(held[k].symbol,nets)<0)
            count++;
      if(count!=1)
         continue;
      for(int k=0; k<ArraySize(links); k++)
         if(links[k].symbol==nets[found].symbol)
            links[k].symbol=held[i].symbol;
      nets[found].symbol=held[i].symbol;
     }
  }
//+------------------------------------------------------------------+
//| Is there a symbol with copies that the account no longer has?    |
//+------------------------------------------------------------------+
bool CCopierNet::IsAnyGone(const CopierNet &nets[],const CopierSymbol &symbols[])
  {
   for(int i=0; i<ArraySize(nets); i++)
      if(IsGone(nets[i],symbols))
         return(true);
   return(false);
  }
//+------------------------------------------------------------------+
//| The symbol in the list, -1 if nothing was decided in it          |
//+------------------------------------------------------------------+
int CCopierNet::Find(const string symbol,const CopierNet &nets[])
  {
   for(int i=0; i<ArraySize(nets); i++)
      if(nets[i].symbol==symbol)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| All symbols that concern the copier                              |
//+------------------------------------------------------------------+
void CCopierNet::Names(const CopierLink &links[],const CopierNet &nets[],const CopierHeld &held[],string &names[])
  {
   ArrayResize(names,0);
   for(int i=0; i<ArraySize(links); i++)
      if(links[i].state==COPIER_LINK_OPEN)
         AddName(links[i].symbol,names);
   for(int i=0; i<ArraySize(nets); i++)
      if(nets[i].reached!=0)
         AddName(nets[i].symbol,names);
   for(int i=0; i<ArraySize(held); i++)
      if(held[i].id==COPIER_NET)
         AddName(held[i].symbol,names);
  }
//+------------------------------------------------------------------+
//| Once each                                                        |
//+------------------------------------------------------------------+
void CCopierNet::AddName(const string name,string &names[])
  {
   int count=ArraySize(names);
   for(int i=0; i<count; i++)
      if(names[i]==name)
         return;
   ArrayResize(names,count+1,16);
   names[count]=name;
  }
//+------------------------------------------------------------------+
//| A position that is not the copier's                              |
//+------------------------------------------------------------------+
bool CCopierNet::IsForeign(const string symbol,const CopierHeld &held[])
  {
   for(int i=0; i<ArraySize(held); i++)
      if(held[i].symbol==symbol && held[i].id==0)
         return(true);
   return(false);
  }
//+------------------------------------------------------------------+
//| What was reached, made if there is nothing yet                   |
//+------------------------------------------------------------------+
int CCopierNet::Reached(const string symbol,CopierNet &nets[])
  {
   int found=Find(symbol,nets);
   if(found>=0)
      return(found);
   int count=ArraySize(nets);
   ArrayResize(nets,count+1,16);
   nets[count].symbol=symbol;
   nets[count].reached=0;
   return(count);
  }
//+------------------------------------------------------------------+
//| The copier's position                                            |
//+------------------------------------------------------------------+
int CCopierNet::Own(const string symbol,const CopierHeld &held[])
  {
   for(int i=0; i<ArraySize(held); i++)
      if(held[i].symbol==symbol && held[i].id==COPIER_NET)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| By hand or by a stop: that part of all copies stays away         |
//+------------------------------------------------------------------+
void CCopierNet::TakenOff(CopierLink &links[],const string symbol,const double left)
  {
   for(int i=0; i<ArraySize(links); i++)
     {
      if(links[i].state!=COPIER_LINK_OPEN || links[i].symbol!=symbol)
         continue;
      links[i].volume*=left;
      if(left<=0)
        {
         links[i].state=COPIER_LINK_CLOSED;
         links[i].reason="closed here by hand or by a stop";
        }
     }
  }
//+------------------------------------------------------------------+
//| Of all copies, or those that were reached, as they would be in   |
//| hedging                                                          |
//+------------------------------------------------------------------+
double CCopierNet::Sum(const CopierLink &links[],const string symbol,const CopierState &state,const CopierRules &rules,const bool is_reached)
  {
   double sum=0;
   for(int i=0; i<ArraySize(links); i++)
     {
      int position=CCopierState::Find(state,links[i].id);
      if(position<0 || links[i].state!=COPIER_LINK_OPEN || links[i].symbol!=symbol || (is_reached && links[i].reached<=0))
         continue;
      double volume=links[i].volume*state.positions[position].volume/links[i].master_volume;
      sum+=(state.positions[position].is_buy!=rules.reverse ? volume : -volume);
     }
   return(sum);
  }
//+------------------------------------------------------------------+
//| A volume that the symbol takes. What is too small adds up by     |
//| itself: there is nothing to carry                                |
//+------------------------------------------------------------------+
double CCopierNet::Fit(const double sum,const CopierRules &rules,const CopierSymbol &symbol)
  {
   double most=(rules.volume_max>0 ? MathMin(rules.volume_max,symbol.volume_max) : symbol.volume_max);
   double volume=CCopierRules::Down(MathMin(MathAbs(sum),most),symbol);
   if(volume<symbol.volume_min-symbol.volume_step/2)
      volume=(rules.small==COPIER_SMALL_MINIMUM && MathAbs(sum)>0.00000001 && symbol.volume_min<=most ? symbol.volume_min : 0);
   return(sum<0 ? -volume : volume);
  }
//+------------------------------------------------------------------+
//| When nothing new is opened, a position only becomes smaller      |
//+------------------------------------------------------------------+
double CCopierNet::Within(const double target,const double held,const CopierRules &rules)
  {
   if(rules.mode==COPIER_ON)
      return(target);
   if(target*held<=0)
      return(0);
   return(MathAbs(target)<MathAbs(held) ? target : held);
  }
//+------------------------------------------------------------------+
//| Is more held than what was reached, by a fill in part? Nobody    |
//| can tell of which copy                                           |
//+------------------------------------------------------------------+
bool CCopierNet::IsBegun(const CopierLink &links[],const CopierState &state,const CopierRules &rules,const CopierSymbol &symbol,const double held)
  {
   double reached=Fit(Sum(links,symbol.name,state,rules,true),rules,symbol);
   double more=Fit(Sum(links,symbol.name,state,rules,false),rules,symbol)-reached;
   return(MathAbs(held-reached)>=symbol.volume_step/2 && (held-reached)*more>0);
  }
//+------------------------------------------------------------------+
//| What was never reached and is too old now                        |
//+------------------------------------------------------------------+
void CCopierNet::Late(CopierLink &links[],const CopierState &state,const CopierRules &rules,const CopierSymbol &symbol,const double held,
                      const long now_msc)
  {
   bool is_begun=IsBegun(links,state,rules,symbol,held);
   for(int i=0; i<ArraySize(links) && rules.max_age_ms>0 && !is_begun; i++)
     {
      if(links[i].state!=COPIER_LINK_OPEN || links[i].symbol!=symbol.name || links[i].reached>0)
         continue;
      int position=CCopierState::Find(state,links[i].id);
      if(position<0 || now_msc-MathMax(state.positions[position].time_msc,links[i].since_msc)<=rules.max_age_ms)
         continue;
      links[i].state=COPIER_LINK_IGNORED;
      links[i].reason="could not be opened in time";
     }
  }
//+------------------------------------------------------------------+
//| The position is the sum of them all                              |
//+------------------------------------------------------------------+
void CCopierNet::Complete(CopierLink &links[],const string symbol)
  {
   for(int i=0; i<ArraySize(links); i++)
      if(links[i].state==COPIER_LINK_OPEN && links[i].symbol==symbol)
         links[i].reached=links[i].volume;
  }
//+------------------------------------------------------------------+
//| From what is held to what is wanted                              |
//+------------------------------------------------------------------+
void CCopierNet::Move(const double held,const double target,const CopierHeld &position,const CopierSymbol &symbol,CopierAction &actions[])
  {
   if(held!=0 && (held*target<=0 || MathAbs(target)<MathAbs(held)))
     {
      bool is_whole=(held*target<=0);
      //--- a part below the minimum is refused: it waits until there is more
      if(!is_whole && NormalizeDouble(MathAbs(held-target),8)<symbol.volume_min-symbol.volume_step/2)
         return;
      int action=CCopierActions::Add(actions,COPIER_ACTION_CLOSE,COPIER_NET,position.ticket,symbol.name,
                                      is_whole ? "closed or turned by the master" : "reduced by the master");
      actions[action].is_buy=position.is_buy;
      actions[action].volume=(is_whole ? position.volume : NormalizeDouble(MathAbs(held-target),8));
      return;
     }
   double volume=NormalizeDouble(MathAbs(target-held),8);
//--- an addition below the minimum waits until there is more
   if(volume<symbol.volume_min-symbol.volume_step/2)
      return;
   int action=CCopierActions::Add(actions,COPIER_ACTION_OPEN,COPIER_NET,0,symbol.name,held!=0 ? "added to by the master" : "opened by the master");
   actions[action].is_buy=(target>0);
   actions[action].volume=volume;
   actions[action].sl=position.ticket!=0 ? position.sl : 0;
   actions[action].tp=position.ticket!=0 ? position.tp : 0;
  }
//+------------------------------------------------------------------+
//| One position has one pair of stops: that of the copies, if all   |
//| agree, else none. The master's own stops close what they close   |
//+------------------------------------------------------------------+
void CCopierNet::Stops(const CopierLink &links[],const CopierState &state,const CopierRules &rules,const CopierSymbol &symbol,
                       const CopierHeld &position,CopierAction &actions[])
  {
   double sl=0;
   double tp=0;
   bool   is_first=true;
   double half=CCopierActions::HalfTick(symbol);
   for(int i=0; i<ArraySize(links); i++)
     {
      int found=CCopierState::Find(state,links[i].id);
      if(found<0 || links[i].state!=COPIER_LINK_OPEN || links[i].symbol!=symbol.name)
         continue;
      CopierPosition master=state.positions[found];
      //--- the stops of the other side are none of this one
      if(position.is_buy!=(master.is_buy!=rules.reverse))
        {
         master.sl=0;
         master.tp=0;
        }
      double its_sl=CCopierActions::StopLoss(master,rules,symbol,position.sl);
      double its_tp=CCopierActions::TakeProfit(master,rules,symbol,position.tp);
      if(is_first)
        {
         sl=its_sl;
         tp=its_tp;
         is_first=false;
         continue;
        }
      if(MathAbs(sl-its_sl)>=half)
         sl=0;
      if(MathAbs(tp-its_tp)>=half)
         tp=0;
     }
   if(MathAbs(position.sl-sl)<half && MathAbs(position.tp-tp)<half)
      return;
   int action=CCopierActions::Add(actions,COPIER_ACTION_STOPS,COPIER_NET,position.ticket,symbol.name,"stops changed by the master");
   actions[action].is_buy=position.is_buy;
   actions[action].volume=position.volume;
   actions[action].sl=sl;
   actions[action].tp=tp;
  }
#endif
//+------------------------------------------------------------------+
