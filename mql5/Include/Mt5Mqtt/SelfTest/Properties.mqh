//+------------------------------------------------------------------+
//|                                                   Properties.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- What MQTT 5.0 has in addition.
#ifndef MT5MQTT_SELFTEST_PROPERTIES_MQH
#define MT5MQTT_SELFTEST_PROPERTIES_MQH
#include "Expect.mqh"
//+------------------------------------------------------------------+
//| Properties of MQTT 5.0 there and back                            |
//+------------------------------------------------------------------+
void Properties(CMqttClient &client)
  {
   CMqttProperties properties;
   CMqttMessage    message;
   uchar           data[]={7,0,8};
   uchar           none[];
   Accepted(properties.Clear(),properties,"Clear before anything is set");
   ExtCheck.Equal(properties.Handle(),0,"no handle before the first property");
   Accepted(properties.SetInteger(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,60),properties,"SetInteger");
   Accepted(properties.SetString(MT5MQTT_PROP_RESPONSE_TOPIC,"reply/here"),properties,"SetString");
   Accepted(properties.SetBytes(MT5MQTT_PROP_CORRELATION_DATA,data),properties,"SetBytes");
   Accepted(properties.AddUserProperty("one","1"),properties,"AddUserProperty");
   Accepted(properties.AddUserProperty("two",""),properties,"AddUserProperty with an empty value");
   Refused(properties.SetString(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,"x"),properties,MT5MQTT_E_WRONG_TYPE,"SetString");
   Accepted(properties.SetTimeToLive(60000),properties,"SetTimeToLive");
   Refused(properties.SetTimeToLive(-1),properties,MT5MQTT_E_OUT_OF_RANGE,"SetTimeToLive");
   Accepted(properties.SetPriority(true),properties,"SetPriority");
   Accepted(properties.SetConflationKey("key"),properties,"SetConflationKey");
   Accepted(properties.SetConflation(true),properties,"SetConflation");
   Accepted(properties.SetConflation(false),properties,"SetConflation");
   CMqttProperties identifier;
   Accepted(identifier.SetInteger(MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER,9),identifier,"SetInteger");
   Accepted(client.Subscribe(Topic("p"),0,identifier),client,"Subscribe with properties");
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   Accepted(client.Publish(Topic("p"),"text",0,false,properties),client,"Publish with properties");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ReceivedProperties(message);
   Accepted(client.Publish(Topic("p"),none,0,false,properties),client,"Publish of bytes with properties");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ReceivedProperties(message);
   Accepted(properties.Clear(),properties,"Clear");
   Accepted(client.Publish(Topic("p"),"bare",0,false,properties),client,"Publish with an empty set");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(message.PropertyCount(MT5MQTT_PROP_USER_PROPERTY),0,"none");
  }
//+------------------------------------------------------------------+
//| What Properties() set                                            |
//+------------------------------------------------------------------+
void ReceivedProperties(const CMqttMessage &message)
  {
   long   number=0;
   string text="";
   string name="";
   uchar  bytes[];
   ExtCheck.That(message.PropertyInteger(MT5MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,0,number) && number>50 && number<=60,"PropertyInteger");
   ExtCheck.That(message.PropertyInteger(MT5MQTT_PROP_SUBSCRIPTION_IDENTIFIER,0,number) && number==9,"Subscription Identifier");
   ExtCheck.That(message.PropertyString(MT5MQTT_PROP_RESPONSE_TOPIC,0,text) && text=="reply/here","PropertyString");
   ExtCheck.That(message.PropertyBytes(MT5MQTT_PROP_CORRELATION_DATA,0,bytes) && ArraySize(bytes)==3 && bytes[2]==8,"PropertyBytes");
   ExtCheck.Equal(message.PropertyCount(MT5MQTT_PROP_USER_PROPERTY),2,"PropertyCount");
   ExtCheck.That(message.UserProperty(1,name,text) && name=="two" && text=="","UserProperty");
   ExtCheck.That(!message.UserProperty(2,name,text),"no third User Property");
   ExtCheck.That(!message.PropertyString(MT5MQTT_PROP_CONTENT_TYPE,0,text),"no Content Type");
  }
//+------------------------------------------------------------------+
//| Requests to itself, in each form, and one that nobody answers    |
//+------------------------------------------------------------------+
void Requests(CMqttClient &client)
  {
   CMqttMessage    message;
   CMqttProperties none;
   uchar           payload[]={'b','y'};
   string          topic=Topic("requests");
   Accepted(client.Subscribe(topic,0),client,"Subscribe to requests");
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   for(int form=0; form<4; form++)
     {
      switch(form)
        {
         case 0:
            Accepted(client.Request(topic,"by",0,5000),client,"Request of text");
            break;
         case 1:
            Accepted(client.Request(topic,"by",0,5000,none),client,"Request of text with no properties");
            break;
         case 2:
            Accepted(client.Request(topic,payload,0,5000),client,"Request of bytes");
            break;
         case 3:
            Accepted(client.Request(topic,payload,0,5000,none),client,"Request of bytes with no properties");
            break;
        }
      long token=client.ResultToken();
      Await(client,message,MT5MQTT_EVENT_MESSAGE);
      ExtCheck.Same(message.PayloadText(),"by","the request");
      switch(form)
        {
         case 0:
            Accepted(client.Respond("by",0),client,"Respond with text");
            break;
         case 1:
            Accepted(client.Respond("by",0,none),client,"Respond with text and no properties");
            break;
         case 2:
            Accepted(client.Respond(payload,0),client,"Respond with bytes");
            break;
         case 3:
            Accepted(client.Respond(payload,0,none),client,"Respond with bytes and no properties");
            break;
        }
      Await(client,message,MT5MQTT_EVENT_RESPONSE);
      ExtCheck.That(message.Token()==token && message.Status()==MT5MQTT_OK && message.PayloadText()=="by","the response");
     }
   Accepted(client.Request(Topic("nobody"),"x",0,50),client,"Request to nobody");
   Await(client,message,MT5MQTT_EVENT_RESPONSE);
   ExtCheck.That(message.Status()==MT5MQTT_E_TIMEOUT,"no response in time: "+message.StatusDescription());
  }
#endif
//+------------------------------------------------------------------+
