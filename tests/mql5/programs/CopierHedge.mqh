//+------------------------------------------------------------------+
//|                                                  CopierHedge.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- A master and a hedging follower at random, as lists of positions:
//--- no trade server, and no pending orders.
#ifndef MT5MQTT_TEST_COPIER_HEDGE_MQH
#define MT5MQTT_TEST_COPIER_HEDGE_MQH
#include <Mt5Mqtt\Copier\Plan.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
//+------------------------------------------------------------------+
//| What the test knows of a position of the master                  |
//+------------------------------------------------------------------+
struct Known
  {
   long              id;
   bool              by_hand;              // touched by the follower's user
   bool              grown;                // its volume has grown
   double            decided;              // volume when the follower first saw it, 0 = not yet
   bool              is_open;
  };
//+------------------------------------------------------------------+
//| What both have, and what happens to it                           |
//+------------------------------------------------------------------+
class CHedge
  {
protected:
   string            m_fault;
   CopierState       m_state;
   CopierSymbol      m_symbols[];
   CopierHeldOrder   m_orders[];           // none
   CopierHeld        m_held[];
   Known             m_known[];
   CCopierPlan      *m_plan;
   ulong             m_ticket;
   long              m_id;
   long              m_now;

public:
                     CHedge(void) : m_fault(""),m_ticket(1000),m_id(1),m_now(1000000) { m_plan=new CCopierPlan; }
                    ~CHedge(void) { delete m_plan; }

protected:
   int               Random(const int below) { return((MathRand()*32768+MathRand())%below); }
   bool              Chance(const int percent) { return(Random(100)<percent); }
   void              Symbol(const string name,const double volume_min,const double volume_step);
   void              MasterMoves(void);
   void              MasterOpens(void);
   void              Close(const int index);
   void              UserMoves(void);
   void              Restart(void);
   void              Execute(const CopierAction &action);
   int               FindHeld(const ulong ticket) const;
   int               FindKnown(const long id) const;
   double            HeldOf(const long id,const bool is_buy) const;
   int               TicketsOf(const long id) const;
   void              Fault(const string text);
  };
//+------------------------------------------------------------------+
//| A symbol of the follower                                         |
//+------------------------------------------------------------------+
void CHedge::Symbol(const string name,const double volume_min,const double volume_step)
  {
   int i=ArraySize(m_symbols);
   ArrayResize(m_symbols,i+1);
   m_symbols[i].name=name;
   m_symbols[i].contract_size=100;
   m_symbols[i].point=0.01;
   m_symbols[i].tick_size=0.01;
   m_symbols[i].tick_value=1;
   m_symbols[i].volume_min=volume_min;
   m_symbols[i].volume_max=2;
   m_symbols[i].volume_step=volume_step;
   m_symbols[i].bid=100;
   m_symbols[i].ask=100.02;
   m_symbols[i].stops_level=0;
   m_symbols[i].freeze_level=0;
   m_symbols[i].expires_day=true;
   m_symbols[i].expires_time=true;
   m_symbols[i].expires_date=true;
   m_symbols[i].never_expires=true;
   m_symbols[i].is_uncertain=false;
  }
//+------------------------------------------------------------------+
//| The first fault stays                                            |
//+------------------------------------------------------------------+
void CHedge::Fault(const string text)
  {
   if(m_fault=="")
      m_fault=text;
  }
