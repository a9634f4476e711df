//+------------------------------------------------------------------+
//|                                                       Client.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_CLIENT_MQH
#define MT5MQTT_CLIENT_MQH
#include "Message.mqh"
#include "Sender.mqh"
//--- mt5mqtt_wait() can't see IsStopped(): the longest wait between looks
#define MQTT_WAIT_SLICE_MS 50
//--- the same failure is printed again after so long; of so many it is known that they are the same
#define MQTT_PRINT_AGAIN_MS 60000
#define MQTT_PRINTED        16
//+------------------------------------------------------------------+
//| Class CMqttClient.                                               |
//| Appointment: one MQTT client. Here is what it receives; what it  |
//|              sends is CMqttSender's, options and connection are  |
//|              CMqttConnection's.                                  |
//|                                                                  |
//| A method that returns bool says whether the library accepted the |
//| call; ResultStatus() and ResultDescription() say why it did not. |
//| What becomes of an accepted call comes later as an event that    |
//| carries ResultToken(), through Next(), or through Dispatch() to  |
//| the virtual On... methods. Defaults and rules of the protocol    |
//| are the library's: this class has none.                          |
//|                                                                  |
//| No CObject, whose Next() is another thing.                       |
//+------------------------------------------------------------------+
class CMqttClient : public CMqttSender
  {
private:
   MqttEvent         m_event;              // the current event
   ushort            m_units[];            // buffer for text
   uchar             m_events[];           // buffer for events that are taken together
   string            m_printed[MQTT_PRINTED];     // failures that were printed
   ulong             m_print_again[MQTT_PRINTED]; // when each may be printed again

public:
                     CMqttClient(void);
   //--- for OnInit(), as OnTimer() is where Next() or Dispatch() is called
   bool              SetTimer(const int milliseconds);
   //--- receiving
   bool              Next(CMqttMessage &message);
   int               NextBatch(CMqttMessage &messages[]);
   int               Dispatch(const int max_events);
   bool              Wait(const int timeout_ms);
   bool              Acknowledge(const CMqttMessage &message,const int reason_code);
   bool              Acknowledge(const CMqttMessage &message,const int reason_code,const CMqttProperties &properties);
   //--- symbols such as #USSPX500 in topics
   static string     EscapeTopicLevel(const string level)   { return(CMqttText::EscapeTopicLevel(level));   }
   static string     UnescapeTopicLevel(const string level) { return(CMqttText::UnescapeTopicLevel(level)); }

protected:
   //--- called by Dispatch(); what a program doesn't override prints failures
   virtual void      OnConnected(const CMqttMessage &message)    { }
   virtual void      OnDisconnected(const CMqttMessage &message) { PrintFailure("the connection",message);                      }
   virtual void      OnMessage(const CMqttMessage &message)      { }
   virtual void      OnPublished(const CMqttMessage &message)    { PrintFailure("a publish",message);                           }
   virtual void      OnSubscribed(const CMqttMessage &message)   { PrintFailure("subscribing to "+message.Topic(),message);     }
   virtual void      OnUnsubscribed(const CMqttMessage &message) { PrintFailure("unsubscribing from "+message.Topic(),message); }
   virtual void      OnProgress(const CMqttMessage &message)     { }
   virtual void      OnStore(const CMqttMessage &message)        { PrintFailure("the store",message);                           }
   virtual void      OnResponse(const CMqttMessage &message)     { PrintFailure("a request",message);                           }
   virtual void      OnAuthenticate(const CMqttMessage &message) { }
   virtual void      OnAuthenticated(const CMqttMessage &message) { }
   virtual void      OnFailed(const CMqttMessage &message)       { PrintFailure("the client",message);                          }
   virtual void      OnBreach(const CMqttMessage &message)       { }
   virtual void      OnLog(const CMqttMessage &message)          { }
   virtual void      OnDoctor(const CMqttMessage &message)       { }
   virtual void      OnMissed(const CMqttMessage &message)       { Print("MQTT: ",message.Token()," messages were missed");     }
   //--- a failure in words, "" if it is none
   static string     Failure(const string of,const CMqttMessage &message);
   void              PrintFailure(const string of,const CMqttMessage &message);

   //--- no copies: a handle has one owner
                     CMqttClient(const CMqttClient &other) { ArrayFill(m_print_again,0,MQTT_PRINTED,0); }
   void              operator=(const CMqttClient &other)   { }
  };
