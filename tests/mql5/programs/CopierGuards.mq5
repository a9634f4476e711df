//+------------------------------------------------------------------+
//|                                                 CopierGuards.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- What guards keep from being opened, and that nothing keeps a
//--- close; volumes that are carried; circles of copiers; retcodes.
#property version "1.00"
#include <Mt5Mqtt\Copier\Plan.mqh>
#include <Mt5Mqtt\Copier\Retcodes.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
#include <Mt5Mqtt\Internal\Trade.mqh>
CMqttCheck   ExtCheck;
CopierState  ExtState;
CopierRules  ExtRules;
CopierFunds  ExtOwn;
CopierSymbol ExtSymbols[];
CopierHeld   ExtHeld[];
CopierHeldOrder ExtOrders[];
//+------------------------------------------------------------------+
//| All checks                                                       |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   Spread();
   Slippage();
   Equity();
   Drawdown();
   Carried();
   Risk();
   Origins();
   Retcodes();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| A symbol of 0.1 lots at least                                    |
//+------------------------------------------------------------------+
void AddSymbol(const string name)
  {
   int i=ArraySize(ExtSymbols);
   ArrayResize(ExtSymbols,i+1);
   ExtSymbols[i].name=name;
   ExtSymbols[i].contract_size=100000;
   ExtSymbols[i].point=0.0001;
   ExtSymbols[i].tick_size=0.0001;
   ExtSymbols[i].tick_value=1;
   ExtSymbols[i].volume_min=0.1;
   ExtSymbols[i].volume_max=5;
   ExtSymbols[i].volume_step=0.1;
   ExtSymbols[i].bid=1.1;
   ExtSymbols[i].ask=1.1002;
   ExtSymbols[i].stops_level=0;
   ExtSymbols[i].freeze_level=0;
   ExtSymbols[i].expires_day=true;
   ExtSymbols[i].expires_time=true;
   ExtSymbols[i].expires_date=true;
   ExtSymbols[i].never_expires=true;
   ExtSymbols[i].is_uncertain=false;
  }
//+------------------------------------------------------------------+
//| Nothing is held, and no rule limits anything                     |
//+------------------------------------------------------------------+
void Begin(void)
  {
   ArrayResize(ExtSymbols,0);
   AddSymbol("EURUSD");
   AddSymbol("GBPUSD");
   ArrayResize(ExtHeld,0);
   ArrayResize(ExtState.positions,0);
   ArrayResize(ExtState.orders,0);
   ExtState.has_orders=true;
   ExtState.is_netting=false;
   ExtState.server="S";
   ExtState.login=1;
   ExtState.funds.balance=1000;
   ExtState.funds.equity=1000;
   ExtState.funds.free_margin=1000;
   ExtOwn=ExtState.funds;
   CCopierRules::Defaults(ExtRules);
  }
//+------------------------------------------------------------------+
//| A position of the master                                         |
//+------------------------------------------------------------------+
void Opens(const long id,const string symbol,const bool is_buy,const double volume)
  {
   int i=ArraySize(ExtState.positions);
   ArrayResize(ExtState.positions,i+1);
   ExtState.positions[i].id=id;
   ExtState.positions[i].symbol=symbol;
   ExtState.positions[i].is_buy=is_buy;
   ExtState.positions[i].volume=volume;
   ExtState.positions[i].price=1.1002;
   ExtState.positions[i].sl=0;
   ExtState.positions[i].tp=0;
   ExtState.positions[i].time_msc=0;
   ExtState.positions[i].magic=0;
   ExtState.positions[i].comment="";
   ExtState.positions[i].contract_size=100000;
   ExtState.positions[i].via="";
  }
//+------------------------------------------------------------------+
//| What is to be done, in words                                     |
//+------------------------------------------------------------------+
string Made(CCopierPlan &plan)
  {
   string text="";
   plan.Make(ExtState,ExtRules,ExtSymbols,ExtOwn,ExtHeld,ExtOrders,0,false);
   for(int i=0; i<plan.Actions(); i++)
     {
      CopierAction action;
      plan.Action(i,action);
      text+=(action.action==COPIER_ACTION_OPEN ? "open" : (action.action==COPIER_ACTION_CLOSE ? "close" : "stops"))+
            " "+DoubleToString(action.volume,1)+";";
     }
   return(text);
  }
