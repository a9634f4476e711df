//+------------------------------------------------------------------+
//|                                                       Client.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_CLIENT_MQH
#define MT5MQTT_CLIENT_MQH
#include "Batch.mqh"
#include "Message.mqh"
#include "Properties.mqh"
//--- mt5mqtt_wait() can't see IsStopped(): the longest wait between looks
#define MQTT_WAIT_SLICE_MS 50
//+------------------------------------------------------------------+
//| Class CMqttClient.                                               |
//| Appointment: one MQTT client.                                    |
//|                                                                  |
//| A method that returns bool says whether the library accepted the |
//| call; ResultStatus() and ResultDescription() say why it did not. |
//| What becomes of an accepted call comes later as an event that    |
//| carries ResultToken(), through Next(), or through Dispatch() to  |
//| the virtual On... methods. Defaults and rules of the protocol    |
//| are the library's: this class has none.                          |
//|                                                                  |
//| No CObject, whose Next() is another thing.                       |
//+------------------------------------------------------------------+
class CMqttClient : public CMqttResult
  {
private:
   long              m_client;             // handle, 0 = none
   bool              m_allow_in_tester;
   MqttEvent         m_event;              // the current event
   ushort            m_units[];            // buffer for text
   uchar             m_events[];           // buffer for events that are taken together

public:
                     CMqttClient(void);
   virtual          ~CMqttClient(void)     { Destroy(); }
   //--- life
   bool              Create(void);
   bool              CreateShared(const string connection,const string inbox);
   void              Destroy(void);
   void              Deinit(const int reason);
   bool              IsCreated(void) const { return(m_client>0); }
   long              Handle(void) const    { return(m_client);   }
   void              AllowInTester(const bool allow) { m_allow_in_tester=allow; }
   //--- options, before Connect()
   bool              SetUrl(const string url);
   bool              SetClientId(const string client_id);
   bool              SetCredentials(const string user_name,const string password);
   bool              SetProtocolVersion(const int version);
   bool              SetCleanStart(const bool clean_start);
   bool              SetSessionExpiry(const long seconds);
   bool              SetKeepAlive(const int seconds);
   bool              SetReconnectDelay(const int minimum_ms,const int maximum_ms);
   bool              SetStorePath(const string folder);
   bool              SetOptionInteger(const ENUM_MQTT_OPTION option,const long value);
   bool              SetOptionString(const ENUM_MQTT_OPTION option,const string value);
   bool              SetOptionBytes(const ENUM_MQTT_OPTION option,const uchar &value[]);
   bool              SetWill(const string topic,const string text,const int qos,const bool retain);
   bool              SetWill(const string topic,const string text,const int qos,const bool retain,const CMqttProperties &properties);
   bool              SetWill(const string topic,const uchar &payload[],const int qos,const bool retain,const CMqttProperties &properties);
   bool              SetConnectProperties(const CMqttProperties &properties);
   //--- connection
   bool              StartDoctor(void);
   bool              Connect(void);
   bool              Disconnect(const int timeout_ms);
   bool              Disconnect(const int reason_code,const CMqttProperties &properties,const int timeout_ms);
   ENUM_MQTT_STATE   State(void) const;
   bool              IsConnected(void) const { return(State()==MT5MQTT_STATE_CONNECTED); }
   //--- the URL that is tried or in use, "" if none
   string            Server(void) const;
   bool              Stat(const ENUM_MQTT_STAT stat,long &value);
   //--- sending
   bool              Publish(const string topic,const string text,const int qos,const bool retain);
   bool              Publish(const string topic,const string text,const int qos,const bool retain,const CMqttProperties &properties);
   bool              Publish(const string topic,const uchar &payload[],const int qos,const bool retain);
   bool              Publish(const string topic,const uchar &payload[],const int qos,const bool retain,const CMqttProperties &properties);
   bool              Publish(CMqttBatch &batch);
   bool              Publish(CMqttBatch &batch,const CMqttProperties &properties);
   bool              PublishStage(const long token,ENUM_MQTT_STAGE &stage);
   //--- options: the QoS plus flags of ENUM_MQTT_SUBSCRIBE
   bool              Subscribe(const string filter,const int options);
   bool              Subscribe(const string filter,const int options,const CMqttProperties &properties);
   bool              Unsubscribe(const string filter);
   bool              Unsubscribe(const string filter,const CMqttProperties &properties);
   //--- Enhanced Authentication: Authenticate() answers the MT5MQTT_EVENT_AUTHENTICATE taken last
   bool              Authenticate(const uchar &data[]);
   bool              Authenticate(const uchar &data[],const CMqttProperties &properties);
   bool              Reauthenticate(const uchar &data[]);
   bool              Reauthenticate(const uchar &data[],const CMqttProperties &properties);
   //--- requests: the end comes as MT5MQTT_EVENT_RESPONSE; Respond() answers the event taken last
   bool              Request(const string topic,const string text,const int qos,const int timeout_ms);
   bool              Request(const string topic,const string text,const int qos,const int timeout_ms,const CMqttProperties &properties);
   bool              Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms);
   bool              Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms,const CMqttProperties &properties);
   bool              Respond(const string text,const int qos);
   bool              Respond(const string text,const int qos,const CMqttProperties &properties);
   bool              Respond(const uchar &payload[],const int qos);
   bool              Respond(const uchar &payload[],const int qos,const CMqttProperties &properties);
   //--- receiving
   bool              Next(CMqttMessage &message);
   int               NextBatch(CMqttMessage &messages[]);
   int               Dispatch(const int max_events);
   bool              Wait(const int timeout_ms);
   bool              Acknowledge(const CMqttMessage &message,const int reason_code);
   bool              Acknowledge(const CMqttMessage &message,const int reason_code,const CMqttProperties &properties);
   //--- symbols such as #USSPX500 in topics
   static string     EscapeTopicLevel(const string level)   { return(CMqttText::EscapeTopicLevel(level));   }
   static string     UnescapeTopicLevel(const string level) { return(CMqttText::UnescapeTopicLevel(level)); }

