//+------------------------------------------------------------------+
//|                                                      Message.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_MESSAGE_MQH
#define MT5MQTT_MESSAGE_MQH
#include "Text.mqh"
//+------------------------------------------------------------------+
//| Where a received property holds its value                        |
//+------------------------------------------------------------------+
enum ENUM_MQTT_VALUE
  {
   MQTT_VALUE_INTEGER,
   MQTT_VALUE_STRING,
   MQTT_VALUE_BYTES
  };
//+------------------------------------------------------------------+
//| One received property                                            |
//+------------------------------------------------------------------+
struct MqttProperty
  {
   int               id;                   // ENUM_MQTT_PROPERTY
   ENUM_MQTT_VALUE   type;
   string            name;                 // of a User Property
   long              number;
   string            text;                 // of a User Property too
   uchar             bytes[];
  };
//+------------------------------------------------------------------+
//| Class CMqttMessage.                                              |
//| Appointment: one event of a client, copied out of the library:   |
//|              it stays as it is when the next one is taken.       |
//+------------------------------------------------------------------+
class CMqttMessage
  {
private:
   MqttEvent         m_event;
   string            m_topic;
   uchar             m_payload[];
   string            m_payload_text;
   bool              m_payload_is_text;
   string            m_text;
   MqttProperty      m_properties[];

public:
                     CMqttMessage(void);
   //--- every event: what has happened; the publish, subscribe, unsubscribe or request whose end it is (ResultToken() of that
   //--- call), of a message the number for Acknowledge(); when the library had it, in microseconds since 1970; how many
   //--- events were lost right before it, as the queue was full
   ENUM_MQTT_EVENT   Kind(void) const                  { return((ENUM_MQTT_EVENT)m_event.kind);            }
   long              Token(void) const                 { return(m_event.token);                            }
   long              TimeMicroseconds(void) const      { return(m_event.time_us);                          }
   long              Dropped(void) const               { return(m_event.dropped);                          }
   //--- MT5MQTT_OK, or what failed; the Server's Reason Code, 0 to 255, or -1 if it gave none; more in words, "" if there is
   //--- nothing to say
   ENUM_MQTT_STATUS  Status(void) const                { return((ENUM_MQTT_STATUS)m_event.status);         }
   string            StatusDescription(void) const     { return(CMqttText::Status(m_event.status));        }
   int               ReasonCode(void) const            { return(m_event.reason_code);                      }
   string            ReasonCodeDescription(void) const;
   string            Text(void) const                  { return(m_text);                                   }
   //--- a received message; Topic() is also the filter of a subscribe or unsubscribe. PayloadText() is "" if the payload is
   //--- empty or no UTF-8, which PayloadIsText() tells apart
   string            Topic(void) const                 { return(m_topic);                                  }
   int               PayloadSize(void) const           { return(ArraySize(m_payload));                     }
   void              Payload(uchar &payload[]) const;
   string            PayloadText(void) const           { return(m_payload_text);                           }
   bool              PayloadIsText(void) const         { return(m_payload_is_text);                        }
   int               QoS(void) const                   { return(m_event.qos);                              }
   //--- retained: the Server has kept it, so it may be old (or it was published so, with MT5MQTT_SUBSCRIBE_RETAIN_AS_PUBLISHED);
   //--- duplicate: the Server has sent it before, or it comes from the store; seen before: the deduplication knows it; of QoS 0
   //--- the Packet Identifier is 0
   bool              IsRetained(void) const            { return(m_event.retain!=0);                        }
   bool              IsDuplicate(void) const           { return(m_event.dup!=0);                           }
   bool              IsSeenBefore(void) const          { return(Kind()==MT5MQTT_EVENT_MESSAGE && m_event.detail==MT5MQTT_MESSAGE_SEEN_BEFORE); }
   int               PacketId(void) const              { return(m_event.packet_id);                        }
   //--- the progress of a publish
   ENUM_MQTT_STAGE   Stage(void) const                 { return((ENUM_MQTT_STAGE)m_event.detail);          }
   //--- a connection: has the Server kept the Session, with its subscriptions?
   bool              SessionPresent(void) const        { return(m_event.session_present!=0);               }
   //--- properties of MQTT 5.0: index counts from 0 those of that kind; false, and the value as it was, if there is none of
   //--- that index, or it is of another type
   int               PropertyCount(const ENUM_MQTT_PROPERTY property) const;
   bool              PropertyInteger(const ENUM_MQTT_PROPERTY property,const int index,long &value) const;
   bool              PropertyString(const ENUM_MQTT_PROPERTY property,const int index,string &value) const;
   bool              PropertyBytes(const ENUM_MQTT_PROPERTY property,const int index,uchar &value[]) const;
   bool              UserProperty(const int index,string &name,string &value) const;
   //--- for CMqttClient::Next(): copies the client's current event
   void              Read(const long client,const MqttEvent &event,ushort &units[]);
   //--- the same out of a batch; returns where the next one begins
   int               Unpack(const long client,const uchar &bytes[],const int start,ushort &units[]);

private:
   void              ReadPayload(const long client,ushort &units[]);
   void              ReadProperties(const long client,ushort &units[]);
   void              ReadProperty(const long client,const int id,const int index,ushort &units[]);
   int               Find(const int id,const int index) const;
  };
