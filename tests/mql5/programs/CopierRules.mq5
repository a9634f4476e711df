//+------------------------------------------------------------------+
//|                                                  CopierRules.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- The copier's state as text, its filters, symbols and volumes.
#property version "1.00"
#include <Mt5Mqtt\Copier\Symbols.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
CMqttCheck ExtCheck;
//+------------------------------------------------------------------+
//| A symbol                                                         |
//+------------------------------------------------------------------+
void Symbol(CopierSymbol &symbol,const string name,const double volume_min,const double volume_step)
  {
   symbol.name=name;
   symbol.contract_size=100000;
   symbol.point=0.00001;
   symbol.tick_size=0.00001;
   symbol.tick_value=1;
   symbol.volume_min=volume_min;
   symbol.volume_max=5;
   symbol.volume_step=volume_step;
   symbol.bid=1.1;
   symbol.ask=1.1001;
   symbol.stops_level=0;
   symbol.freeze_level=0;
   symbol.expires_day=true;
   symbol.expires_time=true;
   symbol.expires_date=true;
   symbol.never_expires=true;
   symbol.is_uncertain=false;
  }
//+------------------------------------------------------------------+
//| A position                                                       |
//+------------------------------------------------------------------+
void Position(CopierPosition &position,const double volume)
  {
   position.id=7;
   position.symbol="EURUSD";
   position.is_buy=true;
   position.volume=volume;
   position.price=1.1;
   position.sl=1.095;
   position.tp=0;
   position.time_msc=1700000000123;
   position.magic=42;
   position.comment="a \"comment\"";
   position.contract_size=100000;
  }
//+------------------------------------------------------------------+
//| All                                                              |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   States();
   Orders();
   Filters();
   Symbols();
   Volumes();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| There and back, and what is refused                              |
//+------------------------------------------------------------------+
void States(void)
  {
   CopierState state;
   CopierState read;
   string      error="";
   state.server="A, \"B\"";
   state.login=1234567890123;
   state.sequence=9;
   state.time_msc=1700000000456;
   state.funds.balance=10000.5;
   state.funds.equity=9999;
   state.funds.free_margin=1;
   state.has_orders=false;
   state.is_netting=false;
   ArrayResize(state.positions,2);
   Position(state.positions[0],0.12);
   Position(state.positions[1],0.00000001);
   state.positions[1].id=8;
   state.positions[1].is_buy=false;
   string text=CCopierState::Write(state);
   ExtCheck.That(CCopierState::Read(text,read,error),"Read: "+error);
   ExtCheck.Same(CCopierState::Write(read),text,"the same text");
   ExtCheck.That(read.positions[0].comment=="a \"comment\"" && !read.positions[1].is_buy && read.login==state.login,"fields");
   ArrayResize(state.positions,0);
   text=CCopierState::Write(state);
   ExtCheck.That(CCopierState::Read(text,read,error) && ArraySize(read.positions)==0,"no positions");
   Spoilt(text,"\"version\":1","\"version\":2");
   Spoilt(text,"\"positions\":[]","\"positions\":{}");
   Spoilt(text,"\"positions\":[]","\"positions\":[{}]");
   Spoilt(text,",\"positions\":[]","");
   Spoilt(text,"\"login\":","\"logon\":");
   ArrayResize(state.positions,1);
   Position(state.positions[0],0.1);
   state.positions[0].price=-37.63;
   state.positions[0].sl=-40;
   text=CCopierState::Write(state);
   ExtCheck.That(CCopierState::Read(text,read,error) && CCopierState::Write(read)==text,"oil and spreads have had prices below zero: "+error);
   Position(state.positions[0],0.1);
   text=CCopierState::Write(state);
   Spoilt(text,"\"side\":\"buy\"","\"side\":\"long\"");
   Spoilt(text,"\"volume\":0.1","\"volume\":-0.1");
   Spoilt(text,"\"volume\":0.1","\"volume\":0.0");
   Spoilt(text,"\"volume\":0.1","\"volume\":0.000000001");
   Spoilt(text,"\"sequence\":9,","\"sequence\":-9,");
   Spoilt(text,"\"sequence\":9,","\"sequence\":9223372036854775807,");
   Spoilt(text,"\"id\":7","\"id\":7.5");
   Spoilt(text,"\"id\":7","\"id\":0");
   Spoilt(text,"\"id\":7","\"id\":-1");
   string head=StringSubstr(text,0,StringFind(text,",\"positions\":"));
   ExtCheck.That(!CCopierState::Read(CCopierState::Incomplete(state,"why"),read,error) && StringFind(error,"why")>0 && read.sequence==9,"none that could be published");
   ExtCheck.That(StringFind(CCopierState::Incomplete(state,"why"),head)==0,"what an older follower reads of it");
   Spoilt(text,"\"symbol\":\"EURUSD\"","\"symbol\":\"\"");
   Spoilt(text,"\"magic\":42,","");
   ArrayResize(state.positions,2);
   Position(state.positions[1],0.1);
   text=CCopierState::Write(state);
   ExtCheck.That(!CCopierState::Read(text,read,error),"an identifier twice");
   ExtCheck.That(!CCopierState::Read(StringSubstr(text,0,StringLen(text)-1),read,error) && error!="","half a text");
  }