//+------------------------------------------------------------------+
//| No event was taken                                               |
//+------------------------------------------------------------------+
CMqttClient::CMqttClient(void)
  {
   ZeroMemory(m_event);
   ArrayFill(m_print_again,0,MQTT_PRINTED,0);
  }
//+------------------------------------------------------------------+
//| The program's timer, in milliseconds, 1 or more; the terminal's  |
//| are no faster than 10 to 16. Without one the program would live  |
//| and hear nothing: WRONG_STATE if the terminal sets none          |
//+------------------------------------------------------------------+
bool CMqttClient::SetTimer(const int milliseconds)
  {
   ResetLastError();
   if(EventSetMillisecondTimer(milliseconds))
      return(Succeeded(MT5MQTT_OK));
   return(Failed(MT5MQTT_E_WRONG_STATE,StringFormat("the terminal sets no timer of %d ms (error %d), and without it the program would hear nothing",
                                                    milliseconds,GetLastError())));
  }
//+------------------------------------------------------------------+
//| Takes the next event; false if there is none, or on a failure,   |
//| which ResultStatus() tells apart                                 |
//+------------------------------------------------------------------+
bool CMqttClient::Next(CMqttMessage &message)
  {
   m_event.struct_size=(int)sizeof(MqttEvent);
   int result=mt5mqtt_poll(m_client,m_event);
   if(!Succeeded(result) || result==0)
      return(false);
   message.Read(m_client,m_event,m_units);
   return(true);
  }
//+------------------------------------------------------------------+
//| Takes events, at most as many as the array has places, in one    |
//| call; returns how many. One that has properties is the last, so  |
//| 0 alone says that there are no more. Each counts as taken: the   |
//| Server won't send again what the program has not dealt with,     |
//| unless MT5MQTT_OPT_ACKNOWLEDGE leaves that to the program        |
//+------------------------------------------------------------------+
int CMqttClient::NextBatch(CMqttMessage &messages[])
  {
   int maximum=ArraySize(messages);
   if(maximum==0)
      return(0);
   if(ArraySize(m_events)==0)
      ArrayResize(m_events,65536);
   int count=mt5mqtt_poll_batch(m_client,m_events,ArraySize(m_events),maximum);
   if(count==MT5MQTT_E_TOO_LARGE)
      return(Next(messages[0]) ? 1 : 0);
   if(!Succeeded(count))
      return(0);
   int position=0;
   for(int i=0; i<count; i++)
      position=messages[i].Unpack(m_client,m_events,position,m_units);
   return(count);
  }
//+------------------------------------------------------------------+
//| Takes up to max_events (100 suits most timers) and gives each to |
//| its On... method; returns how many it took                       |
//+------------------------------------------------------------------+
int CMqttClient::Dispatch(const int max_events)
  {
   CMqttMessage message;
   int          count=0;
   while(count<max_events && Next(message))
     {
      count++;
      switch(message.Kind())
        {
         case MT5MQTT_EVENT_CONNECTED:
            OnConnected(message);
            break;
         case MT5MQTT_EVENT_DISCONNECTED:
            OnDisconnected(message);
            break;
         case MT5MQTT_EVENT_MESSAGE:
            OnMessage(message);
            break;
         case MT5MQTT_EVENT_PUBLISHED:
            OnPublished(message);
            break;
         case MT5MQTT_EVENT_SUBSCRIBED:
            OnSubscribed(message);
            break;
         case MT5MQTT_EVENT_UNSUBSCRIBED:
            OnUnsubscribed(message);
            break;
         case MT5MQTT_EVENT_PROGRESS:
            OnProgress(message);
            break;
         case MT5MQTT_EVENT_STORE:
            OnStore(message);
            break;
         case MT5MQTT_EVENT_DOCTOR:
            OnDoctor(message);
            break;
         case MT5MQTT_EVENT_LOG:
            OnLog(message);
            break;
         case MT5MQTT_EVENT_FAILED:
            OnFailed(message);
            break;
         case MT5MQTT_EVENT_RESPONSE:
            OnResponse(message);
            break;
         case MT5MQTT_EVENT_AUTHENTICATE:
            OnAuthenticate(message);
            break;
         case MT5MQTT_EVENT_AUTHENTICATED:
            OnAuthenticated(message);
            break;
         case MT5MQTT_EVENT_BREACH:
            OnBreach(message);
            break;
         case MT5MQTT_EVENT_MISSED:
            OnMissed(message);
            break;
        }
     }
   return(count);
  }