//+------------------------------------------------------------------+
//| A copy of position 1 is there                                    |
//+------------------------------------------------------------------+
void Hold(CCopierPlan &plan,const double volume)
  {
   ArrayResize(ExtHeld,1);
   ExtHeld[0].ticket=100;
   ExtHeld[0].id=(ExtRules.netting ? COPIER_NET : 1);
   ExtHeld[0].symbol="EURUSD";
   ExtHeld[0].is_buy=true;
   ExtHeld[0].volume=volume;
   ExtHeld[0].sl=0;
   ExtHeld[0].tp=0;
   ExtHeld[0].is_settling=false;
   CopierAction action;
   plan.Action(0,action);
   plan.Opened(action,volume);
  }
//+------------------------------------------------------------------+
//| An open waits, a close doesn't                                   |
//+------------------------------------------------------------------+
void Spread(void)
  {
   for(int netting=0; netting<2; netting++)
     {
      CCopierPlan plan;
      Begin();
      ExtRules.netting=(netting==1);
      ExtRules.max_spread=1;
      Opens(1,"EURUSD",true,0.5);
      ExtCheck.Same(Made(plan),"","a spread of 2 points is more than 1");
      ExtRules.max_spread=2;
      ExtCheck.Same(Made(plan),"open 0.5;","2 points are not more than 2, and the open has waited");
      Hold(plan,0.5);
      ExtRules.max_spread=1;
      ExtState.positions[0].volume=0.2;
      ExtCheck.Same(Made(plan),"close 0.3;","a reduction has no spread");
      ArrayResize(ExtState.positions,0);
      ExtCheck.Same(Made(plan),"close 0.5;","nor has a close");
     }
  }
//+------------------------------------------------------------------+
//| By the master's price, on each side                              |
//+------------------------------------------------------------------+
void Slippage(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.max_slippage=3;
   Opens(1,"EURUSD",true,0.5);
   ExtState.positions[0].price=1.0998;
   ExtCheck.Same(Made(plan),"","4 points worse than the master's");
   ExtCheck.That(plan.Held()!="","it says why");
   ExtState.positions[0].price=1.0999;
   ExtCheck.Same(Made(plan),"open 0.5;","3 points worse");
   ExtState.positions[0].price=1.2;
   ExtCheck.Same(Made(plan),"open 0.5;","better");
   ExtState.positions[0].is_buy=false;
   ExtCheck.Same(Made(plan),"","a sell at a much lower price");
   ExtState.positions[0].price=1.1003;
   ExtCheck.Same(Made(plan),"open 0.5;","a sell 3 points lower");
   CCopierPlan oneside;
   Begin();
   ExtRules.max_slippage=3;
   ExtRules.max_spread=3;
   ExtSymbols[0].ask=0;
   Opens(1,"EURUSD",true,0.5);
   ExtCheck.Same(Made(oneside),"","nobody sells: no ask is no good price");
   ExtSymbols[0].ask=1.1002;
   ExtCheck.Same(Made(oneside),"open 0.5;","until there is one");
   CCopierPlan parts;
   Begin();
   ExtRules.max_slippage=3;
   Opens(1,"EURUSD",true,0.5);
   ExtCheck.Same(Made(parts),"open 0.5;","at the master's price");
   Hold(parts,0.2);
   ExtSymbols[0].ask=1.1012;
   ExtCheck.Same(Made(parts),"","the market gave 0.2 of it: the rest is no addition, and 10 points worse");
   ExtCheck.That(parts.Held()!="","it says why");
   ExtSymbols[0].ask=1.1004;
   ExtCheck.Same(Made(parts),"open 0.3;","2 points worse");
   ExtHeld[0].volume=0.5;
   ExtCheck.Same(Made(parts),"","all of it");
   ExtSymbols[0].ask=1.1012;
   ExtState.positions[0].volume=0.3;
   Made(parts);
   ExtHeld[0].volume=0.3;
   ExtCheck.Same(Made(parts),"","reduced by the master");
   ExtState.positions[0].volume=0.4;
   ExtCheck.Same(Made(parts),"open 0.1;","an addition isn't compared");
  }
