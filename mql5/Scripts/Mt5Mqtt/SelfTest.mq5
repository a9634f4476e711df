//+------------------------------------------------------------------+
//|                                                     SelfTest.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Run it after an installation: a line PASS or FAIL for each check in
//--- the journal's Experts tab, and their number at the end.
#property version     "1.00"
#property description "Tries everything that mt5mqtt offers against a Server and prints PASS or FAIL."
#property script_show_inputs
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Server.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
input group  "Self test"
input string InpRoot="mt5mqtt-selftest";     // First level of all topics
CMqttCheck ExtCheck;
//+------------------------------------------------------------------+
//| A topic of this test                                             |
//+------------------------------------------------------------------+
string Topic(const string rest)
  {
   return(InpRoot+"/"+rest);
  }
//+------------------------------------------------------------------+
//| Counts what Dispatch() calls                                     |
//+------------------------------------------------------------------+
class CCounting : public CMqttClient
  {
public:
   string            m_calls;
                     CCounting(void) : m_calls("") { }
   virtual void      OnConnected(const CMqttMessage &message)    { m_calls+="C"; }
   virtual void      OnDisconnected(const CMqttMessage &message) { m_calls+="D"; }
   virtual void      OnMessage(const CMqttMessage &message)      { m_calls+="M"; }
   virtual void      OnPublished(const CMqttMessage &message)    { m_calls+="P"; }
   virtual void      OnSubscribed(const CMqttMessage &message)   { m_calls+="S"; }
   virtual void      OnUnsubscribed(const CMqttMessage &message) { m_calls+="U"; }
   virtual void      OnFailed(const CMqttMessage &message)       { m_calls+="F"; }
  };
//+------------------------------------------------------------------+
//| The next event, of that kind                                     |
//+------------------------------------------------------------------+
bool Await(CMqttClient &client,CMqttMessage &message,const ENUM_MQTT_EVENT kind)
  {
   ulong end=GetTickCount64()+10000;
   while(GetTickCount64()<end)
     {
      if(client.Next(message))
         return(ExtCheck.That(message.Kind()==kind,"event "+EnumToString(message.Kind())+", not "+EnumToString(kind)+": "+message.Text()));
      if(client.ResultStatus()!=MT5MQTT_OK)
         return(ExtCheck.That(false,client.ResultDescription()));
      client.Wait(100);
     }
   return(ExtCheck.That(false,"no "+EnumToString(kind)+" came"));
  }
//+------------------------------------------------------------------+
//| A call that must be accepted                                     |
//+------------------------------------------------------------------+
void Accepted(const bool result,const CMqttResult &of,const string what)
  {
   ExtCheck.That(result && of.ResultStatus()==MT5MQTT_OK && of.ResultDescription()=="",what+": "+of.ResultDescription());
  }
//+------------------------------------------------------------------+
//| A call that must be refused, with words                          |
//+------------------------------------------------------------------+
void Refused(const bool result,const CMqttResult &of,const ENUM_MQTT_STATUS status,const string what)
  {
   ExtCheck.That(!result && of.ResultStatus()==status && StringLen(of.ResultDescription())>10,
                 what+": "+EnumToString(of.ResultStatus())+" "+of.ResultDescription());
  }
//+------------------------------------------------------------------+
//| All of it                                                        |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   CMqttClient client;
   BeforeConnect(client);
   CMqttMessage message;
   Accepted(client.Connect(),client,"Connect");
   if(Await(client,message,MT5MQTT_EVENT_CONNECTED))
     {
      ExtCheck.That(client.IsConnected() && !client.HasFailed() && !message.SessionPresent(),"a new Session");
      Messages(client);
      Batches(client);
      if(InpVersion==5)
        {
         Properties(client);
         Requests(client);
        }
      Acknowledging(client);
      Figures(client);
      Accepted(client.Disconnect(1000),client,"Disconnect");
      Await(client,message,MT5MQTT_EVENT_DISCONNECTED);
      ExtCheck.That(message.Status()==MT5MQTT_OK && client.State()==MT5MQTT_STATE_IDLE,"disconnected: "+message.StatusDescription());
     }
   client.Destroy();
   ExtCheck.That(!client.IsCreated() && client.State()==MT5MQTT_STATE_IDLE,"destroyed");
   Refused(client.Publish("a","b",0,false),client,MT5MQTT_E_INVALID_HANDLE,"publish without a client");
   Dispatching();
   Sharing();
   Conflating();
   Topics();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| A part of a shared connection, before Connect()                  |