//+------------------------------------------------------------------+
//| Pending orders, and masters and followers that know none         |
//+------------------------------------------------------------------+
void Orders(void)
  {
   CopierState state;
   CopierState read;
   string      error="";
   state.server="S";
   state.login=1;
   state.sequence=9;
   state.time_msc=1;
   state.waited_ms=0;
   state.funds.balance=1;
   state.funds.equity=1;
   state.funds.free_margin=1;
   state.has_orders=false;
   string older=CCopierState::Write(state);
   ExtCheck.That(CCopierState::Read(older,read,error) && !read.has_orders,"an older master tells nothing of orders");
   state.has_orders=true;
   state.is_netting=true;
   string none=CCopierState::Write(state);
   ExtCheck.That(CCopierState::Read(none,read,error) && read.has_orders && read.is_netting && ArraySize(read.orders)==0,"there are none");
   string head=StringSubstr(older,0,StringLen(older)-1);
   ExtCheck.That(StringFind(none,head)==0,"what an older follower reads is as it was");
   string names[]={"buy limit","sell limit","buy stop","sell stop","buy stop limit","sell stop limit"};
   string expiries[]={"none","day","time","date"};
   ArrayResize(state.orders,6);
   for(int i=0; i<6; i++)
     {
      state.orders[i].id=100+i;
      state.orders[i].symbol="EURUSD";
      state.orders[i].is_buy=(i%2==0);
      state.orders[i].kind=(ENUM_COPIER_KIND)(i/2);
      state.orders[i].volume=0.3;
      state.orders[i].price=1.1;
      state.orders[i].limit_price=(i>=4 ? 1.095 : 0);
      state.orders[i].sl=1.09;
      state.orders[i].tp=0;
      state.orders[i].expiry=(ENUM_COPIER_EXPIRY)(i%4);
      state.orders[i].expires_msc=(i%4>=2 ? 1700000000000 : 0);
      state.orders[i].magic=42;
      state.orders[i].comment="\"";
      state.orders[i].contract_size=100000;
      state.orders[i].via="7@X";
     }
   string text=CCopierState::Write(state);
   ExtCheck.That(CCopierState::Read(text,read,error),"orders: "+error);
   ExtCheck.Same(CCopierState::Write(read),text,"the same text");
   for(int i=0; i<6; i++)
      ExtCheck.That(StringFind(text,"\"type\":\""+names[i]+"\"")>0 && StringFind(text,"\"expiry\":\""+expiries[i%4]+"\"")>0,names[i]);
   ExtCheck.That(CCopierState::Without(read,"7@X")==6 && ArraySize(read.orders)==0,"those that came from here");
   ArrayResize(state.orders,1);
   text=CCopierState::Write(state);
   Spoilt(text,"\"type\":\"buy limit\"","\"type\":\"buy\"");
   Spoilt(text,"\"id\":100","\"id\":-1");
   Spoilt(text,"\"limit_price\":0.0","\"limit_price\":1.2");
   Spoilt(text,"\"expiry\":\"none\"","\"expiry\":\"time\"");
   Spoilt(text,"\"expiry\":\"none\"","\"expiry\":\"never\"");
   Spoilt(text,"\"price\":1.1","\"price\":0.0");
   Spoilt(text,"\"volume\":0.3","\"volume\":0.0");
   Spoilt(text,"\"netting\":true,","");
   Spoilt(none,"\"orders\":[]","\"orders\":{}");
   ArrayResize(state.orders,2);
   state.orders[1]=state.orders[0];
   ExtCheck.That(!CCopierState::Read(CCopierState::Write(state),read,error),"a ticket twice");
  }
