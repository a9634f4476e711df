//+------------------------------------------------------------------+
//|                                                      Account.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_ACCOUNT_MQH
#define MT5MQTT_COPIER_ACCOUNT_MQH
#include "Orders.mqh"
#include "Relay.mqh"
#include "Rules.mqh"
//+------------------------------------------------------------------+
//| Class CCopierAccount.                                            |
//| Appointment: reads positions, funds and symbols of this terminal.|
//|              Times are GMT: brokers live in different zones.     |
//+------------------------------------------------------------------+
class CCopierAccount
  {
public:
   static bool       IsHedging(void);
   static void       Funds(CopierFunds &funds);
   //--- this one, as it stands in lists of accounts
   static string     Own(void);
   //--- the state of a master but for its orders; false if it changed while it was read
   static bool       State(CCopierRelay &relay,CopierState &state);
   //--- does the terminal list these positions, and no other ones, in that order? While they are read one may be closed and
   //--- another one opened: then one is read twice, or not at all, though there are as many
   static bool       Lists(const ulong &tickets[]);
   //--- identifiers of the positions that the terminal shows; false if they changed while they were read
   static bool       Shown(CCopierIds &identifiers);
   static bool       Symbol(const string name,CopierSymbol &symbol);
   //--- a number that changes when the symbol allows other trades, or opens or closes by its sessions
   static int        Allows(const string name);
   //--- a position that isn't shown: do its deals say that it is over?
   static bool       IsClosed(const long identifier);
   //--- ticket of the first position of a symbol, 0 without one
   static ulong      Oldest(const string symbol);
   static long       NowMsc(void)                    { return((long)TimeGMT()*1000); }
   //--- by the trade server's clock, when the newest position was opened; 0 without one
   static long       NewestMsc(void);

private:
   static bool       IsInSession(const string name);
   static long       ToGmt(const long server_msc);
   static void       Position(CopierPosition &position);
  };
//+------------------------------------------------------------------+
//| Only in hedging each copy is a position of its own               |
//+------------------------------------------------------------------+
bool CCopierAccount::IsHedging(void)
  {
   return(AccountInfoInteger(ACCOUNT_MARGIN_MODE)==ACCOUNT_MARGIN_MODE_RETAIL_HEDGING);
  }
//+------------------------------------------------------------------+
//| Figures of the account                                           |
//+------------------------------------------------------------------+
void CCopierAccount::Funds(CopierFunds &funds)
  {
   funds.balance=AccountInfoDouble(ACCOUNT_BALANCE);
   funds.equity=AccountInfoDouble(ACCOUNT_EQUITY);
   funds.free_margin=AccountInfoDouble(ACCOUNT_MARGIN_FREE);
   funds.currency=AccountInfoString(ACCOUNT_CURRENCY);
  }
//+------------------------------------------------------------------+
//| A time of the trade server as GMT                                |
//+------------------------------------------------------------------+
long CCopierAccount::ToGmt(const long server_msc)
  {
   return(server_msc+CCopierOrders::Offset()*1000);
  }
//+------------------------------------------------------------------+
//| login@server                                                     |
//+------------------------------------------------------------------+
string CCopierAccount::Own(void)
  {
   return(CCopierOrigin::Account(AccountInfoInteger(ACCOUNT_LOGIN),AccountInfoString(ACCOUNT_SERVER)));
  }
