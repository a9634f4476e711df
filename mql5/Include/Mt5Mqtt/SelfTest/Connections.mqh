//+------------------------------------------------------------------+
//|                                                  Connections.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Options, connections, events that Dispatch() takes, figures.
#ifndef MT5MQTT_SELFTEST_CONNECTIONS_MQH
#define MT5MQTT_SELFTEST_CONNECTIONS_MQH
#include "..\Server.mqh"
#include "Expect.mqh"
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
#endif
//+------------------------------------------------------------------+
