//+------------------------------------------------------------------+
//|                                                   MarketFeed.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Publishes ticks and closed bars of one or more symbols as JSON."
#property description "The service CustomSymbolFeed makes custom symbols of them in another terminal."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Feed"
input string InpConnection="";                      // Shared connection (empty: its own)
input string InpRoot="mt5";                         // First level of all topics
input string InpSymbols="";                         // Symbols, apart by commas (empty: the chart's)
input bool   InpBars=true;                          // Publish closed bars
input ENUM_TIMEFRAMES InpTimeframe=PERIOD_M1;       // Timeframe of the bars
input int    InpTimer=20;                           // Look for new ticks every so many milliseconds
//--- so many bars at most, if several have closed between two looks
#define FEED_MAX_BARS 500
//--- what is not accepted is said again after so long, in ms
#define FEED_QUIET_MS 60000
//+------------------------------------------------------------------+
//| What was published of one symbol                                 |
//+------------------------------------------------------------------+
struct FeedSymbol
  {
   string            name;
   string            level;                // as a level of a topic
   int               digits;
   long              tick_msc;             // time of the last tick
   double            bid;
   double            ask;
   datetime          bar;                  // opening time of the bar that is open
  };
//+------------------------------------------------------------------+
//| The client                                                       |
//+------------------------------------------------------------------+
class CFeedClient : public CMqttClient
  {
private:
   FeedSymbol        m_symbols[];
   CMqttProperties   m_latest;             // of what waits for a connection, the latest of a topic alone
   ENUM_MQTT_STATUS  m_told;               // why something was not accepted
   ulong             m_quiet_until;        // GetTickCount64() until which the same isn't said again

public:
                     CFeedClient(void) : m_told(MT5MQTT_OK),m_quiet_until(0) { }
   bool              Start(void);
   void              Choose(void);
   void              Look(void);

protected:
   virtual void      OnConnected(const CMqttMessage &message);
   virtual void      OnDisconnected(const CMqttMessage &message) { Print("disconnected: ",message.Text()); }

private:
   void              Add(const string name);
   void              Describe(FeedSymbol &symbol);
   void              Tick(FeedSymbol &symbol);
   void              Bar(FeedSymbol &symbol);
   void              SendBar(const FeedSymbol &symbol,const MqlRates &rates);
   void              Send(const string topic,const string text,const int qos,const bool retain);
   void              Sent(const string topic,const bool accepted);
  };
CFeedClient ExtClient;
//+------------------------------------------------------------------+
//| Connects, unless the chart has only changed                      |
//+------------------------------------------------------------------+
bool CFeedClient::Start(void)
  {
   if(IsCreated())
      return(true);
   if(!m_latest.SetConflation(true))
      return(Failed(m_latest.ResultStatus(),m_latest.ResultDescription()));
   return((InpConnection=="" || CreateShared(InpConnection,"")) && SetServer(this) && Connect());
  }
//+------------------------------------------------------------------+
//| The symbols to publish                                           |
//+------------------------------------------------------------------+
void CFeedClient::Choose(void)
  {
   string names[];
   ArrayResize(m_symbols,0);
   if(InpSymbols=="")
      Add(_Symbol);
   else
     {
      int count=StringSplit(InpSymbols,',',names);
      for(int i=0; i<count; i++)
         Add(names[i]);
     }
   if(IsConnected())
      for(int i=0; i<ArraySize(m_symbols); i++)
         Describe(m_symbols[i]);
  }
//+------------------------------------------------------------------+
//| Adds a symbol that the terminal knows                            |
//+------------------------------------------------------------------+
void CFeedClient::Add(const string name)
  {
   string symbol=name;
   StringTrimLeft(symbol);
   StringTrimRight(symbol);
   if(symbol=="")
      return;
   if(!SymbolSelect(symbol,true))
     {
      Print(symbol," is not a symbol of this account");
      return;
     }
   int position=ArraySize(m_symbols);
   ArrayResize(m_symbols,position+1);
   m_symbols[position].name=symbol;
   m_symbols[position].level=EscapeTopicLevel(symbol);
   m_symbols[position].digits=(int)SymbolInfoInteger(symbol,SYMBOL_DIGITS);
   m_symbols[position].tick_msc=0;
   m_symbols[position].bid=0;
   m_symbols[position].ask=0;
   m_symbols[position].bar=iTime(symbol,InpTimeframe,0);
  }
//+------------------------------------------------------------------+
//| Who subscribes later shall know the symbols too: retained        |
//+------------------------------------------------------------------+
void CFeedClient::OnConnected(const CMqttMessage &message)
  {
   Print("connected");
   for(int i=0; i<ArraySize(m_symbols); i++)
      Describe(m_symbols[i]);
  }
//+------------------------------------------------------------------+
//| What a custom symbol needs to be like this one                   |
//+------------------------------------------------------------------+
void CFeedClient::Describe(FeedSymbol &symbol)
  {
   CMqttJsonWriter json;
   json.BeginObject();
   json.StringField("symbol",symbol.name);
   json.IntegerField("digits",symbol.digits);
   json.NumberField("point",SymbolInfoDouble(symbol.name,SYMBOL_POINT),symbol.digits);
   json.NumberField("tick_size",SymbolInfoDouble(symbol.name,SYMBOL_TRADE_TICK_SIZE),symbol.digits);
   json.NumberField("contract_size",SymbolInfoDouble(symbol.name,SYMBOL_TRADE_CONTRACT_SIZE),8);
   json.EndObject();
   Send("symbols/"+symbol.level,json.Text(),1,true);
  }
