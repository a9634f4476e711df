//+------------------------------------------------------------------+
//|                                                     JsonTree.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_JSON_TREE_MQH
#define MT5MQTT_JSON_TREE_MQH
#include "JsonText.mqh"
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
class CMqttJsonTree : public CMqttJsonText
  {
private:
   MqttJsonNode      m_nodes[];
   int               m_count;

public:
                     CMqttJsonTree(void) : m_count(0) { }
   bool              Parse(const string text);
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
   int               Add(const ENUM_MQTT_JSON type);
   bool              Value(const int depth,int &node);
   bool              Object(const int depth,int &node);
   bool              HasTwice(const int object);
   static long       Hash(const string key);
   bool              Array(const int depth,int &node);
   bool              Word(const string word,const ENUM_MQTT_JSON type,int &node);
   bool              NumberText(int &node);
  };
//+------------------------------------------------------------------+
//| Reads a text; false leaves nothing                               |
//+------------------------------------------------------------------+
bool CMqttJsonTree::Parse(const string text)
  {
   Begin(text);
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
//| A new value that starts here                                     |
//+------------------------------------------------------------------+
int CMqttJsonTree::Add(const ENUM_MQTT_JSON type)
  {
   if(ArraySize(m_nodes)<=m_count)
      ArrayResize(m_nodes,m_count*2+64);
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
         return(!HasTwice(node));
      if(!Take(','))
         return(Fail("no ',' or '}' behind a member"));
      Blanks();
     }
   return(false);
  }
//+------------------------------------------------------------------+
//| Does a key stand twice in an object? Whoever sends a text with   |
//| thousands of keys must not keep the program busy                 |
//+------------------------------------------------------------------+
bool CMqttJsonTree::HasTwice(const int object)
  {
   long sorted[];
   int  count=m_nodes[object].count;
   int  i=0;
   ArrayResize(sorted,count);
   for(int node=m_nodes[object].child; node>=0; node=m_nodes[node].next)
     {
      sorted[i]=Hash(Key(node))*4294967296+node;
      i++;
     }
   ArraySort(sorted);
   for(i=1; i<count; i++)
      for(int k=i-1; k>=0 && sorted[k]/4294967296==sorted[i]/4294967296; k--)
        {
         string key=Key((int)(sorted[i]%4294967296));
         if(Key((int)(sorted[k]%4294967296))==key)
           {
            Fail("the key '"+key+"' stands twice in an object");
            return(true);
           }
        }
   return(false);
  }
//+------------------------------------------------------------------+
//| Below 2^31                                                       |
//+------------------------------------------------------------------+
long CMqttJsonTree::Hash(const string key)
  {
   long hash=2166136261%2147483647;
   int  length=StringLen(key);
   for(int i=0; i<length; i++)
      hash=(hash*16777619+StringGetCharacter(key,i))%2147483647;
   return(hash);
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
