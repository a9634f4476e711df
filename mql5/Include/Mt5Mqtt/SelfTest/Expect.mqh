//+------------------------------------------------------------------+
//|                                                       Expect.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- What the parts of SelfTest.mq5 ask for; InpRoot is its input.
#ifndef MT5MQTT_SELFTEST_EXPECT_MQH
#define MT5MQTT_SELFTEST_EXPECT_MQH
#include "..\Mt5Mqtt.mqh"
#include "..\Internal\Check.mqh"
CMqttCheck ExtCheck;
//+------------------------------------------------------------------+
//| A topic of this test                                             |
//+------------------------------------------------------------------+
string Topic(const string rest)
  {
   return(InpRoot+"/"+rest);
  }
//+------------------------------------------------------------------+
//| The next event, of that kind                                     |
//+------------------------------------------------------------------+
bool Await(CMqttClient &client,CMqttMessage &message,const ENUM_MQTT_EVENT kind)
  {
   ulong end=GetTickCount64()+10000;
   while(GetTickCount64()<end)
     {
      if(client.Next(message))
         return(ExtCheck.That(message.Kind()==kind,"event "+EnumToString(message.Kind())+", not "+EnumToString(kind)+": "+message.Text()));
      if(client.ResultStatus()!=MT5MQTT_OK)
         return(ExtCheck.That(false,client.ResultDescription()));
      client.Wait(100);
     }
   return(ExtCheck.That(false,"no "+EnumToString(kind)+" came"));
  }
//+------------------------------------------------------------------+
//| A call that must be accepted                                     |
//+------------------------------------------------------------------+
void Accepted(const bool result,const CMqttResult &of,const string what)
  {
   ExtCheck.That(result && of.ResultStatus()==MT5MQTT_OK && of.ResultDescription()=="",what+": "+of.ResultDescription());
  }
//+------------------------------------------------------------------+
//| A call that must be refused, with words                          |
//+------------------------------------------------------------------+
void Refused(const bool result,const CMqttResult &of,const ENUM_MQTT_STATUS status,const string what)
  {
   ExtCheck.That(!result && of.ResultStatus()==status && StringLen(of.ResultDescription())>10,
                 what+": "+EnumToString(of.ResultStatus())+" "+of.ResultDescription());
  }
#endif
//+------------------------------------------------------------------+
