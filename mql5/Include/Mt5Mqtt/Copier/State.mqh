//+------------------------------------------------------------------+
//|                                                        State.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_STATE_MQH
#define MT5MQTT_COPIER_STATE_MQH
#include "Ids.mqh"
#include "Order.mqh"
//--- the form of the text; another number is refused. What older
//--- followers may pass over comes without a new number: orders
#define COPIER_STATE_VERSION 1
//--- a master counts on from what it has published before, and must not come to the end of numbers
#define COPIER_MAX_SEQUENCE 1000000000000000
//--- an account in coins has eight digits behind the point
#define COPIER_FUNDS_DIGITS 8
//--- more than any account holds: the text comes from outside
#define COPIER_MAX_POSITIONS 2000
#define COPIER_MAX_ORDERS 2000
//+------------------------------------------------------------------+
//| A position of the master                                         |
//+------------------------------------------------------------------+
struct CopierPosition
  {
   long              id;                   // POSITION_IDENTIFIER: the ticket may change
   string            symbol;
   bool              is_buy;
   double            volume;               // what is left of it
   double            price;                // of its opening
   double            sl;                   // 0 = none
   double            tp;                   // 0 = none
   long              time_msc;             // of its opening, by the trade server's clock
   long              magic;
   string            comment;
   double            contract_size;
   string            via;                  // accounts that it came through before this one, empty = none
  };
//+------------------------------------------------------------------+
//| What sizes are reckoned from                                     |
//+------------------------------------------------------------------+
struct CopierFunds
  {
   double            balance;
   double            equity;
   double            free_margin;
   string            currency;             // empty = an older master, which doesn't tell
  };
//+------------------------------------------------------------------+
//| All that a master holds, at one moment                           |
//+------------------------------------------------------------------+
struct CopierState
  {
   string            server;
   long              login;
   long              sequence;             // grows with each state
   long              time_msc;             // GMT, when it was made; never less than that of the one before
   long              clock_msc;            // GMT by the trade server's clock, when it was made; 0 = an older master, which doesn't tell
   long              interval_ms;          // the next one comes within it; 0 = an older master, which doesn't tell
   long              waited_ms;            // from when the change was seen to the publish
   CopierFunds       funds;
   CopierPosition    positions[];
   bool              has_orders;           // an older master tells nothing of them, which doesn't mean that there are none
   bool              is_netting;           // its orders add to a position of the symbol, and make none of their own
   CopierOrder       orders[];
  };
//+------------------------------------------------------------------+
//| Class CCopierState.                                              |
//| Appointment: a state as text, for a retained message. It is read |
//|              whole or not at all: half a state would close       |
//|              positions that the master still has.                |
//+------------------------------------------------------------------+
class CCopierState
  {
public:
   static string     Write(const CopierState &state);
   //--- in its place, when it can't be published; followers of before refuse it too
   static string     Incomplete(const CopierState &state,const string reason);
   static bool       Read(const string text,CopierState &state,string &error);
   //--- takes out what came through an account; returns how many
   static int        Without(CopierState &state,const string account);
   //--- position in the array, -1 if there is none
   static int        Find(const CopierState &state,const long id);
   static int        FindOrder(const CopierState &state,const long id);

private:
   static void       WriteHead(const CopierState &state,CMqttJsonWriter &json);
   static void       WritePosition(const CopierPosition &position,CMqttJsonWriter &json);
   static bool       ReadPosition(const CMqttJsonReader &json,const int node,CopierPosition &position);
   static bool       ReadHead(const CMqttJsonReader &json,CopierState &state);
   static bool       ReadOrders(const CMqttJsonReader &json,CopierState &state,string &error);
  };
//+------------------------------------------------------------------+
//| As text                                                          |
//+------------------------------------------------------------------+
string CCopierState::Write(const CopierState &state)
  {
   CMqttJsonWriter json;
   json.BeginObject();
   WriteHead(state,json);
   json.BeginArray("positions");
   for(int i=0; i<ArraySize(state.positions); i++)
      WritePosition(state.positions[i],json);
   json.EndArray();
   if(state.has_orders)
     {
      json.BooleanField("netting",state.is_netting);
      json.BeginArray("orders");
      for(int i=0; i<ArraySize(state.orders); i++)
         CCopierOrder::Write(state.orders[i],json);
      json.EndArray();
     }
   json.EndObject();
   return(json.Text());
  }