//+------------------------------------------------------------------+
bool OpenShared(CMqttClient &client,const string connection,const string inbox,const int keep_alive)
  {
   return(client.CreateShared(connection,inbox) && SetServer(client) && client.SetKeepAlive(keep_alive));
  }
//+------------------------------------------------------------------+
//| Two programs on one connection, as far as one can be two         |
//+------------------------------------------------------------------+
void Sharing(void)
  {
   CMqttClient first,second,third;
   CMqttMessage message;
   string connection="mt5mqtt-selftest-"+IntegerToString(mt5mqtt_time_unix_us());
   Refused(first.CreateShared("",""),first,MT5MQTT_E_INVALID_ARGUMENT,"CreateShared without a name");
   Accepted(OpenShared(first,connection,"first",20),first,"CreateShared");
   Accepted(OpenShared(second,connection,"second",20),second,"CreateShared of a second program");
   Accepted(OpenShared(third,connection,"third",21),third,"CreateShared of a third program");
   Refused(first.CreateShared(connection,"first"),first,MT5MQTT_E_WRONG_STATE,"CreateShared again");
   ExtCheck.That(first.Handle()!=second.Handle(),"each program has a handle of its own");
   Accepted(first.Connect(),first,"Connect of a shared connection");
   Accepted(second.Connect(),second,"Connect of the second program");
   Refused(third.Connect(),third,MT5MQTT_E_SHARED_DIFFERS,"Connect with another Keep Alive");
   if(!Await(first,message,MT5MQTT_EVENT_CONNECTED) || !Await(second,message,MT5MQTT_EVENT_CONNECTED))
      return;
   Accepted(first.Subscribe(Topic("shared"),1),first,"Subscribe of the first program");
   Await(first,message,MT5MQTT_EVENT_SUBSCRIBED);
   Accepted(second.Publish(Topic("shared"),"from the second",1,false),second,"Publish of the second program");
   if(Await(first,message,MT5MQTT_EVENT_MESSAGE))
      ExtCheck.Same(message.PayloadText(),"from the second","a message between two programs");
   ExtCheck.That(Await(second,message,MT5MQTT_EVENT_PUBLISHED),"its end comes to the second program");
   first.Destroy();
   ExtCheck.That(second.IsConnected(),"the second program goes on");
   Accepted(second.Disconnect(1000),second,"Disconnect of the last program");
  }
