//+------------------------------------------------------------------+
//|                                                   JsonReader.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_JSON_READER_MQH
#define MT5MQTT_JSON_READER_MQH
#include "JsonTree.mqh"
//+------------------------------------------------------------------+
//| Class CMqttJsonReader.                                           |
//| Appointment: what the values of a JSON text are. A value is named|
//|              by its number; 0 is the whole, -1 stands for "none",|
//|              and may be asked for everything.                    |
//+------------------------------------------------------------------+
class CMqttJsonReader : public CMqttJsonTree
  {
public:
   //--- values; false if the value is absent or of another type
   bool              String(const int node,string &value) const;
   bool              Integer(const int node,long &value) const;
   bool              Number(const int node,double &value) const;
   bool              Boolean(const int node,bool &value) const;
   //--- the same of a member
   bool              String(const int object,const string key,string &value) const  { return(String(Member(object,key),value));  }
   bool              Integer(const int object,const string key,long &value) const   { return(Integer(Member(object,key),value)); }
   bool              Number(const int object,const string key,double &value) const  { return(Number(Member(object,key),value));  }
   bool              Boolean(const int object,const string key,bool &value) const   { return(Boolean(Member(object,key),value)); }
  };
//+------------------------------------------------------------------+
//| A string                                                         |
//+------------------------------------------------------------------+
bool CMqttJsonReader::String(const int node,string &value) const
  {
   if(Type(node)!=MQTT_JSON_STRING)
      return(false);
   value=Text(node);
   return(true);
  }
//+------------------------------------------------------------------+
//| A number without point and exponent that a long holds, as a magic|
//| number of 19 digits                                              |
//+------------------------------------------------------------------+
bool CMqttJsonReader::Integer(const int node,long &value) const
  {
   if(Type(node)!=MQTT_JSON_NUMBER)
      return(false);
   string text=Raw(node);
   int    digits=StringLen(text)-(StringGetCharacter(text,0)=='-' ? 1 : 0);
   if(digits>19 || StringFind(text,".")>=0 || StringFind(text,"e")>=0 || StringFind(text,"E")>=0)
      return(false);
   long   number=StringToInteger(text);
//--- more than a long can hold
   if(digits==19 && IntegerToString(number)!=text)
      return(false);
   value=number;
   return(true);
  }
//+------------------------------------------------------------------+
//| A number                                                         |
//+------------------------------------------------------------------+
bool CMqttJsonReader::Number(const int node,double &value) const
  {
   if(Type(node)!=MQTT_JSON_NUMBER)
      return(false);
   double number=StringToDouble(Raw(node));
   if(!MathIsValidNumber(number))
      return(false);
   value=number;
   return(true);
  }
//+------------------------------------------------------------------+
//| True or false                                                    |
//+------------------------------------------------------------------+
bool CMqttJsonReader::Boolean(const int node,bool &value) const
  {
   if(Type(node)!=MQTT_JSON_BOOLEAN)
      return(false);
   value=(Raw(node)=="true");
   return(true);
  }
#endif
//+------------------------------------------------------------------+
