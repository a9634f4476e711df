//+------------------------------------------------------------------+
//|                                                        Links.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_LINKS_MQH
#define MT5MQTT_COPIER_LINKS_MQH
#include "Guard.mqh"
//--- CopierHeld::id of what a netting follower holds: it belongs to no
//--- single position of the master
#define COPIER_NET -1
//+------------------------------------------------------------------+
//| What became of a position of the master                          |
//+------------------------------------------------------------------+
enum ENUM_COPIER_LINK
  {
   COPIER_LINK_OPEN,                       // is to be held
   COPIER_LINK_IGNORED,                    // the rules refused it when it was first seen
   COPIER_LINK_CLOSED,                     // was closed here, by hand or by a stop: stays closed
   COPIER_LINK_HALTED,                     // closed by a guard, or as the master has turned to a side that isn't copied: stays closed
   COPIER_LINK_BEFORE                      // was there before the first state, and can't be decided yet
  };
//+------------------------------------------------------------------+
//| What becomes of the pending order that a position begins as      |
//+------------------------------------------------------------------+
enum ENUM_COPIER_PENDING
  {
   COPIER_PENDING_NONE,                    // there is none: the position is followed at the market
   COPIER_PENDING_OVER,                    // none is placed here any more; what it has filled stays while the master's waits
   COPIER_PENDING_WANTED                   // is to be held while the master's waits
  };
//+------------------------------------------------------------------+
//| What the follower has to remember of a position of the master,   |
//| or of a pending order, whose ticket its position takes over      |
//+------------------------------------------------------------------+
struct CopierLink
  {
   long              id;
   ENUM_COPIER_PENDING pending;
   ENUM_COPIER_LINK  state;
   string            symbol;               // the follower's
   int               side;                 // of the master's, as it was seen last: 1 bought, -1 sold, 0 a file of before
   double            master_volume;        // when it was decided
   double            volume;               // for that; both give the ratio, which stays
   double            reached;              // what was held when it was last looked at, pending or not
   bool              is_whole;             // as much as the master has was held once: what comes after that is an addition
   string            reason;               // why it is not held, or not yet
   string            via;                  // accounts that it came through, the master's too
   long              since_msc;            // GMT, from when on its age counts, if that is after its opening
  };
//+------------------------------------------------------------------+
//| Volume of a symbol that was too small to open                    |
//+------------------------------------------------------------------+
struct CopierCarry
  {
   string            symbol;
   bool              is_buy;               // of the master's positions
   double            volume;
  };
//+------------------------------------------------------------------+
//| A position of the follower that is a copy                        |
//+------------------------------------------------------------------+
struct CopierHeld
  {
   ulong             ticket;
   long              id;                   // of the master's position; COPIER_NET; 0 = netting, and not a copy
   string            symbol;
   bool              is_buy;
   double            volume;
   double            sl;
   double            tp;
   long              opened_msc;           // by the trade server's clock; the older ones come first in a list
   bool              is_settling;          // a reduction was sent that may still show
  };
//+------------------------------------------------------------------+
//| A pending order of the follower that is a copy                   |
//+------------------------------------------------------------------+
struct CopierHeldOrder
  {
   ulong             ticket;
   long              id;                   // of the master's order
   string            symbol;
   bool              is_buy;
   ENUM_COPIER_KIND  kind;
   double            volume;               // what is not filled yet
   double            price;
   double            limit_price;
   double            sl;
   double            tp;
   ENUM_COPIER_EXPIRY expiry;
   long              expires_msc;
  };
//+------------------------------------------------------------------+
//| An open, or a placed order, that may be on its way: its answer   |
//| was lost, or the terminal was killed before it came              |
//+------------------------------------------------------------------+
struct CopierUncertain
  {
   long              id;
   string            symbol;
   bool              is_buy;
   double            volume;
   long              sent_msc;             // by the trade server's clock
   ulong             until;
   bool              is_pending;
   ENUM_COPIER_KIND  kind;                 // of a pending order
   double            price;                // likewise
   double            before;               // in netting, what was held when it was sent
  };
//+------------------------------------------------------------------+
//| What is to be done, in the order in which it is: closes first, as|
//| they free margin and lower the risk                              |
//+------------------------------------------------------------------+
enum ENUM_COPIER_ACTION
  {
   COPIER_ACTION_CLOSE,                    // that volume of that ticket
   COPIER_ACTION_DELETE,                   // a pending order
   COPIER_ACTION_STOPS,
   COPIER_ACTION_MODIFY,                   // a pending order
   COPIER_ACTION_OPEN,
   COPIER_ACTION_PLACE                     // a pending order
  };
struct CopierAction
  {
   ENUM_COPIER_ACTION action;
   long              id;
   ulong             ticket;
   string            symbol;
   bool              is_buy;
   double            volume;
   double            sl;
   double            tp;
   string            reason;
   //--- of a pending order
   ENUM_COPIER_KIND  kind;
   double            price;
   double            limit_price;
   ENUM_COPIER_EXPIRY expiry;
   long              expires_msc;          // GMT
  };
//+------------------------------------------------------------------+
//| What a netting follower has reached in a symbol: buys are        |
//| positive, sells negative                                         |
//+------------------------------------------------------------------+
struct CopierNet
  {
   string            symbol;
   double            reached;
  };