//+------------------------------------------------------------------+
//| Options                                                          |
//+------------------------------------------------------------------+
void BeforeConnect(CMqttClient &client)
  {
   uchar password[]={'s',0,'p'};
   ExtCheck.That(!client.IsCreated(),"nothing before the first call");
   Refused(client.Connect(),client,MT5MQTT_E_WRONG_STATE,"Connect without an address");
   Refused(client.SetUrl("ftp://x"),client,MT5MQTT_E_OUT_OF_RANGE,"SetUrl");
   Accepted(client.SetUrl(InpUrl),client,"SetUrl");
   ExtCheck.That(client.IsCreated(),"created by a setter");
   Accepted(SetServer(client),client,"SetServer");
   Accepted(client.SetClientId("mt5mqtt-selftest"),client,"SetClientId");
   string cut="";
   for(int i=0; i<250; i++)
      cut+="c";
   Accepted(client.IsWhole("InpUrl",InpUrl),client,"IsWhole");
   Accepted(client.SetInput(MT5MQTT_OPT_CLIENT_ID,"InpClientId","mt5mqtt-selftest"),client,"SetInput");
   Refused(client.SetInput(MT5MQTT_OPT_CLIENT_ID,"InpClientId",cut),client,MT5MQTT_E_INVALID_ARGUMENT,"SetInput of what may be cut");
   bool is_timed=client.SetTimer(1000);
   EventKillTimer();
   ExtCheck.That(is_timed==(client.ResultStatus()==MT5MQTT_OK),"SetTimer");
   CMqttClient other;
   Accepted(other.SetCredentials("name","password"),other,"SetCredentials");
   Accepted(other.SetOptionBytes(MT5MQTT_OPT_PASSWORD,password),other,"SetOptionBytes");
   Accepted(client.SetProtocolVersion(InpVersion),client,"SetProtocolVersion");
   Refused(client.SetProtocolVersion(3),client,MT5MQTT_E_OUT_OF_RANGE,"SetProtocolVersion");
   Accepted(client.SetCleanStart(true),client,"SetCleanStart");
   Accepted(client.SetSessionExpiry(60),client,"SetSessionExpiry");
   Accepted(client.SetKeepAlive(20),client,"SetKeepAlive");
   Accepted(client.SetReconnectDelay(10,100),client,"SetReconnectDelay");
   Refused(client.SetStorePath(""),client,MT5MQTT_E_OUT_OF_RANGE,"SetStorePath, of none");
   Accepted(client.SetOptionInteger(MT5MQTT_OPT_PROGRESS,1),client,"SetOptionInteger");
   Accepted(client.SetOptionInteger(MT5MQTT_OPT_ACKNOWLEDGE,2),client,"SetOptionInteger");
   Refused(client.SetOptionString(MT5MQTT_OPT_KEEP_ALIVE_S,"x"),client,MT5MQTT_E_WRONG_TYPE,"SetOptionString");
   Accepted(client.SetWill(Topic("w/text"),"gone",1,false),client,"SetWill with text");
   Refused(client.SetWill(Topic("w/#"),"gone",1,false),client,MT5MQTT_E_INVALID_TOPIC,"SetWill");
   CMqttProperties delayed;
   Accepted(delayed.SetInteger(MT5MQTT_PROP_WILL_DELAY_INTERVAL,5),delayed,"SetInteger of a Will Delay Interval");
   Accepted(client.SetWill(Topic("w/text"),"gone",1,false,delayed),client,"SetWill with text and a delay");
   CMqttProperties connect;
   Accepted(connect.AddUserProperty("terminal","self test"),connect,"AddUserProperty");
   Accepted(client.SetConnectProperties(connect),client,"SetConnectProperties");
   Accepted(connect.SetInteger(MT5MQTT_PROP_RECEIVE_MAXIMUM,5),connect,"SetInteger");
   Refused(client.SetConnectProperties(connect),client,MT5MQTT_E_INVALID_ARGUMENT,"SetConnectProperties of an option");
  }
//+------------------------------------------------------------------+
//| Texts and bytes there and back                                   |
//+------------------------------------------------------------------+
void Messages(CMqttClient &client)
  {
   CMqttMessage message;
   Accepted(client.Subscribe(Topic("t/#"),1),client,"Subscribe");
   long token=client.ResultToken();
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   ExtCheck.That(token>0 && message.Token()==token && message.Topic()==Topic("t/#") && message.ReasonCode()==1,"granted QoS 1");
   ExtCheck.That(StringFind(message.ReasonCodeDescription(),"QoS 1")>=0,message.ReasonCodeDescription());
//--- "Hi" in Russian, "world" in Chinese, an emoji as a pair of surrogates
   ushort scripts[]={0x041F,0x0440,0x0438,0x4E16,0x754C,0xD83C,0xDF0D};
   string text=ShortArrayToString(scripts)+" end";
   Accepted(client.Publish(Topic("t/"+text),text,1,false),client,"Publish of text");
   token=client.ResultToken();
   bool published=false;
   for(int i=0; i<2 && client.Wait(5000); i++)
     {
      client.Next(message);
      if(message.Kind()==MT5MQTT_EVENT_PUBLISHED)
         published=(message.Token()==token && message.Status()==MT5MQTT_OK);
      else
         ReceivedText(client,message,text);
     }
   ExtCheck.That(published,"the publish is complete");
   ENUM_MQTT_STAGE stage=MT5MQTT_STAGE_ACCEPTED;
   Accepted(client.PublishStage(token,stage),client,"PublishStage");
   ExtCheck.That(stage==MT5MQTT_STAGE_COMPLETE,"the stage of the publish");
   Refused(client.PublishStage(0,stage),client,MT5MQTT_E_UNKNOWN_TOKEN,"PublishStage of nothing");
   Accepted(client.Cancel(token),client,"Cancel of what has ended");
   Refused(client.Cancel(0),client,MT5MQTT_E_UNKNOWN_TOKEN,"Cancel of nothing");
   Payloads(client);
   Refused(client.Publish(Topic("t/#"),"x",0,false),client,MT5MQTT_E_INVALID_TOPIC,"a wildcard in a Topic Name");
   ushort half[]={0xD83C};
   Refused(client.Publish(Topic("t"),ShortArrayToString(half),0,false),client,MT5MQTT_E_INVALID_TEXT,"half an emoji");
   Refused(client.Subscribe(Topic("t/#/x"),1),client,MT5MQTT_E_INVALID_TOPIC,"a wrong Topic Filter");
   Accepted(client.Unsubscribe(Topic("t/#")),client,"Unsubscribe");
   Await(client,message,MT5MQTT_EVENT_UNSUBSCRIBED);
  }
