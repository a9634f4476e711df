//+------------------------------------------------------------------+
//|                                                     Messages.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Topics, payloads, acknowledgements, batches.
#ifndef MT5MQTT_SELFTEST_MESSAGES_MQH
#define MT5MQTT_SELFTEST_MESSAGES_MQH
#include "Expect.mqh"
//+------------------------------------------------------------------+
//| Texts and bytes there and back                                   |
//+------------------------------------------------------------------+
void Messages(CMqttClient &client)
  {
   CMqttMessage message;
   Accepted(client.Subscribe(Topic("t/#"),1),client,"Subscribe");
   long token=client.ResultToken();
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   ExtCheck.That(token>0 && message.Token()==token && message.Topic()==Topic("t/#") && message.ReasonCode()==1,"granted QoS 1");
   ExtCheck.That(StringFind(message.ReasonCodeDescription(),"QoS 1")>=0,message.ReasonCodeDescription());
//--- "Hi" in Russian, "world" in Chinese, an emoji as a pair of surrogates
   ushort scripts[]={0x041F,0x0440,0x0438,0x4E16,0x754C,0xD83C,0xDF0D};
   string text=ShortArrayToString(scripts)+" end";
   Accepted(client.Publish(Topic("t/"+text),text,1,false),client,"Publish of text");
   token=client.ResultToken();
   bool published=false;
   for(int i=0; i<2 && client.Wait(5000); i++)
     {
      client.Next(message);
      if(message.Kind()==MT5MQTT_EVENT_PUBLISHED)
         published=(message.Token()==token && message.Status()==MT5MQTT_OK);
      else
         ReceivedText(client,message,text);
     }
   ExtCheck.That(published,"the publish is complete");
   ENUM_MQTT_STAGE stage=MT5MQTT_STAGE_ACCEPTED;
   Accepted(client.PublishStage(token,stage),client,"PublishStage");
   ExtCheck.That(stage==MT5MQTT_STAGE_COMPLETE,"the stage of the publish");
   Refused(client.PublishStage(0,stage),client,MT5MQTT_E_UNKNOWN_TOKEN,"PublishStage of nothing");
   Accepted(client.Cancel(token),client,"Cancel of what has ended");
   Refused(client.Cancel(0),client,MT5MQTT_E_UNKNOWN_TOKEN,"Cancel of nothing");
   Payloads(client);
   Refused(client.Publish(Topic("t/#"),"x",0,false),client,MT5MQTT_E_INVALID_TOPIC,"a wildcard in a Topic Name");
   ushort half[]={0xD83C};
   Refused(client.Publish(Topic("t"),ShortArrayToString(half),0,false),client,MT5MQTT_E_INVALID_TEXT,"half an emoji");
   Refused(client.Subscribe(Topic("t/#/x"),1),client,MT5MQTT_E_INVALID_TOPIC,"a wrong Topic Filter");
   Accepted(client.Unsubscribe(Topic("t/#")),client,"Unsubscribe");
   Await(client,message,MT5MQTT_EVENT_UNSUBSCRIBED);
  }
//+------------------------------------------------------------------+
//| The message that Messages() publishes                            |
//+------------------------------------------------------------------+
void ReceivedText(CMqttClient &client,const CMqttMessage &message,const string text)
  {
   ExtCheck.That(message.Kind()==MT5MQTT_EVENT_MESSAGE,"a message");
   ExtCheck.Same(message.Topic(),Topic("t/"+text),"topic");
   ExtCheck.Same(message.PayloadText(),text,"payload");
   ExtCheck.That(message.PayloadIsText() && message.PayloadSize()==20,"UTF-8 without a zero: "+(string)message.PayloadSize());
   ExtCheck.That(message.QoS()==1 && !message.IsRetained() && !message.IsDuplicate() && message.PacketId()>0,"flags");
   ExtCheck.That(message.TimeMicroseconds()>(long)1700000000*1000000 && message.Dropped()==0,"time");
   ExtCheck.That(message.Token()>0 && !message.IsSeenBefore() && (int)message.Stage()==0,"a token to acknowledge");
   Accepted(client.Acknowledge(message,0),client,"Acknowledge");
  }