//+------------------------------------------------------------------+
//| A text that must be refused                                      |
//+------------------------------------------------------------------+
void Spoilt(const string text,const string old,const string changed)
  {
   CopierState read;
   string      error="";
   string      spoilt=text;
   ExtCheck.That(StringReplace(spoilt,old,changed)==1,"the text has "+old);
   ExtCheck.That(!CCopierState::Read(spoilt,read,error) && error!="","refused: "+changed);
  }
//+------------------------------------------------------------------+
//| A position against one rule                                      |
//+------------------------------------------------------------------+
void Filters(void)
  {
   CopierPosition position;
   CopierRules    rules;
   Position(position,0.1);
   CCopierRules::Defaults(rules);
   ExtCheck.Same(CCopierRules::Refusal(rules,position),"","the defaults copy");
   rules.allowed="GBPUSD, EURUSD";
   rules.magics="41,42";
   rules.comment="comm";
   rules.denied="GBPUSD";
   rules.sells=false;
   ExtCheck.Same(CCopierRules::Refusal(rules,position),"","each rule holds");
   rules.mode=COPIER_CLOSE_ONLY;
   ExtCheck.That(CCopierRules::Refusal(rules,position)!="","mode");
   CCopierRules::Defaults(rules);
   rules.allowed="EURUSDx";
   ExtCheck.That(CCopierRules::Refusal(rules,position)!="","allowed");
   CCopierRules::Defaults(rules);
   rules.denied="GBPUSD,EURUSD";
   ExtCheck.That(CCopierRules::Refusal(rules,position)!="","denied");
   CCopierRules::Defaults(rules);
   rules.magics="4";
   ExtCheck.That(CCopierRules::Refusal(rules,position)!="","magics");
   CCopierRules::Defaults(rules);
   rules.buys=false;
   ExtCheck.That(CCopierRules::Refusal(rules,position)!="","buys");
   CCopierRules::Defaults(rules);
   rules.comment="other";
   ExtCheck.That(CCopierRules::Refusal(rules,position)!="","comment");
  }
//+------------------------------------------------------------------+
//| Names here and there                                             |
//+------------------------------------------------------------------+
void Symbols(void)
  {
   CopierSymbol symbols[];
   CopierRules  rules;
   string       names[]={"EURUSD.a","EURUSD","XAUUSD","US500.cash","GBPUSDm","GBPUSD.x","USDJPY.r"};
   ArrayResize(symbols,ArraySize(names));
   for(int i=0; i<ArraySize(names); i++)
      Symbol(symbols[i],names[i],0.01,0.01);
   CCopierRules::Defaults(rules);
   rules.map="GOLD=XAUUSD, DAX = GER40,USDJPY=USDJPY";
   ExtCheck.Equal(CCopierSymbols::Of(rules,"GOLD",symbols),2,"the map");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"DAX",symbols),-1,"mapped to what is not there");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"USDJPY",symbols),-1,"an entry of the map is binding");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"EURUSD",symbols),1,"the same name before one with a suffix");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"US500",symbols),3,"the only one that begins so");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"GBPUSD",symbols),-1,"more than one begins so");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"US50",symbols),-1,"another index begins so");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"X",symbols),-1,"another share begins so");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"NZDUSD",symbols),-1,"none");
   rules.suffix=".a";
   ExtCheck.Equal(CCopierSymbols::Of(rules,"EURUSD",symbols),0,"the follower's suffix");
   ExtCheck.Equal(CCopierSymbols::Of(rules,"US500",symbols),-1,"a suffix is binding");
   rules.suffix="";
   rules.master_suffix=".pro";
   ExtCheck.Equal(CCopierSymbols::Of(rules,"EURUSD.pro",symbols),1,"the master's suffix");
   ExtCheck.Equal(CCopierSymbols::Of(rules,".pro",symbols),-1,"nothing but a suffix");
  }
