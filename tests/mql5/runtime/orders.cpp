// Requests: their checks, in the order in which a server makes them, and their execution.
#include "account.hpp"
#include <utility>

static bool is_multiple(double value,double step) {
   double steps=value/step;
   return std::fabs(steps-std::round(steps))<1e-6;
}

static uint check_volume(const MqlTradeRequest &r) {
   if(r.volume<SymbolInfoDouble(r.symbol,SYMBOL_VOLUME_MIN)-1e-9) return TRADE_RETCODE_INVALID_VOLUME;
   if(r.volume>SymbolInfoDouble(r.symbol,SYMBOL_VOLUME_MAX)+1e-9) return TRADE_RETCODE_INVALID_VOLUME;
   return is_multiple(r.volume,SymbolInfoDouble(r.symbol,SYMBOL_VOLUME_STEP)) ? TRADE_RETCODE_DONE : TRADE_RETCODE_INVALID_VOLUME;
}

// The limit holds for positions and pending orders of one direction.
static uint check_limit(const MqlTradeRequest &r) {
   double limit=SymbolInfoDouble(r.symbol,SYMBOL_VOLUME_LIMIT),sum=r.volume;
   if(limit<=0) return TRADE_RETCODE_DONE;
   for(const Position &p : account.positions) if(p.symbol==r.symbol && p.type==r.type%2) sum+=p.volume;
   for(const Order &o : account.orders) if(o.symbol==r.symbol && o.type%2==r.type%2) sum+=o.volume;
   return sum>limit+1e-9 ? TRADE_RETCODE_LIMIT_VOLUME : TRADE_RETCODE_DONE;
}

// Stops stand on their side of a price, far enough from it, and on the grid of prices.
static uint check_stops(const string &name,int side,double price,double sl,double tp) {
   double tick=SymbolInfoDouble(name,SYMBOL_TRADE_TICK_SIZE);
   double distance=(double)SymbolInfoInteger(name,SYMBOL_TRADE_STOPS_LEVEL)*SymbolInfoDouble(name,SYMBOL_POINT)-1e-9;
   if((sl!=0 && !is_multiple(sl,tick)) || (tp!=0 && !is_multiple(tp,tick))) return TRADE_RETCODE_INVALID_STOPS;
   double below=side==POSITION_TYPE_BUY ? sl : tp,above=side==POSITION_TYPE_BUY ? tp : sl;
   if(below!=0 && price-below<distance+1e-12) return TRADE_RETCODE_INVALID_STOPS;
   if(above!=0 && above-price<distance+1e-12) return TRADE_RETCODE_INVALID_STOPS;
   return TRADE_RETCODE_DONE;
}

static uint check_filling(const MqlTradeRequest &r) {
   mql_long modes=SymbolInfoInteger(r.symbol,SYMBOL_FILLING_MODE),execution=SymbolInfoInteger(r.symbol,SYMBOL_TRADE_EXEMODE);
   bool instant=execution==SYMBOL_TRADE_EXECUTION_INSTANT || execution==SYMBOL_TRADE_EXECUTION_REQUEST;
   bool good=false;
   switch(r.type_filling) {
      case ORDER_FILLING_FOK:    good=instant || (modes & SYMBOL_FILLING_FOK)!=0; break;
      case ORDER_FILLING_IOC:    good=instant || (modes & SYMBOL_FILLING_IOC)!=0; break;
      case ORDER_FILLING_RETURN: good=execution!=SYMBOL_TRADE_EXECUTION_MARKET; break;
      case ORDER_FILLING_BOC:    good=false; break;
   }
   return good ? TRADE_RETCODE_DONE : TRADE_RETCODE_INVALID_FILL;
}

static uint check_open(const MqlTradeRequest &r) {
   switch(SymbolInfoInteger(r.symbol,SYMBOL_TRADE_MODE)) {
      case SYMBOL_TRADE_MODE_LONGONLY:  if(r.type%2==POSITION_TYPE_SELL) return TRADE_RETCODE_LONG_ONLY; break;
      case SYMBOL_TRADE_MODE_SHORTONLY: if(r.type%2==POSITION_TYPE_BUY) return TRADE_RETCODE_SHORT_ONLY; break;
      case SYMBOL_TRADE_MODE_CLOSEONLY: return TRADE_RETCODE_CLOSE_ONLY;
      default: break;
   }
   return check_limit(r);
}

