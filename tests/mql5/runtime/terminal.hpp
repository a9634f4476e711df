// The terminal: programs, charts, the queue of events of each program, symbols. One process is one terminal.
#pragma once
#include "mql5.hpp"
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

typedef std::chrono::steady_clock steady;

struct Event {
   enum Kind { Timer,Tick,Chart,Trade,Transaction,ChartChange,Reinit,ShowBuffer,Stop };
   Kind     kind;
   int      id=0;                // Chart: its id; Reinit, Stop: the reason
   mql_long lparam=0;
   double   dparam=0;
   string   sparam;
   std::shared_ptr<void> transaction;
   explicit Event(Kind what,int which=0) : kind(what),id(which) {}
};

struct Program {
   std::string name,kind,path;
   std::map<std::string,std::string> inputs,next_inputs;
   std::vector<std::function<void()>> read_inputs;
   std::map<std::string,std::string> settings;   // tester, dlls_allowed, trade_allowed, timers
   mql_long    chart=0;                          // 0: a service
   string      symbol;
   int         period=PERIOD_M1;
   mql_handlers handlers={};
   std::vector<mql_array<double>*> buffers;      // of an indicator
   int         calculated=0;                     // bars that OnCalculate() has seen
   std::string load_error;

   std::mutex              lock;
   std::condition_variable changed;
   std::deque<Event>       queue;
   int                     running=-1;           // the kind of the event in work
   int                     running_id=0;
   int                     timer_ms=0;
   steady::time_point      next_timer;
   std::atomic<bool>       stopped{false};
   std::atomic<bool>       ended{false};
   int                     reason=REASON_PROGRAM;
   int                     last_error=0;
   std::shared_ptr<void>   selection;            // position, order and deals that it has selected
   steady::time_point      started=steady::now();
   std::thread             thread;
};

// The program whose thread this is; null on the terminal's own.
extern thread_local Program *self;

struct Terminal {
   std::mutex lock;
   std::map<std::string,std::shared_ptr<Program>> programs;
   std::map<std::string,std::string> libraries;  // DLL name to path
   std::string files=".";                        // MQL5\\Files
   std::string copies=".";                       // where programs are copied to when they are loaded
   bool dangling=false;                          // address of empty arrays
   bool null_is_empty=false;                     // a DLL gets an empty text for NULL
   std::atomic<mql_long> clock_phase{0};         // ms by which the trade server's seconds begin before those of GMT
   std::atomic<mql_long> clock_offset{0};        // seconds by which the trade server's clock is ahead of GMT
   std::atomic<mql_long> uptime_ms{0};           // that pass at once
   std::atomic<bool>     is_disk_full{false};    // what programs write is lost
   std::atomic<mql_long> own_clock{0};           // seconds by which the computer's own clock is fast
   std::atomic<bool> connected{true};            // to the trade server, of which nothing is known before
};
extern Terminal terminal;

// Programs on charts, with events: Expert Advisors and indicators.
inline bool is_on_chart(const Program &program) { return program.kind=="expert" || program.kind=="indicator"; }

void say(const std::string &source,const std::string &kind,const std::string &text);
void post(Program &program,Event event);
// Every program for which `wanted` holds gets the event.
void post_where(const std::function<bool(const Program&)> &wanted,const Event &event);
void close_files(const Program *owner);
void start_program(std::shared_ptr<Program> program);
void calculate(Program &program);
void show_buffer(Program &program);

// market.cpp
struct SymbolState {
   std::map<int,double>   doubles;
   std::map<int,mql_long> integers;
   std::map<int,string>   strings;
   MqlTick                tick={};
   std::vector<MqlRates>  bars;      // M1, the oldest first
   bool                   selected=false;
   bool                   open=true;       // false: closed whatever the sessions say
   // By the trade server's clock: seconds of a day, from and to; and the days of the week, 0 = Sunday.
   std::vector<std::pair<int,int>> sessions={{0,86400}};
   std::string                     days="0123456";
   double                 market_volume=0; // that one market order can get, 0 = any
   int                    quotes_after_ms=0; // prices come so long after it was selected
   steady::time_point     selected_at;
};
struct Market {
   std::recursive_mutex lock;
   std::map<std::u16string,SymbolState> symbols;
};
extern Market market;
SymbolState &market_symbol(const string &name);   // made if there is none
// At a time in milliseconds since 1970, or now (0).
void         market_tick(const string &name,double bid,double ask,mql_long msc);
bool         market_is_open(const string &name);
double       market_volume(const string &name);
mql_long     server_now_msc();
bool         market_set(const string &name,const std::string &property,const std::string &value);
