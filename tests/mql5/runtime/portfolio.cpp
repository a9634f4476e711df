// What a program reads of the account: each program selects for itself.
#include "account.hpp"

// It lives with the program: what is local to a thread and has to be destroyed is freed too early by mingw's runtime.
struct Selection { Position position={}; Order order={}; std::vector<Deal> deals; };
static Selection &selected() {
   if(!self->selection) self->selection=std::make_shared<Selection>();
   return *static_cast<Selection*>(self->selection.get());
}

typedef std::lock_guard<std::recursive_mutex> Guard;

int PositionsTotal() { Guard guard(account.lock); return (int)view().positions.size(); }
ulong PositionGetTicket(int index) {
   Guard guard(account.lock);
   account.looks++;
   // Another look might see another account.
   const std::vector<Position> &positions=view().positions;
   if(index<0 || index>=(int)positions.size()) return 0;
   size_t turns=account.restless>0 ? (size_t)(account.looks/account.restless) : 0;
   selected().position=positions[((size_t)index+turns)%positions.size()];
   return selected().position.ticket;
}
bool PositionSelectByTicket(ulong ticket) {
   Guard guard(account.lock);
   for(const Position &p : view().positions) if(p.ticket==ticket) { selected().position=p; return true; }
   mql_set_error(4753);
   return false;
}
// In hedging the one with the lowest ticket.
bool PositionSelect(const string &name) {
   Guard guard(account.lock);
   const Position *found=nullptr;
   for(const Position &p : view().positions) if(p.symbol==name && (!found || p.ticket<found->ticket)) found=&p;
   if(found) selected().position=*found;
   return found!=nullptr;
}
mql_long PositionGetInteger(ENUM_POSITION_PROPERTY_INTEGER what) {
   const Position &p=selected().position;
   switch(what) {
      case POSITION_TICKET:          return (mql_long)p.ticket;
      case POSITION_IDENTIFIER:      return (mql_long)p.identifier;
      case POSITION_TYPE:            return p.type;
      case POSITION_MAGIC:           return (mql_long)p.magic;
      case POSITION_TIME:            return p.opened_msc/1000;
      case POSITION_TIME_MSC:        return p.opened_msc;
      case POSITION_TIME_UPDATE_MSC: return p.updated_msc;
   }
   return 0;
}
double PositionGetDouble(ENUM_POSITION_PROPERTY_DOUBLE what) {
   const Position &p=selected().position;
   double price=price_to_open(p.symbol,1-p.type);
   switch(what) {
      case POSITION_VOLUME:        return p.volume;
      case POSITION_PRICE_OPEN:    return p.price;
      case POSITION_PRICE_CURRENT: return price;
      case POSITION_SL:            return p.sl;
      case POSITION_TP:            return p.tp;
      case POSITION_PROFIT:        return profit_of(p.symbol,p.type,p.volume,p.price,price);
      case POSITION_SWAP:          return 0;
   }
   return 0;
}
string PositionGetString(ENUM_POSITION_PROPERTY_STRING what) {
   return what==POSITION_SYMBOL ? selected().position.symbol : selected().position.comment;
}

