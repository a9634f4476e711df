//+------------------------------------------------------------------+
//|                                                   Properties.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_PROPERTIES_MQH
#define MT5MQTT_PROPERTIES_MQH
#include "Result.mqh"
//+------------------------------------------------------------------+
//| Class CMqttProperties.                                           |
//| Appointment: MQTT 5.0 properties to send. One object serves for  |
//|              many packets; it can't be copied.                   |
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
//| Sets a property that is a number                                 |
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