//+------------------------------------------------------------------+
//| Below it nothing is opened; what was refused stays so            |
//+------------------------------------------------------------------+
void Equity(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.min_equity=900;
   Opens(1,"EURUSD",true,0.5);
   ExtCheck.Same(Made(plan),"open 0.5;","an equity of 1000");
   Hold(plan,0.5);
   ExtOwn.equity=899;
   Opens(2,"EURUSD",true,0.5);
   ExtCheck.Same(Made(plan),"","below 900 nothing is opened, and what is held stays");
   ExtOwn.equity=1000;
   Opens(3,"EURUSD",true,0.4);
   ExtCheck.Same(Made(plan),"open 0.4;","equity has recovered: for new ones only");
   ExtOwn.equity=899;
   ExtRules.guard_closes=true;
   ExtCheck.Same(Made(plan),"close 0.5;","what is held is closed if that is wanted");
   ArrayResize(ExtHeld,0);
   ExtOwn.equity=1000;
   ExtCheck.Same(Made(plan),"","and stays closed");
   Begin();
   CCopierPlan fresh;
   ExtRules.min_equity=900;
   ExtRules.max_drawdown=10;
   ExtOwn.balance=0;
   ExtOwn.equity=0;
   Made(fresh);
   ExtCheck.Same(fresh.Held(),"","a terminal without figures trips nothing");
   Opens(1,"EURUSD",true,0.5);
   ExtCheck.Same(Made(fresh),"","nor is anything opened that a guard might keep away");
   ExtOwn.balance=1000;
   ExtOwn.equity=1000;
   ExtCheck.Same(Made(fresh),"open 0.5;","it waits for the figures");
   ExtOwn.balance=0;
   ExtOwn.equity=0;
   ExtCheck.Same(Made(fresh),"","what was decided before waits, too");
   ExtCheck.Same(fresh.Held(),"waiting for the figures of this account, which a guard needs","it says so");
   ExtOwn.balance=1000;
   ExtOwn.equity=1000;
   ExtCheck.Same(Made(fresh),"open 0.5;","and is not lost");
  }
//+------------------------------------------------------------------+
//| From the highest equity, until the user resumes                  |
//+------------------------------------------------------------------+
void Drawdown(void)
  {
   CCopierPlan plan;
   CopierGuard guard;
   Begin();
   ExtRules.max_drawdown=10;
   Made(plan);
   ExtOwn.equity=2000;
   Made(plan);
   ExtOwn.equity=1801;
   Opens(1,"EURUSD",true,0.5);
   ExtCheck.Same(Made(plan),"open 0.5;","9.95 percent");
   Hold(plan,0.5);
   ExtOwn.equity=1800;
   Opens(2,"EURUSD",true,0.5);
   ExtCheck.Same(Made(plan),"","10 percent");
   ExtOwn.equity=2000;
   Opens(3,"EURUSD",true,0.5);
   ExtCheck.Same(Made(plan),"","the equity has recovered, and it stays halted");
   plan.Guard(guard);
   ExtCheck.Near(guard.peak,2000,"the highest equity");
   ExtCheck.That(guard.halted!="","why it is halted, for the file");
   CCopierPlan after;
   after.SetGuard(guard);
   ExtCheck.Same(Made(after),"","a restart resumes nothing");
   CCopierPlan blind;
   blind.SetGuard(guard);
   ExtOwn.balance=0;
   ExtOwn.equity=0;
   ExtRules.max_drawdown=0;
   ExtCheck.Same(Made(blind),"","nor does a terminal that doesn't know its figures yet");
   ExtRules.max_drawdown=10;
   ExtOwn.balance=1000;
   ExtOwn.equity=2000;
   guard.peak=0;
   guard.halted="";
   plan.SetGuard(guard);
   ExtOwn.equity=500;
   Opens(4,"EURUSD",true,0.3);
   ExtCheck.Same(Made(plan),"open 0.3;","resumed, from today's equity");
  }
//+------------------------------------------------------------------+
//| Each symbol and side for itself                                  |
//+------------------------------------------------------------------+
void Carried(void)
  {
   CCopierPlan plan;
   Begin();
   ExtRules.small=COPIER_SMALL_CARRY;
   Opens(1,"EURUSD",true,0.06);
   ExtCheck.Same(Made(plan),"","too small");
   Opens(2,"GBPUSD",true,0.06);
   ExtCheck.Same(Made(plan),"","another symbol takes nothing of it");
   Opens(3,"EURUSD",false,0.06);
   ExtCheck.Same(Made(plan),"","what a buy lacks is no sell");
   Opens(4,"EURUSD",true,0.06);
   ExtCheck.Same(Made(plan),"open 0.1;","the same one does");
   ExtCheck.That(plan.Carries()==3,"each has its own");
  }