int OrdersTotal() { Guard guard(account.lock); return (int)orders_view().orders.size(); }
ulong OrderGetTicket(int index) {
   Guard guard(account.lock);
   const std::vector<Order> &orders=orders_view().orders;
   if(index<0 || index>=(int)orders.size()) return 0;
   selected().order=orders[(size_t)index];
   return selected().order.ticket;
}
bool OrderSelect(ulong ticket) {
   Guard guard(account.lock);
   for(const Order &o : orders_view().orders) if(o.ticket==ticket) { selected().order=o; return true; }
   return false;
}
static mql_long integer_of(const Order &o,ENUM_ORDER_PROPERTY_INTEGER what) {
   switch(what) {
      case ORDER_TICKET:          return (mql_long)o.ticket;
      case ORDER_TYPE:            return o.type;
      case ORDER_STATE:           return o.state;
      case ORDER_MAGIC:           return (mql_long)o.magic;
      case ORDER_TYPE_TIME:       return o.time_type;
      case ORDER_TIME_EXPIRATION: return o.expiration.seconds;
      case ORDER_TIME_SETUP_MSC:  return o.setup_msc;
      case ORDER_POSITION_ID:     return (mql_long)o.position;
   }
   return 0;
}
static double double_of(const Order &o,ENUM_ORDER_PROPERTY_DOUBLE what) {
   switch(what) {
      case ORDER_VOLUME_INITIAL:  return o.volume_initial;
      case ORDER_VOLUME_CURRENT:  return o.volume;
      case ORDER_PRICE_OPEN:      return o.price;
      case ORDER_PRICE_STOPLIMIT: return o.stoplimit;
      case ORDER_SL:              return o.sl;
      case ORDER_TP:              return o.tp;
   }
   return 0;
}
mql_long OrderGetInteger(ENUM_ORDER_PROPERTY_INTEGER what) { return integer_of(selected().order,what); }
double OrderGetDouble(ENUM_ORDER_PROPERTY_DOUBLE what) { return double_of(selected().order,what); }
string OrderGetString(ENUM_ORDER_PROPERTY_STRING what) {
   return what==ORDER_SYMBOL ? selected().order.symbol : selected().order.comment;
}

// Pending orders that are over; a market order leaves a deal only.
static Order ended_order(ulong ticket) {
   Guard guard(account.lock);
   for(const Order &o : orders_view().ended) if(o.ticket==ticket) return o;
   return {};
}
bool HistoryOrderSelect(ulong ticket) { return ended_order(ticket).ticket!=0; }
mql_long HistoryOrderGetInteger(ulong ticket,ENUM_ORDER_PROPERTY_INTEGER what) { return integer_of(ended_order(ticket),what); }
double HistoryOrderGetDouble(ulong ticket,ENUM_ORDER_PROPERTY_DOUBLE what) { return double_of(ended_order(ticket),what); }

bool HistorySelectByPosition(mql_long position) {
   Guard guard(account.lock);
   selected().deals.clear();
   for(const Deal &d : view().deals) if((mql_long)d.position==position) selected().deals.push_back(d);
   return true;
}
bool HistorySelect(datetime from,datetime to) {
   Guard guard(account.lock);
   selected().deals.clear();
   for(const Deal &d : view().deals) if(d.msc/1000>=from.seconds && d.msc/1000<=to.seconds) selected().deals.push_back(d);
   return true;
}
int HistoryDealsTotal() { return (int)selected().deals.size(); }
ulong HistoryDealGetTicket(int index) {
   return index<0 || index>=(int)selected().deals.size() ? 0 : selected().deals[(size_t)index].ticket;
}
static Deal deal_of(ulong ticket) {
   Guard guard(account.lock);
   for(const Deal &d : view().deals) if(d.ticket==ticket) return d;
   return {};
}
bool HistoryDealSelect(ulong ticket) { return deal_of(ticket).ticket!=0; }
mql_long HistoryDealGetInteger(ulong ticket,ENUM_DEAL_PROPERTY_INTEGER what) {
   const Deal d=deal_of(ticket);
   switch(what) {
      case DEAL_TICKET:      return (mql_long)d.ticket;
      case DEAL_ORDER:       return (mql_long)d.order;
      case DEAL_POSITION_ID: return (mql_long)d.position;
      case DEAL_TYPE:        return d.type;
      case DEAL_ENTRY:       return d.entry;
      case DEAL_REASON:      return d.reason;
      case DEAL_MAGIC:       return (mql_long)d.magic;
      case DEAL_TIME_MSC:    return d.msc;
   }
   return 0;
}
double HistoryDealGetDouble(ulong ticket,ENUM_DEAL_PROPERTY_DOUBLE what) {
   const Deal d=deal_of(ticket);
   return what==DEAL_VOLUME ? d.volume : what==DEAL_PRICE ? d.price : d.profit;
}
string HistoryDealGetString(ulong ticket,ENUM_DEAL_PROPERTY_STRING what) {
   const Deal d=deal_of(ticket);
   return what==DEAL_SYMBOL ? d.symbol : d.comment;
}

