//+------------------------------------------------------------------+
//|                                             CustomSymbolFeed.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property service
#property version     "1.00"
#property description "Makes custom symbols of the prices that MarketFeed publishes in another terminal."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Custom symbols"
input string InpRoot="mt5";                  // First level of all topics
input string InpSuffix=".mqtt";              // What is added to a symbol's name
input string InpGroup="Mqtt";                // Group in the tree of symbols
//+------------------------------------------------------------------+
//| The client                                                       |
//+------------------------------------------------------------------+
class CFeedClient : public CMqttClient
  {
private:
   string            m_told;               // the last thing that went wrong

public:
                     CFeedClient(void) : m_told("") { }
   bool              Start(void);

protected:
   virtual void      OnConnected(const CMqttMessage &message)    { Print("connected");                                    }
   virtual void      OnDisconnected(const CMqttMessage &message) { Print("disconnected: ",message.Text());                }
   virtual void      OnSubscribed(const CMqttMessage &message)
     { Print(message.Status()==MT5MQTT_OK ? "subscribed: "+message.ReasonCodeDescription() : Failure("subscribing to "+message.Topic(),message)); }
   virtual void      OnMessage(const CMqttMessage &message);

private:
   void              Describe(const string symbol,const CMqttJsonReader &json);
   static bool       Change(const string symbol,const ENUM_SYMBOL_INFO_DOUBLE property,const double value);
   void              Tick(const string symbol,const CMqttJsonReader &json);
   void              Tell(const string text);
   static string     Error(void);
  };
//+------------------------------------------------------------------+
//| Connects                                                         |
//+------------------------------------------------------------------+
bool CFeedClient::Start(void)
  {
   return(SetServer(this) && Subscribe(InpRoot+"/symbols/+",1) && Subscribe(InpRoot+"/ticks/+",0) && Connect());
  }
//+------------------------------------------------------------------+
//| A description or a tick                                          |
//+------------------------------------------------------------------+
void CFeedClient::OnMessage(const CMqttMessage &message)
  {
   string levels[];
   int    count=StringSplit(message.Topic(),'/',levels);
   if(count<2)
      return;
   CMqttJsonReader json;
   if(!json.Parse(message.PayloadText()))
     {
      Print(message.Topic(),": ",json.Error());
      return;
     }
   string symbol=UnescapeTopicLevel(levels[count-1])+InpSuffix;
   if(levels[count-2]=="symbols")
      Describe(symbol,json);
   else
      Tick(symbol,json);
  }
//+------------------------------------------------------------------+
//| Makes the custom symbol like the original                        |
//+------------------------------------------------------------------+
void CFeedClient::Describe(const string symbol,const CMqttJsonReader &json)
  {
   long   digits=0;
   double point=0;
   double tick_size=0;
   double contract_size=0;
   bool   is_custom=false;
   if(!json.Integer(0,"digits",digits) || !json.Number(0,"point",point) || !json.Number(0,"tick_size",tick_size) ||
      !json.Number(0,"contract_size",contract_size))
     {
      Print(symbol,": the description is incomplete");
      return;
     }
   if(SymbolExist(symbol,is_custom) && !is_custom)
     {
      Print(symbol," is a symbol of the broker: choose another suffix");
      return;
     }
   ResetLastError();
   if(!is_custom && !CustomSymbolCreate(symbol,InpGroup))
     {
      Print(symbol," can't be created: ",Error());
      return;
     }
//--- the feed describes its symbols on each connection, and a change of these deletes the history
   if((SymbolInfoInteger(symbol,SYMBOL_DIGITS)!=digits && !CustomSymbolSetInteger(symbol,SYMBOL_DIGITS,digits)) ||
      !Change(symbol,SYMBOL_POINT,point) || !Change(symbol,SYMBOL_TRADE_TICK_SIZE,tick_size) ||
      !Change(symbol,SYMBOL_TRADE_CONTRACT_SIZE,contract_size))
      Print(symbol," has not all figures of the original: ",Error());
   SymbolSelect(symbol,true);
   Print("feeding ",symbol);
  }
