// The simulated account's books: positions, deals, transactions, and what a test commands.
#include "account.hpp"
#include <cstdio>
#include <cstdlib>
#include <random>

Account account;

double price_to_open(const string &name,int type) {
   return SymbolInfoDouble(name,type==POSITION_TYPE_BUY ? SYMBOL_ASK : SYMBOL_BID);
}
double profit_of(const string &name,int type,double volume,double from,double to) {
   double ticks=(to-from)/SymbolInfoDouble(name,SYMBOL_TRADE_TICK_SIZE);
   return (type==POSITION_TYPE_BUY ? ticks : -ticks)*SymbolInfoDouble(name,SYMBOL_TRADE_TICK_VALUE)*volume;
}
double account_profit() {
   double sum=0;
   for(const Position &p : account.positions) sum+=profit_of(p.symbol,p.type,p.volume,p.price,price_to_open(p.symbol,1-p.type));
   return sum;
}
double account_margin() {
   double sum=0;
   for(const Position &p : account.positions)
      sum+=p.volume*SymbolInfoDouble(p.symbol,SYMBOL_TRADE_CONTRACT_SIZE)*p.price/(double)account.leverage;
   return sum;
}

// ---- transactions
static std::vector<MqlTradeTransaction> pending_transactions;

void transaction(ENUM_TRADE_TRANSACTION_TYPE type,const Position *position,const Order *order,const Deal *deal) {
   MqlTradeTransaction t={};
   t.type=type;
   if(position) {
      t.symbol=position->symbol; t.position=position->ticket; t.volume=position->volume; t.price=position->price;
      t.price_sl=position->sl; t.price_tp=position->tp; t.deal_type=(ENUM_DEAL_TYPE)position->type;
   }
   if(order) {
      t.symbol=order->symbol; t.order=order->ticket; t.volume=order->volume; t.price=order->price;
      t.price_trigger=order->stoplimit; t.price_sl=order->sl; t.price_tp=order->tp;
      t.order_type=(ENUM_ORDER_TYPE)order->type; t.order_state=(ENUM_ORDER_STATE)order->state;
      t.time_type=(ENUM_ORDER_TYPE_TIME)order->time_type; t.time_expiration=order->expiration; t.position=order->position;
   }
   if(deal) {
      t.symbol=deal->symbol; t.deal=deal->ticket; t.order=deal->order; t.volume=deal->volume; t.price=deal->price;
      t.deal_type=(ENUM_DEAL_TYPE)deal->type; t.position=deal->position;
   }
   pending_transactions.push_back(t);
}

void remember_view() {
   keep_account();
   auto now=steady::now(),oldest=now-std::chrono::milliseconds(std::max(account.lag_ms,account.orders_lag_ms));
   account.views.push_back({now,account.positions,account.deals,account.orders,account.ended});
   while(account.views.size()>1 && account.views[1].at<=oldest) account.views.pop_front();
}

static const View &known_after(int lag_ms) {
   if(account.views.empty()) remember_view();
   auto now=steady::now();
   size_t index=0;
   while(index+1<account.views.size() && account.views[index+1].at<=now-std::chrono::milliseconds(lag_ms)) index++;
   return account.views[index];
}
const View &view() { return known_after(account.lag_ms); }
const View &orders_view() { return known_after(account.orders_lag_ms<0 ? account.lag_ms : account.orders_lag_ms); }

void flush_transactions() {
   remember_view();
   if(pending_transactions.empty()) return;
   if(account.shuffle) {
      std::mt19937 random(account.shuffle++);
      std::shuffle(pending_transactions.begin(),pending_transactions.end(),random);
   }
   for(const MqlTradeTransaction &t : pending_transactions) {
      Event event(Event::Transaction);
      event.transaction=std::make_shared<MqlTradeTransaction>(t);
      post_where([](const Program &program) { return program.kind=="expert" && program.handlers.OnTradeTransaction; },event);
   }
   pending_transactions.clear();
   post_where([](const Program &program) { return program.kind=="expert" && program.handlers.OnTrade; },Event(Event::Trade));
}

void trade_transaction(Program &program,const Event &event) {
   MqlTradeRequest request={};
   MqlTradeResult  result={};
   if(program.handlers.OnTradeTransaction)
      program.handlers.OnTradeTransaction(*(MqlTradeTransaction*)event.transaction.get(),request,result);
}

// ---- deals
string kept_comment(const string &comment) {
   if(account.comments=="drop") return u""_s;
   if(account.comments=="rewrite") return u"broker #1"_s;
   return StringSubstr(comment,0,account.comments=="cut" ? 13 : 31);
}

static void add_deal(ulong order,ulong position,const string &name,int type,int entry,int reason,double volume,double price,
                     double profit,ulong magic,const string &comment) {
   Deal deal={account.next_ticket++,order,position,name,type,entry,reason,volume,price,profit,magic,comment,server_now_msc()};
   account.balance+=profit;
   account.deals.push_back(deal);
   transaction(TRADE_TRANSACTION_DEAL_ADD,nullptr,nullptr,&deal);
}