static uint check_money(const MqlTradeRequest &r) {
   double margin=0;
   OrderCalcMargin(r.type,r.symbol,r.volume,price_to_open(r.symbol,r.type%2),margin);
   // In netting the opposite part of a position frees margin.
   for(const Position &p : account.positions)
      if(!account.hedging && p.symbol==r.symbol && p.type!=r.type%2) margin*=std::max(0.0,r.volume-2*p.volume)/r.volume;
   return margin>account.balance+account_profit()-account_margin() ? TRADE_RETCODE_NO_MONEY : TRADE_RETCODE_DONE;
}

static bool frozen(const string &name,double level) {
   double freeze=(double)SymbolInfoInteger(name,SYMBOL_TRADE_FREEZE_LEVEL)*SymbolInfoDouble(name,SYMBOL_POINT);
   if(freeze<=0 || level==0) return false;
   return std::fabs(level-SymbolInfoDouble(name,SYMBOL_BID))<=freeze || std::fabs(level-SymbolInfoDouble(name,SYMBOL_ASK))<=freeze;
}

static uint first_objection(std::initializer_list<uint> answers) {
   for(uint answer : answers) if(answer!=TRADE_RETCODE_DONE) return answer;
   return TRADE_RETCODE_DONE;
}

static size_t by_ticket(ulong ticket) {
   size_t index=0;
   while(index<account.positions.size() && account.positions[index].ticket!=ticket) index++;
   return index;
}

static mql_long today();

static uint deal(const MqlTradeRequest &r,MqlTradeResult &result,int reason) {
   if(r.type!=ORDER_TYPE_BUY && r.type!=ORDER_TYPE_SELL) return TRADE_RETCODE_INVALID;
   uint objection=first_objection({check_volume(r),check_filling(r)});
   if(objection!=TRADE_RETCODE_DONE) return objection;
   double price=price_to_open(r.symbol,r.type);
   mql_long execution=SymbolInfoInteger(r.symbol,SYMBOL_TRADE_EXEMODE);
   if(execution==SYMBOL_TRADE_EXECUTION_INSTANT || execution==SYMBOL_TRADE_EXECUTION_REQUEST) {
      if(r.price<=0) return TRADE_RETCODE_INVALID_PRICE;
      if(std::fabs(price-r.price)>((double)r.deviation+0.5)*SymbolInfoDouble(r.symbol,SYMBOL_POINT)) return TRADE_RETCODE_REQUOTE;
   }
   bool closes=account.hedging && r.position!=0;
   size_t index=closes ? by_ticket(r.position) : account.positions.size();
   if(closes) {
      if(index==account.positions.size()) return TRADE_RETCODE_POSITION_CLOSED;
      const Position &p=account.positions[index];
      if(p.symbol!=r.symbol || p.type==r.type) return TRADE_RETCODE_INVALID;
      if(r.volume>p.volume+1e-9) return TRADE_RETCODE_INVALID_CLOSE_VOLUME;
      for(size_t i=0; i<index && account.fifo; i++)
         if(account.positions[i].symbol==p.symbol) return TRADE_RETCODE_FIFO_CLOSE;
      if(frozen(p.symbol,p.sl) || frozen(p.symbol,p.tp)) return TRADE_RETCODE_FROZEN;
   }
   else {
      double other=price_to_open(r.symbol,1-r.type);
      objection=first_objection({check_open(r),check_stops(r.symbol,r.type,other,r.sl,r.tp),check_money(r)});
      // In netting an opposite deal that only reduces is a close.
      for(const Position &p : account.positions)
         if(!account.hedging && p.symbol==r.symbol && p.type!=r.type && r.volume<=p.volume+1e-9) objection=TRADE_RETCODE_DONE;
      if(objection!=TRADE_RETCODE_DONE) return objection;
   }
   // What the market doesn't give at once: all or nothing, or the rest is dropped, or it waits among the orders.
   MqlTradeRequest filled=r;
   double available=market_volume(r.symbol);
   if(available>0 && available<r.volume) {
      if(r.type_filling==ORDER_FILLING_FOK) return TRADE_RETCODE_REJECT;
      filled.volume=available;
   }
   result.order=account.next_ticket++;
   result.price=price;
   result.volume=filled.volume;
   if(closes) close_position(index,filled.volume,price,result.order,DEAL_ENTRY_OUT,reason);
   else open_or_add(filled,price,result.order,reason);
   result.deal=account.deals.back().ticket;
   if(filled.volume<r.volume && r.type_filling==ORDER_FILLING_RETURN)
      account.orders.push_back({result.order,r.symbol,r.type,r.volume,NormalizeDouble(r.volume-filled.volume,8),0,0,r.sl,r.tp,r.magic,
                                kept_comment(r.comment),r.type_time,r.expiration,ORDER_STATE_PARTIAL,closes ? r.position : 0,
                                server_now_msc(),today()});
   return filled.volume<r.volume ? TRADE_RETCODE_DONE_PARTIAL : TRADE_RETCODE_DONE;
}