protected:
   //--- called by Dispatch()
   virtual void      OnConnected(const CMqttMessage &message)    { }
   virtual void      OnDisconnected(const CMqttMessage &message) { }
   virtual void      OnMessage(const CMqttMessage &message)      { }
   virtual void      OnPublished(const CMqttMessage &message)    { }
   virtual void      OnSubscribed(const CMqttMessage &message)   { }
   virtual void      OnUnsubscribed(const CMqttMessage &message) { }
   virtual void      OnProgress(const CMqttMessage &message)     { }
   virtual void      OnStore(const CMqttMessage &message)        { }
   virtual void      OnResponse(const CMqttMessage &message)     { }
   virtual void      OnAuthenticate(const CMqttMessage &message) { }
   virtual void      OnAuthenticated(const CMqttMessage &message) { }
   virtual void      OnFailed(const CMqttMessage &message)       { }
   virtual void      OnBreach(const CMqttMessage &message)       { }
   virtual void      OnLog(const CMqttMessage &message)          { }
   virtual void      OnDoctor(const CMqttMessage &message)       { }
   virtual void      OnMissed(const CMqttMessage &message)       { }

   //--- no copies: a handle has one owner
                     CMqttClient(const CMqttClient &other) : m_client(0),m_allow_in_tester(false) { }
   void              operator=(const CMqttClient &other)                                          { }

private:
   bool              IsSilent(void) const;
   bool              CheckLibrary(void);
   bool              PublishText(const string topic,const string text,const int qos,const bool retain,const long properties);
   bool              PublishBytes(const string topic,const uchar &payload[],const int qos,const bool retain,const long properties);
   bool              PublishBatch(CMqttBatch &batch,const long properties);
   bool              WillText(const string topic,const string text,const int qos,const bool retain,const long properties);
  };
//+------------------------------------------------------------------+
//| Nothing that can fail: Create() does that                        |
//+------------------------------------------------------------------+
CMqttClient::CMqttClient(void) : m_client(0),m_allow_in_tester(false)
  {
   ZeroMemory(m_event);
  }
