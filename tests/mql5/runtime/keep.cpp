// The account as the trade server keeps it when the terminal is killed: a file that follows each change, and that the next
// terminal begins with. What was under way, an answer that is late say, is lost with the terminal.
#include "account.hpp"
#include <filesystem>
#include <fstream>
#include <sstream>

static std::string kept_in;

// Doubles exactly, texts to the end of their field.
struct Fields {
   std::ostringstream text;
   explicit Fields(char kind) { text.precision(17); text<<kind; }
   template<class T> Fields &add(const T &value) { text<<'\t'<<value; return *this; }
   Fields &add(const string &value) { text<<'\t'<<mql_to_utf8(value); return *this; }
   Fields &add(datetime value) { text<<'\t'<<value.seconds; return *this; }
};

struct Reader {
   std::istringstream text;
   explicit Reader(const std::string &line) : text(line) { std::string kind; std::getline(text,kind,'\t'); }
   std::string next() { std::string field; std::getline(text,field,'\t'); return field; }
   template<class T> void get(T &value) { std::istringstream(next())>>value; }
   void get(string &value) { value=mql_from_utf8(next()); }
   void get(datetime &value) { get(value.seconds); }
};

// One list of fields for writing and reading.
template<class F> static void fields(Position &p,F field) {
   field(p.ticket); field(p.identifier); field(p.symbol); field(p.type); field(p.volume); field(p.price); field(p.sl); field(p.tp);
   field(p.magic); field(p.comment); field(p.opened_msc); field(p.updated_msc);
}
template<class F> static void fields(Order &o,F field) {
   field(o.ticket); field(o.symbol); field(o.type); field(o.volume_initial); field(o.volume); field(o.price); field(o.stoplimit);
   field(o.sl); field(o.tp); field(o.magic); field(o.comment); field(o.time_type); field(o.expiration); field(o.state);
   field(o.position); field(o.setup_msc); field(o.day);
}
template<class F> static void fields(Deal &d,F field) {
   field(d.ticket); field(d.order); field(d.position); field(d.symbol); field(d.type); field(d.entry); field(d.reason);
   field(d.volume); field(d.price); field(d.profit); field(d.magic); field(d.comment); field(d.msc);
}

template<class T> static void write(std::ofstream &file,char kind,std::vector<T> &all) {
   for(T &one : all) {
      Fields line(kind);
      fields(one,[&line](auto &value) { line.add(value); });
      file<<line.text.str()<<'\n';
   }
}

template<class T> static void read(const std::string &line,std::vector<T> &all) {
   T one={};
   Reader reader(line);
   fields(one,[&reader](auto &value) { reader.get(value); });
   all.push_back(one);
}

// After each change, before the terminal learns of it.
void keep_account() {
   if(kept_in.empty()) return;
   std::string written=kept_in+".new";
   {
      std::ofstream file(written,std::ios::binary|std::ios::trunc);
      Fields line('A');
      file<<line.add(account.balance).add(account.next_ticket).text.str()<<'\n';
      write(file,'P',account.positions);
      write(file,'O',account.orders);
      write(file,'E',account.ended);
      write(file,'D',account.deals);
   }
   std::filesystem::rename(written,kept_in);
}

// keep <file>
// Until the terminal has learned of it (lag), it shows what there was before: nothing.
void keep_account_in(const std::string &path) {
   remember_view();
   kept_in=path;
   std::ifstream file(path,std::ios::binary);
   for(std::string line; std::getline(file,line);)
      switch(line[0]) {
         case 'A': { Reader reader(line); reader.get(account.balance); reader.get(account.next_ticket); break; }
         case 'P': read(line,account.positions); break;
         case 'O': read(line,account.orders); break;
         case 'E': read(line,account.ended); break;
         case 'D': read(line,account.deals); break;
         default: say("*","unknown",line);
      }
   remember_view();
}
