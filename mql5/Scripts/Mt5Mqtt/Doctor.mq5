//+------------------------------------------------------------------+
//|                                                       Doctor.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#property version     "1.00"
#property description "Examines the connection to an MQTT Server step by step and prints what it finds:"
#property description "the cause of a failure, and what to do about it."
#property script_show_inputs
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Server.mqh>
input group  "Examination"
input string InpClientId="";                 // Client Identifier (empty: the Server assigns one)
input string InpCrl="";                      // Path of a PEM or DER file of revocation lists (empty: none)
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
//| Script program start function                                    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   CDoctorClient client;
   if(!SetServer(client) ||
      !SetIfGiven(client,MT5MQTT_OPT_CLIENT_ID,"InpClientId",InpClientId) ||
      !SetIfGiven(client,MT5MQTT_OPT_TLS_CRL,"InpCrl",InpCrl) ||
      !client.StartDoctor())
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