//+------------------------------------------------------------------+
//| Makes the client in the library; the setters and Connect() call  |
//| it                                                               |
//+------------------------------------------------------------------+
bool CMqttClient::Create(void)
  {
   if(m_client>0)
      return(Succeeded(MT5MQTT_OK));
   if(!CheckLibrary())
      return(false);
   long handle=mt5mqtt_create();
   if(!Succeeded(handle))
      return(false);
   m_client=handle;
   return(true);
  }
//+------------------------------------------------------------------+
//| Instead of Create(), before anything else: a part of the         |
//| connection that all programs of the terminal share which name    |
//| it. The inbox is what a program goes on with that comes back     |
//| after the terminal has killed it; "" is none                     |
//+------------------------------------------------------------------+
bool CMqttClient::CreateShared(const string connection,const string inbox)
  {
   if(m_client>0)
      return(Failed(MT5MQTT_E_WRONG_STATE,"the client is there already: call CreateShared() before anything else"));
   if(!CheckLibrary())
      return(false);
   long handle=mt5mqtt_create_shared_w(connection,inbox);
   if(!Succeeded(handle))
      return(false);
   m_client=handle;
   return(true);
  }
//+------------------------------------------------------------------+
//| Disconnects and frees the client, within a second                |
//+------------------------------------------------------------------+
void CMqttClient::Destroy(void)
  {
   if(m_client>0)
      mt5mqtt_free(m_client);
   m_client=0;
  }
//+------------------------------------------------------------------+
//| For OnDeinit(): keeps the client when only the chart's symbol or |
//| timeframe changes, where the program's objects live on too       |
//+------------------------------------------------------------------+
void CMqttClient::Deinit(const int reason)
  {
   if(reason!=REASON_CHARTCHANGE)
      Destroy();
  }
//+------------------------------------------------------------------+
//| Is this the mt5mqtt.dll that Api.mqh was written for?            |
//+------------------------------------------------------------------+
bool CMqttClient::CheckLibrary(void)
  {
   if(!MQLInfoInteger(MQL_DLLS_ALLOWED))
      return(Failed(MT5MQTT_E_WRONG_STATE,"DLL imports are off: allow them in Tools > Options > Expert Advisors and in this program"));
   int abi=mt5mqtt_abi_version();
   int size=mt5mqtt_event_size();
   if(abi==MT5MQTT_ABI_VERSION && size==(int)sizeof(MqttEvent))
      return(true);
   string found=StringFormat("mt5mqtt.dll %s (ABI %d, event of %d bytes)",CMqttText::Version(),abi,size);
   string wanted=StringFormat("ABI %d, event of %d bytes",MT5MQTT_ABI_VERSION,(int)sizeof(MqttEvent));
   return(Failed(MT5MQTT_E_STRUCT_SIZE,found+" does not fit this program ("+wanted+"): copy MQL5\\Libraries\\mt5mqtt.dll and "+
                 "MQL5\\Include\\Mt5Mqtt from one release, recompile the program and restart the terminal, which uses the "+
                 "first mt5mqtt.dll that it loaded for all programs"));
  }
//+------------------------------------------------------------------+
//| In the strategy tester nothing is sent unless asked for, so that |
//| a test of a strategy neither reaches other terminals nor fails   |
//+------------------------------------------------------------------+
bool CMqttClient::IsSilent(void) const
  {
   return(!m_allow_in_tester && (bool)MQLInfoInteger(MQL_TESTER));
  }
//+------------------------------------------------------------------+
//| The Server's address: mqtt://host:port                           |
//+------------------------------------------------------------------+
bool CMqttClient::SetUrl(const string url)
  {
   return(SetOptionString(MT5MQTT_OPT_URL,url));
  }
//+------------------------------------------------------------------+
//| The Client Identifier                                            |
//+------------------------------------------------------------------+
bool CMqttClient::SetClientId(const string client_id)
  {
   return(SetOptionString(MT5MQTT_OPT_CLIENT_ID,client_id));
  }
