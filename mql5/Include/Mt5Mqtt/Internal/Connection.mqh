//+------------------------------------------------------------------+
//|                                                   Connection.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_CONNECTION_MQH
#define MT5MQTT_CONNECTION_MQH
#include "Properties.mqh"
#include "Result.mqh"
//+------------------------------------------------------------------+
//| Class CMqttConnection.                                           |
//| Appointment: the client in the library, its options, and its     |
//|              connection.                                         |
//+------------------------------------------------------------------+
class CMqttConnection : public CMqttResult
  {
private:
   bool              m_allow_in_tester;

protected:
   long              m_client;             // handle, 0 = none

public:
                     CMqttConnection(void);
   virtual          ~CMqttConnection(void) { Destroy(); }
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
   //--- an input as an option; false, too, if the terminal may have cut it
   bool              SetInput(const ENUM_MQTT_OPTION option,const string name,const string value);
   bool              IsWhole(const string name,const string value);
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
   //--- will it never be connected again? Then only Destroy() is possible, and another one can be made
   bool              HasFailed(void) const;
   //--- the URL that is tried or in use, "" if none
   string            Server(void) const;
   bool              Stat(const ENUM_MQTT_STAT stat,long &value);

protected:
   bool              IsSilent(void) const;

   //--- no copies: a handle has one owner
                     CMqttConnection(const CMqttConnection &other) : m_allow_in_tester(false),m_client(0) { }
   void              operator=(const CMqttConnection &other)                                              { }

private:
   bool              CheckLibrary(void);
   bool              WillText(const string topic,const string text,const int qos,const bool retain,const long properties);
  };
//+------------------------------------------------------------------+
//| Nothing that can fail: Create() does that                        |
//+------------------------------------------------------------------+
CMqttConnection::CMqttConnection(void) : m_allow_in_tester(false),m_client(0)
  {
  }
//+------------------------------------------------------------------+
//| Makes the client in the library; the setters and Connect() call  |
//| it                                                               |
//+------------------------------------------------------------------+
bool CMqttConnection::Create(void)
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
bool CMqttConnection::CreateShared(const string connection,const string inbox)
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
void CMqttConnection::Destroy(void)
  {
   if(m_client>0)
      mt5mqtt_free(m_client);
   m_client=0;
  }
//+------------------------------------------------------------------+
//| For OnDeinit(): keeps the client when only the chart's symbol or |
//| timeframe changes, where the program's objects live on too       |
//+------------------------------------------------------------------+
void CMqttConnection::Deinit(const int reason)
  {
   if(reason!=REASON_CHARTCHANGE)
      Destroy();
  }
//+------------------------------------------------------------------+
//| Is this the mt5mqtt.dll that Api.mqh was written for?            |
//+------------------------------------------------------------------+
bool CMqttConnection::CheckLibrary(void)
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
bool CMqttConnection::IsSilent(void) const
  {
   return(!m_allow_in_tester && (bool)MQLInfoInteger(MQL_TESTER));
  }
//+------------------------------------------------------------------+
//| The Server's address, up to 16 with commas between them, in the  |
//| order of preference: mqtt://host:port (1883 if left out),        |
//| mqtts://host:port for TLS (8883), ws://host:port/path (80),      |
//| wss://host:port/path (443). There is no default. OUT_OF_RANGE    |
//| says what it must look like                                      |
//+------------------------------------------------------------------+
bool CMqttConnection::SetUrl(const string url)
  {
   return(SetOptionString(MT5MQTT_OPT_URL,url));
  }
//+------------------------------------------------------------------+
//| The Client Identifier, one for each client of a Server: a second |
//| one with it ends the first. Default: none, and the Server        |
//| assigns one                                                      |
//+------------------------------------------------------------------+
bool CMqttConnection::SetClientId(const string client_id)
  {
   return(SetOptionString(MT5MQTT_OPT_CLIENT_ID,client_id));
  }
//+------------------------------------------------------------------+
//| User Name and Password. Default: none                            |
//+------------------------------------------------------------------+
bool CMqttConnection::SetCredentials(const string user_name,const string password)
  {
   return(SetOptionString(MT5MQTT_OPT_USER_NAME,user_name) && SetOptionString(MT5MQTT_OPT_PASSWORD,password));
  }
