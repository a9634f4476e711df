//+------------------------------------------------------------------+
//|                                                     JsonText.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_JSON_TEXT_MQH
#define MT5MQTT_JSON_TEXT_MQH
//+------------------------------------------------------------------+
//| Class CMqttJsonText.                                             |
//| Appointment: goes over a JSON text, character by character, and  |
//|              says where something is wrong.                      |
//+------------------------------------------------------------------+
class CMqttJsonText
  {
protected:
   string            m_text;
   int               m_length;
   int               m_at;
   string            m_error;

public:
                     CMqttJsonText(void) : m_text(""),m_length(0),m_at(0),m_error("") { }
   //--- why it is no JSON, and where
   string            Error(void) const { return(m_error); }

protected:
   void              Begin(const string text)   { m_text=text; m_length=StringLen(text); m_at=0; m_error=""; }
   bool              Fail(const string what);
   void              Blanks(void);
   int               Unit(void) const;
   bool              Take(const int unit);
   bool              Digits(void);
   bool              StringText(int &start,int &length);
   string            Unescaped(const int start,const int length) const;

private:
   bool              EscapeText(void);
   int               Hex(const int position) const;
  };
//+------------------------------------------------------------------+
//| Remembers what is wrong; returns false                           |
//+------------------------------------------------------------------+
bool CMqttJsonText::Fail(const string what)
  {
   if(m_error=="")
      m_error=StringFormat("JSON: %s, at position %d",what,m_at);
   return(false);
  }
//+------------------------------------------------------------------+
//| Goes over blanks                                                 |
//+------------------------------------------------------------------+
void CMqttJsonText::Blanks(void)
  {
   while(m_at<m_length)
     {
      int unit=Unit();
      if(unit!=' ' && unit!='\t' && unit!='\r' && unit!='\n')
         return;
      m_at++;
     }
  }
//+------------------------------------------------------------------+
//| The character at the position, -1 at the end                     |
//+------------------------------------------------------------------+
int CMqttJsonText::Unit(void) const
  {
   return(m_at<m_length ? (int)StringGetCharacter(m_text,m_at) : -1);
  }
//+------------------------------------------------------------------+
//| Goes over one character, if it is that                           |
//+------------------------------------------------------------------+
bool CMqttJsonText::Take(const int unit)
  {
   if(Unit()!=unit)
      return(false);
   m_at++;
   return(true);
  }
//+------------------------------------------------------------------+
//| Goes over digits, at least one                                   |
//+------------------------------------------------------------------+
bool CMqttJsonText::Digits(void)
  {
   int start=m_at;
   while(Unit()>='0' && Unit()<='9')
      m_at++;
   return(m_at>start);
  }
//+------------------------------------------------------------------+
//| Reads a string; tells where its inside stands                    |
//+------------------------------------------------------------------+
bool CMqttJsonText::StringText(int &start,int &length)
  {
   if(!Take('"'))
      return(Fail("no string"));
   start=m_at;
   while(m_at<m_length)
     {
      int unit=Unit();
      if(unit=='"')
        {
         length=m_at-start;
         m_at++;
         return(true);
        }
      if(unit<0x20)
         return(Fail("a control character in a string"));
      m_at++;
      if(unit=='\\' && !EscapeText())
         return(false);
     }
   return(Fail("a string without an end"));
  }
//+------------------------------------------------------------------+
//| Goes over what follows a backslash                               |
//+------------------------------------------------------------------+
bool CMqttJsonText::EscapeText(void)
  {
   int unit=Unit();
   m_at++;
   if(unit=='"' || unit=='\\' || unit=='/' || unit=='b' || unit=='f' || unit=='n' || unit=='r' || unit=='t')
      return(true);
   int code=(unit=='u' ? Hex(m_at) : -1);
   if(code<0)
      return(Fail("an unknown escape"));
   if(code==0)
      return(Fail("the character 0"));
   m_at+=4;
   if(code<0xD800 || code>0xDFFF)
      return(true);
//--- a pair of surrogates, or nothing
   bool is_first=(code<=0xDBFF && Take('\\') && Take('u'));
   int  second=(is_first ? Hex(m_at) : -1);
   if(second<0xDC00 || second>0xDFFF)
      return(Fail("half a pair of surrogates"));
   m_at+=4;
   return(true);
  }
//+------------------------------------------------------------------+
//| Four hexadecimal digits, -1 if they are not there                |
//+------------------------------------------------------------------+
int CMqttJsonText::Hex(const int position) const
  {
   if(position+4>m_length)
      return(-1);
   int value=0;
   for(int i=0; i<4; i++)
     {
      int unit=StringGetCharacter(m_text,position+i);
      if(unit>='0' && unit<='9')
         value=value*16+unit-'0';
      else
         if(unit>='A' && unit<='F')
            value=value*16+unit-'A'+10;
         else
            if(unit>='a' && unit<='f')
               value=value*16+unit-'a'+10;
            else
               return(-1);
     }
   return(value);
  }
//+------------------------------------------------------------------+
//| The inside of a string without its escapes                       |
//+------------------------------------------------------------------+
string CMqttJsonText::Unescaped(const int start,const int length) const
  {
   string result="";
   int    from=start;
   int    end=start+length;
   for(int i=start; i<end; i++)
     {
      if(StringGetCharacter(m_text,i)!='\\')
         continue;
      if(i>from)
         result+=StringSubstr(m_text,from,i-from);
      i++;
      int unit=StringGetCharacter(m_text,i);
      switch(unit)
        {
         case 'b':
            unit=8;
            break;
         case 'f':
            unit=12;
            break;
         case 'n':
            unit='\n';
            break;
         case 'r':
            unit='\r';
            break;
         case 't':
            unit='\t';
            break;
         case 'u':
            unit=Hex(i+1);
            i+=4;
            break;
        }
      result+=ShortToString((ushort)unit);
      from=i+1;
     }
   if(from<end)
      result+=StringSubstr(m_text,from,end-from);
   return(result);
  }
#endif
//+------------------------------------------------------------------+
