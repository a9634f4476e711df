//+------------------------------------------------------------------+
//|                                                      Waiting.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_WAITING_MQH
#define MT5MQTT_COPIER_WAITING_MQH
#include "Account.mqh"
#include "..\Internal\File.mqh"
#include "..\Internal\Text.mqh"
//--- how long a state waits for the terminal to show what became of
//--- an order, in ms
#define COPIER_WAITING_MS 10000
//--- the same of a position: its deals stay in the history for ever
#define COPIER_WAITING_POSITION_MS 60000
//--- a wait of so many ms is told: most are over before
#define COPIER_WAITING_TOLD_MS 500
//+------------------------------------------------------------------+
//| Class CCopierWaiting.                                            |
//| Appointment: the state of a master, of which nothing may be      |
//|              missing: a follower would close what is only on its |
//|              way from an order to its position, or not shown yet |
//|              by a terminal that has just started. What was there |
//|              at the last look is there, or its end is shown.     |
//|                                                                  |
//| The last look is in a file, and in the state that the Server     |
//| keeps: a terminal that was killed, or is another one, begins with|
//| them.                                                            |
//+------------------------------------------------------------------+
class CCopierWaiting
  {
private:
   string            m_name;               // of the file, "" = not read yet
   string            m_master;
   string            m_saved;              // the text in the file
   ulong             m_tickets[];          // that were pending at the last look
   long              m_identifiers[];      // of positions that were there
   CCopierIds        m_shown;              // identifiers of the positions that are there, copies too, after the orders were read
   ulong             m_since;              // GetTickCount64() at which a gap was seen first, 0 = there is none
   bool              m_is_unsaved;         // the file couldn't be written
   string            m_waits_for;

public:
                     CCopierWaiting(void) : m_name(""),m_master(""),m_saved(""),m_since(0),m_is_unsaved(false),m_waits_for("") { }
   void              Start(const string master)      { m_master=master; m_name=""; m_since=0;    }
   //--- what was published before
   void              Recall(const CopierState &state);
   //--- the terminal isn't connected: it can't show what it doesn't
   void              Pause(void)                     { m_since=0;                                }
   //--- orders and positions of one moment; false if they don't agree yet
   bool              State(CCopierRelay &relay,CopierState &state);
   //--- why there is none for so long, "" if there is one
   string            WaitsFor(void) const            { return(m_waits_for);                      }

private:
   bool              Read(CCopierRelay &relay,CopierState &state,ulong &tickets[],bool &agrees);
   bool              AllEnded(const ulong &tickets[]) const;
   long              Missing(void) const;
   bool              IsGap(const bool is_order,const long missing);
   void              AddPosition(const long identifier);
   void              AddOrder(const ulong ticket);
   void              Load(void);
   void              Save(void);
   string            Text(void) const;
  };
//+------------------------------------------------------------------+
//| Orders come first: one that fills meanwhile is in both           |
//+------------------------------------------------------------------+
bool CCopierWaiting::State(CCopierRelay &relay,CopierState &state)
  {
   ulong tickets[];
   bool  agrees=true;
   m_waits_for="";
   if(m_name=="")
      Load();
   if(!Read(relay,state,tickets,agrees))
      return(false);
   //--- in netting an order makes no position of its own
   bool is_order=(CCopierAccount::IsHedging() && !(agrees && AllEnded(tickets)));
   long missing=Missing();
   //--- the positions come last: what is shown by then is among them
   if(!CCopierAccount::State(relay,state) || IsGap(is_order,missing))
      return(false);
   if(relay.Unread()!="")
     {
      m_waits_for="waiting until the file of the copies of "+relay.Unread()+" can be read";
      return(false);
     }
   int count=ArraySize(tickets);
   ArrayResize(m_tickets,count);
   for(int i=0; i<count; i++)
      m_tickets[i]=tickets[i];
   count=ArraySize(state.positions);
   ArrayResize(m_identifiers,count);
   for(int i=0; i<count; i++)
      m_identifiers[i]=state.positions[i].id;
   Save();
   return(true);
  }
//+------------------------------------------------------------------+
//| A gap that stays is believed in the end                          |
//+------------------------------------------------------------------+
bool CCopierWaiting::IsGap(const bool is_order,const long missing)
  {
   if(!is_order && missing==0)
     {
      m_since=0;
      return(false);
     }
   ulong now=GetTickCount64();
   if(m_since==0)
      m_since=now;
   if(now-m_since>=(ulong)(missing!=0 ? COPIER_WAITING_POSITION_MS : COPIER_WAITING_MS))
      return(false);
   if(now-m_since>=COPIER_WAITING_TOLD_MS)
      m_waits_for=(missing!=0 ? "waiting until the terminal shows the position "+IntegerToString(missing)+", or the deals that closed it" :
                   "waiting until the terminal shows what became of a pending order");
   return(true);
  }
//+------------------------------------------------------------------+
//| Copies only if they are relayed, as of positions                 |
//+------------------------------------------------------------------+
bool CCopierWaiting::Read(CCopierRelay &relay,CopierState &state,ulong &tickets[],bool &agrees)
  {
   long   identifiers[];
   double filled[];
   int    total=OrdersTotal();
   int    count=0;
   ArrayResize(tickets,total);
   ArrayResize(identifiers,total);
   ArrayResize(filled,total);
   ArrayResize(state.orders,total);
   for(int i=0; i<total; i++)
     {
      ulong ticket=0;
      if(!CCopierOrders::Select(i,ticket))
        {
         if(ticket==0)
            return(false);
         continue;
        }
      string via="";
      if(CCopierOrigin::IsCopy(OrderGetInteger(ORDER_MAGIC)) && !relay.Via((long)ticket,via))
         continue;
      CCopierOrders::Read(state.orders[count]);
      state.orders[count].via=via;
      identifiers[count]=CCopierOrders::PositionId();
      filled[count]=CCopierOrders::Filled();
      tickets[count]=ticket;
      count++;
     }
   ArrayResize(tickets,count);
   ArrayResize(state.orders,count);
   if(!CCopierAccount::Shown(m_shown))
      return(false);
//--- most have filled nothing, and have no position
   for(int i=0; i<count && agrees; i++)
      if((filled[i]>0 || m_shown.Has(identifiers[i])) && !CCopierOrders::IsShown(tickets[i],identifiers[i],filled[i]))
         agrees=false;
   return(OrdersTotal()==total);
  }
