// What a program sees of the terminal: its events, inputs, charts, clock and stop flag.
#pragma once
#include "functions.hpp"
#include "import.hpp"
#include <functional>

enum ENUM_INIT_RETCODE { INIT_SUCCEEDED=0,INIT_FAILED=1,INIT_PARAMETERS_INCORRECT=32767,INIT_AGENT_NOT_SUITABLE=32766 };
#define REASON_PROGRAM 0
#define REASON_REMOVE 1
#define REASON_RECOMPILE 2
#define REASON_CHARTCHANGE 3
#define REASON_CHARTCLOSE 4
#define REASON_PARAMETERS 5
#define REASON_ACCOUNT 6
#define REASON_TEMPLATE 7
#define REASON_INITFAILED 8
#define REASON_CLOSE 9
#define CHARTEVENT_CUSTOM 1000

enum ENUM_MQL_INFO_INTEGER { MQL_TESTER,MQL_OPTIMIZATION,MQL_DLLS_ALLOWED,MQL_TRADE_ALLOWED,MQL_PROGRAM_TYPE };
enum ENUM_MQL_INFO_STRING { MQL_PROGRAM_NAME,MQL_PROGRAM_PATH };
enum ENUM_PROGRAM_TYPE { PROGRAM_SCRIPT=1,PROGRAM_EXPERT=2,PROGRAM_INDICATOR=4,PROGRAM_SERVICE=5 };
enum ENUM_TERMINAL_INFO_INTEGER { TERMINAL_CONNECTED,TERMINAL_TRADE_ALLOWED,TERMINAL_DLLS_ALLOWED,TERMINAL_BUILD };
enum ENUM_TIMEFRAMES {
   PERIOD_CURRENT=0,PERIOD_M1=1,PERIOD_M5=5,PERIOD_M15=15,PERIOD_M30=30,
   PERIOD_H1=16385,PERIOD_H4=16388,PERIOD_D1=16408,PERIOD_W1=32769,PERIOD_MN1=49153
};
string EnumToString(ENUM_TIMEFRAMES value);

struct MqlTradeTransaction;
struct MqlTradeRequest;
struct MqlTradeResult;

// The handlers that a program defines; those it doesn't are null.
struct mql_handlers {
   int  (*OnInit)();
   void (*OnDeinit)(int);
   void (*OnTick)();
   void (*OnTimer)();
   void (*OnStart)();
   int  (*OnCalculate)(int,int,int,mql_array<double>&);
   void (*OnChartEvent)(int,mql_long,double,const string&);
   void (*OnTrade)();
   void (*OnTradeTransaction)(const MqlTradeTransaction&,const MqlTradeRequest&,const MqlTradeResult&);
};

// Handlers may return int or nothing; their parameters are MQL5's.
inline int  mql_init(int (*handler)())  { return handler(); }
inline int  mql_init(void (*handler)()) { handler(); return 0; }
template<class R> R mql_as_init(R (*handler)()) { return handler(); }
#define MQL_TABLE_OnInit       table->OnInit=[]() -> int { return mql_init(OnInit); };
#define MQL_TABLE_OnDeinit     { void (*handler)(const int)=OnDeinit; table->OnDeinit=handler; }
#define MQL_TABLE_OnTick       { void (*handler)()=OnTick; table->OnTick=handler; }
#define MQL_TABLE_OnTimer      { void (*handler)()=OnTimer; table->OnTimer=handler; }
#define MQL_TABLE_OnTrade      { void (*handler)()=OnTrade; table->OnTrade=handler; }
#define MQL_TABLE_OnCalculate  table->OnCalculate=[](int total,int calculated,int begin,mql_array<double> &price) \
   { return OnCalculate(total,calculated,begin,price); };
#define MQL_TABLE_OnStart      { void (*handler)()=OnStart; table->OnStart=handler; }
#define MQL_TABLE_OnChartEvent { void (*handler)(const int,const mql_long&,const double&,const string&)=OnChartEvent; \
   static auto stored=handler; \
   table->OnChartEvent=[](int id,mql_long lparam,double dparam,const string &sparam) { stored(id,lparam,dparam,sparam); }; }