//+------------------------------------------------------------------+
//| The message that Messages() publishes                            |
//+------------------------------------------------------------------+
void ReceivedText(CMqttClient &client,const CMqttMessage &message,const string text)
  {
   ExtCheck.That(message.Kind()==MT5MQTT_EVENT_MESSAGE,"a message");
   ExtCheck.Same(message.Topic(),Topic("t/"+text),"topic");
   ExtCheck.Same(message.PayloadText(),text,"payload");
   ExtCheck.That(message.PayloadIsText() && message.PayloadSize()==20,"UTF-8 without a zero: "+(string)message.PayloadSize());
   ExtCheck.That(message.QoS()==1 && !message.IsRetained() && !message.IsDuplicate() && message.PacketId()>0,"flags");
   ExtCheck.That(message.TimeMicroseconds()>(long)1700000000*1000000 && message.Dropped()==0,"time");
   ExtCheck.That(message.Token()>0 && !message.IsSeenBefore() && (int)message.Stage()==0,"a token to acknowledge");
   Accepted(client.Acknowledge(message,0),client,"Acknowledge");
  }
//+------------------------------------------------------------------+
//| Bytes, none, and those that are no text                          |
//+------------------------------------------------------------------+
void Payloads(CMqttClient &client)
  {
   CMqttMessage message;
   uchar bytes[]={0,1,254,255};
   uchar none[];
   uchar much[];
   uchar received[];
   Accepted(client.Publish(Topic("t/b"),bytes,0,false),client,"Publish of bytes");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   message.Payload(received);
   ExtCheck.That(ArraySize(received)==4 && received[0]==0 && received[3]==255,"bytes");
   ExtCheck.That(!message.PayloadIsText() && message.PayloadText()=="","no text");
   Accepted(client.Publish(Topic("t/n"),none,0,false),client,"Publish of no bytes");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   message.Payload(received);
   ExtCheck.That(message.PayloadSize()==0 && ArraySize(received)==0 && message.PayloadIsText(),"an empty payload");
   Accepted(client.Publish(Topic("t/e"),"",0,false),client,"Publish of an empty text");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(message.PayloadSize(),0,"an empty text");
   string nothing=NULL;
   Accepted(client.Publish(Topic("t/e"),nothing,0,false),client,"Publish of NULL");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(message.PayloadSize(),0,"NULL is empty");
   ArrayResize(much,100000);
   ArrayInitialize(much,'x');
   Accepted(client.Publish(Topic("t/l"),much,0,false),client,"Publish of much");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(StringLen(message.PayloadText()),100000,"a long text");
  }
