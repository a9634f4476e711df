//+------------------------------------------------------------------+
//|                                                        Relay.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_RELAY_MQH
#define MT5MQTT_COPIER_RELAY_MQH
#include "Origin.mqh"
#include "Store.mqh"
//+------------------------------------------------------------------+
//| Class CCopierRelay.                                              |
//| Appointment: tells a master through which accounts a copy of this|
//|              account came, from the files of the followers that  |
//|              run here. A copy of unknown origin isn't published. |
//+------------------------------------------------------------------+
class CCopierRelay
  {
private:
   string            m_masters[];          // those whose copies are published
   long              m_identifiers[];      // of copies
   string            m_vias[];
   ulong             m_next;               // when the files are read again

public:
                     CCopierRelay(void) : m_next(0) { }
   //--- names, apart by commas; empty = no copies are published
   void              Start(const string masters);
   bool              IsOn(void) const { return(ArraySize(m_masters)>0); }
   //--- of a position's identifier or an order's ticket; false if the copy's origin isn't known
   bool              Via(const long identifier,string &via);

private:
   void              Read(const string master);
   static string     ViaOf(const CCopierPlan &plan,const long id);
   void              Add(const long identifier,const string via);
  };
//+------------------------------------------------------------------+
//| Nothing is read yet                                              |
//+------------------------------------------------------------------+
void CCopierRelay::Start(const string masters)
  {
   string parts[];
   int    count=StringSplit(masters,',',parts);
   ArrayResize(m_masters,0);
   for(int i=0; i<count; i++)
     {
      StringTrimLeft(parts[i]);
      StringTrimRight(parts[i]);
      if(parts[i]=="")
         continue;
      int last=ArraySize(m_masters);
      ArrayResize(m_masters,last+1);
      m_masters[last]=parts[i];
     }
   m_next=0;
  }
//+------------------------------------------------------------------+
//| From the files, which are read again each second                 |
//+------------------------------------------------------------------+
bool CCopierRelay::Via(const long identifier,string &via)
  {
   if(GetTickCount64()>=m_next)
     {
      ArrayResize(m_identifiers,0);
      ArrayResize(m_vias,0);
      for(int i=0; i<ArraySize(m_masters); i++)
         Read(m_masters[i]);
      m_next=GetTickCount64()+1000;
     }
   for(int i=0; i<ArraySize(m_identifiers); i++)
      if(m_identifiers[i]==identifier)
        {
         via=m_vias[i];
         return(via!="");
        }
   return(false);
  }
//+------------------------------------------------------------------+
//| The copies of one master                                         |
//+------------------------------------------------------------------+
void CCopierRelay::Read(const string master)
  {
   CCopierStore store;
   CCopierPlan  plan;
   bool         exists=false;
   if(!store.Load(CCopierStore::FileName(master),plan,exists))
      return;
   for(int i=0; i<store.Copies(); i++)
      Add(store.Identifier(i),ViaOf(plan,store.MasterId(store.Identifier(i))));
   for(int i=0; i<store.Placed(); i++)
      Add((long)store.PlacedTicket(i),ViaOf(plan,store.PlacedId(i)));
  }
//+------------------------------------------------------------------+
//| A netting position may be made of all copies                     |
//+------------------------------------------------------------------+
string CCopierRelay::ViaOf(const CCopierPlan &plan,const long id)
  {
   string via="";
   for(int k=0; k<plan.Links(); k++)
     {
      CopierLink link;
      plan.Link(k,link);
      if(link.id==id || id==COPIER_NET)
         via=CCopierOrigin::Join(via,link.via);
     }
   return(via);
  }
//+------------------------------------------------------------------+
//| One copy                                                         |
//+------------------------------------------------------------------+
void CCopierRelay::Add(const long identifier,const string via)
  {
   int count=ArraySize(m_identifiers);
   ArrayResize(m_identifiers,count+1,64);
   ArrayResize(m_vias,count+1,64);
   m_identifiers[count]=identifier;
   m_vias[count]=via;
  }
#endif
//+------------------------------------------------------------------+