// A pending order waits on its side of the market: limits for a better price, stops for a worse one.
static uint check_pending_price(const string &name,int type,double price,double stoplimit) {
   double tick=SymbolInfoDouble(name,SYMBOL_TRADE_TICK_SIZE);
   double distance=(double)SymbolInfoInteger(name,SYMBOL_TRADE_STOPS_LEVEL)*SymbolInfoDouble(name,SYMBOL_POINT)-1e-9;
   if(price<=0 || !is_multiple(price,tick)) return TRADE_RETCODE_INVALID_PRICE;
   double market=price_to_open(name,type%2);
   bool below=type==ORDER_TYPE_BUY_LIMIT || type==ORDER_TYPE_SELL_STOP || type==ORDER_TYPE_SELL_STOP_LIMIT;
   if(below ? market-price<distance+1e-12 : price-market<distance+1e-12) return TRADE_RETCODE_INVALID_PRICE;
   bool limit=type==ORDER_TYPE_BUY_STOP_LIMIT || type==ORDER_TYPE_SELL_STOP_LIMIT;
   if(limit && (stoplimit<=0 || !is_multiple(stoplimit,tick))) return TRADE_RETCODE_INVALID_PRICE;
   return TRADE_RETCODE_DONE;
}

static double entry_of(int type,double price,double stoplimit) {
   return type==ORDER_TYPE_BUY_STOP_LIMIT || type==ORDER_TYPE_SELL_STOP_LIMIT ? stoplimit : price;
}

static mql_long today() { return TimeCurrent().seconds/86400; }

static uint check_expiration(const string &name,const MqlTradeRequest &r) {
   if((SymbolInfoInteger(name,SYMBOL_EXPIRATION_MODE) & (1<<r.type_time))==0) return TRADE_RETCODE_INVALID_EXPIRATION;
   bool over=(r.type_time==ORDER_TIME_SPECIFIED && r.expiration.seconds<=TimeCurrent().seconds) ||
             (r.type_time==ORDER_TIME_SPECIFIED_DAY && r.expiration.seconds/86400<today());
   return over ? TRADE_RETCODE_INVALID_EXPIRATION : TRADE_RETCODE_DONE;
}

static bool is_expired(const Order &o) {
   switch(o.time_type) {
      case ORDER_TIME_DAY:           return today()>o.day;
      case ORDER_TIME_SPECIFIED:     return o.expiration.seconds<=TimeCurrent().seconds;
      case ORDER_TIME_SPECIFIED_DAY: return today()>o.expiration.seconds/86400;
   }
   return false;
}

// It leaves the list of orders for the history.
static void end_order(size_t index,int state) {
   Order order=account.orders[index];
   order.state=state;
   account.orders.erase(account.orders.begin()+(std::ptrdiff_t)index);
   account.ended.push_back(order);
   transaction(TRADE_TRANSACTION_ORDER_DELETE,nullptr,&order,nullptr);
}

