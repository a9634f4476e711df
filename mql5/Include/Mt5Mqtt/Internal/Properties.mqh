//+------------------------------------------------------------------+
//|                                                   Properties.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_PROPERTIES_MQH
#define MT5MQTT_PROPERTIES_MQH
#include "Result.mqh"
//+------------------------------------------------------------------+
//| Class CMqttProperties.                                           |
//| Appointment: MQTT 5.0 properties to send, and how a publish is   |
//|              treated while it waits. One object serves for many  |
//|              packets; it can't be copied.                        |
//+------------------------------------------------------------------+
class CMqttProperties : public CMqttResult
  {
private:
   long              m_properties;         // handle, 0 until the first property

public:
                     CMqttProperties(void) : m_properties(0) { }
                    ~CMqttProperties(void);
   //--- 0 stands for "no properties" in the library
   long              Handle(void) const                      { return(m_properties); }
   //--- setting replaces, adding adds
   bool              SetInteger(const ENUM_MQTT_PROPERTY property,const long value);
   bool              SetString(const ENUM_MQTT_PROPERTY property,const string value);
   bool              SetBytes(const ENUM_MQTT_PROPERTY property,const uchar &value[]);
   bool              AddUserProperty(const string name,const string value);
   bool              Clear(void);
   //--- of a publish that waits: how long, before others, the latest alone
   bool              SetTimeToLive(const long milliseconds);
   bool              SetPriority(const bool priority);
   bool              SetConflation(const bool conflate);
   bool              SetConflationKey(const string key);

protected:
   //--- no copies: a handle has one owner
                     CMqttProperties(const CMqttProperties &other) : m_properties(0) { }
   void              operator=(const CMqttProperties &other)                         { }

private:
   bool              Create(void);
  };
//+------------------------------------------------------------------+
//| Frees the handle                                                 |
//+------------------------------------------------------------------+
CMqttProperties::~CMqttProperties(void)
  {
   if(m_properties>0)
      mt5mqtt_properties_free(m_properties);
  }
//+------------------------------------------------------------------+
//| Makes the handle with the first property: a constructor of a     |
//| global object runs too early to report a failure                 |
//+------------------------------------------------------------------+
bool CMqttProperties::Create(void)
  {
   if(m_properties>0)
      return(true);
   long handle=mt5mqtt_properties_create();
   if(!Succeeded(handle))
      return(false);
   m_properties=handle;
   return(true);
  }
//+------------------------------------------------------------------+
//| Sets a property that is a number, in place of an earlier value;  |
//| OUT_OF_RANGE, WRONG_TYPE                                         |
//+------------------------------------------------------------------+
bool CMqttProperties::SetInteger(const ENUM_MQTT_PROPERTY property,const long value)
  {
   return(Create() && Succeeded(mt5mqtt_properties_set_int(m_properties,property,value)));
  }
//+------------------------------------------------------------------+
//| Sets a property that is text                                     |
//+------------------------------------------------------------------+
bool CMqttProperties::SetString(const ENUM_MQTT_PROPERTY property,const string value)
  {
   return(Create() && Succeeded(mt5mqtt_properties_set_text_w(m_properties,property,value)));
  }
//+------------------------------------------------------------------+
//| Sets a property that is Binary Data                              |
//+------------------------------------------------------------------+
bool CMqttProperties::SetBytes(const ENUM_MQTT_PROPERTY property,const uchar &value[])
  {
   return(Create() && Succeeded(mt5mqtt_properties_set_bytes(m_properties,property,value,ArraySize(value))));
  }
//+------------------------------------------------------------------+
//| Adds a User Property                                             |
//+------------------------------------------------------------------+
bool CMqttProperties::AddUserProperty(const string name,const string value)
  {
   return(Create() && Succeeded(mt5mqtt_properties_add_user_w(m_properties,name,value)));
  }
//+------------------------------------------------------------------+
//| Milliseconds, 1 to 31536000000 (a year): what is not sent within |
//| that time is dropped, and ends with EXPIRED; 0 (default) = no    |
//| limit; else OUT_OF_RANGE                                         |
//+------------------------------------------------------------------+
bool CMqttProperties::SetTimeToLive(const long milliseconds)
  {
   return(Create() && Succeeded(mt5mqtt_properties_set_time_to_live(m_properties,milliseconds)));
  }
//+------------------------------------------------------------------+
//| An order goes before ticks: sent before all that wait without    |
//| priority, and dropped last when the queue is full. Default false |
//+------------------------------------------------------------------+
bool CMqttProperties::SetPriority(const bool priority)
  {
   return(Create() && Succeeded(mt5mqtt_properties_set_priority(m_properties,priority)));
  }
//+------------------------------------------------------------------+
//| Whether only the latest publish of a Topic Name is kept waiting; |
//| those before end with SUPERSEDED. Default false                  |
//+------------------------------------------------------------------+
bool CMqttProperties::SetConflation(const bool conflate)
  {
   return(Create() && Succeeded(mt5mqtt_properties_set_conflation(m_properties,conflate)));
  }
//+------------------------------------------------------------------+
//| The same by a key of the program's own                           |
//+------------------------------------------------------------------+
bool CMqttProperties::SetConflationKey(const string key)
  {
   return(Create() && Succeeded(mt5mqtt_properties_set_conflation_key_w(m_properties,key)));
  }
//+------------------------------------------------------------------+
//| Removes all properties                                           |
//+------------------------------------------------------------------+
bool CMqttProperties::Clear(void)
  {
   if(m_properties==0)
      return(Succeeded(MT5MQTT_OK));
   return(Succeeded(mt5mqtt_properties_clear(m_properties)));
  }
#endif
//+------------------------------------------------------------------+