//+------------------------------------------------------------------+
//| User Name and Password                                           |
//+------------------------------------------------------------------+
bool CMqttClient::SetCredentials(const string user_name,const string password)
  {
   return(SetOptionString(MT5MQTT_OPT_USER_NAME,user_name) && SetOptionString(MT5MQTT_OPT_PASSWORD,password));
  }
//+------------------------------------------------------------------+
//| 5, or 4 for MQTT 3.1.1                                           |
//+------------------------------------------------------------------+
bool CMqttClient::SetProtocolVersion(const int version)
  {
   return(SetOptionInteger(MT5MQTT_OPT_PROTOCOL_VERSION,version));
  }
//+------------------------------------------------------------------+
//| Whether the first connection starts a new Session                |
//+------------------------------------------------------------------+
bool CMqttClient::SetCleanStart(const bool clean_start)
  {
   return(SetOptionInteger(MT5MQTT_OPT_CLEAN_START,clean_start));
  }
//+------------------------------------------------------------------+
//| How long the Server keeps the Session of a client that is away   |
//+------------------------------------------------------------------+
bool CMqttClient::SetSessionExpiry(const long seconds)
  {
   return(SetOptionInteger(MT5MQTT_OPT_SESSION_EXPIRY_S,seconds));
  }
//+------------------------------------------------------------------+
//| The Keep Alive interval                                          |
//+------------------------------------------------------------------+
bool CMqttClient::SetKeepAlive(const int seconds)
  {
   return(SetOptionInteger(MT5MQTT_OPT_KEEP_ALIVE_S,seconds));
  }
//+------------------------------------------------------------------+
//| Shortest and longest delay before the next attempt to connect    |
//+------------------------------------------------------------------+
bool CMqttClient::SetReconnectDelay(const int minimum_ms,const int maximum_ms)
  {
   return(SetOptionInteger(MT5MQTT_OPT_RECONNECT_MIN_MS,minimum_ms) && SetOptionInteger(MT5MQTT_OPT_RECONNECT_MAX_MS,maximum_ms));
  }
//+------------------------------------------------------------------+
//| The folder in which the Session is stored                        |
//+------------------------------------------------------------------+
bool CMqttClient::SetStorePath(const string folder)
  {
   return(SetOptionString(MT5MQTT_OPT_STORE_PATH,folder));
  }
//+------------------------------------------------------------------+
//| Any option that is a number                                      |
//+------------------------------------------------------------------+
bool CMqttClient::SetOptionInteger(const ENUM_MQTT_OPTION option,const long value)
  {
   return(Create() && Succeeded(mt5mqtt_set_int(m_client,option,value)));
  }
//+------------------------------------------------------------------+
//| Any option that is text                                          |
//+------------------------------------------------------------------+
bool CMqttClient::SetOptionString(const ENUM_MQTT_OPTION option,const string value)
  {
   return(Create() && Succeeded(mt5mqtt_set_text_w(m_client,option,value)));
  }
//+------------------------------------------------------------------+
//| Any option that is bytes                                         |
//+------------------------------------------------------------------+
bool CMqttClient::SetOptionBytes(const ENUM_MQTT_OPTION option,const uchar &value[])
  {
   return(Create() && Succeeded(mt5mqtt_set_bytes(m_client,option,value,ArraySize(value))));
  }
//+------------------------------------------------------------------+
//| The Will Message, as text                                        |
//+------------------------------------------------------------------+
bool CMqttClient::SetWill(const string topic,const string text,const int qos,const bool retain)
  {
   return(WillText(topic,text,qos,retain,0));
  }