//+------------------------------------------------------------------+
//| All positions; copies only if they are relayed, and with origin  |
//+------------------------------------------------------------------+
bool CCopierAccount::State(CCopierRelay &relay,CopierState &state)
  {
   CCopierIds ids;
   ulong      tickets[];
   int        total=PositionsTotal();
   int        count=0;
   ids.Start(total);
   ArrayResize(tickets,total);
   ArrayResize(state.positions,total);
   for(int i=0; i<total; i++)
     {
      tickets[i]=PositionGetTicket(i);
      if(tickets[i]==0)
         return(false);
      string via="";
      if(CCopierOrigin::IsCopy(PositionGetInteger(POSITION_MAGIC)) && !relay.Via(PositionGetInteger(POSITION_IDENTIFIER),via))
         continue;
      Position(state.positions[count]);
      state.positions[count].via=via;
      ids.Add(state.positions[count].id);
      count++;
     }
   ids.Sort();
   if(ids.HasTwice())
      return(false);
   ArrayResize(state.positions,count);
   state.server=AccountInfoString(ACCOUNT_SERVER);
   state.login=AccountInfoInteger(ACCOUNT_LOGIN);
   state.time_msc=NowMsc();
   state.clock_msc=0;
   state.interval_ms=0;
   state.has_orders=true;
   state.is_netting=!IsHedging();
   Funds(state.funds);
   return(Lists(tickets));
  }
//+------------------------------------------------------------------+
//| The same once more                                               |
//+------------------------------------------------------------------+
bool CCopierAccount::Lists(const ulong &tickets[])
  {
   int total=ArraySize(tickets);
   for(int i=0; i<total; i++)
      if(PositionGetTicket(i)!=tickets[i])
         return(false);
   return(PositionsTotal()==total);
  }
//+------------------------------------------------------------------+
//| Of any magic number                                              |
//+------------------------------------------------------------------+
bool CCopierAccount::Shown(CCopierIds &identifiers)
  {
   ulong tickets[];
   int   total=PositionsTotal();
   identifiers.Start(total);
   ArrayResize(tickets,total);
   for(int i=0; i<total; i++)
     {
      tickets[i]=PositionGetTicket(i);
      if(tickets[i]==0)
         return(false);
      identifiers.Add(PositionGetInteger(POSITION_IDENTIFIER));
     }
   identifiers.Sort();
   return(Lists(tickets));
  }
//+------------------------------------------------------------------+
//| A terminal that has just started may show no position yet, and   |
//| no deal: only what was bought and sold again is closed, or whose |
//| deals the broker has canceled, which it may do later             |
//+------------------------------------------------------------------+
bool CCopierAccount::IsClosed(const long identifier)
  {
   double volume=0;
   bool   has_any=false;
   if(!HistorySelectByPosition(identifier))
      return(false);
   for(int i=0; i<HistoryDealsTotal(); i++)
     {
      ulong  deal=HistoryDealGetTicket(i);
      double part=HistoryDealGetDouble(deal,DEAL_VOLUME);
      long   type=HistoryDealGetInteger(deal,DEAL_TYPE);
      if(type==DEAL_TYPE_BUY || type==DEAL_TYPE_SELL)
         volume+=(type==DEAL_TYPE_BUY ? part : -part);
      else
         if(type!=DEAL_TYPE_BUY_CANCELED && type!=DEAL_TYPE_SELL_CANCELED)
            continue;
      has_any=true;
     }
   return(has_any && MathAbs(volume)<0.00000001);
  }
//+------------------------------------------------------------------+
//| The sessions alone are not believed: the trade server says no    |
//+------------------------------------------------------------------+
int CCopierAccount::Allows(const string name)
  {
   return((int)SymbolInfoInteger(name,SYMBOL_TRADE_MODE)*2+(IsInSession(name) ? 1 : 0));
  }
//+------------------------------------------------------------------+
//| By the clock of the trade server; sessions have no date, and may |
//| end at 24:00                                                     |
//+------------------------------------------------------------------+
bool CCopierAccount::IsInSession(const string name)
  {
   MqlDateTime now;
   datetime    from=0;
   datetime    to=0;
   TimeToStruct(TimeTradeServer(),now);
   long second=now.hour*3600+now.min*60+now.sec;
   for(uint i=0; SymbolInfoSessionTrade(name,(ENUM_DAY_OF_WEEK)now.day_of_week,i,from,to); i++)
      if(second>=(long)from%86400 && (second<(long)to%86400 || (long)to%86400==0))
         return(true);
   return(false);
  }
