//+------------------------------------------------------------------+
//|                                                    CopierNet.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Random hedging masters against a netting follower whose orders
//--- fail, who is restarted and who closes by hand: after quiet his
//--- one position of a symbol is the sum. The model of the follower is
//--- a list; no trade server.
#property version "1.00"
#include <Mt5Mqtt\Copier\Plan.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
input int InpSeed=1;      // First seed
input int InpRounds=200;  // Sequences, a seed each
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
   double            m_held[];             // of each symbol, sells negative
   double            m_sl[];
   double            m_tp[];
   double            m_late[];             // a reduction that the terminal doesn't show yet
   bool              m_by_hand[];          // touched by the user: only the end of everything can be told
   bool              m_foreign[];          // has a position that is not the copier's
   CCopierPlan      *m_plan;
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
   void              MasterOpens(void);
   void              MasterMoves(void);
   void              UserMoves(void);
   void              Restart(void);
   int               Deliver(const int reliability);
   void              Show(const int percent);
   void              Execute(const CopierAction &action,const bool is_late);
   double            Sum(const int symbol) const;
   void              CheckEnd(void);
   void              Fault(const string text);
  };
//+------------------------------------------------------------------+
//| Random rules                                                     |
//+------------------------------------------------------------------+
CSequence::CSequence(const int seed) : m_seed(seed),m_fault(""),m_ticket(1000),m_id(1),m_now(1000000)
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
   Symbol("XAUUSD",0.1,0.1);
   Symbol("US500",0.05,0.01);
   CCopierRules::Defaults(m_rules);
   m_rules.netting=true;
   m_rules.existing=COPIER_EXISTING_COPY;
   m_rules.size_value=0.25*(1+Random(8));
   m_rules.small=(ENUM_COPIER_SMALL)Random(3);
   m_rules.reverse=Chance(30);
   m_rules.copy_sl=Chance(80);
   m_rules.copy_tp=Chance(80);
   m_rules.volume_max=(Chance(20) ? 1.5 : 0);
  }
//+------------------------------------------------------------------+
//| A symbol of the follower                                         |
//+------------------------------------------------------------------+
void CSequence::Symbol(const string name,const double volume_min,const double volume_step)
  {
   int i=ArraySize(m_symbols);
   ArrayResize(m_symbols,i+1);
   ArrayResize(m_held,i+1);
   ArrayResize(m_sl,i+1);
   ArrayResize(m_tp,i+1);
   ArrayResize(m_by_hand,i+1);
   ArrayResize(m_late,i+1);
   ArrayResize(m_foreign,i+1);
   m_symbols[i].name=name;
   m_symbols[i].contract_size=100;
   m_symbols[i].point=0.01;
   m_symbols[i].tick_size=0.01;
   m_symbols[i].tick_value=1;
   m_symbols[i].volume_min=volume_min;
   m_symbols[i].volume_max=5;
   m_symbols[i].volume_step=volume_step;
   m_symbols[i].bid=100;
   m_symbols[i].ask=100.02;
   m_symbols[i].stops_level=0;
   m_symbols[i].freeze_level=0;
   m_symbols[i].expires_day=true;
   m_symbols[i].expires_time=true;
   m_symbols[i].expires_date=true;
   m_symbols[i].never_expires=true;
   m_symbols[i].is_uncertain=false;
   m_held[i]=0;
   m_sl[i]=0;
   m_tp[i]=0;
   m_by_hand[i]=false;
   m_late[i]=0;
   m_foreign[i]=(i==2 && Chance(20));
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
//| A new position of the master                                     |
//+------------------------------------------------------------------+
void CSequence::MasterOpens(void)
  {
   int i=ArraySize(m_state.positions);
   ArrayResize(m_state.positions,i+1);
   m_state.positions[i].id=m_id;
   m_state.positions[i].symbol=m_symbols[Random(ArraySize(m_symbols))].name;
   m_state.positions[i].is_buy=Chance(50);
   m_state.positions[i].volume=NormalizeDouble(0.01*(1+Random(100)),8);
   m_state.positions[i].price=100;
   m_state.positions[i].sl=(Chance(50) ? 90+Random(500)*0.01 : 0);
   m_state.positions[i].tp=(Chance(50) ? 105+Random(500)*0.01 : 0);
   m_state.positions[i].time_msc=m_now;
   m_state.positions[i].magic=0;
   m_state.positions[i].comment="";
   m_state.positions[i].contract_size=100;
   m_id++;
  }
//+------------------------------------------------------------------+
//| Opens, closes in part or whole, other stops, a reversal          |
//+------------------------------------------------------------------+
void CSequence::MasterMoves(void)
  {
   int count=ArraySize(m_state.positions);
   m_now+=1000;
   if(count==0 || Chance(40))
     {
      MasterOpens();
      return;
     }
   int i=Random(count);
   switch(Random(4))
     {
      case 0:
         ArrayRemove(m_state.positions,i,1);
         break;
      case 1:
         m_state.positions[i].volume=NormalizeDouble(0.01*(1+Random((int)MathRound(m_state.positions[i].volume*100))),8);
         break;
      case 2:
         m_state.positions[i].sl=(Chance(70) ? 90+Random(500)*0.01 : 0);
         m_state.positions[i].tp=(Chance(70) ? 105+Random(500)*0.01 : 0);
         break;
      default:
         m_state.positions[i].is_buy=!m_state.positions[i].is_buy;
     }
  }
//+------------------------------------------------------------------+
//| The follower's user closes, or a stop does                       |
//+------------------------------------------------------------------+
void CSequence::UserMoves(void)
  {
   int i=Random(ArraySize(m_symbols));
   if(m_held[i]==0 || m_foreign[i] || m_late[i]!=0)
      return;
   m_held[i]=(Chance(50) ? 0 : NormalizeDouble(MathRound(m_held[i]/2/m_symbols[i].volume_step)*m_symbols[i].volume_step,8));
   m_by_hand[i]=true;
  }
//+------------------------------------------------------------------+
//| What is in the file is all that is known                         |
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
   for(int i=0; i<m_plan.Nets(); i++)
     {
      CopierNet net;
      m_plan.Net(i,net);
      plan.AddNet(net);
     }
   CopierGuard guard;
   m_plan.Guard(guard);
   plan.SetGuard(guard);
   delete m_plan;
   m_plan=plan;
  }
