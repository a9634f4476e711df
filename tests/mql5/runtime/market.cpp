// Symbols and their prices.
#include "terminal.hpp"
#include <cctype>
#include <cstdio>
#include <cstring>
#include <functional>

Market market;

SymbolState &market_symbol(const string &name) {
   auto made=market.symbols.try_emplace(name.units());
   SymbolState &state=made.first->second;
   if(made.second) {
      state.doubles={{SYMBOL_POINT,0.00001},{SYMBOL_TRADE_TICK_SIZE,0.00001},{SYMBOL_TRADE_TICK_VALUE,1},
                     {SYMBOL_TRADE_CONTRACT_SIZE,100000},{SYMBOL_VOLUME_MIN,0.01},{SYMBOL_VOLUME_MAX,100},
                     {SYMBOL_VOLUME_STEP,0.01},{SYMBOL_VOLUME_LIMIT,0}};
      state.integers={{SYMBOL_DIGITS,5},{SYMBOL_FILLING_MODE,3},{SYMBOL_TRADE_MODE,4},{SYMBOL_TRADE_EXEMODE,2},
                      {SYMBOL_ORDER_MODE,127},{SYMBOL_EXPIRATION_MODE,15}};
      state.strings={{SYMBOL_CURRENCY_BASE,u"EUR"_s},{SYMBOL_CURRENCY_PROFIT,u"USD"_s},{SYMBOL_DESCRIPTION,u""_s},{SYMBOL_PATH,u""_s}};
   }
   return state;
}

static SymbolState *find(const string &name) {
   auto found=market.symbols.find(name.units());
   if(found==market.symbols.end()) { mql_set_error(4301); return nullptr; }
   return &found->second;
}

// What the terminal knows: no price of a symbol that is not in Market Watch, or has just come there.
static MqlTick known_tick(const SymbolState &state) {
   bool waits=state.quotes_after_ms>0 &&
              (!state.selected || steady::now()<state.selected_at+std::chrono::milliseconds(state.quotes_after_ms));
   return self && waits ? MqlTick{} : state.tick;
}

static void add_to_bars(SymbolState &state) {
   mql_long minute=state.tick.time.seconds/60*60;
   double price=state.tick.bid;
   if(state.bars.empty() || state.bars.back().time.seconds!=minute)
      state.bars.push_back({datetime(minute),price,price,price,price,0,0,0});
   MqlRates &bar=state.bars.back();
   bar.high=std::max(bar.high,price);
   bar.low=std::min(bar.low,price);
   bar.close=price;
   bar.tick_volume++;
}

void account_tick(const string &name);

static void set_tick(const string &name,const MqlTick &tick) {
   {
      std::lock_guard<std::recursive_mutex> guard(market.lock);
      SymbolState &state=market_symbol(name);
      state.tick=tick;
      if(state.quotes_after_ms==0) state.selected=true;
      add_to_bars(state);
   }
   post_where([&](const Program &program) {
      std::lock_guard<std::mutex> guard(const_cast<Program&>(program).lock);
      return is_on_chart(program) && program.symbol==name;
   },Event(Event::Tick));
   account_tick(name);
}

void market_tick(const string &name,double bid,double ask,mql_long msc) {
   if(msc==0) msc=server_now_msc();
   MqlTick tick={};
   tick.time=datetime(msc/1000);
   tick.time_msc=msc;
   tick.bid=bid;
   tick.ask=ask;
   tick.flags=TICK_FLAG_BID|TICK_FLAG_ASK;
   set_tick(name,tick);
}

// 08:00-12:00,13:00-17:00
static std::vector<std::pair<int,int>> sessions_of(const std::string &text) {
   std::vector<std::pair<int,int>> sessions;
   for(size_t start=0; start<text.size(); start+=12) {
      int from_hour=0,from_minute=0,to_hour=0,to_minute=0;
      sscanf(text.c_str()+start,"%2d:%2d-%2d:%2d",&from_hour,&from_minute,&to_hour,&to_minute);
      sessions.push_back({from_hour*3600+from_minute*60,to_hour*3600+to_minute*60});
   }
   return sessions;
}

