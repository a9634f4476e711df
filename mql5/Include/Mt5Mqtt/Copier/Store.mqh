//+------------------------------------------------------------------+
//|                                                        Store.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_STORE_MQH
#define MT5MQTT_COPIER_STORE_MQH
#include "..\Internal\File.mqh"
#include "Ledger.mqh"
//--- of the file; a newer one may have what this program doesn't know
#define COPIER_FILE_VERSION 1
//+------------------------------------------------------------------+
//| Which position of this account is a copy of which                |
//+------------------------------------------------------------------+
struct CopierCopy
  {
   long              identifier;           // of the copy
   long              id;                   // of the master's position
  };
//+------------------------------------------------------------------+
//| Which pending order of this account is a copy of which           |
//+------------------------------------------------------------------+
struct CopierPlaced
  {
   ulong             ticket;               // of the copy
   long              id;                   // of the master's order
  };
//+------------------------------------------------------------------+
//| Class CCopierStore.                                              |
//| Appointment: what a follower must know after a restart, in a     |
//|              file that is replaced whole: a crash leaves the old |
//|              one or the new one.                                 |
//+------------------------------------------------------------------+
class CCopierStore
  {
private:
   string            m_name;
   string            m_saved;              // the text in the file
   CopierCopy        m_copies[];
   CopierPlaced      m_placed[];           // until it is known what became of them
   ulong             m_awaited[];          // deals that the terminal doesn't show yet
   CopierUncertain   m_sent[];             // what may be on its way

public:
   string            m_problem;            // why Load() was in vain
   long              m_state_msc;          // of the newest state that was taken
   long              m_state_sequence;
   string            m_account;            // the master's, login@server; empty = no state was taken

                     CCopierStore(void) : m_name(""),m_saved(""),m_problem(""),m_state_msc(0),m_state_sequence(0),m_account("") { }
   //--- of the follower of that master in this account
   static string     FileName(const string master);
   //--- exists: there was a file; false if it can't be read
   bool              Load(const string name,CCopierLedger &ledger,bool &exists);
   bool              Save(const CCopierLedger &ledger);
   //--- copies
   int               Copies(void) const              { return(ArraySize(m_copies));        }
   long              Identifier(const int index) const { return(m_copies[index].identifier); }
   long              MasterId(const long identifier) const;
   void              AddCopy(const long identifier,const long id);
   void              KeepOnly(const long &identifiers[]);
   //--- pending orders
   int               Placed(void) const              { return(ArraySize(m_placed));        }
   ulong             PlacedTicket(const int index) const { return(m_placed[index].ticket);   }
   long              PlacedId(const int index) const { return(m_placed[index].id);         }
   long              OrderId(const ulong ticket) const;
   //--- false if it was there before
   bool              AddOrder(const ulong ticket,const long id);
   void              RemoveOrder(const int index)    { ArrayRemove(m_placed,index,1);      }
   //--- deals of a netting follower, until the terminal shows them
   int               Awaited(void) const               { return(ArraySize(m_awaited));        }
   ulong             AwaitedDeal(const int index) const { return(m_awaited[index]);           }
   void              Await(const ulong deal);
   void              Shown(const int index)            { ArrayRemove(m_awaited,index,1);      }
   //--- what may be on its way
   int               Sent(void) const                  { return(ArraySize(m_sent));           }
   void              Sent(const int index,CopierUncertain &sent) const { sent=m_sent[index];  }
   void              ClearSent(void)                   { ArrayResize(m_sent,0);               }
   void              AddSent(const CopierUncertain &sent);

private:
   string            Text(const CCopierLedger &ledger) const;
   bool              Take(const string text,CCopierLedger &ledger);
  };
//+------------------------------------------------------------------+
//| Below MQL5\Files. Two brokers may give the same login            |
//+------------------------------------------------------------------+
string CCopierStore::FileName(const string master)
  {
   return("Mt5Mqtt\\copier-"+CMqttFile::Part(master)+"-"+IntegerToString(AccountInfoInteger(ACCOUNT_LOGIN))+"@"+
          CMqttFile::Part(AccountInfoString(ACCOUNT_SERVER))+".json");
  }
