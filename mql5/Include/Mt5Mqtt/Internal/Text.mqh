//+------------------------------------------------------------------+
//|                                                         Text.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_TEXT_MQH
#define MT5MQTT_TEXT_MQH
#include "Api.mqh"
//+------------------------------------------------------------------+
//| Class CMqttText.                                                 |
//| Appointment: text between the library and MQL5, and symbols      |
//|              made fit for a topic level.                         |
//+------------------------------------------------------------------+
class CMqttText
  {
public:
   //--- text that the library writes into a buffer of UTF-16 units
   static void       Reserve(ushort &units[],const int size);
   static string     FromUnits(const ushort &units[],const int length);
   static void       ToUtf8(const string text,uchar &bytes[]);
   //--- numbers in an array of bytes
   static long       Integer(const uchar &bytes[],const int position,const int size);
   //--- the library's own texts
   static string     Version(void);
   static string     Status(const int status);
   static string     ReasonCode(const int reason_code);
   static string     LastError(void);
   //--- one level of a Topic Name
   static string     EscapeTopicLevel(const string level);
   static string     UnescapeTopicLevel(const string level);

private:
   static int        EscapedByte(const string text,const int position);
   static int        HexDigit(const int unit);
  };
//+------------------------------------------------------------------+
//| Makes room for at least size units                               |
//+------------------------------------------------------------------+
void CMqttText::Reserve(ushort &units[],const int size)
  {
   if(ArraySize(units)<size)
      ArrayResize(units,size);
  }
//+------------------------------------------------------------------+
//| The first length units as a string                               |
//+------------------------------------------------------------------+
string CMqttText::FromUnits(const ushort &units[],const int length)
  {
   if(length<=0)
      return("");
   return(ShortArrayToString(units,0,length));
  }
//+------------------------------------------------------------------+
//| UTF-8 without the trailing zero that StringToCharArray() appends |
//+------------------------------------------------------------------+
void CMqttText::ToUtf8(const string text,uchar &bytes[])
  {
   int size=StringToCharArray(text,bytes,0,WHOLE_ARRAY,CP_UTF8);
   ArrayResize(bytes,size>0 ? size-1 : 0);
  }
//+------------------------------------------------------------------+
//| A number of 4 or 8 bytes with a sign, the lowest byte first      |
//+------------------------------------------------------------------+
long CMqttText::Integer(const uchar &bytes[],const int position,const int size)
  {
   long value=0;
   for(int i=size-1; i>=0; i--)
      value=(value<<8) | (long)bytes[position+i];
   return(size==4 ? (long)(int)value : value);
  }
//+------------------------------------------------------------------+
//| The version of mt5mqtt.dll                                       |
//+------------------------------------------------------------------+
string CMqttText::Version(void)
  {
   ushort units[];
   ArrayResize(units,mt5mqtt_version_w(units,0)+1);
   return(FromUnits(units,mt5mqtt_version_w(units,ArraySize(units))));
  }
//+------------------------------------------------------------------+
//| A status in words                                                |
//+------------------------------------------------------------------+
string CMqttText::Status(const int status)
  {
   ushort units[];
   ArrayResize(units,mt5mqtt_status_text_w(status,units,0)+1);
   return(FromUnits(units,mt5mqtt_status_text_w(status,units,ArraySize(units))));
  }
//+------------------------------------------------------------------+
//| An MQTT Reason Code in words                                     |
//+------------------------------------------------------------------+
string CMqttText::ReasonCode(const int reason_code)
  {
   ushort units[];
   ArrayResize(units,mt5mqtt_reason_code_text_w(reason_code,units,0)+1);
   return(FromUnits(units,mt5mqtt_reason_code_text_w(reason_code,units,ArraySize(units))));
  }
//+------------------------------------------------------------------+
//| Why the last call on this thread that failed did                 |
//+------------------------------------------------------------------+
string CMqttText::LastError(void)
  {
   ushort units[];
   ArrayResize(units,mt5mqtt_last_error_w(units,0)+1);
   return(FromUnits(units,mt5mqtt_last_error_w(units,ArraySize(units))));
  }
//+------------------------------------------------------------------+
//| Escapes, as a URL does, what a level of a Topic Name can't hold: |
//| # + / (wildcards, separator), control characters, a leading $    |
//| (topics of the Server itself), and % for the way back            |
//+------------------------------------------------------------------+
string CMqttText::EscapeTopicLevel(const string level)
  {
   string result="";
   int    length=StringLen(level);
   for(int i=0; i<length; i++)
     {
      int unit=StringGetCharacter(level,i);
      if(unit=='#' || unit=='+' || unit=='/' || unit=='%' || (unit=='$' && i==0) || unit<0x20 || unit==0x7F)
         result+=StringFormat("%%%02X",unit);
      else
         if(unit>=0x80 && unit<=0x9F)        // two bytes in UTF-8, as a URL has them
            result+=StringFormat("%%C2%%%02X",unit);
         else
            result+=StringSubstr(level,i,1);
     }
   return(result);
  }
//+------------------------------------------------------------------+
//| The way back; a % that no escape follows stays as it is          |
//+------------------------------------------------------------------+
string CMqttText::UnescapeTopicLevel(const string level)
  {
   string result="";
   int    length=StringLen(level);
   for(int i=0; i<length; i++)
     {
      int first=EscapedByte(level,i);
      int second=(first==0xC2 ? EscapedByte(level,i+3) : -1);
      if(first>0 && first<0x80)
        {
         result+=ShortToString((ushort)first);
         i+=2;
        }
      else
         if(second>=0x80 && second<=0x9F)
           {
            result+=ShortToString((ushort)second);
            i+=5;
           }
         else
            result+=StringSubstr(level,i,1);
     }
   return(result);
  }
//+------------------------------------------------------------------+
//| The value of the escape %XY at a position of a text, -1 if none  |
//+------------------------------------------------------------------+
int CMqttText::EscapedByte(const string text,const int position)
  {
   if(position+2>=StringLen(text) || StringGetCharacter(text,position)!='%')
      return(-1);
   int high=HexDigit(StringGetCharacter(text,position+1));
   int low=HexDigit(StringGetCharacter(text,position+2));
   return(high<0 || low<0 ? -1 : high*16+low);
  }
//+------------------------------------------------------------------+
//| The value of a hexadecimal digit, -1 if it is none               |
//+------------------------------------------------------------------+
int CMqttText::HexDigit(const int unit)
  {
   if(unit>='0' && unit<='9')
      return(unit-'0');
   if(unit>='A' && unit<='F')
      return(unit-'A'+10);
   if(unit>='a' && unit<='f')
      return(unit-'a'+10);
   return(-1);
  }
#endif
//+------------------------------------------------------------------+
