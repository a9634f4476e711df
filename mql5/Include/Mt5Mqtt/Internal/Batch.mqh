//+------------------------------------------------------------------+
//|                                                        Batch.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_BATCH_MQH
#define MT5MQTT_BATCH_MQH
#include "Text.mqh"
//--- the bytes before topic and payload, as mt5mqtt_publish_batch() reads them
#define MT5MQTT_BATCH_HEADER 32
//+------------------------------------------------------------------+
//| Class CMqttBatch.                                                |
//| Appointment: messages that go to the library in one call, packed |
//|              as they are added.                                  |
//+------------------------------------------------------------------+
class CMqttBatch
  {
private:
   uchar             m_bytes[];            // grows and is kept
   int               m_size;               // bytes in use
   int               m_starts[];           // where each message begins
   int               m_count;

public:
                     CMqttBatch(void) : m_size(0),m_count(0) { }
   //--- before the messages of the next publish: until then, publishing again sends the same ones again
   void              Clear(void);
   //--- nothing is checked before the publish; qos 0, 1 or 2; an empty text or array is a payload of 0 bytes
   void              Add(const string topic,const string text,const int qos,const bool retain);
   void              Add(const string topic,const uchar &payload[],const int qos,const bool retain);
   int               Count(void) const     { return(m_count); }
   //--- after CMqttClient::Publish(), counted from 0 as they were added: what the message's end, OnPublished(), names as
   //--- Token(). It is 0 from the first message on that was not accepted: these were not sent, and may be published anew
   long              Token(const int index) const;
   //--- MT5MQTT_OK, or why the first of them was not accepted; those behind it were not looked at, and have MT5MQTT_OK
   int               Status(const int index) const;
   //--- for CMqttClient::Publish(), which a program calls
   int               Publish(const long client,const long properties);

private:
   void              Append(const uchar &bytes[]);
   void              AppendInteger(const long value,const int size);
   long              Integer(const int position,const int size) const;
  };
//+------------------------------------------------------------------+
//| Empties it, and keeps its memory                                 |
//+------------------------------------------------------------------+
void CMqttBatch::Clear(void)
  {
   m_size=0;
   m_count=0;
  }
//+------------------------------------------------------------------+
//| Adds a message with text, as UTF-8                               |
//+------------------------------------------------------------------+
void CMqttBatch::Add(const string topic,const string text,const int qos,const bool retain)
  {
   uchar payload[];
   CMqttText::ToUtf8(text,payload);
   Add(topic,payload,qos,retain);
  }
//+------------------------------------------------------------------+
//| Adds a message with bytes                                        |
//+------------------------------------------------------------------+
void CMqttBatch::Add(const string topic,const uchar &payload[],const int qos,const bool retain)
  {
   uchar name[];
   CMqttText::ToUtf8(topic,name);
   if(ArraySize(m_starts)<=m_count)
      ArrayResize(m_starts,m_count+1,64);
   m_starts[m_count]=m_size;
   m_count++;
   AppendInteger(MT5MQTT_BATCH_HEADER,4);
   AppendInteger(0,4);                     // status
   AppendInteger(0,8);                     // token
   AppendInteger(qos,4);
   AppendInteger(retain ? 1 : 0,4);
   AppendInteger(ArraySize(name),4);
   AppendInteger(ArraySize(payload),4);
   Append(name);
   Append(payload);
  }
//+------------------------------------------------------------------+
//| The token of a message                                           |
//+------------------------------------------------------------------+
long CMqttBatch::Token(const int index) const
  {
   if(index<0 || index>=m_count)
      return(0);
   return(Integer(m_starts[index]+8,8));
  }
//+------------------------------------------------------------------+
//| The status of a message                                          |
//+------------------------------------------------------------------+
int CMqttBatch::Status(const int index) const
  {
   if(index<0 || index>=m_count)
      return(MT5MQTT_OK);
   return((int)Integer(m_starts[index]+4,4));
  }
//+------------------------------------------------------------------+
//| Publishes; returns how many were accepted, or a status. Behind   |
//| the first that isn't, nothing may be left of an earlier publish  |
//+------------------------------------------------------------------+
int CMqttBatch::Publish(const long client,const long properties)
  {
   for(int i=0; i<m_count; i++)
      for(int k=4; k<16; k++)
         m_bytes[m_starts[i]+k]=0;
   return(mt5mqtt_publish_batch(client,m_bytes,m_size,properties));
  }
//+------------------------------------------------------------------+
//| Adds bytes                                                       |
//+------------------------------------------------------------------+
void CMqttBatch::Append(const uchar &bytes[])
  {
   int size=ArraySize(bytes);
   if(size==0)
      return;
   if(ArraySize(m_bytes)<m_size+size)
      ArrayResize(m_bytes,m_size+size,4096);
   ArrayCopy(m_bytes,bytes,m_size,0,size);
   m_size+=size;
  }
//+------------------------------------------------------------------+
//| Adds a number, the lowest byte first                             |
//+------------------------------------------------------------------+
void CMqttBatch::AppendInteger(const long value,const int size)
  {
   if(ArraySize(m_bytes)<m_size+size)
      ArrayResize(m_bytes,m_size+size,4096);
   for(int i=0; i<size; i++)
      m_bytes[m_size+i]=(uchar)((value>>(8*i)) & 0xFF);
   m_size+=size;
  }
//+------------------------------------------------------------------+
//| Reads a number, the lowest byte first                            |
//+------------------------------------------------------------------+
long CMqttBatch::Integer(const int position,const int size) const
  {
   return(CMqttText::Integer(m_bytes,position,size));
  }
#endif
//+------------------------------------------------------------------+
