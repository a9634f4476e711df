//+------------------------------------------------------------------+
//|                                                       Doctor.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Examines the connection to an MQTT Server step by step and prints what it finds:"
#property description "the cause of a failure, and what to do about it."
#property script_show_inputs
#include <Mt5Mqtt\Mt5Mqtt.mqh>
input group  "MQTT Server"
input string InpUrl="mqtts://broker.example.com"; // Address, or several with commas between them
input string InpClientId="";                      // Client Identifier (empty: the Server assigns one)
input string InpUserName="";                      // User Name (empty: none)
input string InpPassword="";                      // Password
input int    InpVersion=5;                        // 5, or 4 for MQTT 3.1.1
input group  "TLS and proxy"
input string InpCa="";                            // PEM file of the CA (empty: those of Windows and Mozilla)
input string InpCrl="";                           // PEM or DER file of revocation lists (empty: none)
input string InpCertificate="";                   // PEM file of the client certificate (empty: none)
input string InpKey="";                           // PEM file of its key
input string InpKeyPassword="";                   // Password of the key (empty: none)
input string InpProxy="";                         // socks5:// or http://user:password@host:port (empty: none)
//+------------------------------------------------------------------+
//| Prints the report line by line                                   |
//+------------------------------------------------------------------+
class CDoctorClient : public CMqttClient
  {
private:
   bool              m_done;

public:
                     CDoctorClient(void) : m_done(false) { }
   bool              IsDone(void) const { return(m_done); }

protected:
   virtual void      OnDoctor(const CMqttMessage &message)
     {
      Print(message.Text());
      m_done=(message.Token()==1);
     }
   virtual void      OnFailed(const CMqttMessage &message)
     {
      Print(message.Text());
      m_done=true;
     }
  };
//+------------------------------------------------------------------+
//| An option, if the user gave it a value                           |
//+------------------------------------------------------------------+
bool SetIfGiven(CDoctorClient &client,const ENUM_MQTT_OPTION option,const string value)
  {
   return(value=="" || client.SetOptionString(option,value));
  }
//+------------------------------------------------------------------+
//| Script program start function                                    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   CDoctorClient client;
   bool set=client.SetUrl(InpUrl) && client.SetProtocolVersion(InpVersion) &&
            SetIfGiven(client,MT5MQTT_OPT_CLIENT_ID,InpClientId) &&
            SetIfGiven(client,MT5MQTT_OPT_USER_NAME,InpUserName) &&
            SetIfGiven(client,MT5MQTT_OPT_PASSWORD,InpPassword) &&
            SetIfGiven(client,MT5MQTT_OPT_TLS_CA,InpCa) &&
            SetIfGiven(client,MT5MQTT_OPT_TLS_CRL,InpCrl) &&
            SetIfGiven(client,MT5MQTT_OPT_TLS_CLIENT_CERTIFICATE,InpCertificate) &&
            SetIfGiven(client,MT5MQTT_OPT_TLS_CLIENT_KEY,InpKey) &&
            SetIfGiven(client,MT5MQTT_OPT_TLS_CLIENT_KEY_PASSWORD,InpKeyPassword) &&
            SetIfGiven(client,MT5MQTT_OPT_PROXY,InpProxy);
   if(!set || !client.StartDoctor())
     {
      Print("MQTT: ",client.ResultDescription());
      return;
     }
   while(!client.IsDone() && !IsStopped())
     {
      client.Wait(50);
      client.Dispatch(100);
     }
  }
//+------------------------------------------------------------------+