//+------------------------------------------------------------------+
//| 5 (default), or 4 for MQTT 3.1.1; else OUT_OF_RANGE              |
//+------------------------------------------------------------------+
bool CMqttConnection::SetProtocolVersion(const int version)
  {
   return(SetOptionInteger(MT5MQTT_OPT_PROTOCOL_VERSION,version));
  }
//+------------------------------------------------------------------+
//| Whether the first connection starts a new Session; default true. |
//| Reconnects go on with it                                         |
//+------------------------------------------------------------------+
bool CMqttConnection::SetCleanStart(const bool clean_start)
  {
   return(SetOptionInteger(MT5MQTT_OPT_CLEAN_START,clean_start));
  }
//+------------------------------------------------------------------+
//| Seconds that the Server keeps the Session of a client that is    |
//| away: 0 to 4294967295, which is for ever; default 3600; else     |
//| OUT_OF_RANGE                                                     |
//+------------------------------------------------------------------+
bool CMqttConnection::SetSessionExpiry(const long seconds)
  {
   return(SetOptionInteger(MT5MQTT_OPT_SESSION_EXPIRY_S,seconds));
  }
//+------------------------------------------------------------------+
//| Seconds without a packet after which a PINGREQ is sent: 0        |
//| (never) to 65535, default 30; else OUT_OF_RANGE                  |
//+------------------------------------------------------------------+
bool CMqttConnection::SetKeepAlive(const int seconds)
  {
   return(SetOptionInteger(MT5MQTT_OPT_KEEP_ALIVE_S,seconds));
  }
//+------------------------------------------------------------------+
//| Milliseconds: the largest first delay before the next attempt to |
//| connect, 1 to 600000, default 250, which doubles with each       |
//| failure up to the maximum, 1 to 86400000, default 30000; else    |
//| OUT_OF_RANGE                                                     |
//+------------------------------------------------------------------+
bool CMqttConnection::SetReconnectDelay(const int minimum_ms,const int maximum_ms)
  {
   return(SetOptionInteger(MT5MQTT_OPT_RECONNECT_MIN_MS,minimum_ms) && SetOptionInteger(MT5MQTT_OPT_RECONNECT_MAX_MS,maximum_ms));
  }
//+------------------------------------------------------------------+
//| The folder in which the Session is stored, a whole path such as  |
//| C:\mqtt\ea-7, so that messages survive a crash of the            |
//| terminal; for one client with a Client Identifier. Default: none |
//+------------------------------------------------------------------+
bool CMqttConnection::SetStorePath(const string folder)
  {
   return(SetOptionString(MT5MQTT_OPT_STORE_PATH,folder));
  }
//+------------------------------------------------------------------+
//| Any option that is a number; mt5mqtt.h has units, range and      |
//| default of each. OUT_OF_RANGE, WRONG_TYPE for an option that is  |
//| text, WRONG_STATE once it is too late for it                     |
//+------------------------------------------------------------------+
bool CMqttConnection::SetOptionInteger(const ENUM_MQTT_OPTION option,const long value)
  {
   return(Create() && Succeeded(mt5mqtt_set_int(m_client,option,value)));
  }
//+------------------------------------------------------------------+
//| Any option that is text; fails likewise                          |
//+------------------------------------------------------------------+
bool CMqttConnection::SetOptionString(const ENUM_MQTT_OPTION option,const string value)
  {
   return(Create() && Succeeded(mt5mqtt_set_text_w(m_client,option,value)));
  }
//+------------------------------------------------------------------+
//| Any option that is text and an input of the program              |
//+------------------------------------------------------------------+
bool CMqttConnection::SetInput(const ENUM_MQTT_OPTION option,const string name,const string value)
  {
   return(IsWhole(name,value) && SetOptionString(option,value));
  }
//+------------------------------------------------------------------+
//| A terminal keeps 255 characters of name=value. A password, a     |
//| token or a list that is cut looks like a good one                |
//+------------------------------------------------------------------+
bool CMqttConnection::IsWhole(const string name,const string value)
  {
   int longest=253-StringLen(name);
   if(StringLen(value)<=longest)
      return(Succeeded(MT5MQTT_OK));
   return(Failed(MT5MQTT_E_INVALID_ARGUMENT,StringFormat("the input %s may have been cut, as a terminal keeps no more of it: it can have %d characters",
                                                         name,longest)));
  }