//+------------------------------------------------------------------+
//| An event of no kind                                              |
//+------------------------------------------------------------------+
CMqttMessage::CMqttMessage(void) : m_topic(""),m_payload_text(""),m_payload_is_text(true),m_text("")
  {
   ZeroMemory(m_event);
   m_event.reason_code=-1;
  }
//+------------------------------------------------------------------+
//| The Reason Code in words, empty if there is none                 |
//+------------------------------------------------------------------+
string CMqttMessage::ReasonCodeDescription(void) const
  {
   return(m_event.reason_code<0 ? "" : CMqttText::ReasonCode(m_event.reason_code));
  }
//+------------------------------------------------------------------+
//| The payload as bytes                                             |
//+------------------------------------------------------------------+
void CMqttMessage::Payload(uchar &payload[]) const
  {
   ArrayResize(payload,ArraySize(m_payload));
   ArrayCopy(payload,m_payload);
  }
//+------------------------------------------------------------------+
//| How often one property occurs                                    |
//+------------------------------------------------------------------+
int CMqttMessage::PropertyCount(const ENUM_MQTT_PROPERTY property) const
  {
   int count=0;
   while(Find(property,count)>=0)
      count++;
   return(count);
  }
//+------------------------------------------------------------------+
//| A property that is a number                                      |
//+------------------------------------------------------------------+
bool CMqttMessage::PropertyInteger(const ENUM_MQTT_PROPERTY property,const int index,long &value) const
  {
   int position=Find(property,index);
   if(position<0 || m_properties[position].type!=MQTT_VALUE_INTEGER)
      return(false);
   value=m_properties[position].number;
   return(true);
  }
//+------------------------------------------------------------------+
//| A property that is text                                          |
//+------------------------------------------------------------------+
bool CMqttMessage::PropertyString(const ENUM_MQTT_PROPERTY property,const int index,string &value) const
  {
   int position=Find(property,index);
   if(position<0 || m_properties[position].type!=MQTT_VALUE_STRING)
      return(false);
   value=m_properties[position].text;
   return(true);
  }
//+------------------------------------------------------------------+
//| A property that is Binary Data                                   |
//+------------------------------------------------------------------+
bool CMqttMessage::PropertyBytes(const ENUM_MQTT_PROPERTY property,const int index,uchar &value[]) const
  {
   int position=Find(property,index);
   if(position<0 || m_properties[position].type!=MQTT_VALUE_BYTES)
      return(false);
   ArrayResize(value,ArraySize(m_properties[position].bytes));
   ArrayCopy(value,m_properties[position].bytes);
   return(true);
  }