//+------------------------------------------------------------------+
//| Many messages in one call, there and back                        |
//+------------------------------------------------------------------+
void Batches(CMqttClient &client)
  {
   CMqttBatch   batch;
   CMqttMessage message;
   string       price="1.08512 "+ShortToString(0x20AC);
   CMqttMessage messages[];
   ArrayResize(messages,10);
   Accepted(client.Subscribe(Topic("t/#"),0),client,"Subscribe for batches");
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   uchar        bytes[]={0,1,254,255};
   uchar        much[];
   ExtCheck.That(client.Publish(batch) && batch.Count()==0 && batch.Token(0)==0,"an empty batch");
   batch.Add(Topic("t/1"),price,0,false);
   batch.Add(Topic("t/2"),bytes,0,false);
   batch.Add(Topic("t/3"),"",0,false);
   Accepted(client.Publish(batch),client,"Publish of a batch");
   ExtCheck.That(batch.Token(0)>0 && batch.Token(1)>batch.Token(0) && batch.Token(2)>batch.Token(1),"a token each");
   int   seen=0;
   ulong end=GetTickCount64()+10000;
   while(seen<3 && GetTickCount64()<end)
     {
      client.Wait(100);
      int count=client.NextBatch(messages);
      for(int i=0; i<count; i++)
        {
         seen++;
         ExtCheck.That(messages[i].Topic()==Topic("t/"+IntegerToString(seen)),"the topic");
         if(seen==1)
            ExtCheck.That(messages[i].PayloadText()==price,"text of a batch");
         if(seen==2)
           {
            uchar received[];
            messages[i].Payload(received);
            ExtCheck.That(ArraySize(received)==4 && received[3]==255 && !messages[i].PayloadIsText(),"bytes of a batch");
           }
        }
     }
   ExtCheck.Equal(seen,3,"messages of a batch");
//--- more than the buffer holds comes as well
   ArrayResize(much,100000);
   ArrayInitialize(much,'x');
   batch.Clear();
   batch.Add(Topic("t/l"),much,0,false);
   Accepted(client.Publish(batch),client,"Publish of a long batch");
   for(seen=0; seen==0 && GetTickCount64()<end; seen=client.NextBatch(messages))
      client.Wait(100);
   ExtCheck.That(seen==1 && messages[0].PayloadSize()==100000,"a long message");
//--- the first that is refused
   batch.Clear();
   batch.Add(Topic("t/4"),"accepted",0,false);
   batch.Add(Topic("t/#"),"refused",0,false);
   batch.Add(Topic("t/5"),"behind it",0,false);
   Refused(client.Publish(batch),client,MT5MQTT_E_INVALID_TOPIC,"a batch with a wildcard");
   ExtCheck.That(batch.Token(0)>0 && batch.Token(1)==0 && batch.Token(2)==0 && batch.Status(1)==MT5MQTT_E_INVALID_TOPIC,"one of three");
   if(Await(client,message,MT5MQTT_EVENT_MESSAGE))
      ExtCheck.That(message.PayloadText()=="accepted","what was accepted");
//--- properties go with each message
   CMqttProperties properties;
   if(InpVersion==5)
      properties.SetString(MT5MQTT_PROP_CONTENT_TYPE,"text/plain");
   batch.Clear();
   batch.Add(Topic("t/6"),"with properties",0,false);
   Accepted(client.Publish(batch,properties),client,"Publish of a batch with properties");
   for(seen=0; seen==0 && GetTickCount64()<end; seen=client.NextBatch(messages))
      client.Wait(100);
   ExtCheck.Equal(messages[0].PropertyCount(MT5MQTT_PROP_CONTENT_TYPE),InpVersion==5 ? 1 : 0,"properties of a batch");
   Accepted(client.Unsubscribe(Topic("t/#")),client,"Unsubscribe for batches");
   Await(client,message,MT5MQTT_EVENT_UNSUBSCRIBED);
  }
//+------------------------------------------------------------------+
//| Properties of MQTT 5.0 there and back                            |
//+------------------------------------------------------------------+
void Properties(CMqttClient &client)
  {
   CMqttProperties properties;
   CMqttMessage    message;
   uchar           data[]={7,0,8};
   uchar           none[];
   Accepted(properties.Clear(),properties,"Clear before anything is set");
   ExtCheck.Equal(properties.Handle(),0,"no handle before the first property");
   Accepted(properties.SetInteger(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,60),properties,"SetInteger");
   Accepted(properties.SetString(MT5MQTT_PROP_RESPONSE_TOPIC,"reply/here"),properties,"SetString");
   Accepted(properties.SetBytes(MT5MQTT_PROP_CORRELATION_DATA,data),properties,"SetBytes");
   Accepted(properties.AddUserProperty("one","1"),properties,"AddUserProperty");
   Accepted(properties.AddUserProperty("two",""),properties,"AddUserProperty with an empty value");
   Refused(properties.SetString(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,"x"),properties,MT5MQTT_E_WRONG_TYPE,"SetString");
   Accepted(properties.SetTimeToLive(60000),properties,"SetTimeToLive");
   Refused(properties.SetTimeToLive(-1),properties,MT5MQTT_E_OUT_OF_RANGE,"SetTimeToLive");
   Accepted(properties.SetPriority(true),properties,"SetPriority");
   Accepted(properties.SetConflationKey("key"),properties,"SetConflationKey");
   Accepted(properties.SetConflation(true),properties,"SetConflation");
   Accepted(properties.SetConflation(false),properties,"SetConflation");
   CMqttProperties identifier;
   Accepted(identifier.SetInteger(MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER,9),identifier,"SetInteger");
   Accepted(client.Subscribe(Topic("p"),0,identifier),client,"Subscribe with properties");
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   Accepted(client.Publish(Topic("p"),"text",0,false,properties),client,"Publish with properties");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ReceivedProperties(message);
   Accepted(client.Publish(Topic("p"),none,0,false,properties),client,"Publish of bytes with properties");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ReceivedProperties(message);
   Accepted(properties.Clear(),properties,"Clear");
   Accepted(client.Publish(Topic("p"),"bare",0,false,properties),client,"Publish with an empty set");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(message.PropertyCount(MT5MQTT_PROP_USER_PROPERTY),0,"none");
  }
