//+------------------------------------------------------------------+
//|                                                     JsonTree.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_JSON_TREE_MQH
#define MT5MQTT_JSON_TREE_MQH
//--- deeper texts are refused: they come from outside
#define MQTT_JSON_MAX_DEPTH 32
//+------------------------------------------------------------------+
//| What a value is                                                  |
//+------------------------------------------------------------------+
enum ENUM_MQTT_JSON
  {
   MQTT_JSON_NONE,                         // there is no such value
   MQTT_JSON_NULL,
   MQTT_JSON_BOOLEAN,
   MQTT_JSON_NUMBER,
   MQTT_JSON_STRING,
   MQTT_JSON_ARRAY,
   MQTT_JSON_OBJECT
  };
//+------------------------------------------------------------------+
//| One value: where it stands in the text, and its neighbours       |
//+------------------------------------------------------------------+
struct MqttJsonNode
  {
   ENUM_MQTT_JSON    type;
   int               start;
   int               length;
   int               key_start;
   int               key_length;           // -1: not a member of an object
   int               next;                 // in the same array or object, -1 = the last
   int               child;                // the first, -1 = none
   int               count;                // children
  };
//+------------------------------------------------------------------+
//| Class CMqttJsonTree.                                             |
//| Appointment: reads JSON (RFC 8259) as it came from outside:      |
//|              strict, with limits, all or nothing. A value is     |
//|              named by its number; 0 is the whole, -1 stands for  |
//|              "none", and may be asked for everything.            |
//|              Keys that occur twice in an object are refused.     |
//+------------------------------------------------------------------+
class CMqttJsonTree
  {
private:
   string            m_text;
   int               m_length;
   int               m_at;
   string            m_error;
   MqttJsonNode      m_nodes[];
   int               m_count;

public:
                     CMqttJsonTree(void) : m_text(""),m_length(0),m_at(0),m_error(""),m_count(0) { }
   bool              Parse(const string text);
   //--- why Parse() failed, and where
   string            Error(void) const { return(m_error); }
   //--- structure
   ENUM_MQTT_JSON    Type(const int node) const;
   int               Count(const int node) const;
   int               Child(const int node) const;
   int               Next(const int node) const;
   int               Member(const int object,const string key) const;
   string            Key(const int node) const;

protected:
   //--- a value as it stands in the text, and the inside of a string without its escapes
   string            Raw(const int node) const  { return(StringSubstr(m_text,m_nodes[node].start,m_nodes[node].length)); }
   string            Text(const int node) const { return(Unescaped(m_nodes[node].start,m_nodes[node].length));           }

private:
   bool              Fail(const string what);
   void              Blanks(void);
   int               Unit(void) const;
   bool              Take(const int unit);
   int               Add(const ENUM_MQTT_JSON type);
   bool              Value(const int depth,int &node);
   bool              Object(const int depth,int &node);
   bool              Array(const int depth,int &node);
   bool              Word(const string word,const ENUM_MQTT_JSON type,int &node);
   bool              NumberText(int &node);
   bool              Digits(void);
   bool              StringText(int &start,int &length);
   bool              EscapeText(void);
   int               Hex(const int position) const;
   string            Unescaped(const int start,const int length) const;
  };
//+------------------------------------------------------------------+
//| Reads a text; false leaves nothing                               |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Parse(const string text)
  {
   m_text=text;
   m_length=StringLen(text);
   m_at=0;
   m_error="";
   m_count=0;
   int root=-1;
   Blanks();
   bool good=Value(0,root);
   if(good)
     {
      Blanks();
      good=(m_at==m_length || Fail("something stands behind the value"));
     }
   if(!good)
      m_count=0;
   return(good);
  }
//+------------------------------------------------------------------+
//| Remembers what is wrong; returns false                           |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Fail(const string what)
  {
   if(m_error=="")
      m_error=StringFormat("JSON: %s, at position %d",what,m_at);
   return(false);
  }
//+------------------------------------------------------------------+
//| Goes over blanks                                                 |
//+------------------------------------------------------------------+
void CMqttJsonTree::Blanks(void)
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
int CMqttJsonTree::Unit(void) const
  {
   return(m_at<m_length ? (int)StringGetCharacter(m_text,m_at) : -1);
  }
//+------------------------------------------------------------------+
//| Goes over one character, if it is that                           |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Take(const int unit)
  {
   if(Unit()!=unit)
      return(false);
   m_at++;
   return(true);
  }
//+------------------------------------------------------------------+
//| A new value that starts here                                     |
//+------------------------------------------------------------------+
int CMqttJsonTree::Add(const ENUM_MQTT_JSON type)
  {
   if(ArraySize(m_nodes)<=m_count)
      ArrayResize(m_nodes,m_count+64);
   m_nodes[m_count].type=type;
   m_nodes[m_count].start=m_at;
   m_nodes[m_count].length=0;
   m_nodes[m_count].key_start=0;
   m_nodes[m_count].key_length=-1;
   m_nodes[m_count].next=-1;
   m_nodes[m_count].child=-1;
   m_nodes[m_count].count=0;
   m_count++;
   return(m_count-1);
  }
//+------------------------------------------------------------------+
//| Reads any value                                                  |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Value(const int depth,int &node)
  {
   if(depth>MQTT_JSON_MAX_DEPTH)
      return(Fail("too deep"));
   switch(Unit())
     {
      case '{':
         return(Object(depth,node));
      case '[':
         return(Array(depth,node));
      case 't':
         return(Word("true",MQTT_JSON_BOOLEAN,node));
      case 'f':
         return(Word("false",MQTT_JSON_BOOLEAN,node));
      case 'n':
         return(Word("null",MQTT_JSON_NULL,node));
      case '"':
        {
         node=Add(MQTT_JSON_STRING);
         int start=0;
         int length=0;
         if(!StringText(start,length))
            return(false);
         m_nodes[node].start=start;
         m_nodes[node].length=length;
         return(true);
        }
     }
   return(NumberText(node));
  }