//+------------------------------------------------------------------+
//| A User Property                                                  |
//+------------------------------------------------------------------+
bool CMqttMessage::UserProperty(const int index,string &name,string &value) const
  {
   int position=Find(MT5MQTT_PROP_USER_PROPERTY,index);
   if(position<0)
      return(false);
   name=m_properties[position].name;
   value=m_properties[position].text;
   return(true);
  }
//+------------------------------------------------------------------+
//| Copies the client's current event                                |
//+------------------------------------------------------------------+
void CMqttMessage::Read(const long client,const MqttEvent &event,ushort &units[])
  {
   m_event=event;
//--- UTF-16 never needs more units than UTF-8 needs bytes
   CMqttText::Reserve(units,MathMax(event.topic_size,MathMax(event.payload_size,event.text_size))+1);
   m_topic="";
   if(event.topic_size>0)
      m_topic=CMqttText::FromUnits(units,mt5mqtt_event_topic_w(client,units,ArraySize(units)));
   m_text="";
   if(event.text_size>0)
      m_text=CMqttText::FromUnits(units,mt5mqtt_event_text_w(client,units,ArraySize(units)));
   ReadPayload(client,units);
   ArrayResize(m_properties,0);
   if(event.property_count>0)
      ReadProperties(client,units);
  }
//+------------------------------------------------------------------+
//| Takes an event out of what mt5mqtt_poll_batch() has filled in.   |
//| One with properties is the last, and so the current event.       |
//+------------------------------------------------------------------+
int CMqttMessage::Unpack(const long client,const uchar &bytes[],const int start,ushort &units[])
  {
   m_event.struct_size=(int)CMqttText::Integer(bytes,start,4);
   m_event.kind=(int)CMqttText::Integer(bytes,start+4,4);
   m_event.token=CMqttText::Integer(bytes,start+8,8);
   m_event.time_us=CMqttText::Integer(bytes,start+16,8);
   m_event.dropped=CMqttText::Integer(bytes,start+24,8);
   m_event.status=(int)CMqttText::Integer(bytes,start+32,4);
   m_event.reason_code=(int)CMqttText::Integer(bytes,start+36,4);
   m_event.topic_size=(int)CMqttText::Integer(bytes,start+40,4);
   m_event.payload_size=(int)CMqttText::Integer(bytes,start+44,4);
   m_event.text_size=(int)CMqttText::Integer(bytes,start+48,4);
   m_event.property_count=(int)CMqttText::Integer(bytes,start+52,4);
   m_event.qos=(int)CMqttText::Integer(bytes,start+56,4);
   m_event.retain=(int)CMqttText::Integer(bytes,start+60,4);
   m_event.dup=(int)CMqttText::Integer(bytes,start+64,4);
   m_event.session_present=(int)CMqttText::Integer(bytes,start+68,4);
   m_event.packet_id=(int)CMqttText::Integer(bytes,start+72,4);
   m_event.detail=(int)CMqttText::Integer(bytes,start+76,4);
   int position=start+(int)sizeof(MqttEvent);
   m_topic="";
   if(m_event.topic_size>0)
      m_topic=CharArrayToString(bytes,position,m_event.topic_size,CP_UTF8);
   position+=m_event.topic_size;
   m_payload_text="";
   m_payload_is_text=true;
   ArrayResize(m_payload,m_event.payload_size);
   if(m_event.payload_size>0)
     {
      ArrayCopy(m_payload,bytes,0,position,m_event.payload_size);
      m_payload_text=CharArrayToString(m_payload,0,m_event.payload_size,CP_UTF8);
      //--- what is no UTF-8 doesn't come back as it was
      uchar again[];
      CMqttText::ToUtf8(m_payload_text,again);
      m_payload_is_text=(ArraySize(again)==m_event.payload_size);
      for(int i=0; i<m_event.payload_size && m_payload_is_text; i++)
         m_payload_is_text=(again[i]==m_payload[i]);
      if(!m_payload_is_text)
         m_payload_text="";
     }
   position+=m_event.payload_size;
   m_text="";
   if(m_event.text_size>0)
      m_text=CharArrayToString(bytes,position,m_event.text_size,CP_UTF8);
   ArrayResize(m_properties,0);
   if(m_event.property_count>0)
      ReadProperties(client,units);
   return(position+m_event.text_size);
  }
