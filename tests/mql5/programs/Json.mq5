//+------------------------------------------------------------------+
//|                                                         Json.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Reads the texts of the file that the test made, and writes each
//--- anew: the test compares both.
#property version     "1.00"
#include <Mt5Mqtt\Mt5Mqtt.mqh>
#include <Mt5Mqtt\Internal\File.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
CMqttCheck ExtCheck;
//+------------------------------------------------------------------+
//| Writes a value that was read                                     |
//+------------------------------------------------------------------+
void Write(const CMqttJsonReader &reader,const int node,CMqttJsonWriter &writer,const bool member)
  {
   string text="";
   double number=0;
   long   integer=0;
   bool   boolean=false;
   string key=reader.Key(node);
   switch(reader.Type(node))
     {
      case MQTT_JSON_OBJECT:
         if(member)
            writer.BeginObject(key);
         else
            writer.BeginObject();
         for(int child=reader.Child(node); child>=0; child=reader.Next(child))
            Write(reader,child,writer,true);
         writer.EndObject();
         break;
      case MQTT_JSON_ARRAY:
         if(member)
            writer.BeginArray(key);
         else
            writer.BeginArray();
         for(int child=reader.Child(node); child>=0; child=reader.Next(child))
            Write(reader,child,writer,false);
         writer.EndArray();
         break;
      case MQTT_JSON_STRING:
         ExtCheck.That(reader.String(node,text),"String");
         if(member)
            writer.StringField(key,text);
         else
            writer.StringItem(text);
         break;
      case MQTT_JSON_NUMBER:
         ExtCheck.That(reader.Number(node,number),"Number");
         if(reader.Integer(node,integer))
           {
            if(member)
               writer.IntegerField(key,integer);
            else
               writer.IntegerItem(integer);
           }
         else
           {
            if(member)
               writer.NumberField(key,number,8);
            else
               writer.NumberItem(number,8);
           }
         break;
      case MQTT_JSON_BOOLEAN:
         ExtCheck.That(reader.Boolean(node,boolean),"Boolean");
         writer.BooleanField(key,boolean);
         break;
      case MQTT_JSON_NULL:
      case MQTT_JSON_NONE:
         ExtCheck.That(false,"not written by this test");
         break;
     }
  }
//+------------------------------------------------------------------+
//| Prints each text anew, or why it is refused                      |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   string cases[];
   string texts="";
   bool   exists=false;
   ExtCheck.That(CMqttFile::Read("cases.txt",texts,exists) && exists,"the file");
   int    count=StringSplit(texts,0x1F,cases);
   for(int i=0; i<count; i++)
     {
      CMqttJsonReader reader;
      CMqttJsonWriter writer;
      if(!reader.Parse(cases[i]))
        {
         ExtCheck.That(reader.Type(0)==MQTT_JSON_NONE,"nothing is left of a refused text");
         Print("refused ",reader.Error());
         continue;
        }
      Write(reader,0,writer,false);
      ExtCheck.That(writer.IsComplete(),"complete");
      Print("read ",writer.Text());
     }
   Access();
   ManyKeys();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| A quarter of a million keys, of which none or one stands twice   |
//+------------------------------------------------------------------+
void ManyKeys(void)
  {
   CMqttJsonReader reader;
   CMqttJsonWriter writer;
   writer.BeginObject();
   for(int i=0; i<250000; i++)
      writer.IntegerField(IntegerToString(i),i);
   writer.EndObject();
   string text=writer.Text();
   ExtCheck.That(reader.Parse(text),"many keys");
   ExtCheck.Equal(reader.Count(0),250000,"all of them");
   ExtCheck.That(!reader.Parse(StringSubstr(text,0,StringLen(text)-1)+",\"77\":0}"),"one of them twice");
   ExtCheck.That(StringFind(reader.Error(),"the key '77' stands twice")>=0,reader.Error());
  }
//+------------------------------------------------------------------+
//| Members                                                          |
//+------------------------------------------------------------------+
void Access(void)
  {
   CMqttJsonReader reader;
   string text="unchanged";
   long   integer=-1;
   double number=-1;
   bool   boolean=true;
   ExtCheck.That(reader.Parse("{\"s\":\"x\",\"i\":7,\"d\":1.5,\"b\":false,\"n\":null,\"a\":[1,2],\"big\":1234567890123456789,\"bigger\":9223372036854775808}"),"Parse");
   ExtCheck.That(reader.String(0,"s",text) && text=="x","String");
   ExtCheck.That(reader.Integer(0,"i",integer) && integer==7,"Integer");
   ExtCheck.That(reader.Number(0,"d",number) && number==1.5,"Number");
   ExtCheck.That(reader.Boolean(0,"b",boolean) && !boolean,"Boolean");
   ExtCheck.That(!reader.String(0,"i",text) && text=="x","a number is no string");
   ExtCheck.That(!reader.Integer(0,"d",integer) && integer==7,"1.5 is no integer");
   ExtCheck.That(reader.Integer(0,"big",integer) && integer==1234567890123456789,"19 digits");
   ExtCheck.That(!reader.Integer(0,"bigger",integer) && !reader.Integer(0,"none",integer),"too big, absent");
   ExtCheck.That(!reader.Number(0,"s",number) && !reader.Boolean(0,"n",boolean),"other types");
   ExtCheck.That(reader.Type(reader.Member(0,"n"))==MQTT_JSON_NULL,"null");
   ExtCheck.Equal(reader.Count(reader.Member(0,"a")),2,"Count");
   ExtCheck.That(reader.Child(-1)==-1 && reader.Next(99)==-1 && reader.Count(-1)==0 && reader.Key(-1)=="","none");
   CMqttJsonWriter writer;
   writer.BeginArray();
   writer.NumberItem(1.25,1);
   writer.NumberItem(MathSqrt(-1.0),2);
   ExtCheck.That(!writer.IsComplete(),"not complete");
   writer.EndArray();
   ExtCheck.Same(writer.Text(),"[1.2,null]","numbers");
   writer.Clear();
   ExtCheck.That(writer.Text()=="" && !writer.IsComplete(),"Clear");
  }
//+------------------------------------------------------------------+
