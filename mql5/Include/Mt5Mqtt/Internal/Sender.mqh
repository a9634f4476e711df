//+------------------------------------------------------------------+
//|                                                       Sender.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_SENDER_MQH
#define MT5MQTT_SENDER_MQH
#include "Batch.mqh"
#include "Connection.mqh"
//+------------------------------------------------------------------+
//| Class CMqttSender.                                               |
//| Appointment: what a program has the client send: messages,       |
//|              subscriptions, requests and their answers, steps of |
//|              an authentication.                                  |
//+------------------------------------------------------------------+
class CMqttSender : public CMqttConnection
  {
public:
   //--- sending
   bool              Publish(const string topic,const string text,const int qos,const bool retain);
   bool              Publish(const string topic,const string text,const int qos,const bool retain,const CMqttProperties &properties);
   bool              Publish(const string topic,const uchar &payload[],const int qos,const bool retain);
   bool              Publish(const string topic,const uchar &payload[],const int qos,const bool retain,const CMqttProperties &properties);
   bool              Publish(CMqttBatch &batch);
   bool              Publish(CMqttBatch &batch,const CMqttProperties &properties);
   bool              PublishStage(const long token,ENUM_MQTT_STAGE &stage);
   bool              Cancel(const long token);
   //--- options: the QoS plus flags of ENUM_MQTT_SUBSCRIBE
   bool              Subscribe(const string filter,const int options);
   bool              Subscribe(const string filter,const int options,const CMqttProperties &properties);
   bool              Unsubscribe(const string filter);
   bool              Unsubscribe(const string filter,const CMqttProperties &properties);
   //--- Enhanced Authentication: Authenticate() answers the MT5MQTT_EVENT_AUTHENTICATE taken last
   bool              Authenticate(const uchar &data[]);
   bool              Authenticate(const uchar &data[],const CMqttProperties &properties);
   bool              Reauthenticate(const uchar &data[]);
   bool              Reauthenticate(const uchar &data[],const CMqttProperties &properties);
   //--- requests: the end comes as MT5MQTT_EVENT_RESPONSE; Respond() answers the event taken last
   bool              Request(const string topic,const string text,const int qos,const int timeout_ms);
   bool              Request(const string topic,const string text,const int qos,const int timeout_ms,const CMqttProperties &properties);
   bool              Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms);
   bool              Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms,const CMqttProperties &properties);
   bool              Respond(const string text,const int qos);
   bool              Respond(const string text,const int qos,const CMqttProperties &properties);
   bool              Respond(const uchar &payload[],const int qos);
   bool              Respond(const uchar &payload[],const int qos,const CMqttProperties &properties);

private:
   bool              PublishText(const string topic,const string text,const int qos,const bool retain,const long properties);
   bool              PublishBytes(const string topic,const uchar &payload[],const int qos,const bool retain,const long properties);
   bool              PublishBatch(CMqttBatch &batch,const long properties);
  };
//+------------------------------------------------------------------+
//| Publishes text, as UTF-8; QoS 0 to 2; the Server keeps a         |
//| retained one for later subscribers. Never waits: true means      |
//| accepted, and ResultToken() is what OnPublished() tells its end  |
//| by (of QoS 0 only a failure). Without a connection it waits for  |
//| one. Refused with INVALID_TOPIC, INVALID_TEXT, INVALID_ARGUMENT, |
//| QUEUE_FULL, TOO_LARGE or NOT_SUPPORTED_BY_SERVER                 |
//+------------------------------------------------------------------+
bool CMqttSender::Publish(const string topic,const string text,const int qos,const bool retain)
  {
   return(PublishText(topic,text,qos,retain,0));
  }
