//+------------------------------------------------------------------+
//|                                                RemoteControl.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Obeys commands: status, pause, resume, close_all. Each gets a reply."
#property description "Who may publish on its topic may close your positions: protect it in the Server."
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Internal\Commands.mqh>
#include <Mt5Mqtt\Internal\Trade.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Commands"
input string InpRoot="mt5";                  // First level of all topics
input bool   InpAllowClose=false;            // Allow close_all
input int    InpMaxAge=30;                   // Seconds after which a command with a time is refused (0: never)
input string InpPauseVariable="mt5mqtt.pause"; // Terminal variable that tells other programs to pause
//--- characters of an id, which is kept in a file
#define ID_LENGTH 128
//+------------------------------------------------------------------+
//| The client                                                       |
//+------------------------------------------------------------------+
class CControlClient : public CMqttClient
  {
private:
   string            m_topic;              // of this account
   CMqttCommands     m_commands;
   ulong             m_next;               // not before, by GetTickCount64()

public:
                     CControlClient(void) : m_topic(""),m_next(0) { }
   bool              Start(void);
   void              Leave(void);
   void              Renew(void);

protected:
   virtual void      OnConnected(const CMqttMessage &message)    { Print("connected, commands on ",m_topic,"/command");   }
   virtual void      OnDisconnected(const CMqttMessage &message) { Print("disconnected: ",message.Text());                }
   virtual void      OnSubscribed(const CMqttMessage &message)
     { Print(message.Status()==MT5MQTT_OK ? "subscribed: "+message.ReasonCodeDescription() : Failure("subscribing to "+message.Topic(),message)); }
   virtual void      OnMessage(const CMqttMessage &message);

private:
   static string     Account(void);
   string            Refusal(const CMqttMessage &message,const CMqttJsonReader &json);
   void              Obey(const string command,CMqttJsonWriter &reply);
   void              CloseAll(CMqttJsonWriter &reply);
   static bool       Read(ulong &tickets[]);
   uint              Close(const ulong ticket);
   static uint       Close(const ulong ticket,const double volume,double &closed);
   void              Reply(const CMqttMessage &message,const string text);
  };
CControlClient ExtClient;
//+------------------------------------------------------------------+
//| Connects                                                         |
//+------------------------------------------------------------------+
bool CControlClient::Start(void)
  {
   if(IsCreated())
      return(true);
//--- a terminal that has just started doesn't know its account, of which the topics are
   if(AccountInfoInteger(ACCOUNT_LOGIN)==0 || GetTickCount64()<m_next)
      return(true);
   m_topic=Account();
   m_commands.Start("Mt5Mqtt\\commands-"+EscapeTopicLevel(m_topic)+".json");
//--- a command without a time is too old as well when it has waited at the Server for so long
   return(SetServer(this) && (InpMaxAge==0 || SetSessionExpiry(InpMaxAge)) && Subscribe(m_topic+"/command",1|MT5MQTT_SUBSCRIBE_RETAIN_NEVER) && Connect());
  }
//+------------------------------------------------------------------+
//| The topic of the terminal's account                              |
//+------------------------------------------------------------------+
string CControlClient::Account(void)
  {
   return(InpRoot+"/"+EscapeTopicLevel(AccountInfoString(ACCOUNT_SERVER))+"/"+IntegerToString(AccountInfoInteger(ACCOUNT_LOGIN)));
  }
//+------------------------------------------------------------------+
//| A command for the account before would close what this one has   |
//+------------------------------------------------------------------+
void CControlClient::Leave(void)
  {
   if(!IsCreated() || AccountInfoInteger(ACCOUNT_LOGIN)==0 || Account()==m_topic)
      return;
   Print("the terminal has changed to another account: commands for ",m_topic," are not obeyed any more");
   Destroy();
  }
//+------------------------------------------------------------------+
//| A client that has failed would hear no close_all any more        |
//+------------------------------------------------------------------+
void CControlClient::Renew(void)
  {
   if(!HasFailed())
      return;
   Print("MQTT: the client has failed, and is made anew in 5 seconds");
   m_next=GetTickCount64()+5000;
   Destroy();
  }
