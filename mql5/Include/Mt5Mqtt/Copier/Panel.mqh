//+------------------------------------------------------------------+
//|                                                        Panel.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_PANEL_MQH
#define MT5MQTT_COPIER_PANEL_MQH
//--- the chart is written to no more often, in ms
#define COPIER_PANEL_MS 500
//--- errors that are listed
#define COPIER_PANEL_ERRORS 3
//+------------------------------------------------------------------+
//| Class CCopierPanel.                                              |
//| Appointment: lines in the chart's corner, and the last errors    |
//|              with their time.                                    |
//+------------------------------------------------------------------+
class CCopierPanel
  {
private:
   string            m_errors[COPIER_PANEL_ERRORS];
   string            m_shown;
   ulong             m_next;

public:
                     CCopierPanel(void) : m_shown(""),m_next(0) { for(int i=0; i<COPIER_PANEL_ERRORS; i++) m_errors[i]=""; }
   void              Error(const string text);
   //--- is it time to show something?
   bool              IsDue(void);
   void              Show(const string lines);
   void              Clear(void) { m_shown=""; Comment(""); }
  };
//+------------------------------------------------------------------+
//| The newest comes first                                           |
//+------------------------------------------------------------------+
void CCopierPanel::Error(const string text)
  {
   for(int i=COPIER_PANEL_ERRORS-1; i>0; i--)
      m_errors[i]=m_errors[i-1];
   m_errors[0]=TimeToString(TimeLocal(),TIME_SECONDS)+"  "+text;
  }
//+------------------------------------------------------------------+
//| So that lines that nobody sees aren't made                       |
//+------------------------------------------------------------------+
bool CCopierPanel::IsDue(void)
  {
   ulong now=GetTickCount64();
   if(now<m_next)
      return(false);
   m_next=now+COPIER_PANEL_MS;
   return(true);
  }
//+------------------------------------------------------------------+
//| The lines, then the errors                                       |
//+------------------------------------------------------------------+
void CCopierPanel::Show(const string lines)
  {
   string text=lines;
   for(int i=0; i<COPIER_PANEL_ERRORS; i++)
      if(m_errors[i]!="")
         text+=(i==0 ? "\nLast errors:" : "")+"\n  "+m_errors[i];
   if(text==m_shown)
      return;
   m_shown=text;
   Comment(text);
  }
#endif
//+------------------------------------------------------------------+