mql_long AccountInfoInteger(ENUM_ACCOUNT_INFO_INTEGER what) {
   Guard guard(account.lock);
   switch(what) {
      case ACCOUNT_LOGIN:           return terminal.connected ? account.login : 0;
      case ACCOUNT_MARGIN_MODE:     return account.hedging && terminal.connected ? ACCOUNT_MARGIN_MODE_RETAIL_HEDGING : ACCOUNT_MARGIN_MODE_RETAIL_NETTING;
      case ACCOUNT_LEVERAGE:        return account.leverage;
      case ACCOUNT_TRADE_ALLOWED:   return account.trade_allowed;
      case ACCOUNT_TRADE_EXPERT:    return account.experts_allowed;
      case ACCOUNT_FIFO_CLOSE:      return account.hedging && account.fifo && terminal.connected;
      case ACCOUNT_LIMIT_ORDERS:    return account.limit_orders;
      case ACCOUNT_CURRENCY_DIGITS: return account.currency==u"BTC"_s ? 8 : 2;
   }
   return 0;
}
double AccountInfoDouble(ENUM_ACCOUNT_INFO_DOUBLE what) {
   Guard guard(account.lock);
   double profit=account_profit(),margin=account_margin(),equity=account.balance+profit;
   switch(what) {
      case ACCOUNT_BALANCE:      return account.balance;
      case ACCOUNT_EQUITY:       return equity;
      case ACCOUNT_PROFIT:       return profit;
      case ACCOUNT_MARGIN:       return margin;
      case ACCOUNT_MARGIN_FREE:  return equity-margin;
      case ACCOUNT_MARGIN_LEVEL: return margin>0 ? equity/margin*100 : 0;
   }
   return 0;
}
string AccountInfoString(ENUM_ACCOUNT_INFO_STRING what) {
   switch(what) {
      case ACCOUNT_SERVER:   return terminal.connected ? account.server : u""_s;
      case ACCOUNT_CURRENCY: return account.currency;
      case ACCOUNT_COMPANY:  return account.company;
      case ACCOUNT_NAME:     return account.name;
   }
   return u""_s;
}
bool OrderCalcMargin(ENUM_ORDER_TYPE,const string &name,double volume,double price,double &margin) {
   margin=volume*SymbolInfoDouble(name,SYMBOL_TRADE_CONTRACT_SIZE)*price/(double)account.leverage;
   return true;
}

// ---- names of enumerators, which count from 0
static string name_of(const char16_t *of,const char16_t *prefix,std::initializer_list<const char16_t*> names,int value) {
   if(value<0 || value>=(int)names.size()) return mql_unknown_enumerator(string(std::u16string(of)),value);
   return string(std::u16string(prefix)+names.begin()[value]);
}
string EnumToString(ENUM_ORDER_TYPE value) {
   return name_of(u"ENUM_ORDER_TYPE",u"ORDER_TYPE_",{u"BUY",u"SELL",u"BUY_LIMIT",u"SELL_LIMIT",u"BUY_STOP",u"SELL_STOP",
                  u"BUY_STOP_LIMIT",u"SELL_STOP_LIMIT",u"CLOSE_BY"},value);
}
string EnumToString(ENUM_POSITION_TYPE value) {
   return name_of(u"ENUM_POSITION_TYPE",u"POSITION_TYPE_",{u"BUY",u"SELL"},value);
}
string EnumToString(ENUM_TRADE_TRANSACTION_TYPE value) {
   return name_of(u"ENUM_TRADE_TRANSACTION_TYPE",u"TRADE_TRANSACTION_",{u"ORDER_ADD",u"ORDER_UPDATE",u"ORDER_DELETE",
                  u"HISTORY_ADD",u"HISTORY_UPDATE",u"HISTORY_DELETE",u"DEAL_ADD",u"DEAL_UPDATE",u"DEAL_DELETE",u"POSITION",
                  u"REQUEST"},value);
}
string EnumToString(ENUM_ACCOUNT_MARGIN_MODE value) {
   return name_of(u"ENUM_ACCOUNT_MARGIN_MODE",u"ACCOUNT_MARGIN_MODE_",{u"RETAIL_NETTING",u"EXCHANGE",u"RETAIL_HEDGING"},value);
}