bool market_set(const string &name,const std::string &property,const std::string &value) {
   static const std::map<std::string,ENUM_SYMBOL_INFO_DOUBLE> doubles={
      {"point",SYMBOL_POINT},{"tick_size",SYMBOL_TRADE_TICK_SIZE},{"tick_value",SYMBOL_TRADE_TICK_VALUE},
      {"contract_size",SYMBOL_TRADE_CONTRACT_SIZE},{"volume_min",SYMBOL_VOLUME_MIN},{"volume_max",SYMBOL_VOLUME_MAX},
      {"volume_step",SYMBOL_VOLUME_STEP},{"volume_limit",SYMBOL_VOLUME_LIMIT}};
   static const std::map<std::string,ENUM_SYMBOL_INFO_INTEGER> integers={
      {"digits",SYMBOL_DIGITS},{"stops_level",SYMBOL_TRADE_STOPS_LEVEL},{"freeze_level",SYMBOL_TRADE_FREEZE_LEVEL},
      {"filling",SYMBOL_FILLING_MODE},{"trade_mode",SYMBOL_TRADE_MODE},{"execution",SYMBOL_TRADE_EXEMODE},
      {"order_mode",SYMBOL_ORDER_MODE},{"expirations",SYMBOL_EXPIRATION_MODE},{"custom",SYMBOL_CUSTOM}};
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState &state=market_symbol(name);
   if(auto d=doubles.find(property); d!=doubles.end()) state.doubles[d->second]=strtod(value.c_str(),nullptr);
   else if(property=="open") state.open=value=="1";
   else if(property=="sessions") state.sessions=sessions_of(value);
   else if(property=="days") state.days=value;
   else if(property=="quotes_after") { state.quotes_after_ms=atoi(value.c_str()); state.selected=false; }
   else if(property=="market_volume") state.market_volume=strtod(value.c_str(),nullptr);
   else if(auto i=integers.find(property); i!=integers.end()) state.integers[i->second]=atoll(value.c_str());
   else return false;
   return true;
}

bool market_is_open(const string &name) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   if(!state || !state->open) return false;
   MqlDateTime now;
   TimeToStruct(datetime(server_now_msc()/1000),now);
   if(state->days.find((char)('0'+now.day_of_week))==std::string::npos) return false;
   int second=now.hour*3600+now.min*60+now.sec;
   for(auto &session : state->sessions) if(second>=session.first && second<session.second) return true;
   return false;
}

double market_volume(const string &name) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   return state ? state->market_volume : 0;
}

bool SymbolInfoDouble(const string &name,ENUM_SYMBOL_INFO_DOUBLE what,double &value) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   if(!state) return false;
   value=what==SYMBOL_BID ? known_tick(*state).bid : what==SYMBOL_ASK ? known_tick(*state).ask : state->doubles[what];
   return true;
}
double SymbolInfoDouble(const string &name,ENUM_SYMBOL_INFO_DOUBLE what) {
   double value=0;
   SymbolInfoDouble(name,what,value);
   return value;
}
bool SymbolInfoInteger(const string &name,ENUM_SYMBOL_INFO_INTEGER what,mql_long &value) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   if(!state) return false;
   switch(what) {
      case SYMBOL_EXIST:    value=1; break;
      case SYMBOL_SELECT:
      case SYMBOL_VISIBLE:  value=state->selected; break;
      case SYMBOL_TIME:     value=state->tick.time.seconds; break;
      case SYMBOL_TIME_MSC: value=state->tick.time_msc; break;
      case SYMBOL_SPREAD:   value=(mql_long)std::llround((state->tick.ask-state->tick.bid)/state->doubles[SYMBOL_POINT]); break;
      default:              value=state->integers[what]; break;
   }
   return true;
}
mql_long SymbolInfoInteger(const string &name,ENUM_SYMBOL_INFO_INTEGER what) {
   mql_long value=0;
   SymbolInfoInteger(name,what,value);
   return value;
}
string SymbolInfoString(const string &name,ENUM_SYMBOL_INFO_STRING what) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   return state ? state->strings[what] : u""_s;
}
bool SymbolInfoTick(const string &name,MqlTick &tick) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   if(!state || known_tick(*state).time.seconds==0) return false;
   tick=state->tick;
   return true;
}
bool SymbolSelect(const string &name,bool select) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   if(!state) return false;
   if(select && !state->selected) state->selected_at=steady::now();
   state->selected=select;
   return true;
}
int SymbolsTotal(bool selected) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   int count=0;
   for(auto &entry : market.symbols) count+=!selected || entry.second.selected;
   return count;
}
string SymbolName(int position,bool selected) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   for(auto &entry : market.symbols)
      if((!selected || entry.second.selected) && position--==0) return string(entry.first);
   return u""_s;
}
bool SymbolExist(const string &name,bool &is_custom) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   is_custom=state && state->integers[SYMBOL_CUSTOM]!=0;
   return state!=nullptr;
}
int PeriodSeconds(ENUM_TIMEFRAMES period) {
   if(period==PERIOD_CURRENT) period=Period();
   if(period<16384) return period*60;
   if(period<32768) return (period-16384)*3600;
   return period==PERIOD_W1 ? 7*86400 : 30*86400;
}
// Bars of M1 only: what the tests need. The newest is shift 0; the array is in the order of time.
int CopyRates(const string &name,ENUM_TIMEFRAMES,int start,int count,mql_array_ref<MqlRates> rates) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   if(!state) return -1;
   int size=(int)state->bars.size(),last=size-1-start,first=std::max(0,last-count+1);
   if(last<0 || start<0) return -1;
   rates.mql_resize(last-first+1,0);
   for(int i=first; i<=last; i++) rates[i-first]=state->bars[(size_t)i];
   return last-first+1;
}
bool SymbolInfoSessionTrade(const string &name,ENUM_DAY_OF_WEEK day,uint index,datetime &from,datetime &to) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=find(name);
   if(!state || index>=state->sessions.size() || state->days.find((char)('0'+day))==std::string::npos) return false;
   from=datetime(state->sessions[index].first);
   to=datetime(state->sessions[index].second);
   return true;
}
datetime iTime(const string &name,ENUM_TIMEFRAMES period,int shift) {
   mql_array<MqlRates> rates;
   return CopyRates(name,period,shift,1,rates)==1 ? rates[0].time : datetime(0);
}
datetime TimeCurrent() {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   mql_long newest=0;
   for(auto &entry : market.symbols) newest=std::max(newest,entry.second.tick.time.seconds);
   return datetime(newest);
}

