// Programs, their threads and their events.
#include "platform.hpp"
#include "terminal.hpp"
#include <cstdio>
#include <cstring>
#include <fstream>

thread_local Program *self=nullptr;
Terminal terminal;

void say(const std::string &source,const std::string &kind,const std::string &text) {
   std::string line=source+"\t"+kind+"\t";
   for(char c : text) {
      if(c=='\n') line+="\\n";
      else line+=c;
   }
   line+="\n";
   static std::mutex lock;
   std::lock_guard<std::mutex> guard(lock);
   fwrite(line.data(),1,line.size(),stdout);
   fflush(stdout);
}

// ---- living objects, over all programs
static std::mutex objects_lock;
static std::map<void*,uint64_t> objects;
static uint64_t last_generation=0;

uint64_t mql_object_made(void *object) {
   std::lock_guard<std::mutex> guard(objects_lock);
   return objects[object]=++last_generation;
}
void mql_object_gone(void *object) {
   std::lock_guard<std::mutex> guard(objects_lock);
   objects.erase(object);
}
bool mql_object_lives(void *object,uint64_t generation) {
   std::lock_guard<std::mutex> guard(objects_lock);
   auto found=objects.find(object);
   return found!=objects.end() && found->second==generation;
}

// ---- the queue: what the terminal doesn't queue twice
void post(Program &program,Event event) {
   std::lock_guard<std::mutex> guard(program.lock);
   bool single=event.kind==Event::Timer || event.kind==Event::Tick || event.kind==Event::Chart;
   auto same=[&](int kind,int id) { return kind==event.kind && (event.kind!=Event::Chart || id==event.id); };
   if(single) {
      if(same(program.running,program.running_id)) return;
      for(const Event &queued : program.queue) if(same(queued.kind,queued.id)) return;
   }
   if(event.kind==Event::Transaction) {
      // 1024 wait at most; the oldest give way.
      size_t waiting=0;
      for(const Event &queued : program.queue) waiting+=queued.kind==Event::Transaction;
      if(waiting>=1024)
         for(auto queued=program.queue.begin(); queued!=program.queue.end(); ++queued)
            if(queued->kind==Event::Transaction) { program.queue.erase(queued); break; }
   }
   program.queue.push_back(std::move(event));
   program.changed.notify_all();
}

void post_where(const std::function<bool(const Program&)> &wanted,const Event &event) {
   std::vector<std::shared_ptr<Program>> chosen;
   {
      std::lock_guard<std::mutex> guard(terminal.lock);
      for(auto &entry : terminal.programs) if(!entry.second->ended && wanted(*entry.second)) chosen.push_back(entry.second);
   }
   for(auto &program : chosen) post(*program,event);
}

static Event next_event(Program &program) {
   std::unique_lock<std::mutex> guard(program.lock);
   program.running=-1;
   for(;;) {
      auto now=steady::now();
      if(program.timer_ms>0 && now>=program.next_timer) {
         bool queued=false;
         for(const Event &event : program.queue) queued|=event.kind==Event::Timer;
         if(!queued) program.queue.push_back(Event(Event::Timer));
         program.next_timer=now+std::chrono::milliseconds(program.timer_ms);
      }
      if(!program.queue.empty()) break;
      if(program.timer_ms>0) program.changed.wait_until(guard,program.next_timer);
      else program.changed.wait(guard);
   }
   Event event=std::move(program.queue.front());
   program.queue.pop_front();
   program.running=event.kind;
   program.running_id=event.id;
   return event;
}

// Other inputs, another chart: an Expert Advisor goes on. With another account it is loaded anew, by the terminal, and an
// indicator in all these cases.
static bool is_reinit(int reason) { return reason==REASON_CHARTCHANGE || reason==REASON_PARAMETERS || reason==REASON_ACCOUNT; }

static void deinit(Program &program,int reason) {
   program.reason=reason;
   if(!is_reinit(reason)) program.stopped=true;
   auto start=steady::now();
   if(program.handlers.OnDeinit) program.handlers.OnDeinit(reason);
   auto took=std::chrono::duration_cast<std::chrono::milliseconds>(steady::now()-start).count();
   if(took>2500) say(program.name,"late","OnDeinit took "+std::to_string(took)+" ms: the terminal ends it after 2500");
}

static bool init(Program &program) {
   int code=program.handlers.OnInit ? program.handlers.OnInit() : 0;
   say(program.name,"init",std::to_string(code));
   if(code==0) return true;
   deinit(program,REASON_INITFAILED);
   return false;
}

void trade_transaction(Program &program,const Event &event);