//+------------------------------------------------------------------+
//| Publishes what is new                                            |
//+------------------------------------------------------------------+
void CFeedClient::Look(void)
  {
   for(int i=0; i<ArraySize(m_symbols); i++)
     {
      Tick(m_symbols[i]);
      if(InpBars)
         Bar(m_symbols[i]);
     }
  }
//+------------------------------------------------------------------+
//| A tick is for now: QoS 0, and the next one replaces it, also in  |
//| the queue of a line that is down                                 |
//+------------------------------------------------------------------+
void CFeedClient::Tick(FeedSymbol &symbol)
  {
   MqlTick tick;
   if(!SymbolInfoTick(symbol.name,tick))
      return;
   if(tick.time_msc==symbol.tick_msc && tick.bid==symbol.bid && tick.ask==symbol.ask)
      return;
   symbol.tick_msc=tick.time_msc;
   symbol.bid=tick.bid;
   symbol.ask=tick.ask;
   CMqttJsonWriter json;
   json.BeginObject();
   json.IntegerField("time_msc",tick.time_msc);
   json.NumberField("bid",tick.bid,symbol.digits);
   json.NumberField("ask",tick.ask,symbol.digits);
   json.EndObject();
   Sent("ticks/"+symbol.level,Publish(InpRoot+"/ticks/"+symbol.level,json.Text(),0,false,m_latest));
  }
//+------------------------------------------------------------------+
//| A bar is published when the next one has begun. More than one has|
//| closed when the terminal was without its trade server            |
//+------------------------------------------------------------------+
void CFeedClient::Bar(FeedSymbol &symbol)
  {
   datetime opened=iTime(symbol.name,InpTimeframe,0);
   if(opened==0 || opened==symbol.bar)
      return;
   bool is_first=(symbol.bar==0);
   MqlRates rates[];
   int      count=0;
   if(!is_first)
     {
      //--- months have more and fewer days than a period of them
      long closed=MathMax((long)1,((long)opened-(long)symbol.bar)/PeriodSeconds(InpTimeframe));
      count=CopyRates(symbol.name,InpTimeframe,1,(int)MathMin(closed,(long)FEED_MAX_BARS),rates);
      //--- what the terminal doesn't give yet is asked for again
      if(count<1)
         return;
     }
   for(int i=0; i<count; i++)
      if(rates[i].time>=symbol.bar)
         SendBar(symbol,rates[i]);
   symbol.bar=opened;
  }
//+------------------------------------------------------------------+
//| One that has closed                                              |
//+------------------------------------------------------------------+
void CFeedClient::SendBar(const FeedSymbol &symbol,const MqlRates &rates)
  {
   CMqttJsonWriter json;
   json.BeginObject();
   json.IntegerField("time",rates.time);
   json.NumberField("open",rates.open,symbol.digits);
   json.NumberField("high",rates.high,symbol.digits);
   json.NumberField("low",rates.low,symbol.digits);
   json.NumberField("close",rates.close,symbol.digits);
   json.IntegerField("tick_volume",rates.tick_volume);
   json.EndObject();
//--- charts of several timeframes would publish on one topic
   ENUM_TIMEFRAMES timeframe=(InpTimeframe==PERIOD_CURRENT ? Period() : InpTimeframe);
   Send("bars/"+symbol.level+"/"+StringSubstr(EnumToString(timeframe),7),json.Text(),1,true);
  }
//+------------------------------------------------------------------+
//| Publishes, and says so when that fails                           |
//+------------------------------------------------------------------+
void CFeedClient::Send(const string topic,const string text,const int qos,const bool retain)
  {
   Sent(topic,Publish(InpRoot+"/"+topic,text,qos,retain));
  }
//+------------------------------------------------------------------+
//| Says what was not accepted: each tick would, fifty times a second|
//+------------------------------------------------------------------+
void CFeedClient::Sent(const string topic,const bool accepted)
  {
   if(accepted || (ResultStatus()==m_told && GetTickCount64()<m_quiet_until))
      return;
   m_told=ResultStatus();
   m_quiet_until=GetTickCount64()+FEED_QUIET_MS;
   Print(topic,": ",ResultDescription());
  }
//+------------------------------------------------------------------+
//| Starts                                                           |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   if(InpTimer<1)
     {
      Print("InpTimer must be 1 or more");
      return(INIT_FAILED);
     }
   ExtClient.Choose();
   if(!ExtClient.IsWhole("InpSymbols",InpSymbols) || !ExtClient.SetTimer(InpTimer) || !ExtClient.Start())
     {
      Print("MQTT: ",ExtClient.ResultDescription());
      return(INIT_FAILED);
     }
   return(INIT_SUCCEEDED);
  }
//+------------------------------------------------------------------+
//| Disconnects, except on a change of symbol or timeframe           |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   EventKillTimer();
   ExtClient.Deinit(reason);
  }
//+------------------------------------------------------------------+
//| The chart's own symbol without the timer's delay                 |
//+------------------------------------------------------------------+
void OnTick(void)
  {
   ExtClient.Look();
  }
//+------------------------------------------------------------------+
//| The other symbols, and what has come                             |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtClient.Dispatch(100);
   ExtClient.Look();
  }
//+------------------------------------------------------------------+
