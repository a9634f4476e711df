//+------------------------------------------------------------------+
//|                                                     Doorbell.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_DOORBELL_MQH
#define MT5MQTT_DOORBELL_MQH
#include "Client.mqh"
//--- the custom chart event that says "there is something to take"
#define MQTT_DOORBELL_EVENT 7701
//--- terminal variables: the prefix, then the chart's number
#define MQTT_DOORBELL_PREFIX "mt5mqtt.doorbell."
//--- a double holds integers exactly up to here
#define MQTT_DOORBELL_MAX_HANDLE 0x1FFFFFFFFFFFFF
//+------------------------------------------------------------------+
//| Class CMqttDoorbell.                                             |
//| Appointment: wakes an Expert Advisor as soon as its client has   |
//|              an event. A timer comes every 10 to 30 ms at best;  |
//|              a service may wait in the library, which ends the   |
//|              wait at once, and send the chart a custom event.    |
//|                                                                  |
//| The Expert Advisor registers its client under its chart; the     |
//| service waits for all that are registered. Nothing but the       |
//| handle passes between them: one that is stale is an error in the |
//| library, and its registration is removed.                        |
//+------------------------------------------------------------------+
class CMqttDoorbell
  {
public:
   //--- in the Expert Advisor: OnInit(), OnDeinit(), OnChartEvent()
   static bool       Register(const CMqttClient &client);
   static void       Unregister(void);
   static bool       IsRing(const int id) { return(id==CHARTEVENT_CUSTOM+MQTT_DOORBELL_EVENT); }
   //--- in the service: again and again until IsStopped()
   static int        Ring(const int timeout_ms);

private:
   static string     Name(const long chart);
   static bool       RingChart(const long chart,const int timeout_ms,int &rung);
  };
//+------------------------------------------------------------------+
//| The terminal variable of a chart                                 |
//+------------------------------------------------------------------+
string CMqttDoorbell::Name(const long chart)
  {
   return(MQTT_DOORBELL_PREFIX+IntegerToString(chart));
  }
//+------------------------------------------------------------------+
//| Offers the client of this chart to the service                   |
//+------------------------------------------------------------------+
bool CMqttDoorbell::Register(const CMqttClient &client)
  {
   if(!client.IsCreated() || client.Handle()>MQTT_DOORBELL_MAX_HANDLE)
      return(false);
   string name=Name(ChartID());
   GlobalVariableTemp(name);
   return(GlobalVariableSet(name,(double)client.Handle())>0);
  }
//+------------------------------------------------------------------+
//| Takes the offer back                                             |
//+------------------------------------------------------------------+
void CMqttDoorbell::Unregister(void)
  {
   GlobalVariableDel(Name(ChartID()));
  }
//+------------------------------------------------------------------+
//| Waits and rings; returns how often it rang. With one client it   |
//| waits for that; with several it looks at each in turn            |
//+------------------------------------------------------------------+
int CMqttDoorbell::Ring(const int timeout_ms)
  {
   long charts[];
   int  count=0;
   for(long chart=ChartFirst(); chart>=0; chart=ChartNext(chart))
      if(GlobalVariableCheck(Name(chart)))
        {
         count++;
         ArrayResize(charts,count,16);
         charts[count-1]=chart;
        }
   if(count==0)
     {
      Sleep(timeout_ms);
      return(0);
     }
   int rung=0;
   for(int i=0; i<count && !IsStopped(); i++)
      RingChart(charts[i],count==1 ? timeout_ms : 1,rung);
//--- events that were not taken yet would be told of without a pause
   if(rung>0)
      Sleep(1);
   return(rung);
  }
//+------------------------------------------------------------------+
//| Waits for one client                                             |
//+------------------------------------------------------------------+
bool CMqttDoorbell::RingChart(const long chart,const int timeout_ms,int &rung)
  {
   string name=Name(chart);
   int    result=mt5mqtt_wait((long)GlobalVariableGet(name),timeout_ms);
   if(result<0)
      GlobalVariableDel(name);
   if(result<=0)
      return(false);
   rung++;
   return(EventChartCustom(chart,MQTT_DOORBELL_EVENT,0,0,""));
  }
#endif
//+------------------------------------------------------------------+