#define MQL_TABLE_OnTradeTransaction { \
   void (*handler)(const MqlTradeTransaction&,const MqlTradeRequest&,const MqlTradeResult&)=OnTradeTransaction; \
   table->OnTradeTransaction=handler; }
#define MQL_HANDLER(name) MQL_TABLE_##name
#ifdef _WIN32
#define MQL_EXPORTED __declspec(dllexport)
// The linker sends the globals' ends here (--wrap=atexit), and the terminal calls for them: see unload_module().
#define MQL_PROGRAM_END } \
   static std::vector<void (*)()> &mql_ends() { static auto *ends=new std::vector<void (*)()>; return *ends; } \
   extern "C" int __wrap_atexit(void (*end)()) { mql_ends().push_back(end); return 0; } \
   extern "C" MQL_EXPORTED void mql_program_end() { while(!mql_ends().empty()) { auto end=mql_ends().back(); mql_ends().pop_back(); end(); } }
#else
#define MQL_EXPORTED __attribute__((visibility("default")))
#define MQL_PROGRAM_END }
#endif
#define MQL_PROGRAM_BEGIN extern "C" MQL_EXPORTED void mql_program(mql_handlers *table); \
   extern "C" void mql_program(mql_handlers *table) { *table={};

// ---- inputs: text from the terminal, or the default; read again before an OnInit() on the same globals
bool mql_input_text(const char *name,string &text);
void mql_input_again(std::function<void()> read);

template<class T> const T &mql_input(const char *name,const T &preset) {
   T *value=new T(preset);
   auto read=[=]() {
      string text;
      if(!mql_input_text(name,text)) return;
      if constexpr(std::is_same_v<T,string>) *value=text;
      else if constexpr(std::is_same_v<T,bool>) *value=text==u"true"_s;
      else if constexpr(std::is_floating_point_v<T>) *value=(T)StringToDouble(text);
      else *value=(T)StringToInteger(text);
   };
   read();
   mql_input_again(read);
   return *value;
}

// ---- the terminal
bool     IsStopped();
void     Sleep(int milliseconds);
mql_long MQLInfoInteger(ENUM_MQL_INFO_INTEGER what);
string   MQLInfoString(ENUM_MQL_INFO_STRING what);
mql_long TerminalInfoInteger(ENUM_TERMINAL_INFO_INTEGER what);
int      UninitializeReason();
void     ExpertRemove();
int      GetLastError();
void     ResetLastError();
void     mql_set_error(int code);
bool     EventSetTimer(int seconds);
bool     EventSetMillisecondTimer(int milliseconds);
void     EventKillTimer();
bool     EventChartCustom(mql_long chart,ushort id,mql_long lparam,double dparam,const string &sparam);
mql_long ChartID();
mql_long ChartFirst();
mql_long ChartNext(mql_long chart);
string   ChartSymbol(mql_long chart=0);
ENUM_TIMEFRAMES ChartPeriod(mql_long chart=0);
string   Symbol();
ENUM_TIMEFRAMES Period();
int      mql_chart_digits();
double   mql_chart_point();
void     Comment_(const string &text);
template<class... A> void Comment(const A&... arguments) { Comment_(mql_join({mql_argument(arguments)...})); }

// ---- clocks
ulong    GetTickCount64();
ulong    GetMicrosecondCount();
datetime TimeCurrent();
datetime TimeTradeServer();
datetime TimeLocal();
datetime TimeGMT();

// ---- global variables of the terminal
bool     GlobalVariableCheck(const string &name);
double   GlobalVariableGet(const string &name);
datetime GlobalVariableSet(const string &name,double value);
bool     GlobalVariableTemp(const string &name);
bool     GlobalVariableDel(const string &name);
void     GlobalVariablesFlush();
bool     GlobalVariableSetOnCondition(const string &name,double value,double expected);