//+------------------------------------------------------------------+
//| Reads the file                                                   |
//+------------------------------------------------------------------+
bool CCopierStore::Load(const string name,CCopierLedger &ledger,bool &exists)
  {
   m_name=name;
   m_saved="";
   m_state_msc=0;
   m_state_sequence=0;
   m_account="";
   ArrayResize(m_copies,0);
   ArrayResize(m_placed,0);
   ArrayResize(m_awaited,0);
   ArrayResize(m_sent,0);
   ledger.Clear();
   m_problem="can't be read";
   if(!CMqttFile::Read(name,m_saved,exists))
      return(false);
   m_problem="is damaged";
   return(!exists || Take(m_saved,ledger));
  }
//+------------------------------------------------------------------+
//| Writes the file, if anything has changed                         |
//+------------------------------------------------------------------+
bool CCopierStore::Save(const CCopierLedger &ledger)
  {
   string text=Text(ledger);
   if(text==m_saved)
      return(true);
   if(!CMqttFile::Write(m_name,text,true))
      return(false);
   m_saved=text;
   return(true);
  }
//+------------------------------------------------------------------+
//| As text                                                          |
//+------------------------------------------------------------------+
string CCopierStore::Text(const CCopierLedger &ledger) const
  {
   CMqttJsonWriter json;
   json.BeginObject();
   json.IntegerField("version",COPIER_FILE_VERSION);
   json.IntegerField("state_msc",m_state_msc);
   json.IntegerField("state_sequence",m_state_sequence);
   json.StringField("account",m_account);
   CopierGuard guard;
   ledger.Guard(guard);
   json.NumberField("peak",guard.peak,COPIER_FUNDS_DIGITS);
   json.StringField("halted",guard.halted);
   json.BooleanField("resumed",guard.is_resumed);
   json.BeginArray("carries");
   for(int i=0; i<ledger.Carries(); i++)
     {
      CopierCarry carry;
      ledger.Carry(i,carry);
      json.BeginObject();
      json.StringField("symbol",carry.symbol);
      json.StringField("side",carry.is_buy ? "buy" : "sell");
      json.NumberField("volume",carry.volume,8);
      json.EndObject();
     }
   json.EndArray();
   json.BeginArray("links");
   for(int i=0; i<ledger.Links(); i++)
     {
      CopierLink link;
      ledger.Link(i,link);
      json.BeginObject();
      json.IntegerField("id",link.id);
      json.IntegerField("state",link.state);
      json.IntegerField("pending",link.pending);
      json.StringField("symbol",link.symbol);
      json.IntegerField("side",link.side);
      json.NumberField("master_volume",link.master_volume,8);
      json.NumberField("volume",link.volume,8);
      json.NumberField("reached",link.reached,8);
      json.BooleanField("whole",link.is_whole);
      json.StringField("reason",link.reason);
      json.StringField("via",link.via);
      json.IntegerField("since_msc",link.since_msc);
      json.EndObject();
     }
   json.EndArray();
   json.BeginArray("nets");
   for(int i=0; i<ledger.Nets(); i++)
     {
      CopierNet net;
      ledger.Net(i,net);
      json.BeginObject();
      json.StringField("symbol",net.symbol);
      json.NumberField("reached",net.reached,8);
      json.EndObject();
     }
   json.EndArray();
   json.BeginArray("awaited");
   for(int i=0; i<ArraySize(m_awaited); i++)
     {
      json.BeginObject();
      json.IntegerField("deal",(long)m_awaited[i]);
      json.EndObject();
     }
   json.EndArray();
   json.BeginArray("copies");
   for(int i=0; i<ArraySize(m_copies); i++)
     {
      json.BeginObject();
      json.IntegerField("identifier",m_copies[i].identifier);
      json.IntegerField("id",m_copies[i].id);
      json.EndObject();
     }
   json.EndArray();
   json.BeginArray("orders");
   for(int i=0; i<ArraySize(m_placed); i++)
     {
      json.BeginObject();
      json.IntegerField("ticket",(long)m_placed[i].ticket);
      json.IntegerField("id",m_placed[i].id);
      json.EndObject();
     }
   json.EndArray();
   json.BeginArray("sent");
   for(int i=0; i<ArraySize(m_sent); i++)
     {
      json.BeginObject();
      json.IntegerField("id",m_sent[i].id);
      json.StringField("symbol",m_sent[i].symbol);
      json.IntegerField("is_buy",m_sent[i].is_buy ? 1 : 0);
      json.NumberField("volume",m_sent[i].volume,8);
      json.IntegerField("sent_msc",m_sent[i].sent_msc);
      json.IntegerField("is_pending",m_sent[i].is_pending ? 1 : 0);
      json.IntegerField("kind",(long)m_sent[i].kind);
      json.NumberField("price",m_sent[i].price,8);
      json.NumberField("before",m_sent[i].before,8);
      json.EndObject();
     }
   json.EndArray();
   json.EndObject();
   return(json.Text());
  }
