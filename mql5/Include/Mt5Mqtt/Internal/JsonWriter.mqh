//+------------------------------------------------------------------+
//|                                                   JsonWriter.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_JSON_WRITER_MQH
#define MT5MQTT_JSON_WRITER_MQH
//+------------------------------------------------------------------+
//| Class CMqttJsonWriter.                                           |
//| Appointment: JSON text (RFC 8259), piece by piece. It sets the   |
//|              commas; that keys, values and ends come in a right  |
//|              order is the caller's part, and IsComplete() tells. |
//+------------------------------------------------------------------+
class CMqttJsonWriter
  {
private:
   string            m_text;
   bool              m_comma;              // the next value needs a comma before it
   int               m_depth;

public:
                     CMqttJsonWriter(void) : m_text(""),m_comma(false),m_depth(0) { }
   //--- the text so far
   string            Text(void) const       { return(m_text);                     }
   bool              IsComplete(void) const { return(m_depth==0 && m_text!="");   }
   void              Clear(void);
   //--- objects and arrays
   void              BeginObject(void);
   void              BeginObject(const string key);
   void              EndObject(void);
   void              BeginArray(void);
   void              BeginArray(const string key);
   void              EndArray(void);
   //--- members of an object
   void              StringField(const string key,const string value);
   void              IntegerField(const string key,const long value);
   void              NumberField(const string key,const double value,const int digits);
   void              BooleanField(const string key,const bool value);
   //--- elements of an array
   void              StringItem(const string value);
   void              IntegerItem(const long value);
   void              NumberItem(const double value,const int digits);

   static string     Quote(const string text);

private:
   void              Value(const string text);
   void              Key(const string key);
   void              Open(const string bracket);
   void              Close(const string bracket);
   static string     Number(const double value,const int digits);
   static string     Escape(const int unit);
  };
//+------------------------------------------------------------------+
//| Starts anew                                                      |
//+------------------------------------------------------------------+
void CMqttJsonWriter::Clear(void)
  {
   m_text="";
   m_comma=false;
   m_depth=0;
  }
//+------------------------------------------------------------------+
//| An object as the whole text or in an array                       |
//+------------------------------------------------------------------+
void CMqttJsonWriter::BeginObject(void)
  {
   Open("{");
  }
//+------------------------------------------------------------------+
//| An object as a member                                            |
//+------------------------------------------------------------------+
void CMqttJsonWriter::BeginObject(const string key)
  {
   Key(key);
   Open("{");
  }
//+------------------------------------------------------------------+
//| The end of an object                                             |
//+------------------------------------------------------------------+
void CMqttJsonWriter::EndObject(void)
  {
   Close("}");
  }
//+------------------------------------------------------------------+
//| An array as the whole text or in an array                        |
//+------------------------------------------------------------------+
void CMqttJsonWriter::BeginArray(void)
  {
   Open("[");
  }
//+------------------------------------------------------------------+
//| An array as a member                                             |
//+------------------------------------------------------------------+
void CMqttJsonWriter::BeginArray(const string key)
  {
   Key(key);
   Open("[");
  }
//+------------------------------------------------------------------+
//| The end of an array                                              |
//+------------------------------------------------------------------+
void CMqttJsonWriter::EndArray(void)
  {
   Close("]");
  }
//+------------------------------------------------------------------+
//| A member that is text                                            |
//+------------------------------------------------------------------+
void CMqttJsonWriter::StringField(const string key,const string value)
  {
   Key(key);
   StringItem(value);
  }
//+------------------------------------------------------------------+
//| A member that is an integer                                      |
//+------------------------------------------------------------------+
void CMqttJsonWriter::IntegerField(const string key,const long value)
  {
   Key(key);
   IntegerItem(value);
  }
//+------------------------------------------------------------------+
//| A member that is a number with so many digits after the point    |
//+------------------------------------------------------------------+
void CMqttJsonWriter::NumberField(const string key,const double value,const int digits)
  {
   Key(key);
   NumberItem(value,digits);
  }