static uint place(const MqlTradeRequest &r,MqlTradeResult &result) {
   if(r.type<ORDER_TYPE_BUY_LIMIT || r.type>ORDER_TYPE_SELL_STOP_LIMIT) return TRADE_RETCODE_INVALID;
   if(r.type_filling!=ORDER_FILLING_RETURN) return TRADE_RETCODE_INVALID_FILL;
   if(account.limit_orders>0 && (int)account.orders.size()>=account.limit_orders) return TRADE_RETCODE_LIMIT_ORDERS;
   uint objection=first_objection({check_expiration(r.symbol,r),check_volume(r),check_open(r),check_pending_price(r.symbol,r.type,r.price,r.stoplimit),
                                   check_stops(r.symbol,r.type%2,entry_of(r.type,r.price,r.stoplimit),r.sl,r.tp)});
   if(objection!=TRADE_RETCODE_DONE) return objection;
   Order order={account.next_ticket++,r.symbol,r.type,r.volume,r.volume,r.price,r.stoplimit,r.sl,r.tp,r.magic,
                kept_comment(r.comment),r.type_time,r.expiration,ORDER_STATE_PLACED,0,server_now_msc(),today()};
   account.orders.push_back(order);
   transaction(TRADE_TRANSACTION_ORDER_ADD,nullptr,&order,nullptr);
   result.order=order.ticket;
   return TRADE_RETCODE_DONE;
}

static uint change_stops(const MqlTradeRequest &r) {
   for(Position &p : account.positions) {
      if(account.hedging ? p.ticket!=r.position : p.symbol!=r.symbol) continue;
      if(std::fabs(p.sl-r.sl)<1e-12 && std::fabs(p.tp-r.tp)<1e-12) return TRADE_RETCODE_NO_CHANGES;
      if(frozen(p.symbol,p.sl) || frozen(p.symbol,p.tp)) return TRADE_RETCODE_FROZEN;
      uint objection=check_stops(p.symbol,p.type,price_to_open(p.symbol,1-p.type),r.sl,r.tp);
      if(objection!=TRADE_RETCODE_DONE) return objection;
      p.sl=r.sl;
      p.tp=r.tp;
      p.updated_msc=server_now_msc();
      transaction(TRADE_TRANSACTION_POSITION,&p,nullptr,nullptr);
      return TRADE_RETCODE_DONE;
   }
   return TRADE_RETCODE_POSITION_CLOSED;
}

static uint change_order(const MqlTradeRequest &r,bool remove) {
   for(size_t i=0; i<account.orders.size(); i++) {
      Order &o=account.orders[i];
      if(o.ticket!=r.order) continue;
      if(frozen(o.symbol,o.price)) return TRADE_RETCODE_FROZEN;
      if(remove) {
         end_order(i,ORDER_STATE_CANCELED);
         return TRADE_RETCODE_DONE;
      }
      if(o.price==r.price && o.sl==r.sl && o.tp==r.tp && o.stoplimit==r.stoplimit && o.expiration.seconds==r.expiration.seconds &&
         o.time_type==r.type_time)
         return TRADE_RETCODE_NO_CHANGES;
      uint objection=first_objection({check_expiration(o.symbol,r),check_pending_price(o.symbol,o.type,r.price,r.stoplimit),
                                      check_stops(o.symbol,o.type%2,entry_of(o.type,r.price,r.stoplimit),r.sl,r.tp)});
      if(objection!=TRADE_RETCODE_DONE) return objection;
      o.price=r.price; o.sl=r.sl; o.tp=r.tp; o.stoplimit=r.stoplimit; o.expiration=r.expiration; o.time_type=r.type_time;
      transaction(TRADE_TRANSACTION_ORDER_UPDATE,nullptr,&o,nullptr);
      return TRADE_RETCODE_DONE;
   }
   return TRADE_RETCODE_INVALID_ORDER;
}

// The smaller volume of two opposite positions is closed, each at the other's price.
static uint close_by(const MqlTradeRequest &r,MqlTradeResult &result,int reason) {
   if(!account.hedging) return TRADE_RETCODE_INVALID;
   size_t one=by_ticket(r.position),other=by_ticket(r.position_by);
   if(one==account.positions.size() || other==account.positions.size()) return TRADE_RETCODE_POSITION_CLOSED;
   const Position a=account.positions[one],b=account.positions[other];
   if(a.symbol!=b.symbol || a.type==b.type) return TRADE_RETCODE_INVALID;
   if((SymbolInfoInteger(a.symbol,SYMBOL_ORDER_MODE) & SYMBOL_ORDER_CLOSEBY)==0) return TRADE_RETCODE_INVALID;
   double volume=std::min(a.volume,b.volume);
   result.order=account.next_ticket++;
   close_position(one,volume,b.price,result.order,DEAL_ENTRY_OUT_BY,reason);
   close_position(by_ticket(b.ticket),volume,b.price,result.order,DEAL_ENTRY_OUT_BY,reason);
   result.volume=volume;
   result.deal=account.deals.back().ticket;
   return TRADE_RETCODE_DONE;
}