//+------------------------------------------------------------------+
//| The Will Message, as text with properties                        |
//+------------------------------------------------------------------+
bool CMqttClient::SetWill(const string topic,const string text,const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(WillText(topic,text,qos,retain,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| The Will Message, as UTF-8                                       |
//+------------------------------------------------------------------+
bool CMqttClient::WillText(const string topic,const string text,const int qos,const bool retain,const long properties)
  {
   uchar payload[];
   CMqttText::ToUtf8(text,payload);
   return(Create() && Succeeded(mt5mqtt_set_will_w(m_client,topic,payload,ArraySize(payload),qos,retain,properties)));
  }
//+------------------------------------------------------------------+
//| The Will Message, as bytes with properties                       |
//+------------------------------------------------------------------+
bool CMqttClient::SetWill(const string topic,const uchar &payload[],const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(Create() && Succeeded(mt5mqtt_set_will_w(m_client,topic,payload,ArraySize(payload),qos,retain,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| The User Properties of CONNECT                                   |
//+------------------------------------------------------------------+
bool CMqttClient::SetConnectProperties(const CMqttProperties &properties)
  {
   return(Create() && Succeeded(mt5mqtt_set_connect_properties(m_client,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Examines the connection; the report comes to OnDoctor()          |
//+------------------------------------------------------------------+
bool CMqttClient::StartDoctor(void)
  {
   if(!Create())
      return(false);
   if(IsSilent())
     {
      Print("mt5mqtt: the doctor does nothing in the strategy tester; AllowInTester(true) changes that");
      return(true);
     }
   return(Succeeded(mt5mqtt_doctor_start(m_client)));
  }
//+------------------------------------------------------------------+
//| Connects in the background and stays connected                   |
//+------------------------------------------------------------------+
bool CMqttClient::Connect(void)
  {
   if(!Create())
      return(false);
   if(IsSilent())
     {
      Print("mt5mqtt: nothing is sent from the strategy tester; AllowInTester(true) changes that");
      return(true);
     }
   return(Succeeded(mt5mqtt_connect(m_client)));
  }
//+------------------------------------------------------------------+
//| Disconnects; waits at most timeout_ms for what is on its way out |
//+------------------------------------------------------------------+
bool CMqttClient::Disconnect(const int timeout_ms)
  {
   return(Succeeded(mt5mqtt_disconnect(m_client,0,0,timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Disconnects with a Reason Code and properties                    |
//+------------------------------------------------------------------+
bool CMqttClient::Disconnect(const int reason_code,const CMqttProperties &properties,const int timeout_ms)
  {
   return(Succeeded(mt5mqtt_disconnect(m_client,reason_code,properties.Handle(),timeout_ms)));
  }
//+------------------------------------------------------------------+
//| The state of the connection, idle if there is no client. Leaves  |
//| Result...() of the call before as it is                          |
//+------------------------------------------------------------------+
ENUM_MQTT_STATE CMqttClient::State(void) const
  {
   int state=mt5mqtt_state(m_client);
   return(state<0 ? MT5MQTT_STATE_IDLE : (ENUM_MQTT_STATE)state);
  }
//+------------------------------------------------------------------+
//| The URL that is tried or in use, without its query               |
//+------------------------------------------------------------------+
string CMqttClient::Server(void) const
  {
   ushort units[];
   int    length=mt5mqtt_server_w(m_client,units,0);
   if(length<=0)
      return("");
   ArrayResize(units,length+1);
   return(CMqttText::FromUnits(units,mt5mqtt_server_w(m_client,units,ArraySize(units))));
  }
//+------------------------------------------------------------------+
//| One figure                                                       |
//+------------------------------------------------------------------+
bool CMqttClient::Stat(const ENUM_MQTT_STAT stat,long &value)
  {
   long figure=mt5mqtt_stat(m_client,stat);
   if(!Succeeded(figure))
      return(false);
   value=figure;
   return(true);
  }
//+------------------------------------------------------------------+
//| Publishes text, as UTF-8                                         |
//+------------------------------------------------------------------+
bool CMqttClient::Publish(const string topic,const string text,const int qos,const bool retain)
  {
   return(PublishText(topic,text,qos,retain,0));
  }
//+------------------------------------------------------------------+
//| Publishes text, as UTF-8, with properties                        |
//+------------------------------------------------------------------+
bool CMqttClient::Publish(const string topic,const string text,const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(PublishText(topic,text,qos,retain,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| Publishes bytes                                                  |
//+------------------------------------------------------------------+
bool CMqttClient::Publish(const string topic,const uchar &payload[],const int qos,const bool retain)
  {
   return(PublishBytes(topic,payload,qos,retain,0));
  }
//+------------------------------------------------------------------+
//| Publishes bytes with properties                                  |
//+------------------------------------------------------------------+
bool CMqttClient::Publish(const string topic,const uchar &payload[],const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(PublishBytes(topic,payload,qos,retain,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| Publishes text                                                   |
//+------------------------------------------------------------------+
bool CMqttClient::PublishText(const string topic,const string text,const int qos,const bool retain,const long properties)
  {
   if(IsSilent())
      return(Succeeded(MT5MQTT_OK));
   return(Accepted(mt5mqtt_publish_text_w(m_client,topic,text,qos,retain,properties)));
  }
//+------------------------------------------------------------------+
//| Publishes bytes                                                  |
//+------------------------------------------------------------------+
bool CMqttClient::PublishBytes(const string topic,const uchar &payload[],const int qos,const bool retain,const long properties)
  {
   if(IsSilent())
      return(Succeeded(MT5MQTT_OK));
   return(Accepted(mt5mqtt_publish_w(m_client,topic,payload,ArraySize(payload),qos,retain,properties)));
  }
//+------------------------------------------------------------------+
//| Publishes many messages in one call; false if not all were       |
//| accepted: those before the first that has no token were          |
//+------------------------------------------------------------------+
bool CMqttClient::Publish(CMqttBatch &batch)
  {
   return(PublishBatch(batch,0));
  }
//+------------------------------------------------------------------+
//| The same with properties, which go with each message             |
//+------------------------------------------------------------------+
bool CMqttClient::Publish(CMqttBatch &batch,const CMqttProperties &properties)
  {
   return(PublishBatch(batch,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| Publishes many messages                                          |
//+------------------------------------------------------------------+
bool CMqttClient::PublishBatch(CMqttBatch &batch,const long properties)
  {
   if(IsSilent())
      return(Succeeded(MT5MQTT_OK));
   int accepted=batch.Publish(m_client,properties);
   if(accepted>=0 && accepted<batch.Count())
      return(Failed((ENUM_MQTT_STATUS)batch.Status(accepted),CMqttText::LastError()));
   return(Succeeded(accepted));
  }
//+------------------------------------------------------------------+
//| How far a publish is, if MT5MQTT_OPT_PROGRESS is set             |
//+------------------------------------------------------------------+
bool CMqttClient::PublishStage(const long token,ENUM_MQTT_STAGE &stage)
  {
   int result=mt5mqtt_publish_stage(m_client,token);
   if(!Succeeded(result))
      return(false);
   stage=(ENUM_MQTT_STAGE)result;
   return(true);
  }
//+------------------------------------------------------------------+
//| Subscribes to a Topic Filter                                     |
//+------------------------------------------------------------------+
bool CMqttClient::Subscribe(const string filter,const int options)
  {
   return(Accepted(mt5mqtt_subscribe_w(m_client,filter,options,0)));
  }
//+------------------------------------------------------------------+
//| Subscribes to a Topic Filter with properties                     |
//+------------------------------------------------------------------+
bool CMqttClient::Subscribe(const string filter,const int options,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_subscribe_w(m_client,filter,options,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Ends a subscription                                              |
//+------------------------------------------------------------------+
bool CMqttClient::Unsubscribe(const string filter)
  {
   return(Accepted(mt5mqtt_unsubscribe_w(m_client,filter,0)));
  }
//+------------------------------------------------------------------+
//| Ends a subscription with properties                              |
//+------------------------------------------------------------------+
bool CMqttClient::Unsubscribe(const string filter,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_unsubscribe_w(m_client,filter,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| The next step of an authentication                               |
//+------------------------------------------------------------------+
bool CMqttClient::Authenticate(const uchar &data[])
  {
   return(Succeeded(mt5mqtt_authenticate(m_client,data,ArraySize(data),0)));
  }
//+------------------------------------------------------------------+
//| The same with a Reason String and User Properties for the Server |
//+------------------------------------------------------------------+
bool CMqttClient::Authenticate(const uchar &data[],const CMqttProperties &properties)
  {
   return(Succeeded(mt5mqtt_authenticate(m_client,data,ArraySize(data),properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Starts a re-authentication; SCRAM-SHA-256 needs no data for it   |
//+------------------------------------------------------------------+
bool CMqttClient::Reauthenticate(const uchar &data[])
  {
   return(Succeeded(mt5mqtt_reauthenticate(m_client,data,ArraySize(data),0)));
  }
//+------------------------------------------------------------------+
//| The same with a Reason String and User Properties for the Server |
//+------------------------------------------------------------------+
bool CMqttClient::Reauthenticate(const uchar &data[],const CMqttProperties &properties)
  {
   return(Succeeded(mt5mqtt_reauthenticate(m_client,data,ArraySize(data),properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Asks with text, as UTF-8                                         |
//+------------------------------------------------------------------+
bool CMqttClient::Request(const string topic,const string text,const int qos,const int timeout_ms)
  {
   return(Accepted(mt5mqtt_request_text_w(m_client,topic,text,qos,0,timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Asks with text, as UTF-8, with properties                        |
//+------------------------------------------------------------------+
bool CMqttClient::Request(const string topic,const string text,const int qos,const int timeout_ms,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_request_text_w(m_client,topic,text,qos,properties.Handle(),timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Asks with bytes                                                  |
//+------------------------------------------------------------------+
bool CMqttClient::Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms)
  {
   return(Accepted(mt5mqtt_request_w(m_client,topic,payload,ArraySize(payload),qos,0,timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Asks with bytes and properties                                   |
//+------------------------------------------------------------------+
bool CMqttClient::Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_request_w(m_client,topic,payload,ArraySize(payload),qos,properties.Handle(),timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last with text, as UTF-8                 |
//+------------------------------------------------------------------+
bool CMqttClient::Respond(const string text,const int qos)
  {
   return(Accepted(mt5mqtt_respond_text_w(m_client,text,qos,0)));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last with text and properties            |
//+------------------------------------------------------------------+
bool CMqttClient::Respond(const string text,const int qos,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_respond_text_w(m_client,text,qos,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last with bytes                          |
//+------------------------------------------------------------------+
bool CMqttClient::Respond(const uchar &payload[],const int qos)
  {
   return(Accepted(mt5mqtt_respond(m_client,payload,ArraySize(payload),qos,0)));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last with bytes and properties           |
//+------------------------------------------------------------------+
bool CMqttClient::Respond(const uchar &payload[],const int qos,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_respond(m_client,payload,ArraySize(payload),qos,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Takes the next event; false if there is none, or on a failure,   |
//| which ResultStatus() tells apart                                 |
//+------------------------------------------------------------------+
bool CMqttClient::Next(CMqttMessage &message)
  {
   m_event.struct_size=(int)sizeof(MqttEvent);
   int result=mt5mqtt_poll(m_client,m_event);
   if(!Succeeded(result) || result==0)
      return(false);
   message.Read(m_client,m_event,m_units);
   return(true);
  }
//+------------------------------------------------------------------+
//| Takes as many events as there are, up to the size of the array,  |
//| in one call; returns how many. Each counts as taken, so the      |
//| Server won't send again what the program has not dealt with.     |
//+------------------------------------------------------------------+
int CMqttClient::NextBatch(CMqttMessage &messages[])
  {
   int maximum=ArraySize(messages);
   if(maximum==0)
      return(0);
   if(ArraySize(m_events)==0)
      ArrayResize(m_events,65536);
   int count=mt5mqtt_poll_batch(m_client,m_events,ArraySize(m_events),maximum);
   if(count==MT5MQTT_E_TOO_LARGE)
      return(Next(messages[0]) ? 1 : 0);
   if(!Succeeded(count))
      return(0);
   int position=0;
   for(int i=0; i<count; i++)
      position=messages[i].Unpack(m_client,m_events,position,m_units);
   return(count);
  }
//+------------------------------------------------------------------+
//| Takes up to max_events and gives each to its On... method;       |
//| returns how many it took                                         |
//+------------------------------------------------------------------+
int CMqttClient::Dispatch(const int max_events)
  {
   CMqttMessage message;
   int          count=0;
   while(count<max_events && Next(message))
     {
      count++;
      switch(message.Kind())
        {
         case MT5MQTT_EVENT_CONNECTED:
            OnConnected(message);
            break;
         case MT5MQTT_EVENT_DISCONNECTED:
            OnDisconnected(message);
            break;
         case MT5MQTT_EVENT_MESSAGE:
            OnMessage(message);
            break;
         case MT5MQTT_EVENT_PUBLISHED:
            OnPublished(message);
            break;
         case MT5MQTT_EVENT_SUBSCRIBED:
            OnSubscribed(message);
            break;
         case MT5MQTT_EVENT_UNSUBSCRIBED:
            OnUnsubscribed(message);
            break;
         case MT5MQTT_EVENT_PROGRESS:
            OnProgress(message);
            break;
         case MT5MQTT_EVENT_STORE:
            OnStore(message);
            break;
         case MT5MQTT_EVENT_DOCTOR:
            OnDoctor(message);
            break;
         case MT5MQTT_EVENT_LOG:
            OnLog(message);
            break;
         case MT5MQTT_EVENT_FAILED:
            OnFailed(message);
            break;
         case MT5MQTT_EVENT_RESPONSE:
            OnResponse(message);
            break;
         case MT5MQTT_EVENT_AUTHENTICATE:
            OnAuthenticate(message);
            break;
         case MT5MQTT_EVENT_AUTHENTICATED:
            OnAuthenticated(message);
            break;
         case MT5MQTT_EVENT_BREACH:
            OnBreach(message);
            break;
         case MT5MQTT_EVENT_MISSED:
            OnMissed(message);
            break;
        }
     }
   return(count);
  }
//+------------------------------------------------------------------+
//| For scripts and services: waits until an event is there. False   |
//| when the time is over, the program is to stop, or on a failure   |
//+------------------------------------------------------------------+
bool CMqttClient::Wait(const int timeout_ms)
  {
   if(MQLInfoInteger(MQL_PROGRAM_TYPE)==PROGRAM_INDICATOR)
      return(Failed(MT5MQTT_E_WRONG_STATE,"an indicator must not wait, as the chart waits with it: call Next() or Dispatch() in OnTimer()"));
   long deadline=mt5mqtt_time_monotonic_us()+(long)timeout_ms*1000;
   while(!IsStopped())
     {
      long left=(deadline-mt5mqtt_time_monotonic_us())/1000;
      int  slice=(left<MQTT_WAIT_SLICE_MS ? (int)MathMax(left,0) : MQTT_WAIT_SLICE_MS);
      int  result=mt5mqtt_wait(m_client,slice);
      if(!Succeeded(result))
         return(false);
      if(result>0)
         return(true);
      if(left<=0)
         return(false);
     }
   return(false);
  }
//+------------------------------------------------------------------+
//| Acknowledges a message, if MT5MQTT_OPT_ACKNOWLEDGE leaves that   |
//| to the program                                                   |
//+------------------------------------------------------------------+
bool CMqttClient::Acknowledge(const CMqttMessage &message,const int reason_code)
  {
   return(Succeeded(mt5mqtt_acknowledge(m_client,message.Token(),reason_code)));
  }
//+------------------------------------------------------------------+
//| The same with a Reason String and User Properties for the Server |
//+------------------------------------------------------------------+
bool CMqttClient::Acknowledge(const CMqttMessage &message,const int reason_code,const CMqttProperties &properties)
  {
   return(Succeeded(mt5mqtt_acknowledge_with(m_client,message.Token(),reason_code,properties.Handle())));
  }
#endif
//+------------------------------------------------------------------+
