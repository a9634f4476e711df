//+------------------------------------------------------------------+
//|                                                  RemoteValue.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Draws a value that comes over a topic: a signal, a forecast, the spread of another broker's feed."
#property description "It has one line; a bar keeps the last value that came while it was open."
#property indicator_separate_window
#property indicator_buffers 1
#property indicator_plots   1
#property indicator_type1   DRAW_LINE
#property indicator_color1  clrDodgerBlue
#property indicator_label1  "Remote value"
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Value"
input string InpConnection="";               // Shared connection (empty: its own)
input string InpRoot="mt5";                  // First level of all topics
input string InpTopic="";                    // Topic below the first level (empty: signals/<symbol>)
input string InpKey="value";                 // Key of the number in JSON (empty: the payload is the number)
//+------------------------------------------------------------------+
//| The client. An indicator shares its thread with the chart and    |
//| all other indicators of the symbol: nothing here waits           |
//+------------------------------------------------------------------+
class CValueClient : public CMqttClient
  {
private:
   string            m_topic;
   double            m_value;              // EMPTY_VALUE before the first

public:
                     CValueClient(void) : m_topic(""),m_value(EMPTY_VALUE) { }
   bool              Start(void);
   void              Choose(void);
   string            Topic(void) const { return(m_topic); }
   double            Value(void) const { return(m_value); }

protected:
   virtual void      OnConnected(const CMqttMessage &message);
   virtual void      OnDisconnected(const CMqttMessage &message);
   virtual void      OnMessage(const CMqttMessage &message);
  };
double       ExtBuffer[];
CValueClient ExtClient;
//+------------------------------------------------------------------+
//| Connects, unless the chart has only changed                      |
//+------------------------------------------------------------------+
bool CValueClient::Start(void)
  {
   if(IsCreated())
      return(true);
   return((InpConnection=="" || CreateShared(InpConnection,"")) && SetServer(this) && Connect());
  }
//+------------------------------------------------------------------+
//| The topic of the chart's symbol                                  |
//+------------------------------------------------------------------+
void CValueClient::Choose(void)
  {
   string topic=InpRoot+"/"+(InpTopic=="" ? "signals/"+EscapeTopicLevel(_Symbol) : InpTopic);
   if(topic==m_topic)
      return;
   if(IsConnected())
     {
      if(m_topic!="")
         Unsubscribe(m_topic);
      if(!Subscribe(topic,0))
         Print(topic,": ",ResultDescription());
     }
   m_topic=topic;
   m_value=EMPTY_VALUE;
  }
//+------------------------------------------------------------------+
//| Subscribes; a retained value comes at once                       |
//+------------------------------------------------------------------+
void CValueClient::OnConnected(const CMqttMessage &message)
  {
   Print("connected");
   if(!Subscribe(m_topic,0))
      Print(m_topic,": ",ResultDescription());
  }
//+------------------------------------------------------------------+
//| Bars that begin during an outage have no value: nobody knows it  |
//+------------------------------------------------------------------+
void CValueClient::OnDisconnected(const CMqttMessage &message)
  {
   Print("disconnected: ",message.Text());
   m_value=EMPTY_VALUE;
  }
//+------------------------------------------------------------------+
//| Takes a number; what is none is told of and not drawn            |
//+------------------------------------------------------------------+
void CValueClient::OnMessage(const CMqttMessage &message)
  {
   if(message.Topic()!=m_topic)
      return;
   CMqttJsonReader json;
   double          value=EMPTY_VALUE;
   bool            good=json.Parse(message.PayloadText());
   if(good)
      good=(InpKey=="" ? json.Number(0,value) : json.Number(0,InpKey,value));
   if(!good || !MathIsValidNumber(value))
     {
      Print(m_topic,": no number in ",StringSubstr(message.PayloadText(),0,100));
      return;
     }
   m_value=value;
  }
//+------------------------------------------------------------------+
//| Makes the line                                                   |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   if(!SetIndexBuffer(0,ExtBuffer,INDICATOR_DATA))
      return(INIT_FAILED);
   PlotIndexSetDouble(0,PLOT_EMPTY_VALUE,EMPTY_VALUE);
   ExtClient.Choose();
   IndicatorSetString(INDICATOR_SHORTNAME,"Remote value of "+ExtClient.Topic());
   if(!ExtClient.SetTimer(100) || !ExtClient.Start())
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
//| Puts the last value at the open bar, which keeps what it had when|
//| there is none                                                    |
//+------------------------------------------------------------------+
void Draw(void)
  {
   int size=ArraySize(ExtBuffer);
   if(size>0 && ExtClient.Value()!=EMPTY_VALUE)
      ExtBuffer[size-1]=ExtClient.Value();
  }
//+------------------------------------------------------------------+
//| Bars that were not seen have no value                            |
//+------------------------------------------------------------------+
int OnCalculate(const int rates_total,const int prev_calculated,const int begin,const double &price[])
  {
   for(int i=prev_calculated; i<rates_total; i++)
      ExtBuffer[i]=EMPTY_VALUE;
   Draw();
   return(rates_total);
  }
//+------------------------------------------------------------------+
//| Takes what has come                                              |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   if(ExtClient.Dispatch(100)==0)
      return;
   Draw();
   ChartRedraw();
  }
//+------------------------------------------------------------------+