//+------------------------------------------------------------------+
//| One look; of a hundred actions so many succeed                   |
//+------------------------------------------------------------------+
int CSequence::Deliver(const int reliability)
  {
   CopierHeld held[];
   int        count=0;
   Show(30);
   for(int i=0; i<ArraySize(m_symbols); i++)
     {
      if(m_held[i]==0 && !m_foreign[i])
         continue;
      ArrayResize(held,count+1);
      held[count].ticket=(ulong)(100+i);
      held[count].id=(m_foreign[i] ? 0 : COPIER_NET);
      held[count].symbol=m_symbols[i].name;
      held[count].is_buy=(m_held[i]>0);
      held[count].volume=(m_foreign[i] ? 1 : MathAbs(m_held[i]));
      held[count].sl=m_sl[i];
      held[count].tp=m_tp[i];
      held[count].is_settling=(m_late[i]!=0);
      count++;
     }
   int actions=m_plan.Make(m_state,m_rules,m_symbols,m_state.funds,held,m_orders,m_now,false);
   for(int i=0; i<actions; i++)
     {
      CopierAction action;
      m_plan.Action(i,action);
      //--- while a reduction may still show, nothing more is sent
      if(Chance(reliability) && m_late[CCopierSymbols::Find(action.symbol,m_symbols)]==0)
         Execute(action,reliability<100 && Chance(15));
     }
   return(actions);
  }
//+------------------------------------------------------------------+
//| Of a hundred reductions that were late so many show now          |
//+------------------------------------------------------------------+
void CSequence::Show(const int percent)
  {
   for(int i=0; i<ArraySize(m_symbols); i++)
     {
      if(m_late[i]==0 || !Chance(percent))
         continue;
      m_held[i]=NormalizeDouble(m_held[i]+m_late[i],8);
      m_late[i]=0;
     }
  }