//+------------------------------------------------------------------+
//| Copies the payload, as text too if it is text                    |
//+------------------------------------------------------------------+
void CMqttMessage::ReadPayload(const long client,ushort &units[])
  {
   m_payload_text="";
   m_payload_is_text=true;
   ArrayResize(m_payload,m_event.payload_size);
   if(m_event.payload_size==0)
      return;
   mt5mqtt_event_payload(client,m_payload,m_event.payload_size);
   int length=mt5mqtt_event_payload_text_w(client,units,ArraySize(units));
   m_payload_is_text=(length>=0);
   m_payload_text=CMqttText::FromUnits(units,length);
  }
//+------------------------------------------------------------------+
//| Copies all properties                                            |
//+------------------------------------------------------------------+
void CMqttMessage::ReadProperties(const long client,ushort &units[])
  {
   for(int id=1; id<=MT5MQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE && ArraySize(m_properties)<m_event.property_count; id++)
     {
      int count=mt5mqtt_event_property_count(client,id);
      for(int index=0; index<count; index++)
         ReadProperty(client,id,index,units);
     }
  }
//+------------------------------------------------------------------+
//| Copies one property; the library knows of which type it is       |
//+------------------------------------------------------------------+
void CMqttMessage::ReadProperty(const long client,const int id,const int index,ushort &units[])
  {
   int position=ArraySize(m_properties);
   ArrayResize(m_properties,position+1);
   m_properties[position].id=id;
   m_properties[position].type=MQTT_VALUE_STRING;
   m_properties[position].name="";
   m_properties[position].text="";
   m_properties[position].number=0;
   if(id==MT5MQTT_PROP_USER_PROPERTY)
     {
      CMqttText::Reserve(units,mt5mqtt_event_user_name_w(client,index,units,0)+1);
      m_properties[position].name=CMqttText::FromUnits(units,mt5mqtt_event_user_name_w(client,index,units,ArraySize(units)));
      CMqttText::Reserve(units,mt5mqtt_event_user_value_w(client,index,units,0)+1);
      m_properties[position].text=CMqttText::FromUnits(units,mt5mqtt_event_user_value_w(client,index,units,ArraySize(units)));
      return;
     }
   long number=mt5mqtt_event_property_int(client,id,index);
   if(number!=MT5MQTT_E_WRONG_TYPE)
     {
      m_properties[position].type=MQTT_VALUE_INTEGER;
      m_properties[position].number=number;
      return;
     }
   int length=mt5mqtt_event_property_text_w(client,id,index,units,0);
   if(length!=MT5MQTT_E_WRONG_TYPE)
     {
      CMqttText::Reserve(units,length+1);
      m_properties[position].text=CMqttText::FromUnits(units,mt5mqtt_event_property_text_w(client,id,index,units,ArraySize(units)));
      return;
     }
   m_properties[position].type=MQTT_VALUE_BYTES;
   int size=mt5mqtt_event_property_bytes(client,id,index,m_properties[position].bytes,0);
   ArrayResize(m_properties[position].bytes,MathMax(size,0));
   mt5mqtt_event_property_bytes(client,id,index,m_properties[position].bytes,MathMax(size,0));
  }
//+------------------------------------------------------------------+
//| Position of the property with that index among its kind, or -1   |
//+------------------------------------------------------------------+
int CMqttMessage::Find(const int id,const int index) const
  {
   int seen=0;
   for(int i=0; i<ArraySize(m_properties); i++)
      if(m_properties[i].id==id)
        {
         if(seen==index)
            return(i);
         seen++;
        }
   return(-1);
  }
#endif
//+------------------------------------------------------------------+
