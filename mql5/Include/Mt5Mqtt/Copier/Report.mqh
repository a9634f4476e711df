//+------------------------------------------------------------------+
//|                                                       Report.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_REPORT_MQH
#define MT5MQTT_COPIER_REPORT_MQH
#include "..\Internal\JsonReader.mqh"
#include "..\Internal\JsonWriter.mqh"
//+------------------------------------------------------------------+
//| What became of one position at one follower                      |
//|                                                                  |
//| Times are differences by one clock each, as the clocks of two    |
//| terminals differ. The way over the network is reckoned by the    |
//| master: half of what is left of the time from its publish to this|
//| report, when the follower's part is taken off.                   |
//+------------------------------------------------------------------+
struct CopierReport
  {
   string            follower;             // login@server
   long              id;                   // of the master's position or pending order
   string            action;               // open, close, stops, place, modify, delete or refused
   string            symbol;               // the follower's
   double            volume;
   long              retcode;              // 0 = nothing was sent
   string            result;               // in words
   double            price;                // of the deal, 0 = unknown
   double            slippage;             // points worse than the price when it was sent; negative = better
   string            reason;
   long              sequence;             // of the master's state
   long              waited_us;            // state received until the request was sent
   long              trade_us;             // request sent until the trade server answered
   long              held_us;              // state received until this report was published
  };
//+------------------------------------------------------------------+
//| Class CCopierReport.                                             |
//| Appointment: a report as text.                                   |
//+------------------------------------------------------------------+
class CCopierReport
  {
public:
   static string     Write(const CopierReport &report);
   static bool       Read(const string text,CopierReport &report);
   //--- two digits, or as many as it takes: 0.001 of a coin isn't 0.00
   static string     Lots(const double volume);
  };
//+------------------------------------------------------------------+
//| As text                                                          |
//+------------------------------------------------------------------+
string CCopierReport::Write(const CopierReport &report)
  {
   CMqttJsonWriter json;
   json.BeginObject();
   json.StringField("follower",report.follower);
   json.IntegerField("id",report.id);
   json.StringField("action",report.action);
   json.StringField("symbol",report.symbol);
   json.NumberField("volume",report.volume,8);
   json.IntegerField("retcode",report.retcode);
   json.StringField("result",report.result);
   json.NumberField("price",report.price,8);
   json.NumberField("slippage",report.slippage,1);
   json.StringField("reason",report.reason);
   json.IntegerField("sequence",report.sequence);
   json.IntegerField("waited_us",report.waited_us);
   json.IntegerField("trade_us",report.trade_us);
   json.IntegerField("held_us",report.held_us);
   json.EndObject();
   return(json.Text());
  }
//+------------------------------------------------------------------+
//| A volume in words                                                |
//+------------------------------------------------------------------+
string CCopierReport::Lots(const double volume)
  {
   int digits=2;
   while(digits<8 && MathAbs(NormalizeDouble(volume,digits)-volume)>0.000000001)
      digits++;
   return(DoubleToString(volume,digits));
  }
//+------------------------------------------------------------------+
//| From text; on a failure the report is of no use                  |
//+------------------------------------------------------------------+
bool CCopierReport::Read(const string text,CopierReport &report)
  {
   CMqttJsonReader json;
   if(!json.Parse(text))
      return(false);
   return(json.String(0,"follower",report.follower) && json.Integer(0,"id",report.id) && json.String(0,"action",report.action) &&
          json.String(0,"symbol",report.symbol) && json.Number(0,"volume",report.volume) &&
          json.Integer(0,"retcode",report.retcode) && json.String(0,"result",report.result) &&
          json.Number(0,"price",report.price) && json.Number(0,"slippage",report.slippage) &&
          json.String(0,"reason",report.reason) && json.Integer(0,"sequence",report.sequence) &&
          json.Integer(0,"waited_us",report.waited_us) && json.Integer(0,"trade_us",report.trade_us) &&
          json.Integer(0,"held_us",report.held_us));
  }
#endif
//+------------------------------------------------------------------+