//+------------------------------------------------------------------+
//| What Properties() set                                            |
//+------------------------------------------------------------------+
void ReceivedProperties(const CMqttMessage &message)
  {
   long   number=0;
   string text="";
   string name="";
   uchar  bytes[];
   ExtCheck.That(message.PropertyInteger(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,0,number) && number>50 && number<=60,"PropertyInteger");
   ExtCheck.That(message.PropertyInteger(MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER,0,number) && number==9,"Subscription Identifier");
   ExtCheck.That(message.PropertyString(MT5MQTT_PROP_RESPONSE_TOPIC,0,text) && text=="reply/here","PropertyString");
   ExtCheck.That(message.PropertyBytes(MT5MQTT_PROP_CORRELATION_DATA,0,bytes) && ArraySize(bytes)==3 && bytes[2]==8,"PropertyBytes");
   ExtCheck.Equal(message.PropertyCount(MT5MQTT_PROP_USER_PROPERTY),2,"PropertyCount");
   ExtCheck.That(message.UserProperty(1,name,text) && name=="two" && text=="","UserProperty");
   ExtCheck.That(!message.UserProperty(2,name,text),"no third User Property");
   ExtCheck.That(!message.PropertyString(MT5MQTT_PROP_CONTENT_TYPE,0,text),"no Content Type");
  }
//+------------------------------------------------------------------+
//| Requests to itself, in each form, and one that nobody answers    |
//+------------------------------------------------------------------+
void Requests(CMqttClient &client)
  {
   CMqttMessage    message;
   CMqttProperties none;
   uchar           payload[]={'b','y'};
   string          topic=Topic("requests");
   Accepted(client.Subscribe(topic,0),client,"Subscribe to requests");
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   for(int form=0; form<4; form++)
     {
      switch(form)
        {
         case 0:
            Accepted(client.Request(topic,"by",0,5000),client,"Request of text");
            break;
         case 1:
            Accepted(client.Request(topic,"by",0,5000,none),client,"Request of text with no properties");
            break;
         case 2:
            Accepted(client.Request(topic,payload,0,5000),client,"Request of bytes");
            break;
         case 3:
            Accepted(client.Request(topic,payload,0,5000,none),client,"Request of bytes with no properties");
            break;
        }
      long token=client.ResultToken();
      Await(client,message,MT5MQTT_EVENT_MESSAGE);
      ExtCheck.Same(message.PayloadText(),"by","the request");
      switch(form)
        {
         case 0:
            Accepted(client.Respond("by",0),client,"Respond with text");
            break;
         case 1:
            Accepted(client.Respond("by",0,none),client,"Respond with text and no properties");
            break;
         case 2:
            Accepted(client.Respond(payload,0),client,"Respond with bytes");
            break;
         case 3:
            Accepted(client.Respond(payload,0,none),client,"Respond with bytes and no properties");
            break;
        }
      Await(client,message,MT5MQTT_EVENT_RESPONSE);
      ExtCheck.That(message.Token()==token && message.Status()==MT5MQTT_OK && message.PayloadText()=="by","the response");
     }
   Accepted(client.Request(Topic("nobody"),"x",0,50),client,"Request to nobody");
   Await(client,message,MT5MQTT_EVENT_RESPONSE);
   ExtCheck.That(message.Status()==MT5MQTT_E_TIMEOUT,"no response in time: "+message.StatusDescription());
  }
