//+------------------------------------------------------------------+
//|                                                        Check.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_CHECK_MQH
#define MT5MQTT_CHECK_MQH
//+------------------------------------------------------------------+
//| Class CMqttCheck.                                                |
//| Appointment: the checks of a script: a line for each, PASS or    |
//|              FAIL, and their number at the end.                  |
//+------------------------------------------------------------------+
class CMqttCheck
  {
private:
   int               m_passed;
   int               m_failed;

public:
                     CMqttCheck(void) : m_passed(0),m_failed(0) { }
   bool              That(const bool condition,const string what);
   bool              Same(const string found,const string expected,const string what);
   bool              Equal(const long found,const long expected,const string what);
   bool              Near(const double found,const double expected,const string what);
   void              Report(void);
  };
//+------------------------------------------------------------------+
//| A condition                                                      |
//+------------------------------------------------------------------+
bool CMqttCheck::That(const bool condition,const string what)
  {
   if(condition)
     {
      m_passed++;
      Print("PASS ",what);
     }
   else
     {
      m_failed++;
      Print("FAIL ",what);
     }
   return(condition);
  }
//+------------------------------------------------------------------+
//| Two texts                                                        |
//+------------------------------------------------------------------+
bool CMqttCheck::Same(const string found,const string expected,const string what)
  {
   return(That(found==expected,found==expected ? what : what+": '"+found+"', not '"+expected+"'"));
  }
//+------------------------------------------------------------------+
//| Two integers                                                     |
//+------------------------------------------------------------------+
bool CMqttCheck::Equal(const long found,const long expected,const string what)
  {
   return(That(found==expected,found==expected ? what : what+": "+(string)found+", not "+(string)expected));
  }
//+------------------------------------------------------------------+
//| Two numbers, apart from rounding                                 |
//+------------------------------------------------------------------+
bool CMqttCheck::Near(const double found,const double expected,const string what)
  {
   return(That(MathAbs(found-expected)<0.00000001,what+": "+(string)found+", not "+(string)expected));
  }
//+------------------------------------------------------------------+
//| The last line                                                    |
//+------------------------------------------------------------------+
void CMqttCheck::Report(void)
  {
   PrintFormat("%d passed, %d failed",m_passed,m_failed);
  }
#endif
//+------------------------------------------------------------------+