// Returns whether the terminal is to load it anew.
static bool run_on_chart(Program &program) {
   if(!init(program)) return false;
   calculate(program);
   for(;;) {
      Event event=next_event(program);
      mql_handlers &handlers=program.handlers;
      switch(event.kind) {
         case Event::Timer: if(handlers.OnTimer) handlers.OnTimer(); break;
         case Event::Tick:
            if(handlers.OnTick) handlers.OnTick();
            calculate(program);
            break;
         case Event::ShowBuffer: show_buffer(program); break;
         case Event::Trade: if(handlers.OnTrade) handlers.OnTrade(); break;
         case Event::Chart:
            if(handlers.OnChartEvent) handlers.OnChartEvent(event.id,event.lparam,event.dparam,event.sparam);
            break;
         case Event::Transaction: trade_transaction(program,event); break;
         case Event::ChartChange:
            deinit(program,REASON_CHARTCHANGE);
            { std::lock_guard<std::mutex> guard(program.lock); program.symbol=event.sparam; program.queue.clear(); }
            // Of an Expert Advisor the same instance goes on: globals keep their values.
            if(program.kind=="indicator") return true;
            program.buffers.clear();
            program.calculated=0;
            if(!init(program)) return false;
            calculate(program);
            break;
         case Event::Reinit:
            deinit(program,event.id);
            {
               std::lock_guard<std::mutex> guard(program.lock);
               for(auto &input : program.next_inputs) program.inputs[input.first]=input.second;
               program.queue.clear();
            }
            if(event.id==REASON_ACCOUNT || program.kind=="indicator") return true;
            for(auto &read : program.read_inputs) read();
            if(!init(program)) return false;
            break;
         case Event::Stop:
            deinit(program,event.id);
            return false;
      }
   }
}

// Each program is loaded from a copy: two that run the same file have globals of their own.
static void *load_copy(const std::string &path,std::string &error) {
   static std::atomic<int> count{0};
   std::string copy=terminal.copies+"/"+std::to_string(count++)+".module";
   { std::ofstream(copy,std::ios::binary) << std::ifstream(path,std::ios::binary).rdbuf(); }
   return load_module(copy,error);
}

// From loading to unloading; returns whether it is to be loaded anew.
static bool live(Program &program) {
   bool again=false;
   std::string error;
   void *module=load_copy(program.path,error);
   void (*table)(mql_handlers*)=nullptr;
   if(!module) program.load_error=error;
   else table=(void(*)(mql_handlers*))module_function(module,"mql_program");
   if(!program.load_error.empty() || !table) say(program.name,"load-error",program.load_error);
   else try {
      table(&program.handlers);
      if(is_on_chart(program)) again=run_on_chart(program);
      else if(program.handlers.OnStart) program.handlers.OnStart();
   }
   catch(const mql_critical &error) { say(program.name,"critical",error.text); }
   program.stopped=!again;
   { std::lock_guard<std::mutex> guard(program.lock); program.timer_ms=0; }
   program.read_inputs.clear();
   // Destructors of the program's globals run here, on its own thread.
   if(module) unload_module(module);
   close_files(&program);
   program.buffers.clear();
   program.calculated=0;
   program.handlers={};
   program.reason=REASON_PROGRAM;
   return again;
}

static void run(std::shared_ptr<Program> shared) {
   self=shared.get();
   while(live(*shared)) {}
   shared->ended=true;
   say(shared->name,"ended","");
}

void start_program(std::shared_ptr<Program> program) {
   {
      std::lock_guard<std::mutex> guard(terminal.lock);
      auto old=terminal.programs.find(program->name);
      if(old!=terminal.programs.end() && old->second->thread.joinable()) old->second->thread.join();
      terminal.programs[program->name]=program;
   }
   program->thread=std::thread(run,program);
}

// ---- imports
bool mql_null_is_empty() { return terminal.null_is_empty; }
void *mql_empty_array() { return terminal.dangling ? (void*)0x1 : nullptr; }

mql_import::mql_import(const char *library,const char *name) : m_library(library),m_name(name) {
   auto path=terminal.libraries.find(library);
   std::string error;
   void *module=path==terminal.libraries.end() ? nullptr : load_module(path->second,error);
   if(module) m_address=module_function(module,name);
   if(self && self->load_error.empty()) {
      if(!module) self->load_error=std::string("Cannot load '")+library+"' [126]";
      else if(!m_address) self->load_error=std::string("Cannot find '")+name+"' in '"+library+"'";
   }
}

void mql_input_again(std::function<void()> read) { self->read_inputs.push_back(std::move(read)); }
bool mql_input_text(const char *name,string &text) {
   auto found=self->inputs.find(name);
   if(found==self->inputs.end()) return false;
   // The terminal keeps 255 characters of name=value.
   text=StringSubstr(mql_from_utf8(found->second),0,254-(int)strlen(name));
   return true;
}