//+------------------------------------------------------------------+
//| No positions: nobody takes it for a state                        |
//+------------------------------------------------------------------+
string CCopierState::Incomplete(const CopierState &state,const string reason)
  {
   CMqttJsonWriter json;
   json.BeginObject();
   WriteHead(state,json);
   json.StringField("incomplete",reason);
   json.EndObject();
   return(json.Text());
  }
//+------------------------------------------------------------------+
//| All but positions and orders                                     |
//+------------------------------------------------------------------+
void CCopierState::WriteHead(const CopierState &state,CMqttJsonWriter &json)
  {
   json.IntegerField("version",COPIER_STATE_VERSION);
   json.StringField("server",state.server);
   json.IntegerField("login",state.login);
   json.IntegerField("sequence",state.sequence);
   json.IntegerField("time_msc",state.time_msc);
   json.IntegerField("clock_msc",state.clock_msc);
   json.IntegerField("interval_ms",state.interval_ms);
   json.IntegerField("waited_ms",state.waited_ms);
   json.NumberField("balance",state.funds.balance,COPIER_FUNDS_DIGITS);
   json.NumberField("equity",state.funds.equity,COPIER_FUNDS_DIGITS);
   json.NumberField("free_margin",state.funds.free_margin,COPIER_FUNDS_DIGITS);
   json.StringField("currency",state.funds.currency);
  }
//+------------------------------------------------------------------+
//| One position as text                                             |
//+------------------------------------------------------------------+
void CCopierState::WritePosition(const CopierPosition &position,CMqttJsonWriter &json)
  {
   json.BeginObject();
   json.IntegerField("id",position.id);
   json.StringField("symbol",position.symbol);
   json.StringField("side",position.is_buy ? "buy" : "sell");
   json.NumberField("volume",position.volume,8);
   json.NumberField("price",position.price,8);
   json.NumberField("sl",position.sl,8);
   json.NumberField("tp",position.tp,8);
   json.IntegerField("time_msc",position.time_msc);
   json.IntegerField("magic",position.magic);
   json.StringField("comment",position.comment);
   json.NumberField("contract_size",position.contract_size,8);
   json.StringField("via",position.via);
   json.EndObject();
  }
//+------------------------------------------------------------------+
//| From text; on a failure the state is of no use, but for its      |
//| sequence and time, if it has them                                |
//+------------------------------------------------------------------+
bool CCopierState::Read(const string text,CopierState &state,string &error)
  {
   CMqttJsonReader json;
   ArrayResize(state.positions,0);
   ArrayResize(state.orders,0);
   state.has_orders=false;
   state.is_netting=false;
   state.sequence=0;
   state.time_msc=0;
   if(!json.Parse(text))
     {
      error=json.Error();
      return(false);
     }
   if(!ReadHead(json,state))
     {
      error="the state is of another version, or incomplete";
      return(false);
     }
   string reason="";
   if(json.String(0,"incomplete",reason))
     {
      error="the master can't publish its state: "+reason;
      return(false);
     }
   int list=json.Member(0,"positions");
   int count=json.Count(list);
   if(json.Type(list)!=MQTT_JSON_ARRAY || count>COPIER_MAX_POSITIONS)
     {
      error="the state has no positions, or too many";
      return(false);
     }
   CCopierIds ids;
   ids.Start(count);
   ArrayResize(state.positions,count);
   int i=0;
   for(int node=json.Child(list); node>=0; node=json.Next(node))
     {
      if(!ReadPosition(json,node,state.positions[i]))
        {
         error=StringFormat("position %d of the state is incomplete",i);
         return(false);
        }
      ids.Add(state.positions[i].id);
      i++;
     }
   ids.Sort();
   if(ids.HasTwice())
     {
      error="a position of the state stands there twice";
      return(false);
     }
   return(ReadOrders(json,state,error));
  }
//+------------------------------------------------------------------+
//| Pending orders: those of an older master are unknown             |
//+------------------------------------------------------------------+
bool CCopierState::ReadOrders(const CMqttJsonReader &json,CopierState &state,string &error)
  {
   int list=json.Member(0,"orders");
   int count=json.Count(list);
   if(list<0)
      return(true);
   if(json.Type(list)!=MQTT_JSON_ARRAY || count>COPIER_MAX_ORDERS || !json.Boolean(0,"netting",state.is_netting))
     {
      error="the state's orders are no list, or too many, or its kind of account is unknown";
      return(false);
     }
   CCopierIds ids;
   ids.Start(count);
   ArrayResize(state.orders,count);
   int i=0;
   for(int node=json.Child(list); node>=0; node=json.Next(node))
     {
      if(!CCopierOrder::Read(json,node,state.orders[i]))
        {
         error=StringFormat("order %d of the state is incomplete",i);
         return(false);
        }
      ids.Add(state.orders[i].id);
      i++;
     }
   ids.Sort();
   if(ids.HasTwice())
     {
      error="an order of the state stands there twice";
      return(false);
     }
   state.has_orders=true;
   return(true);
  }