//+------------------------------------------------------------------+
//| What failed, and why, and the Server's Reason Code if it has one |
//+------------------------------------------------------------------+
string CMqttClient::Failure(const string of,const CMqttMessage &message)
  {
   if(message.Status()>=MT5MQTT_OK)
      return("");
   string reason=message.ReasonCodeDescription();
   if(reason=="" || StringFind(message.Text(),reason)>=0)
      return(of+" failed: "+message.Text());
   //--- the Server's own words go behind it
   return(of+" failed: "+reason+(message.Text()==message.StatusDescription() ? "" : " ("+message.Text()+")"));
  }
//+------------------------------------------------------------------+
//| Prints a failure; the same one at most once a minute, as each    |
//| tick could have it                                               |
//+------------------------------------------------------------------+
void CMqttClient::PrintFailure(const string of,const CMqttMessage &message)
  {
   string text=Failure(of,message);
   if(text=="")
      return;
//--- its place, or else that of the one which was printed longest ago
   int place=0;
   for(int i=0; i<MQTT_PRINTED; i++)
     {
      if(m_printed[i]==text)
        {
         place=i;
         break;
        }
      if(m_print_again[i]<m_print_again[place])
         place=i;
     }
   if(m_printed[place]==text && GetTickCount64()<m_print_again[place])
      return;
   m_printed[place]=text;
   m_print_again[place]=GetTickCount64()+MQTT_PRINT_AGAIN_MS;
   Print("MQTT: ",text);
  }
//+------------------------------------------------------------------+
//| For scripts and services: waits until an event is there,         |
//| timeout_ms at most, 0 or more. False when the time is over, the  |
//| program is to stop, or on a failure                              |
//+------------------------------------------------------------------+
bool CMqttClient::Wait(const int timeout_ms)
  {
   if(MQLInfoInteger(MQL_PROGRAM_TYPE)==PROGRAM_INDICATOR)
      return(Failed(MT5MQTT_E_WRONG_STATE,"an indicator must not wait, as the chart waits with it: call Next() or Dispatch() in OnTimer()"));
   long deadline=mt5mqtt_time_monotonic_us()+(long)timeout_ms*1000;
   while(!IsStopped())
     {
      long left=(deadline-mt5mqtt_time_monotonic_us())/1000;
      int  slice=(left<MQTT_WAIT_SLICE_MS ? (int)MathMax(left,0) : MQTT_WAIT_SLICE_MS);
      int  result=mt5mqtt_wait(m_client,slice);
      if(!Succeeded(result))
         return(false);
      if(result>0)
         return(true);
      if(left<=0)
         return(false);
     }
   return(false);
  }
//+------------------------------------------------------------------+
//| Acknowledges a message, if MT5MQTT_OPT_ACKNOWLEDGE is 2: by 0,   |
//| or refuses it by 128 and above. UNKNOWN_TOKEN the second time,   |
//| WRONG_STATE if that isn't left to the program                    |
//+------------------------------------------------------------------+
bool CMqttClient::Acknowledge(const CMqttMessage &message,const int reason_code)
  {
   return(Succeeded(mt5mqtt_acknowledge(m_client,message.Token(),reason_code)));
  }
//+------------------------------------------------------------------+
//| The same with a Reason String and User Properties for the Server |
//+------------------------------------------------------------------+
bool CMqttClient::Acknowledge(const CMqttMessage &message,const int reason_code,const CMqttProperties &properties)
  {
   return(Succeeded(mt5mqtt_acknowledge_with(m_client,message.Token(),reason_code,properties.Handle())));
  }
#endif
//+------------------------------------------------------------------+