//+------------------------------------------------------------------+
//| Any option that is bytes                                         |
//+------------------------------------------------------------------+
bool CMqttConnection::SetOptionBytes(const ENUM_MQTT_OPTION option,const uchar &value[])
  {
   return(Create() && Succeeded(mt5mqtt_set_bytes(m_client,option,value,ArraySize(value))));
  }
//+------------------------------------------------------------------+
//| The Will Message, as text: the Server publishes it when the      |
//| client is gone without a word. QoS 0 to 2; INVALID_TOPIC for one |
//| with wildcards. Default: none                                    |
//+------------------------------------------------------------------+
bool CMqttConnection::SetWill(const string topic,const string text,const int qos,const bool retain)
  {
   return(WillText(topic,text,qos,retain,0));
  }
//+------------------------------------------------------------------+
//| The Will Message, as text with properties                        |
//+------------------------------------------------------------------+
bool CMqttConnection::SetWill(const string topic,const string text,const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(WillText(topic,text,qos,retain,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| The Will Message, as UTF-8                                       |
//+------------------------------------------------------------------+
bool CMqttConnection::WillText(const string topic,const string text,const int qos,const bool retain,const long properties)
  {
   uchar payload[];
   CMqttText::ToUtf8(text,payload);
   return(Create() && Succeeded(mt5mqtt_set_will_w(m_client,topic,payload,ArraySize(payload),qos,retain,properties)));
  }
//+------------------------------------------------------------------+
//| The Will Message, as bytes with properties                       |
//+------------------------------------------------------------------+
bool CMqttConnection::SetWill(const string topic,const uchar &payload[],const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(Create() && Succeeded(mt5mqtt_set_will_w(m_client,topic,payload,ArraySize(payload),qos,retain,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| The User Properties of CONNECT                                   |
//+------------------------------------------------------------------+
bool CMqttConnection::SetConnectProperties(const CMqttProperties &properties)
  {
   return(Create() && Succeeded(mt5mqtt_set_connect_properties(m_client,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Examines the connection; the report comes to OnDoctor()          |
//+------------------------------------------------------------------+
bool CMqttConnection::StartDoctor(void)
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
//| Connects in the background and stays connected; returns at once. |
//| What becomes of it comes to OnConnected() or OnDisconnected().   |
//| WRONG_STATE without an address, while it is connected already,   |
//| or if options don't go together: the text names them             |
//+------------------------------------------------------------------+
bool CMqttConnection::Connect(void)
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
//| Disconnects; waits at most timeout_ms, and 2 seconds, for what   |
//| is on its way out; with 0 nothing of that goes out. TIMEOUT if   |
//| it isn't closed by then, INVALID_ARGUMENT below 0                |
//+------------------------------------------------------------------+
bool CMqttConnection::Disconnect(const int timeout_ms)
  {
   return(Succeeded(mt5mqtt_disconnect(m_client,0,0,timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Disconnects with a Reason Code and properties                    |
//+------------------------------------------------------------------+
bool CMqttConnection::Disconnect(const int reason_code,const CMqttProperties &properties,const int timeout_ms)
  {
   return(Succeeded(mt5mqtt_disconnect(m_client,reason_code,properties.Handle(),timeout_ms)));
  }
//+------------------------------------------------------------------+
//| The state of the connection, idle if there is no client. Leaves  |
//| Result...() of the call before as it is                          |
//+------------------------------------------------------------------+
ENUM_MQTT_STATE CMqttConnection::State(void) const
  {
   int state=mt5mqtt_state(m_client);
   return(state<0 ? MT5MQTT_STATE_IDLE : (ENUM_MQTT_STATE)state);
  }
//+------------------------------------------------------------------+
//| By a fault inside the library, or as a thread was ended in a call|
//+------------------------------------------------------------------+
bool CMqttConnection::HasFailed(void) const
  {
   if(m_client<=0)
      return(false);
   int state=mt5mqtt_state(m_client);
   return(state<0 || state==MT5MQTT_STATE_FAILED);
  }
//+------------------------------------------------------------------+
//| The URL that is tried or in use, without its query               |
//+------------------------------------------------------------------+
string CMqttConnection::Server(void) const
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
bool CMqttConnection::Stat(const ENUM_MQTT_STAT stat,long &value)
  {
   long figure=mt5mqtt_stat(m_client,stat);
   if(!Succeeded(figure))
      return(false);
   value=figure;
   return(true);
  }
#endif
//+------------------------------------------------------------------+