//+------------------------------------------------------------------+
//| The master's price may be old, and his stop has come after it    |
//+------------------------------------------------------------------+
void Risk(void)
  {
   CCopierPlan plan;
   CopierLink  link;
   Begin();
   ExtRules.size=COPIER_SIZE_RISK;
   ExtRules.size_value=20;
   Opens(1,"EURUSD",true,0.5);
   ExtState.positions[0].price=1.0;
   ExtState.positions[0].sl=1.0002;
   ExtCheck.Same(Made(plan),"open 0.2;","a stop that is 1000 points away costs 200 of 0.2 lots, wherever the master has bought");
   Opens(2,"EURUSD",true,0.5);
   ExtState.positions[1].sl=1.2;
   ExtCheck.Same(Made(plan),"open 0.2;","a stop on the other side of the price is none");
   plan.Link(1,link);
   ExtCheck.Same(link.reason,"its stop is not on the losing side of the price here, so that no volume can be reckoned from it","it is told");
   CCopierPlan reversed;
   Begin();
   ExtRules.size=COPIER_SIZE_RISK;
   ExtRules.size_value=20;
   ExtRules.reverse=true;
   Opens(1,"EURUSD",true,0.5);
   ExtState.positions[0].price=1.0;
   ExtState.positions[0].tp=1.12;
   ExtCheck.Same(Made(reversed),"open 1.0;","in reverse from the bid to the master's TP");
  }
//+------------------------------------------------------------------+
//| Accounts that a position came through                            |
//+------------------------------------------------------------------+
void Origins(void)
  {
   Begin();
   string one=CCopierOrigin::Account(1,"A, B");
   string list=CCopierOrigin::Join(one,CCopierOrigin::Account(11,"C"));
   ExtCheck.Same(list,"1@A_ B,11@C","a list");
   ExtCheck.Same(CCopierOrigin::Join(list,one),list,"nothing twice");
   ExtCheck.That(CCopierOrigin::Contains(list,"11@C") && !CCopierOrigin::Contains(list,"1@C"),"whole names only");
   ExtCheck.That(CCopierOrigin::Magic("one")!=CCopierOrigin::Magic("two"),"each master has a magic number");
   ExtCheck.That(CCopierOrigin::IsCopy(CCopierOrigin::Magic("one")) && !CCopierOrigin::IsCopy(5067075),"a copy by its magic number");
   Opens(1,"EURUSD",true,0.5);
   Opens(2,"EURUSD",true,0.4);
   ExtState.positions[0].via=list;
   ExtCheck.That(CCopierState::Without(ExtState,"11@C")==1,"one came from here");
   ExtCheck.That(ArraySize(ExtState.positions)==1 && ExtState.positions[0].id==2,"the other stays");
   CCopierPlan plan;
   CopierLink  link;
   ExtState.positions[0].via="7@X";
   Made(plan);
   plan.Link(0,link);
   ExtCheck.Same(link.via,"7@X,1@S","the copy came through the master, too");
  }
//+------------------------------------------------------------------+
//| Each has words; what isn't in the table may have gone through    |
//+------------------------------------------------------------------+
void Retcodes(void)
  {
   string unknown="";
   for(uint code=10004; code<=10046; code++)
     {
      //--- these numbers are none
      if(code==10005 || code==10037 || code==10041)
         continue;
      if(StringFind(CMqttTrade::Text(code),"retcode ")==0)
         unknown+=IntegerToString(code)+" ";
     }
   ExtCheck.Same(unknown,"","words for each retcode");
   ExtCheck.That(CCopierRetcodes::Outcome(0)==COPIER_OUTCOME_UNCERTAIN && CCopierRetcodes::Outcome(10099)==COPIER_OUTCOME_UNCERTAIN,
                 "an unknown one is looked after");
   ExtCheck.That(CCopierRetcodes::Outcome(TRADE_RETCODE_PLACED)==COPIER_OUTCOME_UNCERTAIN &&
                 CCopierRetcodes::Outcome(TRADE_RETCODE_TIMEOUT)==COPIER_OUTCOME_UNCERTAIN &&
                 CCopierRetcodes::Outcome(TRADE_RETCODE_CONNECTION)==COPIER_OUTCOME_UNCERTAIN &&
                 CCopierRetcodes::Outcome(TRADE_RETCODE_ERROR)==COPIER_OUTCOME_UNCERTAIN,"those that may have gone through");
   ExtCheck.That(CCopierRetcodes::Outcome(TRADE_RETCODE_REQUOTE)==COPIER_OUTCOME_RETRY &&
                 CCopierRetcodes::Outcome(TRADE_RETCODE_MARKET_CLOSED)==COPIER_OUTCOME_WAIT &&
                 CCopierRetcodes::Outcome(TRADE_RETCODE_NO_MONEY)==COPIER_OUTCOME_REFUSED && CCopierRetcodes::Outcome(TRADE_RETCODE_INVALID)==COPIER_OUTCOME_STOP &&
                 CCopierRetcodes::Outcome(TRADE_RETCODE_INVALID_FILL)==COPIER_OUTCOME_OTHER_FILLING &&
                 CCopierRetcodes::Outcome(TRADE_RETCODE_INVALID_STOPS)==COPIER_OUTCOME_NO_STOPS,"one of each other kind");
  }
//+------------------------------------------------------------------+
