//+------------------------------------------------------------------+
//|                                                        Order.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_ORDER_MQH
#define MT5MQTT_COPIER_ORDER_MQH
#include "..\Internal\JsonReader.mqh"
#include "..\Internal\JsonWriter.mqh"
#include "Origin.mqh"
//+------------------------------------------------------------------+
//| What a pending order waits for; its side stands apart            |
//+------------------------------------------------------------------+
enum ENUM_COPIER_KIND
  {
   COPIER_KIND_LIMIT,                      // a better price
   COPIER_KIND_STOP,                       // a worse one
   COPIER_KIND_STOP_LIMIT                  // a worse one, at which it becomes a limit order
  };
//+------------------------------------------------------------------+
//| When a pending order ends by itself                              |
//+------------------------------------------------------------------+
enum ENUM_COPIER_EXPIRY
  {
   COPIER_EXPIRY_NONE,
   COPIER_EXPIRY_DAY,                      // at the end of the trade server's day
   COPIER_EXPIRY_TIME,
   COPIER_EXPIRY_DATE                      // at the end of the day of that time
  };
//+------------------------------------------------------------------+
//| A pending order of the master                                    |
//+------------------------------------------------------------------+
struct CopierOrder
  {
   long              id;                   // its ticket, which becomes POSITION_IDENTIFIER when it fills
   string            symbol;
   bool              is_buy;
   ENUM_COPIER_KIND  kind;
   double            volume;               // what is not filled yet
   double            price;
   double            limit_price;          // of the limit order that COPIER_KIND_STOP_LIMIT becomes, else 0
   double            sl;                   // 0 = none
   double            tp;                   // 0 = none
   ENUM_COPIER_EXPIRY expiry;
   long              expires_msc;          // GMT, for COPIER_EXPIRY_TIME and COPIER_EXPIRY_DATE, else 0
   long              magic;
   string            comment;
   double            contract_size;
   string            via;                  // as of a position
  };
//+------------------------------------------------------------------+
//| Class CCopierOrder.                                              |
//| Appointment: a pending order as text.                            |
//+------------------------------------------------------------------+
class CCopierOrder
  {
public:
   static void       Write(const CopierOrder &order,CMqttJsonWriter &json);
   static bool       Read(const CMqttJsonReader &json,const int node,CopierOrder &order);
   static string     Name(const bool is_buy,const ENUM_COPIER_KIND kind);
   //--- what a file or a text with eight digits would keep as 0 is none: ratios are reckoned from it
   static bool       IsVolume(const double volume) { return(NormalizeDouble(volume,8)>0); }

private:
   static string     Expiry(const ENUM_COPIER_EXPIRY expiry);
   static bool       ReadKind(const string name,CopierOrder &order);
   static bool       ReadExpiry(const string name,CopierOrder &order);
  };
//+------------------------------------------------------------------+
//| As text                                                          |
//+------------------------------------------------------------------+
void CCopierOrder::Write(const CopierOrder &order,CMqttJsonWriter &json)
  {
   json.BeginObject();
   json.IntegerField("id",order.id);
   json.StringField("symbol",order.symbol);
   json.StringField("type",Name(order.is_buy,order.kind));
   json.NumberField("volume",order.volume,8);
   json.NumberField("price",order.price,8);
   json.NumberField("limit_price",order.limit_price,8);
   json.NumberField("sl",order.sl,8);
   json.NumberField("tp",order.tp,8);
   json.StringField("expiry",Expiry(order.expiry));
   json.IntegerField("expires_msc",order.expires_msc);
   json.IntegerField("magic",order.magic);
   json.StringField("comment",order.comment);
   json.NumberField("contract_size",order.contract_size,8);
   json.StringField("via",order.via);
   json.EndObject();
  }
//+------------------------------------------------------------------+
//| From text; on a failure the order is of no use                   |
//+------------------------------------------------------------------+
bool CCopierOrder::Read(const CMqttJsonReader &json,const int node,CopierOrder &order)
  {
   string type="";
   string expiry="";
   if(!json.Integer(node,"id",order.id) || !json.String(node,"symbol",order.symbol) || !json.String(node,"type",type) ||
      !json.Number(node,"volume",order.volume) || !json.Number(node,"price",order.price) ||
      !json.Number(node,"limit_price",order.limit_price) || !json.Number(node,"sl",order.sl) || !json.Number(node,"tp",order.tp) ||
      !json.String(node,"expiry",expiry) || !json.Integer(node,"expires_msc",order.expires_msc) ||
      !json.Integer(node,"magic",order.magic) || !json.String(node,"comment",order.comment) ||
      !json.Number(node,"contract_size",order.contract_size) || !json.String(node,"via",order.via) ||
      CCopierOrigin::Count(order.via)>COPIER_MAX_VIA)
      return(false);
   return(ReadKind(type,order) && ReadExpiry(expiry,order) && IsVolume(order.volume) && order.price!=0 &&
          (order.kind==COPIER_KIND_STOP_LIMIT)==(order.limit_price!=0) && order.symbol!="" && order.id>0);
  }
//+------------------------------------------------------------------+
//| Side and kind, as MQL5 names them                                |
//+------------------------------------------------------------------+
string CCopierOrder::Name(const bool is_buy,const ENUM_COPIER_KIND kind)
  {
   string side=(is_buy ? "buy " : "sell ");
   return(side+(kind==COPIER_KIND_LIMIT ? "limit" : (kind==COPIER_KIND_STOP ? "stop" : "stop limit")));
  }
//+------------------------------------------------------------------+
//| All else is refused                                              |
//+------------------------------------------------------------------+
bool CCopierOrder::ReadKind(const string name,CopierOrder &order)
  {
   for(int kind=COPIER_KIND_LIMIT; kind<=COPIER_KIND_STOP_LIMIT; kind++)
      for(int side=0; side<2; side++)
         if(Name(side==0,(ENUM_COPIER_KIND)kind)==name)
           {
            order.is_buy=(side==0);
            order.kind=(ENUM_COPIER_KIND)kind;
            return(true);
           }
   return(false);
  }
//+------------------------------------------------------------------+
//| In words                                                         |
//+------------------------------------------------------------------+
string CCopierOrder::Expiry(const ENUM_COPIER_EXPIRY expiry)
  {
   switch(expiry)
     {
      case COPIER_EXPIRY_NONE:
         return("none");
      case COPIER_EXPIRY_DAY:
         return("day");
      case COPIER_EXPIRY_TIME:
         return("time");
      case COPIER_EXPIRY_DATE:
         break;
     }
   return("date");
  }
//+------------------------------------------------------------------+
//| All else is refused                                              |
//+------------------------------------------------------------------+
bool CCopierOrder::ReadExpiry(const string name,CopierOrder &order)
  {
   for(int expiry=COPIER_EXPIRY_NONE; expiry<=COPIER_EXPIRY_DATE; expiry++)
      if(Expiry((ENUM_COPIER_EXPIRY)expiry)==name)
        {
         order.expiry=(ENUM_COPIER_EXPIRY)expiry;
         bool has_time=(expiry>=COPIER_EXPIRY_TIME);
         return(has_time==(order.expires_msc>0));
        }
   return(false);
  }
#endif
//+------------------------------------------------------------------+
