// The terminal's functions for the program that calls: log, clock, charts, timers, global variables.
#include "terminal.hpp"
#include <ctime>
#include <functional>

void mql_print(const string &text) { say(self ? self->name : "*","print",mql_to_utf8(text)); }
void mql_alert(const string &text) { say(self ? self->name : "*","alert",mql_to_utf8(text)); }
void Comment_(const string &text)  { say(self->name,"comment",mql_to_utf8(text)); }

bool IsStopped() { return self->stopped; }
int  UninitializeReason() { return self->reason; }
void ExpertRemove() { Event stop(Event::Stop); stop.id=REASON_PROGRAM; post(*self,stop); }
int  GetLastError() { return self->last_error; }
void ResetLastError() { self->last_error=0; }
void mql_set_error(int code) { if(self) self->last_error=code; }

// Looks at the stop flag every 0.1 s, as the terminal's does.
void Sleep(int milliseconds) {
   mql_not_in_indicator("Sleep() in an indicator");
   auto end=steady::now()+std::chrono::milliseconds(milliseconds);
   while(!IsStopped() && steady::now()<end) {
      auto slice=std::min<steady::duration>(end-steady::now(),std::chrono::milliseconds(100));
      std::this_thread::sleep_for(slice);
   }
}

static mql_long setting(const char *name,mql_long preset) {
   auto found=self->settings.find(name);
   return found==self->settings.end() ? preset : atoll(found->second.c_str());
}

mql_long MQLInfoInteger(ENUM_MQL_INFO_INTEGER what) {
   switch(what) {
      case MQL_TESTER:        return setting("tester",0);
      case MQL_OPTIMIZATION:  return setting("optimization",0);
      case MQL_DLLS_ALLOWED:  return setting("dlls_allowed",1);
      case MQL_TRADE_ALLOWED: return setting("trade_allowed",1);
      case MQL_PROGRAM_TYPE:
         if(self->kind=="indicator") return PROGRAM_INDICATOR;
         return self->kind=="expert" ? PROGRAM_EXPERT : self->kind=="service" ? PROGRAM_SERVICE : PROGRAM_SCRIPT;
   }
   return 0;
}
string MQLInfoString(ENUM_MQL_INFO_STRING) { return mql_from_utf8(self->name); }
mql_long TerminalInfoInteger(ENUM_TERMINAL_INFO_INTEGER what) { return what==TERMINAL_BUILD ? 5000 : what==TERMINAL_CONNECTED && !terminal.connected ? 0 : 1; }

// ---- timers: not in scripts and services, and never faster than 10 ms
bool EventSetMillisecondTimer(int milliseconds) {
   if(milliseconds<=0 || self->kind=="service" || self->kind=="script" || setting("timers",1)==0) return false;
   std::lock_guard<std::mutex> guard(self->lock);
   self->timer_ms=std::max(milliseconds,10);
   self->next_timer=steady::now()+std::chrono::milliseconds(self->timer_ms);
   return true;
}
bool EventSetTimer(int seconds) { return EventSetMillisecondTimer(seconds*1000); }
void EventKillTimer() {
   std::lock_guard<std::mutex> guard(self->lock);
   self->timer_ms=0;
}

// ---- charts
bool EventChartCustom(mql_long chart,ushort id,mql_long lparam,double dparam,const string &sparam) {
   Event event(Event::Chart);
   event.id=CHARTEVENT_CUSTOM+id;
   event.lparam=lparam;
   event.dparam=dparam;
   event.sparam=StringSubstr(sparam,0,63);
   if(chart==0) chart=ChartID();
   bool known=false;
   post_where([&](const Program &program) {
      bool wanted=is_on_chart(program) && program.chart==chart;
      known|=wanted;
      return wanted;
   },event);
   return known;
}
mql_long ChartID() { return self->chart; }
mql_long ChartNext(mql_long chart) {
   mql_long next=-1;
   std::lock_guard<std::mutex> guard(terminal.lock);
   for(auto &entry : terminal.programs) {
      const Program &program=*entry.second;
      if(!program.ended && program.chart>chart && (next<0 || program.chart<next)) next=program.chart;
   }
   return next;
}
mql_long ChartFirst() { return ChartNext(0); }
string ChartSymbol(mql_long chart) {
   if(chart==0 || chart==self->chart) return Symbol();
   std::lock_guard<std::mutex> guard(terminal.lock);
   for(auto &entry : terminal.programs)
      if(entry.second->chart==chart) {
         std::lock_guard<std::mutex> own(entry.second->lock);
         return entry.second->symbol;
      }
   return u""_s;
}
ENUM_TIMEFRAMES ChartPeriod(mql_long) { return Period(); }
string Symbol() { std::lock_guard<std::mutex> guard(self->lock); return self->symbol; }
ENUM_TIMEFRAMES Period() { return (ENUM_TIMEFRAMES)self->period; }
int    mql_chart_digits() { return (int)SymbolInfoInteger(Symbol(),SYMBOL_DIGITS); }
double mql_chart_point()  { return SymbolInfoDouble(Symbol(),SYMBOL_POINT); }