//+------------------------------------------------------------------+
//| From text                                                        |
//+------------------------------------------------------------------+
bool CCopierStore::Take(const string text,CCopierLedger &ledger)
  {
   CMqttJsonReader json;
   CopierLink      link;
   CopierNet       net;
   long            version=0;
   long            state=0;
   long            deal=0;
   CopierCarry     carry;
   CopierGuard     guard;
   if(!json.Parse(text) || !json.Integer(0,"version",version))
      return(false);
   if(version>COPIER_FILE_VERSION)
     {
      m_problem="is of a newer version of the copier";
      return(false);
     }
   if(!json.Number(0,"peak",guard.peak) || !json.String(0,"halted",guard.halted) ||
      !json.Integer(0,"state_msc",m_state_msc) || !json.Integer(0,"state_sequence",m_state_sequence))
      return(false);
//--- a file of before has none
   guard.is_resumed=false;
   if((json.Member(0,"account")>=0 && !json.String(0,"account",m_account)) ||
      (json.Member(0,"resumed")>=0 && !json.Boolean(0,"resumed",guard.is_resumed)))
      return(false);
   for(int node=json.Child(json.Member(0,"links")); node>=0; node=json.Next(node))
     {
      if(!json.Integer(node,"id",link.id) || !json.Integer(node,"state",state) || !json.String(node,"symbol",link.symbol) ||
         !json.Number(node,"master_volume",link.master_volume) || !json.Number(node,"volume",link.volume) ||
         !json.Number(node,"reached",link.reached) || !json.String(node,"reason",link.reason) ||
         !json.String(node,"via",link.via) || state<0 || state>COPIER_LINK_BEFORE)
         return(false);
      //--- a file of before has none
      long pending=COPIER_PENDING_NONE;
      if(json.Member(node,"pending")>=0 &&
         (!json.Integer(node,"pending",pending) || pending<0 || pending>COPIER_PENDING_WANTED))
         return(false);
      long side=0;
      if(json.Member(node,"side")>=0 && (!json.Integer(node,"side",side) || side<-1 || side>1))
         return(false);
      link.side=(int)side;
      link.is_whole=true;
      if(json.Member(node,"whole")>=0 && !json.Boolean(node,"whole",link.is_whole))
         return(false);
      link.since_msc=0;
      if(json.Member(node,"since_msc")>=0 && !json.Integer(node,"since_msc",link.since_msc))
         return(false);
      link.pending=(ENUM_COPIER_PENDING)pending;
      link.state=(ENUM_COPIER_LINK)state;
      ledger.AddLink(link);
     }
   ledger.SetGuard(guard);
   for(int node=json.Child(json.Member(0,"carries")); node>=0; node=json.Next(node))
     {
      if(!json.String(node,"symbol",carry.symbol) || !json.Number(node,"volume",carry.volume))
         return(false);
      //--- a file of before doesn't tell it
      string side="buy";
      json.String(node,"side",side);
      ledger.AddCarry(carry.symbol,side=="buy",carry.volume);
     }
   for(int node=json.Child(json.Member(0,"nets")); node>=0; node=json.Next(node))
     {
      if(!json.String(node,"symbol",net.symbol) || !json.Number(node,"reached",net.reached))
         return(false);
      ledger.AddNet(net);
     }
   for(int node=json.Child(json.Member(0,"awaited")); node>=0; node=json.Next(node))
     {
      if(!json.Integer(node,"deal",deal))
         return(false);
      Await((ulong)deal);
     }
   for(int node=json.Child(json.Member(0,"copies")); node>=0; node=json.Next(node))
     {
      long identifier=0;
      long id=0;
      if(!json.Integer(node,"identifier",identifier) || !json.Integer(node,"id",id))
         return(false);
      AddCopy(identifier,id);
     }
   for(int node=json.Child(json.Member(0,"orders")); node>=0; node=json.Next(node))
     {
      long ticket=0;
      long id=0;
      if(!json.Integer(node,"ticket",ticket) || !json.Integer(node,"id",id))
         return(false);
      AddOrder((ulong)ticket,id);
     }
//--- a file of before has none
   for(int node=json.Child(json.Member(0,"sent")); node>=0; node=json.Next(node))
     {
      CopierUncertain sent;
      long            is_buy=0;
      long            is_pending=0;
      long            kind=0;
      if(!json.Integer(node,"id",sent.id) || !json.String(node,"symbol",sent.symbol) || !json.Integer(node,"is_buy",is_buy) ||
         !json.Number(node,"volume",sent.volume) || !json.Integer(node,"sent_msc",sent.sent_msc) ||
         !json.Integer(node,"is_pending",is_pending) || !json.Integer(node,"kind",kind) || kind<0 || kind>COPIER_KIND_STOP_LIMIT ||
         !json.Number(node,"price",sent.price))
         return(false);
      sent.before=0;
      if(json.Member(node,"before")>=0 && !json.Number(node,"before",sent.before))
         return(false);
      sent.is_buy=(is_buy!=0);
      sent.is_pending=(is_pending!=0);
      sent.kind=(ENUM_COPIER_KIND)kind;
      sent.until=0;
      AddSent(sent);
     }
   return(true);
  }