//+------------------------------------------------------------------+
//| What the trade server does                                       |
//+------------------------------------------------------------------+
void CSequence::Execute(const CopierAction &action,const bool is_late)
  {
   int i=CCopierSymbols::Find(action.symbol,m_symbols);
   if(m_foreign[i])
     {
      Fault("touched a position that is not the copier's");
      return;
     }
   if(action.action==COPIER_ACTION_STOPS)
     {
      m_sl[i]=action.sl;
      m_tp[i]=action.tp;
      return;
     }
   double volume=action.volume;
   if(volume<m_symbols[i].volume_min-0.00000001 && action.action==COPIER_ACTION_OPEN)
      Fault("opened less than the minimum");
   if(volume<m_symbols[i].volume_min-0.00000001 && action.action==COPIER_ACTION_CLOSE && volume<MathAbs(m_held[i])-0.00000001)
      Fault("closed a part below the minimum");
   if(action.action==COPIER_ACTION_OPEN && Chance(20))
      volume=NormalizeDouble(MathMax(m_symbols[i].volume_min,MathFloor(volume/2/m_symbols[i].volume_step)*m_symbols[i].volume_step),8);
   bool   is_buy=(action.is_buy==(action.action==COPIER_ACTION_OPEN));
   if(is_late && action.action==COPIER_ACTION_CLOSE)
     {
      m_late[i]=(is_buy ? volume : -volume);
      return;
     }
   double before=m_held[i];
   m_held[i]=NormalizeDouble(m_held[i]+(is_buy ? volume : -volume),8);
   if(before*m_held[i]<0)
      Fault("turned a position in one step");
   if(m_held[i]==0)
     {
      m_sl[i]=0;
      m_tp[i]=0;
     }
   if(action.action==COPIER_ACTION_OPEN && Chance(80))
      m_plan.Opened(action,volume);
  }
//+------------------------------------------------------------------+
//| What the rules say of a symbol, reckoned another way: position   |
//| by position from the master's volume                             |
//+------------------------------------------------------------------+
double CSequence::Sum(const int symbol) const
  {
   double sum=0;
   for(int i=0; i<ArraySize(m_state.positions); i++)
      if(m_state.positions[i].symbol==m_symbols[symbol].name)
         sum+=(m_state.positions[i].is_buy==m_rules.reverse ? -1 : 1)*m_state.positions[i].volume*m_rules.size_value;
   return(sum);
  }
//+------------------------------------------------------------------+
//| After quiet                                                      |
//+------------------------------------------------------------------+
void CSequence::CheckEnd(void)
  {
   for(int i=0; i<ArraySize(m_symbols); i++)
     {
      if(m_foreign[i] || m_by_hand[i])
         continue;
      double sum=Sum(i);
      double most=(m_rules.volume_max>0 ? m_rules.volume_max : m_symbols[i].volume_max);
      double off=MathAbs(MathMin(MathAbs(sum),most)-MathAbs(m_held[i]));
      bool   is_small=(MathAbs(sum)<m_symbols[i].volume_min+m_symbols[i].volume_step);
      if(m_held[i]*sum<0)
         Fault(StringFormat("%s: %.4f is held, %.4f wanted",m_symbols[i].name,m_held[i],sum));
      //--- an addition or a rest below the minimum stays away
      if(!is_small && off>m_symbols[i].volume_min+m_symbols[i].volume_step)
         Fault(StringFormat("%s: %.4f is held, %.4f wanted",m_symbols[i].name,m_held[i],sum));
      //--- so does a reduction
      if(m_rules.small!=COPIER_SMALL_MINIMUM && MathAbs(m_held[i])>MathAbs(sum)+m_symbols[i].volume_min-0.00000001)
         Fault(StringFormat("%s: more is held, %.4f, than wanted, %.4f",m_symbols[i].name,m_held[i],sum));
     }
  }
//+------------------------------------------------------------------+
//| Returns what went wrong                                          |
//+------------------------------------------------------------------+
string CSequence::Run(void)
  {
   int steps=20+Random(60);
   for(int i=0; i<steps && m_fault==""; i++)
     {
      MasterMoves();
      if(Chance(5))
         UserMoves();
      if(Chance(10))
         Restart();
      if(Chance(80))
         Deliver(60);
     }
   int rounds=0;
   Show(100);
   while(m_fault=="" && Deliver(100)>0 && rounds<50)
      rounds++;
   if(rounds>=50)
      Fault("it doesn't come to rest");
   CheckEnd();
   //--- when the master has nothing, neither has the follower
   ArrayResize(m_state.positions,0);
   for(int i=0; i<20; i++)
      Deliver(100);
   for(int i=0; i<ArraySize(m_symbols) && m_fault==""; i++)
      if(m_held[i]!=0 && !m_foreign[i])
         Fault(m_symbols[i].name+" was left open");
   return(m_fault);
  }
//+------------------------------------------------------------------+
//| All sequences                                                    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   int failed=0;
   for(int i=0; i<InpRounds; i++)
     {
      CSequence sequence(InpSeed+i);
      string    fault=sequence.Run();
      if(fault=="")
         continue;
      failed++;
      Print("seed ",InpSeed+i,": ",fault);
     }
   Print(InpRounds," sequences, ",failed," failed");
  }
//+------------------------------------------------------------------+