//+------------------------------------------------------------------+
//| By ticket                                                        |
//+------------------------------------------------------------------+
int CHedge::FindHeld(const ulong ticket) const
  {
   for(int i=0; i<ArraySize(m_held); i++)
      if(m_held[i].ticket==ticket)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| By identifier                                                    |
//+------------------------------------------------------------------+
int CHedge::FindKnown(const long id) const
  {
   for(int i=0; i<ArraySize(m_known); i++)
      if(m_known[i].id==id)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| Volume of the copies on one side                                 |
//+------------------------------------------------------------------+
double CHedge::HeldOf(const long id,const bool is_buy) const
  {
   double sum=0;
   for(int i=0; i<ArraySize(m_held); i++)
      if(m_held[i].id==id && m_held[i].is_buy==is_buy)
         sum+=m_held[i].volume;
   return(NormalizeDouble(sum,8));
  }
//+------------------------------------------------------------------+
//| Number of the copies                                             |
//+------------------------------------------------------------------+
int CHedge::TicketsOf(const long id) const
  {
   int count=0;
   for(int i=0; i<ArraySize(m_held); i++)
      if(m_held[i].id==id)
         count++;
   return(count);
  }
//+------------------------------------------------------------------+
//| A new position of the master                                     |
//+------------------------------------------------------------------+
void CHedge::MasterOpens(void)
  {
   string symbols[]={"EURUSD","XAUUSD","US500","UNKNOWN"};
   int    i=ArraySize(m_state.positions);
   ArrayResize(m_state.positions,i+1);
   m_state.positions[i].id=m_id;
   m_state.positions[i].symbol=symbols[Random(100)<5 ? 3 : Random(3)];
   m_state.positions[i].is_buy=Chance(50);
   m_state.positions[i].volume=NormalizeDouble(0.01*(1+Random(100)),8);
   m_state.positions[i].price=100;
   m_state.positions[i].sl=(Chance(50) ? 90+Random(500)*0.01 : 0);
   m_state.positions[i].tp=(Chance(50) ? 105+Random(500)*0.01 : 0);
   m_state.positions[i].time_msc=m_now;
   m_state.positions[i].magic=0;
   m_state.positions[i].comment="";
   m_state.positions[i].contract_size=100;
   int known=ArraySize(m_known);
   ArrayResize(m_known,known+1);
   m_known[known].id=m_id;
   m_known[known].by_hand=false;
   m_known[known].grown=false;
   m_known[known].decided=0;
   m_known[known].is_open=false;
   m_id++;
  }
//+------------------------------------------------------------------+
//| A position of the master goes                                    |
//+------------------------------------------------------------------+
void CHedge::Close(const int index)
  {
   int last=ArraySize(m_state.positions)-1;
   if(index!=last)
      m_state.positions[index]=m_state.positions[last];
   ArrayResize(m_state.positions,last);
  }
//+------------------------------------------------------------------+
//| The master does something                                        |
//+------------------------------------------------------------------+
void CHedge::MasterMoves(void)
  {
   int count=ArraySize(m_state.positions);
   if(count==0 || Chance(35))
     {
      MasterOpens();
      return;
     }
   int i=Random(count);
   int known=FindKnown(m_state.positions[i].id);
   switch(Random(6))
     {
      case 0:
         Close(i);
         break;
      case 1:                              // a partial close
         m_state.positions[i].volume=NormalizeDouble(MathMax(0.01,0.01*MathFloor(m_state.positions[i].volume*100*Random(100)/100)),8);
         break;
      case 2:                              // other stops
         m_state.positions[i].sl=(Chance(70) ? 90+Random(500)*0.01 : 0);
         m_state.positions[i].tp=(Chance(70) ? 105+Random(500)*0.01 : 0);
         break;
      case 3:                              // a netting master adds
         m_state.positions[i].volume=NormalizeDouble(m_state.positions[i].volume+0.01*(1+Random(30)),8);
         m_known[known].grown=true;
         break;
      case 4:                              // a netting master reverses
         m_state.positions[i].is_buy=!m_state.positions[i].is_buy;
         m_state.positions[i].volume=NormalizeDouble(0.01*(1+Random(100)),8);
         m_known[known].grown=true;
         break;
      case 5:                              // a close-by: two at once
         Close(i);
         if(ArraySize(m_state.positions)>0)
            Close(Random(ArraySize(m_state.positions)));
         break;
     }
  }
//+------------------------------------------------------------------+
//| The follower's user, or a stop, closes a copy or a part of it    |
//+------------------------------------------------------------------+
void CHedge::UserMoves(void)
  {
   int count=ArraySize(m_held);
   if(count==0)
      return;
   int i=Random(count);
   int known=FindKnown(m_held[i].id);
   if(known>=0)
      m_known[known].by_hand=true;
   double part=NormalizeDouble(MathFloor(m_held[i].volume*50)/100,8);
   if(Chance(50) || part<0.1)
      ArrayRemove(m_held,i,1);
   else
      m_held[i].volume=NormalizeDouble(m_held[i].volume-NormalizeDouble(MathFloor(part*10)/10,8),8);
  }
//+------------------------------------------------------------------+
//| A new program with the links of the old one                      |
//+------------------------------------------------------------------+
void CHedge::Restart(void)
  {
   CCopierPlan *plan=new CCopierPlan;
   for(int i=0; i<m_plan.Links(); i++)
     {
      CopierLink link;
      m_plan.Link(i,link);
      plan.AddLink(link);
     }
   delete m_plan;
   m_plan=plan;
  }
//+------------------------------------------------------------------+
//| Carries an action out                                            |
//+------------------------------------------------------------------+
void CHedge::Execute(const CopierAction &action)
  {
   int i=FindHeld(action.ticket);
   switch(action.action)
     {
      case COPIER_ACTION_OPEN:
         i=ArraySize(m_held);
         ArrayResize(m_held,i+1);
         m_ticket++;
         m_held[i].is_settling=false;
         m_held[i].ticket=m_ticket;
         m_held[i].id=action.id;
         m_held[i].symbol=action.symbol;
         m_held[i].is_buy=action.is_buy;
         m_held[i].volume=action.volume;
         m_held[i].sl=action.sl;
         m_held[i].tp=action.tp;
         break;
      case COPIER_ACTION_CLOSE:
         if(i<0)
            break;
         m_held[i].volume=NormalizeDouble(m_held[i].volume-action.volume,8);
         if(m_held[i].volume<0.000001)
            ArrayRemove(m_held,i,1);
         break;
      case COPIER_ACTION_STOPS:
         if(i<0)
            break;
         m_held[i].sl=action.sl;
         m_held[i].tp=action.tp;
         break;
      default:
         break;
     }
  }
#endif
//+------------------------------------------------------------------+