//+------------------------------------------------------------------+
//| Acknowledging by hand                                            |
//+------------------------------------------------------------------+
void Acknowledging(CMqttClient &client)
  {
   CMqttMessage message;
   uchar        data[]={1};
   Refused(client.Acknowledge(message,0),client,MT5MQTT_E_UNKNOWN_TOKEN,"Acknowledge of nothing");
   CMqttProperties why;
   Accepted(why.SetString(MT5MQTT_PROP_REASON_STRING,"market closed"),why,"SetString of a Reason String");
   Refused(client.Acknowledge(message,131,why),client,MT5MQTT_E_UNKNOWN_TOKEN,"Acknowledge of nothing, with its reason");
   ExtCheck.That(!client.Authenticate(data) && !client.Reauthenticate(data),"no authentication without a method");
   ExtCheck.That(!client.Authenticate(data,why) && !client.Reauthenticate(data,why),"nor with its reason");
  }
//+------------------------------------------------------------------+
//| Figures                                                          |
//+------------------------------------------------------------------+
void Figures(CMqttClient &client)
  {
   long value=0;
   Accepted(client.Stat(MT5MQTT_STAT_MESSAGES_SENT,value),client,"Stat");
   ExtCheck.That(value>=5,"messages sent: "+(string)value);
   ExtCheck.That(StringFind(client.Server(),"://")>0,"the Server: "+client.Server());
   Refused(client.Stat((ENUM_MQTT_STAT)9999,value),client,MT5MQTT_E_INVALID_ARGUMENT,"an unknown figure");
  }
//+------------------------------------------------------------------+
//| Events by virtual methods, and Will Messages                     |
//+------------------------------------------------------------------+
void Dispatching(void)
  {
   CCounting       client;
   CMqttProperties none;
   uchar           payload[]={'x'};
   Accepted(SetServer(client),client,"SetServer");
   Accepted(client.SetWill(Topic("w/bytes"),payload,0,false,none),client,"SetWill with bytes");
   Accepted(client.Connect(),client,"Connect");
   Accepted(client.Subscribe(Topic("d"),0),client,"Subscribe");
   string wanted="CSMUD";
   ulong  end=GetTickCount64()+10000;
   int    step=0;
   while(client.m_calls!=wanted && GetTickCount64()<end)
     {
      client.Wait(50);
      client.Dispatch(10);
      if(client.m_calls=="CS" && step==0)
        {
         step=1;
         Accepted(client.Publish(Topic("d"),payload,0,false,none),client,"Publish with no properties");
        }
      if(client.m_calls=="CSM" && step==1)
        {
         step=2;
         Accepted(client.Unsubscribe(Topic("d"),none),client,"Unsubscribe with no properties");
        }
      if(client.m_calls=="CSMU" && step==2)
        {
         step=3;
         Accepted(client.Disconnect(0,none,1000),client,"Disconnect with no properties");
        }
     }
   ExtCheck.Same(client.m_calls,wanted,"calls of Dispatch()");
  }
//+------------------------------------------------------------------+
//| What waits for a connection, as none comes                       |
//+------------------------------------------------------------------+
void Conflating(void)
  {
   CMqttClient     client;
   CMqttProperties properties;
   long            superseded=-1;
   Accepted(client.SetUrl(InpUrl),client,"SetUrl");
   for(int i=0; i<4; i++)
     {
      if(i==0)
         Accepted(properties.SetConflation(true),properties,"SetConflation");
      if(i==2)
         Accepted(properties.SetConflation(false),properties,"SetConflation of none");
      Accepted(client.Publish(Topic("conflated"),IntegerToString(i),1,false,properties),client,"Publish without a connection");
      client.Stat(MT5MQTT_STAT_PUBLISHES_SUPERSEDED,superseded);
      ExtCheck.Equal(superseded,i==0 ? 0 : 1,"superseded publishes");
     }
  }
//+------------------------------------------------------------------+
//| Symbols in topics                                                |
//+------------------------------------------------------------------+
void Topics(void)
  {
   ExtCheck.Same(CMqttClient::EscapeTopicLevel("#US+SP/500%$"),"%23US%2BSP%2F500%25$","EscapeTopicLevel");
   ExtCheck.Same(CMqttClient::EscapeTopicLevel("$x\t"),"%24x%09","a leading $, a control character");
   ExtCheck.Same(CMqttClient::UnescapeTopicLevel("%23US%2BSP%2F500%25$%zz%"),"#US+SP/500%$%zz%","UnescapeTopicLevel");
   ushort units[]={0x85,0x41F};
   string control=ShortArrayToString(units);
   ExtCheck.Same(CMqttClient::UnescapeTopicLevel(CMqttClient::EscapeTopicLevel(control)),control,"there and back");
  }
//+------------------------------------------------------------------+