void close_position(size_t index,double volume,double price,ulong order,int entry,int reason) {
   Position &p=account.positions[index];
   double profit=profit_of(p.symbol,p.type,volume,p.price,price);
   add_deal(order,p.identifier,p.symbol,1-p.type,entry,reason,volume,price,profit,p.magic,p.comment);
   p.volume=NormalizeDouble(p.volume-volume,8);
   p.updated_msc=server_now_msc();
   if(p.volume<1e-9) account.positions.erase(account.positions.begin()+(std::ptrdiff_t)index);
}

static void open_position(const MqlTradeRequest &r,double volume,double price,ulong order,int reason,ulong identifier,int entry) {
   ulong id=identifier ? identifier : order;
   string comment=kept_comment(r.comment);
   account.positions.push_back({order,id,r.symbol,r.type%2,volume,price,r.sl,r.tp,r.magic,comment,server_now_msc(),server_now_msc()});
   if(entry>=0) add_deal(order,id,r.symbol,r.type%2,entry,reason,volume,price,0,r.magic,comment);
}

// A market order that closes no position by its ticket: in hedging a new position, in netting part of the symbol's only one.
void open_or_add(const MqlTradeRequest &r,double price,ulong order,int reason) {
   int side=r.type%2;
   size_t index=0;
   // In hedging what an order fills later belongs to the position that it opened.
   while(index<account.positions.size() &&
         (account.hedging ? account.positions[index].identifier!=order : account.positions[index].symbol!=r.symbol)) index++;
   if(index==account.positions.size()) {
      open_position(r,r.volume,price,order,reason,0,DEAL_ENTRY_IN);
      return;
   }
   Position &p=account.positions[index];
   if(p.type==side) {
      p.price=(p.price*p.volume+price*r.volume)/(p.volume+r.volume);
      p.volume=NormalizeDouble(p.volume+r.volume,8);
      p.updated_msc=server_now_msc();
      // The last order's stops are the position's: an order without them deletes them.
      if(!account.hedging || r.sl>0) p.sl=r.sl;
      if(!account.hedging || r.tp>0) p.tp=r.tp;
      add_deal(order,p.identifier,p.symbol,side,DEAL_ENTRY_IN,reason,r.volume,price,0,r.magic,kept_comment(r.comment));
      return;
   }
   double left=NormalizeDouble(r.volume-p.volume,8);
   if(left<=0) {
      close_position(index,r.volume,price,order,DEAL_ENTRY_OUT,reason);
      return;
   }
   // A reversal: another ticket, the same identifier.
   ulong identifier=p.identifier;
   double profit=profit_of(p.symbol,p.type,p.volume,p.price,price);
   account.positions.erase(account.positions.begin()+(std::ptrdiff_t)index);
   open_position(r,left,price,order,reason,identifier,-1);
   add_deal(order,identifier,r.symbol,side,DEAL_ENTRY_INOUT,reason,r.volume,price,profit,r.magic,kept_comment(r.comment));
}

// ---- what a test commands
static std::string number(double value) {
   char text[40];
   snprintf(text,sizeof text,"%.10g",value);
   return text;
}

static void dump() {
   for(const Position &p : account.positions)
      say("*","position","id="+std::to_string(p.identifier)+" ticket="+std::to_string(p.ticket)+" symbol="+mql_to_utf8(p.symbol)+
          " side="+(p.type==0 ? "buy" : "sell")+" volume="+number(p.volume)+" price="+number(p.price)+" sl="+number(p.sl)+
          " tp="+number(p.tp)+" magic="+std::to_string(p.magic)+" comment="+mql_to_utf8(p.comment));
   for(const Order &o : account.orders)
      say("*","order","ticket="+std::to_string(o.ticket)+" symbol="+mql_to_utf8(o.symbol)+" type="+std::to_string(o.type)+
          " volume="+number(o.volume)+" price="+number(o.price)+" sl="+number(o.sl)+" tp="+number(o.tp)+
          " stoplimit="+number(o.stoplimit)+" time="+std::to_string(o.time_type)+" expiration="+std::to_string(o.expiration.seconds)+
          " magic="+std::to_string(o.magic)+" comment="+mql_to_utf8(o.comment));
   say("*","account","positions="+std::to_string(account.positions.size())+" orders="+std::to_string(account.orders.size())+
       " deals="+std::to_string(account.deals.size())+" balance="+number(account.balance)+" requests="+std::to_string(account.requests)+
       " looks="+std::to_string(account.looks));
}

