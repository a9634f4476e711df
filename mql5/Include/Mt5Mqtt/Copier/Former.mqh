//+------------------------------------------------------------------+
//|                                                       Former.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_FORMER_MQH
#define MT5MQTT_COPIER_FORMER_MQH
#include "Orders.mqh"
#include "Store.mqh"
//--- how long the terminal may take to show whose file it is, in ms
#define COPIER_FORMER_MS 60000
//+------------------------------------------------------------------+
//| Class CCopierFormer.                                             |
//| Appointment: a follower's file of the same login at a server of  |
//|              another name. A broker may have renamed its server, |
//|              or another broker has given the same login: it is   |
//|              this account's if that has, or had, one of the      |
//|              copies.                                             |
//+------------------------------------------------------------------+
class CCopierFormer
  {
private:
   ulong             m_until;              // GetTickCount64() at which it is none of this account's, 0 = not asked yet

public:
                     CCopierFormer(void) : m_until(0) { }
   //--- may the follower of that master begin?
   bool              IsSettled(const string master);
   //--- has it no file of its own yet, and might have one of before?
   static bool       Exists(const string master);

private:
   static void       Files(const string master,string &files[]);
   static bool       IsOwn(const string file,const long magic);
   static bool       IsKnown(const long identifier,const long magic);
  };
//+------------------------------------------------------------------+
//| All but the follower's own                                       |
//+------------------------------------------------------------------+
void CCopierFormer::Files(const string master,string &files[])
  {
   string own=CCopierStore::FileName(master);
   string start=StringSubstr(own,0,StringFind(own,"@")+1);
   string found="";
   ArrayResize(files,0);
   long   search=FileFindFirst(start+"*.json",found);
   if(search==INVALID_HANDLE)
      return;
   do
     {
      string name="Mt5Mqtt\\"+found;
      int    count=ArraySize(files);
      if(name==own || StringFind(name,".json")!=StringLen(name)-5)
         continue;
      ArrayResize(files,count+1);
      files[count]=name;
     }
   while(FileFindNext(search,found));
   FileFindClose(search);
  }
//+------------------------------------------------------------------+
//| Without a look at what is in them                                |
//+------------------------------------------------------------------+
bool CCopierFormer::Exists(const string master)
  {
   string files[];
   Files(master,files);
   return(ArraySize(files)>0 && !FileIsExist(CCopierStore::FileName(master)));
  }
//+------------------------------------------------------------------+
//| A terminal that has just started may show nothing for a while    |
//+------------------------------------------------------------------+
bool CCopierFormer::IsSettled(const string master)
  {
   string own=CCopierStore::FileName(master);
   string files[];
   if(FileIsExist(own))
      return(true);
   Files(master,files);
   int count=ArraySize(files);
   for(int i=0; i<count; i++)
      if(IsOwn(files[i],CCopierOrigin::Magic(master)) && FileMove(files[i],0,own,0))
        {
         Print("copier: the broker's server has another name: the file ",files[i]," is now ",own);
         return(true);
        }
   if(count==0)
      return(true);
   if(m_until==0)
     {
      m_until=GetTickCount64()+COPIER_FORMER_MS;
      Print("copier: waiting until the terminal shows whether this account has a copy that is in ",files[0]);
     }
   if(GetTickCount64()<m_until)
      return(false);
   for(int i=0; i<count; i++)
      Print("copier: this account has no copy that is in ",files[i]," of the same login: it isn't used. If it is this account's all the same, end the program, rename the file to ",
            own,", and start it again");
   m_until=0;
   return(true);
  }
//+------------------------------------------------------------------+
//| Is any of its copies known here?                                 |
//+------------------------------------------------------------------+
bool CCopierFormer::IsOwn(const string file,const long magic)
  {
   CCopierStore  store;
   CCopierLedger ledger;
   bool          exists=false;
   if(!store.Load(file,ledger,exists))
      return(false);
   for(int i=0; i<store.Copies(); i++)
      if(IsKnown(store.Identifier(i),magic))
         return(true);
   for(int i=0; i<store.Placed(); i++)
     {
      ulong ticket=store.PlacedTicket(i);
      if((OrderSelect(ticket) && OrderGetInteger(ORDER_MAGIC)==magic) || (HistoryOrderSelect(ticket) && HistoryOrderGetInteger(ticket,ORDER_MAGIC)==magic))
         return(true);
     }
   return(false);
  }
//+------------------------------------------------------------------+
//| As a position, or by its deals. Numbers of two brokers may be the|
//| same, magic numbers hardly                                       |
//+------------------------------------------------------------------+
bool CCopierFormer::IsKnown(const long identifier,const long magic)
  {
   for(int i=0; i<PositionsTotal(); i++)
      if(PositionGetTicket(i)!=0 && PositionGetInteger(POSITION_IDENTIFIER)==identifier)
         return(PositionGetInteger(POSITION_MAGIC)==magic);
   if(!HistorySelectByPosition(identifier))
      return(false);
   for(int i=0; i<HistoryDealsTotal(); i++)
      if(HistoryDealGetInteger(HistoryDealGetTicket(i),DEAL_MAGIC)==magic)
         return(true);
   return(false);
  }
#endif
//+------------------------------------------------------------------+