//+------------------------------------------------------------------+
//| A command: {"command":"status","id":"7","time":1700000000}       |
//| id and time are optional                                         |
//+------------------------------------------------------------------+
void CControlClient::OnMessage(const CMqttMessage &message)
  {
   CMqttJsonReader json;
   CMqttJsonWriter reply;
   string          id="";
   string          command="";
   bool            was_finished=false;
   bool            is_json=json.Parse(message.PayloadText());
   json.String(0,"id",id);
   json.String(0,"command",command);
   string refusal=(is_json ? Refusal(message,json) : json.Error());
   reply.BeginObject();
   reply.StringField("command",command);
   reply.StringField("id",id);
   reply.BooleanField("accepted",refusal=="");
   if(refusal!="")
      reply.StringField("reason",refusal);
   else
      if(!m_commands.Begin(id,was_finished))
        {
         reply.BooleanField("repeated",true);
         reply.BooleanField("finished",was_finished);
        }
      else
        {
         Print("command: ",command);
         Obey(command,reply);
         m_commands.Finish(id);
        }
   reply.EndObject();
   Reply(message,reply.Text());
  }
//+------------------------------------------------------------------+
//| Why a command is not obeyed, empty if it is                      |
//+------------------------------------------------------------------+
string CControlClient::Refusal(const CMqttMessage &message,const CMqttJsonReader &json)
  {
   string command="";
   string id="";
   long   time=0;
   if(message.IsRetained())
      return("a retained message is no command");
   if(!json.String(0,"command",command))
      return("there is no \"command\"");
   if(command!="status" && command!="pause" && command!="resume" && command!="close_all")
      return("unknown command");
   if(command=="close_all" && !InpAllowClose)
      return("close_all is not allowed by this program's inputs");
//--- a terminal that has just started shows no position: all of them would seem to be closed
   if(command=="close_all" && TerminalInfoInteger(TERMINAL_CONNECTED)==0)
      return("the terminal isn't connected to its trade server: nothing can be closed now");
//--- what isn't understood would keep nothing away
   if(json.Member(0,"id")>=0 && json.Type(json.Member(0,"id"))!=MQTT_JSON_STRING)
      return("\"id\" must be a text");
   json.String(0,"id",id);
   if(StringLen(id)>ID_LENGTH)
      return(StringFormat("\"id\" must have at most %d characters",ID_LENGTH));
   if(json.Member(0,"time")>=0 && !json.Integer(0,"time",time))
      return("\"time\" must be a whole number of seconds");
   if(InpMaxAge>0 && json.Member(0,"time")>=0 && TimeGMT()-time>InpMaxAge)
      return("too old");
//--- as milliseconds are: it would never be too old
   if(time-TimeGMT()>86400)
      return("\"time\" is more than a day ahead: it is in seconds since 1970");
   return("");
  }
//+------------------------------------------------------------------+
//| Does it                                                          |
//+------------------------------------------------------------------+
void CControlClient::Obey(const string command,CMqttJsonWriter &reply)
  {
   if(command=="pause")
      GlobalVariableSet(InpPauseVariable,1);
   if(command=="resume")
      GlobalVariableDel(InpPauseVariable);
//--- else a crash of the terminal would undo it
   if(command=="pause" || command=="resume")
      GlobalVariablesFlush();
   if(command=="close_all")
      CloseAll(reply);
   reply.BooleanField("paused",GlobalVariableCheck(InpPauseVariable));
   reply.IntegerField("positions",PositionsTotal());
   reply.IntegerField("orders",OrdersTotal());
   int digits=(int)AccountInfoInteger(ACCOUNT_CURRENCY_DIGITS);
   reply.NumberField("balance",AccountInfoDouble(ACCOUNT_BALANCE),digits);
   reply.NumberField("equity",AccountInfoDouble(ACCOUNT_EQUITY),digits);
  }
//+------------------------------------------------------------------+
//| Closes every position, and tells of each that it could not. The  |
//| oldest comes first: brokers with FIFO take no other              |
//+------------------------------------------------------------------+
void CControlClient::CloseAll(CMqttJsonWriter &reply)
  {
   ulong tickets[];
   int   closed=0;
   for(int i=0; i<100 && !Read(tickets); i++)
     { }
   int   total=ArraySize(tickets);
   ArraySort(tickets);
   reply.BeginArray("failed");
   for(int i=0; i<total; i++)
     {
      ulong ticket=tickets[i];
      if(ticket==0)
         continue;
      uint retcode=Close(ticket);
      //--- what is only placed, or done in part, isn't closed yet
      if(retcode==TRADE_RETCODE_DONE || retcode==TRADE_RETCODE_POSITION_CLOSED)
        {
         closed++;
         continue;
        }
      reply.BeginObject();
      reply.IntegerField("ticket",(long)ticket);
      reply.IntegerField("retcode",retcode);
      reply.StringField("result",CMqttTrade::Text(retcode));
      reply.EndObject();
     }
   reply.EndArray();
   reply.IntegerField("closed",closed);
  }
