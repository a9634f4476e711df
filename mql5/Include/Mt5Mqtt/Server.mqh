//+------------------------------------------------------------------+
//|                                                       Server.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- The inputs by which a program's user says which MQTT Server it is, and what they set
#ifndef MT5MQTT_SERVER_MQH
#define MT5MQTT_SERVER_MQH
#include "Internal\Client.mqh"
input group  "MQTT Server"
input string InpUrl="mqtt://127.0.0.1:1883"; // Address, or several with commas between them
input string InpUserName="";                 // User Name (empty: none)
input string InpPassword="";                 // Password
input int    InpVersion=5;                   // MQTT version: 5, or 4 for MQTT 3.1.1
input group  "TLS and proxy"
input string InpTlsCa="";                    // Path of the CA's PEM file (empty: Windows' and Mozilla's)
input string InpTlsCertificate="";           // Path of the client certificate's PEM file (empty: none)
input string InpTlsKey="";                   // Path of its key's PEM file
input string InpTlsKeyPassword="";           // Password of the key (empty: none)
input string InpProxy="";                    // socks5:// or http://user:password@host:port (empty: none)
//+------------------------------------------------------------------+
//| An option, if the user gave it a value                           |
//+------------------------------------------------------------------+
bool SetIfGiven(CMqttClient &client,const ENUM_MQTT_OPTION option,const string name,const string value)
  {
   return(value=="" || client.SetInput(option,name,value));
  }
//+------------------------------------------------------------------+
//| What the inputs say                                              |
//+------------------------------------------------------------------+
bool SetServer(CMqttClient &client)
  {
   return(client.SetInput(MT5MQTT_OPT_URL,"InpUrl",InpUrl) &&
          client.SetProtocolVersion(InpVersion) &&
          SetIfGiven(client,MT5MQTT_OPT_USER_NAME,"InpUserName",InpUserName) &&
          SetIfGiven(client,MT5MQTT_OPT_PASSWORD,"InpPassword",InpPassword) &&
          SetIfGiven(client,MT5MQTT_OPT_TLS_CA,"InpTlsCa",InpTlsCa) &&
          SetIfGiven(client,MT5MQTT_OPT_TLS_CLIENT_CERTIFICATE,"InpTlsCertificate",InpTlsCertificate) &&
          SetIfGiven(client,MT5MQTT_OPT_TLS_CLIENT_KEY,"InpTlsKey",InpTlsKey) &&
          SetIfGiven(client,MT5MQTT_OPT_TLS_CLIENT_KEY_PASSWORD,"InpTlsKeyPassword",InpTlsKeyPassword) &&
          SetIfGiven(client,MT5MQTT_OPT_PROXY,"InpProxy",InpProxy));
  }
#endif
//+------------------------------------------------------------------+