//+------------------------------------------------------------------+
//| Sets what is another number                                      |
//+------------------------------------------------------------------+
bool CFeedClient::Change(const string symbol,const ENUM_SYMBOL_INFO_DOUBLE property,const double value)
  {
   return(MathAbs(SymbolInfoDouble(symbol,property)-value)<=value*0.000001 || CustomSymbolSetDouble(symbol,property,value));
  }
//+------------------------------------------------------------------+
//| Adds a tick; ticks before the description have no symbol yet     |
//+------------------------------------------------------------------+
void CFeedClient::Tick(const string symbol,const CMqttJsonReader &json)
  {
   MqlTick ticks[];
   bool    is_custom=false;
   ArrayResize(ticks,1);
   ZeroMemory(ticks[0]);
   if(!SymbolExist(symbol,is_custom) || !is_custom)
      return;
   if(!json.Integer(0,"time_msc",ticks[0].time_msc) || !json.Number(0,"bid",ticks[0].bid) || !json.Number(0,"ask",ticks[0].ask))
     {
      Print(symbol,": the tick is incomplete");
      return;
     }
   ticks[0].time=(datetime)(ticks[0].time_msc/1000);
   ticks[0].flags=TICK_FLAG_BID|TICK_FLAG_ASK;
//--- outside of Market Watch a symbol takes none
   ResetLastError();
   if(CustomTicksAdd(symbol,ticks)<0 && (!SymbolSelect(symbol,true) || CustomTicksAdd(symbol,ticks)<0))
      Tell(symbol+": a tick could not be added: "+Error());
  }
//+------------------------------------------------------------------+
//| Once, as hundreds of ticks a second would say it                 |
//+------------------------------------------------------------------+
void CFeedClient::Tell(const string text)
  {
   if(text!=m_told)
      Print(text);
   m_told=text;
  }
//+------------------------------------------------------------------+
//| The last error in words                                          |
//+------------------------------------------------------------------+
string CFeedClient::Error(void)
  {
   int error=GetLastError();
   switch(error)
     {
      case ERR_CUSTOM_SYMBOL_WRONG_NAME:
         return("a custom symbol's name has Latin letters, digits and . _ & # only");
      case ERR_CUSTOM_SYMBOL_NAME_LONG:
         return("a custom symbol's name has at most 31 characters: choose a shorter suffix");
      case ERR_CUSTOM_SYMBOL_PATH_LONG:
         return("the group with the name has too many characters: choose a shorter group");
      case ERR_CUSTOM_SYMBOL_EXIST:
         return("a symbol of that name is there already");
      case ERR_CUSTOM_SYMBOL_SELECTED:
         return("the symbol is in Market Watch: take it out");
      case ERR_CUSTOM_SYMBOL_PARAMETER_ERROR:
      case ERR_CUSTOM_SYMBOL_PROPERTY_WRONG:
         return("the terminal doesn't take such a value");
      case ERR_CUSTOM_TICKS_WRONG_ORDER:
         return("it is older than the one before");
      case ERR_MARKET_UNKNOWN_SYMBOL:
         return("there is no such symbol");
      case ERR_MARKET_NOT_SELECTED:
         return("the symbol is not in Market Watch, which may be full: take others out");
     }
   return(StringFormat("error %d of the terminal",error));
  }
//+------------------------------------------------------------------+
//| Waits and takes until the service is stopped                     |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   CFeedClient client;
   if(!client.Start())
     {
      Print("MQTT: ",client.ResultDescription());
      return;
     }
   while(!IsStopped() && client.ResultStatus()==MT5MQTT_OK)
      if(client.Wait(1000))
         client.Dispatch(1000);
   if(!IsStopped())
      Print("MQTT: ",client.ResultDescription(),"; start the service again");
   client.Disconnect(500);
  }
//+------------------------------------------------------------------+
