//+------------------------------------------------------------------+
//|                                                        Start.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_START_MQH
#define MT5MQTT_COPIER_START_MQH
#include "Account.mqh"
//--- terminal variables: the prefix, then the chart's number
#define COPIER_START_PREFIX "mt5mqtt.copier."
//+------------------------------------------------------------------+
//| Class CCopierStart.                                              |
//| Appointment: when a program may begin. A terminal that changes   |
//|              its account unloads all programs and loads them     |
//|              again by itself, in an account that nobody meant.   |
//|              They know nothing of before, nor why they are       |
//|              loaded. So the terminal remembers in which account  |
//|              the user has started them, also when it is closed.  |
//+------------------------------------------------------------------+
class CCopierStart
  {
private:
   bool              m_is_told;
   ulong             m_next;               // not before, by GetTickCount64()

public:
                     CCopierStart(void) : m_is_told(false),m_next(0) { }
   //--- for OnInit() and OnDeinit()
   void              Init(void);
   void              Deinit(const int reason);
   //--- not before so many ms are over
   void              Later(const int wait_ms) { m_next=GetTickCount64()+(ulong)wait_ms; }
   bool              IsDue(void);
   //--- for OnTimer(): a terminal forgets what nobody has read for four weeks
   void              Keep(void) const         { GlobalVariableGet(Name());                 }

private:
   static string     Name(void) { return(COPIER_START_PREFIX+IntegerToString(ChartID())); }
  };
//+------------------------------------------------------------------+
//| What it waits for is told once                                   |
//+------------------------------------------------------------------+
void CCopierStart::Init(void)
  {
   m_is_told=false;
   if(TerminalInfoInteger(TERMINAL_CONNECTED)==0)
      Print("waiting until the terminal is connected to the trade server");
  }
//+------------------------------------------------------------------+
//| What the user ends, or gives other inputs, begins anew           |
//+------------------------------------------------------------------+
void CCopierStart::Deinit(const int reason)
  {
   if(reason!=REASON_ACCOUNT && reason!=REASON_CHARTCHANGE && reason!=REASON_RECOMPILE && reason!=REASON_CLOSE)
      GlobalVariableDel(Name());
  }
//+------------------------------------------------------------------+
//| The account is known when the terminal is connected              |
//+------------------------------------------------------------------+
bool CCopierStart::IsDue(void)
  {
   if(TerminalInfoInteger(TERMINAL_CONNECTED)==0 || GetTickCount64()<m_next)
      return(false);
   string name=Name();
   double account=(double)(CCopierOrigin::Magic(CCopierAccount::Own())%4294967296);
   if(!GlobalVariableCheck(name))
     {
      GlobalVariableSet(name,account);
      GlobalVariablesFlush();
     }
   if(GlobalVariableGet(name)==account)
      return(true);
   if(!m_is_told)
      Print("copier: it was started in another account than ",CCopierAccount::Own(),", and does nothing in this one until its inputs are confirmed, or it is started anew");
   m_is_told=true;
   return(false);
  }
#endif
//+------------------------------------------------------------------+