//+------------------------------------------------------------------+
//| Publishes text, as UTF-8, with properties                        |
//+------------------------------------------------------------------+
bool CMqttSender::Publish(const string topic,const string text,const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(PublishText(topic,text,qos,retain,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| Publishes bytes; none are an empty payload. Else as text         |
//+------------------------------------------------------------------+
bool CMqttSender::Publish(const string topic,const uchar &payload[],const int qos,const bool retain)
  {
   return(PublishBytes(topic,payload,qos,retain,0));
  }
//+------------------------------------------------------------------+
//| Publishes bytes with properties                                  |
//+------------------------------------------------------------------+
bool CMqttSender::Publish(const string topic,const uchar &payload[],const int qos,const bool retain,const CMqttProperties &properties)
  {
   return(PublishBytes(topic,payload,qos,retain,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| Publishes text                                                   |
//+------------------------------------------------------------------+
bool CMqttSender::PublishText(const string topic,const string text,const int qos,const bool retain,const long properties)
  {
   if(IsSilent())
      return(Succeeded(MT5MQTT_OK));
   return(Accepted(mt5mqtt_publish_text_w(m_client,topic,text,qos,retain,properties)));
  }
//+------------------------------------------------------------------+
//| Publishes bytes                                                  |
//+------------------------------------------------------------------+
bool CMqttSender::PublishBytes(const string topic,const uchar &payload[],const int qos,const bool retain,const long properties)
  {
   if(IsSilent())
      return(Succeeded(MT5MQTT_OK));
   return(Accepted(mt5mqtt_publish_w(m_client,topic,payload,ArraySize(payload),qos,retain,properties)));
  }
//+------------------------------------------------------------------+
//| Publishes many messages in one call; false if not all were       |
//| accepted: those before the first that has no token were          |
//+------------------------------------------------------------------+
bool CMqttSender::Publish(CMqttBatch &batch)
  {
   return(PublishBatch(batch,0));
  }
//+------------------------------------------------------------------+
//| The same with properties, which go with each message             |
//+------------------------------------------------------------------+
bool CMqttSender::Publish(CMqttBatch &batch,const CMqttProperties &properties)
  {
   return(PublishBatch(batch,properties.Handle()));
  }
//+------------------------------------------------------------------+
//| Publishes many messages                                          |
//+------------------------------------------------------------------+
bool CMqttSender::PublishBatch(CMqttBatch &batch,const long properties)
  {
   if(IsSilent())
      return(Succeeded(MT5MQTT_OK));
   int accepted=batch.Publish(m_client,properties);
   if(accepted>=0 && accepted<batch.Count())
      return(Failed((ENUM_MQTT_STATUS)batch.Status(accepted),CMqttText::LastError()));
   return(Succeeded(accepted));
  }
//+------------------------------------------------------------------+
//| How far a QoS 1 or 2 publish is; UNKNOWN_TOKEN if it isn't one   |
//| of the last 65536, WRONG_STATE unless MT5MQTT_OPT_PROGRESS is    |
//| set                                                              |
//+------------------------------------------------------------------+
bool CMqttSender::PublishStage(const long token,ENUM_MQTT_STAGE &stage)
  {
   int result=mt5mqtt_publish_stage(m_client,token);
   if(!Succeeded(result))
      return(false);
   stage=(ENUM_MQTT_STAGE)result;
   return(true);
  }
//+------------------------------------------------------------------+
//| Withdraws a publish or a request that wasn't sent yet: it ends   |
//| with MT5MQTT_E_CANCELLED. What has been sent ends as ever.       |
//| UNKNOWN_TOKEN for a token that was never given                   |
//+------------------------------------------------------------------+
bool CMqttSender::Cancel(const long token)
  {
   return(Succeeded(mt5mqtt_cancel(m_client,token)));
  }
//+------------------------------------------------------------------+
//| Subscribes to a Topic Filter; options are the QoS, 0 to 2, plus  |
//| flags of ENUM_MQTT_SUBSCRIBE. What the Server grants comes to    |
//| OnSubscribed(), with ResultToken(). May be called before         |
//| Connect(); it holds for all reconnects. Refused with             |
//| INVALID_TOPIC, INVALID_ARGUMENT or NOT_SUPPORTED_BY_SERVER       |
//+------------------------------------------------------------------+
bool CMqttSender::Subscribe(const string filter,const int options)
  {
   return(Accepted(mt5mqtt_subscribe_w(m_client,filter,options,0)));
  }
//+------------------------------------------------------------------+
//| Subscribes to a Topic Filter with properties                     |
//+------------------------------------------------------------------+
bool CMqttSender::Subscribe(const string filter,const int options,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_subscribe_w(m_client,filter,options,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Ends a subscription; the answer comes to OnUnsubscribed().       |
//| Refused as Subscribe() is                                        |
//+------------------------------------------------------------------+
bool CMqttSender::Unsubscribe(const string filter)
  {
   return(Accepted(mt5mqtt_unsubscribe_w(m_client,filter,0)));
  }
//+------------------------------------------------------------------+
//| Ends a subscription with properties                              |
//+------------------------------------------------------------------+
bool CMqttSender::Unsubscribe(const string filter,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_unsubscribe_w(m_client,filter,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| The next step of an authentication                               |
//+------------------------------------------------------------------+
bool CMqttSender::Authenticate(const uchar &data[])
  {
   return(Succeeded(mt5mqtt_authenticate(m_client,data,ArraySize(data),0)));
  }
//+------------------------------------------------------------------+
//| The same with a Reason String and User Properties for the Server |
//+------------------------------------------------------------------+
bool CMqttSender::Authenticate(const uchar &data[],const CMqttProperties &properties)
  {
   return(Succeeded(mt5mqtt_authenticate(m_client,data,ArraySize(data),properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Starts a re-authentication; SCRAM-SHA-256 needs no data for it   |
//+------------------------------------------------------------------+
bool CMqttSender::Reauthenticate(const uchar &data[])
  {
   return(Succeeded(mt5mqtt_reauthenticate(m_client,data,ArraySize(data),0)));
  }
//+------------------------------------------------------------------+
//| The same with a Reason String and User Properties for the Server |
//+------------------------------------------------------------------+
bool CMqttSender::Reauthenticate(const uchar &data[],const CMqttProperties &properties)
  {
   return(Succeeded(mt5mqtt_reauthenticate(m_client,data,ArraySize(data),properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Asks with text, as UTF-8, MQTT 5.0 only. The response, or        |
//| TIMEOUT after timeout_ms (1 to 86400000), comes to OnResponse()  |
//| with ResultToken(). Refused as Publish() is, with OUT_OF_RANGE   |
//| for the time, and with NOT_CONNECTED before Connect()            |
//+------------------------------------------------------------------+
bool CMqttSender::Request(const string topic,const string text,const int qos,const int timeout_ms)
  {
   return(Accepted(mt5mqtt_request_text_w(m_client,topic,text,qos,0,timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Asks with text, as UTF-8, with properties                        |
//+------------------------------------------------------------------+
bool CMqttSender::Request(const string topic,const string text,const int qos,const int timeout_ms,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_request_text_w(m_client,topic,text,qos,properties.Handle(),timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Asks with bytes                                                  |
//+------------------------------------------------------------------+
bool CMqttSender::Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms)
  {
   return(Accepted(mt5mqtt_request_w(m_client,topic,payload,ArraySize(payload),qos,0,timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Asks with bytes and properties                                   |
//+------------------------------------------------------------------+
bool CMqttSender::Request(const string topic,const uchar &payload[],const int qos,const int timeout_ms,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_request_w(m_client,topic,payload,ArraySize(payload),qos,properties.Handle(),timeout_ms)));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last, a message with a Response Topic,   |
//| with text, as UTF-8. NO_EVENT, NOT_PRESENT if it asks for no     |
//| answer, else as Publish()                                        |
//+------------------------------------------------------------------+
bool CMqttSender::Respond(const string text,const int qos)
  {
   return(Accepted(mt5mqtt_respond_text_w(m_client,text,qos,0)));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last with text and properties            |
//+------------------------------------------------------------------+
bool CMqttSender::Respond(const string text,const int qos,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_respond_text_w(m_client,text,qos,properties.Handle())));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last with bytes                          |
//+------------------------------------------------------------------+
bool CMqttSender::Respond(const uchar &payload[],const int qos)
  {
   return(Accepted(mt5mqtt_respond(m_client,payload,ArraySize(payload),qos,0)));
  }
//+------------------------------------------------------------------+
//| Answers the event taken last with bytes and properties           |
//+------------------------------------------------------------------+
bool CMqttSender::Respond(const uchar &payload[],const int qos,const CMqttProperties &properties)
  {
   return(Accepted(mt5mqtt_respond(m_client,payload,ArraySize(payload),qos,properties.Handle())));
  }
#endif
//+------------------------------------------------------------------+