static string symbol_of(const MqlTradeRequest &r) {
   for(const Position &p : account.positions) if(r.position!=0 && p.ticket==r.position) return p.symbol;
   for(const Order &o : account.orders) if(r.order!=0 && o.ticket==r.order) return o.symbol;
   return r.symbol;
}

static uint at_the_server(const MqlTradeRequest &r,MqlTradeResult &result,int reason) {
   if(!account.trade_allowed) return TRADE_RETCODE_TRADE_DISABLED;
   if(reason==DEAL_REASON_EXPERT && !account.experts_allowed) return TRADE_RETCODE_SERVER_DISABLES_AT;
   string name=symbol_of(r);
   MqlTick tick;
   if(StringLen(name)>0) {
      if(SymbolInfoInteger(name,SYMBOL_EXIST)==0) return TRADE_RETCODE_INVALID;
      if(SymbolInfoInteger(name,SYMBOL_TRADE_MODE)==SYMBOL_TRADE_MODE_DISABLED) return TRADE_RETCODE_TRADE_DISABLED;
      if(!market_is_open(name)) return TRADE_RETCODE_MARKET_CLOSED;
      if(!SymbolInfoTick(name,tick)) return TRADE_RETCODE_PRICE_OFF;
      result.bid=tick.bid;
      result.ask=tick.ask;
   }
   switch(r.action) {
      case TRADE_ACTION_DEAL:     return deal(r,result,reason);
      case TRADE_ACTION_PENDING:  return place(r,result);
      case TRADE_ACTION_SLTP:     return change_stops(r);
      case TRADE_ACTION_MODIFY:   return change_order(r,false);
      case TRADE_ACTION_REMOVE:   return change_order(r,true);
      case TRADE_ACTION_CLOSE_BY: return close_by(r,result,reason);
   }
   return TRADE_RETCODE_INVALID;
}

// The trade server knows prices that the program's terminal doesn't show yet.
static uint carry_out(const MqlTradeRequest &r,MqlTradeResult &result,int reason) {
   Program *asking=std::exchange(self,nullptr);
   uint retcode=at_the_server(r,result,reason);
   self=asking;
   return retcode;
}

static void carry_out_later(const MqlTradeRequest &r,int after_ms,int reason) {
   auto now_or_later=[=]() {
      std::lock_guard<std::recursive_mutex> guard(account.lock);
      MqlTradeResult lost={};
      carry_out(r,lost,reason);
      flush_transactions();
   };
   if(after_ms==0) now_or_later();
   else std::thread([=]() {
      std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
      now_or_later();
   }).detach();
}

uint trade(const MqlTradeRequest &r,MqlTradeResult &result,int reason) {
   result={};
   if(reason==DEAL_REASON_EXPERT) account.requests++;
   if(reason==DEAL_REASON_EXPERT && !account.injected.empty()) {
      Injected injected=account.injected.front();
      account.injected.pop_front();
      // The answer is lost; whether the request was carried out can only be seen from the account.
      if(injected.carried_out) carry_out_later(r,injected.after_ms,reason);
      if(injected.is_last) _Exit(9);
      if(injected.is_canceled) {
         result.order=account.next_ticket++;
         account.ended.push_back({result.order,r.symbol,r.type,r.volume,r.volume,0,0,r.sl,r.tp,r.magic,kept_comment(r.comment),r.type_time,
                                  r.expiration,ORDER_STATE_CANCELED,0,server_now_msc(),today()});
      }
      return result.retcode=injected.retcode;
   }
   result.retcode=carry_out(r,result,reason);
   if(reason==DEAL_REASON_EXPERT && account.bare_answers) {
      result.deal=0;
      result.volume=result.price=0;
   }
   return result.retcode;
}