static MqlTradeRequest request_of(const std::vector<std::string> &words) {
   MqlTradeRequest r={};
   r.type_filling=ORDER_FILLING_IOC;
   for(size_t i=1; i<words.size(); i++) {
      size_t equal=words[i].find('=');
      std::string key=words[i].substr(0,equal),value=words[i].substr(equal+1);
      double real=strtod(value.c_str(),nullptr);
      ulong whole=strtoull(value.c_str(),nullptr,10);
      if(key=="action") r.action=(ENUM_TRADE_REQUEST_ACTIONS)whole;
      else if(key=="symbol") r.symbol=mql_from_utf8(value);
      else if(key=="type") r.type=(ENUM_ORDER_TYPE)whole;
      else if(key=="volume") r.volume=real;
      else if(key=="price") r.price=real;
      else if(key=="stoplimit") r.stoplimit=real;
      else if(key=="sl") r.sl=real;
      else if(key=="tp") r.tp=real;
      else if(key=="deviation") r.deviation=whole;
      else if(key=="filling") r.type_filling=(ENUM_ORDER_TYPE_FILLING)whole;
      else if(key=="position") r.position=whole;
      else if(key=="position_by") r.position_by=whole;
      else if(key=="order") r.order=whole;
      else if(key=="time") r.type_time=(ENUM_ORDER_TYPE_TIME)whole;
      else if(key=="expiration") r.expiration=datetime((mql_long)whole);
      else if(key=="magic") r.magic=whole;
      else if(key=="comment") r.comment=mql_from_utf8(value);
      else say("*","unknown",key);
   }
   return r;
}

static void set_account(const std::vector<std::string> &words) {
   for(size_t i=1; i<words.size(); i++) {
      size_t equal=words[i].find('=');
      std::string key=words[i].substr(0,equal),value=words[i].substr(equal+1);
      if(key=="mode") account.hedging=value=="hedging";
      else if(key=="balance") account.balance=strtod(value.c_str(),nullptr);
      else if(key=="login") account.login=atoll(value.c_str());
      else if(key=="leverage") account.leverage=atoll(value.c_str());
      else if(key=="trade_allowed") account.trade_allowed=value=="1";
      else if(key=="experts_allowed") account.experts_allowed=value=="1";
      else if(key=="limit_orders") account.limit_orders=atoi(value.c_str());
      else if(key=="fifo") account.fifo=value=="1";
      else if(key=="bare_answers") account.bare_answers=value=="1";
      else if(key=="slow") account.slow_ms=atoi(value.c_str());
      else if(key=="server") account.server=mql_from_utf8(value);
      else if(key=="currency") account.currency=mql_from_utf8(value);
      else if(key=="next_ticket") account.next_ticket=strtoull(value.c_str(),nullptr,10);
      else if(key=="comments") account.comments=value;
      else if(key=="lag") account.lag_ms=atoi(value.c_str());
      else if(key=="orders_lag") account.orders_lag_ms=atoi(value.c_str());
      else if(key=="restless") account.restless=atoi(value.c_str());
      else if(key=="liquidity") account.liquidity=strtod(value.c_str(),nullptr);
      else if(key=="shuffle") account.shuffle=(uint32_t)atoll(value.c_str());
      else say("*","unknown",key);
   }
}

bool account_command(const std::vector<std::string> &words) {
   const std::string &verb=words[0];
   std::lock_guard<std::recursive_mutex> guard(account.lock);
   if(verb=="account") set_account(words);
   else if(verb=="inject") account.injected.push_back({(uint)atoi(words.at(1).c_str()),words.at(2)!="refused" && words.at(2)!="canceled",
                                                    words.at(2)=="late" ? 700 : 0,words.at(2)=="killed",words.at(2)=="canceled"});
   else if(verb=="dump") dump();
   else if(verb=="keep") keep_account_in(words.at(1));
   else if(verb=="trade") {
      MqlTradeResult result={};
      uint retcode=trade(request_of(words),result,DEAL_REASON_CLIENT);
      flush_transactions();
      // Who has the answer may end the terminal at once: by then the trade server's file has it.
      say("*","trade",std::to_string(retcode)+" order="+std::to_string(result.order)+" deal="+std::to_string(result.deal));
   }
   else if(verb=="cancel") {
      // The broker takes a trade back: its deals stay in the history, as canceled ones.
      ulong id=strtoull(words.at(1).c_str(),nullptr,10);
      for(Deal &d : account.deals) if(d.position==id) d.type=d.type==DEAL_TYPE_BUY ? DEAL_TYPE_BUY_CANCELED : DEAL_TYPE_SELL_CANCELED;
      for(size_t i=account.positions.size(); i-->0;)
         if(account.positions[i].identifier==id) account.positions.erase(account.positions.begin()+(std::ptrdiff_t)i);
      flush_transactions();
   }
   else if(verb=="swap") {
      // The server closes and opens anew: the ticket changes, the identifier stays.
      for(Position &p : account.positions)
         if(p.identifier==strtoull(words.at(1).c_str(),nullptr,10)) {
            p.ticket=account.next_ticket++;
            transaction(TRADE_TRANSACTION_POSITION,&p,nullptr,nullptr);
         }
      flush_transactions();
   }
   else return false;
   return true;
}
