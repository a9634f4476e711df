//+------------------------------------------------------------------+
//|                                                   CopierPlan.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Random masters against a follower whose orders fail, who is
//--- restarted and who closes by hand: after quiet he holds what the
//--- rules say. The model of the follower is a list; no trade server.
#property version "1.00"
#include <Mt5Mqtt\Copier\Plan.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
input int InpSeed=1;      // First seed
input int InpRounds=200;  // Sequences, a seed each
//+------------------------------------------------------------------+
//| What the test knows of a position of the master                  |
//+------------------------------------------------------------------+
struct Known
  {
   long              id;
   bool              by_hand;              // touched by the follower's user
   bool              grown;                // its volume has grown
   double            decided;              // volume when the follower first saw it, 0 = not yet
   bool              is_open;
  };
//+------------------------------------------------------------------+
//| One sequence                                                     |
//+------------------------------------------------------------------+
class CSequence
  {
private:
   int               m_seed;
   string            m_fault;
   CopierState       m_state;
   CopierRules       m_rules;
   CopierSymbol      m_symbols[];
   CopierHeldOrder   m_orders[];           // none
   CopierHeld        m_held[];
   Known             m_known[];
   CCopierPlan      *m_plan;
   bool              m_first;
   ulong             m_ticket;
   long              m_id;
   long              m_now;

public:
                     CSequence(const int seed);
                    ~CSequence(void) { delete m_plan; }
   string            Run(void);

private:
   int               Random(const int below) { return((MathRand()*32768+MathRand())%below); }
   bool              Chance(const int percent) { return(Random(100)<percent); }
   void              Symbol(const string name,const double volume_min,const double volume_step);
   void              MasterMoves(void);
   void              MasterOpens(void);
   void              Close(const int index);
   void              UserMoves(void);
   void              Restart(void);
   int               Deliver(const int reliability);
   void              Execute(const CopierAction &action);
   int               FindHeld(const ulong ticket) const;
   int               FindKnown(const long id) const;
   double            HeldOf(const long id,const bool is_buy) const;
   int               TicketsOf(const long id) const;
   void              Fault(const string text);
   void              CheckActions(void);
   void              CheckEnd(void);
   void              CheckPosition(const CopierPosition &position);
  };
