// The terminal's commands, a line each on standard input, fields apart by tabs; what happens goes to standard output as
// source, kind, text. A test is the user.
#include "terminal.hpp"
#include <cstdio>
#include <functional>
#include <iostream>

static std::vector<std::string> fields(const std::string &line) {
   std::vector<std::string> found;
   size_t start=0;
   for(;;) {
      size_t end=line.find('\t',start);
      found.push_back(line.substr(start,end==std::string::npos ? end : end-start));
      if(end==std::string::npos) return found;
      start=end+1;
   }
}

static std::shared_ptr<Program> program(const std::string &name) {
   std::lock_guard<std::mutex> guard(terminal.lock);
   auto found=terminal.programs.find(name);
   return found==terminal.programs.end() ? nullptr : found->second;
}

// load <kind> <name> <path> <chart> <symbol> then name=value: settings, and inputs where the name begins with Inp
static void load(const std::vector<std::string> &words) {
   auto made=std::make_shared<Program>();
   made->kind=words.at(1);
   made->name=words.at(2);
   made->path=words.at(3);
   made->chart=atoll(words.at(4).c_str());
   made->symbol=mql_from_utf8(words.at(5));
   for(size_t i=6; i<words.size(); i++) {
      size_t equal=words[i].find('=');
      std::string name=words[i].substr(0,equal),value=words[i].substr(equal+1);
      if(name.compare(0,3,"Inp")==0) made->inputs[name]=value;
      else made->settings[name]=value;
   }
   start_program(made);
}

static void stop(const std::string &name,int reason) {
   auto found=program(name);
   if(!found || found->ended) return;
   if(!is_on_chart(*found)) found->stopped=true;
   Event event(Event::Stop);
   event.id=reason;
   post(*found,event);
}

bool account_command(const std::vector<std::string> &words);
bool variables_after(const std::string &what);

static void command(const std::vector<std::string> &words) {
   const std::string &verb=words[0];
   if(verb=="library") terminal.libraries[words.at(1)]=words.at(2);
   else if(verb=="files") terminal.files=words.at(1);
   else if(verb=="disk") terminal.is_disk_full=words.at(1)=="full";
   else if(verb=="clock-phase") terminal.clock_phase=atoll(words.at(1).c_str());
   else if(verb=="null-texts") terminal.null_is_empty=words.at(1)=="empty";
   else if(verb=="empty-arrays") terminal.dangling=words.at(1)=="dangling";
   else if(verb=="symbol") {
      string name=mql_from_utf8(words.at(1));
      { std::lock_guard<std::recursive_mutex> guard(market.lock); market_symbol(name).selected=true; }
      for(size_t i=2; i<words.size(); i++) {
         size_t equal=words[i].find('=');
         if(!market_set(name,words[i].substr(0,equal),words[i].substr(equal+1))) say("*","unknown",words[i]);
      }
   }
   else if(verb=="tick") {
      double bid=strtod(words.at(2).c_str(),nullptr),ask=strtod(words.at(3).c_str(),nullptr);
      market_tick(mql_from_utf8(words.at(1)),bid,ask,words.size()>4 ? atoll(words[4].c_str()) : 0);
   }
   else if(verb=="clock") terminal.clock_offset=atoll(words.at(1).c_str());
   else if(verb=="own-clock") terminal.own_clock=atoll(words.at(1).c_str());
   else if(verb=="uptime") terminal.uptime_ms+=1000*atoll(words.at(1).c_str());
   else if(verb=="connected") terminal.connected=words.at(1)=="1";
   else if(verb=="load") load(words);
   else if(verb=="remove") stop(words.at(1),words.size()>2 ? atoi(words[2].c_str()) : REASON_REMOVE);
   else if(verb=="chart-symbol") {
      auto found=program(words.at(1));
      Event event(Event::ChartChange);
      event.sparam=mql_from_utf8(words.at(2));
      if(found) post(*found,event);
   }
   // reinit <name> <reason> then name=value: inputs
   else if(verb=="reinit") {
      auto found=program(words.at(1));
      if(!found) return;
      {
         std::lock_guard<std::mutex> guard(found->lock);
         for(size_t i=3; i<words.size(); i++) {
            size_t equal=words[i].find('=');
            found->next_inputs[words[i].substr(0,equal)]=words[i].substr(equal+1);
         }
      }
      post(*found,Event(Event::Reinit,atoi(words.at(2).c_str())));
   }
   else if(verb=="buffer") {
      auto found=program(words.at(1));
      if(found) post(*found,Event(Event::ShowBuffer));
   }
   else if(verb=="variable") GlobalVariableSet(mql_from_utf8(words.at(1)),strtod(words.at(2).c_str(),nullptr));
   else if(verb=="variables") {
      if(!variables_after(words.at(1))) say("*","unknown",words[1]);
   }
   else if(verb=="custom-event") {
      Event event(Event::Chart);
      event.id=CHARTEVENT_CUSTOM+atoi(words.at(2).c_str());
      event.sparam=mql_from_utf8(words.at(3));
      auto found=program(words.at(1));
      if(found) post(*found,event);
   }
   else if(!account_command(words)) say("*","unknown",verb);
}

// The argument is the folder of the programs' copies, and of their files unless there is a command for these.
int main(int count,char **arguments) {
   if(count>1) terminal.copies=terminal.files=arguments[1];
   say("*","started","");
   std::string line;
   while(std::getline(std::cin,line) && line!="quit") command(fields(line));
   // As closing the terminal: every program gets its OnDeinit.
   std::vector<std::shared_ptr<Program>> all;
   {
      std::lock_guard<std::mutex> guard(terminal.lock);
      for(auto &entry : terminal.programs) all.push_back(entry.second);
   }
   for(auto &one : all) stop(one->name,REASON_CLOSE);
   for(auto &one : all) if(one->thread.joinable()) one->thread.join();
   say("*","closed","");
   fflush(stdout);
   return 0;
}