//+------------------------------------------------------------------+
//| Class CCopierActions.                                            |
//| Appointment: puts a list of actions together.                    |
//+------------------------------------------------------------------+
class CCopierActions
  {
public:
   //--- index of the new one; side, volume and stops are to be filled in
   static int        Add(CopierAction &actions[],const ENUM_COPIER_ACTION kind,const long id,const ulong ticket,const string symbol,const string reason);
   static void       Sort(CopierAction &actions[]);
   //--- takes out what opens or places; returns how many there were
   static int        RemoveNew(CopierAction &actions[]);
   //--- sorted before; closes come in the order in which the positions were opened
   static void       OldestFirst(CopierAction &actions[],const CopierHeld &held[]);
   //--- prices that differ by less are the same
   static double     HalfTick(const CopierSymbol &symbol) { return(symbol.tick_size>0 ? symbol.tick_size/2 : 0.00000001); }
   //--- a price that the symbol takes, 0 stays 0
   static double     OnGrid(const double price,const CopierSymbol &symbol);
   //--- stops of a copy by the rules; one that isn't copied stays what it is, which is 0 at the opening
   static double     StopLoss(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,const double current);
   static double     TakeProfit(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,const double current);
  };
//+------------------------------------------------------------------+
//| A new action                                                     |
//+------------------------------------------------------------------+
int CCopierActions::Add(CopierAction &actions[],const ENUM_COPIER_ACTION kind,const long id,const ulong ticket,const string symbol,const string reason)
  {
   int count=ArraySize(actions);
   ArrayResize(actions,count+1,64);
   actions[count].action=kind;
   actions[count].id=id;
   actions[count].ticket=ticket;
   actions[count].symbol=symbol;
   actions[count].is_buy=false;
   actions[count].volume=0;
   actions[count].sl=0;
   actions[count].tp=0;
   actions[count].reason=reason;
   actions[count].kind=COPIER_KIND_LIMIT;
   actions[count].price=0;
   actions[count].limit_price=0;
   actions[count].expiry=COPIER_EXPIRY_NONE;
   actions[count].expires_msc=0;
   return(count);
  }
//+------------------------------------------------------------------+
//| By kind; those of one kind stay as they are                      |
//+------------------------------------------------------------------+
void CCopierActions::Sort(CopierAction &actions[])
  {
   CopierAction sorted[];
   int          count=ArraySize(actions);
   int          position=0;
   ArrayResize(sorted,count);
   for(int kind=COPIER_ACTION_CLOSE; kind<=COPIER_ACTION_PLACE; kind++)
      for(int i=0; i<count; i++)
         if((int)actions[i].action==kind)
           {
            sorted[position]=actions[i];
            position++;
           }
   for(int i=0; i<count; i++)
      actions[i]=sorted[i];
  }
//+------------------------------------------------------------------+
//| Neither opens nor places                                         |
//+------------------------------------------------------------------+
int CCopierActions::RemoveNew(CopierAction &actions[])
  {
   int count=0;
   for(int i=ArraySize(actions)-1; i>=0; i--)
      if(actions[i].action==COPIER_ACTION_OPEN || actions[i].action==COPIER_ACTION_PLACE)
        {
         ArrayRemove(actions,i,1);
         count++;
        }
   return(count);
  }
//+------------------------------------------------------------------+
//| Closes are at the beginning                                      |
//+------------------------------------------------------------------+
void CCopierActions::OldestFirst(CopierAction &actions[],const CopierHeld &held[])
  {
   int position=0;
   for(int i=0; i<ArraySize(held); i++)
      for(int k=position; k<ArraySize(actions) && actions[k].action==COPIER_ACTION_CLOSE; k++)
         if(actions[k].ticket==held[i].ticket)
           {
            CopierAction action=actions[position];
            actions[position]=actions[k];
            actions[k]=action;
            position++;
            break;
           }
  }
//+------------------------------------------------------------------+
//| A multiple of the tick size                                      |
//+------------------------------------------------------------------+
double CCopierActions::OnGrid(const double price,const CopierSymbol &symbol)
  {
   if(symbol.tick_size<=0)
      return(price);
   return(NormalizeDouble(MathRound(price/symbol.tick_size)*symbol.tick_size,8));
  }
//+------------------------------------------------------------------+
//| In reverse the master's TP                                       |
//+------------------------------------------------------------------+
double CCopierActions::StopLoss(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,const double current)
  {
   if(rules.reverse)
      return(rules.copy_tp ? OnGrid(position.tp,symbol) : current);
   return(rules.copy_sl ? OnGrid(position.sl,symbol) : current);
  }
//+------------------------------------------------------------------+
//| In reverse the master's SL                                       |
//+------------------------------------------------------------------+
double CCopierActions::TakeProfit(const CopierPosition &position,const CopierRules &rules,const CopierSymbol &symbol,const double current)
  {
   if(rules.reverse)
      return(rules.copy_sl ? OnGrid(position.sl,symbol) : current);
   return(rules.copy_tp ? OnGrid(position.tp,symbol) : current);
  }
#endif
//+------------------------------------------------------------------+
