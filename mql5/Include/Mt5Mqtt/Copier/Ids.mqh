//+------------------------------------------------------------------+
//|                                                          Ids.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_IDS_MQH
#define MT5MQTT_COPIER_IDS_MQH
//+------------------------------------------------------------------+
//| Class CCopierIds.                                                |
//| Appointment: numbers of positions or orders, among which one is  |
//|              found without a look at all others.                 |
//+------------------------------------------------------------------+
class CCopierIds
  {
private:
   long              m_ids[];
   int               m_count;

public:
                     CCopierIds(void) : m_count(0) { }
   //--- for so many at most
   void              Start(const int most)          { ArrayResize(m_ids,most); m_count=0;           }
   void              Add(const long id)             { m_ids[m_count]=id; m_count++;                 }
   //--- after the last one, before anything is asked
   void              Sort(void)                     { ArrayResize(m_ids,m_count); ArraySort(m_ids); }
   bool              Has(const long id) const;
   bool              HasTwice(void) const;
  };
//+------------------------------------------------------------------+
//| Is it one of them?                                               |
//+------------------------------------------------------------------+
bool CCopierIds::Has(const long id) const
  {
   return(m_count>0 && m_ids[ArrayBsearch(m_ids,id)]==id);
  }
//+------------------------------------------------------------------+
//| Is any of them there twice?                                      |
//+------------------------------------------------------------------+
bool CCopierIds::HasTwice(void) const
  {
   for(int i=1; i<m_count; i++)
      if(m_ids[i]==m_ids[i-1])
         return(true);
   return(false);
  }
#endif
//+------------------------------------------------------------------+