//+------------------------------------------------------------------+
//| One size                                                         |
//+------------------------------------------------------------------+
void Exact(const CopierRules &rules,const double expected,const string what)
  {
   CopierPosition position;
   CopierSymbol   symbol;
   CopierFunds    master;
   CopierFunds    own;
   Position(position,0.4);
   Symbol(symbol,"EURUSD",0.01,0.01);
   symbol.contract_size=200000;
   master.balance=10000;
   master.equity=5000;
   master.free_margin=2000;
   own.balance=5000;
   own.equity=10000;
   own.free_margin=500;
   ExtCheck.Near(CCopierRules::Exact(rules,position,master,own,symbol),expected,what);
  }
//+------------------------------------------------------------------+
//| Sizes, and how they are made to fit                              |
//+------------------------------------------------------------------+
void Volumes(void)
  {
   CopierRules  rules;
   CopierSymbol symbol;
   double       carry=0;
   CCopierRules::Defaults(rules);
   rules.size_value=2;
   Exact(rules,0.4,"multiplier, a lot of twice the size");
   rules.size=COPIER_SIZE_FIXED;
   Exact(rules,2,"fixed");
   rules.size=COPIER_SIZE_BALANCE;
   Exact(rules,0.2,"balance");
   rules.size=COPIER_SIZE_EQUITY;
   Exact(rules,0.8,"equity");
   rules.size=COPIER_SIZE_FREE_MARGIN;
   Exact(rules,0.1,"free margin");
   rules.size=COPIER_SIZE_RISK;
   Exact(rules,0.4,"2 percent of 10000 with a stop 500 ticks away");
   rules.reverse=true;
   Exact(rules,0,"risk without a stop");
   CCopierRules::Defaults(rules);
   Symbol(symbol,"EURUSD",0.1,0.1);
   ExtCheck.Near(CCopierRules::Fit(rules,0.37,symbol,carry),0.3,"down to the step");
   ExtCheck.Near(CCopierRules::Fit(rules,0.3,symbol,carry),0.3,"a multiple stays");
   ExtCheck.Near(CCopierRules::Fit(rules,0.09,symbol,carry),0,"too small: skip");
   ExtCheck.Near(CCopierRules::Fit(rules,9,symbol,carry),5,"the symbol's maximum");
   ExtCheck.Near(CCopierRules::Fit(rules,-1,symbol,carry),0,"no volume");
   ExtCheck.Near(carry,0,"nothing is carried unless asked for");
   rules.volume_max=0.25;
   ExtCheck.Near(CCopierRules::Fit(rules,9,symbol,carry),0.2,"the rule's maximum");
   rules.small=COPIER_SMALL_MINIMUM;
   ExtCheck.Near(CCopierRules::Fit(rules,0.01,symbol,carry),0.1,"too small: minimum");
   rules.volume_max=0.05;
   ExtCheck.Near(CCopierRules::Fit(rules,0.01,symbol,carry),0,"the rule's maximum before the symbol's minimum");
   rules.volume_max=0;
   rules.small=COPIER_SMALL_CARRY;
   ExtCheck.Near(CCopierRules::Fit(rules,0.06,symbol,carry),0,"too small: carried");
   ExtCheck.Near(CCopierRules::Fit(rules,0.07,symbol,carry),0.1,"with what was carried");
   ExtCheck.Near(carry,0.03,"the rest");
  }
//+------------------------------------------------------------------+