//+------------------------------------------------------------------+
//| Is it known what became of those that are pending no longer?     |
//+------------------------------------------------------------------+
bool CCopierWaiting::AllEnded(const ulong &tickets[]) const
  {
   CCopierIds pending;
   pending.Start(ArraySize(tickets));
   for(int i=0; i<ArraySize(tickets); i++)
      pending.Add((long)tickets[i]);
   pending.Sort();
   for(int i=0; i<ArraySize(m_tickets); i++)
     {
      long identifier=0;
      if(!pending.Has((long)m_tickets[i]) && CCopierOrders::End(m_tickets[i],identifier)==COPIER_END_UNSHOWN)
         return(false);
     }
   return(true);
  }
//+------------------------------------------------------------------+
//| A position that is neither there nor closed, 0 if there is none  |
//+------------------------------------------------------------------+
long CCopierWaiting::Missing(void) const
  {
   for(int i=0; i<ArraySize(m_identifiers); i++)
      if(!m_shown.Has(m_identifiers[i]) && !CCopierAccount::IsClosed(m_identifiers[i]))
         return(m_identifiers[i]);
   return(0);
  }
//+------------------------------------------------------------------+
//| What followers hold is a copy of it                              |
//+------------------------------------------------------------------+
void CCopierWaiting::Recall(const CopierState &state)
  {
   if(m_name=="")
      Load();
   for(int i=0; i<ArraySize(state.positions); i++)
      AddPosition(state.positions[i].id);
   for(int i=0; i<ArraySize(state.orders); i++)
      AddOrder((ulong)state.orders[i].id);
  }
//+------------------------------------------------------------------+
//| A position that was there, once                                  |
//+------------------------------------------------------------------+
void CCopierWaiting::AddPosition(const long identifier)
  {
   int count=ArraySize(m_identifiers);
   for(int i=0; i<count; i++)
      if(m_identifiers[i]==identifier)
         return;
   ArrayResize(m_identifiers,count+1,64);
   m_identifiers[count]=identifier;
  }
//+------------------------------------------------------------------+
//| An order that was pending, once                                  |
//+------------------------------------------------------------------+
void CCopierWaiting::AddOrder(const ulong ticket)
  {
   int count=ArraySize(m_tickets);
   for(int i=0; i<count; i++)
      if(m_tickets[i]==ticket)
         return;
   ArrayResize(m_tickets,count+1,64);
   m_tickets[count]=ticket;
  }
//+------------------------------------------------------------------+
//| The last look of a terminal before                               |
//+------------------------------------------------------------------+
void CCopierWaiting::Load(void)
  {
   CMqttJsonReader json;
   bool            exists=false;
   long            id=0;
   m_name="Mt5Mqtt\\copied-"+CMqttFile::Part(m_master)+"-"+IntegerToString(AccountInfoInteger(ACCOUNT_LOGIN))+"@"+
          CMqttFile::Part(AccountInfoString(ACCOUNT_SERVER))+".json";
   ArrayResize(m_tickets,0);
   ArrayResize(m_identifiers,0);
   if(!CMqttFile::Read(m_name,m_saved,exists) || (exists && !json.Parse(m_saved)))
     {
      Print("copier: the file ",m_name," can't be read: what the terminal shows now is believed");
      return;
     }
   if(!exists)
      return;
   for(int node=json.Child(json.Member(0,"positions")); node>=0; node=json.Next(node))
      if(json.Integer(node,"id",id))
         AddPosition(id);
   for(int node=json.Child(json.Member(0,"orders")); node>=0; node=json.Next(node))
      if(json.Integer(node,"id",id))
         AddOrder((ulong)id);
  }
//+------------------------------------------------------------------+
//| Before the state is published. Not flushed: a loss of power may  |
//| take it, but no trade waits for the disk                         |
//+------------------------------------------------------------------+
void CCopierWaiting::Save(void)
  {
   string text=Text();
   if(text==m_saved)
      return;
   bool is_written=CMqttFile::Write(m_name,text,false);
   if(is_written)
      m_saved=text;
   else
      if(!m_is_unsaved)
         Print("copier: the file ",m_name," can't be written: when this terminal starts again, copies may be closed that are not shown yet");
   m_is_unsaved=!is_written;
  }
//+------------------------------------------------------------------+
//| As text                                                          |
//+------------------------------------------------------------------+
string CCopierWaiting::Text(void) const
  {
   CMqttJsonWriter json;
   json.BeginObject();
   json.BeginArray("positions");
   for(int i=0; i<ArraySize(m_identifiers); i++)
     {
      json.BeginObject();
      json.IntegerField("id",m_identifiers[i]);
      json.EndObject();
     }
   json.EndArray();
   json.BeginArray("orders");
   for(int i=0; i<ArraySize(m_tickets); i++)
     {
      json.BeginObject();
      json.IntegerField("id",(long)m_tickets[i]);
      json.EndObject();
     }
   json.EndArray();
   json.EndObject();
   return(json.Text());
  }
#endif
//+------------------------------------------------------------------+