string EnumToString(ENUM_TIMEFRAMES value) {
   switch(value) {
      case PERIOD_CURRENT: return u"PERIOD_CURRENT"_s;
      case PERIOD_M1:  return u"PERIOD_M1"_s;
      case PERIOD_M5:  return u"PERIOD_M5"_s;
      case PERIOD_M15: return u"PERIOD_M15"_s;
      case PERIOD_M30: return u"PERIOD_M30"_s;
      case PERIOD_H1:  return u"PERIOD_H1"_s;
      case PERIOD_H4:  return u"PERIOD_H4"_s;
      case PERIOD_D1:  return u"PERIOD_D1"_s;
      case PERIOD_W1:  return u"PERIOD_W1"_s;
      case PERIOD_MN1: return u"PERIOD_MN1"_s;
   }
   return mql_unknown_enumerator(u"ENUM_TIMEFRAMES"_s,value);
}

// ---- clocks
ulong GetTickCount64() {
   return (ulong)(std::chrono::duration_cast<std::chrono::milliseconds>(steady::now().time_since_epoch()).count()+terminal.uptime_ms);
}
ulong GetMicrosecondCount() {
   return (ulong)(std::chrono::duration_cast<std::chrono::microseconds>(steady::now()-self->started).count()+terminal.uptime_ms*1000);
}
// All but the last known price's time is reckoned from the computer's own clock.
datetime TimeGMT()         { return datetime((mql_long)time(nullptr)+terminal.own_clock); }
datetime TimeLocal()       { return TimeGMT(); }
datetime TimeTradeServer() { return datetime(server_now_msc()/1000+terminal.own_clock); }
mql_long server_now_msc() {
   auto now=std::chrono::system_clock::now().time_since_epoch();
   return (mql_long)std::chrono::duration_cast<std::chrono::milliseconds>(now).count()+terminal.clock_offset*1000+terminal.clock_phase;
}

// ---- global variables of the terminal
static std::mutex variables_lock;
// used: set or read within four weeks, which asking whether it exists is not. A temporary one isn't written.
struct Variable { double value; bool used,temporary; };
typedef std::map<std::u16string,Variable> Variables;
static Variables variables,written;

bool GlobalVariableCheck(const string &name) {
   std::lock_guard<std::mutex> guard(variables_lock);
   return variables.count(name.units())>0;
}
double GlobalVariableGet(const string &name) {
   std::lock_guard<std::mutex> guard(variables_lock);
   auto found=variables.find(name.units());
   if(found==variables.end()) return 0;
   found->second.used=true;
   return found->second.value;
}
datetime GlobalVariableSet(const string &name,double value) {
   if(StringLen(name)==0 || StringLen(name)>63) return datetime(0);
   std::lock_guard<std::mutex> guard(variables_lock);
   Variable &variable=variables.emplace(name.units(),Variable{0,true,false}).first->second;
   variable.value=value;
   variable.used=true;
   return TimeLocal();
}
bool GlobalVariableTemp(const string &name) {
   std::lock_guard<std::mutex> guard(variables_lock);
   return variables.emplace(name.units(),Variable{0,true,true}).second;
}
bool GlobalVariableDel(const string &name) {
   std::lock_guard<std::mutex> guard(variables_lock);
   return variables.erase(name.units())>0;
}
bool GlobalVariableSetOnCondition(const string &name,double value,double expected) {
   std::lock_guard<std::mutex> guard(variables_lock);
   auto found=variables.find(name.units());
   if(found==variables.end() || found->second.value!=expected) return false;
   found->second.value=value;
   found->second.used=true;
   return true;
}
void GlobalVariablesFlush() {
   std::lock_guard<std::mutex> guard(variables_lock);
   written.clear();
   for(auto &one : variables) if(!one.second.temporary) written.insert(one);
}
// "unused": nobody has used any so far. "four-weeks": those that nobody has used since are gone. "crash": what isn't on disk is.
bool variables_after(const std::string &what) {
   std::lock_guard<std::mutex> guard(variables_lock);
   if(what=="unused") for(auto &one : variables) one.second.used=false;
   else if(what=="four-weeks") for(auto one=variables.begin(); one!=variables.end(); ) one=one->second.used ? std::next(one) : variables.erase(one);
   else if(what=="crash") variables=written;
   else return false;
   return true;
}