//+------------------------------------------------------------------+
//| A member that is true or false                                   |
//+------------------------------------------------------------------+
void CMqttJsonWriter::BooleanField(const string key,const bool value)
  {
   Key(key);
   Value(value ? "true" : "false");
  }
//+------------------------------------------------------------------+
//| Text                                                             |
//+------------------------------------------------------------------+
void CMqttJsonWriter::StringItem(const string value)
  {
   Value(Quote(value));
  }
//+------------------------------------------------------------------+
//| An integer                                                       |
//+------------------------------------------------------------------+
void CMqttJsonWriter::IntegerItem(const long value)
  {
   Value(IntegerToString(value));
  }
//+------------------------------------------------------------------+
//| A number                                                         |
//+------------------------------------------------------------------+
void CMqttJsonWriter::NumberItem(const double value,const int digits)
  {
   Value(Number(value,digits));
  }
//+------------------------------------------------------------------+
//| JSON has no infinity and no "not a number": null                 |
//+------------------------------------------------------------------+
string CMqttJsonWriter::Number(const double value,const int digits)
  {
   if(!MathIsValidNumber(value))
      return("null");
   return(DoubleToString(value,digits));
  }
//+------------------------------------------------------------------+
//| A text in quotes. Half a pair of surrogates, as a comment that   |
//| was cut may have, stands in no UTF-8: U+FFFD takes its place     |
//+------------------------------------------------------------------+
string CMqttJsonWriter::Quote(const string text)
  {
   string result="\"";
   int    length=StringLen(text);
   int    start=0;
   for(int i=0; i<length; i++)
     {
      int unit=StringGetCharacter(text,i);
      if(unit>=0xD800 && unit<0xDC00 && i+1<length && (StringGetCharacter(text,i+1)&0xFC00)==0xDC00)
        {
         i++;
         continue;
        }
      bool is_half=((unit&0xF800)==0xD800);
      if(unit>=0x20 && unit!='"' && unit!='\\' && !is_half)
         continue;
      if(i>start)
         result+=StringSubstr(text,start,i-start);
      result+=Escape(is_half ? 0xFFFD : unit);
      start=i+1;
     }
   if(start<length)
      result+=StringSubstr(text,start);
   return(result+"\"");
  }
//+------------------------------------------------------------------+
//| A character that stands in no JSON text as it is                 |
//+------------------------------------------------------------------+
string CMqttJsonWriter::Escape(const int unit)
  {
   switch(unit)
     {
      case '"':
         return("\\\"");
      case '\\':
         return("\\\\");
      case '\n':
         return("\\n");
      case '\r':
         return("\\r");
      case '\t':
         return("\\t");
     }
   return(StringFormat("\\u%04X",unit));
  }
//+------------------------------------------------------------------+
//| Adds a value                                                     |
//+------------------------------------------------------------------+
void CMqttJsonWriter::Value(const string text)
  {
   if(m_comma)
      m_text+=",";
   m_text+=text;
   m_comma=true;
  }
//+------------------------------------------------------------------+
//| Adds a key                                                       |
//+------------------------------------------------------------------+
void CMqttJsonWriter::Key(const string key)
  {
   Value(Quote(key)+":");
   m_comma=false;
  }
//+------------------------------------------------------------------+
//| Adds a bracket that opens                                        |
//+------------------------------------------------------------------+
void CMqttJsonWriter::Open(const string bracket)
  {
   Value(bracket);
   m_comma=false;
   m_depth++;
  }
//+------------------------------------------------------------------+
//| Adds a bracket that closes                                       |
//+------------------------------------------------------------------+
void CMqttJsonWriter::Close(const string bracket)
  {
   m_text+=bracket;
   m_comma=true;
   m_depth--;
  }
#endif
//+------------------------------------------------------------------+
