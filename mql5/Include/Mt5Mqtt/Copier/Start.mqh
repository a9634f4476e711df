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
//|              its account ends all programs and starts them again |
//|              by itself, in an account that nobody meant; what    |
//|              they knew may be lost by then. So the terminal      |
//|              remembers in which one the user has started it.     |
//+------------------------------------------------------------------+
class CCopierStart
  {
private:
   bool              m_is_anew;            // by the user, or with the terminal
   bool              m_is_told;
   ulong             m_next;               // not before, by GetTickCount64()

public:
                     CCopierStart(void) : m_is_anew(true),m_is_told(false),m_next(0) { }
   //--- for OnInit()
   void              Init(void);
   //--- not before so many ms are over
   void              Later(const int wait_ms) { m_next=GetTickCount64()+(ulong)wait_ms; }
   bool              IsDue(void);
  };
//+------------------------------------------------------------------+
//| Why the terminal starts it                                       |
//+------------------------------------------------------------------+
void CCopierStart::Init(void)
  {
   int reason=UninitializeReason();
   m_is_anew=(reason!=REASON_ACCOUNT && reason!=REASON_CHARTCHANGE);
   m_is_told=false;
   if(TerminalInfoInteger(TERMINAL_CONNECTED)==0)
      Print("waiting until the terminal is connected to the trade server");
  }
//+------------------------------------------------------------------+
//| The account is known when the terminal is connected              |
//+------------------------------------------------------------------+
bool CCopierStart::IsDue(void)
  {
   if(TerminalInfoInteger(TERMINAL_CONNECTED)==0 || GetTickCount64()<m_next)
      return(false);
   string name=COPIER_START_PREFIX+IntegerToString(ChartID());
   double account=(double)(CCopierOrigin::Magic(CCopierAccount::Own())%4294967296);
   if(m_is_anew || !GlobalVariableCheck(name))
     {
      GlobalVariableTemp(name);
      GlobalVariableSet(name,account);
     }
   m_is_anew=false;
   if(GlobalVariableGet(name)==account)
      return(true);
   if(!m_is_told)
      Print("copier: it was started in another account than ",CCopierAccount::Own(),", and does nothing in this one until its inputs are confirmed, or it is started anew");
   m_is_told=true;
   return(false);
  }
#endif
//+------------------------------------------------------------------+