// ---- custom symbols
bool CustomSymbolCreate(const string &name,const string &,const string &origin) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   bool is_good=StringLen(name)>0;
   for(int i=0; i<StringLen(name); i++) {
      int unit=StringGetCharacter(name,i);
      is_good&=unit<0x80 && (isalnum(unit) || strchr("._&#",unit));
   }
   if(!is_good) { mql_set_error(ERR_CUSTOM_SYMBOL_WRONG_NAME); return false; }
   if(StringLen(name)>31) { mql_set_error(ERR_CUSTOM_SYMBOL_NAME_LONG); return false; }
   if(market.symbols.count(name.units())) { mql_set_error(ERR_CUSTOM_SYMBOL_EXIST); return false; }
   SymbolState state;
   if(!origin.is_null() && StringLen(origin)>0 && find(origin)) state=*find(origin);
   SymbolState &made=market_symbol(name);
   if(!state.doubles.empty()) made=state;
   made.tick={};
   made.bars.clear();
   made.integers[SYMBOL_CUSTOM]=1;
   return true;
}
static SymbolState *custom(const string &name) {
   SymbolState *state=find(name);
   return state && state->integers[SYMBOL_CUSTOM] ? state : nullptr;
}
// Setting one of these deletes the symbol's history, and no document says that the value of before is an exception.
static void forget_history(SymbolState &state,bool is_of_prices) { if(is_of_prices) state.bars.clear(); }

bool CustomSymbolSetInteger(const string &name,ENUM_SYMBOL_INFO_INTEGER what,mql_long value) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=custom(name);
   if(!state) return false;
   state->integers[what]=value;
   forget_history(*state,what==SYMBOL_DIGITS);
   return true;
}
bool CustomSymbolSetDouble(const string &name,ENUM_SYMBOL_INFO_DOUBLE what,double value) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   SymbolState *state=custom(name);
   if(!state) return false;
   state->doubles[what]=value;
   forget_history(*state,what==SYMBOL_POINT || what==SYMBOL_TRADE_TICK_SIZE || what==SYMBOL_TRADE_TICK_VALUE);
   return true;
}
bool CustomSymbolDelete(const string &name) {
   std::lock_guard<std::recursive_mutex> guard(market.lock);
   return custom(name) && market.symbols.erase(name.units())>0;
}
// Ticks are in the order of time, and the symbol must be in Market Watch.
int CustomTicksAdd(const string &name,mql_array_ref<const MqlTick> ticks,uint count) {
   int size=(int)std::min<mql_long>(count,ticks.mql_size());
   {
      std::lock_guard<std::recursive_mutex> guard(market.lock);
      SymbolState *state=custom(name);
      if(!state || !state->selected) return -1;
   }
   for(int i=0; i<size; i++) {
      MqlTick tick=ticks[i];
      if(i>0 && tick.time_msc<ticks[i-1].time_msc) return -1;
      tick.time=datetime(tick.time_msc/1000);
      set_tick(name,tick);
   }
   return size;
}
