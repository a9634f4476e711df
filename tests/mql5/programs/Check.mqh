//+------------------------------------------------------------------+
//|                                                        Check.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- For the test scripts: a line for each check that fails, and the
//--- number of checks at the end.
#ifndef CHECK_MQH
#define CHECK_MQH
class CCheck
  {
private:
   int               m_passed;
   int               m_failed;

public:
                     CCheck(void) : m_passed(0),m_failed(0) { }
   bool              That(const bool condition,const string what);
   bool              Same(const string found,const string expected,const string what);
   bool              Equal(const long found,const long expected,const string what);
   bool              Near(const double found,const double expected,const string what);
   void              Report(void);
  };
//+------------------------------------------------------------------+
//| A condition                                                      |
//+------------------------------------------------------------------+
bool CCheck::That(const bool condition,const string what)
  {
   if(condition)
      m_passed++;
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
bool CCheck::Same(const string found,const string expected,const string what)
  {
   return(That(found==expected,what+": '"+found+"', not '"+expected+"'"));
  }
//+------------------------------------------------------------------+
//| Two integers                                                     |
//+------------------------------------------------------------------+
bool CCheck::Equal(const long found,const long expected,const string what)
  {
   return(That(found==expected,what+": "+(string)found+", not "+(string)expected));
  }
//+------------------------------------------------------------------+
//| Two numbers, apart from rounding                                 |
//+------------------------------------------------------------------+
bool CCheck::Near(const double found,const double expected,const string what)
  {
   return(That(MathAbs(found-expected)<0.00000001,what+": "+(string)found+", not "+(string)expected));
  }
//+------------------------------------------------------------------+
//| The last line                                                    |
//+------------------------------------------------------------------+
void CCheck::Report(void)
  {
   PrintFormat("%d passed, %d failed",m_passed,m_failed);
  }
#endif
//+------------------------------------------------------------------+