bool OrderSend(const MqlTradeRequest &request,MqlTradeResult &result) {
   mql_not_in_indicator("OrderSend() in an indicator");
   std::this_thread::sleep_for(std::chrono::milliseconds(account.slow_ms));
   std::lock_guard<std::recursive_mutex> guard(account.lock);
   uint retcode=trade(request,result,DEAL_REASON_EXPERT);
   flush_transactions();
   return retcode==TRADE_RETCODE_DONE || retcode==TRADE_RETCODE_PLACED || retcode==TRADE_RETCODE_DONE_PARTIAL;
}

// ---- a new price
static bool is_reached(const Order &o) {
   if(o.type<=ORDER_TYPE_SELL) return true;
   double market=price_to_open(o.symbol,o.type%2);
   bool below=o.type==ORDER_TYPE_BUY_LIMIT || o.type==ORDER_TYPE_SELL_STOP || o.type==ORDER_TYPE_SELL_STOP_LIMIT;
   return below ? market<=o.price+1e-12 : market>=o.price-1e-12;
}

// Once it has been reached it is a market order: what is left is filled at any price.
static bool is_stop(const Order &o) { return o.type==ORDER_TYPE_BUY_STOP || o.type==ORDER_TYPE_SELL_STOP; }

// At the price of the market: better than a limit after a gap, and worse than a stop.
static void fill_order(size_t index) {
   Order &order=account.orders[index];
   MqlTradeRequest r={};
   r.symbol=order.symbol; r.type=(ENUM_ORDER_TYPE)(order.type%2);
   bool at_market=order.type<=ORDER_TYPE_SELL;
   double most=at_market ? market_volume(order.symbol) : account.liquidity;
   r.volume=most>0 ? std::min(order.volume,most) : order.volume;
   r.sl=order.sl; r.tp=order.tp; r.magic=order.magic; r.comment=order.comment;
   if(check_money(r)!=TRADE_RETCODE_DONE) {
      end_order(index,ORDER_STATE_REJECTED);
      return;
   }
   // A close goes on with its position.
   size_t closed=at_market && account.hedging && order.position!=0 ? by_ticket(order.position) : account.positions.size();
   if(closed<account.positions.size())
      close_position(closed,r.volume,price_to_open(order.symbol,r.type),order.ticket,DEAL_ENTRY_OUT,DEAL_REASON_EXPERT);
   else open_or_add(r,price_to_open(order.symbol,r.type),order.ticket,DEAL_REASON_CLIENT);
   if(!at_market) order.position=account.deals.back().position;
   order.volume=NormalizeDouble(order.volume-r.volume,8);
   order.state=ORDER_STATE_PARTIAL;
   if(order.volume<1e-9) end_order(index,ORDER_STATE_FILLED);
   else transaction(TRADE_TRANSACTION_ORDER_UPDATE,nullptr,&order,nullptr);
}

void account_tick(const string &name) {
   std::lock_guard<std::recursive_mutex> guard(account.lock);
   for(size_t i=account.orders.size(); i-->0;) {
      Order &o=account.orders[i];
      if(o.symbol!=name) continue;
      if(is_expired(o)) end_order(i,ORDER_STATE_EXPIRED);
      else if(is_reached(o) || (o.state==ORDER_STATE_PARTIAL && is_stop(o))) {
         if(o.type==ORDER_TYPE_BUY_STOP_LIMIT || o.type==ORDER_TYPE_SELL_STOP_LIMIT) {
            // The stop is reached: from now on a limit order.
            o.type=o.type==ORDER_TYPE_BUY_STOP_LIMIT ? ORDER_TYPE_BUY_LIMIT : ORDER_TYPE_SELL_LIMIT;
            o.price=o.stoplimit;
            o.stoplimit=0;
            transaction(TRADE_TRANSACTION_ORDER_UPDATE,nullptr,&o,nullptr);
         }
         else fill_order(i);
      }
   }
   for(size_t i=account.positions.size(); i-->0;) {
      const Position p=account.positions[i];
      if(p.symbol!=name) continue;
      double price=price_to_open(name,1-p.type),sign=p.type==POSITION_TYPE_BUY ? 1 : -1;
      bool stopped=p.sl!=0 && (price-p.sl)*sign<=1e-12,taken=p.tp!=0 && (price-p.tp)*sign>=-1e-12;
      if(stopped || taken)
         close_position(i,p.volume,price,account.next_ticket++,DEAL_ENTRY_OUT,stopped ? DEAL_REASON_SL : DEAL_REASON_TP);
   }
   flush_transactions();
}
