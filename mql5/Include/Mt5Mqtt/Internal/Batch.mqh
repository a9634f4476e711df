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
   void              Clear(void);
   void              Add(const string topic,const string text,const int qos,const bool retain);
   void              Add(const string topic,const uchar &payload[],const int qos,const bool retain);
   int               Count(void) const     { return(m_count); }
   //--- after CMqttClient::Publish(): 0 for a message that was not accepted
   long              Token(const int index) const;
   //--- for CMqttClient::Publish()
   int               Publish(const long client,const long properties);
   int               Status(const int index) const;

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
//| Publishes; returns how many were accepted, or a status           |
//+------------------------------------------------------------------+
int CMqttBatch::Publish(const long client,const long properties)
  {
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
