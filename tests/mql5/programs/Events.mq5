//+------------------------------------------------------------------+
//|                                                       Events.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- How the terminal queues events: an Expert Advisor that is slow.
input int  InpTimer=1;       // Timer, ms
input bool InpFail=false;    // OnInit fails
input bool InpSlow=false;    // OnDeinit takes too long
int ExtTicks=0;
int ExtTimers=0;
int ExtInits=0;
//+------------------------------------------------------------------+
//| Globals live through a change of the chart                       |
//+------------------------------------------------------------------+
int OnInit(void)
  {
   ExtInits++;
   PrintFormat("init %d on %s",ExtInits,_Symbol);
   return(InpFail ? INIT_FAILED : INIT_SUCCEEDED);
  }
//+------------------------------------------------------------------+
//| Says why                                                         |
//+------------------------------------------------------------------+
void OnDeinit(const int reason)
  {
   PrintFormat("deinit %d",reason);
   if(InpSlow)
     {
      ulong end=GetTickCount64()+2600;
      while(GetTickCount64()<end)
         ExtTicks++;
     }
  }
//+------------------------------------------------------------------+
//| Counts                                                           |
//+------------------------------------------------------------------+
void OnTick(void)
  {
   ExtTicks++;
  }
//+------------------------------------------------------------------+
//| Counts                                                           |
//+------------------------------------------------------------------+
void OnTimer(void)
  {
   ExtTimers++;
  }
//+------------------------------------------------------------------+
//| 1: counts timer events for 200 ms; 2: is busy for 200 ms, so that|
//| events pile up; 4: sends itself its text; other: says what it got|
//+------------------------------------------------------------------+
void OnChartEvent(const int id,const long &lparam,const double &dparam,const string &sparam)
  {
   if(id==CHARTEVENT_CUSTOM+1)
     {
      EventSetMillisecondTimer(InpTimer);
      Print("timer set");
     }
   else
      if(id==CHARTEVENT_CUSTOM+2)
        {
         ExtTicks=0;
         ExtTimers=0;
         Print("busy");
         Sleep(300);
         Print("free");
        }
      else
         if(id==CHARTEVENT_CUSTOM+3)
           {
            EventKillTimer();
            PrintFormat("%d ticks, %d timers",ExtTicks,ExtTimers);
           }
         else
            if(id==CHARTEVENT_CUSTOM+4)
               EventChartCustom(0,8,lparam,dparam,sparam);
            else
               PrintFormat("event %d of %d characters",id-CHARTEVENT_CUSTOM,StringLen(sparam));
  }
//+------------------------------------------------------------------+