//+------------------------------------------------------------------+
//| All but positions and orders                                     |
//+------------------------------------------------------------------+
bool CCopierState::ReadHead(const CMqttJsonReader &json,CopierState &state)
  {
   long version=0;
   if(!json.Integer(0,"version",version) || version!=COPIER_STATE_VERSION)
      return(false);
   state.clock_msc=0;
   state.interval_ms=0;
   if((json.Member(0,"clock_msc")>=0 && !json.Integer(0,"clock_msc",state.clock_msc)) ||
      (json.Member(0,"interval_ms")>=0 && !json.Integer(0,"interval_ms",state.interval_ms)))
      return(false);
   state.funds.currency="";
   if(json.Member(0,"currency")>=0 && !json.String(0,"currency",state.funds.currency))
      return(false);
   if(json.Integer(0,"sequence",state.sequence) && (state.sequence<0 || state.sequence>COPIER_MAX_SEQUENCE))
     {
      state.sequence=0;
      return(false);
     }
   return(json.String(0,"server",state.server) && json.Integer(0,"login",state.login) &&
          json.Integer(0,"sequence",state.sequence) && json.Integer(0,"time_msc",state.time_msc) && json.Integer(0,"waited_ms",state.waited_ms) &&
          json.Number(0,"balance",state.funds.balance) && json.Number(0,"equity",state.funds.equity) &&
          json.Number(0,"free_margin",state.funds.free_margin));
  }
//+------------------------------------------------------------------+
//| One position                                                     |
//+------------------------------------------------------------------+
bool CCopierState::ReadPosition(const CMqttJsonReader &json,const int node,CopierPosition &position)
  {
   string side="";
   if(!json.Integer(node,"id",position.id) || !json.String(node,"symbol",position.symbol) || !json.String(node,"side",side) ||
      !json.Number(node,"volume",position.volume) || !json.Number(node,"price",position.price) ||
      !json.Number(node,"sl",position.sl) || !json.Number(node,"tp",position.tp) ||
      !json.Integer(node,"time_msc",position.time_msc) || !json.Integer(node,"magic",position.magic) ||
      !json.String(node,"comment",position.comment) || !json.Number(node,"contract_size",position.contract_size) ||
      !json.String(node,"via",position.via) || CCopierOrigin::Count(position.via)>COPIER_MAX_VIA)
      return(false);
   position.is_buy=(side=="buy");
//--- a price may be below zero, as oil's was
   return((side=="buy" || side=="sell") && CCopierOrder::IsVolume(position.volume) && position.symbol!="" && position.id>0);
  }
//+------------------------------------------------------------------+
//| A circle of copiers: what came from here is as if it weren't     |
//| there                                                            |
//+------------------------------------------------------------------+
int CCopierState::Without(CopierState &state,const string account)
  {
   int count=0;
   for(int i=ArraySize(state.positions)-1; i>=0; i--)
      if(CCopierOrigin::Contains(state.positions[i].via,account))
        {
         ArrayRemove(state.positions,i,1);
         count++;
        }
   for(int i=ArraySize(state.orders)-1; i>=0; i--)
      if(CCopierOrigin::Contains(state.orders[i].via,account))
        {
         ArrayRemove(state.orders,i,1);
         count++;
        }
   return(count);
  }
//+------------------------------------------------------------------+
//| The first position with that identifier                          |
//+------------------------------------------------------------------+
int CCopierState::Find(const CopierState &state,const long id)
  {
   for(int i=0; i<ArraySize(state.positions); i++)
      if(state.positions[i].id==id)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| The first order with that ticket                                 |
//+------------------------------------------------------------------+
int CCopierState::FindOrder(const CopierState &state,const long id)
  {
   for(int i=0; i<ArraySize(state.orders); i++)
      if(state.orders[i].id==id)
         return(i);
   return(-1);
  }
#endif
//+------------------------------------------------------------------+