//+------------------------------------------------------------------+
//| Whoever it belongs to                                            |
//+------------------------------------------------------------------+
ulong CCopierAccount::Oldest(const string symbol)
  {
   ulong oldest=0;
   long  opened=0;
   for(int i=0; i<PositionsTotal(); i++)
     {
      ulong ticket=PositionGetTicket(i);
      if(ticket==0 || PositionGetString(POSITION_SYMBOL)!=symbol || (oldest!=0 && PositionGetInteger(POSITION_TIME_MSC)>=opened))
         continue;
      oldest=ticket;
      opened=PositionGetInteger(POSITION_TIME_MSC);
     }
   return(oldest);
  }
//+------------------------------------------------------------------+
//| An opening may be shown before the price that it came with       |
//+------------------------------------------------------------------+
long CCopierAccount::NewestMsc(void)
  {
   long newest=0;
   for(int i=0; i<PositionsTotal(); i++)
      if(PositionGetTicket(i)!=0)
         newest=MathMax(newest,PositionGetInteger(POSITION_TIME_MSC));
   return(newest);
  }
//+------------------------------------------------------------------+
//| The selected position                                            |
//+------------------------------------------------------------------+
void CCopierAccount::Position(CopierPosition &position)
  {
   position.id=PositionGetInteger(POSITION_IDENTIFIER);
   position.symbol=PositionGetString(POSITION_SYMBOL);
   position.is_buy=(PositionGetInteger(POSITION_TYPE)==POSITION_TYPE_BUY);
   position.volume=PositionGetDouble(POSITION_VOLUME);
   position.price=PositionGetDouble(POSITION_PRICE_OPEN);
   position.sl=PositionGetDouble(POSITION_SL);
   position.tp=PositionGetDouble(POSITION_TP);
   position.time_msc=ToGmt(PositionGetInteger(POSITION_TIME_MSC));
   position.magic=PositionGetInteger(POSITION_MAGIC);
   position.comment=PositionGetString(POSITION_COMMENT);
   position.contract_size=SymbolInfoDouble(position.symbol,SYMBOL_TRADE_CONTRACT_SIZE);
  }
//+------------------------------------------------------------------+
//| What the rules need of a symbol; false without a price           |
//+------------------------------------------------------------------+
bool CCopierAccount::Symbol(const string name,CopierSymbol &symbol)
  {
   symbol.name=name;
   symbol.is_uncertain=false;
   symbol.contract_size=SymbolInfoDouble(name,SYMBOL_TRADE_CONTRACT_SIZE);
   symbol.point=SymbolInfoDouble(name,SYMBOL_POINT);
   symbol.tick_size=SymbolInfoDouble(name,SYMBOL_TRADE_TICK_SIZE);
   symbol.tick_value=SymbolInfoDouble(name,SYMBOL_TRADE_TICK_VALUE);
   symbol.volume_min=SymbolInfoDouble(name,SYMBOL_VOLUME_MIN);
   symbol.volume_max=SymbolInfoDouble(name,SYMBOL_VOLUME_MAX);
   symbol.volume_step=SymbolInfoDouble(name,SYMBOL_VOLUME_STEP);
   symbol.bid=SymbolInfoDouble(name,SYMBOL_BID);
   symbol.ask=SymbolInfoDouble(name,SYMBOL_ASK);
   symbol.stops_level=(double)SymbolInfoInteger(name,SYMBOL_TRADE_STOPS_LEVEL);
   symbol.freeze_level=(double)SymbolInfoInteger(name,SYMBOL_TRADE_FREEZE_LEVEL);
   long expirations=SymbolInfoInteger(name,SYMBOL_EXPIRATION_MODE);
   symbol.never_expires=((expirations&SYMBOL_EXPIRATION_GTC)!=0);
   symbol.expires_day=((expirations&SYMBOL_EXPIRATION_DAY)!=0);
   symbol.expires_time=((expirations&SYMBOL_EXPIRATION_SPECIFIED)!=0);
   symbol.expires_date=((expirations&SYMBOL_EXPIRATION_SPECIFIED_DAY)!=0);
   return(symbol.bid>0 && symbol.ask>0);
  }
#endif
//+------------------------------------------------------------------+