//+------------------------------------------------------------------+
//| All positions; false if they have changed while they were read:  |
//| one may be there twice then, and another one not at all          |
//+------------------------------------------------------------------+
bool CControlClient::Read(ulong &tickets[])
  {
   int total=PositionsTotal();
   ArrayResize(tickets,total);
   for(int i=0; i<total; i++)
      tickets[i]=PositionGetTicket(i);
   for(int i=0; i<total; i++)
      if(PositionGetTicket(i)!=tickets[i])
         return(false);
   return(PositionsTotal()==total);
  }
//+------------------------------------------------------------------+
//| Closes one position; returns the retcode. More than one order may|
//| have goes in parts, each of which has to be done before the next:|
//| the terminal may not show yet what is left                       |
//+------------------------------------------------------------------+
uint CControlClient::Close(const ulong ticket)
  {
   uint retcode=TRADE_RETCODE_DONE;
   if(!PositionSelectByTicket(ticket))
      return(TRADE_RETCODE_POSITION_CLOSED);
   double left=PositionGetDouble(POSITION_VOLUME);
   while(left>0.00000001 && retcode==TRADE_RETCODE_DONE && !IsStopped())
     {
      double closed=0;
      retcode=Close(ticket,left,closed);
      left=NormalizeDouble(left-closed,8);
     }
   return(left>0.00000001 && retcode==TRADE_RETCODE_DONE ? TRADE_RETCODE_DONE_PARTIAL : retcode);
  }
//+------------------------------------------------------------------+
//| One order of at most that volume for the selected position       |
//+------------------------------------------------------------------+
uint CControlClient::Close(const ulong ticket,const double volume,double &closed)
  {
   MqlTradeRequest request;
   MqlTradeResult  result;
   ZeroMemory(request);
   ZeroMemory(result);
   bool is_buy=(PositionGetInteger(POSITION_TYPE)==POSITION_TYPE_BUY);
   request.action=TRADE_ACTION_DEAL;
   request.position=ticket;
   request.symbol=PositionGetString(POSITION_SYMBOL);
   request.volume=CMqttTrade::Closable(request.symbol,volume);
   request.type=(is_buy ? ORDER_TYPE_SELL : ORDER_TYPE_BUY);
   request.price=SymbolInfoDouble(request.symbol,is_buy ? SYMBOL_BID : SYMBOL_ASK);
   request.deviation=100;
   request.magic=(ulong)PositionGetInteger(POSITION_MAGIC);
//--- what the symbol says of fillings isn't always true
   for(int refused=0; refused<3 && (refused==0 || result.retcode==TRADE_RETCODE_INVALID_FILL); refused++)
     {
      request.type_filling=CMqttTrade::Filling(request.symbol,refused);
      ZeroMemory(result);
      if(!OrderSend(request,result))
         Print("closing ",ticket,": ",CMqttTrade::Text(result.retcode));
     }
   closed=(result.retcode==TRADE_RETCODE_DONE ? request.volume : 0);
   return(result.retcode);
  }
//+------------------------------------------------------------------+
//| To the Response Topic of the command, or to the topic "reply"    |
//+------------------------------------------------------------------+
void CControlClient::Reply(const CMqttMessage &message,const string text)
  {
   CMqttProperties properties;
   string          topic="";
   uchar           correlation[];
   if(!message.PropertyString(MT5MQTT_PROP_RESPONSE_TOPIC,0,topic))
      topic=m_topic+"/reply";
   if(message.PropertyBytes(MT5MQTT_PROP_CORRELATION_DATA,0,correlation))
      properties.SetBytes(MT5MQTT_PROP_CORRELATION_DATA,correlation);
   if(!Publish(topic,text,1,false,properties))
      Print(topic,": ",ResultDescription());
  }
//+------------------------------------------------------------------+
//| Starts                                                           |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   if(InpMaxAge<0)
     {
      Print("InpMaxAge must be 0 or more");
      return(INIT_FAILED);
     }
   if(StringLen(InpPauseVariable)<1 || StringLen(InpPauseVariable)>63)
     {
      Print("InpPauseVariable must have 1 to 63 characters");
      return(INIT_FAILED);
     }
   if(ExtClient.SetTimer(50) && ExtClient.Start())
      return(INIT_SUCCEEDED);
   Print("MQTT: ",ExtClient.ResultDescription());
   return(INIT_FAILED);
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
//| Takes the commands                                               |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtClient.Leave();
   if(!ExtClient.IsCreated() && !ExtClient.Start())
     {
      Print("MQTT: ",ExtClient.ResultDescription());
      ExpertRemove();
      return;
     }
//--- a terminal forgets what nobody has read for four weeks, and asking whether it exists is no reading
   GlobalVariableGet(InpPauseVariable);
   ExtClient.Dispatch(10);
   ExtClient.Renew();
  }
//+------------------------------------------------------------------+