//+------------------------------------------------------------------+
//| Reads an object                                                  |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Object(const int depth,int &node)
  {
   node=Add(MQTT_JSON_OBJECT);
   m_at++;
   Blanks();
   if(Take('}'))
      return(true);
   int last=-1;
   while(true)
     {
      int start=0;
      int length=0;
      int child=-1;
      if(!StringText(start,length))
         return(false);
      string key=Unescaped(start,length);
      if(Member(node,key)>=0)
         return(Fail("the key '"+key+"' stands twice in an object"));
      Blanks();
      if(!Take(':'))
         return(Fail("no ':' behind a key"));
      Blanks();
      if(!Value(depth+1,child))
         return(false);
      m_nodes[child].key_start=start;
      m_nodes[child].key_length=length;
      if(last<0)
         m_nodes[node].child=child;
      else
         m_nodes[last].next=child;
      last=child;
      m_nodes[node].count++;
      Blanks();
      if(Take('}'))
         return(true);
      if(!Take(','))
         return(Fail("no ',' or '}' behind a member"));
      Blanks();
     }
   return(false);
  }
//+------------------------------------------------------------------+
//| Reads an array                                                   |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Array(const int depth,int &node)
  {
   node=Add(MQTT_JSON_ARRAY);
   m_at++;
   Blanks();
   if(Take(']'))
      return(true);
   int last=-1;
   while(true)
     {
      int child=-1;
      if(!Value(depth+1,child))
         return(false);
      if(last<0)
         m_nodes[node].child=child;
      else
         m_nodes[last].next=child;
      last=child;
      m_nodes[node].count++;
      Blanks();
      if(Take(']'))
         return(true);
      if(!Take(','))
         return(Fail("no ',' or ']' behind an element"));
      Blanks();
     }
   return(false);
  }
//+------------------------------------------------------------------+
//| Reads true, false or null                                        |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Word(const string word,const ENUM_MQTT_JSON type,int &node)
  {
   int length=StringLen(word);
   if(StringSubstr(m_text,m_at,length)!=word)
      return(Fail("an unknown word"));
   node=Add(type);
   m_nodes[node].length=length;
   m_at+=length;
   return(true);
  }
//+------------------------------------------------------------------+
//| Reads a number                                                   |
//+------------------------------------------------------------------+
bool CMqttJsonTree::NumberText(int &node)
  {
   int start=m_at;
   node=Add(MQTT_JSON_NUMBER);
   Take('-');
   if(!Take('0') && !Digits())
      return(Fail("no value"));
   if(Take('.') && !Digits())
      return(Fail("no digit behind the point"));
   if(Take('e') || Take('E'))
     {
      if(!Take('+'))
         Take('-');
      if(!Digits())
         return(Fail("no digit in the exponent"));
     }
   m_nodes[node].length=m_at-start;
   return(true);
  }
//+------------------------------------------------------------------+
//| Goes over digits, at least one                                   |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Digits(void)
  {
   int start=m_at;
   while(Unit()>='0' && Unit()<='9')
      m_at++;
   return(m_at>start);
  }
//+------------------------------------------------------------------+
//| Reads a string; tells where its inside stands                    |
//+------------------------------------------------------------------+
bool CMqttJsonTree::StringText(int &start,int &length)
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
bool CMqttJsonTree::EscapeText(void)
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
int CMqttJsonTree::Hex(const int position) const
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
string CMqttJsonTree::Unescaped(const int start,const int length) const
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
//+------------------------------------------------------------------+
//| What a value is                                                  |
//+------------------------------------------------------------------+
ENUM_MQTT_JSON CMqttJsonTree::Type(const int node) const
  {
   return(node>=0 && node<m_count ? m_nodes[node].type : MQTT_JSON_NONE);
  }
//+------------------------------------------------------------------+
//| How many members or elements it has                              |
//+------------------------------------------------------------------+
int CMqttJsonTree::Count(const int node) const
  {
   return(node>=0 && node<m_count ? m_nodes[node].count : 0);
  }
//+------------------------------------------------------------------+
//| The first of them, -1 if there is none                           |
//+------------------------------------------------------------------+
int CMqttJsonTree::Child(const int node) const
  {
   return(node>=0 && node<m_count ? m_nodes[node].child : -1);
  }
//+------------------------------------------------------------------+
//| The one that follows, -1 if there is none                        |
//+------------------------------------------------------------------+
int CMqttJsonTree::Next(const int node) const
  {
   return(node>=0 && node<m_count ? m_nodes[node].next : -1);
  }
//+------------------------------------------------------------------+
//| The member with that key, -1 if there is none                    |
//+------------------------------------------------------------------+
int CMqttJsonTree::Member(const int object,const string key) const
  {
   if(Type(object)!=MQTT_JSON_OBJECT)
      return(-1);
   for(int node=m_nodes[object].child; node>=0; node=m_nodes[node].next)
      if(Key(node)==key)
         return(node);
   return(-1);
  }
//+------------------------------------------------------------------+
//| The key of a member                                              |
//+------------------------------------------------------------------+
string CMqttJsonTree::Key(const int node) const
  {
   if(node<0 || node>=m_count || m_nodes[node].key_length<0)
      return("");
   return(Unescaped(m_nodes[node].key_start,m_nodes[node].key_length));
  }
#endif
//+------------------------------------------------------------------+