//+------------------------------------------------------------------+
//| Bytes, none, and those that are no text                          |
//+------------------------------------------------------------------+
void Payloads(CMqttClient &client)
  {
   CMqttMessage message;
   uchar bytes[]={0,1,254,255};
   uchar none[];
   uchar much[];
   uchar received[];
   Accepted(client.Publish(Topic("t/b"),bytes,0,false),client,"Publish of bytes");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   message.Payload(received);
   ExtCheck.That(ArraySize(received)==4 && received[0]==0 && received[3]==255,"bytes");
   ExtCheck.That(!message.PayloadIsText() && message.PayloadText()=="","no text");
   Accepted(client.Publish(Topic("t/n"),none,0,false),client,"Publish of no bytes");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   message.Payload(received);
   ExtCheck.That(message.PayloadSize()==0 && ArraySize(received)==0 && message.PayloadIsText(),"an empty payload");
   Accepted(client.Publish(Topic("t/e"),"",0,false),client,"Publish of an empty text");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(message.PayloadSize(),0,"an empty text");
   string nothing=NULL;
   Accepted(client.Publish(Topic("t/e"),nothing,0,false),client,"Publish of NULL");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(message.PayloadSize(),0,"NULL is empty");
   ArrayResize(much,100000);
   ArrayInitialize(much,'x');
   Accepted(client.Publish(Topic("t/l"),much,0,false),client,"Publish of much");
   Await(client,message,MT5MQTT_EVENT_MESSAGE);
   ExtCheck.Equal(StringLen(message.PayloadText()),100000,"a long text");
  }
//+------------------------------------------------------------------+
//| Many messages in one call, there and back                        |
//+------------------------------------------------------------------+
void Batches(CMqttClient &client)
  {
   CMqttBatch   batch;
   CMqttMessage message;
   string       price="1.08512 "+ShortToString(0x20AC);
   CMqttMessage messages[];
   ArrayResize(messages,10);
   Accepted(client.Subscribe(Topic("t/#"),0),client,"Subscribe for batches");
   Await(client,message,MT5MQTT_EVENT_SUBSCRIBED);
   uchar        bytes[]={0,1,254,255};
   uchar        much[];
   ExtCheck.That(client.Publish(batch) && batch.Count()==0 && batch.Token(0)==0,"an empty batch");
   batch.Add(Topic("t/1"),price,0,false);
   batch.Add(Topic("t/2"),bytes,0,false);
   batch.Add(Topic("t/3"),"",0,false);
   Accepted(client.Publish(batch),client,"Publish of a batch");
   ExtCheck.That(batch.Token(0)>0 && batch.Token(1)>batch.Token(0) && batch.Token(2)>batch.Token(1),"a token each");
   CMqttClient nobody;
   Refused(nobody.Publish(batch),nobody,MT5MQTT_E_INVALID_HANDLE,"a batch again, by a client that isn't there");
   ExtCheck.That(batch.Token(0)==0 && batch.Token(2)==0,"no tokens of before");
   int   seen=0;
   ulong end=GetTickCount64()+10000;
   while(seen<3 && GetTickCount64()<end)
     {
      client.Wait(100);
      int count=client.NextBatch(messages);
      for(int i=0; i<count; i++)
        {
         seen++;
         ExtCheck.That(messages[i].Topic()==Topic("t/"+IntegerToString(seen)),"the topic");
         if(seen==1)
            ExtCheck.That(messages[i].PayloadText()==price,"text of a batch");
         if(seen==2)
           {
            uchar received[];
            messages[i].Payload(received);
            ExtCheck.That(ArraySize(received)==4 && received[3]==255 && !messages[i].PayloadIsText(),"bytes of a batch");
           }
        }
     }
   ExtCheck.Equal(seen,3,"messages of a batch");
//--- more than the buffer holds comes as well
   ArrayResize(much,100000);
   ArrayInitialize(much,'x');
   batch.Clear();
   batch.Add(Topic("t/l"),much,0,false);
   Accepted(client.Publish(batch),client,"Publish of a long batch");
   for(seen=0; seen==0 && GetTickCount64()<end; seen=client.NextBatch(messages))
      client.Wait(100);
   ExtCheck.That(seen==1 && messages[0].PayloadSize()==100000,"a long message");
//--- the first that is refused
   batch.Clear();
   batch.Add(Topic("t/4"),"accepted",0,false);
   batch.Add(Topic("t/#"),"refused",0,false);
   batch.Add(Topic("t/5"),"behind it",0,false);
   Refused(client.Publish(batch),client,MT5MQTT_E_INVALID_TOPIC,"a batch with a wildcard");
   ExtCheck.That(batch.Token(0)>0 && batch.Token(1)==0 && batch.Token(2)==0 && batch.Status(1)==MT5MQTT_E_INVALID_TOPIC,"one of three");
   if(Await(client,message,MT5MQTT_EVENT_MESSAGE))
      ExtCheck.That(message.PayloadText()=="accepted","what was accepted");
//--- properties go with each message
   CMqttProperties properties;
   if(InpVersion==5)
      properties.SetString(MT5MQTT_PROP_CONTENT_TYPE,"text/plain");
   batch.Clear();
   batch.Add(Topic("t/6"),"with properties",0,false);
   Accepted(client.Publish(batch,properties),client,"Publish of a batch with properties");
   for(seen=0; seen==0 && GetTickCount64()<end; seen=client.NextBatch(messages))
      client.Wait(100);
   ExtCheck.Equal(messages[0].PropertyCount(MT5MQTT_PROP_CONTENT_TYPE),InpVersion==5 ? 1 : 0,"properties of a batch");
   Accepted(client.Unsubscribe(Topic("t/#")),client,"Unsubscribe for batches");
   Await(client,message,MT5MQTT_EVENT_UNSUBSCRIBED);
  }
