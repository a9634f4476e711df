//+------------------------------------------------------------------+
//|                                                        Relay.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_RELAY_MQH
#define MT5MQTT_COPIER_RELAY_MQH
#include "Origin.mqh"
#include "Former.mqh"
//+------------------------------------------------------------------+
//| Class CCopierRelay.                                              |
//| Appointment: tells a master through which accounts a copy of this|
//|              account came, from the files of the followers that  |
//|              run here. A copy of unknown origin isn't published. |
//|                                                                  |
//| What can't be read at the moment stays as it was known: followers|
//| close what a state leaves out.                                   |
//+------------------------------------------------------------------+
class CCopierRelay
  {
private:
   string            m_masters[];          // those whose copies are published
   bool              m_is_read[];          // the same: was their file ever read?
   string            m_unread;             // one whose file is there and was never read, "" = none
   long              m_identifiers[];      // of copies
   string            m_vias[];
   int               m_of[];               // of which master they are copies
   ulong             m_next;               // when the files are read again

public:
                     CCopierRelay(void) : m_unread(""),m_next(0) { }
   //--- names, apart by commas; empty = no copies are published
   void              Start(const string masters);
   bool              IsOn(void) const { return(ArraySize(m_masters)>0); }
   //--- after Start(): one that no master can have as its name, "" = none
   string            Mistaken(void) const;
   //--- of a position's identifier or an order's ticket; false if the copy's origin isn't known
   bool              Via(const long identifier,string &via);
   //--- the master of whose copies nothing is known because a file can't be read, "" = none
   string            Unread(void) const { return(m_unread); }

private:
   void              Read(const int master);
   static string     ViaOf(const CCopierLedger &ledger,const long id);
   void              Add(const int master,const long identifier,const string via);
   void              Remove(const int master);
  };
//+------------------------------------------------------------------+
//| Nothing is read yet                                              |
//+------------------------------------------------------------------+
void CCopierRelay::Start(const string masters)
  {
   string parts[];
   int    count=StringSplit(masters,',',parts);
   ArrayResize(m_masters,0);
   ArrayResize(m_is_read,0);
   ArrayResize(m_identifiers,0);
   ArrayResize(m_vias,0);
   ArrayResize(m_of,0);
   m_unread="";
   for(int i=0; i<count; i++)
     {
      StringTrimLeft(parts[i]);
      StringTrimRight(parts[i]);
      if(parts[i]=="")
         continue;
      int last=ArraySize(m_masters);
      ArrayResize(m_masters,last+1);
      m_masters[last]=parts[i];
      ArrayResize(m_is_read,last+1);
      m_is_read[last]=false;
      //--- what is spelt otherwise is another one, whose copies there are none of
      if(!FileIsExist(CCopierStore::FileName(parts[i])))
         Print("copier: no follower of a master ",parts[i]," has run in this terminal and account yet: until then no copies of it are published");
     }
   m_next=0;
  }
//+------------------------------------------------------------------+
//| Copies of none would be published for it                         |
//+------------------------------------------------------------------+
string CCopierRelay::Mistaken(void) const
  {
   for(int i=0; i<ArraySize(m_masters); i++)
      if(!CCopierRules::IsName(m_masters[i]))
         return(m_masters[i]);
   return("");
  }
//+------------------------------------------------------------------+
//| From the files, which are read again each second                 |
//+------------------------------------------------------------------+
bool CCopierRelay::Via(const long identifier,string &via)
  {
   if(GetTickCount64()>=m_next)
     {
      m_unread="";
      for(int i=0; i<ArraySize(m_masters); i++)
         Read(i);
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
void CCopierRelay::Read(const int master)
  {
   CCopierStore  store;
   CCopierLedger ledger;
   bool          exists=false;
   if(!store.Load(CCopierStore::FileName(m_masters[master]),ledger,exists))
     {
      if(!m_is_read[master])
         m_unread=m_masters[master];
      return;
     }
   if(!exists)
     {
      //--- the follower has not decided yet whether it is the one of before
      if(!m_is_read[master] && CCopierFormer::Exists(m_masters[master]))
         m_unread=m_masters[master];
      return;
     }
   m_is_read[master]=true;
   Remove(master);
   for(int i=0; i<store.Copies(); i++)
      Add(master,store.Identifier(i),ViaOf(ledger,store.MasterId(store.Identifier(i))));
   for(int i=0; i<store.Placed(); i++)
      Add(master,(long)store.PlacedTicket(i),ViaOf(ledger,store.PlacedId(i)));
  }
//+------------------------------------------------------------------+
//| A netting position may be made of all copies                     |
//+------------------------------------------------------------------+
string CCopierRelay::ViaOf(const CCopierLedger &ledger,const long id)
  {
   string via="";
   for(int k=0; k<ledger.Links(); k++)
     {
      CopierLink link;
      ledger.Link(k,link);
      if(link.id==id || id==COPIER_NET)
         via=CCopierOrigin::Join(via,link.via);
     }
   return(via);
  }
//+------------------------------------------------------------------+
//| One copy                                                         |
//+------------------------------------------------------------------+
void CCopierRelay::Add(const int master,const long identifier,const string via)
  {
   int count=ArraySize(m_identifiers);
   ArrayResize(m_identifiers,count+1,64);
   ArrayResize(m_vias,count+1,64);
   ArrayResize(m_of,count+1,64);
   m_identifiers[count]=identifier;
   m_vias[count]=via;
   m_of[count]=master;
  }
//+------------------------------------------------------------------+
//| All copies of one master                                         |
//+------------------------------------------------------------------+
void CCopierRelay::Remove(const int master)
  {
   int count=0;
   for(int i=0; i<ArraySize(m_of); i++)
     {
      if(m_of[i]==master)
         continue;
      m_identifiers[count]=m_identifiers[i];
      m_vias[count]=m_vias[i];
      m_of[count]=m_of[i];
      count++;
     }
   ArrayResize(m_identifiers,count);
   ArrayResize(m_vias,count);
   ArrayResize(m_of,count);
  }
#endif
//+------------------------------------------------------------------+
