// The simulated account: what the trade server keeps.
#pragma once
#include "terminal.hpp"

struct Position {
   ulong ticket,identifier; string symbol; int type; double volume,price,sl,tp; ulong magic; string comment;
   mql_long opened_msc,updated_msc;
};
struct Order {
   ulong ticket; string symbol; int type; double volume_initial,volume,price,stoplimit,sl,tp; ulong magic; string comment;
   int time_type; datetime expiration; int state; ulong position; mql_long setup_msc;
   mql_long day;                         // of the trade server's clock when it was placed
};
struct Deal {
   ulong ticket,order,position; string symbol; int type,entry,reason; double volume,price,profit; ulong magic; string comment;
   mql_long msc;
};

// A retcode to answer instead: the request is not carried out, or it is (an answer that was lost), or it is after a while, or it
// is and the terminal doesn't live to see the answer; or its order has a number and is canceled without a deal.
struct Injected { uint retcode; bool carried_out; int after_ms; bool is_last,is_canceled; };

// What the terminal knew at a moment: it learns of a change some time after the trade server's answer.
struct View {
   steady::time_point at; std::vector<Position> positions; std::vector<Deal> deals; std::vector<Order> orders,ended;
};

struct Account {
   std::recursive_mutex lock;
   bool     fifo=false;                  // hedging: of a symbol the oldest position is closed first
   bool     hedging=true,trade_allowed=true,experts_allowed=true;
   mql_long login=1001,leverage=100;
   double   balance=10000;
   int      limit_orders=0;
   int      slow_ms=0;                   // that an answer takes
   bool     bare_answers=false;          // an answer has neither deal nor volume nor price
   string   server=u"Simulated"_s,currency=u"USD"_s,company=u"A broker"_s,name=u"A trader"_s;
   std::string comments="keep";          // or "rewrite", "drop", "cut": what the broker does to a comment
   ulong    next_ticket=100001;
   std::vector<Position> positions;
   std::vector<Order>    orders,ended;    // pending orders, and those that were filled or removed
   std::vector<Deal>     deals;
   std::deque<Injected>  injected;
   int              lag_ms=0;            // how late the terminal learns of changes
   int              orders_lag_ms=-1;    // the same of pending orders, -1 = with the rest: a gap between order and position
   double           liquidity=0;         // lots of a pending order that one price fills, 0 = all
   std::deque<View> views;
   uint32_t shuffle=0;                   // a seed: transactions come in an arbitrary order
   int      requests=0;                  // OrderSend() calls that reached the server
   int      looks=0;                     // at single positions, by PositionGetTicket()
   int      restless=0;                  // after so many looks positions are listed in another order, 0 = never
};
extern Account account;

// Who asks: a program, or the user by hand.
uint trade(const MqlTradeRequest &request,MqlTradeResult &result,int reason);
// Pending orders and stops that a new price reaches.
void account_tick(const string &name);
void close_position(size_t index,double volume,double price,ulong order,int entry,int reason);
void open_or_add(const MqlTradeRequest &request,double price,ulong order,int reason);
string kept_comment(const string &comment);
double account_profit();
double account_margin();
double price_to_open(const string &name,int type);
double profit_of(const string &name,int type,double volume,double from,double to);

// Transactions of one request go out together, shuffled if the test wants that.
void transaction(ENUM_TRADE_TRANSACTION_TYPE type,const Position *position,const Order *order,const Deal *deal);
void flush_transactions();
// After each change; what programs read is the newest view that is old enough.
void remember_view();
void keep_account();
void keep_account_in(const std::string &path);
const View &view();
const View &orders_view();