//+------------------------------------------------------------------+
//| Acknowledging by hand                                            |
//+------------------------------------------------------------------+
void Acknowledging(CMqttClient &client)
  {
   CMqttMessage message;
   uchar        data[]={1};
   Refused(client.Acknowledge(message,0),client,MT5MQTT_E_UNKNOWN_TOKEN,"Acknowledge of nothing");
   CMqttProperties why;
   Accepted(why.SetString(MT5MQTT_PROP_REASON_STRING,"market closed"),why,"SetString of a Reason String");
   Refused(client.Acknowledge(message,131,why),client,MT5MQTT_E_UNKNOWN_TOKEN,"Acknowledge of nothing, with its reason");
   ExtCheck.That(!client.Authenticate(data) && !client.Reauthenticate(data),"no authentication without a method");
   ExtCheck.That(!client.Authenticate(data,why) && !client.Reauthenticate(data,why),"nor with its reason");
  }
//+------------------------------------------------------------------+
//| What waits for a connection, as none comes                       |
//+------------------------------------------------------------------+
void Conflating(void)
  {
   CMqttClient     client;
   CMqttProperties properties;
   long            superseded=-1;
   Accepted(client.SetUrl(InpUrl),client,"SetUrl");
   for(int i=0; i<4; i++)
     {
      if(i==0)
         Accepted(properties.SetConflation(true),properties,"SetConflation");
      if(i==2)
         Accepted(properties.SetConflation(false),properties,"SetConflation of none");
      Accepted(client.Publish(Topic("conflated"),IntegerToString(i),1,false,properties),client,"Publish without a connection");
      client.Stat(MT5MQTT_STAT_PUBLISHES_SUPERSEDED,superseded);
      ExtCheck.Equal(superseded,i==0 ? 0 : 1,"superseded publishes");
     }
  }
//+------------------------------------------------------------------+
//| Symbols in topics                                                |
//+------------------------------------------------------------------+
void Topics(void)
  {
   ExtCheck.Same(CMqttClient::EscapeTopicLevel("#US+SP/500%$"),"%23US%2BSP%2F500%25$","EscapeTopicLevel");
   ExtCheck.Same(CMqttClient::EscapeTopicLevel("$x\t"),"%24x%09","a leading $, a control character");
   ExtCheck.Same(CMqttClient::UnescapeTopicLevel("%23US%2BSP%2F500%25$%zz%"),"#US+SP/500%$%zz%","UnescapeTopicLevel");
   ushort units[]={0x85,0x41F};
   string control=ShortArrayToString(units);
   ExtCheck.Same(CMqttClient::UnescapeTopicLevel(CMqttClient::EscapeTopicLevel(control)),control,"there and back");
  }
#endif
//+------------------------------------------------------------------+