//+------------------------------------------------------------------+
//| Random rules                                                     |
//+------------------------------------------------------------------+
CSequence::CSequence(const int seed) : m_seed(seed),m_fault(""),m_first(true),m_ticket(1000),m_id(1),m_now(1000000)
  {
   MathSrand(seed);
   m_plan=new CCopierPlan;
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
//| A symbol of the follower                                         |
//+------------------------------------------------------------------+
void CSequence::Symbol(const string name,const double volume_min,const double volume_step)
  {
   int i=ArraySize(m_symbols);
   ArrayResize(m_symbols,i+1);
   m_symbols[i].name=name;
   m_symbols[i].contract_size=100;
   m_symbols[i].point=0.01;
   m_symbols[i].tick_size=0.01;
   m_symbols[i].tick_value=1;
   m_symbols[i].volume_min=volume_min;
   m_symbols[i].volume_max=2;
   m_symbols[i].volume_step=volume_step;
   m_symbols[i].bid=100;
   m_symbols[i].ask=100.02;
   m_symbols[i].stops_level=0;
   m_symbols[i].freeze_level=0;
   m_symbols[i].expires_day=true;
   m_symbols[i].expires_time=true;
   m_symbols[i].expires_date=true;
   m_symbols[i].never_expires=true;
  }
//+------------------------------------------------------------------+
//| The first fault stays                                            |
//+------------------------------------------------------------------+
void CSequence::Fault(const string text)
  {
   if(m_fault=="")
      m_fault=text;
  }
//+------------------------------------------------------------------+
//| By ticket                                                        |
//+------------------------------------------------------------------+
int CSequence::FindHeld(const ulong ticket) const
  {
   for(int i=0; i<ArraySize(m_held); i++)
      if(m_held[i].ticket==ticket)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| By identifier                                                    |
//+------------------------------------------------------------------+
int CSequence::FindKnown(const long id) const
  {
   for(int i=0; i<ArraySize(m_known); i++)
      if(m_known[i].id==id)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| Volume of the copies on one side                                 |
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
//| Number of the copies                                             |
//+------------------------------------------------------------------+
int CSequence::TicketsOf(const long id) const
  {
   int count=0;
   for(int i=0; i<ArraySize(m_held); i++)
      if(m_held[i].id==id)
         count++;
   return(count);
  }
//+------------------------------------------------------------------+
//| A new position of the master                                     |
//+------------------------------------------------------------------+
void CSequence::MasterOpens(void)
  {
   string symbols[]={"EURUSD","XAUUSD","US500","UNKNOWN"};
   int    i=ArraySize(m_state.positions);
   ArrayResize(m_state.positions,i+1);
   m_state.positions[i].id=m_id;
   m_state.positions[i].symbol=symbols[Random(100)<5 ? 3 : Random(3)];
   m_state.positions[i].is_buy=Chance(50);
   m_state.positions[i].volume=NormalizeDouble(0.01*(1+Random(100)),8);
   m_state.positions[i].price=100;
   m_state.positions[i].sl=(Chance(50) ? 90+Random(500)*0.01 : 0);
   m_state.positions[i].tp=(Chance(50) ? 105+Random(500)*0.01 : 0);
   m_state.positions[i].time_msc=m_now;
   m_state.positions[i].magic=0;
   m_state.positions[i].comment="";
   m_state.positions[i].contract_size=100;
   int known=ArraySize(m_known);
   ArrayResize(m_known,known+1);
   m_known[known].id=m_id;
   m_known[known].by_hand=false;
   m_known[known].grown=false;
   m_known[known].decided=0;
   m_known[known].is_open=false;
   m_id++;
  }
//+------------------------------------------------------------------+
//| A position of the master goes                                    |
//+------------------------------------------------------------------+
void CSequence::Close(const int index)
  {
   int last=ArraySize(m_state.positions)-1;
   if(index!=last)
      m_state.positions[index]=m_state.positions[last];
   ArrayResize(m_state.positions,last);
  }
//+------------------------------------------------------------------+
//| The master does something                                        |
//+------------------------------------------------------------------+
void CSequence::MasterMoves(void)
  {
   int count=ArraySize(m_state.positions);
   if(count==0 || Chance(35))
     {
      MasterOpens();
      return;
     }
   int i=Random(count);
   int known=FindKnown(m_state.positions[i].id);
   switch(Random(6))
     {
      case 0:
         Close(i);
         break;
      case 1:                              // a partial close
         m_state.positions[i].volume=NormalizeDouble(MathMax(0.01,0.01*MathFloor(m_state.positions[i].volume*100*Random(100)/100)),8);
         break;
      case 2:                              // other stops
         m_state.positions[i].sl=(Chance(70) ? 90+Random(500)*0.01 : 0);
         m_state.positions[i].tp=(Chance(70) ? 105+Random(500)*0.01 : 0);
         break;
      case 3:                              // a netting master adds
         m_state.positions[i].volume=NormalizeDouble(m_state.positions[i].volume+0.01*(1+Random(30)),8);
         m_known[known].grown=true;
         break;
      case 4:                              // a netting master reverses
         m_state.positions[i].is_buy=!m_state.positions[i].is_buy;
         m_state.positions[i].volume=NormalizeDouble(0.01*(1+Random(100)),8);
         m_known[known].grown=true;
         break;
      case 5:                              // a close-by: two at once
         Close(i);
         if(ArraySize(m_state.positions)>0)
            Close(Random(ArraySize(m_state.positions)));
         break;
     }
  }
//+------------------------------------------------------------------+
//| The follower's user, or a stop, closes a copy or a part of it    |
//+------------------------------------------------------------------+
void CSequence::UserMoves(void)
  {
   int count=ArraySize(m_held);
   if(count==0)
      return;
   int i=Random(count);
   int known=FindKnown(m_held[i].id);
   if(known>=0)
      m_known[known].by_hand=true;
   double part=NormalizeDouble(MathFloor(m_held[i].volume*50)/100,8);
   if(Chance(50) || part<0.1)
      ArrayRemove(m_held,i,1);
   else
      m_held[i].volume=NormalizeDouble(m_held[i].volume-NormalizeDouble(MathFloor(part*10)/10,8),8);
  }
//+------------------------------------------------------------------+
//| A new program with the links of the old one                      |
//+------------------------------------------------------------------+
void CSequence::Restart(void)
  {
   CCopierPlan *plan=new CCopierPlan;
   for(int i=0; i<m_plan.Links(); i++)
     {
      CopierLink link;
      m_plan.Link(i,link);
      plan.AddLink(link);
     }
   delete m_plan;
   m_plan=plan;
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
//| Carries an action out                                            |
//+------------------------------------------------------------------+
void CSequence::Execute(const CopierAction &action)
  {
   int i=FindHeld(action.ticket);
   switch(action.action)
     {
      case COPIER_ACTION_OPEN:
         i=ArraySize(m_held);
         ArrayResize(m_held,i+1);
         m_ticket++;
         m_held[i].is_settling=false;
         m_held[i].ticket=m_ticket;
         m_held[i].id=action.id;
         m_held[i].symbol=action.symbol;
         m_held[i].is_buy=action.is_buy;
         m_held[i].volume=action.volume;
         m_held[i].sl=action.sl;
         m_held[i].tp=action.tp;
         break;
      case COPIER_ACTION_CLOSE:
         if(i<0)
            break;
         m_held[i].volume=NormalizeDouble(m_held[i].volume-action.volume,8);
         if(m_held[i].volume<0.000001)
            ArrayRemove(m_held,i,1);
         break;
      case COPIER_ACTION_STOPS:
         if(i<0)
            break;
         m_held[i].sl=action.sl;
         m_held[i].tp=action.tp;
         break;
      default:
         break;
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
   if(volume<=0)
      Fault(name+"not held");
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
