//+------------------------------------------------------------------+
//|                                                       Result.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_RESULT_MQH
#define MT5MQTT_RESULT_MQH
#include "Text.mqh"
//+------------------------------------------------------------------+
//| Class CMqttResult.                                               |
//| Appointment: remembers how the last call ended.                  |
//+------------------------------------------------------------------+
class CMqttResult
  {
private:
   ENUM_MQTT_STATUS  m_status;             // of the last call
   string            m_description;        // of the last call, empty if it succeeded
   long              m_token;              // of the last call, 0 if it gave none

public:
                     CMqttResult(void) : m_status(MT5MQTT_OK),m_description(""),m_token(0) { }
   //--- how the last call ended
   ENUM_MQTT_STATUS  ResultStatus(void) const      { return(m_status);      }
   string            ResultDescription(void) const { return(m_description); }
   long              ResultToken(void) const       { return(m_token);       }

protected:
   bool              Succeeded(const long result);
   bool              Accepted(const long result);
   bool              Failed(const ENUM_MQTT_STATUS status,const string description);
  };
//+------------------------------------------------------------------+
//| Takes what the library returned; true if that is no error        |
//+------------------------------------------------------------------+
bool CMqttResult::Succeeded(const long result)
  {
   if(result<0)
      return(Failed((ENUM_MQTT_STATUS)result,CMqttText::LastError()));
   m_status=MT5MQTT_OK;
   m_description="";
   m_token=0;
   return(true);
  }
//+------------------------------------------------------------------+
//| The same for a call that returns a token                         |
//+------------------------------------------------------------------+
bool CMqttResult::Accepted(const long result)
  {
   if(!Succeeded(result))
      return(false);
   m_token=result;
   return(true);
  }
//+------------------------------------------------------------------+
//| A failure; returns false                                         |
//+------------------------------------------------------------------+
bool CMqttResult::Failed(const ENUM_MQTT_STATUS status,const string description)
  {
   m_status=status;
   m_description=description;
   m_token=0;
   return(false);
  }
#endif
//+------------------------------------------------------------------+