//+------------------------------------------------------------------+
//| What a position is a copy of, 0 if that isn't known              |
//+------------------------------------------------------------------+
long CCopierStore::MasterId(const long identifier) const
  {
   for(int i=0; i<ArraySize(m_copies); i++)
      if(m_copies[i].identifier==identifier)
         return(m_copies[i].id);
//--- the ticket of a pending order becomes the identifier of its position
   return(OrderId((ulong)identifier));
  }
//+------------------------------------------------------------------+
//| What a pending order is a copy of, 0 if that isn't known         |
//+------------------------------------------------------------------+
long CCopierStore::OrderId(const ulong ticket) const
  {
   for(int i=0; i<ArraySize(m_placed); i++)
      if(m_placed[i].ticket==ticket)
         return(m_placed[i].id);
   return(0);
  }
//+------------------------------------------------------------------+
//| A pending order was placed, or recognised                        |
//+------------------------------------------------------------------+
bool CCopierStore::AddOrder(const ulong ticket,const long id)
  {
   if(OrderId(ticket)!=0)
      return(false);
   int count=ArraySize(m_placed);
   ArrayResize(m_placed,count+1,64);
   m_placed[count].ticket=ticket;
   m_placed[count].id=id;
   return(true);
  }
//+------------------------------------------------------------------+
//| A copy was made, or recognised                                   |
//+------------------------------------------------------------------+
void CCopierStore::AddCopy(const long identifier,const long id)
  {
   int count=ArraySize(m_copies);
   for(int i=0; i<count; i++)
      if(m_copies[i].identifier==identifier)
         return;
   ArrayResize(m_copies,count+1,64);
   m_copies[count].identifier=identifier;
   m_copies[count].id=id;
  }
//+------------------------------------------------------------------+
//| A deal was made; until the terminal shows it, its figures are old|
//+------------------------------------------------------------------+
void CCopierStore::Await(const ulong deal)
  {
   int count=ArraySize(m_awaited);
   ArrayResize(m_awaited,count+1,16);
   m_awaited[count]=deal;
  }
//+------------------------------------------------------------------+
//| It is about to be sent, or its answer was lost                   |
//+------------------------------------------------------------------+
void CCopierStore::AddSent(const CopierUncertain &sent)
  {
   int count=ArraySize(m_sent);
   ArrayResize(m_sent,count+1,16);
   m_sent[count]=sent;
  }
//+------------------------------------------------------------------+
//| Forgets copies that are gone                                     |
//+------------------------------------------------------------------+
void CCopierStore::KeepOnly(const long &identifiers[])
  {
   for(int i=ArraySize(m_copies)-1; i>=0; i--)
     {
      bool is_there=false;
      for(int j=0; j<ArraySize(identifiers) && !is_there; j++)
         is_there=(identifiers[j]==m_copies[i].identifier);
      if(!is_there)
         ArrayRemove(m_copies,i,1);
     }
  }
#endif
//+------------------------------------------------------------------+
